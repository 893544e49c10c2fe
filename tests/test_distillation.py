"""How `mini` is made: the student can be the teacher, learns to be it, and scaling channels changes no function."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from pictures import Batches, activations, crops, folder_of_crops, normalised, randomise
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from benchmarks.encoder import teacher_view
from stylelearn.encoders import MINI, Encoder, vgg_layers
from stylelearn.networks import distillation
from stylelearn.networks.distillation import (
    TEACHER,
    LayerwiseDistillation,
    OddPictures,
    WhitenedConv,
    compressed_vgg19,
    equalise,
    known_teacher,
    train_mini,
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint in the keys of vgg19_16x; channels beyond the student's width never fire."""
    generator = torch.Generator().manual_seed(1)
    state = {"conv0.weight": torch.randn(3, 3, 1, 1, generator=generator), "conv0.bias": torch.zeros(3)}
    student = iter([width for block in MINI.widths for width in block])
    for name, layer in vgg_layers(TEACHER).items():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            weight = layer.weight.detach()
            weight = weight - weight.mean(dim=(1, 2, 3), keepdim=True)  # then each channel fires somewhere
            bias = torch.zeros(layer.out_channels)
            bias[next(student) :] = -1e3
            state |= {f"{name}.weight": weight, f"{name}.bias": bias}
    state["conv5_1_aux.weight"] = torch.zeros(512, 128, 1, 1)
    path = tmp_path_factory.mktemp("teacher") / "vgg19_16x.safetensors"
    save_file(state, path)
    return path


def test_the_folded_teacher_is_the_teacher(checkpoint: Path) -> None:
    """conv0 on the picture as it is, then the blocks with a reflected border, against the layers that are used."""
    assert known_teacher(checkpoint) == ("vgg19_16x", checkpoint)
    state = load_file(checkpoint)
    image = crops(2)
    x = F.conv2d(image, state["conv0.weight"], state["conv0.bias"])
    found = activations(compressed_vgg19(checkpoint), image)
    for name in found:
        if name.startswith("conv"):
            x = F.conv2d(F.pad(x, (1,) * 4, mode="reflect"), state[f"{name}.weight"], state[f"{name}.bias"])
            torch.testing.assert_close(found[name], x, rtol=1e-3, atol=1e-3)
        else:
            x = F.max_pool2d(x, 2) if name.startswith("pool") else x.relu()


def test_a_whitened_convolution_is_a_convolution() -> None:
    torch.manual_seed(0)
    layer = WhitenedConv(2, 3).double()
    x = torch.randn(2, 2, 5, 6, dtype=torch.float64)
    rows = F.unfold(F.pad(x, (1,) * 4, mode="reflect"), 3).transpose(1, 2).reshape(-1, 18)  # every neighbourhood
    covariance = torch.cov(rows.T, correction=0)
    layer.whiten(rows.mean(0), covariance)
    ridge = distillation.RIDGE * covariance.diagonal().mean() * torch.eye(18, dtype=torch.float64)
    lower = torch.linalg.cholesky(covariance + ridge)
    white = torch.linalg.solve(lower, (rows - rows.mean(0)).T)  # L⁻¹ (x − m)
    wanted = (layer.weight @ white + layer.bias.view(-1, 1)).view(3, 2, 5, 6).transpose(0, 1)
    torch.testing.assert_close(layer(x), wanted)


def test_a_student_with_the_teachers_numbers_has_no_error(checkpoint: Path) -> None:
    """The kept channels suffice: those that never fire tell the next layer nothing."""
    model = LayerwiseDistillation(checkpoint)
    model.calibrate(Batches(), count=4)
    inputs = torch.arange(3)
    for name, layer in model.student.items():
        kept = model.get_buffer(f"kept_{name}")
        assert len(set(kept.tolist())) == layer.outputs
        weight = model.teacher[name].weight[kept][:, inputs].flatten(1)
        with torch.no_grad():
            layer.weight.copy_(weight @ torch.linalg.inv(layer.whitening))
            layer.bias.copy_(model.teacher[name].bias[kept] + weight @ layer.mean)
        inputs = kept
    image = crops(2, seed=9)
    losses = model(image)
    assert list(losses) == [name for name in model.teacher if name.startswith("conv")]
    assert all(value < 1e-4 for value in losses.values()), losses
    own, taught = activations(model.plain_student(), image), activations(model.teacher, image)
    for name in model.student:
        torch.testing.assert_close(own[name], taught[name][:, model.get_buffer(f"kept_{name}")], rtol=1e-2, atol=0.1)


