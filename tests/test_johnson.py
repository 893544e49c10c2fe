"""Johnson's network: its arithmetic against loops and hand counts, its losses against lesson 02's, and its files."""

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import picture
from torch import Tensor, nn

from stylelearn import gatys, johnson, losses, samples
from stylelearn.cin import StyleNet
from stylelearn.encoders import Encoder
from stylelearn.johnson import Perceptual, train_johnson
from stylelearn.networks import transformation
from stylelearn.networks.transformation import BLOCKS, PAPER_WIDTHS, WIDTHS, InstanceNorm, TransformationNet
from stylelearn.weights import WeightsError, read_about, read_weights, write_weights

RANDOM = Encoder("random")
NAMED = ("starry_night", "great_wave")  # paintings that ship as weights only


def tiny(**options: object) -> TransformationNet:
    torch.manual_seed(3)
    return TransformationNet(**({"widths": (4, 6, 8), "blocks": 1} | options))  # type: ignore[arg-type]


def test_a_network_can_be_copied_after_a_step_of_training() -> None:
    network = tiny().train()
    model = johnson.Perceptual(network, [picture(64, 64)], Encoder("mini"))
    sum(model(picture(64, 64, seed=1)).values()).backward()
    copied, image = copy.deepcopy(network).eval(), picture(64, 64, seed=2)
    assert torch.equal(copied(image), network.eval()(image))


def test_saturation_by_hand() -> None:
    """Only what is beyond ±3 counts, by its square."""
    x = torch.tensor([[-5.0, 0.0], [3.0, 3.5]], dtype=torch.float64)
    assert float(transformation.saturation(x)) == (4 + 0.25) / 4


# --- the normalisation ------------------------------------------------------------------------------------------------


def test_instance_norm_is_torchs() -> None:
    norm = InstanceNorm(3).double()
    gamma, beta = torch.tensor([2.0, -1.0, 0.5]).double(), torch.tensor([0.0, 3.0, -1.0]).double()
    with torch.no_grad():
        norm.gamma.copy_(gamma), norm.beta.copy_(beta)
    x = torch.randn(2, 3, 4, 5, dtype=torch.float64) * 7 + 40
    torch.testing.assert_close(norm(x), F.instance_norm(x, weight=gamma, bias=beta, eps=1e-5))


def test_a_batch_is_as_its_images_one_by_one_with_instance_norm_and_not_with_batch_norm() -> None:
    batch = torch.cat([picture(20, 24), picture(20, 24, seed=1) * 0.3])
    for norm, same in (("instance", True), ("batch", False)):
        network = tiny(norm=norm).train()
        with torch.no_grad():
            together, apart = network(batch), torch.cat([network(image[None]) for image in batch])
        assert torch.allclose(together, apart, atol=1e-5) is same
        network.eval()  # once trained, both treat each picture for itself
        with torch.no_grad():
            torch.testing.assert_close(network(batch), torch.cat([network(i[None]) for i in batch]), atol=1e-5, rtol=0)


def test_contrast_and_brightness_of_the_photo_do_not_matter_to_instance_norm() -> None:
    """The first convolution is linear, and (a·x + b − μ)/σ does not know a and b (Ulyanov et al. 2016)."""
    photo = samples.content("coffee", 48)
    grey = 0.3 * photo + 0.35
    for norm, same in (("instance", True), ("batch", False)):
        network = tiny(norm=norm).eval()
        with torch.no_grad():
            assert torch.allclose(network(grey), network(photo), atol=0.01) is same


# --- the network ------------------------------------------------------------------------------------------------------

NETWORKS = {up: tiny(upsampling=up) for up in ("nearest", "transposed")}


@settings(max_examples=20)
@given(
    height=st.integers(16, 70), width=st.integers(16, 70), batch=st.integers(1, 2), up=st.sampled_from(list(NETWORKS))
)
def test_any_size_comes_back(height: int, width: int, batch: int, up: str) -> None:
    with torch.no_grad():
        made = NETWORKS[up](picture(height, width, batch))
    assert made.shape == (batch, 3, height, width)
    assert made.min() >= 0 and made.max() <= 1 and bool(made.isfinite().all())


def test_a_multiple_of_four_loses_nothing_when_it_is_part_of_a_reflected_picture() -> None:
    """30 × 29 is filled up to 32 × 32 by reflection: the same as reflecting by hand and cutting off."""
    network, photo = tiny(ends="paper"), picture(30, 29)
    by_hand = torch.cat([photo, photo[..., 27:28], photo[..., 26:27], photo[..., 25:26]], dim=3)
    by_hand = torch.cat([by_hand, by_hand[:, :, 28:29], by_hand[:, :, 27:28]], dim=2)  # (1, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(network(photo), network(by_hand)[..., :30, :29])


