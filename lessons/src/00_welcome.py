# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00 · Welcome: paint a photo
#
# Take two pictures. From the first we want *what it shows*: a cat, a temple, a cup. From the second we want *how it is
# made*: its colours, its strokes, its texture. **Style transfer** makes a new picture that shows the content of the
# first in the style of the second. In the next minutes you will make one. In the lessons after this one you will learn
# how it works, and write it yourself.
#
# ![A photograph of a cat, marbled paper, and the cat painted in the manner of that paper](../data/gallery/welcome.jpg)
#
# **After this lesson you can …**
#
# - say what *content*, *style* and *pastiche* mean,
# - watch a picture being painted, and read its two loss curves,
# - handle a picture as a tensor,
# - say why mixing two pictures is not style transfer, and which two distances are used instead.
#
# **Builds on** a little PyTorch: you have seen a tensor before · **about 35 minutes** · **paper**: L. A. Gatys, A. S.
# Ecker and M. Bethge, *Image Style Transfer Using Convolutional Neural Networks*, CVPR 2016
#
# **How a lesson works.** Click into a cell and press `Shift` + `Enter` to run it. Go from top to bottom.
#
# - Before an experiment you are asked to **predict** what will happen. Do it, even if you only guess: you learn most
#   where you were wrong. The answer is folded away below the experiment: click on it.
# - An **exercise** has a cell for you to fill in. Its last line is a **check**: it says ✓, or ✗ and the likely mistake.
#   You can try as often as you like. Hints are folded away below, and the
#   [solutions](solutions/00_welcome.ipynb) are in a notebook of their own. What you wrote is then used: `yours` takes
#   your function if it passed, and the course's if it did not, and says which.
# - A **lab** has sliders. You cannot break anything. Move them.

# %%
# %config InlineBackend.figure_formats = ['jpeg']
import torch

from stylelearn import gatys, losses, samples
from stylelearn.checks import welcome as check
from stylelearn.checks import yours
from stylelearn.cli import doctor
from stylelearn.encoders import CONTENT_LAYER, STYLE_LAYERS, Encoder
from stylelearn.figures import LivePicture, grid, plot_curves, show
from stylelearn.images import read_image, resize
from stylelearn.lab import WelcomeLab
from stylelearn.optimize import optimize_image, result

# %% [markdown]
# ## 1 · Is your machine ready?
#
# Any laptop will do. The next cell looks at yours, and times a few steps of the method that we are going to use. Lines
# with ✓ are fine, and `·` is good to know. Where there is a ✗, the line below it says what to do.

# %% tags=["nbval-ignore-output"]
_ = doctor.examine(size=128, steps=5)

# %% [markdown]
# ## 2 · A first picture
# *What does it look like when a computer paints?*
#
# These are the two pictures to start from. The photo gives the **content**. The painting gives the **style**. (No
# artist made it: a program of the course drew it, line by line.)

# %%
encoder = Encoder("mini")  # the network through which the pictures are compared
content = samples.content("china", size=256)  # (1, 3, 256, 384)
style = samples.style("woodcut_waves", size=400)  # (1, 3, 400, 400): larger than the photo, so its strokes are large
grid([content, style], ["content", "style"], even=True)

# %% [markdown]
# The new picture is called **pastiche**, the word for a work in the style of another. We start with the photo itself. In
# each step every pixel is changed a little, in the direction that lowers the weighted sum of two numbers:
#
# - the **content loss**: how far the picture is from what the photo shows,
# - the **style loss**: how far it is from how the painting is made; it counts 60 times as much here.
#
# (A third number keeps fine noise away. Lesson 01 explains it.)
#
# A painter begins with a large brush, and so do we: first the picture is a quarter as large, then half, then whole.
#
# **Predict, then run.** Which of the two losses is zero at the very beginning? Will it rise or fall? And the other one?

# %%
view, curves = LivePicture(width=480), {"content": [], "style": []}
for step in gatys.stylize(content, style, encoder=encoder, style_weight=60, tv_weight=20, levels=3, steps=100):
    for name, curve in curves.items():
        curve.append(sum(loss for term, loss in step.losses.items() if term.startswith(name)))
    if step.number % 4 == 0:
        view.update(step.image, f"step {step.number}")
pastiche = step.best_image  # (1, 3, 256, 384)

# %%
grid([style, pastiche], ["style", "pastiche"], even=True)
plot_curves(curves, y="weighted loss", title="Style is gained, content is given up")

