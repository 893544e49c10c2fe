"""The `stylelearn` command, from the words on the command line to the file that comes out, and every mistake."""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from stylelearn import gatys, mini, samples
from stylelearn.cli import lab, main, stylize, train
from stylelearn.cli.parsing import Wrong, span
from stylelearn.encoders import Encoder
from stylelearn.gatys import STYLE_WEIGHT
from stylelearn.images import read_image, read_settings
from stylelearn.optimize import Diverged
from stylelearn.training import Progress
from stylelearn.weights import torchvision_model

FEW = ["--size", "64", "--steps", "3"]


def refused(arguments: list[str], capsys) -> str:
    """The one line on stderr with which a wrong request is answered."""
    try:
        status = main(arguments)
    except SystemExit as error:  # from argparse
        status = error.code
    err = capsys.readouterr().err
    assert status == 2, err
    assert len(err.splitlines()) == 1 and "Traceback" not in err
    assert err.startswith("stylelearn")
    return err


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.linear_gradient("L").convert("RGB").resize((96, 80)).save(path)
    return path


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """A SqueezeNet with random weights."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("teacher") / "teacher.safetensors"
    save_file(torchvision_model("squeezenet").state_dict(), path)
    return path


# --------------------------------------------------------------------------- all commands


@pytest.mark.parametrize("words", [[], ["paint"], ["stylize"], ["train"], ["lab", "--port", "0"]])
def test_a_mistake_is_answered_with_one_line(words, capsys):
    assert "--help" in refused(words, capsys)


@pytest.mark.parametrize("command", ["", "lab", "stylize", "train", "train encoder", "bench", "doctor"])
def test_help(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    assert "usage: stylelearn" in capsys.readouterr().out


def test_help_loads_nothing_slow():
    """Mistakes and --help answer at once: PyTorch is loaded only by commands that need it."""
    code = "import sys, stylelearn.cli as c; c._parser(); sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_as_a_module():
    done = subprocess.run([sys.executable, "-m", "stylelearn", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("stylelearn ")


def test_threads_wait_passively(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setattr("stylelearn.doctor.examine", lambda: 0)
    assert main(["doctor"]) == 0
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")]
)
def test_not_enough_memory(monkeypatch, capsys, error):
    def runs_out():
        raise error

    monkeypatch.setattr("stylelearn.doctor.examine", runs_out)
    assert main(["doctor"]) == 1
    assert "not enough memory" in capsys.readouterr().err


def test_a_mistake_of_ours_is_not_hidden(monkeypatch):
    def broken():
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr("stylelearn.doctor.examine", broken)
    with pytest.raises(RuntimeError, match="shape mismatch"):
        main(["doctor"])


def test_span():
    assert [span(s) for s in (0.4, 99, 119, 3599, 7500)] == ["0 s", "99 s", "2 min", "1 h 00 min", "2 h 05 min"]


# --------------------------------------------------------------------------- stylize


def test_stylize_samples(tmp_path, capsys):
    out = tmp_path / "pastiche.png"
    style = samples.style_names()[0]
    assert main(["stylize", "chelsea", style, "-o", str(out), *FEW, "--strength", "0.5", "--seed", "7"]) == 0
    said = capsys.readouterr()
    assert str(out) in said.out and "3 steps" in said.out
    assert "loss" in said.err and "3/3" in said.err and "left" in said.err  # the progress bar
    image = read_image(out)
    assert min(image.shape[2:]) == 64
    assert image.shape == samples.content("chelsea", 64).shape
    settings = read_settings(out)
    asked = {"content": "chelsea", "style": style, "encoder": "mini", "size": 64, "seed": 7, "start": "content"}
    assert settings | asked == settings
    assert settings["style_weight"] == 0.5 * STYLE_WEIGHT and settings["strength"] == 0.5
    assert settings["steps"] == settings["steps_done"] == 3


def test_stylize_lowers_the_loss_and_seed_decides(tmp_path, photo):
    style = samples.style_names()[1]
    losses, pictures = [], []
    for name, seed, steps in (("a", 1, 2), ("b", 1, 8), ("c", 1, 2), ("d", 2, 2)):
        out = tmp_path / f"{name}.png"
        words = ["--size", "64", "--steps", str(steps), "--start", "noise", "--seed", str(seed)]
        assert main(["stylize", str(photo), style, "-o", str(out), *words]) == 0
        losses.append(read_settings(out)["loss"])
        pictures.append(read_image(out))
    assert losses[1] < losses[0]
    assert torch.equal(pictures[0], pictures[2])
    assert not torch.equal(pictures[0], pictures[3])


@pytest.mark.parametrize("words", [["--levels", "2"], ["--start", "style"], ["--keep-colours"], ["--strength", "0"]])
def test_stylize_options(tmp_path, photo, words):
    out = tmp_path / "pastiche.jpg"
    assert main(["stylize", str(photo), "coffee", "-o", str(out), *FEW, *words]) == 0
    assert read_image(out).shape == (1, 3, 64, 77)
    assert "keep_colours" in read_settings(out)
    assert read_settings(out)["content"] == "photo.png"  # the name, not where the file lies


def test_kept_colours_are_the_contents(tmp_path, photo):
    """A grey content keeps its colours: the pastiche is grey."""
    for words, grey in ((["--keep-colours"], True), ([], False)):
        out = tmp_path / "pastiche.png"
        assert main(["stylize", str(photo), "coffee", "-o", str(out), "--size", "64", "--steps", "6", *words]) == 0
        image = read_image(out)
        assert bool((image.amax(1) - image.amin(1)).max() < 3 / 255) is grey


def test_stylize_with_other_encoders(tmp_path, photo, teacher):
    out = tmp_path / "pastiche.webp"
    words = ["--encoder", "squeezenet", "--encoder-weights", str(teacher)]
    assert main(["stylize", str(photo), "coffee", "-o", str(out), *FEW, *words]) == 0
    assert read_settings(out)["encoder"] == "squeezenet"
    assert read_settings(out)["encoder_weights"] == "teacher.safetensors"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chelsey", "coffee"], "did you mean 'chelsea'?"),
        (["qqq", "coffee"], "the course has astronaut"),
        (["nothing.jpg", "coffee"], "'nothing.jpg' does not exist"),
        (["chelsea", "."], "is a folder"),
        (["chelsea", "pyproject.toml"], "pyproject.toml"),
        (["chelsea", "http://127.0.0.1:9/none.jpg"], "cannot be reached"),
        (["chelsea", "coffee", "--size", "many"], "'many' is not a whole number from 16"),
        (["chelsea", "coffee", "--size", "8"], "from 16"),
        (["chelsea", "coffee", "--size", "16"], "too small"),
        (["chelsea", "coffee", "--steps", "0"], "from 1 up"),
        (["chelsea", "coffee", "--strength", "-1"], "from 0 up"),
        (["chelsea", "coffee", "--strength", "nan"], "from 0 up"),
        (["chelsea", "coffee", "--encoder", "vgg"], "invalid choice"),
        (["chelsea", "coffee", "--start", "black"], "invalid choice"),
        (["chelsea", "coffee", "--method", "adain"], "invalid choice"),
        (["chelsea", "coffee", "--encoder-weights", "nowhere.pth"], "no weights at nowhere.pth"),
        (["chelsea", "coffee", "--encoder-weights", "pyproject.toml"], "pyproject.toml"),
    ],
)
def test_stylize_refuses(words, said, tmp_path, capsys, monkeypatch, root):
    monkeypatch.chdir(root)
    assert said in refused(["stylize", "-o", str(tmp_path / "o.png"), *words], capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("o.gif", "must end in"),
        ("o", "must end in"),
        ("none/o.png", "create it first"),
        ("folder.png", "cannot be written"),
    ],
)
def test_out_is_checked_before_the_work(tmp_path, capsys, monkeypatch, out, said):
    monkeypatch.setattr(gatys, "stylize", None)
    (tmp_path / "folder.png").mkdir()
    assert said in refused(["stylize", "chelsea", "coffee", "-o", str(tmp_path / out)], capsys)


def test_a_picture_is_never_overwritten_by_its_pastiche(photo, capsys):
    before = photo.read_bytes()
    for words in ([str(photo), "coffee"], ["chelsea", str(photo)]):
        assert "overwrite" in refused(["stylize", *words, "-o", str(photo)], capsys)
    assert photo.read_bytes() == before


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there(device, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    said = refused(["stylize", "chelsea", "coffee", "-o", str(tmp_path / "o.png"), "--device", device], capsys)
    assert f"--device {device} is not available here; this machine has: cpu" in said


def test_a_file_comes_before_a_sample_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (40, 40), "red").save(tmp_path / "chelsea", "png")
    assert stylize.picture("chelsea", 16)[0, 0].min() > 0.999
    assert torch.equal(stylize.picture("coffee", 16), samples.content("coffee", 16))


class Interrupted:
    """Steps until Ctrl-C is pressed."""

    def __init__(self, real, count, error=KeyboardInterrupt):
        self.real, self.count, self.error = real, count, error

    def __call__(self, *arguments, **options):
        for step in self.real(*arguments, **options):
            if step.number > self.count:
                raise self.error if self.error is KeyboardInterrupt else self.error("NaN", step.number, step.best_image)
            yield step


def test_ctrl_c_keeps_the_best_picture(tmp_path, photo, monkeypatch, capsys):
    monkeypatch.setattr(gatys, "stylize", Interrupted(gatys.stylize, 2))
    out = tmp_path / "o.png"
    assert main(["stylize", str(photo), "coffee", "-o", str(out), "--size", "64", "--steps", "9"]) == 130
    assert f"stopped after 2 of 9 steps; the best picture so far is in {out}" in capsys.readouterr().out
    assert read_settings(out)["steps_done"] == 2 and read_settings(out)["steps"] == 9


def test_ctrl_c_at_a_coarse_level_gives_a_picture_of_full_size(tmp_path, photo, monkeypatch):
    monkeypatch.setattr(gatys, "stylize", Interrupted(gatys.stylize, 1))
    out = tmp_path / "o.png"
    assert main(["stylize", str(photo), "coffee", "-o", str(out), *FEW, "--levels", "2"]) == 130
    assert read_image(out).shape == (1, 3, 64, 77)


def test_ctrl_c_before_the_first_step_writes_nothing(tmp_path, photo, monkeypatch, capsys):
    monkeypatch.setattr(gatys, "stylize", Interrupted(gatys.stylize, 0))
    assert main(["stylize", str(photo), "coffee", "-o", str(tmp_path / "o.png"), *FEW]) == 130
    assert capsys.readouterr().err.endswith("stylelearn stylize: stopped\n")
    assert not (tmp_path / "o.png").exists()


def test_divergence_keeps_the_best_picture(tmp_path, photo, monkeypatch, capsys):
    monkeypatch.setattr(gatys, "stylize", Interrupted(gatys.stylize, 2, Diverged))
    out = tmp_path / "o.png"
    assert main(["stylize", str(photo), "coffee", "-o", str(out), *FEW]) == 1
    assert "NaN" in capsys.readouterr().err
    assert read_image(out).shape == (1, 3, 64, 77)


# --------------------------------------------------------------------------- train


@pytest.fixture
def photos(tmp_path):
    """Enough pictures that some are held back."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(20):
        Image.effect_noise((64, 64), 20 + 4 * i).convert("RGB").save(folder / f"{i:02}.png")
    return folder


