"""What a brush does to a label image: strokes, fills and undo. Plain arrays; `painter` is what one sees of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SMALLEST_BRUSH = 0.75  # pixels: a radius that reaches the centre of a pixel from anywhere inside it
ANY_COLOUR = 1.0  # a tolerance that no two colours exceed
KEPT = 40  # label images to go back to


class LabelCanvas:
    """A label image to paint on.

    Places are in pixels: x to the right and y down, (0, 0) the upper left corner of the first pixel, whose centre is at
    (½, ½).

    Args:
        labels: (H, W), whole numbers from 0 to 255.
        picture: (H, W, 3) in [0, 1], what `fill` compares colours in.

    Attributes:
        labels: (H, W) uint8, as they are now; do not write into it.
    """

    def __init__(self, labels: np.ndarray, picture: np.ndarray) -> None:
        self.labels = labels.astype(np.uint8)
        self._picture = picture
        self._before: list[np.ndarray] = []

    def stroke(self, points: Sequence[Sequence[float]], label: int, radius: float) -> None:
        """Draw a line of round ends through the points (x, y), as far as it lies inside the picture.

        Args:
            radius: of the brush in pixels.
        Raises:
            ValueError: no points, or numbers that are not finite.
        """
        path = np.asarray(points, dtype=float).reshape(-1, 2)
        if len(path) == 0 or not np.isfinite(path).all():
            raise ValueError(f"a stroke needs points (x, y); got {points!r}")
        radius = max(float(radius), SMALLEST_BRUSH)
        painted = np.zeros(self.labels.shape, dtype=bool)
        for start, end in zip(path, path[1:] if len(path) > 1 else path, strict=False):
            _capsule(painted, start, end, radius)
        self._put(painted, label)

    def fill(self, x: float, y: float, label: int, tolerance: float = ANY_COLOUR) -> None:
        """Give a label to the area around a place: what hangs together, bears one label, and has a similar colour.

        Args:
            x, y: the place; outside of the picture nothing happens.
            tolerance: by how much red, green and blue may each differ from the place's, 0 to 1.
        """
        from scipy import ndimage  # here: it imports for a while

        row, column = int(np.floor(y)), int(np.floor(x))
        height, width = self.labels.shape
        if not (0 <= row < height and 0 <= column < width):
            return
        alike = self.labels == self.labels[row, column]
        alike &= np.abs(self._picture - self._picture[row, column]).max(axis=2) <= tolerance
        pieces, _ = ndimage.label(alike)  # by edges, not by corners
        self._put(pieces == pieces[row, column], label)

    def replace(self, labels: np.ndarray) -> None:
        """Take another label image of the same size; `undo` goes back."""
        self._remember()
        self.labels = labels

    def undo(self) -> bool:
        """Take the last change back; says whether there was one."""
        if not self._before:
            return False
        self.labels = self._before.pop()
        return True

    def _put(self, where: np.ndarray, label: int) -> None:
        self._remember()
        self.labels = np.where(where, np.uint8(label), self.labels)

    def _remember(self) -> None:
        self._before = [*self._before, self.labels][-KEPT:]


def _capsule(painted: np.ndarray, start: np.ndarray, end: np.ndarray, radius: float) -> None:
    """Mark the pixels whose centres are at most `radius` from the line between two places."""
    low, high = np.minimum(start, end) - radius, np.maximum(start, end) + radius
    (left, top), (right, bottom) = np.floor(low).astype(int), np.ceil(high).astype(int)
    left, top = max(left, 0), max(top, 0)
    box = painted[top : max(bottom, 0), left : max(right, 0)]
    y, x = np.ogrid[: box.shape[0], : box.shape[1]]
    x, y = x + left + 0.5 - start[0], y + top + 0.5 - start[1]
    along = end - start
    length = along @ along
    share = np.clip((x * along[0] + y * along[1]) / length, 0, 1) if length > 0 else 0.0
    box |= (x - share * along[0]) ** 2 + (y - share * along[1]) ** 2 <= radius**2
