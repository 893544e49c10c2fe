"""Lesson 06: what swapping patches costs beside three convolutions, how fast it settles, how steady it is on video.

speed        `patches.swap`, three convolutions, and the bare matrix product of all patches, in turn
memory       the most that one swap holds beyond its inputs, in a process of its own
pastiche     `mini` and the inverse network, both pictures to pastiche
growth       seconds against the side of the picture; a quarter more pixels a side are 2.4 times the work
settling     steps until the loss has done 95 % of its way, from several starts, beside Gatys
steadiness   what remains of the change between frames when motion is undone, beside Gatys frame by frame

Speed does not depend on what the weights are: VGG-19's are random, and nothing is downloaded.
"""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.gatys import noise, random_vgg19
from benchmarks.measuring import Figure
from stylelearn import gatys, samples, style_swap
from stylelearn.encoders import Encoder
from stylelearn.evaluation.timing import forget_peak, most_so_far, ratio, run_apart, take_turns
from stylelearn.images import square
from stylelearn.optimize import Objective, optimize_image, result
from stylelearn.patches import swap, swap_by_convolution
from stylelearn.video import Clip, consistency, moving_clip, panning_clip
from stylelearn.weights import WeightsError

FASTER, LESS, BARE, PASTICHE = 3.0, 4.0, 2.0, 0.5  # promised: times, times, times, seconds
PIECE = 512  # patches of the content that the bare product takes at once


@dataclass(frozen=True)
class Plan:
    """How thorough.

    Attributes:
        sizes: sides of the (square) pictures in pixels, for speed and memory. rounds: of each time measurement.
        sides: for the growth; three convolutions only up to the largest of `sizes`.
        size, steps: of the optimisations. frames: of each clip.
        sheet: where the growth is drawn ("_swap" is added to the name), or None.
    """

    sizes: tuple[int, ...] = (256, 512)
    rounds: int = 5
    sides: tuple[int, ...] = (128, 192, 256, 384, 512, 768, 1024)
    size: int = 128
    steps: int = 150
    frames: int = 8
    sheet: Path | None = None


QUICK: dict[str, Any] = {"sizes": (48,), "rounds": 1, "sides": (32, 64), "size": 64, "steps": 4, "frames": 2}


def groups(plan: Plan) -> Iterator[tuple[str, Callable[[], list[Figure]]]]:
    """(title, what to measure) one after the other; nothing is measured before it is called."""
    for size in plan.sizes:
        yield f"a swap beside three convolutions, {size} px", lambda size=size: speed(size, plan.rounds)
        yield f"memory of a swap, {size} px", lambda size=size: memory(size)
    yield f"both pictures to pastiche, {plan.sizes[0]} px", lambda: pastiche(plan.sizes[0], plan.rounds)
    yield "cost against size", lambda: growth(plan)
    yield f"steps to settle, {plan.size} px", lambda: settling(plan)
    yield f"steadiness on video, {plan.size} px", lambda: steadiness(plan)


# --- speed and memory -------------------------------------------------------------------------------------------------


@torch.inference_mode()
def pair(size: int, encoder: Encoder | None = None) -> tuple[Tensor, Tensor]:
    """Activations of two pictures of noise at relu3_1."""
    encoder = encoder or random_vgg19()
    layer = style_swap.LAYER
    return encoder(noise(size), [layer])[layer], encoder(noise(size, seed=1), [layer])[layer]


def bare_product(content: Tensor, style: Tensor) -> Callable[[], None]:
    """All 3×3 patches of the one times all of the other, piece by piece: nothing else, and nothing is kept."""
    mine, theirs = F.unfold(content, 3)[0].t().contiguous(), F.unfold(style, 3)[0]  # (N, 9 C), (9 C, M)

    def do() -> None:
        for piece in mine.split(PIECE):
            piece @ theirs

    return do


