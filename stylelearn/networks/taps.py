"""Where `mini` learns from its teacher: which layer of the one must know what which layer of the other knows."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Tap:
    """Where the student must know what the teacher knows.

    A cell of a feature map looks at a place of the picture: the centre of the teacher's cell j is at pixel
    stride·j + offset, that of the student's at stride·j + (stride − 1)/2, as its pools average stride pixels.

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
