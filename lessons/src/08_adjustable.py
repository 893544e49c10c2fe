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
# In lesson 02 you had a slider for each layer. Grain here, large strokes there: each setting was a picture of its own, and each took a run of its own. In lesson 05 a
# picture takes one pass, but the sliders are gone. The network has learnt one balance, and that is what you get.
#
# Mohammad Babaeizadeh and Golnaz Ghiasi brought the sliders back. Their network is *told* how much each layer shall count, and it has learnt to paint for every answer. So the
# weights of the loss, which used to be fixed before training, move under your hand after it.
#
# **After this lesson you can …**
#
# - name the two problems that the method solves, and show both,
# - write a loss whose weights are drawn anew for every picture, and say what the network learns from that,
# - condition a network on numbers of your own choice, by its γ and β,
# - explain why losses are brought to one scale, and see what happens without,
# - read sensitivity grids, compare with lesson 02 at the same setting, and measure how diverse pastiches are.
#
# **Builds on** [lesson 02](02_gatys.ipynb), [lesson 04](04_cin.ipynb) and [lesson 05](05_adain.ipynb) · **about 90 minutes**, with the exercises · **paper**: M. Babaeizadeh and
# G. Ghiasi, *Adjustable Real-time Style Transfer*, ICLR 2020 ([arXiv 1811.08560](https://arxiv.org/abs/1811.08560)). We number the equations as we go.

# %%
# %config InlineBackend.figure_formats = ['jpeg']
import time

import torch

from stylelearn import adain, adjustable, gatys, losses, samples
from stylelearn.checks import adjustable as check
from stylelearn.encoders import Encoder
from stylelearn.figures import grid, plot_curves
from stylelearn.images import psnr, resize
from stylelearn.lab import AdjustableLab
from stylelearn.networks.conditioning import AdjustableNet
from stylelearn.optimize import result
from stylelearn.practice import practise

encoder = Encoder("mini")
network = adjustable.load()  # the course's trained network
layers = list(network.style_layers)  # each of them has a slider

# %% [markdown]
# This is where we are going: one photo, one painting, one network. Only the three sliders differ.


# %%
def paint(content, style, *settings):
    """One pastiche for each setting; a setting is an α for all layers, or α by layer with 0 for the others."""
    wishes = [one if isinstance(one, float) else dict.fromkeys(layers, 0.0) | one for one in settings]
    with torch.no_grad():
        alphas = torch.cat([network.alphas(wish) for wish in wishes])  # (settings, layers)
        made = network(content.expand(len(wishes), -1, -1, -1), network.style(style), alphas)
    return list(made[:, None])  # (1, 3, H, W) each


photo = resize(samples.content("chelsea"), (176, 264), "box")  # (1, 3, 176, 264)
painting = samples.style("stained_glass", 176)
alone = [{layer: 1.0} for layer in layers]
made = paint(photo, painting, 0.0, *alone, 1.0)
grid([painting, *made], ["the painting", "all at 0", *(f"{layer} at 1" for layer in layers), "all at 1"], columns=3)

# %% [markdown]
# ## 1 · Two problems
#
# *What is wrong with what we have?*
#
# **First: one answer.** A network of lesson 03, 04 or 05 makes one pastiche of a photo and a painting. Ask again, and you get the same. A painter would not do that.
#
# **Second: it depends on numbers that nobody can know.** How much weight for which layer? The answer is different for every pair and every taste. You find out by trying, and each try is a training run.
#
# Let us see how much depends on it. Lesson 02 can tell, since it starts anew for every picture. Same photo, same painting, same strength; only the layer changes in which the style is compared.
#
# **Predict, then run.** How different will the three be? Which layer brings colours and grain, which one larger forms?

# %% tags=["nbval-ignore-output"]
small, glass = resize(photo, (112, 168), "box"), samples.style("stained_glass", 112)
begin, tries = time.perf_counter(), []
for layer in layers:
    steps = gatys.stylize(small, glass, encoder=encoder, steps=40, layer_weights=[layer], style_weight=10.0)
    tries.append(result(steps))
