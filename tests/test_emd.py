"""EMD: mixer and loss against loops, references that never show the answer, scores, training, baseline, what ships."""

import math
from pathlib import Path
from statistics import fmean

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

from benchmarks import glyphs as bench
from benchmarks import zi2zi
from benchmarks.measuring import Plan
from stylelearn import emd
from stylelearn.cli import main
from stylelearn.emd import EMD, EMDLoss, bilinear_mix, generate, train_emd, weighted_l1
from stylelearn.glyphs import dataset as references
from stylelearn.glyphs.augmentation import SHARPEN, SLANT, compose, identity_grid, random_shears, warp
from stylelearn.glyphs.dataset import SETS, GlyphDataset, Split, l1, pdar, rmse, split, table
from stylelearn.glyphs.fonts import bundled_fonts
from stylelearn.glyphs.networks import Down, Up, as_channels
from stylelearn.glyphs.rendering import BASELINE, SIZE, Glyphs, Variation, collect
from stylelearn.weights import read_about, read_weights

TINY = (4, 4, 4, 4, 4, 4, 4)
SEEDS = st.integers(0, 2**31 - 1)


@pytest.fixture(scope="module")
def known() -> Split:
    """Six fonts in two variations, eight letters; a font and two letters are held back."""
    variations = (Variation("plain"), Variation("slanted", slant=0.2))
    found = collect(bundled_fonts()[::4], letters="ABEHmnox", variations=variations)
    assert "DejaVuSans" in found.fonts
    return split(found, novel_fonts=found.fonts[-1:], novel_letters="Bm")


def random(seed: int, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def numbered(styles: int = 10, contents: int = 7, variations: int = 2) -> Glyphs:
    """Glyphs that say which they are: every pixel of style i, content j is 10 i + j."""
    values = 10 * torch.arange(styles)[:, None] + torch.arange(contents)
    images = values[:, :, None, None].expand(-1, -1, SIZE, SIZE).to(torch.uint8)
    names = tuple(f"font{number // variations}/{number % variations}" for number in range(styles))
    return Glyphs(images, names, "abcdefghij"[:contents])


def which(glyphs: Tensor) -> list[tuple[int, int]]:
    """(style, content) of glyphs (n, 80, 80) out of `numbered`."""
    return [divmod(round(value * 255), 10) for value in glyphs[:, 0, 0].tolist()]


# --------------------------------------------------------------------------- the mixer and the loss


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), SEEDS)
def test_the_mixer_is_its_triple_sum(batch: int, r: int, q: int, k: int, seed: int) -> None:
    style, content, weight = (
        random(seed + number, *shape, dtype=torch.float64)
        for number, shape in enumerate([(batch, r), (batch, q), (r, q, k)])
    )
    mixed = bilinear_mix(style, content, weight)
    for b in range(batch):
        for n in range(k):
            expected = sum(style[b, i] * weight[i, j, n] * content[b, j] for i in range(r) for j in range(q))
            assert mixed[b, n] == pytest.approx(float(expected), abs=1e-12)
    one_style = bilinear_mix(style[:1].expand_as(style), content, weight)
    assert torch.allclose(bilinear_mix(style[:1], content, weight), one_style)
    one_content = bilinear_mix(style, content[:1].expand_as(content), weight)
    assert torch.allclose(bilinear_mix(style, content[:1], weight), one_content)


def looped_loss(drawn: Tensor, target: Tensor) -> float:
    """The formula, pixel by pixel, in Python's floats."""
    terms = []
    for glyph, wanted in zip(drawn.flatten(1).tolist(), target.flatten(1).tolist(), strict=True):
        ink = [value for value in wanted if value < 0.5]
        error = sum(abs(x - y) for x, y in zip(glyph, wanted, strict=True))
        terms.append((math.exp(fmean(ink)), error / len(ink)))
    return sum(weight * error for weight, error in terms) / sum(weight for weight, _ in terms)


@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6), SEEDS)
def test_the_loss_is_the_loop(batch: int, height: int, width: int, seed: int) -> None:
    drawn, target = random(seed, batch, 1, height, width), random(seed + 1, batch, 1, height, width)
    target[:, 0, 0, 0] = 0.3 * random(seed + 2, batch)  # every target has some ink
    assert float(weighted_l1(drawn, target)) == pytest.approx(looped_loss(drawn, target), rel=1e-5)
    assert math.isfinite(float(weighted_l1(drawn, torch.ones_like(target))))  # without ink


