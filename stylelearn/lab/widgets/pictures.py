"""Choosing a picture: from the course's gallery, by upload, by address or by the name of a file."""

from __future__ import annotations

import base64
import html
from pathlib import Path
from typing import Any, Literal

import ipywidgets as widgets
import traitlets
from torch import Tensor

from stylelearn import samples
from stylelearn.images import ImageError, encode_image, read_image, resize

Kind = Literal["content", "style"]

_THUMBNAIL = 84  # pixels
_LARGEST = 1024  # pixels of the longer side that is kept; labs work with at most half of it
_HELP = {
    "content": "The picture to be painted anew: what it shows is kept.",
    "style": "The picture whose manner is taken: its colours, strokes and textures.",
}


class PictureChooser(widgets.VBox):
    """A dropdown with a thumbnail, an upload button, and a field for an address or a file's name.

    Whatever cannot be read is explained below the field, and the picture stays what it was.

    Args:
        kind: "content" or "style", which gallery.
        value: a name of the gallery, or anything that `read_image` takes; by default the gallery's first picture.

    Attributes:
        value: what is chosen, in words: a name of the gallery, an address, a path, or "upload: …".
        picked: counts up with every picture taken; observe this one, since two uploads may bear one name.
        image: the picture, (1, 3, H, W).
        error: why the last picture was refused, "" if it was not.
    Raises:
        ImageError, ValueError: if `value` cannot be read.
    """

    value = traitlets.Unicode()
    picked = traitlets.Int()

    def __init__(self, kind: Kind, value: Any = None) -> None:
        self.kind, self.error = kind, ""
        self._gallery = samples.content_names() if kind == "content" else samples.style_names()
        self._own: dict[str, Tensor] = {}
        self._listing = False
        self.list = widgets.Dropdown(
            description=kind, tooltip=_HELP[kind], style={"description_width": "52px"},
            layout=widgets.Layout(width="auto", min_width="0"),
        )  # fmt: skip
        self.upload = widgets.FileUpload(
            accept="image/*", multiple=False, description="Upload",
            layout=widgets.Layout(width="112px", flex="0 0 auto"),
            tooltip="A picture of your own, up to about 8 MB; a larger one is better put beside the notebook.",
        )  # fmt: skip
        self.address = widgets.Text(
            placeholder="https://… or a file", continuous_update=False,
            layout=widgets.Layout(flex="1 1 0", min_width="0"),
            tooltip=f"The address of a {kind} picture, or the name of a file beside the notebook; then press Enter.",
        )  # fmt: skip
        self._thumbnail = widgets.HTML(layout=widgets.Layout(width=f"{_THUMBNAIL}px", margin="2px 8px 2px 0"))
        self._message = widgets.HTML()
        self._take(*self._read(self._gallery[0] if value is None else value, None))
        self.list.observe(self._chosen, "value")
        self.upload.observe(self._uploaded, "value")
        self.address.observe(self._typed, "value")
        own = widgets.HBox([self.upload, self.address])
        fields = widgets.VBox([self.list, own], layout=widgets.Layout(flex="1 1 auto", min_width="0"))
        row = widgets.HBox([self._thumbnail, fields], layout=widgets.Layout(align_items="center"))
        super().__init__([row, self._message], layout=widgets.Layout(width="auto"))

    def choose(self, source: Any, name: str | None = None) -> bool:
        """Take a picture: a name of the gallery, or anything that `read_image` takes.

        Args:
            source: the picture. `name`: what to call it in the list.
        Returns:
            whether it could be read; if not, `error` says why.
        """
        try:
            label, image = self._read(source, name)
        except (ImageError, ValueError, OSError) as error:
            self._say(str(error))
            return False
        self._say("")
        self._take(label, image)
        return True

    def _read(self, source: Any, name: str | None) -> tuple[str, Tensor]:
        if isinstance(source, str) and source in self._own:
            return source, self._own[source]
        if isinstance(source, str) and source in self._gallery:
            return source, samples.content(source) if self.kind == "content" else samples.style(source)
        image = read_image(source)
        if max(image.shape[-2:]) > _LARGEST:
            image = resize(image, _LARGEST, "long")
        return name or (str(source) if isinstance(source, str | Path) else "own picture"), image

    def _take(self, label: str, image: Tensor) -> None:
        if label not in self._gallery:
            self._own[label] = image
        self._list([*self._gallery, *self._own], label)
        self.image, self.value = image, label
        self._show()
        self.picked += 1

    def _list(self, options: list[str], label: str) -> None:
        self._listing = True  # new options select the first one for a moment; nobody is to see that
        try:
            if options != list(self.list.options):
                self.list.options = options
            self.list.value = label
        finally:
            self._listing = False

    def _chosen(self, change: dict[str, Any]) -> None:
        if not self._listing and not self.choose(change["new"]):
            self._list(list(self.list.options), self.value)

    def _uploaded(self, change: dict[str, Any]) -> None:
        if change["new"]:
            upload = change["new"][0]
            self.choose(upload, f"upload: {upload.get('name', 'picture')}")
            self.upload.value = ()  # forget the bytes: only the picture is needed

    def _typed(self, change: dict[str, Any]) -> None:
        address = change["new"].strip()
        if address:
            self._say("fetching …" if "://" in address else "", busy=True)
            self.choose(address)

    def _show(self) -> None:
        about = str(samples.credit(self.value)) if self.value in self._gallery else self.value
        small = resize(self.image, _THUMBNAIL, "long")
        data = base64.b64encode(encode_image(small, "jpeg", 85)).decode("ascii")
        self._thumbnail.value = (
            f'<img alt="{self.kind}: {html.escape(about)}" title="{html.escape(about)}" '
            f'style="display:block;margin:auto" src="data:image/jpeg;base64,{data}">'
        )

    def _say(self, text: str, *, busy: bool = False) -> None:
        self.error = "" if busy else text
        self._message.value = complaint(text) if text and not busy else html.escape(text)


def complaint(text: str) -> str:
    """An error in words, as HTML: a sign and a border, so that it is not told by colour alone."""
    return (
        '<div role="alert" style="border-left:4px solid #cf222e;padding:2px 8px;line-height:1.4;white-space:pre-wrap">'
        f"⚠ {html.escape(text)}</div>"
    )
