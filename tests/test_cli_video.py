"""`stylelearn video`: every frame painted, what is kept after Ctrl-C, speed, and every mistake."""

import argparse
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from test_cli import refused
from torch import Tensor

from stylelearn import samples, style_swap
from stylelearn.cli import main
from stylelearn.cli import video as video_command
from stylelearn.encoders import Encoder
from stylelearn.video import panning_clip, timed_frames, write_film
from stylelearn.weights import write_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained inverse network, small and quick: from relu2_1."""
    path = tmp_path_factory.mktemp("weights") / "own.safetensors"
    torch.manual_seed(1)
    decoder = style_swap.StyleSwap(Encoder("mini"), layer="relu2_1").decoder
    write_weights(path, decoder.state_dict(), {"encoder": "mini", "layer": "relu2_1", "upsampling": "nearest"})
    return path


def read_frames(path: Path, size: int | None = None) -> list[Tensor]:
    return [frame for frame, _ in timed_frames(path, size)]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    frames = panning_clip(samples.content("coffee", 40), 4, size=(32, 36), step=(0, 3)).frames
    return write_film(frames.split(1), tmp_path / "clip.gif", [Fraction(1, 12)] * 4)


def words_for(clip: Path | str, out: Path, weights: Path, *more: object) -> list[str]:
    return [str(word) for word in ("video", clip, "mosaic", "-o", out, "--weights", weights, "--size", 32, *more)]


def test_every_frame_is_painted(clip: Path, weights: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out.gif"
    assert main(words_for(clip, out, weights, "--patch", 2, "--strength", 0.5, "--fps", 10)) == 0
    network, style = style_swap.load(weights), samples.style("mosaic", 32)
    expected = [network(frame, style, patch=2, strength=0.5) for frame in read_frames(clip, 32)]
    reference = write_film(expected, tmp_path / "reference.gif", [Fraction(1, 10)] * 4)
    for one, other in zip(read_frames(out), read_frames(reference), strict=True):
        assert (one - other).abs().mean() < 2 / 255  # two palettes of 256 colours
    with Image.open(out) as film:
        assert film.n_frames == 4 and film.info["duration"] == 100
    assert not (tmp_path / "out.gif.frames").exists()
    assert f"{out}: 4 frames" in capsys.readouterr().out


def test_a_photo_is_panned_over(weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.webp"
    assert main(words_for("coffee", out, weights, "--pan", 3)) == 0
    wide = samples.content("coffee", 32).shape[3]
    assert [frame.shape for frame in read_frames(out)] == [(1, 3, 32, wide - 8)] * 3


def test_painted_frames_are_kept_after_ctrl_c(
    clip: Path, weights: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, folder = tmp_path / "out.gif", tmp_path / "out.gif.frames"
    whole = video_command._painter
    painted = []

    def stops(options: Any, after: int = 2) -> Any:
        paint, settings = whole(options)

        def painter(frame: Tensor) -> Tensor:
            if len(painted) == after:
                raise KeyboardInterrupt
            painted.append(frame)
            return paint(frame)

        return painter, settings

    monkeypatch.setattr(video_command, "_painter", stops)
    assert main(words_for(clip, out, weights)) == 130
    assert "stopped after 2 frames" in capsys.readouterr().out
    assert len([*folder.iterdir()]) == 2 and not out.exists()
    monkeypatch.setattr(video_command, "_painter", lambda options: stops(options, after=4))
    (folder / "00000.png").write_bytes(b"mine")
    assert main(words_for(clip, out, weights)) == 0
    assert len(painted) == 4 and [path.name for path in folder.iterdir()] == ["00000.png"]
    assert len(read_frames(out)) == 4


def test_frames_are_kept_by_the_content_of_the_weights(weights: Path, tmp_path: Path) -> None:
    """The course's own file is known by content too: a copy under another name makes the same frames."""
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(samples.data_file("weights", "style_swap.safetensors").read_bytes())

    def settings(path: Path | None) -> str:
        how = {"style": "mosaic", "size": 32, "device": "cpu", "patch": 3, "stride": 1, "strength": 1.0}
        return video_command._painter(argparse.Namespace(**how, weights=path))[1]

    assert settings(None) == settings(copy) != settings(weights)


def test_the_speed_of_a_clip_is_kept(weights: Path, tmp_path: Path, capsys: Any) -> None:
    frames = panning_clip(samples.content("coffee", 40), 3, size=(32, 36), step=(0, 3)).frames.split(1)
    seconds = [Fraction(1, 2), Fraction(1, 10), Fraction(1)]
    clip, out = write_film(frames, tmp_path / "clip.gif", seconds), tmp_path / "out.webp"
    assert main(words_for(clip, out, weights)) == 0
    assert [length for _, length in timed_frames(out)] == seconds
    assert "3 frames, 1.60 s" in capsys.readouterr().out
    assert main(words_for(clip, out, weights, "--fps", 4)) == 0
    assert [length for _, length in timed_frames(out)] == [Fraction(1, 4)] * 3


def test_the_clip_is_not_overwritten(clip: Path, weights: Path, capsys: Any) -> None:
    before = clip.read_bytes()
    assert "is also read as input and would be overwritten" in refused(words_for(clip, clip, weights), capsys)
    assert clip.read_bytes() == before


@pytest.mark.parametrize(
    ("clip_name", "more", "said"),
    [
        ("none", [], "there is no 'none'"),
        ("coffee", ["--pan", "500"], "--pan 500 leads out of a photo"),
        ("none", ["--strength", "2"], "--strength is 2; with style-swap it goes from 0 (the content) to 1"),
        ("none", ["--fps", "0"], "fps must be above 0"),
    ],
)
def test_clips_that_cannot_be_painted_are_refused(
    clip_name: str, more: list[str], said: str, weights: Path, tmp_path: Path, capsys: Any
) -> None:
    assert said in refused(words_for(clip_name, tmp_path / "out.gif", weights, *more), capsys)
    assert not (tmp_path / "out.gif").exists()
