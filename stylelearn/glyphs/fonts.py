"""Fonts on this machine and the letters they have; matplotlib brings twenty-two, and none is downloaded."""

import contextlib
import importlib.util
import os
import string
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits
SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
# Fonts of matplotlib that map letters to symbols, or every letter to the same box.
_NO_LETTERS = ("cmex10", "cmsy10", "LastResortHE-Regular")


class FontError(ValueError):
    """A font that cannot be used; the message names it, the reason and the remedy."""


@dataclass(frozen=True)
class Font:
    """A font file; `index` chooses one font of a collection (.ttc)."""

    path: Path
    index: int = 0

    @property
    def name(self) -> str:
        """The file's name without suffix; from the second font of a collection on, followed by #index."""
        return f"{self.path.stem}#{self.index}" if self.index else self.path.stem


def bundled_fonts() -> list[Font]:
    """matplotlib's fonts that have all `LETTERS`, in alphabetical order. Raises FontError without matplotlib."""
    package = importlib.util.find_spec("matplotlib")
    folder = Path(package.origin).parent / "mpl-data" / "fonts" / "ttf" if package and package.origin else None
    if folder is None or not folder.is_dir():
        raise FontError("matplotlib's fonts are not there; run: pip install --force-reinstall matplotlib")
    found = sorted((Font(path) for path in folder.glob("*.ttf")), key=lambda font: font.name)
    return [font for font in found if font.name not in _NO_LETTERS and not missing(font, LETTERS)]


def find_fonts(*places: str | Path) -> list[Font]:
    """The fonts in files and folders (folders inside them too): TrueType, OpenType and collections of them.

    Raises:
        FontError: a place that does not exist, a named file that is no font, a folder without any font file.
    """
    found: list[Font] = []
    for place in (Path(each).expanduser() for each in places):
        if not place.is_dir():
            found += _fonts_in(place)
            continue
        files = sorted(path for path in place.rglob("*") if path.suffix.lower() in SUFFIXES)
        if not files:
            raise FontError(f"no font in the folder '{place}'; fonts are files ending in {', '.join(SUFFIXES)}")
        for file in files:
            with contextlib.suppress(FontError):  # a damaged file in a folder is left out
                found += _fonts_in(file)
    return found


def _fonts_in(path: Path) -> list[Font]:
    from fontTools.ttLib import TTCollection, TTFont  # here: not every lesson needs fonts

    with _reading(path):
        with path.open("rb") as file:
            collection = file.read(4) == b"ttcf"
        if not collection:
            TTFont(path, lazy=True).close()
            return [Font(path)]
        with TTCollection(path, lazy=True) as opened:
            return [Font(path, index) for index in range(len(opened))]


def missing(font: Font, letters: str) -> str:
    """The letters that the font's own table lacks (drawn, they would be empty boxes). Raises FontError: no font."""
    from fontTools.ttLib import TTFont

    with _reading(font.path), TTFont(font.path, fontNumber=font.index, lazy=True) as opened:
        known = opened.getBestCmap() or {}
    return "".join(letter for letter in letters if ord(letter) not in known)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn whatever fontTools raises about a file into a FontError: a table that is cut short can end in any error."""
    suffixes = ", ".join(SUFFIXES)
    if not path.is_file():
        raise FontError(f"'{path}' does not exist; name a font file ({suffixes}) or a folder of fonts")
    try:
        yield
    except Exception as error:
        reason = str(error)[:200] or type(error).__name__
        advice = f"give a TrueType or OpenType file ({suffixes})"
        raise FontError(f"'{path}' is no font, or damaged ({reason}); {advice}") from error


def distinct_names(fonts: Sequence[Font]) -> list[str]:
    """A name for each font: `Font.name`, with folders in front, or the suffix behind, where files share it."""
    names = []
    for font in fonts:
        shared = [other.path.resolve() for other in fonts if other.name == font.name]
        common = os.path.commonpath([path.parent for path in shared])
        short = [path.relative_to(common).with_suffix("") for path in shared]
        path = font.path.resolve().relative_to(common)
        own = path.with_suffix("") if len(set(short)) == len(short) else path
        names.append(own.as_posix() + (f"#{font.index}" if font.index else ""))
    return names


def listed(letters: str) -> str:
    """At most ten letters for a message; those that cannot be seen alone (spaces, accents) by their code points."""
    seen = [
        f"U+{ord(letter):04X}" if letter.isspace() or unicodedata.category(letter)[0] in "CMZ" else letter
        for letter in letters[:10]
    ]
    return " ".join(seen) + (f" … ({len(letters)} letters)" if len(letters) > 10 else "")
