"""The image transformation network of Johnson, Alahi & Fei-Fei (ECCV 2016), for lessons 03 and 04: see `johnson.py`."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelearn.losses import mean_and_variance
from stylelearn.networks import tiling
from stylelearn.networks.noise import Noise, beside
from stylelearn.networks.tiling import Local

WIDTHS = (20, 40, 80)  # answers within some 0.1 s at 256 px on two CPU cores
PAPER_WIDTHS = (32, 64, 128)
ENDS = ("light", "paper")
BLOCKS = 5
SHAPE = ("widths", "blocks", "norm", "upsampling", "noise", "ends")  # arguments that a file of weights names
MARGIN = 8  # rows on which a place depends between two normalisations, or more; a multiple of 4
LIMIT = 4.0  # deviations from the mean, beyond which an activation is a spike
FRAME = 8  # pixels of reflection around a picture, painted and cut off: a network finds out where its border is
SMALLEST = 16  # pixels: at a quarter of the size a 3×3 convolution must still find neighbours to reflect

Statistics = tuple[Tensor, Tensor]  # mean and variance, (B, C, 1, 1) each


class InstanceNorm(nn.Module):
    """IN(x) = γ (x − μ)/σ + β, with μ and σ over the positions of one image and channel (Ulyanov et al. 2016).

    Batch norm takes μ and σ over the whole batch: then the contrast of one picture depends on the others.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, statistics: Statistics | None = None) -> Tensor:
        return modulate(x, self.gamma.view(1, -1, 1, 1), self.beta.view(1, -1, 1, 1), statistics)


def modulate(
    x: Tensor, gamma: Tensor, beta: Tensor, statistics: Statistics | None = None, epsilon: float = 1e-5
) -> Tensor:
    """γ (x − μ)/√(σ² + ε) + β: normalise each channel of each image, then give it the contrast γ and the level β.

    x is (B, C, H, W), γ and β are (B or 1, C, 1 or H, 1 or W). `statistics`: where x is only a part of a picture.
    """
    # Under mixed precision x has 8 bits: enough for a picture, too few for a mean over thousands of places.
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    mean, variance = statistics or mean_and_variance(x)
    scale = gamma * (variance + epsilon).rsqrt()
    return torch.addcmul(beta - mean * scale, x, scale)


def spikes(x: Tensor) -> Tensor:
    """How far activations (B, C, H, W), once normalised, go beyond LIMIT: mean of max(0, |x − μ|/σ − LIMIT)², a scalar.

    A normalisation removes the contrast of an image, unless a single extreme value dominates σ. Networks exploit that
    and paint glaring drops in dark corners (Karras et al. 2020, "Analyzing and Improving the Image
    Quality of StyleGAN", section 2). Natural edges hardly go beyond.
    """
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    mean, variance = mean_and_variance(x)
    return torch.relu((x - mean).abs() * (variance + 1e-5).rsqrt() - LIMIT).square().mean()


def saturation(x: Tensor) -> Tensor:
    """Mean of max(0, |x| − 3)², a scalar: beyond, tanh gives no gradient, and what has become black would stay so."""
    return torch.relu(x.to(torch.promote_types(x.dtype, torch.float32)).abs() - 3).square().mean()


class View(NamedTuple):
    """A picture of which there are never more than some rows: `chain` of (x, and beside it `beside`)."""

    x: Tensor
    beside: tiling.Rows
    chain: Sequence[Local] = ()


Norm = Callable[[int], nn.Module]
NORMS: dict[str, Norm] = {"instance": InstanceNorm, "batch": nn.BatchNorm2d}


