"""The measurements: right where the right answer is known, finite where it is not. Nothing here looks at a clock."""

import json
import math
import statistics
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from benchmarks import (
    adjustable,
    amortised,
    course,
    encoder,
    feedforward,
    gatys,
    glyphs,
    matting,
    measuring,
    memory,
    quality,
    swap,
)
from benchmarks.__main__ import main
from benchmarks.measuring import Figure, Report
from stylelearn import adain, cin, compare, johnson, losses, samples
from stylelearn.compare import METHODS, Row, Spread
from stylelearn.encoders import Encoder
from stylelearn.evaluation import distances
from stylelearn.evaluation import timing as resources
from stylelearn.evaluation.timing import Timing
from stylelearn.images import ImageError, read_image, square
from stylelearn.lab import adain as adain_lab
from stylelearn.lab import johnson as johnson_lab
from stylelearn.networks.decoders import mirrored_decoder
from stylelearn.weights import WeightsError, torchvision_model, write_weights

SMALL = encoder.Plan(size=64, rounds=1, steps=2, pairs=2, photos=("chelsea",))


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    """A SqueezeNet with random weights."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("judge") / "squeezenet.safetensors"
    save_file(torchvision_model("squeezenet").state_dict(), path)
    return path


@pytest.fixture(scope="module")
def mini():
    return Encoder("mini")


@pytest.fixture(scope="module")
def vgg():
    return gatys.random_vgg19()


def values(figures: list[Figure]) -> dict[str, float | None]:
    return {figure.name: figure.value for figure in figures}


# --------------------------------------------------------------------------- measuring


def test_work_takes_turns():
    calls: list[str] = []
    timed = resources.take_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3, warm_up=1)
    assert calls == ["a", "b"] * 4
    assert all(len(timing.runs) == len(timing.clocks) == 3 for timing in timed.values())


def test_sleeping_is_time_on_the_clock_and_not_of_the_processor():
    timing = resources.take_turns({"sleep": lambda: time.sleep(0.05)}, rounds=1, warm_up=0)["sleep"]
    assert timing.clock >= 0.05 > timing.processor


def test_ratio_is_the_median_of_the_ratios_of_each_round():
    a, b = (2.0, 30.0, 9.0), (1.0, 10.0, 1.0)
    assert resources.ratio(Timing(0, 0, a), Timing(0, 0, b)) == statistics.median([2, 3, 9])


@pytest.mark.parametrize(
    ("asked", "value", "met"),
    [
        ({"at_least": 10}, 10, True),
        ({"at_least": 10}, 9.9, False),
        ({"at_most": 5}, 5, True),
        ({"at_most": 5}, 5.1, False),
        ({"at_most": 5}, None, None),
        ({}, 1.0, None),
        ({"at_most": 5}, math.nan, False),
    ],
)
def test_met(asked, value, met):
    assert Figure("group", "name", value, **asked).met is met


def test_figures_are_shown_with_their_unit():
    show = measuring.show
    shown = [show(0.0234, "s"), show(2.5, "s"), show(31.26, "dB"), show(12.5, "×"), show(759.5, "MB"), show(None, "s")]
    assert shown == ["23.4 ms", "2.5 s", "31.3 dB", "12.5 ×", "760 MB", "—"]


@pytest.mark.parametrize(
    ("figure", "asked", "part"),
    [
        (Figure("g", "n", 0.049, "s", at_most=0.1), "≤ 100 ms", 0.49),
        (Figure("g", "n", 3.2, "s", at_most=0.4), "≤ 0.4 s", 8),
        (Figure("g", "n", 12.5, "×", at_least=10), "≥ 10 ×", 1.25),
        (Figure("g", "n", 24.3, "dB", at_least=20), "≥ 20.0 dB", 1.215),
        (Figure("g", "n", 0.04, "", at_most=0.08), "≤ 0.08", 0.5),
        (Figure("g", "n", None, "s", at_most=90), "≤ 90 s", None),
        (Figure("g", "n", 5.0, "s"), "", None),
    ],
)
def test_what_is_wanted_has_the_unit_of_what_was_found(figure, asked, part):
    assert figure.asked == asked and figure.part == (None if part is None else pytest.approx(part))


def test_the_table_says_how_near_each_figure_is():
    report = Report({}, {"processor": "P"})
    report.add([Figure("speed", "a slider", 0.049, "s", at_most=0.1, note="median of 5"), Figure("size", "photo", 3.0)])
    head, titles, group, row, *rest = measuring.table(report)
    assert head == "processor P" and titles.split() == ["figure", "wanted", "÷", "wanted"] and group == "speed"
    assert " ".join(row.split()) == "a slider 49 ms ≤ 100 ms 0.49 met median of 5"
    assert [" ".join(line.split()) for line in rest] == ["size", "photo 3"]


def test_the_report_is_on_disk_after_each_group(tmp_path):
    report = Report({"which": "x"}, {"processor": "P"}, tmp_path / "figures.json")
    report.add([Figure("speed", "faster by", 12.0, "×", at_least=10)])
    report.add([Figure("style", "mini", None, note="not measured")])
    kept = json.loads(report.path.read_text(encoding="utf-8"))
    assert [figure["met"] for figure in kept["figures"]] == [True, None]
    assert kept["machine"] == {"processor": "P"} and kept["settings"] == {"which": "x"}
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]
    lines = list(measuring.table(report))
    assert lines[0] == "processor P"
    assert any("faster by" in line and "12 ×" in line and "≥ 10" in line and "met" in line for line in lines)
    assert any("—" in line and "not measured" in line for line in lines)


def test_nothing_is_missed_where_nothing_is_judged():
    report = Report({}, {"processor": "P"}, judged=False)
    report.add([Figure("speed", "faster by", 1.0, "×", at_least=10)])
    assert "MISSED" not in "\n".join(measuring.table(report))


def test_machine():
    found = resources.machine()
    assert found["torch"] == torch.__version__
    assert found["cores"] >= 1 and found["processor"]
    json.dumps(found)


# --------------------------------------------------------------------------- gatys


def test_the_bare_network_is_the_encoder(vgg):
    """The gradient of the sum of relu5_1, once through `bare` and once through the encoder."""
    image = gatys.noise(32)
    x = image.clone().requires_grad_()
    (expected,) = torch.autograd.grad(vgg(x, ["relu5_1"])["relu5_1"].sum(), x)
    torch.testing.assert_close(gatys.bare(vgg, image)(), expected)
    assert sum(p.numel() for name, p in vgg.named_parameters() if "conv5_" not in name or "5_1" in name) == 12_944_960


def test_our_step_is_a_step_and_never_ends(vgg):
    image = gatys.noise(32)
    do = gatys.ours(vgg, image)
    first, second = do(), do()
    assert set(first.losses) == {f"style relu{i}_1" for i in range(1, 6)} | {"content relu4_2"}
    assert not torch.equal(first.pixels, second.pixels)


def test_ours_begins_again_where_it_diverged(monkeypatch):
    def diverges(start, objective, steps):
        yield "a step"
        raise gatys.Diverged("NaN", 2, start)

    monkeypatch.setattr(gatys, "optimize_image", diverges)
    do = gatys.ours(Encoder("random"), gatys.noise(32))
    assert [do() for _ in range(3)] == ["a step"] * 3


def test_gatys_figures_are_finite():
    plan = gatys.Plan(size=32, memory_size=32, rounds=1, steps=300)
    found = {title: measure() for title, measure in gatys.groups(plan)}
    assert len(found) == 4
    for figures in found.values():
        assert figures
        assert all(f.value is None or math.isfinite(f.value) for f in figures)
        assert all(f.note for f in figures if f.value is None)
    over, runs, peak, _ = (values(figures) for figures in found.values())
    assert over["whole L-BFGS step"] > 0
    assert runs["mini is faster by"] > 0
    assert peak["process with the bare network"] > 80  # MB: VGG-19's weights alone


def test_bfloat16(monkeypatch):
    monkeypatch.setattr(gatys, "bfloat16_here", lambda: "a name")
    found = values(gatys.bfloat16(gatys.Plan(size=32, rounds=1)))
    assert 0.9 < found["cosine of the two gradients"] < 1
    monkeypatch.setattr(gatys, "bfloat16_here", str)
    (figure,) = gatys.bfloat16(gatys.Plan(size=32, rounds=1))
    assert figure.value is None and "not available here" in figure.note


def test_the_gradient_of_a_layer_is_made_when_it_is_needed(monkeypatch):
    """Those of the Gram matrices, big for shallow layers, must not lie about while deeper layers are passed."""
    way_back = []

    class Watched(Encoder):
        def walk(self, image, layers):
            for name, activations in super().walk(image, layers):
                if activations.requires_grad:
                    activations.register_hook(lambda _, name=name: way_back.append(name))
                yield name, activations

    def backward(ctx, slope, original=losses._Gram.backward):
        way_back.append(f"gram of {slope.shape[1]} channels")
        return original(ctx, slope)

    monkeypatch.setattr(losses._Gram, "backward", staticmethod(backward))
    gatys.ours(Watched("random"), gatys.noise(32))()
    grams = [f"gram of {width} channels" for width in (128, 144, 64, 32, 16)]
    assert way_back == [
        *(grams[0], "relu5_1", "relu4_2", grams[1], "relu4_1", grams[2], "relu3_1"),
        *(grams[3], "relu2_1", grams[4], "relu1_1"),
    ]


def test_memory_that_cannot_be_measured(monkeypatch):
    def fails(way, size):
        raise RuntimeError("No module named 'resource'")

    monkeypatch.setattr(gatys, "peak_memory", fails)
    (figure,) = gatys.memory(gatys.Plan())
    assert figure.value is None and "resource" in figure.note


def test_peak_memory_sees_what_was_held():
    before = resources.most_so_far()
    block = np.ones(100_000_000, dtype=np.uint8)
    assert resources.most_so_far() >= before
    assert resources.most_so_far() >= block.nbytes / 1e6


# --------------------------------------------------------------------------- encoder and quality


def test_speed_rebuilding_and_inversion_are_finite(mini):
    assert values(encoder.speed(SMALL, mini))["mini is faster by"] > 1
    found = values(encoder.inversions(SMALL, mini))
    assert [name for name in found if name.startswith("PSNR")] == [f"PSNR, relu{i}_1" for i in range(1, 6)]
    assert all(5 < value < 60 for name, value in found.items() if name.startswith("PSNR"))
    (figure,) = encoder.rebuilding(SMALL, mini)
    assert figure.value is None and "--decoders" in figure.note


def test_rebuilding_with_decoders(mini, tmp_path):
    """A decoder whose last bias is ½ and whose weights are 0 rebuilds grey: its PSNR is known."""
    state = {}
    for layer in ("relu3_1", "relu4_1"):
        own = mirrored_decoder(layer).state_dict()
        last = max((key for key in own if key.endswith("bias")), key=lambda key: int(key.split(".")[0]))
        state |= {f"{layer}.{key}": torch.full_like(value, 0.5 * (key == last)) for key, value in own.items()}
    save_file(state, tmp_path / "decoders.safetensors")
    plan = encoder.Plan(size=64, pairs=2, decoders=tmp_path / "decoders.safetensors")
    expected = [
        -10 * math.log10(float((pair.content - 0.5).square().mean())) for pair in quality.pairs_of_samples(64, 2)
    ]
    for value in values(encoder.rebuilding(plan, mini)).values():
        assert value == pytest.approx(statistics.mean(expected), abs=1e-3)


def test_decoders_of_another_network(mini, tmp_path):
    save_file({"relu4_1.0.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="no decoder of relu4_1"):
        encoder.rebuilding(encoder.Plan(size=64, pairs=1, decoders=tmp_path / "other.safetensors"), mini)


def test_style_distance_by_hand(judge):
    """‖G − A‖²/‖A‖² with einsum in float64, and 0 (cut at 1e-12) for the style itself."""
    seen, (pair,) = Encoder("squeezenet", weights=judge), quality.pairs_of_samples(64, 1)
    logs = []
    for layer in distances.SQUEEZENET:
        f, s = (seen(image, [layer])[layer].double()[0] for image in (pair.content, pair.style))
        g, a = (torch.einsum("ihw,jhw->ij", x, x) / x[0].numel() for x in (f, s))
        logs.append(math.log(float((g - a).square().sum() / a.square().sum())))
    assert quality.style_distance([pair.content], [pair], seen) == pytest.approx(math.exp(sum(logs) / 4), rel=1e-3)
    assert quality.style_distance([pair.style], [pair], seen) < 1e-9


def test_judge_layers_are_torchvisions_features(judge):
    """relu1, fire2, fire4 and fire8 are features 0 + ReLU, 3, 5 and 10."""
    seen, model = Encoder("squeezenet", weights=judge), torchvision_model("squeezenet")
    model.load_state_dict(load_file(judge))
    image = gatys.noise(64)
    x = (image - torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(
        1, 3, 1, 1
    )
    found = seen(image, distances.SQUEEZENET)
    for layer, number in zip(distances.SQUEEZENET, (1, 3, 5, 10), strict=True):
        with torch.no_grad():
            torch.testing.assert_close(found[layer], model.features[: number + 1](x), rtol=1e-4, atol=1e-5)


def test_style_with_judge_and_sheet(mini, judge, tmp_path):
    said = []
    plan = encoder.Plan(
        size=64, steps=2, pairs=1, judge=judge, sheet=tmp_path / "sheet.png", watch=lambda *s: said.append(s)
    )
    found = encoder.style(plan, mini)
    by_name = values(found)
    assert all(value > 0 and math.isfinite(value) for value in by_name.values())
    assert by_name["mini / content"] == pytest.approx(by_name["mini"] / by_name["content as it is"])
    assert [(done, of) for _, done, of in said] == [(0, 2), (1, 2)]
    with Image.open(plan.sheet) as sheet:
        assert sheet.size == (4 * quality.TILE, quality.TITLE + quality.TILE)
        shown = read_image(sheet.crop((0, quality.TITLE, quality.TILE, quality.TITLE + quality.TILE)))
    content = quality.pairs_of_samples(quality.TILE, 1)[0].content
    assert (shown - content).abs().mean() < 0.1  # it was 64 px: the same picture, less sharp


def test_style_without_judge_or_sheet_says_how(mini):
    (figure,) = encoder.style(SMALL, mini)
    assert figure.value is None and "--judge" in figure.note


def test_square_is_the_middle():
    wide = torch.zeros(1, 3, 8, 24)
    wide[..., 8:16] = 1
    assert torch.equal(square(wide, 8), torch.ones(1, 3, 8, 8))
    assert square(torch.rand(1, 3, 33, 20), 16).shape == (1, 3, 16, 16)


def test_pairs_of_samples_go_round():
    pairs = quality.pairs_of_samples(32, 16)
    assert len({pair.name for pair in pairs}) == 16
    assert all(pair.content.shape == pair.style.shape == (1, 3, 32, 32) for pair in pairs)


def test_pairs_in_a_folder(tmp_path):
    for kind, shades in (("content", (10, 20, 30)), ("style", (40, 50))):
        (tmp_path / kind).mkdir()
        for i, shade in enumerate(shades):
            Image.new("RGB", (40, 50), (shade,) * 3).save(tmp_path / kind / f"{'cab'[i]}.png")
        (tmp_path / kind / "notes.txt").write_text("no picture")
    pairs = quality.pairs_in(tmp_path, 32, 16)
    assert [pair.name for pair in pairs] == ["a + a", "b + c"]  # in alphabetical order, as many as there are of both
    assert [round(float(pair.content.mean()) * 255) for pair in pairs] == [20, 30]
    with pytest.raises(ImageError, match="content/ and style/"):
        quality.pairs_in(tmp_path / "content", 32, 16)


# --------------------------------------------------------------------------- feed-forward networks

FEW = feedforward.Plan(**feedforward.QUICK)


def trained(name="geometric", paint=lambda content, style: content, **given):
    """A network that gives the photo back, unless something else is said."""
    return amortised.Trained(name, samples.style(name, 64), paint, **given)


def test_pairs_are_different_and_everybody_comes_equally_often():
    for contents, styles in ((8, 16), (16, 16), (3, 2), (4, 6), (5, 1)):
        everything = amortised.latin(contents, styles, 10_000)
        assert sorted(everything) == [(i, j) for i in range(contents) for j in range(styles)]
        first = everything[: math.lcm(contents, styles)]
        assert len({sum(i == k for i, _ in first) for k in range(contents)}) == 1
        assert len({sum(j == k for _, j in first) for k in range(styles)}) == 1
    contents, styles = samples.content_names(), samples.style_names()
    chosen = [f"{contents[i]} + {styles[j]}" for i, j in amortised.latin(len(contents), len(styles), 16)]
    assert chosen == [pair.name for pair in quality.pairs_of_samples(16, 16)]


def test_twice_as_much_and_half_as_much_make_one():
    assert amortised.mean([2.0, 0.5]) == pytest.approx(1.0)
    assert amortised.mean([3.0, 3.0, 3.0]) == pytest.approx(3.0)


def test_own_losses_by_hand(mini):
    """Johnson: ‖G − A‖²/‖A‖². AdaIN: (‖μ − μ_s‖ + ‖σ − σ_s‖)/√C, summed over layers. Content: ‖F − P‖²/‖P‖²."""
    (pair,) = quality.pairs_of_samples(64, 1)
    image = gatys.noise(64)
    objective = {"content_weight": 2.0, "style_weight": 3.0, "layer_weights": ["relu2_1"], "content_layer": "relu3_1"}
    terms = amortised.gatys.objective(pair.content, pair.style, encoder=mini, **objective)
    style, content = amortised._measures("johnson", pair, terms, mini)
    f, s, p, x = (
        mini(each, [layer])[layer].double()[0]
        for each, layer in ((image, "relu2_1"), (pair.style, "relu2_1"), (pair.content, "relu3_1"), (image, "relu3_1"))
    )
    g, a = (torch.einsum("ihw,jhw->ij", y, y) / y[0].numel() for y in (f, s))
    assert style(image) == pytest.approx(3 * float((g - a).square().sum() / a.square().sum()), rel=1e-4)
    assert content(image) == pytest.approx(2 * float((x - p).square().sum() / p.square().sum()), rel=1e-4)
    moments, _ = amortised._measures("adain", pair, terms, mini)
    expected = 0.0
    for layer in adain.STYLE_LAYERS:
        f, s = (mini(each, [layer])[layer].double()[0].flatten(1) for each in (image, pair.style))
        apart = (f.mean(1) - s.mean(1)).norm() + (f.std(1, correction=0) - s.std(1, correction=0)).norm()
        expected += float(apart) / len(f) ** 0.5
    assert moments(image) == pytest.approx(expected, rel=1e-3)
    assert style(pair.style) < 1e-9 and content(pair.content) < 1e-9 and moments(pair.style) < 1e-5


def test_a_network_that_paints_as_gatys_does_has_ratio_one(mini, judge, tmp_path, monkeypatch):
    """Gatys is replaced by the photo turned round; so is the network, and then by the photo itself."""
    monkeypatch.setattr(amortised, "result", lambda steps: next(iter(steps)))
    monkeypatch.setattr(amortised, "optimize_image", lambda start, objective, steps: [start.flip(3) + 0])
    seen, said = Encoder("squeezenet", weights=judge), []
    plan = feedforward.Plan(
        **feedforward.QUICK | {"pairs": 3}, sheet=tmp_path / "sheet.png", watch=lambda *words: said.append(words)
    )
    networks = [trained(name, lambda content, style: content.flip(3)) for name in ("geometric", "batik")]
    found = amortised.measure("johnson", networks, plan, mini, seen)
    assert [each.name for each in found] == ["geometric", "batik", "geometric"]
    for each in found:
        assert (each.own, each.content, each.judge) == pytest.approx((1, 1, 1))
    assert [(done, of) for _, done, of in said] == [(0, 3), (1, 3), (2, 3)]
    with Image.open(tmp_path / "sheet_johnson.png") as sheet:
        assert sheet.size == (4 * 64, quality.TITLE + 3 * 64)
    (same,) = amortised.measure(
        "johnson", [trained()], feedforward.Plan(**feedforward.QUICK | {"pairs": 1}), mini, None
    )
    assert same.content < 1e-6 and same.judge is None  # the photo itself has no content loss


def test_quality_of_small_networks(monkeypatch, judge):
    """Through `quality` as a whole: a figure for each style of johnson, one for cin, none where nothing is at hand."""
    torch.manual_seed(0)
    net = johnson.TransformationNet((4, 4, 4), 1)
    net.about |= {"style_size": [64, 64], "objective": {"content_layer": "relu2_1", "style_weight": 1.0}}
    monkeypatch.setattr(johnson, "styles", lambda: ["batik", "geometric", "the_lost_painting"])
    monkeypatch.setattr(johnson, "load", lambda name: net)
    plan = feedforward.Plan(**feedforward.QUICK | {"pairs": 2}, judge=judge)
    found = values(amortised.quality("johnson", plan))
    names = ["style loss, batik", "style loss, geometric", "style loss", "style, seen by the judge", "content loss"]
    assert list(found) == names
    assert all(value > 0 and math.isfinite(value) for value in found.values())
    assert found["style loss"] ** 2 == pytest.approx(found[names[0]] * found[names[1]])
    monkeypatch.setattr(johnson, "styles", lambda: ["the_lost_painting"])
    (figure,) = amortised.quality("johnson", plan)
    assert figure.value is None and "give --pairs DIR" in figure.note


def test_quality_of_cin_takes_weights_and_sizes_from_the_file(monkeypatch, tmp_path):
    net = cin.StyleNet(["batik", "nowhere", "geometric"], (4, 4, 4), 1)
    path = tmp_path / "cin.safetensors"
    about = {"style_size": [48, 48], "objective": {"content_layer": "relu2_1"}}
    write_weights(path, net.state_dict(), net.about | about)
    monkeypatch.setattr(cin, "load", lambda: net)
    monkeypatch.setattr(amortised, "network_file", lambda kind, name: path)
    batik, geometric = amortised.networks("cin", None)
    assert [batik.name, geometric.name] == ["batik", "geometric"]
    assert batik.style.shape == (1, 3, 48, 48) and batik.objective == {"content_layer": "relu2_1"}
    photo = gatys.noise(32)
    with torch.no_grad():
        assert torch.equal(geometric.paint(photo, batik.style), net(photo, net.mix("geometric")))
    write_weights(path, net.state_dict(), net.about)
    assert amortised.networks("cin", None)[0].objective["style_weight"] == johnson.STYLE_WEIGHT
    judged = {figure.name: figure for figure in amortised.quality("cin", FEW)}
    assert judged["style loss"].at_most == amortised.WITHIN and "--judge" in judged["style, seen by the judge"].note


def test_a_style_is_found_by_its_name(tmp_path):
    (tmp_path / "style").mkdir()
    for name, size in (("vg_starry_night", (60, 48)), ("wave", (50, 40)), ("red_square", (40, 40)), ("red", (40, 40))):
        Image.new("RGB", size, "red").save(tmp_path / "style" / f"{name}.png")
    found = amortised.style_picture("starry_night", [24, 30], tmp_path)
    assert found.shape == (1, 3, 24, 30)
    assert amortised.style_picture("great_wave", None, tmp_path).shape == (1, 3, amortised.STYLE_SIZE, 320)
    assert amortised.style_picture("starry_night", [30, 24], tmp_path) is None  # other proportions
    assert amortised.style_picture("red_square", [30, 30], tmp_path) is None  # two that could be it
    assert amortised.style_picture("starry_night", [24, 30], None) is None
    assert torch.equal(amortised.style_picture("batik", [32, 32], None), samples.style("batik", 32))


@pytest.fixture
def painted(monkeypatch):
    """How often the only network of lesson 03, a small one, has painted."""
    counts = []
    net = johnson.TransformationNet((4, 4, 4), 1).eval().requires_grad_(False)
    net.register_forward_hook(lambda *_: counts.append(1))
    monkeypatch.setattr(johnson, "styles", lambda: ["only"])
    monkeypatch.setattr(johnson_lab, "network", lambda style: net)
    return counts


def test_each_move_that_is_timed_paints_anew(painted, monkeypatch):
    refreshed = []
    real = johnson_lab.JohnsonLab.refresh

    def refresh(lab):
        before = len(painted)
        taken = real(lab)
        refreshed.append(len(painted) - before)
        return taken

    monkeypatch.setattr(johnson_lab.JohnsonLab, "refresh", refresh)
    monkeypatch.setattr(feedforward, "LABS", {"johnson": feedforward._johnson})
    (figure,) = feedforward.moves(256, 3)
    assert refreshed == [1] * 5  # two to warm up
    assert figure.value > 0 and figure.at_most == 0.1 and figure.unit == "s"
    assert feedforward.moves(64, 1)[0].at_most is None


def test_sliders_of_cin_and_adain_reach_new_pixels(monkeypatch):
    from stylelearn.lab import cin as cin_lab

    torch.manual_seed(0)
    many, any_style = cin.StyleNet(list("abcdef"), (4, 4, 4), 1), adain.AdaIN(Encoder("mini"), layer="relu2_1")
    monkeypatch.setattr(cin_lab, "network", lambda name="cin": many.eval().requires_grad_(False))
    monkeypatch.setattr(adain_lab, "network", lambda name="adain": any_style)
    for norm in many.norms():
        torch.nn.init.normal_(norm.beta)
    for make in (feedforward._cin, feedforward._adain):
        lab, move = make(64)
        seen = []
        for number in range(3):
            move(number)
            lab.wait()
            lab.refresh()
            assert lab.image.shape[2:] == (64, 64) and not lab.error
            seen.append(lab.image)
        assert not torch.equal(seen[0], seen[1]) and not torch.equal(seen[1], seen[2])
        lab.close()


def test_a_lab_that_fails_is_no_fast_lab(painted, monkeypatch):
    monkeypatch.setattr(feedforward, "LABS", {"johnson": feedforward._johnson})
    real = johnson_lab.JohnsonLab.refresh

    def fails(lab):
        monkeypatch.setattr(lab, "render", None)
        return real(lab)

    monkeypatch.setattr(johnson_lab.JohnsonLab, "refresh", fails)
    with pytest.raises(RuntimeError, match="the lab of johnson failed"):
        feedforward.moves(64, 1)


def test_what_is_not_there_is_not_measured(monkeypatch):
    def missing(*_):
        raise WeightsError("no such network")

    for module in (johnson, cin, adain):
        monkeypatch.setattr(module, "load", missing)
    monkeypatch.setattr(johnson, "styles", list)
    monkeypatch.setattr(feedforward, "LABS", {"one": missing})
    found = [*feedforward.moves(64, 1), *feedforward.pipeline(64, 1)]
    found += [figure for method in feedforward.METHODS for figure in amortised.quality(method, FEW)]
    assert len(found) == 5
    assert all(figure.value is None and figure.note.startswith("not measured: ") for figure in found)


def test_a_pipeline_is_timed_with_the_same_layer(monkeypatch):
    monkeypatch.setattr(adain, "load", lambda: adain.AdaIN(Encoder("mini"), layer="relu2_1"))
    *times, faster = feedforward.pipeline(32, 1)
    assert [figure.name for figure in times] == ["mini", "VGG-19"]
    assert faster.value > 0 and faster.at_least == 12 and "relu2_1" in faster.note


def test_the_memory_of_a_whole_command(tmp_path):
    Image.new("RGB", (40, 30), "red").save(tmp_path / "photo.png")
    torch.manual_seed(0)
    johnson.save(johnson.TransformationNet((4, 4, 4), 1), tmp_path / "net.safetensors")
    words = [str(tmp_path / "photo.png"), "--method", "johnson", "--weights", str(tmp_path / "net.safetensors")]
    found = memory.memory_of_command("stylize", *words, "--full-size", "-o", str(tmp_path / "out.png"))
    assert 50 < found["imports"] <= found["peak"] < 4000
    assert read_image(tmp_path / "out.png").shape == (1, 3, 30, 40)
    with pytest.raises(RuntimeError, match="no file of that name"):
        memory.memory_of_command("stylize", *words[:-1], "nowhere", "-o", str(tmp_path / "out.png"))


def test_a_large_photo_is_measured_with_each_method(monkeypatch):
    asked = []

    def command(*words):
        with Image.open(words[1]) as image:
            asked.append((image.size, words[2], words[5:]))
        return {"imports": 200.0, "peak": 1000.0}

    monkeypatch.setattr(feedforward, "memory_of_command", command)
    monkeypatch.setattr(johnson, "styles", lambda: ["mosaic"])
    monkeypatch.setattr(cin, "load", lambda: cin.StyleNet(["waves"], (4, 4, 4), 1))
    figures = feedforward.photo(feedforward.Plan(photo=(80, 60)))
    assert {figure.name: (figure.value, figure.at_most) for figure in figures} == dict.fromkeys(
        feedforward.METHODS, (1000.0, 2048.0)
    )
    assert [size for size, _, _ in asked] == [(80, 60)] * 3 and {flag for _, flag, _ in asked} == {"--full-size"}
    assert asked[0][2] == ("--method", "johnson", "--style", "mosaic")
    assert asked[1][2] == ("--method", "cin", "--style", "waves")
    assert asked[2][2][1:] == ("--method", "adain")


def test_groups_of_feedforward_are_lazy():
    titles = [title for title, _ in feedforward.groups(feedforward.Plan())]
    assert len(titles) == 7 and "256 px" in titles[0] and "512 px" in titles[1] and "4000 × 3000" in titles[3]


# --------------------------------------------------------------------------- the command


def test_bench_keeps_what_it_has_when_interrupted(monkeypatch, tmp_path, capsys):
    def groups(plan):
        yield "one thing", lambda: [Figure("one", "thing", 1.0)]
        yield "another", interrupted

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(gatys, "groups", groups)
    assert main(["gatys", "--json", str(tmp_path / "out.json")]) == 130
    out = capsys.readouterr().out
    assert "thing" in out and "figures so far" in out
    assert len(json.loads((tmp_path / "out.json").read_text())["figures"]) == 1


def test_bench_runs_all(monkeypatch, tmp_path, capsys):
    def groups(plan):
        yield "a thing", lambda: [Figure("group", f"size {getattr(plan, 'size', 64)}", 1.0, at_least=2)]

    for bench in (gatys, encoder, feedforward, adjustable, matting, swap, glyphs, course):
        monkeypatch.setattr(bench, "groups", groups)
    assert main(["--quick", "--pairs-count", "7", "--json", str(tmp_path / "out.json")]) == 0
    kept = json.loads((tmp_path / "out.json").read_text())
    assert [figure["name"] for figure in kept["figures"]] == ["size 64"] * 8
    assert kept["settings"]["encoder"]["steps"] == 5 and kept["settings"]["quick"] is True
    assert kept["settings"]["encoder"]["pairs"] == kept["settings"]["feedforward"]["pairs"] == 7
    assert "MISSED" not in capsys.readouterr().out


def test_everything_runs_and_is_finite(monkeypatch, tmp_path, capsys):
    """`python -m benchmarks --quick` as it is, but for the processes that memory is measured in."""
    held = {"imports": 100.0, "before": 100.0, "peak": 120.0, "extra": 20.0}
    for module in (memory, swap, compare):
        monkeypatch.setattr(module, "run_apart", lambda *_: held)
    assert main(["--quick", "--json", str(tmp_path / "out.json")]) == 0
    figures = json.loads((tmp_path / "out.json").read_text())["figures"]
    for figure in figures:
        assert figure["value"] is None or math.isfinite(figure["value"]), figure
        assert figure["value"] is not None or figure["note"], figure
        assert figure["met"] is None
    missing = [figure["name"] for figure in figures if figure["value"] is None]
    assert len(missing) < len(figures) / 5, missing  # judges and decoders that are not there
    groups = {figure["group"].split(",")[0] for figure in figures}
    assert {"course", "letters"} <= groups and any("photorealism" in group for group in groups)
    out = capsys.readouterr().out
    assert out.count("÷ wanted") == 1 and all(figure["name"] in out for figure in figures)


# --------------------------------------------------------------------------- the course's methods

TINY = course.Plan(**course.QUICK | {"size": 32, "sides": (32, 48), "memory": ("adain",)})


def test_the_course_is_measured_row_by_row(monkeypatch, tmp_path):
    """Ratios and growth are those of the times; the paper's ratios are said."""
    seconds = {name: 2.0**number for number, name in enumerate(METHODS)}

    def compared(content, style, methods, *, sizes, **how):
        for size in sizes:
            for name in methods:
                taken = Spread.of([seconds[name] * (size / 32) ** 2])
                measures = dict.fromkeys(how["only"], Spread.of([0.5]))
                yield Row(name, size, torch.rand(1, 3, size, size), taken, None, None, "7", measures)

    monkeypatch.setattr(course, "compare", compared)
    monkeypatch.setattr(course, "peak_memory", lambda method, size: None)
    plan = replace(TINY, sheet=tmp_path / "sheet.png")
    one, held, growth = (measure() for _, measure in course.groups(plan))
    assert len(one) == len(METHODS) * (2 + len(course.SHOWN))
    by_group = {}
    for figure in one:
        by_group.setdefault(figure.group, {})[figure.name] = figure
    times = by_group["course, times the seconds of AdaIN"]
    assert times["Gatys"].value == pytest.approx(seconds["gatys"] / seconds["adain"])
    assert times["Gatys"].note == "in the paper 787 ×" and times["Johnson"].note == "in the paper 0.611 ×"
    assert all("styles: 7" in figure.note for figure in by_group["course, seconds for one picture, 32 px"].values())
    assert [figure.value for figure in growth] == pytest.approx([1.0] * len(METHODS))
    assert [(figure.value, figure.note) for figure in held] == [(None, "not available here")]
    for name in ("sheet_course.png", "sheet_growth.png"):
        with Image.open(tmp_path / name) as sheet:
            assert min(sheet.size) > 200


def test_a_method_that_could_not_paint_is_said(monkeypatch):
    def compared(content, style, methods, **how):
        yield Row(methods[0], 32, None, note="its network is not there")

    monkeypatch.setattr(course, "compare", compared)
    figures = course.one_pair(TINY, "stained_glass", Encoder("mini"))
    assert len(figures) == len(METHODS) and all(f.note == "not measured: its network is not there" for f in figures)
    monkeypatch.setattr(course, "common_styles", list)
    ((_, measure),) = course.groups(TINY)
    assert "no style that all methods know" in measure()[0].note


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["speed"], "no benchmark 'speed'"),
        (["--judge", "/nowhere"], "no file"),
        (["--pairs", "/nowhere"], "no folder"),
        (["--json", "/nowhere/at/all.json"], "does not exist"),
        (["--json", "."], "is a folder"),
        (["--sheet", "sheet.bmp"], "must end in"),
    ],
)
def test_bench_refuses(arguments, said, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2 and said in capsys.readouterr().err