# --------------------------------------------------------------------------- scores


@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5), SEEDS)
def test_scores_are_their_loops(batch: int, height: int, width: int, seed: int) -> None:
    drawn, target = random(seed, batch, 1, height, width), random(seed + 1, batch, 1, height, width)
    for b in range(batch):
        pairs = list(zip(drawn[b].flatten().tolist(), target[b].flatten().tolist(), strict=True))
        assert float(l1(drawn, target)[b]) == pytest.approx(fmean(abs(p - q) for p, q in pairs), abs=1e-6)
        assert float(rmse(drawn, target)[b]) == pytest.approx(fmean((p - q) ** 2 for p, q in pairs) ** 0.5, abs=1e-6)
        assert float(pdar(drawn, target)[b]) == pytest.approx(fmean((p < 0.5) != (q < 0.5) for p, q in pairs))


def test_a_perfect_drawing_scores_nothing_and_a_blank_page_what_it_should(known: Split) -> None:
    perfect = table(lambda batch: batch["target"], known, references=3, count=20)
    assert list(perfect) == list(SETS) and all(value == 0 for row in perfect.values() for value in row.values())
    blank = table(lambda batch: torch.ones_like(batch["target"]), known, references=3, count=20)
    for name in SETS:
        target = references.test_batch(known, name, references=3, count=20)["target"]
        assert blank[name]["L1"] == pytest.approx(float((1 - target).mean()))
        assert blank[name]["PDAR"] == pytest.approx(float((target < 0.5).float().mean()))


# --------------------------------------------------------------------------- what is held back, and references


def test_the_nearest_font_is_another_one_with_the_same_letter() -> None:
    known = split(numbered(), novel_fonts=["font0"], novel_letters="ab")
    for name in SETS:
        batch = references.test_batch(known, name, references=2)
        drawn = bench.nearest(known)(batch)
        nearest = {0: 2, 1: 2} | {style: style - 1 if style % 2 == 0 else style + 1 for style in range(2, 10)}
        nearest |= {2: 4, 9: 7}  # at the ends of what is known, there is one neighbour only
        expected = zip(batch["style"].tolist(), batch["content"].tolist(), strict=True)
        assert which(drawn[:, 0]) == [(nearest[style], content) for style, content in expected]


