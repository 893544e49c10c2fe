"""The measurements: right where the right answer is known, finite where it is not. Nothing here looks at a clock."""

import json
import math
import statistics
import time

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from stylelearn.bench import encoder, gatys, measuring, memory, quality
from stylelearn.bench.measuring import Figure, Report, Timing
from stylelearn.cli import main
from stylelearn.encoders import Encoder
from stylelearn.images import ImageError, read_image
from stylelearn.mini import mirrored_decoder
from stylelearn.weights import WeightsError, torchvision_model

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
    timed = measuring.take_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3, warm_up=1)
    assert calls == ["a", "b"] * 4
    assert all(len(timing.runs) == 3 for timing in timed.values())


def test_sleeping_is_time_on_the_clock_and_not_of_the_processor():
    timing = measuring.take_turns({"sleep": lambda: time.sleep(0.05)}, rounds=1, warm_up=0)["sleep"]
    assert timing.clock >= 0.05 > timing.processor


def test_ratio_is_the_median_of_the_ratios_of_each_round():
    a, b = (2.0, 30.0, 9.0), (1.0, 10.0, 1.0)
    assert measuring.ratio(Timing(0, 0, a), Timing(0, 0, b)) == statistics.median([2, 3, 9])


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
    found = measuring.machine()
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


def test_memory_that_cannot_be_measured(monkeypatch):
    def fails(way, size):
        raise RuntimeError("No module named 'resource'")

    monkeypatch.setattr(gatys, "peak_memory", fails)
    (figure,) = gatys.memory(gatys.Plan())
    assert figure.value is None and "resource" in figure.note


def test_peak_memory_sees_what_was_held():
    before = memory._most_so_far()
    block = np.ones(100_000_000, dtype=np.uint8)
    assert memory._most_so_far() >= before
    assert memory._most_so_far() >= block.nbytes / 1e6


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
    for layer in quality.JUDGE_LAYERS:
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
    found = seen(image, quality.JUDGE_LAYERS)
    for layer, number in zip(quality.JUDGE_LAYERS, (1, 3, 5, 10), strict=True):
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
    assert torch.equal(quality.square(wide, 8), torch.ones(1, 3, 8, 8))
    assert quality.square(torch.rand(1, 3, 33, 20), 16).shape == (1, 3, 16, 16)


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


# --------------------------------------------------------------------------- the command


def test_bench_keeps_what_it_has_when_interrupted(monkeypatch, tmp_path, capsys):
    def groups(plan):
        yield "one thing", lambda: [Figure("one", "thing", 1.0)]
        yield "another", interrupted

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(gatys, "groups", groups)
    assert main(["bench", "gatys", "--json", str(tmp_path / "out.json")]) == 130
    out = capsys.readouterr().out
    assert "thing" in out and "figures so far" in out
    assert len(json.loads((tmp_path / "out.json").read_text())["figures"]) == 1


def test_bench_runs_both(monkeypatch, tmp_path, capsys):
    def groups(plan):
        yield "a thing", lambda: [Figure("group", f"size {plan.size}", 1.0, at_least=2)]

    monkeypatch.setattr(gatys, "groups", groups)
    monkeypatch.setattr(encoder, "groups", groups)
    assert main(["bench", "--quick", "--json", str(tmp_path / "out.json")]) == 0
    kept = json.loads((tmp_path / "out.json").read_text())
    assert [figure["name"] for figure in kept["figures"]] == ["size 64", "size 64"]
    assert kept["settings"]["encoder"]["steps"] == 5 and kept["settings"]["quick"] is True
    assert "MISSED" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["speed"], "no bench 'speed'"),
        (["--judge", "/nowhere"], "no file"),
        (["--pairs", "/nowhere"], "no folder"),
        (["--json", "/nowhere/at/all.json"], "does not exist"),
        (["--json", "."], "is a folder"),
        (["--sheet", "sheet.bmp"], "must end in"),
    ],
)
def test_bench_refuses(arguments, said, capsys):
    assert main(["bench", *arguments]) == 2
    found = capsys.readouterr()
    assert said in found.err and len(found.err.splitlines()) == 1
