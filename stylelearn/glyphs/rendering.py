"""Glyphs: letters of fonts as grey images of 80 × 80 pixels, 1 for paper and 0 for ink.

The baseline is a fixed row and the ink is centred. A *content* is a letter; a *style* is a font in one of a few
`Variation`s (slanted, narrower, bolder …), so that twenty fonts give more than a hundred styles.
"""

import functools
import hashlib
import os
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from stylelearn.files import replacing
from stylelearn.glyphs.fonts import LETTERS, FontError, bundled_fonts, distinct_names, find_fonts, listed, missing

SIZE = 80  # pixels a side
EM = 60  # pixels of a font's em, its own measure of height
BASELINE = 57  # the row on which letters stand
MARGIN = 2  # pixels of paper at each border
SMALLEST = 8  # pixels of the tallest letter; below, nothing can be read
COARSE = 5  # pixels a side averaged before styles are compared, so that edges need not meet exactly
FINE = 4  # glyphs are drawn this many times larger, then reduced, for grey edges

_DRAWING = 1  # part of the cache's key; raise it when glyphs are drawn in another way


@dataclass(frozen=True)
class Variation:
    """What makes another style of a font."""

    name: str
    slant: float = 0.0  # pixels to the right per pixel up; an italic has 0.2
    stretch: float = 1.0  # factor of the width
    weight: int = 0  # quarters of a pixel by which every edge of the ink moves outwards; negative: thinner


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
    """Every letter in every style."""

    images: Tensor  # (S, C, 80, 80) uint8, 0 is ink and 255 is paper
    styles: tuple[str, ...]  # S names "font/variation"
    contents: str  # C letters

    @functools.cached_property
    def fonts(self) -> tuple[str, ...]:
        """The font of each style."""
        return tuple(style.rpartition("/")[0] for style in self.styles)

    @functools.cached_property
    def coarse(self) -> Tensor:
        """All glyphs as `coarse` makes them: (S, C, 16, 16)."""
        return torch.stack([coarse(letters.float() / 255) for letters in self.images])

    def at(self, styles: Tensor | Sequence[int] | int, contents: Tensor | Sequence[int] | int) -> Tensor:
        """The glyphs of numbered styles and contents: indices of one shape (…) -> (…, 80, 80) in [0, 1]."""
        return self.images[torch.as_tensor(styles), torch.as_tensor(contents)].float() / 255

    def word(self, style: str | int, text: str) -> Tensor:
        """The glyphs of a text: (len(text), 80, 80) in [0, 1]. Raises ValueError: an unknown style or letter."""
        number = self.style(style) if isinstance(style, str) else style
        return self.at(torch.full((len(text),), number), [self.content(letter) for letter in text])

    def style(self, name: str) -> int:
        """The number of a style; a font's name alone means its plain variation. Raises ValueError."""
        full = name if name in self.styles else f"{name}/{PLAIN.name}"
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
    fonts: Sequence[str | Path] | None = None,
    *,
    letters: str = LETTERS,
    variations: Sequence[Variation] = VARIATIONS,
) -> Glyphs:
    """All letters in all variations of all fonts: drawn once, then read from the cache in the user's folder.

    Args:
        fonts: files or folders; matplotlib's by default. Fonts that lack letters are left out, unless they were named
            one by one. A font that comes twice (the same bytes) counts once.
        letters: what to draw, each once. variations: styles per font.
    Raises:
        FontError: no font is left; a named font lacks letters, draws them blank, or is no font.
        ValueError: no letters or variations, or one of them twice.
    """
    for what, values in (("letters", letters), ("variations", [each.name for each in variations])):
        if not values or len(set(values)) < len(values):
            raise ValueError(f"{what} must be one or more, each of them once; got {values!r}")
    places: Sequence[str | Path] = bundled_fonts() if fonts is None else fonts
    used: dict[str, Path] = {}  # by a hash of the file
    images: list[np.ndarray] = []
    for place in places:
        for font in find_fonts(place):
            digest = hashlib.sha256(font.read_bytes()).hexdigest() if font.is_file() else str(font)
            if digest in used:
                continue
            try:
                images.append(_drawn(font, digest, letters, tuple(variations)))
                used[digest] = font
            except FontError:
                if fonts is not None and font == Path(place).expanduser():  # it was named
                    raise
    if not used:
        raise FontError(f"none of the fonts has all of the letters {letters!r}; name others, or ask for fewer letters")
    styles = tuple(f"{name}/{variation.name}" for name in distinct_names([*used.values()]) for variation in variations)
    return Glyphs(torch.from_numpy(np.concatenate(images)), styles, letters)


