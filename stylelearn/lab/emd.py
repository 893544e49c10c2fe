"""The lab of lesson 09: a few letters of a font in, any word in that font out; and what is between two fonts."""

import functools
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from stylelearn import emd
from stylelearn.figures.glyphs import glyph_rows
from stylelearn.glyphs.dataset import NOVEL_LETTERS
from stylelearn.glyphs.fonts import LETTERS, FontError, listed
from stylelearn.glyphs.rendering import SIZE, Glyphs
from stylelearn.images import shown_name
from stylelearn.lab.engine.networks import loaded_once
from stylelearn.lab.live import LiveLab
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.fonts import FontChooser, course

LONGEST = 12  # letters of a word
REFERENCES = "HOASMnopdy"  # what is shown of a font at first
_KEPT = 16  # styles and words whose codes are kept
network = loaded_once(emd.load, "emd")


class EMDLab(LiveLab):
    """Some letters of a font are shown to the network, and it writes a word; each move of a control draws anew.

    Args:
        font: whose letters are shown: a font of the course, or a font file. other: the font at the slider's other end.
        letters: the letters that are shown; the first r of them count.
        word: what is written, 1 to 12 of A–Z, a–z, 0–9.
        share: how much of the other font's style, 0 to 1.
        weights: the network, as for `emd.load`.
    Raises:
        FontError: no such font.
    """

    file_name = "word.png"

    def __init__(
        self,
        font: str = "DejaVuSerif-Bold",
        other: str = "cmss10",
        *,
        letters: str = REFERENCES,
        word: str = "Typeface",
        share: float = 0.0,
        weights: str = "emd",
        **shown: Any,
    ) -> None:
        self.fonts = {
            "font": FontChooser("font", "The font whose letters the network sees; it is to write in it.", font),
            "other": FontChooser("other font", "The font at the right end of the slider.", other),
        }
        self._network = functools.partial(network, weights)
        self._style = functools.lru_cache(_KEPT)(self._encode_style)
        self._word = functools.lru_cache(_KEPT)(self._encode_word)
        rows = [
            self.fonts,
            {
                "share": controls.number(
                    "share of other", share, 0, 1, 0.01,
                    "Between two fonts: the styles S of both are mixed, and the mixture is drawn. Beyond the letters, "
                    "nobody has ever drawn what is in the middle.",
                ),
            },
            controls.ends("font", "other font"),
            {
                "letters": controls.text(
                    "letters shown", letters, "The letters of each font that the network sees: as many as r."
                ),
                "word": controls.text("word", word, f"What it writes: up to {LONGEST} of A to Z, a to z, 0 to 9."),
            },
            controls.note(f"not met in training: fonts marked (new); as a task, the letters {NOVEL_LETTERS}"),
        ]  # fmt: skip
        super().__init__(rows, **shown)

    def render(self, settings: dict[str, Any], pictures: dict[str, Tensor]) -> Tensor:
        """What the network sees of both fonts, what it writes, and what the fonts have there."""
        word, share = settings["word"], settings["share"]
        if strange := "".join(letter for letter in word if letter not in LETTERS):
            raise ValueError(f"this network knows A to Z, a to z and 0 to 9, not {strange!r}; write another word")
        if not 1 <= len(word) <= LONGEST:
            raise ValueError(f"a word has 1 to {LONGEST} letters, and this one {len(word)}; write another one")
        net = self._network()
        shown = settings["letters"][: net.references]
        glyphs = {which: chooser.glyphs(settings[which]) for which, chooser in self.fonts.items()}
        names = {which: shown_name(settings[which]) for which in self.fonts}
        styles = [self._style(each, names[which], settings["letters"]) for which, each in glyphs.items()]  # S, (1, R)
        contents, seen = self._word(word, tuple(settings[which] for which in self.fonts), tuple(glyphs.values()), shown)
        mixed = net.mix(torch.lerp(*styles, share), contents)
        drawn = net.decode(mixed, seen)[:, 0]  # (letters, 80, 80)
        rows = {f"seen of {names[which]}": each.word(0, shown) for which, each in glyphs.items()}
        written = f"EMD writes: {_mixture(names, share)}  (a line beneath: it has seen this letter)"
        rows[written] = drawn
        rows |= {f"{names[which]} itself": _truth(each, word) for which, each in glyphs.items()}
        return glyph_rows(rows, marked={written: [place for place, letter in enumerate(word) if letter in shown]})

    def words(self, settings: dict[str, Any]) -> str:
        mixture = _mixture(settings, settings["share"])
        return f"{settings['word']} in {mixture}, drawn after the letters {settings['letters']}"

    def _encode_style(self, glyphs: Glyphs, name: str, letters: str) -> Tensor:
        """S of a font, (1, R)."""
        net = self._network()
        if lacks := "".join(letter for letter in letters if letter not in glyphs.contents):
            raise FontError(f"the font {name} has no {listed(lacks)} to show; choose other letters, or another font")
        if len(letters) < net.references:
            raise ValueError(
                f"{len(letters)} letters are shown, but this network looks at r = {net.references}; "
                f"type {net.references - len(letters)} more (a letter may come twice)"
            )
        return net.encode_style(glyphs.word(0, letters))

    def _encode_word(
        self, word: str, fonts: tuple[str, ...], glyphs: tuple[Glyphs, ...], shown: str
    ) -> tuple[Tensor, list[Tensor]]:
        """C and the skips of each letter, of fonts that the network has learnt from; some are like the two fonts."""
        net, known = self._network(), course()
        theirs = known.glyphs.fonts
        known = replace(known, known_styles=tuple(one for one in known.known_styles if theirs[one] not in fonts))
        in_turn = torch.stack([known.alike(shown, each.word(0, shown)) for each in glyphs], dim=1).flatten().tolist()
        alike = torch.tensor(list(dict.fromkeys(in_turn)))
        chance = torch.Generator().manual_seed(0)
        found = [
            known.content_references(known.glyphs.content(one), net.references, chance, alike=alike) for one in word
        ]
        return net.encode_content(torch.stack(found))


def _truth(glyphs: Glyphs, word: str) -> Tensor:
    """The font's own letters, and blank paper where it has none: (len(word), 80, 80)."""
    paper = torch.ones(1, SIZE, SIZE)
    return torch.cat([glyphs.word(0, letter) if letter in glyphs.contents else paper for letter in word])


def _mixture(names: dict[str, str], share: float) -> str:
    parts = ((1 - share, names["font"]), (share, names["other"]))
    return " + ".join(f"{amount:.0%} {name}" for amount, name in parts if round(amount, 2))
