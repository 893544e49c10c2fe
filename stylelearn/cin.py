"""Many styles in one network — Dumoulin, Shlens & Kudlur, ICLR 2017, "A Learned Representation for Artistic Style".

Johnson's network with one change: every normalisation has its own contrast γ and level β for each style s, and all
convolutions are shared,

    CIN(x; s) = γ^s (x − μ)/σ + β^s.                                                             (Eq. 5 of the paper)

So a style is a list of 2 C numbers per layer. Styles mix by mixing these numbers, even differently from place to
place, and a new style is learnt by training nothing else.

**Differs from the paper:** the network is that of `johnson.py`, narrower than the paper's and not normalised at full
size (in the paper the last convolution is, too), has its last blocks at half of the size after a second look at the
photo, sees noise beside it, and ends in tanh, not in a sigmoid; the encoder is `mini`, not VGG-16; Eq. 5 has one style
for the whole picture, here it may change from place to place. Total variation and penalties on spikes and saturation
are added to the losses, as in `johnson.py`. The course's network was trained with ‖G − A‖/‖A‖, the root of the course's
style loss (`root`).
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import Dataset

from stylelearn.encoders import Encoder
from stylelearn.johnson import Perceptual
from stylelearn.networks.noise import SCALES
from stylelearn.networks.transformation import (
    BLOCKS,
    WIDTHS,
    Statistics,
    TransformationNet,
    checked_image,
    modulate,
    shape_of,
)
from stylelearn.training import VARIED, Crops, Progress, fit, settings
from stylelearn.weights import WeightsError, fill, network_file, read_about, seeded, write_weights

LEARNING_RATE = 6e-3


class ConditionalInstanceNorm(nn.Module):
    """γ^s (x − μ)/σ + β^s for a style, a mixture of styles, or a mixture that varies over the picture.

    Args:
        channels: C. styles: S.
    """

    def __init__(self, channels: int, styles: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(styles, channels))
        self.beta = nn.Parameter(torch.zeros(styles, channels))

    def forward(self, x: Tensor, mix: Tensor, *smaller: Tensor, statistics: Statistics | None = None) -> Tensor:
        """The result, (B, C, H, W). μ and σ are of the whole picture, also where styles change from place to place.

        Args:
            x: (B, C, H, W).
            mix: how much of each style: (B or 1, S), or (B or 1, S, h, w) for a mixture at each place.
            smaller: the same mixture in other sizes; if one is that of x, it need not be resampled.
        """
        if mix.ndim == 2:
            gamma, beta = ((mix @ table)[:, :, None, None] for table in (self.gamma, self.beta))  # (B, C, 1, 1)
        else:
            nearest = next((each for each in smaller if each.shape[2:] == x.shape[2:]), mix)
            here = resample(nearest, x.shape[2:]).permute(0, 2, 3, 1)  # (B, H, W, S)
            gamma, beta = ((here @ table).permute(0, 3, 1, 2) for table in (self.gamma, self.beta))  # (B, C, H, W)
        return modulate(x, gamma, beta, statistics)


def resample(mix: Tensor, size: Sequence[int]) -> Tensor:
    """A mixture at each place (B, S, h, w) in another size: (B, S, H, W). Shares still add up to 1."""
    if mix.shape[2:] == tuple(size):
        return mix
    return F.interpolate(mix, size=tuple(size), mode="bilinear", antialias=True)


class StyleNet(TransformationNet):
    """Johnson's network for several styles.

    Args:
        styles: their names.
        widths, blocks, upsampling, noise, ends: as of `TransformationNet`.
    Raises:
        ValueError: no names, or one twice.
    """

    def __init__(
        self,
        styles: Sequence[str],
        widths: Sequence[int] = WIDTHS,
        blocks: int = BLOCKS,
        upsampling: str = "nearest",
        noise: Sequence[int] = (),
        ends: str = "light",
    ) -> None:
        if not styles or len(set(styles)) < len(styles):
            raise ValueError(f"styles must be different names, at least one; got {list(styles)}")
        norm = partial(ConditionalInstanceNorm, styles=len(styles))
        super().__init__(widths, blocks, norm, upsampling, noise, ends)
        self.styles = list(styles)
        self.about = {"styles": self.styles} | self.about

    def forward(self, image: Tensor, mix: Tensor) -> Tensor:  # type: ignore[override]
        """The pastiche, (B, 3, H, W) in [0, 1].

        Args:
            image: (B, 3, H, W), sRGB in [0, 1].
            mix: made by `mix`: (B or 1, S), or (B or 1, S, h, w), which is laid over the whole image.
        Raises:
            ValueError: as `TransformationNet.forward`; or a mixture of another number of styles or images.
        """
        height, width = checked_image(image)
        if mix.ndim not in (2, 4) or mix.shape[0] not in (1, len(image)) or mix.shape[1] != len(self.styles):
            raise ValueError(
                f"a mixture of {len(self.styles)} styles for {len(image)} images is (B, S) or (B, S, h, w); this is "
                f"{tuple(mix.shape)}. Make it with network.mix(…)"
            )
        if mix.ndim == 2:
            return super().forward(image, mix)
        # Filled up as the image will be; and resampled once for each size, not for each layer.
        mix = F.pad(resample(mix, (height, width)), self._around(height, width), mode="replicate")
        mix = mix.contiguous(memory_format=torch.channels_last)  # as the activations: nothing need be turned round
        sizes = [(mix.shape[2] // scale, mix.shape[3] // scale) for scale in (2, 4)]
        return super().forward(image, mix, *(resample(mix, size) for size in sizes))

    def mix(self, weights: str | Mapping[str, float | Tensor]) -> Tensor:
        """What `forward` takes beside the image: the shares of the styles, (1, S), made to add up to 1.

        Args:
            weights: a style's name, or share ≥ 0 by name; or a mask (H, W) by name, with values from 0 up, which makes
                the result (1, S, H, W).
        Raises:
            ValueError: an unknown style, a share that is negative or no number, all shares 0 (somewhere), masks of
                different sizes.
        """
        shares = {weights: 1.0} if isinstance(weights, str) else dict(weights)
        for name in shares:
            if name not in self.styles:
                raise ValueError(f"unknown style {name!r}; this network knows {', '.join(self.styles)}")
        wanted = self.last.weight  # its type and its device
        values = [torch.as_tensor(shares.get(name, 0.0)).to(wanted) for name in self.styles]
        sizes = {tuple(value.shape) for value in values if value.ndim}
        if len(sizes) > 1 or any(len(size) != 2 for size in sizes):
            raise ValueError(f"masks must be tensors (H, W) of one size; these are {sorted(sizes)}")
        mix = torch.stack(torch.broadcast_tensors(*values))[None]  # (1, S) or (1, S, H, W)
        total = mix.sum(dim=1, keepdim=True)
        if not (torch.isfinite(mix).all() and (mix >= 0).all() and (total > 0).all()):
            where = " in any place" if mix.ndim == 4 else ""
            raise ValueError(f"shares of styles must be numbers from 0 up, and not all 0{where}; got {shares}")
        return mix / total

    def numbers_per_style(self) -> int:
        """How many numbers are one style's own."""
        return sum(2 * norm.gamma.shape[1] for norm in self.norms())

    def norms(self) -> list[ConditionalInstanceNorm]:
        """All normalisations, from the first to the last."""
        return [module for module in self.modules() if isinstance(module, ConditionalInstanceNorm)]

    def with_style(self, name: str) -> "StyleNet":
        """A copy that knows one style more, begun at the mean of all; only γ and β of its styles can be trained."""
        larger = StyleNet([*self.styles, name], **{k: v for k, v in self.about.items() if k != "styles"})  # type: ignore[arg-type]
        larger.load_state_dict(
            {
                key: torch.cat([value, value.mean(dim=0, keepdim=True)]) if key.endswith(("gamma", "beta")) else value
                for key, value in self.state_dict().items()
            }
        )
        larger.requires_grad_(False)
        for norm in larger.norms():
            norm.requires_grad_(True)
        return larger.train(self.training)


