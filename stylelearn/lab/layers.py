"""A slider for each layer, with presets: weights of the style layers (lesson 02), and each layer's α (lesson 08)."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import traitlets

from stylelearn.encoders import STYLE_LAYERS
from stylelearn.lab.mixing import Pad, bilinear
from stylelearn.lab.widgets import controls

OWN, ALL, NONE = "own", "all", "none"
Setting = dict[str, float]
"""A number from 0 to 1 by layer."""

_SEES = {
    "1": "colours and the finest grain", "2": "fine texture, thin lines", "3": "strokes and small patterns",
    "4": "larger patterns", "5": "the largest forms, little colour",
}  # fmt: skip


class LayerSliders(widgets.VBox):
    """A slider from 0 to 1 for each layer, and a list of presets.

    Args:
        presets: a setting of all layers by name.
        value: a setting, or the name of a preset; layers that it leaves out get `default`.
        tips: the tooltips of the sliders.
    Attributes:
        value: the setting; can be set and observed.
        symbol: what a slider sets, in the singular. step: between two places of it.
        offer: description and tooltip of the list of presets. words: how they stand there, where not by their name.
    Raises:
        ValueError: an unknown layer or preset, a number outside [0, 1].
    """

    value = traitlets.Dict()
    symbol: str
    default: float
    step: float
    offer: tuple[str, str]
    words: Mapping[str, str] = {}

    def __init__(self, presets: dict[str, Setting], value: Mapping[str, float] | str, tips: Mapping[str, str]) -> None:
        self._presets, self._setting = presets, False
        chosen = self._checked(value)
        options = [*((self.words.get(name, name), name) for name in presets), ("own mixture", OWN)]
        self.preset = controls.choice(self.offer[0], OWN, options, self.offer[1])
        self.sliders = {name: controls.number(name, one, 0, 1, self.step, tips[name]) for name, one in chosen.items()}
        super().__init__([self.preset, *self.sliders.values()], layout=widgets.Layout(width="auto"))
        self.preset.observe(self._preset_chosen, "value")
        for slider in self.sliders.values():
            slider.observe(self._moved, "value")
        self.value = chosen

    def changed(self) -> None:
        """Called when there is another value and the sliders show it."""

    def _checked(self, value: Mapping[str, float] | str) -> Setting:
        if isinstance(value, str):
            if value not in self._presets:
                raise ValueError(f"there is no preset {value!r} of {self.symbol}; there are {', '.join(self._presets)}")
            return dict(self._presets[value])
        known = self._presets[ALL]
        for name, one in value.items():
            if name not in known:
                raise ValueError(f"there is no {self.symbol} for {name!r}; there is one for {', '.join(known)}")
            controls.check_range(f"the {self.symbol} of {name}", one, 0, 1)
        return {name: float(value.get(name, self.default)) for name in known}

    @traitlets.observe("value")
    def _set(self, change: dict[str, Any]) -> None:
        if self._setting:
            return
        chosen = self._checked(change["new"])
        if chosen != change["new"]:
            self.value = chosen  # with all layers, and once more from the beginning
            return
        self._setting = True
        try:
            for name, one in chosen.items():
                self.sliders[name].value = one
            self.preset.value = next((name for name, one in self._presets.items() if one == chosen), OWN)
            self.changed()
        finally:
            self._setting = False

    def _moved(self, _: dict[str, Any]) -> None:
        if not self._setting:
            self.value = {name: slider.value for name, slider in self.sliders.items()}

    def _preset_chosen(self, change: dict[str, Any]) -> None:
        if change["new"] != OWN and not self._setting:
            self.value = dict(self._presets[change["new"]])


class LayerWeights(LayerSliders):
    """The weights w_l of the style loss, which say what each layer's share is and not how much style there is.

    Args:
        value: weights from 0 to 1 by layer, 0 for those not named; or the name of a preset.
    Attributes:
        shares: the value with the sum 1, or all 0.
    """

    symbol, default, step = "weight", 0.0, 0.05
    offer = (
        "style layers",
        "Where the style is compared. Early layers carry colour and grain, late ones larger forms.",
    )
    words = {layer: f"{layer} alone" for layer in STYLE_LAYERS} | {
        ALL: "all five equally (the paper)", "fine": "only fine: relu1_1, relu2_1",
        "coarse": "only coarse: relu3_1 to relu5_1", "deep": "deep only: relu4_1, relu5_1", NONE: "none: content only",
    }  # fmt: skip

    def __init__(self, value: Mapping[str, float] | str = ALL) -> None:
        chosen = {
            ALL: STYLE_LAYERS, "fine": STYLE_LAYERS[:2], "coarse": STYLE_LAYERS[2:], "deep": STYLE_LAYERS[3:], NONE: (),
        } | {layer: (layer,) for layer in STYLE_LAYERS}  # fmt: skip
        self._shares = controls.note()
        super().__init__(
            {name: {layer: float(layer in layers) for layer in STYLE_LAYERS} for name, layers in chosen.items()},
            value,
            {layer: f"How much {layer} counts among the five: {_SEES[layer[4]]}." for layer in STYLE_LAYERS},
        )
        self.children = (*self.children, self._shares)

    @property
    def shares(self) -> Setting:
        """w_l / Σ w_l; all 0 if no layer counts."""
        total = sum(self.value.values())
        return {layer: weight / total if total > 0 else 0.0 for layer, weight in self.value.items()}

    def changed(self) -> None:
        shares = " · ".join(f"{share:.0%}" for share in self.shares.values())
        self._shares.value = controls.small(f"shares: {shares}")


class Alphas(LayerSliders):
    """How much the style of each layer counts: sliders, presets, and a pad.

    The pad's corners are four settings: no style, the first layer alone, the last one alone, all. So left to right is
    the α of the first layer and top to bottom that of the last; those between are the product of the two.

    Args:
        layers: of the style, from shallow to deep. others: what else has an α.
        value: α from 0 to 1 by layer, 1 for those not named; or the name of a preset.
    Attributes:
        pad: the square; None where there is one layer only.
    """

    symbol, default, step = "α", 1.0, 0.01
    offer = ("preset", "Corners of the space of all α: every layer, no layer, one alone, all but one.")

    def __init__(
        self, layers: Sequence[str], others: Sequence[str] = (), value: Mapping[str, float] | str = ALL
    ) -> None:
        self._layers = list(layers)
        self.pad = Pad() if len(layers) > 1 else None
        tips = {
            name: f"How much {name} counts, from 0 to 1: {_SEES.get(name.removeprefix('relu')[0], _SEES['4'])}."
            for name in layers
        } | {name: f"How much the photo counts in {name.removeprefix('content ')}, from 0 to 1." for name in others}
        super().__init__(presets(layers, others), value, tips)
        for slider in self.sliders.values():
            slider.continuous_update = True
        if self.pad is not None:
            self.pad.tooltip = f"The further to the right, the more {layers[0]} counts; down, the more {layers[-1]}."
            self.pad.observe(self._pad_moved, "place")

    def roll(self) -> Setting:
        """Random α for all layers, each anew from 0 to 1."""
        return {name: round(random.random(), 2) for name in self.value}

    def corners(self) -> list[Setting]:
        """The settings at the four corners of the pad, in the order of `mixing.CORNERS`."""
        return [self._at(across, down) for down in (0, 1) for across in (0, 1)]

    def changed(self) -> None:
        if self.pad is not None:
            self.pad.place = (self.value[self._layers[0]], self.value[self._layers[-1]])

    def _at(self, across: float, down: float) -> Setting:
        """The mixture of the four corners at a place of the pad; what is no style layer stays as it is."""
        _, right, below, both = bilinear(across, down)
        shares = dict.fromkeys(self._layers, both)
        shares[self._layers[0]] += right
        shares[self._layers[-1]] += below
        return {**self.value, **{name: round(share, 2) for name, share in shares.items()}}

    def _pad_moved(self, _: dict[str, Any]) -> None:
        if not self._setting and self.pad is not None:
            self.value = self._at(*self.pad.place)


def presets(layers: Sequence[str], others: Sequence[str] = ()) -> dict[str, Setting]:
    """The corners that have a name: all, none, each of `layers` alone, and all but each; α of `others` is 1."""
    chosen = {ALL: set(layers), NONE: set()}
    chosen |= {f"{name} alone": {name} for name in layers}
    chosen |= {f"all but {name}": {*layers} - {name} for name in layers}
    found: dict[str, Setting] = {}
    for words, names in chosen.items():
        setting = {layer: float(layer in names) for layer in layers} | dict.fromkeys(others, 1.0)
        if setting not in found.values():
            found[words] = setting
    return found
