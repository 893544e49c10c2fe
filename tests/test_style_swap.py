"""Style swap: its objectives by hand, the pipeline with a decoder that inverts exactly, training, and what ships."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from pictures import Blocks, picture
from torch import Tensor, nn

from stylelearn import losses, samples, style_swap
from stylelearn.encoders import Encoder
from stylelearn.images import psnr, resize
from stylelearn.networks.decoders import InverseNet, mirrored_decoder
from stylelearn.networks.transformation import InstanceNorm
from stylelearn.patches import matches, swap
from stylelearn.style_swap import StyleSwap, Training, cnnmrf_objective, objective, train_inverse
from stylelearn.weights import read_about, read_weights

MINI = Encoder("mini")
LAYER = style_swap.LAYER


def seen(image: Tensor, layer: str = LAYER) -> Tensor:
    return MINI(image, [layer])[layer]


def close(found: Tensor, expected: Tensor, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


def test_the_objective_by_hand() -> None:
    content, style, image = picture(32, 40), picture(48, 28, seed=1), picture(32, 40, seed=2)
    swapped = swap(seen(content), seen(style), patch=2, stride=2)
    found = objective(content, style, encoder=MINI, patch=2, stride=2, tv_weight=0.5)(image)
    assert list(found) == ["swap relu3_1", "tv"]
    close(found["swap relu3_1"], (seen(image) - swapped).square().sum() / swapped.square().sum())
    close(found["tv"], 0.5 * losses.total_variation(image) / image.numel())
    half = objective(content, style, encoder=MINI, patch=2, stride=2, strength=0.5, tv_weight=0)(image)
    target = (seen(content) + swapped) / 2
    assert list(half) == ["swap relu3_1"]
    close(half["swap relu3_1"], (seen(image) - target).square().sum() / target.square().sum())


def test_cnnmrf_by_hand() -> None:
    """Patches of the picture itself are matched, with the picture's own places."""
    content, style, image = picture(32, 40), picture(48, 28, seed=1), picture(32, 40, seed=2)
    weights = {"content_weight": 2.0, "style_weight": 3.0, "tv_weight": 0.5}
    layers = ("relu2_1", "relu3_1")
    found = cnnmrf_objective(content, style, encoder=MINI, layers=layers, content_layer="relu3_2", **weights)(image)
    assert list(found) == ["content relu3_2", "patches relu2_1", "patches relu3_1", "tv"]
    apart = (seen(image, "relu3_2") - seen(content, "relu3_2")).square().sum()
    close(found["content relu3_2"], 2 * apart / seen(content, "relu3_2").square().sum())
    for layer in layers:
        mine, theirs = F.unfold(seen(image, layer), 3)[0].t(), F.unfold(seen(style, layer), 3)[0].t()  # (patches, 9 C)
        best = (mine @ F.normalize(theirs, dim=1).t()).argmax(dim=1)
        assert torch.equal(best, matches(seen(image, layer), seen(style, layer)).flatten())
        silent = seen(style, layer).square().mean() * mine.numel()
        close(found[f"patches {layer}"], 3 / 2 * (mine - theirs[best]).square().sum() / silent, 1e-4)
    close(found["tv"], 0.5 * losses.tv_loss(image))


