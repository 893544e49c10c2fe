# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 · Learn once, paint in one pass
#
# In lesson 02 each picture was an optimisation of its own: hundreds of steps, and nothing learnt for the next one. Justin Johnson, Alexandre Alahi and Fei-Fei Li asked: could a network
# *learn* what these hundreds of steps do? It can, for one style at a time. Dmitry Ulyanov and others had the same idea in the same months. Today a phone paints a video live in this way.
#
# **After this lesson you can …**
#
# - say what is trained here, with which loss, and why no painted examples are needed,
# - say what each part of the network is for, and work out how much of the photo one pixel of the painted picture can see,
# - explain where checkerboards come from, and avoid them,
# - explain why instance normalisation suits this task better than batch normalisation,
# - train a small network with your own code, within a minute, and compare a trained one with lesson 02.
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

from stylelearn import gatys, johnson, losses, samples
from stylelearn.checks import johnson as check
from stylelearn.checks import yours
from stylelearn.encoders import Encoder
from stylelearn.figures import LivePicture, grid, plot_curves
from stylelearn.images import resize
from stylelearn.lab import JohnsonLab
from stylelearn.networks.coarse import coarse_to_fine
from stylelearn.networks.transformation import PAPER_WIDTHS, WIDTHS, InstanceNorm, TransformationNet
from stylelearn.training import rate_factor

encoder = Encoder("mini")
photo = resize(samples.content("china"), 192, "long")  # (1, 3, 128, 192)

# %% [markdown]
# This is the goal. The first picture is a photo. The next four were painted by four networks, each trained for one style (section 8 says how they get broad and fine strokes). Three of the styles hang in museums: Kandinsky's *Composition VII*, Hokusai's
# woodcut *The Great Wave* and van Gogh's *Starry Night*. The course holds no copies of these three; look them up and lay them beside these. The fourth is a stained glass of the course's own. It stands last, next to the picture painted in its style. A painted photo is called a **pastiche**.


# %%
def paint(network, image):
    """One pass: (1, 3, H, W) -> (1, 3, H, W)."""
    with torch.no_grad():
        return network.eval()(image)


names = johnson.styles()  # the course ships a trained network for each of these
trained = {name: johnson.load(name) for name in names}
cat = resize(samples.content("chelsea"), 256, "long")  # (1, 3, 170, 256)
order = ["composition_vii", "great_wave", "starry_night", "stained_glass"]
with torch.no_grad():
    pictures = [coarse_to_fine(trained[name], cat) for name in order]
glass = samples.style("stained_glass", 256)  # (1, 3, 256, 256)
words = ["the photo", *(name.replace("_", " ") for name in order), "the stained glass itself"]
grid([cat, *pictures, glass], words, columns=3, even=True)

# %% [markdown]
# ## 1 · Three hundred steps, or one
#
# *What does a step of the optimisation cost, and what does a pass through a trained network?*
#
# In lesson 02 a step meant: through the encoder, compare, and all the way back to the pixels. A picture took a few hundred of them. A trained network only needs its own layers, once, forward.
# Encoder, loss and gradients were needed in training. For painting they are not.
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
    steps = gatys.stylize(square, samples.style("mosaic", side), encoder=encoder, steps=4, levels=1)
    next(steps)
    step, one = min(seconds(next, steps) for _ in range(3)), min(seconds(paint, network, square) for _ in range(3))
    print(f"{side} px: 300 steps {300 * step:5.1f} s, one pass {one:.3f} s, {300 * step / one:.0f} times faster")

# %% [markdown]
# <details><summary>What it means</summary>
#
# Between one and three hundred times: it depends on your machine. A pass costs as much as one or two steps, and there is only one of them. The price is paid before: training takes thousands of steps. It is paid once for each *style*, and no longer
# once for each picture.
# </details>
#
# ## 2 · The network
#
# *How is a network built that turns a photo into a picture of the same size?*
#
# It is called the **image transformation network** $f_W$: a photo $x$ goes in, and $\hat y = f_W(x)$ comes out. $W$ are its weights. Here are the shapes on the way through a small one:

# %%
torch.manual_seed(0)
small = TransformationNet(widths=(8, 16, 32), blocks=2, ends="paper")
words = ["9 × 9", "3 × 3, stride 2", "3 × 3, stride 2", *["residual block"] * 2, *["enlarge, then 3 × 3"] * 2]
x = photo  # (1, 3, 128, 192)
print(f"{'photo':22}{tuple(x.shape)}")
for layer, what in zip(small.layers, words, strict=True):
    x = layer(x)
    print(f"{what:22}{tuple(x.shape)}")
print(f"{'9 × 9, then tanh':22}{tuple(small.last(x).shape)}")
for widths, blocks, ends in (((8, 16, 32), 2, "paper"), (WIDTHS, 5, "light"), (PAPER_WIDTHS, 5, "paper")):
    numbers = sum(p.numel() for p in TransformationNet(widths, blocks, ends=ends).parameters())
    print(f"widths {widths}, {blocks} blocks: {numbers:9,} weights")

