"""The column of controls beside the picture: what is set by which name, and what of it is folded away or not shown."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import ipywidgets as widgets

from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import Chooser

ALL, SLIDERS = "all", "sliders"


@dataclass(frozen=True)
class Folded:
    """Rows that are rarely used: folded away until their title is pressed."""

    title: str
    rows: Sequence["Row"]


Row: TypeAlias = widgets.Widget | Mapping[str, Any] | tuple[widgets.Widget, Mapping[str, Any]] | Folded
"""Settings by name, a widget and the settings in it, or a widget that belongs to the setting above it."""


class Column(widgets.VBox):
    """Rows of controls from top to bottom.

    Args:
        rows: each control has a `value`, and its name is that of the setting.
        hide: names of settings whose controls are not shown; their values stay.
        show: "all"; or "sliders", which leaves the sliders and squares that are not folded away.

    Attributes:
        controls: all of them by name, also those that are not shown.
    Raises:
        ValueError: an unknown name or view.
    """

    def __init__(self, rows: Sequence[Row], hide: Iterable[str] = (), show: str = ALL) -> None:
        if show not in (ALL, SLIDERS):
            raise ValueError(f"show must be {ALL!r} or {SLIDERS!r}; got {show!r}")
        self.controls: dict[str, Any] = {}
        self._hide, self._show = {hide} if isinstance(hide, str) else set(hide), show
        self._known: dict[str, None] = {}
        super().__init__(self._placed(rows))
        if unknown := self._hide - self._known.keys():
            raise ValueError(
                f"there is no control {', '.join(sorted(unknown))} to hide; there are {', '.join(self._known)}"
            )

    def _placed(self, rows: Sequence[Row]) -> list[widgets.Widget]:
        """The widgets of the rows; their settings become `controls`."""
        found: list[widgets.Widget] = []
        hidden = False
        for row in rows:
            if isinstance(row, Folded):
                inside = self._placed(row.rows)
                found.append(controls.fold(row.title, inside))
                hidden = False
                if self._show == SLIDERS or all(one.layout.display == "none" for one in inside):
                    found[-1].layout.display = "none"
                continue
            for widget, settings in _pairs(row):
                self.controls |= settings
                if not isinstance(widget, widgets.Widget):
                    continue  # a setting that is set on the picture
                self._known |= dict.fromkeys(settings)
                if settings:  # a widget without any goes with the one above it
                    listed = isinstance(widget, Chooser | widgets.Dropdown | widgets.Text | widgets.BoundedIntText)
                    hidden = not self._hide.isdisjoint(settings) or (self._show == SLIDERS and listed)
                if hidden:
                    widget.layout.display = "none"
                found.append(widget)
        return found


def _pairs(row: Any) -> list[tuple[Any, Mapping[str, Any]]]:
    if isinstance(row, Mapping):
        return [(control, {name: control}) for name, control in row.items()]
    return [row if isinstance(row, tuple) else (row, {})]


def restore(control: Any, value: Any) -> None:
    """Give a control its value back."""
    if isinstance(control, Chooser):
        control.restore(value)
        return
    if isinstance(control, widgets.Dropdown) and isinstance(value, int) and value not in dict(control.options).values():
        control.options = sorted((*control.options, (f"{value} px", value)), key=lambda one: one[1])  # another size
    control.value = value


def observe(control: Any, act: Callable[..., None]) -> None:
    """Call `act` whenever a control changes."""
    control.observe(act, "picked" if isinstance(control, Chooser) else "value")
