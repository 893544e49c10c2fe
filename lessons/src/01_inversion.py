# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 · What does a layer remember?
#
# Show a network a picture. Throw the picture away and keep only the numbers in one of its layers. Now try to get the
# picture back. What comes back is what the layer remembers. What is missing, it has forgotten.
#
# This is called **feature inversion**. Style transfer works in the same way: we change the pixels of a picture until
# its activations are the ones that we want.
#
# **After this lesson you can …**
#
# - read the layers of a network as different descriptions of one picture,
# - write the loss of feature inversion, and find the picture by going downhill,
# - say what total variation does, and what its exponent β changes,
# - show with random seeds what a layer has forgotten,
# - find a picture with your own loss.
#
# **Builds on** [lesson 00](00_welcome.ipynb) · **about 55 minutes** · **paper**: A. Mahendran and A. Vedaldi,
# *Understanding Deep Image Representations by Inverting Them*, CVPR 2015 ([arXiv
# 1412.0035](https://arxiv.org/abs/1412.0035))

# %%
# %config InlineBackend.figure_formats = ['jpeg']
import torch

from stylelearn import inversion, losses, samples
from stylelearn.checks import inversion as check
from stylelearn.checks import yours
from stylelearn.encoders import MEAN, STD, STYLE_LAYERS, Encoder
from stylelearn.figures import grid, plot_curves, show
from stylelearn.images import psnr, resize
from stylelearn.lab import InversionLab
from stylelearn.optimize import optimize_image, result

encoder = Encoder("mini")
photo = resize(samples.content("chelsea"), (128, 192), fit="box")  # (1, 3, 128, 192)

# %% [markdown]
# This is the goal: the same photo rebuilt from five layers, each deeper than the one before.


# %%
def noise(seed=0, strength=0.1):
    """Grey noise in the photo's shape, (1, 3, 128, 192): where every search begins."""
    return 0.5 + strength * torch.randn(photo.shape, generator=torch.Generator().manual_seed(seed))


def invert(layer, steps=200, seed=0, **weights):
    """The picture found from what one layer says about the photo."""
    objective = inversion.objective(photo, layer, encoder=encoder, **weights)
    return result(optimize_image(noise(seed), objective, steps))


rebuilt = {layer: invert(layer, tv_weight=2.0) for layer in STYLE_LAYERS}
titles = ["the photo"] + [f"{layer}: {psnr(found, photo):.0f} dB" for layer, found in rebuilt.items()]
grid([photo, *rebuilt.values()], titles, columns=3)

# %% [markdown]
# The number above each picture is its **PSNR** in decibels: how close its pixels are to the photo's. Above 30 dB two
# pictures are hard to tell apart. Ten decibels less mean ten times the squared error.
#
# ## 1 · A network is a stack of descriptions
#
# *What are the numbers in a layer?*
#
# We call a network that looks at pictures an **encoder**. It turns a picture into **activations**, layer by layer.
# Layer $l$ has several **channels**. Each channel is a small map. It says, for each place of the picture, how strongly
# one pattern was found there: an edge, a colour, a bit of fur. Between blocks of layers the maps are halved in size. So
# deeper layers look at larger parts of the picture, and keep less track of *where*.
#
# The names come from VGG, a well-known network. `relu3_1` is block 3, first convolution, after the ReLU. (A **ReLU**
# sets negative numbers to zero.)

# %% tags=["nbval-check-output"]
features = encoder(photo, layers=STYLE_LAYERS)
for layer, activations in features.items():
    _, channels, height, width = activations.shape  # (1, C, H, W)
    print(f"{layer}: {channels:4} channels of {height:3} x {width:3} = {activations.numel():8,} numbers")
print(f"the photo itself: 3 channels of {photo.shape[2]} x {photo.shape[3]} = {photo.numel():7,} numbers")

# %% [markdown]
# The first layer holds several times as many numbers as the photo, the last one far fewer. Something must get lost.
#
# ### What happens inside an encoder
#
# Two steps that code for style transfer rarely explains. First, the network was trained on pictures whose colours were
# **normalised**: from each colour channel the mean over all pictures of ImageNet is subtracted, and the result is
# divided by their standard deviation. A picture with values from 0 to 1 must go through the same step. In the course
# `Encoder` does it. Second, the layers are applied one after the other, and those that we ask for are kept.

