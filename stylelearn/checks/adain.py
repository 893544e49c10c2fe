"""Checks of lesson 05: AdaIN, the style loss by moments, the decoder's loss, mixtures, and two styles by a mask."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelearn.checks import Mistake, check, must_be, must_be_tensor, must_match, norms, pair, run, same
from stylelearn.checks.norms import moments

Moments = tuple[Tensor, Tensor]
TOLERANCE = 1e-3  # answers may put an ε of their own under the root


def _adain(x: Tensor, style: Moments) -> Tensor:
    return norms.normed(x, style[1], style[0])


def _activations(*shape: int) -> Tensor:
    """Random, each channel with a mean and a spread of its own, so that no two can be confused."""
    level, spread = torch.rand(2, *shape[:2], 1, 1)
    return torch.randn(shape) * (0.5 + spread) + 3 * level


def _style(*shape: int) -> tuple[Moments, Moments]:
    """The moments of random activations, in float64 and as a learner gets them, in float32."""
    mean, deviation = moments(_activations(*shape))
    return (mean, deviation), (mean.float(), deviation.float())


@check
def adain(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """σ(y) (x − μ(x))/σ(x) + μ(y), channel by channel."""
    x, y = _activations(2, 3, 6, 7), _activations(2, 3, 5, 4)
    yours = run(answer, x=x, y=y)
    if isinstance(yours, Tensor) and yours.shape == y.shape:
        raise Mistake("content and style are swapped: it is x, the content, that is normalised and keeps its places.")
    (m, s), (mean, deviation) = moments(x), moments(y)

    def over(dims: tuple[int, ...], correction: int = 0) -> Tensor:
        (v, m), (w, n) = (torch.var_mean(one.double(), dims, correction=correction, keepdim=True) for one in (x, y))
        return (w / v).sqrt() * (x - m) + n

    centred = x - m
    wrong = [
        (over((2, 3), 1), "nearly: your variance is divided by H·W − 1; here it is by H·W: correction=0."),
        (over((0, 2, 3)), "the images of the batch are mixed: mean and deviation go over dimensions 2 and 3 only."),
        (over((1, 2, 3)), "the channels are mixed: each has its own mean and deviation; leave dimension 1 alone."),
        (deviation**2 * centred / s**2 + mean, "these are variances; AdaIN has standard deviations, their roots."),
        (s * centred / deviation + mean, "the two deviations have changed places: divide by σ(x), multiply by σ(y)."),
        (deviation * (x - mean) / s + m, "the two means have changed places: take off μ(x), add μ(y)."),
        *norms.mistakes(x, deviation, mean, names=("σ(y)", "μ(y)", "μ(x)", "σ(x)")),
    ]  # fmt: skip
    must_match(yours, _adain(x, (mean, deviation)), wrong, tolerance=TOLERANCE, what="the new activations")
    norms.must_take_flat(lambda flat: answer(flat, y), x)
    return "right: each channel of each picture now has the style's mean and spread, and keeps its own pattern."


@check
def style_loss(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """‖μ − μ_s‖₂ + ‖σ − σ_s‖₂ of one layer, and its mean over the batch."""
    features, style = _activations(2, 3, 6, 7).requires_grad_(), _activations(2, 3, 5, 4)
    yours = run(answer, features=features, style=style)
    (m, s), (mean, deviation) = moments(features), moments(style)
    a, b = (m - mean).flatten(1), (s - deviation).flatten(1)  # (B, C) each
    unbiased = features.detach().double().std((2, 3)) - style.double().std((2, 3))
    variances = (s.square() - deviation.square()).flatten(1)
    wrong = [
        ((a.norm(dim=1) + unbiased.norm(dim=1)).mean(),
         "nearly: the variance is divided by the number of positions here."),
        (a.norm(dim=1).mean(), "the deviations are missing: σ is the other half of a style."),
        (b.norm(dim=1).mean(), "the means are missing."),
        ((a.square() + b.square()).sum(dim=1).mean(), "there are squares; ‖·‖₂ is the root of their sum."),
        ((a.square() + b.square()).sum(dim=1).sqrt().mean(), "one root for both; the formula has a norm for each."),
        *((one.mean(), "absolute values; ‖·‖₂ squares, adds, and takes the root.")
          for one in ((a.abs() + b.abs()).sum(dim=1), a.abs() + b.abs())),
        ((a.norm(dim=1) + b.norm(dim=1)).mean() / 3**0.5, "a mean is under the root; ‖·‖₂ has the sum there."),
        (sum(one.norm(dim=0).mean() for one in (a, b)), "this norm is over the batch; take it over channels, dim=1."),
        ((a.square() + b.square()).mean(), "this is a mean of squares (mse_loss); the formula has the norm ‖·‖₂."),
        (a.norm() + b.norm(), "one norm for the whole batch: each picture has its own, and the mean is taken of them."),
        ((a.norm(dim=1) + b.norm(dim=1)).sum(), "the sum over the batch; take the mean, or the weight depends on it."),
        ((a.norm(dim=1) + variances.norm(dim=1)).mean(), "variances are compared; here it is standard deviations."),
    ]  # fmt: skip
    right = (a.norm(dim=1) + b.norm(dim=1)).mean()
    must_match(yours, right, wrong, tolerance=TOLERANCE, what="the loss", gradient=True)
    must_be(answer(style, style), 0.0, "a style compared with itself should give 0.")
    return "right: two lists of numbers are compared; the places in the picture play no role."


def _distance(x: Tensor, y: Tensor) -> Tensor:
    """The summand of (13), and its mean over the batch; gradients flow."""
    (v, m), (w, n) = (torch.var_mean(one, (2, 3), correction=0) for one in (x, y))  # (B, C) each
    return ((m - n).norm(dim=1) + (v.sqrt() - w.sqrt()).norm(dim=1)).mean()


class _Small:
    """An encoder with two layers, the second at half of the size, and a decoder from there, in float64."""

    def __init__(self) -> None:
        sizes = ((3, 4), (4, 5), (5, 3))
        self.first, self.second, self.back = (nn.Conv2d(*each, 3, padding=1).double() for each in sizes)
        self.first.requires_grad_(False)
        self.second.requires_grad_(False)

    def f(self, image: Tensor) -> list[Tensor]:
        if not isinstance(image, Tensor) or image.ndim != 4 or image.shape[1] != 3:
            raise Mistake("f takes pictures, (B, 3, H, W): c, s, and what g has painted.")
        near = F.softplus(4 * self.first(image.double()))  # no channel of it is silent
        return [near, F.softplus(4 * self.second(F.avg_pool2d(near, 2)))]

    def g(self, t: Tensor) -> Tensor:
        if not isinstance(t, Tensor) or t.ndim != 4 or t.shape[1] != 5:
            raise Mistake("g takes t, which AdaIN makes of the last layers: merge(f(c)[-1], f(s)[-1]).")
        return self.back(F.interpolate(t, scale_factor=2.0))


@check
def training_loss(answer: Callable[..., tuple[Tensor, Tensor]]) -> str:
    """L_c, the distance of f(g(t)) from t, and L_s, the sum over the layers of what f(g(t)) and f(s) differ by."""
    net, c, s = _Small(), torch.rand(2, 3, 8, 8), torch.rand(2, 3, 12, 12) ** 2
    f, g = net.f, net.g

    def merge(x: Tensor, y: Tensor) -> Tensor:
        return _adain(x, moments(y))

    yours = run(answer, f=f, g=g, merge=merge, style_loss=_distance, c=c, s=s)
    found = pair(yours, "L_c and L_s, without adding them up")
    f_c, f_s = f(c), f(s)
    t, swapped = merge(f_c[-1], f_s[-1]), merge(f_s[-1], f_c[-1])
    picture = g(t)
    seen, unstyled, other = f(picture), f(g(f_c[-1])), f(g(swapped))
    cells = t[0].numel()

    def squares(x: Tensor, y: Tensor) -> Tensor:
        return (x - y).square().flatten(1).mean(dim=1)

    def far(x: Tensor, y: Tensor) -> Tensor:
        return squares(x, y).sqrt().mean()

    def style(layers: list[Tensor], wanted: list[Tensor]) -> Tensor:
        return torch.stack([_distance(x, y) for x, y in zip(layers, wanted, strict=True)])

    each = style(seen, f_s)  # (2,)
    content, total = far(seen[-1], t), each.sum()
    if same(found[0], total) and same(found[1], content):
        raise Mistake("the two have changed places: return L_c first, then L_s.")
    norm = "‖·‖₂ is the root of the mean of the squares here"
    undecorated = "g was given f(c), not t: without AdaIN there is no style in it."
    wrong = [
        (far(seen[-1], f_c[-1]), "L_c compares with f(c); (12) compares with t, which is what g was given."),
        (far(t, f_c[-1]), "L_c has no g in it: compare t with f(g(t)), the picture seen once more."),
        (far(picture, c.double()), "L_c compares pictures; it is f(g(t)), the picture's activations, that t is like."),
        (far(unstyled[-1], t), undecorated),
        (far(unstyled[-1], f_c[-1]), undecorated),
        *((far(other[-1], x), "content and style are swapped in AdaIN: merge(f(c)[-1], f(s)[-1]).")
          for x in (swapped, f_s[-1])),
        (squares(seen[-1], t).mean(), f"L_c has squares (mse_loss); {norm}."),
        (squares(seen[-1], t).mean().sqrt(), "L_c has one root for the whole batch; each picture has its own."),
        ((seen[-1] - t).abs().mean(), f"L_c has absolute values; {norm}."),
        (content * cells**0.5, f"L_c has the root of a sum; {norm}, or it grows with the size of the layer."),
        ((seen[-1] - t).norm(), f"L_c is one norm of all the batch; {norm}, for each picture."),
        (2 * content, "L_c is the sum over the batch; take the mean, or the weight depends on it."),
    ]  # fmt: skip
    must_match(found[0], content, wrong, "L_c differs: the root of the mean square of f(g(t)) − t, in the last layer, "
               "for each picture; then the mean.", what="L_c")  # fmt: skip
    wrong = [
        (each[-1], "L_s has the last layer only; sum over all the layers of f."),
        (each[0], "L_s has the first layer only; sum over all the layers of f."),
        (total / 2, "L_s is the mean over the layers; (13) has their sum."),
        (style(seen, f_c).sum(), "L_s compares with the photo, f(c); the style's activations are f(s)."),
        (style(f_c, f_s).sum(), "L_s has no g in it: compare f(g(t)) with f(s), not f(c)."),
        (_distance(t, f_s[-1]), "L_s looks at t; compare what is seen in the picture, f(g(t)), with f(s)."),
        (content + total, "the second is the sum of both; return L_s alone."),
    ]  # fmt: skip
    must_match(found[1], total, wrong, "L_s differs: style_loss(…) of each layer of f(g(t)) and f(s), added up.",
               what="L_s")  # fmt: skip
    for mine, right, name in zip(found, (content, total), ("L_c", "L_s"), strict=True):
        if not (isinstance(mine, Tensor) and mine.requires_grad):
            raise Mistake(f"{name} is right, but no gradient can flow back from it to g: only t may be made under "
                          "no_grad(), and neither .item() nor .detach() may follow.")  # fmt: skip
        slope, wanted = (torch.autograd.grad(one, net.back.weight, retain_graph=True)[0] for one in (mine, right))
        must_be(
            slope, wanted, f"{name} is right, but a part of its gradient is lost; only t may be made under no_grad()."
        )
    return "right: g is asked for what it was given, and for the style in every layer. This is the paper's training."


@check
def mixture(answer: Callable[..., Tensor]) -> str:
    """(1 − α) f(c) + α Σ_k w_k AdaIN(f(c), f(s_k))."""
    x, alpha, shares = _activations(1, 4, 5, 6), 0.7, [0.5, 0.2, 0.3]
    styles, given = zip(*(_style(1, 4, 5, 5) for _ in shares), strict=True)
    yours = run(answer, features=x, styles=list(given), shares=shares, alpha=alpha)
    t = [_adain(x, style) for style in styles]
    mixed = sum(w * one for w, one in zip(shares, t, strict=True))
    mean, variance = (sum(w * s[i] ** (i + 1) for w, s in zip(shares, styles, strict=True)) for i in (0, 1))

    def with_alpha(mixture: Tensor) -> Tensor:
        return (1 - alpha) * x + alpha * mixture

    def chained(step: Callable[[Tensor, Tensor, float], Tensor]) -> Tensor:
        """One AdaIN on the result of the other; a step makes the next result of the last, its AdaIN and the share."""
        found = x.double()
        for style, share in zip(styles, shares, strict=True):
            found = step(found, _adain(found, style), share)
        return found

    steps: list[Callable[[Tensor, Tensor, float], Tensor]] = [
        lambda last, new, w: last.lerp(new, w),
        lambda last, new, w: last.lerp(new, alpha * w),
        lambda last, new, w: last.lerp(new, alpha),
    ]
    in_turn = "Here one AdaIN follows the other, and each undoes what the one before has done: start each from f(c)."
    wrong = [
        (alpha * x + (1 - alpha) * mixed, "α and 1 − α are swapped: α = 1 is all style."),
        (mixed, "α has no effect: it is not used, or it scales the input, and AdaIN undoes that. Mix the results."),
        (x + alpha * mixed, "the content keeps its full weight; it has 1 − α."),
        ((1 - alpha) * x + mixed, "the mixture of styles keeps its full weight; it has α."),
        (alpha * mixed, "the content is missing: (1 − α) f(c) belongs to the sum."),
        (with_alpha(sum(t)), "the shares w_k are not used: the sum is too large."),
        (with_alpha(sum(t) / 3), "all styles count the same; each has its own share w_k."),
        (with_alpha(mixed / 3), "divided by the number of styles as well; the shares do that."),
        (with_alpha(sum(w * norms.normed(x, m, d) for w, (m, d) in zip(shares, styles, strict=True))),
         "mean and deviation have changed places: a style is the pair (mean, deviation)."),
        (with_alpha(t[0]), "only the first style is there."),
        (with_alpha(t[-1]), "only the last style is there: a line overwrites the sum, or one AdaIN follows the other. "
         "Start each from f(c)."),
        (with_alpha(shares[-1] * t[-1]), f"only the last style is there, with its share. {in_turn}"),
        *((value, in_turn) for step in steps for value in (chained(step), with_alpha(chained(step)))),
        (with_alpha(_adain(x, (mean, variance.sqrt()))), "the variances are mixed; mix deviations, or results."),
        (with_alpha(mixed) + 2 * (1 - alpha) * x, "the content is added once for every style."),
    ]  # fmt: skip
    must_match(yours, with_alpha(mixed), wrong, tolerance=TOLERANCE, what="the mixture")
    must_be(answer(x, given, shares, 0.0), x, "with α = 0 the content's own activations should come out.", TOLERANCE)
    two = answer(x, given[:2], [0.25, 0.75], 1.0)
    must_be(two, 0.25 * t[0] + 0.75 * t[1], "this works for three styles, but not for two.", TOLERANCE)
    return "right: mixing is arithmetic. Mixing the means and the deviations first gives the same."


@check
def two_styles(answer: Callable[..., Tensor]) -> str:
    """m AdaIN(f(c), first) + (1 − m) AdaIN(f(c), second), with the mask m at the size of the layer."""
    x = _activations(1, 4, 8, 10)
    (one, first), (two, second) = (_style(1, 4, 5, 5) for _ in range(2))
    mask = torch.zeros(1, 1, 64, 80)
    mask[..., :40] = 1
    mask[..., 32:, 40:] = 0.3  # half way: here both count
    try:
        yours = run(answer, features=x, first=first, second=second, mask=mask)
    except RuntimeError as error:
        if "size of tensor" in str(error):
            small = "(1, 1, H, W) of the picture to (1, 1, h, w) of the layer"
            raise Mistake(f"mask and activations differ in size: first make the mask small, from {small}.") from None
        raise
    must_be_tensor(yours, tuple(x.shape), "the new activations")
    m = F.avg_pool2d(mask, 8).double()  # (1, 1, 8, 10)
    a, b = _adain(x, one), _adain(x, two)
    before = _adain(x * m, one), _adain(x * (1 - m), two)
    unused, masked = "the mask is not used.", "the content is masked before AdaIN, so its mean and deviation are wrong."
    wrong = [
        ((1 - m) * a + m * b, "inside and outside are swapped: where the mask is 1, the first style counts."),
        *(
            (cut * a + (1 - cut) * b, "the mask is cut to 0 and 1; keep its values between, for soft edges.")
            for cut in ((m > 0.5).double(), (m > 0).double())
        ),
        (m * a, "outside of the mask there is nothing: the second style is missing, with 1 − mask."),
        (m * a + (1 - m) * x, "outside of the mask is the content; the second style belongs there."),
        (m * a + b, "the second style counts everywhere; it has the weight 1 − mask."),
        (a + b, unused),
        (a, f"this is the first style everywhere: {unused}"),
        (b, f"this is the second style everywhere: {unused}"),
        ((a + b) / 2, f"both styles count the same everywhere: {unused}"),
        (sum(before), f"{masked} Mask the results."),
        (m * before[0] + (1 - m) * before[1], f"{masked} Mask the results only."),
    ]
    inside = torch.ones(8, 10, dtype=torch.bool)  # not the cells at an edge of the mask, where ways to shrink it differ
    inside[:, 4:6] = inside[3:5, 5:] = False
    cells = ((value[..., inside], why) for value, why in wrong)
    must_match(yours[..., inside], (m * a + (1 - m) * b)[..., inside], cells, tolerance=TOLERANCE)
    return "right: AdaIN keeps the places, so each place can have a style of its own."
