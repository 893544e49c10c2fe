"""What `stylelearn train` can train: one entry for each network, with the options of its own and how it begins.

Options that all networks share are in `train.py`.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylelearn.cli import glyphs, painting
from stylelearn.cli.parsing import UsageError

if TYPE_CHECKING:
    from stylelearn.training import Progress


@dataclass(frozen=True)
class Network:
    """What can be trained.

    Args:
        help, description: for --help.
        usual: steps, batch (pictures a step) and size (of crops, pixels), where nothing else is asked for.
        smallest: --size and --batch.
        add: adds the options of its own.
        start: begins the training, given the options and what is handed on to `fit`.
        paper: what --paper changes in `usual`; None where there is no --paper.
        several: whether it can be trained by several processes, with sample sheets.
        photos: whether it learns from folders of photographs, with crops of a size.
    """

    help: str
    description: str
    usual: dict[str, Any]
    add: Callable[[argparse.ArgumentParser], None]
    start: Callable[[argparse.Namespace, dict[str, Any]], "Iterator[Progress]"]
    smallest: tuple[int, int] = (32, 1)
    paper: dict[str, Any] | None = None
    several: bool = True
    photos: bool = True


# --------------------------------------------------------------------------- the encoder


def _add_encoder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--styles", type=Path, nargs="*", default=[], metavar="DIR", help="folders of paintings")
    parser.add_argument(
        "--teacher",
        default="squeezenet",
        metavar="NAME",
        help="squeezenet or vgg19 (downloaded), or the FILE of such a checkpoint (default: squeezenet)",
    )


def _start_encoder(options: argparse.Namespace, run: dict[str, Any]) -> "Iterator[Progress]":
    from stylelearn.networks.distillation import train_mini

    teacher, weights = find_teacher(options.teacher)
    return train_mini(
        options.photos,
        options.styles,
        out=options.out,
        teacher=teacher,
        teacher_weights=weights,
        **run,
    )


def find_teacher(name: str) -> tuple[str, Path | None]:
    """("squeezenet" or "vgg19", the file of its weights or None for a download); a file is known by its keys.

    Raises:
        UsageError: neither a teacher nor a file.
        WeightsError: a file that cannot be read.
    """
    if name in ("squeezenet", "vgg19"):
        return name, None
    from stylelearn.weights import read_weights

    if not Path(name).is_file():
        raise UsageError(
            f"--teacher is '{name}': no file of that name; use squeezenet, vgg19, or the path of a checkpoint"
        )
    keys = set(read_weights(name))
    if "features.3.squeeze.weight" in keys and "classifier.1.weight" in keys:
        return "squeezenet", Path(name)
    if "features.34.weight" in keys and "features.35.weight" not in keys:
        return "vgg19", Path(name)
    some = ", ".join(sorted(keys)[:2])
    raise UsageError(f"'{name}' is no checkpoint of squeezenet1_0 or vgg19: its {len(keys)} keys begin with {some}")


NETWORKS = {
    "encoder": Network(
        help="mini, the encoder that ships with the course",
        description="Distil mini from a larger network.",
        usual={"steps": 8000, "batch": 16, "size": 128},
        add=_add_encoder,
        start=_start_encoder,
        smallest=(64, 2),
        several=False,
    ),
    "johnson": Network(
        help="a network that paints in one style (lesson 03)",
        description="Train a network that paints any photo in one style (Johnson et al. 2016).",
        usual={"steps": 4000, "batch": 4, "size": 160},
        add=painting.add_johnson,
        start=painting.start_johnson,
        paper={"steps": 40000, "batch": 4, "size": 256},
    ),
    "cin": Network(
        help="a network that paints in many styles (lesson 04)",
        description="Train one network for many styles (Dumoulin et al. 2017).",
        usual={"steps": 8000, "batch": 8, "size": 160},
        add=painting.add_cin,
        start=painting.start_cin,
        paper={"steps": 40000, "batch": 16, "size": 256},
    ),
    "adain": Network(
        help="a decoder that paints in any style (lesson 05)",
        description="Train the decoder that paints any photo in the style of any picture (Huang & Belongie 2017).",
        usual={"steps": 8000, "batch": 8, "size": 128},
        add=painting.add_adain,
        start=painting.start_adain,
    ),
    "adjustable": Network(
        help="a network with a slider for each layer (lesson 08)",
        description="Train a network that paints in any style, or in one, with a weight for each layer that is chosen "
        "afterwards (Babaeizadeh & Ghiasi 2018).",
        usual={"steps": 8000, "batch": 8, "size": 128},
        add=painting.add_adjustable,
        start=painting.start_adjustable,
    ),
    "inverse": Network(
        help="a network that paints from swapped patches (lesson 06)",
        description="Train the inverse network of style swap, which paints from activations (Chen & Schmidt 2016).",
        usual={"steps": 4000, "batch": 4, "size": 96},
        add=painting.add_inverse,
        start=painting.start_inverse,
    ),
    "emd": Network(
        help="a network that draws letters in the style of a few others (lesson 09)",
        description="Train a network that separates style and content of letters (Zhang et al. 2018).",
        usual={"steps": 3000, "batch": 32, "learning_rate": 2e-3, "warm_up": 100},
        add=glyphs.add_emd,
        start=glyphs.start_emd,
        paper={"batch": glyphs.PAPER_BATCH, "learning_rate": 2e-4},
        photos=False,
    ),
    "zi2zi": Network(
        help="what emd is measured against (lesson 09)",
        description="Train a network for letters that learns a list of numbers for each font (Tian 2017).",
        usual={"steps": 3000, "batch": 32, "learning_rate": 2e-3, "warm_up": 100},
        add=glyphs.add_fonts,
        start=glyphs.start_zi2zi,
        paper={"batch": glyphs.PAPER_BATCH, "learning_rate": 2e-4},
        several=False,
        photos=False,
    ),
}
