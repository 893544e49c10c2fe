"""The checks of lesson 09: right answers pass, untouched ones are "not solved yet", and mistakes are called by name."""

import random

import torch
from gate import gate

from stylelearn.checks import emd


def picks(there, without, count):
    return random.sample([each for each in there if each != without], count)


def references(font, letter, fonts, letters, r):
    return picks(letters, letter, r), picks(fonts, font, r)


def references_by_shuffling(font, letter, fonts, letters, r):
    """Tuples, and a copy that may be changed."""
    found = []
    for without, there in ((letter, letters), (font, fonts)):
        mine = list(there)
        mine.remove(without)
        random.shuffle(mine)
        found.append(tuple(mine[:r]))
    return found


def mixer(S, C, W):
    return torch.einsum("bi,ijk,bj->bk", S, W, C)


def ink(target):
    return (target < 0.5).float()


def parts(f):
    """A loss made of the errors, N_b and mean_b of each glyph, the drawing and the target."""

    def answer(drawn, target):
        count = ink(target).sum((1, 2, 3))
        mean = (target * ink(target)).sum((1, 2, 3)) / count
        return f((drawn - target).abs().sum((1, 2, 3)), count, mean, drawn, target)

    return answer


weighted_loss = parts(lambda e, n, m, d, t: (m.softmax(0) * e / n).sum())


def mixed(f):
    """Draws in the style that f makes of both styles and the share."""

    def answer(net, refs_a, refs_b, content_refs, share):
        S = f(net.encode_style(refs_a), net.encode_style(refs_b), share)
        C, skips = net.encode_content(content_refs)
        return net.decode(net.mix(S.expand_as(C), C), skips)

    return answer


between = mixed(torch.lerp)


def between_as_mixtures(net, refs_a, refs_b, content_refs, share):
    """M is linear in S, so mixing M is the same."""
    C, skips = net.encode_content(content_refs)
    M = [net.mix(net.encode_style(refs).repeat(len(C), 1), C) for refs in (refs_a, refs_b)]
    return net.decode((1 - share) * M[0] + share * M[1], skips)


def chosen(style=None, content=None):
    """A mistake in one of the two lists: f(the right list, the target's, all, r)."""

    def answer(font, letter, fonts, letters, r):
        first, second = references(font, letter, fonts, letters, r)
        return (
            style(first, letter, letters, r) if style else first,
            content(second, font, fonts, r) if content else second,
        )

    return answer


def first_ones(right, without, there, r):
    return [each for each in there if each != without][:r]


def without_the_last(right, without, there, r):
    return random.sample([each for each in there if each != without][:-1], r)


def pixels(net, refs_a, refs_b, content_refs, share):
    return (1 - share) * net(refs_a, content_refs) + share * net(refs_b, content_refs)


def mean_of_all(target):
    return target.mean((1, 2, 3))


def through_the_content_encoder(network, refs_a, refs_b, content_refs, share):
    S_a, S_b = (network.encode_content(refs)[0] for refs in (refs_a, refs_b))
    C, skips = network.encode_content(content_refs)
    return network.decode(network.mix((1 - share) * S_a + share * S_b, C), skips)


def of_the_paper(drawn, target):
    paper = (target > 0.5).float()
    count = paper.sum((1, 2, 3))
    mean = (target * paper).sum((1, 2, 3)) / count
    return (mean.softmax(0) * (drawn - target).abs().sum((1, 2, 3)) / count).sum()


def added(network, refs_a, refs_b, content_refs, share):
    C, skips = network.encode_content(content_refs)
    return network.decode(network.mix(network.encode_style(refs_a) + network.encode_style(refs_b), C), skips)


def exchanged(network, refs_a, refs_b, content_refs, share):
    S = torch.lerp(network.encode_style(refs_a), network.encode_style(refs_b), share)
    C, skips = network.encode_content(content_refs)
    return network.decode(network.mix(C, S), skips)


