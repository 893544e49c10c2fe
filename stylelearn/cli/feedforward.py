"""`stylelearn stylize --method johnson|cin|adain|style-swap|adjustable`: one pass of a trained network.

A photo of any size will do: above `tiling.LARGE` pixels the networks go over it band by band.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylelearn.cli.inputs import did_you_mean, picture, short
from stylelearn.cli.methods import Painted
from stylelearn.cli.parsing import UsageError, span

if TYPE_CHECKING:
    from torch import Tensor

    from stylelearn.adain import AdaIN
    from stylelearn.encoders import Encoder
    from stylelearn.networks.conditioning import AdjustableNet
    from stylelearn.style_swap import StyleSwap

ROWS = 256  # that are recoloured at once: what a whole photo takes five times would not fit everywhere


def johnson(options: argparse.Namespace, content: "Tensor") -> Painted:
    """The network of one style.

    Raises:
        UsageError, WeightsError: no such style, no such file. ValueError: too small a picture. The others likewise.
    """
    from stylelearn import johnson

    styles = options.style or []
    if bool(styles) == bool(options.weights):
        raise UsageError(f"say which style: --style NAME or --weights FILE; {_there(johnson.styles(), 'johnson')}")
    if len(styles) > 1:
        raise UsageError(
            f"--style names {', '.join(styles)}, but --method johnson paints one style; --method cin mixes"
        )
    if styles and styles[0] not in johnson.styles():
        raise UsageError(_unknown(styles[0], johnson.styles(), "johnson"))
    network = johnson.load(_file(options) or styles[0]).to(content.device)
    style = styles[0] if styles else network.about.get("style", options.weights.stem)
    return _painted(options, content, network, {"style": style})


def cin(options: argparse.Namespace, content: "Tensor") -> Painted:
    """One of the styles of a network, or several mixed."""
    from stylelearn import cin

    network = cin.load(_file(options) or _default("cin")).to(content.device)
    styles = options.style or []
    if not styles:
        raise UsageError(f"say which style: --style NAME, or several; this network knows {', '.join(network.styles)}")
    if len(set(styles)) < len(styles):
        raise UsageError(f"--style names {', '.join(styles)}; name each style once, and say how much with --shares")
    for style in styles:
        if style not in network.styles:
            raise UsageError(_unknown(style, network.styles, "cin"))
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


def style_swap(options: argparse.Namespace, content: "Tensor") -> Painted:
    """The style of any picture, patch by patch; with --optimize the pixels are moved instead."""
    from stylelearn.cli import optimising

    if options.optimize:
        return optimising.style_swap(options, content)
    network = swapping(options).to(content.device)
    how = {name: getattr(options, name) for name in ("patch", "stride", "strength")}
    style = picture(options.pictures[0], options.size).to(content.device)
    settings = {"style": short(options.pictures[0]), **how, "encoder": network.encoder.name, "layer": network.layer}
    return _painted(options, content, lambda x: network(x, style, **how), settings)


def adjustable(options: argparse.Namespace, content: "Tensor") -> Painted:
    """The style of any picture, with a weight for each layer."""
    from stylelearn import adjustable

    network = adjustable.load(_file(options) or _default("adjustable")).to(content.device)
    any_style = network.about["any_style"]
    if any_style and not options.pictures:
        raise UsageError(
            "a style is missing: stylize CONTENT STYLE -o OUT, where STYLE is a picture (--method adjustable)"
        )
    if options.pictures and not any_style:
        raise UsageError(f"the style of {options.weights.name} is in its weights; leave '{options.pictures[0]}' out")
    if options.practice and not any_style:
        raise UsageError(f"--practice is for paintings, and {options.weights.name} knows one style only; leave it out")
    alphas = network.alphas(options.alpha)
    known, settings = None, {"alpha": {name: options.alpha.get(name, 1.0) for name in network.adjustable}}
    if any_style:
        known, done = _practised(network, picture(options.pictures[0], options.size).to(content.device), options)
        settings = {"style": short(options.pictures[0])} | settings | ({"practice": done} if done else {})
    return _painted(options, content, lambda x: network(x, known, alphas), settings)


def _practised(network: "AdjustableNet", style: "Tensor", options: argparse.Namespace) -> "tuple[Tensor, int]":
    """What the network is told of the style, and after how many steps of practice; Ctrl-C ends it early."""
    from tqdm import tqdm

    from stylelearn.practice import practise

    known, done = network.style(style), 0
    if not options.practice:
        return known, done
    steps = practise(network, style, steps=options.practice)
    form = "practising {n_fmt}/{total_fmt} |{bar}| {elapsed}, {remaining} left{postfix}"
    with tqdm(steps, total=options.practice, bar_format=form, mininterval=0.2) as bar:
        try:
            for loss, found in bar:
                known, done = found, done + 1
                bar.set_postfix_str(f"loss {loss:.4g}", refresh=False)
        except KeyboardInterrupt:
            pass  # each step leaves something that can be painted with
    return known, done


PAINT = {"johnson": johnson, "cin": cin, "adain": adain, "style-swap": style_swap, "adjustable": adjustable}


def _adain(options: argparse.Namespace) -> "AdaIN":
    from stylelearn import adain

    name = _file(options) or _default("adain")
    return adain.load(name, encoder=_encoder(options, "adain", name))


def swapping(options: argparse.Namespace) -> "StyleSwap":
    """The network that --method style-swap paints with."""
    from stylelearn import style_swap

    name = _file(options) or _default("style_swap")
    return style_swap.load(name, encoder=_encoder(options, "style_swap", name))


def _encoder(options: argparse.Namespace, kind: str, name: str | Path) -> "Encoder | None":
    """The one that was asked for; None for that of the network's file."""
    from stylelearn.encoders import Encoder
    from stylelearn.weights import network_file, read_about

    if not (options.encoder or options.encoder_weights):
        return None
    own = options.encoder or read_about(network_file(kind, name)).get("encoder", "mini")
    return Encoder(own, weights=options.encoder_weights)


def _file(options: argparse.Namespace) -> Path | None:
    if options.weights is not None and not options.weights.is_file():
        raise UsageError(f"--weights is '{options.weights}': no file of that name; {_train(options.method)}")
    return options.weights


def _default(method: str) -> str:
    """The name of the network that ships, if it is there."""
    from stylelearn.weights import shipped

    if method not in shipped(method):
        raise UsageError(f"the course's weights of {method} are not there: {_again(method)}")
    return method


def _again(method: str) -> str:
    return (
        "get them back with `git checkout -- data/weights`, or clone or install stylelearn again; or "
        f"{_train(method)}, and say --weights FILE"
    )


def _train(method: str) -> str:
    from stylelearn.weights import TRAINED_AS

    return f"`stylelearn train {TRAINED_AS.get(method.replace('-', '_'), method)}` makes one"


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

    from stylelearn.networks import tiling

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