def words_of(photos: Path, out: Path, teacher: object, *more: str) -> list[str]:
    common = ["--size", "64", "--batch", "2", "--steps", "3", "--accelerator", "cpu"]
    return ["train", "encoder", "--photos", str(photos), "--teacher", str(teacher), "--out", str(out), *common, *more]


def test_train_encoder(tmp_path, photos, teacher, capsys, monkeypatch):
    held_back = mini.Crops
    monkeypatch.setattr(mini, "Crops", lambda *a, **k: held_back(*a, **k | {"batch": min(2, k.get("batch", 2))}))
    out = tmp_path / "new" / "mini.safetensors"
    assert main(words_of(photos, out, teacher, "--styles", str(photos))) == 0
    said = capsys.readouterr().out
    assert "step 3 of 3" in said and "left" in said and "loss" in said
    assert hashlib.sha256(out.read_bytes()).hexdigest() in said
    assert {value.dtype for value in load_file(out).values()} == {torch.float16}
    features = Encoder("mini", weights=out)(torch.rand(1, 3, 64, 64), ["relu5_1"])["relu5_1"]
    assert features.isfinite().all()
    assert list(out.parent.glob("*decoders.safetensors"))


@pytest.mark.parametrize("kept", [True, False])
def test_ctrl_c_while_training(tmp_path, photos, teacher, capsys, monkeypatch, kept):
    closed = []

    def train_mini(*folders, checkpoint, **options):
        try:
            yield Progress(50, 100, {"features relu2_2": 1.0, "features relu3_4": 2.0, "verdict": 0.5}, 7200)
            raise KeyboardInterrupt
        finally:
            closed.append(True)
            if kept:
                Path(checkpoint).touch()

    monkeypatch.setattr(mini, "train_mini", train_mini)
    assert main(words_of(photos, tmp_path / "mini.safetensors", teacher)) == 130
    said = capsys.readouterr().out
    assert "step  50 of 100 · 2 h 00 min left · loss 3.500 = features 3.000 + verdict 0.500" in said
    assert closed
    if kept:
        assert f"run the same command again and it goes on from {tmp_path / 'mini.ckpt'}" in said
    else:
        assert "nothing to go on from" in said


