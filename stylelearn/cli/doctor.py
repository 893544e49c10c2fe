"""`stylelearn doctor`: is this machine fit for the course, and if not, what to do.

Each examination is a function that yields findings: "ok", a "note" or a "problem". A problem hinders the course. Notes
and problems come with a remedy.
"""

import contextlib
import importlib.metadata
import math
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from stylelearn import __version__
from stylelearn.cli import working_copy
from stylelearn.cli.parsing import Commands, UsageError

OK, NOTE, PROBLEM = "ok", "note", "problem"
MARKS = {OK: "✓", NOTE: "·", PROBLEM: "✗"}
INSTALL = f"run: {sys.executable} -m pip install"
PACKAGES = {
    "torch": "computes",
    "torchvision": "has the layout of vgg19",
    "jupyterlab": "opens the lessons",
    "ipywidgets": "shows the labs",
    "anywidget": "lets you paint masks",
    "ipykernel": "runs the cells",
}
CGROUPS, OWN_CGROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")  # Linux: limits of containers and services
LOW_MEMORY = 3.0  # GB
SLOW = 1.0  # seconds of a step


class Finding(NamedTuple):
    """What was found, its state (OK, NOTE or PROBLEM), and what to do about it."""

    state: str
    what: str
    remedy: str = ""


def add(commands: Commands) -> None:
    """Describe the command."""
    doctor = commands.add_parser(
        "doctor",
        help="is this machine fit for the course?",
        description="Examine the machine and the installation, and say what to do about each problem. "
        "Exit status 0 when nothing hinders the course.",
    )
    doctor.set_defaults(run=lambda options: examine())


def examine(size: int = 256, steps: int = 8) -> int:
    """Print all findings as they come, and return 0 when nothing hinders the course, else 1."""
    problems = 0
    for examination in (packages, lessons, hardware, weights, pictures, lambda: speed(size, steps)):
        try:
            for finding in examination():
                problems += finding.state == PROBLEM
                print(f"{MARKS[finding.state]} {finding.what}")
                if finding.remedy:
                    print(f"    → {finding.remedy}")
        except ImportError as error:  # without PyTorch the others still examine
            problems += 1
            print(f"{MARKS[PROBLEM]} {error.name or error} cannot be imported ({error})")
            print(f"    → {INSTALL} --force-reinstall stylelearn")
    if problems:
        print(f"\n{problems} {'problem hinders' if problems == 1 else 'problems hinder'} the course; see ✗ above.")
    else:
        print("\nNothing hinders the course. Run `stylelearn lab` and begin.")
    return 1 if problems else 0


def packages() -> Iterator[Finding]:
    """Python, PyTorch, JupyterLab and the widgets, without importing them."""
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Finding(OK, f"stylelearn {__version__}, {python}")
    for name, use in PACKAGES.items():
        if find_spec(name) is None:
            yield Finding(PROBLEM, f"{name} is not installed; it {use}", f"{INSTALL} {name}")
    if find_spec("torch") is not None:
        yield Finding(OK, f"PyTorch {importlib.metadata.version('torch')}")


def lessons() -> Iterator[Finding]:
    """Are they there, and of this edition?"""
    try:
        working_copy.course()
    except UsageError as error:
        yield Finding(NOTE, str(error), f"{INSTALL} --force-reinstall stylelearn")
    folders = {Path.cwd(), Path.cwd() / "lessons", working_copy.default() / "lessons"}
    for folder in sorted(folder.resolve() for folder in folders):
        if others := working_copy.other_editions(folder):
            what = f"stylelearn is {__version__}, these notebooks in {folder} are of another edition"
            remedy = "run `stylelearn lab`: it renews those that you have not changed, and names the rest"
            yield Finding(NOTE, f"{what}: {', '.join(others)}", remedy)


def hardware() -> Iterator[Finding]:
    """The processor, GPUs and memory: what this process may use of them."""
    import torch

    from stylelearn.evaluation.timing import processor_name

    gpus = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    (processors, allowed), (whole, total, free) = cores(), memory()
    of_cores = "" if allowed == processors else f" of {processors}"
    of_memory = "" if total == whole else f" of {whole:.1f}"
    parts = [processor_name(), f"{allowed:.2g}{of_cores} core{'s'[: processors > 1]}"]
    parts += [f"--device {name}" for name, found in gpus.items() if found]
    what = ", ".join([*parts, f"{total:.1f}{of_memory} GB memory, {free:.1f} GB free"])
    remedy = "shut down notebooks that are no longer needed" if of_memory else "close other programs and notebooks"
    if total < LOW_MEMORY:
        remedy = f"little: keep to 256 px and mini, and {remedy}"
    yield Finding(NOTE, what, remedy) if total < LOW_MEMORY or free < 1 else Finding(OK, what)
    threads, enough = torch.get_num_threads(), math.ceil(allowed)
    if threads > enough:
        what = f"PyTorch starts {threads} threads where {enough} may run at once, so they wait for each other"
        yield Finding(NOTE, what, f"set OMP_NUM_THREADS={enough} in the environment that Jupyter is started from")


