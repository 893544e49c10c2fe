"""Feed-forward style transfer — Johnson, Alahi & Fei-Fei, ECCV 2016; with Ulyanov, Vedaldi & Lempitsky 2016.

Lesson 02 optimises the pixels anew for every picture. Here a network f_W learns to do it in one pass, for one style:

    W* = argmin_W  E_x [ α L_content(f_W(x), x) + β L_style(f_W(x), s) + γ L_TV(f_W(x)) ]         (Eq. 1, with y_c = x)

The losses are those of lesson 02, measured by a frozen encoder (the paper's "loss network"). The image transformation
network of the paper: a 9×9 convolution, two with stride 2, residual blocks, two upsamplings, a 9×9 convolution.

**Differs from the paper:** each convolution pads by reflection, and a frame of 8 pixels is painted and cut off, instead
of a margin of 40 pixels that unpadded residual blocks eat up; instance norm instead of batch norm (Ulyanov et al. 2016,
"Instance Normalization"); upsampling followed by a convolution instead of a transposed convolution, which paints
checkerboards (Odena et al. 2016); light ends: lighter layers first and last, and the last blocks at half of the size,
after a second look at the photo (`networks.transformation`). The last three are arguments. Blocks are narrower than the
paper's. The loss network is `mini`, with content at relu4_2 and style at relu1_1, relu2_1, relu3_1 and relu4_1; the
paper's is VGG-16, with content at relu2_2 and style at relu1_2, relu2_2, relu3_3 and relu4_3. The learning rate falls
from ten times the paper's to 0. The networks see noise beside the picture, as those of Ulyanov et al. do, so that an
even sky gets strokes and not a pattern that repeats. While training, activations far beyond all others are penalised
(`spikes`, `saturation`): without that, dark places become black drops.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stylelearn import losses
from stylelearn.encoders import Encoder
from stylelearn.gatys import layer_shares
from stylelearn.networks.noise import SCALES
from stylelearn.networks.transformation import TransformationNet, shape_of
from stylelearn.training import VARIED, Crops, Progress, fit, settings
from stylelearn.weights import fill, network_file, read_about, read_weights, seeded, shipped, write_weights

# What makes pictures good to look at; with the course's losses they mean the same for every encoder. With content at
# relu2_2, the paper's, each line of the photo stays where it was, and the style can only lie over it as a weave. For a
# network that learns for a minute only, relu3_2 keeps more of the photo (lesson 03).
CONTENT_LAYER = "relu4_2"
LAYER_WEIGHTS = {"relu1_1": 2.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu4_1": 1.0}
CONTENT_WEIGHT = 0.5
STYLE_WEIGHT = 1.0
TV_WEIGHT = 1.5
SPIKE_WEIGHT = 20.0
LEARNING_RATE = 1e-2  # ten times the paper's: strokes are there after some 250 steps of four crops


class Perceptual(nn.Module):
    """A network and what it is trained for; called with photographs it returns the weighted losses.

    Args:
        network: what makes pastiches out of photographs. styles: one style image (1, 3, H, W) or several.
        encoder: the loss network.
        content_weight, style_weight, tv_weight: α, β and γ, with the course's losses (`losses.py`).
        content_layer: where content is compared. layer_weights: of each style layer; or names that share 1 equally.
        root: compare styles by `losses.style_error`, not by its square.

    Raises:
        ValueError: no style, or an unknown layer.

    `objective` holds the weights and layers as `gatys.objective` takes them, with `root` nearly the same (`AS_STEEP`).
    """

    def __init__(
        self,
        network: nn.Module,
        styles: Sequence[Tensor],
        encoder: Encoder,
        *,
        content_weight: float = CONTENT_WEIGHT,
        style_weight: float = STYLE_WEIGHT,
        tv_weight: float = TV_WEIGHT,
        content_layer: str = CONTENT_LAYER,
        layer_weights: Mapping[str, float] | Sequence[str] = LAYER_WEIGHTS,
        root: bool = False,
    ) -> None:
        super().__init__()
        if not len(styles):
            raise ValueError("there is no style to learn; give at least one style image")
        self.network, self.encoder = network, encoder
        self.content_weight, self.style_weight, self.tv_weight = content_weight, style_weight, tv_weight
        self.content_layer, self.layer_weights = content_layer, layer_shares(layer_weights)
        self.style_loss = losses.style_error if root else losses.style_loss
        self.objective = {
            "content_weight": content_weight,
            "style_weight": style_weight,
            "tv_weight": tv_weight,
            "content_layer": content_layer,
            "layer_weights": {name: (losses.AS_STEEP if root else 1) * w for name, w in self.layer_weights.items()},
        }
        for layer in self.layer_weights:
            with torch.no_grad():
                grams = [losses.mean_gram(encoder(style, [layer])[layer]) for style in styles]
            self.register_buffer(f"gram_{layer}", torch.cat(grams))  # (styles, C, C)

    def forward(self, photos: Tensor, which: Tensor | None = None, *condition: Tensor) -> dict[str, Tensor]:
        """Losses by name, each times its weight, for photos (B, 3, H, W) in [0, 1].

        Args:
            which: (B,), the number of each photo's style; None for the only one.
            condition: handed to the network.
        """
        pastiche = self.network(photos, *condition)
        layer = self.content_layer
        with torch.no_grad():
            wanted = self.encoder(photos, [layer])[layer]
        seen = self.encoder(pastiche, [layer, *self.layer_weights])
        found = {"content": self.content_weight * losses.content_loss(seen[layer], wanted)}
        for name, weight in self.layer_weights.items():
            grams = getattr(self, f"gram_{name}")
            grams = grams if which is None else grams[which]  # (B or 1, C, C)
            found[f"style {name}"] = self.style_weight * weight * self.style_loss(seen[name], grams)
        if self.tv_weight:
            found["tv"] = self.tv_weight * losses.tv_loss(pastiche)
        if getattr(self.network, "spikes", None) is not None:  # while one of our networks is trained
            found["spikes"] = SPIKE_WEIGHT * self.network.spikes
        return found


def train_johnson(
    photos: Sequence[str | Path],
    style: Tensor,
    *,
    out: str | Path,
    name: str | None = None,
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
    """Teach a network one style and write it to `out` (float16 safetensors); yields progress.

    Args:
        photos: folders of photographs; every 10th is held back.
        style: (1, 3, H, W); its brush strokes are learnt at the size at which they are given.
        name: of the style, for the file's header; by default that of `out`.
        encoder: the loss network; `mini` by default.
        network: arguments of `TransformationNet`, whose noise is at SCALES by default.
        start: weights to begin with: of such a network; or of lesson 04's, of which the style called `name` is taken,
            or the mean of all styles if there is none.
        size: side of the crops in pixels. batch: crops a step. seed: of the weights and the crops.
        learning_rate: the highest. weights: arguments of `Perceptual`.
        run: steps, checkpoint and what else `fit` takes; the checkpoint is OUT with the suffix .ckpt by default.
    Raises:
        ValueError, WeightsError, FloatingPointError: as `Crops`, `Perceptual` and `fit`.
    """
    out = Path(out)
    with seeded(seed):
        net = TransformationNet(**{"noise": SCALES} | dict(network or {}))
    if start is not None:
        fill(net, _one_style(start, name or out.stem), f"network from {start}")
    model = Perceptual(net, [style], encoder or Encoder("mini"), **(weights or {}))  # type: ignore[arg-type]
    crops = Crops(photos, size=size, batch=batch, seed=seed, **VARIED)
    about = {"network": "johnson", **net.about, "style": style, "encoder": model.encoder, "photos": crops}
    about |= {"objective": model.objective, "start": start and Path(start)}
    training = yield from fit(model, crops, about=about, learning_rate=learning_rate, **settings(out, run))
    style_size = list(style.shape[2:])
    save(net, out, style=name or out.stem, style_size=style_size, objective=model.objective, training=training)


def _one_style(path: str | Path, name: str) -> dict[str, Tensor]:
    """The weights in a file; of a network of lesson 04 with one γ and β for each norm."""
    state, known = read_weights(path), read_about(path).get("styles", [])
    rows = [known.index(name)] if name in known else list(range(len(known)))
    tables = [key for key in state if known and key.endswith((".gamma", ".beta"))]
    return state | {key: state[key][rows].mean(dim=0) for key in tables}


def styles() -> list[str]:
    """The styles that the course ships a network for, in alphabetical order."""
    return [name.removeprefix("johnson_") for name in shipped("johnson") if name != "johnson"]


def save(network: TransformationNet, path: str | Path, **about: object) -> None:
    """Write a network as float16 .safetensors, with its shape and `about` in the header."""
    write_weights(path, network.state_dict(), {**network.about, **about})


def load(name: str | Path) -> TransformationNet:
    """A trained network by the name of its style, or from a file; its `about` is the file's header.

    Raises:
        WeightsError: an unknown name, or a file that is not whole.
    """
    path = network_file("johnson", name)
    about = read_about(path)
    network = TransformationNet(**shape_of(about))
    fill(network, path, f"johnson network {name}")
    network.about = about | network.about
    return network.eval().requires_grad_(False)
