"""Styles of pen and pencil: ink_hatching, pencil."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from tools import (
    CANVAS,
    Array,
    Points,
    Rng,
    blur,
    follow,
    grid,
    mix,
    noise,
    paper,
    ramp,
    rgb,
    sample,
    scatter,
    step,
)


def _hatch(
    sheet: Image.Image,
    tone: Array,
    angle: Array,
    rng: Rng,
    *,
    limit: float,
    turn: float = 0.0,
    patch: float = 30.0,
    gap: float = 5.6,
    length: float = 50.0,
    width: tuple[float, float] = (0.8, 2.2),
) -> None:
    """Draw patches of parallel strokes wherever `tone` (0 white … 1 black) exceeds `limit`.

    Args:
        sheet: greyscale image of twice the canvas, drawn in place: 255 is full ink.
        tone, angle: fields of (H, W); the strokes run along `angle` + `turn`.
        patch: distance between patches; gap: between strokes of one; length: of a stroke; all in canvas pixels.
        width: of a stroke where the tone just passes the limit, and where it is black.
    """
    draw = ImageDraw.Draw(sheet)
    for px, py in scatter(rng, patch):
        way = float(sample(angle, px, py)) + turn + 0.09 * rng.normal()
        half = 0.62 * patch
        for off in np.arange(-half, half, gap) + gap * rng.random():
            cx, cy = px - off * np.sin(way) + rng.normal(), py + off * np.cos(way) + rng.normal()
            depth = float(sample(tone, cx, cy)) - limit
            if depth <= 0.05 * rng.normal():
                continue
            own, bend = follow(angle, cx, cy, 12)
            own += turn + 0.05 * rng.normal()
            reach = length * rng.uniform(0.35, 0.6) * (0.6 + 0.4 * min(1.0, depth * 3))
            s = np.linspace(-reach, reach, 7)
            xs, ys = cx + s * np.cos(own + bend * s / 2), cy + s * np.sin(own + bend * s / 2)
            inside = sample(tone, xs, ys) > limit - 0.12  # a stroke stops where the light begins
            press = width[0] + (width[1] - width[0]) * min(1.0, max(depth, 0) / (1 - limit))
            press = press * (1 - 0.75 * (s / reach) ** 2)
            ink = int(rng.uniform(190, 255))
            for k in np.flatnonzero(inside[:-1] & inside[1:]):
                ends = [2 * xs[k], 2 * ys[k], 2 * xs[k + 1], 2 * ys[k + 1]]
                draw.line(ends, fill=ink, width=max(1, round(2 * press[k])))


# ----------------------------------------------------------------------------------------- ink_hatching
PUFFS = [(-0.75, 0.0, 0.34), (0.8, 0.02, 0.3), (-0.4, -0.2, 0.42), (0.45, -0.16, 0.4), (0.02, -0.32, 0.5)]
NEAR_FIRS = [
    (0.03, 0.62),
    (0.13, 0.5),
    (0.21, 0.33),
    (0.3, 0.22),
    (0.97, 0.58),
    (0.88, 0.4),
    (0.79, 0.27),
    (0.7, 0.17),
    (0.55, 0.13),
]


def ink_hatching(rng: Rng) -> Array:
    """Peaks, firs and clouds over a lake, drawn with a pen: patches of strokes, crossed where it grows dark.

    Manner: pen and sepia ink on cream paper. Two tones, fine, crisp, strong light and shade.
    """
    view = _View(rng)
    for cx, cy, size in [(0.14, 0.2, 0.2), (0.55, 0.1, 0.16), (0.9, 0.24, 0.22), (0.36, 0.29, 0.1)]:
        view.cloud(cx, cy, size)
    view.peaks(0.46, 0.24, 1.0, [0.1, 0.3, 0.55, 0.82, 1.0])
    view.peaks(0.55, 0.22, 1.4, [0.0, 0.22, 0.44, 0.68, 0.93])
    view.lake()
    for at in np.sort(rng.uniform(0, 1, 34)):
        view.fir(at, 0.62 + 0.01 * rng.random(), rng.uniform(0.045, 0.085))
    for at, tall in NEAR_FIRS:
        view.fir(at, 0.93 + 0.06 * rng.random(), tall)
    tone, angle = view.tone, view.angle
    sheet = Image.fromarray(np.uint8(255 * blur(view.edges, 0.6))).resize((2 * CANVAS, 2 * CANVAS))
    _hatch(sheet, tone, angle, rng, limit=0.16, gap=6.4, length=54, patch=38, width=(0.8, 2.0))
    _hatch(sheet, tone, angle, rng, limit=0.42, turn=0.1, gap=5.6, length=40)
    _hatch(sheet, tone, angle, rng, limit=0.56, turn=0.85, gap=5.4, length=34, width=(0.9, 2.6))
    _hatch(sheet, tone, angle, rng, limit=0.72, turn=-0.8, gap=4.6, length=26, patch=26, width=(1.2, 3.6))
    tooth = paper(rng, 4)
    ink = np.asarray(sheet.reduce(2), np.float32) / 255 * step(-2.4, noise(rng, 5, 2) - 0.4 * tooth, 1.4)
    page = ramp("ead9b4 f3e6c8 f8efd8", 0.55 + 0.2 * noise(rng, 330, 4)) * (1 + 0.018 * tooth)[..., None]
    wash = 1 - 0.2 * blur(np.clip(tone, 0, 1), 9) * (1 + 0.3 * noise(rng, 120, 3))
    page = page * wash[..., None] ** np.array([0.7, 1, 1.3])
    return mix(page, ramp("1d1512 3a261a", 0.3 + 0.25 * noise(rng, 90, 2)), 0.95 * ink)


class _View:
    """A landscape as a draughtsman thinks of it: how dark it is, which way the pen goes, where the outlines are."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.x, self.y = grid()
        self.tone = 0.5 - 0.55 * self.y + 0.06 * noise(rng, (80, 300), 2)
        self.angle = 0.12 * np.sin(5 * self.x) + 0.1 * noise(rng, 250)
        self.edges = np.zeros_like(self.tone)

    def _lay(self, inside: Array, tone: Array, angle: Array) -> None:
        """Put a thing in front of what is there: its tone and the way of the pen; it hides outlines."""
        self.tone, self.angle = np.where(inside, tone, self.tone), np.where(inside, angle, self.angle)
        self.edges = np.where(inside, 0, self.edges)

    def cloud(self, cx: float, cy: float, size: float) -> None:
        """A heap of round puffs, shaded below and at the right, the pen going around each."""
        for s, up, r in [*PUFFS, (0.05, 0.02, 0.42)]:
            dx, dy = self.x - cx - s * size, (self.y - cy - up * size) * 1.1
            out = np.hypot(dx, dy) - r * size + 0.006 * noise(self.rng, 40, 2)
            shade = 0.55 * np.clip((dx + 1.6 * dy) / (r * size) * 0.6 + 0.05, -0.1, 1)
            self._lay(out < 0, shade, np.arctan2(dy, dx) + np.pi / 2)
            rim = np.exp(-((out / 0.0016) ** 2)) * (dy + 0.4 * dx < 0.3 * r * size)
            self.edges = np.maximum(self.edges, rim)

    def peaks(self, base: float, tall: float, steep: float, places: list[float]) -> None:
        """A range of mountains: folds lit from the left, the pen going down the slopes."""
        x, y, rng = self.x, self.y, self.rng
        profile = np.full_like(self.tone, base - 0.02)
        for place in places:
            high = tall * rng.uniform(0.65, 1.1)
            away = np.abs(x - place - 0.02 * noise(rng, 90, 3)) * (0.8 + 0.3 * (x > place))
            profile = np.minimum(profile, base - high + steep * away)
        profile = profile + 0.008 * noise(rng, (900, 26), 3)
        depth = y - profile
        folds = noise(rng, (260, 130), 4) + 0.5 * np.sin(26 * x + 9 * depth) * np.exp(-depth * 5)
        slope = np.gradient(blur(folds, 2), axis=1) * 22
        shade = 0.42 + 0.46 * np.tanh(1.3 * slope) - 0.5 * np.clip((depth - 0.14) * 3, 0, 0.7)
        self._lay(depth > 0, shade, 1.57 + 0.75 * np.tanh(1.5 * slope))
        rim = np.exp(-((depth / 0.002) ** 2)) * step(-0.6, noise(rng, 50), 1)
        self.edges = np.maximum(self.edges, rim)

    def lake(self) -> None:
        """Level strokes that keep what stands above them, and a bank with grass in front."""
        x, y, rng = self.x, self.y, self.rng
        shore = 0.62 + 0.006 * np.sin(9 * x)
        mirror = sample(self.tone, x * CANVAS + 8 * np.sin(300 * y), (1.24 - y) * CANVAS)
        water = 0.12 + 0.75 * mirror + 0.25 * np.sin(190 * (y - shore) + 2 * noise(rng, (60, 200)))
        self._lay(y > shore, water, 0.02 * np.sin(20 * x))
        depth = y - 0.86 + 0.09 * np.cos(5.5 * x) - 0.015 * noise(rng, 60, 3)
        self._lay(depth > 0, 0.45 + 0.3 * noise(rng, 45, 3) + 0.8 * depth, -1.3 + 0.7 * np.sin(18 * x))

    def fir(self, at: float, foot: float, tall: float) -> None:
        """A fir of hanging tiers, dark at the right."""
        up, off = (foot - self.y) / tall, self.x - at - 0.004 * np.sin(30 * self.y)
        tier = (up * (5 + 8 * tall) + 0.15 * np.sign(off)) % 1
        reach = tall * 0.24 * np.maximum(1.02 - up, 0) ** 0.9 * (0.45 + 0.75 * (1 - tier))
        inside = (up > 0.03) & (up < 1) & (np.abs(off) < reach * (1 + 0.2 * noise(self.rng, 12)) + 0.002)
        shade = 0.8 + 0.42 * np.clip(off / (reach + 0.004), -1, 1) + 0.35 * (tier - 0.55)
        trunk = (np.abs(off) < 0.012 * tall) & (up > -0.02) & (up < 0.1)
        self.tone = np.where(trunk, 1.0, self.tone)
        self._lay(inside, shade, np.where(off > 0, 0.75, np.pi - 0.75) + 0.25 * np.sin(9 * tier))