def memory() -> tuple[float, float, float]:
    """GB of memory: of the machine, what this process's control groups allow of it, and what of that is free."""
    import psutil  # comes with Jupyter's kernel

    whole, free = psutil.virtual_memory().total / 1e9, psutil.virtual_memory().available / 1e9
    total = whole
    for group in cgroups():
        limit, used = numbers(group / "memory.max"), numbers(group / "memory.current") or [0]
        if limit and limit[0] / 1e9 < whole:
            with contextlib.suppress(OSError, ValueError):  # cached files count as used, but give way
                stat = (group / "memory.stat").read_text(encoding="utf-8")
                used[0] -= max(int(size) for size in re.findall(r"\binactive_file (\d+)", stat))
            total, free = min(total, limit[0] / 1e9), min(free, (limit[0] - used[0]) / 1e9)
    return whole, total, max(0, free)


def cores() -> tuple[int, float]:
    """Cores: of the machine, and how many this process may keep busy, by its affinity and its control groups."""
    from stylelearn.evaluation import timing

    allowed: float = timing.cores()
    for group in cgroups():
        if len(quota := numbers(group / "cpu.max")) == 2:  # microseconds of processor time, in each period of so many
            allowed = min(allowed, quota[0] / quota[1])
    return os.cpu_count() or 1, allowed


def cgroups() -> list[Path]:
    """The folders of this process's control group (version 2) and of those around it; none but on Linux."""
    try:
        path = OWN_CGROUPS.read_text(encoding="utf-8").partition("0::/")[2].strip()
    except OSError:
        return []
    inner = CGROUPS / path  # not there where a container sees its own group as the root of all
    return [group for group in (inner, *inner.parents) if group.is_relative_to(CGROUPS)]


def numbers(file: Path) -> list[int]:
    """The numbers in a control group's file; none if there is no limit ("max")."""
    try:
        return [int(word) for word in file.read_text(encoding="utf-8").split()]
    except (OSError, ValueError):
        return []


def weights() -> Iterator[Finding]:
    """Are the weights that ship with the course intact?"""
    from stylelearn.weights import WeightsError, checksums, load_state

    again = "get it back with `git checkout -- data/weights`, or clone (install) again"
    try:
        names = sorted(checksums())
    except (OSError, ValueError) as error:
        yield Finding(PROBLEM, f"the list of weights cannot be read ({error})", again)
        return
    intact = 0
    for name in names:
        try:
            load_state(name.removesuffix(".safetensors"))
            intact += 1
        except (WeightsError, OSError) as error:
            yield Finding(PROBLEM, f"weights {name} are damaged: {' '.join(str(error).split())}", again)
    yield Finding(OK, f"{intact} files of weights are whole")


def pictures() -> Iterator[Finding]:
    """Can the course's own pictures be read?"""
    from stylelearn import samples

    try:
        photos = [samples.content(name, 32) for name in samples.content_names()]
        styles = [samples.style(name, 32) for name in samples.style_names()]
        if not styles:
            raise FileNotFoundError("there are no styles")
        yield Finding(OK, f"{len(photos)} photographs and {len(styles)} styles of the course")
    except (ValueError, OSError) as error:
        yield Finding(PROBLEM, f"the course's pictures: {error}", "clone (or install) the course again")


def speed(size: int, steps: int) -> Iterator[Finding]:
    """Time some steps of Gatys's method with mini."""
    from stylelearn import gatys, samples
    from stylelearn.encoders import Encoder
    from stylelearn.images import resize
    from stylelearn.weights import WeightsError

    try:
        encoder = Encoder("mini")
        content, style = (resize(samples.content(name), (size, size), fit="box") for name in ("chelsea", "coffee"))
    except (WeightsError, ValueError, OSError):
        yield Finding(NOTE, "no step of Gatys's method was timed", "solve the problems above")
        return
    clock = [time.perf_counter()]
    for _ in gatys.stylize(content, style, encoder=encoder, steps=2 + steps):
        clock.append(time.perf_counter())
    each = statistics.median(b - a for a, b in list(pairwise(clock))[2:])
    run = f"about {200 * each:.0f} s" if 200 * each < 100 else f"about {200 * each / 60:.0f} min"
    what = f"Gatys with mini at {size} px: {1000 * each:.0f} ms a step, so a 200-step run takes {run}"
    slow = "slow: close other programs, or choose 128 px in the labs: four times faster"
    yield Finding(NOTE, what, slow) if each > SLOW else Finding(OK, what)
