"""Slides out of a lesson: its questions, formulas, pictures and figures, without its code and its long text.

    python lessons/tools/slides.py 05      writes 05_adain.slides.html beside the lesson; open it in a browser

The lesson itself stays as it is. A section becomes a column: its heading and its question, then what it asks to be
predicted, then the picture. Space goes on, Esc shows all slides. The browser needs the internet once it opens the page,
for reveal.js and MathJax.
"""

import argparse
import re
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
FOLDED = re.compile(r"<details>.*?</details>", flags=re.DOTALL)
LEFT_OUT = ("Exercise", "The lab", "Differs from the paper", "Where things are")


def gist(markdown: str) -> str:
    """Headings, the question below a heading, formulas, what is to be predicted, and lists."""
    return "\n\n".join(match.group().strip() for match in WANTED.finditer(FOLDED.sub("", markdown)))


def slides(lesson: NotebookNode) -> NotebookNode:
    """A notebook whose cells are slides: of code there are only the pictures and what is printed."""
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
        elif not skipping:
            for output in cell.outputs:
                if output.output_type == "stream" or any(mime.startswith("image/") for mime in output.data):
                    add(nbformat.v4.new_code_cell("", outputs=[output]), "subslide")
    return nbformat.v4.new_notebook(cells=cells, metadata=lesson.metadata)


def main(arguments: list[str] | None = None, lessons: Path = build.LESSONS) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Make slides from a lesson.")
    parser.add_argument("name", metavar="NAME", help="a lesson by number or name")
    parser.add_argument("--out", type=Path, metavar="FILE", help="by default NN_name.slides.html beside the lesson")
    options = parser.parse_args(arguments)
    from nbconvert import SlidesExporter

    try:
        (source,) = build.sources(lessons, [options.name])
    except build.BuildError as error:
        parser.error(str(error))
    exporter = SlidesExporter(exclude_input=True, exclude_input_prompt=True, exclude_output_prompt=True)
    path = build.target(source, "student")
    page, _ = exporter.from_notebook_node(slides(nbformat.read(path, as_version=4)))
    out = options.out or path.with_suffix(".slides.html")
    out.write_text(page, encoding="utf-8")
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
