"""The lab of lesson 05: four styles at the corners of a square, how strongly, where, and in whose colours; live."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Unpack

import torch
from torch import Tensor

from stylelearn import adain, samples
from stylelearn.adain import Style
from stylelearn.colour import match_colour
from stylelearn.lab.camera import CameraLab
from stylelearn.lab.column import Folded, View, observe
from stylelearn.lab.engine.networks import loaded_once
from stylelearn.lab.live import at_size, sizes
from stylelearn.lab.mixing import CORNERS, EVERYWHERE, MaskChooser, Pad, bilinear, mask
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import PictureChooser

STYLES = ("style", "style_2", "style_3", "style_4")  # the settings that hold them, in the order of CORNERS
_KEPT = 4  # contents (and four times as many styles) whose features and moments are kept
network = loaded_once(adain.load, "adain")


class AdaINLab(CameraLab):
    """A photo in the manner of any picture, or of four mixed; each move of a control paints anew.

    Args:
        content: a name of the gallery, or anything that `read_image` takes; None for the gallery's first.
        style, style_2, style_3, style_4: likewise, the styles at the corners of the square, from the upper left one
            on; None for the gallery's next.
        across, down: where the ring is, 0 to 1 each; (0, 0) is the first style alone.
        strength: α, 0 to 1.
        colours: "style", or "content" to keep the photo's.
        where: one of `mixing.MASKS`, or a picture that is white where the square's styles count.
        elsewhere: what is outside of the mask: "photo", or one of `STYLES`.
        size: longer side in pixels, 64 to 1024.
        first: whether there is a picture when this returns.
        shown: `hide` and `show`, as for every lab; see `column.View`.
    """

    def __init__(
        self,
        content: Any = None,
        style: Any = None,
        style_2: Any = None,
        style_3: Any = None,
        style_4: Any = None,
        *,
        across: float = 0.0,
        down: float = 0.0,
        strength: float = 1.0,
        colours: str = "style",
        where: Any = EVERYWHERE,
        elsewhere: str = "style_2",
        size: int = 384,
        first: bool = True,
        **shown: Unpack[View],
    ) -> None:
        self.content = PictureChooser("content", content)
        chosen = _filled([style, style_2, style_3, style_4])
        corners = [(f"style {corner}", name) for corner, name in zip(CORNERS, STYLES, strict=True)]
        self.styles = {
            name: PictureChooser("style", one, name=words) for (words, name), one in zip(corners, chosen, strict=True)
        }
        self.pad, self.where = Pad(across, down), MaskChooser(where)
        self._fitted = functools.lru_cache(5 * _KEPT)(at_size)
        self._features = functools.lru_cache(_KEPT)(self._encode)
        self._style = functools.lru_cache(4 * _KEPT)(self._measure)
        rows = [
            {"content": self.content, **self.styles}, (self.pad, self.pad.settings),
            {
                "strength": controls.number(
                    "strength α", strength, 0, 1, 0.01,
                    "How far to go from the photo's activations to those with the style's mean and spread: "
                    "(1 − α) f(c) + α t.",
                ),
            },
            controls.ends("the photo", "the style"),
            {"size": sizes(size)},
            Folded("Whose colours, and where", [
            {
                "colours": controls.choice(
                    "colours of", colours, [("the style", "style"), ("the photo", "content")],
                    "Whose palette: for the photo's, each style is given the photo's colours before anything else.",
                ),
                "where": self.where,
                "elsewhere": controls.choice(
                    "elsewhere", elsewhere, [("the photo", "photo"), *corners],
                    "What is outside of the mask; without effect as long as the styles count everywhere.",
                ),
            }
            ]),
        ]  # fmt: skip
        self._corners()
        for chooser in self.styles.values():
            observe(chooser, self._corners)
        super().__init__(rows, file_name="pastiche.png", first=first, **shown)

    def render(self, settings: dict[str, Any], pictures: dict[str, Tensor]) -> Tensor:
        """g of the mixture; features and moments are there already unless a picture, the size or colours changed."""
        net, size = network(), settings["size"]
        content = pictures["content"]
        features = self._features(content, size)  # (1, C, H', W')
        height, width = self._fitted(content, size).shape[2:]
        shares = bilinear(settings["across"], settings["down"])
        counts = {name: share for name, share in zip(STYLES, shares, strict=True) if share > 0}
        masks: Tensor | None = None
        if settings["where"] != EVERYWHERE:
            inside = mask(pictures["where"], (height, width))  # (H, W)
            layers = [share * inside for share in counts.values()]
            if settings["elsewhere"] != "photo":
                counts[settings["elsewhere"]] = 1.0  # a style may be named twice: inside by its share, and outside
                layers = _added(layers, list(counts), settings["elsewhere"], 1 - inside)
            masks = torch.stack(layers)  # (K, H, W); adds up to 1, or to `inside` where the photo stays
        known = [
            self._style(pictures[name], content if settings["colours"] == "content" else None, size) for name in counts
        ]
        blended = net.blend(
            features, known, strength=settings["strength"], masks=masks,
            shares=None if masks is not None else list(counts.values()),
        )  # fmt: skip
        return net.decode(blended, (height, width))

    def words(self, settings: dict[str, Any]) -> str:
        """Photo, styles with their shares, strength, and where."""
        shares = zip(STYLES, bilinear(settings["across"], settings["down"]), strict=True)
        styles = ", ".join(f"{share:.0%} {settings[name]}" for name, share in shares if share >= 0.005)
        found = f"{settings['content']} in the style of {styles}, strength {settings['strength']:.2f}"
        if settings["colours"] == "content":
            found += ", in its own colours"
        if settings["where"] != EVERYWHERE:
            other = "the photo" if settings["elsewhere"] == "photo" else settings[settings["elsewhere"]]
            found += f", where the mask {settings['where']} is white, and {other} elsewhere"
        return found

    def _encode(self, content: Tensor, size: int) -> Tensor:
        return network().encode(self._fitted(content, size))

    def _measure(self, style: Tensor, content: Tensor | None, size: int) -> Style:
        """The moments of a style at the picture's size; with a content, recoloured like that first."""
        picture = self._fitted(style, size)
        if content is not None:
            picture = match_colour(picture, self._fitted(content, size))
        return network().style(picture)

    def _corners(self, *_: Any) -> None:
        choosers = self.styles.values()
        self.pad.corners([chooser.value for chooser in choosers], [chooser.image for chooser in choosers])


def _filled(given: Sequence[Any]) -> list[Any]:
    """For each None a style of the gallery that is not named yet."""
    free = iter([name for name in samples.style_names() if name not in [one for one in given if isinstance(one, str)]])
    return [next(free) if one is None else one for one in given]


def _added(layers: list[Tensor], names: list[str], which: str, more: Tensor) -> list[Tensor]:
    """The masks with `more` added to the one called `which`, the last one if it is new."""
    place = names.index(which)
    if place == len(layers):
        return [*layers, more]
    return [layer + more if i == place else layer for i, layer in enumerate(layers)]
