"""What the tests of labs share: to look into them, to move their controls, to end them (the fixture `labs` does)."""

import io
from typing import Any

import ipywidgets as widgets
import torch
from ipywidgets.widgets.widget import _instances
from PIL import Image
from torch import Tensor

from stylelearn import samples
from stylelearn.encoders import Encoder
from stylelearn.images import resize
from stylelearn.lab.base import Lab
from stylelearn.lab.layers import LayerSliders
from stylelearn.lab.widgets.choosers import Chooser
from stylelearn.networks.conditioning import AdjustableNet, AdjustedNorm

SOON = 240  # seconds; a safety net, never waited for when things work


def ends(control: Any) -> list[Any]:
    """The values at both ends of a control, or all of them where there are no ends."""
    if isinstance(control, Chooser):
        return [control.options[0][0], control.options[-1][0]]
    if isinstance(control, LayerSliders):
        return [dict.fromkeys(control.sliders, 0.0), dict.fromkeys(control.sliders, 1.0)]
    if isinstance(control, widgets.FloatLogSlider):
        return [control.base**control.min, control.base**control.max]
    if isinstance(control, widgets.Dropdown | widgets.SelectionSlider):
        values = [option[1] if isinstance(option, tuple) else option for option in control.options]
        return values if isinstance(control, widgets.Dropdown) and len(values) < 12 else [values[0], values[-1]]
    return [control.min, control.max]


def content(name: str = "chelsea", size: int = 64) -> Tensor:
    """A photo of the course with a longer side of `size` pixels, as labs have it."""
    return resize(samples.content(name), size, "long")


def style(name: str, size: int = 64) -> Tensor:
    """A style of the course, likewise."""
    return resize(samples.style(name), size, "long")


def put(control: Any, value: Any) -> None:
    """Another value of a control, as by hand."""
    if isinstance(control, Chooser):
        control.choose(value)
    else:
        control.value = value


def painted(lab: Lab) -> Tensor:
    """Its picture, once nothing is under way any more."""
    assert lab.wait(SOON)
    assert lab.error == "", lab.settings
    return lab.image


def move(lab: Lab, **settings: Any) -> Tensor:
    """Controls one after the other, as by hand; the picture when all is done."""
    for name, value in settings.items():
        put(lab.controls[name], value)
    assert {name: lab.settings[name] for name in settings} == settings
    return painted(lab)


def close(found: Tensor, expected: Tensor) -> None:
    """Equal but for rounding."""
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


def press(lab: Lab, button: str) -> None:
    """A button of the stage, as the page says it."""
    assert button in lab.stage.enabled, f"{button} cannot be pressed now"
    lab.stage._handle_custom_msg({"do": button}, [])


def drawn(colour: Any, size: tuple[int, int] = (90, 70), kind: str = "png") -> bytes:
    """A picture of one colour, as a file."""
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, kind, quality=95)
    return written.getvalue()


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
