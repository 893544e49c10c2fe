"""AdaIN against closed forms in float64, the pipeline with a decoder that inverts exactly, training, what ships."""

import functools
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from pictures import Blocks, picture
from torch import Tensor, nn

from stylelearn import adain, adjustable, losses, samples, style_swap
from stylelearn.adain import AdaIN, Objective, Style, train_adain
from stylelearn.colour import match_colour, rgb_to_ycbcr
from stylelearn.encoders import Encoder
from stylelearn.images import psnr, resize
from stylelearn.networks import decoders
from stylelearn.weights import WeightsError, read_about, read_weights, write_weights

MINI = Encoder("mini")
SEEDS = st.integers(0, 2**31 - 1)
SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(2, 7), st.integers(2, 7))


def numbers(*shape: int, seed: int = 0) -> Tensor:
    """Float64 activations, each channel with a mean and a spread of its own."""
    generator = torch.Generator().manual_seed(seed)
    batch, channels = shape[:2]
    spread = 0.1 + 3 * torch.rand(batch, channels, 1, 1, generator=generator, dtype=torch.float64)
    level = 10 * torch.rand(batch, channels, 1, 1, generator=generator, dtype=torch.float64) - 5
    return torch.randn(shape, generator=generator, dtype=torch.float64) * spread + level


def close(found: Tensor, expected: Tensor, tolerance: float = 1e-6) -> None:
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


