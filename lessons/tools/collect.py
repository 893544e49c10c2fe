"""A table of solved exercises from the notebooks that learners hand in.

    python lessons/tools/collect.py handed_in                  a folder, with the folders and .zip files in it
    python lessons/tools/collect.py handed_in --rerun          run each answer anew, see rerun.py; for marks
    python lessons/tools/collect.py handed_in --csv table.csv --page table.html
    python lessons/tools/collect.py handed_in --room room.html --watch 10
                                                what the room mixed up, for the projector, anew every 10 seconds

Without --rerun it reads what the checks said when the notebook was last saved, and runs no learner's code. A learner
can write ✓ by hand.
"""

import argparse
import csv
import random
import re
import sys
import time
import zipfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

import build
import rerun
from pages import marks_page, room_page

VERDICT = re.compile(r"[✓✗…] ")
NOT_RUN = "–"


class HandedIn(NamedTuple):
    """A notebook and, for each exercise, what its check said, which begins with ✓, ✗, … (not solved) or – (not run)."""

    name: str
    lesson: str
    notebook: NotebookNode
    verdicts: dict[str, str]


def verdicts(notebook: NotebookNode) -> dict[str, str]:
    """Exercise -> what its check said last, as the notebook was saved."""
    found: dict[str, str] = {}
    current = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            if headings := rerun.HEADING.findall(cell.source):
                current = headings[-1]
                found.setdefault(current, NOT_RUN)
        elif current:
            for output in cell.get("outputs", ()):
                text = output.get("text", "") or output.get("data", {}).get("text/plain", "")
                if VERDICT.match(text):
                    found[current] = text.strip()
    return found


def run_anew(one: HandedIn, seeds: list[int], seconds: int) -> HandedIn:
    """The same notebook with what the checks say today, each answer run in a process of its own."""
    lesson = nbformat.read(build.LESSONS / f"{one.lesson}.ipynb", as_version=4)
    said = {}
    for exercise in rerun.exercises(lesson):
        try:
            code = rerun.code_of(exercise, lesson, one.notebook)
        except SyntaxError as error:
            said[exercise.heading] = f"✗ the cell is no Python: {error}"
        else:
            told = rerun.NOT_THERE if code is None else rerun.verdict(code, one.lesson, exercise, seeds, seconds)
            said[exercise.heading] = told
    return one._replace(verdicts=said)


def files(place: Path) -> Iterator[tuple[str, Path]]:
    """The notebooks and archives in a folder, with their paths below it; or the file itself."""
    if not place.is_dir():
        yield place.name, place
        return
    for path in sorted(place.rglob("*")):
        below = path.relative_to(place)
        if path.suffix in (".ipynb", ".zip") and ".ipynb_checkpoints" not in below.parts:
            yield below.as_posix(), path


def read(name: str, path: Path) -> Iterator[tuple[str, bytes]]:
    """A notebook, or all that are in an archive, with their names."""
    if path.suffix != ".zip":
        yield name, path.read_bytes()
        return
    with zipfile.ZipFile(path) as archive:
        for inside in sorted(archive.namelist()):
            if inside.endswith(".ipynb") and not re.search(r"__MACOSX|\.ipynb_checkpoints", inside):
                yield f"{name.removesuffix('.zip')}/{inside}", archive.read(inside)


def collected(places: Iterable[Path]) -> tuple[list[HandedIn], list[str]]:
    """What was handed in, and complaints about files that are no notebooks of the course."""
    found, complaints = [], []
    for name, path in (file for place in places for file in files(place)):
        try:
            inside = list(read(name, path))
        except (OSError, zipfile.BadZipFile) as error:
            complaints.append(f"{name}: cannot be read ({error})")
            continue
        for one, data in inside:
            try:
                notebook = nbformat.reads(data.decode(), as_version=4)
            except (UnicodeDecodeError, nbformat.reader.NotJSONError) as error:
                complaints.append(f"{one}: cannot be read ({str(error).splitlines()[0]})")
                continue
            lesson = Path(notebook.metadata.get("stylelearn", {}).get("source", "")).stem
            if (build.LESSONS / f"{lesson}.ipynb").is_file():
                found.append(HandedIn(one, lesson, notebook, verdicts(notebook)))
            else:
                complaints.append(f"{one}: not a lesson of this course")
    return found, complaints


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="A table of who has solved which exercise.")
    parser.add_argument("places", nargs="+", type=Path, metavar="PLACE", help="folders, .zip files or notebooks")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table to this file, too")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the table as a page for a browser")
    parser.add_argument("--room", type=Path, metavar="FILE", help="a page for all, without names: what was mixed up")
    parser.add_argument("--watch", type=int, metavar="SECONDS", help="go on, and write --room anew this often")
    parser.add_argument("--rerun", action="store_true", help="run each answer in a process of its own with limits")
    parser.add_argument("--seeds", type=int, nargs="+", metavar="N", help="of --rerun (default: two by chance)")
    parser.add_argument("--seconds", type=int, default=20, help="of computing for an answer (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="answers at the same time (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.watch and (not options.room or options.rerun):
        parser.error("--watch needs --room FILE, and reads what was saved: leave --rerun out")
    while True:
        status = once(options)
        if not options.watch:
            return status
        time.sleep(options.watch)


def once(options: argparse.Namespace) -> int:
    """Collect, print and write what was asked for."""
    found, complaints = collected(options.places)
    if options.rerun:
        seeds = options.seeds or random.SystemRandom().sample(range(1, 10**6), 2)
        with ThreadPoolExecutor(options.jobs) as pool:
            anew = list(pool.map(lambda one: run_anew(one, seeds, options.seconds), found))
        print(f"run anew; the same again with --seeds {' '.join(map(str, seeds))}")
        for old, new in zip(found, anew, strict=True):
            for name, said in new.verdicts.items():
                if old.verdicts.get(name, NOT_RUN)[0] == "✓" != said[0]:
                    complaints.append(f"{old.name}: {name}: was saved with ✓, and is {said}")
        found = anew
    for one in found:
        marks = "  ".join(f"{number}{said[0]}" for number, said in enumerate(one.verdicts.values(), start=1))
        solved = sum(said[0] == "✓" for said in one.verdicts.values())
        print(f"{one.lesson:16} {solved} of {len(one.verdicts)}   {marks:30} {one.name}")
    if options.csv:
        with options.csv.open("w", encoding="utf-8-sig", newline="") as file:  # spreadsheets know UTF-8 by the mark
            table = csv.writer(file)
            table.writerow(["file", "lesson", "exercise", "check", "words"])
            for one in found:
                rows = [(one.name, one.lesson, name, said[0], said[2:]) for name, said in one.verdicts.items()]
                table.writerows([tuple(map(_plain, row)) for row in rows])
    rows = [(one.name, one.lesson, one.verdicts) for one in found]
    if options.page:
        options.page.write_text(marks_page(rows), encoding="utf-8")
    if options.room:
        options.room.write_text(room_page([row[1:] for row in rows], options.watch), encoding="utf-8")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 0 if found else 1


def _plain(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


if __name__ == "__main__":
    sys.exit(main())
