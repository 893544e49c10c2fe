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

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmarks.measuring import Measurement, Plan, mean, over
from benchmarks.pictures import Pair, by_gatys, pairs, pictures, squares
from stylelearn import adain, gatys
from stylelearn.colour import luminance
from stylelearn.encoders import CONTENT_LAYER, Encoder
from stylelearn.evaluation.metrics import gram_distance, judge
from stylelearn.images import resize
from stylelearn.optimize import Objective
from stylelearn.painting import known_styles, run
from stylelearn.weights import WeightsError, network_file, read_about

METHODS = ("johnson", "cin", "adain")
WITHIN = 2.5  # times the style loss of Gatys
CHOICE = 16  # paintings among which the right one is to be recognised
BLOCK = 16  # pixels a side of the regions that are looked at for a weave
PERIODS = (2, 4, 8)  # of a weave in pixels, each a divisor of the block
FLAT = 0.02  # the standard deviation of luminance below which such a region is flat
LEVEL = 1e-8  # power per frequency of rounding to 8 bits


@dataclass(frozen=True)
class Painted:
    """A pair painted by a network and by Gatys's method, and the terms of the loss that both are measured by."""

    pair: Pair
    ours: Tensor
    theirs: Tensor
    terms: Objective

    def ratio(self, kind: str) -> float:
        """The terms of a kind, "style" or "content", of ours over those of theirs."""
        ours, theirs = (
            sum(float(value) for name, value in self.terms(image).items() if name.startswith(kind))
            for image in (self.ours, self.theirs)
        )
        return over(ours, theirs)


def quality(method: str, plan: Plan) -> Iterator[Measurement]:
    """All of the above for the networks of a method."""
    mini, styles, any_style, found = Encoder("mini"), learnt(method, plan), known_styles(method) is None, []
    for pair in pairs(plan, plan.pairs, {name: lambda style=style: style for name, (style, _) in styles.items()}):
        weights = styles[pair.names[1]][1]
        ours = run(method, pair.content, pair.style if any_style else pair.names[1])
        theirs = by_gatys(pair, mini, plan.steps, **weights)
        found.append(Painted(pair, ours, theirs, gatys.objective(pair.content, pair.style, encoder=mini, **weights)))
    if method == "johnson":  # a network for each style
        for name in dict.fromkeys(each.pair.names[1] for each in found):
            some = [each.ratio("style") for each in found if each.pair.names[1] == name]
            yield Measurement(f"style loss, {name}", mean(some), "×", at_most=WITHIN)
    yield from over_gatys(found)
    yield from seen(found, plan)


def over_gatys(found: Sequence[Painted], when: str = "") -> Iterator[Measurement]:
    """Style and content loss under the encoder of the objective, over those of Gatys's pastiches."""
    own = [each.ratio("style") for each in found]
    note = f"{len(own)} pairs, {min(own):.2g} to {max(own):.2g}"
    yield Measurement(f"style loss{when}", mean(own), "×", at_most=WITHIN, note=note)
    yield Measurement(f"content loss{when}", mean([each.ratio("content") for each in found]), "×")


def seen(found: Sequence[Painted], plan: Plan) -> Iterator[Measurement]:
    """What the judge sees, and the weave."""
    eyes = judge(plan.judge)
    judged = [over(*(gram_distance(x, each.pair.style, eyes) for x in (each.ours, each.theirs))) for each in found]
    yield Measurement(f"style, seen by {eyes.name}", mean(judged), "×", at_most=WITHIN)
    styles = {each.pair.names[1]: each.pair.style for each in found}
    for name, read in squares("style", plan).items():
        if name not in styles and len(styles) < CHOICE:
            styles[name] = read()
    note = f"nearest of {len(styles)} paintings, seen by {eyes.name}"
    for who, attribute in (("style recognised", "ours"), ("style recognised, Gatys", "theirs")):
        share = recognised(((each.pair.names[1], getattr(each, attribute)) for each in found), styles, eyes)
        yield Measurement(who, 100 * share, "%", note=note)
    yield from weaves(found)


# --- the networks that ship -------------------------------------------------------------------------------------------


