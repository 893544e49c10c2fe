"""Styles of the block and the scissors: woodcut_waves, papercut."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw

from tools import (
    CANVAS,
    Array,
    Rng,
    blur,
    box_around,
    grid,
    mix,
    noise,
    paper,
    ramp,
    relief,
    rgb,
    sample,
    scatter,
    step,
)


# ---------------------------------------------------------------------------------------- woodcut_waves
def woodcut_waves(rng: Rng) -> Array:
    """Rolling seas under a striped evening sky, cut with a gouge and printed from four blocks.

    Manner: woodblock print. Prussian blue, two paler blues, buff and a red; swelling lines, flat inks, wood grain.
    """
    x, y = grid()
    x, y = x + 0.0016 * noise(rng, 60, 2), y + 0.0016 * noise(rng, 60, 2)
    buff = np.broadcast_to(rgb("efe0bf"), (*x.shape, 3))
    grain = noise(rng, (5, 420), 2) + 0.5 * noise(rng, (2.5, 160))
    colour = mix(buff, rgb("e9b98c"), step(0.12, 0.42 - y, 0.3) * 0.8)
    colour = mix(colour, rgb("5f87a8"), step(0.06, 0.2 - y + 0.01 * grain, 0.24) * 0.95)
    haze = step(0.62 - 2.2 * (y - 0.22), np.cos(2 * np.pi * (y + 0.003 * np.sin(20 * x)) / 0.0165), 0.25)
    sun = step(0, 0.125 - np.hypot(x - 0.7, y - 0.3), 0.003)
    colour = mix(colour, rgb("c8412c"), sun * (1 - 0.85 * haze * (y > 0.22)))  # gouged away towards the sea
    # what the key block prints: first bars of cloud, lines that swell and taper
    drift = y + 0.012 * np.sin(9 * x + 1) + 0.008 * noise(rng, (90, 300), 2)
    swell = noise(rng, (40, 330), 2) + 0.3 * np.sin(7 * x)
    line = step(0, np.cos(2 * np.pi * drift / 0.021) - 0.98 + 0.36 * swell - 1.5 * (y - 0.2), 0.5)
    thin = step(0.95, np.cos(2 * np.pi * drift / 0.0105) - 0.3 * swell + 1.2 * (y - 0.36), 0.35)
    line = np.maximum(line, thin * step(0.14, y, 0.1) * (1 - sun))
    rows = [(0.43, 0.045, 0.1), (0.49, 0.07, 0.62), (0.58, 0.12, 0.15), (0.72, 0.19, 0.75), (0.93, 0.22, 0.3)]
    for k, (base, size, shift) in enumerate(rows):  # waves from far to near
        colour, line = _wave(x, y, colour, line, k, base, size, shift, rng)
    # printing: the colours a little out of register, ink thin along the grain, wood seen in the flat parts
    colour = _shifted(colour, -3, 2)
    patchy = 0.06 * grain + 0.03 * noise(rng, 180, 3)
    printed = mix(buff, colour * (1 + patchy[..., None]), 0.93 + 0.07 * step(-1.4, grain, 0.6))
    ink = step(0.5, blur(line, 0.8) + 0.05 * noise(rng, 5, 2), 0.3) * step(-2.1, grain + 0.4 * noise(rng, 3), 0.8)
    printed = mix(printed, rgb("13264a") * (1 + 2.2 * patchy)[..., None], 0.95 * ink)
    return relief(printed, 0.8 * paper(rng, 4), 0.16)


def _wave(
    x: Array, y: Array, colour: Array, line: Array, k: int, base: float, size: float, shift: float, rng: Rng
) -> tuple[Array, Array]:
    """One row of waves over the colours and the key lines so far: row k, of height `size`, at `base`, shifted."""
    over = np.clip((base - y) / size, 0, 1.4)  # the crest leans over to the left: the higher, the further
    u = (x + 0.5 * size * over**2.2) / (3.6 * size + 0.05) + shift + 0.12 * np.sin(3 * x + 2 * k)
    phase = u % 1
    lean = np.where(phase < 0.4, phase / 0.4, (1 - phase) / 0.6)  # steep front, long back
    front = (phase < 0.4) * 4 * lean * (1 - lean)
    tall = 0.85 + 0.3 * np.sin(2.4 * np.floor(u) + 1.7 * k)
    crest = base - size * tall * (lean**1.6 + 0.05 * np.sin(19 * u) * lean)
    depth = (y - crest) / size
    inside = step(0, y - crest, 0.003)
    deep = ramp("b4ccc8 7aa6b8 3f78a4 245488 1b3f70", depth * 0.4 + 0.07 * k - 0.05 + 0.2 * front)
    colour, line = mix(colour, deep, inside), line * (1 - inside)
    # foam hangs from the crest in fingers, longest under the overhanging tip
    fingers = np.abs(np.sin(21 * u + 1.2 * np.sin(5 * u) + 1.5 * depth)) ** 0.6
    foam = 0.10 + 0.5 * lean**4 + (0.12 + 0.4 * lean**2) * fingers + 0.06 * noise(rng, 20 + 160 * size, 2)
    left = foam - depth  # how far inside the foam
    white = step(0, left, 0.05) * inside
    colour = mix(colour, ramp("dfe3d2 f8efd8", left * 2.5), white)
    veins = step(0.86, np.cos(2 * np.pi * (left * 3.1 + 0.35)), 0.12) * (left > 0.1) * step(-0.2, noise(rng, 60, 2), 1)
    # lines that follow the back of the wave, thicker in its shadow
    along = depth * (2.4 + 1.2 * (1 - lean)) + 0.8 * np.sin(np.pi * lean) + 0.05 * noise(rng, 120, 2)
    tone = 0.03 + 0.5 * np.clip(depth * 0.4, 0, 1) + 0.42 * front - 0.2 * lean
    cut = step(0.55, np.cos(2 * np.pi * along * (1.3 + 5.5 * size)) * 0.5 + tone, 0.2)
    line = np.maximum(line, np.maximum(cut * (1 - white), 0.9 * veins * white) * inside)
    rim = np.exp(-(((y - crest) / 0.0035) ** 2)) + np.exp(-((left * size / 0.003) ** 2)) * inside
    line = np.maximum(line, np.clip(1.6 * rim - 0.2, 0, 1) * (y > crest - 0.004))
    for cx, cy in scatter(rng, 26 + 26 * size / 0.15):  # spray
        top = sample(crest, cx, cy) * CANVAS
        if top - 420 * size < cy < top - 3 and sample(lean, cx, cy) > 0.62:
            box, radius = box_around(cx, cy, 8), rng.uniform(1.5, 4.5) * (0.5 + 4 * size)
            spot = step(0, radius - np.hypot(x[box] * CANVAS - cx, y[box] * CANVAS - cy), 1.5)
            colour[box] = mix(colour[box], rgb("f6ecd4"), spot)
    return colour, line


# --------------------------------------------------------------------------------------------- papercut
def papercut(rng: Rng) -> Array:
    """A valley at dusk in many layers of cut paper: sun, clouds, ridges, firs and ferns, each with its shadow.

    Manner: layered paper theatre. Rose and coral against teal, flat tones, hard edges with soft shadows.
    """
    stage = _Stage(rng)
    stage.sun()
    clouds = [(0.82, 0.15, 0.36), (0.08, 0.1, 0.3), (1.0, 0.36, 0.26), (0.5, 0.03, 0.24), (0.1, 0.4, 0.2)]
    for cx, cy, wide in [*clouds, (0.66, 0.42, 0.14)]:
        stage.cloud(cx, cy, wide)
    for k, colours in enumerate(["e88a86 f0a090", "cf6a80 dd8088", "a84f78 b8607e", "6f3f70 7f4c78", "2f6f78 3f8a88"]):
        stage.ridge(k, colours)
    for k, colours in enumerate(["2f8080 1f6070", "1f5a6c 164a60", "123a52 0c2a42"]):
        stage.ferns(k, colours)
    return stage.picture


class _Stage:
    """Sheets of coloured paper one above the other."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.x, self.y = grid()
        self.felt = 1 + 0.03 * paper(rng) + 0.02 * noise(rng, 250, 2)
        from_sun = self.x - 0.4, self.y - 0.33
        self.radius, self.turn = np.hypot(*from_sun), np.arctan2(from_sun[1], from_sun[0])
        self.picture = ramp("ffe9c4 fdd3ae f7b39b", self.radius * 1.6) * self.felt[..., None]
        self.wobble = [0.006 * noise(rng, 60, 3) for _ in range(3)]

    def lay(self, mask: Array, colours: str, drop: float) -> None:
        """Put a sheet down: `mask` in [0, 1], its tones from the top downwards, lying `drop` pixels above the last."""
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        reach = int(3 * drop)
        box = slice(max(0, rows[0] - 4), rows[-1] + reach), slice(max(0, columns[0] - reach), columns[-1] + reach)
        mask, below = mask[box], self.picture[box]
        shadow = blur(_shifted(mask, 0.55 * drop, 0.8 * drop), 0.6 * drop) * 0.55
        contact = blur(_shifted(mask, 2, 2), 2.0) * 0.35
        below = below * (1 - np.maximum(shadow, contact) * (1 - mask))[..., None]
        grain = np.roll(self.felt, self.rng.integers(0, CANVAS, 2), (0, 1))[box]
        lit = np.clip(mask - _shifted(mask, 2, 2), 0, 1) * 0.16  # light on the cut edge
        sheet = ramp(colours, self.y[box] + 2 * (grain - 1)) * grain[..., None] + lit[..., None]
        self.picture[box] = mix(below, sheet, mask)

    def sun(self) -> None:
        """Rings with scalloped rims and drop-shaped holes, and the disc in front of them."""
        radius = self.radius
        rings = ["f6a08c f08c86", "ffdcae fbc39c", "ffcf94 f9ab84", "ffc07a f58f6c", "ffab70 f07a62"]
        for k, colours in enumerate(rings):
            reach, teeth = 0.42 - 0.07 * k, 26 - 4 * k
            phase = (self.turn * teeth / 2 / np.pi) % 1 - 0.5
            rim = reach + 0.02 * np.sqrt(np.maximum(np.cos(np.pi * phase), 0)) + 0.15 * self.wobble[0]
            aside, inward = phase * reach * 6.28 / teeth / 0.36, (radius - reach + 0.022) / (1 + 6 * np.abs(phase))
            self.lay(step(0, np.minimum(rim - radius, np.hypot(aside, inward) - 0.014), 0.003), colours, 10)
        self.lay(step(0, 0.085 - radius + 0.3 * self.wobble[0], 0.003), "fff6d6 ffe79c", 12)

    def cloud(self, cx: float, cy: float, wide: float) -> None:
        """Three sheets, the smallest and lightest in front."""
        for k, colours in enumerate(["f4a498 e98a8c", "ffd9c4 f7b8b0", "fff4e4 ffe3d2"]):
            size, dx, dy = wide * (1 - 0.2 * k), self.x - cx + 0.02 * k, self.y - cy - 0.028 * k
            out = np.hypot(np.maximum(np.abs(dx) - 0.5 * size, 0), dy - 0.035) - 0.028
            for s, r in ((-0.36, 0.12), (-0.13, 0.21), (0.12, 0.17), (0.34, 0.11)):
                out = np.minimum(out, np.hypot(dx - size * s, dy * 1.25 + 0.02 * abs(s)) - size * r)
            self.lay(step(0, 0.3 * self.wobble[1] - out, 0.003), colours, 9)

    def ridge(self, k: int, colours: str) -> None:
        """Hills across the whole width, from the third row on with firs."""
        x, y, rng = self.x, self.y, self.rng
        base, swell, firs = [(0.46, 0.10, 0), (0.54, 0.09, 0), (0.61, 0.08, 27), (0.70, 0.07, 21), (0.79, 0.06, 18)][k]
        phase = rng.uniform(0, 6, 3)

        def line(at: ArrayLike) -> Array:
            """Height of the crest at positions across."""
            waves = (0.6, 5, phase[0]), (0.3, 11, phase[1]), (0.13, 27, phase[2])
            return base + swell * sum(high * np.sin(often * at + shift) for high, often, shift in waves)

        depth = y - line(x)
        mask = step(0, depth + (2.0 if k < 2 else 0.67) * self.wobble[2], 0.003)
        for down, size in ((0.034, 0.0068), (0.053, 0.0048)) if k in (1, 2) else ():  # rows of punched holes
            hole = np.hypot((x + 0.3 * down) % 0.03 - 0.015, depth - down) - size
            mask = mask * step(0, hole + 0.15 * self.wobble[1], 0.003)
        for at in rng.uniform(-0.02, 1.02, firs):
            foot, tall = line(at) + 0.02, rng.uniform(0.05, 0.09) * (0.7 + 0.14 * k)
            up = (foot - y) / tall
            tiers = 0.34 * (1 - up) * (1 - 0.45 * ((up * 5.0) % 1))
            fir = (up > -0.2) & (up < 1) & (np.abs(x - at) < tall * np.maximum(tiers, 0.02))
            mask = np.maximum(mask, fir)
        self.lay(mask, colours, 15 + 2 * k)

    def ferns(self, k: int, colours: str) -> None:
        """A strip of ground with fronds that bend towards the middle."""
        rng = self.rng
        mask = step(0, self.y - 0.9 - 0.04 * k - 0.02 * np.sin(9 * self.x + 2 * k), 0.003)
        for root in np.linspace(-0.04, 1.04, 6 - k) + 0.04 * rng.normal(size=6 - k):
            side = np.sign(0.5 - root + 0.2 * rng.normal())
            tall = rng.uniform(0.22, 0.3) + 0.3 * np.abs(root - 0.5) - 0.03 * k
            up = -np.pi / 2 + 0.2 * side + 0.15 * rng.normal()
            mask = np.maximum(mask, _fern(root, 0.95 + 0.03 * k, up, tall, 0.9 * side))
        self.lay(mask, colours, 20)


