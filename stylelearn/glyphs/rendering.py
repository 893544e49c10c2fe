"""Letters as pictures: fonts that are on the machine, drawn as small grey images, style by style and letter by letter.

A glyph is the picture of one letter in one font. Here it is 80 × 80 pixels, 1 for paper and 0 for ink, drawn with its
baseline on a fixed row and its ink in the middle of the width. A *content* is a letter, a *style* is a font in one of
a few `Variation`s: slanted, narrower, bolder. So twenty fonts give more than a hundred styles.
"""

import functools
import hashlib
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from stylelearn.glyphs.fonts import LETTERS, Font, FontError, bundled_fonts, find_fonts, missing, some

SIZE = 80  # pixels of a side

EM = 60  # pixels of a font's em, its own measure of height
BASELINE = 57  # the row on which letters stand
MARGIN = 2  # pixels of paper that stay free at each border
COARSE = 5  # pixels a side that count as one when styles are compared: their edges need not meet exactly
FINE = 4  # times as large is a glyph first drawn, for grey edges

_DRAWING = 1  # changes when glyphs are drawn in another way: old ones in the cache are then not used


@dataclass(frozen=True)
class Variation:
    """What is done to a font to make another style of it.

    Args:
        name: how it is called.
        slant: pixels to the right for each pixel up; 0.2 is what an italic has.
        stretch: factor of the width.
        weight: quarters of a pixel that every edge of the ink moves outwards; negative ones make it thinner.
    """

    name: str
    slant: float = 0.0
    stretch: float = 1.0
    weight: int = 0


PLAIN = Variation("plain")
VARIATIONS = (
    PLAIN,
    Variation("slanted", slant=0.22),
    Variation("back", slant=-0.15),
    Variation("narrow", stretch=0.75),
    Variation("wide", stretch=1.15),
    Variation("bold", weight=3),
    Variation("light", weight=-1),
    Variation("poster", slant=0.1, stretch=0.85, weight=5),
)


@dataclass(frozen=True)
class Glyphs:
    """Every letter in every style.

    Args:
        images: (S, C, 80, 80), uint8, 0 is ink and 255 is paper; `at` gives them as floats.
        styles: S names "font/variation".
        contents: C letters.
    """

    images: Tensor
    styles: tuple[str, ...]
    contents: str

    @functools.cached_property
    def fonts(self) -> tuple[str, ...]:
        """The font of each style."""
        return tuple(style.rpartition("/")[0] for style in self.styles)

    @functools.cached_property
    def coarse(self) -> Tensor:
        """All glyphs as `coarse` makes them: (S, C, 16, 16)."""
        return torch.stack([coarse(letters.float() / 255) for letters in self.images])

    def at(self, styles: Tensor | Sequence[int] | int, contents: Tensor | Sequence[int] | int) -> Tensor:
        """The glyphs of styles and contents given by number: numbers of any one shape (…) -> (…, 80, 80) in [0, 1]."""
        return self.images[torch.as_tensor(styles), torch.as_tensor(contents)].float() / 255

    def word(self, style: str | int, text: str) -> Tensor:
        """The glyphs of a text: (len(text), 80, 80) in [0, 1].

        Raises:
            ValueError: a style or a letter that is not there.
        """
        number = self.style(style) if isinstance(style, str) else style
        return self.at(torch.full((len(text),), number), [self.content(letter) for letter in text])

    def style(self, name: str) -> int:
        """The number of a style; a font's name alone means its plain variation. Raises ValueError."""
        full = name if "/" in name else f"{name}/{PLAIN.name}"
        if full not in self.styles:
            raise ValueError(f"there is no style '{full}'; fonts: {', '.join(dict.fromkeys(self.fonts))}")
        return self.styles.index(full)

    def content(self, letter: str) -> int:
        """The number of a letter. Raises ValueError."""
        number = self.contents.find(letter)
        if number < 0 or len(letter) != 1:
            raise ValueError(f"there is no letter {letter!r} here; there are {self.contents}")
        return number


