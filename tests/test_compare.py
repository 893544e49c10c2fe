"""All methods behind one door paint as they do by themselves; rows, tables and fits are right. No clock decides."""

import math
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from test_cli import refused

from stylelearn import adain, adjustable, cin, compare, gatys, johnson, painting, photo, samples, style_swap
from stylelearn.cli import main
from stylelearn.encoders import Encoder
from stylelearn.evaluation import tables
from stylelearn.evaluation.tables import Row, Spread, fit_cost
from stylelearn.evaluation.timing import Timing
from stylelearn.figures.costs import costs_figure
from stylelearn.optimize import optimize_image, result
from stylelearn.registry import METHODS
from stylelearn.segmentation import cluster
from stylelearn.weights import WeightsError

STYLE = "stained_glass"  # which all methods know


@pytest.fixture(scope="module")
def pair():
    return painting.pictures("coffee", STYLE, 64)


# --------------------------------------------------------------------------- painting


def by_itself(method, content, style):
    """What the method's own module makes of the pair, two steps where pixels are moved."""
    mini = Encoder("mini")
    with torch.inference_mode():
        if method == "johnson":
            return johnson.load(STYLE)(content)
        if method == "cin":
            network = cin.load()
            return network(content, network.mix(STYLE))
        if method == "adain":
            return adain.load()(content, style)
        if method == "swap_inverted":
            return style_swap.load()(content, style)
        if method == "adjustable":
            network = adjustable.load()
            return network(content, network.style(style), network.alphas(1.0))
    if method == "gatys":
        return result(gatys.stylize(content, style, encoder=mini, steps=2))
    if method == "swap_optimised":
        return result(optimize_image(content, style_swap.objective(content, style, encoder=mini), 2))
    steps = photo.stylize(content, style, *cluster(content, style), encoder=mini, steps=(1, 1))
    return photo.smooth(result(steps), content)


@pytest.mark.parametrize("method", METHODS)
def test_each_method_paints_as_it_does_by_itself(method, pair, monkeypatch):
    monkeypatch.setattr(photo, "STEPS", (30, 30))  # so that two steps are one of each stage
    content, style = pair
    made = painting.run(method, content, style if painting.known_styles(method) is None else STYLE, steps=2)
    assert torch.equal(made, painting.run(method, "coffee", STYLE, size=64, steps=2))
    torch.testing.assert_close(made, by_itself(method, content, style), rtol=1e-3, atol=1e-3)
    assert made.shape == content.shape and 0 <= made.min() and made.max() <= 1
    assert not made.is_inference()
    other = painting.run(method, "coffee", STYLE, size=64, steps=2, seed=1)
    assert (other - made).abs().mean() > 1e-3
    assert torch.equal(other, painting.run(method, "coffee", STYLE, size=64, steps=2, seed=1))


def test_what_each_method_knows():
    assert painting.known_styles("adain") is None
    assert painting.known_styles("johnson") == johnson.styles()
    assert painting.known_styles("cin") == cin.load().styles
    counts = [painting.count_styles(each) for each in ("johnson", "cin", "gatys")]
    assert counts == ["1", str(len(cin.load().styles)), "∞"]


def test_a_network_paints_what_the_course_has_no_picture_of():
    name = next(name for name in johnson.styles() if name not in samples.style_names())
    assert painting.run("johnson", "coffee", name, size=32).shape == (1, 3, 32, 32)


def test_pictures_are_squares_of_either_kind(pair):
    content, style = painting.pictures("rocket", "china", 48)
    assert content.shape == style.shape == (1, 3, 48, 48)
    assert torch.equal(painting.pictures(*pair, 64)[0], pair[0])


