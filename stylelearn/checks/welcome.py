"""Checks of lesson 00: the image tensor, mixing pixels, the weighted sum."""

from collections.abc import Callable

import torch
from torch import Tensor

from stylelearn.checks import Mistake, check, must_be_tensor, same

RATIO = "you use only the ratio of α and β. It has the same best picture, but the formula keeps both."


@check
def swap_red_and_blue(answer: Callable[[Tensor], Tensor]) -> str:
    """(B, 3, H, W) -> the same with channels 0 and 2 exchanged."""
    images = torch.rand(2, 3, 4, 5)
    given = images.clone()
    yours = answer(given)
    red, green, blue = images.unbind(1)  # (B, H, W) each
    expected = torch.stack([blue, green, red], dim=1)
    if isinstance(yours, Tensor) and yours.shape == images.shape[1:]:
        raise Mistake("you return one picture of the batch; the result has the shape (B, 3, H, W), like the input.")
    must_be_tensor(yours, tuple(images.shape), "the result")
    if not same(yours, expected):
        raise Mistake(_swap_mistake(images, yours))
    if not torch.equal(given, images):
        raise Mistake("the result is right, but the picture that came in was changed too; make a new one, or clone it.")
    if not same(answer(images[:1].clone()), expected[:1]):
        raise Mistake("this works for two pictures, but not for one; leave the first dimension as it comes.")
    return "right: only the second dimension knows about colours. The batch and the places stay as they were."


def _swap_mistake(images: Tensor, yours: Tensor) -> str:
    red, green, blue = images.unbind(1)
    for value, why in (
        (images, "nothing has changed: put channel 2 in the place of channel 0, and the other way round."),
        (images.flip(0), "you turned the order of the pictures in the batch; the colours are dimension 1."),
        (images.flip(2), "the picture stands on its head: that is dimension 2, the rows; the colours are dimension 1."),
        (images.flip(3), "that mirrors the picture, dimension 3, the columns; the colours are dimension 1."),
        (
            torch.stack([blue, green, blue], 1),
            "red is lost: it was overwritten before it was copied. Make a new tensor.",
        ),
        (
            torch.stack([red, green, red], 1),
            "blue is lost: it was overwritten before it was copied. Make a new tensor.",
        ),
        (torch.stack([green, red, blue], 1), "you swapped red and green, channels 0 and 1; blue is channel 2."),
        (torch.stack([red, blue, green], 1), "you swapped green and blue, channels 1 and 2; red is channel 0."),
        (images.roll(1, dims=1), "all three channels moved on by one; green should stay in the middle."),
        (images.roll(-1, dims=1), "all three channels moved on by one; green should stay in the middle."),
        (1 - images, "this is the negative, 1 − x; here the numbers stay, and only change places."),
        (
            255 * torch.stack([blue, green, red], 1),
            "the channels are right, but our pictures go from 0 to 1, not to 255.",
        ),
    ):
        if same(yours, value):
            return why
    return "the values differ; the result should hold blue, green, red of the picture, in this order."


@check
def blend(answer: Callable[[Tensor, Tensor, float], Tensor]) -> str:
    """(1 − amount) · content + amount · style."""
    content, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    for amount in (0.25, 0.5, 0.0, 1.0):
        yours = answer(content.clone(), style.clone(), amount)
        must_be_tensor(yours, tuple(content.shape), "the mixture")
        expected = (1 - amount) * content + amount * style
        if not same(yours, expected):
            raise Mistake(_blend_mistake(content, style, amount, yours))
    return "right: every pixel is a weighted mean, and a mean of pictures in [0, 1] stays in [0, 1]."


def _blend_mistake(content: Tensor, style: Tensor, amount: float, yours: Tensor) -> str:
    for value, why in (
        (
            amount * content + (1 - amount) * style,
            "content and style are swapped: with amount = 0 only the content is left.",
        ),
        (
            content + style,
            "this is the plain sum, and it leaves [0, 1]; give the two pictures weights that add up to 1.",
        ),
        (
            (content + style).clamp(0, 1),
            "this is the sum, cut off at 1; give the two pictures weights that add up to 1.",
        ),
        ((content + style) / 2, "the amount is not used: this is half and half for every amount."),
        (content + amount * style, "the style is added on top; the content's share should shrink to 1 − amount."),
        (amount * (content + style), "both have the same weight; the content's should be 1 − amount."),
        (content * style, "this multiplies the pictures; a mixture adds them, each with its own weight."),
        (
            255 * ((1 - amount) * content + amount * style),
            "the mixture is right, but our pictures go from 0 to 1, not 255.",
        ),
        (content, "there is no style in this mixture."),
        (style, "there is no content in this mixture."),
    ):
        if same(yours, value):
            return why
    return f"for amount = {amount} the mixture should be {1 - amount} times the content plus {amount} times the style."


@check
def total_loss(answer: Callable[[Tensor, Tensor, float, float], Tensor]) -> str:
    """α · L_content + β · L_style, a tensor that gradients can flow through."""
    content_loss = torch.tensor(0.3, requires_grad=True)
    style_loss = torch.tensor(0.7, requires_grad=True)
    alpha, beta = 3.0, 5.0
    yours = answer(content_loss, style_loss, alpha, beta)
    mistakes = {
        beta * 0.3 + alpha * 0.7: "the weights are swapped: α belongs to the content, β to the style.",
        0.3 + 0.7: "the weights are not used; multiply each loss by its own.",
        alpha * 0.3: "the style is missing.",
        beta * 0.7: "the content is missing.",
        0.3 + beta * 0.7: "α is not used: multiply the content loss by it.",
        alpha * 0.3 + 0.7: "β is not used: multiply the style loss by it.",
        alpha * 0.3 * beta * 0.7: "the two terms are multiplied; the formula adds them.",
        alpha * 0.3 - beta * 0.7: "there is a minus: then the search would make the style as bad as it can.",
        (alpha + beta) * (0.3 + 0.7): "each loss gets its own weight only: α L_content + β L_style.",
        (alpha * 0.3 + beta * 0.7) / 2: "this is the mean of the two terms; the formula has no division.",
        (alpha * 0.3 + beta * 0.7) / (alpha + beta): "this is divided by α + β; the formula has no division.",
        alpha / beta * 0.3 + 0.7: RATIO,
        0.3 + beta / alpha * 0.7: RATIO,
    }
    expected = alpha * 0.3 + beta * 0.7
    if isinstance(yours, Tensor) or not isinstance(yours, int | float):
        must_be_tensor(yours, (), "the total loss")
    if not same(yours, expected):
        for value, why in mistakes.items():
            if same(yours, value):
                raise Mistake(why)
        raise Mistake(f"for losses 0.3 and 0.7 with α = 3 and β = 5 it should be {expected:.1f}.")
    if not isinstance(yours, Tensor) or not yours.requires_grad:
        raise Mistake("the number is right, but it no longer knows where it came from: without .item() or .detach() "
                      "the gradient can flow back to the picture.")  # fmt: skip
    again = answer(torch.tensor(1.0), torch.tensor(1.0), 0.0, 1.0)
    if not same(again, 1.0):
        raise Mistake("with α = 0 and β = 1 only the style loss should be left.")
    return "right: one number, and two knobs. Only their ratio decides which picture is best."
