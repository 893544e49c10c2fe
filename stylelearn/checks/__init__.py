"""Checks of the exercises: one module per lesson, one function per exercise.

A check is called with the learner's answer on the line after the exercise. It runs the answer on small random inputs,
compares the result with an independent truth, and returns a `Verdict`: ✓, ✗ with the likely mistake, or "not solved
yet". A check never raises, so that the notebook runs to its end. The parts that all checks share are here; the module
of a lesson adds inputs, truth, and a table of (what a wrong answer gives, what to say about it).
"""

import copy
import functools
import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stylelearn.weights import seeded

Wrong = Iterable[tuple[Any, str]]  # what a wrong answer gives, and the message that names the mistake


@dataclass(frozen=True)
class Verdict:
    """The answer of a check: `passed` is True, False, or None for an untouched starter."""

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
    """Raised inside a check; the message names the likely mistake and the remedy."""


NOT_SOLVED = "not solved yet: replace the line `raise NotImplementedError` (or the `...`) by your own."


def check(examine: Callable[..., str]) -> Callable[[Any], Verdict]:
    """Turn a function that raises `Mistake` or returns praise into a check that returns a `Verdict`.

    An answer `...` or None, and a NotImplementedError of the answer, mean "not solved yet"; any other error of the
    learner's code becomes a ✗ with its message.
    """

    @functools.wraps(examine)
    def judged(answer: Any) -> Verdict:
        if answer is ... or answer is None:
            return Verdict(None, NOT_SOLVED)
        try:
            with seeded(0):
                return Verdict(True, examine(answer))
        except NotImplementedError:
            return Verdict(None, NOT_SOLVED)
        except Mistake as mistake:
            return Verdict(False, str(mistake))
        except Exception as error:  # the learner's code may fail in any way
            return Verdict(False, f"your code stopped with {type(error).__name__}: {error}")

    return judged


# --- running the answer -----------------------------------------------------------------------------------------------


def run(answer: Callable[..., Any], **given: Any) -> Any:
    """The answer's result for copies of the inputs, in order. Raises `Mistake` if it changes one of them in place."""
    copies = {name: _copied(value) for name, value in given.items()}
    found = answer(*copies.values())
    for name, value in given.items():
        if not _equal(value, copies[name]):
            raise Mistake(f"your function changes {name} itself; build a new one, for instance from a copy.")
    return found


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    return copy.deepcopy(value) if isinstance(value, list | tuple | dict) else value


def _equal(before: Any, after: Any) -> bool:
    if isinstance(before, Tensor):
        return torch.equal(before, after)
    if isinstance(before, list | tuple):
        return len(before) == len(after) and all(map(_equal, before, after))
    return not isinstance(before, dict) or before == after


# --- numbers and tensors ----------------------------------------------------------------------------------------------


def number(found: Any, what: str = "the answer") -> Tensor:
    """One number as a float64 scalar: a plain or NumPy number, or a 0-d array or tensor. Raises `Mistake` otherwise."""
    if isinstance(found, np.ndarray | np.generic):
        found = torch.as_tensor(np.asarray(found))
    if isinstance(found, Tensor) and found.ndim:
        raise Mistake(f"{what} should be one number, of shape (); yours has the shape {tuple(found.shape)}.")
    truth = isinstance(found, bool) or (isinstance(found, Tensor) and found.dtype == torch.bool)
    if truth or not isinstance(found, Real | Tensor):
        raise Mistake(f"{what} should be one number; yours is {found!r:.40}.")
    return torch.as_tensor(found, dtype=torch.float64).detach()


def numbers(found: Any, what: str = "the answer") -> Tensor:
    """A row of numbers, list, array or tensor, as a float64 tensor (n,). Raises `Mistake` otherwise."""
    try:
        return torch.stack([number(one) for one in found]) if len(found) else torch.zeros(0)
    except (TypeError, Mistake):
        raise Mistake(f"{what} should be a row of numbers; yours is {found!r:.60}.") from None


def must_be_tensor(found: Any, shape: tuple[int, ...], what: str) -> None:
    """Raise a `Mistake` unless `found` is a tensor of `shape`."""
    if not isinstance(found, Tensor):
        raise Mistake(f"{what} should be a tensor of shape {shape}; yours is {type(found).__name__}.")
    if tuple(found.shape) != shape:
        raise Mistake(f"{what} should have the shape {shape}; yours has {tuple(found.shape)}.")


def must_have_gradient(found: Any) -> None:
    """Raise a `Mistake` unless gradients can flow back from `found`."""
    if not isinstance(found, Tensor) or not found.requires_grad:
        raise Mistake("the number is right, but it no longer knows where it came from: without .item() or .detach().")


def must_be_finite(found: Tensor, otherwise: str) -> None:
    """Raise the `Mistake` if a value is NaN or infinite."""
    if not torch.isfinite(found).all():
        raise Mistake(otherwise)


# --- right, or which mistake ------------------------------------------------------------------------------------------


def same(found: Any, expected: Any, tolerance: float = 1e-4) -> bool:
    """Whether two numbers or tensors agree up to rounding, relative to the largest value."""
    expected = torch.as_tensor(expected, dtype=torch.float64)
    try:
        found = torch.as_tensor(found, dtype=torch.float64).detach()
    except (TypeError, ValueError, RuntimeError):
        return False
    if found.shape != expected.shape:
        return False
    return bool((found - expected).abs().max() <= tolerance * expected.abs().max().clamp_min(1e-6))


def must_match(yours: Any, right: Any, wrong: Wrong, otherwise: str, tolerance: float = 1e-4) -> None:
    """Raise the `Mistake` that gives `yours`, or `otherwise`, unless `yours` is `right`."""
    if not same(yours, right, tolerance):
        raise Mistake(next((why for value, why in wrong if same(yours, value, tolerance)), otherwise))


def must_be(yours: Any, right: Any, otherwise: str, tolerance: float = 1e-4) -> None:
    """Raise the `Mistake` unless `yours` is `right`: a second case, with only one way to fail."""
    must_match(yours, right, (), otherwise, tolerance)
