"""What the command does with style swap: pictures in one pass or optimised, clips."""

import argparse
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from stylelearn import gatys, samples, style_swap
from stylelearn.cli import main
from stylelearn.cli import video as video_command
from stylelearn.encoders import Encoder
from stylelearn.images import read_image, read_settings, write_image
from stylelearn.optimize import optimize_image, result
from stylelearn.video import panning_clip, read_frames, timed_frames, write_film
from stylelearn.weights import write_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained inverse network, small and quick: from relu2_1."""
    path = tmp_path_factory.mktemp("weights") / "own.safetensors"
    torch.manual_seed(1)
    decoder = style_swap.StyleSwap(Encoder("mini"), layer="relu2_1").decoder
    write_weights(path, decoder.state_dict(), {"encoder": "mini", "layer": "relu2_1", "upsampling": "nearest"})
    return path


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image(samples.content("chelsea", 48), tmp_path_factory.mktemp("photo") / "photo.png")


def refused(words: list[Any], capsys: pytest.CaptureFixture[str]) -> str:
    """What the command answers to a request that is wrong."""
    try:
        status = main([str(word) for word in words])
    except SystemExit as error:
        status = error.code
    assert status == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def levels(image: Tensor) -> Tensor:
    return (image * 255).round() / 255


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_one_pass_of_the_network(photo: Path, weights: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out.png"
    words = ["stylize", photo, "mosaic", "-o", out, "--method", "style-swap", "--weights", weights, "--size", 32]
    assert main([str(word) for word in [*words, "--patch", 2, "--stride", 2, "--strength", 0.7]]) == 0
    network, content = style_swap.load(weights), read_image(photo, size=32)
    expected = network(content, samples.style("mosaic", 32), patch=2, stride=2, strength=0.7)
    assert torch.allclose(read_image(out), levels(expected), atol=1 / 255 + 1e-6)
    asked = {"method": "style-swap", "style": "mosaic", "patch": 2, "stride": 2, "strength": 0.7, "layer": "relu2_1"}
    kept = read_settings(out)
    assert kept | asked | {"weights": "own.safetensors", "encoder": "mini"} == kept
    assert "42 × 32 pixels in" in capsys.readouterr().out or content.shape[3] != 42


def test_pixels_are_optimised_on_request(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    words = ["stylize", photo, "mosaic", "-o", out, "--method", "style-swap", "--optimize", "--size", 32]
    words += ["--steps", 3, "--start", "noise", "--seed", 4, "--patch", 2]
    assert main([str(word) for word in words]) == 0
    content, style = read_image(photo, size=32), samples.style("mosaic", 32)
    objective = style_swap.objective(content, style, encoder=Encoder("mini"), patch=2)
    best = result(optimize_image(gatys.start_image("noise", content, style, 4), objective, 3))
    assert torch.allclose(read_image(out), levels(best), atol=1 / 255 + 1e-6)
    asked = {"optimize": True, "steps": 3, "steps_done": 3, "start": "noise", "seed": 4, "patch": 2, "layer": "relu3_1"}
    kept = read_settings(out)
    assert kept | asked == kept and "weights" not in kept


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "a style is missing"),
        (["mosaic", "batik"], "--method style-swap takes one style, but got mosaic, batik"),
        (["mosaic", "--strength", "1.5"], "with style-swap it goes from 0 (the content) to 1"),
        (
            ["mosaic", "--steps", "5"],
            "--steps is not for --method style-swap; it is for gatys, style-swap --optimize, photo",
        ),
        (
            ["mosaic", "--optimize", "--weights", "x"],
            "--weights is not for --method style-swap --optimize; it is for style-swap, johnson",
        ),
        (["mosaic", "--stride", "4"], "--stride 4 leaves gaps between patches of 3; use 1 to 3, or a larger --patch"),
        (["mosaic", "--patch", "0"], "from 1 up"),
        (["mosaic", "--patch", "50", "--optimize"], "a patch of 50x50 cells does not fit"),
        (["mosaic", "--weights", "none"], "`stylelearn train inverse` makes one"),
        (["mosaic", "--optimize", "--encoder-weights", "none.pth"], "no weights at none.pth"),
    ],
)
def test_what_does_not_go_together_is_refused(
    words: list[str], said: str, photo: Path, tmp_path: Path, capsys: Any
) -> None:
    out = tmp_path / "out.png"
    assert said in refused(["stylize", photo, *words, "-o", out, "--method", "style-swap", "--size", "32"], capsys)
    assert not out.exists()


# --- clips ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    frames = panning_clip(samples.content("coffee", 40), 4, size=(32, 36), step=(0, 3)).frames
    return write_film(frames.split(1), tmp_path / "clip.gif")


def words_for(clip: Path | str, out: Path, weights: Path, *more: object) -> list[str]:
    return [str(word) for word in ("video", clip, "mosaic", "-o", out, "--weights", weights, "--size", 32, *more)]


def test_every_frame_is_painted(clip: Path, weights: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out.gif"
    assert main(words_for(clip, out, weights, "--patch", 2, "--strength", 0.5, "--fps", 10)) == 0
    network, style = style_swap.load(weights), samples.style("mosaic", 32)
    expected = [network(frame, style, patch=2, strength=0.5) for frame in read_frames(clip, 32)]
    reference = write_film(expected, tmp_path / "reference.gif", fps=10)
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


def test_what_was_painted_is_kept_when_somebody_stops(
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
    assert len([*read_frames(out)]) == 4


def test_an_interrupted_film_is_not_mixed_with_another_of_the_same_name(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, levels_of = tmp_path / "out.webp", {"one": (0.2, 0.4), "two": (0.6, 0.8)}
    for name, greys in levels_of.items():
        (tmp_path / name / "frames").mkdir(parents=True)
        for i, grey in enumerate(greys):
            write_image(torch.full((1, 3, 32, 40), grey), tmp_path / name / "frames" / f"{i}.png")

    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("stylelearn.video.write_film", stop)
        assert main(words_for(tmp_path / "one" / "frames", out, weights, "--strength", 0)) == 130
    assert main(words_for(tmp_path / "two" / "frames", out, weights, "--strength", 0)) == 0
    other = tmp_path / "other.webp"
    assert main(words_for(tmp_path / "two" / "frames", other, weights, "--strength", 0)) == 0
    assert all(torch.equal(a, b) for a, b in zip(read_frames(out), read_frames(other), strict=True))


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
    clip, out = write_film(frames, tmp_path / "clip.gif", seconds=seconds), tmp_path / "out.webp"
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
        ("none.gif", ["--pan", "3"], "does not exist"),
        ("coffee", ["--pan", "500"], "--pan 500 leads out of a photo"),
        ("none", ["--strength", "2"], "--strength is 2; with style-swap it goes from 0 (the content) to 1"),
        ("none", ["--fps", "0"], "fps must be above 0"),
        ("coffee", ["--pan", "2", "--stride", "4"], "--stride 4 leaves gaps between patches of 3"),
    ],
)
def test_clips_that_cannot_be_painted_are_refused(
    clip_name: str, more: list[str], said: str, weights: Path, tmp_path: Path, capsys: Any
) -> None:
    assert said in refused(words_for(clip_name, tmp_path / "out.gif", weights, *more), capsys)
    assert not (tmp_path / "out.gif").exists()