def coarse(glyphs: Tensor) -> Tensor:
    """The mean of each COARSE × COARSE pixels: (…, 80, 80) -> (…, 16, 16)."""
    return F.avg_pool2d(glyphs, COARSE)


def collect(
    fonts: Sequence[Font | str | Path] | None = None,
    *,
    letters: str = LETTERS,
    variations: Sequence[Variation] = VARIATIONS,
    cache: bool = True,
) -> Glyphs:
    """Draw all letters in all variations of all fonts, or take them out of the cache.

    Args:
        fonts: fonts, files or folders; matplotlib's by default. Of these, and in a folder, fonts that lack letters are
            left out; a font or file that is named must have them all.
        letters: what to draw, each once. variations: styles to a font.
        cache: keep what was drawn in the user's cache folder.
    Raises:
        FontError: no font is left; a named one lacks letters, draws them blank, or is no font.
        ValueError: no letters or variations, or the same ones twice.
    """
    for what, values in (("letters", letters), ("variations", [each.name for each in variations])):
        if not values or len(set(values)) < len(values):
            raise ValueError(f"{what} must be one or more, each of them once; got {values!r}")
    used: list[Font] = []
    images: list[np.ndarray] = []
    for font, named in _wanted(fonts):
        try:
            drawn = _drawn(font, letters, tuple(variations), cache)
        except FontError:
            if named:
                raise
            continue
        used.append(font)
        images.append(drawn)
    if not used:
        raise FontError(f"none of the fonts has all of the letters {letters!r}; name others, or ask for fewer letters")
    styles = tuple(f"{font.name}/{variation.name}" for font in used for variation in variations)
    if len(set(styles)) < len(styles):
        twice = next(font.name for font in used if [each.name for each in used].count(font.name) > 1)
        raise FontError(f"two fonts are called {twice!r}; give one of the files another name, or leave one out")
    return Glyphs(torch.from_numpy(np.concatenate(images)), styles, letters)


def _wanted(fonts: Sequence[Font | str | Path] | None) -> Iterator[tuple[Font, bool]]:
    """Fonts, and whether each was asked for by name."""
    for place in bundled_fonts() if fonts is None else fonts:
        if isinstance(place, Font):
            yield place, fonts is not None
        else:
            yield from ((font, not Path(place).expanduser().is_dir()) for font in find_fonts(place))


# --- drawing ----------------------------------------------------------------------------------------------------------


def draw(font: Font, letters: str, variations: Sequence[Variation] = (PLAIN,)) -> np.ndarray:
    """The glyphs of a font, (variations, letters, 80, 80) uint8, 255 is paper.

    All letters of a style are drawn at the same scale: an em of 60 pixels, or less where a letter would not fit.

    Raises:
        FontError: letters that it lacks, or draws blank, or all alike; no font.
    """
    lacks = missing(font, letters)
    if lacks:
        raise FontError(f"the font {font.name} lacks {some(lacks)}; choose another font, or other letters")
    try:
        images = np.stack([_draw_variation(font, letters, variation) for variation in variations])
    except OSError as error:  # what FreeType says of outlines that it cannot draw
        raise FontError(f"'{font.path}' cannot be drawn ({error}); install the font again") from error
    darkest = images.min(axis=(2, 3)).max(axis=0)  # (letters,), in the variation that shows least
    blank = "".join(letter for letter, value in zip(letters, darkest, strict=True) if value > 200)
    if blank:
        raise FontError(f"the font {font.name} draws {some(blank)} blank; choose another font, or other letters")
    if len(letters) > 1 and len(np.unique(images[0].reshape(len(letters), -1), axis=0)) == 1:
        raise FontError(f"the font {font.name} draws one box for every letter; choose another font")
    return images