print(f"three tries with lesson 02: {time.perf_counter() - begin:.1f} s")
grid(tries, [f"only {layer}" for layer in layers], columns=3)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Three different pictures. The early layer leaves the cat most of its own colours and changes the grain and the rims. The later ones bring larger marks and, here, the stronger colours, too. None of them is *the* right one.
#
# Here a try costs a second or two, since the picture is small and the encoder is tiny. For a network of lesson 03 a try is a whole training, and then it has to be done for every style.
# </details>
#
# ## 2 · Tell the network what you want
#
# *How can one network paint for every choice of weights?*
#
# The loss of all our lessons is a weighted sum over layers. Now each layer's weight gets a name of its own, $\alpha^l$, from 0 to 1:
#
# $$L(p, c, s, \alpha) = \sum_{l \in C} \alpha_c^l \, L_c^l(p, c) + \sum_{l \in S} \alpha_s^l \, L_s^l(p, s) \qquad\text{(1)}$$
#
# $C$ are the content layers and $S$ the style layers. In our network these are `relu3_4` for content, and `relu2_2`, `relu3_4` and `relu4_1` for style. With only one content layer its α can stay at 1: what counts is the
# balance.
#
# A usual network is trained for one α. Here two things are different. The network gets α as an *input*, beside the pictures:
#
# $$p = \Phi(c, s, \alpha) \qquad\text{(2)}$$
#
# And in training, **each picture of each batch gets a random α**, and is judged by *this* α. A network that ignored its input would be wrong nearly always. So it learns to listen.
#
# ### Exercise 1 — every picture has its own wish
# *difficulty ●○○ · importance ●●● · 5 minutes*
#
# You get the losses of each picture in each layer, and the α of each picture and layer. Write (1) for each picture, and take the mean over the batch.


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
# `alphas * each` multiplies each loss by its own α. What is left is to add up along one dimension, and to average along the other.
# </details>
# <details><summary>Hint 2</summary>
#
# Layers are dimension 1, pictures are dimension 0. Do not average α and losses apart from each other: the wish of one picture must not judge another one.
# </details>
#
# ## 3 · How a network listens
#
# *Where do three numbers enter a network full of convolutions?*
#
# Lesson 04 had the answer: in the normalisations. Behind each convolution a channel gets a new contrast γ and a new level β, and these two say how much the channel takes part. Lesson 04 kept a table of them, one row a style. But α is
# not one of fourteen styles, it is any point between 0 and 1, three times. A table will not do. So a small network computes them:
#
# $$z = \gamma_\alpha \left( \frac{x - \mu}{\sigma} \right) + \beta_\alpha \qquad\qquad (\gamma_\alpha, \beta_\alpha) = \Lambda(\alpha, s) \qquad\text{(3)}$$
#
# $\Lambda$ (Lambda) is a plain multi-layer perceptron: a few linear layers with a bend between them (ours is a tanh). It is trained together with the convolutions, by the same loss.
#
# ### Exercise 2 — a norm that listens
# *difficulty ●●○ · importance ●●● · 10 minutes*
#
# Write (3) for a batch in which each picture has its own α. `mlp(alphas)` gives 2C numbers for each picture: first all γ, then all β. Divide the variance by the number of positions (`correction=0`), and put $10^{-5}$ under the root of σ.


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
# `mlp(alphas)` is (B, 2C). With `[:, :, None, None]` it becomes (B, 2C, 1, 1) and fits to x. `.chunk(2, dim=1)` cuts it into two halves.
# </details>
# <details><summary>Hint 2</summary>
#
# μ and σ are those of lesson 03: over dimensions 2 and 3, with `keepdim=True`.
# </details>
#
# What does Λ know of the *style*? As in lesson 05 we let the encoder measure it: the mean and the deviation of each channel in six layers. (We give Λ their logarithms, since they differ by factors of a thousand, and we give them along the directions in which paintings differ most: many channels rise and fall together, and Λ would hear the same few things again and again.) So any picture can be a style. The
# first form in the paper is simpler: one network for one style, and Λ gets only α. We train two of those below.

# %%
numbers = {"Φ": 0, "Λ": 0}
for name, values in network.named_parameters():
    if not name.startswith("encoder."):
        numbers["Λ" if name.startswith("conditioner.") or ".head." in name else "Φ"] += values.numel()
known = network.style(painting)
print(f"Φ, the convolutions: {numbers['Φ']:,} numbers;  Λ, what listens: {numbers['Λ']:,}")
print(f"a style is told by {known.shape[1]} numbers, a wish by {len(layers)}")

# %% [markdown]
# **Predict, then run.** We move one slider from 0 to 1, and look at what Λ says to one norm in the middle of the network: the γ of the six channels that change most, and by how much they change. Will they be straight lines?

# %%
positions = torch.linspace(0, 1, 11)
wishes = torch.cat([network.alphas(dict.fromkeys(layers, 0.0) | {layers[-1]: float(a)}) for a in positions])
with torch.no_grad():
    code = network.conditioner(wishes, known)  # (11, numbers of the code)
    gammas, _ = network.painter.layers[4].norm.head(code).chunk(2, dim=1)  # (11, C)
