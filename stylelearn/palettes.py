"""Colours that stand for labels: which ones a painted mask has, and which of them each pixel means.

Files of masks have soft edges, and JPEG blurs them further: between blue and yellow there is grey. So the colours are
taken from flat areas only, and a pixel between two areas goes to the nearer one.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

Colour = tuple[int, int, int]

# The nine colours of the masks that Luan et al. published with their code, and three more.
COLOURS: dict[str, Colour] = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "grey": (128, 128, 128),
    "light blue": (0, 255, 255),
    "purple": (255, 0, 255),
    "orange": (255, 128, 0),
    "brown": (128, 64, 0),
    "dark green": (0, 100, 0),
}
_ALIKE = 60.0  # colours nearer than this, of 442 from black to white, are one label
_FLAT = 8.0  # how much a channel may differ within 3 × 3 pixels of a flat area
_SMALLEST = 1e-3  # part of the picture that a colour must cover


def find_palette(levels: Tensor) -> dict[str, Colour]:
    """The colours of flat areas by name, the most frequent first; those unlike any of `COLOURS` are called "#rrggbb".

    Args:
        levels: (H, W, 3) from 0 to 255.
    Raises:
        ValueError: if there is no flat area.
    """
    planes = levels.permute(2, 0, 1)[None]  # (1, 3, H, W)
    spread = F.max_pool2d(planes, 3, 1, 1) + F.max_pool2d(-planes, 3, 1, 1)
    flat = levels[(spread <= _FLAT).all(dim=1)[0]]  # (n, 3)
    colours, counts = flat.unique(dim=0, return_counts=True)
    found: dict[str, Colour] = {}
    for number in counts.argsort(descending=True, stable=True).tolist():
        if found and counts[number] < _SMALLEST * levels.shape[0] * levels.shape[1]:
            break
        name, colour = _called(colours[number])
        if all(_apart(colour, other) >= _ALIKE for other in found.values()):
            found[name] = colour
    if not found:
        raise ValueError("the mask has no flat area; paint each region in one colour, without gradients")
    return found


def _apart(one: Sequence[float], other: Sequence[float]) -> float:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5


def _called(colour: Tensor) -> tuple[str, Colour]:
    """A colour's name, and the colour that is meant by it."""
    red, green, blue = (int(value) for value in colour)
    name = min(COLOURS, key=lambda each: _apart(COLOURS[each], (red, green, blue)))
    if _apart(COLOURS[name], (red, green, blue)) < _ALIKE:
        return name, COLOURS[name]
    return f"#{red:02x}{green:02x}{blue:02x}", (red, green, blue)


def snap(levels: Tensor, colours: Sequence[Colour]) -> Tensor:
    """Which of `colours` each pixel means: (H, W, 3) from 0 to 255 -> (H, W) int64.

    A pixel that has none of the colours, as on a soft edge, takes the label of the nearest pixel that has one.
    """
    from scipy.ndimage import distance_transform_edt

    distances = torch.cdist(levels.reshape(-1, 3).float(), torch.tensor(colours, dtype=torch.float32))  # (H·W, K)
    nearest, labels = distances.min(dim=1)
    unsure = (nearest > _ALIKE).reshape(levels.shape[:2]).numpy()
    labels = labels.reshape(levels.shape[:2])
    if unsure.all():
        return labels
    rows, columns = distance_transform_edt(unsure, return_distances=False, return_indices=True)
    return labels[torch.from_numpy(rows).long(), torch.from_numpy(columns).long()]
