"""The data of lesson 09: targets with their reference sets, what is held back for tests, and the scores.

Zhang et al. (2018) hold back styles *and* letters, which gives four test sets:

    D1 known style, known letter · D2 known style, novel letter · D3 novel style, known letter · D4 both novel

**Differs from the paper:** the target is never among its references, and content references never come from the
target's font in any variation; otherwise the network would learn to copy. Two in five content references are of the
known styles that look most like the style references; the paper draws all at random.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from stylelearn.glyphs.augmentation import compose, identity_grid, random_shears, random_warps, warp
from stylelearn.glyphs.rendering import Glyphs, coarse

R = 10  # references in a set, as in the paper
ALIKE = 0.4  # share of similar styles in content references; with all alike, they would not define the letter
NOVEL_FONTS = ("DejaVuSerif-Bold", "STIXGeneralItalic", "cmss10", "cmtt10")
NOVEL_LETTERS = "BGKRaegqtw35"
SETS = ("D1", "D2", "D3", "D4")

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class Split:
    """Known and held-back styles and contents, as indices into a `Glyphs`."""

    glyphs: Glyphs
    known_styles: tuple[int, ...]
    novel_styles: tuple[int, ...]
    known_contents: tuple[int, ...]
    novel_contents: tuple[int, ...]

    @property
    def about(self) -> dict[str, object]:
        """What tells this split from others: names, what is held back, and how the mean glyph looks."""
        glyphs = self.glyphs
        return {
            "fonts": sorted(set(glyphs.fonts)),
            "letters": glyphs.contents,
            "novel_fonts": sorted({glyphs.fonts[style] for style in self.novel_styles}),
            "novel_letters": "".join(glyphs.contents[content] for content in self.novel_contents),
            "glyphs": glyphs.images.float().mean(dim=(0, 1))[None, None] / 255,
        }

    def pairs(self, name: str) -> Tensor:
        """All (style, content) of a set "D1" … "D4": (N, 2) int64. Raises ValueError: another name, or an empty set."""
        if name not in SETS:
            raise ValueError(f"there is no test set {name!r}; there are {', '.join(SETS)}")
        styles = self.known_styles if name in ("D1", "D2") else self.novel_styles
        contents = self.known_contents if name in ("D1", "D3") else self.novel_contents
        if not styles or not contents:
            raise ValueError(f"{name} is empty: this split holds back no {'letters' if styles else 'fonts'}")
        return torch.cartesian_prod(torch.tensor(styles), torch.tensor(contents))

    def letters(self, count: int, generator: torch.Generator, without: int = -1) -> Tensor:
        """Indices of `count` different known letters in random order, never `without`: (count,). Raises ValueError."""
        found = [content for content in self.known_contents if content != without]
        return _some(found, count, generator, "known letters", "letters")

    def alike(self, letters: str | Tensor, glyphs: Tensor, without: int = -1) -> Tensor:
        """Indices of the known styles, sorted by how much these letters look like these glyphs: (S,).

        Args:
            letters: (r,) indices, or a text. glyphs: the letters in some style, (r, 80, 80) in [0, 1].
            without: a style whose font is left out in all variations.
        """
        if isinstance(letters, str):
            letters = torch.tensor([self.glyphs.content(letter) for letter in letters])
        found = self._others(without)
        apart = (self.glyphs.coarse[found][:, letters] - coarse(glyphs)).abs().mean(dim=(1, 2, 3))
        return torch.tensor(found)[apart.argsort(stable=True)]

    def content_references(
        self, content: int, count: int, generator: torch.Generator, *, without: int = -1, alike: Tensor | None = None
    ) -> Tensor:
        """R_C: a letter in `count` known styles, (count, 80, 80).

        Args:
            without: as of `alike`.
            alike: its result; its first styles make the share ALIKE of the references, the rest is random.
        Raises:
            ValueError: fewer than `count` styles.
        """
        drawn = _some(self._others(without), count, generator, "known styles of other fonts", "fonts").tolist()
        first = [] if alike is None else alike[: round(ALIKE * count)].tolist()
        return self.glyphs.at([*first, *(style for style in drawn if style not in first)][:count], content)

    def _others(self, without: int) -> list[int]:
        fonts = self.glyphs.fonts
        return [style for style in self.known_styles if without < 0 or fonts[style] != fonts[without]]


def _some(numbers: list[int], count: int, generator: torch.Generator, what: str, add: str) -> Tensor:
    """`count` of the numbers, each at most once, in random order."""
    if len(numbers) < count:
        raise ValueError(
            f"r = {count} references are wanted, but there are only {len(numbers)} {what}; add {add}, or lower r"
        )
    return torch.tensor(numbers)[torch.randperm(len(numbers), generator=generator)[:count]]


def split(
    glyphs: Glyphs, *, novel_fonts: Sequence[str] = NOVEL_FONTS, novel_letters: Sequence[str] = NOVEL_LETTERS
) -> Split:
    """Hold back letters, and fonts with all their variations. Raises ValueError: unknown ones, or nothing is left."""
    for what, held, there in (("font", novel_fonts, set(glyphs.fonts)), ("letter", novel_letters, glyphs.contents)):
        strange = [each for each in held if each not in there]
        if strange:
            raise ValueError(f"the {what} {strange[0]!r} cannot be held back: there are {', '.join(sorted(there))}")
        if len(set(held)) == len(there):
            raise ValueError(f"every {what} is held back, and nothing is left to learn from; name fewer")
    styles, contents = range(len(glyphs.styles)), range(len(glyphs.contents))
    return Split(
        glyphs,
        known_styles=tuple(number for number in styles if glyphs.fonts[number] not in novel_fonts),
        novel_styles=tuple(number for number in styles if glyphs.fonts[number] in novel_fonts),
        known_contents=tuple(number for number in contents if glyphs.contents[number] not in novel_letters),
        novel_contents=tuple(number for number in contents if glyphs.contents[number] in novel_letters),
    )


class GlyphDataset(Dataset[Batch]):
    """Training batches; item n depends on the seed and n alone. Targets are drawn from D1.

    An item is a dict: "style_refs" and "content_refs" (B, r, 80, 80), "target" (B, 1, 80, 80); as indices "style" and
    "content" (B,), and "letters" (B, r), those of the style references.

    Args:
        references: r. batch: targets per item.
        examples: how many (style, letter) pairs, chosen by the seed, ever are targets; None for all known ones.
        warp: augment: warp letters and shear styles at random (`augmentation`).
        shear: False leaves the styles as they are.
    Raises:
        ValueError: r exceeds the letters or styles there are; fewer than one example or two targets.
    """

    def __init__(
        self,
        split: Split,
        *,
        references: int = R,
        batch: int = 32,
        seed: int = 0,
        examples: int | None = None,
        warp: bool = False,
        shear: bool = True,
    ) -> None:
        for what, number in (("references", references), ("examples", examples)):
            if number is not None and number < 1:
                raise ValueError(f"{what} must be at least 1, not {number}")
        if batch < 2:
            raise ValueError(f"batch must be at least 2, not {batch}: batch norm compares glyphs with one another")
        self.split, self.references, self.batch, self.seed = split, references, batch, seed
        self.warp, self.shear = warp, shear
        pairs = split.pairs("D1")
        self.pairs = pairs[torch.randperm(len(pairs), generator=_generator(seed, 0))[:examples]]
        self[0]  # raises now what every batch would raise

    def __getitem__(self, number: int) -> Batch:
        generator = _generator(self.seed, number + 1)
        chosen = self.pairs[torch.randint(len(self.pairs), (self.batch,), generator=generator)]
        letters = [self.split.letters(self.references, generator, without=int(content)) for content in chosen[:, 1]]
        item = _batch(self.split, chosen, torch.stack(letters), generator)
        return _augmented(item, generator, shear=self.shear) if self.warp else item


def _augmented(item: Batch, generator: torch.Generator, *, shear: bool) -> Batch:
    """The item warped and sheared, with the letters' "grids", (B, 80, 80, 2)."""
    count = len(item["target"])
    letter, style = random_warps(count, generator), identity_grid(count)
    if shear:
        style = random_shears(count, generator)
    return item | {
        "style_refs": warp(item["style_refs"], style),
        "content_refs": warp(item["content_refs"], letter),
        "target": warp(item["target"], compose(letter, style)),
        "grids": letter,
    }


