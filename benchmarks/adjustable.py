"""Lesson 08: do sliders do what they say, does the photo come back, how near is it to Gatys, how quick, how varied."""

import itertools
import statistics
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from benchmarks.feedforward import Labs, moves
from benchmarks.measuring import Group, Measurement, Plan, mean, over
from benchmarks.pictures import Pair, by_gatys, pairs
from benchmarks.quality import Painted, over_gatys, seen
from stylelearn import adain, adjustable, gatys, losses
from stylelearn.adjustable import diversity, gatys_weights, with_noise
from stylelearn.images import psnr
from stylelearn.lab import AdjustableLab
from stylelearn.networks.coarse import SHARE, coarse_to_fine
from stylelearn.networks.conditioning import AdjustableNet
from stylelearn.practice import STEPS, practise

VALUES = 6  # of a slider, from 0 to 1
DOWNHILL, OWN_IS_BEST = {0.0: 95.0, 1.0: 85.0}, 80.0  # % of pairs and layers; by the α of the others
APART = 0.6
PHOTO, EXACT = 24.0, 100.0  # dB: promised, and what a photo that comes back as it was counts as
SEVERAL, NOISE = 8, 0.1  # pastiches of one pair
LABS: Labs = {
    "adjustable: the α of a layer": (AdjustableLab, lambda lab: next(iter(lab.alphas.sliders.values()))),
}


# --- measures of sliders ----------------------------------------------------------------------------------------------


def own_is_best(before: Tensor, after: Tensor) -> float:
    """The share of layers whose loss is lowered most by their own slider.

    The loss of each layer with all sliders at 0, (L,), and that of layer j with slider i alone at 1, after[i, j].
    """
    fall = after / before.clamp_min(losses.EPSILON)  # what is left of each layer's loss
    others = fall.masked_fill(torch.eye(len(before), dtype=torch.bool), torch.inf).amin(dim=0)
    return float((fall.diagonal() < others).float().mean())


def distinctness(alone: Tensor, photo: Tensor) -> float:
    """How far pictures are from each other, relative to how far they are from the photo: RMS over RMS.

    0 for equal pictures, √2 for changes that have nothing in common, 2 for two opposite ones.
    """
    change = (alone - photo).flatten(1).double()
    apart = torch.pdist(change).square().mean().sqrt()
    return float(apart / change.square().sum(dim=1).mean().sqrt().clamp_min(1e-12))


# --- the network that ships -------------------------------------------------------------------------------------------


@torch.no_grad()
def sliders(net: AdjustableNet, plan: Plan) -> Iterator[Measurement]:
    """Raising one α from 0 to 1, with the others at 0 and at 1: how often the loss of that layer falls with every step.

    And how far it falls, and whether any other slider lowers it more.
    """
    paths: dict[float, list[list[float]]] = {others: [] for others in DOWNHILL}
    best = []
    for pair in pairs(plan, plan.many):
        for others, found in paths.items():
            found += [falls(net, pair, layer, others) for layer in net.style_layers]
        before = layer_losses(net, pair, net(pair.content, net.style(pair.style), net.alphas(0.0)))[0]
        best.append(own_is_best(before, layer_losses(net, pair, alone(net, pair))))
    for others, found in paths.items():
        where = f"other α at {others:g}"
        share = 100 * statistics.fmean(all(b <= a for a, b in itertools.pairwise(path)) for path in found)
        lower = 100 * statistics.fmean(path[-1] < path[0] for path in found)
        note = f"{len(found)} sliders, {VALUES} values each; lower at 1 than at 0: {lower:.1f} %"
        yield Measurement(f"falls with every step, {where}", share, "%", DOWNHILL[others], note=note)
        left = mean([over(path[-1], path[0]) for path in found])
        yield Measurement(f"loss at 1 over loss at 0, {where}", left, "×")
    share = 100 * statistics.fmean(best)
    yield Measurement("no other slider lowers a layer's loss more", share, "%", OWN_IS_BEST, note="the others at 0")


