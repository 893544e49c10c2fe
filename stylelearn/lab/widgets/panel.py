"""What every lab shows beside its controls: the picture, the buttons, progress, loss curves, and Save."""

from __future__ import annotations

import base64
import html
import mimetypes
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import traitlets
from torch import Tensor

from stylelearn.files import check_output
from stylelearn.images import WRITABLE, ImageError, encode_image, write_image
from stylelearn.lab.engine.errors import complaint

_BUTTONS = {
    "start": ("Start", "play", "primary", "Begin anew with these settings."),
    "stop": ("Stop", "stop", "", "End after the present step; the picture is kept."),
    "resume": ("Continue", "step-forward", "", "Go on from this picture, with the settings as they are now."),
    "reset": ("Reset", "undo", "", "Back to the settings and the picture that this lab began with."),
}  # fmt: skip
LIVE_QUALITY, FINAL_QUALITY = 80, 92


class Picture(widgets.Image):
    """An Image widget that may have a tooltip, which is what screen readers read for it.

    The browser's side of ipywidgets 8 looks at the description of every widget that has a tooltip, and Image has none.
    """

    description = traitlets.Unicode("").tag(sync=True)


class Panel(widgets.VBox):
    """The right side of a lab.

    Args:
        file_name: what Save proposes.
        buttons: which of "start", "stop", "resume", "reset"; they are in `buttons` by these names.
        width: the widest that the picture is shown, in pixels.
        steps: whether there are steps, and so a bar of progress and loss curves.

    Attributes:
        picture: the one `Image` widget; its `tooltip` is its alternative text.
        error: what went wrong last, "" if nothing did.
    """

    def __init__(
        self, file_name: str, buttons: Sequence[str] = tuple(_BUTTONS), *, width: int = 460, steps: bool = True
    ) -> None:
        self.error = ""
        self.picture = Picture(
            format="jpeg",
            layout=widgets.Layout(
                width="100%", max_width=f"{width}px", max_height="460px",
                object_fit="contain", object_position="left top",
            ),
        )  # fmt: skip
        self.picture.add_class("poster")  # what a notebook keeps of this lab when no kernel is behind it
        self.caption = widgets.HTML()
        self.buttons = {name: _button(*_BUTTONS[name]) for name in buttons}
        self.bar = widgets.FloatProgress(
            min=0, max=1, value=0, layout=widgets.Layout(width="150px", margin="2px 8px 2px 2px")
        )
        self._words = widgets.HTML()
        self._message = widgets.HTML()
        self.curves = widgets.HTML()
        if not steps:
            self.curves.layout.display = self.bar.layout.display = "none"
        self.file_name = widgets.Text(
            value=file_name, description="save as", continuous_update=False, style={"description_width": "52px"},
            layout=widgets.Layout(width="250px"),
            tooltip="The name of the file, beside this notebook: .png (exact), .jpg or .webp. Nothing is overwritten.",
        )  # fmt: skip
        self.save_button = _button("Save", "save", "", "Write the picture; how it was made is kept inside the file.")
        self.download = widgets.HTML()
        super().__init__(
            [
                self.picture,
                self.caption,
                _row(*self.buttons.values()),
                _row(self.bar, self._words),
                self._message,
                self.curves,
                _row(self.file_name, self.save_button),
                self.download,
            ],
            layout=widgets.Layout(flex="1 1 420px", min_width="300px", max_width="660px"),
        )
        self.idle(can_resume=False)

    def show(self, image: Tensor, words: str, *, live: bool = False) -> None:
        """Show a picture (1, 3, H, W) with its alternative text."""
        with self.picture.hold_sync():  # one message: the words never belong to another picture than the one shown
            self.picture.value = encode_image(image, "jpeg", LIVE_QUALITY if live else FINAL_QUALITY)
            self.picture.tooltip = words

    def progress(self, share: float, words: str) -> None:
        """How far it is (0 to 1), and that in words."""
        self.bar.value = share
        self._words.value = f"<span>{html.escape(words)}</span>"

    def announce(self, words: str) -> None:
        """Say what happened; read aloud by screen readers."""
        self._words.value = f'<span role="status">{html.escape(words)}</span>'

    def complain(self, words: str) -> None:
        """Say what went wrong; "" takes it back."""
        self.error = words
        self._message.value = complaint(words) if words else ""

    def busy(self) -> None:
        """While something runs there is nothing to start, but something to stop."""
        self._enable(start=False, stop=True, resume=False)

    def idle(self, *, can_resume: bool) -> None:
        """Nothing runs."""
        self._enable(start=True, stop=False, resume=can_resume)

    def _enable(self, **which: bool) -> None:
        for name, enabled in which.items():
            if name in self.buttons and self.buttons[name].disabled is enabled:
                self.buttons[name].disabled = not enabled

    def save(self, image: Tensor, settings: dict[str, Any], name: str) -> Path | None:
        """Write the picture beside the notebook and offer the same file for download.

        Returns:
            where it is, or None where the place cannot be written to; the download is offered all the same.
        Raises:
            ImageError: not a name for a picture file.
        """
        suffix = Path(name).suffix
        if suffix.lower() not in WRITABLE:
            raise ImageError(f"'{name}' ends in {suffix!r}; choose .jpg, .png or .webp")
        with tempfile.TemporaryDirectory() as folder:
            data = write_image(image, Path(folder) / f"picture{suffix}", settings=settings).read_bytes()
        try:
            path = check_output(_free(Path(name).expanduser()), tuple(WRITABLE))
            write_image(image, path, settings=settings)
        except (ValueError, OSError, RuntimeError) as error:  # RuntimeError: an unknown ~user
            self.complain(str(error))
            self.download.value = f"Not written beside the notebook. {_link(data, Path(name).name)}"
            return None
        self.complain("")
        written = f"<span role='status'>Written to {html.escape(str(path))}.</span>"
        self.download.value = f"{written} {_link(data, path.name)}"
        return path


def _button(description: str, icon: str, style: str, tooltip: str) -> widgets.Button:
    return widgets.Button(
        description=description, icon=icon, button_style=style, tooltip=tooltip, layout=widgets.Layout(width="105px")
    )


def _row(*children: widgets.Widget) -> widgets.HBox:
    return widgets.HBox(children, layout=widgets.Layout(flex_flow="row wrap", align_items="center"))


def _free(path: Path) -> Path:
    """The path, or the next one with a number that is not there yet."""
    found, number = path, 2
    while found.exists():
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return found


def _link(data: bytes, name: str) -> str:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    address = f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
    name = html.escape(name)
    return f'<a download="{name}" href="{address}" style="text-decoration:underline">Download {name}</a>'
