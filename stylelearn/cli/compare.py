"""`stylelearn compare`: all methods on one pair, as a table, and as pictures side by side."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylelearn.cli.inputs import PICTURES, SMALLEST, picture
from stylelearn.cli.parsing import DONE, STOPPED, Commands, whole
from stylelearn.files import check_output, replacing

if TYPE_CHECKING:
    from torch import Tensor

    from stylelearn.evaluation.tables import Row


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "compare",
        help="all methods on one pair: seconds, memory, measures, pictures (lesson 10)",
        description="Paint one pair with every method and print what it costs and what the measures say. Pictures are "
        "files, addresses, or names of the course. Ctrl-C keeps the rows that are done.",
    )
    parser.add_argument("--content", default="coffee", metavar="PICTURE", help="(default: coffee)")
    parser.add_argument(
        "--style", default="stained_glass", metavar="PICTURE", help="(default: stained_glass, which all methods know)"
    )
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="some of the methods (default: all)")
    side: dict[str, Any] = {"type": whole(SMALLEST, 4096), "metavar": "N"}
    parser.add_argument("--sizes", nargs="+", default=[256], help="pixels a side (default: 256)", **side)
    parser.add_argument("--steps", type=whole(1), metavar="N", help="at most, where pixels are optimised")
    parser.add_argument("--repeats", type=whole(0), default=3, metavar="N", help="timings of each (default: 3)")
    parser.add_argument("--memory", action="store_true", help="measure it, in a process of its own for each row")
    parser.add_argument("--paper", action="store_true", help="the table of Huang & Belongie beside ours as well")
    parser.add_argument("-o", "--out", type=Path, metavar="OUT", help="pictures side by side: .jpg, .png or .webp")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compare, print and draw."""
    if options.out is not None:
        options.out = check_output(options.out, PICTURES, [options.content, options.style])
    from stylelearn import compare
    from stylelearn.evaluation.metrics import judge
    from stylelearn.evaluation.tables import huang_table, table
    from stylelearn.registry import METHODS

    rows: list[Row] = []
    status, encoder = DONE, judge()
    try:
        content, style = (_named(name) for name in (options.content, options.style))
        found = compare.compare(
            content,
            style,
            options.methods or tuple(METHODS),
            **{name: getattr(options, name) for name in ("sizes", "repeats", "steps", "memory")},
            encoder=encoder,
        )
        for row in found:
            rows.append(row)
            print(f"{METHODS[row.method].title}, {row.size} px: {row.note or 'done'}", flush=True)
    except KeyboardInterrupt:
        status = STOPPED
    if rows:
        print(f"\n{table(rows)}\n\nThe judge is {encoder.name}.")
    if rows and options.paper:
        print(f"\n{huang_table(rows)}")
    if options.out is not None and any(row.picture is not None for row in rows):
        _draw(rows, content, style, options.out)
    return status


def _named(name: str) -> "Tensor | str":
    """A name of the course as it is (johnson and cin know styles by name), or the picture of a file or an address."""
    from stylelearn.samples import content_names, style_names

    known = name in (*content_names(), *style_names()) and not Path(name).is_file()
    return name if known else picture(name, None)


def _draw(rows: "list[Row]", content: "Tensor | str", style: "Tensor | str", out: Path) -> None:
    """The pair and the pastiches of the largest size."""
    from stylelearn.figures.pictures import grid_figure
    from stylelearn.painting import pictures
    from stylelearn.registry import METHODS

    painted = [row for row in rows if row.picture is not None and row.size == max(row.size for row in rows)]
    images = [*pictures(content, style, painted[0].size), *(row.picture for row in painted)]
    titles = ["content", "style", *(METHODS[row.method].title for row in painted)]
    with replacing(out) as part:
        grid_figure(images, titles).savefig(part)
    print(f"pictures in {out}")
