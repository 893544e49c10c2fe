"""Random warps of letters and random shears of styles, so that fifty letters and twenty fonts become many more.

A letter that is warped alike in all fonts is another letter in the same fonts; a font that is slanted and stretched
alike in all letters is another font. So a target is warped together with its content references and sheared together
with its style references.

A *grid* says where each pixel comes from, as `F.grid_sample` takes it: (B, 80, 80, 2), x and y in [-1, 1].
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelearn.glyphs.rendering import BASELINE, SIZE

KNOTS = 5  # per side; between them a warp is smooth
WARP = 2.5  # pixels, the standard deviation at a knot
SLANT = 0.12  # pixels to the side per pixel up, at most
STRETCH = 0.12  # of width and of height, at most, as a share
SHARPEN = 1.3  # makes up for what sampling between pixels takes away from edges


def identity_grid(count: int) -> Tensor:
    """The grid that changes nothing: (count, 80, 80, 2)."""
    centres = (torch.arange(SIZE) + 0.5) * 2 / SIZE - 1
    rows, columns = torch.meshgrid(centres, centres, indexing="ij")
    return torch.stack([columns, rows], dim=2).expand(count, -1, -1, -1)


def random_warps(count: int, generator: torch.Generator) -> Tensor:
    """Grids of random smooth warps for letters, the identity for every other one: (count, 80, 80, 2)."""
    knots = torch.randn(count, 2, KNOTS, KNOTS, generator=generator) * WARP * 2 / SIZE
    knots[::2] = 0
    moved = F.interpolate(knots, size=(SIZE, SIZE), mode="bicubic", align_corners=True)
    return identity_grid(count) + moved.permute(0, 2, 3, 1)


def random_shears(count: int, generator: torch.Generator) -> Tensor:
    """Grids of random slants and stretches about the baseline for styles, half of them the identity."""
    random = 2 * torch.rand(3, count, 1, 1, generator=generator) - 1
    slant, wide, high = random * (torch.arange(count) % 4 < 2)[None, :, None, None]
    columns, rows = identity_grid(count).unbind(dim=3)
    base = 2 * BASELINE / SIZE - 1
    above = (rows - base) / (1 + STRETCH * high)
    return torch.stack([columns / (1 + STRETCH * wide) + SLANT * slant * above, base + above], dim=3)


def warp(glyphs: Tensor, grids: Tensor) -> Tensor:
    """Glyphs (B, n, 80, 80), each set by its own grid (B, 80, 80, 2); an identity grid changes no bit."""
    rows, out = _moved(grids), glyphs.clone()
    sampled = _sampled(glyphs[rows], grids[rows])
    out[rows] = ((sampled - 0.5) * SHARPEN + 0.5).clamp(0, 1)
    return out


def compose(first: Tensor, then: Tensor) -> Tensor:
    """The grid that does what `first` does and, on its result, `then`."""
    rows, out = _moved(then), first.clone()
    out[rows] = _sampled(first[rows].permute(0, 3, 1, 2), then[rows]).permute(0, 2, 3, 1)
    return out


def _moved(grids: Tensor) -> Tensor:
    return (grids - identity_grid(1)).abs().amax(dim=(1, 2, 3)) > 1e-6


def _sampled(images: Tensor, grids: Tensor) -> Tensor:
    return F.grid_sample(images, grids, mode="bilinear", padding_mode="border", align_corners=False)
