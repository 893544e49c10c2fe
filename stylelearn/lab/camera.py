"""Labs that also paint what the camera sees, picture by picture. Lessons 03 to 05.

The page sends a picture of its camera, gets it back painted with the settings of that moment, and sends the next one.
So there is never more than one under way, and a slow machine paints fewer of them. They travel as messages, which no
notebook keeps, and are no setting, no content and no `image` of the lab.
"""

import queue
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from stylelearn.images import encode_image, read_image
from stylelearn.lab.engine.runner import Job, Run
from stylelearn.lab.live import LiveLab
from stylelearn.lab.widgets.stage import LIVE_QUALITY
from stylelearn.optimize import Step

QUIET = 10.0  # seconds without a picture after which the page counts as gone
_LOOK = 0.1  # seconds between two looks whether it is to stop

Frame = tuple[int, dict[str, Any], dict[str, Tensor]]
"""Its number, and the settings and pictures to paint it with."""


@dataclass(frozen=True)
class Film(Job):
    """Paints each picture that is put into `frames`, until it is stopped or none comes any more."""

    frames: queue.SimpleQueue[Frame] = field(default_factory=queue.SimpleQueue)


class CameraLab(LiveLab):
    """A live lab with a button for the camera, which takes over the setting "content"; it has "size", too."""

    buttons = ("live", "reset")
    _film: Film | None = None

    def start(self, *, restart: bool = True) -> None:
        """As for each `LiveLab`; while the camera is on, its next picture has the new settings already."""
        if not self.filming:
            super().start(restart=restart)

    @property
    def filming(self) -> Film | None:
        """What paints the camera's pictures; None while it is off."""
        return self._film if self._film is not None and self._runner.has(self._film) else None

    def _asked(self, message: dict[str, Any], buffers: list[Any]) -> None:
        match message:
            case {"do": "live", "on": True}:
                frames: queue.SimpleQueue[Frame] = queue.SimpleQueue()
                self._film = Film(lambda: self._painted(frames), 1, frames=frames)
                self._runner.start(self._film, restart=True)
            case {"do": "live"}:
                self._film = None
                self.start()  # the photo again, with what was set meanwhile
            case {"do": "frame", "number": number}:
                if (film := self.filming) is None:  # stopped before it began
                    self.stage.send({"over": "the camera is off"})
                    return
                frame = read_image({"name": "the camera", "content": bytes(buffers[0])})
                settings = {**self.settings, "size": max(frame.shape[2:])}
                film.frames.put((number, settings, {**self.pictures, "content": frame}))
            case _:
                super()._asked(message, buffers)

    def _painted(self, frames: queue.SimpleQueue[Frame]) -> Iterator[Step]:
        """Each picture, painted; and in between a step of number 0, after which it can be stopped."""
        last = time.monotonic()
        while time.monotonic() < last + QUIET:
            try:
                number, settings, pictures = frames.get(timeout=_LOOK)
            except queue.Empty:
                yield Step(0, 0.0, {}, self._image, self._image)
                continue
            with torch.no_grad():
                made = self.render(settings, pictures)
            yield Step(number, 0.0, {}, made, made)
            last = time.monotonic()

    def _stepped(self, run: Run, step: Step) -> None:
        if not isinstance(run.job, Film):
            super()._stepped(run, step)
        elif step.number:
            self.stage.send({"painted": step.number}, [encode_image(step.image, "jpeg", LIVE_QUALITY)])

    def _ended(self, run: Run, error: Exception | None) -> None:
        super()._ended(run, error)
        if isinstance(run.job, Film):
            self.empty_caches()  # they hold the last pictures
            if self._film is run.job:  # the page does not know yet
                self._film = None
                self.stage.send({"over": "the camera is off" + (f": {run.stopped_by}" if run.stopped_by else "")})
                if error is None and not run.stopping:
                    self.start()
