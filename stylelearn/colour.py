"""Colour: brightness apart from colour, and three ways to keep the content's colours in a pastiche.

Gatys, Bethge, Hertzmann & Shechtman 2016, *Preserving Color in Neural Artistic Style Transfer* (arXiv 1606.05897),
describe two: transfer the style to the brightness only (`keep_colours`), or give the style picture the content's
colours before the transfer (`match_colour`, linear). `match_histogram` is the older, channel-by-channel way.

An `image` is (B, 3, H, W), sRGB, in [0, 1]; all formulas work on these (gamma-encoded) values, as the paper does.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

# ITU-R BT.601, full range, as in JPEG: how much red, green and blue count for brightness.
RED, GREEN, BLUE = 0.299, 0.587, 0.114

_FLOOR = 1e-6  # smallest variance: a third of a grey level squared; keeps one-coloured pictures invertible


def luminance(image: Tensor) -> Tensor:
    """Brightness Y = 0.299 R + 0.587 G + 0.114 B (BT.601).

    Args:
        image: (B, 3, H, W) in [0, 1].
    Returns:
        (B, 1, H, W) in [0, 1].
    Raises:
        ValueError: if it is not an image.
    """
    red, green, blue = _channels(image, "image")
    return RED * red + GREEN * green + BLUE * blue


def rgb_to_ycbcr(image: Tensor) -> Tensor:
    """Brightness and two colour differences, as in JPEG (BT.601, full range).

    Y = 0.299 R + 0.587 G + 0.114 B,  Cb = ½ + (B − Y) / 1.772,  Cr = ½ + (R − Y) / 1.402

    Args:
        image: (B, 3, H, W) in [0, 1].
    Returns:
        (B, 3, H, W) in [0, 1]: Y, Cb, Cr; grey has Cb = Cr = ½.
    Raises:
        ValueError: if it is not an image.
    """
    red, _, blue = _channels(image, "image")
    y = luminance(image)
    cb = 0.5 + (blue - y) / (2 * (1 - BLUE))
    cr = 0.5 + (red - y) / (2 * (1 - RED))
    return torch.cat([y, cb, cr], dim=1)


def ycbcr_to_rgb(ycbcr: Tensor) -> Tensor:
    """The inverse of `rgb_to_ycbcr`; not clamped, since not every (Y, Cb, Cr) is a colour that a screen can show.

    Args:
        ycbcr: (B, 3, H, W).
    Returns:
        (B, 3, H, W): R, G, B.
    Raises:
        ValueError: if it has no three channels.
    """
    y, cb, cr = _channels(ycbcr, "ycbcr")
    red = y + 2 * (1 - RED) * (cr - 0.5)
    blue = y + 2 * (1 - BLUE) * (cb - 0.5)
    green = (y - RED * red - BLUE * blue) / GREEN
    return torch.cat([red, green, blue], dim=1)


def keep_colours(pastiche: Tensor, content: Tensor) -> Tensor:
    """The pastiche's brightness with the content's colours: style in luminance only.

    Args:
        pastiche: (B, 3, H, W) in [0, 1].
        content: the same shape, or one image (1, 3, H, W) for the whole batch.
    Returns:
        (B, 3, H, W) in [0, 1]. Its luminance is the pastiche's but where a colour had to be clamped.
    Raises:
        ValueError: if the sizes differ.
    """
    if pastiche.shape[-2:] != content.shape[-2:]:
        raise ValueError(
            f"pastiche {tuple(pastiche.shape)} and content {tuple(content.shape)} differ in size; "
            f"use resize(content, {tuple(pastiche.shape[-2:])}, 'box')"
        )
    _check_batch(pastiche, content, "pastiche", "content")
    colours = rgb_to_ycbcr(content)[:, 1:].expand(pastiche.shape[0], -1, -1, -1)  # (B, 2, H, W)
    return ycbcr_to_rgb(torch.cat([luminance(pastiche), colours], dim=1)).clamp(0, 1)


def match_histogram(image: Tensor, reference: Tensor) -> Tensor:
    """Give each channel of the image the reference's distribution of values (scikit-image's `match_histograms`).

    Channels are matched one by one, so colours may appear that neither picture has; `match_colour` avoids that.

    Args:
        image: (B, 3, H, W) in [0, 1].
        reference: (B, 3, H', W') of any size, or one image for the whole batch.
    Returns:
        (B, 3, H, W) in [0, 1]; no gradient.
    Raises:
        ValueError: if they are not images.
    """
    from skimage.exposure import match_histograms

    _check_batch(image, reference, "image", "reference")
    references = reference.expand(image.shape[0], -1, -1, -1)
    matched = [
        torch.from_numpy(match_histograms(one.detach().cpu().numpy(), other.detach().cpu().numpy(), channel_axis=0))
        for one, other in zip(image, references, strict=True)  # (3, H, W) each
    ]
    return torch.stack(matched).to(image).clamp(0, 1)


def match_colour(style: Tensor, content: Tensor, method: Literal["pca", "cholesky"] = "pca") -> Tensor:
    """Give the style picture the content's colours: its mean and its covariance in RGB.

    Each pixel x of the style becomes A x + b with

        b = μ_c − A μ_s   and   A Σ_s Aᵀ = Σ_c,

    where μ and Σ are the means and covariances of the pixels (Gatys et al. 2016, linear colour transfer). Many A solve
    this; the paper gives two, Σ = L Lᵀ being the Cholesky factors and Σ^½ the symmetric root:

        "cholesky":  A = L_c L_s⁻¹        "pca":  A = Σ_c^½ Σ_s^−½   (as in Image Analogies; the authors' choice)

    Args:
        style: (B, 3, H, W) in [0, 1].
        content: (B, 3, H', W') of any size, or one image for the whole batch.
        method: which A.
    Returns:
        (B, 3, H, W) in [0, 1].
    Raises:
        ValueError: if they are not images, or the method is unknown.

    Differs from the paper: variances below 1e-6 count as 1e-6, so that a grey or one-coloured style does not divide
    by zero; and the result is clamped to [0, 1].
    """
    if method not in ("pca", "cholesky"):
        raise ValueError(f"method is {method!r}; choose 'pca' or 'cholesky'")
    _check_batch(style, content, "style", "content")
    pixels = style.double().flatten(start_dim=2)  # (B, 3, H·W); double: small variances are inverted
    style_mean, style_covariance = _moments(style)
    content_mean, content_covariance = _moments(content)
    if method == "cholesky":
        lower_style = torch.linalg.cholesky(_root_of(style_covariance, 1.0))
        lower_content = torch.linalg.cholesky(_root_of(content_covariance, 1.0))
        a = lower_content @ torch.linalg.inv(lower_style)  # (B, 3, 3)
    else:
        a = _root_of(content_covariance, 0.5) @ _root_of(style_covariance, -0.5)  # (B, 3, 3)
    matched = a @ (pixels - style_mean) + content_mean  # (B, 3, H·W)
    return matched.reshape(style.shape).to(style.dtype).clamp(0, 1)


def _moments(image: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (B, 3, 1) and covariance (B, 3, 3) of the pixels, over all of them, in float64."""
    pixels = image.double().flatten(start_dim=2)  # (B, 3, H·W)
    mean = pixels.mean(dim=2, keepdim=True)  # (B, 3, 1)
    centred = pixels - mean
    return mean, centred @ centred.transpose(1, 2) / pixels.shape[2]


def _root_of(covariance: Tensor, power: float) -> Tensor:
    """Σ^power by eigenvalues, none taken smaller than the floor."""
    values, vectors = torch.linalg.eigh(covariance)  # (B, 3), (B, 3, 3)
    return vectors @ torch.diag_embed(values.clamp(min=_FLOOR) ** power) @ vectors.transpose(1, 2)


def _channels(image: Tensor, name: str) -> tuple[Tensor, Tensor, Tensor]:
    if image.ndim != 4 or image.shape[1] != 3:
        raise ValueError(f"{name} must be (B, 3, H, W), got {tuple(image.shape)}")
    return image[:, 0:1], image[:, 1:2], image[:, 2:3]  # (B, 1, H, W) each


def _check_batch(image: Tensor, other: Tensor, name: str, other_name: str) -> None:
    _channels(image, name)
    _channels(other, other_name)
    if other.shape[0] not in (1, image.shape[0]):
        raise ValueError(
            f"{other_name} has {other.shape[0]} images for {image.shape[0]} of {name}; give one, or one for each"
        )
