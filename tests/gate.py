"""The exercise gate: reads the exercises of a lesson out of its source and lets their checks judge the cells there.

A test file says `TestGate = gate("02_gatys", …)`, which asks the same of every lesson: solutions pass, starters wait,
constants fail, mistakes are called by name. The cells are taken from the source by their tags. Of the rest of the
lesson only imports and definitions are run, so an exercise must not need more than these.
"""

import ast
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from numbers import Real
from pathlib import Path
from typing import Any

import jupytext
import numpy as np
import pytest
import torch
from torch import Tensor

from stylelearn.checks import Verdict

LESSONS = Path(__file__).resolve().parent.parent / "lessons" / "src"
SOLUTION, STARTER = "solution", "exercise"  # the tags of the cells
Case = tuple[Callable, Any, str]
FORMS = (Tensor.tolist, Tensor.numpy, lambda x: x.numpy()[()], lambda x: list(x) if x.ndim else x)  # of a number or row


@dataclass(frozen=True)
class Exercise:
    """One exercise: the starter and the solution as they stand in the source, and what the cells before define."""

    lesson: str
    number: int
    starter: str
    solution: str
    before: str

    def __str__(self) -> str:
        return f"{self.lesson}-{self.number}"

    @property
    def check(self) -> str:
        """The call on the last line, without its arguments: "checks.gatys.gram_matrix"."""
        call = _last(self.starter, str(self)).value
        return ast.unparse(call.func) if isinstance(call, ast.Call) else ""


@cache
def exercises(lesson: str) -> tuple[Exercise, ...]:
    """The exercises of a lesson, by the name of its source, in their order.

    Raises:
        ValueError: a starter without its solution right after it, or the other way round.
    """
    found: list[Exercise] = []
    before: list[ast.stmt] = []
    starter: str | None = None
    for cell in jupytext.read(LESSONS / f"{lesson}.py", fmt="py:percent").cells:
        if cell.cell_type != "code":
            continue
        tags = cell.metadata.get("tags", ())
        if (starter is not None) != (SOLUTION in tags):
            raise ValueError(f"{lesson}: a starter and its solution must follow each other, around:\n{cell.source}")
        if STARTER in tags:
            starter = cell.source
            continue
        if starter is not None:
            known = "\n".join(map(ast.unparse, before))
            found.append(Exercise(lesson, len(found) + 1, starter, cell.source, known))
            starter = None
        before += _definitions(cell.source)
    return tuple(found)


def verdict(exercise: Exercise, which: str) -> Verdict:
    """What the check says to the `SOLUTION` or the `STARTER` of an exercise.

    Raises:
        AssertionError: if the last line is no call of a check, or the check answers anything but a `Verdict`.
    """
    cell = exercise.solution if which == SOLUTION else exercise.starter
    last = _last(cell, str(exercise))
    names: dict[str, Any] = {"__name__": f"{exercise}-{which}"}
    exec(compile(exercise.before, f"{exercise}: cells before", "exec"), names)
    body = ast.Module([node for node in _parsed(cell).body[:-1]], [])
    exec(compile(body, f"{exercise}: {which}", "exec"), names)
    found = eval(compile(ast.Expression(last.value), f"{exercise}: check", "eval"), names)
    assert isinstance(found, Verdict), f"{exercise}: the last line gives {found!r} and not the verdict of a check"
    return found


def gate(
    lesson: str,
    *,
    mistakes: Sequence[Case],
    other_ways: Sequence[tuple[Callable, Any]],
    numbers: Sequence[Callable] = (),
) -> type:
    """The tests that the checks of a lesson must pass, as a class for pytest.

    Answers that every check must turn down are made of the first other way of each check: one that returns a constant,
    one of another shape, and one that changes what it was given.

    Args:
        lesson: the name of its source.
        mistakes: check, wrong answer, and words that the message must hold.
        other_ways: check, and a right answer that is not the solution's.
        numbers: the checks whose answer is one number or a row of them, from Python, NumPy or PyTorch.
    """
    right = {check: answer for check, answer in reversed(other_ways) if callable(answer)}
    checks = pytest.mark.parametrize("check", right, ids=lambda check: check.__name__)

    class Gate:
        @pytest.mark.parametrize("exercise", exercises(lesson), ids=str)
        def test_solution_passes_and_starter_waits(self, exercise):
            assert verdict(exercise, SOLUTION).passed is True
            starter = verdict(exercise, STARTER)
            assert starter.passed is None and "not solved yet" in starter.message

        def test_each_exercise_has_a_check_of_its_own(self):
            names = [exercise.check.rsplit(".", 1)[-1] for exercise in exercises(lesson)]
            assert len(set(names)) == len(names)
            for cases in (mistakes, other_ways):
                assert {check.__name__ for check, *_ in cases} == set(names)

        @pytest.mark.parametrize(("check", "answer", "words"), mistakes)
        def test_a_mistake_is_called_by_name(self, check, answer, words):
            found = check(answer)
            assert found.passed is False
            assert words in found.message

        @pytest.mark.parametrize(("check", "answer"), other_ways)
        def test_other_right_ways_pass(self, check, answer):
            found = check(answer)
            assert found.passed is True, found.message

        def test_a_number_may_come_from_python_numpy_or_torch(self):
            for check, form in itertools.product(numbers, FORMS):
                found = check(lambda *given, answer=right[check], form=form: form(torch.as_tensor(answer(*given))))
                assert found.passed is True, found.message

        @checks
        def test_a_constant_does_not_pass(self, check):
            for value in (0, 1):
                assert check(lambda *given, value=value: _constant(right[check](*given), value)).passed is False

        @checks
        def test_a_result_of_another_shape_is_named(self, check):
            tensors = []

            def answer(*given):
                found = right[check](*given)
                tensors.append(isinstance(found, Tensor))
                return found[None] if tensors[0] else found

            found = check(answer)
            assert not tensors[0] or (found.passed is False and re.search("shape|a row of numbers", found.message))

        @checks
        def test_an_answer_must_not_change_what_it_was_given(self, check):
            changed = []

            def answer(*given):
                found = right[check](*given)
                changed.append(any(map(_change, given)))  # the first that can be changed
                return found

            found = check(answer)
            assert not any(changed) or (found.passed is False and "itself; build a new" in found.message)

    return Gate


def _constant(found: Any, value: int) -> Any:
    """A result of the same kind that holds this number only, or nothing if it does not consist of numbers."""
    if isinstance(found, tuple | list):
        return type(found)(_constant(each, value) for each in found)
    return found * 0 + value if isinstance(found, Tensor | np.ndarray | np.generic | Real) else type(found)()


def _change(given: Any) -> bool:
    """Change a tensor, list or dict in place; whether it was one."""
    if isinstance(given, Tensor):
        given.data += 1
    elif isinstance(given, list | dict):
        given.clear()
    return isinstance(given, Tensor | list | dict)


def _last(cell: str, name: str) -> ast.Expr:
    last = _parsed(cell).body[-1]
    assert isinstance(last, ast.Expr) and isinstance(last.value, ast.Call), f"{name}: the last line calls no check"
    return last


def _parsed(cell: str) -> ast.Module:
    """Without the lines that only IPython understands."""
    return ast.parse("\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in cell.splitlines()))


def _definitions(cell: str) -> list[ast.stmt]:
    """The imports, functions and classes of a cell; what takes time or needs a picture is left out."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    return [node for node in _parsed(cell).body if isinstance(node, kinds)]
