"""Decoders: activations of one layer in, an image out.

`mirrored_decoder` is an encoder backwards (Huang & Belongie 2017, section 4). `InverseNet` is Chen & Schmidt's network
(2016, section 4), which paints from activations that were put together from patches.
"""

import torch
from torch import nn

from stylelearn.encoders import ARCHITECTURES, vgg_layers
from stylelearn.networks.transformation import InstanceNorm


def mirrored_decoder(layer: str, until: str | None = None, *, encoder: str = "mini") -> nn.Sequential:
    """The encoder from `layer` backwards to the picture, or to the activations of `until`; no normalisation.

    Each convolution is turned round (its output channels become inputs), each pool becomes a nearest-neighbour
    upsampling; reflection padding throughout, which draws no frame. (B, C, H, W) -> (B, 3, H·2^k, W·2^k), not held to
    [0, 1]. The layers of mirrored_decoder("relu4_1", "relu3_1") followed by those of mirrored_decoder("relu3_1") are
    those of mirrored_decoder("relu4_1").

    Args:
        layer: a ReLU. `until`: one before it, or None for the picture.
        encoder: whose architecture is turned round: "mini", "vgg19" or "vgg16".
    Raises:
        ValueError: an unknown encoder; `layer` is none of its ReLUs, or `until` none before it.
    """
    if encoder not in ARCHITECTURES:
        raise ValueError(f"there is no decoder for {encoder!r}; there are {', '.join(ARCHITECTURES)}")
    widths, repeats, _ = ARCHITECTURES[encoder]
    layers = vgg_layers(widths, repeats)
    names = list(layers)
    known = [name for name in names if name.startswith("relu")]
    if layer not in known or (until is not None and until not in known[: known.index(layer)]):
        end = f" to {until!r}" if until is not None else ""
        raise ValueError(f"there is no decoder from {layer!r}{end}; the layers are, in order, {', '.join(known)}")
    first = 0 if until is None else names.index(until) + 1
    steps: list[nn.Module] = []
    for name in reversed(names[first : names.index(layer)]):
        if name.startswith("conv"):
            conv = layers[name]
            turned = nn.Conv2d(conv.out_channels, conv.in_channels, 3, padding=1, padding_mode="reflect")
            # PyTorch's own start is too small for so many layers without normalisation: the picture would stay grey.
            nn.init.kaiming_normal_(turned.weight, nonlinearity="relu")
            nn.init.zeros_(turned.bias)
            steps += [turned, nn.ReLU()]
        elif name.startswith("pool"):
            steps.append(nn.Upsample(scale_factor=2, mode="nearest"))
    return nn.Sequential(*(steps[:-1] if until is None else steps))  # the picture itself passes no ReLU


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
