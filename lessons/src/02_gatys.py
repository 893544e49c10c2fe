# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 · One picture painted like another
#
# In lesson 01 we searched for a picture with the same activations as a photo. Now we ask for two things at once: the *content* of a
# photo and the *style* of a painting. The second needs a description of style. Finding one was the idea of Leon Gatys, Alexander Ecker
# and Matthias Bethge, and the field grew out of it.
#
# **After this lesson you can …**
#
# - write the content loss and its gradient by hand,
# - explain why a Gram matrix describes style, and compute it fast,
# - paint with your own code: put both losses together and move the pixels downhill,
# - choose the weights, the layers, the start and the optimiser on purpose,
# - convert weights between repositories that divide by different numbers,
# - say what the method cannot do.
#
# **Builds on** [lesson 01](01_inversion.ipynb) · **about 100 minutes**, with the exercises · **paper**: L. A. Gatys, A. S. Ecker and
# M. Bethge, *Image Style Transfer Using Convolutional Neural Networks*, CVPR 2016. Equation numbers are the paper's. (It is the longer,
# later version of the preprint *A Neural Algorithm of Artistic Style*, [arXiv 1508.06576](https://arxiv.org/abs/1508.06576), 2015.)
#
# The method is in sections 1 to 6; there you also paint with your own code. Sections 7 to 9 and the lab are about using it well.
# **Sections 10 to 13 are optional**: pick what you need.

# %%
# %config InlineBackend.figure_formats = ['jpeg']
import time

import torch

from stylelearn import gatys, losses, samples
from stylelearn.checks import gatys as check
from stylelearn.checks import yours
from stylelearn.colour import keep_colours, match_colour, match_histogram
from stylelearn.encoders import CONTENT_LAYER, STYLE_LAYERS, Encoder
from stylelearn.figures import grid, plot_curves
from stylelearn.images import psnr, resize
from stylelearn.lab import GatysLab
from stylelearn.optimize import optimize_image, result

encoder = Encoder("mini")
photo = resize(samples.content("coffee"), (128, 192), "box")  # (1, 3, 128, 192)
painting = samples.style("woodcut_waves", 160)  # (1, 3, 160, 160)

# %% [markdown]
# This is the goal: the temple of the photo, drawn with the lines, the foam and the colours of the woodcut.


# %%
def paint(content, style, steps=80, tv_weight=10.0, **options):
    """The best picture after so many steps; options as of `gatys.stylize`."""
    return result(gatys.stylize(content, style, encoder=encoder, steps=steps, tv_weight=tv_weight, **options))


temple, waves = samples.content("china", 240), samples.style("woodcut_waves", 320)
pastiche = paint(temple, waves, steps=100, style_weight=100.0)  # (1, 3, 240, 360)
detail = resize(pastiche[..., 40:160, 30:210], (240, 360), "box")
grid(
    [temple, waves, pastiche, detail],
    ["content", "style", "pastiche", "a part of it, twice as large"],
    columns=2,
    even=True,
)

# %% [markdown]
# ## 1 · Content: the same activations in a deep layer
#
# *How can a number say that two pictures show the same thing?*
#
# Older methods transferred texture, too. They compared brightness or colour place by place, so they could not tell a cat from a grey
# patch of the same brightness. A network that has learnt to recognise things can.
#
# Comparing pixels does not help: move the cat by one pixel, and nearly all of them differ. Lesson 01 showed that a deep layer keeps what
# is there and roughly where, and forgets much of colour and texture. So we compare activations of a deep layer.
#
# From now on we use the paper's letters. In layer $l$ there are $N_l$ channels, each with $M_l = H \cdot W$ positions.
# $F^l_{ij}$ is the activation of channel $i$ at position $j$ for $\vec x$, the picture that we are making. $P^l_{ij}$ is the same for
# the photo $\vec p$. The **content loss** is
#
# $$\mathcal L_\text{content}(\vec p, \vec x, l) = \tfrac12 \sum_{i,j} \big(F^l_{ij} - P^l_{ij}\big)^2 \qquad\text{(1)}$$
#
# To go downhill we need its slope. The derivative of $\tfrac12 (F-P)^2$ is $F - P$. But $F$ comes out of a ReLU, which has set all
# negative numbers to 0. Where it has done so, a small change before the ReLU changes nothing behind it: the gate is closed, and the gradient is 0:
#
# $$\frac{\partial \mathcal L_\text{content}}{\partial F^l_{ij}} =
# \begin{cases} (F^l - P^l)_{ij} & \text{if } F^l_{ij} > 0 \\ 0 & \text{if } F^l_{ij} = 0 \end{cases} \qquad\text{(2)}$$
#
# (The paper writes $F < 0$ and means the value in front of the ReLU. Behind it such a place is exactly 0, and (2) is the slope for what comes in.)
#
# **Predict, then run.** We compare (2) with what PyTorch finds, for a picture of noise. How large do you expect the
# difference to be? And in how many of the places is the gradient 0: none, some, or most?

# %%
with torch.no_grad():
    P = encoder(photo, "relu4_2")["relu4_2"]  # (1, N, H, W)
x = gatys.start_image("noise", photo, painting).requires_grad_()
before, F = encoder(x, ["conv4_2", "relu4_2"]).values()  # in front of the ReLU, and behind it
loss = 0.5 * (F - P).square().sum()
(by_torch,) = torch.autograd.grad(loss, before)  # (1, N, H, W)
by_hand = torch.where(F > 0, F - P, 0)  # equation (2)
print(f"content loss {loss:.0f}, largest difference {(by_torch - by_hand).abs().max():.1e}")
print(f"gradient 0 in {(by_torch == 0).float().mean():.0%} of the places")

# %% [markdown]
# <details><summary>What it means</summary>
#
# The two agree. In many places the ReLU is 0, and no gradient passes. Such a place can be *wrong* (the photo has an activation
# there, our picture has none) and still has no influence on the step. Only changes that other places ask for can make it positive
# again.
# </details>
#
# ### Exercise 1 — the gradient by hand
# *difficulty ●○○ · importance ●●○ · 5 minutes*
#
# Write equation (2) as a function, for activations of any shape.


# %% tags=["exercise"]
def my_content_gradient(features, target):
    """∂L_content/∂F for F = features and P = target, both (B, C, H, W)."""
    raise NotImplementedError


