"""Checks of lesson 10: the exponent of a cost, a sliced distance, who is not beaten, an interval, rank correlation."""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor

from stylelearn.checks import Mistake, check, must_be_tensor, same

Lists = Callable[[Sequence[float], Sequence[float]], float]


def _named(yours: object, mistakes: Iterable[tuple[object, str]], otherwise: str) -> None:
    """Raise the `Mistake` whose value the answer is."""
    for value, why in mistakes:
        if same(yours, value):
            raise Mistake(why)
    raise Mistake(otherwise)


def _slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Least squares, with an intercept."""
    a, b = sum(x) / len(x), sum(y) / len(y)
    products = sum((p - a) * (q - b) for p, q in zip(x, y, strict=True))
    return products / sum((p - a) ** 2 for p in x)


# ------------------------------------------------------------------------------------------------------------ exponent


@check
def exponent(answer: Lists) -> str:
    """b of seconds = a · pixels^b, by least squares of the logarithms, for costs that grow a little unevenly."""
    pixels = [128.0**2, 192.0**2, 256.0**2, 512.0**2]
    seconds = [3e-6 * p**1.3 * wobble for p, wobble in zip(pixels, (1.1, 0.8, 1.05, 1.0), strict=True)]
    yours, x, y = answer(pixels, seconds), [math.log(p) for p in pixels], [math.log(s) for s in seconds]
    if not same(yours, _slope(x, y)):
        _named(
            yours,
            [
                (_slope(pixels, seconds), "a line through pixels and seconds themselves; take the logarithm of both."),
                (_slope(x, seconds), "the seconds need a logarithm, too."),
                (_slope(pixels, y), "the pixels need a logarithm, too."),
                (_slope(y, x), "the axes are swapped: how do seconds grow with pixels?"),
                (2 * _slope(x, y), "that is the exponent of the side; a picture has side² pixels."),
                (
                    (y[-1] - y[0]) / (x[-1] - x[0]),
                    "only the first and the last size are used; one bad timing would spoil it. Use all of them.",
                ),
                (
                    sum(p * q for p, q in zip(x, y, strict=True)) / sum(p * p for p in x),
                    "the line goes through the origin; let it have a height of its own, which is log a.",
                ),
                (math.exp(_slope(x, y)), "the exponent is the slope itself; without exp."),
                (sum(y) / len(y) - _slope(x, y) * sum(x) / len(x), "this is the line's height, log a; give its slope."),
            ],
            "the value differs: the slope of a line through log pixels and log seconds, by least squares.",
        )
    if not same(answer([10.0, 1000.0], [5.0, 500.0]), 1.0):
        raise Mistake("twice the pixels, twice the time has the exponent 1; yours says something else.")
    return "right: 1 means each pixel costs the same, and 2 that each is compared with every other one."


# ---------------------------------------------------------------------------------------------------------- the sliced


@check
def sliced(answer: Callable[[Tensor, Tensor, Tensor], Tensor]) -> str:
    """Mean |sort(a·d) − sort(b·d)| over positions and directions, of two clouds of 7 points with 3 channels."""
    a, b, d = torch.randn(7, 3), torch.randn(7, 3) * 2 + 1, torch.nn.functional.normalize(torch.randn(5, 3), dim=1)
    yours = answer(a.clone(), b.clone(), d.clone())
    must_be_tensor(yours, (), "the distance, one number,")
    if not same(yours, _sliced(a, b, d)):
        p, q = a @ d.T, b @ d.T  # (N, D)
        across = (p.sort(dim=1).values - q.sort(dim=1).values).abs().mean()
        each = (a.sort(dim=0).values @ d.T - b.sort(dim=0).values @ d.T).abs().mean()
        ordered = p.sort(dim=0).values - q.sort(dim=0).values
        _named(
            yours,
            [
                (
                    (p - q).abs().mean(),
                    "the projections are not sorted: so it matters where in the picture a value is.",
                ),
                (across, "sorted along the directions; sort the positions of each direction, dimension 0."),
                (each, "the channels are sorted before the projection; project first, then sort."),
                (ordered.mean().abs(), "without the absolute value: what is too high here makes up for too low there."),
                (ordered.mean(), "without the absolute value: what is too high here makes up for too low there."),
                (ordered.square().mean(), "squared; this distance is the mean of absolute differences."),
                (ordered.square().mean().sqrt(), "squared, with a root; this distance takes absolute differences."),
                (ordered.abs().sum(), "the sum; take the mean, or it grows with size and number of directions."),
                (ordered.abs().sum(dim=0).mean(), "summed over positions; take the mean over these, too."),
                (ordered.abs().max(), "the largest difference; take the mean."),
                (
                    (a.sort(dim=0).values - b.sort(dim=0).values).abs().mean(),
                    "the directions are not used: each channel alone does not see which go together.",
                ),
            ],
            "the value differs: project, sort each direction's values, and average the absolute differences.",
        )
    if not same(answer(a, a.flip(0), d), 0.0):
        raise Mistake("the same values at other places should have a distance of 0.")
    return "right: it compares all values, not only their mean and spread, and forgets where they were."


def _sliced(a: Tensor, b: Tensor, d: Tensor) -> float:
    total = 0.0
    for direction in d.tolist():
        p, q = (sorted(sum(v * w for v, w in zip(row, direction, strict=True)) for row in x.tolist()) for x in (a, b))
        total += sum(abs(v - w) for v, w in zip(p, q, strict=True)) / len(p)
    return total / len(d)


# --------------------------------------------------------------------------------------------------------------- front

Points = Mapping[str, Sequence[float]]


@check
def front(answer: Callable[[Points], Iterable[str]]) -> str:
    """Whom nobody beats: no other is as low in everything and lower in something. Ties and twins are among them."""
    points = {
        "fast": (1.0, 9.0), "good": (9.0, 1.0), "middle": (4.0, 4.0), "slower": (5.0, 4.0), "worse": (6.0, 8.0),
        "twin": (4.0, 4.0), "near": (2.0, 7.0), "late": (9.0, 2.0),
    }  # fmt: skip
    found = answer(dict(points))
    if isinstance(found, str) or not isinstance(found, Iterable):
        raise Mistake(f"give the names, as a list or a set; yours is {type(found).__name__}.")
    yours = set(found)
    if unknown := [name for name in yours if name not in points]:
        raise Mistake(f"give the names that you were given; {unknown[0]!r} is none of them.")
    right = _front(points)
    if yours != right:
        raise Mistake(_front_mistake(points, right, yours))
    three = {"a": (1.0, 5.0, 5.0), "b": (5.0, 1.0, 5.0), "c": (5.0, 5.0, 1.0), "d": (5.0, 5.0, 2.0)}
    if set(answer(three)) != _front(three):
        raise Mistake("right with two numbers each, but not with three: compare all numbers, however many there are.")
    return "right: whatever you need, the best choice is one of these. Which one is for you to say."


def _front(points: Points) -> set[str]:
    return {
        name
        for name, mine in points.items()
        if not any(
            all(p <= q for p, q in zip(other, mine, strict=True)) and tuple(other) != tuple(mine)
            for other in points.values()
        )
    }


def _front_mistake(points: Points, right: set[str], yours: set[str]) -> str:
    strictly = {
        name
        for name, mine in points.items()
        if not any(all(p < q for p, q in zip(other, mine, strict=True)) for other in points.values())
    }
    high = _front({name: [-value for value in values] for name, values in points.items()})
    best = [min(values[i] for values in points.values()) for i in (0, 1)]
    single = {name for name, values in points.items() if values[0] == best[0] or values[1] == best[1]}
    for value, why in (
        (set(), "nobody is left: to beat needs both, as low in every number and lower in one, so nobody beats itself."),
        (set(points) - right, "these are the ones that are beaten; give the others."),
        (right - {"middle", "twin"},
         "two that are alike have thrown each other out: to be beaten, one must be worse in at least one number."),
        (right - {"twin"}, "of two that are alike one was dropped; neither beats the other."),
        (right - {"middle"}, "of two that are alike one was dropped; neither beats the other."),
        (strictly, "'slower' and 'late' are beaten, too: as low in one number, and lower in the other, is enough."),
        (high, "the other way round: low numbers are good here."),
        (single, "the best in one number alone; 'middle' is best in none, but nobody is better in both."),
    ):  # fmt: skip
        if yours == value:
            return why
    extra, missing = sorted(yours - right), sorted(right - yours)
    return f"not yet: {', '.join(extra) or 'none'} should not be there, and {', '.join(missing) or 'none'} should."


# ------------------------------------------------------------------------------------------------------------ interval


@check
def interval(answer: Callable[[Sequence[float], float], Sequence[float]]) -> str:
    """mean ± t s/√n with n − 1 in s, for seven scores and t = 2.447."""
    scores, t = [1.0, 3.0, 4.0, 2.0, 4.0, 4.0, 2.0], 2.447
    found = answer(list(scores), t)
    if not hasattr(found, "__len__") or len(found) != 2:
        raise Mistake("give two numbers, the lower and the upper end.")
    low, high = (float(end) for end in found)
    n, mean = len(scores), sum(scores) / len(scores)
    squares = sum((score - mean) ** 2 for score in scores)
    half = t * math.sqrt(squares / (n - 1) / n)
    if same(low, mean + half) and same(high, mean - half):
        raise Mistake("the ends are swapped: the lower one first.")
    if not same((low + high) / 2, mean):
        raise Mistake(f"the middle of your interval is {(low + high) / 2:.3g}; it should be the mean, {mean:.3g}.")
    if not same((high - low) / 2, half):
        _named(
            (high - low) / 2,
            [
                (t * math.sqrt(squares / n / n), "s² is divided by n here; divide by n − 1: the mean is not known."),
                (
                    t * math.sqrt(squares / (n - 1)),
                    "√n is missing: that is how people scatter, not how sure the mean is.",
                ),
                (t * math.sqrt(squares / n), "√n is missing, and s² is divided by n instead of n − 1."),
                (math.sqrt(squares / (n - 1) / n), "t is not used: this is the standard error alone."),
                (
                    1.96 * math.sqrt(squares / (n - 1) / n),
                    "1.96 is for a known spread; use the t that you are given.",
                ),
                (t * squares / (n - 1) / math.sqrt(n), "the root is missing: s is the root of the variance."),
                (t * squares / (n - 1) / n, "the root is missing: s/√n is the root of the variance by n."),
                (t * math.sqrt(squares / (n - 1)) / n, "divided by n; divide by √n."),
                (2 * half, "twice too wide: t times the standard error goes to each side."),
                (half / 2, "half of it: t times the standard error goes to each side, not altogether."),
            ],
            "the width differs: t times s, divided by √n, to each side.",
        )
    other = answer([2.0, 2.0, 3.0], 4.303)
    if not same(float(other[1]) - float(other[0]), 2 * 4.303 / 3):
        raise Mistake("right for seven scores, but not for three: use the number of scores that you are given.")
    return "right: with seven people the interval is wide. With thirty it is less than half as wide."


# ------------------------------------------------------------------------------------------------------------ spearman


@check
def spearman(answer: Lists) -> str:
    """Pearson's coefficient of the ranks, where equal values share the mean of their places."""
    x, y = [0.9, 0.1, 0.4, 0.4, 7.0, 0.2], [3.0, 1.0, 2.0, 4.0, 3.5, 1.0]
    yours = answer(list(x), list(y))
    expected = _pearson(_ranks(x), _ranks(y))
    if not same(yours, expected):
        n = len(x)
        # Which of two equal values comes first is chance: some sort one way, some the other.
        orders = [[sorted(range(n), key=lambda i, z=z, s=s: (z[i], s * i)) for s in (1, -1)] for z in (x, y)]
        places = [[float(sorted(range(n), key=z.__getitem__).index(i)) for i in range(n)] for z in (x, y)]
        below = [[float(sum(b < a for b in z)) for a in z] for z in (x, y)]
        upto = [[float(sum(b <= a for b in z)) for a in z] for z in (x, y)]
        square = sum((p - q) ** 2 for p, q in zip(_ranks(x), _ranks(y), strict=True))
        _named(
            yours,
            [
                (_pearson(x, y), "this is the correlation of the values; one large value rules it. Take ranks first."),
                *(
                    (_pearson(*pair), "argsort gives the order, not the ranks: who is first, not where each one is.")
                    for pair in itertools.product(*orders)
                ),
                (_pearson(*places), "equal values got different ranks; they share the mean of their places."),
                (_pearson(*below), "equal values got the lowest of their places; they share the mean of them."),
                (_pearson(*upto), "equal values got the highest of their places; they share the mean of them."),
                (1 - 6 * square / (n * (n * n - 1)), "nearly: 1 − 6Σd²/(n(n² − 1)) holds without equal values only."),
                (-expected, "the sign is wrong: one of the rankings runs backwards."),
                (abs(expected) ** 2, "squared; ρ itself has a sign."),
            ],
            "the value differs: give each list its ranks, equal values the mean of theirs, then correlate the ranks.",
        )
    if not same(answer([3.0, 2.0, 1.0], [10.0, 20.0, 90.0]), -1.0):
        raise Mistake("for a reversed ranking it should be −1.")
    if not same(answer([1.0, 2.0, 3.0, 4.0], [1.0, 10.0, 100.0, 1000.0]), 1.0):
        raise Mistake("for the same ranking it should be 1, however unequal the steps are.")
    return "right: only the order counts, so a measure in any unit can be held against scores from 1 to 4."


def _ranks(values: Sequence[float]) -> list[float]:
    return [sum(b < a for b in values) + (sum(b == a for b in values) + 1) / 2 for a in values]


def _pearson(x: Sequence[float], y: Sequence[float]) -> float:
    return _slope(x, y) * math.sqrt(_slope(x, x) * _spread(x) / _spread(y))


def _spread(x: Sequence[float]) -> float:
    mean = sum(x) / len(x)
    return sum((value - mean) ** 2 for value in x)
