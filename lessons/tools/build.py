"""From the source of a lesson to its two notebooks, one way.

    python lessons/tools/build.py              every lesson
    python lessons/tools/build.py 02           one lesson, by its number or its name
    python lessons/tools/build.py --text 02    run nothing: only text has changed, and the code keeps what it shows
    python lessons/tools/build.py --check      run nothing; say whether the notebooks still hold what the sources say

src/NN_name.py is the source (jupytext's py:percent). NN_name.ipynb leaves out the cells tagged `solution`,
solutions/NN_name.ipynb those tagged `exercise`. Both are run from top to bottom, without network, and keep what they
show: a lesson can be read where there is no kernel. The same source gives the same bytes on the same machine, as far
as the lesson's own results do. In the solutions, links that are relative to lessons/ are made to fit their folder.
Whatever is built, the chapters of TEACHING.md are written anew from the sources, see guide.py.

The build fails, and leaves the notebook as it was, when a cell stops with an error, when an error hides inside an
Output widget, when a cell writes warnings, when an output names a folder of this machine, or above 2 MB.
"""

import argparse
import hashlib
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import zmq
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets import Type

from guide import GuideError, renewed
from promote import WIDGET_STATE, PromotionError, hidden_errors, promote
from stylelearn import __version__

LESSONS = Path(__file__).resolve().parent.parent
MAX_BYTES = 2_000_000
CELL_SECONDS = 600
SIDES = {"student": "solution", "solutions": "exercise"}  # notebook -> the tag of the cells it leaves out
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python", "pygments_lexer": "ipython3"}
_LINK = re.compile(r"""(\]\(|\b(?:src|href)=["'])(?![a-z][a-z+.-]*:|[/#])([^)\s"']+)""")
_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)  # in Markdown, where vgg[:21](x) is no link
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # as terminals write it
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")


class BuildError(Exception):
    """A lesson cannot be built; the message names the lesson, the cell and what to do."""


def sources(lessons: Path = LESSONS, names: Iterable[str] = ()) -> list[Path]:
    """The sources of all lessons, or of those named by number, name or path."""
    found = sorted((lessons / "src").glob("[0-9][0-9]_*.py"))
    wanted = [Path(name).stem for name in names]
    for name in wanted:
        if not any(name in (path.stem, path.stem[:2]) for path in found):
            raise BuildError(f"no lesson {name!r}; there are {', '.join(path.stem for path in found) or 'none'}")
    return [path for path in found if not wanted or path.stem in wanted or path.stem[:2] in wanted]


def target(source: Path, side: str) -> Path:
    """Where the `student` or the `solutions` notebook of a source stands."""
    folder = source.parent.parent / ("solutions" if side == "solutions" else "")
    return folder / f"{source.stem}.ipynb"


def notebook(source: Path, side: str) -> NotebookNode:
    """The notebook that a source gives, not run yet: cells with stable ids and nothing but tags as metadata."""
    text = source.read_text(encoding="utf-8").replace("\r\n", "\n")
    cells, seen = [], Counter()
    for raw in jupytext.reads(text, fmt="py:percent").cells:
        tags = raw.metadata.get("tags", [])
        if set(SIDES.values()) <= set(tags):
            raise BuildError(f"{source.stem}: a cell has both tags {set(SIDES.values())}, so no notebook would hold it")
        content = hashlib.sha256("\0".join((source.stem, raw.cell_type, raw.source)).encode()).hexdigest()[:10]
        seen[content] += 1
        if SIDES[side] in tags:
            continue
        new = getattr(nbformat.v4, f"new_{raw.cell_type}_cell")
        body = raw.source if raw.cell_type == "code" or side == "student" else _one_folder_down(raw.source, source)
        cell_id = content if seen[content] == 1 else f"{content}-{seen[content]}"
        cells.append(new(body, id=cell_id, metadata={"tags": list(tags)} if tags else {}))
    origin = {"source": f"src/{source.name}", "sha256": hashlib.sha256(text.encode()).hexdigest(), "side": side}
    origin["edition"] = __version__
    metadata = {"kernelspec": KERNEL, "language_info": LANGUAGE, "stylelearn": origin}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def _one_folder_down(markdown: str, source: Path) -> str:
    """Relative links of lessons/ as seen from lessons/solutions/; other lessons stay solutions there."""

    def moved(match: re.Match[str]) -> str:
        before, link = match.groups()
        file = link.split("#")[0]
        stays = file.endswith(".ipynb") and (source.parent / file).with_suffix(".py").is_file()
        return before + (link if stays else f"../{link}")

    parts = _CODE.split(markdown)  # text, code, text, …
    return "".join(part if number % 2 else _LINK.sub(moved, part) for number, part in enumerate(parts))


