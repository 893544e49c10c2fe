"""`stylelearn train`, from the words on the command line to the file of weights, and every mistake."""

import hashlib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from hands import tiny_adjustable
from PIL import Image
from test_cli import refused

from stylelearn import adain, adjustable, cin, johnson, samples, style_swap
from stylelearn.cli import main, sheets
from stylelearn.cli.networks import NETWORKS
from stylelearn.encoders import Encoder
from stylelearn.images import read_image, square
from stylelearn.networks import distillation
from stylelearn.networks.transformation import PAPER_WIDTHS
from stylelearn.training import PRESETS, Progress
from stylelearn.weights import read_about, read_weights


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough pictures that some are held back."""
    folder = tmp_path_factory.mktemp("photos")
    for i in range(20):
        Image.effect_noise((64, 64), 20 + 4 * i).convert("RGB").save(folder / f"{i:02}.png")
    return folder


def encoder_words(photos: Path, out: Path, teacher: object, *more: str) -> list[str]:
    common = ["--size", "64", "--batch", "2", "--steps", "3", "--accelerator", "cpu"]
    return ["encoder", "--photos", str(photos), "--teacher", str(teacher), "--out", str(out), *common, *more]


@pytest.fixture
def paintings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A red and a blue style in the present folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("red", "blue"):
        Image.new("RGB", (64, 48), name).save(f"{name}.png")


def small(photos: Path, network: str, *words: str) -> list[str]:
    size = "--size 32 --style-size 32 --batch 1 --steps 2 --widths 4 8 8 --accelerator cpu"
    return [network, "--photos", str(photos), "--out", "mine.safetensors", *size.split(), *words]


def test_another_style_is_never_the_old_network(paintings: None, photos: Path, capsys: Any) -> None:
    assert main(["train", *small(photos, "johnson", "--style", "red.png")]) == 0
    red = read_weights("mine.safetensors")
    files = {path.name: path.read_bytes() for path in Path().iterdir()}
    blue = small(photos, "johnson", "--style", "blue.png")
    assert "mine.ckpt is of another training: style is another picture" in refused(["train", *blue], capsys)
    other = small(photos, "johnson", "--style", "red.png", "--seed", "1", "--widths", "4", "8", "16")
    for words in ("photos seed was 0, is 1", "widths was [4, 8, 8], is [4, 8, 16]"):
        assert words in refused(["train", *other], capsys)
    assert {path.name: path.read_bytes() for path in Path().iterdir()} == files
    assert main(["train", *blue, "--anew"]) == 0
    about = read_about("mine.safetensors")
    assert about["style"] == "blue"
    assert any(not torch.equal(red[k], v) for k, v in read_weights("mine.safetensors").items())
    training = about["training"]
    assert training | {"network": "johnson", "steps": 2, "precision": "32-true"} == training
    assert training["style"]["colours"] == [0.0] * 32 + [255.0] * 16  # blue all over, in 4 x 4 fields a channel
    assert training["photos"] | {"size": 32, "batch": 1, "seed": 0, "pictures": 18} == training["photos"]


class Recorded:
    """Stands for `train_…`: keeps what it was called with, reports once, and writes nothing much."""

    def __call__(self, *, out: Path, **options: Any) -> Iterator[Progress]:
        self.options = options
        yield Progress(7, 7, {"content": 1.0}, 0)
        Path(out).write_bytes(b"weights")


@pytest.fixture
def train(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Recorded]:
    """Runs `train NAME` with a recorder in place of the training; returns it."""

    def go(name: str, *words: str) -> Recorded:
        recorder = Recorded()
        module, function = NETWORKS[name].train
        monkeypatch.setattr(import_module(module), function, recorder)
        assert main(["train", name, "--photos", str(photos), "--out", str(tmp_path / "w.safetensors"), *words]) == 0
        assert recorder.options.pop("photos") == [photos]
        return recorder

    return go


def test_train_johnson_hands_on_what_was_said_and_what_is_usual(train: Any, tmp_path: Path) -> None:
    done = train("johnson", "--style", "geometric", "--style-size", "40")
    assert torch.equal(done.options.pop("style"), samples.style("geometric", 40))
    asked = {
        "name": "geometric",
        "weights": {},
        "network": {},
        "checkpoint": tmp_path / "w.ckpt",
        "sheet": sheets.johnson,
    }
    encoder = done.options.pop("encoder")
    assert encoder.name == "mini" and done.options == NETWORKS["johnson"].usual | asked
    said = "--steps 9 --size 64 --batch 3 --seed 5 --devices 1 --sheet-every 4 --precision bf16-mixed --accelerator cpu"
    more = "--widths 4 5 6 --norm batch --learning-rate 0.02 --style-weight 7 --tv-weight 0 --encoder mini --nodes 1"
    more += " --layer-weights relu1_1=2,relu5_1=0.3"
    done = train("johnson", "--style", "geometric", "--style-size", "40", *said.split(), *more.split(), "--anew")
    asked |= {"steps": 9, "size": 64, "batch": 3, "seed": 5, "sheet_every": 4, "precision": "bf16-mixed", "devices": 1}
    asked |= {"accelerator": "cpu", "network": {"widths": [4, 5, 6], "norm": "batch"}, "num_nodes": 1, "anew": True}
    weights = {"style_weight": 7.0, "tv_weight": 0.0, "layer_weights": {"relu1_1": 2.0, "relu5_1": 0.3}}
    asked |= {"weights": weights, "learning_rate": 0.02, "warm_up": 50}
    assert done.options | asked == done.options and set(done.options) == {*asked, "encoder", "style"}


def test_presets_and_the_paper_stand_behind_what_was_said(train: Any) -> None:
    base = ["--style", "geometric", "--style-size", "40"]
    usual, gpu = NETWORKS["johnson"].usual, PRESETS["gpu"]
    done = train("johnson", *base, "--preset", "gpu").options
    assert done["size"] == gpu["size"] and done["precision"] == gpu["precision"] and done["accelerator"] == "gpu"
    assert (done["steps"], done["batch"]) == (usual["steps"] * gpu["steps"], usual["batch"] * gpu["batch"])
    done = train("johnson", *base, "--preset", "gpu", "--batch", "2", "--accelerator", "cpu").options
    assert (done["batch"], done["accelerator"], done["size"]) == (2, "cpu", gpu["size"])
    done = train("johnson", *base, "--preset", "laptop").options
    assert done | usual == done and done["accelerator"] == "cpu"
    done = train("johnson", *base, "--paper", "--preset", "gpu", "--steps", "5").options
    assert done["network"] == {"widths": PAPER_WIDTHS, "ends": "paper", "noise": ()}
    assert done["precision"] == gpu["precision"]
    assert (done["steps"], done["batch"], done["size"], done["learning_rate"]) == (5, 4, 256, 1e-3)


def test_train_cin_takes_files_and_names(train: Any, photos: Path) -> None:
    done = train("cin", "--styles", "geometric", str(photos / "01.png"), "batik", "--style-size", "32")
    assert list(done.options["styles"]) == ["geometric", "01", "batik"]
    assert torch.equal(done.options["styles"]["01"], read_image(photos / "01.png", size=32))


def test_train_encoder(train: Any, photos: Path, tmp_path: Path, capsys: Any) -> None:
    done = train("encoder", "--styles", str(photos), "--teacher", "vgg19", "--size", "64", "--batch", "2")
    asked = {"styles": [photos], "teacher": "vgg19", "size": 64, "batch": 2, "checkpoint": tmp_path / "w.ckpt"}
    assert done.options == NETWORKS["encoder"].usual | asked
    assert hashlib.sha256(b"weights").hexdigest() in capsys.readouterr().out


def test_every_network_takes_a_learning_rate(train: Any, photos: Path) -> None:
    for name, more in (("adain", []), ("inverse", []), ("adjustable", []), ("encoder", ["--teacher", "squeezenet"])):
        assert train(name, "--styles", str(photos), "--learning-rate", "0.003", *more).options["learning_rate"] == 0.003
    with pytest.raises(SystemExit):
        train("adain", "--styles", str(photos), "--learning-rate", "fast")


def test_train_inverse(train: Any, photos: Path) -> None:
    done = train("inverse", "--styles", str(photos))
    assert done.options["styles"] == [photos] and done.options["weights"] == {} and "layer" not in done.options
    more = "--layer relu2_1 --width 3 --norm instance --upsampling transposed --tv-weight 3 --pictures-only"
    done = train("inverse", "--styles", str(photos), *more.split())
    asked = {"layer": "relu2_1", "network": {"width": 3, "norm": "instance", "upsampling": "transposed"}}
    asked |= {"weights": {"swapped": False, "tv_weight": 3.0}}
    assert done.options | asked == done.options


def test_train_adjustable_takes_folders_or_a_picture(train: Any, photos: Path) -> None:
    said = "--style-layers relu1_2 relu3_4 --content-layers relu2_2 relu3_4 --normalise --tv-weight 0"
    done = train("adjustable", "--styles", str(photos), *said.split())
    assert done.options["styles"] == [photos] and done.options["style_size"] is None
    assert done.options["weights"] == {"normalise": True, "tv_weight": 0.0}
    layers = {"style_layers": ["relu1_2", "relu3_4"], "content_layers": ["relu2_2", "relu3_4"]}
    assert done.options["network"] == layers
    assert train("adjustable", "--styles", str(photos), "--style-size", "192").options["style_size"] == 192
    done = train("adjustable", "--style", "geometric", "--style-size", "40")
    assert torch.equal(done.options["styles"], samples.style("geometric", 40)) and done.options["network"] == {}


def test_only_the_first_process_prints(train: Any, capsys: Any, monkeypatch: Any) -> None:
    words = ["cin", "--styles", "geometric", "batik", "--devices", "2"]
    train(*words)
    assert "step 7 of 7" in capsys.readouterr().out
    monkeypatch.setenv("LOCAL_RANK", "1")
    train(*words)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("kept", [True, False])
def test_ctrl_c_while_training(
    tmp_path: Path, photos: Path, squeezenet: Path, capsys: Any, monkeypatch: Any, kept: bool
) -> None:
    closed = []

    def train_mini(*, checkpoint: Path, **options: Any) -> Iterator[Progress]:
        try:
            yield Progress(50, 100, {"features relu2_2": 1.0, "features relu3_4": 2.0, "verdict": 0.5}, 7200)
            raise KeyboardInterrupt
        finally:
            closed.append(True)
            if kept:
                Path(checkpoint).touch()

    monkeypatch.setattr(distillation, "train_mini", train_mini)
    assert main(["train", *encoder_words(photos, tmp_path / "mini.safetensors", squeezenet)]) == 130
    said = capsys.readouterr().out
    assert "step  50 of 100 · 2 h 00 min left · loss 3.500 = features 3.000 + verdict 0.500" in said
    assert closed
    if kept:
        assert f"run the same command again and it goes on from {tmp_path / 'mini.ckpt'}" in said
    else:
        assert "nothing to go on from" in said


def test_training_that_diverges(tmp_path: Path, photos: Path, squeezenet: Path, capsys: Any, monkeypatch: Any) -> None:
    def train_mini(**options: Any) -> Iterator[Progress]:
        raise FloatingPointError("the loss is nan at step 3; try a lower learning rate")
        yield

    monkeypatch.setattr(distillation, "train_mini", train_mini)
    assert main(["train", *encoder_words(photos, tmp_path / "mini.safetensors", squeezenet)]) == 1
    assert "the loss is nan" in capsys.readouterr().err


def test_train_encoder_refuses(tmp_path: Path, photos: Path, squeezenet: Path, capsys: Any) -> None:
    out, empty = tmp_path / "mini.safetensors", tmp_path / "empty"
    empty.mkdir()
    wrong = {
        "is not a folder": encoder_words(tmp_path / "nowhere", out, squeezenet),
        "no pictures": encoder_words(empty, out, squeezenet),
        "must end in .safetensors": encoder_words(photos, tmp_path / "mini.pth", squeezenet),
        "multiple of 16": encoder_words(photos, out, squeezenet, "--size", "100"),
        "from 2 up": encoder_words(photos, out, squeezenet, "--batch", "1"),
        "also read as input": encoder_words(photos, squeezenet, squeezenet),
    }
    for said, words in wrong.items():
        assert said in refused(["train", *words], capsys)
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["johnson", "--style", "geometrik"], "did you mean 'geometric'?"),
        (["johnson", "--style", "geometric", "--start", "none"], "--start is 'none': no file of that name"),
        (["johnson", "--style", "geometric", "--encoder-weights", "none"], "no weights at none"),
        (["johnson", "--style", "geometric", "--batch", "3", "--devices", "2"], "choose a multiple of 2"),
        (["johnson", "--style", "geometric", "--checkpoint", "."], "is a folder"),
        (["cin", "--styles", "geometric"], "name two or more"),
        (["cin", "--styles", "geometric", "a/geometric.jpg"], "each must have a name of its own"),
        (["adain", "--styles", "geometric"], "'geometric' is not a folder"),
        (["adjustable"], "say --styles DIR … for a network of any style, or --style PICTURE"),
        (["adjustable", "--styles", ".", "--style", "batik"], "say --styles DIR … for a network of any style"),
        (["adjustable", "--style", "batik", "--style-layers", "relu9_1"], "there is no layer 'relu9_1' in mini"),
    ],
)
def test_train_refuses(words: list[str], said: str, tmp_path: Path, photos: Path, capsys: Any) -> None:
    out = tmp_path / "w.safetensors"
    assert said in refused(["train", *words, "--photos", str(photos), "--out", str(out)], capsys)
    assert not out.exists()


@pytest.fixture(autouse=True)
def _small_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "SHEET_SIZE", 64)


def sheet_of(name: str) -> torch.Tensor:
    """The sample sheet of an untrained network."""
    encoder, style = Encoder("mini"), samples.style("geometric", 32)
    networks = {
        "johnson": lambda: johnson.Perceptual(johnson.TransformationNet((4, 4, 4), 1), [style], encoder),
        "cin": lambda: johnson.Perceptual(cin.StyleNet(["a", "b"], (4, 4, 4), 1), [style], encoder),
        "adain": lambda: adain.Objective(adain.AdaIN(encoder)),
        "inverse": lambda: style_swap.Training(style_swap.StyleSwap(encoder)),
    }
    return NETWORKS[name].sheet(networks[name]())


@pytest.mark.parametrize(("name", "rows"), [("johnson", 2), ("cin", 3), ("adain", 4), ("inverse", 4)])
def test_sheets_show_photographs_above_pastiches(name: str, rows: int) -> None:
    side = sheets.SHEET_SIZE
    with torch.no_grad():
        sheet = sheet_of(name)
    assert sheet.shape == (1, 3, rows * side, 2 * side)
    chelsea = samples.content("chelsea", side)
    left = (chelsea.shape[3] - side) // 2
    assert torch.equal(sheet[..., :side, :side], chelsea[..., left : left + side])
    assert sheet.min() >= 0 and sheet.max() <= 1


@pytest.mark.parametrize("any_style", [True, False])
def test_the_sheet_shows_no_style_each_layer_and_all(any_style: bool) -> None:
    net, side = tiny_adjustable(any_style=any_style), sheets.SHEET_SIZE
    sheet = sheets.adjustable(adjustable.Objective(net, None if any_style else samples.style("batik", 32)))
    assert sheet.shape == (1, 3, 6 * side, 2 * side)
    chelsea = samples.content("chelsea", side)
    left = (chelsea.shape[3] - side) // 2
    photo = chelsea[..., left : left + side]
    assert torch.equal(sheet[..., :side, :side], photo)
    style = square(samples.style(samples.style_names()[0], side), side)
    known = net.style(style) if any_style else None
    none = dict.fromkeys(["relu1_1", "relu2_1", "relu4_1"], 0.0)
    for row, setting in enumerate([none, none | {"relu1_1": 1.0}]):
        made = net(photo, known, net.alphas(setting))
        shown = sheet[..., (1 + row) * side : (2 + row) * side, :side]
        torch.testing.assert_close(shown, made, rtol=0, atol=1e-4)
