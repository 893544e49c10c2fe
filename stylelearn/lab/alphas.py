"""One slider for each α, with presets and a pad between four settings. For the lab of lesson 08."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
import traitlets

from stylelearn.lab.mixing import Pad, bilinear
from stylelearn.lab.widgets import controls

ALL, NONE, OWN = "all", "none", "own"
_SEES = {"1": "colours and the finest grain", "2": "fine texture and thin lines", "3": "strokes", "4": "larger forms"}

Settings = dict[str, float]
"""α by layer."""


def presets(layers: Sequence[str], others: Sequence[str] = ()) -> dict[str, Settings]:
    """The corners that have a name: all, none, each of `layers` alone, and all but each; α of `others` is 1."""
    chosen = {ALL: set(layers), NONE: set()}
    chosen |= {f"{name} alone": {name} for name in layers}
    chosen |= {f"all but {name}": {*layers} - {name} for name in layers}
    found: dict[str, Settings] = {}
    for words, names in chosen.items():
        setting = {layer: float(layer in names) for layer in layers} | dict.fromkeys(others, 1.0)
        if setting not in found.values():
            found[words] = setting
    return found


class Alphas(widgets.VBox):
    """How much the style of each layer counts: sliders, a list of presets, and a pad.

    The pad's corners are four settings: no style, the first layer alone, the last one alone, all. So left to right is
    the α of the first layer and top to bottom that of the last; those between are the product of the two.

    Args:
        layers: of the style, from shallow to deep. others: what else has an α.
        value: α from 0 to 1 by layer, 1 for those not named; or the name of a preset.
    Attributes:
        value: α by layer; can be set and observed.
        pad: the square; None where there is one layer only.
    Raises:
        ValueError: an unknown layer or preset, an α outside [0, 1].
    """

    value = traitlets.Dict()

    def __init__(
        self, layers: Sequence[str], others: Sequence[str] = (), value: Mapping[str, float] | str = ALL
    ) -> None:
        self._layers, self._presets, self._setting = list(layers), presets(layers, others), False
        chosen = self._checked(value)
        self.preset = controls.choice(
            "preset", OWN, [*self._presets, ("own mixture", OWN)],
            "Corners of the space of all α: every layer, no layer, one alone, all but one.",
        )  # fmt: skip
        self.sliders = {name: _slider(name, alpha) for name, alpha in chosen.items()}
        self.pad = Pad(chosen[layers[0]], chosen[layers[-1]]) if len(layers) > 1 else None
        children = [self.preset, *self.sliders.values()]
        super().__init__(children, layout=widgets.Layout(width="auto"))
        self.preset.observe(self._preset_chosen, "value")
        for slider in self.sliders.values():
            slider.observe(self._moved, "value")
        if self.pad is not None:
            _named(self.pad, layers[0], layers[-1])
            for slider in (self.pad.across, self.pad.down):
                slider.observe(self._pad_moved, "value")
        self.value = chosen
        self._name()

    def roll(self, random: np.random.Generator | None = None) -> None:
        """Random α for all layers, each anew from 0 to 1."""
        random = random or np.random.default_rng()
        self.value = {name: round(float(random.uniform()), 2) for name in self.value}

    def corners(self) -> list[Settings]:
        """The settings at the four corners of the pad, in the order of `mixing.CORNERS`."""
        return [self._at(across, down) for down in (0, 1) for across in (0, 1)]

    def _at(self, across: float, down: float) -> Settings:
        """The mixture of the four corners at a place of the pad; what is no style layer stays as it is."""
        _, right, below, both = bilinear(across, down)
        shares = dict.fromkeys(self._layers, both)
        shares[self._layers[0]] += right
        shares[self._layers[-1]] += below
        return {**self.value, **{name: round(share, 2) for name, share in shares.items()}}

    def _checked(self, value: Mapping[str, float] | str) -> Settings:
        if isinstance(value, str):
            if value not in self._presets:
                raise ValueError(f"there is no preset {value!r} of α; there are {', '.join(self._presets)}")
            return dict(self._presets[value])
        known = self._presets[ALL]
        for name, alpha in value.items():
            if name not in known:
                raise ValueError(f"there is no α for {name!r}; there is one for {', '.join(known)}")
            controls.check_range(f"the α of {name}", alpha, 0, 1)
        return {name: float(value.get(name, 1.0)) for name in known}

    @traitlets.observe("value")
    def _set(self, change: dict[str, Any]) -> None:
        if self._setting:
            return
        chosen = self._checked(change["new"])
        if chosen != change["new"]:
            self.value = chosen  # with all names, and once more from the beginning
            return
        self._setting = True
        try:
            for name, alpha in chosen.items():
                self.sliders[name].value = alpha
            if self.pad is not None:
                self.pad.across.value = self.sliders[self._layers[0]].value
                self.pad.down.value = self.sliders[self._layers[-1]].value
        finally:
            self._setting = False
        self._name()

    def _moved(self, _: dict[str, Any]) -> None:
        if not self._setting:
            self.value = {name: slider.value for name, slider in self.sliders.items()}

    def _pad_moved(self, _: dict[str, Any]) -> None:
        if not self._setting and self.pad is not None:
            self.value = self._at(self.pad.across.value, self.pad.down.value)

    def _preset_chosen(self, change: dict[str, Any]) -> None:
        if change["new"] != OWN and not self._setting:
            self.value = dict(self._presets[change["new"]])

    def _name(self) -> None:
        """Show which preset this is, if it is one."""
        self._setting = True
        try:
            self.preset.value = next((name for name, one in self._presets.items() if one == self.value), OWN)
        finally:
            self._setting = False


def _slider(name: str, alpha: float) -> widgets.FloatSlider:
    sees = _SEES.get(name.removeprefix("relu")[0], "larger forms")
    words = f"How much {name} counts, from 0 to 1: {sees} of the style."
    if name.startswith("content"):
        words = f"How much the photo counts in {name.removeprefix('content ')}, from 0 to 1."
    slider = controls.number(name, alpha, 0, 1, 0.01, words)
    slider.continuous_update = True
    return slider


def _named(pad: Pad, first: str, last: str) -> None:
    for slider, name, where in ((pad.across, first, "to the right"), (pad.down, last, "down")):
        slider.description, slider.continuous_update = f"{name} {'→' if slider is pad.across else '↓'}", True
        slider.tooltip = f"The ring in the square: the further {where}, the more {name} counts. Corners are presets."
