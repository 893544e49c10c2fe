"""`stylelearn lab`: the learner's working copy of the lessons in JupyterLab, open at the first one."""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from stylelearn.cli import working_copy
from stylelearn.cli.parsing import DONE, Commands, whole

# What JupyterLab would otherwise ask every learner before anything else.
SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
# For kernels that share a machine: threads that wait leave the cores to others, and glibc keeps two stores of free
# memory instead of one for each thread.
FRUGAL = {"OMP_WAIT_POLICY": "PASSIVE", "MALLOC_ARENA_MAX": "2"}


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "lab",
        help="open the course in JupyterLab",
        description="Open the course in JupyterLab, at lesson 00. The first time the lessons are copied into FOLDER; "
        "there they are yours to write in. Later only new lessons and those that you have not changed are copied. "
        "Ctrl-C ends it.",
        epilog="What stands after -- goes to JupyterLab, for instance: stylelearn lab -- --allow-root",
        usage="%(prog)s [FOLDER] [--fresh LESSON] [--no-browser] [--port PORT] [-- ARGUMENT ...]",
    )
    parser.add_argument(
        "folder",
        nargs="?",
        metavar="FOLDER",
        type=Path,
        help="of yours, for your lessons (default: my-stylelearn in your home folder)",
    )
    parser.add_argument("--fresh", metavar="LESSON", help="put a clean copy of this lesson beside yours, and open it")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--port", type=whole(1, 65535), help="of the address (default: 8888, or the next one free)")
    parser.passed_on = "rest"
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Bring the working copy up to date, start JupyterLab in it, and wait until it ends."""
    folder = (options.folder or working_copy.default()).expanduser().absolute()
    page = prepare(folder, options.fresh)
    with tempfile.TemporaryDirectory(prefix="stylelearn-") as settings:
        words = command(folder, page, options)
        status = wait(subprocess.Popen(words, env=environment(Path(settings))))
    return DONE if status in (0, -signal.SIGTERM) else status


def prepare(folder: Path, fresh: str | None) -> str:
    """Update the working copy, print what changed, and return the notebook to open, below `folder`."""
    source = working_copy.course()
    changes = working_copy.update(folder, source)
    print(f"Your lessons are in {folder}")
    for what, names in (("new", changes.new), ("renewed, since you had not changed them", changes.renewed)):
        if lessons := _lessons(names):
            print(f"  {what}: {', '.join(lessons)}")
    for lesson in _lessons(changes.kept):
        print(f"  the course has a newer {lesson}; yours stays. For a clean one: stylelearn lab --fresh {lesson[:2]}")
    return working_copy.fresh(folder, source, fresh) if fresh else working_copy.WELCOME


def _lessons(names: list[str]) -> list[str]:
    return [Path(name).stem for name in names if Path(name).parent == Path("lessons")]


def command(folder: Path, page: str, options: argparse.Namespace) -> list[str]:
    """What to run: JupyterLab on `folder`, at the notebook `page` in it."""
    words = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"]
    words += [f"--LabApp.default_url=/lab/tree/{page}", "--LabApp.news_url=None"]
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
    return {**FRUGAL, **os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(paths)}


def wait(process: subprocess.Popen) -> int:
    """Wait for a server. Ctrl-C reaches it by itself, and JupyterLab asks back: so we go on. Our end is its end."""
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
    finally:
        signal.signal(signal.SIGTERM, before)
