"""Photos and paintings for the benchmarks, and how they are paired."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from torch import Tensor

from benchmarks.measuring import Plan
from stylelearn import gatys, samples
from stylelearn.encoders import Encoder
from stylelearn.images import WRITABLE, ImageError, read_image, square
from stylelearn.optimize import optimize_image, result

Named = Mapping[str, Callable[[], Tensor]]  # by name, what reads a picture


@dataclass(frozen=True)
class Pair:
    """A photo and a painting, (1, 3, H, W) each, and their names."""

    names: tuple[str, str]
    content: Tensor
    style: Tensor


def pictures(kind: str, folder: Path | None) -> Named:
    """The pictures in folder/content or folder/style in alphabetical order, or the course's own."""
    if folder is None:
        if kind == "content":
            return {name: partial(samples.content, name) for name in samples.content_names()}
        return {name: partial(samples.style, name) for name in samples.style_names()}
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


def by_gatys(pair: Pair, encoder: Encoder, steps: int, **weights: object) -> Tensor:
    """The pair painted by Gatys's method, beginning at the photo; weights and layers as of `gatys.objective`."""
    goal = gatys.objective(pair.content, pair.style, encoder=encoder, **weights)
    return result(optimize_image(pair.content, goal, steps))
