"""Band by band is the whole: no seam, whatever the sizes, and the statistics of all bands together."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from stylelearn.adain import AdaIN
from stylelearn.cin import StyleNet
from stylelearn.encoders import Encoder
from stylelearn.networks import tiling
from stylelearn.networks.tiling import bands, in_bands, mean_and_variance_in_bands
from stylelearn.networks.transformation import TransformationNet


def local(scale: str) -> nn.Module:
    """Something that looks two rows up and down, and keeps, halves or doubles the size."""
    torch.manual_seed(0)
    conv = nn.Conv2d(2, 3, 5, padding=2, padding_mode="reflect", stride=2 if scale == "half" else 1)
    return nn.Sequential(nn.Upsample(scale_factor=2), conv) if scale == "double" else conv


@settings(deadline=None, max_examples=40)
@given(st.integers(6, 40), st.integers(1, 12), st.sampled_from(["same", "half", "double"]))
def test_bands_are_parts_of_the_whole(half: int, rows: int, scale: str) -> None:
    x, f = torch.rand(2, 2, 2 * half, 7), local(scale)
    with torch.no_grad():
        whole = f(x)
        pieces = list(bands(f, x, margin=4, rows=2 * rows))
        assert len(pieces) == -(-2 * half // (2 * rows))
        torch.testing.assert_close(torch.cat(pieces, dim=2), whole, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(in_bands(f, x, margin=4, rows=2 * rows), whole, rtol=1e-5, atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 30), st.integers(1, 35), st.floats(-1e3, 1e3))
def test_moments_of_all_bands(height: int, rows: int, level: float) -> None:
    x = torch.randn(2, 3, height, 5, dtype=torch.float64) + level
    mean, variance = mean_and_variance_in_bands(lambda band: band, x, margin=0, rows=rows)
    for b in range(2):
        for c in range(3):
            values = x[b, c].flatten().numpy()
            assert mean[b, c].item() == pytest.approx(values.mean(), rel=1e-12, abs=1e-12)
            assert variance[b, c].item() == pytest.approx(values.var(), rel=1e-9, abs=1e-12)


@pytest.fixture
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "ROWS", 16)
    for f in (bands, in_bands, mean_and_variance_in_bands):
        monkeypatch.setattr(f, "__defaults__", (16, None))


@pytest.mark.parametrize("ends", ["light", "paper"])
@pytest.mark.parametrize(
    "form", [{"noise": (1, 4, 16)}, {"norm": "batch"}, {"upsampling": "transposed"}], ids=lambda form: next(iter(form))
)
@pytest.mark.usefixtures("small_is_large")
def test_johnson_in_bands(ends: str, form: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    network = TransformationNet((4, 6, 8), 2, ends=ends, **form).eval()
    image = torch.rand(1, 3, 90, 61)
    with torch.no_grad():
        whole = network(image)
        monkeypatch.setattr(tiling, "LARGE", 1000)
        torch.testing.assert_close(network(image), whole, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("small_is_large")
def test_many_styles_in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    network = StyleNet(["a", "b"], (4, 6, 8), 2).eval()
    for norm in network.norms():
        nn.init.uniform_(norm.gamma, 0.5, 2.0)
        nn.init.uniform_(norm.beta, -1.0, 1.0)
    image, mix = torch.rand(1, 3, 75, 50), network.mix({"a": 1, "b": 3})
    with torch.no_grad():
        whole = network(image, mix)
        monkeypatch.setattr(tiling, "LARGE", 1000)
        torch.testing.assert_close(network(image, mix), whole, rtol=1e-4, atol=1e-5)
        with pytest.raises(ValueError, match="too large for masks, which take up to 1,000"):
            network(image, network.mix({"a": torch.ones(5, 5)}))


@pytest.mark.parametrize(("layer", "beside"), [("relu3_1", None), ("relu4_1", None), ("relu4_1", "relu3_1")])
def test_adain_in_bands(layer: str, beside: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    network = AdaIN(Encoder("mini"), layer=layer, beside=beside).eval()
    image, style = torch.rand(1, 3, 397, 50), torch.rand(1, 3, 40, 40)
    with torch.no_grad():
        whole = network(image, style)
        monkeypatch.setattr(tiling, "LARGE", 10000)
        torch.testing.assert_close(network(image, style), whole, rtol=1e-3, atol=1e-4)
