"""Is `mini` a good encoder? Speed, fidelity to its teacher, inversion, and the style of what it paints.

speed       forward + gradient to the image, relu5_1, beside VGG-19 with random weights
inversion   PSNR of what `inversion.py` finds from one layer's activations: high in the first, low in the last
style       how near pastiches made with it are to their paintings, as another network sees them
`fidelity`  R² of its pre-activations against a teacher's, on photos, paintings, half-way pastiches and noise
`beside`    losses of Gatys's pastiches made with it, as the teacher sees them, over those made with the teacher
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.gatys import bare, clocks, noise, random_vgg19
from benchmarks.measuring import Measurement, Plan
from benchmarks.pictures import Pair, contact_sheet, mean, pairs, ratio
from stylelearn import gatys, inversion, samples
from stylelearn.encoders import STYLE_LAYERS, Encoder
from stylelearn.evaluation import timing
from stylelearn.evaluation.metrics import gram_distance
from stylelearn.images import psnr, square
from stylelearn.networks.distillation import compressed_vgg19, layer_maps
from stylelearn.networks.projection import channel_moments
from stylelearn.optimize import optimize_image, result
from stylelearn.weights import WeightsError, network_file, read_about

TV_WEIGHT = 1e-3  # of the inversions
PHOTOS = ("astronaut", "chelsea", "coffee")


def groups(plan: Plan) -> Iterator[tuple[str, Callable[[], list[Measurement]]]]:
    """(title, what to measure) one after the other; nothing is measured before it is called."""
    encoder = Encoder("mini", weights=plan.weights)
    yield f"encoder speed, {plan.size} px", lambda: speed(plan, encoder)
    yield f"inversion, {plan.size} px", lambda: inversions(plan, encoder)
    yield f"style distance, {plan.size} px", lambda: style(plan, encoder)
    yield f"against the teacher, {plan.size} px", lambda: against_file(plan)


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


@torch.no_grad()
def fidelity(
    student: Encoder | Teacher, teacher: Encoder | Teacher, layers: Sequence[str], images: Iterable[Tensor]
) -> dict[str, float]:
    """R² of each layer, over all positions, channels and images: 1 for equal, 0 for the channels' means.

    R² = 1 − Σ (s − t)² / Σ (t − t̄_c)²,  t̄_c the mean of the teacher's channel c over everything

    Args:
        images: (B, 3, H, W) in [0, 1] each, of any sizes.
    """
    sums: dict[str, tuple[Tensor, Tensor, Tensor, int]] = {}  # Σ (s − t)², Σ t and Σ t² by channel, positions
    for image in images:
        ours, theirs = student(image, layers), teacher(image, layers)
        for layer in layers:
            s, t = ours[layer].double(), theirs[layer].double()
            over = (0, 2, 3)
            new = ((s - t).square().sum(), t.sum(over), t.square().sum(over), t[:, 0].numel())
            old = sums.get(layer, (0, 0, 0, 0))
            sums[layer] = tuple(a + b for a, b in zip(old, new, strict=True))  # type: ignore[assignment]
    return {
        layer: 1 - float(errors / (squares - total.square() / count).sum().clamp_min(1e-30))
        for layer, (errors, total, squares, count) in sums.items()
    }


def image_sets(chosen: Sequence[Pair], encoder: Encoder, steps: int = 25) -> dict[str, list[Tensor]]:
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
    found: dict[str, list[float]] = {}
    for mine, other, pair in zip(ours, theirs, chosen, strict=True):
        terms = gatys.objective(pair.content, pair.style, encoder=teacher)
        seen = terms(mine), terms(other)
        for name in seen[0]:
            found.setdefault(name, []).append(ratio(float(seen[0][name]), float(seen[1][name])))
    both: dict[str, dict[str, float]] = {"style": {}, "content": {}}
    for name, ratios in found.items():
        kind, layer = name.split(" ", 1)
        both[kind][layer] = mean(ratios)
    return {
        kind: layers | {"mean": mean([*layers.values()]), "worst": max(layers.values())}
        for kind, layers in both.items()
    }


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


def against_file(plan: Plan) -> list[Measurement]:
    """`mini` against the teacher in a file, in the channels and the scale of `mini`."""
    if plan.teacher is None:
        raise WeightsError("give --teacher FILE, a checkpoint of vgg19_16x")
    student, channels = Encoder("mini"), read_about(network_file("mini", "mini"))["channels"]
    photos = [pair.content for pair in pairs(plan, plan.pairs)]
    return against(student, Teacher(teacher_view(plan.teacher, student, channels, photos)), plan)


def against(student: Encoder, teacher: Encoder | Teacher, plan: Plan) -> list[Measurement]:
    """`fidelity` of the convolutions on the four sets, and `beside`."""
    chosen = list(pairs(plan, plan.pairs))
    convolutions = [layer for layer in student.layers if layer.startswith("conv")]
    figures = []
    for kind, images in image_sets(chosen, student, max(plan.steps // 12, 1)).items():
        for layer, value in fidelity(student, teacher, convolutions, images).items():
            figures.append(Measurement(f"R² against the teacher, {kind}", layer, value))

    def painted(pair: Pair, eyes: Encoder | Teacher) -> Tensor:
        goal = gatys.objective(pair.content, pair.style, encoder=eyes)
        return result(optimize_image(pair.content.clone(), goal, plan.steps))

    ours, theirs = ([painted(pair, eyes) for pair in chosen] for eyes in (student, teacher))
    for kind, layers in beside(ours, theirs, chosen, teacher).items():
        group = f"{kind} loss of pastiches made with mini over the teacher's"
        figures += [Measurement(group, layer, value, "×") for layer, value in layers.items()]
    return figures


# --- by itself --------------------------------------------------------------------------------------------------------


def speed(plan: Plan, encoder: Encoder) -> list[Measurement]:
    """Forward to relu5_1 and the gradient back to the image, in turn with VGG-19."""
    image = noise(plan.size)
    timed = timing.take_turns({"mini": bare(encoder, image), "VGG-19": bare(random_vgg19(), image)}, plan.rounds)
    group = f"encoder, forward + gradient, {plan.size} px"
    faster = timing.ratio(timed["VGG-19"], timed["mini"])
    note = f"processor time, median of {plan.rounds} rounds"
    return [*clocks(group, timed), Measurement(group, "mini is faster by", faster, "×", at_least=10, note=note)]


def inversions(plan: Plan, encoder: Encoder) -> list[Measurement]:
    """PSNR of what is found from noise when only one layer's activations are known; it should fall with depth."""
    group, names = f"inversion, {plan.size} px", PHOTOS[: plan.pairs]
    means = {}
    for number, layer in enumerate(STYLE_LAYERS):
        values = []
        for i, name in enumerate(names):
            plan.watch(f"inversion of {layer}", number * len(names) + i, len(STYLE_LAYERS) * len(names))
            photo = square(samples.content(name), plan.size)
            goal = inversion.objective(photo, layer, encoder=encoder, tv_weight=TV_WEIGHT)
            start = gatys.start_image("noise", photo, photo, seed=i)
            values.append(psnr(result(optimize_image(start, goal, plan.steps)), photo))
        means[layer] = sum(values) / len(values)
    note = f"{', '.join(names)}; from noise, {plan.steps} L-BFGS steps, tv {TV_WEIGHT:g}"
    promised = {STYLE_LAYERS[0]: 30.0}
    figures = [
        Measurement(group, f"PSNR, {layer}", value, "dB", at_least=promised.get(layer), note=note)
        for layer, value in means.items()
    ]
    falls = sum(later < earlier for earlier, later in pairwise(means.values()))
    return [*figures, Measurement(group, "times that it falls, of 4", falls, at_least=4)]


