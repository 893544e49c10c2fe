"""`stylelearn stylize --method johnson|cin|adain`: one pass of a trained network.

A photo of any size will do: above `tiling.LARGE` pixels the networks go over it band by band.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylelearn.cli.inputs import did_you_mean, picture, short
from stylelearn.cli.methods import Painted
from stylelearn.cli.parsing import Wrong, span

if TYPE_CHECKING:
    from torch import Tensor

    from stylelearn.adain import AdaIN

ROWS = 256  # that are recoloured at once: what a whole photo takes five times would not fit everywhere


def johnson(options: argparse.Namespace, content: "Tensor") -> Painted:
    """The network of one style.

    Raises:
        Wrong, WeightsError: no such style, no such file. ValueError: too small a picture. The others likewise.
    """
    from stylelearn import johnson

    styles = options.style or []
    if bool(styles) == bool(options.weights):
        raise Wrong(f"say which style: --style NAME or --weights FILE; {_there(johnson.styles(), 'johnson')}")
    if len(styles) > 1:
        raise Wrong(f"--style names {', '.join(styles)}, but --method johnson paints one style; --method cin mixes")
    if styles and styles[0] not in johnson.styles():
        raise Wrong(_unknown(styles[0], johnson.styles(), "johnson"))
    network = johnson.load(_file(options) or styles[0]).to(content.device)
    style = styles[0] if styles else network.about.get("style", options.weights.stem)
    return _painted(options, content, network, {"style": style})


def cin(options: argparse.Namespace, content: "Tensor") -> Painted:
    """One of the styles of a network, or several mixed."""
    from stylelearn import cin

    network = cin.load(_file(options) or _default("cin")).to(content.device)
    styles = options.style or []
    if not styles:
        raise Wrong(f"say which style: --style NAME, or several; this network knows {', '.join(network.styles)}")
    if len(set(styles)) < len(styles):
        raise Wrong(f"--style names {', '.join(styles)}; name each style once, and say how much with --shares")
    for style in styles:
        if style not in network.styles:
            raise Wrong(_unknown(style, network.styles, "cin"))
    shares = options.shares or [1.0] * len(styles)
    mix = network.mix(dict(zip(styles, shares, strict=True)))
    return _painted(options, content, lambda x: network(x, mix), _styles(styles, shares))


def adain(options: argparse.Namespace, content: "Tensor") -> Painted:
    """The style of any picture, or of several mixed."""
    network = _adain(options).to(content.device)
    styles = [picture(name, options.size).to(content.device) for name in options.pictures]
    shares = options.shares or [1.0] * len(styles)

    def paint(x: "Tensor") -> "Tensor":
        return network(x, styles, strength=options.strength, shares=shares, colours=options.keep_colours)

    settings = _styles([short(name) for name in options.pictures], shares) | {"strength": options.strength}
    settings |= {"encoder": network.encoder.name, "layer": network.layer}
    return _painted(options, content, paint, settings, recolour=False)


PAINT = {"johnson": johnson, "cin": cin, "adain": adain}


def _adain(options: argparse.Namespace) -> "AdaIN":
    from stylelearn import adain
    from stylelearn.encoders import Encoder
    from stylelearn.weights import network_file, read_about

    name = _file(options) or _default("adain")
    encoder = None
    if options.encoder or options.encoder_weights:
        own = options.encoder or read_about(network_file("adain", name)).get("encoder", "mini")
        encoder = Encoder(own, weights=options.encoder_weights)
    return adain.load(name, encoder=encoder)


def _file(options: argparse.Namespace) -> Path | None:
    if options.weights is not None and not options.weights.is_file():
        raise Wrong(f"--weights is '{options.weights}': no file of that name; {_train(options.method)}")
    return options.weights


def _default(method: str) -> str:
    """The name of the network that ships, if it is there."""
    from stylelearn.weights import shipped

    if method not in shipped(method):
        raise Wrong(f"the course's weights of {method} are not there: {_again(method)}")
    return method


def _again(method: str) -> str:
    return (
        "get them back with `git checkout -- data/weights`, or clone or install stylelearn again; or "
        f"{_train(method)}, and say --weights FILE"
    )


def _train(method: str) -> str:
    return f"`stylelearn train {method}` makes one"


def _there(styles: list[str], method: str) -> str:
    if styles:
        return f"the course ships {', '.join(styles)}"
    return f"the course's weights of {method} are not there: {_again(method)}"


def _unknown(style: str, known: list[str], method: str) -> str:
    """Why a style is refused, and what is there instead."""
    if not known:
        return f"no network for the style '{style}': {_there(known, method)}"
    hint = f"{did_you_mean(style, known)} It knows" if did_you_mean(style, known) else "it knows"
    other = "for the style of any picture use --method adain"
    return f"--method {method} was not trained in the style '{style}'; {hint} {', '.join(known)}; {other}"


def _styles(names: list[str], shares: list[float]) -> dict[str, Any]:
    """For the file: one style's name, or the list of several with their shares, which add up to 1."""
    if len(names) == 1:
        return {"style": names[0]}
    return {"style": names, "shares": [round(share / sum(shares), 6) for share in shares]}


def _painted(
    options: argparse.Namespace,
    content: "Tensor",
    paint: Callable[["Tensor"], "Tensor"],
    settings: dict[str, Any],
    recolour: bool = True,
) -> Painted:
    import torch

    from stylelearn import tiling

    height, width = content.shape[2:]
    if height * width > tiling.LARGE:
        print(f"painting {width} × {height} pixels, band by band …", flush=True)
    begin = time.perf_counter()
    with torch.inference_mode():
        made = paint(content)
        if options.keep_colours and recolour:
            _recolour(made, content)
    seconds = time.perf_counter() - begin
    if options.weights:
        settings = settings | {"weights": options.weights.name}
    taken = f"{1000 * seconds:.0f} ms" if seconds < 1 else span(seconds)
    return Painted(made, settings, f"{options.out}: {width} × {height} pixels in {taken}")


def _recolour(made: "Tensor", content: "Tensor") -> None:
    """Give the pastiche the content's colours, in place and some rows at a time."""
    from stylelearn.colour import keep_colours

    for top in range(0, made.shape[2], ROWS):
        rows = slice(top, top + ROWS)
        made[:, :, rows] = keep_colours(made[:, :, rows], content[:, :, rows])
