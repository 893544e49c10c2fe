"""Is `mini` a good encoder? Speed, style, what its layers remember, and what a decoder can rebuild.

speed        forward + gradient to the image, relu5_1, beside VGG-19 with random weights (weights do not matter)
style        `quality.py`: do pastiches made with it please another network, which it has never met?
inversion    PSNR of what `inversion.py` finds from one layer's activations: high in the first, low in the last
rebuilding   PSNR of a photo after encoder and mirrored decoder: what the feed-forward lessons can hope for
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.gatys import bare, noise, random_vgg19
from benchmarks.measuring import Figure
from benchmarks.quality import Pair, contact_sheet, paint, pairs_in, pairs_of_samples, style_distance
from stylelearn import inversion, samples
from stylelearn.encoders import STYLE_LAYERS, Encoder
from stylelearn.evaluation.timing import ratio, take_turns
from stylelearn.gatys import start_image
from stylelearn.images import psnr, square
from stylelearn.networks.decoders import mirrored_decoder
from stylelearn.optimize import optimize_image, result
from stylelearn.weights import WeightsError, read_weights

TV_WEIGHT = 1e-3  # of V² per value: takes single noisy pixels away, and no detail
PHOTOS = ("astronaut", "chelsea", "coffee")
REBUILT_AT_LEAST = {"relu4_1": 20.0, "relu3_1": 24.0}  # dB

Watch = Callable[[str, int, int], None]
"""Called with what is being done, how far it is, and out of how much."""


@dataclass(frozen=True)
class Plan:
    """How thorough, and with what.

    Attributes:
        size: side of the (square) images in pixels. `rounds`: of each time measurement.
        steps: of every optimisation. `pairs`: how many content and style pictures are paired.
        judge: a SqueezeNet 1.0 checkpoint, or None: style is not measured then.
        folder: with content/ and style/ inside; None: the course's own pictures.
        decoders: what `stylelearn train encoder` left beside the weights, or None.
        sheet: where the contact sheet goes, or None.
        weights: an encoder to measure instead of the one that ships.
    """

    size: int = 256
    rounds: int = 15
    steps: int = 300
    pairs: int = 16
    photos: tuple[str, ...] = PHOTOS
    judge: Path | None = None
    folder: Path | None = None
    decoders: Path | None = None
    sheet: Path | None = None
    weights: Path | None = None
    watch: Watch = field(default=lambda what, done, of: None, compare=False)


QUICK: dict[str, Any] = {"size": 64, "rounds": 2, "steps": 5, "pairs": 2, "photos": PHOTOS[:1]}


def groups(plan: Plan) -> Iterator[tuple[str, Callable[[], list[Figure]]]]:
    """(title, what to measure) one after the other; nothing is measured before it is called."""
    encoder = Encoder("mini", weights=plan.weights)
    yield f"encoder speed, {plan.size} px", lambda: speed(plan, encoder)
    yield f"rebuilding from relu4_1 and relu3_1, {plan.size} px", lambda: rebuilding(plan, encoder)
    yield f"inversion, {plan.size} px", lambda: inversions(plan, encoder)
    yield f"style distance, {plan.size} px", lambda: style(plan, encoder)


def speed(plan: Plan, encoder: Encoder) -> list[Figure]:
    """Forward to relu5_1 and the gradient back to the image, in turn with VGG-19."""
    image = noise(plan.size)
    timed = take_turns({"mini": bare(encoder, image), "VGG-19": bare(random_vgg19(), image)}, plan.rounds)
    group = f"encoder, forward + gradient, {plan.size} px"
    times = [
        Figure(group, name, timing.clock, "s", note=f"{timing.processor:.3g} s of processor time")
        for name, timing in timed.items()
    ]
    faster = ratio(timed["VGG-19"], timed["mini"])
    note = f"processor time, median of {plan.rounds} pairs"
    return [*times, Figure(group, "mini is faster by", faster, "×", at_least=10, note=note)]


def rebuilding(plan: Plan, encoder: Encoder) -> list[Figure]:
    """Photo -> encoder -> decoder -> PSNR; the mean over the content pictures."""
    group = f"rebuilt by a mirrored decoder, {plan.size} px"
    if plan.decoders is None:
        return [Figure(group, "PSNR", None, "dB", note="not measured: give --decoders FILE")]
    state, photos = read_weights(plan.decoders), [pair.content for pair in _pairs(plan)]
    found = []
    for layer, wanted in REBUILT_AT_LEAST.items():
        decoder = mirrored_decoder(layer)
        own = {key.removeprefix(f"{layer}."): value.float() for key, value in state.items() if key.startswith(layer)}
        try:
            decoder.load_state_dict(own)
        except RuntimeError as error:
            raise WeightsError(f"{plan.decoders} holds no decoder of {layer} that fits mini") from error
        with torch.no_grad():
            values = [psnr(decoder(encoder(photo, [layer])[layer]).clamp(0, 1), photo) for photo in photos]
        note = f"mean of {len(values)} photos, {min(values):.1f} to {max(values):.1f}"
        found.append(Figure(group, f"PSNR from {layer}", sum(values) / len(values), "dB", at_least=wanted, note=note))
    return found


def inversions(plan: Plan, encoder: Encoder) -> list[Figure]:
    """PSNR of what is found from noise when only one layer's activations are known; it should fall with depth."""
    group = f"inversion, {plan.size} px"
    means = {}
    for number, layer in enumerate(STYLE_LAYERS):
        values = []
        for i, name in enumerate(plan.photos):
            plan.watch(f"inversion of {layer}", number * len(plan.photos) + i, len(STYLE_LAYERS) * len(plan.photos))
            photo = square(samples.content(name), plan.size)
            objective = inversion.objective(photo, layer, encoder=encoder, tv_weight=TV_WEIGHT)
            start = start_image("noise", photo, photo, seed=i)
            values.append(psnr(result(optimize_image(start, objective, plan.steps)), photo))
        means[layer] = sum(values) / len(values)
    note = f"{', '.join(plan.photos)}; from noise, {plan.steps} L-BFGS steps, tv {TV_WEIGHT:g}"
    first = STYLE_LAYERS[0]
    figures = [
        Figure(
            group, f"PSNR, {layer}", mean, "dB", at_least=30 if layer == first else None, note=note * (layer == first)
        )
        for layer, mean in means.items()
    ]
    values = list(means.values())
    falls = sum(later < earlier for earlier, later in pairwise(values))
    return [*figures, Figure(group, "times that it falls, of 4", falls, at_least=4)]