def untrained(encoder: Encoder = MINI, layer: str = adain.LAYER, beside: str | None = None) -> AdaIN:
    """A decoder of random numbers, whose pictures are about the middle grey and hardly leave [0, 1]."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = AdaIN(encoder, layer=layer, beside=beside).requires_grad_(False)
    made = net.painted(net.encode(picture(64, 64)))
    last = [part for part in net.decoder.modules() if isinstance(part, nn.Conv2d)][-1]
    last.weight.mul_(0.1 / made.std())
    last.bias.fill_(0.5)
    return net


NET = untrained()
SKIP = untrained(beside=adain.BESIDE).eval()  # in training noise differs with the last bit of the activations


# --- the formula ------------------------------------------------------------------------------------------------------


@given(SHAPES, st.tuples(st.integers(2, 6), st.integers(2, 6)), SEEDS)
def test_the_result_has_the_styles_moments(shape: tuple[int, ...], size: tuple[int, int], seed: int) -> None:
    x, y = numbers(*shape, seed=seed), numbers(*shape[:2], *size, seed=seed + 1)
    t = adain.adain(x, losses.moments(y))
    close(t.mean(dim=(2, 3)), y.mean(dim=(2, 3)), 1e-5)
    close(t.std(dim=(2, 3), correction=0), y.std(dim=(2, 3), correction=0), 1e-5)


def test_against_a_loop_and_one_style_for_a_batch() -> None:
    x, y = numbers(2, 3, 4, 5), numbers(1, 3, 6, 2, seed=1)
    found = adain.adain(x, losses.moments(y))
    for b in range(2):
        for c in range(3):
            one, other = x[b, c].numpy(), y[0, c].numpy()
            expected = other.std() * (one - one.mean()) / one.std() + other.mean()
            close(found[b, c], torch.from_numpy(expected))


# --- mixtures and masks -----------------------------------------------------------------------------------------------


def styles(count: int, channels: int = 4) -> list[Style]:
    return [Style(*losses.moments(numbers(1, channels, 5, 6, seed=10 + i))) for i in range(count)]


@given(st.lists(st.floats(0.01, 5), min_size=1, max_size=4), st.floats(0, 1), SEEDS)
def test_a_mixture_is_linear(shares: list[float], strength: float, seed: int) -> None:
    x, known = numbers(2, 4, 5, 6, seed=seed), styles(len(shares))
    weights = [share / sum(shares) for share in shares]
    t = sum(w * adain.adain(x, style) for w, style in zip(weights, known, strict=True))
    close(NET.blend(x, known, strength=strength, shares=shares), (1 - strength) * x + strength * t)
    # Mixing the tables of means and deviations, as conditional instance norm does, gives the same.
    table = [sum(w * style[i] for w, style in zip(weights, known, strict=True)) for i in (0, 1)]
    close(NET.blend(x, [Style(*table)], strength=strength), (1 - strength) * x + strength * t)


def test_shares_are_equal_by_default_and_only_their_proportion_counts() -> None:
    x, known = numbers(1, 4, 5, 6), styles(3)
    equal = NET.blend(x, known)
    close(equal, NET.blend(x, known, shares=[7, 7, 7]))
    close(NET.blend(x, known, shares=[0, 2, 0]), NET.blend(x, known[1:2]))
    everywhere = torch.ones(3, 40, 48)
    for masks in (None, everywhere):
        close(NET.blend(x, known, shares=[1e-9, 1e-9, 1e-9], masks=masks), equal)


def test_masks_say_where_each_style_counts() -> None:
    x, known = numbers(1, 4, 6, 8), styles(2)
    a, b = (adain.adain(x, style) for style in known)
    left = torch.zeros(48, 64)
    left[:, :32] = 1
    found = NET.blend(x, known, masks=torch.stack([left, 1 - left]))
    close(found[..., :3], a[..., :3])  # but for the cells beside the edge
    close(found[..., 5:], b[..., 5:])
    found = NET.blend(x, known, masks=torch.stack([left * 0 + 0.25, left * 0 + 0.75]))
    close(found, 0.25 * a + 0.75 * b)
    found = NET.blend(x, known, masks=torch.ones(2, 48, 64) * 200)  # a mask of 0 to 255
    close(found, (a + b) / 2)
    found = NET.blend(x, known, masks=torch.ones(2, 48, 64), shares=[3, 1])
    close(found, 0.75 * a + 0.25 * b)


def test_where_no_mask_is_the_content_stays_softly() -> None:
    x, known = numbers(1, 4, 6, 8), styles(1)
    t = adain.adain(x, known[0])
    for value, strength in ((0.0, 1.0), (0.01, 1.0), (1.0, 1.0), (0.5, 0.5)):
        share, mask = value * strength, torch.full((1, 48, 64), value)
        close(NET.blend(x, known, masks=mask, strength=strength), (1 - share) * x + share * t)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"strength": 1.5}, "strength must be from 0 to 1; got 1.5"),
        ({"strength": float("nan")}, "strength must be from 0 to 1"),
        ({"shares": [1.0]}, "shares must be 2 numbers from 0 up"),
        ({"shares": [0.0, 0.0]}, "not all 0"),
        ({"shares": [1.0, -1.0]}, "shares must be"),
        ({"masks": torch.ones(1, 8, 8)}, r"masks must be \(2, H, W\)"),
        ({"masks": -torch.ones(2, 8, 8)}, "from 0 up"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        NET.blend(numbers(1, 4, 5, 6), styles(2), **options)


def test_pictures_that_are_no_style_are_refused() -> None:
    small, large = picture(15, 40), picture(40, 40)
    for pair, words in (
        ((large, []), "at least one"),
        ((large, large.expand(3, -1, -1, -1)), r"a style is one picture \(1, 3, H, W\), not 3; give several as a list"),
        ((small, large), "a picture of 15x40 is too small for this network: at least 16 px a side"),
        ((large, [small]), "a picture of 15x40 is too small for this network: at least 16 px a side"),
    ):
        with pytest.raises(ValueError, match=words):
            NET(*pair)


# --- the pipeline -----------------------------------------------------------------------------------------------------


def test_beside_a_layer_come_its_neighbour_a_small_picture_and_the_code() -> None:
    content = picture(50, 61)
    found = SKIP.encode(content)
    padded = torch.nn.functional.pad(content, (0, 3, 0, 6), mode="reflect")  # to whole cells of relu4_1
    seen = MINI(padded, ["relu3_1", "relu4_1"])
    deep, near, small, code = found.split([77, 4 * 59, 48, decoders.AXES], dim=1)
    assert torch.equal(deep, seen["relu4_1"])
    for row in range(2):
        for column in range(2):
            assert torch.equal(near[:, 2 * row + column :: 4], seen["relu3_1"][..., row::2, column::2])
    half = torch.nn.functional.pixel_shuffle(torch.nn.functional.pixel_shuffle(small, 2), 2)
    close(half, rgb_to_ycbcr(torch.nn.functional.avg_pool2d(padded, 2)))
    assert torch.equal(code, code[..., :1, :1].expand_as(code)) and code.abs().max() <= 4


@pytest.mark.parametrize(("layer", "beside"), [("relu4_1", "relu2_1"), ("relu3_1", "relu3_1"), ("relu4_1", "pool3")])
def test_with_a_layer_beside_styles_meet_in_blocks_4_and_3(layer: str, beside: str) -> None:
    with pytest.raises(ValueError, match=f"block 4 and in one of block 3.*not in '{layer}' and '{beside}'"):
        AdaIN(MINI, layer=layer, beside=beside)


def test_the_whole_is_its_steps_for_each_picture_of_a_batch() -> None:
    contents, style = torch.cat([picture(64, 80), picture(64, 80, seed=2)]), picture(48, 56, seed=1)
    f = {name: MINI(image, adain.LAYER)[adain.LAYER] for name, image in (("c", contents), ("s", style))}
    t = adain.adain(f["c"], losses.moments(f["s"]))
    close(NET(contents, style), NET.decoder(t).clamp(0, 1), 1e-5)
    close(NET(contents, style, strength=0.3)[1:], NET.decoder(0.7 * f["c"][1:] + 0.3 * t[1:]).clamp(0, 1), 1e-5)
    f_c = SKIP.encode(contents)
    t = adain.adain(f_c, losses.moments(SKIP.encode(style)))
    close(SKIP(contents, style, strength=0.3), SKIP.painted(0.7 * f_c + 0.3 * t).clamp(0, 1), 1e-5)


@pytest.mark.parametrize("size", [(16, 16), (17, 31), (33, 100)])
def test_every_size_comes_back(size: tuple[int, int]) -> None:
    made = SKIP(picture(*size), picture(29, 50, seed=1))
    assert made.shape == (1, 3, *size)
    assert 0 <= float(made.min()) <= float(made.max()) <= 1


def test_with_a_decoder_that_inverts_exactly_the_pictures_moments_are_the_styles() -> None:
    net = AdaIN(Blocks(), nn.PixelShuffle(2), layer="relu2_1")
    content, style = picture(31, 24) * 0.2 + 0.4, picture(20, 20, seed=1) * 0.3 + 0.2
    close(net(content, style, strength=0), content, 1e-5)  # an odd height: filled up, and cut off
    close(net(content, content), content, 1e-4)
    even = content[..., :30, :]
    found = net(even, style)
    for row in range(2):
        for column in range(2):
            mine, theirs = (each[..., row::2, column::2] for each in (found, style))
            close(mine.mean(dim=(2, 3)), theirs.mean(dim=(2, 3)), 1e-4)
            close(mine.std(dim=(2, 3), correction=0), theirs.std(dim=(2, 3), correction=0), 1e-4)


def test_colours_are_kept_by_recolouring_the_style_first() -> None:
    content, style = picture(64, 80), picture(48, 56, seed=1)
    close(NET(content, style, colours=True), NET(content, match_colour(style, content)), 1e-5)
    both = torch.cat([content, picture(64, 80, seed=2)])
    one_by_one = [NET(one, style, colours=True) for one in both.split(1)]
    close(NET(both, style, colours=True), torch.cat(one_by_one), 1e-4)


def test_where_no_mask_is_the_photo_itself_stays() -> None:
    content, style = picture(64, 80), picture(48, 56, seed=1)
    inside = torch.zeros(64, 80)
    inside[16:48, 20:60] = 0.75
    for net in (NET, SKIP):
        found, whole = net(content, style, masks=inside[None]), net(content, style)
        close(found, (1 - inside) * content + inside * whole, 1e-5)
    other = picture(40, 40, seed=2)
    known = [SKIP.style(each) for each in (style, other)]
    masks = torch.stack([inside, 1 - inside])
    expected = SKIP.decode(SKIP.blend(SKIP.encode(content), known, masks=masks), (64, 80))
    close(SKIP(content, [style, other], masks=masks), expected, 1e-5)


def test_masks_change_the_code_from_place_to_place_and_the_pattern_nowhere() -> None:
    """The pattern is that of a mixture by the areas, half and half; the code is each style's own in its half."""
    content, styles_ = picture(64, 80), [picture(48, 56, seed=1), picture(40, 40, seed=2)]
    f_c, known = SKIP.encode(content), [SKIP.style(each) for each in styles_]
    left = torch.zeros(64, 80)
    left[:, :40] = 1
    t = SKIP.blend(f_c, known, masks=torch.stack([left, 1 - left]))
    pattern, codes = t[:, : -decoders.AXES], t[:, -decoders.AXES :]
    close(pattern, SKIP.blend(f_c, known)[:, : -decoders.AXES], 1e-5)
    close(codes[..., :4], known[0].mean[:, -decoders.AXES :].expand(-1, -1, 8, 4), 1e-4)
    close(codes[..., 6:], known[1].mean[:, -decoders.AXES :].expand(-1, -1, 8, 4), 1e-4)


