"""Choosing a font: one of the course's, an upload, or the name of a file."""

from __future__ import annotations

import functools
import html
import tempfile
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import torch
import traitlets

from stylelearn.glyphs.dataset import Split, split
from stylelearn.glyphs.fonts import LETTERS, SUFFIXES, Font, FontError, find_fonts, missing
from stylelearn.glyphs.rendering import PLAIN, Glyphs, collect, draw
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.pictures import complaint

_FOLDER_ERROR = "'{}' is a folder; name one font file in it ({})"


@functools.cache
def course() -> Split:
    """The course's fonts without variations, and which of them, and which letters, the network learnt from."""
    return split(collect(variations=(PLAIN,)))


class FontChooser(widgets.VBox):
    """A dropdown of fonts, an upload button, and a field for the name of a file.

    Whatever is no font is explained below the field, and the font stays what it was.

    Args:
        description: left of the dropdown. tooltip: what the font is for.
        value: a font of the course, or a font file; the course's first by default.

    Attributes:
        value: the name of the font; set it to a name or a file to choose another one.
        error: why the last one was refused, "" if it was not.
    Raises:
        FontError: `value` is no font, or has none of the letters.
    """

    value = traitlets.Unicode()

    def __init__(self, description: str, tooltip: str, value: str | Path | None = None) -> None:
        self.error = ""
        self._course = dict.fromkeys(course().glyphs.fonts)
        self._own: dict[str, Glyphs] = {}
        self._folder = tempfile.TemporaryDirectory()
        self._listing = False
        self.list = controls.choice(description, "", [""], tooltip)
        self.upload = widgets.FileUpload(
            accept=",".join(SUFFIXES), multiple=False, description="Upload",
            layout=widgets.Layout(width="112px", flex="0 0 auto"),
            tooltip="A font of your own: a TrueType or OpenType file, up to about 8 MB.",
        )  # fmt: skip
        self.address = widgets.Text(
            placeholder="or a font file", continuous_update=False,
            layout=widgets.Layout(flex="1 1 0", min_width="0"),
            tooltip="The name of a font file beside the notebook, or its path; then press Enter.",
        )  # fmt: skip
        self._message = widgets.HTML()
        own = widgets.HBox([self.upload, self.address], layout=widgets.Layout(margin=f"0 0 0 {controls.INDENT}"))
        super().__init__([self.list, own, self._message], layout=widgets.Layout(width="auto"))
        self.value = str(next(iter(self._course)) if value is None else value)
        self.list.observe(self._chosen, "value")
        self.upload.observe(self._uploaded, "value")
        self.address.observe(self._typed, "value")

    def choose(self, source: str | Path) -> bool:
        """Take a font by its name or its file; says whether it could be read; if not, `error` says why."""
        try:
            self.value = str(source)
        except (FontError, OSError) as error:
            self._say(str(error))
            return False
        self._say("")
        return True

    def glyphs(self, name: str) -> Glyphs:
        """The letters of a font that was chosen once, as far as it has them: one style."""
        if name in self._own:
            return self._own[name]
        known = course().glyphs
        number = known.style(name)
        return Glyphs(known.images[number : number + 1], known.styles[number : number + 1], known.contents)

    @traitlets.validate("value")
    def _known(self, proposal: dict[str, Any]) -> str:
        """Reads the font, if it is a new one."""
        name = proposal["value"]
        if name not in self._course and name not in self._own:
            self._own[name] = _read(Path(name))
        return name

    @traitlets.observe("value")
    def _listed(self, change: dict[str, Any]) -> None:
        self._listing = True  # new options select the first one for a moment; nobody is to see that
        try:
            options = [_option(name) for name in (*self._course, *self._own)]
            if options != list(self.list.options):
                self.list.options = options
            self.list.value = change["new"]
        finally:
            self._listing = False

    def _chosen(self, change: dict[str, Any]) -> None:
        if not self._listing:
            self.choose(change["new"])

    def _typed(self, change: dict[str, Any]) -> None:
        if change["new"].strip():
            self.choose(change["new"].strip())

    def _uploaded(self, change: dict[str, Any]) -> None:
        if not change["new"]:
            return
        upload = change["new"][0]
        file = Path(upload.get("name") or "font.ttf").name
        name, number = f"upload: {file}", 2
        while name in self._own:  # two uploads may bear one name
            name, number = f"upload: {file} ({number})", number + 1
        path = Path(self._folder.name) / file
        try:
            path.write_bytes(upload["content"])
            self._own[name] = _read(path)
        except (FontError, OSError) as error:
            self._say(str(error).replace(str(path), file))
        else:
            self.choose(name)
        finally:
            self.upload.value = ()  # forget the bytes: only the glyphs are needed

    def _say(self, text: str) -> None:
        self.error = text
        self._message.value = complaint(text) if text else html.escape(text)


def _read(path: Path) -> Glyphs:
    """What a font file has of `LETTERS`, drawn; the first font of a collection.

    Raises:
        FontError: it is none, has none of the letters, or draws them blank.
    """
    if path.expanduser().is_dir():
        raise FontError(_FOLDER_ERROR.format(path, ", ".join(SUFFIXES)))
    font: Font = find_fonts(path)[0]
    lacks = missing(font, LETTERS)
    there = "".join(letter for letter in LETTERS if letter not in lacks)
    if not there:
        raise FontError(f"the font {font.name} has none of the letters A to Z, a to z, 0 to 9; choose another one")
    return Glyphs(torch.from_numpy(draw(font, there)), (f"{font.name}/{PLAIN.name}",), there)


def _option(name: str) -> tuple[str, str]:
    known = course()
    learnt = {known.glyphs.fonts[style] for style in known.known_styles}
    return (name if name in learnt else f"{name} (new)", name)
