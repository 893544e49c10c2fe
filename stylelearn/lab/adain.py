"""The lab of lesson 05: four styles at the corners of a square, how strongly, where, and in whose colours; live."""

import functools
from typing import Any

import torch
from torch import Tensor

from stylelearn import adain, samples
from stylelearn.adain import Style
from stylelearn.colour import match_colour
from stylelearn.lab.camera import CameraLab
from stylelearn.lab.column import Folded, observe
from stylelearn.lab.engine.networks import loaded_once
from stylelearn.lab.live import broad, sizes
from stylelearn.lab.mixing import CORNERS, EVERYWHERE, MaskChooser, Pad, filled, mask, mixture, percentages
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import PictureChooser
from stylelearn.networks.coarse import SHARE, coarse_to_fine

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
        coarse: share of a coarse pastiche in what the encoder sees, as of `coarse_to_fine`, times α; 0 to 0.9.
        size: longer side in pixels, 64 to 1024.
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
        coarse: float = SHARE,
        size: int = 384,
        **shown: Any,
    ) -> None:
        self.content = PictureChooser("content", content)
        corners = list(zip(CORNERS, STYLES, strict=True))
        four = filled([style, style_2, style_3, style_4], samples.style_names())
        self.styles = {
            name: PictureChooser("style", one, name=words) for (words, name), one in zip(corners, four, strict=True)
        }
        self.pad, self.where = Pad(across, down), MaskChooser(where)
        self._features = functools.lru_cache(_KEPT)(lambda *content: network().encode(self._fitted(*content)))
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
            {"coarse": broad(coarse), "size": sizes(size)},
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
        super().__init__(rows, **shown)

    def render(self, settings: dict[str, Any], pictures: dict[str, Tensor]) -> Tensor:
        """g of the mixture; features and moments are there already unless a picture, the size or colours changed."""
        net, size = network(), settings["size"]
        content = pictures["content"]
        photo = self._fitted(content, size)
        height, width = photo.shape[2:]
        counts: dict[str, Any] = mixture(STYLES, settings)
        masked, other = settings["where"] != EVERYWHERE, settings["elsewhere"]
        if masked:
            inside = mask(pictures["where"], (height, width))  # (H, W)
            if other != "photo":  # a style, which may count inside, too, by its share
                counts = {name: share * inside for name, share in counts.items()}
                counts[other] = counts.get(other, 0) + (1 - inside)
        like = content if settings["colours"] == "content" else None
        known = [self._style(pictures[name], like, size) for name in counts]
        several = masked and other != "photo"
        amounts = {"masks": torch.stack([*counts.values()])} if several else {"shares": [*counts.values()]}
        strength = settings["strength"]

        def paint(image: Tensor) -> Tensor:
            features = self._features(content, size) if image is photo else net.encode(image)  # (1, C, H', W')
            return net.decode(net.blend(features, known, strength=strength, **amounts), image.shape[2:])

        painted = coarse_to_fine(paint, photo, strength * settings["coarse"])
        return torch.lerp(photo, painted, inside) if masked and other == "photo" else painted

    def words(self, settings: dict[str, Any]) -> str:
        styles = percentages([settings[name] for name in STYLES], settings)
        found = f"{settings['content']} in the style of {styles}, strength {settings['strength']:.2f}"
        if settings["colours"] == "content":
            found += ", in its own colours"
        if settings["where"] != EVERYWHERE:
            other = "the photo" if settings["elsewhere"] == "photo" else settings[settings["elsewhere"]]
            found += f", where the mask {settings['where']} is white, and {other} elsewhere"
        return found

    def _measure(self, style: Tensor, content: Tensor | None, size: int) -> Style:
        """The moments of a style at the picture's size; with a content, recoloured like that first."""
        picture = self._fitted(style, size)
        if content is not None:
            picture = match_colour(picture, self._fitted(content, size))
        return network().style(picture)

    def _corners(self, *_: Any) -> None:
        choosers = self.styles.values()
        self.pad.corners([chooser.value for chooser in choosers], [chooser.image for chooser in choosers])
