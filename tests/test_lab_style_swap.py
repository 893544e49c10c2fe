"""The lab of lesson 06: pictures held against the method, and where places come from."""

from pathlib import Path

import pytest
import torch
from hands import SOON, close, move
from PIL import Image
from torch import Tensor

from stylelearn import patches, samples, style_swap
from stylelearn.encoders import Encoder
from stylelearn.lab import StyleSwapLab
from stylelearn.lab import style_swap as module
from stylelearn.lab.style_swap import Swap, count
from stylelearn.optimize import optimize_image, result
from stylelearn.style_swap import StyleSwap

pytestmark = pytest.mark.usefixtures("labs")

SMALL = {"content": "chelsea", "style": "mosaic", "size": 64}


@pytest.fixture(autouse=True)
def _small_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """An inverse network that knows nothing will do here; which one is asked for is what counts."""
    network = StyleSwap(Encoder("mini")).eval().requires_grad_(False)
    monkeypatch.setattr(module, "network", lambda: network)


@pytest.fixture
def lab() -> StyleSwapLab:
    return StyleSwapLab(**SMALL)


def pictures(content: str = "chelsea", style: str = "mosaic", size: int = 64) -> tuple[Tensor, Tensor]:
    return module._fitted(samples.content(content), size), module._fitted(samples.style(style), size)


def test_what_would_take_minutes_is_refused_with_a_remedy(lab: StyleSwapLab) -> None:
    lab.controls["how"].value = "optimise"
    lab.stop()
    assert lab.wait(SOON)
    before = lab.image
    with pytest.raises(ValueError, match="choose a smaller size"):
        module._refuse({**lab.settings, "layer": "relu1_1", "patch": 12}, *pictures(size=512))
    lab.controls["layer"].value, lab.controls["patch"].value = "relu4_1", 12
    assert lab.wait(SOON)
    assert "does not fit" in lab.error
    assert lab.image.shape == before.shape


def test_the_network_is_given_what_the_method_says(lab: StyleSwapLab) -> None:
    net = module.network()
    content, style = pictures()
    close(lab.image, net(content, style))
    close(move(lab, strength=0.3), net(content, style, strength=0.3))
    close(move(lab, patch=5, stride=2), net(content, style, strength=0.3, patch=5, stride=2))
    content, style = pictures("rocket", "batik", 96)
    close(move(lab, size=96, content="rocket", style="batik", strength=1.0), net(content, style, patch=5, stride=2))


def test_the_search_minimises_the_objective_of_the_method() -> None:
    how = {"layer": "relu2_1", "patch": 2, "stride": 2, "strength": 0.7, "tv_weight": 0.3}
    lab = StyleSwapLab(**SMALL, how="optimise", first_steps=4, **how)
    content, style = pictures()
    objective = style_swap.objective(content, style, encoder=module.network().encoder, **how)
    assert torch.equal(lab.image, result(optimize_image(content, objective, 4)))
    noisy = StyleSwapLab(**SMALL, how="optimise", start="noise", first_steps=0, **how)
    assert not torch.allclose(noisy.image, content, atol=0.1)


def test_moving_the_strength_matches_nothing_again(lab: StyleSwapLab, monkeypatch: pytest.MonkeyPatch) -> None:
    matched: list[int] = []
    matches = patches.matches
    monkeypatch.setattr(patches, "matches", lambda *a, **k: matched.append(1) or matches(*a, **k))
    move(lab, strength=0.2)
    move(lab, across=0.1, view="patchwork")
    assert matched == []
    move(lab, patch=2)
    assert len(matched) == 1


def test_the_patchwork_is_made_of_pixels_of_the_style(lab: StyleSwapLab) -> None:
    """With patches that do not overlap every square of the patchwork is a square of the style, pixel by pixel."""
    move(lab, patch=2, stride=2, view="patchwork")
    found, (_, style) = lab.found.patchwork(), pictures()
    assert found.shape == pictures()[0].shape
    squares = style.unfold(2, 8, 4).unfold(3, 8, 4)[0].permute(1, 2, 0, 3, 4).flatten(2).flatten(0, 1)  # a row each
    for y, x in ((0, 0), (8, 16), (24, 40)):
        mine = found[0, :, y : y + 8, x : x + 8].flatten()
        assert bool((squares == mine).all(dim=1).any())
    assert torch.equal(lab.image, lab._image)  # what Save writes is still the pastiche


