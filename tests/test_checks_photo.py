"""The checks of lesson 07: right answers pass, untouched ones are "not solved yet", and mistakes are called by name."""

import torch
import torch.nn.functional as F
from gate import gate

from stylelearn.checks import photo


def window(colours, eps, *, ridge=None, correction=0, constant=1.0, inverse=torch.linalg.inv, centre=True, sign=-1):
    n = len(colours)
    d = colours - colours.mean(0) if centre else colours
    sigma = torch.cov(colours.T, correction=correction)
    ridge = eps / n * torch.eye(3) if ridge is None else ridge
    return torch.eye(n) + sign * (constant + d @ inverse(sigma + ridge) @ d.T) / n


def by_regression(colours, eps):
    """The same matrix, from the normal equations of a ridge regression."""
    n = len(colours)
    rows = torch.cat([colours, torch.ones(n, 1)], dim=1)
    hat = rows @ torch.linalg.inv(rows.T @ rows + eps * torch.diag(torch.tensor([1.0, 1, 1, 0]))) @ rows.T
    return torch.eye(n) - hat


def about(colours, eps, d):
    n = len(colours)
    return torch.eye(n) - (1 + d @ torch.linalg.inv(d.T @ d / n + eps / n * torch.eye(3)) @ d.T) / n


WINDOW = [
    (lambda c, e: window(c, e, ridge=e * torch.eye(3)), "ε is not divided"),
    (lambda c, e: window(c, e, ridge=0 * torch.eye(3)), "ε is missing"),
    (lambda c, e: window(c, e, ridge=e * len(c) * torch.eye(3)), "ε is multiplied"),
    (lambda c, e: window(c, e, correction=1), "correction=0"),
    (lambda c, e: window(c, e, correction=1, ridge=e * torch.eye(3)), "two things"),
    (lambda c, e: window(c, e, correction=len(c) - 1), "Σ is a sum here"),
    (lambda c, e: window(c, e, ridge=e / len(c)), "all nine numbers"),
    (lambda c, e: window(c, e, constant=0.0), "the 1 in 1 + (…) is missing"),
    (lambda c, e: torch.eye(len(c)) - window(c, e), "δ_ij minus this"),
    (lambda c, e: -window(c, e), "the sign is wrong"),
    (lambda c, e: torch.eye(9) - 9 * (torch.eye(9) - window(c, e)), "in front of the bracket is missing"),
    (lambda c, e: torch.eye(9) - 1 / 9 - 9 * (torch.eye(9) - window(c, e) - 1 / 9), "before the 1 only"),
    (lambda c, e: 1 - torch.eye(9) + window(c, e), "1 in every place"),
    (lambda c, e: window(c, e, sign=1), "it is minus"),
    (lambda c, e: window(c, e, centre=False), "μ is not taken off"),
    (lambda c, e: window(c, e, inverse=lambda m: m), "its inverse should"),
    (lambda c, e: window(c, e, inverse=torch.reciprocal), "the matrix inverse"),
    (
        lambda c, e: window(c, e, ridge=0 * torch.eye(3), inverse=lambda m: m.inverse() + e / len(c) * torch.eye(3)),
        "after Σ was inverted",
    ),
    (lambda c, e: window(c, e) + 1 / 9 - torch.eye(9) / 9, "there it is the plain number 1"),
    (lambda c, e: about(c, e, c - c.mean()), "over all numbers"),
    (lambda c, e: about(c, e, c - c.mean(1, keepdim=True)), "of each pixel"),
    (lambda c, e: torch.cov(c.T), "colours with colours"),
    (lambda c, e: window(c, e, ridge=e / 9 * torch.eye(3)), "not for 4"),
    (lambda c, e: window(c, e) if c.std() > 0 else torch.eye(9), "a window of one colour"),
]


def photorealism(image, matrix, *, vectors=None):
    v = image[0].flatten(1) if vectors is None else vectors(image)  # (3, N)
    return (v @ matrix * v).sum(), (2 * v @ matrix).reshape(image.shape)


def by_autograd(image, matrix):
    image = image.clone().requires_grad_()
    loss = sum(channel.flatten() @ matrix @ channel.flatten() for channel in image[0])
    return loss, torch.autograd.grad(loss, image)[0]


def loss_as(change):
    return lambda image, matrix: (change(image[0].flatten(1), matrix), photorealism(image, matrix)[1])


def slope_as(change):
    return lambda image, matrix: (photorealism(image, matrix)[0], change(photorealism(image, matrix)[1], image))


