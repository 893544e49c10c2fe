"""Lessons 03 to 05: how long a lab takes from a slider to new pixels, how much memory a large photo needs, how good.

moves        seconds from a control of each lab to new pixels, through the lab's own callback
pipeline     AdaIN with `mini` beside the same pipeline on VGG-19 with random weights (weights do not matter)
photo        peak memory of `stylelearn stylize --full-size` on a large photo, in a process of its own
quality      `amortised.py`: how near one pass of each network comes to 300 steps on the pixels
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from benchmarks import amortised
from benchmarks.encoder import Watch
from benchmarks.gatys import noise, random_vgg19
from benchmarks.measuring import Figure
from benchmarks.memory import memory_of_command
from stylelearn import adain, cin, johnson, samples
from stylelearn.evaluation.timing import ratio, take_turns
from stylelearn.images import square, to_pil
from stylelearn.weights import WeightsError

if TYPE_CHECKING:
    from stylelearn.lab.engine.live import LiveLab

PROMISED = {256: 0.1, 512: 0.4}  # seconds from a slider to new pixels, by the side of the picture
FASTER = 12.0  # times, mini's pipeline beside VGG-19's
MOST_MEMORY = 2048.0  # MB, for a photo of 12 million pixels
METHODS = ("johnson", "cin", "adain")


@dataclass(frozen=True)
class Plan:
    """How thorough, and with what.

    Attributes:
        sizes: sides of the (square) pictures in the labs, in pixels. rounds: of each time measurement.
        photo: width and height of the large photo.
        size, steps: of the Gatys runs. pairs: how many content and style pictures are paired, for each method.
        sheet_size: side of the pictures on contact sheets.
        judge: a SqueezeNet 1.0 checkpoint, or None: then only the methods' own losses are compared.
        folder: with content/ and style/ inside; None: the course's own pictures.
        sheet: where contact sheets go (the method's name is added), or None.
    """

    sizes: tuple[int, ...] = tuple(PROMISED)
    rounds: int = 15
    photo: tuple[int, int] = (4000, 3000)
    size: int = 256
    steps: int = 300
    pairs: int = 16
    sheet_size: int = 512
    judge: Path | None = None
    folder: Path | None = None
    sheet: Path | None = None
    watch: Watch = field(default=lambda what, done, of: None, compare=False)


QUICK: dict[str, Any] = {
    "sizes": (64,),
    "rounds": 2,
    "photo": (200, 150),
    "size": 64,
    "steps": 5,
    "pairs": 2,
    "sheet_size": 64,
}


def groups(plan: Plan) -> Iterator[tuple[str, Callable[[], list[Figure]]]]:
    """(title, what to measure) one after the other; nothing is measured before it is called."""
    for size in plan.sizes:
        yield f"from a slider to new pixels, {size} px", lambda size=size: moves(size, plan.rounds)
    yield f"AdaIN with mini and with VGG-19, {plan.sizes[0]} px", lambda: pipeline(plan.sizes[0], plan.rounds)
    width, height = plan.photo
    yield f"peak memory of a photo of {width} × {height}", lambda: photo(plan)
    for method in METHODS:
        yield f"quality of {method}, {plan.size} px", lambda method=method: amortised.quality(method, plan)


# --------------------------------------------------------------------------- from a slider to new pixels


def moves(size: int, rounds: int, labs: "Mapping[str, Callable[[int], Moved]] | None" = None) -> list[Figure]:
    """Seconds from a control to new pixels in some labs, by default those in `LABS`, on a square photo."""
    group, figures = f"lab, from a slider to new pixels, {size} px", []
    for name, kind in (LABS if labs is None else labs).items():
        try:
            lab, move = kind(size)
        except WeightsError as error:
            figures.append(Figure(group, name, None, "s", note=f"not measured: {error}"))
            continue
        try:
            figures.append(_timed(group, name, lab, move, rounds, PROMISED.get(size)))
        finally:
            lab.close()
    return figures


def _timed(
    group: str, name: str, lab: "LiveLab", move: Callable[[int], object], rounds: int, promised: float | None
) -> Figure:
    clock, processor = [], []
    for number in range(2 + rounds):  # the first two warm up
        move(number)
        lab.wait()
        _forget(lab)
        before = time.process_time()
        milliseconds = lab.refresh()
        if lab.error:
            raise RuntimeError(f"the lab of {name} failed: {lab.error}")
        clock.append(milliseconds / 1000)
        processor.append(time.process_time() - before)
    work = statistics.median(processor[2:])
    note = f"median of {rounds}; {work:.3g} s of processor time on {torch.get_num_threads()} threads"
    return Figure(group, name, statistics.median(clock[2:]), "s", at_most=promised, note=note)


def _forget(lab: "LiveLab") -> None:
    """Whatever the lab keeps of finished pastiches (what is kept of photos and styles is meant to be there)."""
    for kept in ("_pastiche", "_coloured"):
        if hasattr(lab, kept):
            getattr(lab, kept).cache_clear()


def photo_of(size: int) -> torch.Tensor:
    """A square photo of the course."""
    return square(samples.content("chelsea"), size)


def share(number: int) -> float:
    """Another value between 0 and 1 for each number."""
    return (number * 37 % 101) / 100


Moved = tuple["LiveLab", Callable[[int], object]]


def _slider(lab: "LiveLab", name: str) -> Moved:
    def move(number: int) -> None:
        lab.controls[name].value = share(number)

    return lab, move


def _johnson(size: int) -> Moved:
    from stylelearn.lab.johnson import JohnsonLab

    return _slider(JohnsonLab(photo_of(size), size=size), "strength")


def _cin(size: int) -> Moved:
    from stylelearn.lab.cin import CinLab

    return _slider(CinLab(photo_of(size), size=size), "across")


def _adain(size: int) -> Moved:
    from stylelearn.lab.adain import AdaINLab

    return _slider(AdaINLab(photo_of(size), size=size), "strength")


LABS = {
    "johnson: a whole pass of the network": _johnson,
    "cin: the ring between four styles": _cin,
    "adain: strength": _adain,
}


# --------------------------------------------------------------------------- beside VGG-19


@torch.inference_mode()
def pipeline(size: int, rounds: int) -> list[Figure]:
    """Both pictures through the encoder, AdaIN and the decoder, in turn with the same on VGG-19."""
    group = f"adain, both pictures to pastiche, {size} px"
    try:
        mini = adain.load()
    except WeightsError as error:
        return [Figure(group, "mini is faster by", None, "×", note=f"not measured: {error}")]
    vgg = adain.AdaIN(random_vgg19(), layer=mini.layer).eval()
    content, style = noise(size), noise(size, seed=1)
    timed = take_turns({"mini": lambda: mini(content, style), "VGG-19": lambda: vgg(content, style)}, rounds)
    times = [
        Figure(group, name, timing.clock, "s", note=f"{timing.processor:.3g} s of processor time")
        for name, timing in timed.items()
    ]
    note = f"processor time, median of {rounds} pairs; {mini.layer}"
    return [*times, Figure(group, "mini is faster by", ratio(timed["VGG-19"], timed["mini"]), "×", FASTER, note=note)]


# --------------------------------------------------------------------------- a large photo


def photo(plan: Plan) -> list[Figure]:
    """The most memory that `stylelearn stylize --full-size` holds, from file to file, with each method."""
    width, height = plan.photo
    group = f"photo of {width} × {height}, peak memory of the whole command"
    figures = []
    with tempfile.TemporaryDirectory(prefix="stylelearn-") as folder:
        source = Path(folder) / "photo.jpg"
        to_pil(samples.content("coffee")).resize(plan.photo).save(source, quality=90)
        for method in METHODS:
            plan.watch(method, METHODS.index(method), len(METHODS))
            before = time.perf_counter()
            try:
                words = [str(source), "--full-size", "-o", str(Path(folder) / f"{method}.jpg"), *_words(method)]
                found = memory_of_command("stylize", *words)
            except (RuntimeError, WeightsError) as error:
                figures.append(Figure(group, method, None, "MB", note=f"not measured: {error}"))
                continue
            note = f"{found['imports']:.0f} MB of it before the work; {time.perf_counter() - before:.0f} s"
            figures.append(Figure(group, method, found["peak"], "MB", at_most=MOST_MEMORY, note=note))
    return figures


def _words(method: str) -> list[str]:
    """How the command is told to use a method.

    Raises:
        WeightsError: there is no network of that kind.
    """
    if method == "adain":
        return [samples.style_names()[0], "--method", "adain"]
    styles = johnson.styles() if method == "johnson" else cin.load().styles
    if not styles:
        raise WeightsError(f"the course ships no {method} network")
    return ["--method", method, "--style", styles[0]]
