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
from fractions import Fraction
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
    learner's code becomes a ✗ with its message. After a `Mistake` without a message, or with one that ends in a colon,
    comes what is asked for: the docstring.
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
            said = str(mistake) or "the values differ. Asked for:"
            return Verdict(False, f"{said} {examine.__doc__}" if said.endswith(":") else said)
        except Exception as error:  # the learner's code may fail in any way
            return Verdict(False, f"your code stopped with {type(error).__name__}: {error}")

    return judged


def yours(answer: Any, check: Callable[[Any], Verdict], course: Any) -> Any:
    """The learner's answer if it passes its check, or else the course's; prints which.

    Args:
        answer: what the learner wrote.
        check: that of the exercise.
        course: takes the answer's place and is used in the same way.
    """
    passed = check(answer).passed
    name = getattr(answer, "__name__", check.__name__)
    print(f"{name}: {'yours' if passed else 'not solved yet, so the course’s version is used'}")
    return answer if passed else course


# --- running the answer -----------------------------------------------------------------------------------------------


def run(answer: Callable[..., Any], **given: Any) -> Any:
    """The answer's result for copies of the inputs. Raises `Mistake` if there is none, or an input has changed."""
    copies = {name: _copied(value) for name, value in given.items()}
    found = answer(*copies.values())
    for name, value in given.items():
        if not _equal(value, copies[name]):
            raise Mistake(f"your function changes {name} itself; build a new one, for instance from a copy.")
    if found is None:
        raise Mistake("your function returns nothing: end it with `return` and the result.")
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
    if isinstance(found, Tensor | np.ndarray) and found.ndim:
        raise Mistake(f"{what} should be one number, of shape (); yours has the shape {tuple(found.shape)}.")
    plain = found.item() if isinstance(found, Tensor | np.ndarray | np.generic) else found
    if isinstance(plain, bool) or not isinstance(plain, Real):
        raise Mistake(f"{what} should be one number; yours is {found!r:.40}.")
    return torch.tensor(float(plain), dtype=torch.float64)


def numbers(found: Any, what: str = "the answer") -> Tensor:
    """A row of numbers, such as a list, array or tensor, as a float64 tensor (n,). Raises `Mistake` otherwise."""
    try:
        row = [number(one) for one in found]
    except (TypeError, Mistake):
        raise Mistake(f"{what} should be a row of numbers; yours is {found!r:.60}.") from None
    return torch.stack(row) if row else torch.zeros(0)


def pair(found: Any, what: str) -> Any:
    """Two things that the answer returns together. Raises `Mistake` if it is anything else."""
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Mistake(f"return two things, {what}; yours is {type(found).__name__}.")
    return found


def must_be_tensor(found: Any, shape: tuple[int, ...], what: str) -> None:
    """Raise a `Mistake` unless `found` is a tensor of `shape`."""
    if not isinstance(found, Tensor):
        raise Mistake(f"{what} should be a tensor of shape {shape}; yours is {type(found).__name__}.")
    if tuple(found.shape) != shape:
        raise Mistake(f"{what} should have the shape {shape}; yours has {tuple(found.shape)}.")


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


def _factor(found: Any, right: Any) -> str:
    """In words, the simple factor such as 2, −1 or 3/4 by which all values are off; "" where there is none."""
    try:
        found, right = (torch.as_tensor(each, dtype=torch.float64).detach() for each in (found, right))
    except (TypeError, ValueError, RuntimeError):
        return ""
    if found.shape == right.shape and found.any() and found.isfinite().all() and right.any():
        factor = Fraction(((found * right).sum() / right.square().sum()).item()).limit_denominator(300)
        if abs(factor.numerator) * factor.denominator <= 300 and same(found, float(factor) * right, 1e-5):
            return f"yours is {str(factor).replace('-', '−')} times what is asked for:"
    return ""


def must_match(
    yours: Any,
    right: Any,
    wrong: Wrong = (),
    otherwise: str = "",
    *,
    tolerance: float = 1e-4,
    what: str = "",
    gradient: bool = False,
) -> None:
    """Raise the `Mistake` that gives `yours`, or `otherwise`, unless `yours` is `right`.

    Args:
        wrong: what wrong answers give, and what to say about each. otherwise: by default what the exercise asks for;
            before it comes the factor by which `yours` is off, where there is a simple one.
        tolerance: relative to the largest value.
        what: the name of the result; with it, `yours` must be one number or a tensor, as `right` is.
        gradient: whether gradients must flow back from the result.
    """
    if what and torch.as_tensor(right).ndim:
        must_be_tensor(yours, tuple(right.shape), what)
    elif what:
        number(yours, what)
    if not same(yours, right, tolerance):
        named = (why for value, why in wrong if same(yours, value, tolerance))
        raise Mistake(next(named, f"{_factor(yours, right)} {otherwise}".strip()))
    if gradient and not (isinstance(yours, Tensor) and yours.requires_grad):
        raise Mistake("the number is right, but no gradient can flow back from it: leave out .item() and .detach().")


def must_be(yours: Any, right: Any, otherwise: str, tolerance: float = 1e-4) -> None:
    """Raise the `Mistake` unless `yours` is `right`: a second case, with only one way to fail."""
    if not same(yours, right, tolerance):
        raise Mistake(otherwise)