check.content_gradient(my_content_gradient)


# %% tags=["solution"]
def my_content_gradient(features, target):
    """∂L_content/∂F for F = features and P = target, both (B, C, H, W)."""
    return (features - target) * (features > 0)


check.content_gradient(my_content_gradient)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `features > 0` is a tensor of True and False. Multiplied by numbers it acts as 1 and 0.
# </details>
# <details><summary>Hint 2</summary>
#
# There is no loop and no sum: the gradient has as many numbers as the activations.
# </details>
#
# ## 2 · Style: what occurs together, wherever it is
#
# *What stays the same when you look at another corner of a painting?*
#
# Not the things, and not their places. What stays is which colours and strokes *occur together*. In `night_strokes` below, for instance, yellow comes
# as round dabs and blue as long curves. Suppose that channel $i$ is active where there is blue and channel $j$ where there is a long
# curve. Multiply the two at each position and add up. The sum is large if blue and long curves are found at the same places, anywhere.
# Do this for each pair of channels, and you have the **Gram matrix**:
#
# $$G^l_{ij} = \sum_k F^l_{ik} F^l_{jk} \qquad\text{(3)}$$
#
# The sum runs over all positions $k$, so the places are gone. What is left is an $N_l \times N_l$ table: which channels are active
# together, and how strongly.
#
# Here is the table for four styles, from `relu2_1`, each compared with the mean of the four. Red means larger than the mean, blue smaller; full
# colour means at least twice the mean, or at most half. A red row, with the column of the same number, belongs to a channel that is more active in this
# style than in the others. A single red square is a pair of channels that occur together more often. Each style has a pattern of its own.


# %%
def against_mean(grams):
    """Gram matrices (1, C, C) as images (1, 3, C, C): white at the mean of all, red above, blue below."""
    shares = [gram / gram.sum() + 1e-9 for gram in grams]  # the sum of all entries is 1 in each
    ratios = [(share / torch.stack(shares).mean(0)).log2().clamp(-1, 1) for share in shares]  # 1 is twice the mean
    return [torch.stack([1 + d.clamp_max(0), 1 - d.abs(), 1 - d.clamp_min(0)], 1) for d in ratios]


styles = {name: samples.style(name, 128) for name in ("night_strokes", "stained_glass", "woodcut_waves", "pencil")}
grams = [losses.gram_matrix(encoder(image, "relu2_1")["relu2_1"]) for image in styles.values()]
grid([*styles.values(), *against_mean(grams)], [*styles, *["its Gram matrix"] * 4], columns=4)

# %% [markdown]
# **Predict, then run.** We take the activations of the painting and shuffle all positions, in the same way in every channel. How much
# does the Gram matrix change? And if each channel is shuffled in its *own* way?

