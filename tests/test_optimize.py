"""The pixel optimiser on problems whose answers are known, and on objectives that misbehave."""

import itertools

import pytest
import torch
from torch import Tensor

from stylelearn.optimize import METHODS, Diverged, Lbfgs, coarse_to_fine, optimize_image, result


def picture(height: int = 6, width: int = 5, batch: int = 1, seed: int = 0) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))


def quadratic(target: Tensor, weights: Tensor | float = 1.0):
    """Minimal, 0, at `target`; its gradient is 2 w (x − target)."""
    return lambda x: {"distance": (weights * (x - target).square()).sum()}


def curved(x: Tensor) -> dict[str, Tensor]:
    """Not quadratic, not separable, two terms; minima unknown."""
    return {"waves": (torch.sin(9 * x) + x.flip(-1) ** 2).mean(), "steps": (x[..., 1:] - x[..., :-1]).square().mean()}


# --- minima that are known -------------------------------------------------------------------------------------------


def test_the_two_loops_are_the_bfgs_formula():
    """H becomes (1 − ρ s yᵀ) H (1 − ρ y sᵀ) + ρ s sᵀ with each pair, from H = (s·y / y·y) 1 of the last (Nocedal)."""
    rule = Lbfgs()
    size = 6
    for seed in range(rule.HISTORY + 2):
        s = torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        rule._remember(s, torch.linspace(1, 3, size, dtype=torch.float64) * s + 0.1 * s.flip(0))
    assert len(rule.pairs) == rule.HISTORY
    s, y, _ = rule.pairs[-1]
    one = torch.eye(size, dtype=torch.float64)
    inverse = (s @ y) / (y @ y) * one
    for s, y, _ in rule.pairs:
        rho = 1 / (s @ y)
        inverse = (one - rho * torch.outer(s, y)) @ inverse @ (one - rho * torch.outer(y, s)) + rho * torch.outer(s, s)
    q = torch.arange(1.0, size + 1, dtype=torch.float64)
    torch.testing.assert_close(rule._over_curvature(q), inverse @ q)


def test_lbfgs_gives_its_pairs_up_where_shorter_steps_do_not_help():
    """Towards the best picture three times, to 0.3 of the way each; then straight down from it, 0.01 on average."""
    target = picture(seed=1) * 0.1 + 0.45
    rule = Lbfgs()
    best = rule.next(target + 0.02, torch.full_like(target, 0.16))
    gradient = 0.1 * picture(seed=2)  # the gradient has become smaller: one pair
    first = x = rule.next(best, gradient)
    for tries in range(1, rule.FORGETS):
        x = rule.retreat(best, x)
        torch.testing.assert_close(x, best + 0.3**tries * (first - best))
    down = rule.retreat(best, x)
    torch.testing.assert_close(down, best - 0.01 * gradient / gradient.square().mean().sqrt())
    assert not rule.pairs


@pytest.mark.parametrize(("optimizer", "rate"), [("lbfgs", None), ("adam", 0.02), ("gd", 0.3)])
def test_a_minimum_outside_the_range_is_met_at_its_edge(optimizer, rate):
    """Of a separable quadratic the best picture within [0, 1] is the clamped minimum."""
    target = 3 * picture(seed=1) - 1  # from −1 to 2
    steps = list(optimize_image(picture(), quadratic(target), 300, optimizer=optimizer, learning_rate=rate))
    torch.testing.assert_close(steps[-1].best, target.clamp(0, 1), atol=2e-3, rtol=0)
    assert all(0 <= step.pixels.min() and step.pixels.max() <= 1 for step in steps)


def test_coupled_pixels_at_the_edge_reach_the_constrained_minimum():
    """Karush, Kuhn and Tucker: no gradient inside, none that points inwards at the edge."""
    target = 3 * picture(seed=1) - 1

    def objective(x: Tensor) -> dict[str, Tensor]:
        return {"data": (x - target).square().sum(), "smooth": 5 * (x[..., 1:] - x[..., :-1]).square().sum()}

    *_, last = optimize_image(picture(), objective, 400)
    x = last.best.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(sum(objective(x).values()), x)
    inside = (x > 0) & (x < 1)
    assert (x == 0).any() and (x == 1).any() and inside.any()
    assert gradient[inside].abs().max() < 0.02
    assert gradient[x == 0].min() > -0.02 and gradient[x == 1].max() < 0.02


