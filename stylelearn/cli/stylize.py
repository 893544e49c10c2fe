"""`stylelearn stylize`: a picture in the manner of another, as a file."""

import argparse
import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylelearn.cli.parsing import DONE, STOPPED, Commands, Failed, Wrong, amount, whole

if TYPE_CHECKING:
    from torch import Tensor

    from stylelearn.encoders import Encoder
    from stylelearn.optimize import Step

ENCODERS = ("mini", "vgg19", "vgg16", "squeezenet")
DEVICES = ("cpu", "cuda", "mps")
# SqueezeNet has layers of its own; the others share VGG's names, for which gatys.py has defaults.
LAYERS: dict[str, dict[str, Any]] = {
    "squeezenet": {"layer_weights": ("relu1", "fire2", "fire4", "fire8"), "content_layer": "fire5"}
}


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "stylize",
        help="paint one picture in the manner of another",
        description="Paint CONTENT in the manner of STYLE. Both are files, http(s) addresses, or names of the "
        "course's pictures, such as chelsea. Ctrl-C keeps the best picture so far.",
    )
    parser.add_argument("content", metavar="CONTENT", help="what the picture shall show")
    parser.add_argument("style", metavar="STYLE", help="how it shall be painted")
    parser.add_argument("-o", "--out", required=True, type=Path, metavar="OUT", help=".jpg, .png or .webp")
    parser.add_argument("--method", choices=("gatys",), default="gatys", help="(default: gatys)")
    parser.add_argument("--encoder", choices=ENCODERS, default="mini", help="mini ships with the course (default)")
    parser.add_argument("--encoder-weights", type=Path, metavar="FILE", help="a checkpoint instead of the default one")
    parser.add_argument("--size", type=whole(16, 8192), default=256, help="shorter side in pixels (default: 256)")
    parser.add_argument(
        "--strength", type=amount, default=1.0, metavar="X", help="times the usual weight of style (default: 1)"
    )
    parser.add_argument("--steps", type=whole(1), default=300, metavar="N", help="(default: 300)")
    parser.add_argument("--start", choices=("content", "noise", "style"), default="content", help="(default: content)")
    parser.add_argument(
        "--levels", type=whole(1, 4), default=1, metavar="N", help="2 or 3: begin small, for larger structures"
    )
    parser.add_argument("--keep-colours", action="store_true", help="the content's colours, the style's brush")
    parser.add_argument("--seed", type=whole(0), default=0, help="of --start noise (default: 0)")
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="(default: cpu)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, optimise with a progress bar, write."""
    _check_out(options)
    import torch

    from stylelearn.images import ImageError

    device = chosen_device(options.device)
    torch.manual_seed(options.seed)
    try:
        content, style = (picture(name, options.size) for name in (options.content, options.style))
        steps = _steps(options, content.to(device), style.to(device), _encoder(options).to(device))
    except (ImageError, ValueError, FileNotFoundError) as error:
        raise Wrong(error) from error
    best, reached, ending = _watch(steps, options.steps)
    if best is None:
        raise KeyboardInterrupt
    _write(options, content, best.cpu(), reached)
    done = reached["steps_done"]
    if ending == "stopped":
        print(f"stopped after {done} of {options.steps} steps; the best picture so far is in {options.out}")
        return STOPPED
    if ending:
        raise Failed(f"{ending} It is in {options.out}.")
    print(f"{options.out}: {done} steps, loss {reached['loss']:.4g}")
    return DONE


def _check_out(options: argparse.Namespace) -> None:
    """Before the work and not after it."""
    out, suffixes = options.out.expanduser(), (".jpg", ".jpeg", ".png", ".webp")
    if out.suffix.lower() not in suffixes:
        raise Wrong(f"OUT is '{out}', but must end in .jpg, .png or .webp")
    if not out.parent.is_dir():
        raise Wrong(f"the folder '{out.parent}' does not exist; create it first")
    if out.is_dir() or not os.access(out if out.exists() else out.parent, os.W_OK):
        raise Wrong(f"'{out}' cannot be written; choose another name or check its permissions")
    for name in (options.content, options.style):
        if "://" not in name and out.exists() and Path(name).exists() and out.samefile(name):
            raise Wrong(f"OUT is '{out}', which would overwrite the picture to be read; choose another name")