@pytest.mark.parametrize(
    ("words", "how", "said"),
    [
        (("oil", "coffee", STYLE), {}, "no method 'oil'; there are gatys"),
        (("johnson", "coffee", "mosaic"), {}, f"not learnt the style 'mosaic'.*{STYLE}.*any picture use adain"),
        (("adain", "coffee", "mosaik"), {}, "no style 'mosaik'; did you mean 'mosaic'"),
        (("gatys", "coffee", STYLE), {"steps": 0}, "steps must be at least 1; got 0"),
    ],
)
def test_what_cannot_be_painted_is_refused(words, how, said):
    with pytest.raises(ValueError, match=said):
        painting.run(*words, size=32, **how)


def test_no_more_steps_than_the_method_has():
    assert [painting.allowed("gatys", steps) for steps in (None, 10_000, 7)] == [300, 300, 7]


def test_learnt_styles_are_named_and_not_shown(pair):
    with pytest.raises(ValueError, match="cin has not learnt the style of any picture"):
        painting.run("cin", *pair)


# --------------------------------------------------------------------------- comparing


@pytest.fixture
def ticking(monkeypatch):
    """A clock that only goes on when somebody works: `work(seconds)`."""
    now = [0.0]
    monkeypatch.setattr(compare.time, "perf_counter", lambda: now[0])

    def work(seconds):
        now[0] += seconds

    return work


def test_steps_that_are_not_made_are_multiplied(ticking, pair):
    """4 s to begin, 2 s a step, 1 s at the end: twenty steps are 45 s, however many are made."""
    content, style = pair

    def begin(content, style, steps, seed):
        ticking(4)

        def moving():
            for number in range(steps):
                ticking(2)
                yield painting.Step(number + 1, 1.0, {}, content, content)

        return moving()

    def end(image, content):
        ticking(1)
        return image

    moves = painting.Optimised(lambda style: None, begin, end)
    assert [compare._moving(moves, content, style, count, 20) for count in (20, 5, 1)] == [45, 45, 45]


def test_with_and_without_the_style(monkeypatch, pair):
    """Medians of what a fake clock says: passes are added up, of pixels that move the style's part is taken away."""
    clocks = {"paint": (3.0, 1.0, 2.0), "style": (0.1, 0.2, 0.3)}

    def take_turns(work, rounds, warm_up):
        for do in work.values():
            do()
        return {name: Timing(clocks[name], ()) for name in work}

    monkeypatch.setattr(compare, "take_turns", take_turns)
    monkeypatch.setattr(compare, "_moving", lambda *_: 10.0)

    quick = {"repeats": 3, "seeds": (), "steps": 4, "timed_steps": 2}
    rows = {row.method: row for row in compare.compare(*pair, ["adain", "swap_optimised"], sizes=(64,), **quick)}
    assert rows["adain"].seconds == Spread(2.0, 1.0, 3.0)
    assert rows["adain"].with_style == Spread(pytest.approx(2.3), pytest.approx(1.2), pytest.approx(3.1))
    assert rows["swap_optimised"].with_style == Spread(10.0, 10.0, 10.0)
    assert rows["swap_optimised"].seconds.median == pytest.approx(9.8)
    assert rows["swap_optimised"].note == "4 steps, extrapolated from 2"
    (row,) = compare.compare("coffee", STYLE, ["johnson"], sizes=(64,), **quick)
    assert row.seconds.median == 2 and row.with_style is None and row.picture is None and not row.measures


def test_rows_come_one_after_the_other_with_measures_over_seeds():
    how = {"repeats": 0, "seeds": (3, 4, 5), "encoder": Encoder("mini"), "only": ["content", "structure"]}
    rows = list(compare.compare("coffee", STYLE, ["cin", "adain"], sizes=(32, 48), **how))
    assert [(row.method, row.size) for row in rows] == [("cin", 32), ("adain", 32), ("cin", 48), ("adain", 48)]
    for row in rows:
        assert row.picture.shape == (1, 3, row.size, row.size) and row.seconds is None and row.memory is None
        assert list(row.measures) == ["content", "structure"]
        assert all(each.low < each.median < each.high for each in row.measures.values())
    content, style = painting.pictures("coffee", STYLE, 32)
    made = [painting.run("cin", content, STYLE, seed=seed) for seed in (3, 4, 5)]
    values = [compare.measure(image, content, style, how["encoder"], ["content"])["content"] for image in made]
    assert rows[0].measures["content"].median == pytest.approx(sorted(values)[1])
    assert torch.equal(rows[0].picture, made[0])


