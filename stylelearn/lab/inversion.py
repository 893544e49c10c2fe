"""The lab of lesson 01: what a layer remembers of a picture."""

import html
import math
from collections.abc import Iterator
from typing import Any

from torch import Tensor

from stylelearn import inversion
from stylelearn.images import psnr, shown_name
from stylelearn.lab.engine.networks import encoder
from stylelearn.lab.engine.runner import Job
from stylelearn.lab.steps import StepLab, fitted, start_image
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import PictureChooser
from stylelearn.optimize import Step, optimize_image


class InversionLab(StepLab):
    """Feature inversion: forget a picture, keep one layer's activations, and look for a picture that has the same.

    Args:
        content: a name of the gallery, or anything that `read_image` takes; None for the gallery's first.
        layer: any layer of the encoder.
        tv_weight: λ of the total variation V^β, 0 (off) to 10. `beta`: its exponent, 1 to 2.
        steps: 10 to 500. `seed`: of the noise that the search starts from.
        size: shorter side in pixels. `encoder_name`: "mini", "random", "vgg19", "vgg16".
        first_steps: done before this returns; 0 for none.
    """

    file_name = "inversion.png"

    def __init__(
        self,
        content: Any = None,
        *,
        layer: str = "relu3_1",
        tv_weight: float = 0.0,
        beta: float = 2.0,
        steps: int = 100,
        seed: int = 0,
        size: int = 160,
        encoder_name: str = "mini",
        first_steps: int = 25,
        **shown: Any,
    ) -> None:
        self.content = PictureChooser("content", content)
        rows = [
            {
                "content": self.content,
                "layer": controls.choice(
                    "layer", layer, encoder(encoder_name).layers,
                    "The only thing that is kept of the picture. conv4_2 is before the ReLU, relu4_2 after it; the "
                    "deeper the layer, the less of the pixels it holds.",
                ),
            },
            controls.note("early: pixels · late: what it is, and roughly where"),
            {
                "tv_weight": controls.off_or_logarithmic(
                    "smoothness λ", tv_weight, -3, 1,
                    "How much a smooth picture is preferred. Off: specks that the layer does not see stay. Far right: "
                    "the picture melts.",
                ),
            },
            controls.ends("as it comes", "smooth"),
            {
                "beta": controls.number(
                    "exponent β", beta, 1, 2, 0.1,
                    "What smooth means: with 1 (total variation) edges stay sharp between flat patches, with 2 "
                    "everything gets soft. No effect while λ is off.", form=".1f",
                ),
            },
            controls.ends("sharp edges, flat patches", "soft"),
            {
                "steps": controls.whole("steps", steps, 10, 500, 10, "How long to search. Deep layers need more."),
                "seed": controls.seed(seed, "Another seed, another start: what stays the same comes from the layer."),
            },
        ]  # fmt: skip
        fixed = {"size": size, "encoder_name": encoder_name}
        super().__init__(rows, first_steps, fixed=fixed, border=0.5, **shown)
        self.stage.names = ["the original", "what the layer remembers"]

    def job(self, settings: dict[str, Any], image: Tensor | None, steps: int) -> Job:
        """`inversion.objective`, by L-BFGS."""
        original = fitted(self.content.image, settings["size"])
        start = start_image(image, "noise", original, original, settings["seed"])

        def search() -> Iterator[Step]:
            objective = inversion.objective(
                original, settings["layer"], encoder=encoder(settings["encoder_name"]),
                tv_weight=settings["tv_weight"], beta=settings["beta"],
            )  # fmt: skip
            return optimize_image(start, objective, steps)

        def caption(found: Tensor) -> str:
            value = psnr(found, original)
            near = "the same picture" if math.isinf(value) else f"PSNR <b>{value:.1f} dB</b>"
            return f"left: the original · right: from {html.escape(settings['layer'])} · {near}"

        return Job(
            search, steps, settings,
            f"{shown_name(settings['content'])}, left, and what {settings['layer']} remembers of it, right",
            caption=caption, start=start,
        )  # fmt: skip