def test_cnnmrf_matches_anew_at_every_evaluation() -> None:
    content, style = picture(32, 32), picture(32, 32, seed=1)
    terms = cnnmrf_objective(content, style, encoder=MINI, layers=("relu2_1",), content_weight=0, tv_weight=0)
    assert float(terms(style)["patches relu2_1"]) < 1e-9  # every patch of the style finds itself
    assert float(terms(content)["patches relu2_1"]) > 1e-3
    image = content.clone().requires_grad_()
    (slope,) = torch.autograd.grad(terms(image)["patches relu2_1"], image)
    assert slope.isfinite().all() and slope.abs().max() > 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda a, b: objective(a, b, encoder=MINI, tv_weight=-1), "tv_weight must be a number from 0 up; got -1"),
        (lambda a, b: objective(a, b, encoder=MINI, strength=1.1), "strength must be from 0 to 1; got 1.1"),
        (lambda a, b: objective(a, b, encoder=MINI, patch=9), "a patch of 9x9 cells does not fit into the content's"),
        (lambda a, b: objective(a, b, encoder=MINI, layer="relu9_1"), "layer 'relu9_1' is not in mini"),
        (
            lambda a, b: cnnmrf_objective(a, b, encoder=MINI, style_weight=0, content_weight=0, tv_weight=0),
            "all weights are 0",
        ),
    ],
)
def test_objectives_refuse_by_name(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(picture(32, 32), picture(32, 32, seed=1))


def test_the_plain_inverse_network_is_the_mirrored_decoder() -> None:
    net, mirror = InverseNet(LAYER), mirrored_decoder(LAYER)
    assert [type(part) for part in net] == [type(part) for part in mirror]
    mirror.load_state_dict(net.state_dict())
    x = torch.randn(2, 59, 6, 7)
    close(net(x), mirror(x))
    assert 0.3 < net(x.relu()).mean().item() < 0.7  # it begins near the middle grey


@pytest.mark.parametrize(("norm", "upsampling"), [("none", "nearest"), ("instance", "transposed")])
@pytest.mark.parametrize(("layer", "channels", "step"), [("relu1_2", 16, 1), ("relu4_1", 77, 8)])
def test_forms_of_the_inverse_network(norm: str, upsampling: str, layer: str, channels: int, step: int) -> None:
    net = InverseNet(layer, norm=norm, upsampling=upsampling)
    x = torch.randn(2, channels, 6, 5)
    assert net(x).shape == (2, 3, 6 * step, 5 * step)
    norms = [part for part in net if isinstance(part, InstanceNorm)]
    assert len(norms) == (norm == "instance") * sum(isinstance(part, nn.ReLU) for part in net)
    turned = sum(isinstance(part, nn.ConvTranspose2d) for part in net)
    assert turned == (upsampling == "transposed") * (step.bit_length() - 1)
    assert sum(isinstance(part, nn.Upsample) for part in net) == step.bit_length() - 1 - turned
    if norm == "instance":  # what the paper's forgets: how strong the activations are
        close(net(x), net(100 * x), 1e-2)


def test_a_wider_inverse_network_has_more_channels_between_the_layer_and_the_picture() -> None:
    narrow, wide = (
        [part for part in InverseNet(LAYER, width=width) if isinstance(part, nn.Conv2d)] for width in (1, 3)
    )
    assert wide[0].in_channels == narrow[0].in_channels and wide[-1].out_channels == 3
    assert [part.out_channels for part in wide[:-1]] == [3 * part.out_channels for part in narrow[:-1]]
    assert [part.in_channels for part in wide[1:]] == [part.out_channels for part in wide[:-1]]


EXACT = StyleSwap(Blocks(), nn.PixelShuffle(2), layer="relu2_1")  # type: ignore[arg-type]


def test_with_a_decoder_that_inverts_exactly_every_patch_comes_from_the_style() -> None:
    content, style = picture(31, 24), picture(20, 26, seed=1)
    made = EXACT(content, style, patch=1)
    close(EXACT(content, style, strength=0), content)  # an odd height: filled up, and cut off
    close(EXACT(content, content), content)
    blocks = F.unfold(style, 2, stride=2)[0].t()
    for block in F.unfold(made[:, :, :30], 2, stride=2)[0].t():
        assert (blocks - block).abs().sum(dim=1).min() < 1e-5
    close(EXACT(content, style, patch=1, strength=0.25), 0.75 * content + 0.25 * made)


def test_the_whole_is_its_steps() -> None:
    net, content, style = StyleSwap(MINI).requires_grad_(False), picture(64, 80), picture(48, 56, seed=1)
    f, s = seen(content), seen(style)
    swapped = swap(f, s, patch=5, stride=2)
    close(net(content, style, patch=5, stride=2), net.decoder(swapped).clamp(0, 1))
    close(net.decode(net.blend(f, swapped, 0.3), (64, 80)), net.decoder(0.7 * f + 0.3 * swapped).clamp(0, 1))
    close(net(content, style, strength=0.3), net.decode(net.blend(f, swap(f, s), 0.3), (64, 80)))


@pytest.mark.parametrize("size", [(12, 12), (13, 31), (40, 41)])
def test_every_size_comes_back(size: tuple[int, int]) -> None:
    made = StyleSwap(MINI).requires_grad_(False)(picture(*size, batch=2), picture(29, 50, seed=1))
    assert made.shape == (2, 3, *size)
    assert 0 <= float(made.min()) <= float(made.max()) <= 1


def test_too_small_is_refused() -> None:
    small, large = picture(7, 40), picture(40, 40)
    for pair in ((small, large), (large, small)):
        with pytest.raises(ValueError, match="a picture of 7x40 is too small for this network: at least 8 px a side"):
            StyleSwap(MINI)(*pair)


def options(folders: dict[str, Path], out: Path, **more: Any) -> dict[str, Any]:
    given = {"photos": [folders["photos"]], "styles": [folders["styles"]], "out": out, "encoder": MINI}
    return given | {"size": 32, "batch": 2, "accelerator": "cpu"} | more


def test_losses_by_hand() -> None:
    net = StyleSwap(MINI)
    photos, styles = (torch.cat([picture(32, 32, seed=i) for i in numbers]) for numbers in ((0, 1), (2, 3)))
    wanted = torch.cat([seen(photos), seen(styles), swap(seen(photos), seen(styles))])
    made = net.decoder(wanted)
    errors = [(seen(one[None])[0] - w).square().sum() / w.square().sum() for one, w in zip(made, wanted, strict=True)]
    expected = {
        "inverse": sum(errors) / 6,
        "picture": style_swap.RECONSTRUCTION * (made[:4] - torch.cat([photos, styles])).square().mean(),
        "tv": 0.5 * losses.tv_loss(made),
    }
    found = Training(net, tv_weight=0.5)((photos, styles))
    assert list(found) == list(expected)
    for name, value in expected.items():
        close(found[name], value, 1e-4)


def test_the_ablation_never_sees_swapped_activations() -> None:
    seen_by: list[int] = []
    net = StyleSwap(MINI)
    net.decoder.register_forward_hook(lambda _, given, made: seen_by.append(len(given[0])))
    batch = picture(32, 32), picture(32, 32, seed=1)
    Training(net)(batch)
    found = Training(net, swapped=False, tv_weight=0)(batch)
    assert seen_by == [3, 2] and list(found) == ["inverse", "picture"]
    found["inverse"].backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.decoder.parameters())
    assert all(p.grad is None for p in MINI.parameters())


