"""Labs in their kernel: what they hold is given back, the ■ stops them, and networks are loaded again when changed."""

import gc
import os
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import comm
import pytest
from hands import SOON, drawn
from ipywidgets.widgets.widget import _instances
from jupyter_client.manager import KernelManager

from stylelearn.images import read_settings
from stylelearn.lab import AdaINLab, GatysLab, PhotoLab
from stylelearn.lab.engine.networks import loaded_once
from stylelearn.lab.widgets.stage import SCRIPT

pytestmark = pytest.mark.usefixtures("labs")

LABS = {
    "gatys": lambda: GatysLab(size=64, first_steps=2),
    "adain": lambda: AdaINLab(size=64),
    "photo": lambda: PhotoLab(size=64, first_steps=2),  # which has a painter
}


def registered() -> tuple[int, int]:
    return len(_instances), len(comm.get_comm_manager().comms)


@pytest.mark.parametrize("make", LABS.values(), ids=LABS)
def test_a_closed_lab_leaves_nothing_registered(make: Callable[[], Any]) -> None:
    gc.collect()
    before = registered()
    lab = make()
    assert registered()[1] > before[1] + 10
    picture = weakref.ref(lab.content.image)
    lab.close()
    gc.collect()
    assert registered() == before
    assert picture() is None  # even while the closed lab still has a name


BEGIN = """
from stylelearn.lab import GatysLab
from ipywidgets.widgets.widget import _instances
lab = GatysLab("chelsea", "mosaic", size=64, steps=1000, first_steps=1)
lab
"""


@pytest.fixture(scope="module")
def cell(root: Path) -> Iterator[Callable[[str, str], str]]:
    """Runs a cell, given its id, in a kernel of its own; its printed lines."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(root), env={**os.environ, "PYTHONPATH": str(root)})
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=SOON)

    def run(name: str, code: str) -> str:
        content = {
            "code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
            "stop_on_error": True,
        }  # fmt: skip
        message = client.session.msg("execute_request", content, metadata={"cellId": name})
        client.shell_channel.send(message)
        said = ""
        while True:
            answer = client.get_iopub_msg(timeout=SOON)
            if answer["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if answer["msg_type"] == "stream":
                said += answer["content"]["text"]
            elif answer["msg_type"] == "error":
                said += answer["content"]["ename"]
            elif answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
                return said.strip()

    run.manager = manager  # type: ignore[attr-defined]
    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_cell_that_is_run_again_gives_back_its_old_lab(cell: Callable[[str, str], str]) -> None:
    assert cell("one", BEGIN) == ""
    count = int(cell("two", "first = lab; print(len(_instances))"))
    for _ in range(2):
        cell("one", BEGIN)
        assert int(cell("two", "print(len(_instances))")) == count
    assert cell("two", "print(first.comm, lab.comm is not None)") == "None True"
    cell("three", BEGIN)  # another cell has another lab
    assert int(cell("two", "print(len(_instances))")) == 2 * count


def test_the_kernels_stop_button_stops_a_lab_and_the_picture_stays(cell: Callable[[str, str], str]) -> None:
    cell("one", BEGIN)
    cell("two", "import time; lab.start(); time.sleep(1)")
    cell.manager.interrupt_kernel()  # type: ignore[attr-defined]  # while no cell runs
    assert cell("two", f"print(lab.wait({SOON}), lab.running, bool(lab.image.isfinite().all()))") == "True False True"
    assert "by the kernel" in cell("two", "print(lab.stage.words)")
    assert cell("two", "lab.start(); import signal; signal.raise_signal(signal.SIGINT)") == "KeyboardInterrupt"
    assert cell("two", f"print(lab.wait({SOON}), lab.running)") == "True False"


def test_a_network_that_was_trained_again_is_loaded_again(tmp_path: Path) -> None:
    file = tmp_path / "net.txt"
    loaded: list[str] = []

    def load(name: str) -> str:
        loaded.append(Path(name).read_text() if Path(name).is_file() else name)
        return loaded[-1]

    network = loaded_once(load, "course")
    assert [network(), network(), network("course")] == ["course"] * 3 and loaded == ["course"]
    for text in ("one", "another"):
        file.write_text(text)
        assert network(file) == network(str(file)) == text
    assert loaded == ["course", "one", "another"]


def test_a_saved_picture_and_its_words_tell_no_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.png").write_bytes(drawn("red"))
    lab = GatysLab(tmp_path / "mine.png", "mosaic", size=64, first_steps=1)
    assert lab.settings["content"] == str(tmp_path / "mine.png")  # which makes the same lab again
    assert read_settings(lab.save(str(tmp_path / "made.png")))["content"] == "mine.png"
    assert str(tmp_path) not in lab.stage.tooltip and "mine.png" in lab.stage.tooltip


def test_the_page_fetches_nothing() -> None:
    assert "://" not in SCRIPT
