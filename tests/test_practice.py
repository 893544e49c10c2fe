"""Practice with one painting: its first step by hand, what it reaches, and what it leaves alone."""

from typing import Any

import pytest
import torch
from hands import tiny_adjustable
from pictures import picture
from torch import Tensor

from stylelearn import adjustable, losses, samples
from stylelearn.networks.conditioning import AdjustableNet
from stylelearn.practice import LEARNING_RATE, practise

WEIGHTS = {"style relu1_1": 3.0, "style relu2_1": 2.0, "style relu4_1": 1.0, "content relu4_2": 0.5, "tv": 0.2}


def trained(**options: Any) -> AdjustableNet:
    """A tiny network that says what it was trained for."""
    net = tiny_adjustable(**options)
    net.about["objective"] = WEIGHTS
    return net


def last(*arguments: Any, **options: Any) -> Tensor:
    *_, (_, known) = practise(*arguments, **options)
    return known


def test_the_first_step_goes_down_the_objective_of_the_training() -> None:
    """On an even photo every crop is the same; Adam's first step is the rate, against the sign of the gradient."""
    net, style = trained(), picture(40, 48)
    grey = torch.full((1, 3, 32, 32), 0.3)
    (loss, known), *_ = practise(net, style, photos=[grey], steps=3, size=32)

    told = net.style(style).requires_grad_(True)
    made = net(grey, told, torch.ones(1, 3))
    seen, wanted = (net.encoder(image, net.style_layers) for image in (made, style))
    expected = 0.2 * losses.tv_loss(made)
    for name in net.style_layers:
        gram, aim = (f[name].flatten(2) @ f[name].flatten(2).mT / f[name][0, 0].numel() for f in (seen, wanted))
        weight = WEIGHTS[f"style {name}"] / (2 * 0.02**0.5)  # see `gatys_weights`
        expected = expected + weight * (gram - aim).square().sum() / aim.square().sum()
    before, after = (net.encoder(image, "relu4_2")["relu4_2"] for image in (grey, made))
    expected = expected + 0.5 * (after - before).square().sum() / before.square().sum()
    assert loss == pytest.approx(float(expected.detach()), rel=1e-4)

    (slope,) = torch.autograd.grad(expected, told)
    clear = slope.abs() > 1e-4 * slope.abs().max()  # smaller ones are rounding
    moved = (known - told).detach()
    torch.testing.assert_close(moved[clear], -LEARNING_RATE * slope.sign()[clear], rtol=1e-2, atol=1e-5)


def test_a_painting_that_it_has_never_met_is_painted_better_on_a_photo_that_it_has_not_practised_on() -> None:
    net = adjustable.load()
    style, photo = 1 - samples.style("woodcut_waves", 96), samples.content("coffee", 96)
    others = [samples.content(name, 96) for name in ("chelsea", "flower", "china", "rocket")]

    def style_loss(known: Tensor) -> float:
        made = net(photo, known, net.alphas(1.0))
        seen, wanted = (net.encoder(image, net.style_layers) for image in (made, style))
        return sum(
            net.about["objective"][f"style {name}"]
            * float(losses.style_loss(seen[name], losses.mean_gram(wanted[name])))
            for name in net.style_layers
        )

    assert style_loss(last(net, style, photos=others, steps=20, size=96)) < 0.9 * style_loss(net.style(style))


def test_the_network_and_other_styles_stay_as_they_are() -> None:
    net, style, other = trained(), picture(32, 32), picture(32, 32, seed=5)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    painted = net(picture(24, 24, seed=1), net.style(other), net.alphas(1.0))
    with torch.no_grad():  # as in a lab
        found = last(net, style, steps=2, size=16)
    assert not found.requires_grad and found.shape == net.style(style).shape
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())
    assert torch.equal(net(picture(24, 24, seed=1), net.style(other), net.alphas(1.0)), painted)


def test_the_same_photos_give_the_same_steps_and_each_can_be_used() -> None:
    net, style = trained(), picture(32, 32)
    photos = [picture(40, 30), picture(20, 50, seed=2)]
    one, again = ([code for _, code in practise(net, style, photos=photos, steps=3, size=16)] for _ in range(2))
    assert len(one) == 3 and len({float(each.sum()) for each in one}) == 3
    assert all(map(torch.equal, one, again))


@pytest.mark.parametrize(
    ("net", "options", "words"),
    [
        (trained(), {"steps": 0}, "steps must be at least 1, not 0"),
        (trained(), {"photos": []}, "photos is empty; give at least one photo"),
        (trained(any_style=False), {}, "one style only"),
        (tiny_adjustable(), {}, "needs a trained network with one content layer"),
        (trained(content_layers=["relu2_2", "relu3_4"]), {}, "needs a trained network with one content layer"),
    ],
)
def test_what_cannot_be_practised(net: AdjustableNet, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        next(practise(net, picture(32, 32), **options))
