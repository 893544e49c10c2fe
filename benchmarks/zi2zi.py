"""What EMD is measured against: one network for many fonts, that knows each of them by a number, as zi2zi does.

A U-Net turns the letter in one plain font into the letter in another. Which other is said by an embedding, a list of
numbers learnt for each style, that joins the code where the U-Net is narrowest (Tian, zi2zi, 2017). It is trained on
the same targets, for the same loss, with the same decoder as EMD. For a style that it has never seen, the r reference
letters become r pairs (plain, wanted), and an embedding is found for them by gradient descent while all else is fixed.

**Differs from zi2zi:** no adversarial and no category loss: what is compared is how two networks are told about a
style, not what they are asked for.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from stylelearn.emd import weighted_l1
from stylelearn.glyphs.augmentation import bent
from stylelearn.glyphs.dataset import Batch, Split, Triplets, split
from stylelearn.glyphs.networks import LAPTOP, Down, Up, set_weights, weights_of
from stylelearn.glyphs.rendering import collect
from stylelearn.training import Progress, fit, settings
from stylelearn.weights import read_about, read_weights, write_weights

SOURCE = "DejaVuSans/plain"  # the style that all others are made from


class Zi2Zi(nn.Module):
    """A U-Net with an embedding for each style.

    Args:
        sources: every letter in the plain font, (C, 80, 80).
        styles: how many.
        channels: as of `EMD`; the last is the length of an embedding.
    """

    def __init__(self, sources: Tensor, styles: int, channels: Sequence[int] = LAPTOP) -> None:
        super().__init__()
        size = channels[-1]
        self.register_buffer("sources", sources, persistent=False)
        self.embeddings = nn.Parameter(torch.randn(styles, size))
        self.encoder = Down(1, channels)
        self.joined = nn.Linear(2 * size, size)
        self.decoder = Up(channels)

    def forward(self, contents: Tensor, embedding: Tensor, places: Tensor | None = None) -> Tensor:
        """Letters by number (B,), (B, R), and how the letters are bent (`bending.bent`) -> (B, 1, 80, 80) in [0, 1]."""
        return self.decode(*self.encode(contents, places), embedding)

    def encode(self, contents: Tensor, places: Tensor | None = None) -> tuple[Tensor, list[Tensor]]:
        """The codes (B, R) of letters by number, and the skips."""
        plain = self.sources[contents][:, None]
        return self.encoder(plain if places is None else bent(plain, places))

    def decode(self, code: Tensor, seen: Sequence[Tensor], embedding: Tensor) -> Tensor:
        """(B, R), skips, (B, R) -> (B, 1, 80, 80) in [0, 1]."""
        return self.decoder(self.joined(torch.cat([code, embedding], dim=1)), seen)


class Objective(nn.Module):
    """What it is trained for; called with a batch of `Triplets` it returns the loss, the same as EMD's."""

    def __init__(self, network: Zi2Zi) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        embeddings = self.network.embeddings[batch["style"]]
        drawn = self.network(batch["content"], embeddings, batch.get("places"))
        return {"L1": weighted_l1(drawn, batch["target"])}


def for_split(known: Split, channels: Sequence[int] = LAPTOP, *, seed: int = 0) -> Zi2Zi:
    """An untrained network for the styles and letters of a split. Raises ValueError: `SOURCE` is not one of them."""
    contents = range(len(known.glyphs.contents))
    sources = known.glyphs.at([known.glyphs.style(SOURCE)] * len(contents), contents)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Zi2Zi(sources, len(known.glyphs.styles), channels)


def train_zi2zi(
    known: Split | None = None,
    *,
    out: str | Path,
    channels: Sequence[int] = LAPTOP,
    batch: int = 32,
    seed: int = 0,
    examples: int | None = None,
    bend: bool = True,
    **run: object,
) -> Iterator[Progress]:
    """Train it and write it to `out`; yields progress. Arguments and errors as of `emd.train_emd`."""
    out, known = Path(out), known or split(collect())
    network = for_split(known, channels, seed=seed)
    batches = Triplets(known, references=1, batch=batch, seed=seed, examples=examples, bend=bend, shear=False)
    yield from fit(Objective(network), batches, **settings(out, run))
    write_weights(out, weights_of(network), {"channels": list(channels)})


def load(path: str | Path, known: Split) -> Zi2Zi:
    """What `train_zi2zi` wrote, for the split that it was trained with; in eval mode, frozen. Raises WeightsError."""
    network = for_split(known, read_about(path).get("channels", LAPTOP))
    set_weights(network, read_weights(path), f"zi2zi network {path}")
    return network


def find_embedding(
    network: Zi2Zi,
    letters: Tensor,
    glyphs: Tensor,
    known: Sequence[int],
    *,
    steps: int = 100,
    learning_rate: float = 0.05,
) -> Tensor:
    """The embedding of a new style, from r pairs: the best of the known ones, and from there gradient descent (Adam).

    Args:
        network: in eval mode.
        letters: r letters by number. glyphs: them in the new style, (r, 80, 80).
        known: numbers of the styles to begin from.
    Returns:
        (R,).
    """
    with torch.no_grad():
        code, seen = network.encode(letters)

    def loss(embedding: Tensor) -> Tensor:
        return weighted_l1(network.decode(code, seen, embedding.expand_as(code)), glyphs[:, None])

    with torch.no_grad():
        best = min(known, key=lambda style: float(loss(network.embeddings[style])))
    embedding = network.embeddings[best].detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([embedding], lr=learning_rate)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = learning_rate * (1 - step / steps)
        (embedding.grad,) = torch.autograd.grad(loss(embedding), [embedding])
        optimizer.step()
    return embedding.detach()


def drawer(network: Zi2Zi, known: Split, **search: float) -> Callable[[Batch], Tensor]:
    """What `references.table` wants: known styles have their embeddings, new ones get them by `find_embedding`."""
    found: dict[tuple[int, ...], Tensor] = {}

    def embedding(style: int, letters: Tensor, glyphs: Tensor) -> Tensor:
        if style in known.known_styles:
            return network.embeddings[style]
        key = (style, *letters.tolist())
        if key not in found:
            with torch.enable_grad():
                found[key] = find_embedding(network, letters, glyphs, known.known_styles, **search)
        return found[key]

    def draw(batch: Batch) -> Tensor:
        rows = zip(batch["style"].tolist(), batch["letters"], batch["style_refs"], strict=True)
        return network(batch["content"], torch.stack([embedding(*row) for row in rows]))

    return draw
