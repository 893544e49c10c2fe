"""The measures of pastiches on closed forms, and that networks are measured as said."""

import math

import pytest
import torch
from pictures import Plain
from PIL import Image
from torch import Tensor

from benchmarks import pictures, quality
from benchmarks.measuring import Plan
from stylelearn import samples
from stylelearn.weights import WeightsError, write_weights


def flat(*colour: float, size: int = 16) -> Tensor:
    return torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, size, size)


def test_a_pastiche_is_recognised_by_the_nearest_painting():
    styles = {"red": flat(0.9, 0.1, 0.1), "green": flat(0.1, 0.9, 0.1), "blue": flat(0.1, 0.1, 0.9)}
    pastiches = [("red", flat(0.7, 0.2, 0.2)), ("green", flat(0.2, 0.2, 0.7)), ("blue", flat(0.2, 0.2, 0.8))]
    assert quality.recognised(pastiches, styles, Plain()) == pytest.approx(2 / 3)
    assert quality.recognised([*styles.items()], styles, Plain()) == 1


def wave(period: int, amplitude: float, angle: str = "across", size: int = 48) -> Tensor:
    """Grey with a wave; at a period of 2 the cosine is ±1."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    phase = {"across": x, "down": y, "diagonal": x + y}[angle]
    return (0.5 + amplitude * torch.cos(2 * math.pi * phase / period)).expand(1, 3, size, size)


@pytest.mark.parametrize("angle", ["across", "down", "diagonal"])
@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_wave_has_half_the_square_of_its_amplitude_at_its_period_and_nothing_at_others(period, angle):
    where = quality.flat_regions(flat(0.5, 0.5, 0.5, size=48))
    found = quality.weave(wave(period, 0.1, angle), where)
    expected = 0.1**2 / (1 if period == 2 else 2)
    assert found == pytest.approx({p: expected * (p == period) for p in (2, 4, 8)}, rel=1e-3, abs=1e-9)


def test_a_slow_change_of_light_is_no_weave():
    """The steepest that still counts as flat has less power than a wave of one level of 255."""
    ramp = torch.linspace(0, 0.2, 48).expand(1, 3, 48, 48)
    where = quality.flat_regions(ramp)
    assert where.all() and not quality.flat_regions(1.1 * ramp).any()
    assert all(power < (1 / 255) ** 2 / 2 for power in quality.weave(ramp, where).values())


def test_only_flat_regions_of_the_photo_are_looked_at():
    photo = flat(0.5, 0.5, 0.5, size=48).clone()
    photo[..., 24:] = torch.rand(1, 3, 48, 24)  # the right half is busy
    where = quality.flat_regions(photo)
    assert 0 < where.sum() < len(where)
    image = photo.clone()
    image[..., 32:] = wave(4, 0.3)[..., 32:]
    assert quality.weave(image, where) == pytest.approx(dict.fromkeys((2, 4, 8), 0), abs=1e-9)
    painted = quality.Painted(pictures.Pair(("p", "s"), image, image), image, image, dict)
    busy = quality.Painted(pictures.Pair(("p", "s"), torch.rand(1, 3, 48, 48), image), image, image, dict)
    assert [each.note for each in quality.weaves([painted, busy])] == ["1 photos"] * 6
    assert [*quality.weaves([busy])] == []


def test_ratios_of_weaves_are_means_over_the_photos():
    grey = flat(0.5, 0.5, 0.5, size=48)
    pair = pictures.Pair(("p", "s"), grey, grey)
    painted = [quality.Painted(pair, wave(4, a), wave(4, 0.1), dict) for a in (0.1, 0.2)]
    found = {each.name: each.value for each in quality.weaves(painted)}
    assert found["weave of 4 px over Gatys's"] == pytest.approx(2, rel=1e-3)  # √(1 · 4)
    assert found["weave of 8 px over the photo's"] == pytest.approx(1)


def test_pairs_are_different_and_each_picture_comes_equally_often():
    for contents, styles in ((8, 16), (16, 16), (3, 2), (4, 6), (5, 1)):
        everything = pictures.latin(contents, styles, 10_000)
        assert sorted(everything) == [(i, j) for i in range(contents) for j in range(styles)]
        first = everything[: math.lcm(contents, styles)]
        assert len({sum(i == k for i, _ in first) for k in range(contents)}) == 1
        assert len({sum(j == k for _, j in first) for k in range(styles)}) == 1


def test_pairs_in_a_folder(tmp_path):
    for kind, shades in (("content", (10, 20, 30)), ("style", (40, 50))):
        (tmp_path / kind).mkdir()
        for i, shade in enumerate(shades):
            Image.new("RGB", (40, 50), (shade,) * 3).save(tmp_path / kind / f"{'cab'[i]}.png")
        (tmp_path / kind / "notes.txt").write_text("no picture")
    found = list(pictures.pairs(Plan(size=32, folder=tmp_path), 2))
    assert [pair.names for pair in found] == [("a", "a"), ("b", "c")]  # in alphabetical order
    assert [round(float(pair.content.mean()) * 255) for pair in found] == [20, 30]
    with pytest.raises(pictures.ImageError, match="content/ and style/"):
        pictures.pictures("content", tmp_path / "content")


def test_a_style_is_found_by_its_name(tmp_path):
    (tmp_path / "style").mkdir()
    for name, size in (("vg_starry_night", (60, 48)), ("wave", (50, 40)), ("red_square", (40, 40)), ("red", (40, 40))):
        Image.new("RGB", size, "red").save(tmp_path / "style" / f"{name}.png")
    plan = Plan(folder=tmp_path)
    assert quality.style_picture("starry_night", [24, 30], plan).shape == (1, 3, 24, 30)
    assert quality.style_picture("great_wave", [32, 40], plan).shape == (1, 3, 32, 40)
    assert quality.style_picture("starry_night", [30, 24], plan) is None  # other proportions
    assert quality.style_picture("red_square", [30, 30], plan) is None  # two that could be it
    assert quality.style_picture("starry_night", [24, 30], Plan()) is None
    assert torch.equal(quality.style_picture("batik", [32, 32], Plan()), samples.style("batik", 32))


@pytest.fixture
def learnt(tmp_path, monkeypatch):
    """The files of a small network of johnson and of cin, with the sizes and weights of their training."""
    about = {"style_size": [64, 64], "objective": {"content_layer": "relu2_1", "style_weight": 1.0}}
    write_weights(tmp_path / "johnson.safetensors", {"x": torch.zeros(1)}, about)
    about = {
        "style_sizes": {"batik": [48, 48], "nowhere": [48, 48], "geometric": [64, 64]},
        "objective": {"tv_weight": 2},
    }
    write_weights(tmp_path / "cin.safetensors", {"x": torch.zeros(1)}, about)
    monkeypatch.setattr(quality, "network_file", lambda kind, name: tmp_path / f"{kind}.safetensors")
    monkeypatch.setattr(quality, "known_styles", lambda method: ["batik", "nowhere", "geometric"])


def test_weights_and_sizes_are_those_of_the_file(learnt, monkeypatch):
    found = quality.learnt("cin", Plan())
    assert list(found) == ["batik", "geometric"]  # of the third there is no picture
    assert found["batik"][0].shape == (1, 3, 48, 48) and found["batik"][1] == {"tv_weight": 2}
    assert quality.learnt("johnson", Plan())["batik"][1]["content_layer"] == "relu2_1"
    monkeypatch.setattr(quality, "known_styles", lambda method: ["nowhere"])
    with pytest.raises(WeightsError, match="give --pairs DIR"):
        quality.learnt("johnson", Plan())
    for style, weights in quality.learnt("adain", Plan(size=64)).values():
        assert style.shape == (1, 3, 64, 64) and weights["content_weight"] == 1


def test_a_network_that_paints_as_gatys_does_has_ratio_one(learnt, monkeypatch):
    """Gatys is replaced by the photo turned round, as is the network of one style, that of the other by the photo."""
    asked = []

    def paints(method, content, style):
        asked.append(style)
        return content.flip(3) if style == "batik" else content

    monkeypatch.setattr(quality, "run", paints)
    monkeypatch.setattr(quality, "by_gatys", lambda pair, encoder, steps, **weights: pair.content.flip(3))
    plan = Plan(size=64, pairs=3)
    found = {each.name: each.value for each in quality.quality("johnson", plan)}
    assert asked == ["batik", "geometric", "batik"]
    assert found["style loss, batik"] == pytest.approx(1) and found["style loss, geometric"] != pytest.approx(1)
    assert found["style loss"] ** 3 == pytest.approx(found["style loss, geometric"])
    assert found["content loss"] < 1e-2  # the photo itself has none
    assert found["style recognised"] in (0, *(pytest.approx(100 * share / 3) for share in (1, 2, 3)))
