"""The `stylelearn` command: open the lab, stylise a picture or a clip, train, export, compare, and examine the
machine.

Each command is a module with `add(commands)`, which declares its options, and `run(options)`, which returns the exit
status. PyTorch is imported only inside `run`, so --help and mistakes are answered at once.

Exit status: 0 done; 1 it went wrong, or the doctor found something; 2 the request was wrong; 130 stopped by Ctrl-C.
"""

import codecs
import os
import sys
from collections.abc import Sequence

from stylelearn.cli import compare, doctor, export, lab, studio, study, stylize, train, video
from stylelearn.cli.parsing import FAILED, STOPPED, WRONG, CommandError, Parser

# What a terminal gets for a character that its encoding lacks (Windows pipes write cp1252); "?" for any other.
STAND_INS = {"✓": "ok", "✗": "!!", "→": "->", "×": "x", "·": "-", "…": "...", "−": "-", "∞": "any", "α": "alpha"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status. An error is printed as one line on stderr, without a traceback."""
    # Before PyTorch is loaded: idle threads yield their cores, and small layers run faster.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    codecs.register_error("stand-in", _stand_in)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a notebook's streams have no encoding
            stream.reconfigure(errors="stand-in")
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        return _say("stopped", options.command, STOPPED)
    except ValueError as error:  # with it UsageError, ImageError and the like
        return _say(error, options.command, WRONG)
    except (CommandError, FloatingPointError) as error:
        return _say(error, options.command, FAILED)
    except OSError as error:
        if error.filename is None:
            return _say(error.strerror or error, options.command, FAILED)
        what = f"'{error.filename}' cannot be used ({error.strerror}); choose another name or place"
        return _say(what, options.command, WRONG)
    except (MemoryError, RuntimeError) as error:
        from stylelearn.weights import WeightsError

        if isinstance(error, WeightsError):
            return _say(error, options.command, WRONG)
        said = str(error)
        if not (isinstance(error, MemoryError) or "can't allocate memory" in said or "out of memory" in said):
            raise
        sizes = next((f"use a smaller --{name}, or " for name in ("size", "sizes") if hasattr(options, name)), "")
        return _say(f"not enough memory; {sizes}close other programs", options.command, FAILED)


def _parser() -> Parser:
    from stylelearn import __version__

    parser = Parser(prog="stylelearn", description="Learn neural style transfer by building it.")
    parser.add_argument("--version", action="version", version=f"stylelearn {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    for command in (lab, studio, stylize, video, train, export, compare, study, doctor):
        command.add(commands)
    return parser


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    """An error handler for `codecs`: ASCII in place of a character that the encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(STAND_INS.get(character, "?") for character in error.object[error.start : error.end]), error.end


def _say(message: object, command: str, status: int) -> int:
    line = " ".join(str(message).split())  # some messages have several lines
    print(f"stylelearn {command}: {line}", file=sys.stderr)
    return status
