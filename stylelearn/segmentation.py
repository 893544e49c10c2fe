"""Lesson 07: semantic segmentation, so that the style of the sky goes to the sky.

A mask is a label image: (H, W) integers, each with a name and a colour. Masks come from files (`read_mask`), from
clustering both pictures together (`cluster`, without a download), or from a network (`segment`). Two pictures share a
region when a label has the same *name* in both; `merge_orphans` handles labels that only one of them has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelearn.encoders import Encoder
from stylelearn.images import read_image, read_settings, resize, write_image
from stylelearn.matting import MattingLaplacian
from stylelearn.samples import data_file
from stylelearn.weights import WeightsError, fetched, fitting, import_torchvision, read_weights, seeded

MAX_LABELS = 12
SMALLEST = 1e-3  # part of a picture below which a label or a colour counts as missing
NETWORK = "lraspp_mobilenet_v3_large"

Colour = tuple[int, int, int]

# The nine colours of the masks that Luan et al. published with their code, and three more.
COLOURS: dict[str, Colour] = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "grey": (128, 128, 128),
    "light blue": (0, 255, 255),
    "purple": (255, 0, 255),
    "orange": (255, 128, 0),
    "brown": (128, 64, 0),
    "dark green": (0, 100, 0),
}
_ALIKE = 60.0  # colours nearer than this are one label; black and white are 442 apart
_NOISE = 16.0  # how far JPEG changes a colour
# Least part of the flat areas with one of the colours: it is above 0.98 in masks and mostly below 0.93 in photographs.
_PAINTED = 0.97
_FLAT = 8.0  # range of a channel within 3 × 3 pixels of a flat area


@dataclass(frozen=True, eq=False)
class Masks:
    """A label image with names and colours.

    Attributes:
        labels: (H, W) int64 on the CPU, each an index into `names`.
        names: of the labels, all different, such as ("sky", "water").
        colours: (red, green, blue) from 0 to 255 of each label.
    Raises:
        ValueError: labels of another shape or type, or out of range; names that repeat; more than MAX_LABELS.
    """

    labels: Tensor
    names: tuple[str, ...]
    colours: tuple[Colour, ...]

    def __post_init__(self) -> None:
        labels = self.labels
        if not isinstance(labels, Tensor) or labels.ndim != 2 or labels.numel() == 0 or labels.is_floating_point():
            came = f"{tuple(labels.shape)} of {labels.dtype}" if isinstance(labels, Tensor) else type(labels).__name__
            raise ValueError(f"labels must be whole numbers (H, W); this is {came}")
        if not 1 <= len(self.names) <= MAX_LABELS:
            raise ValueError(f"there are {len(self.names)} labels; a mask has 1 to {MAX_LABELS}: merge some")
        if len(set(self.names)) != len(self.names) or len(self.colours) != len(self.names):
            raise ValueError(f"each label needs a name of its own and a colour; got {self.names} and {self.colours}")
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= len(self.names):
            raise ValueError(f"labels go from {low} to {high}, but there are {len(self.names)} names")
        object.__setattr__(self, "labels", labels.long().cpu())

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return (self.labels.shape[0], self.labels.shape[1])

    def shares(self) -> dict[str, float]:
        """The part of the picture that each label covers, by name; the parts add up to 1."""
        counts = torch.bincount(self.labels.flatten(), minlength=len(self.names)) / self.labels.numel()
        return dict(zip(self.names, counts.tolist(), strict=True))

    def __str__(self) -> str:
        """The regions and their parts of the picture, the largest first: "sky 61 %, water 39 %"."""
        shares = sorted(self.shares().items(), key=lambda row: -row[1])
        return ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares)

    def resized(self, size: tuple[int, int]) -> Masks:
        """The same regions at another (H, W): the label in the middle of each new pixel."""
        labels = F.interpolate(self.labels[None, None].double(), size, mode="nearest-exact")[0, 0].long()
        return Masks(labels, self.names, self.colours)

    def picture(self) -> Tensor:
        """The label image in its colours, (1, 3, H, W) in [0, 1]."""
        palette = torch.tensor(self.colours, dtype=torch.float32) / 255  # (K, 3)
        return palette[self.labels].permute(2, 0, 1)[None].contiguous()


def one_region(image: Tensor) -> Masks:
    """One label for a whole picture (1, 3, H, W), as in a pair without masks."""
    return Masks(torch.zeros(image.shape[-2:], dtype=torch.long), ("everything",), (COLOURS["white"],))


def scale(masks: Masks, size: tuple[int, int], names: Sequence[str] | None = None) -> Tensor:
    """Soft masks at the size of a layer (H', W'): the part of each cell that a label covers, (K, H', W') in [0, 1].

    `names` are labels, in this order (default: all); one that `masks` lacks is 0 everywhere.
    """
    wanted = masks.names if names is None else names
    numbers = [masks.names.index(name) if name in masks.names else -1 for name in wanted]
    hard = torch.stack([masks.labels == number for number in numbers]).float()  # (K, H, W)
    return F.interpolate(hard[None], size, mode="area")[0]


# --- files -----------------------------------------------------------------------------------------------------------


def read_mask(source: Any, size: tuple[int, int] | None = None) -> Masks:
    """Masks from a picture file: each flat colour is a label; pixels on soft edges get the nearest label.

    Labels are named as in `COLOURS`, others "#rrggbb"; files of `write_mask` hold their names. A grey image of small
    numbers (0, 1, 2, …) has the labels "label 0", "label 1", …

    Args:
        source: as of `read_image`.
        size: (H, W) of the result, of the file's proportions; None keeps the file's.
    Raises:
        ValueError: a photograph, no flat area, more than MAX_LABELS colours, or other proportions than `size`.
        ImageError: no readable picture.
    """
    levels = (read_image(source)[0] * 255).round().permute(1, 2, 0)  # (H, W, 3)
    settings = read_settings(source) if isinstance(source, str | Path | bytes) else {}
    numbered = None if "labels" in settings else _numbered(levels)
    palette = numbered[0] if numbered else settings.get("labels") or _palette(levels)
    palette = {name: tuple(colour) for name, colour in palette.items()}
    labels = numbered[1] if numbered else _snap(levels, list(palette.values()))
    masks = Masks(labels, tuple(palette), tuple(palette.values()))
    if size is None or size == masks.size:
        return masks
    (height, width), (wanted_height, wanted_width) = masks.size, size
    # A rounded side may be off by one pixel.
    if abs(height * wanted_width / width - wanted_height) > 1 + 0.01 * wanted_height:
        raise ValueError(
            f"the mask is {height}x{width} (height x width) and its picture {wanted_height}x{wanted_width}: their "
            "proportions differ; paint the mask over the picture itself"
        )
    return masks.resized(size)


def course_mask(name: str, size: tuple[int, int] | None = None) -> Masks:
    """The course's masks of one of its photographs, such as "china". Raises ValueError if there are none."""
    there = sorted(path.stem for path in data_file("masks").glob("*.png"))
    if name not in there:
        raise ValueError(f"the course has no masks of '{name}'; it has them of {', '.join(there)}")
    return read_mask(data_file("masks", f"{name}.png"), size)


