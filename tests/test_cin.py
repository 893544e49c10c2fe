"""Conditional instance norm against plain instance norm, loops and counts by hand; training against itself."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from stylelearn import cin, losses, samples
from stylelearn.cin import ConditionalInstanceNorm, StyleNet, learn, train_cin
from stylelearn.encoders import STYLE_LAYERS, Encoder
from stylelearn.johnson import Perceptual
from stylelearn.networks.transformation import PAPER_WIDTHS, InstanceNorm, TransformationNet
from stylelearn.training import Crops
from stylelearn.weights import WeightsError, write_weights

NAMES = ["oil", "ink", "glass"]
SMALL = {"widths": (4, 6, 8), "blocks": 2}


def network(names: list[str] = NAMES, seed: int = 0, **options: object) -> StyleNet:
    """A small network whose styles differ, as after training."""
    torch.manual_seed(seed)
    made = StyleNet(names, **(SMALL | options))  # type: ignore[arg-type]
    with torch.no_grad():
        for norm in made.norms():
            norm.gamma.copy_(torch.rand_like(norm.gamma) + 0.5)
            norm.beta.copy_(torch.randn_like(norm.beta) / 2)
    return made.eval()


def johnson(net: StyleNet, shares: Tensor) -> TransformationNet:
    """Lesson 03's network, with plain instance norm, whose γ and β are the rows of `net` weighted by `shares` (S,)."""
    plain = TransformationNet(net.about["widths"], net.about["blocks"])
    state = net.state_dict()
    plain.load_state_dict({k: shares @ v if k.endswith(("gamma", "beta")) else v for k, v in state.items()})
    return plain.eval()


def painted(net: StyleNet, image: Tensor, weights: str | Mapping[str, float | Tensor]) -> Tensor:
    with torch.no_grad():
        return net(image, net.mix(weights))


# ---------------------------------------------------------------------------------------------------- the normalisation


