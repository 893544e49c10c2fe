"""What tells a learner whether an exercise is right, and why not.

One module a lesson, one function an exercise. A check is called on the line after the exercise with what the learner
wrote, compares it with an independent truth on small random tensors, and returns a `Verdict`: ✓, or ✗ with the
likely mistake, or "not solved yet" for an untouched starter. A check never raises, so the notebook runs to its end.
"""

import functools
import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Verdict:
    """The answer of a check: `passed` is True, False, or None where nothing has been tried yet."""

    passed: bool | None
    message: str

    def __str__(self) -> str:
        return {True: "✓ ", False: "✗ ", None: "… "}[self.passed] + self.message

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        colour = {True: "#1a7f37", False: "#cf222e", None: "#6e7781"}[self.passed]
        return f'<div style="border-left: 4px solid {colour}; padding: 0.3em 0.8em">{html.escape(str(self))}</div>'


class Mistake(Exception):
    """Raised inside a check: the message names the likely mistake and says what to look at."""


NOT_SOLVED = "not solved yet: replace the line `raise NotImplementedError` (or the `...`) by your own."


def check(examine: Callable[..., str]) -> Callable[..., Verdict]:
    """Turn a function that raises `Mistake`, or returns words of praise, into a check that returns a `Verdict`.

    An answer `...` or None, and a NotImplementedError raised by it, mean "not solved yet"; any other error of the
    learner's code becomes a ✗ that says what went wrong.
    """

    @functools.wraps(examine)
    def judged(*answers: Any, **options: Any) -> Verdict:
        if any(answer is ... or answer is None for answer in answers):
            return Verdict(None, NOT_SOLVED)
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                return Verdict(True, examine(*answers, **options))
        except NotImplementedError:
            return Verdict(None, NOT_SOLVED)
        except Mistake as mistake:
            return Verdict(False, str(mistake))
        except Exception as error:  # the learner's code may fail in any way
            return Verdict(False, f"your code stopped with {type(error).__name__}: {error}")

    return judged


def same(found: Any, expected: Tensor | float, tolerance: float = 1e-4) -> bool:
    """Whether an answer is the number or tensor expected, up to rounding (relative to the largest value)."""
    expected = torch.as_tensor(expected, dtype=torch.float64)
    try:
        found = torch.as_tensor(found, dtype=torch.float64).detach()
    except (TypeError, ValueError, RuntimeError):
        return False
    if found.shape != expected.shape:
        return False
    return bool((found - expected).abs().max() <= tolerance * expected.abs().max().clamp_min(1e-6))


def must_be_tensor(found: Any, shape: tuple[int, ...], what: str) -> None:
    """Raise a `Mistake` unless `found` is a tensor of `shape`."""
    if not isinstance(found, Tensor):
        raise Mistake(f"{what} should be a tensor of shape {shape}; yours is {type(found).__name__}.")
    if tuple(found.shape) != shape:
        raise Mistake(f"{what} should have the shape {shape}; yours has {tuple(found.shape)}.")


def named(yours: object, wrong: Sequence[tuple[Tensor | float, str]], otherwise: str, tolerance: float = 1e-4) -> str:
    """What is said of the first of the `wrong` values that `yours` is."""
    return next((why for value, why in wrong if same(yours, value, tolerance)), otherwise)
