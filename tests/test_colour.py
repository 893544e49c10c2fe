"""Colours against PIL, NumPy, SciPy and closed forms."""

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from stylelearn.colour import keep_colours, luminance, match_colour, match_histogram, rgb_to_ycbcr, ycbcr_to_rgb

quick = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**16)
STEP = 1 / 255


def random_image(seed: int, batch: int = 1, height: int = 12, width: int = 9) -> torch.Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))


def mixed_image(seed: int, low: float, high: float, size: int = 24) -> torch.Tensor:
    """Correlated channels whose values stay well inside [0, 1], so that nothing is clamped."""
    random = torch.Generator().manual_seed(seed)
    mix = torch.rand(3, 3, generator=random) + torch.eye(3)
    pixels = (mix / mix.sum(1, keepdim=True)) @ torch.rand(3, size * size, generator=random)
    return (low + (high - low) * pixels).reshape(1, 3, size, size)


def flat(image: torch.Tensor) -> np.ndarray:
    """(3, pixels) in float64."""
    return image[0].double().flatten(1).numpy()


def far_from_flat(image: torch.Tensor) -> bool:
    """No direction of colour varies so little that `match_colour` takes its variance for larger than it is."""
    return np.linalg.eigvalsh(np.cov(flat(image), bias=True)).min() > 1e-5


# ---------------------------------------------------------------------------------------------- brightness and colour


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
def test_there_and_back(seed):
    image = random_image(seed).double()
    assert torch.allclose(ycbcr_to_rgb(rgb_to_ycbcr(image)), image, atol=1e-12)
    assert torch.allclose(rgb_to_ycbcr(image)[:, :1], luminance(image))


@pytest.mark.parametrize(
    ("rgb", "y"), [((1, 1, 1), 1), ((0, 0, 0), 0), ((1, 0, 0), 0.299), ((0, 1, 0), 0.587), ((0, 0, 1), 0.114)]
)
def test_known_brightness(rgb, y):
    image = torch.tensor(rgb).float().reshape(1, 3, 1, 1)
    assert float(luminance(image)) == pytest.approx(y)
    if len(set(rgb)) == 1:
        assert rgb_to_ycbcr(image).flatten().tolist() == pytest.approx([y, 0.5, 0.5])


def test_the_extremes_of_colour_are_0_and_1():
    image = torch.eye(3).T.reshape(1, 3, 1, 3)  # red, green, blue
    assert float(rgb_to_ycbcr(image)[0, 1, 0, 2]) == pytest.approx(1)  # Cb of blue
    assert float(rgb_to_ycbcr(image)[0, 2, 0, 0]) == pytest.approx(1)  # Cr of red


# -------------------------------------------------------------------------------------------------------- keep_colours


@quick
@given(seed=seeds)
def test_brightness_of_the_one_and_colours_of_the_other(seed):
    pastiche, content = mixed_image(seed, 0.4, 0.6), mixed_image(seed + 1, 0.4, 0.6)
    result = rgb_to_ycbcr(keep_colours(pastiche, content))
    assert torch.allclose(result[:, :1], luminance(pastiche), atol=1e-5)
    assert torch.allclose(result[:, 1:], rgb_to_ycbcr(content)[:, 1:], atol=1e-5)


def test_keep_colours_of_a_grey_content_is_grey_and_batches_do_not_mix():
    pastiche = random_image(1, batch=2)
    grey = torch.full((1, 3, 12, 9), 0.5)
    assert torch.allclose(keep_colours(pastiche, grey), luminance(pastiche).expand_as(pastiche), atol=1e-6)
    contents = random_image(2, batch=2)
    loop = torch.cat([keep_colours(pastiche[i : i + 1], contents[i : i + 1]) for i in range(2)])
    assert torch.allclose(keep_colours(pastiche, contents), loop)
    assert torch.allclose(keep_colours(contents, contents), contents, atol=1e-6)


# ----------------------------------------------------------------------------------------------------- match_histogram


@quick
@given(seed=seeds)
def test_of_equal_size_the_sorted_values_are_the_references(seed):
    image, reference = random_image(seed), random_image(seed + 1)
    assume(all(len(np.unique(channel)) == 108 for one in (image, reference) for channel in flat(one)))  # no ties
    matched = flat(match_histogram(image, reference))
    assert np.allclose(np.sort(matched), np.sort(flat(reference)), atol=1e-6)
    assert np.array_equal(np.argsort(matched, axis=1), np.argsort(flat(image), axis=1))  # the order stays


