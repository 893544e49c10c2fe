"""The mirrored decoder: shapes, what it is made of, and what it refuses."""

import pytest
import torch
from torch import Tensor, nn

from stylelearn.networks.decoders import AXES, PaintingDecoder, mirrored_decoder


@pytest.mark.parametrize(
    ("layer", "turns"),
    [
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


def test_other_encoders() -> None:
    with torch.device("meta"):
        decoder = mirrored_decoder("relu4_1", encoder="vgg19")
        assert decoder(torch.empty(1, 512, 4, 5)).shape == (1, 3, 32, 40)
    with pytest.raises(ValueError, match="there is no decoder for 'squeezenet'; there are mini, random, vgg19, vgg16"):
        mirrored_decoder("relu1_1", encoder="squeezenet")
    with pytest.raises(ValueError, match="there is no decoder from 'conv3_1'; the layers are, in order, relu1_1, "):
        mirrored_decoder("conv3_1")


def test_the_painting_decoder_sees_all_of_t_and_gives_eight_pixels_a_cell() -> None:
    decoder = PaintingDecoder(20, 10, widths=(4, 4, 8), blocks=2).eval()
    features = torch.rand(1, 20 + 4 * 10 + 48 + AXES, 4, 5).requires_grad_()
    made = decoder(features)
    assert made.shape == (1, 3, 32, 40)
    gradient = torch.autograd.grad(made.square().sum(), features)[0].abs().sum(dim=(0, 2, 3))
    assert (gradient > 0).all()


def laid_out(deep: Tensor, near: Tensor, small: Tensor, code: Tensor) -> Tensor:
    """t, as the docstring says; code: (1, AXES, 1, 1) or of all cells."""
    fold = torch.nn.functional.pixel_unshuffle
    return torch.cat([deep, fold(near, 2), fold(fold(small, 2), 2), code.expand(-1, -1, *deep.shape[2:])], dim=1)


def test_only_the_pattern_of_t_counts_and_the_code() -> None:
    decoder = PaintingDecoder(20, 10, widths=(4, 4, 8), blocks=2).eval()
    count, t = 20 + 4 * 10 + 48, torch.rand(1, 20 + 4 * 10 + 48 + AXES, 6, 7)
    t[:, count:] = t[:, count:, :1, :1]
    moved = t.clone()
    moved[:, :count] = 3 * moved[:, :count] + torch.rand(1, count, 1, 1)
    torch.testing.assert_close(decoder(moved), decoder(t), atol=1e-3, rtol=0)
    moved[:, count:] += 1
    assert (decoder(moved) - decoder(t)).abs().max() > 1e-3


def test_a_code_for_each_place_is_painted_there() -> None:
    """Two codes, left and right: far from the border each half is what its code alone would give there."""
    decoder = PaintingDecoder(20, 10, widths=(4, 4, 8), blocks=2).eval()
    maps = torch.rand(1, 20, 4, 24), torch.rand(1, 10, 8, 48), torch.rand(1, 3, 16, 96)
    same, codes = torch.zeros(1, AXES, 1, 1), torch.zeros(1, AXES, 4, 24)
    codes[..., 12:] = 0.02  # a small difference: norms look at the whole picture
    found, left, right = (decoder(laid_out(*maps, code)) for code in (codes, same, same + 0.02))
    for half, other, here in ((left, right, slice(0, 64)), (right, left, slice(128, 192))):
        assert (found - half)[..., here].abs().mean() < 0.7 * (found - other)[..., here].abs().mean()


def test_the_code_is_made_of_logarithms_of_moments() -> None:
    decoder = PaintingDecoder(2, 1, widths=(4, 4, 8), blocks=2)
    deep, near, small = torch.rand(2, 2, 6, 5), torch.rand(2, 1, 12, 10), torch.rand(2, 3, 24, 20)
    found = decoder.numbers(laid_out(deep, near, small, torch.zeros(2, 0, 1, 1)))
    means, spreads = [], []
    for image in range(2):
        for kind, function in ((means, lambda x: x.mean()), (spreads, lambda x: x.std(correction=0))):
            rows = [function(deep[image, c]) for c in range(2)]
            rows += [torch.stack([function(near[image, 0, i::2, j::2]) for i in (0, 1) for j in (0, 1)]).mean()]
            places = [(i, j) for i in range(4) for j in range(4)]
            rows += [torch.stack([function(small[image, c, i::4, j::4]) for i, j in places]).mean() for c in range(3)]
            kind.append(torch.stack(rows))
    expected = (torch.cat([torch.stack(means), torch.stack(spreads)], dim=1) + 0.01).log()
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    plain = laid_out(deep, near, small, torch.zeros(2, 0, 1, 1))
    code = decoder.conditioner.along(expected)[:, :, None, None]
    torch.testing.assert_close(decoder.with_code(plain), laid_out(deep, near, small, code), atol=1e-4, rtol=1e-4)
