"""How the encoders that ship with the course are made: `mini` layer by layer, from a teacher of its own layout.

The teacher is VGG-19 compressed sixteen times for style transfer (Wang et al., CVPR 2020). The student has the same
layers, begins with random weights and learns from pictures only:

- **Before the ReLU.** Every convolution learns the teacher's values before the ReLU, channel by channel, each channel
  scaled to variance 1. Values after the ReLU are no substitute: where a channel is silent they teach nothing.
- **Layer by layer.** No gradient passes from one layer to the one before it. A layer then solves a linear regression
  on what the layers before it have come to see, and errors of the deep layers do not disturb the shallow ones.
- **Whitened.** The values in a 3x3 neighbourhood are almost the same, so plain gradient descent learns their mean
  at once and their differences hardly at all. The weights are therefore learnt in whitened coordinates,
  y = V L⁻¹ (x − m) + b, with the mean m and the covariance L Lᵀ of the neighbourhoods that the teacher sees.
- **Pictures that are no photographs** are among the training pictures (noise, blends, odd tints, paintings): an
  optimisation of pixels passes through such pictures.
- **Fewer channels.** About a third of the teacher's channels never fire, whatever the picture. The student lacks them.

Afterwards every channel is scaled so that its mean activation over held-back photographs is 1, as Gatys et al. (2016,
section 2) did with VGG: that makes layers comparable.

Torchvision's VGG-19 and SqueezeNet, whose channels are others, teach `mini` as well: see `projection.py`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import Dataset

from stylelearn.encoders import MEAN, MINI, STD, Architecture, vgg_layers
from stylelearn.networks.projection import TAPS, ProjectedDistillation, channel_moments
from stylelearn.training import Crops, Progress, fit, settings
from stylelearn.weights import WeightsError, fitting, read_weights, seeded, write_weights

HELD_BACK_BATCHES = 20  # of 16 crops, over which the channels' means are taken
COMPRESSED = "vgg19_16x"  # the teacher of mini's own layout
TEACHER = Architecture(((16, 16), (32, 32), (64,) * 4, (128,) * 4, (128,)), "reflect", "max")
FORCED = 0.05  # mean squared error, of values of variance 1, above which the next layer sees the teacher's activations
RIDGE = 1e-3  # added to the covariance, relative to its mean diagonal: directions that hardly vary are not blown up
SAMPLES = 4096  # neighbourhoods of a batch that enter the covariance of a layer


# --- teachers ---------------------------------------------------------------------------------------------------------


def known_teacher(teacher: str | Path) -> tuple[str, Path | None]:
    """The teacher's name and the file of its weights; the tensors in a file tell which network it holds.

    Args:
        teacher: "squeezenet" or "vgg19" (downloaded), or the path of a checkpoint of one of these or of vgg19_16x.
    Raises:
        ValueError: neither a name nor a file.
        WeightsError: a file that cannot be read, or holds another network.
    """
    if str(teacher) in TAPS:
        return str(teacher), None
    if not Path(teacher).is_file():
        names = ", ".join(map(repr, TAPS))
        raise ValueError(f"teacher must be {names} or the path of a checkpoint, not {str(teacher)!r}")
    state = read_weights(teacher)
    known = {(3, 3, 1, 1): COMPRESSED, (96, 3, 7, 7): "squeezenet", (64, 3, 3, 3): "vgg19"}
    for key in ("conv0.weight", "features.0.weight"):
        if key in state and tuple(state[key].shape) in known:
            return known[tuple(state[key].shape)], Path(teacher)
    raise WeightsError(f"{teacher} is no checkpoint of vgg19_16x, or of torchvision's squeezenet1_0 or vgg19")


def compressed_vgg19(path: str | Path) -> nn.ModuleDict:
    """The layers of vgg19_16x, for images that are normalised as all encoders' are.

    Its `conv0` takes RGB in [0, 1] to BGR from 0 to 255 less the mean; here it is part of conv1_1:
    W₁(W₀ x + b₀) + b₁ with x = σ z + μ. Raises WeightsError for a file that is not whole.
    """
    state = {key: value.float() for key, value in read_weights(path).items()}
    layers = _layers(TEACHER)
    plain = fitting(layers, {key: value for key, value in state.items() if "aux" not in key}, f"teacher {path}")
    first, shift = plain["conv1_1.weight"], state["conv0.weight"][:, :, 0, 0] @ torch.tensor(MEAN) + state["conv0.bias"]
    mixed = torch.einsum("oihw,ij->ojhw", first, state["conv0.weight"][:, :, 0, 0])
    plain["conv1_1.weight"] = mixed * torch.tensor(STD).view(1, 3, 1, 1)
    plain["conv1_1.bias"] = plain["conv1_1.bias"] + first.sum(dim=(2, 3)) @ shift
    layers.load_state_dict(plain)
    return layers.requires_grad_(False).eval()


def _firing(teacher: nn.ModuleDict, images: Sequence[Tensor]) -> dict[str, Tensor]:
    """The channels of each convolution that fire most often over normalised images, as many as the student has."""
    share: dict[str, Tensor] = {}
    for maps in layer_maps(teacher, images, "conv"):
        for name, x in maps.items():
            share[name] = share.get(name, torch.zeros(x.shape[1])) + (x > 0).float().mean(dim=(0, 2, 3))
    widths = dict(zip(share, sum(MINI.widths, ()), strict=True))
    return {name: share[name].topk(width).indices.sort().values for name, width in widths.items()}


def _layers(architecture: Architecture) -> nn.ModuleDict:
    with seeded():
        return vgg_layers(architecture)


# --- a student that learns layer by layer -----------------------------------------------------------------------------


class WhitenedConv(nn.Module):
    """A 3x3 convolution that learns in whitened coordinates: y = V L⁻¹ (x − m) + b for each neighbourhood x."""

    mean: Tensor
    whitening: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        size = 9 * inputs
        self.inputs, self.outputs = inputs, outputs
        self.weight = nn.Parameter(torch.randn(outputs, size) / size**0.5)  # V
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("mean", torch.zeros(size))  # m
        self.register_buffer("whitening", torch.eye(size))  # L⁻¹

    def whiten(self, mean: Tensor, covariance: Tensor) -> None:
        """Set m and L⁻¹ from the mean (9·C,) and covariance (9·C, 9·C) of the neighbourhoods, in float64."""
        eye = torch.eye(len(covariance), dtype=covariance.dtype)
        lower = torch.linalg.cholesky(covariance + RIDGE * covariance.diagonal().mean() * eye)
        self.mean.copy_(mean)
        self.whitening.copy_(torch.linalg.solve_triangular(lower, eye, upper=False))

    def plain(self) -> tuple[Tensor, Tensor]:
        """Weight (C', C, 3, 3) and bias (C',) of the ordinary convolution that this one is."""
        weight = self.weight @ self.whitening
        return weight.view(len(weight), self.inputs, 3, 3), self.bias - weight @ self.mean

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.plain()
        return F.conv2d(_padded(x), weight.contiguous(memory_format=torch.channels_last), bias)


def _padded(x: Tensor) -> Tensor:
    return F.pad(x, (1, 1, 1, 1), mode="reflect")


class LayerwiseDistillation(nn.Module):
    """A student of the layout of vgg19_16x (a checkpoint); called with crops it returns a loss for each convolution."""

    RATE = 0.2  # of Adam, for a layer with one input

    def __init__(self, weights: str | Path) -> None:
        super().__init__()
        self.teacher = compressed_vgg19(weights)
        plain = {name: layer for name, layer in _layers(MINI).items() if isinstance(layer, nn.Conv2d)}
        self.student = nn.ModuleDict({name: WhitenedConv(c.in_channels, c.out_channels) for name, c in plain.items()})
        for name, layer in self.student.items():
            self.register_buffer(f"kept_{name}", torch.arange(layer.outputs))
        self.register_buffer("_mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("_std", torch.tensor(STD).view(1, 3, 1, 1))
        self.to(memory_format=torch.channels_last)

    def groups(self, learning_rate: float) -> list[dict[str, object]]:
        """Parameter groups: with D whitened inputs the weights are of size 1/√D, and so is the rate of a layer."""
        return [
            {"params": [*layer.parameters()], "lr": learning_rate / (9 * layer.inputs) ** 0.5, "betas": (0.9, 0.99)}
            for layer in self.student.values()
        ]

    @torch.no_grad()
    def calibrate(self, batches: Dataset[Tensor], count: int = 40) -> None:
        """Choose the teacher's channels that fire most, scale them to variance 1, and measure what they look at."""
        images = [self._normalised(batches[number]) for number in range(count)]
        _, stds = channel_moments(layer_maps(self.teacher, images, "conv"))
        _divide(self.teacher, {name: std.clamp_min(1e-3).float() for name, std in stds.items()})
        kept = _firing(self.teacher, images)
        sums: dict[str, list[Tensor]] = {}
        origin: dict[str, Tensor] = {}  # near the mean, so that n Σ x² − (Σ x)² loses no digits
        inputs = torch.arange(3)
        for x in images:
            for name, layer in self.teacher.items():
                if isinstance(layer, nn.Conv2d):
                    rows = _neighbourhoods(x[:, inputs], SAMPLES)  # (n, 9·C)
                    rows = rows - origin.setdefault(name, rows.mean(0))
                    new = [torch.tensor(len(rows)), rows.sum(0), rows.T @ rows]
                    sums[name] = [a + b for a, b in zip(sums[name], new, strict=True)] if name in sums else new
                    inputs = kept[name]
                x = layer(x)
            inputs = torch.arange(3)
        for name, (n, first, second) in sums.items():
            mean = first.double() / n
            self.student[name].whiten(origin[name] + mean, second.double() / n - mean.outer(mean))
            self.get_buffer(f"kept_{name}").copy_(kept[name])

    def _normalised(self, image: Tensor) -> Tensor:
        return ((image - self._mean) / self._std).contiguous(memory_format=torch.channels_last)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Losses by name, for crops (B, 3, H, W) in [0, 1]; H and W are multiples of 16 from 32 on.

        A loss is the mean squared error of values of variance 1, so 1 − R². No layer drowns another, since each has
        parameters of its own and Adam does not care how large a gradient is.
        """
        x = taught = self._normalised(image)
        losses = {}
        for name, layer in self.teacher.items():
            with torch.no_grad():
                taught = layer(taught)
            if isinstance(layer, nn.Conv2d):
                x = self.student[name](x)
                wanted = taught[:, self.get_buffer(f"kept_{name}")]
                losses[name] = (x - wanted).square().mean()
                x = wanted if losses[name] > FORCED else x.detach()
            else:
                x = layer(x)
        return losses

    def channels(self) -> dict[str, list[int]]:
        """The teacher's channels that each convolution learns."""
        return {name: self.get_buffer(f"kept_{name}").tolist() for name in self.student}

    @torch.no_grad()
    def plain_student(self) -> nn.ModuleDict:
        """`mini` as it is used, with ordinary convolutions."""
        layers = _layers(MINI)
        for name, layer in self.student.items():
            for value, new in zip((layers[name].weight, layers[name].bias), layer.plain(), strict=True):
                value.copy_(new)
        return layers


