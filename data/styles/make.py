"""Draw the course's style pictures: `python data/styles/make.py [NAME ...] [--out DIR]`.

Each style is a function that takes a random generator and returns a canvas, (CANVAS, CANVAS, 3) in [0, 1]. The same
seed gives the same picture. Without names all of them are drawn, which takes some minutes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from abstract import cubist_facets, geometric
from crafted import papercut, woodcut_waves
from drawn import ink_hatching, pencil
from fabric import batik, embroidery
from painted import impasto, night_strokes
from pieced import mosaic, stained_glass
from tools import Array, Rng, finish
from touched import chalk_pastel, pointillism
from washed import marbling, watercolour

HERE = Path(__file__).resolve().parent
QUALITY = 92  # of the JPEG files

# Another seed draws another picture in the same manner; these draw the course's.
SEEDS: dict[Callable[[Rng], Array], int] = {
    batik: 523,
    chalk_pastel: 1259,
    cubist_facets: 1375,
    embroidery: 1074,
    geometric: 959,
    impasto: 765,
    ink_hatching: 1255,
    marbling: 844,
    mosaic: 636,
    night_strokes: 1412,
    papercut: 868,
    pencil: 635,
    pointillism: 1204,
    stained_glass: 1377,
    watercolour: 1207,
    woodcut_waves: 1418,
}
STYLES = {style.__name__: style for style in SEEDS}


def draw(name: str) -> Image.Image:
    """The finished picture of a style.

    Raises:
        ValueError: if there is no style of that name.
    """
    if name not in STYLES:
        raise ValueError(f"no style {name!r}; choose from {', '.join(STYLES)}")
    style = STYLES[name]
    return finish(style(np.random.default_rng(SEEDS[style])))


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the styles named on the command line, or all."""
    parser = argparse.ArgumentParser(description="Draw the style pictures of the course.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of: {', '.join(STYLES)} (default: all)")
    parser.add_argument("--out", type=Path, default=HERE, metavar="DIR", help="folder to write to (default: here)")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in STYLES]
    if unknown:
        parser.error(f"no style {', '.join(unknown)}; choose from {', '.join(STYLES)}")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.names or STYLES:
        started = time.perf_counter()
        path = options.out / f"{name}.jpg"
        draw(name).save(path, quality=QUALITY)
        print(f"{path}  {path.stat().st_size / 1000:.0f} kB  {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
