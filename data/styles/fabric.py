"""Styles of cloth: batik, embroidery."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from tools import (
    CANVAS,
    Array,
    Box,
    Labels,
    Paint,
    Rng,
    blur,
    box_around,
    grid,
    jitter,
    mix,
    noise,
    ramp,
    rgb,
    sample,
    scatter,
    step,
    weave,
)


# ------------------------------------------------------------------------------------------------ batik
def batik(rng: Rng) -> Array:
    """Rosettes among rows of leaves and dots in cream, ochre and rust on indigo, with the crackle of broken wax.

    Manner: wax-resist dyed cotton. Deep blue and rust, flat shapes with bleeding edges, fine veins.
    """
    x, y = (axis * CANVAS for axis in grid())
    x, y = x + 3 * noise(rng, 50, 3), y + 3 * noise(rng, 50, 3)
    dye = np.zeros((CANVAS, CANVAS), np.uint8)  # what each wax keeps: 0 indigo, 1 rust, 2 ochre, 3 cream
    free = np.full((CANVAS, CANVAS), 1e3, np.float32)  # distance to the nearest rosette
    rosettes = [(0.3, 0.28, 250), (0.8, 0.66, 270), (0.2, 0.86, 180), (0.86, 0.1, 165)]
    for cx, cy, size in [*rosettes, (0.52, 0.98, 100), (0.56, 0.5, 84), (0.0, 0.52, 120), (0.58, 0.04, 92)]:
        dx, dy = x - cx * CANVAS, y - cy * CANVAS
        radius, turn = np.hypot(dx, dy) / size, np.arctan2(dy, dx) + rng.uniform(0, 6)
        # around it, over what lies further from the others: rows of slanting leaves, dots and lines
        out = np.maximum((radius - 1) * size, 0)
        mine, free = (out < free) & (out > 0), np.minimum(out, free)
        row = out // 33
        count = np.round(2 * np.pi * (size + 33 * row + 16) / np.where(row % 2 == 0, 30, 17))
        u, v = (turn * count / 2 / np.pi) % 1 - 0.5, out % 33 - 18
        u = u * 2 * np.pi * (size + out) / count
        leaf = np.hypot((u * 0.8 - v * 0.6) / 12, (u * 0.6 + v * 0.8) / 5) < 1
        ground = np.where(leaf & (row % 2 == 0), 1 + (row // 2 + turn * count / 2 / np.pi // 1) % 2, 0)
        ground = np.where((row % 2 == 1) & (np.hypot(u, v) < 4.6), 3, ground)
        ground = np.where(np.abs(v + 16) < 1.9, 3, ground)
        dye[mine] = ground[mine]
        rings = max(2, round(size / 55))
        for ring in range(rings, 0, -1):  # rings of petals, the outer ones first
            phase = 0.5 * (6 + 3 * ring) * (turn + 0.31 * ring)
            reach = size * ((ring - 0.35 + 0.5 * np.sqrt(np.abs(np.sin(phase)))) / (rings + 0.15) - radius)
            dye[reach > 0], dye[reach > 5], dye[reach > 9], dye[reach > 21] = 0, 3, (2, 1, 3)[ring % 3], 0
            dye[(reach > 25) & (np.abs(np.sin(3 * phase)) > 0.82)] = 3  # veins
        dye[radius < 0.28 / rings] = 3
    cloth = ramp("131c4a 1d2f73 2c4a94", 0.45 + 0.2 * noise(rng, 130, 4))
    for code, tones in ((1, "8f2f1c b8452a c8603a"), (2, "c4842a dba23f e8bd68"), (3, "e2d2aa f1e6c8 f8f0da")):
        bleed = step(0.5, blur((dye == code).astype(np.float32), 1.6) + 0.06 * noise(rng, 7, 2), 0.5)
        cloth = mix(cloth, ramp(tones, 0.5 + 0.22 * noise(rng, 60, 3)), bleed)
    return _crackle(cloth, rng)


def _crackle(cloth: Array, rng: Rng) -> Array:
    """Dye that ran into the cracks of the wax, and the threads of the cloth."""
    cracks = np.zeros((CANVAS, CANVAS), np.float32)
    for spacing, strong in ((150, 0.85), (62, 0.5)):
        x, y = (axis * CANVAS for axis in grid())
        x, y = x + 9 * noise(rng, 45, 3), y + 9 * noise(rng, 45, 3)
        near = cKDTree(scatter(rng, spacing, margin=100)).query(np.stack([x.ravel(), y.ravel()], 1), k=2, workers=1)[0]
        gap = (near[:, 1] - near[:, 0]).reshape(CANVAS, CANVAS)
        cracks = np.maximum(cracks, strong * step(-3.2, -gap, 3.5) * step(-0.6, noise(rng, 130, 2), 1.0))
    cloth = mix(cloth, rgb("1a2658"), cracks)
    threads = weave(rng, 3.4)
    return cloth * (1 + 0.06 * threads + 0.03 * noise(rng, (3, 90)) + 0.03 * noise(rng, (90, 3)))[..., None]


# ------------------------------------------------------------------------------------------- embroidery
STEMS = [  # way points from the root to the tip
    [(0.5, 1.05), (0.44, 0.8), (0.5, 0.62), (0.32, 0.42), (0.27, 0.27)],
    [(0.5, 0.85), (0.62, 0.7), (0.72, 0.63)],
    [(0.5, 0.62), (0.56, 0.42), (0.74, 0.32), (0.76, 0.2)],
    [(0.47, 0.78), (0.32, 0.72), (0.2, 0.72)],
    [(0.56, 0.42), (0.5, 0.22), (0.52, 0.06)],
    [(0.72, 0.63), (0.9, 0.52), (1.02, 0.45)],
    [(0.3, 0.4), (0.12, 0.42), (-0.02, 0.48)],
    [(0.6, 0.72), (0.7, 0.85), (0.88, 0.92)],
    [(0.4, 0.74), (0.3, 0.9), (0.2, 0.98)],
]
BLOSSOMS = [  # x, y, radius, petals, colours from the rim to the heart
    (0.27, 0.24, 0.19, 9, "a3122f d8283c f2683f ffc04a"),
    (0.75, 0.64, 0.2, 10, "c43a7a ec6a9a ffb0b8 fff0d8"),
    (0.78, 0.17, 0.15, 8, "d8641f f59a2c ffd05a fff0b0"),
    (0.18, 0.73, 0.15, 8, "3a4fb8 5f8fe0 a8d0f0 fff4d0"),
    (0.52, 0.05, 0.1, 7, "d8283c f2683f ffd05a ffffff"),
    (0.9, 0.93, 0.11, 7, "d8283c ff7a5a ffd9a0 ffd05a"),
    (1.0, 0.42, 0.1, 7, "7a3fa8 b070d0 e8b8f0 ffd05a"),
    (0.0, 0.46, 0.1, 7, "f59a2c ffc85a fff0b0 d8283c"),
    (0.2, 1.0, 0.1, 7, "c43a7a f590b0 ffe0d8 ffd05a"),
]


def embroidery(rng: Rng) -> Array:
    """Folk flowers, leaves and berries worked in satin stitch on black, the ground filled with running stitches.

    Manner: silk embroidery. Bright warm colours on black, fine parallel threads with a sheen that turns with them.
    """
    cloth = _Cloth(rng)
    for stem in STEMS:
        cloth.stem(np.array(stem))
    for blossom in BLOSSOMS:
        cloth.blossom(*blossom)
    for cx, cy in scatter(rng, 52):  # berries on the open ground
        if 0 <= cx < CANVAS and 0 <= cy < CANVAS and cloth.region[int(cy), int(cx)] == 0:
            box = box_around(cx, cy, 14)
            spot = np.hypot(cloth.x[box] * CANVAS - cx, cloth.y[box] * CANVAS - cy) < rng.uniform(6, 12)
            colour = ramp("d8283c ffc04a 5f8fe0 fff0d8 ec6a9a", rng.random())
            cloth.lay(box, spot & (cloth.region[box] == 0), colour, rng.uniform(0, 3))
    return cloth.stitched()


class _Cloth:
    """The pattern of an embroidery: regions (later ones above), their colours and the direction of their stitches."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.x, self.y = x, y = grid()
        self.region: Labels = np.zeros(x.shape, np.int64)
        self.count = 0
        self.angle = 0.9 * np.sin(5 * x + 1.5) * np.cos(4 * y) + 0.5 * noise(rng, 260)
        self.design = ramp("14121c 1d1a2b 201826", 0.5 + 0.25 * noise(rng, 150, 2))

    def lay(self, box: Box, inside: Array, colour: Array, way: ArrayLike) -> None:
        """Add a region: `inside`, its colours and the direction of its stitches, all within a box of the canvas."""
        self.count += 1
        self.region[box][inside] = self.count
        self.design[box][inside] = np.broadcast_to(colour, (*inside.shape, 3))[inside]
        self.angle[box][inside] = np.broadcast_to(way, inside.shape)[inside]

    def stem(self, knots: Array) -> None:
        """A stem that winds through its way points, with leaves on both sides."""
        s = np.linspace(0, 1, 60)
        path = np.stack([np.interp(s, np.linspace(0, 1, len(knots)), axis) for axis in knots.T], 1)
        for _ in range(40):
            path[1:-1] = (path[:-2] + 2 * path[1:-1] + path[2:]) / 4
        heads = np.arctan2(*np.gradient(path, axis=0).T[::-1])
        for (px, py), head in zip(path, heads, strict=True):
            box = box_around(px * CANVAS, py * CANVAS, 16)
            self.lay(box, np.hypot(self.x[box] - px, self.y[box] - py) < 0.0125, rgb("2f7a46"), head + 0.5)
            self.region[box][self.region[box] == self.count] = 1  # one region for all the stems
        for k in range(6, 57, 8):
            for side in (-1, 1):
                self.leaf(*path[k], heads[k] + side * self.rng.uniform(0.7, 1.1), side)

    def leaf(self, px: float, py: float, turn: float, side: int) -> None:
        """A leaf in two halves, each stitched towards the vein."""
        rng = self.rng
        size = rng.uniform(0.07, 0.115)
        box = box_around(px * CANVAS, py * CANVAS, size * 1.1 * CANVAS)
        dx, dy = self.x[box] - px, self.y[box] - py
        u, v = (dx * np.cos(turn) + dy * np.sin(turn)) / size, (dy * np.cos(turn) - dx * np.sin(turn)) / size
        v = v - side * 0.25 * u * u
        leaf = (u > 0) & (u < 1) & (np.abs(v) < 0.24 * np.sin(np.pi * np.clip(u, 0, 1) ** 0.8))
        green = rgb(str(rng.choice(["1f6a4a", "4a9a3f", "8fbf4a", "2f8a7a"])))
        for half in (-1, 1):
            self.lay(box, leaf & (v * half > 0), green * (1.12 if half > 0 else 0.8), turn + half * 0.75)

    def blossom(self, cx: float, cy: float, size: float, petals: int, colours: str) -> None:
        """Rings of petals from outside inwards, each ring of its own tone, then a heart with knots."""
        box = box_around(cx * CANVAS, cy * CANVAS, size * CANVAS)
        dx, dy = self.x[box] - cx, self.y[box] - cy
        out, way = np.hypot(dx, dy) / size, np.arctan2(dy, dx)
        for ring, reach in enumerate((1.0, 0.7, 0.42)):
            lobe = (way + cx * 9) * petals / 2 / np.pi + 0.5 * ring
            rim = reach * (0.74 + 0.26 * np.sin(np.pi * (lobe % 1)) ** 0.6)
            for petal in range(petals):
                tones = ramp(colours, 0.3 * ring + 0.35 * (1 - out / reach) + 0.04 * self.rng.normal())
                self.lay(box, (lobe // 1 % petals == petal) & (out < rim), tones, way + 0.5 * (lobe % 1 - 0.5))
        self.lay(box, out < 0.19, rgb("2a1a14"), way + 1.57)
        for turn in np.arange(12) * np.pi / 6:
            knot = np.hypot(dx / size - 0.15 * np.cos(turn), dy / size - 0.15 * np.sin(turn)) < 0.045
            self.lay(box, knot, rgb("ffd05a"), turn)

    def stitched(self) -> Array:
        """Work the pattern in thread: stitches of two lengths that never leave their region."""
        rng, paint = self.rng, Paint(rgb("100e16"), self.rng)
        paint.height += 0.2 * noise(rng, 3, 2)
        for spacing, length, thick in ((7.5, 34, 5.4), (7.0, 22, 4.8)):
            reach = np.arange(0, length / 2, 2)
            for x, y in scatter(rng, spacing):
                number, way = sample(self.region, x, y), float(sample(self.angle, x, y)) + 0.05 * rng.normal()
                if number == 0 and rng.random() < 0.45:
                    continue
                cosine, sine = np.cos(way), np.sin(way)
                back, ahead = (
                    _run(sample(self.region, x + sign * reach * cosine, y + sign * reach * sine) == number) * 2
                    for sign in (-1, 1)
                )
                shift = (ahead - back) / 2
                sheen = 1 + 0.16 * np.cos(2 * (way + 0.8)) + 0.07 * rng.normal()
                colour = jitter(sample(self.design, x, y) * sheen, rng, 0.02, 0.012)
                long = max(5, back + ahead)
                paint.stroke(x + shift * cosine, y + shift * sine, way, long, thick, colour, hairs=0.02)
        return paint.shaded(1.3, gloss=0.16)


def _run(inside: Array) -> int:
    """How many steps one can go before leaving."""
    return len(inside) - 1 if inside.all() else max(0, int(np.argmin(inside)) - 1)