def _neighbourhoods(x: Tensor, count: int) -> Tensor:
    """Some 3x3 neighbourhoods of x (B, C, H, W), at even distances, in a weight's order: (n, 9·C)."""
    batch, _, height, width = x.shape
    position = torch.linspace(0, batch * height * width - 1, min(count, batch * height * width)).long()
    b, row, column = position // (height * width), position // width % height, position % width
    step = torch.arange(3)
    rows, columns = row.view(-1, 1, 1) + step.view(3, 1), column.view(-1, 1, 1) + step
    found = _padded(x).permute(0, 2, 3, 1)[b.view(-1, 1, 1), rows, columns]  # (n, 3, 3, C)
    return found.permute(0, 3, 1, 2).flatten(1)


class OddPictures(Dataset[Tensor]):
    """Batches of `Crops` in which some pictures are no photographs any more, as those are that an optimisation passes.

    Of ten, two get noise, one is blended with another, and in every fifth batch one is nothing but noise.
    """

    def __init__(self, crops: Crops, seed: int) -> None:
        self.crops, self.seed = crops, seed

    def __getitem__(self, number: int) -> Tensor:
        x = self.crops[number].clone()
        rng = np.random.default_rng((self.seed, number, 1))
        for i in range(len(x)):
            kind = i % 10
            if kind in (0, 1):
                noise = torch.from_numpy(rng.normal(0, rng.uniform(0.05, 0.5), x[i].shape)).float()
                x[i] = (0.5 + noise if kind == 1 and number % 5 == 0 else x[i] + noise).clamp(0, 1)
            elif kind == 2 and len(x) > 3:
                x[i] = torch.lerp(x[i], x[i + 1 - len(x)], float(rng.uniform(0.2, 0.8)))
        return x