def build(source: Path, side: str) -> Path:
    """Run one side of a lesson and write its notebook; BuildError for whatever a learner should not meet."""
    path = target(source, side)
    path.parent.mkdir(exist_ok=True)
    built = notebook(source, side)
    state = _run(built, path)
    errors = hidden_errors(state)
    if errors:
        raise BuildError(f"{path.name}: an Output widget hides {len(errors)} error(s): {'; '.join(errors)}")
    for number, cell in enumerate(built.cells):
        if cell.cell_type == "code":
            cell.metadata.pop("execution", None)
            try:
                cell.outputs = [nbformat.from_dict(_clean(out)) for out in promote(_streams(cell.outputs), state)]
            except (BuildError, PromotionError) as error:
                raise BuildError(f"{path.name}, cell {number}: {error}\n\n{cell.source}") from None
    return _write(built, path)


def renew_text(source: Path, side: str) -> Path:
    """Put changed text into a notebook that is built; BuildError where its code differs from the source's."""
    path, new = target(source, side), notebook(source, side)
    old = nbformat.read(path, as_version=4) if path.exists() else nbformat.v4.new_notebook()
    mine, theirs = ([cell for cell in each.cells if cell.cell_type == "code"] for each in (old, new))
    if list(map(_essence, mine)) != list(map(_essence, theirs)):
        raise BuildError(f"{path.name}: its code is not that of {source.name}; build it without --text")
    for before, after in zip(mine, theirs, strict=True):
        after.update(outputs=before.outputs, execution_count=before.execution_count)
    return _write(new, path)


def _write(built: NotebookNode, path: Path) -> Path:
    nbformat.validate(built)
    written = (nbformat.writes(built, version=4) + "\n").encode()
    if len(written) > MAX_BYTES:
        raise BuildError(
            f"{path.name} has {len(written) / 1e6:.2f} MB, the limit is {MAX_BYTES / 1e6:.0f} MB: "
            "show fewer or smaller pictures, as JPEG (%config InlineBackend.figure_formats = ['jpeg'])"
        )
    if not path.exists() or path.read_bytes() != written:
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(written)
        unfinished.replace(path)
    return path


class ShellChannel(AsyncZMQSocketChannel):
    """The channel on which a cell is sent and its end is reported, without a report that goes unnoticed.

    While nbclient waits here, it also sends what an `Output` widget shows. ZeroMQ signals a message once, and a send
    consumes the signal: a report that arrives just then is read only when the cell's time is over
    (github.com/jupyter/nbclient/issues/312). To ask for the socket's events wakes whatever waits.
    """

    def send(self, msg: dict[str, Any]) -> None:
        super().send(msg)
        self.socket.get(zmq.EVENTS)


class _KernelClient(AsyncKernelClient):
    shell_channel_class = Type(ShellChannel)


class _KernelManager(AsyncKernelManager):
    client_factory = Type(_KernelClient)


def _run(built: NotebookNode, path: Path) -> dict[str, dict[str, Any]]:
    """Run all cells in place, in the notebook's folder and without network; returns the state of the widgets."""
    client = NotebookClient(
        built,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        kernel_manager_class=_KernelManager,
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
    )
    with tempfile.TemporaryDirectory() as profile:
        try:
            client.execute(env=_environment(profile))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise BuildError(f"{path.name} stopped:\n{_COLOUR.sub('', str(error))}") from None
    built.metadata.language_info = LANGUAGE  # the kernel has put its own version there
    return built.metadata.pop("widgets", {}).get(WIDGET_STATE, {}).get("state", {})


def _environment(profile: str) -> dict[str, str]:
    """The kernel's environment: nobody's own IPython settings, no network, the same order of sets each time."""
    nowhere = "http://127.0.0.1:9"  # a port where nothing listens: downloads fail at once instead of waiting
    python_path = os.pathsep.join(filter(None, (str(LESSONS.parent), os.environ.get("PYTHONPATH"))))
    proxies = {name: nowhere for each in ("http_proxy", "https_proxy") for name in (each, each.upper())}
    local = dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost")
    own = {"IPYTHONDIR": profile, "PYTHONHASHSEED": "0", "PYTHONPATH": python_path, "OMP_WAIT_POLICY": "PASSIVE"}
    return {**os.environ, **proxies, **local, **own}


