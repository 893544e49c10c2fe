"""Separating style and content — Zhang, Zhang & Cai, CVPR 2018: the encoder, mixer, decoder network (EMD).

What is a style? Here nobody says it by hand, as Gram matrices do: the network finds out. It sees r glyphs of one style
with different letters (R_S), and r glyphs of one letter in different styles (R_C). Each set becomes a short list of
numbers, the two lists are mixed, and the mixture is drawn:

    S = style encoder(R_S),   C = content encoder(R_C)                     the r glyphs stacked on channels
    M_k = Σ_ij S_i W_ijk C_j                                               the bilinear mixer, W is learnt
    Î = decoder(M, what the content encoder saw on its way)                                        (skips)
    L = Σ W_st W_b ‖Î − I‖₁,   W_st = 1/N_b,   W_b = exp(mean_b)/Σ exp(mean_b)        over the glyphs of a batch

N_b is the number of a target's ink pixels and mean_b their mean value. A new style costs r pictures and no training.

**Differs from the paper:** letters and digits of the fonts at hand for Chinese characters; narrower by default; some
of a letter's references are of fonts like the one that is asked for, see `references`; in training glyphs are bent and
sheared at random; see also the module `glyph_networks`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stylelearn.glyphs.dataset import Batch, R, Split, Triplets, split
from stylelearn.glyphs.networks import LAPTOP, Down, Up, as_channels, set_weights, weights_of
from stylelearn.glyphs.rendering import collect
from stylelearn.training import Progress, fit, settings
from stylelearn.weights import network_file, read_about, read_weights, write_weights

INK = 0.5  # darker pixels are ink


def bilinear_mix(style: Tensor, content: Tensor, weight: Tensor) -> Tensor:
    """The bilinear mixer: M_k = Σ_ij S_i W_ijk C_j.

    Every number of the style meets every number of the content, and W says what comes of it.

    Args:
        style: S, (B, R). content: C, (B, Q). One row of either goes with all of the other. weight: W, (R, Q, K).
    Returns:
        (B, K).
    """
    pairs = style[:, :, None] * content[:, None, :]  # (B, R, Q)
    return pairs.flatten(start_dim=1) @ weight.flatten(end_dim=1)  # (B, K)


def weighted_l1(drawn: Tensor, target: Tensor) -> Tensor:
    """The loss: Σ over the batch of W_st W_b ‖Î − I‖₁.

    W_st = 1/N_b makes thin and bold glyphs count alike. W_b, a softmax over the batch, adds up to 1, so that this is a
    weighted mean.

    Args:
        drawn, target: Î and I, (B, 1, H, W) in [0, 1].
    Returns:
        One number, () float32: about how wrong a glyph is for each pixel of its ink. A target without ink counts as if
        it had one pixel of it, of value 0.
    """
    error = (drawn.float() - target.float()).abs().flatten(start_dim=1).sum(dim=1)  # (B,), ‖Î − I‖₁
    ink = (target < INK).flatten(start_dim=1).float()  # (B, H·W)
    count = ink.sum(dim=1).clamp_min(1)  # N_b
    mean = (target.float().flatten(start_dim=1) * ink).sum(dim=1) / count
    return (mean.softmax(dim=0) * error / count).sum()


class EMD(nn.Module):
    """Style encoder, content encoder, bilinear mixer, decoder.

    Args:
        references: r, the number of glyphs in each reference set.
        channels: of the eight convolutions; `LAPTOP`, or `PAPER`. The last is the length of S and C.
    Raises:
        ValueError: r below 1; not eight channels.
    """

    def __init__(self, references: int = R, channels: Sequence[int] = LAPTOP) -> None:
        super().__init__()
        if references < 1:
            raise ValueError(f"references must be at least 1, not {references}")
        self.references, self.channels = references, tuple(channels)
        size = self.channels[-1]
        self.style_encoder = Down(references, self.channels)
        self.content_encoder = Down(references, self.channels)
        self.mixer = nn.Parameter(torch.randn(size, size, size))  # W times `size`, see `mix`
        self.decoder = Up(self.channels)

    def forward(self, style_refs: Tensor, content_refs: Tensor) -> Tensor:
        """Î of two reference sets.

        Args:
            style_refs, content_refs: (B, n, 80, 80) in [0, 1], n ≥ r, of which the first r count; without B too.
        Returns:
            (B, 1, 80, 80) in [0, 1].
        Raises:
            ValueError: fewer than r references; other shapes.
        """
        content, seen = self.encode_content(content_refs)
        return self.decode(self.mix(self.encode_style(style_refs), content), seen)

    def encode_style(self, references: Tensor) -> Tensor:
        """S, (B, R), of R_S (B, n, 80, 80), n ≥ r. Raises ValueError for fewer."""
        return self.style_encoder(as_channels(references, self.references, "style"))[0]

    def encode_content(self, references: Tensor) -> tuple[Tensor, list[Tensor]]:
        """C, (B, R), and the skips of R_C (B, n, 80, 80), n ≥ r. Raises ValueError for fewer.

        Two letters are interpolated by interpolating C and each of the skips.
        """
        return self.content_encoder(as_channels(references, self.references, "content"))

    def mix(self, style: Tensor, content: Tensor) -> Tensor:
        """M, (B, R), of S and C (see `bilinear_mix`), about as large as they are.

        What is learnt is W times R: a step of Adam changes each number by about the learning rate, and M sums R² of
        them, so that steps on W itself would be far too long.
        """
        return bilinear_mix(style, content, self.mixer / self.channels[-1])

    def decode(self, mixed: Tensor, seen: Sequence[Tensor]) -> Tensor:
        """(B, R) and the content encoder's skips -> (B, 1, 80, 80) in [0, 1]."""
        return self.decoder(mixed, seen)


