"""Is `mini` a good encoder? Speed, fidelity to its teacher, inversion, and the style of what it paints."""

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from sklearn.metrics import r2_score
from torch import Tensor

from benchmarks.gatys import bare, clocks, noise, random_vgg19
from benchmarks.measuring import Measurement, Plan, mean, over
from benchmarks.pictures import Pair, by_gatys, pairs
from stylelearn import gatys, inversion, samples
from stylelearn.encoders import STYLE_LAYERS, Encoder
from stylelearn.evaluation.metrics import gram_distance
from stylelearn.evaluation.timing import ratio, take_turns
from stylelearn.images import psnr, square
from stylelearn.networks.distillation import compressed_vgg19, layer_maps
from stylelearn.networks.projection import channel_moments
from stylelearn.optimize import optimize_image, result
from stylelearn.weights import WeightsError, network_file, read_about

TV_WEIGHT = 1e-3  # of the inversions
PHOTOS = ("astronaut", "chelsea", "coffee")


# --- by itself --------------------------------------------------------------------------------------------------------


def speed(plan: Plan) -> Iterator[Measurement]:
    """Forward to relu5_1 and the gradient back to the image, in turn with VGG-19."""
    image = noise(plan.size)
    timed = take_turns({"mini": bare(Encoder("mini"), image), "VGG-19": bare(random_vgg19(), image)}, plan.rounds)
    yield from clocks(timed)
    note = f"processor time, median of {plan.rounds} rounds"
    yield Measurement("mini is faster by", ratio(timed["VGG-19"], timed["mini"]), "×", at_least=10, note=note)


def inversions(plan: Plan) -> Iterator[Measurement]:
    """PSNR of what is found from noise when only one layer's activations are known; it should fall with depth."""
    encoder, names, means = Encoder("mini"), PHOTOS[: plan.pairs], []
    for layer in STYLE_LAYERS:
        found = []
        for seed, name in enumerate(names):
            photo = square(samples.content(name), plan.size)
            goal = inversion.objective(photo, layer, encoder=encoder, tv_weight=TV_WEIGHT)
            start = gatys.start_image("noise", photo, photo, seed=seed)
            found.append(psnr(result(optimize_image(start, goal, plan.steps)), photo))
        means.append(statistics.mean(found))
        note = f"{', '.join(names)}; from noise, {plan.steps} L-BFGS steps, tv {TV_WEIGHT:g}"
        promised = 30.0 if layer == STYLE_LAYERS[0] else None
        yield Measurement(f"PSNR, {layer}", means[-1], "dB", at_least=promised, note=note)
    yield Measurement("times that it falls, of 4", sum(b < a for a, b in pairwise(means)), at_least=4)


def style(plan: Plan) -> Iterator[Measurement]:
    """Gram distance of pastiches made with `mini` and with random weights, as SqueezeNet sees it."""
    if plan.judge is None:
        raise WeightsError("give --judge FILE, a squeezenet1_0 checkpoint")
    judge, mini, random = Encoder("squeezenet", weights=plan.judge), Encoder("mini"), Encoder("random")
    ways = {
        "the photo as it is": lambda pair: pair.content,
        "mini": lambda pair: by_gatys(pair, mini, plan.steps),
        "random weights": lambda pair: by_gatys(pair, random, plan.steps),
    }
    found: dict[str, list[float]] = {way: [] for way in ways}
    for pair in pairs(plan, plan.pairs):
        for way, paint in ways.items():
            found[way].append(gram_distance(paint(pair), pair.style, judge))
    for way, distances in found.items():
        yield Measurement(way, mean(distances), note=f"{plan.pairs} pairs")
    photo, ours, others = map(mean, found.values())
    yield Measurement("mini / photo", ours / photo, at_most=0.08)
    yield Measurement("mini / random weights", ours / others, at_most=0.3)


# --- against a teacher ------------------------------------------------------------------------------------------------


