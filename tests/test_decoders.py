"""The mirrored decoder: shapes, what it is made of, and what it refuses."""

import pytest
import torch
from torch import nn

from stylelearn.networks.decoders import SkipDecoder, mirrored_decoder


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


@pytest.mark.parametrize("layer", ["relu6_1", "conv3_1", "pool2", ""])
def test_no_decoder_from_anything_else(layer: str) -> None:
    with pytest.raises(ValueError, match=f"there is no decoder from '{layer}'; the layers are, in order, relu1_1, "):
        mirrored_decoder(layer)


def test_other_encoders() -> None:
    with torch.device("meta"):
        decoder = mirrored_decoder("relu4_1", encoder="vgg19")
        assert decoder(torch.empty(1, 512, 4, 5)).shape == (1, 3, 32, 40)
    with pytest.raises(ValueError, match="there is no decoder for 'squeezenet'; there are mini, random, vgg19, vgg16"):
        mirrored_decoder("relu1_1", encoder="squeezenet")


def test_a_skip_decoder_paints_at_the_pictures_size_from_both_layers() -> None:
    decoder = SkipDecoder(5, 3, fold=2, step=8, width=8, blocks=2)
    assert decoder.noise == 1 + 4
    features = torch.rand(1, 5 + 4 * 3 + 1 + 4, 4, 5).requires_grad_()
    made = decoder(features)
    assert made.shape == (1, 3, 32, 40)
    gradient = torch.autograd.grad(made.square().sum(), features)[0].abs().sum(dim=(0, 2, 3))
    assert (gradient > 0).all()
    # 3 × 3 convolutions, by hand: two deep ones, the joining one, two a block, and down to the colours; with noise, 1
    turns = [(5 + 1, 8), (8, 8), (8 + 3 + 1, 8), *[(8, 8)] * 4, (8, 4), (4, 4), (4, 2), (2, 3)]
    assert sum(p.numel() for p in decoder.parameters()) == sum(9 * a * b + b for a, b in turns)


def test_a_skip_keeps_the_places_of_the_shallower_layer() -> None:
    """One changed position of the shallower layer changes the picture around its place, and nowhere far away."""
    decoder = SkipDecoder(5, 3, fold=2, step=8, width=8, blocks=1).eval()
    near, deep, noise = torch.zeros(1, 3, 24, 24), torch.zeros(1, 5, 12, 12), torch.zeros(1, 5, 12, 12)
    with torch.no_grad():
        pictures = []
        for value in (0.0, 5.0):
            near[0, :, 17, 6] = value
            pictures.append(decoder(torch.cat([deep, torch.nn.functional.pixel_unshuffle(near, 2), noise], dim=1)))
    changed = (pictures[0] != pictures[1]).any(dim=1)[0].nonzero().float()
    assert len(changed)
    assert (changed - torch.tensor([17 * 4 + 1.5, 6 * 4 + 1.5])).abs().max() < 4 * 6
