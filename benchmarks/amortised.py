"""One pass of a network against 300 steps on the pixels, for the same objective.

Each shipped network paints pairs that it was not trained on; Gatys's method paints them too, with the weights and
layers that the network was trained for (for AdaIN, whose losses are others: α = 1 and β = its λ). Both pastiches are
then measured alike:

    own          the method's own style loss under `mini`: Gram matrices for johnson and cin, moments for adain
    judge        relative error of Gram matrices in the eyes of a SqueezeNet, which neither has met
    content      relative error of the activations at the content layer, under `mini`

What is reported is the network's loss divided by that of Gatys: the geometric mean over the pairs.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from benchmarks.measuring import Figure
from benchmarks.quality import Pair, contact_sheet, pictures_in, style_distance
from stylelearn import adain, cin, gatys, johnson, losses, samples
from stylelearn.encoders import CONTENT_LAYER, Encoder
from stylelearn.images import read_image, resize, square
from stylelearn.optimize import optimize_image, result
from stylelearn.weights import WeightsError, network_file, read_about

if TYPE_CHECKING:
    from benchmarks.feedforward import Plan

WITHIN = 2.5  # times the style loss of Gatys
STYLE_SIZE = 256  # pixels, of the shorter side, where a network's file does not say how large its style was

# What `Perceptual` uses where it is told nothing, as `gatys.objective` takes it.
OBJECTIVE: dict[str, Any] = {
    "content_weight": johnson.CONTENT_WEIGHT,
    "style_weight": johnson.STYLE_WEIGHT,
    "tv_weight": johnson.TV_WEIGHT,
    "content_layer": johnson.CONTENT_LAYER,
    "layer_weights": johnson.LAYER_WEIGHTS,
}


@dataclass(frozen=True)
class Trained:
    """A network and a style that it can paint.

    Attributes:
        name: of the style.
        style: its picture (1, 3, H, W), at the size at which it was learnt; None if it is any picture of a pair.
        paint: (contents, style) -> pastiches, all (1, 3, H, W).
        objective: weights and layers, as `gatys.objective` takes them.
    """

    name: str
    style: Tensor | None
    paint: Callable[[Tensor, Tensor], Tensor]
    objective: dict[str, Any] = field(default_factory=lambda: dict(OBJECTIVE))


@dataclass(frozen=True)
class Measured:
    """One pair: losses of the network over those of Gatys."""

    name: str  # of the style
    own: float
    content: float
    judge: float | None


def quality(method: str, plan: "Plan") -> list[Figure]:
    """Style and content losses of a method's networks relative to Gatys."""
    group = f"{method}, one pass over {plan.steps} steps of Gatys, {plan.size} px"
    try:
        trained = networks(method, plan.folder)
    except WeightsError as error:
        return [Figure(group, "style loss", None, "×", note=f"not measured: {error}")]
    if not trained:
        return [Figure(group, "style loss", None, "×", note="not measured: no picture of its styles; give --pairs DIR")]
    judge = Encoder("squeezenet", weights=plan.judge) if plan.judge else None
    return _figures(group, method, measure(method, trained, plan, Encoder("mini"), judge))


def measure(
    method: str, trained: Sequence[Trained], plan: "Plan", encoder: Encoder, judge: Encoder | None
) -> list[Measured]:
    """Paint `plan.pairs` pairs both ways and compare; draws the contact sheet as it goes."""
    pictures = contents(plan.folder)
    found: list[Measured] = []
    shown: list[Pair] = []
    painted: dict[str, list[Tensor]] = {method: [], "Gatys": []}
    names = [name for name, _ in any_styles(plan.folder)] if method == "adain" else [each.name for each in trained]
    chosen = latin(len(pictures), len(names), plan.pairs)
    for number, (i, j) in enumerate(chosen):
        name, read = pictures[i]
        network = trained[0] if method == "adain" else trained[j]
        style = any_styles(plan.folder)[j][1]() if network.style is None else network.style
        pair = Pair(f"{name} + {names[j]}", square(read(), plan.size), _at(style, network, plan.size))
        plan.watch(pair.name, number, len(chosen))
        terms = gatys.objective(pair.content, pair.style, encoder=encoder, **network.objective)
        theirs = result(optimize_image(pair.content.clone(), terms, plan.steps))
        with torch.inference_mode():
            ours = network.paint(pair.content, pair.style)
            own, content = (
                _ratio(*(one(image) for image in (ours, theirs))) for one in _measures(method, pair, terms, encoder)
            )
        seen = None if judge is None else _ratio(*(style_distance([x], [pair], judge) for x in (ours, theirs)))
        found.append(Measured(names[j], own, content, seen))
        if plan.sheet is not None:
            large = Pair(pair.name, square(read(), plan.sheet_size), _at(style, network, plan.sheet_size))
            with torch.inference_mode():
                painted[method].append(network.paint(large.content, large.style))
            painted["Gatys"].append(theirs)
            shown.append(large)
            path = plan.sheet.with_name(f"{plan.sheet.stem}_{method}{plan.sheet.suffix}")
            contact_sheet(shown, painted, path, plan.sheet_size)  # after each: whoever stops early can look at it
    return found


def _at(style: Tensor, network: Trained, size: int) -> Tensor:
    return square(style, size) if network.style is None else style


def _ratio(ours: float, theirs: float) -> float:
    return max(ours, 1e-12) / max(theirs, 1e-12)