# %% [markdown]
# <details><summary>What you should see</summary>
#
# We start with the photo, so the content loss is zero, and at first it can only rise. (From line to line the
# plot goes up ten times. Such a scale has no place for 0, so this curve begins at step 2.) The style loss starts high
# and falls fast. Twice it jumps up: there the picture has grown, and its fine strokes are still to be painted. Later
# both fall: the search finds strokes that fit the photo better. But the content loss never comes back to zero.
#
# The roofs are drawn like the waves now, brown and cream with dark outlines, and long lines run through the sky. The
# bushes are small curved strokes, grey-brown, and blue at the right. But the red sun is nowhere: only small forms and colours are transferred, not things,
# and nothing says which part of the painting belongs where.
#
# Nothing was trained here. The network stayed as it is. Only the pixels of one picture changed.
# </details>
#
# ## 3 · The lab: paint follows the slider
#
# - **Content** and **style**: choose from the course's pictures.
# - **How much style**: let go of the slider, and the photo is painted anew. On the left end the photo hardly changes.
#   On the right end its fine lines give way to those of the painting.
# - **Start** and **Stop** do what they say. **Save** writes the picture to a file.

# %% tags=["nbval-ignore-output"]
lab = WelcomeLab(content="china", style="night_strokes", size=224, first_steps=60)
lab

# %% [markdown]
# **Try this.** Start at the left end and go right. What changes first: the colours of the temple, or its shapes? What
# is left of it at the right end? Then change only the style: is it the same there?
#
# **Your own pictures.** *Upload* takes a picture from your computer. The field beside it takes an address from the web,
# or the name of a file that lies beside this notebook. Your pictures stay on your machine.
#
# The same works in code. `read_image` takes a file, an address, or an upload:

# %%
source = None  # put "my_photo.jpg" or "https://…" here
mine = samples.content("coffee", size=160) if source is None else read_image(source, size=160)
show(mine, f"by {samples.credit('coffee').author}" if source is None else "your picture")

# %% [markdown]
# ## 4 · A picture is a tensor
#
# *What does a picture look like from inside?*
#
# In this course a picture is always a tensor of shape (B, 3, H, W), filled with numbers from 0 to 1:
#
# - B pictures at once (mostly one),
# - 3 **channels**: how much red, how much green, how much blue,
# - H rows and W columns.
#
# **Predict, then run.** The next cell shows the three channels of the painting, each as a grey picture: white means
# much, black means none. It is a blue and white sea, under a pale sky with a red sun. In which channel will the sea be
# brightest? And the sun?

# %%
print(f"shape {tuple(style.shape)}, {style.dtype}, from {style.min():.2f} to {style.max():.2f}")
red, green, blue = style.split(1, dim=1)  # (1, 1, H, W) each
grid([style, *(one.expand(-1, 3, -1, -1) for one in (red, green, blue))], ["style", "red", "green", "blue"], columns=4)

# %% [markdown]
# <details><summary>What you should see</summary>
# The sea is brightest in blue and darkest in red. The sun is the other way round: bright in red, so bright that it nearly
# vanishes in the pale sky, and dark in green and in blue. The white foam is bright in all three: on a screen, white is
# red, green and blue light together.
# </details>
#
# ### Exercise 1 — swap red and blue
# *difficulty ●○○ · importance ●●○ · 5 minutes*
#
# Write a function that takes pictures (B, 3, H, W) and exchanges their red and blue channels. It must not change its
# input.


# %% tags=["exercise"]
def swap_red_and_blue(image):
    """(B, 3, H, W) -> (B, 3, H, W), with the channels in the order blue, green, red."""
    raise NotImplementedError


check.swap_red_and_blue(swap_red_and_blue)


# %% tags=["solution"]
def swap_red_and_blue(image):
    """(B, 3, H, W) -> (B, 3, H, W), with the channels in the order blue, green, red."""
    return image[:, [2, 1, 0]]


check.swap_red_and_blue(swap_red_and_blue)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# The channels are dimension 1, the second one: `image[:, 0]` is red, `image[:, 2]` is blue.
# </details>
# <details><summary>Hint 2</summary>
#
# A list of numbers picks channels in the order that you want: `image[:, [0, 1, 2]]` changes nothing.
# </details>
#
# What would a world look like with red and blue exchanged?

