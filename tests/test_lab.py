"""The labs without a browser: the engine, what every lab does, choosing pictures, and each control at its ends.

A slow generator stands in for the work, and the tests decide when it takes a step; so nothing depends on time.
"""

import functools
import threading
from collections.abc import Iterator
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest
import torch
from hands import SOON, drawn, press, upload
from torch import Tensor

from stylelearn import samples
from stylelearn.images import read_image, read_settings
from stylelearn.lab.base import Lab
from stylelearn.lab.engine.errors import in_words
from stylelearn.lab.engine.runner import Job, Runner
from stylelearn.lab.steps import StepLab
from stylelearn.lab.widgets.choosers import PictureChooser
from stylelearn.optimize import Diverged, Step

pytestmark = [
    pytest.mark.usefixtures("labs"),
    pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning"),
]


class Slow:
    """Work that takes a step only when it is let, and notices if two threads ever do it at once."""

    def __init__(self, fails: Exception | None = None, after: int = 0) -> None:
        self.let, self.taken = threading.Semaphore(0), threading.Semaphore(0)
        self.fails, self.after = fails, after
        self.inside, self.most = 0, 0

    def steps(self, first: Tensor, count: int) -> Iterator[Step]:
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            for number in range(1, count + 1):
                if self.fails is not None and number > self.after:
                    raise self.fails
                assert self.let.acquire(timeout=SOON)
                pixels = first + number / 100
                yield Step(number, 1.0, {"term": 1 / number}, pixels, pixels)
                self.taken.release()
        finally:
            self.inside -= 1

    def take(self, steps: int) -> None:
        """Let it take so many steps, and wait until they have been dealt with; the next one is under way then."""
        for _ in range(steps):
            self.let.release()
            assert self.taken.acquire(timeout=SOON)


class SlowLab(StepLab):
    """A grey picture that gets brighter with every step."""

    file_name = "slow.png"

    def __init__(self, slow: Slow, first_steps: int = 0) -> None:
        self.slow = slow
        self.strength = widgets.FloatSlider(value=0.5, min=0, max=1)
        self.steps = widgets.IntSlider(value=50, min=1, max=100)
        super().__init__([{"strength": self.strength, "steps": self.steps}], first_steps)

    def job(self, settings: dict[str, Any], image: Tensor | None, steps: int) -> Job:
        first = torch.full((1, 3, 40, 60), 0.1) if image is None else image
        return Job(lambda: self.slow.steps(first, steps), steps, settings, "a grey picture", start=first)


def at_work(steps: int) -> SlowLab:
    """A lab that has taken so many steps, with the next one under way."""
    lab = SlowLab(Slow())
    press(lab, "start")  # would hang here if the work were done here: no step is allowed yet
    lab.slow.take(steps)
    return lab


def finish(lab: Lab) -> None:
    """Let the step under way come to its end, and wait until nothing runs."""
    lab.slow.let.release()
    assert lab.wait(SOON)


def stop(lab: Lab) -> None:
    """Stop in the step under way."""
    press(lab, "stop")
    finish(lab)


def stopped(step: int) -> SlowLab:
    """A lab that was stopped in that step."""
    lab = at_work(step - 1)
    stop(lab)
    return lab


def grey(lab: Lab) -> float:
    return round(float(lab.image.mean()), 4)


def test_a_second_start_does_nothing() -> None:
    lab = at_work(1)
    lab.start()
    lab.resume()
    lab.slow.take(1)
    stop(lab)
    assert lab.slow.most == 1 and grey(lab) == pytest.approx(0.13)


def test_stop_ends_after_the_present_step_and_continue_goes_on_with_the_present_settings() -> None:
    lab = stopped(4)
    assert grey(lab) == pytest.approx(0.14)
    assert "stopped after 4 steps" in lab.stage.words
    assert lab.stage.enabled == ["start", "resume", "reset", "keep"]
    lab.strength.value = 0.9
    press(lab, "resume")
    lab.slow.take(1)
    stop(lab)
    assert grey(lab) == pytest.approx(0.14 + 0.02)
    assert [number for number, _ in lab._history] == [1, 2, 3, 4, 5, 6]
    assert lab._made == {"strength": 0.9, "steps": 50, "steps_done": 6}


