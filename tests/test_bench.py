"""The benchmarks: right where the right answer is known, finite where it is not. Nothing here looks at a clock."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from benchmarks import adjustable, browser, encoder, feedforward, gatys, glyphs, matting, memory, swap
from benchmarks.__main__ import main
from benchmarks.measuring import QUICK, Measurement, Plan, Report, show, table
from stylelearn import adain, johnson, losses
from stylelearn.encoders import Encoder
from stylelearn.images import read_image
from stylelearn.lab import johnson as johnson_lab
from stylelearn.patches import swap as swapped


@pytest.fixture(scope="module")
def vgg():
    return gatys.random_vgg19()


def values(found: list[Measurement]) -> dict[str, float | None]:
    return {each.name: each.value for each in found}


# --- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "value", "met", "promised"),
    [
        ({"at_least": 10}, 10, True, "≥ 10"),
        ({"at_least": 10}, 9.9, False, "≥ 10"),
        ({"at_most": 5}, 5, True, "≤ 5"),
        ({"at_most": 5}, 5.1, False, "≤ 5"),
        ({"at_most": 5}, None, None, "≤ 5"),
        ({"at_most": 5}, math.nan, False, "≤ 5"),
        ({"at_most": 0.1, "unit": "s"}, 0.049, True, "≤ 100 ms"),
        ({"at_most": 0.4, "unit": "s"}, 3.2, False, "≤ 0.4 s"),
        ({}, 1.0, None, ""),
    ],
)
def test_a_promise_is_kept_or_not(asked, value, met, promised):
    found = Measurement("group", "name", value, **asked)
    assert found.met is met and found.promised == promised


def test_values_are_shown_with_their_unit():
    shown = [show(0.0234, "s"), show(2.5, "s"), show(31.26, "dB"), show(12.5, "×"), show(759.5, "MB"), show(None, "s")]
    assert shown == ["23.4 ms", "2.5 s", "31.3 dB", "12.5 ×", "760 MB", "—"]


def test_the_report_is_a_table_and_on_disk_after_each_group(tmp_path):
    report = Report({"processor": "P"}, {"which": "x"}, tmp_path / "out.json")
    report.add([Measurement("speed", "faster by", 12.0, "×", at_least=10, note="median of 5")])
    report.add([Measurement("style", "mini", None, note="not measured")])
    kept = json.loads(report.path.read_text(encoding="utf-8"))
    assert [each["met"] for each in kept["measurements"]] == [True, None]
    assert kept["machine"] == {"processor": "P"} and kept["settings"] == {"which": "x"}
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
    lines = [" ".join(line.split()) for line in table(report)]
    assert lines[0] == "processor P" and "faster by 12 × ≥ 10 × met median of 5" in lines
    report = replace(report, judged=False, found=[Measurement("speed", "faster by", 1.0, "×", at_least=10)])
    assert "MISSED" not in "".join(table(report))


# --- the command ------------------------------------------------------------------------------------------------------

BENCHMARKS = (encoder, gatys, feedforward, adjustable, browser, swap, matting, glyphs)


def test_what_was_measured_before_an_interruption_is_kept(monkeypatch, tmp_path, capsys):
    def groups(plan):
        yield "one thing", lambda: [Measurement("one", "thing", 1.0)]
        yield "another", interrupted

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(gatys, "groups", groups)
    assert main(["gatys", "--json", str(tmp_path / "out.json")]) == 130
    out = capsys.readouterr().out
    assert "thing" in out and "figures so far" in out
    assert len(json.loads((tmp_path / "out.json").read_text())["measurements"]) == 1


def test_what_cannot_be_measured_says_why_and_the_others_go_on(monkeypatch, tmp_path):
    def groups(plan):
        yield "memory", fails
        yield "a thing", lambda: [Measurement("group", "thing", 1.0)]

    def fails():
        raise RuntimeError("No module named 'resource'")

    monkeypatch.setattr(gatys, "groups", groups)
    assert main(["gatys", "--json", str(tmp_path / "out.json")]) == 0
    first, second = json.loads((tmp_path / "out.json").read_text())["measurements"]
    assert first["value"] is None and first["note"] == "not measured: No module named 'resource'"
    assert second["value"] == 1


def test_all_benchmarks_run_with_one_plan(monkeypatch, tmp_path, capsys):
    def groups(plan):
        yield "a thing", lambda: [Measurement("group", f"size {plan.size}", 1.0, at_least=2)]

    for each in BENCHMARKS:
        monkeypatch.setattr(each, "groups", groups)
    assert main(["--quick", "--pairs-count", "7", "--json", str(tmp_path / "out.json")]) == 0
    kept = json.loads((tmp_path / "out.json").read_text())
    assert [each["name"] for each in kept["measurements"]] == ["size 64"] * 8
    assert kept["settings"]["pairs"] == kept["settings"]["many"] == 7 and not kept["settings"]["judged"]
    assert "MISSED" not in capsys.readouterr().out


def test_photos_given_back_are_compared_with_themselves(monkeypatch):
    """With an inverse that is exact but for a constant error of 0.1, PSNR is 20 dB (10 log10 1/0.01)."""
    near = SimpleNamespace(
        layer="none", encode=lambda image: image * 0.5, decode=lambda features, size: features * 2 + 0.1
    )
    monkeypatch.setattr(feedforward.adain, "load", lambda: near)
    monkeypatch.setattr(feedforward.style_swap, "load", lambda: near)
    found = feedforward.rebuilt(replace(QUICK, size=32, pairs=2))
    assert [each.name for each in found] == ["AdaIN, mean", "AdaIN, lowest", "style swap, mean", "style swap, lowest"]
    assert all(each.value == pytest.approx(20, abs=1e-3) for each in found)


def test_groups_are_lazy_and_name_what_they_measure():
    titles = [title for each in BENCHMARKS for title, _ in each.groups(Plan())]
    assert len(titles) == 4 + 3 + 8 + 6 + 5 + 6 + 2 + 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["speed"], "no benchmark 'speed'"),
        (["--judge", "/nowhere"], "no file"),
        (["--pairs", "/nowhere"], "no folder"),
        (["--json", "/nowhere/at/all.json"], "does not exist"),
        (["--sheet", "sheet.bmp"], "'.bmp'; choose .jpg"),
    ],
)
def test_wrong_requests_are_refused(arguments, said, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2 and said in capsys.readouterr().err


# --- gatys ------------------------------------------------------------------------------------------------------------


def test_the_bare_network_is_the_encoder(vgg):
    """The gradient of the sum of relu5_1, once through `bare` and once through the encoder."""
    image = gatys.noise(32)
    x = image.clone().requires_grad_()
    (expected,) = torch.autograd.grad(vgg(x, ["relu5_1"])["relu5_1"].sum(), x)
    torch.testing.assert_close(gatys.bare(vgg, image)(), expected)
    assert sum(p.numel() for name, p in vgg.named_parameters() if "conv5_" not in name or "5_1" in name) == 12_944_960


def test_ours_begins_again_where_it_diverged(monkeypatch):
    def diverges(start, objective, steps):
        yield "a step"
        raise gatys.Diverged("NaN", 2, start)

    monkeypatch.setattr(gatys, "optimize_image", diverges)
    do = gatys.ours(Encoder("random"), gatys.noise(32))
    assert [do() for _ in range(3)] == ["a step"] * 3


def test_gatys_figures_are_finite(monkeypatch):
    held = {"bare": 400.0, "ours": 440.0}
    monkeypatch.setattr(gatys, "run_apart", lambda work, way, size: {"imports": 300.0, "peak": held[way]})
    over, runs, peak = ([*measure()] for _, measure in gatys.groups(replace(QUICK, size=32, large=32, rounds=1)))
    assert values(over)["whole L-BFGS step"] > 0 and values(runs)["mini is faster by"] > 0
    assert values(peak) == {"process, bare": 400, "process, ours": 440, "ours needs more by": pytest.approx(10)}


def test_the_gradient_of_a_layer_is_made_when_it_is_needed(monkeypatch):
    """Those of the Gram matrices, big for shallow layers, must not lie about while deeper layers are passed."""
    way_back = []

    class Watched(Encoder):
        def walk(self, image, layers):
            for name, activations in super().walk(image, layers):
                if activations.requires_grad:
                    activations.register_hook(lambda _, name=name: way_back.append(name))
                yield name, activations

    def backward(ctx, slope, original=losses._GramDerivative.backward):
        way_back.append(f"gram of {slope.shape[1]} channels")
        return original(ctx, slope)

    monkeypatch.setattr(losses._GramDerivative, "backward", staticmethod(backward))
    gatys.ours(Watched("random"), gatys.noise(32))()
    grams = [f"gram of {width} channels" for width in (99, 77, 59, 27, 16)]
    assert way_back == [
        *(grams[0], "relu5_1", "relu4_2", grams[1], "relu4_1", grams[2], "relu3_1"),
        *(grams[3], "relu2_1", grams[4], "relu1_1"),
    ]


# --- feed-forward networks --------------------------------------------------------------------------------------------


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
    johnson_only = feedforward.slider("johnson", "JohnsonLab", lambda lab: lab.controls["strength"])
    monkeypatch.setattr(feedforward, "LABS", {"johnson": johnson_only})
    (figure,) = feedforward.moves(256, 3)
    assert refreshed == [2] * 5  # two to warm up; each paints 128 and 256 pixels
    assert figure.value > 0 and figure.at_most == 0.1 and figure.unit == "s"
    assert feedforward.moves(64, 1)[0].at_most is None


@pytest.mark.parametrize("name", feedforward.LABS)
def test_a_move_of_a_slider_brings_new_pixels(name):
    lab, move = feedforward.LABS[name](64)
    seen = []
    for number in (1, 2):
        move(number)
        lab.wait()
        lab.refresh()
        assert lab.image.shape[2:] == (64, 64) and not lab.error
        seen.append(lab.image)
    lab.close()
    assert not torch.equal(*seen)


def test_a_pipeline_is_timed_with_the_same_layer(monkeypatch):
    monkeypatch.setattr(adain, "load", lambda: adain.AdaIN(Encoder("mini"), layer="relu2_1"))
    *times, faster = feedforward.pipeline(32, 1)
    assert [each.name for each in times] == ["mini", "VGG-19"]
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
        memory._measure("stylize", *words[:-1], "nowhere", "-o", str(tmp_path / "out.png"))


def test_a_large_photo_is_measured_with_each_method(monkeypatch):
    asked = []

    def command(*words):
        with Image.open(words[1]) as image:
            asked.append((image.size, words[words.index("--method") + 1], "--full-size" in words))
        return {"imports": 200.0, "peak": 1000.0}

    monkeypatch.setattr(feedforward, "memory_of_command", command)
    found = feedforward.photo(Plan(photo=(80, 60)))
    assert [(each.name, each.value, each.at_most) for each in found] == [(m, 1000, 2048) for m in feedforward.METHODS]
    assert asked == [((80, 60), method, True) for method in feedforward.METHODS]


# --- swap and matting -------------------------------------------------------------------------------------------------


def test_forms_of_a_swap_that_are_compared_agree():
    *times, faster = swap.speed(48, 1)
    assert [each.name for each in times] == list(swap.FORMS) and faster.at_least == 3
    content, style = swap.pair(48)
    made = [form(content, style) for form in swap.FORMS.values()]
    torch.testing.assert_close(*made, rtol=1e-4, atol=1e-4)
    assert torch.equal(made[0], swapped(content, style))


def test_memory_of_a_swap_is_measured_apart(monkeypatch):
    assert 0 <= swap.run_apart(swap._held, "swap", 64) < 100
    held = {"swap": 10.0, "three convolutions": 60.0}
    monkeypatch.setattr(swap, "run_apart", lambda work, form, size: held[form])
    ours, theirs, less = swap.memory(256)
    assert (ours.value, theirs.value, less.value, less.at_least) == (10, 60, 6, 4)


def test_steadiness_is_measured_on_both_clips():
    steady = swap.steadiness(QUICK)
    assert {each.group.split()[-2] for each in steady} == {"panning", "moving"}
    assert all(each.value > 0 for each in steady)


def test_matting_is_measured_on_a_small_pair():
    found = [each for _, measure in matting.groups(replace(QUICK, size=48, large=48)) for each in measure()]
    assert [each.at_most for each in found] == [15, 15, 90]
    assert all(each.value > 0 for each in found)
