"""The lessons on disk: notebooks that hold what their sources say, complete exercises, links that lead somewhere.

What each check rests on is tried on a small lesson made up here, so that these tests also say what would be wrong.
"""

import asyncio
import base64
import io
import json
import re
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
import zmq.asyncio
from jupyter_client.session import Session
from nbformat import NotebookNode
from PIL import Image

import build
import promote

ROOT = Path(__file__).resolve().parent.parent
SOURCES = build.sources()
NOTEBOOKS = [build.target(source, side) for source in SOURCES for side in build.SIDES]
LEAST_EXERCISES = 3
EXERCISE = re.compile(r"^#+ .*\bexercise\b", re.IGNORECASE | re.MULTILINE)
HEADER = (re.compile(r"difficulty", re.I), re.compile(r"importance", re.I), re.compile(r"\b\d+(–\d+)? min", re.I))
MARKDOWN_LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|\b(?:src|href)=[\"']([^\"']+)[\"']")


@pytest.fixture(autouse=True)
def _no_cell_takes_minutes(monkeypatch):
    monkeypatch.setattr(build, "CELL_SECONDS", 60)


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def both(source: Path) -> list[NotebookNode]:
    """The student's notebook and the solutions."""
    return [read(build.target(source, side)) for side in build.SIDES]


def tagged(notebook: NotebookNode, tag: str) -> list[NotebookNode]:
    """Its code cells with that tag."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and tag in cell.metadata.get("tags", ())]


def sources(cells: Iterable[NotebookNode]) -> list[str]:
    return [cell.source for cell in cells]


# --------------------------------------------------------------------------- what is asked of a notebook


def faults(notebook: NotebookNode, size: int) -> list[str]:
    """What a learner should not meet in a built notebook."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    found = []
    if not any(mime.startswith("image/") for output in outputs for mime in output.get("data", {})):
        found.append("no picture")
    if any(output.output_type == "error" for output in outputs):
        found.append("an error")
    if any(promote.WIDGET_VIEW in output.get("data", {}) for output in outputs) or "widgets" in notebook.metadata:
        found.append("a widget without its kernel")
    if size > build.MAX_BYTES:
        found.append(f"{size} bytes")
    if "jupytext" in notebook.metadata:
        found.append("jupytext metadata")
    words = "\n".join([text_of(output) for output in outputs] + [cell.source for cell in notebook.cells])
    if path := re.search(r"(?<![\w.])/(home|Users|root|tmp|var|usr|opt)/\w|[A-Z]:\\Users|site-packages", words):
        found.append(f"a path of a machine: {words[path.start() : path.start() + 80]!r}")
    return found


def text_of(output: NotebookNode) -> str:
    data = output.get("data", {})
    return output.get("text", "") + "".join(str(data[mime]) for mime in data if not mime.startswith("image/"))


def exercise_faults(notebook: NotebookNode) -> list[str]:
    """What is missing around the exercises of a student's notebook."""
    found, cells = [], notebook.cells
    headings = [i for i, cell in enumerate(cells) if cell.cell_type == "markdown" and re.match(r"#+ ", cell.source)]
    for number in map(cells.index, tagged(notebook, "exercise")):
        start = max(i for i in range(number) if EXERCISE.search(cells[i].source))
        header = cells[start].source[EXERCISE.search(cells[start].source).start() :]
        end = next((i for i in headings if i > start), len(cells))
        hints = sum(cell.source.count("<details") for cell in cells[start:end] if cell.cell_type == "markdown")
        missing = [wanted.pattern for wanted in HEADER if not wanted.search(header)] + ["two hints"] * (hints < 2)
        found += [f"cell {number}: no {each}" for each in missing]
    return found