@pytest.mark.parametrize("stopped_first", [True, False])
def test_another_start_waits_for_the_step_under_way(stopped_first: bool) -> None:
    lab = at_work(2)
    lab.strength.value = 0.2
    if stopped_first:
        lab.stop()
    for _ in range(2):
        lab.start(restart=not stopped_first)
    lab.slow.let.release()
    lab.slow.take(1)
    stop(lab)
    assert lab.slow.most == 1
    assert lab._made == {"strength": 0.2, "steps": 50, "steps_done": 2}


def test_reset_brings_back_settings_and_picture_also_while_it_runs() -> None:
    lab = at_work(5)
    lab.strength.value = 1.0
    press(lab, "reset")
    before = lab.stage.value
    finish(lab)
    assert lab.settings == {"strength": 0.5, "steps": 50}
    assert grey(lab) == pytest.approx(0.1)
    assert lab.stage.value == before  # the step that was under way came too late
    assert lab._history == []
    assert "start" in lab.stage.enabled


def test_reset_brings_back_the_first_result_and_continue_does_not_change_it() -> None:
    slow = Slow()
    slow.let.release(3)
    lab = SlowLab(slow, first_steps=3)
    for _ in range(2):
        press(lab, "resume")
        lab.stop()
        finish(lab)
        press(lab, "reset")
        assert grey(lab) == pytest.approx(0.13)
        assert [number for number, _ in lab._history] == [1, 2, 3]


def test_it_runs_to_the_end_and_says_so() -> None:
    lab = SlowLab(slow := Slow())
    lab.steps.value = 4
    press(lab, "start")
    slow.take(4)
    assert lab.wait(SOON)
    assert "done after 4 steps" in lab.stage.words
    assert lab.stage.tooltip == "a grey picture, after 4 steps"
    assert lab.stage.curves["words"] == "Loss curves, steps 1 to 4: term from 1 to 0.25"


def test_another_lab_stops_this_one() -> None:
    lab, other = at_work(2), SlowLab(Slow())
    other.start()
    finish(lab)
    assert grey(lab) == pytest.approx(0.13)
    assert lab.stage.said == "stopped after 3 steps by SlowLab, which works now"
    assert other._runner.stopped == "SlowLab"
    assert other.running
    other.stop()
    finish(other)


def test_a_lab_that_is_closed_or_gone_from_the_page_stops() -> None:
    closed = at_work(1)
    closed.close()
    finish(closed)
    gone = SlowLab(Slow())
    gone.set_state({"_view_count": 1})
    gone.start()
    gone.slow.take(1)
    gone.set_state({"_view_count": 2})
    gone.set_state({"_view_count": 1})
    gone.slow.take(1)
    gone.set_state({"_view_count": 0})
    finish(gone)
    assert grey(gone) == pytest.approx(0.13)


def test_interrupting_the_first_result_keeps_what_there_is() -> None:
    slow = Slow(fails=KeyboardInterrupt(), after=2)
    slow.let.release(2)
    lab = SlowLab(slow, first_steps=10)
    assert grey(lab) == pytest.approx(0.12)


def test_an_error_is_told_in_words_and_nothing_is_lost() -> None:
    good = torch.full((1, 3, 40, 60), 0.7)
    lab = stopped(3)
    slow = lab.slow
    slow.fails, slow.after = ValueError("layer 'relu9_9' is not in mini"), 0
    press(lab, "start")
    assert lab.wait(SOON)
    assert lab.error == "layer 'relu9_9' is not in mini"
    assert grey(lab) == pytest.approx(0.13)
    assert len(lab._history) == 3
    slow.fails = Diverged("stopped at step 9: use a lower learning rate", 9, good)
    press(lab, "start")
    assert lab.wait(SOON)
    assert "lower learning rate" in lab.error
    assert grey(lab) == pytest.approx(0.7)
    slow.fails = None
    press(lab, "start")
    slow.take(1)
    assert lab.error == ""
    stop(lab)


