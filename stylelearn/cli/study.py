"""`stylelearn study`: show and merge the files of ratings of a class."""

import argparse
from pathlib import Path

from stylelearn.cli.parsing import DONE, Commands, UsageError


def add(commands: Commands) -> None:
    """Describe the command."""
    study = commands.add_parser(
        "study",
        help="show and merge the ratings of a blind study (lesson 10)",
        description="The study itself is in lesson 10. This command merges the files of a class.",
    )
    parts = study.add_subparsers(dest="part", required=True, metavar="WHAT")
    show = parts.add_parser("show", help="print the mean scores with their confidence intervals")
    show.add_argument("files", type=Path, nargs="+", metavar="FILE", help="CSV files; the same one twice does no harm")
    merge = parts.add_parser("merge", help="write the ratings of several files into one")
    merge.add_argument("file", type=Path, metavar="CLASS", help="the CSV file; what is in it already stays")
    merge.add_argument("files", type=Path, nargs="+", metavar="FILE")
    study.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Show or merge."""
    from stylelearn.evaluation.ratings import read_ratings, write_ratings
    from stylelearn.evaluation.study import QUESTIONS, intervals

    if options.part == "merge" and options.file.exists():
        options.files.append(options.file)
    ratings = read_ratings(*options.files)
    if not ratings:
        raise UsageError(f"there are no ratings in {', '.join(map(str, options.files))}")
    people, pairs = ({getattr(one, what) for one in ratings} for what in ("rater", "pair"))
    found = f"{len(ratings)} ratings of {len(people)} people about {len(pairs)} pairs"
    if options.part == "merge":
        print(f"{found} written to {write_ratings(options.file, ratings)}")
        return DONE
    print(f"{found}; mean score, 95 % interval")
    for question, words in QUESTIONS.items():
        print(f"{question}: {words}")
        for method, one in intervals(ratings, question).items():
            print(f"  {method:16} {one}")
    return DONE
