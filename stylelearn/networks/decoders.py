"""Decoders: activations of one layer in, an image out.

`mirrored_decoder` is an encoder backwards (Huang & Belongie 2017, section 4). `InverseNet` is Chen & Schmidt's network
(2016, section 4), which paints from activations that were put together from patches.
"""

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelearn.colour import rgb_to_ycbcr
from stylelearn.encoders import ARCHITECTURES, vgg_layers
from stylelearn.losses import precise
from stylelearn.networks import tiling
from stylelearn.networks.conditioning import AdjustedNorm, Conditioner, full_precision
from stylelearn.networks.noise import Noise, beside
from stylelearn.networks.transformation import BLOCKS, WIDTHS, InstanceNorm, TransformationNet, View

AXES = 64  # numbers of the style code in t
NOISE = (1,) * 16  # beside t: one plane at half of the picture's size


def mirrored_decoder(layer: str, *, encoder: str = "mini", width: int = 1) -> nn.Sequential:
    """The encoder from `layer` backwards to the picture; no normalisation.

    Each convolution is turned round (its output channels become inputs), each pool becomes a nearest-neighbour
    upsampling; reflection padding throughout, which draws no frame. (B, C, H, W) -> (B, 3, H·2^k, W·2^k), not held to
    [0, 1].

    Args:
        layer: a ReLU of the encoder, "mini", "vgg19" or "vgg16".
        width: how many times as many channels it has, between `layer` and the picture.
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
            before = layers[name].out_channels * (width if steps else 1)
            after = layers[name].in_channels * (width if name != "conv1_1" else 1)
            steps += [_conv(before, after), nn.ReLU()]
        elif name.startswith("pool"):
            steps.append(nn.Upsample(scale_factor=2, mode="nearest"))
    return nn.Sequential(*steps[:-1])  # the picture itself passes no ReLU


class PaintingDecoder(TransformationNet):
    """The course's decoder for AdaIN: lesson 03's network with t in place of a photo, and the style in each norm.

    A norm forgets the moments of what it is given (lesson 05, section 5). So each norm here gets γ and β anew, read off
    the style code that t brings along, by a map that is learnt.

    t is one tensor, (B, channels + 4 · beside + 48 + AXES, H, W), in this order: relu4_1; relu3_1, of which each 2 × 2
    positions are laid into the channels of one (`pixel_unshuffle`); the picture at half of its size in YCbCr, laid into
    channels likewise, twice; the style code, which is the same at all places unless styles were mixed by masks. Of all
    but the code only the pattern counts: what is left without mean and deviation. Behind it comes some noise
    (`noise.py`). (B, …, H, W) -> (B, 3, 8 H, 8 W) in [0, 1].

    Args:
        channels: of relu4_1. beside: of relu3_1.
        widths, blocks: as of `TransformationNet`.
    """

    def __init__(self, channels: int, beside: int, *, widths: Sequence[int] = WIDTHS, blocks: int = BLOCKS) -> None:
        conditioner = Conditioner(2 * (channels + beside + 3), 0, axes=AXES)
        looks = _FirstLook(channels, beside, widths[2]), _conv(4, widths[1])
        super().__init__(widths, blocks, partial(AdjustedNorm, told=conditioner.told), looks=looks)
        self.conditioner, self.split = conditioner, [channels, 4 * beside, 48]

    def laid_out(self, deep: Tensor, near: Tensor, image: Tensor) -> Tensor:
        """t but for its code, of relu4_1, relu3_1 and their picture (B, 3, 8 H, 8 W) in [0, 1]."""
        small = F.pixel_unshuffle(F.avg_pool2d(rgb_to_ycbcr(image.float()), 2), 2)
        return torch.cat([deep, F.pixel_unshuffle(torch.cat([near, small.to(near)], dim=1), 2)], dim=1)

    def with_code(self, features: Tensor) -> Tensor:
        """t, of what `laid_out` made: (B, C, H, W) -> (B, C + AXES, H, W)."""
        code = self.conditioner.along(self.numbers(features))[:, :, None, None].to(features)
        return torch.cat([features, code.expand(-1, -1, *features.shape[2:])], dim=1)

    def numbers(self, features: Tensor) -> Tensor:
        """What the code is made of, the logarithms of each channel's mean and deviation: (B, C, H, W) -> (B, K)."""
        found = []
        mean, variance = tiling.mean_and_variance_in_bands(precise, features, 0)
        for each in (mean, variance.sqrt()):  # (B, C, 1, 1); a channel that lies in several has the mean of these
            parts = each.flatten(start_dim=1).split(self.split, dim=1)
            found += [part.unflatten(1, (-1, folds)).mean(dim=2) for part, folds in zip(parts, (1, 4, 16), strict=True)]
        return (torch.cat(found, dim=1).clamp_min(0) + 0.01).log()

    def forward(self, features: Tensor) -> Tensor:
        """g(t). Raises ValueError for styles mixed by masks in a picture of more than `tiling.LARGE` pixels."""
        pattern, codes = features[:, : sum(self.split)], features[:, sum(self.split) :]
        height, width = features.shape[2:]
        large = 64 * height * width > tiling.LARGE and not torch.is_grad_enabled()
        everywhere = bool((codes.amax(dim=(2, 3)) - codes.amin(dim=(2, 3)) < 0.01).all())  # the same code
        if large and not everywhere:
            raise ValueError(
                f"a picture of {8 * height} × {8 * width} pixels is too large for masks, which take up to "
                f"{tiling.LARGE:,}; make it smaller, or take one style or mixture for all of it"
            )
        with full_precision(features):
            known = codes.mean(dim=(2, 3)) if everywhere else codes.movedim(1, -1)
            condition = (self.conditioner.tell(known.float()),)
        mean, variance = tiling.mean_and_variance_in_bands(precise, pattern, 0)

        def flat(first: int = 0, last: int | None = None) -> Tensor:
            return (pattern[:, :, first:last] - mean) * (variance + 1e-5).rsqrt()

        if not large:
            x = torch.cat([flat(), beside(features, NOISE, vary=self.training)], dim=1)
            x = x.contiguous(memory_format=torch.channels_last)
            return self.through(x, _half(x), condition)
        noise = Noise(NOISE, height, width).rows

        def rows(first: int, last: int) -> Tensor:
            x = torch.cat([flat(first, last), noise(first, last)], dim=1)
            return x.contiguous(memory_format=torch.channels_last)

        cells = View(pattern[:, :0], rows)
        half = View(mean.new_empty(len(mean), 0, 4 * height, 4 * width), lambda a, b: _half(rows(a // 4, b // 4)))
        return self.through_in_bands(cells, half, lambda a, b: _quarter(rows(a // 2, b // 2)), condition)


def _quarter(x: Tensor) -> Tensor:
    """Small picture and noise at a quarter of the picture's size, each 2 × 2 places of half the size in one."""
    return F.pixel_shuffle(x[:, -64:], 2)


def _half(x: Tensor) -> Tensor:
    return F.pixel_shuffle(_quarter(x), 2)


class _FirstLook(nn.Module):
    """t without its code, and noise -> what the painter begins with, at a quarter of the picture's size."""

    def __init__(self, channels: int, beside: int, width: int) -> None:
        super().__init__()
        self.split = [channels, 4 * beside + 64]
        self.deep, self.near = _conv(channels, width), _conv(beside + 16, width)

    def forward(self, x: Tensor) -> Tensor:
        deep, near = x.split(self.split, dim=1)
        return F.interpolate(self.deep(deep), scale_factor=2, mode="bilinear") + self.near(F.pixel_shuffle(near, 2))


def _conv(before: int, after: int) -> nn.Conv2d:
    """3 × 3, with a start that suits many layers without normalisation; PyTorch's own would leave the picture grey."""
    conv = nn.Conv2d(before, after, 3, padding=1, padding_mode="reflect")
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    nn.init.zeros_(conv.bias)
    return conv


class InverseNet(nn.Sequential):
    """The inverse network of style swap: the encoder backwards, as `mirrored_decoder`, in two ways that it may differ.

    Args:
        layer, encoder, width: as of `mirrored_decoder`, and so are errors.
        norm: before each ReLU: "none", or the paper's "instance", which forgets how bright and how colourful it was.
        upsampling: "nearest" (enlarge, then convolve) or "transposed" (the paper's, with its checkerboards).
    """

    def __init__(
        self, layer: str, *, encoder: str = "mini", width: int = 1, norm: str = "none", upsampling: str = "nearest"
    ) -> None:
        parts: list[nn.Module] = []
        for part in mirrored_decoder(layer, encoder=encoder, width=width):
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
