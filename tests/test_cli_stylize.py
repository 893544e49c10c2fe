"""`stylelearn stylize`: what each method writes, against the method's own functions, and every mistake."""

import functools
import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from hands import tiny_adjustable
from PIL import Image
from test_cli import refused
from torch import Tensor

from stylelearn import adain, adjustable, cin, gatys, johnson, photo, practice, samples, style_swap
from stylelearn.cli import main, stylize
from stylelearn.colour import luminance
from stylelearn.encoders import Encoder
from stylelearn.gatys import STYLE_WEIGHT
from stylelearn.images import read_image, read_settings
from stylelearn.optimize import Diverged, optimize_image, result
from stylelearn.segmentation import cluster, course_mask
from stylelearn.weights import write_weights

FEW = ["--size", "64", "--steps", "3"]
LAYERS = ["relu1_1", "relu2_1", "relu4_1"]  # of the adjustable network


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("picture") / "photo.png"
    Image.linear_gradient("L").convert("RGB").resize((96, 80)).save(path)
    return path


@pytest.fixture
def painted(picture, tmp_path):
    """Runs `stylize PICTURE …`; returns what is in the file, the picture and its settings."""

    def go(*words, content=picture, out="out.png", status=0):
        path = tmp_path / out
        assert main([*map(str, ["stylize", content, *words, "-o", path])]) == status
        return read_image(path), read_settings(path)

    return go


def levels(image: Tensor) -> Tensor:
    """What a PNG keeps of it."""
    return (image * 255).round() / 255


def is_grey(image: Tensor) -> bool:
    return bool((image.amax(1) - image.amin(1)).max() < 3 / 255)


# --- pixels that are optimised ----------------------------------------------------------------------------------------


def test_samples(painted, capsys):
    style = samples.style_names()[0]
    image, settings = painted(style, *FEW, "--strength", "0.5", "--seed", "7", content="chelsea")
    said = capsys.readouterr()
    assert "out.png: 3 steps, loss" in said.out
    assert "loss" in said.err and "3/3" in said.err and "left" in said.err  # the progress bar
    assert image.shape == samples.content("chelsea", 64).shape
    asked = {"content": "chelsea", "style": style, "encoder": "mini", "size": 64, "seed": 7, "start": "content"}
    assert settings | asked == settings
    assert settings["style_weight"] == 0.5 * STYLE_WEIGHT and settings["strength"] == 0.5
    assert settings["steps"] == settings["steps_done"] == 3


def test_steps_lower_the_loss_and_the_seed_decides(painted):
    style = samples.style_names()[1]
    found = [
        painted(style, "--size", "64", "--steps", steps, "--start", "noise", "--seed", seed)
        for seed, steps in ((1, 2), (1, 8), (1, 2), (2, 2))
    ]
    losses, pictures = [settings["loss"] for _, settings in found], [image for image, _ in found]
    assert losses[1] < losses[0]
    assert torch.equal(pictures[0], pictures[2])
    assert not torch.equal(pictures[0], pictures[3])


def test_kept_colours_are_the_contents(painted):
    """A grey content keeps its colours: the pastiche is grey."""
    words = ["coffee", "--size", "64", "--steps", "6"]
    assert is_grey(painted(*words, "--keep-colours")[0]) and not is_grey(painted(*words)[0])


def test_another_encoder(painted, squeezenet):
    words = ["--encoder", "squeezenet", "--encoder-weights", squeezenet]
    _, settings = painted("coffee", *FEW, *words, out="out.webp")
    assert settings["encoder"] == "squeezenet" and settings["encoder_weights"] == "squeezenet.safetensors"


def test_style_swap_optimised(picture, painted):
    words = ["--size", "32", "--steps", "3", "--start", "noise", "--seed", "4", "--patch", "2"]
    found, settings = painted("mosaic", "--method", "style-swap", "--optimize", *words)
    content, style = read_image(picture, size=32), samples.style("mosaic", 32)
    objective = style_swap.objective(content, style, encoder=Encoder("mini"), patch=2)
    best = result(optimize_image(gatys.start_image("noise", content, style, 4), objective, 3))
    assert torch.allclose(found, levels(best), atol=1 / 255 + 1e-6)
    asked = {"optimize": True, "steps": 3, "steps_done": 3, "start": "noise", "seed": 4, "patch": 2, "layer": "relu3_1"}
    assert settings | asked == settings and "weights" not in settings


