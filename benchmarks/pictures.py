"""Photos and paintings for the benchmarks, how they are paired and painted, and sheets of pastiches side by side."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image, ImageDraw
from torch import Tensor

from benchmarks.measuring import Plan
from stylelearn import gatys, samples
from stylelearn.encoders import Encoder
from stylelearn.images import WRITABLE, ImageError, read_image, resize, square, to_pil, write_image
from stylelearn.optimize import optimize_image, result

TITLE = 24  # pixels above a contact sheet

Named = Mapping[str, Callable[[], Tensor]]
"""By name, what reads a picture."""


@dataclass(frozen=True)
class Pair:
    """A photo and a painting, (1, 3, H, W) each, and their names."""

    names: tuple[str, str]
    content: Tensor
    style: Tensor


def pictures(kind: str, folder: Path | None) -> Named:
    """The pictures in folder/content or folder/style in alphabetical order, or the course's own.

    Raises:
        ImageError: there are none.
    """
    if folder is None:
        names, read = {
            "content": (samples.content_names(), samples.content),
            "style": (samples.style_names(), samples.style),
        }[kind]
        return {name: partial(read, name) for name in names}
    inside = folder / kind
    found = sorted(path for path in inside.iterdir() if path.suffix.lower() in WRITABLE) if inside.is_dir() else []
    if not found:
        raise ImageError(f"no pictures in '{inside}'; --pairs names a folder with content/ and style/ inside")
    return {path.stem: partial(read_image, path) for path in found}


def squares(kind: str, plan: Plan) -> Named:
    """The plan's pictures as squares of `plan.size`."""
    return {name: lambda read=read: square(read(), plan.size) for name, read in pictures(kind, plan.folder).items()}


def latin(contents: int, styles: int, count: int) -> list[tuple[int, int]]:
    """`count` different pairs of numbers below `contents` and `styles`, each number as often as any other of its kind.

    The i-th content with the i-th style, beginning again when they run out, and shifted by one when a pair would come
    again; at most contents · styles pairs.
    """
    again = math.lcm(contents, styles)
    return [(k % contents, (k + k // again) % styles) for k in range(min(count, contents * styles))]


def pairs(plan: Plan, count: int, styles: Named | None = None) -> Iterator[Pair]:
    """`count` pairs of the plan's photos and paintings (or other `styles`), one after the other, printing which."""
    contents, styles = [*squares("content", plan).items()], [*(styles or squares("style", plan)).items()]
    chosen = latin(len(contents), len(styles), count)
    for number, (i, j) in enumerate(chosen, 1):
        (content, read), (style, look) = contents[i], styles[j]
        print(f"  {number} of {len(chosen)}: {content} + {style}", flush=True)
        yield Pair((content, style), read(), look())


Ways = Mapping[str, Callable[[Pair], Tensor]]


def painted(name: str, chosen: Iterable[Pair], ways: Ways, plan: Plan) -> Iterator[tuple[Pair, dict[str, Tensor]]]:
    """Each pair with what is made of it in each of the `ways`; the plan's sheet of this name grows with every pair."""
    sheet = plan.sheet and plan.sheet.with_name(f"{plan.sheet.stem}_{name}{plan.sheet.suffix}")
    shown: list[tuple[Pair, dict[str, Tensor]]] = []
    for pair in chosen:
        made = {way: paint(pair) for way, paint in ways.items()}
        if sheet:
            shown.append((pair, made))
            contact_sheet(shown, sheet, plan.size)
        yield pair, made


def by_gatys(pair: Pair, encoder: Encoder, steps: int, **weights: object) -> Tensor:
    """The pair painted by Gatys's method, beginning at the photo; weights and layers as of `gatys.objective`."""
    goal = gatys.objective(pair.content, pair.style, encoder=encoder, **weights)
    return result(optimize_image(pair.content, goal, steps))


def contact_sheet(rows: Sequence[tuple[Pair, Mapping[str, Tensor]]], path: Path, tile: int) -> None:
    """One row a pair: photo, painting, and what was made of them, `tile` pixels each; titles above."""
    titles = ["content", "style", *rows[0][1]]
    sheet = Image.new("RGB", (len(titles) * tile, TITLE + len(rows) * tile), "white")
    draw = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles):
        draw.text((column * tile + 4, 5), title, fill="black")
    for row, (pair, made) in enumerate(rows):
        for column, image in enumerate([pair.content, pair.style, *made.values()]):
            sheet.paste(to_pil(resize(image, (tile, tile), fit="box")), (column * tile, TITLE + row * tile))
    write_image(read_image(sheet), path)
