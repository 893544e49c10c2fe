"""The lab of lesson 03: any photo, painted by one of the trained networks, live."""

import functools
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stylelearn import johnson
from stylelearn.colour import keep_colours
from stylelearn.lab.camera import CameraLab
from stylelearn.lab.engine.networks import loaded_once
from stylelearn.lab.live import broad, sizes
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import PictureChooser
from stylelearn.networks.coarse import SHARE, coarse_to_fine
from stylelearn.weights import WeightsError

_KEPT = 4  # pastiches that are kept, so that strength and colours need no new pass
network = loaded_once(johnson.load)


class JohnsonLab(CameraLab):
    """A photo and a trained network; the pastiche follows each choice, and the slider blends it with the photo.

    Args:
        content: a name of the gallery, or anything that `read_image` takes; None for the gallery's first.
        style: one of `johnson.styles()`, or the path of a network that you trained; None for the first.
        strength: 0 (the photo) to 1 (the pastiche): a blend of the two, pixel by pixel.
        coarse: share of a coarse pastiche in what the network sees, as of `coarse_to_fine`, 0 to 0.9.
        colours: "style", or "content" to take over brightness only.
        size: longer side in pixels, 64 to 1024.
    """

    def __init__(
        self,
        content: Any = None,
        style: str | Path | None = None,
        *,
        strength: float = 1.0,
        coarse: float = SHARE,
        colours: str = "style",
        size: int = 256,
        **shown: Any,
    ) -> None:
        names = johnson.styles()
        if style is not None and str(style) not in names:
            network(str(style))  # a file: says what is wrong with it
            names = [*names, str(style)]
        if not names:
            raise WeightsError(
                "no trained network is there: get data/weights back with `git checkout -- data/weights`, or train one "
                "with `stylelearn train johnson` and give the path of its file as style"
            )
        self.content = PictureChooser("content", content)
        self._pastiche = functools.lru_cache(_KEPT)(
            lambda net, share, *content: coarse_to_fine(net, self._fitted(*content), share)
        )
        self._recoloured = functools.lru_cache(_KEPT)(keep_colours)
        rows = [
            {
                "content": self.content,
                "style": controls.choice(
                    "style", str(style or names[0]), [(_shown(name), name) for name in names],
                    "Which network paints: each has learnt one style, and knows no other.",
                ),
                "strength": controls.number(
                    "strength (blend)", strength, 0, 1, 0.01,
                    "How much of the pastiche is laid over the photo, pixel by pixel. A plain blend: the network has "
                    "no such control.",
                ),
            },
            controls.ends("the photo", "the pastiche"),
            {"coarse": broad(coarse)},
            {
                "colours": controls.colours(colours), "size": sizes(size),
            },
        ]  # fmt: skip
        super().__init__(rows, **shown)

    def render(self, settings: dict[str, Any], pictures: dict[str, Tensor]) -> Tensor:
        """Photo + strength · (pastiche − photo); kept, unless photo, style, size or `coarse` changed."""
        content, size = pictures["content"], settings["size"]
        photo = self._fitted(content, size)
        pastiche = self._pastiche(network(settings["style"]), settings["coarse"], content, size)
        if settings["colours"] == "content":
            pastiche = self._recoloured(pastiche, photo)
        return torch.lerp(photo, pastiche, settings["strength"])

    def words(self, settings: dict[str, Any]) -> str:
        found = f"{settings['content']} in the style {_shown(settings['style'])}"
        if settings["strength"] < 1:
            found += f", {settings['strength']:.0%} of it blended with the photo"
        return found + (", in its own colours" if settings["colours"] == "content" else "")


def _shown(style: str) -> str:
    return Path(style).stem.replace("_", " ")
