"""Lesson 10: all methods of the course on one pair: seconds, memory, what measures see, and how the cost grows.

one pair  median seconds, beside AdaIN as in the table of Huang & Belongie; memory of a process of its own; content,
          style and structure as the judge sees them
growth    exponent of the pixels: 1 means that twice the pixels take twice as long
"""

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.measuring import Measurement, Plan, missing
from stylelearn.compare import compare
from stylelearn.evaluation.metrics import MEASURES, judge
from stylelearn.evaluation.tables import HUANG, Row, costs, fit_cost
from stylelearn.figures.costs import costs_figure
from stylelearn.figures.pictures import grid_figure
from stylelearn.painting import common_styles, pictures
from stylelearn.registry import METHODS

CONTENT = "coffee"
SHOWN = ("content", "gram", "structure")
PAPER = {published.method: published.seconds[256][0] for published in HUANG}


def groups(plan: Plan) -> Iterator[tuple[str, Callable[[], list[Measurement]]]]:
    """(title, what to measure) one after the other; nothing is measured before it is called."""
    styles = common_styles()
    if not styles:
        yield "the course's methods", lambda: missing("course", "all methods", "no style that all methods know")
        return
    yield f"all methods on {CONTENT} and {styles[0]}, {plan.size} px", lambda: one_pair(plan, styles[0])
    yield "cost against pixels", lambda: growth(plan, styles[0])


def one_pair(plan: Plan, style: str) -> list[Measurement]:
    """Seconds and memory of each method, and what the measures see; draws the sheet."""
    seen_by = judge(plan.judge)
    rows: list[Row] = []
    how: dict[str, Any] = {"sizes": (plan.size,), "encoder": seen_by, "only": SHOWN, "memory": plan.judged}
    for number, (name, method) in enumerate(METHODS.items()):
        plan.watch(method.title, number, len(METHODS))
        rounds = 1 if method.steps else min(plan.rounds, 5)  # many steps are a long measurement by themselves
        rows += compare(CONTENT, style, [name], repeats=rounds, steps=None if plan.judged else plan.steps, **how)
    if (sheet := plan.drawn("course")) is not None:
        painted = [row for row in rows if row.picture is not None]
        images = [*pictures(CONTENT, style, plan.size), *(row.picture for row in painted)]
        titles = ["content", "style", *(METHODS[row.method].title for row in painted)]
        grid_figure(images, titles, None).savefig(sheet)
    return [*_costs(rows, plan), *_seen(rows, seen_by.name)]


def _costs(rows: list[Row], plan: Plan) -> list[Measurement]:
    """Seconds, times the seconds of AdaIN with the paper's ratio in the note, and memory."""
    group = f"course, seconds for one picture, {plan.size} px"
    figures, ratios, held = [], [], []
    adain = next((row.seconds.median for row in rows if row.method == "adain" and row.seconds is not None), None)
    for row in rows:
        title = METHODS[row.method].title
        if row.seconds is None:
            figures += missing(group, title, row.note, "s")
            continue
        encoding = "" if row.with_style is None else f"; {row.with_style.median:.3g} s with encoding the style"
        note = f"{row.note or 'one pass'}{encoding}; styles: {row.styles}"
        figures.append(Measurement(group, title, row.seconds.median, "s", note=note))
        if adain is not None:
            paper = f"in the paper {PAPER[row.method] / PAPER['adain']:.3g} ×" if row.method in PAPER else ""
            over = row.seconds.median / adain
            ratios.append(Measurement("course, times the seconds of AdaIN", title, over, "×", note=paper))
        if row.memory is not None:
            held.append(Measurement(f"course, memory of one picture, {plan.size} px", title, row.memory, "MB"))
    return [*figures, *ratios, *held]


def _seen(rows: list[Row], by: str) -> list[Measurement]:
    eyes = {name: "" if name == "structure" else f", seen by {by}" for name in SHOWN}
    return [
        Measurement(f"course, {MEASURES[name].title}{eyes[name]}", METHODS[row.method].title, found.median)
        for name in SHOWN
        for row in rows
        if (found := row.measures.get(name)) is not None
    ]


def growth(plan: Plan, style: str) -> list[Measurement]:
    """The exponent of the pixels for each method; draws the plot."""
    rows: list[Row] = []
    for number, (name, method) in enumerate(METHODS.items()):
        plan.watch(method.title, number, len(METHODS))
        rounds = 1 if method.steps else min(plan.rounds, 2)  # a swap of a million pixels takes a minute
        how: dict[str, Any] = {"repeats": rounds, "seeds": (), "timed_steps": min(plan.steps, 10), "only": ()}
        rows += compare(CONTENT, style, [name], sizes=plan.sides, **how)
    found, group = costs(rows), "course, seconds grow with pixels to the power of"
    fits = {name: fit_cost(*points) for name, points in found.items()}
    if (sheet := plan.drawn("growth")) is not None:
        named = {METHODS[name].title: points for name, points in found.items()}
        laws = {METHODS[name].title: fit.seconds for name, fit in fits.items()}
        costs_figure(named, laws, f"{CONTENT} and {style}").savefig(sheet)
    sides = f"{plan.sides[0]} to {plan.sides[-1]} px"
    return [
        Measurement(
            *(group, METHODS[name].title, fit.exponent),
            note=f"{sides}; {fit.scale:.3g} s for a million pixels; within {100 * (fit.error - 1):.0f} %",
        )
        for name, fit in fits.items()
    ]
