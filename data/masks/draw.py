"""Draw the masks of the course's photo pairs: `python data/masks/draw.py [NAME ...] [--out DIR]`.

Each picture starts as one label; outlines, in pixels of the photograph, are laid over it in order. Where an outline is
rough, as round trees, a rule says which of its pixels are meant. The same names in two pictures are the same region.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter
from torch import Tensor

from stylelearn import samples
from stylelearn.colour import luminance
from stylelearn.segmentation import COLOURS, Masks, write_mask

HERE = Path(__file__).resolve().parent
PAINT = {
    "sky": "light blue",
    "water": "blue",
    "building": "red",
    "ground": "green",
    "person": "yellow",
    "subject": "white",
    "background": "black",
}
Rule = Callable[[Tensor], Tensor]  # a photograph (1, 3, H, W) -> (H, W) bool


@dataclass(frozen=True)
class Shape:
    """A label inside an outline "x,y x,y …"; two points are the box of an ellipse, none are the whole picture."""

    label: str
    outline: str = ""
    rule: Rule | None = None

    @property
    def points(self) -> list[tuple[int, ...]]:
        return [tuple(map(int, point.split(","))) for point in self.outline.split()]


def dark(photo: Tensor) -> Tensor:
    """Leaves before a bright sky."""
    return luminance(photo)[0, 0] < 0.62


def leafy(photo: Tensor) -> Tensor:
    """Thin leaves before a very bright sky."""
    return luminance(photo)[0, 0] < 0.75


def solid(photo: Tensor) -> Tensor:
    """Roofs and walls before a pale sky and a pale lake, which are also seen between the pillars."""
    low, high = photo[0].amin(dim=0), photo[0].amax(dim=0)
    return (luminance(photo)[0, 0] < 0.62) | (photo[0, 2] < photo[0, 0] - 0.03) | (high - low > 0.28)


def warm(photo: Tensor) -> Tensor:
    """Lamplight and steel before a blue sky."""
    return photo[0, 0] > photo[0, 2]


def petals(photo: Tensor) -> Tensor:
    """Orange before dark leaves."""
    return (photo[0, 0] > 0.45) & (photo[0, 0] > photo[0, 2] + 0.1)


CHINA = (
    Shape("sky"),
    Shape("water", "0,205 640,205 640,427 0,427"),
    Shape("ground", "0,140 15,165 40,186 78,215 76,250 45,262 15,278 0,278", dark),
    Shape("ground", "0,288 25,305 42,320 75,322 75,345 330,380 330,427 0,427"),
    Shape(
        "ground",
        "300,427 330,385 371,330 385,318 420,306 470,287 520,272 548,268 540,220 570,180 570,155 590,133 617,132 "
        "640,145 640,427",
        dark,
    ),
    Shape("ground", "530,206 540,195 566,150 585,128 617,122 640,145 640,206", leafy),
    Shape("ground", "330,390 371,345 460,310 560,320 640,300 640,427 300,427"),
    Shape(
        "building",
        "196,31 215,31 213,47 217,60 240,83 264,97 278,103 320,117 318,128 294,137 294,160 329,174 328,182 321,186 "
        "321,226 328,228 327,240 350,252 351,258 340,272 341,304 349,308 350,322 371,333 336,372 333,389 322,414 "
        "300,427 289,400 244,392 211,383 201,364 161,356 144,333 114,333 72,347 75,330 83,325 81,283 64,272 66,262 "
        "92,244 93,233 104,230 100,189 84,184 86,167 119,158 121,139 94,131 97,106 119,100 150,90 167,82 194,61 "
        "194,50",
        solid,
    ),
    Shape("building", "106,110 120,106 165,104 165,125 106,125"),  # the shine of three roofs
    Shape("building", "290,240 324,238 324,254 290,256"),
    Shape("building", "315,326 346,322 346,346 315,350"),
)
ROCKET = (
    Shape("sky"),
    Shape("ground", "0,372 640,372 640,427 0,427"),
    Shape("building", "0,0 640,0 640,372 0,372", warm),
    Shape("building", "322,126 335,148 336,427 268,427 268,407 286,405 288,364 308,345 310,148"),
)
CAMERA = (
    Shape("sky"),
    Shape(
        "building",
        "0,172 52,172 60,182 330,182 345,170 365,165 390,175 411,186 411,130 420,117 432,130 432,186 450,186 450,164 "
        "470,164 472,177 492,180 492,190 512,188 512,238 0,238",
    ),
    Shape("ground", "0,236 512,234 512,512 0,512"),
    Shape(
        "person",
        "0,256 20,242 42,203 58,165 78,140 108,126 131,122 146,106 162,104 172,80 188,68 205,62 225,65 245,78 262,95 "
        "271,115 262,138 324,138 326,155 320,166 332,175 331,195 320,222 306,240 304,276 285,292 250,311 240,312 "
        "207,295 190,325 142,382 150,440 150,512 140,512 98,447 90,512 0,512",
    ),
    Shape(
        "person",
        "287,215 299,215 299,313 312,318 330,300 338,300 338,308 314,330 406,512 396,512 303,345 299,486 287,486 "
        "287,345 242,512 229,512 281,331 277,316",
    ),
)
COFFEE = (
    Shape("background"),
    Shape("subject", "76,67 480,389"),
    Shape("subject", "172,17 408,210"),
    Shape("subject", "397,66 416,66 426,75 408,115 385,215 375,215"),
)
FLOWER = (
    Shape("background"),
    Shape("subject", "165,80 450,364", petals),
    Shape("subject", "195,120 420,340"),
    Shape("subject", "280,427 285,392 345,370 445,372 475,427", petals),
)
PICTURES = {"camera": CAMERA, "china": CHINA, "coffee": COFFEE, "flower": FLOWER, "rocket": ROCKET}


def draw(name: str) -> Masks:
    """The masks of one of the course's photographs, at its own size.

    Raises:
        ValueError: if there are no outlines for it.
    """
    if name not in PICTURES:
        raise ValueError(f"no outlines for {name!r}; choose from {', '.join(PICTURES)}")
    photo, shapes = samples.content(name), PICTURES[name]
    names = tuple(dict.fromkeys(shape.label for shape in shapes))
    height, width = photo.shape[2:]
    labels = torch.zeros(height, width, dtype=torch.uint8)
    for shape in shapes:
        inside = Image.new("1", (width, height), not shape.outline)
        if len(shape.points) == 2:
            ImageDraw.Draw(inside).ellipse(shape.points, fill=1)
        elif shape.points:
            ImageDraw.Draw(inside).polygon(shape.points, fill=1)
        there = torch.from_numpy(np.array(inside))
        labels[there if shape.rule is None else there & shape.rule(photo)] = names.index(shape.label)
    smooth = Image.fromarray(labels.numpy()).filter(ImageFilter.ModeFilter(5))  # single pixels go to their neighbours
    return Masks(torch.from_numpy(np.array(smooth)), names, tuple(COLOURS[PAINT[label]] for label in names))


def main() -> None:
    """Draw what is asked for, or everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(PICTURES)} (default: all)")
    parser.add_argument("--out", type=Path, default=HERE, help="folder (default: beside this program)")
    options = parser.parse_args()
    for name in options.names or PICTURES:
        print(write_mask(draw(name), options.out / f"{name}.png"))


if __name__ == "__main__":
    main()
