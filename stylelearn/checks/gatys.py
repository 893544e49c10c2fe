"""Checks of lesson 02: the content gradient, the Gram matrix, the style loss, one step downhill, layer weights."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelearn.checks import Mistake, check, must_be_tensor, same
from stylelearn.encoders import STYLE_LAYERS, Encoder
from stylelearn.samples import style

TILE = 16  # pixels: larger than a stroke, smaller than a swirl of the marbling
GRAIN_ONLY = 0.2  # a loss that sees grain only notices shuffled tiles at most this much, compared with a blur

Gradient = Callable[[Tensor, Tensor], Tensor]


def _unchanged(before: Tensor, after: Tensor, what: str) -> None:
    if not torch.equal(before, after):
        raise Mistake(f"your function changes {what} itself; build a new tensor, for instance with clone().")


# --------------------------------------------------------------------------------------------------- content gradient


@check
def content_gradient(answer: Gradient) -> str:
    """F − P where F > 0, else 0: the gradient of ½ Σ (F − P)² at the numbers before the ReLU."""
    before_relu = torch.randn(1, 4, 5, 6, requires_grad=True)
    target = torch.randn(1, 4, 5, 6).relu()  # P
    features = before_relu.relu()  # F
    (expected,) = torch.autograd.grad((features - target).square().sum() / 2, before_relu)
    given = features.detach()
    yours = answer(given.clone(), target.clone())
    must_be_tensor(yours, tuple(given.shape), "the gradient, one number for each activation,")
    if not same(yours, expected):
        raise Mistake(_gradient_mistake(given, target, yours))
    kept_features, kept_target = given.clone(), target.clone()
    answer(kept_features, kept_target)
    _unchanged(given, kept_features, "F")
    _unchanged(target, kept_target, "P")
    return "right: autograd says the same. Where the ReLU has closed the gate, no gradient comes through."


def _gradient_mistake(features: Tensor, target: Tensor, yours: Tensor) -> str:
    difference = features - target
    gate = features > 0
    for value, why in (
        (difference, "the ReLU is missing: where F is 0 the gate is closed, and the gradient is 0."),
        (
            -difference * gate,
            "the sign is wrong: the gradient is F − P, and only the step downhill turns it round.",
        ),
        (-difference, "the sign is wrong (F − P, not P − F), and where F is 0 the gradient should be 0."),
        (difference * (target > 0), "you look where P > 0; the gate is that of the picture being made: F > 0."),
        (difference * (difference > 0), "you keep what is positive of F − P; keep F − P where F itself is positive."),
        (difference * (features < 0), "that is the other side of the gate: the gradient passes where F > 0."),
        (2 * difference * gate, "twice too much: the ½ in front of the sum takes away the 2 of the square."),
        (difference * gate / 2, "half of it: the square gives a 2, and the ½ takes it away, so no factor is left."),
        (difference * gate / features.numel(), "divided by the number of entries: the formula has a sum, not a mean."),
        (difference.square() * gate / 2, "this is the loss at each place; the gradient is its slope, F − P."),
        (difference.abs() * gate, "there is no absolute value: where F is too small the gradient is negative."),
        (features * gate, "P is missing: the slope of ½ (F − P)² is F − P."),
    ):
        if same(yours, value):
            return why
    return "the values differ: F − P where F > 0, and 0 everywhere else."


# -------------------------------------------------------------------------------------------------------- Gram matrix


def _gram(features: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, C) in float64, one entry at a time: what everything here is held against."""
    batch, channels = features.shape[:2]
    gram = torch.zeros(batch, channels, channels, dtype=torch.float64)
    for b in range(batch):
        for i in range(channels):
            for j in range(channels):
                gram[b, i, j] = (features[b, i].double() * features[b, j].double()).sum()
    return gram


