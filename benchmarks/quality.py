"""Do pastiches please a judge that has not made them?

An encoder that optimises its own Gram matrices always reaches them; that says nothing about the picture. So another
network judges: how far are the Gram matrices of the pastiche from those of the style, in SqueezeNet's eyes, compared
with the content picture as it was (nothing learnt) and with what random weights of the same network reach?
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw
from torch import Tensor

from stylelearn import samples
from stylelearn.encoders import Encoder
from stylelearn.evaluation.distances import gram_distance
from stylelearn.gatys import stylize
from stylelearn.images import ImageError, read_image, resize, square, to_pil, write_image
from stylelearn.optimize import result

PICTURES = {".jpg", ".jpeg", ".png", ".webp"}
TILE, TITLE = 256, 24  # pixels of a contact sheet


@dataclass(frozen=True)
class Pair:
    """A content picture and a style picture, (1, 3, H, W) each."""

    name: str
    content: Tensor
    style: Tensor


def pairs_of_samples(size: int, count: int) -> list[Pair]:
    """The course's own pictures: the i-th photo with the i-th style, both begun again when they run out."""
    contents, styles = samples.content_names(), samples.style_names()
    chosen = [(contents[i % len(contents)], styles[i % len(styles)]) for i in range(count)]
    return [
        Pair(f"{content} + {style}", square(samples.content(content), size), square(samples.style(style), size))
        for content, style in chosen
    ]


def pairs_in(folder: Path, size: int, count: int) -> list[Pair]:
    """The i-th picture of folder/content with the i-th of folder/style, in alphabetical order.

    Raises:
        ImageError: a folder is missing or empty.
    """
    contents, styles = (pictures_in(folder / kind) for kind in ("content", "style"))
    return [
        Pair(f"{content.stem} + {style.stem}", square(read_image(content), size), square(read_image(style), size))
        for content, style in list(zip(contents, styles, strict=False))[:count]
    ]


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder in alphabetical order.

    Raises:
        ImageError: it is missing or empty.
    """
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES) if folder.is_dir() else []
    if not found:
        raise ImageError(f"no pictures in '{folder}'; --pairs names a folder with content/ and style/ inside")
    return found


def paint(pair: Pair, encoder: Encoder, steps: int) -> Tensor:
    """The pastiche that Gatys's method makes of a pair, begun at the content."""
    return result(stylize(pair.content, pair.style, encoder=encoder, steps=steps))


def style_distance(images: Sequence[Tensor], pairs: Sequence[Pair], judge: Encoder) -> float:
    """`gram_distance` between each image and its pair's style, the geometric mean over the pairs.

    Args:
        images: one for each pair, (1, 3, H, W).
        judge: a SqueezeNet.
    """
    found = [gram_distance(image, pair.style, judge) for image, pair in zip(images, pairs, strict=True)]
    return statistics.geometric_mean(found)


def contact_sheet(pairs: Sequence[Pair], painted: Mapping[str, Sequence[Tensor]], path: Path, tile: int = TILE) -> Path:
    """One row a pair: content, style, and what each network made of them, `tile` pixels each; titles above."""
    titles = ["content", "style", *painted]
    sheet = Image.new("RGB", (len(titles) * tile, TITLE + len(pairs) * tile), "white")
    draw = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles):
        draw.text((column * tile + 4, 5), title, fill="black")
    for row, pair in enumerate(pairs):
        images = [pair.content, pair.style, *(made[row] for made in painted.values())]
        for column, image in enumerate(images):
            sheet.paste(to_pil(resize(image, (tile, tile), fit="box")), (column * tile, TITLE + row * tile))
    return write_image(read_image(sheet), path)
