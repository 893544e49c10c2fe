"""Checks of lesson 05: AdaIN itself, the style loss by moments, mixtures of styles, and two styles by a mask."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelearn.checks import Mistake, check, must_be_tensor, same

Moments = tuple[Tensor, Tensor]
TOLERANCE = 1e-3  # answers may put an ε of their own under the root


def _moments(features: Tensor) -> Moments:
    """μ and σ in float64, one channel at a time: what everything here is held against. Two of (B, C, 1, 1)."""
    batch, channels = features.shape[:2]
    mean, deviation = torch.zeros(2, batch, channels, 1, 1, dtype=torch.float64)
    for b in range(batch):
        for c in range(channels):
            values = features[b, c].double().flatten()
            mean[b, c] = values.sum() / len(values)
            deviation[b, c] = ((values - mean[b, c].item()).square().sum() / len(values)).sqrt()
    return mean, deviation


def _adain(x: Tensor, style: Moments) -> Tensor:
    mean, deviation = _moments(x)
    return style[1] * (x.double() - mean) / deviation + style[0]


def _activations(*shape: int) -> Tensor:
    """Random, each channel with a mean and a spread of its own, so that no two can be confused."""
    batch, channels = shape[:2]
    level, spread = torch.rand(2, batch, channels, 1, 1)
    return torch.randn(shape) * (0.5 + spread) + 3 * level


def _unchanged(before: Tensor, after: Tensor, what: str) -> None:
    if not torch.equal(before, after):
        raise Mistake(f"your function changes {what} itself; build a new tensor.")


# --------------------------------------------------------------------------------------------------------------- adain


@check
def adain(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """σ(y) (x − μ(x))/σ(x) + μ(y) for a batch of two; the styles have another size than the contents."""
    x, y = _activations(2, 3, 6, 7), _activations(2, 3, 5, 4)
    kept_x, kept_y = x.clone(), y.clone()
    yours = answer(kept_x, kept_y)
    if isinstance(yours, Tensor) and yours.shape == y.shape:
        raise Mistake("content and style are swapped: it is x, the content, that is normalised and keeps its places.")
    must_be_tensor(yours, tuple(x.shape), "the new activations")
    if not same(yours, _adain(x, _moments(y)), TOLERANCE):
        raise Mistake(_adain_mistake(x, y, yours))
    _unchanged(x, kept_x, "x")
    _unchanged(y, kept_y, "y")
    flat = x.clone()
    flat[:, 1] = 2.0
    if not torch.isfinite(answer(flat, y)).all():
        raise Mistake("a channel that is the same everywhere gives NaN: σ(x) is 0 there. Put a small ε under the root.")
    return "right: each channel of each picture has the style's mean and spread now, and its own pattern still."


def _adain_mistake(x: Tensor, y: Tensor, yours: Tensor) -> str:
    (m, s), (mean, deviation) = _moments(x), _moments(y)
    centred = x.double() - m
    unbiased = y.double().std(dim=(2, 3), keepdim=True) / x.double().std(dim=(2, 3), keepdim=True)
    whole = (0, 2, 3)
    xb, yb = (
        (each.double().mean(whole, True), each.double().std(whole, correction=0, keepdim=True)) for each in (x, y)
    )
    layer = (1, 2, 3)
    xl, yl = (
        (each.double().mean(layer, True), each.double().std(layer, correction=0, keepdim=True)) for each in (x, y)
    )
    for value, why in (
        (
            unbiased * centred + mean,
            "nearly: that is the variance divided by one less than the number of positions. Here it is divided by the "
            "number of positions itself (correction=0).",
        ),
        (
            yb[1] * (x - xb[0]) / xb[1] + yb[0],
            "the pictures of the batch are mixed: mean and deviation go over the positions, dimensions 2 and 3, only.",
        ),
        (
            yl[1] * (x - xl[0]) / xl[1] + yl[0],
            "the channels are mixed: each channel has its own mean and deviation; leave dimension 1 alone.",
        ),
        (deviation**2 * centred / s**2 + mean, "these are variances; AdaIN has standard deviations, their roots."),
        (deviation * centred / s, "μ(y) is missing: all channels end at a mean of 0."),
        (centred / s + mean, "σ(y) is missing: each channel has a spread of 1."),
        (centred / s, "this is instance normalisation; give it the style's σ(y) and μ(y) now."),
        (deviation * x / s + mean, "μ(x) is not taken off, so the content's mean is left in."),
        (deviation * centred + mean, "the division by σ(x) is missing."),
        (deviation * centred * s + mean, "σ(x) multiplies; it has to divide."),
        (mean * centred / s + deviation, "μ(y) and σ(y) have changed places."),
        (s * centred / deviation + mean, "the two deviations have changed places: divide by σ(x), multiply by σ(y)."),
        (deviation * (centred / s + mean), "μ(y) is multiplied by σ(y) too; add it last."),
        (x, "nothing has changed: the moments must be those of y."),
    ):
        if same(yours, value, TOLERANCE):
            return why
    return "the values differ: σ(y) times (x − μ(x)) divided by σ(x), plus μ(y), channel by channel."


# ---------------------------------------------------------------------------------------------------------- style loss


@check
def style_loss(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """‖μ − μ_s‖₂ + ‖σ − σ_s‖₂ of one layer, the mean over a batch of two."""
    features, wanted = _activations(2, 3, 6, 7).requires_grad_(), _activations(2, 3, 5, 4)
    yours = answer(features, wanted)
    must_be_tensor(yours, (), "the loss, one number,")
    (m, s), (mean, deviation) = _moments(features.detach()), _moments(wanted)
    if not same(yours, ((m - mean).norm(dim=1) + (s - deviation).norm(dim=1)).mean(), TOLERANCE):
        raise Mistake(_loss_mistake(features.detach(), wanted, yours))
    if not yours.requires_grad:
        raise Mistake("the number is right, but it no longer knows where it came from: without .item() or .detach().")
    if not same(answer(wanted, wanted), 0.0):
        raise Mistake("a style compared with itself should give 0.")
    return "right: two lists of numbers are compared, and where in the picture they came from is forgotten."


def _loss_mistake(features: Tensor, wanted: Tensor, yours: Tensor) -> str:
    (m, s), (mean, deviation) = _moments(features), _moments(wanted)
    a, b = (m - mean).flatten(1), (s - deviation).flatten(1)  # (B, C) each
    unbiased = (features.double().std((2, 3)) - wanted.double().std((2, 3))).norm(dim=1)
    for value, why in (
        (a.norm(dim=1).mean() + unbiased.mean(), "nearly: the variance is divided by the number of positions here."),
        (a.norm(dim=1).mean(), "the deviations are missing: σ is the other half of a style."),
        (b.norm(dim=1).mean(), "the means are missing."),
        ((a.square() + b.square()).sum(dim=1).mean(), "there are squares; ‖·‖₂ is the root of their sum."),
        ((a.square() + b.square()).sum(dim=1).sqrt().mean(), "one root for both; the formula has a norm for each."),
        ((a.abs() + b.abs()).sum(dim=1).mean(), "absolute values; ‖·‖₂ squares, adds, and takes the root."),
        (
            (a.square().mean(dim=1) + b.square().mean(dim=1)).mean(),
            "this is a mean of squares (mse_loss); the formula has the norm ‖·‖₂.",
        ),
        (a.norm() + b.norm(), "one norm for the whole batch: each picture has its own, and the mean is taken of them."),
        ((a.norm(dim=1) + b.norm(dim=1)).sum(), "the sum over the batch; take the mean, or the weight depends on it."),
        (
            (a.norm(dim=1) + (s.square() - deviation.square()).flatten(1).norm(dim=1)).mean(),
            "variances are compared; the formula has standard deviations.",
        ),
    ):
        if same(yours, value, TOLERANCE):
            return why
    return "the values differ: the norm of the difference of the means, plus that of the deviations."


# ------------------------------------------------------------------------------------------------------------- mixture


@check
def mixture(answer: Callable[..., Tensor]) -> str:
    """(1 − α) f(c) + α Σ_k w_k AdaIN(f(c), f(s_k)), for three styles."""
    x = _activations(1, 4, 5, 6)
    styles = [_moments(_activations(1, 4, 5, 5)) for _ in range(3)]
    given = [(mean.float(), deviation.float()) for mean, deviation in styles]
    shares, alpha = [0.5, 0.2, 0.3], 0.7
    yours = answer(x.clone(), given, shares, alpha)
    must_be_tensor(yours, tuple(x.shape), "the mixture")
    t = [_adain(x, style) for style in styles]
    mixed = sum(w * one for w, one in zip(shares, t, strict=True))
    if not same(yours, (1 - alpha) * x + alpha * mixed, TOLERANCE):
        raise Mistake(_mixture_mistake(x, styles, t, shares, alpha, yours))
    if not same(answer(x, given, shares, 0.0), x, TOLERANCE):
        raise Mistake("with α = 0 the content's own activations should come out.")
    if not same(answer(x, given[:2], [0.25, 0.75], 1.0), 0.25 * t[0] + 0.75 * t[1], TOLERANCE):
        raise Mistake("this works for three styles, but not for two; go through the lists.")
    return "right: mixing is arithmetic. You could even have mixed the means and deviations first: it is the same."


def _mixture_mistake(
    x: Tensor, styles: Sequence[Moments], t: Sequence[Tensor], shares: Sequence[float], alpha: float, yours: Tensor
) -> str:
    mixed = sum(w * one for w, one in zip(shares, t, strict=True))
    variance = sum(w * style[1].square() for w, style in zip(shares, styles, strict=True))
    by_variance = _adain(x, (sum(w * style[0] for w, style in zip(shares, styles, strict=True)), variance.sqrt()))
    for value, why in (
        (alpha * x + (1 - alpha) * mixed, "α and 1 − α are swapped: α = 1 is all style."),
        (
            mixed,
            "α has no effect: it is not used, or it only scales what AdaIN takes the scale away from. Mix the results.",
        ),
        (x + alpha * mixed, "the content keeps its full weight; it has 1 − α."),
        (alpha * mixed, "the content is missing: (1 − α) f(c) belongs to the sum."),
        ((1 - alpha) * x + alpha * sum(t), "the shares w_k are not used: the sum is too large."),
        ((1 - alpha) * x + alpha * sum(t) / len(t), "all styles count the same; each has its own share w_k."),
        ((1 - alpha) * x + alpha * mixed / len(t), "divided by the number of styles as well; the shares do that."),
        ((1 - alpha) * x + alpha * t[0], "only the first style is there."),
        (
            (1 - alpha) * x + alpha * t[-1],
            "only the last style is there. Does a line overwrite the sum, or does one AdaIN follow the other? The last "
            "one wins then: start each from f(c).",
        ),
        ((1 - alpha) * x + alpha * by_variance, "the variances are mixed; mix the deviations, or the results."),
        (sum(w * (alpha * one) for w, one in zip(shares, t, strict=True)) + x * (1 - alpha) * len(t),
         "the content is added once for every style."),
    ):  # fmt: skip
        if same(yours, value, TOLERANCE):
            return why
    return "the values differ: (1 − α) times the content, plus α times the sum of w_k AdaIN(f(c), style k)."


# --------------------------------------------------------------------------------------------------- two styles, a mask


@check
def two_styles(answer: Callable[..., Tensor]) -> str:
    """m AdaIN(f(c), first) + (1 − m) AdaIN(f(c), second), with a mask at the picture's size, eight times as large."""
    x = _activations(1, 4, 8, 10)
    styles = [_moments(_activations(1, 4, 5, 5)) for _ in range(2)]
    first, second = ((mean.float(), deviation.float()) for mean, deviation in styles)
    mask = torch.zeros(1, 1, 64, 80)
    mask[..., :40] = 1
    mask[..., 32:, 40:] = 0.3  # half way: here both count
    yours = answer(x.clone(), first, second, mask.clone())
    must_be_tensor(yours, tuple(x.shape), "the new activations")
    inside = torch.ones(8, 10, dtype=torch.bool)  # but for cells at an edge of the mask, where ways to shrink it differ
    inside[:, 4:6] = inside[3:5, 5:] = False
    small = F.avg_pool2d(mask, 8).double()  # (1, 1, 8, 10)
    a, b = (_adain(x, style) for style in styles)
    if not same(yours[..., inside], (small * a + (1 - small) * b)[..., inside], TOLERANCE):
        raise Mistake(_mask_mistake(x, a, b, small, styles, yours, inside))
    return "right: the places are still there after AdaIN, so each can have the style that it wants."


