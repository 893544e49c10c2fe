"""The lessons as nbgrader's assignments; nbgrader itself is not needed."""

import re

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
