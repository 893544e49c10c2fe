"""Checks of lesson 09: reference sets, the bilinear mixer, the weighted loss, and what is between two fonts."""

from collections.abc import Callable, Sequence
from itertools import cycle, islice

import torch
from torch import Tensor

from stylelearn.checks import Mistake, check, must_be, must_match, pair, run
from stylelearn.emd import INK, bilinear_mix

TRIES = 200  # times that references are asked for


@check
def references(answer: Callable[..., tuple[Sequence[str], Sequence[str]]]) -> str:
    """R_S and R_C of a glyph: r letters in its font, and its letter in r fonts, at random and without the glyph."""
    fonts, letters, r = ["Ada", "Bodo", "Clara", "Dido", "Emil", "Fritz", "Gala"], list("opqrstu"), 5
    seen: dict[str, set[tuple[str, ...]]] = {}
    for font, letter in islice(cycle(zip(fonts, letters, strict=True)), TRIES):
        found = run(answer, font=font, letter=letter, fonts=fonts, letters=letters, r=r)
        style, content = map(list, pair(found, "the letters of R_S and the fonts of R_C"))
        _must_be_references(style, letter, letters, r, fonts, "R_S")
        _must_be_references(content, font, fonts, r, letters, "R_C")
        seen.setdefault(font, set()).update([("R_S", *style), ("R_C", *content)])
    for name, what, there in (("R_S", "letters", letters), ("R_C", "fonts", fonts)):
        for target, sets in zip(there, seen.values(), strict=True):
            mine = {each[1:] for each in sets if each[0] == name}
            if len(mine) == 1:
                raise Mistake(f"{name} is always the same for a glyph; draw it, or some {what} are never seen.")
            if never := set(there) - {each for one in mine for each in one} - {target}:
                raise Mistake(f"{name} never holds {min(never)!r}, in {TRIES} tries; choose from all {what}.")
    return "right: the network must find what all of R_S share, and what all of R_C share. It cannot copy."


def _must_be_references(found: list[str], without: str, there: list[str], r: int, other: list[str], name: str) -> None:
    """One of the two lists, held against what may be in it."""
    what, keeps = ("letters", "font") if name == "R_S" else ("fonts", "letter")
    if any(each in other for each in found):
        raise Mistake(f"{name} should hold {what}: it is one {keeps}, in r {what}. Are the two sets swapped?")
    if strange := [each for each in found if each not in there]:
        raise Mistake(f"{name} holds {strange[0]!r}, which is none of the {what} that there are.")
    if without in found:
        raise Mistake(f"{name} holds {without!r}, so a glyph is its own reference: the network would learn to copy it.")
    if len(found) != r:
        raise Mistake(f"{name} has {len(found)} references; r is {r}.")
    if len(set(found)) < r:
        raise Mistake(f"in {name} something comes twice; draw without repetition, as random.sample does.")


@check
def mixer(answer: Callable[[Tensor, Tensor, Tensor], Tensor]) -> str:
    """M_k = Σ_ij S_i W_ijk C_j, for each glyph of the batch."""
    style, content, weight = torch.rand(3, 4), torch.rand(3, 4) + 0.5, torch.randn(4, 4, 2).requires_grad_()
    yours = run(answer, S=style, C=content, W=weight)
    if isinstance(yours, Tensor) and yours.shape == (2,):
        raise Mistake("the glyphs of the batch are added up: each has its own S, C and M; keep b to the right of ->.")
    s, c, w = style.double(), content.double(), weight.detach().double()

    def mixed(s: Tensor, c: Tensor, w: Tensor = w, rule: str = "bi,bj,ijk->bk") -> Tensor:
        return torch.einsum(rule, s, c, w)

    ones, reshaped = torch.ones_like(s), w.reshape(2, -1).T.reshape(w.shape)
    wrong = [
        (mixed(c, s), "S and C have changed places: S goes with the first dimension of W."),
        (mixed(s, c, rule="bi,bi,iik->bk"), "only i = j is there; every S_i meets every C_j."),
        (mixed(s, c, rule="bi,bi,ijk->bk"), "S and C share the index i; C needs one of its own, j, that W has too."),
        (mixed(s, c, rule="bj,bj,ijk->bk"), "S and C share the index j; S needs one of its own, i, that W has too."),
        (mixed(s, ones) + mixed(ones, c), "S and C are added; they multiply, or a font changes all letters alike."),
        (mixed(s[:1].expand_as(s), c), "the first glyph's S is used for all; each has its own."),
        (mixed(s, c[:1].expand_as(c)), "the first glyph's C is used for all; each has its own."),
        (mixed(s.sum(0, keepdim=True).expand_as(s), c), "S of all glyphs are added up; S needs the same b as C."),
        (mixed(s, c.sum(0, keepdim=True).expand_as(c)), "C of all glyphs are added up; C needs the same b as S."),
        (mixed(s, c) / 16, "this is a mean; Σ_ij is a sum."),
        (mixed(s, ones), "C is not used."),
        (mixed(ones, c), "S is not used."),
        (s.sum(1, keepdim=True) * c.sum(1, keepdim=True) * w.sum((0, 1)),
         "three sums, of S, C and W, are multiplied; the product belongs inside one sum over i and j."),
        (mixed(s, c, reshaped), "W is only reshaped to (K, R·Q); k is its last dimension: W.flatten(end_dim=1)."),
    ]  # fmt: skip
    must_match(yours, mixed(s, c), wrong, what="M")
    if not yours.requires_grad:
        raise Mistake("the numbers are right, but W could not learn: no gradient flows back to it.")
    other = torch.rand(2, 3), torch.rand(2, 5), torch.randn(3, 5, 4)
    must_be(answer(*other), mixed(*other), "this works as long as S and C are of one length; here 3 and 5 numbers.")
    return "right: every number of the style meets every number of the content, and W weights each pair."


