"""Patches instead of statistics: fast style transfer by swapping — Chen & Schmidt 2016 (arXiv 1612.04337).

One layer, one rule: each patch of the content's activations is replaced by the style's patch that is most like it
(`patches.py`), which gives Φ^ss(C, S). No picture has exactly these activations, so the nearest one is sought:

    I* = argmin_I ‖Φ(I) − Φ^ss(C, S)‖²_F + λ ℓ_TV(I),                                                     (Eq. 3 and 4)

by moving pixels (`objective`), or at once by an inverse network f that has learnt to do so (`InverseNet`). It is
trained on photographs, on paintings *and* on swapped activations, since these lie outside of what Φ makes of pictures:

    argmin_f Σ_H ‖Φ(f(H)) − H‖²_F + λ ℓ_TV(f(H)),    H = Φ(I) or H = Φ^ss(C, S)                           (Eq. 5 and 6)

**Differs from the paper:** Φ is `mini`, and each norm is divided by ‖H‖², so that λ means the same everywhere. Where H
is the activations of a picture, f is also told the picture: a small network that is not keeps its colours apart less
well. By default f has twice as many channels as Φ has on the way down, and enlarges and convolves instead of using
transposed convolutions, which leave checkerboards.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelearn.adain import Pairs
from stylelearn.encoders import Encoder, encoder_for
from stylelearn.gatys import not_negative
from stylelearn.losses import content_loss, relative, tv_loss
from stylelearn.networks.decoders import InverseNet
from stylelearn.networks.transformation import checked_image
from stylelearn.optimize import Objective
from stylelearn.patches import matches, patch_distance, swap
from stylelearn.training import Crops, Progress, fit, settings
from stylelearn.weights import checksum, fill, network_file, read_about, seeded, write_weights

LAYER = "relu3_1"
WIDTH = 2  # times the encoder's channels: what it dropped on the way down has to be invented
TV_WEIGHT = 3.0  # λ, of the total variation per value, where pixels are moved: less leaves dots, more blurs
TRAINING_TV_WEIGHT = 0.1  # λ of the inverse network, which cannot make every dot
RECONSTRUCTION = 20.0  # how much the picture itself counts in training, where there is one
MRF_LAYERS = ("relu3_1", "relu4_1")  # Li & Wand 2016, section 5
MRF_CONTENT_LAYER = "relu4_2"


def objective(
    content: Tensor,
    style: Tensor,
    *,
    encoder: Encoder,
    layer: str = LAYER,
    patch: int = 3,
    stride: int = 1,
    strength: float = 1.0,
    tv_weight: float = TV_WEIGHT,
) -> Objective:
    """‖Φ(I) − Φ^ss‖² / ‖Φ^ss‖² + λ ℓ_TV(I) as a function of the picture; patches are swapped once, here (Eq. 3).

    Args:
        content: (1, 3, H, W) in [0, 1]; the pastiche will have its size. `style`: (1, 3, H', W'), of any size.
        encoder, layer: Φ. patch, stride: as of `patches.swap`.
        strength: 1 for Φ^ss; less mixes in the content's own activations, down to 0.
        tv_weight: λ ≥ 0.
    Returns:
        image -> {"swap relu3_1": …, "tv": …}, for `optimize_image`; a term of weight 0 is left out.
    Raises:
        ValueError: a strength outside [0, 1], a negative weight, an unknown layer, or `swap`'s reasons.
    """
    not_negative(tv_weight=tv_weight)
    with torch.no_grad():
        features = encoder(content, [layer])[layer]
        swapped = swap(features, encoder(style, [layer])[layer], patch=patch, stride=stride)
        target = _mixed(features, swapped, strength)

    def terms(image: Tensor) -> dict[str, Tensor]:
        found = {f"swap {layer}": content_loss(encoder(image, [layer])[layer], target)}
        if tv_weight > 0:
            found["tv"] = tv_weight * tv_loss(image)
        return found

    return terms


def cnnmrf_objective(
    content: Tensor,
    style: Tensor,
    *,
    encoder: Encoder,
    layers: Sequence[str] = MRF_LAYERS,
    content_layer: str = MRF_CONTENT_LAYER,
    content_weight: float = 1.0,
    style_weight: float = 1.0,
    tv_weight: float = TV_WEIGHT,
) -> Objective:
    """The neighbour, CNNMRF: here the *pastiche's* patches are matched, and anew whenever the loss is asked for.

    E(x) = α_1 ‖Φ(x) − Φ(C)‖² + Σ_l Σ_i ‖Ψ_i(Φ(x)) − Ψ_NN(i)(Φ(S))‖² + α_2 Υ(x)           (Li & Wand 2016, Eq. 1 and 2)

    Args:
        layers: where patches of 3 × 3 cells are compared. content_layer: where the content is.
        content_weight, style_weight, tv_weight: ≥ 0; the others and errors as of `objective`.
    Returns:
        image -> {"content relu4_2": …, "patches relu3_1": …, …, "tv": …}; terms of weight 0 are left out.

    **Differs from the paper:** the style is not turned or scaled; the sum over patches is divided by what the style's
    own patches would make against silence, and by the number of layers, so that weights mean the same everywhere.
    """
    not_negative(content_weight=content_weight, style_weight=style_weight, tv_weight=tv_weight)
    layers = list(layers) if style_weight > 0 else []
    wanted = ([content_layer] if content_weight > 0 else []) + layers
    if not wanted and tv_weight == 0:
        raise ValueError("all weights are 0: there is nothing to optimise")
    with torch.no_grad():
        target = encoder(content, [content_layer])[content_layer] if content_weight > 0 else None
        styles = encoder(style, layers) if layers else {}

    def terms(image: Tensor) -> dict[str, Tensor]:
        seen = encoder(image, dict.fromkeys(wanted)) if wanted else {}
        found: dict[str, Tensor] = {}
        if target is not None:
            found[f"content {content_layer}"] = content_weight * content_loss(seen[content_layer], target)
        for layer in layers:
            index = matches(seen[layer], styles[layer])
            apart = patch_distance(seen[layer], styles[layer], index).mean()
            power = styles[layer].square().mean()
            usual = power * styles[layer].shape[1] * 3**2 * index[0].numel()
            found[f"patches {layer}"] = style_weight / len(layers) * relative(apart, usual, power)
        if tv_weight > 0:
            found["tv"] = tv_weight * tv_loss(image)
        return found

    return terms


def _mixed(features: Tensor, swapped: Tensor, strength: float) -> Tensor:
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be from 0 to 1; got {strength}")
    return torch.lerp(features, swapped, strength)


class StyleSwap(nn.Module):
    """The whole pipeline. Call it with pictures; or take the steps apart and keep what does not change.

    Args:
        encoder: Φ, frozen.
        decoder: f, from the encoder's `layer` to the picture; by default a new `InverseNet` of that `form`.
        layer: where patches are swapped. `step` is its pixels to a cell.
    """

    def __init__(self, encoder: Encoder, decoder: nn.Module | None = None, layer: str = LAYER, **form: Any) -> None:
        super().__init__()
        self.encoder, self.layer = encoder, layer
        self.decoder = decoder or InverseNet(layer, encoder=encoder.name, **form)
        self.step = 2 ** (int(layer[4]) - 1)

    def forward(
        self, content: Tensor, style: Tensor, *, patch: int = 3, stride: int = 1, strength: float = 1.0
    ) -> Tensor:
        """The pastiche of contents (B, 3, H, W) and styles (B or 1, 3, H', W') of any size: (B, 3, H, W) in [0, 1].

        Raises:
            ValueError: as `encode`, `patches.swap`, `blend`.
        """
        features = self.encode(content)
        swapped = self.swap(features, self.encode(style), patch=patch, stride=stride)
        return self.decode(self.blend(features, swapped, strength), content.shape[2:])

    def encode(self, image: Tensor) -> Tensor:
        """Φ(I): (B, C, H', W'). Sides that are no multiple of a cell are filled up by reflection.

        Raises:
            ValueError: no image (B, 3, H, W), or fewer than two cells a side.
        """
        height, width = checked_image(image, smallest=2 * self.step)
        padded = F.pad(image, (0, -width % self.step, 0, -height % self.step), mode="reflect")
        return self.encoder(padded, [self.layer])[self.layer]

    def swap(self, features: Tensor, style_features: Tensor, **how: float) -> Tensor:
        """Φ^ss(C, S), (B, C, H', W'); arguments and errors as `patches.swap`."""
        return swap(features, style_features, **how)  # type: ignore[arg-type]

    def blend(self, features: Tensor, swapped: Tensor, strength: float = 1.0) -> Tensor:
        """(1 − strength) Φ(C) + strength Φ^ss(C, S). Raises ValueError for a strength outside [0, 1]."""
        return _mixed(features, swapped, strength)

    def decode(self, features: Tensor, size: Sequence[int]) -> Tensor:
        """f(H): activations to a picture of `size` (height, width), in [0, 1]."""
        image = self.decoder(features.contiguous(memory_format=torch.channels_last))
        return image[..., : size[0], : size[1]].clamp(0, 1)


# --- training ---------------------------------------------------------------------------------------------------------


class Training(nn.Module):
    """What the inverse network is trained for; called with photographs and paintings it returns the weighted losses.

    Args:
        swapped: whether it learns from swapped activations, too (the paper's ablation leaves them out).
        tv_weight: λ ≥ 0.
    """

    def __init__(self, network: StyleSwap, *, swapped: bool = True, tv_weight: float = TRAINING_TV_WEIGHT) -> None:
        super().__init__()
        self.network, self.swapped, self.tv_weight = network, swapped, tv_weight

    def forward(self, batch: Sequence[Tensor]) -> dict[str, Tensor]:
        net, (photos, styles) = self.network, batch[:2]
        pictures = torch.cat([photos, styles])
        with torch.no_grad():
            wanted = net.encode(pictures)  # H: (2 B, C, H', W')
            if self.swapped:
                wanted = torch.cat([wanted, swap(*wanted.chunk(2))])  # (3 B, C, H', W')
        made = net.decoder(wanted)
        found = {"inverse": content_loss(net.encoder(made, [net.layer])[net.layer], wanted)}
        found["picture"] = RECONSTRUCTION * F.mse_loss(made[: len(pictures)].float(), pictures)
        if self.tv_weight > 0:
            found["tv"] = self.tv_weight * tv_loss(made)
        return found


def train_inverse(
    photos: Sequence[str | Path],
    styles: Sequence[str | Path],
    *,
    out: str | Path,
    encoder: Encoder | None = None,
    layer: str = LAYER,
    network: Mapping[str, Any] | None = None,
    start: str | Path | None = None,
    size: int = 128,
    batch: int = 4,
    seed: int = 0,
    weights: Mapping[str, float] | None = None,
    **run: object,
) -> Iterator[Progress]:
    """Train an inverse network for `encoder` and write it to `out` (float16 safetensors); yields progress.

    Args:
        layer: of the encoder, Φ, which is turned back into a picture. network: arguments of `InverseNet`.
        batch: photographs, and as many paintings, a step.
        weights: arguments of `Training`, such as swapped=False.
        photos, styles, encoder, start, size, seed, run: as of `adain.train_adain`.
    Raises:
        ValueError, WeightsError, FloatingPointError: as `Crops`, `InverseNet` and `fit`.
    """
    out, encoder = Path(out), encoder or Encoder("mini")
    form = {"width": WIDTH, "norm": "none", "upsampling": "nearest"} | dict(network or {})
    with seeded(seed):
        net = StyleSwap(encoder, layer=layer, **form)
    if size % net.step or size < 4 * net.step:
        raise ValueError(f"size must be a multiple of {net.step} from {4 * net.step} on; it is {size}")
    if start is not None:
        fill(net.decoder, start, f"inverse network from {start}")
    contents = Crops(photos, size=size, batch=batch, seed=seed)
    paintings = Crops(styles, size=size, batch=batch, seed=seed + 1)
    objective = Training(net, **(weights or {}))
    about = {"network": "inverse", "encoder": encoder, "layer": layer, **form, "start": start and Path(start)}
    about |= {"swapped": objective.swapped, "tv_weight": objective.tv_weight}
    about |= {"photos": contents, "styles": paintings}
    training = yield from fit(objective, Pairs(contents, paintings, share=0), about=about, **settings(out, run))
    header = {"encoder": encoder.name, "encoder_sha256": checksum(encoder), "layer": layer, **form}
    write_weights(out, net.decoder.state_dict(), {**header, "training": training})


def load(name: str | Path = "style_swap", *, encoder: Encoder | None = None) -> StyleSwap:
    """The course's inverse network with its encoder, or one from a file; arguments and errors as `adain.load`."""
    path = network_file("style_swap", name)
    about = {"encoder": "mini", "layer": LAYER, "width": 1, "upsampling": "nearest", "norm": "none"} | read_about(path)
    encoder = encoder_for(about, encoder, path.name)
    network = StyleSwap(encoder, layer=about["layer"], **{key: about[key] for key in ("width", "norm", "upsampling")})
    fill(network.decoder, path, f"inverse network {name}")
    return network.eval().requires_grad_(False)
