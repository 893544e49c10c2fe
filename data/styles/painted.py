"""Styles of the brush and the knife: night_strokes, impasto."""

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
    ramp,
    rgb,
    sample,
    scatter,
    step,
)


# ---------------------------------------------------------------------------------------- night_strokes
def night_strokes(rng: Rng) -> Array:
    """A windy night over a bay: long strokes that follow whirls in the sky, a moon, lamps and their light on the water.

    Manner: post-impressionist, thick separate strokes along the lines of movement. Cold, dark, coarse.
    """
    stars = [(0.8, 0.15, 0.062), (0.08, 0.09, 0.017), (0.47, 0.08, 0.012), (0.93, 0.4, 0.016), (0.55, 0.5, 0.011)]
    lamps = np.array([0.06, 0.15, 0.2, 0.33, 0.46, 0.55, 0.6, 0.72, 0.84, 0.93])
    design, angle = _bay(*_windy_sky(stars, rng), lamps, rng)
    paint = Paint(rgb("10204a"), rng)
    paint.cover(design, angle, 34, 120, 30, light=0.05, hue=0.03, body=0.6)
    paint.cover(design, angle, 15, 95, 17, light=0.07, hue=0.04, hairs=0.06, where=lambda x, y: y < 0.77 * CANVAS)
    paint.cover(design, angle, 13, 44, 15, light=0.07, hue=0.04, hairs=0.06, where=lambda x, y: y > 0.76 * CANVAS)
    paint.cover(design, angle, 9, 60, 30, light=0.11, hue=0.05, hairs=0.08, dry=0.3)
    for cx, cy, radius in stars:
        _ring_of_dabs(paint, cx, cy, radius)
    for lamp in np.repeat(lamps, 4):
        px, py = lamp + 0.007 * rng.normal(), 0.758 - 0.03 * rng.random() ** 2
        paint.stroke(px * CANVAS, py * CANVAS, 1.5 + 0.3 * rng.normal(), 15, 9, jitter(rgb("ffe07a"), rng), body=1.4)
    return paint.shaded(0.9, grain=0.12)


def _windy_sky(stars: list[tuple[float, float, float]], rng: Rng) -> tuple[Array, Array]:
    """Colours of the sky, and the direction of the wind: along the level lines of a slow wave and of four whirls."""
    x, y = grid()
    flow = 0.10 * np.sin(6 * x + 2.0) * np.cos(2 * y) + 0.62 * y + 0.02 * noise(rng, 300, 2)
    rings = np.zeros_like(x)
    whirls = [(0.3, 0.27, 0.15, 1.25), (0.68, 0.36, 0.1, -0.9), (0.8, 0.15, 0.1, 0.5), (0.05, 0.5, 0.08, 0.6)]
    for cx, cy, radius, turn in whirls:
        distance = np.hypot(x - cx, y - cy) / radius
        flow = flow + turn * 0.2 * np.exp(-(distance**2) / 2)
        rings = rings + np.exp(-(distance**2) / 3)
    down, across = np.gradient(blur(flow, 3))
    angle = np.arctan2(-across, down)
    bands = 0.5 + 0.30 * np.sin(62 * flow + 1.5 * noise(rng, 260)) + 0.22 * noise(rng, 120, 2)
    design = ramp("0b1238 1c2a72 244f9f 2f86b4 86c7be e4e8bd", 0.08 + 0.45 * bands + 0.3 * rings * bands)
    design = mix(design, rgb("4b3f8f"), 0.5 * step(0.6, noise(rng, 200, 2), 0.8))
    for cx, cy, radius in stars:
        distance = np.hypot(x - cx, y - cy) / radius
        halo = ramp("fff4c4 ffdc66 f0b040 a8b48c 5fa3b4 2f76ac", distance / 3.2 + 0.05 * np.sin(12 * distance))
        design = mix(design, halo, step(-2.6, -distance + 0.35 * noise(rng, 30), 1.4))
        angle = np.where(distance < 3, np.arctan2(y - cy, x - cx) + np.pi / 2, angle)
    return design, angle


