"""Slides out of a lesson: its questions, formulas, pictures and figures, without its code and its long text.

    python lessons/tools/slides.py 05      writes slides/05_adain.slides.html; open it in a browser

The lesson itself stays as it is. A section becomes a column: its heading and its question, then what it asks to be
predicted, then the picture. Space goes on, Esc shows all slides, S opens the speaker's view: what a lesson folds away
(the answers, and what a picture should show) are the notes there. reveal.js and MathJax are fetched from npm once, into
the same folder; from then on the slides need no internet.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

import build

SECTION = re.compile(r"^## .+$", flags=re.MULTILINE)
WANTED = re.compile(
    r"^#{1,2} .+$"  # headings
    r"|^\*[^*\n].*\*$"  # the question of a section
    r"|^\*\*(?:After this lesson|Predict, then run)(?:.+(?:\n|$))+"
    r"|^- .+(?:\n +.+)*$"
    r"|(?s:\$\$.+?\$\$)",
    flags=re.MULTILINE,
)
FOLDED = re.compile(r"<details>\s*<summary>.*?</summary>(.*?)</details>", flags=re.DOTALL)
# What a page of nbconvert's loads, and where it is inside each npm package.
PACKAGES = ("reveal.js@4.6.1", "mathjax@2.7.9", "requirejs@2.3.7", "jquery@3.7.1")
PLACES = {
    "reveal_url_prefix": "reveal.js",
    "mathjax_url": "mathjax/MathJax.js?config=TeX-AMS_CHTML-full,Safe",
    "require_js_url": "requirejs/require.js",
    "jquery_url": "jquery/dist/jquery.min.js",
    "font_awesome_url": "none.css",  # for the widgets that slides do not have
}
LEFT_OUT = ("Exercise", "The lab", "Differs from the paper", "Where things are")


def gist(markdown: str) -> str:
    """Headings, the question below a heading, formulas, what is to be predicted, and lists."""
    return "\n\n".join(match.group().strip() for match in WANTED.finditer(FOLDED.sub("", markdown)))


def slides(lesson: NotebookNode) -> NotebookNode:
    """A notebook whose cells are slides: of code only the pictures and what is printed, of folded text the notes."""
    cells: list[NotebookNode] = []

    def add(cell: NotebookNode, kind: str) -> None:
        cell.metadata["slideshow"] = {"slide_type": kind}
        cells.append(cell)

    skipping = False
    for cell in lesson.cells:
        if cell.cell_type == "markdown":
            for part in re.split(r"(?m)^(?=#{1,3} |\*\*Predict, then run)", cell.source):
                heading = re.match(r"#+ (.*)", part)
                if heading:
                    skipping = any(words in heading[1] for words in LEFT_OUT)
                elif part.startswith("**Predict"):
                    skipping = False
                if not skipping and (text := gist(part)):
                    column = SECTION.match(part) or not cells
                    add(nbformat.v4.new_markdown_cell(text), "slide" if column else "subslide")
                for folded in FOLDED.findall(part) if cells and not skipping else ():
                    add(nbformat.v4.new_markdown_cell(folded.strip()), "notes")
        elif not skipping:
            for output in cell.outputs:
                if output.output_type == "stream" or any(mime.startswith("image/") for mime in output.data):
                    add(nbformat.v4.new_code_cell("", outputs=[output]), "subslide")
    return nbformat.v4.new_notebook(cells=cells, metadata=lesson.metadata)


def fetch(folder: Path) -> None:
    """Put what the pages load into `folder`/node_modules, unless it is there; OSError if npm is missing."""
    if all((folder / "node_modules" / place.split("?")[0]).exists() for place in list(PLACES.values())[:-1]):
        return
    folder.mkdir(parents=True, exist_ok=True)
    npm = shutil.which("npm")
    if npm is None:
        raise OSError("npm is needed once, for reveal.js and MathJax: install Node.js (https://nodejs.org)")
    options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
    subprocess.run([npm, "install", *options, *PACKAGES], check=True)


def main(arguments: list[str] | None = None, lessons: Path = build.LESSONS) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Make slides from a lesson.")
    parser.add_argument("name", metavar="NAME", help="a lesson by number or name")
    parser.add_argument("--out", type=Path, metavar="FILE", help="by default slides/NN_name.slides.html")
    options = parser.parse_args(arguments)
    from nbconvert import SlidesExporter

    try:
        (source,) = build.sources(lessons, [options.name])
    except build.BuildError as error:
        parser.error(str(error))
    path, folder = build.target(source, "student"), lessons.parent / "slides"
    out = options.out or folder / f"{path.stem}.slides.html"
    try:
        fetch(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"no slides: {error}", file=sys.stderr)
        return 1
    here = Path(os.path.relpath(folder / "node_modules", out.parent)).as_posix()
    exporter = SlidesExporter(exclude_input=True, exclude_input_prompt=True, exclude_output_prompt=True)
    for name, place in PLACES.items():
        setattr(exporter, name, f"{here}/{place}")
    exporter.mermaid_js_url = "data:text/javascript,export%20default%20{initialize(){}}"  # no lesson has a diagram
    page, _ = exporter.from_notebook_node(slides(nbformat.read(path, as_version=4)))
    out.write_text(page, encoding="utf-8")
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
