"""The lab of lesson 07: what it shows held against the method, and where its masks go."""

from typing import Any

import pytest
import torch

from stylelearn import gatys, photo, samples, segmentation
from stylelearn.encoders import Encoder
from stylelearn.lab import PhotoLab
from stylelearn.lab.photo import FOUND, ONE, OURS, PAINTED, counts
from stylelearn.lab.steps import fitted

pytestmark = pytest.mark.usefixtures("labs")

SMALL = {"size": 64, "first_steps": 0}


def pictures(lab: PhotoLab) -> list[torch.Tensor]:
    return [fitted(chooser.image, lab.settings["size"]) for chooser in (lab.content, lab.style)]


def masks(lab: PhotoLab) -> list[segmentation.Masks]:
    return [one.resized(tuple(image.shape[2:])) for one, image in zip(lab.painter.masks, pictures(lab), strict=True)]


def test_steps_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo, "STEPS", (30, 90))
    assert [counts(stages, 100) for stages in ("both", "first", "second")] == [(25, 75), (100, 0), (0, 100)]
    assert counts("both", 2) == (1, 1)


def test_it_shows_what_the_method_gives(mini: Encoder) -> None:
    for options in ({}, {"stages": "second", "start": "content"}, {"stages": "first", "start": "noise"}):
        lab = PhotoLab(size=64, first_steps=4, smoothing=0, photorealism_weight=1e3, style_weight=10.0, **options)
        pair = pictures(lab)
        kind = options.get("start", "colours")
        start = None if kind == "colours" else gatys.start_image(kind, *pair)
        steps = counts(options.get("stages", "both"), 4)
        *_, last = photo.stylize(
            *pair, *masks(lab), encoder=mini, steps=steps, start=start, photorealism_weight=1e3, style_weight=10.0
        )
        assert torch.equal(lab.image, last.best_image)
        assert lab.stage.tooltip == "china in the light of rocket, after 4 steps"


def test_smoothing_comes_after_everything_else() -> None:
    rough, smooth = (PhotoLab(size=64, first_steps=3, smoothing=radius) for radius in (0, 2))
    assert torch.equal(smooth.image, photo.smooth(rough.image, pictures(rough)[0], 2))


def test_continue_goes_on_with_the_last_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    objective = photo.objective
    monkeypatch.setattr(photo, "objective", lambda *a, **options: asked.append(options) or objective(*a, **options))
    for stages, weight in (("both", 1e6), ("second", 1e6), ("first", 0.0)):
        lab = PhotoLab(stages=stages, steps=10, **SMALL)
        lab._runner.run_here(lab.job(lab.settings, pictures(lab)[0], 2))
        assert lab.error == ""
        assert asked[-1]["photorealism_weight"] == weight


def test_hidden_masks_have_no_painter() -> None:
    for hidden in (False, True):
        lab = PhotoLab(hide=["masks"] if hidden else [], **SMALL)
        below = [one for one in lab.children if one is not lab.children[0]]
        assert lab.painter in below
        assert [one.layout.display == "none" for one in below] == [hidden] * len(below)


def test_each_kind_of_masks_is_shown_and_used(mini: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[tuple[segmentation.Masks, ...]] = []
    monkeypatch.setattr(photo, "stylize", lambda *a, **_: used.append(a[2:]) or iter(()))
    lab = PhotoLab("china", "rocket", **SMALL)
    pair = [fitted(samples.content(name), 128) for name in ("china", "rocket")]
    ours = [segmentation.course_mask(name) for name in ("china", "rocket")]
    for kind, expected in (
        (OURS, ours),
        (ONE, [segmentation.one_region(image) for image in pair]),
        (FOUND, segmentation.cluster(*pair, encoder=mini)),
    ):
        lab.masks.value = kind
        lab._runner.run_here(lab.job(lab.settings, None, 1))
        for found, one in zip(used[-1], expected, strict=True):
            assert set(found.names) == {name for name, share in one.shares().items() if share > 0}
            for name, share in found.shares().items():
                assert share == pytest.approx(one.shares()[name], abs=0.03)


def test_painting_makes_the_masks_ones_own_until_other_ones_are_chosen() -> None:
    lab = PhotoLab("china", "rocket", **SMALL)
    before = lab.painter.masks[0].shares()
    lab.painter.add("moon")
    lab.painter.content.stroke([(200, 20), (210, 25)])
    assert lab.masks.value == PAINTED
    assert set(lab.painter.masks[0].names) == {*before, "moon"}
    assert "moon" in masks(lab)[0].names
    lab._runner.run_here(lab.job(lab.settings, None, 2))  # an orphan: merged, no error
    assert lab.error == ""
    lab.masks.value = OURS
    assert lab.painter.masks[0].shares() == before
    lab.painter.content.stroke([(200, 20)])
    lab.reset()
    assert lab.masks.value == OURS and lab.painter.masks[0].shares() == before


def test_other_pictures_come_with_other_masks() -> None:
    lab = PhotoLab("china", "rocket", **SMALL)
    lab.content.choose("hubble")  # for which the course has none
    assert lab.masks.value == FOUND
    assert lab.painter.masks[0].names == lab.painter.masks[1].names
    assert lab.painter.content.columns / lab.painter.content.rows == pytest.approx(1000 / 872, abs=0.02)
    lab.painter.content.stroke([(20, 20)])
    lab.style.choose("camera")
    assert lab.masks.value == PAINTED
    assert lab.painter.masks[0].shares() == {"everything": 1.0}
    assert lab.error == ""