# %% tags=["nbval-check-output"]
mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (MEAN, STD))
print("ImageNet's red, green, blue: mean", MEAN, "standard deviation", STD)
conv1_1 = next(part for part in encoder.modules() if isinstance(part, torch.nn.Conv2d))  # the first convolution
by_hand = conv1_1((photo - mean) / std).relu()  # (1, C, 128, 192)
print("the same as the encoder's relu1_1:", torch.allclose(by_hand, features["relu1_1"], atol=1e-4))

# %% [markdown]
# <details><summary>The same with torchvision's VGG-19, as most public code has it (downloads 550 MB)</summary>
#
# torchvision numbers the layers. Two ways to get activations out: cut the network (a slice), or ask for a copy of what
# passes by (a hook).
#
# ```python
# from torchvision.models import VGG19_Weights, vgg19
#
# vgg = vgg19(weights=VGG19_Weights.DEFAULT).features.eval().requires_grad_(False)
# x = (photo - mean) / std
#
# relu4_1 = vgg[:21](x)  # a slice: layers 0 to 20
#
# numbers = {"relu1_1": 1, "relu2_1": 6, "relu3_1": 11, "relu4_1": 20, "relu4_2": 22, "relu5_1": 29}
# found = {}
# for name, number in numbers.items():  # hooks: one pass fills `found`
#     vgg[number].register_forward_hook(lambda part, given, out, name=name: found.update({name: out}))
# vgg(x)
# ```
#
# Three traps. Without the normalisation the activations are wrong, and nothing warns you. torchvision's ReLUs work *in
# place*: what you keep of a *convolution* (layer 21, say) is overwritten by the ReLU behind it. And VGG-19 pools by the
# maximum; Gatys and others replaced that by the mean (`torch.nn.AvgPool2d(2)`).
# </details>
#
# **Predict, then run.** The next cell shows the four channels of `relu1_1`, and then of `relu4_1`, that vary most. In
# which of the two will you recognise the cat more easily?


# %%
def liveliest(layer, count=4):
    """The channels that vary most, as grey pictures (count, 3, H, W) scaled to [0, 1]."""
    maps = features[layer][0]  # (C, H, W)
    chosen = maps.flatten(1).std(dim=1).argsort(descending=True)[:count]
    maps = maps[chosen] / maps[chosen].amax(dim=(1, 2), keepdim=True)  # (count, H, W)
    return maps[:, None].expand(-1, 3, -1, -1)  # grey: three equal channels


for layer in ("relu1_1", "relu4_1"):
    grid(liveliest(layer), [f"{layer}, channel {i + 1}" for i in range(4)], columns=4)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# In `relu1_1` the cat is easy to see: these four channels show edges. In `relu4_1` one pixel of the map stands for a
# whole patch of the photo, and is bright where the patch holds a certain pattern. The cat is harder to see. Does that
# mean that the layer has forgotten her?
# </details>
#
# ## 2 · Search for a picture with the same activations
#
# *Can we go back from the numbers to the picture?*
#
# A layer cannot simply be run backwards: the ReLU has thrown numbers away, and of four neighbours only the largest was
# kept. So we search. Let $\Phi$ be the network up to one layer, and $\Phi_0 = \Phi(x_0)$ the activations of the photo $x_0$. We look for
# the picture
#
# $$x^* = \operatorname*{argmin}_x \; \frac{\|\Phi(x) - \Phi_0\|^2}{\|\Phi_0\|^2} + \lambda \, \mathcal R(x)$$
#
# which reads: the $x$ that makes this sum smallest. The first term asks for the same activations. Dividing by
# $\|\Phi_0\|^2$ makes it a share: 0 is a perfect match, and a picture with no activations at all would score 1. The
# second term is called a **regulariser**. It prefers natural pictures, with the weight $\lambda$. We come to it in
# section 4. Here λ is 0. (The five cats above had λ = 2.)
#
# ### Exercise 1 — the loss
# *difficulty ●○○ · importance ●●● · 5 minutes*
#
# Write $\|\Phi - \Phi_0\|^2 / \|\Phi_0\|^2$ for two tensors of the same shape.


# %% tags=["exercise"]
def feature_loss(features, target):
    """‖features − target‖² / ‖target‖², a scalar tensor. Both are (1, C, H, W)."""
    raise NotImplementedError


