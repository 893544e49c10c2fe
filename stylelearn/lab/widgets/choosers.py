"""Choosing a picture: from the course's gallery, by upload, by address, or by the name of a file."""

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import anywidget
import traitlets
from torch import Tensor

from stylelearn import samples
from stylelearn.images import encode_image, read_image, resize
from stylelearn.lab.engine.errors import guarded
from stylelearn.lab.engine.kernel import Released
from stylelearn.lab.widgets.stage import SCRIPT

Kind = Literal["content", "style", "mask"]

_THUMBNAIL = 84  # pixels
_LARGEST = 1024  # pixels of the longer side that is kept; labs work with at most that
_HELP = {
    "content": "The picture to be painted anew: what it shows is kept.",
    "style": "The picture whose manner is taken: its colours, strokes and textures.",
}
_small: dict[tuple[Kind, str], bytes] = {}  # thumbnails of the course's pictures


class _Own(NamedTuple):
    """What is not the course's: the thing itself, and whether its name is a source that can be read again."""

    chosen: Any
    readable: bool


class Chooser(Released, anywidget.AnyWidget):
    """What is chosen, a list to choose from, and ways in for what is one's own: dropped, pasted, uploaded, by name.

    Attributes:
        value: what is chosen, in words: a name of the course's, a path, an address, or "upload: …".
        picked: counts up with every choice; observe this one, since two uploads may have one name.
        options: (name, how it stands in the list), the course's and one's own.
        error: why the last one was refused, "" if it was not.
        kiosk: whether nothing is read by its name or address; see `Studio`.
    """

    _esm = SCRIPT
    view = traitlets.Unicode("chooser").tag(sync=True)
    value = traitlets.Unicode().tag(sync=True)
    picked = traitlets.Int()
    description = traitlets.Unicode().tag(sync=True)
    tooltip = traitlets.Unicode().tag(sync=True)
    placeholder = traitlets.Unicode().tag(sync=True)
    accept = traitlets.Unicode().tag(sync=True)
    options: traitlets.List[Any] = traitlets.List().tag(sync=True)
    thumbnail = traitlets.Bytes().tag(sync=True)
    thumbnails = traitlets.Dict().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)
    kiosk = traitlets.Bool().tag(sync=True)

    def __init__(self, names: Sequence[str], **looks: str) -> None:
        self._names = list(names)  # the course's own
        self._own: dict[str, _Own] = {}
        super().__init__(**looks)
        self.on_msg(lambda _, *heard: guarded(partial(self._asked, *heard), partial(self.set_trait, "error"))())

    def known(self, name: str) -> Any:
        """What the course has under that name."""
        raise NotImplementedError

    def read(self, source: Any) -> Any:
        """What is in a file, at an address, or in an upload; raises a ValueError or OSError if nothing can be read."""
        raise NotImplementedError

    def show(self, chosen: Any) -> None:
        """Called with every choice."""

    def option(self, name: str) -> str:
        """How a name stands in the list."""
        return name

    def small(self, name: str) -> bytes:
        """A thumbnail of what has that name, for the list; b"" for none."""
        return b""

    def choose(self, source: Any, name: str | None = None) -> None:
        """As `take`; if it cannot be read, `error` says why, and the choice stays what it was."""
        try:
            self.take(source, name)
        except (ValueError, OSError) as error:
            self.error = str(error)

    def take(self, source: Any, name: str | None = None) -> None:
        """Choose by a name of the list or by a source (see `read`), which is then called `name` in the list.

        A file and an address are read again each time.
        """
        named = name or (str(source) if isinstance(source, str | Path) else "own picture")
        if isinstance(source, str) and source in self._names:
            self._take(named, self.known(source))
        elif isinstance(source, str) and source in self._own and not self._own[source].readable:
            self.restore(source)
        else:
            chosen = self.read(source)
            self._own[named] = _Own(chosen, isinstance(source, str | Path))
            self._take(named, chosen)

    def restore(self, value: str) -> None:
        """Choose what was chosen under that name before, without reading it again."""
        if value in self._own:
            self._take(value, self._own[value].chosen)
        else:
            self.choose(value)

    def close(self) -> None:
        """Give back what was read, too."""
        self._own = {}
        super().close()

    def _take(self, name: str, chosen: Any) -> None:
        self.error = ""
        self.value = name
        self.show(chosen)
        self.options = [[one, self.option(one)] for one in (*self._names, *self._own)]
        self.picked += 1

    def _asked(self, message: dict[str, Any], buffers: list[Any]) -> None:
        """What the page wants: a list with thumbnails, a choice from it, a file, or what has this name or address."""
        match message:
            case {"do": "open"}:
                self.thumbnails = {one: self.small(one) for one in (*self._names, *self._own)}
            case {"do": "choose", "name": name}:
                (self.restore if "://" in name else self.choose)(name)
            case {"do": "file", "name": name}:
                self.choose({"name": name, "content": bytes(buffers[0])}, f"upload: {name}")
            case {"do": "refused", "why": why}:
                self.error = why
            case {"do": "address"} if self.kiosk:
                self.error = "here a picture comes from the list, from the camera, or by dropping it"
            case {"do": "address", "source": source}:
                if named := source.strip().strip('"'):  # Windows copies a path with quotes
                    self.choose(named)


