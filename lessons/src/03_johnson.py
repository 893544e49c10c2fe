# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 · Learn once, paint in one go
#
# In lesson 02 each picture was an optimisation of its own: hundreds of steps, and nothing learnt for the next one. Justin Johnson, Alexandre Alahi and Fei-Fei Li asked: could a network
# *learn* what these hundreds of steps do? It can, if it has only one style to learn. Dmitry Ulyanov and others had the same idea in the same months. Today it is how a phone paints a video live.
#
# **After this lesson you can …**
#
# - say what is trained here, with which loss, and why nobody has to paint a single example,
# - build the network, and work out how much of the photo one pixel of the pastiche can see,
# - explain where checkerboards come from, and avoid them,
# - explain why instance normalisation suits this task better than batch normalisation,
# - train a small network yourself, within a minute, and compare a trained one with lesson 02.
#
# **Builds on** [lesson 02](02_gatys.ipynb) · **about 100 minutes**, with the exercises · **papers**: J. Johnson, A. Alahi and L. Fei-Fei, *Perceptual Losses for Real-Time Style Transfer and
# Super-Resolution*, ECCV 2016 ([arXiv 1603.08155](https://arxiv.org/abs/1603.08155)), whose equation numbers we use; D. Ulyanov, A. Vedaldi and V. Lempitsky, *Instance Normalization*, 2016
# ([arXiv 1607.08022](https://arxiv.org/abs/1607.08022)).

# %%
# %config InlineBackend.figure_formats = ['jpeg']
import copy
import tempfile
import time
from itertools import islice
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from stylelearn import gatys, johnson, samples
from stylelearn.checks import johnson as check
from stylelearn.encoders import CONTENT_LAYER, STYLE_LAYERS, Encoder
from stylelearn.figures import LivePicture, grid, plot_curves
from stylelearn.images import resize
from stylelearn.johnson import TransformationNet
from stylelearn.lab import JohnsonLab
from stylelearn.training import rate_factor

encoder = Encoder("mini")
photo = resize(samples.content("china"), 192, "long")  # (1, 3, 128, 192)

# %% [markdown]
# This is where we are going. Each of these pictures came out of a network that was trained for one style, in one pass:


# %%
def paint(network, image):
    """One pass: (1, 3, H, W) -> (1, 3, H, W)."""
    with torch.no_grad():
        return network.eval()(image)


names = johnson.styles()  # the course ships a trained network for each of these
trained = {name: johnson.load(name) for name in names}
temple = resize(samples.content("china"), 256, "long")  # (1, 3, 171, 256)
pictures = [paint(network, temple) for network in trained.values()]
grid([temple, *pictures], ["the photo", *(name.replace("_", " ") for name in names)], columns=3)

# %% [markdown]
# ## 1 · Three hundred steps, or one
#
# *What does it cost to look at the loss, and what does it cost to paint without looking?*
#
# In lesson 02 a step meant: through the encoder, compare, and all the way back to the pixels. A picture took a few hundred of them. A network that has learnt to paint goes once through its layers, forward only.
# No encoder, no loss, no way back. At the time of painting all of that is over.
#
# **Predict, then run.** How many times faster is one pass than 300 steps? Ten, a hundred, a thousand?


# %% tags=["nbval-ignore-output"]
def seconds(function, *arguments):
    begin = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - begin


network = trained[names[0]]
for side in (128, 256):
    square = resize(samples.content("chelsea"), (side, side), "box")  # (1, 3, side, side)
    steps = gatys.stylize(square, samples.style("mosaic", side), encoder=encoder, steps=4)
    next(steps)
    step, one = min(seconds(next, steps) for _ in range(3)), min(seconds(paint, network, square) for _ in range(3))
    print(f"{side} px: 300 steps {300 * step:5.1f} s, one pass {one:.3f} s, {300 * step / one:.0f} times faster")

# %% [markdown]
# <details><summary>What it means</summary>
#
# Hundreds of times. A pass costs about as much as one step, and there is only one of them. The price is paid before: training takes thousands of steps. It is paid once for each *style*, and no longer
# once for each picture.
# </details>
#
# ## 2 · The network
#
# *What must a network be like that turns a photo into a painting of the same size?*
#
# It is called the **image transformation network** $f_W$: a photo $x$ goes in, and $\hat y = f_W(x)$ comes out. $W$ are its weights. Here is what the picture becomes on its way, in a small one:

# %%
torch.manual_seed(0)
small = TransformationNet(widths=(8, 16, 32), blocks=2)
words = ["9 × 9", "3 × 3, stride 2", "3 × 3, stride 2", *["residual block"] * 2, *["enlarge, then 3 × 3"] * 2]
x = photo  # (1, 3, 128, 192)
print(f"{'photo':22}{tuple(x.shape)}")
for layer, what in zip(small.layers, words, strict=True):
    x = layer(x)
    print(f"{what:22}{tuple(x.shape)}")
