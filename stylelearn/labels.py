"""What things are, roughly: the 150 classes of ADE20K (Zhou et al. 2017), grouped to a dozen.

Networks that segment photographs tell a lake from a sea; a style has just water. Luan et al. 2017 merge the classes of
their segmentation for the same reason. The 20 classes of Pascal VOC, which torchvision's networks know, are here too.
"""

from collections.abc import Iterable

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
    """The group that a label belongs to, itself if it is the name of a group, None if it is not known.

    Case, spaces at the ends and underscores do not matter: "Swimming_pool" is water.
    """
    return _GROUP.get(name.strip().lower().replace("_", " "))


def relative(name: str, others: Iterable[str]) -> str | None:
    """The first of `others` in the same group as `name`; None if there is none, or if `name` is not known."""
    group = group_of(name)
    return next((other for other in others if group is not None and group_of(other) == group), None)
