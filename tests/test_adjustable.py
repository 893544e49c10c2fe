"""Lesson 08: the conditioned norm and the objective against plain loops, running averages, training, what ships."""

import functools
import itertools
import math
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hands import tiny_adjustable
from hypothesis import given
from pictures import picture
from torch import Tensor

from stylelearn import adjustable, gatys, johnson, losses, samples
from stylelearn.adjustable import Batches, Objective, diversity, gatys_weights, train_adjustable, with_noise
from stylelearn.encoders import Encoder
from stylelearn.images import psnr, resize
from stylelearn.networks.conditioning import COLOURS, FARTHEST, LIGHT, PALETTE, AdjustableNet, AdjustedNorm, Conditioner
from stylelearn.networks.transformation import LIMIT, spikes
from stylelearn.training import Crops
from stylelearn.weights import read_about, read_weights

MINI = Encoder("mini")
STYLE, CONTENT = ["relu1_1", "relu2_1", "relu4_1"], "relu4_2"
TINY: dict[str, Any] = {"widths": (4, 4, 4), "blocks": 1}


def pictures(count: int, side: int = 32, seed: int = 0) -> Tensor:
    return torch.cat([picture(side, side, seed=seed + i) for i in range(count)])


def close(found: Any, expected: Any, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(torch.as_tensor(found), torch.as_tensor(expected), rtol=tolerance, atol=tolerance)


def network(**options: Any) -> AdjustableNet:
    """A small one that can be trained."""
    net = tiny_adjustable(**options)
    for part in (net.painter, net.conditioner):
        part.requires_grad_(True)
    return net


NET = network()
ONE = network(any_style=False)


# --- the conditioned norm ---------------------------------------------------------------------------------------------


@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 10_000))
def test_the_norm_by_hand(batch: int, channels: int, seed: int) -> None:
    """Each picture, each channel: γ (x − μ)/σ + β, with γ and β read off this picture's own code."""
    torch.manual_seed(seed)
    norm = AdjustedNorm(channels, told=7).double()
    torch.nn.init.normal_(norm.head.weight)
    x, code = torch.randn(batch, channels, 5, 6, dtype=torch.float64), torch.randn(batch, 7, dtype=torch.float64)
    found = norm(x, code)
    for b in range(batch):
        both = norm.head.weight @ code[b] + norm.head.bias
        for c in range(channels):
            values = x[b, c]
            spread = math.sqrt(float(values.var(correction=0)) + 1e-5)
            close(found[b, c], both[c] * (values - values.mean()) / spread + both[channels + c], 1e-6)


def test_spikes_by_hand() -> None:
    """One place of n at v, all others at 0: |x − μ|/σ is √(n − 1) there and 1/√(n − 1) elsewhere, whatever v is."""
    x = torch.zeros(2, 3, 20, 20, dtype=torch.float64)
    x[0, 1, 4, 7] = 50.0
    far = math.sqrt(399)
    close(float(spikes(x)), (far - LIMIT) ** 2 / x.numel(), 1e-3)
    assert float(spikes(torch.rand(2, 3, 20, 20))) == 0


def test_spikes_are_penalised_while_training_only() -> None:
    net = network()
    seen: list[torch.Tensor] = []  # what each residual block hands on, and what the last normalisation gets
    *blocks, half, _ = list(net.painter.layers)[1:]
    for part in (*blocks, half.conv):
        part.register_forward_hook(lambda module, given, found: seen.append(found.detach()[:, :, ::2, ::2] * 1.0))
    contents = torch.zeros(2, 3, 64, 64)
    contents[:, :, 30:34, 30:34] = 1  # one bright place
    painted: list[torch.Tensor] = []
    net.painter.last.register_forward_hook(lambda module, given, found: painted.append(found.detach() * 1.0))
    with torch.no_grad():
        net.painter.last.bias[0] = -5.0  # where tanh is flat
    batch = (contents, pictures(2, seed=5), torch.rand(2, 3))
    found = Objective(net).train()(batch)
    each = [float(spikes(one)) for one in seen]
    flat = float((np.maximum(np.abs(painted[0].numpy()) - 3, 0) ** 2).mean())
    assert sum(each) > 0 and flat > 0
    close(found["spikes"], johnson.SPIKE_WEIGHT * (sum(each) / len(each) + flat), 1e-4)
    assert "spikes" not in Objective(net).eval()(batch)


