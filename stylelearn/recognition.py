"""Masks from a network that has learnt what things look like, for those who can download one.

Torchvision's LR-ASPP (Howard et al. 2019) knows the 20 classes of Pascal VOC, people, animals, vehicles and furniture,
but neither sky nor water: for landscapes `segmentation.cluster` or a painted mask does more.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelearn.encoders import MEAN, STD
from stylelearn.images import resize
from stylelearn.palettes import COLOURS
from stylelearn.segmentation import MAX_LABELS, Masks
from stylelearn.weights import WeightsError, download, fitting, import_torchvision, read_weights

NETWORK = "lraspp_mobilenet_v3_large"
CLASSES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
_SIDE = 520  # pixels of the shorter side, with which the network was trained


@torch.no_grad()
def segment(image: Tensor, *, weights: str | Path | None = None, progress: bool = True) -> Masks:
    """What the network recognises, pixel by pixel.

    Args:
        image: (1, 3, H, W) in [0, 1].
        weights: a local checkpoint; None downloads it once (13 MB) to where torch.hub keeps such things.
        progress: show a progress bar while downloading.
    Returns:
        masks of the picture's size with the classes that were found, the largest first; the rarest beyond MAX_LABELS
        count as background.
    Raises:
        WeightsError: no weights to be had, or a file that does not fit.
    """
    models = import_torchvision().models
    with torch.random.fork_rng(devices=[]):  # making it draws random numbers: the caller's must not change
        network = models.get_model(NETWORK, weights=None, weights_backbone=None, num_classes=len(CLASSES)).eval()
    if weights is None:
        weights = _fetched(models.get_model_weights(NETWORK).DEFAULT.url, progress)
    network.load_state_dict(fitting(network, read_weights(weights), f"{NETWORK} from {weights}"))
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (MEAN, STD))
    scores = network((resize(image.cpu(), _SIDE) - mean) / std)["out"]  # (1, 21, h, w)
    classes = F.interpolate(scores, image.shape[-2:], mode="bilinear", align_corners=False)[0].argmax(dim=0)  # (H, W)
    counts = torch.bincount(classes.flatten(), minlength=len(CLASSES))
    found = [number for number in counts.argsort(descending=True).tolist() if counts[number] > 0]
    if len(found) > MAX_LABELS:
        found = [0, *(number for number in found if number != 0)][:MAX_LABELS]
    places = torch.full((len(CLASSES),), found.index(0) if 0 in found else 0)
    places[found] = torch.arange(len(found))
    return Masks(places[classes], tuple(CLASSES[number] for number in found), tuple(COLOURS.values())[: len(found)])


def _fetched(url: str, progress: bool) -> Path:
    try:
        return download(url, Path(torch.hub.get_dir()) / "checkpoints", progress=progress)
    except WeightsError as error:
        raise WeightsError(
            f"no weights of {NETWORK}: {error}. Fetch {url} on another computer and give its path as weights=…, "
            "or do without: segmentation.cluster needs no network, and masks can be painted"
        ) from error
