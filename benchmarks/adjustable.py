"""Lesson 08: do the sliders do what they say, does the photo come back, how near is it to Gatys, how quick, how varied.

sliders      raising one α from 0 to 1 in six steps: how often does the loss of that layer fall with every step
photo        all α at 0: how much of the photo comes back
gatys        all α at 1 beside 300 steps on the pixels, which want the same (`adjustable.gatys_weights`); once as the
             network meets the painting, and once after practice with it (`practice`), on the course's own photos
moves        seconds from a slider of the lab to new pixels, through the lab's own callback
diversity    several pastiches of one pair: random α and noise, beside AdaIN, which has the noise only
"""

import itertools
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks import feedforward
from benchmarks.amortised import any_styles, contents, latin, mean
from benchmarks.encoder import Watch
from benchmarks.measuring import Figure
from benchmarks.quality import Pair, contact_sheet
from stylelearn import adain, adjustable, gatys, losses
from stylelearn.adjustable import diversity, gatys_weights, with_noise
from stylelearn.images import psnr, square
from stylelearn.networks.conditioning import AdjustableNet
from stylelearn.optimize import optimize_image, result
from stylelearn.practice import STEPS as PRACTICE
from stylelearn.practice import practise
from stylelearn.weights import WeightsError

STEPS = 6  # of a slider, from 0 to 1
DOWNHILL = 90.0  # % of pairs and layers
PHOTO = 20.0  # dB
EXACT = 100.0  # dB, what a photo that comes back as it was counts as: its PSNR has no limit, and a table wants a number
WITHIN = 2.5  # times the style loss of Gatys
NOISE = 0.1


@dataclass(frozen=True)
class Plan:
    """How thorough, and with what.

    Attributes:
        size: side of the (square) pictures in pixels.
        pairs: how many contents and styles are paired. gatys_pairs: for so many of them pixels are optimised, in
            `steps` steps, the style practised in `practice`, and `several` pastiches of each pair are compared.
        rounds: of the time measurement.
        folder: with content/ and style/ inside; None: the course's own pictures.
        sheet: where a contact sheet goes, or None.
    """

    size: int = 256
    pairs: int = 100
    gatys_pairs: int = 16
    steps: int = 300
    practice: int = PRACTICE
    several: int = 8
    rounds: int = 15
    folder: Path | None = None
    sheet: Path | None = None
    watch: Watch = field(default=lambda what, done, of: None, compare=False)


QUICK: dict[str, Any] = {"size": 64, "pairs": 2, "gatys_pairs": 1, "steps": 5, "practice": 2, "several": 3, "rounds": 2}


def groups(plan: Plan) -> Iterator[tuple[str, Callable[[], list[Figure]]]]:
    """(title, what to measure) one after the other; nothing is measured before it is called."""
    parts = {
        f"sliders, {plan.pairs} pairs at {plan.size} px": sliders,
        f"all α = 0, {plan.pairs} pairs at {plan.size} px": photo,
        f"all α = 1 over {plan.steps} steps of Gatys, {plan.size} px": beside_gatys,
        f"pastiches of one pair, {plan.size} px": variety,
    }
    for title, measure in parts.items():
        yield title, lambda title=title, measure=measure: _if_there(title, measure, plan)
    yield f"from a slider to new pixels, {plan.size} px", lambda: feedforward.moves(plan.size, plan.rounds, LABS)


def _if_there(group: str, measure: Callable[..., list[Figure]], plan: Plan) -> list[Figure]:
    try:
        net = adjustable.load()
    except WeightsError as error:
        return [Figure(group, "adjustable", None, note=f"not measured: {error}")]
    with torch.no_grad():
        return measure(group, net, plan)


def pairs(plan: Plan, count: int) -> Iterator[Pair]:
    """`count` pairs of the folder's pictures, each content and each style as often as any other."""
    photos, styles = contents(plan.folder), any_styles(plan.folder)
    chosen = latin(len(photos), len(styles), count)
    for number, (i, j) in enumerate(chosen):
        (content, read), (style, look) = photos[i], styles[j]
        plan.watch(f"{content} + {style}", number, len(chosen))
        yield Pair(f"{content} + {style}", square(read(), plan.size), square(look(), plan.size))


# --------------------------------------------------------------------------- the sliders


def sliders(group: str, net: AdjustableNet, plan: Plan) -> list[Figure]:
    """The share of pairs × layers whose loss never rises, with the other α at 0 and at 1; and how far it falls."""
    figures = []
    paths = {others: [] for others in (0.0, 1.0)}
    for pair in pairs(plan, plan.pairs):
        for others, found in paths.items():
            found += [falls(net, pair, layer, others) for layer in net.style_layers]
    for others, found in paths.items():
        share = 100 * statistics.fmean(all(b <= a for a, b in itertools.pairwise(path)) for path in found)
        lower = 100 * statistics.fmean(path[-1] < path[0] for path in found)
        note = f"{len(found)} sliders, {STEPS} steps each; lower at 1 than at 0: {lower:.1f} %"
        asked = DOWNHILL if others == 0 else None
        figures.append(Figure(group, f"falls with every step, other α at {others:g}", share, "%", asked, note=note))
        left = mean([max(path[-1], 1e-12) / max(path[0], 1e-12) for path in found])
        figures.append(Figure(group, f"loss at 1 over loss at 0, other α at {others:g}", left, "×"))
    return figures