def test_unbounded_goes_where_the_minimum_is():
    target = 3 * picture(seed=1) - 1
    *_, last = optimize_image(picture(), quadratic(target), 60, bounded=False)
    torch.testing.assert_close(last.best, target, atol=2e-3, rtol=0)
    torch.testing.assert_close(last.best_image, target.clamp(0, 1), atol=2e-3, rtol=0)
    assert last.image.min() >= 0 and last.image.max() <= 1


# --- the rules as their formulas say ---------------------------------------------------------------------------------


def test_gd_is_x_minus_lambda_times_the_gradient():
    start, target, rate = picture(), picture(seed=1), 0.125
    one, two, *_ = optimize_image(start, quadratic(target), 3, optimizer="gd", learning_rate=rate)
    assert torch.equal(one.pixels, start)
    assert torch.equal(two.pixels, (start - rate * (2 * (start - target))).clamp(0, 1))


def test_adam_is_pytorchs_adam():
    """As long as no pixel meets an edge."""
    start, target = 0.3 + 0.4 * picture(), 0.3 + 0.4 * picture(seed=1)
    theirs = start.clone().requires_grad_()
    adam = torch.optim.Adam([theirs], lr=0.01)
    for step in optimize_image(start, quadratic(target), 20, optimizer="adam", learning_rate=0.01):
        torch.testing.assert_close(step.pixels, theirs.detach(), atol=1e-5, rtol=0)
        adam.zero_grad()
        quadratic(target)(theirs)["distance"].backward()
        adam.step()


def test_default_of_gd_grows_with_the_picture():
    """A loss that is a mean over values has a smaller gradient at each; the picture moves as fast all the same."""
    moved = []
    for size in (8, 32):
        start, target = torch.full((1, 3, size, size), 0.5), torch.full((1, 3, size, size), 0.6)
        *_, last = optimize_image(start, lambda x, t=target: {"mean": (x - t).square().mean()}, 2, optimizer="gd")
        moved.append((last.pixels - start).mean().item())
    assert moved[0] == pytest.approx(moved[1], rel=1e-4) and moved[0] > 0


# --- what a step says ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", METHODS)
def test_numbers_and_picture_belong_together(optimizer):
    lowest = float("inf")
    for number, step in enumerate(optimize_image(picture(), curved, 40, optimizer=optimizer), start=1):
        assert step.number == number
        again = {name: value.item() for name, value in curved(step.pixels).items()}
        assert step.losses == pytest.approx(again, rel=1e-5)
        assert step.loss == pytest.approx(sum(again.values()), rel=1e-5)
        lowest = min(lowest, step.loss)
        assert sum(value.item() for value in curved(step.best).values()) == pytest.approx(lowest, rel=1e-5)
        assert torch.equal(step.image, step.pixels) and torch.equal(step.best_image, step.best)


def test_lbfgs_never_rises():
    found = [step.loss for step in optimize_image(picture(), curved, 60)]
    assert all(later <= earlier for earlier, later in itertools.pairwise(found))
    assert found[-1] < found[0] - 0.5


@pytest.mark.parametrize("optimizer", METHODS)
def test_start_and_earlier_steps_are_left_as_they_were(optimizer):
    start = picture()
    before = start.clone()
    steps, copies = [], []
    for step in optimize_image(start, curved, 10, optimizer=optimizer):
        steps.append(step)
        copies.append(step.pixels.clone())
        step.image.zero_()  # a copy: drawing into it does no harm
        step.best_image.zero_()
    assert torch.equal(start, before) and not start.requires_grad
    assert all(torch.equal(step.pixels, copy) for step, copy in zip(steps, copies, strict=True))


def test_scaling_all_weights_changes_nothing_for_lbfgs_but_the_numbers():
    small = list(optimize_image(picture(), lambda x: {"a": 2.0**-20 * curved(x)["waves"]}, 15))
    large = list(optimize_image(picture(), lambda x: {"a": 2.0**20 * curved(x)["waves"]}, 15))
    for one, other in zip(small, large, strict=True):
        torch.testing.assert_close(one.pixels, other.pixels, atol=1e-4, rtol=0)


# --- stopping, going on, ending --------------------------------------------------------------------------------------


def test_nothing_is_computed_before_the_first_step_nor_ahead_of_it():
    calls = []

    def counted(x: Tensor) -> dict[str, Tensor]:
        calls.append(1)
        return curved(x)

    steps = optimize_image(picture(), counted, 10)
    assert not calls
    next(steps)
    assert len(calls) == 1
    list(steps)
    assert len(calls) == 10


