"""The mask editor: two pictures to paint regions on. The browser sends what the pointer did, Python paints."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import ipywidgets as widgets
import numpy as np
import torch
import traitlets
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from stylelearn.images import encode_image, resize, to_pil
from stylelearn.lab.engine.errors import complaint, guarded
from stylelearn.lab.engine.kernel import Released
from stylelearn.lab.widgets import canvas, controls
from stylelearn.lab.widgets.stage import SCRIPT
from stylelearn.segmentation import MAX_LABELS, Masks, one_region

SIDE = 300  # pixels of the longer side in which one paints, and sees it
_VEIL = 115  # of 255: how much of a region's colour lies over the picture
_LETTERS = 13  # pixels
KEPT = 40  # changes that can be taken back

# One for each region, as many as there may be: light ones, so that the picture below is seen, and Okabe & Ito's first.
INKS = (
    (86, 180, 233), (213, 94, 0), (0, 158, 115), (240, 228, 66), (204, 121, 167), (0, 114, 178),
    (230, 159, 0), (160, 220, 120), (255, 170, 160), (130, 110, 200), (150, 150, 150), (120, 70, 30),
)  # fmt: skip


class Pane(anywidget.AnyWidget):
    """One picture to paint on; `MaskPainter` has two of them and the tools.

    Args:
        kind: what the picture is. changed: called after every stroke and fill.

    Attributes:
        labels: the label image, (rows, columns) uint8, at most `SIDE` pixels long.
        tool: "brush" or "fill". `radius`: of the brush, in pixels of `labels`. `ink`: its colour as CSS has it.
        label: what is painted with. `tolerance`: of a fill, see `canvas.fill`.
    """

    _esm = SCRIPT
    view = traitlets.Unicode("pane").tag(sync=True)
    picture = traitlets.Bytes().tag(sync=True)
    regions = traitlets.Bytes().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)
    columns = traitlets.Int(1).tag(sync=True)
    rows = traitlets.Int(1).tag(sync=True)
    tool = traitlets.Unicode("brush").tag(sync=True)
    radius = traitlets.Float(8.0).tag(sync=True)
    ink = traitlets.Unicode("#ff0000").tag(sync=True)
    labels: np.ndarray

    def __init__(self, kind: str, changed: Callable[[], None]) -> None:
        self.kind, self._changed, self.label, self.tolerance = kind, changed, 0, canvas.ANY_COLOUR
        super().__init__(layout=widgets.Layout(width=f"{SIDE}px", max_width="100%", margin="2px 8px 2px 0"))
        self.on_msg(self._pointed)

    def show(self, image: Tensor, labels: np.ndarray, names: Sequence[str]) -> None:
        """Another picture (1, 3, H, W) with a label image of any size, and the names of its labels (more may come)."""
        small = resize(image, SIDE, "long")
        self.rows, self.columns = small.shape[-2:]
        nearest = Image.fromarray(labels.astype(np.uint8)).resize((self.columns, self.rows), Image.Resampling.NEAREST)
        self._colours = np.asarray(to_pil(small), dtype=np.float32) / 255
        self.picture = encode_image(small, "jpeg", 85)
        self._names = names
        self.draw(np.asarray(nearest))

    def stroke(self, points: Sequence[Sequence[float]]) -> None:
        """Draw with the brush through these places (x, y), as the pointer does."""
        self.draw(canvas.stroke(self.labels, points, self.label, self.radius))
        self._changed()

    def fill(self, x: float, y: float) -> None:
        """Fill around this place, as the pointer does."""
        self.draw(canvas.fill(self.labels, self._colours, x, y, self.label, self.tolerance))
        self._changed()

    def _pointed(self, _: Any, message: dict[str, Any], __: Any) -> None:
        points = message.get("points")
        if points and self.tool == "fill":
            self.fill(*points[0])
        elif points:
            self.stroke(points)

    def draw(self, labels: np.ndarray) -> None:
        """The label image as a veil over the picture, with the names of the regions in their middles."""
        self.labels = labels
        table = np.array([(*ink, _VEIL) for ink in INKS], dtype=np.uint8)
        veil = Image.fromarray(table[labels], "RGBA")
        counts = np.bincount(labels.ravel(), minlength=len(self._names))
        shares = [f"{name} {n / labels.size:.0%}" for name, n in zip(self._names, counts, strict=True) if n]
        self.words = f"{self.kind} with its regions: {', '.join(shares)}"
        pen, font = ImageDraw.Draw(veil), ImageFont.load_default(_LETTERS)
        for label, (middle, y) in _middles(labels).items():
            half = pen.textlength(self._names[label], font) / 2 + 2
            x = min(max(middle, half), max(half, veil.width - half))  # all of it inside, if there is room
            pen.text((x, y), self._names[label], "white", font, "mm", stroke_width=2, stroke_fill="black")
        written = io.BytesIO()
        veil.save(written, "png")
        self.regions = written.getvalue()


class MaskPainter(Released, widgets.VBox):
    """Content and style side by side, with brush, fill, undo, and regions to paint them with.

    A region of the content takes its style from the region of the same name in the style.

    Args:
        content, style: (1, 3, H, W) and (1, 3, H', W') in [0, 1].
        masks: of both, of any size; None is one region for all.

    Attributes:
        content, style: the two `Pane`s.
        names: of the regions. painted: counts up with every change by hand; observe this one.
        region, tool, brush, similar, new, undo_button, clear_button: the tools.
    """

    painted = traitlets.Int()
    _before: list[list[np.ndarray]]  # the label images to go back to

    def __init__(self, content: Tensor, style: Tensor, masks: tuple[Masks, Masks] | None = None) -> None:
        self.content, self.style = self._panes = Pane("content", self._changed), Pane("style", self._changed)
        self.names: list[str] = []
        self._tools()
        self._message = widgets.HTML()
        wrap = {"flex_flow": "row wrap", "align_items": "flex-end"}
        pictures = widgets.HBox(self._panes, layout=widgets.Layout(flex_flow="row wrap"))
        tools = widgets.HBox([self.tool, self.undo_button, self.clear_button], layout=widgets.Layout(**wrap))
        colours = "".join(
            f".sl-regions button:nth-of-type({number}) {{border-left:10px solid rgb{ink}}}"
            for number, ink in enumerate(INKS, 1)
        )
        self.region.add_class("sl-regions")
        own = widgets.HTML(f"<style>{colours}</style>", layout=widgets.Layout(display="none"))
        regions = widgets.HBox([self.region, self.new, own], layout=widgets.Layout(**wrap))
        sliders = widgets.VBox([self.brush, self.similar], layout=widgets.Layout(max_width="480px"))
        super().__init__([pictures, regions, tools, sliders, self._message])
        self.show(content, style, masks)

    def show(self, content: Tensor, style: Tensor, masks: tuple[Masks, Masks] | None = None) -> None:
        """Other pictures, or other masks; what was painted is forgotten.

        Raises:
            ValueError: more than MAX_LABELS regions in both together.
        """
        pair = masks or tuple(one_region(image) for image in (content, style))
        names = list(dict.fromkeys(name for one in pair for name in one.names))
        if len(names) > MAX_LABELS:
            raise ValueError(f"the two masks have {len(names)} names together; {MAX_LABELS} is the most")
        for pane, image, one in zip(self._panes, (content, style), pair, strict=True):
            number = np.array([names.index(name) for name in one.names], dtype=np.uint8)
            pane.show(image, number[one.labels.numpy()], names)
        self._now, self._before = self._labels(), []
        self.names = names
        self._offer(names[0])

    @property
    def masks(self) -> tuple[Masks, Masks]:
        """What is painted, of content and style, each with the regions that it has."""
        return self._masks(self.content.labels), self._masks(self.style.labels)

    def add(self, name: str) -> None:
        """Another region to paint with.

        Raises:
            ValueError: an empty name, or more than MAX_LABELS regions.
        """
        name = name.strip()
        if not name:
            raise ValueError("a region needs a name, such as 'sky'")
        if name not in self.names:
            if len(self.names) >= MAX_LABELS:
                raise ValueError(f"there are {MAX_LABELS} regions, and no more are possible")
            self.names.append(name)
            for pane in self._panes:
                pane.draw(pane.labels)
        self._offer(name)

    def undo(self) -> None:
        """Take the last change back, on whichever picture it was."""
        if self._before:
            self._now = self._before.pop()
            for pane, labels in zip(self._panes, self._now, strict=True):
                pane.draw(labels)
            self.painted += 1

    def clear(self) -> None:
        """Both pictures become the region that is chosen now."""
        for pane in self._panes:
            pane.draw(np.full_like(pane.labels, pane.label))
        self._changed()

    def _tools(self) -> None:
        self.region = _toggles("paint with", ["everything"], "The region that the brush paints and that a fill makes.")
        self.new = widgets.Text(
            placeholder="another region …", continuous_update=False, layout=widgets.Layout(width="140px"),
            tooltip="The name of one more region, such as sky; then press Enter, and paint it on both pictures.",
        )  # fmt: skip
        self.tool = _toggles(
            "by", ["brush", "fill"],
            "Brush: draw. Fill: click, and the area that hangs together there becomes the region.",
        )  # fmt: skip
        self.brush = controls.number(
            "brush", 8, 1, 40, 1, "Radius of the brush in pixels of the picture above.", form=".0f"
        )
        self.similar = controls.number(
            "fill: similar", canvas.ANY_COLOUR, 0.02, canvas.ANY_COLOUR, 0.02,
            "How far from the colour that you click on a fill goes; 1.00: to the end of the region, of any colour.",
        )  # fmt: skip
        self.undo_button = controls.button(
            "Undo", "Take the last stroke or fill back.", self._guarded(self.undo), icon="undo", width="90px"
        )
        self.clear_button = controls.button(
            "Clear", "Both pictures become the chosen region.", self._guarded(self.clear), icon="eraser", width="90px"
        )
        for tool in (self.region, self.tool, self.brush, self.similar):
            tool.observe(self._taken, "value")
        self.new.observe(self._guarded(self._typed), "value")

    def _offer(self, name: str) -> None:
        self.region.options = self.names
        self.region.value = name
        self._taken()

    def _taken(self, *_: Any) -> None:
        label = self.names.index(self.region.value) if self.region.value in self.names else 0
        for pane in self._panes:
            pane.label, pane.tool = label, self.tool.value
            pane.radius, pane.tolerance = self.brush.value, self.similar.value
            pane.ink = "#{:02x}{:02x}{:02x}".format(*INKS[label])

    def _typed(self) -> None:
        name, self.new.value = self.new.value, ""
        if name:
            self.add(name)

    def _guarded(self, act: Callable[[], None]) -> Callable[..., None]:
        def acted() -> None:
            self._message.value = ""
            act()

        return guarded(acted, lambda words: self._message.set_trait("value", complaint(words)))

    def _changed(self) -> None:
        self._before = [*self._before, self._now][-KEPT:]
        self._now = self._labels()
        self.painted += 1

    def _labels(self) -> list[np.ndarray]:
        return [pane.labels for pane in self._panes]

    def _masks(self, labels: np.ndarray) -> Masks:
        kept, found = np.unique(labels, return_inverse=True)
        names, inks = tuple(self.names[label] for label in kept), tuple(INKS[label] for label in kept)
        return Masks(torch.from_numpy(found.reshape(labels.shape)).long(), names, inks)


def _toggles(description: str, options: list[str], tooltip: str) -> widgets.ToggleButtons:
    return widgets.ToggleButtons(
        options=options, description=description, tooltip=tooltip, layout=widgets.Layout(width="max-content"),
        style={"button_width": "auto", "description_width": "72px"},
    )  # fmt: skip


def _middles(labels: np.ndarray) -> dict[int, tuple[int, int]]:
    """Label -> the place (x, y) that is deepest inside its regions; small regions are left out."""
    from scipy import ndimage  # here: it imports for a while

    found = {}
    for label in np.unique(labels):
        inside = np.pad(labels == label, 1)  # the picture's border is a border of the region
        depth = ndimage.distance_transform_edt(inside)[1:-1, 1:-1]
        y, x = np.unravel_index(depth.argmax(), depth.shape)
        if depth[y, x] >= _LETTERS / 2:
            found[int(label)] = (int(x), int(y))
    return found
