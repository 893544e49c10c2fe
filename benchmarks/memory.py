"""How much memory a `stylelearn` command needs, in a process that imports nothing else."""

import contextlib
import io

from stylelearn.cli import main
from stylelearn.evaluation.timing import most_so_far, run_apart


def memory_of_command(*words: str) -> dict[str, float]:
    """The most memory that a `stylelearn` command held, from the file that it reads to the one that it writes.

    Returns:
        {"imports": MB (1e6 bytes) after the imports, "peak": MB}
    Raises:
        RuntimeError: the command failed (its own message), or as of `run_apart`.
    """
    return run_apart(_measure, *words)


def _measure(*words: str) -> dict[str, float]:
    imports, said = most_so_far(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = main(words)
    if status:
        raise RuntimeError(said.getvalue().splitlines()[-1])
    return {"imports": imports, "peak": most_so_far()}
