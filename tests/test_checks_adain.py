"""The checks of lesson 05: right answers pass, untouched ones are "not solved yet", and mistakes are called by name."""

import torch
import torch.nn.functional as F
from gate import gate

from stylelearn.checks import adain

PLACES = (2, 3)


def moments(x, dims=PLACES, correction=0):
    variance, mean = torch.var_mean(x, dims, correction=correction, keepdim=True)
    return mean, (variance + 1e-7).sqrt()


def transfer(x, y, dims=PLACES, correction=0):
    """What exercise 1 asks for, in another way."""
    (m, s), (mean, deviation) = moments(x, dims, correction), moments(y, dims, correction)
    return deviation * (x - m) / s + mean


def with_moments(x, style):
    m, s = moments(x)
    return style[1] * (x - m) / s + style[0]


def parts(x, y):
    return *moments(x), *moments(y)


def without_epsilon(x, y):
    m, s = x.mean(PLACES, keepdim=True), x.std(PLACES, correction=0, keepdim=True)
    mean, deviation = moments(y)
    return deviation * (x - m) / s + mean


def formula(f):
    """A mistake in the formula, from x − μ(x), σ(x), μ(y), σ(y)."""

    def answer(x, y):
        m, s, mean, deviation = parts(x, y)
        return f(x, x - m, s, mean, deviation)

    return answer


def swapped_means(x, y):
    m, s, mean, deviation = parts(x, y)
    return deviation * (x - mean) / s + m


def differences(f, g):
    (m, s), (mean, deviation) = moments(f), moments(g)
    return (m - mean).flatten(1), (s - deviation).flatten(1)


def distance(f, g):
    a, b = differences(f, g)
    return (a.norm(dim=1) + b.norm(dim=1)).mean()


def loss(f):
    return lambda x, y: f(*differences(x, y))


def mixed(x, styles, shares, alpha):
    return (1 - alpha) * x + alpha * sum(w * with_moments(x, s) for w, s in zip(shares, styles, strict=True))


def mixed_tables(x, styles, shares, alpha):
    mean, deviation = (sum(w * s[i] for w, s in zip(shares, styles, strict=True)) for i in (0, 1))
    return (1 - alpha) * x + alpha * with_moments(x, (mean, deviation))


def mixed_variances(x, styles, shares, alpha):
    mean = sum(w * s[0] for w, s in zip(shares, styles, strict=True))
    variance = sum(w * s[1] ** 2 for w, s in zip(shares, styles, strict=True))
    return (1 - alpha) * x + alpha * with_moments(x, (mean, variance.sqrt()))


def chained(x, styles, shares, alpha, step=lambda t, moved, w, a: moved):
    """One AdaIN on the result of the other."""
    t = x
    for style, w in zip(styles, shares, strict=True):
        t = step(t, with_moments(t, style), w, alpha)
    return (1 - alpha) * x + alpha * t


def chained_whole(strength):
    """The same without a mixture with the content at the end."""
    return lambda x, s, w, a: chained(x, s, w, 1.0, lambda t, moved, v, _: torch.lerp(t, moved, strength(v, a)))


def masked(x, first, second, mask, shrink=lambda mask: F.avg_pool2d(mask, 8)):
    m = shrink(mask)
    return m * with_moments(x, first) + (1 - m) * with_moments(x, second)


def masks(f):
    """A mistake in how m, AdaIN with the first and AdaIN with the second style are put together."""
    return lambda x, a, b, mask: f(F.avg_pool2d(mask, 8), with_moments(x, a), with_moments(x, b), x)


def masked_before(x, first, second, mask):
    m = F.avg_pool2d(mask, 8)
    return with_moments(x * m, first) + with_moments(x * (1 - m), second)


def masked_before_and_after(x, first, second, mask):
    m = F.avg_pool2d(mask, 8)
    return m * with_moments(x * m, first) + (1 - m) * with_moments(x * (1 - m), second)


