"""Arbitrary style transfer in real time — Huang & Belongie, ICCV 2017.

One network for every style, also for those that it has never seen. An encoder f says what is there, AdaIN gives each
channel of the content's activations the mean and the spread that it has in the style, and a decoder g paints:

    AdaIN(x, y) = σ(y) (x − μ(x))/σ(x) + μ(y)                                                              (Eq. 8)
    t = AdaIN(f(c), f(s)),    T(c, s, α) = g((1 − α) f(c) + α t)                                  (Eq. 9, 10 and 14)
    L = L_c + λ L_s,    L_c = ‖f(g(t)) − t‖₂,                                                        (Eq. 11 and 12)
    L_s = Σ_i ‖μ(φ_i(g(t))) − μ(φ_i(s))‖₂ + ‖σ(φ_i(g(t))) − σ(φ_i(s))‖₂                                    (Eq. 13)

f is fixed, only g learns. Content is compared with t and not with f(c): that is what the decoder was given.

**Differs from the paper:** f is `mini`. The course's decoder is a `PaintingDecoder`: beside `LAYER` it is given
`BESIDE` and a small picture. Of all three it uses the pattern; the style reaches it by a code that is made of their
moments, from which each of its norms reads γ and β. Its style loss is ‖G − A‖/‖A‖ of Gram matrices, since moments alone
do not tell strokes. Each ‖·‖₂ is divided by the root of the number of its values, so that λ means the same for every
encoder. In a quarter of each batch the style is the content itself, and there the picture, too, is compared: α = 0 must
give the photo back. A little total variation and, for the norms, a penalty on spikes are added. `beside=None` takes the
paper's decoder and its losses, and `load("paper")` gives one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import Dataset

from stylelearn.colour import match_colour, rgb_to_ycbcr
from stylelearn.encoders import Encoder, encoder_for
from stylelearn.johnson import SPIKE_WEIGHT
from stylelearn.losses import EPSILON, mean_gram, moments, moments_loss, precise, style_error, tv_loss
from stylelearn.networks import tiling
from stylelearn.networks.decoders import PaintingDecoder, mirrored_decoder
from stylelearn.networks.transformation import checked_image
from stylelearn.training import Crops, Progress, fit, settings
from stylelearn.weights import checksum, fill, network_file, read_about, read_weights, seeded, write_weights

LAYER = "relu4_1"
BESIDE = "relu3_1"  # what the course's decoder sees, too
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
STYLE_WEIGHT = 10.0  # λ, as in the authors' code; with 3 the photo's own colours stay
FACTORS = {"relu1_1": 0.3, "relu2_1": 0.4, "relu3_1": 0.3, "relu4_1": 0.4}  # of the Gram matrices' errors, times λ
RECONSTRUCTION = 40.0  # how much the picture itself counts, where style and content are one
TV_WEIGHT = 1.0
SHARE = 4  # one of so many pictures in a batch is its own style

PAINTINGS: dict[str, Any] = {"keep": 256, "least": 0.5}  # crops with strokes as wide as in a style of 256 px

MARGIN = 8  # cells of `layer` on which a place depends, in the encoder or in the decoder, or more

Moments = tuple[Tensor, Tensor]


def adain(x: Tensor, style: Moments) -> Tensor:
    """Adaptive instance normalisation: σ(y) (x − μ(x))/σ(x) + μ(y).

    Args:
        x: the content's activations, (B, C, H, W).
        style: mean and standard deviation of the style's, each (B or 1, C, 1, 1); made by `losses.moments`.
    Returns:
        (B, C, H, W), with the style's moments in each channel.
    """
    mean, deviation = moments(x)
    return style[1] * (x - mean) / deviation + style[0]


class Style(NamedTuple):
    """All that is kept of a style: (1, C, 1, 1) each, or a row a content. Computed once, for all slider moves."""

    mean: Tensor
    deviation: Tensor


class AdaIN(nn.Module):
    """The whole pipeline. Call it with pictures; or take the steps apart and keep what does not change.

    Args:
        encoder: f, frozen.
        decoder: g, from the encoder's `layer` to the picture; by default a new one, untrained.
        layer: where the styles meet.
        beside: a ReLU of block 3, where the styles meet, too, for a `PaintingDecoder`; None for the paper's form.
    Raises:
        ValueError: no such ReLU; with `beside`, layers of other blocks than 4 and 3.
    """

    def __init__(
        self, encoder: Encoder, decoder: nn.Module | None = None, layer: str = LAYER, beside: str | None = None
    ) -> None:
        super().__init__()
        self.encoder, self.layer, self.beside = encoder, layer, beside
        self.step = _pixels(layer)  # pixels of the picture to a cell of the layer
        if beside is not None and not all(
            name in encoder.layers and name.startswith(f"relu{block}_") for block, name in ((4, layer), (3, beside))
        ):
            raise ValueError(
                f"with `beside`, styles meet in a ReLU of block 4 and in one of block 3, such as {LAYER!r} and "
                f"{BESIDE!r}, not in {layer!r} and {beside!r}"
            )
        if decoder is None and beside is not None:
            decoder = PaintingDecoder(encoder.channels[layer], encoder.channels[beside])
        elif decoder is None:
            decoder = mirrored_decoder(layer, encoder=encoder.name)
        self.decoder = decoder.to(memory_format=torch.channels_last)

    def forward(
        self,
        content: Tensor,
        styles: Tensor | Sequence[Tensor],
        *,
        strength: float = 1.0,
        shares: Sequence[float] | None = None,
        masks: Tensor | None = None,
        colours: bool = False,
    ) -> Tensor:
        """T(c, s, α) for one style or a mixture.

        Args:
            content: (B, 3, H, W) in [0, 1].
            styles: one style (1, 3, H', W') or several, of any sizes.
            strength: α from 0 (the content, through encoder and decoder) to 1.
            shares, masks: as of `blend`.
            colours: keep the content's: every style first gets the content's mean and covariance in RGB.
        Returns:
            (B, 3, H, W) in [0, 1].
        Raises:
            ValueError: as `encode`, `blend`; a batch of styles.
        """
        pictures = [styles] if isinstance(styles, Tensor) else list(styles)
        for picture in pictures:
            checked_image(picture, 2 * self.step)
            if len(picture) != 1:
                raise ValueError(f"a style is one picture (1, 3, H, W), not {len(picture)}; give several as a list")
        if colours:
            pictures = [match_colour(style.expand(len(content), -1, -1, -1), content) for style in pictures]
        known = [self.style(picture) for picture in pictures]
        if masks is None:
            mixed = self.blend(self.encode(content), known, strength=strength, shares=shares)
            return self.decode(mixed, content.shape[2:])
        painted = _weights(len(known), shares, masks, content).sum(
            dim=0
        )  # (H, W); else the photo, not g(f(c)), is seen
        filled = masks + 1 - masks.sum(dim=0).clamp(max=1)
        mixed = self.blend(self.encode(content), known, strength=strength, shares=shares, masks=filled)
        return torch.lerp(content, self.decode(mixed, content.shape[2:]), painted)

    def encode(self, content: Tensor) -> Tensor:
        """f(c): (B, C, H', W'). Sides that are no multiple of a cell are filled up by reflection.

        Raises:
            ValueError: no image (B, 3, H, W), or one with fewer pixels than two cells a side.
        """
        height, width = checked_image(content, 2 * self.step)
        padded = F.pad(content, (0, -width % self.step, 0, -height % self.step), mode="reflect")

        def encode(x: Tensor) -> Tensor:
            return self.joined(self.encoder(x, [self.layer, self.beside or self.layer]), x)

        large = height * width > tiling.LARGE and not torch.is_grad_enabled()
        found = tiling.in_bands(encode, padded, MARGIN * self.step) if large else encode(padded)
        return self.with_code(found)

    def joined(self, features: Mapping[str, Tensor], image: Tensor) -> Tensor:
        """Activations by layer, and for a `PaintingDecoder` their picture, as one tensor; no style code yet."""
        if isinstance(self.decoder, PaintingDecoder):
            return self.decoder.laid_out(features[self.layer], features[self.beside or self.layer], image)
        return features[self.layer]

    def with_code(self, features: Tensor) -> Tensor:
        """f(c), complete, of what `joined` put together."""
        return self.decoder.with_code(features) if isinstance(self.decoder, PaintingDecoder) else features

    def style(self, image: Tensor) -> Style:
        """μ and σ of each channel of the style picture (1, 3, H, W)."""
        return Style(*moments(self.encode(image)))

    def blend(
        self,
        features: Tensor,
        styles: Sequence[Moments],
        *,
        strength: float = 1.0,
        shares: Sequence[float] | None = None,
        masks: Tensor | None = None,
    ) -> Tensor:
        """(1 − α) f(c) + α Σ_k w_k AdaIN(f(c), f(s_k)), with one w_k for the picture or one for each place.

        Args:
            features: f(c), (B, C, H', W').
            styles: mean and deviation of each, as `style` and `losses.moments` make them.
            strength: α in [0, 1].
            shares: w_k ≥ 0, made to add up to 1; equal ones by default.
            masks: (K, H, W) ≥ 0, where each style counts; with `shares` both are multiplied. Where the masks add up to
                less than 1, f(c) has the rest. **Differs from the paper**, which normalises each region by
                itself; here the content's moments are those of the whole picture, so that soft masks have no seams.
        Raises:
            ValueError: α outside [0, 1]; no style; shares or masks that do not fit the styles, or are negative.
        """
        if not 0 <= strength <= 1:
            raise ValueError(f"strength must be from 0 to 1; got {strength}")
        weights = strength * _weights(len(styles), shares, masks, features)[:, None]  # α w_k: (K, 1, 1 or H', 1 or W')
        if masks is not None and isinstance(self.decoder, PaintingDecoder):
            # Of all but the code g takes the pattern alone, and that is not to change where another style begins.
            count, area = sum(self.decoder.split), weights.shape[2:]
            even = weights.mean(dim=(2, 3), keepdim=True).expand(-1, count, *area)
            weights = torch.cat([even, weights.expand(-1, features.shape[1] - count, *area)], dim=1)  # (K, C, H', W')
        # AdaIN(x, y) is a x + b, so the sum is, too: of a large picture there is one copy, and not one for each term.
        mean, variance = tiling.mean_and_variance_in_bands(precise, features, 0)
        deviation = (variance + EPSILON).sqrt()
        scale, shift = 1 - weights.sum(dim=0), 0.0  # of f(c): 1 − α, and where the masks leave something out
        for w, (style_mean, style_deviation) in zip(weights, styles, strict=True):
            a = style_deviation / deviation
            scale, shift = scale + w * a, shift + w * (style_mean - a * mean)
        return torch.addcmul(shift, features, scale)

    def decode(self, features: Tensor, size: Sequence[int]) -> Tensor:
        """g: activations to a picture of `size` (height, width), in [0, 1]."""
        local = not isinstance(self.decoder, PaintingDecoder)  # that one makes bands by itself
        if local and size[0] * size[1] > tiling.LARGE and not torch.is_grad_enabled():
            image = tiling.in_bands(self.painted, features, MARGIN, 2 * tiling.ROWS // self.step)
        else:
            image = self.painted(features)
        return image[..., : size[0], : size[1]].clamp(0, 1)

    def painted(self, features: Tensor) -> Tensor:
        """g, in whole cells and not held to [0, 1]."""
        if not isinstance(self.decoder, PaintingDecoder):
            features = features.contiguous(memory_format=torch.channels_last)
        return self.decoder(features)


def _pixels(layer: str) -> int:
    return 2 ** (int(layer[4]) - 1)


def _weights(count: int, shares: Sequence[float] | None, masks: Tensor | None, features: Tensor) -> Tensor:
    if count == 0:
        raise ValueError("there is no style; give at least one")
    values = torch.ones(count) if shares is None else torch.as_tensor(shares, dtype=torch.float64)
    if values.shape != (count,) or not torch.isfinite(values).all() or (values < 0).any() or values.sum() == 0:
        raise ValueError(f"shares must be {count} numbers from 0 up, not all 0: one for each style; got {shares}")
    values = (values / values.sum()).to(features).view(-1, 1, 1)
    if masks is None:
        return values
    if masks.ndim != 3 or len(masks) != count or not torch.isfinite(masks).all() or (masks < 0).any():
        raise ValueError(f"masks must be ({count}, H, W) with values from 0 up; got {tuple(masks.shape)}")
    here = F.interpolate(masks[None].to(features), size=features.shape[2:], mode="bilinear", antialias=True)[0]
    values = values * here.clamp_min(0)
    return values / values.sum(dim=0).clamp_min(1e-6) * here.sum(dim=0).clamp(0, 1)


# --- training ---------------------------------------------------------------------------------------------------------


class Pairs(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Batches of contents, styles, and where the style is the content: for the last one of `share` pictures.

    Args:
        share: 0 for none.
    """

    def __init__(self, contents: Crops, styles: Crops, share: int = SHARE) -> None:
        self.contents, self.styles, self.share = contents, styles, share

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        contents, styles = self.contents[number], self.styles[number]
        first = len(contents) - len(contents) // self.share if self.share else len(contents)
        own = F.interpolate(contents[first:], size=styles.shape[2:], mode="bilinear")
        return contents, torch.cat([styles[:first], own]), torch.arange(len(contents)) >= first