class PictureChooser(Chooser):
    """A thumbnail, a list of thumbnails, and ways in for pictures of one's own.

    Args:
        kind: "content" or "style", which gallery.
        value: a name of the gallery, or anything that `read_image` takes; by default the gallery's first picture.
        name, tooltip: what the picture is called on the page, and what it is for; by default as its kind.

    Attributes:
        image: the picture, (1, 3, H, W).
    Raises:
        ImageError: `value` cannot be read.
        ValueError: a name that the gallery does not have.
    """

    def __init__(self, kind: Kind, value: Any = None, *, name: str = "", tooltip: str = "") -> None:
        self.kind, self.image = kind, None
        super().__init__(
            self.names(), description=name or kind, tooltip=tooltip or _HELP[kind], accept="image/*",
            placeholder=f"address or file of a {name or kind} picture",
        )  # fmt: skip
        self.take(self._names[0] if value is None else value)

    def names(self) -> list[str]:
        return samples.content_names() if self.kind == "content" else samples.style_names()

    def known(self, name: str) -> Tensor:
        return samples.content(name) if self.kind == "content" else samples.style(name)

    def read(self, source: Any) -> Tensor:
        """The picture, no larger than the labs need it."""
        image = read_image(source)
        return resize(image, _LARGEST, "long") if max(image.shape[-2:]) > _LARGEST else image

    def show(self, chosen: Tensor) -> None:
        self.image = chosen
        credit = samples.credit(self.value) if self.kind != "mask" and self.value in self._names else self.value
        with self.hold_sync():
            self.thumbnail, self.words = _encoded(chosen), f"{self.description}: {credit}"

    def small(self, name: str) -> bytes:
        if name in self._own:
            return _encoded(self._own[name].chosen)
        if (self.kind, name) not in _small:
            _small[self.kind, name] = _encoded(self.known(name))
        return _small[self.kind, name]

    def fingerprint(self, name: str) -> str:
        """A short sum of the thumbnail, by which a picture of one's own is known again."""
        return hashlib.sha256(self.small(name)).hexdigest()[:12]

    def find(self, name: str, fingerprint: str | None) -> str | None:
        """Under which name a picture is here: a name of the course's, or one of one's own that looks the same."""
        same = (one for one in self._own if fingerprint and self.fingerprint(one) == fingerprint)
        return name if name in self._names else next(same, None)

    def close(self) -> None:
        """Give back the picture, too."""
        self.image = None
        super().close()


def _encoded(image: Tensor) -> bytes:
    return encode_image(resize(image, _THUMBNAIL, "long"), "jpeg", 85)