check.feature_loss(feature_loss)


# %% tags=["solution"]
def feature_loss(features, target):
    """‖features − target‖² / ‖target‖², a scalar tensor. Both are (1, C, H, W)."""
    return (features - target).square().sum() / target.square().sum()


check.feature_loss(feature_loss)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# ‖a‖² is the sum of the squares of all entries: `a.square().sum()`.
# </details>
# <details><summary>Hint 2</summary>
#
# Which of the two tensors is $\Phi_0$, the one that stays the same during the search? That one goes below the line.
# </details>
#
# ### Downhill
#
# Going downhill is the same for every method of this course. `optimize_image` moves the pixels a little and returns
# after each step, so that we can watch.
#
# **Predict, then run.** We start from grey noise and ask for the activations of `relu3_1`. What will come first: the
# large shapes, the fine hairs, or the colours?

# %%
objective = inversion.objective(photo, "relu3_1", encoder=encoder)  # x -> {"features relu3_1": loss}
seen, curve = {}, []
for step in optimize_image(noise(), objective, steps=200):
    curve.append(step.loss)
    if step.number in (1, 5, 40, 200):
        seen[f"step {step.number}: loss {step.loss:.3f}"] = step.image
grid([*seen.values()], [*seen], columns=4)
plot_curves({"relu3_1": curve}, title="Downhill from noise")

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The edges come first: after 40 steps the face is there, with many of its hairs, but in grey. The colours come last. The layer holds them, but they
# weigh little in the loss. (The scale of the plot is logarithmic: equal distances are equal factors.) Some coloured
# speckle is left although the loss is small: the layer hardly sees it. We come back to this in section 4.
# </details>
#
# ## 3 · Deeper layers forget more
#
# *Where on the way through the network is the picture lost?*
#
# **Predict, then run.** We invert the first two layers of each block, with the settings of the five cats. Will the PSNR
# fall more within a block, or from one block to the next?

# %%
layers = ["relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu4_1", "relu4_2", "relu5_1"]
rebuilt |= {layer: invert(layer, tv_weight=2.0) for layer in layers if layer not in rebuilt}
quality = [psnr(rebuilt[layer], photo) for layer in layers]
plot_curves({"mini": quality}, at=layers, x="layer", y="PSNR in dB", title="What comes back", log=False)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Within a block less is lost than from block to block, mostly, most of all before `relu3_1`. Two things throw numbers
# away there: the pooling between two blocks keeps one of four, and ReLUs set others to zero. (Blocks 3 and 4 have two more
# layers each, which we left out.) After that the PSNR falls more slowly.
#
# Is all of this forgotten, or was some of it only badly found? Look at `relu3_2`: it sees nothing but what `relu3_1`
# gives it, and still a little more comes back. So the search from `relu3_1` had not finished after 200 steps. Section 6
# tells forgotten and badly found apart.
# </details>
#
# A PSNR counts pixels. Does the layer count the same? We take two pictures that are not the photo: a blurred copy, and
# what we find for `relu5_1`, this time without any regulariser.
#
# **Predict, then run.** Which of the two is nearer to the photo in pixels? Which one in `relu5_1`?

# %%
layer = "relu5_1"
blurred = resize(resize(photo, (32, 48), fit="box"), (128, 192), fit="box")
pictures = {"blurred": blurred, f"from {layer}": invert(layer, steps=100)}
titles = [
    f"{name}\n{psnr(one, photo):.0f} dB, loss {losses.content_loss(encoder(one, layer)[layer], features[layer]):.2f}"
    for name, one in pictures.items()
]
grid([photo, *pictures.values()], ["the photo", *titles])

# %% [markdown]
# <details><summary>What it means</summary>
#
# To you, and by the PSNR, the blurred copy is much nearer to the photo than the other picture. For the layer it is the
# other way round: the loss of the strange picture is far smaller. So a small loss does not say "this is the photo". It
# says "this layer cannot tell it from the photo". Many pictures share the same activations, and the search has found
# one of them.
# </details>
#
# ## 4 · Total variation: which pictures look natural?
#
# *Among all the pictures that fit, which one do we want?*
#
# The strange picture is full of coloured speckle: neighbouring pixels differ strongly. Photos are not like that. **Total
# variation** measures it. It compares each pixel $x_{ij}$ (row $i$, column $j$) with its neighbours
# to the right and below:
#
# $$\mathcal R_{V^\beta}(x) = \sum_{i,j} \Big( (x_{i,j+1} - x_{ij})^2 + (x_{i+1,j} - x_{ij})^2 \Big)^{\beta/2}$$
#
# Differences beyond the last column and the last row count as zero. The exponent β decides how a difference is charged.
# Think of an edge that rises from 0 to 1. It can rise at once, or evenly over several pixels. What does each way cost?