def _measures(
    method: str, pair: Pair, terms: Callable[[Tensor], dict[str, Tensor]], encoder: Encoder
) -> tuple[Callable[[Tensor], float], Callable[[Tensor], float]]:
    """Two functions of a pastiche: the method's own style loss, and the content loss."""

    def of(kind: str) -> Callable[[Tensor], float]:
        return lambda image: sum(float(value) for name, value in terms(image).items() if name.startswith(kind))

    if method != "adain":
        return of("style"), of("content")
    layers = adain.STYLE_LAYERS
    wanted = {layer: losses.moments(value) for layer, value in encoder(pair.style, layers).items()}

    def moments(image: Tensor) -> float:  # Eq. 13, as the decoder was trained for it
        seen = encoder(image, layers)
        return sum(
            float(losses.moments_loss(seen[layer], wanted[layer])) / seen[layer].shape[1] ** 0.5 for layer in layers
        )

    return moments, of("content")


def _figures(group: str, method: str, found: Sequence[Measured]) -> list[Figure]:
    figures = []
    names = list(dict.fromkeys(each.name for each in found))
    if method == "johnson":  # a network for each style
        for name in names:
            own = [each.own for each in found if each.name == name]
            note = f"{len(own)} {'photos' if len(own) > 1 else 'photo'}"
            figures.append(Figure(group, f"style loss, {name}", mean(own), "×", at_most=WITHIN, note=note))
    own = [each.own for each in found]
    spread = f"{len(found)} pairs, {min(own):.2g} to {max(own):.2g}"
    figures.append(Figure(group, "style loss", mean(own), "×", at_most=WITHIN, note=spread))
    judged = [each.judge for each in found if each.judge is not None]
    if judged:
        note = f"{min(judged):.2g} to {max(judged):.2g}"
        figures.append(Figure(group, "style, seen by the judge", mean(judged), "×", at_most=WITHIN, note=note))
    else:
        note = "not measured: give --judge FILE, a squeezenet1_0 checkpoint"
        figures.append(Figure(group, "style, seen by the judge", None, "×", note=note))
    return [*figures, Figure(group, "content loss", mean([each.content for each in found]), "×")]


def mean(ratios: Sequence[float]) -> float:
    """The geometric mean: twice as much and half as much make 1."""
    return math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))


def latin(contents: int, styles: int, count: int) -> list[tuple[int, int]]:
    """`count` different pairs of numbers below `contents` and `styles`, each number as often as any other of its kind.

    The i-th content with the i-th style, beginning again when they run out, and shifted by one when a pair would come
    again; at most contents · styles pairs.
    """
    again = math.lcm(contents, styles)
    return [(k % contents, (k + k // again) % styles) for k in range(min(count, contents * styles))]


# --------------------------------------------------------------------------- pictures and networks

Named = tuple[str, Callable[[], Tensor]]
"""A name, and what reads the picture."""


def contents(folder: Path | None) -> list[Named]:
    """The photographs of the folder, or the course's own."""
    if folder is None:
        return [(name, lambda name=name: samples.content(name)) for name in samples.content_names()]
    return [(path.stem, lambda path=path: read_image(path)) for path in pictures_in(folder / "content")]


def any_styles(folder: Path | None) -> list[Named]:
    """The style pictures of the folder, or the course's own."""
    if folder is None:
        return [(name, lambda name=name: samples.style(name)) for name in samples.style_names()]
    return [(path.stem, lambda path=path: read_image(path)) for path in pictures_in(folder / "style")]


def networks(method: str, folder: Path | None) -> list[Trained]:
    """The shipped networks of a method with all styles of which there is a picture.

    Raises:
        WeightsError: a network that is not there.
    """
    if method == "adain":
        weights = {"content_weight": 1.0, "style_weight": adain.STYLE_WEIGHT, "content_layer": CONTENT_LAYER}
        return [Trained("any", None, adain.load(), weights)]
    if method == "cin":
        network, about = cin.load(), read_about(network_file("cin", "cin"))
        made = {name: _with_style(network, network.mix(name)) for name in network.styles}
        return list(_at_hand({name: (paint, about) for name, paint in made.items()}, folder))
    if not johnson.styles():
        raise WeightsError("the course ships no johnson network")
    loaded = {name: johnson.load(name) for name in johnson.styles()}
    return list(_at_hand({name: (_without_style(each), each.about) for name, each in loaded.items()}, folder))


def _with_style(network: cin.StyleNet, mix: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda content, style: network(content, mix)


def _without_style(network: johnson.TransformationNet) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda content, style: network(content)


def _at_hand(made: dict[str, tuple[Callable[..., Tensor], dict[str, Any]]], folder: Path | None) -> list[Trained]:
    found = []
    for name, (paint, about) in made.items():
        style = style_picture(name, about.get("style_size"), folder)
        if style is not None:
            found.append(Trained(name, style, paint, about.get("objective") or dict(OBJECTIVE)))
    return found


def style_picture(name: str, size: Sequence[int] | None, folder: Path | None) -> Tensor | None:
    """The picture of a trained style as (1, 3, H, W), the course's own or one in the folder; None if it is not there.

    Args:
        name: of the style. In the folder, names count as the same when the words of one are among those of the other:
            "starry_night" is found in vg_starry_night.jpg.
        size: height and width at which it was learnt. A picture of other proportions is another picture.
        folder: with style/ inside.
    """
    if name in samples.style_names():
        image = samples.style(name)
    else:
        words = set(name.split("_"))
        paths = [] if folder is None else pictures_in(folder / "style")
        same = [path for path in paths if words <= (other := set(path.stem.split("_"))) or other <= words]
        if len(same) != 1:
            return None
        image = read_image(same[0])
    if size is None:
        return resize(image, STYLE_SIZE)
    near = resize(image, min(size))
    if max(abs(a - b) for a, b in zip(near.shape[2:], size, strict=True)) > 2:
        return None
    return resize(image, tuple(size), fit="box")
