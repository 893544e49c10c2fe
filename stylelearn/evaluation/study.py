"""Lesson 10, what people say: a blind study of pastiches, and whether measures agree with it.

Luan et al. (2017) asked 35 to 40 people about each picture of their comparison, on a scale from 1 to 4: does it look
like a photo, and is it faithful to the style? Here one learner or a class does the same. Each rater sees the pastiches
of a pair two at a time, without names, in an order of their own (`trials`); `ratings.py` keeps the scores.

A mean of a few people says little without its error. With the scores x of n people (each one's mean over what they saw)

    x̄ ± t · s / √n       s² = Σ (xᵢ − x̄)² / (n − 1)       t: Student's quantile for n − 1

is the confidence interval. n counts people, not clicks: thirty scores by one person are one person's taste.

**Differs from the paper:** two pastiches are on the page at a time, so people compare; the scores stay single ones.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from stylelearn.evaluation.ratings import QUESTIONS, SCORES, Rating, StudyError

LEVEL = 0.95
SPREAD = 0.6  # of invented people
FEWEST = 3  # things to rank, below which agreement means nothing


@dataclass(frozen=True, eq=False)
class Pastiche:
    """One picture to be judged, (1, 3, H, W), what it was made of, and by which method, which raters do not see."""

    pair: str
    method: str
    image: Tensor
    content: Tensor
    style: Tensor


@dataclass(frozen=True)
class Interval:
    """A mean and its confidence interval; `low` and `high` are NaN where one value alone tells nothing about it.

    Attributes:
        count: of how many values. `of`: what they are, "people" or "pairs".
    """

    mean: float
    low: float
    high: float
    count: int
    of: str

    def __str__(self) -> str:
        if math.isnan(self.low):
            return f"{self.mean:.2f} (one of the {self.of} only)"
        return f"{self.mean:.2f} ({self.low:.2f} to {self.high:.2f}, {self.count} {self.of})"


@dataclass(frozen=True)
class Agreement:
    """How alike two rankings of `count` pastiches are: 1 the same, −1 reversed; NaN where there is nothing to rank.

    Attributes:
        spearman, kendall: the two coefficients of rank correlation, ρ and τ_b.
        chance: the probability of a ρ at least as far from 0 where there is no relation (two-sided).
    """

    spearman: float
    kendall: float
    chance: float
    count: int

    def __str__(self) -> str:
        if math.isnan(self.spearman):
            return f"nothing to rank ({self.count} pastiches)"
        chance = "under 1%" if self.chance < 0.01 else f"{self.chance:.0%}"
        return f"ρ {self.spearman:+.2f}, τ {self.kendall:+.2f} ({self.count} pastiches, by chance {chance})"


def trials(pastiches: Sequence[Pastiche], rater: str) -> list[list[Pastiche]]:
    """All pastiches, each one once, two of a pair at a time, the left one first, in the order of this rater.

    The rater's name seeds the random order, the partners and the sides: a rater who returns continues the same list.
    Of an odd number one is left without a partner; such pages come last, when the rater has others in mind.

    Raises:
        StudyError: no pastiches, or one pair with the same method twice.
    """
    if not pastiches:
        raise StudyError("there are no pastiches to judge; make some first")
    draw = random.Random(rater)
    pairs: dict[str, list[Pastiche]] = defaultdict(list)
    for one in sorted(pastiches, key=lambda one: (one.pair, one.method)):
        if any(one.method == other.method for other in pairs[one.pair]):
            raise StudyError(f"{one.method!r} has two pastiches of {one.pair!r}; a rating could mean either")
        pairs[one.pair].append(one)
    found = []
    for group in pairs.values():
        draw.shuffle(group)
        found += [group[i : i + 2] for i in range(0, len(group), 2)]
    draw.shuffle(found)
    return sorted(found, key=len, reverse=True)


def interval(values: Iterable[float], of: str = "people") -> Interval:
    """The mean of some values, one for each of what is counted, with Student's confidence interval (`LEVEL`).

    Raises:
        StudyError: no values.
    """
    from scipy import stats

    x = np.fromiter(values, dtype=float)
    if len(x) == 0:
        raise StudyError("there are no scores to take a mean of; give some scores first")
    mean, half = float(x.mean()), math.nan
    if len(x) > 1:
        half = float(stats.t.ppf((1 + LEVEL) / 2, len(x) - 1) * x.std(ddof=1) / math.sqrt(len(x)))
    return Interval(mean, mean - half, mean + half, len(x), of)


def intervals(ratings: Iterable[Rating], question: str) -> dict[str, Interval]:
    """The mean score of each method with its interval, the best first.

    Each person counts once, with the mean over the pairs. With one rater, the pairs are counted.
    """
    of, values = _values(ratings, question)
    found = {method: interval(each.values(), of) for method, each in values.items()}
    return dict(sorted(found.items(), key=lambda item: -item[1].mean))


def difference(ratings: Iterable[Rating], question: str, one: str, other: str) -> Interval:
    """By how much a method scores better than another, over the people who judged both.

    People use a scale differently: one never gives a 4, another never a 1. The difference within a person does not
    depend on it, so this interval is often much shorter than the two of the means.

    Raises:
        StudyError: no one judged both.
    """
    of, values = _values(ratings, question)
    both = [key for key in values.get(one, {}) if key in values.get(other, {})]
    if not both:
        raise StudyError(f"no one has judged both {one!r} and {other!r} for {question}")
    return interval((values[one][key] - values[other][key] for key in both), of)


def scores(ratings: Iterable[Rating], question: str) -> dict[tuple[str, str], float]:
    """(pair, method) -> the mean score that it got."""
    found = defaultdict(list)
    for one in _about(ratings, question):
        found[one.pair, one.method].append(one.score)
    return {key: sum(each) / len(each) for key, each in found.items()}


def agreement(
    measured: Mapping[tuple[str, str], float],
    ratings: Iterable[Rating],
    question: str,
    *,
    lower_is_better: bool = False,
) -> Agreement:
    """Whether a measure ranks pastiches as people do.

    Args:
        measured: (pair, method) -> value; pastiches without one, or without ratings, are left out.
        lower_is_better: whether the measure is a distance. A positive agreement always means "alike".
    """
    from scipy import stats

    said = scores(ratings, question)
    both = [key for key in said if key in measured and math.isfinite(measured[key])]
    people = [said[key] for key in both]
    values = [-measured[key] if lower_is_better else measured[key] for key in both]
    if len(both) < FEWEST or len({*people}) == 1 or len({*values}) == 1:
        return Agreement(math.nan, math.nan, math.nan, len(both))
    spearman, kendall = stats.spearmanr(values, people), stats.kendalltau(values, people)
    return Agreement(float(spearman.statistic), float(kendall.statistic), float(spearman.pvalue), len(both))


def invented(opinion: Callable[[str, str, str], float], pastiches: Iterable[Pastiche]) -> list[Rating]:
    """Ratings of twelve people who do not exist, to try the plots with; never mix them with true ones.

    Args:
        opinion: (pair, method, question) -> what all of them think, about 1 to 4. A person's generosity, and each score
            around it, has the standard deviation `SPREAD`.
    """
    draw = random.Random(0)
    asked = [(one.pair, one.method, question) for one in pastiches for question in QUESTIONS]
    thought = {each: opinion(*each) for each in asked}
    found = []
    for number in range(1, 13):
        habit = draw.gauss(0, SPREAD)
        for each, value in thought.items():
            score = min(max(round(value + habit + draw.gauss(0, SPREAD)), 1), max(SCORES))
            found.append(Rating(f"invented {number}", *each, score))
    return found


def _about(ratings: Iterable[Rating], question: str) -> list[Rating]:
    if question not in QUESTIONS:
        raise StudyError(f"there is no question {question!r}; there are {', '.join(QUESTIONS)}")
    return [one for one in ratings if one.question == question]


def _values(ratings: Iterable[Rating], question: str) -> tuple[str, dict[str, dict[str, float]]]:
    """What is counted, and method -> who (or which pair) -> mean score."""
    chosen = _about(ratings, question)
    alone = len({one.rater for one in chosen}) == 1
    groups: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for one in chosen:
        groups[one.method][one.pair if alone else one.rater].append(one.score)
    means = {method: {key: sum(each) / len(each) for key, each in group.items()} for method, group in groups.items()}
    return ("pairs" if alone else "people"), means
