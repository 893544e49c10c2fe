"""The field's loss terms as pure functions of tensors.

The field's code disagrees on divisors, so a weight does not carry over from one repository to another. Here each
paper's own normalisation stands under its name, and beside it one course default, used everywhere else:

    content_loss = ‖F − P‖² / ‖P‖²        style_loss = ‖G − A‖² / ‖A‖²        tv_loss = V^β / (C·H·W)

The first two are 0 for a perfect match and 1 for a picture that leaves the layer silent (F = 0); they are the same at
every size, for every layer and every encoder, so one weight means the same everywhere. How to change a weight from
one convention to another: N channels, M positions, D = C·H·W values of the picture; P and A of one picture, and both
Gram matrices divided by their own M, as `mean_gram` does.

    ====================  ===============================  =======================
    function              formula                          times the course default
    ====================  ===============================  =======================
    gatys_content_loss    ½ ‖F − P‖²                       ½ ‖P‖²
    johnson_content_loss  ‖F − P‖² / (N M)                 ‖P‖² / (N M)
    gatys_style_loss      ‖G − A‖² / (4 N²)                ‖A‖² / (4 N²)
    johnson_style_loss    ‖G/N − A/N‖²                     ‖A‖² / N²
    total_variation       Σ (Δ_right² + Δ_down²)^{β/2}     D
    tv_l1                 Σ |Δ_right| + |Δ_down|           none: another function
    ====================  ===============================  =======================

A relative loss says nothing about a silent target: a white style leaves `mini`'s relu5_1 at 0 everywhere, and 0 / 0
has no meaning. Where the target's mean square, ‖P‖² / (N M) or tr A / N, is below `SILENCE`, the two course losses
leave the layer out: value and gradient are 0. Any other target is divided by as it is.

Every loss is the mean over the images of a batch, which never mix: a scalar ≥ 0, or (B,) with `each`. All raise
ValueError for shapes that do not fit.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx

# Keeps the gradients of V^β and of the standard deviation finite where a picture is flat. Small against one step of
# 8 bits, (1/255)² = 1.5e-5.
EPSILON = 1e-8
# The mean square of the activations below which a layer is silent. `mini` is scaled so that photographs and paintings
# have about 3 in each layer, and none of 65 had less than 0.7; the darkest had 0.01 in the encoder "random".
SILENCE = 2.5e-3


def _shape(features: Tensor, what: str, dims: str = "(B, C, H, W)") -> torch.Size:
    """The shape of a tensor with these dimensions; ValueError if it has others, or no values."""
    came = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
    if not isinstance(features, Tensor) or features.ndim != dims.count(",") + 1 or features.numel() == 0:
        raise ValueError(f"{what} must be a tensor {dims}, not empty; this is {came}")
    return features.shape


def _same(a: Tensor, b: Tensor, what: str) -> None:
    """Equal shapes, or a single target for the whole batch."""
    if a.shape[1:] != b.shape[1:] or b.shape[0] not in (1, a.shape[0]):
        raise ValueError(f"{what}: the shapes {tuple(a.shape)} and {tuple(b.shape)} do not fit")


def precise(x: Tensor) -> Tensor:
    """Half precision is too coarse to sum thousands of values in: float32 for it, anything else as it is."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def _squares(x: Tensor) -> Tensor:
    """Sum of squares of each image of the batch: (B, …) -> (B,)."""
    return precise(x).square().sum(dim=tuple(range(1, x.ndim)))


def relative(distance: Tensor, squares: Tensor, power: Tensor) -> Tensor:
    """distance / squares; 0, with gradient 0, where the target is silent: its mean square `power` is below SILENCE."""
    silent = power < SILENCE
    return torch.where(silent, 0.0, distance / squares.masked_fill(silent, 1.0))


# --- content ---------------------------------------------------------------------------------------------------------


def _content_difference(features: Tensor, target: Tensor, what: str) -> Tensor:
    _shape(features, f"{what}: features")
    _shape(target, f"{what}: the target")
    _same(features, target, what)
    return _squares(precise(features) - precise(target))  # (B,)


def content_loss(features: Tensor, target: Tensor, *, each: bool = False) -> Tensor:
    """How far one layer's activations are from the content's: ‖F − P‖² / ‖P‖² (the course default).

    0 for equal activations, 1 for none at all, and 0 for a silent target. Mahendran & Vedaldi 2015 divide in this way.

    Args:
        features: F, activations of the image being made, (B, C, H, W).
        target: P, activations of the content, (B or 1, C, H, W).
        each: one loss for every image.
    """
    distance, squares = _content_difference(features, target, "content_loss"), _squares(target)  # (B,), (B or 1,)
    found = relative(distance, squares, squares / target[0].numel())
    return found if each else found.mean()


