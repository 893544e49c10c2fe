"""What of a lab is on the page: controls that a demonstration hides, and the sliders alone for a projector."""

from typing import Any

import ipywidgets as widgets
import pytest
from hands import inside

from stylelearn.lab import (
    AdaINLab,
    AdjustableLab,
    CinLab,
    CompareLab,
    EMDLab,
    GatysLab,
    InversionLab,
    JohnsonLab,
    PhotoLab,
    StyleSwapLab,
    WelcomeLab,
)
from stylelearn.lab.base import Lab
from stylelearn.lab.column import Column, Folded
from stylelearn.lab.live import LiveLab
from stylelearn.lab.mixing import Pad

pytestmark = pytest.mark.usefixtures("labs")

STEPS, PASS = {"first_steps": 0}, {"size": 64}
LABS: list[tuple[type[Lab], dict[str, Any], set[str]]] = [  # and what of each is a slider or a square, not folded away
    (WelcomeLab, STEPS, {"how much style"}),
    (InversionLab, STEPS, {"smoothness λ", "exponent β", "steps"}),
    (GatysLab, STEPS, {"style ÷ content", "relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1", "steps"}),
    (JohnsonLab, PASS, {"strength (blend)"}),
    (CinLab, PASS, {"mix"}),
    (AdaINLab, PASS, {"mix", "strength α"}),
    (StyleSwapLab, STEPS, {"strength", "place ↔", "place ↕"}),
    (PhotoLab, STEPS, {"λ: photo", "Γ: style", "steps"}),
    (AdjustableLab, PASS, {"mix"}),  # and a slider for each of its layers
    (EMDLab, {}, {"share of other"}),
    (CompareLab, {"first": False}, {"steps"}),
]


def seen(widget: Any) -> list[Any]:
    """The controls that are on the page, whatever is folded away or not."""
    if getattr(widget, "layout", None) is not None and widget.layout.display == "none":
        return []
    children = getattr(widget, "children", ())
    return [one for child in children for one in seen(child)] if children else [widget]


@pytest.mark.parametrize(("lab", "given", "sliders"), LABS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_projector_shows_sliders_and_squares_only_and_every_control_can_be_hidden(
    lab: type[Lab], given: dict[str, Any], sliders: set[str]
) -> None:
    shown = lab(**given, show="sliders")
    column = shown.children[0].children[1]
    names = {one.description for one in seen(column) if isinstance(one, Pad) or "Slider" in type(one).__name__}
    layers = set(shown.alphas.sliders) if lab is AdjustableLab else set()
    assert names == sliders | layers
    settings = shown.settings
    shown.close()
    hideable = set(settings) - shown.fixed.keys() - {"border"}  # which is on the picture
    bare = lab(**given, hide=hideable)
    assert bare.settings == settings
    assert not any(getattr(one, "description", "") for one in seen(bare.children[0].children[1]))
    bare.close()


@pytest.mark.parametrize(("lab", "given"), [one[:2] for one in LABS], ids=lambda one: getattr(one, "__name__", ""))
def test_every_control_says_what_it_means(lab: type[Lab], given: dict[str, Any]) -> None:
    """And it answers while it is dragged where a picture is one pass of a network, or else when it is released."""
    made = lab(**given)
    for one in inside(made):
        if isinstance(one, widgets.Text) and one.placeholder:
            assert len(one.tooltip) > 20
        elif isinstance(one, widgets.Button | widgets.ValueWidget) and not isinstance(one, widgets.HTML):
            assert one.description and len(one.tooltip) > 20, one.description
        if isinstance(one, widgets.FloatSlider | widgets.FloatLogSlider):
            assert one.continuous_update == isinstance(made, LiveLab), one.description
        if isinstance(one, widgets.HTML):
            assert one.value.count("<img ") == one.value.count(' alt="')
            assert one.value.count("<svg ") == one.value.count("aria-")


def slider(value: float) -> widgets.FloatSlider:
    return widgets.FloatSlider(value=value, min=0, max=1)


def test_what_belongs_to_a_hidden_control_goes_with_it_and_its_value_stays() -> None:
    notes = [widgets.HTML(f"note {number}") for number in range(4)]
    pad = Pad(0.25, 0.75)
    column = Column(
        [
            {"first": slider(0.1), "second": slider(0.2)}, notes[0],
            {"third": slider(0.3)}, notes[1],
            (pad, pad.settings),
            Folded("more", [{"fourth": slider(0.4)}, notes[2]]), notes[3],
        ],
        hide=["second", "across", "fourth"],
    )  # fmt: skip
    assert seen(column) == [column.controls["first"], column.controls["third"], notes[1], notes[3]]
    assert {name: one.value for name, one in column.controls.items()} == {
        "first": 0.1, "second": 0.2, "third": 0.3, "across": 0.25, "down": 0.75, "fourth": 0.4
    }  # fmt: skip
    assert set(notes) <= set(inside(column))  # still a part of the lab, and closed with it


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ({"hide": ["size", "nosuch"]}, "no control nosuch to hide; there are content, style, strength, colours, size"),
        ({"hide": "nosuch"}, "no control nosuch to hide"),
        ({"show": "buttons"}, "show must be 'all' or 'sliders'; got 'buttons'"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused_by_name(view: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        JohnsonLab(**view)


def test_a_compared_border_is_on_the_picture_and_cannot_be_hidden() -> None:
    with pytest.raises(ValueError, match="no control border to hide"):
        CompareLab(first=False, hide=["border"])
