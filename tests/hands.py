"""What the tests of labs share; `labs` in conftest.py ends them."""

from collections.abc import Iterator
from typing import Any

from ipywidgets.widgets.widget import _instances

from stylelearn.lab import Lab

SOON = 120  # seconds; a safety net, never waited for when things work


def inside(widget: Any) -> Iterator[Any]:
    """The widget and all that it holds."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from inside(child)


def close_labs() -> None:
    """No lab, and no thread of one, outlives its test."""
    for widget in list(_instances.values()):
        if isinstance(widget, Lab):
            widget.close()
            assert widget.wait(SOON)