def test_training_that_diverges(tmp_path, photos, teacher, capsys, monkeypatch):
    def train_mini(*folders, **options):
        raise FloatingPointError("the loss is nan at step 3; try a lower learning rate")
        yield

    monkeypatch.setattr(mini, "train_mini", train_mini)
    assert main(words_of(photos, tmp_path / "mini.safetensors", teacher)) == 1
    assert "the loss is nan" in capsys.readouterr().err


def test_train_refuses(tmp_path, photos, teacher, capsys):
    out, empty = tmp_path / "mini.safetensors", tmp_path / "empty"
    empty.mkdir()
    other = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, other)
    wrong = {
        "is not a folder": words_of(tmp_path / "nowhere", out, teacher),
        "no pictures": words_of(empty, out, teacher),
        "must end in .safetensors": words_of(photos, tmp_path / "mini.pth", teacher),
        "no file of that name": words_of(photos, out, "resnet"),
        "no checkpoint of squeezenet1_0 or vgg19": words_of(photos, out, other),
        "multiple of 16": words_of(photos, out, teacher, "--size", "100"),
        "invalid choice": words_of(photos, out, teacher, "--precision", "8"),
        "required": ["train", "encoder", "--out", str(out)],
        "from 2 up": words_of(photos, out, teacher, "--batch", "1"),
    }
    for said, words in wrong.items():
        assert said in refused(words, capsys)
    assert not out.exists()


