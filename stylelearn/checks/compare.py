"""Checks of lesson 10: the exponent of a cost, a sliced distance, points not beaten, an interval, rank correlation."""

import itertools
import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor

from stylelearn.checks import Mistake, check, must_be, must_match, number, numbers, run, same

Lists = Callable[[Sequence[float], Sequence[float]], float]


def _slope(x: Sequence[float], y: Sequence[float], **options: bool) -> float:
    """Least squares, with an intercept unless the line is `proportional`."""
    return statistics.linear_regression(x, y, **options).slope


@check
def exponent(answer: Lists) -> str:
    """The slope of a line through log pixels and log seconds, by least squares."""
    pixels = [128.0**2, 192.0**2, 256.0**2, 512.0**2]
    seconds = [3e-6 * p**1.3 * wobble for p, wobble in zip(pixels, (1.1, 0.8, 1.05, 1.0), strict=True)]
    yours = number(run(answer, pixels=pixels, seconds=seconds), "the exponent")
    x, y = [math.log(p) for p in pixels], [math.log(s) for s in seconds]
    right = _slope(x, y)
    wrong = [
        (_slope(pixels, seconds), "a line through pixels and seconds themselves; take the logarithm of both."),
        (_slope(x, seconds), "the seconds need a logarithm, too."),
        (_slope(pixels, y), "the pixels need a logarithm, too."),
        (_slope(y, x), "the axes are swapped: how do seconds grow with pixels?"),
        (2 * right, "that is the exponent of the side; a picture has side² pixels."),
        ((y[-1] - y[0]) / (x[-1] - x[0]), "only the first and the last size are used; use all of them."),
        (_slope(x, y, proportional=True), "the line goes through the origin; its height, log a, must be free."),
        (statistics.mean(b / a for a, b in zip(x, y, strict=True)),
         "log seconds is divided by log pixels; the slope is that of a line whose height, log a, is free."),
        (math.exp(right), "the exponent is the slope itself; without exp."),
        (sum(y) / len(y) - right * sum(x) / len(x), "this is the line's height, log a; give its slope."),
    ]  # fmt: skip
    must_match(yours, right, wrong)
    must_be(answer([10.0, 1000.0], [5.0, 500.0]), 1.0, "twice the pixels, twice the time should have the exponent 1.")
    return "right: 1 means each pixel costs the same, and 2 that each is compared with every other one."


@check
def sliced(answer: Callable[[Tensor, Tensor, Tensor], Tensor]) -> str:
    """Mean of |sort(a·d) − sort(b·d)|: project, sort each direction's values, average over all."""
    a, b, d = torch.randn(7, 3), torch.randn(7, 3) * 2 + 1, torch.nn.functional.normalize(torch.randn(5, 3), dim=1)
    yours = number(run(answer, a=a, b=b, directions=d), "the distance")
    p, q = a @ d.T, b @ d.T  # (N, D)
    across = p.sort(dim=1).values - q.sort(dim=1).values
    each = a.sort(dim=0).values - b.sort(dim=0).values
    ordered = p.sort(dim=0).values - q.sort(dim=0).values
    signed = "without the absolute value: what is too high here makes up for too low there."
    wrong = [
        ((p - q).abs().mean(), "the projections are not sorted: so it matters where in the picture a value is."),
        (across.abs().mean(), "sorted along the directions; sort the positions of each direction, dimension 0."),
        ((each @ d.T).abs().mean(), "the channels are sorted before the projection; project first, then sort."),
        (ordered.mean().abs(), signed),
        (ordered.mean(), signed),
        (ordered.square().mean(), "squared; this distance is the mean of absolute differences."),
        (ordered.square().mean().sqrt(), "squared, with a root; this distance takes absolute differences."),
        (
            (p.flatten().sort().values - q.flatten().sort().values).abs().mean(),
            "all directions are sorted in one list; each direction has a list of its own: dim=0.",
        ),
        (
            (p.argsort(dim=0) - q.argsort(dim=0)).double().abs().mean(),
            "these are places, from argsort; compare the sorted values: sort(dim=0).values.",
        ),
        (ordered.abs().sum(), "the sum; take the mean, or it grows with size and number of directions."),
        (ordered.abs().sum(dim=0).mean(), "summed over positions; take the mean over these, too."),
        (ordered.abs().sum(dim=1).mean(), "summed over directions; take the mean over these, too."),
        ((p.mean(dim=0) - q.mean(dim=0)).abs().mean(), "these are differences of means; sort, and compare all values."),
        (ordered.abs().max(), "the largest difference; take the mean."),
        (each.abs().mean(), "the directions are not used: each channel alone does not see which go together."),
    ]
    must_match(yours, ordered.abs().mean(), wrong)
    moved = number(answer(a, a.flip(0), d), "the distance")
    must_be(moved, 0.0, "the same values at other places should have a distance of 0.")
    return "right: it compares all values, not only their mean and spread, and ignores their places."