# --- the whole training -----------------------------------------------------------------------------------------------


def train_mini(
    photos: Sequence[str | Path],
    styles: Sequence[str | Path] = (),
    *,
    out: str | Path,
    teacher: str | Path = "squeezenet",
    size: int = 96,
    batch: int = 10,
    seed: int = 0,
    learning_rate: float | None = None,
    **run: object,
) -> Iterator[Progress]:
    """Distil `mini` from vgg19_16x or from another teacher, and write it to `out`; yields progress.

    Goes on from `checkpoint` (default: `out` with the suffix .ckpt) if there is one.

    Args:
        photos: folders of photographs; every 10th is held back, and sets the scale of the channels at the end.
        styles: folders of paintings, textures and other pictures that are not photographs.
        out: the .safetensors file to write, in float16. teacher: as of `known_teacher`.
        size: side of the crops in pixels, a multiple of 16. batch: crops per step.
        learning_rate: as of the model's `groups`; None for its `RATE`.
        run: steps, checkpoint and what else `fit` takes.
    Raises:
        ValueError, WeightsError, FloatingPointError: a size that does not fit; as `known_teacher`, `Crops` and `fit`.
    """
    name, weights = known_teacher(teacher)
    if size < 32 or size % 16:
        raise ValueError(f"size must be a multiple of 16 from 32 on, since mini halves it four times; it is {size}")
    out = Path(out)
    with seeded(seed):
        model = LayerwiseDistillation(weights) if name == COMPRESSED else ProjectedDistillation(name, weights)
    rate = model.RATE if learning_rate is None else learning_rate
    crops = Crops([*photos, *styles], size=size, batch=batch, seed=seed, jitter=0.2)
    batches = OddPictures(crops, seed) if name == COMPRESSED else crops
    held_back = Crops(photos, size=160, batch=16, held_back=True)  # now: too few photos are better known before
    model.calibrate(batches)
    yield from fit(
        model,
        batches,
        about={"network": "encoder", "teacher": model.teacher, "photos": crops},
        groups=[{"weight_decay": 1e-4, **group} for group in model.groups(rate)],
        learning_rate=rate,
        **settings(out, {"steps": 5000} | run),
    )
    student = model.cpu().eval().plain_student()
    equalise(student, [held_back[i] for i in range(HELD_BACK_BATCHES)])
    learnt = {"channels": model.channels()} if isinstance(model, LayerwiseDistillation) else {}
    write_weights(out, student.state_dict(), {"teacher": name, **learnt})


