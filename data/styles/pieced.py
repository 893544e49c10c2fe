"""Styles of small pieces: stained_glass, mosaic."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage
from skimage.measure import find_contours

from tools import CANVAS, Array, Labels, Rng, blur, grid, jitter, mix, noise, ramp, relief, rgb, sample, scatter, step

# ---------------------------------------------------------------------------------------- stained_glass
BLADES = [  # foot, then the tip's position
    (0.05, 0.02, 0.42),
    (0.12, 0.17, 0.5),
    (0.2, 0.3, 0.68),
    (0.86, 0.8, 0.6),
    (0.93, 0.97, 0.46),
    (0.8, 0.68, 0.74),
    (0.98, 0.9, 0.66),
    (0.0, 0.09, 0.62),
]
LILIES = [  # x, y, radius, turn, colours from the rim to the heart
    (0.15, 0.5, 0.145, 0.2, "ffffff ffd8e0 f080a8"),
    (0.87, 0.62, 0.15, 0.5, "fff8f0 ffb0c0 d83068"),
    (0.3, 0.84, 0.13, 0.9, "fff8e0 ffd060 f08030"),
    (0.69, 0.88, 0.11, 0.1, "ffffff e0c8f8 a868d0"),
]


def stained_glass(rng: Rng) -> Array:
    """Sunrise over hills and a river behind lilies: pieces of streaked glass in lead, lit from behind.

    Manner: leaded window of about 1900. Luminous, saturated, crisp black lines.
    """
    window = _Window(rng)
    window.sky(0.62, 0.36)
    window.land()
    for blade in BLADES:
        window.blade(*blade)
    for lily in LILIES:
        window.lily(*lily)
    return window.leaded()


class _Window:
    """Pieces of glass: to which piece a pixel belongs, and the piece's colour."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        x, y = grid()
        self.x, self.y = x + 0.004 * noise(rng, 120, 2), y + 0.004 * noise(rng, 120, 2)
        self.piece: Labels = np.zeros(x.shape, np.int64)
        self.glass = np.zeros((*x.shape, 3), np.float32)
        self.count = 0

    def lay(self, inside: Array, cuts: Array, colours: str, where: Array) -> None:
        """Cut the region `inside` where the whole numbers `cuts` change; a piece's colour is its mean of `where`."""
        labels = np.unique(cuts[inside], return_inverse=True)[1]
        means = np.bincount(labels, where[inside]) / np.bincount(labels)
        tints = jitter(ramp(colours, means + 0.07 * self.rng.normal(size=means.size)), self.rng, 0.045, 0.03)
        self.piece[inside], self.glass[inside] = labels + self.count, tints[labels]
        self.count += labels.max() + 1

    def sky(self, sun_x: float, sun_y: float) -> None:
        """Rays of a low sun, cut across by rings that do not run through, and its disc."""
        rng = self.rng
        radius, turn = np.hypot(self.x - sun_x, self.y - sun_y), np.arctan2(self.y - sun_y, self.x - sun_x)
        edges = np.sort(np.linspace(-np.pi, np.pi, 23) + rng.normal(scale=0.05, size=23))
        ray = np.searchsorted(edges[1:-1], turn)
        ring = np.floor((radius / 0.115) ** 0.9 + 0.45 * np.sin(5.1 * ray) + 0.02 * noise(rng, 60))
        colours = "fff2a0 ffc83a f58a2a e0485a a03a9a 5a3fb0 2a4fc0 1f3f9a"
        self.lay(np.ones(radius.shape, bool), ray * 50 + ring, colours, radius / 0.78)
        cuts = np.where(radius > 0.045, np.trunc(turn / 1.05) + 90, 0)
        self.lay(radius < 0.105, cuts, "fffbe0 fff0a0 ffe070", radius / 0.1)

    def land(self) -> None:
        """Three rows of hills and a river that winds towards us."""
        x, y = self.x, self.y
        hills = [(0.50, 0.05, 5, "5a7fc0 6a5fb0 8a6fc0"), (0.58, 0.06, 4, "2a8f8a 3fae8a 1f6f80")]
        for base, swell, wave, colours in [*hills, (0.68, 0.05, 7, "2f8f3a 7ab83a 1f6a3a")]:
            edge = base + swell * np.sin(wave * x + 30 * base) + 0.3 * swell * np.sin(2.3 * wave * x)
            cuts = np.floor((x + 0.25 * (y - base) * np.sin(20 * base)) / 0.13 + 0.3 * np.sin(30 * base)) * 10
            self.lay(y > edge, cuts + np.floor((y - edge) / 0.075), colours, 0.5 + 0.5 * np.sin(25 * x + 40 * y))
        bend = 0.53 - 0.16 * np.sin(14 * (y - 0.57)) * (0.45 + y - 0.57)
        bank = 0.02 + 0.5 * np.maximum(y - 0.57, 0) ** 1.2
        cuts = np.floor((y + 0.08 * np.abs(x - bend)) / 0.036)
        colours = "fff0b0 ffc870 8fd0e8 4a9fe0 2a6fd0"
        self.lay((np.abs(x - bend) < bank) & (y > 0.57), cuts, colours, (y - 0.57) / 0.42)

    def blade(self, foot: float, tip_x: float, tip_y: float) -> None:
        """A long leaf, split along its middle."""
        up = np.clip((1.05 - self.y) / (1.05 - tip_y), 0, 1.2)
        off = self.x - foot - (tip_x - foot) * up**1.6
        inside = (np.abs(off) < 0.024 * np.sqrt(np.clip(1 - up, 0, 1)) * (1 + 0.6 * up)) & (self.y > tip_y)
        side = off > 0
        self.lay(inside, side * 20 + np.floor(up * 3.3), "0f5a3a 2fa04a a8d84a", up * 0.8 + 0.2 * side)

    def lily(self, cx: float, cy: float, size: float, tilt: float, colours: str) -> None:
        """Three petals behind and three in front, around a golden heart."""
        dx, dy = self.x - cx, self.y - cy
        out, way = np.hypot(dx, dy) / size, np.arctan2(dy, dx) + tilt
        for first in (0.5, 0.0):
            sector = np.round(3 * way / 2 / np.pi + first)
            off = way - (sector - first) * 2 * np.pi / 3
            petal = np.abs(off) < 0.78 * np.sin(np.pi * np.clip(out / (0.9 + 0.1 * first), 0, 0.999) ** 0.75) ** 0.8
            cuts = sector % 3 * 10 + (off > 0) + (out > 0.6) * 4 * (size > 0.14)
            self.lay(petal & (out < 1), cuts, colours, 1 - out + 0.12 * np.sign(off))
        self.lay(out < 0.17, way > 0, "ffd040 e89020", out)

    def leaded(self) -> Array:
        """Streaks, waves and light in the pieces of glass, and lead between them."""
        piece, glass, rng = self.piece, self.glass, self.rng
        change = (np.diff(piece, axis=0, prepend=piece[:1]) != 0) | (np.diff(piece, axis=1, prepend=piece[:, :1]) != 0)
        gap = ndimage.distance_transform_edt(~change).astype(np.float32)
        level = rng.integers(0, 2, piece.max() + 1)[piece]  # some pieces are streaked across, some upright
        streak = np.where(level, noise(rng, (22, 170), 3), noise(rng, (170, 22), 3))
        uneven = 0.10 * streak + 0.10 * noise(rng, 240, 2) + 0.07 * noise(rng, 26, 2)
        lit = glass * (1 + uneven[..., None]) * (0.72 + 0.28 * np.minimum(gap / 26, 1))[..., None]
        lit = lit + 0.10 * np.clip(streak - 0.9, 0, 2)[..., None]
        lit = relief(lit, 1.6 * noise(rng, 15, 2) + 0.5 * noise(rng, 5), 0.36, gloss=0.25)
        lit = lit + 0.35 * blur(np.clip(lit - 0.45, 0, 1), 14) * lit  # light spreads
        wide = 4.5 + 0.9 * noise(rng, 70, 2)
        profile = np.sqrt(np.clip(1 - (gap / wide) ** 2, 0, 1)) * wide
        lead = relief(np.full_like(glass, 0.13) * rgb("e8ecf8"), profile + 0.4 * noise(rng, 6, 2), 0.8, gloss=0.5)
        return mix(lit, lead, step(-wide - 0.3, -gap, 1.6))


