"""Folding batch norm, waking silent channels, and putting channels on one scale: what changes and what must not."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelearn.encoders import ARCHITECTURES, MEAN, STD, vgg_layers
from stylelearn.networks.rescaling import equalise, folded

WIDTHS, REPEATS, PADDING = ARCHITECTURES["mini"]


def crops(batch: int, size: int = 64, seed: int = 0) -> Tensor:
    """Smooth random pictures, so that neighbouring cells see something alike."""
    small = torch.rand(batch, 3, size // 8, size // 8, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(small, size=(size, size), mode="bicubic").clamp(0, 1)


def normalised(image: Tensor) -> Tensor:
    return (image - torch.tensor(MEAN).view(3, 1, 1).to(image)) / torch.tensor(STD).view(3, 1, 1).to(image)


def student(seed: int = 0) -> nn.ModuleDict:
    """`mini` with batch norm, everything in it random, as after some training."""
    generator = torch.Generator().manual_seed(seed)
    layers = vgg_layers(WIDTHS, REPEATS, padding=PADDING, batch_norm=True)
    for layer in layers.values():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            nn.init.uniform_(layer.bias, -0.2, 0.2, generator=generator)
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5, generator=generator)
            nn.init.uniform_(layer.bias, -0.3, 0.5, generator=generator)
            nn.init.uniform_(layer.running_mean, -0.3, 0.3, generator=generator)
            nn.init.uniform_(layer.running_var, 0.3, 2.0, generator=generator)
    return layers.eval()


def answers(layers: nn.ModuleDict, image: Tensor) -> dict[str, Tensor]:
    x, found = normalised(image), {}
    with torch.no_grad():
        for name, layer in layers.items():
            x = found[name] = layer(x)
    return found


def test_folding_changes_no_layer() -> None:
    with_norm = student()
    plain = folded(with_norm)
    assert not any(name.startswith("norm") for name in plain) and not any(
        p.requires_grad is False for p in plain.parameters()
    )
    image = crops(2).double()
    before, after = answers(with_norm.double(), image), answers(plain.double(), image)
    for name, value in after.items():
        wanted = before[name.replace("conv", "norm")]
        torch.testing.assert_close(value, wanted, rtol=1e-4, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


def test_equalising_makes_means_one_and_changes_no_function() -> None:
    plain = folded(student())
    images = [crops(3, 64, seed=1), crops(1, 32, seed=2)]  # batches of different sizes: each position counts the same
    original = {key: value.double() for key, value in plain.state_dict().items()}
    means = equalise(plain, images)

    before_layers = vgg_layers(WIDTHS, REPEATS, padding=PADDING).double()
    before_layers.load_state_dict(original)
    before = [answers(before_layers, image.double()) for image in images]
    after = [answers(plain.double(), image.double()) for image in images]
    for name, mean in means.items():
        old = torch.cat([found[name].transpose(0, 1).flatten(1) for found in before], dim=1)  # (C, positions)
        new = torch.cat([found[name].transpose(0, 1).flatten(1) for found in after], dim=1)
        fires = old.mean(dim=1) > 1e-3
        assert fires.float().mean() > 0.5
        torch.testing.assert_close(new.mean(dim=1)[fires], torch.ones_like(mean[fires]).double(), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(mean[fires].double(), old.mean(dim=1)[fires], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(new * mean.view(-1, 1), old, rtol=1e-4, atol=1e-5)
        assert (mean[~fires] == 1).all()


def test_silent_channels_stay() -> None:
    plain = folded(student())
    with torch.no_grad():
        plain["conv2_1"].bias[3] = -1e4  # never fires
    weight = plain["conv2_1"].weight[3].clone()
    means = equalise(plain, [crops(2)])
    assert means["relu2_1"][3] == 1
    first = means["relu1_2"].view(-1, 1, 1)
    torch.testing.assert_close(plain["conv2_1"].weight[3] / first, weight)  # but for what undoes the layer before
    assert all(torch.isfinite(p).all() for p in plain.parameters())
