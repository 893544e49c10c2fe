"""The lab of the blind study: nothing on the page tells the method, every answer is kept, files of others come in."""

from pathlib import Path

import ipywidgets as widgets
import pytest
import torch

from stylelearn.evaluation.ratings import QUESTIONS, SCORES, Rating, Ratings, read_ratings, write_ratings
from stylelearn.evaluation.study import Pastiche, intervals, trials
from stylelearn.lab import StudyLab
from stylelearn.lab.compare import title_of
from stylelearn.lab.engine.kernel import inside

METHODS = ("gatys", "adain", "deep")
PHOTO, STYLE = QUESTIONS


def pastiches() -> list[Pastiche]:
    draw = torch.Generator().manual_seed(0)
    return [
        Pastiche(pair, method, *(torch.rand(1, 3, 40, 60, generator=draw) for _ in range(3)))
        for pair in ("cat", "cup")
        for method in METHODS
    ]


@pytest.fixture
def lab(tmp_path: Path) -> StudyLab:
    return StudyLab(pastiches(), tmp_path / "my-study.csv", "anna")


def upload(lab: StudyLab, **files: bytes) -> None:
    """Files as the browser sends them."""
    sent = [
        {"name": f"{name}.csv", "type": "text/csv", "size": len(content), "content": memoryview(content),
         "last_modified": 1_700_000_000_000}
        for name, content in files.items()
    ]  # fmt: skip
    lab.upload.set_state({"value": sent})


def answer_all(lab: StudyLab, score: int = 3) -> None:
    for page, shown in enumerate(lab._trials):
        lab.show(page)
        for side in ("left", "right")[: len(shown)]:
            for scale in lab.scores[side].values():
                scale.value = score


def methods(pages: list[list[Pastiche]]) -> list[list[str]]:
    return [[one.method for one in page] for page in pages]


def test_nothing_on_the_page_tells_the_method(lab):
    for page in range(len(lab._trials)):
        lab.show(page)
        for widget in inside(lab):
            names = ("tooltip",) if isinstance(widget, widgets.Image) else ("value", "description", "tooltip")
            said = " ".join(str(getattr(widget, name, "")) for name in names)
            assert not any(method in said for method in METHODS), said


def test_pictures_are_there_at_once_with_words(lab):
    lab.show(next(page for page, trial in enumerate(lab._trials) if len(trial) == 2))
    for picture in (lab.picture, lab.given):
        assert "poster" in picture._dom_classes
        assert picture.value[:2] == b"\xff\xd8"
    assert lab.picture.tooltip.endswith("pastiches, left and right, without names")
    assert "photo and the style" in lab.given.tooltip


def test_everything_says_what_it_means_and_works_by_keyboard(lab):
    for widget in inside(lab):
        if isinstance(widget, widgets.Button | widgets.FileUpload | widgets.RadioButtons | widgets.Text):
            assert widget.description
            assert len(widget.tooltip) > 20, widget.description
    for side in lab.scores.values():
        for scale in side.values():
            assert isinstance(scale, widgets.RadioButtons)  # the browser's own, with arrow keys
            assert [value for _, value in scale.options] == [*SCORES]


def test_an_answer_is_kept_at_once_under_the_picture_s_method(lab):
    lab.show(0)
    left = lab._trials[0][0]
    lab.scores["left"][STYLE].value = 4
    (kept,) = Ratings(lab.ratings.path).all()
    assert (kept.rater, kept.pair, kept.method) == ("anna", left.pair, left.method)
    assert (kept.question, kept.score) == (STYLE, 4)
    lab.scores["left"][STYLE].value = 1
    (kept,) = lab.ratings.all()
    assert kept.score == 1
    assert lab.error == ""


def test_going_back_shows_what_was_answered_and_changes_nothing(lab):
    lab.show(0)
    lab.scores["left"][PHOTO].value = 2
    before = lab.ratings.all()
    lab._next.click()
    assert lab.page == 1 and lab.scores["left"][PHOTO].value is None
    lab._back.click()
    assert lab.page == 0 and lab.scores["left"][PHOTO].value == 2
    assert lab.ratings.all() == before
    lab.show(-5)
    assert lab.page == 0 and lab._back.disabled
    lab.show(99)
    assert lab.page == len(lab._trials) - 1 and lab._next.disabled


