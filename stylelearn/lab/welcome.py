"""The lab of lesson 00: two pictures and one slider."""

from typing import Any

from torch import Tensor

from stylelearn import gatys
from stylelearn.lab.engine.networks import encoder
from stylelearn.lab.engine.runner import Job
from stylelearn.lab.memory import named
from stylelearn.lab.steps import StepLab, fitted
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import PictureChooser


class WelcomeLab(StepLab):
    """A photo, a style, and how much of it: let go of the slider, and paint follows.

    Args:
        content, style: names of the gallery, or anything that `read_image` takes; None for the gallery's first.
        style_weight: how much style, 0.1 to 1000; the slider's first value.
        size: shorter side in pixels. `steps`: of one painting.
        first_steps: done before this returns; 0 for none.
    """

    file_name, buttons = "welcome.png", ("start", "stop")
    plots, at_once = False, True

    def __init__(
        self,
        content: Any = None,
        style: Any = None,
        *,
        style_weight: float = gatys.STYLE_WEIGHT,
        size: int = 192,
        steps: int = 60,
        first_steps: int = 25,
        **shown: Any,
    ) -> None:
        self.content, self.style = PictureChooser("content", content), PictureChooser("style", style)
        self.style_weight = controls.logarithmic(
            "how much style", style_weight, -1, 3,
            "How much more the style counts than the content. Far left the photo hardly changes; far right its "
            "fine lines give way to the style's. Let go, and it is painted anew.",
        )  # fmt: skip
        rows = [
            {"content": self.content, "style": self.style, "style_weight": self.style_weight},
            controls.ends("the photo", "the style"),
        ]
        super().__init__(rows, first_steps, fixed={"size": size, "steps": steps}, **shown)

    def job(self, settings: dict[str, Any], image: Tensor | None, steps: int) -> Job:
        """Gatys et al. from the content, with the defaults of `gatys.stylize`."""
        content, style = (fitted(chooser.image, settings["size"]) for chooser in (self.content, self.style))
        weight = settings["style_weight"]
        return Job(
            lambda: gatys.stylize(content, style, encoder=encoder("mini"), steps=steps, style_weight=weight),
            steps,
            settings,
            "{content} painted in the style {style}".format(**named(settings)),
            start=content,
        )