def test_batch(split: Split, name: str, *, references: int = R, count: int = 200, seed: int = 1) -> Batch:
    """Targets from D1 … D4 with reference sets, as an item of `GlyphDataset`.

    Each style has one set of r style references; none of these letters is a target in this style. At most `count`
    targets are chosen by the seed. Raises ValueError: as `Split.pairs`; r is too large for this set.
    """
    pairs = split.pairs(name)
    letters = {style: split.letters(references, _generator(seed, style + 1)) for style in pairs[:, 0].unique().tolist()}
    free = [int(content) not in letters[int(style)].tolist() for style, content in pairs]
    if not any(free):
        raise ValueError(f"with r = {references}, all letters of {name} are references; ask for fewer")
    generator = _generator(seed, 0)
    pairs = pairs[torch.tensor(free)]
    chosen = pairs[torch.randperm(len(pairs), generator=generator)[:count]]
    theirs = torch.stack([letters[style] for style in chosen[:, 0].tolist()])
    return _batch(split, chosen, theirs, generator)


def _generator(seed: int, number: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed * 1_000_003 + number)


def _batch(split: Split, pairs: Tensor, letters: Tensor, generator: torch.Generator) -> Batch:
    """An item for the (style, content) of `pairs`, (B, 2), with these letters (B, r) as style references."""
    style, content = pairs.unbind(dim=1)
    style_refs = split.glyphs.at(style[:, None].expand_as(letters), letters)
    content_refs = []
    for i, j, theirs, seen in zip(style.tolist(), content.tolist(), letters, style_refs, strict=True):
        alike = split.alike(theirs, seen, without=i)
        content_refs.append(split.content_references(j, len(theirs), generator, without=i, alike=alike))
    return {
        "style_refs": style_refs,
        "content_refs": torch.stack(content_refs),
        "target": split.glyphs.at(style, content)[:, None],
        "style": style,
        "content": content,
        "letters": letters,
    }


