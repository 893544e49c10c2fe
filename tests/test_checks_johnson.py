"""The checks of lesson 03: right answers pass, untouched ones are "not solved yet", and mistakes are called by name."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from gate import gate

from stylelearn.checks import johnson


def field(layers):
    """What exercise 1 asks for, as others write it."""
    return 1 + sum((k - 1) * math.prod(s for _, s in layers[:i]) for i, (k, _) in enumerate(layers))


def counted(count, kernel, stride):
    return F.conv_transpose1d(torch.ones(1, 1, count), torch.ones(1, 1, kernel), stride=stride)[0, 0]


def normed(x, gamma, beta, epsilon, *, dims=(2, 3), correction=0, root=True):
    mean, variance = x.mean(dims, keepdim=True), x.var(dims, correction=correction, keepdim=True)
    below = (variance + epsilon).sqrt() if root else variance.sqrt() + epsilon
    return gamma.view(1, -1, 1, 1) * (x - mean) / below + beta.view(1, -1, 1, 1)


def plain(x, epsilon):
    return (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), correction=0, keepdim=True) + epsilon).sqrt()


def wide(values):
    return values.view(1, -1, 1, 1)


def only_this_epsilon(x, gamma, beta, epsilon):
    return normed(x, gamma, beta, 0.1)


def in_order(words, result=torch.Tensor.item):
    """One training step whose calls follow each other in this order."""

    def answer(network, optimizer, loss, photos):
        total = loss(network(photos), photos)
        calls = {"zero": optimizer.zero_grad, "backward": total.backward, "step": optimizer.step}
        for word in words.split():
            calls[word]()
        return result(total)

    return answer


train = in_order("zero backward step")


def swaps(network, optimizer, loss, photos):
    return train(network, optimizer, lambda pastiche, photos: loss(photos, pastiche), photos)


def climbs(network, optimizer, loss, photos):
    train(network, optimizer, lambda *pictures: -loss(*pictures), photos)
    return 0.0


def twice(network, optimizer, loss, photos):
    train(network, optimizer, loss, photos)
    return train(network, optimizer, loss, photos)


def tells_the_later_loss(network, optimizer, loss, photos):
    train(network, optimizer, loss, photos)
    return loss(network(photos), photos).item()


def tells_something_else(network, optimizer, loss, photos):
    return 2 * train(network, optimizer, loss, photos)


def moves_at_random(network, optimizer, loss, photos):
    for parameter in network.parameters():
        parameter.data += 0.1
    return 0.0


MISTAKES = [
    # receptive_field: strides, order, what a layer adds
    (johnson.receptive_field, lambda layers: 1 + sum(k - 1 for k, _ in layers), "the strides are not used"),
    (
        johnson.receptive_field,
        lambda layers: 1 + sum((k - 1) * math.prod(s for _, s in layers[: i + 1]) for i, (k, _) in enumerate(layers)),
        "a layer's own stride is counted",
    ),
    (johnson.receptive_field, lambda layers: field(layers) - 1, "one is missing"),
    (
        johnson.receptive_field,
        lambda layers: sum(k * math.prod(s for _, s in layers[:i]) for i, (k, _) in enumerate(layers)),
        "not k: one of the k",
    ),
    (johnson.receptive_field, lambda layers: math.prod(k for k, _ in layers), "kernels do not multiply"),
    (johnson.receptive_field, lambda layers: field(layers[::-1]), "in the wrong order"),
    (johnson.receptive_field, lambda layers: 1 + sum((k - 1) * s for k, s in layers), "only the layer's own stride"),
    (johnson.receptive_field, lambda layers: sum(k for k, _ in layers), "these are the kernels, added up"),
    (johnson.receptive_field, lambda layers: field(layers) ** 2, "this is the area"),
    (johnson.receptive_field, lambda layers: 7, "it should be 47, yours is 7"),
    (johnson.receptive_field, lambda layers: [field(layers)], "should be one number; yours is [47]"),
    # overlaps: the length, counting, what is added
    (johnson.overlaps, lambda n, k, s: counted(n, k, s)[: n * s], "that many only after padding"),
    (johnson.overlaps, lambda n, k, s: torch.ones(n), "the number of inputs"),
    (johnson.overlaps, lambda n, k, s: counted(n, k, 1), "the stride is not used"),
    (johnson.overlaps, lambda n, k, s: torch.zeros(n * s + k), "one stride too many"),
    (johnson.overlaps, lambda n, k, s: torch.zeros((n - 1) * s), "the last kernel is cut off"),
    (johnson.overlaps, lambda n, k, s: torch.zeros((n - k) // s + 1), "an ordinary convolution"),
    (johnson.overlaps, lambda n, k, s: (counted(n, k, s) > 0).float(), "count how often"),
    (johnson.overlaps, lambda n, k, s: counted(n, k, k)[: (n - 1) * s + k], "not at i · kernel"),
    (johnson.overlaps, lambda n, k, s: counted(n, k, s) / counted(n, k, s).max(), "divided by the largest"),
    (johnson.overlaps, lambda n, k, s: counted(n, k, s) * k, "adds 1 to a place, not the kernel's size"),
    (johnson.overlaps, lambda n, k, s: counted(n, k, s) + 1, "one too many"),
    (johnson.overlaps, lambda n, k, s: counted(n, k, s) - 1, "one too few"),
    (johnson.overlaps, lambda n, k, s: counted(n, k, s).roll(1), "input i reaches"),
    (johnson.overlaps, lambda n, k, s: counted(n, k, s).square(), "add up to"),
    (johnson.overlaps, lambda n, k, s: counted(n, k, s)[None], "a row of numbers"),
    (johnson.overlaps, lambda n, k, s: 3, "a row of numbers"),
    # instance_norm: dimensions, the variance, ε, γ and β
    (johnson.instance_norm, lambda *a: normed(*a, dims=(0, 2, 3)), "as in batch norm"),
    (johnson.instance_norm, lambda *a: normed(*a, dims=(1, 2, 3)), "as in layer norm"),
    (johnson.instance_norm, lambda *a: normed(*a, dims=(0, 1, 2, 3)), "one μ and σ for everything"),
    (johnson.instance_norm, lambda *a: normed(*a, dims=(1,)), "over the channels of each place"),
    (johnson.instance_norm, lambda *a: normed(*a, dims=(2,)), "only over rows or only over columns"),
    (johnson.instance_norm, lambda *a: normed(*a, dims=(3,)), "only over rows or only over columns"),
    (johnson.instance_norm, lambda *a: normed(*a, correction=1), "H·W − 1"),
    (johnson.instance_norm, lambda *a: normed(*a, root=False), "ε belongs inside the root"),
    (johnson.instance_norm, lambda *a: normed(*a, root=False, correction=1), "ε belongs inside the root, and"),
    (johnson.instance_norm, lambda x, g, b, e: normed(x, g, b, 0.0), "ε is missing"),
    (johnson.instance_norm, lambda x, g, b, e: normed(x, g, b, 1e-5), "a number of your own"),
    (
        johnson.instance_norm,
        lambda x, g, b, e: wide(g) * plain(x, e) / (x.var((2, 3), correction=0, keepdim=True) + e).sqrt() + wide(b),
        "divide by the variance",
    ),
    (johnson.instance_norm, lambda x, g, b, e: plain(x, e), "instance normalisation alone"),
    (johnson.instance_norm, lambda x, g, b, e: wide(g) * plain(x, e), "β is missing"),
    (johnson.instance_norm, lambda x, g, b, e: plain(x, e) + wide(b), "γ is missing"),
    (johnson.instance_norm, lambda x, g, b, e: normed(x, b, g, e), "γ and β have changed places"),
    (johnson.instance_norm, lambda x, g, b, e: wide(g) * (plain(x, e) + wide(b)), "add it last"),
    (
        johnson.instance_norm,
        lambda x, g, b, e: wide(g) * x / (x.var((2, 3), correction=0, keepdim=True) + e).sqrt() + wide(b),
        "μ is not taken off",
    ),
    (
        johnson.instance_norm,
        lambda x, g, b, e: wide(g) * (x - x.mean((2, 3), keepdim=True)) + wide(b),
        "the division by σ is missing",
    ),
    (johnson.instance_norm, only_this_epsilon, "one shape or one ε"),
    # training_step: what is forgotten, and what goes the wrong way
    (johnson.training_step, in_order("backward step"), "call optimizer.zero_grad() in every step"),
    (johnson.training_step, in_order("backward zero step"), "no weight has moved"),
    (johnson.training_step, in_order("zero backward"), "no weight has moved"),
    (johnson.training_step, swaps, "the pastiche comes first"),
    (johnson.training_step, climbs, "this climbs"),
    (johnson.training_step, twice, "this makes two steps"),
    (johnson.training_step, moves_at_random, "the weights differ"),
    (johnson.training_step, in_order("zero backward step", result=torch.Tensor.clone), "return loss.item()"),
    (johnson.training_step, tells_the_later_loss, "the loss after the step"),
    (johnson.training_step, tells_something_else, "return the loss as a number"),
]
OTHER_WAYS = [
    (johnson.receptive_field, field),
    (johnson.receptive_field, lambda layers: np.int64(field(layers))),
    (johnson.receptive_field, lambda layers: np.array(field(layers))),
    (johnson.receptive_field, lambda layers: torch.tensor(field(layers))),
    (johnson.overlaps, counted),
    (johnson.overlaps, lambda n, k, s: counted(n, k, s).numpy()),
    (johnson.overlaps, lambda n, k, s: list(counted(n, k, s))),
    (johnson.overlaps, lambda n, k, s: counted(n, k, s).int().tolist()),
    (johnson.instance_norm, normed),
    (johnson.instance_norm, lambda x, g, b, e: F.instance_norm(x, weight=g, bias=b, eps=e)),
    (johnson.training_step, train),
]

TestGate = gate("03_johnson", mistakes=MISTAKES, other_ways=OTHER_WAYS)


def test_the_receptive_field_is_what_a_change_of_one_pixel_reaches():
    """Convolutions of ones in one dimension: how many inputs have a part in the middle output."""
    for layers in johnson._STACKS:
        x = torch.zeros(1, 1, 400, requires_grad=True)
        y = x
        for kernel, stride in layers:
            y = F.conv1d(y, torch.ones(1, 1, kernel), stride=stride)
        y[0, 0, y.shape[2] // 2].backward()
        assert int((x.grad > 0).sum()) == johnson._seen(layers)
