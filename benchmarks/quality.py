"""One pass of a network against `plan.steps` steps on the pixels for the same objective (lessons 03 to 05).

Each network that ships paints pairs that it was not trained on; Gatys's method paints them too, with the weights and
layers that the network was trained for (for AdaIN, whose losses are others: α = 1 and β = its λ). Measured of both:

    own         the method's own style loss under `mini`: Gram matrices for johnson and cin, moments for adain
    judge       relative error of Gram matrices as SqueezeNet sees them; neither method has optimised for it
    content     relative error of the activations at the content layer, under `mini`
    recognised  the share of pastiches whose nearest painting of 16, by Gram distance, is the right one

The first three are the network's loss over that of Gatys: the geometric mean over the pairs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from benchmarks.measuring import Measurement, Plan, missing
from benchmarks.pictures import Pair, contact_sheet, latin, mean, paintings, photos, ratio
from stylelearn import adain, cin, gatys, johnson, losses
from stylelearn.encoders import CONTENT_LAYER, Encoder
from stylelearn.evaluation.metrics import gram_distance, judge
from stylelearn.images import resize, square
from stylelearn.optimize import Objective, optimize_image, result
from stylelearn.weights import WeightsError, network_file, read_about

WITHIN = 2.5  # times the style loss of Gatys
STYLE_SIZE = 256  # pixels of the shorter side, where a network's file does not say how large its style was
CHOICE = 16  # paintings among which the right one is to be recognised

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
class Painted:
    """A pair painted by both; `style` is the name of its painting."""

    pair: Pair
    style: str
    ours: Tensor
    theirs: Tensor
    terms: Objective


# --- measures of pastiches --------------------------------------------------------------------------------------------


def recognised(pastiches: Sequence[tuple[str, Tensor]], styles: Mapping[str, Tensor], encoder: Encoder) -> float:
    """The share of pastiches whose nearest painting by Gram distance is the right one.

    Args:
        pastiches: (name of the right painting, image) each.
        styles: the paintings to choose from, by name.
        encoder: the judge.
    """
    right = 0
    for name, image in pastiches:
        found = {other: gram_distance(image, painting, encoder) for other, painting in styles.items()}
        right += min(found, key=lambda other: found[other]) == name
    return right / len(pastiches)


# --- the networks that ship -------------------------------------------------------------------------------------------


def quality(method: str, plan: Plan) -> list[Measurement]:
    """All of the above for the networks of a method."""
    group = f"{method}, one pass over {plan.steps} steps of Gatys, {plan.size} px"
    try:
        trained = networks(method, plan)
    except WeightsError as error:
        return missing(group, "style loss", error, "×")
    if not trained:
        return missing(group, "style loss", "no picture of its styles; give --pairs DIR", "×")
    mini = Encoder("mini")
    painted = list(paint(method, trained, plan, mini))
    figures = []
    own = [ratio(*(_own_loss(method, each, mini)(image) for image in (each.ours, each.theirs))) for each in painted]
    if method == "johnson":  # a network for each style
        for name in dict.fromkeys(each.style for each in painted):
            some = [value for value, each in zip(own, painted, strict=True) if each.style == name]
            figures.append(Measurement(group, f"style loss, {name}", mean(some), "×", at_most=WITHIN))
    spread = f"{len(painted)} pairs, {min(own):.2g} to {max(own):.2g}"
    figures.append(Measurement(group, "style loss", mean(own), "×", at_most=WITHIN, note=spread))
    eyes = judge(plan.judge)
    judged = [
        ratio(*(gram_distance(image, each.pair.style, eyes) for image in (each.ours, each.theirs))) for each in painted
    ]
    figures.append(Measurement(group, f"style, seen by {eyes.name}", mean(judged), "×", at_most=WITHIN))
    figures.append(Measurement(group, "content loss", mean(over_gatys(painted, "content")), "×"))
    return [*figures, *styles_recognised(group, painted, plan)]


def over_gatys(painted: Sequence[Painted], kind: str) -> list[float]:
    """The terms of a kind, "style" or "content", of the network's pastiche over those of Gatys's."""
    return [ratio(*(_sum(each.terms(image), kind) for image in (each.ours, each.theirs))) for each in painted]


def styles_recognised(group: str, painted: Sequence[Painted], plan: Plan) -> list[Measurement]:
    """`recognised` of both, among the pairs' paintings and more of the plan's, `CHOICE` in all."""
    seen_by = judge(plan.judge)
    styles = {each.style: each.pair.style for each in painted}
    for name, read in paintings(plan.folder).items():
        if name not in styles and len(styles) < CHOICE:
            styles[name] = square(read(), plan.size)
    note = f"nearest of {len(styles)} paintings, seen by {seen_by.name}"
    shares = {
        who: recognised([(each.style, getattr(each, name)) for each in painted], styles, seen_by)
        for who, name in (("style recognised", "ours"), ("style recognised, Gatys", "theirs"))
    }
    return [Measurement(group, who, 100 * share, "%", note=note) for who, share in shares.items()]


def paint(method: str, trained: Sequence[Trained], plan: Plan, encoder: Encoder) -> Iterator[Painted]:
    """`plan.pairs` pairs painted both ways; draws the contact sheet as it goes."""
    contents, styles = list(photos(plan.folder).items()), list(paintings(plan.folder).items())
    any_style = trained[0].style is None
    chosen = latin(len(contents), len(styles if any_style else trained), plan.pairs)
    shown: list[Pair] = []
    made: dict[str, list[Tensor]] = {method: [], "Gatys": []}
    for number, (i, j) in enumerate(chosen):
        (content, read), network = contents[i], trained[0 if any_style else j]
        name = styles[j][0] if any_style else network.name
        style = square(styles[j][1](), plan.size) if network.style is None else network.style
        pair = Pair(f"{content} + {name}", square(read(), plan.size), style)
        plan.watch(pair.name, number, len(chosen))
        terms = gatys.objective(pair.content, pair.style, encoder=encoder, **network.objective)
        theirs = result(optimize_image(pair.content.clone(), terms, plan.steps))
        with torch.inference_mode():
            ours = network.paint(pair.content, pair.style)
        shown.append(pair)
        made[method].append(ours)
        made["Gatys"].append(theirs)
        if (sheet := plan.drawn(method)) is not None:
            contact_sheet(shown, made, sheet, plan.size)
        yield Painted(pair, name, ours, theirs, terms)


def _sum(terms: Mapping[str, Tensor], kind: str) -> float:
    return sum(float(value) for name, value in terms.items() if name.startswith(kind))


def _own_loss(method: str, painted: Painted, encoder: Encoder) -> Callable[[Tensor], float]:
    """The style loss that the method was trained for."""
    if method != "adain":
        return lambda image: _sum(painted.terms(image), "style")
    layers = adain.STYLE_LAYERS
    wanted = {layer: losses.moments(value) for layer, value in encoder(painted.pair.style, layers).items()}

    def moments(image: Tensor) -> float:  # Eq. 13, as the decoder was trained for it
        seen = encoder(image, layers)
        return sum(
            float(losses.moments_loss(seen[layer], wanted[layer])) / seen[layer].shape[1] ** 0.5 for layer in layers
        )

    return moments


def networks(method: str, plan: Plan) -> list[Trained]:
    """The shipped networks of a method with all styles of which there is a picture.

    Raises:
        WeightsError: a network that is not there.
    """
    if method == "adain":
        weights = {"content_weight": 1.0, "style_weight": adain.STYLE_WEIGHT, "content_layer": CONTENT_LAYER}
        return [Trained("any", None, adain.load(), weights)]
    made: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], dict[str, Any]]] = {}
    if method == "cin":
        many, about = cin.load(), read_about(network_file("cin", "cin"))
        for name in many.styles:
            made[name] = (lambda content, style, name=name: many(content, many.mix(name))), about
    else:
        for name in johnson.styles():
            one = johnson.load(name)
            made[name] = (lambda content, style, one=one: one(content)), one.about
        if not made:
            raise WeightsError("the course ships no johnson network")
    found = []
    for name, (painter, about) in made.items():
        style = style_picture(name, about.get("style_size"), plan)
        if style is not None:
            found.append(Trained(name, style, painter, about.get("objective") or dict(OBJECTIVE)))
    return found


def style_picture(name: str, size: Sequence[int] | None, plan: Plan) -> Tensor | None:
    """The picture of a trained style as (1, 3, H, W), the course's own or one in the folder; None if it is not there.

    Args:
        name: of the style. In the folder, names count as the same when the words of one are among those of the other:
            "starry_night" is found in vg_starry_night.jpg.
        size: height and width at which it was learnt. A picture of other proportions is another picture.
    """
    own = paintings(None)
    if name in own:
        image = own[name]()
    else:
        words = set(name.split("_"))
        others = {} if plan.folder is None else paintings(plan.folder)
        same = [each for each in others if words <= (other := set(each.split("_"))) or other <= words]
        if len(same) != 1:
            return None
        image = others[same[0]]()
    if size is None:
        return resize(image, STYLE_SIZE)
    near = resize(image, min(size))
    if max(abs(a - b) for a, b in zip(near.shape[2:], size, strict=True)) > 2:
        return None
    return resize(image, tuple(size), fit="box")
