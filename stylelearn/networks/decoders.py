"""Decoders: activations of one layer in, an image out.

`mirrored_decoder` is an encoder backwards (Huang & Belongie 2017, section 4). `InverseNet` is Chen & Schmidt's network
(2016, section 4), which paints from activations that were put together from patches.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelearn.encoders import ARCHITECTURES, vgg_layers
from stylelearn.networks.transformation import InstanceNorm

SKIP_WIDTH, SKIP_BLOCKS = 80, 3  # of `SkipDecoder`: a slider is answered within 0.1 s at 256 px on two CPU cores


def mirrored_decoder(layer: str, *, encoder: str = "mini") -> nn.Sequential:
    """The encoder from `layer` backwards to the picture; no normalisation.

    Each convolution is turned round (its output channels become inputs), each pool becomes a nearest-neighbour
    upsampling; reflection padding throughout, which draws no frame. (B, C, H, W) -> (B, 3, H·2^k, W·2^k), not held to
    [0, 1].

    Args:
        layer: a ReLU.
        encoder: whose architecture is turned round: "mini", "vgg19" or "vgg16".
    Raises:
        ValueError: an unknown encoder; `layer` is none of its ReLUs.
    """
    if encoder not in ARCHITECTURES:
        raise ValueError(f"there is no decoder for {encoder!r}; there are {', '.join(ARCHITECTURES)}")
    layers = vgg_layers(ARCHITECTURES[encoder])
    names = list(layers)
    known = [name for name in names if name.startswith("relu")]
    if layer not in known:
        raise ValueError(f"there is no decoder from {layer!r}; the layers are, in order, {', '.join(known)}")
    steps: list[nn.Module] = []
    for name in reversed(names[: names.index(layer)]):
        if name.startswith("conv"):
            before, after = layers[name].out_channels, layers[name].in_channels
            steps += [_conv(before, after), nn.ReLU()]
        elif name.startswith("pool"):
            steps.append(nn.Upsample(scale_factor=2, mode="nearest"))
    return nn.Sequential(*steps[:-1])  # the picture itself passes no ReLU


class SkipDecoder(nn.Module):
    """A wider decoder for AdaIN, which sees a shallower layer beside the deepest.

    Eight by eight pixels share one position of relu4_1, and no decoder can tell them apart. Here relu3_1 comes along by
    a skip: each 2 × 2 of its positions is laid into the channels of one (`pixel_unshuffle`), so that both layers are
    one tensor. Behind them come planes of noise (`noise.py`), without which an even sky gets a pattern that repeats.
    (B, channels + beside·k² + noise, H, W) -> (B, 3, H·step, W·step), not held to [0, 1].

    Args:
        channels: of the deep layer. beside: of the shallower one.
        fold: k, how many positions a side of the shallower layer share one of the deep layer.
        step: pixels a side of a position of the deep layer.
        width: channels while it is at the shallower layer's size; halved with each enlargement from there.
        blocks: residual blocks at that size.
    """

    def __init__(
        self, channels: int, beside: int, *, fold: int, step: int, width: int = SKIP_WIDTH, blocks: int = SKIP_BLOCKS
    ) -> None:
        super().__init__()
        self.fold, self.noise = fold, 1 + fold**2  # planes: one for the deep layer, one for the shallower, folded
        self.split = [channels, beside * fold**2, 1, fold**2]
        self.deep = nn.Sequential(_conv(channels + 1, width), nn.ReLU(), _conv(width, width), nn.ReLU())
        self.join = nn.Sequential(_conv(width + beside + 1, width), nn.ReLU())
        self.blocks = nn.ModuleList(
            nn.Sequential(_conv(width, width), nn.ReLU(), _conv(width, width, gain=0.1)) for _ in range(blocks)
        )
        last: list[nn.Module] = []
        for _ in range((step // fold).bit_length() - 1):
            last += [nn.Upsample(scale_factor=2, mode="nearest"), _conv(width, width // 2), nn.ReLU()]
            width //= 2
            last += [_conv(width, width), nn.ReLU()]
        last[-2:] = [_conv(width, 3, gain=0.5)]
        self.paint = nn.Sequential(*last)

    def forward(self, features: Tensor) -> Tensor:
        deep, near, coarse, fine = features.split(self.split, dim=1)
        x = F.interpolate(self.deep(torch.cat([deep, coarse], dim=1)), scale_factor=self.fold, mode="nearest")
        x = self.join(torch.cat([x, *(F.pixel_shuffle(each, self.fold) for each in (near, fine))], dim=1))
        for block in self.blocks:
            x = x + block(x)
        return self.paint(x)


def _conv(before: int, after: int, *, gain: float = 1.0) -> nn.Conv2d:
    """3 × 3, with a start that suits many layers without normalisation; PyTorch's own would leave the picture grey."""
    conv = nn.Conv2d(before, after, 3, padding=1, padding_mode="reflect")
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    nn.init.zeros_(conv.bias)
    with torch.no_grad():
        conv.weight *= gain
    return conv


class InverseNet(nn.Sequential):
    """The inverse network of style swap: the encoder backwards, as `mirrored_decoder`, in two ways that it may differ.

    Args:
        layer: a ReLU of the encoder. `encoder`: whose architecture is turned round.
        norm: before each ReLU: "none", or the paper's "instance", which forgets how bright and how colourful it was.
        upsampling: "nearest" (enlarge, then convolve) or "transposed" (the paper's, with its checkerboards).
    Raises:
        ValueError: an unknown norm or upsampling; `mirrored_decoder`'s reasons.
    """

    def __init__(self, layer: str, *, encoder: str = "mini", norm: str = "none", upsampling: str = "nearest") -> None:
        if norm not in ("none", "instance") or upsampling not in ("nearest", "transposed"):
            raise ValueError(
                f"norm must be 'none' or 'instance', upsampling 'nearest' or 'transposed'; got {norm!r}, {upsampling!r}"
            )
        parts: list[nn.Module] = []
        for part in mirrored_decoder(layer, encoder=encoder):
            enlarges = parts and isinstance(parts[-1], nn.Upsample)
            if isinstance(part, nn.Conv2d) and enlarges and upsampling == "transposed":
                part = nn.ConvTranspose2d(part.in_channels, part.out_channels, 4, stride=2, padding=1)
                parts.pop()
            elif isinstance(part, nn.ReLU) and norm == "instance":
                parts.append(InstanceNorm(parts[-1].out_channels))  # type: ignore[arg-type]  # of the convolution
            parts.append(part)
        with torch.no_grad():  # begin near the middle grey
            parts[-1].weight.mul_(0.1)  # type: ignore[operator]
            parts[-1].bias.fill_(0.5)  # type: ignore[operator]
        super().__init__(*parts)
        self.to(memory_format=torch.channels_last)
