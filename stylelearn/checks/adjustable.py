"""Checks of lesson 08: losses weighted for each picture, the conditioned norm, running averages, and diversity."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from stylelearn.checks import Mistake, check, must_be_tensor, named, same

TOLERANCE = 1e-3  # answers may put an ε of their own under the root
_named = partial(named, tolerance=TOLERANCE)

# ------------------------------------------------------------------------------------------------------------ weighted


@check
def weighted(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """Mean over the pictures of Σ_l α^l L^l, with an α for each picture and layer; three pictures, four layers."""
    each, alphas = torch.rand(3, 4) * 10 + 1, torch.rand(3, 4)
    each.requires_grad_()
    yours = answer(each, alphas)
    must_be_tensor(yours, (), "the loss, one number,")
    losses = each.detach().double()
    expected = sum(float(alphas[b, i]) * float(losses[b, i]) for b in range(3) for i in range(4)) / 3
    if not same(yours, expected):
        product = alphas.double() * losses
        wrong = [
            (
                (alphas.mean(0) * losses.mean(0)).sum(),
                "the mean is taken too early: each picture's losses belong to its own α. Multiply first, then average.",
            ),
            (product.sum(), "the sum over the pictures too; take the mean, or the loss depends on the batch's size."),
            (product.mean(), "the mean over the layers as well; Σ_l is a sum."),
            (product.sum(dim=0).mean(), "sum over the pictures and mean over the layers: it is the other way round."),
            (losses.sum(dim=1).mean(), "α is not used."),
            ((alphas[0] * losses).sum(dim=1).mean(), "the first picture's α are used for all; each has its own."),
            (
                (product.sum(dim=1) / alphas.sum(dim=1)).mean(),
                "this is divided by the sum of the α. Then two sliders at 0.1 would mean the same as two at 1.",
            ),
            ((losses + alphas).sum(dim=1).mean(), "α is added; it multiplies."),
            (((1 - alphas) * losses).sum(dim=1).mean(), "1 − α in place of α: α = 1 is all of a layer."),
        ]
        raise Mistake(_named(yours, wrong, "the value differs: Σ_l α^l L^l for each picture, then their mean."))
    if not yours.requires_grad:
        raise Mistake("the number is right, but it no longer knows where it came from: without .item() or .detach().")
    return "right: every picture of the batch is judged by its own wish."


# ------------------------------------------------------------------------------------------------------- adjusted norm


@check
def adjusted_norm(answer: Callable[[Tensor, Tensor, Callable], Tensor]) -> str:
    """γ_α (x − μ)/σ + β_α with (γ_α, β_α) = Λ(α), for a batch of two with different α."""
    torch.manual_seed(1)
    batch, channels = 2, 3
    x = torch.randn(batch, channels, 6, 7) * torch.rand(batch, channels, 1, 1).add(0.5) + torch.rand(channels, 1, 1)
    alphas, table = torch.rand(batch, 4), torch.randn(4, 2 * channels)

    def mlp(settings: Tensor) -> Tensor:
        return (settings @ table).sin() * 2 + 0.5  # (B, 2C); nobody can guess it without calling it

    kept = x.clone()
    yours = answer(kept, alphas, mlp)
    must_be_tensor(yours, tuple(x.shape), "the new activations")
    gamma, beta = mlp(alphas).double()[:, :, None, None].chunk(2, dim=1)  # (B, C, 1, 1) each
    if not same(yours, _conditioned(x, gamma, beta), TOLERANCE):
        raise Mistake(_norm_mistake(x, mlp(alphas).double(), yours))
    if not torch.equal(kept, x):
        raise Mistake("your function changes x itself; build a new tensor.")
    flat = x.clone()
    flat[:, 1] = 2.0
    if not torch.isfinite(answer(flat, alphas, mlp)).all():
        raise Mistake("a channel that is the same everywhere gives NaN: σ is 0 there. Put a small ε under the root.")
    return "right: the same activations come out with another contrast and level for each setting of the sliders."


def _conditioned(x: Tensor, gamma: Tensor, beta: Tensor, over: Sequence[int] = (2, 3)) -> Tensor:
    x = x.double()
    return gamma * (x - x.mean(over, keepdim=True)) / x.std(over, correction=0, keepdim=True) + beta


def _norm_mistake(x: Tensor, both: Tensor, yours: Tensor) -> str:
    channels = x.shape[1]
    gamma, beta = both[:, :, None, None].chunk(2, dim=1)
    x, plain = x.double(), _conditioned(x, torch.ones_like(gamma), torch.zeros_like(beta))
    deviation = x.std((2, 3), correction=0, keepdim=True)
    woven = both.reshape(-1, channels, 2)[..., None, None]  # γ and β taking turns
    wrong = [
        (_conditioned(x, beta, gamma), "γ and β have changed places: γ is the first half of what Λ says."),
        (
            _conditioned(x, gamma[:1], beta[:1]),
            "the first picture's γ and β are used for all; each picture has a wish of its own.",
        ),
        (
            _conditioned(x, woven[:, :, 0], woven[:, :, 1]),
            "γ and β do not take turns; γ is the first half, β the rest.",
        ),
        (
            _conditioned(x, gamma, beta, (0, 2, 3)),
            "the pictures of the batch are mixed: μ and σ go over the positions, dimensions 2 and 3, only.",
        ),
        (
            _conditioned(x, gamma, beta, (1, 2, 3)),
            "the channels are mixed: each has its own μ and σ; leave dimension 1 alone.",
        ),
        (gamma * (x - x.mean((2, 3), keepdim=True)) / deviation**2 + beta, "this divides by the variance, not by σ."),
        (
            gamma * (x - x.mean((2, 3), keepdim=True)) / x.std((2, 3), keepdim=True) + beta,
            "nearly: your σ is divided by one less than the number of positions; std and var take correction=0.",
        ),
        (gamma * x / deviation + beta, "μ is not taken off."),
        (gamma * (x - x.mean((2, 3), keepdim=True)) + beta, "the division by σ is missing."),
        (gamma * x + beta, "x is not normalised: take off μ and divide by σ first."),
        (gamma * plain, "β is missing."),
        (plain + beta, "γ is missing."),
        ((1 + gamma) * plain + beta, "1 + γ in place of γ: some programs do that, this formula does not."),
        (gamma * (plain + beta), "β is multiplied by γ too; add it last."),
        (plain, "this is instance normalisation alone; give it γ and β now."),
    ]
    return _named(yours, wrong, "the values differ: γ times (x − μ)/σ plus β, with γ and β out of mlp(alphas).")


# ------------------------------------------------------------------------------------------------------------- factors


@check
def factors(answer: Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]) -> str:
    """L̄ ← d L̄ + (1 − d) L, and what each loss is multiplied by, (Σ_i L̄^i)/L̄^l."""
    before, decay = torch.tensor([20.0, 3.0, 0.5]), 0.9
    losses = torch.tensor([10.0, 6.0, 0.2], requires_grad=True)
    kept = before.clone()
    yours = answer(kept, losses, decay)
    if not isinstance(yours, tuple | list) or len(yours) != 2:
        raise Mistake("return two things: the new averages, and the factors.")
    averages, found = yours
    must_be_tensor(averages, (3,), "the averages")
    must_be_tensor(found, (3,), "the factors")
    now = losses.detach().double()
    new = decay * before.double() + (1 - decay) * now
    if not same(averages, new):
        wrong = [
            ((1 - decay) * before + decay * now, "the decay stands at the wrong place: the past has the large share."),
            (now, "this is the loss of the last step; an average has a memory."),
            (before, "the averages have not moved."),
            (decay * before + now, "1 − decay is missing: the average would grow without end."),
            ((before + now) / 2, "the decay is not used."),
        ]
        raise Mistake(_named(averages, wrong, "the averages differ: decay · L̄ + (1 − decay) · L."))
    if not same(found, new.sum() / new):
        wrong = [
            (new / new.sum(), "upside down: what is large must be made small, so divide *by* L̄^l."),
            (1 / new, "the sum Σ_i L̄^i is missing: then the whole loss would not keep its size."),
            (new.mean() / new, "the mean in place of the sum; the formula has Σ_i."),
            (new.max() / new, "the largest in place of the sum; the formula has Σ_i."),
            (now.sum() / now, "these are made of this step's losses; use the averages, which do not jump about."),
            (before.double().sum() / before, "these are made of the old averages; take up the new losses first."),
            (now.sum() / new, "the sum is of this step's losses; use the averages above, too."),
        ]
        raise Mistake(_named(found, wrong, "the factors differ: the sum of all averages, divided by each of them."))
    if averages.requires_grad or found.requires_grad:
        raise Mistake(
            "the numbers are right, but they still hang on the losses: with .detach() they are constants. Otherwise "
            "training could also make a factor small in place of its loss."
        )
    return "right: whatever a layer's loss is like, multiplied by its factor it is as large as any other's."


# ----------------------------------------------------------------------------------------------------------- diversity


@check
def diversity(answer: Callable[[Tensor], Tensor]) -> str:
    """The mean of ‖F_i − F_j‖ over all pairs i < j, divided by the mean of ‖F_i‖."""
    features = torch.rand(4, 3, 5, 6) + torch.rand(4, 3, 1, 1)
    flat = features.double().flatten(1)  # (4, 90)
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    apart = torch.stack([(flat[i] - flat[j]).square().sum().sqrt() for i, j in pairs])
    size = flat.norm(dim=1).mean()
    yours = answer(features)
    if isinstance(yours, float):
        yours = torch.tensor(yours)
    must_be_tensor(yours, (), "the diversity, one number,")
    if not same(yours, apart.mean() / size):
        everything = torch.stack([(a - b).norm() for a in flat for b in flat])
        neighbours = torch.stack([(flat[i] - flat[i + 1]).norm() for i in range(3)])
        wrong = [
            (
                everything.mean() / size,
                "each picture is compared with itself, too, which is 0: only pairs i < j count.",
            ),
            (apart.mean(), "it is not divided by the mean of ‖F_i‖; then it depends on how loud the layer is."),
            (
                apart.sum() / size,
                "the sum over the pairs; take their mean, or more pictures would count as more diverse.",
            ),
            (apart.square().mean() / size, "these are squares; ‖·‖ is the root of the sum of squares."),
            (apart.square().mean() / size.square(), "these are squares; ‖·‖ is the root of the sum of squares."),
            (neighbours.mean() / size, "only neighbours are compared; take all pairs i < j."),
            ((flat - flat.mean(0)).norm(dim=1).mean() / size, "this is the distance from the mean, not between pairs."),
            (
                torch.stack([(flat[i] - flat[j]).abs().mean() for i, j in pairs]).mean() / flat.abs().mean(),
                "absolute values; ‖·‖ squares, adds, and takes the root.",
            ),
            ((flat[1:] - flat[0]).norm(dim=1).mean() / size, "all are compared with the first only; take all pairs."),
        ]
        raise Mistake(_named(yours, wrong, "the value differs: mean of ‖F_i − F_j‖ over pairs, by the mean of ‖F_i‖."))
    if not same(answer(features[:1].expand(3, -1, -1, -1)), 0.0):
        raise Mistake("three equal pictures should give 0.")
    if not same(answer(features[:2]), (flat[0] - flat[1]).norm() / flat[:2].norm(dim=1).mean(), TOLERANCE):
        raise Mistake("this works for four pictures, but not for two.")
    return "right: 0 for copies, and the larger the more the pictures differ."
