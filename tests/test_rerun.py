"""Marks: answers run anew in a process of their own, and every trick that a hand-in could try."""

import copy
import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from forked import forked
from test_lessons import both, tagged

import build
import collect
import pages
import rerun

RIGHT = """
def my_adain(x, y):
    m, mean = (z.mean((2, 3), keepdim=True) for z in (x, y))
    v, variance = (z.var((2, 3), keepdim=True, correction=0) for z in (x, y))
    return (variance + 1e-6).sqrt() * (x - m) / (v + 1e-6).sqrt() + mean
"""
WRONG = RIGHT.replace("+ mean", "+ m")
LESSON = nbformat.read(build.LESSONS / "05_adain.ipynb", as_version=4)
EXERCISE = rerun.exercises(LESSON)[0]


def with_answer(code: str, saved: str = "", helper: str = "", first: str = "") -> nbformat.NotebookNode:
    """Lesson 05 as saved: an answer to exercise 1, what its check said, a cell of one's own, more in the first cell."""
    mine = copy.deepcopy(LESSON)
    cells = [cell for cell in mine.cells if cell.cell_type == "code"]
    cells[0].source += first
    (cell,) = [cell for cell in cells if cell.id == EXERCISE.cell]
    cell.source = code + "\n\ncheck.adain(my_adain)"
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=saved)] if saved else []
    mine.cells.insert(mine.cells.index(cell), nbformat.v4.new_code_cell(helper))
    return mine


def in_body(line: str, code: str = RIGHT) -> str:
    """`line` as the first line of the answer."""
    return code.replace("(x, y):\n", f"(x, y):\n    {line}\n", 1)


REFUSED = "✗ your code stopped with PermissionError: "
HAND_INS = {
    "right": (with_answer(RIGHT), "✓ "),
    "wrong": (with_answer(WRONG), "✗ "),
    "untouched": (copy.deepcopy(LESSON), "… not solved"),
    "forged output": (with_answer(WRONG, saved="✓ right"), "✗ "),
    "endless": (with_answer(in_body("while True: pass")), "✗ stopped: it had not ended after 1 s of computing"),
    "greedy": (with_answer(in_body("bytearray(10**10)")), "✗ your code stopped with MemoryError"),
    "crashing": (with_answer(in_body("import ctypes; ctypes.string_at(0)")), "✗ the process ended without an answer"),
    "leaving": (with_answer(in_body("import os; os._exit(0)")), "✗ the process ended without an answer"),
    "exit": (with_answer(in_body("raise SystemExit")), "✗ your code stopped with SystemExit"),
    "no Python": (with_answer("def my_adain(x, y:"), "✗ the cell is no Python"),
    "changed import": (with_answer(WRONG, first="\nclass check:\n    adain = print"), "✗ "),
    "changed checks": (
        with_answer(in_body("import stylelearn.checks as c; c.must_match = c.must_be = lambda *a, **k: None", WRONG)),
        "✗ your code changes stylelearn.checks.must_",
    ),
    "changed PyTorch": (
        with_answer(in_body("torch.Tensor.__le__ = lambda *_: torch.tensor(True)", WRONG)),
        "✗ your code changes torch.Tensor.__le__",
    ),
    "a program": (with_answer(in_body("import os; os.system('touch there')")), REFUSED),
    "a file": (with_answer(in_body("open('there', 'w')")), REFUSED + "open is not allowed"),
    "the network": (
        with_answer(in_body("import socket; socket.create_connection(('127.0.0.1', 80), 1)")),
        REFUSED + "socket.",
    ),
    "printed verdict": (with_answer(in_body("print('✓ right')", WRONG)), "✗ "),
    "a helper in a cell of their own": (
        with_answer(RIGHT.replace("1e-6", "tiny[0]"), helper="%matplotlib inline\ntiny = [0]\ntiny[0] = 1e-6"),
        "✓ ",
    ),
}


def answering(task: str, folder: str) -> None:
    """All that a judging process does."""
    os.chdir(folder)
    sys.stdin = io.StringIO(task)
    rerun.main()


def run_forked(words: list[str], *, input: str, cwd: str, **_: object) -> subprocess.CompletedProcess:
    return subprocess.CompletedProcess(words, *forked(answering, input, cwd))