@check
def gram_matrix(answer: Callable[[Tensor], Tensor]) -> str:
    """G_ij = Σ_k F_ik F_jk of each image of a batch, (B, C, H, W) -> (B, C, C)."""
    features = torch.randn(2, 3, 4, 5)
    given = features.clone()
    yours = answer(given)
    batch, channels, positions = 2, 3, 20
    shape = tuple(yours.shape) if isinstance(yours, Tensor) else None
    if shape in ((batch, positions, positions), (positions, positions)):
        raise Mistake("you compare positions with positions; the Gram matrix compares channels: (B, C, C).")
    if shape in ((channels, channels), (1, channels, channels)):
        raise Mistake(_one_for_all(features, yours))
    if shape == (batch * channels, batch * channels):
        raise Mistake("the images of the batch are mixed: flatten the positions only, and keep the batch in front.")
    must_be_tensor(yours, (batch, channels, channels), "the Gram matrices")
    if not same(yours, _gram(features)):
        raise Mistake(_gram_mistake(features, yours))
    _unchanged(features, given, "the activations")
    for other in (torch.randn(1, 3, 4, 5), torch.randn(3, 5, 2, 2)):
        if not same(answer(other), _gram(other)):
            raise Mistake(f"this works for one shape, but not for {tuple(other.shape)}; take sizes from the tensor.")
    return "right: one C × C matrix for each image, and the positions are summed away."


def _one_for_all(features: Tensor, yours: Tensor) -> str:
    grams = _gram(features)
    if same(yours, grams[0]) or same(yours, grams[:1]):
        return "only the first image of the batch is used; the result has one matrix for each image."
    return "the images of the batch are mixed into one matrix; each image gets its own: (B, C, C)."


def _gram_mistake(features: Tensor, yours: Tensor) -> str:
    batch, channels, height, width = features.shape
    positions = height * width
    grams = _gram(features)
    flat = features.flatten(start_dim=2)  # (B, C, H·W)
    scrambled = features.reshape(batch, positions, channels)
    centred = flat - flat.mean(dim=2, keepdim=True)
    norms = flat.norm(dim=2, keepdim=True)
    for value, why in (
        (grams / positions, "divided by the number of positions; here the sum stays undivided (the loss will divide)."),
        (grams / (channels * positions), "divided by C·H·W; here the sum stays undivided (the loss will divide)."),
        (grams / channels, "divided by the number of channels; here the sum stays undivided (the loss will divide)."),
        (grams.sum(0).expand_as(grams), "the images of the batch are mixed: each matrix is the sum over all images."),
        (grams.mean(0).expand_as(grams), "the images of the batch are mixed: each matrix is the mean over all images."),
        (grams.flip(0), "the images of the batch have changed places."),
        (
            (scrambled.transpose(1, 2) @ scrambled),
            "reshape to (B, H·W, C) tears the channels apart: in memory the positions lie last. Flatten dimensions 2 "
            "and 3, then transpose.",
        ),
        (centred @ centred.transpose(1, 2), "the mean of each channel is taken off first; that is a covariance."),
        (flat @ flat.transpose(1, 2) / (norms @ norms.transpose(1, 2)), "each entry is divided by two norms."),
        (
            flat.square() @ flat.square().transpose(1, 2),
            "the activations are squared first; take them as they are.",
        ),
        (grams.square(), "the entries are squared: F_ik times F_jk is the product already."),
        (torch.diag_embed(grams.diagonal(dim1=1, dim2=2)), "only the diagonal is filled; all pairs i, j belong to it."),
        (grams.triu(), "only half of the matrix is filled; it is symmetric."),
    ):
        if same(yours, value):
            return why
    return "the values differ: entry i, j is the sum over all positions of channel i times channel j."


# --------------------------------------------------------------------------------------------------------- style loss


@check
def style_loss(answer: Gradient) -> str:
    """1/(4 N²) Σ (G/M − A/M')² of two activations whose pictures have different sizes."""
    features, wanted = torch.randn(1, 3, 4, 5, requires_grad=True), torch.randn(1, 3, 6, 7)
    yours = answer(features, wanted.clone())
    must_be_tensor(yours, (), "the style loss, one number,")
    expected = (_gram(features) / 20 - _gram(wanted) / 42).square().sum() / 36
    if not same(yours, expected):
        raise Mistake(_style_mistake(features.detach(), wanted, yours))
    if not yours.requires_grad:
        raise Mistake("the number is right, but it no longer knows where it came from: without .item() or .detach().")
    if not same(answer(wanted, wanted), 0.0):
        raise Mistake("the style compared with itself should give 0.")
    return "right: and the style may have any size, since each Gram matrix is divided by its own number of positions."


