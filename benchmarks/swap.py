"""Lesson 06: what swapping patches costs beside three convolutions, and how steady it is on video.

Speed does not depend on the values of the weights: VGG-19's are random, and nothing is downloaded.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks.gatys import clocks, noise, random_vgg19
from benchmarks.measuring import Measurement, Plan
from stylelearn import gatys, samples, style_swap
from stylelearn.encoders import Encoder
from stylelearn.evaluation.timing import held_by, ratio, run_apart, take_turns
from stylelearn.images import square
from stylelearn.optimize import optimize_image, result
from stylelearn.patches import swap, swap_by_convolution
from stylelearn.video import consistency, moving_clip, panning_clip

FASTER, LESS = 3.0, 4.0  # times
FORMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"swap": swap, "three convolutions": swap_by_convolution}


@torch.inference_mode()
def speed(plan: Plan) -> Iterator[Measurement]:
    """Both in turn at two sizes, and their ratio."""
    encoder, layer, rounds = random_vgg19(), style_swap.LAYER, min(plan.rounds, 5)
    for size in (plan.size, plan.large):
        both = [encoder(noise(size, seed), [layer])[layer] for seed in (0, 1)]
        timed = take_turns({f"{name}, {size} px": partial(form, *both) for name, form in FORMS.items()}, rounds)
        yield from clocks(timed)
        parts, whole = timed.values()
        note = f"processor time, median of {rounds} rounds"
        yield Measurement(f"faster by, {size} px", ratio(whole, parts), "×", at_least=FASTER, note=note)


def memory(plan: Plan) -> Iterator[Measurement]:
    """The most that each form holds beyond its inputs at two sizes, and their ratio."""
    for size in (plan.size, plan.large):
        parts, whole = (run_apart(_held, name, size) for name in FORMS)
        for name, value in zip(FORMS, (parts, whole), strict=True):
            yield Measurement(f"{name}, {size} px", value, "MB")
        yield Measurement(f"times less, {size} px", whole / max(parts, 1e-3), "×", at_least=LESS)


@torch.inference_mode()
def _held(form: str, size: int) -> float:
    """On random activations: what VGG-19 itself takes would hide what a swap takes."""

    def work(side: int) -> Callable[[], object]:
        return partial(FORMS[form], *torch.randn(2, 1, 256, side // 4, side // 4).relu())

    work(32)()  # libraries' one-time set-up is not measured
    return held_by(work(size))


def steadiness(plan: Plan) -> Iterator[Measurement]:
    """Each clip of the lesson painted in four ways, and how much it flickers."""
    photo, side = samples.content("china", plan.size), plan.size // 2
    clips = {
        "panning": panning_clip(photo, plan.frames, size=(side, side)),
        "moving": moving_clip(photo, samples.content("chelsea"), plan.frames, size=(side, side)),
    }
    style, encoder, network = square(samples.style("mosaic"), side), Encoder("mini"), style_swap.load()

    def optimised(method: Any, start: str, frame: Tensor) -> Tensor:
        begin = gatys.start_image(start, frame, style)
        return result(optimize_image(begin, method.objective(frame, style, encoder=encoder), plan.steps // 2))

    ways: dict[str, Callable[[Tensor], Tensor]] = {
        "style swap, inverse network": lambda frame: network(frame, style),
        "style swap, optimised from noise": partial(optimised, style_swap, "noise"),
        "Gatys from the same noise": partial(optimised, gatys, "noise"),
        "Gatys from the frame": partial(optimised, gatys, "content"),
    }
    for clip_name, clip in clips.items():
        for way, paint in ways.items():
            made = torch.cat([paint(frame) for frame in clip.frames.split(1)])
            yield Measurement(f"{clip_name} clip: {way}", consistency(made, clip), note="of 255 levels")


GROUPS = {
    "a swap at VGG-19's relu3_1 beside three convolutions": speed,
    "memory of a swap beside three convolutions": memory,
    "change between frames": steadiness,
}
