# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 09 · Ten letters in, any letter out
#
# A font is a style, too. Given ten letters of a font, you can imagine how the others must look: as heavy as these, with the same slant and the same serifs (the little feet of letters). Can a network do it?
#
# In all lessons so far *we* defined style: by Gram matrices, means and deviations, patches, in the activations of an encoder that was trained for photos. Yexun Zhang, Ya Zhang and Wenbin
# Cai do the opposite. Their network gets examples, and *learns* what style is and what content is. It is called **EMD**: encoder, mixer, decoder.
#
# **After this lesson you can …**
#
# - show why statistics of a photo network do not make a font,
# - put together triplets of a target and two reference sets, and say which choices ruin the training,
# - write the bilinear mixer, and the loss with its two weights,
# - train a small EMD in a minute, and judge it by four test sets, D1 to D4,
# - interpolate between two fonts and between two letters, in the code and not in the picture,
# - compare methods by what a new style costs.
#
# **Builds on** [lesson 02](02_gatys.ipynb) and [lesson 05](05_adain.ipynb) · **about 100 minutes**, with the exercises · **paper**: Y. Zhang, Y. Zhang and W. Cai,
# *Separating Style and Content for Generalized Style Transfer*, CVPR 2018 ([arXiv 1711.06454](https://arxiv.org/abs/1711.06454)). We number the equations as we go.

# %%
# %config InlineBackend.figure_formats = ['jpeg']
import itertools
import random
import time

import torch

from stylelearn import adain, emd, gatys, losses
from stylelearn.checks import emd as check
from stylelearn.checks import yours
from stylelearn.encoders import Encoder
from stylelearn.figures import grid, plot_curves, show_glyphs
from stylelearn.glyphs import dataset
from stylelearn.glyphs.rendering import PLAIN, collect
from stylelearn.lab import EMDLab
from stylelearn.optimize import result

glyphs = collect(variations=(PLAIN,))  # fonts that are on every machine of this course, each as it is
known = dataset.split(glyphs)  # which fonts and letters may be learnt from, and which not
network = emd.load()  # the course's trained network
r = network.references  # glyphs in a reference set
FONT, GIVEN = "DejaVuSerif-Bold", "HOASMnopdy"  # a font that is new to it, and what we show of a font

# %% [markdown]
# The goal: the network sees ten letters of a font that was not in its training. Then it writes. Seven of the ten letters that we ask for were never targets in its training, in any font:

# %%
WORD = "GreatBakes"


def letter_references(text, font, shown):
    """R_C for each letter of a text: it in r fonts that the network knows, (len(text), r, 80, 80)."""
    chance = torch.Generator().manual_seed(0)
    alike = known.alike(shown, glyphs.word(font, shown))  # fonts that look like this one: section 2 says why
    return torch.stack([known.content_references(glyphs.content(letter), r, chance, alike=alike) for letter in text])


written = emd.generate(network, glyphs.word(FONT, GIVEN), letter_references(WORD, FONT, GIVEN))[0]  # (10, 80, 80)
show_glyphs(
    {"it sees": glyphs.word(FONT, GIVEN), "it writes": written, "the font itself": glyphs.word(FONT, WORD)}, cell=80
)

# %% [markdown]
# Weight and width are those of the font, and there are serifs. But they are rounded stubs, some stems are wavy, and the bowls of the two a's are broken. In section 7 we measure how good it is.
#
# ## 1 · Why statistics do not make a font
#
# *Could lesson 02 or lesson 05 do it?*
#
# The content is the same word in a plain font, the style is the page of ten letters that our network saw.
#
# **Predict, then run.** What will be transferred: the weight of the strokes, the serifs, both, or something else?


# %%
def page(letters, columns=5):
    """Letters (N, 80, 80) as one picture, (1, 3, H, W)."""
    rows = letters.split(columns)  # (columns, 80, 80) each
    return torch.cat([torch.cat([*row], dim=1) for row in rows])[None, None].repeat(1, 3, 1, 1)


encoder, painter = Encoder("mini"), adain.load()
content, style = page(glyphs.word("DejaVuSans", WORD)), page(glyphs.word(FONT, GIVEN))
slow = result(gatys.stylize(content, style, encoder=encoder, steps=60, style_weight=100.0))
with torch.no_grad():
    fast = painter(content, style)
pages = [content, style, slow, fast, page(written), page(glyphs.word(FONT, WORD))]
grid(pages, ["content", "style", "lesson 02", "lesson 05", "this lesson", "the font itself"], columns=2)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# Only the last row has a new font. Lesson 02 leaves the letters thin, and scatters edges over the paper between them. Lesson 05 makes the strokes heavier, like ink, and the paper grey. In neither does a serif stand where it belongs.
#
# *A T has serifs at its foot and at the two ends of its beam*: this says where something is, and on which letter. Gram matrices and moments do not record where.
# </details>
#
# Lesson 05 tested descriptions of style: the two halves of a painting should be nearest to each other. We do the same with fonts. Each page has twelve letters of a font, one page from A to L, another from M to X.
#
# **Predict, then run.** Which page will be nearest to a page: the one of the same font, or the one with the same letters?

# %%
FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "cmtt10", "STIXGeneralItalic")
HALVES = ("ABCDEFGHIJKL", "MNOPQRSTUVWX")
pages = list(itertools.product(FONTS, HALVES))


def nearest(codes):
    """Prints for each page the page that is most like it; returns how many found their own font."""
    right = 0
    for (font, text), code in zip(pages, codes, strict=True):
        others = [(float((code - other).norm()), key) for key, other in zip(pages, codes, strict=True)]
        _, (found, letters) = sorted(others)[1]  # the first one is the page itself
        right += found == font
        print(f"{font:18} {text[0]}–{text[-1]}   is most like   {found:18} {letters[0]}–{letters[-1]}")
    return f"{right} of {len(pages)} pages"


