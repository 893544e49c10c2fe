"""The teacher's guide from the lessons: what TEACHING.md says about each of them is written here, and nowhere else.

Of each source it takes the title, what a learner can do afterwards, what it builds on, the cell that begins with
"## For teachers" (tagged `solution`, so that it ends the solutions, too) and the misconceptions. In lessons/TEACHING.md
this stands between two marks; what is around them is written by hand.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import jupytext

BEGIN, END = "<!-- from here on written by build.py -->", "<!-- up to here written by build.py -->"
HEADING = "## For teachers"
PARTS = ("Timings", "Show", "Expected results", "Where they get stuck", "Questions for a discussion")
_LIST = r"((?:- .*\n(?: +.*\n)*)+)"  # entries that may go on in lines below


class GuideError(ValueError):
    """A lesson lacks what the guide needs; the message names the lesson and the part."""


def chapter(source: Path) -> str:
    """What the guide says about one lesson; GuideError where it lacks a part."""
    cells = jupytext.read(source, fmt="py:percent").cells
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    whole = "\n".join(texts) + "\n"
    notes = [text for text in texts if text.startswith(HEADING)]
    if len(notes) != 1:
        raise GuideError(f"{source.stem}: {len(notes)} cells begin with {HEADING!r}; it should be one, tagged solution")
    missing = [part for part in PARTS if f"**{part}" not in notes[0]]
    if missing:
        raise GuideError(f"{source.stem}: the notes for teachers lack {', '.join(missing)}")
    title = _found(source, r"^# (.+)\n", whole, "title")
    able = _found(source, r"^\*\*After this lesson you can …\*\*\n\n" + _LIST, whole, "list of what one can do")
    built = " ".join(_found(source, r"^(\*\*Builds on\*\*(?:.+\n)+)", whole, "line 'Builds on'").split())
    wrong = _found(source, r"^\*\*Common misconceptions\*\*\n\n" + _LIST, whole, "list of misconceptions")
    links = f"[Lesson]({source.stem}.ipynb) · [solutions](solutions/{source.stem}.ipynb)"
    return "\n\n".join(
        [
            f"### {title}",
            f"{links} · {built.split(' · **paper')[0]}",
            "**Afterwards they can …**",
            able.strip(),
            notes[0].removeprefix(HEADING).strip(),
            "**Common misconceptions**, as the lesson answers them:",
            wrong.strip(),
        ]
    )


def _found(source: Path, pattern: str, text: str, what: str) -> str:
    match = re.search(pattern, text, flags=re.MULTILINE)
    if match is None:
        raise GuideError(f"{source.stem}: no {what} was found")
    return match[1]


def renewed(page: str, sources: Sequence[Path]) -> str:
    """The guide with the chapters of these lessons between its marks; GuideError as `chapter`, or without marks."""
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise GuideError(f"TEACHING.md needs the lines {BEGIN!r} and {END!r}, once each")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return "\n\n".join([before + BEGIN, *map(chapter, sources), END]) + after
