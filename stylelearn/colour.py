"""Colour spaces, the content's colours kept in a pastiche (lesson 02), colour transfer without a network (lesson 07).

Keeping colours: Gatys, Bethge, Hertzmann & Shechtman 2016, *Preserving Color in Neural Artistic Style Transfer* (arXiv
1606.05897), transfer the style to the brightness only (`keep_colours`), or first give the style picture the content's
colours (`match_colour`, linear). `match_histogram` is the older, channel-by-channel way.

Colour transfer: image (1, 3, H, W), reference (1, 3, H', W') -> the image with the reference's colours, (1, 3, H, W),
as mean and deviation in lαβ (`reinhard`), as mean and covariance (`monge_kantorovich`), or as a whole distribution
(`distribution_transfer`, made smooth by `regrain`). None knows where a colour is: a meadow may take a door's green.

A picture is (B, 3, H, W), sRGB, in [0, 1]; all formulas work on these (gamma-encoded) values, as the papers do. Every
function raises ValueError for what is no picture, and for two that do not fit.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

# ITU-R BT.601, full range, as in JPEG: how much red, green and blue count for brightness.
RED, GREEN, BLUE = 0.299, 0.587, 0.114

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


def luminance(image: Tensor) -> Tensor:
    """Brightness Y = 0.299 R + 0.587 G + 0.114 B (BT.601): (B, 3, H, W) -> (B, 1, H, W) in [0, 1]."""
    red, green, blue = _channels(image, "image")
    return RED * red + GREEN * green + BLUE * blue


def rgb_to_ycbcr(image: Tensor) -> Tensor:
    """Brightness and two colour differences, as in JPEG (BT.601, full range).

    Y = 0.299 R + 0.587 G + 0.114 B,  Cb = ½ + (B − Y) / 1.772,  Cr = ½ + (R − Y) / 1.402

    (B, 3, H, W) -> (B, 3, H, W) in [0, 1]; grey has Cb = Cr = ½.
    """
    red, _, blue = _channels(image, "image")
    y = luminance(image)
    cb = 0.5 + (blue - y) / (2 * (1 - BLUE))
    cr = 0.5 + (red - y) / (2 * (1 - RED))
    return torch.cat([y, cb, cr], dim=1)


def keep_colours(pastiche: Tensor, content: Tensor) -> Tensor:
    """The pastiche's brightness with the content's colours: style in luminance only.

    With Cb and Cr kept, R, G and B all change by the change of Y: content + Y(pastiche) − Y(content).
    (B, 3, H, W) and, of the same size, (B or 1, 3, H, W) -> (B, 3, H, W). Its luminance is the pastiche's except where
    a colour had to be clamped.
    """
    if pastiche.shape[-2:] != content.shape[-2:]:
        raise ValueError(
            f"pastiche {tuple(pastiche.shape)} and content {tuple(content.shape)} differ in size; "
            f"use resize(content, {tuple(pastiche.shape[-2:])}, 'box')"
        )
    _check_batch(pastiche, content, "pastiche", "content")
    return (content + luminance(pastiche) - luminance(content)).clamp(0, 1)


def match_histogram(image: Tensor, reference: Tensor) -> Tensor:
    """Give each channel of the image the reference's distribution of values (scikit-image's `match_histograms`).

    Channels are matched one by one, so colours may appear that neither picture has; `match_colour` avoids that.
    (B, 3, H, W) and (B or 1, 3, H', W') -> (B, 3, H, W), without gradient.
    """
    from skimage.exposure import match_histograms

    _check_batch(image, reference, "image", "reference")
    references = reference.expand(image.shape[0], -1, -1, -1)
    matched = [
        torch.from_numpy(match_histograms(one.detach().cpu().numpy(), other.detach().cpu().numpy(), channel_axis=0))
        for one, other in zip(image, references, strict=True)  # (3, H, W) each
    ]
    return torch.stack(matched).to(image).clamp(0, 1)


def match_colour(style: Tensor, content: Tensor) -> Tensor:
    """Give the style picture the content's colours: its mean and its covariance in RGB.

    Each pixel x of the style becomes A x + b with

        b = μ_c − A μ_s,   A = Σ_c^½ Σ_s^−½,   so that A Σ_s Aᵀ = Σ_c,

    where μ and Σ are the means and covariances of the pixels (Gatys et al. 2016, linear colour transfer; of the two A
    in the paper this is the authors' choice, from Image Analogies).
    (B, 3, H, W) and (B or 1, 3, H', W') -> (B, 3, H, W).

    **Differs from the paper:** variances below 1e-6 count as 1e-6, so that a grey or one-coloured style does not divide
    by zero; and the result is clamped to [0, 1].
    """
    _check_batch(style, content, "style", "content")
    pixels = style.double().flatten(start_dim=2)  # (B, 3, H·W); double: small variances are inverted
    (mean, covariance), (wanted, target) = _moments(style), _moments(content)
    a = _root_of(target, 0.5) @ _root_of(covariance, -0.5)  # (B, 3, 3)
    return (a @ (pixels - mean) + wanted).reshape(style.shape).to(style.dtype).clamp(0, 1)


# --- colour transfer --------------------------------------------------------------------------------------------------


def rgb_to_l_alpha_beta(image: Tensor) -> Tensor:
    """lαβ of Ruderman et al. 1998: logarithms of cone responses on their principal axes (Reinhard et al. 2001, Eq. 6).

    (B, 3, H, W) -> (B, 3, H, W) in float64: l (light, black is the lowest), α (yellow to blue), β (red to green).

    **Differs from the paper:** responses below one level of 8 bits count as one level, so that black stays finite.
    """
    _channels(image, "image")
    cones = torch.einsum("ij,bjhw->bihw", _CONES.to(image.device), image.double())
    return torch.einsum("ij,bjhw->bihw", _AXES.to(image.device), cones.clamp(min=_DARKEST).log10())


def l_alpha_beta_to_rgb(l_alpha_beta: Tensor) -> Tensor:
    """The inverse of `rgb_to_l_alpha_beta`, float64; not clamped, since a screen does not show every lαβ."""
    _channels(l_alpha_beta, "lαβ")
    cones = 10 ** torch.einsum("ij,bjhw->bihw", torch.linalg.inv(_AXES).to(l_alpha_beta.device), l_alpha_beta.double())
    return torch.einsum("ij,bjhw->bihw", torch.linalg.inv(_CONES).to(l_alpha_beta.device), cones)


def reinhard(image: Tensor, reference: Tensor) -> Tensor:
    """Mean and standard deviation of each channel in lαβ (Reinhard, Ashikhmin, Gooch & Shirley 2001, Eq. 10 and 11)."""
    _check_pair(image, reference, "reference")
    mine, theirs = rgb_to_l_alpha_beta(image), rgb_to_l_alpha_beta(reference)
    deviation, mean = torch.std_mean(mine, dim=(2, 3), correction=0, keepdim=True)
    wanted, centre = torch.std_mean(theirs, dim=(2, 3), correction=0, keepdim=True)
    found = (mine - mean) * wanted / deviation.clamp(min=_FLOOR**0.5) + centre
    return l_alpha_beta_to_rgb(found).to(image.dtype).clamp(0, 1)


def monge_kantorovich(image: Tensor, reference: Tensor) -> Tensor:
    """The linear map to the reference's mean and covariance that moves colours least (Pitié & Kokaram 2007).

    x ↦ T (x − μ) + μ_r,   T = A^{−1/2} (A^{1/2} B A^{1/2})^{1/2} A^{−1/2},   so that T A T = B,

    A and B being the covariances of image and reference.

    **Differs from the paper:** variances below 1e-6 count as 1e-6, so that a grey picture does not divide by zero.
    """
    _check_pair(image, reference, "reference")
    (mean, covariance), (centre, wanted) = _moments(image), _moments(reference)
    root, inverse = _root_of(covariance, 0.5), _root_of(covariance, -0.5)
    transport = inverse @ _root_of(root @ wanted @ root, 0.5, floor=0.0) @ inverse  # T, (1, 3, 3)
    found = transport @ (image.double().flatten(2) - mean) + centre  # (1, 3, H·W)
    return found.reshape(image.shape).to(image.dtype).clamp(0, 1)


def distribution_transfer(image: Tensor, reference: Tensor, rounds: int = 20) -> Tensor:
    """The reference's whole distribution of colours: iterated 1-D histogram matching (Pitié, Kokaram & Dahyot 2005).

    Each of the rounds, at least 1, turns colour space at random and matches the two distributions along its three axes.
    The first turns nothing.
    """
    _check_pair(image, reference, "reference")
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1; got {rounds}")
    pixels, wanted = (each[0].double().flatten(1).cpu().numpy() for each in (image, reference))  # (3, N), (3, M)
    random, turn = np.random.default_rng(0), np.eye(3)
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


def regrain(image: Tensor, recoloured: Tensor) -> Tensor:
    """Give a recoloured picture the grain of the original back (Pitié, Kokaram & Dahyot 2007, section 5).

    argmin_J Σ φ ‖∇J − ∇I‖² + ψ (J − T)²,   φ = 30 / (1 + 10 g),   ψ = min(1, 256 g / 5),

    g being the steepness of I: its gradients, and where it has edges, the colours of the recoloured T, of I's size.

    **Differs from the paper:** the linear equations are solved at once, where the authors step from coarse to fine;
    ψ is at least 1e-3, so that they have one solution.
    """
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import splu

    _check_pair(image, recoloured, "recoloured")
    if image.shape != recoloured.shape:
        raise ValueError(f"image {tuple(image.shape)} and recoloured {tuple(recoloured.shape)} differ in size")
    steep = _steepness(image)
    phi, psi = 30 / (1 + 10 * steep), np.clip(256 / 5 * steep, 1e-3, 1)  # (H·W,) each
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


# --- shared -----------------------------------------------------------------------------------------------------------


def _moments(image: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (B, 3, 1) and covariance (B, 3, 3) of the pixels, over all of them, in float64."""
    pixels = image.double().flatten(start_dim=2)  # (B, 3, H·W)
    mean = pixels.mean(dim=2, keepdim=True)  # (B, 3, 1)
    centred = pixels - mean
    return mean, centred @ centred.transpose(1, 2) / pixels.shape[2]


def _root_of(covariance: Tensor, power: float, floor: float = _FLOOR) -> Tensor:
    """Σ^power by eigenvalues, none taken smaller than the floor."""
    values, vectors = torch.linalg.eigh(covariance)  # (B, 3), (B, 3, 3)
    return vectors @ torch.diag_embed(values.clamp(min=floor) ** power) @ vectors.transpose(1, 2)


def _channels(image: Tensor, name: str) -> tuple[Tensor, Tensor, Tensor]:
    if image.ndim != 4 or image.shape[1] != 3:
        raise ValueError(f"{name} must be (B, 3, H, W), got {tuple(image.shape)}")
    return image[:, 0:1], image[:, 1:2], image[:, 2:3]  # (B, 1, H, W) each


def _check_batch(image: Tensor, other: Tensor, name: str, other_name: str) -> None:
    _channels(image, name)
    _channels(other, other_name)
    if len(other) not in (1, len(image)):
        raise ValueError(f"{other_name} has {len(other)} images for {len(image)} of {name}; give one, or one for each")


def _check_pair(image: Tensor, other: Tensor, other_name: str) -> None:
    for one, name in ((image, "image"), (other, other_name)):
        _channels(one, name)
        if one.shape[0] != 1 or one.numel() == 0:
            raise ValueError(f"{name} must be one image (1, 3, H, W), got {tuple(one.shape)}")