moved = (gammas[-1] - gammas[0]).abs().argsort(descending=True)[:6]
plot_curves(
    {f"channel {channel}": (gammas - gammas[0])[:, channel].tolist() for channel in moved.tolist()},
    x=f"α of {layers[-1]}, the others at 0",
    y="change of γ",
    log=False,
    at=positions.tolist(),
    title="What Λ says while one slider moves",
)

# %% [markdown]
# <details><summary>What it means</summary>
#
# Some channels are turned up, some down, in lines that are nearly straight. Λ could bend them; here it has little reason to. It can never make them jump: that is why a slider moves the picture gently.
# </details>
#
# **Think.** The programmers of a public implementation forgot to hand Λ's weights to the optimiser: only the convolutions learnt. The training ran without any error, and the loss went down. What do its sliders do?
#
# <details><summary>An answer</summary>
#
# Something, but nothing that was wanted. Λ stays at its random numbers. Its γ and β still change with α, but in a random way, and the convolutions learn to be as little disturbed by that as possible. The course's tests make sure that every
# number of Λ moves in training.
# </details>
#
# ## 4 · Bring all losses to one scale
#
# *Is α = 1 as much in one layer as in another?*
#
# Only if the losses themselves are of one size. Are they? We write them down as the paper does, as plain sums of squares:
#
# $$L_c^l = \lVert \phi^l(p) - \phi^l(c) \rVert^2 \qquad\qquad L_s^l = \lVert G^l(p) - G^l(s) \rVert^2 \qquad\text{(4)}$$
#
# with $\phi^l$ the activations of layer $l$ and $G^l$ the mean Gram matrix.
#
# **Predict, then run.** Below are the style losses of six photos, and how far they are from a plain grey picture in content, as means over the six. Do these numbers differ by per cents, or by factors?

# %%
glass = samples.style("mosaic", 128)
photos = [
    resize(samples.content(name), 128) for name in ("chelsea", "coffee", "flower", "rocket", "astronaut", "china")
]
targets = {layer: losses.mean_gram(seen) for layer, seen in encoder(glass, layers).items()}


def raw(picture, content):
    """(4) as it stands, one row a picture: the style losses of the layers, then the content loss, (B, 4)."""
    seen = encoder(picture, layers)
    with torch.no_grad():
        wanted = encoder(content, "relu3_4")["relu3_4"]
    style = [(losses.mean_gram(seen[layer]) - targets[layer]).square().sum((1, 2)) for layer in layers]
    return torch.stack([*style, (seen["relu3_4"] - wanted).square().sum((1, 2, 3))], dim=1)


terms = [*(f"style {layer}" for layer in layers), "content relu3_4"]
with torch.no_grad():
    found = torch.cat([raw(one[..., :96, :96], torch.full((1, 3, 96, 96), 0.5)) for one in photos])
