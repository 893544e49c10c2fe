"""The controls of all labs in one manner: a description, a tooltip in words, work only on release."""

import html
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

DESCRIPTION, INDENT = "118px", "128px"  # width of the words left of a control, and where the control begins
ENCODERS = [
    ("mini (ships with the course)", "mini"),
    ("mini's shape, random weights", "random"),
    ("VGG-19 (548 MB, once)", "vgg19"),
    ("VGG-16 (528 MB, once)", "vgg16"),
]
FULL = "auto"  # as wide as the column; "100%" would add the margins to it


def _common(description: str, tooltip: str) -> dict[str, Any]:
    return {
        "description": description,
        "tooltip": tooltip,
        "style": {"description_width": DESCRIPTION},
        "layout": widgets.Layout(width=FULL, min_width="0"),
    }


def number(
    description: str, value: float, low: float, high: float, step: float, tooltip: str, *, form: str = ".2f"
) -> widgets.FloatSlider:
    """A slider of equal steps, `low` to `high`."""
    check_range(description, value, low, high)
    return widgets.FloatSlider(
        value=value, min=low, max=high, step=step, readout_format=form, continuous_update=False,
        **_common(description, tooltip),
    )  # fmt: skip


def whole(description: str, value: int, low: int, high: int, step: int, tooltip: str) -> widgets.IntSlider:
    """A slider of whole numbers."""
    check_range(description, value, low, high)
    return widgets.IntSlider(
        value=value, min=low, max=high, step=step, continuous_update=False, **_common(description, tooltip)
    )


def logarithmic(description: str, value: float, low: int, high: int, tooltip: str) -> widgets.FloatLogSlider:
    """A slider from 10^low to 10^high, each step the same factor."""
    check_range(description, value, 10.0**low, 10.0**high)
    return widgets.FloatLogSlider(
        value=value, base=10, min=low, max=high, step=0.25, readout_format=".3g", continuous_update=False,
        **_common(description, tooltip),
    )  # fmt: skip


def off_or_logarithmic(description: str, value: float, low: int, high: int, tooltip: str) -> widgets.SelectionSlider:
    """A slider whose left end is "off", then 1 and 3 times each power of ten from 10^low to 10^high."""
    check_range(description, value, 0.0, 10.0**high)
    values = [float(f"{digit}e{power}") for power in range(low, high) for digit in (1, 3)]
    found = sorted({0.0, float(value), *values, 10.0**high})
    options = [("off" if one == 0 else f"{one:g}", one) for one in found]
    return widgets.SelectionSlider(
        options=options, value=float(value), continuous_update=False, **_common(description, tooltip)
    )


def seed(value: int, tooltip: str) -> widgets.BoundedIntText:
    """A seed to type or to step through."""
    check_range("seed", value, 0, 9999)
    return widgets.BoundedIntText(
        value=value, min=0, max=9999, continuous_update=False, **_common("seed of the noise", tooltip)
    )


def choice(description: str, value: Any, options: Sequence[Any], tooltip: str) -> widgets.Dropdown:
    """One of several: plain values, or (words, value)."""
    pairs = [option if isinstance(option, tuple) else (str(option), option) for option in options]
    values = [one for _, one in pairs]
    if value not in values:
        raise ValueError(f"{description} {value!r} is not there; choose from {', '.join(str(one) for one in values)}")
    return widgets.Dropdown(options=pairs, value=value, **_common(description, tooltip))


def size(
    side: str, value: int, sizes: Sequence[int], *, low: int, high: int, more: str = ", and strokes get finer beside it"
) -> widgets.Dropdown:
    """The "Shorter" or "Longer" side of the picture in pixels: one of `sizes`, or another from `low` to `high`."""
    check_range("size", value, low, high)
    words = f"{side} side of the picture. Twice the size takes four times as long{more}."
    return choice("size", value, [(f"{one} px", one) for one in sorted({value, *sizes})], words)


def colours(value: str) -> widgets.Dropdown:
    """Whose colours the pastiche has: those of the style, or those of the photo, as `keep_colours` does it."""
    return choice(
        "colours of", value, [("the style", "style"), ("the photo (luminance only)", "content")],
        "Take the style's colours, or keep the photo's and take over brightness only.",
    )  # fmt: skip


def encoder(value: str) -> widgets.Dropdown:
    """The network that compares the pictures; `engine.networks.encoder` loads it."""
    return choice(
        "encoder", value, ENCODERS,
        "The network that compares the pictures. VGG-19 is the paper's; fetched once, and ten times slower.",
    )  # fmt: skip


def text(description: str, value: str, tooltip: str) -> widgets.Text:
    """A line to type."""
    return widgets.Text(value=value, **_common(description, tooltip))


def button(
    description: str, tooltip: str, act: Callable[..., None], *, icon: str = "", width: str = "auto"
) -> widgets.Button:
    """A button that calls `act`."""
    made = widgets.Button(description=description, tooltip=tooltip, icon=icon, layout=widgets.Layout(width=width))
    made.on_click(act)
    return made


def check_range(description: str, value: float, low: float, high: float) -> None:
    """Raise a ValueError unless low ≤ value ≤ high; ipywidgets would move the value without a word."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{description} must be a number from {low:g} to {high:g}; got {value!r}")


def heading(text: str) -> widgets.HTML:
    """A line above a group of controls."""
    return widgets.HTML(f"<b>{html.escape(text)}</b>", layout=widgets.Layout(margin="6px 0 0 0"))


def ends(left: str, right: str) -> widgets.HTML:
    """What the two ends of the slider above it mean."""
    return widgets.HTML(
        '<div style="display:flex;justify-content:space-between;font-size:85%;line-height:1.3">'
        f"<span>← {html.escape(left)}</span><span>{html.escape(right)} →</span></div>",
        layout=widgets.Layout(width=FULL, margin=f"-4px 60px 2px {INDENT}"),
    )


def note(text: str = "") -> widgets.HTML:
    """A line of small print beneath a control; `text` is HTML."""
    return widgets.HTML(small(text), layout=widgets.Layout(width=FULL, margin=f"-4px 0 2px {INDENT}"))


def small(text: str) -> str:
    """The value of a `note`."""
    return text and f'<span style="font-size:85%">{text}</span>'


def fold(title: str, children: Sequence[widgets.Widget]) -> widgets.VBox:
    """Controls that are rarely used, below a button that shows them."""
    inside = widgets.VBox(children, layout=widgets.Layout(display="none"))
    toggle = widgets.ToggleButton(description=f"▸ {title}", tooltip=f"Show or hide: {title}.")

    def turn(change: dict[str, Any]) -> None:
        inside.layout.display = "" if change["new"] else "none"
        toggle.description = f"{'▾' if change['new'] else '▸'} {title}"

    toggle.observe(turn, "value")
    box = widgets.VBox([toggle, inside])
    box.add_class("sl-fold")
    return box
