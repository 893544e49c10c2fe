"""Run each method of the registry: a network that paints at once, or pixels that are optimised step by step.

    run("adain", "chelsea", "mosaic")          # (1, 3, 256, 256)

The course's networks are loaded once and kept.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stylelearn import adain, adjustable, cin, gatys, johnson, losses, photo, practice, samples, style_swap
from stylelearn.colour import keep_colours as recolour
from stylelearn.colour import match_colour
from stylelearn.encoders import STYLE_LAYERS, Encoder
from stylelearn.images import shown_name, square
from stylelearn.networks.coarse import coarse_to_fine
from stylelearn.optimize import Step, optimize_image, result
from stylelearn.registry import chosen, method_of
from stylelearn.segmentation import Masks, cluster, course_mask, read_mask
from stylelearn.weights import TRAINED_AS, WeightsError, network_file, read_about

SIZE = 256  # pixels a side
NOISE = 0.05  # standard deviation of the noise of `seed`
ROWS = 256  # recoloured at a time: the colour transform needs five times the memory of its picture
# SqueezeNet has its own layer names; the other encoders share VGG's.
LAYERS: dict[str, dict[str, Any]] = {
    "squeezenet": {"layer_weights": ("relu1", "fire2", "fire4", "fire8"), "content_layer": "fire5"}
}


def check(method: str, style: Tensor | str | None = None, weights: Path | None = None) -> None:
    """Raise ValueError for a method or a style that is not there, WeightsError where its network is missing."""
    known = known_styles(method, weights)
    if style is None or known is None or (isinstance(style, str) and style in known):
        return
    if not known:
        raise WeightsError(
            f"the course's networks of {method} are not there: get them back with `git checkout -- data/weights`, or "
            f"train one with `stylelearn train {method}` and say --weights FILE"
        )
    what = f"the style {style!r}" if isinstance(style, str) else "the style of any picture"
    near = difflib.get_close_matches(style, known, n=1) if isinstance(style, str) else []
    hint = f"did you mean '{near[0]}'? It knows" if near else "it knows"
    raise ValueError(
        f"{method} has not learnt {what}; {hint} {', '.join(known)}; for the style of any picture use adain"
    )


def known_styles(method: str, weights: Path | None = None) -> list[str] | None:
    """The styles that a method (or the network in the file `weights`) has learnt; None if it takes any picture."""
    method_of(method)
    if method == "johnson" and weights is None:
        return johnson.styles()
    return list(_network("cin", weights).styles) if method == "cin" else None


def count_styles(method: str) -> str:
    """The number of styles of a method, or of one network of it: "1", "14", "∞"."""
    if method == "johnson":
        return "1"
    known = known_styles(method)
    return "∞" if known is None else str(len(known))


# --- painting ---------------------------------------------------------------------------------------------------------


def pictures(content: Tensor | str, style: Tensor | str, size: int = SIZE) -> tuple[Tensor, Tensor]:
    """Both pictures as squares, (1, 3, size, size). Raises ValueError for names that the course does not have."""
    return square(_picture(content, "content"), size), square(_picture(style, "style"), size)


def _picture(image: Tensor | str, kind: str) -> Tensor:
    if not isinstance(image, str):
        return image
    return samples.content(image) if kind == "content" or image in samples.content_names() else samples.style(image)


def run(
    method: str,
    content: Tensor | str,
    style: Tensor | str,
    *,
    size: int | None = None,
    steps: int | None = None,
    seed: int = 0,
) -> Tensor:
    """The pastiche of one of `registry.METHODS` with its default options, (1, 3, H, W) in [0, 1].

    Args:
        content: a name of the course, or a picture (1, 3, H, W).
        style: likewise; johnson and cin need the name of a style that they have learnt (`known_styles`).
        size: side of the square that both pictures become; None: `SIZE` for names, and pictures as they are.
        steps: the greatest number of steps where pixels are optimised; None: `Method.steps`.
        seed: 0 adds no noise. Any other adds a little noise to the photograph (where pixels are optimised, to the
            picture at which they begin), for another pastiche.
    Raises:
        ValueError: an unknown method or name; a style that the method has not learnt; steps < 1.
        WeightsError: its network is missing. Diverged: the optimisation diverged (the error has the best picture).
    """
    check(method, style)
    if size is not None or isinstance(content, str):
        content = square(_picture(content, "content"), size or SIZE)
    if known_styles(method) is None and (size is not None or isinstance(style, str)):
        style = square(_picture(style, "style"), size or SIZE)
    painter = painter_of(method, style)
    if isinstance(painter, Optimised):
        return painter.end(result(painter.begin(content, style, allowed(method, steps), seed)), content)
    with torch.inference_mode():
        made = painter.paint(_noisy(content, seed), painter.encode(style))
    return made.clone()  # outside of inference mode, so that gradients through it are possible


def allowed(method: str, steps: int | None) -> int:
    """The method's own number of steps, or `steps` if that is less. Raises ValueError below 1."""
    own = method_of(method).steps
    if steps is not None and steps < 1:
        raise ValueError(f"steps must be at least 1; got {steps}")
    return own if steps is None else min(steps, own)


