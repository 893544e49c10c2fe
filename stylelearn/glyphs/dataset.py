"""Which glyphs a network learns from, with which references, and how what it draws is judged.

Zhang et al. (2018) hold back styles *and* letters, which gives four test sets:

    D1 known style, known letter · D2 known style, novel letter · D3 novel style, known letter · D4 both novel

In D1 the network has seen the very glyph. In D4 it has seen neither the font, in any of its variations, nor the letter.

**Differs from the paper:** references are never the glyph that is asked for, and those of a letter never come from the
font that is asked for, in any of its variations: a network that could find its answer there would learn to copy. And
they are not all drawn at random: two in five are of the known styles that look most like the style references.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from stylelearn.glyphs.augmentation import after, bends, bent, shears, straight
from stylelearn.glyphs.rendering import Glyphs, coarse

R = 10  # references in a set, as in the paper
ALIKE = 0.4  # of a letter's references; were all of them alike, they would not say what the letter is in any style
NOVEL_FONTS = ("DejaVuSerif-Bold", "STIXGeneralItalic", "cmss10", "cmtt10")
NOVEL_LETTERS = "BGKRaegqtw35"
SETS = ("D1", "D2", "D3", "D4")

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class Split:
    """What may be learnt from and what is held back, as numbers of styles and of contents of a `Glyphs`."""

    glyphs: Glyphs
    known_styles: tuple[int, ...]
    novel_styles: tuple[int, ...]
    known_contents: tuple[int, ...]
    novel_contents: tuple[int, ...]

    def pairs(self, name: str) -> Tensor:
        """All (style, content) of a test set "D1" … "D4": (N, 2) whole numbers.

        Raises:
            ValueError: another name, or nothing was held back for this set.
        """
        if name not in SETS:
            raise ValueError(f"there is no test set {name!r}; there are {', '.join(SETS)}")
        styles = self.known_styles if name in ("D1", "D2") else self.novel_styles
        contents = self.known_contents if name in ("D1", "D3") else self.novel_contents
        if not styles or not contents:
            raise ValueError(f"{name} is empty: this split holds back no {'letters' if styles else 'fonts'}")
        return torch.cartesian_prod(torch.tensor(styles), torch.tensor(contents))

    def letters(self, count: int, generator: torch.Generator, without: int = -1) -> Tensor:
        """`count` different known letters, by number, in random order, never `without`: (count,).

        Raises:
            ValueError: there are not so many.
        """
        found = [content for content in self.known_contents if content != without]
        return _some(found, count, generator, "known letters to refer to")

    def alike(self, letters: str | Tensor, glyphs: Tensor, without: int = -1) -> Tensor:
        """The known styles by number, the one first in which these letters look most like these glyphs: (S,).

        Args:
            letters: (r,), by number, or as a text. glyphs: the same letters in some style, (r, 80, 80) in [0, 1].
            without: a style whose font, in all its variations, is left out.
        """
        if isinstance(letters, str):
            letters = torch.tensor([self.glyphs.content(letter) for letter in letters])
        found = self._others(without)
        apart = (self.glyphs.coarse[found][:, letters] - coarse(glyphs)).abs().mean(dim=(1, 2, 3))
        return torch.tensor(found)[apart.argsort()]

    def content_references(
        self, content: int, count: int, generator: torch.Generator, *, without: int = -1, alike: Tensor | None = None
    ) -> Tensor:
        """R_C: a letter in `count` known styles, (count, 80, 80).

        Args:
            without: a style whose font, in all its variations, is left out.
            alike: what `alike` found: the first of these are ALIKE of the references, the others are drawn at random.
        Raises:
            ValueError: there are not so many.
        """
        drawn = _some(self._others(without), count, generator, "known styles to refer to, of other fonts").tolist()
        first = [] if alike is None else alike[: round(ALIKE * count)].tolist()
        return self.glyphs.at([*first, *(style for style in drawn if style not in first)][:count], content)

    def _others(self, without: int) -> list[int]:
        fonts = self.glyphs.fonts
        return [style for style in self.known_styles if without < 0 or fonts[style] != fonts[without]]


def _some(numbers: list[int], count: int, generator: torch.Generator, what: str) -> Tensor:
    """`count` of the numbers, each at most once, in random order."""
    if len(numbers) < count:
        raise ValueError(f"r = {count} references are wanted, but there are only {len(numbers)} {what}; ask for fewer")
    return torch.tensor(numbers)[torch.randperm(len(numbers), generator=generator)[:count]]


def split(
    glyphs: Glyphs, *, novel_fonts: Sequence[str] = NOVEL_FONTS, novel_letters: Sequence[str] = NOVEL_LETTERS
) -> Split:
    """Hold back whole fonts, with all their variations, and letters.

    Raises:
        ValueError: a font or a letter that is not there; nothing left to learn from.
    """
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


class Triplets(Dataset[Batch]):
    """Batch number n, from the seed and n alone: targets drawn from D1, each with reference sets of its own.

    An item is a dict: "style_refs" and "content_refs" (B, r, 80, 80), "target" (B, 1, 80, 80); and by number "style",
    "content" (B,) and "letters" (B, r), those of the style references.

    Args:
        split: what may be learnt from.
        references: r. batch: targets in an item.
        examples: only so many (style, letter), picked with the seed, are ever targets; None for all that are known.
        bend: letters are bent at random and styles sheared, see `bending`: fifty letters are few to learn from.
        shear: with `bend`, whether styles are changed too.
    Raises:
        ValueError: r is larger than what there is to refer to; fewer than one example or target.
    """

    def __init__(
        self,
        split: Split,
        *,
        references: int = R,
        batch: int = 32,
        seed: int = 0,
        examples: int | None = None,
        bend: bool = False,
        shear: bool = True,
    ) -> None:
        for what, number in (("references", references), ("examples", examples)):
            if number is not None and number < 1:
                raise ValueError(f"{what} must be at least 1, not {number}")
        if batch < 2:
            raise ValueError(f"batch must be at least 2, not {batch}: batch norm compares glyphs with one another")
        self.split, self.references, self.batch, self.seed = split, references, batch, seed
        self.bend, self.shear = bend, shear
        pairs = split.pairs("D1")
        self.pairs = pairs[torch.randperm(len(pairs), generator=_generator(seed, 0))[:examples]]
        self[0]  # says now what would be wrong in every batch

    def __getitem__(self, number: int) -> Batch:
        generator = _generator(self.seed, number + 1)
        chosen = self.pairs[torch.randint(len(self.pairs), (self.batch,), generator=generator)]
        letters = [self.split.letters(self.references, generator, without=int(content)) for content in chosen[:, 1]]
        item = _batch(self.split, chosen, torch.stack(letters), generator)
        return _bent(item, generator, shear=self.shear) if self.bend else item


def _bent(item: Batch, generator: torch.Generator, *, shear: bool) -> Batch:
    """An item as `bending` changes it, with the "places" that bend its letters, (B, 80, 80, 2)."""
    count = len(item["target"])
    letter, style = bends(count, generator), shears(count, generator) if shear else straight(count)
    return item | {
        "style_refs": bent(item["style_refs"], style),
        "content_refs": bent(item["content_refs"], letter),
        "target": bent(item["target"], after(letter, style)),
        "places": letter,
    }


def test_batch(split: Split, name: str, *, references: int = R, count: int = 200, seed: int = 1) -> Batch:
    """Targets out of D1 … D4 with reference sets, as an item of `Triplets`.

    Each style has one reference set, as if somebody had drawn these letters and wanted the others; none of them is a
    target in this style.

    Args:
        references: r. count: how many targets, or all where there are fewer. seed: picks them and the references.
    Raises:
        ValueError: as `Split.pairs`; r is larger than what there is to refer to, or leaves no targets.
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
    """An item for the given (style, content), (B, 2), with the letters that show the styles, (B, r)."""
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
    """Pixel disagreement ratio: pixels that are ink (below 0.5) in one glyph only, over the pixels of a glyph: (B,)."""
    return ((drawn < 0.5) != (target < 0.5)).flatten(start_dim=1).float().mean(dim=1)


