"""Encoders against torchvision's own networks, against loops written out here, and against what PyTorch can compute."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from pictures import normalised, picture, randomise
from safetensors.torch import load_file, save_file
from torch import nn

from stylelearn import samples
from stylelearn.encoders import ARCHITECTURES, CONTENT_LAYER, MINI, NAMES, STYLE_LAYERS, Encoder, vgg_layers
from stylelearn.weights import WeightsError, import_torchvision

VGG = {"vgg19": "E", "vgg16": "D"}  # the letters of Simonyan & Zisserman's table, as torchvision has them

RANDOM = Encoder("random")


def vgg_names(configuration: list) -> list[str]:
    """torchvision's list of widths and "M"s, turned into a name for each of its layers."""
    names, block, number = [], 1, 0
    for entry in configuration:
        if entry == "M":
            names.append(f"pool{block}")
            block, number = block + 1, 0
        else:
            number += 1
            names += [f"conv{block}_{number}", f"relu{block}_{number}"]
    return names


@pytest.fixture(scope="module")
def vgg_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, nn.Sequential]]:
    """For each VGG a checkpoint as torchvision's, and torchvision's convolutional part with the same weights."""
    vgg = import_torchvision().models.vgg
    files = {}
    for name, letter in VGG.items():
        with torch.device("meta"):  # no numbers yet: its own would be thrown away
            features = vgg.make_layers(vgg.cfgs[letter], batch_norm=False)
        randomise(features.to_empty(device="cpu"))
        state = {f"features.{key}": value for key, value in features.state_dict().items()}
        state["classifier.0.weight"] = torch.zeros(8, 8)  # is in every whole checkpoint, and of no use here
        path = tmp_path_factory.mktemp("vgg") / f"{name}.pth"
        torch.save(state, path)
        files[name] = path, features
    return files


