"""A learner's own copy of the lessons: the learner writes in it, and an update of the course never overwrites that.

The copy has the course's layout (lessons/, lessons/solutions/, and the pictures and pages that the lessons link to), so
that every link works in it. A small record in it says how each file was when it was copied: a file that is still so
follows the course, a file that differs is the learner's.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from stylelearn import __version__
from stylelearn.cli.parsing import UsageError
from stylelearn.files import replacing

WELCOME = "lessons/00_welcome.ipynb"
RECORD = ".stylelearn.json"
LESSON = "[0-9][0-9]_*.ipynb"
PARTS = (
    f"lessons/{LESSON}",
    f"lessons/solutions/{LESSON}",
    "README.md",
    "LICENSE*",
    "data/gallery/*.jpg",
    "data/weights/*.CARD.md",
    "data/weights/*.jpg",
)


@dataclass
class Changes:
    """What an update did to a working copy: names of files below it."""

    new: list[str] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # the learner's, while the course has a newer one


def course() -> Path:
    """The folder that holds lessons/ and data/: in a clone the repository, in an installed wheel the package."""
    package = Path(__file__).resolve().parents[1]
    for place in (package, package.parent):
        if (place / WELCOME).is_file():
            return place
    raise UsageError(f"{WELCOME} is missing; install stylelearn again, or clone the whole repository")


def default() -> Path:
    """Where the working copy is unless the learner says otherwise."""
    return Path.home() / "my-stylelearn"


def update(folder: Path, source: Path) -> Changes:
    """Copy what `folder` lacks of the course in `source`, and renew what the learner has not changed.

    Raises:
        UsageError: `folder` is a course itself, or it cannot be written.
    """
    if (folder / "lessons" / "src").is_dir() or folder.resolve() == source.resolve():
        raise UsageError(f"'{folder}' is the course itself; name a folder of your own, such as {default()}")
    record, changes = _record(folder), Changes()
    try:
        for original in sorted(path for part in PARTS for path in source.glob(part)):
            name = original.relative_to(source).as_posix()
            data, mine = original.read_bytes(), folder / name
            offered, present = _digest(data), _digest(mine.read_bytes()) if mine.exists() else None
            if present not in (None, offered, record.get(name)):
                changes.kept += [name] if record.get(name) != offered else []
                continue
            if present != offered:
                mine.parent.mkdir(parents=True, exist_ok=True)
                with replacing(mine) as part:
                    part.write_bytes(data)
                (changes.renewed if present else changes.new).append(name)
            record[name] = offered
        with replacing(folder / RECORD) as part:
            part.write_text(json.dumps(record, indent=1), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"'{folder}' cannot be used ({error.strerror or error}); name another folder") from error
    return changes


def fresh(folder: Path, source: Path, lesson: str) -> str:
    """Put a clean copy of a lesson ("02" or "02_gatys") beside the learner's; returns its name below `folder`.

    Raises:
        UsageError: there is no such lesson.
    """
    lessons = sorted((source / "lessons").glob(LESSON))
    wanted = [path for path in lessons if lesson in (path.stem, path.stem[:2])]
    if not wanted:
        raise UsageError(f"there is no lesson {lesson!r}; choose from {', '.join(path.stem for path in lessons)}")
    names = (f"lessons/{wanted[0].stem}.fresh{number or ''}.ipynb" for number in range(10_000))
    name = next(name for name in names if not (folder / name).exists())
    (folder / name).write_bytes(wanted[0].read_bytes())
    return name


def other_editions(folder: Path) -> list[str]:
    """Notebooks of the course in `folder` that belong to another edition than this package, as "NAME (EDITION)"."""
    found = []
    for path in sorted(folder.glob("*.ipynb")):
        try:
            edition = json.loads(path.read_text(encoding="utf-8"))["metadata"]["stylelearn"]["edition"]
        except (OSError, ValueError, LookupError, TypeError):  # not a lesson
            continue
        if edition != __version__:
            found.append(f"{path.stem} ({edition})")
    return found


def _record(folder: Path) -> dict[str, str]:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none yet, or damaged: then every file that differs counts as the learner's
        return {}
    return record if isinstance(record, dict) else {}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
