# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 07 · A photo in the light of another photo
#
# Here is a photo of a temple at noon, and one of a launch pad at dusk. We want the temple at dusk. It should look like a photo taken in the evening, and not like a painting.
#
# Lesson 02 cannot do that. It bends straight lines, gives plain areas a texture, and moves colours of the sky to the roof. Fujun Luan, Sylvain Paris, Eli Shechtman and Kavita Bala
# solve this with two additions. One keeps a photo a photo. The other compares sky with sky. Both are short formulas, and you will write them.
#
# **After this lesson you can …**
#
# - say how light may change a photo, and turn that into a loss: the matting Laplacian, by hand and without a matrix,
# - compare styles region by region, with masks,
# - choose a start, λ and the layers, and say what too little and too much λ look like,
# - say what colour transfer without a network can and cannot do,
# - paint masks that pair any object with any other, and predict where that fails.
#
# **Builds on** [lesson 02](02_gatys.ipynb) · **about 155 minutes**, with the exercises · **papers**: F. Luan, S. Paris, E. Shechtman and K. Bala, *Deep Photo Style Transfer*, CVPR 2017
# ([arXiv 1703.07511](https://arxiv.org/abs/1703.07511)), whose equation numbers we use; and A. Levin, D. Lischinski and Y. Weiss, *A Closed-Form Solution to Natural Image Matting*, PAMI 2008.

# %%
# %config InlineBackend.figure_formats = ['jpeg']
import time

import numpy as np
import torch
from scipy.sparse.linalg import eigsh

from stylelearn import colour, gatys, losses, photo, samples, segmentation, style_swap
from stylelearn.checks import photo as check
from stylelearn.checks import yours
from stylelearn.colour import luminance
from stylelearn.encoders import Encoder
from stylelearn.figures import grid, plot_curves, show
from stylelearn.images import resize
from stylelearn.lab import MaskPainter, PhotoLab
from stylelearn.matting import MattingLaplacian, laplacian_matrix
from stylelearn.optimize import optimize_image, result

encoder = Encoder("mini")
LAMBDA = 1e6  # how much the result must stay a photo; section 8 tries others
LAYERS = ["relu1_1", "relu2_1", "relu3_1"]  # of the style loss; section 8 says why not deeper


def pictured(name, height=172):
    """A course photo of this height, (1, 3, H, W), and its masks, which were drawn by hand."""
    image = resize(samples.content(name), height)
    return image, segmentation.course_mask(name).resized(tuple(image.shape[2:]))


def mirrored(masks):
    """A lake mirrors the sky: give it the sky's label (section 6)."""
    lake, sky = masks.names.index("water"), masks.names.index("sky")
    labels = torch.where(masks.labels == lake, sky, masks.labels)
    return segmentation.Masks(labels, masks.names, masks.colours)


day, day_masks = pictured("china")
dusk, dusk_masks = pictured("rocket")

# %% [markdown]
# The goal:


# %%
def photograph(content, content_masks, style, style_masks, **options):
    """The method of this lesson; options as of `photo.stylize`."""
    options = {"photorealism_weight": LAMBDA, "layer_weights": LAYERS, "steps": (0, 80)} | options
    *_, last = photo.stylize(content, style, content_masks, style_masks, encoder=encoder, **options)
    return last.best_image


large, large_masks = pictured("china", 333)
dark, dark_masks = pictured("rocket", 333)
evening = photograph(large, mirrored(large_masks), dark, dark_masks)  # (1, 3, 333, 499)
evening = photo.smooth(evening, large)  # the last touch, section 10
grid([day, dusk], ["the content, by day", "the style, at dusk"])
show(evening, "the content at dusk")

# %% [markdown]
# ## 1 · What goes wrong without it
#
# *Lesson 02 takes any picture as style. Why not a photo?*
#
# **Predict, then run.** The method of lesson 02, with the launch pad as style. It starts from the photo, so that as little as possible is lost. Look for two different kinds of mistakes: one about lines and plain areas, and one about which colour went where.

# %%
painted = result(gatys.stylize(day, dusk, encoder=encoder, steps=80, style_weight=3.0))
roof = (..., slice(5, 105), slice(12, 162))  # rows and columns
trees = (..., slice(72, 172), slice(108, 258))
titles = ["the photo", "the style", "lesson 02", "the roof", "lesson 02: the roof", "lesson 02: the trees"]
grid([day, dusk, painted, day[roof], painted[roof], painted[trees]], titles, columns=3)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# **It looks painted.** Lines waver, and the plain sky gets a texture. Nothing in the loss says that an edge must stay where it is: `relu4_2` encodes only roughly what is where.
#
# **Colours spill over.** The dark blue belongs to the sky over the launch pad. Here it lands on the temple and on the trees, while most of the sky stays pale. The Gram matrix sums over the whole
# picture: it records that the evening is mostly dark blue, and not that this was *sky*.
#
# The term $\mathcal L_m$ prevents the first mistake (sections 2 to 4), masks the second one (sections 5 and 6).
# </details>
#
# ## 2 · How light may change a photo
#
# *How can a number say that a picture is still a photo of the same thing?*
#
# Take a small window of 3 × 3 pixels. When the sun sets, all colours in the window change *together*: darker, bluer, with less contrast. Two equal pixels stay equal.
# An edge stays an edge, perhaps weaker. In formulas: the new value $v_i$ of each of the nine pixels is the same **affine function** of its old colour $I_i$:
#
# $$v_i \approx a^\top I_i + b$$
#
# with three numbers $a$ and one number $b$ for the window. A brush stroke does not follow this rule: it makes a new edge where the old colours had none.
#
# So for each window we find the best $a$ and $b$, and measure the residual:
#
# $$J_k(v) = \min_{a,\,b} \sum_{i \in w_k} \big(v_i - a^\top I_i - b\big)^2 + \epsilon\, a^\top a$$
#
# The tiny ε keeps $a$ bounded where the window has only one colour. This is linear regression, solved in one line.


# %%
def regressors(colours, eps):
    """The rows (I_i, 1) of a regression, (…, 9, 4), and what ε adds to its normal equations, (4, 4)."""
    X = torch.cat([colours, torch.ones_like(colours[..., :1])], dim=-1)
    return X, eps * torch.diag(torch.tensor([1.0, 1.0, 1.0, 0.0], dtype=colours.dtype))


def residual(output, image, eps=1e-7):
    """J_k of every window, the three channels of the output added up: (1, 3, H, W) twice -> (1, 3, H − 2, W − 2)."""
    size = image.shape[2] - 2, image.shape[3] - 2
    C, V = (torch.nn.functional.unfold(x.double(), 3)[0].T.reshape(-1, 3, 9).mT for x in (image, output))  # (n, 9, 3)
    X, ridge = regressors(C, eps)
    fit = torch.linalg.solve(X.mT @ X + ridge, X.mT @ V)  # (n, 4, 3): a and b, for each channel of the output
    cost = (V - X @ fit).square().sum((1, 2)) + eps * fit[:, :3].square().sum((1, 2))
    return cost.reshape(1, 1, *size).expand(-1, 3, -1, -1).float()


# %% [markdown]
# **Predict, then run.** Four pictures: the negative of the photo, the photo in warm light, the photo moved by one pixel, and the painted one from above. Below each, the residual at each place: white is large. Which
# of the four are black everywhere?

