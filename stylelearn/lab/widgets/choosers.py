"""Choosing a picture: from the course's gallery, by upload, by address, or by the name of a file."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import anywidget
import ipywidgets as widgets
import traitlets
from torch import Tensor

from stylelearn import samples
from stylelearn.images import encode_image, read_image, resize
from stylelearn.lab.engine.errors import complaint
from stylelearn.lab.engine.kernel import Released

Kind = Literal["content", "style", "mask"]

_THUMBNAIL = 84  # pixels
_LARGEST = 1024  # pixels of the longer side that is kept; labs work with at most that
_HELP = {
    "content": "The picture to be painted anew: what it shows is kept.",
    "style": "The picture whose manner is taken: its colours, strokes and textures.",
    "mask": "A picture of what is inside: white counts, black does not.",
}


class Upload(anywidget.AnyWidget):
    """A button that takes one file of at most 8 MB; a larger picture is made smaller in the browser.

    Attributes:
        value: a tuple of one dict with "name" and "content", as that of ipywidgets' FileUpload; () when nothing waits.
        refused: what the browser did not send, and why.
    """

    _esm = Path(__file__).with_name("upload.js").read_text(encoding="utf-8")  # a path would keep every widget alive
    value = traitlets.Tuple().tag(sync=True, echo_update=False)
    accept = traitlets.Unicode().tag(sync=True)
    description = traitlets.Unicode("Upload").tag(sync=True)
    tooltip = traitlets.Unicode().tag(sync=True)
    refused = traitlets.Unicode()

    def __init__(self, accept: str, tooltip: str) -> None:
        layout = widgets.Layout(width="112px", flex="0 0 auto")
        super().__init__(accept=accept, tooltip=tooltip, layout=layout)
        self.on_msg(self._heard)

    def _heard(self, _: Any, message: dict[str, Any], __: Any) -> None:
        name, size = message["name"], message["size"] / 1e6
        why = message.get("error") or "more than a page can send, and this browser cannot make it smaller"
        self.refused = ""  # the same file may be refused twice
        self.refused = (
            f"'{name}' has {size:.1f} MB: {why}; put the file beside the notebook and type its name, or save a smaller "
            "copy and upload that"
        )


class _Own(NamedTuple):
    """What is not the course's: the thing itself, and whether its name is a source that can be read again."""

    chosen: Any
    readable: bool


class Chooser(Released):
    """A dropdown, an upload button, and a field for a file's name; what cannot be read is explained below them.

    Attributes:
        value: what is chosen, in words: a name of the course's, a path, an address, or "upload: …".
        picked: counts up with every choice; observe this one, since two uploads may have one name.
        error: why the last one was refused, "" if it was not.
    """

    value = traitlets.Unicode()
    picked = traitlets.Int()

    def __init__(self, names: Sequence[str], description: str, tooltip: str, upload: Upload, address: widgets.Text):
        self.error = ""
        self._names = list(names)  # the course's own
        self._own: dict[str, _Own] = {}
        self._listing = False
        self.list = widgets.Dropdown(
            description=description, tooltip=tooltip, layout=widgets.Layout(width="auto", min_width="0")
        )
        self.upload, self.address, self._message = upload, address, widgets.HTML()
        self.address.layout.flex, self.address.layout.min_width = "1 1 0", "0"
        super().__init__(layout=widgets.Layout(width="auto"))
        self.list.observe(self._chosen, "value")
        self.upload.observe(self._uploaded, "value")
        self.upload.observe(lambda change: self._say(change["new"]), "refused")
        self.address.observe(self._typed, "value")

    # ------------------------------------------------------------------------------------------- what a chooser defines

    def known(self, name: str) -> Any:
        """What the course has under that name."""
        raise NotImplementedError

    def read(self, source: Any) -> Any:
        """What is in a file, at an address, or in an upload; raises a ValueError or OSError if nothing can be read."""
        raise NotImplementedError

    def show(self, chosen: Any) -> None:
        """Called with every choice."""

    def option(self, name: str) -> Any:
        """How a name stands in the list: as it is, or (words, name)."""
        return name

    # --------------------------------------------------------------------------------------------------- what users do

    def choose(self, source: Any, name: str | None = None) -> bool:
        """Choose by a name of the list or by a source; a file and an address are read again each time.

        Args:
            source: see `read`. name: what to call it in the list.
        Returns:
            whether it could be read; if not, `error` says why, and the choice stays what it was.
        """
        try:
            self.take(source, name)
        except (ValueError, OSError) as error:
            self._say(str(error))
            return False
        return True

    def take(self, source: Any, name: str | None = None) -> None:
        """As `choose`, but it raises."""
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
        self._say("")
        self._list(name)
        self.value = name
        self.show(chosen)
        self.picked += 1

    def _list(self, name: str) -> None:
        self._listing = True  # new options select the first one for a moment; nothing is to be read for that
        try:
            options = [self.option(one) for one in (*self._names, *self._own)]
            if options != list(self.list.options):
                self.list.options = options
            self.list.value = name
        finally:
            self._listing = False

    def _chosen(self, change: dict[str, Any]) -> None:
        if self._listing:
            return
        (self.restore if "://" in change["new"] else self.choose)(change["new"])
        self._list(self.value)  # what cannot be read is not chosen

    def _uploaded(self, change: dict[str, Any]) -> None:
        if change["new"]:
            upload = change["new"][0]
            self.choose(upload, f"upload: {upload.get('name', 'without a name')}")
            self.upload.value = ()  # forget the bytes

    def _typed(self, change: dict[str, Any]) -> None:
        source = change["new"].strip().strip('"')  # Windows copies a path with quotes
        if source:
            if "://" in source:
                self._message.value = "fetching …"
            if self.choose(source):
                self.address.value = ""  # so that the same name can be typed again

    def _say(self, text: str) -> None:
        self.error = text
        self._message.value = complaint(text) if text else ""