R, M, L, B = emd.references, emd.mixer, emd.weighted_loss, emd.between
OTHER_WAYS = [
    (R, references),
    (R, references_by_shuffling),
    (M, mixer),
    (L, weighted_loss),
    (B, between),
    (B, between_as_mixtures),
]
MISTAKES = [
    (M, lambda S, C, W: torch.einsum("ai,ijk,bj->bk", S, W, C), "S needs the same b"),
    (L, parts(lambda e, n, m, d, t: (m.softmax(0) * (d - t).abs().mean((1, 2, 3)) / n).sum()), "each error is a mean"),
    (L, parts(lambda e, n, m, d, t: (m.softmax(0) * (d - t).sum((1, 2, 3)) / n).sum()), "cancel out"),
    (L, of_the_paper, "these are the paper's pixels"),
    (B, added, "their full weight"),
    (B, through_the_content_encoder, "S comes from encode_style"),
    (R, chosen(style=lambda x, w, t, r: random.sample(t, r)), "learn to copy"),
    (R, chosen(content=lambda x, w, t, r: random.sample(t, r)), "learn to copy"),
    (R, lambda f, j, fs, js, r: references(f, j, fs, js, r)[::-1], "sets swapped"),
    (R, chosen(style=lambda x, w, t, r: x[:-1]), "R_S has 4 references"),
    (R, chosen(content=lambda x, w, t, r: x[:1]), "R_C has 1 references"),
    (R, chosen(style=lambda x, w, t, r: x[:1] * r), "comes twice"),
    (R, chosen(content=lambda x, w, t, r: random.choices(x, k=r)), "comes twice"),
    (R, chosen(style=lambda x, w, t, r: ["?"] * r), "holds '?'"),
    (R, chosen(style=first_ones), "R_S is always the same"),
    (R, chosen(content=first_ones), "R_C is always the same"),
    (R, chosen(style=without_the_last), "R_S never holds"),
    (R, lambda f, j, fs, js, r: picks(js, j, r), "two things, the letters of R_S and the fonts"),
    (M, lambda S, C, W: mixer(C, S, W), "have changed places"),
    (M, lambda S, C, W: torch.einsum("bi,iik,bi->bk", S, W, C), "only i = j"),
    (M, lambda S, C, W: torch.einsum("bi,ijk,bi->bk", S, W, C), "C needs one of its own"),
    (M, lambda S, C, W: torch.einsum("bj,ijk,bj->bk", S, W, C), "S needs one of its own"),
    (M, lambda S, C, W: torch.einsum("bi,ijk,aj->bk", S, W, C), "C needs the same b"),
    (M, lambda S, C, W: torch.einsum("bij,ijk->bk", S[:, :, None] + C[:, None], W), "added; they multiply"),
    (M, lambda S, C, W: mixer(S[:1].expand_as(S), C, W), "the first glyph's S"),
    (M, lambda S, C, W: mixer(S, C[:1].expand_as(C), W), "the first glyph's C"),
    (M, lambda S, C, W: mixer(S, C, W) / 16, "this is a mean"),
    (M, lambda S, C, W: torch.einsum("bi,ijk->bk", S, W), "C is not used"),
    (M, lambda S, C, W: torch.einsum("ijk,bj->bk", W, C), "S is not used"),
    (M, lambda S, C, W: S.sum(1)[:, None] * C.sum(1)[:, None] * W.sum((0, 1)), "three sums"),
    (M, lambda S, C, W: (S[:, :, None] * C[:, None]).flatten(1) @ W.reshape(W.shape[2], -1).T, "only reshaped"),
    (M, lambda S, C, W: torch.einsum("bi,ijk,bj->k", S, W, C), "the batch are added up"),
    (M, lambda S, C, W: mixer(S, C, W.detach()), "W could not learn"),
    (M, lambda S, C, W: mixer(S, C, W) if S.shape == C.shape else torch.zeros(len(S), W.shape[2]), "of one length"),
    (L, parts(lambda e, n, m, d, t: (m.softmax(0) * e).sum()), "W_st is missing"),
    (L, parts(lambda e, n, m, d, t: (e / n).sum()), "W_b is missing"),
    (
        L,
        parts(lambda e, n, m, d, t: (mean_of_all(t * ink(t)).softmax(0) * e / n).sum()),
        "divided by all pixels; divide by N_b",
    ),
    (L, lambda d, t: weighted_loss(torch.where(t < 0.5, d, t), t), "only errors at ink pixels"),
    (L, parts(lambda e, n, m, d, t: (e / n).mean()), "a plain mean"),
    (L, parts(lambda e, n, m, d, t: (m.softmax(0) * e / n).mean()), "a mean at the end"),
    (L, parts(lambda e, n, m, d, t: (m / m.sum() * e / n).sum()), "the exp in W_b"),
    (L, parts(lambda e, n, m, d, t: (m.exp() * e / n).sum()), "not divided by Σ exp"),
    (L, parts(lambda e, n, m, d, t: (m.exp() / m.sum().exp() * e / n).sum()), "the exp of a sum"),
    (L, parts(lambda e, n, m, d, t: ((m * n).softmax(0) * e / n).sum()), "mean_b is a sum"),
    (L, parts(lambda e, n, m, d, t: ((-m).softmax(0) * e / n).sum()), "the sign in W_b"),
    (L, parts(lambda e, n, m, d, t: (mean_of_all(t).softmax(0) * e / n).sum()), "over the whole glyph"),
    (L, parts(lambda e, n, m, d, t: (m.softmax(0) * e / ink(d).sum((1, 2, 3))).sum()), "counted in what was drawn"),
    (L, lambda d, t: weighted_loss(t, d), "not the drawing's"),
    (
        L,
        parts(lambda e, n, m, d, t: (((d * ink(d)).sum((1, 2, 3)) / ink(d).sum((1, 2, 3))).softmax(0) * e / n).sum()),
        "mean_b is the target's",
    ),
    (L, parts(lambda e, n, m, d, t: (m.softmax(0) * e / (64 - n)).sum()), "the paper's pixels"),
    (L, parts(lambda e, n, m, d, t: (m.softmax(0) * e / (t < 1).sum((1, 2, 3))).sum()), "everything that is not white"),
    (L, parts(lambda e, n, m, d, t: (m.softmax(0) * e).sum() / 64), "divided by all pixels"),
    (L, parts(lambda e, n, m, d, t: (m.softmax(0) * e).sum() / n.sum()), "the ink of the whole batch"),
    (L, parts(lambda e, n, m, d, t: (m.softmax(0) * e * n).sum()), "multiplied by N_b"),
    (L, parts(lambda e, n, m, d, t: (m.softmax(0) * (d - t).square().sum((1, 2, 3)) / n).sum()), "these are squares"),
    (
        L,
        parts(lambda e, n, m, d, t: (m.softmax(0) * (d - t).square().sum((1, 2, 3)).sqrt() / n).sum()),
        "‖·‖₂ in place",
    ),
    (L, lambda d, t: weighted_loss(d, t).detach(), "no gradient can flow back"),
    (B, mixed(lambda a, b, s: torch.lerp(b, a, s)), "are swapped"),
    (B, exchanged, "network.mix(S, C)"),
    (B, lambda net, a, b, content, share: net(torch.cat([a, b]), content), "as one font"),
    (B, pixels, "the pictures are mixed"),
    (B, lambda net, a, b, content, share: net((1 - share) * a + share * b, content), "the references are mixed"),
    (B, mixed(lambda a, b, s: a), "this is the first font"),
    (B, mixed(lambda a, b, s: b), "this is the second font"),
    (B, mixed(lambda a, b, s: (a + b) / 2), "both fonts count the same"),
    (B, mixed(lambda a, b, s: a + s * b), "keeps its full weight"),
    (B, mixed(lambda a, b, s: s * b), "the first font is missing"),
    (B, mixed(lambda a, b, s: (1 - s) * a), "the second font is missing"),
    (B, lambda net, a, b, c, share: between(net, a, b, c, share if len(c) > 1 else 0.5), "for one letter"),
]
TestGate = gate("09_emd", mistakes=MISTAKES, other_ways=OTHER_WAYS)
