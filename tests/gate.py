"""The exercise gate: reads the exercises of a lesson out of its source and lets their checks judge the cells there.

A test goes through `exercises("02_gatys")` and asks `verdict(exercise, SOLUTION)` and `verdict(exercise, STARTER)`. The
cells are taken from the source by their tags, and nothing else of the lesson is run but its imports and definitions:
an exercise that needs more than these would fail here, as it would in the hands of somebody who skipped a cell.
"""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jupytext

from stylelearn.checks import Verdict

LESSONS = Path(__file__).resolve().parent.parent / "lessons" / "src"
SOLUTION, STARTER = "solution", "exercise"  # the tags of the cells


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
