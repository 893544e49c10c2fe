"""The options of networks that draw letters, and how their training begins: `stylelearn train emd|zi2zi`."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylelearn.cli.parsing import whole

if TYPE_CHECKING:
    from torch import Tensor, nn

    from stylelearn.glyphs.dataset import Split
    from stylelearn.training import Progress

PAPER_BATCH = 50
SHEET_COLUMNS = 12  # glyphs in a row of a sample sheet


def add_fonts(parser: argparse.ArgumentParser) -> None:
    """What to learn from."""
    parser.add_argument(
        "--fonts", type=Path, nargs="+", metavar="PATH", help="font files and folders (default: matplotlib's fonts)"
    )
    parser.add_argument("--letters", metavar="TEXT", help="all letters (default: A to Z, a to z, 0 to 9)")
    parser.add_argument(
        "--novel-fonts",
        nargs="*",
        metavar="NAME",
        help="fonts to hold back, by their files' names without suffix (default: four of matplotlib's, none of yours)",
    )
    parser.add_argument(
        "--novel-letters", metavar="TEXT", help="letters to hold back (default: 12 of the usual, none of yours)"
    )
    parser.add_argument("--examples", type=whole(1), metavar="N", help="glyphs that are targets (default: all known)")
    parser.add_argument(
        "--straight", action="store_true", help="letters and fonts as they are; without it they are bent a little"
    )
    parser.add_argument("--paper", action="store_true", help="the paper's channels and batch, where you say no other")
    parser.add_argument(
        "--channels",
        type=whole(1, 1024),
        nargs="+",
        metavar="N",
        help="of each convolution: seven numbers, or eight as the paper has (default: a laptop's)",
    )


def add_emd(parser: argparse.ArgumentParser) -> None:
    """Options of EMD."""
    parser.add_argument("--references", type=whole(1, 100), metavar="R", help="glyphs in a reference set (default: 10)")
    add_fonts(parser)


def start_emd(options: argparse.Namespace, run: dict[str, Any]) -> "Iterator[Progress]":
    """Begin to train EMD."""
    from stylelearn.emd import train_emd

    known = _split(options)
    named = {} if options.references is None else {"references": options.references}

    def sheet(model: "nn.Module") -> "Tensor":
        return emd_sheet(model, known)

    return train_emd(known, out=options.out, sheet=sheet, **named, **_shared(options), **run)


def start_zi2zi(options: argparse.Namespace, run: dict[str, Any]) -> "Iterator[Progress]":
    """Begin to train what EMD is measured against."""
    from benchmarks.zi2zi import train_zi2zi

    return train_zi2zi(_split(options), out=options.out, **_shared(options), **run)


def _shared(options: argparse.Namespace) -> dict[str, Any]:
    from stylelearn.glyphs.networks import PAPER

    found: dict[str, Any] = {"examples": options.examples, "warp": not options.straight}
    channels = options.channels or (PAPER if options.paper else None)
    return found | ({"channels": tuple(channels)} if channels else {})


def _split(options: argparse.Namespace) -> "Split":
    """Known and novel fonts and letters. Raises FontError and ValueError."""
    from stylelearn.glyphs.dataset import NOVEL_FONTS, NOVEL_LETTERS, split
    from stylelearn.glyphs.fonts import LETTERS
    from stylelearn.glyphs.rendering import collect

    glyphs = collect(options.fonts, letters=options.letters or LETTERS)
    fonts, letters = options.novel_fonts, options.novel_letters
    if fonts is None:
        fonts = () if options.fonts else [name for name in NOVEL_FONTS if name in glyphs.fonts]
    if letters is None:
        letters = "" if options.letters else NOVEL_LETTERS
    return split(glyphs, novel_fonts=fonts, novel_letters=letters)


def emd_sheet(model: "nn.Module", known: "Split") -> "Tensor":
    """A column for each glyph; two references of its style, one of its letter, what was wanted, what is drawn.

    Above what was learnt, below, where something was held back, the novel: (1, 3, H, W).
    """
    import torch

    from stylelearn.glyphs.dataset import test_batch

    network, rows = model.network, []
    where = next(model.parameters()).device
    for name in ("D1", "D4") if known.novel_styles and known.novel_contents else ("D1",):
        batch = test_batch(known, name, references=network.references, count=SHEET_COLUMNS)
        drawn = network(batch["style_refs"].to(where), batch["content_refs"].to(where)).float().cpu()
        references = (*batch["style_refs"].unbind(dim=1)[:2], batch["content_refs"][:, 0])  # each (N, 80, 80)
        shown = (*references, batch["target"][:, 0], drawn[:, 0])
        blank = torch.ones(SHEET_COLUMNS - len(drawn), *drawn.shape[2:])
        rows += [torch.cat([*row, *blank], dim=1) for row in shown]
    return torch.cat(rows)[None, None].expand(1, 3, -1, -1)
