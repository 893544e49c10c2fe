"""Large images in little memory: a network processes the image band by band.

The output of a convolution depends on its receptive field only. A band of rows with a margin above and below, which is
cut off afterwards, therefore equals the same rows of the whole output, without a seam. What depends on the whole image,
the statistics of a normalisation, is computed over all bands first.
"""

import ctypes
import sys
from collections.abc import Callable, Iterator
from functools import cache

import torch
from torch import Tensor

from stylelearn.losses import mean_and_variance

ROWS = 32  # of a band, in the rows of what goes in; a multiple of what the networks halve by
LARGE = 2_000_000  # pixels from which it is worth while: below, a network's maps fit into any memory

Local = Callable[[Tensor], Tensor]
Rows = Callable[[int, int], Tensor]  # (first, last) -> rows of further channels, (B, C'', last − first, W)


@cache
def free_at_once() -> None:
    """From now on memory in blocks of 4 MB is free again at once; glibc would keep those of up to 32 MB, in holes."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(-3, 4_000_000)  # M_MMAP_THRESHOLD


def bands(f: Local, x: Tensor, margin: int, rows: int = ROWS, beside: Rows | None = None) -> Iterator[Tensor]:
    """What `f` makes of x, in bands from the top to the bottom; each is exactly a part of f(x).

    Args:
        f: (B, C, h, W) -> (B, C', h · k, W'), with one k (1, 2, ½, …) for all h; it may pad at the borders of what it
            gets, since that is what `margin` is for.
        x: (B, C, H, W).
        margin: rows of x above and below that a place in f(x) may depend on, or more; a multiple of 1/k.
        rows: of x in a band, a multiple of 1/k.
        beside: channels that `f` gets after those of x, and that need never be whole.
    """
    height = x.shape[2]
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        above, below = max(0, top - margin), min(height, bottom + margin)
        part = x[:, :, above:below]
        made = f(part if beside is None else torch.cat([part, beside(above, below).to(part)], dim=1))
        step = made.shape[2] / (below - above)  # k
        first, last = round((top - above) * step), round((bottom - above) * step)
        yield made[:, :, first:last]


def in_bands(f: Local, x: Tensor, margin: int, rows: int = ROWS, beside: Rows | None = None) -> Tensor:
    """f(x), put together from `bands`. Arguments as there."""
    whole, at = None, 0
    for band in bands(f, x, margin, rows, beside):
        if whole is None:
            height = x.shape[2] * band.shape[2] // min(rows, x.shape[2])
            whole = band.new_empty(*band.shape[:2], height, band.shape[3])
        whole[:, :, at : at + band.shape[2]] = band
        at += band.shape[2]
    return whole  # type: ignore[return-value]  # x has rows


def mean_and_variance_in_bands(
    f: Local, x: Tensor, margin: int, rows: int = ROWS, beside: Rows | None = None
) -> tuple[Tensor, Tensor]:
    """Mean and variance (biased) of each channel of f(x) over all positions: (B, C, 1, 1) each.

    f(x) itself is never whole. Bands are joined by the rule of Chan, Golub & LeVeque (1979), which loses no digits.
    """
    count, mean, squares = 0, torch.zeros(()), torch.zeros(())
    for band in bands(f, x, margin, rows, beside):
        positions = band.shape[2] * band.shape[3]
        here, variance = mean_and_variance(band)
        apart = here - mean
        total = count + positions
        mean = mean + apart * (positions / total)
        squares = squares + variance * positions + apart.square() * (count * positions / total)
        count = total
    return mean, squares / count