def by_loop(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """γ (x − μ)/σ + β, one channel of one image at a time; γ and β are (B, C, H, W)."""
    out = np.empty_like(x)
    for b in range(x.shape[0]):
        for c in range(x.shape[1]):
            plane = x[b, c]
            out[b, c] = gamma[b, c] * (plane - plane.mean()) / np.sqrt(plane.var() + 1e-5) + beta[b, c]
    return out


def norm_with_styles(channels: int = 5, styles: int = 3) -> ConditionalInstanceNorm:
    norm = ConditionalInstanceNorm(channels, styles).double().requires_grad_(False)
    norm.gamma.copy_(torch.randn(styles, channels))
    norm.beta.copy_(torch.randn(styles, channels))
    return norm


def test_each_image_gets_the_contrast_and_the_level_of_its_style() -> None:
    norm, x = norm_with_styles(), torch.randn(3, 5, 6, 7, dtype=torch.float64) * 3 + 1
    which = [2, 0, 2]
    mix = torch.eye(3, dtype=torch.float64)[which]
    gamma, beta = (table[which][:, :, None, None].expand_as(x).numpy() for table in (norm.gamma, norm.beta))
    np.testing.assert_allclose(norm(x, mix), by_loop(x.numpy(), gamma, beta), atol=1e-12)


def test_a_mixture_at_each_place_is_one_number_for_each_place_channel_and_table() -> None:
    norm, x = norm_with_styles(), torch.randn(2, 5, 4, 6, dtype=torch.float64)
    mix = torch.rand(2, 3, 4, 6, dtype=torch.float64)
    mix /= mix.sum(1, keepdim=True)
    tables = [np.zeros(x.shape), np.zeros(x.shape)]
    for made, table in zip(tables, (norm.gamma, norm.beta), strict=True):
        for b, c, i, j in np.ndindex(*x.shape):
            made[b, c, i, j] = sum(mix[b, s, i, j] * table[s, c] for s in range(3))
    np.testing.assert_allclose(norm(x, mix), by_loop(x.numpy(), *tables), atol=1e-12)


def test_a_mask_of_another_size_still_adds_up_to_one() -> None:
    mix = torch.rand(1, 3, 30, 44)
    mix /= mix.sum(1, keepdim=True)
    for size in ((7, 11), (60, 90)):
        torch.testing.assert_close(cin.resample(mix, size).sum(1), torch.ones(1, *size))


# ---------------------------------------------------------------------------------------------------------- the network


@pytest.mark.parametrize("shares", [(1, 0, 0), (0, 0, 1), (0.2, 0.3, 0.5), (0.5, 0.5, 0)])
def test_it_is_johnsons_network_with_the_rows_mixed(shares: tuple[float, ...]) -> None:
    net, image = network(), torch.rand(2, 3, 30, 37)
    expected = johnson(net, torch.tensor(shares, dtype=torch.float32))(image)
    torch.testing.assert_close(painted(net, image, dict(zip(NAMES, shares, strict=True))), expected)


def before_norms(net: StyleNet) -> list[ConditionalInstanceNorm]:
    """The last of each block at a quarter, and that of the second look: what comes after takes constants away again."""
    coarse = net.about["widths"][2]  # type: ignore[index]
    blocks = [layer.norm for layer in net.layers if hasattr(layer, "first") and layer.norm.gamma.shape[1] == coarse]
    return blocks + [module.norm for module in net.modules() if hasattr(module, "look")]


def test_a_gradient_reaches_gamma_and_beta_of_every_norm_for_its_style_alone() -> None:
    net = network().double()
    target = torch.rand(1, 3, 24, 24, dtype=torch.float64)
    (net(torch.rand_like(target), net.mix("ink")) - target).square().sum().backward()
    assert not any(isinstance(module, InstanceNorm) for module in net.modules())
    for norm in net.norms():
        for table in (norm.gamma, norm.beta):
            assert torch.count_nonzero(table.grad[[0, 2]]) == 0
            without_effect = table is norm.beta and norm in before_norms(net)
            assert (table.grad[1].abs() > 1e-6).any() != without_effect


def test_a_constant_mask_is_the_mixture_everywhere() -> None:
    net, image = network(), torch.rand(2, 3, 31, 45)
    shares = {"oil": 0.7, "glass": 0.3}
    for where in ((31, 45), (3, 100)):  # masks of any size are laid over the pictures
        masks = {name: torch.full(where, share) for name, share in shares.items()}
        torch.testing.assert_close(painted(net, image, masks), painted(net, image, shares), atol=1e-5, rtol=0)


def test_left_and_right_have_their_own_styles_far_from_the_edge() -> None:
    """With γ = 0 everywhere a picture is made of β alone, whatever the statistics of the other half."""
    net, image, left = network(blocks=1), torch.rand(1, 3, 64, 128), torch.zeros(64, 128)
    left[:, :64] = 1
    with torch.no_grad():
        for norm in net.norms():
            norm.gamma.zero_()
    halves = painted(net, image, {"oil": left, "ink": 1 - left})
    reach = 4 + 1 + 2 + 2 * 4 + 4 + 2 + 1 + 4  # pixels that the convolutions see to each side, and the mask's own blur
    for name, columns in (("oil", slice(0, 64 - reach)), ("ink", slice(64 + reach, 128))):
        torch.testing.assert_close(halves[..., columns], painted(net, image, name)[..., columns], atol=1e-4, rtol=0)
    assert (halves - painted(net, image, "oil"))[..., 64:].abs().mean() > 0.02


def test_masks_are_resampled_once_for_each_size(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, ...]] = []
    own = cin.resample

    def resample(mix: Tensor, size: tuple[int, int]) -> Tensor:
        asked.extend([tuple(size)] if mix.shape[2:] != tuple(size) else [])
        return own(mix, size)

    monkeypatch.setattr(cin, "resample", resample)
    painted(network(), torch.rand(1, 3, 30, 42), {"oil": torch.rand(15, 21)})
    assert asked == [(30, 42), (24, 30), (12, 15)]  # with a frame of 8, and filled up to 48 × 60


# ------------------------------------------------------------------------------------------------------------- mixtures


