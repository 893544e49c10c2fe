"""The checks of lesson 06: right answers pass, untouched ones are "not solved yet", and mistakes are called by name."""

import torch
import torch.nn.functional as F
from gate import gate

from stylelearn.checks import style_swap

TINY = 1e-8


def matched(content, style, power=1.0, dim=1):
    """Exercise 1; a power of 0 leaves the norm out, 2 divides twice."""
    norms = style.norm(dim=1).clamp_min(TINY)
    return (content @ style.T / norms**power).argmax(dim=dim)


def centred(content, style):
    return matched(*(each - each.mean(dim=1, keepdim=True) for each in (content, style)))


def folded(patches, size, patch, stride, divide="count"):
    """Exercise 2, with `fold`."""
    columns = patches.flatten(1).T[None]  # (1, C·p·p, N)
    total = F.fold(columns, size, patch, stride=stride)
    count = F.fold(torch.ones_like(columns), size, patch, stride=stride)
    return {"count": total / count, "no": total, "all": total / patch**2}[divide]


def placed(patches, size, patch, stride, apart=None, overwrite=False, least=1):
    """Exercise 2, with a loop; `apart` is the step, if it is not the stride; `least` is what is divided by at least."""
    total, count = torch.zeros(1, patches.shape[1], *size), torch.zeros(1, 1, *size)
    columns = (size[1] - patch) // stride + 1
    for number, one in enumerate(patches):
        y, x = (place * (apart or stride) for place in divmod(number, columns))
        here = (..., slice(y, y + patch), slice(x, x + patch))
        if overwrite:
            total[here], count[here] = one, 1
        else:
            total[here] += one
            count[here] += 1
    return total / count.clamp_min(least)


