"""The mirrored decoder: shapes, what it is made of, and what it refuses."""

import pytest
import torch
from torch import nn

from stylelearn.networks.decoders import mirrored_decoder


@pytest.mark.parametrize(
    ("layer", "turns"),
    [
        ("relu1_1", [(16, 3)]),
        ("relu3_1", [(59, 32), (32, 27), (27, 16), (16, 16), (16, 3)]),
        ("relu4_1", [(77, 36), (36, 33), (33, 43), (43, 59), (59, 32), (32, 27), (27, 16), (16, 16), (16, 3)]),
    ],
)
def test_mirrored_decoder(layer: str, turns: list[tuple[int, int]]) -> None:
    decoder = mirrored_decoder(layer)
    pools = int(layer[4]) - 1
    assert decoder(torch.rand(2, turns[0][0], 5, 7)).shape == (2, 3, 5 * 2**pools, 7 * 2**pools)
    assert sum(p.numel() for p in decoder.parameters()) == sum(9 * a * b + b for a, b in turns)
    assert isinstance(decoder[-1], nn.Conv2d)  # colours may be dark: no ReLU at the end
    assert sum(isinstance(part, nn.ReLU) for part in decoder) == len(turns) - 1
    assert {part.padding_mode for part in decoder if isinstance(part, nn.Conv2d)} == {"reflect"}
    assert not any("Norm" in type(part).__name__ for part in decoder)


def test_two_decoders_make_a_longer_one() -> None:
    parts = [*mirrored_decoder("relu4_1", until="relu3_1"), *mirrored_decoder("relu3_1")]
    whole = mirrored_decoder("relu4_1")
    assert [type(part) for part in parts] == [type(part) for part in whole]
    assert [p.shape for part in parts for p in part.parameters()] == [p.shape for p in whole.parameters()]
    assert mirrored_decoder("relu4_1", until="relu3_1")(torch.rand(1, 77, 4, 4)).shape == (1, 59, 8, 8)


@pytest.mark.parametrize("layer", ["relu6_1", "conv3_1", "pool2", ""])
def test_no_decoder_from_anything_else(layer: str) -> None:
    with pytest.raises(ValueError, match=f"there is no decoder from '{layer}'; the layers are, in order, relu1_1, "):
        mirrored_decoder(layer)
    with pytest.raises(ValueError, match=f"there is no decoder from 'relu3_1' to '{layer}'; the layers are"):
        mirrored_decoder("relu3_1", until=layer)


def test_no_decoder_deeper() -> None:
    with pytest.raises(ValueError, match="there is no decoder from 'relu3_1' to 'relu3_1'"):
        mirrored_decoder("relu3_1", until="relu3_1")


def test_other_encoders() -> None:
    with torch.device("meta"):
        decoder = mirrored_decoder("relu4_1", encoder="vgg19")
        assert decoder(torch.empty(1, 512, 4, 5)).shape == (1, 3, 32, 40)
    with pytest.raises(ValueError, match="there is no decoder for 'squeezenet'; there are mini, random, vgg19, vgg16"):
        mirrored_decoder("relu1_1", encoder="squeezenet")
