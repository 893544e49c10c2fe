"""The network of lesson 08, conditioned on a style and on how much each layer counts: see `adjustable.py`."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelearn import losses
from stylelearn.colour import luminance
from stylelearn.encoders import Encoder
from stylelearn.networks.coarse import coarse_to_fine
from stylelearn.networks.noise import SCALES
from stylelearn.networks.transformation import Statistics, TransformationNet, checked_image, modulate

# Not the paper's (the last of blocks 2, 3, 4): for each of these alone Gatys's method paints a picture of another kind.
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu4_1")  # palette and grain; fine strokes; broad ones
CONTENT_LAYERS = ("relu4_2",)
SEEN_LAYERS = ("relu1_1", "relu2_1", "relu2_2", "relu3_1", "relu3_4", "relu4_1")  # whose moments tell a style
LIGHT = 0.85  # how opaque one layer alone can make the light and dark of the painting
COLOURS, PALETTE = 0.3, 0.9  # ... and its colours; PALETTE for layers of block 1
AXES = 128  # numbers that tell a style, of all its moments
FARTHEST = 4.0  # how far from 0 each of them may be; few styles are further
CODE = 256  # numbers in each layer of the MLP


class AdjustedNorm(nn.Module):
    """γ_α (x − μ)/σ + β_α; γ and β are read off the `told` numbers of `Conditioner` by a linear map, a part of Λ."""

    def __init__(self, channels: int, told: int) -> None:
        super().__init__()
        self.head = nn.Linear(told, 2 * channels)
        nn.init.normal_(self.head.weight, std=0.1 / told**0.5)
        with torch.no_grad():
            self.head.bias.copy_(torch.cat([torch.ones(channels), torch.zeros(channels)]))

    def forward(self, x: Tensor, code: Tensor, statistics: Statistics | None = None) -> Tensor:
        """`code`: (B, told), or (B, h, w, told) where places differ."""
        with full_precision(x):
            found = self.head(code)
            if found.ndim == 2:
                found = found[:, :, None, None]
            else:
                found = F.interpolate(found.movedim(-1, 1), size=x.shape[2:], mode="bilinear")
        gamma, beta = found.chunk(2, dim=1)  # (B, C, 1 or H, 1 or W) each
        return modulate(x, gamma, beta, statistics)


class Conditioner(nn.Module):
    """Λ up to what all layers read: the style, the α, and an MLP of both.

    Moments of different channels are correlated: along a few directions styles vary ten times as much as along most
    others, and a network learns only those few. So the style code holds the coordinates along the principal axes of the
    training styles, scaled to about equal variance.

    Args:
        moments: how many numbers describe a style; 0 in the paper's first form, a network for one style.
        alphas: how many α there are. axes: how many coordinates.
    """

    def __init__(self, moments: int, alphas: int, axes: int = AXES) -> None:
        super().__init__()
        axes = min(axes, moments)
        self.mlp = nn.Sequential(nn.Linear(axes + alphas, CODE), nn.Tanh(), nn.Linear(CODE, CODE), nn.Tanh())
        self.told = axes + alphas + CODE
        self.register_buffer("center", torch.zeros(moments))
        self.register_buffer("axes", torch.eye(moments, axes))  # `fit_axes` finds better ones

    def forward(self, alphas: Tensor, style: Tensor | None) -> Tensor:
        """(B or 1, A), (B or 1, K) -> (B, told)."""
        known = 16 * alphas - 8  # scaled to the range of the style code; otherwise the MLP ignores α
        if self.center.numel():
            if style is None:
                raise ValueError("this network paints in any style: give it one, made by network.style(image)")
            along = self.along(style)
            rows = max(len(along), len(alphas))
            known = torch.cat([along.expand(rows, -1), known.expand(rows, -1)], dim=1)
        return self.tell(known)

    def along(self, style: Tensor) -> Tensor:
        """The style code: (B, K) -> (B, axes)."""
        return ((style - self.center) @ self.axes).clamp(-FARTHEST, FARTHEST)

    def tell(self, known: Tensor) -> Tensor:
        """What is known, and what the MLP makes of it: (…, axes + A) -> (…, told)."""
        return torch.cat([known, self.mlp(known)], dim=-1)

    @torch.no_grad()
    def fit_axes(self, styles: Tensor) -> None:
        """Take the mean and the principal axes of styles, (N, K), N ≥ 2.

        Along an axis on which they vary by λ (in units of each moment's own variance) a style is given in units of
        √(λ + 1), so that what hardly varies is not blown up.
        """
        spread = styles.std(dim=0).clamp_min(0.1)
        varied, count = (styles - styles.mean(dim=0)) / spread, self.axes.shape[1]
        values, vectors = torch.linalg.eigh(varied.T @ varied / len(styles))  # in ascending order
        values, vectors = values.flip(0)[:count].clamp_min(0), vectors.flip(1)[:, :count]
        self.center.copy_(styles.mean(dim=0))
        self.axes.copy_(vectors / spread[:, None] / (values + 1).sqrt())


class AdjustableNet(nn.Module):
    """Φ and Λ, with the encoder that describes styles.

    Args:
        encoder: the loss network.
        style_layers, content_layers: where an α acts. With one content layer its α is fixed at 1.
        any_style: False for the paper's first form, one style, which then is in the weights.
        form: arguments of `TransformationNet`, whose noise is at SCALES by default.
    Raises:
        ValueError: no layers, unknown ones, or one twice.

    `adjustable` lists the layers that have an α, in the order of the columns of `alphas`.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        style_layers: Sequence[str] = STYLE_LAYERS,
        content_layers: Sequence[str] = CONTENT_LAYERS,
        any_style: bool = True,
        **form: Any,
    ) -> None:
        super().__init__()
        self.style_layers = _layers(encoder, style_layers, "style_layers")
        self.content_layers = _layers(encoder, content_layers, "content_layers")
        contents = [f"content {name}" for name in self.content_layers]
        self.adjustable = [*self.style_layers, *(contents if len(contents) > 1 else ())]
        self.encoder, self.seen = encoder, tuple(name for name in SEEN_LAYERS if name in encoder.layers)
        moments = 2 * sum(encoder.channels[name] for name in self.seen) if any_style else 0
        self.conditioner = Conditioner(moments, len(self.adjustable))
        norm = functools.partial(AdjustedNorm, told=self.conditioner.told)
        self.painter = TransformationNet(norm=norm, **{"noise": SCALES} | form)
        self.about: dict[str, object] = {
            "encoder": encoder.name,
            "style_layers": list(self.style_layers),
            "content_layers": list(self.content_layers),
            "any_style": any_style,
            **self.painter.about,
        }

    def style(self, image: Tensor) -> Tensor:
        """What Λ receives of a style: log μ and log σ of each channel, (B, 3, H, W) -> (B, K). Kept for all α."""
        features = self.encoder(image, self.seen)
        found = [part for name in self.seen for part in losses.moments(features[name])]  # (B, C, 1, 1) each
        return (torch.cat(found, dim=1).flatten(start_dim=1) + 0.01).log()

    def alphas(self, chosen: Mapping[str, float] | float = 1.0) -> Tensor:
        """The settings as the network takes them, (1, A): α by layer, 1 for those not named; or one α for all.

        Raises:
            ValueError: an unknown layer, or a value outside [0, 1].
        """
        if not isinstance(chosen, Mapping):
            chosen = dict.fromkeys(self.adjustable, chosen)
        for name, value in chosen.items():
            if name not in self.adjustable:
                raise ValueError(f"there is no α for {name!r}; there is one for {', '.join(self.adjustable)}")
            if not 0 <= value <= 1:
                raise ValueError(f"the α of {name} must be from 0 to 1; got {value}")
        found = [[float(chosen.get(name, 1.0)) for name in self.adjustable]]
        return torch.tensor(found, device=self.conditioner.center.device)

    def forward(self, content: Tensor, style: Tensor | None, alphas: Tensor, coarse: float = 0.0) -> Tensor:
        """p = Φ(c, s, α).

        Args:
            content: (B, 3, H, W) in [0, 1].
            style: made by `style`, (B or 1, K); None in the form for one style.
            alphas: made by `alphas`, (B or 1, A).
            coarse: share of a coarse pastiche, as of `coarse_to_fine`.
        Returns:
            (B, 3, H, W) in [0, 1].
        Raises:
            ValueError: as `TransformationNet.forward`; α of another number, or for other contents; no style.
        """
        checked_image(content)
        if alphas.ndim != 2 or alphas.shape[1] != len(self.adjustable):
            wanted = f"alphas must be (B, {len(self.adjustable)}), not {tuple(alphas.shape)}"
            raise ValueError(f"{wanted}; make them with network.alphas(…)")
        for rows in (len(alphas), 1 if style is None else len(style)):
            if rows not in (1, len(content)):
                raise ValueError(f"there are {rows} settings or styles for {len(content)} contents; give 1 or as many")
        with full_precision(content):
            code = self.conditioner(alphas, style).expand(len(content), -1)  # (B, told)
        painted = coarse_to_fine(lambda image: self.painter(image, code), content, coarse)
        change = painted - content
        light, colours = self.opacity(alphas)
        laid = torch.addcmul(content, colours, change)
        return laid.add_((light - colours) * luminance(change)).clamp_(0, 1)

    def opacity(self, alphas: Tensor) -> tuple[Tensor, Tensor]:
        """1 − Π_l (1 − c_l α_s^l), how opaque the painting lies over the photograph: (B, A) -> two of (B, 1, 1, 1).

        The first is for light and dark (luminance), the second for colours. Both are 0 if all α are 0: the output is
        the photograph. c is LIGHT in the first; in the second PALETTE in block 1, else COLOURS: strokes alone leave
        the photograph most of its colours, which instance norm has removed from the painting. (A learnt opacity goes to
        0 where a content loss near 0 is divided by its own running average.)
        """
        colours = [PALETTE if name.startswith("relu1_") else COLOURS for name in self.style_layers]
        covers = alphas.new_tensor([[LIGHT] * len(colours), colours])  # (2, layers)
        left = (1 - covers[:, None] * alphas[:, : len(colours)]).prod(dim=2)  # (2, B)
        light, colour = (1 - left)[..., None, None, None]
        return light, colour


def _layers(encoder: Encoder, names: Sequence[str], what: str) -> tuple[str, ...]:
    for name in names:
        if name not in encoder.layers:
            raise ValueError(f"{what}: there is no layer {name!r} in {encoder.name}; there are {encoder.layers}")
    if not names or len(set(names)) < len(names):
        raise ValueError(f"{what} must be different layers, at least one; got {list(names)}")
    return tuple(names)


def full_precision(x: Tensor) -> torch.autocast:
    """Under mixed precision Λ would have 8 bits; it costs nothing beside the convolutions."""
    return torch.autocast(x.device.type, enabled=False)
