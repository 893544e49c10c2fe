"""Ways downhill: from a picture and the gradient of its loss to the next picture.

`optimize.py` evaluates, watches and stops; here stands only how each method of the course steps. x is the picture,
(B, 3, H, W), and ∂L/∂x has its shape.
"""

from collections import deque

import torch
from torch import Tensor

# λ of plain descent for each value of the picture: the loss is a mean over values, so ∂L/∂x shrinks as they get more.
GD_RATE = 3e-4


class Descent:
    """Plain gradient descent, x := x − λ ∂L/∂x.

    Args:
        start: the first picture.
        rate: λ > 0, or None for the method's default.
        history: pairs that `Lbfgs` keeps. `bounded`: whether every picture is brought back into [0, 1].
    """

    PATIENCE = 10  # how often it may go back to the best picture before it finds a better one
    EXPLODED = 3.0  # the loss may become this many times the first one

    def __init__(self, start: Tensor, rate: float | None = None, *, history: int = 10, bounded: bool = True) -> None:
        self.rate = self.default_rate(start) if rate is None else rate
        self.bounded = bounded

    @staticmethod
    def default_rate(start: Tensor) -> float:
        return GD_RATE * start.numel()

    def limit(self, first: float, lowest: float) -> float:
        """The highest loss that is no reason to go back."""
        return first + (self.EXPLODED - 1) * abs(first)

    def next(self, x: Tensor, gradient: Tensor) -> Tensor:
        """The next picture, not yet brought back into [0, 1]; x itself stays as it is."""
        return x - self.rate * gradient

    def retreat(self, best: Tensor, x: Tensor) -> Tensor:
        """Where to go instead of `x`, whose loss was too high: to the best picture, and on with half the rate."""
        self.rate /= 2
        return best


class Adam(Descent):
    """Kingma & Ba 2015, algorithm 1: each value moves by about λ a step, however small its gradient."""

    def __init__(self, start: Tensor, rate: float | None = None, *, history: int = 10, bounded: bool = True) -> None:
        super().__init__(start, rate, bounded=bounded)
        self._forget()

    def _forget(self) -> None:
        self.count = 0
        self.mean: Tensor | float = 0.0
        self.square: Tensor | float = 0.0

    @staticmethod
    def default_rate(start: Tensor) -> float:
        return 0.02  # 5 of 255 levels

    def next(self, x: Tensor, gradient: Tensor) -> Tensor:
        self.count += 1
        self.mean = 0.9 * self.mean + 0.1 * gradient
        self.square = 0.999 * self.square + 0.001 * gradient.square()
        mean = self.mean / (1 - 0.9**self.count)
        square = self.square / (1 - 0.999**self.count)
        return x - self.rate * mean / (square.sqrt() + 1e-8)

    def retreat(self, best: Tensor, x: Tensor) -> Tensor:
        self._forget()
        return super().retreat(best, x)


class Lbfgs(Descent):
    """Limited-memory BFGS (Nocedal 1980): the last steps s and changes of gradient y tell the curvature.

    One evaluation a step. Where a step does not lower the loss, a shorter one is tried next; that is so rare that a
    line search, which evaluates twice or more at each step, is not worth its price. With `bounded`, values that stand
    at 0 or 1 and want to go beyond are left out of the step (as Bertsekas 1982 does with Newton's method).
    """

    FIRST = 0.01  # root mean square of the first step, about 3 of 255 levels: nothing is known yet
    LONGEST = 0.05  # and of any later one: farther away the curvature is another
    SHORTER = 0.3
    FORGETS = 4  # retreats in a row after which the pairs are given up

    def __init__(self, start: Tensor, rate: float | None = None, *, history: int = 10, bounded: bool = True) -> None:
        super().__init__(start, rate, bounded=bounded)
        self.pairs: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=history)  # s, y, 1 / s·y
        self.before: tuple[Tensor, Tensor] | None = None
        self.retreats = 0  # since the last step that went well

    @staticmethod
    def default_rate(start: Tensor) -> float:
        return 1.0

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


RULES = {"lbfgs": Lbfgs, "adam": Adam, "gd": Descent}