# --- drawing ----------------------------------------------------------------------------------------------------------


def draw(font: Path, letters: str, variations: Sequence[Variation] = (PLAIN,)) -> np.ndarray:
    """The glyphs of a font, (variations, letters, 80, 80) uint8, 255 is paper; all letters of a style at one scale.

    Raises:
        FontError: it lacks letters, draws them blank, all alike or too small to read, or is no font.
    """
    lacks = missing(font, letters)
    if lacks:
        raise FontError(f"the font {font.stem} lacks {listed(lacks)}; choose another font, or other letters")
    try:
        images = np.stack([_draw_variation(font, letters, variation) for variation in variations])
    except OSError as error:  # FreeType cannot draw these outlines
        raise FontError(f"'{font}' cannot be drawn ({error}); install the font again") from error
    darkest = images.min(axis=(2, 3)).max(axis=0)  # (letters,), in the variation that shows least
    blank = "".join(letter for letter, value in zip(letters, darkest, strict=True) if value > 200)
    if blank:
        raise FontError(f"the font {font.stem} draws {listed(blank)} blank; choose another font, or other letters")
    height = (images[0].min(axis=2) < 128).sum(axis=1).max()
    if height < SMALLEST:
        raise FontError(f"the font {font.stem} draws its letters only {height} pixels tall; choose another font")
    if len(letters) > 1 and len(np.unique(images[0].reshape(len(letters), -1), axis=0)) == 1:
        raise FontError(f"the font {font.stem} draws one box for every letter; choose another font")
    return images


def _draw_variation(font: Path, letters: str, variation: Variation) -> np.ndarray:
    """(letters, 80, 80), smaller than usual where a letter would not fit otherwise."""
    em = EM
    while True:
        face = ImageFont.truetype(str(font), em * FINE)
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
    ink = Image.new("L", (int(width), side), 255)
    ImageDraw.Draw(ink).text((room - left, BASELINE * FINE), letter, fill=0, font=face, anchor="ls")
    if variation.weight:
        from scipy.ndimage import maximum_filter, minimum_filter  # here: it imports for a while

        spread = minimum_filter if variation.weight > 0 else maximum_filter
        ink = Image.fromarray(spread(np.asarray(ink), 2 * abs(variation.weight) + 1))
    # The place (x, y) of the glyph is in the drawing at x' = width/2 + (x − side/2 + slant (y − baseline)) / stretch.
    slope = variation.slant / variation.stretch
    start = width / 2 - side / 2 / variation.stretch - slope * BASELINE * FINE
    matrix = (1 / variation.stretch, slope, start, 0, 1, 0)
    moved = ink.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor=255)
    glyph = np.asarray(moved)
    columns = np.flatnonzero(glyph.min(axis=0) < 128)
    if len(columns):
        glyph = np.roll(glyph, (side - columns[0] - columns[-1] - 1) // 2, axis=1)
    return np.asarray(Image.fromarray(glyph).reduce(FINE))


# --- cache ------------------------------------------------------------------------------------------------------------


def cache_folder() -> Path:
    """Where drawn glyphs are kept: under XDG_CACHE_HOME, or in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "stylelearn" / "glyphs"


def _drawn(font: Path, digest: str, letters: str, variations: tuple[Variation, ...]) -> np.ndarray:
    """As `draw`, through a cache keyed by everything that decides how the glyphs look."""
    plain = [replace(each, name="") for each in variations]
    said = repr((_DRAWING, SIZE, EM, BASELINE, MARGIN, FINE, letters, plain, digest))
    path = cache_folder() / f"{hashlib.sha256(said.encode()).hexdigest()[:32]}.npz"
    shape = (len(variations), len(letters), SIZE, SIZE)
    try:
        with np.load(path) as file:
            kept = file["glyphs"]
        if kept.shape == shape and kept.dtype == np.uint8:
            return kept
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # not there yet, or cut short: draw
    images = draw(font, letters, variations)
    with suppress(OSError):  # a full or read-only disk: go on without the cache
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            np.savez_compressed(part, glyphs=images)
    return images
