"""Checks of lesson 08: losses weighted for each picture, the conditioned norm, running averages, and diversity."""

from collections.abc import Callable

import torch
from torch import Tensor

from stylelearn.checks import Mistake, check, must_be, must_be_tensor, must_match, norms, number, pair, run, same

TOLERANCE = 1e-3  # answers may put an ε of their own under the root
DECAY = 0.99  # the value in the lesson's program


@check
def weighted(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """Mean over the pictures of Σ_l α^l L^l, with an α for each picture and layer."""
    losses, alphas = (torch.rand(3, 4) * 10 + 1).requires_grad_(), torch.rand(3, 4)
    yours = run(answer, losses=losses, alphas=alphas)
    each = losses.detach()
    right = sum(float(alphas[b, i]) * float(each[b, i]) for b in range(3) for i in range(4)) / 3
    product = alphas * each
    divided = "this is divided by the sum of the α. Then two sliders at 0.1 would mean the same as two at 1."
    crossed = "α meets losses of other pictures or layers, as in a matrix product; multiply element by element."
    wrong = [
        ((alphas.mean(0) * each.mean(0)).sum(),
         "the mean is taken too early: each picture's losses belong to its own α. Multiply first, then average."),
        (product.sum(), "the sum over the pictures too; take the mean, or the loss depends on the batch's size."),
        (product.mean(), "the mean over the layers as well; Σ_l is a sum."),
        (product.sum(dim=0).mean(), "sum over the pictures and mean over the layers: it is the other way round."),
        (each.sum(dim=1).mean(), "α is not used."),
        ((alphas[0] * each).sum(dim=1).mean(), "the first picture's α are used for all; each has its own."),
        ((product.sum(dim=1) / alphas.sum(dim=1)).mean(), divided),
        (product.sum() / alphas.sum(), divided),
        ((alphas.mean(dim=1) * each.sum(dim=1)).mean(), "the α of a picture are averaged; each weights its own layer."),
        ((alphas.sum(dim=1) * each.sum(dim=1)).mean(), crossed),
        ((alphas @ each.T).sum(), crossed),
        ((alphas @ each.T).sum() / 3, crossed),
        (product[0].sum(), "only the first picture counts; take the mean over all of them."),
        (product[-1].sum(), "only the last picture counts: add up over the pictures, and divide by their number."),
        ((each + alphas).sum(dim=1).mean(), "α is added; it multiplies."),
        (((1 - alphas) * each).sum(dim=1).mean(), "1 − α in place of α: α = 1 is all of a layer."),
        ((each / alphas).sum(dim=1).mean(), "α divides; it multiplies."),
        ((alphas.softmax(dim=1) * each).sum(dim=1).mean(), "take α without a softmax: all of them may be 1, or 0."),
        ((alphas.square() * each).sum(dim=1).mean(), "α is squared; it enters once."),
    ]  # fmt: skip
    must_match(yours, right, wrong, what="the loss", gradient=True)
    two = number(answer(each[:2, :3], alphas[:2, :3]), "the loss")
    must_be(two, product[:2, :3].sum() / 2, "right for three pictures and four layers, but not for two and three.")
    return "right: each picture of the batch is judged by its own α."


@check
def adjusted_norm(answer: Callable[[Tensor, Tensor, Callable], Tensor]) -> str:
    """γ_α (x − μ)/σ + β_α, where γ_α is the first half of mlp(alphas) and β_α the second."""
    torch.manual_seed(1)
    batch, channels = 2, 3
    x = torch.randn(batch, channels, 6, 7) * torch.rand(batch, channels, 1, 1).add(0.5) + torch.rand(channels, 1, 1)
    alphas, table = torch.rand(batch, 4), torch.randn(4, 2 * channels)

    def mlp(settings: Tensor) -> Tensor:
        return (settings @ table).sin() * 2 + 0.5  # (B, 2C); no answer gets this right without calling it

    yours = run(answer, x=x, alphas=alphas, mlp=mlp)
    both = mlp(alphas)[..., None, None]  # (B, 2C, 1, 1)
    gamma, beta = both.chunk(2, dim=1)
    middle = mlp(alphas.mean(dim=0, keepdim=True))[..., None, None].chunk(2, dim=1)
    wrong = [
        *norms.mistakes(x, gamma, beta),
        (norms.normed(x, gamma[:1], beta[:1]), "the first picture's γ and β are used for all; each has its own."),
        (norms.normed(x, *middle), "all pictures get the γ and β of the mean α; each has its own."),
        (norms.normed(x, both[:, 0::2], both[:, 1::2]), "γ and β do not take turns; γ is the first half, β the rest."),
        (norms.normed(x, gamma, -beta), "β is subtracted; add it."),
        (norms.normed(x, 1 / gamma, beta), "γ divides; it multiplies."),
        (norms.normed(x, 1 + gamma, beta), "1 + γ in place of γ: some programs do that, this formula does not."),
    ]
    must_match(yours, norms.normed(x, gamma, beta), wrong, tolerance=TOLERANCE, what="the new activations")
    norms.must_take_flat(lambda flat: answer(flat, alphas, mlp), x)
    more, settings, other = torch.randn(3, 4, 5, 6), torch.rand(3, 2), torch.randn(2, 8)
    again = answer(more, settings, lambda given: given @ other)
    truth = norms.normed(more, *(settings @ other)[..., None, None].chunk(2, dim=1))
    must_be(again, truth, "right for two pictures with three channels, but not for three with four.", TOLERANCE)
    return "right: each setting of the sliders gives the same activations another contrast and level."


@check
def factors(answer: Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]) -> str:
    """L̄ ← d L̄ + (1 − d) L, and what each loss is multiplied by, (Σ_i L̄^i)/L̄^l."""
    before, losses, decay = torch.tensor([20.0, 3.0, 0.5]), torch.tensor([10.0, 6.0, 0.2], requires_grad=True), 0.9
    yours = run(answer, averages=before, losses=losses, decay=decay)
    averages, found = pair(yours, "the new averages and the factors")
    must_be_tensor(averages, (3,), "the averages")
    must_be_tensor(found, (3,), "the factors")
    now = losses.detach()
    new = decay * before + (1 - decay) * now
    if same(averages, new.sum() / new) and same(found, new):
        raise Mistake("the two results have changed places: first the averages, then the factors.")
    wrong = [
        ((1 - decay) * before + decay * now, "the decay stands at the wrong place: the past has the large share."),
        (now, "this is the loss of the last step; an average has a memory."),
        (before, "the averages have not moved."),
        (decay * before + now, "1 − decay is missing: the average would grow without end."),
        ((before + now) / 2, "the decay is not used."),
        (before + now, "the decay is not used: the old averages and the new losses are only added."),
        (before + (1 - decay) * now, "decay is missing: the old averages must shrink, or the sum grows without end."),
        (DECAY * before + (1 - DECAY) * now, f"you have written {DECAY}; use the argument `decay`."),
    ]
    must_match(averages, new, wrong, "the averages differ: decay · L̄ + (1 − decay) · L.")
    wrong = [
        (new / new.sum(), "upside down: what is large must be made small, so divide *by* L̄^l."),
        (1 / new, "the sum Σ_i L̄^i is missing: then each loss would be near 1, however large they were."),
        (new.mean() / new, "the mean in place of the sum; the formula has Σ_i."),
        (new.max() / new, "the largest in place of the sum; the formula has Σ_i."),
        (now.sum() / now, "these are made of this step's losses; use the averages, which do not jump about."),
        (before.sum() / before, "these are made of the old averages; take up the new losses first."),
        (now.sum() / new, "the sum is of this step's losses; use the averages above, too."),
        (new.sum() / new * now, "this is each loss times its factor already; return the factors alone."),
        (new.sum() / new.square(), "divide by L̄^l once, not twice."),
    ]
    must_match(found, new.sum() / new, wrong, "the factors differ: the sum of all averages, divided by each of them.")
    if averages.requires_grad or found.requires_grad:
        raise Mistake(
            "the numbers are right, but gradients flow through them to the losses: .detach() makes them constants. "
            "Otherwise training could make a factor small in place of its loss."
        )
    four = torch.tensor([1.0, 2.0, 3.0, 4.0])
    must_be(answer(four, four, decay)[1], four.sum() / four, "the factors are right for three losses, not for four.")
    return "right: multiplied by its factor, the loss of each layer is as large as that of any other."


