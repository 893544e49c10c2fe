"""The course's own pictures: photographs to stylise, and styles to do it with. Nothing is ever downloaded.

The photographs are the ones that scikit-image and scikit-learn install with themselves; the styles are the project's,
made by the program beside them in data/styles. Every picture has a `Credit`.
"""

from __future__ import annotations

import difflib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from stylelearn.images import read_image

_CC0 = "CC0 1.0 (public domain)"
_DOCS = "https://scikit-image.org/docs/stable/api/skimage.data.html#skimage.data"
_ISSUE = "https://github.com/scikit-image/scikit-image/issues/3927"
_FLICKR = "https://www.flickr.com/photos"
_HUBBLE = "http://hubblesite.org/newscenter/archive/releases/2012/37/image/a/"


@dataclass(frozen=True)
class Credit:
    """Author, licence and source of a picture."""

    title: str
    author: str
    licence: str
    source: str

    def __str__(self) -> str:
        return f"{self.title} — {self.author}, {self.licence} ({self.source})"


# Read as files and not through skimage.data and sklearn.datasets: these import for seconds, and skimage.data may
# download. Authors and licences as those packages state them.
_FILES = {
    **{name: f"skimage/data/{name}.png" for name in ("astronaut", "camera", "chelsea", "coffee")},
    **{name: f"sklearn/datasets/images/{name}.jpg" for name in ("china", "flower")},
    "hubble": "skimage/data/hubble_deep_field.jpg",
    "rocket": "skimage/data/rocket.jpg",
}
_CREDITS = {
    "astronaut": Credit("Astronaut Eileen Collins", "NASA", "public domain", "https://flic.kr/p/r9qvLn"),
    "camera": Credit("Photographer with a camera (grey)", "Lav Varshney", _CC0, _ISSUE),
    "chelsea": Credit("Chelsea the cat", "Stefan van der Walt", _CC0, f"{_DOCS}.chelsea"),
    "china": Credit("Temple in China", "danielbuechele", "CC BY 2.0", f"{_FLICKR}/danielbuechele/6061409035/"),
    "coffee": Credit("Coffee cup", "Rachel Michetti, courtesy of Pikolo Espresso Bar", _CC0, f"{_DOCS}.coffee"),
    "flower": Credit(
        "Flower", "vultilion (danielbuechele in scikit-learn's README)", "CC BY 2.0", f"{_FLICKR}/vultilion/6056698931/"
    ),
    "hubble": Credit("Hubble eXtreme Deep Field", "NASA", "public domain", _HUBBLE),
    "rocket": Credit("Falcon 9 carrying DSCOVR", "SpaceX", "public domain", f"{_FLICKR}/spacexphotos/16511594820/"),
}


def data_file(*parts: str) -> Path:
    """A file or folder below data/, which is beside the package in a clone and inside it in an installed wheel.

    Raises:
        FileNotFoundError: it is in neither place.
    """
    package = Path(__file__).resolve().parent
    places = [package / "data"]
    if package.parent.name not in ("site-packages", "dist-packages"):  # there, "data" would be another package's
        places.append(package.parent / "data")
    for place in places:
        path = place.joinpath(*parts)
        if path.exists():
            return path
    raise FileNotFoundError(
        f"'{'/'.join(('data', *parts))}' is not there (looked in {', '.join(str(p) for p in places)}); "
        "install stylelearn again, or clone the whole repository"
    )


def content_names() -> list[str]:
    """The names that `content` knows, in alphabetical order."""
    return sorted(_FILES)


def style_names() -> list[str]:
    """The names that `style` knows: the pictures in data/styles, in alphabetical order."""
    return sorted(path.stem for path in data_file("styles").glob("*.jpg"))


def content(name: str, size: int | None = None) -> Tensor:
    """One of the course's photographs, (1, 3, H, W) in [0, 1]; its shorter side has `size` pixels, if that is given.

    Raises:
        ValueError: there is no photograph of that name.
        FileNotFoundError: the package that has it is not installed, or not whole.
    """
    if name not in _FILES:
        raise ValueError(_unknown("content", name, content_names()))
    package, _, file = _FILES[name].partition("/")
    found = importlib.util.find_spec(package)
    path = Path(found.origin).parent / file if found and found.origin else None
    if path is None or not path.is_file():
        distribution = {"skimage": "scikit-image", "sklearn": "scikit-learn"}[package]
        raise FileNotFoundError(
            f"content '{name}' comes with {distribution}, which is not there or not whole ({file}); "
            f"run: pip install --force-reinstall {distribution}"
        )
    return read_image(path, size=size)


def style(name: str, size: int | None = None) -> Tensor:
    """One of the project's style pictures, named in `style_names()`; otherwise as `content`."""
    if name not in style_names():
        raise ValueError(_unknown("style", name, style_names()))
    return read_image(data_file("styles", f"{name}.jpg"), size=size)


def credit(name: str) -> Credit:
    """Title, author, licence and source of a picture. Raises ValueError: there is none of that name."""
    if name in _CREDITS:
        return _CREDITS[name]
    if name in style_names():
        title = name.replace("_", " ").replace("-", " ").capitalize()
        return Credit(title, "stylelearn project", "CC BY 4.0", f"data/styles/{name}.jpg")
    raise ValueError(_unknown("picture", name, content_names() + style_names()))


def _unknown(kind: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"choose from {', '.join(known)}"
    return f"there is no {kind} '{name}'; {hint}"