def test_a_method_that_cannot_is_a_row_that_says_why(monkeypatch):
    how = {"repeats": 0, "only": []}
    rows = {row.method: row for row in compare.compare("coffee", "mosaic", ["johnson", "cin"], sizes=(32,), **how)}
    assert rows["johnson"].picture is None and "has not learnt the style 'mosaic'" in rows["johnson"].note
    assert rows["cin"].picture is not None and not rows["cin"].note

    def missing(*_, **__):
        raise WeightsError("not there")

    monkeypatch.setattr(compare, "run", missing)
    (row,) = compare.compare("coffee", STYLE, ["adain"], sizes=(32,), **how)
    assert row.picture is None and row.note == "not there"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"sizes": ()}, "sizes must be"),
        ({"repeats": -1}, "repeats -1"),
        ({"timed_steps": 0}, "steps must be at least 1"),
        ({"only": ["beauty"]}, "no measure 'beauty'"),
    ],
)
def test_mistakes_are_told_before_the_first_row(how, said):
    with pytest.raises(ValueError, match=said):
        compare.compare("coffee", STYLE, **how)
    with pytest.raises(ValueError, match="no content 'cofee'"):
        compare.compare("cofee", STYLE)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory one part of a program used")
def test_memory_is_that_of_a_process_of_its_own():
    assert 320 * 320 * 16 * 4 / 1e6 < compare.peak_memory("adain", 320) < 1000  # at least one layer of 16 channels


def test_memory_that_cannot_be_measured(monkeypatch):
    def fails(*_):
        raise RuntimeError("not on this system")

    monkeypatch.setattr(compare, "run_apart", fails)
    assert compare.peak_memory("adain", 64) is None


# --------------------------------------------------------------------------- tables

ROWS = [
    Row("adain", 256, None, Spread.of([0.02, 0.01, 0.04]), Spread.of([0.03]), 12.4, "∞", {"gram": Spread.of([0.25])}),
    Row("adain", 512, None, Spread.of([0.08]), Spread.of([0.1])),
    Row("cin", 256, None, Spread.of([0.5]), None, None, "14"),
    Row("johnson", 256, None, note="no such style"),
]


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_table():
    lines = tables.table(ROWS).splitlines()
    assert cells(lines[0]) == ["method", "px", "seconds (with style)", "memory, MB", "styles", "Gram distance"]
    assert cells(lines[2]) == ["AdaIN", "256", "0.02 (0.03)", "12", "∞", "0.25"]
    assert cells(lines[4])[2:] == ["0.5 (N/A)", "—", "14", "—"]
    assert cells(lines[5])[2:] == ["—", "—", "∞", "—"] and lines[-1] == "Johnson: no such style"
    unmeasured = tables.table(ROWS[1:2]).splitlines()
    assert cells(unmeasured[0]) == ["method", "px", "seconds (with style)", "styles"]
    assert cells(unmeasured[2])[2:] == ["0.08 (0.1)", "∞"]