# %% [markdown]
# The last line is the paper's network. The one before it is what the course ships, apart from two extra inputs that section 8 explains. Three things to notice:
#
# - **Down and up again.** In the paper's network most layers work at a quarter of the size. There a convolution has 16 times fewer places to visit, so it may have four times as many channels for the same work. And what is next to each other there is
#   four pixels apart in the photo, so each layer looks further.
# - **Residual blocks**: $y = x + \mathrm{norm}(\mathrm{conv}(\mathrm{relu}(\mathrm{norm}(\mathrm{conv}(x)))))$ (norm: section 6). A block only has to compute what should *change*. To keep what is there, it adds 0. Much of a pastiche is the photo's
#   drawing, so this is a good start.
# - **tanh** at the end keeps colours where a screen can show them: $(\tanh(z) + 1)/2$ is between 0 and 1.
#
# <details><summary>Where the networks that we ship differ (leave it out at first)</summary>
#
# - **Light ends.** The two layers of 9 × 9 work at full size: they take much of the time and paint little of the picture. Except where we write `ends="paper"`, as above, our networks go down to a quarter with *one* layer of 12 × 12 and stride 4, and end with 3 × 3. The time saved
#   pays for more channels in between. There is also no normalisation at full size: without it they learn in half of the steps.
# - **A second look.** Two of our five blocks stand at *half* of the size. On the way up to them the network looks at the photo again: a convolution of 6 × 6 with stride 2 reads it once more, and its result is normalised and added. Without this, a clear sky is filled with the same
#   small mark, row above row, like bricks in a wall. (It helps, but does not cure it: section 8.)
# - **A margin.** We add 8 mirrored pixels around the photo, paint them too, and cut them off. Otherwise a network finds out where the picture ends, and paints that border differently.
# </details>
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
    plain = TransformationNet((8, 16, 32), blocks, norm=lambda channels: nn.Identity(), ends="paper")
    x = seen = torch.rand(1, 3, 128, 128, requires_grad=True)
    for layer in plain.layers[: 3 + blocks]:
        seen = layer(seen)  # (1, 32, 32, 32) at last
    seen[0, :, 16, 16].sum().backward()
    reach = x.grad.abs().sum(dim=1, keepdim=True)  # (1, 1, 128, 128): how much each pixel matters
    columns = reach.sum(dim=2)  # (1, 1, 128): where the place does not depend on a pixel, 0 up to rounding
    print(f"{blocks} residual blocks: {int((columns > 1e-6 * columns.amax()).sum())} pixels wide")
    maps.append((reach / reach.amax()).sqrt().expand(-1, 3, -1, -1))
grid(maps, ["no residual block: 15 px", "two: 47 px", "five: 95 px"])

# %% [markdown]
# <details><summary>What it means</summary>
#
# 15, 47 and 95 pixels: each block has two convolutions that add 2 steps of 4 pixels, so 16 in all. At half of the size, where two of our own blocks stand, it adds 8; at full size it would add 4. White is where a change of the photo changes the most: the middle
# counts far more than the rim.
#
# So a pixel of the pastiche depends on the photo within some 50 to 100 pixels, and in one pass on no more (apart from the means that a norm takes). In a larger photo the same brush stroke covers a smaller part. We come back to this in section 8.
# </details>
#
# ## 3 · Checkerboards
#
# *How does one make a picture larger, and what can go wrong?*
#
# The paper used **transposed convolutions** ("fractionally strided"). Each place of the small picture adds a whole kernel to the large one, two pixels further on than its neighbour. Where kernels overlap, they add up. Let us count how many
# reach each pixel.
#
# ### Exercise 2 — count the overlaps
# *difficulty ●○○ · importance ●●○ · 10 minutes*
#
# In one dimension: `count` inputs. The first adds its kernel to the places $0, 1, …, k-1$, the second to $s, …, s+k-1$, and so on. How many kernels reach each place? Nothing is cut off at the ends.


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
# **Predict, then run.** We give a plain grey picture to two untrained networks (without normalisation), subtract the mean and stretch the contrast of what comes out, so middle grey means: no pattern. Which of the two makes a pattern out of plain grey? Look at the borders, too.

# %%
plain, pictures = torch.full((1, 3, 48, 48), 0.5), []
for upsampling in ("transposed", "nearest"):
    torch.manual_seed(5)
    untrained = TransformationNet((8, 16, 32), 2, lambda channels: nn.Identity(), upsampling, ends="paper")
    made = paint(untrained, plain)  # (1, 3, 48, 48)
    made = made - made.mean(dim=(2, 3), keepdim=True)
    print(f"{upsampling:10} largest deviation from one colour: {made.abs().amax():.6f}")
    pictures.append(made / (2 * made.abs().amax()).clamp_min(0.01) + 0.5)
