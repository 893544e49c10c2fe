"""Feature inversion: its objective by hand, and what must come back from early layers but not from late ones."""

import pytest
import torch
from torch import Tensor

from stylelearn import inversion
from stylelearn.encoders import Encoder
from stylelearn.images import psnr
from stylelearn.optimize import optimize_image, result

RANDOM, MINI = Encoder("random"), Encoder("mini")


def picture(size: int = 64, seed: int = 0) -> Tensor:
    """Coloured clouds: noise, coarse and fine."""
    generator = torch.Generator().manual_seed(seed)
    layers = [torch.rand(1, 3, cells, cells, generator=generator) for cells in (2, 5, 11, size)]
    grown = [torch.nn.functional.interpolate(layer, size=(size, size), mode="bilinear") for layer in layers]
    return (0.35 * grown[0] + 0.35 * grown[1] + 0.2 * grown[2] + 0.1 * grown[3]).clamp(0, 1)


PHOTO, GUESS = picture(), picture(seed=1)


def test_terms_are_the_formula():
    objective = inversion.objective(
        PHOTO, "conv2_2", encoder=RANDOM, tv_weight=0.3, beta=1.5, alpha_weight=2.0, alpha=4.0
    )
    found = {name: term.item() for name, term in objective(GUESS).items()}
    phi, phi_0 = (RANDOM(image, ["conv2_2"])["conv2_2"].double() for image in (GUESS, PHOTO))
    x = GUESS.double()
    right = torch.nn.functional.pad(x[..., 1:] - x[..., :-1], (0, 1))
    down = torch.nn.functional.pad(x[..., 1:, :] - x[..., :-1, :], (0, 0, 0, 1))
    assert found == pytest.approx(
        {
            "features conv2_2": ((phi - phi_0).square().sum() / phi_0.square().sum()).item(),
            "tv": 0.3 * (right**2 + down**2).pow(0.75).mean().item(),
            "alpha": 2.0 * (x - 0.5).pow(4).mean().item(),
        },
        rel=1e-4,
    )
    assert inversion.objective(PHOTO, "relu3_1", encoder=RANDOM)(PHOTO) == {"features relu3_1": 0}  # itself


def test_early_layers_give_the_pixels_back_and_late_ones_do_not():
    start = torch.full_like(PHOTO, 0.5)
    found = {}
    for layer in ("relu1_1", "relu2_1", "relu4_1"):
        objective = inversion.objective(PHOTO, layer, encoder=MINI)
        found[layer] = psnr(result(optimize_image(start, objective, 50)), PHOTO)
    assert found["relu1_1"] > found["relu2_1"] > found["relu4_1"]
    assert found["relu1_1"] > 30


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tv_weight": -1.0}, "tv_weight must be a number from 0 up; got -1"),
        ({"alpha_weight": float("nan")}, "alpha_weight.*nan"),
        ({"tv_weight": 1.0, "beta": 0.0}, "beta must be above 0"),
        ({"alpha_weight": 1.0, "alpha": 0.5}, "alpha must be at least 1"),
        ({"layer": "relu7_1"}, "relu7_1"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    options = {"layer": "relu2_1"} | options
    with pytest.raises(ValueError, match=message):
        inversion.objective(PHOTO, options.pop("layer"), encoder=RANDOM, **options)(PHOTO)


@pytest.mark.parametrize("layer", ["relu1_1", "relu5_1"])
def test_inversion_finds_a_picture_with_these_activations(layer):
    start = torch.full_like(PHOTO, 0.5) + 0.1 * torch.randn(PHOTO.shape, generator=torch.Generator().manual_seed(0))
    steps = list(optimize_image(start, inversion.objective(PHOTO, layer, encoder=MINI), 40))
    assert steps[-1].loss < 0.2 * steps[0].loss
    theirs, ours = MINI(PHOTO, [layer])[layer], MINI(steps[-1].best_image, [layer])[layer]
    assert ((ours - theirs).square().sum() / theirs.square().sum()).item() < 0.2 * steps[0].loss


def test_total_variation_smooths():
    def roughness(image: Tensor) -> float:
        return (image[..., 1:] - image[..., :-1]).abs().mean().item()

    start = torch.rand(PHOTO.shape, generator=torch.Generator().manual_seed(0))
    found = []
    for weight in (0.0, 3.0):
        objective = inversion.objective(PHOTO, "relu4_1", encoder=MINI, tv_weight=weight, beta=2.0)
        found.append(roughness(result(optimize_image(start, objective, 25))))
    assert found[1] < 0.5 * found[0]


def test_the_alpha_norm_keeps_free_pixels_in_range():
    """Without the bounds of the optimiser, it is the regulariser that draws far-away values back."""
    start = 3 * GUESS - 1  # from −1 to 2
    found = []
    for weight in (0.0, 30.0):
        objective = inversion.objective(PHOTO, "relu4_1", encoder=MINI, alpha_weight=weight)
        *_, last = optimize_image(start, objective, 30, bounded=False)
        found.append((last.pixels - 0.5).abs().amax().item())
    assert found[1] < 0.8 * found[0]
