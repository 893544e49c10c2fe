"""Photos and paintings for the benchmarks, how they are paired, and sheets that lay pastiches side by side."""

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image, ImageDraw
from torch import Tensor

from benchmarks.measuring import Plan
from stylelearn import samples
from stylelearn.images import WRITABLE, ImageError, read_image, resize, square, to_pil, write_image

TITLE = 24  # pixels above a contact sheet
SMALLEST = 1e-12  # what a loss of 0 counts as in a ratio

Named = dict[str, Callable[[], Tensor]]
"""By name, what reads a picture."""


@dataclass(frozen=True)
class Pair:
    """A photo and a painting, (1, 3, H, W) each."""

    name: str
    content: Tensor
    style: Tensor


def photos(folder: Path | None) -> Named:
    """The photos of folder/content in alphabetical order, or the course's own. Raises ImageError: there are none."""
    own = {name: partial(samples.content, name) for name in samples.content_names()}
    return own if folder is None else _files(folder / "content")


def paintings(folder: Path | None) -> Named:
    """The same for folder/style."""
    own = {name: partial(samples.style, name) for name in samples.style_names()}
    return own if folder is None else _files(folder / "style")


def _files(folder: Path) -> Named:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in WRITABLE) if folder.is_dir() else []
    if not found:
        raise ImageError(f"no pictures in '{folder}'; --pairs names a folder with content/ and style/ inside")
    return {path.stem: partial(read_image, path) for path in found}


def latin(contents: int, styles: int, count: int) -> list[tuple[int, int]]:
    """`count` different pairs of numbers below `contents` and `styles`, each number as often as any other of its kind.

    The i-th content with the i-th style, beginning again when they run out, and shifted by one when a pair would come
    again; at most contents · styles pairs.
    """
    again = math.lcm(contents, styles)
    return [(k % contents, (k + k // again) % styles) for k in range(min(count, contents * styles))]


def pairs(plan: Plan, count: int) -> Iterator[Pair]:
    """`count` pairs of the plan's pictures, squares of `plan.size`, one after the other."""
    contents, styles = list(photos(plan.folder).items()), list(paintings(plan.folder).items())
    chosen = latin(len(contents), len(styles), count)
    for number, (i, j) in enumerate(chosen):
        (content, read), (style, look) = contents[i], styles[j]
        plan.watch(f"{content} + {style}", number, len(chosen))
        yield Pair(f"{content} + {style}", square(read(), plan.size), square(look(), plan.size))


def ratio(ours: float, theirs: float) -> float:
    """ours / theirs; a loss of nearly 0 is not divided by."""
    return max(ours, SMALLEST) / max(theirs, SMALLEST)


def mean(ratios: Sequence[float]) -> float:
    """The geometric mean: twice as much and half as much make 1."""
    return statistics.geometric_mean(max(value, SMALLEST) for value in ratios)


def contact_sheet(pairs: Sequence[Pair], painted: Mapping[str, Sequence[Tensor]], path: Path, tile: int) -> Path:
    """One row a pair: photo, painting, and what each method made of them, `tile` pixels each; titles above."""
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
