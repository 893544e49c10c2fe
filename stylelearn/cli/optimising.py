"""`stylelearn stylize --method gatys`, or style-swap --optimize: the pixels are optimised, with a progress bar."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylelearn.cli.inputs import picture, short
from stylelearn.cli.methods import Painted
from stylelearn.cli.parsing import UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from stylelearn.encoders import Encoder
    from stylelearn.optimize import Step

# SqueezeNet has layers of its own; the others share VGG's names, for which gatys.py has defaults.
LAYERS: dict[str, dict[str, Any]] = {
    "squeezenet": {"layer_weights": ("relu1", "fire2", "fire4", "fire8"), "content_layer": "fire5"}
}


def gatys(options: argparse.Namespace, content: "Tensor") -> Painted:
    """Optimise the pixels; Ctrl-C keeps the best picture so far.

    Raises:
        UsageError, WeightsError, ImageError, ValueError: no such style or encoder, or too small a picture.
        KeyboardInterrupt: before the first step.
    """
    from stylelearn import gatys

    name = options.pictures[0]
    style = picture(name, options.size).to(content.device)
    settings = {
        "style": short(name),
        **{each: getattr(options, each) for each in ("encoder", "precision", "strength", "steps", "start", "levels")},
        "seed": options.seed,
        "content_weight": gatys.CONTENT_WEIGHT,
        "style_weight": gatys.STYLE_WEIGHT * options.strength,
    }
    return painted(options, content, _steps(options, content, style), settings)


def painted(
    options: argparse.Namespace, content: "Tensor", steps: "Iterator[Step]", settings: dict[str, Any]
) -> Painted:
    """Make the steps, and say how it ended.

    Raises:
        UsageError: what the objective refuses. KeyboardInterrupt: before the first step.
    """
    from stylelearn.colour import keep_colours
    from stylelearn.images import resize

    best, reached, ending = _watch(steps, options.steps)
    if best is None:
        raise KeyboardInterrupt
    if best.shape != content.shape:  # stopped at a coarse level
        best = resize(best, tuple(content.shape[2:]), fit="box")
    if options.keep_colours:
        best = keep_colours(best, content)
    settings = settings | reached
    if options.encoder_weights:
        settings["encoder_weights"] = Path(options.encoder_weights).name
    done = reached["steps_done"]
    if ending == "stopped":
        says = f"stopped after {done} of {options.steps} steps; the best picture so far is in {options.out}"
        return Painted(best, settings, says, stopped=True)
    if ending:
        return Painted(best, settings, f"{ending} It is in {options.out}.", failed=True)
    return Painted(best, settings, f"{options.out}: {done} steps, loss {reached['loss']:.4g}")


def style_swap(options: argparse.Namespace, content: "Tensor") -> Painted:
    """The same for the objective of style swap; arguments and errors as `gatys`."""
    from stylelearn import gatys, style_swap
    from stylelearn.encoders import Encoder
    from stylelearn.optimize import optimize_image

    style = picture(options.pictures[0], options.size).to(content.device)
    encoder = Encoder(options.encoder or "mini", weights=options.encoder_weights).to(content.device)
    how = {name: getattr(options, name) for name in ("patch", "stride", "strength")}
    objective = style_swap.objective(content, style, encoder=encoder, **how)
    start = gatys.start_image(options.start, content, style, options.seed)
    settings = {
        "style": short(options.pictures[0]),
        **how,
        **{"encoder": encoder.name, "layer": style_swap.LAYER, "tv_weight": style_swap.TV_WEIGHT},
        **{name: getattr(options, name) for name in ("optimize", "steps", "start", "seed")},
    }
    return painted(options, content, optimize_image(start, objective, options.steps), settings)


def encoder_of(options: argparse.Namespace) -> "Encoder":
    """The encoder that was asked for, on the CPU."""
    from stylelearn.encoders import Encoder

    return Encoder(options.encoder, weights=options.encoder_weights, precision=options.precision)


def _steps(options: argparse.Namespace, content: "Tensor", style: "Tensor") -> "Iterator[Step]":
    from stylelearn import gatys

    return gatys.stylize(
        content,
        style,
        encoder=encoder_of(options).to(content.device),
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
            raise UsageError(error) from error
    best = broken.image if broken else last and last.best_image
    done = broken.step if broken else last and last.number
    return best, {"steps_done": done, "loss": last and last.loss}, ending
