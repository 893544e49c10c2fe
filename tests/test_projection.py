"""A teacher of another layout: taps look at the same place, folding keeps the function, a tiny run goes through."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from pictures import Batches, activations, crops, folder_of_crops, randomise
from safetensors.torch import save_file
from torch import nn

from stylelearn.encoders import ARCHITECTURES, MINI, SQUEEZENET, Encoder, vgg_layers
from stylelearn.networks import distillation as mini
from stylelearn.networks.distillation import known_teacher, train_mini
from stylelearn.networks.projection import SQUEEZENET_TAPS, TAPS, VGG_TAPS, ProjectedDistillation, Tap
from stylelearn.training import Crops
from stylelearn.weights import WeightsError, torchvision_model


def test_losses_by_hand(squeezenet: Path) -> None:
    """The last term, from the parts; the teacher's maps are standardised."""
    model, maps = ProjectedDistillation("squeezenet", squeezenet), []
    model.calibrate(Batches(), count=2)
    for number in range(2):
        maps.append(model.teacher(Batches()[number], "fire9")["fire9"])
    rows = torch.cat(maps).transpose(0, 1).flatten(1)
    torch.testing.assert_close(model.mean4.flatten(), rows.mean(dim=1), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(
        model.std4.flatten(), rows.std(dim=1, correction=0).clamp_min(1e-3), rtol=1e-3, atol=1e-6
    )
    sum(model.train()(crops(2)).values()).backward()
    parts = nn.ModuleList([model.student, model.projections])
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in parts.parameters())
    assert all(p.grad is None for p in model.teacher.parameters())
    image = crops(4)
    model.eval()
    with torch.no_grad():
        losses = model(image)
        own = activations(model.student, image)["relu5_1"]
        taught = model.teacher(image, "fire9")["fire9"]
        guess = model.projections[4](SQUEEZENET_TAPS[4].align(own, taught.shape[2:]))
        difference = guess - (taught - model.mean4) / model.std4
        huber = torch.where(difference.abs() < 1, difference.square() / 2, difference.abs() - 0.5).mean()
    assert len(losses) == 5
    assert losses["features relu5_1/fire9"].item() == pytest.approx(huber.item(), rel=1e-4)


def test_known_teachers(squeezenet: Path, tmp_path: Path) -> None:
    assert known_teacher("vgg19") == ("vgg19", None)
    assert known_teacher(squeezenet) == ("squeezenet", squeezenet)
    with pytest.raises(ValueError, match=r"teacher must be 'squeezenet', 'vgg19' or the path of .*, not 'vgg'"):
        known_teacher("vgg")
    save_file({"features.0.weight": torch.zeros(64, 3, 11, 11)}, tmp_path / "alexnet.safetensors")
    with pytest.raises(WeightsError, match=r"alexnet\.safetensors is no checkpoint of vgg19_16x"):
        known_teacher(tmp_path / "alexnet.safetensors")


def tiny(tmp_path: Path, teacher: Path, **options: object) -> dict:
    folder = tmp_path / "photos"
    return {
        "photos": [folder if folder.exists() else folder_of_crops(folder, 12)],
        "out": tmp_path / "out" / "mini.safetensors",
        "teacher": teacher,
        "steps": 3,
        "size": 32,
        "batch": 2,
        "accelerator": "cpu",
    } | options


def test_a_tiny_run_writes_an_encoder(squeezenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mini, "HELD_BACK_BATCHES", 1)
    list(train_mini(**tiny(tmp_path, squeezenet)))
    encoder = Encoder("mini", weights=tmp_path / "out" / "mini.safetensors")
    held_back = Crops(tmp_path / "photos", size=160, batch=16, held_back=True)[0]
    for name, value in encoder(held_back, [n for n in encoder.layers if n.startswith("relu")]).items():
        means = value.mean(dim=(0, 2, 3))
        assert ((means - 1).abs() < 0.02).float().mean() > 0.9, f"{name}: {means}"


def test_what_cannot_be_is_refused_before_the_work(squeezenet: Path, tmp_path: Path) -> None:
    for size in (16, 40):
        with pytest.raises(ValueError, match=f"size must be a multiple of 16 from 32 on, .* it is {size}"):
            next(train_mini(**tiny(tmp_path, "squeezenet", size=size)))
    options = tiny(tmp_path, squeezenet, photos=[folder_of_crops(tmp_path / "nine", 9)])
    with pytest.raises(ValueError, match=r"no readable pictures for the split 'held-back' in .*nine"):
        next(train_mini(**options))
    assert not (tmp_path / "out").exists()


