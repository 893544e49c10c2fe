"""Lessons 03 to 05: how long a lab takes from a slider to new pixels, how much memory a large photo needs, how good.

moves     seconds from a control of each lab to new pixels, through the lab's own callback
pipeline  AdaIN with `mini` beside the same pipeline on VGG-19 with random weights (their values do not matter)
photo     peak memory of `stylelearn stylize --full-size` on a large photo, in a process of its own
rebuilt   photos behind encoder and decoder (α = 0), of AdaIN and of style swap
quality   `quality.py`: how near each network, painting from coarse to fine, comes to 300 steps on the pixels
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.gatys import clocks, noise, random_vgg19
from benchmarks.measuring import Measurement, Plan
from benchmarks.memory import memory_of_command
from benchmarks.pictures import photos
from benchmarks.quality import quality
from stylelearn import adain, cin, johnson, samples, style_swap
from stylelearn.evaluation.timing import ratio, take_turns
from stylelearn.images import psnr, square, to_pil

if TYPE_CHECKING:
    from stylelearn.lab.live import LiveLab

PROMISED = {256: 0.1, 512: 0.4}  # seconds from a slider to new pixels, by the side of the picture
FASTER = 12.0  # times, mini's pipeline beside VGG-19's
MOST_MEMORY = 2048.0  # MB, for a photo of 12 million pixels
MEAN, WORST = 24.0, 22.0  # dB, of photos given back
METHODS = ("johnson", "cin", "adain")


def groups(plan: Plan) -> Iterator[tuple[str, Callable[[], list[Measurement]]]]:
    """(title, what to measure) one after the other; nothing is measured before it is called."""
    for size in (plan.size, plan.large):
        yield f"from a slider to new pixels, {size} px", lambda size=size: moves(size, plan.rounds)
    yield f"AdaIN with mini and with VGG-19, {plan.size} px", lambda: pipeline(plan.size, plan.rounds)
    yield "peak memory of a photo of {} × {}".format(*plan.photo), lambda: photo(plan)
    yield f"photos given back, {plan.size} px", lambda: rebuilt(plan)
    for method in METHODS:
        yield f"quality of {method}, {plan.size} px", lambda method=method: quality(method, plan)


# --- from a slider to new pixels --------------------------------------------------------------------------------------

Moved = tuple["LiveLab", Callable[[int], object]]


def moves(size: int, rounds: int, labs: "Mapping[str, Callable[[int], Moved]] | None" = None) -> list[Measurement]:
    """Seconds from a control to new pixels in some labs, by default those in `LABS`, on a square photo."""
    group, figures = f"lab, from a slider to new pixels, {size} px", []
    for name, kind in (LABS if labs is None else labs).items():
        lab, move = kind(size)
        try:
            figures.append(_timed(group, name, lab, move, rounds, PROMISED.get(size)))
        finally:
            lab.close()
    return figures


def _timed(
    group: str, name: str, lab: "LiveLab", move: Callable[[int], object], rounds: int, promised: float | None
) -> Measurement:
    clock, processor = [], []
    for number in range(2 + rounds):  # the first two warm up
        move(number)
        lab.wait()
        if hasattr(lab, "_pastiche"):  # finished pastiches; photos and styles are meant to be kept
            lab._pastiche.cache_clear()
        before = time.process_time()
        milliseconds = lab.refresh()
        if lab.error:
            raise RuntimeError(f"the lab of {name} failed: {lab.error}")
        clock.append(milliseconds / 1000)
        processor.append(time.process_time() - before)
    work = statistics.median(processor[2:])
    note = f"median of {rounds}; {work:.3g} s of processor time on {torch.get_num_threads()} threads"
    return Measurement(group, name, statistics.median(clock[2:]), "s", at_most=promised, note=note)


def slider(module: str, kind: str, control: Callable[[Any], Any]) -> Callable[[int], Moved]:
    """What opens a lab at a size, on a square photo, and moves one of its sliders; `control` takes it from the lab."""

    def opened(size: int) -> Moved:
        photo = square(samples.content("chelsea"), size)
        lab = getattr(import_module(f"stylelearn.lab.{module}"), kind)(photo, size=size)

        def move(number: int) -> None:
            control(lab).value = (number * 37 % 101) / 100  # another one between 0 and 1 for each number

        return lab, move

    return opened


LABS = {
    "johnson: a whole pass of the network": slider("johnson", "JohnsonLab", lambda lab: lab.controls["strength"]),
    "cin: the ring between four styles": slider("cin", "CinLab", lambda lab: lab.controls["across"]),
    "adain: strength": slider("adain", "AdaINLab", lambda lab: lab.controls["strength"]),
}


# --- beside VGG-19, and a large photo ---------------------------------------------------------------------------------


@torch.inference_mode()
def pipeline(size: int, rounds: int) -> list[Measurement]:
    """Both pictures through the encoder, AdaIN and the decoder, in turn with the same on VGG-19."""
    group = f"adain, both pictures to pastiche, {size} px"
    mini = adain.load()
    vgg = adain.AdaIN(random_vgg19(), layer=mini.layer).eval()
    content, style = noise(size), noise(size, seed=1)
    timed = take_turns({"mini": lambda: mini(content, style), "VGG-19": lambda: vgg(content, style)}, rounds)
    note = f"processor time, median of {rounds} rounds; {mini.layer}"
    faster = ratio(timed["VGG-19"], timed["mini"])
    return [*clocks(group, timed), Measurement(group, "mini is faster by", faster, "×", FASTER, note=note)]


@torch.inference_mode()
def rebuilt(plan: Plan) -> list[Measurement]:
    """PSNR of photos behind encoder and decoder: what α = 0 gives back; mean and lowest."""
    group, figures = f"photos given back at α = 0, {plan.size} px", []
    contents = [square(read(), plan.size) for read in list(photos(plan.folder).values())[: plan.pairs]]
    for name, loaded in (("AdaIN", adain.load), ("style swap", style_swap.load)):
        net = loaded()
        found = [psnr(net.decode(net.encode(one), one.shape[2:]), one) for one in contents]
        note = f"of {len(found)} photos; {net.layer}"
        for word, value, wanted in (("mean", statistics.mean(found), MEAN), ("lowest", min(found), WORST)):
            figures.append(Measurement(group, f"{name}, {word}", value, "dB", at_least=wanted, note=note))
    return figures


def photo(plan: Plan) -> list[Measurement]:
    """The most memory that `stylelearn stylize --full-size` holds, from file to file, with each method."""
    group = "photo of {} × {}, peak memory of the whole command".format(*plan.photo)
    figures = []
    with tempfile.TemporaryDirectory(prefix="stylelearn-") as folder:
        source = Path(folder) / "photo.jpg"
        to_pil(samples.content("coffee")).resize(plan.photo).save(source, quality=90)
        for number, method in enumerate(METHODS):
            plan.watch(method, number, len(METHODS))
            words = [str(source), "--full-size", "-o", str(Path(folder) / f"{method}.jpg"), *_words(method)]
            found = memory_of_command("stylize", *words)
            note = f"{found['imports']:.0f} MB of it before the work"
            figures.append(Measurement(group, method, found["peak"], "MB", at_most=MOST_MEMORY, note=note))
    return figures


def _words(method: str) -> list[str]:
    """The method's options on the command line."""
    if method == "adain":
        return [samples.style_names()[0], "--method", "adain"]
    return ["--method", method, "--style", (johnson.styles() if method == "johnson" else cin.load().styles)[0]]
