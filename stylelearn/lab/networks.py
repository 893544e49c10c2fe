"""Encoders for the labs: each is loaded once in a kernel, and several labs use the same."""

from __future__ import annotations

import functools

from stylelearn.encoders import Encoder

CHOICES = [
    ("mini (ships with the course)", "mini"),
    ("mini's shape, random weights", "random"),
    ("VGG-19 (548 MB, once)", "vgg19"),
    ("VGG-16 (528 MB, once)", "vgg16"),
]


@functools.cache
def encoder(name: str) -> Encoder:
    """The encoder of that name, with average pooling.

    Raises:
        WeightsError: its weights are not there and cannot be fetched; says what to do.
    """
    return Encoder(name, progress=False)
