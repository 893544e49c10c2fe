"""Styles of many small touches of pure colour: pointillism, chalk_pastel."""

from __future__ import annotations

import numpy as np

from tools import (
    CANVAS,
    Array,
    Paint,
    Rng,
    blur,
    grid,
    jitter,
    mix,
    noise,
    palette,
    paper,
    ramp,
    rgb,
    sample,
    scatter,
    step,
)

# ------------------------------------------------------------------------------------------ pointillism
PURE = palette("f4d03a f28a2c e2483a c8386e 7a4aa8 3a4fb0 2a86c8 2fa898 4aa848 a8cc3a f6ead0 f7b7a0 9fd0e8 1f2f6a")
SHORE = 0.49
TREES = [  # foot, height of the top, half width, clumps of leaves
    (0.9, 0.02, 0.2, 46),
    (0.7, 0.25, 0.09, 22),
    (0.13, 0.2, 0.07, 24),
    (0.26, 0.31, 0.045, 16),
    (0.03, 0.3, 0.06, 14),
]


def pointillism(rng: Rng) -> Array:
    """Summer noon at a river, all in round dots of unmixed colour that blend in the eye.

    Manner: neo-impressionist. Light, warm and cool side by side, medium grain, no lines.
    """
    lump = noise(rng, 160, 3)
    design, meadow = _river_bank(lump, rng)
    paint = Paint(rgb("efe6d2"), rng)
    for spacing, size, near in [(13, 15.5, 0.03), (11, 13, 0.05), (12, 10.5, 0.09)]:
        for x, y in scatter(rng, spacing):
            target = sample(design, x, y)
            colour = jitter(target, rng, 0.03, 0.03)
            if rng.random() < 0.55:  # a pure colour near to the one wanted; the eye will mix it with its neighbours
                chance = np.exp(-np.sum((PURE - target) ** 2, 1) / near)
                colour = 0.62 * PURE[rng.choice(len(PURE), p=chance / chance.sum())] + 0.38 * target
            turn, width = 6 * rng.random(), size * np.exp(0.15 * rng.normal())
            paint.stroke(x, y, turn, size * 1.12, width, jitter(colour, rng, 0.03, 0.02), hairs=0.03)
    for x, y in scatter(rng, 24):  # flowers, larger towards us
        if y / CANVAS > sample(meadow, x, y) + 0.03 and sample(lump, x, y) > -0.4:
            colour = jitter(PURE[rng.choice([2, 3, 1, 10, 11, 0])], rng)
            paint.stroke(x, y, 0, 10 * y / CANVAS + 3, 10 * y / CANVAS + 2, colour)
    return paint.shaded(0.5, gloss=0.05, grain=0.08)


def _river_bank(lump: Array, rng: Rng) -> tuple[Array, Array]:
    """The picture that the dots stand for: sky, far bank, trees, river, sails, meadow; and the meadow's upper edge."""
    x, y = grid()
    design = ramp("8fb8ea b4d0f0 f0e4d0 fbd0a0 e8a8a8 b49ad0", y / 0.4 + 0.08 * noise(rng, (50, 200), 2))
    cloud = step(0.35, noise(rng, (70, 240), 3), 1.0) * (y < 0.4)
    design = mix(design, rgb("fff6ee"), 0.85 * cloud)
    bank = 0.37 - 0.03 * np.sin(4 * x + 0.5) + 0.012 * lump
    hills = mix(ramp("6a7cc4 6f9aa8 b4ac62", (y - bank) / 0.12 + 0.1 * lump), rgb("a878b8"), 0.25)
    design = mix(design, hills, step(0, y - bank, 0.01))
    design = _trees(design, lump, rng)
    # the river keeps what stands above it, with ripples of sky and of sun
    mirror = sample(design, x * CANVAS + 12 * np.sin(y * 140), (2 * SHORE - y * 0.98) * CANVAS)
    ripple = 0.35 + 0.2 * step(0.2, noise(rng, (12, 130), 2), 0.8)
    river = mix(mirror, ramp("7fb0e6 4a7fd0 3a5fb8", (y - SHORE) / 0.25), ripple)
    glitter = noise(rng, (9, 90)) + 0.6 * np.exp(-(((x - 0.45) / 0.14) ** 2))
    river = mix(river, rgb("fff0c0"), 0.7 * step(1.1, glitter, 0.5))
    design = _sails(mix(design, river, step(SHORE, y, 0.006)))
    meadow = 0.70 + 0.06 * np.sin(3.2 * x + 1.0) + 0.008 * lump
    grass = ramp("e8e070 b9cc4a 6fae4a 2f7a5a 35508a", (y - meadow) / 0.36 + 0.22 * noise(rng, (60, 220), 2))
    return mix(design, grass, step(0, y - meadow, 0.01)), meadow


