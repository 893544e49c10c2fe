"""Styles of colour that runs: watercolour, marbling."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tools import (
    CANVAS,
    Array,
    Box,
    Rng,
    box_around,
    grid,
    jitter,
    mix,
    noise,
    palette,
    paper,
    ramp,
    rgb,
    scatter,
    step,
)

FLOWERS = [  # x, y, radius
    (0.26, 0.24, 0.2),
    (0.74, 0.16, 0.15),
    (0.66, 0.57, 0.22),
    (0.16, 0.72, 0.16),
    (0.43, 0.92, 0.14),
    (0.97, 0.86, 0.17),
    (0.98, 0.36, 0.1),
    (0.45, 0.42, 0.08),
    (0.02, 0.45, 0.1),
    (0.48, 0.02, 0.1),
]


# ------------------------------------------------------------------------------------------ watercolour
def watercolour(rng: Rng) -> Array:
    """Poppies and their leaves, wet in wet: thin washes with dark rims, grains of pigment, blooms and spatter.

    Manner: loose botanical watercolour on rough paper. Light, soft, transparent.
    """
    sheet = _Sheet(rng)
    sheet.background()
    for x, y in scatter(rng, 118):
        sheet.leaf(x, y)
    for cx, cy, size in FLOWERS:
        sheet.flower(cx * CANVAS, cy * CANVAS, size * CANVAS)
    for _ in range(150):  # spatter
        colour = ramp("c8405a 3f7f6f d88a3a 5a4a88", rng.random())
        _drop(sheet.light, *rng.uniform(0, CANVAS, 2), rng.exponential(2.6) + 1, colour, 0.6)
    return sheet.light * (1 - 0.022 * np.clip(-sheet.tooth, -1, 2.5))[..., None]


class _Sheet:
    """Wet paper: the light that it returns, and fields that make brush and water wander."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.tooth = paper(rng)
        self.light = np.ones((CANVAS, CANVAS, 3), np.float32) * rgb("fdf8ec")
        x, y = (axis * CANVAS for axis in grid())
        shift_x, shift_y = 7 * noise(rng, 90, 3), 7 * noise(rng, 90, 3)
        self.x, self.y = x + shift_x, y + shift_y
        self.far_x, self.far_y = x + 1.6 * shift_x, y + 1.6 * shift_y
        self.puddles = noise(rng, 170, 3)
        self.grains = 1 + 0.16 * self.tooth + 0.1 * noise(rng, 2.5)
        self.spared = np.ones_like(self.puddles)  # where flowers will stand the paper is kept dry
        for cx, cy, size in FLOWERS:
            out = np.hypot(x - cx * CANVAS, y - cy * CANVAS) - 0.95 * size * CANVAS
            self.spared = np.minimum(self.spared, 0.12 + 0.88 * step(0, out, 30))

    def background(self) -> None:
        """The first wash, still wet when the next colour came; blooms where water ran back into it."""
        rng, whole = self.rng, (slice(None), slice(None))
        back = ramp("f7d9c0 e8e2c4 b9d8cc a3c8dc c9bfe0 f2cdd0", 0.5 + 0.22 * noise(rng, 330, 2))
        strength = self.spared * self.grains
        bloom = 300 * np.abs(noise(rng, 200, 3)) - 8
        _wash(self.light, whole, bloom, back, 0.75 * (1 + 0.3 * self.puddles) * strength, 14)
        _wash(self.light, whole, 60 * noise(rng, 240, 3) - 20, rgb("8fc0b4"), 0.5 * strength, 60)

    def leaf(self, px: float, py: float) -> None:
        """A leaf in one stroke from stalk to tip, some with a toothed rim, and its vein."""
        rng = self.rng
        turn, length, wide = rng.normal(-1.4, 0.7), rng.uniform(110, 230), rng.uniform(18, 42)
        box = box_around(px, py, 0.6 * length + wide)
        dx, dy = self.x[box] - px, self.y[box] - py
        along, across = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
        across = across - 0.002 * along**2 * rng.normal()
        t = np.clip(along / length + 0.5, 0, 1)
        toothed = 1 + 0.3 * np.sin(along / 9) * (rng.random() < 0.5)
        depth = wide * np.sin(np.pi * t) ** 0.8 * toothed - np.abs(across) - 3
        green = ramp("3f7f5f 7fa04a 4a8f8f 2f5f6f", t + 0.15 * self.puddles[box] + 0.3 * rng.normal())
        spared = self.spared[box]
        strength = rng.uniform(0.4, 0.95) * spared * (self.grains * (1 + 0.3 * self.puddles))[box]
        _wash(self.light, box, depth, green, strength)
        _wash(self.light, box, 1.6 - np.abs(across) - 3 * (t <= 0) - 3 * (t >= 1), rgb("6f8f5a"), 0.5 * spared)

    def flower(self, cx: float, cy: float, size: float) -> None:
        """Five broad petals that overlap, each with creases, and a dark heart that bleeds outwards."""
        rng, light = self.rng, self.light
        red = ramp("f2a08a e8503f d42f4f b02a6f f08a3a", rng.random())
        box = box_around(cx, cy, 1.4 * size)
        puddles, grains = self.puddles[box], self.grains[box]
        flat, tilt = rng.uniform(0.72, 1), rng.uniform(0, 6)
        ax, ay = self.far_x[box] - cx, (self.far_y[box] - cy) / flat
        for turn in tilt + 2.5 * np.arange(5):
            reach = size * rng.uniform(0.5, 0.62)
            dx, dy = ax - 0.72 * reach * np.cos(turn), ay - 0.72 * reach * np.sin(turn)
            bend = np.arctan2(dy, dx) - turn
            depth = reach * (0.92 + 0.13 * np.cos(bend) + 0.05 * np.sin(7 * bend + turn)) - np.hypot(dx, dy)
            inner = np.hypot(ax, ay) / (1.7 * reach)
            tones = np.stack([red * 0.85, red, jitter(red * 0.7 + 0.3, rng, 0.03, 0.05)])
            tone = ramp(tones, inner + 0.12 * puddles)
            _wash(light, box, depth, tone, rng.uniform(0.4, 0.72) * grains * (1 + 0.4 * puddles))
            creases = np.sin(16 * bend + 2 * puddles) * 3 - np.abs(inner - 0.45) * 14 + 1
            _wash(light, box, np.minimum(creases, depth), tone, 0.35, 6)
        heart = 0.17 * size - np.hypot(ax, ay)
        _wash(light, box, heart + 14 * noise(rng, 26, 2)[box], rgb("3a2848"), grains, 34)
        _wash(light, box, heart * 0.8 + 4 * noise(rng, 12)[box], rgb("22303a"), 1.0)
        for _ in range(34):
            turn, out = rng.uniform(0, 6.3), 0.21 * size * rng.uniform(0.75, 1.5)
            place = cx + out * np.cos(turn), cy + flat * out * np.sin(turn)
            _drop(light, *place, rng.uniform(2, 4.5), rgb("2a2038"), 0.9)


