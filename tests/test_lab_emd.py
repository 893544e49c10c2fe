"""The lab of lesson 09: what it writes held against the network, fonts of one's own."""

from pathlib import Path

import pytest
import torch
from hands import SOON, close, move, upload
from pictures import font_file
from torch import Tensor

from stylelearn.emd import EMD
from stylelearn.figures.glyphs import glyph_rows
from stylelearn.glyphs.dataset import NOVEL_FONTS, GlyphDataset
from stylelearn.glyphs.fonts import FontError, bundled_fonts
from stylelearn.images import ImageError, read_settings
from stylelearn.lab import EMDLab
from stylelearn.lab import emd as module
from stylelearn.lab.widgets.fonts import FontChooser, course

pytestmark = pytest.mark.usefixtures("labs")

SMALL = {"font": "cmr10", "other": "cmtt10", "letters": "Hop", "word": "Ab3", "share": 0.0}
CELL, LABEL = 64, 22  # pixels of `glyph_rows`


def tiny(r: int = 3) -> EMD:
    """A small untrained network that tells styles and letters apart."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        net = EMD(r, (4, 4, 4, 4, 4, 4, 4)).requires_grad_(False)
        net.mixer.mul_(1000)  # untrained, the style would hardly be seen
        net.decoder.last.weight.mul_(50)
        batch = GlyphDataset(course(), references=r, batch=16)[0]
        for _ in range(20):  # its norms learn what they have to take off: otherwise all glyphs look alike
            net(batch["style_refs"], batch["content_refs"])
        return net.eval()


NET = tiny()


@pytest.fixture(autouse=True)
def _small_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "network", lambda name="emd": NET)


@pytest.fixture
def lab() -> EMDLab:
    return EMDLab(**SMALL)


def boxes(folder: Path, letters: str, name: str = "boxes") -> Path:
    """A font of boxes, each wider than the one before it."""
    return font_file(folder, {one: (100, 0, 300 + 150 * n, 600) for n, one in enumerate(letters)}, name)


def row(picture: Tensor, number: int, count: int) -> Tensor:
    """A row of glyphs out of the picture, (64, count · 64)."""
    top = number * (CELL + LABEL) + LABEL
    return picture[0, 0, top : top + CELL, : count * CELL]


def wanted_row(glyphs: Tensor) -> Tensor:
    return row(glyph_rows({"": glyphs}), 0, len(glyphs))


def test_fonts_that_the_network_has_never_met_are_marked(lab: EMDLab) -> None:
    marked = {name for name, label in lab.fonts["font"].options if label.endswith("(new)")}
    assert marked == set(NOVEL_FONTS)
    assert len(lab.fonts["font"].options) == len(bundled_fonts())


def test_it_writes_what_the_network_writes(lab: EMDLab) -> None:
    """Held against the network, given references that are gathered here anew."""
    known, chance = course(), torch.Generator().manual_seed(0)
    glyphs = known.glyphs
    fonts = [number for number in known.known_styles if glyphs.fonts[number] not in ("cmr10", "cmtt10")]

    def apart(number: int) -> float:
        """From cmr10, in squares of 5 × 5 pixels of the letters that are shown."""
        squares = (glyphs.word(number, "Hop") - glyphs.word("cmr10", "Hop")).reshape(3, 16, 5, 16, 5).mean(dim=(2, 4))
        return float(squares.abs().mean())

    like_it = min(fonts, key=apart)
    for share in (0.0, 0.3, 1.0):
        chance.manual_seed(0)
        drawn = []
        for letter in "Ab3":
            others = [fonts[place] for place in torch.randperm(len(fonts), generator=chance)[:3]]
            chosen = [like_it, *(number for number in others if number != like_it)][:3]
            refs = torch.stack([glyphs.word(number, letter)[0] for number in chosen])
            S = (1 - share) * NET.encode_style(glyphs.word("cmr10", "Hop"))
            S = S + share * NET.encode_style(glyphs.word("cmtt10", "Hop"))
            C, seen = NET.encode_content(refs)
            drawn.append(NET.decode(NET.mix(S, C), seen)[0, 0])
        picture = move(lab, share=share)
        close(row(picture, 2, 3), wanted_row(torch.stack(drawn)))
    for number, (font, text) in enumerate([("cmr10", "Hop"), ("cmtt10", "Hop")]):
        close(row(picture, number, 3), wanted_row(glyphs.word(font, text)))
    for number, font in enumerate(["cmr10", "cmtt10"], start=3):
        close(row(picture, number, 3), wanted_row(glyphs.word(font, "Ab3")))


def test_letters_that_it_has_seen_have_a_line_beneath(lab: EMDLab) -> None:
    line = row(move(lab, letters="HopxYZ", word="oxH"), 2, 3)[-2]  # only the first r letters count
    assert [bool((line[place * CELL : (place + 1) * CELL] == 0).any()) for place in range(3)] == [True, False, True]


def test_the_slider_encodes_nothing_anew(lab: EMDLab, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(NET, "encode_style", lambda *_: asked.append("style"))
    monkeypatch.setattr(NET, "encode_content", lambda *_: asked.append("content"))
    move(lab, share=0.25)
    assert asked == []
    assert lab.stage.tooltip == "Ab3 in 75% cmr10 + 25% cmtt10, drawn after the letters Hop"


def test_a_font_with_three_capitals_gets_the_rest(lab: EMDLab, tmp_path: Path) -> None:
    capitals = boxes(tmp_path, "ABC", "capitals")
    move(lab, letters="ABC")
    lab.fonts["font"].choose(str(capitals))
    assert lab.wait(SOON) and lab.error == lab.fonts["font"].error == ""
    assert lab.settings["font"] == str(capitals)
    own = row(move(lab, word="Axz"), 3, 3)
    assert bool((own[:, :CELL] < 0.5).any()) and bool((own[:, CELL:] > 0.999).all())  # it has no x and no z
    assert lab.fonts["font"].glyphs(str(capitals)).contents == "ABC"
    assert lab.stage.tooltip == "Axz in 100% capitals.ttf, drawn after the letters ABC"
    saved = read_settings(lab.save(str(tmp_path / "made.png")))
    assert saved == {**lab.settings, "font": "capitals.ttf", "lab": "EMDLab"}  # no folder
    lab.controls["letters"].value = "ABq"
    assert lab.wait(SOON)
    assert "has no q to show; choose other letters" in lab.error
    move(lab, letters="CAB", font="cmr10")  # and back to the course's


def test_uploads_are_known_by_what_is_in_them_and_not_by_their_name(lab: EMDLab, tmp_path: Path) -> None:
    move(lab, letters="AAA")
    pictures = []
    for letters in ("ABC", "CBA"):
        upload(lab.fonts["other"], boxes(tmp_path, letters).read_bytes(), "mine.ttf")
        assert lab.wait(SOON) and lab.error == lab.fonts["other"].error == ""
        assert lab.settings["other"] == "upload: mine.ttf"
        pictures.append(lab.image)
    assert not torch.equal(*pictures)


def test_what_is_no_font_is_told_and_the_font_stays(tmp_path: Path) -> None:
    chooser = FontChooser("font", "A font, for this test.", "cmr10")
    upload(chooser, b"this is no font", "../notes.ttf")
    assert chooser.error.startswith("'notes.ttf' is no font, or damaged")
    for source, words in (
        ("nosuch.ttf", "'nosuch.ttf' does not exist; name a font file"),
        (".", "'.' is a folder; name one font file"),
        (boxes(tmp_path, "αβγ"), "has none of the letters A to Z"),
    ):
        chooser.choose(source)
        assert words in chooser.error and chooser.value == "cmr10"
    with pytest.raises(FontError, match="name"):
        EMDLab("nosuch.ttf")


def test_wrong_words_are_told_and_the_picture_stays(lab: EMDLab) -> None:
    before = lab.image
    for name, value, words in (
        ("letters", "Ho", "2 letters are shown, but this network looks at r = 3; type 1 more"),
        ("letters", "Hoß", "the font cmr10 has no ß to show"),
        ("word", "süß", "knows A to Z, a to z and 0 to 9, not 'üß'"),
        ("word", "", "a word has 1 to 12 letters, and this one 0"),
        ("word", "Abcdefghijklm", "a word has 1 to 12 letters, and this one 13"),
    ):
        lab.controls[name].value = value
        assert lab.wait(SOON)
        assert words in lab.error and torch.equal(lab.image, before)


def test_rows_stand_beneath_each_other_at_their_size() -> None:
    glyphs = torch.rand(3, CELL, CELL)
    picture = glyph_rows({"three": glyphs, "one": glyphs[:1]}, cell=CELL, marked={"one": [0]})
    assert picture.shape == (1, 3, 2 * (CELL + LABEL), 3 * CELL)
    close(row(picture, 0, 3), torch.cat([*glyphs], dim=1))
    close(row(picture, 1, 1)[:-3], glyphs[0, :-3])
    assert bool((row(picture, 1, 1)[-3:, CELL // 4 : -CELL // 4] == 0).all())
    assert bool((row(picture, 1, 3)[:, CELL:] == 1).all())
    assert bool((picture[0, 0, :LABEL] < 0.5).any())  # a label
    assert glyph_rows({"": torch.full((2, 80, 80), 0.3)}, cell=40)[0, 0, LABEL:].allclose(torch.tensor(0.3))


def test_rows_of_nothing_are_refused() -> None:
    for rows in ({}, {"flat": torch.rand(3, 4)}, {"none": torch.rand(0, 4, 4)}):
        with pytest.raises(ImageError, match="rows of glyphs must be label"):
            glyph_rows(rows)
