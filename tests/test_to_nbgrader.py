"""The lessons as nbgrader's assignments. Only the last test needs nbgrader, and runs the lesson as nbgrader does."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from test_lessons import both, dead_links, sources, tagged

import build
import to_nbgrader

REGION = re.compile(r" *### BEGIN SOLUTION\n.*### END SOLUTION\n", re.DOTALL)
KEYS = {"schema_version", "grade_id", "grade", "solution", "locked", "task", "cell_type"}  # nbgrader's, all required


@pytest.mark.parametrize("source", build.sources(), ids=lambda path: path.stem)
def test_each_exercise_is_a_solution_cell_and_a_locked_check_with_points(source):
    student, solutions = both(source)
    starters, answers = sources(tagged(student, "exercise")), sources(tagged(solutions, "solution"))
    stars = re.findall(r"importance ([●○]{3})", "\n".join(sources(student.cells)))
    made = to_nbgrader.assignment(student, solutions, source.stem[3:])
    nbformat.validate(made)
    assert not any(cell.get("outputs") for cell in made.cells)
    marked = [number for number, cell in enumerate(made.cells) if "nbgrader" in cell.metadata]
    assert marked[1::2] == [number + 1 for number in marked[::2]]
    solved, asked = ([made.cells[number] for number in marked[start::2]] for start in (0, 1))
    for cells, more, role in ((solved, set(), (False, True, False)), (asked, {"points"}, (True, False, True))):
        for data in (cell.metadata.nbgrader for cell in cells):
            assert set(data) == KEYS | more and (data.schema_version, data.cell_type, data.task) == (3, "code", False)
            assert (data.grade, data.solution, data.locked) == role
    names = [cell.metadata.nbgrader.grade_id for cell in solved + asked]
    assert len(set(names)) == len(names) and all(re.fullmatch(r"[\w-]+", name) for name in names)
    assert [cell.metadata.nbgrader.points for cell in asked] == [each.count("●") for each in stars]
    cleared = [REGION.sub("", cell.source) for cell in solved]
    assert cleared == [starter.replace("    raise NotImplementedError\n", "") for starter in starters]
    whole = [re.sub(r" *### (BEGIN|END) SOLUTION\n", "", cell.source) for cell in solved]
    assert all(map(str.endswith, whole, answers))


def test_the_locked_check_passes_the_solution_and_no_other():
    made = to_nbgrader.assignment(*both(build.sources(names=["00"])[0]), "welcome")
    (check,) = [
        cell.source for cell in made.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "exercise-2-check"
    ]
    exec(check, {"blend": lambda content, style, amount: (1 - amount) * content + amount * style})
    with pytest.raises(AssertionError, match="swapped"):
        exec(check, {"blend": lambda content, style, amount: amount * content + (1 - amount) * style})


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    assert to_nbgrader.main([str(folder / "source")]) == 0
    return folder


def test_links_work_between_assignments_but_for_those_to_solutions(course):
    pages = sorted(course.glob("source/*/*.ipynb"))
    assert [path.stem for path in pages] == [path.parent.name for path in pages] == [s.stem for s in build.sources()]
    assert {link for path in pages for link in dead_links(path) if not link.startswith("solutions/")} == set()


def test_what_is_there_is_not_overwritten(course, capsys):
    assert to_nbgrader.main([str(course / "source"), "05"]) == 1
    assert "05_adain is there already" in capsys.readouterr().err
    assert to_nbgrader.main([str(course / "source"), "77"]) == 1


@pytest.mark.skipif(not shutil.which("nbgrader"), reason="needs nbgrader")
def test_nbgrader_gives_the_points(course):
    kernel = course / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    start = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": start, "display_name": "Python 3", "language": "python"}))
    (course / "nbgrader_config.py").write_text("get_config().Execute.timeout = 600\n")
    environment = {**os.environ, "JUPYTER_PATH": str(course / "jupyter"), "PYTHONPATH": str(build.LESSONS.parent)}

    def nbgrader(*words):
        subprocess.run(["nbgrader", *words], cwd=course, env=environment, check=True, timeout=1200)

    nbgrader("generate_assignment", "00_welcome")
    released, source = (course / side / "00_welcome" / "00_welcome.ipynb" for side in ("release", "source"))
    solutions = {cell.id: cell.source for cell in nbformat.read(source, as_version=4).cells}
    for name, mistake in (("ann", ""), ("bob", "[1, 0, 2]")):
        mine = nbformat.read(released, as_version=4)
        for cell in mine.cells:
            if cell.metadata.get("nbgrader", {}).get("solution"):
                assert "BEGIN SOLUTION" not in cell.source
                cell.source = solutions[cell.id].replace("[2, 1, 0]", mistake or "[2, 1, 0]")
        (course / "submitted" / name / "00_welcome").mkdir(parents=True)
        nbformat.write(mine, course / "submitted" / name / "00_welcome" / "00_welcome.ipynb")
    nbgrader("autograde", "00_welcome")
    nbgrader("export")
    with (course / "grades.csv").open(encoding="utf-8", newline="") as file:
        points = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert points == {"ann": 7, "bob": 5}
