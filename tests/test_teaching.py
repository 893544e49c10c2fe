"""The teacher's guide: written from the lessons, and true of what they show."""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

import build
import guide
from stylelearn import cli

SOURCES = build.sources()
GUIDE = build.LESSONS / "TEACHING.md"
ROW = re.compile(r"^\| ([^|]+) \| `([^`]+)` \| (.+) \|$", flags=re.MULTILINE)
NUMBER = r"[^\d\-−]*?([-−]?\d[\d,]*\.?\d*(?:e[+-]?\d+)?)"
EVERYWHERE = "as it stands"


def expected(source: Path) -> list[tuple[str, str]]:
    """The rows of a lesson's table: what is looked for, and what it should come to."""
    return [(what, comes_to) for _, what, comes_to in ROW.findall(guide.chapter(source))]


def said(path: Path) -> str:
    """All that a built notebook prints and writes above its pictures, with single spaces."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    texts = (output.get("text", "") + str(output.get("data", {}).get("text/plain", "")) for output in outputs)
    return " ".join(" ".join(texts).split())


def found(what: str, text: str, number: bool = True) -> re.Match[str] | None:
    """Where `what` stands in the text, … for anything short, and the number behind it."""
    pattern = ".{0,200}?".join(re.escape(part.strip()) for part in what.split("…"))
    return re.search(pattern + (NUMBER if number else ""), text)


def wrong(rows: list[tuple[str, str]], text: str) -> Iterator[str]:
    """The rows that do not hold."""
    for what, comes_to in rows:
        if comes_to == EVERYWHERE:
            if not found(what, text, number=False):
                yield f"{what!r} is not there"
            continue
        here = found(what, text)
        value = float(here[1].replace(",", "").replace("−", "-")) if here else None
        limits = [float(each) for each in re.findall(r"-?\d+(?:\.\d+)?", comes_to)[:2]]
        low, high = (limits[0], limits[0]) if "exactly" in comes_to else limits
        if value is None or not low <= value <= high:
            yield f"{what!r} comes to {value}, not to {comes_to}"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_expected_figures_are_those_of_both_notebooks(source):
    rows = expected(source)
    assert len(rows) >= 3, "a table of expected figures: | section | `what is printed` | 3 to 4 dB |"
    for side in build.SIDES:
        assert list(wrong(rows, said(build.target(source, side)))) == [], side


def test_figures_that_do_not_hold_are_found():
    text = "first 7 blocks: 2,500 pixels; loss -0.5 and 1e-3 all is True"
    right = [("blocks:", "2500, exactly"), ("loss", "-1 to 0"), ("and", "0 to 0.1 dB"), ("all is True", EVERYWHERE)]
    assert list(wrong([*right, ("first … pixels; loss", "-0.6 to -0.4")], text)) == []
    off = [("blocks:", "2501, exactly"), ("loss", "0 to 1"), ("nothing", "0 to 1"), ("all is False", EVERYWHERE)]
    assert len(list(wrong(off, text))) == len(off)


def test_the_guide_holds_what_the_lessons_say():
    assert build.renew_guide(build.LESSONS, write=False), "run: make lessons, or python lessons/tools/build.py --text"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_notes_end_the_solutions_and_only_them(source):
    student, solutions = (build.notebook(source, side).cells for side in build.SIDES)
    assert solutions[-1].source.startswith(guide.HEADING)
    assert not any(guide.HEADING in cell.source for cell in student)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_timings_add_up_to_what_the_lesson_promises(source):
    chapter = guide.chapter(source)
    promised = int(re.search(r"\*\*about (\d+) minutes\*\*", chapter)[1])
    whole, parts = re.search(r"\*\*Timings\*\* \((\d+) minutes\): (.+?)\n\n", chapter, flags=re.DOTALL).groups()
    each = [int(re.search(r", (\d+)\b", part)[1]) for part in " ".join(parts.split()).split(" · ")]
    assert int(whole) == promised == sum(each), each


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_every_question_has_an_answer(source):
    asked = guide.chapter(source).split("**Questions for a discussion")[1].split("**Common")[0]
    entries = re.findall(r"^- (.+)", asked, flags=re.MULTILINE)
    assert len(entries) >= 3
    for entry in entries:
        question, answer = re.fullmatch(r"\*(.+?\?.*?)\* (.+)", entry).groups()
        assert len(answer) > 20, question


ROOT = build.LESSONS.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", GUIDE]


def code_of(page: Path) -> str:
    """All code of a page, in blocks and within lines."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```.*?^```|^ {4}[^\n]+", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", text)])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_a_page_names_exist(page):
    code = code_of(page)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = set(re.findall(r"(?:^|[ =])make ([a-z]+(?:-[a-z]+)*)", code, flags=re.MULTILINE))
    assert named and named <= targets | {"train"}  # train-…, which stands for all of them
    for command in set(re.findall(r"stylelearn ([a-z]+)", code)):
        with pytest.raises(SystemExit) as stopped:
            cli.main([command, "--help"])
        assert stopped.value.code in (0, None), command
    for script in re.findall(r"python ((?:lessons|data)/\S+\.py)", code):
        assert (ROOT / script).is_file()


