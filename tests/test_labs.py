"""All labs alike: each control at its ends, words for the picture, settings that make the same lab, what is refused.

And what of a lab is on the page. What only one lab does is in the test file of its lesson.
"""

import inspect
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest
import torch
from hands import SOON, ends, inside, put, tiny_adjustable

from stylelearn import samples
from stylelearn.cin import StyleNet
from stylelearn.emd import EMD
from stylelearn.encoders import Encoder
from stylelearn.glyphs.fonts import LETTERS
from stylelearn.images import read_image, read_settings
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
from stylelearn.lab.compare import PHOTO
from stylelearn.lab.live import LiveLab
from stylelearn.lab.mixing import Pad
from stylelearn.lab.steps import StepLab
from stylelearn.networks.transformation import TransformationNet
from stylelearn.style_swap import StyleSwap
from stylelearn.weights import WeightsError

pytestmark = pytest.mark.usefixtures("labs")


@dataclass
class Case:
    """A lab, and what of it the tests need to know.

    Attributes:
        given: arguments that make it small. other: arguments unlike its defaults.
        sliders: what of it is a slider or a square, and not folded away.
        ends: values of what has no ends, by setting. largest: size that is tried.
        refuses: settings of which not every value goes with the others.
    """

    lab: type[Lab]
    given: dict[str, Any]
    other: dict[str, Any]
    sliders: set[str]
    ends: dict[str, list[Any]] = field(default_factory=dict)
    largest: int = 1024
    refuses: tuple[str, ...] = ()


STEPS, PASS = {"size": 64, "first_steps": 0}, {"content": "chelsea", "size": 64}
LAYERS = {"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"}
SWAP = {
    "largest": 384,  # 512 takes too long in small patches
    "refuses": ("how", "layer", "patch", "stride"),
    "sliders": {"strength", "place ↔", "place ↕"},
    "other": {
        "content": "coffee", "style": "batik", "how": "optimise", "layer": "relu2_1", "patch": 4, "stride": 3,
        "strength": 0.6, "start": "noise", "steps": 10, "tv_weight": 0.3, "size": 64, "view": "patchwork",
        "across": 0.2, "down": 0.9, "first_steps": 3,
    },
}  # fmt: skip
CASES = {
    "welcome": Case(
        WelcomeLab, STEPS, {"content": "coffee", "style_weight": 10.0, "size": 80, "first_steps": 2},
        {"how much style"},
    ),
    "inversion": Case(
        InversionLab, STEPS, {"content": "camera", "layer": "relu2_1", "seed": 3, "size": 80, "first_steps": 2},
        {"smoothness λ", "exponent β", "steps"},
    ),
    "gatys": Case(
        GatysLab, STEPS,
        {"content": "coffee", "style": "mosaic", "style_weight": 100.0, "layer_weights": "fine", "start": "noise",
         "seed": 7, "colour": "content", "size": 80, "first_steps": 3},
        {"style ÷ content", *LAYERS, "steps"},
    ),
    "johnson": Case(
        JohnsonLab, PASS, {"content": "rocket", "style": "mosaic", "strength": 0.6, "colours": "content", "size": 128},
        {"strength (blend)", "broad marks"},
    ),
    "cin": Case(
        CinLab, PASS | {"where": "centre"},
        {"content": "coffee", "upper_left": "tiles", "across": 0.2, "where": "centre", "counts": "outside",
         "softness": 0.4, "size": 128},
        {"mix", "broad marks"},
    ),
    "adain": Case(
        AdaINLab, PASS | dict(zip(("style", "style_2", "style_3", "style_4"), samples.style_names(), strict=False)),
        {"content": "coffee", "style": "batik", "style_2": "mosaic", "style_3": "impasto", "style_4": "pencil",
         "across": 0.2, "down": 0.7, "strength": 0.6, "colours": "content", "where": "stripes", "elsewhere": "photo",
         "size": 128},
        {"mix", "strength α", "broad marks"},
    ),
    "swap": Case(StyleSwapLab, {**STEPS, "first_steps": 2}, **SWAP),
    "swap, optimised": Case(StyleSwapLab, {**STEPS, "first_steps": 2, "how": "optimise"}, **SWAP),
    "photo": Case(
        PhotoLab, {**STEPS, "masks": "one"},
        {"content": "coffee", "style": "flower", "stages": "second", "smoothing": 1, "size": 64, "first_steps": 1},
        {"λ: photo", "Γ: style", "steps"}, largest=96,
    ),
    "adjustable": Case(
        AdjustableLab, PASS | {"style": "batik"},
        {"content": "coffee", "style": "mosaic", "alphas": {"relu1_1": 0.1, "relu4_1": 0.7}, "practice": 5,
         "noise": 0.2, "seed": 5, "size": 128},
        {"mix", "relu1_1", "relu2_1", "relu4_1"},
    ),
    "emd": Case(
        EMDLab, {"font": "cmr10", "other": "cmtt10", "letters": "Hop", "word": "Ab3"},
        {"font": "cmb10", "other": "cmr10", "letters": "CAB", "word": "cab9", "share": 0.6},
        {"share of other"}, ends={"letters": ["AAA", LETTERS], "word": ["z", "Aa0Bb1Cc2Dd3"]},
    ),
    "compare": Case(
        CompareLab, {"content": "chelsea", "style": "stained_glass", "left": PHOTO, "steps": 10, "size": 64},
        {"content": "coffee", "style": "mosaic", "left": "cin", "right": "gatys", "border": 0.3, "steps": 11,
         "size": 64},
        {"steps"}, largest=512,
    ),
}  # fmt: skip
each_lab = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.fixture(autouse=True)
def _small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small untrained networks in place of those that ship; AdaIN's is quick as it is."""
    networks = {
        "johnson": TransformationNet((4, 4, 4), 1),
        "cin": StyleNet(["oil", "ink", "glass", "chalk", "wool", "tiles"], (4, 6, 8), blocks=1),
        "style_swap": StyleSwap(Encoder("mini")),
        "adjustable": tiny_adjustable(),
        "emd": EMD(3, (4,) * 7),
    }
    for name, network in networks.items():
        network.eval().requires_grad_(False)
        monkeypatch.setattr(f"stylelearn.lab.{name}.network", lambda *_, network=network: network)
    monkeypatch.setattr("stylelearn.practice.practise", lambda *_, **__: iter(()))


