"""Figures of lesson 10: what is drawn, and what is said about it."""

import math

import pytest

from stylelearn.figures.marks import intervals_figure, points_figure
from stylelearn.figures.tree import Ask, tree_figure

SCORES = {"photo?": {"a": (3.0, 2.5, 3.5), "b": (2.0, math.nan, math.nan)}, "style?": {"b": (1.5, 1.0, 2.0)}}
POINTS = {"fast": (0.01, 3.0), "also fast": (0.011, 3.1), "slow": (10.0, 0.1)}
TREE = Ask("Photo?", {"yes": "seven", "no": Ask("Wait?", {"yes": "two", "no": "five\nor eight"})})


def test_intervals_stand_where_the_numbers_say():
    (axes,) = intervals_figure(SCORES, limits=(1, 4)).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert axes.get_xlim() == (1, 4)
    found = {}
    for bars, name in zip(axes.containers, SCORES, strict=True):
        points, _, (lines,) = bars
        found[name] = [
            (x, *sorted(end[0] for end in line))
            for x, line in zip(points.get_xdata(), lines.get_segments(), strict=True)
        ]
    assert found["photo?"] == [(3.0, 2.5, 3.5), (2.0, 2.0, 2.0)]  # no interval, no bar
    assert found["style?"] == [(1.5, 1.0, 2.0)]
    marks = [bars[0].get_marker() for bars in axes.containers]
    assert len({*marks}) == 2  # told apart by more than colour
    rows = [y for bars in axes.containers for y in bars[0].get_ydata()]
    assert len({*rows}) == 3 and [round(y) for y in rows] == [0, 1, 1]
    words = "photo?: a 3.00 (2.50 to 3.50), b 2.00; style?: b 1.50 (1.00 to 2.00)"
    assert intervals_figure(SCORES, title="Scores").get_label() == f"Scores. {words}"
    assert intervals_figure(SCORES, alt="my own words").get_label() == "my own words"


def test_points_have_names_that_do_not_hide_each_other():
    kinds = {"fast": "one", "also fast": "many", "slow": "many"}
    figure = points_figure(POINTS, x="seconds", y="distance", kinds=kinds, title="Where", log=(True, True))
    figure.draw_without_rendering()
    (axes,) = figure.axes
    boxes = {text.get_text(): text.get_window_extent() for text in axes.texts if text.get_text()}
    assert set(boxes) == set(POINTS)
    assert not any(boxes[a].overlaps(boxes[b]) for a in boxes for b in boxes if a < b)
    drawn = {tuple(point) for line in axes.lines for point in line.get_xydata().tolist()}
    assert drawn == set(POINTS.values())
    assert len({line.get_marker() for line in axes.lines}) == 2
    assert figure.get_label().startswith("Where. fast (one) at seconds 0.01, distance 3; ")


def test_a_tree_has_every_question_and_answer():
    figure = tree_figure(TREE, "Which")
    words = {" ".join(text.get_text().split()) for text in figure.axes[0].texts}
    assert words == {"Which", "Photo?", "Wait?", "yes", "no", "seven", "two", "five or eight"}
    boxes = [patch.get_window_extent() for patch in figure.axes[0].patches]
    assert len(boxes) == 5
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    ways = "Photo? yes: seven; Photo? no, Wait? yes: two; Photo? no, Wait? no: five or eight"
    assert figure.get_label() == f"Which. {ways}"
    assert tree_figure(TREE).get_label() == ways


def test_names_of_marks_on_top_of_each_other_get_lines():
    crowd = {f"number {i}": (1.0 + i / 1000, 1.0) for i in range(6)} | {"far": (100.0, 9.0)}
    figure = points_figure(crowd, x="x", y="y", log=(True, False))
    figure.draw_without_rendering()
    texts = figure.axes[0].texts
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    assert len(boxes) == len(crowd)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert sum(text.arrow_patch is not None for text in texts) >= 4  # only two find a place beside the mark


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: intervals_figure({}), "no score to plot"),
        (lambda: intervals_figure({"a": {}}), "no score to plot"),
        (lambda: points_figure({}, x="x", y="y"), "nothing to plot"),
    ],
)
def test_nothing_to_draw_is_refused(draw, words):
    with pytest.raises(ValueError, match=words):
        draw()
