"""The loss terms against closed forms, brute-force loops in float64, finite differences, and known answers."""

import math
from itertools import product

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from stylelearn import gatys, losses, samples
from stylelearn.encoders import Encoder
from stylelearn.optimize import optimize_image

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**31 - 1)
sizes = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(1, 5))  # B, C, H, W


def features(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def relative(a: Tensor, b: Tensor | float) -> float:
    b = torch.as_tensor(b, dtype=torch.float64)
    return float((a - b).abs().max() / b.abs().max().clamp_min(1e-300))


# --- brute force: the formulas as sums over single numbers -----------------------------------------------------------


def brute_gram(f: Tensor) -> Tensor:
    batch, channels, height, width = f.shape
    g = torch.zeros(batch, channels, channels, dtype=torch.float64)
    for b, i, j, y, x in product(*map(range, (batch, channels, channels, height, width))):
        g[b, i, j] += f[b, i, y, x] * f[b, j, y, x]
    return g


def brute_tv(image: Tensor, beta: float) -> float:
    batch, _, height, width = image.shape
    found = 0.0
    for b, c, i, j in product(*map(range, image.shape)):
        right = float(image[b, c, i, j + 1] - image[b, c, i, j]) if j + 1 < width else 0.0
        down = float(image[b, c, i + 1, j] - image[b, c, i, j]) if i + 1 < height else 0.0
        found += (right**2 + down**2) ** (beta / 2)
    return found / batch


@few
@given(sizes, seeds)
def test_gram_matrix_is_the_sum_over_positions(shape, seed):
    f = features(*shape, seed=seed)
    assert relative(losses.gram_matrix(f), brute_gram(f)) < 1e-12
    assert relative(losses.mean_gram(f), brute_gram(f) / (shape[2] * shape[3])) < 1e-12


@few
@given(sizes, seeds, st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0]))
def test_total_variation_is_the_double_sum(shape, seed, beta):
    image = (4 * features(*shape, seed=seed)).round() / 4  # no slope so small that the ε in the power shows
    expected = brute_tv(image, beta)
    assert float(losses.total_variation(image, beta)) == pytest.approx(expected, rel=1e-5, abs=1e-12)
    assert float(losses.tv_loss(image, beta)) == pytest.approx(expected / math.prod(shape[1:]), rel=1e-5, abs=1e-12)


def test_the_other_terms_are_their_sums():
    image, other = features(2, 3, 4, 5), features(1, 3, 6, 2, seed=1)
    right, down = image.diff(dim=3).abs().sum(), image.diff(dim=2).abs().sum()
    assert relative(losses.tv_l1(image), (right + down) / 2) < 1e-12
    assert relative(losses.alpha_norm(image), ((image - 0.5).abs() ** 6).mean()) < 1e-12
    distances = [
        (a - b).square().sum(dim=(1, 2, 3)).sqrt() for a, b in zip(*map(losses.moments, (image, other)), strict=True)
    ]
    assert relative(losses.moments_loss(image, losses.moments(other)), sum(distances).mean()) < 1e-12


def test_half_precision_does_not_overflow_in_a_large_picture():
    image = torch.rand(1, 3, 512, 512, generator=torch.Generator().manual_seed(0)).half()
    for measure in (losses.total_variation, losses.tv_l1, losses.tv_loss, losses.alpha_norm):
        found = measure(image)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found.double(), measure(image.double()), rtol=1e-4, atol=0)


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0, 3.0])
def test_total_variation_of_a_flat_picture_is_exactly_0_and_so_is_its_gradient(beta):
    image = torch.full((2, 3, 9, 11), 0.37, requires_grad=True)
    loss = losses.total_variation(image, beta)
    (gradient,) = torch.autograd.grad(loss, image)
    assert loss.item() == 0
    assert torch.equal(gradient, torch.zeros_like(gradient))


@pytest.mark.parametrize("beta", [1.0, 1.5])
def test_total_variation_has_finite_gradients_where_a_patch_is_flat(beta):
    image = torch.full((1, 1, 8, 8), 0.5)
    image[..., 4:, 4:] = 0.8
    image[..., 0, 0] += 1e-7  # one step of float32
    image.requires_grad_()
    (gradient,) = torch.autograd.grad(losses.total_variation(image, beta), image)
    assert gradient.isfinite().all()
    assert gradient[..., 4, 4] > 0.1  # the corner of the brighter patch comes down


# --- the conventions and the factors between them --------------------------------------------------------------------


