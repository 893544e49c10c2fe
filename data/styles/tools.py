"""What the style programs share: noise fields, palettes, brush strokes, paper and paint relief.

Pictures are drawn on a square canvas of `CANVAS` pixels, twice the final size, with positions and lengths in
canvas pixels, and reduced with antialiasing at the end. Colours are sRGB floats in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

SIZE = 512  # pixels of the finished picture
CANVAS = 2 * SIZE  # pixels of the canvas it is drawn on
Array = NDArray[np.float32]
Labels = NDArray[np.int64]  # a number for each pixel: the piece that it belongs to
Rng = np.random.Generator
Box = tuple[slice, slice]  # rows and columns of the canvas
Points = Sequence[tuple[float, float]]


# ------------------------------------------------------------------------------------------- colour
def rgb(code: str) -> Array:
    """The colour of a hexadecimal code such as "e0b050", (3,) in [0, 1]."""
    return np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)], np.float32) / 255


def palette(codes: str) -> Array:
    """Colours of a string of codes separated by blanks, (N, 3)."""
    return np.stack([rgb(code) for code in codes.split()])


def ramp(colours: str | Array, position: ArrayLike) -> Array:
    """Colours along a palette: position 0 is its first colour, 1 its last; (…) -> (…, 3)."""
    stops = palette(colours) if isinstance(colours, str) else colours
    at = np.clip(np.asarray(position, np.float32), 0, 1) * (len(stops) - 1)
    low = np.minimum(at.astype(int), len(stops) - 2)
    part = (at - low)[..., None]
    return (stops[low] * (1 - part) + stops[low + 1] * part).astype(np.float32)


def jitter(colour: Array, rng: Rng, light: float = 0.05, hue: float = 0.03) -> Array:
    """A colour (…, 3) mixed by hand: each one a little lighter or darker, and of a slightly different hue."""
    shape = (*np.shape(colour)[:-1], 1)
    return np.clip(colour + light * rng.normal(size=shape) + hue * rng.normal(size=np.shape(colour)), 0, 1)


def mix(under: Array, over: ArrayLike, alpha: ArrayLike) -> Array:
    """`over` laid on `under` (H, W, 3) where the mask alpha (H, W) says so."""
    part = np.asarray(alpha, np.float32)[..., None]
    return under * (1 - part) + np.asarray(over, np.float32) * part


# ------------------------------------------------------------------------------------------- fields
def grid(size: int = CANVAS) -> tuple[Array, Array]:
    """The x and y position of every pixel's centre in [0, 1], each (size, size)."""
    line = ((np.arange(size) + 0.5) / size).astype(np.float32)
    return np.broadcast_to(line, (size, size)), np.broadcast_to(line[:, None], (size, size))


def noise(rng: Rng, scale: float | tuple[float, float], octaves: int = 1, size: int = CANVAS) -> Array:
    """Smooth random field, mean 0 and standard deviation 1, (size, size).

    Args:
        rng: where the numbers come from.
        scale: size of its largest features in pixels; a pair is (down, across).
        octaves: how many finer copies are added, each half as large and half as strong.
        size: side of the field.
    """
    down, across = scale if isinstance(scale, tuple) else (scale, scale)
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        step = 2.0**octave
        shape = tuple(max(2, round(size * step / length)) + 3 for length in (down, across))
        coarse = Image.fromarray(rng.normal(size=shape).astype(np.float32))
        total += np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC)) / step
    return (total - total.mean()) / total.std()


def warp(field: Array, dx: ArrayLike, dy: ArrayLike, order: int = 1) -> Array:
    """`field` (H, W) or (H, W, 3) looked up dx, dy pixels away from each position."""
    rows, columns = np.mgrid[0 : field.shape[0], 0 : field.shape[1]].astype(np.float32)
    where = [rows + dy, columns + dx]
    if field.ndim == 2:
        return ndimage.map_coordinates(field, where, order=order, mode="reflect")
    return np.stack([ndimage.map_coordinates(c, where, order=order, mode="reflect") for c in field.T.swapaxes(1, 2)], 2)