@check
def diversity(answer: Callable[[Tensor], Tensor]) -> str:
    """Mean of ‖F_i − F_j‖ over all pairs i < j, divided by the mean of ‖F_i‖."""
    features = torch.rand(4, 3, 5, 6) + torch.rand(4, 3, 1, 1)
    yours = number(run(answer, features=features), "the diversity")
    flat = features.double().flatten(1)  # (4, 90)
    size = flat.norm(dim=1).mean()
    difference = torch.stack([flat[i] - flat[j] for i in range(4) for j in range(i + 1, 4)])  # (6, 90)
    apart = difference.square().sum(dim=1).sqrt()
    norm = flat.norm(dim=1)
    each = apart / torch.stack([(norm[i] + norm[j]) / 2 for i in range(4) for j in range(i + 1, 4)])  # (6,)
    root_last = (apart.square().mean() / flat.square().sum(dim=1).mean()).sqrt()
    squares = "these are squares; ‖·‖ is the root of the sum of squares."
    itself = "each picture is compared with itself, too, which is 0: only pairs i < j count."
    pairs = "divide by the number of pairs i < j, B(B − 1)/2."
    norms_apart = "the norm is taken of something else: ‖F_i‖ is of one picture, over all its C·H·W numbers."
    wrong = [
        (apart.sum() / 8 / size, itself),
        (apart.sum() / 10 / size, itself),
        (apart.mean(), "it is not divided by the mean of ‖F_i‖; then it depends on how loud the layer is."),
        (apart.sum() / size, "the sum over the pairs; take their mean, or more pictures would count as more diverse."),
        (apart.square().mean() / size, squares),
        (apart.square().mean() / size.square(), squares),
        (root_last.square(), squares),
        (apart.square().mean() / flat.shape[1] / size, squares),
        (root_last, "the root is taken of the means; it belongs to each ‖·‖, before the mean."),
        (2 * apart.mean() / size, "each pair counts twice: only i < j."),
        (2 * apart.sum() / size, "each pair counts twice, and this is a sum; take the mean over i < j."),
        (apart.sum() / 4 / size, pairs),
        (apart.sum() / 16 / size, pairs),
        (apart.mean() / size / 4, "divide by the mean of ‖F_i‖, not by the sum."),
        (apart.mean() / flat.norm(), norms_apart),
        (apart.mean() / flat.norm(dim=0).mean(), norms_apart),
        (apart.mean() / flat.mean(0).norm(), norms_apart),
        (size / apart.mean(), "upside down: the distances are divided by the norms."),
        (each.mean(), "each distance is divided by the norms of its own two pictures; divide the mean by the mean."),
        (apart.max() / size, "the largest distance; take the mean over all pairs."),
        (flat.diff(dim=0).norm(dim=1).mean() / size, "only neighbours are compared; take all pairs i < j."),
        ((flat - flat.mean(0)).norm(dim=1).mean() / size, "this is the distance from the mean, not between pairs."),
        (difference.abs().mean() / flat.abs().mean(), "absolute values; ‖·‖ squares, adds, and takes the root."),
        ((flat[1:] - flat[0]).norm(dim=1).mean() / size, "all are compared with the first only; take all pairs."),
    ]
    must_match(yours, apart.mean() / size, wrong)
    copies = number(answer(features[:1].expand(3, -1, -1, -1)), "the diversity")
    must_be(copies, 0.0, "three equal pictures should give 0.")
    two = number(answer(features[:2]), "the diversity")
    must_be(two, apart[0] / flat[:2].norm(dim=1).mean(), "this works for four pictures, but not for two.", TOLERANCE)
    return "right: 0 for copies; the more the pictures differ, the larger."