# %%
moved = torch.roll(day, 1, dims=3)
warm = (day * torch.tensor([0.9, 0.6, 0.4]).reshape(1, 3, 1, 1) + 0.1).clamp(0, 1)
four = {"negative": 1 - day, "warm light": warm, "moved by one pixel": moved, "lesson 02": painted}
maps = [residual(image, day).sqrt() for image in four.values()]
grid([*four.values(), *((each / 0.3).clamp(0, 1) for each in maps)], [*four, *["residual"] * 4], columns=4)

# %% [markdown]
# <details><summary>What it means</summary>
#
# The negative and the warm light are black everywhere: each is an affine function of the colours, even the same one in all windows. The moved picture looks like a perfect photo. But it is a photo of something else: at every edge
# the new values do not follow from the old ones. The painted one has residuals along all edges and over all leaves.
#
# So this number does not measure whether a picture is *a* photo. It measures whether it is ***this*** photo in another light, and the light may differ from window to window.
# </details>
#
# ### From the regression to a matrix
#
# The best $a$ and $b$ depend linearly on $v$, so the residual does, too, and $J_k$ is a quadratic form: there is a 9 × 9 matrix $L_k$, which depends on the colours of the photo only, with
#
# $$J_k(v) = v^\top L_k\, v, \qquad L_k = \mathbb 1 - X \big(X^\top X + R\big)^{-1} X^\top$$
#
# $X$ has a row $(I_i, 1)$ for each pixel, and $R$ has ε on its first three diagonal entries. (In ordinary least squares this matrix maps data to residuals.)

# %% tags=["nbval-check-output"]
window = day[0, :, 40:43, 40:43].reshape(3, 9).T.double()  # the colours of one window, (9, 3)
v = torch.rand(9, 1, dtype=torch.float64)  # any nine new values
X, R = regressors(window, 1e-7)
L_k = torch.eye(9) - X @ torch.linalg.solve(X.T @ X + R, X.T)  # (9, 9)
a_b = torch.linalg.solve(X.T @ X + R, X.T @ v)  # (4, 1)
by_regression = (v - X @ a_b).square().sum() + 1e-7 * a_b[:3].square().sum()
print("the same number:", torch.allclose(v.T @ L_k @ v, by_regression))

# %% [markdown]
# Levin, Lischinski and Weiss work this out. With the mean $\mu_k$ and the covariance $\Sigma_k$ of the nine colours, and $|w_k| = 9$ pixels in the window, an entry of $L_k$ is
#
# $$(L_k)_{ij} = \delta_{ij} - \frac{1}{|w_k|} \Big( 1 + (I_i - \mu_k)^\top \big(\Sigma_k + \tfrac{\epsilon}{|w_k|} \mathbb 1_3\big)^{-1} (I_j - \mu_k) \Big)$$
#
# The 1 in the bracket comes from $b$, the rest from $a$.
#
# ### Exercise 1 — one window
# *difficulty ●●○ · importance ●●● · 15 minutes*
#
# Write this formula. Take the number of pixels from the tensor. The covariance is divided by that number, not by one less.


# %% tags=["exercise"]
def my_window(colours, eps):
    """colours: (n, 3), of the pixels of a window -> its matrix L_k, (n, n)."""
    raise NotImplementedError


check.window(my_window)


# %% tags=["solution"]
def my_window(colours, eps):
    """colours: (n, 3), of the pixels of a window -> its matrix L_k, (n, n)."""
    n = len(colours)
    centred = colours - colours.mean(0)  # (n, 3)
    sigma = centred.T @ centred / n  # (3, 3)
    inverse = torch.linalg.inv(sigma + eps / n * torch.eye(3))
    return torch.eye(n) - (1 + centred @ inverse @ centred.T) / n


check.window(my_window)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `centred = colours - colours.mean(0)` is (n, 3), and `centred.T @ centred / n` is Σ, (3, 3).
# </details>
# <details><summary>Hint 2</summary>
#
# All pairs at once: `centred @ inverse @ centred.T` is (n, n). `torch.eye(n)` is δ.
# </details>
# <details><summary>Hint 3</summary>
#
# ε goes on the diagonal: `sigma + eps / n * torch.eye(3)`.
# </details>
#
# ## 3 · A whole picture: 5 × 5 by hand
#
# *How do the windows come together?*
#
# Windows overlap. We add them up: the **matting Laplacian** $\mathcal M_I$ is the sum of all $L_k$, each placed in the rows and columns of its nine pixels. A picture of $N$ pixels gives an
# $N \times N$ matrix. A picture of 5 × 5 pixels, numbered row by row, has nine windows, and its matrix has 25 rows.


# %%
def by_hand(image, eps=1e-7):
    """The matting Laplacian of a small picture (1, 3, H, W), window by window: (H·W, H·W)."""
    height, width = image.shape[2:]
    colours = image[0].flatten(1).T.double()  # (H·W, 3), row by row
    numbers = torch.arange(height * width).reshape(height, width)
    M = torch.zeros(height * width, height * width, dtype=torch.float64)
    for y in range(height - 2):
        for x in range(width - 2):
            inside = numbers[y : y + 3, x : x + 3].flatten()  # the nine pixels of this window
            X, R = regressors(colours[inside], eps)
            M[inside[:, None], inside] += torch.eye(9) - X @ torch.linalg.solve(X.T @ X + R, X.T)
    return M


def ties(M):
    """The row of the middle pixel of a 5 × 5 picture, as a 5 × 5 table: its entries for all pixels."""
    print("\n".join("".join(f"{value:8.2f}" for value in row) for row in (M[12] + 0.0).reshape(5, 5).tolist()))


# %% [markdown]
# **Predict, then run.** First a picture of one colour. Its covariance is 0 in every window, so $L_k = \delta - \frac19$. The pixel in the middle is in all nine windows. What is its own entry, on the diagonal? What is the entry for its neighbour at the right,
# with which it shares six windows? And for the corner, with which it shares one?

# %% tags=["nbval-check-output"]
flat = torch.full((1, 3, 5, 5), 0.5)
ties(by_hand(flat))

# %% [markdown]
# <details><summary>What it means</summary>
#
# Nine times $1 - \frac19$ is 8. To the right six times $-\frac19$, to the corner once $-\frac19$. With a picture of one colour, $\mathcal M_I$ is a plain smoothness term: each pixel should be like those around it, the nearer the more. It is
# called a *Laplacian* because of that.
# </details>
#
# **Predict, then run.** Now the two columns at the right get another colour, and a little noise makes all pixels slightly different. What happens to the entries across the edge?

# %%
noise = 0.01 * torch.rand(1, 3, 5, 5, generator=torch.Generator().manual_seed(2))
edge = flat + noise
edge[..., 3:] += 0.4
ties(by_hand(flat + noise, eps=1e-3))
print("with an edge before the last two columns:")
ties(by_hand(edge, eps=1e-3))

# %% [markdown]
# <details><summary>What it means</summary>
#
# The entries across the edge are nearly 0, and those on its own side are larger in size. The picture itself determines which pixels belong together; no edge detector is needed. (We took a larger ε, so that the noise
# does not count as an edge.)
# </details>
#
# The course has this as `laplacian_matrix`, with only those entries stored that are not 0. Its known properties:

# %% tags=["nbval-check-output"]
piece = day[..., 30:35, 30:35]
M = laplacian_matrix(piece).toarray()
print("the same as by hand:", np.allclose(M, by_hand(piece).numpy(), atol=1e-8))
print("symmetric:", np.allclose(M, M.T), "| rows add up to 0:", np.allclose(M.sum(1), 0, atol=1e-6))
print("no negative eigenvalue:", np.linalg.eigvalsh(M).min() > -1e-9)
print("entries that are not 0:", laplacian_matrix(piece).nnz, "of", 25 * 25, "= (5·5 − 6)²")

