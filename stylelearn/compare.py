"""Lesson 10: all methods of the course on one pair of pictures, with their cost and their quality.

The cost is in seconds and memory; the quality is the number of styles and measures of content and style (`metrics.py`).
Huang & Belongie 2017, Table 1, compare five methods; `huang_table` shows the numbers of your machine beside theirs.

    for row in compare("chelsea", "stained_glass"):       # long work: one row after the other
        print(row.method, row.seconds, row.measures)

**Differs from the paper:** the encoder is `mini` in all methods, so only the method differs; seconds are medians on
your machine, not means over 100 pictures on one GPU; the networks of Johnson and Dumoulin are the course's.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from stylelearn.encoders import Encoder
from stylelearn.evaluation.metrics import judge, known, measure
from stylelearn.evaluation.tables import Row, Spread
from stylelearn.evaluation.timing import held_by, run_apart, take_turns, wait_for_gpu
from stylelearn.optimize import Diverged, result
from stylelearn.painting import SIZE, Optimised, allowed, check, count_styles, known_styles, painter_of, pictures, run
from stylelearn.registry import METHODS
from stylelearn.weights import WeightsError


def compare(
    content: Tensor | str,
    style: Tensor | str,
    methods: Iterable[str] = tuple(METHODS),
    *,
    sizes: Sequence[int] = (SIZE,),
    repeats: int = 5,
    seeds: Sequence[int] = (0,),
    steps: int | None = None,
    timed_steps: int | None = None,
    memory: bool = False,
    encoder: Encoder | None = None,
    only: Sequence[str] | None = None,
) -> Iterator[Row]:
    """One row for each size and method, yielded when it is ready.

    Args:
        content, style, steps: as `run`.
        sizes: pixels a side.
        repeats: timings of each; 0: none.
        seeds: one pastiche for each; the spread of measures is over them. Empty: no picture and no measures.
        timed_steps: time only this many steps where pixels are optimised, and extrapolate (the row's note says so);
            None times all.
        memory: measure it in a process of its own for each row (a few seconds each).
        encoder: the judge; None for `metrics.judge()`. only: some of `metrics.MEASURES`; empty: none.
    Raises:
        ValueError: unknown methods, measures or pictures, no sizes, negative repeats, steps < 1.

    A method that cannot paint this style gives a row without a picture; its note names the styles that it knows.
    """
    methods, only = list(methods), known(only)
    for method in methods:
        allowed(method, steps), allowed(method, timed_steps)
    if not sizes or min(sizes) < 1 or repeats < 0:
        raise ValueError(f"sizes must be whole numbers from 1 and repeats from 0; got sizes {sizes}, repeats {repeats}")
    pictures(content, style, min(sizes))  # refuse unknown names now, not at the first row

    def row(method: str, size: int, pair: tuple[Tensor, Tensor], judged_by: Encoder | None) -> Row:
        chosen = pair[1] if known_styles(method) is None else style  # a picture, or the name of what was learnt
        made = [run(method, pair[0], chosen, steps=steps, seed=seed) for seed in seeds]
        found = [measure(image, *pair, judged_by, only) for image in made] if judged_by else []
        spread = {name: Spread.of([each[name] for each in found]) for name in only} if found else {}
        seconds, with_style, note = None, None, ""
        if repeats:
            seconds, with_style, note = timed(method, pair[0], chosen, repeats, steps, timed_steps)
        held = peak_memory(method, size) if memory else None
        picture = made[0] if made else None
        return Row(method, size, picture, seconds, with_style, held, count_styles(method), spread, note)

    def rows() -> Iterator[Row]:
        judged_by = encoder or (judge() if only and seeds else None)
        for size in sizes:
            pair = pictures(content, style, size)
            for method in methods:
                try:
                    check(method, style)
                    yield row(method, size, pair, judged_by)
                except (ValueError, WeightsError, Diverged) as error:
                    yield Row(method, size, None, note=str(error))

    return rows()


# --- cost -------------------------------------------------------------------------------------------------------------


def timed(
    method: str, content: Tensor, style: Tensor | str, repeats: int, most: int | None, timed_steps: int | None
) -> tuple[Spread, Spread | None, str]:
    """Seconds without and with encoding the style, for at most `most` steps; and how they were measured."""
    painter, steps = painter_of(method, style), allowed(method, most)
    if isinstance(painter, Optimised):
        count = min(steps, timed_steps or steps)
        with_style = [_moving(painter, content, style, count, steps) for _ in range(repeats)]
        encoding = take_turns({"style": lambda: painter.encode(style)}, repeats, warm_up=1)["style"].clocks
        seconds = [max(whole - part, 0.0) for whole, part in zip(with_style, encoding, strict=True)]
        note = f"{steps} steps" if count == steps else f"{steps} steps, extrapolated from {count}"
        return Spread.of(seconds), Spread.of(with_style), note
    with torch.inference_mode():
        kept = painter.encode(style)
        work: dict[str, Callable[[], object]] = {"paint": lambda: painter.paint(content, kept)}
        if not painter.learnt:
            work["style"] = lambda: painter.encode(style)
        found = take_turns(work, repeats, warm_up=1)
    painted = Spread.of(found["paint"].clocks)
    if painter.learnt:
        return painted, None, ""
    both = zip(found["paint"].clocks, found["style"].clocks, strict=True)
    return painted, Spread.of([one + other for one, other in both]), ""


def _moving(painter: Optimised, content: Tensor, style: Tensor, count: int, steps: int) -> float:
    """Seconds of a whole run of `steps` steps, extrapolated from a run of `count` steps."""
    wait_for_gpu()
    start = time.perf_counter()
    moving = painter.begin(content, style, count, 0)
    wait_for_gpu()
    begun = time.perf_counter()
    best = result(moving)
    wait_for_gpu()
    moved = time.perf_counter()
    painter.end(best, content)
    wait_for_gpu()
    return time.perf_counter() - moved + (begun - start) + (moved - begun) * steps / count


def peak_memory(method: str, size: int) -> float | None:
    """Peak memory of painting in MB (1e6 bytes), in a process of its own; None where unknown (not on Linux)."""
    check(method)
    try:
        return run_apart(_held, method, size)
    except RuntimeError:
        return None


FEW = 12  # steps of optimisation after which memory no longer grows


def _held(method: str, size: int) -> float:
    style = (known_styles(method) or ["stained_glass"])[0]

    def paint(side: int) -> Tensor:
        pair = pictures("chelsea", "stained_glass", side)
        return run(method, pair[0], style if known_styles(method) else pair[1], steps=FEW)

    paint(64)  # loads what is loaded once
    return held_by(lambda: paint(size))