# --- one scale for all channels ---------------------------------------------------------------------------------------


def equalise(layers: nn.ModuleDict, images: Sequence[Tensor]) -> None:
    """Scale each channel, in place, so that its mean activation over batches of images is 1; the next layer undoes it.

    Channels whose mean is below 1e-3 stay as they are: they hardly ever fire. Every position of every image counts the
    same.
    """
    mu, sigma = torch.tensor(MEAN).view(1, 3, 1, 1), torch.tensor(STD).view(1, 3, 1, 1)
    means, _ = channel_moments(layer_maps(layers, ((image - mu) / sigma for image in images), "relu"))
    divisors = {name: torch.where(mean < 1e-3, 1.0, mean).float() for name, mean in means.items()}
    _divide(layers, {name.replace("relu", "conv"): divisor for name, divisor in divisors.items()})


@torch.no_grad()
def layer_maps(layers: nn.ModuleDict, images: Iterable[Tensor], kind: str) -> Iterator[dict[str, Tensor]]:
    """What each layer whose name begins with `kind` makes of each batch of normalised images."""
    for x in images:
        found = {}
        for name, layer in layers.items():
            x = layer(x)
            if name.startswith(kind):
                found[name] = x
        yield found


@torch.no_grad()
def _divide(layers: nn.ModuleDict, divisors: Mapping[str, Tensor]) -> None:
    """Divide the channels of each convolution; the next undoes it. ReLU and pooling commute with positive factors."""
    before: Tensor | None = None
    for name, layer in layers.items():
        if isinstance(layer, nn.Conv2d):
            if before is not None:
                layer.weight.mul_(before.view(1, -1, 1, 1))
            before = divisors[name]
            layer.weight.div_(before.view(-1, 1, 1, 1))
            layer.bias.div_(before)