print(f"{'9 × 9, then tanh':22}{tuple(small.last(x).shape)}")
for widths, blocks in (((8, 16, 32), 2), (johnson.WIDTHS, 5), (johnson.PAPER_WIDTHS, 5)):
    numbers = sum(p.numel() for p in TransformationNet(widths, blocks).parameters())
    print(f"widths {widths}, {blocks} blocks: {numbers:9,} weights")

# %% [markdown]
# The last line is the paper's network, the one before it is what the course ships. Three things to notice:
#
# - **Down and up again.** Most layers work at a quarter of the size. There a convolution has 16 times fewer places to visit, so it may have four times as many channels for the same work. And what is next to each other there is
#   four pixels apart in the photo, so each layer looks further.
# - **Residual blocks**: $y = x + \mathrm{norm}(\mathrm{conv}(\mathrm{relu}(\mathrm{norm}(\mathrm{conv}(x)))))$. A block only has to say what should *change*. To keep what is there, it says nothing. Most of a pastiche is the photo's
#   drawing, so this is a good habit.
# - **tanh** at the end keeps colours where a screen can show them: $(\tanh(z) + 1)/2$ is between 0 and 1.
#
# ### How far does it look?
#
# A pixel of the pastiche can only depend on a part of the photo: its **receptive field**. A brush stroke cannot be longer than what its pixels can see together. A layer with kernel size $k_l$ adds $k_l - 1$ steps. How long is a step, in
# pixels of the photo? That is the product of all strides *before* the layer:
#
# $$r = 1 + \sum_l (k_l - 1) \prod_{i < l} s_i$$
#
# ### Exercise 1 — the receptive field
# *difficulty ●●○ · importance ●●○ · 10 minutes*
#
# Write this formula. The layers come as a list of (kernel size, stride), the one next to the photo first.


# %% tags=["exercise"]
def my_receptive_field(layers):
    """[(kernel, stride), …] -> side in pixels of what one place of the last layer sees."""
    raise NotImplementedError


check.receptive_field(my_receptive_field)


# %% tags=["solution"]
def my_receptive_field(layers):
    """[(kernel, stride), …] -> side in pixels of what one place of the last layer sees."""
    side, jump = 1, 1  # jump: how many pixels of the photo one step of this layer is
    for kernel, stride in layers:
        side += (kernel - 1) * jump
        jump *= stride
    return side


check.receptive_field(my_receptive_field)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Go through the layers once, with two numbers: the side so far, and how many pixels of the photo one step is.
# </details>
# <details><summary>Hint 2</summary>
#
# The order matters. First add $(k - 1)$ steps to the side, then let the stride make the next layer's steps longer.
# </details>
#
# We can also measure it: take one place in the middle of the last residual block, and ask PyTorch on which pixels of the photo it depends. (We leave the normalisation out for this. It takes a mean over the whole picture.)
#
# **Predict, then run.** The formula says 47 pixels for two residual blocks. How many for none? And for the five of the paper?

# %% tags=["nbval-check-output"]
maps = []
for blocks in (0, 2, 5):
    torch.manual_seed(0)
    plain = TransformationNet((8, 16, 32), blocks, norm=lambda channels: nn.Identity())
    x = seen = torch.rand(1, 3, 128, 128, requires_grad=True)
    for layer in plain.layers[: 3 + blocks]:
        seen = layer(seen)  # (1, 32, 32, 32) at last
    seen[0, :, 16, 16].sum().backward()
    reach = x.grad.abs().sum(dim=1, keepdim=True)  # (1, 1, 128, 128): how much each pixel matters
    columns = reach.sum(dim=2)  # (1, 1, 128): where the place does not depend on a pixel, 0 up to rounding
    print(f"{blocks} residual blocks: {int((columns > 1e-6 * columns.amax()).sum())} pixels wide")
    maps.append((reach / reach.amax()).sqrt().expand(-1, 3, -1, -1))
grid(maps, ["no residual block", "two", "five"])

# %% [markdown]
# <details><summary>What it means</summary>
#
# 15, 47 and 95 pixels: each block has two convolutions that add 2 steps of 4 pixels, so 16 in all. Without going down to a quarter of the size a block would add 4. White is where a change of the photo changes the most: the middle
# counts far more than the rim.
#
# So this network knows what is within some 50 to 100 pixels, and no more. In a larger photo the same brush stroke covers a smaller part. We come back to this in section 8.
# </details>
#
# ## 3 · Checkerboards
#
# *How does one make a picture larger, and what can go wrong?*
#
# The paper used **transposed convolutions** ("fractionally strided"). Each place of the small picture lays a whole kernel onto the large one, two pixels further than its neighbour did. Where kernels overlap, they add up. Let us count how many
# arrive at each pixel.
#
# ### Exercise 2 — count the overlaps
# *difficulty ●○○ · importance ●●○ · 10 minutes*
#
# In one dimension: `count` inputs, the first lays its kernel onto the places $0, 1, …, k-1$, the second onto $s, …, s+k-1$, and so on. How many kernels reach each place? Nothing is cut off at the ends.