def test_the_papers_widths_give_the_papers_number_of_parameters() -> None:
    """7 872 + 18 624 + 74 112 + 5 · 295 680 + 73 920 + 18 528 + 7 779, layer by layer."""
    for options in ({}, {"norm": "batch"}, {"upsampling": "transposed"}):
        network = TransformationNet(PAPER_WIDTHS, ends="paper", **options)  # type: ignore[arg-type]
        assert sum(p.numel() for p in network.parameters()) == 1_679_235


def test_light_ends_by_hand() -> None:
    """Weights and biases of every convolution, and γ and β of all but the two at full size."""
    a, b, c = WIDTHS
    assert BLOCKS == 5
    at_half = [(c, b, 9), (3, b, 36), *[(b, b, 9)] * 2 * 2]
    convolutions = [(3, c, 144), *[(c, c, 9)] * 2 * 3, *at_half, (b, a, 9), (a, 3, 9)]
    weights = sum(before * after * taps + after for before, after, taps in convolutions)
    assert sum(p.numel() for p in TransformationNet().parameters()) == weights + 2 * (c + 6 * c + 2 * b + 4 * b)


def test_a_frame_of_reflection_is_painted_and_cut_off() -> None:
    """Seen without one, a picture that is reflected by hand gives the same."""
    network, photo = tiny(), picture(32, 40)
    by_hand = np.pad(photo.numpy(), ((0, 0), (0, 0), (8, 8), (8, 8)), mode="reflect")
    with torch.no_grad():
        framed = network(photo)
        network.frame = 0
        torch.testing.assert_close(framed, network(torch.from_numpy(by_hand))[..., 8:-8, 8:-8])


def test_reflection_draws_no_frame_and_transposed_convolutions_do() -> None:
    """A flat picture: wherever a convolution sees the same everywhere, its answer is the same everywhere."""
    # Double precision: the variance of what is flat is zero, so instance normalisation enlarges rounding 300-fold.
    flat = torch.full((1, 3, 40, 48), 0.3, dtype=torch.float64)
    plain: Callable[[int], nn.Module] = lambda channels: nn.Identity()  # noqa: E731
    for options in ({}, {"norm": "batch"}, {"norm": plain}):
        with torch.no_grad():
            made = tiny(**options).double().eval()(flat)
        assert (made.amax((2, 3)) - made.amin((2, 3))).max() < 1e-4, options
        assert (made - made[..., 20:21, 24:25]).abs()[..., 0, :].max() < 1e-4  # border equals interior
    with torch.no_grad():
        made = tiny(norm=plain, upsampling="transposed").double()(flat)
    assert (made.amax((2, 3)) - made.amin((2, 3))).max() > 0.01


def test_what_is_no_picture_for_it_is_refused() -> None:
    for image, words in ((torch.rand(3, 32, 32), r"\(3, 32, 32\)"), ("photo.jpg", "this is str")):
        with pytest.raises(ValueError, match=words):
            NETWORKS["nearest"](image)
    with pytest.raises(ValueError, match="15x40 is too small for this network: at least 16 px"):
        NETWORKS["nearest"](torch.rand(1, 3, 15, 40))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"norm": "layer"}, "unknown norm 'layer'; there are instance, batch"),
        ({"ends": "heavy"}, "ends must be 'light' or 'paper', not 'heavy'"),
        ({"upsampling": "bilinear"}, "upsampling must be 'nearest' or 'transposed', not 'bilinear'"),
        ({"widths": (8, 16)}, r"widths must be three numbers.*\(8, 16\)"),
    ],
)
def test_networks_that_cannot_be_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TransformationNet(**options)  # type: ignore[arg-type]


# --- the losses -------------------------------------------------------------------------------------------------------


class Painted(nn.Module):
    """In place of a network: these pastiches, whatever the photos."""

    def __init__(self, pastiche: Tensor) -> None:
        super().__init__()
        self.pastiche = nn.Parameter(pastiche)

    def forward(self, photos: Tensor) -> Tensor:
        return self.pastiche


PHOTOS, PASTICHES = picture(48, 40, 2, seed=1), picture(48, 40, 2, seed=2)
STYLES = [picture(40, 56, seed=3), picture(40, 56, seed=4) ** 2]


