# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 · Many styles in one network
#
# In lesson 03 a network paints in a fraction of a second. But it knows one style. For the next one you train again, from the beginning, and keep one more file. A dozen
# styles, a dozen networks.
#
# Vincent Dumoulin, Jonathon Shlens and Manjunath Kudlur asked what these networks have in common. Nearly everything, they found. Two numbers for each channel
# are enough to tell a network *which* style to paint in. And if a style is a short list of numbers, we can calculate with styles: mix two,
# change from one to the other across a picture, and learn a new one without changing the rest.
#
# **After this lesson you can …**
#
# - write conditional instance norm, and say how it differs from the norm of lesson 03,
# - count what a style is, in numbers,
# - mix styles by a slider, on a pad, and from place to place with a mask,
# - teach a trained network a new style in a minute, and prove that the old ones are unchanged,
# - paint with your own norms,
# - say where mixing fails.
#
# **Builds on** [lesson 02](02_gatys.ipynb) and [lesson 03](03_johnson.ipynb) · **about 80 minutes**, with the exercises · **paper**: V. Dumoulin, J. Shlens and M. Kudlur, *A
# Learned Representation for Artistic Style*, ICLR 2017 ([arXiv 1610.07629](https://arxiv.org/abs/1610.07629)). Equation numbers are the paper's.

# %%
# %config InlineBackend.figure_formats = ['jpeg']
import copy
import tempfile
from functools import partial
from itertools import combinations
from pathlib import Path

import torch

from stylelearn import cin, losses, samples
from stylelearn.checks import cin as check
from stylelearn.checks import yours
from stylelearn.encoders import STYLE_LAYERS, Encoder
from stylelearn.figures import grid, plot_curves
from stylelearn.figures.display import display_figure
from stylelearn.images import psnr, resize, to_pil, write_image
from stylelearn.johnson import TransformationNet
from stylelearn.lab import CinLab
from stylelearn.lab.mixing import bilinear
from stylelearn.networks.coarse import coarse_to_fine
from stylelearn.networks.transformation import modulate
from stylelearn.training import Crops

network = cin.load()  # one trained network
cat = resize(samples.content("chelsea"), (176, 264), "box")  # (1, 3, 176, 264)
photo = resize(samples.content("china"), (176, 264), "box")  # likewise


# %% [markdown]
# This is the goal. Above: a photo, and two pictures whose styles the network knows. Below: what it paints, in one style, from one style to the other, and in the other style. All three come from one network, from coarse to fine (lesson 03, section 8):


# %%
def paint(image, style, by=None):
    """The pastiche of an image (B, 3, H, W); style is a name, or how much of each style by name."""
    net = by or network
    with torch.no_grad():
        return coarse_to_fine(partial(net, mix=net.mix(style)), image)


def strip(style):
    """The middle of a style's picture, as large as our photos: (1, 3, 176, 264)."""
    return samples.style(style, 264)[:, :, 44:220]


left = torch.linspace(1, 0, cat.shape[3]).expand(cat.shape[2:])  # (176, 264): 1 at the left edge, 0 at the right
across = {"mosaic": left, "woodcut_waves": 1 - left}
goals = {"the photo": cat} | {f"the style {name}": strip(name) for name in across}
goals |= {"mosaic": paint(cat, "mosaic"), "from one to the other": paint(cat, across)}
goals |= {"woodcut_waves": paint(cat, "woodcut_waves")}
grid([*goals.values()], [*goals], columns=3)

# %% [markdown]
# ## 1 · From N networks to one
#
# *Does each style need a network of its own?*
#
# Think of what a network of lesson 03 has to know. It has to find edges and surfaces, keep things in their places, lay strokes, draw lines, enlarge without
# checkerboards. All of that is the same for a mosaic and for a watercolour. What differs is which of these skills is used how much.
#
# So let all styles share the convolutions, and let each style decide *how strongly each channel is used*. Behind nearly every convolution
# there is a normalisation, and it ends with two numbers for each channel: a contrast $\gamma$ and a level $\beta$. The paper's idea is to make these two, and
# nothing else, the style's own.
#
# **Predict, then run.** One network for a single style has a certain number of weights. How many more does one for 16 styles need: 16 times as many, twice as
# many, or a few per cent more?

