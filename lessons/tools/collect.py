"""A table of solved exercises from the notebooks that learners hand in.

    python lessons/tools/collect.py handed_in                  a folder, with the folders and .zip files in it
    python lessons/tools/collect.py handed_in --csv table.csv  the same for a spreadsheet

It reads what the checks said when the notebook was last saved and runs no learner's code. A learner can write ✓ by
hand; for certainty, open the notebook and run it.
"""

import argparse
import csv
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

EXERCISE = re.compile(r"^#+ +(Exercise \d+\b.*)$", flags=re.MULTILINE)
VERDICT = re.compile(r"[✓✗…] ")
NOT_RUN = "–"


class HandedIn(NamedTuple):
    """One notebook: its name as handed in, its lesson, and for each exercise ✓, ✗, … (not solved) or – (not run)."""

    name: str
    lesson: str
    verdicts: dict[str, str]


def verdicts(notebook: NotebookNode) -> dict[str, str]:
    """Exercise -> what its check said last."""
    found: dict[str, str] = {}
    current = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            if headings := EXERCISE.findall(cell.source):
                current = headings[-1]
                found.setdefault(current, NOT_RUN)
        elif current:
            for output in cell.get("outputs", ()):
                text = output.get("text", "") or output.get("data", {}).get("text/plain", "")
                if VERDICT.match(text):
                    found[current] = text[0]
    return found


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
    """A notebook, or all that are in an archive, with their names.

    Raises:
        OSError, zipfile.BadZipFile: it cannot be read.
    """
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
            if lesson:
                found.append(HandedIn(one, lesson, verdicts(notebook)))
            else:
                complaints.append(f"{one}: not a lesson of this course")
    return found, complaints


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="A table of who has solved which exercise.")
    parser.add_argument("places", nargs="+", type=Path, metavar="PLACE", help="folders, .zip files or notebooks")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table to this file, too")
    options = parser.parse_args(arguments)
    found, complaints = collected(options.places)
    for one in found:
        marks = "  ".join(f"{number}{mark}" for number, mark in enumerate(one.verdicts.values(), start=1))
        solved = sum(mark == "✓" for mark in one.verdicts.values())
        print(f"{one.lesson:16} {solved} of {len(one.verdicts)}   {marks:30} {one.name}")
    if options.csv:
        with options.csv.open("w", encoding="utf-8-sig", newline="") as file:  # spreadsheets know UTF-8 by the mark
            table = csv.writer(file)
            table.writerow(["file", "lesson", "exercise", "check"])
            table.writerows((one.name, one.lesson, *pair) for one in found for pair in one.verdicts.items())
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