def _style_mistake(features: Tensor, wanted: Tensor, yours: Tensor) -> str:
    g, a = _gram(features), _gram(wanted)
    n, mine, theirs = features.shape[1], features[0, 0].numel(), wanted[0, 0].numel()
    each = (g / mine - a / theirs).square().sum()
    for value, why in (
        (
            (g - a).square().sum(),
            "there is no divisor at all: a larger picture would have a larger loss.",
        ),
        (
            (g - a).square().sum() / (4 * n**2),
            "divide each Gram matrix by its own number of positions.",
        ),
        (
            (g / mine - a / mine).square().sum() / (4 * n**2),
            "the style's Gram matrix is divided by the image's M.",
        ),
        (
            (g / theirs - a / theirs).square().sum() / (4 * n**2),
            "the image's Gram matrix is divided by the style's M.",
        ),
        (
            (g / mine - a / theirs).square().sum() / (4 * n**2 * mine**2),
            "divided by the positions twice: once in G/M, and once more in front of the sum.",
        ),
        (
            (g / (n * mine) - a / (n * theirs)).square().sum() / (4 * n**2),
            "divided by the channels too: G/M has positions only; the channels come once, as N² in front of the sum.",
        ),
        ((g / (n * mine) - a / (n * theirs)).square().sum(), "the 4 is missing (and N² is in the right place)."),
        (each / n**2, "the 4 of 1/(4 N²) is missing."),
        (each / 4, "the N² of 1/(4 N²) is missing."),
        (each / (4 * n), "N must be squared: there are N² entries."),
        (each / (2 * n) ** 4, "1/(4 N²) is squared once too often."),
        (each, "the divisor 4 N² is missing."),
        (each / n**2 / 2, "there is a 2 where the formula has a 4."),
        ((each / (4 * n**2)).sqrt(), "there is a root; the formula has the square."),
        ((g / mine - a / theirs).sum().square() / (4 * n**2), "square each entry first, then sum."),
        ((g / mine - a / theirs).abs().sum() / (4 * n**2), "absolute values; the formula squares."),
        (
            (g / mine + a / theirs).square().sum() / (4 * n**2),
            "there is a plus between G and A; it is a difference.",
        ),
        ((g / mine).square().sum() / (4 * n**2), "the style is missing."),
    ):
        if same(yours, value):
            return why
    return "the values differ: 1/(4 N²) times the sum of the squares of G/M − A/M'."


# ------------------------------------------------------------------------------------------------------- descent step


@check
def descent_step(answer: Callable[..., Tensor]) -> str:
    """x − λ ∂(α L_content + β L_style)/∂x for two losses whose gradients are known."""
    wanted, given = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    alpha, beta, rate = 2.0, 5.0, 0.01

    def content_loss(x: Tensor) -> Tensor:
        return (x - wanted).square().sum() / 2  # gradient x − wanted

    def style_loss(x: Tensor) -> Tensor:
        return x.pow(4).sum() / 4  # gradient x³

    x = given.clone()
    yours = answer(x, content_loss, style_loss, alpha, beta, rate)
    must_be_tensor(yours, tuple(given.shape), "the next picture")
    slopes = given - wanted, given**3
    if not same(yours, given - rate * (alpha * slopes[0] + beta * slopes[1]), 1e-5):
        raise Mistake(_step_mistake(given, slopes, (alpha, beta, rate), yours))
    _unchanged(given, x.detach(), "x")
    if yours.requires_grad and yours.is_leaf:
        raise Mistake("the numbers are right, but the picture still asks for gradients: return x.detach().")
    if yours.requires_grad:
        raise Mistake("the next picture still hangs on the last one's graph, and each step would make it longer: "
                      "subtract under torch.no_grad(), or detach.")  # fmt: skip
    again = answer(x, content_loss, style_loss, alpha, beta, rate)
    if not same(again, yours, 1e-5):
        raise Mistake("a second call with the same x goes elsewhere: the gradient of the first is still in x.grad, and "
                      "backward() adds to it. Work on a clone, or use torch.autograd.grad.")  # fmt: skip
    return "right: this is the whole of learning here. The network stays as it is, and the pixels move."


def _step_mistake(x: Tensor, slopes: tuple[Tensor, Tensor], numbers: tuple[float, float, float], yours: Tensor) -> str:
    content, style = slopes
    alpha, beta, rate = numbers
    slope = alpha * content + beta * style
    for value, why in (
        (x + rate * slope, "the sign is wrong: this climbs. Downhill is x − λ ∂L/∂x."),
        (x - rate * (beta * content + alpha * style), "content and style are swapped: α goes with the content loss."),
        (x - rate * (content + style), "α and β are not used."),
        (x - rate * alpha * content, "the style loss is missing."),
        (x - rate * beta * style, "the content loss is missing."),
        (x - rate * (content + beta * style), "α is not used."),
        (x - rate * (alpha * content + style), "β is not used."),
        (x - slope, "the step size λ is missing."),
        (rate * slope, "this is the step itself; the next picture is x minus it."),
        (-rate * slope, "this is the step itself; the next picture is x plus it."),
        (x - rate * slope.sign(), "only the sign of the gradient is used."),
        (x - rate * slope / slope.norm(), "the gradient is divided by its length; the formula takes it as it is."),
        (x - rate * slope / slope.numel(), "the gradient is divided by the number of values."),
        (x - 2 * rate * slope, "the step is twice too long: was backward() called twice?"),
        (x, "nothing has moved."),
    ):
        if same(yours, value, 1e-5):
            return why
    return "the values differ: x − λ times the gradient of α L_content + β L_style."


