"""Where which style counts: a pad between four styles, and masks. For the labs of lessons 04, 05 and 08."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import anywidget
import torch
import torch.nn.functional as F
import traitlets
from torch import Tensor

from stylelearn.images import encode_image, resize
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import PictureChooser
from stylelearn.lab.widgets.stage import SCRIPT

CORNERS = ("style ↖", "style ↗", "style ↙", "style ↘")  # the order of styles and shares everywhere
EVERYWHERE = "everywhere"
MASKS = (EVERYWHERE, "left half", "upper half", "centre", "stripes")
_CORNER = 66  # pixels of a corner's picture on the pad
_MASK = 256  # pixels of a side of the course's own masks
_EDGE = 0.06  # of the side: half the width of their soft edges


def bilinear(across: float, down: float) -> tuple[float, float, float, float]:
    """The shares of the four corners, which add up to 1, at a place of the pad: from 0 at the left and at the top to 1.

    Raises:
        ValueError: outside the pad.
    """
    for name, value in (("across", across), ("down", down)):
        controls.check_range(name, value, 0, 1)
    return (1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down


def mixture(names: Iterable[str], settings: Mapping[str, Any]) -> dict[str, float]:
    """The share of each corner's name at the settings `across` and `down`; a name of two corners gets both shares."""
    found: dict[str, float] = {}
    for name, share in zip(names, bilinear(settings["across"], settings["down"]), strict=True):
        if share > 0:
            found[name] = found.get(name, 0.0) + share
    return found


def percentages(names: Iterable[str], settings: Mapping[str, Any]) -> str:
    """The `mixture` in words, without what hardly counts."""
    return ", ".join(f"{share:.0%} {name}" for name, share in mixture(names, settings).items() if share >= 0.005)


def filled(given: Sequence[Any], names: Sequence[str]) -> list[Any]:
    """What is given, and in place of each None the next of `names` that is not; from the first again after the last."""
    taken = [one for one in given if isinstance(one, str)]
    free = itertools.cycle([name for name in names if name not in taken] or names)
    return [next(free) if one is None else one for one in given]


class Axis(traitlets.HasTraits):
    """A setting from 0 to 1 that no slider of its own shows, such as one of the two directions of a `Pad`."""

    value = traitlets.Float()
    min, max = 0.0, 1.0


class Pad(anywidget.AnyWidget):
    """A square with a style at each corner; the place of the ring says how much of each. Dragged, or by arrow keys.

    Args:
        across, down: where the ring is, 0 to 1 each.

    Attributes:
        place: both. across, down: each as a control, with a `value`. settings: both by name, for a lab.
    """

    _esm = SCRIPT
    view = traitlets.Unicode("pad").tag(sync=True)
    description = traitlets.Unicode("mix").tag(sync=True)  # ipywidgets reads it in every view with a tooltip
    place = traitlets.Tuple(traitlets.Float(), traitlets.Float()).tag(sync=True)
    pictures: traitlets.List[Any] = traitlets.List().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)
    tooltip = traitlets.Unicode(
        "The ring says how much of each corner counts: drag it, or move it with the arrow keys."
    ).tag(sync=True)

    def __init__(self, across: float = 0.0, down: float = 0.0) -> None:
        bilinear(across, down)  # says what is wrong
        self._names, self._setting = list(CORNERS), False
        self.across, self.down = Axis(value=across), Axis(value=down)
        self.settings = {"across": self.across, "down": self.down}
        super().__init__(place=(across, down))
        for axis in self.settings.values():
            axis.observe(self._moved, "value")
        self._say()

    def corners(self, names: Sequence[str], images: Sequence[Tensor]) -> None:
        """Show four styles, (1, 3, H, W) each, at the corners, in the order of `CORNERS`."""
        self._names = list(names)
        self.pictures = [encode_image(resize(image, _CORNER, "box"), "jpeg", 85) for image in images]
        self._say()

    @traitlets.observe("place")
    def _pointed(self, change: dict[str, Any]) -> None:
        self._setting = True  # the first axis is not to take the second one back
        self.across.value, self.down.value = change["new"]
        self._setting = False
        self._say()

    def _moved(self, *_: Any) -> None:
        if not self._setting:
            self.place = (self.across.value, self.down.value)

    def _say(self) -> None:
        shares = zip(self._names, bilinear(*self.place), strict=True)
        self.words = " · ".join(f"{name} {share:.0%}" for name, share in shares if share >= 0.005)


class MaskChooser(PictureChooser):
    """Where something counts: one of `MASKS`, or a picture of one's own, white where it counts; `mask` reads it."""

    def __init__(self, value: Any = EVERYWHERE) -> None:
        words = "Where in the picture the styles of the square count; or upload a mask: white is inside."
        super().__init__("mask", value, name="where", tooltip=words)

    def names(self) -> list[str]:
        return list(MASKS)

    def known(self, name: str) -> Tensor:
        place = (torch.arange(_MASK) + 0.5) / _MASK
        y, x = torch.meshgrid(place, place, indexing="ij")
        depth = {  # how far inside, in sides of the picture
            EVERYWHERE: torch.ones_like(x),
            "left half": 0.5 - x,
            "upper half": 0.5 - y,
            "centre": 0.3 - (x - 0.5).hypot(y - 0.5),
            "stripes": (x * 5 * torch.pi).sin() / (5 * torch.pi),
        }[name]
        return (depth / (2 * _EDGE) + 0.5).clamp(0, 1).expand(1, 3, -1, -1)


def mask(image: Tensor, size: Sequence[int]) -> Tensor:
    """The mask that a picture (1, 3, h, w) shows, (H, W) from 0 for black to 1 for white."""
    grey = image.mean(dim=1, keepdim=True)  # (1, 1, h, w)
    return F.interpolate(grey, size=tuple(size), mode="bilinear", antialias=True)[0, 0].clamp(0, 1)
