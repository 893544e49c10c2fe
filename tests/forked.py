"""Processes of their own with PyTorch imported: forked from one that has done it once, for that takes seconds."""

import multiprocessing
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

FORKS = "forkserver" in multiprocessing.get_all_start_methods()  # everywhere but on Windows
IMPORTED = ["torch._dynamo", "lightning_fabric", "stylelearn.training", "stylelearn.checks.adain"]


def forked(work: Callable[..., object], *arguments: object) -> tuple[int, str]:
    """Exit status (−n: ended by signal n) and standard output of `work(*arguments)`, a function of a module."""
    processes = multiprocessing.get_context("forkserver" if FORKS else "spawn")
    if FORKS:
        processes.set_forkserver_preload(IMPORTED)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "output")
        process = processes.Process(target=_printing, args=(output, work, arguments))
        process.start()
        process.join()
        return process.exitcode, output.read_text(encoding="utf-8")


def _printing(output: Path, work: Callable[..., object], arguments: tuple) -> None:
    if FORKS:
        multiprocessing.set_start_method("fork", force=True)  # as in a program; this process has inherited another
    with output.open("w") as file:
        os.dup2(file.fileno(), 1)
    work(*arguments)