# %%
pixels = range(1, 11)
cost = {f"β = {beta:g}": [n * (1 / n) ** beta for n in pixels] for beta in (1.0, 1.5, 2.0)}  # n steps of 1/n
plot_curves(cost, at=pixels, x="pixels for the edge to rise", y="cost", title="What an edge costs", log=False)

# %% [markdown]
# With β = 1 a sharp edge costs no more than a soft one. The result tends to flat patches with hard borders. With β = 2
# a soft edge is much cheaper, so edges are blurred. β = 1.5 lies between. The paper found single dots left with β = 1,
# called them *spikes*, and took β = 2 for its main results.
#
# ### Exercise 2 — total variation
# *difficulty ●●○ · importance ●●● · 10 minutes*
#
# Write $V^\beta$ for one picture, exactly as the formula says. Think of the last row and the last column. Think also of
# flat patches: for β < 2 the slope of $s^{\beta/2}$ at $s = 0$ is infinite, and the gradient becomes NaN. A tiny number such
# as 1e-8, added inside the big brackets, keeps it finite.


# %% tags=["exercise"]
def total_variation(x, beta):
    """V^β of x, a tensor (1, C, H, W): a scalar tensor, summed over all channels and places."""
    raise NotImplementedError


check.total_variation(total_variation)


# %% tags=["solution"]
def total_variation(x, beta):
    """V^β of x, a tensor (1, C, H, W): a scalar tensor, summed over all channels and places."""
    right = torch.zeros_like(x)
    down = torch.zeros_like(x)
    right[..., :, :-1] = x[..., :, 1:] - x[..., :, :-1]
    down[..., :-1, :] = x[..., 1:, :] - x[..., :-1, :]
    return ((right.square() + down.square() + 1e-8) ** (beta / 2)).sum()


check.total_variation(total_variation)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `x[..., :, 1:] - x[..., :, :-1]` gives the differences to the right, one column short. Put them into a tensor of zeros
# of the full size.
# </details>
# <details><summary>Hint 2</summary>
#
# First add the two squares at each place, then raise to the power β/2, then sum. The order matters.
# </details>
#
# **Predict, then run.** Below you see the cat's eye, enlarged, rebuilt four times from `relu3_1`: without a regulariser,
# and with each of the three β. Where do you expect speckle? Where hard borders? Where soft ones?

# %%
strengths = {1.0: 5.0, 1.5: 15.0, 2.0: 150.0}  # β -> λ
eye = (..., slice(28, 80), slice(52, 130))  # rows and columns
found = [invert("relu3_1", steps=150)]
found += [invert("relu3_1", steps=150, tv_weight=weight, beta=beta) for beta, weight in strengths.items()]
enlarged = [one[eye].repeat_interleave(5, dim=2).repeat_interleave(5, dim=3) for one in found]  # 5 x 5 for a pixel
titles = ["λ = 0"] + [f"β = {beta:g}, λ = {weight:g}" for beta, weight in strengths.items()]
grid(enlarged, titles, columns=2)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Without a regulariser the eye is full of coloured speckle. With β = 1 it is made of flat patches with hard borders, like
# cut paper. Some patches are only a pixel or two large: the paper's *spikes*. With β = 2 there are no patches, and the
# borders are soft, as in a photo out of focus. β = 1.5 lies between. All three λ are strong, so that you can see what β
# does. That costs colour, too: the brown of the fur is gone, and violet and green have come in.
#
# λ cannot be compared between the pictures, because β changes what it is multiplied with.
# </details>
#
# ## 5 · Keeping the values in range
#
# *Why does the paper have a second regulariser?*
#
# The search may also push pixels below black or above white, where no screen can show them. The paper adds
#
# $$\mathcal R_\alpha(x) = \|x\|_\alpha^\alpha = \sum |x|^\alpha \qquad \text{with } \alpha = 6,$$
#
# taken of the picture minus its middle grey, here ½. With the high exponent, values near the middle cost next to
# nothing, values far out very much.
#
# Our `optimize_image` has a hard limit instead: it clips every pixel to [0, 1] after each step. Here we switch that
# off. And we start from strong noise, with about a fifth of all values outside.
#
# **Predict, then run.** Will the layer alone bring the values back into the range? What will the regulariser add?