with torch.no_grad():
    seen = [encoder(page(glyphs.word(*one), columns=4), "relu2_1")["relu2_1"] for one in pages]
print("Gram matrices find the same font for", nearest([losses.mean_gram(each) for each in seen]))

# %% [markdown]
# <details><summary>What it means</summary>
#
# Few pages find their font. Nearly all the others are nearest to a page with the *same letters in another font*. Which edges there are depends on the letters as much as on the font. For paintings Gram matrices describe style; for fonts they mix style and content.
# </details>
#
# ## 2 · A table, and triplets
#
# *Without a definition of style, what can a network learn it from?*
#
# From a table. A font is a row $i$, a letter is a column $j$, and $I_{ij}$ is the *glyph* where they meet: the picture of this letter in this font. All that a row has in common is style, all that a column has in common is content.

# %%
show_glyphs({font: glyphs.word(font, "ABHOagmn257") for font in (*FONTS[1:4], "cmmi10")}, cell=72)
print(f"{len(glyphs.styles)} fonts x {len(glyphs.contents)} letters; held back: {', '.join(dataset.NOVEL_FONTS)}")
print(f"letters held back: {' '.join(dataset.NOVEL_LETTERS)}")

# %% [markdown]
# So the network gets not *one* style picture but two **reference sets** of $r$ glyphs each:
#
# - $\mathcal R_{S_i}$, the style references: $r$ different letters in font $i$,
# - $\mathcal R_{C_j}$, the content references: letter $j$ in $r$ different fonts.
#
# Together with the target $I_{ij}$ they form a **triplet**. In $\mathcal R_{S_i}$ the letters vary; what stays the same is the style. In $\mathcal R_{C_j}$ the fonts vary; what stays the same is the letter. This is the central idea.

# %%
batch = dataset.GlyphDataset(known, references=r, batch=2)[1]
rows = {}
for one in range(2):
    font, letter = glyphs.fonts[int(batch["style"][one])], glyphs.contents[int(batch["content"][one])]
    rows |= {
        f"style references: ten letters in {font}": batch["style_refs"][one],
        f"content references: {letter} in ten other fonts": batch["content_refs"][one],
        f"target: {letter} in {font}": batch["target"][one],
    }
show_glyphs(rows, cell=80)

# %% [markdown]
# ### Exercise 1 — choose the references
# *difficulty ●○○ · importance ●●● · 10 minutes*
#
# For a target, choose both sets at random. One choice ruins everything: if the target itself is among its references, the network can copy it and need not learn anything else. In section 6 a network is trained with your choice.


# %% tags=["exercise"]
def my_references(font, letter, fonts, letters, r):
    """font, letter: of the target; fonts, letters: lists of all. Returns r letters for R_S, r fonts for R_C."""
    raise NotImplementedError


check.references(my_references)


# %% tags=["solution"]
def my_references(font, letter, fonts, letters, r):
    """font, letter: of the target; fonts, letters: lists of all. Returns r letters for R_S, r fonts for R_C."""
    style = random.sample([each for each in letters if each != letter], r)
    content = random.sample([each for each in fonts if each != font], r)
    return style, content


check.references(my_references)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `[each for each in letters if each != letter]` is a new list without the target's letter. The given list stays as it is.
# </details>
# <details><summary>Hint 2</summary>
#
# `random.sample(a_list, r)` takes r of them, none twice. (`random` is imported in the first cell.)
# </details>
#
# The paper chooses at random, too. But fonts that look like the target's font show the letter in a more useful way. So `known.alike` sorts the known fonts by how similar their letters are to the letters shown, and four of our ten content
# references come from the first four. The other six are random.
#
# **Think.** Why not all ten from the fonts that are most alike?
#
# <details><summary>An answer</summary>
#
# Similar fonts agree in everything: in the shape of the letter, and in the manner in which it is drawn. Only fonts that differ show what all drawings of a g have in common. On new letters in new fonts (section 7) our network's error is 0.0374 if all ten are random, 0.0356
# if all are similar, and 0.0334 with four and six.
# </details>
#
# ## 3 · Two encoders and a mixer
#
# *How do a font and a letter become one glyph?*
#
# The $r$ glyphs of a set are stacked as channels: one picture with $r$ channels. Two networks of the same architecture, each with its own weights, reduce them to one vector each:
#
# $$S = \text{style encoder}(\mathcal R_S) \qquad\qquad C = \text{content encoder}(\mathcal R_C) \qquad\text{(1)}$$
#
# Then they are mixed. Every number $S_i$ of the style is multiplied with every number $C_j$ of the content, and a learnt tensor $W$ weights the products:
#
# $$M_k = \sum_i \sum_j S_i \, W_{ijk} \, C_j \qquad\text{(2)}$$
#
# Here $i$ and $j$ number the entries of the two vectors, no longer fonts and letters: $S$ has $R$ numbers, $C$ has $Q$, and the mixture $M$ has $K$. This is called **bilinear**: for a fixed letter it is linear in the style, for a fixed font it is linear in the content. As a program, with three loops:


# %% tags=["nbval-ignore-output"]
def mixed_by_loops(S, C, W):
    """(2) for one glyph: S (R,), C (Q,), W (R, Q, K) -> (K,)."""
    M = torch.zeros(W.shape[2])
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            for k in range(W.shape[2]):
                M[k] += S[i] * W[i, j, k] * C[j]
    return M


S, C, W = torch.randn(12), torch.randn(12), torch.randn(12, 12, 12)
begin = time.perf_counter()
by_loops = mixed_by_loops(S, C, W)
looped = time.perf_counter() - begin
begin = time.perf_counter()
at_once = emd.bilinear_mix(S[None], C[None], W)[0]
direct = time.perf_counter() - begin
print(f"the same: {torch.allclose(by_loops, at_once, atol=1e-4)}; {1e3 * looped:.1f} ms and {1e3 * direct:.2f} ms")
print(f"our network has R = Q = K = {network.mixer.shape[0]}: {network.mixer.numel():,} numbers in W")

