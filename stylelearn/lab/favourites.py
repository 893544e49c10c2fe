"""A strip of pictures worth seeing again, each with the settings that made it. For the lab of lesson 08."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from stylelearn.images import encode_image, resize
from stylelearn.lab.widgets.panel import Picture

MOST = 8  # pictures; the next one takes the place of the oldest
_SIDE = 96  # pixels, of the longer side


class Favourites(widgets.HBox):
    """Small pictures side by side, with a button below each that brings its settings back.

    Args:
        take: called with the settings of the picture whose button was pressed.

    Attributes:
        settings: of each picture, in the order of the strip.
    """

    def __init__(self, take: Callable[[dict[str, Any]], None]) -> None:
        self._take, self._count = take, 0
        self.settings: list[dict[str, Any]] = []
        super().__init__([], layout=widgets.Layout(flex_flow="row wrap"))

    def keep(self, image: Tensor, settings: dict[str, Any], words: str) -> None:
        """Add a picture (1, 3, H, W) with its settings; `words` say what it shows."""
        self._count += 1
        small = Picture(format="jpeg", value=encode_image(resize(image, _SIDE, "long"), "jpeg", 88))
        small.tooltip = words
        again = widgets.Button(
            description=f"again {self._count}", tooltip=f"Back to the settings of this one: {words}",
            layout=widgets.Layout(width=f"{_SIDE}px"),
        )  # fmt: skip
        kept = dict(settings)
        again.on_click(lambda _: self._take(kept))
        column = widgets.VBox([small, again], layout=widgets.Layout(margin="0 6px 4px 0", align_items="center"))
        self.settings = [*self.settings, kept][-MOST:]
        self.children = (*self.children, column)[-MOST:]
