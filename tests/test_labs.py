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
from hands import SOON, ends, put, tiny_adjustable

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
from stylelearn.lab.camera import CameraLab
from stylelearn.lab.column import Column, Folded
from stylelearn.lab.compare import PHOTO
from stylelearn.lab.engine.kernel import inside
from stylelearn.lab.live import LiveLab
from stylelearn.lab.mixing import Pad
from stylelearn.lab.steps import StepLab
from stylelearn.lab.widgets.choosers import Chooser
from stylelearn.networks.transformation import TransformationNet
from stylelearn.style_swap import StyleSwap
from stylelearn.weights import WeightsError

pytestmark = pytest.mark.usefixtures("labs")


@dataclass
class Case:
    """A lab, and what of it the tests need to know.

    Attributes:
        given: arguments unlike its defaults, of a small picture. largest: size that is tried.
        ends: values of what has no ends, by setting.
        refuses: settings of which not every value goes with the others.
    """

    lab: type[Lab]
    given: dict[str, Any]
    largest: int = 1024
    ends: dict[str, list[Any]] = field(default_factory=dict)
    refuses: tuple[str, ...] = ()

    def first(self, lab: Lab) -> dict[str, Any]:
        """The first value of every control."""
        return {name: (self.ends.get(name) or ends(control))[0] for name, control in lab.controls.items()}


