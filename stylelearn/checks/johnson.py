"""Checks of lesson 03: the receptive field, overlaps of a transposed convolution, instance norm, one training step."""

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from stylelearn.checks import Mistake, check, must_be_tensor, same

Layers = Sequence[tuple[int, int]]

# ---------------------------------------------------------------------------------------------------- receptive field

_STACKS: list[Layers] = [
    [(9, 1), (3, 2), (3, 2), (3, 1), (3, 1), (3, 1), (3, 1)],  # Johnson's network with two residual blocks
    [(3, 1), (3, 1), (3, 1)],
    [(4, 2), (1, 1), (5, 3), (2, 1)],
    [(7, 1)],
]


def _seen(layers: Layers) -> int:
    """Walk back from one place of the last layer: so many places of the layer before does it see, and so on."""
    places = 1
    for kernel, stride in reversed(layers):
        places = (places - 1) * stride + kernel
    return places


@check
def receptive_field(answer: Callable[[Layers], int]) -> str:
    """1 + Σ_l (k_l − 1) Π_{i<l} s_i for layers (kernel, stride) in order."""
    for layers in _STACKS:
        given = list(layers)
        yours = answer(given)
        if isinstance(yours, bool) or not isinstance(yours, int | float | Tensor):
            raise Mistake(f"the receptive field is one number; yours is {type(yours).__name__}.")
        if given != list(layers):
            raise Mistake("your function changes the list of layers itself; work on a copy.")
        if float(yours) != _seen(layers):
            raise Mistake(_field_mistake(layers, float(yours)))
    return "right: the kernels add up, and each stride makes the steps of all later layers longer."


def _field_mistake(layers: Layers, yours: float) -> str:
    expected, where = _seen(layers), f"For (kernel, stride) = {', '.join(map(str, layers))}: "
    ahead = [math.prod(stride for _, stride in layers[: i + 1]) for i in range(len(layers))]  # this layer's included
    before = [1, *ahead[:-1]]
    for value, why in (
        (1 + sum(k - 1 for k, _ in layers), "the strides are not used: after a stride of 2 each step counts twice."),
        (
            1 + sum((k - 1) * jump for (k, _), jump in zip(layers, ahead, strict=True)),
            "a layer's own stride is counted in its own step; it counts only from the next layer on.",
        ),
        (
            sum((k - 1) * jump for (k, _), jump in zip(layers, before, strict=True)),
            "one is missing: a place sees at least itself, so begin with 1.",
        ),
        (
            sum(k * jump for (k, _), jump in zip(layers, before, strict=True)),
            "each layer adds k − 1 places, not k: one of the k was there before.",
        ),
        (sum(k for k, _ in layers), "these are the kernels, added up; each adds k − 1, and strides count."),
        (math.prod(k for k, _ in layers), "kernels do not multiply: each layer adds k − 1 steps."),
        (_seen(list(reversed(layers))), "the layers are taken in the wrong order: the first one is next to the photo."),
        (
            1 + sum((k - 1) * s for k, s in layers),
            "only the layer's own stride is used; what counts is the product of all strides before it.",
        ),
        (expected**2, "this is the area; the side is asked for."),
    ):
        if yours == value:
            return f"{where}{why}"
    return f"{where}it should be {expected}, yours is {yours:g}."


# ----------------------------------------------------------------------------------------------------------- overlaps

_CASES = [(5, 3, 2), (4, 4, 2), (6, 5, 3), (3, 2, 3), (1, 4, 2)]  # how many inputs, kernel, stride


def _reached(count: int, kernel: int, stride: int) -> Tensor:
    found = torch.zeros((count - 1) * stride + kernel, dtype=torch.float64)
    for i in range(count):
        for k in range(kernel):
            found[i * stride + k] += 1
    return found


@check
def overlaps(answer: Callable[[int, int, int], Any]) -> str:
    """How many inputs reach each output of a transposed convolution in one dimension, without padding."""
    for count, kernel, stride in _CASES:
        yours = answer(count, kernel, stride)
        expected = _reached(count, kernel, stride)
        if not isinstance(yours, Tensor | list | tuple) or torch.as_tensor(yours).ndim != 1:
            raise Mistake("the answer is a row of numbers, one for each place of the output.")
        yours = torch.as_tensor(yours).double()
        if not same(yours, expected):
            raise Mistake(_overlap_mistake(count, kernel, stride, yours))
    return "right: only where the stride divides the kernel do all inner places get the same."