def learnt(method: str, plan: Plan) -> dict[str, tuple[Tensor, dict[str, Any]]]:
    """Picture and objective (as `gatys.objective` takes it) of each style that a method can paint, by name.

    For johnson and cin, all that they have learnt and of which there is a picture; for adain, the plan's paintings.
    """
    if method == "adain":
        weights = {"content_weight": 1.0, "style_weight": adain.STYLE_WEIGHT, "content_layer": CONTENT_LAYER}
        return {name: (read(), weights) for name, read in squares("style", plan).items()}
    found = {}
    for name in known_styles(method) or ():
        about = read_about(network_file(method, name if method == "johnson" else method))
        style = style_picture(name, about["style_size"] if method == "johnson" else about["style_sizes"][name], plan)
        if style is not None:
            found[name] = style, about["objective"]
    if not found:
        raise WeightsError(f"there is no {method} network of whose style there is a picture; give --pairs DIR")
    return found


def style_picture(name: str, size: Sequence[int], plan: Plan) -> Tensor | None:
    """The picture of a trained style as (1, 3, H, W), the course's own or one in the folder; None if it is not there.

    In the folder, one of the two names may be a part of the other: "starry_night" is found in vg_starry_night.jpg. A
    picture of other proportions than `size`, at which the style was learnt, is another picture.
    """
    own = pictures("style", None)
    others = {} if plan.folder is None else pictures("style", plan.folder)
    same = [own[name]] if name in own else [read for other, read in others.items() if name in other or other in name]
    if len(same) != 1:
        return None
    image = same[0]()
    near = resize(image, min(size)).shape[2:]
    fits = all(abs(a - b) <= 2 for a, b in zip(near, size, strict=True))
    return resize(image, tuple(size), fit="box") if fits else None


# --- measures of pastiches --------------------------------------------------------------------------------------------


def recognised(pastiches: Iterable[tuple[str, Tensor]], styles: Mapping[str, Tensor], encoder: Encoder) -> float:
    """The share of pastiches, (name of the right painting, image), whose nearest painting by Gram distance it is."""
    return statistics.fmean(
        name == min(styles, key=lambda style: gram_distance(image, styles[style], encoder)) for name, image in pastiches
    )


def weaves(found: Sequence[Painted]) -> Iterator[Measurement]:
    """The network's power over the photo's, and over that of Gatys's pastiche, in the photo's flat regions."""
    powers = []
    for each in found:
        where = flat_regions(each.pair.content)
        if where.any():
            powers.append([weave(image, where) for image in (each.ours, each.pair.content, each.theirs)])
    for period in PERIODS if powers else ():
        for which, name in ((1, "the photo's"), (2, "Gatys's")):
            ratios = [max(one[0][period], LEVEL) / max(one[which][period], LEVEL) for one in powers]
            yield Measurement(f"weave of {period} px over {name}", mean(ratios), "×", note=f"{len(ratios)} photos")


def flat_regions(photo: Tensor) -> Tensor:
    """Which blocks of a photo are flat, as a mask over the rows of `_blocks`: (N,) bool."""
    return _blocks(photo).std(dim=(1, 2), correction=0) < FLAT


def weave(image: Tensor, where: Tensor) -> dict[int, float]:
    """Mean power of luminance at each of `PERIODS` in some blocks: across, down and on both diagonals.

    A wave of amplitude a along one axis has a² / 2, at period 2 a². Hann's window keeps slow changes of light out.
    """
    window = torch.hann_window(BLOCK, dtype=torch.float64)
    window = window[:, None] * window / window.sum() ** 2
    power = torch.fft.fft2(_blocks(image)[where] * window).abs().square().mean(dim=0)  # (BLOCK, BLOCK)
    found = {}
    for period in PERIODS:
        k = BLOCK // period
        waves = {(y, x) for y in (0, k, -k % BLOCK) for x in (0, k, -k % BLOCK)} - {(0, 0)}
        found[period] = sum(float(power[wave]) for wave in waves)
    return found


def _blocks(image: Tensor) -> Tensor:
    """Luminance in blocks that overlap by half: (N, BLOCK, BLOCK)."""
    grey = luminance(image)[0, 0].double()
    return grey.unfold(0, BLOCK, BLOCK // 2).unfold(1, BLOCK, BLOCK // 2).reshape(-1, BLOCK, BLOCK)
