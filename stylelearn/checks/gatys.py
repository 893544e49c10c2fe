"""Checks of lesson 02: the content gradient, the Gram matrix, the style loss, one step downhill, layer weights."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelearn import losses
from stylelearn.checks import Mistake, check, must_be, must_match, number, run, same
from stylelearn.encoders import STYLE_LAYERS, Encoder
from stylelearn.samples import style

TILE = 16  # pixels: larger than a stroke, smaller than a swirl of the marbling
GRAIN_ONLY = 0.2  # a loss that sees grain only notices shuffled tiles at most this much, compared with a blur


@check
def content_gradient(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """F − P where F > 0, and 0 everywhere else."""
    before_relu = torch.randn(1, 4, 5, 6, requires_grad=True)
    target = torch.randn(1, 4, 5, 6).relu()  # P
    (right,) = torch.autograd.grad((before_relu.relu() - target).square().sum() / 2, before_relu)
    features = before_relu.detach().relu()  # F
    yours = run(answer, F=features, P=target)
    difference, gate = features - target, features > 0
    wrong = [
        (difference, "the ReLU is missing: where F is 0 the gate is closed, and the gradient is 0."),
        (-right, "the sign is wrong: the gradient is F − P, and only the step downhill turns it round."),
        (-difference, "the sign is wrong (F − P, not P − F), and where F is 0 the gradient should be 0."),
        (difference * (target > 0), "you look where P > 0; the gate is that of the picture being made: F > 0."),
        (difference * (difference > 0), "you keep what is positive of F − P; keep F − P where F itself is positive."),
        *(
            (share * difference, "the ReLU is missing, and no factor is left: the ½ takes the 2 of the square away.")
            for share in (0.5, 2)
        ),
        (difference * features, "you multiply by F itself; multiply by the gate F > 0, which is 1 or 0."),
        (right * (target > 0), "P does not close the gate: where F > 0 and P = 0 the gradient is F − P."),
        (2 * right, "twice too much: the ½ in front of the sum takes away the 2 of the square."),
        (right / 2, "half of it: the square gives a 2, and the ½ takes it away, so no factor is left."),
        (right / features.numel(), "divided by the number of entries: the formula has a sum, not a mean."),
        (difference.square() * gate / 2, "this is the loss at each place; the gradient is its slope, F − P."),
        (difference.abs() * gate, "there is no absolute value: where F is too small the gradient is negative."),
        (features, "P is missing: the slope of ½ (F − P)² is F − P."),
    ]
    must_match(yours, right, wrong, what="the gradient, one number for each activation")
    return "right: autograd says the same. Where the ReLU has closed the gate, no gradient comes through."


def _gram(features: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, C) in float64."""
    return losses.gram_matrix(features.detach().double())


