# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 · Patches instead of statistics
#
# Lessons 02 to 05 described a style by statistics of the whole picture: Gram matrices, means, deviations. Statistics do not record how a pattern is arranged. Of the lead
# lines of a stained glass, or the crest of a wave, they keep only how often such things occur.
#
# Tian Qi Chen and Mark Schmidt use no statistics. They cut the style into small patches and rebuild the photo out of them, like a mosaic. They do it with activations instead of
# pixels, in one layer only. That is the **style swap**. It takes any style, and one network turns the result into a picture in one pass.
#
# **After this lesson you can …**
#
# - find for each patch of a photo the patch of a style that is most like it, and swap them,
# - write that as three convolutions, and say why it is computed in another way,
# - turn swapped activations into a picture in two ways: by search, and by an inverse network,
# - say what such a network is trained on, and test whether it needs all of it,
# - measure how steady a stylised video is.
#
# **Builds on** [lesson 02](02_gatys.ipynb) and [lesson 05](05_adain.ipynb) · **about 130 minutes**, with the exercises · **paper**: T. Q. Chen and M. Schmidt,
# *Fast Patch-based Style Transfer of Arbitrary Style*, 2016 ([arXiv 1612.04337](https://arxiv.org/abs/1612.04337)). Equation numbers are the paper's.

# %%
# %config InlineBackend.figure_formats = ['jpeg']
import itertools
import time

import torch
import torch.nn.functional as F

from stylelearn import gatys, losses, samples, style_swap
from stylelearn.checks import style_swap as check
from stylelearn.checks import yours
from stylelearn.encoders import Encoder
from stylelearn.figures import grid, plot_curves
from stylelearn.images import psnr, resize
from stylelearn.lab import StyleSwapLab
from stylelearn.optimize import optimize_image, result
from stylelearn.patches import assembled, matches, swap, swap_by_convolution
from stylelearn.video import consistency, moving_clip, panning_clip

LAYER = "relu3_1"  # the paper's choice, and the layer of the swap in this lesson
encoder = Encoder("mini")
network = style_swap.load()  # the course's trained inverse network, with its encoder

# %% [markdown]
# The goal: a photo in the patches of a style, in one pass of a network that has never seen that style. Look at how things are drawn. The petals become panes, with lead lines between them. The table is made of the
# woodcut's water, and pieces of its red sun lie on the saucer. The photo says where things are; lines and surfaces come from the style.

# %%
photo = resize(samples.content("chelsea"), (192, 288), "box")  # (1, 3, 192, 288), the photo of most sections
shown, titles = [], []
for name, style_name in (("flower", "stained_glass"), ("coffee", "woodcut_waves")):
    content, style = resize(samples.content(name), (384, 576), "box"), samples.style(style_name)  # (1, 3, 512, 512)
    with torch.no_grad():
        shown += [style, network(content, style)]
    titles += [style_name, f"{name} in {style_name}"]
grid(shown, titles, columns=2, even=True)

# %% [markdown]
# ## 1 · Which patch is most like this one?
#
# *How do we compare a piece of a cat with a piece of a woodcut?*
#
# Their pixels have nothing in common. Their activations may: both may say "a dark round thing on light ground". So we take the activations $\Phi(C)$ of the content and $\Phi(S)$ of
# the style, in `relu3_1` of the course's encoder `mini`. One place of a layer is a **cell**; earlier lessons called it a position. A cell of `relu3_1` is four pixels wide. A **patch** $\phi_i$ is a square of $3 \times 3$ cells *with all
# its channels*. Patches overlap: there is one around nearly every cell.
#
# For each patch of the content we look for the patch of the style with the highest **normalised cross-correlation**:
#
# $$\phi_i^{ss}(C, S) = \operatorname*{arg\,max}_{\phi_j(S)} \frac{\langle \phi_i(C),\, \phi_j(S) \rangle}{\|\phi_i(C)\| \cdot \|\phi_j(S)\|} \qquad\text{(1)}$$
#
# It is the cosine of the angle between two long lists of numbers: 1 if they have the same pattern, however strong, and 0 if nothing active in the one is active in the other.
#
# **Predict, then run.** We take three patches of the cat: at the lower left rim of one eye, at the right rim of the other, and in the stripes of the forehead. For each we show the most similar patch of the stained glass. Above it stands its correlation, and the median over all patches of the glass. What will the best match share with the patch: its colour, its lines, or what it depicts?


# %%
def patches_of(features, patch=3, stride=1):
    """(1, C, H, W) -> (N, C · p · p): one row for each patch, in reading order."""
    return F.unfold(features, patch, stride=stride)[0].T


def seen(image, number, columns, around=16):
    """Patch `number` (so many `columns` in a row), framed in white, with `around` pixels about its middle; enlarged."""
    y, x = (4 * place + 6 for place in divmod(number, columns))  # the middle of the patch, in pixels
    whole = F.pad(image, [around] * 4, mode="reflect")
    view = resize(whole[..., y : y + 2 * around, x : x + 2 * around], 192, "box")
    a = 96 - 576 // around  # where the frame begins: the patch is 12 x 12 pixels
    view[..., a - 2 : 194 - a, a - 2 : 194 - a] = F.pad(view[..., a : 192 - a, a : 192 - a], [2] * 4, value=1.0)
    return view


# %%
glass = resize(samples.style("stained_glass"), 320)  # (1, 3, 320, 320)
with torch.no_grad():
    f_c, f_s = (encoder(image, LAYER)[LAYER] for image in (photo, glass))  # (1, C, 48, 72) and (1, C, 80, 80)
content_patches, style_patches = patches_of(f_c), patches_of(f_s)  # (N, 9 C) and (M, 9 C)
pictures, titles = [], []
for name, row, column in (("one eye", 20, 22), ("the other eye", 22, 53), ("the forehead", 9, 40)):
    number = row * 70 + column  # 70 patches in a row of the photo, 78 in a row of the style
    alike = F.cosine_similarity(content_patches[number][None], style_patches)  # (M,)
    best = int(alike.argmax())
    pictures += [seen(photo, number, 70, 48), seen(photo, number, 70), seen(glass, best, 78)]
    titles += [name, "its patch, nearer", f"the best: {alike[best]:.2f} (median {alike.median():.2f})"]
grid(pictures, titles, columns=3)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The white frame is the patch. Its best match has the same lines, in the same direction: a dark line falling to the right, a dark line that curves round a disc, dark upright stripes side by side. Neither the colour nor the thing is the same: the rim of an eye is matched with the lead between two panes, and fur with
# the stems of flowers. So `relu3_1` of `mini` represents lines and their arrangement well, and colour only weakly. Activations are never negative, so patches without any likeness correlate, too: half of the glass reaches about 0.6 with the lower two. Compare correlations with each other, not with 0.
# </details>
#
# ### Exercise 1 — the best match
# *difficulty ●○○ · importance ●●● · 10 minutes*
#
# Write (1) for all patches at once. Return the *number* of the best match for each patch of the content. Every patch is a row. Is there a norm that you may leave out?
#
# Patches of the style that are zero everywhere must never win. After a ReLU they can occur (the course's styles have none in `relu3_1`; the check has some).


