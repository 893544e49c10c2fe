"""The checks of lesson 02: right answers pass, untouched ones are "not solved yet", and mistakes are called by name."""

import numpy as np
import torch
from gate import gate

from stylelearn.checks import gatys
from stylelearn.encoders import STYLE_LAYERS


def gram(f):
    """What exercise 2 asks for, in another way."""
    return torch.einsum("bchw,bdhw->bcd", f, f)


def mixed(f):
    flat = f.transpose(0, 1).flatten(1)  # (C, B·H·W), as code that was written for one picture does
    return flat @ flat.T


def all_pairs(f):
    flat = f.flatten(0, 1).flatten(1)  # (B·C, H·W)
    return flat @ flat.T


def positions(f):
    flat = f.flatten(2)
    return flat.transpose(1, 2) @ flat


def torn(f):
    flat = f.reshape(f.shape[0], -1, f.shape[1])
    return flat.transpose(1, 2) @ flat


def mean_gram(f):
    return gram(f) / (f.shape[2] * f.shape[3])


def style_loss(f, s, *, divisor=4.0, power=2):
    return (mean_gram(f) - mean_gram(s)).square().sum() / (divisor * f.shape[1] ** power)


def one_divisor(f, s, size):
    return (gram(f) - gram(s)).square().sum() / (size * f.shape[1]) ** 2 / 4


def divided_by_channels(f, s):
    n = f.shape[1]
    return (mean_gram(f) / n - mean_gram(s) / n).square().sum()


def step(x, content, style, alpha, beta, rate, *, sign=-1.0, after=lambda gradient: gradient):
    x = x.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(alpha * content(x) + beta * style(x), x)
    return x.detach() + sign * rate * after(gradient)


def keeps_the_graph(x, content, style, alpha, beta, rate):
    x = x.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(alpha * content(x) + beta * style(x), x)
    return x - rate * gradient


def piles_up(x, content, style, alpha, beta, rate):
    x.requires_grad_()
    (alpha * content(x) + beta * style(x)).backward()
    return (x - rate * x.grad).detach()


def weighted(**weights):
    return {layer: float(weights.get(layer, 0)) for layer in STYLE_LAYERS}


