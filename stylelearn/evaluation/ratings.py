"""The answers of a blind study: one SQLite file for each learner, CSV to hand in, and one file for a whole class.

    answers = Answers("my-study.sqlite")                  # the file is made with the first answer
    answers.give(Answer("anna", "cat + waves", "gatys", "faithfulness", 3))
    answers.export("anna.csv")
    Answers("class.sqlite").merge("anna.csv", "ben.csv")

An answer is known by who, which pair, which method and which question: given again, it replaces the one before. Of two
files the later answer counts, so merging twice, or in another order, changes nothing. `study` has the study itself.
"""

from __future__ import annotations

import csv
import io
import os
import re
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

QUESTIONS = {
    "photorealism": "Does it look like a photo?",
    "faithfulness": "Is it faithful to the style?",
}
SCORES = {1: "not at all", 2: "rather not", 3: "rather", 4: "fully"}
COLUMNS = ("rater", "pair", "method", "question", "score", "at")
KEY = 4  # so many columns say which answer it is

_NAME = re.compile(r"\w[\w .,+()@-]{0,99}")  # no "=" at the beginning: spreadsheets would take it for a formula
_MARK = 0x5354594C  # "STYL", what SQLite calls the application of a file
_WAIT = 20.0  # seconds, while another lab writes
_TABLES = (
    "CREATE TABLE IF NOT EXISTS answers (rater TEXT, pair TEXT, method TEXT, question TEXT, score INTEGER, at TEXT, "
    "PRIMARY KEY (rater, pair, method, question)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
    f"PRAGMA application_id = {_MARK}",
)
_PUT = (
    "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (rater, pair, method, question) "
    "DO UPDATE SET score = excluded.score, at = excluded.at"
)
_PUT_LATER = _PUT + " WHERE (excluded.at, excluded.score) > (answers.at, answers.score)"


class StudyError(ValueError):
    """A file or an answer that cannot be used; the message says which, why, and what to do."""


