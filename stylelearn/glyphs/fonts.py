"""Fonts that are on the machine, and whether they have the letters that are wanted.

Nothing is downloaded: matplotlib brings twenty-two fonts that have all the letters from A to z and the digits.
"""

import importlib.util
import string
from dataclasses import dataclass
from pathlib import Path

LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits
SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
# Fonts of matplotlib that map letters to symbols, or every letter to the same box.
_NO_LETTERS = ("cmex10", "cmsy10", "LastResortHE-Regular")


class FontError(ValueError):
    """A font that cannot be used; the message says which one, why, and what to do."""


@dataclass(frozen=True)
class Font:
    """One font: a file, and which of the fonts in it, for a collection (.ttc) has several."""

    path: Path
    index: int = 0

    @property
    def name(self) -> str:
        """The file's name without suffix; with a number, from the second font of a collection on."""
        return f"{self.path.stem}#{self.index}" if self.index else self.path.stem


def bundled_fonts() -> list[Font]:
    """matplotlib's own fonts that have `LETTERS`, in alphabetical order; matplotlib itself is not imported.

    Raises:
        FontError: matplotlib is not installed, or not whole.
    """
    package = importlib.util.find_spec("matplotlib")
    folder = Path(package.origin).parent / "mpl-data" / "fonts" / "ttf" if package and package.origin else None
    if folder is None or not folder.is_dir():
        raise FontError("matplotlib's fonts are not there; run: pip install --force-reinstall matplotlib")
    found = sorted((Font(path) for path in folder.glob("*.ttf")), key=lambda font: font.name)
    return [font for font in found if font.name not in _NO_LETTERS and not missing(font, LETTERS)]


def find_fonts(*places: str | Path) -> list[Font]:
    """The fonts in files and folders (also in folders inside them): TrueType, OpenType and collections of them.

    Raises:
        FontError: a place that does not exist, a named file that is no font, a folder without any font.
    """
    found: list[Font] = []
    for place in (Path(each).expanduser() for each in places):
        if place.is_dir():
            files = sorted(path for path in place.rglob("*") if path.suffix.lower() in SUFFIXES)
            if not files:
                raise FontError(f"no font in the folder '{place}'; fonts are files ending in {', '.join(SUFFIXES)}")
            for file in files:
                try:
                    found += _fonts_in(file)
                except FontError:  # a damaged file in a folder of good ones: leave it out
                    continue
        else:
            found += _fonts_in(place)
    return found


def _fonts_in(path: Path) -> list[Font]:
    """One font, or the several of a collection."""
    if not path.is_file():
        raise FontError(_nothing_at(path))
    from fontTools.ttLib import TTCollection, TTFont, TTLibError  # here: not every lesson needs fonts

    try:
        with path.open("rb") as file:
            if file.read(4) != b"ttcf":
                TTFont(file, lazy=True).close()
                return [Font(path)]
        with TTCollection(path, lazy=True) as collection:
            return [Font(path, index) for index in range(len(collection))]
    except (TTLibError, OSError, AssertionError, ValueError) as error:
        raise FontError(_no_font(path, error)) from error


def _nothing_at(path: Path) -> str:
    return f"'{path}' does not exist; name a font file ({', '.join(SUFFIXES)}) or a folder of fonts"


def _no_font(path: Path, error: Exception) -> str:
    reason = str(error)[:200] or type(error).__name__
    return f"'{path}' is no font, or damaged ({reason}); give a TrueType or OpenType file ({', '.join(SUFFIXES)})"


def missing(font: Font, letters: str) -> str:
    """Those of the letters that the font's own table does not have (drawn, they would be empty boxes).

    Raises:
        FontError: the file is no font.
    """
    if not font.path.is_file():
        raise FontError(_nothing_at(font.path))
    from fontTools.ttLib import TTFont

    try:
        with TTFont(font.path, fontNumber=font.index, lazy=True) as opened:
            known = opened.getBestCmap() or {}
    except Exception as error:  # a table that is cut short can end in any error at all
        raise FontError(_no_font(font.path, error)) from error
    return "".join(letter for letter in letters if ord(letter) not in known)


def some(letters: str) -> str:
    """At most ten letters, for a message."""
    return " ".join(letters[:10]) + (f" … ({len(letters)} letters)" if len(letters) > 10 else "")
