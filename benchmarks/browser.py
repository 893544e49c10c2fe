"""The labs of lessons 03, 04, 05 and 08 in a real browser: how soon, and how many pictures a second, a learner sees.

JupyterLab is started on 127.0.0.1 with folders of its own, and an installed Chromium is driven by Playwright. Notebooks
have one cell, which makes a lab. Times are taken by the page's own clock, so that what drives the page does not count:

moved    from a key that moves a slider (or the ring of lesson 04) until the picture of the lab's full size has loaded;
         many labs show a smaller one before
dragged  pictures that load while it is dragged to and fro
"""

import contextlib
import functools
import itertools
import os
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from benchmarks.feedforward import PROMISED
from benchmarks.measuring import Group, Measurement, Plan
from stylelearn.cli.lab import environment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
]  # fmt: skip
PATIENCE = 600  # seconds until something counts as failed; generous, since slow machines are allowed

ROUNDS = 12  # moves of which the median is taken
SECONDS = 5.0  # of dragging
DRAGGED = 8.0  # pictures a second that are promised
REST = 0.2  # seconds between a picture and the next move


# --- JupyterLab and Chromium ------------------------------------------------------------------------------------------


def program() -> str:
    """The program of an installed Chromium or Chrome; `STYLELEARN_CHROMIUM` names another. RuntimeError: none."""
    found = os.environ.get("STYLELEARN_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        raise RuntimeError(
            f"needs Chromium: none of {', '.join(BROWSERS)} is installed; install one, or name its program in the "
            "environment variable STYLELEARN_CHROMIUM"
        )
    return found


@contextlib.contextmanager
def chromium() -> Iterator["Browser"]:
    """That Chromium, with a camera that films a test picture and may be used; RuntimeError if it fails."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise RuntimeError("needs Playwright: pip install playwright") from error
    executable = program()
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=executable, args=FLAGS, headless=True)
            yield browser
            browser.close()
        except Error as error:
            raise RuntimeError(f"the browser failed: {error.message.splitlines()[0]}") from error


@dataclass(frozen=True)
class Server:
    """A JupyterLab, and the folder of its notebooks."""

    base: str
    token: str
    folder: Path

    def address(self, notebook: str) -> str:
        """Where a notebook is opened."""
        return f"{self.base}/lab/tree/{notebook}?token={self.token}&reset"

    def write(self, notebook: str, code: str) -> str:
        """A notebook of one cell; returns its address."""
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        cells = [nbformat.v4.new_code_cell(code)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), self.folder / notebook)
        return self.address(notebook)


@contextlib.contextmanager
def jupyterlab(folder: Path) -> Iterator[Server]:
    """A JupyterLab on 127.0.0.1 that opens the notebooks of a folder and keeps all else in folders of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(f"http://127.0.0.1:{port}", secrets.token_hex(16), folder)
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--LabApp.expose_app_in_browser=True",
        "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={server.token}", f"--ServerApp.root_dir={folder}",
    ]  # fmt: skip
    places = {
        "JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "runtime", "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "IPYTHONDIR": "ipython", "JUPYTER_DATA_DIR": "data",
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="stylelearn-", ignore_cleanup_errors=True) as own:
        around = environment(Path(own)) | {name: str(Path(own, place)) for name, place in places.items()}
        around["PYTHONPATH"], log = str(ROOT), Path(own, "server.log")
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=around, stdout=output, stderr=subprocess.STDOUT)
            try:
                until(lambda: b"running at" in log.read_bytes(), process, log)
                yield server
            finally:
                process.terminate()  # Jupyter ends its kernels, too
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def until(true: Callable[[], bool], server: subprocess.Popen, log: Path) -> None:
    """Wait until something is true of a server that has just been started; RuntimeError if it ends first."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.2)


# --- a notebook in the page -------------------------------------------------------------------------------------------

# What the page is asked. Commands are started and not awaited: a promise of theirs may never come to an end while a
# kernel is busy.
READY = """() => {
    const kernel = window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel;
    return kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle';
}"""
ALL_RUN = """() => {
    const panel = window.jupyterapp.shell.currentWidget;
    const cells = panel.content.widgets.filter(c => c.model.type === 'code' && c.model.sharedModel.source.trim());
    const failed = cells.some(c => c.model.outputs.toJSON().some(o => o.output_type === 'error'));
    return panel.sessionContext.session.kernel.status === 'idle'
        && (failed || cells.every(c => c.model.executionCount !== null && c.model.executionState !== 'running'));
}"""
ERRORS = """() => window.jupyterapp.shell.currentWidget.content.widgets
    .filter(c => c.model.type === 'code')
    .flatMap(c => c.model.outputs.toJSON().filter(o => o.output_type === 'error').map(o => o.ename + ': ' + o.evalue))
"""


def command(page: "Page", name: str) -> None:
    """Start one of JupyterLab's commands."""
    page.evaluate("name => { window.jupyterapp.commands.execute(name); }", name)


def run_all(page: "Page", address: str) -> None:
    """Open a notebook and run it from top to bottom; RuntimeError where a cell fails."""
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(address, wait_until="domcontentloaded")
    page.wait_for_function(READY)
    command(page, "notebook:clear-all-cell-outputs")
    command(page, "notebook:run-all-cells")
    page.wait_for_function(ALL_RUN)
    if failed := page.evaluate(ERRORS):
        raise RuntimeError("; ".join(failed))


