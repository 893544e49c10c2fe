"""How good is a pastiche? Numbers that see one thing each, and say what they do not see.

No number knows whether a picture is beautiful. Each of these answers one question, in the eyes of a `judge`, an encoder
that none of the compared methods has optimised or was trained with, wherever one is at hand:

    content     ‖F − P‖² / ‖P‖²                          is it still the photograph?
    gram        ‖G − A‖² / ‖A‖²                          do channels fire together as they do in the style?
    moments     ‖Δμ‖ + ‖Δσ‖, over ‖μ‖ + ‖σ‖              does each channel fire as much, and vary as much?
    sliced      sliced Wasserstein distance              is the whole distribution of activations the style's?
    structure   SSIM of the luminance's gradients        are the edges where they were?
    palette     earth mover's distance in Lab            are the colours the style's?
    variety     1 − cos, over all pairs of places        or does one pattern fill the picture?

How each is computed stands in `distances.py`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from stylelearn.encoders import Encoder
from stylelearn.evaluation import distances
from stylelearn.weights import downloaded


@dataclass(frozen=True)
class Measure:
    """What one number is about, in words for learners.

    Attributes:
        title: such as "content distance".
        of: what the pastiche is held against: "content", "style" or "itself".
        better: "low", "high", or "" where neither is better in itself.
        sees, cannot_see: one sentence each.
    """

    title: str
    of: str
    better: str
    sees: str
    cannot_see: str


MEASURES: dict[str, Measure] = {
    "content": Measure(
        "content distance",
        "content",
        "low",
        "Whether the things in the photograph are still there, as a network for recognising things sees them.",
        "Whether anything was painted at all: the photograph itself scores best, with 0.",
    ),
    "gram": Measure(
        "Gram distance",
        "style",
        "low",
        "Which features of the style occur together: colours with strokes, edges with edges.",
        "Where anything is: a picture cut up and shuffled scores nearly as well as the whole.",
    ),
    "moments": Measure(
        "moments distance",
        "style",
        "low",
        "How strongly each feature of the style occurs, and how much that varies over the picture.",
        "Which features belong together, and where they are.",
    ),
    "sliced": Measure(
        "sliced Wasserstein distance",
        "style",
        "low",
        "All values that features take, along many directions: rare bright dots count, not only their mean.",
        "Where anything is, and what only shows in patterns larger than the network looks at.",
    ),
    "structure": Measure(
        "structure kept",
        "content",
        "high",
        "Whether edges of the photograph are still where they were, and no others have come.",
        "Colour; and whether a new edge is a fault or the very brush stroke that one wanted.",
    ),
    "palette": Measure(
        "palette distance",
        "style",
        "low",
        "How far the colours must be moved to become the style's, in steps that an eye can just tell apart.",
        "Strokes and texture: a photograph with its colours exchanged scores well.",
    ),
    "variety": Measure(
        "variety of patterns",
        "itself",
        "",
        "Whether places differ from one another, or one pattern is stamped all over the picture.",
        "Whether the variety is the style's or the photograph's; compare it with that of both.",
    ),
}


def judge(weights: str | Path | None = None) -> Encoder:
    """Who judges: SqueezeNet where its weights are at hand, else `mini`; nothing is ever downloaded.

    Args:
        weights: a squeezenet1_0 checkpoint; None looks where `Encoder("squeezenet")` keeps its download.
    Raises:
        WeightsError: a file that is not whole.

    No method of the course is trained with SqueezeNet, or optimises what it sees. It is no complete stranger, though:
    `mini` has learnt from it. And `mini` as a judge favours those that optimise under `mini`; whoever shows the
    figures has to say which of the two it was (`Encoder.name`).
    """
    weights = weights or downloaded("squeezenet")
    return Encoder("mini") if weights is None else Encoder("squeezenet", weights=weights)


def measure(
    pastiche: Tensor, content: Tensor, style: Tensor, encoder: Encoder, only: Iterable[str] | None = None
) -> dict[str, float]:
    """All of `MEASURES`, or `only` some, by name, for one pastiche.

    Args:
        pastiche, content: (1, 3, H, W) in [0, 1], of one size. style: (1, 3, H', W').
        encoder: the judge.
    Raises:
        ValueError: an unknown name; pictures that do not fit.
    """
    names = known(only)
    ways: dict[str, Callable[[], float]] = {
        "content": lambda: distances.content_distance(pastiche, content, encoder),
        "gram": lambda: distances.gram_distance(pastiche, style, encoder),
        "moments": lambda: distances.moments_distance(pastiche, style, encoder),
        "sliced": lambda: distances.sliced_wasserstein(pastiche, style, encoder),
        "structure": lambda: distances.structure(pastiche, content),
        "palette": lambda: distances.palette_distance(pastiche, style),
        "variety": lambda: distances.pattern_diversity(pastiche, encoder),
    }
    return {name: ways[name]() for name in names}


def known(only: Iterable[str] | None) -> list[str]:
    """These names, or all where none are given.

    Raises:
        ValueError: one that is no measure.
    """
    names = list(MEASURES if only is None else only)
    for name in names:
        if name not in MEASURES:
            raise ValueError(f"there is no measure {name!r}; there are {', '.join(MEASURES)}")
    return names


def explain(values: Mapping[str, float] | None = None) -> str:
    """A Markdown table: each measure (of `values` and their numbers, if given), what it sees, and what it cannot."""
    names = known(values)
    lines = ["| measure | better | sees | cannot see |", "| --- | --- | --- | --- |"]
    if values is not None:
        lines = ["| measure | here | better | sees | cannot see |", "| --- | ---: | --- | --- | --- |"]
    for name in names:
        each = MEASURES[name]
        here = [] if values is None else [f"{values[name]:.3g}"]
        cells = [f"{each.title} (`{name}`)", *here, each.better or "neither", each.sees, each.cannot_see]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
