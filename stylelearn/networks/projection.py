"""Distillation of an encoder from a teacher of another layout: torchvision's VGG-19 or SqueezeNet.

The teacher has other channels than the student, so from each block of the student a 1x1 projection must predict the
teacher's activations at the same place of the picture (Romero et al. 2015, "FitNets"). A teacher of the student's own
layout does better and needs none of this: see `distillation.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import fuse_conv_bn_eval

from stylelearn.encoders import MINI, Encoder, vgg_layers
from stylelearn.training import Crops


@dataclass(frozen=True)
class Tap:
    """Where the student must know what the teacher knows.

    A cell of a feature map looks at a place of the picture: the centre of the teacher's cell j is at pixel
    stride·j + offset, that of the student's at stride·j + (stride − 1)/2, as its pools look at stride pixels.

    Args:
        student, teacher: names of their layers, which have one stride.
        stride, offset: the teacher's, in pixels.
    """

    student: str
    teacher: str
    stride: int
    offset: float

    @property
    def shift(self) -> float:
        """How far to the right and below the student's cell j the teacher's cell j lies, in cells."""
        return (self.offset - (self.stride - 1) / 2) / self.stride

    def align(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """The student's map (B, C, H, W) read between its cells at the teacher's `size` places: (B, C, *size)."""
        whole = int(self.shift)
        part = self.shift - whole
        for dim, length in zip((2, 3), size, strict=True):
            here = x.narrow(dim, whole, length)
            x = torch.lerp(here, x.narrow(dim, whole + 1, length), part) if part else here
        return x


# SqueezeNet 1.0: convolution 7 with stride 2, pools 3 with stride 2, none of them padded; so its first cells lie
# further inside the picture than the student's, and it has fewer of them.
SQUEEZENET_TAPS = (
    Tap("relu2_2", "relu1", 2, 3.0),
    Tap("relu3_4", "fire2", 4, 5.0),
    Tap("relu3_4", "fire4", 4, 5.0),
    Tap("relu4_4", "fire8", 8, 9.0),
    Tap("relu5_1", "fire9", 16, 17.0),
)
# VGG-19 shares the student's layout: same places, same sizes.
_LAST = ("relu1_2", "relu2_2", "relu3_4", "relu4_4", "relu5_1")  # of each block
VGG_TAPS = tuple(Tap(name, name, 2**block, (2**block - 1) / 2) for block, name in enumerate(_LAST))
TAPS = {"squeezenet": SQUEEZENET_TAPS, "vgg19": VGG_TAPS}


class ProjectedDistillation(nn.Module):
    """Student, projections and the frozen teacher; called with crops it returns a loss for each tap.

    Args:
        teacher: "squeezenet" or "vgg19".
        weights: a checkpoint in torchvision's key names (WeightsError if it does not fit); None downloads it.
    """

    RATE = 3e-3  # of Adam

    def __init__(self, teacher: str, weights: str | Path | None = None) -> None:
        super().__init__()
        self.student = vgg_layers(MINI, batch_norm=True)
        for layer in self.student.values():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        self.taps = TAPS[teacher]
        self.teacher = Encoder(teacher, pool="max", weights=weights)
        self.projections = nn.ModuleList()
        for i, tap in enumerate(self.taps):
            mine = self.student[tap.student.replace("relu", "conv")].out_channels
            theirs = self.teacher.channels[tap.teacher]
            self.projections.append(nn.Conv2d(mine, theirs, 1))
            self.register_buffer(f"mean{i}", torch.zeros(1, theirs, 1, 1))
            self.register_buffer(f"std{i}", torch.ones(1, theirs, 1, 1))
        self.to(memory_format=torch.channels_last)

    @torch.no_grad()
    def plain_student(self) -> nn.ModuleDict:
        """The trained encoder as it is used: batch norm is part of the convolutions."""
        plain = nn.ModuleDict({name: layer for name, layer in self.student.items() if not name.startswith("norm")})
        for name, layer in plain.items():
            if isinstance(layer, nn.Conv2d):
                plain[name] = fuse_conv_bn_eval(layer, self.student[name.replace("conv", "norm")])
        return plain

    def groups(self, learning_rate: float) -> list[dict[str, object]]:
        """Parameter groups with their learning rates."""
        return [{"params": [*self.student.parameters(), *self.projections.parameters()], "lr": learning_rate}]

    @torch.no_grad()
    def calibrate(self, batches: Crops, count: int = 12) -> None:
        """Measure mean and spread of each channel of the teacher, by which its maps are standardised."""
        means, stds = channel_moments(self._teach(batches[number]) for number in range(count))
        for i, tap in enumerate(self.taps):
            self.get_buffer(f"mean{i}").copy_(means[tap.teacher].view(1, -1, 1, 1))
            self.get_buffer(f"std{i}").copy_(stds[tap.teacher].clamp_min(1e-3).view(1, -1, 1, 1))

    def _teach(self, image: Tensor) -> dict[str, Tensor]:
        return self.teacher(image, [tap.teacher for tap in self.taps])

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Losses by name, for crops (B, 3, H, W) in [0, 1]; H and W are multiples of 16 from 32 on."""
        with torch.no_grad():
            taught = self._teach(image)
        seen: dict[str, Tensor] = {}
        x = ((image - self.teacher._mean) / self.teacher._std).contiguous(memory_format=torch.channels_last)
        for name, layer in self.student.items():
            x = seen[name] = layer(x)
        losses = {}
        for i, (tap, projection) in enumerate(zip(self.taps, self.projections, strict=True)):
            target = (taught[tap.teacher] - self.get_buffer(f"mean{i}")) / self.get_buffer(f"std{i}")
            guess = projection(tap.align(seen[tap.student], target.shape[2:]))
            losses[f"features {tap.student}/{tap.teacher}"] = F.smooth_l1_loss(guess, target)
        return losses


@torch.no_grad()
def channel_moments(seen: Iterable[Mapping[str, Tensor]]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Mean and standard deviation (C,) of each layer over all positions of all its maps (B, C, H, W), in float64."""
    sums: dict[str, Tensor] = {}
    for maps in seen:
        for name, x in maps.items():
            rows = x.transpose(0, 1).flatten(1).double()  # (C, positions)
            new = torch.stack([torch.ones_like(rows).sum(1), rows.sum(1), rows.square().sum(1)])
            sums[name] = sums.get(name, torch.zeros_like(new)) + new
    means = {name: first / n for name, (n, first, _) in sums.items()}
    stds = {name: (second / n - means[name].square()).clamp_min(0).sqrt() for name, (n, _, second) in sums.items()}
    return means, stds
