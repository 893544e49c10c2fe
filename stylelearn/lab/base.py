"""What all labs are: controls on the left, a panel on the right, and a runner between them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import ipywidgets as widgets
from torch import Tensor

from stylelearn.images import resize, shown_name
from stylelearn.lab.engine.clock import Clock
from stylelearn.lab.engine.errors import guarded, in_words
from stylelearn.lab.engine.kernel import Released, on_interrupt
from stylelearn.lab.engine.runner import Job, Outcome, Run, Runner, interrupt
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import Chooser
from stylelearn.lab.widgets.curves import curves_html
from stylelearn.lab.widgets.panel import Panel
from stylelearn.optimize import Diverged, Step

PICTURE_EVERY = 0.15  # seconds between two live pictures, at least
CURVES_EVERY = 1.0

Row: TypeAlias = widgets.Widget | Mapping[str, Any] | tuple[widgets.Widget, Mapping[str, Any]]
"""What stands in the column of controls: settings by name, another widget, or a widget and the settings in it."""


class Lab(Released):
    """A lab: Start, Stop, Continue, Reset, a live picture, loss curves, Save.

    A lab of its own gives its controls and defines `job`; everything else is here. From code: `start()`, `stop()`,
    `resume()`, `reset()`, `wait()`, `save("name.png")`, `close()`; `settings` and `image` are there at any time.

    Args:
        rows: the controls, from top to bottom; a control has a `value`, and its name is that of the setting.
        panel: where the picture is shown.
        first_steps: how many steps are done before the constructor returns, so that there is a picture at once.
        width: of the controls, as CSS has it.
    """

    def __init__(self, rows: Sequence[Row], panel: Panel, first_steps: int, *, width: str = "360px") -> None:
        shown: list[widgets.Widget] = []
        self.controls: dict[str, Any] = {}
        for row in rows:
            if isinstance(row, Mapping):
                shown += row.values()
                self.controls |= row
            else:
                widget, settings = row if isinstance(row, tuple) else (row, {})
                shown.append(widget)
                self.controls |= settings
        self.panel = panel
        self._defaults = self.settings
        self._showing = threading.RLock()  # the picture and what belongs to it change together
        self._runner = Runner(self._began, self._stepped, self._ended)
        on_interrupt(interrupt)
        self._forget()
        for name, act in (("start", self.start), ("stop", self.stop), ("resume", self.resume), ("reset", self.reset)):
            if name in panel.buttons:
                panel.buttons[name].on_click(self.guarded(act))
        panel.save_button.on_click(self.guarded(self.save))
        both = [controls.column(*shown, width=width), panel]
        row = widgets.HBox(both, layout=widgets.Layout(flex_flow="row wrap", align_items="flex-start"))
        super().__init__([row], layout=widgets.Layout(width="100%", max_width="1160px"))
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

    # --------------------------------------------------------------------------------------------------- what users do

    @property
    def settings(self) -> dict[str, Any]:
        """The values of all controls, under the names of the constructor's arguments."""
        return {name: control.value for name, control in self.controls.items()}

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
        return self.panel.error

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
            self.panel.announce("stopping after this step …")
        self._runner.stop()

    def reset(self) -> None:
        """Back to the settings and the picture of the beginning."""
        with self._showing:  # whatever the running step still wants to show comes too late
            self._runner.stop(discard=True)
            for name, value in self._defaults.items():
                restore(self.controls[name], value)
            self.restored()
            self._forget()
            self._job, self._raw, self._image, self._made, history = self._beginning
            self._history = list(history)
            self.panel.complain("")
            self._show_all(self._title)
            self.panel.progress(0, "")

    def restored(self) -> None:
        """Called by `reset` when the controls have their first values again."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing runs, at most `timeout` seconds; says whether that is so."""
        return self._runner.wait(timeout)

    def save(self, name: str | None = None) -> Path | None:
        """Write the picture with its settings inside; by default to the name in the lab's field."""
        with self._showing:
            image, made = self._image, named(self._made)
        return self.panel.save(image, {**made, "lab": type(self).__name__}, name or self.panel.file_name.value)

    def close(self) -> None:
        """Stop, take the lab off the page, and give back what it holds; the picture and the settings are kept."""
        if hasattr(self, "_runner"):  # not there if the constructor refused its arguments
            self._runner.stop(discard=True)
        super().close()
        for held in ("_job", "_raw", "_beginning", "_last"):
            setattr(self, held, None)

    def guarded(self, act: Callable[[], Any]) -> Callable[..., None]:
        """A callback whose errors are shown in the lab."""
        return guarded(act, lambda words: self.panel.complain(words))  # the panel may come later

    # -------------------------------------------------------------------------------------------- what the runner says

    def _forget(self) -> None:
        self._history = []
        self._marks: list[int] = []
        self._last: Step | None = None

    def _first(self, steps: int) -> None:
        self._keep(self.job(self.settings, None, max(1, steps)), self.empty(), 0)
        self._show_all("Nothing has been done yet: press Start")
        if steps > 0:
            self._runner.run_here(self._job)
            if not self.error:
                self.panel.progress(0, f"the first {len(self._history)} steps; press Start for more")
        self._beginning = (self._job, self._raw, self._image, self._made, tuple(self._history))
        self._title = self.panel.picture.tooltip

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
            self.panel.complain("")
            self.panel.busy()
            self.panel.progress(0, "preparing …")

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
                self.panel.progress(*clock.progress(step.number, run.job.count))
                clock.done("picture", PICTURE_EVERY)
            if clock.due("curves", CURVES_EVERY):
                self.panel.curves.value = curves_html(self._history, self._marks)
                clock.done("curves", CURVES_EVERY)

    def _ended(self, run: Run, outcome: Outcome, error: Exception | None) -> None:
        with self._showing:
            if run.discarded:
                self.panel.idle(can_resume=True)
                return
            if error is not None:
                self.panel.complain(in_words(error))
            if isinstance(error, Diverged):
                self._keep(run.job, error.image, run.job.first + error.step)
            elif self._last is not None:  # at the end the best picture counts, not the last
                self._keep(run.job, self._last.best_image, run.job.first + self._last.number)
            done = self._made["steps_done"]
            if self._last is not None:
                self._show_all(f"{run.job.title}, after {done} steps")
            words = {"finished": "done", "stopped": "stopped", "failed": "ended"}[outcome]
            words += " by the kernel's ■" if run.interrupted else ""
            early = outcome == "finished" and done - run.job.first < run.job.count
            self.panel.announce(f"{words} after {done} steps" + (": nothing changes any more" if early else ""))
            self.panel.idle(can_resume=True)

    def _show(self, words: str, *, live: bool = False) -> None:
        self.panel.show(self._job.compose(self._image), words, live=live)
        caption = self._job.caption(self._image)
        if self.panel.caption.value != caption:
            self.panel.caption.value = caption

    def _show_all(self, words: str) -> None:
        self._show(words)
        self.panel.curves.value = curves_html(self._history, self._marks)

    def _gone_from_the_page(self, change: dict[str, Any]) -> None:
        """The cell was cleared or deleted: nobody watches any more."""
        if change["old"] and not change["new"]:
            self._runner.stop()


def named(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as others may see them: of a path or an address only the name."""
    return {name: shown_name(value) if isinstance(value, str) else value for name, value in settings.items()}


def restore(control: Any, value: Any) -> None:
    """Give a control its value back."""
    if isinstance(control, Chooser):
        control.restore(value)
    else:
        control.value = value


def observe(control: Any, act: Callable[..., None]) -> None:
    """Call `act` whenever a control changes."""
    control.observe(act, "picked" if isinstance(control, Chooser) else "value")


def fitted(image: Tensor, size: int) -> Tensor:
    """The picture with a shorter side of `size`, and a longer one of at most twice that (a panorama gets less high)."""
    short, long = sorted(image.shape[-2:])
    return resize(image, size) if long <= 2 * short else resize(image, 2 * size, "long")
