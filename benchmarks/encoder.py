"""Is `mini` a good encoder? Speed, fidelity to its teacher, inversion, and the style of what it paints.

speed       forward + gradient to the image, relu5_1, beside VGG-19 with random weights
inversion   PSNR of what `inversion.py` finds from one layer's activations: high in the first, low in the last
style       how near pastiches made with it are to their paintings, as another network sees them
`fidelity`  R² of its pre-activations against a teacher's, on photos, paintings, half-way pastiches and noise
`beside`    losses of Gatys's pastiches made with it, as the teacher sees them, over those made with the teacher

A `View` is any function from a picture to activations by layer: an encoder, or a teacher that projects its own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from benchmarks.gatys import bare, clocks, noise, random_vgg19
from benchmarks.measuring import Measurement, Plan, missing
from benchmarks.pictures import Pair, contact_sheet, mean, pairs, ratio
from stylelearn import gatys, inversion, losses, samples
from stylelearn.encoders import CONTENT_LAYER, STYLE_LAYERS, Encoder
from stylelearn.evaluation import timing
from stylelearn.evaluation.metrics import gram_distance
from stylelearn.images import psnr, square
from stylelearn.networks.distillation import teacher_view
from stylelearn.optimize import Objective, optimize_image, result
from stylelearn.weights import network_file, read_about

TV_WEIGHT = 1e-3  # of the inversions
PHOTOS = ("astronaut", "chelsea", "coffee")

View = Callable[[Tensor], Mapping[str, Tensor]]


def groups(plan: Plan) -> Iterator[tuple[str, Callable[[], list[Measurement]]]]:
    """(title, what to measure) one after the other; nothing is measured before it is called."""
    encoder = Encoder("mini", weights=plan.weights)
    yield f"encoder speed, {plan.size} px", lambda: speed(plan, encoder)
    yield f"inversion, {plan.size} px", lambda: inversions(plan, encoder)
    yield f"style distance, {plan.size} px", lambda: style(plan, encoder)
    yield f"against the teacher, {plan.size} px", lambda: against_file(plan)


# --- against a teacher ------------------------------------------------------------------------------------------------


def view_of(encoder: Encoder, layers: Sequence[str]) -> View:
    """An encoder as a `View` of these layers."""
    return lambda image: encoder(image, layers)


@torch.no_grad()
def fidelity(student: View, teacher: View, images: Iterable[Tensor]) -> dict[str, float]:
    """R² of each layer that both have, over all positions, channels and images: 1 for equal, 0 for the channels' means.

    R² = 1 − Σ (s − t)² / Σ (t − t̄_c)²,  t̄_c the mean of the teacher's channel c over everything

    Args:
        images: (B, 3, H, W) in [0, 1] each, of any sizes.
    Raises:
        ValueError: no images, no common layer, or activations of different shapes.
    """
    sums: dict[str, tuple[Tensor, Tensor, Tensor, int]] = {}  # Σ (s − t)², Σ t and Σ t² by channel, positions
    for image in images:
        ours, theirs = student(image), teacher(image)
        for layer in [name for name in theirs if name in ours]:
            s, t = ours[layer].double(), theirs[layer].double()
            if s.shape != t.shape:
                raise ValueError(f"{layer}: the student has {tuple(s.shape)}, the teacher {tuple(t.shape)}")
            over = (0, 2, 3)
            new = ((s - t).square().sum(), t.sum(over), t.square().sum(over), t[:, 0].numel())
            old = sums.get(layer, (0, 0, 0, 0))
            sums[layer] = tuple(a + b for a, b in zip(old, new, strict=True))  # type: ignore[assignment]
    if not sums:
        raise ValueError("nothing to compare: no images, or no layer that student and teacher both have")
    return {
        layer: 1 - float(errors / (squares - total.square() / count).sum().clamp_min(1e-30))
        for layer, (errors, total, squares, count) in sums.items()
    }


def image_sets(chosen: Sequence[Pair], view: View, steps: int = 25) -> dict[str, list[Tensor]]:
    """Photos, paintings, half-way pastiches and noise: what an encoder meets in this course.

    Args:
        chosen: pairs; their photos and paintings are the first two sets.
        view: with which Gatys's method paints the half-way pastiches, in `steps` steps, every other one from noise.
    """
    half_way = []
    for number, pair in enumerate(chosen):
        start = gatys.start_image("noise" if number % 2 else "content", pair.content, pair.style, seed=number)
        half_way.append(result(optimize_image(start, objective(pair, view), steps)))
    return {
        "photos": [pair.content for pair in chosen],
        "paintings": [pair.style for pair in chosen],
        "half-way pastiches": half_way,
        "noise": [noise(pair.content.shape[-1], seed) for seed, pair in enumerate(chosen)],
    }


def objective(pair: Pair, view: View) -> Objective:
    """Gatys's objective of lesson 02 for any `View` that has `STYLE_LAYERS` and `CONTENT_LAYER`."""
    with torch.no_grad():
        wanted = view(pair.content)[CONTENT_LAYER]
        grams = {layer: losses.mean_gram(view(pair.style)[layer]) for layer in STYLE_LAYERS}

    def terms(image: Tensor) -> dict[str, Tensor]:
        seen = view(image)
        found = {f"content {CONTENT_LAYER}": gatys.CONTENT_WEIGHT * losses.content_loss(seen[CONTENT_LAYER], wanted)}
        share = gatys.STYLE_WEIGHT / len(grams)
        return found | {f"style {layer}": share * losses.style_loss(seen[layer], gram) for layer, gram in grams.items()}

    return terms


