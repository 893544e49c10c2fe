"""Live labs without a browser: the newest move wins, the page never waits, errors are told, and what mixes styles.

A network that waits to be let stands in for the work, so nothing depends on time.
"""

import io
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hands import SOON, press
from hypothesis import given
from PIL import Image
from torch import Tensor

from stylelearn import samples
from stylelearn.images import resize
from stylelearn.lab.live import SIZES, LiveLab, sizes
from stylelearn.lab.mixing import EVERYWHERE, MASKS, MaskChooser, Pad, bilinear, mask
from stylelearn.lab.widgets import controls
from stylelearn.lab.widgets.stage import MOST_KEPT

pytestmark = [
    pytest.mark.usefixtures("labs"),
    pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning"),
]


class Grey(LiveLab):
    """A picture as grey as the slider says; each painting waits until it is let, once there is a first one."""

    file_name, preview = "grey.png", 0

    def __init__(self, grey: float = 0.5, **more: Any) -> None:
        self.let, self.begun = threading.Semaphore(1), threading.Semaphore(0)
        self.painted: list[float] = []
        self.fails: Exception | None = None
        slider = controls.number("grey", grey, 0, 1, 0.01, "How bright the picture is.")
        super().__init__([{"grey": slider, **more}])

    def close(self) -> None:
        self.let.release(100)
        super().close()

    def render(self, settings: dict[str, Any], pictures: dict[str, Tensor]) -> Tensor:
        assert not torch.is_grad_enabled()
        self.begun.release()
        assert self.let.acquire(timeout=SOON)
        if self.fails is not None:
            raise self.fails
        self.painted.append(settings["grey"])
        return torch.full((1, 3, 20, 30), settings["grey"])

    def words(self, settings: dict[str, Any]) -> str:
        return f"a picture of grey {settings['grey']}"

    @property
    def shown(self) -> float:
        """How grey the JPEG on the page is."""
        with Image.open(io.BytesIO(self.stage.value)) as picture:
            assert picture.getpixel((3, 3)) == picture.getpixel((25, 15))
            return picture.getpixel((0, 0))[0] / 255


def grey(value: float) -> Any:
    return pytest.approx(value, abs=0.01)


def test_a_picture_and_its_words_reach_the_page_in_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    lab, sent = Grey(0.25), []
    assert lab.shown == grey(0.25)  # when the constructor returns
    assert "30 × 20 pixels" in lab.stage.words and " ms after the move" in lab.stage.words
    monkeypatch.setattr(lab.stage, "_send", lambda message, **_: sent.append(message))
    lab.let.release()
    lab.set(grey=0.5)
    assert lab.wait(SOON)
    (picture,) = [message for message in sent if message["buffer_paths"]]  # bytes travel beside the rest
    assert (picture["state"], picture["buffer_paths"]) == ({"tooltip": "a picture of grey 0.5"}, [["value"]])


def test_a_move_returns_at_once_and_the_newest_value_wins() -> None:
    lab = Grey(0.0)
    slider = lab.controls["grey"]
    slider.value = 0.1  # returns although the painting is not let
    assert lab.begun.acquire(timeout=SOON) and lab.begun.acquire(timeout=SOON)  # the first picture's, and this one's
    for value in (0.2, 0.3, 0.4, 0.9):
        slider.value = value
        assert sum(thread.name == "stylelearn lab" for thread in threading.enumerate()) == 1
    assert lab.shown == grey(0.0)  # nothing new yet, and nothing lost
    lab.let.release(100)
    assert lab.wait(SOON)
    assert lab.painted == [0.0, 0.1, 0.9]  # what was overtaken was never begun
    assert lab.shown == grey(0.9)
    assert float(lab.image.mean()) == grey(0.9)


class Sized(Grey):
    """As `Grey`, at the size that is chosen, and small while the slider moves."""

    preview = 64

    def render(self, settings: dict[str, Any], pictures: dict[str, Tensor]) -> Tensor:
        return resize(super().render(settings, pictures), settings["size"], "long")


def test_while_a_slider_moves_a_smaller_picture_is_shown_and_then_the_full_one() -> None:
    lab = Sized(0.0, size=sizes(128))
    assert lab.begun.acquire(timeout=SOON)
    lab.controls["grey"].value = 0.4
    assert lab.begun.acquire(timeout=SOON)  # small
    lab.let.release()
    assert lab.begun.acquire(timeout=SOON)  # the full one
    assert lab.stage.tooltip == "a picture of grey 0.4, while it moves"
    assert lab.shown == grey(0.4) and max(lab.image.shape) == 128 and float(lab.image.mean()) == grey(0.0)
    lab.let.release()
    assert lab.wait(SOON)
    assert lab.painted == [0.0, 0.4, 0.4]
    assert lab.stage.tooltip == "a picture of grey 0.4"
    assert max(lab.image.shape) == 128 and float(lab.image.mean()) == grey(0.4)
    lab.controls["grey"].value = 0.6
    assert lab.begun.acquire(timeout=SOON)
    lab.controls["grey"].value = 0.8  # what is overtaken is painted small only
    lab.let.release(100)
    assert lab.wait(SOON)
    assert lab.painted[3:] == [0.6, 0.8, 0.8]


