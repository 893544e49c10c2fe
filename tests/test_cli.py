"""The `stylelearn` command, from the words on the command line to the file that comes out, and every mistake."""

import io
import os
import subprocess
import sys

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from stylelearn import adain, cin, gatys, johnson, samples
from stylelearn.cli import main, networks, stylize
from stylelearn.cli.parsing import span
from stylelearn.colour import luminance
from stylelearn.encoders import Encoder
from stylelearn.gatys import STYLE_WEIGHT
from stylelearn.images import read_image, read_settings
from stylelearn.optimize import Diverged
from stylelearn.weights import torchvision_model, write_weights

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


@pytest.mark.parametrize(
    "command", ["", "lab", "stylize", "train", *(f"train {name}" for name in networks.NETWORKS), "doctor"]
)
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
    monkeypatch.setattr("stylelearn.cli.doctor.examine", lambda: 0)
    assert main(["doctor"]) == 0
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")]
)
def test_not_enough_memory(monkeypatch, capsys, error):
    def runs_out():
        raise error

    monkeypatch.setattr("stylelearn.cli.doctor.examine", runs_out)
    assert main(["doctor"]) == 1
    assert "not enough memory" in capsys.readouterr().err


def test_a_mistake_of_ours_is_not_hidden(monkeypatch):
    def broken():
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr("stylelearn.cli.doctor.examine", broken)
    with pytest.raises(RuntimeError, match="shape mismatch"):
        main(["doctor"])


@pytest.mark.parametrize(
    ("encoding", "said"), [("cp1252", "ok fine × · …\n!! bad\n"), ("ascii", "ok fine x - ...\n!! bad\n")]
)
def test_what_a_terminal_cannot_show_is_written_otherwise(monkeypatch, encoding, said):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding, newline="\n", write_through=True))
    monkeypatch.setattr("stylelearn.cli.doctor.examine", lambda: print("✓ fine × · …\n✗ bad") or 0)
    assert main(["doctor"]) == 0
    assert written.getvalue().decode(encoding) == said


def test_names_of_files_that_are_no_text_are_printed_all_the_same(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(written, "utf-8", write_through=True))
    assert main(["stylize", "caf\udce9.png", "coffee", "-o", "o.png"]) == 2
    assert b"caf?.png" in written.getvalue()


LONG = "x" * 260 + ".png"


@pytest.mark.parametrize(
    "words",
    [
        ["stylize", "chelsea", "coffee", "--encoder-weights", LONG, "-o", "o.png"],
        ["lab", LONG],
        ["video", LONG, "coffee", "-o", "o.gif"],
        ["train", "johnson", "--photos", LONG, "--style", "coffee", "--out", "o.safetensors"],
        ["study", "show", LONG],
    ],
    ids=lambda words: " ".join(words).replace(LONG, "LONG"),
)
def test_a_name_too_long_for_the_system_is_named(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = refused(words, capsys)
    assert LONG in said and "File name too long" in said and "Errno" not in said
    assert not list(tmp_path.iterdir())


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


@pytest.mark.parametrize(
    "words",
    [["--levels", "2"], ["--start", "style"], ["--keep-colours"], ["--strength", "0"], ["--precision", "bfloat16"]],
)
def test_stylize_options(tmp_path, photo, words):
    out = tmp_path / "pastiche.jpg"
    assert main(["stylize", str(photo), "coffee", "-o", str(out), *FEW, *words]) == 0
    assert read_image(out).shape == (1, 3, 64, 77)
    assert "keep_colours" in read_settings(out)
    assert read_settings(out)["precision"] == ("bfloat16" if "bfloat16" in words else "float32")
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
        (["chelsea", "coffee", "--size", "many"], "'many' is not a whole number from 32"),
        (["chelsea", "coffee", "--size", "16"], "'16' is not a whole number from 32"),
        (["chelsea", "coffee", "--steps", "0"], "from 1 up"),
        (["chelsea", "coffee", "--strength", "-1"], "from 0 up"),
        (["chelsea", "coffee", "--strength", "nan"], "from 0 up"),
        (["chelsea", "coffee", "--encoder", "vgg"], "invalid choice"),
        (["chelsea", "coffee", "--start", "black"], "invalid choice"),
        (["chelsea", "coffee", "--precision", "float16"], "invalid choice"),
        (["chelsea", "coffee", "--method", "dreams"], "invalid choice"),
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
        ("o.gif", "choose .jpg, .jpeg, .png, .webp"),
        ("none/o.png", "create it first"),
        ("folder.png", "is a folder"),
    ],
)
def test_out_is_checked_before_the_work(tmp_path, capsys, monkeypatch, out, said):
    monkeypatch.setattr(gatys, "stylize", None)
    (tmp_path / "folder.png").mkdir()
    assert said in refused(["stylize", "chelsea", "coffee", "-o", str(tmp_path / out)], capsys)


