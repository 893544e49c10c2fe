"""Every method of the course, declared once: its title and the defaults of its options.

The command `stylize`, `compare`, the lab of lesson 10 and the gallery use this registry; `painting.py` runs the
methods. PyTorch is not imported here, so `stylelearn --help` answers at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Method:
    """A method of the course.

    Attributes:
        title: for tables. lesson: its number. command: its name for `stylelearn stylize --method`.
        about: one sentence.
        options: default by name; None: no default.
        pictures: least and greatest number of pictures of styles; None: any number.
    """

    title: str
    lesson: int
    command: str
    about: str
    options: Mapping[str, Any]
    pictures: tuple[int, int | None] = (1, 1)

    @property
    def steps(self) -> int:
        """Steps of optimisation; 0 for a network that paints at once."""
        return self.options.get("steps", 0)


_PIXELS = {"encoder": "mini", "encoder_weights": None, "strength": 1.0}
_NETWORK = {"encoder": None, "encoder_weights": None, "strength": 1.0, "weights": None}  # encoder: of its training
_PATCHES = {"patch": 3, "stride": 1}
_COARSE = {"coarse": 0.5}

METHODS: dict[str, Method] = {
    "gatys": Method(
        *("Gatys", 2, "gatys"),
        "Optimises the pixels until their Gram matrices match the style and their deep activations the photograph.",
        {**_PIXELS, "steps": 300, "start": "content", "levels": 2, "seed": 0},
    ),
    "swap_optimised": Method(
        *("Style swap, optimised", 6, "style-swap --optimize"),
        "Replaces each patch of activations by the nearest of the style and optimises the pixels until they match.",
        {**_PIXELS, **_PATCHES, "steps": 100, "start": "content", "seed": 0},
    ),
    "swap_inverted": Method(
        *("Style swap, network", 6, "style-swap"),
        "Replaces each patch of activations by the nearest of the style; a network inverts the result.",
        {**_NETWORK, **_PATCHES},
    ),
    "johnson": Method(
        *("Johnson", 3, "johnson"),
        "A network that has learnt to paint one style.",
        {"style": None, "weights": None, **_COARSE},
        (0, 0),
    ),
    "cin": Method(
        *("Conditional instance norm", 4, "cin"),
        "A network that has learnt several styles, each a short list of numbers, and can mix them.",
        {"style": None, "shares": None, "weights": None, **_COARSE},
        (0, 0),
    ),
    "adain": Method(
        *("AdaIN", 5, "adain"),
        "Gives each channel of the activations the mean and deviation of the style; a decoder inverts the result.",
        {**_NETWORK, "shares": None, **_COARSE},
        (1, None),
    ),
    "photo": Method(
        *("Deep photo", 7, "photo"),
        "Optimises the pixels as Gatys does, region by region, with a term that keeps edges: mostly colours change.",
        {**_PIXELS, "steps": 120, "content_mask": None, "style_mask": None, "regions": 4, "lambda": 1e6, "smooth": 8},
    ),
    "adjustable": Method(
        *("Adjustable", 8, "adjustable"),
        "A network that takes a weight for each layer of the style.",
        {"alpha": None, "practice": 0, "weights": None, **_COARSE},
        (0, 1),  # a network of one style takes no picture
    ),
}


def method_of(method: str) -> Method:
    """The method of a name. Raises ValueError for an unknown name."""
    if method not in METHODS:
        raise ValueError(f"there is no method {method!r}; there are {', '.join(METHODS)}")
    return METHODS[method]


def flag(option: str) -> str:
    """An option as the command line writes it."""
    return f"--{option.replace('_', '-')}"


def chosen(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """All options of a method: those that are given (not None), and the defaults of the rest.

    Raises:
        ValueError: an option that the method does not have, or values that do not go together; names both.
    """
    what = method_of(method)
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in what.options:
            having = ", ".join(each.command for each in METHODS.values() if name in each.options)
            hint = f"; {what.command} takes any picture: stylize CONTENT STYLE" if name == "style" else ""
            raise ValueError(f"{flag(name)} is not for --method {what.command}; it is for {having}{hint}")
    found = {**what.options, **given}
    if what.options.get("strength") and method not in ("gatys", "photo") and found["strength"] > 1:
        raise ValueError(f"--strength is {found['strength']:g}; with {what.command} it goes from 0 (the content) to 1")
    if found.get("stride", 1) > found.get("patch", 1):
        patch = found["patch"]
        raise ValueError(
            f"--stride {found['stride']} leaves gaps between patches of {patch}; use 1 to {patch}, or a larger --patch"
        )
    if not 0 <= found.get("coarse", 0) < 1:
        raise ValueError(f"--coarse is {found['coarse']:g}; it goes from 0 (painted at once) to below 1")
    masks = [found.get(f"{side}_mask") for side in ("content", "style")]
    if any(masks):
        if not all(masks):
            missing = "style" if masks[0] else "content"
            raise ValueError(f"--{missing}-mask is missing: give masks of both pictures, or of neither")
        if "regions" in given:
            raise ValueError("--regions is for pictures without masks; leave it out, or leave the masks out")
        del found["regions"]
    return found
