"""Adjustable real-time style transfer — Babaeizadeh & Ghiasi 2018.

How much each layer counts is a matter of taste, and lesson 02 pays for every change of taste with a new run. Here one
network learns all settings at once. It takes them as input, and is trained for a random one with every picture:

    p = Φ(c, s, α),    L = Σ_{l∈C} α_c^l L_c^l + Σ_{l∈S} α_s^l L_s^l,    α ~ U(0, 1) anew for each picture   (Eq. 1–3)
    z = γ_α (x − μ)/σ + β_α,    (γ_α, β_α) = Λ(s, α)                                                     (Eq. 4, 5)

Φ is the network of lesson 04; Λ is a small network of its own (an MLP), trained along with it. Losses of different
layers differ by factors of ten, so each is multiplied by (Σ_i L̄^i)/L̄^l, L̄ being a running average: then α = 1 means
as much for one layer as for another. After training, a slider for each layer acts at once.

**Differs from the paper:** the style reaches Λ as the logarithms of its moments under the loss network, along their
principal axes, not through a network of its own, so any picture is a style; the painting is laid over the photograph
with opacities that grow with the α, one for light and dark and one for colours, since instance norm forgets how bright,
contrasty and colourful the photograph was and α = 0 could not give it back; of each batch half has sliders at their
ends, one alone at 1 or all; the less all α are, the more counts the distance of the pixels from the photograph's, so
that a slider changes nothing that its layer does not see; style losses enter as √L = ‖G − A‖/‖A‖, so that one picture
in which a channel explodes does not drown out the rest; a little total variation, and a penalty on spikes; the factors
are fixed, since a content loss that falls would count more and more (`normalise` is the paper's way). The encoder is
`mini`, with other layers: see `conditioning.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from stylelearn import losses
from stylelearn.encoders import Encoder, encoder_for
from stylelearn.johnson import SPIKE_WEIGHT
from stylelearn.networks.conditioning import AdjustableNet
from stylelearn.networks.transformation import shape_of
from stylelearn.training import VARIED, Crops, Progress, fit, settings
from stylelearn.weights import checksum, fill, network_file, read_about, seeded, write_weights

FACTORS = {"style relu1_1": 5.0, "style relu2_1": 5.0, "style relu4_1": 5.0, "content relu4_2": 0.7}
PHOTO_WEIGHT = 4.0  # of the mean square distance of a picture from its content, times 1 − the mean of its α
TV_WEIGHT = 1.5
DECAY = 0.99  # of the running averages
CORNERS = 2  # one of so many pictures in a batch has its sliders at their ends
CAREFUL = 0.5  # Λ learns at this share of the rate: each of its steps moves γ and β through hundreds of inputs


def with_noise(image: Tensor, amount: float, seed: int = 0) -> Tensor:
    """The image with normal noise of `amount` (standard deviation, 0 to 0.5; or ValueError), kept in [0, 1]."""
    if not 0 <= amount <= 0.5:
        raise ValueError(f"noise must be from 0 to 0.5; got {amount}")
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(seed)).to(image)
    return (image + amount * noise).clamp(0, 1)


def diversity(images: Tensor, encoder: Encoder, layer: str = "relu3_4") -> float:
    """How different pastiches (B, 3, H, W) of one pair are, B ≥ 2: ‖F_i − F_j‖/‖F‖, the mean over all pairs.

    ‖F‖ is their mean norm in the layer of the encoder. Raises ValueError for fewer than two.
    """
    if len(images) < 2:
        raise ValueError(f"diversity compares pictures with one another: give at least two, not {len(images)}")
    with torch.no_grad():
        features = encoder(images, [layer])[layer].flatten(start_dim=1)  # (B, C·H·W)
    return float(torch.pdist(features).mean() / features.norm(dim=1).mean())


# --- training ---------------------------------------------------------------------------------------------------------


class Objective(nn.Module):
    """What the network is trained for; called with contents, styles and alphas it returns the weighted losses.

    Args:
        style: the picture (1, 3, H, W) of a network for one style; batches then hold no styles.
        factors: what each loss is multiplied by, by its name in `names`; 1 where there is none.
        normalise: the paper's running averages in place of factors. A network that paints less then has less content
            loss, which counts more, and it paints less still.
        tv_weight: of total variation.
    """

    def __init__(
        self,
        network: AdjustableNet,
        style: Tensor | None = None,
        *,
        factors: Mapping[str, float] = FACTORS,
        normalise: bool = False,
        tv_weight: float = TV_WEIGHT,
    ) -> None:
        super().__init__()
        self.network, self.only_style, self.normalise, self.tv_weight = network, style, normalise, tv_weight
        self.names = [f"style {name}" for name in network.style_layers]
        self.names += [f"content {name}" for name in network.content_layers]
        self.factors = [factors.get(name, 1.0) for name in self.names]
        self.register_buffer("averages", torch.zeros(len(self.names)))  # L̄, in the checkpoint with the rest

    def forward(self, batch: Sequence[Tensor]) -> dict[str, Tensor]:
        contents, *styles, alphas = batch
        net, encoder = self.network, self.network.encoder
        image = styles[0] if styles else self.only_style.to(contents)
        with torch.no_grad():
            wanted = encoder(contents, net.content_layers)
            grams = {name: losses.mean_gram(f) for name, f in encoder(image, net.style_layers).items()}
            described = net.style(image) if net.about["any_style"] else None
        pastiche = net(contents, described, alphas)
        seen = encoder(pastiche, [*net.style_layers, *net.content_layers])
        raw = [losses.style_error(seen[name], grams[name], each=True) for name in net.style_layers]
        raw += [losses.content_loss(seen[name], wanted[name], each=True) for name in net.content_layers]
        each = torch.stack(raw, dim=1)  # (B, losses)
        if self.training:
            now = each.detach().float().mean(dim=0)
            self.averages.copy_(torch.where(self.averages > 0, self.averages.lerp(now, 1 - DECAY), now))
        if alphas.shape[1] < each.shape[1]:  # the α of the only content layer is 1
            alphas = torch.cat([alphas, torch.ones_like(alphas[:, :1])], dim=1)
        weighted = (alphas * each).mean(dim=0) * self.weights()
        found = dict(zip(self.names, weighted, strict=True))
        amount = alphas[:, : len(net.style_layers)].mean(dim=1)
        apart = (pastiche - contents).square().mean(dim=(1, 2, 3))
        found["photo"] = PHOTO_WEIGHT * ((1 - amount) * apart).mean()
        if self.tv_weight:  # quadratic, so √α inside is α outside: nothing is smoothed where nothing is painted
            found["tv"] = self.tv_weight * losses.tv_loss(amount.sqrt()[:, None, None, None] * pastiche)
        if net.painter.spikes is not None:
            found["spikes"] = SPIKE_WEIGHT * net.painter.spikes
        return found

    def weights(self) -> Tensor:
        """What each loss is multiplied by, α apart: its factor, or (Σ_i L̄^i)/L̄^l."""
        if self.normalise:
            return self.averages.sum() / self.averages.clamp_min(1e-8)
        return self.averages.new_tensor(self.factors)


def gatys_weights(network: AdjustableNet, alphas: Tensor) -> dict[str, object]:
    """What `gatys.objective` takes to want the same as the network at these settings (1, A).

    Nearly the same: in training style losses enter as √L, here as L, with weights that make both equally steep where L
    is `losses.USUAL`.

    Raises:
        ValueError: a network that was not trained, or with several content layers, which Gatys's method has not.
    """
    weights = network.about.get("objective")
    if not isinstance(weights, Mapping) or len(network.content_layers) > 1:
        raise ValueError("needs a trained network with one content layer, such as load() gives")
    settings = zip(network.style_layers, alphas[0].tolist(), strict=True)
    return {
        "content_layer": network.content_layers[0],
        "content_weight": weights[f"content {network.content_layers[0]}"],
        "style_weight": 1.0,
        "layer_weights": {name: weights[f"style {name}"] * alpha * losses.AS_STEEP for name, alpha in settings},
        "tv_weight": weights["tv"] * float(alphas.mean()),
    }


class Batches(Dataset[tuple[Tensor, ...]]):
    """Contents, styles and α ~ U(0, 1); of the first of each CORNERS all α are 1, or one of the style's alone is.

    Args:
        contents, styles: crops; no styles for a network of one style.
        alphas: how many, those of the style first. painting: how many of them are the style's.
    """

    def __init__(self, contents: Crops, styles: Crops | None, alphas: int, painting: int) -> None:
        self.contents, self.styles, self.count, self.painting = contents, styles, alphas, painting

    def __getitem__(self, number: int) -> tuple[Tensor, ...]:
        contents = self.contents[number]
        rng = np.random.default_rng((self.contents.seed, number, 2))
        alphas = rng.uniform(size=(len(contents), self.count))
        for row in range(0, len(contents), CORNERS):
            alphas[row] = 1
            if rng.integers(2):
                alphas[row, : self.painting] = np.eye(self.painting)[rng.integers(self.painting)]
        styles = [self.styles[number]] if self.styles else []
        return contents, *styles, torch.from_numpy(alphas).float()


def train_adjustable(
    photos: Sequence[str | Path],
    styles: Sequence[str | Path] | Tensor,
    *,
    out: str | Path,
    encoder: Encoder | None = None,
    start: str | Path | None = None,
    size: int = 128,
    style_size: int | None = None,
    batch: int = 8,
    seed: int = 0,
    network: Mapping[str, object] | None = None,
    weights: Mapping[str, object] | None = None,
    learning_rate: float = 1e-3,
    **run: object,
) -> Iterator[Progress]:
    """Train Φ and Λ together and write them to `out` (float16 safetensors); yields progress.

    Args:
        photos: folders of contents. styles: folders of styles; or one picture (1, 3, H, W), for the form with one
            style. Every 10th picture of each folder is held back.
        encoder: the loss network, `mini` by default.
        start: weights of such a network to begin with.
        size: side of the crops in pixels. style_size: of those of styles, if it is to be another: the larger, the
            broader the marks. batch: pairs a step. seed: of the weights, the crops and the α.
        network, weights: arguments of `AdjustableNet` and of `Objective`.
        learning_rate: of Φ; Λ has CAREFUL of it.
        run: steps, checkpoint and what else `fit` takes; the checkpoint is OUT with the suffix .ckpt by default.
    Raises:
        ValueError, WeightsError, FloatingPointError: as `Crops`, `AdjustableNet` and `fit`.
    """
    out, one = Path(out), isinstance(styles, Tensor)
    with seeded(seed):
        net = AdjustableNet(encoder or Encoder("mini"), any_style=not one, **(network or {}))  # type: ignore[arg-type]
    paintings = None if one else Crops(styles, size=style_size or size, batch=batch, seed=seed + 1)
    crops = Crops(photos, size=size, batch=batch, seed=seed, **VARIED)
    batches = Batches(crops, paintings, len(net.adjustable), len(net.style_layers))
    if paintings:
        _fit_axes(net, paintings)
    if start is not None:
        fill(net, start, f"network from {start}", kept="encoder.")
    objective = Objective(net, styles if one else None, **(weights or {}))  # type: ignore[arg-type]
    about = {"network": "adjustable", **net.about, "encoder": net.encoder}
    about |= {name: getattr(objective, name) for name in ("factors", "normalise", "tv_weight")}
    about |= {"start": start and Path(start), "photos": crops, "styles": styles if one else paintings}
    rates = {"learning_rate": learning_rate, "groups": _groups(net, learning_rate)}
    training = yield from fit(objective, batches, about=about, **rates, **settings(out, run))
    wanted = dict(zip(objective.names, objective.weights().tolist(), strict=True)) | {"tv": objective.tv_weight}
    header = {**net.about, "encoder_sha256": checksum(net.encoder)}
    write_weights(out, _state(net), {**header, "objective": wanted, "training": training})


def _groups(net: AdjustableNet, learning_rate: float) -> list[dict[str, object]]:
    both: tuple[list[Tensor], list[Tensor]] = [], []  # of Φ, of Λ
    for name, parameter in net.named_parameters():
        if parameter.requires_grad:
            both[".head." in name or name.startswith("conditioner.")].append(parameter)
    return [{"params": part, "lr": share * learning_rate} for part, share in zip(both, (1, CAREFUL), strict=True)]


def _fit_axes(net: AdjustableNet, styles: Crops, batches: int = 200) -> None:
    """Λ receives styles along the principal axes of those at hand."""
    with torch.no_grad():
        net.conditioner.fit_axes(torch.cat([net.style(styles[number]) for number in range(batches)]))


def _state(net: AdjustableNet) -> dict[str, Tensor]:
    return {name: value for name, value in net.state_dict().items() if not name.startswith("encoder.")}


def load(name: str | Path = "adjustable", *, encoder: Encoder | None = None) -> AdjustableNet:
    """The course's network, or one from a file; its `about` is the file's header.

    Args:
        encoder: instead of the one that the file names (a VGG-19 with your own weights, say).
    Raises:
        WeightsError: there is none of that name; a file that is not whole; another encoder than it was trained with.
    """
    path = network_file("adjustable", name)
    about = {"encoder": "mini"} | read_about(path)
    encoder = encoder_for(about, encoder, path.name)
    layers = {name: about[name] for name in ("style_layers", "content_layers", "any_style") if name in about}
    net = AdjustableNet(encoder, **layers, **shape_of(about))
    fill(net, path, f"adjustable network {name}", kept="encoder.")
    net.about = about | net.about
    return net.eval().requires_grad_(False)
