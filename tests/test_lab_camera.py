"""What the camera sees, painted: the kernel's side, with pictures as a page sends them; test_lab_stage has the page."""

import gc
import queue
import weakref
from typing import Any

import pytest
import torch
from hands import SOON, drawn
from torch import Tensor

from stylelearn.images import read_image
from stylelearn.lab import camera as module
from stylelearn.lab.camera import CameraLab
from stylelearn.lab.engine import runner
from stylelearn.lab.live import sizes
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.choosers import PictureChooser

pytestmark = [
    pytest.mark.usefixtures("labs"),
    pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning"),
]
RED, BLUE = (200, 30, 30), (30, 30, 200)


class Shaded(CameraLab):
    """The content, as dark as the slider says."""

    def __init__(self) -> None:
        self.painted: list[weakref.ref[Tensor]] = []
        self.fails: Exception | None = None
        self.content = PictureChooser("content", "chelsea")
        shade = controls.number("shade", 1.0, 0, 1, 0.01, "How much of the light is left.")
        super().__init__([{"content": self.content, "shade": shade, "size": sizes(64)}])

    def render(self, settings: dict[str, Any], pictures: dict[str, Tensor]) -> Tensor:
        if self.fails is not None:
            raise self.fails
        self.painted.append(weakref.ref(pictures["content"]))
        return self._fitted(pictures["content"], settings["size"]) * settings["shade"]

    def words(self, settings: dict[str, Any]) -> str:
        return settings["content"]


class Film:
    """The page beside a lab: what it sends from its camera, and what it gets back."""

    def __init__(self, lab: CameraLab, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lab, self.number = lab, 0
        self.got: queue.SimpleQueue[tuple[dict[str, Any], list[bytes]]] = queue.SimpleQueue()
        monkeypatch.setattr(lab.stage, "send", lambda message, buffers=(): self.got.put((message, list(buffers))))
        self.say(do="live", on=True)

    def say(self, buffers: Any = (), **message: Any) -> None:
        self.lab.stage._handle_custom_msg(message, list(buffers))

    def paint(self, frame: bytes) -> Tensor:
        """One picture there and back."""
        self.number += 1
        self.say([memoryview(frame)], do="frame", number=self.number)
        message, (data,) = self.got.get(timeout=SOON)
        assert message == {"painted": self.number}
        return read_image({"name": "painted", "content": data})

    def over(self) -> str:
        """The words with which the kernel ends it."""
        return self.got.get(timeout=SOON)[0]["over"]


def frame(colour: tuple[int, int, int]) -> bytes:
    return drawn(colour, (192, 144), "jpeg")


def colour(image: Tensor) -> Any:
    return pytest.approx([255 * float(one) for one in image.mean((0, 2, 3))], abs=3)


def test_each_picture_is_painted_as_set_at_its_moment_and_none_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Shaded()
    still, settings, value = lab.image, lab.settings, lab.stage.value
    film = Film(lab, monkeypatch)
    assert list(RED) == colour(film.paint(frame(RED)))
    made = film.paint(frame(BLUE))
    assert list(BLUE) == colour(made) and made.shape == (1, 3, 144, 192)
    assert lab.settings == settings and lab.image is still and lab.stage.value == value
    count = len(lab.painted)
    lab.controls["shade"].value = 0.5  # the photo waits for the end
    assert [0.5 * one for one in BLUE] == colour(film.paint(frame(BLUE)))
    assert len(lab.painted) == count + 1
    film.say(do="live", on=False)
    assert lab.wait(SOON) and film.got.empty()  # the page knows
    torch.testing.assert_close(lab.image, 0.5 * still)
    film.say([memoryview(frame(RED))], do="frame", number=9)  # what comes too late
    assert lab.wait(SOON) and film.over() == "the camera is off"
    gc.collect()
    assert len(lab.painted) == 5 and {one() for one in lab.painted} == {None, lab.content.image}


@pytest.mark.parametrize("stop", ["interrupt", "another", "quiet"])
def test_the_page_is_told_when_it_is_over(stop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lab, other = Shaded(), Shaded()
    still = lab.image
    if stop == "quiet":
        monkeypatch.setattr(module, "QUIET", 0.3)
    film = Film(lab, monkeypatch)
    film.paint(frame(RED))
    if stop == "interrupt":
        runner.interrupt()
    elif stop == "another":
        other.start()
    words = {"interrupt": ": the kernel's ■", "another": ": Shaded, which works now"}.get(stop, "")
    assert film.over() == "the camera is off" + words
    assert lab.wait(SOON) and other.wait(SOON) and lab.error == ""
    torch.testing.assert_close(lab.image, still)
    lab.controls["shade"].value = 0.5  # and moves paint the photo again
    assert lab.wait(SOON)
    torch.testing.assert_close(lab.image, 0.5 * still)


def test_the_page_is_told_also_if_it_was_stopped_before_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Shaded()
    film = Film(lab, monkeypatch)
    runner.interrupt()
    film.say([memoryview(frame(RED))], do="frame", number=1)
    assert film.over().startswith("the camera is off")
    lab.controls["shade"].value = 0.5
    assert lab.wait(SOON) and lab._made["shade"] == 0.5


def test_what_cannot_be_painted_ends_it_with_a_word_and_closing_the_lab_does(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Shaded()
    film = Film(lab, monkeypatch)
    lab.fails = ValueError("the style is not there")
    film.say([memoryview(frame(RED))], do="frame", number=1)
    assert film.over() == "the camera is off"
    assert lab.wait(SOON) and lab.error == "the style is not there"
    lab.fails = None
    film.say(do="live", on=True)
    film.paint(frame(RED))
    lab.close()
    assert film.over() == "the camera is off" and lab.wait(SOON)
