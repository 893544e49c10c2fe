"""`stylelearn bench` and `stylelearn doctor`: what the code achieves here, and whether the machine is fit for it."""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stylelearn.cli.parsing import DONE, STOPPED, Commands, UsageError, whole

BENCHES = ("encoder", "gatys", "feedforward", "adjustable", "swap", "matting", "glyphs", "course")


def add(commands: Commands) -> None:
    """Describe both commands."""
    bench = commands.add_parser(
        "bench",
        help="measure the figures that the course promises",
        description="Measure speed, memory and quality. What is compared takes turns in one run; look at the ratios. "
        "Ctrl-C keeps what has been measured.",
    )
    bench.add_argument("which", nargs="*", metavar="WHICH", help=f"{', '.join(BENCHES)} (default: all)")
    bench.add_argument("--json", type=Path, metavar="FILE", help="keep the figures here, as they come")
    bench.add_argument("--quick", action="store_true", help="tiny pictures, few steps: does it run at all?")
    bench.add_argument("--judge", type=Path, metavar="FILE", help="squeezenet1_0 checkpoint that judges pastiches")
    bench.add_argument(
        "--pairs", type=Path, metavar="DIR", help="with content/ and style/ inside (default: the course's pictures)"
    )
    bench.add_argument(
        "--pairs-count",
        type=whole(1),
        metavar="N",
        help="how many pairs are painted, with each method (default: 16; adjustable: 100)",
    )
    bench.add_argument("--decoders", type=Path, metavar="FILE", help="what `train encoder` left beside the weights")
    bench.add_argument(
        "--sheet",
        type=Path,
        metavar="FILE",
        help="draw the pastiches side by side (feedforward: a sheet for each method; swap: a plot; course: both)",
    )
    bench.add_argument("--baseline", type=Path, metavar="FILE", help="what `train zi2zi` wrote, for glyphs")
    bench.add_argument("--weights", type=Path, metavar="FILE", help="of mini (default: those that ship)")
    bench.set_defaults(run=run_bench)
    doctor = commands.add_parser(
        "doctor",
        help="is this machine fit for the course?",
        description="Look at the machine and the installation, and say what to do about each problem. "
        "Exit status 0 when nothing hinders the course.",
    )
    doctor.set_defaults(run=run_doctor)


def run_doctor(options: argparse.Namespace) -> int:
    """Examine and report."""
    from stylelearn.cli.doctor import examine

    return examine()


def run_bench(options: argparse.Namespace) -> int:
    """Measure group after group, then print the table."""
    _check(options)
    from benchmarks.measuring import Report, table
    from stylelearn.evaluation.timing import machine
    from stylelearn.images import ImageError
    from stylelearn.weights import WeightsError

    report = Report(_settings(options), machine(), options.json, judged=not options.quick)
    status = DONE
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
        raise UsageError(error) from error
    finally:
        print("\n".join(table(report)))
    if status == STOPPED:
        print("stopped: these are the figures so far")
    return status


def _check(options: argparse.Namespace) -> None:
    for which in options.which:
        if which not in BENCHES:
            raise UsageError(f"there is no bench '{which}'; there are {', '.join(BENCHES)}")
    for name in ("judge", "decoders", "weights", "baseline"):
        path = getattr(options, name)
        if path is not None and not path.is_file():
            raise UsageError(f"--{name} is '{path}', which is no file")
    if options.pairs is not None and not options.pairs.is_dir():
        raise UsageError(f"--pairs is '{options.pairs}', which is no folder")
    for name in ("json", "sheet"):
        path = getattr(options, name)
        if path is not None and not path.absolute().parent.is_dir():
            raise UsageError(f"--{name} is '{path}', but the folder '{path.parent}' does not exist; create it first")
        if path is not None and path.is_dir():
            raise UsageError(f"--{name} is '{path}', which is a folder; give the name of a file")
    if options.sheet is not None and options.sheet.suffix.lower() not in (".jpg", ".jpeg", ".png", ".webp"):
        raise UsageError(f"--sheet is '{options.sheet}', but must end in .jpg, .png or .webp")


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    names = ("which", "quick", "judge", "pairs", "pairs_count", "decoders", "weights", "baseline")
    return {name: value.name if isinstance(value := getattr(options, name), Path) else value for name in names}


def _plans(options: argparse.Namespace) -> list[tuple[str, Callable[..., Any], Any]]:
    """(name, its groups, how thorough) for each bench that is asked for."""
    from benchmarks import adjustable, course, encoder, feedforward, gatys, glyphs, matting, swap

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
    return [(which, *plans[which]) for which in options.which or BENCHES]


def _watch(what: str, done: int, of: int) -> None:
    print(f"  {done + 1} of {of}: {what}", flush=True)
