"""Checks of lesson 04: conditional instance norm, numbers per style, shares on a pad, a style at each place."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from stylelearn.checks import Mistake, check, must_be, must_match, norms, number, numbers, run, same

EPSILON = 1e-5  # inside the root, as in lesson 03
TOLERANCE = 5e-4


def _tables(styles: int, channels: int) -> tuple[Tensor, Tensor]:
    return torch.rand(styles, channels) + 0.5, torch.randn(styles, channels)


def _wide(rows: Tensor) -> Tensor:
    return rows[..., None, None]


@check
def conditional_norm(answer: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> str:
    """γ^s (x − μ)/σ + β^s, with s = which[b] for image b, and μ and σ over H × W."""
    x = torch.randn(3, 4, 5, 6) * torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1, 1) + torch.randn(3, 4, 1, 1)
    (gamma, beta), which = _tables(5, 4), torch.tensor([4, 0, 2])
    yours = run(answer, x=x, gamma=gamma, beta=beta, which=which)

    def normed(gamma: Tensor, beta: Tensor) -> Tensor:
        return norms.normed(x, _wide(gamma), _wide(beta), EPSILON)

    g, b = gamma[which], beta[which]  # (B, C)
    wrong = [
        *norms.mistakes(x, _wide(g), _wide(b), EPSILON),
        (normed(gamma[:1], beta[:1]), "every image gets the first style."),
        (normed(gamma[:3], beta[:3]), "image b gets row b of the tables; it should get row which[b]."),
        (normed(gamma.mean(0), beta.mean(0)), "every image gets the mean of all rows; image b has row which[b]."),
        (
            normed(gamma[which[:1]], beta[which[:1]]),
            "every image gets the style of the first one; image b has which[b].",
        ),
        *(
            (normed(g, row), "γ is row which[b] of its table, but β is not.")
            for row in (beta[:1], beta[:3], beta.mean(0))
        ),
        *((normed(row, b), "β is row which[b] of its table, but γ is not.") for row in (gamma[:1], gamma[:3])),
        (normed(g.mean(0), b.mean(0)), "all images get the mean of the styles; each has a style of its own."),
    ]
    must_match(yours, normed(g, b), wrong, tolerance=TOLERANCE, what="the result")
    norms.must_take_flat(lambda flat: answer(flat, gamma, beta, which), x)
    faint, row = 0.01 * x[:1], (_wide(gamma[:1]), _wide(beta[:1]))  # so faint that ε counts
    wrong = [
        *norms.mistakes(faint, *row, EPSILON),
        *((norms.normed(faint, *row, e), f"ε is {e:g}; it should be 1e-5.") for e in (1e-3, 1e-4, 1e-6, 1e-7, 1e-8)),
    ]
    one = norms.normed(faint, *row, EPSILON)
    must_match(answer(faint, gamma, beta, which[1:2]), one, wrong, "this works for three images, but not for one.")
    return "right: one row of each table for each image; the images of a batch do not affect each other."


@check
def numbers_per_style(answer: Callable[[Sequence[int], Sequence[int]], int]) -> str:
    """How many γ and β one style has, from the widths (a, b, c) and the blocks (at a quarter, at half of the size)."""
    for widths, blocks in (((16, 31, 80), (3, 2)), ((4, 6, 10), (1, 1)), ((32, 64, 128), (5, 0)), ((9, 8, 8), (0, 3))):
        a, b, c = widths
        ends, coarse, fine = 2 * (c + 2 * b), 2 * c * blocks[0], 2 * b * blocks[1]
        right = ends + 2 * (coarse + fine)
        yours = number(answer(widths, blocks))
        wrong = [
            (ends, "the residual blocks are missing: their norms are conditioned too, or the styles get too few."),
            (ends + coarse + fine, "each residual block has two norms, not one."),
            (right // 2, "each channel has two numbers, γ and β."),
            (right + 6, "the last convolution has no norm in our network (in the paper it has: 2 · 3 numbers more)."),
            (
                right + 2 * (a + 3),
                "at full size there is no norm: neither behind the layer that enlarges nor the last.",
            ),
            (right + 2 * a, "the second layer that enlarges is at full size; there our network has no norm."),
            (
                right - 2 * b,
                "where it enlarges to half there are two norms: one behind the second look, one behind the sum.",
            ),
            (right + 2 * (a - b), "the second look gives b channels, not a: what comes out counts."),
            (right - 4 * b, "the layer that enlarges to half has two norms, the one of the second look included."),
            (right - 2 * c, "the first convolution, before the blocks, has a norm, too."),
            (right - 2 * b + 2 * c, "the enlarging layer has b channels: what comes out counts."),
            (ends + 2 * coarse, "the blocks at half of the size are missing."),
            (ends + 2 * fine, "the blocks at a quarter of the size are missing."),
            (ends + 4 * c * sum(blocks), "blocks at half of the size have b channels, not c."),
            (ends + 4 * b * sum(blocks), "blocks at a quarter of the size have c channels, not b."),
            (
                ends + 4 * c * blocks[1] + 4 * b * blocks[0],
                "blocks[0] stand at a quarter of the size, blocks[1] at half.",
            ),
            (
                2 * (b + 2 * c) + 4 * b * blocks[0] + 4 * c * blocks[1],
                "b and c have changed places: c is at a quarter.",
            ),
            (2 * (coarse + fine), "the norms outside the blocks are missing: the first, the second look's, the sum's."),
            (ends + 4 * sum(blocks), "each norm of a block has as many channels as the block, not one."),
            (ends + 4 * (c + b), "this is right for one block of each kind only: multiply by their numbers."),
        ]
        where = f"for widths {widths} and {blocks} blocks it should be {right}; yours is {yours:g}."
        must_match(yours, right, wrong, where, tolerance=0)
    return "right: the weights of the convolutions, more than two hundred times as many, are shared by all styles."


CORNERS = {"↖": (0.0, 0.0), "↗": (1.0, 0.0), "↙": (0.0, 1.0), "↘": (1.0, 1.0)}


@check
def pad_shares(answer: Callable[[float, float], Sequence[float]]) -> str:
    """The shares of ↖ ↗ ↙ ↘ at a place of the pad, `across` and `down` from 0 to 1."""

    def shares(across: float, down: float) -> Tensor:
        found = numbers(answer(across, down))
        if len(found) != 4:
            raise Mistake(f"give back four numbers, one for each corner; yours has {len(found)}.")
        return found

    found, eye = torch.stack([shares(*place) for place in CORNERS.values()]), torch.eye(4)
    wrong = [
        (eye[[0, 2, 1, 3]], "across and down have changed places: the order is ↖ ↗ ↙ ↘, row by row."),
        (eye[[3, 2, 1, 0]], "both are the wrong way round: across = 0 is at the left, down = 0 at the top."),
        (eye[[2, 3, 0, 1]], "top and bottom have changed places: down = 0 is at the top."),
        (eye[[1, 0, 3, 2]], "left and right have changed places: across = 0 is at the left."),
        (eye[[0, 1, 3, 2]], "you go round the pad; the order is ↖ ↗ ↙ ↘, row by row."),
    ]
    for corner, mine, right in zip(CORNERS, found, eye, strict=True):
        if not same(mine, right):
            said = [round(value, 2) for value in mine.tolist()]
            must_match(found, eye, wrong, f"in the corner {corner} only its own style counts; your shares are {said}.")
    for across, down in ((0.5, 0.5), (0.25, 0.5), (0.3, 0.9)):
        yours, at = shares(across, down), f"at ({across}, {down})"
        right = [(1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down]
        wanted, given = ([round(value, 3) for value in each] for each in (right, yours.tolist()))
        if abs(float(yours.sum()) - 1) > 1e-4:
            raise Mistake(f"{at} your shares add up to {float(yours.sum()):.2f}; they must give 1.")
        if yours.min() < -1e-6:
            raise Mistake(f"{at} a share is negative: {given}.")
        must_be(yours, right, f"the corners are right, but {at} the shares should be {wanted}; yours are {given}. "
                "Multiply a share for left or right by one for top or bottom.")  # fmt: skip
    return "right: a share across times a share down. They add up to 1 everywhere on the pad."


@check
def spatial_norm(answer: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> str:
    """γ (x − μ)/σ + β, with γ(y, x) = Σ_s m_s(y, x) γ^s, the same for β, and μ and σ of the whole picture."""
    x, (gamma, beta) = torch.randn(1, 4, 5, 6), _tables(3, 4)
    x[..., 3:] += 2
    masks = torch.rand(3, 5, 6)
    masks = masks / masks.sum(0)
    yours = run(answer, x=x, gamma=gamma, beta=beta, masks=masks)

    def normed(gamma: Tensor, beta: Tensor) -> Tensor:
        return norms.normed(x, gamma, beta, EPSILON)

    g, b = _map(masks, gamma), _map(masks, beta)
    rows = _wide(gamma), _wide(beta)  # (S, C, 1, 1)
    weight = masks[:, None]  # (S, 1, H, W)
    means = (weight * x).sum((2, 3), keepdim=True) / weight.sum((2, 3), keepdim=True)  # (S, C, 1, 1)
    spread = (weight * (x - means).square()).sum((2, 3), keepdim=True) / weight.sum((2, 3), keepdim=True)
    own = (weight * (rows[0] * (x - means) / (spread + EPSILON).sqrt() + rows[1])).sum(0, keepdim=True)
    cut = (weight * norms.normed(weight * x, *rows, EPSILON)).sum(0, keepdim=True)
    each = weight * norms.normed(x, *rows, EPSILON)  # (S, C, H, W)
    share = masks.mean((1, 2))
    hard = torch.zeros_like(masks).scatter(0, masks.argmax(0, keepdim=True), 1.0)
    wrong = [
        (normed(g, _wide(beta.mean(0))), "γ follows the masks, but β does not."),
        (normed(g, _wide(beta.sum(0))), "γ follows the masks, but β does not."),
        *norms.mistakes(x, g, b, EPSILON),
        (normed(_wide(share @ gamma), _wide(share @ beta)),
         "you mix once for the whole picture, with the mean of each mask; mix at each place."),
        (cut, "x is multiplied with the masks before μ and σ are taken; these are those of the whole picture."),
        (own, "μ and σ are taken for each mask apart; here they are those of the whole picture."),
        (normed(_map(hard, gamma), _map(hard, beta)), "only the strongest style of each place counts; mix them."),
        *(
            (normed(_wide(one), b), "β follows the masks, but γ does not.")
            for one in (gamma.mean(0), gamma.sum(0), gamma[:1])
        ),
        (normed(g, _wide(beta[:1])), "γ follows the masks, but β does not."),
        (each[-1:], "only the last style is left: add up over the styles, with +=."),
        (each[:1], "only the first style is there; is `return` inside the loop?"),
        (normed(g / 3, b / 3), "divided by the number of styles; the masks add up to 1 already."),
    ]  # fmt: skip
    must_match(yours, normed(g, b), wrong, tolerance=TOLERANCE, what="the result")
    x = torch.randn(1, 3, 4, 4)
    (gamma, beta), halves = _tables(2, 3), torch.zeros(2, 4, 4)
    halves[0, :2], halves[1, 2:] = 1, 1  # upper and lower half: in a square, rows can be taken for columns
    turned = [(normed(_map(halves.mT, gamma), _map(halves.mT, beta)), "rows and columns of the masks are exchanged.")]
    right = normed(_map(halves, gamma), _map(halves, beta))
    must_match(answer(x, gamma, beta, halves), right, turned, "this works for soft masks, but not for two halves.")
    return "right: γ and β are pictures now. μ and σ are still those of the whole, so each part depends on all others."


def _map(masks: Tensor, table: Tensor) -> Tensor:
    """Σ_s m_s(y, x) table[s, c]: (1, C, H, W)."""
    return torch.einsum("shw,sc->chw", masks, table)[None]