def test_training_learns_writes_and_goes_on(folders: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "own.safetensors"
    progress = list(train_inverse(**options(folders, out, steps=30, report_every=5, learning_rate=3e-3, warm_up=1)))
    assert sum(progress[-1].losses.values()) < 0.8 * sum(progress[0].losses.values())
    expected = {"encoder": "mini", "layer": LAYER, "norm": "none", "upsampling": "nearest"}
    assert read_about(out) | expected == read_about(out) and read_about(out)["training"]["steps"] == 30
    net = style_swap.load(out)
    assert not net.training and not any(p.requires_grad for p in net.parameters())
    again = next(train_inverse(**options(folders, tmp_path / "on.safetensors", steps=1, start=out, report_every=1)))
    assert sum(again.losses.values()) < 0.8 * sum(progress[0].losses.values())


def test_forms_are_kept_in_the_file(folders: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "paper.safetensors"
    form = {"width": 1, "norm": "instance", "upsampling": "transposed"}
    list(train_inverse(**options(folders, out, steps=1, layer="relu2_1", network=form)))
    net = style_swap.load(out)
    assert read_about(out) | form == read_about(out) and net.layer == "relu2_1" and net.step == 2
    state = read_weights(out)
    assert all(torch.equal(value.half(), state[name]) for name, value in net.decoder.state_dict().items())


def test_what_training_refuses(folders: dict[str, Path], tmp_path: Path) -> None:
    for size in (30, 12):
        with pytest.raises(ValueError, match=f"size must be a multiple of 4 from 16 on; it is {size}"):
            next(train_inverse(**options(folders, tmp_path / "x.safetensors", steps=1, size=size)))


@pytest.fixture(scope="module")
def shipped() -> StyleSwap:
    return style_swap.load()


def square(image: Tensor, side: int = 128) -> Tensor:
    return resize(image, (side, side), "box")


def test_what_ships_gives_pictures_back(shipped: StyleSwap) -> None:
    """Without a style the picture goes through encoder and inverse network: it must still be the picture."""
    for name in samples.content_names():
        image = square(samples.content(name))
        assert psnr(shipped(image, image, strength=0.0), image) > 15


def test_what_ships_keeps_to_the_styles_patches(shipped: StyleSwap) -> None:
    """Of all patches seen in the pastiche, those of its own swap are nearer than the photo's are."""
    for name, style_name in (("chelsea", "mosaic"), ("coffee", "woodcut_waves"), ("astronaut", "night_strokes")):
        content, style = square(samples.content(name)), square(samples.style(style_name))
        features, style_features = shipped.encode(content), shipped.encode(style)
        swapped = shipped.swap(features, style_features)
        made = shipped.encode(shipped.decode(swapped, (128, 128)))
        error = losses.content_loss(made, swapped)
        assert error < 0.85 * losses.content_loss(features, swapped)
        assert error < 0.35