def test_the_papers_formulas_with_undivided_gram_matrices():
    """Gatys et al. Eq. 1 and 4 and Johnson et al. Eq. 2 to 4, both pictures of one size."""
    f, p, a = features(1, 3, 4, 5), features(1, 3, 4, 5, seed=1), features(1, 3, 4, 5, seed=2)
    n, m = 3, 20
    g, style = brute_gram(f), brute_gram(a)
    target = losses.mean_gram(a)
    assert relative(losses.gatys_content_loss(f, p), 0.5 * ((f - p) ** 2).sum()) < 1e-12
    assert relative(losses.gatys_style_loss(f, target), ((g - style) ** 2).sum() / (4 * n**2 * m**2)) < 1e-12
    assert relative(losses.johnson_content_loss(f, p), ((f - p) ** 2).sum() / (n * m)) < 1e-12
    assert relative(losses.johnson_style_loss(f, target), ((g / (n * m) - style / (n * m)) ** 2).sum()) < 1e-12


@few
@given(sizes.map(lambda shape: (1, *shape[1:])), seeds)
def test_the_table_of_factors(shape, seed):
    """The last column of the table in the module's docstring."""
    f, p = features(*shape, seed=seed), features(*shape, seed=seed + 1)
    other = features(1, shape[1], 3, 4, seed=seed + 2)  # the style has its own size
    assume(min(x.square().mean() for x in (p, other)) > losses.SILENCE)  # the course's losses leave a silent target out
    a = losses.mean_gram(other)
    n, m = shape[1], shape[2] * shape[3]
    content, style = losses.content_loss(f, p), losses.style_loss(f, a)
    torch.testing.assert_close(losses.gatys_content_loss(f, p), p.square().sum() / 2 * content)
    torch.testing.assert_close(losses.johnson_content_loss(f, p), p.square().sum() / (n * m) * content)
    torch.testing.assert_close(losses.gatys_style_loss(f, a), a.square().sum() / (4 * n**2) * style)
    torch.testing.assert_close(losses.johnson_style_loss(f, a), a.square().sum() / n**2 * style)
    torch.testing.assert_close(losses.total_variation(f), n * m * losses.tv_loss(f))


def test_a_match_is_0_and_silence_is_1():
    p = features(1, 3, 4, 5)
    assert losses.content_loss(p, p).item() == 0
    assert losses.content_loss(torch.zeros_like(p), p).item() == pytest.approx(1)
    assert losses.style_loss(p, losses.mean_gram(p)).item() == 0
    assert losses.style_loss(torch.zeros_like(p), losses.mean_gram(p)).item() == pytest.approx(1)
    assert losses.style_error(torch.zeros_like(p), losses.mean_gram(p)).item() == pytest.approx(1, rel=1e-3)
    match = p.clone().requires_grad_()
    error = losses.style_error(match, losses.mean_gram(p))
    assert error.item() == pytest.approx(0.01)  # not 0: a root has no slope there
    assert not torch.autograd.grad(error, match)[0].any()


@few
@given(sizes, seeds, st.sampled_from([0.0, 1e-20, 1e-6, 0.01, 0.04, 0.06, 1.0]), st.floats(0, 100))
def test_a_silent_target_is_left_out_and_any_other_divided_by(shape, seed, loudness, mine):
    """Root mean squares below 0.05 are silent: loss and gradient are 0. Above it the loss is the plain quotient."""
    f = (mine * features(*shape, seed=seed)).requires_grad_()
    p = features(*shape, seed=seed + 1)
    p = p / p.square().mean(dim=(1, 2, 3), keepdim=True).sqrt() * loudness
    a = losses.mean_gram(p)
    quotients = (
        (f - p).square().sum(dim=(1, 2, 3)) / p.square().sum(dim=(1, 2, 3)),
        (losses.mean_gram(f) - a).square().sum(dim=(1, 2)) / a.square().sum(dim=(1, 2)),
    )
    found = losses.content_loss(f, p, each=True), losses.style_loss(f, a, each=True)
    for loss, quotient in zip(found, quotients, strict=True):
        if loudness > 0.05:
            assert torch.equal(loss, quotient)
        else:
            assert not loss.any() and not torch.autograd.grad(loss.sum(), f)[0].any()


def test_the_silent_images_of_a_batch_are_left_out_and_the_others_are_not():
    """A white style in a batch of training pairs must not drown the other one."""
    f, p = features(2, 3, 4, 5), features(2, 3, 4, 5, seed=1) * torch.tensor([0.0, 1.0]).view(2, 1, 1, 1)
    for loss, make in ((losses.content_loss, lambda x: x), (losses.style_loss, losses.mean_gram)):
        torch.testing.assert_close(loss(f, make(p)), loss(f[1:], make(p[1:])) / 2)


