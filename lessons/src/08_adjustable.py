# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08 · One slider for each layer, live
#
# In lesson 02 you had a slider for each layer. Each setting gave another picture, and each took a run of its own. In lesson 05 a
# picture takes a moment, but the sliders are gone: the network has learnt one balance of the layers.
#
# Mohammad Babaeizadeh and Golnaz Ghiasi brought the sliders back. Their network gets the weight of each layer as an *input*, and has learnt to paint for all weights. So the
# weights of the loss, which used to be fixed before training, can be changed after it, in real time.
#
# **After this lesson you can …**
#
# - name the two problems that the method solves, and show both,
# - write a loss with random weights for every picture, and say what the network learns from that,
# - condition a network on numbers of your own choice, by its γ and β,
# - explain why losses are brought to one scale, and show what happens without,
# - read sensitivity grids, compare with lesson 02 at the same setting, and measure how diverse pastiches are.
#
# **Builds on** [lesson 02](02_gatys.ipynb), [lesson 04](04_cin.ipynb) and [lesson 05](05_adain.ipynb) · **about 100 minutes**, with the exercises · **paper**: M. Babaeizadeh and
# G. Ghiasi, *Adjustable Real-time Style Transfer*, ICLR 2020 ([arXiv 1811.08560](https://arxiv.org/abs/1811.08560)). We number the equations as we go.

# %%
# %config InlineBackend.figure_formats = ['jpeg']
import copy
import itertools
import time

import torch

from stylelearn import adain, adjustable, gatys, losses, samples
from stylelearn.checks import adjustable as check
from stylelearn.checks import yours
from stylelearn.figures import grid, plot_curves
from stylelearn.images import psnr, resize
from stylelearn.lab import AdjustableLab
from stylelearn.networks.coarse import SHARE, coarse_to_fine
from stylelearn.networks.conditioning import AdjustableNet, AdjustedNorm
from stylelearn.optimize import result
from stylelearn.practice import practise

network = adjustable.load()  # the course's trained network
encoder = network.encoder  # which it was trained with
layers = list(network.style_layers)  # each of them has a slider

# %% [markdown]
# The goal: one photo, one painting, one network. Only the three sliders differ.
#
# **Predict, then run.** What will each slider bring: colours, small marks or large ones? Look at the sky. The photo has next to nothing there, so what you see was painted.


# %%
def paint(content, style, *settings, net=None):
    """One pastiche for each setting: an α for all layers, or α by layer, 0 for the others.

    SHARE asks for painting from coarse to fine (lesson 03, section 8), wherever a photo has at least 160 pixels a side.
    """
    wishes = [one if isinstance(one, float) else dict.fromkeys(layers, 0.0) | one for one in settings]
    with torch.no_grad():
        alphas = torch.cat([network.alphas(wish) for wish in wishes])  # (settings, layers)
        made = (net or network)(content.expand(len(wishes), -1, -1, -1), network.style(style), alphas, SHARE)
    return list(made[:, None])  # (1, 3, H, W) each