def _trees(design: Array, lump: Array, rng: Rng) -> Array:
    """Trees on the far bank: clumps of leaves lit from the left, laid over one another from below."""
    x, y = grid()
    mask, light = np.zeros_like(x), np.zeros_like(x)
    for foot, top, wide, clumps in TREES:
        trunk = np.abs(x - foot - 0.012 * np.sin(14 * y + 9 * foot)) < 0.05 * wide + 0.008
        trunk &= (y > top + 0.1) & (y < SHORE)
        light, mask = np.where(trunk, 0.2 - 0.2 * np.sign(x - foot - 0.004), light), np.maximum(mask, trunk)
        for up in np.sort(rng.random(clumps))[::-1] ** 0.8:
            cy = top + 0.05 + (0.8 * SHORE - top) * (1 - up)
            cx = foot + wide * rng.uniform(-1, 1) * np.sqrt(np.sin(np.pi * (0.12 + 0.8 * up)))
            size = 0.36 * wide
            inside = 1 - np.hypot(x - cx, 1.2 * (y - cy)) / size + 0.22 * lump
            shine = 0.4 - 1.1 * ((x - cx) * 0.7 + (y - cy)) / size - 0.45 * (cx - foot) / wide - 0.25 * (1 - up)
            light = np.where(inside > 0, 0.5 * light * (1 - up) + shine * (0.5 + 0.5 * up), light)
            mask = np.maximum(mask, step(0, inside, 0.1))
    return mix(design, ramp("2a3a80 24607a 3f8a5a 7fb040 d0c440 ffdc70", light), mask)


def _sails(design: Array) -> Array:
    """Two boats with their sails, and what the water keeps of them."""
    x, y = grid()
    for cx, tall, wide in [(0.47, 0.2, 0.1), (0.56, 0.11, 0.05)]:
        for sign, strong in ((1, 0.95), (-0.9, 0.5)):
            up = (SHORE + 0.012 - y) * sign
            sail = (up > 0) & (up < tall) & (np.abs(x - cx - 0.2 * np.maximum(up, 0)) < wide * 0.5 * (1 - up / tall))
            cloth = np.where((x < cx + 0.2 * up)[..., None], rgb("fff8e6"), rgb("f2b49a"))
            design = mix(design, cloth, strong * sail)
        hull = (np.abs(y - SHORE - 0.014) < 0.008) & (np.abs(x - cx) < 0.6 * wide)
        design = mix(design, rgb("8a2f4a"), hull)
    return design


# ----------------------------------------------------------------------------------------- chalk_pastel
def chalk_pastel(rng: Rng) -> Array:
    """Pears, oranges, plums and a blue jug on a folded cloth, in soft chalks on dark violet paper.

    Manner: pastel, rubbed in first and drawn over with broken strokes that catch only the tooth of the paper.
    Glowing orange, turquoise and lilac out of the dark; soft edges, grainy.
    """
    table = _Table(rng)
    table.fruit()
    design, angle = table.design, table.angle
    sheet, tooth = rgb("2b1f3f"), paper(rng, 4)
    picture = mix(np.broadcast_to(sheet, design.shape), blur(design, 7), 0.45 + 0.4 * step(-0.6, tooth, 3.5))
    layers = [(26, 90, 24, -1.0, 0.06), (15, 60, 20, -0.5, 0.1), (9, 42, 24, 0.0, 0.15)]
    for width, length, spacing, catch, light in layers:
        layer = Paint(sheet, rng)
        layer.rgb[:] = picture
        layer.cover(design * 1.06, angle, width, length, spacing, light=light, hue=0.05, hairs=0.06, dry=0.35)
        picture = mix(picture, layer.rgb, 0.9 * step(catch, tooth, 1.8))
    return picture * (1 + 0.02 * tooth)[..., None]