# --- training ---------------------------------------------------------------------------------------------------------


def test_losses_by_hand() -> None:
    net = untrained(layer="relu3_1")
    objective = Objective(net, style_weight=3.0, reconstruction=2.0, tv_weight=0.5)
    contents = torch.cat([picture(32, 32, seed=i) for i in range(4)])
    styles_ = torch.cat([picture(32, 32, seed=10 + i) for i in range(3)] + [contents[3:]])
    found = objective((contents, styles_, torch.tensor([False] * 3 + [True])))
    f = MINI(contents, "relu3_1")["relu3_1"]
    seen_style = MINI(styles_, ["relu1_1", "relu2_1", "relu3_1"])
    t = adain.adain(f, losses.moments(seen_style["relu3_1"]))
    made = net.painted(t)
    seen = MINI(made, ["relu1_1", "relu2_1", "relu3_1"])
    expected = {"content": ((seen["relu3_1"] - t) ** 2).mean((1, 2, 3)).sqrt().mean()}  # a norm for each image
    for layer in seen:
        a, b = seen[layer].flatten(2), seen_style[layer].flatten(2)  # (B, C, M)
        means = ((a.mean(2) - b.mean(2)) ** 2).mean(1).sqrt()  # (B,): norms divided by the root of C
        spreads = ((a.std(2, correction=0) - b.std(2, correction=0)) ** 2).mean(1).sqrt()
        expected[f"style {layer}"] = 3 * (means + spreads).mean()
    difference = rgb_to_ycbcr(made[3:]) - rgb_to_ycbcr(contents[3:])
    expected["reconstruction"] = 2 * difference.square().mean((1, 2, 3)).sqrt().mean()
    expected["tv"] = 0.5 * losses.tv_loss(made)
    assert list(found) == list(expected)
    for name, value in expected.items():
        close(found[name], value, 1e-3)


