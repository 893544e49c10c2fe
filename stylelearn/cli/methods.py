"""What `stylelearn stylize` can paint with, and which options belong to which method.

The pixels are optimised in `optimising.py` (gatys); in `feedforward.py` a trained network paints them in one pass
(johnson, cin, adain).
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stylelearn.cli.parsing import Wrong

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Painted:
    """What a method made.

    Attributes:
        image: (1, 3, H, W) in [0, 1].
        settings: what is kept inside the file beside what all methods keep.
        says: the line that is printed once the file is written.
        stopped: whether Ctrl-C ended it. failed: whether it broke off; then `says` tells why.
    """

    image: "Tensor"
    settings: dict[str, Any]
    says: str
    stopped: bool = False
    failed: bool = False


Paint = Callable[[argparse.Namespace, "Tensor"], Painted]


@dataclass(frozen=True)
class Method:
    """One method.

    Attributes:
        options: those that not every method has; what was not said is None.
        pictures: of styles after CONTENT, at least and at most; None for as many as one likes.
        usual: values of options that were not said.
    """

    options: tuple[str, ...]
    pictures: tuple[int, int | None]
    usual: dict[str, Any]

    @property
    def trained_styles(self) -> bool:
        """Whether styles are named and not shown."""
        return self.pictures == (0, 0)


METHODS = {
    "gatys": Method(
        ("encoder", "encoder_weights", "precision", "strength", "steps", "start", "levels", "seed"),
        (1, 1),
        {
            "encoder": "mini",
            "precision": "float32",
            "strength": 1.0,
            "steps": 300,
            "start": "content",
            "levels": 1,
            "seed": 0,
        },
    ),
    "johnson": Method(("style", "weights"), (0, 0), {}),
    "cin": Method(("style", "shares", "weights"), (0, 0), {}),
    "adain": Method(("encoder", "encoder_weights", "strength", "shares", "weights"), (1, None), {"strength": 1.0}),
}
USUAL_SIZE = 256


def painter(name: str) -> Paint:
    """The function that paints, loaded when it is needed."""
    from stylelearn.cli import feedforward, optimising

    return {"gatys": optimising.gatys, **feedforward.PAINT}[name]


def check(options: argparse.Namespace) -> None:
    """Refuse what does not belong to the method, then fill in what was not said.

    Raises:
        Wrong: names the first option that is out of place, and what would be right.
    """
    name, method = options.method, METHODS[options.method]
    for option in sorted({option for each in METHODS.values() for option in each.options}):
        if option not in method.options and getattr(options, option) is not None:
            raise Wrong(_misplaced(option, name))
    _check_styles(options, method)
    if options.shares is not None:
        _check_shares(options)
    if name == "adain" and options.strength is not None and options.strength > 1:
        raise Wrong(f"--strength is {options.strength:g}; with --method adain it goes from 0 (the photo) to 1")
    if options.full_size and options.size is not None:
        raise Wrong("--size and --full-size contradict each other; say one of them")
    if not options.full_size and options.size is None:
        options.size = USUAL_SIZE
    for option, value in method.usual.items():
        if getattr(options, option) is None:
            setattr(options, option, value)


def _misplaced(option: str, name: str) -> str:
    flag = f"--{option.replace('_', '-')}"
    having = " and ".join(each for each, method in METHODS.items() if option in method.options)
    if option == "style":
        return f"--style names a trained style, for {having}; --method {name} takes any picture: stylize CONTENT STYLE"
    if option == "strength":
        return f"--strength is not for --method {name}, whose networks have learnt one strength; it is for {having}"
    if option == "shares" and name == "johnson":
        return f"--shares is not for --method johnson, whose networks know one style each; it is for {having}"
    return f"{flag} is not for --method {name}; it is for {having}"


def _check_styles(options: argparse.Namespace, method: Method) -> None:
    given, name = options.pictures, options.method
    at_least, at_most = method.pictures
    if method.trained_styles and given:
        raise Wrong(
            f"--method {name} paints in styles that it was trained in and takes no picture of one, but got "
            f"'{given[0]}'; say --style NAME, or use --method adain or gatys for the style of any picture"
        )
    if len(given) < at_least:
        raise Wrong(f"a style is missing: stylize CONTENT STYLE -o OUT, where STYLE is a picture (--method {name})")
    if at_most is not None and len(given) > at_most:
        more = "; --method adain mixes several" if name == "gatys" else ""
        raise Wrong(f"--method {name} takes one style, but got {', '.join(given)}{more}")


def _check_shares(options: argparse.Namespace) -> None:
    styles = options.style if METHODS[options.method].trained_styles else options.pictures
    shares, styles = options.shares, styles or []
    said = " ".join(f"{share:g}" for share in shares)
    if len(shares) != len(styles):
        raise Wrong(f"--shares are {said}, but there are {len(styles)} styles; give one share for each")
    if sum(shares) == 0:
        raise Wrong(f"--shares are {said}; at least one must be above 0")