def test_folding_changes_no_layer(squeezenet: Path) -> None:
    model = ProjectedDistillation("squeezenet", squeezenet)
    model.student = randomise(vgg_layers(MINI, batch_norm=True))
    plain = model.plain_student()
    assert not any(name.startswith("norm") for name in plain) and all(p.requires_grad for p in plain.parameters())
    image = crops(2).double()
    before, after = activations(model.student.double(), image), activations(plain.double(), image)
    for name, value in after.items():
        wanted = before[name.replace("conv", "norm")]
        torch.testing.assert_close(value, wanted, rtol=1e-4, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


def centre_of_sight(layers: nn.Sequential, cell: int, size: int = 160) -> tuple[float, int]:
    """Where a cell of the last layer looks: the centre of mass of its gradient on the picture; and the number of cells.

    All weights are 1 and the pools average, so that each pixel counts as often as there are ways from it to the cell.
    """
    image = torch.zeros(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    x = image
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            weight = torch.ones(1, 1, *layer.kernel_size, dtype=torch.float64)
            x = F.conv2d(x, weight, stride=layer.stride, padding=layer.padding)
        elif isinstance(layer, nn.MaxPool2d | nn.AvgPool2d):
            ceil = layer.ceil_mode
            x = F.avg_pool2d(x, layer.kernel_size, layer.stride, layer.padding, ceil_mode=ceil)
        elif type(layer).__name__ == "Fire":
            x = F.conv2d(x, torch.ones(1, 1, 3, 3, dtype=torch.float64), padding=layer.expand3x3.padding)
    x[0, 0, cell, cell].backward()
    mass = image.grad[0, 0].sum(dim=0)
    return float((mass * torch.arange(size)).sum() / mass.sum()), x.shape[-1]


def until(layers: Mapping[str, nn.Module], last: str) -> nn.Sequential:
    names = list(layers)
    return nn.Sequential(*[layers[name] for name in names[: names.index(last) + 1]])


@pytest.mark.parametrize("teacher", TAPS)
def test_taps_look_where_they_say(teacher: str) -> None:
    """Stride and offset of the teacher's cells, and of the student's, found by following what a cell depends on."""
    theirs = dict(zip(SQUEEZENET, torchvision_model("squeezenet").features, strict=True))
    if teacher == "vgg19":
        theirs = dict(vgg_layers(ARCHITECTURES["vgg19"]).items())
    own = vgg_layers(MINI)
    for tap in TAPS[teacher]:
        size = 160 if tap.stride < 16 else 320  # so that the cells in the middle do not see the border
        j = size // 2 // tap.stride
        upto = until(theirs, tap.teacher)
        centre, count = centre_of_sight(upto, j, size)
        following, _ = centre_of_sight(upto, j + 1, size)
        assert centre == pytest.approx(tap.stride * j + tap.offset, abs=1e-6), tap
        assert following - centre == pytest.approx(tap.stride, abs=1e-6), tap
        here, own_count = centre_of_sight(until(own, tap.student), j, size)
        assert here == pytest.approx(tap.stride * j + (tap.stride - 1) / 2, abs=1e-6), tap
        assert centre == pytest.approx(here + tap.stride * tap.shift, abs=1e-6), tap
        assert count + int(tap.shift) + (tap.shift % 1 > 0) <= own_count, f"{tap}: it would read beyond the border"


@pytest.mark.parametrize("tap", [*SQUEEZENET_TAPS, *VGG_TAPS])
def test_align_reads_the_students_map_at_the_teachers_places(tap: Tap) -> None:
    """A map that holds where each of its cells looks must, once aligned, hold where the teacher's cells look."""
    cells = torch.arange(16, dtype=torch.float64)
    place = tap.stride * cells + (tap.stride - 1) / 2
    ramp = torch.stack([place.view(-1, 1).expand(16, 16), place.expand(16, 16)])[None]  # (1, 2, 16, 16): y and x
    aligned = tap.align(ramp, (9, 12))
    assert aligned.shape == (1, 2, 9, 12)
    wanted = tap.stride * torch.arange(12, dtype=torch.float64) + tap.offset
    torch.testing.assert_close(aligned[0, 1], wanted.expand(9, 12))
    torch.testing.assert_close(aligned[0, 0], wanted[:9].view(-1, 1).expand(9, 12))


def test_vgg19_as_a_teacher(tmp_path: Path) -> None:
    torch.manual_seed(0)
    features = nn.Sequential(*vgg_layers(ARCHITECTURES["vgg19"], pool="max").values())
    save_file({f"features.{key}": value for key, value in features.state_dict().items()}, tmp_path / "vgg.safetensors")
    model = ProjectedDistillation("vgg19", tmp_path / "vgg.safetensors")
    model.calibrate(Batches(), count=1)
    losses = model(crops(2, 32))
    assert len(losses) == 5 and all(torch.isfinite(value) for value in losses.values())


def test_the_same_run_in_two_parts(squeezenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mini, "HELD_BACK_BATCHES", 1)
    options = tiny(tmp_path, squeezenet)
    list(train_mini(**options))
    whole = options["out"].read_bytes()
    run = train_mini(**options | {"out": tmp_path / "again.safetensors", "report_every": 1})
    assert next(run).step == 1
    run.close()
    list(train_mini(**options | {"out": tmp_path / "again.safetensors"}))
    assert (tmp_path / "again.safetensors").read_bytes() == whole