def _noisy(image: Tensor, seed: int) -> Tensor:
    return image if seed == 0 else adjustable.with_noise(image, NOISE, seed)


@dataclass(frozen=True)
class FeedForward:
    """A network that paints at once.

    Attributes:
        encode: style -> code; the whole cost of a new style.
        paint: (content, code) -> pastiche.
        learnt: whether styles are in the weights; then `encode` does nothing.
        facts: settings for the file beside the options.
        refine: style -> (loss, code) step by step, for a network that can be fine-tuned to a style.
    """

    encode: Callable[[Any], Any]
    paint: Callable[[Tensor, Any], Tensor]
    learnt: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    refine: Callable[[Tensor], Iterator[tuple[float, Any]]] | None = None


@dataclass(frozen=True)
class Optimised:
    """A method that optimises pixels.

    Attributes:
        encode: the part of `begin` that depends on the style alone, for timing.
        begin: (content, style, steps, seed) -> the steps; their targets are computed at once. A seed other than 0 adds
            a little noise to the picture at which the pixels begin.
        end: (best picture, content) -> pastiche.
        facts: as of `FeedForward`.
    """

    encode: Callable[[Tensor], Any]
    begin: Callable[[Tensor, Tensor, int, int], Iterator[Step]]
    end: Callable[[Tensor, Tensor], Tensor] = lambda image, content: image
    facts: Mapping[str, Any] = field(default_factory=dict)


def painter_of(
    method: str, style: Tensor | str | None = None, *, device: str = "cpu", keep_colours: bool = False, **options: Any
) -> FeedForward | Optimised:
    """A method with its network or encoder loaded.

    Args:
        style: its name, for methods with one network a style (johnson).
        device: of the computation.
        keep_colours: keep the content's colours: adain matches the style to them, the others keep only the luminance of
            the pastiche.
        options: of the method (`Method.options`).
    Raises:
        ValueError, WeightsError: as `check` and `chosen`.
    """
    asked = chosen(method, options)
    check(method, style, asked.get("weights"))
    if method == "adain":
        return _adain(asked, device, keep_colours)
    painter = _MAKERS[method]({**asked, "style": style} if method == "johnson" else asked, device)
    if not keep_colours:
        return painter
    if isinstance(painter, Optimised):
        return replace(painter, end=lambda image, content: _recoloured(painter.end(image, content), content))
    return replace(painter, paint=lambda content, kept: _recoloured(painter.paint(content, kept), content))


def _recoloured(made: Tensor, content: Tensor) -> Tensor:
    """The pastiche with the content's colours, `ROWS` at a time."""
    for top in range(0, made.shape[2], ROWS):
        rows = slice(top, top + ROWS)
        made[:, :, rows] = recolour(made[:, :, rows], content[:, :, rows])
    return made


# --- the methods ------------------------------------------------------------------------------------------------------


LOAD: dict[str, Callable[..., Any]] = {
    "johnson": johnson.load,
    "cin": cin.load,
    "adain": adain.load,
    "style_swap": style_swap.load,
    "adjustable": adjustable.load,
}
_shipped = cache(lambda kind, name: LOAD[kind](name))
_mini = cache(lambda: Encoder("mini"))


