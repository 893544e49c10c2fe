"""Styles of planes and signs: geometric, cubist_facets."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from tools import (
    CANVAS,
    Array,
    Paint,
    Rng,
    blur,
    grid,
    mix,
    noise,
    palette,
    paper,
    polygon,
    ramp,
    relief,
    rgb,
    step,
)

# -------------------------------------------------------------------------------------------- geometric
BLACK, RED, BLUE, TEAL, GOLD, CREAM = "161820", "c8392b", "23305a", "2f7f86", "e9a52c", "efe2c4"
PLANES = [  # large quiet bars: x, y, angle, length, width, colour, opacity
    (0.16, 0.3, 1.2, 1.3, 0.42, "d9b45a", 0.7),
    (0.86, 0.75, -0.5, 1.1, 0.5, "7f9a98", 0.75),
    (0.6, 0.05, 0.2, 1.2, 0.3, "c9a79a", 0.8),
    (0.15, 0.92, 0.15, 0.9, 0.36, "30343f", 0.9),
    (0.95, 0.3, 1.5, 0.6, 0.2, "2f5f7a", 0.85),
]
ARCS = [  # around the great disc: radius, width, start, sweep, colour
    (0.36, 0.012, 0.2, 2.2, BLACK),
    (0.4, 0.03, -0.4, 1.1, TEAL),
    (0.45, 0.008, 0.0, 2.9, RED),
    (0.52, 0.02, 0.5, 0.8, BLACK),
    (0.58, 0.05, 1.0, 0.45, GOLD),
]
WEDGES = [  # x, y, size, turn, colour
    (0.17, 0.75, 0.17, 0.3, TEAL),
    (0.3, 0.86, 0.15, 2.0, GOLD),
    (0.9, 0.52, 0.16, 1.1, RED),
    (0.07, 0.12, 0.13, 4.0, BLUE),
    (0.56, 0.93, 0.12, 0.0, CREAM),
]
TARGETS = [  # x, y, radius, colours from outside
    (0.78, 0.86, 0.1, ("e8d8b4", RED, BLACK)),
    (0.1, 0.52, 0.075, (BLACK, GOLD, "e8d8b4")),
    (0.63, 0.13, 0.06, (BLUE, CREAM, RED)),
    (0.95, 0.06, 0.05, (GOLD, BLACK, CREAM)),
    (0.4, 0.9, 0.04, (RED, CREAM, BLACK)),
    (0.04, 0.9, 0.055, (RED, GOLD, BLACK)),
]
SMALL_BARS = [
    (0.5, 0.5, -0.72, 1.5, 0.011, BLACK),
    (0.55, 0.52, -0.68, 1.2, 0.005, BLACK),
    (0.3, 0.2, 0.38, 0.62, 0.018, CREAM),
    (0.73, 0.55, 0.9, 0.5, 0.007, BLACK),
]


def geometric(rng: Rng) -> Array:
    """Discs, arcs, bars, chequers and wedges in balance, glazed over one another on plaster.

    Manner: constructivist abstraction of the 1920s. Primary accents on cream, black and grey; hard edges, dry paint.
    """
    wall = _Wall(rng)
    for plane in PLANES:
        wall.bar(*plane)
    wall.great_disc(0.4, 0.42)
    for k in range(9):  # a fan of glazes
        u, v = wall.turned(0.98, 0.98, np.pi + 0.12 + 0.16 * k)
        inside = np.minimum(0.065 * u + 0.004 - np.abs(v), 0.62 - 0.04 * (k % 3) - u)
        wall.lay(inside, (RED, GOLD, CREAM, TEAL, BLUE)[k % 5], 0.5)
    for k in range(6):
        wall.disc(0.66 + 0.052 * k, 0.4 + 0.016 * k, 0.05 - 0.004 * k, (BLUE, RED, GOLD, TEAL)[k % 4], 0.62)
    wall.chequers(0.82, 0.2, -0.35)
    for k in range(11):
        wall.bar(0.62 + 0.03 * k, 0.72 + 0.012 * k, 1.25, 0.24 - 0.012 * k, 0.014, (BLACK, RED, BLUE)[k % 3])
    for cx, cy, size, turn, colour in WEDGES:
        u, v = wall.turned(cx, cy, turn)
        inside = np.minimum(u + 0.5 * size, 0.5 * (size - u) - 0.87 * np.abs(v))
        wall.lay(0.9 * inside, colour, 0.85, turn)
    for cx, cy, radius, colours in TARGETS:
        for part, colour in zip((1, 0.68, 0.3), colours, strict=True):
            wall.disc(cx, cy, radius * part, colour)
    for bar in SMALL_BARS:
        wall.bar(*bar)
    for k in range(7):
        wall.bar(0.05 + 0.022 * k, 0.36 + 0.006 * k, -1.2, 0.13, 0.006, BLACK)
    cracks = step(-0.03, -np.abs(noise(rng, 120, 4)), 0.03) * step(0.3, noise(rng, 200), 1)
    picture = wall.picture * (1 - 0.25 * cracks)[..., None]
    return relief(picture, 1.1 * wall.tooth + 0.8 * noise(rng, 30, 2), 0.22)


class _Wall:
    """Plaster on which shapes are glazed in dry paint. Positions and lengths are in units of the canvas."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        x, y = grid()
        self.x, self.y = x + 0.0018 * noise(rng, 150, 3), y + 0.0018 * noise(rng, 150, 3)
        self.tooth = paper(rng, 7)
        self.picture = ramp("efe2c4 e6d2ac f2e8d2 d8c8a8", 0.5 + 0.25 * noise(rng, 260, 3))
        self.dry, self.cloud = noise(rng, (4, 90)) + 0.8 * noise(rng, 6, 2), noise(rng, 90, 3)
        self.catch = step(-2.3, -0.35 * self.tooth + 0.5 * self.dry, 1.2)  # where the plaster takes paint

    def lay(self, inside: Array, colour: str, opacity: float = 0.92, tilt: float = 0.0) -> None:
        """Paint a shape (`inside` is the distance from its edge), thinner towards the direction `tilt` if any."""
        fade = 1 - 0.3 * np.clip(0.5 + (self.x - 0.5) * np.cos(tilt) + (self.y - 0.5) * np.sin(tilt), 0, 1)
        cover = step(0, inside, 0.0028) * opacity * (fade if tilt else 1) * self.catch
        uneven = np.roll(self.cloud, self.rng.integers(0, CANVAS, 2), (0, 1))
        rim = 1 - 0.18 * np.exp(-np.abs(inside) / 0.004)
        tone = rgb(colour) * ((1 + 0.06 * uneven + 0.025 * self.dry) * rim)[..., None]
        self.picture = mix(self.picture, tone, cover)

    def turned(self, cx: float, cy: float, angle: float) -> tuple[Array, Array]:
        """Coordinates around (cx, cy) along and across the direction `angle`."""
        dx, dy = self.x - cx, self.y - cy
        return dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)

    def disc(self, cx: float, cy: float, radius: float, colour: str, opacity: float = 0.92, tilt: float = 0.0) -> None:
        """A disc around (cx, cy)."""
        self.lay(radius - np.hypot(self.x - cx, self.y - cy), colour, opacity, tilt)

    def bar(
        self, cx: float, cy: float, angle: float, long: float, wide: float, colour: str, opacity: float = 0.92
    ) -> None:
        """A straight bar whose middle is (cx, cy)."""
        u, v = self.turned(cx, cy, angle)
        self.lay(np.minimum(long / 2 - np.abs(u), wide / 2 - np.abs(v)), colour, opacity, angle + 0.1)

    def great_disc(self, cx: float, cy: float) -> None:
        """A disc in rings, half in shadow, and arcs that turn around it."""
        self.disc(cx, cy, 0.3, "1f2230")
        self.disc(cx, cy, 0.272, RED, 0.95, 0.6)
        self.disc(cx, cy, 0.19, "e8d8b4")
        self.disc(cx, cy, 0.17, GOLD, 0.95, 2.2)
        u, v = self.turned(cx, cy, 0.5)
        self.lay(np.minimum(0.272 - np.hypot(u, v), v), BLUE, 0.72, 1.0)
        self.disc(cx, cy, 0.065, BLACK)
        self.disc(cx + 0.018, cy - 0.02, 0.022, "f2e8d0")
        for radius, wide, start, sweep, colour in ARCS:
            u, v = self.turned(cx, cy, start + sweep / 2)
            ends = (sweep / 2 - np.abs(np.arctan2(v, u))) * radius
            self.lay(np.minimum(wide / 2 - np.abs(np.hypot(u, v) - radius), ends), colour)

    def chequers(self, cx: float, cy: float, angle: float) -> None:
        """A chequered board."""
        u, v = self.turned(cx, cy, angle)
        board = np.minimum(0.15 - np.abs(u), 0.11 - np.abs(v))
        self.lay(board, "efe6d0")
        self.lay(np.minimum(board, 0.0185 - 0.0375 * np.abs((u / 0.0375 + v // 0.0367) % 2 - 1)), "1b1d26")


# ---------------------------------------------------------------------------------------- cubist_facets
TONES = palette("2a211c 4a3524 75522f a5793f c9a262 e3cf9c f1e8cf 8f9a8c 5f7280 3a4a58 6a6a4a b88a5a")
OFTEN = [0.07, 0.07, 0.09, 0.1, 0.13, 0.15, 0.15, 0.07, 0.06, 0.03, 0.04, 0.04]  # how often a free plane has each tone
DIRECTIONS = [0.5, -0.45, 1.25, 1.57, -1.1]  # that most edges keep
ELLIPSES = [
    (0.24, 0.26, 0.035),
    (0.24, 0.44, 0.085),
    (0.25, 0.66, 0.085),
    (0.77, 0.55, 0.075),
    (0.78, 0.74, 0.05),
    (0.79, 0.82, 0.07),
]
CONTOURS = [  # a bottle, a glass, the table's edge
    [[0.21, 0.12], [0.21, 0.27], [0.155, 0.4], [0.155, 0.72]],
    [[0.275, 0.1], [0.275, 0.3], [0.325, 0.42], [0.335, 0.66]],
    [[0.7, 0.55], [0.755, 0.74], [0.755, 0.83]],
    [[0.845, 0.56], [0.8, 0.73], [0.81, 0.8]],
    [[0.0, 0.86], [0.42, 0.8], [0.6, 0.93], [1.0, 0.8]],
]


def cubist_facets(rng: Rng) -> Array:
    """A guitar, a bottle and a glass on a table, broken into facets that are lit from different sides.

    Manner: analytic cubism. Umber, ochre, olive and blue-grey; straight edges that fade away, short dabs of the brush.
    """
    view = _Facets(rng)
    view.cover()
    for _ in range(120):
        view.free_plane()
    view.guitar()
    view.things()
    lines = np.asarray(view.lines.reduce(2), np.float32) / 255 * np.clip(0.9 + 0.3 * noise(rng, 90, 2), 0.15, 1)
    # the brush: dabs on a grey of their own, which then darken and lighten the facets without blurring their edges
    paint = Paint(np.full(3, 0.5, np.float32), rng)
    paint.cover(paint.rgb.copy(), view.angle, 15, 34, 17, light=0.10, hue=0.012, hairs=0.05)
    paint.cover(paint.rgb.copy(), view.angle, 10, 20, 26, light=0.15, hue=0.02, hairs=0.06, square=0.8)
    paint.rgb = np.clip(view.design * (0.62 + 0.76 * paint.rgb) + 0.1 * (paint.rgb - 0.5), 0, 1)
    paint.rgb = mix(paint.rgb, rgb("17110e"), 0.92 * _by_hand(lines, rng))
    return paint.shaded(0.5, gloss=0.06, grain=0.15)


class _Facets:
    """Facets, the direction of the brush in each, and the lines drawn over them (at twice the canvas)."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.design = np.zeros((CANVAS, CANVAS, 3), np.float32)
        self.angle = np.zeros((CANVAS, CANVAS), np.float32)
        self.lines = Image.new("L", (2 * CANVAS, 2 * CANVAS))
        self.pen = ImageDraw.Draw(self.lines)

    def curve(self, points: Array, wide: float, ink: int = 235) -> None:
        """A line through points given in units of the canvas."""
        self.pen.line([tuple(p) for p in points * 2 * CANVAS], fill=ink, width=int(2 * wide), joint="curve")

    def cover(self) -> None:
        """Facets from edge to edge, lightest around the middle, warm or cool."""
        rng = self.rng
        for corners in _split(np.array([[-40, -40], [1064, -40], [1064, 1064], [-40, 1064]], float), rng, 6):
            x, y = corners.mean(0) / CANVAS
            light = 0.24 + 0.6 * np.exp(-(((x - 0.5) / 0.3) ** 2) - ((y - 0.47) / 0.4) ** 2) + 0.2 * rng.normal()
            warm, cool = ramp(TONES[:7], light), ramp(TONES[[9, 8, 7, 6]], light)
            colour = warm if rng.random() < 0.62 else 0.35 * warm + 0.65 * cool
            self.plane(corners, colour, 1.0)
            ink, wide = int(rng.choice([0, 110, 180, 240])), rng.integers(4, 10)
            self.curve(np.concatenate([corners, corners[:1]]) / CANVAS, wide / 2, ink)

    def free_plane(self) -> None:
        """A plane that stands free over the others; most are near the middle."""
        rng = self.rng
        middle = np.array([0.5, 0.48]) + rng.normal(size=2) * [0.24, 0.27]
        turn = rng.choice(DIRECTIONS) + 0.1 * rng.normal()
        size = 0.045 + 0.2 * rng.random() ** 2
        around = turn + np.array([0.2, 1.4, 3.2, 4.4]) + 0.25 * rng.normal(size=4)
        corners = middle + size * np.stack([np.cos(around), np.sin(around) * 1.2], 1)
        self.plane(corners * CANVAS, TONES[rng.choice(len(TONES), p=OFTEN)], 0.75)
        if rng.random() < 0.3:
            ink = int(rng.integers(130, 250))
            self.curve(corners[:3], rng.integers(4, 12) / 2, ink)

    def guitar(self) -> None:
        """Two halves of its body out of step, the hole, the strings and the frets."""
        (x, y), rng = grid(), self.rng
        s = np.linspace(0, 1, 60)
        belly = 0.10 + 0.10 * np.sin(np.pi * s) ** 0.6 - 0.05 * np.exp(-(((s - 0.42) / 0.13) ** 2))
        for side, ox, oy, tilt, colour in ((1, 0.48, 0.36, 0.42, "c98f4a"), (-1, 0.45, 0.42, 0.3, "8a5a2c")):
            turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
            outline = np.stack([side * belly, 0.46 * s], 1) @ turn + [ox, oy]
            body = polygon([tuple(p) for p in np.concatenate([outline, [outline[0] - 0.08 * side]]) * CANVAS])
            self.design = mix(self.design, rgb(colour), 0.55 * body * step(-0.3, noise(rng, 180), 1.2))
            self.curve(outline, 7)
        hole, cut = np.hypot(x - 0.46, (y - 0.56) * 1.1), x + 0.4 * y
        self.design = mix(self.design, rgb("1e1815"), step(-0.062, -hole, 0.004) * (cut > 0.665))
        ring = step(-0.008, -np.abs(hole - 0.078), 0.004)
        self.design = mix(self.design, rgb("e8d6a4"), ring * (cut < 0.7))
        for k in range(6):
            self.curve(np.array([[0.40 + 0.016 * k, 0.82], [0.60 + 0.012 * k, 0.1]]), 2.0, 215)
        for k in range(5):
            left, right = [0.535 + 0.018 * k, 0.33 - 0.055 * k], [0.64 + 0.012 * k, 0.35 - 0.055 * k]
            self.curve(np.array([left, right]), 2.5)

    def things(self) -> None:
        """What is left of the bottle and the glass: mouths, flanks; the table; lines of a newspaper."""
        rng = self.rng
        for cx, cy, wide in ELLIPSES:
            turn = np.linspace(rng.uniform(0, 3), rng.uniform(4.5, 6.3), 40)
            self.curve(np.stack([cx + wide * np.cos(turn), cy + 0.36 * wide * np.sin(turn)], 1), 5)
        for points in CONTOURS:
            self.curve(np.array(points), 5.5)
        for k in range(9):
            left, right = [0.62 + 0.01 * k, 0.885 + 0.012 * k], 0.62 + 0.01 * k + rng.uniform(0.1, 0.18)
            self.curve(np.array([left, [right, 0.86 + 0.012 * k]]), 1.6, 210)

    def plane(self, corners: Array, colour: Array, opacity: float) -> None:
        """Lay one facet: full colour and dark at one edge, lighter and (if not opaque) vanishing towards the other."""
        left, top = np.maximum(corners.min(0).astype(int) - 2, 0)
        right, bottom = np.minimum(corners.max(0).astype(int) + 3, CANVAS)
        if right <= left or bottom <= top:
            return
        box = (slice(top, bottom), slice(left, right))
        fine = Image.new("L", (2 * int(right - left), 2 * int(bottom - top)))
        ImageDraw.Draw(fine).polygon([tuple(p) for p in (corners - [left, top]) * 2], fill=255)
        mask = np.asarray(fine.reduce(2), np.float32) / 255
        k = self.rng.integers(len(corners))
        edge = corners[(k + 1) % len(corners)] - corners[k]
        normal = np.array([-edge[1], edge[0]]) / (np.hypot(*edge) + 1e-6)
        normal = normal * np.sign((corners.mean(0) - corners[k]) @ normal)
        reach = max(8.0, float(((corners - corners[k]) @ normal).max()))
        rows, columns = np.mgrid[top:bottom, left:right]
        far = np.clip(((columns - corners[k][0]) * normal[0] + (rows - corners[k][1]) * normal[1]) / reach, 0, 1)
        near_tone, far_tone = self.rng.choice([(0.42, 1.2), (1.25, 0.7), (0.55, 1.15)])
        tone = colour * (near_tone + (far_tone - near_tone) * far**0.7)[..., None]
        cover = mask * (opacity if opacity == 1 else opacity * (1 - far**1.5))
        self.design[box] = mix(self.design[box], tone, cover)
        self.angle[box] = np.where(mask > 0.5, np.arctan2(edge[1], edge[0]), self.angle[box])


def _by_hand(lines: Array, rng: Rng) -> Array:
    """Drawn lines with the tremble of a hand and the drag of a dry brush."""
    rows = np.clip(np.arange(CANVAS)[:, None] + 1.6 * noise(rng, 40, 2), 0, CANVAS - 1).astype(int)
    columns = np.clip(np.arange(CANVAS) + 1.6 * noise(rng, 40, 2), 0, CANVAS - 1).astype(int)
    return blur(lines[rows, columns], 0.7) * step(-1.7, noise(rng, 4, 2), 1.5)


def _split(corners: Array, rng: Rng, depth: int) -> list[Array]:
    """Cut a convex polygon again and again, mostly along a few common directions."""
    low, high = corners.min(0), corners.max(0)
    if depth == 0 or (depth < 4 and rng.random() < 0.12) or np.prod(high - low) < 9000:
        return [corners]
    turn = rng.choice(DIRECTIONS) + 0.12 * rng.normal()
    if (high - low)[0] > 1.6 * (high - low)[1]:
        turn = 1.57 + 0.35 * rng.normal()
    normal = np.array([-np.sin(turn), np.cos(turn)])
    through = corners.mean(0) + 0.12 * rng.normal(size=2) * (high - low)
    side = (corners - through) @ normal
    halves: tuple[list[Array], list[Array]] = ([], [])
    for k, (here, there) in enumerate(zip(side, np.roll(side, -1), strict=True)):
        halves[int(here > 0)].append(corners[k])
        if (here > 0) != (there > 0):
            cut = corners[k] + here / (here - there) * (corners[(k + 1) % len(corners)] - corners[k])
            halves[0].append(cut)
            halves[1].append(cut)
    if min(len(half) for half in halves) < 3:
        return [corners]
    return [piece for half in halves for piece in _split(np.array(half), rng, depth - 1)]
