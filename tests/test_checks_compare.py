"""The exercises of lesson 10: solutions pass, starters wait, mistakes are called by name, other right ways pass."""

import math
import statistics

import numpy as np
import torch
from gate import gate
from scipy import stats

from stylelearn.checks import compare


def logs(values):
    return [math.log(value) for value in values]


def slope(x, y):
    return float(np.polyfit(x, y, 1)[0])


def through_zero(p, s):
    x, y = np.log(p), np.log(s)
    return float(x @ y / (x @ x))


def projected(a, b, d):
    return (a @ d.T).sort(dim=0).values - (b @ d.T).sort(dim=0).values


def beats(p, q):
    return all(x <= y for x, y in zip(p, q, strict=True)) and any(x < y for x, y in zip(p, q, strict=True))


def kept(points, beaten):
    return [n for n, mine in points.items() if not any(beaten(other, mine) for other in points.values())]


def around(mean, half):
    return mean - half, mean + half


def with_spread(spread):
    """An interval around the mean, of t times what `spread` makes of the scores."""
    return lambda x, t: around(np.mean(x), t * spread(np.array(x)))


def first_twin(points):
    found = kept(points, beats)
    return [n for i, n in enumerate(found) if points[n] not in [points[m] for m in found[:i]]]


def without_twins(points):
    def beaten(one, other):
        return one != other and all(x <= y for x, y in zip(points[one], points[other], strict=True))

    return [name for name in points if not any(beaten(other, name) for other in points)]


def correlated(rank):
    return lambda x, y: float(np.corrcoef(rank(x), rank(y))[0, 1])


def squares_of(rank):
    return lambda x, y: 1 - 6 * sum((rank(x) - rank(y)) ** 2) / (len(x) ** 3 - len(x))