for term, value in zip(terms, found.mean(dim=0).tolist(), strict=True):
    print(f"{term:16} {value:12,.0f}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# By factors. Deep layers have more channels, and their Gram matrices have many more entries. Whoever is loudest decides, and the sliders of the others move next to nothing. One could search for four good weights by hand. For another encoder, other layers or
# another style one would have to search again.
# </details>
#
# The paper's way needs no search. Keep a **running average** $\bar L^l$ of each loss during training, and divide by it. So that the whole does not shrink, multiply by the sum of all averages:
#
# $$\bar L^l \leftarrow d\, \bar L^l + (1 - d)\, L^l \qquad\qquad \text{loss } l \text{ is multiplied by } \frac{\sum_i \bar L^i}{\bar L^l} \qquad\text{(5)}$$
#
# with a decay $d$ just below 1. Now every loss, times its factor, is about as large as all others.
#
# ### Exercise 3 — running averages
# *difficulty ●●○ · importance ●●○ · 10 minutes*
#
# Write (5). The averages are constants to the optimiser: it should make losses small, not factors.


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
# `now.detach()` are the same numbers without their history. Without it, gradients would flow into the factors, too.
# </details>
#
# ### With and without
#
# Now the experiment. Two tiny networks of the paper's first form (one style, a mosaic), the same start, the same pictures, the same random α. One with the factors of (5), one without. So small a network has no time to learn to give the photo
# back, so what it paints is laid over the photo, half transparent.


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


def learn(normalise, steps=120, rate=3e-3):
    """A tiny network for one style, trained from nothing; and its losses step by step, (steps, 4)."""
    torch.manual_seed(0)
    net = AdjustableNet(encoder, any_style=False, widths=(8, 16, 24), blocks=2)
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], rate)  # Φ and Λ
    averages, history = None, []
    for step in range(steps):
        content, alphas = crops(step), torch.rand(4, len(layers))  # an α anew for each picture
        each = raw(glazed(net, content, alphas), content)  # (4, 4)
        now = each.detach().mean(dim=0)
        averages = now if averages is None else averages.lerp(now, 0.01)  # d = 0.99
        factors = averages.sum() / averages if normalise else torch.ones(len(terms))
        wish = torch.cat([alphas, torch.ones(4, 1)], dim=1)  # content has α = 1
        loss = (wish * each * factors).sum(dim=1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(now)
    return net, torch.stack(history)


# %% [markdown]
# **Predict, then run.** (This takes a quarter of a minute.) What will the network without factors learn? Remember who is loud, and that content always has α = 1.

# %%
plain, plain_history = learn(normalise=False)
fair, fair_history = learn(normalise=True)
cat = photos[0][..., :128]  # (1, 3, 128, 128)
with torch.no_grad():
    tiny = [glazed(net.eval(), cat, torch.ones(1, len(layers))) for net in (plain, fair)]
grid([glass[..., :128], cat, *tiny], ["the style", "the photo", "trained without factors", "with factors"], columns=4)

# %%
for word, history in (("without", plain_history), ("with", fair_history)):
    smooth = history.unfold(0, 20, 10).mean(dim=2) / history[:5].mean(dim=0)  # means over 20 steps
    at = [10.0 * (i + 1) for i in range(len(smooth))]
    curves = {term: smooth[:, i].tolist() for i, term in enumerate(terms)}
    plot_curves(curves, y="loss, start = 1", at=at, title=f"{word.capitalize()} factors")

# %% [markdown]
# <details><summary>What it means</summary>
#
# Without factors the content loss falls. Of the style losses only the loudest, that of `relu4_1`, falls at all, and little (its α is one half on the average, and that of the content is always 1). The quiet ones rise. Whatever the sliders say, nothing of the mosaic can be seen. With factors all three style losses fall to a small part, and content pays for it. Little stones appear.
#
# This is a beginning and no more. In so few steps, on six photos, Λ has no time to learn what each slider means. That takes thousands of steps; the next section shows what comes out.
#
# There is a danger in (5), too. A loss that has become small counts *more*, and one that can reach zero pulls without bounds. When this course's network was allowed to choose how opaque it paints, it soon gave every photo back unpainted: a perfect content loss. Section 8 says what we do
# instead.
# </details>
#
# ## 5 · Sensitivity
#
# *What does each slider do, and what do two do together?*
#
# Now the course's network, for any style. Each row moves one slider, the other two stay at 0.
#
# **Predict, then run.** Where will you see the first change, in colours or in forms?

# %%
ramp = [0.0, 0.2, 0.5, 1.0]
temple, waves = resize(samples.content("china"), (160, 240), "box"), samples.style("woodcut_waves", 160)
rows = [image for layer in layers for image in paint(temple, waves, *({layer: a} for a in ramp))]
grid(rows, [f"{layer} at {a:g}" for layer in layers for a in ramp], columns=4)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Colours first: the blue and the red of the waves come over the photo like a glaze, with every slider. (Why like a glaze, section 8 tells.) At 1 compare the last column from top to bottom, best in the sky and along the rims of the roofs and the
# trees. `relu2_2` keeps the strokes fine; with `relu3_4` the red spreads widest; `relu4_1` has the darkest sky, and draws the clearest waves across it. The three are close sisters, closer than in section 1: all of them want blue waves and a red sun, and our small network has learnt first what they have in common.
# </details>
#
# A slider is honest if more of α means less of that layer's loss. So we measure: the style loss of the layer itself, while its own α goes from 0 to 1, for several pairs. Each curve begins at 1.


# %%
def style_loss(pictures, style, layer):
    """‖G − A‖²/‖A‖² of each picture (B, 3, H, W), in one layer: (B,)."""
    with torch.no_grad():
        seen, wanted = (encoder(image, layer)[layer] for image in (pictures, style))
        return losses.style_loss(seen, losses.mean_gram(wanted), each=True)


positions = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
honest, curves = [], {}
for layer in layers:
    falling = []
    for content in ("chelsea", "coffee", "rocket", "flower"):
        for style in ("woodcut_waves", "mosaic", "batik"):
            c, s = samples.content(content, 96), samples.style(style, 96)
            path = style_loss(torch.cat(paint(c, s, *({layer: a} for a in positions))), s, layer)
            falling.append(path / path[0])
            honest.append(bool((path.diff() <= 0).all()))
    curves[layer] = torch.stack(falling).mean(dim=0).tolist()
plot_curves(curves, x="α of the layer, the others at 0", y="its style loss, mean of 12 pairs", at=positions, log=False)
print(f"{sum(honest)} of {len(honest)} sliders lower their loss with every single step")

# %% [markdown]
# <details><summary>What it means</summary>
#
# Every slider brings its loss down a long way, to a tenth or so, and hardly ever up again. It took some care. When one layer alone could make the painting quite opaque, the last steps undid a little of what the first ones had done: training sees few
# settings with one slider at its end and the others at 0, and there it painted a little too much.
# </details>
#
# **Predict, then run.** Two sliders at once: `relu2_2` to the right, `relu4_1` downwards. Is the lower right corner the sum of the other two?

# %%
few = [0.0, 0.5, 1.0]
pairs = [{layers[0]: across, layers[-1]: down} for down in few for across in few]
titles = [f"{layers[0]} {pair[layers[0]]:g}, {layers[-1]} {pair[layers[-1]]:g}" for pair in pairs]
grid(paint(temple, waves, *pairs), titles, columns=3)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Not quite the sum. The layers overlap: strokes that please `relu4_1` bring some of the grain and the colours that `relu2_2` asks for, so the second slider finds less to do. With early layers you choose more of the palette and the grain, with late
# ones more of the size and the order of the marks. Between them there is no border.
# </details>
#
# ## 6 · The same wish in lesson 02
#
# *Does the network do what the loss says?*
#
# Lesson 02 can be asked for nearly the same: α times the factors that training ended with. `adjustable.gatys_weights` translates. The pixels get 60 steps each.
#
# **Predict, then run.** Who comes nearer to the style? Do the two differ more from each other than one setting from the next?

# %%
wishes = {"all at 1": 1.0, layers[0]: {layers[0]: 1.0}, layers[-1]: {layers[-1]: 1.0}}
day, marks = resize(temple, (112, 168), "box"), samples.style("woodcut_waves", 112)
slow, quick = [], paint(day, marks, *wishes.values())
for (name, wish), fast in zip(wishes.items(), quick, strict=True):
    alphas = network.alphas(wish if isinstance(wish, float) else dict.fromkeys(layers, 0.0) | wish)
    asked = adjustable.gatys_weights(network, alphas)
    slow.append(result(gatys.stylize(day, marks, encoder=encoder, steps=60, **asked)))
    loss = gatys.objective(day, marks, encoder=encoder, **asked)
    for word, image in (("lesson 02", slow[-1]), ("one pass", fast)):
        found = {term: float(value) for term, value in loss(image).items()}
        style = sum(value for term, value in found.items() if term.startswith("style"))
        print(f"{name:12} {word:10} style {style:6.2f}   everything {sum(found.values()):6.2f}")
grid([*slow, *quick], [f"{who}: {name}" for who in ("lesson 02", "one pass") for name in wishes], columns=3)

# %% [markdown]
# <details><summary>What it means</summary>
#
# The optimiser comes nearer, as in lesson 05: it has 60 looks at one pair. The network has one look, and a single set of convolutions for all pairs and all wishes. And the factors are large here, so what is left of the style loss counts for much. Its three settings also lie closer together than those of lesson 02, where `relu2_2` draws fine
# ripples and `relu4_1` large strokes. This is where longer training and a larger network would help most.
# </details>
#
# ## 7 · Many pastiches of one pair
#
# *Can we have more than one answer?*
#
# Roll dice for α, and the same pair gives another picture each time. Noise on the photo adds a second kind of variety: small things decide which marks the network sets where.

# %%
random = torch.Generator().manual_seed(2)
rolled = [dict(zip(layers, torch.rand(3, generator=random).tolist(), strict=True)) for _ in range(8)]
dreams = [paint(adjustable.with_noise(photo, 0.05, seed), painting, wish)[0] for seed, wish in enumerate(rolled)]
grid(dreams, [" · ".join(f"{alpha:.2f}" for alpha in wish.values()) for wish in rolled], columns=4)

# %% [markdown]
# How diverse are they? We need a number. Take the activations $F_i$ of each pastiche in one layer, and ask how far the pastiches lie apart, all pairs of them, compared with how large activations are:
#
# $$D = \frac{\operatorname{mean}_{i<j} \lVert F_i - F_j \rVert}{\operatorname{mean}_i \lVert F_i \rVert} \qquad\text{(6)}$$
#
# ### Exercise 4 — diversity
# *difficulty ●●○ · importance ●○○ · 10 minutes*
#
# Write (6). Each pair counts once, and no picture is compared with itself.


# %% tags=["exercise"]
def my_diversity(features):
    """features: (B, C, H, W), one row a pastiche -> one number."""
    raise NotImplementedError


check.diversity(my_diversity)


# %% tags=["solution"]
def my_diversity(features):
    """features: (B, C, H, W), one row a pastiche -> one number."""
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
# **Predict, then run.** Five ways to get eight pictures: random α; random α and noise; noise alone; and AdaIN (lesson 05), which has no sliders for layers, with noise and without. Order them.

# %%
cat = photo.expand(8, -1, -1, -1)
noisy = torch.cat([adjustable.with_noise(photo, 0.05, seed) for seed in range(8)])
alphas = torch.cat([network.alphas(wish) for wish in rolled])  # (8, 3)
with torch.no_grad():
    ways = {
        "random α": network(cat, known, alphas),
        "random α and noise": network(noisy, known, alphas),
        "noise alone": network(noisy, known, network.alphas(1.0)),
        "AdaIN and noise": adain.load()(noisy, painting),
        "AdaIN alone": adain.load()(cat, painting),
    }
for word, pictures in ways.items():
    print(f"{word:20} diversity {adjustable.diversity(pictures, encoder):.3f}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# AdaIN alone has a diversity of 0: one pair, one picture. Noise makes any network vary, and by this number it varies a lot, AdaIN even more than ours: each stroke begins somewhere else. But look at the pictures: the *manner* stays, it is the grain that is new. Random α change
# how strongly it is painted and some of the colours, with every stroke in its place, and the number for it is smaller. So a number like (6) says how far pictures lie apart. Whether that is what you call diverse, you have to look.
# </details>
#
# ## The lab
#
# All of it, under your hand. Move a slider, and the picture follows.
#
# - **One slider for each layer.** The **preset** list has all corners of the cube: every layer, none, one alone, all but one.
# - Drag the **ring in the square** through the same space, in two dimensions: to the right the first layer, downwards the last one. Its four corners show what you would get there.
# - **Randomise** rolls the dice for all sliders, and takes another seed for the noise. **noise** is put on the photo before it is painted.
# - **practice** lets the network look at the painting for some seconds. The picture follows as it learns, and the sliders stay yours. Section 8 says what it does.
# - **Keep** puts a picture on the strip below; the button under it brings its settings back. So you can wander off, and return.
# - **Save** writes the picture with all its settings inside, **Reset** begins anew.
#
# Things to try: find the setting that you like best for `pencil` and for `marbling`; is it the same? Go round the edge of the square. Which slider do you miss? Your own photo, your own painting.

# %% tags=["nbval-ignore-output"]
lab = AdjustableLab(content="chelsea", style="stained_glass", alphas={"relu2_2": 0.6})
lab

# %% [markdown]
# ## 8 · How good is it, and where does it fail?
#
# *What do we give up for the sliders?*
#
# **Predict, then run.** All sliders at 0 ask for no style at all. What should come out, and how well does it? And how long does a move take?


# %% tags=["nbval-ignore-output"]
for name in ("chelsea", "coffee", "rocket"):
    x = samples.content(name, 160)
    found = ", ".join(f"{psnr(image, x):.1f} dB" for image in paint(x, waves, 0.0, 0.1, 0.3))
    print(f"{name:8} all at 0, 0.1, 0.3 against the photo: {found}")
for side in (128, 256, 512):
    x = resize(photo, (side, side), "box")
    with torch.no_grad():
        times = []
        for a in (0.2, 0.9, 0.5):
            begin = time.perf_counter()
            network(x, known, network.alphas(a))
            times.append(time.perf_counter() - begin)
    print(f"{side} px: a move of a slider takes {1e3 * min(times):.0f} ms")

# %% [markdown]
# <details><summary>What it means</summary>
#
# The photo comes back, to the last bit. It must, because our network lays what it paints *over* the photo with the opacity $1 - \prod_l (1 - 0.75\, \alpha_s^l)$, which is 0 here, 0.75 when one slider is at its end, and nearly 1 when all are. (At a distance of 0, dB are infinite.) Instance norm alone forgets how bright and how contrasty the photo was, and could not give it back.
#
# A move is one pass of a network of lesson 04. What the encoder knows of the style is kept.
# </details>
#
# - **Our sliders are more alike than they should be.** Each lowers its own loss, but it lowers its neighbours' losses nearly as much.
# - **Λ is the narrow place.** Search γ and β for one style, as lesson 04 learnt them, and the very same convolutions come several times nearer to what Gatys reaches. Φ could paint it. Λ does not find the words for a style that it has just met. Practice, below, helps it.
# - **It has practised the course's styles.** They were among the paintings that it learnt from. Upload a painting of yours to see what it does with one that it has never met.
# - **Sliders are not independent.** See the square above. A slider at 1 with all others at 0 is a corner that pictures do not like: a style that has the right strokes and must not have the colours.
# - **A slider goes from 0 to 1, and no further.** At 1.5 the network was never asked. It would answer, but nobody knows what.
# - **A style is known by its moments only.** What they do not tell apart, Λ cannot tell apart. Marks that need exact shapes, such as letters or faces, do not come.
#
# ### Practice
#
# *Can the narrow place be widened, at least for one painting?*
#
# Λ gets one look at a painting, and must find its words at once. What it says is good for paintings on the average. For one painting we can do better, and you know how: search, as in lesson 02, but not for pixels. All that Λ is told of a style is a list $k$ of 704 numbers, its moments. Begin with them, paint some photos, compare with the painting, and move the *numbers* downhill:
#
# $$k^* = \operatorname*{argmin}_k \; \operatorname*{mean}_c \; L\big(\Phi(c, k, \alpha = 1),\, c,\, s\big) \qquad\text{(7)}$$
#
# Φ and Λ stay as they are. Lesson 04 learnt a new style like that, by a new row of γ and β.
#
# **Predict, then run.** A painting that the network has never met: the negative of the woodcut. It practises for 60 steps on four photos; the cat is not among them. Will the cat be painted better? And will the sliders still work?

# %% tags=["nbval-ignore-output"]
stranger = 1 - samples.style("woodcut_waves", 176)  # (1, 3, 176, 176)
others = [samples.content(name, 160) for name in ("coffee", "china", "rocket", "flower")]
begin = time.perf_counter()
*_, (_, practised) = practise(network, stranger, photos=others)  # (1, 704)
print(f"60 steps of practice: {time.perf_counter() - begin:.1f} s")

# %%
wishes = torch.cat([network.alphas(1.0), network.alphas(dict.fromkeys(layers, 0.0) | alone[0])])  # (2, 3)
asked = gatys.objective(photo, stranger, encoder=encoder, **adjustable.gatys_weights(network, wishes[:1]))
shown = {"the photo": photo, "the painting": stranger}
for word, told in (("before", network.style(stranger)), ("after practice", practised)):
    with torch.no_grad():
        full, grain = network(photo.expand(2, -1, -1, -1), told, wishes)[:, None]
        found = {term: float(value) for term, value in asked(full).items()}
    style = sum(value for term, value in found.items() if term.startswith("style"))
    print(f"{word:14} of the cat: style {style:5.2f}   everything {sum(found.values()):5.2f}")
    shown |= {f"{word}: all at 1": full, f"{word}: {layers[0]}": grain}
grid([*shown.values()], [*shown], columns=2)

# %% [markdown]
# <details><summary>What it means</summary>
#
# Yes. Before, an orange patch and a light cheek show that some colours were guessed. After practice there is sand and navy, as in the painting, and the lines are finer and darker. The style loss is about a third of what it was, and the whole sum falls, too. Both sliders work as before: Λ is the same, and so is what
# it makes of α. And the painting has to be practised with only once, for all photos to come.
#
# How much does it help with other paintings? `python -m benchmarks adjustable` took 16 photos and 16 paintings that the network had never met. At first sight it leaves 4.1 times the style loss that 300 steps of lesson 02 leave with the same weights; after 60 steps of practice it is 2.4 times. So most of what was missing was not in Φ.
# </details>
#
# ## Differs from the paper
#
# - **The encoder** is `mini`, with style at `relu2_2`, `relu3_4` and `relu4_1`. The paper has VGG and takes the last layer of block 4 as well.
# - **The style** is told to Λ by moments of the encoder, along their principal axes. The paper trains a style network of its own for that, and calls both parts conditioning.
# - **The opacity** $1 - \prod (1 - 0.75\, \alpha_s^l)$ is ours. So is the share of pictures in training whose α are exactly 0 or 1: sliders end there, and random numbers hardly ever do.
# - **Losses** are the course's relative ones, style losses as $\log(1 + L)$, so that one picture on which a channel explodes does not drown out the rest. Then (5) does its work on top, but for the last part of the training, where its factors stand still: content losses had become small and began to count too much, as section 4 warns. A little total variation is added, and a penalty on *spikes*: a network finds out that one glaring spot in a dark corner fools its normalisations.
# - **Practice** is ours.
# - **Noise** is also inside our network, as in lesson 03: it gives even areas something to make strokes of. It is always the same, so that the same sliders give the same picture.
# - **Training**: small crops, tens of thousands of steps and not hundreds of thousands, on two processor cores. `stylelearn train adjustable --style-layers … --content-layers …` trains other layers; with two content layers each gets a slider, too.
#
# ## Summary
#
# - Weights of a loss can be *inputs*: draw them at random for each picture, tell the network, and judge by them.
# - The network listens through γ and β of its normalisations; a small MLP, Λ, computes them. Λ has to be trained along.
# - Sliders mean the same for all layers only if losses are of one scale. Running averages see to that.
# - After training, every balance is one pass away. So is diversity: random sliders, and a little noise.
# - The price is training: a network for all wishes has far more to learn than one for a single wish.
#
# **Common misconceptions**
#
# - *"α is the strength of the style, as in lesson 05."* Lesson 05 mixes activations after the fact. Here α is what the network was *trained to want*, layer by layer.
# - *"All α at 0.5 is half of the style."* It is half of the weight in a sum. Where the style is cheap to have, it comes almost whole.
# - *"Random α are a kind of noise, so training gets worse."* They are a question, and the network is told the question. Without telling it, they would be noise.
# - *"Dividing a loss by its own average makes it 1, so it has no gradient."* The average is a constant. The loss can still fall below it.
# - *"The sliders are independent directions."* They are coordinates of a cube, and pictures bend inside it.
#
# **To read**: the paper; G. Ghiasi and others, *Exploring the structure of a real-time, arbitrary neural artistic stylization network*, BMVC 2017, where Λ gets only the style; A. Dosovitskiy and J. Djolonga, *You Only Train Once: Loss-Conditional
# Training of Deep Networks*, ICLR 2020, the same idea for compression and other tasks; Z. Chen and others, *GradNorm*, ICML 2018, another way to balance losses; E. Perez and others, *FiLM*, AAAI 2018, on conditioning by γ and β.
#
# **Next**: style and content were always measured by an encoder that somebody had trained for something else. [Lesson 09](09_emd.ipynb) learns to separate them, from examples: ten letters of a font in, any letter of that font out.

# %% [markdown] tags=["solution"]
# ## For teachers
#
# **Timings** (90 minutes): sections 1 and 2 with exercise 1, 15 minutes · section 3 with exercise 2, 20 · section 4 with exercise 3 and the two little networks, 20 · sections 5 and 6, 15 · section 7 with exercise 4, 10 · the lab and section 8, 10.
#
# **Show.** The lab, without telling which slider is which: let the class find out what each one does, and name them. Then section 7, with the table covered: which row of pictures is the most diverse? Uncover the numbers afterwards.
#
# **Expected results.** Section 4: the losses differ by factors of ten and more; without factors the style losses do not fall, with factors all of them do. Section 5: nearly all sliders are honest. Section 6: lesson 02 ends lower, and
# its settings differ more. Section 7: noise scores higher than random α, and looks less diverse: a good occasion to talk about measures.
# Section 8: practice brings the cat's style loss to a third, in about ten seconds; painted with it, photos that were not practised on gain, too.
#
# | Section | Printed, or above a picture | Expect |
# | --- | --- | --- |
# | 3 | `a style is told by` | 704, exactly |
# | 4 | `style relu2_2` | 1700 to 1750 |
# | 4 | `style relu4_1` | 235000 to 241000 |
# | 5 | `of 36 sliders lower their loss with every single step` | as it stands |
# | 7 | `random α diversity` | 0.03 to 0.5 |
# | 7 | `noise alone diversity` | 0.1 to 0.6 |
# | 7 | `AdaIN alone diversity` | 0, exactly |
# | 8 | `before of the cat: style` | 1.2 to 1.5 |
# | 8 | `after practice of the cat: style` | 0.35 to 0.65 |
#
# **Where they get stuck.** In exercise 1 the means of α and of the losses are multiplied: with one picture nobody notices. In exercise 2 γ and β are computed for the first picture and used for all. In exercise 3 the factors keep their history: the loss goes down
# although nothing gets better. In exercise 4 each picture is compared with itself. The checks name all of them.
#
# **Questions for a discussion.**
#
# - *Why should α be drawn for each picture and not for each batch?* With one α a batch, each step pulls the whole network towards one wish, and the next one pulls it away again. With many in one batch the only way to do well is to listen.
# - *What would happen if content, too, had a slider and it went to 0?* The loss would ask for style alone: textures, as in lesson 02, section 4. The network would have to paint them out of a photo that does not matter.
# - *Would you show the three sliders to somebody who has never heard of layers? How would you name them?* "Colour and grain", "strokes", "larger forms" come near. It is honest to add that they overlap.
# - *Is a random α noise in the training?* No. It is a question, and the network is told the question.