def test_shares_are_made_to_add_up_to_one() -> None:
    net = network()
    assert torch.equal(net.mix("ink"), torch.tensor([[0.0, 1, 0]]))
    torch.testing.assert_close(net.mix({"glass": 3, "oil": 1}), torch.tensor([[0.25, 0, 0.75]]))
    mask = torch.tensor([[0.0, 1], [3, 1]])
    made = net.mix({"oil": 1, "ink": mask})  # a number beside a mask counts everywhere
    torch.testing.assert_close(made[0, 1], mask / (1 + mask))
    torch.testing.assert_close(made.sum(1), torch.ones(1, 2, 2))
    double = network().double()
    assert double.mix("oil").dtype == torch.float64


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ("water", "unknown style 'water'; this network knows oil, ink, glass"),
        ({}, "not all 0"),
        ({"oil": -0.5, "ink": 1}, "from 0 up"),
        ({"oil": float("nan")}, "from 0 up"),
        ({"oil": torch.rand(2, 3), "ink": torch.rand(3, 2)}, r"of one size; these are \[\(2, 3\), \(3, 2\)\]"),
        ({"oil": torch.rand(1, 3, 4, 4)}, r"\(H, W\)"),
        ({"oil": torch.tensor([[1.0, 0.0]])}, "in any place"),
    ],
)
def test_a_mixture_that_is_none_is_refused(weights: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        network().mix(weights)  # type: ignore[arg-type]


def test_what_does_not_fit_the_network_is_refused(photos: Path, tmp_path: Path) -> None:
    net = network()
    for mix in (torch.ones(1, 2), torch.ones(3), torch.ones(3, 3)):
        with pytest.raises(ValueError, match="a mixture of 3 styles for 2 images"):
            net(torch.rand(2, 3, 16, 16), mix)
    for names in ([], ["oil", "oil"]):
        with pytest.raises(ValueError, match="different names"):
            StyleNet(names)
    with pytest.raises(ValueError, match="unknown style 'water'; this network knows oil, ink, glass"):
        next(learn(net, Crops(photos, size=16), {"water": PAINTINGS["oil"]}, steps=1, checkpoint=tmp_path / "c.ckpt"))


# ------------------------------------------------------------------------------------------------------ what is a style


@pytest.mark.parametrize(
    ("options", "by_hand"),
    [
        ({}, 2 * (80 + 6 * 80 + 2 * 40 + 4 * 40)),
        ({"widths": PAPER_WIDTHS, "ends": "paper"}, 2 * (32 + 64 + 128 + 10 * 128 + 64 + 32)),
    ],
)
def test_numbers_per_style(options: dict[str, object], by_hand: int) -> None:
    two, three = (StyleNet(NAMES[:count], **options) for count in (2, 3))  # type: ignore[arg-type]
    assert two.numbers_per_style() == by_hand
    counts = [sum(p.numel() for p in net.parameters()) for net in (two, three)]
    assert counts[1] - counts[0] == by_hand


# ------------------------------------------------------------------------------------------------------------- training


@pytest.fixture
def photos(folders: dict[str, Path]) -> Path:
    return folders["photos"]


PAINTINGS = {name: torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(i)) for i, name in enumerate(NAMES)}
RUN = {"network": SMALL, "size": 32, "batch": 3, "learning_rate": 1e-2, "warm_up": 1, "accelerator": "cpu"}


def test_the_style_of_a_picture_depends_on_seed_and_number_alone(photos: Path) -> None:
    make = [cin._Assigned(Crops(photos, size=16, batch=5, seed=seed), 3) for seed in (4, 4, 5)]
    first = [make[0][n] for n in range(6)]
    for n in (5, 0, 3, 3):
        crops, which = make[1][n]
        assert torch.equal(crops, first[n][0]) and torch.equal(which, first[n][1])
    assert torch.equal(first[2][0], make[0].crops[2])  # the crops are those that any other training would see
    assert any(not torch.equal(first[n][1], make[2][n][1]) for n in range(6))
    drawn = torch.cat([make[0][n][1] for n in range(60)]).bincount(minlength=3)
    assert drawn.min() > 60 and len(drawn) == 3


def test_each_picture_is_held_against_its_own_style() -> None:
    """A batch gives the mean of what each picture gives alone, in Johnson's network of its style."""
    net, encoder, batch = network(), Encoder("mini"), torch.rand(3, 3, 32, 32)
    trained = {name: PAINTINGS[name] for name in ("glass", "ink")}  # not all, and not in the network's order
    model = cin._Objective(net, trained, encoder)
    which = torch.tensor([1, 0, 1])  # ink, glass, ink
    found = model((batch, which))
    alone = []
    for photo, name in zip(batch, ("ink", "glass", "ink"), strict=True):
        plain = johnson(net, torch.eye(3)[NAMES.index(name)])
        alone.append(Perceptual(plain, [PAINTINGS[name]], encoder)(photo[None]))
    for term, value in found.items():
        torch.testing.assert_close(value, torch.stack([one[term] for one in alone]).mean(), rtol=1e-3, atol=1e-5)