class _Table:
    """A still life: its colours and the direction of the chalk. Starts with the wall and the folded cloth."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.x, self.y = x, y = grid()
        self.drift = drift = noise(rng, 240, 2)
        wall = ramp("2a1f4a 3f3a86 3f7fa0 7fc0b8 b89ad0", 0.15 + 0.75 * x - 0.25 * y + 0.22 * drift)
        folds = np.sin(13 * (x + 0.35 * np.sin(3.2 * y + 1)) * (1.25 - 0.4 * y) + 1.2 * noise(rng, 220, 2))
        edge = y - 0.56 - 0.03 * np.sin(4 * x + 1)
        cloth = ramp("3a1f52 7a3f8a c86fa0 f4b0a8 ffe6c8", 0.42 + 0.36 * folds + 0.1 * drift)
        stripe = step(0.3, np.sin(40 * (y + 0.05 * folds) + 9 * x), 0.3) * step(-0.3, np.sin(5.1 * x - 4 * y), 0.4)
        cloth = mix(cloth, ramp("1f4f78 2fa0a8 b0ead8", 0.45 + 0.4 * folds), 0.8 * stripe)
        self.design = mix(wall, cloth, step(0, edge, 0.02))
        self.angle = np.where(edge > 0, 1.2 + 0.5 * np.cos(13 * x + y), -0.9 + 0.5 * drift)

    def body(self, cx: float, cy: float, wide: float, tall: float, colours: str, neck: float = 0.0) -> None:
        """Something round lit from the left: an ellipse, drawn out upwards by `neck` as in a pear; with its shadow."""
        x, y = self.x, self.y
        shadow = np.hypot((x - cx - 0.9 * wide) / (1.5 * wide), (y - cy - 0.78 * tall) / (0.34 * tall))
        self.design = mix(self.design, rgb("2a1748"), 0.75 * step(-1.0, -shadow, 0.5))
        up = np.clip((cy - y) / tall, 0, 2)
        u, v = (x - cx) / (wide * (1 - neck * step(0.55, up, 0.9))), (y - cy) / (tall * (1 + 0.75 * neck * (y < cy)))
        out = np.hypot(u, v) + 0.012 * self.drift
        bulge = np.sqrt(np.clip(1 - out**2, 0, 1))
        mirrored = np.exp(-(((u - 0.75) / 0.3) ** 2)) * (v > -0.4)  # light that comes back from the cloth
        light = 0.12 + 0.62 * (-0.55 * u - 0.5 * v + 0.66 * bulge) + 0.2 * mirrored
        glow = np.exp(-(((u + 0.36) / 0.17) ** 2) - ((v + 0.4) / 0.2) ** 2)
        tone = mix(ramp(colours, light + 0.04 * noise(self.rng, 40, 2)), rgb("fffbe8"), 0.85 * glow)
        inside = step(-1.0, -out, 0.03)
        self.design = mix(self.design, tone, inside)
        self.angle = np.where(inside > 0.5, np.arctan2(v * wide, u * tall) + 1.57, self.angle)

    def fruit(self) -> None:
        """The jug with its handle, then the fruit from the back to the front."""
        x, y = self.x, self.y
        jug, orange = "141a4a 1f3f9a 2f7fd0 7fd0e8 e8fff8", "7a1f3a c8402a f5802a ffb84a ffeaa0"
        plum, lemon = "1f1038 4a1f6a 8a3f98 c888c8 f8d8f0", "6a4a2a b8902a f0c83a ffec7a fffbd8"
        for cx, cy, wide, tall in [(0.63, 0.43, 0.165, 0.21), (0.63, 0.2, 0.07, 0.09), (0.63, 0.125, 0.1, 0.03)]:
            self.body(cx, cy, wide, tall, jug)
        handle = np.abs(np.hypot((x - 0.79) * 1.1, y - 0.32) - 0.095) - 0.017
        lit = ramp(jug, 0.9 - 2.5 * (x - 0.74))
        self.design = mix(self.design, lit, step(0, -handle, 0.008) * (x > 0.755))
        self.body(0.9, 0.62, 0.125, 0.12, orange)
        self.body(0.3, 0.5, 0.13, 0.15, "3a3a2a 5f7a2a a8b83a e8dc6a fff6b8", neck=0.5)
        self.body(0.12, 0.62, 0.115, 0.11, orange)
        self.body(0.47, 0.65, 0.13, 0.125, orange)
        self.body(0.7, 0.74, 0.12, 0.13, "3a3a2a a8502a d8a83a e8dc6a fff6b8", neck=0.5)
        for cx, cy, size in [(0.27, 0.77, 0.085), (0.39, 0.84, 0.075), (0.13, 0.86, 0.08), (0.88, 0.88, 0.09)]:
            self.body(cx, cy, size, 0.92 * size, plum)
        self.body(0.55, 0.88, 0.09, 0.083, lemon)
        for sx, sy in ((0.305, 0.26), (0.705, 0.54)):
            stalk = np.abs(x - sx - 7.2 * (sy - y) ** 2) < 0.006
            self.design = mix(self.design, rgb("4a2a2a"), stalk & (y < sy + 0.05) & (y > sy - 0.03))