SWAP = {
    "content": "coffee", "style": "batik", "patch": 4, "stride": 3, "strength": 0.6, "start": "noise", "steps": 10,
    "tv_weight": 0.3, "size": 64, "view": "patchwork", "across": 0.2, "down": 0.9, "first_steps": 3,
}  # fmt: skip
REFUSES = ("how", "layer", "patch", "stride")
CASES = {
    "welcome": Case(WelcomeLab, {"content": "coffee", "style_weight": 10.0, "size": 80, "first_steps": 2}),
    "inversion": Case(
        InversionLab, {"content": "camera", "layer": "relu2_1", "seed": 3, "size": 80, "first_steps": 2}
    ),
    "gatys": Case(
        GatysLab,
        {"content": "coffee", "style": "mosaic", "style_weight": 100.0, "layer_weights": "fine", "start": "noise",
         "seed": 7, "colour": "content", "size": 80, "first_steps": 3},
    ),
    "johnson": Case(
        JohnsonLab, {"content": "rocket", "style": "mosaic", "strength": 0.6, "colours": "content", "size": 64}
    ),
    "cin": Case(
        CinLab,
        {"content": "coffee", "upper_left": "tiles", "across": 0.2, "where": "centre", "counts": "outside",
         "softness": 0.4, "size": 64},
    ),
    "adain": Case(
        AdaINLab,
        {"content": "coffee", "style": "batik", "style_2": "mosaic", "style_3": "impasto", "style_4": "pencil",
         "across": 0.2, "down": 0.7, "strength": 0.6, "colours": "content", "where": "stripes", "elsewhere": "photo",
         "size": 64},
    ),
    "swap": Case(StyleSwapLab, {**SWAP, "first_steps": 1}, 384, refuses=REFUSES),  # 512 takes too long in small patches
    "swap, optimised": Case(
        StyleSwapLab, {**SWAP, "how": "optimise", "layer": "relu2_1"}, 384, refuses=REFUSES
    ),
    "photo": Case(
        PhotoLab,
        {"content": "coffee", "style": "flower", "masks": "one", "stages": "second", "smoothing": 1, "size": 64,
         "first_steps": 1}, 96,
    ),
    "adjustable": Case(
        AdjustableLab,
        {"content": "coffee", "style": "mosaic", "alphas": {"relu1_1": 0.1, "relu4_1": 0.7}, "practice": 5,
         "noise": 0.2, "seed": 5, "size": 64},
    ),
    "emd": Case(
        EMDLab, {"font": "cmb10", "other": "cmr10", "letters": "CAB", "word": "cab9", "share": 0.6},
        ends={"letters": ["AAA", LETTERS], "word": ["z", "Aa0Bb1Cc2Dd3"]},
    ),
    "compare": Case(
        CompareLab,
        {"content": "coffee", "style": "stained_glass", "left": "adain", "right": PHOTO, "border": 0.3, "steps": 11,
         "size": 64}, 512,
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
    lab = case.lab(**case.given)
    assert [one for one in inside(lab) if "poster" in getattr(one, "_dom_classes", ())] == [lab.stage]
    assert lab.stage.value[:2] == b"\xff\xd8" and len(lab.stage.tooltip) > 20  # a JPEG with words
    steps = {name: value for name, value in case.given.items() if name == "first_steps"}
    takes = inspect.signature(case.lab).parameters.keys() - {"first_steps", "weights", "shown"}
    assert lab.settings.keys() == takes
    again = case.lab(**lab.settings, **steps)
    settings, image = lab.settings, lab.image
    assert again.settings == settings and torch.equal(again.image, image)
    path = lab.save(str(tmp_path / "made.png"))
    assert path is not None
    done = {"steps_done": steps["first_steps"]} if steps else {}
    assert read_settings(path) == {**settings, "lab": case.lab.__name__, **done}
    torch.testing.assert_close(read_image(path), image, rtol=0, atol=1 / 255)
    lab.set(**case.first(lab))
    assert lab.wait(SOON) and lab.settings != settings
    lab.reset()
    assert not (steps and lab.running)  # nothing is painted for it
    assert lab.wait(SOON) and lab.error == ""
    assert lab.settings == settings and torch.equal(lab.image, image)


@pytest.mark.parametrize("name", ["johnson", "cin", "adain"])
def test_what_the_camera_sees_is_painted_as_if_it_were_chosen(name: str) -> None:
    case = CASES[name]
    lab = case.lab(**case.given)
    assert isinstance(lab, CameraLab)
    with torch.no_grad():
        made = lab.render(lab.settings, {**lab.pictures, "content": samples.content("chelsea")})
    lab.content.choose("chelsea")
    assert lab.wait(SOON) and torch.equal(made, lab.image)


@pytest.mark.parametrize("lab", [AdaINLab, EMDLab, StyleSwapLab])
def test_without_weights_it_says_what_to_do(lab: type[Lab], monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: str) -> None:
        raise WeightsError("no such network; get it back with `git checkout -- data/weights`")

    monkeypatch.setattr(sys.modules[lab.__module__], "network", missing)
    opened = lab()
    assert "git checkout" in opened.error
    assert opened.stage.value[:2] == b"\xff\xd8"


WRONG: dict[type[Lab], list[tuple[dict[str, Any], str]]] = {
    GatysLab: [
        ({"style_weight": 0}, "style ÷ content must be a number from 0.01 to 10000"),
        ({"style": "nosuch"}, "nosuch"),
        ({"seed": -1}, "seed"),
        ({"tv_weight": 101}, "smoothness"),
    ],
    JohnsonLab: [
        ({"strength": 1.5}, "strength .* from 0 to 1; got 1.5"),
        ({"size": 2048}, "size must be a number from 64 to 1024"),
        ({"hide": ["size", "nosuch"]}, "no control nosuch to hide; there are content, style, .*, coarse"),
        ({"show": "buttons"}, "show must be 'all' or 'sliders'; got 'buttons'"),
    ],
    CinLab: [
        ({"upper_left": "water"}, "'water' is not there; choose from oil, ink"),
        ({"across": 1.5}, "across must be a number from 0 to 1"),
        ({"where": "nosuch"}, "nosuch"),
    ],
    AdjustableLab: [
        ({"alphas": "most"}, "no preset 'most' of α; there are all, none, relu1_1 alone"),
        ({"alphas": {"relu9_1": 1}}, "no α for 'relu9_1'; there is one for relu1_1, relu2_1, relu4_1"),
        ({"alphas": {"relu1_1": 1.5}}, "the α of relu1_1 must be a number from 0 to 1"),
    ],
    EMDLab: [({"share": "half"}, "share of other must be a number from 0 to 1")],
    CompareLab: [({"hide": "border"}, "no control border to hide")],  # it is on the picture
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
    assert any("Slider" in type(one).__name__ for one in seen(column))
    lists = {one.description for one in seen(column) if isinstance(one, Chooser | widgets.Dropdown | widgets.Text)}
    assert lists <= {"style layers", "preset"}  # which are a part of the layers' sliders
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


def test_what_belongs_to_a_hidden_control_goes_with_it_and_its_value_stays() -> None:
    notes = [widgets.HTML(f"note {number}") for number in range(4)]
    pad = Pad(0.25, 0.75)
    first, second, third, fourth = (widgets.FloatSlider(value) for value in (0.1, 0.2, 0.3, 0.4))
    column = Column(
        [
            {"first": first, "second": second}, notes[0], {"third": third}, notes[1], (pad, pad.settings),
            Folded("more", [{"fourth": fourth}, notes[2]]), notes[3],
        ],
        hide=["second", "across", "fourth"],
    )  # fmt: skip
    assert seen(column) == [first, third, notes[1], notes[3]]
    assert [one.value for one in column.controls.values()] == [0.1, 0.2, 0.3, 0.25, 0.75, 0.4]
    assert set(notes) <= set(inside(column))  # still a part of the lab, and closed with it
