"""Checks of lesson 00: the image tensor, mixing pixels, the weighted sum."""

from collections.abc import Callable

import torch
from torch import Tensor

from stylelearn.checks import Mistake, check, must_be, must_match, run

RATIO = "you use only the ratio of α and β. It has the same best picture, but the formula keeps both."


@check
def swap_red_and_blue(answer: Callable[[Tensor], Tensor]) -> str:
    """(B, 3, H, W) with the channels blue, green, red, in this order."""
    image = torch.rand(2, 3, 4, 5)
    try:
        yours = run(answer, image=image)
    except ValueError as error:
        if "step must be greater than zero" in str(error):
            raise Mistake("PyTorch has no negative steps such as [::-1], as NumPy has; use image.flip(…).") from None
        if "unpack" in str(error):
            raise Mistake("unpacking image takes dimension 0 apart, the batch; for colours image.unbind(1).") from None
        raise
    except IndexError as error:
        if "size 2" in str(error):  # two pictures, three colours
            raise Mistake("this picks pictures of the batch, dimension 0; the colours are dimension 1.") from None
        raise
    red, green, blue = image.unbind(1)  # (B, H, W) each

    def stacked(*channels: Tensor) -> Tensor:
        return torch.stack(channels, dim=1)

    if isinstance(yours, Tensor) and yours.shape == image.shape[1:]:
        raise Mistake("you return one picture of the batch; the result has the shape (B, 3, H, W), like the input.")
    if isinstance(yours, Tensor) and yours.shape == (2, 3, 4, 3):
        raise Mistake("you pick columns, the last dimension; the colours are dimension 1: image[:, …].")
    if isinstance(yours, Tensor) and yours.shape == (3, 2, 4, 5):
        raise Mistake("the colours have come in front of the batch; stack them along dimension 1.")
    overwritten = "was overwritten before it was copied. Make a new tensor."
    wrong = [
        (image, "nothing has changed: put channel 2 in the place of channel 0, and the other way round."),
        (image.flip(0), "you turned the order of the pictures in the batch; the colours are dimension 1."),
        (image.flip(2), "the picture is upside down: that is dimension 2, the rows; the colours are dimension 1."),
        (image.flip(3), "that mirrors the picture, dimension 3, the columns; the colours are dimension 1."),
        (stacked(blue, green, blue), f"red is lost: it {overwritten}"),
        (stacked(red, green, red), f"blue is lost: it {overwritten}"),
        (stacked(green, red, blue), "you swapped red and green, channels 0 and 1; blue is channel 2."),
        (stacked(red, blue, green), "you swapped green and blue, channels 1 and 2; red is channel 0."),
        (image.roll(1, dims=1), "all three channels moved on by one; green should stay in the middle."),
        (image.roll(-1, dims=1), "all three channels moved on by one; green should stay in the middle."),
        (1 - image, "this is the negative, 1 − x; here the numbers stay, and only change places."),
        (255 * image.flip(1), "the channels are right, but our pictures go from 0 to 1, not to 255."),
    ]
    right = stacked(blue, green, red)
    must_match(yours, right, wrong, what="the result")
    must_be(answer(image[:1]), right[:1], "this works for two pictures, but not for one; leave dimension 0 as it is.")
    return "right: only the second dimension holds the colours. The batch and the places stay as they were."


@check
def blend(answer: Callable[[Tensor, Tensor, float], Tensor]) -> str:
    """(1 − amount) · content + amount · style."""
    content, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    for amount in (0.25, 0.5, 0.0, 1.0):
        yours = run(answer, content=content, style=style, amount=amount)
        right = (1 - amount) * content + amount * style
        weights = "give the two pictures weights that add up to 1."
        wrong = [
            (amount * content + (1 - amount) * style, "content and style are swapped: amount = 0 is all content."),
            (content + style, f"this is the plain sum, and it leaves [0, 1]; {weights}"),
            ((content + style).clamp(0, 1), f"this is the sum, cut off at 1; {weights}"),
            ((content + style) / 2, "the amount is not used: this is half and half for every amount."),
            ((1 - amount) * content + style, "the style's weight is missing: it is the amount."),
            (content + amount * style, "the style is added on top; the content's share should shrink to 1 − amount."),
            (amount * (content + style), "both have the same weight; the content's should be 1 − amount."),
            (content * style, "this multiplies the pictures; a mixture adds them, each with its own weight."),
            (255 * right, "the mixture is right, but our pictures go from 0 to 1, not 255."),
            (content, "there is no style in this mixture."),
            (style, "there is no content in this mixture."),
        ]
        where = f"for amount = {amount} the mixture is {1 - amount} times the content plus {amount} times the style."
        must_match(yours, right, wrong, where, what="the mixture")
    return "right: every pixel is a weighted mean, and a mean of pictures in [0, 1] stays in [0, 1]."


@check
def total_loss(answer: Callable[[Tensor, Tensor, float, float], Tensor]) -> str:
    """α · L_content + β · L_style, a tensor that gradients can flow through."""
    c, s, alpha, beta = 0.3, 0.7, 3.0, 5.0
    content, style = (torch.tensor(loss, requires_grad=True) for loss in (c, s))
    yours = run(answer, content_loss=content, style_loss=style, alpha=alpha, beta=beta)
    right = alpha * c + beta * s
    wrong = [
        (beta * c + alpha * s, "the weights are swapped: α belongs to the content, β to the style."),
        (c + s, "the weights are not used; multiply each loss by its own."),
        (alpha * c, "the style is missing."),
        (beta * s, "the content is missing."),
        (c + beta * s, "α is not used: multiply the content loss by it."),
        (alpha * c + s, "β is not used: multiply the style loss by it."),
        (alpha * c * beta * s, "the two terms are multiplied; the formula adds them."),
        (alpha * c - beta * s, "there is a minus: then the search would make the style as bad as it can."),
        ((alpha + beta) * (c + s), "each loss gets its own weight only: α L_content + β L_style."),
        (right / 2, "this is the mean of the two terms; the formula has no division."),
        (right / (alpha + beta), "this is divided by α + β; the formula has no division."),
        (alpha / beta * c + s, RATIO),
        (c + beta / alpha * s, RATIO),
    ]
    where = f"for losses {c} and {s} with α = {alpha:g} and β = {beta:g} it should be {right:.1f}."
    must_match(yours, right, wrong, where, what="the total loss", gradient=True)
    one = torch.tensor(1.0)
    must_be(answer(one, one, 0.0, 1.0), 1.0, "with α = 0 and β = 1 only the style loss should be left.")
    return "right: one number, and two knobs. Only their ratio decides which picture is best."