grid([plain, *pictures], ["what goes in", "transposed convolutions", "enlarge, then convolve"])

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Out of plain grey the transposed convolutions make a pattern, with another one along the right and the lower border, where fewer kernels overlap. With enlarging, grey stays one colour up to the last pixel. The other half of that is
# **reflection padding**: at the border a convolution sees the picture mirrored. Padded with zeros, every picture would have a black frame around it, and the network would paint along it.
# (The paper pads by 40 pixels of reflection once, and its unpadded residual blocks remove them again. We pad in each layer, and have our margin of 8.)
# </details>
#
# ## 4 · What it is trained for
#
# *There are no examples of these photos painted in this style. What can a network learn from?*
#
# From the losses of lesson 02. They can be computed for any picture. There we changed the pixels to lower them. Here we change the *weights* of the network that made the picture:
#
# $$W^* = \arg\min_W \; \mathbf E_{x} \Big[ \alpha\, \ell_\text{feat}\big(f_W(x),\, x\big) + \beta\, \ell_\text{style}\big(f_W(x),\, y_s\big) + \gamma\, \ell_{TV}\big(f_W(x)\big) \Big] \qquad\text{(1)}$$
#
# $\mathbf E_x$ means: on average over photos $x$. The content is the photo itself. $y_s$ is the style, always the same one. The authors call this **perceptual losses**: two pictures are compared by a network's activations,
# and this network is called the **loss network** (frozen, as before). $\ell_\text{feat} = \|\phi(\hat y) - \phi(x)\|^2 / CHW$ (2) is the content loss, $\ell_\text{style}$ compares Gram matrices (3, 4), $\ell_{TV}$ is the total variation of lesson 01.
# We use the course's divisors, so weights mean the same as in lesson 02. The weights differ. One pass cannot adapt each stroke to the photo as 300 steps can, and after a minute of training a network can adapt still less, so here the photo counts for more:
#
# | | style, all layers together | content | γ |
# | --- | --- | --- | --- |
# | lesson 02 | 30 times the content's weight | `relu4_2` | 2 |
# | this lesson's live training | 5 times | `relu3_2`, which keeps more of the photo | 8, against coloured fringes |
# | the networks that ship | 19 or 29 times | `relu4_2` | 1.5 |
#
# This is what stands in the brackets of (1):


# %%
style = samples.style("woodcut_waves", 96)  # (1, 3, 96, 96)
layers = johnson.LAYER_WEIGHTS
live = {"content_layer": "relu3_2", "content_weight": 1.0, "tv_weight": 8.0}  # what suits a minute of training
wanted = {layer: losses.mean_gram(encoder(style, layer)[layer]) for layer in layers}  # (1, C, C) each


def perceptual_loss(pastiche, photos):
    """α ℓ_feat + β ℓ_style + γ ℓ_TV, the mean over a batch; both are (B, 3, H, W)."""
    compared, alpha, gamma = live.values()
    with torch.no_grad():
        target = encoder(photos, compared)[compared]
    seen = encoder(pastiche, [compared, *layers])
    content = losses.content_loss(seen[compared], target)
    strokes = sum(weight * losses.style_loss(seen[layer], wanted[layer]) for layer, weight in layers.items())
    smooth = losses.tv_loss(pastiche)
    return alpha * content + johnson.STYLE_WEIGHT * strokes + gamma * smooth


# %% tags=["nbval-check-output"]
model = johnson.Perceptual(small, [style], encoder, **live)  # a network, and what it is trained for
objective = gatys.objective(photo, style, encoder=encoder, **model.objective)  # lesson 02's, with the same weights
pastiche = small(photo)
ours, theirs = perceptual_loss(pastiche, photo), sum(objective(pastiche).values())
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
# Write one step, with a PyTorch optimiser. `loss(pastiche, photos)` gives a scalar. Return it as a number, so that one can plot it.


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
# The paper takes 80,000 photos. We have an album of six, and cut new squares out of them for each step. The temple is not in it: it is the picture that we look at while the network learns.

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
    """Teach a network the style, step by step; yields content and style loss of each step."""
    model = johnson.Perceptual(network, [style], encoder, **(live | weights))
    optimizer = torch.optim.Adam(network.parameters())
    for step in range(1, steps + 1):
        optimizer.param_groups[0]["lr"] = 1e-2 * rate_factor(step, steps, warm_up=20)  # up, and slowly down to 0
        terms = model.train()(crops(step))  # photos -> pastiches -> the terms of (1)
        optimizer.zero_grad()
        sum(terms.values()).backward()
        optimizer.step()
        style_loss = sum(loss.item() for term, loss in terms.items() if term.startswith("style"))
        yield {"content": terms["content"].item(), "style": style_loss}


# %% [markdown]
# **Predict, then run, and watch.** What will come first: the drawing of the temple, the colours of the style, or its strokes?

# %%
STEPS, EARLY = 400, 150
torch.manual_seed(0)
quick = TransformationNet((8, 16, 32), 2)
view, curves, seen = LivePicture(width=384), {"content": [], "style": []}, {}
for step, terms in enumerate(learn(quick, STEPS), start=1):
    for name, values in curves.items():
        values.append(terms[name])
    if step % 25 == 0:
        view.update(paint(quick, photo), f"step {step} of {STEPS}")
    if step in (10, 50, 100, STEPS):
        seen[f"after {step} steps"] = paint(quick, photo)
    if step == EARLY:
        early = copy.deepcopy(quick)  # for sections 6 and 7


# %%
def means(values, width=10):
    """Mean of each `width` values, one after the other: single batches jump up and down."""
    return [sum(values[i : i + width]) / width for i in range(0, len(values), width)]


