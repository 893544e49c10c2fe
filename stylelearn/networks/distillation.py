"""How `mini`, the encoder that ships with the course, is made: distillation from a teacher.

A network learns to see as a larger one does (Hinton et al. 2015; Romero et al. 2015, "FitNets"): from each block of
the student a 1x1 projection must predict the activations that the teacher has at the same place of the picture, and
the last of them, passed through the teacher's own classifier, must lead to the teacher's verdict.

Style transfer needs more than a verdict. A network that only knows *what* is there has forgotten colour and fine
structure, and no decoder can bring them back. So two small decoders learn along with the encoder to rebuild the
picture from relu3_1 and relu4_1, and their error is part of the loss. Afterwards the decoders have done their work.

Last, batch norm is folded into the convolutions, and every channel is scaled so that its mean activation over
held-back pictures is 1, as Gatys et al. (2016) did with VGG: that makes layers comparable.
"""

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelearn.colour import rgb_to_ycbcr
from stylelearn.encoders import ARCHITECTURES, MEAN, STD, vgg_layers
from stylelearn.networks.decoders import mirrored_decoder
from stylelearn.networks.rescaling import equalise, folded
from stylelearn.networks.taps import TAPS
from stylelearn.training import Crops, Progress, fit, settings
from stylelearn.weights import (
    WeightsError,
    as_halves,
    fitting,
    read_weights,
    torchvision_model,
    torchvision_state,
    write_weights,
)

HELD_BACK_BATCHES = 20  # of 16 crops, over which the channels' means are taken
CHROMA = 4.0  # how much more an error in colour counts than one in brightness


def known_teacher(teacher: str | Path, weights: str | Path | None = None) -> tuple[str, str | Path | None]:
    """The teacher's name and its weights; where `teacher` is a file, the tensors in it tell which network they are.

    Raises:
        ValueError: neither "squeezenet" nor "vgg19" nor a file; a file and `weights` besides.
        WeightsError: a file that cannot be read, or holds another network.
    """
    if str(teacher) in TAPS:
        return str(teacher), weights
    if weights is not None or not Path(teacher).is_file():
        raise ValueError(f"teacher must be {', '.join(map(repr, TAPS))} or the path of a checkpoint, not {teacher!r}")
    state = read_weights(teacher)
    shape = tuple(state["features.0.weight"].shape) if "features.0.weight" in state else ()
    found = {(96, 3, 7, 7): "squeezenet", (64, 3, 3, 3): "vgg19"}.get(shape)
    if found is None:
        raise WeightsError(f"{teacher} is no checkpoint of torchvision's squeezenet1_0 or vgg19")
    return found, teacher


