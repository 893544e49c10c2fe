"""Encoders: an image in, a dict of named activations out.

Every method of the course looks at pictures through the same door::

    encoder = Encoder("mini")
    features = encoder(image, layers=["relu1_1", "relu4_2"])     # {"relu1_1": (B, C, H, W), ...}

The layers bear VGG's names (Simonyan & Zisserman, ICLR 2015): ``conv4_2`` is the second convolution of block 4
before its ReLU, ``relu4_2`` the same after it, ``pool4`` what follows the block. `mini` is the course's own network
and ships with it; `vgg19`, `vgg16` and `squeezenet` are torchvision's, downloaded once on request.

All encoders are frozen: they are measuring instruments. `networks/distillation.py` shows how `mini` was made.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelearn.weights import WeightsError, checksum, fitting, load_state, seeded, torchvision_model, torchvision_state

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")  # Gatys et al. 2016, section 2.2
CONTENT_LAYER = "relu4_2"


@dataclass(frozen=True)
class Architecture:
    """A VGG-shaped network.

    Args:
        widths: for each block the channels of its 3x3 convolutions.
        padding: "zeros" as VGG, or "reflect", which draws no frame along the border.
        pool: 2x2 pools between the blocks, "avg" or "max", where nothing else is asked for: what the network was
            trained with; for VGG the average that Gatys et al. found smoother.
    """

    widths: tuple[tuple[int, ...], ...]
    padding: str
    pool: str


# The channels of its teacher (16, 32, 64, 128, 128) less those that never fire.
MINI = Architecture(((16, 16), (27, 32), (59, 43, 33, 36), (77, 78, 63, 115), (99,)), "reflect", "max")
ARCHITECTURES = {
    "mini": MINI,
    "random": MINI,
    "vgg19": Architecture(((64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4, (512,) * 4), "zeros", "avg"),
    "vgg16": Architecture(((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3), "zeros", "avg"),
}
POOLS = {"avg": nn.AvgPool2d, "max": nn.MaxPool2d}
SQUEEZENET = (
    *("conv1", "relu1", "pool1", "fire2", "fire3", "fire4"),
    *("pool4", "fire5", "fire6", "fire7", "fire8", "pool8", "fire9"),
)
NAMES = ("mini", "vgg19", "vgg16", "squeezenet", "random")
# What ImageNet networks, and `mini` with them, expect: (image - mean) / std per colour channel.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def vgg_layers(architecture: Architecture, *, pool: str | None = None, batch_norm: bool = False) -> nn.ModuleDict:
    """The layers of a VGG-shaped network by name, in order: conv1_1, relu1_1, conv1_2, …, pool1, …; no pool at the end.

    Args:
        pool: "avg" or "max"; None for the architecture's own.
        batch_norm: put ``norm1_1`` … between convolution and ReLU (only while `mini` is being trained).
    """
    layers = nn.ModuleDict()
    channels = 3
    for block, widths in enumerate(architecture.widths, start=1):
        if block > 1:
            layers[f"pool{block - 1}"] = POOLS[pool or architecture.pool](2)
        for i, width in enumerate(widths, start=1):
            layers[f"conv{block}_{i}"] = nn.Conv2d(channels, width, 3, padding=1, padding_mode=architecture.padding)
            if batch_norm:
                layers[f"norm{block}_{i}"] = nn.BatchNorm2d(width)
            layers[f"relu{block}_{i}"] = nn.ReLU()
            channels = width
    return layers


class Encoder(nn.Module):
    """A frozen network that answers with the activations of the layers that are asked for.

    Args:
        name: "mini" (ships with the course, the default), "vgg19", "vgg16", "squeezenet" (torchvision's, downloaded on
            first use unless `weights` names a file), or "random" (`mini`'s shape with random weights of `seed`).
        pool: "avg" or "max"; None takes the network's own. SqueezeNet keeps its max pools.
        weights: a local checkpoint in the key names of torchvision (or of `mini`): .safetensors, .pth or .pt.
        progress: show a progress bar while downloading.
        seed: for "random" only.

    Raises:
        ValueError: unknown `name` or `pool`; `weights` for "random".
        WeightsError: no weights to be had, or a file that is wrong, cut short or tampered with; says which and why.

    `layers` are the names of all layers, in order; `channels` tells how many channels each of them has.
    """

    def __init__(
        self,
        name: str = "mini",
        pool: str | None = None,
        weights: str | Path | None = None,
        progress: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if name not in NAMES:
            raise ValueError(f"unknown encoder {name!r}; there are {', '.join(NAMES)}")
        if pool is not None and pool not in POOLS:
            raise ValueError(f"pool must be 'avg' or 'max', not {pool!r}")
        if name == "random" and weights is not None:
            raise ValueError(f"the encoder 'random' takes no weights ({str(weights)!r}); use name='mini'")
        self.name = name
        if name == "squeezenet":
            self._layers = _squeezenet(weights, progress)
        else:
            self._layers = _vgg(name, pool, weights, progress, seed)
        self.layers: tuple[str, ...] = tuple(self._layers)
        self.channels: dict[str, int] = _channels(self._layers)
        self.register_buffer("_mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("_std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False).eval()
        # Channels last: the same numbers, stored pixel by pixel; about 1.1 times faster on CPUs.
        self.to(memory_format=torch.channels_last)

    def forward(self, image: Tensor, layers: Iterable[str] = STYLE_LAYERS) -> dict[str, Tensor]:
        """Activations of `layers`, computed only as deep as the deepest of them.

        Args:
            image: (B, 3, H, W), sRGB in [0, 1]; values somewhat outside are allowed while pixels are optimised.
            layers: names out of `self.layers`, in any order; one name alone is fine too.
        Returns:
            layer name -> (B, C, H', W'), in the order in which they were asked for.
        Raises:
            ValueError: unknown layer; wrong shape; an image too small for the deepest layer asked for.
        """
        wanted = [layers] if isinstance(layers, str) else list(layers)
        found = dict(self.walk(image, wanted))
        return {name: found[name] for name in wanted}

    def walk(self, image: Tensor, layers: Iterable[str] = STYLE_LAYERS) -> Iterator[tuple[str, Tensor]]:
        """Name and activations of each layer asked for, from shallow to deep, as soon as computed: takes less memory.

        Arguments and errors as `forward`.
        """
        wanted = [layers] if isinstance(layers, str) else list(layers)
        self._check(image, wanted)
        x = image.contiguous(memory_format=torch.channels_last)
        x = (x - self._mean) / self._std
        last, before = max(wanted, key=self.layers.index), ""
        for name, layer in self._layers.items():
            # In place, unless the values before the ReLU were asked for: saves a quarter of the memory.
            x = F.relu(x, inplace=before not in wanted) if isinstance(layer, nn.ReLU) else layer(x)
            if name in wanted:
                yield name, x
            if name == last:
                return
            before = name

    def _check(self, image: Tensor, wanted: list[str]) -> None:
        if not isinstance(image, Tensor) or image.ndim != 4 or image.shape[1] != 3:
            came = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
            raise ValueError(f"an image is a tensor (B, 3, H, W); this is {came}")
        if not image.is_floating_point():
            raise ValueError(f"an image holds floats in [0, 1]; this holds {image.dtype}: use image.float() / 255")
        if image.device != self._mean.device:
            raise ValueError(f"the image is on {image.device}, the encoder on {self._mean.device}; move one with .to()")
        if not wanted:
            raise ValueError("layers is empty; ask for at least one, such as 'relu4_2'")
        for name in wanted:
            if name not in self.layers:
                raise ValueError(f"layer {name!r} is not in {self.name}; deepest is {self.layers[-1]!r}, see .layers")
        last = max(wanted, key=self.layers.index)
        smallest = self.smallest(last)
        if min(image.shape[2:]) < smallest:
            height, width = image.shape[2:]
            raise ValueError(f"a picture of {height}x{width} is too small for {last}: at least {smallest} px a side")

    def smallest(self, layer: str) -> int:
        """The shortest side in pixels for which `layer` can be computed."""
        cells = 1  # that are needed at this depth, walking from `layer` back to the picture
        for name in reversed(self.layers[: self.layers.index(layer) + 1]):
            if name.startswith("pool"):
                cells *= 2
            elif name == "conv1":  # SqueezeNet's, 7x7 with stride 2 and no padding
                cells = 2 * cells + 5
            elif getattr(self._layers[name], "padding_mode", "") == "reflect":
                cells = max(cells, 2)  # there must be a neighbour to reflect
        return cells


def encoder_for(about: Mapping[str, Any], given: Encoder | None, file: str) -> Encoder:
    """The encoder that the network in `file` was trained with: `given` if it is that one, or one made by its name.

    Args:
        about: the file's header: "encoder" is a name, "encoder_sha256" the `weights.checksum` of that encoder.
    Raises:
        WeightsError: it is another one.
    """
    name, digits = about["encoder"], about.get("encoder_sha256")
    encoder = given or Encoder(name)
    if encoder.name != name:
        raise WeightsError(f"{file} was trained for the encoder {name!r}, not for {encoder.name!r}")
    if digits and (found := checksum(encoder)) != digits:
        raise WeightsError(
            f"{file} was trained for another encoder {name!r}: SHA-256 of its weights {digits[:12]}…, of these "
            f"{found[:12]}…; give the weights that it was trained with, or train it again"
        )
    return encoder


def _channels(layers: nn.ModuleDict) -> dict[str, int]:
    channels, width = {}, 3
    for name, layer in layers.items():
        if name.startswith("fire"):
            width = layer.expand1x1.out_channels + layer.expand3x3.out_channels
        elif name.startswith("conv"):
            width = layer.out_channels
        channels[name] = width
    return channels


def _vgg(name: str, pool: str | None, weights: str | Path | None, progress: bool, seed: int) -> nn.ModuleDict:
    with seeded():
        layers = vgg_layers(ARCHITECTURES[name], pool=pool)
    if name == "random":
        generator = torch.Generator().manual_seed(seed)
        for layer in layers.values():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
                nn.init.zeros_(layer.bias)
    elif name == "mini":
        layers.load_state_dict(fitting(layers, load_state(name, weights), f"{name} from {weights or 'the course'}"))
    else:
        # torchvision numbers the layers (conv4_2 is features.21) in the order in which we name them.
        numbered = nn.Sequential(OrderedDict(features=nn.Sequential(*layers.values())))
        state = torchvision_state(name, weights, progress)
        numbered.load_state_dict(fitting(numbered, state, f"{name} from {weights or 'torchvision'}"))
    return layers


def _squeezenet(weights: str | Path | None, progress: bool) -> nn.ModuleDict:
    """SqueezeNet 1.0 by the names of its paper (Iandola et al. 2016): conv1, relu1, pool1, fire2 … fire9."""
    model = torchvision_model("squeezenet")
    state = torchvision_state("squeezenet", weights, progress)
    model.load_state_dict(fitting(model, state, f"squeezenet from {weights or 'torchvision'}"))
    return nn.ModuleDict(dict(zip(SQUEEZENET, model.features, strict=True)))