# %%
for weight in (0.0, 1.0, 10.0):
    objective = inversion.objective(photo, "relu4_1", encoder=encoder, alpha_weight=weight)
    *_, last = optimize_image(noise(strength=0.4), objective, steps=40, bounded=False)
    x = last.best  # (1, 3, 128, 192), free to leave [0, 1]
    outside = ((x < 0) | (x > 1)).float().mean().item()
    print(f"λ_α = {weight:4}: values from {x.amin():5.2f} to {x.amax():5.2f}, {outside:6.2%} outside [0, 1]")

# %% [markdown]
# <details><summary>What it means</summary>
#
# The layer brings about half of them back: a value far outside would change its activations. The others stay outside,
# where the layer hardly depends on them. The larger λ_α is, the fewer they are, and the less far out. But a penalty forbids
# nothing. Clipping does, and it needs no weight. That is why the rest of the course clips.
# </details>
#
# ## 6 · Seeds show what was forgotten
#
# *How do we know that something was forgotten, and not just badly found?*
#
# We start the search several times, each time from other noise. What the layer knows will come out the same each time.
# What it has forgotten is left as the noise happened to be.
#
# ### Exercise 3 — where do the answers disagree?
# *difficulty ●●○ · importance ●●○ · 10 minutes*
#
# You have K reconstructions in one tensor (K, 3, H, W). Compute at each place how much they disagree: the standard
# deviation over the K pictures (divided by K, not by K − 1), averaged over the three colours.


# %% tags=["exercise"]
def disagreement(pictures):
    """(K, 3, H, W) -> (H, W): standard deviation over the K pictures, averaged over colours."""
    raise NotImplementedError


check.disagreement(disagreement)


# %% tags=["solution"]
def disagreement(pictures):
    """(K, 3, H, W) -> (H, W): standard deviation over the K pictures, averaged over colours."""
    return pictures.std(dim=0, correction=0).mean(dim=0)


check.disagreement(disagreement)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `pictures.std(dim=…, correction=0)`: along which dimension do the pictures lie?
# </details>
# <details><summary>Hint 2</summary>
#
# After the standard deviation the shape is (3, H, W). One more mean makes it (H, W).
# </details>
#
# **Predict, then run.** Three seeds for `relu2_1`, three for `relu5_1`. The last picture of each row is bright where
# they disagree: white is a deviation of 0.1 or more. Which of the two will be brighter? And which of the searches will
# reach a small loss?

# %%
pictures, titles = [], []
for layer in ("relu2_1", "relu5_1"):
    others = [invert(layer, seed=seed, tv_weight=2.0) for seed in (1, 2)]
    several = torch.cat([rebuilt[layer], *others])  # (3, 3, H, W)
    for seed, found in enumerate(several.split(1)):  # (1, 3, H, W) each
        loss = losses.content_loss(encoder(found, layer)[layer], features[layer]).item()
        titles.append(f"{layer}, seed {seed}\nloss {loss:.3f}")
    spread = several.std(dim=0, correction=0).mean(dim=0)  # (H, W)
    pictures += [*several.split(1), (spread / 0.1).clamp(0, 1).expand(1, 3, -1, -1)]
    titles.append(f"disagreement\nmean {spread.mean():.3f}")
grid(pictures, titles, columns=4)

# %% [markdown]
# <details><summary>What it means</summary>
#
# All six searches did well: each loss is a small part of 1. For `relu2_1` the three pictures agree nearly everywhere, and
# the map is dark. That layer leaves little freedom. For `relu5_1` there are three answers, all good, and they differ: in
# each the lines around the eyes, the nose and the mouth run another way. So this was mostly not badly found: it is forgotten. (A
# trial with twice as many steps: `relu3_1` came nearly four decibels nearer to the photo, `relu5_1` one.) Large shapes
# stay in their places. Fine structure is left to chance, and where the layer says little about colour, the grey of the
# start is left.
#
# Style transfer uses this freedom: a photo *and* a painting of the same scene can give a deep layer nearly the same
# activations.
# </details>
#
# ## 7 · The lab
#
# - **Layer**: what is kept of the picture. Compare `relu1_1` with `relu5_1`.
# - **Smoothness λ** and **exponent β**: the total variation of section 4. On the left end it is off.
# - **Steps** and **seed**: how long the search goes, and from which noise it starts.
#
# Choose, then press *Start*, and watch. *Stop* keeps what is there, and *Continue* goes on from it.

