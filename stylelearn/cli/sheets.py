"""Sample sheets of `stylelearn train`: the course's own pictures, painted by the network in training."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

    from stylelearn.glyphs.dataset import Split

SHEET_SIZE = 192  # pixels of a side of each picture
COLUMNS = 12  # glyphs in a row


def _contents(model: "nn.Module") -> "Tensor":
    """Two of the course's photographs, (2, 3, SHEET_SIZE, SHEET_SIZE), where the model is."""
    import torch

    from stylelearn import images, samples

    where = next(model.parameters()).device
    photos = [images.square(samples.content(name, SHEET_SIZE), SHEET_SIZE) for name in ("chelsea", "coffee")]
    return torch.cat(photos).to(where)


def _style(number: int) -> "Tensor":
    """One of the course's styles, (1, 3, SHEET_SIZE, SHEET_SIZE)."""
    from stylelearn import images, samples

    return images.square(samples.style(samples.style_names()[number], SHEET_SIZE), SHEET_SIZE)


def _sheet(rows: "list[Tensor]") -> "Tensor":
    """Each row (K, 3, H, W), one below the other: (1, 3, rows · H, K · W)."""
    import torch

    return torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)[None]


def johnson(model: "nn.Module") -> "Tensor":
    """Photographs above their pastiches."""
    contents = _contents(model)
    return _sheet([contents, model.network(contents)])


def cin(model: "nn.Module") -> "Tensor":
    """Photographs above, and a row for each of the first six styles."""
    contents, network = _contents(model), model.network
    return _sheet([contents, *(network(contents, network.mix(name)) for name in network.styles[:6])])


def any_style(model: "nn.Module") -> "Tensor":
    """Photographs above, and a row for each of three of the course's styles, which training may not have seen."""
    contents = _contents(model)
    styles = [_style(number).to(contents) for number in (0, 5, 10)]
    return _sheet([contents, *(model.network(contents, style) for style in styles)])


def adjustable(model: "nn.Module") -> "Tensor":
    """Photographs above, then a row without any style, one for each α alone, and one with all."""
    import torch

    contents, network = _contents(model), model.network
    known = network.style(_style(0).to(contents)) if network.about["any_style"] else None
    count = len(network.adjustable)
    settings = [torch.zeros(count), *torch.eye(count), torch.ones(count)]
    return _sheet([contents, *(network(contents, known, one[None].to(contents)) for one in settings)])


def emd(model: "nn.Module", known: "Split") -> "Tensor":
    """A column for each glyph: two references of its style, one of its letter, the target, the drawing.

    Known fonts and letters above; below them novel ones, if both are held back. Returns (1, 3, H, W).
    """
    import torch

    from stylelearn.glyphs.dataset import test_batch

    network, rows = model.network, []
    where = next(model.parameters()).device
    for name in ("D1", "D4") if known.novel_styles and known.novel_contents else ("D1",):
        batch = test_batch(known, name, references=network.references, count=COLUMNS)
        drawn = network(batch["style_refs"].to(where), batch["content_refs"].to(where)).float().cpu()
        references = (*batch["style_refs"].unbind(dim=1)[:2], batch["content_refs"][:, 0])  # each (N, 80, 80)
        shown = (*references, batch["target"][:, 0], drawn[:, 0])
        blank = torch.ones(COLUMNS - len(drawn), *drawn.shape[2:])
        rows += [torch.cat([*row, *blank], dim=1) for row in shown]
    return torch.cat(rows)[None, None].expand(1, 3, -1, -1)