def _streams(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Printed text in one piece, however it arrived, and without progress bars; a warning is an error here."""
    kept: list[dict[str, Any]] = []
    for output in outputs:
        if output["output_type"] != "stream":
            kept.append(output)
        elif output["name"] == "stderr":
            if "\r" not in output["text"] and output["text"].strip():
                raise BuildError(f"a lesson shows no warnings; this one came:\n{output['text']}")
        elif kept and kept[-1]["output_type"] == "stream":
            kept[-1]["text"] += output["text"]
        else:
            kept.append(output)
    return kept


def _clean(output: dict[str, Any]) -> dict[str, Any]:
    """One output without what differs from run to run; a folder of this machine is an error."""
    if output["output_type"] == "stream":
        lines = output["text"].replace("\r\n", "\n")
        output["text"] = _same_text(re.sub(r"[^\n]*\r", "", lines))  # of a line written over, the last words
    for mime, value in output.get("data", {}).items():
        if mime.startswith("text/") and isinstance(value, str):
            output["data"][mime] = _same_text(value)
    return output


def _same_text(text: str) -> str:
    for folder in machine_folders():
        if named := re.search(rf".{{0,200}}{re.escape(folder)}(?!\w).{{0,200}}", text):
            raise BuildError(f"the output names a folder of this machine, {folder}:\n{named.group()}")
    return _ADDRESS.sub("0x…", text)


def machine_folders() -> list[str]:
    """Folders that mean something on this machine only."""
    folders = {LESSONS.parent, Path.home(), Path(tempfile.gettempdir())}
    if sys.prefix != sys.base_prefix:  # a virtual environment
        folders.add(Path(sys.prefix))
    return sorted(str(folder) for folder in folders if len(folder.parts) > 1)


def differences(source: Path) -> list[str]:
    """How the two notebooks of a source differ from what it gives today; nothing is run."""
    found = []
    for side in SIDES:
        path = target(source, side)
        shown = path.relative_to(source.parent.parent)
        if not path.exists():
            found.append(f"{shown} is missing")
            continue
        old, new = nbformat.read(path, as_version=4), notebook(source, side)
        before, after = ([_essence(cell) for cell in each.cells] for each in (old, new))
        if before != after:
            pairs = zip([*before, None], [*after, None], strict=False)
            first = next(number for number, (mine, theirs) in enumerate(pairs) if mine != theirs)
            found.append(f"{shown} differs from {source.name} from cell {first} on")
        elif old.metadata != new.metadata:
            found.append(f"{shown} was built from another {source.name}, or belongs to another edition")
    return found


def renew_guide(lessons: Path, *, write: bool) -> bool:
    """Whether TEACHING.md held what the sources say about teaching; with `write` it does afterwards."""
    path = lessons / "TEACHING.md"
    if not path.exists():
        return True
    before = path.read_text(encoding="utf-8")
    after = renewed(before, sources(lessons))
    if write and after != before:
        path.write_text(after, encoding="utf-8")
    return after == before


def _essence(cell: NotebookNode) -> tuple[str, str, str, tuple[str, ...]]:
    return cell.cell_type, cell.get("id", ""), cell.source, tuple(cell.metadata.get("tags", ()))


def main(arguments: list[str] | None = None, lessons: Path = LESSONS) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Build the notebooks of the lessons from their sources.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="lessons by number or name; all when none is given")
    parser.add_argument("--text", action="store_true", help="only text has changed: run nothing, keep what is shown")
    parser.add_argument("--check", action="store_true", help="only compare the notebooks with their sources")
    options = parser.parse_args(arguments)
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")  # this environment's kernel before any other
    try:
        chosen = sources(lessons, options.names)
        if options.check:
            drift = [line for source in chosen for line in differences(source)]
            drift += [] if renew_guide(lessons, write=False) else ["TEACHING.md differs from the sources"]
            print("\n".join([*drift, "run: make lessons"] if drift else ["notebooks and sources agree"]))
            return 1 if drift else 0
        for source in chosen:
            for side in SIDES:
                start = time.perf_counter()
                path = renew_text(source, side) if options.text else build(source, side)
                took, size = time.perf_counter() - start, path.stat().st_size / 1e6
                print(f"{path.relative_to(lessons)}: {took:.0f} s, {size:.2f} MB", flush=True)
        try:
            renew_guide(lessons, write=True)
        except GuideError as error:
            print(f"TEACHING.md stays as it is: {error}", file=sys.stderr)
    except (BuildError, GuideError) as error:
        print(f"not built: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
