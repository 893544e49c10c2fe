"""Glyphs side by side, in rows that say what they are: one picture for lessons and labs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylelearn.figures.pictures import show
from stylelearn.images import ImageError

_LABEL, _SIZE, _LEFT = 22, 14, 6  # pixels: a label's height, its letters' height, and how far from the left it begins
_MARK = 3  # pixels: thickness of the line beneath a glyph that is marked


def glyph_rows(
    rows: Mapping[str, Tensor], *, cell: int = 64, marked: Mapping[str, Sequence[int]] | None = None
) -> Tensor:
    """Rows of glyphs beneath each other, each under its label.

    Args:
        rows: label -> glyphs (N, H, W) in [0, 1]; rows may differ in N.
        cell: pixels of a side that a glyph is shown at.
        marked: label -> numbers of glyphs that get a line beneath.
    Returns:
        (1, 3, H', W').
    Raises:
        ImageError: no row, or glyphs of another shape.
    """
    wrong = {label: tuple(glyphs.shape) for label, glyphs in rows.items() if glyphs.ndim != 3 or not len(glyphs)}
    if not rows or wrong:
        raise ImageError(f"rows of glyphs must be label -> (N, H, W), one at least; got {wrong or 'none'}")
    width = cell * max(len(glyphs) for glyphs in rows.values())
    parts = []
    for label, glyphs in rows.items():
        small = F.interpolate(glyphs[:, None].float(), size=(cell, cell), mode="bilinear", antialias=True)[:, 0]
        line = torch.ones(cell, width)
        line[:, : cell * len(small)] = torch.cat([*small], dim=1)
        for number in (marked or {}).get(label, ()):
            line[-_MARK:, number * cell + cell // 4 : (number + 1) * cell - cell // 4] = 0
        parts += [_label(label, width), line]
    return torch.cat(parts)[None, None].clamp(0, 1).expand(1, 3, -1, -1)


def show_glyphs(
    rows: Mapping[str, Tensor], *, cell: int = 64, title: str | None = None, alt: str | None = None
) -> None:
    """Show `glyph_rows` in the notebook; `title` and `alt` as for `show`, the rest as for `glyph_rows`."""
    alt = alt or f"{title or 'Rows of letters'}: {'; '.join(rows)}"
    show(glyph_rows(rows, cell=cell), title, alt)


def _label(text: str, width: int) -> Tensor:
    """(22, width), black on white; cut off where it does not fit."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", (width, _LABEL), 255)
    ImageDraw.Draw(image).text((_LEFT, _LABEL // 2), text, fill=0, font=ImageFont.load_default(_SIZE), anchor="lm")
    return torch.from_numpy(np.asarray(image).copy()).float() / 255