def _pairs(plan: Plan) -> list[Pair]:
    if plan.folder is None:
        return pairs_of_samples(plan.size, plan.pairs)
    return pairs_in(plan.folder, plan.size, plan.pairs)


def style(plan: Plan, encoder: Encoder) -> list[Figure]:
    """Style distance of pastiches made with `mini` and with random weights, by the judgement of SqueezeNet."""
    pairs = _pairs(plan)
    group = f"style distance under SqueezeNet, {plan.size} px"
    if plan.judge is None and plan.sheet is None:
        return [Figure(group, "mini", None, note="not measured: give --judge FILE, a squeezenet1_0 checkpoint")]
    judge = Encoder("squeezenet", weights=plan.judge) if plan.judge else None
    makers = {"mini": encoder, "random": Encoder("random")}
    painted: dict[str, list[Tensor]] = {name: [] for name in makers}
    for i, pair in enumerate(pairs):
        for j, (name, maker) in enumerate(makers.items()):
            plan.watch(f"{pair.name} with {name}", i * len(makers) + j, len(pairs) * len(makers))
            painted[name].append(paint(pair, maker, plan.steps))
        if plan.sheet is not None:  # after each pair: whoever stops early has something to look at
            contact_sheet(pairs[: i + 1], painted, plan.sheet)
    if judge is None:
        return [Figure(group, "mini", None, note=f"not measured: give --judge FILE; pictures in {plan.sheet.name}")]
    untouched = style_distance([pair.content for pair in pairs], pairs, judge)
    distance = {name: style_distance(images, pairs, judge) for name, images in painted.items()}
    note = f"{len(pairs)} pairs, {plan.steps} L-BFGS steps"
    mini, random = distance["mini"], distance["random"]
    return [
        Figure(group, "content as it is", untouched, note="‖G − A‖²/‖A‖², geometric mean of layers and pairs"),
        Figure(group, "mini", mini, note=note),
        Figure(group, "random weights", random, note=note),
        Figure(group, "mini / content", mini / untouched, at_most=0.08),
        Figure(group, "mini / random weights", mini / random, at_most=0.3),
    ]
