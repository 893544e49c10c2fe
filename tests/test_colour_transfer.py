"""Colour transfer against closed forms, SciPy and the equations that each method promises to solve."""

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stylelearn import samples
from stylelearn.colour_transfer import (
    distribution_transfer,
    lab_to_rgb,
    monge_kantorovich,
    regrain,
    reinhard,
    rgb_to_lab,
)

quick = settings(max_examples=15, deadline=None)
seeds = st.integers(0, 2**16)
METHODS = [reinhard, monge_kantorovich, distribution_transfer]


def picture(seed: int, low: float = 0.3, high: float = 0.7, height: int = 20, width: int = 24) -> Tensor:
    """Correlated channels well inside [0, 1], so that nothing is clamped; float64."""
    generator = torch.Generator().manual_seed(seed)
    mix = torch.rand(3, 3, generator=generator, dtype=torch.float64) + torch.eye(3)
    pixels = (mix / mix.sum(1, keepdim=True)) @ torch.rand(3, height * width, generator=generator, dtype=torch.float64)
    return (low + (high - low) * pixels).reshape(1, 3, height, width)


def flat(image: Tensor) -> np.ndarray:
    return image[0].double().flatten(1).numpy()


# --- lαβ -------------------------------------------------------------------------------------------------------------


@quick
@given(seed=seeds)
def test_there_and_back(seed):
    image = picture(seed, 0.05, 0.95)
    assert torch.allclose(lab_to_rgb(rgb_to_lab(image)), image, atol=1e-10)


def test_lab_is_reinhards_equations():
    """Eq. 4 to 6 written out for one pixel."""
    r, g, b = 0.8, 0.4, 0.2
    long = np.log10(0.3811 * r + 0.5783 * g + 0.0402 * b)
    middle = np.log10(0.1967 * r + 0.7244 * g + 0.0782 * b)
    short = np.log10(0.0241 * r + 0.1288 * g + 0.8444 * b)
    wanted = [
        (long + middle + short) / np.sqrt(3), (long + middle - 2 * short) / np.sqrt(6), (long - middle) / np.sqrt(2)
    ]  # fmt: skip
    assert rgb_to_lab(torch.tensor([r, g, b]).reshape(1, 3, 1, 1)).flatten().tolist() == pytest.approx(wanted, abs=1e-6)


def test_greys_have_next_to_no_colour_and_black_is_finite():
    grey = torch.linspace(0, 1, 9).expand(1, 3, 1, 9)
    lab = rgb_to_lab(grey)
    assert lab.isfinite().all() and lab[:, 1:].abs().max() < 0.01
    assert (lab[0, 0, 0].diff() > 0).all()


@quick
@given(seed=seeds)
def test_reinhard_gives_mean_and_deviation_of_each_channel(seed):
    found = rgb_to_lab(reinhard(picture(seed, 0.4, 0.6), picture(seed + 1, 0.35, 0.65)))
    wanted = rgb_to_lab(picture(seed + 1, 0.35, 0.65))
    for of in (torch.mean, lambda x, dim: torch.std(x, dim=dim, correction=0)):
        assert torch.allclose(of(found, dim=(2, 3)), of(wanted, dim=(2, 3)), atol=1e-6)


# --- Monge–Kantorovich -----------------------------------------------------------------------------------------------


@quick
@given(seed=seeds)
def test_monge_kantorovich_is_the_closed_form_in_scipy(seed):
    image, reference = picture(seed), picture(seed + 1, 0.4, 0.6, 31, 17)
    x, y = flat(image), flat(reference)
    a, b = np.cov(x, bias=True), np.cov(y, bias=True)
    root = scipy.linalg.sqrtm(a)
    t = np.linalg.inv(root) @ scipy.linalg.sqrtm(root @ b @ root) @ np.linalg.inv(root)
    assert np.allclose(t @ a @ t, b)  # what makes T the transport
    found = flat(monge_kantorovich(image, reference))
    assert np.allclose(found, (t @ (x - x.mean(1, keepdims=True))).real + y.mean(1, keepdims=True), atol=1e-6)
    assert np.allclose(np.cov(found, bias=True), b, atol=1e-7)


def test_monge_kantorovich_undoes_a_symmetric_map():
    """The transport between x and S x + m with S symmetric and positive is S itself."""
    image = picture(4, 0.45, 0.55)
    s = torch.tensor([[1.2, 0.3, 0.1], [0.3, 0.9, -0.2], [0.1, -0.2, 0.7]], dtype=torch.float64)
    mean = image.mean(dim=(2, 3), keepdim=True)
    reference = torch.einsum("ij,bjhw->bihw", s, image - mean) + mean + 0.05
    assert torch.allclose(monge_kantorovich(image, reference), reference, atol=1e-6)