@check
def gram_matrix(answer: Callable[[Tensor], Tensor]) -> str:
    """G_ij = Σ_k F_ik F_jk, the sum over all positions, for each image of the batch."""
    features = torch.randn(2, 3, 4, 5)
    try:
        yours, grams = run(answer, features=features), _gram(features)
    except RuntimeError as error:
        if "size" in str(error):  # of two tensors that do not fit
            transposed = "the shapes do not fit: multiply (B, C, H·W) by its transpose; .mT swaps the last two."
            raise Mistake(transposed) from None
        raise
    shape = tuple(yours.shape) if isinstance(yours, Tensor) else None
    if shape in ((2, 20, 20), (20, 20)):
        raise Mistake("you compare positions with positions; the Gram matrix compares channels: (B, C, C).")
    if shape in ((3, 3), (1, 3, 3)):
        if same(yours.reshape(3, 3), grams[0]):
            raise Mistake("only the first image of the batch is used; the result has one matrix for each image.")
        raise Mistake("the images of the batch are mixed into one matrix; each image gets its own: (B, C, C).")
    if shape == (2, 2):
        raise Mistake("you compare the images of the batch: flatten(1) joins channels and positions; start_dim=2.")
    if shape == (2, 3, 4, 4):
        raise Mistake("you multiply rows of the picture: flatten the positions first, (B, C, H, W) to (B, C, H·W).")
    if shape in ((2, 3), (2, 3, 20)):
        raise Mistake("each channel is multiplied with itself only; the matrix has all pairs: use @.")
    if shape == (6, 6):
        raise Mistake("the images of the batch are mixed: flatten the positions only, and keep the batch in front.")
    flat, torn = features.flatten(start_dim=2), features.reshape(2, 20, 3)  # (B, C, H·W), (B, H·W, C)
    centred, norms = flat - flat.mean(dim=2, keepdim=True), flat.norm(dim=2, keepdim=True)
    undivided = "here the sum stays undivided (the loss will divide)."
    mixed = "the images of the batch are mixed: each matrix is the"
    wrong = [
        (grams / 20, f"divided by the number of positions; {undivided}"),
        (grams / 60, f"divided by C·H·W; {undivided}"),
        (grams / 3, f"divided by the number of channels; {undivided}"),
        (grams.sum(0).expand_as(grams), f"{mixed} sum over all images."),
        (grams.mean(0).expand_as(grams), f"{mixed} mean over all images."),
        (grams.flip(0), "the images of the batch have changed places."),
        (torn.mT @ torn, "reshape to (B, H·W, C) tears the channels apart: flatten dimensions 2, 3, then transpose."),
        *((centred @ centred.mT / by, "the mean of each channel is taken off first; that is a covariance.")
          for by in (1, 19, 20)),
        *((grams / side, f"divided by one side only; {undivided}") for side in (4, 5)),
        (flat @ flat.mT / (norms @ norms.mT), "each entry is divided by two norms."),
        (flat.square() @ flat.square().mT, "the activations are squared first; take them as they are."),
        (grams.square(), "the entries are squared: F_ik times F_jk is the product already."),
        (grams * torch.eye(3), "only the diagonal is filled; all pairs i, j belong to it."),
        (grams.triu(), "only half of the matrix is filled; it is symmetric."),
    ]  # fmt: skip
    must_match(yours, grams, wrong, what="the Gram matrices")
    for other in (torch.randn(1, 3, 4, 5), torch.randn(3, 5, 2, 2)):
        sizes = f"this works for one shape, but not for {tuple(other.shape)}; take sizes from the tensor."
        must_be(answer(other), _gram(other), sizes)
    return "right: one C × C matrix for each image; the sum removes the positions."


