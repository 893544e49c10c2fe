"""Checks of lesson 04: conditional instance norm, numbers per style, shares on a pad, a style at each place."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from stylelearn.checks import Mistake, check, must_be_tensor, same

EPSILON = 1e-5  # inside the root, as in lesson 03


def _unchanged(before: Tensor, after: Tensor, what: str) -> None:
    if not torch.equal(before, after):
        raise Mistake(f"your function changes {what} itself; build a new tensor.")


# ---------------------------------------------------------------------------------------------------- conditional norm


def _by_loop(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """γ (x − μ)/σ + β one channel of one image at a time, in float64; γ and β are (B, C, H, W) or smaller."""
    x, gamma, beta = (each.double() for each in (x, *torch.broadcast_tensors(gamma, beta)))
    gamma, beta = gamma.expand_as(x), beta.expand_as(x)
    made = torch.empty_like(x)
    for b in range(x.shape[0]):
        for c in range(x.shape[1]):
            plane = x[b, c]
            deviation = ((plane - plane.mean()).square().sum() / plane.numel() + EPSILON).sqrt()
            made[b, c] = gamma[b, c] * (plane - plane.mean()) / deviation + beta[b, c]
    return made


def _tables(styles: int, channels: int) -> tuple[Tensor, Tensor]:
    return torch.rand(styles, channels) + 0.5, torch.randn(styles, channels)


@check
def conditional_norm(answer: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> str:
    """γ^s (x − μ)/σ + β^s: (B, C, H, W), two tables (S, C) and the style of each image (B,)."""
    x = torch.randn(3, 4, 5, 6) * torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1, 1) + torch.randn(3, 4, 1, 1)
    (gamma, beta), which = _tables(5, 4), torch.tensor([4, 0, 2])
    given = [each.clone() for each in (x, gamma, beta, which)]
    yours = answer(*given)
    must_be_tensor(yours, (3, 4, 5, 6), "the result")
    if not same(yours, _by_loop(x, gamma[which][..., None, None], beta[which][..., None, None])):
        raise Mistake(_norm_mistake(x, gamma, beta, which, yours))
    for before, after, what in zip((x, gamma, beta), given, ("x", "gamma", "beta"), strict=False):
        _unchanged(before, after, what)
    one = answer(x[:1], gamma, beta, which[1:2])
    if not same(one, _by_loop(x[:1], gamma[:1, :, None, None], beta[:1, :, None, None])):
        raise Mistake("this works for three images, but not for one; take sizes from the tensors.")
    flat = answer(torch.full((1, 4, 3, 3), 0.7), gamma, beta, which[:1])
    if not torch.isfinite(flat).all():
        raise Mistake("a channel that is the same everywhere gives NaN: put ε = 1e-5 inside the root.")
    return "right: one row of each table for each image, and the images of a batch do not touch."


def _norm_mistake(x: Tensor, gamma: Tensor, beta: Tensor, which: Tensor, yours: Tensor) -> str:
    g, b = gamma[which][..., None, None], beta[which][..., None, None]  # (B, C, 1, 1)
    mean = x.mean((2, 3), keepdim=True)

    def divided(by: Tensor, centre: Tensor = mean) -> Tensor:
        return g * (x - centre) / by + b

    variance = x.var((2, 3), correction=0, keepdim=True)
    for value, why in (
        (_by_loop(x, g, 0 * g), "β is missing: after γ comes the level of the style."),
        (_by_loop(x, 1 + 0 * g, b), "γ is missing: the normalised channel gets the contrast of the style."),
        (_by_loop(x, b, g), "γ and β have changed places."),
        (_by_loop(x, gamma[:1, :, None, None], beta[:1, :, None, None]), "every image gets the first style."),
        (
            _by_loop(x, gamma[: len(x), :, None, None], beta[: len(x), :, None, None]),
            "image b gets row b of the tables; it should get row which[b].",
        ),
        (
            _by_loop(x, gamma[which].mean(0)[:, None, None], beta[which].mean(0)[:, None, None]),
            "all images get the mean of the styles; each has a style of its own.",
        ),
        (
            divided((x.var((0, 2, 3), correction=0, keepdim=True) + EPSILON).sqrt(), x.mean((0, 2, 3), keepdim=True)),
            "μ and σ are taken over the whole batch, as in batch norm; each image has its own.",
        ),
        (
            divided((x.var((1, 2, 3), correction=0, keepdim=True) + EPSILON).sqrt(), x.mean((1, 2, 3), keepdim=True)),
            "μ and σ are taken over all channels together, as in layer norm; each channel has its own.",
        ),
        (
            divided((x.var((2, 3), correction=1, keepdim=True) + EPSILON).sqrt()),
            "σ is the unbiased one, divided by H·W − 1; here it is divided by H·W (correction=0).",
        ),
        (divided(x.std((2, 3), keepdim=True)), "σ is the unbiased one (torch's default); take correction=0."),
        (divided(variance + EPSILON), "you divide by the variance; σ is its root."),
        (divided((variance + EPSILON).sqrt(), 0 * mean), "the mean μ is not subtracted."),
        (g * x + b, "x is not normalised: first subtract μ and divide by σ."),
        (g * ((x - mean) / (variance + EPSILON).sqrt() + b), "β is added before γ multiplies; it comes last."),
    ):
        if same(yours, value, 5e-4):
            return why
    return "the values differ: for image b, γ[which[b]] · (x − μ)/σ + β[which[b]], with μ and σ over H × W."


# ---------------------------------------------------------------------------------------------------- numbers per style


@check
def numbers_per_style(answer: Callable[[Sequence[int], int], int]) -> str:
    """How many γ and β one style has, from the widths (a, b, c) and the number of residual blocks."""
    for widths, blocks in (((16, 32, 64), 5), ((4, 6, 10), 1), ((32, 64, 128), 5), ((8, 8, 8), 0)):
        a, b, c = widths
        right = 2 * (a + b + c + 2 * blocks * c + b + a)
        yours = answer(widths, blocks)
        if isinstance(yours, bool) or not isinstance(yours, int | float) or yours != right:
            raise Mistake(_count_mistake(widths, blocks, yours, right))
    return "right: and the weights of the convolutions, more than two hundred times as many, are shared by all styles."


def _count_mistake(widths: Sequence[int], blocks: int, yours: Any, right: int) -> str:
    a, b, c = widths
    ends = a + b + c + b + a
    for value, why in (
        (2 * ends, "the residual blocks are missing: their norms are conditioned too, or the styles get too few."),
        (2 * (ends + blocks * c), "each residual block has two norms, not one."),
        (right // 2, "each channel has two numbers, γ and β."),
        (right + 6, "the last convolution has no norm in our network (in the paper it has: 2 · 3 numbers more)."),
        (2 * (a + b + c + 2 * blocks * c), "the two layers that enlarge again have norms, too."),
        (
            2 * (a + b + c + 2 * blocks * c + c + b),
            "enlarging layers have b and a channels: what comes out counts.",
        ),
        (2 * (ends + 2 * blocks), "each norm of a block has c channels, not one."),
        (2 * (ends + 2 * c), "this is right for one block only: multiply by their number."),
    ):
        if yours == value and value != right:
            return why
    return f"for widths {tuple(widths)} and {blocks} blocks it should be {right}; yours is {yours!r}."


# -------------------------------------------------------------------------------------------------------------- the pad


@check
def pad_shares(answer: Callable[[float, float], Sequence[float]]) -> str:
    """The shares of ↖ ↗ ↙ ↘ at a place of the pad, `across` and `down` from 0 to 1."""
    corners = {(0, 0): 0, (1, 0): 1, (0, 1): 2, (1, 1): 3}
    for (across, down), number in corners.items():
        yours = _four(answer(float(across), float(down)))
        if not same(yours, torch.eye(4)[number]):
            raise Mistake(_corner_mistake(answer, yours, number))
    for across, down in ((0.5, 0.5), (0.25, 0.5), (0.3, 0.9)):
        yours = _four(answer(across, down))
        right = torch.tensor(
            [(1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down], dtype=torch.float64
        )
        if same(yours, right):
            continue
        if abs(float(yours.sum()) - 1) > 1e-4:
            raise Mistake(f"at ({across}, {down}) your shares add up to {float(yours.sum()):.2f}; they must give 1.")
        if yours.min() < -1e-6:
            raise Mistake(f"at ({across}, {down}) a share is negative: {[round(v, 2) for v in yours.tolist()]}.")
        raise Mistake(
            f"the corners are right, but at ({across}, {down}) the shares should be "
            f"{[round(v, 3) for v in right.tolist()]}; yours are {[round(v, 3) for v in yours.tolist()]}. "
            "Multiply a share for left or right by a share for top or bottom."
        )
    return "right: a share across times a share down. They add up to 1 wherever the ring is."


def _four(yours: Any) -> Tensor:
    try:
        found = torch.as_tensor([float(value) for value in yours], dtype=torch.float64)
    except (TypeError, ValueError):
        raise Mistake(f"give back four numbers; yours is {yours!r}.") from None
    if len(found) != 4:
        raise Mistake(f"give back four numbers, one for each corner; yours has {len(found)}.")
    return found


def _corner_mistake(answer: Callable[[float, float], Sequence[float]], yours: Tensor, number: int) -> str:
    names = ("↖", "↗", "↙", "↘")
    found = [_four(answer(a, d)) for a, d in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))]
    where = [int(each.argmax()) for each in found]
    if where == [0, 2, 1, 3] and all(same(each, torch.eye(4)[w]) for each, w in zip(found, where, strict=True)):
        return "across and down have changed places: across = 1 is the right side, down = 1 the lower one."
    if where == [2, 3, 0, 1]:
        return "top and bottom have changed places: down = 0 is at the top."
    if where == [1, 0, 3, 2]:
        return "left and right have changed places: across = 0 is at the left."
    if where == [0, 1, 3, 2]:
        return "you go round the pad; the order is ↖ ↗ ↙ ↘, row by row."
    shares = [round(value, 2) for value in yours.tolist()]
    return f"in the corner {names[number]} only its own style should count; your shares there are {shares}."


# --------------------------------------------------------------------------------------------------- place to place


@check
def spatial_norm(answer: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> str:
    """γ (x − μ)/σ + β with γ and β mixed at each place: (1, C, H, W), two tables (S, C) and masks (S, H, W)."""
    x, (gamma, beta) = torch.randn(1, 4, 5, 6), _tables(3, 4)
    x[..., 3:] += 2
    masks = torch.rand(3, 5, 6)
    masks = masks / masks.sum(0)
    given = [each.clone() for each in (x, gamma, beta, masks)]
    yours = answer(*given)
    must_be_tensor(yours, (1, 4, 5, 6), "the result")
    if not same(yours, _by_loop(x, *(_map(masks, table) for table in (gamma, beta)))):
        raise Mistake(_place_mistake(x, gamma, beta, masks, yours))
    for before, after, what in zip((x, gamma, beta, masks), given, ("x", "gamma", "beta", "the masks"), strict=True):
        _unchanged(before, after, what)
    square = torch.randn(1, 3, 4, 4)
    (g, b), halves = _tables(2, 3), torch.zeros(2, 4, 4)
    halves[0, :2], halves[1, 2:] = 1, 1  # upper and lower half: in a square one may take rows for columns
    if not same(answer(square, g, b, halves), _by_loop(square, _map(halves, g), _map(halves, b))):
        if same(answer(square, g, b, halves), _by_loop(square, _map(halves.mT, g), _map(halves.mT, b))):
            raise Mistake("rows and columns of the masks have changed places.")
        raise Mistake("this works for soft masks, but not for two halves; is every style's mask used?")
    return "right: γ and β are pictures now. μ and σ are still those of the whole, so the parts know of each other."


def _map(masks: Tensor, table: Tensor) -> Tensor:
    """Σ_s m_s(y, x) table[s, c], one sum at a time: (1, C, H, W)."""
    return sum(mask[None, None] * row[None, :, None, None] for mask, row in zip(masks, table, strict=True))  # type: ignore[return-value]


def _place_mistake(x: Tensor, gamma: Tensor, beta: Tensor, masks: Tensor, yours: Tensor) -> str:
    g, b = _map(masks, gamma), _map(masks, beta)
    rows = gamma[:, :, None, None], beta[:, :, None, None]  # (S, C, 1, 1)
    mean, variance = x.mean((2, 3), keepdim=True), x.var((2, 3), correction=0, keepdim=True)
    weight = masks[:, None]  # (S, 1, H, W)
    means = (weight * x).sum((2, 3), keepdim=True) / weight.sum((2, 3), keepdim=True)  # (S, C, 1, 1)
    spread = (weight * (x - means).square()).sum((2, 3), keepdim=True) / weight.sum((2, 3), keepdim=True)
    own = (weight * (rows[0] * (x - means) / (spread + EPSILON).sqrt() + rows[1])).sum(0, keepdim=True)
    share = masks.mean((1, 2))
    hard = torch.zeros_like(masks).scatter(0, masks.argmax(0, keepdim=True), 1.0)
    for value, why in (
        (_by_loop(x, g, beta.mean(0)[:, None, None]), "γ follows the masks, but β does not."),
        (_by_loop(x, g, beta.sum(0)[:, None, None]), "γ follows the masks, but β does not."),
        (_by_loop(x, g, 0 * b), "β is missing; it has to follow the masks as γ does."),
        (_by_loop(x, 1 + 0 * g, b), "γ is missing; it has to follow the masks as β does."),
        (_by_loop(x, b, g), "γ and β have changed places."),
        (
            _by_loop(x, (share @ gamma)[:, None, None], (share @ beta)[:, None, None]),
            "you mix once for the whole picture, with the mean of each mask; mix at each place.",
        ),
        (own, "μ and σ are taken for each mask apart; here they are those of the whole picture."),
        (_by_loop(x, _map(hard, gamma), _map(hard, beta)), "only the strongest style of each place counts; mix them."),
        (g * x + b, "x is not normalised: first subtract μ and divide by σ."),
        (
            g * (x - mean) / (x.var((2, 3), keepdim=True) + EPSILON).sqrt() + b,
            "σ is the unbiased one; take correction=0.",
        ),
        (g * (x - mean) / (variance + EPSILON) + b, "you divide by the variance; σ is its root."),
        (
            _by_loop(x, g / len(masks), b / len(masks)),
            "divided by the number of styles; the masks add up to 1 already.",
        ),
    ):
        if same(yours, value, 5e-4):
            return why
    return "the values differ: γ(y, x) = Σ_s m_s(y, x) γ^s, the same for β, then γ (x − μ)/σ + β."
