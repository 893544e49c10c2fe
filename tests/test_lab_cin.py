"""The lab of lesson 04: its pictures held against the network asked directly."""

from typing import Any

import pytest
import torch
from hands import close, content, move
from torch import Tensor

from stylelearn import cin, samples
from stylelearn.cin import StyleNet
from stylelearn.images import resize
from stylelearn.lab import CinLab
from stylelearn.lab.cin import SETTINGS, soft_mask
from stylelearn.lab.mixing import MaskChooser, mask
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


def directly(weights: str, shares: dict[str, Any], photo: Tensor | None = None) -> Tensor:
    net = cin.load(weights)
    with torch.no_grad():
        return net(content() if photo is None else photo, net.mix(shares))


@pytest.mark.parametrize(("across", "down"), [(1.0, 0.0), (0.3, 0.9)])
def test_the_ring_says_how_much_of_each_corner(weights: str, across: float, down: float) -> None:
    four = ("oil", "ink", "glass", "wool")
    lab = lab_with(weights, **dict(zip(SETTINGS, four, strict=True)), across=across, down=down)
    shares = ((1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down)
    torch.testing.assert_close(lab.image, directly(weights, dict(zip(four, shares, strict=True))))
    for name, share in zip(four, shares, strict=True):
        assert (f"{share:.0%} {name}" in lab.stage.tooltip) == (share > 0)


def test_a_style_in_several_corners_gets_their_shares_together(weights: str) -> None:
    lab = lab_with(weights, upper_left="ink", upper_right="oil", lower_left="ink", lower_right="oil", across=0.25)
    torch.testing.assert_close(lab.image, directly(weights, {"ink": 0.75, "oil": 0.25}))


def test_a_mask_gives_each_part_its_own(weights: str) -> None:
    corners = dict(zip(SETTINGS, ("oil", "ink", "glass", "wool"), strict=True))
    lab = lab_with(weights, **corners, across=0, down=0, where="left half", outside="tiles")
    here = mask(lab.where.image, content().shape[2:])
    close(lab.image, directly(weights, {"oil": here, "tiles": 1 - here}))
    assert lab.stage.tooltip.endswith("inside the mask left half, tiles in the other part")
    close(move(lab, counts="outside"), directly(weights, {"oil": 1 - here, "tiles": here}))
    close(move(lab, outside="oil"), directly(weights, {"oil": 1}))  # the same on both sides
    close(move(lab, where="everywhere", outside="tiles"), directly(weights, {"tiles": 1}))


def test_the_corners_show_the_photo_in_their_styles(weights: str) -> None:
    seen: list[tuple[list[str], list[Tensor]]] = []
    lab = lab_with(weights)
    lab.pad.corners = lambda names, images: seen.append((list(names), list(images)))
    lab.controls["upper_right"].value = "tiles"
    lab.content.choose("rocket")
    names, images = seen[-1]
    assert names == [lab.settings[key] for key in SETTINGS] and names[1] == "tiles"
    photo = resize(samples.content("rocket"), images[0].shape[-1], "box")
    for name, image in zip(names, images, strict=True):
        close(image, directly(weights, {name: 1}, photo))


def test_corners_without_a_name_get_styles_that_differ(weights: str) -> None:
    lab = lab_with(weights, lower_left="ink")
    chosen = [lab.settings[key] for key in (*SETTINGS, "outside")]
    assert chosen[2] == "ink" and len(set(chosen)) == 5


def test_a_soft_edge_is_a_mean_of_what_is_around() -> None:
    image = MaskChooser("left half").image
    sharp, soft = soft_mask(image, (48, 64), 0.0), soft_mask(image, (48, 64), 1.0)
    assert torch.equal(sharp, mask(image, (48, 64)))
    assert soft.shape == (48, 64) and soft.min() >= 0 and soft.max() <= 1
    assert (soft.diff(dim=1) <= 1e-6).all() and (soft[:, 32] - 0.5).abs().max() < 0.05
    assert soft[0, 20] < 0.95 and sharp[0, 20] > 0.99
