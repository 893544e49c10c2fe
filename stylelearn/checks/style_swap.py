"""Checks of lesson 06: the best match, patches put back, the swap by convolutions, its loss, and steadiness of film."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from stylelearn.checks import Mistake, check, must_be, must_be_finite, must_be_tensor, must_match, number, run, same
from stylelearn.patches import swap

ZERO_WINS = (
    "a patch that is zero everywhere was chosen: its norm is 0, 0/0 is NaN, and argmax takes NaN for the largest. "
    "After a ReLU such patches occur. Divide by at least a tiny number (clamp_min(1e-8))."
)


def _correlations(content: Tensor, style: Tensor) -> Tensor:
    """⟨a, b⟩ / (‖a‖ ‖b‖) of all pairs in float64; 0 where one of them is zero. (N, D), (M, D) -> (N, M)."""
    return F.normalize(content.double()) @ F.normalize(style.double()).T


@check
def best_match(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """For each of 30 patches of the content the most similar of 20 of the style, which differ in strength."""
    content = torch.randn(30, 12).relu()
    style = torch.randn(20, 12).relu() * torch.logspace(-1, 1, 20)[torch.randperm(20), None]
    yours = run(answer, content=content, style=style)
    if isinstance(yours, Tensor) and tuple(yours.shape) == (20,):
        raise Mistake("one answer for each patch of the *style*: the argmax goes over the wrong dimension.")
    yours = torch.as_tensor(yours) if isinstance(yours, list | np.ndarray) else yours
    must_be_tensor(yours, (30,), "the numbers of the chosen patches")
    table = _correlations(content, style)
    if yours.is_floating_point() and not same(yours, yours.round(), 0):
        best = same(yours, table.max(dim=1).values)
        hint = "these are the correlations themselves" if best else "these are no whole numbers"
        raise Mistake(f"{hint}; wanted is *which* patch is the best one: argmax instead of max.")
    plain, norms, distance = content @ style.T, style.norm(dim=1), torch.cdist(content, style)
    by_channel = content @ (style / style.norm(dim=0, keepdim=True).clamp_min(1e-8)).T
    centred = _correlations(*(each - each.mean(dim=1, keepdim=True) for each in (content, style)))
    wrong = [
        (plain, "the patches of the *style* are not divided by their norm, so strong ones win. (The content's norm is "
         "the same for all candidates.)"),
        (-table, "these are the patches that are *least* alike: argmax, not argmin."),
        (-distance, "the nearest in distance, which depends on the strength of a patch: divide by the norms first."),
        (content @ (style / style.abs().sum(dim=1, keepdim=True).clamp_min(1e-8)).T,
         "divided by the sum of a patch; ‖b‖ is the root of the sum of squares: .norm(dim=1)."),
        (distance, "these are the patches that are *farthest away*."),
        (plain / norms**2, "divided by ‖b‖², so weak patches win; divide by ‖b‖, the root."),
        (plain * norms, "multiplied by the norm; it has to divide."),
        (by_channel, "each *channel* is divided by its norm over all patches; each patch has its own norm: dim=1."),
        (centred, "the mean of each patch is taken off first. That is another correlation: leave it on."),
        (0 * table, "it is always patch 0. Is there a NaN in the table?"),
    ]  # fmt: skip
    chosen = ((scores.argmax(dim=1), why) for scores, why in wrong)
    must_match(yours, table.argmax(dim=1), chosen, "other patches are more alike: compare ⟨a, b⟩/‖b‖.", tolerance=0)
    style[7] = 0.0
    if (torch.as_tensor(answer(content, style)) == 7).any():
        raise Mistake(ZERO_WINS)
    return "right: what counts is the direction of a patch, its pattern, and not how strong it is."


def _put_back(
    patches: Tensor, size: Sequence[int], patch: int, stride: int, divide: str = "count", apart: int = 0
) -> Tensor:
    """Patches (N, C, p, p) in reading order to a map (1, C, H, W), in float64; `apart` another step."""
    total = torch.zeros(1, patches.shape[1], *size, dtype=torch.float64)
    count = torch.zeros(1, 1, *size, dtype=torch.float64)
    columns = (size[1] - patch) // stride + 1
    for index, one in enumerate(patches.double()):
        y, x = (place * (apart or stride) for place in divmod(index, columns))
        here = (..., slice(y, y + patch), slice(x, x + patch))
        total[here] = one + (0 if divide == "last" else total[here])
        count[here] += 1
    return {"count": total / count, "last": total, "no": total, "all": total / patch**2}[divide].nan_to_num(0.0)


@check
def put_back(answer: Callable[..., Tensor]) -> str:
    """A map out of patches of 3 cells, then of 4 cells with a stride of 2."""
    for patch, stride, size in ((3, 1, (5, 7)), (4, 2, (8, 12))):
        rows, columns = ((side - patch) // stride + 1 for side in size)
        patches = torch.randn(rows * columns, 2, patch, patch)
        yours = run(answer, patches=patches, size=size, patch=patch, stride=stride)
        must_be_tensor(yours, (1, 2, *size), "the map")

        put = functools.partial(_put_back, size=size, patch=patch, stride=stride)
        by_columns = patches.unflatten(0, (columns, rows)).transpose(0, 1).flatten(0, 1)
        mixed = patches.permute(0, 2, 3, 1).reshape(patches.shape)
        torn = patches.reshape(-1, rows * columns).T.reshape(patches.shape)
        ignored = "the patches are one cell apart, not `stride` cells: the stride is ignored."
        wrong = [
            (put(patches, divide="no"), "the sum: not divided by the number of patches that overlap."),
            (put(patches, divide="all"), f"divided by {patch**2} everywhere; near the border fewer overlap."),
            (put(patches, divide="last"), "each patch overwrites those before it; where they overlap, take the mean."),
            *((put(patches, divide=divide, apart=1), ignored) for divide in ("count", "no") if stride > 1),
            (put(patches.mT), "rows and columns inside of each patch are exchanged."),
            (put(by_columns), "the patches come in reading order: first along a row, then the next row."),
            (put(mixed), "channels and cells are mixed: in a column of `fold` the channel counts slowest."),
            (put(torn), "reshape tears patches apart; each is a *column* of `fold`: patches.flatten(1).T[None]."),
        ]  # fmt: skip
        where = f"for a patch of {patch} and a stride of {stride} the values differ: add up, count, divide."
        must_match(yours.nan_to_num(0.0), put(patches), wrong, where)
    return "right: each cell is the mean of all patches that lie over it, fewer of them near the border."


def _pieces(features: Tensor, patch: int, stride: int) -> Tensor:
    """(1, C, H, W) -> (N, C, p, p) in reading order."""
    columns = F.unfold(features, patch, stride=stride)[0].T
    return columns.unflatten(1, (features.shape[1], patch, patch))


class _Convolutions(TorchDispatchMode):
    """Counts the convolutions inside, [plain, transposed], by whatever function they are called."""

    def __init__(self) -> None:
        super().__init__()
        self.count = [0, 0]

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if func is torch.ops.aten.convolution.default:
            self.count[bool(args[6])] += 1  # convolution(input, weight, bias, stride, padding, dilation, transposed, …)
        return func(*args, **(kwargs or {}))


@check
def three_convolutions(answer: Callable[..., Tensor]) -> str:
    """The whole swap, with another size of style; stride 1, then stride 2; then with a corner that is silent."""
    content = torch.randn(1, 3, 7, 9).relu()
    style = torch.randn(1, 3, 9, 5).relu() * (0.2 + 3 * torch.rand(1, 1, 9, 5) ** 2)
    for stride in (1, 2):
        with _Convolutions() as used:
            yours = run(answer, content=content, style=style, patch=3, stride=stride)
        if isinstance(yours, Tensor) and yours.shape == style.shape:
            raise Mistake("content and style are swapped: the content's places are filled with the style's patches.")
        right, wrong = swap(content, style, stride=stride), _swap_mistakes(content, style, stride)
        where = f"for a stride of {stride} the values differ: compare with normalised patches, one-hot, paste, divide."
        must_match(yours, right, wrong, where, what="the swapped activations")
        if not all(used.count):
            missing = "F.conv_transpose2d, which pastes" if used.count[0] else "F.conv2d, which compares"
            raise Mistake(f"the values are right, but no convolution made them: no {missing} all patches at once.")
    small = answer(content, style, 2, 1)
    if same(small, swap(content, style)):
        raise Mistake("right for patches of 3 cells, but for 2 it gives the same: the argument `patch` is not used.")
    must_be(small, swap(content, style, patch=2), "right for patches of 3 cells, but not for patches of 2.")
    style[..., :5, :4] = 0.0  # patches without any activation
    yours = answer(content, style, 3, 1)
    must_be_finite(yours, ZERO_WINS)
    must_be(yours, swap(content, style), f"right, but not where a part of the style is silent: {ZERO_WINS}")
    return "right: correlate, choose, paste. Nothing here was learnt."


def _swap_mistakes(content: Tensor, style: Tensor, stride: int) -> Iterator[tuple[Tensor, str]]:
    patches = _pieces(style, 3, stride)  # (N, C, 3, 3)
    norms = patches.flatten(1).norm(dim=1)[:, None, None, None]

    def pasted(one_hot: Tensor, filled: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        total = F.conv_transpose2d(one_hot, filled, stride=stride)
        count = F.conv_transpose2d(torch.ones_like(one_hot[:, :1]), torch.ones(1, 1, 3, 3), stride=stride)
        return total / count, total, total / 9

    def chosen(kernels: Tensor, dim: int = 1) -> Tensor:
        table = F.conv2d(content, kernels, stride=stride)  # (1, N, h, w)
        flat = table.flatten(2)
        return torch.zeros_like(flat).scatter_(dim, flat.argmax(dim, keepdim=True), 1.0).view_as(table)

    if stride > 1:
        yield swap(content, style), "right for a stride of 1, but for 2 it gives the same: the stride is ignored."
        dense = _pieces(style, 3, 1)
        found = chosen(dense / dense.flatten(1).norm(dim=1)[:, None, None, None])
        at_every_cell = "the style's patches are taken at every cell; they, too, begin `stride` cells apart."
        yield pasted(found, dense)[0], at_every_cell
    right, plain = chosen(patches / norms), chosen(patches)
    soft = F.conv2d(content, patches / norms, stride=stride).softmax(dim=1)
    by_cell = chosen(F.normalize(patches, dim=1))
    for one_hot, filled, why in (
        (right, patches, "the result is right but for the overlaps"),
        (right, patches / norms, "the *normalised* patches are pasted; they only serve to choose. Paste the patches"),
        (plain, patches, "the style's patches are not divided by their norm before they are compared"),
        (plain, patches / norms, "normalised patches belong into the comparison, and plain ones into the paste"),
        (chosen(patches / norms, dim=2), patches, "the argmax goes over the places; it goes over the patches, dim 1"),
        (chosen(-patches / norms), patches, "the patches that are *least* alike are chosen: argmax, not argmin"),
        (soft, patches, "softmax mixes all patches; take the best one alone (one-hot)"),
        (
            by_cell,
            patches,
            "each *cell* of a patch is divided by its own norm; a patch has one norm, over all it holds",
        ),
    ):
        mean, total, ninth = pasted(one_hot, filled)
        yield mean, f"{why}."
        yield total, f"{why}: divide by the number of patches that lie over each cell."
        yield ninth, f"{why}: dividing by 9 is too much near the border, where fewer patches overlap."


@check
def swap_loss(answer: Callable[..., Tensor]) -> str:
    """‖Φ(I) − Φ^ss‖² + λ ℓ_TV(I), both sums of squared differences."""
    features, target, image = torch.randn(1, 4, 5, 6).requires_grad_(), torch.randn(1, 4, 5, 6), torch.rand(1, 3, 8, 9)
    weight = 0.3
    yours = run(answer, features=features, target=target, image=image, weight=weight)
    difference, x = (features.detach() - target).double(), image.double()
    down, right = x[..., 1:, :] - x[..., :-1, :], x[..., :, 1:] - x[..., :, :-1]
    distance, tv = difference.square().sum(), down.square().sum() + right.square().sum()
    absolute = down.abs().sum() + right.abs().sum()
    across = (x[:, 1:] - x[:, :-1]).square().sum()
    corner = down[..., :-1].square() + right[..., :-1, :].square()  # as in lesson 01, where both must be there
    mean, mean_tv = difference.square().mean(), down.square().mean() + right.square().mean()
    wrong = [
        (distance, "the second term, λ ℓ_TV, is missing."),
        (weight * tv, "the first term, the distance of the activations, is missing."),
        (distance + tv, "λ is not used."),
        (weight * distance + tv, "λ is at the distance; it belongs to the second term."),
        (distance - weight * tv, "the second term is subtracted; add it."),
        (distance / target.square().sum() + weight * tv, "divided by ‖Φ^ss‖²; the course does so, (3) does not."),
        (
            distance + weight * (features.diff(dim=2).square().sum() + features.diff(dim=3).square().sum()).detach(),
            "ℓ_TV is taken of the activations; it is of the picture, I.",
        ),
        (weight * (distance + tv), "λ belongs to the second term only."),
        (distance + weight * absolute, "absolute differences of pixels; here they are squared."),
        (distance.sqrt() + weight * tv, "there is a root; the distance is squared: ‖…‖²."),
        (distance.sqrt() + weight * (down.norm() + right.norm()), "there are roots; both terms are sums of squares."),
        (distance + weight * (tv + across), "red, green and blue are compared with each other, too: only neighbours."),
        (distance / 2 + weight * tv, "there is a ½ before the distance; (3) has none."),
        (difference.abs().sum() + weight * tv, "absolute differences of activations; square them."),
        (mean + weight * mean_tv, "means; both terms are sums here."),
        (mean + weight * tv, "the first term is a mean (mse_loss); it is a sum, or λ means something else."),
        (distance + weight * mean_tv, "the second term is a mean; it is a sum."),
        (distance + weight * right.square().sum(), "only neighbours side by side; add those above each other."),
        (distance + weight * down.square().sum(), "only neighbours above each other; add those side by side."),
        (
            distance + weight * corner.sum(),
            "the last row or column is cut off; here each sum keeps all its neighbours.",
        ),
        (distance + weight * corner.sqrt().sum(), "this is the ℓ_TV of lesson 01 with β = 1; in (4) there is no root."),
        *(
            (
                distance + weight * (across + one.square().sum()),
                "colours are compared with each other: dimension 1 holds "
                "red, green and blue; rows and columns are 2 and 3.",
            )
            for one in (down, right)
        ),
    ]
    must_match(yours, distance + weight * tv, wrong, what="the loss", gradient=True)
    return "right: one distance in one layer, and a little smoothness. No Gram matrix, no layer weights."


@check
def steadiness(answer: Callable[..., Tensor]) -> str:
    """The mean change of pixels, where pixel x of a frame was pixel x + shift of the one before."""
    for shift in (2, 5):
        frames = torch.rand(4, 3, 6, 12)
        yours = number(run(answer, frames=frames, shift=shift), "the mean change")
        before, after = frames[:-1].double(), frames[1:].double()
        difference = after[..., :-shift] - before[..., shift:]
        opposite = after[..., shift:] - before[..., :-shift]
        rolled = "roll brings pixels back in at the other side; compare only those that both frames show."
        wrong = [
            ((after - before).abs().mean(),
             "the motion is not taken out: a picture that just moves counts as flicker."),
            (opposite.abs().mean(),
             "compensated in the wrong direction: pixel x was pixel x + shift of the old frame."),
            *(((after[..., cut] - before[..., cut]).abs().mean(),
               "the same columns are cut off both; the new frame loses its last columns, the old one its first.")
              for cut in (slice(shift, None), slice(-shift))),
            ((after.roll(shift, 3) - before).abs().mean(), rolled),
            ((after.roll(-shift, 3) - before).abs().mean(), rolled),
            (difference.square().mean(), "the differences are squared; take their absolute value."),
            (difference.square().mean().sqrt(), "the root of the mean square; take the mean of the absolute values."),
            (difference.mean(), "ups and downs cancel out: take the absolute value first."),
            (difference.abs().sum(), "a sum; take the mean, or large frames look worse than small ones."),
            (difference[:1].abs().mean(), "only the first two frames are compared; use all neighbours."),
            ((frames[1:, ..., :-shift] - frames[:1, ..., shift:]).abs().mean(),
             "every frame is compared with the first one; take the one before it: frames[:-1]."),
            ((frames[-1:, ..., :-shift] - frames[-2:-1, ..., shift:]).abs().mean(),
             "only the last two frames are compared; use all neighbours."),
            (3 * difference.abs().mean(), "a sum over the pairs of frames, or over the colours; take the mean."),
            (0.75 * difference.abs().mean(), "divided by the number of frames; four frames have three pairs."),
            ((after[..., :-shift, :] - before[..., shift:, :]).abs().mean(),
             "rows are cut off; the camera moves along the columns, the last dimension."),
            (255 * difference.abs().mean(), "in 255ths; here pixels go from 0 to 1."),
        ]  # fmt: skip
        must_match(yours, difference.abs().mean(), wrong)
    return "right: what only moved along does not count. What is left is flicker."
