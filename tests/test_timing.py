"""Timing: work takes turns, ratios are taken within a round, memory is that of a process. No test depends on speed."""

import json
import statistics
import time

import numpy as np
import pytest
import torch

from stylelearn.evaluation import timing
from stylelearn.evaluation.timing import Timing


def test_work_takes_turns():
    calls: list[str] = []
    timed = timing.take_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3, warm_up=1)
    assert calls == ["a", "b"] * 4
    assert all(len(each.processors) == len(each.clocks) == 3 for each in timed.values())


def test_sleeping_is_time_on_the_clock_and_not_of_the_processor():
    found = timing.take_turns({"sleep": lambda: time.sleep(0.05)}, rounds=1, warm_up=0)["sleep"]
    assert found.clock >= 0.05 > found.processor


def test_ratio_is_the_median_of_the_ratios_of_each_round():
    a, b = (2.0, 30.0, 9.0), (1.0, 10.0, 1.0)
    assert timing.ratio(Timing((), a), Timing((), b)) == statistics.median([2, 3, 9])


def test_machine():
    found = timing.machine()
    assert found["torch"] == torch.__version__
    assert found["cores"] >= 1 and found["processor"]
    json.dumps(found)


def test_peak_memory_sees_what_was_held():
    block = np.ones(100_000_000, dtype=np.uint8)
    assert timing.most_so_far() >= block.nbytes / 1e6


def test_a_process_that_fails_says_why():
    with pytest.raises(RuntimeError, match="Expecting value"):
        timing.run_apart(json.loads, "nowhere")
