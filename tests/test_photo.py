"""Deep photo style transfer: its terms against plain loops, and its pictures against what a photograph must keep."""

import itertools

import numpy as np
import pytest
import torch
from pictures import picture
from skimage.metrics import structural_similarity
from torch import Tensor

from stylelearn import gatys, losses, photo
from stylelearn.colour import luminance
from stylelearn.encoders import Encoder
from stylelearn.images import read_image, resize
from stylelearn.matting import MattingLaplacian, laplacian_matrix
from stylelearn.optimize import result
from stylelearn.segmentation import Masks, merge_orphans, one_region, read_mask, scale

RANDOM = Encoder("random")


def halves(height: int, width: int, names: tuple[str, str] = ("sky", "land"), at: float = 0.5) -> Masks:
    """The first label above, the second below."""
    labels = (torch.arange(height) >= round(at * height)).long()[:, None].expand(height, width)
    return Masks(labels.contiguous(), names, ((0, 0, 255), (0, 255, 0)))


def landscape(sky: tuple[float, ...], land: tuple[float, ...], height: int = 72, width: int = 96) -> Tensor:
    """Smooth sky above, textured land below, a straight horizon between."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    above = (y < height // 2).float()
    light = above * (0.85 + 0.15 * y / height) + (1 - above) * (0.75 + 0.25 * torch.sin(0.7 * x) * torch.cos(0.5 * y))
    colours = [above * a + (1 - above) * b for a, b in zip(sky, land, strict=True)]
    return torch.stack([light * colour for colour in colours])[None].clamp(0, 1)


CONTENT, STYLE, IMAGE = picture(48, 64), picture(56, 40, seed=1), picture(48, 64, seed=2)
OF_CONTENT, OF_STYLE = halves(48, 64), halves(56, 40, ("land", "sky"), at=0.25)


def values(terms: dict[str, Tensor]) -> dict[str, float]:
    return {name: term.item() for name, term in terms.items()}


def test_masked_grams_by_a_loop():
    features, masks = picture(5, 7).double(), torch.rand(2, 5, 7, dtype=torch.float64)
    found = photo.masked_grams(features, masks)
    for k, i, j in itertools.product(range(2), range(3), range(3)):
        wanted = sum(
            float(features[0, i, y, x] * features[0, j, y, x] * masks[k, y, x] ** 2)
            for y, x in itertools.product(range(5), range(7))
        ) / float(masks[k].sum())
        assert found[k, i, j].item() == pytest.approx(wanted)


def test_a_region_without_a_cell_is_0_and_harmless():
    features, masks = picture(4, 4).requires_grad_(), torch.stack([torch.ones(4, 4), torch.zeros(4, 4)])
    target = photo.masked_grams(picture(4, 4, seed=1), masks)
    assert not target[1].any()
    loss = photo.augmented_style_loss(features, target, masks)
    loss.backward()
    assert loss.isfinite() and features.grad.isfinite().all()


def test_the_style_loss_adds_regions_by_their_share():
    features, style = picture(6, 8), picture(9, 5, seed=1)
    masks, others = scale(halves(6, 8, at=1 / 3), (6, 8)), scale(halves(9, 5, at=1 / 3), (9, 5))
    found = photo.augmented_style_loss(features, photo.masked_grams(style, others), masks)
    above = losses.style_loss(features[..., :2, :], losses.mean_gram(style[..., :3, :]))
    below = losses.style_loss(features[..., 2:, :], losses.mean_gram(style[..., 3:, :]))
    assert found.item() == pytest.approx((above / 3 + 2 * below / 3).item(), rel=1e-5)


def test_the_photorealism_loss_is_the_quadratic_form_per_pixel():
    matrix, x = laplacian_matrix(CONTENT), IMAGE[0].double().flatten(1).numpy()
    wanted = sum(float(channel @ (matrix @ channel)) for channel in x) / (48 * 64)
    assert photo.photorealism_loss(IMAGE, MattingLaplacian(CONTENT)).item() == pytest.approx(wanted, rel=1e-5)


def test_terms_are_the_weighted_losses():
    objective = photo.objective(
        CONTENT, STYLE, OF_CONTENT, OF_STYLE, encoder=RANDOM, content_weight=3.0, style_weight=7.0,
        photorealism_weight=11.0, layer_weights={"relu1_1": 0.5, "relu2_1": 2.0}, content_layer="relu2_2",
    )  # fmt: skip
    found = objective(IMAGE)
    f, p, s = (RANDOM(image, ["relu2_2", "relu1_1", "relu2_1"]) for image in (IMAGE, CONTENT, STYLE))
    expected = {"content relu2_2": 3 * losses.content_loss(f["relu2_2"], p["relu2_2"])}
    for layer, weight in {"relu1_1": 0.5, "relu2_1": 2.0}.items():
        here = scale(OF_CONTENT, tuple(f[layer].shape[2:]), ["land", "sky"])
        there = scale(OF_STYLE, tuple(s[layer].shape[2:]), ["land", "sky"])
        loss = photo.augmented_style_loss(f[layer], photo.masked_grams(s[layer], there), here)
        expected[f"style {layer}"] = 7 * weight * loss
    expected["photorealism"] = 11 * photo.photorealism_loss(IMAGE, MattingLaplacian(CONTENT))
    assert values(found) == pytest.approx(values(expected), rel=1e-4)


def test_without_masks_and_photorealism_it_is_gatys_objective():
    options = {"encoder": RANDOM, "content_weight": 2.0, "style_weight": 3.0, "content_layer": "relu3_3"}
    options |= {"layer_weights": ["relu1_1", "relu3_1"]}
    ours = photo.objective(CONTENT, STYLE, photorealism_weight=0, **options)(IMAGE)
    assert values(ours) == pytest.approx(values(gatys.objective(CONTENT, STYLE, **options)(IMAGE)), rel=1e-4)
    alone = photo.objective(CONTENT, STYLE, one_region(CONTENT), one_region(STYLE), photorealism_weight=0, **options)
    assert values(alone(IMAGE)) == pytest.approx(values(ours), rel=1e-6)


@pytest.mark.parametrize(
    ("weights", "names"),
    [
        ({"content_weight": 0, "style_weight": 0}, {"photorealism"}),
        ({"layer_weights": {"relu1_1": 0}}, {"content relu3_3", "photorealism"}),
    ],
)
def test_terms_of_weight_0_are_left_out(weights, names):
    options = {"layer_weights": ["relu1_1"]} | weights
    assert set(photo.objective(CONTENT, STYLE, encoder=RANDOM, **options)(IMAGE)) == names


def test_an_orphan_is_merged_and_not_lost():
    """A label that the reference lacks still takes part: every pixel of the content is in some region."""
    orphaned = halves(48, 64, ("sky", "lake"))
    merged = Masks(torch.zeros(48, 64).long(), ("sky",), ((0, 0, 255),))
    reference = Masks(torch.zeros(56, 40).long(), ("sky",), ((0, 0, 255),))
    options = {"encoder": RANDOM, "photorealism_weight": 0}
    one, two = (photo.objective(CONTENT, STYLE, each, reference, **options)(IMAGE) for each in (orphaned, merged))
    assert values(one) == pytest.approx(values(two))


def test_the_gradient_reaches_the_pixels_and_nothing_else():
    content, style = CONTENT.clone().requires_grad_(), STYLE.clone().requires_grad_()
    image = IMAGE.clone().requires_grad_()
    objective = photo.objective(content, style, OF_CONTENT, OF_STYLE, encoder=RANDOM)
    sum(objective(image).values()).backward()
    assert image.grad.isfinite().all() and image.grad.any()
    assert content.grad is None and style.grad is None


@pytest.mark.parametrize("grey", [0.0, 1.0])
def test_flat_pictures_have_finite_losses_and_gradients(grey):
    flat = torch.full((1, 3, 48, 64), grey)
    for content, style, image in ((flat, STYLE, IMAGE), (CONTENT, flat[..., :40], IMAGE), (CONTENT, STYLE, flat)):
        image = image.clone().requires_grad_()
        total = sum(photo.objective(content, style, encoder=RANDOM)(image).values())
        total.backward()
        assert total.isfinite() and image.grad.isfinite().all()


def test_recolour_gives_each_region_the_moments_of_its_own():
    content, style = 0.3 + 0.4 * CONTENT, 0.4 + 0.2 * STYLE
    found = photo.recolour(content, style, OF_CONTENT, OF_STYLE)
    for here, there in ((found[..., :24, :], style[..., 14:, :]), (found[..., 24:, :], style[..., :14, :])):
        a, b = here[0].flatten(1), there[0].flatten(1)
        assert torch.allclose(a.mean(1), b.mean(1), atol=2e-3)
        assert torch.allclose(torch.cov(a), torch.cov(b), atol=5e-4)


def test_smooth_keeps_what_follows_the_content_and_flattens_what_does_not():
    y, x = torch.meshgrid(torch.linspace(0, 1, 48), torch.linspace(0, 1, 64), indexing="ij")
    content = torch.stack([y, x, (x > 0.5).float()])[None]
    recoloured = 0.2 + 0.5 * content.flip(1)
    assert torch.allclose(photo.smooth(recoloured, content, eps=1e-6), recoloured, atol=2e-3)
    noisy = recoloured + 0.05 * torch.randn(content.shape, generator=torch.Generator().manual_seed(0))
    smoothed = photo.smooth(noisy, content)
    assert (smoothed - recoloured).std() < 0.4 * (noisy - recoloured).std()


@pytest.fixture(scope="module")
def evening():
    """A day, an evening, their masks, and the steps from one to the other."""
    day = landscape((0.5, 0.7, 1.0), (0.3, 0.7, 0.2))
    dusk = landscape((0.9, 0.4, 0.2), (0.15, 0.1, 0.25), 64, 80)
    masks = halves(72, 96), halves(64, 80)
    weights = {"style_weight": 1000.0, "photorealism_weight": 1e4}  # the usual λ would hold the colours of the start
    steps = list(photo.stylize(day, dusk, *masks, encoder=Encoder("mini"), steps=(20, 60), start=day, **weights))
    return day, dusk, masks, steps


def test_two_stages_numbered_through(evening):
    *_, steps = evening
    assert [step.number for step in steps] == list(range(1, 81))
    assert ["photorealism" in step.losses for step in steps] == [False] * 20 + [True] * 60
    assert torch.equal(steps[20].pixels, steps[19].best)  # the second begins where the first ended


def test_each_region_gets_its_colours_and_the_horizon_stays(evening):
    day, dusk, _, steps = evening
    found = steps[-1].best_image
    assert found.shape == day.shape and 0 <= found.min() and found.max() <= 1
    for mine, theirs in (((0, 33), (0, 32)), ((39, 72), (32, 64))):
        before, after, wanted = rows(day, *mine), rows(found, *mine), rows(dusk, *theirs)
        assert (after - wanted).norm() < 0.5 * (before - wanted).norm()


def rows(image: Tensor, top: int, bottom: int) -> Tensor:
    """Mean colour of some rows, (3,)."""
    return image[0, :, top:bottom].mean(dim=(1, 2))


def test_the_second_stage_takes_distortion_away(evening):
    day, *_, steps = evening
    laplacian = MattingLaplacian(day)
    first, second = (photo.photorealism_loss(steps[i].best_image, laplacian).item() for i in (7, -1))
    assert second < 0.2 * first


def test_the_start_is_the_masked_colour_transfer(evening):
    day, dusk, masks, _ = evening
    step = next(photo.stylize(day, dusk, *masks, encoder=RANDOM, steps=(1, 0)))
    assert torch.allclose(step.pixels, photo.smooth(photo.recolour(day, dusk, *masks), day))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"content_masks": OF_CONTENT}, "style_masks is missing: give masks of both pictures, or of neither"),
        (
            {"content_masks": halves(20, 20), "style_masks": OF_STYLE},
            r"content_masks are \(20, 20\) and their picture \(48, 64\); use masks.resized",
        ),
        ({"photorealism_weight": -1.0}, "photorealism_weight must be a number from 0 up; got -1"),
        ({"steps": (0, 0)}, r"at least one must be above 0; got \(0, 0\)"),
        ({"steps": (5,)}, "steps are those of two stages"),
        ({"content_weight": 0, "style_weight": 0}, "all weights are 0"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_painted(options, message):
    with pytest.raises(ValueError, match=message):
        photo.stylize(CONTENT, STYLE, encoder=RANDOM, **options)


def steepness(image: Tensor) -> np.ndarray:
    """Length of the gradient of the luminance, (H, W)."""
    return np.hypot(*np.gradient(luminance(image)[0, 0].double().numpy()))


def colour_distance(image: Tensor, style: Tensor, of_image: Masks, of_style: Masks) -> float:
    """‖Δμ, Δσ‖ of the colours region by region, weighted by the regions' shares."""
    of_image, of_style, _ = merge_orphans(of_image, of_style)
    total = 0.0
    for name, share in of_image.shares().items():
        mine = image[0][:, of_image.labels == of_image.names.index(name)]
        theirs = style[0][:, of_style.labels == of_style.names.index(name)]
        difference = torch.cat([mine.mean(1) - theirs.mean(1), mine.std(1) - theirs.std(1)])
        total += share * difference.norm().item()
    return total


def test_as_true_to_structure_and_colours_as_the_authors_result(shared):
    name, size = str(shared / "photo_pairs" / "15"), 144
    content, style, theirs = (resize(read_image(f"{name}_{part}.jpg"), size, "long") for part in ("in", "tar", "best"))
    masks = [
        read_mask(f"{name}_{part}_mask.png", tuple(image.shape[2:]))
        for part, image in (("in", content), ("tar", style))
    ]
    found = result(photo.stylize(content, style, *masks, encoder=Encoder("mini"), steps=(30, 50)))
    ours, theirs = photo.smooth(found, content), resize(theirs, tuple(content.shape[2:]), "box")
    edges = steepness(content)
    kept = [structural_similarity(steepness(image), edges, data_range=edges.max()) for image in (ours, theirs)]
    away = [colour_distance(image, style, *masks) for image in (ours, theirs, content)]
    assert kept[0] > kept[1]
    assert away[0] < away[1] < away[2]
