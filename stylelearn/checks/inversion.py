"""Checks of lesson 01: feature inversion."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from stylelearn.checks import Mistake, check, must_be_tensor, same
from stylelearn.encoders import STYLE_LAYERS


@check
def feature_loss(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """‖Φ − Φ_0‖² / ‖Φ_0‖² for tensors (1, C, H, W)."""
    found, target = torch.rand(1, 4, 5, 6), 2 * torch.rand(1, 4, 5, 6)
    pairs = list(zip(found.flatten().tolist(), target.flatten().tolist(), strict=True))
    difference, size = sum((a - b) ** 2 for a, b in pairs), sum(b**2 for _, b in pairs)
    yours = answer(found.requires_grad_(), target)
    must_be_tensor(yours, (), "the loss")
    mistakes = {
        difference: "the division by ‖Φ_0‖² is missing: without it the loss depends on the size of the layer.",
        difference / target.numel(): "divide by ‖Φ_0‖², not by the number of entries.",
        difference
        / sum(a**2 for a, _ in pairs): "you divide by the picture being made; divide by the target's, ‖Φ_0‖².",
        (difference / size) ** 0.5: "this is the root of it; the formula has squared norms above and below.",
        difference / size**0.5: "‖Φ_0‖ below the line must be squared too.",
        2 * difference / size: "there is a factor 2 too much.",
        difference / size / 2: "there is a factor ½ too much: that is Gatys's content loss, which comes in lesson 02.",
        sum((a - b) ** 2 / b**2 for a, b in pairs): "first sum, then divide: one sum above the line, one below.",
        sum(a - b for a, b in pairs) ** 2 / sum(b for _, b in pairs) ** 2: "square each entry first, then sum.",
        sum(abs(a - b) for a, b in pairs)
        / sum(b for _, b in pairs): "you sum absolute values; the formula has squares.",
    }
    if not same(yours, difference / size):
        for value, why in mistakes.items():
            if same(yours, value):
                raise Mistake(why)
        raise Mistake(f"for a test pair the loss should be {difference / size:.4f}; yours is {yours.item():.4f}.")
    if not yours.requires_grad:
        raise Mistake("the number is right, but its gradient is lost: without .item() or .detach() it would be there.")
    return "right: 0 for a perfect match, 1 for a layer that stays silent."


def _tv_by_hand(x: Tensor, beta: float) -> float:
    total = 0.0
    _, channels, height, width = x.shape
    for c in range(channels):
        for i in range(height):
            for j in range(width):
                here = x[0, c, i, j].item()
                right = x[0, c, i, j + 1].item() - here if j + 1 < width else 0.0
                down = x[0, c, i + 1, j].item() - here if i + 1 < height else 0.0
                total += (right**2 + down**2) ** (beta / 2)
    return total


@check
def total_variation(answer: Callable[[Tensor, float], Tensor]) -> str:
    """V^β of a tensor (1, C, H, W)."""
    x = torch.rand(1, 2, 5, 7)
    for beta in (2.0, 1.0, 1.5):
        yours = answer(x.clone(), beta)
        must_be_tensor(yours, (), "V^β")
        expected = _tv_by_hand(x, beta)
        if not same(yours, expected, 1e-3):
            raise Mistake(_tv_mistake(x, beta, yours, expected))
    flat = torch.full((1, 3, 6, 6), 0.5, requires_grad=True)
    answer(flat, 1.0).backward()
    if flat.grad is None or not torch.isfinite(flat.grad).all():
        raise Mistake("the value is right, but the gradient of a flat patch is not finite for β = 1: add 1e-8 inside.")
    return "right, for β = 1, 1.5 and 2, with a finite gradient where the picture is flat."


def _tv_mistake(x: Tensor, beta: float, yours: Tensor, expected: float) -> str:
    right, down = x[..., :, 1:] - x[..., :, :-1], x[..., 1:, :] - x[..., :-1, :]
    apart = right.abs().pow(beta).sum() + down.abs().pow(beta).sum()
    unhalved = sum(_tv_by_hand(x[:, c : c + 1], 2 * beta) for c in range(x.shape[1]))
    inner = (right[..., :-1, :].square() + down[..., :, :-1].square()).pow(beta / 2).sum()
    turned = ((x.roll(-1, -1) - x).square() + (x.roll(-1, -2) - x).square()).pow(beta / 2).sum()
    squares = right.square().sum() + down.square().sum()
    whole = squares ** (beta / 2)
    for value, why in (
        (expected / x.numel(), "the formula is a sum; yours is the mean."),
        (turned, "`roll` joins the last column to the first: across the border the differences should be zero."),
        (inner, "the last row and the last column are left out; there only one difference is zero, not both."),
        (squares, "β is not used: raise the sum of the two squares to the power β/2."),
        (unhalved, "the power is β/2, not β: the squares are squares already."),
        (apart, "rows and columns are charged apart: first add the two squares at each place, then take the power."),
        (whole, "the power β/2 belongs to each place, before the sum over places."),
    ):
        if same(yours, value, 1e-3):
            return why
    return f"for a test picture and β = {beta}, V^β should be {expected:.4f}; yours is {yours.item():.4f}."


@check
def disagreement(answer: Callable[[Tensor], Tensor]) -> str:
    """Standard deviation over the first dimension, averaged over colours."""
    pictures = torch.rand(4, 3, 5, 6)
    yours = answer(pictures.clone())
    must_be_tensor(yours, (5, 6), "the map")
    expected = torch.zeros(5, 6)
    for c in range(3):
        mean = sum(pictures[k, c] for k in range(4)) / 4
        expected += (sum((pictures[k, c] - mean) ** 2 for k in range(4)) / 4).sqrt() / 3
    if same(yours, expected):
        return "right: dark where all agree, bright where the layer has left it to chance."
    several, one_more = pictures.std(dim=0, correction=0), pictures.std(dim=0)  # (3, H, W)
    for value, why in (
        (one_more.mean(dim=0), "you divide by K − 1 (PyTorch's default); the text asks for K: correction=0."),
        (several.square().mean(dim=0), "this is the variance; take the root before averaging colours."),
        (pictures.std(dim=1, correction=0).mean(dim=0), "this is taken over colours; take it over pictures, dim=0."),
        (pictures.mean(dim=1).std(dim=0, correction=0), "first the deviation of each colour, then their mean."),
        (pictures.std(dim=(0, 1), correction=0), "pictures and colours are thrown together; treat each colour apart."),
        (several.sum(dim=0), "colours are summed; average them."),
    ):
        if same(yours, value):
            raise Mistake(why)
    raise Mistake("the values differ; take the standard deviation over the pictures, then the mean over the colours.")


def mystery_layer() -> str:
    """The layer that exercise 4 does not name."""
    return STYLE_LAYERS[len("cup!") - 1]


@check
def which_layer(guess: Any) -> str:
    """Which of the five layers the coffee cup was rebuilt from."""
    guess = guess.strip() if isinstance(guess, str) else guess
    if guess not in STYLE_LAYERS:
        raise Mistake(f"choose one of {', '.join(STYLE_LAYERS)}; you chose {guess!r}.")
    apart = STYLE_LAYERS.index(guess) - STYLE_LAYERS.index(mystery_layer())
    if apart < 0:
        raise Mistake(f"{guess} would give more detail and cleaner edges than this. Look deeper.")
    if apart > 0:
        raise Mistake(f"{guess} would leave less: look how well the cup's outline has survived. Look earlier.")
    return "right: the outline is still there, the fine texture is the layer's own."