def test_the_papers_table_beside_ours():
    text = tables.huang_table(ROWS)
    rows = {row[0]: row[1:] for row in map(cells, text.splitlines()) if len(row) == 7}
    assert rows["Gatys et al."] == ["14.17 (14.19)", "46.75 (46.79)", "∞", "—", "—", "∞"]
    assert rows["Chen and Schmidt"][:3] == ["0.171 (0.407)", "3.214 (4.144)", "∞"]
    learnt = str(len(cin.load().styles))
    assert rows["Dumoulin et al."] == ["0.011 (N/A)", "0.038 (N/A)", "32", "0.5 (N/A)", "—", learnt]
    ours = ["0.02 (0.03)", "0.08 (0.1)", "∞"]
    assert rows["Huang and Belongie (AdaIN)"] == ["0.018 (0.027)", "0.065 (0.098)", "∞", *ours]
    assert "Titan X" in text and "thread" in text
    small = tables.huang_table([replace(ROWS[0], size=64), replace(ROWS[0], size=96), replace(ROWS[0], size=32)])
    assert "here, 64 px | here, 96 px" in small and "32 px" not in small
    assert "here, 256 px" in tables.huang_table([])


# --------------------------------------------------------------------------- cost against pixels


def test_the_fit_is_that_of_least_squares():
    pixels, seconds = [1e4, 1e5, 1e6], [0.1, 2.0, 9.0]
    system = np.stack([np.log(pixels) - math.log(1e6), np.ones(3)], axis=1)
    (exponent, level), *_ = np.linalg.lstsq(system, np.log(seconds), rcond=None)
    found = fit_cost(pixels, seconds)
    assert (found.exponent, found.scale) == pytest.approx((exponent, math.exp(level)))
    assert found.seconds(1e5) == pytest.approx(math.exp(level + exponent * math.log(0.1)))


@pytest.mark.parametrize(
    ("pixels", "seconds", "said"),
    [
        ([1e4], [1.0], "at least two sizes"),
        ([1e4, 1e5], [1.0], "2 and 1 numbers"),
        ([1e4, 1e5], [1.0, math.nan], "above 0"),
    ],
)
def test_what_cannot_be_fitted(pixels, seconds, said):
    with pytest.raises(ValueError, match=said):
        fit_cost(pixels, seconds)


def test_costs_are_the_shortest_times():
    assert tables.costs(ROWS) == {"adain": ([65536.0, 262144.0], [0.01, 0.08]), "cin": ([65536.0], [0.5])}


def test_the_plot_of_costs(tmp_path):
    found = tables.costs(ROWS)
    figure = costs_figure(found, dict.fromkeys(found, fit_cost(*found["adain"]).seconds))
    (axes,) = figure.axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["256", "512"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["adain", "cin"]
    figure.savefig(tmp_path / "costs.png")
    assert "adain takes 0.01 s at 256 px and 0.08 s at 512 px" in figure.get_label()
    with pytest.raises(ValueError, match="no cost to plot"):
        costs_figure({}, {})


# --------------------------------------------------------------------------- the command


def test_the_command_prints_a_table_and_draws_the_pictures(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))  # no judge but mini
    words = ["--methods", "adain", "johnson", "--sizes", "32", "48", "--repeats", "1", "--paper"]
    assert main(["compare", *words, "-o", str(tmp_path / "sheet.png")]) == 0
    out = capsys.readouterr().out
    assert "| AdaIN | 48 |" in out and "The judge is mini." in out and "Titan X" in out
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert min(sheet.size) > 500
    mine = tmp_path / "mine.png"
    Image.new("RGB", (60, 50), "red").save(mine)
    assert main(["compare", "--style", str(mine), *words[:3], "--sizes", "32", "--repeats", "0"]) == 0
    out = capsys.readouterr().out
    assert "johnson has not learnt the style of any picture" in out and "| AdaIN | 32 | — |" in out


def test_the_command_keeps_rows_when_stopped(monkeypatch, capsys):
    def interrupted(*_, **__):
        yield ROWS[0]
        raise KeyboardInterrupt

    monkeypatch.setattr(compare, "compare", interrupted)
    assert main(["compare"]) == 130
    assert "| AdaIN | 256 | 0.02 (0.03) |" in capsys.readouterr().out


def test_the_command_refuses(capsys):
    assert "choose .jpg, .jpeg, .png, .webp" in refused(["compare", "-o", "sheet.bmp"], capsys)
