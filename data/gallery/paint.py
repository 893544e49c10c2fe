"""Paint the pictures that the README shows: `python data/gallery/paint.py [NAME ...] [--out DIR]`.

Each is a function that returns a figure, made from the course's own pictures with the networks that ship. Its
docstring is the picture's alternative text. Without names all of them are painted, which takes some minutes;
`make gallery` does it.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

from stylelearn import adain, adjustable, cin, gatys, inversion, johnson, photo, samples, segmentation, style_swap
from stylelearn.encoders import Encoder
from stylelearn.figures.display import DPI
from stylelearn.figures.pictures import grid_figure
from stylelearn.files import check_output, replacing
from stylelearn.images import resize
from stylelearn.lab import EMDLab
from stylelearn.networks.coarse import SHARE, coarse_to_fine
from stylelearn.optimize import optimize_image, result
from stylelearn.painting import run
from stylelearn.registry import METHODS

HERE = Path(__file__).resolve().parent
MOST = 80_000  # bytes of a file
QUALITIES = range(88, 36, -4)  # the first that gives so small a file
HEIGHT = 168  # pixels; the photographs are half as wide again


def _photo(name: str, height: int = HEIGHT) -> Tensor:
    return resize(samples.content(name), (height, height * 3 // 2), "box")


def _style(name: str, size: int = HEIGHT) -> Tensor:
    return samples.style(name, size)


def _painted(content: Tensor, style: Tensor) -> Tensor:
    """Lesson 02: 150 steps from the content."""
    return result(gatys.stylize(content, style, encoder=Encoder("mini"), steps=150))


def welcome() -> Figure:
    """A photograph of a cat, marbled paper, and the cat painted in the manner of that paper"""
    cat, paper = _photo("chelsea", 256), _style("marbling", 360)
    weights = {"style_weight": 40.0, "tv_weight": 10.0}
    painted = result(gatys.stylize(cat, paper, encoder=Encoder("mini"), steps=150, levels=3, **weights))
    return grid_figure([cat, paper, painted], columns=3, even=True)


def layers() -> Figure:
    """A cat, and what comes back of it from three layers of a network: nearly all of it, rough fur, a grey face"""
    cat, encoder = _photo("chelsea", 128), Encoder("mini")
    noise = 0.5 + 0.1 * torch.randn(cat.shape, generator=torch.Generator().manual_seed(0))
    found = {"the photo": cat}
    for layer in ("relu2_1", "relu4_1", "relu5_1"):
        objective = inversion.objective(cat, layer, encoder=encoder, tv_weight=2.0)
        found[f"from {layer}"] = result(optimize_image(noise, objective, 200))
    return _row([*found.values()], [*found])


def optimised() -> Figure:
    """Coffee in a cup, painted in 150 steps each in three manners: night strokes, stained glass, woodcut waves"""
    cup, names = _photo("coffee"), ("night_strokes", "stained_glass", "woodcut_waves")
    return _row([_painted(cup, _style(name)) for name in names], [*map(_words, names)])


def one_style() -> Figure:
    """A temple, painted by three networks of one style each: Starry Night, Great Wave, stained glass"""
    temple = _photo("china", 256)
    names = ("starry_night", "great_wave", "stained_glass")
    return _row([coarse_to_fine(johnson.load(name), temple) for name in names], [*map(_words, names)])


def mixed() -> Figure:
    """A cat painted by one network: in impasto, in Starry Night, half of each, and changing from left to right"""
    cat, network = _photo("chelsea", 256), cin.load()
    left = torch.linspace(1, 0, cat.shape[3]).expand(cat.shape[2:])
    wishes = {
        "impasto": "impasto",
        "starry night": "starry_night",
        "half of each": {"impasto": 1, "starry_night": 1},
        "from left to right": {"impasto": left, "starry_night": 1 - left},
    }
    mixtures = map(network.mix, wishes.values())
    return _row([coarse_to_fine(partial(network, mix=mix), cat) for mix in mixtures], [*wishes])


def any_style() -> Figure:
    """Three patterns that the network has never seen, and below each a cat in its colours and marks"""
    cat, network = _photo("chelsea", 256), adain.load()
    names = ("geometric", "night_strokes", "marbling")
    styles = [_style(name, 512) for name in names]
    return _pairs(styles, [coarse_to_fine(partial(network, styles=style), cat) for style in styles], names)


def patches() -> Figure:
    """Three styles, and below each the cat put together from patches of the style"""
    cat, network = _photo("chelsea", 256), style_swap.load()
    names = ("night_strokes", "stained_glass", "ink_hatching")
    styles = [_style(name, 512) for name in names]
    return _pairs(styles, [network(cat, style) for style in styles], names)


def light() -> Figure:
    """A temple by day, a launch pad at dusk, and the temple as if it had been photographed at dusk"""
    (day, day_masks), (dusk, dusk_masks) = (_masked(name) for name in ("china", "rocket"))
    lake, sky = day_masks.names.index("water"), day_masks.names.index("sky")
    labels = day_masks.labels.where(day_masks.labels != lake, sky)  # a lake mirrors the sky (lesson 07)
    day_masks = segmentation.Masks(labels, day_masks.names, day_masks.colours)
    settings = {"encoder": Encoder("mini"), "layer_weights": ["relu1_1", "relu2_1", "relu3_1"], "steps": (0, 80)}
    *_, last = photo.stylize(day, dusk, day_masks, dusk_masks, **settings)
    evening = photo.smooth(last.best_image, day)
    return _row([day, dusk, evening], ["content", "style", "the content in this light"])


def sliders() -> Figure:
    """A cat in stained glass by one network, with all sliders at 0, with each of three alone at 1, and with all at 1"""
    cat, glass, network = _photo("chelsea", 256), _style("stained_glass", 256), adjustable.load()
    names = list(network.style_layers)
    wishes = {"all at 0": 0.0} | {f"{one} at 1": dict.fromkeys(names, 0.0) | {one: 1.0} for one in names}
    wishes["all at 1"] = 1.0
    alphas = torch.cat([network.alphas(wish) for wish in wishes.values()])
    pictures = network(cat.expand(len(alphas), -1, -1, -1), network.style(glass), alphas, SHARE)
    return _row(list(pictures[:, None]), [*wishes])


def letters() -> Figure:
    """Ten letters of two fonts, a word as a network writes it after the first ten, and the word in both fonts"""
    return grid_figure([EMDLab().image], columns=1)


def side_by_side() -> Figure:
    """The same temple in stained glass by all methods of the course; they differ in colours, lines and sharpness"""
    temple = _photo("china")
    made = {method.title: run(name, temple, "stained_glass", steps=150) for name, method in METHODS.items()}
    return grid_figure([*made.values()], [*made], columns=4)


def _masked(name: str, height: int = 256) -> tuple[Tensor, segmentation.Masks]:
    image = _photo(name, height)
    return image, segmentation.course_mask(name).resized(tuple(image.shape[2:]))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _row(pictures: Sequence[Tensor], titles: Sequence[str] | None = None) -> Figure:
    return grid_figure(pictures, titles, columns=len(pictures))


def _pairs(styles: Sequence[Tensor], pictures: Sequence[Tensor], names: Sequence[str]) -> Figure:
    """The middles of square styles above, pastiches of 2 : 3 below."""
    above = [style[:, :, style.shape[2] // 6 : style.shape[2] * 5 // 6] for style in styles]
    above = [resize(style, tuple(pictures[0].shape[2:]), "box") for style in above]
    return grid_figure([*above, *pictures], [*map(_words, names), *[""] * len(names)], columns=len(names))


PICTURES: dict[str, Callable[[], Figure]] = {
    each.__name__: each
    for each in (
        welcome,
        layers,
        optimised,
        one_style,
        mixed,
        any_style,
        patches,
        light,
        sliders,
        letters,
        side_by_side,
    )
}


def encoded(figure: Figure) -> bytes:
    """The figure as a JPEG of at most MOST bytes, as good as that allows."""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        figure.savefig(buffer, format="jpeg", dpi=DPI, pil_kwargs={"quality": quality, "optimize": True})
        if buffer.tell() <= MOST:
            break
    return buffer.getvalue()


def main(arguments: Sequence[str] | None = None) -> None:
    """Paint the pictures named on the command line, or all."""
    parser = argparse.ArgumentParser(description="Paint the pictures of the gallery.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one or more of: {', '.join(PICTURES)} (default: all)"
    )
    parser.add_argument("--out", type=Path, default=HERE, metavar="DIR", help="folder to write to (default: here)")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in PICTURES]
    if unknown:
        parser.error(f"no picture {', '.join(unknown)}; choose from {', '.join(PICTURES)}")
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        paths = {name: check_output(options.out / f"{name}.jpg") for name in options.names or PICTURES}
    except (OSError, ValueError) as error:
        parser.error(str(error))
    for name, path in paths.items():
        started = time.perf_counter()
        with torch.no_grad():
            figure = PICTURES[name]()
        with replacing(path) as part:
            part.write_bytes(encoded(figure))
        print(f"{path}  {path.stat().st_size / 1000:.0f} kB  {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
