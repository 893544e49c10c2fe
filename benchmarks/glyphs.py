"""EMD beside other ways to draw the letters: D1 to D4 (`glyphs.dataset`), with the default fonts and what is held back.

nearest  no network: the same letter of the known font that the references look most like
zi2zi    `python -m benchmarks.zi2zi`, on the same data for as many steps; it does not ship: --baseline names its file
"""

from collections.abc import Callable, Iterator

from torch import Tensor

from benchmarks import zi2zi
from benchmarks.measuring import Measurement, Plan
from stylelearn import emd
from stylelearn.glyphs.dataset import Batch, Split, split, table
from stylelearn.glyphs.rendering import collect

BETTER = 0.85  # of the L1 of zi2zi on D4


def nearest(known: Split) -> Callable[[Batch], Tensor]:
    """A drawer for `dataset.table`: the letter in the known style most like the references, but for its own font."""

    def draw(batch: Batch) -> Tensor:
        rows = zip(batch["style"].tolist(), batch["letters"], batch["style_refs"], strict=True)
        chosen = [int(known.alike(letters, wanted, without=style)[0]) for style, letters, wanted in rows]
        return known.glyphs.at(chosen, batch["content"])[:, None]

    return draw


def letters(plan: Plan, network: emd.EMD | None = None, known: Split | None = None) -> Iterator[Measurement]:
    """L1, RMSE and PDAR of each, and EMD's L1 on D4 over zi2zi's."""
    network, known = network or emd.load(), known or split(collect())
    drawers: dict[str, Callable[[Batch], Tensor]] = {
        "EMD": lambda batch: network(batch["style_refs"], batch["content_refs"]),
        "nearest": nearest(known),
    }
    if plan.baseline is not None:
        drawers["zi2zi"] = zi2zi.drawer(zi2zi.load(plan.baseline, known), known)
    d4 = {}
    for name, draw in drawers.items():
        sets = table(draw, known, references=network.references, count=plan.letters)
        d4[name] = sets["D4"]["L1"]
        for which, scores in sets.items():
            for score, value in scores.items():
                yield Measurement(f"{name}: {which} {score}", value, note=f"r = {network.references}")
    over = d4["EMD"] / d4["zi2zi"] if "zi2zi" in d4 else None
    note = "" if over else "not measured: name a file of `python -m benchmarks.zi2zi` with --baseline"
    yield Measurement("L1 of EMD over zi2zi's on D4", over, "×", at_most=BETTER, note=note)


GROUPS = {"letters": letters}
