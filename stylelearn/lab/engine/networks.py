"""Networks for the labs: each is loaded once in a kernel, and again when its file has changed."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from stylelearn.encoders import Encoder

Network = TypeVar("Network")
_KEPT = 16


def loaded_once(load: Callable[[str], Network], default: str = "") -> Callable[..., Network]:
    """`load`, which takes a name (that of the course's network by default) or the path of a file, with a memory."""

    @functools.lru_cache(_KEPT)
    def kept(name: str, state: tuple[int, int] | None) -> Network:
        return load(name)

    def loaded(name: str | Path = default) -> Network:
        path = Path(name).expanduser()
        state = (path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else None
        return kept(str(name), state)

    return loaded


encoder = functools.cache(functools.partial(Encoder, progress=False))  # by name