Points = Mapping[str, Sequence[float]]


def _front(points: Points, strictly: bool = False) -> set[str]:
    """The points that no other beats: none is as low in everything and lower in something (or in everything)."""

    def beats(one: Sequence[float], other: Sequence[float]) -> bool:
        pairs = list(zip(one, other, strict=True))
        return all(p < q or (p == q and not strictly) for p, q in pairs) and any(p < q for p, q in pairs)

    return {name for name, mine in points.items() if not any(beats(other, mine) for other in points.values())}


@check
def front(answer: Callable[[Points], Iterable[str]]) -> str:
    """The points that no other beats: none is as low in everything and lower in something. Twins both stay."""
    points = {
        "fast": (1.0, 9.0), "good": (9.0, 1.0), "middle": (4.0, 4.0), "slower": (5.0, 4.0), "worse": (6.0, 8.0),
        "twin": (4.0, 4.0), "near": (2.0, 7.0), "late": (9.0, 2.0),
    }  # fmt: skip
    found = run(answer, points=points)
    if isinstance(found, str) or not isinstance(found, Iterable):
        raise Mistake(f"give the names, as a list or a set; yours is {type(found).__name__}.")
    yours, right = set(found), _front(points)
    if unknown := [name for name in yours if name not in points]:
        raise Mistake(f"give the names that you were given; {unknown[0]!r} is none of them.")
    best = [min(values[i] for values in points.values()) for i in (0, 1)]
    twin = "of two that are alike one was dropped; neither beats the other."
    wrong = [
        (set(), "no name is left: to beat is to be as low in every number and lower in one; nothing beats itself."),
        (set(points) - right, "these are the ones that are beaten; give the others."),
        (right - {"middle", "twin"}, "two that are alike beat each other; to beat, one must be lower in one number."),
        (right - {"twin"}, twin),
        (right - {"middle"}, twin),
        (_front(points, strictly=True),
         "'slower' and 'late' are beaten, too: as low in one number, and lower in the other, is enough."),
        (_front({name: [-value for value in values] for name, values in points.items()}),
         "the other way round: low numbers are good here."),
        ({name for name, values in points.items() if values[0] == best[0] or values[1] == best[1]},
         "the best in one number alone; 'middle' is best in none, but none is better in both."),
    ]  # fmt: skip
    extra, missing = (", ".join(sorted(names)) or "none" for names in (yours - right, right - yours))
    if yours != right:
        otherwise = f"not yet: {extra} should not be there, and {missing} should."
        raise Mistake(next((why for names, why in wrong if names == yours), otherwise))
    three = {"a": (1.0, 5.0, 5.0), "b": (5.0, 1.0, 5.0), "c": (5.0, 5.0, 1.0), "d": (5.0, 5.0, 2.0)}
    if set(answer(three)) != _front(three):
        raise Mistake("right with two numbers each, but not with three: compare all numbers, however many there are.")
    return "right: the best choice for any need is one of these. Which need counts, you decide."


