"""The lab of lesson 08: a slider for each layer, live; a pad, a die, and noise."""

import functools
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import ipywidgets as widgets
import torch
from torch import Tensor

from stylelearn import adjustable, practice
from stylelearn.images import resize
from stylelearn.lab.column import Folded, observe
from stylelearn.lab.engine.networks import loaded_once
from stylelearn.lab.engine.runner import Job, Run
from stylelearn.lab.layers import ALL, Alphas
from stylelearn.lab.live import LiveLab, broad, sizes
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import PictureChooser
from stylelearn.networks.coarse import SHARE
from stylelearn.networks.conditioning import AdjustableNet
from stylelearn.optimize import Step

MOST_NOISE = 0.5
_KEPT = 4  # styles, and photos with their noise, that are kept
_AT_ONCE = 2  # steps of practice between two pictures: a slider that moves meanwhile waits for so many
_THUMBNAIL = 96  # pixels of a corner of the pad, which shows the photo as it would be there
network = loaded_once(adjustable.load, "adjustable")


class AdjustableLab(LiveLab):
    """A photo in the manner of any picture; how much each layer counts is set while one looks.

    Args:
        content, style: a name of the gallery, or anything that `read_image` takes; None for the gallery's first.
        alphas: α from 0 to 1 by layer, 1 for those not named; or the name of a preset, such as "all" or "none".
        practice: with how many steps of it the style is practised, 0 to 1000; see `practice`.
        noise: standard deviation of the noise on the photo, 0 to 0.5. seed: which noise.
        coarse: share of a coarse pastiche in what the network sees, as of `coarse_to_fine`, 0 to 0.9.
        size: longer side in pixels, 64 to 1024.
        weights: the network, as for `adjustable.load`.
    Raises:
        ValueError: a style for a network that knows one style only.
    """

    def __init__(
        self,
        content: Any = None,
        style: Any = None,
        *,
        alphas: Mapping[str, float] | str = ALL,
        practice: int = 0,
        noise: float = 0.0,
        seed: int = 0,
        coarse: float = SHARE,
        size: int = 384,
        weights: str = "adjustable",
        **shown: Any,
    ) -> None:
        self.network = network(weights)
        any_style = bool(self.network.about["any_style"])
        if style is not None and not any_style:
            raise ValueError("this network knows one style only, which is in its weights; leave `style` out")
        self.content = PictureChooser("content", content)
        self.style = {"style": PictureChooser("style", style)} if any_style else {}
        layers = list(self.network.style_layers)
        self.alphas = Alphas(layers, [name for name in self.network.adjustable if name not in layers], alphas)
        self._styles = functools.lru_cache(_KEPT)(
            lambda style, size, steps: _Style(self.network, self._fitted(style, size), steps)
        )
        self._contents = functools.lru_cache(_KEPT)(
            lambda content, size, *noise: adjustable.with_noise(self._fitted(content, size), *noise)
        )
        randomise = controls.button(
            "Randomise", "Random α for all layers, and another seed.", self.guarded(self.randomise),
            icon="random", width="118px",
        )  # fmt: skip
        randomise.layout.margin = f"2px 0 2px {controls.INDENT}"
        rows = [
            {"content": self.content, **self.style},
            {"alphas": self.alphas},
            randomise,
            *([self.alphas.pad] if self.alphas.pad else []),
            {"practice": _practice(practice)} if any_style else {},
            Folded("Broad marks, noise and size", [{
                "coarse": broad(coarse),
                "noise": controls.number(
                    "noise", noise, 0, MOST_NOISE, 0.01,
                    "Noise on the photo before it is painted: the same setting then gives another picture for each "
                    "seed.",
                ),
                "seed": controls.seed(seed, "Which noise; another number gives another picture of the same kind."),
                "size": sizes(size),
            }]),
        ]  # fmt: skip
        super().__init__(rows, **shown)
        for chooser in (self.content, *self.style.values()):
            observe(chooser, self.guarded(self._corners))
        self.guarded(self._corners)()

    def start(self, *, restart: bool = True) -> None:
        """Paint with the present settings; small first, unless a style is practised, which is done at one size only."""
        self.preview = 0 if self.settings.get("practice") else LiveLab.preview
        super().start(restart=restart)

    def job(self, settings: dict[str, Any]) -> Job:
        """One pass; and where the style is being practised, another one after every few steps of that."""
        once = super().job(settings)
        if not settings.get("practice"):
            return once
        picture = self.style["style"].image

        def paint() -> Iterator[Step]:
            yield from once.steps()
            known = self._styles(picture, settings["size"], settings["practice"])
            while known.go_on():
                for step in once.steps():
                    yield replace(step, number=known.steps)

        return replace(once, steps=paint)

    def render(self, settings: dict[str, Any], pictures: dict[str, Tensor]) -> Tensor:
        """One pass; what Λ knows of the style is there already unless the style, its practice or the size changed."""
        size = settings["size"]
        photo = self._contents(pictures["content"], size, settings["noise"], settings["seed"])
        known = self._styles(pictures["style"], size, settings["practice"]).known if self.style else None
        return self.network(photo, known, self.network.alphas(settings["alphas"]), settings["coarse"])

    def _stepped(self, run: Run, step: Step) -> None:
        super()._stepped(run, step)
        if step.number > 1:
            self.stage.progress(1, f"{step.number} of {run.job.settings['practice']} steps of practice")

    def words(self, settings: dict[str, Any]) -> str:
        found = settings["content"] + (f" in the style of {settings['style']}" if self.style else "")
        found += ", α: " + ", ".join(f"{name} {alpha:.2f}" for name, alpha in settings["alphas"].items())
        if settings.get("practice"):
            found += f", after {settings['practice']} steps of practice"
        return found + (f", noise {settings['noise']:.2f}, seed {settings['seed']}" if settings["noise"] else "")

    def randomise(self) -> None:
        """Random α, and another noise."""
        seed = self.controls["seed"]
        self.set(alphas=self.alphas.roll(), seed=(seed.value + 1) % (seed.max + 1))

    def _corners(self) -> None:
        """The corners of the pad show what would be painted there."""
        if self.alphas.pad is None:
            return
        corners = self.alphas.corners()
        with torch.no_grad():
            photo = resize(self.content.image, _THUMBNAIL, "box").expand(len(corners), -1, -1, -1)
            size = self.controls["size"].value
            known = [self._styles(chooser.image, size, 0).known for chooser in self.style.values()]
            settings = torch.cat([self.network.alphas(one) for one in corners])
            made = self.network(photo, known[0] if known else None, settings)
        first, last = self.network.style_layers[0], self.network.style_layers[-1]
        self.alphas.pad.corners(["the photo", first, last, "all"], list(made[:, None]))


class _Style:
    """What the network knows of a style, after so many `steps` of practice."""

    def __init__(self, network: AdjustableNet, style: Tensor, steps: int) -> None:
        self.known, self.steps = network.style(style), 0
        self._left = practice.practise(network, style, steps=steps) if steps else iter(())

    def go_on(self) -> bool:
        """Some steps more; False if none was left."""
        done = list(itertools.islice(self._left, _AT_ONCE))
        if done:
            _, self.known = done[-1]
            self.steps += len(done)
        return bool(done)


def _practice(steps: int) -> widgets.Dropdown:
    controls.check_range("practice", steps, 0, 1000)
    options = [("off" if one == 0 else f"{one} steps", one) for one in sorted({0, practice.STEPS, 200, steps})]
    return controls.choice(
        "practice", steps, options,
        "Look at this style for some seconds, to paint it better from then on; the picture follows as it is learnt.",
    )  # fmt: skip
