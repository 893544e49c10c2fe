"""Checks of lesson 03: the receptive field, overlaps of a transposed convolution, instance norm, one training step."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from stylelearn.checks import Mistake, check, must_be, must_match, norms, number, numbers, run
from stylelearn.weights import seeded

Layers = Sequence[tuple[int, int]]

_STACKS: list[Layers] = [
    [(9, 1), (3, 2), (3, 2), (3, 1), (3, 1), (3, 1), (3, 1)],  # Johnson's network with two residual blocks
    [(3, 1), (3, 1), (3, 1)],
    [(4, 2), (1, 1), (5, 3), (2, 1)],
    [(7, 1)],
]


def _seen(layers: Layers) -> int:
    """Walk back from one place of the last layer to the places that it sees in the layer before, and so on."""
    places = 1
    for kernel, stride in reversed(layers):
        places = (places - 1) * stride + kernel
    return places


@check
def receptive_field(answer: Callable[[Layers], int]) -> str:
    """1 + Σ_l (k_l − 1) Π_{i<l} s_i for layers (kernel, stride) in order."""
    for layers in _STACKS:
        yours = number(run(answer, layers=list(layers)), "the receptive field")
        where = f"For (kernel, stride) = {', '.join(map(str, layers))}: "
        wrong = [(value, where + why) for value, why in _field_mistakes(layers)]
        otherwise = f"{where}it should be {_seen(layers)}, yours is {yours:g}."
        must_match(yours, _seen(layers), wrong, otherwise, tolerance=0)
    return "right: the kernels add up, and each stride makes the steps of all later layers longer."


def _field_mistakes(layers: Layers) -> Iterator[tuple[int, str]]:
    kernels = [kernel for kernel, _ in layers]
    steps = [math.prod(stride for _, stride in layers[:i]) for i in range(len(layers) + 1)]  # before each layer

    def summed(*factors: Sequence[int]) -> int:
        return sum(map(math.prod, zip(*factors, strict=False)))

    less = [kernel - 1 for kernel in kernels]
    yield 1 + sum(less), "the strides are not used: after a stride of 2 each step counts twice."
    yield 1 + summed(less, steps[1:]), "a layer's own stride is counted in its own step; it counts from the next on."
    yield summed(less, steps), "one is missing: a place sees at least itself, so begin with 1."
    yield summed(kernels, steps), "each layer adds k − 1 places, not k: one of the k was there before."
    yield sum(kernels), "these are the kernels, added up; each adds k − 1, and strides count."
    yield math.prod(kernels), "kernels do not multiply: each layer adds k − 1 steps."
    yield _seen(layers[::-1]), "the layers are taken in the wrong order: the first one is next to the photo."
    own = [stride for _, stride in layers]
    yield 1 + summed(less, own), "each layer takes one stride only; the product of all strides before it counts."
    yield 1 + summed(less, [1, *own]), "only the stride just before is used; the product of all before counts."
    added = [1 + sum(own[:i]) for i in range(len(own))]
    yield 1 + summed(less, added), "the strides are added up; they multiply."
    yield kernels[0], "this is what the first layer sees; is `return` inside the loop?"
    yield _seen(layers) ** 2, "this is the area; the side is asked for."


_CASES = [(5, 3, 2), (4, 4, 2), (6, 5, 3), (3, 2, 3), (1, 4, 2)]  # how many inputs, kernel, stride


@check
def overlaps(answer: Callable[[int, int, int], Any]) -> str:
    """How many inputs reach each output of a transposed convolution in one dimension, without padding."""
    for count, kernel, stride in _CASES:
        yours = numbers(answer(count, kernel, stride))
        right = torch.zeros((count - 1) * stride + kernel, dtype=torch.float64)
        for i in range(count):
            right[i * stride : i * stride + kernel] += 1
        where = f"For {count} inputs, kernel {kernel}, stride {stride}: "
        if len(yours) != len(right):
            lengths = {
                count * stride: "that many only after padding; here nothing is cut off",
                count: "that is the number of inputs; the output is longer",
                (count - kernel) // stride + 1: "that is an ordinary convolution, which makes the row shorter",
                count + kernel - 1: "the stride is not used: the kernels stand `stride` places apart",
                count * stride + kernel: "one stride too many: the first kernel starts at 0",
                (count - 1) * stride: "the last kernel is cut off",
            }
            why = lengths.get(len(yours), "(count − 1) · stride + kernel")
            raise Mistake(f"{where}the output has {len(right)} places, yours {len(yours)}: {why}.")
        once = "each place counts once at most: add up with +=, and let kernel i begin at i · stride, not i · kernel."
        wrong = [
            ((right > 0).double(), where + once),
            (right / right.max(), f"{where}divided by the largest; the counts themselves are asked for."),
            (right * kernel, f"{where}each input adds 1 to a place, not the kernel's size."),
            (right - 1, f"{where}one too few at every place: start at 0 and add 1 for each input."),
            (right + 1, f"{where}one too many at every place: start at 0 and add 1 for each input."),
        ]
        if count > 1 and yours.sum() == kernel == yours[:kernel].sum():
            raise Mistake(f"{where}only the first kernel has been added; is `return` inside the loop?")
        places = f"{where}input i reaches `kernel` places from i · stride on; yours are {yours.int().tolist()}."
        total = f"{where}each of {count} inputs reaches {kernel} places, {count * kernel} in all; yours add up to "
        must_match(yours, right, wrong, places if yours.sum() == count * kernel else f"{total}{yours.sum():g}.")
    return "right: only where the stride divides the kernel do all inner places get the same."


@check
def instance_norm(answer: Callable[[Tensor, Tensor, Tensor, float], Tensor]) -> str:
    """γ (x − μ)/√(σ² + ε) + β, with μ and σ² over the positions of each image and channel."""
    x = torch.randn(3, 4, 5, 6) * torch.tensor([1.0, 3.0, 0.5]).view(3, 1, 1, 1) + torch.randn(3, 4, 1, 1)
    gamma, beta, epsilon = torch.rand(4) + 0.5, torch.randn(4), 0.1
    yours = run(answer, x=x, gamma=gamma, beta=beta, epsilon=epsilon)
    g, b = gamma.view(1, -1, 1, 1), beta.view(1, -1, 1, 1)
    own = [
        (norms.normed(x, g, b, other), "ε is missing, or it is a number of your own: take the argument `epsilon`.")
        for other in (0.0, 1e-5)
    ]
    wrong = [*norms.mistakes(x, g, b, epsilon), *own]
    must_match(yours, norms.normed(x, g, b, epsilon), wrong, what="the normalised activations")
    other = torch.randn(1, 2, 3, 7)
    right = norms.normed(other, g[:, :2], b[:, :2], 1e-5)
    must_be(answer(other, gamma[:2], beta[:2], 1e-5), right, "this works for one shape or one ε, but not for others.")
    return "right: each image and each channel is normalised alone, independent of the rest of the batch."


_RATE = 0.1


def _asymmetric(pastiche: Tensor, photos: Tensor) -> Tensor:
    if not (pastiche.requires_grad or photos.requires_grad):
        raise Mistake("the loss gets no picture that depends on the weights: network(photos), and not under no_grad().")
    if pastiche.requires_grad and photos.requires_grad:
        raise Mistake("the pastiche is compared with itself: the loss takes network(photos) first, photos second.")
    return (pastiche - photos).square().mean() + 0.3 * pastiche.square().mean()


class _Case:
    """A small network, its optimiser, and photos; the same each time."""

    def __init__(self) -> None:
        with seeded(1):
            self.network = nn.Conv2d(3, 3, 3, padding=1)
            self.photos = [torch.rand(2, 3, 6, 6) for _ in range(2)]
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=_RATE)

    def weights(self) -> Tensor:
        return torch.cat([p.detach().flatten() for p in self.network.parameters()])


def _after(steps: int, way: str = "") -> Tensor:
    """The weights after so many steps by hand, w − λ ∂L/∂w; or in a wrong `way`."""
    case = _Case()
    parameters = list(case.network.parameters())
    sums = [torch.zeros_like(p) for p in parameters]
    for photos in [case.photos[step] for step in range(steps) for _ in range(2 if way == "twice" else 1)]:
        pastiche = case.network(photos)
        loss = _asymmetric(photos, pastiche) if way == "swapped" else _asymmetric(pastiche, photos)
        slopes = torch.autograd.grad(loss, parameters)
        sums = [total + slope if way == "added up" else slope for total, slope in zip(sums, slopes, strict=True)]
        with torch.no_grad():
            for parameter, slope in zip(parameters, sums, strict=True):
                parameter -= _RATE * slope * (-1 if way == "up" else 1)
    return case.weights()


@check
def training_step(answer: Callable[..., float]) -> str:
    """One step of an optimiser on loss(f_W(photos), photos): W moves, the photos do not."""
    case, photos = _Case(), _Case().photos
    right = _asymmetric(case.network(photos[0]), photos[0]).item()

    def step(number: int) -> Any:
        yours = run(answer, network=case.network, optimizer=case.optimizer, loss=_asymmetric, photos=photos[number])
        wrong = [
            (_after(0), "no weight has moved: backward(), then optimizer.step(), and no zero_grad() between the two."),
            (_after(number + 1, "added up"), "the second step adds the gradient of the first: call "
             "optimizer.zero_grad() in every step."),
            (_after(number + 1, "swapped"), "the pastiche comes first in the loss, and the photos second."),
            (_after(number + 1, "twice"), "this makes two steps; one is asked for."),
            (_after(number + 1, "up"), "this climbs: the weights go against the gradient."),
        ]  # fmt: skip
        otherwise = "the weights differ from w − λ ∂L/∂w: make the pastiche, its loss, zero_grad, backward, step."
        must_match(case.weights(), _after(number + 1), wrong, otherwise, tolerance=1e-5)
        return yours

    yours = step(0)
    if isinstance(yours, Tensor) and yours.requires_grad:
        raise Mistake("what you return keeps its graph, and a list of them fills the memory; return loss.item().")
    later = _asymmetric(case.network(photos[0]), photos[0]).item()
    yours = number(yours, "the loss that you return")
    wrong = [(later, "this is the loss after the step; return the one that you went downhill on.")]
    must_match(yours, right, wrong, f"return the loss as a number, {right:.4f} here; yours is {yours:.4f}.")
    step(1)
    return "right: forward, losses, gradients, one small step of all weights. Training repeats it some thousand times."
