"""Taps look where they say, in teacher and student."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from stylelearn.encoders import ARCHITECTURES, vgg_layers
from stylelearn.networks.taps import SQUEEZENET_TAPS, TAPS, VGG_TAPS, Tap
from stylelearn.weights import import_torchvision, torchvision_model

WIDTHS, REPEATS, _ = ARCHITECTURES["mini"]


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


@pytest.mark.parametrize("teacher", TAPS)
def test_taps_look_where_they_say(teacher: str) -> None:
    """Stride and offset of the teacher's cells, and of the student's, found by following what a cell depends on."""
    if teacher == "squeezenet":
        features = torchvision_model("squeezenet").features
    else:
        vgg = import_torchvision().models.vgg
        with torch.device("meta"):
            features = vgg.make_layers(vgg.cfgs["E"], batch_norm=False)
    own = vgg_layers(WIDTHS, REPEATS)
    names = list(own)
    for tap in TAPS[teacher]:
        size = 160 if tap.stride < 16 else 320  # so that the cells in the middle do not see the border
        j = size // 2 // tap.stride
        upto = features[: tap.teacher + 1]
        centre, count = centre_of_sight(upto, j, size)
        following, _ = centre_of_sight(upto, j + 1, size)
        assert centre == pytest.approx(tap.stride * j + tap.offset, abs=1e-6), tap
        assert following - centre == pytest.approx(tap.stride, abs=1e-6), tap
        mine = nn.Sequential(*[own[name] for name in names[: names.index(tap.student) + 1]])
        here, own_count = centre_of_sight(mine, j, size)
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


@pytest.mark.parametrize("size", [32, 48, 64, 128])
def test_every_size_that_is_allowed_fits(size: int) -> None:
    features = torchvision_model("squeezenet").features
    x, found = torch.zeros(1, 3, size, size), {}
    for number, layer in enumerate(features):
        x = found[number] = layer(x)
    for tap in SQUEEZENET_TAPS:
        own = torch.zeros(1, 1, size // tap.stride, size // tap.stride)
        assert tap.align(own, found[tap.teacher].shape[2:]).shape[2:] == found[tap.teacher].shape[2:]
        assert found[tap.teacher].shape[1] == tap.channels
