"""The matting Laplacian of lesson 07: how far a picture is from an affine function of the photograph in each window.

Levin, Lischinski & Weiss 2008, *A Closed-Form Solution to Natural Image Matting* (TPAMI 30), fit a grey picture v in
each window w_k of 3 × 3 pixels by an affine function of the photograph's colours I. The sum of squared residuals,

    J(v) = Σ_k min_{a,b} ( Σ_{i∈w_k} (v_i − aᵀI_i − b)² + ε aᵀa )  =  vᵀ L v,                      (Eq. 9 to 11)

is a quadratic form. L is symmetric and positive semidefinite, its rows add up to 0, and J of an affine function of I
is almost 0: other colours of light cost nothing, a new edge does. With μ_k and Σ_k the mean and the (biased) covariance
of the colours in w_k:

    L_ij = Σ_{k | (i,j) ∈ w_k} ( δ_ij − 1/|w_k| (1 + (I_i − μ_k)ᵀ (Σ_k + ε/|w_k| 𝟙₃)⁻¹ (I_j − μ_k)) )      (Eq. 12)

`laplacian_matrix` builds L, pixels row by row, for small pictures; `MattingLaplacian` multiplies by L without the
matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from scipy.sparse import csr_array

EPSILON = 1e-7  # of Levin et al.'s and of Luan et al.'s code; it is divided by the 9 pixels of a window
_STRIP = 6000  # pixels computed at a time, so that intermediate results stay in the processor's cache
# The six different entries of a symmetric 3 × 3 matrix, and their number at each place of it.
_UPPER = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
_ENTRY = ((0, 1, 2), (1, 3, 4), (2, 4, 5))


def laplacian_matrix(image: Tensor, eps: float = EPSILON) -> csr_array:
    """L as a sparse matrix, (5H−6)(5W−6) entries: for teaching and for small pictures.

    Args:
        image: I, (1, 3, H, W) in [0, 1], at least 3 × 3.
        eps: ε > 0, for windows of one colour, whose covariance has no inverse.
    Returns:
        (H·W, H·W) in float64; pixel (y, x) is row y·W + x.
    Raises:
        ValueError: not one image, smaller than 3 × 3, NaN, or ε ≤ 0.
    """
    from scipy.sparse import coo_array

    _check(image, eps, 1)
    height, width = image.shape[2:]
    colours = image[0].detach().double().cpu().permute(1, 2, 0).reshape(-1, 3).numpy()  # (N, 3)
    numbers = np.arange(height * width).reshape(height, width)
    windows = np.lib.stride_tricks.sliding_window_view(numbers, (3, 3)).reshape(-1, 9)  # (K, 9) pixels of each window
    inside = colours[windows]  # (K, 9, 3)
    centred = inside - inside.mean(axis=1, keepdims=True)  # I_i − μ_k
    across = centred.transpose(0, 2, 1)  # (K, 3, 9)
    covariance = across @ centred / 9  # Σ_k, (K, 3, 3)
    inverse = np.linalg.inv(covariance + eps / 9 * np.eye(3))
    entries = np.eye(9) - (1 + centred @ inverse @ across) / 9  # (K, 9, 9)
    rows, columns = np.repeat(windows, 9, axis=1), np.tile(windows, (1, 9))  # (K, 81) each
    where = (rows.ravel(), columns.ravel())
    return coo_array((entries.ravel(), where), shape=(numbers.size, numbers.size)).tocsr()  # adds the windows up


class MattingLaplacian:
    """L without its matrix: a product takes one affine fit for each window and two box sums.

    (L v)_i = Σ_{k∋i} (v_i − a_kᵀI_i − b_k),   a_k = (Σ_k + ε/|w_k| 𝟙)⁻¹ cov_k(I, v),   b_k = v̄_k − a_kᵀμ_k

    Time and memory are linear in the number of pixels. Sums are float64, since flat windows divide by ε/9. (Apple's
    GPUs have no float64: move the image to the CPU first.)

    Args:
        image: I, (1, 3, H, W) in [0, 1], at least one window large; L is on its device.
        eps: ε > 0.
        radius: of the window, (2r + 1)² pixels; 1 in the paper. Large windows make a guided filter, see `smooth`.
    Raises:
        ValueError: not one image, smaller than a window, NaN, ε ≤ 0, or radius < 1.
    """

    def __init__(self, image: Tensor, eps: float = EPSILON, radius: int = 1) -> None:
        _check(image, eps, radius)
        self.size = (image.shape[2], image.shape[3])
        self._side = 2 * radius + 1
        self._area = self._side**2
        self._image = image[0].detach()  # (3, H, W)
        rows, columns = (length - 2 * radius for length in self.size)  # of windows, named by their upper left pixels
        self._mean = self._image.new_empty(3, rows, columns, dtype=torch.float64)  # μ_k
        self._inverse = self._image.new_empty(6, rows, columns, dtype=torch.float64)  # (Σ_k + ε/|w_k| 𝟙)⁻¹ / |w_k|
        for windows, pixels in self._strips():
            colours = self._image[:, pixels].double()
            mean = _boxes(colours, self._side).div_(self._area)
            covariance = _boxes(torch.stack([colours[a] * colours[b] for a, b in _UPPER]), self._side).div_(self._area)
            for entry, (a, b) in zip(covariance, _UPPER, strict=True):
                entry.addcmul_(mean[a], mean[b], value=-1)
                if a == b:
                    entry.clamp_(min=0).add_(eps / self._area)
            self._mean[:, windows] = mean
            _invert(covariance.mul_(self._area), out=self._inverse[:, windows])

    @torch.no_grad()
    def apply(self, v: Tensor) -> Tensor:
        """L v for each channel, of v's shape and type: (..., H, W), of the image's size; without gradient.

        Raises ValueError for another size.
        """
        self._check_size(v)
        return self._product(v.reshape(-1, *self.size))[0].reshape(v.shape)

    def energy(self, x: Tensor) -> Tensor:
        """Σ_c V_c[x]ᵀ L V_c[x], summed over channels, the mean over a batch (Luan et al. 2017, Eq. 2).

        (B, C, H, W) in [0, 1], of the image's size -> a scalar ≥ 0; its gradient, 2 L V_c[x] / B, needs no second
        product. Raises ValueError for another size.
        """
        if x.ndim != 4:
            raise ValueError(f"energy takes pictures (B, C, H, W); this is {tuple(x.shape)}")
        self._check_size(x)
        return _Energy.apply(x, self)

    @torch.no_grad()
    def smooth(self, v: Tensor) -> Tensor:
        """The mean of the fitted a_kᵀI_i + b_k over the windows of each pixel i: v − L v / (number of its windows).

        It is the guided filter of He, Sun & Tang (2010) with the guide I: it removes what no affine function of I
        explains and keeps the edges of I. Arguments and errors as `apply`.
        """
        return v - self.apply(v) / self._counts(self._mean.shape[1]).to(v.dtype)

    def _check_size(self, v: Tensor) -> None:
        if v.ndim < 2 or tuple(v.shape[-2:]) != self.size:
            raise ValueError(f"this Laplacian is of a picture of {self.size}; v has the shape {tuple(v.shape)}")

    def _strips(self) -> Iterator[tuple[slice, slice]]:
        """Strips of rows of windows, and the rows of pixels in these windows."""
        rows, overlap = self._mean.shape[1], self._side - 1
        height = max(2 * self._side, _STRIP // self.size[1])
        for top in range(0, rows, height):
            bottom = min(top + height, rows)
            yield slice(top, bottom), slice(top, bottom + overlap)

    def _product(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """L v for channels (C, H, W), of v's type, and vᵀ L v in the precision of the sums."""
        found, energy = torch.zeros_like(v), torch.zeros((), dtype=torch.float64, device=v.device)
        for windows, pixels in self._strips():
            colours, values = self._image[:, pixels].double(), v[:, pixels].double()
            # a_k and b_k, summed over the windows of each pixel: (4, C, rows of pixels, W)
            fitted = _boxes(self._fits(colours, values, windows), self._side)
            result = values * self._counts(windows.stop - windows.start)
            result -= fitted[3]
            for slopes, colour in zip(fitted, colours, strict=False):
                result.addcmul_(slopes, colour, value=-1)
            energy += torch.dot(result.flatten(), values.flatten())
            found[:, pixels] += result
        return found, energy

    def _fits(self, colours: Tensor, values: Tensor, windows: slice) -> Tensor:
        """a_k and b_k of each channel for a strip of windows, with 2r zeros around: (4, C, rows + 4r, columns + 4r)."""
        sums = _boxes(torch.cat([colours[:, None] * values, values[None]]), self._side)
        covariance, total = sums[:3], sums[3]  # |w_k| cov_k(I, v), and |w_k| v̄_k
        mean, inverse = self._mean[:, windows], self._inverse[:, windows]
        for entry, colour in zip(covariance, mean, strict=True):
            entry.addcmul_(total, colour, value=-1)
        around = self._side - 1
        _, channels, rows, columns = sums.shape
        padded = sums.new_zeros(4, channels, rows + 2 * around, columns + 2 * around)
        fits = padded[..., around:-around, around:-around]
        torch.div(total, self._area, out=fits[3])
        for slopes, row, colour in zip(fits, _ENTRY, mean, strict=False):
            torch.mul(covariance[0], inverse[row[0]], out=slopes)
            slopes.addcmul_(covariance[1], inverse[row[1]]).addcmul_(covariance[2], inverse[row[2]])
            fits[3].addcmul_(slopes, colour, value=-1)
        return padded

    def _counts(self, rows: int) -> Tensor:
        """The number of windows of each pixel, for `rows` rows of windows: (rows + side − 1, W)."""

        def along(windows: int) -> Tensor:
            number = torch.arange(1, windows + self._side, device=self._mean.device, dtype=torch.float64)
            return torch.minimum(number, number.flip(0)).clamp(max=min(windows, self._side))

        return along(rows)[:, None] * along(self._mean.shape[2])


