"""The `stylelearn` command: open the lab, stylise a picture or a clip, train, compare, and examine the machine.

Each command is a module of its own with `add(commands)`, which says what can be asked, and `run(options)`, which does
it. Nothing slow is imported before it is known what is wanted, so that --help and mistakes answer at once.

Exit status: 0 done; 1 it went wrong, or the doctor found something; 2 the request was wrong; 130 stopped by Ctrl-C.
"""

import codecs
import os
import sys
from collections.abc import Sequence

from stylelearn.cli import compare, doctor, lab, study, stylize, train, video
from stylelearn.cli.parsing import FAILED, STOPPED, WRONG, CommandError, Parser, UsageError

# What a terminal gets for a character that its encoding lacks (Windows pipes write cp1252); "?" for any other.
STAND_INS = {"✓": "ok", "✗": "!!", "→": "->", "×": "x", "·": "-", "…": "...", "−": "-", "∞": "any", "α": "alpha"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; what goes wrong is one line on stderr, never a traceback."""
    # Before PyTorch is loaded: waiting threads leave the cores to the others, and small layers run faster.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    codecs.register_error("stand-in", _stand_in)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a notebook's has not, and takes everything
            stream.reconfigure(errors="stand-in")
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except UsageError as error:
        return _say(error, options.command, WRONG)
    except CommandError as error:
        return _say(error, options.command, FAILED)
    except KeyboardInterrupt:
        return _say("stopped", options.command, STOPPED)
    except (MemoryError, RuntimeError) as error:
        if not _out_of_memory(error):
            raise
        sizes = next((f"use a smaller --{name}, or " for name in ("size", "sizes") if hasattr(options, name)), "")
        return _say(f"not enough memory; {sizes}close other programs", options.command, FAILED)


def _parser() -> Parser:
    from stylelearn import __version__

    parser = Parser(prog="stylelearn", description="Learn neural style transfer by building it.")
    parser.add_argument("--version", action="version", version=f"stylelearn {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    for command in (lab, stylize, video, train, compare, study, doctor):
        command.add(commands)
    return parser


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    """For `codecs`: instead of an error, what can be printed everywhere."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(STAND_INS.get(character, "?") for character in error.object[error.start : error.end]), error.end


def _say(message: object, command: str, status: int) -> int:
    # Some messages list ways out on lines of their own; here they follow one another.
    line = " ".join(str(message).split())
    print(f"stylelearn {command}: {line}", file=sys.stderr)
    return status


def _out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or "can't allocate memory" in str(error) or "out of memory" in str(error)