@given(st.integers(0, 9), st.integers(1, 8), SEEDS)
def test_two_in_five_references_of_a_letter_are_of_the_styles_most_like_the_one_that_is_asked_for(
    style: int, r: int, seed: int
) -> None:
    found = split(numbered(), novel_fonts=["font0"], novel_letters="ab")
    chance = torch.Generator().manual_seed(seed)
    letters = torch.tensor([4, 2])
    others = [one for one in range(2, 10) if one // 2 != style // 2]
    alike = found.alike(letters, found.glyphs.at(style, letters), without=style)
    assert sorted(alike.tolist()) == others
    apart = [abs(one - style) for one in alike.tolist()]  # of `numbered`: tens of grey
    assert apart == sorted(apart)
    assert found.alike(letters, found.glyphs.at(style, letters)).tolist()[0] == max(2, style)  # itself, where it counts
    if r > len(others):
        with pytest.raises(ValueError, match=f"r = {r} references are wanted, but there are only {len(others)}"):
            found.content_references(1, r, chance, without=style, alike=alike)
        return
    chosen = [one for one, _ in which(found.content_references(1, r, chance, without=style, alike=alike))]
    first = {1: 0, 2: 1, 3: 1, 4: 2, 5: 2, 6: 2, 7: 3, 8: 3}[r]
    assert chosen[:first] == alike[:first].tolist()
    assert len(set(chosen)) == r and set(chosen) <= set(others)


def test_styles_are_alike_by_the_letters_that_are_shown_and_no_others() -> None:
    """Two known styles: one has a's like those that are shown, the other has b's like them."""
    paper, ink = torch.full((SIZE, SIZE), 255), torch.zeros(SIZE, SIZE)
    pages = [[ink, paper], [paper, ink], [ink, ink]]
    images = torch.stack([torch.stack(row) for row in pages]).to(torch.uint8)
    found = split(Glyphs(images, ("one/plain", "two/plain", "new/plain"), "ab"), novel_fonts=["new"], novel_letters="")
    assert found.alike("a", found.glyphs.word("new", "a")).tolist() == [0, 1]
    assert found.alike("b", found.glyphs.word("new", "b")).tolist() == [1, 0]


def test_the_four_sets_are_all_pairs_once() -> None:
    found = split(numbered(), novel_fonts=["font1"], novel_letters="bg")
    assert found.novel_styles == (2, 3) and found.novel_contents == (1, 6)
    pairs = [pair for name in SETS for pair in found.pairs(name).tolist()]
    assert sorted(pairs) == [[i, j] for i in range(10) for j in range(7)]
    assert found.pairs("D4").tolist() == [[2, 1], [2, 6], [3, 1], [3, 6]]
    assert found.pairs("D2").tolist() == [[i, j] for i in (0, 1, *range(4, 10)) for j in (1, 6)]


@settings(max_examples=20)
@given(st.integers(1, 4), SEEDS)
def test_references_never_show_the_answer(r: int, seed: int) -> None:
    found = split(numbered(), novel_fonts=["font1"], novel_letters="bg")
    fonts = found.glyphs.fonts
    batches = [GlyphDataset(found, references=r, batch=6, seed=seed)[number] for number in range(2)]
    batches += [references.test_batch(found, name, references=r, seed=seed) for name in SETS]
    for batch in batches[2:]:
        sets = torch.cat([batch["style"][:, None], batch["letters"]], dim=1).unique(dim=0)
        assert len(sets) == len(batch["style"].unique())  # one set of references for each style
    for name, batch in zip(["D1", "D1", *SETS], batches, strict=True):
        allowed = {tuple(pair) for pair in found.pairs(name).tolist()}
        for n, target in enumerate(batch["target"]):
            ((style, content),) = which(target)
            assert (style, content) == (int(batch["style"][n]), int(batch["content"][n]))
            assert (style, content) in allowed
            same_style, same_content = which(batch["style_refs"][n]), which(batch["content_refs"][n])
            assert [j for _, j in same_style] == batch["letters"][n].tolist()
            assert {i for i, _ in same_style} == {style} and {j for _, j in same_content} == {content}
            assert content not in {j for _, j in same_style} and {j for _, j in same_style} <= {*found.known_contents}
            assert fonts[style] not in {fonts[i] for i, _ in same_content}
            assert {i for i, _ in same_content} <= {*found.known_styles}
            assert len(set(same_style)) == len(set(same_content)) == r


def test_a_batch_depends_on_seed_and_number_alone() -> None:
    found = split(numbered(), novel_fonts=["font1"], novel_letters="bg")
    one, again, other = (GlyphDataset(found, references=2, batch=8, seed=seed) for seed in (3, 3, 4))
    again[0]
    assert all(torch.equal(one[5][key], again[5][key]) for key in one[5])
    assert not torch.equal(one[5]["target"], one[6]["target"]) and not torch.equal(one[5]["target"], other[5]["target"])


def test_an_item_is_warped_alike_where_it_must_be(known: Split) -> None:
    plain, item, unsheared = (
        GlyphDataset(known, references=2, batch=8, warp=warped, shear=shear)[5]
        for warped, shear in ((False, True), (True, True), (True, False))
    )
    assert all(torch.equal(plain[name], item[name]) for name in ("style", "content", "letters"))
    assert torch.equal(item["content_refs"], unsheared["content_refs"])  # the letters' warp, whatever the style's shear
    assert torch.equal(plain["style_refs"], unsheared["style_refs"])
    assert torch.allclose(unsheared["target"], warp(plain["target"], item["grids"]))
    still = [torch.equal(a, b) for a, b in zip(plain["content_refs"], item["content_refs"], strict=True)]
    assert still == [True, False] * 4
    still = [torch.equal(a, b) for a, b in zip(plain["style_refs"], item["style_refs"], strict=True)]
    assert still == [False, False, True, True] * 2


def test_where_pixels_come_from() -> None:
    """A step to the right, drawn by warping; one after another is both at once; nothing is nothing."""
    page = random(0, 2, 3, SIZE, SIZE)
    assert torch.equal(warp(page, identity_grid(2)), page)
    step = identity_grid(2) + torch.tensor([2 / SIZE, 0])  # each pixel is what was one to its right
    sharper = ((page[..., 1:] - 0.5) * SHARPEN + 0.5).clamp(0, 1)
    assert torch.allclose(warp(page, step)[..., :-1], sharper, atol=1e-4)
    twice = compose(step, step)
    assert torch.allclose(twice[:, :, :-1], identity_grid(2)[:, :, :-1] + torch.tensor([4 / SIZE, 0]), atol=1e-5)
    assert torch.equal(compose(step, identity_grid(2)), step)


def test_a_shear_is_slant_and_stretch_about_the_baseline() -> None:
    places = random_shears(8, torch.Generator().manual_seed(2))
    columns, rows = identity_grid(8).unbind(dim=3)
    for still in (places[2::4], places[3::4]):
        assert torch.allclose(still, identity_grid(2), atol=1e-6)
    base = 2 * BASELINE / SIZE - 1
    for x, y in zip(places[..., 0], places[..., 1], strict=True):
        high = (y[0, 0] - base) / (rows[0, 0, 0] - base)
        assert torch.allclose(y, base + high * (rows[0] - base), atol=1e-6)
        wide = (x[0, -1] - x[0, 0]) / (columns[0, 0, -1] - columns[0, 0, 0])
        slant = (x - wide * columns[0])[[0, -1], 0].diff() / (y[-1, 0] - y[0, 0])
        assert torch.allclose(x, wide * columns[0] + slant * (y - base), atol=1e-5)
        assert abs(float(slant)) <= SLANT + 1e-5 and all(1 / 1.13 < float(each) < 1 / 0.87 for each in (high, wide))


def test_only_so_many_examples_are_ever_targets() -> None:
    found = split(numbered(), novel_fonts=["font1"], novel_letters="bg")
    few = GlyphDataset(found, references=2, batch=16, seed=1, examples=5)
    seen = {pair for number in range(20) for pair in which(few[number]["target"][:, 0])}
    assert len(seen) == 5 and seen <= {tuple(pair) for pair in found.pairs("D1").tolist()}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda s: s.pairs("D5"), "there is no test set 'D5'; there are D1, D2, D3, D4"),
        (
            lambda s: split(s.glyphs, novel_letters="", novel_fonts=()).pairs("D2"),
            "D2 is empty: .* holds back no letters",
        ),
        (lambda s: split(s.glyphs, novel_fonts=["Arial"], novel_letters=""), "the font 'Arial' cannot be held back"),
        (lambda s: split(s.glyphs, novel_fonts=(), novel_letters="abcdefg"), "every letter is held back"),
        (lambda s: GlyphDataset(s, references=3), "only 2 known styles of other fonts; add fonts, or lower r"),
        (lambda s: GlyphDataset(s, references=0), "references must be at least 1, not 0"),
        (lambda s: GlyphDataset(s, references=1, batch=1), "batch must be at least 2, not 1: batch norm"),
        (lambda s: references.test_batch(s, "D1", references=5), "all letters of D1 are references"),
    ],
)
def test_what_cannot_be_asked_for(asked, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        asked(split(numbered(4), novel_fonts=(), novel_letters="bg"))


# --------------------------------------------------------------------------- the network


@pytest.mark.parametrize(
    ("channels", "sides"), [(TINY, [40, 20, 10, 5, 3, 2]), ((4, *TINY), [80, 40, 20, 10, 5, 3, 2])]
)
def test_sizes_on_the_way_down_and_up(channels: tuple[int, ...], sides: list[int]) -> None:
    down, up = Down(3, channels).eval(), Up(channels).eval()
    code, seen = down(random(0, 2, 3, SIZE, SIZE))
    assert code.shape == (2, 4) and [each.shape[-1] for each in seen] == sides
    glyph = up(code, seen)
    assert glyph.shape == (2, 1, SIZE, SIZE) and 0 <= glyph.min() and glyph.max() <= 1


def test_each_row_is_drawn_by_itself_from_its_first_r_references() -> None:
    network = EMD(3, TINY).eval()
    style, content = random(0, 4, 5, SIZE, SIZE), random(1, 4, 5, SIZE, SIZE)
    drawn = network(style, content)
    alone = torch.cat([network(style[n, :3], content[n : n + 1, :3]) for n in range(4)])
    assert torch.allclose(drawn, alone, atol=1e-5)
    assert not torch.equal(drawn, network(style.flip(0), content))
    table_of_all = generate(network, style[:2], content)
    assert table_of_all.shape == (2, 4, SIZE, SIZE)
    assert torch.allclose(table_of_all[1, 3], network(style[1:2], content[3:4])[0, 0], atol=1e-5)
    assert generate(network, style[0], content[0]).shape == (1, 1, SIZE, SIZE)


def test_references_with_equally_much_ink_stay_in_the_given_order() -> None:
    """A letter and its mirror image: their means may differ in the last bit, by the order of the sum."""
    letters = random(0, 6, SIZE, SIZE)
    for letter in letters:
        twins = [letter, letter.flip(0), letter.flip(1), letter.T]
        assert torch.equal(as_channels(torch.stack(twins), 4, "style")[0], torch.stack(twins))
        assert torch.equal(as_channels(torch.stack(twins[::-1]), 4, "style")[0], torch.stack(twins[::-1]))


def test_the_order_of_references_does_not_matter() -> None:
    network = EMD(4, TINY).eval()
    style, content = random(0, 2, 4, SIZE, SIZE), random(1, 2, 4, SIZE, SIZE)
    drawn = network(style, content)
    for order in ([3, 2, 1, 0], [1, 3, 0, 2]):
        assert torch.equal(drawn, network(style[:, order], content))
        assert torch.equal(drawn, network(style, content[:, order]))
    assert not torch.equal(drawn, network(style[:, [0, 0, 1, 2]], content))


@pytest.mark.parametrize(
    ("style", "content", "said"),
    [
        ((1, 2, 80, 80), (1, 3, 80, 80), "2 style references, but this network needs r = 3; add some"),
        ((1, 3, 64, 64), (1, 3, 80, 80), r"style references must be \(B, r, 80, 80\); got \(1, 3, 64, 64\)"),
    ],
)
def test_references_that_do_not_fit(style: tuple[int, ...], content: tuple[int, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        EMD(3, TINY).eval()(torch.ones(style), torch.ones(content))


@pytest.mark.parametrize(("r", "channels", "said"), [(0, TINY, "at least 1, not 0"), (3, (4, 4), "7 or 8")])
def test_networks_that_cannot_be(r: int, channels: tuple[int, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        EMD(r, channels)


# --------------------------------------------------------------------------- training


def test_training_writes_what_load_reads(known: Split, tmp_path: Path) -> None:
    out = tmp_path / "small.safetensors"
    run = {"channels": TINY, "batch": 4, "steps": 3, "accelerator": "cpu"}
    for _ in train_emd(known, out=out, references=2, **run):
        pass
    network = emd.load(out)
    assert (network.references, network.channels, network.training) == (2, TINY, False)
    about = read_about(out)
    assert (about["references"], about["channels"], about["training"]["steps"]) == (2, list(TINY), 3)
    learnt = network.state_dict()
    assert all(torch.equal(learnt[key].half(), value) for key, value in read_weights(out).items())


def test_a_few_letters_are_learnt_with_the_loss(known: Split) -> None:
    torch.manual_seed(0)
    objective = EMDLoss(EMD(2, (8, 8, 16, 16, 16, 16, 16)))
    optimizer = torch.optim.Adam(objective.parameters(), lr=2e-3)
    batches, losses = GlyphDataset(known, references=2, batch=8), []
    for step in range(30):
        loss = objective(batches[step])["L1"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_the_command_trains_and_draws_a_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fonts = [str(font) for font in bundled_fonts()[::7]]
    out = tmp_path / "mine.safetensors"
    said = f"--out {out} --fonts {' '.join(fonts)} --letters ABCDEF --steps 2 --batch 2 --accelerator cpu"
    more = ["--straight", "--references", "2", "--channels", *map(str, TINY), "--novel-letters", "F", "--novel-fonts"]
    assert main(["train", "emd", *said.split(), *more, Path(fonts[0]).stem]) == 0
    assert "step 2 of 2" in capsys.readouterr().out
    assert emd.load(out).references == 2 and (tmp_path / "mine-000002.jpg").is_file()
    usual = ["--fonts", fonts[0], "--letters", "ABCD", "--references", "1", "--out", str(tmp_path / "w.safetensors")]
    for words, message in (
        (["--fonts", str(tmp_path / "none")], "none' does not exist; name a font file"),
        (["--novel-fonts", "Arial"], "the font 'Arial' cannot be held back"),
    ):
        assert main(["train", "emd", *usual, *words]) == 2
        assert message in capsys.readouterr().err


# --------------------------------------------------------------------------- the baseline


def test_the_baseline_learns_styles_by_number(known: Split, tmp_path: Path) -> None:
    out = tmp_path / "z.safetensors"
    for _ in zi2zi.train_zi2zi(known, out, channels=TINY, batch=4, steps=2, accelerator="cpu"):
        pass
    network = zi2zi.load(out, known)
    assert network.embeddings.shape == (len(known.glyphs.styles), 4)
    plain = known.glyphs.style("DejaVuSans")
    assert torch.equal(network.sources, known.glyphs.at([plain] * 8, range(8)))
    batch = references.test_batch(known, "D1", references=2, count=5)
    drawn = zi2zi.drawer(network, known)(batch)
    assert torch.allclose(drawn, network(batch["content"], network.embeddings[batch["style"]]))


def test_an_embedding_is_found_for_a_style_that_has_one() -> None:
    """Pairs that the network itself drew: the search ends where it draws them as well."""

    class Shades(nn.Module):
        """A network whose style is the grey of the page."""

        embeddings = torch.tensor([[0.0], [1.0]])

        def encode(self, letters: Tensor) -> tuple[Tensor, list[Tensor]]:
            return torch.zeros(len(letters), 1), []

        def decode(self, code: Tensor, seen: list[Tensor], embedding: Tensor) -> Tensor:
            return embedding.sigmoid()[:, :, None, None].expand(-1, 1, SIZE, SIZE)

    wanted = torch.full((3, SIZE, SIZE), 0.3)
    found = zi2zi.find_embedding(Shades(), torch.arange(3), wanted, [0, 1], steps=200)
    assert float(found) == pytest.approx(math.log(0.3 / 0.7), abs=0.02)


# --------------------------------------------------------------------------- what ships


def test_what_ships_draws_what_it_has_never_seen() -> None:
    """On D4, in plain fonts, it is nearer than the nearest font and the figures that it brings are about right."""
    fonts = split(collect(variations=(Variation("plain"),)))
    network, batch = emd.load(), references.test_batch(fonts, "D4")
    drawn = float(l1(network(batch["style_refs"], batch["content_refs"]), batch["target"]).mean())
    assert drawn < float(l1(bench.nearest(fonts)(batch), batch["target"]).mean())
    said = emd.measurements()["sets"]["10"]
    assert drawn == pytest.approx(said["EMD"]["D4"]["L1"], rel=0.25)
    assert all(set(sets) == set(SETS) for sets in said.values()) and {"EMD", "zi2zi", "nearest"} == set(said)


# --------------------------------------------------------------------------- the bench


def test_the_bench_sets_emd_beside_the_baseline(known: Split, tmp_path: Path) -> None:
    network = EMD(2, TINY).eval().requires_grad_(False)
    *figures, last = bench.letters(Plan(letters=3), network, known)
    assert len(figures) == 2 * len(SETS) * 3 and last.value is None and "--baseline" in last.note
    out = tmp_path / "z.safetensors"
    for _ in zi2zi.train_zi2zi(known, out, channels=TINY, batch=4, steps=1, accelerator="cpu"):
        pass
    *figures, last = bench.letters(Plan(letters=3, baseline=out), network, known)
    found = {figure.name: figure.value for figure in figures}
    assert last.value == found["EMD: D4 L1"] / found["zi2zi: D4 L1"] and last.at_most == 0.85
    batch = references.test_batch(known, "D3", references=2, count=3)
    drawn = network(batch["style_refs"], batch["content_refs"])
    assert found["EMD: D3 RMSE"] == pytest.approx(float(rmse(drawn, batch["target"]).mean()), abs=1e-6)


def test_a_target_without_ink_has_a_finite_loss() -> None:
    assert math.isfinite(float(weighted_l1(torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4))))