@pytest.mark.parametrize(("name", "pool"), [("vgg19", "max"), ("vgg16", None)])
def test_vgg_equals_torchvision_layer_by_layer(name: str, pool: str | None, vgg_files: dict) -> None:
    path, features = vgg_files[name]
    names = vgg_names(import_torchvision().models.vgg.cfgs[VGG[name]])[:-1]  # without pool5: nothing comes after it
    encoder = Encoder(name, pool=pool, weights=path)
    assert encoder.layers == tuple(names)
    image = picture(48, 64, batch=2)
    found = encoder(image, names)
    x = normalised(image)
    for layer_name, layer in zip(names, features, strict=False):
        if layer_name.startswith("pool") and pool is None:  # the average
            x = (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4
        else:
            x = layer(x).clone()  # torchvision's ReLUs work in place
        torch.testing.assert_close(found[layer_name], x, rtol=1e-4, atol=1e-4, msg=lambda m, n=layer_name: f"{n}: {m}")


def test_squeezenet_equals_torchvision(squeezenet: Path) -> None:
    model = import_torchvision().models.squeezenet1_0(weights=None).eval()
    model.load_state_dict(load_file(squeezenet))
    encoder = Encoder("squeezenet", weights=squeezenet)
    image = picture(80, 64, batch=2)
    found = encoder(image, encoder.layers)
    x = normalised(image)
    for value, layer in zip(found.values(), model.features, strict=True):
        x = layer(x).clone()
        torch.testing.assert_close(value, x, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found["fire9"], model.features(normalised(image)), rtol=1e-4, atol=1e-4)


def test_mini_equals_a_network_written_out_in_float64(tmp_path: Path) -> None:
    layers = randomise(vgg_layers(MINI))
    state = {name: value.half() for name, value in layers.state_dict().items()}
    save_file(state, tmp_path / "mini.safetensors")
    encoder = Encoder("mini", weights=tmp_path / "mini.safetensors")
    found = encoder(picture(48, 32), encoder.layers)
    x = normalised(picture(48, 32).double())
    for name, value in found.items():
        if name.startswith("conv"):
            padded = F.pad(x, (1, 1, 1, 1), mode="reflect")
            x = F.conv2d(padded, state[f"{name}.weight"].double(), state[f"{name}.bias"].double())
        else:
            x = x.relu() if name.startswith("relu") else F.max_pool2d(x, 2)
        torch.testing.assert_close(value.double(), x, rtol=1e-4, atol=1e-4, msg=lambda m, n=name: f"{n}: {m}")


def test_names_come_in_the_order_asked_for() -> None:
    encoder = Encoder("random")
    asked = ["relu4_2", "conv1_1", "pool2", "relu4_2"]
    assert list(encoder(picture(), asked)) == ["relu4_2", "conv1_1", "pool2"]
    assert list(encoder(picture())) == list(STYLE_LAYERS)
    assert list(encoder(picture(), "relu2_1")) == ["relu2_1"]
    assert CONTENT_LAYER in encoder.layers and encoder.layers[-1] == "relu5_1"
    shallow = encoder(picture(), iter(["relu1_1"]))  # any iterable
    assert shallow["relu1_1"].shape == (1, 16, 64, 64)


@given(asked=st.lists(st.sampled_from(RANDOM.layers), min_size=1, max_size=6))
def test_no_layer_overwrites_another(asked: list[str]) -> None:
    """In whatever company a layer is asked for, with and without gradients, it is what it is alone."""
    encoder, image = RANDOM, picture(32, 32)
    together = encoder(image.requires_grad_(), asked)
    with torch.no_grad():
        quietly = encoder(image, asked)
    for name in asked:
        alone = encoder(image.detach(), [name])[name]
        assert torch.equal(together[name], alone), name
        assert torch.equal(quietly[name], alone), name
        if name.startswith("relu"):
            assert torch.equal(together[name], encoder(image, [name.replace("relu", "conv")]).popitem()[1].relu())


def test_channels_are_those_that_come(vgg_files: dict, squeezenet: Path) -> None:
    for encoder in (
        Encoder("random"),
        Encoder("vgg16", weights=vgg_files["vgg16"][0]),
        Encoder("squeezenet", weights=squeezenet),
    ):
        found = encoder(picture(), encoder.layers)
        assert encoder.channels == {name: value.shape[1] for name, value in found.items()}
    assert Encoder("random").channels["relu4_1"] == ARCHITECTURES["mini"].widths[3][0]


def test_batch_equals_loop() -> None:
    encoder, images = Encoder("random"), picture(32, 48, batch=3)
    together = encoder(images, ["conv3_2", "relu5_1"])
    for i in range(3):
        alone = encoder(images[i : i + 1], ["conv3_2", "relu5_1"])
        for name, value in alone.items():
            torch.testing.assert_close(together[name][i : i + 1], value, rtol=1e-4, atol=1e-4)


def test_walk_goes_from_shallow_to_deep_and_no_further_than_it_is_followed() -> None:
    encoder, computed = Encoder("random"), []
    for name, layer in encoder._layers.items():
        layer.register_forward_hook(lambda *_, name=name: computed.append(name))
    walk = encoder.walk(picture(), ["relu3_1", "conv1_2", "relu1_2", "conv1_2"])
    assert not computed
    expected = encoder(picture(), ["conv1_2", "relu1_2", "relu3_1"])
    computed.clear()
    before = next(walk)[1].clone()
    assert computed == ["conv1_1", "conv1_2"]  # ReLUs are no modules on the way
    assert torch.equal(before, expected["conv1_2"])
    rest = list(walk)
    assert [name for name, _ in rest] == ["relu1_2", "relu3_1"] and computed[-1] == "conv3_1"
    assert all(torch.equal(value, expected[name]) for name, value in rest)


def plain(encoder: Encoder, last: str) -> nn.Sequential:
    """The same layers one after the other, none in place."""
    layers = list(encoder._layers.values())[: encoder.layers.index(last) + 1]
    return nn.Sequential(*(nn.ReLU() if isinstance(layer, nn.ReLU) else layer for layer in layers))


@pytest.mark.parametrize("layers", [["relu4_1"], ["conv3_2", "relu3_2"], ["relu1_1", "conv1_2", "pool1", "conv4_4"]])
def test_gradient_equals_that_of_a_plain_network(layers: list[str]) -> None:
    encoder = Encoder("random")
    image = picture(32, 32, batch=2).requires_grad_()
    sum(value.square().mean() for value in encoder(image, layers).values()).backward()
    other = image.detach().clone().requires_grad_()
    sum(plain(encoder, name)(normalised(other)).square().mean() for name in layers).backward()
    torch.testing.assert_close(image.grad, other.grad, rtol=1e-4, atol=1e-7)
    assert image.grad.abs().sum() > 0


def test_frozen_and_left_alone() -> None:
    encoder, image = Encoder("random"), picture()
    before = image.clone()
    assert not any(p.requires_grad for p in encoder.parameters()) and not encoder.training
    assert not any(value.requires_grad for value in encoder(image).values())
    assert torch.equal(image, before)


def test_unknown_names_are_named() -> None:
    with pytest.raises(ValueError, match=r"unknown encoder 'vgg11'.*" + ", ".join(NAMES)):
        Encoder("vgg11")
    with pytest.raises(ValueError, match="pool must be 'avg' or 'max', not 'mean'"):
        Encoder("random", pool="mean")
    with pytest.raises(ValueError, match="'random' takes no weights"):
        Encoder("random", weights="mini.safetensors")
    encoder = Encoder("random")
    with pytest.raises(ValueError, match="layer 'relu6_1' is not in random; deepest is 'relu5_1'"):
        encoder(picture(), ["relu1_1", "relu6_1"])
    with pytest.raises(ValueError, match="layers is empty"):
        encoder(picture(), [])


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(3, 64, 64), r"tensor \(B, 3, H, W\); this is \(3, 64, 64\)"),
        (torch.zeros(1, 1, 64, 64), r"this is \(1, 1, 64, 64\)"),
        ([[0.0]], "this is list"),
        (torch.zeros(1, 3, 64, 64, dtype=torch.uint8), r"holds torch\.uint8: use image\.float\(\) / 255"),
        (torch.zeros(1, 3, 64, 64, device="meta"), "image is on meta, the encoder on cpu"),
        (torch.zeros(1, 3, 31, 64), "31x64 is too small for relu5_1: at least 32 px"),
    ],
)
def test_wrong_images_are_named(image: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Encoder("random")(image)


def test_smallest_sizes(vgg_files: dict, squeezenet: Path) -> None:
    """At `smallest` every layer can be computed; one pixel less, and PyTorch itself refuses (and we before it)."""
    for encoder in (
        Encoder("random"),
        Encoder("vgg16", weights=vgg_files["vgg16"][0]),
        Encoder("squeezenet", weights=squeezenet),
    ):
        for name in encoder.layers:
            side = encoder.smallest(name)
            assert min(encoder(picture(side, side + 9), [name])[name].shape) >= 1
            with pytest.raises(ValueError, match=f"too small for {name}: at least {side} px"):
                encoder(picture(side + 9, side - 1), [name])
            with pytest.raises(RuntimeError):
                plain(encoder, name)(picture(side - 1, side - 1))


def test_another_networks_checkpoint_is_refused(vgg_files: dict, squeezenet: Path) -> None:
    vgg16 = vgg_files["vgg16"][0]
    for name, path in (("vgg19", vgg16), ("vgg16", squeezenet), ("squeezenet", vgg16), ("mini", vgg16)):
        with pytest.raises(WeightsError, match=rf"{name} from .*{path.name}: \S+ (is missing|has shape)"):
            Encoder(name, weights=path)


def test_shipped_mini_is_rescaled() -> None:
    """On pictures that were not used for it: the channels' mean activation is about 1, and hardly any is silent."""
    encoder = Encoder()
    relus = [name for name in encoder.layers if name.startswith("relu")]
    found = [encoder(samples.content(name, size=256), relus) for name in samples.content_names()]
    for name in relus:
        means = torch.stack([answer[name].mean(dim=(0, 2, 3)) for answer in found]).mean(dim=0)  # (C,)
        assert 0.5 < means.mean() < 2, f"{name}: {means.mean():.2f}"
        # Block 5 sees the teacher's last maps only: there some channels answer to few pictures, or to none.
        assert (means > 0).float().mean() > (0.75 if name == "relu5_1" else 0.98), name


def test_average_pooling_equals_a_loop_written_out(vgg_files: dict) -> None:
    path, features = vgg_files["vgg19"]
    weights = iter([layer for layer in features if isinstance(layer, nn.Conv2d)])
    found = Encoder("vgg19", weights=path)(picture(), ["relu2_2", "pool2", "conv4_2", "relu4_2", "relu5_4"])
    x, truth = normalised(picture()), {}
    for block, count in enumerate((2, 2, 4, 4, 4), start=1):
        for number in range(1, count + 1):
            conv = next(weights)
            x = F.conv2d(F.pad(x, (1, 1, 1, 1)), conv.weight, conv.bias)
            truth[f"conv{block}_{number}"] = x
            x = x.clamp_min(0)
            truth[f"relu{block}_{number}"] = x
        x = (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4
        truth[f"pool{block}"] = x
    for name, value in found.items():
        torch.testing.assert_close(value, truth[name], rtol=1e-4, atol=1e-4)


def test_the_default_path_never_imports_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stylelearn.weights.import_torchvision", None)
    assert Encoder("mini").layers == Encoder("random").layers
