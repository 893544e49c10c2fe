"""The lab of lesson 03: what it shows held against the networks themselves."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch
from hands import SOON, content, move

from stylelearn import johnson
from stylelearn.colour import keep_colours
from stylelearn.lab import JohnsonLab
from stylelearn.lab import johnson as lab_module
from stylelearn.networks.transformation import TransformationNet
from stylelearn.weights import WeightsError

pytestmark = pytest.mark.usefixtures("labs")


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> dict[str, TransformationNet]:
    """Two small networks of random weights in place of those that ship; counts how often each paints."""
    made = {}
    for number, name in enumerate(("paper_cut", "waves")):
        torch.manual_seed(number)
        network = TransformationNet((4, 4, 4), 1).eval().requires_grad_(False)
        network.painted = 0

        def count(module: Any, *_: Any) -> None:
            module.painted += 1

        network.register_forward_pre_hook(count)
        made[name] = network
    monkeypatch.setattr(johnson, "styles", lambda: list(made))
    monkeypatch.setattr(lab_module, "network", lambda style: made[style])
    return made


def test_it_shows_what_the_network_paints(networks: dict[str, TransformationNet]) -> None:
    lab = JohnsonLab("coffee", "waves", size=96)
    photo = content("coffee", 96)
    pastiche = networks["waves"](photo)
    torch.testing.assert_close(lab.image, pastiche)
    move(lab, strength=0.25)
    torch.testing.assert_close(lab.image, 0.75 * photo + 0.25 * pastiche)
    move(lab, strength=0.0)
    assert torch.equal(lab.image, photo)
    assert "0% of it blended" in lab.stage.tooltip
    move(lab, strength=1.0, style="paper_cut", colours="content")
    torch.testing.assert_close(lab.image, keep_colours(networks["paper_cut"](photo), photo))


def test_what_a_slider_does_not_change_is_not_painted_again(
    networks: dict[str, TransformationNet], monkeypatch: pytest.MonkeyPatch
) -> None:
    recoloured = Mock(side_effect=keep_colours)
    monkeypatch.setattr(lab_module, "keep_colours", recoloured)
    lab = JohnsonLab("chelsea", "paper_cut", size=64)
    move(lab, strength=0.3, colours="content")
    move(lab, strength=0.6)
    assert networks["paper_cut"].painted == 1 and recoloured.call_count == 1
    move(lab, size=128)
    move(lab, content="rocket")
    assert networks["paper_cut"].painted == 3
    move(lab, style="waves")
    move(lab, style="paper_cut")  # kept from before
    assert networks["paper_cut"].painted == 3 and networks["waves"].painted == 1


def test_a_picture_of_ones_own(networks: dict[str, TransformationNet]) -> None:
    lab = JohnsonLab(size=64)
    lab.content.choose(torch.rand(1, 3, 90, 120), "mine")
    assert lab.wait(SOON)
    assert lab.settings["content"] == "mine" and lab.image.shape == (1, 3, 48, 64)
    lab.content.choose(torch.rand(1, 3, 20, 400), "a strip")
    assert lab.wait(SOON)
    assert "too small for this network: at least 16 px" in lab.error
    assert lab.image.shape == (1, 3, 48, 64)  # the last picture stays
    move(lab, size=512)  # 26 px high now


def test_a_network_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "my_style.safetensors"
    torch.manual_seed(1)
    network = TransformationNet((4, 4, 4), 1).eval()
    johnson.save(network, path)
    lab = JohnsonLab("chelsea", path, size=64)
    assert lab.settings["style"] == str(path) and lab.stage.tooltip == "chelsea in the style my style"
    with torch.no_grad():
        torch.testing.assert_close(lab.image, network(content()), atol=0.02, rtol=0)


def test_a_network_that_is_not_there_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match="no johnson network 'monet'"):
        JohnsonLab(style="monet")
    monkeypatch.setattr(johnson, "styles", list)
    with pytest.raises(WeightsError, match="no trained network is there"):
        JohnsonLab()
