"""`python -m benchmarks adjustable`: measures of sliders on closed forms, and that the network is measured as said."""

import math
import statistics
from typing import Any

import pytest
import torch
from hands import tiny_adjustable

from benchmarks import adjustable as bench
from benchmarks.__main__ import main
from benchmarks.measuring import Plan
from benchmarks.pictures import Pair
from stylelearn import adjustable, losses, samples
from stylelearn.weights import WeightsError

LAYERS = ["relu1_1", "relu2_1", "relu4_1"]


def test_a_slider_that_is_best_for_its_own_layer_counts() -> None:
    before = torch.tensor([1.0, 2.0, 4.0])
    after = torch.tensor([[0.5, 1.8, 3.0], [0.6, 0.2, 1.0], [0.9, 1.0, 2.0]])  # after[i, j]: layer j, slider i
    assert bench.own_is_best(before, after) == pytest.approx(2 / 3)  # the second slider lowers layer 3 more
    assert bench.own_is_best(before, before.expand(3, 3)) == 0  # no slider does anything


def test_pictures_of_layers_are_apart_as_much_as_geometry_says() -> None:
    photo = torch.full((1, 3, 8, 8), 0.5)
    changes = torch.zeros(3, 3, 8, 8)
    for channel in range(3):
        changes[channel, channel] = 0.1  # nothing in common
    assert bench.distinctness(photo + changes, photo) == pytest.approx(math.sqrt(2))
    assert bench.distinctness(photo + 0.1 * torch.ones(3, 3, 8, 8), photo) == pytest.approx(0, abs=1e-6)
    assert bench.distinctness(torch.cat([photo + 0.1, photo - 0.1]), photo) == pytest.approx(2)


def test_a_slider_is_followed_with_the_others_fixed() -> None:
    net = tiny_adjustable()
    pair = Pair(("a", "b"), samples.content("coffee", 48)[..., :48], samples.style("batik", 48)[..., :48])
    for others in (0.0, 1.0):
        path = bench.falls(net, pair, "relu2_1", others)
        for step, found in enumerate(path):
            alphas = net.alphas({"relu1_1": others, "relu2_1": step / 5, "relu4_1": others})
            made = net(pair.content, net.style(pair.style), alphas)
            seen, wanted = (net.encoder(image, "relu2_1")["relu2_1"] for image in (made, pair.style))
            assert found == pytest.approx(float(losses.style_loss(seen, losses.mean_gram(wanted))), rel=1e-3)


def test_figures_of_the_sliders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two pairs with three layers each: one path goes up at the end, one in the middle, one stays where it is."""
    paths = iter([[3, 2, 1], [1, 2, 1], [2, 2, 2], [3, 2, 1], [3, 1, 2], [3, 2, 1]])
    monkeypatch.setattr(bench, "falls", lambda net, pair, layer, others: next(paths) if others == 0 else [2.0, 1.0])
    plan = Plan(size=32, many=2)
    share, left, share_with, left_with, best = bench.sliders(tiny_adjustable(), plan)
    assert share.value == pytest.approx(100 * 4 / 6) and share.at_least == 95 and "66.7 %" in share.note
    ratios = [1 / 3, 1, 1, 1 / 3, 2 / 3, 1 / 3]
    assert left.value == pytest.approx(statistics.geometric_mean(ratios))
    assert share_with.value == 100 and share_with.at_least == 85 and left_with.value == pytest.approx(0.5)
    assert 0 <= best.value <= 100


def test_the_photo_comes_back_without_any_style() -> None:
    median, lowest = bench.photo(tiny_adjustable(), Plan(size=64, many=2))
    assert median.value == lowest.value == bench.EXACT


def test_it_runs_and_says_what_is_not_there(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    net = tiny_adjustable()
    net.about["objective"] = dict.fromkeys([*(f"style {name}" for name in LAYERS), "content relu4_2", "tv"], 1.0)
    monkeypatch.setattr(adjustable, "load", lambda name="adjustable": net)
    monkeypatch.setattr("stylelearn.lab.adjustable.network", lambda name="adjustable": net)
    assert main(["adjustable", "--quick"]) == 0
    lines = capsys.readouterr().out.split("measured  ")[1].splitlines()
    assert len(lines) > 15 and not any("—" in line for line in lines)

    def missing(*_: Any) -> None:
        raise WeightsError("no such network")

    monkeypatch.setattr(adjustable, "load", missing)
    monkeypatch.setattr("stylelearn.lab.adjustable.network", missing)
    assert main(["adjustable", "--quick"]) == 0
    assert capsys.readouterr().out.count("no such network") == 6