def test_it_ends_when_nothing_changes_any_more():
    steps = list(optimize_image(picture(), quadratic(picture(seed=1)), 1000))
    assert len(steps) < 100
    assert steps[-1].loss < 1e-6


def test_a_perfect_start_is_one_step():
    target = picture()
    for optimizer in METHODS:
        (step,) = optimize_image(target, quadratic(target), 50, optimizer=optimizer)
        assert step.loss == 0 and torch.equal(step.image, target)


def test_interrupt_returns_the_best_picture_so_far():
    calls = itertools.count(1)

    def interrupted(x: Tensor) -> dict[str, Tensor]:
        if next(calls) == 7:
            raise KeyboardInterrupt  # Ctrl-C, or *Interrupt kernel*
        return curved(x)

    six = optimize_image(picture(), curved, 6)
    found = result(optimize_image(picture(), interrupted, 100))
    assert torch.equal(found, min(six, key=lambda step: step.loss).image)


def test_interrupt_before_the_first_step_is_passed_on():
    def interrupted(x: Tensor) -> dict[str, Tensor]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        result(optimize_image(picture(), interrupted, 5))


# --- divergence: the reason, the last good picture, what to change ---------------------------------------------------


@pytest.mark.parametrize("optimizer", METHODS)
@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_loss_that_breaks_down_stops_with_the_reason_and_the_best_picture(optimizer, broken):
    calls = itertools.count(1)
    good: list[tuple[float, Tensor]] = []

    def objective(x: Tensor) -> dict[str, Tensor]:
        value = (x - 0.5).square().sum()
        if next(calls) > 4:
            return {"fine": value, "style relu1_1": value * broken}
        good.append((value.item(), x.detach().clone()))
        return {"fine": value, "style relu1_1": value * 0}

    with pytest.raises(Diverged, match=r"style relu1_1 became NaN or infinite.*lower") as caught:
        list(optimize_image(picture(), objective, 100, optimizer=optimizer))
    assert 5 <= caught.value.step < 30 and f"step {caught.value.step}" in str(caught.value)
    assert torch.equal(caught.value.image, min(good, key=lambda pair: pair[0])[1])


def test_a_loss_or_a_gradient_that_is_broken_from_the_first_step():
    with pytest.raises(Diverged, match="stopped at step 1: a became NaN") as caught:
        list(optimize_image(picture(), lambda x: {"a": (x - 2).sqrt().sum()}, 10))
    assert torch.equal(caught.value.image, picture())
    with pytest.raises(Diverged, match="gradient"):  # d√x/dx is infinite at 0
        list(optimize_image(torch.zeros(1, 3, 4, 4), lambda x: {"a": x.sqrt().sum()}, 10))


def test_it_walks_round_a_place_where_the_loss_is_nan():
    """Nothing is lost by one bad step: a shorter one is tried."""

    def objective(x: Tensor) -> dict[str, Tensor]:
        value = (x - 0.2).square().mean()
        return {"a": torch.where((x < 0.19).any(), torch.nan, 1.0) * value}

    *_, last = optimize_image(picture().clamp_min(0.3), objective, 60)
    assert last.loss < 1e-4


@pytest.mark.parametrize("optimizer", ["adam", "gd"])
def test_a_rate_that_is_too_high_is_halved_until_it_fits(optimizer):
    """Minimum at 0.5, start beside it: the first steps fly to the edges and raise the loss a thousandfold."""
    start = torch.full((1, 3, 4, 4), 0.51)
    rate = {"adam": 0.2, "gd": 6.0}[optimizer]
    steps = list(
        optimize_image(start, lambda x: {"a": (x - 0.5).square().sum()}, 60, optimizer=optimizer, learning_rate=rate)
    )
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert max(step.loss for step in steps) <= 3 * steps[0].loss  # what exploded is not shown
    assert steps[-1].loss < steps[0].loss


@pytest.mark.parametrize("optimizer", ["adam", "gd"])
def test_a_loss_that_keeps_exploding_stops_with_advice(optimizer):
    start = torch.full((1, 3, 4, 4), 0.51)
    with pytest.raises(Diverged, match=r"kept rising.*learning rate.*lower") as caught:
        list(optimize_image(start, quadratic(torch.full_like(start, 0.5)), 60, optimizer=optimizer, learning_rate=1e6))
    assert torch.equal(caught.value.image, start)


