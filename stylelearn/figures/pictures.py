"""One picture, or several side by side, in a notebook.

Every pixel of a picture stays a pixel: nothing is resampled that is between `SMALLEST` and the page in width, so what a
learner judges is what was computed.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from stylelearn.figures.display import POINTS, display_figure, new_figure, pieces
from stylelearn.images import ImageError, resize, to_pil

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMALLEST = 256  # pixels; a smaller picture is enlarged to this width
PAGE = 832  # pixels; with margins what a notebook shows unshrunk in a window 1280 pixels wide
_GAP, _MARGIN = 10, 6  # pixels between pictures and around them
FITTING = PAGE // (SMALLEST + _GAP)  # pictures in a row
_LINE, _LETTER = 19, 8.2  # pixels: height of a line and mean width of a letter in a title


def show(image: Tensor, title: str | None = None, alt: str | None = None, width: int | None = None) -> None:
    """Show one image in the notebook.

    Args:
        image: (1, 3, H, W) or (3, H, W) in [0, 1].
        title: a line above it; TeX between dollars is set as mathematics.
        alt: what the picture shows, for those who cannot see it; by default made of the title and the size.
        width: pixels; by default the picture's own width, at least `SMALLEST` and at most `PAGE`.
    Raises:
        ImageError: if it is not one image.
    """
    if image.ndim == 4 and image.shape[0] != 1:
        raise ImageError(f"show takes one image, got {tuple(image.shape)}; use grid for several")
    display_figure(_alone(image, title, width), alt)


def grid(
    images: Sequence[Tensor] | Tensor,
    titles: Sequence[str] | None = None,
    alt: str | None = None,
    columns: int | None = None,
    even: bool = False,
) -> None:
    """Show several images side by side; their sizes may differ.

    Args:
        images: images (1, 3, H, W) or (3, H, W) in [0, 1], or one batch (B, 3, H, W).
        titles: one for each image.
        alt: what the figure shows, for those who cannot see it; by default made of the titles.
        columns: images in a row; by default as many as fit the page at `SMALLEST` pixels, rows evenly filled.
        even: make every picture of a row as high as the lowest one; those that are higher get narrower.
    Raises:
        ImageError: there is no image, or the number of titles is another one.
    """
    pictures = [picture for image in images for picture in (image if image.ndim == 4 else image[None])]
    if not pictures:
        raise ImageError("grid got no images; give at least one")
    if titles is not None and len(titles) != len(pictures):
        raise ImageError(f"grid got {len(pictures)} images and {len(titles)} titles; give one title for each image")
    display_figure(grid_figure(pictures, titles, columns=columns, even=even), alt)


class LivePicture:
    """One place in the notebook whose picture is replaced while work goes on; the last picture stays.

    view = LivePicture()
    for step in optimize_image(start, objective):
        view.update(step.image, f"step {step.number}")
    """

    def __init__(self, width: int | None = None) -> None:
        self._width = width  # as for `show`
        self._handles: list[Any] = []

    def update(self, image: Tensor, title: str | None = None) -> None:
        """Show this image in place of the one before. Arguments as for `show`."""
        parts = pieces(_alone(image, title, self._width))
        if self._handles:
            for handle, piece in zip(self._handles, parts, strict=True):
                handle.update(piece)
        else:
            from IPython.display import display

            self._handles = [handle for piece in parts if (handle := display(piece, display_id=True)) is not None]


def _alone(image: Tensor, title: str | None, width: int | None) -> Figure:
    return grid_figure([image], None if title is None else [title], columns=1, width=width)


def _describe(images: Sequence[Tensor], titles: Sequence[str] | None) -> str:
    names = "; ".join(" ".join(name.split()) for name in titles or [])
    height, width = images[0].shape[-2:]
    if len(images) == 1:
        what = f"Picture: {names}" if names else "Picture"
        return f"{what} ({width} × {height} pixels)"
    return f"{len(images)} pictures" + (f": {names}" if names else "")


def grid_figure(
    images: Sequence[Tensor],
    titles: Sequence[str] | None = None,
    *,
    columns: int | None = None,
    width: int | None = None,
    even: bool = False,
) -> Figure:
    """The figure of `grid`, pixel for pixel on white; arguments as there. `width`: of each image, as for `show`."""
    columns = min(len(images), columns or math.ceil(len(images) / math.ceil(len(images) / FITTING)))
    pixels = [_fit(image, width, columns) for image in images]  # (h, w, 3) each
    cell = max(pixel.shape[1] for pixel in pixels)
    rows = [range(i, min(i + columns, len(images))) for i in range(0, len(images), columns)]
    for row in rows if even else []:
        lowest = min(pixels[i].shape[0] for i in row)
        for i in row:
            height, across = pixels[i].shape[:2]
            if height > lowest:
                pixels[i] = _fit(images[i], round(across * lowest / height), columns)[:lowest]
    texts = [_wrap(text, cell) for text in titles or [""] * len(images)]
    heads = [_LINE * max(len(texts[i].splitlines()) for i in row) for row in rows]
    bodies = [max(pixels[i].shape[0] for i in row) for row in rows]
    figure_width = columns * cell + (columns - 1) * _GAP + 2 * _MARGIN
    figure_height = sum(heads) + sum(bodies) + (len(rows) - 1) * _GAP + 2 * _MARGIN

    figure = new_figure(figure_width, figure_height, layout=None)
    figure.set_label(_describe(images, titles))
    y = figure_height - _MARGIN  # pixels from below, as matplotlib counts
    for row, head, body in zip(rows, heads, bodies, strict=True):
        for place, i in enumerate(row):
            x = _MARGIN + place * (cell + _GAP) + (cell - pixels[i].shape[1]) // 2
            if texts[i]:
                middle = (x + pixels[i].shape[1] / 2) / figure_width
                figure.text(middle, (y - head / 2) / figure_height, texts[i], ha="center", va="center", size=POINTS)
            figure.figimage(pixels[i], x, y - head - pixels[i].shape[0], origin="upper")
        y -= head + body + _GAP
    return figure


def _fit(image: Tensor, width: int | None, columns: int) -> np.ndarray:
    """The image as (h, w, 3) uint8, as wide as it is shown."""
    image = image[None] if image.ndim == 3 else image
    own = image.shape[-1]
    if width is None:
        widest = max(SMALLEST, (PAGE - (columns - 1) * _GAP) // columns)
        width = min(max(own, SMALLEST), widest)
    if width >= 2 * own:  # so few pixels are meant to be seen as pixels
        image = F.interpolate(image, size=(round(image.shape[-2] * width / own), width), mode="nearest")
    elif width != own:
        image = resize(image, (max(1, round(image.shape[-2] * width / own)), width), "box")
    return np.asarray(to_pil(image))


def _wrap(text: str, width: int) -> str:
    if "$" in text:  # a formula must not be cut
        return text
    return "\n".join(textwrap.fill(line, max(8, int(width / _LETTER))) for line in text.splitlines())