def style(plan: Plan, encoder: Encoder) -> list[Measurement]:
    """Gram distance of pastiches made with `mini` and with random weights, as SqueezeNet sees it."""
    group = f"style distance under SqueezeNet, {plan.size} px"
    if plan.judge is None:
        raise WeightsError("give --judge FILE, a squeezenet1_0 checkpoint")
    judge = Encoder("squeezenet", weights=plan.judge)
    makers = {"mini": encoder, "random weights": Encoder("random")}
    shown: list[Pair] = []
    painted: dict[str, list[Tensor]] = {name: [] for name in makers}
    for pair in pairs(plan, plan.pairs):
        shown.append(pair)
        for name, maker in makers.items():
            goal = gatys.objective(pair.content, pair.style, encoder=maker)
            painted[name].append(result(optimize_image(pair.content.clone(), goal, plan.steps)))
        if (sheet := plan.drawn("encoder")) is not None:  # a run that is stopped has it, too
            contact_sheet(shown, painted, sheet, plan.size)
    rows = {"the photo as it is": [pair.content for pair in shown]} | painted
    found = {
        name: mean([gram_distance(image, pair.style, judge) for image, pair in zip(images, shown, strict=True)])
        for name, images in rows.items()
    }
    photo, mini, random = found.values()
    return [
        *(Measurement(group, name, value, note=f"{len(shown)} pairs") for name, value in found.items()),
        Measurement(group, "mini / photo", mini / photo, at_most=0.08),
        Measurement(group, "mini / random weights", mini / random, at_most=0.3),
    ]