# --- the whole distribution ------------------------------------------------------------------------------------------


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


def test_one_round_is_histogram_matching_of_each_channel():
    image, reference = picture(1), picture(2)
    found = flat(distribution_transfer(image, reference, rounds=1))
    assert np.allclose(np.sort(found), np.sort(flat(reference)))
    assert np.array_equal(np.argsort(found, axis=1), np.argsort(flat(image), axis=1))


def test_equal_colours_stay_equal():
    image = picture(3)
    image[..., :10] = image[..., :1]
    found = distribution_transfer(image, picture(5))
    assert torch.equal(found[..., :10], found[..., :1].expand(-1, -1, -1, 10))


def test_seeds_decide():
    image, reference = picture(1), picture(2)
    one, same, other = (distribution_transfer(image, reference, rounds=3, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)


# --- regraining ------------------------------------------------------------------------------------------------------


def energy(j: Tensor, image: Tensor, recoloured: Tensor, smoothness: float) -> Tensor:
    """The sum that `regrain` promises to make smallest, written with differences of tensors."""
    planes = image[0].numpy()
    g = torch.from_numpy(np.sqrt(sum((np.gradient(planes, axis=axis) ** 2).sum(0) for axis in (1, 2))))
    phi, psi = 30 / (1 + 10 * g / smoothness), (256 * g / 5).clamp(1e-3, 1)
    error = j - image
    across = (phi[:, :-1] * (error[..., 1:] - error[..., :-1]).square()).sum()
    down = (phi[:-1] * (error[..., 1:, :] - error[..., :-1, :]).square()).sum()
    return across + down + (psi * (j - recoloured).square()).sum()


@pytest.mark.parametrize("smoothness", [0.1, 1.0])
def test_regrain_is_where_the_gradient_vanishes(smoothness):
    image, recoloured = picture(1), picture(2)
    j = regrain(image, recoloured, smoothness).requires_grad_()
    (gradient,) = torch.autograd.grad(energy(j, image, recoloured, smoothness), j)
    (before,) = torch.autograd.grad(energy(k := recoloured.clone().requires_grad_(), image, recoloured, smoothness), k)
    assert 0.01 < j.min() and j.max() < 0.99  # nothing was clamped
    assert gradient.abs().max() < 1e-8 * before.abs().max()


def test_regrain_keeps_what_has_the_right_grain_already():
    image = picture(1)
    assert torch.allclose(regrain(image, image), image)
    assert torch.allclose(regrain(image, image + 0.1), image + 0.1)


def test_regrain_takes_false_contours_out():
    photo = samples.content("rocket", size=64).double()
    banded = distribution_transfer((photo * 20).round() / 20, samples.content("china", size=64).double())

    def roughness(x: Tensor) -> float:
        return (x.diff(dim=3) - photo.diff(dim=3)).abs().mean().item()

    assert roughness(regrain(photo, banded)) < 0.6 * roughness(banded)


# --- all -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_own_colours_change_nothing(method):
    image = picture(7)
    assert torch.allclose(method(image, image), image, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_one_coloured_pictures_and_types(method):
    photo, plain = samples.content("coffee", size=32), torch.tensor([0.2, 0.5, 0.7]).reshape(1, 3, 1, 1)
    for image, reference in ((photo, plain.expand(1, 3, 8, 8)), (plain.expand(1, 3, 8, 8), photo)):
        found = method(image, reference)
        assert found.dtype == torch.float32 and found.shape == image.shape
        assert found.isfinite().all() and 0 <= found.min() and found.max() <= 1
    assert torch.allclose(method(photo, plain.expand(1, 3, 8, 8)), plain.expand_as(photo), atol=5e-3)


@pytest.mark.parametrize("method", METHODS)
def test_refusals(method):
    image = torch.rand(1, 3, 4, 4)
    with pytest.raises(ValueError, match=r"image must be \(B, 3, H, W\), got \(3, 4, 4\)"):
        method(image[0], image)
    with pytest.raises(ValueError, match=r"reference must be one image \(1, 3, H, W\), got \(2, 3, 4, 4\)"):
        method(image, image.expand(2, -1, -1, -1))


def test_refusals_of_regrain_and_rounds():
    image = torch.rand(1, 3, 4, 4)
    with pytest.raises(ValueError, match="differ in size"):
        regrain(image, torch.rand(1, 3, 4, 5))
    with pytest.raises(ValueError, match="smoothness must be above 0; got 0"):
        regrain(image, image, smoothness=0)
    with pytest.raises(ValueError, match="rounds must be at least 1; got 0"):
        distribution_transfer(image, image, rounds=0)
