"""The blind study: files that lose nothing, an order that tells nothing, and statistics held against SciPy."""

import math
import random
from collections import Counter
from datetime import datetime

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from stylelearn.cli import main
from stylelearn.evaluation.ratings import (
    COLUMNS,
    QUESTIONS,
    Rating,
    Ratings,
    StudyError,
    ratings_in,
    read_ratings,
    write_ratings,
)
from stylelearn.evaluation.study import (
    Pastiche,
    agreement,
    difference,
    interval,
    intervals,
    invented,
    scores,
    trials,
)

NOON, LATER = "2026-05-01T12:00:00+00:00", "2026-05-01T12:30:00+00:00"
PHOTO, STYLE = "photorealism", "faithfulness"


def rating(rater="anna", pair="cat + waves", method="gatys", question=PHOTO, score=3, at=NOON) -> Rating:
    return Rating(rater, pair, method, question, score, at)


def pastiches(pairs=("a", "b", "c"), methods=("gatys", "adain", "photo")) -> list[Pastiche]:
    blank = torch.zeros(1, 3, 4, 4)
    return [Pastiche(pair, method, blank, blank, blank) for pair in pairs for method in methods]


# --- ratings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"score": 0}, "the score is 0; it must be a whole number from 1 to 4"),
        ({"question": "beauty"}, "no question 'beauty'; there are photorealism, faithfulness"),
        ({"rater": ""}, "the rater is ''"),
        ({"rater": "=1+1"}, "the rater is '=1\\+1'"),
        ({"method": "x" * 101}, "the method is"),
        ({"at": "2026-05-01T12:00:00"}, "the time is"),  # of which time zone?
    ],
)
def test_a_rating_that_is_none_is_refused_by_name(wrong, words):
    with pytest.raises(StudyError, match=words):
        rating(**wrong)


def test_names_and_times_have_one_form():
    assert rating("  Zoe\u0308\u00a0  O\u2019Brien ") == rating("Zo\u00eb O\u2019Brien")
    assert rating(at="2026-05-01T14:00:00.5+02:00").at == "2026-05-01T12:00:00.500000+00:00"


def test_what_is_given_is_there_and_given_again_it_replaces(tmp_path):
    file = Ratings(tmp_path / "study.csv")
    assert file.all() == []
    assert not file.path.exists()  # looking makes no file
    file.path.touch()  # an empty one is a new one
    file.give(rating(score=3), rating(question=STYLE, score=1))
    file.give(rating(score=2, at=LATER))
    assert Ratings(file.path).all() == [rating(score=2, at=LATER), rating(question=STYLE, score=1)]
    file.give(rating(score=1))  # the clock was set back
    assert {one.question: one.score for one in file.all()} == {PHOTO: 1, STYLE: 1}