# --- what a learner sees ----------------------------------------------------------------------------------------------

# When a control was moved last, and when pictures have loaded, with their longer side; milliseconds, by one clock.
WATCH = """cell => {
    const seen = window.seen = {moved: 0, pictures: []};
    const moved = event => { if (event.type === 'keydown' || event.buttons) seen.moved = event.timeStamp; };
    for (const kind of ['pointermove', 'keydown']) window.addEventListener(kind, moved, true);
    cell.addEventListener('load', ({target}) => {
        if (!target.matches('img.poster')) return;
        seen.pictures.push([performance.now(), Math.max(target.naturalWidth, target.naturalHeight)]);
    }, true);
}"""
PAINTED = "side => window.seen.pictures.some(one => one[0] > window.seen.moved && one[1] >= side)"
SEEN, NOW = "() => window.seen", "() => performance.now()"

Picture = Sequence[float]  # milliseconds at which it had loaded, and pixels of its longer side

RING = "ring"
LABS = {"JohnsonLab": "strength (blend)", "CinLab": RING, "AdaINLab": "strength α", "AdjustableLab": "relu2_1"}


def moved(lab: str, control: str, plan: Plan) -> Iterator[Measurement]:
    """How long a lab takes from a move to its picture, and how many pictures come while one drags."""
    rounds = ROUNDS if plan.judged else plan.rounds
    with _opened(f"{lab}(size={plan.size})") as (page, cell):
        cell.locator("img.poster").wait_for()
        focus, handle, track = _parts(cell, control)
        page.evaluate(WATCH, cell.element_handle())
        taken = []
        for _ in range(2 + rounds):  # the first two warm up
            page.wait_for_timeout(REST * 1000)
            focus.press("ArrowLeft")
            page.wait_for_function(PAINTED, arg=plan.size)
            taken.append(waits(**page.evaluate(SEEN), side=plan.size))
        begin, end = _drag(page, handle, track, SECONDS if plan.judged else 1)
        pictures = page.evaluate(SEEN)["pictures"]
    first, whole = (statistics.median(times) for times in zip(*taken[2:], strict=True))
    note = f"median of {rounds}; the first new pixels after {first * 1000:.0f} ms"
    yield Measurement(f"{control}, key to new picture", whole, "s", at_most=PROMISED.get(plan.size), note=note)
    rate, longest = pace(pictures, begin, end)
    note = f"in {(end - begin) / 1000:.1f} s; never longer than {longest * 1000:.0f} ms without one"
    yield Measurement(f"{control} dragged, pictures", rate, "/s", at_least=DRAGGED, note=note)


def waits(moved: float, pictures: Sequence[Picture], side: int) -> tuple[float, float]:
    """Seconds from a move until the first picture after it, and until the first of the lab's full size."""
    after = [((at - moved) / 1000, longer) for at, longer in pictures if at > moved]
    return after[0][0], next(seconds for seconds, longer in after if longer >= side)


def pace(pictures: Sequence[Picture], begin: float, end: float) -> tuple[float, float]:
    """Pictures a second between two moments in milliseconds, and the longest time in seconds without one."""
    times = [at for at, _ in pictures if begin < at <= end]
    longest = max(later - earlier for earlier, later in itertools.pairwise([begin, *times, end]))
    return len(times) / (end - begin) * 1000, longest / 1000


@contextlib.contextmanager
def _opened(lab: str) -> Iterator[tuple["Page", "Locator"]]:
    """A page with a notebook whose only cell has made a lab; and that cell."""
    code = f"from stylelearn.lab import {lab.split('(')[0]}\n\n{lab}"
    with (
        chromium() as browser,
        tempfile.TemporaryDirectory(prefix="stylelearn-") as folder,
        jupyterlab(Path(folder)) as server,
    ):
        page = browser.new_page(viewport={"width": 1400, "height": 1100})
        run_all(page, server.write("lab.ipynb", code))
        yield page, page.locator(".jp-CodeCell").first


def _parts(cell: "Locator", control: str) -> tuple["Locator", "Locator", "Locator"]:
    """What takes keys, what the mouse takes hold of, and along what it is dragged."""
    if control == RING:
        return cell.locator(".sl-pad"), cell.locator(".sl-ring"), cell.locator(".sl-pad")
    slider = cell.locator(".widget-slider", has=cell.page.locator("label", has_text=control))
    handle = slider.locator(".noUi-handle")
    return handle, handle, slider.locator(".noUi-base")


def _drag(page: "Page", handle: "Locator", track: "Locator", seconds: float) -> tuple[float, float]:
    """Drag to and fro for so long; returns when it began and when it ended, by the page's clock."""
    handle.hover()
    page.mouse.down()
    box: Any = track.bounding_box()
    begin = now = page.evaluate(NOW)
    while now < begin + seconds * 1000:
        there = abs((now - begin) / 1250 % 2 - 1)  # from 1 to 0 and back, in two and a half seconds
        page.mouse.move(box["x"] + there * box["width"], box["y"] + box["height"] / 2)
        page.wait_for_timeout(15)
        now = page.evaluate(NOW)
    page.mouse.up()
    return begin, now


GROUPS: dict[str, Group] = {
    f"{lab} in a browser": functools.partial(moved, lab, control) for lab, control in LABS.items()
}
