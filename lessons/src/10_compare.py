# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 10 · Which method when
#
# You know eight ways to paint a photo in a style. Now we compare them: the same photo, the same painting, the same machine.
#
# Papers compare, too. But they measure on a machine that you do not have, with pictures that the authors chose, and with a measure that they built. This lesson gives you the tools to compare
# methods yourself, and to question the result.
#
# **After this lesson you can …**
#
# - time methods fairly, and say how their cost grows with the size of the picture,
# - say for every measure of quality what it captures and what it misses,
# - run a blind study, compute confidence intervals, and test whether a measure agrees with people,
# - choose a method for a need, and give your reasons.
#
# **Builds on** all lessons from [02](02_gatys.ipynb) to [08](08_adjustable.ipynb) · **about 140 minutes**, with the exercises and the study · **papers**: Table 1 of X. Huang and S. Belongie, ICCV 2017
# ([arXiv 1703.06868](https://arxiv.org/abs/1703.06868)), and the user study of F. Luan and others, CVPR 2017 ([arXiv 1703.07511](https://arxiv.org/abs/1703.07511)).

# %%
# %config InlineBackend.figure_formats = ['jpeg']
import random
import statistics
import time

import torch
from IPython.display import Markdown, display
from scipy.stats import spearmanr
from torch import nn

from stylelearn.checks import compare as check
from stylelearn.checks import yours
from stylelearn.colour import match_colour
from stylelearn.compare import compare
from stylelearn.encoders import Encoder
from stylelearn.evaluation.metrics import MEASURES, explain, judge, measure
from stylelearn.evaluation.ratings import QUESTIONS
from stylelearn.evaluation.study import Pastiche, agreement, difference, intervals, invented
from stylelearn.evaluation.tables import costs, fit_cost, huang_table, table
from stylelearn.figures import Ask, grid, plot_costs, plot_intervals, plot_points, plot_tree
from stylelearn.lab import CompareLab, StudyLab
from stylelearn.painting import known_styles, pictures, run
from stylelearn.registry import METHODS

PHOTO, STYLE = "china", "stained_glass"  # this style is the one picture of the course that every method can paint in
LAYER = "relu2_1"
STEPS = 100  # at most, for methods that optimise pixels, in pictures and in seconds; their defaults are 100 to 300
photo, painting = pictures(PHOTO, STYLE, 256)  # (1, 3, 256, 256) each
by_lesson = sorted(METHODS, key=lambda name: METHODS[name].lesson)
title = {name: f"{METHODS[name].lesson:02d} · {METHODS[name].title}" for name in by_lesson}

# %% [markdown]
# Here are the photo, the style, and eight pastiches, one by each method. Their names are hidden, and their order is drawn by lot. **Which lesson painted which?** Write your guess down, a lesson for each letter. Lesson 06 occurs twice, once by optimisation and once by a network, so say which. Section 1 gives the names. (The cell takes a while: each method paints once, and the picture is measured in several ways, which section 5 explains.)

# %%
rows = {row.method: row for row in compare(PHOTO, STYLE, by_lesson, repeats=0, steps=STEPS)}
made = {name: row.picture for name, row in rows.items()}  # (1, 3, 256, 256) each
letters = dict(zip("ABCDEFGH", random.Random(1).sample(by_lesson, 8), strict=True))
hidden = {"the photo": photo, "the style": painting} | {letter: made[name] for letter, name in letters.items()}
grid([*hidden.values()], [*hidden], columns=5)

# %% [markdown]
# These are the eight:

# %%
for name in by_lesson:
    print(f"{name:15} lesson {METHODS[name].lesson:02d}  {METHODS[name].about}")

# %% [markdown]
# Lesson 09 is not among them: it draws letters.
#
# ## 1 · One pair, all methods
#
# *What will be fast, and what will be good?*
#
# A *pair* is a photo and a style, here as in the whole lesson. A method does well if it brings the glass, its bright panes and the black lines between them, and if one still sees the temple.
#
# **Predict, then run.** You have seen the pictures, but not yet the names. Sort the methods, the best first: once by speed, once by how near you expect each to come to the style. Change the two lists. Section 2 compares them with the measurements.

# %%
my_speed = ["gatys", "johnson", "cin", "adain", "swap_optimised", "swap_inverted", "photo", "adjustable"]
my_style = ["gatys", "johnson", "cin", "adain", "swap_optimised", "swap_inverted", "photo", "adjustable"]

# %% [markdown]
# Now the names, family by family. The first keeps the photo, the second matches statistics of the style, the third pastes its patches.

# %%
print("\n".join(f"{letter}: {title[name]}" for letter, name in letters.items()))


def beside(first, *names):
    """Some methods' pictures behind the style, three in a row."""
    shown = first | {"the style": painting} | {title[name]: made[name] for name in names}
    grid([*shown.values()], [*shown], columns=3)


beside({"the photo": photo}, "photo")
beside({}, "gatys", "johnson", "cin", "adain", "adjustable")
beside({}, "swap_optimised", "swap_inverted")

# %% [markdown]
# (The second grid goes by lesson. Who has seen this window before? Lessons 03 and 04 learnt it in their training. The networks of lessons 05 and 08 took over convolutions that had learnt it, too. Lessons 02, 06 and 07 have not seen it before.)
#
# Lessons 03 and 04 are networks of one build that have learnt this same window. Here are the upper roofs by each, twice as large, and beside them a piece of the style at the same scale.

# %%
part = {"a piece of the style": painting[..., :128, 128:]}  # (1, 3, 128, 128) each
part |= {f"{METHODS[name].lesson:02d} · the roofs": made[name][..., 16:144, :128] for name in ("johnson", "cin")}
grid([*part.values()], [*part], columns=3)

# %% [markdown]
# Now sort the methods once more, by your eyes alone: which picture is nearest to the style?

# %%
my_eyes = ["gatys", "johnson", "cin", "adain", "swap_optimised", "swap_inverted", "photo", "adjustable"]

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Three families.
#
# - **The photo** (07). Every roof and every column keeps its shape and its sharp edges. The sky turns violet, red and orange, like an evening; the trees at the left turn a fresh green. But there is not one pane. The method was made for photographs, and a window of coloured glass is none. It is included as the method that keeps the photo.
# - **Statistics** (02 to 05 and 08). These bring dark lines and the style's colours, and break even places into pieces. Gatys outlines the roofs in black and lets the walls glow red. Its sky is pale, with fine wrinkles and a little violet: it has less of the window's bright colours than you may expect from the method that comes nearest in numbers. Lesson 03's sky runs from violet to orange, cut by dark lines into small panes; its tower is green, blue and violet. Lesson 04's picture is much like it, with broader leads and fewer closed panes. AdaIN's tower is red with strong dark outlines; its sky is blue at the left and brown at the right, with dark leads. Lesson 08 cuts the sky into the largest panes, orange and green, and its tower is red, too. None of the five has the sun with its rays: such large shapes are in no statistic here.
# - **Patches** (06). Each time the patch is taken that is most like the photo there. By optimisation the tower looks nearly as before, under a pink sky with a fine weave. By the network the sky becomes one flat pink pane without a line of lead, since all its places are alike and take the same patch. Roofs and trees become small pieces, green and orange, with dark frames.
#
# Look at the enlarged roofs. In both, thick black lines carry the roofs. Lesson 03's have green and yellow rims, and break the walls below into many small pieces; lesson 04's are smoother, with fewer rims. The two networks are close relatives: both went on from one network, lesson 03's with this window alone, lesson 04's with sixteen styles, for longer, and with larger pieces of them. So the difference may come from any of these.
# </details>
#
# ## 2 · Seconds
#
# *How do we measure time so that others can trust the result?*
#
# **Predict, then run.** We paint the same small picture six times, with a network of lesson 03 that this notebook has not used yet, and time each call. Which of the six is the slowest, and why?

