"""Five sliders for the weights of the style layers, and presets for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets
import traitlets

from stylelearn.encoders import STYLE_LAYERS
from stylelearn.lab.widgets import controls

OWN = "own"
_SEES = dict(
    zip(
        STYLE_LAYERS,
        (
            "colours and the finest grain",
            "fine texture, thin lines",
            "strokes and small patterns",
            "larger patterns",
            "the largest forms, little colour",
        ),
        strict=True,
    )
)


def presets() -> dict[str, tuple[float, ...]]:
    """Name -> the five weights, from relu1_1 to relu5_1."""
    found: dict[str, tuple[float, ...]] = {
        "all": (1.0,) * 5,
        "fine": (1.0, 1.0, 0.0, 0.0, 0.0),
        "coarse": (0.0, 0.0, 1.0, 1.0, 1.0),
        "deep": (0.0, 0.0, 0.0, 1.0, 1.0),
        "none": (0.0,) * 5,
    }
    for i, layer in enumerate(STYLE_LAYERS):
        found[layer] = tuple(float(i == j) for j in range(5))
    return found


_WORDS = {
    "all": "all five equally (the paper)", "fine": "only fine: relu1_1, relu2_1",
    "coarse": "only coarse: relu3_1 to relu5_1", "deep": "deep only: relu4_1, relu5_1", "none": "none: content only",
}  # fmt: skip


class LayerWeights(widgets.VBox):
    """The weights w_l of the style loss. How much style there is in all is another slider's matter.

    Args:
        value: weights by layer, each 0 to 1 (a layer that is not named has 0), or the name of a preset.
    Attributes:
        value: the sliders, by layer; can be set and observed.
        shares: the same with the sum 1, or all 0.
    """

    value = traitlets.Dict()

    def __init__(self, value: Mapping[str, float] | str = "all") -> None:
        self._presets = presets()
        self._setting = False
        weights = self._checked(value)
        options = [(_WORDS.get(name, f"{name} alone"), name) for name in self._presets]
        self.preset = controls.choice(
            "style layers", OWN, [*options, ("own mixture", OWN)],
            "Where the style is compared. Early layers carry colour and grain, late ones larger forms.",
        )  # fmt: skip
        self.sliders = {
            layer: controls.number(
                layer, weights[layer], 0, 1, 0.05, f"How much {layer} counts among the five: {_SEES[layer]}."
            )
            for layer in STYLE_LAYERS
        }
        self._shares = controls.note()
        super().__init__([self.preset, *self.sliders.values(), self._shares], layout=widgets.Layout(width="auto"))
        self.preset.observe(self._preset_chosen, "value")
        for slider in self.sliders.values():
            slider.observe(self._moved, "value")
        self.value = weights
        self._tell()

    @property
    def shares(self) -> dict[str, float]:
        """w_l / Σ w_l, so that these sliders say which layers and not how much style; all 0 if none counts."""
        total = sum(self.value.values())
        return {layer: weight / total if total > 0 else 0.0 for layer, weight in self.value.items()}

    def _checked(self, value: Mapping[str, float] | str) -> dict[str, float]:
        if isinstance(value, str):
            if value not in self._presets:
                raise ValueError(f"there is no preset {value!r} of layer weights; there are {', '.join(self._presets)}")
            return dict(zip(STYLE_LAYERS, self._presets[value], strict=True))
        for layer in value:
            if layer not in STYLE_LAYERS:
                raise ValueError(f"layer_weights has {layer!r}; the style layers are {', '.join(STYLE_LAYERS)}")
        return {layer: float(value.get(layer, 0.0)) for layer in STYLE_LAYERS}

    @traitlets.observe("value")
    def _set(self, change: dict[str, Any]) -> None:
        if self._setting:
            return
        self._setting = True
        try:
            for layer, weight in self._checked(change["new"]).items():
                self.sliders[layer].value = weight
        finally:
            self._setting = False
        self._tell()

    def _preset_chosen(self, change: dict[str, Any]) -> None:
        if change["new"] != OWN and not self._setting:
            self.value = self._checked(change["new"])

    def _moved(self, _: dict[str, Any]) -> None:
        if not self._setting:
            self.value = {layer: slider.value for layer, slider in self.sliders.items()}

    def _tell(self) -> None:
        """Name the preset that these weights are, and the shares."""
        weights = tuple(self.value.values())
        self._setting = True
        try:
            self.preset.value = next((name for name, one in self._presets.items() if one == weights), OWN)
        finally:
            self._setting = False
        shares = " · ".join(f"{share:.0%}" for share in self.shares.values())
        self._shares.value = controls.note(f"shares: {shares}").value
