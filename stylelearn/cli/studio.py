"""`stylelearn studio`: all labs on one page without code, served by Voilà."""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stylelearn.cli import lab
from stylelearn.cli.parsing import DONE, Commands, UsageError, whole

# What labs save lies in the folder in which the command was called, not beside the notebook.
CELL = "import os\n\nos.chdir({folder!r})\nfrom stylelearn.lab.studio import Studio\n\nStudio(kiosk={kiosk})"

# The page may load nothing from elsewhere: Voilà's own would ask a server for icons, and wait for it without internet.
OWN = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self' ws: wss: data: blob:"
SETTINGS = {"Voila": {"tornado_settings": {"headers": {"Content-Security-Policy": f"{OWN}; frame-ancestors 'self'"}}}}


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "studio",
        help="open all labs on one page, without code",
        description="Open all labs on one page, without code and without internet. Pictures are saved in the present "
        "folder. It needs Voilà: pip install 'stylelearn[studio]'. Ctrl-C ends it.",
        epilog="What stands after -- goes to Voilà, for instance: stylelearn studio -- --theme=dark",
        usage="%(prog)s [--kiosk] [--no-browser] [--port PORT] [-- ARGUMENT ...]",
    )
    parser.add_argument(
        "--kiosk",
        action="store_true",
        help="for open days: pictures from the lists, from the camera and dropped ones, none by its name or address; "
        "nothing is saved; after a minute without input the gallery comes back",
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--port", type=whole(1, 65535), help="of the address (default: 8866, or the next one free)")
    parser.passed_on = "rest"
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve the page, and wait until Voilà ends."""
    if find_spec("voila") is None:
        raise UsageError(
            f"Voilà, which shows the labs without code, is not installed; run: {sys.executable} -m pip install "
            "'stylelearn[studio]'; or open the lessons: stylelearn lab"
        )
    with tempfile.TemporaryDirectory(prefix="stylelearn-") as folder:
        page = Path(folder, "studio.ipynb")
        page.write_text(json.dumps(notebook(Path.cwd(), kiosk=options.kiosk)), encoding="utf-8")
        environment = lab.environment(Path(folder, "settings"))
        Path(folder, "settings", "voila.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
        words = [sys.executable, "-m", "voila", str(page)]
        if options.no_browser:
            words.append("--no-browser")
        if options.port:
            words += [f"--port={options.port}", "--Voila.port_retries=0"]
        status = lab.wait(subprocess.Popen(words + options.rest, env=environment))
    return DONE if status in (0, -signal.SIGTERM) else status


def notebook(folder: Path, *, kiosk: bool) -> dict:
    """A notebook whose one cell shows the studio; it saves pictures in `folder`."""
    source = CELL.format(folder=str(folder), kiosk=kiosk)
    cell: dict[str, Any] = {"cell_type": "code", "id": "studio", "source": source}
    cell |= {"execution_count": None, "metadata": {}, "outputs": []}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": [cell], "metadata": {"title": "Studio", "kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
