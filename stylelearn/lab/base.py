"""What all labs are: a stage on the left, controls on the right, and a runner between them."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from stylelearn.images import read_image, read_settings, write_image
from stylelearn.lab import memory
from stylelearn.lab.column import SLIDERS, Column, Row, observe, restore
from stylelearn.lab.engine.clock import taken
from stylelearn.lab.engine.errors import guarded
from stylelearn.lab.engine.kernel import Released, on_interrupt
from stylelearn.lab.engine.runner import Job, Run, Runner, interrupt
from stylelearn.lab.widgets.stage import MOST_KEPT, Stage
from stylelearn.optimize import Step


class Lab(Released, widgets.VBox):
    """A lab: a stage with the picture, and controls beside it.

    `StepLab` paints step by step, `LiveLab` at once, by a network; a lab of its own derives from one of them.
    From code: `start()`, `stop()`, `reset()`, `keep()`, `wait()`, `save("name.png")`, `take("name.png")`, `code()`,
    `close()`; `settings` and `image` are there at any time, and `type(lab)(**lab.settings)` makes the same lab again.

    Args:
        rows: the controls, as for `Column`.
        fixed: settings that no control changes.
        below: what stands below stage and controls.
        border: as for `Stage`.
        shown: what of it is on the page; every lab takes these two, `hide` (names of settings) and `show` ("all"; or
            "sliders" for a projector: a large picture, its buttons, and sliders and squares), see `Column`.
    Raises:
        ValueError: every lab, for a number out of range or a choice that is not there. WeightsError: no such network.
    """

    file_name = "pastiche.png"  # what Save proposes
    buttons: Sequence[str] = ()  # of the stage
    at_once = False  # whether every move of a control paints anew

    _job: Any = None  # the `Job` that made the picture
    _raw: Any = None  # the picture before the job's `finish`
    _quiet = False  # while several controls are set that belong together

    def __init__(
        self,
        rows: Sequence[Row],
        *,
        fixed: Mapping[str, Any] | None = None,
        below: Sequence[widgets.Widget] = (),
        border: float = 0.0,
        **shown: Any,
    ) -> None:
        column = Column(rows, **shown)
        self.controls = column.controls
        self.stage, self.fixed = Stage(self.file_name, self.buttons, border=border), dict(fixed or {})
        self._defaults = self.settings
        self._showing = threading.RLock()  # the picture and what belongs to it change together
        begin, step = (partial(self._unless_discarded, act) for act in (self._began, self._stepped))
        self._runner = Runner(begin, step, self._ended, name=type(self).__name__)
        on_interrupt(interrupt)
        self._kept: deque[dict[str, Any]] = deque(maxlen=MOST_KEPT)  # the settings of the pictures on the strip
        self.stage.on_msg(lambda _, *heard: self.guarded(partial(self._asked, *heard))())
        row = widgets.HBox([self.stage, column])
        super().__init__([row, *below])
        for box, name in ((self, "sl-lab"), (row, "sl-row"), (column, "sl-controls")):
            box.add_class(name)
        if shown.get("show") == SLIDERS:
            self.add_class("sl-projector")
        for name, control in self.controls.items() if self.at_once else ():
            observe(control, self.guarded(partial(self._moved, name)))
        self._view_count = 0  # from now on the page tells how often this lab is on it
        self.observe(self._gone_from_the_page, "_view_count")

    def on_stage(self) -> Tensor:
        """What is on the stage: the lab's picture, or another view of it."""
        return self._image

    def original(self) -> Tensor | None:
        """What the border compares it with; None for nothing."""
        return getattr(self.controls.get("content"), "image", None)

    @property
    def settings(self) -> dict[str, Any]:
        """The values of all controls and what is fixed, under the names of the constructor's arguments."""
        return {name: control.value for name, control in self.controls.items()} | self.fixed

    @property
    def image(self) -> Tensor:
        """The picture that is shown, (1, 3, H, W) in [0, 1]."""
        return self._image

    @property
    def running(self) -> bool:
        """Whether it works."""
        return self._runner.running

    @property
    def error(self) -> str:
        """What went wrong last, in words; "" if nothing did."""
        return self.stage.error

    def start(self, *, restart: bool = False) -> None:
        """Paint with the present settings in the background; returns at once."""
        raise NotImplementedError

    def stop(self) -> None:
        """End after the present step; the picture is kept."""
        if self.running:
            self.stage.announce("stopping after this step …")
        self._runner.stop()

    def set(self, **settings: Any) -> None:
        """Set several controls."""
        self._quiet = True  # labs that answer each move answer once, afterwards
        try:
            for name, value in settings.items():
                if name in self.controls:
                    restore(self.controls[name], value)
                else:
                    self.fixed[name] = value
        finally:
            self._quiet = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing runs, at most `timeout` seconds; says whether that is so."""
        return self._runner.wait(timeout)

    def save(self, name: str | None = None) -> Path | None:
        """Write the picture with its settings inside, by default to the name in the lab's field.

        Returns where it is, since nothing is overwritten; None where it cannot be written, and `error` says why.
        """
        with self._showing:
            image, inside = self._image, self._inside()
        try:
            path = found = Path(name or self.stage.file_name).expanduser()
            number = 2
            while os.path.exists(found):  # False, too, for a name that is too long; Path.exists raises an error then
                found = path.with_name(f"{path.stem}-{number}{path.suffix}")
                number += 1
            written = write_image(image, found, settings=inside)
        except (ValueError, OSError, RuntimeError) as error:  # RuntimeError: an unknown ~user
            self.stage.error = f"{error}; Download gives you the file all the same"
            return None
        self.stage.error, self.stage.written = "", f"Written to {written}."
        return written

    def take(self, source: Any, name: str | None = None) -> None:
        """Take a picture that this lab saved, with its settings; any other picture becomes the content, named so."""
        self.stage.error = ""
        inside = read_settings(source)
        if inside.get("lab") != type(self).__name__:
            if not (chooser := self.controls.get("content")):
                raise ValueError("this picture was not saved by this lab, and this lab takes no photo")
            chooser.take(source, name)
            return
        steps = inside.pop("steps_done", 0)
        inside, missing = memory.found(inside, self.controls)
        self._runner.stop(discard=True)
        self.set(**{name: value for name, value in inside.items() if name in self.settings})
        self.reopened(read_image(source), steps)
        if missing:
            self.stage.error = f"the settings are back, but not the picture for {', '.join(missing)}; choose it"

    def reopened(self, image: Tensor, steps: int) -> None:
        """Called with a picture that was saved with the settings that are set now, after so many steps."""

    def keep(self) -> None:
        """Put the picture on the strip, with its settings."""
        with self._showing:
            self.stage.keep(self._image, self.stage.tooltip)
            self._kept.append({name: value for name, value in self._made.items() if name != "steps_done"})

    def code(self) -> str:
        """The lines that make this picture with the package."""
        return memory.code(type(self).__name__, self._made, self.stage.file_name)

    def close(self) -> None:
        """Stop, take the lab off the page, and give back what it holds; the picture and the settings are kept."""
        if hasattr(self, "_runner"):  # not there if the constructor refused its arguments
            self._runner.stop(discard=True)
            self.stage.compare(None, 0)
        super().close()
        self._job = self._raw = None

    def _moved(self, name: str) -> None:
        """What the control of that name calls when it is moved, in a lab that answers at once."""
        if not self._quiet:
            self.start(restart=True)

    def guarded(self, act: Callable[[], Any]) -> Callable[..., None]:
        """A callback whose errors are shown in the lab."""
        return guarded(act, lambda words: self.stage.set_trait("error", words))  # the stage may come later

    def _asked(self, message: dict[str, Any], buffers: list[Any]) -> None:
        """A button was pressed, a place was pointed at, or a file has come."""
        match message:
            case {"do": "file", "name": name}:
                self.take({"name": name, "content": bytes(buffers[0])}, f"upload: {name}")
            case {"do": "refused", "why": why}:
                self.stage.error = why
            case {"do": "again", "number": number}:
                self.set(**self._kept[number])
            case {"do": "point", "place": place}:
                self.pointed(*place)
            case {"do": "code"}:
                self.stage.send({"code": self.code()})
            case {"do": "download"}:
                self.stage.download(self._image, self._inside())
            case {"do": "save"} if self.stage.kiosk:
                self.stage.error = "nothing is saved on this machine"
            case {"do": "start" | "stop" | "resume" | "reset" | "keep" | "save" as name}:
                getattr(self, name)()

    def pointed(self, across: float, down: float) -> None:
        """The picture was pressed there, from 0 to 1 each."""

    def _inside(self) -> dict[str, Any]:
        return memory.written(type(self).__name__, self._made, self.controls)

    def _unless_discarded(self, act: Callable[..., None], run: Run, *given: Any) -> None:
        with self._showing:
            if not run.discarded:
                act(run, *given)

    def _began(self, run: Run) -> None:
        """A run begins."""

    def _stepped(self, run: Run, step: Step) -> None:
        """It has made a step."""

    def _ended(self, run: Run, error: Exception | None) -> None:
        """It is over; `run.discarded` says whether nothing of it is wanted any more."""

    def _keep(self, job: Job, raw: Tensor, **more: Any) -> None:
        """This picture is the present one; `more` is written into its file, too."""
        self._job, self._raw, self._image = job, raw, job.finish(raw)
        self._made = {**job.settings, **more}

    def _show(self, words: str, *, live: bool = False) -> None:
        shown = self.on_stage()
        self.stage.show(shown, words, live=live)
        self.stage.compare(self.original(), max(shown.shape[2:]))
        self.stage.caption = self._job.caption(self._image)

    def _took(self) -> str:
        """The size of the picture, and how long it took, in words."""
        height, width = self._image.shape[-2:]
        return f"{width} × {height} pixels, {taken(time.perf_counter() - self._job.at)} after the move"

    def _gone_from_the_page(self, change: dict[str, Any]) -> None:
        """The cell was cleared or deleted, so nothing is shown any more."""
        if change["old"] and not change["new"]:
            self._runner.stop()
