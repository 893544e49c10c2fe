"""Nearest patches: for each patch of the content's activations the most similar one of the style; and the swap.

A patch is a square of p × p cells of one layer, with all its channels. Chen & Schmidt (2016, section 3.1) look, for
each patch φ_i(C) of the content, for the style's patch with the highest normalised cross-correlation,

    φ_i^ss(C, S) = argmax_{φ_j(S)} ⟨φ_i(C), φ_j(S)⟩ / (‖φ_i(C)‖ ‖φ_j(S)‖),                                       (Eq. 1)

put it into the place of φ_i(C), and average where patches overlap. ‖φ_i(C)‖ is the same for all j and can be left out.

`swap_by_convolution` does this in three convolutions, as the paper explains it. `swap` gives the same and is made for
use. The product of two patches is a sum over their cells, ⟨φ_i, φ_j⟩ = Σ_d ⟨C(i + d), S(j + d)⟩, and neighbouring
patches share most of their cells. So each cell is multiplied with each cell once, and not p² times; what remains is to
add up. It is done piece by piece, so that the table of all products is never whole.

**Differs from the paper:** patches that are zero everywhere (possible after a ReLU) have no direction and are never
chosen, instead of dividing by zero. Where a stride above 1 does not come out even, both maps are filled up by
reflection at the right and at the bottom, so that every cell is part of a patch; the surplus is cut off again.
"""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelearn import losses

# MB (1e6 bytes) for the tables of products, or what one row of patches with one row takes, if that is more. More is not
# faster: they should fit into a cache.
MEMORY = 16.0


def matches(content_features: Tensor, style_features: Tensor, *, patch: int = 3, stride: int = 1) -> Tensor:
    """For each patch of the content, the number of the style's patch that is most like it (Eq. 1).

    Args:
        content_features: Φ(C), (B, C, H, W). style_features: Φ(S), (B or 1, C, h, w), of any size.
        patch: side p of a patch in cells. stride: cells from one patch to the next in both maps, 1 to p.
    Returns:
        (B, rows, columns), int64: patches of the style are numbered row by row; `origins` tells where they are. Of
        patches that are equally like, the first; 0 where all of the style is zero. No gradient.
    Raises:
        ValueError: no (B, C, H, W); channels, batches or devices that do not fit; values that are not finite; a patch
            that does not fit into a map; a stride not from 1 to p.
    """
    _check(content_features, style_features, patch, stride)
    with torch.no_grad(), torch.autocast(content_features.device.type, enabled=False):
        contents, styles = (_cells(filled(x, patch, stride)) for x in (content_features, style_features))
        styles = styles.expand(len(contents), -1, -1, -1)
        return torch.stack([_nearest(c, s, patch, stride) for c, s in zip(contents, styles, strict=True)])


def _nearest(content: Tensor, style: Tensor, patch: int, stride: int) -> Tensor:
    """`matches` of one image: cells (H, W, C) and (h, w, C) -> (rows, columns)."""
    rows, columns = grid(content.shape[:2], patch, stride)
    norms = _norms(style, patch, stride)  # (rows of the style, its columns)
    silent = norms == 0
    inverse = torch.where(silent, 0.0, 1 / norms).to(content)
    best = content.new_full((rows, columns), -math.inf)
    index = torch.zeros((rows, columns), dtype=torch.int64, device=content.device)
    count = _rows_at_once(content.shape[1] * style.shape[1] * content.element_size(), patch, stride)
    for top in range(0, rows, count):
        here = slice(top, min(top + count, rows))
        for first in range(0, len(norms), count):
            there = slice(first, min(first + count, len(norms)))
            likeness = _products(_band(content, here, patch, stride), _band(style, there, patch, stride), patch, stride)
            likeness *= inverse[there]  # (rows here, columns, rows there, columns of the style)
            if silent[there].any():
                likeness.masked_fill_(silent[there], -math.inf)
            value, number = likeness.flatten(start_dim=2).max(dim=2)
            better = value > best[here]
            best[here] = torch.where(better, value, best[here])
            index[here] = torch.where(better, number + first * norms.shape[1], index[here])
    return index


def _products(content: Tensor, style: Tensor, patch: int, stride: int) -> Tensor:
    """⟨φ_i, φ_j⟩ for all patches of two bands of cells (H, W, C) and (h, w, C): (rows, columns, rows, columns)."""
    (height, width, _), (high, wide, _) = content.shape, style.shape
    cells = content.flatten(end_dim=1) @ style.flatten(end_dim=1).t()  # each cell with each: (H·W, h·w)
    cells = cells.view(height, width, high, wide)
    (rows, columns), (lines, places) = grid((height, width), patch, stride), grid((high, wide), patch, stride)
    down = _added([cells[_every(d, rows, stride), :, _every(d, lines, stride)] for d in range(patch)])
    return _added([down[:, _every(d, columns, stride), :, _every(d, places, stride)] for d in range(patch)])


