"""The benchmarks: right where the right answer is known, finite where it is not. Nothing here looks at a clock."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from benchmarks import feedforward, gatys, matting, memory, swap
from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.measuring import QUICK, Measurement, Plan, table
from stylelearn import losses
from stylelearn.encoders import Encoder


@pytest.fixture(scope="module")
def vgg():
    return gatys.random_vgg19()


# --- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "value", "met", "promised"),
    [
        ({"at_least": 10}, 9.9, False, "≥ 10"),
        ({"at_most": 5}, 5, True, "≤ 5"),
        ({"at_most": 5}, None, None, "≤ 5"),
        ({"at_most": 5}, math.nan, False, "≤ 5"),
        ({"at_most": 0.1, "unit": "s"}, 0.049, True, "≤ 100 ms"),
        ({"at_most": 0.4, "unit": "s"}, 3.2, False, "≤ 0.4 s"),
        ({}, 1.0, None, ""),
    ],
)
def test_a_promise_is_kept_or_not(asked, value, met, promised):
    found = Measurement("name", value, **asked)
    assert found.met is met and found.promised == promised


def test_the_table_has_a_line_for_each_measurement():
    found = [("speed", Measurement("faster by", 12.0, "×", at_least=10, note="median of 5"))]
    found += [("speed", Measurement("slower by", 9.0, "×", at_least=10)), ("style", Measurement("mini", None))]
    assert [" ".join(line.split()) for line in table(found)] == [
        *("measured promised", "speed", "faster by 12 × ≥ 10 × met median of 5", "slower by 9 × ≥ 10 × MISSED"),
        *("style", "mini —"),
    ]
    assert not {"met", "MISSED"} & set(" ".join(table(found, judged=False)).split())


# --- the command ------------------------------------------------------------------------------------------------------


def a_thing(plan):
    yield Measurement(f"size {plan.size}", 1.0, at_least=2)


def test_what_was_measured_before_an_interruption_is_shown(monkeypatch, capsys):
    def interrupted(plan):
        yield from a_thing(plan)
        raise KeyboardInterrupt

    monkeypatch.setitem(BENCHMARKS, "gatys", {"one": interrupted, "another": a_thing})
    assert main(["gatys"]) == 130
    out = capsys.readouterr().out
    assert out.count("size 256 ") == 2 and "figures so far" in out  # among the settings, and in the table


def test_what_cannot_be_measured_says_why_and_the_others_go_on(monkeypatch, capsys):
    def fails(plan):
        yield from a_thing(plan)
        raise RuntimeError("No module named 'resource'")

    monkeypatch.setitem(BENCHMARKS, "gatys", {"memory": fails, "a thing": a_thing})
    assert main(["gatys"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()[-5:]]
    first, why = "size 256 1 ≥ 2 MISSED", "not measured — No module named 'resource'"
    assert lines == ["memory", first, why, "a thing", first]


def test_all_benchmarks_run_with_one_plan(monkeypatch, tmp_path, capsys):
    for name in BENCHMARKS:
        monkeypatch.setitem(BENCHMARKS, name, {"a thing": a_thing})
    assert main(["--quick", "--pairs-count", "7", "--pairs", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.count("  size 64 ") == len(BENCHMARKS) and "MISSED" not in out
    assert "pairs 7 · many 7" in out and str(tmp_path) not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["speed"], "no benchmark speed; there are encoder, gatys"),
        (["--judge", "/nowhere"], "there is no '/nowhere'"),
        (["feedforward", "--pairs", "."], "no pictures in 'content'"),
    ],
)
def test_wrong_requests_are_refused(arguments, said, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(BENCHMARKS, "feedforward", {"rebuilt": feedforward.rebuilt})
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
    steps = [*gatys.steps(replace(QUICK, size=32, rounds=1))]
    assert len(steps) == 7 and all(math.isfinite(each.value) for each in steps)
    monkeypatch.setattr(gatys, "run_apart", lambda work, way, size: {"bare": 400.0, "ours": 440.0}[way])
    assert [each.value for each in gatys.memory(QUICK)] == [400, 440, pytest.approx(10)]


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


@pytest.mark.parametrize("name", feedforward.LABS)
def test_a_move_of_a_slider_brings_new_pixels(name):
    kind, control = feedforward.LABS[name]
    lab = kind(size=64)
    seen = []
    for number in (1, 2):
        feedforward.moved(lab, control(lab), number)
        seen.append(lab.image)
    lab.close()
    assert not torch.equal(*seen)


def test_passes_of_adain_are_timed():
    assert [each.name for each in feedforward.passes(replace(QUICK, size=48, large=64, rounds=1))] == [
        f"{way}, {size} px" for size in (48, 64) for way in ("one pass", "from coarse to fine")
    ]


def test_photos_given_back_are_compared_with_themselves(monkeypatch):
    """With an inverse that is exact but for a constant error of 0.1, PSNR is 20 dB (10 log10 1/0.01)."""
    near = SimpleNamespace(encode=lambda image: image * 0.5, decode=lambda features, size: features * 2 + 0.1)
    monkeypatch.setattr(feedforward.adain, "load", lambda: near)
    monkeypatch.setattr(feedforward.style_swap, "load", lambda: near)
    found = [*feedforward.rebuilt(replace(QUICK, size=32, pairs=2))]
    assert [each.name for each in found] == ["AdaIN, mean", "AdaIN, lowest", "style swap, mean", "style swap, lowest"]
    assert all(each.value == pytest.approx(20, abs=1e-3) for each in found)


def test_a_large_photo_is_measured_with_each_method(monkeypatch):
    """With words that the command understands; apart from this process only once."""
    asked = []

    def measured(*words):
        with Image.open(words[1]) as image:
            asked.append((image.size, words[words.index("--method") + 1], "--full-size" in words))
        return (memory._measure if asked[1:] else memory.memory_of_command)(*words)

    monkeypatch.setattr(feedforward, "memory_of_command", measured)
    found = list(feedforward.photo(Plan(photo=(80, 64))))
    assert 50 < found[0].value < 4000 and [each.at_most for each in found] == [2048] * 3
    assert asked == [((80, 64), method, True) for method in feedforward.METHODS]
    with pytest.raises(RuntimeError, match=r"'nowhere\.png' does not exist"):
        memory._measure("stylize", "nowhere.png", "mosaic", "-o", "out.png")


# --- swap and matting -------------------------------------------------------------------------------------------------


def test_a_swap_is_timed_beside_three_convolutions():
    found = [*swap.speed(replace(QUICK, size=48, large=64))]
    assert [each.at_least for each in found] == [None, None, 3] * 2


def test_memory_of_a_swap_is_measured_apart(monkeypatch):
    assert 0 <= swap.run_apart(swap._held, "swap", 64) < 100
    held = {"swap": 10.0, "three convolutions": 60.0}
    monkeypatch.setattr(swap, "run_apart", lambda work, form, size: held[form])
    found = [*swap.memory(Plan())]
    assert [(each.value, each.at_least) for each in found] == [(10, None), (60, None), (6, 4)] * 2


def test_steadiness_is_measured_on_both_clips():
    steady = [*swap.steadiness(QUICK)]
    assert {each.name.split()[0] for each in steady} == {"panning", "moving"}
    assert all(each.value > 0 for each in steady)


def test_matting_is_measured_on_a_small_pair():
    found = [each for measure in matting.GROUPS.values() for each in measure(replace(QUICK, size=48, large=48))]
    assert [each.at_most for each in found] == [15, 15, 90]
    assert all(each.value > 0 for each in found)
