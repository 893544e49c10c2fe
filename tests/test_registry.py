"""The registry: which options belong to which methods, their defaults, and what does not go together."""

import re

import pytest

from stylelearn import photo
from stylelearn.cli.stylize import OPTIONS
from stylelearn.registry import METHODS, chosen, flag


@pytest.mark.parametrize("method", METHODS)
def test_options_of_other_methods_are_refused_with_the_methods_that_have_them(method):
    what = METHODS[method]
    assert chosen(method, dict.fromkeys(OPTIONS)) == dict(what.options)
    for name in OPTIONS.keys() - what.options.keys():
        with pytest.raises(ValueError, match=f"^{flag(name)} is not for --method {what.command}; it is for ") as error:
            chosen(method, {name: 1})
        listed = re.split(", ", str(error.value).partition("it is for ")[2].partition(";")[0])
        assert listed == [each.command for each in METHODS.values() if name in each.options]


def test_every_option_belongs_to_a_method_and_every_default_to_an_option():
    assert {name for method in METHODS.values() for name in method.options} == {*OPTIONS}
    assert METHODS["photo"].steps == sum(photo.STEPS)
    assert len({method.command for method in METHODS.values()}) == len(METHODS)


def test_masks_take_the_place_of_regions():
    masks = {"content_mask": "a.png", "style_mask": "b.png"}
    assert "regions" not in chosen("photo", masks) and chosen("photo", {})["regions"] == 4
    with pytest.raises(ValueError, match="--regions is for pictures without masks"):
        chosen("photo", {**masks, "regions": 2})
    for missing in masks:
        with pytest.raises(ValueError, match=f"{flag(missing)} is missing"):
            chosen("photo", {**masks, missing: None})