def write_mask(masks: Masks, path: str | Path) -> Path:
    """Write a label image with its names as a PNG, which `read_mask` reads back exactly.

    Raises ValueError for other formats, which change colours; ImageError where it cannot be written.
    """
    if Path(path).suffix.lower() != ".png":
        raise ValueError(f"'{path}' does not end in .png; other formats change colours")
    labels = {name: list(colour) for name, colour in zip(masks.names, masks.colours, strict=True)}
    return write_image(masks.picture(), path, settings={"labels": labels})


def _palette(levels: Tensor) -> dict[str, Colour]:
    """The colours of flat areas by name, the most frequent first; `levels` is (H, W, 3) from 0 to 255."""
    planes = levels.permute(2, 0, 1)[None]  # (1, 3, H, W)
    spread = F.max_pool2d(planes, 3, 1, 1) + F.max_pool2d(-planes, 3, 1, 1)
    flat = levels[(spread <= _FLAT).all(dim=1)[0]]  # (n, 3)
    colours, counts = flat.unique(dim=0, return_counts=True)
    found: dict[str, Colour] = {}
    centres: list[list[float]] = []  # the colours as they are in the file
    for number in counts.argsort(descending=True, stable=True).tolist():
        if found and counts[number] < SMALLEST * levels.shape[0] * levels.shape[1]:
            break
        name, colour = _called(colours[number])
        if all(math.dist(colour, other) >= _ALIKE for other in found.values()):
            found[name] = colour
            centres.append(colours[number].tolist())
    if not found:
        raise ValueError("the mask has no flat area; paint each region in one colour, without gradients")
    painted = _part_near(flat, centres, _NOISE)
    alone = len(found) == 1 and _part_near(levels.reshape(-1, 3), centres, _ALIKE) < _PAINTED
    if painted < _PAINTED or alone:
        raise ValueError(
            f"this is no mask but a photograph or a drawing: {painted:.0%} of its flat areas have one of the "
            f"{len(found)} colours {', '.join(found)}; paint each region in one colour"
        )
    return found


