"""`python -m benchmarks [encoder gatys …]`: measure what the course promises, and print one table."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import adjustable, course, encoder, feedforward, gatys, glyphs, matting, swap
from benchmarks.measuring import Report, table
from stylelearn.evaluation.timing import machine
from stylelearn.images import ImageError
from stylelearn.weights import WeightsError

BENCHMARKS = ("encoder", "gatys", "feedforward", "adjustable", "swap", "matting", "glyphs", "course")
STOPPED = 130  # as shells count Ctrl-C


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure group after group, then print the table. Returns the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    report = Report(_settings(options), machine(), options.json, judged=not options.quick)
    status = 0
    try:
        for which, groups, plan in _plans(options):
            report.settings[which] = {
                name: value for name, value in asdict(plan).items() if isinstance(value, int | float | str | tuple)
            }
            for title, measure in groups(plan):
                print(f"measuring {title} …", flush=True)
                report.add(measure())
    except KeyboardInterrupt:
        status = STOPPED
    except (ImageError, WeightsError) as error:
        parser.error(str(error))
    finally:
        print("\n".join(table(report)))
    if status == STOPPED:
        print("stopped: these are the figures so far")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure speed, memory and quality. What is compared takes turns in one run; look at the ratios. "
        "Ctrl-C keeps what has been measured.",
    )
    add = parser.add_argument
    add("which", nargs="*", type=_benchmark, metavar="WHICH", help=f"{', '.join(BENCHMARKS)} (default: all)")
    add("--json", type=_new, metavar="FILE", help="keep the figures here, as they come")
    add("--quick", action="store_true", help="tiny pictures, few steps: does it run at all?")
    add("--judge", type=_file, metavar="FILE", help="squeezenet1_0 checkpoint that judges pastiches")
    add("--pairs", type=_folder, metavar="DIR", help="with content/ and style/ inside (default: the course's pictures)")
    add("--pairs-count", type=int, metavar="N", help="pairs for each method (default: 16; adjustable: 100)")
    add("--decoders", type=_file, metavar="FILE", help="what `stylelearn train encoder` left beside the weights")
    add("--sheet", type=_sheet, metavar="FILE", help="draw pastiches and plots; each benchmark adds its name")
    add("--baseline", type=_file, metavar="FILE", help="what `stylelearn train zi2zi` wrote, for glyphs")
    add("--weights", type=_file, metavar="FILE", help="of mini (default: those that ship)")
    return parser


def _benchmark(name: str) -> str:
    if name not in BENCHMARKS:
        raise argparse.ArgumentTypeError(f"there is no benchmark '{name}'; there are {', '.join(BENCHMARKS)}")
    return name


def _file(path: str) -> Path:
    if not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"'{path}' is no file")
    return Path(path)


def _folder(path: str) -> Path:
    if not Path(path).is_dir():
        raise argparse.ArgumentTypeError(f"'{path}' is no folder")
    return Path(path)


def _new(path: str) -> Path:
    if Path(path).is_dir() or not Path(path).absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"'{path}' cannot be written: it is a folder, or its folder does not exist")
    return Path(path)


def _sheet(path: str) -> Path:
    if Path(path).suffix.lower() not in (".jpg", ".jpeg", ".png", ".webp"):
        raise argparse.ArgumentTypeError(f"'{path}' must end in .jpg, .png or .webp")
    return _new(path)


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    names = ("which", "quick", "judge", "pairs", "pairs_count", "decoders", "weights", "baseline")
    return {name: value.name if isinstance(value := getattr(options, name), Path) else value for name in names}


def _plans(options: argparse.Namespace) -> list[tuple[str, Callable[..., Any], Any]]:
    """(name, its groups, how thorough) for each benchmark that is asked for."""
    pictures = {"sheet": options.sheet, "folder": options.pairs, "watch": _watch}
    files = {"judge": options.judge, **pictures}
    own = {"decoders": options.decoders, "weights": options.weights}
    count = {} if options.pairs_count is None else {"pairs": options.pairs_count}
    quick = {
        "encoder": encoder.QUICK if options.quick else {},
        "feedforward": feedforward.QUICK if options.quick else {},
        "swap": swap.QUICK if options.quick else {},
        "adjustable": adjustable.QUICK if options.quick else {},
        "glyphs": glyphs.QUICK if options.quick else {},
        "course": course.QUICK if options.quick else {},
    }
    plans = {
        "encoder": (encoder.groups, encoder.Plan(**files, **own, **quick["encoder"] | count)),
        "gatys": (gatys.groups, gatys.QUICK if options.quick else gatys.Plan()),
        "feedforward": (feedforward.groups, feedforward.Plan(**files, **quick["feedforward"] | count)),
        "matting": (matting.groups, matting.QUICK if options.quick else matting.Plan()),
        "swap": (swap.groups, swap.Plan(sheet=options.sheet, **quick["swap"])),
        "adjustable": (adjustable.groups, adjustable.Plan(**pictures, **quick["adjustable"] | count)),
        "glyphs": (glyphs.groups, glyphs.Plan(baseline=options.baseline, **quick["glyphs"])),
        "course": (
            course.groups,
            course.Plan(judge=options.judge, sheet=options.sheet, watch=_watch, **quick["course"]),
        ),
    }
    return [(which, *plans[which]) for which in options.which or BENCHMARKS]


def _watch(what: str, done: int, of: int) -> None:
    print(f"  {done + 1} of {of}: {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