class Objective(nn.Module):
    """What the decoder is trained for; called with a batch of `Pairs` it returns the weighted losses.

    Args:
        style_weight: λ. reconstruction, tv_weight: of the two terms that the paper has not; 0 by default without
            `beside`.
    """

    def __init__(
        self,
        network: AdaIN,
        *,
        style_weight: float = STYLE_WEIGHT,
        reconstruction: float | None = None,
        tv_weight: float | None = None,
    ) -> None:
        super().__init__()
        self.network, self.style_weight = network, style_weight
        usual = (RECONSTRUCTION, TV_WEIGHT) if network.beside else (0.0, 0.0)
        self.reconstruction = usual[0] if reconstruction is None else reconstruction
        self.tv_weight = usual[1] if tv_weight is None else tv_weight
        reached = network.encoder.layers[: network.encoder.layers.index(network.layer) + 1]
        self.layers = [name for name in STYLE_LAYERS if name in reached]

    def forward(self, batch: tuple[Tensor, Tensor, Tensor]) -> dict[str, Tensor]:
        contents, styles, same = batch
        net = self.network
        with torch.no_grad():
            wanted = net.encoder(styles, dict.fromkeys([*self.layers, net.beside or net.layer]))
            f_c = net.encode(contents)
            t = adain(f_c, moments(net.with_code(net.joined(wanted, styles))))
            t = torch.where(same[:, None, None, None], f_c, t)
        pastiche = net.painted(t)
        seen = net.encoder(pastiche, self.layers)
        deep = seen[net.layer]
        found = {"content": _distance(deep, t[:, : deep.shape[1]]).mean()}
        for layer in self.layers:
            found[f"style {layer}"] = self.style_weight * self.style_loss(layer, seen[layer], wanted[layer])
        if self.reconstruction:
            error = _distance(rgb_to_ycbcr(pastiche.float()), rgb_to_ycbcr(contents))
            found["reconstruction"] = self.reconstruction * SHARE * (error * same).mean()
        if self.tv_weight:
            found["tv"] = self.tv_weight * tv_loss(pastiche)
        if getattr(net.decoder, "spikes", None) is not None:
            found["spikes"] = SPIKE_WEIGHT * net.decoder.spikes  # type: ignore[operator]
        return found

    def style_loss(self, layer: str, seen: Tensor, wanted: Tensor) -> Tensor:
        """One layer's part of L_s: Eq. 13, or ‖G − A‖/‖A‖ for the course's decoder."""
        if self.network.beside is None:
            return moments_loss(seen, moments(wanted)) / seen.shape[1] ** 0.5
        return FACTORS[layer] * style_error(seen, mean_gram(wanted))


