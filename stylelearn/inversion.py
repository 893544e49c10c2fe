"""Lesson 01, feature inversion: what does a layer know? — Mahendran & Vedaldi, CVPR 2015.

Keep only the activations Φ_0 = Φ(x_0) of one layer, and find a picture that has the same activations:

    x* = argmin_x ‖Φ(x) − Φ_0‖² / ‖Φ_0‖² + λ_α R_α(x) + λ_β R_{V^β}(x)                     (section 2)

What the picture found lacks, the layer does not keep. R_{V^β} prefers smooth pictures, R_α values near the middle.

**Differs from the paper:** regularisers are per value, so λ means the same at every size; the input is in [0, 1].
"""

import torch
from torch import Tensor

from stylelearn.encoders import Encoder
from stylelearn.losses import alpha_norm, content_loss, tv_loss
from stylelearn.optimize import Objective


def objective(
    image: Tensor,
    layer: str,
    *,
    encoder: Encoder,
    tv_weight: float = 0.0,
    beta: float = 2.0,
    alpha_weight: float = 0.0,
    alpha: float = 6.0,
) -> Objective:
    """The loss of a reconstruction from `layer`, as a function of the picture sought.

    Args:
        image: x_0, the picture to be remembered, (1, 3, H, W) in [0, 1]; only its activations are kept.
        layer: any layer of the encoder, such as "relu3_1" or "conv4_2".
        tv_weight: λ_β ≥ 0. `beta`: exponent of V^β, usually 1 to 2.
        alpha_weight: λ_α ≥ 0. `alpha`: exponent of R_α, 6 in the paper.

    Returns:
        image -> {"features relu3_1": …, "tv": …, "alpha": …}, terms of weight 0 left out.
    Raises:
        ValueError: a negative weight, an unknown layer.
    """
    for name, value in (("tv_weight", tv_weight), ("alpha_weight", alpha_weight)):
        if not 0 <= value < float("inf"):
            raise ValueError(f"{name} must be a number from 0 up; got {value}")
    with torch.no_grad():
        remembered = encoder(image, [layer])[layer]  # Φ_0, (1, C, H', W')

    def terms(x: Tensor) -> dict[str, Tensor]:
        found = {f"features {layer}": content_loss(encoder(x, [layer])[layer], remembered)}
        if tv_weight > 0:
            found["tv"] = tv_weight * tv_loss(x, beta)
        if alpha_weight > 0:
            found["alpha"] = alpha_weight * alpha_norm(x, alpha)
        return found

    return terms
