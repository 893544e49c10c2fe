"""The checks of lesson 00: right answers pass, untouched ones are "not solved yet", and mistakes are called by name."""

import torch
from gate import gate

from stylelearn.checks import welcome


def in_place(image):
    image[:, 0], image[:, 2] = image[:, 2].clone(), image[:, 0].clone()
    return image


def unpacked(image):
    red, green, blue = image
    return torch.stack([blue, green, red])


def overwritten(lost, other):
    def answer(image):
        image = image.clone()
        image[:, lost] = image[:, other]
        image[:, other] = image[:, lost]
        return image

    return answer


MISTAKES = [
    # swap_red_and_blue: another axis, another pair, a lost channel, a changed input
    (welcome.swap_red_and_blue, lambda x: x, "nothing has changed"),
    (welcome.swap_red_and_blue, lambda x: x.flip(0), "order of the pictures in the batch"),
    (welcome.swap_red_and_blue, lambda x: x.flip(2), "upside down"),
    (welcome.swap_red_and_blue, lambda x: x.flip(-1), "mirrors the picture"),
    (welcome.swap_red_and_blue, lambda x: x[:, [1, 0, 2]], "swapped red and green"),
    (welcome.swap_red_and_blue, lambda x: x[:, [0, 2, 1]], "swapped green and blue"),
    (welcome.swap_red_and_blue, lambda x: x[:, [2, 0, 1]], "moved on by one"),
    (welcome.swap_red_and_blue, lambda x: x[:, [1, 2, 0]], "moved on by one"),
    (welcome.swap_red_and_blue, overwritten(0, 2), "red is lost"),
    (welcome.swap_red_and_blue, overwritten(2, 0), "blue is lost"),
    (welcome.swap_red_and_blue, in_place, "changes image itself"),
    (welcome.swap_red_and_blue, lambda x: x[0, [2, 1, 0]], "one picture of the batch"),
    (welcome.swap_red_and_blue, lambda x: x.permute(0, 2, 3, 1)[..., [2, 1, 0]], "should have the shape (2, 3, 4, 5)"),
    (welcome.swap_red_and_blue, lambda x: x[:, [2, 1, 0]].numpy(), "should be a tensor"),
    (welcome.swap_red_and_blue, lambda x: 1 - x, "negative"),
    (welcome.swap_red_and_blue, lambda x: 255 * x.flip(1), "not to 255"),
    (welcome.swap_red_and_blue, lambda x: x.flip(1).expand(2, -1, -1, -1), "not for one"),
    (welcome.swap_red_and_blue, lambda x: x[:, [3, 1, 0]], "IndexError"),
    (welcome.swap_red_and_blue, lambda x: x[:, ::-1], "no negative steps"),
    (welcome.swap_red_and_blue, unpacked, "image.unbind(1)"),
    (welcome.swap_red_and_blue, lambda x: x[[2, 1, 0]], "picks pictures of the batch"),
    (welcome.swap_red_and_blue, lambda x: x[..., [2, 1, 0]], "you pick columns"),
    (welcome.swap_red_and_blue, lambda x: torch.stack([x[:, 2], x[:, 1], x[:, 0]]), "in front of the batch"),
    (welcome.swap_red_and_blue, lambda x: None, "your function returns nothing"),
    # blend: swapped, weights that do not add up to 1, an amount that is not used
    (welcome.blend, lambda c, s, a: a * c + (1 - a) * s, "swapped"),
    (welcome.blend, lambda c, s, a: c + s, "plain sum"),
    (welcome.blend, lambda c, s, a: (c + s).clamp(0, 1), "cut off at 1"),
    (welcome.blend, lambda c, s, a: (c + s) / 2, "the amount is not used"),
    (welcome.blend, lambda c, s, a: c + a * s, "added on top"),
    (welcome.blend, lambda c, s, a: (1 - a) * c + s, "the style's weight is missing"),
    (welcome.blend, lambda c, s, a: a * c + a * s, "same weight"),
    (welcome.blend, lambda c, s, a: c * s, "multiplies"),
    (welcome.blend, lambda c, s, a: c, "no style"),
    (welcome.blend, lambda c, s, a: s, "no content"),
    (welcome.blend, lambda c, s, a: 255 * torch.lerp(c, s, a), "not 255"),
    (welcome.blend, lambda c, s, a: torch.lerp(c, s, a**2), "for amount = 0.25"),
    # total_loss: swapped or missing weights, a loss that has lost its gradient
    (welcome.total_loss, lambda c, s, a, b: b * c + a * s, "swapped"),
    (welcome.total_loss, lambda c, s, a, b: c + s, "weights are not used"),
    (welcome.total_loss, lambda c, s, a, b: a * c, "the style is missing"),
    (welcome.total_loss, lambda c, s, a, b: b * s, "the content is missing"),
    (welcome.total_loss, lambda c, s, a, b: c + b * s, "α is not used"),
    (welcome.total_loss, lambda c, s, a, b: a * c + s, "β is not used"),
    (welcome.total_loss, lambda c, s, a, b: a * c * b * s, "multiplied"),
    (welcome.total_loss, lambda c, s, a, b: a * c - b * s, "minus"),
    (welcome.total_loss, lambda c, s, a, b: (a + b) * (c + s), "its own weight only"),
    (welcome.total_loss, lambda c, s, a, b: (a * c + b * s) / 2, "mean of the two"),
    (welcome.total_loss, lambda c, s, a, b: (a * c + b * s) / (a + b), "divided by α + β"),
    (welcome.total_loss, lambda c, s, a, b: a / b * c + s, "ratio"),
    (welcome.total_loss, lambda c, s, a, b: c + b / a * s, "ratio"),
    (welcome.total_loss, lambda c, s, a, b: (a * c + b * s).item(), "no gradient can flow back"),
    (welcome.total_loss, lambda c, s, a, b: (a * c + b * s).detach(), "no gradient can flow back"),
    (welcome.total_loss, lambda c, s, a, b: 3, "it should be 4.4"),
    (welcome.total_loss, lambda c, s, a, b: 3 * c + 5 * s, "only the style loss should be left"),
]
OTHER_WAYS = [
    (welcome.swap_red_and_blue, lambda x: x.flip(1)),
    (welcome.swap_red_and_blue, lambda x: torch.stack([x[:, 2], x[:, 1], x[:, 0]], dim=1)),
    (welcome.swap_red_and_blue, lambda x: in_place(x.clone())),
    (welcome.blend, lambda c, s, a: torch.lerp(c, s, a)),
    (welcome.blend, lambda c, s, a: c + a * (s - c)),
    (welcome.total_loss, lambda c, s, a, b: torch.stack([a * c, b * s]).sum()),
]

TestGate = gate("00_welcome", mistakes=MISTAKES, other_ways=OTHER_WAYS)


def test_an_ellipsis_and_none_are_not_solved_yet():
    assert welcome.blend(...).passed is None and welcome.blend(None).passed is None