def _overlap_mistake(count: int, kernel: int, stride: int, yours: Tensor) -> str:
    where = f"For {count} inputs, kernel {kernel}, stride {stride}: "
    expected = _reached(count, kernel, stride)
    if len(yours) != len(expected):
        why = {
            count * stride: "that many only after padding; here nothing is cut off",
            count: "that is the number of inputs; the output is longer",
            (count - kernel) // stride + 1: "that is an ordinary convolution, which makes the row shorter",
            count + kernel - 1: "the stride is not used: the kernels stand `stride` places apart",
            count * stride + kernel: "one stride too many: the first kernel starts at 0",
            (count - 1) * stride: "the last kernel is cut off",
        }.get(len(yours), "(count − 1) · stride + kernel")
        return f"{where}the output has {len(expected)} places, yours {len(yours)}: {why}."
    for value, why in (
        (
            (expected > 0).double(),
            "each place counts once at most: count how often it is reached (+=, not =), and let kernel i begin at "
            "i · stride, not at i · kernel.",
        ),
        (expected / expected.max(), "divided by the largest; the counts themselves are asked for."),
        (expected * kernel, "each input adds 1 to a place, not the kernel's size."),
        (expected - 1, "one too few at every place: start at 0 and add 1 for each input."),
        (expected + 1, "one too many at every place: start at 0 and add 1 for each input."),
    ):
        if same(yours, value):
            return f"{where}{why}"
    if float(yours.sum()) != count * kernel:
        total = f"{count * kernel} in all; yours add up to {yours.sum():g}."
        return f"{where}each of {count} inputs reaches {kernel} places, {total}"
    return f"{where}input i reaches the places from i · stride on, `kernel` of them; yours are {yours.int().tolist()}."


# ------------------------------------------------------------------------------------------------------ instance norm

Normalise = Callable[[Tensor, Tensor, Tensor, float], Tensor]


def _normed(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float) -> Tensor:
    """One image and one channel at a time, in float64: what everything here is held against."""
    found = torch.empty_like(x, dtype=torch.float64)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            values = x[n, c].double()
            mean = values.sum() / values.numel()
            variance = (values - mean).square().sum() / values.numel()
            found[n, c] = gamma[c] * (values - mean) / (variance + epsilon).sqrt() + beta[c]
    return found


@check
def instance_norm(answer: Normalise) -> str:
    """γ (x − μ)/√(σ² + ε) + β with μ and σ² over the positions of each image and channel."""
    x = torch.randn(3, 4, 5, 6) * torch.tensor([1.0, 3.0, 0.5]).view(3, 1, 1, 1) + torch.randn(3, 4, 1, 1)
    gamma, beta, epsilon = torch.rand(4) + 0.5, torch.randn(4), 0.1
    given = x.clone()
    yours = answer(given, gamma.clone(), beta.clone(), epsilon)
    must_be_tensor(yours, tuple(x.shape), "the normalised activations")
    if not same(yours, _normed(x, gamma, beta, epsilon)):
        raise Mistake(_norm_mistake(x, gamma, beta, epsilon, yours))
    if not torch.equal(x, given):
        raise Mistake("your function changes x itself; build a new tensor.")
    other = torch.randn(1, 2, 3, 7)
    if not same(answer(other, gamma[:2], beta[:2], 1e-5), _normed(other, gamma[:2], beta[:2], 1e-5)):
        raise Mistake("this works for one shape or one ε, but not for others; take sizes from the tensor.")
    return "right: each image and each channel for itself, whatever stands beside it in the batch."


def _norm_mistake(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float, yours: Tensor) -> str:
    g, b = gamma.view(1, -1, 1, 1), beta.view(1, -1, 1, 1)
    mean, variance = x.mean((2, 3), keepdim=True), x.var((2, 3), correction=0, keepdim=True)
    unbiased = x.var((2, 3), correction=1, keepdim=True)
    normed = (x - mean) / (variance + epsilon).sqrt()

    def over(*dims: int) -> Tensor:
        around = x.var(dims, correction=0, keepdim=True)
        return g * (x - x.mean(dims, keepdim=True)) / (around + epsilon).sqrt() + b

    for value, why in (
        (over(0, 2, 3), "the images of the batch are mixed: this is batch norm. Take μ and σ over dimensions 2 and 3."),
        (over(1, 2, 3), "the channels are mixed: this is layer norm. Take μ and σ over dimensions 2 and 3."),
        (over(0, 1, 2, 3), "one μ and σ for everything; each image and each channel has its own."),
        (over(1), "this normalises over the channels of each place; go over the places of each channel."),
        (over(2), "only over the rows; positions are dimensions 2 and 3."),
        (over(3), "only along the rows; positions are dimensions 2 and 3."),
        (
            g * (x - mean) / (unbiased + epsilon).sqrt() + b,
            "the variance is divided by H·W − 1 (the unbiased one); here it is by H·W: correction=0.",
        ),
        (g * (x - mean) / (variance.sqrt() + epsilon) + b, "ε belongs inside the root: √(σ² + ε)."),
        (g * (x - mean) / (unbiased.sqrt() + epsilon) + b, "ε belongs inside the root, and the variance is over H·W."),
        (
            g * (x - mean) / variance.sqrt() + b,
            "ε is missing, or it is a number of your own: take the argument `epsilon`.",
        ),
        (g * (x - mean) / (variance + epsilon) + b, "divided by the variance; take its root."),
        (normed, "γ and β are missing."),
        (g * normed, "β is missing."),
        (normed + b, "γ is missing."),
        (b * normed + g, "γ and β are swapped: γ is the contrast, β the level."),
        (g * (normed + b), "β is added before γ multiplies; it comes last."),
        (g * x / (variance + epsilon).sqrt() + b, "μ is not taken off."),
        (g * (x - mean) + b, "nothing is divided by σ."),
    ):
        if same(yours, value):
            return why
    return "the values differ: γ (x − μ)/√(σ² + ε) + β, with μ and σ² over the positions of each image and channel."


