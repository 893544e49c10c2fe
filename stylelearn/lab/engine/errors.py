"""Errors of callbacks, in words on the page; ipywidgets would hide them in a log."""

import html
from collections.abc import Callable
from typing import Any

import torch

from stylelearn.optimize import Diverged


def guarded(act: Callable[[], Any], tell: Callable[[str], Any]) -> Callable[..., None]:
    """A callback that passes its errors on to `tell`, in words."""

    def acted(*_: Any) -> None:
        try:
            act()
        except Exception as error:
            tell(in_words(error))

    return acted


def in_words(error: Exception) -> str:
    """What to tell a learner about an error."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error):
        return "there is not enough memory for this; choose a smaller size"
    if isinstance(error, ValueError | OSError | Diverged) or type(error).__module__.startswith("stylelearn"):
        return str(error)
    return f"{type(error).__name__}: {error}"


def complaint(text: str) -> str:
    """An error in words, as HTML: a sign and a border, so that it is not told by colour alone."""
    return (
        '<div role="alert" style="border-left:4px solid #cf222e;padding:2px 8px;line-height:1.4;white-space:pre-wrap">'
        f"⚠ {html.escape(text)}</div>"
    )