@pytest.mark.parametrize("kind", HAND_INS)
def test_hand_ins_of_all_kinds(kind, monkeypatch):
    mine, said = HAND_INS[kind]
    if kind != "right":
        monkeypatch.setattr(rerun.subprocess, "run", run_forked)
        monkeypatch.setattr(rerun, "_without_network", list)
    one = collect.HandedIn("x", "05_adain", mine, {})
    assert first_of(one, seconds=1 if kind == "endless" else 3).startswith(said)


def first_of(one: collect.HandedIn, seconds: int) -> str:
    try:
        code = rerun.code_of(EXERCISE, LESSON, one.notebook)
    except SyntaxError:
        return collect.run_anew(one, [], seconds).verdicts[EXERCISE.heading]
    return rerun.verdict(code, "05_adain", EXERCISE, [7, 8], seconds)


def test_a_seed_decides_on_what_an_answer_is_tried():
    code = in_body("raise ValueError(x.flatten()[0].item())", RIGHT)
    seven, again, eight = (rerun.judge(code, "my_adain", "adain", "adain", [seed]) for seed in (7, 7, 8))
    assert seven == again != eight


@pytest.mark.parametrize("source", build.sources(), ids=lambda path: path.stem)
def test_the_courses_solutions_pass_with_any_seed(source):
    lesson, solutions = both(source)
    asked, solved = rerun.exercises(lesson), tagged(solutions, "solution")
    assert len(asked) == len(solved) >= 3
    for exercise, cell in zip(asked, solved, strict=True):
        cell["id"] = exercise.cell
    for exercise in asked:
        code = rerun.code_of(exercise, lesson, solutions)
        said = rerun.judge(code, exercise.answer, source.stem[3:], exercise.check, [1, 2, 3])
        assert said.startswith("✓"), (exercise.heading, said)


def test_only_what_an_answer_needs_is_run():
    code = rerun.code_of(EXERCISE, LESSON, with_answer("print('hello')\n" + RIGHT, helper="1 / 0"))
    assert code.split("\n\n")[0].startswith("def my_adain") and "1 / 0" not in code and "hello" not in code


def test_without_cell_ids_exercises_are_found_by_their_tags():
    mine = with_answer(RIGHT)
    for cell in mine.cells:
        cell.pop("id")
    assert "def my_adain" in rerun.code_of(EXERCISE, LESSON, mine)
    mine.cells = []
    assert rerun.code_of(EXERCISE, LESSON, mine) is None


def test_the_table_and_the_pages(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        rerun, "verdict", lambda code, *_: "✗ y's mean <is> missing" if "+ m" + "\n" in code + "\n" else "✓ =1"
    )
    for name, code, saved in (("ann", RIGHT, "✓ right"), ("bob", WRONG, "✓ forged"), ("cleo", WRONG, "✗ …")):
        path = tmp_path / "in" / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        nbformat.write(with_answer(code, saved), path)
    files = {name: tmp_path / name for name in ("t.csv", "t.html", "room.html")}
    words = ["--csv", files["t.csv"], "--page", files["t.html"], "--room", files["room.html"], "--rerun", "--seeds", 4]
    assert collect.main([str(tmp_path / "in"), *map(str, words)]) == 0
    printed = capsys.readouterr()
    assert "--seeds 4" in printed.out and "bob.ipynb: " + EXERCISE.heading in printed.err and "cleo" not in printed.err
    with files["t.csv"].open(encoding="utf-8-sig", newline="") as file:
        table = [row for row in csv.DictReader(file) if row["exercise"] == EXERCISE.heading]
    assert {row["file"]: row["check"] for row in table} == {"ann.ipynb": "✓", "bob.ipynb": "✗", "cleo.ipynb": "✗"}
    assert table[0]["words"] == "'=1"  # no formula for a spreadsheet
    page, room = (files[name].read_text(encoding="utf-8") for name in ("t.html", "room.html"))
    assert "bob.ipynb" in page and "<is>" not in page
    assert "<b>2 ×</b> y&#x27;s mean &lt;is&gt; missing" in room and "1 of 3 solved" in room and "bob" not in room


def test_the_rooms_page_renews_itself():
    assert '<meta http-equiv="refresh" content="10">' in pages.room_page([], 10)
    with pytest.raises(SystemExit):
        collect.main([str(Path()), "--watch", "10"])
