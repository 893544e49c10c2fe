"""When a lab shows something, and how long the rest will take."""

import time
from collections import deque

MOST_OF_TIME = 5  # showing may take a fifth of the time, no more: the pause is this many times what it took


class Clock:
    """The time of one run."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=30)
        self._began: dict[str, float] = {}
        self._next: dict[str, float] = {}

    def step(self) -> None:
        self._times.append(time.monotonic())

    def due(self, what: str, pause: float) -> bool:
        """Whether `what` is to be shown now; the first time after `pause` seconds. If so, call `done` afterwards."""
        now = time.monotonic()
        self._began[what] = now
        return now >= self._next.setdefault(what, now + pause)

    def done(self, what: str, pause: float) -> None:
        """`what` has been shown; next time in `pause` seconds, or later if that took long."""
        now = time.monotonic()
        self._next[what] = now + max(pause, MOST_OF_TIME * (now - self._began[what]))

    def progress(self, number: int, count: int) -> tuple[float, str]:
        """The share of the steps that is done, and step and time left in words."""
        share = min(1.0, number / max(1, count))
        words = f"step {number} of {count}"
        if len(self._times) > 1:
            each = (self._times[-1] - self._times[0]) / (len(self._times) - 1)
            words += f", {duration(each * (count - number))} left"
        return share, words


def duration(seconds: float) -> str:
    """A time in words: seconds up to 90, then minutes."""
    return f"about {max(1, round(seconds))} s" if seconds < 90 else f"about {round(seconds / 60)} min"


def taken(seconds: float) -> str:
    """A time that something took, in words: milliseconds below one second."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1e3:.0f} ms"
