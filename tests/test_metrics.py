"""Distances and measures: closed forms, brute force, SciPy, and what each of them must not see."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st
from pictures import Plain
from safetensors.torch import load_file
from torch import Tensor

from stylelearn import samples
from stylelearn.evaluation import metrics
from stylelearn.evaluation.metrics import MEASURES
from stylelearn.images import square


@pytest.fixture(scope="module")
def pair() -> tuple[Tensor, Tensor]:
    return square(samples.content("chelsea"), 64), square(samples.style("mosaic"), 64)


def flat(*colours: tuple[float, float, float]) -> Tensor:
    """A picture with one column for each colour, (1, 3, 8, n)."""
    return torch.tensor(colours).T[None, :, None].repeat(1, 1, 8, 1)


def test_gram_distance_by_hand(mini, pair):
    """‖G − A‖²/‖A‖² with einsum in float64, geometric mean over four layers."""
    logs = []
    for layer in ("relu1_1", "relu2_1", "relu3_1", "relu4_1"):
        f, s = (mini(image, [layer])[layer].double()[0] for image in pair)
        g, a = (torch.einsum("ihw,jhw->ij", x, x) / x[0].numel() for x in (f, s))
        logs.append(math.log(float((g - a).square().sum() / a.square().sum())))
    assert metrics.gram_distance(*pair, mini) == pytest.approx(math.exp(sum(logs) / 4), rel=1e-3)


def test_content_distance_by_hand(mini, pair):
    f, p = (mini(image, ["relu3_1"])["relu3_1"].double() for image in pair)
    expected = float((f - p).square().sum() / p.square().sum())
    assert metrics.content_distance(*pair, mini) == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ValueError, match="one size"):
        metrics.content_distance(pair[0][..., :32], pair[1], mini)


@given(st.floats(0.1, 0.9), st.floats(0.1, 0.9))
def test_moments_of_flat_pictures(mine, theirs):
    """No deviation (but for ε, 1e-4): |c − s| √3 over (s + 1e-4) √3."""
    made, style = torch.full((1, 3, 8, 8), mine), torch.full((1, 3, 8, 8), theirs)
    expected = abs(mine - theirs) / (theirs + 1e-4)
    assert metrics.moments_distance(made, style, Plain()) == pytest.approx(expected, abs=1e-5)


def test_moments_of_more_contrast():
    """Twice the deviation with the same mean: ‖σ‖ over ‖μ‖ + ‖σ‖."""
    noise = torch.randn(1, 3, 32, 32, dtype=torch.float64)
    noise = (noise - noise.mean(dim=(2, 3), keepdim=True)) / noise.std(dim=(2, 3), correction=0, keepdim=True)
    made, style = 5 + 2 * noise, 5 + noise
    assert metrics.moments_distance(made, style, Plain()) == pytest.approx(1 / 6, rel=1e-6)


@pytest.mark.parametrize("size", [8, 80])  # 80: not all places are looked at
def test_sliced_wasserstein_of_one_channel_is_scipys(size):
    made, style = torch.rand(1, 3, size, size, dtype=torch.float64), torch.randn(1, 3, size, size, dtype=torch.float64)
    mine, theirs = (image[0, 0].flatten().numpy() for image in (made, style))
    expected = scipy.stats.wasserstein_distance(mine, theirs) / theirs.std()
    found = metrics.sliced_wasserstein(made, style, Plain(1))
    assert found == pytest.approx(expected, rel=1e-5 if size == 8 else 0.05)


def test_a_style_of_one_colour_has_no_spread_but_a_size():
    flat, made = torch.full((1, 3, 32, 32), 0.4), torch.rand(1, 3, 32, 32)
    assert metrics.sliced_wasserstein(made, flat, Plain()) < 1e4


class Silent(Plain):
    """`Plain`, but silent in the layers named."""

    def __init__(self, *silent: str) -> None:
        super().__init__()
        self.silent = silent

    def __call__(self, image: Tensor, layers: object) -> dict[str, Tensor]:
        return {layer: found * (layer not in self.silent) for layer, found in super().__call__(image, layers).items()}


@pytest.mark.parametrize("distance", [metrics.gram_distance, metrics.moments_distance, metrics.sliced_wasserstein])
def test_layers_in_which_the_style_is_silent_are_left_out_of_the_mean(distance):
    made, style = torch.rand(1, 3, 32, 32), torch.full((1, 3, 32, 32), 0.4)
    some, every = Silent("relu2_1", "relu4_1"), Plain()
    assert distance(made, style, some) == pytest.approx(distance(made, style, every), rel=1e-6)
    with pytest.raises(ValueError, match="style has no activations in relu1_1, relu2_1, relu3_1, relu4_1 of plain"):
        distance(made, style, Silent(*metrics.VGG))


def test_a_photograph_without_activations_is_no_measure_of_the_content():
    with pytest.raises(ValueError, match="content has no activations in relu3_1 of plain"):
        metrics.content_distance(torch.rand(1, 3, 8, 8), torch.zeros(1, 3, 8, 8), Plain())


@pytest.mark.parametrize("name", ["gram_distance", "moments_distance", "sliced_wasserstein"])
def test_style_distances_are_none_for_the_style_and_do_not_see_where_things_are(name, mini, pair):
    distance, (content, style) = getattr(metrics, name), pair
    assert distance(style, style, mini) < 1e-6
    assert distance(content, style, mini) > 0.05
    assert distance(style, content, mini) > 0.05
    shuffled = style.flatten(2)[..., torch.randperm(64 * 64)].reshape(style.shape)
    assert distance(shuffled, style, Plain()) < 1e-4
    assert distance(style[..., :40], style, mini) < distance(content, style, mini)  # of another size


def test_sliced_wasserstein_sees_what_moments_do_not():
    """Two values and a normal distribution, of the same mean and deviation."""
    normal = torch.randn(1, 1, 64, 64, dtype=torch.float64).repeat(1, 3, 1, 1)
    normal = (normal - normal.mean()) / normal.std(correction=0)
    two = (torch.arange(64 * 64, dtype=torch.float64) % 2 * 2 - 1).reshape(1, 1, 64, 64).repeat(1, 3, 1, 1)
    assert metrics.moments_distance(two + 9, normal + 9, Plain()) < 1e-6
    assert metrics.sliced_wasserstein(two + 9, normal + 9, Plain()) > 0.1


def test_pattern_diversity_by_brute_force(mini, pair):
    image = pair[1][..., :24, :24]
    places = mini(image, ["relu3_1"])["relu3_1"][0].flatten(1).T.double().numpy()
    apart = [1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) for a, b in itertools.combinations(places, 2)]
    assert metrics.pattern_diversity(image, mini) == pytest.approx(np.mean(apart), abs=1e-6)
    assert metrics.pattern_diversity(torch.full((1, 3, 32, 32), 0.5), mini) == pytest.approx(0, abs=1e-6)
    assert metrics.pattern_diversity(torch.rand(1, 3, 1, 1), Plain()) == 0


def test_structure_of_one_window_is_the_formula():
    """A picture of 7 × 7 pixels is one window: (2 μμ' + c₁)(2 σσ' + c₂) / ((μ² + μ'² + c₁)(σ² + σ'² + c₂))."""
    made, kept = (torch.rand(1, 3, 7, 7, dtype=torch.float64) for _ in range(2))
    weights = np.array([0.299, 0.587, 0.114])
    x, y = (np.hypot(*np.gradient(np.einsum("c,chw->hw", weights, image[0].numpy()))).ravel() for image in (made, kept))
    c1, c2 = (0.01 * max(x.max(), y.max())) ** 2, (0.03 * max(x.max(), y.max())) ** 2
    (vx, vxy), (_, vy) = np.cov(x, y)
    expected = (2 * x.mean() * y.mean() + c1) * (2 * vxy + c2)
    expected /= (x.mean() ** 2 + y.mean() ** 2 + c1) * (vx + vy + c2)
    assert metrics.structure(made, kept) == pytest.approx(expected, rel=1e-3)


def test_structure_sees_edges_and_no_colours(pair):
    content, style = pair
    assert metrics.structure(content, content) == pytest.approx(1)
    assert metrics.structure(0.5 * content + 0.5 * content.mean(), content) > 0.5 > metrics.structure(style, content)
    grey = (content * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(dim=1, keepdim=True).repeat(1, 3, 1, 1)
    assert metrics.structure(grey, content) > 0.999
    everywhere = torch.full_like(content, 0.5)
    assert metrics.structure(everywhere, everywhere) == pytest.approx(1)
    with pytest.raises(ValueError, match="one size"):
        metrics.structure(style[..., :32], content)
    with pytest.raises(ValueError, match="7 × 7"):
        metrics.structure(content[..., :6, :6], content[..., :6, :6])


BLACK, WHITE, RED = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (1.0, 0.0, 0.0)


def test_a_palette_of_few_colours_is_exact():
    colours, shares = metrics.palette([flat(RED, BLACK, BLACK, WHITE), flat(RED)])
    assert len(colours) == 3 and shares.tolist()[0] == [0.5, 0.25, 0.25]  # in the order of lightness
    assert colours[0] == pytest.approx([0, 0, 0], abs=0.01) and colours[2] == pytest.approx([100, 0, 0], abs=0.01)
    assert colours[1] == pytest.approx([53.24, 80.09, 67.20], abs=0.05)  # sRGB's red in CIE Lab, D65
    assert shares.tolist()[1] == [0, 1, 0]


def test_a_palette_of_many_colours_has_as_many_as_asked_for(pair):
    colours, shares = metrics.palette(pair)
    assert colours.shape == (metrics.COLOURS, 3) and shares.sum(axis=1) == pytest.approx([1, 1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_palette_distance_of_greys_is_scipys_in_one_dimension(one, other):
    def lightness(grey: float) -> float:  # sRGB → CIE L*
        linear = grey / 12.92 if grey <= 0.04045 else ((grey + 0.055) / 1.055) ** 2.4
        return 903.3 * linear if linear <= 0.008856 else 116 * linear ** (1 / 3) - 16

    expected = scipy.stats.wasserstein_distance([*map(lightness, one)], [*map(lightness, other)])
    found = metrics.palette_distance(*(flat(*((x, x, x) for x in greys)) for greys in (one, other)))
    assert found == pytest.approx(expected, abs=0.05)


def test_palette_distance_sees_no_strokes(pair):
    content, style = pair
    shuffled = style.flatten(2)[..., torch.randperm(64 * 64)].reshape(style.shape)
    assert metrics.palette_distance(shuffled, style) < 1e-6
    assert metrics.palette_distance(style[..., ::2], style) < 2 < metrics.palette_distance(content, style)
    back = metrics.palette_distance(style, content)
    assert back == pytest.approx(metrics.palette_distance(content, style), rel=0.05)


def test_every_measure_is_explained_and_measured(mini, pair):
    content, style = pair
    found = metrics.measure(style, content, style, mini)
    assert list(found) == list(MEASURES)
    assert all(math.isfinite(value) for value in found.values())
    assert metrics.measure(content, content, style, mini, ["structure", "content"]) == pytest.approx(
        {"structure": 1, "content": 0}
    )
    text = metrics.explain()
    assert all(each.sees in text and each.cannot_see in text for each in MEASURES.values())
    assert len(text.splitlines()) == len(MEASURES) + 2
    with pytest.raises(ValueError, match="no measure 'beauty'; there are content, gram"):
        metrics.measure(content, content, style, mini, ["beauty"])


def test_the_judge_is_a_squeezenet_if_there_is_one(tmp_path, monkeypatch, squeezenet):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert metrics.judge().name == "mini"
    assert metrics.judge(squeezenet).name == "squeezenet"
    (tmp_path / "checkpoints").mkdir()
    torch.save(load_file(squeezenet), tmp_path / "checkpoints" / "squeezenet1_0-x.pth")
    found = metrics.judge()
    assert found.name == "squeezenet" and set(metrics.layers_of(found)) <= set(found.layers)