# %% tags=["nbval-ignore-output"]
unused = next(name for name in known_styles("johnson") if name != STYLE)
thumbnail, clock = pictures(PHOTO, STYLE, 96)[0], []  # (1, 3, 96, 96)
for _ in range(6):
    begin = time.perf_counter()
    run("johnson", thumbnail, unused)
    clock.append((time.perf_counter() - begin) * 1e3)
print("milliseconds:", " ".join(f"{one:.0f}" for one in clock))
print(f"mean {statistics.mean(clock):.0f}, median {statistics.median(clock):.0f}, lowest {min(clock):.0f}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# The first: it includes reading the weights from the disk and building the network. Nothing in the call says so. The mean suffers from this one value, the median does not. On a GPU the first call is slower still, and there the clock must also wait until the GPU is done (`torch.cuda.synchronize`). Later calls differ, too, when other programs use the
# processor. So:
#
# - run once before, and do not count it (*warm up*),
# - repeat, and take the **median**: one outlier does not change it,
# - say what is included: with or without encoding the style, with or without reading files,
# - name the machine.
# </details>
#
# The networks of lessons 05, 06 and 08 encode the style before they paint. For a hundred photos in one style that is needed once. So there are two numbers: for one more photo, and, in brackets, including a new style. A method that optimises
# pixels repeats the same step, so we time four steps, half of them at half size where the method begins small, and multiply by their number, which is that of the pictures above: at most 100. The networks of lessons 03, 04, 05 and 08 paint from coarse to fine here, as always in this course: two passes at 256 pixels, and both are in their seconds.
#
# How to read the table: `0.2 (0.25)` means 0.2 seconds for one more photo and 0.25 with a new style. *N/A*, not applicable, means that a new style cannot be encoded: all that the network knows was learnt in training. ∞ means any style.

# %% tags=["nbval-ignore-output"]
timed = list(compare(PHOTO, STYLE, sizes=(256,), repeats=3, seeds=(), steps=STEPS, timed_steps=4))
display(Markdown(table(timed)))

# %% [markdown]
# Here is the table of the paper beside ours, in the same layout. The paper used a GPU of 2017 and VGG-19; you use your machine and `mini`.
#
# A dash means not measured here, to save your time; `stylelearn compare --content china --sizes 256 512 --memory --paper` measures all of it.
#
# **Predict, then run.** Look at the column of the paper first. By which factor is AdaIN faster than lesson 02 there? Will the factor be the same here, with 100 steps of lesson 02? What will be different for Chen and Schmidt (our lesson 06, by network)? (Ulyanov stands for lesson 03, Dumoulin is lesson 04.)

# %% tags=["nbval-ignore-output"]
large = list(compare(PHOTO, STYLE, ["johnson", "cin", "adain"], sizes=(512,), repeats=2, seeds=()))
display(Markdown(huang_table([*timed, *large])))

# %% [markdown]
# <details><summary>What it means</summary>
#
# Seconds cannot be compared between machines. *Ratios* can, a little. In the paper lesson 02 needs about 790 times as long as AdaIN at 256 pixels. Here it is some dozens: fewer steps, another encoder, another machine, and our AdaIN paints twice, from coarse to fine. Even the order may change: in the paper the networks of lessons 03 and 04 are faster than AdaIN; in ours all three take about as long, since AdaIN's decoder is a network of the same kind; and Chen and Schmidt, the slowest network in the paper, is the fastest here. At 256 pixels the paper's number in brackets for Chen and Schmidt is more than twice the other one: encoding the style was expensive there. With `mini` it adds about a sixth.
# </details>
#
# How well did you predict? (A list that you have not changed is not compared.)

# %% tags=["nbval-ignore-output"]
seconds = {row.method: row.with_style.median if row.with_style else row.seconds.median for row in timed}


def how_near(mine, values):
    """Spearman's ρ between an order, best first, and values of which low ones are good; in words."""
    if mine == by_lesson:
        return "not changed yet"
    return f"ρ {spearmanr([mine.index(name) for name in values], list(values.values())).statistic:+.2f}"


gram = {name: row.measures["gram"].median for name, row in rows.items()}
print("measured, with the style encoded:", " < ".join(sorted(seconds, key=seconds.get)))
print("by Gram distance from the style:", " < ".join(sorted(gram, key=gram.get)))
print("ρ: 1 the same order, 0 no relation, -1 reversed")
print("my order of speed, with the measured one:", how_near(my_speed, seconds))
print("my order of style as predicted, with the Gram distance:", how_near(my_style, gram))
print("my order of style by eye, with the Gram distance:", how_near(my_eyes, gram))

# %% [markdown]
# If your eyes disagree with the Gram distance, that need not be your fault. Lesson 02 *minimises* a Gram distance, so it comes first in such a list. Section 5 asks what numbers like this one can see.
#
# ## 3 · What a larger picture costs
#
# *Twice the side, four times the pixels. How much longer does it take?*
#
# Let a picture with $P$ pixels take $T$ seconds. Often
#
# $$T = a \, P^{\,b} \qquad\Leftrightarrow\qquad \log T = \log a + b \log P$$
#
# In a plot with two logarithmic axes this is a straight line with the slope $b$. With $b = 1$ each pixel costs the same. With $b = 2$ each pixel is compared with every other pixel.
#
# ### Exercise 1 — the exponent
# *difficulty ●○○ · importance ●●○ · 10 minutes*
#
# You get sizes in pixels and the seconds that they took. Return $b$, the slope of the least-squares line through the logarithms.


# %% tags=["exercise"]
def my_exponent(pixels, seconds):
    """pixels, seconds: two lists of numbers above 0 -> b, a number."""
    raise NotImplementedError


check.exponent(my_exponent)


# %% tags=["solution"]
def my_exponent(pixels, seconds):
    """pixels, seconds: two lists of numbers above 0 -> b, a number."""
    x, y = (torch.tensor(each, dtype=torch.float64).log() for each in (pixels, seconds))  # (n,) each
    x = x - x.mean()
    return ((x * (y - y.mean())).sum() / x.square().sum()).item()


check.exponent(my_exponent)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `torch.tensor(pixels).log()` takes the logarithm of all of them. Which logarithm does not matter, if it is the same for both.
# </details>
# <details><summary>Hint 2</summary>
#
# The slope of the line through points $(x_i, y_i)$ is $\sum_i (x_i - \bar x)(y_i - \bar y) \, / \, \sum_i (x_i - \bar x)^2$.
# </details>
#
# Your exponent works in the next cell. `yours` takes your function if it passes its check; otherwise it takes the course's, and says so.
#
# (The plot below has pixels *a side* on its horizontal axis. A side of twice the length has four times the pixels, so the slope that you read off there is $2b$. The numbers printed are $b$.)
#
# **Predict, then run.** Five methods, four sizes, from a thumbnail of 64 pixels to 512. (Lessons 03, 05 and 08 take nearly the same time, so only lesson 05 of the three is drawn; the numbers below the plot are for all five.) Which method has the largest exponent? (What is each place compared with?) Which points will leave the line?

# %% tags=["nbval-ignore-output"]
exponent_by = yours(my_exponent, check.exponent, lambda pixels, seconds: fit_cost(pixels, seconds).exponent)
growing = ["gatys", "johnson", "adain", "adjustable", "swap_inverted"]
how = {"repeats": 2, "seeds": (), "steps": STEPS, "timed_steps": 4}
sized = list(compare(PHOTO, STYLE, growing, sizes=(64, 128, 256, 512), **how))
found = costs(sized)
drawn = {name: title[name] for name in ("gatys", "adain", "swap_inverted")} | {"adain": "05 · AdaIN (like it: 03, 08)"}
fits = {label: fit_cost(*found[name]).seconds for name, label in drawn.items()}
plot_costs({label: found[name] for name, label in drawn.items()}, fits)
print(f"{'exponent b, from … to … pixels':30}  64 to 128  256 to 512  all four")
for name, (pixels, took) in found.items():
    first, last, whole = (exponent_by(pixels[cut], took[cut]) for cut in (slice(2), slice(-2, None), slice(None)))
    print(f"{title[name]:30} {first:10.2f} {last:11.2f} {whole:9.2f}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# Convolutions cost the same for each pixel, so from 256 to 512 pixels $b$ is near 1 (0.7 to 1.4 when we tried; on a busy machine they scatter). The style swap compares each patch of the photo with each patch of the style; both grow, so its $b$ goes towards 2 (1.6 to 2.1): at large sizes the comparison takes nearly all its time. The paper's table shows the same:
# from 256 to 512 pixels most methods take three to four times as long ($b$ from 0.86 to 0.93), and Chen and Schmidt ten to twenty times ($b$ from 1.7 to 2.1).
#
# Now compare the first two columns. From 64 to 128 pixels all exponents are lower. Each call of a layer has a fixed cost, which does not depend on the pixels, and in a thumbnail the comparison of patches counts little. So the points do not lie on a straight line. Look at the style swap in the plot: at 64 and 512 pixels it lies above its line, at 128 below. The networks hide their fixed cost: they paint once at 64 and 128 pixels, twice at 256 and three times at 512 (from coarse to fine). (The number of steps of lesson 02 shifts its line upwards. It does not change the slope.) So never extrapolate from a thumbnail to a poster.
# </details>
#
# ## 4 · Freedom
#
# *What can still be changed after training?*
#
# Speed has a price: what was decided before a network was trained is fixed afterwards.
#
# | method | a new style costs | what you can change while you look at the result |
# | --- | --- | --- |
# | Gatys (02) | nothing | everything, but each change is a new run: layers, weights, regions, colours |
# | Johnson (03) | a training: here some ten minutes more for lesson 04's network, in the paper four hours on a GPU | how broad the marks are |
# | Conditional instance norm (04) | some training of γ and β | which of its styles, any mixture of them, and regions |
# | AdaIN (05) | one pass of the encoder | strength, mixture, regions, colours |
# | Style swap (06) | one pass of the encoder | patch size, strength |
# | Deep photo (07) | nothing, but masks help | masks, λ and Γ; each change is a new run |
# | Adjustable (08) | one pass of the encoder | a slider for each layer |
# | EMD (09), letters | ten letters | which font, which letter |
#
# ## 5 · Quality, and what numbers measure
#
# *Can a number say how good a picture is?*
#
# No. But a number can measure one property, for thousands of pictures. Here are seven. Each captures something, so each misses something.

# %%
display(Markdown(explain()))
print("The encoder in which the first four are measured:", judge().name)

# %% [markdown]
# The choice of this encoder matters. Lesson 02 minimises a loss in `mini`. If `mini` also measures the result, lesson 02 marks its own exam, and the networks that were trained with it have seen the questions. It is fairer to measure with a network that no method optimises, such as SqueezeNet. It is used where you have it
# (`torchvision` downloads it once); otherwise `mini` is used, and the line above says so.
#
# Before we trust a measure, we test it with fakes. A measure that a fake can win is not wrong. It measures something else than we thought.
#
# **Predict, then run.** Six fakes: the photo itself, the painting itself, the photo in the painting's colours, the painting cut in tiles and shuffled, plain grey, and half and half: the mean of photo and painting, pixel by pixel. (You know the first two; the other four are shown.) Which fake wins which measure? And will a measure notice that the last one was not painted at all?

# %%
tiles = [row.chunk(8, dim=3) for row in painting.chunk(8, dim=2)]  # 8 x 8 of (1, 3, 32, 32)
order = torch.randperm(64, generator=torch.Generator().manual_seed(0)).tolist()
flat = [tile for row in tiles for tile in row]
shuffled = torch.cat([torch.cat([flat[i] for i in order[k : k + 8]], dim=3) for k in range(0, 64, 8)], dim=2)
fakes = {
    "the photo": photo,
    "the painting": painting,
    "photo, recoloured": match_colour(photo, painting).clamp(0, 1),
    "shuffled": shuffled,
    "grey": torch.full_like(photo, 0.5),
    "half and half": (photo + painting) / 2,
}
unseen = [*fakes][2:]
grid([fakes[name] for name in unseen], unseen, columns=4)
eyes = judge()
scored = {name: measure(image, photo, painting, eyes) for name, image in fakes.items()}
scored |= {title[name]: {key: one.median for key, one in row.measures.items()} for name, row in rows.items()}
print(" " * 30 + "".join(f"{name:>10}" for name in MEASURES))
print(f"{'better':30}" + "".join(f"{each.better or '':>10}" for each in MEASURES.values()))
for name, values in scored.items():
    print(f"{name:30}" + "".join(f"{values[key]:10.2f}" for key in MEASURES))

# %% [markdown]
# <details><summary>What it means</summary>
#
# The photo itself wins *content* and *structure*: nothing was painted. The painting itself wins *gram*, *moments*, *sliced* and *palette*, and shows no temple. (Gatys's 0.00 in *gram* is a rounded number: it has optimised almost exactly this.) The shuffled painting comes close to it, since none of the four depends on where things are.
# The recoloured photo has not one stroke, yet in *palette* it beats both style swaps, and in *gram* it is level with deep photo. And look at plain grey. In *content* it scores better than lessons 02 to 05 and 08: the activations of grey are small, and other activations can be further away than none. In *structure* it beats all pastiches but deep photo: half of this photo is an even sky, and so is grey.
#
# Now compare *half and half* with deep photo and the two style swaps. It comes before deep photo in *gram* and before both swaps in *palette*, and in the other measures of style it is level with the swaps or a little behind. Yet nothing was painted there: it is the window with the ghost of a temple behind it, and no lead follows a roof. The methods of statistics are far nearer to the style in all four measures, but these three are not. And *structure*, which should speak for the photo, puts half and half above all the methods of statistics. So use more than one measure, and look.
#
# Why do the style swaps do so badly in *gram* and *palette*? Each of their patches is the style's, but a few patches are used again and again, and these measures compare with *all* of the style.
# If you want the style's own glass, and not its average, you will disagree with the measures.
#
# *Variety* hardly separates them: nearly all lie between 0.33 and 0.41, like the photo and the painting themselves. Only the style swap by optimisation is lower: one fine weave fills its sky and its water. And the other style swap has nearly the painting's number, though half of its picture is flat pink. So a number like the style's need not mean that the patterns are the style's.
#
# So one measure alone is worth little. Use at least two with opposite aims, one for the photo and one for the style. How much of one you would give up for the other is your decision; no
# measure can make it.
# </details>
#
# ### Exercise 2 — the sliced distance
# *difficulty ●●○ · importance ●●○ · 15 minutes*
#
# Means and deviations do not capture the *shape* of a distribution: a channel that is 0 nearly everywhere and 5 in a few places can have the same mean and the same deviation as one that varies evenly around its mean. The Wasserstein distance captures it. For numbers on a line it is simple: sort both
# lists, and compare the smallest with the smallest, the next with the next, and so on. Activations have many channels, so they are projected onto many random directions $d$:
#
# $$W(a, b) = \frac{1}{D N} \sum_{d} \sum_{n} \big| \operatorname{sort}(a \cdot d)_n - \operatorname{sort}(b \cdot d)_n \big|$$
#
# Write it for `a` and `b`, (N, C), a row for each position, and `directions`, (D, C).


# %% tags=["exercise"]
def my_sliced(a, b, directions):
    """a, b: (N, C); directions: (D, C) -> one number, a tensor."""
    raise NotImplementedError


check.sliced(my_sliced)


# %% tags=["solution"]
def my_sliced(a, b, directions):
    """a, b: (N, C); directions: (D, C) -> one number, a tensor."""
    p, q = a @ directions.T, b @ directions.T  # (N, D) each
    return (p.sort(dim=0).values - q.sort(dim=0).values).abs().mean()


check.sliced(my_sliced)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `a @ directions.T` is (N, D): how far each position lies along each direction.
# </details>
# <details><summary>Hint 2</summary>
#
# `.sort(dim=0).values` sorts each column by itself. Then take the mean of the absolute differences.
# </details>
#
# ## 6 · Three axes
#
# *Is there a best method?*
#
# Speed, freedom and quality: each method is a point in a space with three axes. Some methods can be dropped at once: those that another one beats in everything.
#
# ### Exercise 3 — the Pareto front
# *difficulty ●●○ · importance ●●● · 10 minutes*
#
# Each method has a list of numbers, for all of which lower is better. A method is **beaten** if another one is at least as low in every number, and lower in at least one. Return the names of those that no other beats (the *Pareto front*).


# %% tags=["exercise"]
def my_front(points):
    """points: name -> a tuple of numbers, lower is better -> the names that nobody beats, as a list or a set."""
    raise NotImplementedError


check.front(my_front)


# %% tags=["solution"]
def my_front(points):
    """points: name -> a tuple of numbers, lower is better -> the names that nobody beats, as a list or a set."""

    def beats(one, other):
        pairs = list(zip(one, other, strict=True))
        return all(p <= q for p, q in pairs) and any(p < q for p, q in pairs)

    return [name for name, mine in points.items() if not any(beats(other, mine) for other in points.values())]


check.front(my_front)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Write a small function `beats(one, other)` first. `zip` walks through two tuples side by side, and `all` and `any` do the rest.
# </details>
# <details><summary>Hint 2</summary>
#
# With `<=` alone, two methods that are alike would beat each other, and both would go. With `<` alone, a method that is as fast and better in style would beat nobody.
# </details>
#
# **Predict, then run.** Horizontally: seconds with encoding the style (the number in brackets in section 2), of 100 steps where pixels are optimised. Vertically: the distance from the style, of the pictures in section 1. The mark says how many styles there are. Where would a perfect method lie?

# %% tags=["nbval-ignore-output"]
plot_points(
    {title[name]: (seconds[name], gram[name]) for name in by_lesson},
    x="seconds until a new photo is painted, with encoding the style",
    y="Gram distance from the style (low is good)",
    kinds={title[name]: f"{rows[name].styles} styles".replace("1 styles", "1 style") for name in by_lesson},
    title="Speed, style, and freedom (the shape of the mark)",
    log=(True, True),
)

# %% [markdown]
# <details><summary>What it means</summary>
#
# The perfect method would lie in the lower left corner, with an ∞. None does. What is near the corner was paid for with training: for lessons 03 and 04 the seconds are those of a photo alone. A style that they do not know costs lesson 03 a training run, and lesson 04 a short one, of its own γ and β. Lesson 02 lies at the bottom and right: nearest to the style, and slow; only deep photo is slower. Look at the picture of lesson 02 again: is it the best one? Where `mini` also
# measures, lesson 02 has optimised almost exactly this number.
# </details>
#
# **Predict, then run.** Now your front chooses. The networks differ by some hundredths of a second, and the next run would give another order. So we round to whole seconds: what takes less than half of one counts as *at once*. Which methods will be left with seconds and style? And who comes back when *structure* counts, too?


# %% tags=["nbval-ignore-output"]
def course_front(points):
    def beaten(mine):
        return any(all(p <= q for p, q in zip(other, mine, strict=True)) and other != mine for other in points.values())

    return [name for name, mine in points.items() if not beaten(mine)]


front_by = yours(my_front, check.front, course_front)
kept = {name: row.measures["structure"].median for name, row in rows.items()}
two = {name: (round(seconds[name]), gram[name]) for name in by_lesson}
three = {name: (*values, -kept[name]) for name, values in two.items()}  # high is good, so it gets a minus
print("seconds, style:           ", ", ".join(title[name] for name in by_lesson if name in front_by(two)))
print("seconds, style, structure:", ", ".join(title[name] for name in by_lesson if name in front_by(three)))

# %% [markdown]
# <details><summary>What it means</summary>
#
# With seconds and style two are left: lesson 02, the nearest to the style, and lesson 03, the nearest of all that paint at once. With *structure* three come back: deep photo, as no other keeps the edges so well, and both style swaps, which keep more edges than any method of statistics. Then five of eight are left, so this front hardly chooses. The more measures you use, the fewer methods are beaten: with enough axes each is the best at something. So decide what you need *before* you look at the table.
#
# Lessons 04, 05 and 08 are out both times: lesson 03 paints at once, too, is nearer to the style, and keeps more edges. But that is *this* pair. Lesson 03's network has learnt this one window, and cannot paint in any style that you bring. A front knows only the numbers that you give it.
# </details>
#
# ### How much is chance?
#
# *One number for each method: would it be the same in another run?*
#
# **Predict, then run.** We add a little noise to the photo, different each time, and paint again. By how much do the measures change? Are the differences between methods larger than that?

# %%
quick = ["johnson", "cin", "adain", "adjustable"]
several = list(compare(PHOTO, STYLE, quick, repeats=0, seeds=(0, 1, 2), only=["gram", "structure", "palette"]))
for row in several:
    words = "   ".join(f"{key} {one.median:.3f} ({one.low:.3f} to {one.high:.3f})" for key, one in row.measures.items())
    print(f"{title[row.method]:30} {words}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# Compare the ranges in brackets, measure by measure. By *structure* those of lesson 03 and of AdaIN are far apart: lesson 03 keeps more edges, and noise does not change that. By *gram* lesson 03 is nearer to the style than the other three, by far more than chance. Now compare lessons 03 and 04 by *palette*: there the ranges overlap. Overlapping ranges decide nothing yet; section 7 shows a sharper test. And three runs are few, and only the noise on the photo varies. Another photo may well change the numbers more: try `compare("coffee", …)`. Our table has *one* pair. A
# paper that shows one pair has chosen it.
# </details>
#
# ## The lab
#
# One pair, two methods side by side in one picture, and a border between them that you can move.
#
# - **left** and **right** choose the methods, or the photo itself. Drag the **border**, or focus it and use the arrow keys: the eye sees a difference best at a moving edge.
# - Pictures are kept. So going back to a method costs nothing, and the border moves at once, also while another picture is being painted.
# - **steps** is the maximum for methods that optimise pixels. Is 300 better than 30, for you?
# - **Paint all** fills the table below with seconds and measures of every method. **Stop** keeps what is there.
#
# The border begins in the middle of the tower: left of it is lesson 02's picture, after 30 steps only, right of it AdaIN's. Things to try: drag **steps** to 100, and look at the sky. Move the border over the roofs. A style of your own (lessons 03 and 04 say why they cannot paint it). A photo as style. Find a pair where your favourite loses.

# %% tags=["nbval-ignore-output"]
lab = CompareLab(content=PHOTO, style=STYLE, left="gatys", right="adain", border=0.33, steps=30, size=384)
lab

# %% [markdown]
# ## 7 · Ask people
#
# *And what do people say?*
#
# Pictures are made for people to look at. Luan and others asked 35 to 40 people about each picture: in one study *does it look like a photo?*, from 1 to 4; in another, which of four pictures is the most faithful to the style. You ask both, and both from 1 to 4. The pastiches come two at a time, without names,
# in an order that differs from person to person; each photo has nine pictures, so one is left over, and comes alone on one of the last pages. Among them is the photo itself, unmarked. It should get a 4 for the first question, and a 1 for the second; if it does not, something is wrong with the question.
#
# How blind is the study? For you only half: section 1 has named the pastiches of the temple, so trust your scores of the flower more. And photo and style stand above each page, for comparison, so the unmarked photo is soon found out. Raters who have not read section 1 know no names: ask some.
#
# Every rating is saved at once, in the file `my-study.csv` beside this notebook. *Hand in* writes a CSV file with your name. *Merge* combines the files of a class.

# %% tags=["nbval-ignore-output"]
flower, _ = pictures("flower", STYLE, 256)  # a second photo, the same style
second = {row.method: row.picture for row in compare("flower", STYLE, by_lesson, repeats=0, steps=40, only=[])}
shown = [Pastiche(PHOTO, name, image, photo, painting) for name, image in ({"photograph": photo} | made).items()]
shown += [
    Pastiche("flower", name, image, flower, painting) for name, image in ({"photograph": flower} | second).items()
]
study = StudyLab(shown)
study

# %% [markdown]
# ### Exercise 4 — how sure is a mean?
# *difficulty ●●○ · importance ●●● · 10 minutes*
#
# Seven people gave scores, and the mean is 2.9. With seven others it would have been another number. Student's confidence interval says in which range the true mean probably lies:
#
# $$\bar x \pm t \, \frac{s}{\sqrt n} \qquad\qquad s^2 = \frac{1}{n - 1} \sum_i (x_i - \bar x)^2$$
#
# Ours is a 95 % interval: of many such studies, about 95 in 100 would have an interval that contains the true mean. $t$ comes from Student's distribution: 2.45 for seven people, nearer to 2 for many. You get the scores and $t$. Return both ends.


# %% tags=["exercise"]
def my_interval(scores, t):
    """scores: a list of n numbers; t: Student's quantile for n − 1 -> (low, high)."""
    raise NotImplementedError


check.interval(my_interval)


# %% tags=["solution"]
def my_interval(scores, t):
    """scores: a list of n numbers; t: Student's quantile for n − 1 -> (low, high)."""
    mean = sum(scores) / len(scores)
    variance = sum((score - mean) ** 2 for score in scores) / (len(scores) - 1)
    half = t * (variance / len(scores)) ** 0.5
    return mean - half, mean + half


check.interval(my_interval)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# $s$ is the spread of single people. $s/\sqrt n$ is the spread of the *mean* of $n$ people.
# </details>
# <details><summary>Hint 2</summary>
#
# Divide by $n - 1$ in $s^2$, since the mean was taken from the same scores. `statistics.stdev` does so; `torch.std` does so, too, unless you say `correction=0`.
# </details>
#
# What is $n$? Not the number of ratings. Thirty scores of one person tell us about that person only. So each person's scores are averaged first, and $n$ is the number of people. If you are the only one, the two pairs are counted instead, one for each photo: with $n = 2$ the factor $t$ is 12.7, and the intervals are as wide as the plot. Ask more people.
#
# Until you have judged every method, there is not enough to plot. To show what the plot will look like, the cell below then **simulates** twelve people. Their ratings come from a formula and random numbers, so the methods bear numbers there instead of their names: nobody should remember a score that was made up.


# %% tags=["nbval-ignore-output"]
def opinion(pair, method, question):
    """What the simulated people think, about 1 to 4: a formula, no real person's view."""
    if method == "photograph":
        return 4.0 if question == "photorealism" else 1.0
    image, content = (made[method], photo) if pair == PHOTO else (second[method], flower)
    key = "structure" if question == "photorealism" else "palette"
    value = measure(image, content, painting, eyes, only=[key])[key]
    return 1 + 4 * value if key == "structure" else 4.5 - value / 12


answers = study.ratings.all()
if not {(name, question) for name in METHODS for question in QUESTIONS} <= {(a.method, a.question) for a in answers}:
    answers = invented(opinion, shown)  # not everything has been judged yet
simulated = answers[0].rater.startswith("invented")
who = "simulated people, so this says nothing" if simulated else "the answers in your file"
named = {name: f"method {number}" for number, name in enumerate(letters.values(), 1)} if simulated else title
named = named | {"photograph": "(the photo itself)"}
found = {
    words: {named[method]: (one.mean, one.low, one.high) for method, one in intervals(answers, question).items()}
    for question, words in QUESTIONS.items()
}
words = "1: not at all … 4: fully, with 95 % intervals"
plot_intervals(found, x=words, title=f"Mean scores: {who}", limits=(0.8, 4.2))

# %% [markdown]
# **Predict, then run.** Two intervals overlap. Does that mean that the two methods may be equally good? Think of people who never give a 4, and of others who never give a 1.

# %% tags=["nbval-ignore-output"]
one, other = "gatys", "swap_optimised"
for question in QUESTIONS:
    each = intervals(answers, question)
    print(f"{question:14} {named[one]}: {each[one]}; {named[other]}: {each[other]}")
    print(f"{'':14} {named[one]} minus {named[other]}: {difference(answers, question, one, other)}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# People use the scale differently, and that makes the intervals of the means wide. If each person judged both methods, take each person's *difference* first: a strict person is strict with both. (Here that gains little, as each score has much chance in it besides: the interval is hardly narrower than without pairs. The stricter and milder people are, the more it gains.) If the interval of the difference does not contain 0, the difference is called *significant* (so large a one would seldom come by chance alone), although the
# two intervals overlap. So it is above for *faithfulness*, with the simulated people: the two intervals have scores in common, but that of the difference does not contain 0. (What does this say about the methods behind these numbers? Nothing: the formula of these people is the palette distance.) So let each person rate everything, where you can.
# </details>
#
# ### Exercise 5 — do measures agree with people?
# *difficulty ●●● · importance ●●○ · 15 minutes*
#
# A measure gives one number for each pastiche, and people give another. The units have nothing in common, so compare the *orders*: replace each list by its ranks, 1 for the lowest, and take the correlation of the ranks. Equal
# values share the mean of their ranks: those of 5, 7, 7, 9 are 1, 2.5, 2.5, 4. That is Spearman's $\rho$.


# %% tags=["exercise"]
def my_spearman(x, y):
    """x, y: two lists of numbers -> ρ from −1 to 1, a number."""
    raise NotImplementedError


check.spearman(my_spearman)


# %% tags=["solution"]
def my_spearman(x, y):
    """x, y: two lists of numbers -> ρ from −1 to 1, a number."""

    def ranks(values):
        return [sum(b < a for b in values) + (sum(b == a for b in values) + 1) / 2 for a in values]

    return torch.corrcoef(torch.tensor([ranks(x), ranks(y)], dtype=torch.float64))[0, 1].item()


check.spearman(my_spearman)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# The rank of a value is the number of lower ones, plus half of one more than the number of equal ones (itself included).
# </details>
# <details><summary>Hint 2</summary>
#
# `argsort` does not give ranks. It gives *who* is first, not *where* each one is. `torch.corrcoef` of two rows gives the correlation at `[0, 1]`.
# </details>
#
# The agreement is over sixteen pastiches: the eight of section 1, and eight of the second pair, after 40 steps where pixels are optimised. They are in the same style, stained glass. When you have rated, look at them with their names:

# %%
grid(
    [flower, painting, *second.values()],
    ["the second photo", "the style", *(title[name] for name in second)],
    columns=4,
)

# %% [markdown]
# **Predict, then answer.** Which of the eight fails most visibly, and why does it fail just here?
#
# <details><summary>One answer</summary>
#
# The style swap by network: its ground is a violet blur with hardly a line of lead, although the petals beside it are pieces of glass. Each place takes the patch most like itself; the places of a blurred ground are much alike, so they take few different ones. (The swap by optimisation fails more quietly: apart from a weave it is nearly the photo.) Gatys's dark ground has another cause: 40 steps from a dark photo are few.
# </details>
#
# **Predict, then run.** Which measure agrees best with *does it look like a photo*? Which with *is it faithful to the style*? Is there one that agrees with both?

# %% tags=["nbval-ignore-output"]
seen = {(PHOTO, name): {k: v.median for k, v in row.measures.items()} for name, row in rows.items()}
seen |= {("flower", name): measure(image, flower, painting, eyes) for name, image in second.items()}
print(f"Agreement with {who}")
for question in QUESTIONS:
    for key, each in MEASURES.items():
        if each.better:
            values = {one: numbers[key] for one, numbers in seen.items()}
            print(
                f"{question:14} {key:10} {agreement(values, answers, question, lower_is_better=each.better == 'low')}"
            )

# %% [markdown]
# <details><summary>What it means</summary>
#
# The simulated people were *made* from structure and palette, so these two agree: we have found what we put in. (τ is Kendall's, another correlation of ranks. *By chance* is how often a ρ so far from 0 occurs when there is no relation.) The other measures of style agree less with *faithful*: these people judge colour alone, and would give a recoloured photo a high score. Look at *photorealism* with *gram*, *moments* and *sliced*: ρ is far below 0, so what comes nearer to the style looks less like a photo, to these people. No measure agrees with both questions, which is why section 5 asked for two with opposite aims. So agreement does not prove what people look at. With real ratings look at how many pastiches there are. With sixteen, a ρ of 0.4 occurs by chance in about every eighth line, and
# there are twelve lines here. To report only the best of twelve lines proves nothing. And *by chance* takes the sixteen for independent, but they are two by each of eight methods, in one style: as with people and their ratings, the true chance is higher than printed.
# </details>
#
# ### Your code compares
#
# Now your functions work together. Your sliced distance (exercise 2) says how far each picture of section 1 is from the style, in one layer of `mini`. It needs random directions, so we draw them eight times, and your interval (exercise 4) says how sure the mean of the eight is. Your ρ (exercise 5) compares your order with that of the course's sliced distance, which looks at several layers. Then your front (exercise 3) drops each method
# that another one beats in both: nearer to the style, and more of the photo's structure kept.
#
# **Predict, then run.** Which methods will be left? Look at the table of section 5.


# %%
def course_sliced(a, b, directions):
    return ((a @ directions.T).sort(dim=0).values - (b @ directions.T).sort(dim=0).values).abs().mean()


def course_interval(scores, t):
    half = t * statistics.stdev(scores) / len(scores) ** 0.5
    return statistics.mean(scores) - half, statistics.mean(scores) + half


sliced_by = yours(my_sliced, check.sliced, course_sliced)
interval_by = yours(my_interval, check.interval, course_interval)
rho_by = yours(my_spearman, check.spearman, lambda x, y: spearmanr(x, y).statistic)

# %%
mini = Encoder("mini")
generator, channels = torch.Generator().manual_seed(0), mini(photo, LAYER)[LAYER].shape[1]
draws = [nn.functional.normalize(torch.randn(32, channels, generator=generator), dim=1) for _ in range(8)]


def places(image):
    """The activations of a picture, a row for each place: (N, C)."""
    return mini(image, LAYER)[LAYER][0].flatten(1).T


style_places, points = places(painting), {}
for name, image in made.items():
    distances = [float(sliced_by(places(image), style_places, directions)) for directions in draws]
    mean, (low, high) = statistics.mean(distances), interval_by(distances, 2.36)  # Student's t for eight
    points[name] = (mean, -rows[name].measures["structure"].median)  # low is good, in both
    print(f"{title[name]:30} {mean:.3f} ({low:.3f} to {high:.3f}), structure kept {-points[name][1]:.2f}")
theirs = [rows[name].measures["sliced"].median for name in points]
print(f"ρ with the course's sliced distance: {rho_by([mean for mean, _ in points.values()], theirs):+.2f}")
left = sorted(front_by(points), key=lambda name: points[name])
print("left, from near the style to near the photo:", ", ".join(title[name] for name in left))
ends = {title[name]: made[name] for name in (left[0], left[len(left) // 2], left[-1])}
grid([painting, *ends.values()], ["the style", *ends], columns=4)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The printed list walks along the front, and the pictures show its two ends and its middle: from lesson 02, nearest to the style as this one layer sees it, to lesson 07, which keeps the photo best. On the way more of the photo's edges are kept, and less of the style. AdaIN and lesson 04 are gone, because lesson 03 is nearer to the style *and* keeps more of the edges (than lesson 04 by so little that noise alone could change it, see section 6). That does not make them useless: the front knows nothing about new styles, and nothing about seconds. At the near end the intervals of lessons 02 and 08 overlap, so their order may be chance. But all pictures met the same directions, so their differences would tell more, as with strict people.
# Your order agrees well with the course's, though yours comes from one layer.
# </details>
#
# ## 8 · Which method for which need
#
# *So, which one?*
#
# **Predict, then run.** Draw a decision tree first, on paper: three questions, and an end for each lesson. Then compare.


# %% tags=["nbval-ignore-output"]
def end(method, name, words):
    """The words of an end: the method, what sections 2 and 5 measured, and what speaks for or against it."""
    took = f"{seconds[name]:.1f}" if seconds[name] < 10 else f"{seconds[name]:.0f}"
    return f"{method}\n{took} s, structure {kept[name]:.2f}\n{words}"


plot_tree(
    Ask(
        "What should come out?",
        {
            "photo": end("Deep photo (07)", "photo", "masks help"),
            "letters": "EMD (09)\nten letters of a font",
            "painting": Ask(
                "How many styles?",
                {
                    "one": end("Johnson (03)", "johnson", "train it once"),
                    "several": end("CIN (04)", "cin", "also mixtures"),
                    "any": Ask(
                        "May it take seconds?\nIf not, what counts?",
                        {
                            "yes": end("Gatys (02)", "gatys", "everything can be set"),
                            "no, mixtures": end("AdaIN (05)", "adain", "masks, colours, live"),
                            "no, sliders": end("Adjustable (08)", "adjustable", "each layer by itself"),
                            "no, patches": end("Style swap (06)", "swap_inverted", "slow if large"),
                        },
                    ),
                },
            ),
        },
    ),
    title="Which method when",
)

# %% [markdown]
# (The seconds are those of section 2, the structure that of section 5: one pair, 256 pixels, this machine. Seconds, how much of the photo should be kept, and how many styles: that is what the tree asks for. It also names methods that your front has just dropped. A method that knows some styles may have come nearer there; for a style of your own it needs a training, and these do not.)
#
# Some tasks to try it on. Which method would you take, and what speaks against it? (The answers are folded; there is often more than one.)
#
# - A photo booth at a fair: one poster artist, two hundred guests. <details><summary>one answer</summary>Lesson 03. One style, no waiting, and the network can be trained for weeks before. Lesson 04 if the artist has made a series.</details>
# - One picture for the cover of a book. <details><summary>one answer</summary>Lesson 02. There is time, and everything can be set. Start with lesson 05 to choose the style, then let lesson 02 paint it large, with VGG-19 and several hundred steps.</details>
# - An app: users bring their own styles. <details><summary>one answer</summary>Lesson 05, or 08 if users should have sliders. A new style needs no training.</details>
# - The same view in the morning, at noon and at night, for an estate agent. <details><summary>one answer</summary>Lesson 07, with masks by hand. And ask yourself whether it is honest.</details>
# - A film of ten minutes. <details><summary>one answer</summary>A network of lesson 03 or 05, for its speed. Measure how steady it is, as in lesson 06: 15 000 frames that flicker are unwatchable.</details>
#
# ## 9 · Limits, and open questions
#
# What this comparison does not show:
#
# - **One encoder.** All methods use `mini`. With VGG-19 all of them would distinguish more patterns. Those that run the encoder while they paint (02, 05, 06, 07) would be slower by a factor of ten and more; of the others only the training. The order may change.
# - **One style for all.** Lessons 03 and 04 know few styles, so we took one that they know. They were trained on it. The networks of lessons 05 and 08 are relatives of theirs: each took over convolutions that had learnt this style, too. The methods of lessons 02, 06 and 07 were not trained on it. So the comparison favours lessons 03, 04, 05 and 08.
# - **The training is not in the seconds.** A network that paints 256 pixels in a fraction of a second was trained for much longer on one core: with its predecessors, lesson 03's for about five hours, lesson 08's for six. The papers' were trained on GPUs. Divide this time by the number of pictures that you will ever paint.
# - **Settings.** Each method has the course's defaults. Other weights, or another number of steps, would give other pictures. A comparison also compares how well each method was tuned.
#
# Open questions:
#
# - **What is style?** Gram matrices, moments, patches, distributions: each lesson had its own answer, and each leaves out something that you can see at once. Composition, the subject, *why* a painter left something out, is in none of them.
# - **How to measure it?** Papers report numbers that their own method minimises. Studies with people are small and seldom repeated. So is yours. How would you make it better?
# - **Large generative models** take a style as a few words or one picture, and have been trained on many painters. They are slow, they do not keep your photo exactly, and their training data is disputed. Which of the measures here would you use for them?
# - **Whose style is it?** A manner of painting is free; a painting is not. Living artists see their names used as switches. What would you ask before you use a picture as a style?
#
# ## Differs from the papers
#
# - **Huang and Belongie** time 100 pictures on a graphics card and give the mean. We time one pair, and take the median. Their Ulyanov is our lesson 03: the same idea, and a network of much the same cost.
# - **From coarse to fine** (lesson 03, section 8): the networks of lessons 03, 04, 05 and 08 paint twice at 256 pixels, three times at 512. The papers' paint once. It is in the pictures and in the seconds.
# - **Luan and others** asked for a choice among four where we ask for a score of style, and their participants knew nothing of the methods. Readers of nine lessons know what to look for. And two pastiches are on the page at a time, so people compare.
# - **Steps**: methods that optimise pixels take 100 steps at most, in the pictures and in the seconds (40 for the second pair in section 7). With more steps the seconds of lesson 02 grow in proportion.
# - **Deep photo** gets its masks from clusters here: no course picture of a style has masks by hand. In lesson 07 it does better.
# - **The measuring encoder** is SqueezeNet where you have it. Papers mostly measure with VGG, which their methods were trained with.
#
# ## Summary
#
# - Warm up, repeat, take the median, name the machine, and say what is included. Ratios compare better than seconds.
# - For large pictures the cost grows with the number of pixels to the power 1 for convolutions, 2 where patches are compared with patches.
# - Each measure misses something. Test it with fakes to find out what. Use two with opposite aims.
# - A method that is beaten in everything you need can be dropped. Among the others the choice is yours.
# - Count people, not ratings. Compare differences within people. Give confidence intervals.
#
# **Common misconceptions**
#
# - *"The newest method is the best."* Lesson 02 is the oldest here, and by Gram distance none comes nearer to the style. Later methods gained speed and freedom.
# - *"A lower style loss is a better picture."* The painting itself has a loss of 0.
# - *"The intervals overlap, so there is no difference."* Look at the differences within people.
# - *"A confidence interval contains 95 % of the people."* It says where the *mean* may be. With more people it shrinks; the spread of people does not.
# - *"It is 790 times faster."* On which machine, at which size, with which style already known, and who paid for the training?
#
# **To read**: Y. Jing and others, *Neural Style Transfer: A Review*, TVCG 2020, for a map of the field; the two papers above, now that you know what to look for in a table; M.-C. Yeh and others, *Improving Style Transfer with Calibrated Metrics*, WACV 2020, who check measures against people's judgements;
# R. Zhang and others, *The Unreasonable Effectiveness of Deep Features as a Perceptual Metric*, CVPR 2018, on networks as judges; E. Heitz and others, *A Sliced Wasserstein Loss for Neural Texture Synthesis*, CVPR 2021, who paint with exercise 2; A. Hertzmann, *Can Computers Create Art?*, Arts 2018, on what all this is for.
#
# **Next**: this is the last lesson. You can write each of these methods now, you know what each costs, and how to test whether something new is better. Take a photo of yours and a picture that you like, choose a method, and paint. Then show the result to somebody
# without saying how it was made.

# %% [markdown] tags=["solution"]
# ## For teachers
#
# **Timings** (140 minutes): section 1 with the predictions, 10 minutes · section 2, 15 · section 3 with exercise 1, 15 · sections 4 and 5 with exercise 2, 25 · section 6 with exercise 3, 15 · lab, 10 · section 7 with the study (10 minutes of rating), exercises 4 and 5 and your own code, 40 · sections 8 and 9 as a discussion, 10.
#
# **Show.** The eight pictures without names, at the very top: let everyone write down which lesson made which, and count right guesses in section 1. The border in the lab, over the roofs: left lesson 02, right lesson 05, then the photo. Section 5 with the fakes: let them bet which fake wins before the table appears, and then find the pastiches that *half and half*, where nothing was painted, beats in *palette* and in *gram*.
#
# **The study in a class.** Let all rate before anyone presses *Results*. Collect the CSV files, then `stylelearn study show *.csv`, or press *Merge* in the lab. The same file twice does no harm. Names are random unless typed in; two people with the same name count as one.
#
# **Expected results.** Of the six timings in section 2 the first is the slowest, by a factor of two and more. Seconds differ from machine to machine; the order is stable: at 256 pixels lessons 03, 04, 05 and 08 and the style swap by network within a factor of three of each other, optimised methods slower by factors of twenty to two hundred. From 256 to 512 pixels the exponents are 0.7 to 1.4, that of the style swap 1.6 to 2.1; from 64 to 128 all are lower.
# The photo wins content and structure, the painting all measures of style. With simulated people structure agrees best with *looks like a photo*, and palette with *faithful*: that is how they were made.
#
# | Section | Printed, or above a picture | Expect |
# | --- | --- | --- |
# | 5 | `the photo 0.00` | 0.53 to 0.6 |
# | 5 | `0.04 0.00 … photo, recoloured` | 0.35 to 0.45 |
# | 5 | `0.04 0.00 … grey` | 0.75 to 0.9 |
# | 5 | `grey … 0.00 half and half` | 0.6 to 0.7 |
# | 6 | `03 · Johnson gram` | 0.02 to 0.05 |
# | 7 | `faithfulness method 3 … method 3 minus method 2:` | 0.3 to 0.8 |
# | 7 | `faithfulness method 3 … method 3 minus method 2: … (` | 0.05 to 0.4 |
# | 7 | `photorealism structure ρ` | 0.75 to 1 |
# | 7 | `faithfulness palette ρ` | 0.7 to 1 |
# | 7 | `ρ with the course's sliced distance:` | 0.9 to 1 |
#
# **Where they get stuck.** In exercise 1 one of the two logarithms is missing. In exercise 2 the values are sorted along the wrong dimension: it runs, and means nothing. In exercise 3 two equal methods drop each other. In exercise 4 the root of n is missing. In exercise 5 `argsort` is taken for ranks. The checks name all of these.
#
# **Questions for a discussion.** Section 9 has four that have no last answer. Three more:
#
# - *Why is the photo among the pictures of the study?* It sets the upper end of the scale, and it shows who has understood the question. A person who gives the photo a 1 for looking like a photo was guessing.
# - *Who would gain from a comparison that shows one pair only?* The one who chose the pair. With one style that all methods know, ours is such a comparison, too.
# - *You may spend one hour of computing on a picture: which method, with which settings? And one hour in all, for a thousand pictures?* In an hour lesson 02 can do a large picture with VGG-19, coarse to fine, from several starts. A thousand pictures get less than four seconds each: a
#   network, that of lesson 03 or 04 if the styles are known before, of lesson 05 or 08 if they are not.
