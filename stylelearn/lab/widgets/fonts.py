"""Choosing a font: one of the course's, an upload, or the name of a file."""

import functools
import tempfile
from pathlib import Path
from typing import Any

import torch

from stylelearn.glyphs.dataset import Split, split
from stylelearn.glyphs.fonts import LETTERS, SUFFIXES, FontError, missing
from stylelearn.glyphs.rendering import PLAIN, Glyphs, collect, draw
from stylelearn.lab.widgets.choosers import Chooser


@functools.cache
def course() -> Split:
    """The course's fonts without variations, and which of them, and which letters, the network learnt from."""
    return split(collect(variations=(PLAIN,)))


class FontChooser(Chooser):
    """A list of fonts, and ways in for a font of one's own.

    Args:
        description: left of the list. tooltip: what the font is for.
        value: a font of the course, or a font file.
    Raises:
        FontError: `value` is no font, or has none of the letters.
    """

    def __init__(self, description: str, tooltip: str, value: str | Path) -> None:
        super().__init__(
            list(dict.fromkeys(course().glyphs.fonts)), description=description, tooltip=tooltip,
            accept=",".join(SUFFIXES), placeholder="or the name of a font file",
        )  # fmt: skip
        self.take(str(value))

    def option(self, name: str) -> str:
        """Fonts that the network has not met in training are marked."""
        known = course()
        learnt = {known.glyphs.fonts[style] for style in known.known_styles}
        return name if name in learnt else f"{name} (new)"

    def known(self, name: str) -> Glyphs:
        return _of_the_course(name)

    def read(self, source: Any) -> Glyphs:
        """What a font file, or the upload of one, has of `LETTERS`; the first font of a collection.

        Raises:
            FontError: it is none, has none of the letters, or draws them blank.
        """
        if isinstance(source, str | Path):
            return _read(Path(source))
        name = Path(source.get("name") or "font.ttf").name
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(source["content"])
            try:
                return _read(path)
            except FontError as error:
                raise FontError(str(error).replace(str(path), name)) from error

    def glyphs(self, name: str) -> Glyphs:
        """The letters of a font that was chosen once, as far as it has them: one style."""
        return self._own[name].chosen if name in self._own else self.known(name)


@functools.cache
def _of_the_course(name: str) -> Glyphs:
    glyphs = course().glyphs
    number = glyphs.style(name)
    return Glyphs(glyphs.images[number : number + 1], glyphs.styles[number : number + 1], glyphs.contents)


def _read(path: Path) -> Glyphs:
    path = path.expanduser()
    if path.is_dir():
        raise FontError(f"'{path}' is a folder; name one font file in it ({', '.join(SUFFIXES)})")
    lacks = missing(path, LETTERS)
    there = "".join(letter for letter in LETTERS if letter not in lacks)
    if not there:
        raise FontError(f"the font {path.stem} has none of the letters A to Z, a to z, 0 to 9; choose another one")
    return Glyphs(torch.from_numpy(draw(path, there)), (f"{path.stem}/{PLAIN.name}",), there)