class Interrupted:
    """Steps until Ctrl-C is pressed, or until the optimisation diverges."""

    def __init__(self, real, count, error=KeyboardInterrupt):
        self.real, self.count, self.error = real, count, error

    def __call__(self, *arguments, **options):
        for step in self.real(*arguments, **options):
            if step.number > self.count:
                raise self.error if self.error is KeyboardInterrupt else self.error("NaN", step.number, step.best_image)
            yield step


def test_ctrl_c_keeps_the_best_picture(painted, monkeypatch, capsys):
    """In full size, also while the pixels are still those of a coarse level."""
    monkeypatch.setattr(gatys, "stylize", Interrupted(gatys.stylize, 2))
    image, settings = painted("coffee", "--size", "64", "--steps", "9", "--levels", "2", status=130)
    said = capsys.readouterr().out
    assert image.shape == (1, 3, 64, 77)
    assert "stopped after 2 of 9 steps; the best picture so far is in" in said and "out.png" in said
    assert settings["steps_done"] == 2 and settings["steps"] == 9


def test_ctrl_c_before_the_first_step_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gatys, "stylize", Interrupted(gatys.stylize, 0))
    assert main(["stylize", "chelsea", "coffee", "-o", str(tmp_path / "o.png"), *FEW]) == 130
    assert capsys.readouterr().err.endswith("stylelearn stylize: stopped\n")
    assert not (tmp_path / "o.png").exists()


def test_divergence_keeps_the_best_picture(painted, monkeypatch, capsys):
    monkeypatch.setattr(gatys, "stylize", Interrupted(gatys.stylize, 2, Diverged))
    assert painted("coffee", *FEW, status=1)[0].shape == (1, 3, 64, 77)
    assert "NaN" in capsys.readouterr().err


# --- deep photo -------------------------------------------------------------------------------------------------------

PHOTO = ["rocket", "--method", "photo", "--size", "48", "--steps", "4"]
CONTENT, STYLE = samples.content("china", 48), samples.content("rocket", 48)


def by_photo(masks=(None, None), smooth=8, **weights) -> Tensor:
    found = result(photo.stylize(CONTENT, STYLE, *masks, encoder=Encoder("mini"), steps=(1, 3), **weights))
    return photo.smooth(found, CONTENT, smooth) if smooth else found


def test_photo_with_masks_of_the_course_and_of_a_file(painted, capsys):
    words = ["--content-mask", "china", "--style-mask", samples.data_file("masks", "rocket.png")]
    found, settings = painted(*PHOTO, *words, content="china")
    masks = [course_mask(name, tuple(x.shape[2:])) for name, x in (("china", CONTENT), ("rocket", STYLE))]
    assert (found - by_photo(masks)).abs().max() <= 0.51 / 255
    assert settings["content_mask"] == "china" and settings["style_mask"] == "rocket.png" and "regions" not in settings
    assert settings["lambda"] == 1e6 and settings["steps"] == 4 and settings["smooth"] == 8
    said = capsys.readouterr().out
    for found in masks:  # the region's name, and the percentage counted pixel by pixel
        for number, name in enumerate(found.names):
            share = sum(label == number for label in found.labels.flatten().tolist()) / found.labels.numel()
            assert f"{name} {100 * share:.0f} %" in said


def test_photo_without_masks_is_clustered_and_every_number_counts(painted):
    words = ["--regions", "3", "--lambda", "10", "--strength", "0.5", "--smooth", "0"]
    found, settings = painted(*PHOTO, *words, content="china")
    masks = cluster(CONTENT, STYLE, regions=3)
    wanted = by_photo(masks, smooth=0, photorealism_weight=10.0, style_weight=photo.STYLE_WEIGHT / 2)
    assert (found - wanted).abs().max() <= 0.51 / 255
    asked = {"regions": 3, "lambda": 10, "strength": 0.5, "smooth": 0}
    assert settings | asked == settings and "content_mask" not in settings


