"""Checks of lesson 01: feature inversion."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelearn import losses
from stylelearn.checks import Mistake, check, must_be_finite, must_match, number, run
from stylelearn.encoders import STYLE_LAYERS


@check
def feature_loss(answer: Callable[[Tensor, Tensor], Tensor]) -> str:
    """‖Φ − Φ_0‖² / ‖Φ_0‖² for tensors (1, C, H, W)."""
    features, target = torch.rand(1, 4, 5, 6).requires_grad_(), 2 * torch.rand(1, 4, 5, 6)
    yours = run(answer, features=features, target=target)
    f, t = features.detach(), target
    difference, size = (f - t).square().sum(), t.square().sum()
    right = difference / size
    wrong = [
        (difference, "the division by ‖Φ_0‖² is missing: without it the loss depends on the size of the layer."),
        (difference / t.numel(), "divide by ‖Φ_0‖², not by the number of entries."),
        (difference / f.square().sum(), "you divide by the picture being made; divide by the target's, ‖Φ_0‖²."),
        (right**0.5, "this is the root of it; the formula has squared norms above and below."),
        (difference / size**0.5, "‖Φ_0‖ below the line must be squared too."),
        (2 * right, "there is a factor 2 too much."),
        (right / 2, "there is a factor ½ too much: that is Gatys's content loss, which comes in lesson 02."),
        (right / t.numel(), "the mean is above the line and the sum below: take the sum of both, or the mean of both."),
        (right * t.numel(), "the sum is above the line and the mean below: take the sum of both, or the mean of both."),
        (((f - t) / t).square().mean(), "first sum, then divide: one sum above the line, one below."),
        ((f - t).square().norm() / t.square().norm(), "‖a‖² is a.norm()**2: .norm() squares by itself."),
        (((f - t) / t).square().sum(), "first sum, then divide: one sum above the line, one below."),
        ((f - t).sum().square() / t.sum().square(), "square each entry first, then sum."),
        ((f - t).abs().sum() / t.sum(), "you sum absolute values; the formula has squares."),
    ]
    where = f"for a test pair the loss should be {right:.4f}; yours is {number(yours, 'the loss'):.4f}."
    must_match(yours, right, wrong, where, gradient=True)
    return "right: 0 for a perfect match, 1 for a layer that stays silent."


@check
def total_variation(answer: Callable[[Tensor, float], Tensor]) -> str:
    """V^β of a tensor (1, C, H, W)."""
    x = torch.rand(1, 2, 5, 7)
    right, down = x[..., :, 1:] - x[..., :, :-1], x[..., 1:, :] - x[..., :-1, :]
    squares = right.square().sum() + down.square().sum()
    inside = right[..., :-1, :].square() + down[..., :, :-1].square()
    before = F.pad(right, (1, 0)).square() + F.pad(down, (0, 0, 1, 0)).square()
    after = F.pad(right, (0, 1)).abs(), F.pad(down, (0, 0, 0, 1)).abs()
    black = F.pad(x, (0, 1)).diff(dim=-1).square() + F.pad(x, (0, 0, 0, 1)).diff(dim=-2).square()
    turned = (x.roll(-1, -1) - x).square() + (x.roll(-1, -2) - x).square()
    for beta in (2.0, 1.0, 1.5):
        try:
            yours = run(answer, x=x, beta=beta)
        except RuntimeError as error:
            if "must match the size" in str(error):
                short = "the differences to the right are one column short, those below one row: fill up with zeros."
                raise Mistake(short) from None
            raise
        truth = losses.total_variation(x, beta).item()
        wrong = [
            (truth / x.numel(), "the formula is a sum; yours is the mean."),
            (turned.pow(beta / 2).sum(), "`roll` joins the last column to the first: there the differences are zero."),
            (inside.pow(beta / 2).sum(), "the last row and the last column are left out; only one difference is zero."),
            (before.pow(beta / 2).sum(), "these are the neighbours to the left and above; take right and below."),
            (black.pow(beta / 2).sum(), "beyond the border you compare with black; there the differences are zero."),
            (losses.total_variation(x, 1.0), "this is the root for every β: the power is β/2."),
            (truth / x.shape[1], "you take the mean over the channels; the formula is summed over them, too."),
            (squares, "β is not used: raise the sum of the two squares to the power β/2."),
            (losses.total_variation(x, 2 * beta), "the power is β/2, not β: the squares are squares already."),
            (right.abs().pow(beta).sum() + down.abs().pow(beta).sum(),
             "rows and columns are taken apart: first add the two squares at each place, then take the power."),
            (squares ** (beta / 2), "the power β/2 belongs to each place, before the sum over places."),
            ((after[0] + after[1]).pow(beta).sum(), "you add absolute values; add the two squares at each place."),
            ((after[0] + after[1]).pow(beta / 2).sum(), "you add absolute values; add the two squares at each place."),
        ]  # fmt: skip
        where = f"for a test picture and β = {beta}, V^β should be {truth:.4f}; yours is {number(yours, 'V^β'):.4f}."
        must_match(yours, truth, wrong, where, tolerance=1e-3)
    flat = torch.full((1, 3, 6, 6), 0.5, requires_grad=True)
    answer(flat, 1.0).backward()
    infinite = "the value is right, but the gradient of a flat patch is not finite for β = 1: add 1e-8 inside."
    must_be_finite(torch.tensor(torch.nan) if flat.grad is None else flat.grad, infinite)
    return "right, for β = 1, 1.5 and 2, with a finite gradient where the picture is flat."


@check
def disagreement(answer: Callable[[Tensor], Tensor]) -> str:
    """The standard deviation over the pictures, then the mean over the colours."""
    pictures = torch.rand(4, 3, 5, 6)
    yours = run(answer, pictures=pictures)
    each = pictures.std(dim=0, correction=0)  # (3, H, W)
    wrong = [
        (pictures.std(dim=0).mean(dim=0), "you divide by K − 1 (torch's default); the text asks for K: correction=0."),
        (each.square().mean(dim=0), "this is the variance; take the root before averaging colours."),
        *(
            (pictures.std(dim=1, correction=k).mean(dim=0), "this is over colours; take it over pictures, dim=0.")
            for k in (0, 1)
        ),
        *(
            (pictures.mean(dim=1).std(dim=0, correction=k), "first the deviation of each colour, then their mean.")
            for k in (0, 1)
        ),
        ((pictures - pictures.mean(dim=0)).abs().mean(dim=(0, 1)), "these are mean distances; σ is a root of squares."),
        ((pictures.amax(dim=0) - pictures.amin(dim=0)).mean(dim=0), "this is the range, largest minus smallest."),
        (pictures.std(dim=(0, 1), correction=0), "pictures and colours are taken together; treat each colour alone."),
        (each.sum(dim=0), "colours are summed; average them."),
    ]
    if isinstance(yours, Tensor) and yours.shape == each.shape:
        raise Mistake("the mean over the three colours is missing: the map has the shape (H, W).")
    must_match(yours, each.mean(dim=0), wrong, what="the map")
    return "right: dark where all pictures agree, bright where the layer does not fix the colour."


def mystery_layer() -> str:
    """The layer that exercise 4 does not name."""
    return STYLE_LAYERS[len("cup!") - 1]


@check
def which_layer(guess: Any) -> str:
    """Which of the five layers the coffee cup was rebuilt from."""
    guess = guess.strip().lower() if isinstance(guess, str) else guess
    if guess not in STYLE_LAYERS:
        raise Mistake(f"choose one of {', '.join(STYLE_LAYERS)}; you chose {guess!r}.")
    apart = STYLE_LAYERS.index(guess) - STYLE_LAYERS.index(mystery_layer())
    if apart < 0:
        raise Mistake(f"{guess} would give more detail and cleaner edges than this. Look deeper.")
    if apart > 0:
        raise Mistake(f"{guess} would leave less: look how well the cup's outline has survived. Look earlier.")
    return "right: the outline is still there, the fine texture is the layer's own."