@dataclass(frozen=True, order=True)
class Answer:
    """One score.

    Attributes:
        rater, pair, method: names of letters, digits, spaces and . , + ( ) @ - up to 100.
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
            name = getattr(self, what)
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise StudyError(
                    f"the {what} is {name!r}; take letters, digits, spaces and . , + ( ) @ -, at most 100, and begin "
                    "with a letter or a digit"
                )
        if self.question not in QUESTIONS:
            raise StudyError(f"there is no question {self.question!r}; there are {', '.join(QUESTIONS)}")
        if isinstance(self.score, bool) or self.score not in SCORES:
            raise StudyError(f"the score is {self.score!r}; it must be a whole number from 1 to {max(SCORES)}")
        object.__setattr__(self, "score", int(self.score))
        object.__setattr__(self, "at", _utc(self.at))


@dataclass(frozen=True)
class Merged:
    """What came in: answers that were new, that replaced an earlier one, and that changed nothing."""

    added: int
    replaced: int
    unchanged: int

    def __str__(self) -> str:
        return f"{self.added} answers added, {self.replaced} replaced by later ones, {self.unchanged} known already"


class Answers:
    """The answers in one file. Every call opens the file, does one thing as a whole, and closes it.

    Args:
        path: the SQLite file; where there is none it is made with the first answer.
    Raises:
        StudyError: a file that is something else. It is never changed.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        self._rater = f"rater {secrets.token_hex(3)}"
        self.all()

    @property
    def rater(self) -> str:
        """A name for whoever answers into this file, drawn by lot once: so a class may stay without names."""
        with self._reading() as file:
            row = file and file.execute("SELECT value FROM about WHERE name = 'rater'").fetchone()
        return row[0] if row else self._rater

    def all(self) -> list[Answer]:
        """All answers, in the order of raters, pairs, methods and questions."""
        with self._reading() as file:
            rows = file.execute("SELECT * FROM answers").fetchall() if file else []
        return sorted(Answer(*row) for row in rows)

    def give(self, *answers: Answer) -> None:
        """Keep these answers, all or none; each replaces the one given before.

        Raises:
            StudyError: the file cannot be written.
        """
        with self._writing() as file:
            file.executemany(_PUT, map(astuple, answers))

    def merge(self, *paths: str | Path) -> Merged:
        """Take up the answers of other files, CSV or SQLite; if one of them is bad, none is taken.

        Raises:
            StudyError: names the file, the line and what is wrong with it.
        """
        return self.take([answer for path in paths for answer in read_answers(path)])

    def take(self, coming: Sequence[Answer]) -> Merged:
        """Take up answers of others: of two for the same question the later one stays."""
        with self._writing() as file:
            before = _latest(Answer(*row) for row in file.execute("SELECT * FROM answers"))
            file.executemany(_PUT_LATER, map(astuple, coming))
            after = _latest(Answer(*row) for row in file.execute("SELECT * FROM answers"))
        added = len(after.keys() - before.keys())
        replaced = sum(before[key] != after[key] for key in before)
        return Merged(added, replaced, len(_latest(coming)) - added - replaced)

    def export(self, path: str | Path) -> Path:
        """Write all answers as CSV (UTF-8, commas, a line of names first); an earlier export is replaced.

        Raises:
            StudyError: the file is there and is something else, or cannot be written.
        """
        path = Path(path).expanduser()
        if path.exists():
            try:
                read_answers(path, csv_only=True)
            except StudyError as error:
                raise StudyError(f"not written, since another file bears this name ({error})") from error
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            part.write_text(csv_text(self.all()), encoding="utf-8", newline="")
            os.replace(part, path)
        except OSError as error:
            raise StudyError(f"'{path}' cannot be written: {error.strerror}; choose another folder") from error
        finally:
            part.unlink(missing_ok=True)
        return path

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """The file, or None where there is nothing in it yet."""
        with self._said():
            if not self.path.exists() or (self.path.is_file() and self.path.stat().st_size == 0):
                yield None
                return
            if not self.path.is_file():
                raise StudyError(f"'{self.path}' is no file; give the name of one, such as my-study.sqlite")
            with _opened(f"{self.path.absolute().as_uri()}?mode=ro") as file:
                self._check(file)
                yield file

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """The file, for changes that all happen or none."""
        with self._reading():
            pass  # nothing is written into a file that is something else
        with self._said(), _opened(f"{self.path.absolute().as_uri()}?mode=rwc") as file:
            file.execute("BEGIN IMMEDIATE")
            try:
                for line in _TABLES:
                    file.execute(line)
                file.execute("INSERT OR IGNORE INTO about VALUES ('rater', ?)", (self._rater,))
                yield file
            except BaseException:
                file.execute("ROLLBACK")
                raise
            file.execute("COMMIT")

    def _check(self, file: sqlite3.Connection) -> None:
        if file.execute("PRAGMA application_id").fetchone()[0] != _MARK:
            raise StudyError(f"'{self.path}' is a database, but not of a study; choose another name")

    @contextmanager
    def _said(self) -> Iterator[None]:
        """SQLite's errors in words."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise StudyError(f"'{self.path}' is being written by another program; try again") from error
            raise StudyError(f"'{self.path}' cannot be used ({error}); choose another folder") from error
        except sqlite3.DatabaseError as error:
            raise StudyError(
                f"'{self.path}' is no file of a study, or it is damaged ({error}); choose another name, or a copy"
            ) from error


def read_answers(path: str | Path, *, csv_only: bool = False) -> list[Answer]:
    """The answers in a file, CSV or (unless `csv_only`) SQLite.

    A spreadsheet may have saved the CSV: other order of columns, more columns, semicolons, and a byte order mark do.

    Raises:
        StudyError: names the file, the line and what is wrong.
    """
    path = Path(path).expanduser()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StudyError(f"'{path}' cannot be read: {error.strerror}") from error
    if data.startswith(b"SQLite format 3\0") and not csv_only:
        return Answers(path).all()
    return answers_in(data, f"'{path}'")


def answers_in(data: bytes, name: str) -> list[Answer]:
    """The answers in the bytes of a CSV file; `name` is what errors call it.

    Raises:
        StudyError: as `read_answers`.
    """
    try:
        return parse_csv(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise StudyError(f"{name} is no text in UTF-8, so no CSV of a study; export it again") from error
    except StudyError as error:
        raise StudyError(f"{name}: {error}") from error


def parse_csv(text: str) -> list[Answer]:
    """The answers in a text that `csv_text` wrote, or a spreadsheet after it.

    Raises:
        StudyError: names the line.
    """
    head, _, _ = text.partition("\n")
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in head else ",", strict=True)
    found = []
    try:
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise StudyError(f"it names no column {', '.join(missing)}; there must be {', '.join(COLUMNS)}")
        for row in rows:
            values = [row[name] or "" for name in COLUMNS]
            score = int(values[KEY]) if values[KEY].isdecimal() else values[KEY]
            found.append(Answer(*values[:KEY], score, values[-1]))  # type: ignore[arg-type]
    except (csv.Error, StudyError) as error:
        raise StudyError(f"line {rows.line_num or 1}: {error}") from error
    return found


def csv_text(answers: Iterable[Answer]) -> str:
    """These answers as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(astuple, answers))
    return text.getvalue()


def _latest(answers: Iterable[Answer]) -> dict[tuple[str, ...], tuple[str, int]]:
    found: dict[tuple[str, ...], tuple[str, int]] = {}
    for answer in answers:
        key = astuple(answer)[:KEY]
        found[key] = max(found.get(key, ("", 0)), (answer.at, answer.score))
    return found


def _utc(at: str) -> str:
    try:
        when = datetime.fromisoformat(at)
        if when.tzinfo is None:
            raise ValueError("no time zone")
        return when.astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, TypeError, OverflowError) as error:
        raise StudyError(f"the time is {at!r}; it must be like 2026-05-01T12:30:00+00:00") from error


@contextmanager
def _opened(address: str) -> Iterator[sqlite3.Connection]:
    file = sqlite3.connect(address, uri=True, timeout=_WAIT, isolation_level=None)
    try:
        yield file
    finally:
        file.close()