class PictureChooser(Chooser):
    """A dropdown with a thumbnail, an upload button, and a field for an address or a file's name.

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
        self.kind, self.name, self.image = kind, name or kind, None
        self._thumbnail = widgets.HTML(layout=widgets.Layout(width=f"{_THUMBNAIL}px", margin="2px 8px 2px 0"))
        upload = Upload("image/*", "A picture of your own; a large one is made smaller before it is sent.")
        address = widgets.Text(
            placeholder="https://… or a file", continuous_update=False,
            tooltip=f"The address of a {self.name} picture, or the name of a file beside the notebook; press Enter.",
        )  # fmt: skip
        super().__init__(self.names(), self.name, tooltip or _HELP[kind], upload, address)
        self.list.style.description_width = "52px"
        fields = widgets.VBox(
            [self.list, widgets.HBox([self.upload, self.address])],
            layout=widgets.Layout(flex="1 1 auto", min_width="0"),
        )
        row = widgets.HBox([self._thumbnail, fields], layout=widgets.Layout(align_items="center"))
        self.children = [row, self._message]
        self.hold_weakly()
        self.take(self._names[0] if value is None else value)

    def names(self) -> list[str]:
        """The gallery's names."""
        return samples.content_names() if self.kind == "content" else samples.style_names()

    def known(self, name: str) -> Tensor:
        """The gallery's picture."""
        return samples.content(name) if self.kind == "content" else samples.style(name)

    def read(self, source: Any) -> Tensor:
        """The picture, no larger than the labs need it."""
        image = read_image(source)
        return resize(image, _LARGEST, "long") if max(image.shape[-2:]) > _LARGEST else image

    def show(self, chosen: Tensor) -> None:
        """Show it small, with its source in words."""
        self.image = chosen
        words = html.escape(f"{self.name}: {self.credit()}")
        data = base64.b64encode(encode_image(resize(chosen, _THUMBNAIL, "long"), "jpeg", 85)).decode("ascii")
        self._thumbnail.value = (
            f'<img alt="{words}" title="{words}" style="display:block;margin:auto" src="data:image/jpeg;base64,{data}">'
        )

    def credit(self) -> str:
        """Where the picture comes from, in words."""
        return str(samples.credit(self.value)) if self.value in self._names else self.value

    def close(self) -> None:
        """Give back the picture, too."""
        self.image = None
        super().close()
