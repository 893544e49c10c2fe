"""A lab in its kernel: what it holds is given back when its cell is run again, and the kernel's ■ stops it."""

import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets as widgets
from IPython import get_ipython

_made: dict[str, tuple[str, list[weakref.ref["Released"]]]] = {}  # by cell: the run of it, and what that run made
_watched: list[Any] = []  # kernels whose ■ is watched


class Released(widgets.DOMWidget):
    """A widget that gives back everything in it: on `close`, and when the cell that made it is run again.

    ipywidgets registers every widget for good, and with it all that its callbacks refer to.
    """

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        _close_earlier_runs(self)

    def close(self) -> None:
        """Take it off the page, with all widgets in it; they are registered no more, and caches are emptied."""
        for each in inside(self):
            if each is not self:
                each.close()
            each.unobserve_all()
        super().close()
        self.empty_caches()

    def empty_caches(self) -> None:
        """Let go of all that its cached methods have made."""
        for kept in list(vars(self).values()):
            if hasattr(kept, "cache_clear"):
                kept.cache_clear()


def inside(root: widgets.Widget) -> Iterator[widgets.Widget]:
    """The widget and all that belongs to it: children, layouts, styles."""
    seen: set[int] = set()
    waiting: list[Any] = [root]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list | tuple):
            waiting += one
        elif isinstance(one, widgets.Widget) and one.comm is not None and id(one) not in seen:
            seen.add(id(one))
            waiting += [getattr(one, name) for name in one.keys if name not in ("value", "comm")]
            yield one


def on_interrupt(act: Callable[[], None]) -> None:
    """From now on the kernel's ■ calls `act`, also while no cell runs; a cell that runs is interrupted as ever."""
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None or kernel in _watched or not _in_main_thread():
        return
    _watched.append(kernel)

    def while_idle(*_: Any) -> None:
        act()

    def in_a_cell(*given: Any) -> None:
        act()
        signal.default_int_handler(*given)

    def cell_begins() -> None:
        if _in_main_thread():  # messages of widgets may come in other threads
            signal.signal(signal.SIGINT, in_a_cell)

    kernel.saved_sigint_handler = while_idle  # ipykernel sets this one whenever a cell has ended
    get_ipython().events.register("pre_execute", cell_begins)
    cell_begins()


def _close_earlier_runs(box: Released) -> None:
    parent: dict[str, Any] = getattr(get_ipython(), "get_parent", dict)()
    cell, run = parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id")
    if cell is None:
        return
    before, boxes = _made.get(cell, (run, []))
    if before != run:
        for each in boxes:
            if (earlier := each()) is not None:
                earlier.close()
        boxes = []
    _made[cell] = run, [*boxes, weakref.ref(box)]


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
