"""The checks of lesson 01: right answers pass, untouched ones are "not solved yet", and mistakes are called by name."""

import torch
import torch.nn.functional as F
from gate import gate

from stylelearn.checks import inversion
from stylelearn.encoders import STYLE_LAYERS


def charged(x, beta, *, epsilon=1e-8, keep_ends=True, mean=False, apart=False):
    """V^β with what a learner may get wrong."""
    right, down = torch.zeros_like(x), torch.zeros_like(x)
    right[..., :, :-1] = x[..., :, 1:] - x[..., :, :-1]
    down[..., :-1, :] = x[..., 1:, :] - x[..., :-1, :]
    if not keep_ends:
        right, down = right[..., :-1, :-1], down[..., :-1, :-1]
    together = (right**2 + down**2 + epsilon) ** (beta / 2)
    places = right.abs() ** beta + down.abs() ** beta if apart else together
    return places.mean() if mean else places.sum()


def wrapped(x, beta):
    return ((x.roll(-1, 3) - x).square() + (x.roll(-1, 2) - x).square() + 1e-8).pow(beta / 2).sum()


def whole(x, beta):
    right, down = x[..., :, 1:] - x[..., :, :-1], x[..., 1:, :] - x[..., :-1, :]
    return (right.square().sum() + down.square().sum()) ** (beta / 2)


def squares(x, beta):
    right, down = x[..., :, 1:] - x[..., :, :-1], x[..., 1:, :] - x[..., :-1, :]
    return right.square().sum() + down.square().sum()


def left_and_above(x, beta):
    left, above = F.pad(x.diff(dim=-1), (1, 0)), F.pad(x.diff(dim=-2), (0, 0, 1, 0))
    return (left**2 + above**2 + 1e-8).pow(beta / 2).sum()


def beyond_is_black(x, beta):
    right, down = F.pad(x, (0, 1)).diff(dim=-1), F.pad(x, (0, 0, 0, 1)).diff(dim=-2)
    return (right**2 + down**2 + 1e-8).pow(beta / 2).sum()


def absolute(x, power):
    right, down = F.pad(x.diff(dim=-1), (0, 1)), F.pad(x.diff(dim=-2), (0, 0, 0, 1))
    return (right.abs() + down.abs()).pow(power).sum()