# %% [markdown]
# Loops are easy to read and slow. One line of `torch.einsum` computes the same as (2): it takes the indices of each tensor, and those of the result.
#
# ### Exercise 2 — the mixer, for a batch
# *difficulty ●●○ · importance ●●● · 10 minutes*
#
# Now S is (B, R) and C is (B, Q): each glyph of the batch has its own pair. W is the same for all.


# %% tags=["exercise"]
def my_mixer(S, C, W):
    """S: (B, R), C: (B, Q), W: (R, Q, K) -> (B, K)."""
    raise NotImplementedError


check.mixer(my_mixer)


# %% tags=["solution"]
def my_mixer(S, C, W):
    """S: (B, R), C: (B, Q), W: (R, Q, K) -> (B, K)."""
    return torch.einsum("bi,ijk,bj->bk", S, W, C)


check.mixer(my_mixer)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `torch.einsum("i,ijk,j->k", S, W, C)` does it for one glyph. It sums over the indices that are not to the right of `->`.
# </details>
# <details><summary>Hint 2</summary>
#
# Give the batch a letter of its own, `b`. It stands in S, in C and in the result, but not in W.
# </details>
#
# **Think.** Why not simply add, $M = W^S S + W^C C$? That has far fewer weights.
#
# <details><summary>An answer</summary>
#
# In a sum, changing the font changes $M$ by the same amount for every letter. But serifs mean one thing for a T and another for an O, which has none. With products, the effect of the font can depend on the letter.
# (J. Tenenbaum and W. Freeman separated style and content like this in 2000, with letters, too, and without any network.)
# </details>
#
# ## 4 · The decoder and its skip connections
#
# *How does a short vector become a sharp glyph?*
#
# The decoder mirrors the encoders: from one position with many channels to 80 × 80 pixels. A short vector cannot encode where every edge is. So at each size the decoder also gets the activations of the *content* encoder of that size. These shortcuts are called
# **skip connections**. The style has none: it must go through the mixer.

# %%
for name, part in (
    ("style encoder", network.style_encoder),
    ("content encoder", network.content_encoder),
    ("decoder", network.decoder),
):
    print(f"{name:16} {sum(numbers.numel() for numbers in part.parameters()):9,} numbers")
with torch.no_grad():
    S = network.encode_style(glyphs.word(FONT, GIVEN))  # (1, R)
    C, skips = network.encode_content(letter_references("AEOTgnHd", FONT, GIVEN))  # (8, Q), and a list
print("mixer           ", f"{network.mixer.numel():9,} numbers;  skips:", [tuple(skip.shape[1:]) for skip in skips])

# %% [markdown]
# **Predict, then run.** An **ablation**: exchange one part, and see what changes. First each letter gets the vector $C$ of the letter to its left. Then it keeps its $C$ and gets the *skips* of the letter to its left. Last, all get the $S$ of an italic font. What decides which letter we read, and what decides the font?


# %%
def decode(S, C, skips):
    """Glyphs of one style, (len(C), 80, 80)."""
    with torch.no_grad():
        return network.decode(network.mix(S, C), skips)[:, 0]


with torch.no_grad():
    S_italic = network.encode_style(glyphs.word("STIXGeneralItalic", GIVEN))
tried = {
    "C of the letter to the left": (S, C.roll(1, dims=0), skips),
    "skips of the letter to the left": (S, C, [skip.roll(1, dims=0) for skip in skips]),
    "S of STIXGeneralItalic": (S_italic, C, skips),
}
rows = {"as it should be": decode(S, C, skips)}
for name, parts in tried.items():
    drawn = decode(*parts)
    rows[f"{name}: a pixel changes by {(drawn - rows['as it should be']).abs().mean():.3f} on average"] = drawn
show_glyphs(rows, cell=80)

# %% [markdown]
# <details><summary>What it means</summary>
#
# The skips decide the letter: with its neighbour's skips each place shows its neighbour. $S$ decides the font: with that of an italic the same letters are thin, and lean. And $C$ carries next to nothing: with another letter's $C$ you hardly see a difference. It only must not be zero, or $M$ would be.
#
# So the network does not use its parts as their names suggest. The letter comes through the skips, and $M$ depends on the font nearly alone. Nothing in the training required it otherwise: where a task has two ways, a network may take either. Test it by ablation before you explain it.
# </details>
#
# ## 5 · The loss, and why it is weighted
#
# *When are two glyphs wrong by the same amount?*
#
# Here the right answer is known: the target. So we need no loss network and compare pixels. But most pixels of a glyph are paper, and how many are ink depends on the font.
#
# **Predict, then run.** A network that always draws a blank page: for which of three letters is its plain mean of $|\hat I - I|$ largest? ($\hat I$ is what the network draws, $I$ the target.)

# %%
targets = {}
for font, letter in (("STIXGeneralItalic", "l"), ("DejaVuSans", "n"), ("DejaVuSans-Bold", "W")):
    target = glyphs.word(font, letter)[None]  # (1, 1, 80, 80)
    ink = target < emd.INK
    error = (torch.ones_like(target) - target).abs()  # the blank page against the target
    print(
        f"{letter} in {font:18} N_b = {int(ink.sum()):4}   mean |error| = {error.mean():.3f}"
        f"   W_st · sum |error| = {error.sum() / ink.sum():.2f}"
    )
    targets[f"{letter}: mean error {error.mean():.3f}"] = target.expand(1, 3, -1, -1)
grid([*targets.values()], [*targets])

