"""What the tests of labs share: to look into them, to move their controls, to end them (the fixture `labs` does)."""

from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets
import torch
from ipywidgets.widgets.widget import _instances
from torch import Tensor

from stylelearn.encoders import Encoder
from stylelearn.lab import PictureChooser
from stylelearn.lab.base import Lab
from stylelearn.lab.layers import LayerSliders
from stylelearn.networks.conditioning import AdjustableNet, AdjustedNorm

SOON = 240  # seconds; a safety net, never waited for when things work


def inside(widget: Any) -> Iterator[Any]:
    """The widget and all that it holds."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from inside(child)


def ends(control: Any) -> list[Any]:
    """The values at both ends of a control, or all of them where there are no ends."""
    if isinstance(control, PictureChooser):
        return [control.options[0][0], control.options[-1][0]]
    if isinstance(control, LayerSliders):
        return [dict.fromkeys(control.sliders, 0.0), dict.fromkeys(control.sliders, 1.0)]
    if isinstance(control, widgets.FloatLogSlider):
        return [control.base**control.min, control.base**control.max]
    if isinstance(control, widgets.Dropdown | widgets.SelectionSlider):
        values = [option[1] if isinstance(option, tuple) else option for option in control.options]
        return values if isinstance(control, widgets.Dropdown) and len(values) < 12 else [values[0], values[-1]]
    return [control.min, control.max]


def move(lab: Lab, **settings: Any) -> Tensor:
    """Controls one after the other, as by hand; the picture when all is done."""
    for name, value in settings.items():
        control = lab.controls[name]
        if isinstance(control, PictureChooser):
            control.choose(value)
        else:
            control.value = value
    assert lab.wait(SOON)
    assert lab.error == "", settings
    assert {name: lab.settings[name] for name in settings} == settings
    return lab.image


def press(lab: Lab, button: str) -> None:
    """A button of the stage, as the page says it."""
    assert button in lab.stage.enabled, f"{button} cannot be pressed now"
    lab.stage._handle_custom_msg({"do": button}, [])


def upload(target: Any, content: bytes, name: str = "mine.png") -> None:
    """A file for a chooser or for a stage, as the page sends it."""
    target._handle_custom_msg({"do": "file", "name": name}, [memoryview(content)])


def tiny_adjustable(**options: Any) -> AdjustableNet:
    """A small untrained network of lesson 08 whose α matter."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = AdjustableNet(Encoder("mini"), widths=(4, 4, 4), blocks=1, **options)
        for part in net.modules():
            if isinstance(part, AdjustedNorm):
                torch.nn.init.normal_(part.head.weight, std=0.3)
    return net.eval().requires_grad_(False)


def close_labs() -> None:
    """No lab, and no thread of one, outlives its test."""
    for widget in list(_instances.values()):
        if isinstance(widget, Lab):
            widget.close()
            assert widget.wait(SOON)