SCORES = {"L1": l1, "RMSE": rmse, "PDAR": pdar}


def table(
    draw: Callable[[Batch], Tensor], split: Split, *, references: int = R, count: int = 200, seed: int = 1
) -> dict[str, dict[str, float]]:
    """How well something draws what it has seen and what it has not.

    Args:
        draw: from an item of `Triplets` to glyphs (B, 1, 80, 80).
        count: targets out of each test set. seed: picks them, and their references.
    Returns:
        {"D1": {"L1": …, "RMSE": …, "PDAR": …}, …, "D4": …}: means over the targets; 0 is perfect.
    """
    found = {}
    for name in SETS:
        batch = test_batch(split, name, references=references, count=count, seed=seed)
        with torch.no_grad():
            drawn = draw(batch)
        found[name] = {score: float(judge(drawn, batch["target"]).mean()) for score, judge in SCORES.items()}
    return found


def nearest(known: Split) -> Callable[[Batch], Tensor]:
    """What `table` wants, without any network: the same letter from the known style that the references look most like.

    It can only choose among fonts that are there, and only letters that they have. The font that is asked for never
    counts, in any of its variations.
    """

    found: dict[tuple[int, ...], int] = {}

    def draw(batch: Batch) -> Tensor:
        chosen = []
        for style, letters, wanted in zip(batch["style"].tolist(), batch["letters"], batch["style_refs"], strict=True):
            key = (style, *letters.tolist())
            if key not in found:
                found[key] = int(known.alike(letters, wanted, without=style)[0])
            chosen.append(found[key])
        return known.glyphs.at(chosen, batch["content"])[:, None]

    return draw