def test_a_file_has_a_rater_of_its_own_that_stays(tmp_path):
    one, other = Ratings(tmp_path / "one.csv"), Ratings(tmp_path / "other.csv")
    assert one.rater != other.rater
    one.give(rating("ben"), rating("anna"))
    assert Ratings(one.path).rater == "ben"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_text("my diary"), "study.csv': line 1: it has no column rater, pair"),
        (lambda path: path.mkdir(), "is no file"),
    ],
)
def test_a_file_that_is_something_else_is_left_alone(tmp_path, make, words):
    path = tmp_path / "study.csv"
    file = Ratings(path)
    make(path)
    before = path.read_bytes() if path.is_file() else None
    for do in (lambda: Ratings(path), lambda: file.give(rating()), lambda: write_ratings(path, [rating()])):
        with pytest.raises(StudyError, match=words.replace("is no file", "is no file|is a folder")):
            do()
    assert before == (path.read_bytes() if path.is_file() else None)
    assert [each.name for each in tmp_path.iterdir()] == ["study.csv"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "none" / "study.csv"
    for do in (lambda: Ratings(path).give(rating()), lambda: write_ratings(path, [rating()])):
        with pytest.raises(StudyError, match=r"none.*choose another"):
            do()
    with pytest.raises(StudyError, match="cannot be read"):
        read_ratings(path)


# --- CSV --------------------------------------------------------------------------------------------------------------

PRINTABLE = st.characters(exclude_categories=("C", "Z"), include_characters=" ")
NAMES = st.text(PRINTABLE, min_size=1, max_size=9).filter(lambda name: name.strip() and name.strip()[0] not in "=+-@")
SOME = st.lists(
    st.builds(
        Rating, NAMES, NAMES, NAMES, st.sampled_from([*QUESTIONS]), st.integers(1, 4),
        st.datetimes(timezones=st.timezones(), allow_imaginary=False).filter(lambda at: 1 < at.year < 9999).map(
            lambda at: at.isoformat()
        ),
    ),
    max_size=6, unique_by=lambda one: one.key,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(SOME, st.sampled_from(["utf-8", "utf-8-sig"]), st.sampled_from(",;\t"))
def test_csv_comes_back_as_it_was_however_a_spreadsheet_saves_it(tmp_path_factory, ratings, encoding, delimiter):
    path = tmp_path_factory.mktemp("study") / "study.csv"
    assert read_ratings(write_ratings(path, ratings)) == ratings
    lines = [COLUMNS, *((one.rater, one.pair, one.method, one.question, str(one.score), one.at) for one in ratings)]
    quoted = (delimiter.join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines)
    text = "".join(f"{line}\r\n" for line in quoted)
    assert ratings_in(f"{text}{delimiter * 5}\r\n".encode(encoding), "study.csv") == ratings


def test_other_columns_in_another_order_do():
    text = "note;" + ";".join(reversed(COLUMNS)).title() + f";\nwell;{NOON};3;{PHOTO};gatys;cat + waves;anna;"
    assert ratings_in(text.encode(), "study.csv") == [rating()]


def test_a_file_that_a_spreadsheet_saved_can_be_written_on(tmp_path):
    file = Ratings(tmp_path / "study.csv")
    file.give(rating("Zoë"))
    text = file.path.read_text(encoding="utf-8-sig").replace(",", ";").replace("\n", "\r\n")
    file.path.write_bytes(text[:-2].encode())  # an editor took the end of the line away
    file.give(rating("ben"))
    assert Ratings(file.path).all() == [rating("Zoë"), rating("ben")]


GOOD = f"rater;pair;method;question;score;at\nanna;cat + waves;gatys;{PHOTO};3;{NOON}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rater,pair,method,score,at\n", "line 1: it has no column question;"),
        (GOOD.replace(";3;", ";7;"), "line 2: the score is 7"),
        (GOOD + "ben;cat;gatys;photorealism;;" + NOON, "line 3: the score is ''"),
        (GOOD.replace("anna", '"anna'), "unexpected end of data"),
        (GOOD[:-20], "line 2: the time is"),
    ],
)
def test_a_bad_csv_is_named_with_its_line(tmp_path, text, words):
    (tmp_path / "bad.csv").write_text(text, encoding="utf-8")
    good = write_ratings(tmp_path / "good.csv", [rating(rater="ben")])
    with pytest.raises(StudyError, match=words) as told:
        read_ratings(good, tmp_path / "bad.csv")
    assert "bad.csv" in str(told.value)


def test_what_is_no_text_is_refused():
    with pytest.raises(StudyError, match="is no text in UTF-8"):
        ratings_in(b"\xff\xd8\xff\xe0", "picture.csv")


FEW = st.lists(
    st.builds(
        Rating, st.sampled_from("ab"), st.just("p"), st.sampled_from("xy"), st.just(PHOTO), st.integers(1, 4),
        st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda at: f"{at.isoformat()}+00:00"),
    ),
    max_size=8, unique_by=lambda one: one.at,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(FEW, st.integers(0, 8))
def test_of_several_files_the_latest_counts_whatever_the_order_and_however_often(tmp_path_factory, ratings, cut):
    folder = tmp_path_factory.mktemp("class")
    expected: dict = {}
    for one in ratings:
        if one.key not in expected or one.at > expected[one.key].at:
            expected[one.key] = one
    a, b = write_ratings(folder / "a.csv", ratings[:cut]), write_ratings(folder / "b.csv", ratings[cut:])
    for paths in ((a, b), (b, a), (b, a, b)):
        assert {one.key: one for one in read_ratings(*paths)} == expected


# --- the blind order --------------------------------------------------------------------------------------------------


