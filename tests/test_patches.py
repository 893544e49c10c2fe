"""Matching and swapping patches against loops in float64, in both forms, and what it must do whatever the numbers."""

import math
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import assume, given, settings
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from stylelearn import patches
from stylelearn.patches import assembled, matches, origins, patch_distance, swap, swap_by_convolution

SEEDS = st.integers(0, 2**31 - 1)
SIDES = st.integers(3, 8)
CUTS = st.tuples(st.integers(1, 4), st.integers(1, 4)).filter(lambda cut: cut[1] <= cut[0])


def maps(*shape: int, seed: int = 0, signed: bool = False) -> Tensor:
    """Activations in float64, as after a ReLU; channels enough that no two patches have one direction by chance."""
    made = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return made if signed else made.relu()


def mirrored(x: Tensor, patch: int, stride: int) -> Tensor:
    """Reflected rows and columns until the last patch covers the last cell; one cell after the other."""
    for dim in (2, 3):
        first = x.shape[dim]
        while (x.shape[dim] - patch) % stride:
            beyond = x.shape[dim] - first + 1
            x = torch.cat([x, x.narrow(dim, first - 1 - beyond, 1)], dim=dim)
    return x


def corners(x: Tensor, patch: int, stride: int) -> list[tuple[int, int]]:
    down, right = (range(0, side - patch + 1, stride) for side in x.shape[2:])
    return [(y, z) for y in down for z in right]


def by_loops(content: Tensor, style: Tensor, patch: int, stride: int) -> tuple[Tensor, list[list[int]], float]:
    """Φ^ss, the numbers of the chosen patches, and by how much the best was better than the second, at least."""
    height, width = content.shape[2:]
    content, style = mirrored(content.double(), patch, stride), mirrored(style.double(), patch, stride)
    whole, count = torch.zeros_like(content), torch.zeros_like(content[:, :1])
    chosen, narrowest = [], math.inf
    for b in range(len(content)):
        other = style[min(b, len(style) - 1)]
        theirs = [other[:, y : y + patch, x : x + patch] for y, x in corners(style, patch, stride)]
        numbers = []
        for y, x in corners(content, patch, stride):
            mine = content[b, :, y : y + patch, x : x + patch]
            like = [float((mine * one).sum() / one.norm()) if one.norm() > 0 else -math.inf for one in theirs]
            best = max(range(len(like)), key=like.__getitem__)
            if mine.norm() > 0:
                second = max((each for j, each in enumerate(like) if j != best), default=-math.inf)
                narrowest = min(narrowest, (like[best] - second) / float(mine.norm()))
            numbers.append(best)
            whole[b, :, y : y + patch, x : x + patch] += theirs[best]
            count[b, :, y : y + patch, x : x + patch] += 1
        chosen.append(numbers)
    return (whole / count)[:, :, :height, :width], chosen, narrowest


