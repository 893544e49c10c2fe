"""What the commands share: exit status, errors, and converters from words to numbers."""

import argparse
import math
from collections.abc import Callable
from typing import NoReturn

DONE, FAILED, WRONG, STOPPED = 0, 1, 2, 130  # 130 = 128 + SIGINT, as shells count

Commands = argparse._SubParsersAction  # argparse has no public name for it


class UsageError(ValueError):
    """The request is wrong; the message says what to change."""


class CommandError(Exception):
    """The request was right, but the command failed; the message says why."""


class Parser(argparse.ArgumentParser):
    """argparse that answers a mistake with one line instead of the whole usage.

    `late` names a list of words that may go on after options; argparse itself closes a list at the first option.
    `passed_on` names a list that takes everything after "--" as it stands.
    """

    late = passed_on = ""

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def,override]
        """As argparse; words left over go to the list `late`, unless one of them is an option."""
        after = []
        if self.passed_on and "--" in args:
            mark = args.index("--")
            args, after = args[:mark], args[mark + 1 :]
        found, rest = super().parse_known_args(args, namespace)
        if self.passed_on:
            setattr(found, self.passed_on, after)
        if self.late and not any(word.startswith("-") for word in rest):
            getattr(found, self.late).extend(rest)
            rest = []
        return found, rest

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG, f"{self.prog}: {message}; see {self.prog} --help\n")


def whole(low: int, high: int | None = None) -> Callable[[str], int]:
    """A converter to whole numbers from `low` to `high`."""
    limits = f"from {low} up" if high is None else f"from {low} to {high}"

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if value < low or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {limits}")
        return value

    return convert


def amount(text: str) -> float:
    """A number from 0 up."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up")
    return value


def named_numbers(text: str) -> dict[str, float]:
    """Numbers by name, such as "relu1_1=0.3,relu4_1=1"."""
    found = {}
    for part in text.split(","):
        name, sign, number = part.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not name.strip() or not sign or math.isnan(value):
            raise argparse.ArgumentTypeError(f"{part!r} is not NAME=NUMBER; write them as relu1_1=0.3,relu4_1=1")
        found[name.strip()] = value
    return found


def span(seconds: float) -> str:
    """A duration: "45 s", "12 min", "3 h 05 min"."""
    seconds = round(seconds)
    if seconds < 100:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
