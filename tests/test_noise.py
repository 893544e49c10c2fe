"""Noise beside the picture: any rows equal those of the whole; independent, normal, smooth between its values."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylelearn.networks.noise import SCALES, Noise, beside
from stylelearn.networks.transformation import TransformationNet


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 70), width=st.integers(1, 40), data=st.data())
def test_any_rows_are_those_of_the_whole(height: int, width: int, data: st.DataObject) -> None:
    noise = Noise(SCALES, height, width, seed=3)
    whole = noise.rows()
    assert whole.shape == (1, len(SCALES), height, width)
    first = data.draw(st.integers(0, height - 1))
    last = data.draw(st.integers(first + 1, height))
    torch.testing.assert_close(noise.rows(first, last), whole[:, :, first:last], rtol=0, atol=1e-6)


def test_values_lie_on_the_straight_line_between_those_of_the_lattice() -> None:
    noise = Noise((4,), 64, 8)
    lattice = noise.lattices[0].float()[0, 0, :, 0]  # one value in 4 rows; at the left edge columns do not matter
    row = noise.rows()[0, 0, :, 0]
    for y in range(2, 62):
        place = (y + 0.5) / 4 - 0.5
        below, share = int(place), place - int(place)
        expected = (1 - share) * lattice[below] + share * lattice[below + 1]
        assert row[y].item() == pytest.approx(expected.item(), abs=1e-5)


def test_training_sees_another_noise_for_each_image_and_the_same_for_the_same_image() -> None:
    images = torch.rand(3, 3, 20, 24, generator=torch.Generator().manual_seed(0))
    found = beside(images, SCALES, vary=True)
    assert found.shape == (3, len(SCALES), 20, 24)
    assert not torch.equal(found[0], found[1])
    torch.testing.assert_close(beside(images[1:2], SCALES, vary=True)[0], found[1], rtol=0, atol=0)
    same = beside(images, SCALES, vary=False)
    assert torch.equal(same[0], same[2])
    assert torch.equal(same, beside(1 - images, SCALES, vary=False))


def test_an_even_picture_is_painted_evenly_without_noise_only() -> None:
    torch.manual_seed(0)
    grey = torch.full((1, 3, 64, 64), 0.5)
    with torch.no_grad():
        plain, noisy = (TransformationNet((4, 6, 8), 1, noise=scales).eval()(grey) for scales in ((), SCALES))
    assert plain.std(dim=(2, 3)).max() < 1e-4
    assert noisy.std(dim=(2, 3)).max() > 0.01
