"""Optimise the pixels of an image, one step at a time.

The picture is the parameter: there is no network to train. `optimize_image` returns a generator, so that its caller
can draw each step, stop, and go on later::

    for step in optimize_image(start, objective, steps=300):
        view.update(step)

A screen clips values outside [0, 1]. So every pixel is clamped to this range after each step: then the losses belong
to the picture that is shown.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from stylelearn.images import resize

METHODS = ("lbfgs", "adam", "gd")
PATIENCE = 10  # how often a method may go back to the best picture before it finds a better one
Objective = Callable[[Tensor], dict[str, Tensor]]
"""An image (B, 3, H, W) in, a dict of weighted, named, scalar terms out; their sum is minimised."""


class Diverged(RuntimeError):
    """The optimisation broke down; the message says why and what to change.

    Attributes: `step` (number), `reason`, `image` (the best picture so far, (B, 3, H, W) in [0, 1]).
    """

    def __init__(self, reason: str, step: int, image: Tensor) -> None:
        super().__init__(f"stopped at step {step}: {reason}")
        self.reason, self.step, self.image = reason, step, image


@dataclass(frozen=True)
class Step:
    """One step of an optimisation: a picture and the losses of this very picture.

    Attributes:
        number: 1, 2, …, evaluations of the objective so far.
        loss: the sum of the weighted terms.
        losses: term by term, by name.
        pixels: the picture as the optimiser has it, (B, 3, H, W); do not write into it.
        best: the one with the lowest loss so far, likewise.
    """

    number: int
    loss: float
    losses: dict[str, float]
    pixels: Tensor
    best: Tensor

    @property
    def image(self) -> Tensor:
        """`pixels` in [0, 1], a copy."""
        return self.pixels.clamp(0, 1)

    @property
    def best_image(self) -> Tensor:
        """`best` in [0, 1], a copy."""
        return self.best.clamp(0, 1)


def optimize_image(
    start: Tensor,
    objective: Objective,
    steps: int = 300,
    *,
    optimizer: str = "lbfgs",
    learning_rate: float | None = None,
    bounded: bool = True,
) -> Iterator[Step]:
    """Minimise `objective` over the pixels, starting from `start`; iterate the result to make the steps.

    Args:
        start: (B, 3, H, W) in [0, 1]; left as it is.
        objective: image -> dict of weighted scalar terms.
        steps: number of evaluations of objective and gradient.
        optimizer: "lbfgs" (the paper's choice; the default), "adam", or "gd", plain gradient descent
            x := x − λ ∂L/∂x.
        learning_rate: λ > 0; the default is 1 for lbfgs, 0.02 for adam (5 of 255 levels a step), and for gd
            `GD_RATE` times the number of values of the picture.
        bounded: keep every pixel in [0, 1]. False lets `Step.pixels` leave it.

    Returns:
        an iterator of `Step`. It ends early when nothing changes any more. Where a step made the loss rise too far,
        the next `Step` repeats the best picture and its losses, and a shorter way is tried from there.
    Raises:
        ValueError: unknown optimizer, steps < 1, learning rate ≤ 0, a start that is no image; while
            iterating, an objective that returns no terms or terms that are no scalars.
        Diverged: while iterating: NaN, Inf, a loss that keeps exploding, or no gradient at all.
    """
    _check(start, optimizer, learning_rate, steps)
    x = start.detach().clone(memory_format=torch.contiguous_format).float()
    x = x.clamp(0, 1) if bounded else x
    if learning_rate is None:
        learning_rate = {"lbfgs": 1.0, "adam": 0.02, "gd": GD_RATE * x.numel()}[optimizer]
    methods = {"adam": torch.optim.Adam, "gd": torch.optim.SGD}
    rule = (
        Lbfgs(learning_rate, bounded=bounded) if optimizer == "lbfgs" else Descent(methods[optimizer], x, learning_rate)
    )
    return _steps(x, objective, steps, rule, bounded)


def _check(start: Tensor, optimizer: str, rate: float | None, steps: int) -> None:
    if optimizer not in METHODS:
        raise ValueError(f"unknown optimizer {optimizer!r}; there are {', '.join(METHODS)}")
    if not isinstance(start, Tensor) or start.ndim != 4 or start.shape[1] != 3 or start.numel() == 0:
        came = tuple(start.shape) if isinstance(start, Tensor) else type(start).__name__
        raise ValueError(f"start must be an image (B, 3, H, W); this is {came}")
    if not bool(start.isfinite().all()):
        raise ValueError("start holds NaN or infinite values; start from another picture")
    if steps < 1:
        raise ValueError(f"steps must be at least 1; got {steps}")
    if rate is not None and not 0 < rate < math.inf:
        raise ValueError(f"learning_rate must be above 0; got {rate}")


def _steps(x: Tensor, objective: Objective, steps: int, rule: Descent | Lbfgs, bounded: bool) -> Iterator[Step]:
    best: Step | None = None
    first, tries = math.inf, 0
    for number in range(1, steps + 1):
        losses, gradient = _evaluate(objective, x)
        loss = sum(losses.values()) if bool(gradient.isfinite().all()) else math.nan
        if best is None:
            if not math.isfinite(loss):
                raise Diverged(_why(losses, rule), number, x.clamp(0, 1))
            first = loss
        elif not loss <= rule.limit(first, best.loss):  # also catches NaN
            tries += 1
            if tries > PATIENCE and loss <= best.loss + 1e-3 * abs(best.loss):
                return  # the bottom: even the shortest step is no better
            if tries > PATIENCE:
                raise Diverged(_why(losses, rule), number, best.image)
            x = rule.retreat(best.pixels, x)
            x = x.clamp(0, 1) if bounded else x
            yield replace(best, number=number)
            continue
        step = Step(number, loss, losses, x, x)
        if best is None or loss < best.loss:
            best, tries = step, 0
        yield replace(step, best=best.pixels)
        before, x = x, rule.next(x, gradient)
        x = x.clamp(0, 1) if bounded else x
        if torch.equal(before, x):
            if number == 1 and loss > 0:
                raise Diverged(_STUCK, number, best.image)
            return


def _evaluate(objective: Objective, x: Tensor) -> tuple[dict[str, float], Tensor]:
    """The terms at x, and the gradient of their sum (0 where they do not depend on x)."""
    with torch.enable_grad():
        pixels = x.detach().requires_grad_()
        terms = objective(pixels)
        if not terms:
            raise ValueError("the objective has no terms; it needs at least one")
        for name, term in terms.items():
            if term.ndim > 0:
                raise ValueError(f"the term {name!r} must be a scalar; this is {tuple(term.shape)}: take mean or sum")
        loss = torch.stack([*terms.values()]).sum()
        gradient = torch.autograd.grad(loss, pixels, allow_unused=True)[0] if loss.requires_grad else None
    numbers = torch.stack([term.detach() for term in terms.values()]).tolist()
    gradient = torch.zeros_like(x) if gradient is None else gradient.contiguous()
    return dict(zip(terms, numbers, strict=True)), gradient


_STUCK = "stuck: no pixel changes. Give a term a weight above 0, a higher learning rate, or start from another picture."


def _why(losses: dict[str, float], rule: Descent | Lbfgs) -> str:
    broken = [name for name, value in losses.items() if not math.isfinite(value)]
    reason = f"{', '.join(broken)} became NaN or infinite" if broken else "the loss kept rising or has no gradient"
    return f"{reason}, with learning rate {rule.rate:g}. Use a lower one, lower weights, or start from another picture."


# --- optimisers: from a picture and the gradient of its loss to the next picture --------------------------------------

# λ of plain descent for each value of the picture: the loss is a mean over values, so ∂L/∂x shrinks as they get more.
GD_RATE = 3e-4


class Descent:
    """A first-order method of torch.optim, which starts anew at half the rate where the loss explodes.

    Args:
        method: such as torch.optim.Adam, called with the pixels and the rate.
        start: the first picture, (B, 3, H, W). rate: λ > 0.
    """

    EXPLODED = 3.0  # the loss may become this many times the first one

    def __init__(self, method: Callable[..., torch.optim.Optimizer], start: Tensor, rate: float) -> None:
        self.method, self.rate = method, rate
        self.pixels = torch.empty_like(start)
        self.optimizer = method([self.pixels], rate)

    def limit(self, first: float, lowest: float) -> float:
        """The highest loss that is no reason to go back."""
        return first + (self.EXPLODED - 1) * abs(first)

    def next(self, x: Tensor, gradient: Tensor) -> Tensor:
        """The next picture, not yet clipped to [0, 1]; x itself stays as it is."""
        self.pixels.copy_(x)
        self.pixels.grad = gradient
        self.optimizer.step()
        return self.pixels.clone()

    def retreat(self, best: Tensor, x: Tensor) -> Tensor:
        """Where to go instead of `x`, whose loss was too high: to the best picture, and on with half the rate."""
        self.rate /= 2
        self.optimizer = self.method([self.pixels], self.rate)
        return best


class Lbfgs:
    """Limited-memory BFGS (Nocedal 1980): the last steps s and changes of gradient y approximate the curvature.

    One evaluation a step. Where a step does not lower the loss, a shorter one is tried next; that is so rare that a
    line search, with two or more evaluations at each step, does not pay. With `bounded`, values at 0 or 1 whose step
    would leave the range are left out of it (as Bertsekas 1982 does with Newton's method).
    """

    HISTORY = 10  # pairs; each takes the memory of two images
    FIRST = 0.01  # root mean square of the first step, about 3 of 255 levels: nothing is known yet
    LONGEST = 0.05  # and of any later one: farther away the curvature is another
    SHORTER = 0.3
    FORGETS = 4  # retreats in a row after which the pairs are given up

    def __init__(self, rate: float = 1.0, *, bounded: bool = True) -> None:
        self.rate, self.bounded = rate, bounded
        self.pairs: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=self.HISTORY)  # s, y, 1 / s·y
        self.before: tuple[Tensor, Tensor] | None = None
        self.retreats = 0  # since the last step that went well

    def limit(self, first: float, lowest: float) -> float:
        return lowest

    def next(self, x: Tensor, gradient: Tensor) -> Tensor:
        if self.before is not None:
            self._remember((x - self.before[0]).flatten(), (gradient - self.before[1]).flatten())
        self.before, self.retreats = (x, gradient), 0
        return self._from(x, gradient)

    def _from(self, x: Tensor, gradient: Tensor) -> Tensor:
        free = torch.ones_like(x, dtype=torch.bool)
        if self.bounded:
            free = ~((x <= 0) & (gradient > 0) | (x >= 1) & (gradient < 0))
        step = self._over_curvature((gradient * free).flatten()).view_as(x) * free
        size = float(step.square().mean().sqrt())
        if size == 0:
            return x
        wanted = min(self.rate * size, self.LONGEST) if self.pairs else min(self.rate, 1.0) * self.FIRST
        return x - step * (wanted / size)

    def retreat(self, best: Tensor, x: Tensor) -> Tensor:
        """Back towards the best picture, in the same direction; if that does not help, straight down from there.

        A direction that leads up even when it is short comes from pairs that do not hold here any more.
        """
        self.retreats += 1
        if self.retreats == self.FORGETS and self.pairs and self.before is not None:
            self.pairs.clear()
            return self._from(*self.before)
        return best + self.SHORTER * (x - best)

    def _remember(self, s: Tensor, y: Tensor) -> None:
        product = s @ y
        if product > 1e-6 * s.norm() * y.norm():  # the curvature is upward, by more than rounding makes
            self.pairs.append((s, y, 1 / product))

    def _over_curvature(self, q: Tensor) -> Tensor:
        """The gradient q divided by the curvature, H q: Nocedal's two loops over the pairs."""
        if not self.pairs:
            return q
        factors = []
        for s, y, inverse in reversed(self.pairs):
            factors.append(inverse * (s @ q))
            q = torch.addcmul(q, y, factors[-1], value=-1)
        s, y, inverse = self.pairs[-1]
        q = q / (inverse * (y @ y))
        for s, y, inverse in self.pairs:
            q = torch.addcmul(q, s, factors.pop() - inverse * (y @ q))
        return q


# --- several sizes, and the end ---------------------------------------------------------------------------------------


def coarse_to_fine(
    start: Tensor,
    objective_at: Callable[[tuple[int, int]], Objective],
    sizes: Sequence[tuple[int, int]],
    steps: Sequence[int],
    **options: object,
) -> Iterator[Step]:
    """Optimise small first, then larger: the large structures settle where they are cheap.

    Args:
        start: image (B, 3, H, W); resized to the first size.
        objective_at: makes the objective for one size (H, W).
        sizes: (H, W) in growing order. `steps`: for each size.
        options: as `optimize_image`.
    Returns:
        an iterator of `Step`, numbered on through all sizes; the pictures grow.
    Raises:
        ValueError: no sizes, or not one number of steps ≥ 1 for each. While iterating, as `optimize_image`.
    """
    if len(sizes) != len(steps) or not sizes or min(steps) < 1:
        raise ValueError(f"give one number of steps, at least 1, for each size; got steps {steps} for sizes {sizes}")

    def levels(x: Tensor) -> Iterator[Step]:
        done = 0
        for size, count in zip(sizes, steps, strict=True):
            x = resize(x, size, fit="box")
            number = 0
            try:
                for step in optimize_image(x, objective_at(size), count, **options):  # type: ignore[arg-type]
                    x, number = step.best, step.number
                    yield replace(step, number=done + number)
            except Diverged as error:
                raise Diverged(error.reason, done + error.step, error.image) from error
            done += number

    return levels(start)


def result(steps: Iterable[Step]) -> Tensor:
    """Run to the end and return the best picture, (B, 3, H, W) in [0, 1]; after Ctrl-C the best one so far.

    Args:
        steps: from `optimize_image` or `coarse_to_fine`; at least one.
    Raises:
        KeyboardInterrupt: interrupted before the first step was done.
        Diverged: as `optimize_image`.
    """
    steps = iter(steps)
    last = next(steps)
    with suppress(KeyboardInterrupt):
        for step in steps:
            last = step
    return last.best_image
