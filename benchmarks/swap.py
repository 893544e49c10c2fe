"""Lesson 06: what swapping patches costs beside three convolutions, and how steady it is on video.

speed       `patches.swap` and three convolutions in turn, at the size of VGG-19's relu3_1
memory      the most that one swap holds beyond its inputs, in a process of its own
pastiche    `mini` and the inverse network, both pictures to pastiche
steadiness  what remains of the change between frames when motion is undone, beside Gatys frame by frame

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

FASTER, LESS, PASTICHE = 3.0, 4.0, 0.5  # promised: times, times, seconds


def groups(plan: Plan) -> Iterator[tuple[str, Callable[[], list[Measurement]]]]:
    """(title, what to measure) one after the other; nothing is measured before it is called."""
    for size in (plan.size, plan.large):
        yield f"a swap beside three convolutions, {size} px", lambda size=size: speed(size, min(plan.rounds, 5))
        yield f"memory of a swap, {size} px", lambda size=size: memory(size)
    yield f"both pictures to pastiche, {plan.size} px", lambda: pastiche(plan.size, plan.rounds)
    yield f"steadiness on video, {plan.size // 2} px", lambda: steadiness(plan)


# --- speed and memory -------------------------------------------------------------------------------------------------


@torch.inference_mode()
def pair(size: int) -> tuple[Tensor, Tensor]:
    """Activations of two pictures of noise at relu3_1."""
    encoder, layer = random_vgg19(), style_swap.LAYER
    return encoder(noise(size), [layer])[layer], encoder(noise(size, seed=1), [layer])[layer]


FORMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"swap": swap, "three convolutions": swap_by_convolution}


@torch.inference_mode()
def speed(size: int, rounds: int) -> list[Measurement]:
    """Both in turn, and their ratio."""
    content, style = pair(size)
    timed = take_turns({name: partial(form, content, style) for name, form in FORMS.items()}, rounds, warm_up=1)
    group = f"swap at VGG-19's relu3_1, {size} px"
    faster = ratio(timed["three convolutions"], timed["swap"])
    note = f"processor time, median of {rounds} rounds"
    return [
        *clocks(group, timed),
        Measurement(group, "faster than three convolutions by", faster, "×", at_least=FASTER, note=note),
    ]


def memory(size: int) -> list[Measurement]:
    """The most that each form holds beyond its inputs, and their ratio."""
    group = f"memory of a swap at VGG-19's relu3_1, {size} px"
    found = {name: run_apart(_held, name, size) for name in FORMS}
    less = found["three convolutions"] / max(found["swap"], 1e-3)
    return [
        *(Measurement(group, name, value, "MB") for name, value in found.items()),
        Measurement(group, "times less than three convolutions", less, "×", at_least=LESS),
    ]


@torch.inference_mode()
def _held(form: str, size: int) -> float:
    """On random activations: what VGG-19 itself takes would hide what a swap takes."""

    def work(side: int) -> Callable[[], object]:
        return partial(FORMS[form], *torch.randn(2, 1, 256, side // 4, side // 4).relu())

    work(32)()  # libraries' one-time set-up is not measured
    return held_by(work(size))


@torch.inference_mode()
def pastiche(size: int, rounds: int) -> list[Measurement]:
    """Encode both, swap, paint: with what the course ships."""
    group, name = f"style swap with mini, {size} px", "both pictures to pastiche"
    network, (content, style) = style_swap.load(), _pictures(size)
    timing = take_turns({name: lambda: network(content, style)}, max(rounds, 3))[name]
    note = f"{timing.processor:.3g} s of processor time on {torch.get_num_threads()} threads"
    return [Measurement(group, name, timing.clock, "s", at_most=PASTICHE, note=note)]


# --- steadiness -------------------------------------------------------------------------------------------------------


def _pictures(size: int) -> tuple[Tensor, Tensor]:
    return square(samples.content("chelsea"), size), square(samples.style("mosaic"), size)


def steadiness(plan: Plan) -> list[Measurement]:
    """Each clip of the lesson painted in four ways, and how much it flickers."""
    photo, size = samples.content("china", plan.size), (plan.size // 2, plan.size // 2)
    clips = {
        "panning": panning_clip(photo, plan.frames, size=size),
        "moving": moving_clip(photo, samples.content("chelsea"), plan.frames, size=size),
    }
    style, encoder, network = _pictures(plan.size // 2)[1], Encoder("mini"), style_swap.load()

    def optimised(frame: Tensor, method: Any, start: str) -> Tensor:
        begin = gatys.start_image(start, frame, style)
        return result(optimize_image(begin, method.objective(frame, style, encoder=encoder), plan.steps // 2))

    ways: dict[str, Callable[[Tensor], Tensor]] = {
        "style swap, inverse network": lambda frame: network(frame, style),
        "style swap, optimised from noise": lambda frame: optimised(frame, style_swap, "noise"),
        "Gatys from the same noise": lambda frame: optimised(frame, gatys, "noise"),
        "Gatys from the frame": lambda frame: optimised(frame, gatys, "content"),
    }
    figures = []
    for name, clip in clips.items():
        for way, paint in ways.items():
            made = torch.cat([paint(frame) for frame in clip.frames.split(1)])
            change = consistency(made, clip)
            figures.append(Measurement(f"change between frames, {name} clip", way, change, "", note="of 255 levels"))
    return figures