# %% tags=["nbval-check-output"]
single = sum(weights.numel() for weights in TransformationNet(noise=network.noise).parameters())  # one of lesson 03's
own = network.numbers_per_style()
print(f"{'styles':>6}{'a network each':>18}{'one network':>15}{'more than for one':>20}")
for styles in (1, 4, 16, 64):
    together = single + (styles - 1) * own
    print(f"{styles:6}{styles * single:18,}{together:15,}{together / single - 1:20.1%}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# One more style costs 0.3 per cent of the network (0.2 in the paper's, which has more weights). If that works, styles have more in common, inside such a network,
# than their pictures suggest.
#
# It saves work, too. All styles train the same convolutions, so each of them profits from the others.
# </details>
#
# ## 2 · Conditional instance norm
#
# *Where in the network does the style enter?*
#
# Lesson 03's instance norm takes one channel $x$ of one picture, makes its mean 0 and its spread 1, and then gives it a new contrast and level. With an index $s$ for
# the style this becomes **conditional instance norm**:
#
# $$z = \gamma^s \left( \frac{x - \mu}{\sigma} \right) + \beta^s \qquad\text{(5)}$$
#
# $\mu$ and $\sigma$ are taken over the positions of this one picture and channel. $\gamma^s$ and $\beta^s$ are row $s$ of two tables with a row for each style and a
# column for each channel. That is the whole change.
#
# ### Exercise 1 — conditional instance norm
# *difficulty ●●○ · importance ●●● · 10 minutes*
#
# Write (5) for a batch in which each picture has a style of its own. Put $\varepsilon = 10^{-5}$ inside the root of $\sigma$, as in lesson 03.


# %% tags=["exercise"]
def my_conditional_norm(x, gamma, beta, which):
    """x is (B, C, H, W), gamma and beta are (S, C), which is (B,): the number of each picture's style."""
    raise NotImplementedError


check.conditional_norm(my_conditional_norm)


# %% tags=["solution"]
def my_conditional_norm(x, gamma, beta, which):
    """x is (B, C, H, W), gamma and beta are (S, C), which is (B,): the number of each picture's style."""
    variance, mean = torch.var_mean(x, dim=(2, 3), correction=0, keepdim=True)  # (B, C, 1, 1) each
    normalised = (x - mean) / (variance + 1e-5).sqrt()
    return gamma[which][:, :, None, None] * normalised + beta[which][:, :, None, None]


check.conditional_norm(my_conditional_norm)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `torch.var_mean(x, dim=(2, 3), correction=0, keepdim=True)` gives variance and mean of each channel of each picture, with the shape (B, C, 1, 1).
# </details>
# <details><summary>Hint 2</summary>
#
# `gamma[which]` picks one row for each picture: (B, C). Two more dimensions at the end, `[:, :, None, None]`, and it can be multiplied with x.
# </details>
#
# ## 3 · One photo, every style
#
# *How different can pictures be that share all convolutions?*
#
# Beside the photo the network takes the share of each style: one row of shares for each picture. For a single style the row is 1 at its
# place and 0 elsewhere. Since each picture of a batch has its own row, one batch paints one photo in all styles.
#
# **Predict, then run.** Same convolutions, same photo. What will differ: only the colours, or also strokes and lines? Here are nine of the styles. Below each you see the cat in this style.

# %%
shares = torch.eye(len(network.styles))  # (S, S): row s is "nothing but style s"
batch = cat.expand(len(network.styles), -1, -1, -1)  # (S, 3, 176, 264)
with torch.no_grad():
    pastiches = coarse_to_fine(partial(network, mix=shares), batch)  # (S, 3, 176, 264)
everything = dict(zip(network.styles, pastiches, strict=True))
known = [name for name in network.styles if name in samples.style_names()]  # the others are paintings in museums
pictures, titles = [], []
for three in (known[:3], known[3:6], known[6:]):  # a row of styles, and below it the cat in these styles
    pictures += [strip(name) for name in three] + [everything[name] for name in three]
    titles += [*three, "", "", ""]
grid(pictures, titles, columns=3)

# %% [markdown]
# The other seven styles are paintings from museums. We have no picture of them here; look them up if you like: *Starry Night* and *Café Terrace at Night* by van Gogh, *The Great Wave* by Hokusai, *The Scream* by Munch, *Udnie* by Picabia, *Composition VII* by Kandinsky, and
# *The Shipwreck of the Minotaur* by Turner.

# %%
museum = {"the photo": cat} | {name: everything[name] for name in network.styles if name not in known}
grid([*museum.values()], [*museum], columns=4)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Colours and contrast, and also the kind of marks: level streaks in `woodcut_waves`, little stones in `mosaic`, dark leads around glowing panes in `stained_glass`. All from the same filters, used in other proportions.
#
# Look closer and you also see what the pictures have in common. The shared convolutions have a limited set of marks, and a style chooses among them. Short dark cracks, level or upright, are in many of the pictures: in `stained_glass` they are the leads, but `woodcut_waves`, `watercolour` and `cubist_facets` have them too, whose paintings do not look cracked at all. On the cat the marks follow its fur. Beside the cat, where the photo is plain, there is nothing to follow, and one mark fills the place: stones in `mosaic`, level streaks in `impasto`, soft pale patches in `watercolour`. The noise that the network sees beside the photo (lesson 03, section 8) scatters the marks a little.
#
# Not every likeness succeeds. `cubist_facets` has the browns of its painting and its light and dark, but hardly a straight edge. `batik` has blue and white in small dashes, but no rosette, and the dashes cover the cat as they cover all else. A network as small as this one works best on photos with some texture.
# </details>
#
# The convolutions are the same for all styles; only γ and β differ. Let us make sure, by building lesson 03's network out of one row:

# %% tags=["nbval-check-output"]
shape = {key: network.about[key] for key in ("widths", "blocks", "noise", "ends")}
plain = TransformationNet(**shape).eval()  # plain instance norm, one style
row = network.styles.index("mosaic")
state = {key: value[row] if key.endswith(("gamma", "beta")) else value for key, value in network.state_dict().items()}
plain.load_state_dict(state)
with torch.no_grad():
    print("the same picture:", torch.allclose(coarse_to_fine(plain, photo), paint(photo, "mosaic"), atol=1e-3))

# %% [markdown]
# ## 4 · What is a style?
#
# *How many numbers is "mosaic"?*
#
# Let us count. The network has $a$ channels at full size, $b$ at half and $c$ at a quarter (20, 40, 80 here). From the photo to the picture:
#
# 1. one convolution goes down to a quarter, with $c$ channels; then come residual blocks with $c$ channels (three here);
# 2. one convolution enlarges to half of the size, with $b$ channels. Another looks at the photo once more, straight from full size to half, also with $b$ channels, because fine marks get lost at a quarter (lesson 03). This second look has a norm of its own. Then the two are added, and the *sum* has a norm. Then come residual blocks with $b$ channels (two here);
# 3. one convolution enlarges to full size, with $a$ channels, and the last one makes the three colours.
#
# So each convolution of steps 1 and 2 has a norm behind it; for the one that enlarges it stands after the sum. A residual block has two convolutions, so two norms. In step 3, at full size, there is none.
#
# ### Exercise 2 — numbers per style
# *difficulty ●○○ · importance ●●○ · 5 minutes*
#
# Give the number of $\gamma$ and $\beta$ that belong to one style.


# %% tags=["exercise"]
def my_numbers_per_style(widths, blocks):
    """widths is (a, b, c); blocks is (how many at a quarter of the size, how many at half), here (3, 2)."""
    raise NotImplementedError


check.numbers_per_style(my_numbers_per_style)


# %% tags=["solution"]
def my_numbers_per_style(widths, blocks):
    """widths is (a, b, c); blocks is (how many at a quarter of the size, how many at half), here (3, 2)."""
    _, b, c = widths
    coarse, fine = blocks
    channels = c + coarse * 2 * c + 2 * b + fine * 2 * b
    return 2 * channels


check.numbers_per_style(my_numbers_per_style)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Write down the channels of each norm, in their order, for one block of each kind: c, c, c, b, b, b, b.
# </details>
# <details><summary>Hint 2</summary>
#
# Each channel has one $\gamma$ and one $\beta$.
# </details>
#
# (Code has been published in which the norms *inside the residual blocks* were forgotten, and stayed the same for all styles. It runs, and it learns. But most of the numbers above are
# in the blocks, so its styles have little to choose from.)
#
# ### Does each of them count?
#
# Take one table of one norm, add some noise to the row of our style, and see how far the picture changes.
#
# **Predict, then run.** Which norms matter most: early ones, those in the blocks, late ones? Will there be any that do not matter at all? (`look` is the norm of the second look, `enlarge` the one after the sum; blocks 4 and 5 stand at half of the size.)


# %%
def moved(number, table, style="mosaic", noise=0.2):
    """How far the picture moves, per value, if one table of one norm gets noise."""
    other = copy.deepcopy(network)
    row = getattr(other.norms()[number], table)[network.styles.index(style)]  # (C,)
    row += noise * torch.randn(row.shape, generator=torch.Generator().manual_seed(number))
    return (paint(photo, style, other) - paint(photo, style)).abs().mean().item()


blocks = [f"block {block}{half}" for block in (1, 2, 3, 4, 5) for half in "ab"]
places = ["first", *blocks[:6], "look", "enlarge", *blocks[6:]]  # the last two blocks stand at half of the size
found = {table: [moved(number, table) for number in range(len(places))] for table in ("gamma", "beta")}
for number, place in enumerate(places):
    print(f"{place:10} γ {found['gamma'][number]:.4f}   β {found['beta'][number]:.4f}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# Mostly late ones: the second norm of block 4 and the norm behind the sum ("enlarge") lead both columns. What they give goes on to the last two convolutions, and no norm behind them takes a level or a contrast away again. Being late is not enough: block 5a is one of the smallest: another norm (5b) follows it, and takes part of its effect away. And being early is no obstacle: the γ of the very first norm is one of the large ones, since everything else comes through it.
#
# Some do not count at all. Look at the $\beta$ of the second norm in each of the first three blocks (block 1b, 2b, 3b): 0.0000. Here is why. Such a $\beta$ adds a constant to a whole channel. Whatever comes next is
# a convolution, which turns a constant into a constant, and then a norm, which subtracts the mean. Nothing is left of it. (In a block the sum with the input is not
# followed by a ReLU, which would change that.) In blocks 4 and 5 it does count: what they add goes on to a convolution without a norm. The second look at the photo has such a $\beta$, too: the norm after the sum removes it. So of our numbers for each style, one in six has no effect, and in the paper's network one in five. The
# *number* of parameters says little about how many choices there are.
#
# This holds for a picture in one style. In section 6 styles change from place to place. Then $\beta$ is no constant any more, and these numbers have an effect.
# </details>
#
# ## 5 · Mixing styles
#
# *What lies between two styles?*
#
# If a style is a list of numbers, then so is the mean of two. For shares $w_s \ge 0$ that add up to 1,
#
# $$\gamma = \sum_s w_s \gamma^s, \qquad \beta = \sum_s w_s \beta^s .$$
#
# The network was never trained for a mixture. A mixture of numbers need not look like a mixture of pictures, a *cross-fade*, in which everything of both is there at half strength.
# So we make both for each pair of styles that we have a picture of, with a small photo. The gap: how far mixture and cross-fade differ, divided by how far the two finished pictures differ. 0 is the same picture.

# %%
pairs = list(combinations(known, 2))
tiny = resize(cat, (64, 96), "box")  # (1, 3, 64, 96)
alone = {name: paint(tiny, name) for name in known}
fades = torch.cat([(alone[a] + alone[b]) / 2 for a, b in pairs])  # (number of pairs, 3, 64, 96)
halfway = torch.cat([paint(tiny, {a: 1, b: 1}) for a, b in pairs])  # likewise
apart = torch.cat([alone[a] - alone[b] for a, b in pairs])  # likewise
gaps = (halfway - fades).square().mean(dim=(1, 2, 3)).sqrt() / apart.square().mean(dim=(1, 2, 3)).sqrt()
one, two = "stained_glass", "batik"
print(f"{len(pairs)} pairs, with gaps from {gaps.min():.2f} to {gaps.max():.2f}")
print(f"{one} and {two}: {gaps[pairs.index(tuple(sorted((one, two), key=known.index)))]:.2f}")

# %% [markdown]
# Where the gap is small the eye can hardly tell the two apart: this network's styles share all convolutions, and much of what they paint. The pair in the last line has one of the largest gaps, and we look at it closely.
#
# **Predict, then run.** We show the two styles on the cat, and two kinds of "half of each": one in which we mix the *numbers*, and one in which we cross-fade the two finished *pictures*. Below, a part of these two is enlarged. The stained glass makes the nose one pane, orange above and pink below; the batik covers it with small dashes. Which colour will the nose have in each half?

# %%
ends = [paint(cat, name) for name in (one, two)]
ways = {"mixed": paint(cat, {one: 1, two: 1}), "cross-faded": (ends[0] + ends[1]) / 2}
part = (..., slice(70, 160), slice(75, 210))  # the nose and the cheek: rows and columns
shown = {f"all {name}": image for name, image in zip((one, two), ends, strict=True)}
shown |= {f"half of each, {how}": image for how, image in ways.items()}
shown |= {f"{how}, enlarged": image[part] for how, image in ways.items()}
grid([*shown.values()], [*shown], columns=2)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# In the cross-fade it has the colours of the pane, only duller, with the dashes of the batik upon them, half as strong. It cannot be otherwise: everything of both is there at half strength. In the mixture most of the nose is one clear red, and only a few dashes are left beside it. The dark lines on the cheek are as dark as the leads of the glass, but closer together, it is nearly white and blue between them, and the contrast is stronger than in the cross-fade. The network
# has not laid one picture over the other. It painted the photo itself, with numbers between those of the two styles.
#
# Other pairs give a mixture that is nearly a cross-fade, such as `ink_hatching` and `cubist_facets`. (Change `one` and `two` to two names of `known`.)
# </details>
#
# Is the mixture *between* the two, also in numbers? We measure the style loss to both paintings, along the slider.
#
# **Predict, then run.** Two curves. Which way does each go? Straight, or bent?

# %%
encoder = Encoder("mini")


def grams(image):
    """Layer -> Gram matrix (1, C, C), divided by the number of positions."""
    return {layer: losses.mean_gram(features) for layer, features in encoder(image, STYLE_LAYERS).items()}


def style_distance(image, target):
    """The style loss of lesson 02, without its weight: the mean over five layers; target is made by `grams`."""
    features = encoder(image, STYLE_LAYERS)
    return sum(losses.style_loss(features[layer], target[layer]).item() for layer in STYLE_LAYERS) / len(STYLE_LAYERS)


curves = {f"to {name}": [] for name in (one, two)}
along = [step / 10 for step in range(11)]
for name in (one, two):
    target = grams(samples.style(name, 256))
    for share in along:
        curves[f"to {name}"].append(style_distance(paint(cat, {one: 1 - share, two: share}), target))
plot_curves(curves, x=f"share of {two}", y="style loss", title="From one style to the other", log=False, at=along)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Each curve is lowest at its own end, or close to it, and nothing jumps: the paper shows the same in its figure about mixing. Here both are almost flat near their own end, and then rise. They cross a little beyond the middle. They are bent for two reasons: the network is not
# linear, and the style loss is a square, which is flat near its lowest point.
# </details>
#
# ### Four styles and two sliders
#
# Put a style in each corner of a square, and a ring between them. `across` runs from 0 (left) to 1 (right), `down` from 0 (top) to 1 (bottom). In a corner only its style counts, in the middle
# all four count the same.
#
# ### Exercise 3 — the pad
# *difficulty ●●○ · importance ●●○ · 10 minutes*
#
# Give the four shares, in the order ↖ ↗ ↙ ↘. They must add up to 1 everywhere.


# %% tags=["exercise"]
def my_shares(across, down):
    """The shares of ↖, ↗, ↙ and ↘ for a ring at (across, down), each from 0 to 1."""
    raise NotImplementedError


check.pad_shares(my_shares)


# %% tags=["solution"]
def my_shares(across, down):
    """The shares of ↖, ↗, ↙ and ↘ for a ring at (across, down), each from 0 to 1."""
    left, top = 1 - across, 1 - down
    return left * top, across * top, left * down, across * down


check.pad_shares(my_shares)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# First only the upper edge, `down = 0`: how much is ↖ there, how much ↗?
# </details>
# <details><summary>Hint 2</summary>
#
# A share for left or right times a share for top or bottom. This is called *bilinear*.
# </details>
#
# Here is the whole square, at nine positions of the ring.
#
# **Predict, then run.** Along the upper edge, do the stones turn into lines suddenly, or little by little?

# %%
corners = ["mosaic", "woodcut_waves", "watercolour", "udnie"]
steps = [0, 0.5, 1]
small = resize(samples.content("coffee"), (128, 192), "box")  # (1, 3, 128, 192)
square = [paint(small, dict(zip(corners, bilinear(across, down), strict=True))) for down in steps for across in steps]
titles = [""] * 9
titles[0], titles[2], titles[6], titles[8] = corners
grid(square, titles, columns=3, alt=f"A square of 9 pastiches of a coffee cup between {', '.join(corners)}")

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Little by little, but not everywhere at once. In the middle of the upper edge there are still small stones on the left, and already dark lines and the blue of the waves on the right. The cup, which the photo draws strongly, keeps its form; only its marks and tints change.
# </details>
#
# ## 6 · Another style at each place
#
# *Can the sky be one style and the roof another?*
#
# The norm multiplies each position of a channel by $\gamma$. Nothing says that it has to be the same number everywhere. Let $m_s(y, x)$ be a **mask** for each style, a picture of its share at
# each place, with $\sum_s m_s = 1$. Then
#
# $$\gamma(y, x) = \sum_s m_s(y, x)\, \gamma^s, \qquad \beta(y, x) = \sum_s m_s(y, x)\, \beta^s .$$
#
# In deeper layers the mask is made smaller, to the layer's size. $\mu$ and $\sigma$ stay as they are: one pair for each channel, taken over the *whole* picture.
#
# ### Exercise 4 — a norm with masks
# *difficulty ●●○ · importance ●●○ · 10 minutes*
#
# Write it for one picture, with masks that already have the layer's size.


# %% tags=["exercise"]
def my_spatial_norm(x, gamma, beta, masks):
    """x is (1, C, H, W), gamma and beta are (S, C), masks (S, H, W) that add up to 1 at each place."""
    raise NotImplementedError


check.spatial_norm(my_spatial_norm)


# %% tags=["solution"]
def my_spatial_norm(x, gamma, beta, masks):
    """x is (1, C, H, W), gamma and beta are (S, C), masks (S, H, W) that add up to 1 at each place."""
    variance, mean = torch.var_mean(x, dim=(2, 3), correction=0, keepdim=True)  # (1, C, 1, 1) each
    here = [torch.einsum("shw,sc->chw", masks, table)[None] for table in (gamma, beta)]  # (1, C, H, W) each
    return here[0] * (x - mean) / (variance + 1e-5).sqrt() + here[1]


check.spatial_norm(my_spatial_norm)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# For one style, `masks[s] * gamma[s, :, None, None]` is a picture (C, H, W) of its part in γ. Add up over the styles.
# </details>
# <details><summary>Hint 2</summary>
#
# The sum over styles in one line: `torch.einsum("shw,sc->chw", masks, gamma)`. Mean and variance come from the whole of x, before any mask.
# </details>
#
# ### Your norms paint
#
# Now all three of your functions paint. We copy the network and replace its norms: where there is one style, yours of exercise 1 is used, where there are masks, yours of exercise 4. A mixture is a mask with
# the same shares everywhere, and the shares come from your pad. `yours` takes a function of yours if it passes its check; otherwise it takes the course's, and says so.


# %%
def course_norm(x, gamma, beta, which):
    return modulate(x, gamma[which][:, :, None, None], beta[which][:, :, None, None])


def course_spatial(x, gamma, beta, masks):
    return modulate(x, *(torch.einsum("shw,sc->chw", masks, table)[None] for table in (gamma, beta)))


norm = yours(my_conditional_norm, check.conditional_norm, course_norm)
spatial = yours(my_spatial_norm, check.spatial_norm, course_spatial)
pad = yours(my_shares, check.pad_shares, bilinear)


# %%
class MyNorm(cin.ConditionalInstanceNorm):
    def forward(self, x, mix, *smaller, statistics=None):
        if mix.ndim == 2:  # (1, S), one style
            return norm(x, self.gamma, self.beta, mix.argmax(dim=1))
        return spatial(x, self.gamma, self.beta, cin.resample(mix, x.shape[2:])[0])


mine = copy.deepcopy(network)
for each in mine.norms():
    each.__class__ = MyNorm  # the same tables, your formula
even = [torch.full((160, 240), float(share)) for share in pad(0.3, 0.6)]  # the same everywhere
wishes = {"one style": "mosaic", "ring (0.3, 0.6)": dict(zip(corners, even, strict=True))}
ramp = torch.linspace(1, 0, 240).expand(160, 240)
wishes |= {"left to right": {"mosaic": ramp, "stained_glass": 1 - ramp}}
pictures = [paint(small, wish, net) for net in (mine, network) for wish in wishes.values()]
solved = norm is my_conditional_norm or spatial is my_spatial_norm or pad is my_shares
rows = ("yours" if solved else "not yours yet", "the course's")  # which stands in for what is not solved
grid(pictures, [f"{who}: {what}" for who in rows for what in wishes], columns=3)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The two rows are equal: the network's style is entirely in the functions that you wrote and in their two tables.
# </details>
#
# Masks can be drawn, computed, or taken from the photo itself. Here are three: two halves, a slow change, and *the sky*, found as what is bright in blue and more blue than red. (The lake is that, too: a rule of two conditions cannot tell them apart.)

# %%
height, width = photo.shape[2:]
halves = (torch.arange(width) < width // 2).float().expand(height, width)  # (H, W), 1 at the left
slope = torch.linspace(1, 0, height)[:, None].expand(height, width)  # 1 at the top
red, _, blue = photo[0]  # (H, W) each
sky = ((blue > 0.6) & (blue > red)).float()
masks = {"two halves": halves, "slow change": slope, "the sky": sky}
pairs = [("ink_hatching", "stained_glass"), ("starry_night", "mosaic"), ("woodcut_waves", "impasto")]
results = [paint(photo, {a: mask, b: 1 - mask}) for (a, b), mask in zip(pairs, masks.values(), strict=True)]
shown = [mask.expand(1, 3, -1, -1) for mask in masks.values()]
shown = [0.15 + 0.7 * mask for mask in shown]  # so that white can be told from the page
grid([*shown, *results], [*masks, *(f"light: {a},\ndark: {b}" for a, b in pairs)], columns=3)

# %% [markdown]
# **Predict, then run.** Each half of the first picture has its own $\gamma$ and $\beta$. Is the left half exactly the left half of a picture that is all `ink_hatching`? We compare, and also with
# scissors and glue: two finished pictures, cut and put side by side.

# %%
a, b = pairs[0]
glued = halves * paint(photo, a) + (1 - halves) * paint(photo, b)
seam = (..., slice(40, 136), slice(width // 2 - 64, width // 2 + 64))
grid([results[0][seam], glued[seam]], ["mixed by the mask, enlarged", "cut and glued, enlarged"])
far = (..., slice(0, width // 2 - 112))  # columns at the left, which see next to nothing of the other half
print(f"left part, mask against all {a}: {psnr(results[0][far], paint(photo, a)[far]):.1f} dB")

# %% [markdown]
# <details><summary>What it means</summary>
#
# Not the same. The left part is in the style, but its pixels differ: $\mu$ and $\sigma$ are taken over the whole picture, and the other half has changed them in every layer behind the first
# norm. It happens twice here: in the coarse pastiche, and once more when that is painted over. So the parts influence each other. That can help (they agree in brightness and contrast) or not (a part with strong contrast takes it from the other one).
#
# (The left half of the glued picture is the one that we compare with.) With the mask more convolutions follow the change of style, so lines and colours run a few pixels across the seam; glued, they stop at one column. Now compare the halves. With the mask the light walls of the tower are smooth, where the hatching alone covers them with fine lines, and its darks are softer. On the right, the lower pane is pale green, where it is blue in the picture that is all glass, and the red pane above has one dark line more.
# </details>
#
# ## 7 · A new style in a minute
#
# *Do we have to train everything again for style number N + 1?*
#
# The shared convolutions can paint already. So we freeze them, give the tables one more row, begin it at the mean of all rows, and train this row alone, with the losses of lesson 03 and eight photos. (Styles are compared by the root of lesson 02's style loss, as when this network was trained. See *Differs from the paper*.)

# %%
unknown = sorted(set(samples.style_names()) - set(network.styles))
print("styles of the course that this network has never seen:", ", ".join(unknown))
new = "chalk_pastel"
flower = resize(samples.content("flower"), (176, 264), "box")  # (1, 3, 176, 264)
painting = samples.style(new, 256)  # (1, 3, 256, 256) or longer
larger = network.with_style(new)
before = paint(flower, new, larger)
rows = [row for norm in larger.norms() for row in (norm.gamma[-1], norm.beta[-1])]
every = sum(weights.numel() for weights in larger.parameters())
print(f"numbers to be trained: {sum(row.numel() for row in rows):,} of {every:,}")

# %% [markdown]
# **Predict, then run.** What will be learnt first: the colours or the strokes? And will the other styles change?

# %% tags=["nbval-ignore-output"]
scratch = tempfile.TemporaryDirectory()  # removed when the notebook is closed
folder = Path(scratch.name)
for name in samples.content_names():  # eight photos
    write_image(samples.content(name, 160), folder / f"{name}.png")
crops = Crops(folder, size=128, batch=4)
curves, seen = {"content": [], "style": []}, {}
run = {"steps": 120, "learning_rate": 0.03, "warm_up": 10, "report_every": 5, "accelerator": "cpu"}
run |= {"weights": {"root": True}}  # ‖G − A‖ / ‖A‖, the root of lesson 02's style loss
for progress in cin.learn(larger, crops, {new: painting}, checkpoint=folder / "new.ckpt", **run):
    curves["content"].append(progress.losses["content"])
    curves["style"].append(sum(value for name, value in progress.losses.items() if name.startswith("style")))
    if progress.step in (10, 30):
        seen[f"after {progress.step} steps"] = paint(flower, new, larger)
after = paint(flower, new, larger)
plot_curves(curves, y="weighted loss", title="Training one row", at=range(5, 121, 5))

# %%
stages = {"the photo": flower, "the new style": painting, "before: the mean of all": before}
stages |= seen | {"at the end": after}
grid([*stages.values()], [*stages], columns=3, even=True)
same = all(torch.equal(paint(photo, name), paint(photo, name, larger)) for name in network.styles)
print("the old styles paint the very same pictures, bit for bit:", same)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The style loss falls to about a fifth, most of it within 30 steps; the content loss rises by a quarter at first, and ends near where it began. Blue comes within ten steps, violet within thirty. Strokes follow more slowly: compare the background in "before", with its long cracks like old plaster, with the short crumbling dabs at the end. The old styles paint the very same pictures, bit for bit, because none of their numbers was changed.
# A network whose convolutions were trained further for the new style would forget the old ones.
#
# The limit: the frozen convolutions cannot make marks that no style of the first training needed. The chalk of the painting runs in long strokes, and bends around each fruit. Here there are small dabs of one size, which do not follow the round form of the flower. The flower is orange and yellow, like the fruit, but not because the network knows a round thing when it sees one, nor because it was orange in the photo. On the maps of section 8 a bright sky, pale in the photo, gets the same colours. (The flower is among the photos that this training saw.) The style loss asks only *that* there is some orange, not *where*. The paper trains its new style as we do, and finds that it comes out about as
# well as with a network of its own, but its convolutions were trained for 32 styles.
# </details>
#
# ## 8 · A map of styles
#
# *Are styles that look alike also alike in numbers?*
#
# Each style is now a point in a space with as many dimensions as it has numbers (we leave out those of section 4 that have no effect). **PCA** projects this space onto the two directions in which the points differ most. (We stretch both axes to fill the frame, and move pictures apart that would cover each other. So read which styles are neighbours, not how far apart they are.) **t-SNE** is not linear: it tries
# to keep neighbours near each other, and does not keep larger distances.
#
# **Predict, then run.** Which of the styles above do you expect to be neighbours? Where will the new one be?


# %%
def moved_apart(places, size=(0.32, 0.36)):
    """Move places (S, 2) until pictures of this width and height, with their names, cover each other no more."""
    places, size = torch.tensor(places), torch.tensor(size)
    for _ in range(100):
        for i, j in combinations(range(len(places)), 2):
            gap = places[j] - places[i]
            missing = size - gap.abs()
            if missing.min() > 0:
                axis = missing.argmin()  # the shorter way
                push = missing[axis].copysign(gap[axis]) / 2
                places[i, axis] -= push
                places[j, axis] += push
        places.clamp_(-1.2, 1.2)  # and stay inside the frame
    return places.tolist()


def draw_map(axes, places, pictures, title):
    """Draw each picture (3, h, w) at its place, with its name below."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    for (name, picture), place in zip(pictures.items(), moved_apart(places), strict=True):
        axes.add_artist(AnnotationBbox(OffsetImage(to_pil(picture), zoom=0.58), place, frameon=False))
        axes.annotate(name, place, (0, -27), textcoords="offset points", ha="center", fontsize=8)
    axes.set(xlim=(-1.4, 1.4), ylim=(-1.35, 1.35), xticks=[], yticks=[])
    axes.set_title(title, size=10.5, weight="bold")


# %%
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

idle = ("block 1b", "block 2b", "block 3b", "look")  # their β has no effect
busy = [("gamma",) if place in idle else ("gamma", "beta") for place in places]
tables = [getattr(norm, table) for norm, names in zip(larger.norms(), busy, strict=True) for table in names]
points = torch.cat(tables, dim=1).detach().numpy()  # (S + 1, numbers that count)
flat = {"PCA": PCA(2).fit(points[:-1]).transform(points)}  # the new style is put on the map of the old ones
flat["t-SNE"] = TSNE(2, perplexity=4, init="pca", random_state=0).fit_transform(points)
tiny = resize(photo, (64, 96), "box")  # (1, 3, 64, 96)
pictures = {name: paint(tiny, name, larger)[0] for name in larger.styles}  # (3, 64, 96) each
figure = Figure(figsize=(8.3, 11), dpi=100, layout="constrained", facecolor="white")
for axes, (method, spots) in zip(figure.subplots(2), flat.items(), strict=True):
    spots = spots - (spots.max(0) + spots.min(0)) / 2
    draw_map(axes, spots / abs(spots).max(0), pictures, f"{len(points)} styles as points: {method}")
display_figure(figure, f"Two maps, by PCA and by t-SNE, of the styles {', '.join(larger.styles)}")

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Some neighbours are alike in colours and contrast, others only happen to be neighbours. In our run `chalk_pastel`, which was learnt alone and later, stands close to `starry_night` on both maps: both have much blue and short marks. `the_scream` and `cafe_terrace`, both warm, are near each other on both, too. `composition_vii` is beside them above; below, it is next to `great_wave`. And `batik`, which is next to `starry_night` below, stands apart above. Do not read much into such a map: seventeen points in more than a thousand dimensions can be drawn in many ways. Change
# `perplexity` or `random_state` and see which neighbours stay.
# </details>
#
# ## 9 · What does not work
#
# **Styles that are far apart.** The mixture of two styles is a point that was never trained. If they are alike, the mixture is like both. If not, one of them may win, or the network may do something that belongs to neither.
#
# **Large forms.** The style loss compares patterns that fit into a receptive field. Of a style that consists of large forms, such as breaking waves or facets that meet, the colours and the small marks are transferred.
#
# **Predict, then run.** For each style that we have a picture of, we measure how much of the way from the photo to the style the network goes: 0 is the photo, 1 the style itself. (The style loss is a square, so we take its root: a distance.) Which ones are hard?

# %%
way = {}
for name in known:
    target = grams(samples.style(name, 256))
    way[name] = 1 - (style_distance(paint(photo, name), target) / style_distance(photo, target)) ** 0.5
for name in sorted(known, key=way.get, reverse=True):
    print(f"{name:15} {way[name]:.2f} {'█' * round(40 * max(way[name], 0))}")

# %%
middle = paint(photo, {"pointillism": 1, "stained_glass": 1})
zoom = (..., slice(20, 120), slice(20, 170))
enlarged = {
    "pointillism": paint(photo, "pointillism"),
    "half of each": middle,
    "stained_glass": paint(photo, "stained_glass"),
}
grid([image[zoom] for image in enlarged.values()], [f"{name}, enlarged" for name in enlarged], columns=3)
waves = samples.style("woodcut_waves", 256)
grid([waves, paint(photo, "woodcut_waves")], ["woodcut_waves", "the photo in this style"], even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Compare your list with the pictures of section 3. `mosaic` is the lowest by far, and yet its stones are easy to recognise. Layer by layer (not printed here) the first three agree well, and the fourth is half-way. The fifth, which sees the largest patterns, is further off than for the photo. A high number does not mean either that the picture looks like the style: look for the facets in `cubist_facets`. The style loss hardly sees what is missing there: it compares which channels go together, and not large forms.
#
# Between dots and leaded panes there is no meaningful half. In the middle picture the panes have nearly won: their dark lines are there, only thinner, and hardly a dot is left. What remains of pointillism is paler colour. And the woodcut gives its blue, its cream and its lines. The ground even looks a little like water, but no wave breaks, and there is no sun: the losses do not measure it, so it was not learnt.
# </details>
#
# ## The lab
#
# One network, live. The picture follows while you drag.
#
# - **Four styles** stand at the corners of the square. The **ring** says how much of each.
# - Open **A mask**: **where** is the mask. The square's mixture counts inside, another style in **the other part**. **Soft edge** makes the change gradual. Upload a mask of your own: white is inside.
# - **Broad marks** is how much a coarse pastiche counts that is painted first. **Size** goes up to 1024 pixels. **Save** keeps the settings inside the file.
#
# Things to try: the ring along one edge, then across the middle. The same style in two corners. *Left half* with the softest edge. Your own portrait, and a mask of your face.

# %% tags=["nbval-ignore-output"]
lab = CinLab("chelsea", "stained_glass", "starry_night", "watercolour", "mosaic", across=0.3, down=0.2, size=320)
lab

# %% [markdown]
# ## Differs from the paper
#
# - **Fewer styles.** The paper trains 32 (and once 10 by Monet alone). Ours knows 16. It did not begin at random but with an early state of lesson 08's network, and was then trained on one CPU core for less than two hours.
# - **A smaller network**: that of lesson 03, with its light ends, its second look at the photo, and two of five blocks at half of the size. So a style has about half as many numbers, and there are fewer kinds of marks.
# - **The new style** is trained for 120 steps on eight photos. The paper takes a whole data set and more steps, and gets further.
# - **The losses** are measured by our small encoder and divided by the size of their target, as in lessons 02 and 03. But training compared styles by the *root* of lesson 02's style loss, $\lVert G - A \rVert / \lVert A \rVert$. Near the goal a square is nearly flat, and what is still a little wrong hardly counts; the root goes on pulling. With the square our pictures had one tint each, with the root they have the colours of the painting side by side. The paper uses the square, and VGG-16.
# - **Noise** beside the photo, and **total variation and a penalty on spikes** while learning, as in lesson 03.
# - **Masks** are an addition. The paper mixes whole pictures.
# - **From coarse to fine** (lesson 03, section 8), in all larger pictures of this lesson and in the lab. The paper paints once.
# - **At full size** there is no norm. In the paper there are three, one of them behind the last convolution.
#
# ## Summary
#
# - One network can paint in many styles if each style has its own $\gamma$ and $\beta$ in *every* norm, those of the residual blocks too.
# - A style is then a list of numbers: less than one per cent of the network.
# - Lists can be mixed, by sliders or differently at each place. The statistics $\mu$, $\sigma$ are shared by the whole picture.
# - A new style is a new row. Training it leaves all others exactly as they were.
# - The shared convolutions set the limit. A mark that they cannot make is in reach of no row.
#
# **Common misconceptions**
#
# - *"The style's numbers contain the style."* They say how to use filters that were learnt from all styles. In another network they mean nothing.
# - *"Mixing 50:50 gives a picture that is half one and half the other."* It gives a third style, a painting of its own, with full contrast. That is not a cross-fade, though it may come near to one (section 5).
# - *"With a mask each part is painted on its own."* The parts share mean and variance in every layer.
# - *"γ and β are the mean and standard deviation of the style picture."* Here they are learnt, and never computed from the painting. That they could be computed is the idea of the next lesson.
#
# **To read**: the paper; G. Ghiasi, H. Lee, M. Kudlur, V. Dumoulin and J. Shlens, *Exploring the structure of a real-time, arbitrary neural artistic stylization network*, BMVC 2017, where a second network predicts γ and β from
# the style picture; D. Ulyanov, A. Vedaldi and V. Lempitsky, *Improved Texture Networks*, CVPR 2017, on instance norm.
#
# **Next**: each style here had to be trained. [Lesson 05](05_adain.ipynb) computes its γ and β from the picture, and paints in any style at once.

# %% [markdown] tags=["solution"]
# ## For teachers
#
# **Timings** (80 minutes): sections 1 to 3 with exercise 1, 20 minutes · section 4 with exercise 2, 10 · section 5 with exercise 3, 15 · section 6 with exercise 4 and your own norms, 17 · section 7, 8 · the map, the limits and the lab, 10.
#
# **Show.** The lab: put four styles on the corners, drag the ring, and let the class say where one style turns into the other. Then the two pictures at the bottom of section 5's figure, with the question what a film would look like that changes from one style to the other in either way. In section 6, change a sign in a learner's own norm and let the class guess the picture.
#
# **Expected results.** Each curve of section 5 is lowest at or near its own end. In section 6 a learner's own norms and the course's paint equal pictures. The pictures of section 7 and the maps change a little from machine to machine.
#
# | Section | Printed, or above a picture | Expect |
# | --- | --- | --- |
# | 1 | `16 8,111,408` | 530963, exactly |
# | 3 | `the same picture: True` | as it stands |
# | 4 | `block 1b γ … β` | 0, exactly |
# | 6 | `left part, mask against all ink_hatching:` | 16 to 21 dB |
# | 7 | `numbers to be trained:` | 1600, exactly |
# | 7 | `the old styles paint the very same pictures, bit for bit: True` | as it stands |
# | 9 | `█ cubist_facets` | 0.75 to 0.9 |
#
# **Where they get stuck.** In exercise 1, statistics over the whole batch (that is batch norm) make the contrast of a picture depend on its neighbours. In exercise 2 the blocks are forgotten, or have one norm only. In exercise 3 across and
# down change places. In exercise 4 each mask gets a mean and a deviation of its own: it looks reasonable, and it is another method. The checks name all of them.
#
# **To go on with.** Let groups take different styles from `unknown` in section 7, and compare which come out well. With `learning_rate=0.001`, with which whole networks are trained, the same steps get little but the colours: rows of a table need longer strides than the
# weights of a convolution.
#
# **Questions for a discussion.**
#
# - *Why has the same β no effect with one style, and one with a mask?* With one style it is a constant, and the next norm subtracts it. With a mask it is a step at the border, and no norm can subtract a step.
# - *What would have to change in the network for it to count?* Anything that is not linear between the sum of a block and the next norm, such as a ReLU after the sum.
# - *Would you rather mix numbers or pictures for a cross-fade in a film?* Numbers: each frame is a painting with full contrast. Pictures, if the first and the last frame have to be exact and everything between only short.
# - *Does a network with 32 styles paint each of them as well as one with 16?* The paper finds no loss with 32. There must be a number that is too much for them; the paper does not give it.