plot_curves(
    {name: means(v) for name, v in curves.items()}, at=range(10, STEPS + 1, 10), title="A network learns a style"
)
grid([style, photo, *seen.values()], ["the style", "the photo", *seen], columns=3, even=True)
others = [resize(samples.content(name), 192, "long") for name in ("camera", "coffee")]
pictures = [others[0], paint(quick, others[0]), others[1], paint(quick, others[1])]
grid(pictures, ["new to it, too", "in one pass", "from the album", "in one pass"], columns=4, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The drawing is there after ten steps, in wrong colours: it comes through from the photo. Then come colours and lines together, by step 50: for the colours a few weights of the last layer are enough, and lines that follow the edges of the photo lower both losses. What follows brings the rest of the colours and cleans the lines. The style loss falls many times over, the content loss
# less: the network has to give up the photo's details for the strokes.
#
# The photos that are new to it are painted as well as the one from the album. What it has learnt is not six pictures, but a way of painting.
#
# This network is small, and was trained for a minute. Look closely: beside each outline run bright and dark stripes, like an echo, and the red of the sun is nowhere. The networks of section 8 are more than twice as wide, have five blocks, and were trained for longer.
# </details>
#
# ## 6 · Batch norm or instance norm
#
# *Why did the field replace one normalisation with another within months?*
#
# Johnson's network had **batch normalisation**: each channel is brought to mean 0 and deviation 1, measured over *all photos of the batch*. Ulyanov and others changed one thing. They measure over each photo alone:
#
# $$\mathrm{IN}(x)_{nchw} = \gamma_c\, \frac{x_{nchw} - \mu_{nc}}{\sqrt{\sigma_{nc}^2 + \epsilon}} + \beta_c, \qquad
# \mu_{nc} = \frac{1}{HW} \sum_{h,w} x_{nchw}, \quad \sigma_{nc}^2 = \frac{1}{HW} \sum_{h,w} (x_{nchw} - \mu_{nc})^2$$
#
# ($\gamma$ and $\beta$ belong to the layer here and are learnt. They are not the weights of (1); the papers use the same letters.)
#
# Their argument: the contrast of the pastiche should be that of the *style*, whether the photo was taken at noon or in fog. So the network has to remove the photo's contrast. With convolutions and ReLUs alone that is hard to learn, since it is
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
# `x.mean(dim=(2, 3), keepdim=True)` has the shape (B, C, 1, 1), and fits x by broadcasting.
# </details>
# <details><summary>Hint 2</summary>
#
# `x.var` divides by $HW - 1$ unless you say `correction=0`. And `gamma.view(1, -1, 1, 1)` puts a channel's number where channels are.
# </details>
#
# Now the experiment: two networks, the same random weights, the same photos in the same order. Only the norm differs. The first one is the network that you have just watched, as it was after 150 steps. The other one gets 150 steps, too.
#
# **Predict, then run.** Which one has the lower loss? And then: we take the contrast out of the photo, step by step. What will each of them paint?

# %%
torch.manual_seed(0)  # as above: the same convolutions to begin with
batch = TransformationNet((8, 16, 32), 2, norm="batch")
plan = learn(batch, STEPS)  # the same plan, left early
batch_total = [terms["content"] + terms["style"] for terms in islice(plan, EARLY)]
total = [c + s for c, s in zip(*curves.values(), strict=True)][:EARLY]
both = {"instance norm": means(total), "batch norm": means(batch_total)}
plot_curves(both, at=range(10, EARLY + 1, 10), y="content + style", title="Same seed, same photos, another norm")

# %%
fog = [photo, 0.4 * photo + 0.35, 0.15 * photo + 0.5]  # the same temple with less and less contrast
rows = [*fog, *(paint(early, image) for image in fog), *(paint(batch, image) for image in fog)]
grid(rows, ["the photo", "in mist", "in fog", *["instance norm"] * 3, *["batch norm"] * 3], columns=3)
for name, network in (("instance norm", early), ("batch norm", batch)):
    spread = [paint(network, image).std(dim=(2, 3)).mean().item() for image in fog]  # the mean of three colours
    print(f"{name:14} contrast of the pastiche: " + ", ".join(f"{value:.3f}" for value in spread))

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Instance norm has the lower loss, from the first steps to the last: about 1.0 after 150 steps, against 1.5. Batch norm has not got as far when all else is equal.
#
# And with instance norm it makes no difference at all how foggy the photo is! That is not even learnt. The first layer is linear: if the photo is $a x + b$, its output is $a$ times as large and shifted by a constant, and
# $(\,\cdot - \mu)/\sigma$ removes both. The second look at the photo is linear, too, and has a norm of its own. So all that follows is the same (nearly: $\epsilon$ is not 0).
#
# Batch norm has learnt the mean and deviation of *usual* photos, and uses these for every photo. From a foggy photo it gets small numbers, and paints a foggy picture.
# </details>
#
# Batch norm has another property. **Predict, then run.** While it is trained, does the pastiche of one photo depend on the photo that happens to stand beside it in the batch?

# %% tags=["nbval-check-output"]
one, friend, other = crops(1)[:1], crops(2)[:1], crops(3)[:1]
for name, network in (("instance norm", quick), ("batch norm", batch)):
    with torch.no_grad():
        beside = [copy.deepcopy(network).train()(torch.cat([one, each]))[:1] for each in (friend, other)]
    same = torch.allclose(*beside, atol=1e-4)
    print(f"{name}: the pastiche {'does not depend' if same else 'depends'} on the photo beside it in the batch")

# %% [markdown]
# With batch norm it does: mean and deviation are taken over both photos. So the same photo is painted a little differently in each step, by chance. With instance norm each photo has only its own.
#
# ### Your code learns to paint
#
# Your training step moves the weights, and your instance norm stands in each layer. The loss is `perceptual_loss` of section 4, the photos are the same. `yours` takes a function of yours if it passes its check; otherwise it takes the course's, and says so.


# %%
def course_step(network, optimizer, loss, photos):
    total = loss(network(photos), photos)
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    return total.item()


train = yours(my_training_step, check.training_step, course_step)
norm = yours(my_instance_norm, check.instance_norm, lambda x, gamma, beta: F.instance_norm(x, None, None, gamma, beta))


class MyNorm(InstanceNorm):
    def forward(self, x, statistics=None):
        return norm(x, self.gamma, self.beta)


# %%
torch.manual_seed(0)
mine = TransformationNet((8, 16, 32), 2, norm=MyNorm)
optimizer = torch.optim.Adam(mine.parameters())
curve = []
for step in range(1, EARLY + 1):
    optimizer.param_groups[0]["lr"] = 1e-2 * rate_factor(step, STEPS, warm_up=20)  # as in section 5
    curve.append(train(mine, optimizer, perceptual_loss, crops(step)))
print(f"loss: {sum(curve[:10]) / 10:.2f} in the first ten steps, {sum(curve[-10:]) / 10:.2f} in the last ten")
pictures = [style, photo, paint(mine, photo), paint(early, photo)]
solved = train is my_training_step or norm is my_instance_norm
who = "your code" if solved else "not yours yet"  # the course's code stands in
titles = ["the style", "the photo", f"{who}, {EARLY} steps", f"the course's, {EARLY} steps"]
grid(pictures, titles, columns=4, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Two pictures of one kind: the same network, the same photos, nearly the same loss (the course's adds a penalty on spikes: see the end of the lesson; so they are not equal pixel by pixel). Give your network
# another style (in section 4), more steps, or more channels.
# </details>
#
# ## 7 · Two more choices: enlarging, and total variation
#
# *Do checkerboards go away by training? What does the term $\gamma\, \ell_{TV}$ do?*
#
# We train a network with transposed convolutions for 150 steps, and compare with our own network after 150 steps, which we kept. Then our finished network (400 steps, γ = 8) goes on for 40 more: without total variation, with γ = 8 as before, with 45, and with 150. We look at a part of the dahlia, enlarged so that you
# see single pixels.
#
# **Predict, then run.** Which of the two networks paints a pattern of single pixels, and where: on the petals or on the dark leaves? Which γ gives the softest outlines?

# %%
torch.manual_seed(0)
transposed = TransformationNet((8, 16, 32), 2, upsampling="transposed")
for _ in islice(learn(transposed, STEPS), EARLY):
    pass
dahlia = resize(samples.content("flower"), 192, "long")  # (1, 3, 128, 192)
part = (..., slice(4, 68), slice(20, 116))  # rows and columns
pictures = [dahlia, paint(early, dahlia), paint(transposed, dahlia)]
grid([image[part] for image in pictures], ["the photo, enlarged", "enlarge, then convolve", "transposed convolution"])

# %%
pictures = {}
for gamma in (0, 8, 45, 150):
    other = copy.deepcopy(quick)
    for _ in learn(other, 40, tv_weight=gamma):
        pass
    pictures[f"γ = {gamma}"] = paint(other, dahlia)
grid([image[part] for image in pictures.values()], [*pictures], columns=4)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# **Checkerboards do not go away soon.** The transposed convolutions fill the leaves with rows of bright dots, four pixels apart. The leaves are nearly one colour, so nothing in the photo hides the pattern. It is there from the beginning, and 150 steps are not enough to learn weights that cancel it. With enlarging the same
# leaves get long streaks, with no more than a faint weave over them. On the petals the dots do not stand out: there the photo has small light and dark spots of its own.
#
# **Total variation** adds up how much neighbouring pixels differ, so each single pixel and each hard outline costs something. The outlines are softest with γ = 150. Without it a fine weave of dark and bright pixels lies over the leaves, and each petal has hard, coloured edges. With 8 the weave is a little weaker. With 45 it is nearly gone,
# and the petals begin to run together. With 150 they are lost, the dark blue fades, and the flower turns pink: total variation asks for soft changes, not for right colours. The networks that ship were trained with 1.5; with more time, less is needed. The paper takes between $10^{-6}$ and $10^{-4}$ with its own divisors, chosen by eye for each style.
# </details>
#
# ## 8 · With more time
#
# *What comes out after more than a minute?*
#
# The networks that ship with the course have five residual blocks, more than twice as many channels, and learnt on several thousand photos. [The card beside the weights](../data/weights/johnson.CARD.md) says for how long and from which start.
# `stylelearn train johnson` trains one from any folder of photos and any style.
#
# They have one more input. In a clear blue sky all neighbourhoods are alike, and a convolutional network maps identical neighbourhoods to identical outputs. It can leave the sky empty or fill it with a pattern that repeats. A painter does neither. So these networks get
# **noise** beside the picture, two channels of it: one that changes from pixel to pixel, one that changes every 4 pixels. Ulyanov's first paper does this for textures. What is irregular in a plain area comes from this noise: more in the colours than in the marks, as the next picture shows. Here is a plain grey card, painted by three of the four.

# %%
card = torch.full((1, 3, 192, 192), 0.6)
with torch.no_grad():
    painted = [trained[name](card) for name in names[1:]]
grid([card, *painted], ["a grey card", *(name.replace("_", " ") for name in names[1:])], columns=4)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Nothing but the noise differs from place to place, so the norms enlarge it until it has the style's contrast. The noise is the same for all three, and each makes something else of it. The wave makes pale and dark clouds, drawn out sideways and cracked. The glass makes small panes between black lines, orange and violet in one place, blue in another. The night makes short slanting strokes, blue ones and, in patches, yellow ones.
# </details>
#
# **Predict, then run.** For which of these photos will it work worst: the temple, the cat, the black-and-white photographer?

# %%
chosen = names[1:]
views = [resize(samples.content(name), 256, "long") for name in ("china", "chelsea", "camera")]
pictures, titles = [], []
for image, subject in zip(views, ("temple", "cat", "photographer"), strict=True):
    pictures += [image, *(paint(trained[name], image) for name in chosen)]
    titles += [subject, *(name.replace("_", " ") for name in chosen)]
grid(pictures, titles, columns=4)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# All of them are painted, and the black-and-white photograph gets the colours of the style: nothing in the losses says that there was no colour. It works worst for the photographer. His face is less than 30 pixels wide. In the wave a pale profile is left; in the glass and in the night eye, nose and mouth melt into the camera and his hand. The losses do not know what matters to us.
# Around dark figures there is a halo without marks, violet in the glass and pale blue in the night.
#
# Large plain areas are the other weak point: there is no edge that a stroke could follow. On the cat many strokes run along the fur. In the sky above the temple the wave has only pale ripples. The glass fills it with short slanting lines, the night with strokes that turn from blue to yellow. On the lawn there are furrows of the wave,
# panes of the glass, and fine strokes of the night. In each picture the marks are of about one size. The wave itself, the sun of the glass and the swirls of the night do not come along. Small networks have few marks, and noise moves them about, but does not make new ones.
#
# Where do you see what the noise does, and where a pattern that repeats? (The sky of the night is yellow in one place and blue in another, though the photo's sky hardly changes: on the grey card you saw the same, and there only the noise differs. The panes on the lawn of the glass stand almost in rows.)
# </details>
#
# ### A larger photo
#
# **Predict, then run.** The same photo at 128, 256 and 512 pixels. All three are shown equally large. In which one are the panes on the table largest?

# %%
sizes = {side: resize(samples.content("coffee"), side, "long") for side in (128, 256, 512)}
network = trained["stained_glass"]
shown = [resize(paint(network, image), 256, "long") for image in sizes.values()]
grid([glass, *shown], ["the style", *(f"painted at {side} px" for side in sizes)], columns=4, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# At 128 pixels: there the table has a few large panes with thick black lines. At 512 it is covered with a net of small ones, and cup, saucer and spoon are drawn sharply. (The picture at 128 is also blurred, because it is shown enlarged.)
#
# A network without fully connected layers takes any size. But it has learnt marks of a certain size in *pixels*, and its receptive field is some 100 pixels (section 2). In a larger photo the same marks look finer. If you want large marks in a large photo, train with a larger
# style picture, or do as follows.
# </details>
#
# ### From coarse to fine
#
# Shrink the photo to half of its size, paint it, and enlarge the pastiche again: its panes are large now, but the picture is blurred. So let the network paint once more. We give it a mixture: each pixel is the mean of the photo and the blurred pastiche. The large panes are in it already, and the network draws their lines sharply.
#
# The small photo can be painted in this way, too: shrink it once more, and begin there. Wang and others (*Multimodal Transfer*, CVPR 2017) have a network for each size; here the same one does all of it, and needs no further training.
#
# **Work out, predict, then run.** How many more pixels than in one pass are painted in all? The *share* of the pastiche in the mixture was a half. What will be lost with 0.9?

# %%
large = sizes[512]  # (1, 3, 342, 512)
half = F.avg_pool2d(large, 2)  # each pixel the mean of 2 × 2
broad = F.interpolate(paint(network, half), size=large.shape[2:], mode="bilinear")
found = {"at once": paint(network, large), "half the size, enlarged": broad}
found["that, mixed in and painted over"] = paint(network, (large + broad) / 2)
with torch.no_grad():  # as often as there are 80 pixels left: here from 86 on
    found |= {f"three sizes, share {share}": coarse_to_fine(network, large, share) for share in (0.5, 0.9)}
grid([large, *found.values()], ["the photo", *found], columns=3)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# A third more at most, and so a third more time: half of the size is a quarter of the pixels, and 1/4 + 1/16 + 1/64 + … = 1/3. Compare the table. Painted at once, it has a fine net. Mixed in and painted over, the panes are twice as large and their lines are sharp. With three sizes they are larger still, and the cup is still whole.
# With a share of 0.9 the network hardly sees the photo: the panes are the largest, but the rim of the cup breaks off at the right, and handle and spoon are only spots.
#
# The pictures at the top of this lesson were painted in this way (there the photo is small, and one halving is enough). In the lab it is the slider **broad marks**, and `stylelearn stylize` has `--coarse`.
# </details>
#
# ## 9 · Against lesson 02
#
# *The same objective, with the same weights. Which one gets lower: the network, or the optimisation? And when?*
#
# We take a style of the course's own, and very nearly the objective that its network was trained for. (The network learnt with the root of each style loss; here both are measured by the square, with weights to match.) The optimisation starts from the photo.
#
# **Predict, then run.** After how many steps is the optimisation as good as the network?

# %% tags=["nbval-ignore-output"]
own = next(name for name in names if name in samples.style_names())
network = trained[own]
painting = samples.style(own, min(network.about.get("style_size", [256])))
weights = network.about.get("objective", model.objective)  # what it was trained for
objective = gatys.objective(cat, painting, encoder=encoder, **weights)
begin, curve, at = time.perf_counter(), [], {}
for step in gatys.stylize(cat, painting, encoder=encoder, steps=100, levels=1, **weights):
    curve.append(min(step.loss, curve[-1] if curve else step.loss))
    if step.number in (10, 30, 100):
        at[f"{step.number} steps"] = (step.best_image, time.perf_counter() - begin)
at = {"the network": (paint(network, cat), seconds(paint, network, cat)), **at}
for name, (image, took) in {"the photo": (cat, 0.0), **at}.items():
    terms = {term: value.item() for term, value in objective(image).items()}
    styles = sum(value for term, value in terms.items() if term.startswith("style"))
    content = sum(value for term, value in terms.items() if term.startswith("content"))
    print(
        f"{name:12} content {content:5.2f}  style {styles:6.2f}  all together {sum(terms.values()):6.2f}  {took:7.3f} s"
    )

# %%
level = sum(objective(at["the network"][0]).values()).item()
lines = {"optimisation (lesson 02)": curve, "the network, one pass": [level] * len(curve)}
plot_curves(lines, y="objective", title="The same objective")
shown = {"the style": painting, "the photo": cat} | {name: image for name, (image, _) in at.items()}
grid([*shown.values()], [*shown], columns=3, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The lines cross after ten to fifteen steps: there the optimisation has caught up. From there on it is better: it works for this one photo, while the network has learnt what is good for photos on average. The paper found its networks to be as good as 50 to 100
# steps of the optimisation. Ours are smaller and had less training, so they are overtaken sooner. The network has needed the time of a step or two.
#
# Look at the pictures, not only at the numbers. After 10 steps the fur is still brown, and thin lines have begun. The network, with nearly the same number, has already given up the fur for pink, orange and black lines. But its lines are much alike: they slant the same way in the fur and beside the cat. After 100 steps the
# colours of the glass stand in the background, the eyes are glass green, and the lines differ in length and direction. The fur is still partly brown: the optimisation lowers the content loss, too, and keeps each hair that it can.
# </details>
#
# ## The lab
#
# All networks of the course, live.
#
# - **content** and **size**: any photo, from the gallery, uploaded, or from an address; the longer side up to 1024 pixels.
# - **style** takes another network. Each knows one style, and no other.
# - **strength (blend)** lays the pastiche over the photo, pixel by pixel, like a half transparent sheet. It is no part of the method: the network itself has no such setting. (Lessons 05 and 08 have a true one; **broad marks** only changes what the network is given.)
# - **colours of**: the style's, or the photo's own with the brightness of the pastiche.
# - **broad marks** is the share of the coarse pastiche (section 8). It begins at 0.5; at 0 the photo is painted at once.
# - **Save** keeps the settings inside the file.
#
# Things to try: the same photo at 128 and at 1024 pixels. A photo of the night sky. A strength of 0.5: what tells you that this is only a blend?
#
# <details><summary>How to tell</summary>
#
# Both pictures are there at once. You see the cat's own hair *through* the strokes, brown mixes with blue to grey, and all strokes are half as strong. A network that painted with less style would make fewer strokes, or smaller ones, each in its full colour.
# </details>

# %% tags=["nbval-ignore-output"]
lab = JohnsonLab(content="chelsea", style=names[-1], size=384)
lab

# %% [markdown]
# The network that you trained fits in, too: save it, and give the lab its file. (It has learnt fine marks only, so broad marks begins at 0 here.) To take it with you, type `stylelearn export my_network.safetensors -o painter.html` in a terminal: one page that paints photos and what the camera sees on any phone or laptop, without internet.

# %% tags=["nbval-ignore-output"]
file = Path(tempfile.mkdtemp()) / "my_network.safetensors"  # another name, such as "waves.safetensors", keeps it
johnson.save(quick, file)
lab = JohnsonLab(content="camera", style=file, coarse=0, size=256)
lab

# %% [markdown]
# ## Differs from the paper
#
# - **Less training**: several thousand photos instead of 80,000, smaller squares than 256 pixels, and far fewer than 40,000 steps.
# - **A smaller network** with **light ends** and a **second look** at the photo (section 2), so that a laptop paints 256 pixels in a fraction of a second. The paper's has 1,679,235 weights, and takes more than twice as long.
# - **Instance norm** instead of batch norm, and **enlarge, then convolve** instead of transposed convolutions. `norm="batch"` and `upsampling="transposed"` give the paper's.
# - **A smaller loss network**: the course's encoder and not VGG-16, so textures are simpler than in the paper's figures. The paper compares style in `relu1_2`, `relu2_2`, `relu3_3` and `relu4_3`, and content in `relu2_2` for its pictures;
#   ours are `johnson.CONTENT_LAYER`, and for style `johnson.LAYER_WEIGHTS`; the networks that ship give `relu4_1` more weight, and `relu5_1` a little.
# - **Noise** beside the picture, in the networks that ship: Ulyanov's idea, not Johnson's.
# - **From coarse to fine** (section 8), in the pictures at the top, the labs and the command.
# - **A penalty on spikes** while our networks learn. A network can defeat its normalisations with one extreme value in a dark place, and paint a black drop there. `spikes` and `saturation` in `stylelearn/networks/transformation.py` measure this, so that training can punish it.
# - **The losses** are divided by the size of their target (lesson 02, section 10). The networks that ship were trained with the root of each style loss, $\|G - A\| / \|A\|$: it goes on asking when Gram matrices are nearly right, and pictures get more colours than one (`losses.style_error`).
# - **Reflection in each layer**, and a margin of 8 pixels that is painted and cut off, instead of 40 pixels that unpadded blocks use up.
#
# ## Summary
#
# - The losses of lesson 02 can train a network. It needs photos and one style, and no examples.
# - Painting is then one pass: one to three hundred times faster, for this one style. A few passes from coarse to fine give strokes of several sizes.
# - At a quarter of the size a layer sees further for the same cost. Residual blocks keep what need not change. Reflection avoids frames.
# - Transposed convolutions overlap unevenly. Enlarge first, then convolve.
# - Instance norm removes the photo's contrast, so the pastiche has the style's.
# - The optimisation ends lower, because it works for this one photo. The network needs the time of a step or two.
#
# **Common misconceptions**
#
# - *"It was trained on pairs of photos and paintings."* There are no such pairs. The losses are computed for whatever the network paints.
# - *"The loss network paints."* It only computes the losses, and only in training. The shipped file does not contain it.
# - *"Training on six photos must overfit."* Six photos give thousands of squares, and a style is local. A network this small cannot memorise photos.
# - *"Instance norm is batch norm with batch size 1."* While training, yes. But batch norm then *uses* other numbers: the means that it has collected.
# - *"Strength 0.5 is half as much style."* Here it is half of each of two pictures.
# - *"It is faster, so it costs less."* For one picture lesson 02 is much cheaper than training.
#
# **To read**: the two papers; Ulyanov, Lebedev, Vedaldi and Lempitsky, *Texture Networks*, ICML 2016, the same idea in the same months; Odena, Dumoulin and Olah,
# [*Deconvolution and Checkerboard Artifacts*](https://distill.pub/2016/deconv-checkerboard/), Distill 2016, with pictures that move; Gross and Wilber, *Training and investigating Residual Nets*, 2016, on which our blocks are modelled.
#
# **Next**: one network for each style, and nothing between them. [Lesson 04](04_cin.ipynb) shows that nearly all of such a network can be the same for every style. What differs fits into 1,600 numbers, and numbers can be mixed.

# %% [markdown] tags=["solution"]
# ## For teachers
#
# **Timings** (100 minutes): sections 1 and 2 with exercise 1, 20 minutes · section 3 with exercise 2, 15 · section 4 with exercise 3, 15 · section 5, 10 (let them talk while it trains) · section 6 with exercise 4 and your own network, 22 · sections 7 to 9, 13 · the
# lab, 5. Short of time: leave out section 7. The live training takes about half a minute on two cores; on a slower machine set `STEPS = 200`.
#
# **Show.** The live training of section 5, on the projector, and nothing else for that half minute: the drawing, then colours and lines. Then the fog of section 6: ask which of the two norms they would like to have in a phone. Then a learner's own network, painted live.
#
# **Expected results.** Colours and lines are there by step 100, and the style loss falls many times over. In section 6 the three pictures of instance norm look the same and those of batch norm fade; a learner's own network paints like the course's after as many steps. In section 9 the lines cross after ten to fifteen steps.
#
# | Section | Printed, or above a picture | Expect |
# | --- | --- | --- |
# | 2 | `5 residual blocks:` | 95, exactly |
# | 2 | `widths (32, 64, 128), 5 blocks:` | 1679235, exactly |
# | 3 | `kernel 3, stride 2: [1, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1]` | as it stands |
# | 3 | `nearest largest deviation from one colour:` | 0 to 0.0001 |
# | 6 | `instance norm contrast of the pastiche:` | 0.12 to 0.25, and the same three times |
# | 6 | `batch norm contrast of the pastiche:` | 0.02 to 0.3, and falling |
# | 9 | `the photo content 0.00 style` | 41 to 46 |
#
# **Where they get stuck.** In exercise 1 a layer's own stride is applied to itself. In exercise 3 `zero_grad()` is forgotten: the first step is right and the second is not, and the check looks at both. In exercise 4 dimension 0 is in
# the mean: that is batch norm, and with a batch of one nobody notices.
#
# **Questions for a discussion.**
#
# - *Why does the content loss fall so little in section 5?* It is the price of the strokes. An untrained network has both losses high; a trained one has given up the photo's details, which strokes must cover.
# - *What would happen with a single photo in the album?* It would still learn to paint: a thousand squares of one photo still teach strokes. But colours and things that this photo lacks (a sky, a face) would be painted badly.
# - *With instance norm a photo of fog and one of a clear day give the same picture. When is that wrong?* When the fog is the subject. The network cannot paint a pale picture of a pale day.
# - *Would you rather have one network for all styles, or one for each?* One for each paints better (it has nothing else to learn) and can be trained on its own. But each needs a training and a file. Lesson 04 shares nearly everything.