def test_the_papers_losses_are_those_that_its_form_is_trained_for() -> None:
    net = untrained(layer="relu3_1")
    contents, styles_ = (torch.cat([picture(32, 32, seed=i + k) for i in range(2)]) for k in (0, 10))
    found = Objective(net, style_weight=1, reconstruction=0, tv_weight=0)((contents, styles_, torch.zeros(2).bool()))

    def f(image: Tensor) -> list[Tensor]:
        return list(MINI(image, ["relu1_1", "relu2_1", "relu3_1"]).values())

    def merge(x: Tensor, y: Tensor) -> Tensor:
        return adain.adain(x, losses.moments(y))

    def style_loss(x: Tensor, y: Tensor) -> Tensor:
        return losses.moments_loss(x, losses.moments(y)) / x.shape[1] ** 0.5

    content, style = adain.paper_losses(f, net.painted, merge, style_loss, contents, styles_)
    close(content, found.pop("content"))
    close(style, torch.stack(list(found.values())).sum(), 1e-5)


def test_losses_of_the_courses_decoder_by_hand() -> None:
    """Gram matrices; and where the style is the content, t is f(c) itself, whatever the size of the style picture."""
    objective = Objective(SKIP, style_weight=3.0, reconstruction=2.0, tv_weight=0)
    contents = torch.cat([picture(32, 32, seed=i) for i in range(2)])
    styles_ = torch.cat([picture(48, 48, seed=10 + i) for i in range(2)])
    found = objective((contents, styles_, torch.tensor([False, True])))
    f_c = SKIP.encode(contents)
    t = torch.cat([adain.adain(f_c[:1], losses.moments(SKIP.encode(styles_[:1]))), f_c[1:]])
    made = SKIP.painted(t)
    seen, wanted = (MINI(images, ["relu1_1", "relu2_1", "relu3_1", "relu4_1"]) for images in (made, styles_))
    expected = {"content": ((seen["relu4_1"] - t[:, :77]) ** 2).mean((1, 2, 3)).sqrt().mean()}
    for layer, factor in adain.FACTORS.items():
        a, b = (torch.einsum("bihw,bjhw->bij", x, x) / x[0, 0].numel() for x in (seen[layer], wanted[layer]))
        relative = ((a - b) ** 2).sum((1, 2)) / (b**2).sum((1, 2))
        expected[f"style {layer}"] = 3 * factor * (relative + 1e-4).sqrt().mean()
    difference = rgb_to_ycbcr(made[1:]) - rgb_to_ycbcr(contents[1:])
    expected["reconstruction"] = 2 * 4 * difference.square().mean((1, 2, 3)).sqrt().mean() / 2
    assert list(found) == list(expected)
    for name, value in expected.items():
        close(found[name], value, 1e-3)
    assert "spikes" in Objective(untrained(beside=adain.BESIDE).train())((contents, styles_, torch.zeros(2).bool()))