def paper_losses(
    f: Callable[[Tensor], Sequence[Tensor]],
    g: Callable[[Tensor], Tensor],
    merge: Callable[[Tensor, Tensor], Tensor],
    style_loss: Callable[[Tensor, Tensor], Tensor],
    c: Tensor,
    s: Tensor,
) -> tuple[Tensor, Tensor]:
    """L_c and L_s of Eq. 12 and 13, with any AdaIN and any style loss: what a learner of lesson 05 may replace.

    Args:
        f: a picture -> its activations; in the last of them styles meet.
        g: the decoder. merge: AdaIN(x, y). style_loss: of one layer's activations, and of the style's.
        c, s: contents and styles, (B, 3, H, W) each.
    """
    with torch.no_grad():
        wanted = f(s)
        t = merge(f(c)[-1], wanted[-1])
    seen = f(g(t))
    each = [style_loss(x, y) for x, y in zip(seen, wanted, strict=True)]
    return _distance(seen[-1], t).mean(), torch.stack(each).sum()


def _distance(x: Tensor, y: Tensor) -> Tensor:
    """‖x − y‖₂ of each image, divided by the root of the number of values: (B, …) -> (B,)."""
    return (x - y).square().flatten(start_dim=1).mean(dim=1).clamp_min(1e-8).sqrt()


