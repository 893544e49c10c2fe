"""γ (x − μ)/σ + β in lessons 03, 04, 05 and 08: the mistakes that they share are called by name in each of them."""

import pytest
import torch

from stylelearn.checks import adain, adjustable, cin, johnson


def whole(x, g, b, e, *, dims=(2, 3), correction=0):
    variance, mean = torch.var_mean(x, dims, correction=correction, keepdim=True)
    return g * (x - mean) / (variance + e).sqrt() + b


def over(*dims):
    return lambda x, g, b, e: whole(x, g, b, e, dims=dims)


def parts(f):
    """A mistake made of x, x − μ, σ, γ and β."""

    def answer(x, g, b, e):
        variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
        return f(x, x - mean, (variance + e).sqrt(), g, b)

    return answer


def transferred(norm):
    def answer(x, y):
        variance, mean = torch.var_mean(y, (2, 3), correction=0, keepdim=True)
        return norm(x, variance.sqrt(), mean, 1e-7)

    return answer


def wide(rows):
    return rows[..., None, None]


NAMES = ("γ", "β", "μ", "σ")
CHECKS = {  # check: how its answer is made of a norm, and what it calls γ, β, μ and σ
    johnson.instance_norm: (lambda norm: lambda x, g, b, e: norm(x, wide(g), wide(b), e), NAMES),
    cin.conditional_norm: (lambda norm: lambda x, g, b, which: norm(x, wide(g[which]), wide(b[which]), 1e-5), NAMES),
    adain.adain: (transferred, ("σ(y)", "μ(y)", "μ(x)", "σ(x)")),
    adjustable.adjusted_norm: (
        lambda norm: lambda x, alphas, mlp: norm(x, *wide(mlp(alphas)).chunk(2, dim=1), 1e-6),
        NAMES,
    ),
}
MISTAKES = [
    (over(0, 2, 3), "the images of the batch are mixed"),
    (over(1, 2, 3), "the channels are mixed"),
    (over(0, 1, 2, 3), "one μ and σ for everything"),
    (over(1), "over the channels of each place"),
    (over(2), "only over rows or only over columns"),
    (over(3), "only over rows or only over columns"),
    (lambda *given: whole(*given, correction=1), "correction=0"),
    (parts(lambda x, c, s, g, b: g * c / s**2 + b), "you divide by the variance"),
    (
        lambda x, g, b, e: (
            g * (x - x.mean((2, 3), keepdim=True)) / (x.square().mean((2, 3), keepdim=True) + e).sqrt() + b
        ),
        "not of x²",
    ),
    (parts(lambda x, c, s, g, b: g * x - (x - c) / s + b), "brackets are missing"),
    (parts(lambda x, c, s, g, b: g * x / s + b), "{μ} is not taken off"),
    (parts(lambda x, c, s, g, b: g * c + b), "the division by {σ} is missing"),
    (parts(lambda x, c, s, g, b: g * c * s + b), "{σ} multiplies"),
    (parts(lambda x, c, s, g, b: g * x + b), "x is not normalised"),
    (parts(lambda x, c, s, g, b: g * c / s), "{β} is missing"),
    (parts(lambda x, c, s, g, b: c / s + b), "{γ} is missing"),
    (parts(lambda x, c, s, g, b: c / s), "instance normalisation alone"),
    (parts(lambda x, c, s, g, b: b * c / s + g), "{γ} and {β} have changed places"),
    (parts(lambda x, c, s, g, b: g * (c / s + b)), "add it last"),
    (lambda x, *given: x.clone(), "nothing has changed"),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_mistake_in_a_norm_is_called_by_name(check):
    as_answer, names = CHECKS[check]
    assert check(as_answer(whole)).passed is True
    for norm, words in MISTAKES:
        found = check(as_answer(norm))
        assert found.passed is False
        assert words.format_map(dict(zip(NAMES, names, strict=True))) in found.message