def _numbered(levels: Tensor) -> tuple[dict[str, Colour], Tensor] | None:
    """Names and labels of an image of label numbers (2 to MAX_LABELS grey values up to 31); None for other images."""
    grey = levels[..., 0]
    if grey.max() > 31 or not (levels == grey[..., None]).all():
        return None
    values, labels = grey.unique(return_inverse=True)
    if not 1 < len(values) <= MAX_LABELS:
        return None
    return {f"label {int(v)}": c for v, c in zip(values, COLOURS.values(), strict=False)}, labels


def _part_near(colours: Tensor, centres: list[list[float]], distance: float) -> float:
    """The part of the colours (n, 3) that is within a distance of one of the centres."""
    return float((torch.cdist(colours, torch.tensor(centres)).amin(dim=1) <= distance).float().mean())


def _called(colour: Tensor) -> tuple[str, Colour]:
    """The name and the exact colour of the nearest of `COLOURS`, or "#rrggbb" and the colour itself."""
    red, green, blue = (int(value) for value in colour)
    name = min(COLOURS, key=lambda each: math.dist(COLOURS[each], (red, green, blue)))
    if math.dist(COLOURS[name], (red, green, blue)) < _ALIKE:
        return name, COLOURS[name]
    return f"#{red:02x}{green:02x}{blue:02x}", (red, green, blue)


def _snap(levels: Tensor, colours: Sequence[Colour]) -> Tensor:
    """(H, W) int64: the index of each pixel's colour; on soft edges that of the nearest pixel that is like a colour."""
    from scipy.ndimage import distance_transform_edt

    distances = torch.cdist(levels.reshape(-1, 3).float(), torch.tensor(colours, dtype=torch.float32))  # (H·W, K)
    nearest, labels = distances.min(dim=1)
    unsure = (nearest > _ALIKE).reshape(levels.shape[:2]).numpy()
    labels = labels.reshape(levels.shape[:2])
    if unsure.all():
        return labels
    rows, columns = distance_transform_edt(unsure, return_distances=False, return_indices=True)
    return labels[torch.from_numpy(rows).long(), torch.from_numpy(columns).long()]


# --- made from the pictures ------------------------------------------------------------------------------------------