def by_columns(patches, size, patch, stride):
    rows, columns = ((side - patch) // stride + 1 for side in size)
    order = torch.arange(rows * columns).view(columns, rows).T.flatten()
    return folded(patches[order], size, patch, stride)


def cut(features, patch, stride):
    """(1, C, H, W) -> (N, C, p, p)."""
    columns = F.unfold(features, patch, stride=stride)[0].T
    return columns.reshape(len(columns), features.shape[1], patch, patch)


def convolved(
    content, style, patch, stride, *, apart=None, clamp=TINY, power=1.0, paste_power=0.0, divide="count", choose="dim 1"
):
    """Exercise 3; the options are its mistakes."""
    patches = cut(style, patch, apart or stride)
    norms = patches.flatten(1).norm(dim=1).clamp_min(clamp)[:, None, None, None]
    table = F.conv2d(content, patches / norms**power, stride=stride)  # (1, N, h, w)
    if choose == "softmax":
        one_hot = table.softmax(dim=1)
    elif choose == "places":
        flat = table.flatten(2)
        one_hot = F.one_hot(flat.argmax(dim=2), flat.shape[2]).float().view_as(table)
    else:
        table = -table if choose == "least" else table
        one_hot = F.one_hot(table.argmax(dim=1), len(patches)).permute(0, 3, 1, 2).float()
    total = F.conv_transpose2d(one_hot, patches / norms**paste_power, stride=stride)
    ones = torch.ones(1, 1, patch, patch)
    count = F.conv_transpose2d(torch.ones_like(one_hot[:, :1]), ones, stride=stride)
    return {"count": total / count, "no": total, "all": total / patch**2}[divide]


def each_cell_by_its_norm(content, style, patch, stride):
    patches = cut(style, patch, stride)
    table = F.conv2d(content, F.normalize(patches, dim=1), stride=stride)
    return folded(patches[table[0].argmax(dim=0).flatten()], tuple(content.shape[2:]), patch, stride)


def unfolded(content, style, patch, stride):
    """Exercise 3 by way of exercises 1 and 2."""
    patches = cut(style, patch, stride)
    chosen = matched(cut(content, patch, stride).flatten(1), patches.flatten(1))
    return folded(patches[chosen], tuple(content.shape[2:]), patch, stride)


def by_modules(content, style, patch, stride):
    """Exercise 3 with layers, and the count of overlaps in one go with the patches."""
    kernels = cut(style, patch, stride)
    compare = torch.nn.Conv2d(*kernels.shape[1::-1], patch, stride, bias=False).requires_grad_(False)
    compare.weight.copy_(F.normalize(kernels.flatten(1)).view_as(kernels))
    one_hot = F.one_hot(compare(content).argmax(dim=1), len(kernels)).permute(0, 3, 1, 2).float()
    with_ones = torch.cat([kernels, torch.ones_like(kernels[:, :1])], dim=1)
    found = F.conv_transpose2d(one_hot, with_ones, stride=stride)
    return found[:, :-1] / found[:, -1:]


def half_unfolded(content, style, patch, stride):
    """Compared by a convolution, put back by `fold`."""
    patches = cut(style, patch, stride)
    table = F.conv2d(content, F.normalize(patches.flatten(1)).view_as(patches), stride=stride)
    return folded(patches[table[0].argmax(dim=0).flatten()], tuple(content.shape[2:]), patch, stride)


def terms(features, target, image):
    down, right = image[..., 1:, :] - image[..., :-1, :], image[..., 1:] - image[..., :-1]
    return features - target, down, right


def roughness(down, right):
    return (down**2).sum() + (right**2).sum()


def loss(features, target, image, weight):
    d, down, right = terms(features, target, image)
    return (d**2).sum() + weight * roughness(down, right)


def corner(down, right):
    return down[..., :-1] ** 2 + right[..., :-1, :] ** 2


def means(down, right):
    return (down**2).mean() + (right**2).mean()


def of_terms(f):
    """A mistake in exercise 4, from the differences of activations, of rows and of columns, and λ."""
    return lambda features, target, image, weight: f(*terms(features, target, image), weight)


def steady(frames, shift):
    return (frames[1:, ..., :-shift] - frames[:-1, ..., shift:]).abs().mean()


def differences(f):
    return lambda frames, shift: f(frames[1:, ..., :-shift] - frames[:-1, ..., shift:])


OTHER_WAYS = [
    (style_swap.best_match, matched),
    (style_swap.best_match, lambda c, s: matched(c, s).numpy()),
    (style_swap.best_match, lambda c, s: matched(c, s).float()),
    (style_swap.put_back, folded),
    (style_swap.put_back, placed),
    (style_swap.three_convolutions, convolved),
    (style_swap.three_convolutions, by_modules),
    (style_swap.swap_loss, loss),
    (style_swap.steadiness, steady),
]  # fmt: skip
MISTAKES = [
    # best_match: the norm, the axis, the measure, the zero patch
    (style_swap.best_match, lambda c, s: matched(c, s, power=0), "not divided by their norm"),
    (style_swap.best_match, lambda c, s: matched(c, s, dim=0), "the argmax goes over the wrong dimension"),
    (style_swap.best_match, lambda c, s: torch.cdist(c, s).argmin(dim=1), "the nearest in distance"),
    (style_swap.best_match, lambda c, s: torch.cdist(c, s).argmax(dim=1), "farthest away"),
    (style_swap.best_match, lambda c, s: (c @ F.normalize(s).T).argmin(dim=1), "*least* alike"),
    (style_swap.best_match, lambda c, s: matched(c, s, power=2), "‖b‖, the root"),
    (style_swap.best_match, lambda c, s: matched(c, s, power=-1), "it has to divide"),
    (style_swap.best_match, lambda c, s: (c @ F.normalize(s, dim=0).T).argmax(dim=1), "each patch has its own norm"),
    (style_swap.best_match, lambda c, s: (c @ F.normalize(s, p=1).T).argmax(dim=1), "root of the sum of squares"),
    (style_swap.best_match, centred, "the mean of each patch is taken off first"),
    (style_swap.best_match, lambda c, s: (F.normalize(c) @ F.normalize(s).T).amax(dim=1), "argmax instead of max"),
    (style_swap.best_match, lambda c, s: matched(c, s).float() + 0.5, "no whole numbers"),
    (style_swap.best_match, lambda c, s: (c @ s.T / s.norm(dim=1)).argmax(dim=1), "zero everywhere was chosen"),
    (style_swap.best_match, lambda c, s: matched(c, s * float("nan")), "Is there a NaN"),
    (style_swap.best_match, lambda c, s: matched(c, s) + 1, "other patches are more alike"),
    # put_back: overlaps, stride, order
    (style_swap.put_back, lambda *a: folded(*a, divide="no"), "not divided by the number of patches"),
    (style_swap.put_back, lambda *a: folded(*a, divide="all"), "divided by 9 everywhere"),
    (style_swap.put_back, lambda *a: placed(*a, overwrite=True), "overwrites those before it"),
    (style_swap.put_back, lambda *a: placed(*a, apart=1), "the stride is ignored"),
    (style_swap.put_back, lambda *a: placed(*a, apart=1, least=0), "the stride is ignored"),
    (style_swap.put_back, lambda p, *a: folded(p.mT, *a), "rows and columns inside of each patch"),
    (style_swap.put_back, by_columns, "in reading order"),
    (style_swap.put_back, lambda p, *a: folded(p.permute(0, 2, 3, 1).flatten(1), *a), "channels and cells are mixed"),
    (style_swap.put_back, lambda p, *a: folded(p.reshape(-1, len(p)).T, *a), "reshape tears patches apart"),
    # three_convolutions: which patches are normalised, one-hot, overlaps, stride, zero patches
    (style_swap.three_convolutions, lambda c, s, k, d: convolved(s, c, k, d), "content and style are swapped"),
    (style_swap.three_convolutions, lambda *a: convolved(*a, power=0), "not divided by their norm before"),
    (style_swap.three_convolutions, lambda *a: convolved(*a, paste_power=1), "they only serve to choose"),
    (style_swap.three_convolutions, lambda *a: convolved(*a, power=0, paste_power=1), "plain ones into the paste"),
    (style_swap.three_convolutions, lambda *a: convolved(*a, choose="places"), "it goes over the patches, dim 1"),
    (style_swap.three_convolutions, lambda *a: convolved(*a, choose="softmax"), "softmax mixes all patches"),
    (style_swap.three_convolutions, lambda *a: convolved(*a, choose="least"), "*least* alike"),
    (style_swap.three_convolutions, lambda *a: convolved(*a, divide="no"), "right but for the overlaps: divide by"),
    (style_swap.three_convolutions, lambda *a: convolved(*a, divide="all"), "dividing by 9 is too much"),
    (style_swap.three_convolutions, lambda *a: convolved(*a, power=0, divide="no"), "not divided by their norm before"),
    (style_swap.three_convolutions, lambda c, s, k, d: convolved(c, s, k, 1), "the stride is ignored"),
    (style_swap.three_convolutions, lambda c, s, k, d: convolved(c, s, 3, d), "the argument `patch` is not used"),
    (style_swap.three_convolutions, lambda *a: convolved(*a, apart=1), "at every cell; they, too"),
    (style_swap.three_convolutions, lambda *a: convolved(*a, clamp=0.0), "0/0 is NaN"),
    (style_swap.three_convolutions, each_cell_by_its_norm, "each *cell* of a patch"),
    (style_swap.three_convolutions, unfolded, "no F.conv2d"),
    (style_swap.three_convolutions, half_unfolded, "no F.conv_transpose2d"),
    # swap_loss: a term, a root, a mean
    (style_swap.swap_loss, of_terms(lambda d, v, h, w: (d**2).sum()), "is missing"),
    (style_swap.swap_loss, of_terms(lambda d, v, h, w: w * roughness(v, h)), "the first term"),
    (style_swap.swap_loss, lambda f, t, i, w: loss(f, t, i, 1.0), "λ is not used"),
    (style_swap.swap_loss, lambda f, t, i, w: w * loss(f, t, i, 1.0), "to the second term only"),
    (style_swap.swap_loss, of_terms(lambda d, v, h, w: w * (d**2).sum() + roughness(v, h)), "λ is at the distance"),
    (style_swap.swap_loss, lambda f, t, i, w: loss(f, t, i, -w), "is subtracted"),
    (style_swap.swap_loss, lambda f, t, i, w: loss(f, t, f, w), "of the activations; it is of the picture"),
    (style_swap.swap_loss, of_terms(lambda d, v, h, w: (d**2).sum() + w * (v.abs().sum() + h.abs().sum())), "squared"),
    (style_swap.swap_loss, of_terms(lambda d, v, h, w: d.norm() + w * roughness(v, h)), "there is a root"),
    (style_swap.swap_loss, of_terms(lambda d, v, h, w: d.norm() + w * (v.norm() + h.norm())), "there are roots"),
    (style_swap.swap_loss, of_terms(lambda d, v, h, w: (d**2).sum() / 2 + w * roughness(v, h)), "a ½"),
    (
        style_swap.swap_loss,
        lambda f, t, i, w: loss(f, t, i, w) + w * i.diff(dim=1).square().sum(),
        "compared with each other",
    ),
    (style_swap.swap_loss, of_terms(lambda d, v, h, w: d.abs().sum() + w * roughness(v, h)), "square them"),
    (style_swap.swap_loss, of_terms(lambda d, v, h, w: (d**2).mean() + w * means(v, h)), "are sums"),
    (style_swap.swap_loss, of_terms(lambda d, v, h, w: (d**2).mean() + w * roughness(v, h)), "mse_loss"),
    (style_swap.swap_loss, of_terms(lambda d, v, h, w: (d**2).sum() + w * means(v, h)), "second term is a mean"),
    (style_swap.swap_loss, of_terms(lambda d, v, h, w: (d**2).sum() + w * (h**2).sum()), "neighbours side by side"),
    (style_swap.swap_loss, of_terms(lambda d, v, h, w: (d**2).sum() + w * (v**2).sum()), "neighbours above each"),
    (style_swap.swap_loss, of_terms(lambda d, v, h, w: (d**2).sum() + w * corner(v, h).sum()), "cut off"),
    (style_swap.swap_loss, of_terms(lambda d, v, h, w: (d**2).sum() + w * corner(v, h).sqrt().sum()), "no root"),
    (
        style_swap.swap_loss,
        lambda f, t, i, w: (f - t).square().sum() + w * roughness(i.diff(dim=1), i.diff(dim=2)),
        "rows and columns are 2 and 3",
    ),
    (style_swap.swap_loss, lambda *a: loss(*a).detach(), "no gradient can flow back"),
    (style_swap.swap_loss, lambda f, t, i, w: loss(f, t, i, w) - (f - t).square().sum() * (1 - 1 / t.square().sum()),
     "the course does so"),
    # steadiness: the motion, the sign, the border
    (style_swap.steadiness, lambda f, s: (f[1:] - f[:-1]).abs().mean(), "the motion is not taken out"),
    (style_swap.steadiness, lambda f, s: (f[1:, ..., s:] - f[:-1, ..., :-s]).abs().mean(), "in the wrong direction"),
    (style_swap.steadiness, lambda f, s: (f[1:, ..., s:] - f[:-1, ..., s:]).abs().mean(), "the same columns"),
    (style_swap.steadiness, lambda f, s: (f[1:, ..., :-s] - f[:-1, ..., :-s]).abs().mean(), "the same columns"),
    (style_swap.steadiness, lambda f, s: (f[1:].roll(s, 3) - f[:-1]).abs().mean(), "roll brings pixels back"),
    (style_swap.steadiness, lambda f, s: (f[1:].roll(-s, 3) - f[:-1]).abs().mean(), "roll brings pixels back"),
    (style_swap.steadiness, differences(lambda d: d.square().mean()), "are squared"),
    (style_swap.steadiness, differences(lambda d: d.square().mean().sqrt()), "root of the mean square"),
    (style_swap.steadiness, differences(lambda d: d.mean()), "ups and downs cancel out"),
    (style_swap.steadiness, differences(lambda d: d.abs().sum()), "take the mean, or large frames"),
    (style_swap.steadiness, lambda f, s: steady(f[:2], s), "only the first two frames"),
    (style_swap.steadiness, lambda f, s: steady(f[-2:], s), "only the last two frames"),
    (style_swap.steadiness, differences(lambda d: d.abs().sum(dim=1).mean()), "or over the colours"),
    (style_swap.steadiness, lambda f, s: steady(f, s) * (len(f) - 1) / len(f), "four frames have three pairs"),
    (style_swap.steadiness, lambda f, s: 255 * steady(f, s), "in 255ths"),
    (style_swap.steadiness, lambda f, s: (f[1:, ..., :-s] - f[:1, ..., s:]).abs().mean(), "with the first one"),
    (style_swap.steadiness, lambda f, s: (f[1:, ..., :-s, :] - f[:-1, ..., s:, :]).abs().mean(), "rows are cut off"),
]  # fmt: skip
TestGate = gate("06_style_swap", mistakes=MISTAKES, other_ways=OTHER_WAYS, numbers=[style_swap.steadiness])
