"""Fonts and glyphs: what is found, what is drawn where, what a slant does to a pixel, and what is no font."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from fontTools.ttLib import TTCollection, TTFont
from pictures import font_file

from stylelearn.glyphs import fonts
from stylelearn.glyphs import rendering as glyphs
from stylelearn.glyphs.fonts import LETTERS, FontError, bundled_fonts, find_fonts, missing
from stylelearn.glyphs.rendering import BASELINE, EM, SIZE, VARIATIONS, Variation, collect, draw


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return glyphs.cache_folder()


def ink(glyph: np.ndarray) -> tuple[int, int, int, int]:
    """First and last column, first and last row that is at least half ink."""
    columns, rows = (np.flatnonzero(glyph.min(axis=axis) < 128) for axis in (0, 1))
    return columns[0], columns[-1], rows[0], rows[-1]


def test_twenty_two_fonts_come_with_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [font.stem for font in bundled_fonts()]
    assert len(found) == 22 and found == sorted(found)
    assert {"DejaVuSans", "STIXGeneral", "cmr10"} <= set(found)
    assert not {"cmsy10", "cmex10", "LastResortHE-Regular", "STIXNonUni"} & set(found)
    monkeypatch.setattr(fonts.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FontError, match="pip install --force-reinstall matplotlib"):
        bundled_fonts()


def test_fonts_are_found_in_files_folders_and_collections(tmp_path: Path) -> None:
    one = font_file(tmp_path, {"A": (0, 0, 300, 700)}, "one")
    inner = tmp_path / "more"
    inner.mkdir()
    two = font_file(inner, {"A": (0, 0, 400, 700)}, "two")
    both = TTCollection()
    both.fonts = [TTFont(one), TTFont(two)]
    both.save(inner / "both.ttc")
    (inner / "notes.txt").write_text("nothing")
    assert find_fonts(one) == [one]
    assert find_fonts(tmp_path) == [inner / "both.ttc", two, one]
    assert np.array_equal(draw(inner / "both.ttc", "A"), draw(one, "A"))  # of a collection, its first
    with pytest.raises(FontError, match=r"none\.ttf' does not exist; name a font file"):
        collect([tmp_path / "none.ttf"], letters="A")
    one.unlink(), shutil.rmtree(inner)
    with pytest.raises(FontError, match="no font in the folder"):
        find_fonts(tmp_path)


def test_a_letter_that_is_missing_or_blank_is_named(tmp_path: Path) -> None:
    font = font_file(tmp_path, {"A": (0, 0, 300, 700), "B": (0, 0, 0, 0), "C": (0, 0, 300, 300)})
    assert missing(font, "ABCDE") == "DE"
    with pytest.raises(FontError, match="the font boxes lacks D E; choose another font, or other letters"):
        draw(font, "ADE")
    with pytest.raises(FontError, match="the font boxes draws B blank"):
        draw(font, "ABC")
    with pytest.raises(FontError, match=r"lacks D E F G H I J K L M … \(23 letters\)"):
        draw(font, LETTERS[:26])
    with pytest.raises(FontError, match=r"lacks U\+0020 U\+0301 é;"):  # those that cannot be seen by their code points
        draw(font, "A \u0301é")


def test_letters_that_cannot_be_told_apart_or_read_are_refused(tmp_path: Path) -> None:
    box = (0, 0, 300, 700)
    with pytest.raises(FontError, match="draws one box for every letter"):
        draw(font_file(tmp_path, {"A": box, "B": box, "C": box}), "ABC")
    with pytest.raises(FontError, match="draws its letters only 6 pixels tall"):
        draw(font_file(tmp_path, {"A": (0, 0, 90, 100), "B": (0, 0, 90, 60)}), "AB")
    for letters in ("", "AA"):
        with pytest.raises(ValueError, match="letters must be one or more, each of them once"):
            collect(letters=letters)


def test_a_file_that_is_no_font_or_cut_short_is_refused(tmp_path: Path) -> None:
    whole = bundled_fonts()[0].read_bytes()
    path = tmp_path / "wrong.ttf"
    for data in (b"ttcf", b"OTTO\xff\xff\xff\xff", *(whole[: int(len(whole) * i)] for i in (0, 0.001, 0.2, 0.97))):
        path.write_bytes(data)
        with pytest.raises(FontError, match=r"wrong\.ttf' (is no font, or damaged|cannot be drawn)|the font wrong"):
            collect([path], letters=LETTERS)


def test_in_a_folder_fonts_that_lack_letters_are_left_out(tmp_path: Path) -> None:
    font_file(tmp_path, {"A": (0, 0, 300, 700), "B": (0, 0, 300, 400)}, "whole")
    poor = font_file(tmp_path, {"A": (0, 0, 300, 700)}, "poor")
    assert set(collect([tmp_path], letters="AB").fonts) == {"whole"}
    with pytest.raises(FontError, match="the font poor lacks B"):
        collect([tmp_path, poor], letters="AB")
    with pytest.raises(FontError, match="none of the fonts has all of the letters 'xyz'"):
        collect([tmp_path], letters="xyz")


def test_fonts_of_one_name_are_told_apart_and_a_copy_counts_once(tmp_path: Path) -> None:
    """Folders or suffixes make the names distinct; the same bytes under two names are one font."""
    for folder, width in (("serif", 300), ("sans", 400), ("serif/old", 500)):
        (tmp_path / folder).mkdir(parents=True)
        font_file(tmp_path / folder, {"A": (0, 0, width, 700)}, "Regular")
    shutil.copy(tmp_path / "sans/Regular.ttf", tmp_path / "sans/ZCopy.ttf")
    found = collect([tmp_path, tmp_path / "sans/Regular.ttf"], letters="A", variations=VARIATIONS[:1])
    edges = {name: ink(found.word(name, "A")[0].numpy() * 255) for name in found.fonts}
    widths = {name: right - left + 1 for name, (left, right, _, _) in edges.items()}
    assert widths == {"sans/Regular": 24, "serif/Regular": 18, "serif/old/Regular": 30}
    font_file(tmp_path, {"A": (0, 0, 400, 700)}, "one").rename(tmp_path / "one.otf")
    one = font_file(tmp_path, {"A": (0, 0, 300, 700)}, "one")
    assert collect([one, tmp_path / "one.otf"], letters="A").fonts[:: len(VARIATIONS)] == ("one.ttf", "one.otf")


def test_a_rectangle_is_where_it_should_be(tmp_path: Path) -> None:
    """0.4 em wide and from 0.1 em below the baseline to 0.5 em above: 24 × 36 pixels, in the middle of the width."""
    font = font_file(tmp_path, {"A": (100, -100, 500, 500), "B": (0, 0, 100, 100)})
    ((glyph, _),) = draw(font, "AB")
    expected = np.full((SIZE, SIZE), 255)
    expected[BASELINE - EM // 2 : BASELINE + EM // 10, SIZE // 2 - 12 : SIZE // 2 + 12] = 0
    assert glyph.shape == (SIZE, SIZE) and glyph.dtype == np.uint8
    inside = np.abs(glyph.astype(int) - expected)
    assert inside.mean() < 1 and ink(glyph) == ink(expected)


def test_variations_do_what_they_say(tmp_path: Path) -> None:
    font = font_file(tmp_path, {"A": (0, 0, 400, 500), "B": (0, 0, 100, 100)})
    plain, narrow, bold, light, slanted = (
        draw(font, "AB", [each])[0, 0]
        for each in (
            Variation("plain"),
            Variation("narrow", stretch=0.5),
            Variation("bold", weight=4),
            Variation("light", weight=-4),
            Variation("slanted", slant=0.5),
        )
    )
    left, right, top, bottom = ink(plain)
    assert (right - left + 1, bottom - top + 1) == (24, 30)
    assert ink(narrow)[1] - ink(narrow)[0] + 1 == 12 and ink(narrow)[2:] == (top, bottom)
    assert ink(bold) == (left - 1, right + 1, top - 1, bottom + 1)  # four quarters of a pixel
    assert ink(light) == (left + 1, right - 1, top + 1, bottom - 1)
    rows = slanted[top : bottom + 1]
    middle = np.array([np.flatnonzero(row < 128).mean() for row in rows])
    assert np.allclose(np.diff(middle), -0.5, atol=0.51)  # each row further down lies half a pixel further left
    assert middle[0] - middle[-1] == pytest.approx(0.5 * (bottom - top), abs=0.75)
    assert np.allclose((rows < 128).sum(axis=1), 24, atol=1)
    first, last = ink(slanted)[:2]
    assert abs(first + last - (SIZE - 1)) <= 1  # and it is centred again


def test_a_font_that_is_too_large_is_drawn_smaller_as_a_whole(tmp_path: Path) -> None:
    small = (0, 0, 300, 600)
    usual = font_file(tmp_path, {"A": small, "B": (0, 0, 600, 600)}, "usual")
    huge = font_file(tmp_path, {"A": small, "B": (0, -500, 2400, 2000)}, "huge")
    ((glyph, giant),) = draw(huge, "AB")
    left, right, top, bottom = ink(giant)
    assert 0 < left < right < SIZE - 1 and 0 < top < bottom < SIZE - 1
    height = [int(np.ptp(ink(each)[2:])) + 1 for each in (draw(usual, "AB")[0, 0], glyph)]
    assert height[0] == 36 and height[1] / height[0] == pytest.approx((bottom - top + 1) / (2.5 * EM), rel=0.1)


def test_every_style_of_every_font_keeps_away_from_the_border() -> None:
    found = collect(bundled_fonts()[::7], letters="WQjgl")
    edge = torch.ones(SIZE, SIZE, dtype=torch.bool)
    edge[1:-1, 1:-1] = False
    assert found.images[..., edge].min() > 127
    assert (found.images.flatten(start_dim=2).amin(dim=2) < 60).all()  # and nothing is blank


def test_glyphs_are_found_by_name_and_number() -> None:
    two = bundled_fonts()[:2]
    found = collect(two, letters="xAo", variations=VARIATIONS[:3])
    assert found.images.shape == (6, 3, SIZE, SIZE) and found.contents == "xAo"
    assert found.styles == tuple(f"{font.stem}/{each.name}" for font in two for each in VARIATIONS[:3])
    assert found.fonts == tuple(font.stem for font in two for _ in range(3))
    name = two[1].stem
    assert found.style(name) == 3 and found.style(f"{name}/slanted") == 4 and found.content("o") == 2
    word = found.word(f"{name}/slanted", "oxo")
    expected = torch.from_numpy(draw(two[1], "oxo"[:2], VARIATIONS[1:2])[0]) / 255
    assert word.shape == (3, SIZE, SIZE) and torch.equal(word[:2], expected) and torch.equal(word[2], word[0])
    assert torch.equal(found.at([[0, 3]], [[1, 1]])[0, 1], found.images[3, 1] / 255)
    with pytest.raises(ValueError, match=f"there is no style 'Arial/plain'; fonts: {two[0].stem}, {name}"):
        found.style("Arial")
    for letter in ("B", "", "xA"):
        with pytest.raises(ValueError, match=f"there is no letter '{letter}' here; there are xAo"):
            found.content(letter)


def test_the_cache_gives_back_what_was_drawn(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"fonts": bundled_fonts()[:1], "letters": "ab", "variations": VARIATIONS[:2]}
    first = collect(**wanted)

    def forbidden(*_: object) -> None:
        raise AssertionError("drawn again")

    with monkeypatch.context() as patch:
        patch.setattr(glyphs, "draw", forbidden)
        assert torch.equal(collect(**wanted).images, first.images)
        for other in ({"letters": "ba"}, {"variations": VARIATIONS[1:3]}, {"fonts": bundled_fonts()[1:2]}):
            with pytest.raises(AssertionError, match="drawn again"):
                collect(**wanted | other)
    for damaged in (b"", b"PK\x03\x04 cut short", next(cache.iterdir()).read_bytes()[:-200]):
        next(cache.iterdir()).write_bytes(damaged)
        assert torch.equal(collect(**wanted).images, first.images)
    assert len(list(cache.iterdir())) == 1
    (cache.parent / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parent / "file"))  # no place for a cache
    assert torch.equal(collect(**wanted).images, first.images)
