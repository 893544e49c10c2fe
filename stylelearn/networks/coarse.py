"""From coarse to fine: marks of several sizes from a network that has learnt marks of one size.

Wang et al. (CVPR 2017, "Multimodal Transfer") paint a small picture first, enlarge it, and refine it with further
networks. Here one network does all of it, and is trained as always.
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from stylelearn.networks import tiling

SHARE = 0.5  # large forms, and the photo's lines are still there
SMALLEST = 80  # pixels of the shorter side: in a smaller picture there is too little to see


def coarse_to_fine(paint: Callable[[Tensor], Tensor], photo: Tensor, share: float = SHARE) -> Tensor:
    """Paint a mixture: a pastiche of the photo at half of its size, enlarged, has a `share`; the rest is the photo.

    The half is painted in the same way, down to `SMALLEST` pixels. All of it takes a third longer than the last pass.

    Args:
        paint: (B, 3, H, W) in [0, 1] -> the same; called with pictures of several sizes.
        photo: (B, 3, H, W) in [0, 1], which is also what comes back.
        share: from 0 (the photo is painted at once) to below 1; or ValueError.
    """
    if not 0 <= share < 1:
        raise ValueError(f"the share of the coarse pastiche must be from 0 to below 1; got {share}")
    size = photo.shape[2:]
    if size.numel() > tiling.LARGE:
        tiling.free_at_once()
    if share and min(size) >= 2 * SMALLEST:
        half = F.avg_pool2d(photo, 2, ceil_mode=True)
        large = F.interpolate(coarse_to_fine(paint, half, share), size=tuple(size), mode="bilinear")
        photo = large.lerp_(photo, 1 - share)  # in place: of a large photo there need not be one copy more
        del half
    return paint(photo)
