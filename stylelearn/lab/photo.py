"""The lab of lesson 07: two photographs, their masks, and everything that can be set in deep photo style transfer."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from stylelearn import gatys, photo, segmentation
from stylelearn.images import resize
from stylelearn.lab.column import Folded, observe
from stylelearn.lab.engine.networks import encoder
from stylelearn.lab.engine.runner import Job
from stylelearn.lab.gatys import SIZES
from stylelearn.lab.memory import named
from stylelearn.lab.steps import StepLab, fitted
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import PictureChooser
from stylelearn.lab.widgets.mask_editor import MaskPainter
from stylelearn.optimize import Step, optimize_image

ONE, FOUND, OURS, PAINTED = "one", "found", "ours", "painted"


class PhotoLab(StepLab):
    """Photographs in the light of other photographs, region by region.

    Args:
        content, style: names of the course's photographs, or anything that `read_image` takes; None for the first.
        masks: "one", "found" (clusters of both pictures), "ours" (made by hand; where the course has none for this
            pair, found) or "painted".
        photorealism_weight: λ, 1 to 1e8. `style_weight`: Γ, 1 to 10000.
        stages: "both", "first" (without λ) or "second" (with λ from the beginning).
        start: "colours" (the style's colours, region by region), "content" or "noise".
        steps: 10 to 600, of all stages together. `size`: shorter side in pixels.
        smoothing: radius in pixels of the smoothing afterwards, 0 (off) to 16.
        encoder_name: "mini", "random", "vgg19", "vgg16".
        first_steps: done before this returns; 0 for none.

    Attributes:
        painter: the `MaskPainter` that shows the masks in use, and changes them.
    """

    file_name = "photo.png"

    def __init__(
        self,
        content: Any = "china",
        style: Any = "rocket",
        *,
        masks: str = OURS,
        photorealism_weight: float = photo.PHOTOREALISM_WEIGHT,
        style_weight: float = photo.STYLE_WEIGHT,
        stages: str = "both",
        start: str = "colours",
        steps: int = sum(photo.STEPS),
        size: int = 192,
        smoothing: int = 8,
        encoder_name: str = "mini",
        first_steps: int = 30,
        **shown: Any,
    ) -> None:
        self.content = PictureChooser("content", content)
        self.style = PictureChooser(
            "content", style, name="style",  # a photograph too
            tooltip="The photograph whose light is taken: its colours, region by region.",
        )  # fmt: skip
        self.masks = controls.choice(
            "masks", masks,
            [("one region for all", ONE), ("found in both pictures", FOUND), ("the course's own", OURS),
             ("painted below", PAINTED)],
            "Which part of the content takes its style from which part of the style. Whatever you choose is shown "
            "below, where you can paint it over.",
        )  # fmt: skip
        self._busy = False
        self.painter = MaskPainter(self.content.image, self.style.image)
        self._take_masks()
        rows = [
            {
                "content": self.content, "style": self.style, "masks": self.masks,
                "photorealism_weight": controls.logarithmic(
                    "λ: photo", photorealism_weight, 0, 8,
                    "How much it must stay a photo: far left the second stage may paint, far right it may hardly "
                    "change anything. The paper takes 10000.",
                ),
            },
            controls.ends("painted", "hardly changed"),
            {
                "style_weight": controls.logarithmic(
                    "Γ: style", style_weight, 0, 4,
                    "How much the style counts, beside a content of 1. The paper takes 100.",
                ),
                "steps": controls.whole(
                    "steps", steps, 10, 600, 10, "How long to work, both stages together: a third for the first."
                ),
                "size": controls.size("Shorter", size, SIZES, low=32, high=2048, more=""),
            },
            Folded("Everything else", [{
                "stages": controls.choice(
                    "stages", stages,
                    [("both, one after the other", "both"), ("the first only: no λ", "first"),
                     ("the second only", "second")],
                    "The first paints, region by region; the second begins with its result and makes a photo of it "
                    "again.",
                ),
                "start": controls.choice(
                    "start from", start,
                    [("the style's colours", "colours"), ("the content", "content"), ("noise", "noise")],
                    "Where the first stage begins: with the colours that each region gets without a network, with the "
                    "photo, or, as the paper does, with noise.",
                ),
                "smoothing": controls.whole(
                    "smoothing after", smoothing, 0, 16, 1,
                    "Keep only what is an affine function of the photo's colours in windows of this radius; 0 is off.",
                ),
                "encoder_name": controls.encoder(encoder_name),
            }]),
        ]  # fmt: skip
        below = [controls.heading("Masks: equal names belong together"), self.painter]
        super().__init__(rows, first_steps, below=below, **shown)
        for widget in below:
            widget.layout.display = self.masks.layout.display  # hidden with their list
        for control in (self.content, self.style, self.masks):
            observe(control, self.guarded(self._take_masks))
        self.painter.observe(self.guarded(lambda: self._say(PAINTED)), "painted")

    def job(self, settings: dict[str, Any], image: Tensor | None, steps: int) -> Job:
        """`photo.stylize`; or, to go on from a picture, the objective of the last stage from there."""
        pictures = [fitted(chooser.image, settings["size"]) for chooser in (self.content, self.style)]
        masks = [mask.resized(tuple(one.shape[-2:])) for mask, one in zip(self.painter.masks, pictures, strict=True)]
        stages, smoothing = settings["stages"], settings["smoothing"]
        start = None if settings["start"] == "colours" else gatys.start_image(settings["start"], *pictures)
        weights = {"style_weight": settings["style_weight"], "photorealism_weight": settings["photorealism_weight"]}

        def paint() -> Iterator[Step]:
            network = encoder(settings["encoder_name"])
            if image is None:
                options = {"steps": counts(stages, steps), "start": start, **weights}
                return photo.stylize(*pictures, *masks, encoder=network, **options)
            if stages == "first":
                weights["photorealism_weight"] = 0.0
            objective = photo.objective(*pictures, *masks, encoder=network, **weights)
            return optimize_image(resize(image, pictures[0].shape[-2:], "box"), objective, steps)

        def finish(made: Tensor) -> Tensor:
            return photo.smooth(made, resize(pictures[0], made.shape[-2:], "box"), smoothing) if smoothing else made

        title = "{content} in the light of {style}".format(**named(settings))
        return Job(paint, steps, settings, title, finish, start=pictures[0])

    def _take_masks(self) -> None:
        """Show the masks that are chosen; those that were painted stay only as long as their pictures do."""
        if self._busy:
            return
        content, style = self.content.image, self.style.image
        found = None
        if self.masks.value == OURS:
            try:
                found = segmentation.course_mask(self.content.value), segmentation.course_mask(self.style.value)
            except ValueError:  # the course has none for one of them
                self._say(FOUND)
        if self.masks.value == FOUND:
            found = segmentation.cluster(fitted(content, 128), fitted(style, 128), encoder=encoder("mini"))
        self.painter.show(content, style, found)

    def _say(self, masks: str) -> None:
        """Let the list say which masks these are, without taking them anew."""
        self._busy = True
        try:
            self.masks.value = masks
        finally:
            self._busy = False


def counts(stages: str, steps: int) -> tuple[int, int]:
    """How many steps each stage has of so many: the second the larger part, as `photo.STEPS` divides them."""
    first = {"first": steps, "second": 0}.get(stages, max(1, round(steps * photo.STEPS[0] / sum(photo.STEPS))))
    return first, steps - first
