"""Lessons 03 to 05: how long a lab takes from a slider to new pixels, how much memory a large photo needs, how good."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.gatys import clocks, noise
from benchmarks.measuring import Measurement, Plan
from benchmarks.memory import memory_of_command
from benchmarks.pictures import squares
from benchmarks.quality import METHODS, quality
from stylelearn import adain, cin, johnson, samples, style_swap
from stylelearn.evaluation.timing import take_turns
from stylelearn.images import psnr, square, to_pil
from stylelearn.lab import AdaINLab, CinLab, JohnsonLab
from stylelearn.lab.live import LiveLab
from stylelearn.networks.coarse import coarse_to_fine

PROMISED = {256: 0.1, 512: 0.4}  # seconds from a slider to new pixels, by the side of the picture
MOST_MEMORY = 2048.0  # MB, for a photo of 12 million pixels
MEAN, WORST = 24.0, 22.0  # dB, of photos given back

Labs = Mapping[str, tuple[type[LiveLab], Callable[[Any], Any]]]  # what takes the slider that is moved from the lab

LABS: Labs = {
    "johnson: a whole pass of the network": (JohnsonLab, lambda lab: lab.controls["strength"]),
    "cin: the ring between four styles": (CinLab, lambda lab: lab.controls["across"]),
    "adain: strength": (AdaINLab, lambda lab: lab.controls["strength"]),
}


def moves(plan: Plan, labs: Labs = LABS) -> Iterator[Measurement]:
    """Seconds from a slider of each lab to new pixels, through the lab's own callback, at two sizes."""
    for size in (plan.size, plan.large):
        for name, (kind, control) in labs.items():
            lab = kind(square(samples.content("chelsea"), size), size=size)
            try:
                clock, processor = zip(*(moved(lab, control(lab), i) for i in range(2 + plan.rounds)), strict=True)
            finally:
                lab.close()
            seconds, work = (statistics.median(times[2:]) for times in (clock, processor))  # the first two warm up
            note = f"median of {plan.rounds}; {work:.3g} s of processor time on {torch.get_num_threads()} threads"
            yield Measurement(f"{name}, {size} px", seconds, "s", at_most=PROMISED.get(size), note=note)


def moved(lab: LiveLab, slider: Any, number: int) -> tuple[float, float]:
    """Seconds on the clock and of processor time from the `number`-th value of a slider to its picture."""
    slider.value = (number * 37 % 101) / 100  # another one between 0 and 1 for each number
    lab.wait()
    if hasattr(lab, "_pastiche"):  # finished pastiches; photos and styles are meant to be kept
        lab._pastiche.cache_clear()
    begin, before = time.perf_counter(), time.process_time()
    lab._runner.run_here(lab.job(lab.settings))
    if lab.error:
        raise RuntimeError(f"{type(lab).__name__} failed: {lab.error}")
    return time.perf_counter() - begin, time.process_time() - before


@torch.inference_mode()
def passes(plan: Plan) -> Iterator[Measurement]:
    """Both pictures through the encoder, AdaIN and the decoder, at once and from coarse to fine."""
    network = adain.load()
    for size in (plan.size, plan.large):
        content, once = noise(size), partial(network, styles=noise(size, seed=1))
        ways = {"one pass": partial(once, content), "from coarse to fine": partial(coarse_to_fine, once, content)}
        yield from clocks(take_turns({f"{way}, {size} px": do for way, do in ways.items()}, plan.rounds))


@torch.inference_mode()
def rebuilt(plan: Plan) -> Iterator[Measurement]:
    """PSNR of photos behind encoder and decoder: what α = 0 gives back; mean and lowest."""
    contents = [read() for read in list(squares("content", plan).values())[: plan.pairs]]
    for name, network in (("AdaIN", adain.load()), ("style swap", style_swap.load())):
        found = [psnr(network.decode(network.encode(one), one.shape[2:]), one) for one in contents]
        yield Measurement(f"{name}, mean", statistics.mean(found), "dB", at_least=MEAN, note=f"{len(found)} photos")
        yield Measurement(f"{name}, lowest", min(found), "dB", at_least=WORST)


def photo(plan: Plan) -> Iterator[Measurement]:
    """The most memory that `stylelearn stylize --full-size` holds, from file to file, with each method."""
    styles = {"johnson": ["--style", johnson.styles()[0]], "cin": ["--style", cin.load().styles[0]]}
    with tempfile.TemporaryDirectory(prefix="stylelearn-") as folder:
        source = Path(folder, "photo.jpg")
        to_pil(samples.content("coffee")).resize(plan.photo).save(source, quality=90)
        for method in METHODS:
            how = ["--method", method, *styles.get(method, []), "--full-size", "-o", str(Path(folder, "made.jpg"))]
            pictures = [str(source)] if method in styles else [str(source), samples.style_names()[0]]
            peak = memory_of_command("stylize", *pictures, *how)
            size = "{} × {}".format(*plan.photo)
            yield Measurement(f"{method}, a photo of {size}", peak, "MB", at_most=MOST_MEMORY)


GROUPS = {
    "from a slider to new pixels": moves,
    "AdaIN by itself": passes,
    "peak memory of the whole command": photo,
    "photos given back at α = 0": rebuilt,
    **{f"{method} beside Gatys's method": partial(quality, method) for method in METHODS},
}
