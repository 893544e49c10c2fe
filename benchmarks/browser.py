"""A JupyterLab on 127.0.0.1 with folders of its own, and an installed Chromium, driven by Playwright, that opens it."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat

from stylelearn.cli.lab import environment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
]  # fmt: skip
PATIENCE = 600  # seconds until something counts as failed; generous, since slow machines are allowed


# --- JupyterLab and Chromium ------------------------------------------------------------------------------------------


def program() -> str:
    """The program of an installed Chromium or Chrome; `STYLELEARN_CHROMIUM` names another.

    Raises:
        RuntimeError: there is none.
    """
    found = os.environ.get("STYLELEARN_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        raise RuntimeError(
            f"needs Chromium: none of {', '.join(BROWSERS)} is installed; install one, or name its program in the "
            "environment variable STYLELEARN_CHROMIUM"
        )
    return found


@contextlib.contextmanager
def chromium() -> Iterator["Browser"]:
    """That Chromium, with a camera that films a test picture and may be used.

    Raises:
        RuntimeError: it or Playwright is not there, or something in it failed.
    """
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
    """A JupyterLab on 127.0.0.1 that opens the notebooks of a folder and keeps everything else in folders of its own.

    Raises:
        RuntimeError: it did not start; with the end of what it said.
    """
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
                until(lambda: _answers(f"{server.base}/api/status?token={server.token}"), process, log)
                yield server
            finally:
                process.terminate()  # Jupyter ends its kernels, too
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
            return answer.status == 200
    except OSError:
        return False


def until(true: Callable[[], bool], server: subprocess.Popen, log: Path) -> None:
    """Wait until something is true of a server that has just been started.

    Raises:
        RuntimeError: the server has ended, or it took too long.
    """
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
    """Open a notebook and run it from top to bottom.

    Raises:
        RuntimeError: a cell failed.
    """
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(address, wait_until="domcontentloaded")
    page.wait_for_function(READY)
    command(page, "notebook:clear-all-cell-outputs")
    command(page, "notebook:run-all-cells")
    page.wait_for_function(ALL_RUN)
    if failed := page.evaluate(ERRORS):
        raise RuntimeError("; ".join(failed))