def test_layers_are_told_the_style_the_alphas_and_an_mlp_of_both() -> None:
    torch.manual_seed(0)
    conditioner = Conditioner(6, 2)
    conditioner.center.fill_(0.3)
    conditioner.axes.copy_(torch.randn(6, 6))
    style, alphas = torch.randn(1, 6), torch.rand(3, 2)
    style[0, 0] = 9.0  # far out: its coordinates end at FARTHEST
    found = conditioner(alphas, style)
    assert found.shape == (3, conditioner.told)
    for row, alpha in zip(found, alphas, strict=True):
        along = [sum((style[0, k] - 0.3) * conditioner.axes[k, j] for k in range(6)) for j in range(6)]
        told = torch.cat([torch.tensor([max(-FARTHEST, min(FARTHEST, float(each))) for each in along]), 16 * alpha - 8])
        x = told
        for layer in (conditioner.mlp[0], conditioner.mlp[2]):
            x = torch.tanh(layer.weight @ x + layer.bias)
        close(row, torch.cat([told, x]))
    assert float(found[:, :6].detach().abs().max()) == FARTHEST


@given(st.integers(2, 6), st.integers(0, 10_000))
def test_styles_are_told_along_their_principal_axes(moments: int, seed: int) -> None:
    """Told numbers are uncorrelated and vary by λ/(λ + 1), λ the eigenvalues of the correlations, largest first."""
    chance = np.random.default_rng(seed)
    styles = chance.normal(size=(400, moments)) @ chance.normal(size=(moments, moments)) + 5
    styles = styles / styles.std(axis=0) * chance.uniform(0.5, 3, size=moments)
    conditioner = Conditioner(moments, 1).double()
    conditioner.fit_axes(torch.from_numpy(styles))
    told = (styles - styles.mean(axis=0)) @ conditioner.axes.numpy()
    values = np.linalg.eigvalsh(np.corrcoef(styles.T))[::-1]
    np.testing.assert_allclose(np.cov(told.T, ddof=0), np.diag(values / (values + 1)), atol=0.01)


# --- the network ------------------------------------------------------------------------------------------------------


def test_what_is_told_of_a_style_are_the_logarithms_of_its_moments() -> None:
    image = picture(40, 48)
    features = MINI(image, ["relu1_1", "relu2_1", "relu2_2", "relu3_1", "relu3_4", "relu4_1"])
    expected: list[float] = []
    for activations in features.values():
        flat = activations[0].flatten(1)
        expected += torch.log(flat.mean(1) + 0.01).tolist()
        expected += torch.log(flat.std(1, correction=0) + 0.01).tolist()
    close(NET.style(image)[0], torch.tensor(expected), 0.02)  # losses.moments has an ε under the root


