"""What all labs are: a stage on the left, controls on the right, and a runner between them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

import ipywidgets as widgets
from torch import Tensor

from stylelearn.images import read_image, read_settings, resize, shown_name
from stylelearn.lab import memory
from stylelearn.lab.column import SLIDERS, Column, Row, View, restore
from stylelearn.lab.engine.clock import Clock
from stylelearn.lab.engine.errors import guarded, in_words
from stylelearn.lab.engine.kernel import Released, on_interrupt
from stylelearn.lab.engine.runner import Job, Outcome, Run, Runner, interrupt
from stylelearn.lab.widgets.stage import Stage
from stylelearn.optimize import Diverged, Step

PICTURE_EVERY = 0.15  # seconds between two live pictures, at least
CURVES_EVERY = 1.0


class Lab(Released, widgets.VBox):
    """A lab: a stage with the picture, and controls beside it.

    A lab of its own gives its controls and defines `job`; everything else is here. From code: `start()`, `stop()`,
    `resume()`, `reset()`, `keep()`, `wait()`, `save("name.png")`, `take("name.png")`, `code()`, `close()`; `settings`
    and `image` are there at any time, and `type(lab)(**lab.settings)` makes the same lab again.

    Args:
        rows: the controls, as for `Column`.
        stage: where the picture is shown.
        first_steps: how many steps are done before the constructor returns, so that there is a picture at once.
        fixed: settings that no control changes.
        below: what stands below both.
        shown: what of it is on the page: `hide` and `show`, see `View`.
    """

    _quiet = False  # while several controls are set that belong together

    def __init__(
        self,
        rows: Sequence[Row],
        stage: Stage,
        first_steps: int,
        *,
        fixed: Mapping[str, Any] | None = None,
        below: Sequence[widgets.Widget] = (),
        **shown: Unpack[View],
    ) -> None:
        column = Column(rows, **shown)
        self.controls = column.controls
        self.stage, self.fixed = stage, dict(fixed or {})
        self._defaults = self.settings
        self._showing = threading.RLock()  # the picture and what belongs to it change together
        self._runner = Runner(self._began, self._stepped, self._ended, name=type(self).__name__)
        on_interrupt(interrupt)
        self._forget()
        self._kept: dict[int, dict[str, Any]] = {}  # the settings of the pictures on the strip
        stage.on_msg(self._heard)
        row = widgets.HBox([stage, column])
        super().__init__([row, *below])
        for box, name in ((self, "sl-lab"), (row, "sl-row"), (column, "sl-controls")):
            box.add_class(name)
        if shown.get("show") == SLIDERS:
            self.add_class("sl-projector")
        self._first(first_steps)
        self._view_count = 0  # from now on the page tells how often this lab is on it
        self.observe(self._gone_from_the_page, "_view_count")

    # ------------------------------------------------------------------------------------------- what a lab defines

    def job(self, settings: dict[str, Any], image: Tensor | None, steps: int) -> Job:
        """The work for these settings.

        Args:
            settings: the values of the controls. `steps`: how many are to be done.
            image: the picture to go on from, any size; None begins anew.
        """
        raise NotImplementedError

    def empty(self) -> Tensor:
        """What is shown before the first step."""
        raise NotImplementedError

    def on_stage(self) -> Tensor:
        """What is on the stage: the lab's picture, or another view of it."""
        return self._image

    def original(self) -> Tensor | None:
        """What the border compares it with; None for nothing."""
        return getattr(self.controls.get("content"), "image", None)

    # --------------------------------------------------------------------------------------------------- what users do

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
        """Begin anew with the present settings, in the background; returns at once."""
        settings = self.settings
        self._runner.start(self.job(settings, None, settings["steps"]), restart=restart)

    def resume(self) -> None:
        """Go on from the present picture with the present settings, in the background; returns at once."""
        settings = self.settings
        job = self.job(settings, self._raw, settings["steps"])
        self._runner.start(replace(job, first=self._history[-1][0] if self._history else 0))

    def stop(self) -> None:
        """End after the present step; the picture is kept."""
        if self.running:
            self.stage.announce("stopping after this step …")
        self._runner.stop()

    def reset(self) -> None:
        """Back to the settings and the picture of the beginning."""
        with self._showing:  # whatever the running step still wants to show comes too late
            self._runner.stop(discard=True)
            self.set(**self._defaults)
            self._forget()
            self._job, self._raw, self._image, self._made, history = self._beginning
            self._history = list(history)
            self.stage.error = ""
            self._show_all(self._title)
            self.stage.progress(0, "")

    def set(self, **settings: Any) -> None:
        """Set several controls."""
        self._quiet = True  # labs that answer each move answer once, afterwards
        try:
            for name, value in settings.items():
                if name in self.controls:
                    restore(self.controls[name], value)
                else:
                    self.fixed[name] = value
            self.restored()
        finally:
            self._quiet = False

    def restored(self) -> None:
        """Called when all controls have been set."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing runs, at most `timeout` seconds; says whether that is so."""
        return self._runner.wait(timeout)

    def save(self, name: str | None = None) -> Path | None:
        """Write the picture with its settings inside; by default to the name in the lab's field."""
        with self._showing:
            image, inside = self._image, self._inside()
        return self.stage.save(image, inside, name or self.stage.file_name)

    def take(self, source: Any, name: str | None = None) -> None:
        """Take a picture that this lab saved, with its settings; any other picture becomes the content.

        Args:
            source: as for `read_image`. name: what to call it.
        """
        self.stage.error = ""
        inside = read_settings(source)
        if inside.get("lab") != type(self).__name__:
            if not (chooser := self.controls.get("content")):
                raise ValueError(f"{shown_name(source)} was not saved by this lab, and this lab takes no photo")
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
        """Show a picture that was saved with the settings that are set now."""
        with self._showing:
            self._forget()
            self._keep(self.job(self.settings, image, max(1, steps)), image, steps)
            self._image = image  # what was saved is finished
            self._show_all(f"{self._job.title}, as it was saved")
            self.stage.announce("the settings of this picture are back")
            self.stage.idle(can_resume=True)

    def keep(self) -> None:
        """Put the picture on the strip, with its settings."""
        with self._showing:
            self.stage.keep(self._image, self.stage.tooltip)
            self._kept[self.stage.kept[-1]["number"]] = {k: v for k, v in self._made.items() if k != "steps_done"}

    def again(self, number: int) -> None:
        """Back to the settings of the picture with that number on the strip."""
        self.set(**self._kept[number])

    def code(self) -> str:
        """The lines that make this picture with the package."""
        return memory.code(type(self).__name__, self._made, self.stage.file_name)

    def close(self) -> None:
        """Stop, take the lab off the page, and give back what it holds; the picture and the settings are kept."""
        if hasattr(self, "_runner"):  # not there if the constructor refused its arguments
            self._runner.stop(discard=True)
        super().close()
        for held in ("_job", "_raw", "_beginning", "_last"):
            setattr(self, held, None)

    def _moved(self) -> None:
        """What a control calls when it is moved, in a lab that answers at once."""
        if not self._quiet:
            self.start(restart=True)

    def guarded(self, act: Callable[[], Any]) -> Callable[..., None]:
        """A callback whose errors are shown in the lab."""
        return guarded(act, lambda words: self.stage.set_trait("error", words))  # the stage may come later

    # ----------------------------------------------------------------------------------------------- what the page says

    def _heard(self, _: Any, message: dict[str, Any], buffers: list[Any]) -> None:
        self.guarded(lambda: self._asked(message, buffers))()

    def _asked(self, message: dict[str, Any], buffers: list[Any]) -> None:
        """A button was pressed, a place was pointed at, or a file has come."""
        match message:
            case {"do": "file", "name": name}:
                self.take({"name": name, "content": bytes(buffers[0])}, f"upload: {name}")
            case {"do": "refused", "why": why}:
                self.stage.error = why
            case {"do": "again", "number": number}:
                self.again(self.stage.kept[number]["number"])
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

    # -------------------------------------------------------------------------------------------- what the runner says

    def _forget(self) -> None:
        self._history = []
        self._marks: list[int] = []
        self._last: Step | None = None

    def _first(self, steps: int) -> None:
        self._keep(self.job(self.settings, None, max(1, steps)), self.empty(), 0)
        self._show_all("Nothing has been done yet: press Start")
        self.stage.share = 0
        if steps > 0:
            self._runner.run_here(self._job)
            if not self.error:
                self.stage.progress(0, f"the first {len(self._history)} steps; press Start for more")
        self._beginning = (self._job, self._raw, self._image, self._made, tuple(self._history))
        self._title = self.stage.tooltip

    def _keep(self, job: Job, raw: Tensor, steps: int) -> None:
        """This picture is the present one."""
        self._job, self._raw, self._image = job, raw, job.finish(raw)
        self._made = {**job.settings, "steps_done": steps}

    def _began(self, run: Run) -> None:
        with self._showing:
            if run.discarded:
                return
            self._last = None
            self._clock = Clock()
            self.stage.error = ""
            self.stage.busy()
            stopped = self._runner.stopped
            self.stage.progress(0, "preparing …" + (f" {stopped} was stopped for it" if stopped else ""))

    def _stepped(self, run: Run, step: Step) -> None:
        clock = self._clock
        clock.step()
        with self._showing:
            if run.discarded:
                return
            if self._last is None:  # only now: a run that fails before its first step is to lose nothing
                if run.job.first == 0:
                    self._forget()
                else:
                    self._marks.append(run.job.first)
            number = run.job.first + step.number
            self._history.append((number, step.losses))
            self._last = step
            if clock.due("picture", PICTURE_EVERY):
                self._keep(run.job, step.image, number)
                self._show(f"{run.job.title}, while it is being made", live=True)
                self.stage.progress(*clock.progress(step.number, run.job.count))
                clock.done("picture", PICTURE_EVERY)
            if clock.due("curves", CURVES_EVERY):
                self.stage.plot(self._history, self._marks)
                clock.done("curves", CURVES_EVERY)

    def _ended(self, run: Run, outcome: Outcome, error: Exception | None) -> None:
        with self._showing:
            if run.discarded:
                self.stage.idle(can_resume=True)
                return
            if error is not None:
                self.stage.error = in_words(error)
            if isinstance(error, Diverged):
                self._keep(run.job, error.image, run.job.first + error.step)
            elif self._last is not None:  # at the end the best picture counts, not the last
                self._keep(run.job, self._last.best_image, run.job.first + self._last.number)
            done = self._made["steps_done"]
            if self._last is not None:
                self._show_all(f"{run.job.title}, after {done} steps")
            words = {"finished": "done", "stopped": "stopped", "failed": "ended"}[outcome]
            words += f" after {done} steps" + (f" by {run.stopped_by}" if run.stopped_by else "")
            early = outcome == "finished" and done - run.job.first < run.job.count
            self.stage.announce(words + (": nothing changes any more" if early else ""))
            self.stage.idle(can_resume=True)

    def _show(self, words: str, *, live: bool = False) -> None:
        shown = self.on_stage()
        self.stage.show(shown, words, live=live)
        self.stage.compare(self.original(), max(shown.shape[2:]))
        self.stage.caption = self._job.caption(self._image)

    def _show_all(self, words: str) -> None:
        self._show(words)
        self.stage.plot(self._history, self._marks)

    def _gone_from_the_page(self, change: dict[str, Any]) -> None:
        """The cell was cleared or deleted: nobody watches any more."""
        if change["old"] and not change["new"]:
            self._runner.stop()


def fitted(image: Tensor, size: int) -> Tensor:
    """The picture with a shorter side of `size`, and a longer one of at most twice that (a panorama gets less high)."""
    short, long = sorted(image.shape[-2:])
    return resize(image, size) if long <= 2 * short else resize(image, 2 * size, "long")
