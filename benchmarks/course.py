"""All methods of the course on one pair: seconds, memory, what measures see, and how the cost grows (lesson 10).

one pair     median seconds with and without encoding the style, beside AdaIN as in the table of Huang & Belongie
memory       of a process of its own
measures     content, style and structure, in the eyes of the judge
growth       exponent of the pixels: 1 means that twice the pixels take twice as long
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.encoder import Watch
from benchmarks.measuring import Figure
from stylelearn.compare import HUANG, METHODS, Row, common_styles, compare, costs, fit_cost, peak_memory, pictures
from stylelearn.encoders import Encoder
from stylelearn.evaluation.metrics import MEASURES, judge
from stylelearn.figures import costs_figure, grid_figure

CONTENT = "coffee"
SHOWN = ("content", "gram", "structure")
PAPER = {published.method: published.seconds[256][0] for published in HUANG}


@dataclass(frozen=True)
class Plan:
    """How thorough.

    Attributes:
        size: side of the (square) pictures in pixels. rounds: of each time measurement.
        steps: at most, of methods that move pixels; None: as many as they have.
        memory: which methods' memory is measured, each in a process of its own.
        sides, timed_steps: for the growth; pixels are moved so many times, and the rest is multiplied.
        judge: a SqueezeNet 1.0 checkpoint, or None for the one that was downloaded once, else `mini`.
        sheet: where pastiches and growth are drawn ("_course" and "_growth" are added to the name), or None.
    """

    size: int = 256
    rounds: int = 5
    steps: int | None = None
    memory: tuple[str, ...] = tuple(METHODS)
    sides: tuple[int, ...] = (128, 256, 512, 1024)
    timed_steps: int = 10
    judge: Path | None = None
    sheet: Path | None = None
    watch: Watch = field(default=lambda what, done, of: None, compare=False)


QUICK: dict[str, Any] = {"size": 64, "rounds": 1, "steps": 4, "memory": ("adain",), "sides": (48, 96), "timed_steps": 2}


def groups(plan: Plan) -> Iterator[tuple[str, Callable[[], list[Figure]]]]:
    """(title, what to measure) one after the other; nothing is measured before it is called."""
    styles = common_styles()
    if not styles:
        missing = Figure("course", "all methods on one pair", None, note="not measured: no style that all methods know")
        yield "the course's methods", lambda: [missing]
        return
    look = cache(lambda: Encoder("squeezenet", weights=plan.judge) if plan.judge else judge())
    yield f"all methods on {CONTENT} and {styles[0]}, {plan.size} px", lambda: one_pair(plan, styles[0], look())
    yield f"memory of each method, {plan.size} px", lambda: memory(plan)
    yield "cost against pixels", lambda: growth(plan, styles[0])


def one_pair(plan: Plan, style: str, seen_by: Encoder) -> list[Figure]:
    """Seconds of each method, and what the measures see; draws the sheet."""
    rows: list[Row] = []
    how: dict[str, Any] = {"sizes": (plan.size,), "steps": plan.steps, "encoder": seen_by, "only": SHOWN}
    for number, method in enumerate(METHODS):
        plan.watch(METHODS[method].title, number, len(METHODS))
        rounds = 1 if METHODS[method].steps else plan.rounds  # many steps are a long measurement by themselves
        rows += compare(CONTENT, style, [method], repeats=rounds, **how)
    if plan.sheet is not None:
        _sheet(rows, plan, style)
    return [*_seconds(rows, plan), *_ratios(rows), *_seen(rows, seen_by.name)]


def _seconds(rows: list[Row], plan: Plan) -> list[Figure]:
    figures = []
    for row in rows:
        group, title = f"course, seconds for one picture, {plan.size} px", METHODS[row.method].title
        if row.seconds is None:
            figures.append(Figure(group, title, None, "s", note=f"not measured: {row.note}"))
            continue
        encoding = "" if row.with_style is None else f"; {row.with_style.median:.3g} s with encoding the style"
        note = f"{row.note or 'one pass'}{encoding}; styles: {row.styles}; lesson {METHODS[row.method].lesson:02d}"
        figures.append(Figure(group, title, row.seconds.median, "s", note=note))
    return figures


def _ratios(rows: list[Row]) -> list[Figure]:
    """How many times longer each takes than AdaIN; the paper's ratio in the note."""
    seconds = {row.method: row.seconds.median for row in rows if row.seconds is not None}
    if "adain" not in seconds:
        return []
    return [
        Figure(
            *("course, times the seconds of AdaIN", METHODS[name].title, value / seconds["adain"], "×"),
            note=f"in the paper {PAPER[name] / PAPER['adain']:.3g} ×" if name in PAPER else "",
        )
        for name, value in seconds.items()
    ]


def _seen(rows: list[Row], by: str) -> list[Figure]:
    eyes = {name: "" if name == "structure" else f", seen by {by}" for name in SHOWN}
    return [
        Figure(f"course, {MEASURES[name].title}{eyes[name]}", METHODS[row.method].title, row.measures[name].median)
        for name in SHOWN
        for row in rows
        if name in row.measures
    ]


def _sheet(rows: list[Row], plan: Plan, style: str) -> None:
    painted = [row for row in rows if row.picture is not None]
    images = [*pictures(CONTENT, style, plan.size), *(row.picture for row in painted)]
    titles = ["content", "style", *(METHODS[row.method].title for row in painted)]
    _draw(grid_figure(images, titles, None), plan, "course")


def _draw(figure: Any, plan: Plan, name: str) -> None:
    figure.savefig(plan.sheet.with_name(f"{plan.sheet.stem}_{name}{plan.sheet.suffix}"))


def memory(plan: Plan) -> list[Figure]:
    """The most that each method holds beyond its networks and the pictures."""
    group, figures = f"course, memory of one picture, {plan.size} px", []
    for number, method in enumerate(plan.memory):
        plan.watch(METHODS[method].title, number, len(plan.memory))
        held = peak_memory(method, plan.size)
        note = "" if held is not None else "not available here"
        figures.append(Figure(group, METHODS[method].title, held, "MB", note=note))
    return figures


def growth(plan: Plan, style: str) -> list[Figure]:
    """The exponent of the pixels for each method; draws the plot."""
    rows: list[Row] = []
    for number, method in enumerate(METHODS):
        plan.watch(METHODS[method].title, number, len(METHODS))
        rounds = 1 if METHODS[method].steps else min(plan.rounds, 2)  # a swap of a million pixels takes a minute
        how: dict[str, Any] = {"repeats": rounds, "seeds": (), "timed_steps": plan.timed_steps, "only": ()}
        rows += compare(CONTENT, style, [method], sizes=plan.sides, **how)
    found, group = costs(rows), "course, seconds grow with pixels to the power of"
    fits = {name: fit_cost(*points) for name, points in found.items()}
    if plan.sheet is not None:
        named = {METHODS[name].title: points for name, points in found.items()}
        laws = {METHODS[name].title: fit.seconds for name, fit in fits.items()}
        _draw(costs_figure(named, laws, f"{CONTENT} and {style}"), plan, "growth")
    sides = f"{plan.sides[0]} to {plan.sides[-1]} px"
    return [
        Figure(
            *(group, METHODS[name].title, fit.exponent),
            note=f"{sides}; {fit.scale:.3g} s for a million pixels; within {100 * (fit.error - 1):.0f} %",
        )
        for name, fit in fits.items()
    ]
