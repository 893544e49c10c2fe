"""The lab that compares: the border, what is kept, and the table."""

import re
from collections.abc import Iterator

import pytest
import torch
from hands import SOON, content, move, style
from torch import Tensor

from stylelearn.evaluation.metrics import judge, measure
from stylelearn.images import resize
from stylelearn.lab import CompareLab
from stylelearn.lab.compare import MEASURED, PHOTO, Painting, knows, table, wipe
from stylelearn.painting import run
from stylelearn.registry import METHODS

pytestmark = pytest.mark.usefixtures("labs")

STYLE = "stained_glass"
SMALL = {"content": "chelsea", "style": STYLE, "left": "cin", "right": "adain", "border": 0.5, "steps": 10, "size": 64}


@pytest.fixture
def lab() -> CompareLab:
    return CompareLab(**SMALL)


def test_the_border_is_a_setting_and_steps_wait_for_the_release(lab: CompareLab) -> None:
    lab.stage.set_state({"border": 0.3})  # as the page sends it
    assert lab.settings["border"] == 0.3 and lab.wait(SOON)
    assert lab.stage.tooltip.endswith(": Conditional instance norm in the left 30%, AdaIN in the right 70%")
    assert not lab.controls["steps"].continuous_update  # each number is another painting
    assert [value for _, value in lab.controls["left"].options] == [PHOTO, *METHODS]


def test_a_wipe_is_left_of_one_and_right_of_the_other() -> None:
    left, right = torch.full((1, 3, 4, 10), 0.25), torch.full((1, 3, 4, 10), 0.75)
    assert torch.equal(wipe(left, right, 0.0), right)
    assert torch.equal(wipe(left, right, 1.0), left)
    made = wipe(left, right, 0.4)
    assert torch.equal(made[..., :3], left[..., :3])
    assert torch.equal(made[..., 5:], right[..., 5:])
    assert made[0, 0, 0, 3:5].tolist() == [0.0, 1.0]  # a line, dark and bright, that shows on any picture
    assert wipe(left, right, 0.99).shape == left.shape
    assert left.unique().tolist() == [0.25]  # nothing is painted into the pictures themselves


def test_at_the_ends_the_border_shows_what_the_methods_paint(lab: CompareLab) -> None:
    for method, border in (("cin", 1.0), ("adain", 0.0)):
        known = STYLE if method == "cin" else style(STYLE)
        torch.testing.assert_close(move(lab, border=border), run(method, content(), known), rtol=0, atol=1e-5)
    move(lab, left="gatys", border=1.0)
    torch.testing.assert_close(lab.image, run("gatys", content(), style(STYLE), steps=10), rtol=0, atol=1e-5)
    torch.testing.assert_close(move(lab, left=PHOTO), content(), rtol=0, atol=1e-6)


def test_moving_the_border_paints_nothing_again(lab: CompareLab, monkeypatch: pytest.MonkeyPatch) -> None:
    move(lab, left="gatys")
    again, advance = [], Painting.advance
    monkeypatch.setattr(Painting, "advance", lambda self: (again.append(self), advance(self))[1])
    for border in (0.0, 0.3, 1.0):
        move(lab, border=border)
    move(lab, left="adain", right="gatys")  # both are there
    assert again == []
    move(lab, steps=20)  # another number of steps is another painting
    assert again


def test_a_painting_goes_on_where_it_was_when_the_border_moves(lab: CompareLab) -> None:
    steps = lab.job({**lab.settings, "left": "gatys"}).steps()
    for _ in range(4):
        next(steps)
    (begun,) = [one for known in lab._cache.values() for one in known.values() if one.method == "gatys"]
    assert begun.step == 3 and not begun.done
    move(lab, left="gatys")
    assert begun.done and lab.painted["gatys"] is begun
    torch.testing.assert_close(begun.picture, run("gatys", content(), style(STYLE), steps=10), rtol=0, atol=1e-5)


