"""Fonts on this machine and the letters they have; matplotlib brings twenty-two, and none is downloaded."""

import importlib.util
import os
import string
import unicodedata
from collections.abc import Sequence
from pathlib import Path

LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits
SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
# Fonts of matplotlib that map letters to symbols, or every letter to the same box.
_NO_LETTERS = ("cmex10", "cmsy10", "LastResortHE-Regular")


class FontError(ValueError):
    """A font that cannot be used; the message names it, the reason and the remedy."""


def bundled_fonts() -> list[Path]:
    """matplotlib's fonts that have all `LETTERS`, in alphabetical order. Raises FontError without matplotlib."""
    package = importlib.util.find_spec("matplotlib")
    folder = Path(package.origin).parent / "mpl-data" / "fonts" / "ttf" if package and package.origin else None
    if folder is None or not folder.is_dir():
        raise FontError("matplotlib's fonts are not there; run: pip install --force-reinstall matplotlib")
    found = sorted(folder.glob("*.ttf"), key=lambda path: path.stem)
    return [path for path in found if path.stem not in _NO_LETTERS and not missing(path, LETTERS)]


def find_fonts(place: str | Path) -> list[Path]:
    """The font files in a folder and in the folders inside it, or the one file that `place` names.

    Raises:
        FontError: a folder without any font file.
    """
    place = Path(place).expanduser()
    if not place.is_dir():
        return [place]
    found = sorted(path for path in place.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise FontError(f"no font in the folder '{place}'; fonts are files ending in {', '.join(SUFFIXES)}")
    return found


def missing(font: Path, letters: str) -> str:
    """The letters that a font file's own table lacks (drawn, they would be empty boxes); of a collection, its first.

    Raises:
        FontError: there is no such file, or it is no TrueType or OpenType font.
    """
    from fontTools.ttLib import TTFont  # here: not every lesson needs fonts

    suffixes = ", ".join(SUFFIXES)
    if not font.is_file():
        raise FontError(f"'{font}' does not exist; name a font file ({suffixes}) or a folder of fonts")
    try:
        with TTFont(font, fontNumber=0, lazy=True) as opened:
            known = opened.getBestCmap() or {}
    except Exception as error:  # a table that is cut short can end in any error
        reason = str(error)[:200] or type(error).__name__
        raise FontError(
            f"'{font}' is no font, or damaged ({reason}); give a TrueType or OpenType file ({suffixes})"
        ) from error
    return "".join(letter for letter in letters if ord(letter) not in known)


def distinct_names(fonts: Sequence[Path]) -> list[str]:
    """A name for each font: its file's, with folders in front, or the suffix behind, where files share it."""
    names = []
    for font in fonts:
        shared = [other.resolve() for other in fonts if other.stem == font.stem]
        common = os.path.commonpath([path.parent for path in shared])
        short = {path.relative_to(common).with_suffix("") for path in shared}
        path = font.resolve().relative_to(common)
        names.append((path.with_suffix("") if len(short) == len(shared) else path).as_posix())
    return names


def listed(letters: str) -> str:
    """At most ten letters for a message; those that cannot be seen alone (spaces, accents) by their code points."""
    seen = [
        f"U+{ord(letter):04X}" if letter.isspace() or unicodedata.category(letter)[0] in "CMZ" else letter
        for letter in letters[:10]
    ]
    return " ".join(seen) + (f" … ({len(letters)} letters)" if len(letters) > 10 else "")
