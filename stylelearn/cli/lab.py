"""`stylelearn lab`: JupyterLab, open at the first lesson."""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from stylelearn.cli.parsing import DONE, Commands, UsageError, whole

WELCOME = "lessons/00_welcome.ipynb"
# What JupyterLab would otherwise ask every learner before anything else.
SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "lab",
        help="open the course in JupyterLab",
        description="Open the course in JupyterLab, at lesson 00. Ctrl-C ends it.",
        epilog="What stands after -- goes to JupyterLab, for instance: stylelearn lab -- --allow-root",
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--port", type=whole(1, 65535), help="of the address (default: 8888, or the next one free)")
    parser.add_argument("rest", nargs="*", metavar="ARGUMENT", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Start JupyterLab and wait until it ends."""
    root = find_lessons([Path(__file__).resolve().parents[2], Path.cwd(), *Path.cwd().parents])
    if find_spec("jupyterlab") is None:
        raise UsageError(f"JupyterLab is not installed; run: {sys.executable} -m pip install jupyterlab ipywidgets")
    with tempfile.TemporaryDirectory(prefix="stylelearn-") as folder:
        status = _wait(subprocess.Popen(command(root, options), env=environment(Path(folder))))
    return DONE if status in (0, -signal.SIGTERM) else status


def find_lessons(places: list[Path]) -> Path:
    """The first of `places` that holds the lessons.

    Raises:
        UsageError: none does; says where lessons come from.
    """
    for place in places:
        if (place / WELCOME).is_file():
            return place
    raise UsageError(
        f"{WELCOME} is not here: an installed package holds the code and not the lessons. Clone the repository of the "
        "course and run `make lab` in it, or `stylelearn lab` in that folder"
    )


def command(root: Path, options: argparse.Namespace) -> list[str]:
    """What to run: JupyterLab on the folder of the course, at the first lesson."""
    words = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}"]
    words += [f"--LabApp.default_url=/lab/tree/{WELCOME}", "--LabApp.news_url=None"]
    if options.no_browser:
        words.append("--no-browser")
    if options.port:
        words += [f"--ServerApp.port={options.port}", "--ServerApp.port_retries=0"]
    return words + options.rest


def environment(folder: Path) -> dict[str, str]:
    """The environment of JupyterLab and its kernels; settings for it are written into `folder`.

    They are defaults of this one run: whatever a learner has chosen for JupyterLab stays as it is.
    """
    config = folder / "labconfig" / "default_setting_overrides.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps(SETTINGS), encoding="utf-8")
    paths = [str(folder), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    return {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(paths)}


def _wait(process: subprocess.Popen) -> int:
    """Ctrl-C reaches JupyterLab by itself, and it asks back: so we go on waiting. The end of us is its end."""
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
    finally:
        signal.signal(signal.SIGTERM, before)