# %%
my_swap = yours(swap_red_and_blue, check.swap_red_and_blue, lambda image: image.flip(1))
grid([my_swap(style), my_swap(pastiche)], ["the style, swapped", "the pastiche, swapped"], even=True)

# %% [markdown]
# ## 5 · Why not simply mix the two?
#
# *Is there an easier way?*
#
# Here is the simplest idea. Lay the style over the photo, half transparent. Every pixel becomes a mixture of two
# pixels:
#
# $$ p = (1 - a)\, c + a\, s $$
#
# with content $c$, style $s$, and the amount $a$ of style, from 0 to 1.
#
# ### Exercise 2 — mix two pictures
# *difficulty ●○○ · importance ●●○ · 3 minutes*
#
# Write this formula for two pictures of one shape.


# %% tags=["exercise"]
def blend(content, style, amount):
    """A mixture of two pictures (1, 3, H, W); amount = 0 gives the content, amount = 1 the style."""
    raise NotImplementedError


check.blend(blend)


# %% tags=["solution"]
def blend(content, style, amount):
    """A mixture of two pictures (1, 3, H, W); amount = 0 gives the content, amount = 1 the style."""
    return (1 - amount) * content + amount * style


check.blend(blend)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Tensors are multiplied by numbers and added as in the formula: no loop is needed.
# </details>
# <details><summary>Hint 2</summary>
#
# Try the two ends in your head: what is left when `amount` is 0? What when it is 1?
# </details>
#
# **Predict, then run.** The next cell shows three mixtures and, last, the pastiche of section 2. What will the mixtures
# show that the pastiche does not?

# %%
my_blend = yours(blend, check.blend, torch.lerp)  # torch.lerp(c, s, a) = (1 - a) c + a s
cut = style[..., 40:296, 8:392]  # a piece of the style in the content's shape, (1, 3, 256, 384)
mixtures = {a: my_blend(content, cut, a) for a in (0.25, 0.5, 0.75)}
grid([*mixtures.values(), pastiche], [*(f"mixture, a = {a}" for a in mixtures), "pastiche"], columns=2)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The mixtures show *two* things at once: the temple, and the sun above the sea, like a photo that was exposed twice.
# The pastiche shows one thing, the temple, and the temple is drawn like the waves. The sun was not copied to its place. Blues,
# lines and small curved forms were transferred.
# </details>
#
# ## 6 · Two ways to be near
#
# *How can a style be measured?*
#
# Mixing works place by place: this pixel with that pixel. But the style of a painting is not in one place. Its
# lines are the same if you move the canvas a little to the side. So we need another way to measure how near two
# pictures are.
#
# For this we use a network that has learnt to recognise things. It turns a picture into **activations**: numbers that
# say how strongly a pattern was found at a place. Its first layers look for small patterns, an edge or a spot of colour.
# Deeper layers look for larger ones. Two pictures are near in style if *the same patterns occur together* in both,
# wherever they are. That is the **style distance**; [lesson 02](02_gatys.ipynb) builds it step by step.
#
# **Predict, then run.** We compare the painting with two changed copies. One is moved to the side. One is blurred, so
# that no line is left. Which copy is nearer in pixels? Which is nearer in style?


# %%
def style_distance(image, style):
    """How different two styles are: 0 for the same, and more the less they are alike."""
    seen, wanted = encoder(image, STYLE_LAYERS), encoder(style, STYLE_LAYERS)
    each = [losses.style_loss(seen[layer], losses.mean_gram(wanted[layer])) for layer in STYLE_LAYERS]
    return torch.stack(each).mean().item()


moved = style.roll(200, dims=3)  # what leaves on the right comes back on the left
blurred = resize(resize(style, 25), 400)
copies = {"the painting": style, "moved": moved, "blurred": blurred}
words = [
    f"{name}\npixels {(copy - style).square().mean().sqrt():.2f}, style {style_distance(copy, style):.2f}"
    for name, copy in copies.items()
]
grid([*copies.values()], words, columns=3)