def with_losses(content=None, style=None, seen=lambda f, g, t, f_c: f(g(t)), swap=False):
    """What exercise 3 asks for; or with another (12), another (13), or another picture that f looks at."""

    def answer(f, g, merge, style_loss, c, s):
        f_c, f_s = f(c), f(s)
        t = merge(*((f_s[-1], f_c[-1]) if swap else (f_c[-1], f_s[-1]))).detach()
        found, know = seen(f, g, t, f_c), {"t": t, "f_c": f_c, "f_s": f_s, "c": c, "g": g, "far": style_loss}
        right = root_mean(found[-1], t), sum(style_loss(x, y) for x, y in zip(found, f_s, strict=True))
        return tuple(one(found, **know) if one else value for one, value in zip((content, style), right, strict=True))

    return answer


def root_mean(x, y):
    return torch.stack([F.mse_loss(a, b).sqrt() for a, b in zip(x, y, strict=True)]).mean()


def without_gradient(which):
    """All of it under no_grad, or one of the two."""

    def answer(*given):
        found = list(with_losses()(*given))
        for i in which:
            found[i] = found[i].detach()
        return tuple(found)

    return answer


def unasked(found, *, f_s, far, **_):
    """L_s with a gradient from the first layer only."""
    return far(found[0], f_s[0]) + far(found[1].detach(), f_s[1])