# --------------------------------------------------------------------------- the lessons on disk


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_notebooks_hold_what_their_source_says(source):
    assert build.differences(source) == [], "run: make lessons"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_built_notebook_is_fit_to_read(path):
    assert faults(read(path), path.stat().st_size) == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_exercises_have_header_hints_and_check(source):
    student, _ = both(source)
    assert exercise_faults(student) == []
    assert len(tagged(student, "exercise")) >= LEAST_EXERCISES


def test_every_notebook_has_a_source():
    found = {*(ROOT / "lessons").glob("*.ipynb"), *(ROOT / "lessons" / "solutions").glob("*.ipynb")}
    assert found == set(NOTEBOOKS)


# --------------------------------------------------------------------------- links


def documents() -> list[Path]:
    folders = [ROOT, *(ROOT / name for name in ("docs", "lessons", "data", ".github"))]
    pages = [page for folder in folders for page in folder.glob("*.md" if folder == ROOT else "**/*.md")]
    return sorted({*pages, *(path for path in NOTEBOOKS if path.exists())})


def markdown_of(path: Path) -> str:
    if path.suffix != ".ipynb":
        text = path.read_text(encoding="utf-8")
    else:
        text = "\n\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)  # code holds no links


def anchors(path: Path) -> set[str]:
    """What `#…` may name on a page: its headings as code-hosting pages spell them (notebooks: as JupyterLab does)."""
    text = markdown_of(path) if path.suffix == ".ipynb" else path.read_text(encoding="utf-8")
    headings = [re.sub(r"[`*]", "", line).strip() for line in re.findall(r"^#+ +(.+?) *#*$", text, flags=re.MULTILINE)]
    named = set(re.findall(r"\b(?:id|name)=[\"']([^\"']+)", text))
    if path.suffix == ".ipynb":
        return named | {heading.replace(" ", "-") for heading in headings}
    return named | {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(path: Path) -> list[str]:
    dead = []
    for found in MARKDOWN_LINK.finditer(markdown_of(path)):
        link = unquote(found.group(1) or found.group(2))
        if re.match(r"[a-z][a-z+.-]*:", link):
            continue  # the internet is not asked
        file, _, anchor = link.partition("#")
        goal = (path.parent / file).resolve() if file else path
        inside = goal.is_relative_to(path.anchor if ROOT not in path.parents else ROOT)
        readable = goal.suffix in (".md", ".ipynb")
        if not goal.exists() or not inside or (anchor and readable and anchor not in anchors(goal)):
            dead.append(link)
    return dead


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_inside_the_repository_lead_somewhere(path):
    assert dead_links(path) == []


def test_dead_links_are_found(tmp_path):
    page = tmp_path / "page.md"
    (tmp_path / "a.png").touch()
    page.write_text(
        "# The lab: α/β\n## Two *words*\n![ok](a.png) [ok](#the-lab-αβ) [ok](page.md#two-words) [x](https://x.y/z)\n"
        '[no](b.png) [no](#gone) <img src="c.png"> [no](page.md#three "title") `[code](d.png)`',
        encoding="utf-8",
    )
    assert dead_links(page) == ["b.png", "#gone", "c.png", "page.md#three"]


# --------------------------------------------------------------------------- the builder, on a made-up lesson

HEAD = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A lesson
# ![a](../data/a.png) [next](02_next.ipynb#x) [solution](solutions/01_small.ipynb) [web](https://x.y) <img src="b.png">

# %%
# %config IPCompleter.use_jedi = False
import io
import sys

import ipywidgets as widgets
from IPython.display import display
from PIL import Image


def picture(width, colour, format="png"):
    file = io.BytesIO()
    Image.new("RGB", (width, 10), colour).save(file, format)
    return widgets.Image(value=file.getvalue(), format=format)

"""

EXERCISES = """
# %% [markdown]
# ### Exercise 1 · Twice
# difficulty ●○○ · importance ●●● · 5 minutes
#
# <details><summary>Hint 1</summary>Add.</details>
# <details><summary>Hint 2</summary>Add it to itself.</details>

# %% tags=["exercise"]
def twice(x):
    raise NotImplementedError


check = print
check("not solved yet")

# %% tags=["solution"]
def twice(x):
    return 2 * x


check = print
check("✓ right")

# %% [markdown]
# ## Summary
"""

LAB = """
# %%
small, large = picture(20, "red"), picture(40, "lime")
large.tooltip = "a green bar"
widgets.HBox([widgets.IntSlider(), widgets.VBox([small, large, picture(40, "blue")])])
"""


def lesson(folder: Path, *parts: str) -> Path:
    """A made-up lesson; returns its source."""
    source = folder / "lessons" / "src" / "01_small.py"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(HEAD + "\n".join(parts), encoding="utf-8")
    return source


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """A made-up lesson, both notebooks built."""
    source = lesson(tmp_path_factory.mktemp("small"), LAB, EXERCISES)
    assert build.main([], source.parent.parent) == 0
    return source


def test_each_side_has_its_own_cells_under_stable_ids(small):
    student, solutions = (notebook.cells for notebook in both(small))
    assert len({cell.id for cell in student}) == len(student) == len(solutions)
    different = [(a, b) for a, b in zip(student, solutions, strict=True) if a.id != b.id]
    assert [(a.metadata.tags, b.metadata.tags) for a, b in different] == [(["exercise"], ["solution"])]
    assert "raise NotImplementedError" in different[0][0].source and "2 * x" in different[0][1].source
    assert student[1].source.startswith("%config")
    assert all(set(cell.metadata) <= {"tags"} for cell in [*student, *solutions])


def test_an_inserted_cell_leaves_the_other_ids_alone(tmp_path):
    before = build.notebook(lesson(tmp_path, LAB, EXERCISES), "student").cells
    after = build.notebook(lesson(tmp_path, *["\n# %%\nx = 1\n"] * 3, LAB, EXERCISES), "student").cells
    assert [cell.id for cell in after if cell.source != "x = 1"] == [cell.id for cell in before]
    first, *others = [cell.id for cell in after if cell.source == "x = 1"]
    assert others == [f"{first}-2", f"{first}-3"]


def test_links_fit_the_folder_of_the_solutions(small):
    (small.parent / "02_next.py").touch()  # another lesson: its solutions stand beside these
    text = build.notebook(small, "solutions").cells[0].source
    (small.parent / "02_next.py").unlink()
    assert "![a](../../data/a.png) [next](02_next.ipynb#x) [solution](../solutions/01_small.ipynb)" in text
    assert '[web](https://x.y) <img src="../b.png">' in text


def test_code_in_markdown_holds_no_links(small):
    text = "[a](a.png)\n```python\nvgg[:21](x)\n```\n`vgg[0](x)` [b](b.png)"
    assert build._one_folder_down(text, small) == text.replace("(a", "(../a").replace("(b", "(../b")


def test_a_widget_leaves_its_largest_picture(small):
    for side in build.SIDES:
        path = build.target(small, side)
        assert faults(read(path), path.stat().st_size) == []
        output = next(cell for cell in read(path).cells if cell.get("outputs")).outputs[0]
        with Image.open(io.BytesIO(base64.b64decode(output.data["image/jpeg"]))) as image:
            assert image.format == "JPEG" and image.size == (40, 10)
            red, green, blue = image.getpixel((20, 5))
        assert red < 20 and green > 235 and blue < 20  # of two equally large ones, the first
        assert output.metadata["image/jpeg"]["alt"] == output.data["text/plain"] == "a green bar"


def test_rebuilding_gives_the_same_bytes(small):
    path = build.target(small, "solutions")
    before = path.read_bytes(), path.stat().st_mtime_ns
    build.build(small, "solutions")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before  # not even written again


def test_drift_is_seen(small, capsys):
    lessons, original = small.parent.parent, small.read_text(encoding="utf-8")
    student = build.target(small, "student")
    built = student.read_text(encoding="utf-8")
    assert build.main(["--check"], lessons) == 0
    for changed in (
        original.replace('tags=["exercise"]', 'tags=["exercise", "nbval-skip"]'),  # a tag
        original.replace("2 * x", "x + x"),  # only the solutions
        original.replace("# %% [markdown]\n# ## Summary", "# %%\n# ## Summary"),  # another kind of cell
    ):
        small.write_text(changed, encoding="utf-8")
        assert build.main(["--check"], lessons) == 1
        assert "01_small" in capsys.readouterr().out
    small.write_text(original, encoding="utf-8")
    edited = json.loads(built)
    edited["cells"][1]["source"] = ["print('edited in the notebook')"]
    student.write_text(json.dumps(edited), encoding="utf-8")
    assert any("from cell 1 on" in line for line in build.differences(small))
    student.unlink()
    assert any("missing" in line for line in build.differences(small))
    student.write_text(built, encoding="utf-8")
    small.write_text(original.replace("\n", "\r\n"), encoding="utf-8", newline="")  # another system's line ends
    assert build.differences(small) == []
    small.write_text(original, encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("out = widgets.Output()\nwith out:\n    1 / 0\nout", "hides 1 error.*ZeroDivisionError"),
        ("1 / 0", "ZeroDivisionError"),
        ("import warnings\nwarnings.warn('old')", "no warnings.*old"),
        ("import tempfile\nprint(tempfile.gettempdir() + '/x')", "folder of this machine"),
        ("widgets.VBox([widgets.Image(value=b'')])", "still empty"),
        ("import os\nfrom IPython.display import HTML\nHTML(os.urandom(75_000).hex())", "MB"),
        ("from urllib.request import urlopen\nurlopen('http://example.org', timeout=60)", "refused"),
    ],
)
def test_what_a_learner_should_not_meet_stops_the_build(tmp_path, code, message, monkeypatch):
    monkeypatch.setattr(build, "MAX_BYTES", 100_000)
    source = lesson(tmp_path, f"\n# %%\n{code}\n")
    with pytest.raises(build.BuildError, match=f"(?s)01_small.*{message}"):
        build.build(source, "student")
    assert list((tmp_path / "lessons").glob("*.ipynb")) == []


def test_a_report_that_comes_while_something_is_sent_is_noticed():
    async def arrives() -> str:
        session = Session(key=b"key")
        with zmq.Context().socket(zmq.ROUTER) as kernel, zmq.asyncio.Context().socket(zmq.DEALER) as socket:
            socket.connect(f"tcp://127.0.0.1:{kernel.bind_to_random_port('tcp://127.0.0.1')}")
            channel = build.ShellChannel(socket, session)
            channel.send(session.msg("execute_request"))
            sender = kernel.recv_multipart()[0]
            report = asyncio.ensure_future(channel.get_msg(timeout=600))
            await asyncio.sleep(0.1)  # it waits
            session.send(kernel, "execute_reply", ident=sender)
            time.sleep(0.1)  # the report is here, and the loop has not seen it
            channel.send(session.msg("comm_msg"))
            return (await asyncio.wait_for(report, 10))["msg_type"]

    assert asyncio.run(arrives()) == "execute_reply"


def test_outputs_are_the_same_from_run_to_run(tmp_path):
    cells = [
        "from tqdm import tqdm\nfor _ in tqdm(range(3)):\n    pass",
        "for i in range(3):\n    print(f'\\rstep {i}', end='')",
        "object()",
        "display(widgets.IntProgress())",
        "widgets.IntSlider()",
        "widgets.interact(lambda n: print('n is', n), n=3);",
        "poster = picture(10, 'red')\n_ = poster.add_class('poster')\nwidgets.HBox([picture(40, 'blue'), poster])",
        "# %config InlineBackend.figure_formats = ['jpeg']\nimport matplotlib.pyplot as plt\n"
        "out = widgets.Output()\nwith out:\n    plt.plot([1, 2])\n    plt.show()\nout",
        "print(widgets.__name__)\nprint('again')",
    ]
    source = lesson(tmp_path, *(f"\n# %%\n{cell}\n" for cell in cells))
    outputs = [cell.outputs for cell in read(build.build(source, "student")).cells[2:]]
    texts = ["".join(text_of(output) for output in each) for each in outputs]
    assert texts[:4] == ["", "step 2", "<object at 0x…>", ""]
    assert texts[4] == promote.NO_PICTURE and texts[5] == "n is 3"
    assert texts[6:] == [promote.DEFAULT_TEXT] * 2 + ["ipywidgets\nagain\n"]
    widths = [kept_in(each[0]).width for each in outputs[6:8]]
    assert widths[0] == 10 and widths[1] > 100


def kept_in(output):
    """The picture that a notebook keeps."""
    with Image.open(io.BytesIO(base64.b64decode(output["data"]["image/jpeg"]))) as picture:
        return picture.copy()


def encoded(colour, size):
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, "jpeg")
    return base64.b64encode(written.getvalue()).decode()


def promoted(state):
    """What becomes of the widget "one"."""
    (made,) = promote.promote([{"data": {promote.WIDGET_VIEW: {"model_id": "one"}}}], state)
    return made


def test_a_picture_with_a_border_is_kept_as_it_is_seen_and_says_what_is_right_of_it():
    pictures = {"value": encoded("red", (160, 40)), "before": encoded("blue", (80, 20))}
    names = ["a name that is longer than its side", "ours"]
    stage = {
        "model_name": "AnyModel",
        "state": {"_dom_classes": ["poster"], "border": 0.25, "tooltip": "left and right", "names": names},
        "buffers": [{"path": [name], "data": data} for name, data in pictures.items()],
    }
    made = promoted({"one": stage})
    assert made["data"]["text/plain"] == "left and right"
    picture = kept_in(made)
    assert picture.size == (160, 40)
    for place, colour in {(16, 10): "blue", (16, 36): "blue", (80, 10): "red", (80, 36): "red"}.items():
        assert ["red", "green", "blue"][max(range(3), key=picture.getpixel(place).__getitem__)] == colour
    assert min(picture.getpixel((158, 21))) > 200  # the white ground of the name


def test_several_posters_are_kept_one_below_the_other():
    def image(colour, size, words):
        return {
            "model_name": "ImageModel",
            "state": {"_dom_classes": ["poster"], "tooltip": words},
            "buffers": [{"path": ["value"], "data": encoded(colour, size)}],
        }

    box = {"model_name": "VBoxModel", "state": {"children": ["IPY_MODEL_a", "IPY_MODEL_b"]}}
    made = promoted({"one": box, "a": image("red", (40, 20), "given"), "b": image("blue", (80, 40), "made")})
    assert made["data"]["text/plain"] == "given; made"
    picture = kept_in(made)
    assert picture.size == (80, 60)
    red, white, blue = (picture.getpixel(place) for place in ((40, 8), (4, 8), (40, 50)))
    assert red[0] > 200 > red[2] and min(white) > 200 and blue[2] > 200 > blue[0]


def test_lessons_are_chosen_by_number_name_or_path(tmp_path, capsys):
    source = lesson(tmp_path)
    lessons = source.parent.parent
    (source.parent / "02_other.py").touch()
    for name in ("01", "01_small", str(source), "01_small.ipynb"):
        assert build.sources(lessons, [name]) == [source]
    assert len(build.sources(lessons)) == 2
    assert build.main(["03"], lessons) == 1
    assert "01_small, 02_other" in capsys.readouterr().err
    with pytest.raises(build.BuildError, match="both tags"):
        build.notebook(lesson(tmp_path, '\n# %% tags=["exercise", "solution"]\n1\n'), "student")