def test_the_picture_is_laid_over_the_photo_with_the_opacity() -> None:
    content, known = picture(32, 36), NET.style(picture(32, 32, seed=1))
    alphas = NET.alphas({"relu1_1": 0.3, "relu2_1": 0.5, "relu4_1": 0.0})
    change = NET.painter(content, NET.conditioner(alphas, known)) - content
    light = (change * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(
        dim=1, keepdim=True
    )  # the same in R, G, B
    of_light, of_colours = 1 - (1 - LIGHT * 0.3) * (1 - LIGHT * 0.5), 1 - (1 - PALETTE * 0.3) * (1 - COLOURS * 0.5)
    close(NET(content, known, alphas), (content + of_light * light + of_colours * (change - light)).clamp(0, 1))


def test_nothing_wanted_gives_the_photo_back_and_more_layers_hide_more_of_it() -> None:
    content, known = picture(32, 36), NET.style(picture(32, 32, seed=1))
    assert torch.equal(NET(content, known, NET.alphas(0.0)), content)
    corners = torch.tensor([[0.0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 1, 1]])
    light, colours = (found.flatten() for found in NET.opacity(corners))
    close(light, [0, LIGHT, 1 - (1 - LIGHT) ** 2, 1 - (1 - LIGHT) ** 3])
    both = 1 - (1 - PALETTE) * (1 - COLOURS)
    close(colours, [0, COLOURS, both, 1 - (1 - both) * (1 - COLOURS)])
    assert not any(map(torch.any, NET.opacity(torch.tensor([[0.0, 0.0, 0.0, 1.0]]))))  # the last α is the content's


def test_a_batch_is_its_pictures_one_by_one() -> None:
    contents, styles, alphas = pictures(3), pictures(3, seed=9), torch.rand(3, 3)
    found = NET(contents, NET.style(styles), alphas)
    for b in range(3):
        alone = NET(contents[b : b + 1], NET.style(styles[b : b + 1]), alphas[b : b + 1])
        close(found[b : b + 1], alone, 1e-4)
    one = NET.style(styles[:1]), alphas[:1]
    close(NET(contents, *one)[2:], NET(contents[2:], *one), 1e-4)


def test_settings_by_name() -> None:
    close(NET.alphas({"relu2_1": 0.25}), [[1.0, 0.25, 1.0]])
    close(NET.alphas(0.5), [[0.5, 0.5, 0.5]])
    with pytest.raises(ValueError, match="no α for 'relu3_1'; there is one for relu1_1, relu2_1, relu4_1"):
        NET.alphas({"relu3_1": 0.5})
    for wrong in (1.5, -0.1, float("nan")):
        with pytest.raises(ValueError, match=f"the α of relu2_1 must be from 0 to 1; got {wrong}"):
            NET.alphas({"relu2_1": wrong})


def test_what_does_not_fit_is_refused_by_name() -> None:
    content, known = picture(32, 32), NET.style(picture(32, 32))
    for arguments, words in (
        ((content, known, torch.rand(1, 2)), r"alphas must be \(B, 3\)"),
        ((content, None, torch.rand(1, 3)), "paints in any style: give it one"),
        ((content, known, torch.rand(2, 3)), "2 settings or styles for 1 contents"),
        ((pictures(3), known.expand(2, -1), torch.rand(3, 3)), "2 settings or styles for 3 contents"),
        ((picture(15, 40), known, torch.rand(1, 3)), "15x40 is too small for this network: at least 16 px"),
    ):
        with pytest.raises(ValueError, match=words):
            NET(*arguments)
    for options, words in (
        ({"style_layers": ["relu9_1"]}, "style_layers: there is no layer 'relu9_1' in mini"),
        ({"style_layers": []}, "style_layers must be different layers, at least one"),
        ({"content_layers": ["relu3_4", "relu3_4"]}, "content_layers must be different layers"),
    ):
        with pytest.raises(ValueError, match=words):
            AdjustableNet(MINI, **options)


# --- noise and diversity ----------------------------------------------------------------------------------------------


def test_noise_has_its_strength_and_its_seed() -> None:
    grey = torch.full((1, 3, 64, 64), 0.5)
    noisy = with_noise(grey, 0.05, seed=3)
    close(float((noisy - grey).std()), 0.05, 2e-3)
    assert torch.equal(noisy, with_noise(grey, 0.05, seed=3)) and not torch.equal(noisy, with_noise(grey, 0.05, seed=4))
    assert torch.equal(with_noise(grey, 0.0), grey)
    assert 0 <= float(with_noise(grey, 0.5).min()) and float(with_noise(grey, 0.5).max()) <= 1
    for amount in (-0.1, 0.6, float("nan")):
        with pytest.raises(ValueError, match=r"noise must be from 0 to 0\.5"):
            with_noise(grey, amount)


def test_diversity_by_a_loop() -> None:
    images = pictures(4)
    flat = MINI(images, "relu3_4")["relu3_4"].flatten(1)
    apart = [float((flat[i] - flat[j]).norm()) for i in range(4) for j in range(i)]
    sizes = [float(one.norm()) for one in flat]
    close(diversity(images, MINI), (sum(apart) / 6) / (sum(sizes) / 4), 1e-4)
    assert diversity(images[:1].expand(3, -1, -1, -1), MINI) == 0
    with pytest.raises(ValueError, match="at least two, not 1"):
        diversity(images[:1], MINI)


# --- the objective ----------------------------------------------------------------------------------------------------


def by_hand(net: AdjustableNet, contents: Tensor, styles: Tensor, alphas: Tensor) -> tuple[Tensor, Tensor]:
    """Losses before any weight (B, styles + contents), and the pastiches; one picture after the other."""
    rows, made = [], []
    for b in range(len(contents)):
        content, style = contents[b : b + 1], styles[min(b, len(styles) - 1)][None]
        known = net.style(style) if net.about["any_style"] else None
        pastiche = net(content, known, alphas[b : b + 1])
        wanted = {name: losses.mean_gram(f) for name, f in MINI(style, net.style_layers).items()}
        seen, own = MINI(pastiche, net.style_layers), MINI(pastiche, net.content_layers)
        row = [(losses.style_loss(seen[name], wanted[name]).item() + 1e-4) ** 0.5 for name in net.style_layers]
        target = MINI(content, net.content_layers)
        row += [losses.content_loss(own[name], target[name]).item() for name in net.content_layers]
        rows.append(row)
        made.append(pastiche)
    return torch.tensor(rows), torch.cat(made)


@pytest.mark.parametrize("content_layers", [["relu3_4"], ["relu2_2", "relu3_4"]])
def test_losses_by_a_loop_over_pictures_and_layers(content_layers: list[str]) -> None:
    net = network(content_layers=content_layers)
    assert net.adjustable == STYLE + ([f"content {name}" for name in content_layers] if len(content_layers) > 1 else [])
    given = {"style relu1_1": 3.0, "style relu4_1": 0.5, "content relu2_2": 4.0}  # 1 for the others
    objective = Objective(net, factors=given, tv_weight=0.5).eval()
    contents, styles, alphas = pictures(3), pictures(3, seed=9), torch.rand(3, len(net.adjustable))
    found = objective((contents, styles, alphas))
    raw, made = by_hand(net, contents, styles, alphas)
    for i, name in enumerate(objective.names):
        share = alphas[:, i] if i < alphas.shape[1] else torch.ones(3)  # one content layer: its α is 1
        close(found[name], given.get(name, 1.0) * sum(float(share[b] * raw[b, i]) for b in range(3)) / 3, 1e-3)
    smooth = sum((alphas[b, :3].mean() * losses.tv_loss(made[b : b + 1])).item() for b in range(3)) / 3
    close(found["tv"], 0.5 * smooth, 1e-3)
    apart = ((made - contents) ** 2).flatten(1).mean(dim=1)
    photo = sum(float((1 - alphas[b, :3].mean()) * apart[b].detach()) for b in range(3)) / 3
    close(found["photo"], adjustable.PHOTO_WEIGHT * photo, 1e-3)
    assert list(found) == [*objective.names, "photo", "tv"]


def test_the_first_form_has_its_style_in_the_weights() -> None:
    style = picture(24, 40, seed=5)
    objective = Objective(ONE, style).eval()
    contents, alphas = pictures(2), torch.rand(2, 3)
    found = objective((contents, alphas))
    raw, _ = by_hand(ONE, contents, style, alphas)
    for i, name in enumerate(STYLE):
        factor = adjustable.FACTORS[f"style {name}"]
        close(found[f"style {name}"], factor * float((alphas[:, i] * raw[:, i]).mean()), 1e-3)
    assert ONE(contents, None, alphas).shape == contents.shape
    assert ONE.conditioner.center.numel() == 0 and ONE.about["any_style"] is False


def test_running_averages_have_a_closed_form() -> None:
    """L̄_n = d^(n−1) L_1 + (1 − d) Σ d^(n−k) L_k, of the losses without any α; factors are (Σ L̄)/L̄."""
    net = network()
    objective = Objective(net, normalise=True).train()
    seen = []
    for step in range(4):
        contents, styles, alphas = pictures(2, seed=step), pictures(2, seed=20 + step), torch.rand(2, 3)
        with torch.no_grad():
            objective((contents, styles, alphas))
            seen.append(by_hand(net, contents, styles, alphas)[0].mean(0))
    d = adjustable.DECAY
    expected = d**3 * seen[0] + (1 - d) * sum(d ** (3 - k) * seen[k] for k in range(1, 4))
    objective.eval()((contents, styles, alphas))  # measuring does not move them
    close(objective.averages, expected, 1e-3)
    close(objective.weights(), expected.sum() / expected, 1e-3)


def test_a_layer_with_alpha_0_pulls_at_nothing() -> None:
    """Its loss is 0, so are its gradients, and the other losses are what they are with any style there."""
    net = network()
    objective = Objective(net).eval()
    alphas = torch.tensor([[1.0, 0.0, 0.5], [0.2, 0.0, 0.0]])
    found = objective((pictures(2), pictures(2, seed=5), alphas))
    assert float(found["style relu2_1"].detach()) == 0
    found["style relu2_1"].backward()
    assert all(p.grad is None or not p.grad.any() for p in net.parameters())


def test_gradients_reach_every_number_of_painter_and_lambda_and_none_of_the_encoder() -> None:
    net = network()
    loss = sum(Objective(net).train()((pictures(2), pictures(2, seed=5), torch.rand(2, 3))).values())
    loss.backward()
    for name, parameter in net.named_parameters():
        if name.startswith("encoder."):
            assert parameter.grad is None
        elif not name.endswith("conv.bias"):  # instance norm takes constants away again
            assert parameter.grad is not None and bool(parameter.grad.any()), name


def test_gatys_is_asked_for_the_same() -> None:
    """Terms of `gatys.objective` with these weights: √L is as steep as L / (2 √0.02), where L is 0.02."""
    net = network()
    net.about["objective"] = {
        "style relu1_1": 3.0,
        "style relu2_1": 2.0,
        "style relu4_1": 5.0,
        f"content {CONTENT}": 4.0,
        "tv": 1.5,
    }
    content, style, alphas = picture(32, 32), picture(32, 32, seed=3), torch.tensor([[0.5, 1.0, 0.0]])
    terms = gatys.objective(content, style, encoder=MINI, **gatys_weights(net, alphas))(picture(32, 32, seed=4))
    assert set(terms) == {f"content {CONTENT}", "style relu1_1", "style relu2_1", "tv"}  # weight 0 is left out
    seen = MINI(picture(32, 32, seed=4), [*STYLE, CONTENT])
    wanted = {name: losses.mean_gram(f) for name, f in MINI(style, STYLE).items()}
    steep = 1 / (2 * math.sqrt(0.02))
    close(terms["style relu1_1"], steep * 0.5 * 3 * losses.style_loss(seen["relu1_1"], wanted["relu1_1"]), 1e-4)
    close(terms["style relu2_1"], steep * 2 * losses.style_loss(seen["relu2_1"], wanted["relu2_1"]), 1e-4)
    close(terms[f"content {CONTENT}"], 4 * losses.content_loss(seen[CONTENT], MINI(content, CONTENT)[CONTENT]), 1e-4)
    close(terms["tv"], 1.5 * 0.5 * losses.tv_loss(picture(32, 32, seed=4)), 1e-4)
    with pytest.raises(ValueError, match="needs a trained network with one content layer"):
        gatys_weights(network(), torch.ones(1, 3))


# --- training ---------------------------------------------------------------------------------------------------------


def crops(folder: Path, seed: int = 0, batch: int = 8) -> Crops:
    return Crops(folder, size=16, batch=batch, seed=seed)


def test_batches_draw_alpha_anew_for_each_picture(folders: dict[str, Path]) -> None:
    batches = Batches(crops(folders["photos"]), crops(folders["styles"], seed=1), 3, 3)
    drawn = torch.cat([batches[number][2] for number in range(200)])  # (1600, 3)
    assert torch.equal(batches[7][2], Batches(batches.contents, batches.styles, 3, 3)[7][2])
    corner = torch.zeros(len(drawn), dtype=torch.bool)
    corner[:: adjustable.CORNERS] = True
    assert set(drawn[corner].flatten().tolist()) == {0.0, 1.0}
    ends = [tuple(row) for row in drawn[corner].tolist()]
    assert set(ends) == {(1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1)}
    assert 0.43 < ends.count((1, 1, 1)) / len(ends) < 0.57  # every other time
    inside = drawn[~corner]
    assert 0 <= float(inside.min()) and float(inside.max()) < 1
    for column in inside.T:  # uniform: mean ½, variance 1/12
        assert abs(float(column.mean()) - 0.5) < 0.03 and abs(float(column.var()) - 1 / 12) < 0.01
    assert len({round(float(value), 5) for value in inside.flatten()}) > 0.95 * inside.numel()


def test_where_content_has_an_alpha_too_it_counts_at_the_ends_of_the_sliders(folders: dict[str, Path]) -> None:
    batches = Batches(crops(folders["photos"]), None, 4, 2)
    drawn = torch.cat([batches[number][1][:: adjustable.CORNERS] for number in range(60)])  # (240, 4)
    assert bool(drawn[:, :2].any(dim=1).all()) and bool((drawn[:, 2:] == 1).all())


@pytest.fixture(autouse=True)
def _axes_of_few_styles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adjustable, "_fit_axes", functools.partial(adjustable._fit_axes, batches=8))


