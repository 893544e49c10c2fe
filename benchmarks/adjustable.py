"""Lesson 08: do the sliders do what they say, does the photo come back, how near is it to Gatys, how quick, how varied.

sliders    raising one α from 0 to 1 in six steps: how often does the loss of that layer fall with every step, and does
           any other slider lower it more
photo      all α at 0: how much of the photo comes back
distinct   one α at 1, the others at 0: how different the layers' pictures are from each other
gatys      all α at 1 beside Gatys's steps on the pixels for the same objective (`adjustable.gatys_weights`), as the
           network meets the painting and after test-time training on it
moves      seconds from a slider of the lab to new pixels, through the lab's own callback
variety    several pastiches of one pair: random α and noise, beside AdaIN, which has the noise only
"""

import itertools
import statistics
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from benchmarks import feedforward, quality
from benchmarks.measuring import Measurement, Plan
from benchmarks.pictures import Pair, contact_sheet, mean, pairs, ratio
from stylelearn import adain, adjustable, gatys, losses
from stylelearn.adjustable import diversity, gatys_weights, with_noise
from stylelearn.images import psnr
from stylelearn.networks.coarse import SHARE, coarse_to_fine
from stylelearn.networks.conditioning import AdjustableNet
from stylelearn.optimize import optimize_image, result
from stylelearn.practice import STEPS, practise

VALUES = 6  # of a slider, from 0 to 1
DOWNHILL, OWN_IS_BEST = {0.0: 95.0, 1.0: 85.0}, 80.0  # % of pairs and layers; by the α of the others
APART = 0.6
PHOTO, EXACT = 24.0, 100.0  # dB: promised, and what a photo that comes back as it was counts as
SEVERAL, NOISE = 8, 0.1  # pastiches of one pair


def groups(plan: Plan) -> Iterator[tuple[str, Callable[[], list[Measurement]]]]:
    """(title, what to measure) one after the other; nothing is measured before it is called."""
    parts = {
        f"sliders, {plan.many} pairs at {plan.size} px": sliders,
        f"all α = 0, {plan.many} pairs at {plan.size} px": photo,
        f"pictures of single layers, {plan.many} pairs at {plan.size} px": distinct,
        f"all α = 1 over {plan.steps} steps of Gatys, {plan.size} px": beside_gatys,
        f"pastiches of one pair, {plan.size} px": variety,
    }
    for title, measure in parts.items():
        yield title, lambda title=title, measure=measure: measure(title, adjustable.load(), plan)
    yield f"from a slider to new pixels, {plan.size} px", lambda: feedforward.moves(plan.size, plan.rounds, LABS)


# --- measures of sliders ----------------------------------------------------------------------------------------------


def own_is_best(before: Tensor, after: Tensor) -> float:
    """The share of layers whose loss is lowered most by their own slider.

    Args:
        before: the loss of each layer with all sliders at 0, (L,).
        after: after[i, j] is the loss of layer j with slider i alone at 1, (L, L).
    """
    fall = after / before.clamp_min(losses.EPSILON)  # what is left of each layer's loss
    own = fall.diagonal()
    others = fall.masked_fill(torch.eye(len(before), dtype=torch.bool), torch.inf).min(dim=0).values
    return float((own < others).float().mean())


def distinctness(alone: Tensor, photo: Tensor) -> float:
    """How far pictures are from each other, relative to how far they are from the photo: RMS over RMS.

    0 for equal pictures, √2 for changes that have nothing in common, 2 for two opposite ones.

    Args:
        alone: the picture of each layer, (L, 3, H, W), L ≥ 2. photo: (1, 3, H, W).
    """
    change = (alone - photo).flatten(1).double()
    apart = torch.pdist(change).square().mean().sqrt()
    return float(apart / change.square().sum(dim=1).mean().sqrt().clamp_min(1e-12))


# --- the network that ships -------------------------------------------------------------------------------------------


@torch.no_grad()
def sliders(group: str, net: AdjustableNet, plan: Plan) -> list[Measurement]:
    """The share of pairs × layers whose loss never rises, with the other α at 0 and at 1; and how far it falls."""
    figures = []
    paths: dict[float, list[list[float]]] = {0.0: [], 1.0: []}
    best = []
    for pair in pairs(plan, plan.many):
        for others, found in paths.items():
            found += [falls(net, pair, layer, others) for layer in net.style_layers]
        known = net.style(pair.style)
        before = layer_losses(net, pair, net(pair.content, known, net.alphas(0.0)))[0]
        best.append(own_is_best(before, layer_losses(net, pair, alone(net, pair))))
    for others, found in paths.items():
        share = 100 * statistics.fmean(all(b <= a for a, b in itertools.pairwise(path)) for path in found)
        lower = 100 * statistics.fmean(path[-1] < path[0] for path in found)
        note = f"{len(found)} sliders, {VALUES} values each; lower at 1 than at 0: {lower:.1f} %"
        figures.append(
            Measurement(group, f"falls with every step, other α at {others:g}", share, "%", DOWNHILL[others], note=note)
        )
        left = mean([ratio(path[-1], path[0]) for path in found])
        figures.append(Measurement(group, f"loss at 1 over loss at 0, other α at {others:g}", left, "×"))
    note = "the others at 0"
    share = 100 * statistics.fmean(best)
    figures.append(Measurement(group, "no other slider lowers a layer's loss more", share, "%", OWN_IS_BEST, note=note))
    return figures


def falls(net: AdjustableNet, pair: Pair, layer: str, others: float) -> list[float]:
    """The style loss of a layer while its α goes from 0 to 1; `others` is the α of the other layers."""
    settings = torch.full((VALUES, len(net.adjustable)), 1.0)
    settings[:, : len(net.style_layers)] = others
    settings[:, net.adjustable.index(layer)] = torch.linspace(0, 1, VALUES)
    made = net(pair.content.expand(VALUES, -1, -1, -1), net.style(pair.style), settings, SHARE)
    return layer_losses(net, pair, made)[:, net.style_layers.index(layer)].tolist()