def test_the_losses_are_lesson_02s_for_the_same_pictures() -> None:
    weights = {"content_weight": 3.0, "style_weight": 7.0, "tv_weight": 0.5}
    layers = {"content_layer": "relu2_2", "layer_weights": {"relu1_1": 0.5, "relu3_1": 2.0}}
    for options in ({}, weights, {**weights, **layers}, {"layer_weights": ["relu1_1", "relu2_1"], "tv_weight": 0.0}):
        model = Perceptual(Painted(PASTICHES), STYLES[:1], RANDOM, **options)  # type: ignore[arg-type]
        found = model(PHOTOS)
        expected: dict[str, list[float]] = {}
        for photo, pastiche in zip(PHOTOS, PASTICHES, strict=True):
            terms = gatys.objective(photo[None], STYLES[0], encoder=RANDOM, **model.objective)(pastiche[None])
            for name, value in terms.items():
                expected.setdefault("content" if name.startswith("content") else name, []).append(value.item())
        assert {name: value.item() for name, value in found.items()} == pytest.approx(
            {name: sum(both) / 2 for name, both in expected.items()}, rel=1e-4
        )
    assert "tv" not in found


def test_the_root_of_the_style_loss_and_the_weights_that_are_as_steep() -> None:
    weights, mini = {"relu1_1": 2.0, "relu3_1": 5.0}, Encoder("mini")
    model = Perceptual(Painted(PASTICHES), STYLES[:1], mini, layer_weights=weights, root=True)
    found, style = model(PHOTOS), mini(STYLES[0], list(weights))
    for name, weight in weights.items():
        wanted, each = losses.mean_gram(style[name]), mini(PASTICHES, [name])[name].split(1)
        errors = [float((losses.mean_gram(one) - wanted).norm() / wanted.norm()) for one in each]
        assert found[f"style {name}"].item() == pytest.approx(weight * sum(errors) / 2, rel=1e-2)
        loss = torch.tensor(losses.USUAL, requires_grad=True)
        (slope,) = torch.autograd.grad(weight * loss.sqrt(), loss)
        assert model.objective["layer_weights"][name] == pytest.approx(slope.item())  # type: ignore[index]


def test_losses_without_a_style_or_with_an_unknown_layer_are_refused() -> None:
    with pytest.raises(ValueError, match="no style to learn"):
        Perceptual(tiny(), [], RANDOM)
    with pytest.raises(ValueError, match="relu9_1"):
        Perceptual(tiny(), STYLES[:1], RANDOM, layer_weights="relu9_1")


# --- training and files -----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(folders: dict[str, Path]) -> Path:
    return folders["photos"]


SMALL = {"widths": (4, 4, 6), "blocks": 1}
RUN = {
    "network": SMALL,
    "size": 32,
    "batch": 2,
    "encoder": RANDOM,
    "report_every": 1,
    "warm_up": 2,
    "accelerator": "cpu",
}
STYLE = samples.style("mosaic", 40)


def trained(folder: Path, out: Path, **options: object) -> list[float]:
    """Losses step by step."""
    run = train_johnson([folder], STYLE, out=out, **(RUN | options))  # type: ignore[arg-type]
    return [sum(progress.losses.values()) for progress in run]


def test_training_learns_and_writes_what_it_learnt(folder: Path, tmp_path: Path) -> None:
    found = trained(folder, tmp_path / "mosaic.safetensors", steps=40, learning_rate=0.02)
    assert len(found) == 40 and sum(found[-4:]) < 0.9 * sum(found[:4])
    network = johnson.load(tmp_path / "mosaic.safetensors")
    assert not network.training and not any(p.requires_grad for p in network.parameters())
    assert network.about["style"] == "mosaic" and network.about["style_size"] == list(STYLE.shape[2:])
    assert network.about["widths"] == [4, 4, 6] and network.about["blocks"] == 1
    assert network.about["objective"]["style_weight"] == johnson.STYLE_WEIGHT


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_training_starts_from_given_weights(folder: Path, tmp_path: Path, norm: str) -> None:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    shape = SMALL | {"norm": norm, "noise": (1, 4, 16)}
    johnson.save(tiny(**shape), first)
    trained(folder, second, network=shape, steps=1, learning_rate=1e-12, start=first, seed=5)
    for name, value in read_weights(first).items():
        if "running" not in name:  # batch norm's statistics move with every batch
            torch.testing.assert_close(read_weights(second)[name], value)
    with pytest.raises(WeightsError, match=r"first\.safetensors"):
        trained(folder, tmp_path / "third.safetensors", network=shape | {"blocks": 2}, steps=1, start=first)