@check
def style_loss(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """1/(4 N²) Σ_ij (G_ij/M − A_ij/M')²."""
    features, wanted = torch.randn(1, 3, 4, 5, requires_grad=True), torch.randn(1, 3, 6, 7)
    yours = run(answer, features=features, style=wanted)
    g, a = _gram(features.detach()), _gram(wanted)
    n, mine, theirs = 3, 20, 42
    difference = g / mine - a / theirs
    each = difference.square().sum()
    right = each / (4 * n**2)

    def divided(g_by: float, a_by: float) -> Tensor:
        return (g / g_by - a / a_by).square().sum() / (4 * n**2)

    wrong = [
        ((g - a).square().mean(), "divide each Gram matrix by its own number of positions, before the difference."),
        (divided(1, 1) / mine**2 / n**2, "divided by N² twice, and by one M for both: use G/M and A/M'."),
        ((g - a).square().sum(), "there is no divisor at all: a larger picture would have a larger loss."),
        (divided(1, 1), "divide each Gram matrix by its own number of positions."),
        (divided(mine, mine), "the style's Gram matrix is divided by the image's M."),
        (divided(theirs, theirs), "the image's Gram matrix is divided by the style's M."),
        (right / mine**2, "divided by the positions twice: once in G/M, and once more in front of the sum."),
        (right / n**2, "divided by the channels too; they come once only, as N² in front of the sum."),
        (4 * right, "the 4 of 1/(4 N²) is missing."),
        (each / 4, "the N² of 1/(4 N²) is missing."),
        (each / (4 * n), "N must be squared: there are N² entries."),
        (each / (2 * n) ** 4, "1/(4 N²) is squared once too often."),
        (each, "the divisor 4 N² is missing."),
        (2 * right, "there is a 2 where the formula has a 4."),
        (right.sqrt(), "there is a root; the formula has the square."),
        (difference.sum().square() / (4 * n**2), "square each entry first, then sum."),
        (difference.abs().sum() / (4 * n**2), "absolute values; the formula squares."),
        (divided(mine, -theirs), "there is a plus between G and A; it is a difference."),
        (divided(mine, torch.inf), "the style is missing."),
    ]  # fmt: skip
    must_match(yours, right, wrong, what="the style loss", gradient=True)
    must_be(answer(wanted, wanted), 0.0, "the style compared with itself should give 0.")
    return "right: and the style may have any size, since each Gram matrix is divided by its own number of positions."


@check
def descent_step(answer: Callable[..., Tensor]) -> str:
    """x − λ ∂(α L_content + β L_style)/∂x."""
    wanted, given = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    alpha, beta, rate = 2.0, 5.0, 0.01

    def content_loss(x: Tensor) -> Tensor:
        return (x - wanted).square().sum() / 2  # gradient x − wanted

    def style_loss(x: Tensor) -> Tensor:
        return x.pow(4).sum() / 4  # gradient x³

    x = given.clone()
    try:
        yours = answer(x, content_loss, style_loss, alpha, beta, rate)
    except TypeError as error:
        if "multiply sequence" in str(error):
            raise Mistake("torch.autograd.grad gives a tuple; take its only entry: (gradient,) = …") from None
        raise
    except RuntimeError as error:
        if "does not require grad" in str(error):
            raise Mistake("x does not ask for gradients: work on here = x.clone().requires_grad_().") from None
        raise
    if yours is None:
        raise Mistake("your function returns nothing: end it with `return` and the next picture.")
    content, style = given - wanted, given**3
    slope = alpha * content + beta * style
    step = rate * slope
    wrong = [
        (given + step, "the sign is wrong: this climbs. Downhill is x − λ ∂L/∂x."),
        (given - rate * (beta * content + alpha * style), "content and style are swapped: α goes with the content."),
        (given - rate * (content + style), "α and β are not used."),
        (given - rate * alpha * content, "the style loss is missing."),
        (given - rate * beta * style, "the content loss is missing."),
        (given - rate * (content + beta * style), "α is not used."),
        (given - rate * (alpha * content + style), "β is not used."),
        (given - slope, "the step size λ is missing."),
        (step, "this is the step itself; the next picture is x minus it."),
        (-step, "this is the step itself; the next picture is x plus it."),
        (given - rate * slope.sign(), "only the sign of the gradient is used."),
        (slope, "this is the gradient; the next picture is x − λ times it."),
        (given - step / slope.norm(), "the gradient is divided by its length; the formula takes it as it is."),
        (given - step / slope.numel(), "the gradient is divided by the number of values."),
        (given - 2 * step, "the step is twice too long: was backward() called twice?"),
        (given, "nothing has moved."),
    ]
    must_match(yours, given - step, wrong, tolerance=1e-5, what="the next picture")
    if not torch.equal(given, x):
        raise Mistake("your function changes x itself; build a new tensor, for instance with clone().")
    if yours.requires_grad and yours.is_leaf:
        raise Mistake("the numbers are right, but the picture still asks for gradients: return x.detach().")
    if yours.requires_grad:
        raise Mistake("the next picture keeps the graph of this one: subtract under torch.no_grad(), or detach.")
    left_over = "a second call with the same x gives another picture: x.grad keeps the first gradient, and backward() "
    left_over += "adds to it. Work on a clone, or use torch.autograd.grad."
    must_be(answer(x, content_loss, style_loss, alpha, beta, rate), yours.detach(), left_over, 1e-5)
    return "right: this is all that is learnt here. The network stays as it is, and the pixels move."


def blurred(image: Tensor) -> Tensor:
    """The image without its grain: each square of 2 × 2 pixels averaged. (B, 3, H, W) -> the same shape."""
    return F.interpolate(F.avg_pool2d(image, 2), size=image.shape[-2:], mode="bilinear", align_corners=False)


def shuffled(image: Tensor) -> Tensor:
    """The image without its large shapes: cut into square tiles that change places. H and W multiples of `TILE`."""
    tiles = F.unfold(image, TILE, stride=TILE)  # (B, 3·TILE², number)
    order = torch.randperm(tiles.shape[2], generator=torch.Generator().manual_seed(0))
    return F.fold(tiles[:, :, order], image.shape[-2:], TILE, stride=TILE)


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
        if not 0 <= number(weight, f"the weight of {layer}") < float("inf"):
            raise Mistake(f"the weight of {layer} must be a number from 0 up; yours is {weight!r}.")
    if not any(weights.values()):
        raise Mistake("all weights are 0: then no style is carried at all.")
    return {layer: float(weight) for layer, weight in weights.items()}