# ----------------------------------------------------------------------------------------------- mosaic
WARM, COOL = "7a2f26 b8502f dd8a45 f0c27a", "1f4450 3a7378 7fae9c d8d8b0"
PLUM = "4a2a3a 8a4a58 c08878 e8c8a8"


def mosaic(rng: Rng) -> Array:
    """Three fishes and starfish over waves, in small stones set in rows that follow the shapes.

    Manner: antique floor mosaic. Warm stone colours on ivory with slate and sea green, medium grain, matt.
    """
    floor = _Floor(rng)
    floor.waves()
    fishes = [(0.4, 0.32, 0.52, 0.3, WARM), (0.58, 0.62, 0.5, 2.88, COOL), (0.14, 0.66, 0.22, -0.5, PLUM)]
    for fish in fishes:
        floor.fish(*fish)
    stars = [(0.84, 0.26, 0.11, 0.2), (0.8, 0.88, 0.075, 0.4), (0.1, 0.4, 0.075, 0.1), (0.3, 0.9, 0.07, 1.0)]
    for cx, cy, size, spin in stars:
        radius, turn = np.hypot(floor.x - cx, floor.y - cy) / size, np.arctan2(floor.y - cy, floor.x - cx) + spin
        for reach, colours in ((1.12, "3a2a2a 3a2a2a"), (0.95, "c2502f e58f4a"), (0.4, "f0d9a0 f0d9a0")):
            floor.lay(radius < reach * (0.62 + 0.38 * np.cos(5 * turn)) ** 0.8, ramp(colours, radius))
    return _Stones(floor.region, floor.tint, 14.5, rng).picture()


