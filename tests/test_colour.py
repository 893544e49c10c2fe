"""Colours against PIL, NumPy, SciPy, closed forms and the equations that each method promises to solve."""

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from stylelearn import samples
from stylelearn.colour import (
    distribution_transfer,
    keep_colours,
    l_alpha_beta_to_rgb,
    luminance,
    match_colour,
    match_histogram,
    monge_kantorovich,
    regrain,
    reinhard,
    rgb_to_l_alpha_beta,
    rgb_to_ycbcr,
)

quick = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**16)
STEP = 1 / 255


def random_image(seed: int, batch: int = 1, height: int = 12, width: int = 9) -> torch.Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))


def picture(seed: int, low: float = 0.3, high: float = 0.7, height: int = 20, width: int = 24) -> Tensor:
    """Correlated channels well inside [0, 1], so that nothing is clamped; float64."""
    generator = torch.Generator().manual_seed(seed)
    mix = torch.rand(3, 3, generator=generator, dtype=torch.float64) + torch.eye(3)
    pixels = (mix / mix.sum(1, keepdim=True)) @ torch.rand(3, height * width, generator=generator, dtype=torch.float64)
    return (low + (high - low) * pixels).reshape(1, 3, height, width)


def flat(image: torch.Tensor) -> np.ndarray:
    """(3, pixels) in float64."""
    return image[0].double().flatten(1).numpy()


def far_from_flat(image: torch.Tensor) -> bool:
    """No direction of colour varies so little that `match_colour` takes its variance for larger than it is."""
    return np.linalg.eigvalsh(np.cov(flat(image), bias=True)).min() > 1e-5


