"""The lab of lesson 02: everything that can be set in Gatys, Ecker & Bethge's method."""

from collections.abc import Iterator, Mapping
from typing import Any

import traitlets
from torch import Tensor

from stylelearn import gatys
from stylelearn.colour import keep_colours, luminance
from stylelearn.encoders import CONTENT_LAYER
from stylelearn.images import resize
from stylelearn.lab.column import Folded
from stylelearn.lab.engine.networks import encoder
from stylelearn.lab.engine.runner import Job
from stylelearn.lab.layers import LayerWeights
from stylelearn.lab.memory import named
from stylelearn.lab.steps import StepLab, fitted, start_image
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import PictureChooser
from stylelearn.optimize import Step, optimize_image

SIZES = (64, 96, 128, 192, 256, 384, 512)
CONTENT_LAYERS = ("relu1_2", "relu2_2", "relu3_2", "relu4_2", "relu5_1")
NO_CONTENT = "none"


class GatysLab(StepLab):
    """Style transfer by optimising pixels, with every control of the method.

    Args:
        content, style: names of the gallery, or anything that `read_image` takes; None for the gallery's first.
        style_weight: β/α, 0.01 to 10000.
        layer_weights: w_l by layer, each 0 to 1, or the name of a preset; what counts is their share.
        content_layer: one of `CONTENT_LAYERS`, or "none" for texture synthesis (α = 0).
        start: "content", "noise" or "style". `seed`: of the noise.
        steps: 10 to 1000. `size`: shorter side in pixels.
        tv_weight: of the total variation, 0 (off) to 100.
        optimizer: "lbfgs", "adam" or "gd". `levels`: 1 to 3 sizes, coarse to fine.
        colour: "style", or "content" to take over brightness only.
        encoder_name: "mini", "random", "vgg19", "vgg16".
        first_steps: done before this returns; 0 for none.
    """

    def __init__(
        self,
        content: Any = None,
        style: Any = None,
        *,
        style_weight: float = gatys.STYLE_WEIGHT,
        layer_weights: Mapping[str, float] | str = "all",
        content_layer: str = CONTENT_LAYER,
        start: str = "content",
        seed: int = 0,
        steps: int = 200,
        size: int = 192,
        tv_weight: float = gatys.TV_WEIGHT,
        optimizer: str = "lbfgs",
        levels: int = gatys.LEVELS,
        colour: str = "style",
        encoder_name: str = "mini",
        first_steps: int = 25,
        **shown: Any,
    ) -> None:
        self.content, self.style = PictureChooser("content", content), PictureChooser("style", style)
        self.layers = LayerWeights(layer_weights)
        weight = controls.logarithmic(
            "style ÷ content", style_weight, -2, 4,
            "β/α: how much more the style counts than the content. Far left the photo hardly changes; far right its "
            "shapes dissolve into the style's texture.",
        )  # fmt: skip
        ratio = controls.note()
        traitlets.dlink(
            (weight, "value"), (ratio, "value"), lambda it: controls.small(f"α/β = {1 / it:.3g}, as papers write it")
        )
        rows = [
            {"content": self.content, "style": self.style, "style_weight": weight},
            controls.ends("more content", "more style"),
            ratio,
            {"layer_weights": self.layers},
            {
                "steps": controls.whole(
                    "steps", steps, 10, 1000, 10, "How long to paint. 100 show where it goes, 300 are nearly the end."
                ),
                "size": controls.size("Shorter", size, SIZES, low=32, high=2048),
            },
            Folded("Everything else", [{
                "content_layer": controls.choice(
                    "content layer", content_layer, [*CONTENT_LAYERS, ("none: texture only (α = 0)", NO_CONTENT)],
                    "Where the pastiche has to agree with the photo: early layers insist on its pixels, late ones only "
                    "on what is where.",
                ),
                "start": controls.choice(
                    "start from", start, [("the content", "content"), ("noise", "noise"), ("the style", "style")],
                    "The first picture. From the content it is quickest and stays nearest to it; from noise it shows "
                    "what the losses alone know.",
                ),
                "seed": controls.seed(seed, "Which noise to start from; without effect for the other two starts."),
                "tv_weight": controls.off_or_logarithmic(
                    "smoothness (TV)", tv_weight, -2, 2,
                    "How much a smooth picture is preferred. Off, as in the paper; far right the strokes melt.",
                ),
                "optimizer": controls.choice(
                    "optimiser", optimizer,
                    [("L-BFGS (the paper's)", "lbfgs"), ("Adam", "adam"), ("gradient descent", "gd")],
                    "How to go downhill: L-BFGS learns the slope's curvature, Adam a rate for each pixel, gradient "
                    "descent just follows the slope.",
                ),
                "levels": controls.choice(
                    "coarse to fine", levels, [("off", 1), ("2 sizes", 2), ("3 sizes", 3)],
                    "First paint small, then larger: bigger structures, and most steps cost less.",
                ),
                "colour": controls.colours(colour),
                "encoder_name": controls.encoder(encoder_name),
            }]),
        ]  # fmt: skip
        super().__init__(rows, first_steps, **shown)

    def job(self, settings: dict[str, Any], image: Tensor | None, steps: int) -> Job:
        """`gatys.stylize`; or, to go on from a picture, the same objective from there."""
        content, style = self._pictures(settings)
        photo = fitted(self.content.image, settings["size"])
        start = start_image(image, settings["start"], content, style, settings["seed"])
        weights = {
            "content_weight": 0.0 if settings["content_layer"] == NO_CONTENT else gatys.CONTENT_WEIGHT,
            "style_weight": settings["style_weight"],
            "layer_weights": self.layers.shares,
            "content_layer": CONTENT_LAYER if settings["content_layer"] == NO_CONTENT else settings["content_layer"],
            "tv_weight": settings["tv_weight"],
        }

        def paint() -> Iterator[Step]:
            options = {"encoder": encoder(settings["encoder_name"]), **weights}
            if image is None:
                names = ("start", "seed", "optimizer", "levels")
                return gatys.stylize(content, style, steps=steps, **{n: settings[n] for n in names}, **options)
            objective = gatys.objective(content, style, **options)
            return optimize_image(start, objective, steps, optimizer=settings["optimizer"])

        def finish(made: Tensor) -> Tensor:
            if settings["colour"] == "style":
                return made
            return keep_colours(made, resize(photo, made.shape[-2:], "box"))

        title = "Pastiche of {content} in the style of {style}".format(**named(settings))
        return Job(paint, steps, settings, title, finish, start=start)

    def _pictures(self, settings: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """Content and style at the size to work at; grey if only brightness is to be taken over."""
        content, style = (fitted(chooser.image, settings["size"]) for chooser in (self.content, self.style))
        if settings["colour"] == "style":
            return content, style
        content, style = luminance(content), luminance(style)  # (1, 1, H, W)
        # As Gatys et al. 2016 (1606.05897), section 3.1: the style gets the content's mean brightness and contrast.
        style = (style - style.mean()) / style.std().clamp_min(1e-3) * content.std() + content.mean()
        return content.expand(-1, 3, -1, -1), style.clamp(0, 1).expand(-1, 3, -1, -1)
