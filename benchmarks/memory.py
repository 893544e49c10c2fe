"""How much memory a `stylelearn` command needs, in a process that imports nothing else."""

import contextlib
import io

from stylelearn.cli import main
from stylelearn.evaluation.timing import most_so_far, run_apart


def memory_of_command(*words: str) -> float:
    """The most memory in MB (1e6 bytes) that a `stylelearn` command held; RuntimeError if it failed."""
    return run_apart(_measure, *words)


def _measure(*words: str) -> float:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = main(words)
    if status:
        raise RuntimeError(said.getvalue().splitlines()[-1])
    return most_so_far()
