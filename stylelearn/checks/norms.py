"""γ (x − μ)/σ + β: the truth and the common mistakes of the norms in lessons 03, 04, 05 and 08."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from stylelearn.checks import must_be_finite

PLACES = (2, 3)


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """μ and σ of each channel of each image in float64: two of (B, C, 1, 1)."""
    variance, mean = torch.var_mean(features.detach().double(), PLACES, correction=0, keepdim=True)
    return mean, variance.sqrt()


def normed(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float = 0.0) -> Tensor:
    """γ (x − μ)/√(σ² + ε) + β in float64; γ and β of any shape that broadcasts to x, (B, C, H, W)."""
    return over(x, PLACES, gamma.double(), beta.double(), epsilon)


def over(x: Tensor, dims: Sequence[int], gamma: Tensor, beta: Tensor, epsilon: float = 0.0) -> Tensor:
    """The same with μ and σ over other dimensions."""
    variance, mean = torch.var_mean(x.double(), dims, correction=0, keepdim=True)
    return gamma * (x - mean) / (variance + epsilon).sqrt() + beta


def must_take_flat(answer: Callable[[Tensor], Tensor], x: Tensor) -> None:
    """Raise a `Mistake` if a channel without variance gives NaN."""
    flat = x.clone()
    flat[:, 1] = 2.0
    flat_gives = "a channel that is the same everywhere gives NaN: σ is 0 there. Put a small ε under the root."
    must_be_finite(answer(flat), flat_gives)


def mistakes(
    x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float = 0.0, names: Sequence[str] = ("γ", "β", "μ", "σ")
) -> Iterator[tuple[Tensor, str]]:
    """What the common mistakes in γ (x − μ)/√(σ² + ε) + β give, and what to say; `names` of γ, β, μ, σ."""
    x, g, b = x.double(), gamma.double(), beta.double()
    contrast, level, mu, sigma = names
    mean, deviation = moments(x)
    root = (deviation.square() + epsilon).sqrt()
    centred, plain = x - mean, (x - mean) / root
    unbiased = x.var(PLACES, keepdim=True)
    lines = "only over rows or only over columns; positions are dimensions 2 and 3."
    for dims, why in (
        ((0, 2, 3), "the images of the batch are mixed, as in batch norm: dimensions 2 and 3."),
        ((1, 2, 3), "the channels are mixed, as in layer norm: μ, σ over dimensions 2 and 3."),
        ((0, 1, 2, 3), "one μ and σ for everything; each image and each channel has its own."),
        ((1,), "this normalises over the channels of each place; go over the places."),
        ((2,), lines),
        ((3,), lines),
    ):
        yield over(x, dims, g, b, epsilon), why
    why = "nearly: the variance is divided by H·W − 1 (unbiased, torch's default); here by H·W: correction=0."
    for below in ((unbiased + epsilon).sqrt(), unbiased.sqrt()):
        yield g * centred / below + b, why
    yield g * centred / (deviation + epsilon) + b, "ε belongs inside the root: √(σ² + ε)."
    yield g * centred / (unbiased.sqrt() + epsilon) + b, "ε belongs inside the root, and the variance is over H·W."
    yield g * centred / root**2 + b, f"you divide by the variance; {sigma} is its root."
    uncentred = (x.square().mean(PLACES, keepdim=True) + epsilon).sqrt()
    yield g * centred / uncentred + b, f"{sigma}² is the mean of (x − {mu})², not of x²."
    yield g * x - mean / root + b, f"brackets are missing: first x − {mu}, then the division."
    yield g * x / root + b, f"{mu} is not taken off."
    yield g * centred + b, f"the division by {sigma} is missing."
    yield g * centred * root + b, f"{sigma} multiplies; it has to divide."
    yield g * x + b, f"x is not normalised: first subtract {mu} and divide by {sigma}."
    yield g * plain, f"{level} is missing: it is the new level of each channel."
    yield plain + b, f"{contrast} is missing: it is the new contrast of each channel."
    yield plain, f"this is instance normalisation alone: {contrast} and {level} are missing."
    yield b * plain + g, f"{contrast} and {level} have changed places: contrast first, level second."
    yield g * (plain + b), f"{level} is multiplied by {contrast} too; add it last."
    yield x, "nothing has changed."