@pytest.mark.parametrize(("patch", "stride"), [(3, 1), (4, 3)])
def test_boxes_are_the_patches_over_the_place_and_their_sources(patch: int, stride: int) -> None:
    """Against a plain search over all patches that cover the cell."""
    content, style = pictures()
    found = Swap(content, style, "relu3_1", patch, stride)
    height, width = found.features.shape[2:]
    assert count(content, "relu3_1", patch, stride) == found.index[0].numel()
    for across, down in ((0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (0.3, 0.8)):
        cell = min(int(down * height), height - 1), min(int(across * width), width - 1)
        expected = {}
        for row in range(found.index.shape[1]):
            for column in range(found.index.shape[2]):
                y, x = row * stride, column * stride
                if y <= cell[0] < y + patch and x <= cell[1] < x + patch:
                    number = int(found.index[0, row, column])
                    columns = -(-(found.others.shape[3] - patch) // stride) + 1
                    theirs = number // columns * stride, number % columns * stride
                    expected[4 * x, 4 * y] = 4 * theirs[1], 4 * theirs[0]
        mine, theirs, alike = found.at(across, down)
        assert {box[:2]: other[:2] for box, other in zip(mine, theirs, strict=True)} == expected
        assert all(box[2:] == (4 * patch, 4 * patch) for box in mine + theirs)
        middle = 4 * cell[1] + 2, 4 * cell[0] + 2
        off = [abs(x + 2 * patch - middle[0]) + abs(y + 2 * patch - middle[1]) for x, y, *_ in mine]
        assert off[0] == min(off)
        assert 0 < alike <= 1 + 1e-6


def test_a_picture_swapped_with_itself_points_at_itself() -> None:
    picture = pictures()[0]
    found = Swap(picture, picture, "relu3_1", 3, 1)
    mine, theirs, alike = found.at(0.6, 0.4)
    assert mine == theirs
    assert alike == pytest.approx(1)
    torch.testing.assert_close(found.assembled(found.others), found.features)
    torch.testing.assert_close(found.patchwork(), picture)


def test_a_click_marks_the_place_and_paints_nothing(lab: StyleSwapLab) -> None:
    before, picture = lab._source.value, lab.image
    lab.stage._handle_custom_msg({"do": "point", "place": [0.25, 0.75]}, [])
    assert (lab.settings["across"], lab.settings["down"]) == (0.25, 0.75)
    assert lab._source.value != before
    assert "patches overlap at this place" in lab._source.value
    assert not lab.running and lab.image is picture
    height, width = lab.image.shape[2:]
    assert lab.stage.over.startswith(f'<svg viewBox="0 0 {width} {height}"')
    left, top, *_ = lab.found.at(0.25, 0.75)[0][0]
    below, above = lab.stage.over.split(f'<rect x="{left:g}" y="{top:g}"', 1)  # the nearest one lies on top
    assert "stroke-dasharray" in below and "stroke-dasharray" not in above


def test_another_layer_than_the_networks_is_explained_and_the_picture_stays(lab: StyleSwapLab) -> None:
    before = lab.image
    lab.controls["layer"].value = "relu2_1"
    assert lab.wait(SOON)
    assert "trained for relu3_1; for relu2_1 choose how: optimise" in lab.error
    assert torch.equal(lab.image, before)
    move(lab, how="optimise", steps=10)
    assert lab.stage.tooltip.endswith("cells of relu2_1, strength 1.00, optimised, after 10 steps")
    move(lab, how="invert", layer="relu3_1")
    assert lab.stage.tooltip.endswith("cells of relu3_1, strength 1.00, by the inverse network")
    assert torch.equal(lab.image, before)


def test_a_picture_of_any_form_is_fitted_to_whole_cells(lab: StyleSwapLab, tmp_path: Path) -> None:
    Image.linear_gradient("L").convert("RGB").resize((173, 51)).save(tmp_path / "own.png")
    lab.style.choose(str(tmp_path / "own.png"))
    assert lab.wait(SOON) and lab.error == ""
    assert lab.found.style.shape == (1, 3, 16, 64)
    lab.content.choose(str(tmp_path / "own.png"))
    assert lab.wait(SOON) and lab.error == ""
    assert lab.image.shape == (1, 3, 16, 64)
