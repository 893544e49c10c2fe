"""Encoder and decoder of lesson 09's networks: convolutions down to 1 × 1, and up again with skip connections.

Zhang et al. (2018) use eight convolutions down, from 80 × 80 pixels to a vector, and eight up (`PAPER`); each step up
also receives the content encoder's activations of that size.

**Differs from the paper:** seven convolutions (`LAPTOP`) start from folded pixels, 2 × 2 into four channels, so that
nothing is computed at full size, which is most of the cost. Each step up repeats pixels and then convolves; transposed
convolutions leave squares. The references of a set are sorted (`as_channels`).
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelearn.glyphs.rendering import SIZE

PAPER = (64, 128, 256, 512, 512, 512, 512, 512)  # channels of each convolution; the last is the length of a code
LAPTOP = (32, 32, 64, 96, 96, 96, 64)
DEPTH = 8  # convolutions from 80 × 80 to one place: 80, 40, 20, 10, 5, 3, 2, 1
SLOPE = 0.2  # of the leaky rectifiers


class Down(nn.Module):
    """The encoder: the first convolution keeps the size, each of the others halves it.

    Args:
        inputs: channels of the input, r for a set of r references.
        channels: of each convolution; eight, or seven on folded pixels. Raises ValueError otherwise.
    """

    def __init__(self, inputs: int, channels: Sequence[int] = LAPTOP) -> None:
        super().__init__()
        self.fold = fold_of(channels)
        self.steps = nn.ModuleList([_step(inputs * self.fold**2, channels[0], kernel=5 if self.fold == 1 else 3)])
        self.steps.extend(_step(before, after, stride=2) for before, after in pairwise(channels))

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, inputs, 80, 80) -> the code (B, R), and the activations of all steps but the last, largest first."""
        x = F.pixel_unshuffle(x, self.fold)  # (B, 4 · inputs, 40, 40), where pixels are folded
        x = x.contiguous(memory_format=torch.channels_last)
        seen = []
        for step in self.steps:
            x = step(x)
            seen.append(x)
        return x.flatten(start_dim=1), seen[:-1]


class Up(nn.Module):
    """The decoder: a code and the encoder's activations in, one glyph out. `channels` as of `Down`."""

    def __init__(self, channels: Sequence[int] = LAPTOP) -> None:
        super().__init__()
        self.fold = fold_of(channels)
        up = list(reversed(channels))
        self.steps = nn.ModuleList(_step(before + skip, skip) for before, skip in pairwise(up[:-1]))
        self.last = nn.Conv2d(channels[1] + channels[0], self.fold**2, kernel_size=5, padding=2)

    def forward(self, code: Tensor, seen: Sequence[Tensor]) -> Tensor:
        """(B, R) and the activations of `Down` -> (B, 1, 80, 80) in [0, 1]."""
        x = code[:, :, None, None]  # (B, R, 1, 1)
        for step, skip in zip(self.steps, reversed(seen[1:]), strict=True):
            x = step(_joined(x, skip))  # 2, 3, 5, 10, 20 … pixels a side
        x = self.last(_joined(x, seen[0]))
        return torch.sigmoid(F.pixel_shuffle(x, self.fold).float())


def fold_of(channels: Sequence[int]) -> int:
    """The factor by which pixels are folded: 1 for eight convolutions, 2 for seven. Raises ValueError."""
    if len(channels) not in (DEPTH - 1, DEPTH) or min(channels) < 1:
        raise ValueError(f"channels must be 7 or 8 numbers from 1 up, one for each convolution; got {tuple(channels)}")
    return 2 ** (DEPTH - len(channels))


def _joined(x: Tensor, skip: Tensor) -> Tensor:
    """x enlarged to the skip's size, concatenated with the skip."""
    return torch.cat([F.interpolate(x, size=skip.shape[2:], mode="nearest"), skip], dim=1)


def _step(before: int, after: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.LeakyReLU(SLOPE),
    )


def as_channels(references: Tensor, count: int, what: str) -> Tensor:
    """The first `count` references of each set, the darkest first: a set has no order, but channels have one.

    (B, n, 80, 80), n ≥ count, or one set (n, 80, 80) -> (B, count, 80, 80). Raises ValueError: fewer; another shape.
    """
    if references.ndim == 3:
        references = references[None]
    if references.ndim != 4 or references.shape[2:] != (SIZE, SIZE):
        raise ValueError(f"{what} references must be (B, r, {SIZE}, {SIZE}); got {tuple(references.shape)}")
    if references.shape[1] < count:
        raise ValueError(
            f"{references.shape[1]} {what} references, but this network needs r = {count}; add some (a picture may "
            "come twice), or load a network with a smaller r"
        )
    references = references[:, :count]
    ink = references.double().mean(dim=(2, 3)).round(decimals=6)  # (B, count); dark is 0; mirrored letters are equal
    order = ink.argsort(dim=1, stable=True)
    return references.gather(1, order[:, :, None, None].expand_as(references))
