"""What work takes: seconds on the clock, seconds of processors, memory; and the machine that does it.

On a busy machine two times are measured: wall-clock time, which the user waits for, and processor time (user + system
time of this process), which hardly depends on other load and of which ratios are made. On a GPU only wall-clock time
means anything. Memory is measured in a process of its own, so that nothing else counts.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from stylelearn import __version__


@dataclass(frozen=True)
class Timing:
    """Seconds of one piece of work, round by round: on the clock, and of processor time; with the median of each."""

    clocks: Sequence[float]
    processors: Sequence[float]

    @property
    def clock(self) -> float:
        return statistics.median(self.clocks)

    @property
    def processor(self) -> float:
        return statistics.median(self.processors)


def take_turns(work: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 2) -> dict[str, Timing]:
    """Run each piece of work `rounds` times, in turn, so that other load on the machine slows all of them alike.

    Args:
        rounds: at least 1. `warm_up`: rounds before, that are not counted.
    """
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for _ in range(warm_up + rounds):
        for name, do in work.items():
            wait_for_gpu()
            clock, processor = time.perf_counter(), time.process_time()
            do()
            wait_for_gpu()
            taken[name].append((time.perf_counter() - clock, time.process_time() - processor))
    return {name: Timing(*zip(*pairs[warm_up:], strict=True)) for name, pairs in taken.items()}


def wait_for_gpu() -> None:
    """Wait until the GPU has done all its work; without one, return at once."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def ratio(a: Timing, b: Timing) -> float:
    """How many times longer a takes than b: the median over the rounds of the ratio within each.

    Of processor time; where there is a GPU, of time on the clock.
    """
    both = (a.clocks, b.clocks) if torch.cuda.is_initialized() else (a.processors, b.processors)
    return statistics.median(x / max(y, 1e-9) for x, y in zip(*both, strict=True))


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    found = {
        "processor": processor_name(),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "stylelearn": __version__,
        "date": time.strftime("%Y-%m-%d"),
    }
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    return found


def cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Windows and macOS
        return os.cpu_count() or 1


def processor_name() -> str:
    """The model of the processor, as the system calls it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown"


def held_by(work: Callable[[], object]) -> float:
    """The most memory that a piece of work holds beyond what is held before it, in MB.

    Raises:
        RuntimeError: not on Linux.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak becomes what is held now
    except OSError as error:
        raise RuntimeError("only Linux measures the memory that one part of a program used") from error
    before = most_so_far()
    work()
    return max(most_so_far() - before, 0.0)


APART = (
    "import importlib, json, sys; module, name, given = sys.argv[1:];"
    "print(json.dumps(getattr(importlib.import_module(module), name)(*json.loads(given))))"
)


def run_apart(work: Callable[..., Any], *given: str | int) -> Any:
    """What a function of a module returns in a process of its own; arguments and result are JSON.

    Raises:
        RuntimeError: it failed, or this system does not say how much memory a process used (Windows).
    """
    command = [sys.executable, "-c", APART, work.__module__, work.__name__, json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    return json.loads(done.stdout.strip().splitlines()[-1])


def most_so_far() -> float:
    """The most memory that this process has held, in MB."""
    try:
        # Not ru_maxrss: on Linux a new process begins with what the process that started it had held.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6
    except (OSError, IndexError):
        import resource  # not on Windows

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6  # macOS counts in bytes