@quick
@given(seed=seeds)
def test_ycbcr_is_that_of_jpeg(seed):
    levels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    theirs = np.asarray(Image.fromarray(levels).convert("YCbCr")) / 255
    ours = rgb_to_ycbcr(torch.from_numpy(levels / 255).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    # JPEG puts grey at 128/255, we at exactly one half; besides, PIL rounds.
    offset = np.array([0, 128 / 255 - 0.5, 128 / 255 - 0.5])
    assert np.abs(np.clip(ours + offset, 0, 1) - theirs).max() <= 1.01 * STEP


@quick
@given(seed=seeds)
def test_brightness_of_the_one_and_colours_of_the_other(seed):
    pastiche, content = picture(seed, 0.4, 0.6), picture(seed + 1, 0.4, 0.6)
    result = rgb_to_ycbcr(keep_colours(pastiche, content))
    assert torch.allclose(result[:, :1], luminance(pastiche), atol=1e-5)
    assert torch.allclose(result[:, 1:], rgb_to_ycbcr(content)[:, 1:], atol=1e-5)


@quick
@given(seed=seeds)
def test_of_equal_size_the_sorted_values_are_the_references(seed):
    image, reference = random_image(seed), random_image(seed + 1)
    assume(all(len(np.unique(channel)) == 108 for one in (image, reference) for channel in flat(one)))  # no ties
    matched = flat(match_histogram(image, reference))
    assert np.allclose(np.sort(matched), np.sort(flat(reference)), atol=1e-6)
    assert np.array_equal(np.argsort(matched, axis=1), np.argsort(flat(image), axis=1))  # the order stays


@quick
@given(seed=seeds)
def test_match_colour_is_the_formula_in_scipy(seed):
    style, content = picture(seed, 0.3, 0.7), picture(seed + 1, 0.4, 0.6)
    assume(far_from_flat(style) and far_from_flat(content))
    s, c = flat(style), flat(content)
    root = scipy.linalg.sqrtm(np.cov(c, bias=True)) @ np.linalg.inv(scipy.linalg.sqrtm(np.cov(s, bias=True)))
    expected = root @ (s - s.mean(1, keepdims=True)) + c.mean(1, keepdims=True)
    assert np.allclose(flat(match_colour(style, content)), expected.real, atol=1e-5)


@pytest.mark.parametrize("function", [keep_colours, match_histogram, match_colour])
def test_a_batch_equals_a_loop(function):
    images, others = random_image(1, batch=2), random_image(2, batch=2)
    loop = torch.cat([function(images[i : i + 1], others[i : i + 1]) for i in range(2)])
    assert torch.allclose(function(images, others), loop, atol=1e-6)
    assert torch.allclose(function(images, others[:1])[1:], function(images[1:], others[:1]), atol=1e-6)
    with pytest.raises(ValueError, match="3 images for 2"):
        function(images, random_image(1, batch=3))


def test_refusals():
    image = random_image(1)
    with pytest.raises(ValueError, match=r"\(B, 3, H, W\), got \(3, 4, 4\)"):
        luminance(torch.zeros(3, 4, 4))
    with pytest.raises(ValueError, match="differ in size; use resize"):
        keep_colours(image, torch.zeros(1, 3, 5, 5))
    with pytest.raises(ValueError, match="differ in size"):
        regrain(image, torch.rand(1, 3, 4, 5))
    with pytest.raises(ValueError, match=r"reference must be one image \(1, 3, H, W\), got \(2, 3, 12, 9\)"):
        reinhard(image, image.expand(2, -1, -1, -1))
    with pytest.raises(ValueError, match="rounds must be at least 1; got 0"):
        distribution_transfer(image, image, rounds=0)


METHODS = [reinhard, monge_kantorovich, distribution_transfer]


@quick
@given(seed=seeds)
def test_l_alpha_beta_there_and_back(seed):
    image = picture(seed, 0.05, 0.95)
    assert torch.allclose(l_alpha_beta_to_rgb(rgb_to_l_alpha_beta(image)), image, atol=1e-10)


def test_l_alpha_beta_is_reinhards_equations():
    """Eq. 4 to 6 written out for one pixel."""
    r, g, b = 0.8, 0.4, 0.2
    long = np.log10(0.3811 * r + 0.5783 * g + 0.0402 * b)
    middle = np.log10(0.1967 * r + 0.7244 * g + 0.0782 * b)
    short = np.log10(0.0241 * r + 0.1288 * g + 0.8444 * b)
    wanted = [
        (long + middle + short) / np.sqrt(3), (long + middle - 2 * short) / np.sqrt(6), (long - middle) / np.sqrt(2)
    ]  # fmt: skip
    found = rgb_to_l_alpha_beta(torch.tensor([r, g, b]).reshape(1, 3, 1, 1))
    assert found.flatten().tolist() == pytest.approx(wanted, abs=1e-6)
    assert rgb_to_l_alpha_beta(torch.zeros(1, 3, 1, 1)).isfinite().all()


@quick
@given(seed=seeds)
def test_reinhard_gives_mean_and_deviation_of_each_channel(seed):
    image = picture(seed, 0.4, 0.6)
    assume(rgb_to_l_alpha_beta(image).std(dim=(2, 3)).min() > 2e-3)  # a channel that hardly varies is not stretched
    found = rgb_to_l_alpha_beta(reinhard(image, picture(seed + 1, 0.35, 0.65)))
    wanted = rgb_to_l_alpha_beta(picture(seed + 1, 0.35, 0.65))
    for of in (torch.mean, lambda x, dim: torch.std(x, dim=dim, correction=0)):
        assert torch.allclose(of(found, dim=(2, 3)), of(wanted, dim=(2, 3)), atol=1e-6)


@quick
@given(seed=seeds)
def test_monge_kantorovich_is_the_closed_form_in_scipy(seed):
    image, reference = picture(seed), picture(seed + 1, 0.4, 0.6, 31, 17)
    assume(far_from_flat(image) and far_from_flat(reference))
    x, y = flat(image), flat(reference)
    a, b = np.cov(x, bias=True), np.cov(y, bias=True)
    root = scipy.linalg.sqrtm(a)
    t = np.linalg.inv(root) @ scipy.linalg.sqrtm(root @ b @ root) @ np.linalg.inv(root)
    assert np.allclose(t @ a @ t, b)  # what makes T the transport
    found = flat(monge_kantorovich(image, reference))
    assert np.allclose(found, (t @ (x - x.mean(1, keepdims=True))).real + y.mean(1, keepdims=True), atol=1e-6)
    assert np.allclose(np.cov(found, bias=True), b, atol=1e-7)


def test_distribution_transfer_matches_the_distribution_and_not_only_its_moments():
    """Two clouds of colour: what a linear map cannot make of one, and what each random axis must see."""
    generator = torch.Generator().manual_seed(0)
    image = picture(0, 0.3, 0.6, 40, 40)
    centres = torch.tensor([[0.3, 0.6, 0.4], [0.7, 0.3, 0.6]], dtype=torch.float64)
    which = torch.randint(2, (1600,), generator=generator)
    cloud = centres[which] + 0.02 * torch.randn(1600, 3, generator=generator, dtype=torch.float64)
    reference = cloud.T.reshape(1, 3, 40, 40)
    found, linear = distribution_transfer(image, reference, rounds=30), monge_kantorovich(image, reference)
    axes = torch.nn.functional.normalize(torch.randn(20, 3, generator=generator, dtype=torch.float64)).numpy()

    def farthest(result: Tensor) -> float:
        return max(scipy.stats.wasserstein_distance(axis @ flat(result), axis @ flat(reference)) for axis in axes)

    assert farthest(found) < 0.01 < 0.04 < farthest(linear)
    image[..., :10] = image[..., :1]
    found = distribution_transfer(image, reference)
    assert torch.equal(found[..., :10], found[..., :1].expand(-1, -1, -1, 10))  # equal colours stay equal


def energy(j: Tensor, image: Tensor, recoloured: Tensor) -> Tensor:
    """The sum that `regrain` promises to make smallest, written with differences of tensors."""
    planes = image[0].numpy()
    g = torch.from_numpy(np.sqrt(sum((np.gradient(planes, axis=axis) ** 2).sum(0) for axis in (1, 2))))
    phi, psi = 30 / (1 + 10 * g), (256 * g / 5).clamp(1e-3, 1)
    error = j - image
    across = (phi[:, :-1] * (error[..., 1:] - error[..., :-1]).square()).sum()
    down = (phi[:-1] * (error[..., 1:, :] - error[..., :-1, :]).square()).sum()
    return across + down + (psi * (j - recoloured).square()).sum()


def test_regrain_is_where_the_gradient_vanishes():
    image, recoloured = picture(1), picture(2)
    j = regrain(image, recoloured).requires_grad_()
    (gradient,) = torch.autograd.grad(energy(j, image, recoloured), j)
    (before,) = torch.autograd.grad(energy(k := recoloured.clone().requires_grad_(), image, recoloured), k)
    assert 0.01 < j.min() and j.max() < 0.99  # nothing was clamped
    assert gradient.abs().max() < 1e-8 * before.abs().max()


@pytest.mark.parametrize("method", [*METHODS, match_colour])
def test_the_image_s_own_colours_change_nothing(method):
    image = picture(7)
    assert torch.allclose(method(image, image), image, atol=1e-6)


@pytest.mark.parametrize("method", [*METHODS, match_colour])
def test_one_coloured_pictures_and_types(method):
    photo, plain = samples.content("coffee", size=32), torch.tensor([0.2, 0.5, 0.7]).reshape(1, 3, 1, 1)
    for image, reference in ((photo, plain.expand(1, 3, 8, 8)), (plain.expand(1, 3, 8, 8), photo)):
        found = method(image, reference)
        assert found.dtype == torch.float32 and found.shape == image.shape
        assert found.isfinite().all() and 0 <= found.min() and found.max() <= 1
    assert torch.allclose(method(photo, plain.expand(1, 3, 8, 8)), plain.expand_as(photo), atol=5e-3)


def test_greys_have_next_to_no_colour_and_black_is_finite():
    grey = torch.linspace(0, 1, 9).expand(1, 3, 1, 9)
    found = rgb_to_l_alpha_beta(grey)
    assert found.isfinite().all() and found[:, 1:].abs().max() < 0.01
    assert (found[0, 0, 0].diff() > 0).all()


def test_equal_colours_stay_equal():
    image = picture(3)
    image[..., :10] = image[..., :1]
    found = distribution_transfer(image, picture(5))
    assert torch.equal(found[..., :10], found[..., :1].expand(-1, -1, -1, 10))


def test_regrain_takes_false_contours_out():
    photo = samples.content("rocket", size=64).double()
    banded = distribution_transfer((photo * 20).round() / 20, samples.content("china", size=64).double())

    def roughness(x: Tensor) -> float:
        return (x.diff(dim=3) - photo.diff(dim=3)).abs().mean().item()

    assert roughness(regrain(photo, banded)) < 0.6 * roughness(banded)