MISTAKES = [
    # feature_loss: missing or wrong divisor, roots, factors
    (inversion.feature_loss, lambda f, t: (f - t).square().sum(), "division by ‖Φ_0‖² is missing"),
    (inversion.feature_loss, lambda f, t: (f - t).square().mean(), "not by the number of entries"),
    (inversion.feature_loss, lambda f, t: (f - t).square().sum() / f.square().sum(), "by the target's"),
    (inversion.feature_loss, lambda f, t: (f - t).norm() / t.norm(), "root"),
    (inversion.feature_loss, lambda f, t: (f - t).square().sum() / t.norm(), "must be squared too"),
    (inversion.feature_loss, lambda f, t: 2 * (f - t).square().sum() / t.square().sum(), "factor 2"),
    (inversion.feature_loss, lambda f, t: 0.5 * (f - t).square().sum() / t.square().sum(), "factor ½"),
    (inversion.feature_loss, lambda f, t: ((f - t).square() / t.square()).sum(), "first sum, then divide"),
    (inversion.feature_loss, lambda f, t: (f - t).sum().square() / t.sum().square(), "square each entry"),
    (inversion.feature_loss, lambda f, t: (f - t).abs().sum() / t.abs().sum(), "absolute"),
    (inversion.feature_loss, lambda f, t: ((f - t) / t).square().mean(), "first sum, then divide"),
    (inversion.feature_loss, lambda f, t: (f - t).square().mean() / t.square().sum(), "the mean is above the line"),
    (inversion.feature_loss, lambda f, t: (f - t).square().sum() / t.square().mean(), "the sum is above the line"),
    (inversion.feature_loss, lambda f, t: (f - t).square().norm() / t.square().norm(), "squares by itself"),
    (
        inversion.feature_loss,
        lambda f, t: ((f - t).square().sum() / t.square().sum()).detach(),
        "no gradient can flow back",
    ),
    # total_variation: mean for sum, the border, β, the order of power and sum, an infinite gradient
    (inversion.total_variation, lambda x, b: charged(x, b, mean=True), "yours is the mean"),
    (inversion.total_variation, wrapped, "`roll` joins"),
    (inversion.total_variation, lambda x, b: (x.diff(dim=3) ** 2 + x.diff(dim=2) ** 2).sum(), "fill up with zeros"),
    (inversion.total_variation, lambda x, b: charged(x, b, keep_ends=False), "last row and the last column"),
    (inversion.total_variation, squares, "β is not used"),
    (inversion.total_variation, lambda x, b: charged(x, b, apart=True), "rows and columns are taken apart"),
    (inversion.total_variation, whole, "belongs to each place"),
    (inversion.total_variation, lambda x, b: charged(x, 2 * b), "β/2, not β"),
    (inversion.total_variation, lambda x, b: charged(x, b, epsilon=0.0), "not finite"),
    (inversion.total_variation, left_and_above, "to the left and above"),
    (inversion.total_variation, beyond_is_black, "compare with black"),
    (inversion.total_variation, lambda x, b: absolute(x, b), "you add absolute values"),
    (inversion.total_variation, lambda x, b: absolute(x, b / 2), "you add absolute values"),
    (inversion.total_variation, lambda x, b: charged(x, 1.0), "the root for every β"),
    (inversion.total_variation, lambda x, b: charged(x, b) / x.shape[1], "mean over the channels"),
    (inversion.total_variation, lambda x, b: charged(x, b) / 7, "should be"),
    # disagreement: biased against unbiased, variance, wrong axis, order, sum
    (inversion.disagreement, lambda p: p.std(dim=0).mean(dim=0), "K − 1"),
    (inversion.disagreement, lambda p: p.var(dim=0, correction=0).mean(dim=0), "variance"),
    (inversion.disagreement, lambda p: p.std(dim=1, correction=0).mean(dim=0), "over pictures, dim=0"),
    (inversion.disagreement, lambda p: p.mean(dim=1).std(dim=0, correction=0), "first the deviation of each colour"),
    (inversion.disagreement, lambda p: p.std(dim=1).mean(dim=0), "over pictures, dim=0"),
    (inversion.disagreement, lambda p: p.mean(dim=1).std(dim=0), "first the deviation of each colour"),
    (inversion.disagreement, lambda p: (p - p.mean(0)).abs().mean((0, 1)), "mean distances"),
    (inversion.disagreement, lambda p: (p.amax(0) - p.amin(0)).mean(0), "the range"),
    (inversion.disagreement, lambda p: p.std(dim=0, correction=0), "mean over the three colours is missing"),
    (inversion.disagreement, lambda p: p.std(dim=0, correction=0).sum(dim=0), "average them"),
    (inversion.disagreement, lambda p: p.std(dim=(0, 1), correction=0), "together"),
    # which_layer
    (inversion.which_layer, "relu6_1", "choose one of"),
    (inversion.which_layer, 4, "choose one of"),
    *((inversion.which_layer, layer, "Look deeper") for layer in STYLE_LAYERS[:3]),
    (inversion.which_layer, "relu5_1", "Look earlier"),
]
OTHER_WAYS = [
    (inversion.feature_loss, lambda f, t: ((f - t) ** 2).mean() / (t**2).mean()),
    (inversion.feature_loss, lambda f, t: (f - t).norm() ** 2 / t.norm() ** 2),
    (inversion.total_variation, lambda x, b: charged(x, b, epsilon=1e-10)),
    (inversion.disagreement, lambda p: ((p - p.mean(0)) ** 2).mean(0).sqrt().mean(0)),
    (inversion.which_layer, f" {inversion.mystery_layer()} "),
    (inversion.which_layer, inversion.mystery_layer().upper()),
]

TestGate = gate("01_inversion", mistakes=MISTAKES, other_ways=OTHER_WAYS)


def test_the_layer_sought_is_not_to_be_read_in_the_lesson(root):
    """The student's notebook asks a function for it."""
    source = (root / "lessons" / "src" / "01_inversion.py").read_text(encoding="utf-8")
    start, end = source.index("# ### Exercise 4"), source.index('my_guess = "')
    asked = source[start:end]
    assert "mystery_layer()" in asked
    named = [layer for layer in STYLE_LAYERS if layer in asked]
    assert named in ([], list(STYLE_LAYERS))  # all of them, as the choice, or none