class _Assigned(Dataset[tuple[Tensor, Tensor]]):
    """Batches of photographs, each with the number, below `styles`, of the style in which it is to be painted."""

    def __init__(self, crops: Crops, styles: int) -> None:
        self.crops, self.styles = crops, styles

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng((self.crops.seed, number, 1))
        return self.crops[number], torch.from_numpy(rng.integers(self.styles, size=self.crops.batch))


class _Objective(Perceptual):
    """`Perceptual` for batches (photos, numbers of styles), counted among the styles that are trained."""

    def __init__(self, network: StyleNet, styles: Mapping[str, Tensor], encoder: Encoder, **weights: object) -> None:
        super().__init__(network, list(styles.values()), encoder, **weights)  # type: ignore[arg-type]
        self.numbers = [network.styles.index(name) for name in styles]  # the network's own

    def forward(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:  # type: ignore[override]
        photos, which = batch
        numbers = torch.tensor(self.numbers, device=which.device)[which]  # (B,)
        mix = F.one_hot(numbers, len(self.network.styles)).to(photos.dtype)  # (B, S)
        return super().forward(photos, which, mix)


def train_cin(
    photos: Sequence[str | Path],
    styles: Mapping[str, Tensor],
    *,
    out: str | Path,
    encoder: Encoder | None = None,
    network: Mapping[str, Any] | None = None,
    start: str | Path | None = None,
    size: int = 128,
    batch: int = 4,
    seed: int = 0,
    learning_rate: float = LEARNING_RATE,
    weights: Mapping[str, object] | None = None,
    **run: object,
) -> Iterator[Progress]:
    """Teach one network all `styles` and write it to `out` (float16 safetensors); yields progress.

    Args:
        photos: folders of photographs; every 10th is held back.
        styles: name -> image (1, 3, H, W).
        network: arguments of `StyleNet`, whose noise is at SCALES by default.
        start: weights of such a network to begin with.
        encoder, size, batch, seed, learning_rate, weights, run: as of `train_johnson`.
    Raises:
        ValueError, WeightsError, FloatingPointError: as `train_johnson`.
    """
    out = Path(out)
    with seeded(seed):
        net = StyleNet(list(styles), **{"noise": SCALES} | dict(network or {}))
    if start is not None:
        fill(net, start, f"network from {start}")
    crops = Crops(photos, size=size, batch=batch, seed=seed, **VARIED)
    run = settings(out, {"learning_rate": learning_rate} | run) | {"about": {"start": start and Path(start)}}
    found = yield from learn(net, crops, styles, encoder=encoder, weights=weights, **run)
    sizes = {name: list(style.shape[2:]) for name, style in styles.items()}
    write_weights(out, net.state_dict(), {**net.about, "style_sizes": sizes, **found})


def learn(
    network: StyleNet,
    crops: Crops,
    styles: Mapping[str, Tensor],
    *,
    encoder: Encoder | None = None,
    weights: Mapping[str, object] | None = None,
    **run: object,
) -> Generator[Progress, None, dict[str, object]]:
    """Train whatever of `network` can be trained on some or all of its styles; yields progress.

    Args:
        crops: of photographs. styles: name -> image (1, 3, H, W), of styles that the network has.
        encoder, weights, run: as of `train_johnson`; `run` must say steps and checkpoint.
    Returns:
        "objective" and "training", for the file's header.
    Raises:
        ValueError: a style that the network has not; as `fit`.
    """
    for name in styles:
        if name not in network.styles:
            raise ValueError(f"unknown style {name!r}; this network knows {', '.join(network.styles)}")
    model, mode = _Objective(network, styles, encoder or Encoder("mini"), **(weights or {})), network.training
    about = {"network": "cin", **network.about, "pictures": styles, "encoder": model.encoder}
    run["about"] = about | {"objective": model.objective, "photos": crops} | dict(run.get("about", {}))  # type: ignore[call-overload]
    try:
        training = yield from fit(model, _Assigned(crops, len(styles)), **run)  # type: ignore[arg-type]
    finally:
        network.train(mode)  # in training its noise is another for each image
    return {"objective": model.objective, "training": training}


def load(name: str | Path = "cin") -> StyleNet:
    """The course's network (`.styles` are the names that it knows), or one from a file; errors as `johnson.load`."""
    path = network_file("cin", name)
    about = read_about(path)
    if not about.get("styles"):
        raise WeightsError(f"{path.name} names no styles; was it made by `stylelearn train cin`?")
    network = StyleNet(about["styles"], **shape_of(about))
    fill(network, path, f"cin network {name}")
    return network.eval().requires_grad_(False)
