"""Colours of one photograph for another, without a network: what photo style transfer is compared with.

All take (image, reference) and give the image the reference's colours, each with its own idea of what those are:
mean and deviation in lαβ (`reinhard`), mean and covariance (`monge_kantorovich`), or the whole distribution
(`distribution_transfer`, made smooth by `regrain`). `colour.match_histogram` does each channel on its own.

None knows where a colour is: a green meadow may take the green of a door.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

# Reinhard et al. 2001, Eq. 4 and 5: sRGB's primaries to cone responses; Eq. 6: their logarithms to lαβ. The rows of
# the first add up to about 1, those of α and β to 0, so that greys have hardly any α and β.
_CONES = torch.tensor(
    [[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]], dtype=torch.float64
)
_AXES = torch.tensor([3.0, 6.0, 2.0], dtype=torch.float64).rsqrt()[:, None] * torch.tensor(
    [[1.0, 1.0, 1.0], [1.0, 1.0, -2.0], [1.0, -1.0, 0.0]], dtype=torch.float64
)
_DARKEST = 1 / 255  # black has no logarithm
_FLOOR = 1e-6  # smallest variance: a third of a grey level squared; keeps one-coloured pictures invertible


def rgb_to_lab(image: Tensor) -> Tensor:
    """lαβ of Ruderman et al. 1998: logarithms of cone responses on their principal axes (Reinhard et al. 2001, Eq. 6).

    Args:
        image: (B, 3, H, W) in [0, 1].
    Returns:
        (B, 3, H, W): l (light, black is the lowest), α (yellow to blue), β (red to green); float64.
    Raises:
        ValueError: if it is not an image.

    **Differs from the paper:** responses below one level of 8 bits count as one level, so that black stays finite.
    """
    _check(image=image)
    cones = torch.einsum("ij,bjhw->bihw", _CONES.to(image.device), image.double())
    return torch.einsum("ij,bjhw->bihw", _AXES.to(image.device), cones.clamp(min=_DARKEST).log10())


def lab_to_rgb(lab: Tensor) -> Tensor:
    """The inverse of `rgb_to_lab`, (B, 3, H, W) in float64; not clamped: not every lαβ is a colour of a screen."""
    _check(lab=lab)
    cones = 10 ** torch.einsum("ij,bjhw->bihw", torch.linalg.inv(_AXES).to(lab.device), lab.double())
    return torch.einsum("ij,bjhw->bihw", torch.linalg.inv(_CONES).to(lab.device), cones)


def reinhard(image: Tensor, reference: Tensor) -> Tensor:
    """Mean and standard deviation of each channel in lαβ (Reinhard, Ashikhmin, Gooch & Shirley 2001, Eq. 10 and 11).

    Args:
        image: (1, 3, H, W) in [0, 1]. reference: (1, 3, H', W') of any size.
    Returns:
        (1, 3, H, W) in [0, 1].
    Raises:
        ValueError: if they are not two images.
    """
    _check(image=image, reference=reference)
    mine, theirs = rgb_to_lab(image), rgb_to_lab(reference)
    deviation, mean = torch.std_mean(mine, dim=(2, 3), correction=0, keepdim=True)
    wanted, centre = torch.std_mean(theirs, dim=(2, 3), correction=0, keepdim=True)
    found = (mine - mean) * wanted / deviation.clamp(min=_FLOOR**0.5) + centre
    return lab_to_rgb(found).to(image.dtype).clamp(0, 1)


def monge_kantorovich(image: Tensor, reference: Tensor) -> Tensor:
    """The linear map to the reference's mean and covariance that moves colours least (Pitié & Kokaram 2007).

    x ↦ T (x − μ) + μ_r,   T = A^{−1/2} (A^{1/2} B A^{1/2})^{1/2} A^{−1/2},   so that T A T = B,

    A and B being the covariances of image and reference. Arguments, result and errors as `reinhard`.
    **Differs from the paper:** variances below 1e-6 count as 1e-6, so that a grey picture does not divide by zero.
    """
    _check(image=image, reference=reference)
    pixels, mean, covariance = _moments(image)
    _, centre, wanted = _moments(reference)
    root, inverse = _power(covariance, 0.5), _power(covariance, -0.5)
    transport = inverse @ _power(root @ wanted @ root, 0.5, floor=0.0) @ inverse  # T
    found = transport @ (pixels - mean) + centre  # (3, H·W)
    return found.reshape(image.shape).to(image.dtype).clamp(0, 1)


def _moments(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels (3, H·W), their mean (3, 1) and covariance (3, 3), in float64."""
    pixels = image[0].double().flatten(1)
    return pixels, pixels.mean(dim=1, keepdim=True), torch.cov(pixels, correction=0)


