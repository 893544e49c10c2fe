"""Lesson 08: style fine-tuning at test time. The style code of one painting is optimised; the network stays as it is.

The MLP Λ (see `adjustable`) predicts γ and β from the moments of a style, which is good on average over paintings. For
one painting, its moments k are optimised until pastiches of photos have its style,

    k* = argmin_k  mean_c L(Φ(c, k, α = 1), c, s),    from k = the moments of s,

where L has the losses and weights of the network's training. A pastiche is as quick as before, and other styles do not
change.

Not in the paper. Dumoulin et al. (lesson 04) learn a new style by a new row of γ and β.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from stylelearn import gatys, samples
from stylelearn.adjustable import gatys_weights
from stylelearn.images import resize
from stylelearn.networks.conditioning import AdjustableNet

STEPS = 60
LEARNING_RATE = 0.05  # of logarithms of moments: of a twentieth of their size
BATCH = 4  # crops in each step
LEAST = 0.4  # a crop covers between this share and all of the short side


def practise(
    network: AdjustableNet,
    style: Tensor,
    *,
    photos: Sequence[Tensor] | None = None,
    steps: int = STEPS,
    size: int = 128,
) -> Iterator[tuple[float, Tensor]]:
    """Optimise the style code of one painting; iterate the result to make the steps.

    Args:
        network: a trained one for any style, such as `adjustable.load()`.
        style: the painting, (1, 3, H, W) in [0, 1].
        photos: of which crops are painted, (1, 3, H, W) each; None for the course's own.
        steps: at least 1. size: side of the crops in pixels.
    Yields:
        the loss of this step, and the style code after it, (1, K), as `network.style` makes it. The last is the best.
    Raises:
        ValueError: no step or photo; a network for one style, or one that `gatys_weights` does not know.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    if not network.about["any_style"]:
        raise ValueError("this network knows one style only; take one that was trained for any style")
    if photos is None:
        photos = [samples.content(name, 160) for name in samples.content_names()]
    if not photos:
        raise ValueError("photos is empty; give at least one photo, or None for the course's own")
    alphas = network.alphas(1.0)
    weights = gatys_weights(network, alphas)
    random = torch.Generator().manual_seed(0)
    known = network.style(style).detach().requires_grad_(True)
    optimizer = torch.optim.Adam([known], LEARNING_RATE)
    slower = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    for _ in range(steps):
        crops = torch.cat([_crop(photos, size, random) for _ in range(BATCH)]).to(style.device)
        with torch.enable_grad():
            terms = gatys.objective(crops, style, encoder=network.encoder, **weights)
            loss = sum(terms(network(crops, known, alphas)).values())
            (known.grad,) = torch.autograd.grad(loss, known)
        optimizer.step()
        slower.step()
        yield float(loss.detach()), known.detach().clone()


def _crop(photos: Sequence[Tensor], size: int, random: torch.Generator) -> Tensor:
    """A square piece of one of the photos, (1, 3, size, size)."""
    photo = photos[int(torch.randint(len(photos), (), generator=random))]
    height, width = photo.shape[2:]
    side = max(1, int(min(height, width) * (LEAST + (1 - LEAST) * float(torch.rand((), generator=random)))))
    top, left = (int(torch.randint(whole - side + 1, (), generator=random)) for whole in (height, width))
    return resize(photo[:, :, top : top + side, left : left + side], (size, size), "box")