@pytest.mark.parametrize("optimizer", METHODS)
@pytest.mark.parametrize("objective", [lambda x: {"a": 0 * x.sum() + 1}, lambda x: {"a": torch.tensor(1.0)}])
def test_no_gradient_is_called_stuck(objective, optimizer):
    with pytest.raises(Diverged, match=r"stuck.*weight") as caught:
        list(optimize_image(picture(), objective, 10, optimizer=optimizer))
    assert caught.value.step == 1 and torch.equal(caught.value.image, picture())


def test_a_rate_too_low_to_move_anything_is_called_stuck():
    with pytest.raises(Diverged, match="higher learning rate"):
        list(optimize_image(picture(), curved, 10, optimizer="gd", learning_rate=1e-12))


# --- coarse to fine --------------------------------------------------------------------------------------------------


def pulled_to(value: float):
    return lambda size: lambda x: {"a": (x - value).square().mean()}


def test_coarse_to_fine_numbers_on_and_grows():
    sizes = [(4, 6), (8, 12), (16, 24)]
    made = []

    def objective_at(size: tuple[int, int]):
        made.append(size)
        return lambda x: {"a": (torch.sin(7 * x) + x.roll(1, -1) ** 2).mean()}

    start = picture(16, 24)
    steps = list(coarse_to_fine(start, objective_at, sizes, [3, 4, 5], optimizer="adam"))
    assert made == sizes
    assert [step.number for step in steps] == list(range(1, 13))
    assert [tuple(step.image.shape[2:]) for step in steps] == [sizes[0]] * 3 + [sizes[1]] * 4 + [sizes[2]] * 5
    assert torch.equal(start, picture(16, 24))


def test_coarse_to_fine_hands_the_best_picture_on():
    """The coarse level finds the value; the fine one starts from it, although the first one ended early."""
    steps = list(coarse_to_fine(picture(8, 8), pulled_to(0.3), [(4, 4), (8, 8)], [200, 1]))
    assert len(steps) < 201
    torch.testing.assert_close(steps[-1].pixels, torch.full((1, 3, 8, 8), 0.3), atol=1e-3, rtol=0)


def test_coarse_to_fine_says_at_which_step_it_broke_down():
    def objective_at(size: tuple[int, int]):
        factor = float("nan") if size == (8, 8) else 1.0
        return lambda x: {"a": factor * (torch.sin(7 * x)).mean()}

    with pytest.raises(Diverged, match="stopped at step 6") as caught:
        list(coarse_to_fine(picture(8, 8), objective_at, [(4, 4), (8, 8)], [5, 5], optimizer="adam"))
    assert caught.value.step == 6 and caught.value.image.shape == (1, 3, 8, 8)


# --- arguments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "options", "message"),
    [
        (picture(), {"optimizer": "sgd"}, "unknown optimizer 'sgd'; there are lbfgs, adam, gd"),
        (picture(), {"steps": 0}, "steps must be at least 1; got 0"),
        (picture(), {"learning_rate": 0.0}, "learning_rate must be above 0; got 0"),
        (picture()[0], {}, r"\(B, 3, H, W\).*\(3, 6, 5\)"),
        (None, {}, "NoneType"),
        (picture() * float("nan"), {}, "NaN"),
    ],
)
def test_wrong_arguments_are_refused_at_once(start, options, message):
    with pytest.raises(ValueError, match=message):
        optimize_image(start, curved, **options)  # before the first step is asked for


def test_wrong_objectives_are_refused():
    with pytest.raises(ValueError, match="no terms"):
        next(optimize_image(picture(), lambda x: {}))
    with pytest.raises(ValueError, match=r"'map' must be a scalar.*\(1, 3, 6, 5\)"):
        next(optimize_image(picture(), lambda x: {"map": x}))


@pytest.mark.parametrize(("sizes", "steps"), [([], []), ([(4, 4)], [1, 2])])
def test_wrong_levels_are_refused_at_once(sizes, steps):
    with pytest.raises(ValueError, match="one number of steps, at least 1, for each size"):
        coarse_to_fine(picture(8, 8), pulled_to(0.3), sizes, steps)


def test_it_works_where_gradients_are_switched_off():
    with torch.no_grad():
        *_, last = optimize_image(picture(), curved, 5)
    assert last.loss < curved(picture())["waves"].item() + curved(picture())["steps"].item()


def test_lbfgs_stops_where_the_loss_rises_however_short_the_step():
    calls = itertools.count()
    with pytest.raises(Diverged, match="kept rising"):
        list(optimize_image(picture(), lambda x: {"a": x.square().mean() * 2.0 ** next(calls)}, 100))