class TransformationNet(nn.Module):
    """f_W, the image transformation network (Johnson et al. 2016, section 3.1 and supplement).

    Args:
        widths: channels at the picture's full size, at half and at a quarter of it.
        blocks: residual blocks.
        ends: what comes before the blocks and last. "paper": 9 × 9, then twice 3 × 3 with stride 2; at the end 9 × 9.
            "light": 12 × 12 with stride 4; at the end 3 × 3, and no normalisation at full size; a frame of reflection
            is painted, too, and cut off. That leaves time for more channels; and without that normalisation, which
            takes its own level and contrast from each picture just before it is painted, it learns in half of the
            steps. Of five blocks, three stand at a quarter of the size and two (`blocks` // 2) at half. On the way to
            half the picture is enlarged smoothly, and what a 6 × 6 convolution and a norm make of the photo (the second
            look) is added: from a quarter alone, plain areas get rows of bricks, 8 pixels apart.
        norm: "instance", "batch", or what makes a normalisation out of its number of channels. It is called with the
            activations and with whatever else `forward` was given: that is how later lessons condition it.
        upsampling: "nearest" (enlarge, then convolve; bilinear to half of the size with light ends) or "transposed"
            (the paper's, with its checkerboards).
        noise: scales of the noise that the network sees beside the picture (`noise.py`); none in the paper.
        looks: two modules instead of the first convolution and of the second look's; with light ends alone.

    Raises:
        ValueError: unknown norm, upsampling or ends; not three widths.
    """

    def __init__(
        self,
        widths: Sequence[int] = WIDTHS,
        blocks: int = BLOCKS,
        norm: str | Norm = "instance",
        upsampling: str = "nearest",
        noise: Sequence[int] = (),
        ends: str = "light",
        looks: Sequence[nn.Module] = (),
    ) -> None:
        super().__init__()
        if isinstance(norm, str) and norm not in NORMS:
            raise ValueError(f"unknown norm {norm!r}; there are {', '.join(NORMS)}")
        if ends not in ENDS:
            raise ValueError(f"ends must be {' or '.join(map(repr, ENDS))}, not {ends!r}")
        if upsampling not in ("nearest", "transposed"):
            raise ValueError(f"upsampling must be 'nearest' or 'transposed', not {upsampling!r}")
        if len(widths) != 3 or min(widths) < 1 or blocks < 0:
            raise ValueError(f"widths must be three numbers from 1 up, blocks from 0 up; got {widths}, {blocks}")
        a, b, c = widths
        make = NORMS[norm] if isinstance(norm, str) else norm
        up = _enlarge if upsampling == "nearest" else _transposed
        light, seen = ends == "light", 3 + len(noise)
        if light:
            look, again = looks or (_conv(seen, c, 12, stride=4), _conv(seen, b, 6, stride=2))
            first = [_Unit(look, make(c))]
            wider = _enlarge(c, b, "bilinear") if upsampling == "nearest" else _transposed(c, b)
            half = _SecondLook(wider, again, make(b))
        else:
            strided = [_Unit(_conv(*pair, 3, stride=2), make(pair[1])) for pair in ((a, b), (b, c))]
            first, half = [_Unit(_conv(seen, a, 9), make(a)), *strided], up(c, b)
        fine = blocks // 2 if light else 0
        at_quarter = [*first, *(_Residual(c, make) for _ in range(blocks - fine))]
        at_half = [_Unit(half, make(b)), *(_Residual(b, make) for _ in range(fine))]
        self.layers = nn.ModuleList([*at_quarter, *at_half, _Unit(up(b, a), None if light else make(a))])
        self.last = _conv(a, 3, 3 if light else 9)
        self.noise, self.shrinking, self.frame = tuple(noise), len(first), FRAME if light else 0
        self.about = {"widths": list(widths), "blocks": blocks, "upsampling": upsampling}
        self.about |= {"noise": list(noise), "ends": ends} | ({"norm": norm} if isinstance(norm, str) else {})
        self.spikes: Tensor | None = None  # of the last pass in training, with its graph: to be added to the losses
        self.to(memory_format=torch.channels_last)

    def forward(self, image: Tensor, *condition: Tensor) -> Tensor:
        """The pastiche of an image (B, 3, H, W) in [0, 1], of its size; `condition` goes to every normalisation.

        Raises:
            ValueError: another shape, or a side below SMALLEST.
        """
        height, width = checked_image(image)
        inner = (..., slice(self.frame, self.frame + height), slice(self.frame, self.frame + width))
        if height * width > tiling.LARGE and not torch.is_grad_enabled():
            return self._in_bands(image, *condition)[inner]
        x = F.pad(image, self._around(height, width), mode="reflect")
        if self.noise:
            x = torch.cat([x, beside(x, self.noise, vary=self.training)], dim=1)
        x = _centred(x)
        return self.through(x, x, condition)[inner]

    def through(self, x: Tensor, given: Tensor, condition: Sequence[Tensor]) -> Tensor:
        """All layers: x is what the first one gets, `given` what the second look gets; in [0, 1]."""
        found = []
        for number, layer in enumerate(self.layers):
            if isinstance(layer, _Residual):
                x = within = layer(x, *condition)
            else:
                within = layer.conv(x, given, condition) if isinstance(layer.conv, _SecondLook) else layer.conv(x)
                x = layer.after(within, condition)
            normalised = isinstance(layer, _Residual) or layer.norm is not None
            if self.training and normalised and number >= self.shrinking:  # before, the photo's own edges are extreme
                found.append(spikes(within[:, :, ::2, ::2]))  # a quarter of the places, for a quarter of the time
        x = self.last(x)
        self.spikes = torch.stack(found).mean() + saturation(x) if found else None
        return _colours(x)

    def _around(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Pixels to be added left, right, above and below: the frame, and what makes sides a multiple of 4."""
        return self.frame, self.frame + -width % 4, self.frame, self.frame + -height % 4

    def __getstate__(self) -> dict[str, object]:
        """What a copy gets: not the graph of the last pass, which cannot be copied."""
        return self.__dict__ | {"spikes": None}

    def _in_bands(self, image: Tensor, *condition: Tensor) -> Tensor:
        """The same, with the frame; neither that nor activations of full size are ever whole (see `tiling.py`)."""
        height, width = image.shape[2:]
        if any(each.ndim > 2 for each in condition):
            raise ValueError(
                f"a picture of {height} × {width} pixels is too large for masks, which take up to {tiling.LARGE:,}; "
                "make it smaller, or take one style or mixture for all of it"
            )
        left, right, above, below = self._around(height, width)
        noise = Noise(self.noise, height + above + below, width + left + right).rows if self.noise else None
        reflected = torch.arange(-above, height + below).abs()
        reflected = (height - 1 - (height - 1 - reflected).abs()).to(image.device)

        def seen(first: int, last: int) -> Tensor:
            """Rows of the picture with its frame, and of the noise."""
            rows = F.pad(image.index_select(2, reflected[first:last]), (left, right, 0, 0), mode="reflect")
            return rows if noise is None else torch.cat([rows, noise(first, last).to(rows)], dim=1)

        def given(first: int, last: int) -> Tensor:
            """What the network sees, in the rows of a quarter of the size, each 4 × 4 pixels in the channels of one."""
            return F.pixel_unshuffle(_centred(seen(4 * first, 4 * last)), 4)

        nothing = image.new_empty(len(image), 0, height + above + below, width + left + right)
        view = View(nothing, seen, [_centred])
        return self.through_in_bands(view, view, given, condition)

    def through_in_bands(self, view: View, look: View, given: tiling.Rows, condition: Sequence[Tensor]) -> Tensor:
        """As `through`, of what the first layer sees and of what the second look does; `given` is for `folded`."""
        x, chain = view.x, list(view.chain)
        beside: tiling.Rows | None = view.beside
        for number, layer in enumerate(self.layers):
            if isinstance(layer, _Residual):
                large = x.numel() > 8 * tiling.LARGE
                x = layer.in_bands(x, condition) if large else layer(x, *condition)
                continue
            if isinstance(layer.conv, _SecondLook):
                f = _composed([*look.chain, layer.conv.look])
                known = _statistics(layer.conv.norm, f, look.x, look.beside)
                chain.append(partial(layer.conv.folded, channels=x.shape[1], condition=condition, **known))
                beside = given
            else:
                chain.append(layer.conv)
            known = _statistics(layer.norm, _composed(chain), x, beside)
            chain.append(partial(layer.after, condition=condition, **known))
            full_size = number == len(self.layers) - 1 or (number == 0 and self.shrinking > 1)
            if not full_size:  # half of the size or less: this may be whole
                x, chain, beside = tiling.in_bands(_composed(chain), x, MARGIN, beside=beside), [], None
        return tiling.in_bands(_composed([*chain, self.last, _colours]), x, MARGIN)


def shape_of(about: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a network in a file's header; files of earlier editions do not say their ends."""
    known = {"ends": "paper"} | dict(about)
    return {name: known[name] for name in SHAPE if name in known}


def _centred(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last) * 2 - 1  # pixels in [-1, 1]


def _colours(x: Tensor) -> Tensor:
    return (torch.tanh(x) + 1) / 2  # (B, 3, H, W) in [0, 1]


def _statistics(
    norm: nn.Module | None, f: Local, x: Tensor, beside: tiling.Rows | None = None
) -> dict[str, Statistics]:
    """What a norm, which gets f(x) in bands, must be told about the whole of it."""
    if norm is None or isinstance(norm, nn.BatchNorm2d):
        return {}
    return {"statistics": tiling.mean_and_variance_in_bands(f, x, MARGIN, beside=beside)}


def _composed(chain: Sequence[Local]) -> Local:
    return lambda x: reduce(lambda y, f: f(y), chain, x)


def checked_image(image: Tensor, smallest: int = SMALLEST) -> tuple[int, int]:
    """Height and width of an image, once it is known to be one, and large enough."""
    if not isinstance(image, Tensor) or image.ndim != 4 or image.shape[1] != 3:
        came = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
        raise ValueError(f"an image is a tensor (B, 3, H, W); this is {came}")
    height, width = image.shape[2:]
    if min(height, width) < smallest:
        raise ValueError(f"a picture of {height}x{width} is too small for this network: at least {smallest} px a side")
    return height, width


def _conv(before: int, after: int, side: int, stride: int = 1) -> nn.Conv2d:
    conv = nn.Conv2d(before, after, side, stride, padding=(side - stride + 1) // 2, padding_mode="reflect")
    nn.init.kaiming_normal_(conv.weight, nonlinearity="linear" if after == 3 else "relu")
    nn.init.zeros_(conv.bias)
    return conv


def _enlarge(before: int, after: int, mode: str = "nearest") -> nn.Module:
    return nn.Sequential(nn.Upsample(scale_factor=2, mode=mode), _conv(before, after, 3))


def _transposed(before: int, after: int) -> nn.Module:
    return nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1)


class _SecondLook(nn.Module):
    """Enlarge and convolve; add the second look. (B, C, H, W), (B, C', 4 H, 4 W) -> (B, C'', 2 H, 2 W)."""

    def __init__(self, up: nn.Module, look: nn.Module, norm: nn.Module) -> None:
        super().__init__()
        self.up, self.look, self.norm = up, look, norm

    def forward(self, x: Tensor, given: Tensor, condition: Sequence[Tensor], **known: Statistics) -> Tensor:
        return self.up(x) + self.norm(self.look(given), *condition, **known)

    def folded(self, both: Tensor, channels: int, condition: Sequence[Tensor], **known: Statistics) -> Tensor:
        """The same, of x with `channels` and, behind it, k × k places of `given` in the channels of one."""
        k = round(((both.shape[1] - channels) / self.look.in_channels) ** 0.5)
        return self(both[:, :channels], F.pixel_shuffle(both[:, channels:], k), condition, **known)


class _Unit(nn.Module):
    """Convolution, norm if any, ReLU."""

    def __init__(self, conv: nn.Module, norm: nn.Module | None) -> None:
        super().__init__()
        self.conv, self.norm = conv, norm

    def forward(self, x: Tensor, *condition: Tensor) -> Tensor:
        return self.after(self.conv(x), condition)

    def after(self, x: Tensor, condition: Sequence[Tensor], **known: Statistics) -> Tensor:
        """What follows the convolution; `known`: the norm's `statistics`, where x is only a part of a picture."""
        return F.relu(x if self.norm is None else self.norm(x, *condition, **known), inplace=True)


class _Residual(nn.Module):
    """x + norm(conv(relu(norm(conv(x))))), without a ReLU after the sum (Gross & Wilber 2016)."""

    def __init__(self, channels: int, make: Norm) -> None:
        super().__init__()
        self.first = _Unit(_conv(channels, channels, 3), make(channels))
        self.conv, self.norm = _conv(channels, channels, 3), make(channels)

    def forward(self, x: Tensor, *condition: Tensor) -> Tensor:
        return x + self.norm(self.conv(self.first(x, *condition)), *condition)

    def in_bands(self, x: Tensor, condition: Sequence[Tensor]) -> Tensor:
        """The same, written over x, so that there are never two of its size."""
        known = _statistics(self.first.norm, self.first.conv, x)
        within = _composed([self.first.conv, partial(self.first.after, condition=condition, **known), self.conv])
        known = _statistics(self.norm, within, x)
        at, late = 0, x[:, :, :0]
        for band in tiling.bands(lambda rows: self.norm(within(rows), *condition, **known), x, MARGIN):
            x[:, :, at - late.shape[2] : at] += late  # only now: this band's margin is read from x
            at, late = at + band.shape[2], band
        x[:, :, at - late.shape[2] : at] += late
        return x