# %% [markdown]
# <details><summary>What it means</summary>
#
# The bold W costs many times as much as the thin l, though in both cases *everything* is missing. With this loss a network learns bold letters first and may leave thin ones blank. Divided by the ink, each blank page costs about 1.
# </details>
#
# So the loss has two weights. $N_b$ is the number of ink pixels of the target (darker than 0.5; 0 is black), and $\text{mean}_{ij}$ is the mean value of these pixels:
#
# $$\theta = \operatorname*{arg\,min}_\theta \sum_{I_{ij}} W_{st}^{ij} \, W_b^{ij} \, \lVert \hat I_{ij} - I_{ij} \rVert_1 \qquad
# W_{st}^{ij} = \frac{1}{N_b^{ij}} \qquad W_b^{ij} = \frac{\exp(\text{mean}_{ij})}{\sum \exp(\text{mean}_{ij})} \qquad\text{(3)}$$
#
# θ stands for the parameters of the network; $W_{st}$ and $W_b$ are fixed weights. The sums go over the glyphs of a batch, and $\lVert \cdot \rVert_1$ adds the absolute values over all pixels. $W_{st}$ weights thin and bold letters alike. $W_b$ gives pale letters a little more; these are thin ones, too, whose strokes are mostly grey edge.
#
# ### Exercise 3 — the weighted loss
# *difficulty ●●○ · importance ●●○ · 15 minutes*


# %% tags=["exercise"]
def my_loss(drawn, target):
    """(3): drawn, target: (B, 1, H, W) in [0, 1], 0 is ink -> one number, a tensor."""
    raise NotImplementedError


check.weighted_loss(my_loss)


# %% tags=["solution"]
def my_loss(drawn, target):
    """(3): drawn, target: (B, 1, H, W) in [0, 1], 0 is ink -> one number, a tensor."""
    error = (drawn - target).abs().sum((1, 2, 3))  # (B,)
    ink = (target < 0.5).float()
    count = ink.sum((1, 2, 3))  # N_b, (B,)
    mean = (target * ink).sum((1, 2, 3)) / count  # (B,)
    return (mean.softmax(dim=0) * error / count).sum()


check.weighted_loss(my_loss)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `ink = (target < 0.5).float()` is 1 where there is ink. Its sum over dimensions 1, 2, 3 is $N_b$, and `(target * ink).sum((1, 2, 3)) / count` is the mean of the ink.
# </details>
# <details><summary>Hint 2</summary>
#
# $\exp(m_b) / \sum \exp(m_b)$ over the batch is `mean.softmax(dim=0)`. These weights add up to 1, so at the end take the sum, not the mean.
# </details>
#
# ## 6 · Train one
#
# *How long until it can write?*
#
# A small EMD, with twelve letters and four references. So few fonts are soon learnt by heart, so each comes in eight variations (slanted, narrow, bold …), and each variation counts as a font. Four fonts are held back as before, in all variations, and so are the letters C and L: they are never targets, in any font. The references are those that *you* choose (exercise 1), and the loss is *yours* (exercise 3). What is not solved yet is taken from the course, and the cell says so.

# %%
few = dataset.split(collect(letters="ABCDEFGHIJKL"), novel_letters="CL")
fonts = [few.glyphs.styles[style] for style in few.known_styles]  # "DejaVuSans/bold", …
letters = [few.glyphs.contents[content] for content in few.known_contents]


def course_references(font, letter, fonts, letters, r):
    return random.sample([e for e in letters if e != letter], r), random.sample([e for e in fonts if e != font], r)


references = yours(my_references, check.references, course_references)
loss_by = yours(my_loss, check.weighted_loss, emd.weighted_l1)


# %%
def triplets(count, r=4):
    """R_S and R_C, (count, r, 80, 80) each, and the targets, (count, 1, 80, 80)."""
    found = []
    for _ in range(count):
        font, letter = random.choice(fonts), random.choice(letters)
        R_S, R_C = references(font, letter, fonts, letters, r)
        style_refs = few.glyphs.word(font, "".join(R_S))
        content_refs = torch.cat([few.glyphs.word(other, letter) for other in R_C])
        found.append((style_refs, content_refs, few.glyphs.word(font, letter)))
    return [torch.stack(each) for each in zip(*found, strict=True)]


random.seed(0)
print("three triplets; in each four style references, four content references and the target:")
show_glyphs({f"triplet {n}": torch.cat(each) for n, each in enumerate(zip(*triplets(3), strict=True), 1)}, cell=80)

# %% [markdown]
# Now the usual loop: a batch, the loss, a step. On the way the network writes in a font that is held back, after four letters of it.
#
# **Predict, then run.** What will it learn first, the letter or the font? And will it draw C and L at all?


# %%
def write(net, font, shown="BDEH"):
    """All twelve letters, as `net` draws them in a font, (12, 80, 80)."""
    seen = few.glyphs.word(font, shown)
    alike = [few.glyphs.styles[style] for style in few.alike(shown, seen)[:4]]  # for the content references
    asked = torch.stack([few.glyphs.word(each, few.glyphs.contents) for each in alike], dim=1)  # (12, 4, 80, 80)
    return emd.generate(net.eval(), seen, asked)[0]