# --- networks ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A small untrained network of each kind, as files; "one" is an adjustable network of one style."""
    folder = tmp_path_factory.mktemp("tiny")
    names = ("johnson", "cin", "adain", "style_swap", "adjustable", "one")
    files = {name: folder / f"{name}.safetensors" for name in names}
    torch.manual_seed(1)
    johnson.save(johnson.TransformationNet((4, 4, 4), 1), files["johnson"], style="stripes")
    many = cin.StyleNet(["dots", "lines", "waves"], (4, 4, 4), 1)
    for norm in many.norms():
        torch.nn.init.normal_(norm.gamma, 1.0, 0.5)
        torch.nn.init.normal_(norm.beta, 0.0, 0.5)
    write_weights(files["cin"], many.state_dict(), many.about)
    layer = {"encoder": "mini", "layer": "relu2_1"}
    write_weights(files["adain"], adain.AdaIN(Encoder("mini"), layer="relu2_1").decoder.state_dict(), layer)
    inverse = style_swap.StyleSwap(Encoder("mini"), layer="relu2_1").decoder
    write_weights(files["style_swap"], inverse.state_dict(), layer | {"upsampling": "nearest"})
    for name in ("adjustable", "one"):
        net = tiny_adjustable(any_style=name == "adjustable")
        net.about["objective"] = dict.fromkeys([*(f"style {name}" for name in LAYERS), "content relu4_2", "tv"], 1.0)
        write_weights(files[name], adjustable._state(net), net.about)
    return files


def style(name: str) -> Tensor:
    return samples.style(name, 32)


def mixed(shares: dict[str, float]) -> Any:
    return lambda net, x: net(x, net.mix(shares))


def with_alphas(**alphas: float) -> tuple[Any, dict[str, Any]]:
    def paint(net: Any, x: Tensor) -> Tensor:
        return net(x, net.style(style("batik")) if net.about["any_style"] else None, net.alphas(alphas))

    return paint, {"alpha": dict.fromkeys(LAYERS, 1.0) | alphas}


@pytest.mark.parametrize(
    ("kind", "words", "expected", "kept"),
    [
        ("johnson", "", lambda net, x: net(x), {"style": "stripes"}),
        ("cin", "--style lines dots", mixed({"lines": 1, "dots": 1}), {"shares": [0.5, 0.5]}),
        (
            "cin",
            "--style lines --style dots --shares 3 1",
            mixed({"lines": 3, "dots": 1}),
            {"style": ["lines", "dots"], "shares": [0.75, 0.25]},
        ),
        (
            "adain",
            "geometric --shares 1 3 --strength 0.5 batik",  # styles may stand before and after options
            lambda net, x: net(x, [style("geometric"), style("batik")], strength=0.5, shares=[1, 3]),
            {"style": ["geometric", "batik"], "shares": [0.25, 0.75], "strength": 0.5, "encoder": "mini"},
        ),
        (
            "adain",
            "batik --keep-colours",  # matched in the style
            lambda net, x: net(x, style("batik"), colours=True),
            {"keep_colours": True, "layer": "relu2_1", "style": "batik", "strength": 1},
        ),
        (
            "adain",
            "batik --style-size 48",
            lambda net, x: net(x, samples.style("batik", 48)),
            {"style": "batik", "style_size": 48},
        ),
        (
            "style_swap",
            "mosaic --patch 2 --stride 2 --strength 0.7",
            lambda net, x: net(x, style("mosaic"), patch=2, stride=2, strength=0.7),
            {"style": "mosaic", "patch": 2, "stride": 2, "strength": 0.7, "layer": "relu2_1", "encoder": "mini"},
        ),
        ("adjustable", "batik --alpha relu1_1=0.3,relu2_1=0.5", *with_alphas(relu1_1=0.3, relu2_1=0.5)),
        ("one", "--alpha relu1_1=0.5", *with_alphas(relu1_1=0.5)),
    ],
)
def test_one_pass_is_that_of_the_network(kind, words, expected, kept, painted, tiny, picture, capsys):
    modules = {"johnson": johnson, "cin": cin, "adain": adain, "style_swap": style_swap}
    method = "adjustable" if kind == "one" else kind.replace("_", "-")
    found, settings = painted(*words.split(), "--method", method, "--weights", tiny[kind], "--size", "32")
    wanted = expected(modules.get(kind, adjustable).load(tiny[kind]), read_image(picture, size=32))
    atol = (1 / 255 if kind == "style_swap" else 0) + 1e-6
    torch.testing.assert_close(found, levels(wanted), rtol=0, atol=atol)
    kept |= {"method": method, "weights": f"{kind}.safetensors", "content": "photo.png", "size": 32, "device": "cpu"}
    assert settings | kept == settings
    assert settings.get("shares") == kept.get("shares") and "steps" not in settings
    assert ("style" in settings) == (kind != "one") and ("strength" in settings) == (kind in ("adain", "style_swap"))
    assert "38 × 32 pixels in" in capsys.readouterr().out


