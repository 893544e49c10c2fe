"""What tests share: random pictures and weights, encoders that forget nothing, what each layer sees, fonts of boxes."""

from pathlib import Path

import torch
import torch.nn.functional as F
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from torch import Tensor, nn

from stylelearn.encoders import MEAN, STD
from stylelearn.images import write_image


def picture(height: int = 64, width: int = 64, batch: int = 1, *, seed: int = 0) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))


def random_image(height: int, width: int, seed: int = 0, batch: int = 1) -> Tensor:
    """Values that 8 bits can hold exactly."""
    levels = torch.randint(0, 256, (batch, 3, height, width), generator=torch.Generator().manual_seed(seed))
    return levels.float() / 255


class Plain:
    """An encoder that hands on the picture itself, or some of its channels, as all of its layers."""

    name = "plain"

    def __init__(self, channels: int = 3) -> None:
        self.channels = channels

    def __call__(self, image: Tensor, layers: object) -> dict[str, Tensor]:
        return {layer: image[:, : self.channels] for layer in layers}


class Blocks(nn.Module):
    """An encoder that forgets nothing: 2×2 pixels of a colour become four channels."""

    name = "mini"
    layers = ("relu2_1",)

    def forward(self, image: Tensor, layers: object) -> dict[str, Tensor]:
        return {"relu2_1": F.pixel_unshuffle(image, 2)}


def crops(batch: int, size: int = 64, seed: int = 0) -> Tensor:
    """Smooth random pictures, so that neighbouring cells see something alike."""
    small = torch.rand(batch, 3, size // 8, size // 8, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(small, size=(size, size), mode="bicubic").clamp(0, 1)


def randomise(model: nn.Module) -> nn.Module:
    """Random weights that neither die out nor blow up on the way down, and batch norms as after some training."""
    generator = torch.Generator().manual_seed(0)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            nn.init.uniform_(layer.bias, -0.2, 0.2, generator=generator)
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5, generator=generator)
            nn.init.uniform_(layer.bias, -0.3, 0.5, generator=generator)
            nn.init.uniform_(layer.running_mean, -0.3, 0.3, generator=generator)
            nn.init.uniform_(layer.running_var, 0.3, 2.0, generator=generator)
    return model.eval()


class Batches:
    """Batch n: four crops that only depend on n."""

    def __getitem__(self, number: int) -> Tensor:
        return crops(4, seed=number)


def folder_of_crops(folder: Path, count: int) -> Path:
    folder.mkdir()
    for i in range(count):
        write_image(crops(1, seed=i), folder / f"{i:02}.png")
    return folder


def normalised(image: Tensor) -> Tensor:
    return (image - torch.tensor(MEAN).view(3, 1, 1).to(image)) / torch.tensor(STD).view(3, 1, 1).to(image)


def activations(layers: nn.ModuleDict, image: Tensor) -> dict[str, Tensor]:
    x, found = normalised(image), {}
    with torch.no_grad():
        for name, layer in layers.items():
            x = found[name] = layer(x)
    return found


def font_file(folder: Path, boxes: dict[str, tuple[int, int, int, int]], name: str = "boxes") -> Path:
    """A font of rectangles (left, bottom, right, top) in thousandths of an em; one without area is blank."""
    names = {letter: f"u{ord(letter):x}" for letter in boxes}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap({ord(letter): glyph for letter, glyph in names.items()})
    drawn = {".notdef": TTGlyphPen(None).glyph()}
    for letter, (left, bottom, right, top) in boxes.items():
        pen = TTGlyphPen(None)
        if right > left:
            pen.moveTo((left, bottom))
            for place in ((left, top), (right, top), (right, bottom)):
                pen.lineTo(place)
            pen.closePath()
        drawn[names[letter]] = pen.glyph()
    builder.setupGlyf(drawn)
    builder.setupHorizontalMetrics(dict.fromkeys(drawn, (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": name, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    path = folder / f"{name}.ttf"
    builder.save(path)
    return path