def test_histograms_of_any_size_and_batches():
    image, reference = random_image(1, batch=2), random_image(2, height=30, width=20)
    matched = match_histogram(image, reference)
    assert matched.shape == image.shape and matched.dtype == torch.float32
    assert torch.equal(matched[1:], match_histogram(image[1:], reference))
    constant = torch.full((1, 3, 4, 4), 0.25)
    assert torch.allclose(match_histogram(image, constant), torch.tensor(0.25))


# -------------------------------------------------------------------------------------------------------- match_colour


@pytest.mark.parametrize("method", ["pca", "cholesky"])
@quick
@given(seed=seeds)
def test_mean_and_covariance_are_the_contents(method, seed):
    style, content = mixed_image(seed, 0.3, 0.7), mixed_image(seed + 1, 0.4, 0.6, size=31)
    assume(far_from_flat(style) and far_from_flat(content))
    matched = flat(match_colour(style, content, method))
    assert matched.min() > 0 and matched.max() < 1  # nothing was clamped, so equality must hold
    assert np.allclose(matched.mean(1), flat(content).mean(1), atol=1e-6)
    assert np.allclose(np.cov(matched, bias=True), np.cov(flat(content), bias=True), atol=1e-6)


@quick
@given(seed=seeds)
def test_pca_is_the_formula_in_scipy(seed):
    style, content = mixed_image(seed, 0.3, 0.7), mixed_image(seed + 1, 0.4, 0.6)
    assume(far_from_flat(style) and far_from_flat(content))
    s, c = flat(style), flat(content)
    root = scipy.linalg.sqrtm(np.cov(c, bias=True)) @ np.linalg.inv(scipy.linalg.sqrtm(np.cov(s, bias=True)))
    expected = root @ (s - s.mean(1, keepdims=True)) + c.mean(1, keepdims=True)
    assert np.allclose(flat(match_colour(style, content)), expected.real, atol=1e-5)


def test_cholesky_undoes_a_gain_and_an_offset_per_channel():
    """If content = D style + d with a positive diagonal D, then L_c = D L_s and A = D: the very same picture."""
    style = mixed_image(3, 0.3, 0.6)
    gain, offset = torch.tensor([0.5, 1.2, 0.8]), torch.tensor([0.1, 0.0, 0.2])
    content = style * gain[None, :, None, None] + offset[None, :, None, None]
    assert torch.allclose(match_colour(style, content, "cholesky"), content, atol=1e-5)


@pytest.mark.parametrize("method", ["pca", "cholesky"])
def test_own_colours_change_nothing(method):
    style = random_image(5, batch=2)
    assert torch.allclose(match_colour(style, style, method), style, atol=1e-5)


@pytest.mark.parametrize("method", ["pca", "cholesky"])
def test_grey_and_one_coloured_pictures(method):
    photo = mixed_image(1, 0.2, 0.8)
    grey = luminance(photo).expand_as(photo)
    flat_colour = torch.tensor([0.2, 0.5, 0.7])[None, :, None, None].expand(1, 3, 8, 8)
    for style in (grey, flat_colour):
        matched = match_colour(style, photo, method)
        assert torch.isfinite(matched).all()
        assert np.allclose(flat(matched).mean(1), flat(photo).mean(1), atol=0.02)
    assert torch.allclose(match_colour(photo, flat_colour, method).mean((2, 3)), flat_colour.mean((2, 3)), atol=1e-3)


def test_match_colour_of_a_batch_equals_a_loop():
    style, content = random_image(1, batch=2), random_image(2, batch=2)
    loop = torch.cat([match_colour(style[i : i + 1], content[i : i + 1]) for i in range(2)])
    assert torch.allclose(match_colour(style, content), loop, atol=1e-6)
    assert torch.allclose(match_colour(style, content[:1])[1:], match_colour(style[1:], content[:1]), atol=1e-6)


# ------------------------------------------------------------------------------------------------------------ refusals


def test_refusals():
    image = random_image(1)
    for function in (luminance, rgb_to_ycbcr, ycbcr_to_rgb):
        with pytest.raises(ValueError, match=r"\(B, 3, H, W\), got \(3, 4, 4\)"):
            function(torch.zeros(3, 4, 4))
    with pytest.raises(ValueError, match="differ in size; use resize"):
        keep_colours(image, torch.zeros(1, 3, 5, 5))
    for function in (keep_colours, match_histogram, match_colour):
        with pytest.raises(ValueError, match="3 images for 1"):
            function(image, random_image(1, batch=3))
    with pytest.raises(ValueError, match="'pca' or 'cholesky'"):
        match_colour(image, image, "mean")
