"""Checks of lesson 07: one window of the matting Laplacian, its loss and gradient, the masked style loss, orphans."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylelearn import losses
from stylelearn.checks import Mistake, check, must_be, must_be_finite, must_match, number, pair, run

EPS = 0.1  # far more than a photo needs, so that a forgotten or wrongly divided ε shows


def _window(colours: Tensor, ridge: float) -> Tensor:
    """The formula in float64: (n, 3) -> (n, n)."""
    n, centred = len(colours), (colours - colours.mean(0)).double()
    sigma = centred.T @ centred / n + ridge / n * torch.eye(3, dtype=torch.float64)
    return torch.eye(n, dtype=torch.float64) - (1 + centred @ torch.linalg.solve(sigma, centred.T)) / n


@check
def window(answer: Callable[[Tensor, float], Tensor]) -> str:
    """δ_ij − (1 + (I_i − μ)ᵀ (Σ + ε/|w| 𝟙)⁻¹ (I_j − μ)) / |w|."""
    colours = torch.rand(9, 3)
    yours = run(answer, colours=colours, eps=EPS)
    if isinstance(yours, Tensor) and yours.shape == (3, 3):
        raise Mistake("you compare colours with colours, (3, 3); the matrix compares pixels with pixels: (9, 9).")
    n, pixels, ridge = 9, colours.double(), EPS / 9 * torch.eye(3, dtype=torch.float64)
    centred = pixels - pixels.mean(0)
    sigma = centred.T @ centred / n
    right, eye = _window(colours, EPS), torch.eye(n, dtype=torch.float64)
    taken = eye - right  # (1 + …) / n

    def gone_wrong(
        matrix: Tensor, constant: float = 1.0, invert: Callable = torch.linalg.inv, d: Tensor = centred
    ) -> Tensor:
        return eye - (constant + d @ invert(matrix) @ d.T) / n

    wrong = [
        (gone_wrong(sigma + n * ridge), "ε is not divided by the number of pixels: the formula has ε/|w|."),
        (gone_wrong(sigma), "ε is missing: on a window of one colour Σ has no inverse."),
        (gone_wrong(sigma + n**2 * ridge), "ε is multiplied by the number of pixels; the formula divides, ε/|w|."),
        (gone_wrong(sigma * 9 / 8 + ridge), "nearly: the covariance is divided by n − 1; by n: correction=0."),
        (gone_wrong(sigma * 9 / 8 + n * ridge), "two things: divide the covariance by n (correction=0), and ε by n."),
        (gone_wrong(sigma * n + ridge), "Σ is a sum here; it is a mean: divide by the pixels."),
        (gone_wrong(sigma + EPS / n), "ε/|w| is added to all nine numbers of Σ, not to the diagonal: torch.eye(3)."),
        (gone_wrong(sigma + ridge, 0.0), "the 1 in 1 + (…) is missing: an affine function has a constant."),
        (taken, "δ_ij minus this: you have the part that is taken off."),
        (-right, "the sign is wrong: δ_ij comes first, and the rest is taken off."),
        (eye - n * taken, "the 1/|w| in front of the bracket is missing."),
        (eye - 1 / n - (n * taken - 1), "1/|w| stands before the 1 only; it belongs before the whole bracket."),
        (1 - taken, "that is 1 in every place; δ_ij is 1 where i = j and 0 elsewhere: torch.eye."),
        (eye + taken, "δ_ij plus the rest; it is minus."),
        (eye - (eye + n * taken - 1) / n, "the 1 in 1 + (…) is torch.eye here, too; there it is the plain number 1."),
        *((gone_wrong(d.T @ d / n + ridge, d=d),
           f"the mean is taken {of}; μ is the mean colour, one number for each of the three channels: mean(0).")
          for of, d in (("over all numbers", pixels - pixels.mean()),
                        ("of each pixel", pixels - pixels.mean(1, keepdim=True)))),
        (gone_wrong(sigma + ridge, d=pixels), "μ is not taken off: it is (I_i − μ) and (I_j − μ)."),
        (gone_wrong(sigma + ridge, invert=lambda matrix: matrix), "Σ + ε/|w| 𝟙 multiplies; its inverse should."),
        (gone_wrong(sigma, invert=lambda matrix: torch.linalg.inv(matrix) + ridge),
         "ε is added after Σ was inverted; add it before, so that there is an inverse."),
        (gone_wrong(sigma + ridge, invert=torch.reciprocal),
         "1/Σ takes each number for itself; the formula has the matrix inverse: torch.linalg.inv."),
    ]  # fmt: skip
    must_match(yours, right, wrong, what="the part of one window")
    fewer = torch.rand(4, 3)
    must_be(answer(fewer, EPS), _window(fewer, EPS), "this is right for 9 pixels, but not for 4; mind ε too.")
    plain = "for a window of one colour this should be δ − 1/9: there ε alone makes the matrix invertible."
    must_be(answer(torch.full((9, 3), 0.5), EPS), eye - 1 / 9, plain)
    return "right: it leaves the part of a window's values that no affine function of its colours explains."


@check
def photorealism(answer: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> str:
    """Σ_c V_cᵀ M V_c and its gradient 2 M V_c, for a picture (1, 3, H, W) and a matrix (H·W, H·W)."""
    image, half = torch.rand(1, 3, 4, 5), torch.randn(20, 20)
    matrix = half @ half.T  # symmetric, as a Laplacian
    found, gradient = pair(run(answer, image=image, matrix=matrix), "the loss and its gradient")
    loss = number(found, "the loss")
    m, v = matrix.double(), image[0].double().flatten(1)  # (3, H·W)
    each = torch.stack([one @ m @ one for one in v])
    slope = torch.stack([2 * m @ one for one in v])  # (3, H·W)
    torn = "the channels are torn apart: flatten the last two dimensions of (1, 3, H, W), and keep the 3."
    by_pixel = "the channels are mixed: in memory red comes first, then green, then blue. Use flatten(start_dim=2)."
    orders = [
        (image[0].transpose(1, 2).flatten(1),
         "the pixels are taken column by column (as MATLAB does); this matrix counts them row by row."),
        (image[0].permute(1, 2, 0).reshape(3, -1), torn),
        (image[0].flatten().reshape(-1, 3).T, by_pixel),
    ]  # fmt: skip
    none = "the formula has no divisor."
    wrong = [
        (each.mean(), "this is the mean over the channels; the formula sums them."),
        (each[0], "only one channel counts; the formula sums red, green and blue."),
        (each.sum() / 20, f"divided by the number of pixels; {none}"),
        (each.sum() / 60, f"divided by the number of values; {none}"),
        (each.sum() / 2, "there is a ½; the formula has none."),
        ((v @ m).sum(), "this is Σ M V; multiply with V from the left once more: Vᵀ M V."),
        ((v @ m).square().sum(), "this is |M V|²; the formula is Vᵀ M V."),
        (
            v.sum(0) @ m @ v.sum(0),
            "red is multiplied with green, too (a sum of all of V M Vᵀ, or channels added before); "
            "each channel has a term Vᵀ M V of its own: the diagonal.",
        ),
        (v.mean(0) @ m @ v.mean(0), "this is the loss of the grey picture; each channel has a term of its own."),
        *((sum(one @ m @ one for one in vectors.double()), why) for vectors, why in orders),
    ]
    must_match(loss, each.sum(), wrong, "the loss differs: V_cᵀ M V_c for each channel, and the sum of the three.")
    gradient = torch.as_tensor(gradient) if isinstance(gradient, np.ndarray) else gradient
    right = slope.reshape(image.shape)
    wrong = [
        (right / 2, "the gradient lacks the 2: the slope of Vᵀ M V is 2 M V, as that of v² is 2 v."),
        (-right, "the sign is wrong: the gradient is 2 M V, and only the step downhill turns it round."),
        (-right / 2, "the gradient of Vᵀ M V is 2 M V: the sign is wrong, and the 2 is missing."),
        (right / 60, f"the gradient is divided by the number of values; {none}"),
        (right[:, :1].expand_as(right), "all channels have red's gradient; each has its own."),
        (2 * image, "M is missing: the gradient is 2 M V."),
        (slope.T.reshape(image.shape),
         "pixels and channels have changed places on the way back: (3, H·W) first, then reshape to (1, 3, H, W)."),
    ]  # fmt: skip
    otherwise = "the loss is right, but the gradient differs: 2 M V_c, back in the shape of the picture."
    must_match(gradient, right, wrong, otherwise, what="the gradient")
    return "right: red, green and blue have a term each, and downhill is −2 M V."


Side = tuple[Tensor, Tensor]  # activations (1, C, h, w) of one picture, and its masks (K, h, w)


def _small(masks: Tensor, like: Tensor) -> Tensor:
    """The masks (K, H, W) at the size of a layer, by means."""
    return F.adaptive_avg_pool2d(masks.double()[None], like.shape[2:])[0]


def _gram(features: Tensor, mask: Tensor) -> Tensor:
    """One mask over one layer, in float64: (C, C), not divided."""
    return losses.gram_matrix(features.double() * mask)[0]


def _style(
    mine: Side,
    theirs: Side,
    divisor: Callable[[Tensor], Any] = Tensor.sum,
    apart: Callable[[Tensor, Tensor], Tensor] = lambda difference, mask: difference.square().sum(),
) -> Tensor:
    """Σ_k 1/(2 N²) Σ_ij (G_k − A_k)²; `apart` in the place of the inner sum."""
    found = torch.zeros((), dtype=torch.float64)
    for mask, other in zip(mine[1], theirs[1], strict=True):
        difference = _gram(mine[0], mask) / divisor(mask) - _gram(theirs[0], other) / divisor(other)
        found += apart(difference, mask) / (2 * mine[0].shape[1] ** 2)
    return found


def _masks(count: int, height: int, width: int) -> Tensor:
    """Soft masks (count, height, width) that add up to 1 in every pixel, each strongest in columns of its own."""
    middles, x = torch.linspace(0.1, 0.8, count)[:, None, None], torch.linspace(0, 1, width)
    raw = (0.2 + torch.rand(count, height, width)) * (-((x - middles) / 0.3).square()).exp()
    return raw / raw.sum(0)


@check
def masked_style_loss(answer: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> str:
    """Σ_k 1/(2 N²) Σ_ij (G_k − A_k)², with G_k the Gram matrix of F M_k, divided by Σ M_k."""
    features, style = torch.randn(1, 4, 5, 6, requires_grad=True), torch.randn(1, 4, 4, 7)
    masks, style_masks = _masks(3, 20, 24), _masks(3, 16, 28)
    yours = run(answer, features=features, masks=masks, style_features=style, style_masks=style_masks)
    features = features.detach()
    right = _style((features, _small(masks, features)), (style, _small(style_masks, style)))
    must_match(yours, right, _style_mistakes(features, masks, style, style_masks), what="the style loss", gradient=True)
    mine, theirs = _small(masks, features), _small(style_masks, style)
    theirs[2] = 0  # a region that the style lacks
    absent, lacks = answer(features, mine.float(), style, theirs.float()), "a region that the style lacks"
    nan = f"{lacks} gives NaN: its mask is 0 everywhere, and so is the divisor. Leave such a region out."
    must_be_finite(torch.as_tensor(absent), nan)
    kept = _style((features, mine[:2]), (style, theirs[:2]))
    must_be(absent, kept, f"{lacks} is pulled to a Gram matrix of zeros; leave it out of the sum.")
    return "right: sky is compared with sky, however large each of them is."


def _style_mistakes(
    features: Tensor, masks: Tensor, style: Tensor, style_masks: Tensor
) -> Iterator[tuple[Tensor, str]]:
    mine, theirs = _small(masks, features), _small(style_masks, style)
    n, right = features.shape[1], _style((features, mine), (style, theirs))
    for divisor, why in (
        (lambda mask: 1.0, "the mask's share is missing in the divisor: divide each Gram matrix by its mask's sum."),
        (torch.numel, "divided by all positions of the layer; a region has fewer: divide by its mask's sum."),
        (torch.mean, "divided by the share alone: positions × share = mask.sum()."),
        (lambda mask: mask.square().sum(), "divided by Σ M²; divide by Σ M, the mask's sum."),
        (lambda mask: mask.sum() * n, "divided by the channels too; these come once, as N² in front of the sum."),
    ):  # fmt: skip
        yield _style((features, mine), (style, theirs), divisor), why

    def scaled(how: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        return how(masks.double(), features), how(style_masks.double(), style)

    def bilinear(antialias: bool) -> tuple[Tensor, Tensor]:
        return scaled(lambda mask, f: F.interpolate(mask[None], f.shape[2:], mode="bilinear", antialias=antialias)[0])

    swapped = _small(style_masks, features), _small(masks, style)
    average = "F.adaptive_avg_pool2d."
    for (one, other), why in (
        (scaled(lambda mask, f: torch.ones_like(f[:, 0])), "the masks are not used: this compares the whole pictures."),
        (swapped, "the masks are swapped: `masks` belong to `features`, and `style_masks` to `style_features`."),
        ((mine, swapped[1]), "the content's masks are laid over the style too; the style has its own."),
        ((swapped[0], theirs), "the style's masks are laid over the content too; it has its own."),
        ((mine == mine.amax(0), theirs == theirs.amax(0)), "each position goes to one region only; at an edge it "
         "belongs to several by parts."),
        ((mine > 0.5, theirs > 0.5), "a position counts wholly or not at all; at an edge it counts by parts."),
        ((mine[:1], theirs[:1]), "only the first region counts; sum over all."),
        ((mine[-1:], theirs[-1:]), "only the last region counts; add them up."),
        (scaled(lambda mask, f: F.interpolate(mask[None], f.shape[2:])[0]),
         f"the masks are not averaged: only every fourth pixel of them is used (nearest). Take {average}"),
        (scaled(lambda mask, f: mask[:, : f.shape[2], : f.shape[3]]),
         "the masks are cut, not scaled: the upper left corner of the mask is laid over the whole layer."),
        (bilinear(False), f"bilinear without antialias looks at a few pixels only: take the mean, {average}"),
        (bilinear(True), f"nearly: bilinear looks beyond the pixels that a position covers. Take the mean, {average}"),
    ):  # fmt: skip
        yield _style((features, one.double()), (style, other.double())), why
    for apart, why in (
        (lambda difference, mask: difference.abs().sum(), "absolute differences of the Gram matrices; square them."),
        (lambda difference, mask: difference.norm(), "there is a root; the formula sums the squares."),
        (lambda difference, mask: difference.square().sum() * mask.mean(),
         "each region counts by its size; in (3) all count alike, once divided by the mask's sum."),
    ):  # fmt: skip
        yield _style((features, mine), (style, theirs), apart=apart), why
    once = "the mask comes once in F Fᵀ; mask the activations, so that it is in both of them."
    yield _style((features, mine.sqrt()), (style, theirs.sqrt()), lambda mask: mask.square().sum()), once
    in_pixels = "divided by the mask's sum in *pixels*; it is laid over a layer: reduce the mask first, then add it up."
    yield right / 16**2, in_pixels  # a position of these layers is 4 x 4 pixels
    yield right * 2, "the 2 of 1/(2 N²) is missing."
    yield right / 2, "there is a 4 where the formula has a 2: this paper writes 1/(2 N²)."
    yield right * 2 * n**2, "the divisor 2 N² is missing."
    yield right * n**2, "the N² of 1/(2 N²) is missing."
    positions = "N is the number of channels; the positions are in the divisor of the Gram matrix already."
    yield right * n**2 / mine[0].numel() ** 2, positions
    yield right / 3, "the mean over the regions; the formula sums them."


RELATIVES = {
    "lake": ["sea", "water", "river"],
    "sea": ["lake", "water"],
    "grass": ["field", "earth"],
    "tower": ["building"],
    "sky": ["cloud", "water"],
}
CONTENT = ["sky", "lake", "grass", "tower", "person"]
REFERENCE = ["building", "sky", "water", "earth", "sea"]  # the largest first
EXPECTED = {"sky": "sky", "lake": "sea", "grass": "earth", "tower": "building", "person": "building"}


@check
def merge_orphans(answer: Callable[..., Mapping[str, str]]) -> str:
    """Each label of the content -> one that the reference has: itself, its nearest relative, or the largest region."""
    yours = run(answer, content=CONTENT, reference=REFERENCE, relatives=RELATIVES)
    if not isinstance(yours, Mapping):
        raise Mistake(f"give a dict, such as {{'lake': 'water'}}; yours is {type(yours).__name__}.")
    if dict(yours) != EXPECTED:
        raise Mistake(_merge_mistake(dict(yours)))
    other = answer(["tree", "sea"], ["rock", "lake"], RELATIVES)
    if dict(other) != {"tree": "rock", "sea": "lake"}:
        raise Mistake("this works for one pair of pictures, but not for another; use the arguments only.")
    return "right: every region of the content now has one to be compared with."


def _merge_mistake(yours: dict[str, str]) -> str:
    missing = [name for name in CONTENT if yours.get(name) is None]
    if set(yours) and set(yours) <= set(REFERENCE) and "building" in yours:
        return "this is the wrong way round: labels of the content go to labels of the reference."
    if missing == ["person"]:
        return "'person' has no relative, and is dropped: send it to the largest region, the first of the list."
    if set(missing) >= {name for name in CONTENT if name not in REFERENCE}:
        return f"the orphans are dropped ({', '.join(missing)}): those pixels would be compared with nothing."
    if missing:
        return f"{', '.join(missing)}: every label of the content needs one of the reference."
    extra = [name for name in yours if name not in CONTENT]
    if extra:
        return f"the content has no {', '.join(extra)}: give an entry for each label of the content, and no more."
    wrong = [name for name in CONTENT if yours[name] not in REFERENCE]
    if any(yours[name] == name for name in wrong):
        return "an orphan is left as it is: the reference has no region of that name to compare it with."
    if wrong:
        name = wrong[0]
        return f"{name!r} goes to {yours[name]!r}, which the reference does not have: go on to the next relative."
    if yours["sky"] != "sky":
        return "'sky' is in both pictures, so it is no orphan and stays what it is."
    if len(set(yours.values()) - {"sky"}) == 1:
        return "all orphans go to the largest region; look for a relative first."
    if yours["lake"] == "water":
        return "'lake' goes to 'water', but 'sea' comes before it in the list, and the reference has it."
    name = next(name for name in CONTENT if yours[name] != EXPECTED[name])
    return f"{name!r} goes to {yours[name]!r}: take the first relative that the reference has, else the largest region."
