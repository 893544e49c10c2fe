"""What `stylelearn train` can train: one entry for each network, with the options of its own and how it begins.

Options that all networks share are in `train.py`.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylelearn.cli.parsing import Wrong, amount, whole
from stylelearn.cli.stylize import picture

if TYPE_CHECKING:
    from torch import Tensor, nn

    from stylelearn.encoders import Encoder
    from stylelearn.training import Progress

PAPER_WIDTHS = (32, 64, 128)
SHEET_SIZE = 192  # pixels of a side of each picture on a sample sheet


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
    """

    help: str
    description: str
    usual: dict[str, Any]
    add: Callable[[argparse.ArgumentParser], None]
    start: Callable[[argparse.Namespace, dict[str, Any]], "Iterator[Progress]"]
    smallest: tuple[int, int] = (32, 1)
    paper: dict[str, Any] | None = None
    several: bool = True


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
    from stylelearn.mini import train_mini

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
        Wrong: neither a teacher nor a file.
        WeightsError: a file that cannot be read.
    """
    if name in ("squeezenet", "vgg19"):
        return name, None
    from stylelearn.weights import read_weights

    if not Path(name).is_file():
        raise Wrong(f"--teacher is '{name}': no file of that name; use squeezenet, vgg19, or the path of a checkpoint")
    keys = set(read_weights(name))
    if "features.3.squeeze.weight" in keys and "classifier.1.weight" in keys:
        return "squeezenet", Path(name)
    if "features.34.weight" in keys and "features.35.weight" not in keys:
        return "vgg19", Path(name)
    some = ", ".join(sorted(keys)[:2])
    raise Wrong(f"'{name}' is no checkpoint of squeezenet1_0 or vgg19: its {len(keys)} keys begin with {some}")


# --------------------------------------------------------------------------- feed-forward networks


def _add_losses(parser: argparse.ArgumentParser, *weights: str) -> None:
    parser.add_argument(
        "--encoder", choices=("mini", "vgg16", "vgg19"), default="mini", help="what measures the losses (default: mini)"
    )
    parser.add_argument("--encoder-weights", type=Path, metavar="FILE", help="a checkpoint instead of the default one")
    for name in weights:
        parser.add_argument(f"--{name}-weight", type=amount, metavar="X", help="(default: the course's)")
    _add_start(parser)


def _add_start(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--start", type=Path, metavar="FILE", help="begin with these weights, not with random ones")


def _add_transformation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--style-size", type=whole(16, 2048), default=256, help="shorter side of the style in pixels (default: 256)"
    )
    parser.add_argument(
        "--widths", type=whole(1, 512), nargs=3, metavar="N", help="channels (default: half of the paper's)"
    )
    parser.add_argument(
        "--paper",
        action="store_true",
        help="the paper's widths, size, batch and steps, where you say nothing else, and no noise",
    )
    _add_losses(parser, "style", "content", "tv")


def _add_johnson(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--style", required=True, metavar="STYLE", help="a picture, or the name of one of the course's")
    parser.add_argument(
        "--norm", choices=("instance", "batch"), default="instance", help="batch is the paper's (default: instance)"
    )
    _add_transformation(parser)


def _add_cin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--styles", required=True, nargs="+", metavar="STYLE", help="two or more pictures, or names of the course's"
    )
    _add_transformation(parser)


def _add_adain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--styles", type=Path, required=True, nargs="+", metavar="DIR", help="folders of paintings and textures"
    )
    parser.add_argument("--layer", metavar="NAME", help="of the encoder, where the styles meet (default: relu4_1)")
    _add_losses(parser, "style", "tv")


def _add_inverse(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--styles", type=Path, required=True, nargs="+", metavar="DIR", help="folders of paintings and textures"
    )
    parser.add_argument("--layer", metavar="NAME", help="of the encoder, to be turned back (default: relu3_1)")
    parser.add_argument(
        "--norm", choices=("none", "instance"), default="none", help="instance is the paper's (default: none)"
    )
    parser.add_argument(
        "--upsampling",
        choices=("nearest", "transposed"),
        default="nearest",
        help="transposed convolutions are the paper's (default: nearest)",
    )
    parser.add_argument(
        "--pictures-only", action="store_true", help="without swapped activations: the paper's ablation"
    )
    _add_losses(parser, "tv")


def _add_adjustable(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--styles", type=Path, nargs="+", default=[], metavar="DIR", help="folders of paintings and textures"
    )
    parser.add_argument(
        "--style", metavar="STYLE", help="instead, for a network of one style: a picture, or the name of the course's"
    )
    parser.add_argument(
        "--style-size", type=whole(16, 2048), default=256, help="shorter side of that one in pixels (default: 256)"
    )
    for kind in ("style", "content"):
        parser.add_argument(f"--{kind}-layers", nargs="+", metavar="NAME", help="of the encoder, each with an α")
    _add_losses(parser, "style", "tv")


def _start_johnson(options: argparse.Namespace, run: dict[str, Any]) -> "Iterator[Progress]":
    from stylelearn.johnson import train_johnson

    style = picture(options.style, options.style_size)
    return train_johnson(
        options.photos,
        style,
        out=options.out,
        name=_name(options.style),
        encoder=_encoder(options),
        norm=options.norm,
        weights=_weights(options),
        sheet=_johnson_sheet,
        **_given(options, "start"),
        **_widths(options),
        **run,
    )


def _start_cin(options: argparse.Namespace, run: dict[str, Any]) -> "Iterator[Progress]":
    from stylelearn.cin import train_cin

    names = [_name(style) for style in options.styles]
    if len(names) < 2:
        raise Wrong(f"--styles names one style, {names[0]}; name two or more, or train johnson with --style")
    if len(set(names)) < len(names):
        raise Wrong(f"--styles are called {', '.join(names)}; each must have a name of its own: rename a file")
    styles = {name: picture(style, options.style_size) for name, style in zip(names, options.styles, strict=True)}
    return train_cin(
        options.photos,
        styles,
        out=options.out,
        encoder=_encoder(options),
        weights=_weights(options),
        sheet=_cin_sheet,
        **_given(options, "start"),
        **_widths(options),
        **run,
    )


def _start_adain(options: argparse.Namespace, run: dict[str, Any]) -> "Iterator[Progress]":
    from stylelearn.adain import train_adain

    return train_adain(
        options.photos,
        options.styles,
        out=options.out,
        encoder=_encoder(options),
        weights=_weights(options),
        sheet=_any_style_sheet,
        **_given(options, "start", "layer"),
        **run,
    )


def _start_inverse(options: argparse.Namespace, run: dict[str, Any]) -> "Iterator[Progress]":
    from stylelearn.style_swap import train_inverse

    return train_inverse(
        options.photos,
        options.styles,
        out=options.out,
        encoder=_encoder(options),
        weights={**_weights(options), "swapped": not options.pictures_only},
        sheet=_any_style_sheet,
        **_given(options, "start", "layer", "norm", "upsampling"),
        **run,
    )


def _start_adjustable(options: argparse.Namespace, run: dict[str, Any]) -> "Iterator[Progress]":
    from stylelearn.adjustable import train_adjustable

    if bool(options.styles) == bool(options.style):
        raise Wrong("say --styles DIR … for a network of any style, or --style PICTURE for a network of one")
    return train_adjustable(
        options.photos,
        options.styles or picture(options.style, options.style_size),
        out=options.out,
        encoder=_encoder(options),
        network=_given(options, "style_layers", "content_layers"),
        weights=_weights(options),
        sheet=_adjustable_sheet,
        **_given(options, "start"),
        **run,
    )


def _given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """What was said on the command line; for the rest the functions know what is usual."""
    return {name: value for name in names if (value := getattr(options, name, None)) is not None}


def _weights(options: argparse.Namespace) -> dict[str, float]:
    return _given(options, "style_weight", "content_weight", "tv_weight")


def _widths(options: argparse.Namespace) -> dict[str, Any]:
    return ({"widths": PAPER_WIDTHS, "noise": ()} if options.paper else {}) | _given(options, "widths")


def _name(style: str) -> str:
    """What a style is called: a file's or an address's name without its suffix, or the course's own name for it."""
    return Path(style).stem


