"""What `python -m benchmarks swap` measures: that all of it runs, and that its own sums are right."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import swap
from stylelearn.patches import swap as swapped
from stylelearn.weights import WeightsError

FEW = swap.Plan(**swap.QUICK)


def test_all_groups_are_lazy_and_name_what_they_measure() -> None:
    titles = [title for title, _ in swap.groups(swap.Plan())]
    assert len(titles) == 8 and any("512 px" in title for title in titles)


def test_speed_compares_forms_that_agree() -> None:
    *times, faster, of_bare = swap.speed(48, 1)
    assert [figure.name for figure in times] == list(swap.FORMS)
    assert faster.at_least == 3 and of_bare.at_most == 2
    content, style = swap.pair(48)
    made = [swap.FORMS[name](content, style)() for name in ("swap", "three convolutions")]
    torch.testing.assert_close(*made, rtol=1e-4, atol=1e-4)
    assert torch.equal(made[0], swapped(content, style))


def test_the_bare_product_makes_every_product_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swap, "PIECE", 10)
    content, style = torch.rand(1, 3, 6, 7), torch.rand(1, 3, 8, 5)
    with torch.profiler.profile(record_shapes=True) as seen:
        swap.bare_product(content, style)()
    rows = [event.input_shapes[0][0] for event in seen.events() if event.name == "aten::mm"]
    assert sum(rows) == 4 * 5


def test_memory_is_measured_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def apart(*words: str) -> dict[str, float]:
        asked.append(words)
        return {"before": 300.0, "peak": 310.0 if words[1] == "swap" else 360.0}

    monkeypatch.setattr(swap, "run_apart", apart)
    ours, theirs, less = swap.memory(256)
    assert asked == [("benchmarks.swap", name, "256") for name in ("swap", "three convolutions")]
    assert (ours.value, theirs.value, less.value, less.at_least) == (10, 60, 6, 4)

    def fails(*words: str) -> dict[str, float]:
        raise RuntimeError("no such system")

    monkeypatch.setattr(swap, "run_apart", fails)
    (figure,) = swap.memory(256)
    assert figure.value is None and "no such system" in figure.note


def test_a_process_of_its_own_says_what_it_held() -> None:
    found = swap.run_apart("benchmarks.swap", "swap", "64")
    assert 0 < found["before"] <= found["peak"]


def test_settled() -> None:
    assert swap.settled([10.0, 5.0, 1.4, 1.0]) == 3  # 95 % of the way from 10 to 1 ends at 1.45
    assert swap.settled([1.0]) == 1


def test_the_slow_groups_run(tmp_path: Path) -> None:
    plan = replace(FEW, sheet=tmp_path / "sheet.png", steps=3)
    figures = swap.growth(plan)
    assert (tmp_path / "sheet_swap.png").stat().st_size > 1000
    assert len(figures) == 2 * len(plan.sides) + 1  # three convolutions only up to the largest of `sizes`
    names = [figure.name for figure in swap.settling(plan)]
    assert len(names) == 8 and "Gatys, from noise2" in names
    steady = swap.steadiness(plan)
    assert {figure.group.split()[-2] for figure in steady} == {"panning", "moving"}
    assert all(figure.value is not None and figure.value > 0 for figure in steady)


def test_without_weights_the_rest_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> Any:
        raise WeightsError("none there")

    monkeypatch.setattr(swap.style_swap, "load", missing)
    (figure,) = swap.pastiche(48, 1)
    assert figure.value is None and figure.note == "not measured: none there"
    assert not any("inverse" in figure.name for figure in swap.steadiness(replace(FEW, steps=2)))