def test_kept_colours_of_a_network(painted, tiny):
    """A grey photo stays grey, also where it is recoloured in several parts."""
    words = ["--method", "johnson", "--weights", tiny["johnson"], "--size", "32"]
    plain, _ = painted(*words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stylelearn.painting.ROWS", 7)
        kept, settings = painted(*words, "--keep-colours")
    assert settings["keep_colours"] is True and is_grey(kept) and not is_grey(plain)
    assert torch.allclose(luminance(kept), luminance(plain), atol=2 / 255)


def test_full_size_and_large_pictures(painted, tiny, capsys, monkeypatch):
    """Beyond `tiling.LARGE` pixels a picture is painted in bands, which changes nothing visible, and is said."""
    words = ["batik", "--method", "adjustable", "--weights", tiny["adjustable"], "--full-size"]
    whole, settings = painted(*words)
    assert whole.shape == (1, 3, 80, 96) and settings.get("size") is None
    monkeypatch.setattr("stylelearn.networks.tiling.LARGE", 1000)
    monkeypatch.setattr("stylelearn.networks.tiling.ROWS", 32)
    capsys.readouterr()
    banded, _ = painted(*words)
    assert "painting 96 × 80 pixels, band by band" in capsys.readouterr().out
    assert (whole - banded).abs().max() <= 2 / 255


def test_practice_comes_before_the_picture(painted, tiny, picture, monkeypatch):
    quick = functools.partial(practice.practise, size=16)
    words = ["batik", "--practice", "2", "--method", "adjustable", "--weights", tiny["adjustable"], "--size", "32"]
    net = adjustable.load(tiny["adjustable"])

    def stopped(*given: Any, **more: Any) -> Any:
        yield from itertools.islice(quick(*given, **more), 1)
        raise KeyboardInterrupt

    for practise, done in ((quick, 2), (stopped, 1)):
        monkeypatch.setattr(practice, "practise", practise)
        found, settings = painted(*words)
        *_, (_, code) = itertools.islice(quick(net, style("batik"), steps=2), done)
        wanted = net(read_image(picture, size=32), code, net.alphas(1.0))
        torch.testing.assert_close(found, levels(wanted), rtol=0, atol=1e-6)
        assert settings["practice"] == done


def test_what_ships_paints(painted):
    for words in ("--method johnson --style starry_night", "--method cin --style mosaic", "batik --method adain"):
        assert painted(*words.split(), "--size", "32")[1]["style"] in words


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "stylize {} coffee",
        "stylize china rocket --method photo --content-mask {} --style-mask rocket",
        "stylize chelsea --method johnson --weights {}",
        "stylize chelsea coffee --encoder-weights {}",
        "compare --style {}",
    ],
)
def test_nothing_that_is_read_is_overwritten(picture, capsys, words):
    assert "is also read as input" in refused([*words.format(picture).split(), "-o", str(picture)], capsys)


def test_the_file_says_no_password_or_token(tmp_path, monkeypatch):
    monkeypatch.setattr("stylelearn.images.read_image", lambda source, size: torch.rand(1, 3, 32, 32))
    address, out = "https://me:secret@example.org/a/photo.png?token=mine", tmp_path / "o.png"
    assert main(["stylize", address, address, "-o", str(out), "--method", "adain"]) == 0
    kept = read_settings(out)
    assert kept["content"] == kept["style"] and "example.org" in kept["style"] and "photo.png" in kept["style"]
    assert not any(word in str(kept) for word in ("me:", "secret", "token", "mine"))