class _Floor:
    """The pattern of a mosaic: regions, along whose borders the rows run, and colours."""

    def __init__(self, rng: Rng) -> None:
        x, y = grid()
        self.x, self.y = x + 0.006 * noise(rng, 160, 2), y + 0.006 * noise(rng, 160, 2)
        self.region: Labels = np.zeros(x.shape, np.int64)
        self.tint = ramp("e9dcbc f1e6cc dccba0 e6d3b0", 0.5 + 0.25 * noise(rng, 200, 2))

    def lay(self, inside: Array, colour: Array) -> None:
        """Add a region of one colour, or of the colours that a picture has there."""
        self.region[inside] = self.region.max() + 1
        self.tint[inside] = np.broadcast_to(colour, self.tint.shape)[inside]

    def waves(self) -> None:
        """The sea at the bottom, bands of an evening sky at the top."""
        x, y = self.x, self.y
        for k, colours in enumerate(["7fb0a4 a8cabc", "3f7f86 5f9a98", "24505f 2f6473", "173543 23485a"]):
            crest = 0.74 + 0.075 * k + 0.022 * np.sin(2 * np.pi * (2.5 * x + 0.3 * k)) + 0.008 * np.sin(40 * x + k)
            self.lay(y > crest, ramp(colours, 0.5 + 0.5 * np.sin(60 * y + 9 * x)))
        for k, colours in enumerate(["c98b4f d9a468", "a8492f b85c3c", "5a2a2a 6a3430"]):
            crest = 0.13 - 0.055 * k + 0.018 * np.sin(2 * np.pi * (2 * x + 0.15 * k) + 1)
            self.lay(y < crest, ramp(colours, 0.5 + 0.5 * np.sin(70 * y + 7 * x)))

    def fish(self, cx: float, cy: float, size: float, tilt: float, colours: str) -> None:
        """A striped fish with a dark outline."""
        ax, ay = (self.x - cx) / size, (self.y - cy) / size
        along, across = ax * np.cos(tilt) + ay * np.sin(tilt), ay * np.cos(tilt) - ax * np.sin(tilt)
        across = across - 0.3 * along**2 + 0.03
        away = np.abs(across)
        t = along + 0.5  # 0 at the tail's root, 1 at the mouth
        body = 0.25 * np.sin(np.pi * np.clip(t, 0.001, 0.999) ** 1.2) ** 0.8 + 0.03 * np.exp(-((t / 0.08) ** 2))
        tail = (t < 0.1) & (t > -0.24) & (away < 0.05 + 0.75 * (0.09 - t)) & (away > 1.3 * (-0.09 - t))
        fins = np.abs(away - body - 0.03) < 0.08 * np.sin(np.pi * np.clip((t - 0.22) * 2.2, 0, 1))
        self.lay((tail | fins) & (t < 0.7), ramp(colours, 0.3 + 0.35 * np.sin(60 * across - 25 * t)))
        outline = (t > 0) & (t < 1) & (away < body + 0.01)
        flesh = outline & (away < body - 0.0088 / size)
        self.lay(outline, rgb("2b2426"))
        self.lay(flesh, ramp(colours, 0.5 + 1.5 * across + 0.55 * np.tanh(3 * np.sin(34 * t - 3 * away))))
        self.lay(flesh & (t > 0.75 - 2 * across**2), rgb("2b2426"))  # the gill
        self.lay(flesh & (t > 0.79 - 2 * across**2), ramp(colours, 0.75 + 1.2 * across))
        for radius, colour in ((0.05, "2b2426"), (0.037, "f8f0dc"), (0.02, "1a1818")):
            self.lay(np.hypot(t - 0.86, across + 0.035 * np.cos(tilt)) < radius, rgb(colour))


