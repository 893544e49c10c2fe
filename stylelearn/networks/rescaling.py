"""Make a trained encoder ready to be measured with: fold its batch norm away, put its channels on one scale.

Both change the numbers and not the function: what the next layer sees stays the same.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from stylelearn.encoders import ARCHITECTURES, MEAN, STD, vgg_layers


@torch.no_grad()
def folded(student: nn.ModuleDict) -> nn.ModuleDict:
    """The same function without batch norm: each norm becomes part of the convolution before it.

    γ (Wx + b − μ)/σ + β = (γ/σ) W x + (γ/σ) (b − μ) + β

    Args:
        student: `mini` with batch norm, as of `vgg_layers`; μ and σ² are its running mean and variance.
    Returns:
        `mini` without; new parameters.
    """
    widths, repeats, padding = ARCHITECTURES["mini"]
    with torch.random.fork_rng(devices=[]):  # making layers draws random numbers: the caller's must not change
        plain = vgg_layers(widths, repeats, padding=padding)
    for name, layer in plain.items():
        if isinstance(layer, nn.Conv2d):
            conv, norm = student[name], student[name.replace("conv", "norm")]
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            layer.weight.copy_(conv.weight * scale.view(-1, 1, 1, 1))
            layer.bias.copy_((conv.bias - norm.running_mean) * scale + norm.bias)
    return plain


@torch.no_grad()
def equalise(layers: nn.ModuleDict, images: Sequence[Tensor], floor: float = 1e-3) -> dict[str, Tensor]:
    """Scale each channel, in place, so that its mean activation over `images` is 1; the next layer undoes it.

    ReLU and average pooling commute with positive factors, so no layer sees a different picture (Gatys et al. 2016,
    section 2). Channels that hardly ever fire (mean below `floor`) stay as they are.

    Args:
        layers: a plain network as of `vgg_layers`; it is changed.
        images: batches (B, 3, H, W); every position of every image counts the same.
    Returns:
        name of the ReLU -> (C,), by what its channels were divided: their mean activations before, or 1.
    """
    sums: dict[str, Tensor] = {}
    positions: dict[str, int] = {}
    for image in images:
        x = (image - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)
        for name, layer in layers.items():
            x = layer(x)
            if name.startswith("relu"):
                sums[name] = sums.get(name, 0.0) + x.sum(dim=(0, 2, 3), dtype=torch.float64)
                positions[name] = positions.get(name, 0) + x[:, 0].numel()
    means = {name: total / positions[name] for name, total in sums.items()}
    means = {name: torch.where(mean < floor, 1.0, mean).float() for name, mean in means.items()}
    before: Tensor | None = None
    for name, layer in layers.items():
        if isinstance(layer, nn.Conv2d):
            if before is not None:
                layer.weight.mul_(before.view(1, -1, 1, 1))
            before = means[name.replace("conv", "relu")]
            layer.weight.div_(before.view(-1, 1, 1, 1))
            layer.bias.div_(before)
    return means
