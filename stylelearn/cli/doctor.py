"""`stylelearn doctor`: is this machine fit for the course, and if not, what to do.

Each examination is a function that yields findings: "ok", a "note" that one can live with, or a "problem" that hinders
the course. Notes and problems come with a remedy.
"""

import argparse
import importlib.metadata
import platform
import re
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from stylelearn import __version__
from stylelearn.cli.parsing import Commands

OK, NOTE, PROBLEM = "ok", "note", "problem"
MARKS = {OK: "✓", NOTE: "·", PROBLEM: "✗"}
PYTHON = (3, 11)
INSTALL = f"run: {sys.executable} -m pip install"
NOTEBOOK = {"jupyterlab": "opens the lessons", "ipywidgets": "moves the labs", "anywidget": "lets you paint masks"}
NOTEBOOK["ipykernel"] = "runs the cells"
LOW_MEMORY, LOW_DISK = 3.0, 1.0  # GB
PATIENCE = 1.0  # seconds for a step above which a lesson becomes tedious


@dataclass(frozen=True)
class Finding:
    """What was found: `state` is OK, NOTE or PROBLEM, `what` a line, `remedy` what to do about it."""

    state: str
    what: str
    remedy: str = ""


def add(commands: Commands) -> None:
    """Describe the command."""
    doctor = commands.add_parser(
        "doctor",
        help="is this machine fit for the course?",
        description="Look at the machine and the installation, and say what to do about each problem. "
        "Exit status 0 when nothing hinders the course.",
    )
    doctor.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Examine and report."""
    return examine()


def examine(size: int = 256, steps: int = 8, out: Callable[[str], object] = print) -> int:
    """Print all findings as they come.

    Args:
        size: of the timed Gatys step, in pixels. `steps`: how many of them are timed.
        out: takes each line.
    Returns:
        0 when nothing hinders the course, else 1.
    """
    problems = 0
    for examination in (versions, notebooks, hardware, weights, pictures, disk, lambda: speed(size, steps)):
        try:
            for finding in examination():
                problems += finding.state == PROBLEM
                out(f"{MARKS[finding.state]} {finding.what}")
                if finding.remedy:
                    out(f"    → {finding.remedy}")
        except ImportError as error:  # without PyTorch half of the examinations cannot be made
            problems += 1
            out(f"{MARKS[PROBLEM]} {error.name or error} cannot be imported ({error})")
            out(f"    → {INSTALL} --force-reinstall stylelearn")
    if problems:
        out(f"\n{problems} {'problem hinders' if problems == 1 else 'problems hinder'} the course; see ✗ above.")
    else:
        out("\nNothing hinders the course. Run `stylelearn lab` and begin.")
    return 1 if problems else 0


def installed(name: str) -> str | None:
    """The version of an installed package, None if there is none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def versions() -> Iterator[Finding]:
    """Python, PyTorch, torchvision; nothing of them is imported."""
    own = f"stylelearn {__version__}, Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < PYTHON:
        wanted = ".".join(map(str, PYTHON))
        yield Finding(PROBLEM, own, f"install Python {wanted} or newer from https://www.python.org/downloads")
    else:
        yield Finding(OK, own)
    torch, vision = installed("torch"), installed("torchvision")
    if torch is None:
        yield Finding(PROBLEM, "PyTorch is not installed", f"{INSTALL} torch torchvision")
        return
    yield Finding(OK, f"PyTorch {torch}")
    if vision is None:
        what = "torchvision is not installed: vgg19, vgg16 and squeezenet need it"
        yield Finding(NOTE, what, f"{INSTALL} torchvision")
        return
    needs = "\n".join(importlib.metadata.requires("torchvision") or [])
    needed = next(iter(re.findall(r"^torch *\(?==([^); ]+)", needs, re.MULTILINE)), None)
    if needed and needed != torch.split("+")[0]:
        remedy = f"{INSTALL} torch=={needed} torchvision=={vision.split('+')[0]}"
        yield Finding(NOTE, f"torchvision {vision} was built for PyTorch {needed}: vgg19 may not load", remedy)


def notebooks() -> Iterator[Finding]:
    """JupyterLab, the widgets, a kernel, and the lessons themselves."""
    for name, use in NOTEBOOK.items():
        if installed(name) is None:
            yield Finding(PROBLEM, f"{name} is not installed; it {use}", f"{INSTALL} {' '.join(NOTEBOOK)}")
    if not any((folder / "lessons").is_dir() for folder in (Path(__file__).resolve().parents[2], Path.cwd())):
        remedy = "clone the repository of the course: an installed package holds the code only"
        yield Finding(NOTE, "the lessons are not here", remedy)


