"""The checks of lesson 03: right answers pass, untouched ones are "not solved yet", and mistakes are called by name."""

import math

import torch
import torch.nn.functional as F
from gate import gate

from stylelearn.checks import johnson


def field(layers):
    """What exercise 1 asks for, in another way."""
    return 1 + sum((k - 1) * math.prod(s for _, s in layers[:i]) for i, (k, _) in enumerate(layers))


def jumps(layers, then):
    """The loop of the solution, with another rule for the next step."""
    side, jump = 1, 1
    for kernel, stride in layers:
        side += (kernel - 1) * jump
        jump = then(jump, stride)
    return side


def counted(count, kernel, stride):
    return F.conv_transpose1d(torch.ones(1, 1, count), torch.ones(1, 1, kernel), stride=stride)[0, 0]


def normed(x, gamma, beta, epsilon, *, correction=0, root=True):
    mean, variance = x.mean((2, 3), keepdim=True), x.var((2, 3), correction=correction, keepdim=True)
    below = (variance + epsilon).sqrt() if root else variance.sqrt() + epsilon
    return gamma.view(1, -1, 1, 1) * (x - mean) / below + beta.view(1, -1, 1, 1)


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


def climbs(network, optimizer, loss, photos):
    train(network, optimizer, lambda *pictures: -loss(*pictures), photos)
    return 0.0


def twice(network, optimizer, loss, photos):
    train(network, optimizer, loss, photos)
    return train(network, optimizer, loss, photos)


def tells_the_later_loss(network, optimizer, loss, photos):
    train(network, optimizer, loss, photos)
    return loss(network(photos), photos).item()


def moves_at_random(network, optimizer, loss, photos):
    for parameter in network.parameters():
        parameter.data += 0.1
    return 0.0


FIELD, OVERLAPS, N, T = johnson.receptive_field, johnson.overlaps, johnson.instance_norm, johnson.training_step
MISTAKES = [
    # receptive_field: strides, order, what a layer adds
    (FIELD, lambda layers: 1 + sum(k - 1 for k, _ in layers), "the strides are not used"),
    (
        FIELD,
        lambda layers: 1 + sum((k - 1) * math.prod(s for _, s in layers[: i + 1]) for i, (k, _) in enumerate(layers)),
        "a layer's own stride is counted",
    ),
    (FIELD, lambda layers: field(layers) - 1, "one is missing"),
    (
        FIELD,
        lambda layers: sum(k * math.prod(s for _, s in layers[:i]) for i, (k, _) in enumerate(layers)),
        "not k: one of the k",
    ),
    (FIELD, lambda layers: math.prod(k for k, _ in layers), "kernels do not multiply"),
    (FIELD, lambda layers: field(layers[::-1]), "in the wrong order"),
    (FIELD, lambda layers: 1 + sum((k - 1) * s for k, s in layers), "one stride only"),
    (FIELD, lambda layers: jumps(layers, lambda jump, stride: jump + stride), "they multiply"),
    (FIELD, lambda layers: layers[0][0], "inside the loop"),
    (FIELD, lambda layers: sum(k for k, _ in layers), "these are the kernels, added up"),
    (FIELD, lambda layers: field(layers) ** 2, "this is the area"),
    (FIELD, lambda layers: 7, "it should be 47, yours is 7"),
    (FIELD, lambda layers: [field(layers)], "should be one number; yours is [47]"),
    # overlaps: the length, counting, what is added
    (OVERLAPS, lambda n, k, s: counted(n, k, s)[: n * s], "that many only after padding"),
    (OVERLAPS, lambda n, k, s: torch.ones(n), "the number of inputs"),
    (OVERLAPS, lambda n, k, s: counted(n, k, 1), "the stride is not used"),
    (OVERLAPS, lambda n, k, s: torch.zeros(n * s + k), "one stride too many"),
    (OVERLAPS, lambda n, k, s: torch.zeros((n - 1) * s), "the last kernel is cut off"),
    (OVERLAPS, lambda n, k, s: torch.zeros((n - k) // s + 1), "an ordinary convolution"),
    (OVERLAPS, lambda n, k, s: (counted(n, k, s) > 0).float(), "add up with +="),
    (OVERLAPS, lambda n, k, s: counted(n, k, s) / counted(n, k, s).max(), "divided by the largest"),
    (OVERLAPS, lambda n, k, s: counted(n, k, s) * k, "adds 1 to a place, not the kernel's size"),
    (OVERLAPS, lambda n, k, s: counted(n, k, s) + 1, "one too many"),
    (OVERLAPS, lambda n, k, s: counted(n, k, s) - 1, "one too few"),
    (OVERLAPS, lambda n, k, s: counted(n, k, s).roll(1), "input i reaches"),
    (OVERLAPS, lambda n, k, s: counted(n, k, s).square(), "add up to"),
    (OVERLAPS, lambda n, k, s: F.pad(torch.ones(k), (0, (n - 1) * s)), "inside the loop"),
    (OVERLAPS, lambda n, k, s: 3, "a row of numbers"),
    # instance_norm: ε; the rest is that of all norms
    (N, lambda *a: normed(*a, root=False), "ε belongs inside the root"),
    (N, lambda *a: normed(*a, root=False, correction=1), "ε belongs inside the root, and"),
    (N, lambda x, g, b, e: normed(x, g, b, 0.0), "ε is missing"),
    (N, lambda x, g, b, e: normed(x, g, b, 0.1), "one shape or one ε"),
    # training_step: what is forgotten, and what goes the wrong way
    (T, in_order("backward step"), "adds the gradient of the first"),
    (T, in_order("backward zero step"), "no weight has moved"),
    (T, lambda net, adam, loss, x: train(net, adam, lambda made, x: loss(x, made), x), "the pastiche comes first"),
    (T, lambda net, adam, loss, x: train(lambda x: x, adam, loss, x), "depends on the weights"),
    (T, lambda net, adam, loss, x: train(torch.no_grad()(net), adam, loss, x), "depends on the weights"),
    (T, lambda net, adam, loss, x: train(net, adam, lambda made, x: loss(made, net(x)), x), "compared with itself"),
    (T, climbs, "this climbs"),
    (T, twice, "this makes two steps"),
    (T, moves_at_random, "the weights differ"),
    (T, in_order("zero backward step", result=torch.Tensor.clone), "return loss.item()"),
    (T, tells_the_later_loss, "the loss after the step"),
    (T, lambda *a: 2 * train(*a), "return the loss as a number"),
]
OTHER_WAYS = [
    (FIELD, field),
    (OVERLAPS, counted),
    (N, normed),
    (N, lambda x, g, b, e: F.instance_norm(x, weight=g, bias=b, eps=e)),
    (T, train),
]

TestGate = gate("03_johnson", mistakes=MISTAKES, other_ways=OTHER_WAYS, numbers=[FIELD, OVERLAPS])


def test_the_receptive_field_is_what_a_change_of_one_pixel_reaches():
    """Convolutions of ones in one dimension: how many inputs have a part in the middle output."""
    for layers in johnson._STACKS:
        x = torch.zeros(1, 1, 400, requires_grad=True)
        y = x
        for kernel, stride in layers:
            y = F.conv1d(y, torch.ones(1, 1, kernel), stride=stride)
        y[0, 0, y.shape[2] // 2].backward()
        assert int((x.grad > 0).sum()) == johnson._seen(layers)