def step(edge: ArrayLike, value: ArrayLike, softness: float) -> Array:
    """0 where value is below edge, 1 above, smooth over `softness` between."""
    t = np.clip((np.asarray(value, np.float32) - edge) / softness + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


def blur(field: Array, sigma: float) -> Array:
    """Gaussian blur of (H, W) or of each channel of (H, W, 3); a wide one of (H, W) is taken at a quarter size."""
    if sigma > 8 and field.ndim == 2:
        small = Image.fromarray(np.asarray(field, np.float32)).reduce(4)
        soft = Image.fromarray(ndimage.gaussian_filter(np.asarray(small), sigma / 4, mode="reflect", truncate=3))
        return np.asarray(soft.resize(field.shape[::-1], Image.Resampling.BICUBIC))
    return ndimage.gaussian_filter(field, (sigma, sigma, 0)[: field.ndim], mode="reflect", truncate=3)


def polygon(points: Points, size: int = CANVAS, fine: int = 2) -> Array:
    """Antialiased mask of a polygon given in canvas pixels, (size, size) in [0, 1]."""
    image = Image.new("L", (size * fine, size * fine))
    ImageDraw.Draw(image).polygon([(x * fine, y * fine) for x, y in points], fill=255)
    return np.asarray(image.reduce(fine), np.float32) / 255


def scatter(rng: Rng, spacing: float, size: int = CANVAS, margin: float = 0.0) -> Array:
    """Positions (N, 2) as (x, y) on a shaken hexagonal grid that overlaps the border, in random order."""
    row_height = spacing * 0.866
    rows = np.arange(-margin - spacing, size + margin + spacing, row_height)
    columns = np.arange(-margin - spacing, size + margin + spacing, spacing)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    x = x + spacing / 2 * (np.arange(len(rows)) % 2)[:, None]
    points = np.stack([x.ravel(), y.ravel()], 1) + rng.normal(scale=0.28 * spacing, size=(x.size, 2))
    return rng.permutation(points).astype(np.float32)


def box_around(x: float, y: float, reach: float) -> Box:
    """The part of the canvas within `reach` pixels of a point; may be empty."""
    top, left = (int(min(max(0, c - reach), CANVAS)) for c in (y, x))
    bottom, right = (int(min(max(0, c + reach + 1), CANVAS)) for c in (y, x))
    return slice(top, bottom), slice(left, right)


def sample(field: Array, x: ArrayLike, y: ArrayLike) -> Array:
    """The field's value at the nearest pixel; positions outside take the border's."""
    rows = np.clip(np.asarray(y), 0, field.shape[0] - 1).astype(int)
    columns = np.clip(np.asarray(x), 0, field.shape[1] - 1).astype(int)
    return field[rows, columns]


# -------------------------------------------------------------------------------------------- paint
class Paint:
    """A canvas that carries colour (H, W, 3) and the thickness of the paint (H, W)."""

    def __init__(self, ground: Array, rng: Rng) -> None:
        self.rgb = np.array(np.broadcast_to(ground, (CANVAS, CANVAS, 3)), np.float32)
        self.height = np.zeros((CANVAS, CANVAS), np.float32)
        self.rng = rng
        hairs = noise(rng, (2.5, 220), 1, 512) + 0.6 * noise(rng, (7, 300), 1, 512) + 0.35 * noise(rng, 5, 1, 512)
        self.hairs = (hairs / hairs.std()).astype(np.float32)  # what the hairs of a brush leave, along its axis 1

    def stroke(
        self,
        x: float,
        y: float,
        angle: float,
        length: float,
        width: float,
        colour: Array,
        *,
        curve: float = 0.0,
        square: float = 0.0,
        hairs: float = 0.05,
        dry: float = 0.0,
        body: float = 1.0,
        opacity: float = 1.0,
        second: Array | None = None,
    ) -> None:
        """One stroke of a brush or a knife, bent like a parabola.

        Args:
            x, y: its middle. angle: its direction in radians, clockwise from the right.
            length, width: in pixels. curve: bend, 1 / radius in pixels.
            square: 0 has round ends like a brush, 1 straight ones like a knife.
            hairs: how much lightness differs from hair to hair. dry: share of the canvas that it leaves bare.
            body: thickness of the paint. opacity: 1 covers. second: another colour, not quite mixed in.
        """
        reach = 0.5 * length + 0.6 * width + abs(curve) * length * length / 8 + 2
        top, bottom = max(0, int(y - reach)), min(CANVAS, int(y + reach) + 1)
        left, right = max(0, int(x - reach)), min(CANVAS, int(x + reach) + 1)
        if top >= bottom or left >= right:
            return
        dx = np.arange(left, right, dtype=np.float32) - np.float32(x)
        dy = (np.arange(top, bottom, dtype=np.float32) - np.float32(y))[:, None]
        cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        along = dx * cosine + dy * sine
        across = dy * cosine - dx * sine - np.float32(curve / 2) * along * along
        v = across * np.float32(2 / width)  # -1 … 1 from edge to edge
        beyond = np.maximum(np.abs(along) - np.float32(max(0.0, 0.5 * (length - width))), 0) * np.float32(2 / width)
        if square:
            beyond *= 1 - square * np.minimum(np.abs(v), 1) * 0.55
        radius = np.sqrt(v * v + beyond * beyond) if square < 1 else np.maximum(np.abs(v), beyond)
        # one hair leaves the same trace along the stroke: look the texture up in the stroke's own coordinates
        shift = self.rng.integers(0, 512, 2)
        hair = self.hairs[(across + shift[0]).astype(np.int32) & 511, (along + shift[1]).astype(np.int32) & 511]
        edge = np.float32(1) - radius + 0.13 * hair
        alpha = np.clip(edge * np.float32(width / 3.0), 0, 1)
        if dry:
            thin = dry * (1.2 + along * np.float32(2.2 / length))
            alpha *= np.clip((hair + 1.6 - 2.0 * thin) * 2.5, 0, 1)
        alpha *= np.float32(opacity)
        tint = np.asarray(colour, np.float32)
        if second is not None:
            part = np.clip(0.5 + 0.45 * hair + 0.5 * v, 0, 1)[..., None]
            tint = tint * (1 - part) + second * part
        else:
            tint = np.broadcast_to(tint, (*alpha.shape, 3))
        box = (slice(top, bottom), slice(left, right))
        cover = alpha[..., None]
        self.rgb[box] += cover * (tint + (hairs * hair)[..., None] - self.rgb[box])
        wedge = square * (0.45 * v + 0.5 * np.minimum(np.abs(v), 1) ** 5)  # a knife leaves more paint at one side
        ridge = body * (0.55 + 0.45 * (1 - square) * np.minimum(v * v, 1) + wedge + 0.3 * (1 - 0.6 * square) * hair)
        self.height[box] += alpha * (0.35 * self.height[box] + ridge - self.height[box])

    def cover(
        self,
        design: Array,
        angle: Array,
        width: float,
        length: float,
        spacing: float,
        *,
        where: Callable[[float, float], bool] | None = None,
        light: float = 0.05,
        hue: float = 0.03,
        wobble: float = 0.15,
        **how: float,
    ) -> None:
        """Paint a design (H, W, 3) with strokes along the field `angle` (H, W); other arguments as in `stroke`."""
        for x, y in scatter(self.rng, spacing):
            if where is not None and not where(x, y):
                continue
            size = np.exp(0.22 * self.rng.normal())
            colour = jitter(sample(design, x, y), self.rng, light, hue)
            turn, curve = follow(angle, x, y, 0.35 * length * size)
            turn += wobble * self.rng.normal()
            self.stroke(x, y, turn, length * size, width * np.sqrt(size), colour, curve=curve, **how)

    def shaded(self, strength: float = 0.5, light: float = -2.2, gloss: float = 0.12, grain: float = 0.0) -> Array:
        """The paint seen in raking light that comes from the direction `light`; `grain` adds the weave of a canvas."""
        return relief(self.rgb, self.height + grain * weave(self.rng), strength, light, gloss)


def follow(angle: Array, x: float, y: float, reach: float) -> tuple[float, float]:
    """The field's direction at a point, and its bend (1 / radius), seen `reach` pixels before and after."""
    middle = float(sample(angle, x, y))
    dx, dy = reach * np.cos(middle), reach * np.sin(middle)
    turn = [_turned(float(sample(angle, x + s * dx, y + s * dy)) - middle) for s in (-1, 1)]
    return middle, float(np.clip((turn[1] - turn[0]) / (2 * reach), -1.2 / reach, 1.2 / reach))


def _turned(angle: float) -> float:
    """An angle between undirected lines, in [-π/2, π/2)."""
    return (angle + np.pi / 2) % np.pi - np.pi / 2


def relief(colour: Array, height: Array, strength: float, light: float = -2.2, gloss: float = 0.0) -> Array:
    """Light and shade on a surface of the given height, lit from the direction `light` (radians)."""
    smooth = blur(height, 0.8) + 1.5 * blur(height, 3.5)
    slope_y, slope_x = np.gradient(smooth)
    facing = -np.tanh(strength * (slope_x * np.cos(light) + slope_y * np.sin(light)))
    shine = gloss * np.clip(facing - 0.25, 0, 1) ** 2 * 4
    shade = np.where(facing < 0, 1 + 0.55 * facing, 1 + 0.25 * facing)
    return colour * shade[..., None] + shine[..., None]


# ---------------------------------------------------------------------------------- paper and canvas
def weave(rng: Rng, thread: float = 5.0) -> Array:
    """Height of a linen canvas in about [-1, 1]: threads over and under, not quite regular."""
    x, y = grid()
    x = x * CANVAS + 1.2 * noise(rng, 60, 2)
    y = y * CANVAS + 1.2 * noise(rng, 60, 2)
    return (np.sin(np.pi * x / thread) * np.sin(np.pi * y / thread) + 0.3 * noise(rng, 4)).astype(np.float32)


def paper(rng: Rng, tooth: float = 5.0) -> Array:
    """Height of a rough paper, mean 0 and standard deviation 1: felt marks, tooth and fibres."""
    rough = noise(rng, tooth, 2) + 0.5 * noise(rng, 3 * tooth, 2)
    fibres = noise(rng, (2.5, 40)) + noise(rng, (40, 2.5))
    total = rough + 0.25 * fibres
    return ((total - total.mean()) / total.std()).astype(np.float32)


def finish(picture: Array) -> Image.Image:
    """The canvas reduced to a picture of SIZE pixels."""
    pixels = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels).resize((SIZE, SIZE), Image.Resampling.LANCZOS)