@torch.no_grad()
def generate(network: EMD, style_refs: Tensor, content_refs: Tensor) -> Tensor:
    """Every letter in every style; each set is encoded once.

    Args:
        style_refs: (S, n, 80, 80), or (n, 80, 80) for one style, n ≥ r. content_refs: (C, n, 80, 80) or one letter's.
    Returns:
        (S, C, 80, 80) in [0, 1].
    Raises:
        ValueError: fewer than r references; other shapes.
    """
    styles = network.encode_style(style_refs)
    contents, seen = network.encode_content(content_refs)
    rows = [network.decode(network.mix(style[None], contents), seen)[:, 0] for style in styles]
    return torch.stack(rows)


# --- training ---------------------------------------------------------------------------------------------------------


class Objective(nn.Module):
    """What EMD is trained for; called with a batch of `Triplets` it returns the weighted loss."""

    def __init__(self, network: EMD) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        return {"L1": weighted_l1(self.network(batch["style_refs"], batch["content_refs"]), batch["target"])}


def train_emd(
    known: Split | None = None,
    *,
    out: str | Path,
    references: int = R,
    channels: Sequence[int] = LAPTOP,
    batch: int = 32,
    seed: int = 0,
    examples: int | None = None,
    bend: bool = True,
    **run: object,
) -> Iterator[Progress]:
    """Train EMD and write it to `out` (float16 safetensors); yields progress.

    Args:
        known: what to learn from, and what not; matplotlib's fonts, as `references.split` divides them, by default.
        references: r. channels: of the eight convolutions. batch: targets a step. seed: of the weights and batches.
        examples, bend: as of `Triplets`.
        run: steps, checkpoint and what else `fit` takes; the checkpoint is OUT with the suffix .ckpt by default.
    Raises:
        ValueError, FloatingPointError: as `Triplets`, `EMD` and `fit`.
    """
    out, known = Path(out), known or split(collect())
    batches = Triplets(known, references=references, batch=batch, seed=seed, examples=examples, bend=bend)
    network = _seeded(references, channels, seed)
    yield from fit(Objective(network), batches, **settings(out, run))
    write_weights(out, weights_of(network), {"references": references, "channels": list(network.channels)})


def _seeded(references: int, channels: Sequence[int], seed: int) -> EMD:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return EMD(references, channels)


def train_live(
    known: Split,
    *,
    references: int = 3,
    channels: Sequence[int] = LAPTOP,
    steps: int = 200,
    batch: int = 16,
    learning_rate: float = 2e-3,
    seed: int = 0,
) -> Iterator[tuple[int, float, EMD]]:
    """Train a small EMD before somebody's eyes; nothing is written, and whoever stops looking stops it.

    Args:
        known: a few fonts and letters. The rest as of `train_emd`.
    Yields:
        (step, loss, network) after every step; the network goes on learning: call `network.eval()` before it draws.
    Raises:
        ValueError: as `Triplets` and `EMD`.
    """
    batches = Triplets(known, references=references, batch=batch, seed=seed)
    objective = Objective(_seeded(references, channels, seed))
    optimizer = torch.optim.Adam(objective.parameters(), lr=learning_rate)
    for step in range(1, steps + 1):
        optimizer.param_groups[0]["lr"] = learning_rate * (1 - (step - 1) / steps)
        objective.train()
        loss = objective(batches[step])["L1"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield step, loss.item(), objective.network


def load(name: str | Path = "emd") -> EMD:
    """The course's EMD (r = 10), or one from a file made by `train_emd`; in eval mode, frozen.

    Raises:
        WeightsError: there is none of that name; a file that is not whole, or of another network.
    """
    path = network_file("emd", name)
    about = {"references": R, "channels": LAPTOP} | read_about(path)
    network = EMD(about["references"], about["channels"])
    set_weights(network, read_weights(path), f"emd network {name}")
    return network


def figures(name: str | Path = "emd") -> dict[str, Any]:
    """What was measured of a network that ships, out of its file (`python -m benchmarks glyphs` measures it again).

    Returns:
        "sets": {r: {"EMD" | "zi2zi" | "nearest": a `references.table`}}, r as text; "examples": {how many glyphs were
        targets: a table}, of EMDs that were trained for fewer steps; "steps" and "example_steps". Empty for a file
        of yours.
    Raises:
        WeightsError: as `load`.
    """
    return read_about(network_file("emd", name)).get("figures", {})