def _shifted(field: Array, right: float, down: float) -> Array:
    """The field moved right and down by whole pixels; its border is drawn out."""
    rows, columns = (np.arange(n) - round(by) for n, by in zip(field.shape, (down, right), strict=False))
    return field[np.clip(rows, 0, field.shape[0] - 1)][:, np.clip(columns, 0, field.shape[1] - 1)]


def _fern(x: float, y: float, angle: float, length: float, bend: float) -> Array:
    """Mask of a fern frond that grows from (x, y) in units of the canvas, turning by `bend` radians on its way."""
    scale, count = 2 * CANVAS, 17
    image = Image.new("L", (scale, scale))
    draw = ImageDraw.Draw(image)
    s = np.linspace(0, 1, 9)
    for k in range(count):
        t = k / count
        turn = angle + bend * t
        ahead = x + length / count * np.cos(turn), y + length / count * np.sin(turn)
        draw.line([x * scale, y * scale, ahead[0] * scale, ahead[1] * scale], fill=255, width=int(12 * (1 - t)) + 4)
        leaf = 0.33 * length * np.sin(np.pi * (0.12 + 0.86 * t)) ** 0.9 * (0.85 if k % 2 else 1)
        for side in (-1, 1) if k > 2 else ():
            way = turn + side * (1.15 - 0.45 * t)
            along, across = np.array([np.cos(way), np.sin(way)]), np.array([-np.sin(way), np.cos(way)])
            width = np.outer(0.085 * leaf * np.sin(np.pi * s**0.8), across)
            spine = np.array([x, y]) + np.outer(s * leaf, along) - side * np.outer(0.14 * leaf * s**2, across)
            outline = np.concatenate([spine + width, (spine - width)[::-1]])
            draw.polygon([tuple(p) for p in outline * scale], fill=255)
        x, y = ahead
    return np.asarray(image.reduce(2), np.float32) / 255
