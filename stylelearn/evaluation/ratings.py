"""Ratings of lesson 10's blind study: a CSV file for each learner, a line for each rating; a class is several files.

    ratings = Ratings("my-study.csv")                     # the file is made with the first rating
    ratings.give(Rating("anna", "cat + waves", "gatys", "faithfulness", 3))
    read_ratings("anna.csv", "ben.csv")                   # a class

A rating is known by its rater, pair, method and question, and the latest counts. So reading a file twice, or files in
another order, changes nothing. The study itself is in `study.py`.
"""

from __future__ import annotations

import csv
import io
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from stylelearn.files import check_output, replacing

QUESTIONS = {
    "photorealism": "Does it look like a photo?",
    "faithfulness": "Is it faithful to the style?",
}
SCORES = {1: "not at all", 2: "rather not", 3: "rather", 4: "fully"}
COLUMNS = ("rater", "pair", "method", "question", "score", "at")


class StudyError(ValueError):
    """A file or a rating that cannot be used; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Rating:
    """One score.

    Args:
        rater, pair, method: names, 1 to 100 printable characters that do not begin with = + - or @: spreadsheets would
            take these for formulas.
        question: one of `QUESTIONS`. `score`: one of `SCORES`.
        at: when, as ISO 8601 with a time zone; kept in UTC to the microsecond. By default now.
    Raises:
        StudyError: anything else.
    """

    rater: str
    pair: str
    method: str
    question: str
    score: int
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())

    def __post_init__(self) -> None:
        for what in ("rater", "pair", "method"):
            object.__setattr__(self, what, check_name(getattr(self, what), what))
        if self.question not in QUESTIONS:
            raise StudyError(f"there is no question {self.question!r}; there are {', '.join(QUESTIONS)}")
        if self.score not in SCORES:
            raise StudyError(f"the score is {self.score!r}; it must be a whole number from 1 to {max(SCORES)}")
        object.__setattr__(self, "score", int(self.score))
        object.__setattr__(self, "at", _utc(self.at))

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Rater, pair, method and question."""
        return self.rater, self.pair, self.method, self.question


def check_name(name: str, what: str = "rater") -> str:
    """The name with single spaces and composed letters. Raises StudyError: none that a `Rating` may have."""
    found = unicodedata.normalize("NFC", " ".join(name.split())) if isinstance(name, str) else ""
    if not 0 < len(found) <= 100 or not found.isprintable() or found[0] in "=+-@" or "\n" in name:
        raise StudyError(f"the {what} is {name!r}; take 1 to 100 printable characters, and do not begin with = + - @")
    return found


class Ratings:
    """The ratings in one CSV file.

    Args:
        path: the file; it is made with the first rating.
    Raises:
        StudyError: a file that is something else. It is never changed.

    Attributes:
        rater: the first in the file; for a new file a random name, so that a class may stay anonymous.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        found = self.all()
        self.rater = found[0].rater if found else f"rater {secrets.token_hex(3)}"

    def all(self) -> list[Rating]:
        """The latest rating of each rater, pair, method and question."""
        if self.path.exists() and not self.path.is_file():
            raise StudyError(f"'{self.path}' is no file; give the name of one, such as my-study.csv")
        return read_ratings(self.path) if self.path.exists() else []

    def give(self, *ratings: Rating) -> None:
        """Add these ratings; each replaces an earlier one.

        Raises:
            StudyError: the file cannot be written, or has become something else.
        """
        write_ratings(self.path, {one.key: one for one in (*self.all(), *ratings)}.values())


def read_ratings(*paths: str | Path) -> list[Rating]:
    """The ratings in several files together; of two for the same question the later one counts.

    Raises:
        StudyError: names the file, the line and what is wrong with it.
    """
    found = []
    for path in paths:
        try:
            found += ratings_in(Path(path).expanduser().read_bytes(), f"'{path}'")
        except OSError as error:
            raise StudyError(f"'{path}' cannot be read ({error.strerror}); check its name and permissions") from error
    return latest(found)


def write_ratings(path: str | Path, ratings: Iterable[Rating]) -> Path:
    """Write these ratings into one file in place of an older one. Raises StudyError: that is something else."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *map(astuple, latest(ratings))])
    try:
        path = check_output(path)
        if path.exists():
            read_ratings(path)
        with replacing(path) as part:
            part.write_text(text.getvalue(), encoding="utf-8-sig", newline="")  # spreadsheets know UTF-8 by its mark
    except (ValueError, OSError) as error:
        raise StudyError(f"'{path}' was not written: {error}; choose another name") from error
    return path


def ratings_in(data: bytes, name: str) -> list[Rating]:
    """The ratings in the bytes of a file; `name` is what errors call it.

    A spreadsheet may have saved it: with semicolons or tabs, other columns in another order, empty lines.

    Raises:
        StudyError: names the line and what is wrong.
    """
    try:
        lines = data.decode("utf-8-sig").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise StudyError(f"{name} is no text in UTF-8; save it as “CSV UTF-8”") from error
    delimiter = max(",;\t", key=lines[0].count) if lines else ","
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    found = []
    try:
        names = [each.strip().lower() for each in next(reader, COLUMNS)]
        if missing := [each for each in COLUMNS if each not in names]:
            raise StudyError(f"it has no column {', '.join(missing)}; there must be {', '.join(COLUMNS)}")
        for cells in reader:
            row = dict(zip(names, map(str.strip, cells), strict=False))
            rater, pair, method, question, score, at = (row.get(each, "") for each in COLUMNS)
            if any(row.values()):
                found.append(Rating(rater, pair, method, question, int(score) if score.isdecimal() else score, at))  # type: ignore[arg-type]
    except (csv.Error, StudyError) as error:
        raise StudyError(f"{name}: line {reader.line_num or 1}: {error}") from error
    return found


def latest(ratings: Iterable[Rating]) -> list[Rating]:
    """One rating for each key, the latest; of two at the same time the second."""
    found: dict[tuple[str, ...], Rating] = {}
    for one in ratings:
        if one.key not in found or one.at >= found[one.key].at:
            found[one.key] = one
    return [*found.values()]


def _utc(at: str) -> str:
    try:
        when = datetime.fromisoformat(at)
        if when.tzinfo is None:
            raise ValueError("no time zone")
        return when.astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, TypeError, OverflowError) as error:
        raise StudyError(f"the time is {at!r}; it must be like 2026-05-01T12:30:00+00:00") from error