# %% tags=["exercise"]
def my_overlaps(count, kernel, stride):
    """How many kernels reach each place: ((count − 1) · stride + kernel,)."""
    raise NotImplementedError


check.overlaps(my_overlaps)


# %% tags=["solution"]
def my_overlaps(count, kernel, stride):
    """How many kernels reach each place: ((count − 1) · stride + kernel,)."""
    reached = torch.zeros((count - 1) * stride + kernel)
    for i in range(count):
        reached[i * stride : i * stride + kernel] += 1
    return reached


check.overlaps(my_overlaps)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Begin with zeros. Kernel number $i$ reaches the places from $i \cdot s$ on, $k$ of them.
# </details>
# <details><summary>Hint 2</summary>
#
# `reached[a : a + kernel] += 1` adds 1 to a whole stretch.
# </details>
#
# In PyTorch the same count is a transposed convolution of ones, with weights of one:

# %% tags=["nbval-check-output"]
ones = torch.ones(1, 1, 6)
for kernel, stride in ((3, 2), (4, 2), (5, 2), (9, 3)):
    counts = F.conv_transpose1d(ones, torch.ones(1, 1, kernel), stride=stride)[0, 0].int().tolist()
    print(f"kernel {kernel}, stride {stride}: {counts}")

# %% [markdown]
# With kernel 3 and stride 2, every other pixel gets twice as much, in two directions up to four times. That is a checkerboard before anything was learnt, and a network has to learn its weights *around* it. There are two ways out: a kernel that
# is a multiple of the stride (4 and 2), or what we do: first **enlarge** the picture, each pixel becomes four, and then use an ordinary convolution. There each pixel gets the same number of contributions.
#
# **Predict, then run.** We give a plain grey picture to two untrained networks (without normalisation), and stretch the contrast of what comes out. Which of the two can tell from plain grey where the pixels are? Look at the borders, too.

# %%
plain, pictures = torch.full((1, 3, 48, 48), 0.7), []
for upsampling in ("transposed", "nearest"):
    torch.manual_seed(5)
    untrained = TransformationNet((8, 16, 32), 2, norm=lambda channels: nn.Identity(), upsampling=upsampling)
    made = paint(untrained, plain)  # (1, 3, 48, 48)
    made = made - made.mean(dim=(2, 3), keepdim=True)
    print(f"{upsampling:10} largest deviation from one colour: {made.abs().amax():.6f}")
    pictures.append(made / (2 * made.abs().amax()).clamp_min(0.01) + 0.5)
grid([plain, *pictures], ["what goes in", "transposed convolutions", "enlarge, then convolve"])

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Out of plain grey the transposed convolutions make a pattern, with another one along the borders, where fewer kernels overlap. With enlarging, grey stays one colour up to the last pixel. The other half of that is
# **reflection padding**: at the border a convolution sees the picture mirrored. Padded with zeros, every picture would have a black frame around it, and the network would know where the border is.
# (The paper pads by 40 pixels of reflection once, and its residual blocks eat them up. We pad in each layer.)
# </details>
#
# ## 4 · What it is trained for
#
# *There are no examples: nobody has painted these photos in this style. What can a network learn from?*
#
# From the losses of lesson 02. They can judge any picture, wherever it comes from. There they judged pixels. Here they judge what the network painted, and it is the *weights* that move:
#
# $$W^* = \arg\min_W \; \mathbf E_{x} \Big[ \alpha\, \ell_\text{feat}\big(f_W(x),\, x\big) + \beta\, \ell_\text{style}\big(f_W(x),\, y_s\big) + \gamma\, \ell_{TV}\big(f_W(x)\big) \Big] \qquad\text{(1)}$$
#
# $\mathbf E_x$ means: on average over photos $x$. The content is the photo itself. $y_s$ is the style, always the same one. The authors call this **perceptual losses**: two pictures are compared by what a network sees in them, and
# the network that looks is the **loss network** (frozen, as before). $\ell_\text{feat} = \|\phi(\hat y) - \phi(x)\|^2 / CHW$ (2) is the content loss, $\ell_\text{style}$ compares Gram matrices (3, 4), $\ell_{TV}$ is the total variation of lesson 01.
# We use the course's divisors, so weights mean the same as in lesson 02. Layers and weights are others: one pass cannot weigh each stroke as 300 steps can, so content is compared earlier, in `relu3_4`, and holds on to the photo a little more.