def test_content_is_compared_with_t_and_only_the_decoder_learns() -> None:
    net = AdaIN(MINI, layer="relu2_1")
    batch = picture(32, 32), picture(32, 32, seed=1), torch.tensor([False])
    sum(Objective(net)(batch).values()).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.decoder.parameters())
    assert all(p.grad is None for p in MINI.parameters())

    exact = AdaIN(Blocks(), nn.PixelShuffle(2), layer="relu2_1")
    objective = Objective(exact, tv_weight=0, reconstruction=0)
    assert objective.layers == ["relu2_1"]
    found = objective(batch)
    assert float(found["content"]) < 1.1e-4  # f(g(t)) is t, and not f(c): that would be far away
    assert float(found["style relu2_1"]) < 1e-4


def options(folders: dict[str, Path], out: Path, **more: Any) -> dict[str, Any]:
    return {
        "photos": [folders["photos"]], "styles": [folders["styles"]], "out": out, "encoder": MINI, "layer": "relu2_1",
        "beside": None, "size": 32, "batch": 4, "learning_rate": 2e-3, "warm_up": 1, "report_every": 2,
        "accelerator": "cpu", **more,
    }  # fmt: skip


@pytest.mark.parametrize(("layer", "beside"), [("relu2_1", None), ("relu4_1", "relu3_1")])
def test_a_few_steps_learn_are_written_and_loaded(
    layer: str, beside: str | None, folders: dict[str, Path], tmp_path: Path
) -> None:
    options_ = functools.partial(options, folders, layer=layer, beside=beside)
    seen = list(train_adain(**options_(tmp_path / "own.safetensors", steps=30, report_every=5)))
    assert [progress.step for progress in seen] == [5, 10, 15, 20, 25, 30]
    assert sum(seen[-1].losses.values()) < 0.8 * sum(seen[0].losses.values())
    out = tmp_path / "own.safetensors"
    about = read_about(out)
    assert about["training"]["steps"] == 30 and about.items() >= {"encoder": "mini", "layer": layer}.items()
    assert {value.dtype for value in read_weights(out).values()} == {torch.float16}
    net = adain.load(out, encoder=MINI)
    assert (net.layer, net.beside) == (layer, beside) and not any(p.requires_grad for p in net.parameters())
    assert net(picture(33, 40), picture(20, 24, seed=1)).shape == (1, 3, 33, 40)
    again = list(train_adain(**options_(tmp_path / "on.safetensors", steps=2, start=out)))
    first, untaught = (sum(each[0].losses.values()) for each in (again, seen))
    assert first < untaught  # begins where the other ended


def test_training_refuses_what_cannot_be(folders: dict[str, Path], tmp_path: Path) -> None:
    for name, value, words in (
        ("size", 20, "size must be a multiple of 8 from 16 on; it is 20"),
        ("style_size", 100, "style_size must be a multiple of 8 from 16 on; it is 100"),
        ("layer", "conv2_1", "there is no decoder from 'conv2_1'"),
    ):
        with pytest.raises(ValueError, match=words):
            next(train_adain(**options(folders, tmp_path / "x.safetensors", steps=1, layer="relu4_1") | {name: value}))