class Distillation(nn.Module):
    """Student, projections, decoders and the frozen teacher; called with crops it returns the weighted losses.

    Args:
        teacher: "squeezenet" or "vgg19", downloaded on first use unless `weights` names a file; or the file itself.
        weights: a checkpoint of the teacher in torchvision's key names.
        features, verdict, reconstruction: how much each of the terms counts.

    Raises:
        ValueError, WeightsError: as `known_teacher`; a checkpoint that does not fit.
    """

    def __init__(
        self,
        teacher: str | Path = "squeezenet",
        weights: str | Path | None = None,
        *,
        features: float = 1.0,
        verdict: float = 0.05,
        reconstruction: float = 0.1,
    ) -> None:
        super().__init__()
        widths, repeats, padding = ARCHITECTURES["mini"]
        self.student = vgg_layers(widths, repeats, padding=padding, batch_norm=True)
        for layer in self.student.values():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        name, weights = known_teacher(teacher, weights)
        self.taps = TAPS[name]
        self.teacher = torchvision_model(name)
        self.has_verdict = name == "squeezenet"  # whose classifier is convolutional and takes maps of any size
        if not self.has_verdict:
            self.teacher.classifier = nn.Identity()  # most of VGG's numbers are in there, unused
        state = torchvision_state(name, weights)
        self.teacher.load_state_dict(fitting(self.teacher, state, f"teacher {name} from {weights or 'torchvision'}"))
        self.teacher.requires_grad_(False)
        _never_in_place(self.teacher)
        channels = {tap.student: widths[int(tap.student[4]) - 1] for tap in self.taps}  # relu3_4: of block 3
        self.projections = nn.ModuleList(nn.Conv2d(channels[tap.student], tap.channels, 1) for tap in self.taps)
        # From relu4_1 back to relu3_1, and from there both go the same way: the short way teaches the long one.
        self.back = mirrored_decoder("relu4_1", until="relu3_1")
        self.decoder = mirrored_decoder("relu3_1")
        for i, tap in enumerate(self.taps):
            self.register_buffer(f"mean{i}", torch.zeros(1, tap.channels, 1, 1))
            self.register_buffer(f"std{i}", torch.ones(1, tap.channels, 1, 1))
        self.register_buffer("_mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("_std", torch.tensor(STD).view(1, 3, 1, 1))
        self.factor = {"features": features, "verdict": verdict, "reconstruction": reconstruction}
        self.to(memory_format=torch.channels_last)

    def train(self, mode: bool = True) -> "Distillation":
        """The teacher never trains (it would drop units at random)."""
        super().train(mode)
        self.teacher.eval()
        return self

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
            losses[name] = self.factor["features"] * F.smooth_l1_loss(guess, (target - mean) / std)
        if self.has_verdict:  # of the last tap, which is what the teacher's classifier takes
            said, true = self._verdict(guess * std + mean), self._verdict(target)
            losses["verdict"] = self.factor["verdict"] * F.kl_div(said, true, log_target=True, reduction="batchmean")
        return losses | self._reconstruct(image, seen)

    def _verdict(self, features: Tensor) -> Tensor:
        return self.teacher.classifier(features).flatten(1).log_softmax(1)

    def _reconstruct(self, image: Tensor, seen: dict[str, Tensor]) -> dict[str, Tensor]:
        """Logarithm of the squared error, so that a decibel won counts the same early and late in training.

        Half of the batch is rebuilt from relu4_1 and a quarter from relu3_1: that teaches enough, and costs less.
        """
        half, quarter = slice(0, max(1, len(image) // 2)), slice(0, max(1, len(image) // 4))
        near = seen["relu3_1"]
        guess = self.back(seen["relu4_1"][half])
        target = near[half].detach()
        weight = self.factor["reconstruction"]
        return {
            "relu3_1 from relu4_1": weight * (guess - target).square().mean() / target.square().mean(),
            "rebuilt from relu4_1": weight * _colour_error(self.decoder(guess), image[half]).log(),
            "rebuilt from relu3_1": weight / 2 * _colour_error(self.decoder(near[quarter]), image[quarter]).log(),
        }


def _colour_error(found: Tensor, image: Tensor) -> Tensor:
    """Mean squared error in YCbCr with chroma counted CHROMA times: plain RGB error leaves pictures grey for long."""
    error = (rgb_to_ycbcr(found.float()) - rgb_to_ycbcr(image)).square().mean(dim=(0, 2, 3))  # (3,)
    return (error[0] + CHROMA * (error[1] + error[2])).clamp_min(1e-6)


def _never_in_place(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False


def train_mini(
    photos: Sequence[str | Path],
    styles: Sequence[str | Path] = (),
    *,
    out: str | Path,
    teacher: str | Path = "squeezenet",
    teacher_weights: str | Path | None = None,
    size: int = 128,
    batch: int = 16,
    seed: int = 0,
    learning_rate: float = 3e-3,
    **run: object,
) -> Iterator[Progress]:
    """Distil `mini` from pictures in folders and write it to `out` (float16 safetensors); yields progress.

    Goes on from `checkpoint` (default: `out` with the suffix .ckpt) if there is one. The decoders that learnt along
    are left beside `out` with the suffix .decoders.safetensors: `python -m benchmarks encoder` measures with them
    what can be rebuilt; nothing else needs them.

    Args:
        photos: folders of photographs; every 10th is held back, and sets the scale of the channels at the end.
        styles: folders of paintings, textures and other pictures that are not photographs.
        out: the .safetensors file to write.
        teacher, teacher_weights: as of `Distillation`.
        size: side of the crops in pixels, a multiple of 16.
        batch: crops per step.
        learning_rate: of the encoder; the decoders' is a third of it.
        run: steps, checkpoint and what else `fit` takes; the checkpoint is OUT with the suffix .ckpt by default.

    Raises:
        ValueError: a size that does not fit the pools; folders without pictures; as `fit`.
        WeightsError: as `Distillation`.
        FloatingPointError: as `fit`.
    """
    if size < 32 or size % 16:
        raise ValueError(f"size must be a multiple of 16 from 32 on, since mini halves it four times; it is {size}")
    out = Path(out)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Distillation(teacher, teacher_weights)
    crops = Crops([*photos, *styles], size=size, batch=batch, seed=seed, jitter=0.2)
    held_back = Crops(photos, size=160, batch=16, split="held-back")  # now: too few photos are better known before
    model.calibrate(crops)
    learns = [*model.student.parameters(), *model.projections.parameters()]
    decoders = [*model.back.parameters(), *model.decoder.parameters()]
    yield from fit(
        model,
        crops,
        about={"network": "encoder", "teacher": model.teacher, "factor": model.factor, "photos": crops},
        groups=[
            {"params": learns, "weight_decay": 1e-4},
            {"params": decoders, "weight_decay": 1e-4, "lr": learning_rate / 3},
        ],
        learning_rate=learning_rate,
        **settings(out, run),
    )
    export(model.cpu().eval(), out, [held_back[i] for i in range(HELD_BACK_BATCHES)])


def export(model: Distillation, out: str | Path, images: Sequence[Tensor]) -> None:
    """Fold, equalise over `images` and write the encoder; and the decoders beside it, fitted to the new scale.

    Raises:
        FloatingPointError: numbers that float16 cannot hold; nothing is written.
    """
    layers = folded(model.student)
    means = equalise(layers, images)
    # Copies apart, since each is fitted to the scale of the layer at which it begins.
    near, far = copy.deepcopy(model.decoder), copy.deepcopy(nn.Sequential(*model.back, *model.decoder))
    decoders = nn.ModuleDict({"relu3_1": near, "relu4_1": far})
    for name, decoder in decoders.items():
        decoder[0].weight.data.mul_(means[name].view(1, -1, 1, 1))
    out = Path(out)
    beside = out.with_suffix(".decoders.safetensors")
    halves = {path: as_halves(part.state_dict(), path.name) for path, part in ((out, layers), (beside, decoders))}
    for path, state in halves.items():
        write_weights(path, state)
