"""Gatys' objective against losses put together by hand, and its pastiches before a judge that took no part."""

import itertools
import math

import pytest
import torch
from pictures import picture
from torch import Tensor

from stylelearn import gatys, losses
from stylelearn.encoders import CONTENT_LAYER, STYLE_LAYERS, Encoder
from stylelearn.optimize import result

RANDOM = Encoder("random")


def scene(size: int = 96) -> Tensor:
    """A disc before a sky: something with large shapes and smooth areas."""
    y, x = torch.meshgrid(*2 * [torch.linspace(-1, 1, size)], indexing="ij")
    sky = torch.stack([0.5 + 0.2 * y, 0.6 + 0.1 * y, 0.9 - 0.3 * y])
    disc = (x.square() + y.square() < 0.3).float()
    return (sky * (1 - disc) + torch.tensor([0.9, 0.7, 0.2]).view(3, 1, 1) * disc)[None]


def stripes(height: int = 80, width: int = 112) -> Tensor:
    """Red and black diagonal stripes with a green ripple, of another size than the scene."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    wave = 0.5 + 0.5 * torch.sin((x + y) * 0.9)
    return torch.stack([wave, 0.3 + 0.3 * torch.sin(y * 0.5), 0.2 * wave])[None]


CONTENT, STYLE, PASTICHE = picture(64, 48), picture(40, 72, seed=1), picture(64, 48, seed=2)


def values(terms: dict[str, Tensor]) -> dict[str, float]:
    return {name: term.item() for name, term in terms.items()}


def test_terms_are_the_weighted_losses():
    layer_weights = {"relu1_1": 0.5, "conv3_2": 2.0}
    objective = gatys.objective(
        CONTENT, STYLE, encoder=RANDOM, content_weight=3.0, style_weight=7.0, layer_weights=layer_weights,
        content_layer="relu2_2", tv_weight=0.1,
    )  # fmt: skip
    layers = ["relu2_2", "relu1_1", "conv3_2"]
    f, p, s = (RANDOM(image, layers) for image in (PASTICHE, CONTENT, STYLE))
    expected = {"content relu2_2": 3 * losses.content_loss(f["relu2_2"], p["relu2_2"])}
    for layer, weight in layer_weights.items():
        expected[f"style {layer}"] = 7 * weight * losses.style_loss(f[layer], losses.mean_gram(s[layer]))
    expected["tv"] = 0.1 * losses.tv_loss(PASTICHE)
    found = objective(PASTICHE)
    assert list(found) == list(expected)
    assert values(found) == pytest.approx(values(expected), rel=1e-5)


def test_the_papers_normalisation_is_the_papers_formula():
    """½ Σ (F − P)² and w Σ (G − A)² / (4 N² M²), with undivided G and A of pictures of one size."""
    style = picture(64, 48, seed=1)
    objective = gatys.objective(
        CONTENT, style, encoder=RANDOM, content_weight=2.0, style_weight=5.0, layer_weights=["relu2_1", "relu3_1"],
        normalisation="paper",
    )  # fmt: skip
    found = values(objective(PASTICHE))
    layers = [CONTENT_LAYER, "relu2_1", "relu3_1"]
    f, p, s = (RANDOM(image, layers) for image in (PASTICHE, CONTENT, style))
    half = ((f[CONTENT_LAYER] - p[CONTENT_LAYER]).double() ** 2).sum() / 2
    assert found[f"content {CONTENT_LAYER}"] == pytest.approx(2 * half.item(), rel=1e-5)
    for layer in ("relu2_1", "relu3_1"):
        flat, other = f[layer][0].double().flatten(1), s[layer][0].double().flatten(1)  # N × M
        n, m = flat.shape
        error = ((flat @ flat.T - other @ other.T) ** 2).sum() / (4 * n**2 * m**2)
        assert found[f"style {layer}"] == pytest.approx(5 * 0.5 * error.item(), rel=1e-4)


@pytest.mark.parametrize(
    ("weights", "names"),
    [
        ({"content_weight": 0}, {"style relu1_1", "style relu2_1"}),
        ({"layer_weights": {"relu1_1": 0, "relu2_1": 1}}, {"content relu4_2", "style relu2_1"}),
        ({"layer_weights": "relu2_1"}, {"content relu4_2", "style relu2_1"}),
        ({"layer_weights": ["relu2_1", "relu2_1"]}, {"content relu4_2", "style relu2_1"}),
        ({"content_weight": 0, "style_weight": 0, "tv_weight": 1}, {"tv"}),
    ],
)
def test_terms_of_weight_0_are_left_out(weights, names):
    options = {"layer_weights": ["relu1_1", "relu2_1"]} | weights
    assert set(gatys.objective(CONTENT, STYLE, encoder=RANDOM, **options)(PASTICHE)) == names


@pytest.mark.parametrize("grey", [0.0, 0.5, 1.0])
def test_flat_pictures_have_finite_losses_and_gradients(grey):
    flat, encoder = torch.full((1, 3, 48, 48), grey), Encoder("mini")
    for content, style, image in ((flat, STYLE, scene(48)), (scene(48), flat, scene(48)), (scene(48), STYLE, flat)):
        image = image.clone().requires_grad_()
        total = sum(gatys.objective(content, style, encoder=encoder, tv_weight=1)(image).values())
        total.backward()
        assert total.isfinite() and image.grad.isfinite().all()


def test_starts():
    start = gatys.start_image("content", CONTENT, STYLE)
    assert torch.equal(start, CONTENT) and start.data_ptr() != CONTENT.data_ptr()
    start = gatys.start_image("style", CONTENT, STYLE)
    assert start.shape == CONTENT.shape
    assert start.mean(dim=(2, 3)) == pytest.approx(STYLE.mean(dim=(2, 3)), abs=0.02)
    one, same, other = (gatys.start_image("noise", CONTENT, STYLE, seed=seed) for seed in (5, 5, 6))
    torch.manual_seed(99)
    assert torch.equal(one, same) and torch.equal(one, gatys.start_image("noise", CONTENT * 0, STYLE, seed=5))
    assert (one - other).abs().mean() > 0.05
    assert one.mean() == pytest.approx(0.5, abs=0.01)


def style_distance(image: Tensor, style: Tensor, judge: Encoder) -> float:
    """Geometric mean over layers of the relative distance of Gram matrices."""
    layers = STYLE_LAYERS[:4]
    ours, theirs = judge(image, layers), judge(style, layers)
    logs = []
    for layer in layers:
        a, b = (f[layer][0].flatten(1) @ f[layer][0].flatten(1).T / f[layer][0][0].numel() for f in (ours, theirs))
        logs.append(math.log((a - b).norm() / b.norm()))
    return math.exp(sum(logs) / len(logs))


def test_a_pastiche_has_the_style_before_a_judge_that_took_no_part():
    content, style, judge = scene(), stripes(), Encoder("random", seed=5)
    pastiche = result(gatys.stylize(content, style, encoder=Encoder("mini"), steps=60, start="noise"))
    assert pastiche.shape == content.shape and 0 <= pastiche.min() and pastiche.max() <= 1
    assert style_distance(pastiche, style, judge) < 0.5 * style_distance(content, style, judge)


@pytest.mark.parametrize(
    ("levels", "steps", "sizes"),
    [
        (1, 6, {(128, 160): 6}),
        (2, 5, {(64, 80): 3, (128, 160): 2}),
        (3, 6, {(64, 80): 3, (128, 160): 3}),  # 32 px would be below SMALLEST
    ],
)
def test_levels_share_the_steps(levels, steps, sizes):
    found = list(gatys.stylize(picture(128, 160), stripes(), encoder=RANDOM, steps=steps, levels=levels, start="noise"))
    assert [step.number for step in found] == list(range(1, steps + 1))
    shapes = [tuple(step.image.shape[2:]) for step in found]
    assert {size: len(list(group)) for size, group in itertools.groupby(shapes)} == sizes
    assert found[0].image.std() == pytest.approx(0.15, abs=0.02)  # the noise is made at the size where it is used


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"content_weight": -1.0}, "content_weight must be a number from 0 up; got -1"),
        ({"tv_weight": float("inf")}, "tv_weight.*inf"),
        ({"layer_weights": {"relu1_1": -0.5}}, "relu1_1.*-0.5"),
        ({"layer_weights": ["relu6_1"]}, "relu6_1"),
        ({"normalisation": "none"}, "unknown normalisation 'none'; there are course, paper"),
        ({"content_weight": 0, "style_weight": 0, "tv_weight": 0}, "all weights are 0"),
        ({"start": "blank"}, "unknown start 'blank'; there are content, style, noise"),
        ({"levels": 0}, "levels must be at least 1; got 0"),
        ({"content": picture(128, 160), "steps": 1}, "2 levels take at least 2 steps, not 1; or take fewer levels"),
        ({"optimizer": "newton"}, "unknown optimizer"),
        ({"steps": 0}, "steps must be at least 1"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_painted(options, message):
    with pytest.raises(ValueError, match=message):
        gatys.stylize(**{"content": CONTENT, "style": STYLE, "encoder": RANDOM} | options)


def test_the_gradient_reaches_the_pixels_and_nothing_else():
    content, style = CONTENT.clone().requires_grad_(), STYLE.clone().requires_grad_()
    image = PASTICHE.clone().requires_grad_()
    sum(gatys.objective(content, style, encoder=RANDOM, tv_weight=1)(image).values()).backward()
    assert image.grad.isfinite().all() and image.grad.any()
    assert content.grad is None and style.grad is None


def test_more_style_weight_is_nearer_to_the_style_and_farther_from_the_content():
    content, style = scene(64), stripes()
    found = []
    for weight in (0.1, 100.0):
        *_, last = gatys.stylize(content, style, encoder=RANDOM, steps=25, style_weight=weight)
        terms = values(gatys.objective(content, style, encoder=RANDOM, style_weight=1.0)(last.best_image))
        near = terms.pop(f"content {CONTENT_LAYER}")
        found.append((near, sum(terms.values())))
    (content_low, style_low), (content_high, style_high) = found
    assert content_high > 1.5 * content_low and style_high < style_low / 1.5