# --- weights ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [adain, style_swap, adjustable], ids=lambda module: module.__name__.split(".")[1])
def test_networks_belong_to_their_encoder_and_layers(module: Any, tmp_path: Path) -> None:
    path, state, about = tmp_path / "own.safetensors", {"x": torch.zeros(1)}, {"encoder": "mini"}
    write_weights(path, state, about | {"encoder": "vgg19"})
    with pytest.raises(WeightsError, match="trained for the encoder 'vgg19', not for 'mini'"):
        module.load(path, encoder=MINI)
    write_weights(path, state, about)
    with pytest.raises(WeightsError, match="is this the checkpoint of another network"):
        module.load(path, encoder=MINI)


@pytest.fixture(scope="module")
def shipped() -> AdaIN:
    return adain.load()


def test_the_shipped_decoder_gives_photos_back(shipped: AdaIN) -> None:
    """g(f(x)) at the size that labs show, on photos that training never saw; with the photo as its own style, too."""
    found = {}
    for name, x in photos(256).items():
        rebuilt = shipped.decode(shipped.encode(x), x.shape[2:])
        assert psnr(shipped(x, x), rebuilt) > 60  # AdaIN(f(x), f(x)) = f(x)
        found[name] = psnr(rebuilt, x)
    assert max(found.values()) >= 23 and min(found.values()) > 18
    assert sorted(found.values())[len(found) // 2] >= 20.5, found


@pytest.mark.parametrize(("name", "left"), [("adain", 1 / 2), ("paper", 2 / 3)])
def test_the_shipped_decoders_move_the_moments_towards_the_style(name: str, left: float) -> None:
    """In each layer a half of the distance is gone at least, or a third, summed over the course's styles."""
    content, shipped = samples.content("chelsea", 128), adain.load(name)
    layers = adain.STYLE_LAYERS[: adain.STYLE_LAYERS.index(shipped.layer) + 1]
    after, before = dict.fromkeys(layers, 0.0), dict.fromkeys(layers, 0.0)
    own = shipped.encoder(content, layers)
    for style_name in samples.style_names():
        style = samples.style(style_name, 128)
        made, wanted = (shipped.encoder(image, layers) for image in (shipped(content, style), style))
        for layer in layers:
            target = losses.moments(wanted[layer])
            after[layer] += float(losses.moments_loss(made[layer], target))
            before[layer] += float(losses.moments_loss(own[layer], target))
    assert all(after[layer] < left * before[layer] for layer in layers), (before, after)


def test_the_papers_form_has_the_papers_losses_and_nothing_else() -> None:
    found = Objective(AdaIN(MINI))((picture(16, 16), picture(16, 16, seed=1), torch.zeros(1).bool()))
    assert [*found] == ["content", *(f"style {layer}" for layer in adain.STYLE_LAYERS)]


def photos(size: int) -> dict[str, Tensor]:
    return {name: resize(samples.content(name), size) for name in samples.content_names()}


def test_a_flat_channel_becomes_the_styles_mean() -> None:
    x = torch.full((1, 2, 4, 4), 3.0)
    style = (torch.tensor([1.0, -2.0]).view(1, 2, 1, 1), torch.tensor([5.0, 0.5]).view(1, 2, 1, 1))
    close(adain.adain(x, style), style[0].expand(1, 2, 4, 4))


def test_hardly_ever_grey(shipped: AdaIN) -> None:
    """Where the two differ visibly, the mean colour is nearer to the style's than to the content's, 19 times of 20."""
    wrong, pairs = [], 0
    contents = {name: (image, shipped.encode(image)) for name, image in photos(128).items()}
    for style_name in samples.style_names():
        style = samples.style(style_name, 128)
        known = shipped.style(style)
        for name, (content, features) in contents.items():
            made = shipped.decode(shipped.blend(features, [known]), content.shape[2:])
            mine, theirs, own = (image.mean(dim=(2, 3)) for image in (made, style, content))
            if float((theirs - own).norm()) > 0.1 and float((mine - theirs).norm()) >= float((mine - own).norm()):
                wrong.append(f"{name} as {style_name}")
            pairs += 1
    assert len(wrong) <= 0.05 * pairs, wrong