# %% tags=["exercise"]
def my_best_match(content_patches, style_patches):
    """(N, D) and (M, D) -> (N,): which row of `style_patches` is most like each row of `content_patches`."""
    raise NotImplementedError


check.best_match(my_best_match)


# %% tags=["solution"]
def my_best_match(content_patches, style_patches):
    """(N, D) and (M, D) -> (N,): which row of `style_patches` is most like each row of `content_patches`."""
    norms = style_patches.norm(dim=1, keepdim=True).clamp_min(1e-8)  # (M, 1)
    return (content_patches @ (style_patches / norms).T).argmax(dim=1)  # (N, M) -> (N,)


check.best_match(my_best_match)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `content_patches @ style_patches.T` holds all the products ⟨φ_i, φ_j⟩: a row for each patch of the content, a column for each of the style.
# </details>
# <details><summary>Hint 2</summary>
#
# `‖φ_i(C)‖` is the same number for the whole row. It cannot change who wins in it.
# </details>
# <details><summary>Hint 3</summary>
#
# `style_patches.norm(dim=1).clamp_min(1e-8)`: with this a patch of zeros has a correlation of 0 instead of 0/0.
# </details>
#
# **Why divide?** A patch with strong activations has large products with *everything*.
#
# **Predict, then run.** How many different patches of the style are used, with and without the division? And how much of the picture do the ten most used fill?

