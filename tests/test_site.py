"""The pages that `make site` gathers from the two notebooks of each lesson. Sphinx itself is not needed."""

import nbformat
import pytest

import build
import gather


@pytest.mark.parametrize("source", build.sources(), ids=lambda path: path.stem)
def test_a_page_has_each_exercise_with_its_own_solution_folded_below(source):
    student, solutions = (nbformat.read(build.target(source, side), as_version=4) for side in build.SIDES)
    starters = [cell.source for cell in student.cells if "exercise" in cell.metadata.get("tags", ())]
    text = [cell.source for cell in student.cells if cell.cell_type == "markdown"]
    answers = [c.source for c in solutions.cells if c.cell_type == "code" and "solution" in c.metadata.get("tags", ())]
    page = gather.page_of(student, solutions)
    folded = [number for number, cell in enumerate(page.cells) if "hide-cell" in cell.metadata.get("tags", ())]
    assert [page.cells[number].source for number in folded] == answers
    assert [page.cells[number - 1].source for number in folded] == starters
    assert [cell.source for cell in page.cells if cell.cell_type == "markdown"] == text
    assert all(len(words) > 10 for words in gather.descriptions(page).values())


def test_all_of_the_readme_is_on_the_site():
    readme = (gather.ROOT / "README.md").read_text(encoding="utf-8")
    home, gallery = gather.split(readme)
    assert sorted((home + gallery.replace("# ", "## ", 1)).splitlines()) == sorted(readme.splitlines())
    assert gallery.count("![") > 5 and "](data/gallery/welcome" in home