def _added(parts: list[Tensor]) -> Tensor:
    whole = parts[0] + parts[1] if len(parts) > 1 else parts[0].contiguous()
    for part in parts[2:]:
        whole += part
    return whole


def _every(first: int, count: int, stride: int) -> slice:
    """`count` places, `stride` apart."""
    return slice(first, first + (count - 1) * stride + 1, stride)


def _band(cells: Tensor, patches: slice, patch: int, stride: int) -> Tensor:
    """The rows of cells that these rows of patches cover."""
    return cells[patches.start * stride : (patches.stop - 1) * stride + patch]


def _rows_at_once(row: int, patch: int, stride: int) -> int:
    """How many rows of patches of both maps fit into `MEMORY`; the products of one `row` with one take these bytes."""
    tables = 1 + 1 / stride**2 + 1 / stride**4  # of cells; added downwards; added to the right
    side = math.sqrt(MEMORY * 1e6 / (row * tables))  # rows of cells
    return max(1, int((side - patch) / stride) + 1)


def _norms(cells: Tensor, patch: int, stride: int) -> Tensor:
    """‖φ_j‖ of every patch of the cells (h, w, C), in float64: (rows, columns)."""
    squares = cells.square().sum(dim=2, dtype=torch.float64)[None, None]
    return F.avg_pool2d(squares, patch, stride, divisor_override=1)[0, 0].sqrt()


