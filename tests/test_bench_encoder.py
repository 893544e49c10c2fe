"""The encoder's benchmark: R² and losses against a teacher on closed forms, and that the rest runs."""

import math

import pytest
import torch
from torch import Tensor

from benchmarks import encoder
from benchmarks.encoder import Teacher
from benchmarks.measuring import QUICK, Plan
from benchmarks.pictures import Pair, pairs
from stylelearn import losses
from stylelearn.encoders import CONTENT_LAYER, STYLE_LAYERS, Encoder
from stylelearn.weights import WeightsError

LAYERS = [*STYLE_LAYERS, CONTENT_LAYER]


def picture(seed: int = 0, size: int = 16) -> Tensor:
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(seed))


def test_r2_of_noise_of_known_variance_is_that_of_the_formula():
    """1 − Σ(s − t)²/Σ(t − t̄)² over all images at once, in NumPy."""
    images = [picture(seed, size) for seed, size in ((0, 16), (1, 24), (2, 8))]
    noisy = {id(image): image + 0.3 * torch.randn(image.shape) for image in images}
    t = torch.cat([image.flatten(2) for image in images], dim=2)[0].double().numpy()
    s = torch.cat([noisy[id(image)].flatten(2) for image in images], dim=2)[0].double().numpy()
    expected = 1 - ((s - t) ** 2).sum() / ((t - t.mean(axis=1, keepdims=True)) ** 2).sum()
    student, teacher = Teacher(lambda image: {"x": noisy[id(image)]}), Teacher(lambda image: {"x": image})
    found = encoder.fidelity(student, teacher, ["x"], images)
    assert found["x"] == pytest.approx(expected, rel=1e-6)


def test_losses_beside_those_of_others_are_ratios():
    """Two pairs; the loss of ours over theirs in every layer, by hand: scale does not matter, so all layers agree."""
    chosen = [Pair(("p", "p"), picture(0), picture(1)), Pair(("q", "q"), picture(2), picture(3))]
    ours, theirs = [picture(4), picture(5)], [picture(6), picture(7)]
    plain = Teacher(lambda image: {layer: (number + 1) * image for number, layer in enumerate(LAYERS)})
    found = encoder.beside(ours, theirs, chosen, plain)

    def loss(image, pair):
        return float(losses.style_loss(image, losses.mean_gram(pair.style)))

    expected = math.prod(loss(a, p) / loss(b, p) for a, b, p in zip(ours, theirs, chosen, strict=True)) ** 0.5
    assert found["style"] == pytest.approx(dict.fromkeys([*STYLE_LAYERS, "mean", "worst"], expected), rel=1e-4)
    far = [float((a - p.content).square().sum() / (b - p.content).square().sum())
           for a, b, p in zip(ours, theirs, chosen, strict=True)]  # fmt: skip
    assert found["content"][CONTENT_LAYER] == pytest.approx(math.prod(far) ** 0.5, rel=1e-4)


def test_the_worst_layer_is_the_largest_ratio():
    apart = Teacher(lambda image: {layer: image if layer == "relu3_1" else torch.ones_like(image) for layer in LAYERS})
    found = encoder.beside([picture(4)], [picture(1)], [Pair(("p", "p"), picture(0), picture(1))], apart)
    assert found["style"]["worst"] == found["style"]["relu3_1"] > 1e6  # theirs is the painting itself
    assert found["style"]["relu1_1"] == 1


def test_all_of_it_against_the_encoder_itself(mini):
    """As its own teacher: R² is 1 and every ratio is 1."""
    found = [*encoder.against(mini, mini, Plan(size=32, pairs=2, steps=3))]
    assert len(found) == 4 * 13 + (5 + 2) + (1 + 2)  # convolutions of four sets; layers, mean and worst of both losses
    assert all(each.value == pytest.approx(1, rel=1e-4) for each in found)


def test_the_four_sets():
    chosen = list(pairs(Plan(size=32), 2))
    found = encoder.image_sets(chosen, Encoder("random"), steps=2)
    assert list(found) == ["photos", "paintings", "half-way pastiches", "noise"]
    for images in found.values():
        assert [image.shape for image in images] == [(1, 3, 32, 32)] * 2
        assert all(0 <= image.min() and image.max() <= 1 for image in images)
    assert not torch.equal(*found["noise"])


def test_style_with_a_judge(squeezenet):
    found = {each.name: each.value for each in encoder.style(Plan(size=64, steps=2, pairs=1, judge=squeezenet))}
    assert found["mini / photo"] == pytest.approx(found["mini"] / found["the photo as it is"])


def test_the_groups_run_and_say_what_is_missing():
    values = {each.name: each.value for each in [*encoder.speed(QUICK), *encoder.inversions(QUICK)]}
    assert values["mini is faster by"] > 1
    assert all(5 < values[f"PSNR, relu{i}_1"] < 60 for i in range(1, 6))
    missing = (encoder.style, "--judge FILE, a squeezenet1_0"), (encoder.against_file, "--teacher FILE, a checkpoint")
    for measure, wanted in missing:
        with pytest.raises(WeightsError, match=f"give {wanted}"):
            [*measure(QUICK)]