MISTAKES = [
    (compare.exponent, slope, "logarithm of both"),
    (compare.exponent, lambda p, s: slope(logs(p), s), "the seconds need a logarithm"),
    (compare.exponent, lambda p, s: slope(p, logs(s)), "the pixels need a logarithm"),
    (compare.exponent, lambda p, s: slope(logs(s), logs(p)), "the axes are swapped"),
    (compare.exponent, lambda p, s: slope(logs(math.sqrt(x) for x in p), logs(s)), "the exponent of the side"),
    (compare.exponent, lambda p, s: math.log(s[-1] / s[0]) / math.log(p[-1] / p[0]), "first and the last"),
    (compare.exponent, through_zero, "through the origin"),
    (compare.exponent, lambda p, s: math.exp(slope(logs(p), logs(s))), "without exp"),
    (compare.exponent, lambda p, s: float(np.polyfit(np.log(p), np.log(s), 1)[1]), "give its slope"),
    (compare.exponent, lambda p, s: float(np.mean(np.log(s) / np.log(p))), "divided by log pixels"),
    (compare.sliced, lambda a, b, d: (a @ d.T - b @ d.T).abs().mean(), "not sorted"),
    (compare.sliced, lambda a, b, d: ((a @ d.T).sort().values - (b @ d.T).sort().values).abs().mean(), "dimension 0"),
    (compare.sliced, lambda a, b, d: (a.sort(0).values @ d.T - b.sort(0).values @ d.T).abs().mean(), "project first"),
    (compare.sliced, lambda a, b, d: projected(a, b, d).mean(), "without the absolute value"),
    (compare.sliced, lambda a, b, d: projected(a, b, d).square().mean(), "squared; this distance is"),
    (compare.sliced, lambda a, b, d: projected(a, b, d).square().mean().sqrt(), "squared, with a root"),
    (compare.sliced, lambda a, b, d: projected(a, b, d).abs().sum(), "the sum; take the mean"),
    (compare.sliced, lambda a, b, d: projected(a, b, d).abs().sum(0).mean(), "summed over positions"),
    (compare.sliced, lambda a, b, d: projected(a, b, d).abs().sum(1).mean(), "summed over directions"),
    (compare.sliced, lambda a, b, d: ((a - b) @ d.T).mean(0).abs().mean(), "differences of means"),
    (compare.sliced, lambda a, b, d: projected(a, b, d).abs().max(), "the largest difference"),
    (compare.sliced, lambda a, b, d: (a.sort(0).values - b.sort(0).values).abs().mean(), "directions are not used"),
    (
        compare.sliced,
        lambda a, b, d: ((a @ d.T).flatten().sort().values - (b @ d.T).flatten().sort().values).abs().mean(),
        "in one list",
    ),
    (
        compare.sliced,
        lambda a, b, d: ((a @ d.T).argsort(0) - (b @ d.T).argsort(0)).abs().float().mean(),
        "these are places",
    ),
    (compare.front, lambda p: [], "nothing beats itself"),
    (compare.front, lambda p: set(p) - set(kept(p, beats)), "the ones that are beaten"),
    (compare.front, without_twins,
     "two that are alike beat each other"),
    (compare.front, first_twin, "of two that are alike one was dropped"),
    (compare.front, lambda p: kept(p, lambda a, b: all(x < y for x, y in zip(a, b, strict=True))), "is enough"),
    (compare.front, lambda p: kept(p, lambda a, b: beats(b, a)), "the other way round"),
    (compare.front, lambda p: [n for n, v in p.items() if any(v[i] == min(q[i] for q in p.values()) for i in (0, 1))],
     "in one number alone"),
    (compare.front, lambda p: "fast", "as a list or a set"),
    (compare.front, lambda p: [p["fast"]], "give the names"),
    (compare.front, lambda p: ["fast", "worse"], "worse should not be there"),
    (compare.front, lambda p: kept({n: v[:2] for n, v in p.items()}, beats), "not with three"),
    (compare.interval, with_spread(lambda x: x.std() / math.sqrt(len(x))), "divide by n − 1"),
    (compare.interval, with_spread(lambda x: x.std(ddof=1)), "√n is missing: that is"),
    (compare.interval, with_spread(lambda x: x.std()), "√n is missing, and"),
    (compare.interval, lambda x, t: around(np.mean(x), stats.sem(x)), "t is not used"),
    (compare.interval, lambda x, t: around(np.mean(x), 1.96 * stats.sem(x)), "1.96"),
    (compare.interval, with_spread(lambda x: x.var(ddof=1) / math.sqrt(len(x))), "s is the root of the variance"),
    (compare.interval, with_spread(lambda x: x.var(ddof=1) / len(x)), "root of the variance by n"),
    (compare.interval, with_spread(lambda x: x.std(ddof=1) / len(x)), "divide by √n"),
    (compare.interval, with_spread(lambda x: 2 * stats.sem(x)), "twice too wide"),
    (compare.interval, with_spread(lambda x: stats.sem(x) / 2), "half of it"),
    (compare.interval, lambda x, t: around(np.mean(x), t * stats.sem(x))[::-1], "the ends are swapped"),
    (compare.interval, lambda x, t: around(np.median(x), t * stats.sem(x)), "it should be the mean"),
    (compare.interval, lambda x, t: (float(np.mean(x)),), "give two numbers"),
    (compare.interval, lambda x, t: [str(end) for end in around(np.mean(x), t * stats.sem(x))], "a row of numbers"),
    (compare.interval, with_spread(lambda x: x.std(ddof=1) / math.sqrt(7)), "not for three"),
    (compare.spearman, lambda x, y: float(np.corrcoef(x, y)[0, 1]), "Take ranks first"),
    (compare.spearman, correlated(lambda z: np.argsort(z, kind="stable")), "the order, not the ranks"),
    (compare.spearman, correlated(lambda z: len(z) - 1 - np.argsort(z[::-1], kind="stable")), "not the ranks"),
    (compare.spearman, squares_of(np.argsort), "the order, not the ranks"),
    (compare.spearman, correlated(lambda z: stats.rankdata(z, "ordinal")), "equal values got different ranks"),
    (compare.spearman, squares_of(lambda z: np.argsort(np.argsort(z))), "equal values got different ranks"),
    (compare.spearman, lambda x, y: np.corrcoef(stats.rankdata(x), stats.rankdata(y)), "should be one number"),
    (compare.spearman, correlated(lambda z: stats.rankdata(z, "min")), "the lowest of their places"),
    (compare.spearman, correlated(lambda z: stats.rankdata(z, "max")), "the highest of their places"),
    (compare.spearman, squares_of(stats.rankdata), "without equal values only"),
    (compare.spearman, lambda x, y: -stats.spearmanr(x, y).statistic, "the sign is wrong"),
    (compare.spearman, lambda x, y: stats.spearmanr(x, y).statistic ** 2, "squared"),
]  # fmt: skip
OTHER_WAYS = [
    (compare.exponent, lambda p, s: statistics.linear_regression(logs(p), logs(s)).slope),
    (compare.exponent, lambda p, s: stats.linregress(np.log2(p), np.log2(s)).slope),
    (compare.sliced, lambda a, b, d: sum(
        (torch.sort(a @ one).values - torch.sort(b @ one).values).abs().mean() for one in d) / len(d)),
    (compare.sliced, lambda a, b, d: (
        np.mean([stats.wasserstein_distance((a @ one).numpy(), (b @ one).numpy()) for one in d]))),
    (compare.front, lambda p: {n: 0 for n in kept(p, beats)}),
    (compare.front, lambda p: tuple(reversed(kept(p, beats)))),
    (compare.interval, lambda x, t: around(np.mean(x), t * stats.sem(x))),
    (compare.interval, lambda x, t: [statistics.mean(x) + side * t * statistics.stdev(x) / len(x) ** 0.5
                                     for side in (-1, 1)]),
    (compare.spearman, lambda x, y: stats.spearmanr(x, y).statistic),
    (compare.spearman, correlated(stats.rankdata)),
]  # fmt: skip

NUMBERS = [compare.exponent, compare.sliced, compare.interval, compare.spearman]

TestGate = gate("10_compare", mistakes=MISTAKES, other_ways=OTHER_WAYS, numbers=NUMBERS)