def _parts(drawn: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """|Î − I|, (B, H·W), and of the target's ink N_b and mean_b, (B,) each."""
    drawn, target = drawn.double().flatten(1), target.double().flatten(1)
    ink = (target < INK).double()
    return (drawn - target).abs(), ink.sum(1), (target * ink).sum(1) / ink.sum(1)


@check
def weighted_loss(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """Σ_b W_st W_b ‖Î − I‖₁, with W_st = 1/N_b and W_b = exp(mean_b)/Σ exp(mean_b)."""
    target = torch.ones(3, 1, 8, 8)
    for index, (rows, grey) in enumerate(((1, 0.4), (3, 0.0), (5, 0.2))):  # thin and pale, bold and black
        target[index, :, :rows] = grey
        target[index, :, rows, :4] = 0.7  # the grey edge: paper rather than ink
    drawn = torch.rand(3, 1, 8, 8, requires_grad=True)
    yours = run(answer, drawn=drawn, target=target)
    errors, count, mean = _parts(drawn.detach(), target)
    _, drawn_count, drawn_mean = _parts(target, drawn.detach())
    error, share, pixels = errors.sum(1), mean.softmax(0), errors.shape[1]
    each, squares, values = error / count, errors.square().sum(1), target.double().flatten(1)
    at_ink = (errors * (values < INK)).sum(1)
    paper = (values > INK).double()
    paper_mean = (values * paper).sum(1) / paper.sum(1)
    signed = (drawn.detach().double() - target.double()).flatten(1).sum(1)
    wrong = [
        ((share * error).sum(), "W_st is missing: divide each glyph's error by its number of ink pixels."),
        (each.sum(), "W_b is missing, or 1 for every glyph: mean_b is one mean for each glyph, (B,), not one for all."),
        (each.mean(), "W_b is missing: this is a plain mean, in which all glyphs count the same."),
        ((share * each).mean(), "a mean at the end: the W_b of a batch add up to 1 already, so take the sum."),
        ((mean / mean.sum() * each).sum(), "the exp in W_b is missing."),
        ((mean.exp() / mean.sum().exp()) @ each, "the exp of a sum; W_b is divided by the sum of the exps."),
        ((mean * count).softmax(0) @ each, "mean_b is a sum; divide it by N_b."),
        ((mean.exp() * each).sum(), "W_b is not divided by Σ exp(mean): it would grow with the batch."),
        ((-mean).softmax(0) @ each, "the sign in W_b: exp(mean), so that pale, thin letters count more."),
        (values.mean(1).softmax(0) @ each, "mean_b is taken over the whole glyph; it is the mean of the ink only."),
        ((mean * count / pixels).softmax(0) @ each, "mean_b is divided by all pixels; divide by N_b."),
        ((share * at_ink / count).sum(), "only errors at ink pixels are counted; ‖·‖₁ adds up the paper's, too."),
        ((share * error / drawn_count).sum(), "N_b is counted in what was drawn; count the target's ink."),
        ((drawn_mean.softmax(0) * error / drawn_count).sum(), "N_b and mean_b are the target's, not the drawing's."),
        ((drawn_mean.softmax(0) * each).sum(), "mean_b is the target's, not the drawing's."),
        ((share * error / (pixels - count)).sum(), "these are the paper's pixels; ink is dark, below 0.5."),
        ((paper_mean.softmax(0) * error / paper.sum(1)).sum(), "these are the paper's pixels; ink is dark, below 0.5."),
        ((share * error / count).sum() / pixels, "each error is a mean over the pixels; ‖·‖₁ is their sum."),
        ((share * signed / count).sum(), "too dark and too light cancel out: ‖·‖₁ adds absolute values."),
        ((share * error / (values < 1).sum(1)).sum(), "everything that is not white is counted; ink is below 0.5."),
        ((share * error).sum() / pixels, "divided by all pixels of a glyph, which are as many for thin and for bold."),
        ((share * error).sum() / count.sum(), "N_b is the ink of the whole batch; each glyph has its own."),
        ((share * error * count).sum(), "multiplied by N_b; W_st is 1/N_b."),
        ((share * squares / count).sum(), "these are squares; ‖·‖₁ adds absolute values."),
        ((share * squares.sqrt() / count).sum(), "‖·‖₂ in place of ‖·‖₁: add absolute values."),
    ]  # fmt: skip
    must_match(yours, (share * each).sum(), wrong, what="the loss", gradient=True)
    return "right: a missing half of a thin letter now costs as much as that of a bold one."


class _SmallNetwork:
    """The interface of `emd.EMD`; no two ways to mix give the same."""

    def __init__(self) -> None:
        self.weight = torch.randn(3, 3, 3)

    def encode_style(self, references: Tensor) -> Tensor:
        return self._code(references, 2.0)

    def encode_content(self, references: Tensor) -> tuple[Tensor, list[Tensor]]:
        return self._code(references, -3.0), [self._sets(references).square().mean(1, keepdim=True)]

    def mix(self, style: Tensor, content: Tensor) -> Tensor:
        return bilinear_mix(style, content, self.weight)

    def decode(self, mixed: Tensor, seen: Sequence[Tensor]) -> Tensor:
        return (mixed.sum(1)[:, None, None, None] * seen[0] + mixed[:, :1, None, None]).sigmoid()

    def __call__(self, style_refs: Tensor, content_refs: Tensor) -> Tensor:
        content, seen = self.encode_content(content_refs)
        return self.decode(self.mix(self.encode_style(style_refs), content), seen)

    def _sets(self, references: Tensor) -> Tensor:
        return references[None] if references.ndim == 3 else references

    def _code(self, references: Tensor, strength: float) -> Tensor:
        means = self._sets(references).flatten(2).mean(2)  # (B, r)
        return (strength * torch.stack([means.amax(1), means.mean(1), means.prod(1)], dim=1)).sin()


@check
def between(answer: Callable[..., Tensor]) -> str:
    """What is drawn from S = (1 − share) S_a + share S_b mixed with the letters' own C and skips."""
    network, share = _SmallNetwork(), 0.3
    refs_a, refs_b, letters = torch.rand(4, 6, 6), torch.rand(4, 6, 6) * 0.3, torch.rand(3, 4, 6, 6)
    yours = run(answer, network=network, refs_a=refs_a, refs_b=refs_b, content_refs=letters, share=share)
    a, b = (network.encode_style(refs) for refs in (refs_a, refs_b))
    content, seen = network.encode_content(letters)

    def drawn(style: Tensor) -> Tensor:
        return network.decode(network.mix(style, content), seen)

    wrong = [
        (drawn(share * a + (1 - share) * b), "share and 1 − share are swapped: at 0 it is all of the first font."),
        ((1 - share) * drawn(a) + share * drawn(b), "the pictures are mixed, and both letters show. Mix S, draw once."),
        (drawn(network.encode_style((1 - share) * refs_a + share * refs_b)),
         "the references are mixed, before the encoder has seen them. Encode first, then mix S."),
        (network.decode(network.mix(content, (1 - share) * a + share * b), seen),
         "S and C have changed places: network.mix(S, C)."),
        (drawn(network.encode_style(torch.cat([refs_a, refs_b]))),
         "all references went through the encoder as one font; encode each font, then mix the two S."),
        (drawn(a + b), "both fonts have their full weight: (1 − share) of the first and share of the second."),
        (drawn((1 - share) * network.encode_content(refs_a)[0] + share * network.encode_content(refs_b)[0]),
         "the fonts went through the content encoder; S comes from encode_style."),
        (drawn(a), "this is the first font: the share is not used."),
        (drawn(b), "this is the second font: the share is not used."),
        (drawn((a + b) / 2), "both fonts count the same; the second counts by its share."),
        (drawn(a + share * b), "the first font keeps its full weight; it has 1 − share."),
        (drawn(share * b), "the first font is missing: (1 − share) of it belongs to the sum."),
        (drawn((1 - share) * a), "the second font is missing: share of it belongs to the sum."),
    ]  # fmt: skip
    must_match(yours, drawn((1 - share) * a + share * b), wrong, what="the letters")
    one = answer(network, refs_a, refs_b, letters[:1], 0.0)
    must_be(one, drawn(a)[:1], "for one letter, and a share of 0, the first font should come out.")
    return "right: what is between two fonts is found in the numbers, not in the pixels."
