"""The stage of every lab: the picture, what it is compared with, the buttons, progress, loss curves, and saving."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from torch import Tensor

from stylelearn.images import encode_image, resize

SCRIPT = Path(__file__).with_name("stage.js").read_text(encoding="utf-8")  # a path would keep every widget alive
LIVE_QUALITY, FINAL_QUALITY = 80, 92
MOST_KEPT = 8  # pictures; the next one takes the place of the oldest
_POINTS = 200  # of each curve; a longer history is thinned out

History = Sequence[tuple[int, Mapping[str, float]]]
"""(number of the step, term by term), in order."""
Box = tuple[float, float, float, float]  # left, top, width, height in pixels of the picture


class Stage(anywidget.AnyWidget):
    """The picture of a lab and all that one does to it.

    Args:
        file_name: what Save proposes.
        buttons: which of "start", "stop", "resume", "reset", "live"; "keep" is always there.
        border: where the border between `before` and the picture is at first, 0 (left) to 1.

    Attributes:
        value: the picture, a JPEG. tooltip: its alternative text.
        before: what is left of the border and seen while the picture is pressed. names: what both are called.
        enabled: the buttons that can be pressed. kept: the pictures of the strip.
        words: how far it is. said: what screen readers read aloud. error: what went wrong last, "" if nothing did.
        pointing: whether a press on the picture tells its place. over: a drawing over the picture, as SVG.
        kiosk: whether the page offers no files of this machine; see `Studio`.
    """

    _esm = SCRIPT
    view = traitlets.Unicode("stage").tag(sync=True)
    description = traitlets.Unicode("stage").tag(sync=True)  # ipywidgets reads it in every view with a tooltip
    value = traitlets.Bytes().tag(sync=True)
    tooltip = traitlets.Unicode().tag(sync=True)
    before = traitlets.Bytes().tag(sync=True)
    names = traitlets.List(["the photo", "the pastiche"]).tag(sync=True)
    border = traitlets.Float(0.0, min=0, max=1).tag(sync=True)
    over = traitlets.Unicode().tag(sync=True)
    pointing = traitlets.Bool().tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    buttons: traitlets.List[Any] = traitlets.List().tag(sync=True)
    enabled: traitlets.List[Any] = traitlets.List().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)
    said = traitlets.Unicode().tag(sync=True)
    share = traitlets.Float(-1.0).tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)
    curves = traitlets.Dict().tag(sync=True)
    kept: traitlets.List[Any] = traitlets.List().tag(sync=True)
    file_name = traitlets.Unicode().tag(sync=True)
    written = traitlets.Unicode().tag(sync=True)
    kiosk = traitlets.Bool().tag(sync=True)

    def __init__(self, file_name: str, buttons: Sequence[str], *, border: float = 0.0) -> None:
        super().__init__(file_name=file_name, buttons=[*buttons, "keep"], border=border)
        self._compared: tuple[Tensor | None, int] = (None, 0)
        self.add_class("poster")  # what a notebook keeps of this lab when no kernel is behind it
        self.idle(can_resume=False)

    def show(self, image: Tensor, words: str, *, live: bool = False) -> None:
        """Show a picture (1, 3, H, W) with its alternative text."""
        with self.hold_sync():  # one message: the words never belong to another picture than the one shown
            self.value = encode_image(image, "jpeg", LIVE_QUALITY if live else FINAL_QUALITY)
            self.tooltip = words

    def compare(self, image: Tensor | None, side: int) -> None:
        """Put a picture left of the border, with a longer side of at most `side` pixels; None takes it away."""
        if image is not self._compared[0] or side > self._compared[1]:
            self._compared = (image, side)
            small = image if image is None or max(image.shape[2:]) <= side else resize(image, side, "long")
            self.before = b"" if small is None else encode_image(small, "jpeg", FINAL_QUALITY)

    def keep(self, image: Tensor, words: str) -> None:
        """Put a picture on the strip."""
        number = self.kept[-1]["number"] + 1 if self.kept else 1
        one = {"picture": encode_image(image, "jpeg", FINAL_QUALITY), "words": words, "number": number}
        self.kept = [*self.kept, one][-MOST_KEPT:]

    def progress(self, share: float, words: str) -> None:
        """How far it is (0 to 1; -1 without a bar), and that in words."""
        with self.hold_sync():
            self.share, self.words = share, words

    def announce(self, words: str) -> None:
        """Say what happened; read aloud by screen readers."""
        self.words = self.said = words

    def busy(self) -> None:
        """While something runs there is nothing to start, but something to stop."""
        self.enabled = [name for name in self.buttons if name not in ("start", "resume")]

    def idle(self, *, can_resume: bool) -> None:
        """Nothing runs."""
        self.enabled = [name for name in self.buttons if name != "stop" and (can_resume or name != "resume")]

    def download(self, image: Tensor, settings: dict[str, Any]) -> None:
        """Give the browser the file that Save would write."""
        name = Path(self.file_name).name
        data = encode_image(image, Path(name).suffix[1:], FINAL_QUALITY, settings)
        self.send({"download": name}, [data])


def curves(history: History, marks: Sequence[int] = ()) -> dict[str, Any]:
    """The loss curves as the page draws them: steps, values by term (with their sum first), and the same in words.

    `marks` are the steps after which Continue was pressed.
    """
    if len(history) < 2:
        return {}
    thinned = [*history[: -1 : -(-len(history) // _POINTS)], history[-1]]
    names = list(dict.fromkeys(name for _, losses in history for name in losses))
    terms = {"sum": [_short(sum(losses.values())) for _, losses in thinned]} if len(names) > 1 else {}
    terms |= {name: [_short(losses.get(name)) for _, losses in thinned] for name in names}
    (first, began), (last, ended) = history[0], history[-1]
    changes = [f"{name} from {began.get(name, value):.3g} to {value:.3g}" for name, value in ended.items()]
    words = f"Loss curves, steps {first} to {last}: {'; '.join(changes)}"
    return {"steps": [number for number, _ in thinned], "terms": terms, "marks": list(marks), "words": words}


def boxes(size: Sequence[int], places: Iterable[Box], picture: str = "") -> str:
    """Boxes over a picture of (height, width) `size`, or over SVG, as SVG; the first one thick, the others thin."""
    found: list[str] = []
    for number, (left, top, width, height) in enumerate(places):
        place = f'x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" fill="none"'
        strong, weak, dashes = (5, 2.5, "") if number == 0 else (1.5, 1, ' stroke-dasharray="3 3"')
        found[:0] = [  # what is drawn last lies on top
            f'<rect {place} vector-effect="non-scaling-stroke" stroke="#000" stroke-width="{strong}"/>',
            f'<rect {place} vector-effect="non-scaling-stroke" stroke="#fff" stroke-width="{weak}"{dashes}/>',
        ]
    return f'<svg viewBox="0 0 {size[1]} {size[0]}" preserveAspectRatio="none">{picture}{"".join(found)}</svg>'


def _short(value: float | None) -> float | None:
    """Three digits are enough for a curve; NaN and infinity are no JSON."""
    return float(f"{value:.3g}") if value is not None and abs(value) < float("inf") else None