# %% [markdown]
# <details><summary>What it means</summary>
#
# In pixels the moved copy is *farther* away than the blurred one, although it looks like the same painting. In
# style it is the other way round: moving changes almost nothing, and without lines the style is lost. Here the
# style distance agrees with what you see.
# </details>
#
# ## 7 · The idea in one line
#
# *How do content and style come together?*
#
# **Style transfer is the search for a picture whose content is near to one picture and whose style is near to
# another.** Near in content means: the activations in a deep layer of the network are nearly the same for both, place
# by place. Near in style means: the same patterns occur together. There is one number for each. We add them up, each with
# a weight:
#
# $$ L_{total} = \alpha \, L_{content} + \beta \, L_{style} $$
#
# The search goes downhill on $L_{total}$. Nearly every method of this course improves one of three things: the content
# loss, the style loss, or the way down. (Lesson 09 takes another road.)
#
# ### Exercise 3 — the total loss
# *difficulty ●○○ · importance ●●● · 3 minutes*
#
# Write the formula. The losses are tensors, and the result must be one too: the search needs its gradient.


# %% tags=["exercise"]
def total_loss(content_loss, style_loss, alpha, beta):
    """α L_content + β L_style. The losses are scalar tensors, alpha and beta are numbers."""
    raise NotImplementedError


check.total_loss(total_loss)


# %% tags=["solution"]
def total_loss(content_loss, style_loss, alpha, beta):
    """α L_content + β L_style. The losses are scalar tensors, alpha and beta are numbers."""
    return alpha * content_loss + beta * style_loss


check.total_loss(total_loss)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# α belongs to the content, β to the style.
# </details>
# <details><summary>Hint 2</summary>
#
# `.item()` and `float(…)` turn a tensor into a plain number, which has no gradient. Leave it a tensor.
# </details>
#
# **Predict, then run.** Now your formula paints a flower, once with β = 1 and once with β = 100. In which of the two
# will the petals keep their shape? In which will the dark background flow like the marbled paper?

# %%
my_total = yours(total_loss, check.total_loss, lambda c, s, alpha, beta: alpha * c + beta * s)
flower, paper = samples.content("flower", size=160), samples.style("marbling", size=224)
terms = gatys.objective(
    flower, paper, encoder=encoder, style_weight=1.0
)  # image -> one content loss, five style losses


def paint(beta):
    """Sixty steps downhill from the photo on your total loss, with α = 1."""

    def objective(image):
        content_loss, *style_losses = terms(image).values()
        return {"total": my_total(content_loss, sum(style_losses), 1.0, beta)}

    return result(optimize_image(flower, objective, steps=60))