def _network(kind: str, file: Path | None, options: Mapping[str, Any] | None = None, name: str = "") -> Any:
    """The trained network of a file, or the course's own, with the encoder that the options name, if any."""
    if file is not None and not file.is_file():
        made = f"`stylelearn train {TRAINED_AS.get(kind, kind)}` makes one"
        raise WeightsError(f"--weights is '{file}': no file of that name; {made}")
    source = file or name or kind
    if options and (options["encoder"] or options["encoder_weights"]):
        own = options["encoder"] or read_about(network_file(kind, source)).get("encoder", "mini")
        return LOAD[kind](source, encoder=Encoder(own, weights=options["encoder_weights"]))
    return LOAD[kind](source) if file else _shipped(kind, source)


def _encoder(options: Mapping[str, Any]) -> Encoder:
    """The encoder of the losses, on the CPU."""
    name, weights = options["encoder"], options["encoder_weights"]
    return _mini() if (name, weights) == ("mini", None) else Encoder(name, weights=weights)


def _johnson(options: Mapping[str, Any], device: str) -> FeedForward:
    net = _network("johnson", options["weights"], name=options["style"] or "").to(device)

    def paint(content: Tensor, kept: None) -> Tensor:
        return coarse_to_fine(net, content, options["coarse"])

    return FeedForward(lambda style: None, paint, learnt=True, facts={"style": net.about.get("style")})


def _cin(options: Mapping[str, Any], device: str) -> FeedForward:
    net = _network("cin", options["weights"]).to(device)

    def paint(content: Tensor, mix: Tensor) -> Tensor:
        return coarse_to_fine(lambda image: net(image, mix), content, options["coarse"])

    return FeedForward(net.mix, paint, learnt=True)


def _adain(options: Mapping[str, Any], device: str, keep_colours: bool) -> FeedForward:
    net = _network("adain", options["weights"], options).to(device)
    how = {"strength": options["strength"], "shares": options["shares"]}
    facts = {"encoder": net.encoder.name, "layer": net.layer}
    share = options["coarse"] * options["strength"]  # at strength 0 the photo comes back

    def paint(content: Tensor, kept: Sequence[Any]) -> Tensor:
        if keep_colours:
            kept = [net.style(match_colour(style.expand(len(content), -1, -1, -1), content)) for style in kept]
        return coarse_to_fine(lambda x: net.decode(net.blend(net.encode(x), kept, **how), x.shape[2:]), content, share)

    if keep_colours:  # the styles are matched to the content, so they are encoded with it
        return FeedForward(_listed, paint, facts=facts)
    return FeedForward(lambda styles: [net.style(each) for each in _listed(styles)], paint, facts=facts)


def _listed(styles: Tensor | Sequence[Tensor]) -> list[Tensor]:
    return list(styles) if isinstance(styles, Sequence) else [styles]


def _swap_inverted(options: Mapping[str, Any], device: str) -> FeedForward:
    net = _network("style_swap", options["weights"], options).to(device)
    cut = {name: options[name] for name in ("patch", "stride")}

    def paint(content: Tensor, kept: Tensor) -> Tensor:
        features = net.encode(content)
        swapped = net.swap(features, kept, **cut)
        return net.decode(net.blend(features, swapped, options["strength"]), content.shape[2:])

    return FeedForward(net.encode, paint, facts={"encoder": net.encoder.name, "layer": net.layer})


def _adjustable(options: Mapping[str, Any], device: str) -> FeedForward:
    net = _network("adjustable", options["weights"]).to(device)
    asked = options["alpha"] or {}
    alphas = net.alphas(asked)
    any_style = net.about["any_style"]
    if options["practice"] and not any_style:
        raise ValueError(f"--practice is for paintings; {options['weights'].name} knows one style only: leave it out")

    def refine(style: Tensor) -> Iterator[tuple[float, Tensor]]:
        return practice.practise(net, style, steps=options["practice"])

    return FeedForward(
        net.style if any_style else lambda style: None,
        lambda content, kept: net(content, kept, alphas, options["coarse"]),
        learnt=not any_style,
        facts={"alpha": {name: asked.get(name, 1.0) for name in net.adjustable}},
        refine=refine if options["practice"] else None,
    )