# --- scores -----------------------------------------------------------------------------------------------------------


def l1(drawn: Tensor, target: Tensor) -> Tensor:
    """Mean of |Î − I| over the pixels of each glyph: (B, 1, H, W) twice -> (B,)."""
    return (drawn - target).abs().flatten(start_dim=1).mean(dim=1)


def rmse(drawn: Tensor, target: Tensor) -> Tensor:
    """Root of the mean of (Î − I)² over the pixels of each glyph: (B, 1, H, W) twice -> (B,)."""
    return (drawn - target).square().flatten(start_dim=1).mean(dim=1).sqrt()


def pdar(drawn: Tensor, target: Tensor) -> Tensor:
    """Pixel disagreement ratio: the share of pixels that are ink (below 0.5) in one of the two only: (B,)."""
    return ((drawn < 0.5) != (target < 0.5)).flatten(start_dim=1).float().mean(dim=1)


SCORES = {"L1": l1, "RMSE": rmse, "PDAR": pdar}


def table(
    draw: Callable[[Batch], Tensor], split: Split, *, references: int = R, count: int = 200
) -> dict[str, dict[str, float]]:
    """The scores on D1 … D4 of `draw`, from an item of `GlyphDataset` to glyphs (B, 1, 80, 80).

    {"D1": {"L1": …, "RMSE": …, "PDAR": …}, …, "D4": …}: means over the targets; 0 is perfect.
    """
    found = {}
    for name in SETS:
        batch = test_batch(split, name, references=references, count=count)
        with torch.no_grad():
            drawn = draw(batch)
        found[name] = {score: float(judge(drawn, batch["target"]).mean()) for score, judge in SCORES.items()}
    return found
