"""More letters and more styles than there are: glyphs that are bent at random, alike where they must stay alike.

A letter that is bent a little, in ten fonts alike, is another letter in the same fonts; a font that is slanted and
stretched a little, in all its letters alike, is another font. So each target gets a bend of its letter, which its
content references get as well, and a shear of its style, which its style references get as well.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelearn.glyphs.rendering import BASELINE, SIZE

KNOTS = 5  # a side, between which a bend is smooth
BEND = 2.5  # pixels, the standard deviation at a knot
SLANT = 0.12  # pixels to the right for each pixel up, at most, to either side
STRETCH = 0.12  # wider or narrower, higher or lower, at most, as a share
SHARPEN = 1.3  # what sampling between pixels takes away from edges


def straight(count: int) -> Tensor:
    """Where each pixel comes from when nothing is bent: (count, 80, 80, 2), x and y in [-1, 1], as for grid_sample."""
    centres = (torch.arange(SIZE) + 0.5) * 2 / SIZE - 1
    rows, columns = torch.meshgrid(centres, centres, indexing="ij")
    return torch.stack([columns, rows], dim=2).expand(count, -1, -1, -1)


def bends(count: int, generator: torch.Generator) -> Tensor:
    """Random bends of letters, every other one straight: (count, 80, 80, 2)."""
    knots = torch.randn(count, 2, KNOTS, KNOTS, generator=generator) * BEND * 2 / SIZE
    knots[::2] = 0
    moved = F.interpolate(knots, size=(SIZE, SIZE), mode="bicubic", align_corners=True)
    return straight(count) + moved.permute(0, 2, 3, 1)


def shears(count: int, generator: torch.Generator) -> Tensor:
    """Random slants and stretches of styles, about the baseline, a half of them straight: (count, 80, 80, 2)."""
    slant, wide, high = (2 * torch.rand(3, count, 1, 1, generator=generator) - 1) * (torch.arange(count) % 4 < 2)[
        None, :, None, None
    ]
    columns, rows = straight(count).unbind(dim=3)
    base = 2 * BASELINE / SIZE - 1
    above = (rows - base) / (1 + STRETCH * high)
    return torch.stack([columns / (1 + STRETCH * wide) + SLANT * slant * above, base + above], dim=3)


def bent(glyphs: Tensor, places: Tensor) -> Tensor:
    """Glyphs (B, n, 80, 80), each set with its own places (B, 80, 80, 2); straight ones stay exactly as they are."""
    rows, out = _moved(places), glyphs.clone()
    sampled = _sampled(glyphs[rows], places[rows])
    out[rows] = ((sampled - 0.5) * SHARPEN + 0.5).clamp(0, 1)
    return out


def after(first: Tensor, then: Tensor) -> Tensor:
    """The places that do what `first` does and, on its result, `then`."""
    rows, out = _moved(then), first.clone()
    out[rows] = _sampled(first[rows].permute(0, 3, 1, 2), then[rows]).permute(0, 2, 3, 1)
    return out


def _moved(places: Tensor) -> Tensor:
    return (places - straight(1)).abs().amax(dim=(1, 2, 3)) > 1e-6


def _sampled(images: Tensor, places: Tensor) -> Tensor:
    return F.grid_sample(images, places, mode="bilinear", padding_mode="border", align_corners=False)