# %% tags=["nbval-check-output"]
style = samples.style("woodcut_waves", 96)  # (1, 3, 96, 96)
model = johnson.Perceptual(small, [style], encoder)  # a network and what it is trained for
objective = gatys.objective(photo, style, encoder=encoder, **model.objective)  # lesson 02, with its weights
ours, theirs = sum(model(photo).values()), sum(objective(small(photo)).values())
print("the same number as in lesson 02:", torch.allclose(ours, theirs))
ours.backward()
kernels = [p for p in small.parameters() if p.ndim > 1]  # no biases: instance norm subtracts them again, gradient 0
print("and its gradient arrives at every weight:", all(p.grad.abs().sum() > 0 for p in kernels))

# %% [markdown]
# Training is a loop. Take some photos, paint them, look at the losses, move the weights a little downhill. Next photos.
#
# ### Exercise 3 — one step of training
# *difficulty ●●○ · importance ●●● · 10 minutes*
#
# Write one step, with an optimiser of PyTorch's. `loss(pastiche, photos)` gives a scalar. Return it as a number, so that one can plot it.


# %% tags=["exercise"]
def my_training_step(network, optimizer, loss, photos):
    """Move the network's weights one step downhill on loss(network(photos), photos); returns that loss, a float."""
    raise NotImplementedError


check.training_step(my_training_step)


# %% tags=["solution"]
def my_training_step(network, optimizer, loss, photos):
    """Move the network's weights one step downhill on loss(network(photos), photos); returns that loss, a float."""
    total = loss(network(photos), photos)
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    return total.item()


check.training_step(my_training_step)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Four lines: the loss of what the network paints; `optimizer.zero_grad()`; `backward()`; `optimizer.step()`.
# </details>
# <details><summary>Hint 2</summary>
#
# `backward()` *adds* to the gradients that are there. That is why they are set to zero in each step, but not between `backward()` and `step()`.
# </details>
#
# ## 5 · Train one, now
#
# *Can that be learnt within a minute, from six photos?*
#
# Let us see. For a serious network one takes 80 000 photos. We have an album of six, and cut a new square out of them each time. The temple is not in it: it is what we look at while the network learns.

# %%
album = [samples.content(name, 144) for name in ("astronaut", "chelsea", "coffee", "flower", "hubble", "rocket")]


def crops(number, batch=4, side=96):
    """Batch `number`: (batch, 3, side, side), squares out of the album at random places."""
    generator = torch.Generator().manual_seed(number)
    squares = []
    for i in torch.randint(len(album), (batch,), generator=generator):
        y, x = (int(torch.randint(n - side + 1, (), generator=generator)) for n in album[i].shape[2:])
        squares.append(album[i][..., y : y + side, x : x + side])
    return torch.cat(squares)


grid([style, crops(1)[:3]], ["the style", *["to learn from"] * 3], columns=4)


# %%
def learn(network, steps, **weights):
    """Teach a network the style, step by step; yields the losses of each step."""
    model = johnson.Perceptual(network, [style], encoder, **weights)
    optimizer = torch.optim.Adam(network.parameters())
    for step in range(1, steps + 1):
        optimizer.param_groups[0]["lr"] = 5e-3 * rate_factor(step, steps, warm_up=20)  # up, and slowly down to 0
        losses = model.train()(crops(step))  # photos -> pastiches -> losses
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        style_loss = sum(loss.item() for term, loss in losses.items() if term.startswith("style"))
        yield {"content": losses["content"].item(), "style": style_loss}


# %% [markdown]
# **Predict, then run, and watch.** What will come first: the drawing of the temple, the colours of the style, or its strokes?

# %%
STEPS, COMPARED = 400, 200
WEIGHTS = {"content_layer": CONTENT_LAYER, "layer_weights": STYLE_LAYERS}  # those of lesson 02
WEIGHTS |= {"style_weight": 3.0, "tv_weight": 50.0}  # less style and smoother: a small network leaves much grain
torch.manual_seed(0)
quick = TransformationNet((8, 16, 32), 2)
view, curves, early = LivePicture(width=384), {"content": [], "style": []}, {}
for step, losses in enumerate(learn(quick, STEPS, **WEIGHTS), start=1):
    for name, values in curves.items():
        values.append(losses[name])
    if step % 25 == 0:
        view.update(paint(quick, photo), f"step {step} of {STEPS}")
    if step == 150:
        early["enlarge, then convolve"] = paint(quick, photo)  # for section 7
    if step == COMPARED:
        halfway = copy.deepcopy(quick)  # for section 6


# %%
def means(values, width=10):
    """Mean of each `width` values, one after the other: single batches jump up and down."""
    return [sum(values[i : i + width]) / width for i in range(0, len(values), width)]


