"""Checks of lesson 06: the best match, patches put back, the swap by convolutions, its loss, and steadiness of film."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelearn.checks import Mistake, check, must_be_tensor, same

ZERO_WINS = (
    "a patch that is zero everywhere was chosen: its norm is 0, 0/0 is NaN, and argmax takes NaN for the largest. "
    "Behind a ReLU such patches can occur. Divide by at least a tiny number (clamp_min(1e-8))."
)


def _name(yours: Tensor, mistakes: Iterator[tuple[Tensor, str]], otherwise: str) -> Mistake:
    """The mistake whose result is the learner's, or the last resort."""
    return Mistake(next((why for value, why in mistakes if same(yours, value)), otherwise))


# ---------------------------------------------------------------------------------------------------------- best match


def _correlations(content: Tensor, style: Tensor) -> Tensor:
    """⟨a, b⟩ / (‖a‖ ‖b‖) of all pairs, one by one in float64; 0 where one of them is zero. (N, D), (M, D) -> (N, M)."""
    table = torch.zeros(len(content), len(style), dtype=torch.float64)
    for i, a in enumerate(content.double()):
        for j, b in enumerate(style.double()):
            norms = a.square().sum().sqrt() * b.square().sum().sqrt()
            table[i, j] = (a * b).sum() / norms if norms > 0 else 0.0
    return table