# ----------------------------------------------------------------------------------------------- pencil
def pencil(rng: Rng) -> Array:
    """A hill town of stacked houses, towers and cypresses: soft graphite, shaded plane by plane, with loose outlines.

    Manner: pencil drawing on toothed paper. Monochrome cool grey, soft, fine grain, many middle tones.
    """
    x, y = grid()
    tone = 0.34 - 0.55 * y + 0.12 * noise(rng, (130, 300), 2)
    angle = np.full_like(x, -0.75) + 0.15 * noise(rng, 300)
    town = _Town(rng)
    town.build()
    built = np.asarray(town.tone) >= 0
    hills = (y > 0.40 + 0.05 * np.sin(7 * x + 1) + 0.01 * noise(rng, 80, 3)) & ~built
    tone = np.where(hills, 0.4 + 0.14 * noise(rng, 60, 3) + 0.25 * (y - 0.4), tone)
    angle = np.where(hills, 0.5 * np.cos(7 * x + 1) - 0.3, angle)
    tone = np.where(built, np.asarray(town.tone) + 0.05 * noise(rng, 70, 2), tone)
    angle = np.where(built, np.asarray(town.angle), angle)
    tooth = paper(rng, 4.5)
    page = ramp("d8d8d4 e9e8e3", 0.6 + 0.2 * noise(rng, 300, 3)) * (1 + 0.02 * tooth)[..., None]
    light = np.ones_like(tone)  # what the layers of graphite leave of it
    layers = [(0.06, 0.0, 5.2, 0.42), (0.22, 0.25, 4.6, 0.5), (0.42, -0.5, 4.6, 0.6), (0.6, 0.12, 4.0, 0.72)]
    for limit, turn, gap, strength in layers:
        sheet = Image.new("L", (2 * CANVAS, 2 * CANVAS))
        _hatch(sheet, tone, angle, rng, limit=limit + 0.03, turn=turn, gap=gap, length=58, patch=36, width=(2.2, 4.6))
        layer = blur(np.asarray(sheet.reduce(2), np.float32) / 255, 0.7)
        pressed = 1.3 + 1.8 * limit  # the last layers fill the tooth of the paper
        light *= 1 - strength * layer * step(-pressed, tooth + 0.4 * noise(rng, 3), 2.4)
    smudge = 0.16 * blur(np.clip(tone, 0, 1), 5)
    lines = np.asarray(town.outline.reduce(2), np.float32) / 255 * step(-1.6, tooth, 1.6)
    dark = 1 - (0.14 + 0.86 * light) * (1 - smudge) * (1 - 0.92 * lines)
    return mix(page, rgb("22262c"), np.clip(1.06 * dark, 0, 0.97))