FORMS: dict[str, Callable[[Tensor, Tensor], Callable[[], object]]] = {
    "swap": lambda content, style: lambda: swap(content, style),
    "three convolutions": lambda content, style: lambda: swap_by_convolution(content, style),
    "bare matrix product": bare_product,
}


@torch.inference_mode()
def speed(size: int, rounds: int) -> list[Figure]:
    """The three in turn, and what the course promises of their ratios."""
    content, style = pair(size)
    timed = take_turns({name: form(content, style) for name, form in FORMS.items()}, rounds, warm_up=1)
    group = f"swap at VGG-19's relu3_1, {size} px"
    times = [
        Figure(group, name, timing.clock, "s", note=f"{timing.processor:.3g} s of processor time")
        for name, timing in timed.items()
    ]
    faster = ratio(timed["three convolutions"], timed["swap"])
    of_bare = ratio(timed["swap"], timed["bare matrix product"])
    note = f"processor time, median of {rounds} pairs"
    return [
        *times,
        Figure(group, "faster than three convolutions by", faster, "×", at_least=FASTER, note=note),
        Figure(group, "times the bare product", of_bare, "×", at_most=BARE, note=note),
    ]


def memory(size: int) -> list[Figure]:
    """The most that each form holds beyond its inputs, and their ratio."""
    group = f"memory of a swap at VGG-19's relu3_1, {size} px"
    names = ("swap", "three convolutions")
    try:
        found = {name: run_apart(__spec__.name, name, str(size)) for name in names}
    except RuntimeError as error:
        return [Figure(group, "times less than three convolutions", None, "×", note=f"not available here: {error}")]
    more = {name: values["peak"] - values["before"] for name, values in found.items()}
    figures = [
        Figure(group, name, more[name], "MB", note=f"{found[name]['peak']:.0f} MB with PyTorch and the inputs")
        for name in names
    ]
    less = more["three convolutions"] / max(more["swap"], 1e-3)
    return [*figures, Figure(group, "times less than three convolutions", less, "×", at_least=LESS)]