# ------------------------------------------------------------------------------------------------------ layer weights


def blurred(image: Tensor, factor: int = 2) -> Tensor:
    """The image without its grain: each square of `factor` pixels averaged. (B, 3, H, W) -> the same shape."""
    small = F.avg_pool2d(image, factor)
    return F.interpolate(small, size=image.shape[-2:], mode="bilinear", align_corners=False)


def shuffled(image: Tensor, tile: int = TILE, seed: int = 0) -> Tensor:
    """The image without its large shapes: cut into square tiles that change places. H and W multiples of `tile`."""
    height, width = image.shape[-2:]
    if height % tile or width % tile:
        raise ValueError(f"height and width must be multiples of {tile}; this image is {height} × {width}")
    tiles = F.unfold(image, tile, stride=tile)  # (B, 3·tile², number)
    order = torch.randperm(tiles.shape[2], generator=torch.Generator().manual_seed(seed))
    return F.fold(tiles[:, :, order], (height, width), tile, stride=tile)


@functools.cache
def noticed() -> dict[str, tuple[float, float]]:
    """Layer -> how much its style loss notices (shuffled tiles, a blur) of the marbling; the course's divisor."""
    image = style("marbling", 8 * TILE)
    encoder = Encoder("mini")
    with torch.no_grad():
        plain, tiles, soft = (encoder(each, STYLE_LAYERS) for each in (image, shuffled(image), blurred(image)))
    found = {}
    for layer in STYLE_LAYERS:
        a, g, b = (_gram(features[layer]) / features[layer][0, 0].numel() for features in (plain, tiles, soft))
        whole = a.square().sum()
        found[layer] = ((g - a).square().sum() / whole).item(), ((b - a).square().sum() / whole).item()
    return found


@check
def grain_only(weights: Any) -> str:
    """Layer weights whose style loss notices a blur much more than tiles that change places."""
    chosen = _as_weights(weights)
    tiles = {layer: weight * noticed()[layer][0] for layer, weight in chosen.items()}
    soft = {layer: weight * noticed()[layer][1] for layer, weight in chosen.items()}
    ratio = sum(tiles.values()) / sum(soft.values())
    numbers = f"Shuffling counts {ratio:.2f} times as much as blurring"
    if ratio <= GRAIN_ONLY:
        return f"right: this loss sees the grain, and hardly notices when the large shapes are gone. {numbers}."
    most = max(tiles, key=tiles.__getitem__)
    share = tiles[most] / sum(tiles.values())
    if not any(chosen.get(layer, 0) for layer in STYLE_LAYERS[:3]):
        reason = "this is the other way round: only deep layers are left, and they see large shapes"
    elif len(set(chosen.values())) == 1 and len(chosen) == len(STYLE_LAYERS):
        reason = "with equal weights all five layers take part, and the deep ones notice that the large shapes are gone"
    else:
        reason = "a layer that sees large shapes takes part"
    raise Mistake(
        f"{reason}. {numbers}, and should count at most {GRAIN_ONLY}; {share:.0%} of that comes from {most}: "
        "lower its weight."
    )


def _as_weights(weights: Any) -> dict[str, float]:
    if not isinstance(weights, Mapping):
        raise Mistake(f"give a dict such as {{'relu1_1': 1, 'relu2_1': 0}}; yours is {type(weights).__name__}.")
    for layer, weight in weights.items():
        if layer not in STYLE_LAYERS:
            raise Mistake(f"there is no style layer {layer!r}; choose from {', '.join(STYLE_LAYERS)}.")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < float("inf"):
            raise Mistake(f"the weight of {layer} must be a number from 0 up; yours is {weight!r}.")
    if not any(weights.values()):
        raise Mistake("all weights are 0: then no style is carried at all.")
    return dict(weights)