# %% tags=["nbval-ignore-output"]
lab = InversionLab(content="chelsea", layer="relu4_1", tv_weight=2.0, size=160, first_steps=150)
lab

# %% [markdown]
# **Try this.** Take `relu4_1` with β = 1, and find the λ that gives the highest PSNR. Is that the picture which you
# like best? Then upload a picture with writing in it. Up to which layer can you read it?
#
# ### Exercise 4 — which layer was it?
# *difficulty ●●○ · importance ●●○ · 5 minutes*
#
# The next cell inverts a layer that it does not name. Look at the picture, use what you have learnt, and choose one of
# `relu1_1`, `relu2_1`, `relu3_1`, `relu4_1`, `relu5_1`.

# %%
cup = samples.content("coffee", size=128)  # (1, 3, 128, 192)
objective = inversion.objective(cup, check.mystery_layer(), encoder=encoder, tv_weight=2.0)
show(result(optimize_image(noise(), objective, steps=200)), "From which layer was this cup rebuilt?", width=384)

# %% tags=["exercise"]
my_guess = ...
check.which_layer(my_guess)

# %% tags=["solution"]
my_guess = "relu4_1"
check.which_layer(my_guess)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Go back to the five cats at the beginning. They were made with the same λ and the same number of steps. Compare the
# colours, the fine structure, and how much of the shapes is left.
# </details>
# <details><summary>Hint 2</summary>
#
# Rebuild the cup yourself: `InversionLab(content="coffee", size=128, tv_weight=2.0, steps=200)` in a new cell, once for
# each layer.
# </details>
#
# ## 8 · Your code finds the picture
#
# Now the whole method runs on what you wrote: your loss and your total variation are the objective, and your
# disagreement compares two seeds. `yours` takes a function of yours if it passes its check. Otherwise it takes the
# course's in its place, and says so.

# %%
my_loss = yours(feature_loss, check.feature_loss, losses.content_loss)
my_variation = yours(total_variation, check.total_variation, losses.total_variation)
my_spread = yours(disagreement, check.disagreement, lambda pictures: pictures.std(dim=0, correction=0).mean(dim=0))


def my_objective(x):
    """Section 2's sum for `relu3_1` with λ = 2; the total variation is divided by the number of values."""
    feature_term = my_loss(encoder(x, "relu3_1")["relu3_1"], features["relu3_1"])
    return {"features": feature_term, "tv": 2.0 * my_variation(x, 2.0) / x.numel()}