def _mask_mistake(
    x: Tensor, a: Tensor, b: Tensor, small: Tensor, styles: Sequence[Moments], yours: Tensor, inside: Tensor
) -> str:
    hard = (small > 0.5).double()
    apart = _adain(x * small, styles[0]) + _adain(x * (1 - small), styles[1])
    masked = small * _adain(x * small, styles[0]) + (1 - small) * _adain(x * (1 - small), styles[1])
    for value, why in (
        ((1 - small) * a + small * b, "inside and outside are swapped: where the mask is 1, the first style counts."),
        (hard * a + (1 - hard) * b, "the mask is cut to 0 and 1; keep its values between, for soft edges."),
        (small * a, "outside of the mask there is nothing: the second style is missing, with 1 − mask."),
        (small * a + (1 - small) * x, "outside of the mask is the content; the second style belongs there."),
        (small * a + b, "the second style counts everywhere; it has the weight 1 − mask."),
        (a + b, "the mask is not used."),
        (a, "this is the first style everywhere: the mask is not used."),
        (b, "this is the second style everywhere: the mask is not used."),
        ((a + b) / 2, "both styles count the same everywhere: the mask is not used."),
        (apart, "the content is masked before AdaIN, so its mean and deviation are wrong. Mask the results."),
        (masked, "the content is masked before AdaIN, so its mean and deviation are wrong. Mask the results only."),
    ):
        if same(yours[..., inside], value[..., inside], TOLERANCE):
            return why
    return "the values differ: mask times AdaIN with the first style, plus (1 − mask) times AdaIN with the second."