def test_a_kept_picture_brings_its_settings_back() -> None:
    lab = Grey(0.5)
    lab.let.release(100)
    for value in (0.2, 0.8):
        press(lab, "keep")
        lab.set(grey=value)
        assert lab.wait(SOON)
    assert [one["words"] for one in lab.stage.kept] == ["a picture of grey 0.5", "a picture of grey 0.2"]
    lab.stage._handle_custom_msg({"do": "again", "number": 0}, [])
    assert lab.wait(SOON)
    assert lab.settings == {"grey": 0.5} and lab.shown == grey(0.5)
    for _ in range(MOST_KEPT):
        lab.keep()
    assert len(lab.stage.kept) == MOST_KEPT and lab.stage.kept[0]["number"] == 3  # the oldest ones went


def test_set_paints_once_and_reset_brings_the_beginning_back() -> None:
    lab = Grey(0.5, size=sizes(256))
    lab.let.release(100)
    lab.set(grey=0.8, size=512)
    assert lab.wait(SOON)
    assert lab.painted == [0.5, 0.8]
    press(lab, "reset")
    assert lab.wait(SOON)
    assert lab.settings == {"grey": 0.5, "size": 256}
    assert lab.shown == grey(0.5)


def test_an_error_is_a_line_and_the_last_picture_stays() -> None:
    lab = Grey(0.2)
    lab.let.release(100)
    lab.fails = ValueError("a picture of 8x8 is too small")
    lab.controls["grey"].value = 0.9
    assert lab.wait(SOON)
    assert lab.error == "a picture of 8x8 is too small"
    assert lab.shown == grey(0.2)
    assert lab._made == {"grey": 0.2}  # and Save keeps what belongs to it
    lab.fails = None
    lab.controls["grey"].value = 0.6
    assert lab.wait(SOON)
    assert lab.error == ""
    assert lab.shown == grey(0.6)


def test_a_lab_that_is_closed_paints_no_more() -> None:
    lab = Grey(0.2)
    lab.controls["grey"].value = 0.9
    assert lab.begun.acquire(timeout=SOON) and lab.begun.acquire(timeout=SOON)
    lab.controls["grey"].value = 0.8
    lab.close()
    assert lab.wait(SOON)
    assert 0.8 not in lab.painted


def test_sizes() -> None:
    assert [value for _, value in sizes(256).options] == list(SIZES)
    assert (320, "320 px") in [(value, words) for words, value in sizes(320).options]
    for wrong in (True, "256"):
        with pytest.raises(ValueError, match="size must be a number from 64 to 1024"):
            sizes(wrong)  # type: ignore[arg-type]


@given(st.floats(0, 1), st.floats(0, 1))
def test_shares_of_the_pad(across: float, down: float) -> None:
    shares = bilinear(across, down)
    assert sum(shares) == pytest.approx(1)
    assert min(shares) >= 0
    # The pad is linear: the centre of the four corners, weighted with their shares, is where the ring is.
    places = [(0, 0), (1, 0), (0, 1), (1, 1)]
    for axis, value in enumerate((across, down)):
        assert sum(share * place[axis] for share, place in zip(shares, places, strict=True)) == pytest.approx(value)


def test_the_pad_says_and_shows_the_shares() -> None:
    pad = Pad(0.5, 0.0)
    names = samples.style_names()[:4]
    pad.corners(names, [samples.style(name, 64) for name in names])
    assert f"{names[0]} 50% · {names[1]} 50%" in pad.words
    assert [picture[:2] for picture in pad.pictures] == [b"\xff\xd8"] * 4
    pad.down.value = 1.0
    assert pad.place == (0.5, 1.0)
    assert pad.words == f"{names[2]} 50% · {names[3]} 50%"
    pad.set_state({"place": [0.25, 0.5]})  # as the page sends it
    assert (pad.across.value, pad.down.value) == (0.25, 0.5)
    assert pad.words.startswith(f"{names[0]} 38%")  # of 3/8


def test_masks_are_where_they_say() -> None:
    found = {name: mask(MaskChooser(name).image, (40, 60)) for name in MASKS}
    one, none = pytest.approx(1, abs=1e-5), pytest.approx(0, abs=1e-5)
    assert float(found[EVERYWHERE].min()) == one
    half = found["left half"]
    assert float(half[:, :25].min()) == one and float(half[:, 35:].max()) == none
    torch.testing.assert_close(half + half.flip(1), torch.ones(40, 60))
    half = found["upper half"]
    assert float(half[:16].min()) == one and float(half[24:].max()) == none
    assert float(found["centre"][20, 30]) == one and float(found["centre"][0, 0]) == none


def test_an_own_mask_is_read(tmp_path: Path) -> None:
    Image.linear_gradient("L").save(tmp_path / "fade.png")  # black above, white below
    chooser = MaskChooser()
    assert [name for name, _ in chooser.options] == list(MASKS) and chooser.words == f"where: {EVERYWHERE}"
    chooser.choose(str(tmp_path / "fade.png"))
    assert chooser.error == ""
    faded = mask(chooser.image, (64, 32))
    torch.testing.assert_close(faded[:, 0], torch.linspace(0, 1, 64), atol=0.02, rtol=0)


def test_a_live_lab_imports_nothing_that_it_does_not_use() -> None:
    """torch._dynamo alone takes seconds and 70 MB, in every kernel of a class."""
    program = (
        "import sys, stylelearn.lab as labs\n"
        "labs.AdaINLab(size=64), labs.AdjustableLab(size=64)\n"
        "print(sorted({'torch._dynamo', 'lightning_fabric', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
