"""The lab of lesson 06: which patch of the style each place of the photo gets, and the picture that comes of it."""

import base64
import functools
from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets
import torch
import torch.nn.functional as F
from torch import Tensor

from stylelearn import patches, style_swap
from stylelearn.images import encode_image, resize
from stylelearn.lab.column import Folded
from stylelearn.lab.engine.networks import loaded_once
from stylelearn.lab.engine.runner import Job, Run
from stylelearn.lab.gatys import SIZES
from stylelearn.lab.memory import named
from stylelearn.lab.steps import StepLab, start_image
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import PictureChooser
from stylelearn.lab.widgets.stage import Box, boxes
from stylelearn.optimize import Step, optimize_image
from stylelearn.weights import WeightsError

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
PATCHES, STRIDES = (1, 2, 3, 4, 5, 7, 9, 12), (1, 2, 3, 4)
MOST = 2e11  # multiplications and additions for one swap, some ten seconds; more would be no lab
_KEPT = 8  # swaps that are kept
_SOURCE = 150  # pixels of the longer side of the style with its boxes
_CELL = 8  # pixels: sides are multiples of it, so that a picture is a whole number of cells in each of LAYERS
network = loaded_once(style_swap.load, "style_swap")


class StyleSwapLab(StepLab):
    """Swap patches, and see which one went where: every control paints anew, a click on the picture tells its source.

    Args:
        content, style: names of the gallery, or anything that `read_image` takes; None for the gallery's first.
        how: "invert" (the network, at once) or "optimise" (pixels, step by step).
        layer: one of `LAYERS`; the network knows its own only.
        patch: side of a patch in cells, one of `PATCHES`. stride: one of `STRIDES`, not above the patch.
        strength: 0 for the photo's own activations to 1 for the swapped ones.
        start, steps, tv_weight: of the optimisation: "content" or "noise"; 10 to 300; 0 (off) to 10.
        size: longer side in pixels.
        view: "pastiche", or "patchwork" for the style's own pixels put in the same places.
        across, down: the place that is marked, 0 to 1 each.
        first_steps: done before this returns, 0 for none.
    """

    at_once = True

    def __init__(
        self,
        content: Any = None,
        style: Any = None,
        *,
        how: str = "invert",
        layer: str = style_swap.LAYER,
        patch: int = 3,
        stride: int = 1,
        strength: float = 1.0,
        start: str = "content",
        steps: int = 60,
        tv_weight: float = 1.0,
        size: int = 384,
        view: str = "pastiche",
        across: float = 0.5,
        down: float = 0.5,
        first_steps: int = 20,
        **shown: Any,
    ) -> None:
        self.content, self.style = PictureChooser("content", content), PictureChooser("style", style)
        self._fitted = functools.lru_cache(2 * _KEPT)(_fitted)
        self._swap = functools.lru_cache(_KEPT)(Swap)
        self._source = widgets.HTML()
        self._look = {
            "view": controls.choice(
                "show", view, [("the pastiche", "pastiche"), ("the style's pixels, moved", "patchwork")],
                "The pastiche, or the pixels of the chosen patches at their new places: the swap as you can see it.",
            ),
            "across": controls.number(
                "place ↔", across, 0, 1, 0.01, "The place to look up; or click on the picture. 0 is the left border.",
            ),
            "down": controls.number(
                "place ↕", down, 0, 1, 0.01, "The place to look up; or click on the picture. 0 is the upper border.",
            ),
        }  # fmt: skip
        rows = [
            {"content": self.content, "style": self.style}, self._source,
            {
                "how": controls.choice(
                    "how", how,
                    [("invert: the network, at once", "invert"), ("optimise: pixels, step by step", "optimise")],
                    "From swapped activations to a picture: by a network that has learnt it, or by search, each time "
                    "anew.",
                ),
                "layer": controls.choice(
                    "layer", layer, LAYERS,
                    "Where patches are swapped. Early: colour and grain in small pieces; late: larger pieces, less of "
                    "the photo. The network knows relu3_1 only.",
                ),
                "patch": controls.choice(
                    "patch size", patch, [(f"{one} × {one} cells", one) for one in PATCHES],
                    "The method's one tuning knob: large patches are more like the style, and less like the photo.",
                ),
                "stride": controls.choice(
                    "stride", stride, STRIDES,
                    "Cells from one patch to the next, at most the patch size. 1 averages most; the patch size not at "
                    "all.",
                ),
                "strength": controls.number(
                    "strength", strength, 0, 1, 0.05,
                    "How far to go from the photo's activations to the swapped ones, on a straight line.",
                ),
            },
            controls.ends("the photo", "the style"),
            {
                "size": controls.choice(
                    "size", size, [(f"{one} px", one) for one in SIZES],
                    "Longer side of both pictures. Twice the size has four times the patches on both sides: sixteen "
                    "times the work of matching.",
                ),
            },
            Folded("While optimising", [{
                "start": controls.choice(
                    "start from", start, [("the content", "content"), ("noise", "noise")],
                    "The first picture of the optimisation. Here it hardly matters, unlike in lesson 02: try it.",
                ),
                "steps": controls.whole("steps", steps, 10, 300, 10, "How long to search. 30 show where it goes."),
                "tv_weight": controls.off_or_logarithmic(
                    "smoothness (TV)", tv_weight, -2, 1,
                    "How much a smooth picture is preferred. Off: a weave that the layer does not see stays.",
                ),
            }]),
            controls.heading("Where does it come from?"), self._look,
        ]  # fmt: skip
        super().__init__(rows, 1 if how == "invert" and first_steps else first_steps, **shown)
        self.stage.pointing = True
        self._passed()

    def job(self, settings: dict[str, Any], image: Tensor | None, steps: int) -> Job:
        """One pass of the inverse network, or pixels moved from the start or from `image`."""
        content, style = (self._fitted(chooser.image, settings["size"]) for chooser in (self.content, self.style))
        invert = settings["how"] == "invert"
        start = start_image(image, settings["start"], content, content)

        def paint() -> Iterator[Step]:
            _refuse(settings, content, style)
            if invert:
                return self._inverted(settings, content, style)
            names = ("layer", "patch", "stride", "tv_weight", "strength")
            options = {name: settings[name] for name in names}
            objective = style_swap.objective(content, style, encoder=network().encoder, **options)
            return optimize_image(start, objective, steps)

        words = "{content} out of patches of {style}, {patch} × {patch} cells of {layer}, strength {strength:.2f}, "
        title = words.format(**named(settings)) + ("by the inverse network" if invert else "optimised")
        return Job(paint, 1 if invert else steps, settings, title, start=start, pictures=(content, style))

    def _inverted(self, settings: dict[str, Any], content: Tensor, style: Tensor) -> Iterator[Step]:
        net = network()
        with torch.no_grad():
            found = self._swap(content, style, settings["layer"], settings["patch"], settings["stride"])
            mixed = net.blend(found.features, found.assembled(found.others), settings["strength"])
            made = net.decode(mixed, content.shape[2:])
        yield Step(1, 0.0, {}, made, made)

    @property
    def found(self) -> "Swap | None":
        """The swap behind the picture that is shown, computed once and kept; None where there can be none."""
        pictures, settings = self._job.pictures, self._job.settings
        try:
            _refuse(settings, *pictures)
            with torch.no_grad():
                return self._swap(*pictures, settings["layer"], settings["patch"], settings["stride"])
        except (ValueError, WeightsError):  # the job that needs it says why
            return None

    def on_stage(self) -> Tensor:
        found = self.found if self._look["view"].value == "patchwork" else None
        return self._image if found is None else found.patchwork()

    def _show(self, words: str, *, live: bool = False) -> None:
        if words.startswith(self._job.title) and self._job.settings["how"] == "invert":
            words = self._job.title  # there are no steps to speak of
        super()._show(words, live=live)
        found = self.found  # now mark the place, and the patches that it is made of
        if found is None:
            self.stage.over = self._source.value = ""
            return
        mine, theirs, alike = found.at(self._look["across"].value, self._look["down"].value)
        self.stage.over = boxes(found.content.shape[2:], mine)
        many = f"{len(mine)} patches overlap at this place and are averaged" if len(mine) > 1 else "one patch lies here"
        words = f"{many}; the nearest to its middle (thick) has a correlation of {alike:.2f} with the photo's"
        tall, wide = found.style.shape[2:]
        data = base64.b64encode(encode_image(found.style, "jpeg", 85)).decode("ascii")
        image = f'<image width="{wide}" height="{tall}" href="data:image/jpeg;base64,{data}"/>'
        self._source.value = (
            f'<div role="img" aria-label="The style, and where in it the marked place comes from" '
            f'style="width:{wide / max(tall, wide) * _SOURCE:.0f}px">{boxes((tall, wide), theirs, image)}</div>'
            f'<span style="font-size:85%">In the style, where the marked place comes from: {words}.</span>'
        )

    def _moved(self, name: str) -> None:
        if name not in self._look:
            super()._moved(name)
        elif not self._quiet:
            with self._showing:
                self._show(self.stage.tooltip)

    def pointed(self, across: float, down: float) -> None:
        self._look["across"].value, self._look["down"].value = across, down

    def _ended(self, run: Run, error: Exception | None) -> None:
        super()._ended(run, error)
        if error is None and not run.discarded:
            self._passed()

    def _passed(self) -> None:
        """For the network, which makes no steps: how long it took."""
        if self._made["how"] == "invert" and self._last is not None and not self.error:
            self.stage.announce(self._took())


