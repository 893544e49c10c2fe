"""Where a picture comes from: a file, bytes, an upload or a web address, as bytes and a name to call it by.

Nothing is decoded here; `stylelearn.images` does that. Every way in has a limit, so that neither a wrong path nor an
unkind server can fill the memory or hang a notebook.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CHUNK = 64 * 1024
MAX_REDIRECTS = 5


class ImageError(ValueError):
    """A picture cannot be read, resized or written; the message says which one, why, and what to do."""


def load_bytes(source: Any, *, max_bytes: int = 50_000_000, timeout: float = 10.0) -> tuple[bytes, str]:
    """The bytes of a picture file and the name that error messages give it.

    Args:
        source: a path (str or Path), bytes, the value of an ipywidgets FileUpload (one dict with "content", or the
            tuple around it), or an http(s) address.
        max_bytes: the most that is read, in bytes.
        timeout: seconds for an address, from the first connection to the last byte.
    Returns:
        (data, name); data is never empty.
    Raises:
        ImageError: if there is nothing to read, too much of it, or it cannot be reached.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        data, name = bytes(source), f"the picture given as {len(bytes(source))} bytes"
    elif isinstance(source, str) and "://" in source:
        data, name = _download(source, max_bytes, timeout), repr(source)
    elif isinstance(source, str | Path):
        data, name = _read_file(Path(source), max_bytes), f"'{source}'"
    elif isinstance(source, Mapping | Sequence):
        upload = _one_upload(source)
        data, name = bytes(upload["content"]), f"the upload '{upload.get('name', 'without a name')}'"
    else:
        raise ImageError(
            f"a picture cannot be read from a {type(source).__name__}; give a path, an http(s) address, bytes, an "
            "upload, a PIL image or an array"
        )
    if not data:
        raise ImageError(f"{name} is empty (0 bytes); save or download it again")
    if len(data) > max_bytes:
        raise ImageError(f"{name} {_too_large(len(data), max_bytes)}")
    return data, name


def _too_large(size: int, limit: int) -> str:
    return f"has {size / 1e6:,.1f} MB, more than the limit of {limit / 1e6:,.1f} MB; make it smaller or raise max_bytes"


def _one_upload(value: Any) -> Mapping[str, Any]:
    """The one file in a FileUpload's value; its "content" is a memoryview."""
    files = [value] if isinstance(value, Mapping) else list(value)
    if not files:
        raise ImageError("nothing is uploaded yet; press Upload and choose a picture")
    if len(files) > 1:
        raise ImageError(f"{len(files)} files are uploaded; pick one of them, for instance value[0]")
    if not isinstance(files[0], Mapping) or "content" not in files[0]:
        raise ImageError(f"an upload is a dict with 'content', this is a {type(value).__name__}; pass FileUpload.value")
    return files[0]


def _read_file(path: Path, max_bytes: int) -> bytes:
    try:
        path = path.expanduser()
        if path.is_dir():
            raise ImageError(f"'{path}' is a folder; name a picture inside it")
        if not path.exists():
            raise ImageError(f"'{path}' does not exist; {_neighbours(path)}")
        if not path.is_file():
            raise ImageError(f"'{path}' is a device or a pipe, not a file; name a picture file")
        size = path.stat().st_size
        if size > max_bytes:
            raise ImageError(f"'{path}' {_too_large(size, max_bytes)}")
        return path.read_bytes()
    except (OSError, RuntimeError) as error:  # no permission, a name too long for the system, an unknown ~user
        reason = getattr(error, "strerror", None) or error
        raise ImageError(
            f"'{str(path)[:200]}' cannot be read ({reason}); check the name and its permissions"
        ) from error


def _neighbours(path: Path) -> str:
    """What a person who mistyped a path wants to know: where we looked and what is there."""
    if not path.parent.is_dir():
        return f"neither does its folder '{path.parent}' (the working folder is '{Path.cwd()}')"
    there = sorted(p.name for p in path.parent.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
    shown = ", ".join(there[:5]) + (", …" if len(there) > 5 else "")
    return f"pictures in '{path.parent.resolve()}': {shown or 'none'}"


def _download(address: str, max_bytes: int, timeout: float) -> bytes:
    """GET one picture, streamed, with a limit on the bytes and one deadline for everything."""
    import requests  # here and not above: only an address needs it
    import urllib3

    parts = urlsplit(address)
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise ImageError(f"'{address}' is not an address that can be read; give one with http:// or https://")
    deadline = time.monotonic() + timeout
    slow = f"'{address}' did not arrive within {timeout:g} s; try again, raise timeout, or save it and give its path"
    try:
        with requests.Session() as session:
            session.max_redirects = MAX_REDIRECTS
            # Some picture sites refuse a client without a name; identity, because pictures are compressed already.
            session.headers.update({"User-Agent": "stylelearn/0.1 (course)", "Accept-Encoding": "identity"})
            with session.get(address, stream=True, timeout=timeout) as answer:
                if answer.status_code != 200:
                    raise ImageError(f"'{address}' answered {answer.status_code} {answer.reason}; check the address")
                return _body(answer, address, max_bytes, deadline, slow)
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise ImageError(slow) from error
    except requests.TooManyRedirects as error:
        raise ImageError(f"'{address}' redirects more than {MAX_REDIRECTS} times; check the address") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError) as error:
        raise ImageError(
            f"'{address}' cannot be reached ({type(error).__name__}: {parts.hostname}); check the address and the "
            "network, or save the picture and give its path"
        ) from error


def _body(answer: Any, address: str, max_bytes: int, deadline: float, slow: str) -> bytes:
    announced = answer.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise ImageError(f"'{address}' {_too_large(int(announced), max_bytes)}")
    # read1 returns what has arrived; read would wait for a whole chunk, and a server that drips could hold us for ever.
    read = getattr(answer.raw, "read1", answer.raw.read)
    data = bytearray()
    while chunk := read(CHUNK, decode_content=True):
        data += chunk
        if len(data) > max_bytes:
            raise ImageError(f"'{address}' {_too_large(len(data), max_bytes).replace('has', 'has at least', 1)}")
        if time.monotonic() > deadline:
            raise ImageError(slow)
    return bytes(data)