def chosen_device(name: str) -> str:
    """`name`, if this machine has it.

    Raises:
        Wrong: it has not; says what is there.
    """
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[name]:
        have = ", ".join(device for device, found in there.items() if found)
        raise Wrong(f"--device {name} is not available here; this machine has: {have}")
    return name


def picture(name: str, size: int) -> "Tensor":
    """A file, an address, or one of the course's pictures (a file of that name comes first)."""
    from stylelearn import samples
    from stylelearn.images import read_image

    known = {**dict.fromkeys(samples.content_names(), samples.content)}
    known |= dict.fromkeys(samples.style_names(), samples.style)
    if name in known and not Path(name).is_file():
        return known[name](name, size)
    if Path(name).suffix or "://" in name or Path(name).exists() or os.sep in name:
        return read_image(name, size=size)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"the course has {', '.join(known)}"
    raise Wrong(f"'{name}' is neither a file nor one of the course's pictures; {hint}")


def _encoder(options: argparse.Namespace) -> "Encoder":
    from stylelearn.encoders import Encoder
    from stylelearn.weights import WeightsError

    try:
        return Encoder(options.encoder, weights=options.encoder_weights)
    except WeightsError as error:
        raise Wrong(error) from error


def _steps(options: argparse.Namespace, content: "Tensor", style: "Tensor", encoder: "Encoder") -> "Iterator[Step]":
    from stylelearn import gatys

    return gatys.stylize(
        content,
        style,
        encoder=encoder,
        steps=options.steps,
        start=options.start,
        seed=options.seed,
        levels=options.levels,
        style_weight=gatys.STYLE_WEIGHT * options.strength,
        **LAYERS.get(options.encoder, {}),
    )


def _watch(steps: "Iterator[Step]", count: int) -> "tuple[Tensor | None, dict[str, Any], str]":
    """Draw the progress bar; return the best picture, how far it went, and why it ended early ("" if it did not)."""
    from tqdm import tqdm

    from stylelearn.optimize import Diverged

    last, broken, ending = None, None, ""
    form = "{n_fmt}/{total_fmt} |{bar}| {elapsed}, {remaining} left{postfix}"
    with tqdm(total=count, bar_format=form, mininterval=0.2) as bar:
        try:
            for step in steps:
                last = step
                bar.set_postfix_str(f"loss {step.loss:.4g}", refresh=False)
                bar.update(step.number - bar.n)
        except KeyboardInterrupt:
            ending = "stopped"
        except Diverged as error:
            broken, ending = error, str(error)
        except ValueError as error:  # such as a picture that is too small for the deepest layer
            raise Wrong(error) from error
    best = broken.image if broken else last and last.best_image
    done = broken.step if broken else last and last.number
    return best, {"steps_done": done, "loss": last and last.loss}, ending


def _write(options: argparse.Namespace, content: "Tensor", pastiche: "Tensor", reached: dict[str, Any]) -> None:
    import torch

    from stylelearn import __version__, gatys
    from stylelearn.colour import keep_colours
    from stylelearn.images import ImageError, resize, write_image

    if pastiche.shape != content.shape:  # stopped at a coarse level
        pastiche = resize(pastiche, tuple(content.shape[2:]), fit="box")
    if options.keep_colours:
        pastiche = keep_colours(pastiche, content)
    names = ("method", "encoder", "size", "strength", "steps", "start", "levels", "keep_colours", "seed", "device")
    settings = {
        # A picture may be shown to others: names of files, not where they lie.
        "content": _short(options.content),
        "style": _short(options.style),
        **{name: getattr(options, name) for name in names},
        "content_weight": gatys.CONTENT_WEIGHT,
        "style_weight": gatys.STYLE_WEIGHT * options.strength,
        **reached,
        "stylelearn": __version__,
        "torch": torch.__version__,
    }
    if options.encoder_weights:
        settings["encoder_weights"] = options.encoder_weights.name
    try:
        write_image(pastiche, options.out, settings=settings)
    except ImageError as error:
        raise Failed(error) from error


def _short(name: str) -> str:
    return name if "://" in name else Path(name).name
