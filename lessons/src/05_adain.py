# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 05 · One network for every style
#
# Lesson 02 paints in any style, but searches anew for every picture: seconds here, minutes with the paper's network. Lesson 03 paints in a fraction of a second, but knows one style. Lesson 04 knows sixteen. Can one network paint in any
# style at once, even in one that it has never seen?
#
# Xun Huang and Serge Belongie found a short answer. Lesson 04 kept two numbers for each channel and style, and *learnt* them. They
# *compute* them, from the style picture itself: a mean and a standard deviation. This is **adaptive instance normalisation**, AdaIN.
#
# **After this lesson you can …**
#
# - write AdaIN, and say what of a style it transfers and what not,
# - write the loss of the decoder that turns activations back into pictures, train one with your own AdaIN, and say why it is compared with $t$,
# - say why a norm in the decoder forgets the style, and how to give it back,
# - set the strength, mix styles, give each place its own style, and keep the colours, all without training again,
# - say where the method fails, and compare it with lesson 02.
#
# **Builds on** [lesson 02](02_gatys.ipynb) and [lesson 04](04_cin.ipynb) · **about 90 minutes**, with the exercises · **paper**: X. Huang and S. Belongie,
# *Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization*, ICCV 2017 ([arXiv 1703.06868](https://arxiv.org/abs/1703.06868)). Equation numbers
# are the paper's.

# %%
# %config InlineBackend.figure_formats = ['jpeg']
import time
from functools import partial

import torch
from torch import nn

from stylelearn import adain, cin, gatys, losses, samples
from stylelearn.checks import adain as check
from stylelearn.checks import yours
from stylelearn.colour import match_colour
from stylelearn.encoders import STYLE_LAYERS, Encoder
from stylelearn.figures import grid, plot_curves
from stylelearn.images import psnr, resize
from stylelearn.lab import AdaINLab
from stylelearn.networks.coarse import coarse_to_fine
from stylelearn.networks.decoders import mirrored_decoder
from stylelearn.optimize import result

encoder = Encoder("mini")
network = adain.load()  # the course's trained decoder g, with its encoder f
plain = adain.load("paper")  # a trained decoder of the paper's form, with the same f

# %% [markdown]
# This is the goal: one network, one photo, eight paintings. Each painting stands in the corner of its picture. All eight are painted from coarse to fine: first a small picture, then the large one over it (lesson 03, section 8). The pictures of sections 2 to 6 take one pass each.
#
# The network was trained on nearly 3,000 paintings and textures. These eight were not among them. (A star means more: training began from the numbers of another network of this course, and not even that one had seen the painting.)
#
# We show it each painting twice as high as the photo, so that the painting's marks are broad beside the cat. These are eight of the better ones, and the lab below has all sixteen. In `batik` the cat nearly drowns in a mesh, and `mosaic` gives specks, not tiles.

# %%
photo = resize(samples.content("chelsea"), (256, 384), "box")  # (1, 3, 256, 384)
styles = {name: samples.style(name, 512) for name in samples.style_names()}  # (1, 3, 512, 512) each


def inset(picture, painting):
    """The picture with the painting in its lower right corner, in a white frame."""
    side, framed = picture.shape[2] * 3 // 8, picture.clone()
    framed[..., -side - 4 :, -side - 4 :] = 1
    framed[..., -side:, -side:] = resize(painting, side, "box")
    return framed


never_seen = ["geometric", "night_strokes", "chalk_pastel", "marbling", "papercut"]
cells = {"the photo": photo}
for name in [*never_seen, "ink_hatching", "stained_glass", "embroidery"]:
    with torch.no_grad():
        painted = coarse_to_fine(partial(network, styles=styles[name]), photo)
    cells[f"{name} *" if name in never_seen else name] = inset(painted, styles[name])
grid(list(cells.values()), list(cells), columns=3)

# %% [markdown]
# ## 1 · Two numbers for a channel
#
# *How little do we have to know about a style?*
#
# Lesson 02 described a style by Gram matrices: which channels are active *together*. For the channels of `relu4_1` these are thousands of numbers. Now we take much less.
# For each channel on its own, we only keep its **mean** and its **standard deviation** over all positions:
#
# $$\mu_c(x) = \frac{1}{HW} \sum_{h,w} x_{chw} \qquad\qquad \sigma_c(x) = \sqrt{\frac{1}{HW} \sum_{h,w} \big(x_{chw} - \mu_c(x)\big)^2 + \epsilon} \qquad\text{(5, 6)}$$
#
# The mean says *how much* of a feature there is in the picture: how much blue, how many slanted lines. The deviation says *how unevenly* it is spread. Neither says *where* in the picture it is.
#
# **Predict, then run.** We cut three paintings in halves, as in lesson 02, and compare these lists of numbers, in `relu3_1`. Will halves of the same painting still find each other?

# %%
halves = {}
for name in ("marbling", "mosaic", "pencil"):
    for side, half in zip("LR", samples.style(name, 128).chunk(2, dim=3), strict=True):  # (1, 3, 128, 64) each
        halves[f"{name} {side}"] = encoder(half, "relu3_1")["relu3_1"]
print(" " * 12 + "".join(f"{name:>12}" for name in halves))
for name, features in halves.items():
    row = [losses.moments_loss(features, losses.moments(other)).item() for other in halves.values()]
    print(f"{name:12}" + "".join(f"{distance:12.1f}" for distance in row))
    if name == "marbling L":
        to_its_own, to_others = row[1], min(row[2:])
