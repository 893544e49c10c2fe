"""What a teacher runs: a table of the exercises handed in, and slides."""

import csv
import re
import zipfile
from pathlib import Path

import nbformat
import pytest

import build
import collect
import slides

V4 = nbformat.v4


def notebook(*marks: str | None, lesson: str = "05_adain") -> nbformat.NotebookNode:
    """A lesson with an exercise for each mark; None is an exercise whose cell was not run."""
    cells = [V4.new_markdown_cell("# A lesson")]
    for number, mark in enumerate(marks, start=1):
        said = f"{mark} some words"
        output = V4.new_output("execute_result", {"text/plain": said, "text/html": f"<b>{said}</b>"}, execution_count=1)
        cells.append(V4.new_markdown_cell(f"text\n\n### Exercise {number} — something\n*5 minutes*"))
        cells.append(V4.new_code_cell("check.it(x)", outputs=[output] if mark else []))
    metadata = {"stylelearn": {"source": f"src/{lesson}.py"}} if lesson else {}
    return V4.new_notebook(cells=cells, metadata=metadata)


def write(book: nbformat.NotebookNode, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)
    return path


def test_the_last_word_of_each_check_is_read():
    assert [said[0] for said in collect.verdicts(notebook("✓", "✗", "…", None)).values()] == ["✓", "✗", "…", "–"]
    assert collect.verdicts(notebook("✗"))["Exercise 1 — something"] == "✗ some words"
    assert next(iter(collect.verdicts(notebook("✓")))) == "Exercise 1 — something"
    printed = notebook(None)
    printed.cells[2].outputs = [V4.new_output("stream", name="stdout", text="✗ first\n")]
    printed.cells.append(V4.new_code_cell("", outputs=[V4.new_output("stream", name="stdout", text="✓ then\n")]))
    assert list(collect.verdicts(printed).values()) == ["✓ then"]


@pytest.mark.parametrize("source", build.sources(), ids=lambda path: path.stem)
def test_our_own_notebooks_are_read_right(source):
    for side, mark in (("student", "…"), ("solutions", "✓")):
        found = collect.verdicts(nbformat.read(build.target(source, side), as_version=4))
        assert len(found) >= 3 and {said[0] for said in found.values()} == {mark}, side


def test_a_folder_of_all_kinds(tmp_path, capsys):
    """Folders, an archive, two lessons, and files that are none: everything that can be read is."""
    folder = tmp_path / "in"
    write(notebook("✓", "✓"), folder / "ann" / "05_adain.ipynb")
    bob = write(notebook("✗", lesson="04_cin"), folder / "bob.ipynb")
    with zipfile.ZipFile(folder / "cleo.zip", "w") as archive:
        archive.write(bob, "lessons/04_cin.ipynb")
        archive.writestr("lessons/03_broken.ipynb", "{")
        archive.writestr("notes.txt", "hello")
    bob.with_name("broken.ipynb").write_text("{", encoding="utf-8")
    (folder / "broken.zip").write_bytes(b"PK")
    write(notebook("✓"), folder / "ann" / ".ipynb_checkpoints" / "05_adain-checkpoint.ipynb")
    write(notebook("✓", lesson=""), folder / "other.ipynb")
    found, complaints = collect.collected([folder])
    good = {"ann/05_adain.ipynb": "05_adain", "bob.ipynb": "04_cin", "cleo/lessons/04_cin.ipynb": "04_cin"}
    assert {one.name: one.lesson for one in found} == good
    bad = ["broken.ipynb", "broken.zip", "cleo/lessons/03_broken.ipynb", "other.ipynb"]
    assert sorted(line.split(":")[0] for line in complaints) == bad
    table = tmp_path / "table.csv"
    assert collect.main([str(folder), "--csv", str(table)]) == 0
    printed = capsys.readouterr()
    assert "2 of 2   1✓  2✓" in printed.out and "broken.ipynb: cannot be read" in printed.err
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    first = {"file": "ann/05_adain.ipynb", "lesson": "05_adain", "exercise": "Exercise 1 — something"}
    assert len(rows) == 4 and rows[0] == first | {"check": "✓", "words": "some words"}


def test_nothing_to_collect_is_a_failure(tmp_path, capsys):
    assert collect.main([str(tmp_path / "nowhere")]) == 1
    assert "nowhere" in capsys.readouterr().err


TEXT = """# 01 · A lesson

Words, many words.

**After this lesson you can …**

- read,
- write.

## 1 · A section

*What is it?*

More words with a formula:

$$ a = b
+ c $$

**Predict, then run.** What
will it be?

Words.

<details><summary>Answer</summary>

*This.*
</details>

### Exercise 1 — count
*difficulty ●○○*

- Count.

**Predict, then run.** And now?

## The lab

- Move it."""


def test_slides_are_questions_formulas_and_predictions():
    made = slides.slides(V4.new_notebook(cells=[V4.new_markdown_cell(TEXT)]))
    assert [(cell.metadata.slideshow.slide_type, cell.source) for cell in made.cells] == [
        ("slide", "# 01 · A lesson\n\n**After this lesson you can …**\n\n- read,\n\n- write."),
        ("slide", "## 1 · A section\n\n*What is it?*\n\n$$ a = b\n+ c $$"),
        ("subslide", "**Predict, then run.** What\nwill it be?"),
        ("notes", "*This.*"),
        ("subslide", "**Predict, then run.** And now?"),
    ]


def test_of_code_only_what_it_shows_is_left():
    picture = V4.new_output("display_data", {"image/jpeg": "AAAA", "text/plain": "a picture"})
    printed = V4.new_output("stream", name="stdout", text="7\n")
    verdict = V4.new_output("execute_result", {"text/plain": "✓ right"}, execution_count=1)
    cells = [V4.new_markdown_cell("# A"), V4.new_code_cell("x", outputs=[picture, printed, verdict])]
    lab = [V4.new_markdown_cell("## The lab"), V4.new_code_cell("y", outputs=[picture])]
    made = slides.slides(V4.new_notebook(cells=[*cells, *lab])).cells
    assert [cell.outputs for cell in made[1:]] == [[picture], [printed]]
    assert all(cell.source == "" for cell in made[1:])


def test_a_page_of_slides_is_written_that_needs_no_internet(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(slides, "fetch", lambda folder: None)
    out = tmp_path / "slides.html"
    assert slides.main(["00", "--out", str(out)]) == 0
    page = out.read_text(encoding="utf-8")
    loaded = re.findall(r"""<(?:script|link)[^>]*(?:src|href)=["']([^"']+)""", page)
    loaded += re.findall(r'^ *"(.*\.js)"', page, re.M)
    assert len(loaded) > 5 and not [address for address in loaded if "//" in address.split("?")[0]]
    assert '<aside class="notes">' in page
    assert page.count("<section") > 10 and "data:image/jpeg" in page and "raise NotImplementedError" not in page
    with pytest.raises(SystemExit):
        slides.main(["77"])
    assert "no lesson '77'" in capsys.readouterr().err


def test_without_npm_slides_say_what_is_missing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(slides.shutil, "which", lambda name: None)
    (tmp_path / "lessons").mkdir()
    monkeypatch.setattr(slides.build, "sources", lambda *_: [build.LESSONS / "src" / "00_welcome.py"])
    assert slides.main(["00"], tmp_path / "lessons") == 1
    assert "Node.js" in capsys.readouterr().err
