"""Every method of the course behind one door: its name, what it is, and how it paints a pair of pictures.

    run("adain", "chelsea", "mosaic")          # (1, 3, 256, 256)

What there is to paint with is loaded once and kept. All methods look through the same encoder, `mini`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from stylelearn import adain, adjustable, cin, gatys, johnson, losses, photo, samples, style_swap
from stylelearn.encoders import STYLE_LAYERS, Encoder
from stylelearn.images import square
from stylelearn.optimize import Step, optimize_image, result
from stylelearn.segmentation import cluster

SIZE = 256  # pixels a side, unless something else is said
NOISE = 0.05  # that a seed puts on the picture at which a method begins


@dataclass(frozen=True)
class Method:
    """What a method is.

    Attributes:
        title: as a table shows it. paper: its authors and year. lesson: number of the lesson.
        steps: how often the pixels are moved; 0 for one pass of a network.
        styles: "any picture", "1 a network", "those it learnt".
        about: what it does, in one sentence.
    """

    title: str
    paper: str
    lesson: int
    steps: int
    styles: str
    about: str


METHODS: dict[str, Method] = {
    "gatys": Method(
        *("Gatys", "Gatys et al. 2016", 2, 300, "any picture"),
        "Optimised the pixels until Gram matrices are the style's and deep activations the photograph's.",
    ),
    "swap_optimised": Method(
        *("Style swap, optimised", "Chen & Schmidt 2016", 6, 100, "any picture"),
        "Exchanges each patch of activations for the style's nearest, and moves pixels until they have these.",
    ),
    "swap_inverted": Method(
        *("Style swap, network", "Chen & Schmidt 2016", 6, 0, "any picture"),
        "Exchanges each patch of activations for the style's nearest; a network paints what they say.",
    ),
    "johnson": Method(
        *("Johnson", "Johnson et al. 2016", 3, 0, "1 a network"),
        "One pass of a network that has learnt to paint one style.",
    ),
    "cin": Method(
        *("Conditional instance norm", "Dumoulin et al. 2017", 4, 0, "those it learnt"),
        "One pass of a network that has learnt several styles, each a short list of numbers, and can mix them.",
    ),
    "adain": Method(
        *("AdaIN", "Huang & Belongie 2017", 5, 0, "any picture"),
        "Gives each channel of the activations the style's mean and spread; a decoder paints the result.",
    ),
    "photo": Method(
        *("Deep photo", "Luan et al. 2017", 7, sum(photo.STEPS), "any picture"),
        "Optimised the pixels as Gatys does, region by region, but straight edges stay straight: colours change.",
    ),
    "adjustable": Method(
        *("Adjustable", "Babaeizadeh & Ghiasi 2018", 8, 0, "any picture"),
        "One pass of a network that is told how much each layer of the style shall count.",
    ),
}


def check(method: str, style: Tensor | str | None = None) -> None:
    """Refuse a method that there is not, or a style that it has not learnt.

    Raises:
        ValueError: names what there is instead. WeightsError: the method's network is not there.
    """
    known = known_styles(method)
    if style is None or known is None or (isinstance(style, str) and style in known):
        return
    what = f"the style {style!r}" if isinstance(style, str) else "the style of any picture"
    raise ValueError(
        f"{method} has not learnt {what}; give one of these names: {', '.join(known)}; "
        f"of the course's pictures all methods can paint in {', '.join(common_styles())}"
    )


def _what(method: str) -> Method:
    if method not in METHODS:
        raise ValueError(f"there is no method {method!r}; there are {', '.join(METHODS)}")
    return METHODS[method]


def known_styles(method: str) -> list[str] | None:
    """The names that a method has learnt (johnson, cin); None if any picture is a style.

    Raises:
        ValueError: unknown method. WeightsError: its network is not there.
    """
    _what(method)
    if method == "johnson":
        return johnson.styles()
    return list(_network("cin").styles) if method == "cin" else None


def common_styles(methods: Iterable[str] = tuple(METHODS)) -> list[str]:
    """Names of course pictures that all of these methods can paint in: `stained_glass` for all of them.

    A name such as "starry_night", which a network knows but of which the course has no picture, is not among them.
    """
    known = [names for method in methods if (names := known_styles(method)) is not None]
    return [name for name in samples.style_names() if all(name in names for names in known)]


def count_styles(method: str) -> str:
    """How many styles a method can paint in once it is loaded: "1", "14", "∞"."""
    if method == "johnson":
        return "1"
    known = known_styles(method)
    return "∞" if known is None else str(len(known))


def pictures(content: Tensor | str, style: Tensor | str, size: int = SIZE) -> tuple[Tensor, Tensor]:
    """Both pictures as squares of `size` pixels, (1, 3, size, size); names are those of `samples`.

    Raises:
        ValueError: a name that the course does not have.
    """
    return square(_picture(content, samples.content), size), square(_picture(style, samples.style), size)


def _picture(image: Tensor | str, read: Callable[[str], Tensor]) -> Tensor:
    if not isinstance(image, str):
        return image
    return samples.content(image) if image in samples.content_names() else read(image)


def run(
    method: str,
    content: Tensor | str,
    style: Tensor | str,
    *,
    size: int | None = None,
    steps: int | None = None,
    seed: int = 0,
) -> Tensor:
    """The pastiche of one method.

    Args:
        method: one of `METHODS`.
        content: a name of the course, or a picture (1, 3, H, W).
        style: likewise; johnson and cin want a name that they have learnt (`known_styles`).
        size: make both pictures squares of so many pixels; None: `SIZE` for names, and pictures as they are.
        steps: at most so many for methods that move pixels; None: their own number (`Method.steps`).
        seed: 0 paints as the method does by itself. Any other first puts a little noise on the photograph (where
            pixels are moved: on the picture at which they begin), and another pastiche comes out.
    Returns:
        (1, 3, H, W) in [0, 1], of the content's size.
    Raises:
        ValueError: an unknown method or name; a style that the method has not learnt, with the names of those it has
            and of those that all methods know; steps < 1. WeightsError: its network is not there.
        Diverged: the pixels went astray (the error has the best picture).
    """
    check(method, style)
    if size is not None or isinstance(content, str):
        content = square(_picture(content, samples.content), size or SIZE)
    if known_styles(method) is None and (size is not None or isinstance(style, str)):
        style = square(_picture(style, samples.style), size or SIZE)
    painter = painter_of(method, style)
    if isinstance(painter, Optimised):
        return painter.end(result(painter.begin(content, style, allowed(method, steps), seed)), content)
    with torch.inference_mode():
        made = painter.paint(_noisy(content, seed), painter.encode(style))
    return made.clone()  # outside of inference mode: whoever wants a gradient through it may have one


def allowed(method: str, steps: int | None) -> int:
    """The method's own number of steps, or `steps` if that is less.

    Raises:
        ValueError: unknown method; steps < 1.
    """
    own = _what(method).steps
    if steps is not None and steps < 1:
        raise ValueError(f"steps must be at least 1; got {steps}")
    return own if steps is None else min(steps, own)


def _noisy(image: Tensor, seed: int) -> Tensor:
    return image if seed == 0 else adjustable.with_noise(image, NOISE, seed)


# --- how each of them paints ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FeedForward:
    """A network that paints in one pass.

    Attributes:
        encode: style -> what is kept of it; that is all that a new style costs.
        paint: (content, what was kept) -> pastiche.
        learnt: whether styles are in the weights; then `encode` has nothing to do.
    """

    encode: Callable[[Any], Any]
    paint: Callable[[Tensor, Any], Tensor]
    learnt: bool = False


@dataclass(frozen=True)
class Optimised:
    """A method that moves pixels.

    Attributes:
        encode: what `begin` does for the style alone; only to see how long that takes.
        begin: (content, style, steps, seed) -> the steps; everything that is needed for them is computed at once.
        end: (the best picture, content) -> pastiche.
    """

    encode: Callable[[Tensor], Any]
    begin: Callable[[Tensor, Tensor, int, int], Iterator[Step]]
    end: Callable[[Tensor, Tensor], Tensor] = lambda image, content: image


def painter_of(method: str, style: Tensor | str) -> FeedForward | Optimised:
    """How a method paints; `style` names the network where there is one for each.

    Raises:
        ValueError, WeightsError: as `check`.
    """
    check(method, style)
    net: Any = _network(method, style if method == "johnson" else "")
    if method == "johnson":
        return FeedForward(lambda style: None, lambda content, kept: net(content), learnt=True)
    if method == "cin":
        return FeedForward(net.mix, net, learnt=True)
    if method == "adain":
        return FeedForward(
            net.style, lambda content, kept: net.decode(net.blend(net.encode(content), [kept]), content.shape[2:])
        )
    if method == "swap_inverted":
        return FeedForward(
            net.encode, lambda content, kept: net.decode(net.swap(net.encode(content), kept), content.shape[2:])
        )
    if method == "adjustable":
        return FeedForward(net.style, lambda content, kept: net(content, kept, net.alphas(1.0)))
    return {"gatys": _gatys, "swap_optimised": _swap, "photo": _photo}[method](net)


@cache
def _network(method: str, style: str = "") -> Any:
    """The trained network of a method, or the encoder for those that move pixels."""
    if method == "johnson":
        return johnson.load(style)
    load = {"cin": cin.load, "adain": adain.load, "swap_inverted": style_swap.load, "adjustable": adjustable.load}
    return load[method]() if method in load else Encoder("mini")


def _gatys(encoder: Encoder) -> Optimised:
    def begin(content: Tensor, style: Tensor, steps: int, seed: int) -> Iterator[Step]:
        terms = gatys.objective(content, style, encoder=encoder)
        return optimize_image(_noisy(content, seed), terms, steps)

    return Optimised(lambda style: _grams(encoder, style, STYLE_LAYERS), begin)


@torch.no_grad()
def _grams(encoder: Encoder, style: Tensor, layers: Iterable[str]) -> list[Tensor]:
    return [losses.mean_gram(activations) for _, activations in encoder.walk(style, layers)]


def _swap(encoder: Encoder) -> Optimised:
    def begin(content: Tensor, style: Tensor, steps: int, seed: int) -> Iterator[Step]:
        terms = style_swap.objective(content, style, encoder=encoder)
        return optimize_image(_noisy(content, seed), terms, steps)

    @torch.no_grad()
    def encode(style: Tensor) -> Tensor:
        return encoder(style, [style_swap.LAYER])[style_swap.LAYER]

    return Optimised(encode, begin)


def _photo(encoder: Encoder) -> Optimised:
    """Both pictures are divided into four regions by clustering: there are no masks of the course's styles."""
    share = photo.STEPS[0] / sum(photo.STEPS)

    def begin(content: Tensor, style: Tensor, steps: int, seed: int) -> Iterator[Step]:
        first = round(share * steps)
        masks = cluster(content, style, encoder=encoder)
        start = None
        if seed:
            start = _noisy(photo.smooth(photo.recolour(content, style, *masks), content), seed)
        return photo.stylize(content, style, *masks, encoder=encoder, steps=(first, steps - first), start=start)

    return Optimised(lambda style: _grams(encoder, style, photo.STYLE_LAYERS), begin, photo.smooth)