@pytest.mark.parametrize("link", [os.link, os.symlink, None])
@pytest.mark.parametrize(
    "words",
    [
        ["stylize", "{}", "coffee"],
        ["stylize", "chelsea", "{}"],
        ["stylize", "china", "rocket", "--method", "photo", "--content-mask", "{}", "--style-mask", "rocket"],
        ["stylize", "china", "rocket", "--method", "photo", "--content-mask", "china", "--style-mask", "{}"],
        ["stylize", "chelsea", "--method", "johnson", "--weights", "{}"],
        ["stylize", "chelsea", "coffee", "--encoder-weights", "{}"],
        ["compare", "--content", "{}"],
        ["compare", "--style", "{}"],
        ["compare", "--judge", "{}"],
    ],
    ids=" ".join,
)
def test_nothing_that_is_read_is_overwritten(photo, capsys, words, link):
    """By whatever name it is called."""
    before, out = photo.read_bytes(), photo
    if link:
        out = photo.with_name("other.png")
        link(photo, out)
    assert "is also read as input" in refused([*(word.format(photo) for word in words), "-o", str(out)], capsys)
    assert photo.read_bytes() == before and out.read_bytes() == before


def test_the_file_says_no_password_or_token(tmp_path, monkeypatch):
    monkeypatch.setattr("stylelearn.images.read_image", lambda source, size: torch.rand(1, 3, 32, 32))
    address, out = "https://me:secret@example.org/a/photo.png?token=mine", tmp_path / "o.png"
    assert main(["stylize", address, address, "-o", str(out), "--method", "adain"]) == 0
    kept = read_settings(out)
    assert kept["content"] == kept["style"] and "example.org" in kept["style"] and "photo.png" in kept["style"]
    assert not any(word in str(kept) for word in ("me:", "secret", "token", "mine"))


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there(device, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    said = refused(["stylize", "chelsea", "coffee", "-o", str(tmp_path / "o.png"), "--device", device], capsys)
    assert f"--device {device} is not available here; this machine has: cpu" in said


@pytest.mark.parametrize("words", [["--method", "photo"], ["--method", "style-swap"], ["--keep-colours"]])
def test_apples_gpus_are_refused_where_they_are_too_coarse(words, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    command = ["stylize", "chelsea", "coffee", "-o", str(tmp_path / "o.png"), "--device", "mps", *words]
    said = refused(command, capsys)
    assert f"{' '.join(words)} computes in float64, which Apple's GPUs do not have; use --device cpu" in said


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


# --------------------------------------------------------------------------- stylize with a trained network


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A small untrained network of each kind, as files."""
    folder = tmp_path_factory.mktemp("tiny")
    files = {name: folder / f"{name}.safetensors" for name in ("johnson", "cin", "adain")}
    torch.manual_seed(1)
    johnson.save(johnson.TransformationNet((4, 4, 4), 1), files["johnson"], style="stripes")
    many = cin.StyleNet(["dots", "lines", "waves"], (4, 4, 4), 1)
    for norm in many.norms():
        torch.nn.init.normal_(norm.gamma, 1.0, 0.5)
        torch.nn.init.normal_(norm.beta, 0.0, 0.5)
    write_weights(files["cin"], many.state_dict(), many.about)
    write_weights(
        files["adain"], adain.AdaIN(Encoder("mini"), layer="relu2_1").decoder.state_dict(), {"layer": "relu2_1"}
    )
    return files


@pytest.fixture
def stylize_with(tiny, photo, tmp_path):
    """Runs `stylize PHOTO --method NAME --weights FILE …`; returns the picture and its settings."""

    def go(name, *words, size=("--size", "32")):
        out = tmp_path / f"{len(list(tmp_path.iterdir()))}.png"
        command = ["stylize", str(photo), "-o", str(out), "--method", name, "--weights", str(tiny[name]), *size]
        assert main([*command, *words]) == 0
        return read_image(out), read_settings(out)

    return go


def levels(image):
    """What a PNG keeps of it."""
    return (image * 255).round() / 255


def test_johnson_is_one_pass_of_the_network(stylize_with, tiny, photo):
    found, settings = stylize_with("johnson")
    assert torch.allclose(found, levels(johnson.load(tiny["johnson"])(read_image(photo, size=32))), atol=1e-6)
    asked = {"method": "johnson", "style": "stripes", "weights": "johnson.safetensors", "content": "photo.png"}
    assert settings | asked | {"size": 32, "keep_colours": False, "device": "cpu"} == settings
    assert "steps" not in settings and "strength" not in settings


@pytest.mark.parametrize(
    ("words", "shares"),
    [
        (["--style", "lines"], {"lines": 1}),
        (["--style", "lines", "dots"], {"lines": 1, "dots": 1}),
        (["--style", "lines", "--style", "dots", "--shares", "3", "1"], {"lines": 3, "dots": 1}),
    ],
)
def test_cin_mixes_by_shares(stylize_with, tiny, photo, words, shares):
    found, settings = stylize_with("cin", *words)
    network = cin.load(tiny["cin"])
    expected = network(read_image(photo, size=32), network.mix(shares))
    assert torch.allclose(found, levels(expected), atol=1e-6)
    assert not torch.allclose(found, network(read_image(photo, size=32), network.mix("waves")), atol=0.01)
    if len(shares) == 1:
        assert settings["style"] == "lines" and "shares" not in settings
    else:
        assert settings["style"] == ["lines", "dots"]
        assert settings["shares"] == [shares["lines"] / sum(shares.values()), shares["dots"] / sum(shares.values())]


def test_adain_takes_any_pictures(stylize_with, tiny, photo):
    words = ["geometric", "batik", "--shares", "1", "3", "--strength", "0.5"]
    found, settings = stylize_with("adain", *words)
    network, content = adain.load(tiny["adain"]), read_image(photo, size=32)
    styles = [samples.style(name, 32) for name in ("geometric", "batik")]
    expected = network(content, styles, strength=0.5, shares=[1, 3])
    assert torch.allclose(found, levels(expected), atol=1e-6)
    asked = {"style": ["geometric", "batik"], "shares": [0.25, 0.75], "strength": 0.5, "layer": "relu2_1"}
    assert settings | asked | {"encoder": "mini", "method": "adain"} == settings
    assert torch.equal(stylize_with("adain", "batik")[0], stylize_with("adain", "batik", "--strength", "1")[0])


def test_styles_may_stand_before_and_after_options(stylize_with, tiny, photo, tmp_path):
    before, after = tmp_path / "before.png", tmp_path / "after.png"
    method = ["--method", "adain", "--weights", str(tiny["adain"]), "--size", "32"]
    assert main(["stylize", str(photo), "batik", "geometric", *method, "-o", str(before)]) == 0
    assert main(["stylize", str(photo), *method, "batik", "-o", str(after), "geometric"]) == 0
    assert torch.equal(read_image(before), read_image(after))


@pytest.mark.parametrize(("name", "words"), [("johnson", []), ("cin", ["--style", "dots"])])
def test_kept_colours_of_a_network(stylize_with, photo, name, words):
    """A grey photo stays grey, also where it is recoloured in several parts."""
    plain, _ = stylize_with(name, *words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stylelearn.painting.ROWS", 7)
        kept, settings = stylize_with(name, *words, "--keep-colours")
    assert settings["keep_colours"] is True
    assert (kept.amax(1) - kept.amin(1)).max() < 3 / 255 < (plain.amax(1) - plain.amin(1)).max()
    assert torch.allclose(luminance(kept), luminance(plain), atol=2 / 255)


def test_kept_colours_of_adain_are_matched_in_the_style(stylize_with, tiny, photo):
    found, _ = stylize_with("adain", "batik", "--keep-colours")
    expected = adain.load(tiny["adain"])(read_image(photo, size=32), samples.style("batik", 32), colours=True)
    assert torch.allclose(found, levels(expected), atol=1e-6)


@pytest.mark.parametrize(("name", "words"), [("johnson", []), ("cin", ["--style", "dots"]), ("adain", ["geometric"])])
def test_full_size_and_large_pictures(stylize_with, photo, capsys, monkeypatch, name, words):
    """As large as it is; beyond `tiling.LARGE` band by band, which changes nothing that one can see, and is said."""
    whole, settings = stylize_with(name, *words, size=["--full-size"])
    assert whole.shape == (1, 3, 80, 96) and settings["size"] is None
    assert "80" in capsys.readouterr().out
    monkeypatch.setattr("stylelearn.networks.tiling.LARGE", 1000)
    monkeypatch.setattr("stylelearn.networks.tiling.ROWS", 32)
    banded, _ = stylize_with(name, *words, size=["--full-size"])
    assert "painting 96 × 80 pixels, band by band" in capsys.readouterr().out
    assert (whole - banded).abs().max() <= 2 / 255


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("johnson", ["--style", "stripes"], "say which style: --style NAME or --weights FILE"),  # both were said
        ("johnson", ["geometric"], "takes no picture of one, but got 'geometric'; say --style NAME"),
        ("johnson", ["--steps", "5"], "--steps is not for --method johnson; it is for gatys"),
        ("johnson", ["--frames", "3"], "unrecognized arguments: --frames 3"),
        ("cin", [], "say which style: --style NAME; it knows dots, lines, waves"),
        ("cin", ["--style", "linse"], "did you mean 'lines'? It knows dots, lines, waves; of the course"),
        ("cin", ["--style", "qqq"], "has not learnt the style 'qqq'; it knows dots, lines, waves"),
        ("cin", ["--style", "dots", "dots"], "name each style once"),
        ("cin", ["--style", "dots", "--shares", "1", "2"], "--shares are 1 2, but there are 1 styles"),
        ("cin", ["--style", "dots", "lines", "--shares", "0", "0"], "at least one must be above 0"),
        ("cin", ["--style", "dots", "--shares", "-1"], "'-1' is not a number from 0 up"),
        ("adain", [], "a style is missing: stylize CONTENT STYLE"),
        (
            "adain",
            ["batik", "--style", "dots"],
            "--style is not for --method adain; it is for johnson, cin; adain takes any picture",
        ),
        ("adain", ["batik", "--strength", "1.5"], "--strength is 1.5; with adain it goes from 0 (the content)"),
        ("adain", ["batik", "--encoder", "vgg16", "--encoder-weights", "none.pth"], "no weights at none.pth"),
        ("adain", ["batik", "--full-size", "--size", "32"], "contradict each other"),
        ("adain", ["batik", "nothing.jpg"], "'nothing.jpg' does not exist"),
    ],
)
def test_networks_refuse(tiny, photo, tmp_path, capsys, name, words, said):
    out = tmp_path / "o.png"
    command = ["stylize", str(photo), "-o", str(out), "--method", name, "--weights", str(tiny[name])]
    assert said in refused([*command, *words], capsys)
    assert not out.exists()


def test_gatys_refuses_what_is_for_networks(tmp_path, photo, capsys):
    wrong = {
        "--style is not for --method gatys": ["--style", "mosaic"],
        "takes one style, but got coffee, chelsea; --method adain mixes several": ["coffee", "chelsea"],
        "a style is missing": [],
    }
    for said, words in wrong.items():
        assert said in refused(["stylize", str(photo), "-o", str(tmp_path / "o.png"), *words], capsys)


@pytest.mark.parametrize(("name", "words"), [("johnson", []), ("cin", ["--style", "dots"]), ("adain", ["batik"])])
def test_too_small_a_picture_is_refused_with_the_minimum(tiny, tmp_path, capsys, name, words):
    small = tmp_path / "small.png"
    Image.new("RGB", (40, 3), "red").save(small)
    command = ["stylize", str(small), *words, "-o", str(tmp_path / "o.png"), "--full-size", "--method", name]
    said = refused([*command, "--weights", str(tiny[name])], capsys)
    smallest = johnson.SMALLEST if name != "adain" else 4  # two cells of relu2_1
    assert "3x40" in said and f"at least {smallest} px" in said


def test_weights_that_are_missing_damaged_or_of_another_network(tiny, photo, tmp_path, capsys, monkeypatch):
    def say(*words):
        return refused(["stylize", str(photo), "-o", str(tmp_path / "o.png"), *words], capsys)

    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(tiny["johnson"].read_bytes()[:-100])
    for name, style in (("johnson", []), ("cin", ["--style", "dots"]), ("adain", ["batik"])):
        method = ["--method", name, *style]
        assert "no file of that name; `stylelearn train" in say(*method, "--weights", str(tmp_path / "none"))
        assert "damaged" in say(*method, "--weights", str(damaged))
        other = "cin" if name == "johnson" else "johnson"
        assert f"holds a network of {other}, not of {name}" in say(*method, "--weights", str(tiny[other]))
    monkeypatch.setattr(johnson, "styles", list)
    said = say("--method", "johnson", "--style", "mosaic")
    assert "git checkout -- data/weights" in said and "stylelearn train johnson" in said and "--weights FILE" in said


def test_an_unknown_style_lists_the_known_ones(photo, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(johnson, "styles", lambda: ["great_wave", "starry_night"])
    command = ["stylize", str(photo), "-o", str(tmp_path / "o.png"), "--method", "johnson"]
    assert "the course ships great_wave, starry_night" in refused(command, capsys)
    said = refused([*command, "--style", "stary_night"], capsys)
    assert "did you mean 'starry_night'? It knows great_wave, starry_night" in said
    assert "for the style of any picture use adain" in said
    assert "--method cin mixes" in refused([*command, "--style", "great_wave", "starry_night"], capsys)


# The networks that ship.


@pytest.mark.parametrize("name", ["johnson", "cin"])
def test_every_shipped_style_can_be_painted(name, photo, tmp_path):
    styles = johnson.styles() if name == "johnson" else cin.load().styles
    assert len(styles) >= (4 if name == "johnson" else 12)
    for style in styles:
        out = tmp_path / f"{style}.png"
        command = ["stylize", str(photo), "-o", str(out), "--method", name, "--style", style, "--size", "32"]
        assert main(command) == 0
        assert read_settings(out)["style"] == style


def test_the_shipped_decoder_paints(photo, tmp_path):
    out = tmp_path / "o.png"
    assert main(["stylize", str(photo), "coffee", "batik", "-o", str(out), "--method", "adain", "--size", "64"]) == 0
    assert read_settings(out)["shares"] == [0.5, 0.5]
