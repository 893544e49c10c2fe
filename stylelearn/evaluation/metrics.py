"""How good is a pastiche (lesson 10)? Each measure answers one question; `MEASURES` says what it cannot see.

Most of them compare activations of a `judge`: if possible an encoder that none of the compared methods was trained with
or has optimised for.

    content     ‖F − P‖² / ‖P‖²                          is it still the photograph?
    gram        ‖G − A‖² / ‖A‖²                          do channels fire together as they do in the style?
    moments     ‖Δμ‖ + ‖Δσ‖, over ‖μ‖ + ‖σ‖              does each channel fire as much, and vary as much?
    sliced      sliced Wasserstein distance              is the whole distribution of activations the style's?
    structure   SSIM of the luminance's gradients        are the edges where they were?
    palette     earth mover's distance in Lab            are the colours the style's?
    variety     1 − cos, over all pairs of places        or does one pattern fill the picture?

SSIM is scikit-image's, colours are CIE Lab, the cheapest way to move them is found by SciPy. All pictures are
(1, 3, H, W) in [0, 1]; pastiche and content have one size, a style any.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stylelearn.colour import luminance
from stylelearn.encoders import Encoder
from stylelearn.evaluation.markdown import markdown
from stylelearn.losses import SILENCE, content_loss, mean_gram, moments, style_loss
from stylelearn.weights import downloaded

SQUEEZENET = ("relu1", "fire2", "fire4", "fire8")  # torchvision's features 0 + ReLU, 3, 5 and 10
VGG = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
MIDDLE = 2  # the layer of these four that responds to objects, and still to their place
DIRECTIONS = 128  # of a sliced distance
COLOURS = 32  # of a palette
PLACES = 4096  # of a layer, or pixels of a picture, that are enough to know how values are distributed
NEARLY_NOTHING = 1e-12  # what a distance of 0 counts as in a geometric mean


@dataclass(frozen=True)
class Measure:
    """What one number is about, in words for learners; `better` is "low", "high", or "" where neither is."""

    title: str
    better: str
    sees: str
    cannot_see: str


MEASURES: dict[str, Measure] = {
    "content": Measure(
        "content distance",
        "low",
        "Whether the objects of the photograph are still there, as a network trained to recognise objects sees them.",
        "Whether anything was painted at all: the photograph itself scores best, with 0.",
    ),
    "gram": Measure(
        "Gram distance",
        "low",
        "Which features of the style occur together: colours with strokes, edges with edges.",
        "Where anything is: a picture cut up and shuffled scores nearly as well as the whole.",
    ),
    "moments": Measure(
        "moments distance",
        "low",
        "How strongly each feature of the style occurs, and how much that varies over the picture.",
        "Which features belong together, and where they are.",
    ),
    "sliced": Measure(
        "sliced Wasserstein distance",
        "low",
        "All values that features take, along many directions: rare bright dots count, not only their mean.",
        "Where anything is, and what only shows in patterns larger than the network looks at.",
    ),
    "structure": Measure(
        "structure kept",
        "high",
        "Whether edges of the photograph are still where they were, and no others have come.",
        "Colour; and whether a new edge is a fault or the brush stroke that was wanted.",
    ),
    "palette": Measure(
        "palette distance",
        "low",
        "How far the colours must be moved to become the style's, in steps that an eye can just tell apart.",
        "Strokes and texture: a photograph with its colours exchanged scores well.",
    ),
    "variety": Measure(
        "variety of patterns",
        "",
        "Whether places differ from one another, or one pattern repeats all over the picture.",
        "Whether the variety is the style's or the photograph's; compare it with that of both.",
    ),
}


def judge(weights: str | Path | None = None) -> Encoder:
    """SqueezeNet where its weights are at hand, else `mini`; nothing is ever downloaded.

    `mini` as a judge favours the methods that optimise under `mini`, so say which of the two it was (`Encoder.name`).
    No method of the course is trained with SqueezeNet, but `mini` has learnt from it.

    Args:
        weights: a squeezenet1_0 checkpoint; None looks where `Encoder("squeezenet")` keeps its download.
    Raises:
        WeightsError: a file that is not whole.
    """
    weights = weights or downloaded("squeezenet")
    return Encoder("mini") if weights is None else Encoder("squeezenet", weights=weights)


def measure(
    pastiche: Tensor, content: Tensor, style: Tensor, encoder: Encoder, only: Iterable[str] | None = None
) -> dict[str, float]:
    """All of `MEASURES`, or `only` some, by name, for one pastiche; `encoder` is the judge.

    Raises:
        ValueError: an unknown name; pictures that do not fit.
    """
    names = known(only)
    ways: dict[str, Callable[[], float]] = {
        "content": lambda: content_distance(pastiche, content, encoder),
        "gram": lambda: gram_distance(pastiche, style, encoder),
        "moments": lambda: moments_distance(pastiche, style, encoder),
        "sliced": lambda: sliced_wasserstein(pastiche, style, encoder),
        "structure": lambda: structure(pastiche, content),
        "palette": lambda: palette_distance(pastiche, style),
        "variety": lambda: pattern_diversity(pastiche, encoder),
    }
    return {name: ways[name]() for name in names}


def known(only: Iterable[str] | None) -> list[str]:
    """These names, or all where none are given. Raises ValueError: one that is no measure."""
    names = list(MEASURES if only is None else only)
    if unknown := [name for name in names if name not in MEASURES]:
        raise ValueError(f"there is no measure {unknown[0]!r}; there are {', '.join(MEASURES)}")
    return names


def explain() -> str:
    """A Markdown table: each measure, what it sees, and what it cannot."""
    rows = [["measure", "better", "sees", "cannot see"]]
    for name, each in MEASURES.items():
        rows.append([f"{each.title} (`{name}`)", each.better or "neither", each.sees, each.cannot_see])
    return markdown(rows, right=[])


# --- in activations ---------------------------------------------------------------------------------------------------


def layers_of(encoder: Encoder) -> tuple[str, ...]:
    """The layers in which distances are measured: four, from fine to coarse."""
    return SQUEEZENET if encoder.name == "squeezenet" else VGG


@torch.no_grad()
def content_distance(pastiche: Tensor, content: Tensor, encoder: Encoder) -> float:
    """‖F − P‖²/‖P‖² in the third layer of `layers_of`: 0 for the photograph itself, 1 for one that is silent there.

    Raises:
        ValueError: of different sizes, or a photograph that is silent there.
    """
    _same_size(pastiche, content)
    layer = layers_of(encoder)[MIDDLE]
    seen, wanted = (encoder(image, [layer])[layer] for image in (pastiche, content))
    _audible({layer: wanted}, "content", encoder)
    return content_loss(seen, wanted).item()


def gram_distance(pastiche: Tensor, style: Tensor, encoder: Encoder) -> float:
    """‖G − A‖²/‖A‖², Gram matrices per position, geometric mean over layers: 0 for the style itself.

    Raises:
        ValueError: the style is silent in all layers; those in which it is are left out.
    """
    return _over_layers(pastiche, style, encoder, lambda f, s: style_loss(f, mean_gram(s)).item())


def moments_distance(pastiche: Tensor, style: Tensor, encoder: Encoder) -> float:
    """(‖μ − μ_s‖ + ‖σ − σ_s‖) / (‖μ_s‖ + ‖σ_s‖), geometric mean over layers: 0 for the style. As `gram_distance`."""

    def apart(features: Tensor, wanted: Tensor) -> float:
        pairs = list(zip(moments(features), moments(wanted), strict=True))
        return float(sum((mine - theirs).norm() for mine, theirs in pairs) / sum(theirs.norm() for _, theirs in pairs))

    return _over_layers(pastiche, style, encoder, apart)


def sliced_wasserstein(pastiche: Tensor, style: Tensor, encoder: Encoder) -> float:
    """How far the activations of all places must be moved to become the style's, along random directions.

    In one dimension the cheapest transport is known: sort both, and the mean difference is W₁, the Wasserstein distance
    (Bonneel et al. 2015, "Sliced and Radon Wasserstein Barycenters of Measures"). Of a layer with more than
    `PLACES` places, `PLACES` are drawn at random.

    Returns:
        the sum of W₁ over that of the style's deviations, geometric mean over layers: 0 for the style itself.
    Raises:
        ValueError: as `gram_distance`.
    """

    def apart(features: Tensor, wanted: Tensor) -> float:
        generator = torch.Generator().manual_seed(0)
        axes = torch.randn(features.shape[1], DIRECTIONS, generator=generator)
        axes = axes / axes.norm(dim=0)  # (C, DIRECTIONS)
        count = min(PLACES, features[0, 0].numel(), wanted[0, 0].numel())
        mine, theirs = (
            (_some(each[0].flatten(1).T, count) @ axes.to(each)).T.sort(dim=1).values  # (DIRECTIONS, count)
            for each in (features, wanted)
        )
        flat = 1e-3 * float(theirs.abs().mean(dim=1).sum())  # less is the rounding of a style of one colour
        spread = theirs.std(dim=1, correction=0).sum().clamp_min(flat)
        return float((mine - theirs).abs().mean(dim=1).sum() / spread)

    return _over_layers(pastiche, style, encoder, apart)


def _some(rows: Tensor, count: int) -> Tensor:
    """`count` of the rows, drawn at random; all of them if there are no more."""
    if len(rows) <= count:
        return rows
    return rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:count].to(rows.device)]


@torch.no_grad()
def _over_layers(pastiche: Tensor, style: Tensor, encoder: Encoder, apart: Callable[[Tensor, Tensor], float]) -> float:
    """The geometric mean of a distance between two pictures' activations: twice in one layer and half in one make 1.

    Layers in which the style is silent say nothing about it and are left out.
    """
    layers = layers_of(encoder)
    seen, wanted = encoder(pastiche, layers), encoder(style, layers)
    audible = _audible({layer: wanted[layer] for layer in layers}, "style", encoder)
    found = [max(apart(seen[layer], wanted[layer]), NEARLY_NOTHING) for layer in audible]
    return math.exp(sum(math.log(value) for value in found) / len(found))


def _audible(wanted: Mapping[str, Tensor], what: str, encoder: Encoder) -> list[str]:
    """The layers with activations: a relative distance has nothing to divide by in the others."""
    found = [layer for layer, features in wanted.items() if features.float().square().mean() >= SILENCE]
    if not found:
        raise ValueError(
            f"the {what} has no activations in {', '.join(wanted)} of {encoder.name}, so nothing can be compared with "
            f"it; take a {what} that is not black or of one colour"
        )
    return found


# --- in pixels --------------------------------------------------------------------------------------------------------


def structure(pastiche: Tensor, content: Tensor) -> float:
    """SSIM between the lengths of the luminance's gradients: 1 for the same edges, around 0 for none in common.

    Raises:
        ValueError: pictures of different sizes, or of less than 7 pixels a side.
    """
    from skimage.metrics import structural_similarity

    _same_size(pastiche, content)
    if min(content.shape[2:]) < 7:
        raise ValueError(f"SSIM looks at windows of 7 × 7 pixels; this picture is {tuple(content.shape[2:])}")
    made, kept = (
        np.hypot(*np.gradient(luminance(image)[0, 0].cpu().double().numpy())) for image in (pastiche, content)
    )
    return float(structural_similarity(made, kept, data_range=max(made.max(), kept.max(), 1 / 255)))


def _same_size(pastiche: Tensor, content: Tensor) -> None:
    if pastiche.shape != content.shape:
        came = f"{tuple(pastiche.shape)} and {tuple(content.shape)}"
        raise ValueError(f"pastiche and content must be of one size, (1, 3, H, W); these are {came}: use resize")


def palette(images: Sequence[Tensor]) -> tuple[np.ndarray, np.ndarray]:
    """The main colours of some pictures together, and how much of each picture they cover.

    Returns:
        Lab (K, 3), clusters of pixels, at most `COLOURS`; and shares (pictures, K) whose rows add up to 1.
    """
    from scipy.spatial import KDTree
    from skimage.color import rgb2lab
    from sklearn.cluster import KMeans

    rows = [image[0].detach().cpu().double().flatten(1).T for image in images]  # (H·W, 3) each
    points = rgb2lab(torch.cat([_some(each, PLACES) for each in rows]).numpy())
    centres = np.unique(points, axis=0)
    if len(centres) > COLOURS:
        centres = KMeans(COLOURS, n_init=1, random_state=0).fit(points).cluster_centers_
    nearest = [KDTree(centres).query(rgb2lab(each.numpy()))[1] for each in rows]
    shares = [np.bincount(each, minlength=len(centres)) / len(each) for each in nearest]
    return centres, np.stack(shares)


def palette_distance(pastiche: Tensor, style: Tensor) -> float:
    """How far colours must be moved to become the other's, on average: earth mover's distance in ΔE of CIE Lab.

    min_T Σ_ij T_ij ‖c_i − c_j‖,  T ≥ 0 with row sums and column sums as the shares of both pictures

    0 for the same colours, about 2 for a difference that an eye can just see, 100 from black to white. Both pictures
    share one palette: with one each, the same picture twice would be several ΔE from itself.
    """
    from scipy.stats import wasserstein_distance_nd

    centres, (have, want) = palette([pastiche, style])
    return max(0.0, float(wasserstein_distance_nd(centres, centres, have, want)))


@torch.no_grad()
def pattern_diversity(image: Tensor, encoder: Encoder) -> float:
    """Mean of 1 − cos between the activations of two places of the third layer, over all pairs: 0 if all are alike."""
    layer = layers_of(encoder)[MIDDLE]
    places = encoder(image, [layer])[layer][0].flatten(1).T.double()  # (n, C)
    ways = places / places.norm(dim=1, keepdim=True).clamp_min(NEARLY_NOTHING)
    count = len(ways)
    if count < 2:
        return 0.0
    # Σ_{i≠j} cos = ‖Σ u‖² − Σ ‖u‖²: no need to look at each pair.
    cosines = ways.sum(dim=0).square().sum() - ways.square().sum()
    return max(0.0, 1 - float(cosines) / (count * (count - 1)))
