"""The labs of lessons 00 to 02 held against their methods, and pictures that remember how they were made."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hands import SOON, drawn, ends, upload

from stylelearn import gatys, samples
from stylelearn.colour import luminance, rgb_to_ycbcr
from stylelearn.encoders import STYLE_LAYERS, Encoder
from stylelearn.images import psnr, read_image
from stylelearn.lab import GatysLab, InversionLab, JohnsonLab, WelcomeLab
from stylelearn.lab.gatys import NO_CONTENT
from stylelearn.lab.layers import OWN, LayerWeights
from stylelearn.lab.steps import StepLab, fitted
from stylelearn.lab.widgets.choosers import PictureChooser
from stylelearn.lab.widgets.stage import curves

pytestmark = pytest.mark.usefixtures("labs")

SMALL = {"size": 64, "first_steps": 0}


def test_the_first_result_is_what_the_method_gives() -> None:
    content, style = samples.content("chelsea", 64), samples.style(samples.style_names()[0], 64)
    encoder = Encoder("mini")
    for lab in (GatysLab("chelsea", size=64, first_steps=4), WelcomeLab("chelsea", size=64, first_steps=4)):
        *_, last = gatys.stylize(content, style, encoder=encoder, steps=4)
        assert torch.equal(lab.image, last.best_image)


def test_gatys_controls_reach_the_method(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = GatysLab(
        "astronaut", style_weight=0.1, layer_weights={"relu2_1": 0.5, "relu4_1": 0.5}, content_layer="relu2_2",
        start="noise", seed=3, tv_weight=0.3, optimizer="adam", levels=2, **SMALL,
    )  # fmt: skip
    asked: dict[str, Any] = {}
    monkeypatch.setattr(gatys, "stylize", lambda content, style, **options: asked.update(options) or iter(()))
    lab.start()
    assert lab.wait(SOON)
    assert asked.pop("encoder").name == "mini"
    assert asked == {
        "steps": 200, "start": "noise", "seed": 3, "optimizer": "adam", "levels": 2, "content_weight": 1.0,
        "style_weight": 0.1, "content_layer": "relu2_2", "tv_weight": 0.3,
        "layer_weights": {"relu1_1": 0.0, "relu2_1": 0.5, "relu3_1": 0.0, "relu4_1": 0.5, "relu5_1": 0.0},
    }  # fmt: skip
    lab.controls["content_layer"].value = NO_CONTENT
    lab.start()
    assert lab.wait(SOON)
    assert asked["content_weight"] == 0


def test_luminance_only_keeps_the_colours_of_the_content() -> None:
    lab = GatysLab("coffee", colour="content", size=64, first_steps=6)
    photo = samples.content("coffee", 64)
    assert not torch.allclose(luminance(lab.image), luminance(photo), atol=0.05)
    clamped = ((lab.image == 0) | (lab.image == 1)).any(dim=1, keepdim=True)  # a colour that a screen cannot show
    difference = (rgb_to_ycbcr(lab.image) - rgb_to_ycbcr(photo))[:, 1:].abs() * ~clamped
    assert float(difference.max()) < 1e-3


def test_continue_takes_another_size_and_another_picture() -> None:
    lab = GatysLab("chelsea", size=64, steps=10, first_steps=2)
    lab.controls["size"].value = 96
    lab.controls["content"].choose("rocket")
    lab.resume()
    assert lab.wait(SOON)
    assert lab.error == ""
    assert lab.image.shape == fitted(samples.content("rocket"), 96).shape
    assert lab._made["steps_done"] == 12


def test_an_encoder_that_cannot_be_had_is_told_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    lab = GatysLab(encoder_name="vgg19", size=64, first_steps=1)
    assert "vgg19" in lab.error and "mini" in lab.error  # a way out


def test_the_slider_of_the_welcome_lab_starts_on_release_and_other_labs_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[type, bool]] = []
    monkeypatch.setattr(StepLab, "start", lambda self, restart=False: started.append((type(self), restart)))
    lab = WelcomeLab(**SMALL)
    assert started == []
    lab.style_weight.value = 100
    lab.content.choose("rocket")
    assert started == [(WelcomeLab, True)] * 2
    for other in (GatysLab(**SMALL), InversionLab(**SMALL)):
        for control in other.controls.values():
            if not isinstance(control, PictureChooser | LayerWeights):
                control.value = ends(control)[-1]
    assert len(started) == 2


def test_the_inversion_lab_tells_how_near_it_is() -> None:
    lab = InversionLab("camera", layer="relu1_1", size=64, first_steps=8)
    original = samples.content("camera", 64)
    assert f"{psnr(lab.image, original):.1f} dB" in lab.stage.caption
    start = gatys.start_image("noise", original, original, 0)
    assert psnr(lab.image, original) > psnr(start, original)
    assert lab.stage.tooltip.startswith("camera, left, and what relu1_1 remembers of it, right")


def test_a_saved_picture_brings_back_how_it_was_made(tmp_path: Path) -> None:
    lab = GatysLab(
        "coffee", "mosaic", style_weight=100.0, layer_weights="fine", start="noise", seed=7, size=80, first_steps=3
    )
    path = lab.save(str(tmp_path / "made.png"))
    other = GatysLab(**SMALL)
    upload(other.stage, path.read_bytes(), "made.png")
    assert other.error == ""
    assert other.settings == lab.settings
    torch.testing.assert_close(other.image, lab.image, rtol=0, atol=1 / 255)
    assert other._made["steps_done"] == 3 and "resume" in other.stage.enabled
    fixed = InversionLab("camera", size=80, first_steps=2)  # also what no control shows
    other = InversionLab(**SMALL)
    other.take(str(fixed.save(str(tmp_path / "fixed.png"))))
    assert other.settings == fixed.settings and other.image.shape == fixed.image.shape


def test_a_picture_of_ones_own_is_known_again_by_what_it_shows(tmp_path: Path) -> None:
    lab = GatysLab(**SMALL)
    upload(lab.stage, drawn("red"), "mine.png")  # a photo that is dropped on the picture
    assert lab.settings["content"] == "upload: mine.png"
    lab._runner.run_here(lab.job(lab.settings, None, 1))
    path = lab.save(str(tmp_path / "made.png"))
    lab.controls["seed"].value = 5
    other = GatysLab(**SMALL, seed=3)
    other.take(str(path))
    assert other.settings["seed"] == 0 and other.settings["content"] == samples.content_names()[0]
    assert other.error == ("the settings are back, but not the picture for content: upload: mine.png; choose it")
    other.content.choose(drawn("red"), "another name")
    other.content.choose("rocket")
    other.take(str(path))
    assert other.error == "" and other.settings["content"] == "another name"


def test_what_this_lab_did_not_save_is_a_photo(tmp_path: Path) -> None:
    path = InversionLab("camera", size=64, first_steps=1).save(str(tmp_path / "inversion.png"))
    lab = GatysLab(**SMALL, seed=3)
    lab.take(str(path))
    assert lab.settings["content"] == str(path) and lab.settings["seed"] == 3
    upload(lab.stage, b"no picture", "notes.txt")
    assert "notes.txt" in lab.error


def test_copied_code_makes_the_same_pixels(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for made in (
        GatysLab("coffee", "mosaic", layer_weights="deep", colour="content", size=64, first_steps=4),
        JohnsonLab("coffee", strength=0.7, size=96),
    ):
        made.stage.file_name = f"{type(made).__name__}.png"
        exec(made.code(), {})
        torch.testing.assert_close(read_image(made.stage.file_name), made.image, rtol=0, atol=1 / 255)


def test_presets_set_the_sliders_and_sliders_name_the_preset() -> None:
    layers = LayerWeights()
    assert layers.shares == dict.fromkeys(STYLE_LAYERS, 0.2)
    for name, shares in {"fine": (0.5, 0.5, 0, 0, 0), "none": (0,) * 5, "all": (0.2,) * 5}.items():
        layers.preset.value = name
        assert tuple(layers.shares.values()) == shares
    layers.sliders["relu1_1"].value = 0.5
    assert layers.preset.value == OWN
    assert layers.shares["relu1_1"] == pytest.approx(0.5 / 4.5)


def test_curves_are_thinned_out_and_say_what_they_show() -> None:
    terms = [f"style {layer}" for layer in STYLE_LAYERS] + ["content relu4_2", "tv"]
    history = [(n, {name: 0.0 if name == "tv" else 1.0 / n for name in terms}) for n in range(1, 2001)]
    found = curves(history, marks=[500])
    assert found["words"].startswith("Loss curves, steps 1 to 2000: style relu1_1 from 1 to 0.0005")
    assert list(found["terms"]) == ["sum", *terms] and found["marks"] == [500]
    assert found["steps"][0] == 1 and found["steps"][-1] == 2000 and len(found["steps"]) < 250
    for place, step in enumerate(found["steps"]):
        assert found["terms"]["content relu4_2"][place] == pytest.approx(1 / step, rel=0.01)
        assert found["terms"]["sum"][place] == pytest.approx(6 / step, rel=0.01)
    assert curves(history[:1]) == {}
    diverged = curves([(1, {"content": 1.0}), (2, {"content": float("nan"), "tv": 1.0})])
    assert diverged["terms"] == {"sum": [1.0, None], "content": [1.0, None], "tv": [None, 1.0]}  # what JSON can say