class _Stones:
    """Stones of about `side` pixels set in rows along the borders of each region."""

    def __init__(self, region: Labels, tint: Array, side: float, rng: Rng) -> None:
        self.tint, self.side, self.rng = tint, side, rng
        self.colours = Image.new("RGB", (2 * CANVAS, 2 * CANVAS), (0, 0, 0))
        self.tops = Image.new("L", self.colours.size)  # 0 is mortar
        self.pens = ImageDraw.Draw(self.colours), ImageDraw.Draw(self.tops)
        for number in np.unique(region):
            self.rows(region == number)
        self.splinters()

    def stone(self, x: float, y: float, turn: float, long: float, wide: float) -> None:
        """One stone with its rim of mortar."""
        rng, (colours, tops) = self.rng, self.pens
        half = np.array([[-long, -wide], [long, -wide], [long, wide], [-long, wide]]) / 2
        cosine, sine = np.cos(turn), np.sin(turn)
        corners = half * (1 + 0.1 * rng.normal(size=(4, 2))) @ np.array([[cosine, sine], [-sine, cosine]])
        rim, corners = ([tuple(2 * (scale * c + [x, y])) for c in corners] for scale in (1.22, 1))
        colour = jitter(sample(self.tint, x, y), rng, 0.055, 0.022)
        colours.polygon(rim, fill=(0, 0, 0))
        tops.polygon(rim, fill=0)
        colours.polygon(corners, fill=tuple(int(255 * c) for c in colour))
        tops.polygon(corners, fill=int(rng.uniform(150, 255)))

    def rows(self, region: Array) -> None:
        """Fill a region with rows at equal distances from its border."""
        rng, side = self.rng, self.side
        rows, columns = ndimage.find_objects(region.astype(int))[0]
        rows = slice(max(0, rows.start - 1), rows.stop + 1)  # with a rim that tells where the region ends
        columns = slice(max(0, columns.start - 1), columns.stop + 1)
        inside = np.pad(region[rows, columns], 40, mode="edge")
        depth = blur(ndimage.distance_transform_edt(inside).astype(np.float32), 2)
        for level in np.arange(0.5 * side, min(depth.max(), 2 * CANVAS), side):
            for row in find_contours(depth, level):
                row = row + np.array([rows.start - 40, columns.start - 40])
                length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(row, axis=0).T))])
                count = round(length[-1] / side)
                each = length[-1] / max(count, 1)
                at = (np.arange(count) + 0.5 + 0.1 * rng.normal(size=count)) * each
                y, x = (np.interp(at, length, axis) for axis in row.T)
                ahead_y, ahead_x = (np.interp(at + 3, length, axis) for axis in row.T)
                for px, py, turn in zip(x, y, np.arctan2(ahead_y - y, ahead_x - x), strict=True):
                    self.stone(px, py, turn + 0.06 * rng.normal(), 0.86 * each, 0.84 * side)

    def splinters(self) -> None:
        """Small stones of any shape where rows meet and leave a gap."""
        bare = ndimage.distance_transform_edt(np.asarray(self.tops.reduce(2)) == 0)
        for x, y in scatter(self.rng, 0.4 * self.side):
            room = sample(bare, x, y)
            if room > 0.2 * self.side:
                self.stone(x, y, self.rng.uniform(0, 3), 1.7 * room, 1.5 * room)
                top, left = max(0, int(y - 1.5 * room)), max(0, int(x - 1.5 * room))
                bare[top : int(y + 1.5 * room), left : int(x + 1.5 * room)] = 0

    def picture(self) -> Array:
        """Stones and mortar in light from the left."""
        rng = self.rng
        tops = np.asarray(self.tops.reduce(2), np.float32) / 255
        colours = np.asarray(self.colours.reduce(2), np.float32) / 255
        mortar = ramp("6f665a 8f8472", 0.5 + 0.2 * noise(rng, 20, 3))
        floor = mix(mortar, colours, np.clip(tops * 1.6, 0, 1))
        floor = floor * (1 + 0.05 * noise(rng, 3, 2) + 0.03 * noise(rng, 9))[..., None]
        return relief(floor, 3.5 * blur(tops, 1.3) + 0.25 * noise(rng, 4, 2), 0.55, gloss=0.1)
