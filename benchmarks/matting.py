"""Lesson 07: what the matting Laplacian costs beside the encoder, and how long a pair takes from end to end."""

import time
from collections.abc import Iterator

import torch

from benchmarks.gatys import noise, random_vgg19
from benchmarks.measuring import Measurement, Plan
from stylelearn import photo, samples
from stylelearn.encoders import Encoder
from stylelearn.evaluation.timing import ratio, take_turns
from stylelearn.images import square
from stylelearn.matting import MattingLaplacian
from stylelearn.optimize import result
from stylelearn.segmentation import course_mask


def beside_the_encoder(plan: Plan) -> Iterator[Measurement]:
    """L_m and its gradient, as a part of the other terms and theirs."""
    image, style = square(samples.content("china"), plan.size), noise(plan.size)
    laplacian = MattingLaplacian(image)
    x = style.flip(3).requires_grad_()
    for name, encoder in (("mini", Encoder("mini")), ("VGG-19", random_vgg19())):
        terms = photo.objective(image, style, encoder=encoder, photorealism_weight=0)
        work = {
            "L_m": lambda: torch.autograd.grad(photo.photorealism_loss(x, laplacian), x),
            "encoder": lambda terms=terms: torch.autograd.grad(sum(terms(x).values()), x),
        }
        timed = take_turns(work, plan.rounds)
        part = 100 * ratio(timed["L_m"], timed["encoder"])
        note = f"of {timed['encoder'].processor:.3g} s processor time"
        yield Measurement(f"L_m over a step of {name}", part, "%", at_most=15, note=note)


def whole_pair(plan: Plan) -> Iterator[Measurement]:
    """Seconds from two pictures and their masks to the finished one, with `mini`."""
    stages = photo.STEPS if plan.judged else (2, 3)
    content, style = (samples.content(name, plan.large) for name in ("china", "rocket"))
    before = time.perf_counter()
    masks = [course_mask(name, tuple(x.shape[2:])) for name, x in (("china", content), ("rocket", style))]
    steps = photo.stylize(content, style, *masks, encoder=Encoder("mini"), steps=stages)
    photo.smooth(result(steps), content)
    seconds = time.perf_counter() - before
    shape = " × ".join(str(side) for side in content.shape[2:])
    yield Measurement("china and rocket", seconds, "s", at_most=90, note=f"{shape}, {sum(stages)} steps")


GROUPS = {"the photorealism loss beside the encoder": beside_the_encoder, "a large pair from end to end": whole_pair}
