"""The mask painter: brush, fill and undo held against plain loops, and what the browser's messages make of it."""

import io
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from stylelearn.lab.widgets.canvas import ANY_COLOUR, SMALLEST_BRUSH, fill, stroke
from stylelearn.lab.widgets.mask_editor import INKS, KEPT, SIDE, MaskPainter, Pane
from stylelearn.segmentation import MAX_LABELS, Masks

places = st.tuples(st.floats(-5, 20), st.floats(-5, 20))


def distances(points: list[tuple[float, float]]) -> np.ndarray:
    """From each pixel's centre to a line: to the nearest of very many places on it, (9, 13)."""
    y, x = np.mgrid[:9, :13] + 0.5
    share = np.linspace(0, 1, 800)
    found = np.full((9, 13), np.inf)
    for start, end in zip(points, points[1:] or points, strict=False):
        on_it = np.outer(1 - share, start) + np.outer(share, end)  # (800, 2)
        each = np.hypot(x[..., None] - on_it[:, 0], y[..., None] - on_it[:, 1])
        found = np.minimum(found, each.min(axis=2))
    return found


@given(st.lists(places, min_size=1, max_size=4), st.floats(0, 6))
def test_a_stroke_is_what_is_near_the_line(points, radius):
    labels = stroke(np.zeros((9, 13), dtype=np.uint8), points, 3, radius)
    inside = distances(points) - max(radius, SMALLEST_BRUSH)
    sure = abs(inside) > 0.03
    assert np.array_equal((labels == 3)[sure], (inside < 0)[sure])
    for x, y in points:
        if 0 <= x < 13 and 0 <= y < 9:
            assert labels[int(y), int(x)] == 3  # also by the finest brush


def flooded(labels: np.ndarray, row: int, column: int, alike: np.ndarray) -> np.ndarray:
    """What hangs together by edges, one pixel after the other."""
    found, waiting = np.zeros(labels.shape, dtype=bool), [(row, column)]
    while waiting:
        r, c = waiting.pop()
        if 0 <= r < labels.shape[0] and 0 <= c < labels.shape[1] and alike[r, c] and not found[r, c]:
            found[r, c] = True
            waiting += [(r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)]
    return found


@given(st.integers(0, 2**32 - 1), st.integers(0, 6), st.integers(0, 8), st.sampled_from([0.1, 0.4, ANY_COLOUR]))
def test_a_fill_is_what_hangs_together_and_is_alike(seed, row, column, tolerance):
    rng = np.random.default_rng(seed)
    labels, picture = rng.integers(0, 2, (7, 9)), rng.random((7, 9, 3)) * 0.6
    filled = fill(labels, picture, column + 0.3, row + 0.9, 5, tolerance)
    alike = labels == labels[row, column]
    for r in range(7):
        for c in range(9):
            alike[r, c] &= max(abs(picture[r, c] - picture[row, column])) <= tolerance
    assert np.array_equal(filled == 5, flooded(labels, row, column, alike))
    assert np.array_equal(filled[filled != 5], labels[filled != 5])


def test_a_fill_stays_inside_its_region_and_the_picture():
    picture = np.zeros((3, 3, 3))
    divided = stroke(np.zeros((3, 3), dtype=np.uint8), [(1.5, -1), (1.5, 4)], 1, 0.8)  # by the middle column
    assert fill(divided, picture, 0.5, 0.5, 2, 0.1).tolist() == [[2, 1, 0]] * 3
    assert divided.tolist() == [[0, 1, 0]] * 3  # what was given stays
    assert fill(divided, picture, -0.1, 1, 7) is fill(divided, picture, 1, 3.0, 7) is divided


def pair() -> tuple[Masks, Masks]:
    left = torch.zeros(30, 60, dtype=torch.long)
    left[:, 30:] = 1
    upper = torch.zeros(40, 40, dtype=torch.long)
    upper[20:] = 1
    return Masks(left, ("sky", "sea"), INKS[:2]), Masks(upper, ("sky", "sand"), INKS[:2])


@pytest.fixture
def painter() -> MaskPainter:
    return MaskPainter(torch.rand(1, 3, 60, 120), torch.rand(1, 3, 400, 400), pair())


def shown(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture)


def send(one: Pane, **message: Any) -> None:
    one._handle_custom_msg(message, [])