def _gatys(options: Mapping[str, Any], device: str) -> Optimised:
    encoder = _encoder(options).to(device)
    weight = gatys.STYLE_WEIGHT * options["strength"]
    how: dict[str, Any] = {"encoder": encoder, "style_weight": weight, **LAYERS.get(options["encoder"], {})}

    def begin(content: Tensor, style: Tensor, steps: int, seed: int) -> Iterator[Step]:
        if not seed:
            start = {name: options[name] for name in ("start", "seed", "levels")}
            return gatys.stylize(content, style, steps=steps, **start, **how)
        goal = gatys.objective(content, style, tv_weight=gatys.TV_WEIGHT, **how)
        return optimize_image(_noisy(content, seed), goal, steps)

    facts = {"content_weight": gatys.CONTENT_WEIGHT, "style_weight": weight, "tv_weight": gatys.TV_WEIGHT}
    return Optimised(lambda style: _grams(encoder, style, how.get("layer_weights", STYLE_LAYERS)), begin, facts=facts)


def _grams(encoder: Encoder, style: Tensor, layers: Iterable[str]) -> list[Tensor]:
    with torch.no_grad():
        return [losses.mean_gram(activations) for _, activations in encoder.walk(style, layers)]


def _swap_optimised(options: Mapping[str, Any], device: str) -> Optimised:
    encoder = _encoder(options).to(device)
    how = {name: options[name] for name in ("patch", "stride", "strength")}

    def begin(content: Tensor, style: Tensor, steps: int, seed: int) -> Iterator[Step]:
        terms = style_swap.objective(content, style, encoder=encoder, **how)
        start = gatys.start_image(options["start"], content, style, options["seed"])
        return optimize_image(_noisy(start, seed), terms, steps)

    @torch.no_grad()
    def encode(style: Tensor) -> Tensor:
        return encoder(style, [style_swap.LAYER])[style_swap.LAYER]

    facts = {"encoder": encoder.name, "layer": style_swap.LAYER, "tv_weight": style_swap.TV_WEIGHT}
    return Optimised(encode, begin, facts=facts)


def _photo(options: Mapping[str, Any], device: str) -> Optimised:
    """Without masks the regions are clusters of both pictures."""
    encoder = _encoder(options).to(device)
    weight = photo.STYLE_WEIGHT * options["strength"]
    layers = LAYERS.get(options["encoder"], {})
    share = photo.STEPS[0] / sum(photo.STEPS)

    def begin(content: Tensor, style: Tensor, steps: int, seed: int) -> Iterator[Step]:
        first = round(share * steps)
        masks = masks_of(options, content, style)
        start = None
        if seed:
            start = _noisy(photo.smooth(photo.recolour(content, style, *masks), content), seed)
        return photo.stylize(
            *(content, style, *masks),
            encoder=encoder,
            steps=(first, steps - first),
            start=start,
            style_weight=weight,
            photorealism_weight=options["lambda"],
            **layers,
        )

    def end(image: Tensor, content: Tensor) -> Tensor:
        return photo.smooth(image, content, options["smooth"]) if options["smooth"] else image

    style_layers = layers.get("layer_weights", photo.STYLE_LAYERS)
    facts = {"content_weight": photo.CONTENT_WEIGHT, "style_weight": weight}
    return Optimised(lambda style: _grams(encoder, style, style_layers), begin, end, facts)


def masks_of(options: Mapping[str, Any], content: Tensor, style: Tensor) -> tuple[Masks, Masks] | tuple[None, None]:
    """Masks of both pictures, from files or the course, or by clustering; (None, None): one region."""
    if options["content_mask"] is not None:
        return _mask("content", options["content_mask"], content), _mask("style", options["style_mask"], style)
    return (None, None) if options["regions"] == 1 else cluster(content, style, regions=options["regions"])


def _mask(side: str, name: str, image: Tensor) -> Masks:
    size = (image.shape[2], image.shape[3])
    try:
        if name in samples.content_names() and not Path(name).is_file():
            return course_mask(name, size)
        return read_mask(name, size)
    except ValueError as error:
        raise ValueError(f"--{side}-mask {shown_name(name)}: {error}") from error


_MAKERS: dict[str, Callable[[Mapping[str, Any], str], FeedForward | Optimised]] = {
    "gatys": _gatys,
    "swap_optimised": _swap_optimised,
    "swap_inverted": _swap_inverted,
    "johnson": _johnson,
    "cin": _cin,
    "photo": _photo,
    "adjustable": _adjustable,
}