painted = {f"β = {beta}": paint(beta) for beta in (1, 100)}
grid([flower, paper, *painted.values()], ["content", "style", *painted], even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# With β = 1 every petal is where it was, and even the dark background is nearly as calm as in the photo; the
# petals have got light outlines and more contrast. With β = 100 the inner petals melt into curved strokes of red and
# magenta, and curls of teal, blue and brown run through the background. It is still a flower: the content loss holds its outline.
# </details>
#
# **Predict, then run.** Last, we measure four pictures of this lesson with both distances: the photo, a piece of the
# style, the mixture of half and half, and the pastiche. Which one will be near in *both*?


# %%
def content_distance(image, content):
    """How different the activations of two pictures of one size are in a deep layer: 0 for the same."""
    return losses.content_loss(*(encoder(each, [CONTENT_LAYER])[CONTENT_LAYER] for each in (image, content))).item()


four = {"the photo": content, "the style": cut, "half and half": mixtures[0.5], "the pastiche": pastiche}
words = [
    f"{name}\ncontent {content_distance(one, content):.2f}, style {style_distance(one, style):.2f}"
    for name, one in four.items()
]
grid([*four.values()], words, columns=2)

# %% [markdown]
# <details><summary>What it means</summary>
# The photo has content distance 0 and is far from the style. The style is far from the content. (Its own style distance
# is not quite 0: this is only a piece of the painting.) The mixture is somewhere in between and near to neither. The
# pastiche is nearest of all to the style, and nearer to the photo than the mixture is.
#
# How much of the content was given up is for α and β to say: we asked for `style_weight=60`, which is β = 60 with α = 1.
# But a small number is not the same as a good likeness. By the numbers the pastiche is nearer to the painting's style than
# a piece of the painting itself. Your eye would not say so: the search went downhill on this very number, but its sky
# is paler than the painting's, and of the sun's red only a little is left on the roofs.
# </details>
#
# ## 8 · Where things are
#
# | You want to … | Look here |
# | --- | --- |
# | go on | [lesson 01, what does a layer remember?](01_inversion.ipynb), then [lesson 02, Gatys' method](02_gatys.ipynb) |
# | see the solution of an exercise | [solutions](solutions/00_welcome.ipynb), one notebook a lesson |
# | read the code behind a lesson | the module of the same name: lesson 02 stands on `stylelearn/gatys.py` |
# | paint without a notebook | in a terminal: `stylelearn stylize photo.jpg painting.jpg -o pastiche.jpg` |
# | know who made a picture | `samples.credit("china")`, or the [README](../README.md) |
# | get help with the installation | in a terminal: `stylelearn doctor` |
#
# **The way through the course.** Lessons 02, 06 and 07 search for one picture at a time, step by step. Lessons 03, 04, 05
# and 08 train networks that paint in one pass. In lesson 09 a network learns from examples of letters what content and
# style are, and lesson 10 compares all methods.
#
# ## Differs from the paper
#
# - We begin with the photo and take 100 steps, so that you need not wait. The paper begins with noise and takes more.
#   Lesson 02 compares.
# - The network is the course's own small one. The paper uses VGG-19, which takes more than ten times as long on a laptop
#   and tells more patterns apart. `Encoder("vgg19")` downloads it once.
# - Our two losses are scaled so that one weight means the same at every size. Lesson 02 has the table that leads to the
#   paper's numbers.
#
# ## Summary
#
# - Content is what a picture shows. Style is how it is made. A pastiche has the content of one picture and the style of
#   another.
# - A picture is a tensor (B, 3, H, W) with numbers from 0 to 1.
# - Pixels are compared place by place; style must not be. The activations of a network give better distances.
# - $L_{total} = \alpha L_{content} + \beta L_{style}$, and then downhill.
#
# **Common misconceptions**
#
# - *"Style transfer is a filter."* A filter does the same to every photo. Here each pair of pictures gets a search of
#   its own.
# - *"The network paints."* It only computes the losses and their gradient. The search changes the pixels.
# - *"The network must be trained on my painting."* Not for this method. It was trained once, long before, to see.
#
# **To read**: Gatys, Ecker and Bethge (above), of which you now know the idea; Jing et al., *Neural Style Transfer: A
# Review*, 2017 ([arXiv 1705.04058](https://arxiv.org/abs/1705.04058)), for the whole field.
#
# **Next**: we compared pictures by the numbers in a deep layer. What do these numbers tell about a picture, and what
# not? In [lesson 01](01_inversion.ipynb) we find out: we search for the picture that belongs to them.

# %% [markdown] tags=["solution"]
# ## For teachers
#
# **Timings** (35 minutes): sections 1 and 2, 8 minutes · the lab, 7 · section 4 with exercise 1, 6 · section 5 with exercise 2, 6 · sections 6 to 8 with exercise 3, 8. Let the whole
# class run the first cell of section 1 before anything else: `doctor` finds machines that are not ready while there is still time.
#
# **Show.** The lab on the projector, with a photo of the room or of the class. Move *How much style* from end to end and let them say what changes first, colours or shapes.
# Then section 6: ask for hands (nearer in pixels? nearer in style?) before you run it.
#
# **Expected results.** In the curves the content loss starts at 0, rises to a little over 1 and comes halfway back; the style loss falls to a small part of where it began, with two jumps where the picture grows. The picture of section 2 is steady from about step 70 on.
#
# | Section | Printed, or above a picture | Expect |
# | --- | --- | --- |
# | 6 | `moved pixels …, style` | 0 to 0.05 |
# | 6 | `blurred pixels …, style` | 0.75 to 0.95 |
# | 7 | `half and half content` | 0.85 to 1.05 |
# | 7 | `the pastiche content` | 0.55 to 0.8 |
#
# **Where they get stuck.** In exercise 1 channels are assigned one after the other *in place*: red is overwritten before it is copied, and the input has changed. In exercise 2 the two ends are exchanged. In exercise 3
# `.item()` makes a number of which no gradient can be taken. The checks name all three.
#
# **Questions for a discussion.**
#
# - *Who has the copyright of the pastiche?* The course does not decide that. It does say who made each picture (`samples.credit`), under which licence, and uses only pictures that allow it. A good habit to start with.
# - *Why is style not simply "the average colour"?* Blur keeps the average colour and loses the style (section 6). Style is also which small patterns there are, and which come together.
# - *Can α and β both be doubled?* Yes, and the best picture is the same. Only their ratio matters; the steps become longer.