plot_curves(
    {name: means(v) for name, v in curves.items()}, at=range(10, STEPS + 1, 10), title="A network learns a style"
)
unseen = [resize(samples.content(name), 192, "long") for name in ("china", "camera", "coffee")]  # two of them new to it
grid(
    [*unseen, *(paint(quick, image) for image in unseen)],
    ["never seen", "never seen", "from the album", *["one pass"] * 3],
    columns=3,
)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Colours come first, within a hundred steps: a few weights of the last layer are enough for them. Then come strokes that follow the edges of the photo, because that serves both losses. The style loss falls many times over, the content loss
# by a third or so: the network has to give up the photo's details for the strokes.
#
# The photos that it never saw are painted as well as the one from the album. What it has learnt is not six pictures, but a way of painting.
#
# It is a sketch of a network: small, and trained for a minute. Look closely, and you find a fine grid in smooth areas. The trained ones of section 8 are twice as wide, have five blocks, and had more time.
# </details>
#
# ## 6 · Batch norm or instance norm
#
# *Why did everybody replace one normalisation by another within months?*
#
# Johnson's network had **batch normalisation**: each channel is brought to mean 0 and deviation 1, measured over *all photos of the batch*. Ulyanov and others changed one thing. They measure over each photo alone:
#
# $$\mathrm{IN}(x)_{nchw} = \gamma_c\, \frac{x_{nchw} - \mu_{nc}}{\sqrt{\sigma_{nc}^2 + \epsilon}} + \beta_c, \qquad
# \mu_{nc} = \frac{1}{HW} \sum_{h,w} x_{nchw}, \quad \sigma_{nc}^2 = \frac{1}{HW} \sum_{h,w} (x_{nchw} - \mu_{nc})^2$$
#
# ($\gamma$ and $\beta$ belong to the layer here and are learnt. They are not the weights of (1): the field has too few letters.)
#
# Their argument: the contrast of the pastiche should be that of the *style*, whether the photo was taken at noon or in fog. So the network has to get rid of the photo's contrast. With convolutions and ReLUs alone that is hard to learn, since it is
# a division. Instance norm is just this division.
#
# ### Exercise 4 — instance normalisation
# *difficulty ●●○ · importance ●●● · 10 minutes*
#
# Write it without `F.instance_norm`. `gamma` and `beta` have one number for each channel.


# %% tags=["exercise"]
def my_instance_norm(x, gamma, beta, epsilon=1e-5):
    """(B, C, H, W), (C,), (C,) -> (B, C, H, W)."""
    raise NotImplementedError


check.instance_norm(my_instance_norm)


# %% tags=["solution"]
def my_instance_norm(x, gamma, beta, epsilon=1e-5):
    """(B, C, H, W), (C,), (C,) -> (B, C, H, W)."""
    mean = x.mean(dim=(2, 3), keepdim=True)  # (B, C, 1, 1)
    variance = (x - mean).square().mean(dim=(2, 3), keepdim=True)  # (B, C, 1, 1)
    return gamma.view(1, -1, 1, 1) * (x - mean) / (variance + epsilon).sqrt() + beta.view(1, -1, 1, 1)


check.instance_norm(my_instance_norm)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `x.mean(dim=(2, 3), keepdim=True)` has the shape (B, C, 1, 1) and fits to x by itself.
# </details>
# <details><summary>Hint 2</summary>
#
# `x.var` divides by $HW - 1$ unless you say `correction=0`. And `gamma.view(1, -1, 1, 1)` puts a channel's number where channels are.
# </details>
#
# Now the experiment: two networks, the same random weights, the same photos in the same order. Only the norm differs. The first one is the network that you have just watched, as it was after 200 steps. The other one gets 200 steps, too.
#
# **Predict, then run.** Which one has the lower loss? And then: we take the contrast out of the photo, step by step. What will each of them paint?

# %%
torch.manual_seed(0)  # as above: the same convolutions to begin with
batch = TransformationNet((8, 16, 32), 2, norm="batch")
plan = learn(batch, STEPS, **WEIGHTS)  # the same plan, left early
batch_total = [losses["content"] + losses["style"] for losses in islice(plan, COMPARED)]
total = [c + s for c, s in zip(*curves.values(), strict=True)][:COMPARED]
both = {"instance norm": means(total), "batch norm": means(batch_total)}
plot_curves(both, at=range(10, COMPARED + 1, 10), y="content + style", title="Same seed, same photos, another norm")

# %%
fog = [photo, 0.4 * photo + 0.35, 0.15 * photo + 0.5]  # the same temple with less and less contrast
rows = [*fog, *(paint(halfway, image) for image in fog), *(paint(batch, image) for image in fog)]
grid(rows, ["the photo", "in mist", "in fog", *["instance norm"] * 3, *["batch norm"] * 3], columns=3)
for name, network in (("instance norm", halfway), ("batch norm", batch)):
    spread = [paint(network, image).std().item() for image in fog]
    print(f"{name:14} contrast of the pastiche: " + ", ".join(f"{value:.3f}" for value in spread))

# %% [markdown]
# <details><summary>What you should see</summary>
#
# After the first thirty steps or so the curve of instance norm is the lower one. And for the pictures it makes no difference at all how foggy the photo is! That is not even learnt. The first layer is linear: if the photo is $a x + b$, its answer is $a$ times as large and a little shifted, and
# $(\,\cdot - \mu)/\sigma$ takes out both. All that follows is the same to the last digit (nearly: $\epsilon$ is not 0).
#
# Batch norm has learnt the mean and deviation of *usual* photos, and uses these for every photo. From a foggy photo it gets small numbers, and paints a foggy picture.
# </details>
#
# Batch norm has another habit. While it is being trained, photos of one batch influence each other:

