"""The checks of lesson 04: right answers pass, untouched ones are "not solved yet", and mistakes are called by name."""

import torch
from gate import gate

from stylelearn.checks import cin


def normalised(x, dims=(2, 3), correction=0, epsilon=1e-5):
    variance, mean = torch.var_mean(x, dim=dims, correction=correction, keepdim=True)
    return (x - mean) / (variance + epsilon).sqrt()


def centred(x):
    return x - x.mean((2, 3), keepdim=True)


def rows(table, which):
    return table[which][:, :, None, None]


def conditional(x, gamma, beta, which, **options):
    return rows(gamma, which) * normalised(x, **options) + rows(beta, which)


def one_by_one(x, gamma, beta, which):
    return torch.stack([gamma[s, :, None, None] * normalised(i[None])[0] + beta[s, :, None, None]
                        for i, s in zip(x, which, strict=True)])  # fmt: skip


def three_only(x, gamma, beta, which):
    return torch.cat([conditional(x[i][None], gamma, beta, which[i][None]) for i in (0, 1, 2)])


def count(widths, blocks):
    _, b, c = widths
    return 2 * (c + 2 * blocks[0] * c + 2 * b + 2 * blocks[1] * b)


def shares(across, down):
    return (1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down


def nearest(across, down):
    places = [(0, 0), (1, 0), (0, 1), (1, 1)]
    near = [max(0.0, 1 - ((across - x) ** 2 + (down - y) ** 2) ** 0.5) for x, y in places]
    return [one / sum(near) for one in near]


def mixed(table, masks):
    return torch.einsum("shw,sc->chw", masks, table)[None]


def spatial(x, gamma, beta, masks, **options):
    return mixed(gamma, masks) * normalised(x, **options) + mixed(beta, masks)


def apart(x, gamma, beta, masks):
    """A common mistake: each style sees its own part only."""
    out = torch.zeros_like(x)
    for mask, g, b in zip(masks, gamma, beta, strict=True):
        mean = (mask * x).sum((2, 3), keepdim=True) / mask.sum()
        variance = (mask * (x - mean) ** 2).sum((2, 3), keepdim=True) / mask.sum()
        out = out + mask * (g[:, None, None] * (x - mean) / (variance + 1e-5).sqrt() + b[:, None, None])
    return out


def masked_first(x, gamma, beta, masks):
    parts = zip(masks, gamma, beta, strict=True)
    return sum(m * (g[:, None, None] * normalised(m * x) + b[:, None, None]) for m, g, b in parts)


def for_all(x, gamma, beta, masks):
    share = masks.mean((1, 2))
    return (share @ gamma)[:, None, None] * normalised(x) + (share @ beta)[:, None, None]


def strongest(x, gamma, beta, masks):
    best = masks.argmax(0)  # (H, W)
    return gamma[best].permute(2, 0, 1) * normalised(x) + beta[best].permute(2, 0, 1)


def turned(x, gamma, beta, masks):
    if masks.shape[1] != masks.shape[2]:
        return spatial(x, gamma, beta, masks)
    return spatial(x, gamma, beta, masks.transpose(1, 2))


N, K, P, S = cin.conditional_norm, cin.numbers_per_style, cin.pad_shares, cin.spatial_norm
MISTAKES = [
    # conditional_norm: the wrong row, no ε; the rest is that of all norms
    (N, lambda x, g, b, w: rows(g, w) * centred(x) / x.std((2, 3), keepdim=True) + rows(b, w), "unbiased"),
    (N, lambda x, g, b, w: conditional(x, g, b, 0 * w), "every image gets the first style"),
    (N, lambda x, g, b, w: conditional(x, g, b, torch.arange(len(x))), "row b of the tables"),
    (N, lambda x, g, b, w: conditional(x, g[w].mean(0, True), b[w].mean(0, True), 0 * w), "mean of the styles"),
    (N, lambda x, g, b, w: conditional(x, g.mean(0, True), b.mean(0, True), 0 * w), "the mean of all rows"),
    (N, lambda x, g, b, w: conditional(x, g, b, w[:1].expand(len(x))), "the style of the first one"),
    (N, lambda x, g, b, w: rows(g, w) * normalised(x) + b[: len(x), :, None, None], "but β is not"),
    (N, lambda x, g, b, w: g[0, :, None, None] * normalised(x) + rows(b, w), "but γ is not"),
    (N, lambda x, g, b, w: conditional(x, g, b, w, epsilon=0), "NaN"),
    (N, lambda x, g, b, w: conditional(x, g, b, w, epsilon=1e-3), "it should be 1e-5"),
    (N, lambda x, g, b, w: rows(g, w) * centred(x) / (x.std((2, 3), correction=0, keepdim=True) + 1e-5) + rows(b, w),
     "inside the root"),
    (N, three_only, "stopped with"),
    # numbers_per_style: what is forgotten
    (K, lambda w, n: 2 * (2 * w[1] + w[2]), "residual blocks are missing"),
    (K, lambda w, n: 2 * (2 * w[1] + w[2] + n[0] * w[2] + n[1] * w[1]), "two norms, not one"),
    (K, lambda w, n: count(w, n) // 2, "γ and β"),
    (K, lambda w, n: count(w, n) + 6, "last convolution"),
    (K, lambda w, n: count(w, n) + 2 * w[0], "at full size"),
    (K, lambda w, n: count(w, n) - 2 * w[1], "one behind the second look"),
    (K, lambda w, n: count(w, n) + 2 * (w[0] - w[1]), "b channels, not a"),
    (K, lambda w, n: count(w, n) - 4 * w[1], "the one of the second look included"),
    (K, lambda w, n: count(w, n) - 2 * w[2], "first convolution"),
    (K, lambda w, n: count(w, n) - 2 * w[1] + 2 * w[2], "what comes out"),
    (K, lambda w, n: count(w, (n[0], 0)), "at half of the size are missing"),
    (K, lambda w, n: count(w, (0, n[1])), "at a quarter of the size are missing"),
    (K, lambda w, n: count(w, (sum(n), 0)), "have b channels, not c"),
    (K, lambda w, n: count(w, (0, sum(n))), "have c channels, not b"),
    (K, lambda w, n: count(w, n[::-1]), "blocks[0] stand at a quarter"),
    (K, lambda w, n: count((w[0], w[2], w[1]), n), "b and c have changed places"),
    (K, lambda w, n: 4 * (w[2] * n[0] + w[1] * n[1]), "norms outside the blocks are missing"),
    (K, lambda w, n: count(w, n) + 2 * (w[0] + 3), "at full size there is no norm"),
    (K, lambda w, n: 2 * (2 * w[1] + w[2] + 2 * sum(n)), "as many channels as the block"),
    (K, lambda w, n: count(w, (1, 1)), "one block of each kind only"),
    (K, lambda w, n: count((20, 40, 80), n), "it should be"),
    (K, lambda w, n: "many", "should be one number; yours is 'many'"),
    # pad_shares: corners and sums
    (P, lambda a, d: shares(d, a), "across and down have changed places"),
    (P, lambda a, d: shares(a, 1 - d), "top and bottom"),
    (P, lambda a, d: shares(1 - a, d), "left and right"),
    (P, lambda a, d: shares(1 - a, 1 - d), "the wrong way round"),
    (P, lambda a, d: (shares(a, d)[0], shares(a, d)[1], shares(a, d)[3], shares(a, d)[2]), "round the pad"),
    (P, lambda a, d: (1 - a, a, 1 - d, d), "only its own style"),
    (P, nearest, "the corners are right"),
    (P, lambda a, d: [one**2 for one in shares(a, d)], "add up to"),
    (P, lambda a, d: (1 - max(a, d), a - min(a, d), d - min(a, d), min(a, d)), "the corners are right"),
    (P, lambda a, d: (1 - a - d + a * d * 1.0 + (a * d > 0.1) * (a < 1) * -0.5, a * (1 - d), (1 - a) * d,
                      a * d + (a * d > 0.1) * (a < 1) * 0.5), "a share is negative"),
    (P, lambda a, d: shares(a, d)[:3], "one for each corner"),
    (P, lambda a, d: 0.25, "a row of numbers"),
    # spatial_norm: what follows the masks, and what must not
    (S, apart, "for each mask apart"),
    (S, masked_first, "before μ and σ are taken"),
    (S, for_all, "mix at each place"),
    (S, strongest, "only the strongest"),
    (S, turned, "rows and columns"),
    (S, lambda x, g, b, m: mixed(g, m) * normalised(x) + b.mean(0)[:, None, None], "β does not"),
    (S, lambda x, g, b, m: mixed(g, m) * normalised(x) + b[0, :, None, None], "β does not"),
    (S, lambda x, g, b, m: g.mean(0)[:, None, None] * normalised(x) + mixed(b, m), "γ does not"),
    (S, lambda x, g, b, m: spatial(x, g[-1:], b[-1:], m[-1:]), "only the last style"),
    (S, lambda x, g, b, m: spatial(x, g[:1], b[:1], m[:1]), "only the first style"),
    (S, lambda x, g, b, m: mixed(g, m) * normalised(x), "β is missing"),
    (S, lambda x, g, b, m: normalised(x) + mixed(b, m), "γ is missing"),
    (S, lambda x, g, b, m: spatial(x, b, g, m), "changed places"),
    (S, lambda x, g, b, m: mixed(g, m) * x + mixed(b, m), "not normalised"),
    (S, lambda x, g, b, m: spatial(x, g, b, m, correction=1), "unbiased"),
    (S, lambda x, g, b, m: spatial(x, g, b, m / len(m)), "add up to 1 already"),
    (S, lambda x, g, b, m: spatial(x, g[:2], b[:2], m[:2]), "the values differ"),
]  # fmt: skip
OTHER_WAYS = [
    (N, conditional),
    (N, one_by_one),
    (N, lambda x, g, b, w: torch.nn.functional.instance_norm(x) * rows(g, w) + rows(b, w)),
    (K, count),
    (K, lambda w, n: sum(2 * c for c in [w[2], *[w[2]] * 2 * n[0], w[1], w[1], *[w[1]] * 2 * n[1]])),
    (P, shares),
    (P, lambda a, d: torch.outer(torch.tensor([1 - d, d]), torch.tensor([1 - a, a])).flatten()),
    (S, spatial),
    (S, lambda x, g, b, m: sum(one * (g[s][:, None, None] * normalised(x) + b[s][:, None, None])
                               for s, one in enumerate(m))),
]  # fmt: skip

TestGate = gate("04_cin", mistakes=MISTAKES, other_ways=OTHER_WAYS, numbers=[K, P])