@check
def best_match(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """For each of 30 patches of the content the most similar of 20 of the style, which differ in strength."""
    content = torch.randn(30, 12).relu()
    style = torch.randn(20, 12).relu() * torch.logspace(-1, 1, 20)[torch.randperm(20), None]
    yours = answer(content.clone(), style.clone())
    if isinstance(yours, Tensor) and tuple(yours.shape) == (20,):
        raise Mistake("one answer for each patch of the *style*: the argmax goes over the wrong dimension.")
    must_be_tensor(yours, (30,), "the numbers of the chosen patches")
    table = _correlations(content, style)
    if yours.is_floating_point():
        best = table.max(dim=1).values
        hint = "these are the correlations themselves" if same(yours, best) else "these are no whole numbers"
        raise Mistake(f"{hint}; wanted is *which* patch is the best one: argmax instead of max.")
    if not torch.equal(yours.long(), table.argmax(dim=1)):
        raise _name(yours, _match_mistakes(content, style, table), "other patches are more alike: compare ⟨a, b⟩/‖b‖.")
    style[7] = 0.0
    if (answer(content.clone(), style.clone()) == 7).any():
        raise Mistake(ZERO_WINS)
    return "right: what counts is the direction of a patch, its pattern, and not how strong it is."


def _match_mistakes(content: Tensor, style: Tensor, table: Tensor) -> Iterator[tuple[Tensor, str]]:
    plain = content @ style.T
    norms = style.norm(dim=1)
    distance = torch.cdist(content, style)
    centred = _correlations(*(each - each.mean(dim=1, keepdim=True) for each in (content, style)))
    yield (
        plain.argmax(dim=1),
        (
            "the patches of the *style* are not divided by their norm, so the strongest ones win nearly everywhere. "
            "(Dividing by the content's norm changes nothing: it is the same for all candidates.)"
        ),
    )
    yield table.argmin(dim=1), "these are the patches that are *least* alike: argmax, not argmin."
    yield (
        distance.argmin(dim=1),
        (
            "the nearest in distance; that depends on how strong a patch is. Here only its direction counts: divide by "
            "the norms first."
        ),
    )
    yield distance.argmax(dim=1), "these are the patches that are *farthest away*."
    yield (plain / norms**2).argmax(dim=1), "divided by ‖b‖², so weak patches win; divide by ‖b‖, the root."
    yield (plain * norms).argmax(dim=1), "multiplied by the norm; it has to divide."
    yield (
        (content @ (style / style.norm(dim=0, keepdim=True).clamp_min(1e-8)).T).argmax(dim=1),
        ("each *channel* is divided by its norm over all patches; each patch has a norm of its own: dim=1."),
    )
    yield centred.argmax(dim=1), "the mean of each patch is taken off first. That is another correlation: leave it on."
    yield torch.zeros(len(content), dtype=torch.long), "it is always patch 0. Is there a NaN in the table?"


# ------------------------------------------------------------------------------------------------------------ put back


def _put_back(
    patches: Tensor, size: tuple[int, int], patch: int, stride: int, divide: str = "count", apart: int = 0
) -> Tensor:
    """Patches (N, C, p, p) in reading order to a map (1, C, H, W), one by one in float64; `apart` another step."""
    total = torch.zeros(1, patches.shape[1], *size, dtype=torch.float64)
    count = torch.zeros(1, 1, *size, dtype=torch.float64)
    columns = (size[1] - patch) // stride + 1
    for number, one in enumerate(patches.double()):
        y, x = (place * (apart or stride) for place in divmod(number, columns))
        here = (..., slice(y, y + patch), slice(x, x + patch))
        if divide == "last":
            total[here], count[here] = one, 1
        else:
            total[here] += one
            count[here] += 1
    return {"count": total / count, "last": total, "no": total, "all": total / patch**2}[divide]


@check
def put_back(answer: Callable[..., Tensor]) -> str:
    """A map out of patches of 3 cells, then of 4 cells with a stride of 2."""
    for patch, stride, size in ((3, 1, (5, 7)), (4, 2, (8, 12))):
        rows, columns = ((side - patch) // stride + 1 for side in size)
        patches = torch.randn(rows * columns, 2, patch, patch)
        yours = answer(patches.clone(), size, patch, stride)
        must_be_tensor(yours, (1, 2, *size), "the map")
        if not same(yours, _put_back(patches, size, patch, stride)):
            where = f"for a patch of {patch} and a stride of {stride} the values differ: add up, count, divide."
            raise _name(yours.nan_to_num(0.0), _paste_mistakes(patches, size, patch, stride), where)
    return "right: each cell is the mean of all patches that lie over it, fewer of them near the border."


def _paste_mistakes(patches: Tensor, size: tuple[int, int], patch: int, stride: int) -> Iterator[tuple[Tensor, str]]:
    rows, columns = ((side - patch) // stride + 1 for side in size)
    options = {"size": size, "patch": patch, "stride": stride}
    yield (
        _put_back(patches, **options, divide="no"),
        ("the sum: not divided by the number of patches that overlap, so the middle is too strong."),
    )
    yield (
        _put_back(patches, **options, divide="all"),
        (f"divided by {patch**2} everywhere; near the border fewer patches lie over a cell."),
    )
    yield (
        _put_back(patches, **options, divide="last"),
        ("each patch overwrites those before it; where they overlap, take the mean."),
    )
    if stride > 1:
        for divide in ("count", "no"):
            moved = _put_back(patches, **options, divide=divide, apart=1)
            yield moved.nan_to_num(0.0), "the patches are one cell apart, not `stride` cells: the stride is ignored."
    yield _put_back(patches.mT, **options), "rows and columns inside of each patch are exchanged."
    columnwise = patches.unflatten(0, (columns, rows)).transpose(0, 1).flatten(0, 1)
    yield _put_back(columnwise, **options), "the patches come in reading order: first along a row, then the next row."
    mixed = patches.permute(0, 2, 3, 1).reshape(patches.shape)
    yield _put_back(mixed, **options), "channels and cells are mixed: in a column of `fold` the channel counts slowest."


# -------------------------------------------------------------------------------------------------- three convolutions


def _pieces(features: Tensor, patch: int, stride: int) -> Tensor:
    """(1, C, H, W) -> (N, C, p, p) in reading order, one by one."""
    height, width = features.shape[2:]
    return torch.stack([
        features[0, :, y : y + patch, x : x + patch]
        for y in range(0, height - patch + 1, stride)
        for x in range(0, width - patch + 1, stride)
    ])  # fmt: skip


def _swap(content: Tensor, style: Tensor, patch: int, stride: int) -> Tensor:
    candidates = _pieces(style, patch, stride)
    table = _correlations(_pieces(content, patch, stride).flatten(1), candidates.flatten(1))
    return _put_back(candidates[table.argmax(dim=1)], tuple(content.shape[2:]), patch, stride)


@check
def three_convolutions(answer: Callable[..., Tensor]) -> str:
    """The whole swap, with another size of style; stride 1, then stride 2; then with a corner that is silent."""
    content = torch.randn(1, 3, 7, 9).relu()
    style = torch.randn(1, 3, 9, 5).relu() * (0.2 + 3 * torch.rand(1, 1, 9, 5) ** 2)
    for stride in (1, 2):
        yours = answer(content.clone(), style.clone(), 3, stride)
        if isinstance(yours, Tensor) and yours.shape == style.shape:
            raise Mistake("content and style are swapped: the content's places are filled with the style's patches.")
        must_be_tensor(yours, tuple(content.shape), "the swapped activations")
        if same(yours, _swap(content, style, 3, stride)):
            continue
        if stride == 2 and same(yours, _swap(content, style, 3, 1)):
            raise Mistake("right for a stride of 1, but for 2 it gives the same: the stride is ignored.")
        where = (
            f"for a stride of {stride} the values differ: correlate with normalised patches, one-hot, paste, divide."
        )
        raise _name(yours, _swap_mistakes(content, style, stride), where)
    style[..., :5, :4] = 0.0  # patches without any activation
    yours = answer(content.clone(), style.clone(), 3, 1)
    if not torch.isfinite(yours).all():
        raise Mistake(ZERO_WINS)
    if not same(yours, _swap(content, style, 3, 1)):
        raise Mistake(f"right, but not where a part of the style is silent: {ZERO_WINS}")
    return "right: correlate, choose, paste. Nothing here was learnt."


def _swap_mistakes(content: Tensor, style: Tensor, stride: int) -> Iterator[tuple[Tensor, str]]:
    patches = _pieces(style, 3, stride)  # (N, C, 3, 3)
    norms = patches.flatten(1).norm(dim=1)[:, None, None, None]

    def pasted(one_hot: Tensor, filled: Tensor) -> Iterator[Tensor]:
        total = F.conv_transpose2d(one_hot, filled, stride=stride)
        count = F.conv_transpose2d(torch.ones_like(one_hot[:, :1]), torch.ones(1, 1, 3, 3), stride=stride)
        yield from (total / count, total, total / 9)

    def chosen(kernels: Tensor, dim: int = 1) -> Tensor:
        table = F.conv2d(content, kernels, stride=stride)  # (1, N, h, w)
        flat = table.flatten(2)
        return torch.zeros_like(flat).scatter_(dim, flat.argmax(dim, keepdim=True), 1.0).view_as(table)

    if stride > 1:
        dense = _pieces(style, 3, 1)
        found = chosen(dense / dense.flatten(1).norm(dim=1)[:, None, None, None])
        yield (
            next(pasted(found, dense)),
            "the style's patches are taken at every cell; they, too, begin `stride` cells apart.",
        )
    right, plain = chosen(patches / norms), chosen(patches)
    soft = F.conv2d(content, patches / norms, stride=stride).softmax(dim=1)
    for one_hot, filled, why in (
        (right, patches, "the result is right but for the overlaps"),
        (right, patches / norms, "the *normalised* patches are pasted; they only serve to choose. Paste the patches"),
        (plain, patches, "the style's patches are not divided by their norm before they are compared"),
        (plain, patches / norms, "normalised patches belong into the comparison, and plain ones into the paste"),
        (chosen(patches / norms, dim=2), patches, "the argmax goes over the places; it goes over the patches, dim 1"),
        (soft, patches, "softmax mixes all patches; take the best one alone (one-hot)"),
    ):
        mean, total, ninth = pasted(one_hot, filled)
        if one_hot is not right or filled is not patches:
            yield mean, f"{why}."
        yield total, f"{why}: divide by the number of patches that lie over each cell."
        yield ninth, f"{why}: dividing by 9 is too much near the border, where fewer patches overlap."


# ---------------------------------------------------------------------------------------------------------------- loss


@check
def swap_loss(answer: Callable[..., Tensor]) -> str:
    """‖Φ(I) − Φ^ss‖²_F + λ ℓ_TV(I), both sums."""
    features, target, image = torch.randn(1, 4, 5, 6).requires_grad_(), torch.randn(1, 4, 5, 6), torch.rand(1, 3, 8, 9)
    weight = 0.3
    yours = answer(features, target, image, weight)
    must_be_tensor(yours, (), "the loss, one number,")
    f, x = (each.detach().double() for each in (features, image))
    down, right = x[..., 1:, :] - x[..., :-1, :], x[..., :, 1:] - x[..., :, :-1]
    distance, tv = (f - target).square().sum(), down.square().sum() + right.square().sum()
    if not same(yours, distance + weight * tv):
        absolute = down.abs().sum() + right.abs().sum()
        mean, mean_tv = (f - target).square().mean(), down.square().mean() + right.square().mean()
        raise _name(
            yours,
            iter([
                (distance, "the second term, λ ℓ_TV, is missing."),
                (weight * tv, "the first term, the distance of the activations, is missing."),
                (distance + tv, "λ is not used."),
                (weight * (distance + tv), "λ belongs to the second term only."),
                (distance + weight * absolute, "absolute differences of pixels; here they are squared."),
                (distance.sqrt() + weight * tv, "there is a root; the distance is squared: ‖…‖²."),
                ((f - target).abs().sum() + weight * tv, "absolute differences of activations; square them."),
                (mean + weight * mean_tv, "means; both terms are sums here."),
                (mean + weight * tv, "the first term is a mean (mse_loss); it is a sum, or λ means something else."),
                (distance + weight * mean_tv, "the second term is a mean; it is a sum."),
                (distance + weight * right.square().sum(), "only neighbours side by side; add those above each other."),
                (distance + weight * down.square().sum(), "only neighbours above each other; add those side by side."),
            ]),
            "the values differ: the sum of squared differences, plus λ times that of neighbouring pixels.",
        )  # fmt: skip
    if not yours.requires_grad:
        raise Mistake("the number is right, but it no longer knows where it came from: without .item() or .detach().")
    return "right: one distance in one layer, and a little smoothness. No Gram matrix, no weights of layers."


# ---------------------------------------------------------------------------------------------------------- steadiness


@check
def steadiness(answer: Callable[..., Tensor]) -> str:
    """The mean change of four frames whose content moves to the left by 2 pixels, then by 5, each time."""
    for shift in (2, 5):
        frames = torch.rand(4, 3, 6, 12)
        yours = answer(frames.clone(), shift)
        must_be_tensor(torch.as_tensor(yours), (), "the mean change, one number,")
        before, after = frames[:-1].double(), frames[1:].double()
        if same(yours, (after[..., :-shift] - before[..., shift:]).abs().mean()):
            continue
        why = "the values differ: pixel x of a frame was pixel x + shift of the one before."
        raise _name(torch.as_tensor(yours), _steady_mistakes(before, after, shift), why)
    return "right: what only moved along does not count. What is left is flicker."


def _steady_mistakes(before: Tensor, after: Tensor, shift: int) -> Iterator[tuple[Tensor, str]]:
    difference = after[..., :-shift] - before[..., shift:]
    yield (after - before).abs().mean(), "the motion is not taken out: a picture that just moves counts as flicker."
    yield (
        (after[..., shift:] - before[..., :-shift]).abs().mean(),
        ("compensated in the wrong direction: pixel x of the new frame was pixel x + shift of the old one."),
    )
    for sign in (1, -1):
        yield (
            (after.roll(sign * shift, 3) - before).abs().mean(),
            ("roll brings pixels back in at the other side; compare only those that both frames show."),
        )
    yield difference.square().mean(), "the differences are squared; take their absolute value."
    yield difference.square().mean().sqrt(), "the root of the mean square; take the mean of the absolute values."
    yield difference.mean(), "ups and downs cancel out: take the absolute value first."
    yield difference.abs().sum(), "a sum; take the mean, or large frames look worse than small ones."
    yield difference[:1].abs().mean(), "only the first two frames are compared; use all neighbours."
    yield 255 * difference.abs().mean(), "in 255ths; here pixels go from 0 to 1."