# %% tags=["nbval-check-output"]
one, friend, other = crops(1)[:1], crops(2)[:1], crops(3)[:1]
for name, network in (("instance norm", quick), ("batch norm", batch)):
    with torch.no_grad():
        beside = [copy.deepcopy(network).train()(torch.cat([one, each]))[:1] for each in (friend, other)]
    same = torch.allclose(*beside, atol=1e-4)
    print(f"{name}: the pastiche {'does not care' if same else 'depends on'} which photo is beside it in the batch")

# %% [markdown]
# ## 7 · Two more choices: enlarging, and total variation
#
# *Do checkerboards go away by training? What does the term $\gamma\, \ell_{TV}$ do?*
#
# We train a network with transposed convolutions for 150 steps, and compare with our own network after 150 steps, which we kept. Then our network goes on for 40 steps with no total variation, and with ten times as much.
#
# **Predict, then run.** Where will you find a pattern of single pixels? Which picture will look like painted in fresh watercolour?

# %%
torch.manual_seed(0)
transposed = TransformationNet((8, 16, 32), 2, upsampling="transposed")
for _ in islice(learn(transposed, STEPS, **WEIGHTS), 150):
    pass
early["transposed convolution"] = paint(transposed, photo)
part = (..., slice(40, 104), slice(30, 126))  # rows and columns
grid(
    [image[part] for image in (photo, *early.values())],
    ["the photo, a part of it", *early],
)

# %%
found = []
for tv_weight in (0.0, 500.0):
    other = copy.deepcopy(quick)
    for _ in learn(other, 40, **{**WEIGHTS, "tv_weight": tv_weight}):
        pass
    found.append(paint(other, photo))
grid([image[part] for image in (found[0], paint(quick, photo), found[1])], ["γ = 0", "γ = 50", "γ = 500"])

# %% [markdown]
# <details><summary>What you should see</summary>
#
# After 150 steps both are unfinished, and both show a grid. With transposed convolutions it is made of single pixels, faint in the even blue and plain in the light streaks, and much of the temple is not there yet: the pattern is there from the beginning, and has to be learnt away. Enlarging leaves squares of
# $2 \times 2$ and $4 \times 4$ pixels at first, which the convolutions after it learn to smooth.
#
# Without total variation fine grain is free, and comes back. With a lot of it, contours melt and strokes run together. The paper takes between $10^{-6}$ and $10^{-4}$ with its own divisors, by eye, for each style.
# </details>
#
# ## 8 · With more time
#
# *What comes out if one waits longer than a minute?*
#
# The networks that ship with the course have five residual blocks, twice as many channels, and learnt on several thousand photos. They did not begin from nothing: each is one style taken out of lesson 04's network, which took 75 minutes for fourteen styles, and has then learnt on alone for 260 steps.
# `stylelearn train johnson` trains one from any folder of photos and any style. From nothing it takes longer to become as good.
#
# They have one thing more. Think of a clear blue sky: every place in it looks the same, so a convolution says the same of every place. It can leave the sky empty or fill it with a pattern that repeats. A painter does neither. So these networks get
# **noise** beside the picture, three channels of it: one that changes from pixel to pixel, one over 4 pixels, one over 16. Ulyanov's first paper does this for textures. Whatever irregular strokes there are in an even place, they were made of it. Here is a plain grey card:

# %%
card = torch.full((1, 3, 192, 192), 0.6)
with torch.no_grad():
    painted = [johnson.load(name)(card) for name in names[:3]]
grid([card, *painted], ["a grey card", *names[:3]], columns=4)

# %% [markdown]
# **Predict, then run.** For which of these photos will it work worst: the temple, the cat, the cup, the photographer without colours?

# %%
chosen = names[:3]
views = [resize(samples.content(name), 256, "long") for name in ("china", "chelsea", "coffee", "camera")]
pictures, titles = [], []
for image, subject in zip(views, ("temple", "cat", "cup", "photographer"), strict=True):
    pictures += [image, *(paint(trained[name], image) for name in chosen)]
    titles += [subject, *(name.replace("_", " ") for name in chosen)]
grid(pictures, titles, columns=4)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# All of them are painted, and the grey photograph gets the colours of the style: the network has no idea that there was no colour. What suffers most are faces and fine things that mean much to us. The losses do not know what matters to us. So the
# photographer is worst off: his face is a few pixels wide. Large smooth areas are the other weak point, for there is nothing in them to hang a stroke on. The noise brings irregular blotches, but a fine weave that repeats is still there: look at the sky behind the photographer and above the temple.
# </details>
#
# ### A larger photo
#
# **Predict, then run.** The same photo at 128, 256 and 512 pixels. All three are shown equally large. Where are the strokes largest?

