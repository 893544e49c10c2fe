"""The checks of lesson 08: right answers pass, untouched ones are "not solved yet", and mistakes are called by name."""

import torch
from gate import gate

from stylelearn.checks import adjustable


def weighted(each, alphas):
    return (alphas * each).sum(dim=1).mean()


def split(alphas, mlp):
    return mlp(alphas)[:, :, None, None].chunk(2, dim=1)


def norm(x, alphas, mlp, epsilon=1e-6):
    gamma, beta = split(alphas, mlp)
    variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
    return gamma * (x - mean) / (variance + epsilon).sqrt() + beta


def factors(averages, losses, decay):
    averages = decay * averages + (1 - decay) * losses.detach()
    return averages, averages.sum() / averages


def factors_by_lerp(averages, losses, decay):
    with torch.no_grad():
        new = averages.lerp(losses, 1 - decay)
        return [new, new.sum() / new]


def diversity(features):
    flat = features.flatten(1)
    return torch.pdist(flat).mean() / flat.norm(dim=1).mean()


def parts(f):
    """A mistake in the norm, made of x, x − μ, σ, γ and β."""

    def answer(x, alphas, mlp):
        variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
        return f(x, x - mean, (variance + 1e-6).sqrt(), *split(alphas, mlp))

    return answer


def woven(x, alphas, mlp):
    both = mlp(alphas)
    return norm(x, alphas, lambda _: torch.cat([both[:, 0::2], both[:, 1::2]], dim=1))


def pair_by_pair(x):
    pairs = [(x[i], x[j]) for i in range(len(x)) for j in range(i)]
    return sum(2 * (a - b).norm() / (a.norm() + b.norm()) for a, b in pairs) / len(pairs)


def averaged(f):
    """A mistake in the factors, made of the new averages, the losses and the old averages; the averages are right."""

    def answer(averages, losses, decay):
        new = decay * averages + (1 - decay) * losses.detach()
        return new, f(new, losses.detach(), averages)

    return answer


def new_averages(f):
    return lambda averages, losses, decay: (f(averages, losses.detach(), decay), averages)


def flat(f):
    return lambda features: f(features.flatten(1))


def size(x):
    return x.norm(dim=1).mean()


def mean_square(x):
    return torch.pdist(x).square().mean()


def all_pairs(x):
    return torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")


