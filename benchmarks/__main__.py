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
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks import adjustable, browser, encoder, feedforward, gatys, glyphs, matting, swap
from benchmarks.measuring import QUICK, Measurement, Plan, Report, table
from stylelearn.evaluation.timing import machine
from stylelearn.files import check_output
from stylelearn.images import ImageError

BENCHMARKS = {
    "encoder": encoder,
    "gatys": gatys,
    "feedforward": feedforward,
    "adjustable": adjustable,
    "browser": browser,
    "swap": swap,
    "matting": matting,
    "glyphs": glyphs,
}
STOPPED = 130  # as shells count Ctrl-C


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure group after group, then print the table. Returns the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    plan = _plan(options)
    settings = {name: value for name, value in asdict(plan).items() if isinstance(value, int | float | str | tuple)}
    which = options.which or list(BENCHMARKS)
    report = Report(machine(), {"which": which} | settings, options.json, plan.judged)
    try:
        for name in which:
            for title, measure in BENCHMARKS[name].groups(plan):
                print(f"measuring {title} …", flush=True)
                try:
                    report.add(measure())
                except RuntimeError as error:  # no network, or no way to measure memory: the others go on
                    report.add([Measurement(title, name, None, note=f"not measured: {error}")])
    except KeyboardInterrupt:
        print("\n".join(table(report)))
        print("stopped: these are the figures so far")
        return STOPPED
    except ImageError as error:
        parser.error(str(error))
    print("\n".join(table(report)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure speed, memory and quality. Ctrl-C keeps what was measured."
    )
    add = parser.add_argument
    add("which", nargs="*", type=_benchmark, metavar="WHICH", help=f"{', '.join(BENCHMARKS)} (default: all)")
    add("--json", type=_checked(check_output), metavar="FILE", help="keep the figures here, as they come")
    add("--quick", action="store_true", help="tiny pictures, few steps: does it run at all?")
    add("--judge", type=_file, metavar="FILE", help="squeezenet1_0 checkpoint that judges pastiches")
    add("--teacher", type=_file, metavar="FILE", help="vgg19_16x checkpoint that mini is compared with")
    add("--pairs", type=_folder, metavar="DIR", help="with content/ and style/ inside (default: the course's pictures)")
    add("--pairs-count", type=int, metavar="N", help="pairs for each method (default: 16; without Gatys 100)")
    sheet = _checked(lambda path: check_output(path, (".jpg", ".jpeg", ".png", ".webp")))
    add("--sheet", type=sheet, metavar="FILE", help="draw pastiches and plots; each benchmark adds its name")
    add("--baseline", type=_file, metavar="FILE", help="what `python -m benchmarks.zi2zi` wrote, for glyphs")
    add("--weights", type=_file, metavar="FILE", help="of mini (default: those that ship)")
    return parser


def _plan(options: argparse.Namespace) -> Plan:
    plan = replace(
        QUICK if options.quick else Plan(),
        **{name: getattr(options, name) for name in ("judge", "teacher", "sheet", "baseline", "weights")},
        folder=options.pairs,
        watch=lambda what, done, of: print(f"  {done + 1} of {of}: {what}", flush=True),
    )
    return plan if options.pairs_count is None else replace(plan, pairs=options.pairs_count, many=options.pairs_count)


def _benchmark(name: str) -> str:
    if name not in BENCHMARKS:
        raise argparse.ArgumentTypeError(f"there is no benchmark '{name}'; there are {', '.join(BENCHMARKS)}")
    return name


def _checked(check: Callable[[str], Path]) -> Callable[[str], Path]:
    def path(text: str) -> Path:
        try:
            return check(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return path


def _file(path: str) -> Path:
    if not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"'{path}' is no file")
    return Path(path)


def _folder(path: str) -> Path:
    if not Path(path).is_dir():
        raise argparse.ArgumentTypeError(f"'{path}' is no folder")
    return Path(path)


if __name__ == "__main__":
    sys.exit(main())