# %% [markdown]
# The last line can be predicted. A pixel shares windows only with pixels at most two rows and two columns away. Along a side of $n$ pixels these are $5n - 6$ pairs, so a picture has $(5H - 6)(5W - 6)$ entries: 19² here, 8.7 million for a photo of 700 × 500 pixels.
#
# ## 4 · The photorealism term
#
# *Which changes of a photo does it penalise?*
#
# The output $O$ has three channels. Each is a vector $V_c[O]$ of $N$ values, and the term is a sum over them:
#
# $$\mathcal L_m = \sum_{c=1}^{3} V_c[O]^\top \mathcal M_I\, V_c[O] \qquad\text{(2)} \qquad\qquad \frac{\partial \mathcal L_m}{\partial V_c[O]} = 2\, \mathcal M_I\, V_c[O]$$
#
# ### Exercise 2 — the loss and its gradient
# *difficulty ●○○ · importance ●●● · 10 minutes*
#
# Write both. The matrix numbers the pixels row by row, as PyTorch does. (The authors' MATLAB numbers them column by column; a mixture of the two gives a useless term.)


# %% tags=["exercise"]
def my_photorealism(output, matrix):
    """output: (1, 3, H, W); matrix: (H·W, H·W) -> the loss, a number, and its gradient, (1, 3, H, W)."""
    raise NotImplementedError


check.photorealism(my_photorealism)


# %% tags=["solution"]
def my_photorealism(output, matrix):
    """output: (1, 3, H, W); matrix: (H·W, H·W) -> the loss, a number, and its gradient, (1, 3, H, W)."""
    V = output[0].flatten(start_dim=1)  # (3, H·W)
    product = V @ matrix  # (3, H·W), as the matrix is symmetric
    return (product * V).sum(), 2 * product.reshape(output.shape)


check.photorealism(my_photorealism)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `output[0].flatten(start_dim=1)` is (3, H·W): one row for each channel, and in each row the pixels row by row.
# </details>
# <details><summary>Hint 2</summary>
#
# With `product = V @ matrix`, the three numbers $V_c^\top M V_c$ are the row sums of `product * V`.
# </details>
#
# The course does not build so large a matrix. `MattingLaplacian` computes $\mathcal M_I v$ as section 2 does, with a regression for each window, and keeps only the windows' means and inverse
# covariances. That gives the same numbers, in a few hundredths of a second.
#
# **Predict, then run.** Sort these pictures by their $\mathcal L_m$, before you look: the photo itself, grey, the negative, red and blue exchanged, one plain colour, the left half darkened to one half, blurred, noise of 1 %, moved by one pixel, lesson 02.

