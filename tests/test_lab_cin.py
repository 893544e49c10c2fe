"""The lab of lesson 04: every control at its ends, and its pictures held against the network asked directly."""

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from hands import SOON, ends, press, upload
from PIL import Image
from torch import Tensor

from stylelearn import cin, samples
from stylelearn.cin import StyleNet
from stylelearn.images import read_image, read_settings, resize
from stylelearn.lab import CinLab, PictureChooser
from stylelearn.lab.cin import CORNERS, soft_mask
from stylelearn.lab.mixing import MASKS, MaskChooser, mask
from stylelearn.weights import write_weights

pytestmark = pytest.mark.usefixtures("labs")

STYLES = ["oil", "ink", "glass", "chalk", "wool", "tiles"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small network with styles that differ, as a file."""
    torch.manual_seed(0)
    net = StyleNet(STYLES, (4, 6, 8), blocks=1)
    with torch.no_grad():
        for norm in net.norms():
            norm.gamma.copy_(torch.rand_like(norm.gamma) + 0.5)
            norm.beta.copy_(torch.randn_like(norm.beta) / 2)
    path = tmp_path_factory.mktemp("weights") / "six.safetensors"
    write_weights(path, net.state_dict(), net.about)
    return str(path)


def lab_with(weights: str, **arguments: Any) -> CinLab:
    return CinLab(**{"content": "chelsea", "size": 64, "weights": weights, **arguments})


def directly(weights: str, photo: Tensor, shares: dict[str, Any]) -> Tensor:
    net = cin.load(weights)
    with torch.no_grad():
        return net(photo, net.mix(shares))


def test_every_control_works_at_its_ends(weights: str) -> None:
    lab = lab_with(weights, where="centre")
    for name, control in lab.controls.items():
        default = lab.settings[name]
        for value in [*ends(control), default]:
            if isinstance(control, PictureChooser):
                control.choose(value)
            else:
                control.value = value
            assert lab.wait(SOON)
            assert lab.error == "", f"{name} = {value}"
            assert lab.settings[name] == value == lab._made[name]
            assert bool(torch.isfinite(lab.image).all()) and max(lab.image.shape) == lab.settings["size"]


@pytest.mark.parametrize("place", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.5), (0.3, 0.9)])
def test_the_ring_says_how_much_of_each_corner(weights: str, place: tuple[float, float]) -> None:
    across, down = place
    four = ("oil", "ink", "glass", "wool")
    lab = lab_with(weights, **dict(zip(CORNERS, four, strict=True)), across=across, down=down)
    shares = ((1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down)
    photo = resize(samples.content("chelsea"), 64, "long")
    torch.testing.assert_close(lab.image, directly(weights, photo, dict(zip(four, shares, strict=True))))
    assert "poster" in lab.stage._dom_classes and lab.stage.value[:2] == b"\xff\xd8"
    for name, share in zip(four, shares, strict=True):
        assert (f"{share:.0%} {name}" in lab.stage.tooltip) == (share > 0)


def test_a_style_in_several_corners_gets_their_shares_together(weights: str) -> None:
    lab = lab_with(weights, upper_left="ink", upper_right="oil", lower_left="ink", lower_right="oil", across=0.25)
    photo = resize(samples.content("chelsea"), 64, "long")
    torch.testing.assert_close(lab.image, directly(weights, photo, {"ink": 0.75, "oil": 0.25}))
    alone = lab_with(weights, **dict.fromkeys(CORNERS, "glass"))
    torch.testing.assert_close(alone.image, directly(weights, photo, {"glass": 1}))


def test_a_mask_gives_each_part_its_own(weights: str) -> None:
    corners = dict(zip(CORNERS, ("oil", "ink", "glass", "wool"), strict=True))
    lab = lab_with(weights, **corners, across=0, down=0, where="left half", outside="tiles")
    photo = resize(samples.content("chelsea"), 64, "long")
    here = mask(lab.where.image, photo.shape[2:])
    expected = directly(weights, photo, {"oil": here, "tiles": 1 - here})
    torch.testing.assert_close(lab.image, expected)
    assert lab.stage.tooltip.endswith("inside the mask left half, tiles in the other part")
    lab.controls["counts"].value = "outside"
    assert lab.wait(SOON)
    torch.testing.assert_close(lab.image, directly(weights, photo, {"oil": 1 - here, "tiles": here}))
    lab.controls["outside"].value = "oil"  # the same on both sides
    assert lab.wait(SOON)
    torch.testing.assert_close(lab.image, directly(weights, photo, {"oil": 1}), atol=1e-5, rtol=0)
    lab.where.choose("everywhere")
    lab.controls["outside"].value = "tiles"
    assert lab.wait(SOON)
    torch.testing.assert_close(lab.image, directly(weights, photo, {"tiles": 1}), atol=1e-5, rtol=0)


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "png")
    return buffer.getvalue()


def test_a_photo_and_a_mask_of_ones_own(weights: str) -> None:
    lab = lab_with(weights, upper_left="oil", across=0, down=0, outside="ink")
    upload(lab.content, png(Image.new("RGB", (90, 60), (200, 40, 90))))
    drawn = Image.new("RGB", (90, 60))
    drawn.paste((255, 255, 255), (0, 0, 45, 60))
    upload(lab.where, png(drawn))
    assert lab.wait(SOON) and lab.error == ""
    assert lab.settings["content"] == lab.settings["where"] == "upload: mine.png"
    assert lab.image.shape == (1, 3, 43, 64)
    assert (lab.image[..., :20] - lab.image[..., 44:]).abs().mean() > 0.01
    lab.where.choose(b"no picture at all")
    assert "picture" in lab.where.error and lab.settings["where"] == "upload: mine.png"


def test_of_many_moves_the_last_one_counts(weights: str) -> None:
    lab = lab_with(weights)
    for step in range(30):
        lab.pad.across.value = step / 29
        lab.pad.down.value = 1 - step / 58
    assert lab.wait(SOON)
    shown = lab.image.clone()
    assert lab._made["across"] == 1 and lab._made["down"] == pytest.approx(0.5)
    assert lab.refresh() > 0
    assert torch.equal(lab.image, shown)


def test_the_corners_show_the_photo_in_their_styles(weights: str) -> None:
    seen: list[tuple[list[str], list[Tensor]]] = []
    lab = lab_with(weights)
    lab.pad.corners = lambda names, images: seen.append((list(names), list(images)))
    lab.controls["upper_right"].value = "tiles"
    lab.content.choose("rocket")
    names, images = seen[-1]
    assert names == [lab.settings[key] for key in CORNERS] and names[1] == "tiles"
    photo = resize(samples.content("rocket"), images[0].shape[-1], "box")
    for name, image in zip(names, images, strict=True):
        torch.testing.assert_close(image, directly(weights, photo, {name: 1}), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [64, 1024])
def test_sizes(weights: str, size: int) -> None:
    lab = lab_with(weights, content="coffee", size=size, where="stripes")
    assert lab.error == "" and max(lab.image.shape) == size


def test_settings_make_the_same_lab_and_are_kept_in_the_file(weights: str, tmp_path: Path) -> None:
    lab = lab_with(weights, upper_left="tiles", across=0.2, where="centre", counts="outside", softness=0.4)
    again = lab_with(weights, **lab.settings)
    assert again.settings == lab.settings
    assert torch.equal(again.image, lab.image)
    path = lab.save(str(tmp_path / "mixed.png"))
    assert path is not None
    assert read_settings(path) == {**lab.settings, "lab": "CinLab"}
    assert torch.allclose(read_image(path), lab.image, atol=1 / 255)
    first = lab.settings
    lab.set(across=0.9, lower_left="ink", where="stripes")
    assert lab.wait(SOON) and lab.settings != first
    press(lab, "reset")
    assert lab.wait(SOON)
    assert lab.settings == first and torch.equal(lab.image, again.image)


def test_corners_without_a_name_get_styles_that_differ(weights: str) -> None:
    lab = lab_with(weights, lower_left="ink")
    chosen = [lab.settings[key] for key in (*CORNERS, "outside")]
    assert chosen[2] == "ink" and len(set(chosen)) == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"upper_left": "water"}, "'water' is not there; choose from oil, ink"),
        ({"outside": "water"}, "'water' is not there"),
        ({"across": 1.5}, "across"),
        ({"down": -0.1}, "down"),
        ({"softness": 2}, "soft edge"),
        ({"counts": "beside"}, "choose from inside, outside"),
        ({"size": 2048}, "from 64 to 1024"),
        ({"content": "nosuch"}, "nosuch"),
        ({"where": "nosuch"}, "nosuch"),
    ],
)
def test_wrong_arguments_are_refused_by_name(weights: str, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        lab_with(weights, **arguments)


@pytest.mark.parametrize("name", MASKS)
def test_a_soft_edge_is_a_mean_of_what_is_around(name: str) -> None:
    image = MaskChooser(name).image
    assert torch.equal(soft_mask(image, (48, 64), 0), mask(image, (48, 64)))
    sharp, soft = soft_mask(image, (48, 64), 0.0), soft_mask(image, (48, 64), 1.0)
    assert soft.shape == (48, 64) and soft.min() >= 0 and soft.max() <= 1
    assert soft.std() <= sharp.std() + 1e-6
    assert abs(soft.mean() - sharp.mean()) < 0.1
    if name == "left half":
        assert (soft.diff(dim=1) <= 1e-6).all() and (soft[:, 32] - 0.5).abs().max() < 0.05
        assert soft[0, 20] < 0.95 and sharp[0, 20] > 0.99


def test_the_courses_network_is_what_the_lab_opens_with() -> None:
    lab = CinLab("chelsea", size=128)
    assert lab.error == ""
    assert lab.network.styles == cin.load().styles
    assert len({lab.settings[key] for key in CORNERS}) == 4