def test_errors_in_words() -> None:
    for error in (MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")):
        assert "smaller size" in in_words(error)
    assert in_words(RuntimeError("something else")) == "RuntimeError: something else"


def test_a_fault_of_the_watcher_does_not_block_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", shown.append)
    runner = Runner(lambda run: None, lambda run, step: None, lambda run, error: 1 / 0, "a lab")
    for _ in range(2):
        runner.start(Job(lambda: [], 1))
        assert runner.wait(SOON)
    assert [one.exc_type for one in shown] == [ZeroDivisionError] * 2


def test_what_is_saved_has_the_settings_it_was_made_with(tmp_path: Path) -> None:
    lab = stopped(4)
    lab.strength.value = 1.0  # after the picture was made: not its setting
    lab.stage.file_name = str(tmp_path / "grey.png")
    for name in ("grey.png", "grey-2.png"):  # the second time nothing is overwritten
        lab.stage._handle_custom_msg({"do": "save"}, [])
        path = tmp_path / name
        assert read_settings(path) == {"strength": 0.5, "steps": 50, "steps_done": 4, "lab": "SlowLab"}
        assert torch.allclose(read_image(path), lab.image, atol=1 / 255)
        assert downloaded(lab) == path.read_bytes()
        assert name in lab.stage.written


def downloaded(lab: Lab) -> bytes:
    """What the browser gets."""
    sent: list[Any] = []
    send, lab.stage.send = lab.stage.send, lambda message, buffers: sent.extend(buffers)
    lab.stage._handle_custom_msg({"do": "download"}, [])
    lab.stage.send = send
    return sent[0]


def test_where_nothing_can_be_written_the_download_is_there(tmp_path: Path) -> None:
    lab = SlowLab(Slow())
    assert lab.save(str(tmp_path / "no such folder" / "grey.jpg")) is None
    assert "does not exist" in lab.error
    assert read_settings(downloaded(lab))["lab"] == "SlowLab"
    lab.stage.file_name = "grey.bmp"
    lab.stage._handle_custom_msg({"do": "save"}, [])
    assert ".png" in lab.error
    assert lab.save(str(tmp_path / f"{'a' * 260}.png")) is None and "choose another name" in lab.error


def test_an_upload_is_taken_and_a_bad_one_is_refused_in_words() -> None:
    chooser = PictureChooser("content", "chelsea")
    upload(chooser, drawn((255, 0, 0)))
    assert chooser.value == "upload: mine.png"
    assert chooser.image.shape == (1, 3, 70, 90)
    assert chooser.words == "content: upload: mine.png" and chooser.thumbnail[:2] == b"\xff\xd8"
    upload(chooser, b"no picture at all", "notes.txt")
    assert "notes.txt" in chooser.error
    assert chooser.value == "upload: mine.png"
    picked = chooser.picked
    upload(chooser, drawn((0, 255, 0)))  # the same name again
    assert chooser.picked == picked + 1
    assert chooser.error == ""
    chooser.choose("rocket")
    assert chooser.value == "rocket" and torch.equal(chooser.image, samples.content("rocket"))
    chooser._handle_custom_msg({"do": "choose", "name": "upload: mine.png"}, [])  # it stays in the list
    assert torch.equal(chooser.image[0, :, 0, 0], torch.tensor([0.0, 1.0, 0.0]))
    chooser._handle_custom_msg({"do": "refused", "why": "'IMG_1.HEIC' has 12.3 MB"}, [])
    assert "'IMG_1.HEIC' has 12.3 MB" in chooser.error and chooser.value == "upload: mine.png"


def test_files_and_addresses_are_read_again_each_time(tmp_path: Path) -> None:
    file = tmp_path / "mine.png"
    file.write_bytes(drawn((0, 0, 255), (1500, 400)))
    chooser = PictureChooser("content", file)
    assert max(chooser.image.shape) == 1024  # kept no larger than it is needed
    file.write_bytes(drawn((0, 255, 0)))
    chooser._handle_custom_msg({"do": "address", "source": f' "{file}"'}, [])  # with the quotes that Windows copies
    assert chooser.value == str(file) and float(chooser.image[0, 1].min()) == 1
    chooser.choose("chelsea")
    file.write_bytes(drawn((0, 0, 255)))
    chooser._handle_custom_msg({"do": "choose", "name": str(file)}, [])
    assert float(chooser.image[0, 1].max()) == 0
    chooser.choose(str(tmp_path / "green.png"))
    assert "does not exist" in chooser.error and chooser.value == str(file)
    with HTTPServer(("127.0.0.1", 0), functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        for name, error in (("mine.png", ""), ("missing.png", "404")):
            chooser.choose(f"{address}/{name}")
            assert error in chooser.error and bool(error) == bool(chooser.error)
            assert chooser.value == f"{address}/mine.png"
        server.shutdown()
    with pytest.raises(ValueError, match="nosuch"):
        PictureChooser("content", "nosuch")
