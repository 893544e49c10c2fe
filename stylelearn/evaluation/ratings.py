"""Ratings of lesson 10's blind study: a CSV file for each learner, a line for each rating; a class is several files.

    ratings = Ratings("my-study.csv")                     # the file is made with the first rating
    ratings.give(Rating("anna", "cat + waves", "gatys", "faithfulness", 3))
    read_ratings("anna.csv", "ben.csv")                   # a class

A rating is known by its rater, pair, method and question. Given again, it is added below the one before, and the latest
counts. So reading a file twice, or files in another order, changes nothing. The study itself is in `study.py`.
"""

from __future__ import annotations

import codecs
import csv
import io
import locale
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from stylelearn.files import check_output, replacing

QUESTIONS = {
    "photorealism": "Does it look like a photo?",
    "faithfulness": "Is it faithful to the style?",
}
SCORES = {1: "not at all", 2: "rather not", 3: "rather", 4: "fully"}
COLUMNS = ("rater", "pair", "method", "question", "score", "at")

_HEAD = codecs.BOM_UTF8 + f"{','.join(COLUMNS)}\n".encode()  # spreadsheets recognise UTF-8 by the mark


class StudyError(ValueError):
    """A file or a rating that cannot be used; the message says which, why, and what to do."""


@dataclass(frozen=True, order=True)
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
        if isinstance(self.score, bool) or self.score not in SCORES:
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
    """The ratings in one CSV file, added line by line, so that several labs may write into it.

    Args:
        path: the file; it is made with the first rating.
    Raises:
        StudyError: a file that is something else. It is never changed.

    Attributes:
        rater: the first in the file; for a new file a random name, so that a class may stay anonymous.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        found = ratings_in(self._data(), f"'{self.path}'")
        self.rater = found[0].rater if found else f"rater {secrets.token_hex(3)}"

    def all(self) -> list[Rating]:
        """The latest rating of each rater, pair, method and question, in this order."""
        return latest(ratings_in(self._data(), f"'{self.path}'"))

    def give(self, *ratings: Rating) -> None:
        """Add these ratings; each replaces an earlier one, even if the clock was set back.

        Raises:
            StudyError: the file cannot be written, or has become something else.
        """
        data, known = self._data(), {one.key: one.at for one in self.all()}
        new = [replace(one, at=max(one.at, known.get(one.key, ""))) for one in ratings]
        try:
            if data and not _plain(data):  # a spreadsheet has saved it
                _write(self.path, [*self.all(), *new])
                return
            with self.path.open("ab", buffering=0) as file:  # one write: it stays whole beside those of others
                file.write((b"" if data else _HEAD) + _lines(new))
        except OSError as error:
            raise StudyError(f"'{self.path}' cannot be written ({error.strerror}); close it elsewhere, or choose "
                             "another folder") from error  # fmt: skip

    def _data(self) -> bytes:
        if self.path.exists() and not self.path.is_file():
            raise StudyError(f"'{self.path}' is no file; give the name of one, such as my-study.csv")
        return _bytes(self.path) if self.path.exists() else b""


def read_ratings(*paths: str | Path) -> list[Rating]:
    """The ratings in several files together; of two for the same question the later one counts.

    Raises:
        StudyError: names the file, the line and what is wrong with it.
    """
    return latest(one for path in paths for one in ratings_in(_bytes(Path(path).expanduser()), f"'{path}'"))


def write_ratings(path: str | Path, ratings: Iterable[Rating]) -> Path:
    """Write these ratings into one file in place of an older one. Raises StudyError: that is something else."""
    try:
        path = check_output(path)
        if path.exists():
            ratings_in(_bytes(path), f"'{path}'")
        _write(path, ratings)
    except (ValueError, OSError) as error:
        raise StudyError(f"'{path}' was not written: {error}; choose another name") from error
    return path


def ratings_in(data: bytes, name: str) -> list[Rating]:
    """The ratings in the bytes of a file; `name` is what errors call it.

    A spreadsheet may have saved them: other order of columns, more columns, semicolons or tabs, a line `sep=;`, empty
    lines; UTF-8, UTF-16 with its mark, or the ANSI code page of this machine or of Western Europe.

    Raises:
        StudyError: names the line and what is wrong.
    """
    found = []
    for line, row in _rows(data, name):
        score = int(row[4]) if row[4].isdecimal() else row[4]
        if any(row[1:5]):  # older files begin with a name alone
            try:
                found.append(Rating(*row[:4], score, row[5]))  # type: ignore[arg-type, call-arg]
            except StudyError as error:
                raise StudyError(f"{name}: line {line}: {error}") from error
    return found


def latest(ratings: Iterable[Rating]) -> list[Rating]:
    """One rating for each key, the latest, in order; of two at the same time the second."""
    found: dict[tuple[str, ...], Rating] = {}
    for one in ratings:
        if one.key not in found or one.at >= found[one.key].at:
            found[one.key] = one
    return sorted(found.values())


def _rows(data: bytes, name: str) -> list[tuple[int, list[str]]]:
    """The number of each line and its values in the order of `COLUMNS`; none for an empty file."""
    if not data:
        return []
    lines = _decoded(data, name).replace("\ufeff", "").splitlines(keepends=True)
    skipped = sum(line.strip().strip('"').lower().startswith("sep=") for line in lines[:1])
    head = lines[skipped] if len(lines) > skipped else ""
    reader = csv.reader(iter(lines[skipped:]), delimiter=max(",;\t", key=head.count), strict=True)
    found = []
    try:
        names = [each.strip().lower() for each in next(reader, [])]
        missing = [each for each in COLUMNS if each not in names]
        if missing:
            raise StudyError(f"it has no column {', '.join(missing)}; there must be {', '.join(COLUMNS)}")
        for cells in reader:
            row = dict(zip(names, map(str.strip, cells), strict=False))
            values = [row.get(each, "") for each in COLUMNS]
            if any(values) and values != [*COLUMNS]:  # files put behind one another have several heads
                found.append((reader.line_num + skipped, values))
    except (csv.Error, StudyError) as error:
        raise StudyError(f"{name}: line {reader.line_num + skipped or 1}: {error}") from error
    return found


def _decoded(data: bytes, name: str) -> str:
    wide = data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    for encoding in ["utf-16"] if wide else ["utf-8", locale.getencoding(), "cp1252"]:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            pass
    raise StudyError(f"{name} is no text, so it is no CSV of a study; export it again")


def _plain(data: bytes) -> bool:
    """Whether lines may be added as they are."""
    try:
        return data.startswith(_HEAD) and data.endswith(b"\n") and bool(data.decode())
    except UnicodeDecodeError:
        return False


def _write(path: Path, ratings: Iterable[Rating]) -> None:
    with replacing(path) as part:
        part.write_bytes(_HEAD + _lines(latest(ratings)))


def _lines(ratings: Iterable[Rating]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(map(astuple, ratings))
    return text.getvalue().encode()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StudyError(f"'{path}' cannot be read ({error.strerror}); check its name and permissions") from error


def _utc(at: str) -> str:
    try:
        when = datetime.fromisoformat(at)
        if when.tzinfo is None:
            raise ValueError("no time zone")
        return when.astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, TypeError, OverflowError) as error:
        raise StudyError(f"the time is {at!r}; it must be like 2026-05-01T12:30:00+00:00") from error
