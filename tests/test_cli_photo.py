"""`stylelearn stylize --method photo`: what comes out, what is kept in the file, and every mistake."""

import pytest
import torch
from PIL import Image
from test_cli import refused

from stylelearn import photo, samples
from stylelearn.cli import main
from stylelearn.encoders import Encoder
from stylelearn.images import read_image, read_settings
from stylelearn.optimize import result
from stylelearn.segmentation import cluster, course_mask

PAIR = ["stylize", "china", "rocket", "--method", "photo", "--size", "64"]
MASKS = ["--content-mask", "china", "--style-mask", "rocket"]
FEW = ["--steps", "4"]
CONTENT, STYLE = samples.content("china", 64), samples.content("rocket", 64)


def painted(tmp_path, *words: str) -> tuple[torch.Tensor, dict]:
    out = tmp_path / "out.png"
    assert main([*PAIR, *words, "-o", str(out)]) == 0
    return read_image(out), read_settings(out)


def expected(masks=(None, None), steps=(1, 3), smooth=3, **weights) -> torch.Tensor:
    found = result(photo.stylize(CONTENT, STYLE, *masks, encoder=Encoder("mini"), steps=steps, **weights))
    return photo.smooth(found, CONTENT, smooth) if smooth else found


def test_with_the_courses_masks(tmp_path, capsys):
    found, settings = painted(tmp_path, *MASKS, *FEW)
    masks = [course_mask(name, tuple(x.shape[2:])) for name, x in (("china", CONTENT), ("rocket", STYLE))]
    assert (found - expected(masks)).abs().max() <= 0.51 / 255
    assert settings["content_mask"] == "china" and settings["style_mask"] == "rocket" and "regions" not in settings
    assert settings["lambda"] == 1e4 and settings["steps"] == 4 and settings["smooth"] == 3
    said = capsys.readouterr().out
    assert "4 steps" in said
    for found in masks:  # the region's name, and the percentage counted pixel by pixel
        for number, name in enumerate(found.names):
            share = sum(label == number for label in found.labels.flatten().tolist()) / found.labels.numel()
            assert f"{name} {100 * share:.0f} %" in said


def test_without_masks_the_pictures_are_clustered(tmp_path):
    found, settings = painted(tmp_path, *FEW, "--regions", "3")
    assert (found - expected(cluster(CONTENT, STYLE, regions=3))).abs().max() <= 0.51 / 255
    assert settings["regions"] == 3 and "content_mask" not in settings


def test_every_number_counts(tmp_path):
    found, settings = painted(tmp_path, *FEW, "--regions", "1", "--lambda", "10", "--strength", "0.5", "--smooth", "0")
    wanted = expected(smooth=0, photorealism_weight=10.0, style_weight=photo.STYLE_WEIGHT / 2)
    assert (found - wanted).abs().max() <= 0.51 / 255
    assert settings["lambda"] == 10 and settings["strength"] == 0.5 and settings["smooth"] == 0


def test_masks_from_files_of_any_size_with_the_right_proportions(tmp_path):
    for name, side in (("china", 100), ("rocket", 300)):
        masks = course_mask(name)
        size = (side, round(side * masks.size[1] / masks.size[0]))
        levels = (masks.resized(size).picture()[0].permute(1, 2, 0) * 255).byte().numpy()
        Image.fromarray(levels).save(tmp_path / f"{name}.png")
    words = ["--content-mask", str(tmp_path / "china.png"), "--style-mask", str(tmp_path / "rocket.png")]
    found, settings = painted(tmp_path, *words, *FEW)
    assert found.shape == CONTENT.shape and settings["content_mask"] == "china.png"


def test_stopped_early_it_keeps_the_best_so_far(tmp_path, monkeypatch, capsys):
    whole = photo.stylize

    def interrupted(*arguments, **options):
        yield next(whole(*arguments, **options))
        raise KeyboardInterrupt

    monkeypatch.setattr(photo, "stylize", interrupted)
    out = tmp_path / "out.png"
    assert main([*PAIR, *MASKS, "-o", str(out)]) == 130
    assert read_image(out).shape == CONTENT.shape
    assert "stopped after 1 of 120 steps" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--content-mask", "china"], "--style-mask is missing: give masks of both pictures, or of neither"),
        (["--content-mask", "camera", "--style-mask", "rocket"], "--content-mask camera: the mask is 512x512"),
        (
            ["--content-mask", "china", "--style-mask", "chelsea"],
            "the course has no masks of 'chelsea'; it has them of",
        ),
        (["--content-mask", "none.png", "--style-mask", "rocket"], "--content-mask none.png: "),
        (["--regions", "13"], "'13' is not a whole number from 1 to 12"),
        (["--lambda", "-1"], "'-1' is not a number from 0 up"),
        (["--steps", "0"], "'0' is not a whole number"),
    ],
)
def test_mistakes(words, said, tmp_path, capsys):
    assert said in refused([*PAIR, *words, "-o", str(tmp_path / "out.png")], capsys)
    assert not (tmp_path / "out.png").exists()


def test_masks_that_are_photographs_or_empty_are_refused(tmp_path, capsys):
    noise, empty = tmp_path / "noise.png", tmp_path / "empty.png"
    Image.effect_noise((96, 64), 90).convert("RGB").save(noise)
    empty.write_bytes(b"")
    for path, said in ((noise, "no flat area"), (empty, "empty.png")):
        words = ["--content-mask", str(path), "--style-mask", "rocket"]
        assert said in refused([*PAIR, *words, "-o", str(tmp_path / "out.png")], capsys)