def _bay(design: Array, angle: Array, lamps: Array, rng: Rng) -> tuple[Array, Array]:
    """Two rows of hills under the sky, then the water with what it mirrors of the lamps."""
    x, y = grid()
    for base, swell, tones in [(0.61, 0.05, "4a8fa0 24628a 143763"), (0.67, 0.06, "2a6a5c 12384a 0a1a38")]:
        edge = base + swell * np.sin(5 * x + 40 * base) - 0.5 * swell * np.sin(11 * x + 20 * base)
        slope = ramp(tones, (y - edge) / 0.1 + 0.3 * noise(rng, 50, 2))
        design = np.where((y > edge)[..., None], slope, design)
        angle = np.where(y > edge, 0.9 * np.cos(9 * x + 30 * base), angle)
    depth = np.maximum(y - 0.765 - 0.01 * np.sin(7 * x), 0)
    ripple = np.sin(75 * depth**0.7 + 0.8 * noise(rng, 150))
    water = ramp("0a1538 15336b 1f6299 58adb4", 0.42 + 0.3 * ripple + 0.22 * noise(rng, (20, 120)))
    glow = sum(np.exp(-(((x - lamp) / (0.016 + 0.05 * depth)) ** 2)) for lamp in lamps)
    fire = ramp("ffeb9a f6b03e d0682c 8a3f4a", 4.2 * depth + 0.1 * noise(rng, 20))
    water = mix(water, fire, np.clip(glow * (0.85 + 0.6 * ripple), 0, 1))
    design = np.where((depth > 0)[..., None], water, design)
    return design, np.where(depth > 0, 0.15 * np.sin(20 * x + 30 * y), angle)


def _ring_of_dabs(paint: Paint, cx: float, cy: float, radius: float) -> None:
    """Short dabs around a light in the sky."""
    rng = paint.rng
    for out in np.arange(0.1, 3.0, max(0.22, 0.006 / radius)):
        bend = 0.001 / (radius * out)
        for turn in np.arange(0, 2 * np.pi, 0.02 / (radius * out)) + rng.random():
            if rng.random() < 1.1 - 0.3 * out:
                px, py = cx + radius * out * np.cos(turn), cy + radius * out * np.sin(turn)
                colour = jitter(ramp("fffbe0 ffe27a f5b548 b9b98a 6fb0b8", out / 3 + 0.08 * rng.normal()), rng)
                paint.stroke(px * CANVAS, py * CANVAS, turn + np.pi / 2, 21, 8, colour, curve=bend)


# ---------------------------------------------------------------------------------------------- impasto
FAR_X, FAR_Y = 0.46, 0.5  # where the avenue ends
KNIFE = {"square": 1.0, "hairs": 0.018}


def impasto(rng: Rng) -> Array:
    """An avenue of autumn trees after rain, laid on with a palette knife: flat dabs, ridges, two colours in one dab.

    Manner: thick oil, knife work. Warm, saturated, coarse, hard-edged dabs.
    """
    design, angle = _avenue(rng)
    paint = Paint(rgb("6a2a2a"), rng)
    paint.cover(design, angle, 50, 84, 42, light=0.05, hue=0.03, body=1.6, **KNIFE)
    _dabs(paint, design, angle, 27, 0.9)
    for near in np.linspace(0.1, 1, 7) ** 1.5:  # from far to near
        for side in (-1, 1):
            _trunk(paint, near, side)
    _dabs(paint, design, angle, 38, 0.45)
    return paint.shaded(1.6, gloss=0.3, grain=0.08)


