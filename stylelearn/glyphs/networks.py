"""The parts that networks for glyphs are built from: convolutions down to one place, and back up with skips.

Zhang et al. (2018) go down in eight convolutions, from 80 × 80 pixels to one place with many channels, and up again in
eight; on the way up each step also gets what the content encoder had at that size. Their sizes are `PAPER`.

**Differs from the paper:** with seven channels instead of eight, as in `LAPTOP`, pixels are first folded, 2 × 2 into
four channels, and unfolded at the end: nothing is computed at full size, which is most of the work otherwise. On the
way up each step enlarges by repeating and then convolves; the paper's transposed convolutions leave squares. And the
references of a set are sorted, see `as_channels`.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelearn.glyphs.rendering import SIZE
from stylelearn.weights import fitting

PAPER = (64, 128, 256, 512, 512, 512, 512, 512)  # channels of each convolution; the last is the length of a code
LAPTOP = (32, 32, 64, 96, 96, 96, 64)
DEPTH = 8  # convolutions from 80 × 80 to one place: 80, 40, 20, 10, 5, 3, 2, 1
SLOPE = 0.2  # of the leaky rectifiers
COUNTS = "num_batches_tracked"


class Down(nn.Module):
    """Convolutions, glyphs as channels in, one code out; the first keeps the size, each of the others halves it.

    Args:
        inputs: channels of what comes in: r for a set of r references.
        channels: of each convolution, eight, or seven on folded pixels.
    Raises:
        ValueError: another number of them.
    """

    def __init__(self, inputs: int, channels: Sequence[int] = LAPTOP) -> None:
        super().__init__()
        self.fold = fold_of(channels)
        self.steps = nn.ModuleList([_step(inputs * self.fold**2, channels[0], kernel=5 if self.fold == 1 else 3)])
        self.steps.extend(_step(before, after, stride=2) for before, after in pairwise(channels))

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, inputs, 80, 80) -> the code (B, R), and what every step but the last gave, largest first."""
        x = F.pixel_unshuffle(x, self.fold)  # (B, 4 · inputs, 40, 40), where pixels are folded
        x = x.contiguous(memory_format=torch.channels_last)
        seen = []
        for step in self.steps:
            x = step(x)
            seen.append(x)
        return x.flatten(start_dim=1), seen[:-1]


class Up(nn.Module):
    """A code and what the content encoder saw in; one glyph out. The channels are those of `Down`."""

    def __init__(self, channels: Sequence[int] = LAPTOP) -> None:
        super().__init__()
        self.fold = fold_of(channels)
        up = list(reversed(channels))
        self.steps = nn.ModuleList(_step(before + skip, skip) for before, skip in pairwise(up[:-1]))
        self.last = nn.Conv2d(channels[1] + channels[0], self.fold**2, kernel_size=5, padding=2)

    def forward(self, code: Tensor, seen: Sequence[Tensor]) -> Tensor:
        """(B, R) and `seen` of `Down` -> (B, 1, 80, 80) in [0, 1]."""
        x = code[:, :, None, None]  # (B, R, 1, 1)
        for step, skip in zip(self.steps, reversed(seen[1:]), strict=True):
            x = step(_joined(x, skip))  # 2, 3, 5, 10, 20 … pixels a side
        x = self.last(_joined(x, seen[0]))
        return torch.sigmoid(F.pixel_shuffle(x, self.fold).float())


def fold_of(channels: Sequence[int]) -> int:
    """By how much pixels are folded: 1 for eight convolutions, 2 for seven. Raises ValueError."""
    if len(channels) not in (DEPTH - 1, DEPTH) or min(channels) < 1:
        raise ValueError(f"channels must be 7 or 8 numbers from 1 up, one for each convolution; got {tuple(channels)}")
    return 2 ** (DEPTH - len(channels))


def _joined(x: Tensor, skip: Tensor) -> Tensor:
    """x, enlarged to the size of the skip, and the skip beside it."""
    return torch.cat([F.interpolate(x, size=skip.shape[2:], mode="nearest"), skip], dim=1)


def _step(before: int, after: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.LeakyReLU(SLOPE),
    )


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """All that is learnt and all means and variances, without batch norm's counts of steps: float16 has no room."""
    return {key: value for key, value in network.state_dict().items() if not key.endswith(COUNTS)}


def set_weights(network: nn.Module, state: Mapping[str, Tensor], what: str) -> None:
    """Give the network what `weights_of` was; then it is in eval mode, and frozen.

    Args:
        what: where the state comes from, for the message.
    Raises:
        WeightsError: they are another network's.
    """
    counts = {key: value for key, value in network.state_dict().items() if key.endswith(COUNTS)}
    found = fitting(network, dict(state) | counts, what)
    network.load_state_dict({key: value.to(network.state_dict()[key].dtype) for key, value in found.items()})
    network.eval().requires_grad_(False)


def as_channels(references: Tensor, count: int, what: str) -> Tensor:
    """The first `count` references of each set, the darkest first, whatever order they came in.

    A set has no order, but channels have one, and a network would have to learn first that it means nothing.

    Args:
        references: (B, n, 80, 80), n ≥ count, or one set (n, 80, 80).
    Returns:
        (B, count, 80, 80).
    Raises:
        ValueError: fewer than the network was made for; another shape.
    """
    if references.ndim == 3:
        references = references[None]
    if references.ndim != 4 or references.shape[2:] != (SIZE, SIZE):
        raise ValueError(f"{what} references must be (B, r, {SIZE}, {SIZE}); got {tuple(references.shape)}")
    if references.shape[1] < count:
        raise ValueError(
            f"{references.shape[1]} {what} references, but this network needs r = {count}; add some (a picture may "
            "come twice), or load a network with a smaller r"
        )
    references = references[:, :count]
    order = references.mean(dim=(2, 3)).argsort(dim=1)  # (B, count); dark is 0
    return references.gather(1, order[:, :, None, None].expand_as(references))