def test_what_is_painted_at_half_size_first_is_shown_at_full_size() -> None:
    painting = Painting("gatys", content(size=256), style(STYLE, 256), STYLE, 2)
    painting.advance()
    assert painting.picture.shape == content(size=256).shape


def test_stop_keeps_what_there_is_and_the_border_still_moves(lab: CompareLab) -> None:
    lab._cache.clear()
    lab.stop()
    move(lab, border=0.25)
    assert lab.painted == {}
    move(lab, left="gatys")  # something else is asked for: it works again
    assert set(lab.painted) == {"gatys", "adain"}


def test_a_style_that_a_network_does_not_know_is_told_and_the_others_go_on(lab: CompareLab) -> None:
    lab.controls["style"].choose("pencil")
    lab.controls["left"].value = "johnson"
    assert lab.wait(SOON)
    assert "johnson has not learnt the style 'pencil'" in lab.error and STYLE in lab.error
    assert "has not learnt this style" in table({}, "pencil")
    move(lab, left=PHOTO)


def test_a_picture_of_one_s_own_is_a_style(lab: CompareLab) -> None:
    own = torch.rand(1, 3, 50, 70)
    lab.style.choose(own, "mine")
    lab.wait(SOON)
    assert "cin has not learnt" in lab.error
    made = move(lab, left="gatys", border=0.0)
    torch.testing.assert_close(made, run("adain", content(), resize(own, 64, "long")), rtol=0, atol=1e-5)


def test_paint_all_fills_the_table(lab: CompareLab) -> None:
    assert lab._table.value.count("not painted yet") == len(METHODS) - 2
    lab.all_button.click()
    assert lab.wait(SOON)
    assert lab.error == ""
    assert list(lab.painted) == list(METHODS)
    rows = re.findall(r"<tr.*?</tr>", lab._table.value)[1:]
    assert len(rows) == len(METHODS)
    for row, (name, one) in zip(rows, lab.painted.items(), strict=True):
        expected = measure(one.picture, content(), style(STYLE), judge(), only=MEASURED)
        assert one.measures == pytest.approx(expected)
        cells = re.findall(r"<td>(.*?)</td>", row)
        assert cells[0] == f"{METHODS[name].lesson:02d}"
        assert float(cells[1]) == pytest.approx(one.seconds, abs=0.006) and one.seconds > 0
        assert [float(cell) for cell in cells[3:]] == pytest.approx([*expected.values()], abs=0.006)
        assert ("◧" in row, "◨" in row) == (name == "cin", name == "adain")
    assert judge().name in lab._table.value and "is better" in lab._table.value
    move(lab, content="coffee")  # another pair is painted by two only
    assert set(lab.painted) == {"cin", "adain"}
    move(lab, content="chelsea")
    assert set(lab.painted) == set(METHODS)


def test_a_method_that_fails_says_so_and_may_try_again(lab: CompareLab, monkeypatch: pytest.MonkeyPatch) -> None:
    fails = [True]

    def broken(painting: Painting) -> Iterator[Tensor]:
        yield content()
        if fails:
            raise ValueError(f"no paint left, attempt {len(fails)}")
        yield content()

    monkeypatch.setattr(Painting, "_make", broken)
    lab.controls["left"].value = "gatys"
    assert lab.wait(SOON)
    assert lab.error == "no paint left, attempt 1"
    assert "gatys" not in lab.painted
    lab.start()
    assert lab.wait(SOON)
    assert lab.error == "no paint left, attempt 1"  # and not a picture half done that counts as finished
    fails.clear()
    move(lab, border=0.4)
    assert "gatys" in lab.painted and lab.painted["gatys"].step == 2


def test_paint_all_leaves_out_who_does_not_know_the_style() -> None:
    lab = CompareLab(**{**SMALL, "style": "pencil", "left": PHOTO})
    lab.paint_all()
    assert lab.wait(SOON)
    assert set(lab.painted) == {name for name in METHODS if knows(name, "pencil")}
    assert "johnson" not in lab.painted and "gatys" in lab.painted
    assert lab.error == ""