@torch.inference_mode()
def _measure(form: str, size: int) -> dict[str, float]:
    """On random activations: what VGG-19 itself takes would hide what a swap takes."""

    def do(side: int) -> Callable[[], object]:
        return FORMS[form](*torch.randn(2, 1, 256, side // 4, side // 4).relu())

    do(32)()  # whatever libraries set up once is no part of it
    work = do(size)
    with contextlib.suppress(RuntimeError):
        forget_peak()
    before = most_so_far()
    work()
    return {"before": before, "peak": most_so_far()}


@torch.inference_mode()
def pastiche(size: int, rounds: int) -> list[Figure]:
    """Encode both, swap, paint: with what the course ships."""
    group, name = f"style swap with mini, {size} px", "both pictures to pastiche"
    try:
        network = style_swap.load()
    except WeightsError as error:
        return [Figure(group, name, None, "s", note=f"not measured: {error}")]
    content, style = square(samples.content("chelsea"), size), square(samples.style("mosaic"), size)
    timing = take_turns({name: lambda: network(content, style)}, max(rounds, 3))[name]
    note = f"{timing.processor:.3g} s of processor time on {torch.get_num_threads()} threads"
    return [Figure(group, name, timing.clock, "s", at_most=PASTICHE, note=note)]


@torch.inference_mode()
def growth(plan: Plan) -> list[Figure]:
    """Seconds of one swap for each side; drawn into `plan.sheet`."""
    curves: dict[str, list[float]] = {}
    figures = []
    for name, encoder in (("mini, 64 channels", Encoder("mini")), ("VGG-19, 256 channels", random_vgg19())):
        for side in plan.sides:
            content, style = pair(side, encoder)
            work = {name: FORMS["swap"](content, style)}
            if encoder.name == "vgg19" and side <= max(plan.sizes):
                work["VGG-19, three convolutions"] = FORMS["three convolutions"](content, style)
            for what, timing in take_turns(work, 1, warm_up=1 if side <= 256 else 0).items():
                curves.setdefault(what, []).append(timing.clock)
                figures.append(
                    Figure("cost against size, one swap at relu3_1", f"{what}, {side} px", timing.clock, "s")
                )
    if plan.sheet is not None:
        _draw(curves, plan)
    return figures


def _draw(curves: dict[str, list[float]], plan: Plan) -> None:
    from stylelearn.figures import curves_figure

    title = "One swap at relu3_1, seconds"
    figure = curves_figure(curves, x="side of the pictures, pixels", y="seconds", title=title, at=plan.sides)
    figure.savefig(plan.sheet.with_name(f"{plan.sheet.stem}_swap{plan.sheet.suffix}"))


# --- settling and steadiness ------------------------------------------------------------------------------------------


def settled(losses: list[float]) -> int:
    """The first step (from 1) at which 95 % of the way from the first loss to the lowest is done."""
    goal = min(losses) + 0.05 * (losses[0] - min(losses))
    return next(number for number, loss in enumerate(losses, start=1) if loss <= goal)


def settling(plan: Plan) -> list[Figure]:
    """Both objectives from the same starts, with L-BFGS: the paper claims an easier landscape."""
    content, style = _pictures(plan.size)
    encoder = Encoder("mini")
    objectives: dict[str, Objective] = {
        "style swap": style_swap.objective(content, style, encoder=encoder),
        "Gatys": gatys.objective(content, style, encoder=encoder),
    }
    figures = []
    for name, objective in objectives.items():
        ends = []
        for kind, seed in (("content", 0), ("noise", 0), ("noise", 1)):
            start = gatys.start_image(kind, content, style, seed)
            losses = [step.loss for step in optimize_image(start, objective, plan.steps)]
            ends.append(min(losses))
            where = f"from {kind}{seed + 1 if kind == 'noise' else ''}"
            note = f"of {len(losses)}; loss {losses[0]:.3g} to {min(losses):.3g}"
            figures.append(Figure("steps to settle", f"{name}, {where}", settled(losses), "", note=note))
        apart = 100 * (max(ends) / min(ends) - 1)
        figures.append(Figure("steps to settle", f"{name}, worst end above the best", apart, "%"))
    return figures


def _pictures(size: int) -> tuple[Tensor, Tensor]:
    return square(samples.content("chelsea"), size), square(samples.style("mosaic"), size)


def clips(plan: Plan) -> dict[str, Clip]:
    """The two clips of the lesson."""
    photo, size = samples.content("china", 2 * plan.size), (plan.size, plan.size)
    return {
        "panning": panning_clip(photo, plan.frames, size=size),
        "moving": moving_clip(photo, samples.content("chelsea"), plan.frames, size=size),
    }


def steadiness(plan: Plan) -> list[Figure]:
    """Each clip painted in three ways, and how much it flickers."""
    style, encoder = _pictures(plan.size)[1], Encoder("mini")
    ways: dict[str, Callable[[Tensor], Tensor]] = {}
    try:
        network = style_swap.load()
        ways["style swap, inverse network"] = lambda frame: network(frame, style)
    except WeightsError:
        pass

    def optimised(frame: Tensor, method: Any, start: str) -> Tensor:
        begin = gatys.start_image(start, frame, style)
        return result(optimize_image(begin, method.objective(frame, style, encoder=encoder), plan.steps))

    ways["style swap, optimised from noise"] = lambda frame: optimised(frame, style_swap, "noise")
    ways["Gatys from the same noise"] = lambda frame: optimised(frame, gatys, "noise")
    ways["Gatys from the frame"] = lambda frame: optimised(frame, gatys, "content")
    figures = []
    for name, clip in clips(plan).items():
        for way, paint in ways.items():
            made = torch.cat([paint(frame) for frame in clip.frames.split(1)])
            change = consistency(made, clip)
            figures.append(Figure(f"change between frames, {name} clip", way, change, "", note="of 255 levels"))
    return figures


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1], int(sys.argv[2]))))