def backwards(image, matrix):
    loss, _ = photorealism(image, matrix)
    return loss, (2 * matrix @ image[0].flatten(1).T).reshape(image.shape)


PHOTOREALISM = [
    (lambda i, m: photorealism(i, m)[0], "return two things, the loss and its gradient"),
    (lambda i, m: photorealism(i, m, vectors=lambda i: i[0].transpose(1, 2).flatten(1)), "column by column"),
    (lambda i, m: photorealism(i, m, vectors=lambda i: i[0].permute(1, 2, 0).reshape(3, -1)), "torn apart"),
    (lambda i, m: photorealism(i, m, vectors=lambda i: i[0].flatten().reshape(-1, 3).T), "the channels are mixed"),
    (loss_as(lambda v, m: (v @ m * v).sum(1).mean()), "the mean over the channels"),
    (loss_as(lambda v, m: v[0] @ m @ v[0]), "only one channel"),
    (loss_as(lambda v, m: (v @ m * v).sum() / len(m)), "divided by the number of pixels"),
    (loss_as(lambda v, m: (v @ m * v).mean()), "divided by the number of values"),
    (loss_as(lambda v, m: (v @ m * v).sum() / 2), "there is a ½"),
    (loss_as(lambda v, m: (v @ m).sum()), "this is Σ M V"),
    (loss_as(lambda v, m: (v @ m).square().sum()), "this is |M V|²"),
    (loss_as(lambda v, m: v.sum(0) @ m @ v.sum(0)), "red is multiplied with green"),
    (loss_as(lambda v, m: v.mean(0) @ m @ v.mean(0)), "the loss of the grey picture"),
    (loss_as(lambda v, m: (v @ m * v).sum(1)), "one number"),
    (loss_as(lambda v, m: v.sum()), "the loss differs"),
    (slope_as(lambda g, i: g / 2), "lacks the 2"),
    (slope_as(lambda g, i: -g), "the sign is wrong"),
    (slope_as(lambda g, i: -g / 2), "and the 2 is missing"),
    (slope_as(lambda g, i: g / g.numel()), "divided by the number of values"),
    (slope_as(lambda g, i: g[:, :1].expand_as(g)), "red's gradient"),
    (slope_as(lambda g, i: 2 * i), "M is missing"),
    (slope_as(lambda g, i: g + 1), "but the gradient differs"),
    (backwards, "changed places on the way back"),
]


def small(masks, features):
    return F.adaptive_avg_pool2d(masks[None], features.shape[2:])[0]


def style_loss(
    features, masks, style, style_masks, *,
    scale=small, divisor=torch.sum, use=lambda mask: mask, factor=None, over=slice(None), absent=False,
    apart=lambda difference, mask: difference.square().sum(),
):  # fmt: skip
    """What exercise 3 asks for, with places to go wrong at."""
    total, n = 0.0, features.shape[1]
    for mask, other in list(zip(scale(masks, features), scale(style_masks, style), strict=True))[over]:
        if other.sum() == 0 and not absent:
            continue
        grams = []
        for f, m in ((features, mask), (style, other)):
            flat = (f * use(m)).flatten(2)[0]  # (C, H·W)
            grams.append(flat @ flat.T / divisor(m))
        total = total + apart(grams[0] - grams[1], mask)
    return total / (2 * n**2 if factor is None else factor)


def with_option(**options):
    return lambda f, m, s, n: style_loss(f, m, s, n, **options)


def nearest(masks, features):
    return F.interpolate(masks[None], features.shape[2:], mode="nearest")[0]


def smooth(antialias):
    return lambda masks, f: F.interpolate(masks[None], f.shape[2:], mode="bilinear", antialias=antialias)[0]


def hard(masks, features):
    best = small(masks, features).argmax(0)
    return F.one_hot(best, len(masks)).permute(2, 0, 1).float()


def cut(masks, features):
    return masks[:, : features.shape[2], : features.shape[3]]


