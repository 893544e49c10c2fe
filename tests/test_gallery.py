"""The gallery: the README shows every picture, each with its text, small, and painted by the program beside them."""

import importlib.util
import io
import re
from pathlib import Path
from types import ModuleType

import pytest
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "data" / "gallery"
SHOWN = re.compile(r"!\[([^\]]+)\]\(data/gallery/(\w+)\.jpg\)")


@pytest.fixture(scope="module")
def paint() -> ModuleType:
    """data/gallery/paint.py, which lies outside of the package."""
    spec = importlib.util.spec_from_file_location("paint", FOLDER / "paint.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_is_a_picture_for_each_function_and_no_other(paint):
    assert {path.stem for path in FOLDER.glob("*.*") if path.suffix != ".py"} == set(paint.PICTURES)


def test_the_readme_shows_all_of_them_with_their_texts(paint):
    shown = {name: alt for alt, name in SHOWN.findall((ROOT / "README.md").read_text(encoding="utf-8"))}
    assert shown == {name: " ".join(each.__doc__.split()) for name, each in paint.PICTURES.items()}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.jpg")), ids=lambda path: path.stem)
def test_pictures_are_small_jpegs(path):
    assert path.stat().st_size <= 80_000
    with Image.open(path) as image:
        assert image.format == "JPEG" and 600 <= image.width <= 1400


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_a_picture_is_encoded_as_well_as_fits(paint, noise):
    picture = torch.full((1, 3, 300, 400), 0.5) + noise * (torch.rand(1, 3, 300, 400) - 0.5)
    data = paint.encoded(paint.grid_figure([picture] * 4, columns=2))
    with Image.open(io.BytesIO(data)) as image:
        tables = image.quantization[0]
    finest = paint.encoded(paint.grid_figure([torch.zeros(1, 3, 20, 20)]))
    with Image.open(io.BytesIO(finest)) as image:
        assert (tables == image.quantization[0]) == (noise == 0), "only what is too large is encoded more coarsely"


def test_one_picture_is_painted(paint, tmp_path, capsys):
    paint.main(["one_style", "--out", str(tmp_path / "new")])
    (path,) = (tmp_path / "new").iterdir()
    assert path.name == "one_style.jpg" and path.stat().st_size <= paint.MOST
    assert "one_style.jpg" in capsys.readouterr().out
    with Image.open(path) as new, Image.open(FOLDER / path.name) as old:
        assert new.size == old.size