LESSON = """\
# %% [markdown]
# # 01 · A lesson
# **After this lesson you can …**
#
# - read,
# - write
#   and count.
#
# **Builds on** [nothing](00.ipynb) ·
# **about 5 minutes** · **paper**: none

# %% [markdown]
# **Common misconceptions**
#
# - *"It is hard."* It is not.
#
# **To read**: nothing.

# %% [markdown] tags=["solution"]
# ## For teachers
#
# **Timings** x **Show.** x **Expected results.** x **Where they get stuck.** x **Questions for a discussion.** x
"""


def test_a_chapter_has_every_part_once(tmp_path):
    source = tmp_path / "01_lesson.py"
    source.write_text(LESSON, encoding="utf-8")
    chapter = guide.chapter(source)
    assert chapter.startswith("### 01 · A lesson\n\n[Lesson](01_lesson.ipynb) · [solutions](solutions/01_lesson.ipynb)")
    for words in (
        "- read,\n- write\n  and count.",
        "**about 5 minutes**",
        "**Timings** x",
        '- *"It is hard."* It is not.',
    ):
        assert chapter.count(words) == 1
    assert "To read" not in chapter and "paper" not in chapter and guide.HEADING not in chapter


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [
        ("## For teachers", "## Notes", "0 cells"),
        ("**Show.** x ", "", "lack Show"),
        ("**Builds on**", "After", "Builds on"),
    ],
)
def test_what_a_lesson_lacks_is_named(tmp_path, old, new, missing):
    source = tmp_path / "01_lesson.py"
    source.write_text(LESSON.replace(old, new), encoding="utf-8")
    with pytest.raises(guide.GuideError, match=missing):
        guide.chapter(source)


def test_only_what_is_between_the_marks_changes(tmp_path):
    source = tmp_path / "01_lesson.py"
    source.write_text(LESSON, encoding="utf-8")
    page = f"before\n\n{guide.BEGIN}\nold\n{guide.END}\n\nafter\n"
    after = guide.renewed(page, [source])
    assert after.startswith("before\n\n") and after.endswith("\n\nafter\n") and "old" not in after
    assert "01 · A lesson" in after and guide.renewed(after, [source]) == after
    with pytest.raises(guide.GuideError, match="needs the lines"):
        guide.renewed("no marks", [source])


def test_changed_text_keeps_what_the_code_shows_and_changed_code_is_refused(tmp_path):
    (tmp_path / "src").mkdir()
    source = tmp_path / "src" / SOURCES[0].name
    source.write_text(SOURCES[0].read_text(encoding="utf-8"), encoding="utf-8")
    for side in build.SIDES:
        path = build.target(source, side)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(build.target(SOURCES[0], side).read_bytes())
    before = [said(build.target(source, side)) for side in build.SIDES]
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("## Summary", "## In short"), encoding="utf-8")
    assert len(build.differences(source)) == 2
    assert build.main(["--text"], tmp_path) == 0
    assert build.differences(source) == []
    assert [said(build.target(source, side)) for side in build.SIDES] == before
    source.write_text(text.replace("import torch", "import torch, math"), encoding="utf-8")
    with pytest.raises(build.BuildError, match="build it without --text"):
        build.renew_text(source, "student")