@pytest.mark.parametrize("colour", [(1, 1, 1), (0.98, 0.96, 0.9)])
def test_a_style_of_one_colour_makes_the_photo_more_of_this_colour(colour):
    """relu5_1 of `mini` is silent for these: divided by, its loss was 5e18 and nothing moved."""
    style = torch.tensor(colour).float().view(1, 3, 1, 1).expand(1, 3, 32, 32)
    photo = samples.content("chelsea", 32)
    steps = list(optimize_image(photo, gatys.objective(photo, style, encoder=Encoder("mini")), steps=20))
    assert steps[-1].loss < 0.8 * steps[0].loss < 1000  # a photo has up to 20 times the activations of a flat colour
    apart = [(each - style[..., :1, :1]).square().mean() for each in (photo, steps[-1].best_image)]
    assert apart[1] < 0.95 * apart[0]


@few
@given(seeds, st.integers(1, 3), st.integers(1, 3), st.floats(0.1, 10))
def test_the_course_losses_are_the_same_at_every_size_and_scale(seed, rows, columns, factor):
    """Tiling a picture changes its size and not its losses; nor does an encoder that speaks louder."""
    f, p = features(1, 3, 4, 5, seed=seed), features(1, 3, 4, 5, seed=seed + 1)
    tile = (1, 1, rows, columns)
    a = losses.mean_gram(p)
    torch.testing.assert_close(losses.content_loss(f.tile(tile), p.tile(tile)), losses.content_loss(f, p))
    torch.testing.assert_close(losses.style_loss(f.tile(tile), a), losses.style_loss(f, a))
    torch.testing.assert_close(losses.style_loss(f, losses.mean_gram(p.tile(tile))), losses.style_loss(f, a))
    torch.testing.assert_close(losses.content_loss(factor * f, factor * p), losses.content_loss(f, p))
    torch.testing.assert_close(losses.style_loss(factor * f, factor**2 * a), losses.style_loss(f, a))


# --- moments ---------------------------------------------------------------------------------------------------------


@few
@given(sizes, seeds)
def test_moments_are_those_of_each_channel_of_each_image(shape, seed):
    f = features(*shape, seed=seed)
    mean, std = losses.moments(f)
    assert mean.shape == std.shape == (*shape[:2], 1, 1)
    for b, c in product(range(shape[0]), range(shape[1])):
        values = f[b, c].flatten().tolist()
        mu = sum(values) / len(values)
        variance = sum((v - mu) ** 2 for v in values) / len(values)
        assert mean[b, c].item() == pytest.approx(mu, abs=1e-12)
        assert std[b, c].item() == pytest.approx(math.sqrt(variance + losses.EPSILON), rel=1e-9)


# --- gradients -------------------------------------------------------------------------------------------------------