# %%
found = [result(optimize_image(noise(seed), my_objective, steps=150)) for seed in (1, 2)]  # (1, 3, 128, 192) each
spread = (my_spread(torch.cat(found)) / 0.1).clamp(0, 1).expand(1, 3, -1, -1)
pictures = [*found, spread, invert("relu3_1", steps=150, seed=1, tv_weight=2.0)]
titles = [f"{name}: {psnr(one, photo):.1f} dB" for name, one in zip(("seed 1", "seed 2"), found, strict=True)]
grid(pictures, [*titles, "their disagreement", f"the course's code: {psnr(pictures[-1], photo):.1f} dB"], columns=4)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The first and the last picture agree: they are the same search, by your code and by the course's. The two seeds agree
# in the shapes. They differ in fine lines, most of all in the dark stripes of the forehead, around the right eye and at the mouth:
# there 150 steps have not yet settled where light and dark belong. Change the layer, λ or β in your objective, and
# search again.
# </details>
#
# ## Differs from the paper
#
# - **The network** is the course's own small one, not the paper's. It has VGG-19's layers and fewer channels. With a
#   network connection `Encoder("vgg19")` shows the same on VGG-19, many times slower.
# - **λ** has another unit. Our regularisers are divided by the number of values, so that λ means the same at every
#   size.
# - **The search** uses L-BFGS, which estimates the curvature and needs fewer steps; the paper uses gradient descent
#   with momentum. Pixels are clipped to [0, 1].
#
# ## Summary
#
# - A layer is a description of a picture. Inverting it shows what the description contains.
# - Early layers keep pixels. Deep layers keep what is there, and roughly where.
# - The first term asks for equal activations. The regulariser chooses among all the pictures that have them.
# - β = 1 allows sharp edges, and flat patches. β = 2 smooths.
# - Before a picture enters the network, its colours are normalised with ImageNet's mean and standard deviation.
#
# **Common misconceptions**
#
# - *"A loss of zero means that I have the photo back."* Only if no other picture has these activations. In deep layers
#   many have.
# - *"Deep layers are worse."* They describe something else: what does not change when colours and textures change.
# - *"Noise in the result means that the search has failed."* Often the layer simply does not see that noise.
#
# **To read**: Mahendran and Vedaldi (above); Dosovitskiy and Brox, *Inverting Visual Representations with Convolutional
# Networks*, CVPR 2016 ([arXiv 1506.02753](https://arxiv.org/abs/1506.02753)), who train a network to do the inversion
# in one go; Olah, Mordvintsev and Schubert, [*Feature Visualization*](https://distill.pub/2017/feature-visualization/),
# Distill 2017.
#
# **Next**: deep layers leave colour and texture free. In [lesson 02](02_gatys.ipynb) we use that freedom. We keep the
# content of one picture, and ask for the texture of another.

# %% [markdown] tags=["solution"]
# ## For teachers
#
# **Timings** (55 minutes): section 1, 7 minutes · section 2 with exercise 1, 10 · section 3, 8 · section 4 with exercise 2, 12 · sections 5 and 6 with exercise 3, 10 · the lab with exercise 4 and your own code, 8. Short of time: leave out section 5.
#
# **Show.** The five cats at the beginning, and ask which of them would do as a passport photo. Then the second experiment of section 3 (blurred, or found for `relu5_1`): it is the one picture of this lesson that changes how people think about losses. In section 8, change λ in a learner's own objective and let the class predict the picture.
#
# **Expected results.** The quality falls from layer to layer; the middle layers differ by a few decibels from machine to machine, since a search of 200 steps is not finished. In section 6 the map of `relu2_1` is darker than that of `relu5_1`. In section 8 a learner's own code and the course's find the same picture.
#
# | Section | Printed, or above a picture | Expect |
# | --- | --- | --- |
# | beginning | `relu1_1:` | 42 to 55 dB |
# | beginning | `relu3_1:` | 19 to 25 dB |
# | beginning | `relu5_1:` | 14 to 18 dB |
# | 1 | `relu5_1: 99 channels of 8 x 12 =` | 9504, exactly |
# | 3 | `blurred … dB, loss` | 0.2 to 0.3 |
# | 3 | `from relu5_1 … dB, loss` | 0 to 0.1 |
# | 5 | `λ_α = 10.0: values from` | -0.4 to -0.05 |
# | 6 | `disagreement mean` | 0 to 0.01 |
#
# **Where they get stuck.** In exercise 1 the roles are exchanged (the search's own activations below the line), or the sum is divided by the number of entries instead of ‖Φ₀‖². In exercise 2 the last row is compared with the first (`torch.roll`), the two
# squares are raised to β/2 one by one, or the tiny number is added too late and the gradient is NaN. In exercise 3 the deviation is taken over colours instead of pictures, or divided by K − 1. The checks name these.
#
# **Questions for a discussion.**
#
# - *Is a picture with loss 0 the photo?* Only if the layer tells it from all others. Section 3 shows one that has a small loss and is no photo of a cat; section 6 shows three that are all good and all different.
# - *Why do deep layers forget colour before shape?* They were trained to recognise things, and things keep their names in other colours. What helps to tell classes apart is kept.
# - *Which of the two regularisers would you keep?* With pixels clipped to [0, 1] the second one has nothing to do. Total variation still has: it chooses among the pictures that the layer cannot tell apart.
# - *Would more steps have brought the cat back from `relu5_1`?* Hardly. With 400 steps in place of 200 the loss falls by half or more in both layers; `relu3_1` comes nearly four decibels nearer to the photo, `relu5_1` one. What the layer has dropped, no search can find.