def layer_losses(net: AdjustableNet, pair: Pair, images: Tensor) -> Tensor:
    """The style loss of each image and style layer, (B, L)."""
    seen, wanted = (net.encoder(image, net.style_layers) for image in (images, pair.style))
    each = [losses.style_loss(seen[name], losses.mean_gram(wanted[name]), each=True) for name in net.style_layers]
    return torch.stack(each, dim=1)


def alone(net: AdjustableNet, pair: Pair) -> Tensor:
    """The pair painted with each style layer's α at 1 and the others at 0, (L, 3, H, W)."""
    known, none = net.style(pair.style), dict.fromkeys(net.adjustable, 0.0)
    made = [net(pair.content, known, net.alphas(none | {layer: 1.0}), SHARE) for layer in net.style_layers]
    return torch.cat(made)


@torch.no_grad()
def photo(group: str, net: AdjustableNet, plan: Plan) -> list[Measurement]:
    """How much of the photo comes back when no layer of the style counts."""
    found = [
        min(psnr(net(pair.content, net.style(pair.style), net.alphas(0.0)), pair.content), EXACT)
        for pair in pairs(plan, plan.many)
    ]
    return [
        Measurement(group, "PSNR, median", statistics.median(found), "dB", at_least=PHOTO),
        Measurement(group, "PSNR, lowest", min(found), "dB", at_least=PHOTO, note=f"of {len(found)} pairs"),
    ]


@torch.no_grad()
def distinct(group: str, net: AdjustableNet, plan: Plan) -> list[Measurement]:
    """`distinctness` of the single layers' pictures."""
    found = [distinctness(alone(net, pair), pair.content) for pair in pairs(plan, plan.many)]
    note = f"{len(found)} pairs; 0: equal pictures, 1.41: nothing in common"
    name, median = "apart, relative to the photo, median", statistics.median(found)
    return [Measurement(group, name, median, at_least=APART, note=note)]


@torch.no_grad()
def beside_gatys(group: str, net: AdjustableNet, plan: Plan) -> list[Measurement]:
    """Style and content loss, from coarse to fine, over those of pixels optimised for the same; draws the sheet."""
    shown: list[Pair] = []
    rows: dict[str, list[Tensor]] = {}
    found: dict[str, list[quality.Painted]] = {"": [], f", after {STEPS} steps of test-time training": []}
    for pair in pairs(plan, plan.pairs):
        weights = gatys_weights(net, net.alphas(1.0))
        objective = gatys.objective(pair.content, pair.style, encoder=net.encoder, **weights)
        with torch.enable_grad():
            theirs = result(optimize_image(pair.content.clone(), objective, plan.steps))
        *_, (_, trained) = practise(net, pair.style, steps=STEPS if plan.judged else 2)
        name = pair.name.split(" + ")[1]
        for (_, painted), known in zip(found.items(), (net.style(pair.style), trained), strict=True):
            ours = net(pair.content, known, net.alphas(1.0), SHARE)
            painted.append(quality.Painted(pair, name, ours, theirs, objective))
        if (sheet := plan.drawn("adjustable")) is not None:
            shown.append(pair)
            made = dict(zip(net.style_layers, alone(net, pair).split(1), strict=True))
            made |= {f"all at 1{when}": painted[-1].ours for when, painted in found.items()} | {"Gatys": theirs}
            for title, image in made.items():
                rows.setdefault(title, []).append(image)
            contact_sheet(shown, rows, sheet, plan.size)
    figures = []
    for when, painted in found.items():
        style, content = (quality.over_gatys(painted, kind) for kind in ("style", "content"))
        note = f"{len(style)} pairs, {min(style):.2g} to {max(style):.2g}"
        figures.append(Measurement(group, f"style loss{when}", mean(style), "×", at_most=quality.WITHIN, note=note))
        figures.append(Measurement(group, f"content loss{when}", mean(content), "×"))
    first = found[""]
    return [*figures, *quality.styles_recognised(group, first, plan), *quality.weaves(group, first)]


@torch.no_grad()
def variety(group: str, net: AdjustableNet, plan: Plan) -> list[Measurement]:
    """Mean distance of several pastiches of one pair, in features of the photo's layer; AdaIN gets the same noise."""
    other = adain.load()
    found: dict[str, list[float]] = {}
    for number, pair in enumerate(pairs(plan, plan.pairs)):
        alphas = torch.rand(SEVERAL, len(net.adjustable), generator=torch.Generator().manual_seed(number))
        noisy = torch.cat([with_noise(pair.content, NOISE, seed) for seed in range(SEVERAL)])
        known = net.style(pair.style)
        for name, made in {
            "random α": net(pair.content.expand(SEVERAL, -1, -1, -1), known, alphas, SHARE),
            "random α and noise": net(noisy, known, alphas, SHARE),
            "noise only": net(noisy, known, net.alphas(1.0), SHARE),
            "AdaIN, noise only": coarse_to_fine(partial(other, styles=pair.style), noisy),
        }.items():
            found.setdefault(name, []).append(diversity(made, net.encoder, net.content_layers[0]))
    note = f"{SEVERAL} pastiches of each of {plan.pairs} pairs; noise {NOISE:g}"
    return [Measurement(group, name, statistics.fmean(values), note=note) for name, values in found.items()]


_ALPHA = feedforward.slider("adjustable", "AdjustableLab", lambda lab: next(iter(lab.alphas.sliders.values())))
LABS = {"adjustable: the α of a layer": _ALPHA}