# %%
sizes = {side: resize(samples.content("flower"), side, "long") for side in (128, 256, 512)}
network = trained[chosen[0]]
shown = [resize(paint(network, image), 256, "long") for image in sizes.values()]
grid(shown, [f"painted at {side} px" for side in sizes])

# %% [markdown]
# <details><summary>What you should see</summary>
#
# A network without fully connected layers takes any size. But it has learnt strokes of so many *pixels*, and it sees some 100 pixels far (section 2). In a larger photo they are finer beside it. If you want large strokes in a large photo: paint it small
# and enlarge it, or train with a larger style picture.
# </details>
#
# ## 9 · Against lesson 02
#
# *The same objective, with the same weights. Who gets lower: the network, or the optimisation? And when?*
#
# We take a style of the course's own, and exactly the objective that its network was trained for. The optimisation starts from the photo.
#
# **Predict, then run.** After how many steps is the optimisation as good as the network?

# %% tags=["nbval-ignore-output"]
own = next(name for name in names if name in samples.style_names())
network = trained[own]
painting = samples.style(own, min(network.about.get("style_size", [256])))
weights = network.about.get("objective", model.objective)  # what it was trained for
cup = resize(samples.content("coffee"), 192, "long")  # (1, 3, 128, 192)
objective = gatys.objective(cup, painting, encoder=encoder, **weights)
begin, curve, at = time.perf_counter(), [], {}
for step in gatys.stylize(cup, painting, encoder=encoder, steps=100, **weights):
    curve.append(min(step.loss, curve[-1] if curve else step.loss))
    if step.number in (10, 100):
        at[f"{step.number} steps"] = (step.best_image, time.perf_counter() - begin)
at = {"the network": (paint(network, cup), seconds(paint, network, cup)), **at}
for name, (image, took) in {"the photo": (cup, 0.0), **at}.items():
    losses = {term: value.item() for term, value in objective(image).items()}
    styles = sum(value for term, value in losses.items() if term.startswith("style"))
    content = sum(value for term, value in losses.items() if term.startswith("content"))
    print(f"{name:12} content {content:5.2f}  style {styles:6.2f}  with TV {sum(losses.values()):6.2f}  {took:7.3f} s")

# %%
level = sum(objective(at["the network"][0]).values()).item()
lines = {"optimisation (lesson 02)": curve, "the network, one pass": [level] * len(curve)}
plot_curves(lines, y="objective", title="The same objective")
grid([painting, *(image for image, _ in at.values())], ["the style", *at], columns=4)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Where the lines cross, here within the first ten steps, the optimisation has caught up. From there on it is better: it works for this one photo, while the network has learnt what is good for photos on average. The paper found its networks to be as good as 50 to 100
# steps of the optimisation. Ours are smaller and had less training, so expect to be overtaken sooner. The network has needed the time of a step or two.
#
# Look at the pictures, not only at the numbers. The network repeats the same few patterns, wherever they fit. The optimisation invents for each place.
# </details>
#
# ## The lab
#
# All networks of the course, live.
#
# - **content** and **size**: any photo, from the gallery, uploaded, or from an address; the longer side up to 1024 pixels.
# - **style** takes another network. Each knows one style, and no other.
# - **strength (blend)** lays the pastiche over the photo, pixel by pixel, like a half transparent sheet. It is no part of the method: this network has nothing to turn. (Lessons 05 and 08 have a true one.)
# - **colours of**: the style's, or the photo's own with the brightness of the pastiche.
# - **Save** keeps the settings inside the file.
#
# Things to try: the same photo at 128 and at 1024 pixels. A photo of the night sky. A strength of 0.5: what tells you that this is only a blend?

# %% tags=["nbval-ignore-output"]
lab = JohnsonLab(content="chelsea", style=names[-1], size=384)
lab

# %% [markdown]
# Our network of a minute fits in, too: save it, and give the lab its file.

# %% tags=["nbval-ignore-output"]
file = Path(tempfile.mkdtemp()) / "my_network.safetensors"  # a name of yours keeps it
johnson.save(quick, file)
lab = JohnsonLab(content="astronaut", style=file, size=256)
lab