def _draw_variation(font: Font, letters: str, variation: Variation) -> np.ndarray:
    """(letters, 80, 80), smaller than usual where a letter would not fit otherwise."""
    em = EM
    while True:
        face = ImageFont.truetype(str(font.path), em * FINE, index=font.index)
        boxes = [face.getbbox(letter, anchor="ls") for letter in letters]
        grown = variation.weight / FINE
        widths = [
            (right - left) / FINE * variation.stretch + abs(variation.slant) * (bottom - top) / FINE + 2 * grown
            for left, top, right, bottom in boxes
        ]
        up = max(-top for _, top, _, _ in boxes) / FINE + grown
        down = max(bottom for _, _, _, bottom in boxes) / FINE + grown
        fits = min(
            (SIZE - 2 * MARGIN) / max(widths),
            (BASELINE - MARGIN) / max(up, 1),
            (SIZE - BASELINE - MARGIN) / max(down, 1),
        )
        if fits >= 1 or em <= EM // 4:
            return np.stack([_glyph(face, letter, variation) for letter in letters])
        em = min(em - 1, int(em * fits))


def _glyph(face: ImageFont.FreeTypeFont, letter: str, variation: Variation) -> np.ndarray:
    """(80, 80) uint8: drawn large, made bolder or thinner, slanted and stretched, centred, and reduced."""
    side, room = SIZE * FINE, 2 * FINE
    left, _, right, _ = face.getbbox(letter, anchor="ls")
    width = right - left + 2 * room
    ink = Image.new("L", (width, side), 255)
    ImageDraw.Draw(ink).text((room - left, BASELINE * FINE), letter, fill=0, font=face, anchor="ls")
    if variation.weight:
        from scipy.ndimage import maximum_filter, minimum_filter  # here: it imports for a while

        spread = minimum_filter if variation.weight > 0 else maximum_filter
        ink = Image.fromarray(spread(np.asarray(ink), 2 * abs(variation.weight) + 1))
    # The place (x, y) of the glyph is in the drawing at x' = width/2 + (x − side/2 + slant (y − baseline)) / stretch.
    slope = variation.slant / variation.stretch
    start = width / 2 - side / 2 / variation.stretch - slope * BASELINE * FINE
    matrix = (1 / variation.stretch, slope, start, 0, 1, 0)
    glyph = np.asarray(
        ink.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor=255)
    )
    columns = np.flatnonzero(glyph.min(axis=0) < 128)
    if len(columns):
        glyph = np.roll(glyph, (side - columns[0] - columns[-1] - 1) // 2, axis=1)
    return np.asarray(Image.fromarray(glyph).reduce(FINE))


# --- cache ------------------------------------------------------------------------------------------------------------


def cache_folder() -> Path:
    """Where drawn glyphs are kept: in the folder that XDG_CACHE_HOME names, or in ~/.cache, as torch does it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "stylelearn" / "glyphs"


def _drawn(font: Font, letters: str, variations: tuple[Variation, ...], cache: bool) -> np.ndarray:
    """As `draw`, kept under a name that depends on all that decides how the glyphs look."""
    if not cache or not font.path.is_file():  # where there is no file, `draw` says so
        return draw(font, letters, variations)
    plain = [replace(each, name="") for each in variations]
    said = repr((_DRAWING, SIZE, EM, BASELINE, MARGIN, FINE, font.index, letters, plain))
    key = hashlib.sha256(said.encode() + font.path.read_bytes()).hexdigest()
    path = cache_folder() / f"{key[:32]}.npz"
    shape = (len(variations), len(letters), SIZE, SIZE)
    try:
        with np.load(path) as file:
            kept = file["glyphs"]
        if kept.shape == shape and kept.dtype == np.uint8:
            return kept
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # not there yet, or cut short: draw
    images = draw(font, letters, variations)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.stem}-{os.getpid()}.tmp.npz")
        np.savez_compressed(beside, glyphs=images)
        beside.replace(path)
    except OSError:
        pass  # a disk that is full or cannot be written: the glyphs are there all the same
    return images
