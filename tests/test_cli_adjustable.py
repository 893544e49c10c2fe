"""`stylelearn stylize --method adjustable`."""

import functools
import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from hands import tiny_adjustable
from PIL import Image
from torch import Tensor

from stylelearn import adjustable, practice, samples
from stylelearn.cli import main
from stylelearn.images import read_image, read_settings
from stylelearn.weights import write_weights

LAYERS = ["relu2_2", "relu3_4", "relu4_1"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A network for any style and one for one style, and a photo."""
    folder = tmp_path_factory.mktemp("files")
    found = {"any": folder / "any.safetensors", "one": folder / "one.safetensors", "photo": folder / "photo.png"}
    for name in ("any", "one"):
        net = tiny_adjustable(any_style=name == "any")
        net.about["objective"] = dict.fromkeys([*(f"style {name}" for name in LAYERS), "content relu3_4", "tv"], 1.0)
        write_weights(found[name], adjustable._state(net), net.about)
    Image.effect_noise((96, 80), 90).convert("RGB").save(found["photo"])
    return found


def said(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a refused command says."""
    try:
        status = main(words)
    except SystemExit as error:
        status = error.code
    assert status == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


# --- stylize ----------------------------------------------------------------------------------------------------------


def stylized(files: dict[str, Path], out: Path, *words: str, weights: str = "any") -> tuple[Tensor, dict[str, Any]]:
    command = ["stylize", str(files["photo"]), *words, "-o", str(out), "--method", "adjustable"]
    assert main([*command, "--weights", str(files[weights]), "--size", "32"]) == 0
    return read_image(out), read_settings(out)


@pytest.mark.parametrize(
    ("words", "alphas"),
    [
        ([], {}),
        (["--alpha", "relu2_2=0.3,relu3_4=1"], {"relu2_2": 0.3, "relu3_4": 1.0}),
        (["--alpha", " relu4_1 = 0 "], {"relu4_1": 0.0}),
    ],
)
def test_the_alphas_are_those_that_were_said(
    files: dict[str, Path], tmp_path: Path, words: list[str], alphas: dict[str, float]
) -> None:
    found, settings = stylized(files, tmp_path / "out.png", "batik", *words)
    net = adjustable.load(files["any"])
    wanted = net(read_image(files["photo"], size=32), net.style(samples.style("batik", 32)), net.alphas(alphas))
    torch.testing.assert_close(found, (wanted * 255).round() / 255, rtol=0, atol=1e-6)
    asked = {"method": "adjustable", "style": "batik", "alpha": dict.fromkeys(LAYERS, 1.0) | alphas}
    assert settings | asked | {"weights": "any.safetensors", "size": 32} == settings


def test_practice_comes_before_the_picture(files: dict[str, Path], tmp_path: Path, monkeypatch: Any) -> None:
    quick = functools.partial(practice.practise, batch=1, size=16)
    monkeypatch.setattr(practice, "practise", quick)
    found, settings = stylized(files, tmp_path / "out.png", "batik", "--practice", "2")
    net = adjustable.load(files["any"])
    *_, (_, known) = quick(net, samples.style("batik", 32), steps=2)
    wanted = net(read_image(files["photo"], size=32), known, net.alphas(1.0))
    torch.testing.assert_close(found, (wanted * 255).round() / 255, rtol=0, atol=1e-6)
    assert settings["practice"] == 2

    def stopped(*given: Any, **more: Any) -> Any:
        yield from itertools.islice(quick(*given, **more), 1)
        raise KeyboardInterrupt

    monkeypatch.setattr(practice, "practise", stopped)
    early, settings = stylized(files, tmp_path / "early.png", "batik", "--practice", "2")
    (_, known), *_ = quick(net, samples.style("batik", 32), steps=2)
    wanted = net(read_image(files["photo"], size=32), known, net.alphas(1.0))
    torch.testing.assert_close(early, (wanted * 255).round() / 255, rtol=0, atol=1e-6)
    assert settings["practice"] == 1


def test_a_network_of_one_style_takes_no_picture(files: dict[str, Path], tmp_path: Path, capsys: Any) -> None:
    found, settings = stylized(files, tmp_path / "out.png", "--alpha", "relu2_2=0.5", weights="one")
    net = adjustable.load(files["one"])
    wanted = net(read_image(files["photo"], size=32), None, net.alphas({"relu2_2": 0.5}))
    torch.testing.assert_close(found, (wanted * 255).round() / 255, rtol=0, atol=1e-6)
    assert "style" not in settings
    capsys.readouterr()
    command = ["stylize", str(files["photo"]), "-o", str(tmp_path / "no.png"), "--method", "adjustable"]
    assert "the style of one.safetensors is in its weights" in said(
        [*command, "batik", "--weights", str(files["one"])], capsys
    )
    assert "one.safetensors knows one style only" in said(
        [*command, "--practice", "3", "--weights", str(files["one"])], capsys
    )


def test_large_pictures_go_band_by_band(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    command = ["stylize", str(files["photo"]), "batik", "--method", "adjustable", "--weights", str(files["any"])]
    assert main([*command, "--full-size", "-o", str(tmp_path / "whole.png")]) == 0
    monkeypatch.setattr("stylelearn.networks.tiling.LARGE", 1000)
    monkeypatch.setattr("stylelearn.networks.tiling.ROWS", 32)
    assert main([*command, "--full-size", "-o", str(tmp_path / "bands.png")]) == 0
    assert "painting 96 × 80 pixels, band by band" in capsys.readouterr().out
    whole, bands = (read_image(tmp_path / f"{name}.png") for name in ("whole", "bands"))
    assert whole.shape == (1, 3, 80, 96) and float((whole - bands).abs().max()) <= 2 / 255


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["batik", "--alpha", "relu3_1=1"], "no α for 'relu3_1'; there is one for relu2_2, relu3_4, relu4_1"),
        (["batik", "--alpha", "relu2_2=1.5"], "the α of relu2_2 must be from 0 to 1; got 1.5"),
        (["batik", "--alpha", "relu2_2=-1"], "the α of relu2_2 must be from 0 to 1"),
        (["batik", "--alpha", "relu2_2"], "'relu2_2' is not NAME=NUMBER; write them as relu2_2=0.3,relu3_4=1"),
        (["batik", "--alpha", "relu2_2=a"], "'relu2_2=a' is not NAME=NUMBER"),
        (["batik", "--alpha", "relu2_2=nan"], "is not NAME=NUMBER"),
        (["batik", "--alpha", "=1"], "is not NAME=NUMBER"),
        ([], "a style is missing: stylize CONTENT STYLE"),
        (["batik", "mosaic"], "--method adjustable takes one style, but got batik, mosaic"),
        (["batik", "--practice", "-1"], "'-1' is not a whole number from 0 to 1000"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    files: dict[str, Path], tmp_path: Path, capsys: Any, words: list[str], message: str
) -> None:
    out = tmp_path / "o.png"
    command = ["stylize", str(files["photo"]), "-o", str(out), "--method", "adjustable", "--weights", str(files["any"])]
    assert message in said([*command, *words], capsys)
    assert not out.exists()