class _Town:
    """Houses up a hill as planes: how dark each is (-1 where nothing is built), the way of the pencil, the outlines."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.tone = Image.new("F", (CANVAS, CANVAS), -1)
        self.angle = Image.new("F", (CANVAS, CANVAS), 0)
        self.outline = Image.new("L", (2 * CANVAS, 2 * CANVAS))

    def build(self) -> None:
        """Rows of houses from the top of the hill down, larger towards us, with a cypress here and there."""
        rng = self.rng
        for row, foot in enumerate([430, 500, 575, 655, 745, 845, 960, 1075]):
            span, size = 120 + 115 * row, 1 + 0.11 * row
            x = 560 - 0.95 * span + rng.uniform(-20, 20)
            while x < 560 + 0.85 * span:
                wide = rng.uniform(48, 92) * size
                here = foot + 0.00025 * (x - 560) ** 2 + rng.normal() * 8
                tower = rng.random() < 0.13
                gabled = bool(rng.integers(0, 2))
                if rng.random() < 0.84:
                    tall = rng.uniform(62, 120) * size
                    self.house(x, here, *((0.55 * wide, 1.6 * tall) if tower else (wide, tall)), tower, gabled)
                else:
                    self.cypress(x + 20, here, rng.uniform(110, 190) * size)
                x += wide * rng.uniform(1.0, 1.35)

    def lines(self, points: Points, times: int) -> None:
        """Lines that are drawn more than once, never quite the same, and run past the corners."""
        draw, rng = ImageDraw.Draw(self.outline), self.rng
        for (ax, ay), (bx, by) in pairwise(points):
            for _ in range(times):
                dx, dy = bx - ax, by - ay
                past = rng.uniform(0, 5) / (np.hypot(dx, dy) + 1)
                ends = np.array([ax - past * dx, ay - past * dy, bx + past * dx, by + past * dy])
                ends = 2 * (ends + 1.3 * rng.normal(size=4))
                draw.line(list(ends), fill=int(rng.uniform(90, 235)), width=int(rng.integers(2, 5)))

    def plane(self, points: Points, dark: float, turn: float, times: int = 2) -> None:
        """One face of a house: it hides what is behind it."""
        ImageDraw.Draw(self.tone).polygon(points, fill=dark)
        ImageDraw.Draw(self.angle).polygon(points, fill=turn)
        ImageDraw.Draw(self.outline).polygon([(2 * x, 2 * y) for x, y in points], fill=0)
        self.lines([*points, points[0]], times)

    def house(self, x: float, foot: float, wide: float, tall: float, tower: bool, gabled: bool) -> None:
        """A block with a shaded flank, a lit front with windows, and a roof: pointed, gabled or of sloping tiles."""
        rng = self.rng
        side, skew, top, right = wide * rng.uniform(0.35, 0.6), 0.11 * wide, foot - tall, x + wide
        flank = [(right, foot), (right + side, foot - skew), (right + side, top - skew), (right, top)]
        self.plane(flank, rng.uniform(0.6, 0.82), 1.35)
        front = [(x, foot), (right, foot), (right, top), (x, top)]
        self.plane(front, rng.uniform(0.04, 0.22), -0.8 + 0.2 * rng.normal())
        rise = top - wide * rng.uniform(0.3, 0.5)
        if tower:
            tip = (x + wide * 0.6, top - 1.5 * wide)
            self.plane([(x - 5, top), tip, (right + 5, top)], 0.42, 1.3)
            self.plane([(right + 5, top), tip, (right + side + 3, top - skew)], 0.8, 1.0)
        elif gabled:
            ridge = (x + wide / 2, rise)
            far = [(ridge[0] + side, rise - skew), (right + side + 3, top - skew), (right + 3, top)]
            self.plane([ridge, *far], rng.uniform(0.45, 0.65), 0.9)
            self.plane([(x - 3, top), ridge, (right + 3, top)], rng.uniform(0.1, 0.25), -0.6)
        else:
            roof = [(x - 4, top + 2), (right + 4, top + 2), (x + 0.9 * wide + side, rise), (x + 0.25 * wide, rise)]
            self.plane(roof, rng.uniform(0.32, 0.52), 1.2)
            for t in np.arange(1, 7) / 7:
                self.lines([(x + t * wide, top), (x + 0.25 * wide + t * (0.65 * wide + side), rise)], 1)
        columns = max(1, int(wide / 34))
        for wy in np.arange(top + 16, min(foot - 22, top + tall - 10), 42):
            for column in range(columns):
                if rng.random() < 0.8:
                    wx = x + wide * (column + 0.5) / columns - 6
                    window = [(wx, wy), (wx + 11, wy), (wx + 11, wy + 18), (wx, wy + 18)]
                    self.plane(window, rng.uniform(0.75, 0.98), 1.4, times=1)

    def cypress(self, x: float, foot: float, tall: float) -> None:
        """A slender dark tree."""
        s = np.linspace(0, np.pi, 15)
        belly = 0.13 * tall * np.sin(s) ** 0.8 + 2 * self.rng.normal(size=15)
        up = foot - tall * s / np.pi
        outline = np.concatenate([np.stack([x - belly, up], 1), np.stack([x + belly, up], 1)[::-1]])
        self.plane([tuple(point) for point in outline], 0.86, 1.5)