def test_each_layer_learns_from_its_own_error_alone(checkpoint: Path) -> None:
    model = LayerwiseDistillation(checkpoint)
    model.calibrate(Batches(), count=4)
    losses = model(crops(2))
    losses["conv3_2"].backward()
    moved = {name for name, layer in model.student.items() if layer.weight.grad is not None}
    assert moved == {"conv3_2"} and all(p.grad is None for p in model.teacher.parameters())


def test_odd_pictures_leave_seven_of_ten_as_they_are() -> None:
    class Ten:
        def __getitem__(self, number: int) -> Tensor:
            return crops(10, 32, seed=number)

    batches = OddPictures(Ten(), seed=3)
    for number in (4, 5):
        before, after = Ten()[number], batches[number]
        assert torch.equal(after, batches[number]) and after.min() >= 0 and after.max() <= 1
        assert torch.equal(after[3:], before[3:])
        assert all(not torch.equal(a, b) for a, b in zip(after[:3], before[:3], strict=True))
    correlation = torch.corrcoef(torch.stack([batches[5][1].flatten(), Ten()[5][1].flatten()]))[0, 1]
    assert abs(correlation) < 0.1  # in every fifth batch nothing is left of one


def test_a_short_run_makes_an_encoder(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distillation, "HELD_BACK_BATCHES", 1)
    monkeypatch.setattr(distillation, "RIDGE", 1.0)  # so few pictures hardly vary
    photos, out = folder_of_crops(tmp_path / "photos", 12), tmp_path / "mini.safetensors"
    options = {"size": 32, "batch": 4, "accelerator": "cpu", "report_every": 20}
    reports = list(train_mini([photos], out=out, teacher=checkpoint, steps=60, **options))
    assert reports[-1].losses["conv1_1"] < 0.8 * reports[0].losses["conv1_1"]
    Encoder("mini", weights=out)  # can be loaded


def test_equalising_makes_means_one_and_changes_no_function() -> None:
    plain = randomise(vgg_layers(MINI))
    with torch.no_grad():
        plain["conv2_1"].bias[3] = -1e4  # never fires, and stays as it is
    images = [crops(3, 64, seed=1), crops(1, 32, seed=2)]  # batches of different sizes: each position counts the same
    before = [activations(plain.double(), image.double()) for image in images]
    equalise(plain.float(), images)
    after = [activations(plain.double(), image.double()) for image in images]
    for name in (name for name in before[0] if name.startswith("relu")):
        old, new = (  # (C, positions)
            torch.cat([found[name].transpose(0, 1).flatten(1) for found in sides], dim=1) for sides in (before, after)
        )
        mean = old.mean(dim=1, keepdim=True)
        fires = mean[:, 0] > 1e-3
        assert fires.float().mean() > 0.5
        torch.testing.assert_close(new[fires] * mean[fires], old[fires], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(new[~fires], old[~fires], rtol=1e-4, atol=1e-5)


def test_the_teacher_as_a_perfect_student_would_see_it(checkpoint: Path, tmp_path: Path) -> None:
    """The teacher itself, cut to the student's widths and with channels of another scale, sees the same."""
    images = [crops(4, 64, seed=i) for i in range(3)]
    untrained = tmp_path / "untrained.safetensors"
    save_file(randomise(vgg_layers(MINI)).state_dict(), untrained)
    teacher, student = compressed_vgg19(checkpoint), Encoder("mini", weights=untrained)
    firing = distillation._firing(teacher, [normalised(image) for image in images])
    kept = {name: which.tolist() for name, which in firing.items()}
    inputs, before = torch.arange(3), torch.ones(3)
    for name, layer in student._layers.items():
        if isinstance(layer, nn.Conv2d):
            scale = torch.linspace(0.5, 2, layer.out_channels)
            weight = teacher[name].weight[kept[name]][:, inputs]
            layer.weight.data = weight * scale.view(-1, 1, 1, 1) / before.view(1, -1, 1, 1)
            layer.bias.data = teacher[name].bias[kept[name]] * scale
            inputs, before = kept[name], scale
    found, seen = teacher_view(checkpoint, student, kept, images)(images[0]), student(images[0], student.layers)
    for name, value in found.items():
        torch.testing.assert_close(value, seen[name], rtol=1e-2, atol=1e-2)


def test_silent_channels_stay() -> None:
    plain = randomise(vgg_layers(MINI))
    with torch.no_grad():
        plain["conv2_1"].bias[3] = -1e4  # never fires
    equalise(plain, [crops(2)])
    assert plain["conv2_1"].bias[3] == -1e4
    assert all(torch.isfinite(p).all() for p in plain.parameters())