def test_training_can_begin_with_weights_and_lowers_the_loss(photos: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    run = {**RUN, "report_every": 1, "learning_rate": 5e-3}
    before = [sum(p.losses.values()) for p in train_cin([photos], PAINTINGS, out=first, steps=20, **run)]
    after = [sum(p.losses.values()) for p in train_cin([photos], PAINTINGS, out=second, start=first, steps=1, **run)]
    assert after[0] < 0.8 * before[0]  # the same batch, before the first step of each
    trained, state = cin.load(first), StyleNet(NAMES, **SMALL).state_dict()  # type: ignore[arg-type]
    assert trained.styles == NAMES
    assert not any(torch.equal(one, state[key].half().float()) for key, one in trained.state_dict().items())
    with pytest.raises(WeightsError, match="network from"):
        next(train_cin([photos], {"oil": PAINTINGS["oil"]}, out=second, start=first, steps=1, **RUN))


def test_a_new_style_changes_nothing_that_was_known(photos: Path, tmp_path: Path) -> None:
    net, image = network().eval(), torch.rand(1, 3, 32, 36)
    before = [painted(net, image, name) for name in NAMES]
    larger = net.with_style("chalk")
    assert not larger.training
    assert larger.styles == [*NAMES, "chalk"] and net.styles == NAMES
    for one, other in zip(net.norms(), larger.norms(), strict=True):
        torch.testing.assert_close(other.gamma[3], one.gamma.mean(0))
        torch.testing.assert_close(other.beta[3], one.beta.mean(0))
    trainable = {name.rsplit(".", 1)[1] for name, p in larger.named_parameters() if p.requires_grad}
    assert trainable == {"gamma", "beta"}
    state = {key: value.clone() for key, value in larger.state_dict().items()}
    crops = Crops(photos, size=32, batch=2)
    run = {"steps": 5, "checkpoint": tmp_path / "chalk.ckpt", "learning_rate": 0.05, "warm_up": 1, "accelerator": "cpu"}
    (progress,) = learn(larger, crops, {"chalk": PAINTINGS["glass"]}, **run)
    assert np.isfinite(sum(progress.losses.values()))
    assert not larger.training and not any(part.training for part in larger.modules())
    for key, value in larger.state_dict().items():
        if key.endswith(("gamma", "beta")):
            assert torch.equal(value[:3], state[key][:3]), key
            # a block's last β has no effect, so its gradient is rounding alone
            assert key.endswith("beta") or not torch.equal(value[3], state[key][3]), key
        else:
            assert torch.equal(value, state[key]), key
    for name, old in zip(NAMES, before, strict=True):
        assert torch.equal(painted(larger, image, name), old)  # bit for bit


# ------------------------------------------------------------------------------------------------------ saving, loading


def test_files_that_are_no_network_are_refused_by_name(tmp_path: Path) -> None:
    net = network()
    with pytest.raises(WeightsError, match=r"no cin network 'nosuch'.*stylelearn train cin"):
        cin.load("nosuch")
    path = tmp_path / "nameless.safetensors"
    write_weights(path, net.state_dict(), {"widths": [4, 6, 8]})
    with pytest.raises(WeightsError, match=r"nameless.safetensors names no styles"):
        cin.load(path)
    write_weights(path, net.state_dict(), {**net.about, "styles": NAMES[:2]})
    with pytest.raises(WeightsError, match="gamma has shape"):
        cin.load(path)


def test_the_courses_network_knows_a_dozen_styles() -> None:
    net = cin.load()
    assert len(net.styles) >= 12
    image, encoder = samples.content("chelsea", 128), Encoder("mini")
    made = {name: painted(net, image, name) for name in net.styles} | {"photo": image}
    seen = {name: encoder(each, STYLE_LAYERS) for name, each in made.items()}
    for name in set(net.styles) & set(samples.style_names()):
        wanted = encoder(samples.style(name, 384), STYLE_LAYERS)  # the size at which it was learnt
        grams = {layer: losses.mean_gram(value) for layer, value in wanted.items()}
        distance = {
            other: sum(losses.style_loss(value, grams[layer]) for layer, value in features.items())
            for other, features in seen.items()
        }
        assert distance[name] < distance["photo"] / 2, name  # it has taken on the style …
        assert sum(distance[name] > one for one in distance.values()) <= 2, name  # … and its own rather than another's
