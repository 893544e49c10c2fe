"""What the site is made of, put into one folder: the committed notebooks, the guide, the gallery. Nothing is run.

    python site/gather.py .site/pages

A lesson's page shows what the solutions show, since their pictures are whole; each exercise stands as learners get it,
with its solution folded below. A link to a lesson's solutions leads to the lesson, one to their folder to the list of
lessons. All other links stay as they are, so that Sphinx finds those that are dead.
"""

import base64
import hashlib
import json
import re
import shutil
import sys
from collections import defaultdict, deque
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
SOLUTION = {"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
MOVED = {  # links to what the site has elsewhere
    "](lessons/solutions)": "](index.md#the-lessons)",
    "](solutions)": "](../index.md#the-lessons)",
    "](solutions/": "](",
    "](../README.md": "](../index.md",
}
LICENSES = ("LICENSE", "LICENSE-CONTENT", "stylelearn/cli/painter/LICENSE-TensorFlow.txt")
PAGES = ("CONTRIBUTING.md", *LICENSES, "lessons/TEACHING.md")
CONTENTS = """
```{toctree}
:hidden:
:caption: Lessons
:glob:
lessons/[0-9]*
```

```{toctree}
:hidden:
:caption: More
gallery
Teacher's guide <lessons/TEACHING>
networks
CONTRIBUTING
```
"""
NETWORKS = """# The networks

How each network that ships was made, what it reaches, and where it fails.

```{toctree}
:glob:
data/weights/*
```
"""


def page_of(student: NotebookNode, solutions: NotebookNode) -> NotebookNode:
    """One notebook from the two of a lesson: the learner's text and starters, the pictures and answers of the other."""
    answers: dict[str, deque[NotebookNode]] = defaultdict(deque)  # behind which shared cell -> solutions in order
    shown, before = {}, ""
    for cell in solutions.cells:
        if "solution" in cell.metadata.get("tags", ()):
            answers[before].append(cell)
        else:
            shown[cell.id] = cell
            before = cell.id
    cells, before = [], ""
    for cell in student.cells:
        cell.metadata = NotebookNode()
        if cell.id in shown:
            before = cell.id
            cells.append(cell if cell.cell_type == "markdown" else NotebookNode(cell, outputs=shown[before].outputs))
        else:
            answer = answers[before].popleft()
            answer.metadata = NotebookNode(tags=["hide-cell"], mystnb=SOLUTION)
            cells += [cell, answer]
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": student.metadata.kernelspec})


def descriptions(page: NotebookNode) -> dict[str, str]:
    """The text of each picture for people who cannot see it, by the picture's SHA-256."""
    outputs = [
        output for cell in page.cells for output in cell.get("outputs", ()) if "image/jpeg" in output.get("data", {})
    ]
    digest = (hashlib.sha256(base64.b64decode(output.data["image/jpeg"])).hexdigest() for output in outputs)
    return {
        name: output.metadata.get("image/jpeg", {}).get("alt") or output.data["text/plain"]
        for name, output in zip(digest, outputs, strict=True)
    }


def split(readme: str) -> tuple[str, str]:
    """The page that opens the site, and the gallery, which is a page of its own there."""
    before, gallery, after = re.split(r"(?ms)^(## Gallery\n.*?)(?=^## )", readme)
    return before + after, gallery.replace("## ", "# ", 1)


def gather(pages: Path) -> None:
    """Write all that Sphinx reads into an empty folder."""
    if pages.exists():
        shutil.rmtree(pages)
    shutil.copytree(ROOT / "data" / "gallery", pages / "data" / "gallery", ignore=shutil.ignore_patterns("*.py", "__*"))
    only_cards = shutil.ignore_patterns("*.safetensors", "*.json")
    shutil.copytree(ROOT / "data" / "weights", pages / "data" / "weights", ignore=only_cards)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    home, gallery = split(re.sub(r"(?m)^\[!\[.*\n", "", readme))  # badges are loaded from elsewhere
    texts = {"index.md": home + CONTENTS, "gallery.md": gallery, "networks.md": NETWORKS}
    texts |= {name: (ROOT / name).read_text(encoding="utf-8") for name in PAGES}
    alt = {}
    for path in sorted((ROOT / "lessons").glob("[0-9]*.ipynb")):
        both = [nbformat.read(each, as_version=4) for each in (path, path.parent / "solutions" / path.name)]
        page = page_of(*both)
        alt |= descriptions(page)
        texts[f"lessons/{path.name}"] = nbformat.writes(page)
    for name, text in texts.items():
        for link, instead in MOVED.items():
            text = text.replace(link, instead)
        (pages / name).parent.mkdir(parents=True, exist_ok=True)
        (pages / name).write_text(text, encoding="utf-8")
    (pages / "descriptions.json").write_text(json.dumps(alt), encoding="utf-8")


if __name__ == "__main__":
    gather(Path(sys.argv[1]))