# %% tags=["nbval-check-output"]
F = encoder(painting, "relu2_1")["relu2_1"].flatten(start_dim=2)  # (1, N, M)
N, M = F.shape[1:]
together = F[:, :, torch.randperm(M)]  # one order for all channels
apart = torch.stack([channel[torch.randperm(M)] for channel in F[0]])[None]  # another for each
for name, other in (("shuffled alike", together), ("each channel on its own", apart)):
    change = (other @ other.mT - F @ F.mT).norm() / (F @ F.mT).norm()
    print(f"{name}: the Gram matrix {'stays the same' if change < 1e-4 else 'changes'}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# A sum does not depend on the order of its terms. So the same shuffle for all channels changes nothing. If each channel is shuffled on its
# own, other values meet at each position, and the products change.
# </details>
#
# ### How to compute it fast
#
# Written as it stands, (3) has three loops: over $i$, over $j$ and over $k$. But it is a matrix product. Lay each channel
# out as a row, from $C \times H \times W$ to $C \times HW$, and $G = F F^\top$.


# %% tags=["nbval-ignore-output"]
def gram_by_loops(F):
    """(N, M) -> (N, N); the loop over positions hides in the sum."""
    return torch.stack([torch.stack([(row * other).sum() for other in F]) for row in F])


def seconds(function, *arguments):
    begin = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - begin


F = encoder(photo, "relu3_1")["relu3_1"][0].flatten(start_dim=1)  # (N, M)
torch.testing.assert_close(gram_by_loops(F), F @ F.T)
loops, product = min(seconds(gram_by_loops, F) for _ in range(3)), min(seconds(torch.matmul, F, F.T) for _ in range(3))
print(
    f"{len(F)} channels: loops {loops * 1e3:.1f} ms, product {product * 1e3:.2f} ms, {loops / product:.0f} times faster"
)

# %% [markdown]
# Memory is the other trap. `(F[:, None] * F[None]).sum(-1)` is short, too, but it stores every product before it adds:

# %%
for name, channels, positions in (("our relu3_1", *F.shape), ("VGG-19's relu1_1 at 512 px", 64, 512**2)):
    at_once, product = channels**2 * positions * 4, channels**2 * 4  # bytes of float32
    print(f"{name}: all products at once {at_once / 1e6:,.0f} MB, matrix product {product / 1e6:.3f} MB")

# %% [markdown]
# ### Exercise 2 — the Gram matrix
# *difficulty ●●○ · importance ●●● · 10 minutes*
#
# Write (3) for a batch: each image gets its own matrix. This line is wrong more often than any other in code for style transfer: code that was
# written for one picture mixes the pictures of a batch, and gives no error.


# %% tags=["exercise"]
def my_gram_matrix(features):
    """(B, C, H, W) -> (B, C, C): summed over positions, not divided by anything."""
    raise NotImplementedError


check.gram_matrix(my_gram_matrix)


# %% tags=["solution"]
def my_gram_matrix(features):
    """(B, C, H, W) -> (B, C, C): summed over positions, not divided by anything."""
    flat = features.flatten(start_dim=2)  # (B, C, H·W)
    return flat @ flat.transpose(1, 2)  # (B, C, C)


check.gram_matrix(my_gram_matrix)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `features.flatten(start_dim=2)` makes one row of each channel and leaves batch and channels alone.
# </details>
# <details><summary>Hint 2</summary>
#
# `@` multiplies the last two dimensions, for each image of the batch on its own. `.transpose(1, 2)` swaps these two.
# </details>
#
# ## 3 · The style loss
#
# *How far is one style from another?*
#
# Let $A^l$ be the Gram matrix of the painting $\vec a$, and $G^l$ that of our picture. The contribution of a layer, and the whole, are
#
# $$E_l = \frac{1}{4 N_l^2 M_l^2} \sum_{i,j} \big(G^l_{ij} - A^l_{ij}\big)^2 \quad\text{(4)}
# \qquad\qquad \mathcal L_\text{style}(\vec a, \vec x) = \sum_l w_l E_l \quad\text{(5)}$$
#
# $M_l^2$ is there because a larger picture has more positions, so larger sums. Notice where it stands: $(G - A)^2 / M^2$ is the same as
# $(G/M - A/M)^2$. So divide each matrix by the number of positions of *its own* picture, and photo and painting may have
# different sizes. That is what we do.
#
# (The slope is again short: $\partial E_l / \partial F^l = \frac{1}{N_l^2 M_l^2} \big((F^l)^\top (G^l - A^l)\big)^\top$ where $F^l > 0$, and 0 elsewhere, equation (6).
# PyTorch finds it for us.)
#
# ### Exercise 3 — the style loss of one layer
# *difficulty ●●○ · importance ●●● · 10 minutes*
#
# Write $E_l$ for two activations whose pictures have different sizes. You may use `losses.gram_matrix`.


# %% tags=["exercise"]
def my_style_loss(features, style_features):
    """E_l, a scalar: features are (1, C, H, W), style_features (1, C, H', W')."""
    raise NotImplementedError


check.style_loss(my_style_loss)


# %% tags=["solution"]
def my_style_loss(features, style_features):
    """E_l, a scalar: features are (1, C, H, W), style_features (1, C, H', W')."""
    channels = features.shape[1]
    G, A = (losses.gram_matrix(each) / each[0, 0].numel() for each in (features, style_features))  # (1, C, C) each
    return (G - A).square().sum() / (4 * channels**2)


check.style_loss(my_style_loss)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `features.shape` is (1, C, H, W). $N$ is C, and $M$ is H · W. The style has its own H and W.
# </details>
# <details><summary>Hint 2</summary>
#
# First $G/M$ and $A/M'$. Then the sum of the squares of their difference. Then divide by $4N^2$.
# </details>
#
# **Does it measure style?** Let us cut three paintings in halves. Two halves of one painting show different things in the same style.
#
# **Predict, then run.** Which pairs of halves are near each other? What does the distance from a half to itself come to?

# %%
halves = {}
for name in ("marbling", "mosaic", "pencil"):
    for side, half in zip("LR", samples.style(name, 128).chunk(2, dim=3), strict=True):  # (1, 3, 128, 64) each
        halves[f"{name} {side}"] = encoder(half, "relu3_1")["relu3_1"]
print(" " * 12 + "".join(f"{name:>12}" for name in halves))
for name, features in halves.items():
    row = [losses.style_loss(features, losses.mean_gram(other)).item() for other in halves.values()]
    print(f"{name:12}" + "".join(f"{distance:12.2f}" for distance in row))

# %% [markdown]
# <details><summary>What it means</summary>
#
# Each half is at distance 0 from itself, and nearer to the other half of its own painting than to any other painting. The
# network was never told which halves belong together.
#
# (The table is not symmetric, because `losses.style_loss` divides by the size of the target matrix: 0 is a perfect match, 1 is
# the loss of a picture whose activations in this layer are all 0. Section 10 is about such divisors.)
# </details>
#
# ## 4 · Style alone: texture
#
# *What does the style loss know, and what does it leave open?*
#
# Leave out the content, start from noise, and go down the style loss only. The result is a **texture**: a picture in the style of
# the painting that shows no scene.
#
# **Predict, then run.** First we use `relu1_1` alone, then also `relu2_1`, and so on until all five. What will the first texture have in
# common with the painting? What will be added?

# %%
textures = [
    paint(painting, painting, start="noise", steps=100, content_weight=0, layer_weights=STYLE_LAYERS[:depth])
    for depth in range(1, 6)
]
grid([painting, *textures], ["the painting", "relu1_1", *(f"… to {layer}" for layer in STYLE_LAYERS[1:])], columns=3)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# `relu1_1` sees a few pixels at a time. It brings the colours, in soft dabs that lie flat like the waves. With `relu2_1` the dabs get edges and corners.
# `relu3_1` adds the fine dark lines and the white foam, and the two deepest layers join them to long waves. From `relu2_1` to `relu4_1`
# the pieces that are right grow larger. But no texture shows the scene: the sun is torn into red spots, and sky and foam are mixed. *Where* things
# were is gone, as section 2 says.
# </details>
#
# ## 5 · Both together
#
# *Can one picture have the content of one and the style of the other?*
#
# Not perfectly. But we can ask for a compromise. The weights $\alpha$ and $\beta$ say how much each loss counts (this $\beta$ has nothing to do with
# the exponent of lesson 01):
#
# $$\mathcal L_\text{total}(\vec p, \vec a, \vec x) = \alpha\, \mathcal L_\text{content}(\vec p, \vec x) + \beta\, \mathcal L_\text{style}(\vec a, \vec x) \qquad\text{(7)}$$
#
# Then we go downhill. What changes is not a network. It is $\vec x$, the pixels themselves:
#
# $$\vec x := \vec x - \lambda\, \frac{\partial \mathcal L_\text{total}}{\partial \vec x}$$
#
# Here $\lambda$ is the length of a step (`rate` in the exercise below), not the $\lambda$ of lesson 01.
#
# This is (7), as short as it is:

# %% tags=["nbval-check-output"]
with torch.no_grad():
    P = encoder(photo, CONTENT_LAYER)[CONTENT_LAYER]  # (1, N, H, W)
    A = {layer: losses.mean_gram(features) for layer, features in encoder(painting, STYLE_LAYERS).items()}


def total_loss(x, alpha=gatys.CONTENT_WEIGHT, beta=gatys.STYLE_WEIGHT):
    """α L_content + β L_style, with w_l = 1/5 for each of the five layers."""
    features = encoder(x, [CONTENT_LAYER, *STYLE_LAYERS])
    content = losses.content_loss(features[CONTENT_LAYER], P)
    style = sum(losses.style_loss(features[layer], A[layer]) / 5 for layer in STYLE_LAYERS)
    return alpha * content + beta * style


ours = sum(gatys.objective(photo, painting, encoder=encoder)(photo).values())
print("the same as stylelearn's own:", torch.allclose(total_loss(photo), ours))

# %% [markdown]
# ### Exercise 4 — one step downhill
# *difficulty ●●○ · importance ●●● · 10 minutes*
#
# Write one step of plain gradient descent for (7). You get the two losses as functions of the picture. Give back a new picture, and leave the old one as it is.


# %% tags=["exercise"]
def my_step(x, content_loss, style_loss, alpha, beta, rate):
    """x − rate · ∂(α L_content + β L_style)/∂x, a new picture like x; the losses are functions of a picture."""
    raise NotImplementedError


check.descent_step(my_step)


# %% tags=["solution"]
def my_step(x, content_loss, style_loss, alpha, beta, rate):
    """x − rate · ∂(α L_content + β L_style)/∂x, a new picture like x; the losses are functions of a picture."""
    here = x.detach().clone().requires_grad_()
    total = alpha * content_loss(here) + beta * style_loss(here)
    (gradient,) = torch.autograd.grad(total, here)
    return x.detach() - rate * gradient


check.descent_step(my_step)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# PyTorch only keeps track of tensors that ask for it: `here = x.detach().clone().requires_grad_()`.
# </details>
# <details><summary>Hint 2</summary>
#
# `torch.autograd.grad(total, here)` gives a tuple with one gradient, and leaves no trace in `here.grad`.
# </details>
# <details><summary>Hint 3</summary>
#
# Subtract from `x.detach()`, not from `here`: the new picture should not keep the graph from which it came.
# </details>
#
# `gatys.stylize` does the steps with a better optimiser (section 9). Let us watch it once, as the paper has it: formula (7) at one size, and nothing else.
# (Everywhere else our `paint` begins at half the size, for larger forms, and adds a little total variation against fine grain, section 13.)
#
# **Predict, then run.** We start from the photo. Which loss can only rise at first? Which layers' style losses will end highest?

# %%
day = resize(temple, 160)  # (1, 3, 160, 240)
seen, curves, totals = {}, {}, []
for step in gatys.stylize(day, painting, encoder=encoder, steps=80, levels=1, tv_weight=0.0):
    totals.append(step.loss)
    for name, value in step.losses.items():
        curves.setdefault(name, []).append(value)
    if step.number in (1, 15, 80):
        seen[f"step {step.number}: loss {step.loss:.2f}"] = step.best_image
by_lbfgs = step.best_image  # (1, 3, 160, 240)
grid([painting, *seen.values()], ["the style", *seen], columns=2, even=True)
plot_curves(curves, y="weighted loss", title="One content loss, five style losses", beside=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The content loss starts at 0 (a logarithmic scale has no place for it) and at first can only rise: style is paid for with content. The style
# losses fall fast, to less than a tenth, and each layer ends at its own level. `relu4_1` and `relu5_1` end highest here: long waves
# contradict the temple most. After a few steps the content loss falls, too: the search finds lines that fit the temple better. But it
# slows down, and far from 0: both cannot be had. In the picture, lines come first; the colours of the sky and the white foam on the roofs take longer.
#
# Where the content loss ends says how much of the photo was given up: 0 is the photo, 1 is as bad as activations that are all 0. We started from the photo. Would the temple
# be there without that? Section 7 tries it.
# </details>
#
# ## 6 · How much, and from which layers?
#
# *What do α, β and the choice of layers do to the picture?*
#
# Only the ratio matters: doubling both weights changes nothing but the length of the steps. The paper of 2016 gives α/β = $5 \cdot 10^{-4}$
# to $5 \cdot 10^{-3}$ for its paintings, the preprint of 2015 $10^{-3}$ and $10^{-4}$. Our losses have another unit (section 10), and we speak of β/α, *how much style*.
#
# **Predict, then run.** In the next figure the upper row asks for little style, the lower for much. From left to right more layers carry it: first
# `relu1_1`, then up to `relu3_1`, then all five. Where will the picture be closest to the photo? What is missing with `relu1_1` alone, however much
# style we ask for?

# %%
pictures, titles = [], []
for style_weight, name, picture in ((1.0, "the photo", day), (300.0, "the style", painting)):
    pictures, titles = [*pictures, picture], [*titles, name]
    for depth in (1, 3, 5):
        weights = {"style_weight": style_weight, "layer_weights": STYLE_LAYERS[:depth]}
        pictures.append(paint(day, painting, steps=50, **weights))
        titles.append(f"to {STYLE_LAYERS[depth - 1]}\nβ/α = {style_weight:g}")
grid(pictures, titles, columns=4, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The upper row is the photo, a little painted; with five layers it is closest to it, since β is shared among the layers that take part. Below, `relu1_1`
# alone brings colours and small dabs, and no more: it sees nothing larger than a few pixels, and no weight can change that. With `relu3_1` come lines in
# the sky and foam along the roofs. With all five the storeys themselves swell into waves. So there are two choices: *how much* style, and *how large* its
# pieces may be.
# </details>
#
# ### What does a layer notice?
#
# We can also look at the losses. We spoil a painting in two ways. First we cut it into tiles of 16 pixels and shuffle them: the grain stays, the
# large forms are gone. Then we blur it a little: the forms stay, the grain is gone. The more a layer sees of large forms, the larger the first loss should be
# beside the second.

# %%
marbling = samples.style("marbling", 128)  # (1, 3, 128, 128)
tiles, soft = check.shuffled(marbling), check.blurred(marbling)
grid([marbling, tiles, soft], ["the painting", "tiles shuffled", "blurred"])
for layer in STYLE_LAYERS:
    a, g, b = (losses.mean_gram(encoder(image, layer)[layer]) for image in (marbling, tiles, soft))  # (1, C, C)
    shuffling, blurring = ((other - a).square().sum() / a.square().sum() for other in (g, b))
    print(f"{layer}: shuffling {shuffling:7.3f}, blurring {blurring:6.3f}, ratio {shuffling / blurring:5.2f}")

# %% [markdown]
# ### Exercise 5 — grain without forms
# *difficulty ●○○ · importance ●●○ · 10 minutes*
#
# Choose weights $w_l$ so that the style loss carries the grain of the marbling and hardly depends on its large swirls. The criterion is a number: shuffling
# the tiles may count at most 0.2 times as much as blurring, in the weighted sum of the losses above.

# %% tags=["exercise"]
my_weights = ...  # such as {"relu1_1": 0.2, "relu2_1": 0.2, "relu3_1": 0.2, "relu4_1": 0.2, "relu5_1": 0.2}
check.grain_only(my_weights)

# %% tags=["solution"]
my_weights = {"relu1_1": 0.3, "relu2_1": 0.4, "relu3_1": 0.3, "relu4_1": 0.0, "relu5_1": 0.0}
check.grain_only(my_weights)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Look at the last column of the numbers above. In which layers does shuffling count most, compared with the blur?
# </details>
# <details><summary>Hint 2</summary>
#
# Try equal weights first, and read what the check says about them.
# </details>
#
# ### Your code paints
#
# Exercises 1 to 4 are all that the method needs. Now your functions paint. `yours` takes a function of yours if it passes its check; otherwise it takes the course's, and says so.


# %%
def course_step(x, content_loss, style_loss, alpha, beta, rate):
    here = x.detach().clone().requires_grad_()
    return x - rate * torch.autograd.grad(alpha * content_loss(here) + beta * style_loss(here), here)[0]


gradient = yours(my_content_gradient, check.content_gradient, lambda F, P: torch.where(F > 0, F - P, 0))
gram = yours(my_gram_matrix, check.gram_matrix, losses.gram_matrix)
layer_loss = yours(my_style_loss, check.style_loss, lambda F, S: losses.gatys_style_loss(F, losses.mean_gram(S)))
step = yours(my_step, check.descent_step, course_step)

# %% [markdown]
# Two lines need an explanation. Your function of exercise 1 is the *gradient* of the content loss; $\sum F \cdot \text{gradient}$, with the gradient held fixed, has exactly this slope. And we divide by the
# course's divisors, $\tfrac12\|P\|^2$ and $\|A\|^2 / 4N^2$ (section 10), so that β/α means what it meant above.

# %%
P_day, S = (
    encoder(day, CONTENT_LAYER)[CONTENT_LAYER],
    encoder(painting, STYLE_LAYERS),
)  # (1, N, H, W); one for each layer
targets = {layer: gram(features) / features[0, 0].numel() for layer, features in S.items()}  # A^l, (1, N, N) each
shares = {layer: 4 * len(A_l[0]) ** 2 / A_l.square().sum() / 5 for layer, A_l in targets.items()}


def content(x):
    F = encoder(x, CONTENT_LAYER)[CONTENT_LAYER]
    return (F * gradient(F.detach(), P_day)).sum() / (0.5 * P_day.square().sum())


def style(x):
    return sum(shares[layer] * layer_loss(F, S[layer]) for layer, F in encoder(x, STYLE_LAYERS).items())


x = day
for _ in range(120):
    x = step(x, content, style, 1.0, gatys.STYLE_WEIGHT, 300 / gatys.STYLE_WEIGHT).clamp(0, 1)
course = paint(day, painting)
solved = gradient is my_content_gradient or gram is my_gram_matrix or layer_loss is my_style_loss or step is my_step
who = "your code" if solved else "the course's code"
titles = ["the style", f"{who},\n120 plain steps", "the course's,\n80 L-BFGS steps"]
grid([painting, x, course], titles, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Two pastiches of one kind. The course's picture also has total variation in its loss and begins at half of the size; apart from that the loss is the same. Plain gradient descent needs many more of them (section 9), so your picture is
# less painted. All that follows only changes weights, layers, starts and optimisers.
# </details>
#
# ## 7 · Where to compare the content
#
# *Why `relu4_2`, of all layers?* (The paper calls it `conv4_2`, and means what comes out of its ReLU.)
#
# A picture that starts from the photo shows the photo, whatever the content loss does. So we start from noise: all that appears comes from the losses.
# (From noise the way is longer: we take more steps, more weight for the content, β/α = 10, and more total variation.)
#
# **Predict, then run.** The same noise, the same painting, the same weights. Only the layer of the content loss differs. In which picture does the temple keep
# its fine lines? In which is it *painted*?

# %%
options = {"start": "noise", "seed": 1, "steps": 160, "style_weight": 10.0, "tv_weight": 40.0}
kept = {layer: paint(day, painting, content_layer=layer, **options) for layer in ("relu2_2", "relu4_2", "relu5_1")}
grid([painting, *kept.values()], ["the style", *(f"content from {layer}" for layer in kept)], columns=2, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The temple appears out of noise: the content loss alone put it there. With `relu2_2` the details of the photo are asked for, too, so the style can only be
# laid over them: windows, trees and the far shore are all drawn. With `relu4_2` only the arrangement is fixed: the roofs and storeys are where they were, and are
# built out of waves and foam. With `relu5_1` the drawing is freer still; the tower leans, and the rest is sea. `relu4_2` is the compromise that
# the authors chose.
# </details>
#
# ## 8 · Where to begin
#
# *Does the start matter, if we go downhill to the end anyway?*
#
# **Predict, then run.** Three starts, one loss: the noise of section 7, other noise, the photo. Will the three pictures be the same? If not, where do they differ?

# %%
found = {"noise, seed 1": kept["relu4_2"]}  # of section 7
found["noise, seed 2"] = paint(day, painting, **options | {"seed": 2})
found["the photo"] = paint(day, painting, **options | {"start": "content"})
objective, titles = gatys.objective(day, painting, encoder=encoder, style_weight=10.0), []
for name, image in found.items():
    terms = objective(image)
    total = sum(terms.values())
    titles.append(f"start: {name}\ncontent loss {terms[f'content {CONTENT_LAYER}']:.2f}, total {total:.2f}")
found = [*found.values()]
grid(found, titles, columns=3)
print(f"between the two seeds: {psnr(found[0], found[1]):.1f} dB")

# %% [markdown]
# <details><summary>What you should see</summary>
#
# All three show the temple, and no two are alike. The loss has many minima, and the start decides which one is reached. The two seeds agree in the outlines, which
# `relu4_2` sees, and differ in all that it leaves open: from noise you can make as many variants as you like. From the photo there is only one. It keeps details of the photo, and
# its bright sky, which no term asks for, because no term changes them. The paper finds that the start matters little. With the few steps that we take it does matter. We mostly start
# from the photo: that is the shortest way to a picture in which everything can be recognised. (The lab can start from the painting, too.)
# </details>
#
# ## 9 · How to go down
#
# *Is there anything better than plain gradient descent?*
#
# - **Gradient descent** is the formula of section 5, with one λ for all pixels.
# - **Adam** gives each value its own step, by how large its gradients have been.
# - **L-BFGS** remembers its last steps and how the slope changed along them. From this it estimates the curvature, and steps to where the slope should be 0. It is the paper's choice.
#
# **Predict, then run.** All three cost the same for each step: once forward through the network, and once back. Which is lowest after 80 steps?

# %%
objective = gatys.objective(day, painting, encoder=encoder)
curves, found = {}, {}
for name, optimizer in {"plain gradient descent": "gd", "Adam": "adam"}.items():
    curves[name] = []
    for step in optimize_image(day, objective, steps=80, optimizer=optimizer):
        curves[name].append(step.loss)
    found[f"{name}: {min(curves[name]):.2f}"] = step.best_image
curves["L-BFGS"], found[f"L-BFGS: {min(totals):.2f}"] = totals, by_lbfgs  # section 5 has gone down this very loss
plot_curves(curves, y="total loss", title="The same loss, three optimisers", beside=True)
grid([painting, *found.values()], ["the style", *found], columns=2, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# L-BFGS needs a fraction of the steps: where Adam ends, it was half-way. Plain gradient descent has one λ for everything: large enough to move the
# flat directions, small enough not to overshoot in the steep ones. Its curve goes up and down all the time: it overshoots. (Where the loss explodes,
# `optimize_image` goes back and halves λ.) How it compares with Adam depends on the picture and on λ.
# </details>
#
# **The same with PyTorch's own L-BFGS.** Most public code looks like this. `torch.optim.LBFGS` evaluates the loss several times in a step, so it needs a function that does this, the **closure**: gradients to zero,
# loss, `backward`, return the loss.

# %% tags=["nbval-ignore-output"]
pixels = photo.clone().requires_grad_()
optimizer = torch.optim.LBFGS([pixels], max_eval=40, line_search_fn="strong_wolfe")  # of one call of step


def closure():
    optimizer.zero_grad()
    loss = total_loss(pixels)
    loss.backward()
    return loss


optimizer.step(closure)
before, after = (total_loss(image.detach().clamp(0, 1)).item() for image in (photo, pixels))
print(f"total loss: {before:.2f} at the start, {after:.2f} after at most 40 evaluations")

# %% [markdown]
# PyTorch's tutorial has the same closure, calls `step` in a loop, and clips the pixels to [0, 1] at the beginning of the closure (`with torch.no_grad(): pixels.clamp_(0, 1)`). `optimize_image` clips after each step, and returns after every step, so that you can watch and stop.
#
# ## The lab
#
# Everything of this lesson in one place. The lab shows a first picture at once.
#
# - **style ÷ content** is β/α. The five **style layers** are the $w_l$; only their proportion counts, and the presets set all five.
# - **content layer**, **start**, **steps**, **size**, **optimiser**: as above. "None" as content layer makes textures. **smoothness (TV)** takes fine grain away,
#   **coarse to fine** begins with a small picture, and **colours of** says whose colours the pastiche has.
# - **Start** begins anew with your settings, **Stop** ends after the current step, **Continue** goes on from the picture that is there. The plot shows each layer's loss.
# - **Save** keeps the settings inside the file.
#
# Things to try: keep only `relu1_1`. Then only `relu5_1`. A texture of `mosaic`. Your own photo, in the style of your own drawing.

# %% tags=["nbval-ignore-output"]
lab = GatysLab(content="chelsea", style="impasto", size=160, first_steps=60)
lab

# %% [markdown]
# **The lesson proper ends here.** The next four sections are optional: weights of other people's code (10), keeping the colours (11), a photo as style (12), limits (13). *Differs from the paper* and the summary are at the end.
#
# ## 10 · Optional: weights of other people's code
#
# *You find "style weight 1e6" in a repository. What would that be here?*
#
# Each implementation divides by something else: by $4N^2M^2$, by $CHW$, by nothing. So a weight of one repository means nothing in another. But the factor between two
# conventions can be computed. It depends on the picture, the layer, and often on the size.
#
# The course divides by the target: $\|F-P\|^2 / \|P\|^2$ and $\|G-A\|^2 / \|A\|^2$. Then 0 is a perfect match, and 1 is the loss of activations that are all 0,
# in every layer and at every size.
#
# **Predict, then run.** The table shows how many times the course's number each convention gives. Then we lay four copies of each picture side by side, so that nothing changes but the number
# of positions, and measure again. Which rows stay (nearly) the same? Which ones grow four times, which sixteen times?


# %%
def conventions(copies, layer="relu3_1"):
    """Convention -> its loss of the photo against the painting, (1, 3, 256 · copies, 384 · copies) both."""
    both = samples.content("coffee"), samples.style("stained_glass", 256)
    x, other = (resize(each, (256, 384), "box").repeat(1, 1, copies, copies) for each in both)
    F, P = (encoder(each, layer)[layer] for each in (x, other))  # (1, N, H, W)
    A, raw = losses.mean_gram(P), (losses.gram_matrix(F) - losses.gram_matrix(P)).square()
    content = {"course |F-P|²/|P|²": losses.content_loss(F, P), "Gatys ½ Σ(F-P)²": losses.gatys_content_loss(F, P)}
    content |= {"Johnson Σ(F-P)²/CHW": losses.johnson_content_loss(F, P)}
    style = {"course |G-A|²/|A|²": losses.style_loss(F, A), "Gatys Σ(G-A)²/4N²M²": losses.gatys_style_loss(F, A)}
    style |= {"Johnson Σ(G-A)²/(CHW)²": losses.johnson_style_loss(F, A), "undivided Σ(G-A)²": raw.sum()}
    style |= {"mean of (G-A)²/(CHW)²": (raw / F[0].numel() ** 2).mean()}
    tv = {"course V²/CHW": losses.tv_loss(x), "sum V²": losses.total_variation(x), "sum of |Δ|": losses.tv_l1(x)}
    return {"content": content, "style": style, "TV": tv}


# %%
at_256, at_512 = conventions(1), conventions(2)
print(f"{'times the course’s number':36}{'256 px':>12}{'512 px':>12}{'grows by':>12}")
for kind, rows in at_256.items():
    own, own_large = next(iter(rows.values())), next(iter(at_512[kind].values()))
    for name, value in rows.items():
        factor, larger = value / own, at_512[kind][name] / own_large
        print(f"{kind:8}{name:28}{factor:12.4g}{larger:12.4g}{larger / factor:12.1f}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# To move a weight *to* the course, multiply it by the number in the table. Where the last column says 1.0, it can be used at any size. Sums over positions grow four times with
# twice the side, and undivided Gram matrices sixteen times: there the same weight means something else at each size. (A little is added at the borders of the copies.)
#
# Look at the paper's own pair. Its content loss is a sum over positions, its style loss is divided by them. So with the paper's formulas, the same α/β at a larger size
# gives *more content*. If your large pictures come out less painted than your small ones, look here first. And the ratios in papers say little without the code that goes with them.
#
# Not every row is only a factor: the sum of |Δ| is another function than V². The other factors depend on the photo or the painting, and stay the same while we paint. This one depends on the picture that is being made, so it changes with every step.
# </details>
#
# ## 11 · Optional: keep the colours
#
# *What if I want the stained glass, but not its green and pink?*
#
# Two ways, after Gatys and others (arXiv 1606.05897):
#
# - **Brightness only**: transfer as usual, then take the brightness of the pastiche and the colours of the photo. (The paper has only the two brightnesses from the start.)
# - **Recolour the style first**: give the painting the colours of the photo, and paint with that. Either by a **linear** map of (red, green, blue) that gives it the photo's mean
#   and covariance, as in the paper; or, the older way, channel by channel, so that each has the same **histogram**.
#
# **Predict, then run.** In which of the three can a colour of the photo turn up at another place? Which keeps each colour exactly where it was?

# %%
cup, glass = samples.content("coffee", 160), samples.style("stained_glass", 160)
recoloured = {"linear": match_colour(glass, cup), "histogram": match_histogram(glass, cup)}
painted = {f"style recoloured: {name}": paint(cup, style) for name, style in recoloured.items()}
plain = paint(cup, glass)
grid([cup, glass, *recoloured.values()], ["the photo", "the painting", *recoloured], columns=4, even=True)
results = {"as it comes": plain, "brightness only": keep_colours(plain, cup), **painted}
grid([*results.values()], [*results], columns=2)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Brightness only keeps each colour at its place: the black lines and the relief of the glass are there, and below them the photo's colours, unchanged. With a recoloured style
# the pieces have colours of their own, taken from the photo's palette, and may carry them to other places. The linear map treats red, green and blue together, and gives
# browns and reds that belong to the photo. Matching each channel's histogram treats them as independent, so mixtures appear that the photo does not have: here pink and
# lemon yellow.
# </details>
#
# ## 12 · Optional: a photo as style
#
# *If style can be a painting, can it be the evening?*
#
# The paper tries it: London by day in the style of New York by night. It starts from the photo and uses α/β = $10^{-2}$: 2 to 20 times less style than for its
# paintings. We take a temple by day and a launch site at dusk, and a tenth of our usual style.
#
# **Predict, then run.** The strokes of a painting were welcome everywhere. What will become of a plain sky, and of straight lines?

# %%
dusk = resize(samples.content("rocket"), 160)  # (1, 3, 160, 240)
evening = paint(day, dusk, steps=60, style_weight=gatys.STYLE_WEIGHT / 10)
roofs = (..., slice(10, 90), slice(20, 140))  # rows and columns
titles = ["content: by day", "style: at dusk", "pastiche, β/α = 3", "its roofs, enlarged"]
grid([day, dusk, evening, evening[roofs]], titles, columns=2)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Even a tenth of the style is too much for a photo: the sky stays pale, and the blue of the evening lies on the temple and the trees. Look at the enlarged part: edges double, lines waver, and colours
# run over edges. The Gram matrix does not know *where* the style was sky and where it was ground. And nothing in the loss says that a straight edge must stay
# straight, or that a photo should stay a photo.
#
# **This failure is where lesson 07 begins**: it adds a term that keeps the picture a photo, and compares sky with sky and ground with ground.
# </details>
#
# ## 13 · Optional: the limits
#
# **Time.** Each picture is an optimisation of its own, and nothing is learnt for the next one. How long does one step take on your machine, and how does it grow with size?

# %% tags=["nbval-ignore-output"]
for side in (64, 128, 256):
    content, style = resize(photo, (side, side), "box"), resize(painting, (side, side), "box")
    steps = gatys.stylize(content, style, encoder=encoder, steps=4, levels=1)
    next(steps)
    each = min(seconds(next, steps) for _ in range(3))
    print(f"{side} × {side}: {each * 1e3:5.0f} ms a step, {each * 300:5.0f} s for 300 steps")

# %% [markdown]
# Twice the side means four times the pixels. The time grows by less, since a part of each step costs the same at any size; for large pictures it comes near to four times. The paper needed up to an hour for 512 × 512 on the graphics card of its day. VGG-19 takes more than ten times as long as our encoder.
# This is why lesson 03 trains a network that paints in one pass.
#
# **Noise.** Look closely at a pastiche that is made without total variation: there is fine noise that neither picture has. Paintings hide it, photos do not. Total variation (lesson 01) tames it.
#
# **Predict, then run.** What do we lose along with the noise?

# %%
rough, calmer = (paint(day, painting, steps=60, tv_weight=weight) for weight in (0.0, 100.0))
grid([image[roofs] for image in (day, rough, calmer)], ["the photo", "without total variation", "with it, weight 100"])
for name, image in (("photo", day), ("pastiche", rough), ("with TV", calmer)):
    print(f"{name:10} total variation {losses.tv_loss(image):.4f}")

# %% [markdown]
# <details><summary>What you should see</summary>
#
# There is less noise, and the strokes are less sharp. Total variation cannot tell noise from fine texture: both are differences between neighbours.
# </details>
#
# **What is style?** The deepest limit is not technical. There is no definition of where content ends and style begins. We used what a network happens to separate. It works surprisingly often, and
# where it does not, no formula says what would be right. Is the Gram matrix the best description? Lessons 05 and 06 try others.
#
# ## Differs from the paper
#
# - **The encoder.** The paper uses VGG-19. Ours has the same layers at about a quarter of the width, is more than ten times faster and ships with the course. It tells fewer structures apart, so textures are simpler.
#   With a network connection `encoder = Encoder("vgg19")` at the top runs this whole lesson on VGG-19 (it takes an hour, or a graphics card).
# - **Sizes.** 128 to 240 pixels instead of 512, and 50 to 160 steps instead of 500 and more: less detail, same behaviour.
# - **The start** is mostly the content, because a few dozen steps must be enough. The paper starts from noise.
# - **The losses** are divided by the size of their target (section 10). `normalisation="paper"` gives the paper's.
# - **Pixels stay in [0, 1]** in each step. The paper does not limit them during the search.
# - **Pooling and scaling.** The paper pools by the mean and rescales VGG's channels to a mean activation of 1. Public code mostly does neither, so weights do not carry over even between two programs that use VGG-19.
#   The course's losses are unchanged by a factor that a whole layer has in common. But within a layer channels with large activations count more than others, in any loss.
#
# ## Summary
#
# - Content is compared as activations in one deep layer, style as Gram matrices in several layers.
# - $G = FF^\top$ sums over positions: it keeps what occurs together and forgets where.
# - Minimising the style loss alone makes textures. Adding the content loss makes a pastiche. The pixels are what is learnt.
# - β/α says how much style. The layers say how large its pieces are. The content layer says how freely it may draw.
# - Weights only mean something together with their divisors.
#
# **Common misconceptions**
#
# - *"The network is trained on the painting."* Nothing is trained. The network is frozen; it only computes activations.
# - *"The Gram matrix stores the texture."* It stores how strongly pairs of features occur together. Very different pictures can have the same one.
# - *"The Gram matrix is the variance of red, green and blue."* It is not made of colours but of a layer's channels, dozens to hundreds of them, each of which is a filtered picture. And it is no covariance: the mean is not
#   subtracted, so it also says how strong each channel is. Its diagonal holds $\sum_k F_{ik}^2$.
# - *"The Gram matrix is very local"*, or *"it keeps where things are."* It keeps no place at all: section 2 shuffled all positions, and nothing changed. What is local is the *layer*: an activation depends on the
#   pixels around it, on a few in `relu1_1` and on many in `relu5_1`. So the matrix describes small patches, and counts them wherever they are.
# - *"Loss 0 would be the perfect pastiche."* Content and style contradict each other. The best picture has some of both losses.
# - *"The temple is there because of the content loss."* Started from the photo it would be there without any. Start from noise to see what the loss does (section 7).
#
# **To read**: Gatys, Ecker and Bethge, *Texture Synthesis Using Convolutional Neural Networks*, NIPS 2015 (section 4 of this lesson); the CVPR 2016 paper itself; Gatys, Bethge, Hertzmann and Shechtman, *Preserving Color in
# Neural Artistic Style Transfer*, 2016; Li, Wang, Liu and Hou, *Demystifying Neural Style Transfer*, IJCAI 2017, on why Gram matrices work.
#
# **Next**: the method takes any style, but each picture needs a search of its own: seconds here, minutes at the size and with the network of the paper. [Lesson 03](03_johnson.ipynb) trains a network once for one style, and then paints in a fraction of a second.

# %% [markdown] tags=["solution"]
# ## For teachers
#
# **Timings** (100 minutes): section 1 with exercise 1, 12 minutes · section 2 with exercise 2, 18 · section 3 with exercise 3, 12 · section 4, 6 · section 5 with exercise 4, 14 · section 6 with exercise 5 and your own pastiche, 18 · sections 7 to 9, 9 · the lab, 5 ·
# one of the optional sections, 6. Sections 10 to 13 do not build on each other: let each group take one and report, or leave all of them for home. Short of time: stop after section 6 and do the lab.
#
# **Show.** Section 2 with two people on stage: one calls out a colour, the other a kind of stroke, and the class claps when both are in the same place. The number of claps is an entry of the Gram matrix; nobody has noted where. Then section 4: let them guess what is
# missing in each texture before you show the next one. End section 6 with a learner's own pastiche on the projector, and section 7 with the question why it starts from noise.
#
# **Expected results.** By hand and by PyTorch the gradients agree to the last digits. The halves of a painting find each other. L-BFGS is lowest after 80 steps. Speeds in section 2 and times in section 13 depend on the machine: what holds
# is that the product is much faster than the loops, and that four times the pixels take two to four times as long.
#
# | Section | Printed, or above a picture | Expect |
# | --- | --- | --- |
# | 1 | `gradient 0 in` | 40 to 55 % |
# | 2 | `shuffled alike: the Gram matrix stays the same` | as it stands |
# | 3 | `marbling L 0.00` | 0.03 to 0.1 |
# | 6 | `relu1_1: shuffling …, ratio` | 0.1 to 0.2 |
# | 8 | `between the two seeds:` | 10 to 16 dB |
# | 9 | `L-BFGS:` | 0.4 to 0.65 |
# | 9 | `plain gradient descent:` | 0.8 to 2 |
# | 13 | `with TV total variation` | 0.015 to 0.025 |
#
# **Where they get stuck.** In exercise 2 `features.flatten(1)` or `reshape(B * C, -1)` mixes channels or the pictures of a batch; with one picture nobody notices. In exercise 3 both matrices are divided by the same number of positions although
# the pictures have different sizes, or the result is divided by $M^2$ once more. In exercise 4 the new picture still hangs on the old graph, and memory grows from step to step. The checks name these. In exercise 5 some put all weight on one layer: that passes; let them
# look at the picture it gives.
#
# **Questions for a discussion.**
#
# - *Does the Gram matrix know that the moon is round?* A little: an arc that one activation can see is a pattern of channels. A moon larger than that falls into pieces, as in section 4.
# - *Two pictures have the same Gram matrices. Are they the same picture?* No. Any reordering of positions, the same in all channels, keeps the matrix (section 2).
# - *Why not compare content with Gram matrices, too?* They forget where. Parts of the temple could be anywhere.
# - *A repository recommends a style weight of a million. What do you do?* Ask what it divides by, at which size, in which layers. Section 10 has the factors. The number alone says nothing.
# - *What would you have to measure to say that one method is better?* Content, style, time, and people's opinion, on the same pairs. Lesson 10 does it.