def train_adain(
    photos: Sequence[str | Path],
    styles: Sequence[str | Path],
    *,
    out: str | Path,
    encoder: Encoder | None = None,
    layer: str = LAYER,
    beside: str | None = BESIDE,
    start: str | Path | None = None,
    size: int = 128,
    style_size: int | None = None,
    batch: int = 4,
    seed: int = 0,
    weights: Mapping[str, Any] | None = None,
    **run: object,
) -> Iterator[Progress]:
    """Train a decoder for `encoder` and write it to `out` (float16 safetensors); yields progress.

    Args:
        photos, styles: folders of contents and of styles; every 10th picture of each is held back.
        encoder: f, `mini` by default; "vgg19" is the paper's.
        layer, beside: where the styles meet, as of `AdaIN`; beside=None is the paper's form.
        start: weights of such a decoder to begin with.
        size: side of the crops in pixels, a multiple of 8. style_size: of those of styles, if it is to be another: the
            larger, the broader the marks. batch: pairs a step. seed: of the weights and the crops.
        weights: arguments of `Objective`.
        run: steps, checkpoint and what else `fit` takes; the checkpoint is OUT with the suffix .ckpt by default.
    Raises:
        ValueError, WeightsError, FloatingPointError: as `Crops`, `mirrored_decoder` and `fit`.
    """
    out, encoder = Path(out), encoder or Encoder("mini")
    with seeded(seed):
        network = AdaIN(encoder, layer=layer, beside=beside)
    sides = {"size": size, "style_size": style_size or size}
    for name, side in sides.items():
        if side % network.step or side < 2 * network.step:
            raise ValueError(f"{name} must be a multiple of {network.step} from {2 * network.step} on; it is {side}")
    pairs = Pairs(
        Crops(photos, size=size, batch=batch, seed=seed),
        Crops(styles, size=sides["style_size"], batch=batch, seed=seed + 1, **PAINTINGS),
    )
    if start is not None:
        fill(network.decoder, read_weights(start), f"decoder from {start}")
    elif beside is not None:
        _fit_axes(network, pairs)
    objective = Objective(network, **(weights or {}))
    about = {"network": "adain", "encoder": encoder, "layer": layer, "beside": beside, "start": start and Path(start)}
    about |= {name: getattr(objective, name) for name in ("style_weight", "reconstruction", "tv_weight")}
    about |= {"photos": pairs.contents, "styles": pairs.styles}
    training = yield from fit(objective, pairs, about=about, **settings(out, run))
    header = {"encoder": encoder.name, "encoder_sha256": checksum(encoder), "layer": layer, "beside": beside}
    write_weights(out, network.decoder.state_dict(), {**header, "training": training})


def _fit_axes(network: AdaIN, pairs: Pairs, batches: int = 200) -> None:
    """The decoder receives styles along the principal axes of those at hand; photos count, for α = 0."""
    decoder, layers = network.decoder, (network.layer, network.beside)
    with torch.no_grad():
        images = (crops[number] for number in range(batches) for crops in (pairs.styles, pairs.contents))
        found = [decoder.numbers(network.joined(network.encoder(image, layers), image)) for image in images]
    decoder.conditioner.fit_axes(torch.cat(found))


def load(name: str | Path = "adain", *, encoder: Encoder | None = None) -> AdaIN:
    """The course's decoder with its encoder, or a decoder from a file.

    Args:
        encoder: instead of the one that the file names (a VGG-19 with your own weights, say).
    Raises:
        WeightsError: there is none of that name; a file that is not whole; another encoder than it was trained for.
    """
    path = network_file("adain", name)
    about = {"encoder": "mini", "layer": LAYER} | read_about(path)
    encoder = encoder_for(about, encoder, path.name)
    network = AdaIN(encoder, layer=about["layer"], beside=about.get("beside"))
    fill(network.decoder, path, f"adain decoder {name}")
    return network.eval().requires_grad_(False)
