"""The baseline of EMD: a network that knows each font by a number, in the manner of zi2zi (Tian, 2017).

A U-Net turns a letter of one plain font into the letter of another font. The font is given by a learnt embedding that
joins the code where the U-Net is narrowest. Targets, loss and decoder are EMD's. For a new style, the r reference
letters become r pairs (plain, wanted), and gradient descent finds an embedding for them; the network stays fixed. ::

    python -m benchmarks.zi2zi --out zi2zi.safetensors          # train it as the shipped EMD was trained
    python -m benchmarks glyphs --baseline zi2zi.safetensors    # and measure it beside EMD

**Differs from zi2zi:** no adversarial and no category loss, so that only the description of a style differs from EMD.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from stylelearn.emd import weighted_l1
from stylelearn.glyphs.augmentation import warp as warped
from stylelearn.glyphs.dataset import Batch, GlyphDataset, Split, split
from stylelearn.glyphs.networks import LAPTOP, Down, Up
from stylelearn.glyphs.rendering import collect
from stylelearn.training import Progress, fit
from stylelearn.weights import fill, read_about, seeded, write_weights

SOURCE = "DejaVuSans/plain"  # the style that all others are made of
FIRST_RATE = 0.05  # of the search for an embedding, falling to 0
STEPS = 16_300  # as many as the stored measurements had; 5,000 of these without augmentation


class Zi2Zi(nn.Module):
    """A U-Net with an embedding for each of `styles`, of which `sources` (C, 80, 80), the plain letters, are made."""

    def __init__(self, sources: Tensor, styles: int, channels: Sequence[int] = LAPTOP) -> None:
        super().__init__()
        size = channels[-1]
        self.register_buffer("sources", sources, persistent=False)
        self.embeddings = nn.Parameter(torch.randn(styles, size))
        self.encoder = Down(1, channels)
        self.joined = nn.Linear(2 * size, size)
        self.decoder = Up(channels)

    def forward(self, contents: Tensor, embedding: Tensor, grids: Tensor | None = None) -> Tensor:
        """Indices of letters (B,), embeddings (B, R), warps (B, 80, 80, 2) -> (B, 1, 80, 80) in [0, 1]."""
        return self.decode(*self.encode(contents, grids), embedding)

    def encode(self, contents: Tensor, grids: Tensor | None = None) -> tuple[Tensor, list[Tensor]]:
        plain = self.sources[contents][:, None]
        return self.encoder(plain if grids is None else warped(plain, grids))

    def decode(self, code: Tensor, seen: Sequence[Tensor], embedding: Tensor) -> Tensor:
        return self.decoder(self.joined(torch.cat([code, embedding], dim=1)), seen)


class Zi2ZiLoss(nn.Module):
    """The training loss, the same as EMD's: a batch of `GlyphDataset` -> {"L1": loss}."""

    def __init__(self, network: Zi2Zi) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        embeddings = self.network.embeddings[batch["style"]]
        drawn = self.network(batch["content"], embeddings, batch.get("grids"))
        return {"L1": weighted_l1(drawn, batch["target"])}


def for_split(known: Split, channels: Sequence[int] = LAPTOP) -> Zi2Zi:
    """An untrained network for the styles and letters of a split. Raises ValueError: `SOURCE` is not one of them."""
    contents = range(len(known.glyphs.contents))
    sources = known.glyphs.at([known.glyphs.style(SOURCE)] * len(contents), contents)
    with seeded(0):
        return Zi2Zi(sources, len(known.glyphs.styles), channels)


def train_zi2zi(
    known: Split, out: Path, *, channels: Sequence[int] = LAPTOP, batch: int = 32, warp: bool = True, **run: object
) -> Iterator[Progress]:
    """Train it and write it to `out`, yielding progress. Arguments and errors as of `emd.train_emd`."""
    network = for_split(known, channels)
    batches = GlyphDataset(known, references=1, batch=batch, warp=warp, shear=False)
    about = {"network": "zi2zi", "channels": list(channels), "batch": batch, "warp": warp, "data": known}
    yield from fit(Zi2ZiLoss(network), batches, about=about, checkpoint=out.with_suffix(".ckpt"), **run)
    write_weights(out, network.state_dict(), {"channels": list(channels)})


def load(path: str | Path, known: Split) -> Zi2Zi:
    """A file of `train_zi2zi`, for the split that it was trained with; in eval mode, frozen. Raises WeightsError."""
    network = for_split(known, read_about(path).get("channels", LAPTOP))
    fill(network, path, f"zi2zi network {path}")
    return network.eval().requires_grad_(False)


def find_embedding(
    network: Zi2Zi, letters: Tensor, glyphs: Tensor, known: Sequence[int], *, steps: int = 100
) -> Tensor:
    """The embedding (R,) of a new style from r letters and glyphs (r, 80, 80), by Adam from the best `known` one."""

    def loss(embedding: Tensor) -> Tensor:
        return weighted_l1(network.decode(code, seen, embedding.expand_as(code)), glyphs[:, None])

    with torch.no_grad():
        code, seen = network.encode(letters)
        best = min(known, key=lambda style: float(loss(network.embeddings[style])))
    embedding = network.embeddings[best].detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([embedding])
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = FIRST_RATE * (1 - step / steps)
        (embedding.grad,) = torch.autograd.grad(loss(embedding), [embedding])
        optimizer.step()
    return embedding.detach()


def drawer(network: Zi2Zi, known: Split, **search: float) -> Callable[[Batch], Tensor]:
    """A drawer for `dataset.table`: known styles use their embedding, new ones that of `find_embedding`."""
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


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m benchmarks.zi2zi`: train the baseline on matplotlib's fonts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zi2zi", description="Train the baseline of EMD.")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=".safetensors")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"(default: {STEPS})")
    parser.add_argument("--straight", action="store_true", help="without augmentation")
    options = parser.parse_args(arguments)
    run = {"steps": options.steps, "learning_rate": 2e-3, "warm_up": 100}
    for progress in train_zi2zi(split(collect()), options.out, warp=not options.straight, **run):
        print(f"step {progress.step} of {progress.steps}, loss {sum(progress.losses.values()):.3f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
