"""The style pictures: all there, drawn by the program beside them, rich at every scale, and unlike one another."""

import functools
import importlib
import io
import re
from itertools import combinations
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage.color import rgb2gray, rgb2lab

FOLDER = Path(__file__).resolve().parent.parent / "data" / "styles"
NAMES = sorted(path.stem for path in FOLDER.glob("*.jpg"))
CHEAPEST = "woodcut_waves"  # about two seconds
every_style = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def make() -> ModuleType:
    """data/styles/make.py, which lies outside of the package and finds its own modules beside itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        module = importlib.import_module("make")
    assert Path(module.__file__).parent == FOLDER, f"another module called make: {module.__file__}"
    return module


@functools.cache
def picture(name: str) -> np.ndarray:
    """(512, 512, 3) in [0, 1]."""
    with Image.open(FOLDER / f"{name}.jpg") as image:
        return np.asarray(image, np.float32) / 255


def test_at_least_twelve_styles_each_by_a_function_of_its_name(make):
    assert len(NAMES) >= 12
    assert set(NAMES) == set(make.STYLES)
    assert len(set(make.SEEDS.values())) == len(NAMES), "two styles share a seed"
    for name, style in make.STYLES.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
        assert style.__name__ == name
        assert "Manner: " in style.__doc__, f"{name} does not say what manner it imitates"


@every_style
def test_is_a_small_square_colour_jpeg(name):
    path = FOLDER / f"{name}.jpg"
    assert path.stat().st_size <= 250_000
    with Image.open(path) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (512, 512))


def test_the_program_draws_the_committed_picture(make):
    file = io.BytesIO()
    make.draw(CHEAPEST).save(file, "JPEG", quality=make.QUALITY)
    with Image.open(file) as image:
        again = np.asarray(image, np.float32) / 255
    assert np.abs(again - picture(CHEAPEST)).mean() <= 2 / 255  # room for another platform's rounding


def bands(image: np.ndarray) -> dict[str, float]:
    """How much there is of fine texture, of strokes and of large shapes: spread of the lightness in three bands."""
    light = rgb2gray(image)
    blurred = [light, *(ndimage.gaussian_filter(light, sigma) for sigma in (2, 8, 32))]
    return {
        scale: float((fine - coarse).std())
        for scale, fine, coarse in zip(("texture", "strokes", "shapes"), blurred[:-1], blurred[1:], strict=True)
    }


@every_style
def test_structure_at_every_scale_and_nowhere_flat(name):
    image = picture(name)
    for scale, spread in bands(image).items():
        assert spread >= 0.02, f"{name} has hardly any {scale}: {spread:.3f}"
    tiles = image.reshape(8, 64, 8, 64, 3).std((1, 3)).mean(-1)  # (8, 8): 64 pixels a side
    assert tiles.min() >= 0.02, f"{name} has an empty area: spread {tiles.min():.3f}"


def palette_histogram(image: np.ndarray) -> np.ndarray:
    """Shares of colours in CIELAB boxes of 20 × 16 × 16 (lightness, green-red, blue-yellow); they sum to 1."""
    lab = rgb2lab(image[::2, ::2]).reshape(-1, 3)
    counts, _ = np.histogramdd(lab, bins=(np.arange(0, 101, 20), np.arange(-96, 97, 16), np.arange(-112, 113, 16)))
    return counts / counts.sum()


def test_palettes_differ():
    palettes = {name: palette_histogram(picture(name)) for name in NAMES}
    shared = {pair: np.minimum(*map(palettes.get, pair)).sum() for pair in combinations(NAMES, 2)}  # 0 … 1, the same
    closest = max(shared, key=shared.get)
    assert shared[closest] <= 0.6, f"{closest} share {shared[closest]:.2f} of their colours"
    assert np.median(list(shared.values())) <= 0.35
