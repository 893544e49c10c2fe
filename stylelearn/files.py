"""Writing a file: checked before the work, then replaced as a whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def check_output(path: str | Path, suffixes: Sequence[str] = (), inputs: Iterable[Any] = ()) -> Path:
    """Check that a file can be written there and that no input would be overwritten. Nothing is changed.

    Args:
        path: the file to be written; it may exist. A leading ~ is the home folder.
        suffixes: allowed endings, such as (".png", ".jpg"); () allows any.
        inputs: names of files that are read, and must be other files; anything else is ignored.
    Returns:
        the path, with ~ expanded.
    Raises:
        ValueError: it cannot be written, or it is one of the inputs.
    """
    shown = ascii(str(path)) if _unprintable(path) else f"'{path}'"
    try:
        path = Path(path).expanduser()
        if _unprintable(path):
            raise ValueError(f"{shown} is not a name in UTF-8; choose another name")
        if suffixes and path.suffix.lower() not in suffixes:
            raise ValueError(f"{shown} ends in {path.suffix!r}; choose {', '.join(suffixes)}")
        if path.is_dir():
            raise ValueError(f"{shown} is a folder; give the name of a file")
        if not path.parent.is_dir():
            raise ValueError(f"the folder '{path.parent}' does not exist; create it first")
        if path.exists() and not path.is_file():
            raise ValueError(f"{shown} is a device or a pipe, not a file; choose another name")
        if path.exists() and not os.access(path, os.W_OK):
            raise ValueError(f"{shown} is read-only; choose another name or change its permissions")
        if any(_same_file(path, source) for source in inputs):
            raise ValueError(f"{shown} is also read as input and would be overwritten; choose another name")
        probe = _beside(path)
        probe.touch(exist_ok=False)
        probe.unlink()
    except (OSError, RuntimeError) as error:  # RuntimeError: an unknown ~user
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{shown} cannot be written ({reason}); choose another name or place") from error
    return path


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A new name beside `path` to write to; that file replaces `path` when the block ends without an error.

    Of a link, the target is replaced. After an error the old file is unchanged and the new one is deleted.

    Raises:
        OSError: the file cannot be written.
    """
    part = _beside(path)
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, os.path.realpath(Path(path).expanduser()))
    finally:
        part.unlink(missing_ok=True)


def _beside(path: str | Path) -> Path:
    """A unique name in the real folder of `path`, with the same ending."""
    target = Path(os.path.realpath(Path(path).expanduser()))
    return target.with_name(f".{secrets.token_hex(8)}.part{target.suffix}")


def _unprintable(path: str | Path) -> bool:
    try:
        return "\0" in os.fspath(path) or not os.fspath(path).encode()
    except UnicodeEncodeError:
        return True


def _same_file(path: Path, source: Any) -> bool:
    if not isinstance(source, str | os.PathLike):
        return False
    try:
        return path.samefile(Path(source).expanduser())
    except (OSError, RuntimeError, ValueError):  # one of them does not exist, or is an address
        return False