print(f"from the left half of marbling to its right half: {to_its_own:.1f}; to the nearest other half: {to_others:.1f}")
layer, channels = network.layer, network.encoder.channels[network.layer]
print(f"{layer}: {channels} channels, Gram matrix {channels * (channels + 1) // 2:,} numbers, moments {2 * channels}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# They do. Read the table row by row: apart from itself, each half is nearest to the other half of its own painting. (A distance says something only within its row. The halves of the marbling are nearly as far apart as the mosaic and the pencil, since its channels vary more.) So much of what makes a style recognisable is in these short lists. A Gram
# matrix also knows which channels are active together. That is lost here.
# </details>
#
# ## 2 · AdaIN
#
# *How do we give a photo the means and deviations of a painting?*
#
# Take the photo's activations $x$ and the painting's, $y$. First remove from each channel of $x$ its own mean and deviation. That is instance
# normalisation, as in lessons 03 and 04. Then put in those of $y$:
#
# $$\operatorname{AdaIN}(x, y) = \sigma(y) \left( \frac{x - \mu(x)}{\sigma(x)} \right) + \mu(y) \qquad\text{(8)}$$
#
# There is nothing to learn in it. Each channel is stretched and moved, as a whole. Its pattern, which places are high and which are low, stays: that is the photo's content.
#
# ### Exercise 1 — AdaIN
# *difficulty ●○○ · importance ●●● · 10 minutes*
#
# Write (8), for a batch. Content and style may have different sizes. Divide the variance by the number of positions (`correction=0`), and think of a channel
# that is the same everywhere.


# %% tags=["exercise"]
def my_adain(x, y):
    """x: (B, C, H, W), y: (B, C, H', W') -> (B, C, H, W), with y's mean and deviation in each channel."""
    raise NotImplementedError


check.adain(my_adain)


# %% tags=["solution"]
def my_adain(x, y):
    """x: (B, C, H, W), y: (B, C, H', W') -> (B, C, H, W), with y's mean and deviation in each channel."""
    variance_x, mean_x = torch.var_mean(x, (2, 3), keepdim=True, correction=0)  # (B, C, 1, 1) each
    variance_y, mean_y = torch.var_mean(y, (2, 3), keepdim=True, correction=0)
    sigma_x, sigma_y = (variance_x + 1e-6).sqrt(), (variance_y + 1e-6).sqrt()
    return sigma_y * (x - mean_x) / sigma_x + mean_y


check.adain(my_adain)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Mean and variance are taken over positions only: dimensions 2 and 3 of (B, C, H, W). `keepdim=True` keeps their shape at (B, C, 1, 1), so that they fit x again.
# </details>
# <details><summary>Hint 2</summary>
#
# σ is the root of the variance. In a channel that is the same everywhere the variance is 0. What would you divide by then? A small number under the root, such as 1e-6, helps.
# </details>
#
# In the course's own code, `adain.adain(x, losses.moments(y))`, the style comes as its two lists of numbers. Nothing else of it is needed.
#
# **Predict, then run.** $x$ need not be deep activations. The pixels have three channels: red, green, blue. What does AdaIN do to pixels? What will it not do?

# %%
painting = styles["woodcut_waves"]
coloured = adain.adain(photo, losses.moments(painting)).clamp(0, 1)  # (1, 3, 256, 384)
grid([photo, painting, coloured], ["x", "y", "AdaIN of the pixels"], even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The photo in other colours. The three channels are red, green and blue, so only the level and contrast of each can be transferred. Erik Reinhard and others
# did almost this in 2001 (in another colour space); we meet it again in lesson 07. Strokes are features of deeper layers. So we apply AdaIN there, and must come back to pixels afterwards.
# </details>
#
# ## 3 · There and back
#
# *How do we get from activations to a picture?*
#
# Lesson 01 did it by going downhill, for each picture anew. Here a network learns it once, the **decoder** $g$. The whole method is
#
# $$t = \operatorname{AdaIN}\big(f(c), f(s)\big) \qquad\text{(9, 10)} \qquad\qquad T(c, s) = g(t)$$
#
# with the encoder $f$ up to one layer, `relu4_1`. The paper's decoder is the encoder backwards. Where $f$ halves the size, $g$ doubles it by repeating each value (nearest neighbour). All convolutions pad by
# reflection, because zeros at the border would draw a frame. After the last one there is no ReLU: these are pixels.
#
# One position of `relu4_1` stands for eight by eight pixels, and our small encoder has few channels to describe them. So the course has two trained decoders. `plain` is the paper's form. The $g$ of `network` is larger and of another build: its $f$ takes a little more along, and above all it is given the style once more, in channels of their own. Section 5 says what, and why. Nearly all pictures of this lesson are painted by that one. In this section we look at both.
#
# **Predict, then run.** What will $g(f(c))$ be, with no style at all? And $g(t)$? (The number above the picture is lesson 01's measure in decibels: the higher, the nearer to the photo. From 50 dB on nobody sees a difference.)

# %%
shapes, size = styles["geometric"], photo.shape[2:]
pictures, titles = [], []
for word, net, beside in (("paper's form", plain, {"s": shapes}), ("the course's", network, {"c": photo})):
    with torch.no_grad():
        f_c, f_s = net.encode(photo), net.encode(shapes)  # (1, 77 or 425, H/8, W/8) each
        t = adain.adain(f_c, losses.moments(f_s))  # (1, 77 or 425, 32, 48)
        back, pastiche = net.decode(f_c, size), net.decode(t, size)
    if net is plain:
        seen = {"photo": f_c, "painting": f_s, "t": t, "pastiche": net.encode(pastiche)}  # (1, 77, …) each
    count = sum(p.numel() for p in net.decoder.parameters())
    print(f"{word}: g has {count:,} numbers, and is given {t.shape[1]} channels")
    pictures += [*beside.values(), back, pastiche]
    titles += [*beside, f"{word}: g(f(c)), {psnr(back, photo):.1f} dB", f"{word}: g(t)"]
channels, below = seen["t"].shape[1], (seen["t"] < 0).float().mean()
print(f"relu4_1 has {channels} channels; one position stands for {plain.step} x {plain.step} pixels")
print(f"of the values of t in relu4_1, {below:.0%} are below 0")
grid(pictures, titles, columns=3, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Without a style, both give the photo back, the paper's form only in broad strokes: blurred, with dark blotches for eyes. Eight by eight pixels, that is 192 numbers, have become 77 here; in VGG-19 there are 512 of them. In the painting's style both turn to its orange and cream, with a dark blue that is nearly black. The paper's form lays short dashes over the cat, as if with a thick felt pen, and the lines of the face get lost. The course's $g$ keeps the face, and lays flat patches of colour with dark outlines.
# </details>
#
# Before we come to the training of $g$, let us look at what goes in. Each channel of `relu4_1` has a deviation. We sort the channels by the painting's, and take the paper's form.
#
# **Predict, then run.** Four curves: the photo $f(c)$, the painting $f(s)$, $t$, and the finished picture seen once more by the encoder, $f(g(t))$. Which of them coincide?

# %%
deviations = {name: losses.moments(x)[1].flatten() for name, x in seen.items()}  # (77,) each
order = deviations["painting"].argsort()[:-1]  # without the loudest, beside which all others would look alike
curves = {name: values[order].tolist() for name, values in deviations.items()}
sorted_by = "channel of relu4_1, sorted by the painting's deviation"
plot_curves(curves, x=sorted_by, y="deviation", log=False, title="What is transferred")

# %% [markdown]
# <details><summary>What it means</summary>
#
# $t$ lies exactly on the painting: that is what AdaIN does. (The means behave in the same way.) The photo is somewhere else. The pastiche follows the rise of the painting's curve: that is what the decoder was trained for. But most channels stay below it, and a few go above. (The one loudest channel is left out of the plot.) A decoder can only paint *pictures*, and no picture has exactly these activations: some values of $t$ are below 0, as printed above, and behind a ReLU none is.
# </details>
#
# ## 4 · From learnt tables to computed numbers
#
# *How does this differ from lesson 04?*
#
# The formulas are twins. Conditional instance norm has a table: γ and β of each style, learnt by training. AdaIN measures σ and μ of a picture:
#
# $$\text{lesson 04: } \gamma^s \, \frac{x - \mu(x)}{\sigma(x)} + \beta^s \qquad\qquad \text{here: } \sigma(y) \, \frac{x - \mu(x)}{\sigma(x)} + \mu(y)$$

# %% tags=["nbval-ignore-output"]
table = cin.StyleNet(samples.style_names())  # untrained: we only count
begin = time.perf_counter()
with torch.no_grad():
    network.style(painting)  # a mean and a deviation for each channel
milliseconds = (time.perf_counter() - begin) * 1e3
print(f"lesson 04: {table.numbers_per_style()} numbers for a style, in {len(table.norms())} layers, learnt")
count, told = network.decoder.conditioner.axes.shape
print(f"here: {count} numbers, measured in {milliseconds:.0f} ms, and handed on to the decoder as {told}")

# %% [markdown]
# (278 is 2 · (77 + 59 + 3): two for each channel of `relu4_1`, of `relu3_1`, and of a small picture. How 278 become 64, section 5 says.)
#
# A new style took some training in lesson 04. Here it takes one pass through the encoder. The price: the decoder was trained for no style in particular. A network that was trained for *your* painting can
# come nearer to it.
#
# ## 5 · Training the decoder
#
# *What should g be compared with?*
#
# There are no examples to learn from. So, as in lesson 03, the loss is computed from a loss network's activations; here it is $f$ itself. The picture should have the
# content of $t$ and the style of $s$:
#
# $$\mathcal L = \mathcal L_c + \lambda \mathcal L_s \quad\text{(11)} \qquad\qquad \mathcal L_c = \big\| f(g(t)) - t \big\|_2 \quad\text{(12)}$$
#
# $$\mathcal L_s = \sum_i \big\| \mu(\phi_i(g(t))) - \mu(\phi_i(s)) \big\|_2 + \big\| \sigma(\phi_i(g(t))) - \sigma(\phi_i(s)) \big\|_2 \quad\text{(13)}$$
#
# with $\phi_i$ the layers `relu1_1`, `relu2_1`, `relu3_1` and `relu4_1`. Only $g$ learns.
#
# ### Exercise 2 — the style loss
# *difficulty ●●○ · importance ●●○ · 8 minutes*
#
# Write the summand of (13) for one layer. For a batch, give the mean over its pictures. You may use `losses.moments`, which gives μ and σ.


# %% tags=["exercise"]
def my_style_loss(features, style_features):
    """‖μ − μ_s‖₂ + ‖σ − σ_s‖₂: features (B, C, H, W), style_features (B, C, H', W') -> a number."""
    raise NotImplementedError


check.style_loss(my_style_loss)


# %% tags=["solution"]
def my_style_loss(features, style_features):
    """‖μ − μ_s‖₂ + ‖σ − σ_s‖₂: features (B, C, H, W), style_features (B, C, H', W') -> a number."""
    pairs = zip(losses.moments(features), losses.moments(style_features), strict=True)  # (B, C, 1, 1) each
    return sum((mine - theirs).flatten(1).norm(dim=1) for mine, theirs in pairs).mean()


check.style_loss(my_style_loss)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `mean, deviation = losses.moments(features)` are (B, C, 1, 1) each. `.flatten(1)` makes lists of them, one for each picture.
# </details>
# <details><summary>Hint 2</summary>
#
# ‖·‖₂ is a root of a sum of squares; `.norm(dim=1)` takes it of each picture's list. There is one norm for the means and one for the deviations. The mean over the batch comes last.
# </details>
#
# ### Why t, and not f(c)?
#
# In lessons 02 and 03 the content was compared with the photo's own activations. In (12) it is compared with $t$.
#
# **Predict, then run.** Suppose that a decoder reaches its target exactly. Which style loss would its picture have in this layer if the target is $t$? Which if it is $f(c)$?

# %%
LAYERS = ("relu1_1", "relu2_1")  # φ_i of a small decoder; the last one is where its styles meet


def course_adain(x, y):
    return adain.adain(x, losses.moments(y))


def course_style_loss(features, style_features):
    return losses.moments_loss(features, losses.moments(style_features))


cat, waves = resize(photo, (128, 192), "box"), resize(painting, 128)
f_cat, f_waves = (encoder(image, LAYERS[-1])[LAYERS[-1]] for image in (cat, waves))  # (1, C, H/2, W/2) each
for word, target in (("t", course_adain(f_cat, f_waves)), ("f(c)", f_cat)):
    print(f"{word:5} as target: the style loss of {LAYERS[-1]} would be {course_style_loss(target, f_waves):.2f}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# $f(c)$ has the *photo's* means and deviations, so a loss that asks for them works against the style loss. $t$ has the photo's pattern and the style's moments: in this layer both losses could be 0 at once. The paper
# finds that training converges slightly faster with $t$.
# </details>
#
# ### Exercise 3 — the decoder's loss
# *difficulty ●●● · importance ●●● · 12 minutes*
#
# Here the whole method stands in a few lines. Make $t$, paint, look at the picture with $f$ once more, and return $\mathcal L_c$ (12) and $\mathcal L_s$ (13), one after the other. For the norm in (12) take the root of the *mean* of the squares, so that large layers do not count more; take it for each picture, and then the mean over the batch. In (13) the sum goes over all that $f$ returns. $t$ is a target: it can be made under `torch.no_grad()`. What must not be inside it?


# %% tags=["exercise"]
def my_losses(f, g, merge, style_loss, c, s):
    """(12) and (13) of a decoder g, for contents c and styles s, (B, 3, H, W) each.

    f(image) -> a list of activations, one for each layer; in the last one the styles meet. g(t) -> (B, 3, H, W).
    merge(x, y): exercise 1. style_loss(features, style_features): exercise 2.
    """
    raise NotImplementedError


check.training_loss(my_losses)


# %% tags=["solution"]
def my_losses(f, g, merge, style_loss, c, s):
    """(12) and (13) of a decoder g, for contents c and styles s, (B, 3, H, W) each.

    f(image) -> a list of activations, one for each layer; in the last one the styles meet. g(t) -> (B, 3, H, W).
    merge(x, y): exercise 1. style_loss(features, style_features): exercise 2.
    """
    with torch.no_grad():
        f_s = f(s)
        t = merge(f(c)[-1], f_s[-1])  # (B, C, H', W')
    seen = f(g(t))
    content = (seen[-1] - t).square().mean((1, 2, 3)).sqrt().mean()
    return content, sum(style_loss(x, y) for x, y in zip(seen, f_s, strict=True))


check.training_loss(my_losses)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Four things are needed, in this order: `f(s)`; $t$, out of the last layers of `f(c)` and `f(s)`; the picture `g(t)`; what $f$ sees in this picture. Which of them depend on $g$? Only $g$ learns, so gradients are needed for these, and for no others.
# </details>
# <details><summary>Hint 2</summary>
#
# Both losses look at the same `f(g(t))`. The first compares its last layer with $t$. The second compares each of its layers with the same layer of `f(s)`; `zip` gives such pairs.
# </details>
#
# Now we train a decoder ourselves. A full one takes hours. A small one in the paper's form, from `relu2_1` and for pictures of 64 pixels, takes seconds. It learns from seven photos and
# all styles but one. The cat and the waves are kept back, so that we can look at a pair that it has never seen.


# %%
def small(pictures):
    return torch.cat([resize(picture, 64, "box") for picture in pictures])  # (N, 3, 64, 64)


contents = small(samples.content(name) for name in samples.content_names() if name != "chelsea")
paintings = small(samples.style(name) for name in samples.style_names() if name != "woodcut_waves")


# %%
def learn(decoder, terms=adain.paper_losses, merge=course_adain, style_loss=course_style_loss, steps=300, weight=3):
    """Adam, with other pairs in each step; returns L_c and L_s, and the cat as waves on the way."""
    chance, optimizer = torch.Generator().manual_seed(0), torch.optim.Adam(decoder.parameters(), lr=3e-3)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)  # the rate falls to 0: a calm end

    def f(image):
        return list(encoder(image, LAYERS).values())

    def layer_loss(x, y):
        return style_loss(x, y) / x.shape[1] ** 0.5  # by the root of the number of channels: all layers count alike

    curves, pictures = {"L_c": [], "L_s": []}, {}
    for step in range(steps):
        if step in (0, 40):
            pictures[f"after {step} steps"] = paint(decoder, cat, waves, merge)
        c, s = (x[torch.randint(len(x), (4,), generator=chance)] for x in (contents, paintings))  # (4, 3, 64, 64)
        found = terms(f, decoder, merge, layer_loss, c, s)
        optimizer.zero_grad()
        (found[0] + weight * found[1]).backward()
        optimizer.step()
        slower.step()
        for values, term in zip(curves.values(), found, strict=True):
            values.append(term.item())
    return curves, pictures | {f"after {steps} steps": paint(decoder, cat, waves, merge)}


# %%
def paint(decoder, content, style, merge=course_adain):
    """g(t) of a small decoder, in [0, 1]."""
    with torch.no_grad():
        f_c, f_s = (encoder(image, LAYERS[-1])[LAYERS[-1]] for image in (content, style))
        return decoder(merge(f_c, f_s)).clamp(0, 1)


def new_decoder():
    torch.manual_seed(1)
    decoder = mirrored_decoder(LAYERS[-1], encoder=encoder.name)
    with torch.no_grad():  # the last convolution begins small: the first pictures are nearly grey, not garish
        decoder[-1].weight *= 0.03
        decoder[-1].bias.fill_(0.5)
    return decoder


mine = new_decoder()
curves, on_the_way = learn(mine)
plot_curves(curves, title="A decoder learns")
grid([waves, *on_the_way.values()], ["the style", *on_the_way], columns=4, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# At first the picture is nearly grey, with a faint cat: even an untrained decoder keeps things where $t$ has them. After 40 steps it is dark blue and pinkish white, and in the end dark blue with yellowish lights: the woodcut's blue, and a light that is not its white. More steps need not bring every colour nearer. It saw neither picture in training. No waves have come: `relu2_1` sees a few pixels at a time, and the decoder has learnt for seconds, with seven photos. But it already takes a style that it has never seen, which no network of lesson 03 can do.
#
# The two trained decoders start from a deeper layer and saw thousands of photos and styles. `plain` of section 3 had these very losses, for 21 minutes: it has learnt colours and coarse marks. The style loss of the other was Gram matrices in place of (13), since with means and deviations alone it had learnt colours and grain, and no strokes. `stylelearn train adain` is the command, and
# [the card beside the weights](../data/weights/adain.CARD.md) says how it was used.
# </details>
#
# ### Why no normalisation in g?
#
# Most networks have normalisation layers, because they learn faster with them. Here the paper leaves them out, on purpose.
#
# **Predict, then run.** We put instance normalisation behind each convolution of $g$ (but the last), and train again. Think of what AdaIN has just put into each channel. What will the
# next normalisation do to it?


# %%
def normalised(decoder):
    """The same with instance norm behind each convolution but the last."""
    parts = []
    for part in decoder:
        parts += [part, nn.InstanceNorm2d(part.out_channels, affine=True)] if isinstance(part, nn.Conv2d) else [part]
    return nn.Sequential(*parts[:-1])


with_norm = normalised(new_decoder())
learn(with_norm)
three = ["papercut", "night_strokes", "embroidery"]
targets = [resize(styles[name], 128, "box") for name in three]
rows = [[paint(g, cat, style) for style in targets] for g in (mine, with_norm)]
shown = [inset(picture, style) for row in rows for picture, style in zip(row, targets, strict=True)]
grid(shown, [f"{name}, {how}" for how in ("no norm", "instance norm") for name in three], columns=3)
for word, row in (("no norm", rows[0]), ("instance norm", rows[1])):
    apart = torch.cat(row).mean((2, 3)).std(dim=0).mean()  # how far the three pictures' mean colours lie apart
    print(f"{word:14} mean colours of the three pictures differ by {apart:.3f}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# Without normalisation each picture takes something of its style: the papercut gives a pink cat, the night a dark blue one, the embroidery hard contrasts, pink and yellow on black. Instance normalisation removes each channel's mean and deviation. But these are all that $t$ has of the style. Then the norm puts in a γ and a β of its own (`affine=True`). They were learnt for all styles together, so all three pictures get much the same grey, green and red. A trace of the styles is left, such as how red the nose is: the first convolution adds channels up *before* the first norm, so a channel that the style has made loud weighs more in the sum.
#
# Batch normalisation in the decoder has a similar effect: it normalises the batch towards one common style.
# </details>
#
# ### What the course's decoder is given
#
# And yet networks with norms paint better: lessons 03 and 04 have them. There is a way to have both. If each norm forgets the style, each norm must be given it *again*. The course's decoder does so. It is built like the network of lesson 04, with $t$ in place of the photo. Its $t$ has 425 channels:
#
# | Channels | What |
# | --- | --- |
# | 77 | `relu4_1` |
# | 4 · 59 | `relu3_1`, a **skip** (Sheng and others did so in 2018, in *Avatar-Net*). It has two by two positions where `relu4_1` has one; these are laid into the channels |
# | 16 · 3 | a small copy of the picture, half as wide: four by four pixels where `relu4_1` has one position |
# | 64 | the **style code**: the means and deviations of all the others, as logarithms, summed up in 64 numbers along their principal axes (the directions in which the pictures of the training differ most). At every position stand the same 64 |
#
# The first thing that it does with the first 361 is to normalise them, so that only the pattern is left: where things are. Thirteen times, where the network of lesson 04 has its norms (none at full size), it normalises again, and puts in a γ and a β. They are read off the style code, by a small network and a linear map, which are learnt with the rest.
#
# AdaIN, α and mixtures need not know of this. They treat all 425 alike: in a channel that is the same everywhere AdaIN puts the style's number in the place of the photo's.
#
# **Predict, then run.** We break $t$ in two ways. Once the 361 are left as the photo has them, and AdaIN changes the code alone. Once AdaIN changes the 361, and the code stays the photo's. Which of the two pictures is painted in the style?

# %%
pattern = t.shape[1] - network.decoder.conditioner.axes.shape[1]  # 361; t of the cat and `geometric`, of section 3
f_c = network.encode(photo)
code_alone = torch.cat([f_c[:, :pattern], t[:, pattern:]], dim=1)
all_but_code = torch.cat([t[:, :pattern], f_c[:, pattern:]], dim=1)
with torch.no_grad():
    broken = [network.decode(each, photo.shape[2:]) for each in (code_alone, all_but_code)]
grid([pastiche, *broken], ["g(t)", "AdaIN of the code alone", "AdaIN of all but the code"], columns=3)
print(f"AdaIN of the code alone against g(t): {psnr(broken[0], pastiche):.0f} dB")
print(f"AdaIN of all but the code against g(f(c)), no style at all: {psnr(broken[1], back):.0f} dB")

# %% [markdown]
# <details><summary>What it means</summary>
#
# The code does it all. Whatever AdaIN does to the other 361 channels, the decoder's first norm undoes. It stands before the first convolution, so not even a trace is left.
#
# So the small decoder above and `plain` are the paper's method. The style lies in the activations, as (8) puts it there. The course's large decoder takes only 64 numbers of it, and learns to make γ and β of them. That is nearer to Golnaz Ghiasi and others, who in 2017 had a network read γ and β off the style. It is AdaIN in a wider sense: means and deviations of a style are still all that is known of it, and still set those of the picture's channels, but in thirteen places and by a learnt map. (In 2019 Tero Karras and others built their *StyleGAN* in this way.) In sections 6 and 7, too, α and mixtures act on these 64 numbers.
# </details>
#
# ## 6 · How much: α
#
# *Can we ask for less style, without training again?*
#
# Lessons 02 and 03 set the weight of the style before the work. Here we set it afterwards. Between $f(c)$ and $t$ there is a straight line, and the decoder takes any point on it:
#
# $$T(c, s, \alpha) = g\big((1 - \alpha)\, f(c) + \alpha\, t\big) \qquad\text{(14)}$$
#
# **Predict, then run.** What is the picture at α = 0? Is it the photo?

# %%
cup = resize(samples.content("coffee"), (256, 384), "box")  # (1, 3, 256, 384)
alphas = (0.0, 0.3, 0.6, 1.0)
with torch.no_grad():
    f_c, known = network.encode(cup), network.style(painting)  # the waves
    strip = [network.decode(network.blend(f_c, [known], strength=alpha), cup.shape[2:]) for alpha in alphas]
titles = ["the photo", "the style", *(f"α = {alpha:g}" for alpha in alphas)]
grid([cup, painting, *strip], titles, columns=3, even=True)
print(f"α = 0 against the photo: {psnr(strip[0], cup):.1f} dB")

# %% [markdown]
# <details><summary>What you should see</summary>
#
# At α = 0 it is $g(f(c))$, the photo encoded and decoded again. It is close to the photo, but softer, and the finest colours are lost: the finest thing that $g$ is given is a picture half as wide.
# With α the style comes in: at 0.3 the shadows turn blue, at 0.6 the red of the saucer fades, and at 1 the wood is grey, and blue where it was dark, with level lines like those in the woodcut's sky. Only the decoder had to run again for each α. The activations are kept.
# </details>
#
# ## 7 · Mixing styles
#
# *What lies between two paintings?*
#
# The same idea with several styles. Each gets a share $w_k$, and the shares add up to 1:
#
# $$T(c, s_1 \ldots s_K, w) = g\Big(\sum_k w_k \operatorname{AdaIN}\big(f(c), f(s_k)\big)\Big) \qquad\text{(15)}$$
#
# ### Exercise 4 — a mixture
# *difficulty ●●○ · importance ●●● · 8 minutes*
#
# Write what goes into the decoder, with shares *and* strength: $(1 - \alpha) f(c) + \alpha \sum_k w_k \operatorname{AdaIN}(f(c), s_k)$. Each style comes as a pair (mean, deviation). You may use `adain.adain`.


# %% tags=["exercise"]
def my_mixture(features, styles, shares, alpha):
    """features: f(c), (1, C, H, W); styles: a list of (mean, deviation); shares: w_k, which add up to 1."""
    raise NotImplementedError


check.mixture(my_mixture)


# %% tags=["solution"]
def my_mixture(features, styles, shares, alpha):
    """features: f(c), (1, C, H, W); styles: a list of (mean, deviation); shares: w_k, which add up to 1."""
    mixed = sum(w * adain.adain(features, style) for w, style in zip(shares, styles, strict=True))
    return (1 - alpha) * features + alpha * mixed


check.mixture(my_mixture)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Begin with the inner sum alone. A share and a style belong together; `zip` gives such pairs. What does each AdaIN start from?
# </details>
# <details><summary>Hint 2</summary>
#
# Each starts from `features`, and not from what the one before has made: AdaIN forgets the style that was there. Try it with one style, the share 1 and α = 1: that must be AdaIN with this style. With α = 0 it must be `features`.
# </details>
#
# Four styles at the corners of a square, and the cat everywhere between, painted from coarse to fine: in two passes, with broader marks.
#
# **Predict, then run.** Is the picture in the middle one of the four, all four on top of each other, or something of its own?

# %%
corners = ["geometric", "stained_glass", "ink_hatching", "night_strokes"]
originals = [styles[name] for name in corners]
with torch.no_grad():
    known = [network.style(style) for style in originals]  # measured once, for all nine pictures


def painted(content, function, *arguments, **options):
    """From coarse to fine; `function` makes of f(c) what goes into the decoder."""

    def one_pass(image):
        return network.decode(function(network.encode(image), *arguments, **options), image.shape[2:])

    with torch.no_grad():
        return coarse_to_fine(one_pass, content)


# %%
square, words = {}, {1: "", 0.5: "½ ", 0.25: "¼ "}
for down in (0, 0.5, 1):
    for across in (0, 0.5, 1):
        shares = [(1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down]
        picture = painted(photo, network.blend, known, shares=shares)
        if max(shares) == 1:  # a corner: one style alone
            picture = inset(picture, originals[shares.index(1)])
        title = ", ".join(words[share] + name for share, name in zip(shares, corners, strict=True) if share)
        square[title] = picture
grid(list(square.values()), list(square), columns=3)

# %% [markdown]
# <details><summary>What it means</summary>
#
# Something of its own, and one drawing, not four laid over each other. The lines of the cat stand once, where the photo has them: their pattern comes from $f(c)$ and is the same for all four styles. What is averaged is how the painting's marks and colours are laid over it. Walk along the edges and watch one thing at a time. From left to right along the top, the cream turns to red and turquoise. Down the left edge, the colours drain away and the heavy outlines become thin. The middle has some of each: an outline thinner than that of `geometric`, a nose paler than in `stained_glass`, a green eye, and blue in the ground.
#
# AdaIN is linear in σ and μ, so in each pass mixing four results is the same as mixing their σ and μ first, as lesson 04 did with γ and β.
# </details>
#
# ## 8 · A style for each place
#
# *Can the background be painted in one style, and the flower in another?*
#
# AdaIN keeps nothing of where things are in the *style*. In $t$ the places of the *photo* are all there. So we may use another style for each place. A mask says which one counts where.
#
# ### Exercise 5 — two styles and a mask
# *difficulty ●●○ · importance ●●○ · 8 minutes*
#
# The mask has the size of the picture, values from 0 to 1, and is 1 where the first style counts. Make it as small as the activations, and put the two AdaINs together. Keep soft edges soft.


# %% tags=["exercise"]
def my_two_styles(features, first, second, mask):
    """features: f(c), (1, C, h, w); first, second: (mean, deviation); mask: (1, 1, H, W) -> (1, C, h, w)."""
    raise NotImplementedError


check.two_styles(my_two_styles)


# %% tags=["solution"]
def my_two_styles(features, first, second, mask):
    """features: f(c), (1, C, h, w); first, second: (mean, deviation); mask: (1, 1, H, W) -> (1, C, h, w)."""
    size = features.shape[2:]
    m = nn.functional.interpolate(mask, size=size, mode="bilinear", antialias=True)  # (1, 1, h, w)
    return m * adain.adain(features, first) + (1 - m) * adain.adain(features, second)


check.two_styles(my_two_styles)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `nn.functional.interpolate` makes the mask small. Which size must it get? A mode that takes only one pixel of each cell makes soft edges ragged; look up `mode` and `antialias`.
# </details>
# <details><summary>Hint 2</summary>
#
# First make both AdaINs of the whole of `features`; the mask comes last. At each place the weights of the two add up to 1. Where the mask is 0.3, how much of each is there?
# </details>
#
# ### Your code learns, and paints
#
# Now all five of your functions are used. The first three train a small decoder from the beginning, in the paper's form. It is the real test of your AdaIN: to this decoder it is the style, all of it. Then your AdaIN, your mixture and your mask go into the course's decoder, which paints more finely, but reads only 64 channels of your AdaIN (section 5). `yours` takes a function of
# yours if it passes its check; otherwise it takes the course's, and says so.


# %%
def course_mixture(features, styles, shares, alpha):
    # `plain`, because its `blend` treats all channels alike, as your functions do
    return plain.blend(features, styles, shares=shares, strength=alpha)


def course_two_styles(features, first, second, mask):
    return plain.blend(features, [first, second], masks=torch.cat([mask, 1 - mask])[:, 0])


merge = yours(my_adain, check.adain, course_adain)
style_loss = yours(my_style_loss, check.style_loss, course_style_loss)
terms = yours(my_losses, check.training_loss, adain.paper_losses)
mixture = yours(my_mixture, check.mixture, course_mixture)
two_styles = yours(my_two_styles, check.two_styles, course_two_styles)

# %%
learner = new_decoder()
curves, _ = learn(learner, terms, merge, style_loss)
own = merge is my_adain or style_loss is my_style_loss or terms is my_losses
who = "your decoder" if own else "the course's, in place of yours"
print(f"{who}: L_c {curves['L_c'][-1]:.2f}, L_s {curves['L_s'][-1]:.2f} after {len(curves['L_s'])} steps")
pictures = [waves, paint(learner, cat, waves, merge), paint(mine, cat, waves)]
grid(pictures, ["the style", who, "the decoder of section 5"], columns=4, even=True)

# %%
flower = resize(samples.content("flower")[..., :372, 40:598], (256, 384), "box")  # (1, 3, 256, 384)
f_1, f_2 = (network.encode(styles[name]) for name in ("embroidery", "woodcut_waves"))  # (1, 425, 64, 64) each
first, second = losses.moments(f_1), losses.moments(f_2)
y, x = torch.meshgrid(torch.linspace(-1, 1, 256), torch.linspace(-1.5, 1.5, 384), indexing="ij")
around = (x + 0.06).hypot(y - 0.21)  # how far from the flower's middle
disc = ((0.8 - around) * 10).clamp(0, 1)[None, None]  # (1, 1, 256, 384): the flower, with a soft edge
made = [painted(flower, merge, f_1), painted(flower, mixture, [first, second], [0.5, 0.5], 0.8)]
made.append(painted(flower, two_styles, first, second, disc))
whose = {True: "your", False: "the course's"}
titles = [
    f"{whose[merge is my_adain]} AdaIN",
    f"{whose[mixture is my_mixture]} mixture",
    f"{whose[two_styles is my_two_styles]} mask",
]
beside = [flower, styles["embroidery"], styles["woodcut_waves"]]
grid([*beside, *made], ["the photo", "the first style", "the second style", *titles], columns=3, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# First two small decoders. Yours and the one of section 5 had the same start, the same pictures and the same number of steps, so they paint alike. (Not to the pixel: your ε under the root may differ from the course's, and training makes small differences large.)
#
# Then three flowers by the course's decoder. First `embroidery` everywhere: orange and red petals on a dark ground of green and red. No stitch is to be seen, and the cracks in the ground are the decoder's own (section 10). Then half embroidery and half woodcut, at α = 0.8: paler petals, and level lines over a bluish ground. Then embroidery inside a disc as large as the flower, and the woodcut around it. Where a title says "the course's", that function of yours is not solved yet.
#
# Inside the disc the flower is redder than that of "your AdaIN". Each norm of the decoder takes its mean and deviation over the *whole* picture, and most of that is woodcut now.
# </details>
#
# **Predict, then run.** The same disc as the course's own `network.blend` paints it. Then a mask that is cut sharply down the middle, and one that leaves the flower out. Will the sharp edge be sharp in the picture, too?

# %%
left = torch.zeros(256, 384)
left[:, :192] = 1
made = [
    painted(flower, network.blend, [first, second], masks=torch.stack([mask, 1 - mask])) for mask in (disc[0, 0], left)
]
made.append(torch.lerp(painted(flower, network.blend, [second]), flower, disc))  # in the disc, the photo's own pixels
grid(made, ["the disc, by network.blend", "cut down the middle", "around the flower"], columns=3)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# With the disc, nearly what your own function gave. Some petals differ a little, since `blend` lets only the style code change from place to place, so that no edge stands in the pattern. Down the middle, one half of the flower is embroidered in red and the other cut in white. The edge is nearly sharp, a few pixels wide: one position of $t$ stands for eight pixels, in the coarse pass for sixteen, and the decoder's convolutions reach the neighbours as well. In the last picture nothing is mixed in $t$: all of it was painted, and then the photo's own pixels were laid over the flower.
# </details>
#
# ## 9 · Keep the colours
#
# *The strokes of the painting, but the colours of the photo?*
#
# As in lesson 02: first give the *style picture* the mean and covariance of the photo's colours, then use it as style.
#
# **Predict, then run.** Where in the pipeline does this happen? Does the decoder have to know about it?

# %%
night = styles["night_strokes"]
with torch.no_grad():
    its, kept = (coarse_to_fine(partial(network, styles=night, colours=keep), cup) for keep in (False, True))
recoloured = match_colour(night, cup)  # what `colours=True` takes as the style
pictures = [cup, inset(its, night), inset(kept, recoloured)]
grid(pictures, ["the photo", "the style's colours", "the photo's colours"], columns=3)

# %% [markdown]
# <details><summary>What it means</summary>
#
# It happens before everything else, to the style picture (in each of the two passes). The second corner shows the painting as it then is: a night in red and brown. Encoder, AdaIN and decoder stay as they are, and know of nothing. The little strokes are much the same in both. But what was blue is now red and brown.
# </details>
#
# ## The lab
#
# All of this, live. Drag, and the picture follows.
#
# - The **ring in the square** mixes the four styles at its corners; in a corner there is one style alone. Choose the four styles from their lists, or drop a picture of your own on one of them.
# - **strength α** goes from the photo, through encoder and decoder, to the style. Styles are taken at the picture's size.
# - **broad marks** is the share of a coarse pastiche that is painted first (lesson 03, section 8), times α.
# - **colours of** the style or the photo. **where** is a mask: inside it the square counts, and **elsewhere** says what is painted outside. A mask of your own is any picture, white for inside.
# - **size** is the longer side, up to 1024 pixels.
#
# It begins half way along the upper edge: half `geometric`, half `stained_glass`. The four at the corners are those of section 7.
#
# Things to try: a photo as style. The same picture as content and as style. A style with soft forms (`papercut`), and one of dots (`pointillism`). α of a half and a mixture.

# %% tags=["nbval-ignore-output"]
small_ones = [resize(style, 128, "box") for style in originals]
four = torch.cat([torch.cat(small_ones[i : i + 2], dim=3) for i in (0, 2)], dim=2)  # (1, 3, 256, 256)
grid([four], ["{} · {}\n{} · {}".format(*corners)])
lab = AdaINLab("coffee", *corners, across=0.5)
lab

# %% [markdown]
# Where the lab does not run, a still picture of its beginning stands here: the cup, half geometric and half stained glass. The saucer is red with a heavy dark outline, and its shadow blue. The lines on the table, like joints between bricks, are the decoder's own (section 10).
#
# ## 10 · How good is it, and where does it fail?
#
# *What do we give up for the speed?*
#
# Let us put both methods side by side: lesson 02 with 60 steps, and one pass of AdaIN. Three measures: the style loss of lesson 02
# (Gram matrices), the style loss of this lesson (means and deviations), and the content loss, all in the same encoder. Lower is better.
#
# **Predict, then run.** Lesson 02 minimises the first and the last of them directly, for this one picture. Which method is better in which, and by how much?


# %%
def judged(picture, content, style):
    """Gram style loss, moments style loss, content loss."""
    with torch.no_grad():
        seen, s, p = (encoder(image, [*STYLE_LAYERS, "relu4_2"]) for image in (picture, style, content))
        gram = sum(losses.style_loss(seen[i], losses.mean_gram(s[i])) / 5 for i in STYLE_LAYERS)
        moments = sum(
            losses.moments_loss(seen[i], losses.moments(s[i])) / s[i].shape[1] ** 0.5 for i in STYLE_LAYERS[:4]
        )
        return gram.item(), moments.item(), losses.content_loss(seen["relu4_2"], p["relu4_2"]).item()


temple = resize(samples.content("china"), (256, 384), "box")
for name, content in (("marbling", photo), ("woodcut_waves", temple)):
    style = styles[name]
    slow = result(gatys.stylize(content, style, encoder=encoder, steps=60))
    with torch.no_grad():
        fast = network(content, style)
    for word, made in (("the photo itself", content), ("lesson 02, 60 steps", slow), ("AdaIN, one pass", fast)):
        gram, moments, kept = judged(made, content, style)
        print(f"{name:14} {word:20} Gram style {gram:6.2f}   moments style {moments:5.2f}   content {kept:.2f}")
    grid([inset(content, style), slow, fast], [name, "lesson 02, 60 steps", "AdaIN, one pass"], columns=3)

# %% [markdown]
# <details><summary>What it means</summary>
#
# By the Gram matrices lesson 02 wins, as it must: it took 60 steps for this one pair, each downhill on this very number. AdaIN had one pass, and 64 numbers of a style. The Gram loss is a square, so take its root as a distance: of the way from the photo to the style, AdaIN has gone three quarters or a little more. By means and deviations, which are not squared, it has gone more than four fifths in marbling, where it is even the nearer one, and three quarters in the woodcut. It pays with content: its content loss is twice that of lesson 02, or more.
#
# Your eyes may judge otherwise. In marbling lesson 02 leaves the cat brown, and lays thin threads of pink and turquoise over it. AdaIN gives the cat red and orange and the ground turquoise, in streaks that follow the fur. Neither has a whorl of the marbling. In the woodcut it is the other way round: lesson 02 has drawn crisp, dark lines through the sky, the temple and the trees. AdaIN has lines, too, but softer ones, most of them in the sky.
#
# From coarse to fine the marks get broader, as in section 7, but not one of the three numbers gets better.
# </details>
#
# More places where it fails:
#
# - **Small things.** A position of `relu4_1` is eight pixels wide, one of `relu3_1` four, and a pixel of the small picture two. Letters and distant people are not much larger, so the decoder has to guess them.
# - **Smooth areas.** A clear sky has hardly any pattern of its own, and the style asks for a lot. So the little that is there is enlarged, and the decoder invents the rest. In the picture below, the dark blue sky breaks into light blue, yellow and pink, with rows of short dashes that repeat. These are not the dots of the painting, and the towers are nearly gone.
# - **The decoder's own texture.** The decoder has to invent what is smaller than one position, and some of it is much the same from style to style: short dark cracks with a light edge, as in plaster. You can see them on the ground of the embroidered flower in section 8 and on the table of the lab's first picture. The embroidery has none of them. They stand out most where the photo is smooth and the painting is shown small; that is why this page shows paintings large.
# - **Large shapes.** The swirls of the night and of the marbling do not come (see the top of this page). Numbers without places do not tell them.
# - **Parts that do not correspond.** The whole photo gets the whole style's numbers. A style that is half white and half black makes a grey mean, whatever your photo shows. Lesson 07 compares sky with sky.

# %%
sky, dots = samples.content("rocket", 256), samples.style("pointillism", 256)
with torch.no_grad():
    noisy = network(sky, dots)
grid([sky, dots, noisy], ["a smooth sky", "pointillism", "the sky in pointillism"], columns=3, even=True)

# %% [markdown]
# **Predict, then run.** The photo as its own style should change nothing: AdaIN(x, x) = x. What remains different?

# %%
with torch.no_grad():
    same, through = network(photo, photo), network(photo, photo, strength=0)
print(f"own style against the photo: {psnr(same, photo):.1f} dB; against g(f(c)): {psnr(same, through):.0f} dB")

# %% [markdown]
# <details><summary>What it means</summary>
#
# AdaIN has changed nothing: not one pixel differs from $g(f(c))$ (∞ dB). What is missing is what encoder and decoder lose, as you saw in section 3: the green of the eyes, the red of the nose, and most of the whiskers. So if a picture lacks detail at α = 0 already, the reason is the encoder or the decoder, not the style.
# </details>
#
# ### How fast?


# %% tags=["nbval-ignore-output"]
def seconds(function, *arguments, **options):
    begin = time.perf_counter()
    with torch.no_grad():
        function(*arguments, **options)
    return time.perf_counter() - begin


for side in (128, 256, 512):
    c, s = (resize(image, side, "box") for image in (photo, painting))
    with torch.no_grad():
        features, known_style = network.encode(c), network.style(s)
        mixed = network.blend(features, [known_style], strength=0.7)
    whole = min(seconds(network, c, s) for _ in range(2))
    again = min(seconds(network.decode, mixed, (side, side)) for _ in range(2))
    print(f"{side} px: everything {whole * 1e3:4.0f} ms; only α moved {again * 1e3:4.0f} ms")

# %% [markdown]
# Compare this with the seconds of lesson 02. The paper's own table says (seconds on one graphics card of that time, style encoded before; in brackets with it):
#
# | method | 256 px | 512 px | styles |
# | --- | --- | --- | --- |
# | Gatys and others (lesson 02) | 14.17 (14.19) | 46.75 (46.79) | any |
# | Chen and Schmidt (lesson 06) | 0.171 (0.407) | 3.214 (4.144) | any |
# | Ulyanov and others (as lesson 03) | 0.011 | 0.038 | 1 |
# | Dumoulin and others (lesson 04) | 0.011 | 0.038 | 32 |
# | AdaIN | 0.018 (0.027) | 0.065 (0.098) | any |
#
# ## Differs from the paper
#
# - **A smaller encoder**: fewer channels in `relu4_1` than VGG-19's 512. It is much faster and tells fewer structures apart: textures are simpler. `stylelearn train adain --encoder vgg19` trains a decoder for
#   VGG-19, on a graphics card in hours.
# - **Another decoder**: it is given `relu3_1` and a small picture beside `relu4_1`. Of all three it uses the pattern alone, and the style reaches its norms by a code of 64 numbers (section 5): nearer to Ghiasi and others than to (8). `plain` and the small decoders of this lesson are the paper's. It also sees a little noise, against patterns that repeat in an even sky; the sky in pointillism of section 10 shows that this does not always help. `stylelearn train adain --mirrored`
#   trains the paper's form.
# - **Gram matrices in training**: in place of (13) the course's decoder is compared by $\|G - A\| / \|A\|$, the root of lesson 02's loss. With means and deviations alone it learnt palettes and grain, and no strokes. What it is *told* of a style is still means and deviations alone.
# - **Less training**: smaller crops and far fewer steps than the authors', and other pictures than MS-COCO and WikiArt.
# - **The small decoders of this lesson** start at `relu2_1` and learn for seconds. They show how it works, not how good it gets.
# - **Masks**: the paper normalises each region with its own mean and deviation. We take those of the whole photo, so that soft masks have no seams. The course's `blend` lets only the style code change from place to place, so that no edge stands in the pattern either.
# - **More terms in training**: in a part of each batch the style is the content itself, and there the picture is compared, too, so that α = 0 gives most of the photo's colours. A loss for total variation (how much neighbouring pixels differ, lesson 01) lowers the noise, and a penalty keeps single activations from dominating a norm.
# - **From coarse to fine** (lesson 03, section 8), in sections 7 to 9 and in the lab.
# - **Norms** are divided by the root of the number of their values, so that λ means the same for every encoder. The paper's λ is 10; the card beside the weights names ours.
#
# ## Summary
#
# - Much of a style is in two numbers a channel: mean and standard deviation.
# - AdaIN puts the style's numbers in the place of the photo's. Nothing in it is learnt, so it works for any style.
# - A decoder turns the result into a picture. It may not normalise, unless each norm is given the style again. It is compared with $t$, because $t$ is what it was given.
# - In activations one can calculate: strength, mixtures and masks are weighted sums, and cost one pass of the decoder.
# - The price: fine detail, and patterns that need more than two numbers a channel.
#
# **Common misconceptions**
#
# - *"The network has learnt thousands of styles."* It has learnt to turn activations into pictures. The style is measured when you give it.
# - *"AdaIN has parameters."* (8) has none. The decoder has, and in the course's they make γ and β, too, out of a style's numbers.
# - *"α = 0 is the photo."* It is the photo through encoder and decoder. What is lost there has nothing to do with style.
# - *"Mixing styles is mixing pictures."* It is mixing means and deviations. The middle is a style of its own.
# - *"It is better than lesson 02, because it is newer."* It is faster: nearly 800 times in the paper's table. If you can wait, lesson 02 comes closer to the style's Gram matrices.
#
# **To read**: the paper; Ulyanov, Vedaldi and Lempitsky, *Improved Texture Networks*, CVPR 2017, on instance normalisation; Sheng, Lin, Shao and Wang,
# *Avatar-Net: Multi-scale Zero-shot Style Transfer by Feature Decoration*, CVPR 2018, from which our skip comes; Ghiasi, Lee, Kudlur, Dumoulin and Shlens, *Exploring the Structure of a Real-time, Arbitrary Neural Artistic Stylization Network*, BMVC 2017, where a network reads γ and β off a style; Li, Wang, Liu and Hou, *Demystifying Neural Style Transfer*, IJCAI 2017, on why
# means and deviations can stand for Gram matrices; Karras, Laine and Aila, *A Style-Based Generator Architecture for Generative Adversarial Networks*, CVPR 2019, where AdaIN in each layer paints faces.
#
# **Next**: two numbers a channel do not say what a style's patterns look like. [Lesson 06](06_style_swap.ipynb) keeps the patterns: it takes patches out of the style, as they are, and puts each where it fits best.

# %% [markdown] tags=["solution"]
# ## For teachers
#
# **Timings** (90 minutes): sections 1 and 2 with exercise 1, 18 minutes · sections 3 and 4, 7 · section 5 with exercises 2 and 3, 32 · sections 6 to 9 with exercises 4 and 5 and your own code, 24 · the lab and section 10, 9. In a hurry leave out exercise 5 and section 9.
#
# **Show.** AdaIN of the pixels (section 2): it shows at once what two numbers a channel can do and what they cannot. Then the lab with a picture that one of the class draws on paper and photographs. In section 8, paint that drawing's style with a learner's own AdaIN.
#
# **Expected results.** In section 3 `t` lies on the painting's curves, and the pastiche near them. In section 5 `t` as target has style loss 0, instance norm makes the three pictures alike, and the course's decoder paints the same whether AdaIN has touched more than its 64 code channels or not. In section 8 a learner's own small decoder paints like that of section 5. In section 10 lesson 02 is nearer to the style by Gram matrices, and AdaIN may look better in marbling. Times depend on the machine; what holds is that moving α costs a part of the whole.
#
# | Section | Printed, or above a picture | Expect |
# | --- | --- | --- |
# | 1 | `from the left half of marbling to its right half:` | 4 to 5.5 |
# | 3 | `relu4_1 has 77 channels; one position stands for` | 8, exactly |
# | 3 | `paper's form: g(f(c)),` | 15 to 20 dB |
# | 3 | `the course's: g(f(c)),` | 22 to 28 dB |
# | 5 | `t as target: the style loss of relu2_1 would be` | 0 to 0.01 |
# | 5 | `no norm mean colours of the three pictures differ by` | 0.03 to 0.2 |
# | 5 | `instance norm mean colours of the three pictures differ by` | 0 to 0.06 |
# | 5 | `AdaIN of the code alone against g(t):` | 60 to 120 dB |
# | 5 | `AdaIN of all but the code against g(f(c)), no style at all:` | 60 to 120 dB |
# | 6 | `α = 0 against the photo:` | 20 to 27 dB |
# | 10 | `marbling AdaIN, one pass Gram style` | 0.02 to 0.05 |
# | 10 | `marbling lesson 02, 60 steps Gram style` | 0 to 0.03 |
# | 10 | `woodcut_waves AdaIN, one pass … content` | 0.7 to 1.2 |
#
# **Where they get stuck.** In exercise 1 the mean is taken over the batch as well: then the pictures of a batch share one style, and nobody notices with a batch of one. In exercise 3 all of it is put under `no_grad`, so that nothing can be learnt, or the picture is compared with the photo. In exercise 4 each style is put onto the result of the one before, so that only the last one is left. In exercise 5 the mask is applied to the photo's activations *before*
# AdaIN: then the zeros outside count in mean and deviation. The checks name these.
#
# **Questions for a discussion.**
#
# - *Why is the same formula with learnt numbers (lesson 04) often better for its own styles?* There the numbers of each layer were chosen by the loss, for this one style. Here they are read off a few means and deviations, by a map that has to suit all styles.
# - *What would happen with three numbers a channel?* One could add the skewness. It would still say nothing about which channels go together. Whole covariances do, and methods that use them exist ("whitening and colouring").
# - *In what sense is the course's decoder still AdaIN?* It normalises, and puts in numbers that come from the style's means and deviations. But a learnt map lies between, so (8) no longer says which numbers. Let them argue from the three pictures of section 5.
# - *Could the decoder be left out, with lesson 01 in its place?* Yes: search for the picture whose activations are $t$. It is slower, nearer to $t$, and less clean, since nothing has taught the search what pictures look like.
# - *Is α = 0.5 half of the style?* It is the middle of a straight line in activations. What the eye calls half lies somewhere else for each style.
