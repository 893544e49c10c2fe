"""The first lab of the course: two pictures and one slider."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from stylelearn import gatys
from stylelearn.lab.engine.lab import Lab, fitted
from stylelearn.lab.engine.runner import Job
from stylelearn.lab.networks import encoder
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.panel import Panel
from stylelearn.lab.widgets.pictures import PictureChooser


class WelcomeLab(Lab):
    """A photo, a style, and how much of it: let go of the slider, and paint follows.

    Args:
        content, style: names of the gallery, or anything that `read_image` takes; None for the gallery's first.
        style_weight: how much style, 0.1 to 1000; the slider's first value.
        size: shorter side in pixels. `steps`: of one painting.
        first_steps: done before this returns; 0 for none.
    """

    def __init__(
        self,
        content: Any = None,
        style: Any = None,
        *,
        style_weight: float = gatys.STYLE_WEIGHT,
        size: int = 192,
        steps: int = 60,
        first_steps: int = 25,
    ) -> None:
        self._fixed = {"size": size, "steps": steps}
        self.content = PictureChooser("content", content)
        self.style = PictureChooser("style", style)
        self.style_weight = controls.logarithmic(
            "how much style", style_weight, -1, 3,
            "How much more the style counts than the content. Far left the photo hardly changes; far right only a "
            "trace of it is left. Let go, and it is painted anew.",
        )  # fmt: skip
        left = controls.column(
            self.content, self.style, self.style_weight, controls.ends("the photo", "the style"), width="380px"
        )
        panel = Panel(["start", "stop"], file_name="welcome.png")
        panel.curves.layout.display = "none"
        settings = {"content": self.content, "style": self.style, "style_weight": self.style_weight}
        super().__init__(settings, panel, left, first_steps)
        again = self.guarded(lambda: self.start(restart=True))
        self.style_weight.observe(again, "value")
        self.content.observe(again, "picked")
        self.style.observe(again, "picked")

    @property
    def settings(self) -> dict[str, Any]:
        """The two pictures, the slider, and what is fixed in this lab."""
        return {**super().settings, **self._fixed}

    def empty(self) -> Tensor:
        """The photo."""
        return fitted(self.content.image, self._fixed["size"])

    def job(self, settings: dict[str, Any], image: Tensor | None, steps: int) -> Job:
        """Gatys et al. from the content, with the defaults of `gatys.stylize`."""
        content, style = fitted(self.content.image, settings["size"]), fitted(self.style.image, settings["size"])
        return Job(
            lambda: gatys.stylize(
                content, style, encoder=encoder("mini"), steps=steps, style_weight=settings["style_weight"]
            ),
            steps,
            settings,
            f"{settings['content']} painted in the style {settings['style']}",
        )
