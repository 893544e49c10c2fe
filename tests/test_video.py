"""Clips whose motion is known, flicker against closed forms, frames that are kept, and files of pictures that move."""

import itertools
import struct
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from pictures import picture
from PIL import Image
from torch import Tensor

from stylelearn import samples
from stylelearn.images import ImageError, psnr, read_image, resize, write_image
from stylelearn.video import (
    Clip,
    check_film,
    consistency,
    digest,
    holds_sound,
    keep_frames,
    moving_clip,
    panning_clip,
    sound_of,
    timed_frames,
    write_film,
)


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


def test_what_does_not_fit_the_clip_is_refused() -> None:
    clip = panning_clip(picture(20, 30), 3, size=(10, 12), step=(0, 2))
    with pytest.raises(ValueError, match=r"the clip is \(3, 3, 10, 12\), but what was painted \(2, 3, 10, 12\)"):
        consistency(clip.frames[:2], clip)
    far = panning_clip(picture(20, 40), 2, size=(10, 12), step=(0, 20))
    with pytest.raises(ValueError, match="let it move less"):
        consistency(far.frames, far)


# --- painting ---------------------------------------------------------------------------------------------------------


def test_frames_are_kept_by_what_is_in_them(tmp_path: Path) -> None:
    """Of an interrupted film, what is there already is not painted again; another frame or setting is another file."""
    painted: list[Tensor] = []

    def paint(frame: Tensor) -> Tensor:
        painted.append(frame)
        return 1 - frame

    frames, keep = [picture(9, 8, seed=seed) for seed in range(4)], tmp_path / "new" / "frames"
    run = keep_frames(frames, paint, keep, "patch 3")
    next(run), next(run)
    run.close()  # interrupted
    assert len([*keep.iterdir()]) == 2
    paths = [*keep_frames(frames, paint, keep, "patch 3")]
    assert len(painted) == 4 and len({*paths}) == 4
    assert all(psnr(read_image(path), 1 - frame) > 45 for path, frame in zip(paths, frames, strict=True))
    assert not {*keep_frames(frames, paint, keep, "patch 5")} & {*paths} and len(painted) == 8
    changed = [frames[0], frames[1] * 0.9, frames[2], frames[0]]
    others = [*keep_frames(changed, paint, keep, "patch 3")]
    assert others[0] == others[3] == paths[0] and others[2] == paths[2] and others[1] not in paths
    assert len(painted) == 9


def test_a_digest_knows_content_shape_and_order() -> None:
    image = picture(4, 6)
    parts = [(image,), (image.reshape(1, 3, 6, 4),), (1 - image,), (image, "a"), ("a", image), ("a", "b"), ("ab", "")]
    assert len({digest(*each) for each in parts}) == len(parts)
    assert digest(image.clone(), "a") == digest(image, "a")


# --- files ------------------------------------------------------------------------------------------------------------


def read_frames(path: Path, size: int | None = None) -> Iterator[Tensor]:
    return (frame for frame, _ in timed_frames(path, size))


def still_frames(count: int = 3, size: tuple[int, int] = (24, 33)) -> list[Tensor]:
    photo = samples.content("coffee", 40)
    return list(panning_clip(photo, count, size=size, step=(0, 3)).frames.split(1))


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_pictures_that_move(tmp_path: Path, suffix: str) -> None:
    frames = still_frames()
    path = write_film(iter(frames), tmp_path / f"film{suffix}", [Fraction(1, 10)] * 3)
    with Image.open(path) as film:
        assert film.n_frames == 3 and film.info["loop"] == 0
        film.seek(1)
        film.load()
        assert film.info["duration"] == 100
    back = list(read_frames(path))
    assert all(psnr(one, other) > 25 for one, other in zip(back, frames, strict=True))
    assert [*tmp_path.iterdir()] == [path]
    assert next(read_frames(path, 12)).shape == (1, 3, 12, 17)


@pytest.mark.parametrize(
    ("suffix", "given", "shown"),
    [
        (".gif", [Fraction(1, 2), Fraction(1, 10), 2], [Fraction(1, 2), Fraction(1, 10), 2]),
        (".webp", [Fraction(1, 2), Fraction(1, 10), 2], [Fraction(1, 2), Fraction(1, 10), 2]),
        # 30 a second in hundredths: what is rounded up is made good by the next, so that three take a tenth
        (".gif", [Fraction(1, 30)] * 6, [Fraction(n, 100) for n in (3, 4, 3, 3, 4, 3)]),
        # 100 a second are too fast for browsers: every other frame
        (".gif", [Fraction(1, 100)] * 6, [Fraction(1, 50)] * 3),
    ],
)
def test_the_speed_and_the_length_are_kept(suffix: str, given: list[Any], shown: list[Any], tmp_path: Path) -> None:
    frames = [torch.full((1, 3, 8, 8), n / len(given)) for n in range(len(given))]
    path = write_film(frames, tmp_path / f"film{suffix}", given)
    found = [seconds for _, seconds in timed_frames(path)]
    assert found == shown and sum(found) == sum(given)


