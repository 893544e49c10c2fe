"""Both forms of the matting Laplacian against its definition pixel by pixel, known answers, SciPy and PyMatting."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stylelearn import samples
from stylelearn.matting import EPSILON, MattingLaplacian, laplacian_matrix

SIZES = [(3, 3), (3, 7), (9, 7)]
quick = settings(max_examples=15, deadline=None)


def photo(height: int, width: int, seed: int = 0) -> Tensor:
    """Noise of every contrast: flat on the left, strong on the right."""
    noise = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return 0.5 + (noise - 0.5) * torch.logspace(-4, 0, width, dtype=torch.float64)


def values(height: int, width: int, seed: int = 9, channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, channels, height, width, generator=generator, dtype=torch.float64)


def by_definition(image: Tensor, eps: float, radius: int = 1) -> np.ndarray:
    """Eq. 12 of Levin et al., window by window and pair by pair."""
    pixels = image[0].double().permute(1, 2, 0).numpy()
    height, width, _ = pixels.shape
    found = np.zeros((height * width, height * width))
    around = range(-radius, radius + 1)
    for y, x in itertools.product(range(radius, height - radius), range(radius, width - radius)):
        window = [(y + dy, x + dx) for dy in around for dx in around]
        colours = np.array([pixels[each] for each in window])
        mean, covariance = colours.mean(axis=0), np.cov(colours.T, bias=True)
        inverse = np.linalg.inv(covariance + eps / len(window) * np.eye(3))
        for (i, first), (j, second) in itertools.product(enumerate(window), repeat=2):
            affinity = (1 + (colours[i] - mean) @ inverse @ (colours[j] - mean)) / len(window)
            found[first[0] * width + first[1], second[0] * width + second[1]] += (i == j) - affinity
    return found


def times(matrix, v: Tensor) -> Tensor:
    """The matrix times each channel of (1, C, H, W)."""
    return torch.from_numpy((matrix @ v.flatten(2)[0].numpy().T).T.reshape(v.shape).copy())


@pytest.mark.parametrize("eps", [EPSILON, 1.0])
@pytest.mark.parametrize("size", SIZES)
def test_both_forms_are_the_definition(size, eps, monkeypatch):
    monkeypatch.setattr("stylelearn.matting._STRIP", 1)  # several strips
    image, v = photo(*size), values(*size)
    wanted, matrix = by_definition(image, eps), laplacian_matrix(image, eps)
    assert np.abs(matrix.toarray() - wanted).max() < 1e-8
    assert matrix.nnz == (5 * size[0] - 6) * (5 * size[1] - 6)
    assert torch.allclose(MattingLaplacian(image, eps).apply(v), times(wanted, v), rtol=0, atol=1e-8)


def test_larger_windows_are_the_definition_too():
    image, v = photo(9, 8), values(9, 8)
    wanted = by_definition(image, 1e-2, radius=2)
    assert torch.allclose(MattingLaplacian(image, 1e-2, radius=2).apply(v), times(wanted, v), rtol=0, atol=1e-8)


def test_pymatting_agrees():
    pymatting = pytest.importorskip("pymatting", reason="needs the oracle extra: pip install 'stylelearn[oracle]'")
    image = samples.content("rocket", size=40)
    theirs = pymatting.cf_laplacian(image[0].permute(1, 2, 0).double().numpy(), epsilon=EPSILON)
    ours = laplacian_matrix(image)
    assert np.abs((ours - theirs).toarray()).max() < 1e-7
    v = values(*image.shape[2:])
    assert torch.allclose(MattingLaplacian(image).apply(v), times(theirs, v), rtol=0, atol=1e-7)


@quick
@given(seed=st.integers(0, 2**16))
def test_an_affine_function_of_the_colours_costs_next_to_nothing(seed):
    """The true affine function is one of those that each window may choose: J ≤ windows · ε Σ_c ‖a_c‖²."""
    image = samples.content("flower", size=48).double()
    generator = torch.Generator().manual_seed(seed)
    mix, offset = torch.randn(3, 3, generator=generator).double(), torch.randn(3, 1, 1, generator=generator).double()
    recoloured = torch.einsum("ij,bjhw->bihw", mix, image) + offset
    laplacian, (height, width) = MattingLaplacian(image), image.shape[2:]
    at_most = (height - 2) * (width - 2) * EPSILON * mix.square().sum()
    assert -1e-9 <= laplacian.energy(recoloured) <= at_most + 1e-9
    assert laplacian.energy(values(height, width)) > 1000 * at_most


def test_energy_is_the_quadratic_form_summed_over_channels_and_averaged_over_the_batch():
    image = photo(8, 6)
    matrix, x = laplacian_matrix(image), torch.cat([values(8, 6), values(8, 6, seed=5)])
    forms = [sum(float(c @ (matrix @ c)) for c in one.flatten(1).numpy()) for one in x]
    assert MattingLaplacian(image).energy(x).item() == pytest.approx(sum(forms) / 2)


def test_gradient_is_2_l_v():
    image, x = photo(7, 9), values(7, 9).requires_grad_()
    (gradient,) = torch.autograd.grad(MattingLaplacian(image).energy(x), x)
    assert torch.allclose(gradient, 2 * times(laplacian_matrix(image), x.detach()), atol=1e-8)


def test_float32_values_lose_no_more_than_their_own_rounding():
    image = samples.content("china", size=64)
    laplacian, x = MattingLaplacian(image), values(*image.shape[2:])
    found = laplacian.apply(x.float())
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), laplacian.apply(x.float().double()), atol=1e-5)
    assert laplacian.energy(x.float()).item() == pytest.approx(laplacian.energy(x).item(), rel=1e-5)
    assert laplacian.energy(image).item() >= 0


def test_any_leading_shape_and_batch_equals_loop():
    laplacian, x = MattingLaplacian(photo(6, 5)), torch.rand(2, 4, 3, 6, 5, dtype=torch.float64)
    loop = torch.stack([torch.stack([torch.stack([laplacian.apply(c) for c in b]) for b in a]) for a in x])
    assert torch.allclose(laplacian.apply(x), loop)


def test_smooth_is_the_guided_filter():
    """Mean over the windows of each pixel of the ridge regression of v on the guide's colours, by NumPy's solver."""
    image, v, eps, radius = photo(8, 7), values(8, 7, channels=1), 0.02, 2
    guide, given = image[0].permute(1, 2, 0).numpy(), v[0, 0].numpy()
    total, count = np.zeros((8, 7)), np.zeros((8, 7))
    for y, x in itertools.product(range(2, 6), range(2, 5)):
        window = np.s_[y - 2 : y + 3, x - 2 : x + 3]
        rows = np.c_[guide[window].reshape(25, 3), np.ones(25)]
        penalty = np.diag([eps, eps, eps, 0])
        fit = np.linalg.solve(rows.T @ rows + penalty, rows.T @ given[window].ravel())
        total[window] += (rows @ fit).reshape(5, 5)
        count[window] += 1
    found = MattingLaplacian(image, eps, radius).smooth(v)[0, 0].numpy()
    assert np.allclose(found, total / count, atol=1e-9)


@pytest.mark.parametrize("make", [laplacian_matrix, MattingLaplacian])
@pytest.mark.parametrize(
    ("image", "eps", "message"),
    [
        (torch.zeros(1, 3, 2, 9), 1e-7, "2x9 has no window of 3x3 pixels"),
        (torch.zeros(3, 9, 9), 1e-7, r"one image \(1, 3, H, W\); this is \(3, 9, 9\)"),
        (torch.full((1, 3, 9, 9), torch.nan), 1e-7, "NaN"),
        (torch.zeros(1, 3, 9, 9), 0.0, "eps must be above 0, usually 1e-07; got 0"),
    ],
)
def test_what_is_no_photograph_is_refused(make, image, eps, message):
    with pytest.raises(ValueError, match=message):
        make(image, eps)


def test_other_sizes_are_refused():
    laplacian = MattingLaplacian(photo(6, 5))
    for wrong in (laplacian.apply, laplacian.energy, laplacian.smooth):
        with pytest.raises(ValueError, match=r"a picture of \(6, 5\); v has the shape \(1, 3, 5, 6\)"):
            wrong(torch.zeros(1, 3, 5, 6))
    with pytest.raises(ValueError, match=r"\(B, C, H, W\)"):
        laplacian.energy(torch.zeros(6, 5))
    with pytest.raises(ValueError, match="radius must be at least 1"):
        MattingLaplacian(photo(6, 5), radius=0)


def test_they_agree_on_a_photograph_that_takes_several_strips():
    image = samples.content("china", size=160)
    v = values(*image.shape[2:])
    assert image.shape[2] * image.shape[3] > 2 * 16384
    assert torch.allclose(MattingLaplacian(image).apply(v), times(laplacian_matrix(image), v), rtol=0, atol=1e-8)