def _cells(features: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, H, W, C), half precision as float32."""
    return losses.precise(features).permute(0, 2, 3, 1).contiguous()


def swap(content_features: Tensor, style_features: Tensor, *, patch: int = 3, stride: int = 1) -> Tensor:
    """Φ^ss(C, S): every patch of the content becomes the style's patch most like it; overlaps are averaged.

    Arguments and errors as `matches`. (B, C, H, W), the content's size, without gradient.
    """
    index = matches(content_features, style_features, patch=patch, stride=stride)
    with torch.no_grad():
        return assembled(index, style_features, content_features.shape[2:], patch=patch, stride=stride)


def assembled(
    index: Tensor, style_features: Tensor, size: tuple[int, int], *, patch: int = 3, stride: int = 1
) -> Tensor:
    """The style's patches, put where `index` says; overlaps are averaged.

    Args:
        index: as `matches` returns it, (B, rows, columns). style_features: (B or 1, C, h, w); colours will do, too.
        size: (H, W) of the content's map. patch, stride: those of `matches`.
    Returns:
        (B, C, H, W).
    Raises:
        ValueError: an index of another size.
    """
    if tuple(index.shape[1:]) != grid(size, patch, stride):
        raise ValueError(f"the index has {tuple(index.shape[1:])} patches; a map of {tuple(size)} has "
                         f"{grid(size, patch, stride)}; give `assembled` what `matches` had")  # fmt: skip
    height, width = ((count - 1) * stride + patch for count in index.shape[1:])
    whole = style_features.new_zeros(len(index), height, width, style_features.shape[1])
    count = style_features.new_zeros(height, width, 1)
    for rows, columns, cells in chosen(index, style_features, patch, stride):
        whole[:, rows, columns] += cells
        count[rows, columns] += 1
    return (whole / count).permute(0, 3, 1, 2)[:, :, : size[0], : size[1]]


def chosen(index: Tensor, style_features: Tensor, patch: int, stride: int) -> Iterator[tuple[slice, slice, Tensor]]:
    """Of all chosen patches one cell after the other, p² in all: where it goes, and the cells (B, rows, columns, C)."""
    cells = filled(style_features, patch, stride).permute(0, 2, 3, 1)  # (B or 1, h, w, C)
    y, x = origins(index, tuple(style_features.shape[2:]), patch=patch, stride=stride)
    image = torch.arange(len(index), device=index.device).view(-1, 1, 1) * (len(cells) > 1)
    for dy in range(patch):
        for dx in range(patch):
            there = _every(dy, index.shape[1], stride), _every(dx, index.shape[2], stride)
            yield *there, cells[image, y + dy, x + dx]


def swap_by_convolution(content_features: Tensor, style_features: Tensor, *, patch: int = 3, stride: int = 1) -> Tensor:
    """The same as `swap`, in three convolutions (section 3.1 of the paper): for reading, and for small maps."""
    _check(content_features, style_features, patch, stride)
    contents, styles = filled(content_features, patch, stride), filled(style_features, patch, stride)
    styles = styles.expand(len(contents), -1, -1, -1)
    pairs = zip(contents.split(1), styles.split(1), strict=True)
    swapped = torch.cat([_three_convolutions(content, style, patch, stride) for content, style in pairs])
    return swapped[:, :, : content_features.shape[2], : content_features.shape[3]]


@torch.no_grad()
def _three_convolutions(content: Tensor, style: Tensor, patch: int, stride: int) -> Tensor:
    kernels = F.unfold(style, patch, stride=stride)[0].t()  # (patches of the style, C·p·p)
    norms = kernels.norm(dim=1)
    there = norms > 0
    if not there.any():
        return torch.zeros_like(content)
    kernels = kernels[there].view(-1, content.shape[1], patch, patch)
    likeness = F.conv2d(content, kernels / norms[there].view(-1, 1, 1, 1), stride=stride)  # 1: (1, patches, rows, cols)
    best = likeness.argmax(dim=1, keepdim=True)
    one_hot = torch.zeros_like(likeness).scatter_(1, best, 1.0)  # 2
    whole = F.conv_transpose2d(one_hot, kernels, stride=stride)  # 3
    ones = torch.ones_like(one_hot[:, :1])
    return whole / F.conv_transpose2d(ones, ones.new_ones(1, 1, patch, patch), stride=stride)


def patch_distance(
    features: Tensor, style_features: Tensor, index: Tensor, *, patch: int = 3, stride: int = 1
) -> Tensor:
    """Σ_i ‖ψ_i(F) − φ_{index(i)}(S)‖², which has a gradient in `features`         (Li & Wand 2016, Eq. 2)

    (B, C, H, W), (B or 1, C, h, w) and, as of `matches`, (B, rows, columns) -> (B,), the sum over all patches.
    """
    features, style_features = losses.precise(features), losses.precise(style_features)
    cells = filled(features, patch, stride).permute(0, 2, 3, 1)
    parts = chosen(index, style_features, patch, stride)
    apart = [(cells[:, rows, columns] - wanted).square().sum(dim=(1, 2, 3)) for rows, columns, wanted in parts]
    return torch.stack(apart).sum(dim=0)


# --- where patches are -------------------------------------------------------------------------------------------


def grid(size: tuple[int, int], patch: int, stride: int) -> tuple[int, int]:
    """How many patches there are, downwards and to the right, in a map of `size`."""
    return tuple(1 + math.ceil((side - patch) / stride) for side in size)  # type: ignore[return-value]


def origins(index: Tensor, size: tuple[int, int], *, patch: int = 3, stride: int = 1) -> tuple[Tensor, Tensor]:
    """Row and column of the upper left cell of each patch in `index`, in a style's map of `size` (h, w)."""
    columns = grid(size, patch, stride)[1]
    return index // columns * stride, index % columns * stride


def filled(x: Tensor, patch: int, stride: int) -> Tensor:
    """(B, C, H, W) and as many reflected rows and columns as it takes for patches to cover everything."""
    missing = [(patch - side) % stride for side in x.shape[2:]]
    return F.pad(x, (0, missing[1], 0, missing[0]), mode="reflect") if any(missing) else x


def _check(content: Tensor, style: Tensor, patch: int, stride: int) -> None:
    for name, x in (("content", content), ("style", style)):
        if not isinstance(x, Tensor) or x.ndim != 4 or x.numel() == 0:
            came = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
            raise ValueError(f"the {name}'s activations must be a tensor (B, C, H, W); this is {came}")
        if not x.isfinite().all():
            raise ValueError(f"the {name}'s activations hold NaN or infinite values; take another picture or layer")
        if min(x.shape[2:]) < patch:
            raise ValueError(
                f"a patch of {patch}x{patch} cells does not fit into the {name}'s {x.shape[2]}x{x.shape[3]}; use a "
                "smaller patch, a larger picture, or an earlier layer"
            )
    if content.shape[1] != style.shape[1] or len(style) not in (1, len(content)) or content.device != style.device:
        raise ValueError(
            f"content {tuple(content.shape)} on {content.device} and style {tuple(style.shape)} on {style.device} do "
            "not fit: take both from one layer, and one style or one for each content"
        )
    if patch < 1 or not 1 <= stride <= patch:
        raise ValueError(f"patch must be at least 1 and stride from 1 to patch; they are {patch} and {stride}")