OTHER_WAYS = [
    (adjustable.weighted, weighted),
    (adjustable.adjusted_norm, norm),
    (adjustable.factors, factors),
    (adjustable.factors, factors_by_lerp),
    (adjustable.diversity, diversity),
]
MISTAKES = [
    (adjustable.weighted, lambda e, a: (a.mean(0) * e.mean(0)).sum(), "Multiply first, then average"),
    (adjustable.weighted, lambda e, a: (a * e).sum(), "the sum over the pictures too"),
    (adjustable.weighted, lambda e, a: (a * e).mean(), "the mean over the layers as well"),
    (adjustable.weighted, lambda e, a: (a * e).sum(0).mean(), "the other way round"),
    (adjustable.weighted, lambda e, a: e.sum(1).mean(), "α is not used"),
    (adjustable.weighted, lambda e, a: (a[0] * e).sum(1).mean(), "the first picture's α"),
    (adjustable.weighted, lambda e, a: ((a * e).sum(1) / a.sum(1)).mean(), "divided by the sum of the α"),
    (adjustable.weighted, lambda e, a: (a + e).sum(1).mean(), "α is added"),
    (adjustable.weighted, lambda e, a: ((1 - a) * e).sum(1).mean(), "1 − α in place of α"),
    (adjustable.weighted, lambda e, a: (a * e).sum() / a.sum(), "divided by the sum of the α"),
    (adjustable.weighted, lambda e, a: (a.mean(1) * e.sum(1)).mean(), "the α of a picture are averaged"),
    (adjustable.weighted, lambda e, a: (a @ e.T).sum(), "as in a matrix product"),
    (adjustable.weighted, lambda e, a: (a @ e.T).sum(1).mean(), "as in a matrix product"),
    (adjustable.weighted, lambda e, a: (a.sum(1) * e.sum(1)).mean(), "as in a matrix product"),
    (adjustable.weighted, lambda e, a: a[0] @ e[0], "only the first picture counts"),
    (adjustable.weighted, lambda e, a: a[-1] @ e[-1], "only the last picture counts"),
    (adjustable.weighted, lambda e, a: (e / a).sum(1).mean(), "α divides"),
    (adjustable.weighted, lambda e, a: (a * e).sum() / 3, "not for two and three"),
    (adjustable.weighted, lambda e, a: weighted(e, a).detach(), "no gradient can flow back"),
    (adjustable.adjusted_norm, parts(lambda x, c, s, g, b: g[:1] * c / s + b[:1]), "the first picture's γ and β"),
    (adjustable.adjusted_norm, lambda x, a, m: norm(x, a.mean(0, keepdim=True), m), "of the mean α"),
    (adjustable.adjusted_norm, parts(lambda x, c, s, g, b: g * c / s - b), "β is subtracted"),
    (adjustable.adjusted_norm, parts(lambda x, c, s, g, b: c / s / g + b), "γ divides"),
    (adjustable.adjusted_norm, woven, "do not take turns"),
    (adjustable.adjusted_norm, parts(lambda x, c, s, g, b: (1 + g) * c / s + b), "1 + γ in place of γ"),
    (adjustable.adjusted_norm, lambda x, a, m: norm(x, a, m, epsilon=0), "Put a small ε under the root"),
    (adjustable.weighted, lambda e, a: (a.softmax(1) * e).sum(1).mean(), "without a softmax"),
    (adjustable.weighted, lambda e, a: (a**2 * e).sum(1).mean(), "α is squared"),
    (adjustable.adjusted_norm, lambda x, a, m: norm(x, a, m) if x.shape[1] == 3 else x, "with four"),
    (adjustable.factors, averaged(lambda n, y, o: n[:3].sum() / n), "not for four"),
    (adjustable.factors, new_averages(lambda a, y, d: (1 - d) * a + d * y), "at the wrong place"),
    (adjustable.factors, new_averages(lambda a, y, d: y), "an average has a memory"),
    (adjustable.factors, new_averages(lambda a, y, d: a), "have not moved"),
    (adjustable.factors, new_averages(lambda a, y, d: d * a + y), "1 − decay is missing"),
    (adjustable.factors, new_averages(lambda a, y, d: (a + y) / 2), "the decay is not used"),
    (adjustable.factors, new_averages(lambda a, y, d: a + y), "only added"),
    (adjustable.factors, new_averages(lambda a, y, d: a + (1 - d) * y), "decay is missing"),
    (adjustable.factors, new_averages(lambda a, y, d: 0.99 * a + 0.01 * y), "use the argument"),
    (adjustable.factors, lambda a, y, d: factors(a, y, d)[::-1], "have changed places"),
    (adjustable.factors, averaged(lambda n, y, o: n.sum() / n * y), "times its factor already"),
    (adjustable.factors, averaged(lambda n, y, o: n.sum() / n**2), "once, not twice"),
    (adjustable.factors, new_averages(lambda a, y, d: a * 0), "the averages differ"),
    (adjustable.factors, averaged(lambda n, y, o: n / n.sum()), "upside down"),
    (adjustable.factors, averaged(lambda n, y, o: 1 / n), "the sum Σ_i L̄^i is missing"),
    (adjustable.factors, averaged(lambda n, y, o: n.mean() / n), "the mean in place of the sum"),
    (adjustable.factors, averaged(lambda n, y, o: n.max() / n), "the largest in place of the sum"),
    (adjustable.factors, averaged(lambda n, y, o: y.sum() / y), "made of this step's losses"),
    (adjustable.factors, averaged(lambda n, y, o: o.sum() / o), "made of the old averages"),
    (adjustable.factors, averaged(lambda n, y, o: y.sum() / n), "the sum is of this step's losses"),
    (adjustable.factors, averaged(lambda n, y, o: n * 0), "the factors differ"),
    (adjustable.factors, lambda a, y, d: d * a + (1 - d) * y.detach(), "return two things"),
    (adjustable.factors, lambda a, y, d: (v := d * a + (1 - d) * y, v.sum() / v), "gradients flow through them"),
    (adjustable.diversity, flat(lambda x: all_pairs(x).mean() / size(x)), "compared with itself"),
    (adjustable.diversity, flat(lambda x: torch.pdist(x).mean()), "not divided by the mean of ‖F_i‖"),
    (adjustable.diversity, flat(lambda x: torch.pdist(x).sum() / size(x)), "the sum over the pairs"),
    (adjustable.diversity, flat(lambda x: mean_square(x) / size(x)), "these are squares"),
    (adjustable.diversity, flat(lambda x: mean_square(x) / (x**2).sum(1).mean()), "these are squares"),
    (adjustable.diversity, flat(lambda x: mean_square(x) / x.shape[1] / size(x)), "these are squares"),
    (adjustable.diversity, flat(lambda x: (mean_square(x) / (x**2).sum(1).mean()).sqrt()), "of the means"),
    (adjustable.diversity, flat(lambda x: torch.pdist(x).sum() / 10 / size(x)), "compared with itself"),
    (adjustable.diversity, flat(lambda x: 2 * torch.pdist(x).mean() / size(x)), "each pair counts twice"),
    (adjustable.diversity, flat(lambda x: all_pairs(x).sum() / size(x)), "counts twice, and this is a sum"),
    (adjustable.diversity, flat(lambda x: torch.pdist(x).sum() / len(x) / size(x)), "number of pairs"),
    (adjustable.diversity, flat(lambda x: all_pairs(x).triu().mean() / size(x)), "number of pairs"),
    (adjustable.diversity, flat(lambda x: torch.pdist(x).mean() / x.norm(dim=1).sum()), "not by the sum"),
    (adjustable.diversity, flat(lambda x: torch.pdist(x).mean() / x.norm()), "the norm is taken of something else"),
    (adjustable.diversity, flat(lambda x: torch.pdist(x).mean() / x.norm(dim=0).mean()), "something else"),
    (adjustable.diversity, flat(lambda x: torch.pdist(x).mean() / x.mean(0).norm()), "something else"),
    (adjustable.diversity, flat(lambda x: size(x) / torch.pdist(x).mean()), "upside down"),
    (adjustable.diversity, flat(pair_by_pair), "of its own two pictures"),
    (adjustable.diversity, flat(lambda x: torch.pdist(x).max() / size(x)), "the largest distance"),
    (adjustable.diversity, flat(lambda x: (x[1:] - x[:-1]).norm(dim=1).mean() / size(x)), "neighbours"),
    (adjustable.diversity, flat(lambda x: (x - x.mean(0)).norm(dim=1).mean() / size(x)), "from the mean"),
    (adjustable.diversity, flat(lambda x: torch.pdist(x, p=1).mean() / x.shape[1] / x.abs().mean()), "absolute values"),
    (adjustable.diversity, flat(lambda x: (x[1:] - x[0]).norm(dim=1).mean() / size(x)), "with the first"),
    (adjustable.diversity, lambda f: diversity(f) if len(f) != 2 else torch.tensor(1.0), "not for two"),
    (adjustable.diversity, lambda f: diversity(f) + 1e-5, "three equal pictures should give 0"),
]

TestGate = gate("08_adjustable", mistakes=MISTAKES, other_ways=OTHER_WAYS, numbers=[adjustable.diversity])