def test_a_pastiche_that_is_alone_has_no_right_scales(lab):
    pages = {len(trial): page for page, trial in enumerate(lab._trials)}
    lab.show(pages[1])
    assert lab._columns[1].layout.visibility == "hidden"
    lab.show(pages[2])
    assert lab._columns[1].layout.visibility == "visible"


def test_all_answers_are_counted_and_the_lab_goes_on_where_one_stopped(lab):
    assert lab.missing == 12
    lab.show(0)
    for side in lab.scores.values():
        for scale in side.values():
            scale.value = 1
    given = len(lab.ratings.all())
    assert lab.missing == 12 - given
    assert f"{given} of 12 ratings given" in lab._where.value
    again = StudyLab(pastiches(), lab.ratings.path, "anna")
    assert again.page == 1
    answer_all(lab)
    assert lab.missing == 0 and len(lab.ratings.all()) == 12
    assert StudyLab(pastiches(), lab.ratings.path, "anna").page == len(lab._trials) - 1


def test_looking_makes_no_file_and_a_name_is_drawn_by_lot(tmp_path):
    lab = StudyLab(pastiches(), tmp_path / "my-study.csv")
    assert lab.name.value.startswith("rater ")
    lab.show(1)
    assert list(tmp_path.iterdir()) == []
    lab.scores["left"][PHOTO].value = 4
    assert StudyLab(pastiches(), tmp_path / "my-study.csv").name.value == lab.name.value


def test_another_name_has_an_order_and_answers_of_its_own(lab):
    answer_all(lab)
    lab.name.value = "ben"
    assert lab.missing == 12 and lab.page == 0
    assert methods(lab._trials) == methods(trials(pastiches(), "ben"))
    lab.name.value = "=1+1"
    assert "the rater is '=1+1'" in lab.error
    lab.name.value = " anna "
    assert lab.error == "" and lab.missing == 0


def test_results_have_names_and_say_all_numbers(lab):
    lab.reveal()
    assert "there are no ratings yet" in lab.error and lab.results.value == ""
    answer_all(lab)
    lab._result.click()
    assert lab.results.value.count("<img ") == lab.results.value.count(' alt="') == 1
    for question, words in QUESTIONS.items():
        assert words in lab.results.value
        for method, found in intervals(lab.ratings.all(), question).items():
            assert f"{title_of(method)} {found.mean:.2f}" in lab.results.value
    assert "over the pairs" in lab.results.value  # one person alone


def test_results_that_come_too_early_are_asked_for_twice(lab):
    lab.show(0)
    lab.scores["left"][PHOTO].value = 3
    lab._result.click()
    assert "11 ratings are still open" in lab.error and lab.results.value == ""
    lab._result.click()
    assert lab.error == "" and lab.results.value


def test_the_csv_is_written_beside_the_file_and_merged_into_another(lab, tmp_path):
    answer_all(lab)
    lab._csv.click()
    path = tmp_path / "my-study-anna.csv"
    assert read_ratings(path) == lab.ratings.all()
    other = StudyLab(pastiches(), tmp_path / "class.csv", "ben")
    for _ in range(2):  # twice does no harm
        upload(other, anna=path.read_bytes())
        assert other.error == ""
        assert other.ratings.all() == lab.ratings.all()
    assert "0 ratings added, 12 known already" in other._message.value
    assert other.results.value


def test_a_bad_upload_is_told_and_nothing_is_taken(lab, tmp_path):
    good = write_ratings(tmp_path / "good.csv", [Rating("ben", "cat", "gatys", PHOTO, 2)]).read_bytes()
    bad = good.replace(b",2,", b",9,")
    upload(lab, good=good, bad=bad)
    assert "'bad.csv': line 2: the score is 9" in lab.error
    assert lab.ratings.all() == []


def test_a_file_that_cannot_be_written_is_told_in_words(lab):
    lab.ratings.path.mkdir()
    lab.scores["left"][PHOTO].value = 1
    assert "is no file" in lab.error
