"""What the tests of distillation share: pictures to learn from, and what each layer of a network makes of them."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelearn.encoders import MEAN, STD


def crops(batch: int, size: int = 64, seed: int = 0) -> Tensor:
    """Smooth random pictures, so that neighbouring cells see something alike."""
    small = torch.rand(batch, 3, size // 8, size // 8, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(small, size=(size, size), mode="bicubic").clamp(0, 1)


def normalised(image: Tensor) -> Tensor:
    return (image - torch.tensor(MEAN).view(3, 1, 1).to(image)) / torch.tensor(STD).view(3, 1, 1).to(image)


def activations(layers: nn.ModuleDict, image: Tensor) -> dict[str, Tensor]:
    x, found = normalised(image), {}
    with torch.no_grad():
        for name, layer in layers.items():
            x = found[name] = layer(x)
    return found
