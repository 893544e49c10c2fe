"""A swap with all that a lab wants to tell of it: which patch of the style went where, and what that looks like."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from stylelearn import patches
from stylelearn.encoders import Encoder
from stylelearn.lab.widgets.pointing import Box


@dataclass(frozen=True)
class Swap:
    """A swap, and how to read it.

    Attributes:
        content, style: the pictures, (1, 3, H, W) and (1, 3, h, w). features, others: their activations.
        index: which patch of the style each patch of the content became, as `patches.matches` gives it.
        patch, stride: in cells. step: pixels of a cell.
    """

    content: Tensor
    style: Tensor
    features: Tensor
    others: Tensor
    index: Tensor
    patch: int
    stride: int
    step: int

    def activations(self) -> Tensor:
        """Φ^ss, (1, C, H', W')."""
        return self._assembled(self.others, tuple(self.features.shape[2:]))

    def patchwork(self) -> Tensor:
        """The pixels of the style's patches put together in the same way, (1, 3, H, W): no network paints here."""
        cells = F.pixel_unshuffle(self.style, self.step)  # (1, 3·step², h', w')
        return F.pixel_shuffle(self._assembled(cells, tuple(self.features.shape[2:])), self.step)

    def _assembled(self, cells: Tensor, size: tuple[int, int]) -> Tensor:
        return patches.assembled(self.index, cells, size, patch=self.patch, stride=self.stride)

    def at(self, across: float, down: float) -> tuple[list[Box], list[Box], float]:
        """The patches that lie over a place, the one whose middle is nearest first.

        Args:
            across, down: the place in the picture, 0 to 1 each.
        Returns:
            boxes in the content's picture, boxes in the style's, and the correlation of the first pair.
        """
        counts, sides = self.index.shape[1:], self.features.shape[2:]
        here = [min(int(place * side), side - 1) for place, side in zip((down, across), sides, strict=True)]  # the cell
        over = [
            [number for number in range(count) if number * self.stride <= cell < number * self.stride + self.patch]
            for count, cell in zip(counts, here, strict=True)
        ]
        middle = [(cell - (self.patch - 1) / 2) / self.stride for cell in here]  # the patch that has its middle here
        pairs = sorted(
            ((row, column) for row in over[0] for column in over[1]),
            key=lambda at: abs(at[0] - middle[0]) + abs(at[1] - middle[1]),
        )
        y, x = patches.origins(
            self.index[0], tuple(self.others.shape[2:]), patch=self.patch, stride=self.stride
        )  # (rows, columns) each
        mine = [(row * self.stride, column * self.stride) for row, column in pairs]
        theirs = [(int(y[at]), int(x[at])) for at in pairs]
        return [self._box(*at) for at in mine], [self._box(*at) for at in theirs], self._alike(mine[0], theirs[0])

    def _box(self, row: int, column: int) -> Box:
        return column * self.step, row * self.step, self.patch * self.step, self.patch * self.step

    def _alike(self, mine: tuple[int, int], theirs: tuple[int, int]) -> float:
        """The normalised cross-correlation of a patch of the content and one of the style."""
        whole = (patches.filled(features, self.patch, self.stride) for features in (self.features, self.others))
        a, b = (
            features[0, :, row : row + self.patch, column : column + self.patch].flatten()
            for features, (row, column) in zip(whole, (mine, theirs), strict=True)
        )
        return float(F.cosine_similarity(a, b, dim=0))


def swapped(content: Tensor, style: Tensor, encoder: Encoder, layer: str, *, patch: int, stride: int) -> Swap:
    """Swap two pictures (1, 3, H, W) whose sides are whole numbers of cells of `layer`.

    Raises:
        ValueError: as `patches.matches`.
    """
    features, others = (encoder(image, layer)[layer] for image in (content, style))
    index = patches.matches(features, others, patch=patch, stride=stride)
    return Swap(content, style, features, others, index, patch, stride, _cell(layer))


def count(image: Tensor, layer: str, patch: int, stride: int) -> int:
    """How many patches a picture (1, 3, H, W) has in `layer`."""
    height, width = (side // _cell(layer) for side in image.shape[2:])
    rows, columns = patches.grid((height, width), patch, stride)
    return rows * columns


def _cell(layer: str) -> int:
    """Pixels of a cell: 4 for relu3_1."""
    return 2 ** (int(layer[4]) - 1)