# ------------------------------------------------------------------------------------------------------ training step

_RATE = 0.1


def _asymmetric(pastiche: Tensor, photos: Tensor) -> Tensor:
    return (pastiche - photos).square().mean() + 0.3 * pastiche.square().mean()


class _Case:
    """A small network, its optimiser, and photos; the same each time."""

    def __init__(self) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            self.network = nn.Conv2d(3, 3, 3, padding=1)
            self.photos = [torch.rand(2, 3, 6, 6) for _ in range(2)]
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=_RATE)

    def weights(self) -> Tensor:
        return torch.cat([p.detach().flatten() for p in self.network.parameters()])


def _after(steps: int, way: str = "") -> Tensor:
    """The weights after so many steps, done by hand: w − λ ∂L/∂w; or in a wrong `way`."""
    case = _Case()
    parameters = list(case.network.parameters())
    sums = [torch.zeros_like(p) for p in parameters]
    for step in range(steps):
        photos = case.photos[step]
        for _ in range(2 if way == "twice" else 1):
            pastiche = case.network(photos)
            loss = _asymmetric(photos, pastiche) if way == "swapped" else _asymmetric(pastiche, photos)
            slopes = torch.autograd.grad(loss, parameters)
            sums = [total + slope if way == "piled up" else slope for total, slope in zip(sums, slopes, strict=True)]
            with torch.no_grad():
                for parameter, slope in zip(parameters, sums, strict=True):
                    parameter -= _RATE * slope * (-1 if way == "up" else 1)
    return torch.cat([p.detach().flatten() for p in parameters])


@check
def training_step(answer: Callable[..., float]) -> str:
    """One step of an optimiser on loss(f_W(photos), photos): W moves, the photos do not."""
    case = _Case()
    photos = case.photos[0].clone()
    before = case.weights()
    expected = _asymmetric(case.network(photos), photos).item()
    yours = answer(case.network, case.optimizer, _asymmetric, photos)
    _same_weights(case, 1, before)
    if isinstance(yours, Tensor) and yours.requires_grad:
        raise Mistake("what you return still hangs on the graph, and a list of such losses keeps every step in memory; "
                      "return loss.item().")  # fmt: skip
    if not same(yours, expected):
        raise Mistake(_returned(case, yours, expected))
    if not torch.equal(photos, case.photos[0]):
        raise Mistake("the photos have changed; only the network's weights should.")
    answer(case.network, case.optimizer, _asymmetric, case.photos[1].clone())
    _same_weights(case, 2, before)
    return "right: forward, losses, gradients, one small move of all weights. Training is this, some thousand times."


def _same_weights(case: _Case, steps: int, before: Tensor) -> None:
    found = case.weights()
    if same(found, _after(steps), 1e-5):
        return
    for value, why in (
        (before, "no weight has moved: backward() finds the gradients, and then optimizer.step() moves; "
                 "zero_grad() between the two would throw the gradients away."),
        (_after(steps, "piled up"), "in the second step the gradient of the first is still there, and backward() adds "
                                    "to it: call optimizer.zero_grad() in every step."),
        (_after(steps, "swapped"), "the pastiche comes first in the loss, and the photos second."),
        (_after(steps, "twice"), "this makes two steps; one is asked for."),
        (_after(steps, "up"), "this climbs: the weights go against the gradient."),
    ):  # fmt: skip
        if same(found, value, 1e-5):
            raise Mistake(why)
    raise Mistake("the weights differ from w − λ ∂L/∂w: make the pastiche, take its loss, zero_grad, backward, step.")


def _returned(case: _Case, yours: Any, expected: float) -> str:
    after = copy.deepcopy(case.network)
    with torch.no_grad():
        later = _asymmetric(after(case.photos[0]), case.photos[0]).item()
    if same(yours, later):
        return "this is the loss after the step; return the one that you went downhill on."
    return f"return the loss as a number, {expected:.4f} here; yours is {yours!r}."