def falls(net: AdjustableNet, pair: Pair, layer: str, others: float) -> list[float]:
    """The style loss of a layer while its α goes from 0 to 1 in STEPS values; `others` is the α of the other layers."""
    settings = torch.full((STEPS, len(net.adjustable)), 1.0)
    settings[:, : len(net.style_layers)] = others
    settings[:, net.adjustable.index(layer)] = torch.linspace(0, 1, STEPS)
    made = net(pair.content.expand(STEPS, -1, -1, -1), net.style(pair.style), settings)
    seen, wanted = (net.encoder(image, layer)[layer] for image in (made, pair.style))
    return losses.style_loss(seen, losses.mean_gram(wanted), each=True).tolist()


def photo(group: str, net: AdjustableNet, plan: Plan) -> list[Figure]:
    """How much of the photo comes back when no layer of the style counts."""
    found = [
        min(psnr(net(pair.content, net.style(pair.style), net.alphas(0.0)), pair.content), EXACT)
        for pair in pairs(plan, plan.pairs)
    ]
    return [
        Figure(group, "PSNR, median", statistics.median(found), "dB", at_least=PHOTO),
        Figure(group, "PSNR, lowest", min(found), "dB", at_least=PHOTO, note=f"of {len(found)} pairs"),
    ]


# --------------------------------------------------------------------------- beside others


def beside_gatys(group: str, net: AdjustableNet, plan: Plan) -> list[Figure]:
    """Style and content loss of one pass over those of the pixels that were optimised for the same; draws the sheet."""
    ratios: dict[str, dict[str, list[float]]] = {}
    shown: list[Pair] = []
    painted: dict[str, list[Tensor]] = {}
    for pair in pairs(plan, plan.gatys_pairs):
        objective = gatys.objective(
            pair.content, pair.style, encoder=net.encoder, **gatys_weights(net, net.alphas(1.0))
        )
        with torch.enable_grad():
            theirs = result(optimize_image(pair.content.clone(), objective, plan.steps))
        rows = _corners(net, pair)
        *_, (_, practised) = practise(net, pair.style, steps=plan.practice)
        rows["practised"] = net(pair.content, practised, net.alphas(1.0))
        for title in ("all at 1", "practised"):
            for kind in ("style", "content"):
                ours, other = (
                    sum(float(value) for name, value in objective(image).items() if name.startswith(kind))
                    for image in (rows[title], theirs)
                )
                found = ratios.setdefault(title, {}).setdefault(kind, [])
                found.append(max(ours, 1e-12) / max(other, 1e-12))
        if plan.sheet is not None:
            shown.append(pair)
            for title, image in {**rows, "Gatys": theirs}.items():
                painted.setdefault(title, []).append(image)
            contact_sheet(shown, painted, plan.sheet, plan.size)
    figures = []
    for title, when in (("all at 1", ""), ("practised", f", after {plan.practice} steps of practice")):
        style, content = ratios[title]["style"], ratios[title]["content"]
        note = f"{len(style)} pairs, {min(style):.2g} to {max(style):.2g}"
        figures.append(Figure(group, f"style loss{when}", mean(style), "×", at_most=WITHIN, note=note))
        figures.append(Figure(group, f"content loss{when}", mean(content), "×"))
    return figures


def _corners(net: AdjustableNet, pair: Pair) -> dict[str, Tensor]:
    """The pair painted without style, with each layer alone, and with all."""
    none = dict.fromkeys(net.adjustable, 0.0)
    settings = {"all at 0": none, **{f"{layer} at 1": none | {layer: 1.0} for layer in net.style_layers}}
    settings["all at 1"] = dict.fromkeys(net.adjustable, 1.0)
    known = net.style(pair.style)
    return {title: net(pair.content, known, net.alphas(chosen)) for title, chosen in settings.items()}


def variety(group: str, net: AdjustableNet, plan: Plan) -> list[Figure]:
    """Mean distance of several pastiches of one pair, in features of the photo's layer; AdaIN gets the same noise."""
    other = adain.load()
    found: dict[str, list[float]] = {}
    for number, pair in enumerate(pairs(plan, plan.gatys_pairs)):
        alphas = torch.rand(
            plan.several, len(net.adjustable), generator=torch.Generator().manual_seed(number)
        )  # one row a pastiche
        noisy = torch.cat([with_noise(pair.content, NOISE, seed) for seed in range(plan.several)])
        plain = pair.content.expand(plan.several, -1, -1, -1)
        known, all_of_it = net.style(pair.style), net.alphas(1.0)
        for name, made in {
            "random α": net(plain, known, alphas),
            "random α and noise": net(noisy, known, alphas),
            "noise only": net(noisy, known, all_of_it),
            "AdaIN, noise only": other(noisy, pair.style),
            "AdaIN, one pastiche": other(plain, pair.style),
        }.items():
            found.setdefault(name, []).append(diversity(made, net.encoder, net.content_layers[0]))
    note = f"{plan.several} pastiches of each of {plan.gatys_pairs} pairs; noise {NOISE:g}"
    return [Figure(group, name, statistics.fmean(values), note=note) for name, values in found.items()]


# --------------------------------------------------------------------------- the lab


def _lab(size: int) -> feedforward.Moved:
    from stylelearn.lab.adjustable import AdjustableLab

    lab = AdjustableLab(feedforward.photo_of(size), size=size)
    slider = next(iter(lab.alphas.sliders.values()))

    def move(number: int) -> None:
        slider.value = feedforward.share(number)

    return lab, move


LABS: dict[str, Callable[[int], feedforward.Moved]] = {"adjustable: the α of a layer": _lab}