POINT, TARGET = features(2, 2, 3, 4, seed=5), features(1, 2, 3, 4, seed=6)
GRAM = losses.mean_gram(features(1, 2, 5, 2, seed=7))
DIFFERENTIABLE = {
    "content_loss": lambda f: losses.content_loss(f, TARGET),
    "gatys_content_loss": lambda f: losses.gatys_content_loss(f, TARGET),
    "johnson_content_loss": lambda f: losses.johnson_content_loss(f, TARGET),
    "mean_gram": losses.mean_gram,
    "style_loss": lambda f: losses.style_loss(f, GRAM),
    "style_error": lambda f: losses.style_error(f, GRAM),
    "gatys_style_loss": lambda f: losses.gatys_style_loss(f, GRAM),
    "johnson_style_loss": lambda f: losses.johnson_style_loss(f, GRAM),
    "moments": losses.moments,
    "moments_loss": lambda f: losses.moments_loss(f, losses.moments(TARGET)),
    "total_variation 1.5": lambda x: losses.total_variation(x, 1.5),
    "total_variation 2": losses.total_variation,
    "total_variation 3": lambda x: losses.total_variation(x, 3),
    "tv_loss": losses.tv_loss,
    "tv_l1": losses.tv_l1,
    "alpha_norm": losses.alpha_norm,
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients_agree_with_finite_differences(name):
    assert torch.autograd.gradcheck(DIFFERENTIABLE[name], POINT.clone().requires_grad_())


@pytest.mark.parametrize("storage", [torch.contiguous_format, torch.channels_last])
def test_gram_matrix_gradient_is_that_of_a_plain_product(storage):
    f = POINT.contiguous(memory_format=storage).requires_grad_()
    slope = features(2, 2, 2, seed=9)  # not symmetric
    (ours,) = torch.autograd.grad((slope * losses.gram_matrix(f)).sum(), f)
    (plain,) = torch.autograd.grad((slope * (f.flatten(2) @ f.flatten(2).transpose(1, 2))).sum(), f)
    torch.testing.assert_close(ours, plain)
    assert torch.autograd.gradgradcheck(losses.gram_matrix, POINT.clone().requires_grad_())


# --- batches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(DIFFERENTIABLE.keys() - {"mean_gram", "moments"}))
def test_a_batch_is_the_mean_over_its_images(name):
    loss = DIFFERENTIABLE[name]
    torch.testing.assert_close(loss(POINT), (loss(POINT[:1]) + loss(POINT[1:])) / 2)


def test_one_target_for_each_image_of_a_batch():
    targets = features(2, 2, 3, 4, seed=8)
    for loss, make in ((losses.content_loss, lambda x: x), (losses.style_loss, losses.mean_gram)):
        alone = [loss(POINT[i : i + 1], make(targets[i : i + 1])) for i in (0, 1)]
        torch.testing.assert_close(loss(POINT, make(targets)), sum(alone) / 2)
    mean, std = losses.moments(targets)
    alone = [losses.moments_loss(POINT[i : i + 1], (mean[i : i + 1], std[i : i + 1])) for i in (0, 1)]
    torch.testing.assert_close(losses.moments_loss(POINT, (mean, std)), sum(alone) / 2)


# --- errors say what came --------------------------------------------------------------------------------------------

F4 = torch.ones(2, 3, 4, 5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losses.gram_matrix(torch.ones(3, 4, 5)), r"\(B, C, H, W\).*\(3, 4, 5\)"),
        (lambda: losses.gram_matrix(torch.ones(1, 3, 0, 5)), r"not empty.*\(1, 3, 0, 5\)"),
        (lambda: losses.content_loss(F4, torch.ones(2, 3, 4, 6)), r"\(2, 3, 4, 5\).*\(2, 3, 4, 6\)"),
        (lambda: losses.content_loss(F4, None), r"target.*NoneType"),
        (lambda: losses.style_loss(F4, F4), r"mean_gram.*\(2, 3, 4, 5\)"),
        (lambda: losses.moments_loss(F4, F4), "pair"),
        (lambda: losses.moments_loss(F4, losses.moments(torch.ones(1, 4, 2, 2))), r"\(1, 4, 1, 1\)"),
        (lambda: losses.total_variation(F4, 0), "beta must be above 0.*got 0"),
        (lambda: losses.alpha_norm(F4, 0.5), "alpha must be at least 1; got 0.5"),
    ],
)
def test_errors_say_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_gram_under_autocast_is_as_precise_as_without() -> None:
    """Mixed precision hands over bfloat16 activations, and would make the products in it, too."""
    features = torch.rand(2, 5, 60, 60, dtype=torch.bfloat16).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        gram = losses.gram_matrix(features)
    wanted = torch.einsum("bihw,bjhw->bij", features.double(), features.double())
    assert gram.dtype == torch.float32
    torch.testing.assert_close(gram.double(), wanted, rtol=1e-5, atol=1e-3)
    gram.sum().backward()
    slope = 2 * features.detach().double().sum(dim=1, keepdim=True).expand(-1, 5, -1, -1)
    torch.testing.assert_close(features.grad.double(), slope, rtol=2**-8, atol=0)


def test_gram_matrix_sums_half_precision_in_single():
    f = torch.full((1, 2, 64, 64), 0.1, dtype=torch.bfloat16)  # bfloat16 cannot count beyond 256 in steps of 1
    gram = losses.gram_matrix(f)
    assert gram.dtype == torch.float32
    torch.testing.assert_close(gram, losses.gram_matrix(f.float()))
    assert losses.content_loss(f, 0 * f + 1).dtype == torch.float32


def test_total_variation_is_close_to_the_formula_from_one_level_upwards():
    image = torch.zeros(1, 1, 1, 2, dtype=torch.float64)
    image[..., 1] = 1 / 255
    for beta in (1.0, 1.5):
        assert float(losses.total_variation(image, beta)) == pytest.approx((1 / 255) ** beta, rel=1e-3)


def test_moments_loss_of_a_match_is_0_with_gradient_0():
    f = features(2, 3, 4, 5).requires_grad_()
    loss = losses.moments_loss(f, losses.moments(f.detach()))
    assert loss.item() == 0
    assert torch.equal(torch.autograd.grad(loss, f)[0], torch.zeros_like(f))


def test_alpha_norm():
    image = features(2, 3, 4, 5)
    expected = sum(abs(v - 0.5) ** 6 for v in image.flatten().tolist()) / image.numel()
    assert float(losses.alpha_norm(image)) == pytest.approx(expected, rel=1e-12)
    assert losses.alpha_norm(torch.full((1, 3, 2, 2), 0.5)).item() == 0
    assert losses.alpha_norm(torch.ones(1, 3, 2, 2)).item() == pytest.approx(2**-6)