def cluster(content: Tensor, style: Tensor, *, encoder: Encoder | None = None, regions: int = 4) -> tuple[Masks, Masks]:
    """Regions that two pictures share: k-means clusters of features, colours and height.

    Args:
        content, style: (1, 3, H, W) and (1, 3, H', W') in [0, 1].
        encoder: of the features; None for `mini`.
        regions: number of clusters, 1 to MAX_LABELS; one that is rare in a picture is merged into its nearest.
    Returns:
        masks of content and style with the same names ("region 1", …), the largest in the content first.
    Raises:
        ValueError: regions out of range, or pictures too small for the encoder.
    """
    from sklearn.cluster import KMeans

    if not 1 <= regions <= MAX_LABELS:
        raise ValueError(f"regions must be from 1 to {MAX_LABELS}; got {regions}")
    encoder = encoder or Encoder("mini")
    found = [_described(image, encoder) for image in (content, style)]  # (D, h, w) each
    points = torch.cat([each.flatten(1).T for each in found])  # (N, D)
    centres = KMeans(regions, n_init=4, random_state=0).fit(points.numpy()).cluster_centers_
    centres = torch.from_numpy(centres).float()
    while len(centres) > 1:  # remove the region that is rarest in one of the pictures, until none is too rare
        shares = torch.stack([torch.bincount(_nearest(each, centres), minlength=len(centres)) for each in found])
        shares = (shares / shares.sum(dim=1, keepdim=True)).amin(dim=0)
        if shares.min() >= 0.02:
            break
        centres = torch.cat([centres[: shares.argmin()], centres[shares.argmin() + 1 :]])
    order = torch.bincount(_nearest(found[0], centres), minlength=len(centres)).argsort(descending=True, stable=True)
    names = tuple(f"region {number}" for number in range(1, len(centres) + 1))
    # Black, white and grey come last: over a photo they would look like light and shade.
    colours = tuple(sorted(COLOURS.values(), key=lambda each: len(set(each)) == 1))[: len(centres)]
    labels = [_drawn(image, each, centres[order]) for image, each in zip((content, style), found, strict=True)]
    return Masks(labels[0], names, colours), Masks(labels[1], names, colours)


_SIDE = 256  # pixels of the shorter side at which pictures are clustered


@torch.no_grad()
def _described(image: Tensor, encoder: Encoder) -> Tensor:
    """The vector of each cell, (N + 4, h, w): features of relu3_3, colour and height, normalised within the picture.

    So a sky at noon and one at night, each the smoothest and uppermost part of its picture, can be the same region.
    """
    small = resize(image.cpu(), min(_SIDE, *image.shape[-2:]))
    features = encoder(small.to(encoder._mean.device), ["relu3_3"])["relu3_3"][0].cpu()  # (N, h, w)
    smoothed = F.avg_pool2d(features.log1p()[None], 5, 1, 2, count_include_pad=False)[0]
    colours = F.interpolate(small, features.shape[1:], mode="area")[0]
    height = torch.linspace(0, 1, features.shape[1])[:, None].expand(1, -1, features.shape[2])
    described = torch.cat([smoothed, colours, height])
    deviation, mean = torch.std_mean(described, dim=(1, 2), keepdim=True)
    weights = torch.tensor([features.shape[0] ** -0.5] * features.shape[0] + [0.7 * 3**-0.5] * 3 + [0.9])
    # A smaller deviation is rounding, as in a picture of one colour: all its cells are equal.
    centred = torch.where(deviation > 1e-5, described - mean, 0.0)
    return centred / (deviation + 1e-6) * weights[:, None, None]


def _nearest(points: Tensor, centres: Tensor) -> Tensor:
    return torch.cdist(points.flatten(1).T, centres).argmin(dim=1)


