"""The measures of pastiches on closed forms, and that networks are measured as said."""

import math

import pytest
import torch
from pictures import Plain
from PIL import Image
from torch import Tensor

from benchmarks import pictures, quality
from benchmarks.measuring import QUICK, Plan
from stylelearn import cin, johnson, samples
from stylelearn.images import square
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
    assert math.isnan(quality.weave(image, torch.zeros_like(where))[4])


def test_ratios_of_weaves_are_means_over_the_photos():
    grey = flat(0.5, 0.5, 0.5, size=48)
    pair = pictures.Pair("p", grey, grey)
    painted = [quality.Painted(pair, "s", wave(4, a), wave(4, 0.1), dict) for a in (0.1, 0.2)]
    found = {each.name: each.value for each in quality.weaves("group", painted)}
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
    assert [pair.name for pair in found] == ["a + a", "b + c"]  # in alphabetical order
    assert [round(float(pair.content.mean()) * 255) for pair in found] == [20, 30]
    with pytest.raises(pictures.ImageError, match="content/ and style/"):
        pictures.photos(tmp_path / "content")


def test_a_style_is_found_by_its_name(tmp_path):
    (tmp_path / "style").mkdir()
    for name, size in (("vg_starry_night", (60, 48)), ("wave", (50, 40)), ("red_square", (40, 40)), ("red", (40, 40))):
        Image.new("RGB", size, "red").save(tmp_path / "style" / f"{name}.png")
    plan = Plan(folder=tmp_path)
    assert quality.style_picture("starry_night", [24, 30], plan).shape == (1, 3, 24, 30)
    assert quality.style_picture("great_wave", None, plan).shape == (1, 3, quality.STYLE_SIZE, 320)
    assert quality.style_picture("starry_night", [30, 24], plan) is None  # other proportions
    assert quality.style_picture("red_square", [30, 30], plan) is None  # two that could be it
    assert quality.style_picture("starry_night", [24, 30], Plan()) is None
    assert torch.equal(quality.style_picture("batik", [32, 32], Plan()), samples.style("batik", 32))


def test_own_losses_by_hand(mini):
    """Style: ‖G − A‖²/‖A‖². Content: ‖F − P‖²/‖P‖²."""
    (pair,) = pictures.pairs(Plan(size=64), 1)
    image = torch.rand(1, 3, 64, 64)
    objective = {"content_weight": 2.0, "style_weight": 3.0, "layer_weights": ["relu2_1"], "content_layer": "relu3_1"}
    terms = quality.gatys.objective(pair.content, pair.style, encoder=mini, **objective)
    f, s, p, x = (
        mini(each, [layer])[layer].double()[0]
        for each, layer in ((image, "relu2_1"), (pair.style, "relu2_1"), (pair.content, "relu3_1"), (image, "relu3_1"))
    )
    g, a = (torch.einsum("ihw,jhw->ij", y, y) / y[0].numel() for y in (f, s))
    expected = 3 * float((g - a).square().sum() / a.square().sum())
    assert quality._sum(terms(image), "style") == pytest.approx(expected, rel=1e-4)
    expected = 2 * float((x - p).square().sum() / p.square().sum())
    assert quality._sum(terms(image), "content") == pytest.approx(expected, rel=1e-4)


def trained(name, paint) -> quality.Trained:
    return quality.Trained(name, samples.style(name, 64), paint)


def test_a_network_that_paints_as_gatys_does_has_ratio_one(mini, tmp_path, monkeypatch):
    """Gatys is replaced by the photo turned round; so is the network, and then by the photo itself."""
    monkeypatch.setattr(quality, "result", lambda steps: next(iter(steps)))
    monkeypatch.setattr(quality, "optimize_image", lambda start, objective, steps: [start.flip(3) + 0])
    plan = Plan(size=64, steps=5, pairs=3, sheet=tmp_path / "sheet.png")
    networks = [trained(name, lambda content, style: content.flip(3)) for name in ("geometric", "batik")]
    found = list(quality.paint("johnson", networks, plan, mini))
    assert [each.style for each in found] == ["geometric", "batik", "geometric"]
    for kind in ("style", "content"):
        assert quality.over_gatys(found, kind) == pytest.approx([1, 1, 1])
    with Image.open(tmp_path / "sheet_johnson.png") as sheet:
        assert sheet.size == (4 * 64, pictures.TITLE + 3 * 64)
    (same,) = quality.paint("johnson", [trained("batik", lambda content, style: content)], Plan(size=64, pairs=1), mini)
    assert quality.over_gatys([same], "content")[0] < 1e-6  # the photo itself has no content loss


def test_quality_of_small_networks(monkeypatch):
    """A line for each style of johnson; weights and sizes out of the file; nothing where no picture is at hand."""
    torch.manual_seed(0)
    net = johnson.TransformationNet((4, 4, 4), 1)
    net.about |= {"style_size": [64, 64], "objective": {"content_layer": "relu2_1", "style_weight": 1.0}}
    monkeypatch.setattr(johnson, "styles", lambda: ["batik", "geometric", "the_lost_painting"])
    monkeypatch.setattr(johnson, "load", lambda name: net)
    found = {each.name: each.value for each in quality.quality("johnson", QUICK)}
    assert all(value > 0 for name, value in found.items() if "recognised" not in name)
    assert found["style loss"] ** 2 == pytest.approx(found["style loss, batik"] * found["style loss, geometric"])
    assert found["style recognised"] in (0, 50, 100)
    monkeypatch.setattr(johnson, "styles", lambda: ["the_lost_painting"])
    with pytest.raises(WeightsError, match="give --pairs DIR"):
        quality.quality("johnson", QUICK)
    with pytest.raises(ValueError, match="adjustable"):  # and not Johnson's figures under another name
        quality.quality("adjustable", QUICK)


def test_cin_takes_weights_and_sizes_from_the_file(monkeypatch, tmp_path):
    net = cin.StyleNet(["batik", "nowhere", "geometric"], (4, 4, 4), 1)
    path = tmp_path / "cin.safetensors"
    about = {"style_sizes": {"batik": [48, 48]}, "objective": {"content_layer": "relu2_1"}}
    write_weights(path, net.state_dict(), net.about | about)
    monkeypatch.setattr(cin, "load", lambda: net)
    monkeypatch.setattr(quality, "network_file", lambda kind, name: path)
    batik, geometric = quality.networks("cin", Plan())
    assert [batik.name, geometric.name] == ["batik", "geometric"]
    assert batik.style.shape == (1, 3, 48, 48) and batik.objective == {"content_layer": "relu2_1"}
    photo = square(samples.content("chelsea"), 32)
    with torch.no_grad():
        assert torch.equal(geometric.paint(photo, batik.style), net(photo, net.mix("geometric")))