LOSSES = adain.training_loss
OTHER_WAYS = [
    (LOSSES, with_losses()),
    (LOSSES, lambda *a: list(with_losses()(*a))),
    (LOSSES, torch.enable_grad()(with_losses())),
    (adain.adain, transfer),
    (adain.adain, lambda x, y: with_moments(x, moments(y))),
    (adain.style_loss, distance),
    (adain.mixture, mixed),
    (adain.mixture, mixed_tables),
    (adain.two_styles, masked),
    (adain.two_styles, lambda *a: masked(*a, lambda mask: F.interpolate(mask, (8, 10), mode="nearest"))),
    (adain.two_styles, lambda *a: masked(*a, lambda mask: F.interpolate(mask, (8, 10), mode="bilinear"))),
    (adain.two_styles, lambda *a: masked(*a, lambda m: F.interpolate(m, (8, 10), mode="bilinear", antialias=True))),
]
MISTAKES = [
    # adain: swapped, both moments over the wrong axes or of the wrong kind; the rest is that of all norms
    (adain.adain, lambda x, y: transfer(y, x), "content and style are swapped"),
    (adain.adain, lambda x, y: transfer(x, y, dims=(0, 2, 3)), "the images of the batch are mixed"),
    (adain.adain, lambda x, y: transfer(x, y, dims=(1, 2, 3)), "the channels are mixed"),
    (adain.adain, lambda x, y: transfer(x, y, correction=1), "correction=0"),
    (adain.adain, formula(lambda x, c, s, m, d: d**2 * c / s**2 + m), "these are variances"),
    (adain.adain, formula(lambda x, c, s, m, d: s * c / d + m), "the two deviations have changed places"),
    (adain.adain, swapped_means, "the two means have changed places"),
    (adain.adain, lambda x, y: x * 0 + 7, "the values differ"),
    (adain.adain, without_epsilon, "Put a small ε under the root"),
    # style_loss: a half of it, another norm, the batch
    (adain.style_loss, loss(lambda a, b: a.norm(dim=1).mean()), "the deviations are missing"),
    (adain.style_loss, loss(lambda a, b: b.norm(dim=1).mean()), "the means are missing"),
    (adain.style_loss, loss(lambda a, b: (a.square() + b.square()).sum(1).mean()), "there are squares"),
    (adain.style_loss, loss(lambda a, b: torch.cat([a, b], 1).norm(dim=1).mean()), "one root for both"),
    (adain.style_loss, loss(lambda a, b: (a.abs() + b.abs()).sum(1).mean()), "absolute values"),
    (adain.style_loss, loss(lambda a, b: (a.abs() + b.abs()).mean()), "absolute values"),
    (adain.style_loss, loss(lambda a, b: (a.norm(dim=1) + b.norm(dim=1)).mean() / 3**0.5), "a mean is under the root"),
    (adain.style_loss, loss(lambda a, b: a.norm(dim=0).mean() + b.norm(dim=0).mean()), "over the batch; take it over"),
    (adain.style_loss, loss(lambda a, b: a.square().mean() + b.square().mean()), "mse_loss"),
    (adain.style_loss, loss(lambda a, b: a.norm() + b.norm()), "one norm for the whole batch"),
    (adain.style_loss, loss(lambda a, b: (a.norm(dim=1) + b.norm(dim=1)).sum()), "the sum over the batch"),
    (adain.style_loss, lambda f, g: distance(f, g).detach(), "no gradient can flow back"),
    # training_loss: what is compared with what, with which norm, and where gradients flow
    (LOSSES, with_losses(lambda x, f_c, **_: root_mean(x[-1], f_c[-1])), "compares with f(c)"),
    (LOSSES, with_losses(lambda x, t, f_c, **_: root_mean(t, f_c[-1])), "L_c has no g in it"),
    (LOSSES, with_losses(lambda x, g, t, c, **_: root_mean(g(t), c)), "L_c compares pictures"),
    (LOSSES, with_losses(seen=lambda f, g, t, f_c: f(g(f_c[-1]))), "g was given f(c)"),
    (
        LOSSES,
        with_losses(lambda x, f_c, **_: root_mean(x[-1], f_c[-1]), seen=lambda f, g, t, f_c: f(g(f_c[-1]))),
        "g was given f(c)",
    ),
    (LOSSES, with_losses(swap=True), "content and style are swapped"),
    (LOSSES, with_losses(lambda x, f_s, **_: root_mean(x[-1], f_s[-1]), swap=True), "content and style are swapped"),
    (LOSSES, with_losses(lambda x, t, **_: F.mse_loss(x[-1], t)), "mse_loss"),
    (LOSSES, with_losses(lambda x, t, **_: F.mse_loss(x[-1], t).sqrt()), "one root for the whole batch"),
    (LOSSES, with_losses(lambda x, t, **_: F.l1_loss(x[-1], t)), "absolute values"),
    (LOSSES, with_losses(lambda x, t, **_: (x[-1] - t).flatten(1).norm(dim=1).mean()), "the root of a sum"),
    (LOSSES, with_losses(lambda x, t, **_: (x[-1] - t).norm()), "one norm of all the batch"),
    (LOSSES, with_losses(lambda x, t, **_: root_mean(x[-1], t) * len(t)), "L_c is the sum over the batch"),
    (LOSSES, with_losses(lambda x, t, **_: t.sum()), "L_c differs"),
    (LOSSES, with_losses(style=lambda x, f_s, far, **_: far(x[-1], f_s[-1])), "the last layer only"),
    (LOSSES, with_losses(style=lambda x, f_s, far, **_: far(x[0], f_s[0])), "the first layer only"),
    (LOSSES, with_losses(style=lambda x, f_s, far, **_: sum(map(far, x, f_s)) / 2), "the mean over the layers"),
    (LOSSES, with_losses(style=lambda x, f_c, far, **_: sum(map(far, x, f_c))), "compares with the photo"),
    (LOSSES, with_losses(style=lambda x, f_c, f_s, far, **_: sum(map(far, f_s, f_c))), "L_s has no g in it"),
    (LOSSES, with_losses(style=lambda x, t, f_s, far, **_: far(t, f_s[-1])), "L_s looks at t"),
    (LOSSES, with_losses(style=lambda x, t, **_: t.sum()), "L_s differs"),
    (LOSSES, lambda *a: with_losses()(*a)[::-1], "changed places"),
    (LOSSES, lambda *a: sum(with_losses()(*a)), "without adding them up"),
    (LOSSES, lambda *a: (with_losses()(*a)[0], sum(with_losses()(*a))), "return L_s alone"),
    (LOSSES, lambda f, g, merge, far, c, s: with_losses()(f, lambda t: g(c), merge, far, c, s), "g takes t"),
    (LOSSES, lambda f, g, merge, far, c, s: with_losses()(f, lambda t: t, merge, far, c, s), "f takes pictures"),
    (LOSSES, torch.no_grad()(with_losses()), "L_c is right, but no gradient"),
    (LOSSES, without_gradient([1]), "L_s is right, but no gradient"),
    (LOSSES, with_losses(style=unasked), "a part of its gradient is lost"),
    (LOSSES, lambda *a: tuple(one.item() for one in with_losses()(*a)), "neither .item()"),
    # mixture: α, shares, order
    (adain.mixture, lambda x, s, w, a: mixed(x, s, w, 1 - a), "α and 1 − α are swapped"),
    (adain.mixture, lambda x, s, w, a: mixed(x, s, w, 1.0), "it is not used"),
    (adain.mixture, lambda x, s, w, a: x + a * mixed(x, s, w, 1.0), "full weight"),
    (adain.mixture, lambda x, s, w, a: (1 - a) * x + mixed(x, s, w, 1.0), "it has α"),
    (adain.mixture, lambda x, s, w, a: a * mixed(x, s, w, 1.0), "the content is missing"),
    (adain.mixture, lambda x, s, w, a: mixed(x, s, [1] * len(w), a), "the shares w_k are not used"),
    (adain.mixture, lambda x, s, w, a: mixed(x, s, [1 / len(w)] * len(w), a), "all styles count the same"),
    (adain.mixture, lambda x, s, w, a: mixed(x, s, [v / len(w) for v in w], a), "as well; the shares do that"),
    (adain.mixture, lambda x, s, w, a: mixed(x, [one[::-1] for one in s], w, a), "have changed places"),
    (adain.mixture, lambda x, s, w, a: mixed(x, s[:1], [1.0], a), "only the first style"),
    (adain.mixture, lambda x, s, w, a: mixed(x, s[-1:], [1.0], a), "only the last style"),
    (adain.mixture, lambda *a: chained(*a, lambda t, new, w, _: w * new), "the last style is there, with its share"),
    (adain.mixture, lambda *a: chained(*a, lambda t, new, w, _: torch.lerp(t, new, w)), "one AdaIN follows the other"),
    (adain.mixture, chained_whole(lambda w, a: w), "one AdaIN follows the other"),
    (adain.mixture, chained_whole(lambda w, a: w * a), "one AdaIN follows the other"),
    (adain.mixture, chained_whole(lambda w, a: a), "one AdaIN follows the other"),
    (adain.mixture, mixed_variances, "the variances are mixed"),
    (adain.mixture, lambda x, s, w, a: mixed(x, s, w, a) + 2 * (1 - a) * x, "once for every style"),
    (adain.mixture, lambda x, s, w, a: mixed(x, s, w, a) if len(s) == 3 else x, "not for two"),
    # two_styles: the mask
    (adain.two_styles, masks(lambda m, a, b, x: (1 - m) * a + m * b), "inside and outside are swapped"),
    (adain.two_styles, masks(lambda m, a, b, x: torch.where(m > 0.5, a, b)), "cut to 0 and 1"),
    (adain.two_styles, masks(lambda m, a, b, x: torch.where(m > 0, a, b)), "cut to 0 and 1"),
    (adain.two_styles, lambda *a: masked(*a, lambda mask: mask), "differ in size"),
    (adain.two_styles, masks(lambda m, a, b, x: m * a), "the second style is missing"),
    (adain.two_styles, masks(lambda m, a, b, x: m * a + (1 - m) * x), "outside of the mask is the content"),
    (adain.two_styles, masks(lambda m, a, b, x: m * a + b), "it has the weight 1 − mask"),
    (adain.two_styles, masks(lambda m, a, b, x: a), "the first style everywhere"),
    (adain.two_styles, masks(lambda m, a, b, x: b), "the second style everywhere"),
    (adain.two_styles, masks(lambda m, a, b, x: a + b), "the mask is not used"),
    (adain.two_styles, masks(lambda m, a, b, x: (a + b) / 2), "count the same everywhere"),
    (adain.two_styles, masked_before, "masked before AdaIN"),
    (adain.two_styles, masked_before_and_after, "Mask the results only"),
]

TestGate = gate("05_adain", mistakes=MISTAKES, other_ways=OTHER_WAYS)