def _power(matrix: Tensor, power: float, floor: float = _FLOOR) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.clamp(min=floor) ** power) @ vectors.T


def distribution_transfer(image: Tensor, reference: Tensor, rounds: int = 20, seed: int = 0) -> Tensor:
    """The reference's whole distribution of colours: iterated 1-D histogram matching (Pitié, Kokaram & Dahyot 2005).

    Each round turns colour space at random and matches the two distributions along its three axes.

    Args:
        image, reference, and what is returned and raised: as `reinhard`.
        rounds: at least 1. seed: of the turns; the first is none.
    """
    _check(image=image, reference=reference)
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1; got {rounds}")
    pixels, wanted = (each[0].double().flatten(1).cpu().numpy() for each in (image, reference))  # (3, N), (3, M)
    random, turn = np.random.default_rng(seed), np.eye(3)
    for _ in range(rounds):
        turned, theirs = turn @ pixels, turn @ wanted
        for axis, other in zip(turned, theirs, strict=True):
            axis[:] = _matched(axis, other)
        pixels = turn.T @ turned
        turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
    return torch.from_numpy(pixels).reshape(image.shape).to(image).clamp(0, 1)


def _matched(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The reference's value at the rank of each value; equal values get equal ones."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - counts / 2) / values.size  # the middle of the ranks that a value covers
    return np.interp(ranks, (np.arange(reference.size) + 0.5) / reference.size, np.sort(reference))[place]


def regrain(image: Tensor, recoloured: Tensor, smoothness: float = 1.0) -> Tensor:
    """Give a recoloured picture the grain of the original back (Pitié, Kokaram & Dahyot 2007, section 5).

    argmin_J Σ φ ‖∇J − ∇I‖² + ψ (J − T)²,   φ = 30 / (1 + 10 g / s),   ψ = min(1, 256 g / 5),

    g being the steepness of I: its gradients, and where it has edges, the colours of the recoloured T.

    Args:
        image: I, (1, 3, H, W) in [0, 1]. recoloured: T, of the same size.
        smoothness: s > 0; more of it trusts the gradients more.
    Returns:
        (1, 3, H, W) in [0, 1].
    Raises:
        ValueError: sizes that differ, or smoothness ≤ 0.

    **Differs from the paper:** the linear equations are solved at once, where the authors step from coarse to fine;
    ψ is at least 1e-3, so that they have one solution.
    """
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import splu

    _check(image=image, recoloured=recoloured)
    if image.shape != recoloured.shape:
        raise ValueError(f"image {tuple(image.shape)} and recoloured {tuple(recoloured.shape)} differ in size")
    if not smoothness > 0:
        raise ValueError(f"smoothness must be above 0; got {smoothness}")
    steep = _steepness(image)
    phi, psi = 30 / (1 + 10 * steep / smoothness), np.clip(256 / 5 * steep, 1e-3, 1)  # (H·W,) each
    gradient = _gradient(*image.shape[-2:])
    smooth = gradient.T @ diags_array(np.tile(phi, 2)) @ gradient  # ∇ᵀ φ ∇
    solver = splu((smooth + diags_array(psi)).tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    original, wanted = (each[0].double().flatten(1).cpu().numpy().T for each in (image, recoloured))  # (H·W, 3)
    found = solver.solve(smooth @ original + psi[:, None] * wanted)
    return torch.from_numpy(found.T.copy()).reshape(image.shape).to(image).clamp(0, 1)


def _gradient(height: int, width: int):  # type: ignore[no-untyped-def]  # a sparse matrix
    """Differences to the right and below, (2·H·W, H·W): 0 in the last column and the last row."""
    from scipy.sparse import diags_array, eye_array, kron, vstack

    def along(length: int):  # type: ignore[no-untyped-def]
        inside = np.r_[np.ones(length - 1), 0]
        return diags_array([-inside, inside[:-1]], offsets=[0, 1], shape=(length, length))

    return vstack([kron(eye_array(height), along(width)), kron(along(height), eye_array(width))]).tocsr()


def _steepness(image: Tensor) -> np.ndarray:
    """√(Σ over channels and both directions of squared central differences), (H·W,)."""
    planes = image[0].double().cpu().numpy()
    down, right = (np.gradient(planes, axis=axis) if planes.shape[axis] > 1 else 0 * planes for axis in (1, 2))
    return np.sqrt((down**2 + right**2).sum(axis=0)).ravel()


def _check(**images: Tensor) -> None:
    for name, image in images.items():
        if image.ndim != 4 or image.shape[1] != 3 or image.numel() == 0:
            raise ValueError(f"{name} must be (B, 3, H, W), got {tuple(image.shape)}")
        if len(images) > 1 and image.shape[0] != 1:
            raise ValueError(f"{name} must be one image (1, 3, H, W), got {tuple(image.shape)}")