class Teacher:
    """A function image -> activations by layer, to be called as an `Encoder` is."""

    def __init__(self, view: Callable[[Tensor], Mapping[str, Tensor]]) -> None:
        self.view = view

    def __call__(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        return dict(self.walk(image, layers))

    def walk(self, image: Tensor, layers: Iterable[str]) -> Iterator[tuple[str, Tensor]]:
        seen = self.view(image)
        return ((layer, seen[layer]) for layer in layers)


def teacher_view(
    path: str | Path, student: Encoder, channels: Mapping[str, Sequence[int]], images: Sequence[Tensor]
) -> Callable[[Tensor], dict[str, Tensor]]:
    """What a perfect student would see: activations of vgg19_16x by layer, in the student's channels and scale.

    Args:
        path: the checkpoint.
        student: `mini`. channels: the teacher's channels that each of its convolutions learnt, of its file's header.
        images: batches (B, 3, H, W) in [0, 1], over which the teacher's channels are scaled.
    Returns:
        image -> {"conv1_1": (B, C, H, W), "relu1_1": …}, with gradients.
    """
    teacher = compressed_vgg19(path)
    normalised = [(image - student._mean) / student._std for image in images]
    ours, theirs = (channel_moments(layer_maps(layers, normalised, "conv"))[1] for layers in (student._layers, teacher))
    kept = {name: torch.tensor(which) for name, which in channels.items()}
    scale = {name: (ours[name] / theirs[name][kept[name]]).float().view(-1, 1, 1) for name in kept}

    def view(image: Tensor) -> dict[str, Tensor]:
        x, found = (image - student._mean) / student._std, {}
        for name, layer in teacher.items():
            x = layer(x)
            if not name.startswith("pool"):
                conv = f"conv{name[4:]}"
                found[name] = x[:, kept[conv]] * scale[conv]
        return found

    return view


def against_file(plan: Plan) -> Iterator[Measurement]:
    """`mini` against the teacher in a file, in the channels and the scale of `mini`."""
    if plan.teacher is None:
        raise WeightsError("give --teacher FILE, a checkpoint of vgg19_16x")
    student, channels = Encoder("mini"), read_about(network_file("mini", "mini"))["channels"]
    photos = [pair.content for pair in pairs(plan, plan.pairs)]
    return against(student, Teacher(teacher_view(plan.teacher, student, channels, photos)), plan)


def against(student: Encoder, teacher: Encoder | Teacher, plan: Plan) -> Iterator[Measurement]:
    """`fidelity` of the convolutions on the four sets, and `beside`."""
    chosen = list(pairs(plan, plan.pairs))
    convolutions = [layer for layer in student.layers if layer.startswith("conv")]
    for kind, images in image_sets(chosen, student, max(plan.steps // 12, 1)).items():
        for layer, value in fidelity(student, teacher, convolutions, images).items():
            yield Measurement(f"R² of {layer}, {kind}", value)
    ours, theirs = ([by_gatys(pair, eyes, plan.steps) for pair in chosen] for eyes in (student, teacher))
    for kind, layers in beside(ours, theirs, chosen, teacher).items():
        for layer, value in layers.items():
            yield Measurement(f"{kind} loss of pastiches made with mini over the teacher's, {layer}", value, "×")


def image_sets(chosen: Sequence[Pair], encoder: Encoder, steps: int) -> dict[str, list[Tensor]]:
    """Photos, paintings, half-way pastiches and noise: what an encoder meets in this course.

    The half-way pastiches are those of Gatys's method after `steps` steps, every other one from noise.
    """
    half_way = []
    for number, pair in enumerate(chosen):
        start = gatys.start_image("noise" if number % 2 else "content", pair.content, pair.style, seed=number)
        goal = gatys.objective(pair.content, pair.style, encoder=encoder)
        half_way.append(result(optimize_image(start, goal, steps)))
    return {
        "photos": [pair.content for pair in chosen],
        "paintings": [pair.style for pair in chosen],
        "half-way pastiches": half_way,
        "noise": [noise(pair.content.shape[-1], seed) for seed, pair in enumerate(chosen)],
    }


@torch.no_grad()
def fidelity(
    student: Encoder | Teacher, teacher: Encoder | Teacher, layers: Sequence[str], images: Iterable[Tensor]
) -> dict[str, float]:
    """R² of each layer, over all positions, channels and images: 1 for equal, 0 for the channels' means.

    R² = 1 − Σ (s − t)² / Σ (t − t̄_c)²,  t̄_c the mean of the teacher's channel c over everything

    Args:
        images: (B, 3, H, W) in [0, 1] each, of any sizes.
    """
    rows: dict[str, tuple[list[Tensor], list[Tensor]]] = {layer: ([], []) for layer in layers}  # (positions, C) each
    for image in images:
        for side, encoder in enumerate((teacher, student)):
            for layer, activations in encoder(image, layers).items():
                rows[layer][side].append(activations.movedim(1, -1).flatten(0, -2))
    return {
        layer: r2_score(*(torch.cat(side).double().numpy() for side in both), multioutput="variance_weighted")
        for layer, both in rows.items()
    }


@torch.no_grad()
def beside(
    ours: Sequence[Tensor], theirs: Sequence[Tensor], chosen: Sequence[Pair], teacher: Encoder | Teacher
) -> dict[str, dict[str, float]]:
    """Losses of our pastiches over those of others, term by term, as the teacher sees both.

    Args:
        ours, theirs: one pastiche for each pair, made for the same objective with two encoders.
    Returns:
        "style" and "content", each with the geometric mean over the pairs for every layer, and over the layers under
        "mean" and the largest of them under "worst".
    """
    found: dict[str, dict[str, list[float]]] = {"style": {}, "content": {}}
    for mine, other, pair in zip(ours, theirs, chosen, strict=True):
        terms = gatys.objective(pair.content, pair.style, encoder=teacher)
        seen = terms(mine), terms(other)
        for name in seen[0]:
            kind, layer = name.split(" ", 1)
            found[kind].setdefault(layer, []).append(over(float(seen[0][name]), float(seen[1][name])))
    means = {kind: {layer: mean(ratios) for layer, ratios in layers.items()} for kind, layers in found.items()}
    return {
        kind: layers | {"mean": mean([*layers.values()]), "worst": max(layers.values())}
        for kind, layers in means.items()
    }


GROUPS = {
    "mini beside VGG-19": speed,
    "inversion": inversions,
    "style distance under SqueezeNet": style,
    "mini against its teacher": against_file,
}