class _Energy(torch.autograd.Function):
    """vᵀ L v, which keeps L v for the gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, laplacian: MattingLaplacian) -> Tensor:
        product, energy = laplacian._product(x.reshape(-1, *laplacian.size))
        ctx.save_for_backward(product.mul_(2 / x.shape[0]).reshape(x.shape))
        return (energy / x.shape[0]).clamp(min=0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        (gradient,) = ctx.saved_tensors
        return slope * gradient, None


def _boxes(x: Tensor, side: int) -> Tensor:
    """Sums over all windows of side × side: (..., H, W) -> (..., H − side + 1, W − side + 1)."""
    for dim in (-1, -2):
        length = x.shape[dim] - side + 1
        total = x.narrow(dim, 0, length) + x.narrow(dim, 1, length)
        for shift in range(2, side):
            total += x.narrow(dim, shift, length)
        x = total
    return x


def _invert(m: Tensor, out: Tensor) -> None:
    """The inverses of symmetric 3 × 3 matrices, written by their six entries (`_UPPER`), by Cramer's rule."""
    (a, b, c, d, e, f), adjugate = m, out
    torch.mul(d, f, out=adjugate[0]).addcmul_(e, e, value=-1)
    torch.mul(c, e, out=adjugate[1]).addcmul_(b, f, value=-1)
    torch.mul(b, e, out=adjugate[2]).addcmul_(c, d, value=-1)
    torch.mul(a, f, out=adjugate[3]).addcmul_(c, c, value=-1)
    torch.mul(b, c, out=adjugate[4]).addcmul_(a, e, value=-1)
    torch.mul(a, d, out=adjugate[5]).addcmul_(b, b, value=-1)
    adjugate /= a * adjugate[0] + b * adjugate[1] + c * adjugate[2]


def _check(image: Tensor, eps: float, radius: int) -> None:
    if not isinstance(image, Tensor) or image.ndim != 4 or image.shape[:2] != (1, 3):
        came = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
        raise ValueError(f"the photograph must be one image (1, 3, H, W); this is {came}")
    if radius < 1:
        raise ValueError(f"radius must be at least 1 pixel; got {radius}")
    side, (height, width) = 2 * radius + 1, image.shape[2:]
    if min(height, width) < side:
        raise ValueError(f"a picture of {height}x{width} has no window of {side}x{side} pixels; use a larger one")
    if not 0 < eps < float("inf"):
        raise ValueError(f"eps must be above 0, usually {EPSILON:g}; got {eps}")
    if not bool(image.isfinite().all()):
        raise ValueError("the photograph holds NaN or infinite values")