def _encoder(options: argparse.Namespace) -> "Encoder":
    from stylelearn.encoders import Encoder

    return Encoder(options.encoder, weights=options.encoder_weights)


# --------------------------------------------------------------------------- sample sheets


def _contents(model: "nn.Module") -> "Tensor":
    """Two of the course's photographs, (2, 3, SHEET_SIZE, SHEET_SIZE), where the model is."""
    import torch

    where = next(model.parameters()).device
    return torch.cat([_square(picture(name, SHEET_SIZE)) for name in ("chelsea", "coffee")]).to(where)


def _square(image: "Tensor") -> "Tensor":
    top, left = ((side - SHEET_SIZE) // 2 for side in image.shape[2:])
    return image[..., top : top + SHEET_SIZE, left : left + SHEET_SIZE]


def _sheet(rows: "list[Tensor]") -> "Tensor":
    """Each row (K, 3, H, W), one below the other: (1, 3, rows · H, K · W)."""
    import torch

    return torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)[None]


def _johnson_sheet(model: "nn.Module") -> "Tensor":
    contents = _contents(model)
    return _sheet([contents, model.network(contents)])


def _cin_sheet(model: "nn.Module") -> "Tensor":
    """Photographs above, and a row for each of the first six styles."""
    contents, network = _contents(model), model.network
    return _sheet([contents, *(network(contents, network.mix(name)) for name in network.styles[:6])])