photo = resize(samples.content("china"), (176, 264), "box")  # (1, 3, 176, 264)
painting = samples.style("stained_glass", 256)
alone = [{layer: 1.0} for layer in layers]  # one slider at 1, the others at 0
made = paint(photo, painting, 0.0, *alone, 1.0)
titles = ["the painting", "all at 0", *(f"only {layer} at 1" for layer in layers), "all at 1"]
grid([painting, *made], titles, columns=3, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# All at 0 gives the photo back. `relu1_1` brings the **colours**: a red temple, blue and pink glass in the sky. `relu2_1` brings **small marks**: beads along the roofs and in the trees, and hardly any in the sky. `relu4_1` brings **large marks**: panes with dark leads all over the sky, in muted colours. These are the names of the three sliders in this lesson. They are not pure: `relu1_1` draws some marks, too, and each of the three brings some colour.
# </details>
#
# ## 1 · Two problems
#
# *What is wrong with what we have?*
#
# **First: one answer.** A network of lesson 03, 04 or 05 makes exactly one pastiche of a photo and a painting; a strength only fades it.
#
# **Second: the result is sensitive to hyper-parameters.** How much weight for which layer? The best answer is different for every pair and every taste. You find it by trying, and each try is a training run.
#
# How sensitive? Lesson 02 can show it, since it optimises every picture on its own. Same photo, same painting, same strength; only the layer changes in which the style is compared.
#
# **Predict, then run.** How different will the three be? Which layer brings colours, which one fine grain, which one larger marks?

# %% tags=["nbval-ignore-output"]
small, waves = resize(photo, (144, 216), "box"), samples.style("woodcut_waves", 144)
begin, tries = time.perf_counter(), []
for layer in layers:
    steps = gatys.stylize(small, waves, encoder=encoder, steps=60, layer_weights=[layer], style_weight=30.0)
    tries.append(result(steps))
print(f"three tries with lesson 02: {time.perf_counter() - begin:.1f} s")
grid([waves, *tries], ["the style", *(f"only {layer}" for layer in layers)], columns=2, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Three different pictures. `relu1_1` brings the colours of the woodcut: blue trees, white on the roofs, a cream sky, and some red of the sun at the lower left. `relu2_1` brings thin dark lines along the roofs and a fine grain; the colours are weaker. `relu4_1` draws long waves across the sky and winds the trees into strands, but the temple keeps its own colours. None of the three is *the* right one.
#
# Here three tries take seconds, since the picture and the encoder are small. For a network of lesson 03 a try is a whole training run, for every style again.
# </details>
#
# ## 2 · The weights become inputs
#
# *How can one network paint for every choice of weights?*
#
# The loss of all our lessons is a weighted sum over layers. Now each layer's weight gets a name of its own, $\alpha^l$, from 0 to 1:
#
# $$L(p, c, s, \alpha) = \sum_{l \in C} \alpha_c^l \, L_c^l(p, c) + \sum_{l \in S} \alpha_s^l \, L_s^l(p, s) \qquad\text{(1)}$$
#
# $p$ is the pastiche, $c$ the photo and $s$ the painting; $C$ are the content layers and $S$ the style layers. In our network these are `relu4_2` for content, and `relu1_1`, `relu2_1` and `relu4_1` for style. With only one content layer its α stays at 1: only the
# balance matters.
#
# An ordinary network is trained for one α. Here two things are different. The network, $\Phi$, gets α as an *input*, beside the pictures:
#
# $$p = \Phi(c, s, \alpha) \qquad\text{(2)}$$
#
# And in training, **each picture of each batch gets a random α**, and its loss is weighted by *this* α. A network that ignores α is left with a larger loss. So it learns to use it.
#
# ### Exercise 1 — each picture has its own weights
# *difficulty ●○○ · importance ●●● · 5 minutes*
#
# You get the losses of each picture in each layer, and the α of each picture and layer. Write (1) for each picture, and return the mean over the batch.


# %% tags=["exercise"]
def my_weighted(each, alphas):
    """each: losses (B, L); alphas: (B, L) -> one number, a tensor."""
    raise NotImplementedError


check.weighted(my_weighted)


# %% tags=["solution"]
def my_weighted(each, alphas):
    """each: losses (B, L); alphas: (B, L) -> one number, a tensor."""
    return (alphas * each).sum(dim=1).mean()  # sum over the layers, mean over the pictures


check.weighted(my_weighted)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `alphas * each` multiplies each loss by its own α. Then add up along one dimension, and average along the other.
# </details>
# <details><summary>Hint 2</summary>
#
# Layers are dimension 1, pictures are dimension 0. Do not average α and losses separately: the α of one picture must not weight another picture's losses.
# </details>
#
# ## 3 · Conditioning
#
# *Where do three numbers enter a network of convolutions?*
#
# As in lesson 04: in the normalisations. After each convolution a channel gets a new scale γ and a new shift β, which decide how much the channel contributes. Lesson 04 kept a table of them, one row for each style. But α is
# not one of sixteen styles; it is any point of a cube. No table holds all of them. So a second network computes γ and β:
#
# $$z = \gamma_\alpha \left( \frac{x - \mu}{\sigma} \right) + \beta_\alpha \qquad\qquad (\gamma_\alpha, \beta_\alpha) = \Lambda(\alpha, s) \qquad\text{(3)}$$
#
# $\Lambda$ (Lambda) is a multi-layer perceptron: a few linear layers with a nonlinearity between them (ours is tanh). It is trained together with the convolutions, by the same loss.
#
# ### Exercise 2 — a conditional norm
# *difficulty ●●○ · importance ●●● · 10 minutes*
#
# Write (3) for a batch in which each picture has its own α. `mlp(alphas)` gives 2C numbers for each picture: first all γ, then all β. Divide the variance by the number of positions (`correction=0`), and add $10^{-5}$ to it before you take the root.


# %% tags=["exercise"]
def my_adjusted_norm(x, alphas, mlp):
    """x: (B, C, H, W); alphas: (B, L); mlp: (B, L) -> (B, 2C). Returns (B, C, H, W)."""
    raise NotImplementedError


check.adjusted_norm(my_adjusted_norm)


# %% tags=["solution"]
def my_adjusted_norm(x, alphas, mlp):
    """x: (B, C, H, W); alphas: (B, L); mlp: (B, L) -> (B, 2C). Returns (B, C, H, W)."""
    gamma, beta = mlp(alphas)[:, :, None, None].chunk(2, dim=1)  # (B, C, 1, 1) each
    mean = x.mean((2, 3), keepdim=True)
    variance = x.var((2, 3), keepdim=True, correction=0)
    return gamma * (x - mean) / (variance + 1e-5).sqrt() + beta


check.adjusted_norm(my_adjusted_norm)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `mlp(alphas)` is (B, 2C). With `[:, :, None, None]` it becomes (B, 2C, 1, 1) and fits x. `.chunk(2, dim=1)` cuts it into two halves.
# </details>
# <details><summary>Hint 2</summary>
#
# μ and σ are those of lesson 03: over dimensions 2 and 3, with `keepdim=True`.
# </details>
#
# What does Λ know of the *style*? As in lesson 05 the encoder describes it: the mean and the deviation (the *moments*) of each channel in six layers, 494 numbers in all. So any picture can be a style. (Λ gets the logarithms of these numbers, since they differ by factors of a thousand. Many channels say nearly the same, so its first step keeps only the 128 directions in which paintings differ most.)
#
# The first form in the paper is simpler: one network for one style, and Λ gets only α. We train two of those in section 4.

# %%
numbers = {"Φ": 0, "Λ": 0}
for name, values in network.named_parameters():
    if not name.startswith("encoder."):
        numbers["Λ" if name.startswith("conditioner.") or ".head." in name else "Φ"] += values.numel()
known = network.style(painting)
print(f"parameters: Φ, the convolutions, {numbers['Φ']:,};  Λ {numbers['Λ']:,}")
print(f"Λ gets {known.shape[1]} numbers for a style, and {len(layers)} for α")

# %% [markdown]
# (Λ has more numbers than Φ, but it costs next to nothing: it runs once for a picture, and not once for each of its pixels.)
#
# **Predict, then run.** What can γ and β do by themselves? Here the convolutions are the same in all five pictures, and the photo and the painting too. Only the three numbers differ that Λ gets. Compare with the first picture of this lesson: what is missing here?

# %%
wishes = [{}, *alone, dict.fromkeys(layers, 1.0)]
alphas = torch.cat([network.alphas(dict.fromkeys(layers, 0.0) | wish) for wish in wishes])  # (5, 3)
with torch.no_grad():
    code = network.conditioner(alphas, known)  # (5, K): Λ without its last layer; each norm has one of its own
    bare = coarse_to_fine(lambda image: network.painter(image, code), photo.expand(5, -1, -1, -1))
titles = ["Λ gets 0, 0, 0", *(f"Λ gets {layer} = 1" for layer in layers), "Λ gets 1, 1, 1"]
grid([painting, *bare[:, None]], ["the painting", *titles], columns=3, even=True)

# %% [markdown]
# <details><summary>What it means</summary>
#
# γ and β alone decide the colours and how large the marks are: the painting's colours with `relu1_1`, a smooth sky and beads with `relu2_1`, large panes with `relu4_1`. What is missing is the photo. With 0, 0, 0 nobody asks for style, yet Φ paints something, in garish colours: its norms have removed the photo's brightness, contrast and colours, so it cannot give them back. (It was hardly ever trained for this setting, since its opacity is 0.)
# </details>
#
# **How the photo comes back.** Our network lays what Φ paints *over* the photo, and the sliders also set how opaque it lies there:
#
# $$\text{opacity} = 1 - \prod_l (1 - q_l\, \alpha_s^l)$$
#
# $q_l$ says how much layer $l$ covers at most. For light and dark it is 0.85 for each layer; for colours 0.9 for `relu1_1` and only 0.3 for the other two. With all sliders at 0 the opacity is 0, so the photo comes back. With all at 0.3 it is 0.59 for light and dark and 0.40 for colours. So a slider does two things: it tells Λ what to paint, and it lets the painting cover more of the photo. That `relu4_1` leaves the photo its colours is a choice of ours. The paper does not do this; section 5 measures how much of the effect is Λ's.
#
# **Think.** In one public implementation Λ's weights were not passed to the optimiser: only the convolutions learnt. The training ran without any error, and the loss went down. What do its sliders do?
#
# <details><summary>An answer</summary>
#
# Something, but nothing useful. Λ keeps its random weights. Its γ and β still change with α, but at random, and the convolutions learn to be as independent of that as possible. The course's tests make sure that every
# parameter of Λ changes in training.
# </details>
#
# ## 4 · Bring all losses to one scale
#
# *Is α = 1 as much in one layer as in another?*
#
# Only if the losses themselves have one scale. Do they? We compute them as the paper writes them, as plain sums of squares:
#
# $$L_c^l = \lVert \phi^l(p) - \phi^l(c) \rVert^2 \qquad\qquad L_s^l = \lVert G^l(p) - G^l(s) \rVert^2 \qquad\text{(4)}$$
#
# with $\phi^l$ the activations of layer $l$ and $G^l$ the mean Gram matrix.
#
# **Predict, then run.** The means over six photos: the style loss of the photo itself in each layer, and the content loss of a plain grey picture. Do these numbers differ by a few per cent, or by large factors?

# %%
night = samples.style("night_strokes", 128)
photos = [
    resize(samples.content(name), 128) for name in ("chelsea", "coffee", "flower", "rocket", "astronaut", "china")
]
targets = {layer: losses.mean_gram(seen) for layer, seen in encoder(night, layers).items()}


def raw(picture, wanted):
    """(4), one row for each picture: the style losses, then the content loss; wanted: relu4_2 of the photo. (B, 4)."""
    seen = encoder(picture, [*layers, "relu4_2"])
    style = [(losses.mean_gram(seen[layer]) - targets[layer]).square().sum((1, 2)) for layer in layers]
    return torch.stack([*style, (seen["relu4_2"] - wanted).square().sum((1, 2, 3))], dim=1)


terms = [*(f"style {layer}" for layer in layers), "content relu4_2"]
grey = encoder(torch.full((1, 3, 96, 96), 0.5), "relu4_2")["relu4_2"]
found = torch.cat([raw(one[..., :96, :96], grey) for one in photos])
for term, value in zip(terms, found.mean(dim=0).tolist(), strict=True):
    print(f"{term:16} {value:12,.0f}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# By large factors: the largest is some twenty times the smallest. Layers differ in how large their activations are and in how many entries their Gram matrices have. The largest loss dominates the gradient, and the sliders of the others have next to no effect. Four good weights could be found by hand, but another encoder, other layers or
# another style would need another search.
# </details>
#
# The paper's method needs no search. Keep a **running average** $\bar L^l$ of each loss during training, and divide by it. Then multiply by the sum of all averages, so that the numbers do not become tiny:
#
# $$\bar L^l \leftarrow d\, \bar L^l + (1 - d)\, L^l \qquad\qquad \text{loss } l \text{ is multiplied by } \frac{\sum_i \bar L^i}{\bar L^l} \qquad\text{(5)}$$
#
# with a decay $d$ just below 1. Now each loss, times its factor, has about the same size: that of all of them together.
#
# ### Exercise 3 — running averages
# *difficulty ●●○ · importance ●●○ · 10 minutes*
#
# Write (5). The averages must be constants for the optimiser: it should minimise losses, not factors.


# %% tags=["exercise"]
def my_factors(averages, now, decay):
    """averages: of the steps before, (L,); now: this step's losses, (L,) -> new averages (L,), factors (L,)."""
    raise NotImplementedError


check.factors(my_factors)


# %% tags=["solution"]
def my_factors(averages, now, decay):
    """averages: of the steps before, (L,); now: this step's losses, (L,) -> new averages (L,), factors (L,)."""
    averages = decay * averages + (1 - decay) * now.detach()
    return averages, averages.sum() / averages


check.factors(my_factors)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# First the new averages, then the factors from the *new* averages.
# </details>
# <details><summary>Hint 2</summary>
#
# `now.detach()` has the same values without their history. Otherwise gradients would flow through the factors, too.
# </details>
#
# ### With and without
#
# Now the experiment: two tiny networks of the paper's first form (one style, a night sky), with the same start, the same pictures, the same random α, one with the factors of (5) and one without. They learn by *your* loss of exercise 1 and *your* factors of exercise 3. So small a network has no time to learn to reproduce the photo,
# so its painting is laid over the photo, half transparent.


# %%
def crops(step, side=96, count=4):
    """Four random pieces of the photos; the same ones for the same step, (4, 3, 96, 96)."""
    random, found = torch.Generator().manual_seed(step), []
    for _ in range(count):
        one = photos[int(torch.randint(len(photos), (1,), generator=random))]
        top, left = (int(torch.randint(size - side + 1, (1,), generator=random)) for size in one.shape[2:])
        found.append(one[:, :, top : top + side, left : left + side])
    return torch.cat(found)


def glazed(net, content, alphas):
    """What the network paints, half transparent over the photo, (B, 3, H, W)."""
    return 0.5 * content + 0.5 * net.painter(content, net.conditioner(alphas, None))


def course_factors(averages, now, decay):
    averages = averages.lerp(now.detach(), 1 - decay)
    return averages, averages.sum() / averages


weighted = yours(my_weighted, check.weighted, lambda each, alphas: (alphas * each).sum(dim=1).mean())
factors_of = yours(my_factors, check.factors, course_factors)


contents = [crops(step) for step in range(80)]  # the same for both networks
batches = [(content, encoder(content, "relu4_2")["relu4_2"]) for content in contents]


def learn(normalise, steps=80, rate=3e-3):
    """A tiny network for one style, trained from nothing; and its losses step by step, (steps, 4)."""
    torch.manual_seed(0)
    net = AdjustableNet(encoder, any_style=False, widths=(8, 16, 24), blocks=1)
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], rate)  # Φ and Λ
    averages, history = None, []
    for content, wanted in batches[:steps]:
        alphas = torch.rand(4, len(layers))  # a new α for each picture
        each = raw(glazed(net, content, alphas), wanted)  # (4, 4)
        now = each.detach().mean(dim=0)
        averages, factors = factors_of(now if averages is None else averages, now, 0.99)
        weights = torch.cat([alphas, torch.ones(4, 1)], dim=1)  # content has α = 1
        loss = weighted(each * factors if normalise else each, weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(now)
    return net, torch.stack(history)


# %% [markdown]
# **Predict, then run.** (This takes a quarter of a minute, or a little more.) What will the network without factors learn? Remember which losses are large, and that content always has α = 1.

# %%
plain, plain_history = learn(normalise=False)
fair, fair_history = learn(normalise=True)
with torch.no_grad():
    tiny = [glazed(net.eval(), photo, torch.ones(1, len(layers))) for net in (plain, fair)]
grid(
    [samples.style("night_strokes", 176), photo, *tiny],
    ["the style", "the photo", "trained without factors", "with factors"],
    columns=2,
    even=True,
)

# %% [markdown]
# The curves below have one baseline: the losses of the untrained network, averaged over twenty batches. Below 1 means nearer to the target than the untrained network was.

# %%
_, untrained = learn(normalise=False, steps=20, rate=0.0)
for word, history in (("without", plain_history), ("with", fair_history)):
    smooth = history.unfold(0, 20, 20).mean(dim=2) / untrained.mean(dim=0)  # means over 20 steps
    curves = {term: [1.0, *smooth[:, i].tolist()] for i, term in enumerate(terms)}
    at = [0.0, *(20.0 * i + 10 for i in range(len(smooth)))]
    plot_curves(curves, y="loss ÷ that of the untrained network", at=at, title=f"{word} factors", beside=True)

# %% [markdown]
# <details><summary>What it means</summary>
#
# Without factors the largest loss rules, that of the content. It falls to a third, while two of the three style losses end about where they began: the photo gets darker, and there is no stroke in its sky.
# With factors all four losses fall, the style losses to about a half. The sky and the trees turn blue, and short strokes cover them, as in the painting. There are no whirls and no stars.
#
# This is only a beginning. In so few steps, on six photos, Λ cannot learn what each slider means. That takes thousands of steps; section 5 shows the result.
#
# (5) has a danger. A loss that has become small counts *more*, and one that can reach zero dominates all others. When this course's network was allowed to choose its own opacity, it soon returned every photo unpainted: a content loss of 0. Section 3 (opacity) and *Differs from the paper* (fixed factors) say what we do
# instead.
# </details>
#
# ## 5 · Sensitivity
#
# *What does each slider do, and how do two interact?*
#
# Now the course's network, for any style. Each row moves one slider; the other two stay at 0.
#
# **Predict, then run.** Which row will have an orange sky? In which one will the temple turn into large shapes?

# %%
ramp, shapes = [0.3, 0.6, 1.0], samples.style("geometric", 176)
rows = paint(photo, shapes, 0.0, 1.0, *({layer: a} for layer in layers for a in ramp))
titles = ["the style", "all at 0", "all at 1", *(f"{layer} at {a:g}" for layer in layers for a in ramp)]
grid([shapes, *rows], titles, columns=3, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Compare the last column from top to bottom.
#
# - `relu1_1`, **the colours**: an orange sky with a little blue, a yellow and red temple. The roofs and storeys stay where they are.
# - `relu2_1`, **small marks**: dark beads with light gaps in the trees and under the roofs. The sky is smooth, and more beige than the photo's.
# - `relu4_1`, **large marks**: dark bent strokes come into the sky, the trees become pieces as large as a storey, and the storeys are lost. The colours are pale.
#
# With all three at 1 you get large orange pieces with dark edges. There is no circle and no chessboard: a network that knows a style by its moments has marks and colours, and no plan of a figure. At 0.3 the last two rows are still much alike; the next experiment shows why.
# </details>
#
# A slider works if a larger α gives a smaller loss in its layer. So we measure the style loss of all layers, while one α goes from 0 to 1, for twelve pairs.
#
# But α also sets the opacity (section 3). Would the losses fall as far if Λ did not know the sliders? To find out we take a second network: its opacity follows the sliders, but its Λ is told 0, 0, 0 at all times.
#
# **Predict, then run.** For which of the two will the losses fall farther?


# %%
def style_losses(pictures, style):
    """‖G − A‖²/‖A‖² of each picture (B, 3, H, W), in each layer: (B, layers)."""
    with torch.no_grad():
        seen, wanted = encoder(pictures, layers), encoder(style, layers)
        each = [losses.style_loss(seen[layer], losses.mean_gram(wanted[layer]), each=True) for layer in layers]
    return torch.stack(each, dim=1)


deaf = copy.deepcopy(network)  # as the network, but its Λ always gets 0
deaf.conditioner.forward = lambda alphas, style: network.conditioner(torch.zeros_like(alphas), style)
positions = [0.0, 0.25, 0.5, 0.75, 1.0]
names = itertools.product(("chelsea", "coffee", "rocket", "flower"), ("woodcut_waves", "mosaic", "batik"))
pairs = [(samples.content(content, 96), samples.style(style, 96)) for content, style in names]


def left_over(net):
    """What is left of the losses at 0 while each slider moves alone: (pairs, sliders, positions, layers)."""
    found = []
    for content, style in pairs:
        path = style_losses(torch.cat(paint(content, style, *moves, net=net)), style)
        found.append(path.unflatten(0, (len(layers), len(positions))) / path[0])
    return torch.stack(found)


moves = [{layer: a} for layer in layers for a in positions]
left = left_over(network)
for word, each in (("Λ gets the sliders", left), ("Λ always gets 0", left_over(deaf))):
    curves = {layer: each[:, i, :, i].mean(dim=0).tolist() for i, layer in enumerate(layers)}
    y = "what is left of its style loss"
    plot_curves(curves, x="α of the layer, the others at 0", y=y, at=positions, log=False, title=word, beside=True)

# %%
steps = torch.stack([left[:, i, :, i].diff(dim=1) for i in range(len(layers))])  # (layers, pairs, positions - 1)
print(f"{int((steps <= 0).all(dim=2).sum())} of {len(layers) * len(pairs)} sliders lower their loss with every step")
print("\nWhat is left of the loss in  " + "  ".join(layers))
for i, layer in enumerate(layers):
    print(f"with {layer} alone at 1     " + "     ".join(f"{value:.2f}" for value in left[:, i, -1].mean(dim=0)))

# %% [markdown]
# <details><summary>What it means</summary>
#
# Up to the middle both networks do about equally well. There the opacity does most of the work, and that is why the lower two rows look alike at 0.3. In the last quarter only the network that knows the sliders goes on: with Λ at 0 the losses rise again, that of `relu1_1` even above the photo's, as garish as the painting is then (section 3). `relu4_1` depends on Λ least.
#
# The table shows how far the sliders overlap. Read a column: `relu1_1` and `relu4_1` lower their own loss more than any other slider does. But the loss of `relu2_1` falls most with `relu1_1`, to 0.04, and with its own slider only to 0.21. Colours count much in that layer, too, and the opacity lets only `relu1_1` change them strongly.
#
# Nearly all sliders lower their own loss with every step. That took some care: α that are drawn at random hardly ever put one slider at its end and the others at 0. So a quarter of the training pictures were painted with just such settings.
# </details>
#
# **Predict, then run.** Two sliders at once, for another pair: the cat as a starry night. `relu1_1` to the right, `relu4_1` downwards. Is the lower right corner the sum of the upper right and the lower left one?

# %%
few = [0.0, 0.5, 1.0]
cat, stars = resize(samples.content("chelsea"), (176, 264), "box"), samples.style("night_strokes", 176)
settings = [{layers[0]: across, layers[-1]: down} for down in few for across in few]
titles = [f"{layers[0]}: {one[layers[0]]:g}, {layers[-1]}: {one[layers[-1]]:g}" for one in settings]
grid(paint(cat, stars, *settings), titles, columns=3)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Nearly the sum. From left to right the night's blue and yellow get stronger; from top to bottom the fur turns into strokes, and these get longer. Not quite the sum: in the lower right corner the stripes on the forehead are gone, while each slider alone leaves some of them. Early layers control more of the colours, late ones more of the size and the arrangement of the marks. There is no sharp border.
# </details>
#
# ## 6 · The same α in lesson 02
#
# *Does the network minimise the loss that it was trained for?*
#
# Lesson 02 can minimise nearly the same loss: its weights are α times the fixed factors that the network was trained with (`adjustable.gatys_weights`). It gets 60 steps for each picture.
#
# **Predict, then run.** Which comes nearer to the style, the optimiser or the network? And which has the larger differences between its three settings?

# %%
wishes = {"all at 1": 1.0, layers[0]: {layers[0]: 1.0}, layers[-1]: {layers[-1]: 1.0}}
day, marks = resize(photo, (160, 240), "box"), samples.style("papercut", 160)
slow, quick = [], paint(day, marks, *wishes.values())
for (name, wish), fast in zip(wishes.items(), quick, strict=True):
    alphas = network.alphas(wish if isinstance(wish, float) else dict.fromkeys(layers, 0.0) | wish)
    asked = adjustable.gatys_weights(network, alphas)
    slow.append(result(gatys.stylize(day, marks, encoder=encoder, steps=60, **asked)))
    loss = gatys.objective(day, marks, encoder=encoder, **asked)
    for word, image in (("lesson 02", slow[-1]), ("the network", fast)):
        found = {term: float(value) for term, value in loss(image).items()}
        style = sum(value for term, value in found.items() if term.startswith("style"))
        print(f"{name:12} {word:11} style {style:6.2f}   everything {sum(found.values()):6.2f}")
titles = [f"{who}: {name}" for who in ("lesson 02", "the network") for name in wishes]
grid([marks, *slow, day, *quick], ["the style", *titles[:3], "the photo", *titles[3:]], columns=4, even=True)

# %% [markdown]
# <details><summary>What it means</summary>
#
# The optimiser comes much nearer, as in lesson 05: it takes 60 steps for one pair, and its style losses are about a tenth or less of the network's. The network has a moment, and a single set of convolutions for all pairs and all α.
#
# Yet the sliders mean much the same for both. `relu1_1` brings coral and teal and keeps the storeys. `relu4_1` has weaker colours; lesson 02 leaves the temple its red, and the network draws large pieces over it. The network's marks are larger throughout, and with all at 1 it loses the storeys, which lesson 02 keeps.
# </details>
#
# ## 7 · Many pastiches of one pair
#
# *Can we have more than one answer?*
#
# Draw α at random, and the same pair gives another picture each time. (Above each pastiche: the α of `relu1_1`, `relu2_1` and `relu4_1`.) We let about a third of the sliders be 0 and a third 1: numbers that are all near the middle give pictures that are all alike. Noise on the photo adds a second kind of variety: it moves some of the marks.

# %%
random = torch.Generator().manual_seed(9)
drawn = [(3 * torch.rand(3, generator=random) - 1).clamp(0, 1) for _ in range(6)]  # a third at 0, a third at 1
rolled = [dict(zip(layers, alphas.tolist(), strict=True)) for alphas in drawn]
dreams = [paint(adjustable.with_noise(photo, 0.05, seed), painting, wish)[0] for seed, wish in enumerate(rolled)]
titles = [" · ".join(f"{alpha:.2f}" for alpha in wish.values()) for wish in rolled]
titles = ["the painting", *titles[:3], "the photo", *titles[3:]]
grid([painting, *dreams[:3], photo, *dreams[3:]], titles, columns=4, even=True)

# %% [markdown]
# Six relatives. Most have panes with dark lines between them, but the sky goes from pale grey to orange and green, and the temple keeps its storeys or loses them. The third above has hardly anything but `relu2_1`: a smooth violet sky, and dots of light in the trees. Where `relu1_1` is 0 (there, and in the second below) the temple stays nearest to its own colours.
#
# How diverse are they? We need a number. Take the activations $F_i$ of each pastiche in one layer: the mean distance of all pairs, relative to the mean norm:
#
# $$D = \frac{\operatorname{mean}_{i<j} \lVert F_i - F_j \rVert}{\operatorname{mean}_i \lVert F_i \rVert} \qquad\text{(6)}$$
#
# ### Exercise 4 — diversity
# *difficulty ●●○ · importance ●○○ · 10 minutes*
#
# Write (6). Each pair counts once, and no picture is compared with itself.


# %% tags=["exercise"]
def my_diversity(features):
    """features: (B, C, H, W), one row for each pastiche -> one number."""
    raise NotImplementedError


check.diversity(my_diversity)


# %% tags=["solution"]
def my_diversity(features):
    """features: (B, C, H, W), one row for each pastiche -> one number."""
    flat = features.flatten(start_dim=1)  # (B, C·H·W)
    return torch.pdist(flat).mean() / flat.norm(dim=1).mean()  # pdist: all distances with i < j


check.diversity(my_diversity)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `features.flatten(start_dim=1)` makes each pastiche one long row. Then ‖·‖ is `.norm(dim=1)`.
# </details>
# <details><summary>Hint 2</summary>
#
# Two loops, `for i in range(B)` and `for j in range(i)`, give each pair once. Or let `torch.pdist` do it.
# </details>
#
# **Predict, then run.** Five ways to get six pictures: random α; random α and noise; noise alone; and AdaIN (lesson 05), which has no sliders for layers, with noise and without. Sort them by diversity.


# %%
def course_diversity(features):
    flat = features.flatten(start_dim=1)
    return torch.pdist(flat).mean() / flat.norm(dim=1).mean()


same = photo.expand(6, -1, -1, -1)
noisy = torch.cat([adjustable.with_noise(photo, 0.05, seed) for seed in range(6)])
alphas = torch.cat([network.alphas(wish) for wish in rolled])  # (6, 3)
with torch.no_grad():
    ways = {
        "random α": network(same, known, alphas, SHARE),
        "random α and noise": network(noisy, known, alphas, SHARE),
        "noise alone": network(noisy, known, network.alphas(0.5), SHARE),
        "AdaIN and noise": adain.load()(noisy, painting),
        "AdaIN alone": adain.load()(same, painting),
    }
diversity = yours(my_diversity, check.diversity, course_diversity)
for word, pictures in ways.items():
    print(f"{word:20} diversity {float(diversity(encoder(pictures, 'relu3_4')['relu3_4'])):.3f}")
sky, some = (..., slice(0, 88), slice(132, 264)), (0, 2, 4)
shown = [ways[word][number][sky] for word in ("random α", "noise alone") for number in some]
wishes = [" · ".join(f"{alpha:.2f}" for alpha in rolled[number].values()) for number in some]
grid(shown, [*(f"random α: {wish}" for wish in wishes), *(f"noise alone, {n}" for n in (1, 2, 3))], columns=3)

# %% [markdown]
# <details><summary>What it means</summary>
#
# Random α come first, with noise or without. AdaIN and noise follow, then noise alone. AdaIN alone has 0: one pair, one picture.
#
# Now look at the two rows, all of one piece of sky beside a tree. Random α change the colours, and whether there are panes at all. With noise alone (all sliders at 0.5) the manner stays, and a few marks move. So for this method the order of the numbers agrees with the eye. But (6) counts each mark that moves, which the eye hardly does: noise alone has two fifths of the diversity of random α.
# </details>
#
# ### Your code paints
#
# Now your functions work together. Your norm of exercise 2 takes the place of each norm in the course's network: there `mlp` is the last linear layer of Λ, and `alphas` is its input, what Λ has computed from the style and the α. It paints the seven corners of the cube, each slider at 0 or 1, without the photo itself. Then your measure of exercise 4 looks at every three of the seven. It picks the three that differ most, and the three that differ least. What is not solved yet is taken from the course.
#
# **Predict, then run.** Which three will differ least?

# %%
norm, own = yours(my_adjusted_norm, check.adjusted_norm, None), copy.deepcopy(network)
for part in own.modules():
    if norm is not None and isinstance(part, AdjustedNorm):
        part.forward = lambda x, code, mlp=part.head: norm(x, code, mlp)
corners = torch.tensor([*itertools.product((0.0, 1.0), repeat=3)][1:])  # (7, 3), without 0, 0, 0
mug, poppies = resize(samples.content("coffee"), (176, 264), "box"), samples.style("watercolour", 176)
with torch.no_grad():
    made = own(mug.expand(7, -1, -1, -1), network.style(poppies), corners, SHARE)  # (7, 3, H, W)
    course = network(mug.expand(7, -1, -1, -1), network.style(poppies), corners, SHARE)
print(f"largest difference from the course's pictures, of 1: {float((made - course).abs().max()):.3f}")

# %%
diversity, seen = yours(my_diversity, check.diversity, course_diversity), encoder(made, "relu3_4")["relu3_4"]
scores = {three: float(diversity(seen[list(three)])) for three in itertools.combinations(range(7), 3)}
most, least = max(scores, key=scores.get), min(scores, key=scores.get)
print(f"diversity of three: at most {scores[most]:.2f}, at least {scores[least]:.2f}")
titles = [" · ".join(f"{alpha:.0f}" for alpha in corners[i].tolist()) for i in most + least]
titles = [
    "the painting",
    *(f"most: {one}" for one in titles[:3]),
    "the photo",
    *(f"least: {one}" for one in titles[3:]),
]
grid([poppies, *made[list(most), None], mug, *made[list(least), None]], titles, columns=4, even=True)

# %% [markdown]
# <details><summary>Does your measure agree with your eye?</summary>
#
# The three that differ least have `relu4_1` at 0: none of them has large marks. The three that differ most have large marks in two pictures, and none in the third.
#
# Look again at the lower row. To the eye 0 · 1 · 0 stands apart, since it has none of the white and green of the others. The measure does not agree. With another layer the choice changes: `relu1_1` (put it in both places of the first line) finds 0 · 1 · 1, 1 · 0 · 1 and 1 · 1 · 1 most alike. So a number for diversity always means "diverse for this layer".
# </details>
#
# ## The lab
#
# Move a slider, and the picture follows.
#
# - **One slider for each layer.** The **preset** list has all corners of the cube: every layer, none, one alone, all but one.
# - Drag the **ring in the square** through the same space, in two dimensions: to the right the first layer, downwards the last one. Its four corners show what you would get there.
# - **Randomise** draws all sliders at random, and takes another seed for the noise. **noise** is added to the photo before it is painted.
# - **practice** lets the network look at the painting for some seconds. The picture follows as it learns, and the sliders stay yours. Section 8 says what it does.
# - **broad marks** is the share of a coarse pastiche in what the network sees (lesson 03, section 8).
# - **Keep** puts a picture on the strip below; the button under it restores its settings.
# - **Save** writes the picture with all its settings inside, **Reset** restores the defaults.
#
# Things to try: find the setting that you like best for `pencil` and for `marbling`; is it the same? Go round the edge of the square: which slider is never up alone? (`relu2_1`; the square raises it only on the way to "all".) Your own photo, your own painting.

# %% tags=["nbval-ignore-output"]
lab = AdjustableLab(content="chelsea", style="stained_glass", alphas={"relu2_1": 0.6})
lab

# %% [markdown]
# ## 8 · How good is it, and where does it fail?
#
# *What do the sliders cost?*
#
# **Predict, then run.** All sliders at 0 mean no style at all. What should come out, and how exactly? And how long does one pass take?


# %% tags=["nbval-ignore-output"]
for name in ("chelsea", "coffee", "rocket"):
    x = samples.content(name, 160)
    found = ", ".join(f"{psnr(image, x):.1f} dB" for image in paint(x, marks, 0.0, 0.1, 0.3))
    print(f"{name:8} all at 0, 0.1, 0.3 against the photo: {found}")
for side in (128, 256, 512):
    x = resize(photo, (side, side), "box")
    with torch.no_grad():
        times = []
        for a in (0.2, 0.9, 0.5):
            begin = time.perf_counter()
            network(x, known, network.alphas(a))
            times.append(time.perf_counter() - begin)
    print(f"{side} px: one pass takes {1e3 * min(times):.0f} ms")

# %% [markdown]
# <details><summary>What it means</summary>
#
# All at 0 gives the photo exactly (a distance of 0 is infinitely many dB). It must: the opacity is 0 (section 3). Already at 0.1 the painting can be seen.
#
# A change of a slider takes one pass of a network like that of lesson 04: about a tenth of a second at 256 pixels, and from coarse to fine a third longer. Four times as many pixels take four times as long. The description of the style is computed once and kept.
# </details>
#
# - **The sliders overlap.** Each brings some marks and colours of the others, and `relu1_1` lowers the loss of `relu2_1` more than `relu2_1` itself (section 5). No picture has the strokes of a style without any of its colours.
# - **Λ is a bottleneck.** Optimise the input of Λ for one style, and the same convolutions come nearer to Gatys's loss. So Φ can do more for a new style than Λ asks of it. Fine-tuning, below, does that.
# - **The network knows some of the course's styles.** Its convolutions come from lesson 05's decoder, whose first ancestor was an earlier network of lesson 04, and that had learnt nine of them. Upload a painting of yours to see what the network does with a new one.
# - **A slider ends at 1.** Larger values were never trained; what they give is undefined.
# - **A style is described by its moments only.** Styles with the same moments look the same to Λ. Marks with exact shapes, such as letters or faces, cannot be described.
#
# ### Fine-tuning to one style
#
# *Can we do better for one painting?*
#
# Λ is trained to be good on average over many paintings. For one painting we can optimise, as in lesson 02, but not pixels. All that Λ gets of a style is a vector $k$, its moments. Start from them, paint some photos, compare with the painting, and move *the vector* down the gradient (the code calls this **practice**):
#
# $$k^* = \operatorname*{argmin}_k \; \operatorname*{mean}_c \; L\big(\Phi(c, k, \alpha = 1),\, c,\, s\big) \qquad\text{(7)}$$
#
# Φ and Λ stay as they are. Lesson 04 learnt a new style in a similar way, by a new row of γ and β.
#
# **Predict, then run.** A painting that was not in the training data: the papercut with its three colour channels exchanged. We fine-tune for 60 steps on four photos; the cat is not among them. Will the cat be painted better? And will the sliders still work?

# %% tags=["nbval-ignore-output"]
stranger = samples.style("papercut", 176)[:, [2, 0, 1]]  # blue as red, red as green, green as blue
others = [samples.content(name, 160) for name in ("coffee", "china", "rocket", "flower")]
begin = time.perf_counter()
*_, (_, practised) = practise(network, stranger, photos=others, size=96)  # (1, K)
print(f"60 steps: {time.perf_counter() - begin:.1f} s")

# %%
wishes = torch.cat([network.alphas(1.0), network.alphas(dict.fromkeys(layers, 0.0) | alone[0])])  # (2, 3)
asked = gatys.objective(cat, stranger, encoder=encoder, **adjustable.gatys_weights(network, wishes[:1]))
columns = [[stranger, cat]]
for word, vector in (("before", network.style(stranger)), ("fine-tuned", practised)):
    with torch.no_grad():
        full, grain = network(cat.expand(2, -1, -1, -1), vector, wishes)[:, None]
        found = {term: float(value) for term, value in asked(full).items()}
    style = sum(value for term, value in found.items() if term.startswith("style"))
    print(f"{word:10} style {style:5.2f}   everything {sum(found.values()):5.2f}")
    columns.append([full, grain])
titles = ["the painting", "before: all at 1", "fine-tuned: all at 1"]
titles += ["the photo", f"before: {layers[0]} at 1", f"fine-tuned: {layers[0]} at 1"]
grid([column[row] for row in (0, 1) for column in columns], titles, columns=3, even=True)

# %% [markdown]
# <details><summary>What it means</summary>
#
# Yes, also on a photo that was not used. Before, the cat is dark, with a weave of purple and green lines. After, it is as light as the painting, with clean areas of light green and a purple nose. The style loss falls to little more than a third, and the whole sum falls, too. The sliders still change it: with all at 1 the marks are larger, and most of the cat's stripes are lost. Λ is unchanged. The fine-tuned vector serves all further photos.
#
# How much does it help with other paintings? `python -m benchmarks adjustable` takes photos and paintings that the network was not trained on. On six pairs it leaves 22 times the style loss that 300 steps of lesson 02 leave with the same weights; after 60 steps of fine-tuning it is 17 times, so it usually helps much less than here. So Λ is one limit, and the other is Φ: it has a moment for what lesson 02 does in 300 steps.
# </details>
#
# ## Differs from the paper
#
# What you notice most, first:
#
# - **The painting is laid over the photo**, and the sliders set how opaque it is (section 3). So all sliders at 0 give the photo, and only `relu1_1` covers its colours. In the paper the network has to learn from the loss alone what each slider does.
# - **Other layers, and a smaller encoder.** The paper takes VGG-19 and the last layers of its blocks 2, 3 and 4 for style, the last of block 3 for content. Ours is `mini`, with the first layers of blocks 1, 2 and 4. For each of these alone lesson 02 paints a picture of another kind (section 1), so the sliders are easier to tell apart.
# - **Less data, less training.** So our pictures are rougher. The paper takes photos from ImageNet, and as styles the paintings of *Painter by Numbers* and the textures of the *Describable Textures Dataset* (DTD). Ours began with the convolutions of lesson 05's decoder. Then it saw 7,200 photos and 2,900 paintings and textures, in small crops, for 11,000 steps: an hour and a half on one processor core.
# - **A style is described to Λ by its moments.** In the paper Λ gets only α in the first form, and a style network is trained for the second.
#
# Details of the training:
#
# - **α in training**: for half of the pictures all sliders are at 1, or one alone is. Sliders end there, and uniform random numbers hardly ever do.
# - **Losses** are the course's relative ones, style losses as $\sqrt{L} = \lVert G - A \rVert / \lVert A \rVert$, so that one picture on which a channel explodes does not dominate. The factors of (5) are fixed numbers here: content losses become small and would begin to count too much, as section 4 warns (`stylelearn train adjustable --normalise` takes (5) as it stands). The smaller the α, the more the plain distance to the photo's pixels counts, so that a slider changes little that its layer does not see. A little total variation is added, and a penalty on *spikes*: single extreme values with which a network can defeat its normalisations.
# - **Noise** is also inside our network, as in lesson 03: it gives plain areas something to make strokes of. It is always the same, so that the same sliders give the same picture.
# - **Fine-tuning to one style** is ours.
#
# `stylelearn train adjustable --style-layers … --content-layers …` trains other layers; with two content layers each gets a slider, too.
#
# ## Summary
#
# - The weights of a loss can be *inputs*: draw them at random for each picture, give them to the network, and weight the loss by them.
# - They act through γ and β of the normalisations; an MLP, Λ, computes these. Λ has to be trained with the rest.
# - Sliders mean the same for all layers only if the losses have one scale. Running averages achieve that.
# - After training, every balance takes a moment. So does another pastiche of the same pair: random sliders, and a little noise.
# - The price is training: a network for all α has far more to learn than one for a single α.
#
# **Common misconceptions**
#
# - *"α is the strength of the style, as in lesson 05."* Lesson 05 mixes activations after the fact. Here α is what the network was *trained to want*, layer by layer. (In ours it also sets the opacity.)
# - *"All α at 0.5 is half of the style."* It is half of the weight in a sum. Where the style is cheap to have, it comes almost whole.
# - *"Random α are a kind of noise, so training gets worse."* The network knows α: it is an input. Without that, it would be noise.
# - *"Dividing a loss by its own average makes it 1, so it has no gradient."* The average is a constant. The loss can still fall below it.
# - *"The sliders are independent directions."* Their effects overlap: see the table and the square in section 5.
#
# **To read**: the paper; G. Ghiasi and others, *Exploring the structure of a real-time, arbitrary neural artistic stylization network*, BMVC 2017, where Λ gets only the style; A. Dosovitskiy and J. Djolonga, *You Only Train Once: Loss-Conditional
# Training of Deep Networks*, ICLR 2020, the same idea for compression and other tasks; Z. Chen and others, *GradNorm*, ICML 2018, another way to balance losses; E. Perez and others, *FiLM*, AAAI 2018, on conditioning by γ and β.
#
# **Next**: so far an encoder that was trained for another task defined style and content. [Lesson 09](09_emd.ipynb) learns to separate them from examples: ten letters of a font in, any letter of that font out.

# %% [markdown] tags=["solution"]
# ## For teachers
#
# **Timings** (100 minutes): sections 1 and 2 with exercise 1, 15 minutes · section 3 with exercise 2, 20 · section 4 with exercise 3 and the two little networks, 20 · sections 5 and 6, 15 · section 7 with exercise 4 and *Your code paints*, 20 · the lab and section 8, 10.
#
# **Show.** The lab, with the names of the sliders covered: let the class find out what each one does, and name them. Then section 7, with the table covered: which row of pictures is the most diverse? Uncover the numbers afterwards.
#
# **Expected results.** Section 4, relative to the untrained network: without factors two of the three style losses end near 1, with factors all fall to about a half. Section 5: nearly every slider lowers its own loss step by step; a network whose Λ gets 0 does as well up to the middle, and no farther. The loss of `relu2_1` falls most with the slider of `relu1_1`. Section 6: lesson 02 ends much lower.
# Section 7: noise alone scores two fifths of what random α score; whether its pictures look two fifths as diverse is a good occasion to talk about measures.
# Section 8: fine-tuning lowers the style loss of the cat to little more than a third, in less than half a minute, though the cat is not among its photos.
#
# | Section | Printed, or above a picture | Expect |
# | --- | --- | --- |
# | 3 | `Λ gets` | 494, exactly |
# | 4 | `style relu1_1` | 6700 to 7400 |
# | 4 | `style relu4_1` | 31300 to 34600 |
# | 5 | `of 36 sliders lower their loss with every step` | as it stands |
# | 7 | `random α diversity` | 0.6 to 0.8 |
# | 7 | `noise alone diversity` | 0.2 to 0.35 |
# | 7 | `AdaIN alone diversity` | 0, exactly |
# | 7 | `diversity of three: at most` | 0.65 to 0.8 |
# | 8 | `before style` | 2.5 to 3.4 |
# | 8 | `fine-tuned style` | 0.85 to 1.4 |
#
# **Where they get stuck.** In exercise 1 the means of α and of the losses are multiplied: with one picture the result is the same. In exercise 2 γ and β are computed for the first picture and used for all. In exercise 3 the factors keep their history: the loss goes down
# although nothing gets better. In exercise 4 each picture is compared with itself. The checks name all of them.
#
# **Questions for a discussion.**
#
# - *Why should α be drawn for each picture and not for each batch?* With one α for a batch, each step trains the whole network for one setting, and the next step for another. With many settings in one batch, the network can only lower the loss by using α.
# - *What would happen if content, too, had a slider and it went to 0?* The loss would ask for style alone: textures, as in lesson 02, section 4. The network would have to paint them out of a photo that does not matter.
# - *How would you name the three sliders for people who have never heard of layers?* "Colours", "small marks", "large marks" come near. It is honest to add that they overlap (the table in section 5).
# - *Is a random α noise in the training?* No. It is an input of the network.