@given(st.integers(1, 4), st.integers(1, 7), st.text("abc", min_size=1, max_size=4))
def test_everyone_sees_everything_once_two_of_a_pair_at_a_time(pairs, methods, rater):
    shown = pastiches([f"pair {i}" for i in range(pairs)], [f"method {i}" for i in range(methods)])
    found = trials(shown, rater)
    seen = [one for trial in found for one in trial]
    assert Counter(map(id, seen)) == Counter(map(id, shown))
    assert all(len({one.pair for one in trial}) == 1 for trial in found)
    assert len(found) == pairs * math.ceil(methods / 2)
    assert [len(trial) for trial in found] == [2] * (methods // 2 * pairs) + [1] * (methods % 2 * pairs)
    assert trials(shown[::-1], rater) == found


def test_the_order_tells_nothing_about_the_method():
    """Over many raters each method is as often left as right, first as last, and beside each other method."""
    left, first, beside = Counter(), Counter(), Counter()
    count = 600
    for number in range(count):
        found = trials(pastiches(["a"], ["w", "x", "y", "z"]), f"rater {number}")
        first.update(one.method for one in found[0])
        left.update(trial[0].method for trial in found)
        beside.update(frozenset(one.method for one in trial) for trial in found)
    for counter, kinds in ((left, 4), (first, 4), (beside, 6)):
        assert len(counter) == kinds
        assert stats.chisquare([*counter.values()]).pvalue > 1e-4


def test_trials_refuse_what_cannot_be_told_apart():
    with pytest.raises(StudyError, match="no pastiches"):
        trials([], "anna")
    with pytest.raises(StudyError, match="'adain' has two pastiches of 'a'"):
        trials([*pastiches(["a"]), *pastiches(["a"])], "anna")


# --- statistics -------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(1, 4), min_size=2, max_size=30).filter(lambda x: np.std(x) > 1e-3))
def test_the_interval_is_students(values):
    found = interval(values)
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx(tuple(expected))
    assert found.mean == pytest.approx(np.mean(values))


def test_intervals_count_people_not_clicks():
    ratings = [rating(rater, pair, score=score) for rater, given in (("anna", (4, 4, 4)), ("ben", (2, 2, 1)))
               for pair, score in zip("abc", given, strict=True)]  # fmt: skip
    found = intervals(ratings, PHOTO)["gatys"]
    expected = stats.ttest_1samp([4, 5 / 3], 0.0).confidence_interval(0.95)
    assert (found.mean, found.low, found.high) == pytest.approx((17 / 6, *expected))
    assert (found.count, found.of) == (2, "people")
    alone = intervals([one for one in ratings if one.rater == "ben"], PHOTO)["gatys"]
    assert (alone.count, alone.of) == (3, "pairs")
    assert (alone.low, alone.high) == pytest.approx(tuple(stats.ttest_1samp([2, 2, 1], 0).confidence_interval(0.95)))


def test_intervals_are_in_order_and_by_question():
    ratings = [
        rating(rater, method=method, question=question, score=score)
        for rater in ("anna", "ben")
        for method, question, score in (("x", PHOTO, 1), ("y", PHOTO, 4), ("x", STYLE, 3))
    ]
    assert [*intervals(ratings, PHOTO)] == ["y", "x"]
    assert [*intervals(ratings, STYLE)] == ["x"]
    assert intervals([], PHOTO) == {}


def test_one_value_has_no_interval():
    found = interval([3.0])
    assert math.isnan(found.low) and math.isnan(found.high)
    assert str(found) == "3.00 (one of the people only)"
    assert str(interval([2.0, 4.0, 3.0], "pairs")) == "3.00 (0.52 to 5.48, 3 pairs)"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: interval([]), "no scores"),
        (lambda: intervals([], "beauty"), "no question 'beauty'"),
        (lambda: difference([rating()], PHOTO, "gatys", "adain"), "no one has judged both 'gatys' and 'adain'"),
    ],
)
def test_what_cannot_be_computed_is_refused(call, words):
    with pytest.raises(StudyError, match=words):
        call()


