"""Noise at several scales, for networks that paint (Ulyanov et al., ICML 2016, "Texture Networks").

A convolutional network maps identical neighbourhoods to identical outputs. From a clear sky it can only make one colour
or a repeating pattern, unless its input is irregular. So noise is concatenated to the image: fine noise for grain,
coarser noise for marks.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

SCALES = (1, 4)  # pixels from one independent value to the next; with 16 dark blobs stand at its maxima


class Noise:
    """Smooth normal noise over a picture, a map for each scale, of which any rows can be had without the rest.

    Args:
        scales: pixels between independent values, whole numbers from 1.
        height, width: of the picture. seed: the same seed gives the same noise.
    """

    def __init__(self, scales: Sequence[int], height: int, width: int, seed: int = 0) -> None:
        self.scales, self.height, self.width = scales, height, width
        generator = torch.Generator().manual_seed(seed)
        # Half precision: the finest map of a large photo is as large as one of its channels.
        self.lattices = [
            torch.randn(1, 1, -(-height // scale), -(-width // scale), generator=generator).half() for scale in scales
        ]

    def rows(self, first: int = 0, last: int | None = None) -> Tensor:
        """The maps from row `first` to before row `last`: (1, scales, last − first, width), bilinear between values."""
        last = self.height if last is None else last
        found = []
        for scale, lattice in zip(self.scales, self.lattices, strict=True):
            begin = max(0, first // scale - 1)  # a value more on both sides: what is between them depends on it
            values = lattice[:, :, begin : last // scale + 2].float()
            smooth = F.interpolate(values, scale_factor=scale, mode="bilinear") if scale > 1 else values
            found.append(smooth[:, :, first - begin * scale : last - begin * scale, : self.width])
        return torch.cat(found, dim=1)


def beside(images: Tensor, scales: Sequence[int], *, vary: bool) -> Tensor:
    """Noise for images (B, C, H, W): (B, scales, H, W), the same for all.

    `vary`: another for each image, which depends on the image alone, so that a training run can be repeated.
    """
    height, width = images.shape[2:]
    # Apple's GPUs have no float64, so the sums are the processor's.
    seeds = [int(image.double().sum().abs() * 1000) for image in images.cpu()] if vary else [0]
    noise = torch.cat([Noise(scales, height, width, seed).rows() for seed in seeds])
    return noise.to(images).expand(len(images), -1, -1, -1)
