"""`stylelearn doctor`: is this machine fit for the course, and if not, what to do.

Each examination is a function that yields findings. A finding is "ok"; or a "note", which one may know and can live
with; or a "problem", which hinders the course. Notes and problems come with a remedy.
"""

import argparse
import importlib.metadata
import importlib.util
import os
import platform
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
DOWNLOADS = "https://download.pytorch.org/models/squeezenet1_0-b66bff10.pth"
VGG_FILE = "vgg19-dcbb9e9d.pth"
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
    examinations = (
        versions,
        notebooks,
        hardware,
        graphics,
        weights,
        pictures,
        disk,
        network,
        lambda: speed(size, steps),
    )
    for examination in examinations:
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
        yield Finding(
            NOTE, "torchvision is not installed: vgg19, vgg16 and squeezenet need it", f"{INSTALL} torchvision"
        )
    else:
        needed = _torch_of_torchvision()
        if needed and needed != torch.split("+")[0]:
            remedy = f"{INSTALL} torch=={needed} torchvision=={vision.split('+')[0]}"
            yield Finding(NOTE, f"torchvision {vision} was built for PyTorch {needed}: vgg19 may not load", remedy)
        else:
            yield Finding(OK, f"torchvision {vision}")


def _torch_of_torchvision() -> str:
    """The version of PyTorch that the installed torchvision asks for, "" if it does not say."""
    for need in importlib.metadata.requires("torchvision") or []:
        name, _, version = need.split(";")[0].replace(" ", "").replace("(", "").replace(")", "").partition("==")
        if name == "torch":
            return version
    return ""


def notebooks() -> Iterator[Finding]:
    """JupyterLab, the widgets, a kernel, and the lessons themselves."""
    for name, use in (
        ("jupyterlab", "opens the lessons"),
        ("ipywidgets", "moves the labs"),
        ("anywidget", "lets you paint masks"),
        ("ipykernel", "runs them"),
    ):
        version = installed(name)
        if version is None:
            yield Finding(PROBLEM, f"{name} is not installed; it {use}", f"{INSTALL} jupyterlab ipywidgets anywidget")
        else:
            yield Finding(OK, f"{name} {version}")
    if not any((folder / "lessons").is_dir() for folder in (Path(__file__).resolve().parents[2], Path.cwd())):
        remedy = "clone the repository of the course: an installed package holds the code only"
        yield Finding(NOTE, "the lessons are not here", remedy)


def hardware() -> Iterator[Finding]:
    """Cores and memory."""
    import torch

    from stylelearn.evaluation.timing import cores, processor_name

    yield Finding(OK, f"{processor_name()}: {cores()} cores, PyTorch uses {torch.get_num_threads()} threads")
    total, free = memory()
    if total is None:
        return
    what = f"memory: {total:.1f} GB" + (f", {free:.1f} GB free" if free is not None else "")
    if total < LOW_MEMORY:
        yield Finding(NOTE, what, "little: keep to 256 px and mini, and close other programs")
    elif free is not None and free < 1:
        yield Finding(NOTE, what, "close other programs, or shut down notebooks that are no longer needed")
    else:
        yield Finding(OK, what)


def memory() -> tuple[float | None, float | None]:
    """Memory of this machine (or of the container it is) and what is free of it, in GB; None where nobody tells."""
    total = free = None
    try:
        import psutil  # comes with Jupyter's kernel

        total, free = psutil.virtual_memory().total / 1e9, psutil.virtual_memory().available / 1e9
    except ImportError:
        if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
            total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    limit = _read(Path("/sys/fs/cgroup/memory.max"))  # what a JupyterHub or Binder grants
    if total is not None and limit.isdigit() and int(limit) / 1e9 < total:
        total = int(limit) / 1e9
        used = _read(Path("/sys/fs/cgroup/memory.current"))
        free = total - int(used) / 1e9 if used.isdigit() else None
    return total, free


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def graphics() -> Iterator[Finding]:
    """A GPU is welcome and never needed."""
    import torch

    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            gpu = torch.cuda.get_device_properties(number)
            yield Finding(OK, f"GPU: {gpu.name}, {gpu.total_memory / 1e9:.0f} GB (stylize --device cuda)")
    elif torch.backends.mps.is_available():
        yield Finding(OK, "GPU: Apple's (stylize --device mps)")
    else:
        yield Finding(OK, "no GPU that PyTorch can use; the course needs none")


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
    for name in names:
        try:
            load_state(name.removesuffix(".safetensors"))
        except (WeightsError, OSError) as error:
            yield Finding(PROBLEM, f"weights {name} are damaged: {' '.join(str(error).split())}", again)
        else:
            yield Finding(OK, f"weights {name} are whole")


def pictures() -> Iterator[Finding]:
    """Can the course's own pictures be read?"""
    from stylelearn import samples

    names = {"photographs": (samples.content_names, samples.content), "styles": (samples.style_names, samples.style)}
    for kind, (all_names, read) in names.items():
        try:
            found = [read(name, 32) for name in all_names()]
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
    where = Path(torch.hub.get_dir())
    if where.is_relative_to(Path.home()):  # shorter, and a screenshot or a saved notebook need not tell who you are
        where = "~" / where.relative_to(Path.home())
    what = f"disk: {free:.1f} GB free where downloads go ({where})"
    if free < LOW_DISK:
        yield Finding(NOTE, what, "VGG-19 takes 0.6 GB: make room, or set TORCH_HOME to another folder")
    else:
        yield Finding(OK, what)


def network(timeout: float = 3.0) -> Iterator[Finding]:
    """Could VGG-19 be downloaded? Nothing else of the course ever needs the internet."""
    import requests
    import torch

    if (Path(torch.hub.get_dir()) / "checkpoints" / VGG_FILE).is_file():
        yield Finding(OK, "VGG-19 is downloaded already")
        return
    try:
        answer = requests.head(DOWNLOADS, timeout=timeout, allow_redirects=True)
    except requests.RequestException:
        what = "offline (or a proxy is in between): VGG-19 cannot be downloaded; the course runs without"
        yield Finding(NOTE, what, "nothing to do, unless you want VGG-19: connect, or pass a file as weights=")
        return
    if answer.ok:
        yield Finding(OK, "online: VGG-19 can be downloaded (575 MB, once), if you want it")
    else:
        what = f"download.pytorch.org answers {answer.status_code}: VGG-19 cannot be downloaded now"
        yield Finding(NOTE, what, "nothing to do, unless you want VGG-19: try later, or pass a file as weights=")


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
        yield Finding(NOTE, "no step of Gatys's method was timed: see the problems above")
        return
    clock, processor = [time.perf_counter()], [time.process_time()]
    for _ in gatys.stylize(content, style, encoder=encoder, steps=2 + steps):
        clock.append(time.perf_counter())
        processor.append(time.process_time())
    each, work = (statistics.median(b - a for a, b in list(pairwise(times))[2:]) for times in (clock, processor))
    what = f"Gatys with mini at {size} px: {1000 * each:.0f} ms a step, so a 200-step run takes {_span(200 * each)}"
    if each > 2 * work + 0.01:  # the processor was elsewhere most of the time
        remedy = f"other programs use the machine: close them, and 200 steps may take {_span(200 * work)} or less"
        yield Finding(NOTE, what, remedy)
    elif each > PATIENCE:
        yield Finding(NOTE, what, "slow: choose 128 px in the labs, which is four times faster")
    else:
        yield Finding(OK, what)


def _span(seconds: float) -> str:
    return f"about {seconds:.0f} s" if seconds < 100 else f"about {seconds / 60:.0f} min"
