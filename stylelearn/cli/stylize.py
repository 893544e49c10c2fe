"""`stylelearn stylize`: a picture in the manner of another, as a file. What paints it stands in `methods.py`."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from stylelearn.cli.inputs import DEVICES, chosen_device, picture, short
from stylelearn.cli.methods import METHODS, USUAL_SIZE, check, painter
from stylelearn.cli.parsing import DONE, STOPPED, CommandError, Commands, UsageError, amount, named_numbers, whole

if TYPE_CHECKING:
    from stylelearn.cli.methods import Painted

__all__ = ["add", "chosen_device", "picture", "run"]

ENCODERS = ("mini", "vgg19", "vgg16", "squeezenet")
EXAMPLES = """\
examples:
  stylelearn stylize photo.jpg painting.jpg -o out.jpg                    five layers, 300 steps (lesson 02)
  stylelearn stylize photo.jpg --method johnson --style starry_night -o out.jpg            one pass (lesson 03)
  stylelearn stylize photo.jpg --method cin --style mosaic batik --shares 2 1 -o out.jpg   two styles (lesson 04)
  stylelearn stylize photo.jpg painting.jpg --method adain --strength 0.8 -o out.jpg       any style (lesson 05)
  stylelearn stylize photo.jpg painting.jpg --method style-swap --patch 5 -o out.jpg       its patches (lesson 06)
  stylelearn stylize china rocket --method photo --content-mask china --style-mask rocket -o out.jpg   (lesson 07)
  stylelearn stylize photo.jpg painting.jpg --method adjustable --alpha relu2_2=0.3,relu4_1=1 -o out.jpg   (lesson 08)
