"""`python -m benchmarks [gatys …]`: the figures that this course promises, measured on your machine.

Speed depends on the machine and on what else it does, so nothing is compared with a number from elsewhere: what is
compared takes turns in one run, and what counts is the ratio. ::

    python -m benchmarks encoder --judge squeezenet1_0.pth      # is `mini` a good encoder?
    python -m benchmarks gatys                                  # the optimisation of lesson 02
    python -m benchmarks feedforward --judge squeezenet1_0.pth  # networks that paint, lessons 03 to 05
    python -m benchmarks swap matting                           # patches and the matting Laplacian, lessons 06 and 07
    python -m benchmarks adjustable                             # a slider for each layer, lesson 08
    python -m benchmarks browser                                # labs as a learner sees them, lessons 03 to 05 and 08
    python -m benchmarks glyphs --baseline zi2zi.safetensors    # letters, lesson 09
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import adjustable, browser, encoder, feedforward, gatys, glyphs, matting, swap
from benchmarks.measuring import QUICK, Group, Measurement, Plan, table
from stylelearn.cli.parsing import DONE, STOPPED, whole
from stylelearn.evaluation.timing import machine
from stylelearn.images import ImageError

BENCHMARKS: dict[str, Mapping[str, Group]] = {
    "encoder": encoder.GROUPS,
    "gatys": gatys.GROUPS,
    "feedforward": feedforward.GROUPS,
    "adjustable": adjustable.GROUPS,
    "browser": browser.GROUPS,
    "swap": swap.GROUPS,
    "matting": matting.GROUPS,
    "glyphs": glyphs.GROUPS,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure group after group, then print the table. Returns the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    given = {name: getattr(options, name) for name in ("judge", "teacher", "baseline")}
    plan = replace(QUICK if options.quick else Plan(), folder=options.pairs, **given)
    if options.pairs_count:
        plan = replace(plan, pairs=options.pairs_count, many=options.pairs_count)
    which, found, status = options.which or [*BENCHMARKS], [], DONE
    if unknown := {*which} - {*BENCHMARKS}:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    try:
        for title, measure in (group for name in which for group in BENCHMARKS[name].items()):
            print(f"measuring {title} …", flush=True)
            try:
                for each in measure(plan):
                    found.append((title, each))
            except RuntimeError as error:  # no network, or no way to measure memory: the others go on
                found.append((title, Measurement("not measured", None, note=str(error))))
    except KeyboardInterrupt:
        status = STOPPED
    except ImageError as error:
        parser.error(str(error))
    for facts in (machine(), plan.settings):
        print(" · ".join(f"{name} {value}" for name, value in facts.items()))
    if not plan.judged:
        print("tiny pictures and few rounds: this only says that it runs")
    print("\n".join(table(found, plan.judged)))
    if status == STOPPED:
        print("stopped: these are the figures so far")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure speed, memory and quality. Ctrl-C keeps what was measured."
    )
    add = parser.add_argument
    add("which", nargs="*", metavar="WHICH", help=f"{', '.join(BENCHMARKS)} (default: all)")
    add("--quick", action="store_true", help="tiny pictures, few steps: does it run at all?")
    add("--judge", type=_there, metavar="FILE", help="squeezenet1_0 checkpoint that judges pastiches")
    add("--teacher", type=_there, metavar="FILE", help="vgg19_16x checkpoint that mini is compared with")
    add("--pairs", type=_there, metavar="DIR", help="with content/ and style/ inside (default: the course's pictures)")
    count = "pairs for each method (default: 16; without Gatys 100)"
    add("--pairs-count", type=whole(1), metavar="N", help=count)
    add("--baseline", type=_there, metavar="FILE", help="what `python -m benchmarks.zi2zi` wrote, for glyphs")
    return parser


def _there(path: str) -> Path:
    if not Path(path).exists():
        raise argparse.ArgumentTypeError(f"there is no '{path}'")
    return Path(path)


if __name__ == "__main__":
    sys.exit(main())
