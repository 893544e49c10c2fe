"""A network, from coarse to fine, against `plan.steps` steps on the pixels for the same objective (lessons 03 to 05).

Each network that ships paints pairs that it was not trained on; Gatys's method paints them too, with the weights and
layers that the network was trained for (for AdaIN, whose content loss is another: with the photo's content at weight
1). Measured of both:

    own         the style loss under `mini`
    judge       relative error of Gram matrices as SqueezeNet sees them; neither method has optimised for it
    content     relative error of the activations at the content layer, under `mini`
    recognised  the share of pastiches whose nearest painting of 16, by Gram distance, is the right one
    weave       power at periods of 2, 4 and 8 pixels where the photo is flat

The first three are the network's loss over that of Gatys: the geometric mean over the pairs.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks.measuring import Measurement, Plan
from benchmarks.pictures import Pair, contact_sheet, latin, mean, paintings, photos, ratio
from stylelearn import adain, cin, gatys, johnson
from stylelearn.colour import luminance
from stylelearn.encoders import CONTENT_LAYER, Encoder
from stylelearn.evaluation.metrics import gram_distance, judge
from stylelearn.images import resize, square
from stylelearn.networks.coarse import coarse_to_fine
from stylelearn.optimize import Objective, optimize_image, result
from stylelearn.weights import WeightsError, network_file, read_about

WITHIN = 2.5  # times the style loss of Gatys
STYLE_SIZE = 256  # pixels of the shorter side, where a network's file does not say how large its style was
CHOICE = 16  # paintings among which the right one is to be recognised
BLOCK = 16  # pixels a side of the regions that are looked at for a weave
PERIODS = (2, 4, 8)  # of a weave in pixels, each a divisor of the block
FLAT = 0.02  # the standard deviation of luminance below which such a region is flat
LEVEL = 1e-8  # power per frequency of rounding to 8 bits


@dataclass(frozen=True)
class Trained:
    """A network and a style that it can paint.

    Attributes:
        name: of the style.
        style: its picture (1, 3, H, W), at the size at which it was learnt.
        paint: (contents, style) -> pastiches, all (1, 3, H, W).
        objective: weights and layers, as `gatys.objective` takes them.
    """

    name: str
    style: Tensor
    paint: Callable[[Tensor, Tensor], Tensor]
    objective: Mapping[str, Any] = field(default_factory=dict)


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
    """The share of pastiches, (name of the right painting, image), whose nearest painting by Gram distance it is.

    Args:
        styles: the paintings to choose from, by name. encoder: the judge.
    """
    right = 0
    for name, image in pastiches:
        found = {other: gram_distance(image, painting, encoder) for other, painting in styles.items()}
        right += min(found, key=lambda other: found[other]) == name
    return right / len(pastiches)


def flat_regions(photo: Tensor) -> Tensor:
    """Which blocks of a photo are flat, as a mask over the rows of `_blocks`: (N,) bool."""
    return _blocks(photo).std(dim=(1, 2), correction=0) < FLAT


def weave(image: Tensor, where: Tensor) -> dict[int, float]:
    """Mean power of luminance at each of `PERIODS` in some blocks: across, down and on both diagonals.

    A wave of amplitude a along one axis has a² / 2, at period 2 a². Hann's window keeps slow changes of light out.

    Args:
        image: (1, 3, H, W). where: of `flat_regions`, of a photo of the same size.
    Returns:
        period -> power; NaN where no block is flat.
    """
    if not where.any():
        return dict.fromkeys(PERIODS, math.nan)
    window = torch.hann_window(BLOCK, dtype=torch.float64)
    window = window[:, None] * window / window.sum() ** 2
    power = torch.fft.fft2(_blocks(image)[where] * window).abs().square()  # (n, BLOCK, BLOCK)
    found = {}
    for period in PERIODS:
        k = BLOCK // period
        waves = {(y, x) for y in (0, k, -k % BLOCK) for x in (0, k, -k % BLOCK)} - {(0, 0)}
        found[period] = float(sum(power[:, y, x] for y, x in waves).mean())  # type: ignore[union-attr]
    return found


def _blocks(image: Tensor) -> Tensor:
    """Luminance in blocks that overlap by half: (N, BLOCK, BLOCK)."""
    grey = luminance(image)[0, 0].double()
    return grey.unfold(0, BLOCK, BLOCK // 2).unfold(1, BLOCK, BLOCK // 2).reshape(-1, BLOCK, BLOCK)


# --- the networks that ship -------------------------------------------------------------------------------------------


def quality(method: str, plan: Plan) -> list[Measurement]:
    """All of the above for the networks of a method."""
    group = f"{method}, from coarse to fine, over {plan.steps} steps of Gatys, {plan.size} px"
    trained = networks(method, plan)
    mini = Encoder("mini")
    painted = list(paint(method, trained, plan, mini))
    figures = []
    own = over_gatys(painted, "style")
    if method == "johnson":  # a network for each style
        for name in dict.fromkeys(each.style for each in painted):
            some = [value for value, each in zip(own, painted, strict=True) if each.style == name]
            figures.append(Measurement(group, f"style loss, {name}", mean(some), "×", at_most=WITHIN))
    spread = f"{len(painted)} pairs, {min(own):.2g} to {max(own):.2g}"
    figures.append(Measurement(group, "style loss", mean(own), "×", at_most=WITHIN, note=spread))
    eyes = judge(plan.judge)
    judged = [ratio(*(gram_distance(x, each.pair.style, eyes) for x in (each.ours, each.theirs))) for each in painted]
    figures.append(Measurement(group, f"style, seen by {eyes.name}", mean(judged), "×", at_most=WITHIN))
    figures.append(Measurement(group, "content loss", mean(over_gatys(painted, "content")), "×"))
    return [*figures, *styles_recognised(group, painted, plan), *weaves(group, painted)]


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


def weaves(group: str, painted: Sequence[Painted]) -> list[Measurement]:
    """The network's power over the photo's, and over that of Gatys's pastiche, in the photo's flat regions."""
    over: dict[tuple[int, str], list[float]] = {}
    for each in painted:
        where = flat_regions(each.pair.content)
        if not where.any():
            continue
        ours, photo, theirs = (weave(image, where) for image in (each.ours, each.pair.content, each.theirs))
        for period, power in ours.items():
            for name, other in (("the photo's", photo), ("Gatys's", theirs)):
                found = max(power, LEVEL) / max(other[period], LEVEL)
                over.setdefault((period, name), []).append(found)
    return [
        Measurement(group, f"weave of {period} px over {name}", mean(values), "×", note=f"{len(values)} photos")
        for (period, name), values in over.items()
    ]


def paint(method: str, trained: Sequence[Trained], plan: Plan, encoder: Encoder) -> Iterator[Painted]:
    """`plan.pairs` pairs painted both ways; draws the contact sheet as it goes."""
    contents = list(photos(plan.folder).items())
    chosen = latin(len(contents), len(trained), plan.pairs)
    shown: list[Pair] = []
    made: dict[str, list[Tensor]] = {method: [], "Gatys": []}
    for number, (i, j) in enumerate(chosen):
        (content, read), network = contents[i], trained[j]
        pair = Pair(f"{content} + {network.name}", square(read(), plan.size), network.style)
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
        yield Painted(pair, network.name, ours, theirs, terms)


def _sum(terms: Mapping[str, Tensor], kind: str) -> float:
    return sum(float(value) for name, value in terms.items() if name.startswith(kind))


def networks(method: str, plan: Plan) -> list[Trained]:
    """The shipped networks of a method with all styles of which there is a picture; AdaIN with the plan's paintings.

    Raises:
        WeightsError: there is none. ValueError: another method.
    """
    if method == "adain":
        network = adain.load()
        weights = {"content_weight": 1.0, "style_weight": adain.STYLE_WEIGHT, "content_layer": CONTENT_LAYER}
        known = paintings(plan.folder).items()

        def to_any(content: Tensor, style: Tensor) -> Tensor:
            return coarse_to_fine(partial(network, styles=style), content)

        return [Trained(name, square(read(), plan.size), to_any, weights) for name, read in known]
    made: dict[str, tuple[Callable[[Tensor], Tensor], dict[str, Any], Any]] = {}
    if method == "cin":
        many, about = cin.load(), read_about(network_file("cin", "cin"))
        for name in many.styles:
            made[name] = partial(many, mix=many.mix(name)), about, about.get("style_sizes", {}).get(name)
    elif method == "johnson":
        for name in johnson.styles():
            one = johnson.load(name)
            made[name] = one, one.about, one.about.get("style_size")
    else:
        raise ValueError(f"the networks of {method!r} are not measured here; those of adain, cin and johnson are")
    found = []
    for name, (one, about, size) in made.items():
        style = style_picture(name, size, plan)
        if style is not None:
            painter = partial(_from_coarse, one)
            found.append(Trained(name, style, painter, about["objective"]))
    if not found:
        raise WeightsError(f"there is no {method} network of whose style there is a picture; give --pairs DIR")
    return found


def _from_coarse(network: Callable[[Tensor], Tensor], content: Tensor, style: Tensor) -> Tensor:
    return coarse_to_fine(network, content)


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