def _wash(light: Array, box: Box, depth: Array, colour: Array, strength: ArrayLike, soft: float = 2) -> None:
    """Glaze a box of `light` with a transparent colour; `depth` is the distance from the rim, positive inside."""
    rim = np.exp(-np.maximum(depth, 0) / 5) * (1.5 if soft < 8 else 0.15)  # pigment gathers where a wash dries last
    amount = np.maximum(step(0, depth, soft) * (0.62 + rim) * strength, 0)
    light[box] *= np.exp(amount[..., None] * np.log(np.clip(colour, 0.03, 1)))


def _drop(light: Array, x: float, y: float, radius: float, colour: Array, strength: float) -> None:
    """A drop of colour that dried with a dark rim."""
    box = box_around(x, y, radius + 3)
    rows, columns = np.ogrid[:CANVAS, :CANVAS]
    depth = radius - np.hypot(rows[box[0]] - y, columns[:, box[1]] - x)
    if depth.size:
        _wash(light, box, depth, colour, strength)


# --------------------------------------------------------------------------------------------- marbling
INKS = palette("10243a 0f4f5a 1f7f72 c98f2a efe3c2 7a1f4a b8405a 143a2f e8c878")
CHANCES = np.array([2.5, 4, 3.5, 2.2, 3, 3, 2.2, 2.5, 1.5]) / 24.4
WHIRLS = [  # x, y, radius in pixels, turn
    (0.3, 0.3, 150, 2.6),
    (0.72, 0.62, 190, -2.4),
    (0.2, 0.82, 110, -2.0),
    (0.84, 0.16, 105, 2.2),
    (0.5, 0.04, 70, -1.6),
    (0.98, 0.95, 90, 1.8),
]