def _any_style_sheet(model: "nn.Module") -> "Tensor":
    """Photographs above, and a row for each of three of the course's styles (which training may never have seen)."""
    from stylelearn.samples import style_names

    contents = _contents(model)
    styles = [_square(picture(name, SHEET_SIZE)).to(contents) for name in style_names()[::5][:3]]
    return _sheet([contents, *(model.network(contents, style) for style in styles)])


def _adjustable_sheet(model: "nn.Module") -> "Tensor":
    """Photographs above, then a row without any style, one for each α alone, and one with all."""
    import torch

    from stylelearn.samples import style_names

    contents, network = _contents(model), model.network
    style = _square(picture(style_names()[0], SHEET_SIZE)).to(contents)
    known = network.style(style) if network.about["any_style"] else None
    count = len(network.adjustable)
    settings = [torch.zeros(count), *torch.eye(count), torch.ones(count)]
    return _sheet([contents, *(network(contents, known, one[None].to(contents)) for one in settings)])


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
        add=_add_johnson,
        start=_start_johnson,
        paper={"steps": 40000, "batch": 4, "size": 256},
    ),
    "cin": Network(
        help="a network that paints in many styles (lesson 04)",
        description="Train one network for many styles (Dumoulin et al. 2017).",
        usual={"steps": 8000, "batch": 8, "size": 160},
        add=_add_cin,
        start=_start_cin,
        paper={"steps": 40000, "batch": 16, "size": 256},
    ),
    "adain": Network(
        help="a decoder that paints in any style (lesson 05)",
        description="Train the decoder that paints any photo in the style of any picture (Huang & Belongie 2017).",
        usual={"steps": 8000, "batch": 8, "size": 128},
        add=_add_adain,
        start=_start_adain,
    ),
    "adjustable": Network(
        help="a network with a slider for each layer (lesson 08)",
        description="Train a network that paints in any style, or in one, with a weight for each layer that is chosen "
        "afterwards (Babaeizadeh & Ghiasi 2018).",
        usual={"steps": 8000, "batch": 8, "size": 128},
        add=_add_adjustable,
        start=_start_adjustable,
    ),
    "inverse": Network(
        help="a network that paints from swapped patches (lesson 06)",
        description="Train the inverse network of style swap, which paints from activations (Chen & Schmidt 2016).",
        usual={"steps": 4000, "batch": 4, "size": 96},
        add=_add_inverse,
        start=_start_inverse,
    ),
}