def close(found: Tensor, expected: Tensor, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(found.double(), expected.double(), rtol=tolerance, atol=tolerance)


@settings(max_examples=25)
@given(CUTS, SIDES, SIDES, SIDES, SIDES, st.booleans(), SEEDS)
def test_both_forms_are_the_loops(
    cut: tuple[int, int], height: int, width: int, high: int, wide: int, signed: bool, seed: int
) -> None:
    """Any patch and stride; the style smaller than the content and the reverse; negative numbers, too."""
    patch, stride = cut
    assume(min(height, width, high, wide) >= patch)
    content, style = maps(2, 6, height, width, seed=seed, signed=signed), maps(2, 6, high, wide, seed=seed + 1)
    expected, chosen, narrowest = by_loops(content, style, patch, stride)
    assume(narrowest > 1e-9)
    close(swap(content, style, patch=patch, stride=stride), expected, 1e-9)
    close(swap_by_convolution(content, style, patch=patch, stride=stride), expected, 1e-9)
    assert matches(content, style, patch=patch, stride=stride).flatten(start_dim=1).tolist() == chosen
    if narrowest > 1e-4:
        close(swap(content.float(), style.float(), patch=patch, stride=stride), expected)
        close(swap_by_convolution(content.float(), style.float(), patch=patch, stride=stride), expected)


@pytest.mark.parametrize(("memory", "stride"), [(1e-4, 1), (3e-3, 2), (0.02, 1)])
def test_the_memory_changes_nothing(memory: float, stride: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patches, "MEMORY", memory)
    content, style = maps(2, 5, 13, 9), maps(1, 5, 8, 11, seed=1)
    expected = by_loops(content, style, 3, stride)[1]
    assert matches(content, style, stride=stride).flatten(start_dim=1).tolist() == expected


@settings(max_examples=25)
@given(CUTS, SIDES, SIDES, SEEDS)
def test_a_picture_swapped_with_itself_stays(cut: tuple[int, int], height: int, width: int, seed: int) -> None:
    patch, stride = cut
    assume(min(height, width) >= patch)
    x = maps(1, 8, height, width, seed=seed, signed=True)
    close(swap(x, x, patch=patch, stride=stride), x, 1e-12)
    close(swap(x.float(), x.float(), patch=patch, stride=stride), x)


@settings(max_examples=25)
@given(st.floats(1e-10, 1e10), SEEDS)
def test_how_strong_the_content_is_does_not_matter(factor: float, seed: int) -> None:
    content, style = maps(1, 6, 6, 7, seed=seed), maps(1, 6, 5, 8, seed=seed + 1)
    assert torch.equal(swap(factor * content, style), swap(content, style))
    strong, weak = (factor * content).float(), content.float()
    if by_loops(content, style, 3, 1)[2] > 1e-4:
        assert torch.equal(swap(strong, style.float()), swap(weak, style.float()))


@pytest.mark.parametrize("form", [swap, swap_by_convolution])
@pytest.mark.parametrize("signed", [False, True])
def test_patches_without_anything_in_them_never_win(form: Any, signed: bool) -> None:
    content, style = maps(1, 4, 6, 6, signed=signed), maps(1, 4, 8, 8, seed=1)
    if signed:
        content = -content.abs()  # every product with the style is negative: 0 would be the highest
    style[:, :, :5, :5] = 0
    for dtype in (torch.float32, torch.float64):
        found = form(content.to(dtype), style.to(dtype))
        assert found.isfinite().all()
        close(found, by_loops(content, style, 3, 1)[0])
    y, x = origins(matches(content, style), (8, 8))
    assert not ((y <= 2) & (x <= 2)).any()
    assert torch.equal(form(content, 0 * style), torch.zeros_like(content))  # nothing else is there
    assert form(0 * content, style).isfinite().all()


def test_half_precision_is_computed_in_single_and_autocast_changes_nothing() -> None:
    content, style = (each.bfloat16() for each in (maps(1, 4, 6, 6), maps(1, 4, 6, 6, seed=1)))
    found = swap(content, style)
    assert found.dtype == torch.bfloat16
    index = matches(content.float(), style.float())
    assert torch.equal(matches(content, style), index)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(matches(content.float(), style.float()), index)


class Largest(TorchDispatchMode):
    """Takes note of the largest tensor that any operation makes, in MB."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 0.0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for each in out if isinstance(out, tuple | list) else [out]:
            if isinstance(each, Tensor):
                self.most = max(self.most, each.untyped_storage().nbytes() / 1e6)
        return out


@pytest.mark.parametrize(("patch", "stride"), [(3, 1), (3, 2), (7, 1)])
def test_tables_of_products_stay_within_the_memory(patch: int, stride: int, monkeypatch: pytest.MonkeyPatch) -> None:
    content, style = maps(1, 2, 48, 40).float(), maps(1, 2, 44, 36, seed=1).float()
    whole = 48 * 40 * 44 * 36 * 4 / 1e6  # 12 MB
    for memory in (1.0, 4.0):
        monkeypatch.setattr(patches, "MEMORY", memory)
        with Largest() as seen:
            swap(content, style, patch=patch, stride=stride)
        assert 0.05 * memory < seen.most <= memory < whole


def test_colours_can_be_put_where_activations_were_matched() -> None:
    """The index does not care what is carried: this draws the correspondence."""
    content, style = maps(1, 5, 6, 6), maps(1, 5, 7, 9, seed=1)
    index, colours = matches(content, style), maps(1, 3, 7, 9, seed=2)
    found = assembled(index, colours, (6, 6))
    close(assembled(index, torch.cat([style, colours], dim=1), (6, 6))[:, 5:], found, 1e-12)
    with pytest.raises(ValueError, match=r"the index has \(4, 4\) patches; a map of \(9, 9\) has \(7, 7\)"):
        assembled(index, colours, (9, 9))


@pytest.mark.parametrize(("patch", "stride"), [(3, 1), (3, 2)])
def test_patch_distance_by_a_loop(patch: int, stride: int) -> None:
    features, style = maps(2, 4, 6, 5), maps(1, 4, 7, 7, seed=1)
    index = matches(features, style, patch=patch, stride=stride)
    found = patch_distance(features, style, index, patch=patch, stride=stride)
    full, other = mirrored(features, patch, stride), mirrored(style, patch, stride)
    places = corners(other, patch, stride)
    for b in range(2):
        total = 0.0
        for number, (y, x) in zip(index[b].flatten().tolist(), corners(full, patch, stride), strict=True):
            v, u = places[number]
            mine, theirs = full[b, :, y : y + patch, x : x + patch], other[0, :, v : v + patch, u : u + patch]
            total += float((mine - theirs).square().sum())
        assert float(found[b]) == pytest.approx(total)


def test_the_gradient_of_patch_distance_leads_to_the_swapped_map() -> None:
    """Its minimum for a fixed index is `assembled`: there the gradient is zero."""
    features, style = maps(1, 4, 6, 5), maps(1, 4, 7, 7, seed=1)
    index = matches(features, style)
    x = features.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda y: patch_distance(y, style, index), (x,))
    lowest = assembled(index, style, (6, 5)).requires_grad_()
    (slope,) = torch.autograd.grad(patch_distance(lowest, style, index).sum(), lowest)
    close(slope, torch.zeros_like(slope), 1e-9)


X = maps(1, 4, 6, 6)


@pytest.mark.parametrize(
    ("content", "style", "options", "words"),
    [
        (X, X, {"patch": 7}, "a patch of 7x7 cells does not fit into the content's 6x6; use a smaller patch"),
        (X, X[..., :2], {}, "a patch of 3x3 cells does not fit into the style's 6x2"),
        (X, X, {"patch": 0}, "patch must be at least 1 and stride from 1 to patch; they are 0 and 1"),
        (X, X, {"stride": 4}, "they are 3 and 4"),
        (X, X[:, :3], {}, r"style \(1, 3, 6, 6\) on cpu do not fit: take both from one layer"),
        (X, X.expand(2, -1, -1, -1), {}, "one style or one for each content"),
        (X[0], X, {}, r"the content's activations must be a tensor \(B, C, H, W\); this is \(4, 6, 6\)"),
        (X, "style", {}, "this is str"),
        (X / 0, X, {}, "the content's activations hold NaN or infinite values"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(content: Any, style: Any, options: dict[str, int], words: str) -> None:
    for form in (swap, swap_by_convolution):
        with pytest.raises(ValueError, match=words):
            form(content, style, **options)


@pytest.mark.parametrize("form", [swap, swap_by_convolution])
def test_silence(form: Any) -> None:
    content, style = maps(1, 4, 6, 6), maps(1, 4, 6, 6, seed=1)
    assert torch.equal(form(content, 0 * style), torch.zeros_like(content))  # nothing else is there
    assert form(0 * content, style).isfinite().all()


def test_distances_of_half_precision_are_summed_in_single() -> None:
    content, style = (maps(1, 6, 20, 20, seed=seed) * 30 for seed in (1, 2))
    index = matches(content, style)
    content, style = content.bfloat16(), style.bfloat16()
    found = patch_distance(content, style, index)
    assert found.dtype == torch.float32
    close(found, patch_distance(content.double(), style.double(), index).float(), 1e-5)