def marbling(rng: Rng) -> Array:
    """Colours dropped on water, drawn with a comb and whirled with a stylus, then taken off on paper.

    Manner: marbled endpaper, by the closed-form maps of a drop and a tine on a sheet of ink, run backwards.
    Dark jewel colours with fine cream veins, flowing, crisp.
    """
    x, y = _before_combing(rng)
    px, py = x.ravel(), y.ravel()
    picture = np.tile(rgb("10243a"), (px.size, 1))
    rim = np.full(px.size, 9.0, np.float32)
    left = np.arange(px.size)  # pixels whose drop is not found yet
    # the newest drop lies round; what was there before it has been pushed aside
    for drop in range(360):
        radius = rng.uniform(9, 34) if drop < 220 else rng.uniform(40, 100)
        cx, cy = rng.uniform(-150, CANVAS + 150, 2)
        colour = jitter(INKS[rng.choice(len(INKS), p=CHANCES)], rng, 0.03, 0.02)
        dx, dy = px - np.float32(cx), py - np.float32(cy)
        squared = dx * dx + dy * dy
        inside = squared < radius * radius
        picture[left[inside]] = colour
        rim[left[inside]] = radius - np.sqrt(squared[inside])
        left, dx, dy, squared = left[~inside], dx[~inside], dy[~inside], squared[~inside]
        shrink = np.sqrt(1 - np.float32(radius * radius) / squared)
        px, py = np.float32(cx) + dx * shrink, np.float32(cy) + dy * shrink
    picture, rim = picture.reshape(CANVAS, CANVAS, 3), rim.reshape(CANVAS, CANVAS)
    picture = mix(picture, rgb("f3ead0"), 0.55 * step(-1.3, -rim, 1.2))  # a vein of bare paper between two inks
    pigment = 1 + 0.07 * noise(rng, 40, 4) + 0.05 * noise(rng, 2.5) - 0.1 * np.exp(-rim / 5)
    return picture * pigment[..., None] + 0.02


def _before_combing(rng: Rng) -> tuple[Array, Array]:
    """Where each pixel's ink lay before the stylus whirled it, and before two combs drew it down and one across."""
    x, y = (axis * CANVAS for axis in grid())
    x, y = x + 0.7 * noise(rng, 18, 2), y + 0.7 * noise(rng, 18, 2)
    for cx, cy, radius, turn in WHIRLS:
        dx, dy = x - cx * CANVAS, y - cy * CANVAS
        angle = -turn * np.exp(-((np.hypot(dx, dy) / radius) ** 2))
        x = cx * CANVAS + dx * np.cos(angle) - dy * np.sin(angle)
        y = cy * CANVAS + dx * np.sin(angle) + dy * np.cos(angle)
    for gap, pull, sharp, both_ways in [(64, 60, 9, False), (128, 130, 16, True)]:
        wavy = x + 9 * np.sin(y / 130)
        way = np.where((wavy // gap) % 2 == 0, 1, -1) if both_ways else 1
        y = y - pull * way * np.exp(-np.abs(wavy % gap - gap / 2) / sharp)
        x = x - 10 * np.sin(y / 60)
    x = x - 110 * np.where((y // 170) % 2 == 0, 1, -1) * np.exp(-np.abs(y % 170 - 85) / 26)
    return x.astype(np.float32), y.astype(np.float32)