def _avenue(rng: Rng) -> tuple[Array, Array]:
    """Leaves that glow towards the end of the avenue, the wet path that mirrors them, and the way the knife goes."""
    x, y = grid()
    distance, around = np.hypot(x - FAR_X, 1.15 * (y - FAR_Y)), np.arctan2(y - FAR_Y, x - FAR_X)
    clump = noise(rng, 150, 2) + 0.5 * noise(rng, 60)
    leaves = ramp("fff3b8 ffd95a fbb02c f07a1f d9401c a3202e 5c1a45", 1.05 * distance + 0.13 * clump)
    leaves = mix(leaves, rgb("3f7f6b"), 0.75 * step(1.15, noise(rng, 120, 2) + 0.4 * np.cos(3 * around), 0.5))
    leaves = mix(leaves, rgb("8fc4d8"), 0.8 * step(1.5, noise(rng, 110, 2), 0.4) * (y < 0.4))
    mirror = sample(leaves, (FAR_X + (x - FAR_X) * 1.1) * CANVAS, np.clip(FAR_Y - (y - FAR_Y) * 0.95, 0, 1) * CANVAS)
    road = np.abs(x - FAR_X - 0.12 * (y - FAR_Y)) / (0.05 + 0.95 * np.maximum(y - FAR_Y, 0))
    wet = mix(mirror * 0.85, rgb("3a3f7a"), 0.25 + 0.3 * step(0, noise(rng, (30, 150), 2), 1))
    puddle = 0.85 * step(0.8, noise(rng, (26, 160), 2) - 0.5 * road, 0.4)
    wet = mix(wet, ramp("f7e9c0 b9d3e0 6f8fc0", 1.6 * (y - FAR_Y)), puddle)
    verge = ramp("f0c040 e0782a c2452a 8a2a48 4a2a68", 0.3 * (road - 0.8) + 0.25 * noise(rng, (40, 120), 2))
    ground = mix(wet, verge, step(1.0, road + 0.12 * clump, 0.3))
    design = mix(leaves, ground, step(FAR_Y + 0.015, y + 0.014 * clump, 0.03))
    return design, np.where(y > FAR_Y, 0.08 * np.sin(30 * x), around + 0.9 * np.sin(3 * clump))


def _trunk(paint: Paint, near: float, side: int) -> None:
    """A tree left (-1) or right (1) of the path: dark, with one lit edge, and its trace in the wet ground."""
    rng = paint.rng
    foot_x = FAR_X + side * (0.09 + 0.5 * near) + 0.02 * rng.normal()
    foot_y, wide, lean = FAR_Y + 0.035 + 0.3 * near, 7 + 38 * near, 0.06 * rng.normal() - 0.04 * side
    for _ in range(int(8 + 40 * near)):
        px, py = foot_x * CANVAS + wide * rng.normal() * 0.35, (foot_y + 0.3 * rng.random() ** 1.5) * CANVAS
        dark = jitter(rgb("3f2150"), rng)
        paint.stroke(px, py, 0.08 * rng.normal(), wide * 1.3, 6 + 5 * near, dark, opacity=0.8, **KNIFE)
    tall = 0.3 + 0.7 * near
    for up in np.arange(0, tall, 0.018 + 0.016 * near):
        px, py = (foot_x + lean * up) * CANVAS, (foot_y - up) * CANVAS
        thin = wide * max(0.35, 1 - 0.8 * up / tall)
        dark, other, warm = (jitter(rgb(code), rng, 0.04) for code in ("2a1638", "58305a", "e8a055"))
        turn = 1.57 - lean + 0.08 * rng.normal()
        paint.stroke(px, py, turn, thin + 34 * near + 14, thin, dark, second=other, body=1.5, **KNIFE)
        edge = px - side * 0.4 * thin
        paint.stroke(edge, py, 1.57 - lean, thin + 12, 0.25 * thin + 3, warm, body=1.6, **KNIFE)


def _dabs(paint: Paint, design: Array, angle: Array, spacing: float, share: float) -> None:
    """Knife dabs, larger towards the viewer; they lie level on the ground, and along `angle` above it."""
    rng = paint.rng
    for x, y in scatter(rng, spacing):
        if rng.random() > share * (1 + 0.45 * np.sin(x / 75) * np.sin(y / 52)):
            continue
        low = y > (FAR_Y + 0.025 + 0.02 * rng.normal()) * CANVAS
        near = 0.4 + 1.3 * np.hypot(x / CANVAS - FAR_X, y / CANVAS - FAR_Y)
        size = near * np.exp(0.25 * rng.normal())
        colour = jitter(sample(design, x, y), rng, 0.06, 0.05)
        turn = 0.1 * rng.normal() if low else sample(angle, x, y) + 0.5 * rng.normal()
        length, width = (54 * size + 14, 18 * size + 5) if low else (44 * size + 12, 32 * size + 6)
        other = jitter(colour, rng, 0.08, 0.07)
        paint.stroke(x, y, turn, length, width, colour, second=other, body=1.8, **KNIFE)