def test_a_still_picture_has_no_speed_and_a_hasty_one_that_of_browsers(tmp_path: Path) -> None:
    assert [seconds for _, seconds in timed_frames(write_image(picture(8, 9), tmp_path / "a.png"))] == [None]
    two = [Image.new("L", (4, 4), level) for level in (0, 255)]
    two[0].save(tmp_path / "a.gif", save_all=True, append_images=two[1:], duration=10)
    assert [seconds for _, seconds in timed_frames(tmp_path / "a.gif")] == [Fraction(1, 10)] * 2


def film_of(path: Path, times: list[int], unit: Fraction, *, sound: bool = False, size: tuple[int, int] = (64, 48)):
    """A film whose frames begin at `times` (in units), its left third white; the sound is a second of silence."""
    av = pytest.importorskip("av", reason="needs PyAV, which only films need")
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=10)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = unit
        track = film.add_stream("aac", rate=44100) if sound else None
        pixels = np.zeros((size[1], size[0], 3), np.uint8)
        pixels[:, : size[0] // 3] = 255
        for time in times:
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = time, unit
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
        if track:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
            silence.sample_rate = 44100
            film.mux(track.encode(silence))
            film.mux(track.encode())
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mkv", ".webm", ".avi"])
def test_films(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("av", reason="needs PyAV, which only films need")
    frames = still_frames(size=(32, 33))
    path = write_film(iter(frames), tmp_path / f"film{suffix}", [Fraction(2, 25)] * 3)
    back = list(timed_frames(path))
    assert len(back) == 3 and back[0][0].shape == (1, 3, 32, 32)  # an even width
    assert all(psnr(one, other[..., :32]) > 28 for (one, _), other in zip(back, frames, strict=True))
    assert [float(seconds) for _, seconds in back] == pytest.approx([0.08] * 3, abs=1e-3)
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("fps", [29.97, 23.976, 0.5, 60])
def test_films_of_any_speed(fps: float, tmp_path: Path) -> None:
    pytest.importorskip("av", reason="needs PyAV, which only films need")
    path = write_film(still_frames(), tmp_path / "film.mp4", [1 / Fraction(fps).limit_denominator(1001)] * 3)
    assert [float(seconds) for _, seconds in timed_frames(path)] == pytest.approx([1 / fps] * 3, rel=1e-3)


def test_a_film_of_variable_rate_and_its_sound(tmp_path: Path) -> None:
    clip = film_of(tmp_path / "clip.mp4", [0, 100, 2000], Fraction(1, 1000), sound=True)
    times = [seconds for _, seconds in timed_frames(clip)]
    assert [float(seconds) for seconds in times[:2]] == pytest.approx([0.1, 1.9])
    assert sound_of(clip) == "aac" and sound_of(tmp_path) is None
    out = write_film(still_frames(), tmp_path / "out.mp4", [*times[:2], Fraction(3, 4)], clip)
    assert sound_of(out) == "aac"
    assert [float(seconds) for _, seconds in timed_frames(out)][:2] == pytest.approx([0.1, 1.9], abs=1e-3)
    import av

    with av.open(str(out)) as film:
        assert float(film.streams.video[0].duration * film.streams.video[0].time_base) == pytest.approx(2.75, abs=1e-2)
        assert float(film.streams.audio[0].duration * film.streams.audio[0].time_base) == pytest.approx(1, abs=0.05)
    assert not holds_sound("x.gif", "aac") and not holds_sound("x.webm", "aac") and holds_sound("x.webm", "opus")


@pytest.mark.parametrize(
    ("matrix", "white"),
    [  # a, b, c, d of the display matrix, and where the left third of what is stored is then seen
        ((1, 0, 0, 1), "left"),
        ((0, 1, -1, 0), "top"),  # a quarter clockwise: a phone held upright
        ((-1, 0, 0, -1), "right"),
        ((0, -1, 1, 0), "bottom"),
        ((-1, 0, 0, 1), "right"),  # a mirror
    ],
)
def test_films_are_turned_upright(matrix: tuple[int, ...], white: str, tmp_path: Path) -> None:
    clip = film_of(tmp_path / "clip.mp4", [0, 1], Fraction(1, 10))
    data = bytearray(clip.read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8  # ISO/IEC 14496-12, 8.3.2: a, b, u, c, d, v, x, y, w
    a, b, c, d = (value * 0x10000 for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    clip.write_bytes(data)
    frame = next(read_frames(clip))[0].mean(dim=0)
    assert frame.shape == ((64, 48) if white in ("top", "bottom") else (48, 64))
    sides = {"left": frame[:, :12], "right": frame[:, -12:], "top": frame[:12], "bottom": frame[-12:]}
    assert float(sides[white].mean()) > 0.9 and float(frame.mean()) < 0.4


def test_what_is_no_film(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="needs PyAV, which only films need")
    (tmp_path / "no.mp4").write_bytes(b"nothing")
    for read in (lambda path: next(read_frames(path)), sound_of):
        with pytest.raises(ImageError, match="cannot be read as a film"):
            read(tmp_path / "no.mp4")


def test_a_folder_of_pictures_in_the_order_of_their_names(tmp_path: Path) -> None:
    names = ["a.png", "frame_1.jpg", "frame_2.png", "Frame_9.png", "frame_10.png", "frame_10b.png", "frame_100.png"]
    for i in (3, 6, 0, 5, 2, 4, 1):
        write_image(torch.full((1, 3, 8, 8), i / 10), tmp_path / names[i])
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "._frame_1.png").write_bytes(b"\0\5\x16\7")  # macOS
    assert [round(10 * float(frame.mean())) for frame in read_frames(tmp_path)] == [*range(7)]


def test_frames_of_unlike_size_are_refused_before_the_first_is_painted(tmp_path: Path) -> None:
    for name, size in (("1.png", (8, 6)), ("2.png", (8, 6)), ("10.png", (6, 8))):
        write_image(torch.zeros(1, 3, *size), tmp_path / name)
    with pytest.raises(ImageError, match=r"10\.png' has 8 × 6 pixels, but the first frame, '1\.png', 6 × 8"):
        next(read_frames(tmp_path))
    exif = Image.Exif()
    exif[0x0112] = 6  # upright it is as the others
    Image.new("RGB", (8, 6)).save(tmp_path / "10.png", exif=exif)
    assert [frame.shape for frame in read_frames(tmp_path)] == [(1, 3, 8, 6)] * 3
    for suffix in (".gif", ".webp"):
        with pytest.raises(ImageError, match="frame 2 has 6 × 8 pixels, but the first 8 × 6"):
            write_film(
                [torch.zeros(1, 3, 6, 8), torch.zeros(1, 3, 8, 6)], tmp_path / f"film{suffix}", [Fraction(1)] * 2
            )


def test_frames_are_guarded_as_pictures_are(tmp_path: Path) -> None:
    bomb = b"GIF89a" + struct.pack("<HH", 30000, 30000) + b"\x80\0\0" + bytes(6)
    bomb += b"\x2c" + struct.pack("<HHHH", 0, 0, 30000, 30000) + b"\0\2\2\x44\1\0;"
    (tmp_path / "bomb.gif").write_bytes(bomb)
    with pytest.raises(ImageError, match=r"900\.0 million pixels, more than the limit"):
        next(read_frames(tmp_path / "bomb.gif"))
    (tmp_path / "x.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\nshowpage\n")
    with pytest.raises(ImageError, match="drawing for printers"):
        next(read_frames(tmp_path / "x.eps"))


@pytest.mark.parametrize("fps", [0, 101, float("nan")])
def test_impossible_speeds_are_refused(fps: float, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="fps must be above 0"):
        check_film(tmp_path / "x.gif", fps)


def test_what_cannot_be_written_is_said_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("x.jpg", "x.mpg"):
        with pytest.raises(ValueError, match=r"ends in '\..pg'; choose \.gif"):
            check_film(tmp_path / name)
    (tmp_path / "clip.gif").touch()
    with pytest.raises(ValueError, match="read as input and would be overwritten"):
        check_film(tmp_path / "clip.gif", inputs=["mosaic", tmp_path / "clip.gif"])
    with pytest.raises(ImageError, match="no frames"):
        write_film([], tmp_path / "x.gif", [])
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

    (tmp_path / "x.part.gif").write_bytes(b"mine")
    with pytest.raises(RuntimeError, match="ill"):
        write_film(frames(), tmp_path / "x.gif", [Fraction(1, 12)])
    assert [path.name for path in tmp_path.iterdir()] == ["x.part.gif"]


def test_what_is_no_clip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="holds no pictures"):
        next(read_frames(tmp_path))
    with pytest.raises(ImageError, match="there is no"):
        next(read_frames(tmp_path / "none"))
    (tmp_path / "x.gif").write_bytes(b"nothing")
    with pytest.raises(ImageError, match="is not a picture"):
        next(read_frames(tmp_path / "x.gif"))
    photo = write_image(picture(8, 9), tmp_path / "one.png")
    assert torch.equal(next(read_frames(photo)), read_image(photo))  # one frame
