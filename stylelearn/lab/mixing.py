"""Where which style counts: a pad between four styles, and masks. For the labs of lessons 04, 05 and 08."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets
import torch
import torch.nn.functional as F
from torch import Tensor

from stylelearn.images import encode_image, resize
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import PictureChooser
from stylelearn.lab.widgets.pointing import Pointer

CORNERS = ("↖", "↗", "↙", "↘")  # the order of styles and shares everywhere
EVERYWHERE = "everywhere"
MASKS = (EVERYWHERE, "left half", "upper half", "centre", "stripes")
_PAD = 132  # pixels, the side of the pad's square
_MARGIN = 8  # pixels around it, where half of the ring goes at its edge
_MASK = 256  # pixels of a side of the course's own masks
_EDGE = 0.06  # of the side: half the width of their soft edges


def bilinear(across: float, down: float) -> tuple[float, float, float, float]:
    """The shares of the four corners at a place of the pad, from 0 to 1 each; they add up to 1.

    Args:
        across: 0 at the left, 1 at the right. down: 0 at the top, 1 at the bottom.
    Raises:
        ValueError: outside the pad.
    """
    for name, value in (("across", across), ("down", down)):
        controls.check_range(name, value, 0, 1)
    return (1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down


class Pad(widgets.VBox):
    """A square with a style at each corner; the place of the ring says how much of each. It can be dragged.

    Args:
        across, down: where the ring is, 0 to 1 each.

    Attributes:
        across, down: the two sliders that move the ring, too. settings: both by name, for a lab.
    """

    def __init__(self, across: float = 0.0, down: float = 0.0) -> None:
        self._names, self._pictures = list(CORNERS), [""] * 4
        self.across = controls.number(
            "left ↔ right", across, 0, 1, 0.01,
            "The ring in the square: at the left only the styles of the left corners count, at the right the others.",
        )  # fmt: skip
        self.down = controls.number(
            "top ↕ bottom", down, 0, 1, 0.01,
            "The ring in the square: at the top only the styles of the upper corners count, at the bottom the others.",
        )  # fmt: skip
        self.settings = {"across": self.across, "down": self.down}
        outer = _PAD + 2 * _MARGIN
        self._square, self._words = widgets.HTML(layout=widgets.Layout(width=f"{outer}px")), controls.note()
        self.pointer = Pointer(self._square)  # pressed or dragged, it takes the ring along
        self.pointer.mark((outer, outer), ())
        self.pointer.observe(self._pointed, "place")
        place = widgets.HBox([self.pointer], layout=widgets.Layout(margin=f"2px 0 0 {controls.INDENT}"))
        for slider in (self.across, self.down):
            slider.observe(self._draw, "value")
        super().__init__([place, self.across, self.down, self._words], layout=widgets.Layout(width="auto"))
        self._draw()

    @property
    def shares(self) -> tuple[float, float, float, float]:
        """Of the four corners, in the order of `CORNERS`."""
        return bilinear(self.across.value, self.down.value)

    def corners(self, names: Sequence[str], images: Sequence[Tensor]) -> None:
        """Show four styles, (1, 3, H, W) each, at the corners, in the order of `CORNERS`."""
        self._names = list(names)
        self._pictures = [
            base64.b64encode(encode_image(resize(image, _PAD // 2, "box"), "jpeg", 85)).decode("ascii")
            for image in images
        ]
        self._draw()

    def _pointed(self, change: dict[str, Any]) -> None:
        for slider, place in zip((self.across, self.down), change["new"], strict=True):
            inside = (place * (_PAD + 2 * _MARGIN) - _MARGIN) / _PAD
            slider.value = round(min(max(inside, 0.0), 1.0), 2)

    def _draw(self, *_: Any) -> None:
        shares = zip(self._names, self.shares, strict=True)
        words = " · ".join(f"{name} {share:.0%}" for name, share in shares if share >= 0.005)
        self._words.value = controls.small(html.escape(words))
        half = _PAD // 2
        tiles = "".join(
            f'<img alt="" width="{half}" height="{half}" style="display:block" src="data:image/jpeg;base64,{data}">'
            for data in self._pictures
            if data
        )
        x, y = (round(value * _PAD) for value in (self.across.value, self.down.value))
        ring = (
            f'<div style="position:absolute;left:{x - 8}px;top:{y - 8}px;width:16px;height:16px;border-radius:50%;'
            'box-sizing:border-box;border:3px solid #fff;box-shadow:0 0 0 2px #000,inset 0 0 0 2px #000"></div>'
        )
        square = (
            f"position:relative;width:{_PAD}px;height:{_PAD}px;margin:{_MARGIN}px;outline:1px solid #888;"
            f"display:grid;grid-template-columns:{half}px {half}px"
        )
        self._square.value = f'<div role="img" aria-label="{html.escape(words)}" style="{square}">{tiles}{ring}</div>'


class MaskChooser(PictureChooser):
    """Where something counts: one of `MASKS`, or a picture of one's own, white where it counts and black where not.

    Args:
        value: a name from `MASKS`, or anything that `read_image` takes.

    Attributes:
        image: (1, 3, H, W); `mask` makes a mask of it. All else is a `PictureChooser`'s.
    """

    def __init__(self, value: Any = EVERYWHERE) -> None:
        words = "Where in the picture the styles of the square count; or upload a mask: white is inside."
        super().__init__("mask", value, tooltip=words)
        self.list.description = "where"

    def names(self) -> list[str]:
        """The course's masks."""
        return list(MASKS)

    def known(self, name: str) -> Tensor:
        """One of the course's masks, drawn."""
        return _drawn(name)[None, None].expand(1, 3, -1, -1)

    def credit(self) -> str:
        """The mask's name."""
        return self.value


def mask(image: Tensor, size: Sequence[int]) -> Tensor:
    """The mask that a picture (1, 3, h, w) shows, (H, W) from 0 for black to 1 for white."""
    grey = image.mean(dim=1, keepdim=True)  # (1, 1, h, w)
    return F.interpolate(grey, size=tuple(size), mode="bilinear", antialias=True)[0, 0].clamp(0, 1)


def _drawn(name: str) -> Tensor:
    """One of `MASKS`, (_MASK, _MASK)."""
    place = (torch.arange(_MASK) + 0.5) / _MASK
    y, x = torch.meshgrid(place, place, indexing="ij")
    depth = {  # how far inside, in sides of the picture
        EVERYWHERE: torch.ones_like(x),
        "left half": 0.5 - x,
        "upper half": 0.5 - y,
        "centre": 0.3 - (x - 0.5).hypot(y - 0.5),
        "stripes": (x * 5 * torch.pi).sin() / (5 * torch.pi),
    }[name]
    return (depth / (2 * _EDGE) + 0.5).clamp(0, 1)