# %%
random.seed(0)
torch.manual_seed(0)
small = emd.EMD(references=4, channels=(8, 16, 32, 48, 48, 48, 32))
optimizer = torch.optim.Adam(small.parameters(), lr=3e-3)
slower = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=600)  # shorter and shorter steps
rows, curve = {f"it sees: {FONT}": few.glyphs.word(FONT, "BDEH")}, []
for step in range(1, 601):
    style_refs, content_refs, target = triplets(16)
    loss = loss_by(small.train()(style_refs, content_refs), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    slower.step()
    curve.append(loss.item())
    if step in (15, 60, 600):
        rows[f"after {step} steps"] = write(small, FONT)

# %%
rows[f"{FONT} itself"] = few.glyphs.word(FONT, few.glyphs.contents)
rows["the same network sees: STIXGeneralItalic"] = few.glyphs.word("STIXGeneralItalic", "BDEH")
rows["it writes"] = write(small, "STIXGeneralItalic")
rows["STIXGeneralItalic itself"] = few.glyphs.word("STIXGeneralItalic", few.glyphs.contents)
show_glyphs(rows, cell=68)
smooth = torch.tensor(curve).reshape(-1, 10).mean(dim=1).tolist()
plot_curves({"loss (3)": smooth}, at=range(5, 600, 10), title="A small EMD learns twelve letters")

# %% [markdown]
# <details><summary>What you should see</summary>
#
# After fifteen steps the letters are there, pale and in no particular font: they come through the skips. After sixty the strokes are as heavy as those of the four letters that it sees. Details come last: after 600 steps many serifs are there, still rounded. Not everything gets better: in the bold font a thin stroke or a hook is lost, and some letters have become lighter than they should be. C and L can be read as well, although they were never targets: the content references show them.
#
# Shown four letters of a thin italic, the same network writes thin and leaning letters. It has not learnt one font; it follows what it sees.
#
# The curve falls steeply while the letters and their weight are learnt. What is left falls slowly: strokes of the wrong weight, edges and serifs, different in every font. At the end the error is still about half of the ink.
# </details>
#
# ## 7 · Four test sets
#
# *Does it generalise, or has it memorised?*
#
# Fonts may be known or novel, and letters may be known or novel. That makes four test sets:
#
# | | known letter | novel letter |
# | --- | --- | --- |
# | **known font** | D1 | D2 |
# | **novel font** | D3 | D4 |
#
# In D1 the very glyph was a target in training. In D4 neither the font nor the letter was. Three scores, all 0 for a perfect glyph: **L1** is the mean of $|\hat I - I|$ over all pixels. **RMSE** is the root of the mean square. **PDAR**,
# the pixel disagreement ratio, is the share of pixels that are ink in one of the two only.
#
# **Predict, then run.** Sort D1 to D4 from best to worst. What is harder for the small network, a new font or a new letter?


# %%
def print_table(which, net, split):
    """The three scores, and how L1 compares with that of a blank page."""
    count = net.references
    drawn = dataset.table(lambda batch: net(batch["style_refs"], batch["content_refs"]), split, references=count)
    blank = dataset.table(lambda batch: torch.ones_like(batch["target"]), split, references=count)
    print(" " * 9 + "".join(f"{name:>8}" for name in dataset.SCORES) + "   L1 of a blank page")
    for name, found in drawn.items():
        paper = blank[name]["L1"]
        line = "".join(f"{value:8.4f}" for value in found.values())
        print(f"{which} {name} {line}   {paper:.4f}, so {found['L1'] / paper:.0%} of it is left")


print_table("small", small.eval(), few)

# %% [markdown]
# <details><summary>What it means</summary>
#
# Look at the last column: the four sets have different letters, and C and L have little ink. D1 is best. A new letter (D2) costs something, and a new font more (D3), nearly as much as both together (D4): four references show a new letter quite well, but four letters say little about a font.
# By L1 alone D4 would look easier than D1. In D2 to D4 about half of the blank page's error is gone: the network has not only memorised.
# </details>
#
# Now the course's network. It is larger and was trained for much longer, with ten references and 50 of the 62 letters and digits. The same four fonts were held back. It sees the letters HOASMnopdy of each. The third row is no drawing: it is the font, of those in the training, whose ten letters are most similar to these.

# %%
rows = {}
for font in dataset.NOVEL_FONTS:
    shown = glyphs.word(font, GIVEN)
    nearest_font = glyphs.fonts[int(known.alike(GIVEN, shown)[0])]
    rows[f"{font}: what the network writes"] = emd.generate(
        network, shown, letter_references("Hamburgefont", font, GIVEN)
    )[0]
    rows[f"{font} itself"] = glyphs.word(font, "Hamburgefont")
    rows[f"the known font nearest to it: {nearest_font}"] = glyphs.word(nearest_font, "Hamburgefont")
show_glyphs(rows, cell=68)
print_table("large", network, known)

# %% [markdown]
# The bold font and the italic come close. Nor does the network just take the nearest font that it knows: that one is an italic, and it writes the bold font upright. But `cmss10` gets serifs that it does not have (so has its nearest known font), and `cmtt10`, whose strokes are all of one weight, gets thick and thin ones, and loses the wide feet of its r and f. And a real font is always cleaner than what is drawn here: its curves are smooth, and no stroke breaks.
#
# In the table, read the last column. In D1 18 % of the blank page's error is left, in D4 45 %. A new letter costs nearly as much as a new font (32 % and 36 %).
#
# A table needs baselines. These figures were measured after the training, with all variations of the fonts, for two more methods:
#
# - **zi2zi** (here without its discriminator, a second network that judges whether a glyph looks real): one network for all fonts, too, but each font has an index and a learnt embedding, as each style of lesson 04 has γ and β. A new font gets its embedding by optimisation: a hundred steps of gradient descent on the given letters.
# - **nearest**: no network at all. Take the glyph of the known font whose letters are most similar to the given ones, as in the picture above. It may use letters that were never targets for the two others.
#
# **Predict, then run.** Where will a learnt embedding be better than EMD's references, and where worse? What happens to EMD with fewer references? (They are then repeated, to make ten.)

# %%
measured = emd.measurements()
for count, drawers in measured["sets"].items():
    print(f"L1, r = {count:4}" + "".join(f"{name:>9}" for name in dataset.SETS))
    for drawer, scores in drawers.items():
        print(f"   {drawer:10}" + "".join(f"{scores[name]['L1']:9.4f}" for name in dataset.SETS))
best = measured["sets"][str(r)]
print(f"EMD on D4: {1 - best['EMD']['D4']['L1'] / best['zi2zi']['D4']['L1']:.0%} below zi2zi")
sizes = measured["examples"]
if sizes:  # they are in the file of the course's network
    plot_curves(
        {name: [scores[name]["L1"] for scores in sizes.values()] for name in dataset.SETS},
        x="glyphs that are targets in training",
        y="L1",
        log=False,
        at=[f"{int(size):,}" for size in sizes],
        beside=True,
        title=f"Size of the training set (a smaller network, {measured['example_steps']} steps)",
    )

# %% [markdown]
# <details><summary>What it means</summary>
#
# Where the letter is new, in D2 and D4, EMD is best with ten references: even the nearest font, which simply has the letter, is worse. Where the letter is known, in D1 and D3, zi2zi is better: it has learnt each letter in all its fonts, and for a new font it optimises where
# EMD needs one pass. So EMD generalises, and the price is that it memorises less. With three references instead of ten it sees less of the font *and* of the letter. All four sets get worse, most of all D1, and in D2 even the nearest font is then better. In D4 EMD stays ahead. zi2zi and the nearest font lose little.
#
# With more training targets, from 500 to all 7200, all four sets get better, though each network was trained for the same number of steps. (Mind the axis, which does not begin at 0.) The paper's Figure 4 has the same experiment with 20 000 to 500 000 targets, and the same answer.
# </details>
#
# In the paper, on Chinese characters (a harder task, so the figures cannot be compared with ours), EMD is a little better than zi2zi: L1 is 0.0087 against 0.0091, PDAR 0.1332 against 0.1659, and RMSE the same.
#
# ## 8 · Style as numbers
#
# *Does S depend on the font only, or also on the letters?*
#
# The test of section 1 again, with the same pages. Now each page is described by $S$: the first ten of its letters go through the style encoder. Two of the five fonts are new to the network.
#
# **Predict, then run.** How many of the ten pages find their own font this time?

# %%
with torch.no_grad():
    codes = [network.encode_style(glyphs.word(font, text[:r]))[0] for font, text in pages]
print("S finds the same font for", nearest(codes))

# %% [markdown]
# <details><summary>What it means</summary>
#
# $S$ depends on the font far more than on the letters, if these are varied (section 9 shows ten that are not). This is what "separating style and content" means, and it can be measured. No definition of style was needed: the references and the loss were enough.
# </details>
#
# If a font is a vector, there are vectors *between* two fonts.
#
# ### Exercise 4 — between two fonts
# *difficulty ●●○ · importance ●●● · 10 minutes*
#
# Draw letters in a style that is `1 - share` of font a and `share` of font b. Mix the styles, not the pictures. The network has four methods, with the shapes of the sections above:
# `encode_style(refs)` → S (1, R), `encode_content(refs)` → C (N, Q) and the skips, `mix(S, C)` → M (N, K), which takes one row of S for each row of C, or one for all of them, and `decode(M, skips)` → (N, 1, 80, 80).


# %% tags=["exercise"]
def my_between(network, refs_a, refs_b, content_refs, share):
    """refs_a, refs_b: (r, 80, 80) each; content_refs: (N, r, 80, 80) -> (N, 1, 80, 80)."""
    raise NotImplementedError


check.between(my_between)


# %% tags=["solution"]
def my_between(network, refs_a, refs_b, content_refs, share):
    """refs_a, refs_b: (r, 80, 80) each; content_refs: (N, r, 80, 80) -> (N, 1, 80, 80)."""
    S = (1 - share) * network.encode_style(refs_a) + share * network.encode_style(refs_b)  # (1, R)
    C, skips = network.encode_content(content_refs)
    return network.decode(network.mix(S, C), skips)


check.between(my_between)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# First S of each font, then `(1 - share) * S_a + share * S_b`. C and the skips stay the same for every share.
# </details>
# <details><summary>Hint 2</summary>
#
# S is (1, R) and C is (N, Q): `network.mix` lets the one style go with all letters.
# </details>
#
# **Predict, then run.** Between a thin italic and a bold upright font: what does the middle look like? And what does mixing the *pictures* give instead?

# %%
first, second, text = "STIXGeneralItalic", FONT, "DrumTrucks"  # letters of the training; none is among those shown
with torch.no_grad():
    S_a, S_b = (network.encode_style(glyphs.word(font, GIVEN)) for font in (first, second))
    C, skips = network.encode_content(letter_references(text, second, GIVEN))
rows = {f"{share:.0%} {second}": decode(torch.lerp(S_a, S_b, share), C, skips) for share in (0, 0.25, 0.5, 0.75, 1)}
rows["half and half, mixed as pictures"] = (glyphs.word(first, text) + glyphs.word(second, text)) / 2
show_glyphs(rows, cell=80, title=f"From {first} to {second}")

# %% [markdown]
# <details><summary>What it means</summary>
#
# From row to row the strokes get heavier and the letters more upright. In the middle there is a font of its own, an italic of medium weight, with sharp edges; only near the bold end do the letters stand upright. Nothing but $S$ was changed: the skips are the same in all rows. Mixed pictures are two fonts on top of each other, in grey.
# </details>
#
# Content can be mixed as well: we interpolate $C$ and each of the skips (section 4 says which of them matters).
#
# **Predict, then run.** What stands halfway from F to E? From n to h? And from V to A, which have no stroke in common?

# %%
with torch.no_grad():
    C, skips = network.encode_content(letter_references("FEnhVA", FONT, GIVEN))
rows = {}
for name, (i, j) in {"from F to E": (0, 1), "from n to h": (2, 3), "from V to A": (4, 5)}.items():
    shares = torch.linspace(0, 1, 9)
    way = [torch.stack([torch.lerp(each[i], each[j], share) for share in shares]) for each in (C, *skips)]
    rows[name] = decode(S_b, way[0], way[1:])
show_glyphs(rows, cell=88)

# %% [markdown]
# <details><summary>What you should see</summary>
#
# The F grows a lower arm and becomes an E; above the n a blot appears, which joins it and becomes the stem of an h. All this happens within two or three glyphs. From V to A the middle is no letter at all. Between two fonts there is a way; between two letters there is none, unless one is a part of the other.
# </details>
#
# ### Your code writes
#
# The course's network, with your mixer (exercise 2) in the place of its own, and your way between two fonts (exercise 4). What is not solved yet is taken from the course, and the cell says so.


# %%
def course_between(net, refs_a, refs_b, content_refs, share):
    S = torch.lerp(net.encode_style(refs_a), net.encode_style(refs_b), share)
    C, skips = net.encode_content(content_refs)
    return net.decode(net.mix(S, C), skips)


mixer = yours(my_mixer, check.mixer, emd.bilinear_mix)
between = yours(my_between, check.between, course_between)
own = emd.load()
own.mix = lambda S, C: mixer(S.expand(len(C), -1), C, own.mixer / len(own.mixer))  # W is learnt as R times itself
asked = (glyphs.word(first, GIVEN), glyphs.word(second, GIVEN), letter_references(text, second, GIVEN))
who = "yours" if mixer is my_mixer or between is my_between else "the course's, in place of yours"
with torch.no_grad():
    rows = {f"{who}: {share:.0%} {second}": between(own, *asked, share)[:, 0] for share in (0.0, 0.5, 1.0)}
    rows[f"the course's: 50% {second}"] = course_between(network, *asked, 0.5)[:, 0]
show_glyphs(rows, cell=80)

# %% [markdown]
# The last row and the second should look the same.
#
# ## The lab
#
# Each change writes the word again.
#
# - **font** and **other font**: whose letters the network sees. The four that were held back are marked as new. **Upload** takes a font file of your own (.ttf, .otf), or type a file's name.
# - **share of other** interpolates from one font to the other, by mixing S.
# - **letters shown** is what the network sees of each font, ten of them. **word** is what it writes. A line beneath a letter says that this letter was among those shown.
#
# Things to try: show only capitals and ask for small letters. Show `AAAAAAAAAA`, ten times the same. Show `lIijtf1rJT`, most of which are hardly more than a stroke. Take a font of yours that has capitals only: the network draws the rest.

# %% tags=["nbval-ignore-output"]
lab = EMDLab(FONT, "STIXGeneralItalic", letters=GIVEN, word="Typeface")
lab

# %% [markdown]
# ## 9 · What a new style costs
#
# *When is this the right method?*
#
# The paper compares methods by three questions: what data does the training need, what has been learnt in the end, and what does a style cost that was not in the training? Its answers in our words:
#
# | method | data | what it learns | a new style costs |
# | --- | --- | --- | --- |
# | Pix2pix: a network learns from pairs | the same thing in both styles | the mapping from one style to one other | many pairs, and a new training |
# | CycleGAN: two networks, there and back | pictures of both styles, without pairs | the mapping from one style to one other, and back | many pictures, and a new training |
# | zi2zi (section 7) | pairs of glyphs | the mappings from one font to each of the fonts it was trained on | many pairs, and more training (we only optimise an embedding) |
# | Perceptual losses (lesson 03) | photos, and one style picture | this one style | the one picture, many photos, and a new training |
# | Patches (lesson 06) | photos and paintings | to decode swapped patches of activations | one picture, no training |
# | AdaIN (lesson 05) | photos and paintings | to decode activations with exchanged means and deviations | one picture, no training |
# | EMD (this lesson) | a table of styles and contents: triplets | representations of style and of content, as two vectors | $r$ pictures, no training |
#
# The last three need no training for a new style. Of these three, only EMD works without a definition of style. The price is in its second column: it needs a *table*, the same contents in many styles. For letters there are fonts. For paintings
# there is no such table: no one has painted the same hundred scenes in a hundred manners.
#
# ### Where it fails
#
# **Predict, then run.** What if the ten letters shown say little about the font? First ten times the same letter, then ten of which most are hardly more than a stroke.

# %%
rows = {}
for shown in (GIVEN, "o" * 10, "lIijtf1JT7"):
    written = emd.generate(network, glyphs.word(FONT, shown), letter_references(WORD, FONT, shown))[0]
    rows[f"it sees {shown}, and writes"] = written
    score = dataset.l1(written[:, None], glyphs.word(FONT, WORD)[:, None]).mean()
    print(f"{shown:11} L1 {score:.4f}")
rows[f"{FONT} itself"] = glyphs.word(FONT, WORD)
show_glyphs(rows, cell=80)

# %% [markdown]
# <details><summary>What it means</summary>
#
# What the references do not show, the network cannot know. Ten times an o show the weight, but an o has no serifs, and no straight stroke that would show the slant: some letters lean. After ten letters most of which are thin it draws a narrow font, though the T among them is wide.
# </details>
#
# - **It blurs where it is uncertain.** With an L1 loss each pixel independently takes the likelier value, ink or paper (the median; a squared error would give the mean, grey). So strokes break off or run together, and where both are about equally likely, grey costs no more than either. A GAN (a network that is trained against a second one, which distinguishes real from drawn), such as zi2zi, decides for the letter as a whole, sharply, and sometimes wrongly.
# - **It adds serifs to fonts that have none**, such as `cmss10` above, and thin strokes break.
# - **It does not work for every font.** The nearer to those of its training, the better, mostly. Ours was trained on eighteen fonts, most of them for books and formulas. Handwriting is far away from all of them.
# - **More fonts alone do not help with new letters.** We trained another network on 252 fonts. With new letters it was no better: fifty letters are few, in however many fonts.
# - **Content references come from known fonts.** For a letter that no known font has, such as ß, there is no $\mathcal R_C$.
#
# ## Differs from the paper
#
# What matters most, first:
#
# - **Another script, and far fewer fonts.** 62 letters and digits in the 22 fonts that come with the course's software, instead of thousands of Chinese characters in hundreds of fonts. So no figure here can be compared with the paper's. With a folder of fonts, `stylelearn train emd --fonts FOLDER --letters …` learns any script.
# - **A smaller network**: 64 numbers for S and C instead of 512. `stylelearn train emd --paper` has the paper's channels and its batch.
# - **Two in five content references are of similar fonts**; the paper takes all at random. This makes new letters easier (section 2 gives the numbers).
# - **References never contain the answer**: not the target, and content references come from other fonts, in all variations.
# - **zi2zi** is trained without its adversarial loss: what we compare is how a network gets to know a style.
#
# Details of the training:
#
# - **Eight variations** of each font (slanted, narrow, bold …) make up for the small number of fonts. All variations of a font are held back together.
# - **Augmentation**: letters are warped a little at random, in the same way in all their references, and fonts sheared and stretched, so that fifty letters become many more. (zi2zi gets them as well.)
# - **Pixels are folded**, two by two into four channels, so that nothing is computed at full size. The decoder upsamples by repetition and then convolves; the paper's transposed convolutions leave checkerboards.
# - **The references of a set are sorted**, the darkest first: a set has no order, but channels have one.
#
# ## Summary
#
# - Texture statistics record which edges there are. A font is about which edges belong *where on which letter*.
# - Reference sets define a factor by what stays the same in them: style in $\mathcal R_S$, content in $\mathcal R_C$.
# - The bilinear mixer multiplies every number of the style with every number of the content.
# - The loss is divided by the ink, or thin letters would hardly count.
# - Known or novel, style or content: D1 to D4 show what generalises, and what was only memorised.
# - A new font costs ten letters and no training. In S we can also interpolate between fonts.
#
# **Common misconceptions**
#
# - *"S is a readable description of the font."* It is a vector that helped to lower the loss. Only distances and mixtures of such vectors mean something.
# - *"More references always help."* Ten that show the same thing are like one. They must differ in everything but the style, or but the content.
# - *"The letter is in C, the font in S."* Section 4 shows that nearly all of the letter comes through the skips.
# - *"D2 is as hard as D4, since both ask for a new letter."* In D2 the network was trained on this font with other letters.
# - *"A low L1 means a good font."* Most pixels are paper. Look at the glyphs, and compare with a blank page and with the nearest font.
# - *"Bilinear is just a large linear layer."* It is linear in each of the two alone. Jointly it consists of products.
#
# **To read**: the paper, and its longer version, Y. Zhang and others, *A Unified Framework for Generalizable Style Transfer*, IEEE Transactions on Image Processing, 2020; J. Tenenbaum and W. Freeman, *Separating Style and Content with Bilinear Models*, Neural Computation, 2000; Y. Tian,
# *zi2zi: Master Chinese Calligraphy with Conditional Adversarial Networks*, 2017; S. Azadi and others, *Multi-Content GAN for Few-Shot Font Style Transfer*, CVPR 2018.
#
# **Next**: you know eight methods, and each is good at something else. [Lesson 10](10_compare.ipynb) compares them and asks which one to take when.

# %% [markdown] tags=["solution"]
# ## For teachers
#
# **Timings** (100 minutes): section 1, 5 minutes · section 2 with exercise 1, 15 · section 3 with exercise 2, 15 · sections 4 and 5 with exercise 3, 25 · sections 6 and 7, 15 · section 8 with exercise 4, 15 · lab and section 9, 10.
#
# **Show.** Section 1 before anything else: let them bet on lesson 02 and lesson 05. In section 6 the rows from top to bottom: first the letter, then the weight, then the font. In the lab a font from a machine in the room; then the slider.
#
# **Expected results.** Section 1: half of the pages or more find a page with the same letters instead of the same font; in section 8 all find their font. Section 4: with the neighbour's $C$ one still reads every letter, with its skips one reads the neighbour. Section 6: letters after 15 steps, weight after 60, many of the serifs after 600. Section 7: compared with the blank page, since the sets hold different letters, D1 is
# best for both networks, and D4 worst.
#
# | Section | Printed, or above a picture | Expect |
# | --- | --- | --- |
# | 1 | `Gram matrices find the same font for` | 2 to 6 |
# | 3 | `our network has R = Q = K =` | 64, exactly |
# | 5 | `l in STIXGeneralItalic N_b =` | 205 to 225 |
# | 5 | `W in DejaVuSans-Bold N_b =` | 1500 to 1600 |
# | 7 | `small D1` | 0.028 to 0.045 |
# | 7 | `small D4` | 0.03 to 0.055 |
# | 7 | `large D1` | 0.005 to 0.025 |
# | 7 | `large D4` | 0.03 to 0.05 |
# | 8 | `S finds the same font for` | 9 to 10 |
#
# **Where they get stuck.** In exercise 1 `letters.remove(letter)` changes the caller's list: it works once. In exercise 2 the first glyph's S is used for all, or `b` is left out of the result. In exercise 3 the ink of the whole batch is
# counted, or a mean is taken although $W_b$ adds up to 1. In exercise 4 the pictures are mixed. The checks name all of them.
#
# **Questions for a discussion**
#
# - *What would the table of styles and contents be for voices, or for handwriting?* For voices: the speaker is a row, the text is a column. It could be the other way round. Content is what we choose to keep the same in $\mathcal R_C$; nothing is style by nature.
# - *What would happen without skips?* Glyphs get blurred, since all information about the letter must fit into C. But then the names "style" and "content" would be accurate: the mixer would decide everything.
# - *Why does EMD need no adversarial loss to draw sharp edges, and when does it blur?* The target is there, pixel by pixel, and usually only one answer is right. Where the references leave it open, each pixel takes the likelier of ink and paper by itself: strokes break, and edges get soft where it is a toss-up.
# - *Is a font that a network draws after ten letters of a designer's font a copy of it?* There is no single answer. It was made to agree with that font as far as possible, and without the designer's consent. Laws on fonts differ from country to country.