def test_a_file_comes_before_a_sample_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (40, 40), "red").save(tmp_path / "chelsea", "png")
    assert stylize.picture("chelsea", 16)[0, 0].min() > 0.999
    assert torch.equal(stylize.picture("coffee", 16), samples.content("coffee", 16))


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        # pictures and numbers
        ("chelsey coffee", "did you mean 'chelsea'?"),
        ("qqq coffee", "the course has astronaut"),
        ("nothing.jpg coffee", "'nothing.jpg' does not exist"),
        ("chelsea coffee --strength nan", "from 0 up"),
        ("chelsea coffee --size 16", "'16' is not a whole number from 32"),
        ("chelsea coffee --full-size --size 32", "--size: not allowed with argument --full-size"),
        # styles
        ("chelsea", "a style is missing: stylize CONTENT STYLE"),
        ("chelsea coffee china", "takes one style, but got coffee, china; --method adain mixes several"),
        ("{} --method johnson --weights {johnson} --style stripes", "--style NAME or --weights FILE"),  # both were said
        ("{} --method johnson --weights {johnson} geometric", "takes no picture of one, but got 'geometric'"),
        ("{} --method cin --weights {cin}", "say which style: --style NAME; it knows dots, lines, waves"),
        (
            "{} --method cin --weights {cin} --style linse",
            "did you mean 'lines'? It knows dots, lines, waves; for the style of any picture use adain",
        ),
        ("{} --method cin --weights {cin} --style dots dots", "name each style once"),
        ("{} --method cin --weights {cin} --style dots --style-size 64", "--style-size is for pictures of styles"),
        ("{} --method cin --weights {cin} --style dots --shares 1 2", "--shares are 1 2, but there are 1 styles"),
        ("{} --method cin --weights {cin} --style dots lines --shares 0 0", "at least one must be above 0"),
        ("{} --method adjustable --weights {adjustable}", "a style is missing: stylize CONTENT STYLE"),
        ("{} --method adain --weights {adain} batik --style dots", "it is for johnson, cin; adain takes any picture"),
        ("{} --method adjustable --weights {one} batik", "the style of one.safetensors is in its weights"),
        ("{} --method adjustable --weights {one} --practice 3", "one.safetensors knows one style only"),
        # options of methods
        ("chelsea coffee --optimize", "--optimize is not for --method gatys; it is for style-swap"),
        ("chelsea mosaic --method adain --strength 1.5", "with adain it goes from 0 (the content) to 1"),
        ("chelsea mosaic --method adain --encoder vgg16 --encoder-weights none.pth", "no weights at none.pth"),
        ("chelsea mosaic --method style-swap --stride 4", "use 1 to 3, or a larger --patch"),
        ("chelsea mosaic --method style-swap --patch 50 --optimize --size 32", "a patch of 50x50 cells does not fit"),
        ("chelsea mosaic --method style-swap --weights none", "`stylelearn train inverse` makes one"),
        (
            "chelsea batik --method adjustable --alpha relu1_1",
            "'relu1_1' is not NAME=NUMBER; write them as relu1_1=0.3",
        ),
        (
            "{} batik --method adjustable --weights {adjustable} --alpha relu3_1=1",
            "no α for 'relu3_1'; there is one for relu1_1, relu2_1, relu4_1",
        ),
        # masks
        (
            "china rocket --method photo --content-mask camera --style-mask rocket",
            "--content-mask camera: the mask is 512x512",
        ),
    ],
)
def test_mistakes(words, said, tiny, picture, tmp_path, capsys, monkeypatch, root):
    monkeypatch.chdir(root)
    words = words.format(picture, **tiny).split()
    assert said in refused(["stylize", *words, "-o", str(tmp_path / "o.png")], capsys)
    assert not list(tmp_path.iterdir())


def test_out_is_checked_before_the_work(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(gatys, "stylize", None)
    said = refused(["stylize", "chelsea", "coffee", "-o", str(tmp_path / "o.gif")], capsys)
    assert "choose .jpg, .jpeg, .png, .webp" in said


def test_a_device_that_is_not_there(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    said = refused(["stylize", "chelsea", "coffee", "-o", str(tmp_path / "o.png"), "--device", "cuda"], capsys)
    assert "--device cuda is not available here; this machine has: cpu" in said


@pytest.mark.parametrize("words", ["--method photo", "--method style-swap", "--keep-colours"])
def test_float64_is_refused_on_apples_gpus(words, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    command = ["stylize", "chelsea", "coffee", "-o", str(tmp_path / "o.png"), "--device", "mps", *words.split()]
    assert f"{words} computes in float64, which Apple's GPUs do not have; use --device cpu" in refused(command, capsys)


def test_weights_that_are_missing_damaged_or_of_another_network(tiny, tmp_path, capsys, monkeypatch):
    def say(*words: str | Path) -> str:
        command = ["stylize", "chelsea", "-o", str(tmp_path / "o.png"), "--method", "johnson"]
        return refused([*command, *map(str, words)], capsys)

    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(tiny["johnson"].read_bytes()[:-100])
    assert "no file of that name; `stylelearn train johnson" in say("--weights", tmp_path / "none")
    assert "damaged" in say("--weights", damaged)
    assert "holds a network of cin, not of johnson" in say("--weights", tiny["cin"])
    assert "the course ships" in say() and "--method cin mixes" in say("--style", "great_wave", "starry_night")
    monkeypatch.setattr(johnson, "styles", list)
    said = say("--style", "mosaic")
    assert "git checkout -- data/weights" in said and "stylelearn train johnson" in said and "--weights FILE" in said
