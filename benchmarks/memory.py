"""How much memory one way of computing needs: run in a process of its own, so that nothing else counts.

python -m benchmarks.memory bare 512                             # prints JSON
python -m benchmarks.memory command stylize photo.jpg …          # whatever the `stylelearn` command can do
"""

import json
import sys

from stylelearn.evaluation.timing import most_so_far, run_apart


def peak_memory(way: str, size: int, steps: int = 13) -> dict[str, float]:
    """The most memory that a process held, in MB (1e6 bytes), and what it held after the imports.

    Args:
        way: "bare", VGG-19 forward and backward to the image; "ours", `optimize_image` with Gatys's objective.
        size: side of the image in pixels.
        steps: so many that the history of L-BFGS is full.
    Returns:
        {"imports": MB, "peak": MB}
    Raises:
        RuntimeError: the process failed, or this system does not say how much memory a process used (Windows).
    """
    return run_apart("benchmarks.memory", way, str(size), str(steps))


def memory_of_command(*words: str) -> dict[str, float]:
    """The same for a whole `stylelearn` command, from the file that it reads to the one that it writes.

    Raises:
        RuntimeError: as `peak_memory`; the command's own message, if it failed.
    """
    return run_apart("benchmarks.memory", "command", *words)


def _measure(way: str, size: int, steps: int) -> dict[str, float]:
    from benchmarks.gatys import WORK, noise, random_vgg19

    imports = most_so_far()
    do = WORK[way](random_vgg19(), noise(size))
    for _ in range(steps):
        do()
    return {"imports": imports, "peak": most_so_far()}


def _measure_command(words: list[str]) -> dict[str, float]:
    import torch  # noqa: F401  # what every command needs is no part of its work

    from stylelearn.cli import main

    imports = most_so_far()
    status = main(words)
    if status:
        sys.exit(status)  # the reason is on stderr
    return {"imports": imports, "peak": most_so_far()}


if __name__ == "__main__":
    if sys.argv[1] == "command":
        print(json.dumps(_measure_command(sys.argv[2:])))
    else:
        print(json.dumps(_measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