def options(folders: dict[str, Path], out: Path, **more: Any) -> dict[str, Any]:
    return {
        "photos": [folders["photos"]], "styles": [folders["styles"]], "out": out, "encoder": MINI, "size": 32,
        "batch": 4, "network": TINY, "warm_up": 1, "report_every": 2, "accelerator": "cpu", **more,
    }  # fmt: skip


def test_lambda_learns_and_the_encoder_does_not(folders: dict[str, Path], tmp_path: Path) -> None:
    """A public implementation left Λ out of the optimiser; then all sliders stay without effect."""
    before = {name: value.clone() for name, value in MINI.state_dict().items()}
    list(train_adjustable(**options(folders, tmp_path / "a.safetensors", steps=1)))
    list(train_adjustable(**options(folders, tmp_path / "b.safetensors", steps=9)))
    first, later = (read_weights(tmp_path / f"{name}.safetensors") for name in "ab")
    of_lambda = [name for name in first if name.startswith("conditioner.") or ".head." in name]
    learnt = [name for name in of_lambda if not name.endswith(("center", "axes"))]
    assert len(learnt) == 2 * 2 + 2 * sum(isinstance(module, AdjustedNorm) for module in NET.modules())
    for name in [*learnt, "painter.layers.0.conv.weight", "painter.last.weight"]:
        assert not torch.equal(first[name], later[name]), name
    assert torch.equal(first["conditioner.center"], later["conditioner.center"]) and first["conditioner.center"].any()
    for name, value in MINI.state_dict().items():
        assert torch.equal(value, before[name])


