"""Lesson 09: separating style and content — EMD: encoder, mixer, decoder (Zhang, Zhang & Cai, CVPR 2018).

The network sees r glyphs of one style with different letters (R_S) and r glyphs of one letter in different styles
(R_C). Each set becomes a vector; the bilinear mixer combines the two, and the decoder draws the letter in the style:

    S = style encoder(R_S),   C = content encoder(R_C)                     the r glyphs stacked on channels
    M_k = Σ_ij S_i W_ijk C_j                                               the bilinear mixer, W is learnt
    Î = decoder(M, skip connections from the content encoder)
    L = Σ W_st W_b ‖Î − I‖₁,   W_st = 1/N_b,   W_b = exp(mean_b)/Σ exp(mean_b)        over the glyphs of a batch

N_b is the number of a target's ink pixels and mean_b their mean value. A new style needs r glyphs and no training.

**Differs from the paper:** letters and digits in the fonts of this machine instead of Chinese characters; narrower by
default; some content references are of similar fonts (`glyphs.dataset`); glyphs are warped and sheared at random in
training (`glyphs.augmentation`); see also `glyphs.networks`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stylelearn.glyphs.dataset import Batch, GlyphDataset, R, Split, split
from stylelearn.glyphs.networks import LAPTOP, Down, Up, as_channels
from stylelearn.glyphs.rendering import collect
from stylelearn.training import Progress, fit, settings
from stylelearn.weights import fill, network_file, read_about, seeded, write_weights

INK = 0.5  # darker pixels are ink


def bilinear_mix(style: Tensor, content: Tensor, weight: Tensor) -> Tensor:
    """M_k = Σ_ij S_i W_ijk C_j of S (B, R) and C (B, Q), one of which may be one row, and W (R, Q, K) -> (B, K)."""
    pairs = style[:, :, None] * content[:, None, :]  # (B, R, Q)
    return pairs.flatten(start_dim=1) @ weight.flatten(end_dim=1)  # (B, K)


def weighted_l1(drawn: Tensor, target: Tensor) -> Tensor:
    """Σ over the batch of W_st W_b ‖Î − I‖₁: Î and I, (B, 1, H, W) in [0, 1], -> the mean error per ink pixel.

    W_st = 1/N_b weighs thin and bold glyphs alike; W_b is a softmax over the batch, so that this is a weighted mean. A
    target without ink counts as one ink pixel of value 0.
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
        channels: of each convolution, `LAPTOP` or `PAPER`; the last is the length of S and C.
    Raises:
        ValueError: r below 1; neither seven nor eight channels.
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
        """Î, (B, 1, 80, 80), of two reference sets, (B, n, 80, 80) or (n, 80, 80), n ≥ r. Raises ValueError."""
        content, seen = self.encode_content(content_refs)
        return self.decode(self.mix(self.encode_style(style_refs), content), seen)

    def encode_style(self, references: Tensor) -> Tensor:
        """S, (B, R), of R_S."""
        return self.style_encoder(as_channels(references, self.references, "style"))[0]

    def encode_content(self, references: Tensor) -> tuple[Tensor, list[Tensor]]:
        """C, (B, R), and the skips of R_C. Two letters are interpolated by interpolating C and each of the skips."""
        return self.content_encoder(as_channels(references, self.references, "content"))

    def mix(self, style: Tensor, content: Tensor) -> Tensor:
        """M, (B, R), of S and C (see `bilinear_mix`), about as large as they are.

        What is learnt is W times R: a step of Adam changes each number by about the learning rate, and M sums R² of
        them, so that steps on W itself would be far too long.
        """
        return bilinear_mix(style, content, self.mixer / self.channels[-1])

    def decode(self, mixed: Tensor, seen: Sequence[Tensor]) -> Tensor:
        """M and the content encoder's skips -> (B, 1, 80, 80) in [0, 1]."""
        return self.decoder(mixed, seen)


@torch.no_grad()
def generate(network: EMD, style_refs: Tensor, content_refs: Tensor) -> Tensor:
    """Every letter in every style, (S, C, 80, 80) in [0, 1], of sets as of `EMD`; each is encoded once."""
    styles = network.encode_style(style_refs)
    contents, seen = network.encode_content(content_refs)
    rows = [network.decode(network.mix(style[None], contents), seen)[:, 0] for style in styles]
    return torch.stack(rows)


# --- training ---------------------------------------------------------------------------------------------------------


class EMDLoss(nn.Module):
    """The training loss: a batch of `GlyphDataset` -> {"L1": the weighted loss}."""

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
    warp: bool = True,
    **run: object,
) -> Iterator[Progress]:
    """Train EMD and write it to `out` (float16 safetensors), yielding progress.

    Args:
        known: the split to learn from; that of matplotlib's fonts by default.
        references, channels: as of `EMD`. batch, seed, examples, warp: as of `GlyphDataset`.
        run: steps, checkpoint and further arguments of `fit`; the checkpoint is OUT with the suffix .ckpt by default.
    Raises:
        ValueError, FloatingPointError: as `GlyphDataset`, `EMD` and `fit`.
    """
    out, known = Path(out), known or split(collect())
    batches = GlyphDataset(known, references=references, batch=batch, seed=seed, examples=examples, warp=warp)
    with seeded(seed):
        network = EMD(references, channels)
    header = {"references": references, "channels": list(network.channels)}
    about = {"network": "emd", **header, "batch": batch, "seed": seed, "examples": examples, "warp": warp}
    training = yield from fit(EMDLoss(network), batches, about={**about, "data": known}, **settings(out, run))
    write_weights(out, network.state_dict(), {**header, "training": training})


def load(name: str | Path = "emd") -> EMD:
    """The course's EMD (r = 10), or one from a file of `train_emd`; in eval mode, frozen.

    Raises:
        WeightsError: no such file, a damaged one, or one of another network.
    """
    path = network_file("emd", name)
    about: dict[str, Any] = {"references": R, "channels": LAPTOP} | read_about(path)
    network = EMD(about["references"], about["channels"])
    fill(network, path, f"emd network {name}")
    return network.eval().requires_grad_(False)


def measurements() -> dict[str, Any]:
    """The measurements stored in the file of the course's network (`python -m benchmarks glyphs` repeats them).

    Returns:
        "sets": {r as text: {"EMD" | "zi2zi" | "nearest": a `dataset.table`}}; "examples": {number of targets: a table}
        for EMDs trained for fewer steps; "steps", "example_steps".
    """
    return read_about(network_file("emd", "emd"))["figures"]