@each_lab
def test_every_control_works_at_its_ends(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set as by hand, then painted (of many steps, two): a finite picture, or words that say what to choose instead."""
    monkeypatch.setattr(StepLab, "start", lambda self, **_: None)
    lab = case.lab(**case.given)
    for name, control in lab.controls.items():
        for value in [*(case.ends.get(name) or ends(control)), lab.settings[name]]:
            if str(value) in ("vgg19", "vgg16") or (name == "size" and value > case.largest):
                continue
            put(control, value)
            assert lab.settings[name] == value
            if isinstance(lab, StepLab):
                lab._runner.run_here(lab.job(lab.settings, None, 2))
            assert lab.wait(SOON)
            if lab.error:
                assert name in case.refuses, f"{name} = {value}: {lab.error}"
                assert any(words in lab.error for words in ("choose", "use", "must be")), lab.error
            else:
                assert lab._made[name] == value
                assert lab.settings.get("size") in (None, *lab.image.shape[2:])
            assert bool(torch.isfinite(lab.image).all()) and 0 <= lab.image.min() and lab.image.max() <= 1


@each_lab
def test_a_picture_is_there_at_once_and_settings_make_it_again_and_reset_does(case: Case, tmp_path: Path) -> None:
    lab = case.lab(**case.other)
    assert [one for one in inside(lab) if "poster" in one._dom_classes] == [lab.stage]
    assert lab.stage.value[:2] == b"\xff\xd8" and len(lab.stage.tooltip) > 20  # a JPEG with words
    if "first_steps" in case.other:
        assert lab.stage.tooltip.endswith(f"after {case.other['first_steps']} steps")
    steps = {name: value for name, value in case.other.items() if name == "first_steps"}
    takes = inspect.signature(case.lab).parameters.keys() - {"first_steps", "first", "weights", "shown"}
    assert lab.settings.keys() == takes
    again = case.lab(**lab.settings, **steps)
    settings, image = lab.settings, lab.image
    assert again.settings == settings and torch.equal(again.image, image)
    path = lab.save(str(tmp_path / "made.png"))
    assert path is not None
    done = {"steps_done": case.other["first_steps"]} if steps else {}
    assert read_settings(path) == {**settings, "lab": case.lab.__name__, **done}
    torch.testing.assert_close(read_image(path), image, rtol=0, atol=1 / 255)
    lab.set(**{**case.lab(**case.given).settings, "content": "rocket"} if "content" in settings else case.given)
    assert lab.wait(SOON) and lab.settings != settings
    lab.reset()
    assert not (steps and lab.running)  # nothing is painted for it
    assert lab.wait(SOON) and lab.error == ""
    assert lab.settings == settings and torch.equal(lab.image, image)


@pytest.mark.parametrize("lab", [AdaINLab, EMDLab, StyleSwapLab, AdjustableLab])
def test_without_weights_it_says_what_to_do(lab: type[Lab], monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: str) -> None:
        raise WeightsError("no such network; get it back with `git checkout -- data/weights`")

    monkeypatch.setattr(sys.modules[lab.__module__], "network", missing)
    if lab is AdjustableLab:  # whose sliders are those of its network
        with pytest.raises(WeightsError, match="git checkout"):
            lab()
        return
    opened = lab()
    assert "git checkout" in opened.error
    assert opened.stage.value[:2] == b"\xff\xd8"


WRONG: dict[type[Lab], list[tuple[dict[str, Any], str]]] = {
    GatysLab: [
        ({"layer_weights": "most"}, "no preset 'most'"),
        ({"layer_weights": {"relu9_1": 1}}, "relu9_1"),
        ({"layer_weights": {"relu1_1": 2}}, "relu1_1 must be a number from 0 to 1"),
        ({"style_weight": 0}, "style ÷ content must be a number from 0.01 to 10000"),
        ({"start": "middle"}, "choose from"),
        ({"style": "nosuch"}, "nosuch"),
    ],
    JohnsonLab: [
        ({"strength": 1.5}, "strength .* from 0 to 1; got 1.5"),
        ({"size": 2048}, "size must be a number from 64 to 1024"),
        ({"hide": ["size", "nosuch"]}, "no control nosuch to hide; there are content, style, .*, coarse"),
        ({"hide": "nosuch"}, "no control nosuch to hide"),
        ({"show": "buttons"}, "show must be 'all' or 'sliders'; got 'buttons'"),
    ],
    CinLab: [
        ({"upper_left": "water"}, "'water' is not there; choose from oil, ink"),
        ({"across": 1.5}, "across"),
    ],
    AdaINLab: [
        ({"where": "nosuch"}, "nosuch"),
        ({"strength": 1.5}, "strength α must be a number from 0 to 1"),
    ],
    StyleSwapLab: [
        ({"patch": 6}, "patch size 6 is not there"),
        ({"tv_weight": 99}, "smoothness"),
    ],
    PhotoLab: [
        ({"masks": "mine"}, "masks 'mine' is not there"),
        ({"photorealism_weight": 0}, "λ"),
    ],
    AdjustableLab: [
        ({"alphas": "most"}, "no preset 'most' of α; there are all, none, relu1_1 alone"),
        ({"alphas": {"relu9_1": 1}}, "no α for 'relu9_1'; there is one for relu1_1, relu2_1, relu4_1"),
        ({"alphas": {"relu1_1": 1.5}}, "the α of relu1_1 must be a number from 0 to 1"),
        ({"seed": -1}, "seed"),
    ],
    EMDLab: [({"share": "half"}, "share of other must be a number from 0 to 1")],
    CompareLab: [
        ({"left": "picasso"}, "choose from"),
        ({"hide": ["border"]}, "no control border to hide"),  # it is on the picture
    ],
}


@pytest.mark.parametrize("lab, arguments, words", [(lab, *one) for lab, several in WRONG.items() for one in several])
def test_wrong_arguments_are_refused_by_name(lab: type[Lab], arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        lab(**arguments)


def seen(widget: Any) -> list[Any]:
    """The controls that are on the page, whatever is folded away or not."""
    if getattr(widget, "layout", None) is not None and widget.layout.display == "none":
        return []
    children = getattr(widget, "children", ())
    return [one for child in children for one in seen(child)] if children else [widget]


@each_lab
def test_a_projector_shows_sliders_and_squares_only_and_every_control_can_be_hidden(case: Case) -> None:
    shown = case.lab(**case.given, show="sliders")
    column = shown.children[0].children[1]
    names = {one.description for one in seen(column) if isinstance(one, Pad) or "Slider" in type(one).__name__}
    assert names == case.sliders
    hideable = set(shown.settings) - shown.fixed.keys() - {"border"}  # which is on the picture
    bare = case.lab(**case.given, hide=hideable)
    assert bare.settings == shown.settings
    assert not any(getattr(one, "description", "") for one in seen(bare.children[0].children[1]))


@each_lab
def test_every_control_says_what_it_means(case: Case) -> None:
    """And it answers while it is dragged where a network makes the picture at once, or else when it is released."""
    made = case.lab(**case.given)
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
