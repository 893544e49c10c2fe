"""What tests share: random pictures, an encoder that forgets nothing, and what each layer makes of a picture."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelearn.encoders import MEAN, STD


def picture(height: int = 64, width: int = 64, batch: int = 1, *, seed: int = 0) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))


class Plain:
    """An encoder that hands on the picture itself, or some of its channels, as all of its layers."""

    name = "plain"

    def __init__(self, channels: int = 3) -> None:
        self.channels = channels

    def __call__(self, image: Tensor, layers: object) -> dict[str, Tensor]:
        return {layer: image[:, : self.channels] for layer in layers}


class Blocks(nn.Module):
    """An encoder that forgets nothing: 2×2 pixels of a colour become four channels."""

    name = "mini"
    layers = ("relu2_1",)

    def forward(self, image: Tensor, layers: object) -> dict[str, Tensor]:
        return {"relu2_1": F.pixel_unshuffle(image, 2)}


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
