"""All labs on one page without code: `stylelearn studio` serves it, and `Studio()` shows it in a notebook."""

import base64
import html
from collections.abc import Callable
from dataclasses import dataclass

import anywidget
import ipywidgets as widgets
import traitlets

from stylelearn import lab
from stylelearn.lab.base import Lab
from stylelearn.lab.engine.errors import in_words
from stylelearn.lab.engine.kernel import inside
from stylelearn.lab.widgets.choosers import Chooser
from stylelearn.lab.widgets.stage import SCRIPT, Stage
from stylelearn.samples import data_file


@dataclass(frozen=True)
class Entry:
    """A lab of the gallery: its title, what one does in it, a picture of data/gallery, and how it is made."""

    title: str
    words: str
    picture: str
    make: Callable[[], Lab]


GALLERY = (
    Entry("Photo and style", "How much style? A first slider.", "welcome", lambda: lab.WelcomeLab("china", "impasto")),
    Entry("What a layer remembers", "A photo, painted back from one layer.", "layers", lab.InversionLab),
    Entry("Gatys", "Pixels, moved step by step towards a style.", "optimised",
          lambda: lab.GatysLab("chelsea", "impasto")),
    Entry("Johnson", "A network that knows one style paints at once.", "one_style", lab.JohnsonLab),
    Entry("Many styles in one network", "Four styles, mixed under your finger.", "mixed", lambda: lab.CinLab(
          "astronaut", "stained_glass", "starry_night", "watercolour", "mosaic", across=0.3, down=0.2)),
    Entry("AdaIN", "The style of any picture, at once.", "any_style",
          lambda: lab.AdaINLab("chelsea", "woodcut_waves", "impasto", "mosaic", "watercolour")),
    Entry("Style swap", "Put together from patches; ask each where it came from.", "patches",
          lambda: lab.StyleSwapLab("chelsea", "stained_glass")),
    Entry("Light of another photo", "Day becomes dusk, and stays a photograph.", "light",
          lambda: lab.PhotoLab(size=128)),
    Entry("A slider for each layer", "How much each layer counts, set while you look.", "sliders",
          lambda: lab.AdjustableLab("chelsea", "stained_glass")),
    Entry("Letters", "Some letters of a font in, any word out.", "letters", lab.EMDLab),
    Entry("Which method when", "Two methods in one picture, left and right of a border.", "side_by_side",
          lambda: lab.CompareLab("chelsea", "stained_glass", steps=30)),
)  # fmt: skip


class Idle(anywidget.AnyWidget):
    """Nothing to see: sends {"do": "back"} when the page had no input for so many seconds."""

    _esm = SCRIPT
    view = traitlets.Unicode("idle").tag(sync=True)
    seconds = traitlets.Float(60.0).tag(sync=True)


class Studio(widgets.VBox):
    """The gallery; a lab takes its place when its button is pressed, and is closed on the way back.

    Args:
        kiosk: for open days: pictures come from the lists, from the camera and by dropping them; nothing is read by
            its name or address, and nothing is saved; after a minute without input the gallery comes back.

    Attributes:
        lab: the lab that is open, or None.
    """

    def __init__(self, *, kiosk: bool = False) -> None:
        self.lab: Lab | None = None
        self._kiosk = kiosk
        self._idle = [Idle()] if kiosk else []
        for clock in self._idle:
            clock.on_msg(lambda *_: self.leave())
        self._said = widgets.HTML()
        self._back = widgets.Button(description="← All labs")
        self._back.on_click(lambda _: self.leave())
        tiles = widgets.Layout(grid_template_columns="repeat(auto-fill, minmax(15rem, 1fr))", grid_gap="1.2rem")
        self._gallery = widgets.GridBox([self._tile(entry) for entry in GALLERY], layout=tiles)
        super().__init__()
        self.leave()

    def _tile(self, entry: Entry) -> widgets.VBox:
        picture = base64.b64encode(data_file("gallery", f"{entry.picture}.jpg").read_bytes()).decode("ascii")
        shown = widgets.HTML(
            f'<img alt="" src="data:image/jpeg;base64,{picture}" style="display: block; width: 100%; height: 9rem; '
            'object-fit: cover; object-position: right top; border-radius: 8px">'
        )
        button = widgets.Button(description=entry.title, layout=widgets.Layout(width="auto"))
        button.on_click(lambda _: self.enter(entry))
        return widgets.VBox([shown, button, widgets.HTML(html.escape(entry.words))])

    def enter(self, entry: Entry) -> None:
        """Show a lab in place of the gallery; what goes wrong is said there."""
        self._say(f"Opening {entry.title} …")
        self.children = [self._said]
        try:
            self.lab = entry.make()
        except Exception as error:
            self.leave()
            self._say(f"{entry.title} cannot be opened: {in_words(error)}")
            return
        for each in inside(self.lab):
            if isinstance(each, Stage | Chooser):
                each.kiosk = self._kiosk
        self._say(entry.words, entry.title)
        self.children = [self._back, self._said, self.lab, *self._idle]

    def leave(self) -> None:
        """Close the lab that is open, and show the gallery."""
        if self.lab is not None:
            self.lab.close()
            self.lab = None
        self._say("Choose a lab. Everything runs on this machine; no picture leaves it.", "Studio")
        self.children = [self._said, self._gallery]

    def close(self) -> None:
        """Close the open lab, too."""
        self.leave()
        super().close()

    def _say(self, words: str, title: str = "") -> None:
        heading = f'<h1 style="margin: 0; font-size: 1.5rem">{html.escape(title)}</h1>' if title else ""
        self._said.value = f'{heading}<p role="status" style="margin: 0.2rem 0 0.6rem">{html.escape(words)}</p>'