def hardware() -> Iterator[Finding]:
    """What computes, and whether its memory will do."""
    import torch

    from stylelearn.evaluation.timing import cores, processor_name

    gpus = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    what = ", ".join([processor_name(), f"{cores()} cores", *(f"--device {name}" for name in gpus if gpus[name])])
    total, free = memory()
    if total is None or free is None:
        yield Finding(OK, what)
        return
    what += f", {total:.1f} GB memory, {free:.1f} GB free"
    if total < LOW_MEMORY:
        yield Finding(NOTE, what, "little: keep to 256 px and mini, and close other programs")
    elif free < 1:
        yield Finding(NOTE, what, "close other programs, or shut down notebooks that are no longer needed")
    else:
        yield Finding(OK, what)


def memory() -> tuple[float | None, float | None]:
    """Memory of this machine, or what a container such as a JupyterHub grants, and what is free of it, in GB."""
    try:
        import psutil  # comes with Jupyter's kernel
    except ImportError:
        return None, None
    total, free = psutil.virtual_memory().total / 1e9, psutil.virtual_memory().available / 1e9
    limit, used = (_number(Path(f"/sys/fs/cgroup/memory.{name}")) for name in ("max", "current"))
    return (limit, limit - used) if limit and used and limit < total else (total, free)


def _number(path: Path) -> float | None:
    """Bytes that a file of the system says, in GB; None: no such file or no limit."""
    try:
        return int(path.read_text(encoding="utf-8")) / 1e9
    except (OSError, ValueError):
        return None


def weights() -> Iterator[Finding]:
    """Are the weights that ship with the course whole?"""
    import json

    from stylelearn.samples import data_file
    from stylelearn.weights import WeightsError, load_state

    again = "get it back with `git checkout -- data/weights`, or clone (install) again"
    try:
        names = sorted(json.loads(data_file("weights", "checksums.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        yield Finding(PROBLEM, f"the list of weights cannot be read ({error})", again)
        return
    whole = 0
    for name in names:
        try:
            load_state(name.removesuffix(".safetensors"))
            whole += 1
        except (WeightsError, OSError) as error:
            yield Finding(PROBLEM, f"weights {name} are damaged: {' '.join(str(error).split())}", again)
    yield Finding(OK, f"{whole} files of weights are whole")


def pictures() -> Iterator[Finding]:
    """Can the course's own pictures be read?"""
    from stylelearn import samples

    for kind, names, read in (
        ("photographs", samples.content_names, samples.content),
        ("styles", samples.style_names, samples.style),
    ):
        try:
            found = [read(name, 32) for name in names()]
        except (ValueError, OSError) as error:
            yield Finding(PROBLEM, f"{kind}: {error}", "see the line above; the lessons show these pictures")
            continue
        if found:
            yield Finding(OK, f"{len(found)} {kind} of the course")
        else:
            yield Finding(PROBLEM, f"no {kind}", "clone (or install) the course again")


def disk() -> Iterator[Finding]:
    """Room where downloads go."""
    import torch

    folder = Path(torch.hub.get_dir())
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    if free < LOW_DISK:
        what = f"disk: {free:.1f} GB free where downloads go"
        yield Finding(NOTE, what, "VGG-19 takes 0.6 GB: make room, or set TORCH_HOME to another folder")


def speed(size: int, steps: int) -> Iterator[Finding]:
    """Time some steps of Gatys's method with mini, and say what that means."""
    from stylelearn import gatys, samples
    from stylelearn.encoders import Encoder
    from stylelearn.images import resize
    from stylelearn.weights import WeightsError

    try:
        encoder = Encoder("mini")
        content, style = (resize(samples.content(name), (size, size), fit="box") for name in ("chelsea", "coffee"))
    except (WeightsError, ValueError, OSError):
        yield Finding(NOTE, "no step of Gatys's method was timed", "mend the problems above")
        return
    clock = [time.perf_counter()]
    for _ in gatys.stylize(content, style, encoder=encoder, steps=2 + steps):
        clock.append(time.perf_counter())
    each = statistics.median(b - a for a, b in list(pairwise(clock))[2:])
    run = f"about {200 * each:.0f} s" if 200 * each < 100 else f"about {200 * each / 60:.0f} min"
    what = f"Gatys with mini at {size} px: {1000 * each:.0f} ms a step, so a 200-step run takes {run}"
    if each > PATIENCE:
        yield Finding(NOTE, what, "slow: close other programs, or choose 128 px in the labs: four times faster")
    else:
        yield Finding(OK, what)