def test_lambda_learns_more_slowly() -> None:
    groups = adjustable._groups(NET, 1e-2)
    assert [group["lr"] for group in groups] == [1e-2, adjustable.CAREFUL * 1e-2] and adjustable.CAREFUL < 1
    counted = sum(p.numel() for group in groups for p in group["params"])
    assert counted == sum(p.numel() for name, p in NET.named_parameters() if not name.startswith("encoder."))


def test_a_few_steps_learn_are_written_and_loaded(folders: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "own.safetensors"
    list(train_adjustable(**options(folders, out, steps=6, style_size=48, weights={"normalise": True})))
    about = read_about(out)
    assert (about["training"]["photos"]["size"], about["training"]["styles"]["size"]) == (32, 48)
    assert not any(name.startswith("encoder.") for name in read_weights(out))
    checkpoint = torch.load(out.with_suffix(".ckpt"), weights_only=False)["model"]
    averages = checkpoint["averages"].double()
    for name, average in zip([*(f"style {name}" for name in STYLE), f"content {CONTENT}"], averages, strict=True):
        close(about["objective"][name], float(averages.sum() / average), 1e-3)
    net = adjustable.load(out, encoder=MINI)
    assert (net.style_layers, net.content_layers) == (tuple(STYLE), (CONTENT,))
    assert not net.training and not any(p.requires_grad for p in net.parameters())
    own = {name.removeprefix("network."): value for name, value in checkpoint.items() if "averages" not in name}
    for name, value in net.state_dict().items():
        close(value, own[name].half().float() if not name.startswith("encoder.") else own[name], 1e-6)
    assert gatys_weights(net, net.alphas(1.0))["content_weight"] == about["objective"][f"content {CONTENT}"]


def test_one_style_and_two_content_layers(folders: dict[str, Path], tmp_path: Path) -> None:
    form = {**TINY, "content_layers": ["relu2_2", "relu3_4"], "style_layers": ["relu1_2", "relu3_4"]}
    given = options(folders, tmp_path / "one.safetensors", steps=2) | {"styles": picture(40, 40), "network": form}
    list(train_adjustable(**given))
    net = adjustable.load(tmp_path / "one.safetensors", encoder=MINI)
    assert net.adjustable == ["relu1_2", "relu3_4", "content relu2_2", "content relu3_4"]
    assert net.about["any_style"] is False
    assert net(picture(32, 32), None, net.alphas({"content relu2_2": 0.2})).shape == (1, 3, 32, 32)


def test_training_begins_with_given_weights(folders: dict[str, Path], tmp_path: Path) -> None:
    first, again = tmp_path / "first.safetensors", tmp_path / "again.safetensors"
    list(train_adjustable(**options(folders, first, steps=1)))
    list(train_adjustable(**options(folders, again, steps=1, start=first, learning_rate=1e-9)))
    for key, value in read_weights(first).items():
        close(value.float(), read_weights(again)[key].float(), 1e-3)


# --- weights ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> AdjustableNet:
    return adjustable.load()


def test_without_any_style_the_photo_comes_back(shipped: AdjustableNet) -> None:
    photos = [resize(samples.content(name), 96) for name in samples.content_names()]
    for name in ("mosaic", "pencil"):
        known = shipped.style(samples.style(name, 96))
        for x in photos:
            assert torch.equal(shipped(x, known, shipped.alphas(0.0)), x)
            assert psnr(shipped(x, known, shipped.alphas(0.05)), x) >= 20  # and gradually, not all at once


def test_a_slider_lowers_the_loss_of_its_own_layer(shipped: AdjustableNet) -> None:
    """From 0 to 1 in six steps, the others at 0: nearly always downhill, and at the end clearly lower."""
    monotone, lower = [], []
    photos = [samples.content(name, 96) for name in ("chelsea", "rocket", "flower")]
    for name in ("mosaic", "woodcut_waves", "batik"):
        style = samples.style(name, 96)
        known, wanted = shipped.style(style), shipped.encoder(style, shipped.style_layers)
        for photo, (layer, target) in itertools.product(photos, wanted.items()):
            others = dict.fromkeys(shipped.adjustable, 0.0)
            alphas = torch.cat([shipped.alphas(others | {layer: k / 5}) for k in range(6)])
            seen = shipped.encoder(shipped(photo.expand(6, -1, -1, -1), known, alphas), layer)[layer]
            path = [float(losses.style_loss(one[None], losses.mean_gram(target))) for one in seen]
            monotone.append(all(b <= a for a, b in itertools.pairwise(path)))
            lower.append(path[-1] < path[0])
    assert sum(monotone) >= 0.9 * len(monotone)
    assert all(lower)


def test_large_pictures_go_band_by_band_and_come_out_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    content, known = picture(150, 60), NET.style(picture(32, 32, seed=1))
    with torch.no_grad():
        whole = NET(content, known, NET.alphas(0.7))
        monkeypatch.setattr("stylelearn.networks.tiling.LARGE", 1000)
        monkeypatch.setattr("stylelearn.networks.tiling.ROWS", 32)
        called, real = [], NET.painter._in_bands
        monkeypatch.setattr(NET.painter, "_in_bands", lambda *given: called.append(1) or real(*given))
        close(NET(content, known, NET.alphas(0.7)), whole, 1e-4)
    assert called == [1]


def test_measuring_does_not_move_the_averages() -> None:
    objective = Objective(NET).eval()
    objective.averages.fill_(0.5)
    objective((pictures(2), pictures(2, seed=5), torch.rand(2, 3)))
    close(objective.averages, [0.5] * 4)


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(folders: dict[str, Path], tmp_path: Path) -> None:
    """The averages too: they are in the checkpoint, and in the weights that are written at the end."""
    list(train_adjustable(**options(folders, tmp_path / "whole.safetensors", steps=6)))
    run = train_adjustable(**options(folders, tmp_path / "parts.safetensors", steps=6))
    assert next(run).step == 2
    run.close()
    assert not (tmp_path / "parts.safetensors").exists()
    assert [each.step for each in train_adjustable(**options(folders, tmp_path / "parts.safetensors", steps=6))] == [
        4,
        6,
    ]
    whole, parts = (tmp_path / f"{name}.safetensors" for name in ("whole", "parts"))
    assert read_about(whole) == read_about(parts)
    for key, value in read_weights(whole).items():
        assert torch.equal(value, read_weights(parts)[key]), key


def test_random_settings_and_noise_give_pastiches_that_differ(shipped: AdjustableNet) -> None:
    photo, known = samples.content("chelsea", 96), shipped.style(samples.style("mosaic", 96))
    drawn = torch.rand(8, len(shipped.adjustable))
    many = shipped(photo.expand(8, -1, -1, -1), known, drawn)
    noisy = torch.cat([with_noise(photo, 0.1, seed) for seed in range(8)])
    noise_only = shipped(noisy, known, shipped.alphas(1.0))
    assert diversity(many, shipped.encoder) > 0.1
    assert diversity(shipped(noisy, known, drawn), shipped.encoder) > diversity(noise_only, shipped.encoder)
