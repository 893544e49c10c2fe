"""Style transfer by optimising pixels — Gatys, Ecker & Bethge, CVPR 2016.

The pastiche x should have the content's activations in one deep layer and the style's correlations between channels
in several layers:

    L_total = α L_content + β L_style,     L_style = Σ_l w_l E_l                         (Eq. 5 and 7)

There is no training: x itself is moved down the gradient (`optimize.py`) until both are small.

**Differs from the paper:** by default the losses are the course's own (`losses.py`), whose weights mean the same at
every size and layer; ``normalisation="paper"`` takes the paper's, which want a β of 1e3 to 1e4 times α. The encoder is
the one that is given; the paper's is VGG-19 with average pooling, each channel scaled to a mean activation of 1.
`stylize` works coarse to fine and adds a little total variation, unless it is asked not to.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from stylelearn import losses
from stylelearn.encoders import CONTENT_LAYER, STYLE_LAYERS, Encoder
from stylelearn.images import resize
from stylelearn.optimize import Objective, Step, coarse_to_fine, optimize_image

# What looks good with the course's losses, from the photo and from noise; lesson 02 explores it. STYLE_WEIGHT is β/α.
CONTENT_WEIGHT = 1.0
STYLE_WEIGHT = 30.0
TV_WEIGHT = 2.0  # without it flat areas show coloured grain
LEVELS = 2  # large forms of the style come along
SMALLEST = 64  # the shortest side in pixels that a coarse level may have

NORMALISATIONS = {
    "course": (losses.content_loss, losses.style_loss),
    "paper": (losses.gatys_content_loss, losses.gatys_style_loss),
}


def objective(
    content: Tensor,
    style: Tensor,
    *,
    encoder: Encoder,
    content_weight: float = CONTENT_WEIGHT,
    style_weight: float = STYLE_WEIGHT,
    layer_weights: Mapping[str, float] | Sequence[str] = STYLE_LAYERS,
    content_layer: str = CONTENT_LAYER,
    tv_weight: float = 0.0,
    normalisation: str = "course",
) -> Objective:
    """The total loss as a function of the pastiche; everything about content and style is computed once, here.

    Args:
        content: (1, 3, H, W) in [0, 1]; the pastiche will have its size. `style`: (1, 3, H', W'), of any size.
        content_weight: α ≥ 0. `style_weight`: β ≥ 0. `content_layer`: where content is compared.
        layer_weights: w_l ≥ 0 by layer, or names of layers that share the weight 1 equally (the paper's 1/5 each).
        tv_weight: weight ≥ 0 of the total variation (β = 2) per value; 0, as in the paper, to a few.
        normalisation: "course" or "paper", see the module.

    Returns:
        image -> {"content relu4_2": …, "style relu1_1": …, …, "tv": …}, terms of weight 0 left out.
    Raises:
        ValueError: a negative weight, all weights 0, unknown normalisation or layer.
    """
    weights = layer_shares(layer_weights)
    not_negative(content_weight=content_weight, style_weight=style_weight, tv_weight=tv_weight, **weights)
    if normalisation not in NORMALISATIONS:
        raise ValueError(f"unknown normalisation {normalisation!r}; there are {', '.join(NORMALISATIONS)}")
    content_loss, style_loss = NORMALISATIONS[normalisation]
    style_layers = [layer for layer, weight in weights.items() if style_weight * weight > 0]
    if not style_layers and content_weight == 0 and tv_weight == 0:
        raise ValueError("all weights are 0: there is nothing to optimise")
    layers = list(dict.fromkeys(([content_layer] if content_weight > 0 else []) + style_layers))
    with torch.no_grad():
        wanted = encoder(content, [content_layer])[content_layer] if content_weight > 0 else None  # P
        seen = encoder.walk(style, style_layers) if style_layers else ()
        grams = {layer: losses.mean_gram(activations) for layer, activations in seen}  # A^l
    names = [f"content {content_layer}"] * (wanted is not None) + [f"style {layer}" for layer in style_layers]

    def terms(image: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        # Each loss as soon as its layer is there: on the way back, which is the reverse, a layer's gradient is then
        # made when it is needed, and those of all layers need not lie in memory at once.
        for layer, activations in encoder.walk(image, layers) if layers else ():  # F^l
            if wanted is not None and layer == content_layer:
                found[f"content {layer}"] = content_weight * content_loss(activations, wanted)
            if layer in grams:
                found[f"style {layer}"] = style_weight * weights[layer] * style_loss(activations, grams[layer])
        found = {name: found[name] for name in names}
        if tv_weight > 0:
            found["tv"] = tv_weight * losses.tv_loss(image)
        return found

    return terms


def layer_shares(weights: Mapping[str, float] | Sequence[str]) -> dict[str, float]:
    """Weights by layer as they are; names of layers share the weight 1 equally."""
    if isinstance(weights, Mapping):
        return dict(weights)
    names = dict.fromkeys([weights] if isinstance(weights, str) else weights)
    return {layer: 1 / len(names) for layer in names}


def not_negative(**weights: float) -> None:
    """Raises ValueError for the first weight, by name, that is no finite number from 0 up."""
    for name, value in weights.items():
        if not 0 <= value < float("inf"):
            raise ValueError(f"the weight {name} must be a number from 0 up; got {value}")


def start_image(kind: str, content: Tensor, style: Tensor, seed: int = 0) -> Tensor:
    """Where to begin: "content", "style" (resized to the content), or "noise" (grey with `seed`'s normal noise).

    (1, 3, H, W) in [0, 1], the content's size; the same seed gives the same noise on every device. Raises ValueError
    for an unknown kind.
    """
    if kind == "content":
        return content.clone()
    if kind == "style":
        return resize(style, content.shape[-2:], fit="box")
    if kind == "noise":
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(content.shape, generator=generator)
        return (0.5 + 0.15 * noise).clamp(0, 1).to(content.device)
    raise ValueError(f"unknown start {kind!r}; there are content, style, noise")


def stylize(
    content: Tensor,
    style: Tensor,
    *,
    encoder: Encoder,
    steps: int = 300,
    start: str = "content",
    seed: int = 0,
    optimizer: str = "lbfgs",
    levels: int = LEVELS,
    tv_weight: float = TV_WEIGHT,
    **weights: object,
) -> Iterator[Step]:
    """The whole method: objective, start, optimisation; yields every step.

    Args:
        content, style, encoder, tv_weight, weights: as `objective`.
        steps: in all; with several levels half of them at full size.
        start, seed: as `start_image`. `optimizer`: as `optimize_image`.
        levels: 2 or 3 first work at half and quarter size: larger structures, fewer steps at full size; 1 is the
            paper's. Levels with a side below SMALLEST are left out.
    Raises:
        ValueError: levels < 1, fewer steps than levels, or what `objective`, `start_image` and `optimize_image` refuse.
    """
    if levels < 1:
        raise ValueError(f"levels must be at least 1; got {levels}")
    height, width = content.shape[-2:]
    sizes = [(height >> k, width >> k) for k in range(levels - 1, 0, -1) if min(height, width) >> k >= SMALLEST]
    sizes.append((height, width))

    def pictures(size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        if size == (height, width):
            return content, style
        scale = size[0] / height
        smaller = tuple(max(SMALLEST // 2, round(side * scale)) for side in style.shape[-2:])
        return resize(content, size, fit="box"), resize(style, smaller, fit="box")

    def objective_at(size: tuple[int, int]) -> Objective:
        return objective(*pictures(size), encoder=encoder, tv_weight=tv_weight, **weights)  # type: ignore[arg-type]

    x = start_image(start, *pictures(sizes[0]), seed)  # at its own size: noise that is made smaller turns grey
    coarse = len(sizes) - 1
    if not coarse:
        return optimize_image(x, objective_at(sizes[0]), steps, optimizer=optimizer)
    if steps <= coarse:
        raise ValueError(f"{len(sizes)} levels take at least {len(sizes)} steps, not {steps}; or take fewer levels")
    early = max(1, (steps - steps // 2) // coarse)
    return coarse_to_fine(x, objective_at, sizes, [early] * coarse + [steps - early * coarse], optimizer=optimizer)
