"""Lesson 07, photographs that stay photographs — Luan, Paris, Shechtman & Bala, CVPR 2017, *Deep Photo Style Transfer*.

Gatys's method bends straight edges and spreads the style of the sky over buildings. Two terms prevent this:

    L_total = Σ_l α_l L_c^l + Γ Σ_l β_l L_{s+}^l + λ L_m                                              (Eq. 4)

L_m, the photorealism term, penalises outputs that are not an affine function of the photograph's colours in each
window of 3 × 3 pixels (`matting.py`). L_{s+} compares Gram matrices region by region, with masks (`segmentation.py`):

    L_{s+}^l = Σ_c 1/(2 N_{l,c}²) Σ_ij (G_{l,c}[O] − G_{l,c}[S])²_ij,   F_{l,c} = F_l M_{l,c}          (Eq. 3)

Two stages: masked style transfer without L_m, then all of it, starting from the first stage's result.

**Differs from the paper:** the losses are the course's (`losses.py`), L_m is per pixel, the layers suit `mini`, and the
first stage starts from a colour transfer by region (`recolour`) instead of noise, which saves nine tenths of the steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from stylelearn import losses
from stylelearn.colour import monge_kantorovich
from stylelearn.encoders import Encoder
from stylelearn.gatys import layer_shares, not_negative
from stylelearn.matting import MattingLaplacian
from stylelearn.optimize import Objective, Step, coarse_to_fine
from stylelearn.segmentation import Masks, merge_orphans, one_region, scale

CONTENT_LAYER = "relu3_3"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
# Γ is the paper's. λ is a hundred times its 10^4: with our losses that keeps bars and roofs straight, and more changes
# little (lesson 07, section 8). α is larger than the paper's 1 (the authors' code has 5), as L_m lets textures flatten.
CONTENT_WEIGHT = 10.0  # α
STYLE_WEIGHT = 100.0  # Γ
PHOTOREALISM_WEIGHT = 1e6  # λ
STEPS = (30, 90)  # of the two stages


def masked_grams(features: Tensor, masks: Tensor) -> Tensor:
    """The Gram matrix of each region, divided by its cells: G_c = (F M_c)(F M_c)ᵀ / Σ M_c.

    Activations of one layer (1, N, H, W), masks (K, H, W) in [0, 1] as of `segmentation.scale` -> (K, N, N); 0 for a
    region without a cell. Raises ValueError for shapes that do not fit.
    """
    if masks.ndim != 3 or masks.shape[1:] != features.shape[2:] or features.shape[0] != 1:
        raise ValueError(
            f"masks (K, H, W) {tuple(masks.shape)} do not fit features (1, N, H, W) {tuple(features.shape)}; "
            "use segmentation.scale"
        )
    grams = losses.gram_matrix(features * masks[:, None])  # (K, N, N); (1, N, H, W) times (K, 1, H, W)
    cells = masks.sum(dim=(1, 2))  # (K,)
    return grams / cells.clamp_min(1e-12)[:, None, None]


def augmented_style_loss(features: Tensor, target: Tensor, masks: Tensor) -> Tensor:
    """Σ_c s_c ‖G_c − A_c‖² / ‖A_c‖², s_c being the part of the layer that region c covers  (Luan et al. 2017, Eq. 3)

    The mask multiplies F, so soft values count squared. A region thinner than a cell is soft everywhere: its A_c is
    small, and dividing by it gives the region more weight than its part.

    Activations of the image being made (1, N, H, W), A = `masked_grams` of the reference's activations with its own
    masks (K, N, N), masks of the content (K, H, W) -> a scalar ≥ 0. With one region it is `losses.style_loss`.

    **Differs from the paper:** its 1/(2 N_c²) with undivided Gram matrices depends on size and layer; this is the
    course's convention (`losses.py`), and regions count by their size, as in the authors' code.
    """
    grams = masked_grams(features, masks)  # (K, N, N)
    apart, squares = (grams - target).square().sum(dim=(1, 2)), target.square().sum(dim=(1, 2))  # (K,) each
    return (masks.mean(dim=(1, 2)) * losses.relative(apart, squares, losses.gram_power(target))).sum()


def photorealism_loss(image: Tensor, laplacian: MattingLaplacian) -> Tensor:
    """L_m = Σ_c V_c[O]ᵀ M_I V_c[O] / (H·W), a scalar ≥ 0                           (Luan et al. 2017, Eq. 2)

    **Differs from the paper:** divided by the number of pixels, so that λ means the same at every size.
    """
    return laplacian.energy(image) / image[0, 0].numel()


def objective(
    content: Tensor,
    style: Tensor,
    content_masks: Masks | None = None,
    style_masks: Masks | None = None,
    *,
    encoder: Encoder,
    content_weight: float = CONTENT_WEIGHT,
    style_weight: float = STYLE_WEIGHT,
    photorealism_weight: float = PHOTOREALISM_WEIGHT,
    layer_weights: Mapping[str, float] | Sequence[str] = STYLE_LAYERS,
    content_layer: str = CONTENT_LAYER,
) -> Objective:
    """The total loss as a function of the output; targets are computed once, here.

    Args:
        content: I, (1, 3, H, W) in [0, 1]. `style`: S, (1, 3, H', W'), of any size.
        content_masks, style_masks: of the pictures' sizes, both or neither (one region); see
            `segmentation.merge_orphans` for labels that only one of them has.
        content_weight: α ≥ 0. `style_weight`: Γ ≥ 0. `photorealism_weight`: λ ≥ 0.
        layer_weights: β_l by layer, or names that share the weight 1 equally.
    Returns:
        image -> {"content relu3_3": …, "style relu1_1": …, …, "photorealism": …}, terms of weight 0 left out.
    Raises:
        ValueError: a negative weight, all weights 0, unknown layer, masks of another size or only one of the two.
    """
    weights = layer_shares(layer_weights)
    not_negative(content_weight=content_weight, style_weight=style_weight, **weights)
    not_negative(photorealism_weight=photorealism_weight)
    style_layers = [layer for layer, weight in weights.items() if style_weight * weight > 0]
    if not style_layers and content_weight == 0 and photorealism_weight == 0:
        raise ValueError("all weights are 0: there is nothing to optimise")
    of_content, of_style = _regions(content, style, content_masks, style_masks)
    laplacian = MattingLaplacian(content) if photorealism_weight > 0 else None
    layers = list(dict.fromkeys(([content_layer] if content_weight > 0 else []) + style_layers))
    masks, grams, wanted = {}, {}, None
    with torch.no_grad():
        for layer, activations in encoder.walk(content, layers) if layers else ():
            masks[layer] = scale(of_content, tuple(activations.shape[2:])).to(content.device)
            wanted = activations if layer == content_layer and content_weight > 0 else wanted  # P
        for layer, activations in encoder.walk(style, style_layers) if style_layers else ():
            of_layer = scale(of_style, tuple(activations.shape[2:]), of_content.names).to(style.device)
            grams[layer] = masked_grams(activations, of_layer)  # A_c, (K, N, N)

    def terms(image: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for layer, activations in encoder.walk(image, layers) if layers else ():  # F^l
            if wanted is not None and layer == content_layer:
                found[f"content {layer}"] = content_weight * losses.content_loss(activations, wanted)
            if layer in grams:
                loss = augmented_style_loss(activations, grams[layer], masks[layer])
                found[f"style {layer}"] = style_weight * weights[layer] * loss
        if laplacian is not None:
            found["photorealism"] = photorealism_weight * photorealism_loss(image, laplacian)
        return found

    return terms


def _regions(
    content: Tensor, style: Tensor, content_masks: Masks | None, style_masks: Masks | None
) -> tuple[Masks, Masks]:
    """Masks of both pictures; each label of the content is one of the reference."""
    if (content_masks is None) != (style_masks is None):
        missing = "content_masks" if content_masks is None else "style_masks"
        raise ValueError(f"{missing} is missing: give masks of both pictures, or of neither")
    if content_masks is None or style_masks is None:
        return one_region(content), one_region(style)
    for name, image, masks in (("content", content, content_masks), ("style", style, style_masks)):
        size = tuple(image.shape[-2:])
        if masks.size != size:
            raise ValueError(f"{name}_masks are {masks.size} and their picture {size}; use masks.resized({size})")
    return merge_orphans(content_masks, style_masks)[:2]


def recolour(
    content: Tensor, style: Tensor, content_masks: Masks | None = None, style_masks: Masks | None = None
) -> Tensor:
    """Colour transfer region by region (`colour.monge_kantorovich`): no network. Arguments and errors as `objective`.

    Returns (1, 3, H, W) in [0, 1], the content's size.
    """
    of_content, of_style = _regions(content, style, content_masks, style_masks)
    recoloured = content.clone()
    for number, name in enumerate(of_content.names):
        here = (of_content.labels == number).to(content.device)  # (H, W)
        there = (of_style.labels == of_style.names.index(name)).to(style.device)
        image, reference = content[:, :, here][:, :, None], style[:, :, there][:, :, None]  # (1, 3, 1, n) each
        recoloured[:, :, here] = monge_kantorovich(image, reference)[:, :, 0]
    return recoloured


def stylize(
    content: Tensor,
    style: Tensor,
    content_masks: Masks | None = None,
    style_masks: Masks | None = None,
    *,
    encoder: Encoder,
    steps: tuple[int, int] = STEPS,
    photorealism_weight: float = PHOTOREALISM_WEIGHT,
    start: Tensor | None = None,
    optimizer: str = "lbfgs",
    **weights: object,
) -> Iterator[Step]:
    """The whole method: masked style transfer, then the same with λ L_m from its result; yields every step.

    Args:
        content, style, content_masks, style_masks, encoder, weights: as `objective`.
        steps: of the first and of the second stage, one of which may be 0. Step numbers go on in the second.
        photorealism_weight: λ, in the second stage only.
        start: where the first stage begins, of the content's size; None for `recolour`, smoothed by `smooth`.
        optimizer: as `optimize_image`.
    Raises:
        ValueError: no steps, or what `objective` and `optimize_image` refuse.

    The steps whose `losses` have "photorealism" belong to the second stage.
    """
    if len(steps) != 2 or min(steps) < 0 or max(steps) < 1:
        raise ValueError(f"steps are those of two stages, such as {STEPS}; at least one must be above 0; got {steps}")
    pair = (content, style, content_masks, style_masks)
    stages = [(count, weight) for count, weight in zip(steps, (0.0, photorealism_weight), strict=True) if count]
    objectives = iter(
        [objective(*pair, encoder=encoder, photorealism_weight=weight, **weights) for _, weight in stages]  # type: ignore[arg-type]
    )
    x = smooth(recolour(*pair), content) if start is None else start
    counts, sizes = [count for count, _ in stages], [(content.shape[2], content.shape[3])] * len(stages)
    return coarse_to_fine(x, lambda _: next(objectives), sizes, counts, optimizer=optimizer)


def smooth(image: Tensor, content: Tensor, radius: int = 8, eps: float = 1e-5) -> Tensor:
    """Post-smoothing: the guided filter with the content as guide, of one size, which removes painted texture.

    The windows have a `radius` in pixels; with a variance below `eps` they count as flat.
    """
    side = 2 * radius + 1
    guided = MattingLaplacian(content, eps=eps * side * side, radius=radius)  # which divides by the pixels of a window
    return guided.smooth(image).clamp(0, 1)
