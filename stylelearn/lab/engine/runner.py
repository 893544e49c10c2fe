"""The engine of every lab: runs a generator of steps in a background thread, and can be stopped after any step.

The kernel stays free meanwhile, so other cells answer. Nothing here knows widgets: a lab gives three functions,
and they are called in the working thread.
"""

import atexit
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from stylelearn.optimize import Step

INTERRUPT = "the kernel's ■"


@dataclass(frozen=True)
class Job:
    """One piece of work: what Start or Continue was pressed for.

    Attributes:
        steps: makes the generator; called in the background, so it may load an encoder.
        count: how many steps are expected, for the progress bar.
        settings: how the picture is made; Save keeps them inside the file.
        title: what the picture shows, for its alternative text.
        finish: from a step's picture to the lab's, such as giving it the content's colours.
        caption: a line of HTML for below the picture.
        start: the picture that the steps begin with, (1, 3, H, W), where there is one.
        pictures: what it is made of, for a lab that looks it up while it works and after.
        first: steps that were done before, when this one continues.
        at: when it was asked for, in seconds of `time.perf_counter`.
    """

    steps: Callable[[], Iterable[Step]]
    count: int
    settings: dict[str, Any] = field(default_factory=dict)
    title: str = "Pastiche"
    finish: Callable[[Tensor], Tensor] = lambda image: image
    caption: Callable[[Tensor], str] = lambda image: ""
    start: Tensor | None = None
    pictures: tuple[Tensor, ...] = ()
    first: int = 0
    at: float = field(default_factory=time.perf_counter)


@dataclass(eq=False)
class Run:
    """A job under way, and what was asked of it: to stop after the present step, to show nothing more."""

    job: Job
    stopping: bool = False
    discarded: bool = False
    stopped_by: str = ""  # who stopped it, where it was not the lab's own Stop


class Runner:
    """Works on one job at a time, in one thread.

    It calls the three functions there; an error in one of the first two ends the run. Other labs call this one
    `name`; `stopped` is the lab that was stopped for the last start, "" if none worked.
    """

    _latest: "weakref.ref[Runner] | None" = None  # the one lab of this kernel that works: two would slow each other

    def __init__(
        self,
        began: Callable[[Run], None],
        stepped: Callable[[Run, Step], None],
        ended: Callable[[Run, Exception | None], None],
        name: str,
    ) -> None:
        self.name, self.stopped = name, ""
        self._began, self._stepped, self._ended = began, stepped, ended
        self._lock = threading.Lock()
        self._now: Run | None = None
        self._next: Run | None = None
        self._idle = threading.Event()  # clear while a thread works
        self._idle.set()

    @property
    def running(self) -> bool:
        """Whether there is work under way or waiting."""
        return not self._idle.is_set()

    def has(self, job: Job) -> bool:
        """Whether that job is under way or waiting."""
        return any(run is not None and run.job is job for run in (self._now, self._next))

    def start(self, job: Job, *, restart: bool = False) -> None:
        """Begin a job in the background; another lab that works is stopped.

        While this one runs a start does nothing; with `restart` it stops what is running, and then begins.
        """
        other, self.stopped = latest(), ""
        if other is not None and other is not self:
            self.stopped = other.name if other.running else ""
            other.stop(by=f"{self.name}, which works now")
        Runner._latest = weakref.ref(self)
        with self._lock:
            if not restart and (self._next is not None or (self._now is not None and not self._now.stopping)):
                return
            self._next = Run(job)
            if self._now is not None:
                self._now.stopping = True
            if not self.running:
                self._idle.clear()
                threading.Thread(target=self._work, name="stylelearn lab", daemon=True).start()

    def stop(self, *, discard: bool = False, by: str = "") -> None:
        """End the run after its present step; with `discard` the lab gets nothing more of it. `by`: who wants it."""
        with self._lock:
            self._next = None
            if self._now is not None:
                self._now.discarded = self._now.discarded or discard
                self._now.stopped_by = by
                self._now.stopping = True

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing runs any more, at most `timeout` seconds; says whether that is so."""
        return self._idle.wait(timeout)

    def run_here(self, job: Job) -> None:
        """Do a job in the calling thread, before returning: the first short result of a lab. Ctrl-C ends it."""
        self._do(Run(job))

    def _work(self) -> None:
        while True:
            with self._lock:
                self._now, self._next = self._next, None
                if self._now is None:
                    self._idle.set()
                    return
                run = self._now
            try:
                self._do(run)
            except BaseException:  # a fault in `ended`: shown by threading, and the lab can be started again
                with self._lock:
                    self._now = self._next = None
                    self._idle.set()
                raise

    def _do(self, run: Run) -> None:
        error: Exception | None = None
        try:
            self._began(run)
            for step in run.job.steps():
                self._stepped(run, step)
                if run.stopping:
                    break
        except KeyboardInterrupt:  # only in `run_here`: keep what there is
            run.stopping, run.stopped_by = True, INTERRUPT
        except Exception as problem:
            error = problem
        self._ended(run, error)


def latest() -> Runner | None:
    """The runner that was started last in this kernel, if its lab still exists."""
    return Runner._latest() if Runner._latest is not None else None


def interrupt() -> None:
    """What the kernel's ■ does: stop the lab that works, without its lock, which the interrupted code may hold."""
    if (runner := latest()) is not None:
        runner._next, now = None, runner._now
        if now is not None:
            now.stopped_by, now.stopping = INTERRUPT, True


@atexit.register
def _stop_at_exit() -> None:
    """A kernel that shuts down must not pull the interpreter away from under a running thread."""
    runner = latest()
    if runner is not None:
        runner.stop()
        runner.wait(2.0)