@check
def interval(answer: Callable[[Sequence[float], float], Sequence[float]]) -> str:
    """mean ± t s/√n with n − 1 in s, for seven scores and t = 2.447."""
    scores, t = [1.0, 3.0, 4.0, 2.0, 4.0, 4.0, 2.0], 2.447
    found = numbers(run(answer, scores=scores, t=t), "the interval")
    if len(found) != 2:
        raise Mistake("give two numbers, the lower and the upper end.")
    low, high = found.tolist()
    n, mean = len(scores), statistics.mean(scores)
    squares = n * statistics.pvariance(scores)
    error = statistics.stdev(scores) / math.sqrt(n)  # of the mean
    if same(low, mean + t * error) and same(high, mean - t * error):
        raise Mistake("the ends are swapped: the lower one first.")
    middle = (low + high) / 2
    must_be(middle, mean, f"the middle of yours is {middle:.3g}; it should be the mean, {mean:.3g}.")
    wrong = [
        (t * math.sqrt(squares) / n, "s² is divided by n here; divide by n − 1: the mean is not known."),
        (t * error * math.sqrt(n), "√n is missing: that is how people scatter, not how sure the mean is."),
        (t * math.sqrt(squares / n), "√n is missing, and s² is divided by n instead of n − 1."),
        (error, "t is not used: this is the standard error alone."),
        (1.96 * error, "1.96 is for a known spread; use the t that you are given."),
        (t * error**2 * math.sqrt(n), "the root is missing: s is the root of the variance."),
        (t * error**2, "the root is missing: s/√n is the root of the variance by n."),
        (t * error / math.sqrt(n), "divided by n; divide by √n."),
        (2 * t * error, "twice too wide: t times the standard error goes to each side."),
        (t * error / 2, "half of it: t times the standard error goes to each side."),
    ]
    must_match((high - low) / 2, t * error, wrong, "the width differs: t times s, divided by √n, to each side.")
    low, high = numbers(answer([2.0, 2.0, 3.0], 4.303), "the interval").tolist()
    must_be(high - low, 2 * 4.303 / 3, "right for seven scores, but not for three: use the number of scores given.")
    return "right: with seven people the interval is wide. With thirty it is less than half as wide."


@check
def spearman(answer: Lists) -> str:
    """Pearson's coefficient of the ranks, where equal values share the mean of their places."""
    x, y = [0.9, 0.1, 0.4, 0.4, 7.0, 0.2], [3.0, 1.0, 2.0, 4.0, 3.5, 1.0]
    yours = number(run(answer, x=x, y=y), "ρ")
    must_match(yours, statistics.correlation(rankdata(x), rankdata(y)), _rank_mistakes(x, y))
    must_be(answer([3.0, 2.0, 1.0], [10.0, 20.0, 90.0]), -1.0, "for a reversed ranking it should be −1.")
    same_order = answer([1.0, 2.0, 3.0, 4.0], [1.0, 10.0, 100.0, 1000.0])
    must_be(same_order, 1.0, "for the same ranking it should be 1, however unequal the steps are.")
    return "right: only the order counts, so a measure in any unit can be compared with scores from 1 to 4."


def _rank_mistakes(x: Sequence[float], y: Sequence[float]) -> Iterator[tuple[float, str]]:
    n, right = len(x), statistics.correlation(rankdata(x), rankdata(y))

    def by_differences(p: Sequence[float], q: Sequence[float]) -> float:
        return 1 - 6 * sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) / (n * (n * n - 1))

    yield statistics.correlation(x, y), "the values are correlated, and one large value decides. Take ranks first."
    # Which of two equal values a sort puts first depends on the library: each list has both orders.
    orders = [[np.lexsort((side * np.arange(n), np.array(z))).tolist() for side in (1, -1)] for z in (x, y)]
    for formula in (statistics.correlation, by_differences):
        for p, q in itertools.product(*orders):
            yield formula(p, q), "argsort gives the order, not the ranks: which comes first, not where each one is."
        for p, q in itertools.product(*orders):
            places = np.argsort(p).tolist(), np.argsort(q).tolist()
            yield formula(*places), "equal values got different ranks; they share the mean of their places."
    for method, which in (("min", "lowest"), ("max", "highest")):
        ranks = rankdata(x, method), rankdata(y, method)
        yield statistics.correlation(*ranks), f"equal values got the {which} of their places; they share the mean."
    yield by_differences(rankdata(x), rankdata(y)), "nearly: 1 − 6Σd²/(n(n² − 1)) holds without equal values only."
    yield -right, "the sign is wrong: one of the rankings runs backwards."
    yield right**2, "squared; ρ itself has a sign."
