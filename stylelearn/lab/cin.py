"""The lab of lesson 04: four styles of one network, mixed on a pad, and differently inside and outside of a mask."""

import functools
from typing import Any

import torch
from torch import Tensor

from stylelearn import cin
from stylelearn.images import resize
from stylelearn.lab.camera import CameraLab
from stylelearn.lab.column import Folded, observe
from stylelearn.lab.engine.networks import loaded_once
from stylelearn.lab.live import broad, sizes
from stylelearn.lab.mixing import CORNERS, EVERYWHERE, MaskChooser, Pad, filled, mask, mixture, percentages
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import PictureChooser
from stylelearn.networks.coarse import SHARE, coarse_to_fine

SETTINGS = ("upper_left", "upper_right", "lower_left", "lower_right")  # that hold styles, in the order of CORNERS
_THUMBNAIL = 96  # pixels: each corner shows the photo in its style
MASK_SIDE = 256  # pixels of the longer side at which masks are kept; the network enlarges them
network = loaded_once(cin.load, "cin")


class CinLab(CameraLab):
    """One network, four of its styles, a ring between them, and a mask for where they count; painted while you drag.

    Args:
        content: a name of the gallery, or anything that `read_image` takes; None for the gallery's first.
        upper_left, upper_right, lower_left, lower_right: names of styles, also one several times; None for one of the
            network's that has no corner yet.
        across, down: where the ring is between them, 0 to 1 each.
        where: one of `mixing.MASKS`, or a picture of a mask: white is inside.
        counts: whether the square's mixture is "inside" or "outside" of it.
        outside: the style of the other part; None for one that has no corner.
        softness: how soft the mask's edge is, 0 to 1.
        coarse: share of a coarse pastiche in what the network sees, as of `coarse_to_fine`, 0 to 0.9.
        size: longer side in pixels, 64 to 1024.
        weights: the network, as for `cin.load`.
    """

    file_name = "mixture.png"

    def __init__(
        self,
        content: Any = None,
        upper_left: str | None = None,
        upper_right: str | None = None,
        lower_left: str | None = None,
        lower_right: str | None = None,
        *,
        across: float = 0.5,
        down: float = 0.5,
        where: Any = EVERYWHERE,
        counts: str = "inside",
        outside: str | None = None,
        softness: float = 0.0,
        coarse: float = SHARE,
        size: int = 256,
        weights: str = "cin",
        **shown: Any,
    ) -> None:
        self.network = network(weights)
        names = self.network.styles
        *four, other = filled([upper_left, upper_right, lower_left, lower_right, outside], names)
        self.content, self.where, self.pad = PictureChooser("content", content), MaskChooser(where), Pad(across, down)
        self._mask = functools.lru_cache(4)(soft_mask)
        corners = {
            key: controls.choice(words, name, names, f"What counts where the ring is in this corner: {words}.")
            for key, words, name in zip(SETTINGS, CORNERS, four, strict=True)
        }
        rows = [
            {"content": self.content},
            corners, (self.pad, self.pad.settings),
            {"coarse": broad(coarse), "size": sizes(size)},
            Folded("A mask", [
            {
                "where": self.where,
                "counts": controls.choice(
                    "the square", counts, [("inside the mask", "inside"), ("outside the mask", "outside")],
                    "Which part of the picture gets the mixture of the square; the other part gets the style below.",
                ),
                "outside": controls.choice(
                    "the other part", other, names,
                    "The style of the other part; without effect as long as the square counts everywhere.",
                ),
                "softness": controls.number(
                    "soft edge", softness, 0, 1, 0.01,
                    "How gradually one part becomes the other: at 0 as the mask is drawn, at 1 over half the picture.",
                ),
            },
            ]),
        ]  # fmt: skip
        super().__init__(rows, **shown)
        for control in (self.content, *corners.values()):
            observe(control, self.guarded(self._label))
        self._label()

    def render(self, settings: dict[str, Any], pictures: dict[str, Tensor]) -> Tensor:
        photo = self._fitted(pictures["content"], settings["size"])
        shares: dict[str, Any] = mixture([settings[key] for key in SETTINGS], settings)
        if settings["where"] != EVERYWHERE or settings["counts"] == "outside":
            height, width = photo.shape[2:]
            scale = min(1.0, MASK_SIDE / max(height, width))
            size = (max(1, round(height * scale)), max(1, round(width * scale)))
            here = self._mask(pictures["where"], size, settings["softness"])
            here = here if settings["counts"] == "inside" else 1 - here  # (h, w), 1 where the square counts
            shares = {name: share * here for name, share in shares.items()}
            shares[settings["outside"]] = shares.get(settings["outside"], 0) + 1 - here
        mix = self.network.mix(shares)
        return coarse_to_fine(lambda image: self.network(image, mix), photo, settings["coarse"])

    def words(self, settings: dict[str, Any]) -> str:
        styles = percentages([settings[key] for key in SETTINGS], settings)
        where = ""
        if settings["where"] != EVERYWHERE or settings["counts"] != "inside":
            where = f" {settings['counts']} the mask {settings['where']}, {settings['outside']} in the other part"
        return f"{settings['content']}, painted with {styles}{where}"

    def _label(self) -> None:
        """The corners of the pad show the photo in their styles."""
        names = [self.controls[key].value for key in SETTINGS]
        with torch.inference_mode():
            photo = resize(self.content.image, _THUMBNAIL, "box").expand(len(names), -1, -1, -1)
            made = self.network(photo, torch.cat([self.network.mix(name) for name in names]))
        self.pad.corners(names, list(made[:, None]))


def soft_mask(picture: Tensor, size: tuple[int, int], softness: float) -> Tensor:
    """A mask (H, W) with its edges smoothed: each place gets the mean of what is around it.

    Args:
        picture: (1, 3, h, w), white is 1. size: (H, W).
        softness: 0 leaves the mask as it is; at 1 the mean is taken over half of the longer side.
    """
    drawn = mask(picture, size)
    reach = round(softness * max(size) / 4)  # to each side
    if reach < 1:
        return drawn
    for _ in range(2):  # twice a mean over a square: no corners are to be seen any more
        filled = torch.nn.functional.pad(drawn[None, None], (reach // 2 + 1,) * 4, mode="replicate")
        drawn = torch.nn.functional.avg_pool2d(filled, 2 * (reach // 2 + 1) + 1, stride=1)[0, 0]
    return drawn.clamp(0, 1)
