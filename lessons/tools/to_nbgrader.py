"""The lessons as assignments of nbgrader, which need not be installed here.

    python lessons/tools/to_nbgrader.py course/source          every lesson
    python lessons/tools/to_nbgrader.py course/source 02 05    some of them

writes source/05_adain/05_adain.ipynb and so on: the learner's notebook with each solution between nbgrader's marks, and
behind each exercise a locked cell that asks the course's check, worth one to three points, the exercise's importance.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

import build
import rerun

IMPORTANCE = re.compile(r"importance (●+)")
FILE = re.compile(r"\]\(\.\./([^)#]+)")
NEIGHBOUR = re.compile(r"\]\((\d\d_\w+)\.ipynb")
TEST = """import stylelearn.checks.{module}

verdict = stylelearn.checks.{module}.{check}({answer})
assert verdict.passed, verdict"""


def assignment(lesson: NotebookNode, solutions: NotebookNode, module: str) -> NotebookNode:
    """A lesson's two notebooks as one of nbgrader's sources; `module`: the name of its checks, such as "adain"."""
    asked = {each.cell: each for each in rerun.exercises(lesson)}
    answers = (c.source for c in solutions.cells if c.cell_type == "code" and "solution" in c.metadata.get("tags", ()))
    cells, points = [], 0
    for cell in lesson.cells:
        cells.append(cell)
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
        elif named := IMPORTANCE.findall(cell.source):
            points = len(named[-1])
        if exercise := asked.get(cell.id):
            name = "-".join(exercise.heading.lower().split()[:2])  # exercise-1
            cell.source = with_solution(cell.source, next(answers))
            cell.metadata.nbgrader = _role(name, solution=True)
            test = TEST.format(module=module, check=exercise.check, answer=exercise.answer)
            role = _role(f"{name}-check", grade=True, locked=True, points=points)
            cells.append(nbformat.v4.new_code_cell(test, id=f"{cell.id}-check", metadata={"nbgrader": role}))
    return nbformat.v4.new_notebook(cells=cells, metadata=lesson.metadata)


def with_solution(starter: str, solution: str) -> str:
    """The solution's cell; what differs from the starter is marked, so that nbgrader takes it out again."""
    mine, theirs = starter.split("\n"), solution.split("\n")
    begin, rest = (
        next(at for at, (a, b) in enumerate(zip(mine[::step], theirs[::step], strict=False)) if a != b)
        for step in (1, -1)
    )  # lines that agree at the two ends
    kept = [line for line in mine[begin : len(mine) - rest] if "raise NotImplementedError" not in line]  # x = ...
    indent = re.match(" *", mine[begin])[0]
    marked = [f"{indent}### BEGIN SOLUTION", *theirs[begin : len(theirs) - rest], f"{indent}### END SOLUTION"]
    return "\n".join([*theirs[:begin], *kept, *marked, *theirs[len(theirs) - rest :]])


def _role(name: str, *, grade: bool = False, solution: bool = False, locked: bool = False, **more: int) -> NotebookNode:
    """A cell's metadata, nbgrader's schema 3."""
    told = {"schema_version": 3, "grade_id": name, "grade": grade, "solution": solution, "locked": locked}
    return NotebookNode(told, task=False, cell_type="code", **more)


def write(source: Path, folder: Path) -> None:
    """Write a lesson's assignment into an empty folder, with the files that it links to."""
    lesson, solutions = (nbformat.read(build.target(source, side), as_version=4) for side in build.SIDES)
    made = assignment(lesson, solutions, source.stem[3:])
    folder.mkdir(parents=True)
    for cell in made.cells:
        if cell.cell_type == "markdown":
            for name in FILE.findall(cell.source):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(build.LESSONS.parent / name, folder / name)
            cell.source = NEIGHBOUR.sub(r"](../\1/\1.ipynb", FILE.sub(r"](\1", cell.source))
    nbformat.write(made, folder / f"{source.stem}.ipynb")


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Write the lessons as assignments of nbgrader.")
    parser.add_argument("out", type=Path, metavar="SOURCE", help="nbgrader's folder source/")
    parser.add_argument("names", nargs="*", metavar="NAME", help="lessons by number or name; all when none is given")
    options = parser.parse_args(arguments)
    try:
        for source in build.sources(names=options.names):
            write(source, options.out / source.stem)
            print(options.out / source.stem)
    except build.BuildError as error:
        print(error, file=sys.stderr)
        return 1
    except FileExistsError as error:
        print(f"{error.filename} is there already; move it away, or name other lessons", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
