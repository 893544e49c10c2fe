"""What `stylelearn stylize` can paint with, and which options belong to which method.

The pixels are optimised in `optimising.py` (gatys, and style-swap with --optimize); in `feedforward.py` a trained
network paints them in one pass (johnson, cin, adain, style-swap, adjustable).
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stylelearn.cli.parsing import UsageError

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


OPTIMISING = ("steps", "start", "seed")  # for style-swap only with --optimize
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
    "style-swap": Method(
        ("encoder", "encoder_weights", "strength", "weights", "patch", "stride", "optimize", *OPTIMISING),
        (1, 1),
        {"strength": 1.0, "patch": 3, "stride": 1, "steps": 100, "start": "content", "seed": 0},
    ),
    "photo": Method(
        (
            *("encoder", "encoder_weights", "precision", "strength", "steps"),
            *("content_mask", "style_mask", "regions", "lambda", "smooth"),
        ),
        (1, 1),
        {
            **{"encoder": "mini", "precision": "float32", "strength": 1.0, "steps": 120},
            **{"regions": 4, "lambda": 1e4, "smooth": 3},
        },
    ),
    "adjustable": Method(
        ("alpha", "practice", "weights"), (0, 1), {"alpha": {}, "practice": 0}
    ),  # a network of one style takes no picture
}
USUAL_SIZE = 256


def painter(name: str) -> Paint:
    """The function that paints, loaded when it is needed."""
    from stylelearn.cli import feedforward, optimising, photo

    return {"gatys": optimising.gatys, "photo": photo.photo, **feedforward.PAINT}[name]


def check(options: argparse.Namespace) -> None:
    """Refuse what does not belong to the method, then fill in what was not said.

    Raises:
        UsageError: names the first option that is out of place, and what would be right.
    """
    name, method = options.method, METHODS[options.method]
    for option in sorted({option for each in METHODS.values() for option in each.options}):
        if option not in method.options and getattr(options, option) is not None:
            raise UsageError(_misplaced(option, name))
    _check_styles(options, method)
    if options.shares is not None:
        _check_shares(options)
    if name in ("adain", "style-swap") and options.strength is not None and options.strength > 1:
        raise UsageError(f"--strength is {options.strength:g}; with --method {name} it goes from 0 (the photo) to 1")
    if name == "style-swap":
        _check_swap(options)
    if name == "photo":
        _check_masks(options)
    if options.full_size and options.size is not None:
        raise UsageError("--size and --full-size contradict each other; say one of them")
    if not options.full_size and options.size is None:
        options.size = USUAL_SIZE
    for option, value in method.usual.items():
        if getattr(options, option) is None:
            setattr(options, option, value)


def _check_swap(options: argparse.Namespace) -> None:
    """With --optimize no network is needed, without it nothing is optimised."""
    if options.optimize and options.weights is not None:
        raise UsageError("--weights names a network, but --optimize needs none; leave one of them out")
    for option in OPTIMISING:
        if getattr(options, option) is not None and not options.optimize:
            raise UsageError(
                f"--{option} is for pixels that are optimised; with --method style-swap say --optimize, too"
            )
    check_patches(options.patch or METHODS["style-swap"].usual["patch"], options.stride or 1)


def check_patches(patch: int, stride: int) -> None:
    """Refuse a --stride that leaves gaps.

    Raises:
        UsageError: it is above --patch.
    """
    if stride > patch:
        raise UsageError(
            f"--stride {stride} leaves gaps between patches of {patch}; use 1 to {patch}, or a larger --patch"
        )


def _check_masks(options: argparse.Namespace) -> None:
    """Masks come in pairs, and instead of clusters."""
    given = {side: getattr(options, f"{side}_mask") for side in ("content", "style")}
    for side, name in given.items():
        if name is None and any(given.values()):
            raise UsageError(f"--{side}-mask is missing: give masks of both pictures, or of neither")
    if options.regions is not None and any(given.values()):
        raise UsageError("--regions is for pictures without masks; leave it out, or leave the masks out")


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
        raise UsageError(
            f"--method {name} paints in styles that it was trained in and takes no picture of one, but got "
            f"'{given[0]}'; say --style NAME, or use --method adain or gatys for the style of any picture"
        )
    if len(given) < at_least:
        raise UsageError(
            f"a style is missing: stylize CONTENT STYLE -o OUT, where STYLE is a picture (--method {name})"
        )
    if at_most is not None and len(given) > at_most:
        more = "; --method adain mixes several" if name == "gatys" else ""
        raise UsageError(f"--method {name} takes one style, but got {', '.join(given)}{more}")


def _check_shares(options: argparse.Namespace) -> None:
    styles = options.style if METHODS[options.method].trained_styles else options.pictures
    shares, styles = options.shares, styles or []
    said = " ".join(f"{share:g}" for share in shares)
    if len(shares) != len(styles):
        raise UsageError(f"--shares are {said}, but there are {len(styles)} styles; give one share for each")
    if sum(shares) == 0:
        raise UsageError(f"--shares are {said}; at least one must be above 0")
