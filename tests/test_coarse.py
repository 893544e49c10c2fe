"""From coarse to fine, by hand: on even pictures each pass is one number."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from stylelearn.networks.coarse import coarse_to_fine


def even(value: float, side: int) -> Tensor:
    return torch.full((1, 3, side, side), value, dtype=torch.float64)


@given(value=st.floats(0, 1), share=st.floats(0, 0.95), side=st.sampled_from([158, 160, 318, 320]))
def test_an_even_picture_by_hand(value: float, share: float, side: int) -> None:
    """A painter that inverts; from 160 pixels on there is one coarser pass, from 320 on there are two."""
    wanted = 1 - value
    for _ in range(side // 160):
        wanted = 1 - (share * wanted + (1 - share) * value)
    made = coarse_to_fine(lambda image: 1 - image, even(value, side), share)
    torch.testing.assert_close(made, even(wanted, side))


def test_small_pictures_come_first_and_odd_sides_lose_nothing() -> None:
    seen = []

    def paint(image: Tensor) -> Tensor:
        seen.append(tuple(image.shape[2:]))
        return image

    assert coarse_to_fine(paint, torch.rand(2, 3, 401, 359)).shape == (2, 3, 401, 359)
    assert seen == [(101, 90), (201, 180), (401, 359)]
    coarse_to_fine(paint, torch.rand(1, 3, 300, 310), 0)  # painted at once
    assert seen[3:] == [(300, 310)]


def test_the_photo_is_not_written_to() -> None:
    photo = torch.rand(1, 3, 160, 170)
    before = photo.clone()
    coarse_to_fine(lambda image: 1 - image, photo)
    assert torch.equal(photo, before)


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_no_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=r"from 0 to below 1; got"):
        coarse_to_fine(lambda image: image, torch.rand(1, 3, 64, 64), share)


def test_the_gradient_goes_through_all_passes() -> None:
    """w (s w v + (1 − s) v) has the derivative 2 s w v + (1 − s) v."""
    w = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    coarse_to_fine(lambda image: w * image, even(0.4, 160), 0.25).mean().backward()
    assert float(w.grad) == pytest.approx(2 * 0.25 * 0.7 * 0.4 + 0.75 * 0.4)
