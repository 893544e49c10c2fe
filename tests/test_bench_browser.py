"""The benchmark in a browser: what is made of the times that the page gives, by hand; and what it says without one."""

import sys

import pytest

from benchmarks import browser
from benchmarks.__main__ import main

# A slider was moved at 1000 ms; a preview has 192 pixels, the whole picture 256.
PICTURES = [[900, 256], [1040, 192], [1090, 256], [1500, 192]]


def test_a_wait_ends_with_the_first_picture_after_the_move_and_with_the_first_whole_one():
    assert browser.waits(1000, PICTURES, side=256) == pytest.approx((0.04, 0.09))
    assert browser.waits(1000, PICTURES, side=192) == pytest.approx((0.04, 0.04))


def test_pictures_a_second_are_those_between_begin_and_end():
    rate, longest = browser.pace(PICTURES, 1000, 2000)
    assert rate == pytest.approx(3) and longest == pytest.approx(0.5)  # none after 1500
    assert browser.pace([], 1000, 3000) == (0, 2)


@pytest.mark.parametrize(
    ("missing", "remedy"), [("playwright", "pip install playwright"), ("chromium", "STYLELEARN_CHROMIUM")]
)
def test_without_playwright_or_chromium_the_remedy_is_named(monkeypatch, capsys, missing, remedy):
    if missing == "playwright":
        monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    monkeypatch.setattr(browser, "BROWSERS", ("no-such-browser",))
    monkeypatch.delenv("STYLELEARN_CHROMIUM", raising=False)
    assert main(["browser", "--quick"]) == 0
    out = capsys.readouterr().out
    assert "needs" in out and remedy in out