def falls(net: AdjustableNet, pair: Pair, layer: str, others: float) -> list[float]:
    """The style loss of a layer while its α goes from 0 to 1; `others` is the α of the other layers."""
    settings = torch.full((VALUES, len(net.adjustable)), 1.0)
    settings[:, : len(net.style_layers)] = others
    settings[:, net.adjustable.index(layer)] = torch.linspace(0, 1, VALUES)
    made = net(pair.content.expand(VALUES, -1, -1, -1), net.style(pair.style), settings, SHARE)
    return layer_losses(net, pair, made)[:, net.style_layers.index(layer)].tolist()


def layer_losses(net: AdjustableNet, pair: Pair, images: Tensor) -> Tensor:
    """The style loss of each image and style layer, (B, L)."""
    ours, wanted = (net.encoder(image, net.style_layers) for image in (images, pair.style))
    each = [losses.style_loss(ours[name], losses.mean_gram(wanted[name]), each=True) for name in net.style_layers]
    return torch.stack(each, dim=1)


def alone(net: AdjustableNet, pair: Pair) -> Tensor:
    """The pair painted with each style layer's α at 1 and the others at 0, (L, 3, H, W)."""
    others = dict.fromkeys(net.adjustable, 0.0)
    known, settings = net.style(pair.style), [net.alphas(others | {layer: 1.0}) for layer in net.style_layers]
    return torch.cat([net(pair.content, known, alphas, SHARE) for alphas in settings])


@torch.no_grad()
def photo(net: AdjustableNet, plan: Plan) -> Iterator[Measurement]:
    """How much of the photo comes back when no layer of the style counts."""
    found = [
        min(psnr(net(pair.content, net.style(pair.style), net.alphas(0.0)), pair.content), EXACT)
        for pair in pairs(plan, plan.many)
    ]
    yield Measurement("PSNR, median", statistics.median(found), "dB", at_least=PHOTO)
    yield Measurement("PSNR, lowest", min(found), "dB", at_least=PHOTO, note=f"of {len(found)} pairs")


@torch.no_grad()
def distinct(net: AdjustableNet, plan: Plan) -> Iterator[Measurement]:
    """`distinctness` of the single layers' pictures."""
    found = [distinctness(alone(net, pair), pair.content) for pair in pairs(plan, plan.many)]
    note = f"{len(found)} pairs; 0: equal pictures, 1.41: nothing in common"
    yield Measurement("apart, relative to the photo, median", statistics.median(found), at_least=APART, note=note)


@torch.no_grad()
def beside_gatys(net: AdjustableNet, plan: Plan) -> Iterator[Measurement]:
    """Style and content loss over those of pixels optimised for the same objective, `adjustable.gatys_weights`.

    As the network meets the painting, and after test-time training on it.
    """
    weights, full, steps = gatys_weights(net, net.alphas(1.0)), net.alphas(1.0), STEPS if plan.judged else 2
    first, later = [], []
    for pair in pairs(plan, plan.pairs):
        terms = gatys.objective(pair.content, pair.style, encoder=net.encoder, **weights)
        theirs = by_gatys(pair, net.encoder, plan.steps, **weights)
        *_, (_, trained) = practise(net, pair.style, steps=steps)
        for found, known in ((first, net.style(pair.style)), (later, trained)):
            found.append(Painted(pair, net(pair.content, known, full, SHARE), theirs, terms))
    yield from over_gatys(first)
    yield from over_gatys(later, f", after {STEPS} steps of test-time training")
    yield from seen(first, plan)


@torch.no_grad()
def variety(net: AdjustableNet, plan: Plan) -> Iterator[Measurement]:
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
    for name, values in found.items():
        yield Measurement(name, statistics.fmean(values), note=note)


def _loaded(measure: Callable[[AdjustableNet, Plan], Iterator[Measurement]]) -> Group:
    return lambda plan: measure(adjustable.load(), plan)


GROUPS: dict[str, Group] = {
    "sliders": _loaded(sliders),
    "all α = 0": _loaded(photo),
    "pictures of single layers": _loaded(distinct),
    "all α = 1 over Gatys's method": _loaded(beside_gatys),
    "variety of pastiches of one pair": _loaded(variety),
    "from a slider of lesson 08 to new pixels": partial(moves, labs=LABS),
}
