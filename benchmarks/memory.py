"""How much memory a `stylelearn` command needs: run in a process of its own, so that nothing else counts.

python -m benchmarks.memory stylize photo.jpg …          # prints JSON
"""

import json
import sys

from stylelearn.evaluation.timing import most_so_far, run_apart


def memory_of_command(*words: str) -> dict[str, float]:
    """The most memory that a `stylelearn` command held, from the file that it reads to the one that it writes.

    Returns:
        {"imports": MB (1e6 bytes) after the imports, "peak": MB}
    Raises:
        RuntimeError: the command failed (its own message), or this system does not say how much memory a process used
            (Windows).
    """
    return run_apart("benchmarks.memory", *words)


def _measure(words: list[str]) -> dict[str, float]:
    import torch  # noqa: F401  # what every command needs is no part of its work

    from stylelearn.cli import main

    imports = most_so_far()
    status = main(words)
    if status:
        sys.exit(status)  # the reason is on stderr
    return {"imports": imports, "peak": most_so_far()}


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1:])))