def test_it_shows_both_pictures_and_their_regions(painter: MaskPainter):
    assert painter.names == ["sky", "sea", "sand"]
    for one, height in ((painter.content, SIDE // 2), (painter.style, SIDE)):
        assert (one.rows, one.columns) == (height, SIDE)
        assert shown(one.picture).shape == (height, SIDE, 3)
        assert shown(one.regions).shape == (height, SIDE, 4)
    assert painter.content.words == "content with its regions: sky 50%, sea 50%"
    veil = shown(painter.content.regions)
    assert tuple(veil[2, 2, :3]) == INKS[0] and tuple(veil[2, -2, :3]) == INKS[1]
    letters = veil[..., :3]
    for x in (SIDE // 4, 3 * SIDE // 4):  # the names stand in the middle of their regions
        middle = letters[SIDE // 4 - 8 : SIDE // 4 + 8, x - 20 : x + 20].reshape(-1, 3)
        assert (middle == 255).all(1).any() and (middle == 0).all(1).any()
    for found, put_in in zip(painter.masks, pair(), strict=True):  # what comes out is what went in
        assert found.names == put_in.names
        assert torch.equal(found.resized(put_in.size).labels, put_in.labels)


def test_the_pointers_messages_paint(painter: MaskPainter):
    painter.region.value = "sand"
    painter.brush.value = 5
    send(painter.content, points=[[10, 10], [50, 10]])
    assert painter.painted == 1
    labels = painter.content.labels
    assert labels[10, 30] == 2 and labels[16, 30] == 0
    painter.tool.value = "fill"
    assert painter.content.tool == painter.style.tool == "fill"
    send(painter.style, points=[[200, 10], [201, 11]])
    assert painter.masks[1].shares() == {"sand": 1.0}
    assert painter.masks[0].names == ("sky", "sea", "sand")
    send(painter.style, something="else")
    assert painter.painted == 2


def test_undo_takes_back_whatever_was_last(painter: MaskPainter):
    before = [one.shares() for one in painter.masks]
    painter.region.value = "sand"
    send(painter.content, points=[[10, 10]])
    after_one = [one.shares() for one in painter.masks]
    send(painter.style, points=[[10, 10]])
    painter.clear_button.click()
    assert [one.shares() for one in painter.masks] == [{"sand": 1.0}] * 2
    painter.undo_button.click()
    painter.undo_button.click()
    assert [one.shares() for one in painter.masks] == after_one
    painter.undo_button.click()
    painter.undo_button.click()  # nothing left: no error
    assert [one.shares() for one in painter.masks] == before
    assert painter.painted == 6
    for _ in range(KEPT + 5):  # not for ever
        painter.clear()
    for _ in range(KEPT + 5):
        painter.undo()
    assert painter.painted == 6 + KEPT + 5 + KEPT


def test_regions_can_be_added_until_there_are_enough(painter: MaskPainter):
    painter.new.value = "tower"
    assert painter.names[-1] == painter.region.value == "tower"
    assert painter.content.label == 3 and painter.content.ink == "#{:02x}{:02x}{:02x}".format(*INKS[3])
    assert painter.new.value == ""
    painter.new.value = "sea"  # is there: chosen, and not added
    assert painter.region.value == "sea" and len(painter.names) == 4
    for number in range(MAX_LABELS):
        painter.new.value = f"region {number}"
    assert len(painter.names) == MAX_LABELS
    assert "no more are possible" in painter._message.value
    painter.region.value = "sky"
    send(painter.content, points=[[1, 1]])
    with pytest.raises(ValueError, match="needs a name"):
        painter.add("  ")


def test_other_pictures_forget_what_was_painted(painter: MaskPainter):
    send(painter.content, points=[[10, 10]])
    painter.show(torch.rand(1, 3, 80, 40), torch.rand(1, 3, 40, 80))
    assert (painter.content.rows, painter.content.columns) == (SIDE, SIDE // 2)
    assert painter.names == ["everything"] and list(painter.region.options) == ["everything"]
    painter.undo()
    assert painter.masks[0].shares() == {"everything": 1.0}


def test_too_many_names_are_refused():
    names = [tuple(f"{kind} {number}" for number in range(MAX_LABELS)) for kind in "ab"]
    masks = [Masks(torch.zeros(4, 4, dtype=torch.long), each, INKS) for each in names]
    with pytest.raises(ValueError, match="24 names together"):
        MaskPainter(torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8), tuple(masks))


def test_a_fill_by_colour_stops_at_an_edge():
    image = torch.zeros(1, 3, 30, 30)
    image[..., 15:] = 1
    painter = MaskPainter(image, image)
    painter.new.value = "bright"
    painter.similar.value, painter.tool.value = 0.1, "fill"
    send(painter.content, points=[[SIDE - 5, 5]])
    assert painter.masks[0].shares()["bright"] == pytest.approx(0.5, abs=0.02)