def _fitted(image: Tensor, size: int) -> Tensor:
    """A longer side of `size`, and both a multiple of `_CELL`."""
    small = resize(image, size, "long")
    height, width = (max(_CELL, round(side / _CELL) * _CELL) for side in small.shape[2:])
    return resize(image, (height, width), "box")


def _refuse(settings: dict[str, Any], content: Tensor, style: Tensor) -> None:
    """Raise a ValueError for what cannot be done, or takes too long."""
    net, layer, patch, stride = network(), *(settings[name] for name in ("layer", "patch", "stride"))
    if settings["how"] == "invert" and layer != net.layer:
        raise ValueError(f"the inverse network was trained for {net.layer}; for {layer} choose how: optimise")
    mine, theirs = (count(image, layer, patch, stride) for image in (content, style))
    if mine * theirs * (net.encoder.channels[layer] + patch**2) > MOST:
        raise ValueError(
            f"{mine} patches compared with {theirs} would take too long; choose a smaller size, a later layer, "
            "a larger stride or a smaller patch"
        )


class Swap:
    """A swap, and how to read it.

    Args:
        content, style: pictures (1, 3, H, W) and (1, 3, h, w) whose sides are whole numbers of cells of `layer`.
        patch, stride: in cells.

    Attributes:
        features, others: the activations of content and style. step: pixels of a cell.
        index: which patch of the style each patch of the content became, as `patches.matches` gives it.
    """

    def __init__(self, content: Tensor, style: Tensor, layer: str, patch: int, stride: int) -> None:
        self.content, self.style, self.patch, self.stride = content, style, patch, stride
        self.features, self.others = (network().encoder(image, layer)[layer] for image in (content, style))
        self.index = patches.matches(self.features, self.others, patch=patch, stride=stride)
        self.step = _cell(layer)

    def patchwork(self) -> Tensor:
        """The pixels of the style's patches put together in the same way, (1, 3, H, W): no network paints here."""
        cells = F.pixel_unshuffle(self.style, self.step)  # (1, 3·step², h', w')
        return F.pixel_shuffle(self.assembled(cells), self.step)

    def assembled(self, cells: Tensor) -> Tensor:
        """Cells of the style (1, C, h', w') where the swap puts them: Φ^ss, (1, C, H', W'), if they are `others`."""
        size = tuple(self.features.shape[2:])
        return patches.assembled(self.index, cells, size, patch=self.patch, stride=self.stride)

    def at(self, across: float, down: float) -> tuple[list[Box], list[Box], float]:
        """The patches that lie over a place, the one whose middle is nearest first.

        Args:
            across, down: the place in the picture, 0 to 1 each.
        Returns:
            boxes in the content's picture, boxes in the style's, and the correlation of the first pair.
        """
        (height, width), (rows, columns) = self.features.shape[2:], self.index.shape[1:]
        row, column = min(int(down * height), height - 1), min(int(across * width), width - 1)  # the cell there
        y, x = patches.origins(self.index[0], tuple(self.others.shape[2:]), patch=self.patch, stride=self.stride)
        pairs = [  # of upper left cells
            ((i * self.stride, j * self.stride), (int(y[i, j]), int(x[i, j])))
            for i in range(rows) if 0 <= row - i * self.stride < self.patch
            for j in range(columns) if 0 <= column - j * self.stride < self.patch
        ]  # fmt: skip
        middle = (self.patch - 1) / 2
        pairs.sort(key=lambda pair: abs(pair[0][0] + middle - row) + abs(pair[0][1] + middle - column))
        mine, theirs = zip(*pairs, strict=True)
        return [self._box(*at) for at in mine], [self._box(*at) for at in theirs], self._alike(mine[0], theirs[0])

    def _box(self, row: int, column: int) -> Box:
        return column * self.step, row * self.step, self.patch * self.step, self.patch * self.step

    def _alike(self, mine: tuple[int, int], theirs: tuple[int, int]) -> float:
        """The normalised cross-correlation of a patch of the content and one of the style."""
        a, b = (
            patches.filled(features, self.patch, self.stride)[0, :, y : y + self.patch, x : x + self.patch].flatten()
            for features, (y, x) in ((self.features, mine), (self.others, theirs))
        )
        return float(F.cosine_similarity(a, b, dim=0))


def count(image: Tensor, layer: str, patch: int, stride: int) -> int:
    """How many patches a picture (1, 3, H, W) has in `layer`."""
    height, width = (side // _cell(layer) for side in image.shape[2:])
    rows, columns = patches.grid((height, width), patch, stride)
    return rows * columns


def _cell(layer: str) -> int:
    """Pixels of a cell: 4 for relu3_1."""
    return 2 ** (int(layer[4]) - 1)
