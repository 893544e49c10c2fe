"""Distillation of an encoder from a teacher of another layout: torchvision's VGG-19 or SqueezeNet.

The teacher has other channels than the student, so from each block of the student a 1x1 projection must predict the
teacher's activations at the same place of the picture (Romero et al. 2015, "FitNets"), and the last of them, passed
through the teacher's classifier, must lead to its verdict (Hinton et al. 2015). A teacher of the student's own layout
does better and needs none of this: see `distillation.py`.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelearn.encoders import MEAN, MINI, STD, vgg_layers
from stylelearn.training import Crops
from stylelearn.weights import fitting, seeded, torchvision_model, torchvision_state


@dataclass(frozen=True)
class Tap:
    """Where the student must know what the teacher knows.

    A cell of a feature map looks at a place of the picture: the centre of the teacher's cell j is at pixel
    stride·j + offset, that of the student's at stride·j + (stride − 1)/2, as its pools look at stride pixels.

    Args:
        student: name of the student's layer, of the same stride as the teacher's.
        teacher: number of the teacher's layer in torchvision's `features`.
        channels: that the teacher has there.
        stride, offset: the teacher's, in pixels.
    """

    student: str
    teacher: int
    channels: int
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
    Tap("relu2_2", 1, 96, 2, 3.0),  # ReLU of the first convolution
    Tap("relu3_4", 3, 128, 4, 5.0),  # fire2
    Tap("relu3_4", 5, 256, 4, 5.0),  # fire4
    Tap("relu4_4", 10, 512, 8, 9.0),  # fire8
    Tap("relu5_1", 12, 512, 16, 17.0),  # fire9
)
# VGG-19 shares the student's layout: same places, same sizes.
VGG_TAPS = (
    Tap("relu1_2", 3, 64, 1, 0.0),
    Tap("relu2_2", 8, 128, 2, 0.5),
    Tap("relu3_4", 17, 256, 4, 1.5),
    Tap("relu4_4", 26, 512, 8, 3.5),
    Tap("relu5_1", 29, 512, 16, 7.5),
)
TAPS = {"squeezenet": SQUEEZENET_TAPS, "vgg19": VGG_TAPS}
VERDICT = 0.05  # weight of the verdict beside the activations


class ProjectedDistillation(nn.Module):
    """Student, projections and the frozen teacher; called with crops it returns the weighted losses.

    Args:
        teacher: "squeezenet" or "vgg19".
        weights: a checkpoint in torchvision's key names; None downloads torchvision's.
    Raises:
        WeightsError: a checkpoint that cannot be read or does not fit.
    """

    RATE = 3e-3  # of Adam

    def __init__(self, teacher: str, weights: str | Path | None = None) -> None:
        super().__init__()
        self.student = vgg_layers(MINI, batch_norm=True)
        for layer in self.student.values():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        self.taps = TAPS[teacher]
        self.teacher = torchvision_model(teacher)
        self.has_verdict = teacher == "squeezenet"  # whose classifier is convolutional and takes maps of any size
        if not self.has_verdict:
            self.teacher.classifier = nn.Identity()  # most of VGG's numbers are in there, unused
        state = torchvision_state(teacher, weights)
        self.teacher.load_state_dict(fitting(self.teacher, state, f"teacher {teacher} from {weights or 'torchvision'}"))
        self.teacher.requires_grad_(False)
        _never_in_place(self.teacher)
        channels = {tap.student: self.student[tap.student.replace("relu", "conv")].out_channels for tap in self.taps}
        self.projections = nn.ModuleList(nn.Conv2d(channels[tap.student], tap.channels, 1) for tap in self.taps)
        for i, tap in enumerate(self.taps):
            self.register_buffer(f"mean{i}", torch.zeros(1, tap.channels, 1, 1))
            self.register_buffer(f"std{i}", torch.ones(1, tap.channels, 1, 1))
        self.register_buffer("_mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("_std", torch.tensor(STD).view(1, 3, 1, 1))
        self.to(memory_format=torch.channels_last)

    def train(self, mode: bool = True) -> "ProjectedDistillation":
        """The teacher never trains (it would drop units at random)."""
        super().train(mode)
        self.teacher.eval()
        return self

    def plain_student(self) -> nn.ModuleDict:
        """The encoder as it is used: batch norm is part of the convolutions."""
        return fold_batch_norm(self.student)

    def groups(self, learning_rate: float) -> list[dict[str, object]]:
        """Parameter groups with their learning rates."""
        return [{"params": [*self.student.parameters(), *self.projections.parameters()], "lr": learning_rate}]

    @torch.no_grad()
    def calibrate(self, batches: Crops, count: int = 12) -> None:
        """Measure mean and spread of each channel of the teacher, by which its maps are standardised."""
        sums = [torch.zeros(3, tap.channels, dtype=torch.float64) for tap in self.taps]  # of 1, x and x²
        for number in range(count):
            for one, values in zip(sums, self._teach(batches[number]), strict=True):
                x = values.transpose(0, 1).flatten(start_dim=1).double()  # (C, B·H·W)
                one += torch.stack([torch.ones_like(x).sum(1), x.sum(1), x.square().sum(1)])
        for i, (n, first, second) in enumerate(sums):
            mean = first / n
            variance = (second - n * mean.square()).clamp_min(0) / (n - 1)
            getattr(self, f"mean{i}").copy_(mean.view(1, -1, 1, 1))
            getattr(self, f"std{i}").copy_(variance.sqrt().clamp_min(1e-3).view(1, -1, 1, 1))

    def _teach(self, image: Tensor) -> list[Tensor]:
        x = ((image - self._mean) / self._std).contiguous(memory_format=torch.channels_last)
        found = {}
        last = max(tap.teacher for tap in self.taps)
        for number, layer in enumerate(self.teacher.features[: last + 1]):
            x = found[number] = layer(x)
        return [found[tap.teacher] for tap in self.taps]

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Weighted losses, by name, for crops (B, 3, H, W) in [0, 1]; H and W are multiples of 16 from 32 on."""
        with torch.no_grad():
            taught = self._teach(image)
        seen: dict[str, Tensor] = {}
        x = ((image - self._mean) / self._std).contiguous(memory_format=torch.channels_last)
        for name, layer in self.student.items():
            x = seen[name] = layer(x)
        losses = {}
        for i, (tap, target) in enumerate(zip(self.taps, taught, strict=True)):
            mean, std = getattr(self, f"mean{i}"), getattr(self, f"std{i}")
            guess = self.projections[i](tap.align(seen[tap.student], target.shape[2:]))
            name = f"features {tap.student}/{tap.teacher}"
            losses[name] = F.smooth_l1_loss(guess, (target - mean) / std)
        if self.has_verdict:  # of the last tap, which is what the teacher's classifier takes
            said, true = self._verdict(guess * std + mean), self._verdict(target)
            losses["verdict"] = VERDICT * F.kl_div(said, true, log_target=True, reduction="batchmean")
        return losses

    def _verdict(self, features: Tensor) -> Tensor:
        return self.teacher.classifier(features).flatten(1).log_softmax(1)


def _never_in_place(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False


@torch.no_grad()
def fold_batch_norm(student: nn.ModuleDict) -> nn.ModuleDict:
    """The same function without batch norm: each norm becomes part of the convolution before it.

    γ (Wx + b − μ)/σ + β = (γ/σ) W x + (γ/σ) (b − μ) + β

    Args:
        student: with batch norm, as of `vgg_layers`; μ and σ² are its running mean and variance.
    Returns:
        The same layers without; new parameters.
    """
    with seeded():
        plain = vgg_layers(MINI)
    for name, layer in plain.items():
        if isinstance(layer, nn.Conv2d):
            conv, norm = student[name], student[name.replace("conv", "norm")]
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            layer.weight.copy_(conv.weight * scale.view(-1, 1, 1, 1))
            layer.bias.copy_((conv.bias - norm.running_mean) * scale + norm.bias)
    return plain
