"""What a brush does to a label image, (H, W) of whole numbers: strokes and fills. `mask_editor` is what one sees of it.

Places are in pixels: x to the right and y down, (0, 0) the upper left corner of the first pixel, whose centre is at
(½, ½). The image that is given stays as it is.
"""

from collections.abc import Sequence

import numpy as np

SMALLEST_BRUSH = 0.75  # pixels: a radius that reaches the centre of a pixel from anywhere inside it
ANY_COLOUR = 1.0  # a tolerance that no two colours exceed


def stroke(labels: np.ndarray, points: Sequence[Sequence[float]], label: int, radius: float) -> np.ndarray:
    """Draw a line of round ends through the points (x, y), as far as it lies inside the picture.

    Args:
        radius: of the brush in pixels.
    """
    path = np.asarray(points, dtype=float).reshape(-1, 2)
    radius = max(float(radius), SMALLEST_BRUSH)
    painted = np.zeros(labels.shape, dtype=bool)
    for start, end in zip(path, path[1:] if len(path) > 1 else path, strict=False):
        _capsule(painted, start, end, radius)
    return np.where(painted, label, labels)


def fill(
    labels: np.ndarray, picture: np.ndarray, x: float, y: float, label: int, tolerance: float = ANY_COLOUR
) -> np.ndarray:
    """Give a label to the area around a place: what hangs together, bears one label, and has a similar colour.

    Args:
        picture: (H, W, 3) in [0, 1], what colours are compared in.
        x, y: the place; outside of the picture nothing happens.
        tolerance: by how much red, green and blue may each differ from the place's, 0 to 1.
    """
    from scipy import ndimage  # here: it imports for a while

    row, column = int(np.floor(y)), int(np.floor(x))
    height, width = labels.shape
    if not (0 <= row < height and 0 <= column < width):
        return labels
    alike = labels == labels[row, column]
    alike &= np.abs(picture - picture[row, column]).max(axis=2) <= tolerance
    pieces, _ = ndimage.label(alike)  # by edges, not by corners
    return np.where(pieces == pieces[row, column], label, labels)


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