@pytest.mark.parametrize(("name", "rows"), [("b", [1]), ("new", [0, 1])])
def test_training_starts_from_a_style_of_lesson_04(folder: Path, tmp_path: Path, name: str, rows: list[int]) -> None:
    """From the style of that name; from the mean of all if it is new."""
    many = StyleNet(["a", "b"], **SMALL, noise=(1, 4))  # type: ignore[arg-type]
    for norm in many.norms():
        nn.init.normal_(norm.gamma), nn.init.normal_(norm.beta)
    write_weights(tmp_path / "many.safetensors", many.state_dict(), many.about)
    start, out = tmp_path / "many.safetensors", tmp_path / "one.safetensors"
    trained(folder, out, steps=1, learning_rate=1e-12, start=start, name=name)
    for key, value in read_weights(start).items():
        wanted = value.float()
        if key.endswith(("gamma", "beta")):
            wanted = sum(wanted[row] for row in rows) / len(rows)
        torch.testing.assert_close(read_weights(out)[key].float(), wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_files_hold_the_network_to_half_precision(tmp_path: Path, norm: str) -> None:
    path = tmp_path / "net.safetensors"
    network = tiny(norm=norm, upsampling="transposed").train()
    with torch.no_grad():
        network(picture(24, 24, 2))  # moves batch norm's statistics
    network.eval()
    johnson.save(network, path, style="dots")
    again = johnson.load(path)
    assert read_about(path) == {
        "widths": [4, 6, 8], "blocks": 1, "norm": norm, "upsampling": "transposed", "noise": [], "ends": "light",
        "style": "dots",
    }  # fmt: skip
    with torch.no_grad():
        assert torch.allclose(again(PHOTOS), network(PHOTOS), atol=0.02)


def test_a_file_of_an_earlier_edition_has_the_papers_ends(tmp_path: Path) -> None:
    network = tiny(ends="paper").eval()
    about = {key: value for key, value in network.about.items() if key != "ends"}
    write_weights(tmp_path / "old.safetensors", network.state_dict(), about)
    again = johnson.load(tmp_path / "old.safetensors")
    assert again.about["ends"] == "paper"
    with torch.no_grad():
        assert torch.allclose(again(PHOTOS), network(PHOTOS), atol=0.02)


# --- what ships -------------------------------------------------------------------------------------------------------


def test_each_shipped_network_paints() -> None:
    """Never grey, and another picture than the photo's; where the style may be shown, it is nearer to it."""
    photo, encoder = samples.content("china", 128), Encoder("mini")
    for name in johnson.styles():
        network = johnson.load(name)
        with torch.no_grad():
            made = network(photo)
        assert made.std() > 0.08 and (made - photo).abs().mean() > 0.05, name
        if name in samples.style_names():
            style = samples.style(name, min(network.about["style_size"]))
            terms = gatys.objective(photo, style, encoder=encoder, content_weight=0, style_weight=1.0)
            assert sum(terms(made).values()) < 0.5 * sum(terms(photo).values()), name


def test_instance_norm_has_the_right_gradient() -> None:
    norm = InstanceNorm(2).double()
    assert torch.autograd.gradcheck(norm, torch.randn(2, 2, 3, 3, dtype=torch.float64, requires_grad=True))


def test_transposed_convolutions_overlap_unevenly_and_enlarged_pictures_do_not() -> None:
    """Of ones with weights of one: how many inputs reach each place."""
    transposed, nearest = transformation._transposed(1, 1), transformation._enlarge(1, 1)
    for module in (transposed, nearest):
        for parameter in module.parameters():
            nn.init.ones_(parameter) if parameter.ndim > 1 else nn.init.zeros_(parameter)
    ones, board = torch.ones(1, 1, 6, 6), torch.tensor([[1.0, 2.0], [2.0, 4.0]])
    with torch.no_grad():
        assert torch.equal(transposed(ones)[0, 0, :-1, :-1], board.repeat(6, 6)[:-1, :-1])  # the checkerboard
        assert torch.equal(nearest(ones), torch.full((1, 1, 12, 12), 9.0))


def test_an_enlarged_picture_is_each_pixel_four_times_and_then_a_convolution() -> None:
    up = transformation._enlarge(2, 3)
    x = torch.randn(1, 2, 5, 4)
    large = torch.zeros(1, 2, 10, 8)
    for i in range(10):
        for j in range(8):
            large[:, :, i, j] = x[:, :, i // 2, j // 2]
    conv = up[-1]
    expected = F.conv2d(F.pad(large, (1, 1, 1, 1), mode="reflect"), conv.weight, conv.bias)
    torch.testing.assert_close(up(x), expected)