"""


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "stylize",
        help="paint one picture in the manner of another",
        description="Paint CONTENT in the manner of STYLE. Both are files, http(s) addresses, or names of the "
        "course's pictures, such as chelsea. Methods johnson and cin take no picture of a style but --style NAME.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("content", metavar="CONTENT", help="what the picture shall show")
    parser.add_argument(
        "pictures",
        nargs="*",
        metavar="STYLE",
        help="how it shall be painted (gatys, adain, style-swap, photo, adjustable)",
    )
    parser.late = "pictures"
    parser.add_argument("-o", "--out", required=True, type=Path, metavar="OUT", help=".jpg, .png or .webp")
    parser.add_argument("--method", choices=tuple(METHODS), default="gatys", help="(default: gatys)")
    parser.add_argument(
        "--size", type=whole(16, 8192), help=f"shorter side in pixels, also of styles (default: {USUAL_SIZE})"
    )
    parser.add_argument("--full-size", action="store_true", help="every picture as large as it is")
    parser.add_argument("--keep-colours", action="store_true", help="the content's colours, the style's brush")
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="(default: cpu)")
    parser.add_argument(
        "--strength",
        type=amount,
        metavar="X",
        help="gatys, photo: times the usual weight of style; adain, style-swap: from 0 to 1",
    )
    _add_networks(parser)
    _add_swap(parser)
    _add_photo(parser)
    _add_gatys(parser)
    parser.set_defaults(run=run)


def _add_networks(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("trained networks (johnson, cin, adain, style-swap, adjustable)")
    group.add_argument(
        "--style", nargs="+", action="extend", metavar="NAME", help="johnson, cin: a trained style; cin: several, mixed"
    )
    group.add_argument(
        "--shares", type=amount, nargs="+", metavar="X", help="cin, adain: how much of each of several styles"
    )
    group.add_argument("--weights", type=Path, metavar="FILE", help="a network of yours, made by `stylelearn train`")
    group.add_argument(
        "--alpha",
        type=named_numbers,
        metavar="LAYER=X,…",
        help="adjustable: how much the style counts in a layer, 0 to 1 (default: 1 for each that is not named)",
    )
    group.add_argument(
        "--practice",
        type=whole(0, 1000),
        metavar="N",
        help="adjustable: look at the style for N steps first, some seconds for 60, to paint it better (default: 0)",
    )


def _add_swap(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("patches (style-swap)")
    group.add_argument("--patch", type=whole(1), metavar="N", help="side of a patch in cells of 4 px (default: 3)")
    group.add_argument("--stride", type=whole(1), metavar="N", help="cells from patch to patch (default: 1)")
    group.add_argument(
        "--optimize", action="store_true", default=None, help="move the pixels instead of asking the network"
    )


def _add_photo(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("photographs (photo)")
    group.add_argument(
        "--content-mask", metavar="F", help="label image of CONTENT, one colour a region; or a name that has one: china"
    )
    group.add_argument("--style-mask", metavar="F", help="of STYLE; equal colours, or names, are the same region")
    group.add_argument(
        "--regions", type=whole(1, 12), metavar="N", help="without masks: clusters of both (default: 4; 1: none)"
    )
    group.add_argument(
        "--lambda",
        type=amount,
        metavar="X",
        help="weight of photorealism; 1: paints, 1e8: hardly changes (default: 1e4)",
    )
    group.add_argument(
        "--smooth", type=whole(0, 64), metavar="N", help="radius in pixels of the last smoothing (default: 3; 0: none)"
    )


def _add_gatys(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("optimised pixels (gatys, photo, style-swap --optimize)")
    group.add_argument(
        "--steps",
        type=whole(1),
        metavar="N",
        help="(default: 300, photo: 120, style-swap: 100); Ctrl-C keeps the best so far",
    )
    group.add_argument("--start", choices=("content", "noise", "style"), help="(default: content)")
    group.add_argument("--levels", type=whole(1, 4), metavar="N", help="2 or 3: begin small, for larger structures")
    group.add_argument("--seed", type=whole(0), help="of --start noise (default: 0)")
    group.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        help="bfloat16: faster on a GPU or a processor with AMX or AVX512-BF16, less exact (default: float32)",
    )
    group.add_argument(
        "--encoder", choices=ENCODERS, help="mini ships with the course (default); also for adain, style-swap"
    )
    group.add_argument(
        "--encoder-weights",
        type=Path,
        metavar="FILE",
        help="a checkpoint instead of the default one; also for adain, style-swap",
    )


def run(options: argparse.Namespace) -> int:
    """Read, paint, write."""
    check(options)
    _check_out(options)
    import torch

    from stylelearn.images import ImageError
    from stylelearn.weights import WeightsError

    exact = f"--method {options.method}" if options.method in ("photo", "style-swap") else ""
    device = chosen_device(options.device, exact or ("--keep-colours" if options.keep_colours else ""))
    torch.manual_seed(options.seed or 0)
    try:
        content = picture(options.content, options.size).to(device)
        painted = painter(options.method)(options, content)
    except (ImageError, WeightsError, ValueError, FileNotFoundError) as error:
        raise UsageError(error) from error
    _write(options, painted)
    if painted.failed:
        raise CommandError(painted.says)
    print(painted.says)
    return STOPPED if painted.stopped else DONE


def _check_out(options: argparse.Namespace) -> None:
    """Before the work and not after it."""
    out, suffixes = options.out.expanduser(), (".jpg", ".jpeg", ".png", ".webp")
    if out.suffix.lower() not in suffixes:
        raise UsageError(f"OUT is '{out}', but must end in .jpg, .png or .webp")
    if not out.parent.is_dir():
        raise UsageError(f"the folder '{out.parent}' does not exist; create it first")
    if out.is_dir() or not os.access(out if out.exists() else out.parent, os.W_OK):
        raise UsageError(f"'{out}' cannot be written; choose another name or check its permissions")
    for name in (options.content, *options.pictures):
        if "://" not in name and out.exists() and Path(name).exists() and out.samefile(name):
            raise UsageError(f"OUT is '{out}', which would overwrite the picture to be read; choose another name")


def _write(options: argparse.Namespace, painted: "Painted") -> None:
    import torch

    from stylelearn import __version__
    from stylelearn.images import ImageError, write_image

    settings = {
        # A picture may be shown to others: names of files, not where they lie.
        "content": short(options.content),
        "method": options.method,
        "size": options.size,
        "keep_colours": options.keep_colours,
        "device": options.device,
        **painted.settings,
        "stylelearn": __version__,
        "torch": torch.__version__,
    }
    try:
        write_image(painted.image.cpu(), options.out, settings=settings)
    except ImageError as error:
        raise CommandError(error) from error