def _drawn(image: Tensor, points: Tensor, centres: Tensor) -> Tensor:
    """(H, W) labels of the size of the picture; their borders follow its edges."""
    distances = torch.cdist(points.flatten(1).T, centres)  # (n, K)
    belief = (-4 * distances.square()).softmax(dim=1).T.reshape(-1, *points.shape[1:])  # (K, h, w)
    belief = F.interpolate(belief[None], image.shape[-2:], mode="bilinear", align_corners=False)[0]
    radius = max(1, min(image.shape[-2:]) // 50)
    guided = MattingLaplacian(image.cpu(), eps=1e-4 * (2 * radius + 1) ** 2, radius=radius)
    return guided.smooth(belief).argmax(dim=0)


# --- from a network --------------------------------------------------------------------------------------------------


@torch.no_grad()
def segment(image: Tensor, *, weights: str | Path | None = None) -> Masks:
    """Semantic segmentation of a photograph by torchvision's LR-ASPP (Howard et al. 2019).

    Its classes are the 20 of Pascal VOC: people, animals, vehicles and furniture, but neither sky nor water.

    Args:
        image: (1, 3, H, W) in [0, 1].
        weights: a local checkpoint; None downloads it once (13 MB) to the folder of torch.hub.
    Returns:
        masks of the classes that were found, the largest first; those beyond MAX_LABELS become the largest.
    Raises:
        WeightsError: the weights cannot be downloaded, or the file does not fit.
    """
    models = import_torchvision().models
    published = models.get_model_weights(NETWORK).DEFAULT
    names = [name.strip("_") for name in published.meta["categories"]]
    with seeded():
        network = models.get_model(NETWORK, weights=None, weights_backbone=None, num_classes=len(names)).eval()
    try:
        weights = weights or fetched(published.url)
    except WeightsError as error:
        raise WeightsError(
            f"no weights of {NETWORK}: {error}. Fetch {published.url} on another computer and give its path as "
            "weights=…; or use segmentation.cluster, which needs no network, or paint masks"
        ) from error
    network.load_state_dict(fitting(network, read_weights(weights), f"{NETWORK} from {weights}"))
    scores = network(published.transforms()(image.cpu()))["out"]  # (1, 21, h, w)
    classes = F.interpolate(scores, image.shape[-2:], mode="bilinear", align_corners=False)[0].argmax(dim=0)  # (H, W)
    counts = torch.bincount(classes.flatten(), minlength=len(names))
    found = counts.argsort(descending=True, stable=True)[: min(MAX_LABELS, len(counts.nonzero()))].tolist()
    places = torch.zeros(len(names), dtype=torch.long)
    places[found] = torch.arange(len(found))
    return Masks(places[classes], tuple(names[number] for number in found), tuple(COLOURS.values())[: len(found)])


# --- labels that only one picture has --------------------------------------------------------------------------------

# The 150 classes of ADE20K (Zhou et al. 2017) and the 20 of Pascal VOC, grouped as in Luan et al. 2017: a lake and a
# sea are both water.
GROUPS: dict[str, tuple[str, ...]] = {
    "sky": (),
    "water": ("sea", "river", "lake", "swimming pool", "waterfall", "fountain"),
    "plant": ("tree", "grass", "field", "flower", "palm", "pottedplant"),
    "mountain": ("hill", "rock"),
    "ground": (
        *("earth", "sand", "land", "dirt track", "path", "road", "sidewalk", "runway", "floor", "rug", "stairs"),
        *("stairway", "step", "escalator"),
    ),
    "building": (
        *("house", "skyscraper", "tower", "hovel", "bridge", "pier", "grandstand", "booth", "tent", "awning"),
        *("canopy", "column", "fence", "railing", "bannister", "pole", "streetlight", "base", "stage"),
    ),
    "room": (
        *("wall", "ceiling", "windowpane", "door", "screen door", "curtain", "blind", "mirror", "painting", "poster"),
        *("bulletin board", "fireplace", "radiator", "shower", "bathtub", "sink", "toilet"),
    ),
    "furniture": (
        *("bed", "cabinet", "table", "chair", "sofa", "shelf", "armchair", "seat", "desk", "wardrobe", "cushion"),
        *("chest of drawers", "counter", "case", "pool table", "pillow", "bookcase", "coffee table", "bench"),
        *("countertop", "kitchen island", "swivel chair", "bar", "ottoman", "buffet", "stool", "cradle", "blanket"),
        *("towel", "diningtable"),
    ),
    "vehicle": (
        *("car", "bus", "truck", "van", "boat", "ship", "airplane", "bicycle", "minibike", "aeroplane", "motorbike"),
        *("train", "tank"),
    ),
    "person": ("apparel",),
    "animal": ("bird", "cat", "cow", "dog", "horse", "sheep"),
    "light": ("lamp", "chandelier", "sconce", "traffic light"),
    "object": (
        *("box", "signboard", "refrigerator", "book", "stove", "computer", "arcade machine", "television receiver"),
        *("bottle", "conveyer belt", "washer", "plaything", "barrel", "basket", "bag", "oven", "ball", "food"),
        *("trade name", "microwave", "pot", "dishwasher", "screen", "sculpture", "hood", "vase", "tray", "ashcan"),
        *("fan", "crt screen", "plate", "monitor", "glass", "clock", "flag", "tvmonitor"),
    ),
}

_GROUP = {name: group for group, names in GROUPS.items() for name in (group, *names)}


def group_of(name: str) -> str | None:
    """The group of a label, None for unknown labels; "Swimming_pool" is water."""
    return _GROUP.get(name.strip().lower().replace("_", " "))


@dataclass(frozen=True)
class Merge:
    """One row of the table of `merge_orphans`.

    Attributes:
        share: the part of the content that the label covers (0 if only the reference has it).
        to: its new label, itself if nothing changed; "" if it is unused.
    """

    label: str
    share: float
    to: str
    why: str


def merge_orphans(content: Masks, style: Masks) -> tuple[Masks, Masks, list[Merge]]:
    """Merge each label of the content that the reference, `style`, lacks (an orphan) into a label of the reference.

    It becomes a label of the same group (`GROUPS`); else the one with the longest common border in the content; else
    the largest of the reference. Labels that only the reference has stay unused; those that cover less than `SMALLEST`
    of it count as lacking.

    Returns:
        the content's masks with names of the reference only, the reference's masks unchanged, and the table.
    """
    there = {name: share for name, share in style.shares().items() if share >= SMALLEST}
    names = sorted(there, key=lambda name: -there[name])
    shares = {name: share for name, share in content.shares().items() if share > 0}
    table, target = [], {}
    for label, share in sorted(shares.items(), key=lambda row: -row[1]):
        target[label], why = _home(label, names, content)
        table.append(Merge(label, share, target[label], why))
    used = [name for name in style.names if name in target.values()]
    labels = torch.zeros_like(content.labels)
    for label, name in target.items():
        labels[content.labels == content.names.index(label)] = used.index(name)
    table += [Merge(name, 0.0, "", "only the reference has it") for name in names if name not in used]
    colours = tuple(style.colours[style.names.index(name)] for name in used)
    return Masks(labels, tuple(used), colours), style, table


def _home(label: str, names: list[str], content: Masks) -> tuple[str, str]:
    """The new label of a label of the content, and why; `names` are the reference's from large to small."""
    if label in names:
        return label, "both have it"
    kin = [name for name in names if group_of(name) == group_of(label) is not None]
    if kin:
        return kin[0], "the same kind of thing"
    borders = {name: _border(content, label, name) for name in names if name in content.names}
    nearest = max(borders, key=lambda name: borders[name], default=None)
    if nearest is not None and borders[nearest] > 0:
        return nearest, "its longest border"
    return names[0], "the largest of the reference"


def _border(masks: Masks, one: str, other: str) -> int:
    """The number of neighbouring pixels of which one has the first label and one the second."""
    a, b = (masks.labels == masks.names.index(name) for name in (one, other))
    down = (a[1:] & b[:-1]).sum() + (a[:-1] & b[1:]).sum()
    return int(down + (a[:, 1:] & b[:, :-1]).sum() + (a[:, :-1] & b[:, 1:]).sum())