# %% [markdown]
# ## Differs from the paper
#
# - **Instance norm** instead of batch norm, and **enlarge, then convolve** instead of transposed convolutions. `norm="batch"` and `upsampling="transposed"` give the paper's.
# - **Half of the paper's widths**, so that a laptop paints 256 pixels in a fraction of a second. `PAPER_WIDTHS` has 1 679 235 weights. They take four times the time.
# - **Reflection in each layer** instead of 40 pixels around the picture once.
# - **The loss network** is `mini` and not VGG-16, so textures are simpler than in the paper's figures. Style is compared in `relu2_2`, `relu3_4` and `relu4_1` and not in
#   `relu1_2`, `relu2_2`, `relu3_3` and `relu4_3`, content in `relu3_4` (the paper's pictures take `relu2_2`).
# - **Noise** beside the picture, in the networks that ship: Ulyanov's idea, not Johnson's.
# - **The losses** are divided by what they want to reach (lesson 02, section 10).
# - **Training**: several thousand photos instead of 80 000, smaller squares than 256 pixels, and far fewer than 40 000 steps. Each network that ships began as one style of lesson 04's.
#
# ## Summary
#
# - The losses of lesson 02 can train a network. It needs photos and one style, and no examples.
# - Painting is then one pass: hundreds of times faster, for this one style.
# - Work at a quarter of the size sees further for the same cost. Residual blocks keep what need not change. Reflection avoids frames.
# - Transposed convolutions overlap unevenly. Enlarge first, then convolve.
# - Instance norm takes the photo's contrast away, so the pastiche has the style's.
# - The optimisation still wins in the end, by working for this one photo. The network is done in the time of a step or two.
#
# **Common misconceptions**
#
# - *"It was trained on pairs of photos and paintings."* There are no such pairs. The losses say what is good.
# - *"The loss network paints."* It only looks, and only during training. The shipped file does not contain it.
# - *"Training on six photos must overfit."* Six photos give thousands of squares, and a style is local. A network this small cannot learn photos by heart.
# - *"Instance norm is batch norm with batch size 1."* While training, yes. But batch norm then *uses* other numbers: the means that it has collected.
# - *"Strength 0.5 is half as much style."* Here it is half of each of two pictures.
# - *"It is faster, so it costs less."* For one picture lesson 02 is much cheaper than training.
#
# **To read**: the two papers; Ulyanov, Lebedev, Vedaldi and Lempitsky, *Texture Networks*, ICML 2016, the same idea in the same months; Odena, Dumoulin and Olah,
# [*Deconvolution and Checkerboard Artifacts*](https://distill.pub/2016/deconv-checkerboard/), Distill 2016, with pictures that move; Gross and Wilber, *Training and investigating Residual Nets*, 2016, on which our blocks are modelled.
#
# **Next**: four styles, four networks, and nothing between them. [Lesson 04](04_cin.ipynb) finds out that nearly all of such a network is the same for every style. What differs fits into 1,600 numbers, and numbers can be mixed.

# %% [markdown] tags=["solution"]
# ## For teachers
#
# **Timings** (100 minutes): sections 1 and 2 with exercise 1, 20 minutes · section 3 with exercise 2, 15 · section 4 with exercise 3, 15 · section 5, 10 (let them talk while it trains) · section 6 with exercise 4, 20 · sections 7 to 9, 15 · the
# lab, 5. Short of time: leave out section 7. The live training takes about half a minute on two cores; on a slower machine set `STEPS = 200`.
#
# **Show.** The live training of section 5, on the projector, and nothing else for that half minute: colours, then strokes. Then the fog of section 6: ask who would rather have the left or the right column on a phone.
#
# **Expected results.** Colours are there by step 100, strokes by step 200, and the style loss falls many times over. In section 6 the three pictures of instance norm look the same and those of batch norm fade. In section 9 the lines cross long before step 100.
#
# | Section | Printed, or above a picture | Expect |
# | --- | --- | --- |
# | 2 | `5 residual blocks:` | 95, exactly |
# | 2 | `widths (32, 64, 128), 5 blocks:` | 1679235, exactly |
# | 3 | `kernel 3, stride 2: [1, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1]` | as it stands |
# | 3 | `nearest largest deviation from one colour:` | 0 to 0.0001 |
# | 6 | `instance norm contrast of the pastiche:` | 0.12 to 0.25, and the same three times |
# | 6 | `batch norm contrast of the pastiche:` | 0.12 to 0.25, and falling |
# | 9 | `the photo content 0.00 style` | 4.6 to 5.0 |
#
# **Where they get stuck.** In exercise 1 a layer's own stride is applied to itself. In exercise 3 `zero_grad()` is forgotten: the first step is right and the second is not, and the check looks at both. In exercise 4 dimension 0 is in
# the mean: that is batch norm, and with a batch of one nobody notices.
#
# **Questions for a discussion.**
#
# - *Why does the content loss fall so little in section 5?* It is the price of the strokes. An untrained network has both losses high; a trained one has given up the photo's details, which strokes must cover.
# - *What would happen with a single photo in the album?* Less than one fears: a thousand squares of one photo still teach strokes. But colours and things that it lacks (a sky, a face) would be painted by luck.
# - *With instance norm a photo of fog and one of a clear day give the same picture. When is that wrong?* When the fog is the subject. The network cannot paint a pale picture of a pale day.
# - *Would you rather have one network for all styles, or one for each?* One for each paints better (it has nothing else to learn) and can be trained on its own. But each costs a training and a file. Lesson 04 shares nearly everything.
