"""Clips whose motion is known, flicker against closed forms, frames that are kept, and files of pictures that move."""

import itertools
import sys
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from PIL import Image
from torch import Tensor

from stylelearn import samples
from stylelearn.images import ImageError, psnr, read_image, resize, write_image
from stylelearn.video import (
    Clip,
    check_film,
    consistency,
    moving_clip,
    paint_frames,
    panning_clip,
    read_frames,
    write_film,
)


def picture(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def by_a_loop(made: Tensor, clip: Clip) -> tuple[float, int]:
    """Mean change of what is known, and of how many pixels it was taken."""
    found = []
    frames, _, height, width = made.shape
    for t in range(frames - 1):
        for y in range(height):
            for x in range(width):
                if clip.known[t, y, x]:
                    v, u = y + int(clip.motion[t, 0, y, x]), x + int(clip.motion[t, 1, y, x])
                    assert 0 <= v < height and 0 <= u < width
                    found.append(float((made[t + 1, :, y, x] - made[t, :, v, u]).abs().mean()))
    return 255 * float(np.mean(found)), len(found)


# --- clips ------------------------------------------------------------------------------------------------------------

STEPS = st.tuples(st.integers(-5, 5), st.integers(-5, 5))


@settings(max_examples=20)
@given(STEPS, st.integers(2, 4))
def test_panning(step: tuple[int, int], frames: int) -> None:
    """Each frame is a window of the photo, `step` further; undoing the motion gives the frame before, exactly."""
    photo = picture(30, 34)
    clip = panning_clip(photo, frames, size=(12, 16), step=step)
    assert clip.frames.shape == (frames, 3, 12, 16)
    windows = {
        tuple(photo[0, :, y : y + 12, x : x + 16].flatten()[:40].tolist()): (y, x) for y in range(19) for x in range(19)
    }
    places = [windows[tuple(frame.flatten()[:40].tolist())] for frame in clip.frames]
    assert [(b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise(places)] == [step] * (frames - 1)
    assert by_a_loop(clip.frames, clip) == (0.0, (frames - 1) * (12 - abs(step[0])) * (16 - abs(step[1])))
    assert consistency(clip.frames, clip) == 0


def test_a_disc_travels_across_a_picture_that_stands_still() -> None:
    clip = moving_clip(picture(40, 60), picture(30, 30, seed=1), 4, size=(32, 48), step=5)
    assert clip.frames.shape == (4, 3, 32, 48)
    assert by_a_loop(clip.frames, clip)[0] == 0
    assert consistency(clip.frames, clip) == 0
    still = resize(picture(40, 60), (32, 48), "box")[0]
    covered = [(frame != still).any(dim=0) for frame in clip.frames]
    for before, after, known, motion in zip(covered, covered[1:], clip.known, clip.motion, strict=False):
        assert torch.equal(after[:, 5:], before[:, :-5])  # the disc, five pixels to the right
        assert torch.equal(~known, before & ~after)  # what it uncovers was not to be seen
        assert torch.equal(motion[1] == -5, after) and not motion[0].any()
    assert 0.7 * 16**2 < int(covered[0].sum()) < 0.85 * 16**2  # π/4 of the square around it


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: panning_clip(picture(20, 20), 1), "at least 2 frames; got 1"),
        (lambda: moving_clip(picture(20, 20), picture(9, 9), 1), "at least 2 frames; got 1"),
        (
            lambda: panning_clip(picture(20, 30), 4, size=(16, 16), step=(2, -5)),
            r"4 frames of 16x16 moving by \(2, -5\) need a photo of 22x31; this is 20x30: take fewer frames",
        ),
        (lambda: moving_clip(picture(20, 20), picture(9, 9), 9, size=(20, 20), step=4), "a disc of 10 px that moves"),
        (lambda: moving_clip(picture(20, 20), picture(9, 9), 2, size=(20, 20), step=-1), "from 0 up"),
    ],
)
def test_clips_that_lead_out_of_the_picture_are_refused(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


# --- flicker ----------------------------------------------------------------------------------------------------------


def test_consistency_by_a_loop() -> None:
    for clip in (
        panning_clip(picture(20, 30), 3, size=(10, 12), step=(2, -3)),
        moving_clip(picture(12, 16), picture(9, 9, seed=1), 3, size=(12, 16), step=2),
    ):
        made = torch.rand(clip.frames.shape)
        assert consistency(made, clip) == pytest.approx(by_a_loop(made, clip)[0], rel=1e-5)


def test_noise_of_one_level_is_one_level() -> None:
    """Frames that become one level of 255 brighter each, whatever moves."""
    clip = moving_clip(picture(12, 16), picture(9, 9, seed=1), 4, size=(12, 16), step=2)
    brighter = torch.arange(4).view(4, 1, 1, 1) / 255
    assert consistency(clip.frames + brighter, clip) == pytest.approx(1, rel=1e-4)
    shifted = clip.frames.roll(1, dims=3)  # painted with everything a pixel further: steady but for the border
    assert consistency(shifted, clip) < consistency(torch.rand(clip.frames.shape), clip)


def test_what_does_not_fit_the_clip_is_refused() -> None:
    clip = panning_clip(picture(20, 30), 3, size=(10, 12), step=(0, 2))
    with pytest.raises(ValueError, match=r"the clip is \(3, 3, 10, 12\), but what was painted \(2, 3, 10, 12\)"):
        consistency(clip.frames[:2], clip)
    far = panning_clip(picture(20, 40), 2, size=(10, 12), step=(0, 20))
    with pytest.raises(ValueError, match="let it move less"):
        consistency(far.frames, far)


# --- painting ---------------------------------------------------------------------------------------------------------


def test_frames_are_painted_one_by_one() -> None:
    asked: list[int] = []

    def frames() -> Any:
        for number in range(5):
            asked.append(number)
            yield torch.full((1, 3, 4, 4), number / 10)

    painting = paint_frames(frames(), lambda frame: frame + 0.5)
    assert float(next(painting).mean()) == pytest.approx(0.5)
    assert asked == [0]
    assert [round(float(frame.mean()), 2) for frame in painting] == [0.6, 0.7, 0.8, 0.9]


def test_what_is_kept_is_not_painted_again(tmp_path: Path) -> None:
    painted: list[Tensor] = []

    def paint(frame: Tensor) -> Tensor:
        painted.append(frame)
        return 1 - frame

    frames, keep = list(picture(9, 8, seed=3).expand(4, -1, -1, -1).split(1)), tmp_path / "new" / "frames"
    run = paint_frames(frames, paint, keep=keep, settings={"patch": 3})
    next(run), next(run)
    run.close()  # interrupted
    assert [path.name for path in sorted(keep.iterdir())] == ["00000.png", "00001.png"]
    made = list(paint_frames(frames, paint, keep=keep, settings={"patch": 3}))
    assert len(painted) == 4 and len(made) == 4
    assert all(psnr(frame, 1 - frames[0]) > 45 for frame in made)
    list(paint_frames(frames, paint, keep=keep, settings={"patch": 5}))  # painted in another way: all anew
    assert len(painted) == 8


# --- files ------------------------------------------------------------------------------------------------------------


def still_frames(count: int = 3, size: tuple[int, int] = (24, 33)) -> list[Tensor]:
    photo = samples.content("coffee", 40)
    return list(panning_clip(photo, count, size=size, step=(0, 3)).frames.split(1))


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_pictures_that_move(tmp_path: Path, suffix: str) -> None:
    frames = still_frames()
    path = write_film(iter(frames), tmp_path / f"film{suffix}", fps=10)
    with Image.open(path) as film:
        assert film.n_frames == 3 and film.info["loop"] == 0
        film.seek(1)
        film.load()
        assert film.info["duration"] == 100
    back = list(read_frames(path))
    assert all(psnr(one, other) > 25 for one, other in zip(back, frames, strict=True))
    assert [*tmp_path.iterdir()] == [path]
    assert next(read_frames(path, 12)).shape == (1, 3, 12, 17)


def test_films(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="needs PyAV, which only films need")
    frames = still_frames(size=(32, 33))
    path = write_film(iter(frames), tmp_path / "film.mp4", fps=12.5)
    back = list(read_frames(path))
    assert len(back) == 3 and back[0].shape == (1, 3, 32, 32)  # an even width
    assert all(psnr(one, other[..., :32]) > 28 for one, other in zip(back, frames, strict=True))
    (tmp_path / "no.mp4").write_bytes(b"nothing")
    with pytest.raises(ImageError, match="cannot be read as a film"):
        list(read_frames(tmp_path / "no.mp4"))


def test_a_folder_of_pictures_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, value in (("b.png", 0.5), ("a.jpg", 0.0), ("c.png", 1.0)):
        write_image(torch.full((1, 3, 8, 8), value), tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    assert [round(float(frame.mean()), 1) for frame in read_frames(tmp_path)] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("fps", [0, -1, 101, float("nan")])
def test_impossible_speeds_are_refused(fps: float, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="fps must be above 0"):
        write_film(still_frames(), tmp_path / "x.gif", fps=fps)


def test_what_cannot_be_written_is_said_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImageError, match=r"ends in '\.jpg'; choose \.gif"):
        check_film(tmp_path / "x.jpg")
    with pytest.raises(ImageError, match="does not exist; create it first"):
        check_film(tmp_path / "none" / "x.gif")
    with pytest.raises(ImageError, match="no frames"):
        write_film([], tmp_path / "x.gif")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImageError, match=r"'x.mp4' needs PyAV.*pip install 'stylelearn\[video\]'`, or use .gif"):
        check_film(tmp_path / "x.mp4")
    (tmp_path / "y.mp4").write_bytes(b"")
    with pytest.raises(ImageError, match="needs PyAV"):
        next(read_frames(tmp_path / "y.mp4"))


def test_a_film_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    def frames() -> Any:
        yield still_frames()[0]
        raise RuntimeError("the painter fell ill")

    with pytest.raises(RuntimeError, match="ill"):
        write_film(frames(), tmp_path / "x.gif")
    assert not [*tmp_path.iterdir()]


def test_what_is_no_clip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="holds no pictures"):
        next(read_frames(tmp_path))
    with pytest.raises(ImageError, match="there is no"):
        next(read_frames(tmp_path / "none"))
    (tmp_path / "x.gif").write_bytes(b"nothing")
    with pytest.raises(ImageError, match="is no picture that moves"):
        next(read_frames(tmp_path / "x.gif"))
    photo = write_image(picture(8, 9), tmp_path / "one.png")
    assert torch.equal(next(read_frames(photo)), read_image(photo))  # one frame