def gatys_content_loss(features: Tensor, target: Tensor) -> Tensor:
    """½ Σ (F − P)²                                                     (Gatys et al. 2016, Eq. 1)

    Grows with size and channels. ∂/∂F = F − P; passed on through the ReLU that made F, it is 0 where F = 0 (Eq. 2).
    """
    return (_content_difference(features, target, "gatys_content_loss") / 2).mean()


def johnson_content_loss(features: Tensor, target: Tensor) -> Tensor:
    """‖F − P‖² / (C·H·W)                                                (Johnson et al. 2016, Eq. 2)"""
    return _content_difference(features, target, "johnson_content_loss").mean() / features[0].numel()


# --- style -----------------------------------------------------------------------------------------------------------


def gram_matrix(features: Tensor) -> Tensor:
    """Correlations between the channels of one layer, summed over positions.

    G_ij = Σ_k F_ik F_jk                                                (Gatys et al. 2016, Eq. 3)

    (B, C, H, W) -> (B, C, C), symmetric; not divided by anything: `mean_gram` divides.
    """
    _shape(features, "features")
    with torch.autocast(features.device.type, enabled=False):  # it would sum thousands of products in half precision
        flat = precise(features.detach()).flatten(start_dim=2)  # F, (B, C, H·W)
        gram = flat @ flat.transpose(1, 2)  # G = F Fᵀ, (B, C, C)
        return _GramDerivative.apply(features, gram)


class _GramDerivative(torch.autograd.Function):
    """G with a derivative twice as fast as autograd's: (S + Sᵀ) F, one product instead of two, as a 1×1 convolution."""

    @staticmethod
    def forward(ctx: FunctionCtx, features: Tensor, gram: Tensor) -> Tensor:
        ctx.save_for_backward(features)
        return gram

    @staticmethod
    def backward(ctx: FunctionCtx, slope: Tensor) -> tuple[Tensor, None]:
        (features,) = ctx.saved_tensors
        kernels = (slope + slope.transpose(1, 2))[..., None, None]  # (B, C, C, 1, 1)
        images = precise(features).split(1)
        parts = [F.conv2d(image, kernel) for image, kernel in zip(images, kernels, strict=True)]
        return (parts[0] if len(parts) == 1 else torch.cat(parts)).to(features.dtype), None


def mean_gram(features: Tensor) -> Tensor:
    """`gram_matrix` / (H·W), so that pictures of any two sizes can be compared: (B, C, H, W) -> (B, C, C)."""
    _, _, height, width = _shape(features, "features")
    return gram_matrix(features) / (height * width)


def gram_power(gram: Tensor) -> Tensor:
    """tr A / N, the mean square of the activations that `mean_gram` was made of: (B, C, C) -> (B,)."""
    return precise(gram).diagonal(dim1=1, dim2=2).mean(dim=1)


def _gram_difference(features: Tensor, target: Tensor, what: str) -> Tensor:
    gram = mean_gram(features)  # (B, C, C)
    _shape(target, f"{what}: the target", "(B, C, C) made by mean_gram")
    _same(gram, target, what)
    return _squares(gram - target)  # (B,)


def style_loss(features: Tensor, target: Tensor, *, each: bool = False) -> Tensor:
    """How far one layer's Gram matrix is from the style's: ‖G − A‖² / ‖A‖² (the course default).

    0 for the style itself, 1 for no activations at all, and 0 for a silent style. The style may have any size.

    Args:
        features: activations of the image being made, (B, C, H, W).
        target: A = `mean_gram` of the style's activations, (B or 1, C, C).
        each: one loss for every image.
    """
    distance = _gram_difference(features, target, "style_loss")  # (B,)
    found = relative(distance, _squares(target), gram_power(target))
    return found if each else found.mean()


USUAL = 0.02  # what a network that paints leaves of `style_loss`, about
AS_STEEP = 1 / (2 * USUAL**0.5)  # with this weight `style_loss` is as steep there as `style_error`


def style_error(features: Tensor, target: Tensor, *, each: bool = False) -> Tensor:
    """‖G − A‖ / ‖A‖, the root of `style_loss`: what is wrong a little counts more, and what is far off less.

    A network trained with it paints in more colours than one trained with the square, and one picture in which a
    channel explodes does not drown out the rest of a batch. Never quite 0, so that its slope is finite.
    """
    found = (style_loss(features, target, each=True) + 1e-4).sqrt()
    return found if each else found.mean()


def gatys_style_loss(features: Tensor, target: Tensor) -> Tensor:
    """E_l = 1/(4 N² M²) Σ (G − A)²                                      (Gatys et al. 2016, Eq. 4)

    **Differs from the paper:** allows two sizes; each Gram matrix is divided by its own M.
    """
    return _gram_difference(features, target, "gatys_style_loss").mean() / (4 * features.shape[1] ** 2)


