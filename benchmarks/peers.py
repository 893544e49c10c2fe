"""Gatys's loss and its gradient, as others compute it: pystiche (Meier & Lohweg 2020), if it is installed.

It is no part of the course: `pip install "stylelearn[bench]"`. Its last release, 1.0.1, asks torchvision for two names
that are gone; empty ones are lent to it while it is loaded, and nothing of it is changed.
"""

import importlib
import warnings
from collections.abc import Callable

from torch import Tensor

from stylelearn.encoders import CONTENT_LAYER, STYLE_LAYERS
from stylelearn.weights import import_torchvision

GONE = {"alexnet": "alexnet", "vgg": "vgg19"}  # modules of torchvision.models that had `model_urls`


def pystiche(image: Tensor, content: Tensor, style: Tensor) -> Callable[[], object]:
    """One evaluation with pystiche's own VGG-19, with random weights: the layers of Gatys et al., float32.

    Args:
        image, content, style: (1, 3, H, W) in [0, 1].
    Raises:
        ImportError: it is not installed, or cannot be loaded.
    """
    import_torchvision()
    for name, arch in GONE.items():
        module = importlib.import_module(f"torchvision.models.{name}")
        if not hasattr(module, "model_urls"):
            module.model_urls = {arch: ""}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it was written for an older torchvision
        there = importlib.import_module("pystiche")
        enc, loss = there.enc, there.loss
        encoder = enc.VGGMultiLayerEncoder("vgg19", pretrained=False, internal_preprocessing=True, allow_inplace=True)
    grams = loss.MultiLayerEncodingLoss(
        encoder, STYLE_LAYERS, lambda layer, weight: loss.GramLoss(layer, score_weight=weight)
    )
    criterion = loss.PerceptualLoss(loss.FeatureReconstructionLoss(encoder.extract_encoder(CONTENT_LAYER)), grams)
    criterion.set_content_image(content)
    criterion.set_style_image(style)
    criterion.requires_grad_(False).eval()

    def do() -> Tensor | None:
        pixels = image.clone().requires_grad_()
        float(value := criterion(pixels))
        value.backward()
        return pixels.grad

    return do
