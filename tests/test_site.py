"""What is published: the pages that `make site` gathers from the notebooks (Sphinx is not needed), and the badges."""

import re

import pytest
from test_lessons import both, sources, tagged

import badges
import build
import gather


@pytest.mark.parametrize("source", build.sources(), ids=lambda path: path.stem)
def test_a_page_has_each_exercise_with_its_own_solution_folded_below(source):
    student, solutions = both(source)
    starters, answers = sources(tagged(student, "exercise")), sources(tagged(solutions, "solution"))
    text = [cell.source for cell in student.cells if cell.cell_type == "markdown"]
    page = gather.page_of(student, solutions)
    folded = tagged(page, "hide-cell")
    assert sources(folded) == answers
    assert sources(page.cells[page.cells.index(cell) - 1] for cell in folded) == starters
    assert [cell.source for cell in page.cells if cell.cell_type == "markdown"] == text
    assert all(len(words) > 10 for words in gather.descriptions(page).values())


def test_all_of_the_readme_is_on_the_site():
    readme = (gather.ROOT / "README.md").read_text(encoding="utf-8")
    home, gallery = gather.split(readme)
    assert sorted((home + gallery.replace("# ", "## ", 1)).splitlines()) == sorted(readme.splitlines())
    assert gallery.count("![") > 5 and "](data/gallery/welcome" in home


def test_what_the_readme_and_the_guide_link_to_is_on_the_site(tmp_path):
    pages = tmp_path / "pages"
    gather.gather(pages)
    names = ("index.md", "gallery.md", "lessons/TEACHING.md")
    texts = {name: (pages / name).read_text(encoding="utf-8") for name in names}
    links = {(name, link) for name, text in texts.items() for link in re.findall(r"\]\((?!http)([^)#]+)", text)}
    assert len(links) > 30
    assert [each for each in sorted(links) if not ((pages / each[0]).parent / each[1]).exists()] == []


def test_badges_are_of_one_repository_and_can_be_taken_out():
    plain = badges.with_badges(badges.README.read_text(encoding="utf-8"), "")
    with_ann, with_bob = (badges.with_badges(plain, name) for name in ("ann/course", "bob.b/c_2"))
    assert badges.with_badges(with_ann, "bob.b/c_2") == with_bob and badges.with_badges(with_bob, "") == plain
    assert re.findall(r"\.svg\)\]\((.*)\)\n", with_ann) == [
        "https://mybinder.org/v2/gh/ann/course/HEAD?urlpath=lab/tree/lessons/00_welcome.ipynb",
        "https://codespaces.new/ann/course",
        "https://ann.github.io/course/",
    ]
    promised = (".github/workflows/site.yml", ".devcontainer/devcontainer.json", "environment.yml", badges.START[9:])
    assert [name for name in promised if not (gather.ROOT / name).is_file()] == []


@pytest.mark.parametrize(("readme", "name"), [(badges.MARK, "ann"), (badges.MARK, "a/b c"), ("", "ann/course")])
def test_a_wrong_repository_or_a_lost_mark_changes_nothing(readme, name):
    with pytest.raises(ValueError, match=r"owner/name"):
        badges.with_badges(readme, name)