def johnson_style_loss(features: Tensor, target: Tensor) -> Tensor:
    """‖G/(C·H·W) − A/(C·H·W)‖²_F                                        (Johnson et al. 2016, Eq. 3 and 4)"""
    return _gram_difference(features, target, "johnson_style_loss").mean() / features.shape[1] ** 2


def mean_and_variance(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each channel over positions, of each image: (B, C, H, W) -> two of (B, C, 1, 1).

    Two means and not torch.var_mean, which takes 25 times as long where channels are stored last. Half precision is
    summed in float32.
    """
    x = precise(x)
    mean = x.mean(dim=(2, 3), keepdim=True)
    return mean, (x - mean).square().mean(dim=(2, 3), keepdim=True)


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean μ and standard deviation σ of each channel over positions, of each image on its own.

    (B, C, H, W) -> two of (B, C, 1, 1). The variance is the biased one (divided by H·W), with ε inside the root.
    """
    _shape(features, "features")
    mean, variance = mean_and_variance(features)
    return mean, (variance + EPSILON).sqrt()


def moments_loss(features: Tensor, target: tuple[Tensor, Tensor]) -> Tensor:
    """‖μ − μ_s‖₂ + ‖σ − σ_s‖₂ of one layer                              (Huang & Belongie 2017, Eq. 13)

    Args:
        features: activations of the image being made, (B, C, H, W).
        target: `moments` of the style's activations, two of (B or 1, C, 1, 1).
    """
    if isinstance(target, Tensor) or len(target) != 2:
        raise ValueError("moments_loss: the target is a pair (mean, standard deviation), made by moments")
    distances: list[Tensor] = []
    for mine, theirs in zip(moments(features), target, strict=True):
        _shape(theirs, "moments_loss: the target", "(B, C, 1, 1) made by moments")
        _same(mine, theirs, "moments_loss")
        distances.append(torch.linalg.vector_norm(mine - theirs, dim=(1, 2, 3)))  # (B,)
    return sum(distances).mean()


# --- smoothness ------------------------------------------------------------------------------------------------------


def _differences(image: Tensor) -> tuple[Tensor, Tensor]:
    """x_{i,j+1} − x_{ij} and x_{i+1,j} − x_{ij}, with zeros in the last column and the last row."""
    right, down = image[..., :, 1:] - image[..., :, :-1], image[..., 1:, :] - image[..., :-1, :]
    return F.pad(right, (0, 1)), F.pad(down, (0, 0, 0, 1))


def total_variation(image: Tensor, beta: float = 2.0) -> Tensor:
    """V^β = Σ_ij ((x_{i,j+1} − x_ij)² + (x_{i+1,j} − x_ij)²)^{β/2}      (Mahendran & Vedaldi 2015, section 2.2)

    β > 0: 2 is the squared total variation of Johnson et al. and of Chen & Schmidt, 1 the classic one. The channels of
    (B, C, H, W) are added up.

    **Differs from the paper:** for β < 2, where a flat patch would have no finite gradient, q^{β/2}
    is computed as q · (q + EPSILON)^{β/2 − 1}: less than 0.1 % away from one step of 8 bits upwards.
    """
    _shape(image, "image")
    image = precise(image)
    if not 0 < beta < float("inf"):
        raise ValueError(f"beta must be above 0, usually 1 to 2; got {beta}")
    right, down = _differences(image)
    squares = right.square() + down.square()  # (B, C, H, W)
    if beta > 2:
        squares = squares ** (beta / 2)
    elif beta < 2:
        squares = squares * (squares + EPSILON) ** (beta / 2 - 1)
    return squares.flatten(start_dim=1).sum(dim=1).mean()


def tv_l1(image: Tensor) -> Tensor:
    """Σ |x_{i,j+1} − x_ij| + |x_{i+1,j} − x_ij|, the variant of many repositories (rows and columns apart)."""
    _shape(image, "image")
    right, down = _differences(precise(image))
    return (right.abs() + down.abs()).flatten(start_dim=1).sum(dim=1).mean()


def tv_loss(image: Tensor, beta: float = 2.0) -> Tensor:
    """`total_variation` per value, V^β / (C·H·W): the course default."""
    return total_variation(image, beta) / image[0].numel()


def alpha_norm(image: Tensor, alpha: float = 6.0) -> Tensor:
    """R_α = ‖x − ½‖_α^α per value: keeps values in range                 (Mahendran & Vedaldi 2015, section 2.2)

    (B, C, H, W) -> 0 for mid-grey, at most 2^{−α} as long as every value is in [0, 1]. α ≥ 1 is 6 in the paper.

    **Differs from the paper:** mid-grey is subtracted instead of the mean colour of the training pictures (which is
    nearly the same), and the sum is divided by the number of values.
    """
    _shape(image, "image")
    if not 1 <= alpha < float("inf"):
        raise ValueError(f"alpha must be at least 1; got {alpha}")
    return (precise(image) - 0.5).abs().pow(alpha).mean()