def test_a_difference_is_free_of_habits():
    draw = random.Random(3)
    ratings, own = [], []
    for number in range(8):
        habit, better = draw.choice([1, 2]), draw.choice([0, 1, 2])
        own.append(better)
        ratings += [
            rating(f"r{number}", method="x", score=habit + better),
            rating(f"r{number}", method="y", score=habit),
        ]
    found = difference(ratings, PHOTO, "x", "y")
    expected = stats.ttest_1samp(own, 0.0).confidence_interval(0.95)
    assert (found.mean, found.low, found.high) == pytest.approx((np.mean(own), *expected))
    assert difference([*ratings, rating("judged one only", method="x", score=4)], PHOTO, "x", "y") == found


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9)), min_size=3, max_size=12))
def test_agreement_is_rank_correlation_and_distances_are_turned_round(values):
    said, measured = zip(*values, strict=True)
    ratings = [rating(method=f"m{i}", score=score) for i, score in enumerate(said)]
    named = {("cat + waves", f"m{i}"): float(value) for i, value in enumerate(measured)}
    found = agreement(named, ratings, PHOTO)
    turned = agreement(named, ratings, PHOTO, lower_is_better=True)
    assert found.count == len(values)
    if len({*said}) == 1 or len({*measured}) == 1:
        assert math.isnan(found.spearman) and "nothing to rank" in str(found)
        return
    assert found.spearman == pytest.approx(stats.spearmanr(measured, said).statistic)
    assert found.kendall == pytest.approx(stats.kendalltau(measured, said).statistic)
    assert (turned.spearman, turned.kendall) == pytest.approx((-found.spearman, -found.kendall))
    assert 0 <= found.chance <= 1


def test_agreement_takes_mean_scores_and_leaves_out_what_is_not_measured():
    ratings = [
        rating(r, method=m, score=s)
        for r, given in (("anna", "124"), ("ben", "231"))
        for m, s in zip("xyz", map(int, given), strict=True)
    ]
    assert scores(ratings, PHOTO) == {("cat + waves", m): s for m, s in zip("xyz", (1.5, 2.5, 2.5), strict=True)}
    measured = {
        ("cat + waves", "x"): 0.1,
        ("cat + waves", "y"): 0.2,
        ("other", "z"): 1.0,
        ("cat + waves", "z"): math.nan,
    }
    assert agreement(measured, ratings, PHOTO).count == 2


def test_invented_people_have_the_opinion_they_were_given():
    shown = pastiches(["a", "b"], ["good", "bad"])
    ratings = invented(lambda pair, method, question: 3.4 if method == "good" else 1.6, shown)
    assert len(ratings) == 12 * 4 * len(QUESTIONS)
    found = difference(ratings, PHOTO, "good", "bad")
    assert found.low < 1.8 < found.high + 0.3 and found.low > 0.8  # scores end at 1 and 4, which brings them nearer
    same = [invented(lambda *_: 2.5, shown) for _ in range(2)]
    assert [one.score for one in same[0]] == [one.score for one in same[1]]


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_shows_and_merges(tmp_path, capsys):
    files = [
        str(write_ratings(tmp_path / f"{rater}.csv", [rating(rater), rating(rater, question=STYLE, score=1)]))
        for rater in ("anna", "ben")
    ]
    assert main(["study", "show", *files, files[0]]) == 0
    said = capsys.readouterr().out
    assert "4 ratings of 2 people about 1 pairs" in said and "gatys" in said and "photorealism" in said
    assert "3.00" in said
    whole = str(tmp_path / "class.csv")
    for file in (*files, files[0]):
        assert main(["study", "merge", whole, file]) == 0
    assert "4 ratings of 2 people" in capsys.readouterr().out
    assert read_ratings(whole) == read_ratings(*files)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["merge", "{}/class.csv", "{}/none.csv"], "cannot be read"),
        (["merge", "{}/diary.txt", "{}/anna.csv"], "diary.txt': line 1: it has no column"),
        (["show", "{}/empty.csv"], "there are no ratings in"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path, capsys, words, told):
    (tmp_path / "diary.txt").write_text("dear diary")
    write_ratings(tmp_path / "anna.csv", [rating()])
    write_ratings(tmp_path / "empty.csv", [])
    assert main(["study", *(word.format(tmp_path) for word in words)]) == 2
    assert told in capsys.readouterr().err
    assert sorted(each.name for each in tmp_path.iterdir()) == ["anna.csv", "diary.txt", "empty.csv"]
    assert (tmp_path / "diary.txt").read_text() == "dear diary"
