"""What the matting Laplacian costs: beside PyMatting, which writes the matrix down, and beside the encoder.

PyMatting (Germer et al. 2020) is compiled by Numba and the fastest of the public programs; it is no part of the course:
`pip install "stylelearn[bench]"`. Its first import compiles, which can take a minute and is not counted.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.gatys import noise, random_vgg19
from benchmarks.measuring import Figure
from stylelearn import photo, samples
from stylelearn.encoders import Encoder
from stylelearn.evaluation.timing import forget_peak, most_so_far, ratio, run_apart, take_turns
from stylelearn.matting import EPSILON, MattingLaplacian
from stylelearn.optimize import result
from stylelearn.segmentation import course_mask


@dataclass(frozen=True)
class Plan:
    """How thorough: (H, W) of the pictures, rounds per measurement, shorter side of the pair and its steps."""

    sizes: tuple[tuple[int, int], ...] = ((256, 256), (384, 512), (500, 700))
    rounds: int = 15
    encoder_size: int = 256
    size: int = 512
    steps: tuple[int, int] = photo.STEPS


QUICK = Plan(sizes=((48, 64),), rounds=2, encoder_size=64, size=64, steps=(2, 3))


def picture(height: int, width: int) -> Tensor:
    """A photograph of any size, (1, 3, height, width)."""
    return F.interpolate(samples.content("china"), (height, width), mode="bicubic", antialias=True).clamp(0, 1)


def ours(image: Tensor) -> Callable[[], object]:
    """The statistics of all windows, then L_m and its gradient."""
    x = image.flip(3).requires_grad_()
    return lambda: torch.autograd.grad(MattingLaplacian(image).energy(x), x)


def theirs(image: Tensor) -> Callable[[], object]:
    """PyMatting's matrix, then one product with the three channels.

    Raises:
        ImportError: it is not installed.
    """
    from pymatting import cf_laplacian

    colours = image[0].permute(1, 2, 0).double().numpy()
    x = image.flip(3)[0].flatten(1).double().numpy().T.copy()  # (H·W, 3)
    return lambda: 2 * (cf_laplacian(colours, epsilon=EPSILON) @ x)


WORK = {"ours": ours, "pymatting": theirs}


def groups(plan: Plan) -> Iterator[tuple[str, Callable[[], list[Figure]]]]:
    """(title, what to measure) one after the other; nothing is measured before it is called."""
    for height, width in plan.sizes:
        yield f"matting Laplacian, {height} × {width}", lambda size=(height, width): against_pymatting(plan, *size)
    yield f"photorealism beside the encoder, {plan.encoder_size} px", lambda: beside_the_encoder(plan)
    yield f"a pair of {plan.size} px from end to end", lambda: whole_pair(plan)


def against_pymatting(plan: Plan, height: int, width: int) -> list[Figure]:
    """Time and memory of statistics and one gradient, over those of PyMatting's matrix and one product."""
    group, image = f"matting Laplacian, {height} × {width}", picture(height, width)
    try:
        work = {name: make(image) for name, make in WORK.items()}
    except ImportError as error:
        note = f"not available here: {error}; pip install 'stylelearn[bench]'"
        return [Figure(group, "time over PyMatting's", None, "×", note=note)]
    timed = take_turns(work, plan.rounds)
    figures = [
        Figure(group, "ours: statistics and a gradient", timed["ours"].clock, "s"),
        Figure(group, "PyMatting: matrix and a product", timed["pymatting"].clock, "s"),
        Figure(group, "time over PyMatting's", ratio(*timed.values()), "×", at_most=1, note="processor time"),
    ]
    try:
        needed = {name: run_apart(__spec__.name, name, str(height), str(width))["extra"] for name in WORK}
    except RuntimeError as error:
        return [*figures, Figure(group, "memory over PyMatting's", None, "×", note=f"not available here: {error}")]
    note = " and ".join(f"{megabytes:.0f} MB" for megabytes in needed.values())
    over = needed["ours"] / max(needed["pymatting"], 1e-9)
    return [*figures, Figure(group, "memory over PyMatting's", over, "×", at_most=1 / 3, note=note)]


def beside_the_encoder(plan: Plan) -> list[Figure]:
    """L_m and its gradient, as a part of the other terms and theirs."""
    figures, group = [], f"photorealism, {plan.encoder_size} px"
    image, style = picture(plan.encoder_size, plan.encoder_size), noise(plan.encoder_size)
    laplacian = MattingLaplacian(image)
    x = style.flip(3).requires_grad_()
    for name, encoder, asked in (("mini", Encoder("mini"), 15.0), ("VGG-19", random_vgg19(), 15.0)):
        terms = photo.objective(image, style, encoder=encoder, photorealism_weight=0)
        work = {
            "L_m": lambda: torch.autograd.grad(photo.photorealism_loss(x, laplacian), x),
            "encoder": lambda terms=terms: torch.autograd.grad(sum(terms(x).values()), x),
        }
        timed = take_turns(work, plan.rounds)
        part, note = (
            100 * ratio(timed["L_m"], timed["encoder"]),
            f"of {timed['encoder'].processor:.3g} s processor time",
        )
        figures.append(Figure(group, f"L_m over a step of {name}", part, "%", at_most=asked, note=note))
    return figures


def whole_pair(plan: Plan) -> list[Figure]:
    """Seconds from two pictures and their masks to the finished one, with `mini`."""
    content, style = (samples.content(name, plan.size) for name in ("china", "rocket"))
    before = time.perf_counter()
    masks = [course_mask(name, tuple(x.shape[2:])) for name, x in (("china", content), ("rocket", style))]
    steps = photo.stylize(content, style, *masks, encoder=Encoder("mini"), steps=plan.steps)
    photo.smooth(result(steps), content)
    seconds = time.perf_counter() - before
    shape = " × ".join(str(side) for side in content.shape[2:])
    note = f"china and rocket, {shape}, {sum(plan.steps)} steps"
    return [Figure(f"photo, {plan.size} px", "from end to end", seconds, "s", at_most=90, note=note)]


def extra_memory(way: str, height: int, width: int) -> float:
    """MB that a piece of work needs at its peak above what this process holds before.

    Raises:
        RuntimeError: not on Linux. ImportError: no PyMatting.
    """
    WORK[way](picture(16, 16))()  # what is loaded or compiled once is not counted
    do = WORK[way](picture(height, width))
    forget_peak()
    held = most_so_far()
    result = do()  # kept until its memory was counted
    peak = most_so_far()
    del result
    return peak - held


if __name__ == "__main__":
    print(json.dumps({"extra": extra_memory(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))}))