# %%
laplacian = MattingLaplacian(day)
left = torch.arange(day.shape[3]) < day.shape[3] // 2
blurred = resize(resize(day, (86, 129), "box"), (172, 258), "box")
tried = {
    "the photo itself": day, "grey": luminance(day).expand_as(day), "the negative": 1 - day,
    "red and blue exchanged": day.flip(1), "one plain colour": torch.full_like(day, 0.3),
    "left half darker": torch.where(left, day / 2, day), "blurred": blurred,
    "noise of 1 %": day + 0.01 * torch.randn(day.shape, generator=torch.Generator().manual_seed(0)),
    "moved by one pixel": moved, "lesson 02": painted,
}  # fmt: skip
for name, image in tried.items():
    print(f"{name:24} L_m = {laplacian.energy(image):10.4f}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# Any picture that is one affine function of the colours costs (almost) nothing: up to the tiny ε these pictures are the **null space** of $\mathcal M_I$. It has four dimensions for each channel of the output, three for $a$ and one for $b$: few beside 44 376 pixels. Even the negative costs nothing: the term does not say which light is right; the style loss does.
#
# The darker half costs only along one line. The most expensive is the photo moved by one pixel, which looks perfect: all its edges are in the wrong place. Noise of 1 % costs more than you might expect, since no affine function of a plain sky explains it: this removes the texture of lesson 02 from the sky.
# </details>
#
# **Predict, then run.** We start from the painted picture and minimise $\mathcal L_m$ alone, without network or content loss. What will come back, and what will not?

# %%
*_, cleaned = optimize_image(painted, lambda image: {"L_m": laplacian.energy(image)}, steps=150)
grid([painted, cleaned.best_image, day], ["lesson 02", "… then 150 steps of L_m alone", "the photo"])

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The edges of the photo come back, from $\mathcal M_I$ alone. The colours stay those of the painted picture, in large soft areas. So this term restores *structure*. The colours are still in the wrong places.
# </details>
#
# ### Which pixels belong together
#
# Which pictures have the lowest $\mathcal L_m$? Take grey pictures whose squares add up to 1. Then the eigenvectors of $\mathcal M_I$ with the smallest eigenvalues are the cheapest, and each eigenvalue *is* the $\mathcal L_m$ of its picture.
# The first four cost almost nothing: they mix a constant with the photo's own red, green and blue. Here are the next eight. White is a large value, black a small one.
#
# **Predict, then run.** The photo is a cup of coffee. What will these pictures look like?

# %%
cup = resize(samples.content("coffee"), (64, 96), "box")
start = np.random.default_rng(0).standard_normal(64 * 96)
values, vectors = eigsh(laplacian_matrix(cup), k=12, sigma=-1e-4, v0=start)  # the twelve nearest to 0
vectors = torch.from_numpy(vectors.T[np.argsort(values)]).float()  # (12, H·W)
largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
vectors = vectors * largest.sign()  # v and −v are both eigenvectors: take the one whose largest entry is positive
low, high = (vectors.quantile(q, dim=1, keepdim=True) for q in (0.01, 0.99))
soft = ((vectors - low) / (high - low)).clamp(0, 1).reshape(-1, 1, 64, 96).expand(-1, 3, -1, -1)
grid([cup, *soft[4:, None]], ["the photo", *(f"eigenvalue {value:.0e}" for value in np.sort(values)[4:])], columns=3)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Pieces with the outlines of the *objects*: the rim of the cup, the coffee in it, the saucer, the table. Inside an outline the grey changes softly. In the last two it even goes from white to black within the coffee. The matrix was invented for this: to cut hair and smoke out of a photo, with a **matte** that says how much of each pixel belongs to the foreground.
# So at low cost the new light may differ from object to object, and change softly within one.
# </details>
#
# ## 5 · Sky with sky: masks
#
# *How does the style loss compare like with like?*
#
# We use **masks**: each pixel of both pictures gets a label. Here they were drawn by hand: light blue for the sky, blue for the
# water behind the temple, red for what is built (the rocket and its towers, too), green for the ground with its trees.

# %%
shown = [image / 2 + masks.picture() / 2 for image, masks in ((day, day_masks), (dusk, dusk_masks))]
grid(shown, ["content with its masks", "style with its masks"])
for name, masks in (("content", day_masks), ("style", dusk_masks)):
    print(f"{name:8}", ", ".join(f"{label} {share:.0%}" for label, share in masks.shares().items()))

# %% [markdown]
# Deeper layers are smaller. So the mask $M_{l,c}$ of a label $c$ is scaled to the size of layer $l$: a position gets the *fraction* of its pixels that have the label. Then the activations are multiplied with it, and there is a Gram matrix for each label:
#
# $$F_{l,c}[O] = F_l[O]\, M_{l,c}[I] \qquad F_{l,c}[S] = F_l[S]\, M_{l,c}[S] \qquad
# \mathcal L_{s+}^l = \sum_{c} \frac{1}{2 N_{l,c}^2} \sum_{ij} \big(G_{l,c}[O] - G_{l,c}[S]\big)_{ij}^2 \qquad\text{(3)}$$
#
# $N_{l,c}$ is the number of channels of $F_{l,c}$. A mask removes positions, not channels, so it is the same number $N_l$ for every label $c$.
#
# The two skies have different sizes. If the Gram matrix is only a sum, a larger sky has a larger matrix, and the loss takes that for another style. So divide each matrix by the sum of its mask: by the number of positions that *belong to it*.
#
# ### Exercise 3 — the style loss with masks
# *difficulty ●●● · importance ●●● · 20 minutes*
#
# Write $\mathcal L_{s+}^l$ for one layer. The masks have the size of the pictures. Reduce them to the size of the layer by averaging. Leave out a label that the style does not have (its mask is 0 everywhere).


# %% tags=["exercise"]
def my_masked_style_loss(features, masks, style_features, style_masks):
    """features: (1, C, h, w), masks: (K, H, W), and the same for the style, of other sizes -> a number."""
    raise NotImplementedError


check.masked_style_loss(my_masked_style_loss)


# %% tags=["solution"]
def my_masked_style_loss(features, masks, style_features, style_masks):
    """features: (1, C, h, w), masks: (K, H, W), and the same for the style, of other sizes -> a number."""

    def grams(F, M):
        M = torch.nn.functional.adaptive_avg_pool2d(M[None], F.shape[2:])[0]  # (K, h, w)
        masked = (F * M[:, None]).flatten(start_dim=2)  # (K, C, h·w)
        cells = M.sum((1, 2))  # (K,)
        return masked @ masked.mT / cells.clamp_min(1e-6)[:, None, None], cells > 0  # (K, C, C)

    (G, mine), (A, theirs) = grams(features, masks), grams(style_features, style_masks)
    each = (G - A).square().sum((1, 2))  # (K,)
    return each[mine & theirs].sum() / (2 * features.shape[1] ** 2)


check.masked_style_loss(my_masked_style_loss)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `torch.nn.functional.adaptive_avg_pool2d(masks[None], features.shape[2:])[0]` reduces the masks by averaging: (K, h, w).
# </details>
# <details><summary>Hint 2</summary>
#
# A loop over `zip(masks, style_masks)` is fine. For each label: multiply, flatten to (C, h·w), `flat @ flat.T / mask.sum()`.
# </details>
# <details><summary>Hint 3</summary>
#
# `if style_mask.sum() == 0: continue`, before you divide.
# </details>
#
# **Predict, then run.** Only the style loss with the content loss, no $\mathcal L_m$ yet: once with one region for all, once with masks. Both start from the photo with the colours of the style, found without a network (section 9), once for the whole picture and once region by region. Which of the two mistakes of section 1 is gone, and which is still there?

# %%
FIRST = {"steps": (40, 0)}  # the first stage alone: without λ
spilt, kept_apart = photograph(day, None, dusk, None, **FIRST), photograph(day, day_masks, dusk, dusk_masks, **FIRST)
grid([dusk, spilt, kept_apart], ["the style", "one region for all", "with masks"])

# %% [markdown]
# <details><summary>What you should see</summary>
#
# With one region, temple and trees become as blue as the sky. With masks the night goes to the sky, and the temple takes the light of the rocket. It still looks painted: masks do not protect lines. And the lake is the colour of sand. Why?
# </details>
#
# ## 6 · Labels without a partner
#
# *What if the content has something that the style lacks?*
#
# In the paper a network finds the labels, out of 150. Then one photo has a *lake* and the other a *sea*, and the lake has no partner. The paper calls such labels **orphans**. It merges labels with similar meaning, and maps each orphan to the nearest label of the style.
#
# ### Exercise 4 — a partner for the orphans
# *difficulty ●○○ · importance ●●○ · 10 minutes*
#
# You get the labels of the content, those of the style (the one with the largest region first), and for some labels their relatives, the nearest first. Map each label of the content to one of the style: itself if the style has it; else the first relative that the style has; else the style's largest.


# %% tags=["exercise"]
def my_merge(content_labels, style_labels, relatives):
    """Two lists of names, and a dict of lists: name -> relatives. Gives a dict: content label -> style label."""
    raise NotImplementedError


check.merge_orphans(my_merge)


# %% tags=["solution"]
def my_merge(content_labels, style_labels, relatives):
    """Two lists of names, and a dict of lists: name -> relatives. Gives a dict: content label -> style label."""
    homes = {}
    for label in content_labels:
        candidates = [label, *relatives.get(label, [])]
        found = [name for name in candidates if name in style_labels]
        homes[label] = found[0] if found else style_labels[0]
    return homes


check.merge_orphans(my_merge)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `relatives.get(label, [])` is an empty list for a label without relatives.
# </details>
# <details><summary>Hint 2</summary>
#
# Go through `[label, *relatives.get(label, [])]` and take the first that is in `style_labels`.
# </details>
#
# Our pair has an orphan, too: there is no lake at the launch pad. The course's own `segmentation.merge_orphans` has the 150 names of the paper's network and their relatives. A label without a relative is merged with the region that it shares its longest border with. It reports what it did:

# %%
merged, _, table = segmentation.merge_orphans(day_masks, dusk_masks)
for row in table:
    print(f"{row.label:10} {row.share:4.0%} of the content -> {row.to or '(not used)':10} {row.why}")

# %% [markdown]
# So the lake takes its colours from the ground at the launch pad. But you know more than a rule about borders: a lake mirrors the sky. The function `mirrored` at the top of this lesson gives both one label.
#
# **Predict, then run.** The complete method, once with the lake as ground and once with the lake as sky. What becomes of the horizon?

# %%
as_ground = photograph(day, day_masks, dusk, dusk_masks)
day_masks = mirrored(day_masks)
as_sky = photograph(day, day_masks, dusk, dusk_masks)
grid([as_ground, as_sky], ["the lake as ground", "the lake as sky"])

# %% [markdown]
# The sand is gone, and so is the pale stripe at the horizon: where no border is, none is seen. A better label did more than a better loss would. From here on the lake is sky, as in the picture at the top.
#
# **Without masks by hand.** With an internet connection, `masks = segmentation.segment(photo)` finds people, animals, vehicles and furniture with a network of torchvision's (13 MB, downloaded once), but neither sky nor water. Offline, `segmentation.cluster` divides the places of both pictures into a few clusters, by colour, features and height. It does not know what a sky is. Often
# that is good enough.

# %%
camera, camera_masks = pictured("camera")
clusters = segmentation.cluster(camera, day, encoder=encoder)
shown = [image / 2 + masks.picture() / 2 for image, masks in zip((camera, day), clusters, strict=True)]
grid([camera, day, *shown], ["a grey photo", "the temple", "its clusters", "the same clusters"], columns=2, even=True)

# %% [markdown]
# Four colours, four clusters. **Green** is the sky of both. **Red** is what lies open in the middle: the lawn, and the lake. **Blue** is what stands before the sky: head and arms of the man, the houses behind him, and the upper
# floors of the temple. **Yellow** is what is dark and low: the hem of the coat, and the trees with the lowest floors. So clusters are not objects: height counts, too, and cuts both the man and the temple in two.
#
# ## 7 · All together: in one stage or in two?
#
# *Where should it start, and should λ be there from the beginning?*
#
# The whole loss:
#
# $$\mathcal L_\text{total} = \sum_l \alpha_l \mathcal L_c^l + \Gamma \sum_l \beta_l \mathcal L_{s+}^l + \lambda\, \mathcal L_m \qquad\text{(4)}$$
#
# The paper takes $\Gamma = 100$ and $\lambda = 10^4$; our losses have other scales, so we keep Γ and take $\lambda = 10^6$ (section 8). The paper works in **two stages**. The first has no λ: it finds colours and textures for each region, and may look painted. The second starts from its result and makes a photo of it again.
#
# The paper's first stage starts from noise, and needs 1000 steps. We compare two nearer starts: the photo itself, and the *recoloured* photo, which has the style's colours region by region, found without a network, as in section 5.
#
# **Predict, then run.** From each of the two starts, once with two stages of 40 steps, and once with one stage of 80, with λ from the beginning. How far can a picture move if it has to stay a photo in every step? Which of the four shows the evening, and which is the sharpest?
# Two numbers help to judge: *structure* says whether the edges lie where the photo has them, *off colour* how far the colours of each region are from the style's.


# %%
def edges(image):
    """How steep the brightness is at each pixel, as one long list."""
    y = luminance(image)[0, 0]
    return (y[1:, 1:] - y[:-1, 1:]).hypot(y[1:, 1:] - y[1:, :-1]).flatten().numpy()


def structure(picture, content=day):
    """Do the edges lie where the photo has them? The correlation: 1 is perfect, 0 is chance."""
    return np.corrcoef(edges(picture), edges(content))[0, 1]


def off_colour(picture, masks=day_masks, style=dusk, style_masks=dusk_masks):
    """How far mean and deviation of the colours in each region are from the style's; 0 is perfect."""
    found, (here, there, _) = 0.0, segmentation.merge_orphans(masks, style_masks)
    for number, name in enumerate(here.names):
        mine, theirs = picture[0][:, here.labels == number], style[0][:, there.labels == there.names.index(name)]
        apart = (mine.mean(1) - theirs.mean(1)).norm() + (mine.std(1) - theirs.std(1)).norm()
        found += here.shares()[name] * apart.item()
    return found


MEASURES = {"structure": structure, "off colour": off_colour}


# %%
curves, stages, halfway = {}, {}, {}
ways = {
    "photo, two stages": ((40, 40), day), "photo, one stage": ((0, 80), day),
    "recoloured, two stages": ((40, 40), None), "recoloured, one stage": ((0, 80), None),  # None: `stylize` recolours
}  # fmt: skip
for name, (steps, start) in ways.items():
    options = {"photorealism_weight": LAMBDA, "layer_weights": LAYERS, "steps": steps, "start": start}
    for step in photo.stylize(day, dusk, day_masks, dusk_masks, encoder=encoder, **options):
        curves.setdefault(name, []).append(sum(v for term, v in step.losses.items() if term.startswith("style")))
        if step.number == 40:
            halfway[name] = step.best_image
    stages[name] = step.best_image
plot_curves(curves, y="style loss", title="Four ways")
grid([*stages.values()], [*stages], columns=2)
roof = (..., slice(5, 70), slice(20, 118))
grid([stages[name][roof] for name in list(ways)[2:]], [f"{name}: the roof" for name in list(ways)[2:]])
for name, picture in stages.items():
    print(f"{name:22} structure {structure(picture):.2f}   off colour {off_colour(picture):.2f}")

# %% [markdown]
# <details><summary>What you should see</summary>
#
# From the photo hardly any evening comes. In one stage, with λ from the beginning, the sky stays as bright as it was: a picture that has to be this photo in every step cannot go far. In two stages the first one gets away, and the second takes most of it back: a piece of blue sky is left, and it ends at no edge of the photo.
#
# From the recoloured photo both ways show the evening: dark blue sky and lake, gold leaves, a lit tower. In two stages the style loss first falls far lower, because nothing holds the picture; as soon as λ comes it rises again, and both end at the same height. Enlarged, the single stage is the one with more contrast: a yellow light on the roof, where two stages leave it softer and pinker.
#
# The numbers do not settle it. The two pictures from the photo have the best structure because they *are* nearly the photo, and their colours are far off. Of the other two, two stages are slightly better in all numbers. By so little that we go on with the simpler way: **one stage from the recoloured photo**. All pictures below are made so, unless they say otherwise.
# </details>
#
# ### Your code paints
#
# Your matrices of windows (exercise 1) make $\mathcal L_m$, your loss with masks (exercise 3) brings the evening. What is not solved yet is taken from the course, and the cell says so.


# %%
def course_window(colours, eps):
    X, R = regressors(colours, eps)
    return torch.eye(len(colours)) - X @ torch.linalg.solve(X.T @ X + R, X.T)


def course_masked(F, M, F_style, M_style):
    pooled = (torch.nn.functional.adaptive_avg_pool2d(m[None], f.shape[2:])[0] for m, f in ((M, F), (M_style, F_style)))
    G, A = (photo.masked_grams(f, m) for f, m in zip((F, F_style), pooled, strict=True))
    return (G - A).square().sum() / (2 * F.shape[1] ** 2)


# %%
window = yours(my_window, check.window, course_window)
masked = yours(my_masked_style_loss, check.masked_style_loss, course_masked)
colours = torch.nn.functional.unfold(day.double(), 3)[0].T.reshape(-1, 3, 9).mT  # (n, 9, 3)
L = torch.stack([window(nine, 1e-7) for nine in colours]).float()  # (n, 9, 9), a matrix for each window
here, there, _ = segmentation.merge_orphans(day_masks, dusk_masks)
M = torch.stack([(here.labels == k).float() for k in range(len(here.names))])  # (K, H, W)
M_style = torch.stack([(there.labels == there.names.index(name)).float() for name in here.names])
with torch.no_grad():
    wanted, A = encoder(day, photo.CONTENT_LAYER)[photo.CONTENT_LAYER], encoder(dusk, LAYERS)
    at_zero = {layer: masked(0 * A[layer], M_style, A[layer], M_style) for layer in A}  # the loss of no activations


# %%
def my_objective(image):
    F = encoder(image, [*LAYERS, photo.CONTENT_LAYER])
    v = torch.nn.functional.unfold(image, 3)[0].T.reshape(-1, 3, 9)  # (n, 3, 9)
    found = {"L_m": LAMBDA * torch.einsum("ncj,njk,nck->", v, L, v) / image[0, 0].numel()}
    found["content"] = 10 * losses.content_loss(F[photo.CONTENT_LAYER], wanted)
    return found | {name: 100 / 3 * masked(F[name], M, A[name], M_style) / at_zero[name] for name in A}


start = photo.smooth(photo.recolour(day, dusk, day_masks, dusk_masks), day)
mine = result(optimize_image(start, my_objective, 40))
theirs = photograph(day, day_masks, dusk, dusk_masks, steps=(0, 40))
solved = window is my_window or masked is my_masked_style_loss
who = "your code" if solved else "the course's, in place of yours"
grid([dusk, mine, theirs], ["the style", who, "the course's"])

# %% [markdown]
# The two should be alike, not equal: the course weights each region by its size, and measures each difference of Gram matrices relative to the style's.
#
# ## 8 · How much photo: λ
#
# *What do too little and too much of it look like?*
#
# **Predict, then run.** The second stage with λ from 1 to 10⁸, from two starts: the painted result of a first stage, and the photo itself. What will the first picture of each row look like, and what the last?

# %%
lambdas = {"1": 1.0, "10⁴": 1e4, "10⁶": 1e6, "10⁸": 1e8}
starts = {"painted": halfway["recoloured, two stages"], "the photo": day}
at_lambda = {"painted": stages["recoloured, two stages"], "the photo": halfway["photo, one stage"]}
strips = {}
for word, start in starts.items():
    for name, value in lambdas.items():
        if value == LAMBDA:  # section 7 has painted it
            strips[word, name] = at_lambda[word]
        else:
            options = {"photorealism_weight": value, "steps": (0, 40), "start": start}
            strips[word, name] = photograph(day, day_masks, dusk, dusk_masks, **options)
grid([*strips.values()], [f"from {word}: λ = {name}" for word, name in strips], columns=4)
wall = (..., slice(5, 105), slice(12, 162))
closer = {name: strips["painted", name][wall] for name in lambdas}
grid([*closer.values()], [f"from painted, enlarged: λ = {name}" for name in closer], columns=2)
found = {
    f"{what}, from {word}": [one(picture) for (start, _), picture in strips.items() if start == word]
    for what, one in MEASURES.items()
    for word in starts
}
plot_curves(found, x="λ", y="structure, off colour", at=[*lambdas], log=False, beside=True, title="Photo or style")

# %% [markdown]
# <details><summary>What you should see</summary>
#
# **Too little λ**, at the left: it looks painted. The paper's 10⁴ still has wrong colours between the columns: the value belongs to the scales of its losses, and ours have others.
#
# **From 10⁶ on** the painted start becomes a photo. 10⁶ and 10⁸ look almost the same there, also enlarged: the edges are back, and the colours of large areas are those of the start, which began with the recoloured photo. Whether the style loss still works is seen in the lower row.
# At 10⁶ the walls and trees of the photo have turned browner. At 10⁸ nothing happens: **too much**. So take the smallest λ that gives a photo, here 10⁶. The curves show the same: structure rises with λ up to 10⁶, and from the photo the colours are off for every λ.
#
# So a start that already has the new colours is needed: the paper's painted one, or the recoloured photo.
# </details>
#
# **Which layers?** Our style loss leaves out `relu4_1`, and the first three layers are enough for colours and fine contrast. **Predict, then run.** What will a layer change that describes larger shapes, when the edges have to stay?

# %%
four = photograph(day, day_masks, dusk, dusk_masks, layer_weights=[*LAYERS, "relu4_1"])
three = stages["recoloured, one stage"]
names = ["the style", "up to relu3_1", "up to relu4_1"]
grid([dusk, three, four], names, columns=3)
grid([dusk[..., 60:172, 60:228], *(picture[..., 40:141, 30:182] for picture in (three, four))], names, columns=3)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Both are sharp, since the edges have to stay. But with `relu4_1` the walls get an olive tint and lose contrast, and a pale haze lies around the tower. This layer asks for larger shapes, towers and lamps. $\mathcal L_m$ lets none of them in; what is left of the request are colours at the wrong places. So we do without it.
# </details>
#
# ## The lab
#
# Two photos, their masks, and all of the above.
#
# - **λ** and **Γ** as in (4). **stages**: both, or only one of them. **start from**: the recoloured photo, the photo, or noise. **smoothing after** is section 10.
# - **masks**: one region for all, clusters found in both pictures, the course's own (where there are some), or painted by you. Your choice is shown below the lab, and you can paint over it. Choose a region, then
#   draw with the **brush**, or **fill** a connected area. A fill can stop where the colour changes: *fill: similar*. Type a name for one **more region**. **Undo** takes the last stroke back.
# - **Start** begins again, **Stop** ends after the current step, **Continue** goes on from the current picture.
#
# Things to try: give the lake the label *sky*, with a fill, and compare. One region for all, then masks. λ starts at 10⁶, as in this lesson: set it to the paper's 10⁴, and to both ends, with Continue from the same picture. A mask for the temple alone. Your own two photos, of the same kind of place.

# %% tags=["nbval-ignore-output"]
lab = PhotoLab("china", "rocket", size=256, stages="second", first_steps=60)
lab

# %% [markdown]
# *What the lab shows at first: the temple at dusk after 60 of 120 steps, in one stage, and smoothed. Its lake is still ground.*
#
# ## 9 · What else there is
#
# *Do we need a network, if only colours change?*
#
# Colour transfer between photos is older than neural networks:
#
# - **Reinhard and others, 2001**: mean and deviation of each channel, in lαβ, a colour space with nearly independent channels. It is the AdaIN of lesson 05, on pixels.
# - **Monge and Kantorovich** (Pitié and Kokaram, 2007): mean and *covariance*, with the linear map that moves colours least.
# - **Pitié and others, 2005**: the whole distribution. Rotate the colour space at random, match the histograms along the axes, and repeat, some twenty times. Afterwards *regraining* restores the photo's own gradients.
#
# We add two methods that paint: lesson 02, and **CNNMRF** (Li and Wand, 2016), which compares patches (lesson 06).
#
# **Predict, then run.** Which keeps the structure best? Which puts the colours into the right places? Which of them use regions?

# %%
patches = style_swap.cnnmrf_objective(day, dusk, encoder=encoder, tv_weight=10.0)
transferred = colour.distribution_transfer(day, dusk)
sheet = {
    "lesson 02": painted,
    "CNNMRF": result(optimize_image(day, patches, steps=40)),
    "Reinhard": colour.reinhard(day, dusk),
    "Monge, Kantorovich": colour.monge_kantorovich(day, dusk),
    "Pitié": transferred,
    "Pitié, regrained": colour.regrain(day, transferred),
    "M. K. by regions": photo.recolour(day, dusk, day_masks, dusk_masks),
    "this lesson": resize(evening, tuple(day.shape[2:]), "box"),
}
grid([dusk, *sheet.values()], ["the style", *sheet], columns=3)
by_regions = photo.recolour(large, dark, mirrored(large_masks), dark_masks)
closer = {"M. K.": by_regions, "this lesson": evening}  # both as large as at the top
places = {"horizon": (132, 229, 271, 416), "roof rim": (20, 117, 30, 175), "tree": (77, 174, 354, 499)}
details = [picture[..., a:b, c:d] for picture in closer.values() for a, b, c, d in places.values()]
grid(details, [f"{who}: {place}" for who in closer for place in places], columns=3)
for name, picture in sheet.items():
    print(f"{name:20} structure {structure(picture):.2f}   off colour {off_colour(picture):.2f}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# The colour methods keep the structure, all but Pitié without regraining: matching the whole distribution separates colours that were nearly equal, as in the sky; regraining repairs that. Each of them is one function of the colour for the whole picture. But one function cannot turn one grey into night sky and the same grey into a lit wall. The methods that paint get textures; lesson 02 loses the photo, and CNNMRF keeps its edges and hardly changes its light. CNNMRF uses for each patch
# the most similar one, wherever it comes from.
#
# Compare the linear map *region by region* with ours: in these two numbers it is hard to beat, it takes no time, and at first sight it is the better photo, crisp and luminous. Be careful with numbers: *off colour* measures mean and deviation, which are exactly what this map sets.
#
# Now look at the enlarged pieces. The map cuts where the mask cuts: black and white pixels along the roof and around the leaves, as if cut out with scissors. Our method follows the photo's own edges: no black rim, neither at the roof nor at the leaves, and the leaves stay golden. The price: the crown of the tree has become half transparent, the edge of the roof is frayed, with a faint glow beside it, and its face has a little texture of paint.
#
# So the simple method is enough where regions have sharp borders and exact masks, and where the picture is shown small. Leaves, hair, mist and rough masks are what the other one is for.
# </details>
#
# ## 10 · Time of day, and other things
#
# *Where does it work?*
#
# Shih and others (2013) change the time of day of a photo with a time-lapse video of a similar place. Here one picture is enough, and it may change other things than the time of day.
#
# **Predict, then run.** A grey photo at the dusk of the launch pad; a flower with the colours of a cup and its table; the cup with those of the flower. In a grey photo the colours of each window lie on *one* line. Can it become colourful?

# %%
rows, titles = [], []
pairs = {"a grey photo": ("camera", "rocket"), "flower": ("flower", "coffee"), "cup": ("coffee", "flower")}
for what, (name, other) in pairs.items():
    (content, masks), (style, style_masks) = pictured(name), pictured(other)
    rows += [content, style, photo.smooth(photograph(content, masks, style, style_masks), content)]
    titles += [f"{what}: the photo", f"{what}: the style", f"{what}: the result"]
grid(rows, titles, columns=3)

# %% [markdown]
# <details><summary>What it means</summary>
#
# The grey photo gets its evening: the sky turns deep blue at the top, the grass brown. In each window its colours lie on one line, and an affine function can lay this line along any tint. From window to window the tint may change, slowly. What it cannot do is to give two hues to the same grey side by side.
#
# The leaves behind the flower take the red-brown of the table, and its petals the pale grey and the red of the cup. The table becomes as dark green as the leaves, the saucer turns from brick red to the orange of the petals, and the white of the cup becomes a little yellow. In none of the three has a line moved: every petal, the spoon and the tripod are where they were.
# </details>
#
# Remaining painted texture can be **smoothed afterwards**: keep of the result only what is, in somewhat larger windows, an affine function of the photo's colours. That is the regression of section 2, used as a filter. The first picture
# of this lesson and the results above were smoothed in this way.
#
# **Predict, then run.** To see what the filter does, give it a hard case: the painted picture of a first stage, to which $\mathcal L_m$ has not been applied at all. What does it remove, and what can it not repair?

# %%
rough = halfway["recoloured, two stages"]
fine = photo.smooth(rough, day)
part = (..., slice(5, 105), slice(12, 162))
titles = ["painted", "smoothed", "painted, enlarged", "smoothed, enlarged"]
grid([rough, fine, rough[part], fine[part]], titles, columns=2)
print(f"structure {structure(rough):.2f} before, {structure(fine):.2f} after")

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The columns are straight again; the ripples in the sky and the coloured fringes along the roofs are gone. It cannot bring back what the painting has lost: the smoothed tower is softer than the photo, its contrast is lower, and where the painting had spread light beyond the roof, a faint glow is left. That is why $\mathcal L_m$ belongs into the optimisation, and the filter is a last touch.
# </details>
#
# ## 11 · Any style on any object
#
# *Must sky be compared with sky?*
#
# No. A label is only a name. With masks painted by hand, any object can take its look from any other. In the lab you use the pointer. Here code moves the same brush.
#
# **Predict, then run.** In section 10 subject went with subject. Now the other way round: the cup takes its look from the leaves behind the flower, and the table from the petals. What colours will they get? Will there be a petal on the table?


# %%
def ring(x, y, a, b):
    """A path once around an ellipse, for the brush."""
    return [(x + a * np.cos(angle), y + b * np.sin(angle)) for angle in np.linspace(0, 2 * np.pi, 17)]


cup, flower = (resize(samples.content(name), (172, 258), "box") for name in ("coffee", "flower"))
painter = MaskPainter(cup, flower)  # in pixels of a picture 300 wide, as it is shown in the lab
painter.add("cup")
painter.brush.value = 40
painter.content.stroke(ring(139, 114, 60, 41))  # the saucer
painter.content.stroke([(125, 49), (166, 49), (139, 114)])  # the cup
painter.style.stroke([(0, 20), (300, 20), (300, 100), (0, 100), (0, 180), (300, 180)])  # all of the flower's photo, …
painter.region.value = "everything"
painter.style.stroke(ring(143, 105, 24, 24))  # … but not its petals
painter.brush.value = 16
painter.style.stroke([(152, 198), (204, 198)])
painted_masks = [masks.resized((172, 258)) for masks in painter.masks]
swapped = photo.smooth(photograph(cup, painted_masks[0], flower, painted_masks[1]), cup)
over = [image / 2 + masks.picture() / 2 for image, masks in zip((cup, flower), painted_masks, strict=True)]
titles = ["the photo", "the style", "the result", "the photo, painted over", "the style, painted over"]
grid([cup, flower, swapped, *over], titles, columns=3)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# A blue-green cup, nearly black outside, with green coffee: it was painted over like the cup. The table glows in the orange of the petals, brighter than its own brown, with some whitish patches. There is no petal on the table: where the photo has no edge, a new one has a high $\mathcal L_m$.
# </details>
#
# ## 12 · Where it fails
#
# *What if the labels are wrong?*
#
# **Predict, then run.** We exchange two names: the content's sky is compared with the rocket, and the temple with the evening sky. λ is as before. Will the result still be sharp? Will it look like a photo? Below it, the launch pad in the daylight of the temple, with the right labels. What will become of its lamps, and of its thin towers?

# %%
exchanged = {"sky": "building", "building": "sky"}
names = tuple(exchanged.get(name, name) for name in day_masks.names)
wrong = segmentation.Masks(day_masks.labels, names, day_masks.colours)
mismatch = photograph(day, wrong, dusk, dusk_masks)
by_day = photo.smooth(photograph(dusk, dusk_masks, day, day_masks), dusk)
titles = ["labels that match", "labels exchanged", "the launch pad", "the launch pad by day"]
grid([three, mismatch, dusk, by_day], titles, columns=2)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# At first sight it is an evening, too. The temple is still sharp where it meets the sky, but it is as blue as a night sky, and its own lines are weak. $\mathcal L_m$ only measures whether it is the same photo in *some* light, and that is one. The sky is orange and brown, with streaks. It has only tiny differences of its own, and amplifying them
# costs little: a window may multiply its contrast by 100 for $\epsilon \, a^\top a = 10^{-7} \cdot 100^2 = 0.001$ (section 2). The paper shows the same for pairs that have little in common: the method needs regions that correspond.
# It also fails where a mask is inaccurate: the light may only follow edges of the photo, so a mask that cuts through a smooth area leaves a glow, or a stain.
#
# The launch pad looks like day at first sight. But its lamps are still on, as the photo has edges there. One of the towers is pale: an edge may become weaker at no cost (section 2). And the rocket has become grey.
# </details>
#
# ## 13 · How to evaluate it
#
# There is no number for *looks like a photo*. The paper asked people, 35 to 40 for each picture. In one study they rated from 1 to 4 how much it looks like a photo; in another they chose, among the results of four methods, the one that is most faithful to the style. The methods
# that paint did not look like photos. Those that change colours only were less faithful to the style. Ask your neighbours! Our two numbers, *structure* and *off colour*, help, but a picture can be good in both and still look odd.
#
# ### To discuss
#
# **Is five minutes too long?** The paper needs three to five minutes for a picture on a large GPU. For professional work on one photo that is little; for fun it is much. How long does it take here, and what takes the time?

# %% tags=["nbval-ignore-output"]
options = {"encoder": encoder, "layer_weights": LAYERS, "photorealism_weight": 0.0}
objective = photo.objective(large, dark, large_masks, dark_masks, **options)
lightly = MattingLaplacian(large)


def seconds(function):
    image = evening.clone().requires_grad_()
    begin = time.perf_counter()
    torch.autograd.grad(function(image), image)
    return time.perf_counter() - begin


network = min(seconds(lambda image: sum(objective(image).values())) for _ in range(3))
matting = min(seconds(lightly.energy) for _ in range(3))
size = "{3} x {2}".format(*evening.shape)
print(f"a step at {size}: network {network * 1e3:.0f} ms, L_m {matting * 1e3:.1f} ms; 80 steps {80 * network:.0f} s")

# %% [markdown]
# - **Which labels are missing?** Segmentation networks know *sky*, *building*, *water*. They do not know *the left half of the face* or *my grandmother's chair*. That is why masks by hand give the best results. Could one click on each object be enough? (Section 4 has an idea: which eigenvector does the click lie in?)
# - **Can the Laplacian be replaced?** It depends on the photo alone; nothing is learnt. It only uses 3 × 3 pixels, and it forbids real changes of light: a lamp that goes on, a shadow with an edge, a reflection. What could be learnt from pairs of photos by day and by night?
# - **Is the Gram matrix the best description of style?** Lesson 05 had less, mean and deviation, and lesson 06 had more, whole patches. For photos, where textures must not change, how much of the Gram matrix do we need at all? Section 8 was better without `relu4_1`. Try `photograph(…, layer_weights=["relu1_1"])`: that is little more than colours.
#
# ## Differs from the paper
#
# - **The encoder** is `mini` with `relu1_1` to `relu3_1` for style and `relu3_3` for content; the paper has VGG-19, `conv1_1` to `conv5_1`, and `conv4_2`. Our pictures are 258 pixels wide, theirs about 700.
# - **The style loss** is relative, divided by the power of its target, as in lesson 02, and a region counts by its size.
# - **$\mathcal L_m$** is divided by the number of pixels, so that λ means the same at every size. Since our losses have other scales, λ is 10⁶ in this course and not 10⁴, and α 10 and not 1. Γ is the paper's 100. The lab and `photo.stylize` have the same weights; they use `relu4_1` as well, unless you pass `layer_weights`.
# - **The Laplacian** is never built. It is applied window by window, and that is exact.
# - **Labels** are drawn by hand, or come from clusters or a small network, not from a network with 150 classes (DilatedNet). Orphans are mapped to relatives by name, and to neighbours in the picture where there are none.
# - **The start** is the photo, recoloured region by region, and not noise. So one stage of 80 steps suffices where the paper takes two of 1000. Smoothing afterwards is optional.
#
# ## Summary
#
# - Light changes the colours of a small window by one affine function. The squared residual, summed over all windows, is $v^\top \mathcal M_I v$.
# - $\mathcal M_I$ depends on the photo only. It is symmetric, its rows add up to 0, and affine images of the photo cost nothing.
# - Masks give one Gram matrix for each label, divided by the sum of the mask. Orphans need a partner.
# - λ controls how much stays a photo; with too much of it the start decides. So start from something that already has the new colours: a painted picture, as in the paper, or the recoloured photo.
# - Colour transfer without a network is quick and, as one smooth function of the colour, keeps the photo. It needs masks to know where things are.
#
# **Common misconceptions**
#
# - *"$\mathcal L_m$ makes a picture look like a photo."* It makes it look like *this* photo in another light. Noise in, noise out.
# - *"It compares with the photo's colours."* The photo's negative costs nothing.
# - *"A larger λ is safer."* With a very large λ the optimisation adds nothing: you see its start, with the edges of the photo.
# - *"Masks have to be exact."* Where the photo has an edge, $\mathcal L_m$ follows it. Where it has none, an inaccurate mask shows.
# - *"The sum in the Gram matrix may stay undivided; the weight compensates."* Then the same sky has another style if it is larger.
#
# **To read**: the paper and its supplement with many pairs; Levin, Lischinski and Weiss, section 3, for the derivation; Pitié, Kokaram and Dahyot, *Automated colour grading using colour distribution transfer*, CVIU 2007; Li and others, *A Closed-form Solution to
# Photorealistic Image Stylization*, ECCV 2018, which does it in one pass and smooths with the same matrix.
#
# **Next**: [lesson 08](08_adjustable.ipynb) adds sliders for what had to be fixed before training: how much style, layer by layer, without training again.

# %% [markdown] tags=["solution"]
# ## For teachers
#
# **Timings** (155 minutes): sections 1 and 2 with exercise 1, 30 minutes · sections 3 and 4 with exercise 2, 25 · section 5 with exercise 3, 30 · section 6 with exercise 4, 15 · sections 7 and 8, 15 · the lab, 15 · sections 9 and 10, 10 · sections 11 to 13 with the discussion, 15. In two sittings, the second one after section 6; in a short class leave out sections 9 to 12.
#
# **Show.** The list of section 4: write its ten names on the board, let groups sort them by their $\mathcal L_m$, and only then run the cell. That the negative costs nothing is a surprise. Then the mask editor of the lab.
#
# **Expected results.** Affine pictures cost less than 0.03, everything else more than 60. In the sweep, structure rises with λ. The colour methods have the highest structure, and are
# far off in colour unless they get masks; with masks the linear map is better than the lesson's method in both numbers, and yet cut out at every border, which is worth a discussion.
#
# | Section | Printed, or above a picture | Expect |
# | --- | --- | --- |
# | 2 | `the same number: True` | as it stands |
# | 3 | `-0.33 -0.67` | 8, exactly |
# | 3 | `entries that are not 0:` | 361, exactly |
# | 4 | `the negative L_m =` | 0 to 0.03 |
# | 4 | `noise of 1 % L_m =` | 64 to 71 |
# | 4 | `moved by one pixel L_m =` | 1350 to 1370 |
# | 5 | `content sky` | 38, exactly |
# | 7 | `recoloured, two stages structure` | 0.65 to 0.8 |
# | 7 | `photo, one stage structure … off colour` | 0.55 to 0.7 |
# | 9 | `M. K. by regions structure` | 0.82 to 0.87 |
# | 9 | `this lesson structure` | 0.7 to 0.82 |
# | 10 | `structure … before,` | 0.68 to 0.82 |
#
# **Where they get stuck.** In exercise 1 `torch.cov` divides by n − 1. In exercise 2 `reshape(-1, 3)` mixes the channels. In exercise 3 the masks keep the size of the picture, or the divisor is all positions: the loss then works a little, which is worse than an error. The checks name all of these.
#
# **Questions for a discussion.** Section 13 has four that have no last answer. Three that have one:
#
# - *Why is the picture that was moved by one pixel so expensive, and is that good?* At each edge its values do not follow from the old colours. It is good: the term asks for this photo, not for a photo. It also means that the method cannot straighten a horizon.
# - *What would happen with windows of 15 × 15?* One affine map would have to do for a larger piece. The light could change less from place to place, and edges would be kept more strictly. The matrix would have far more entries.
# - *Why is the plain linear map by regions not beaten in either of our two numbers?* The numbers measure what that map sets. They do not see the jump at the border of a mask. So look, and choose measures before you know who wins.
