"""The lab of lesson 05: what it shows held against the method, and what is kept."""

from pathlib import Path

import hands
import pytest
import torch
from hands import SOON, close, content, move, upload
from PIL import Image
from torch import Tensor

from stylelearn import samples
from stylelearn.images import read_image, resize
from stylelearn.lab import AdaINLab
from stylelearn.lab import adain as module
from stylelearn.lab.mixing import MaskChooser, mask

pytestmark = pytest.mark.usefixtures("labs")

STYLES = samples.style_names()[:4]
SMALL = {"content": "chelsea", **dict(zip(module.STYLES, STYLES, strict=True)), "size": 64}


@pytest.fixture
def lab() -> AdaINLab:
    return AdaINLab(**SMALL)


def style(number: int) -> Tensor:
    return hands.style(STYLES[number])


def test_the_picture_has_words(lab: AdaINLab) -> None:
    assert lab.stage.tooltip == f"chelsea in the style of 100% {STYLES[0]}, strength 1.00"
    move(lab, across=0.5, strength=0.4, colours="content", where="centre", elsewhere="photo")
    assert lab.stage.tooltip == (
        f"chelsea in the style of 50% {STYLES[0]}, 50% {STYLES[1]}, strength 0.40, in its own colours, where the mask "
        "centre is white, and the photo elsewhere"
    )


def test_it_shows_what_the_method_gives(lab: AdaINLab) -> None:
    net = module.network()
    close(lab.image, net(content(), style(0)))
    close(move(lab, strength=0.3), net(content(), style(0), strength=0.3))
    close(move(lab, strength=0.0), net.decode(net.encode(content()), content().shape[2:]))
    move(lab, strength=1.0)
    mixed = net(content(), [style(i) for i in range(4)], shares=[0.75 * 0.5, 0.25 * 0.5, 0.75 * 0.5, 0.25 * 0.5])
    close(move(lab, across=0.25, down=0.5), mixed)


def test_colours_are_those_of_the_photo(lab: AdaINLab) -> None:
    close(move(lab, colours="content"), module.network()(content(), style(0), colours=True))
    close(move(lab, content="rocket"), module.network()(content("rocket"), style(0), colours=True))


def test_masks(lab: AdaINLab) -> None:
    net = module.network()
    inside = mask(MaskChooser("left half").image, content().shape[2:])
    found = move(lab, where="left half")
    close(found, net(content(), [style(0), style(1)], masks=torch.stack([inside, 1 - inside])))
    assert float((found - net(content(), style(0))).abs().mean()) > 1e-3
    close(move(lab, elsewhere="photo"), net(content(), style(0), masks=inside[None]))
    close(move(lab, elsewhere="style"), net(content(), style(0)))  # the same within and without
    half = [0.5 * inside, 0.5 * inside + 1 - inside]
    close(move(lab, elsewhere="style_2", across=0.5), net(content(), [style(0), style(1)], masks=torch.stack(half)))
    close(move(lab, where="everywhere", across=0.0), net(content(), style(0)))


def test_uploads_and_own_masks(lab: AdaINLab, tmp_path: Path) -> None:
    Image.linear_gradient("L").resize((90, 60)).save(tmp_path / "mine.png")
    own = resize(read_image(tmp_path / "mine.png"), 64, "long")
    upload(lab.styles["style"], (tmp_path / "mine.png").read_bytes())
    assert lab.wait(SOON) and lab.error == ""
    close(lab.image, module.network()(content(), own))
    assert "upload: mine.png" in lab.pad.words
    lab.controls["where"].choose(str(tmp_path / "mine.png"))
    assert lab.wait(SOON) and lab.error == ""
    inside = mask(read_image(tmp_path / "mine.png"), content().shape[2:])
    close(lab.image, module.network()(content(), [own, style(1)], masks=torch.stack([inside, 1 - inside])))


def test_moving_alpha_and_mixing_cost_only_the_decoder(lab: AdaINLab, monkeypatch: pytest.MonkeyPatch) -> None:
    net = module.network()
    looked, encode = [], net.encoder.forward
    monkeypatch.setattr(net.encoder, "forward", lambda *a: looked.append(1) or encode(*a))
    move(lab, strength=0.2)
    assert looked == []
    move(lab, across=0.5, down=0.5)  # three styles more, looked at once
    assert len(looked) == 3
    move(lab, content="rocket")  # only the content is new
    assert len(looked) == 4
    move(lab, size=128)  # all five at another size
    assert len(looked) == 9
