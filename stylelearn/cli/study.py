"""`stylelearn study`: the answers of a class in one file, what they say, and all of them as CSV."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from stylelearn.cli.parsing import DONE, Commands, UsageError

if TYPE_CHECKING:
    from stylelearn.evaluation.ratings import Answers


def add(commands: Commands) -> None:
    """Describe the command."""
    study = commands.add_parser(
        "study",
        help="merge, show and export the answers of a blind study (lesson 10)",
        description="The study itself is in lesson 10. Here a teacher puts the files of a class together.",
    )
    parts = study.add_subparsers(dest="part", required=True, metavar="WHAT")
    merge = parts.add_parser("merge", help="take up the answers of other files; twice does no harm")
    merge.add_argument("file", type=Path, metavar="FILE", help="the file of the class, .sqlite; made if not there")
    merge.add_argument("others", type=Path, nargs="+", metavar="FROM", help="files of students, .csv or .sqlite")
    show = parts.add_parser("show", help="print the mean scores with their confidence intervals")
    show.add_argument("file", type=Path, metavar="FILE")
    export = parts.add_parser("export", help="write all answers as CSV")
    export.add_argument("file", type=Path, metavar="FILE")
    export.add_argument("csv", type=Path, metavar="CSV")
    study.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Merge, show or export."""
    from stylelearn.evaluation.ratings import Answers, StudyError

    try:
        answers = Answers(options.file)
        if options.part == "merge":
            print(answers.merge(*options.others))
        elif not answers.all():
            raise UsageError(f"there are no answers in '{options.file}'")
        elif options.part == "export":
            print(f"{len(answers.all())} answers written to {answers.export(options.csv)}")
        else:
            _show(answers)
    except StudyError as error:
        raise UsageError(error) from error
    return DONE


def _show(answers: "Answers") -> None:
    from stylelearn.evaluation.ratings import QUESTIONS
    from stylelearn.evaluation.study import intervals

    given = answers.all()
    people, pairs = ({getattr(one, what) for one in given} for what in ("rater", "pair"))
    print(f"{len(given)} answers of {len(people)} people about {len(pairs)} pairs; mean score, 95 % interval")
    for question, words in QUESTIONS.items():
        print(f"{question}: {words}")
        for method, found in intervals(given, question).items():
            print(f"  {method:16} {found}")
