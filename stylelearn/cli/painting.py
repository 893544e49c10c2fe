"""How the networks that paint are trained from the command line: options of their own, and how each begins."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylelearn.cli import sheets
from stylelearn.cli.inputs import picture
from stylelearn.cli.parsing import UsageError, amount, whole

if TYPE_CHECKING:
    from stylelearn.training import Progress


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


def add_johnson(parser: argparse.ArgumentParser) -> None:
    """Options of one network for one style."""
    parser.add_argument("--style", required=True, metavar="STYLE", help="a picture, or the name of one of the course's")
    parser.add_argument(
        "--norm", choices=("instance", "batch"), default="instance", help="batch is the paper's (default: instance)"
    )
    _add_transformation(parser)


def add_cin(parser: argparse.ArgumentParser) -> None:
    """Options of one network for many styles."""
    parser.add_argument(
        "--styles", required=True, nargs="+", metavar="STYLE", help="two or more pictures, or names of the course's"
    )
    _add_transformation(parser)


def add_adain(parser: argparse.ArgumentParser) -> None:
    """Options of a decoder for any style."""
    parser.add_argument(
        "--styles", type=Path, required=True, nargs="+", metavar="DIR", help="folders of paintings and textures"
    )
    parser.add_argument("--layer", metavar="NAME", help="of the encoder, where the styles meet (default: relu4_1)")
    _add_losses(parser, "style", "tv")


def add_inverse(parser: argparse.ArgumentParser) -> None:
    """Options of the inverse network of style swap."""
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


def add_adjustable(parser: argparse.ArgumentParser) -> None:
    """Options of a network with a slider for each layer."""
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


def start_johnson(options: argparse.Namespace, run: dict[str, Any]) -> "Iterator[Progress]":
    """Begin to train one network for one style."""
    from stylelearn.johnson import train_johnson

    style = picture(options.style, options.style_size)
    return train_johnson(
        options.photos,
        style,
        name=_name(options.style),
        norm=options.norm,
        sheet=sheets.johnson,
        **_common(options),
        **_widths(options),
        **run,
    )


def start_cin(options: argparse.Namespace, run: dict[str, Any]) -> "Iterator[Progress]":
    """Begin to train one network for many styles."""
    from stylelearn.cin import train_cin

    names = [_name(style) for style in options.styles]
    if len(names) < 2:
        raise UsageError(f"--styles names one style, {names[0]}; name two or more, or train johnson with --style")
    if len(set(names)) < len(names):
        raise UsageError(f"--styles are called {', '.join(names)}; each must have a name of its own: rename a file")
    styles = {name: picture(style, options.style_size) for name, style in zip(names, options.styles, strict=True)}
    return train_cin(
        options.photos,
        styles,
        sheet=sheets.cin,
        **_common(options),
        **_widths(options),
        **run,
    )


def start_adain(options: argparse.Namespace, run: dict[str, Any]) -> "Iterator[Progress]":
    """Begin to train a decoder for any style."""
    from stylelearn.adain import train_adain

    return train_adain(
        options.photos,
        options.styles,
        sheet=sheets.any_style,
        **_common(options),
        **_given(options, "layer"),
        **run,
    )


def start_inverse(options: argparse.Namespace, run: dict[str, Any]) -> "Iterator[Progress]":
    """Begin to train the inverse network of style swap."""
    from stylelearn.style_swap import train_inverse

    return train_inverse(
        options.photos,
        options.styles,
        sheet=sheets.any_style,
        **_common(options, swapped=not options.pictures_only),
        **_given(options, "layer", "norm", "upsampling"),
        **run,
    )


def start_adjustable(options: argparse.Namespace, run: dict[str, Any]) -> "Iterator[Progress]":
    """Begin to train a network with a slider for each layer."""
    from stylelearn.adjustable import train_adjustable

    if bool(options.styles) == bool(options.style):
        raise UsageError("say --styles DIR … for a network of any style, or --style PICTURE for a network of one")
    return train_adjustable(
        options.photos,
        options.styles or picture(options.style, options.style_size),
        network=_given(options, "style_layers", "content_layers"),
        sheet=sheets.adjustable,
        **_common(options),
        **run,
    )


def _common(options: argparse.Namespace, **weights: Any) -> dict[str, Any]:
    """What all of them take: the file, the encoder of the losses, their weights, what to begin from."""
    from stylelearn.encoders import Encoder

    return {
        "out": options.out,
        "encoder": Encoder(options.encoder, weights=options.encoder_weights),
        "weights": _given(options, "style_weight", "content_weight", "tv_weight") | weights,
        **_given(options, "start"),
    }


def _given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """What was said on the command line; for the rest the functions know what is usual."""
    return {name: value for name in names if (value := getattr(options, name, None)) is not None}


def _widths(options: argparse.Namespace) -> dict[str, Any]:
    from stylelearn.networks.transformation import PAPER_WIDTHS

    return ({"widths": PAPER_WIDTHS, "noise": ()} if options.paper else {}) | _given(options, "widths")


def _name(style: str) -> str:
    """What a style is called: a file's or an address's name without its suffix, or the course's own name for it."""
    return Path(style).stem