# %%
plain = (content_patches @ style_patches.T).argmax(dim=1)  # (N,): no norm
chosen = matches(f_c, f_s)[0].flatten()  # (N,): equation (1), as the course computes it
for word, index in (("plain product", plain), ("normalised", chosen)):
    loudest = index.bincount().topk(10).values.sum() / len(index)
    print(f"{word:14} {len(index.unique()):4} different patches, of {len(style_patches)}; ten fill {loudest:.0%}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# Without the division fewer patches win, and a few strong ones do most of the work: the ten most used fill more than three times as many places as with the division. The direction of a patch is its pattern; its length is only how strong it is.
# Even with the division most patches of the style are never used: they resemble nothing in the photo.
# </details>
#
# ## 2 · Put them in
#
# *What happens where patches overlap?*
#
# Now each patch of the content is replaced by its match. A cell in the middle is covered by nine patches, and they do not agree. We take their **mean**. At the border
# fewer patches cover a cell, so count them.
#
# ### Exercise 2 — back to a map
# *difficulty ●●○ · importance ●●● · 15 minutes*
#
# You get the chosen patches in reading order; return the map. Neighbouring patches begin `stride` cells apart. Add each patch at its place, then divide each cell by the number of patches that cover it.


# %% tags=["exercise"]
def my_put_back(patches, size, patch, stride):
    """patches: (N, C, p, p); size: (H, W) -> (1, C, H, W), the mean where patches overlap."""
    raise NotImplementedError


check.put_back(my_put_back)


# %% tags=["solution"]
def my_put_back(patches, size, patch, stride):
    """patches: (N, C, p, p); size: (H, W) -> (1, C, H, W), the mean where patches overlap."""
    columns = patches.flatten(1).T[None]  # (1, C · p · p, N), as `fold` wants them
    total = F.fold(columns, size, patch, stride=stride)  # (1, C, H, W)
    return total / F.fold(torch.ones_like(columns), size, patch, stride=stride)


check.put_back(my_put_back)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# With a loop: patch number `n` begins in row `n // columns * stride` and column `n % columns * stride`, where `columns = (W - p) // stride + 1`.
# </details>
# <details><summary>Hint 2</summary>
#
# Without: `F.fold` adds up overlapping patches. It wants them as (1, C · p · p, N): `patches.flatten(1).T[None]`. Folding ones counts them.
# </details>
#
# **What does a swap look like?** Activations cannot be seen. But we know which patch goes where, so we can move the *pixels* of the style in the same way. No network paints here; it is scissors and glue. Your two functions are all it takes (`yours` takes your function if it passes its check; otherwise it takes the course's, and says so):

# %%
index = yours(my_best_match, check.best_match, lambda C, S: chosen)(content_patches, style_patches)  # (N,)
cells = F.pixel_unshuffle(glass, 4)  # (1, 48, 80, 80): of each cell its 4 x 4 pixels, 3 colours each
put_back = yours(my_put_back, check.put_back, lambda p, size, *how: assembled(index.view(1, 46, 70), cells, size))
pieces = patches_of(cells)[index].unflatten(1, (48, 3, 3))  # (N, 48, 3, 3): what is cut out
by_you = F.pixel_shuffle(put_back(pieces, f_c.shape[2:], 3, 1), 4)  # (1, 3, 192, 288)

# %% [markdown]
# **Predict, then run.** A patch may have any size. What will change from 1 × 1 to 3 × 3 and to 9 × 9 cells? In which will you still find the cat?


# %%
def glued(content, style, **how):
    """The style's pixels, moved as its patches are: (1, 3, H, W); `patch` and `stride` as of `matches`."""
    with torch.no_grad():
        of_c, of_s = (encoder(image, LAYER)[LAYER] for image in (content, style))  # (1, C, H/4, W/4) each
    cells = F.pixel_unshuffle(style[..., : 4 * of_s.shape[2], : 4 * of_s.shape[3]], 4)  # 4 x 4 pixels of each cell
    moved = assembled(matches(of_c, of_s, **how), cells, of_c.shape[2:], **how)  # (1, 48, H/4, W/4)
    return F.pixel_shuffle(moved, 4)


scissors = {"the style": glass, "1 × 1 cell": glued(photo, glass, patch=1), "3 × 3 cells, as above": by_you}
scissors["9 × 9 cells"] = glued(photo, glass, patch=9)
grid([*scissors.values()], [*scissors], columns=2, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# With single cells each cell is chosen on its own: the edges of the cat are there as bits of lead line, in a confetti of colours, since `relu3_1` encodes edges far better than colours. With 3 × 3 cells pieces of glass follow the
# fur, and eyes and nose are still there. With 9 × 9 cells large pieces of glass lie over each other, part of the sun at the left, stems on the forehead, and there is hardly a cat. Large patches of fur and glass have little in common, so any match is a poor one.
#
# The blur comes from averaging overlapping pixels. Averaging activations does less harm, as section 4 shows.
# </details>
#
# ## 3 · The swap is three convolutions
#
# *Can a network library do this for us?*
#
# It can, and the paper explains it so:
#
# 1. **Compare.** A convolution multiplies a kernel with the patch around each place. So take the style's patches, each divided by its norm, *as kernels*. Each gives a channel: how much it is like each place.
# 2. **Choose.** At each place the channel with the highest value becomes 1, all others 0 (one-hot).
# 3. **Put in.** A *transposed* convolution lays a kernel down wherever there is a 1. Its kernels are the patches themselves, *not* divided. Divide by the number of overlaps, which is once more a
#    transposed convolution, of ones.
#
# ### Exercise 3 — three convolutions
# *difficulty ●●● · importance ●●○ · 20 minutes*
#
# Write it for any patch size and stride. The patches of the style begin `stride` cells apart, too. `F.conv2d` and `F.conv_transpose2d` both take `stride=`.


# %% tags=["exercise"]
def my_swap(content, style, patch, stride):
    """Φ(C): (1, C, H, W), Φ(S): (1, C, h, w) -> Φ^ss: (1, C, H, W)."""
    raise NotImplementedError


check.three_convolutions(my_swap)


# %% tags=["solution"]
def my_swap(content, style, patch, stride):
    """Φ(C): (1, C, H, W), Φ(S): (1, C, h, w) -> Φ^ss: (1, C, H, W)."""
    kernels = patches_of(style, patch, stride).unflatten(1, (-1, patch, patch))  # (M, C, p, p)
    norms = kernels.flatten(1).norm(dim=1).clamp_min(1e-8)[:, None, None, None]
    alike = F.conv2d(content, kernels / norms, stride=stride)  # (1, M, rows, columns)
    one_hot = F.one_hot(alike.argmax(dim=1), len(kernels)).permute(0, 3, 1, 2).float()  # the same shape
    count = F.conv_transpose2d(torch.ones_like(one_hot[:, :1]), torch.ones(1, 1, patch, patch), stride=stride)
    return F.conv_transpose2d(one_hot, kernels, stride=stride) / count


check.three_convolutions(my_swap)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `patches_of(style, patch, stride)` has a patch in each row. `.unflatten(1, (-1, patch, patch))` makes kernels (M, C, p, p) of them.
# </details>
# <details><summary>Hint 2</summary>
#
# `F.one_hot(alike.argmax(dim=1), M)` is (1, rows, columns, M). Bring the M to the front: `.permute(0, 3, 1, 2).float()`.
# </details>
# <details><summary>Hint 3</summary>
#
# For the count use one channel: `torch.ones(1, 1, patch, patch)` laid down everywhere, with the same stride.
# </details>
#
# This is elegant and wasteful. The third step multiplies all patches of the style by numbers that are 0 but for one. And the table of step 2 has a number for *every* patch of the style at *every* place.
#
# **Predict, then run.** How large is this table for two square pictures of 192 pixels, where `relu3_1` has 48 × 48 cells? And at 1024 pixels?

# %%
for name, side in (("192 px", 48), ("256 px", 64), ("512 px", 128), ("1024 px", 256)):
    print(f"{name:28} {(side - 2) ** 2:7,.0f} patches each, table {(side - 2) ** 4 * 4 / 1e6:8,.0f} MB")

# %% [markdown]
# So the course computes the table in parts, keeps the best matches, and copies their patches. The result is the same, except where two patches of the style fit equally well up to rounding:

# %% tags=["nbval-check-output"]
quick, slow = swap(f_c, f_s), swap_by_convolution(f_c, f_s)  # (1, C, 48, 72) each
equal = ((quick - slow).abs() < 1e-4 * slow.abs().max()).all(dim=1)  # (1, 48, 72)
print("the same in at least 99% of the cells:", bool(equal.float().mean() >= 0.99))

# %% tags=["nbval-ignore-output"]
for name, function in (("three convolutions", swap_by_convolution), ("part by part", swap)):
    begin = time.perf_counter()
    function(f_c, f_s)
    print(f"{name:20} {(time.perf_counter() - begin) * 1e3:5.0f} ms")

# %% [markdown]
# `python -m benchmarks swap` measures both at the sizes of VGG-19, with their memory.
#
# ## 4 · Back to a picture
#
# *Which picture has these activations?*
#
# None, exactly: $\Phi^{ss}$ was glued together. So we search for the picture whose activations come nearest, as in lesson 01, and ask for a little smoothness:
#
# $$I_\text{stylized}(C, S) = \operatorname*{arg\,min}_{I} \; \big\| \Phi(I) - \Phi^{ss}(C, S) \big\|_F^2 + \lambda\, \ell_{TV}(I) \qquad\text{(3)}$$
#
# $$\ell_{TV}(I) = \sum_{h,w,k} (I_{h+1,w,k} - I_{h,w,k})^2 + (I_{h,w+1,k} - I_{h,w,k})^2 \qquad\text{(4)}$$
#
# Compare this with lesson 02. There is no style loss, there are no layer weights, and content and style need no balance. *What* to paint is fixed before the first step.
#
# ### Exercise 4 — the loss
# *difficulty ●○○ · importance ●●○ · 10 minutes*
#
# Write (3) and (4), as they stand: with sums.


# %% tags=["exercise"]
def my_loss(features, target, image, weight):
    """features = Φ(I) and target = Φ^ss, (1, C, H, W); image = I, (1, 3, H', W'); weight = λ -> a number."""
    raise NotImplementedError


check.swap_loss(my_loss)


# %% tags=["solution"]
def my_loss(features, target, image, weight):
    """features = Φ(I) and target = Φ^ss, (1, C, H, W); image = I, (1, 3, H', W'); weight = λ -> a number."""
    down, right = image.diff(dim=2), image.diff(dim=3)
    return (features - target).square().sum() + weight * (down.square().sum() + right.square().sum())


check.swap_loss(my_loss)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `image[:, :, 1:] - image[:, :, :-1]` are the differences of neighbours above each other; `image.diff(dim=2)` is the same.
# </details>
# <details><summary>Hint 2</summary>
#
# ‖…‖²_F is the sum of the squares of all entries. No root, no mean.
# </details>
#
# In the course's own objective both terms are normalised: the first is divided by $\|\Phi^{ss}\|^2$, the second by the number of values. Then λ means the same at every size.
#
# We start from the picture of section 2, the style's pixels moved by scissors and glue. It has the style's colours already; the search repairs the seams. (Section 5 tries other starts.)
#
# **Predict, then run.** The one knob of the method is the size of the patch. What will the cat be with patches of 1, 3 and 9 cells? And with 9 cells and a stride of 9, so that nothing overlaps?


# %%
def paint(content, style, steps=40, tv_weight=3.0, **how):
    """The best picture after so many steps; `patch` and `stride` as of `style_swap.objective`."""
    objective = style_swap.objective(content, style, encoder=encoder, tv_weight=tv_weight, **how)
    return result(optimize_image(glued(content, style, **how), objective, steps))


cat, marbling = resize(samples.content("chelsea"), (288, 432), "box"), samples.style("marbling")  # 512 × 512
knobs = [{"patch": 1}, {"patch": 3}, {"patch": 9}, {"patch": 9, "stride": 9}]
knob_pictures = [paint(cat, marbling, **knob) for knob in knobs]
titles = ["patch 1", "patch 3", "patch 9", "patch 9, stride 9"]
grid([cat, marbling, *knob_pictures], ["the photo", "the style", *titles], columns=3, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# From 1 to 9 cells the photo gives way to the style. With single cells the fur is there, nearly hair by hair, in the colours of the marbling. With 3 cells the fur is drawn in streaks of colour. With 9 cells whole bands of the marbling run across cheek and chest, and one eye has become a swirl. So the patch size trades photo against style.
#
# With a stride of 9 each square is one piece of the marbling, as it is. There is no cat any more: a piece begins only at every ninth cell, so it cannot follow an outline, and no neighbours are averaged with it.
# </details>
#
# ### Your code paints
#
# Your swap (exercise 3) sets the target, and your loss (exercise 4) moves the pixels, for the cat and the stained glass of section 1.


# %%
def course_loss(features, target, image, weight):
    return (features - target).square().sum() + weight * losses.total_variation(image)


swap_by = yours(my_swap, check.three_convolutions, lambda C, S, p, stride: swap(C, S, patch=p, stride=stride))
loss = yours(my_loss, check.swap_loss, course_loss)
target = swap_by(f_c, f_s, 3, 1)  # (1, C, 48, 72)
power = target.square().sum()  # the course divides by it


def my_objective(image):
    return {"(3)": loss(encoder(image, LAYER)[LAYER], target, image, 3.0 * power / image.numel()) / power}


mine = result(optimize_image(glued(photo, glass), my_objective, 40))
who = "your code" if swap_by is my_swap or loss is my_loss else "the course's, in place of yours"
painted = {"the style": glass, who: mine, "the course's": paint(photo, glass)}
grid([*painted.values()], [*painted], columns=3, even=True)

# %% [markdown]
# The two pastiches should look the same.
#
# ## 5 · An easier landscape?
#
# *Does it matter where we start?*
#
# Lesson 02 found a different picture from each start. The authors claim that their loss is easier to minimise: the target is fixed, in one layer, and says *what* should be *where*. Let us measure that. Both methods
# get the same photo, style, encoder, smoothness and optimiser, and start three times: from two draws of noise (pixels of the style, in random places), and from the photo. Each curve is divided by the lowest loss that its method found, so 1 is the best.
#
# **Predict, then run.** Which curves lie closer together? And the pictures at their ends?

# %%
cup, waves = resize(samples.content("coffee"), (144, 216), "box"), resize(samples.style("woodcut_waves"), 288)


def pixels_of_the_style(seed):
    """Pixels of the style, drawn at random for every place: its colours, and no pattern. (1, 3, 144, 216)."""
    drawn = torch.randint(288 * 288, (144 * 216,), generator=torch.Generator().manual_seed(seed))
    return waves.flatten(2)[..., drawn].unflatten(2, (144, 216))


starts = {"noise 1": pixels_of_the_style(1), "noise 2": pixels_of_the_style(2), "the photo": cup}
objectives = {
    "swap": style_swap.objective(cup, waves, encoder=encoder, tv_weight=3.0),
    "lesson 02": gatys.objective(cup, waves, encoder=encoder, tv_weight=3.0),
}
curves, ends = {}, {}
for method, objective in objectives.items():
    for name, start in starts.items():
        steps = list(optimize_image(start, objective, steps=80))
        curves[f"{method}, from {name}"] = [step.loss for step in steps]
        ends[f"{method}, from {name}"] = steps[-1].best_image
lowest = {method: min(min(curve) for name, curve in curves.items() if name.startswith(method)) for method in objectives}
relative = {name: [loss / lowest[name.split(",")[0]] for loss in curve] for name, curve in curves.items()}
plot_curves(relative, y="loss ÷ lowest of the method", title="Three starts each")
pictures, titles = [], []
for method, beside in (("swap", {"the photo": cup}), ("lesson 02", {"the style": waves})):
    row = {**beside, **{f"{method}: from {name}": ends[f"{method}, from {name}"] for name in starts}}
    pictures += row.values()
    titles += row
grid(pictures, titles, columns=4, even=True)

# %%
for method in objectives:
    mine = [name for name in curves if name.startswith(method)]
    near = [next((n for n, loss in enumerate(relative[name], 1) if loss < 2), "over 80") for name in mine]
    apart = [round(psnr(ends[a], ends[b]), 1) for a, b in itertools.combinations(mine, 2)]
    print(f"{method:10} at twice the lowest loss after {near} steps; between the pictures {apart} dB")

# %% [markdown]
# <details><summary>What it means</summary>
#
# The claim holds in part. The swap reaches twice its lowest loss in fewer steps than lesson 02, from each start. (It also begins nearer to its lowest loss, so count the steps with care.) From the two draws of noise it ends with nearly the same picture: cup, saucer and even the lines of the table are at the same places. Lesson 02 ends with
# two different ones: each has waves, but in other places. In (3) the target says for every place what should be there. A Gram matrix only says what should occur *somewhere*, and many pictures satisfy that.
#
# The colours are another matter: from noise and from the photo the swap's pictures are even further apart than those of lesson 02 (about 8.7 against 10.6 dB). The swap keeps the colours of its start: the lilac blue of the mixed pixels, or the orange of the photo. `relu3_1` of `mini` hardly reacts to slow changes of colour, so the search corrects them
# last, and 80 steps are not enough. Lesson 02, which also compares early layers, takes the red out of the saucer: it becomes blue, grey and brown. That is why `paint` starts from scissors and glue, with the style's colours in place.
#
# The curves alone would mislead: from noise they lie close together for *both* methods. Equal losses need not mean equal pictures. And this is no proof: one pair, one encoder, one optimiser.
# </details>
#
# ## 6 · The inverse network
#
# *Do we need a new search for each picture?*
#
# The search always answers the same kind of question: which picture has these activations? So let a network learn to answer it, once. It is a decoder, as in lesson 05, and it has to invert $\Phi$:
#
# $$\operatorname*{arg\,min}_{f} \; \sum_{H} \big\| \Phi(f(H)) - H \big\|_F^2 + \lambda\, \ell_{TV}(f(H)) \qquad\text{(5, 6)}$$
#
# Which activations $H$ should it see? Those of photos and paintings; the paper has 80 000 of each. But it will have to work on *swapped* activations, and no picture has exactly those, as section 4 said. How far are they from
# the activations of a picture?
#
# **Predict, then run.** We search for the picture that fits best, once for the photo's own activations, once for swapped ones, and always from grey. How close can we get?

# %%
own, swapped_cat = f_c[..., 12:36, 18:54], swap(f_c, f_s)  # (1, C, 24, 36), the middle; (1, C, 48, 72)
grey = torch.full((1, 3, 96, 144), 0.5)
for word, target in (("the photo's own", own), ("swapped", swapped_cat[..., 12:36, 18:54])):
    steps = optimize_image(grey, lambda x, H=target: {"": losses.content_loss(encoder(x, LAYER)[LAYER], H)}, 240)
    left = [f"{step.loss:.3f}" for step in steps if step.number in (30, 60, 120, 240)]
    print(f"{word:16} the best picture is still {' · '.join(left)} away (1 would be no activations at all)")

# %% [markdown]
# <details><summary>What it means</summary>
#
# The four numbers are those after 30, 60, 120 and 240 steps. At first the two are equally near. For the photo's own activations there is a picture that has them, the photo, and the distance goes on falling. For swapped ones it falls ever more slowly, and in the end is about four times as large: there is only a nearest picture.
# </details>
#
# A network that was trained on real pictures only has never seen such activations. So the authors train on swapped ones, too. Here is the whole training, short: seven photos and fifteen styles, cut to
# 64 pixels; each batch has a photo, a painting, and their swap. The cat and the stained glass are kept back.
#
# **Predict, then run.** What will it learn first, the shapes or the colours?

# %%
contents = torch.cat(
    [resize(samples.content(name), (96, 96), "box") for name in samples.content_names() if name != "chelsea"]
)
paintings = torch.cat(
    [resize(samples.style(name), (96, 96), "box") for name in samples.style_names() if name != "stained_glass"]
)


def batch(chance):
    """A photo and a painting, (2, 3, 64, 64); their activations and those of their swap, (3, C, 16, 16)."""
    y, x = torch.randint(33, (2,), generator=chance).tolist()
    both = [group[torch.randint(len(group), (1,), generator=chance)] for group in (contents, paintings)]
    pictures = torch.cat(both)[..., y : y + 64, x : x + 64]
    with torch.no_grad():
        H = encoder(pictures, LAYER)[LAYER]
        return pictures, torch.cat([H, swap(H[:1], H[1:])])


# %%
torch.manual_seed(0)
inverse, chance = style_swap.InverseNet(LAYER), torch.Generator().manual_seed(0)
optimizer, on_the_way = torch.optim.Adam(inverse.parameters(), lr=2e-3), {"the photo": photo, "the style": glass}
for step in range(1, 401):
    pictures, H = batch(chance)
    image = inverse(H)  # f(H): (3, 3, 64, 64)
    loss = losses.content_loss(encoder(image, LAYER)[LAYER], H) + 0.1 * losses.tv_loss(image)  # (6)
    loss = loss + 10 * F.mse_loss(image[:2], pictures)  # where there is a picture, its pixels count, too
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step in (10, 60, 400):
        with torch.no_grad():
            both = {"photo": f_c, "swapped": swapped_cat}
            on_the_way |= {f"{word}, step {step}": inverse(H).clamp(0, 1) for word, H in both.items()}
titles, pictures = [*on_the_way], [*on_the_way.values()]
grid(pictures[::2] + pictures[1::2], titles[::2] + titles[1::2], columns=4, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The shapes come first: after 10 steps the eyes can be made out, after 60 steps most edges are there, and hardly a right colour. After 400 steps the fur is brown and the cheek is light, and the swapped cat has orange and blue; of the pink and green of the glass there is still little. The network was trained on neither the cat nor the glass. Detail below the size of a cell, four pixels, it has to invent; after so few steps it shows as squares.
#
# One line is not in (6). `relu3_1` encodes colour weakly, so (6) alone teaches colours very slowly. Where there is a picture, the course also compares its pixels.
# </details>
#
# ### Are the swapped ones needed?
#
# That is an argument, not yet a fact. The course's network has twice as many channels as the one above, and learnt for 9,000 steps. A second one, `pictures`, was trained in the same way: from the same start, with the same photos and paintings, for as many
# steps. Only the swapped activations were left out.
#
# **Predict, then run.** Which of the two will be better on plain photos? Which on swapped ones?

# %%
without = style_swap.load("pictures")
pairs = [("chelsea", "stained_glass"), ("coffee", "woodcut_waves"), ("china", "ink_hatching"), ("flower", "impasto")]
networks = {"with swapped ones": network, "pictures only": without}
apart, pictures = {(word, kind): 0.0 for word in networks for kind in ("photo", "swapped")}, []
with torch.no_grad():
    for name, style_name in pairs:
        H = network.encode(resize(samples.content(name), (384, 576), "box"))  # (1, C, 96, 144)
        kinds = {"photo": H, "swapped": swap(H, network.encode(samples.style(style_name)))}
        for (word, net), (kind, H) in itertools.product(networks.items(), kinds.items()):
            image = net.decode(H, (384, 576))
            apart[word, kind] += losses.content_loss(network.encode(image), H).item() / len(pairs)
            pictures += [image] if kind == "swapped" else []
for word in networks:
    print(f"{word:18} on photos {apart[word, 'photo']:.3f}, on swapped activations {apart[word, 'swapped']:.3f}")
rows, words = [], []
for pair, y, x in ((0, 0, 144), (1, 288, 0)):  # the cat's forehead, and the table at the lower left of the saucer
    details = [image[..., y : y + 96, x : x + 144] for image in pictures[2 * pair : 2 * pair + 2]]
    rows += [samples.style(pairs[pair][1]), *details]
    words += [pairs[pair][1], *(f"{word}, a detail" for word in networks)]
grid(rows, words, columns=3, even=True)

# %% [markdown]
# <details><summary>What it means</summary>
#
# On photos the two are about equal. On swapped activations the network that saw some is better by about a quarter. Its strokes are darker and crisper, in the fur as on the table, with a purple fringe here and there. The other one does not fail; it paints softer pictures.
# So with `mini` the swapped activations help, and less than the argument predicts.
#
# A possible reason: `mini` has 59 numbers for a cell of $4 \times 4 \times 3 = 48$ pixel values, hardly more. So there is little room away from pictures, and swapped activations lie close to them (you saw how near the search comes). The paper uses VGG-19, with 256 numbers for the same 48: most
# vectors of 256 numbers belong to no picture, and a network that has never seen such vectors may fail on them. We have not tested that.
# </details>
#
# **Search or network?** The network approximates the search, roughly. The same swap, both ways; the number is the loss (3):

# %%
pairs = [("chelsea", "marbling"), ("coffee", "woodcut_waves")]
rows, words = [], []
for name, style_name in pairs:
    content, style = resize(samples.content(name), (288, 432), "box"), samples.style(style_name)
    objective = style_swap.objective(content, style, encoder=encoder, tv_weight=3.0)
    with torch.no_grad():
        at_once = network(content, style)
    searched = paint(content, style)
    rows += [style, searched, at_once]
    scores = [sum(objective(each).values()).item() for each in (searched, at_once)]
    words += [style_name, f"{name}, search: {scores[0]:.3f}", f"network: {scores[1]:.3f}"]
grid(rows, words, columns=3, even=True)

# %% [markdown]
# <details><summary>What it means</summary>
#
# The search ends at a lower loss: it optimises this one picture. Part of its lead is fine grain, which lowers the loss in `relu3_1` and which no viewer would miss. The network leaves most of it out, and its lines are cleaner. Some strokes go, too: on the saucer the search has streaks where the network paints plain red. The pale rim round cup and saucer is in both; it comes from the swap.
# And it needs one pass; the search had 40 steps, each of them through the encoder and back.
# </details>
#
# **How strong?** As in lesson 05 we can interpolate between the photo's activations and the swapped ones. Nothing is trained or matched again.

# %%
panes = samples.style("stained_glass")  # (1, 3, 512, 512)
with torch.no_grad():
    f_cat = network.encode(cat)
    swapped = network.swap(f_cat, network.encode(panes))
    strip = [network.decode(network.blend(f_cat, swapped, s), cat.shape[2:]) for s in (0.0, 0.33, 0.67, 1.0)]
titles = ["the photo", "the style", *(f"strength {s:g}" for s in (0, 0.33, 0.67, 1))]
grid([cat, panes, *strip], titles, columns=3, even=True)

# %% [markdown]
# At strength 0 the network repaints the photo itself, without the finest hairs. At 0.33 pink and green come in. At 0.67 there are dark lines round the eyes and in the stripes of the fur: the lead lines that the swap puts there. They come early
# because the photo has a dark line at the same places, so both halves of the mixture call for one.
#
# ## The lab
#
# Swap, and see where each place comes from.
#
# - **Click on the picture** (or drag, or use the two **place** sliders). Boxes show the patches that cover that place, and where they come from in the style.
# - **show**: the pastiche, or the style's pixels moved by scissors and glue.
# - **how**: the inverse network answers at once, for `relu3_1`. The optimisation takes any **layer**, and shows each step; it can be stopped.
# - **patch size** and **stride** are the knobs of the method. **strength** goes from the photo to the swap.
#
# Things to try: the same picture as photo and as style, and click. A patch of 1, and look at *the style's pixels*. `pencil` as style: what becomes of the colours? `relu1_1` and `relu4_1`, optimised.

# %% tags=["nbval-ignore-output"]
lab = StyleSwapLab(content="chelsea", style="stained_glass", size=384, across=0.37, down=0.36)
lab

# %% [markdown]
# ## 7 · The neighbour: match in every step
#
# *What if the pastiche itself looks for its patches?*
#
# In the same year Chuan Li and Michael Wand published **CNNMRF**. They match patches, too, but again in every step of an optimisation, and not the photo's patches but those of the *current pastiche*. A content loss, as in
# lesson 02, keeps the photo:
#
# $$E(x) = \alpha_1 \big\| \Phi(x) - \Phi(C) \big\|^2 + \sum_l \sum_i \big\| \Psi_i(\Phi_l(x)) - \Psi_{NN(i)}(\Phi_l(S)) \big\|^2 + \alpha_2\, \Upsilon(x)$$
#
# $\Psi_i$ is a patch, $NN(i)$ its best match as in (1), and $\Upsilon$ the smoothness.
#
# **Predict, then run.** Patches may now find better matches on the way. What does that cost, and what can it gain?

# %% tags=["nbval-ignore-output"]
temple, waves = resize(samples.content("china"), (240, 360), "box"), resize(samples.style("woodcut_waves"), 400)
start = glued(temple, waves)  # by scissors and glue, as in section 4
weights = {"style_weight": 25.0, "tv_weight": 60.0}
methods = {
    "style swap": style_swap.objective(temple, waves, encoder=encoder, tv_weight=3.0),
    "CNNMRF": style_swap.cnnmrf_objective(temple, waves, encoder=encoder, layers=[LAYER], **weights),
}
made = []
for name, objective in methods.items():
    begin = time.perf_counter()
    made.append(result(optimize_image(start, objective, 50, optimizer="adam", learning_rate=0.03)))
    print(f"{name:12} {(time.perf_counter() - begin) / 50 * 1e3:4.0f} ms a step")
grid([temple, waves, *made], ["the photo", "the style", *methods], columns=2, even=True)

# %% [markdown]
# <details><summary>What it means</summary>
#
# In the swap every patch is matched on its own, once, and the bushes become a quilt of separate dabs. Here each patch is matched in every step, after its neighbours have changed, so neighbours come to agree: the bushes at the lower left grow into slopes with white crests and long lines, as the woodcut's waves have them. Further right they stay dabs. They can also agree on something nobody asked for, such as the foam in the sky. The content loss keeps the
# temple in its place. The price: every step compares all patches again; content and style need a balance again (we weight the patch term by 25, and the smoothness twenty times as high as in the swap); and the target moves during the optimisation, so the start matters again. Li and Wand match in `relu4_1`, too; we keep to the layer of the swap.
# (Both are painted with Adam. L-BFGS goes astray when a loss jumps, and this one jumps whenever a match changes.)
# </details>
#
# ## 8 · Video
#
# *Why do stylised videos flicker?*
#
# Stylise each frame of a video on its own with lesson 02, and it flickers: from frame to frame the optimisation ends in another minimum. The swap has no such freedom. A patch that only moved has the same
# activations, so it gets the same match. The authors claim that frames are consistent without further effort. To measure it we need videos whose motion is known exactly: then we can undo the motion, and what still changes is flicker.
#
# ### Exercise 5 — steadiness
# *difficulty ●●○ · importance ●●○ · 10 minutes*
#
# A camera moves to the right by `shift` pixels a frame. So what is at column $x$ of a frame was at column $x + \text{shift}$ of the frame before. Give the mean absolute change between neighbouring frames, with the motion undone, over
# all pixels that both frames show.


# %% tags=["exercise"]
def my_steadiness(frames, shift):
    """frames: (T, 3, H, W) in [0, 1] -> the mean change between motion-compensated neighbours, a number."""
    raise NotImplementedError


check.steadiness(my_steadiness)


# %% tags=["solution"]
def my_steadiness(frames, shift):
    """frames: (T, 3, H, W) in [0, 1] -> the mean change between motion-compensated neighbours, a number."""
    now, before = frames[1:, ..., :-shift], frames[:-1, ..., shift:]  # (T - 1, 3, H, W - shift) each
    return (now - before).abs().mean()


check.steadiness(my_steadiness)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# All frames but the first, and all but the last: `frames[1:]` and `frames[:-1]` are the pairs of neighbours.
# </details>
# <details><summary>Hint 2</summary>
#
# Cut `shift` columns off each: the last ones of the new frame have just come into view, the first ones of the old frame have left.
# </details>
#
# The course's `video.consistency` does this for any known motion, in grey levels from 0 to 255 (the exercise has 0 to 1). Three clips: the camera moves over a photo by 4 pixels a frame; the same by 3 pixels; and a disc that
# moves across a photo that stands still. Two frames of each will do.
#
# **Predict, then run.** A cell of `relu3_1` is 4 pixels wide. What will the swap make of a motion of 3?

# %%
view = resize(samples.content("china"), (208, 312), "box")
size = {"frames": 2, "size": (192, 288)}
clips = {
    "pan by 4 px": panning_clip(view, step=(0, 4), **size),
    "pan by 3 px": panning_clip(view, step=(0, 3), **size),
    "a disc by 4 px": moving_clip(view, photo, step=4, **size),
}
brush = resize(samples.style("impasto"), 448)  # (1, 3, 448, 448)


def by_network(frame):
    with torch.no_grad():
        return network(frame, brush)


def by_lesson_02(frame):
    return result(gatys.stylize(frame, brush, encoder=encoder, steps=30, tv_weight=3.0))


painters = {
    "swap, network": by_network,
    "swap, search": lambda frame: paint(frame, brush, 30),
    "lesson 02": by_lesson_02,
}

# %%
films = {
    (who, what): torch.cat([*map(painter, clip.frames.split(1))])
    for who, painter in painters.items()
    for what, clip in clips.items()
}
print(" " * 16 + "".join(f"{what:>16}" for what in clips))
for who in painters:
    print(f"{who:16}" + "".join(f"{consistency(films[who, what], clip):16.1f}" for what, clip in clips.items()))
steadiness = yours(my_steadiness, check.steadiness, lambda film, shift: consistency(film, clips["pan by 4 px"]) / 255)
print(
    "pan by 4 px again:", " · ".join(f"{who} {255 * steadiness(films[who, 'pan by 4 px'], 4):.1f}" for who in painters)
)

# %%
strips, titles = [], []
for who, shift in (("swap, network", 4), ("swap, network", 3), ("swap, search", 4), ("lesson 02", 4)):
    before, now = films[who, f"pan by {shift} px"][..., 24:168, :]  # (3, 144, 288) each, without sky and grass
    flicker = (now[..., :-shift] - before[..., shift:]).abs().mean(dim=0, keepdim=True).expand(3, -1, -1)
    strips += [before[..., shift:], (4 * flicker).clamp(0, 1)]
    titles += [f"{who}, {shift} px", "flicker × 4"]
grid(strips, titles, columns=4, even=True)

# %% [markdown]
# <details><summary>What it means</summary>
#
# Lesson 02 flickers over the whole frame. At 4 pixels the swap is several times steadier, though it knows nothing about neighbouring frames. With the network the middle is black: *exactly* the same. Four pixels are one cell.
# All activations have moved by one cell, so each patch gets the same match. Only near the border, where things come into view, something changes.
#
# A motion of 3 pixels is no whole number of cells (above, at the right). The pattern falls onto the cells in another way, the activations differ a little, and in most places with a pattern another patch wins: the search is then only a little steadier than lesson 02. So the claim holds for motions by whole cells, and much less for others. The search adds
# flicker of its own, by its fine grain. The disc shows a third case: patches at its edge see both the disc and the background.
# </details>
#
# `stylelearn video clip.gif painting.jpg -o painted.gif` stylises a whole video, and resumes where you stopped it.
#
# ## 9 · What it costs
#
# *Is it fast?*
#
# The inverse network costs the same for each pixel. The matching does not: twice the side has four times as many patches, *each compared with four times as many*.
#
# **Predict, then run.** How much longer will each of the three parts take for twice the side?


# %% tags=["nbval-ignore-output"]
def milliseconds(function, *arguments):
    found = []
    for _ in range(4):
        begin = time.perf_counter()
        with torch.no_grad():
            function(*arguments)
        found.append((time.perf_counter() - begin) * 1e3)
    return min(found)


sides, costs = (96, 192, 384), {"encode one picture": [], "match and swap": [], "inverse network": []}
for side in sides:
    c, s = (resize(image, (side, side), "box") for image in (photo, glass))
    with torch.no_grad():
        features, others = network.encode(c), network.encode(s)
    costs["encode one picture"].append(milliseconds(network.encode, c))
    costs["match and swap"].append(milliseconds(swap, features, others))
    costs["inverse network"].append(milliseconds(network.decode, features, (side, side)))
doubled = [str(side) for side in sides]  # as names: each step to the right doubles the side
plot_curves(costs, x="pixels of a side", y="milliseconds", at=doubled, title="Where the time goes")
for name, times in costs.items():
    print(f"{name:20} from 192 to 384 pixels: {times[2] / times[1]:.1f} times as long")

# %% [markdown]
# <details><summary>What it means</summary>
#
# By the arithmetic, four times the pixels make four times the work for encoding and painting, and sixteen times for matching. The clock may agree only roughly, and differs from machine to machine. What holds is the order: the matching grows by far the fastest. At 384 pixels it takes most of the time, and its share goes on growing. The table in lesson 05 shows the same: 0.17 seconds at 256 pixels,
# 3.2 at 512. For large pictures a larger stride, or fewer patches of the style, helps.
# </details>
#
# ## 10 · Where it fails
#
# *What does a patch not see?*
#
# **Predict, then run.** Four cases: a small and a large style (a patch is always 3 × 3 cells), a photo with a smooth sky, and a style without colours.

# %%
with torch.no_grad():
    sizes = [network(cat, resize(panes, side)) for side in (128, 512)]
    sky, temple = (resize(samples.content(name), (288, 432), "box") for name in ("rocket", "china"))
    grey = network(temple, samples.style("pencil"))
    in_waves = network(sky, samples.style("woodcut_waves"))
rows = {
    "the glass": panes,
    "the cat, glass at 128 px": sizes[0],
    "the cat, glass at 512 px": sizes[1],
    "a style without colours": samples.style("pencil"),
    "the temple": temple,
    "the temple in pencil": grey,
    "the waves": samples.style("woodcut_waves"),
    "a photo with a smooth sky": sky,
    "the sky in waves": in_waves,
}
grid([*rows.values()], [*rows], columns=3, even=True)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Small glass gives fine lead lines close together, and hardly a cat. Large glass has few lines and wide panes, so there are large smooth patches to choose from. Pencil takes nearly all colour away: the style has none to offer. Its hatching is nearly lost, too: its lines are finer than a patch can show once nine of them are averaged.
# The smooth sky becomes smooth blue, which the waves have. But the thin bars of the towers become thick strokes: the waves have no lattice. Beside towers and rocket there are pale halos, probably from patches that hold an edge beside white foam.
# </details>
#
# - **Only what is there.** The pastiche consists of patches of the style. If the style has no eye, there is no eye.
# - **Only small shapes.** A patch sees 32 pixels. Nothing preserves composition, long lines or the balance of colours.
# - **One size.** Patches are not turned and not scaled. The size at which you give the style matters.
# - **A mean is a blur.** With patches of 3 × 3 cells nine are averaged at each place, with 9 × 9 cells 81. Where pixels are averaged, as in section 2, that is a blur. Where activations are, the search draws lines again (section 4), but wider and softer ones.
#
# ## Differs from the paper
#
# - **The encoder** is `mini`, with 59 channels in `relu3_1` instead of VGG-19's 256. It distinguishes fewer patterns. Optimised pictures keep a fine grain, which the smoothness lessens.
# - **The inverse network** has twice as many channels as the encoder, no instance normalisation by default, and upsamples instead of using transposed convolutions. With the paper's form (`stylelearn train inverse` has options for all three) ours learnt colours less well. For activations of a picture,
#   its training loss also compares with that picture. It was trained on far fewer pictures than the authors' 160 000.
# - **The losses** are relative, divided by the power of the target, so λ here is not the paper's λ.
# - **Zero patches** never win. The paper does not mention them.
# - Our videos have two small frames and simple motion. They show a tendency.
#
# ## Summary
#
# - A style can be a collection of patches instead of statistics. Each patch of the photo is replaced by the style's most similar one.
# - Similar means normalised cross-correlation: the pattern counts, not its strength.
# - The swap is three convolutions, and better computed part by part.
# - The target is fixed before the first step, in one layer. So two draws of noise lead to nearly the same picture; a start in other colours keeps those colours.
# - An inverse network replaces the search. It is trained on swapped activations, too, because no picture has them.
# - What moves by whole cells gets the same matches. So such videos are steadier; with other motions the swap flickers nearly as lesson 02 does.
#
# **Common misconceptions**
#
# - *"The swap is learnt."* Nothing in it is. The encoder is frozen, and the inverse network learns to paint activations, not to match.
# - *"It copies pixels."* It copies activations. The picture is decoded from them, and overlapping patches are averaged.
# - *"Larger patches are better, they hold more style."* They hold more style and fit worse. Beyond a few cells there is no good match any more.
# - *"The match needs both norms."* The content's norm is the same for all candidates and cannot change which one wins.
# - *"It is as fast as AdaIN."* In the paper's table it is ten times slower at 256 pixels and fifty times at 512. The matching grows with the fourth power of the side.
#
# **Code**: the authors' own, in Torch, [rtqichen/style-swap](https://github.com/rtqichen/style-swap), and one in PyTorch, [irasin/Pytorch_Style_Swap](https://github.com/irasin/Pytorch_Style_Swap). Compare their swap with yours of exercise 3.
#
# **To read**: the paper; C. Li and M. Wand, *Combining Markov Random Fields and Convolutional Neural Networks for Image Synthesis*, CVPR 2016; L. Sheng and others, *Avatar-Net: Multi-scale Zero-shot Style Transfer by Feature
# Decoration*, CVPR 2018, which swaps normalised patches; S. Gu and others, *Arbitrary Style Transfer with Deep Feature Reshuffle*, CVPR 2018, which lets every patch of the style be used about equally often.
#
# **Next**: all methods so far may paint the sky with patches of grass. [Lesson 07](07_photo.ipynb) restricts them to sky with sky and grass with grass, and keeps a photo a photo.

# %% [markdown] tags=["solution"]
# ## For teachers
#
# **Timings** (130 minutes): section 1 with exercise 1, 20 minutes · section 2 with exercise 2, 20 · section 3 with exercise 3, 25 (a good one to leave for home) · sections 4 and 5 with exercise 4, 20 · section 6, 10 · the lab, 10 · sections 7 and 8 with exercise 5, 15 · sections 9 and 10, 10.
#
# **Show.** The lab with a click on the cat's eye: where does each place come from? Before that, paper and scissors: two pictures from a magazine, and one minute to lay the one with pieces of the other. It shows at once why the size of the pieces matters.
#
# **Expected results.** The table of section 3 is arithmetic, and the same everywhere. Milliseconds depend on the machine: what holds is that *part by part* is several times faster, and that matching grows with the fourth power of the side. In section 5 the swap's two pictures from noise are more alike than those of
# lesson 02. In section 6 the network that saw swapped activations is better on them, by about a quarter.
#
# | Section | Printed, or above a picture | Expect |
# | --- | --- | --- |
# | 1 | `its patch, nearer; the best:` | 0.93 to 0.97 |
# | 1 | `plain product` | 140 to 220 |
# | 1 | `normalised` | 1000 to 1300 |
# | 3 | `512 px 15,876 patches each, table` | 1008, exactly |
# | 3 | `the same in at least 99% of the cells: True` | as it stands |
# | 6 | `swapped the best picture is still` | 0.06 to 0.1 |
# | 6 | `with swapped ones on photos` | 0.045 to 0.06 |
# | 6 | `on swapped activations` | 0.13 to 0.23 |
# | 8 | `swap, network` | 1 to 4 |
# | 8 | `a disc by 4 px swap, … lesson 02` | 12 to 33 |
#
# **Where they get stuck.** In exercise 1 the patches are not divided at all, or zero patches give NaN and win. In exercise 2 the count at the border is taken as nine everywhere, or `stride` is ignored. In exercise 3 the normalised kernels are pasted instead of the plain ones. In exercise 5
# the motion is undone in the wrong direction, or the columns that one frame does not show are counted. The checks name these.
#
# **Questions for a discussion.**
#
# - *Why is the content's norm not needed?* It is the same for all candidates, so it cannot change who wins. For the value of the correlation it is needed.
# - *Is the swap lossless if content and style are the same picture?* Each patch is its own best match, so the activations are the same. The inverse network still loses something.
# - *Why is this steadier on videos than lesson 02?* The target is fixed before the first step and depends only on the content of each patch. What moves by whole cells gets the same matches.
# - *How would you make the matching cheaper for a large picture?* Larger strides, fewer patches of the style, or a first round at half the size. All of them change the result a little.