@torch.no_grad()
def beside(
    ours: Sequence[Tensor], theirs: Sequence[Tensor], chosen: Sequence[Pair], view: View
) -> dict[str, dict[str, float]]:
    """Losses of our pastiches over those of others, term by term, as `view` sees both.

    Args:
        ours, theirs: one pastiche for each pair, made for the same objective with two encoders.
        view: the teacher.
    Returns:
        "style" and "content", each with the geometric mean over the pairs for every layer, and over the layers under
        "mean" and the largest of them under "worst".
    """
    found: dict[str, list[float]] = {}
    for mine, other, pair in zip(ours, theirs, chosen, strict=True):
        terms = objective(pair, view)
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


def against_file(plan: Plan) -> list[Measurement]:
    """`mini` against the teacher in a file, in the channels and the scale of `mini`."""
    if plan.teacher is None:
        return missing("against the teacher", "R²", "give --teacher FILE, a checkpoint of vgg19_16x")
    student, channels = Encoder("mini"), read_about(network_file("mini", "mini"))["channels"]
    photos = [pair.content for pair in pairs(plan, plan.pairs)]
    return against(student, teacher_view(plan.teacher, student, channels, photos), plan)


def against(student: Encoder, teacher: View, plan: Plan) -> list[Measurement]:
    """`fidelity` on the four sets, for conv… layers of as many channels in both, and `beside` for relu… layers.

    A student that leaves channels out needs a teacher that leaves out the same.
    """
    chosen = list(pairs(plan, plan.pairs))
    eyes = view_of(student, list(dict.fromkeys([*STYLE_LAYERS, CONTENT_LAYER])))
    taught = {layer: found.shape[1] for layer, found in teacher(chosen[0].content).items()}
    known = {layer: student(chosen[0].content, layer)[layer].shape[1] for layer in taught}
    named = [layer for layer, width in taught.items() if layer.startswith("conv") and known[layer] == width]
    figures = []
    for kind, images in image_sets(chosen, eyes, max(plan.steps // 12, 1)).items():
        found = fidelity(view_of(student, named), teacher, images) if named else {}
        for layer, value in found.items():
            figures.append(Measurement(f"R² against the teacher, {kind}", layer, value))
    made = [
        [result(optimize_image(pair.content.clone(), objective(pair, view), plan.steps)) for pair in chosen]
        for view in (eyes, teacher)
    ]
    for kind, layers in beside(*made, chosen, teacher).items():
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
    sheet = plan.drawn("encoder")
    if plan.judge is None and sheet is None:
        return missing(group, "mini", "give --judge FILE, a squeezenet1_0 checkpoint")
    judge = Encoder("squeezenet", weights=plan.judge) if plan.judge else None
    makers = {"mini": encoder, "random weights": Encoder("random")}
    shown: list[Pair] = []
    painted: dict[str, list[Tensor]] = {name: [] for name in makers}
    for pair in pairs(plan, plan.pairs):
        shown.append(pair)
        for name, maker in makers.items():
            goal = gatys.objective(pair.content, pair.style, encoder=maker)
            painted[name].append(result(optimize_image(pair.content.clone(), goal, plan.steps)))
        if sheet is not None:  # after each pair, so that a run that is stopped has something to show
            contact_sheet(shown, painted, sheet, plan.size)
    if judge is None:
        return missing(group, "mini", f"give --judge FILE; pictures in {sheet}")
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