def test_a_teacher_is_known_by_its_keys(tmp_path, teacher, shared):
    real = shared / "teacher" / "squeezenet1_0.safetensors"
    assert train.find_teacher(str(teacher)) == ("squeezenet", teacher)
    assert train.find_teacher(str(real)) == ("squeezenet", real)
    assert train.find_teacher("vgg19") == ("vgg19", None)


def test_vgg19_and_vgg16_are_told_apart(tmp_path):
    """The last convolution of VGG-19 is number 34, that of VGG-16 number 28."""
    for last, teacher in ((34, "vgg19"), (28, None)):
        path = tmp_path / f"{last}.safetensors"
        save_file({f"features.{i}.weight": torch.zeros(1) for i in (0, 28, last)}, path)
        if teacher:
            assert train.find_teacher(str(path)) == (teacher, path)
        else:
            with pytest.raises(Wrong, match="no checkpoint"):
                train.find_teacher(str(path))


# --------------------------------------------------------------------------- lab


def options(**given) -> argparse.Namespace:
    return argparse.Namespace(**{"no_browser": False, "port": None, "rest": []} | given)


def test_lab_opens_the_first_lesson(tmp_path):
    words = lab.command(tmp_path, options(no_browser=True, port=8899, rest=["--allow-root"]))
    assert words[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={tmp_path}" in words
    assert "--LabApp.default_url=/lab/tree/lessons/00_welcome.ipynb" in words
    assert "--no-browser" in words and "--ServerApp.port=8899" in words and words[-1] == "--allow-root"
    assert "--no-browser" not in lab.command(tmp_path, options())


def test_lab_asks_nothing_about_news(tmp_path):
    """JupyterLab itself, reading its settings, finds ours."""
    environment = lab.environment(tmp_path)
    assert environment["OMP_WAIT_POLICY"] in ("PASSIVE", os.environ.get("OMP_WAIT_POLICY"))
    code = (
        "import json; from jupyterlab_server.settings_utils import _get_overrides;"
        "print(json.dumps(_get_overrides('/nowhere')[0]['@jupyterlab/apputils-extension:notification']))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"fetchNews": "false", "checkForUpdates": False}


def test_lab_finds_the_lessons_or_says_where_they_are(tmp_path, capsys, monkeypatch):
    with pytest.raises(Wrong, match="Clone the repository"):
        lab.find_lessons([tmp_path])
    (tmp_path / "lessons").mkdir()
    (tmp_path / lab.WELCOME).touch()
    assert lab.find_lessons([tmp_path / "lessons", tmp_path]) == tmp_path
    monkeypatch.setattr(lab, "WELCOME", "lessons/99_none.ipynb")
    assert "lessons/99_none.ipynb is not here" in refused(["lab"], capsys)


def test_lab_without_jupyterlab(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(lab, "find_lessons", lambda places: tmp_path)
    monkeypatch.setattr(lab, "find_spec", lambda name: None)
    assert "pip install jupyterlab" in refused(["lab"], capsys)


def test_lab_ends_with_jupyterlabs_status_and_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(lab, "find_lessons", lambda places: tmp_path)
    for status in (0, 3):
        monkeypatch.setattr(
            lab, "command", lambda root, given, s=status: [sys.executable, "-c", f"raise SystemExit({s})"]
        )
        assert main(["lab"]) == status
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_and_the_end_reach_jupyterlab(tmp_path):
    """Ctrl-C is JupyterLab's to answer (it asks back); a request to end is passed on."""
    script = (
        "import sys; from stylelearn.cli import lab, main;"
        "lab.find_lessons = lambda places: 'x';"
        "lab.command = lambda *a: [sys.executable, '-c', "
        '\'import signal, time; signal.signal(signal.SIGINT, lambda *a: print("asked", flush=True));'
        'print("up", flush=True); [time.sleep(0.1) for _ in range(300)]\'];'
        "sys.exit(main(['lab']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout.readline() == "up\n"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    assert process.stdout.readline() == "asked\n"
    process.terminate()
    assert process.wait(timeout=60) == 0