MASKED = [
    (with_option(apart=lambda d, m: d.abs().sum()), "absolute differences"),
    (with_option(apart=lambda d, m: d.norm()), "there is a root"),
    (with_option(apart=lambda d, m: m.mean() * d.square().sum()), "each region counts by its size"),
    (with_option(divisor=lambda m: 1.0), "the mask's share is missing in the divisor"),
    (with_option(divisor=torch.numel), "divided by all positions"),
    (with_option(divisor=torch.mean), "divided by the share alone"),
    (with_option(divisor=lambda m: m.square().sum()), "divided by Σ M²"),
    (with_option(divisor=lambda m: m.sum() * 4), "divided by the channels too"),
    (lambda f, m, s, n: style_loss(f, torch.ones(1, 5, 6), s, torch.ones(1, 4, 7)), "the masks are not used"),
    (lambda f, m, s, n: style_loss(f, n, s, m), "the masks are swapped"),
    (lambda f, m, s, n: style_loss(f, m, s, m), "laid over the style too"),
    (lambda f, m, s, n: style_loss(f, n, s, n), "laid over the content too"),
    (with_option(scale=nearest), "the masks are not averaged"),
    (with_option(scale=cut), "the masks are cut, not scaled"),
    (with_option(scale=smooth(False)), "without antialias"),
    (with_option(scale=smooth(True)), "looks beyond the pixels"),
    (with_option(scale=lambda m, f: m), "your code stopped"),
    (with_option(use=torch.sqrt), "the mask comes once in F Fᵀ"),
    (with_option(scale=hard), "to one region only"),
    (with_option(scale=lambda m, f: (small(m, f) > 0.5).float()), "wholly or not at all"),
    (with_option(divisor=lambda m: 16 * m.sum()), "sum in *pixels*"),
    (with_option(factor=2 * 30**2), "N is the number of channels"),
    (with_option(factor=4**2), "the 2 of 1/(2 N²) is missing"),
    (with_option(factor=4 * 4**2), "there is a 4"),
    (with_option(factor=1), "the divisor 2 N² is missing"),
    (with_option(factor=2), "the N² of 1/(2 N²) is missing"),
    (with_option(factor=3 * 2 * 4**2), "the mean over the regions"),
    (with_option(over=slice(1)), "only the first region"),
    (with_option(over=slice(-1, None)), "only the last region"),
    (lambda *a: style_loss(*a).detach(), "no gradient can flow back"),
    (with_option(absent=True), "gives NaN"),
    (with_option(absent=True, divisor=lambda m: m.sum().clamp_min(1e-6)), "pulled to a Gram matrix of zeros"),
]


def merge(content, reference, relatives):
    """What exercise 4 asks for."""
    return {
        name: next((one for one in [name, *relatives.get(name, [])] if one in reference), reference[0])
        for name in content
    }


def merged_with(**changes):
    return lambda c, r, n: {name: label for name, label in (merge(c, r, n) | changes).items() if label is not ...}


MERGE = [
    (lambda c, r, n: list(c), "give a dict"),
    (lambda c, r, n: {one: c[0] for one in r}, "the wrong way round"),
    (merged_with(person=...), "'person' has no relative"),
    (merged_with(person=None), "'person' has no relative"),
    (lambda c, r, n: {one: one for one in c if one in r}, "the orphans are dropped"),
    (merged_with(lake=...), "every label of the content"),
    (merged_with(water="water"), "the content has no water"),
    (lambda c, r, n: {one: one for one in c}, "left as it is"),
    (lambda c, r, n: {one: one if one in r else n.get(one, r)[0] for one in c}, "go on to the next relative"),
    (merged_with(sky="building"), "'sky' is in both"),
    (lambda c, r, n: {one: next((x for x in [*n.get(one, []), one] if x in r), r[0]) for one in c}, "'sky' is in both"),
    (lambda c, r, n: {one: one if one in r else r[0] for one in c}, "all orphans go to the largest"),
    (merged_with(lake="water"), "'sea' comes before it"),
    (merged_with(grass="sea"), "'grass' goes to 'sea'"),
    (lambda c, r, n: dict(photo.EXPECTED), "not for another"),
]

MISTAKES = [
    *((photo.window, *case) for case in WINDOW),
    *((photo.photorealism, *case) for case in PHOTOREALISM),
    *((photo.masked_style_loss, *case) for case in MASKED),
    *((photo.merge_orphans, *case) for case in MERGE),
]


OTHER_WAYS = [
    (photo.window, by_regression),
    (photo.window, lambda c, e: window(c.double(), e).float()),
    (photo.photorealism, photorealism),
    (photo.photorealism, by_autograd),
    (photo.photorealism, lambda i, m: [part.numpy() for part in photorealism(i, m)]),
    (photo.photorealism, lambda i, m: (float(photorealism(i, m)[0]), photorealism(i, m)[1])),
    (photo.masked_style_loss, style_loss),
    (photo.merge_orphans, merge),
]

TestGate = gate("07_photo", mistakes=MISTAKES, other_ways=OTHER_WAYS)