MISTAKES = [
    # content_gradient: the gate, the sign, factors
    (gatys.content_gradient, lambda f, p: f - p, "the ReLU is missing"),
    (gatys.content_gradient, lambda f, p: (p - f) * (f > 0), "the sign is wrong"),
    (gatys.content_gradient, lambda f, p: p - f, "the sign is wrong (F − P, not P − F)"),
    (gatys.content_gradient, lambda f, p: (f - p) * (p > 0), "the gate is that of the picture being made"),
    (gatys.content_gradient, lambda f, p: (f - p).relu(), "keep F − P where F itself is positive"),
    (gatys.content_gradient, lambda f, p: 2 * (f - p) * (f > 0), "twice too much"),
    (gatys.content_gradient, lambda f, p: (f - p) * (f > 0) / 2, "half of it"),
    (gatys.content_gradient, lambda f, p: (f - p) * (f > 0) / f.numel(), "a sum, not a mean"),
    (gatys.content_gradient, lambda f, p: (f - p).square() * (f > 0) / 2, "the gradient is its slope"),
    (gatys.content_gradient, lambda f, p: (f - p).abs() * (f > 0), "no absolute value"),
    (gatys.content_gradient, lambda f, p: f, "P is missing"),
    (gatys.content_gradient, lambda f, p: 2 * (f - p), "no factor is left"),
    (gatys.content_gradient, lambda f, p: (f - p) / 2, "no factor is left"),
    (gatys.content_gradient, lambda f, p: (f - p) * f, "multiply by the gate"),
    (gatys.content_gradient, lambda f, p: (f - p) * (f > 0) * (p > 0), "P does not close the gate"),
    # gram_matrix: a mixed batch, the wrong axis, divisors
    (gatys.gram_matrix, mixed, "the images of the batch are mixed"),
    (gatys.gram_matrix, all_pairs, "the images of the batch are mixed"),
    (gatys.gram_matrix, lambda f: mixed(f).expand(2, 3, 3), "the images of the batch are mixed"),
    (gatys.gram_matrix, lambda f: mixed(f).expand(2, 3, 3) / 2, "the mean over all images"),
    (gatys.gram_matrix, lambda f: gram(f)[0], "only the first image"),
    (gatys.gram_matrix, lambda f: gram(f)[:1], "only the first image"),
    (gatys.gram_matrix, positions, "positions with positions"),
    (gatys.gram_matrix, lambda f: positions(f)[0], "positions with positions"),
    (gatys.gram_matrix, torn, "tears the channels apart"),
    (gatys.gram_matrix, mean_gram, "divided by the number of positions"),
    (gatys.gram_matrix, lambda f: mean_gram(f) / f.shape[1], "divided by C·H·W"),
    (gatys.gram_matrix, lambda f: gram(f) / f.shape[1], "number of channels"),
    (gatys.gram_matrix, lambda f: gram(f).flip(0), "changed places"),
    (gatys.gram_matrix, lambda f: f.flatten(1) @ f.flatten(1).T, "you compare the images of the batch"),
    (gatys.gram_matrix, lambda f: f @ f.mT, "you multiply rows of the picture"),
    (gatys.gram_matrix, lambda f: f.flatten(2) @ f.flatten(2), ".mT swaps the last two"),
    (gatys.gram_matrix, lambda f: f.square().sum((2, 3)), "with itself only"),
    (gatys.gram_matrix, lambda f: f.flatten(2) * f.flatten(2), "with itself only"),
    (gatys.gram_matrix, lambda f: gram(f) / f.shape[2], "one side only"),
    (gatys.gram_matrix, lambda f: torch.stack([one.flatten(1).cov() for one in f]), "covariance"),
    (gatys.gram_matrix, lambda f: gram(f - f.mean((2, 3), keepdim=True)), "covariance"),
    (gatys.gram_matrix, lambda f: gram(torch.nn.functional.normalize(f.flatten(2), dim=2)[..., None]), "two norms"),
    (gatys.gram_matrix, lambda f: gram(f**2), "squared first"),
    (gatys.gram_matrix, lambda f: gram(f) ** 2, "the entries are squared"),
    (gatys.gram_matrix, lambda f: gram(f) * torch.eye(f.shape[1]), "only the diagonal"),
    (gatys.gram_matrix, lambda f: gram(f).triu(), "only half"),
    (gatys.gram_matrix, lambda f: torch.stack([gram(f[:1])[0], gram(f[1:2])[0]]), "stopped with"),
    # style_loss: the divisors, the two sizes
    (gatys.style_loss, lambda f, s: (gram(f) - gram(s)).square().sum(), "no divisor at all"),
    (gatys.style_loss, lambda f, s: (gram(f) - gram(s)).square().mean(), "before the difference"),
    (gatys.style_loss, lambda f, s: one_divisor(f, s, 20) / 9, "divided by N² twice"),
    (gatys.style_loss, lambda f, s: (gram(f) - gram(s)).square().sum() / 36, "by its own number of positions"),
    (gatys.style_loss, lambda f, s: one_divisor(f, s, 20), "style's Gram matrix is divided by the image's M"),
    (gatys.style_loss, lambda f, s: one_divisor(f, s, 42), "image's Gram matrix is divided by the style's M"),
    (gatys.style_loss, lambda f, s: style_loss(f, s) / 20**2, "divided by the positions twice"),
    (gatys.style_loss, lambda f, s: divided_by_channels(f, s), "the 4 "),
    (gatys.style_loss, lambda f, s: divided_by_channels(f, s) / 36, "divided by the channels too"),
    (gatys.style_loss, lambda f, s: style_loss(f, s, power=0), "the N² of 1/(4 N²) is missing"),
    (gatys.style_loss, lambda f, s: style_loss(f, s, power=1), "N must be squared"),
    (gatys.style_loss, lambda f, s: style_loss(f, s, divisor=1, power=0), "the divisor 4 N² is missing"),
    (gatys.style_loss, lambda f, s: style_loss(f, s, divisor=2), "a 2 where"),
    (gatys.style_loss, lambda f, s: style_loss(f, s).sqrt(), "there is a root"),
    (gatys.style_loss, lambda f, s: (mean_gram(f) - mean_gram(s)).sum().square() / 36, "square each entry first"),
    (gatys.style_loss, lambda f, s: (mean_gram(f) - mean_gram(s)).abs().sum() / 36, "absolute values"),
    (gatys.style_loss, lambda f, s: (mean_gram(f) + mean_gram(s)).square().sum() / 36, "there is a plus"),
    (gatys.style_loss, lambda f, s: mean_gram(f).square().sum() / 36, "the style is missing"),
    (gatys.style_loss, lambda f, s: style_loss(f, s).detach(), "no gradient can flow back"),
    # descent_step: sign, weights, what is left behind
    (gatys.descent_step, lambda *a: step(*a, sign=1.0), "this climbs"),
    (gatys.descent_step, lambda x, c, s, a, b, r: step(x, s, c, a, b, r), "content and style are swapped"),
    (gatys.descent_step, lambda x, c, s, a, b, r: step(x, c, s, 1, 1, r), "α and β are not used"),
    (gatys.descent_step, lambda x, c, s, a, b, r: step(x, c, s, a, 0, r), "the style loss is missing"),
    (gatys.descent_step, lambda x, c, s, a, b, r: step(x, c, s, 0, b, r), "the content loss is missing"),
    (gatys.descent_step, lambda x, c, s, a, b, r: step(x, c, s, 1, b, r), "α is not used"),
    (gatys.descent_step, lambda x, c, s, a, b, r: step(x, c, s, a, 1, r), "β is not used"),
    (gatys.descent_step, lambda x, c, s, a, b, r: step(x, c, s, a, b, 1), "the step size λ is missing"),
    (gatys.descent_step, lambda x, c, s, a, b, r: x - step(x, c, s, a, b, r), "the next picture is x minus it"),
    (gatys.descent_step, lambda x, c, s, a, b, r: step(x, c, s, a, b, r) - x, "the next picture is x plus it"),
    (gatys.descent_step, lambda *a: step(*a, after=torch.sign), "only the sign"),
    (gatys.descent_step, lambda *a: step(*a, after=lambda g: g / g.norm()), "divided by its length"),
    (gatys.descent_step, lambda *a: step(*a, after=lambda g: g / g.numel()), "divided by the number of values"),
    (gatys.descent_step, lambda *a: step(*a, sign=-2.0), "twice too long"),
    (gatys.descent_step, lambda *a: a[0] - step(*a[:5], 1), "this is the gradient"),
    (gatys.descent_step, lambda *a: step(*a, after=lambda gradient: (gradient,)), "gives a tuple"),
    (gatys.descent_step, lambda x, c, s, *a: torch.autograd.grad(c(x) + s(x), x)[0], "does not ask for gradients"),
    (gatys.descent_step, lambda x, *others: x, "nothing has moved"),
    (gatys.descent_step, keeps_the_graph, "keeps the graph of this one"),
    (gatys.descent_step, lambda *a: keeps_the_graph(*a).detach().requires_grad_(), "still asks for gradients"),
    (gatys.descent_step, piles_up, "backward() adds to it"),
    # grain_only: no dict, wrong names, the deep layers left in, the wrong way round
    (gatys.grain_only, [1, 1, 0, 0, 0], "give a dict"),
    (gatys.grain_only, {"relu6_1": 1.0}, "no style layer 'relu6_1'"),
    (gatys.grain_only, {"relu1_1": -1.0}, "from 0 up"),
    (gatys.grain_only, {"relu1_1": "much"}, "the weight of relu1_1 should be one number"),
    (gatys.grain_only, weighted(), "all weights are 0"),
    (gatys.grain_only, weighted(**dict.fromkeys(STYLE_LAYERS, 0.2)), "with equal weights"),
    (gatys.grain_only, weighted(relu5_1=1), "the other way round"),
    (gatys.grain_only, weighted(relu4_1=1, relu5_1=1), "the other way round"),
    (gatys.grain_only, weighted(relu1_1=1, relu5_1=1), "a layer that sees large shapes takes part"),
]
OTHER_WAYS = [
    (gatys.content_gradient, lambda f, p: torch.where(f > 0, f - p, torch.zeros_like(f))),
    (gatys.content_gradient, lambda f, p: (f - p) * f.sign()),
    (gatys.gram_matrix, gram),
    (gatys.gram_matrix, lambda f: torch.stack([one.flatten(1) @ one.flatten(1).T for one in f])),
    (gatys.style_loss, style_loss),
    (gatys.style_loss, lambda f, s: (mean_gram(f) - mean_gram(s)).square().mean() / 4),
    (gatys.descent_step, step),
    (gatys.grain_only, {"relu1_1": 1}),
    (gatys.grain_only, {"relu1_1": np.float32(1), "relu2_1": torch.tensor(0.5)}),
    (gatys.grain_only, weighted(relu2_1=0.5, relu1_1=0.5)),
]

TestGate = gate("02_gatys", mistakes=MISTAKES, other_ways=OTHER_WAYS)


def test_shuffling_keeps_the_pixels_and_blurring_keeps_the_mean():
    image = torch.rand(2, 3, 32, 48)
    tiles = gatys.shuffled(image)
    assert not torch.equal(tiles, image)
    for mine, theirs in zip(tiles, image, strict=True):
        assert torch.equal(mine.flatten().sort().values, theirs.flatten().sort().values)
    cut = {
        tuple(tile.flatten().tolist())
        for tile in image.unfold(2, 16, 16).unfold(3, 16, 16).permute(0, 2, 3, 1, 4, 5).flatten(0, 2)
    }
    assert tuple(tiles[0, :, :16, :16].flatten().tolist()) in cut
    soft = gatys.blurred(image)
    assert soft.shape == image.shape
    assert torch.allclose(soft.mean((2, 3)), image.mean((2, 3)), atol=0.01)
    assert gatys.blurred(torch.full((1, 3, 8, 8), 0.25)).allclose(torch.tensor(0.25))
