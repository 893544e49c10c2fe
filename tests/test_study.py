"""The blind study: files that lose nothing, an order that tells nothing, and statistics held against SciPy."""

import itertools
import math
import os
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

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
    Answer,
    Answers,
    StudyError,
    csv_text,
    parse_csv,
    read_answers,
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


def answer(rater="anna", pair="cat + waves", method="gatys", question=PHOTO, score=3, at=NOON) -> Answer:
    return Answer(rater, pair, method, question, score, at)


def pastiches(pairs=("a", "b", "c"), methods=("gatys", "adain", "photo")) -> list[Pastiche]:
    blank = torch.zeros(1, 3, 4, 4)
    return [Pastiche(pair, method, blank, blank, blank) for pair in pairs for method in methods]


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"score": 0}, "the score is 0; it must be a whole number from 1 to 4"),
        ({"score": 5}, "5"),
        ({"score": 2.5}, "2.5"),
        ({"score": True}, "True"),
        ({"score": "4"}, "'4'"),
        ({"question": "beauty"}, "no question 'beauty'; there are photorealism, faithfulness"),
        ({"rater": ""}, "the rater is ''"),
        ({"rater": "=1+1"}, "the rater is '=1\\+1'"),
        ({"pair": "two\nlines"}, "the pair is"),
        ({"method": "x" * 101}, "the method is"),
        ({"at": "yesterday"}, "the time is 'yesterday'"),
        ({"at": "2026-05-01T12:00:00"}, "the time is"),  # of which time zone?
    ],
)
def test_an_answer_that_is_none_is_refused_by_name(wrong, words):
    with pytest.raises(StudyError, match=words):
        answer(**wrong)


def test_times_are_kept_in_one_form_so_that_they_compare_as_text():
    assert answer(at="2026-05-01T14:00:00+02:00") == answer()
    assert answer(at="2026-05-01T14:00:00.5+02:00").at == "2026-05-01T12:00:00.500000+00:00"


def test_what_is_given_is_there_and_given_again_it_replaces(tmp_path):
    file = Answers(tmp_path / "study.sqlite")
    assert file.all() == []
    assert not file.path.exists()  # looking makes no file
    file.give(answer(score=3), answer(question=STYLE, score=1))
    file.give(answer(score=2, at=LATER))
    assert Answers(file.path).all() == sorted([answer(score=2, at=LATER), answer(question=STYLE, score=1)])


def test_answers_are_kept_together_or_not_at_all(tmp_path):
    file = Answers(tmp_path / "study.sqlite")
    file.give(answer())

    def broken():
        yield answer(score=1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        file.give(*broken())
    with pytest.raises(RuntimeError), file._writing() as inside:
        inside.execute("DELETE FROM answers")
        raise RuntimeError
    assert file.all() == [answer()]


def test_a_file_has_a_rater_of_its_own_that_stays(tmp_path):
    one, other = Answers(tmp_path / "one.sqlite"), Answers(tmp_path / "other.sqlite")
    assert one.rater != other.rater
    one.give(answer(rater=one.rater))
    again = Answers(one.path)
    assert again.rater == one.rater
    again.merge(one.export(tmp_path / "one.csv"))
    assert again.rater == one.rater


WRITER = """
import sys
from stylelearn.evaluation.ratings import Answer, Answers
file = Answers(sys.argv[1])
for number in range(15):
    file.give(Answer(sys.argv[2], f"pair {number}", "gatys", "photorealism", 3))
"""


def test_several_write_at_once_and_nothing_is_lost(tmp_path):
    path = tmp_path / "study.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), f"rater {i}"]) for i in range(3)]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0]
    assert Counter(one.rater for one in Answers(path).all()) == {f"rater {i}": 15 for i in range(3)}


def test_a_locked_file_is_told_in_words(tmp_path, monkeypatch):
    monkeypatch.setattr("stylelearn.evaluation.ratings._WAIT", 0.05)
    file = Answers(tmp_path / "study.sqlite")
    file.give(answer())
    other = sqlite3.connect(file.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StudyError, match="is being written by another program; try again"):
        file.give(answer(score=1))
    other.execute("ROLLBACK")
    other.close()
    assert file.all() == [answer()]


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE answers (a, b)")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_text("my diary"), "is no file of a study, or it is damaged"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(200)), "or it is damaged"),
        (foreign, "is a database, but not of a study"),
        (lambda path: path.mkdir(), "is no file"),
    ],
)
def test_a_file_that_is_something_else_is_left_alone(tmp_path, make, words):
    path = tmp_path / "study.sqlite"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StudyError, match=words):
        Answers(path)
    assert before == (path.read_bytes() if path.is_file() else None)


def test_a_file_that_became_something_else_is_left_alone(tmp_path):
    file = Answers(tmp_path / "study.sqlite")
    foreign(file.path)
    with pytest.raises(StudyError, match="not of a study"):
        file.give(answer())


@pytest.mark.skipif(os.name == "nt", reason="such names are not allowed on Windows")
def test_a_name_may_hold_what_addresses_do_not(tmp_path):
    path = tmp_path / "who? me & you" / "100% #1.sqlite"
    path.parent.mkdir()
    Answers(path).give(answer())
    assert Answers(path).all() == [answer()]
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_an_empty_file_is_a_new_one(tmp_path):
    path = tmp_path / "study.sqlite"
    path.touch()
    file = Answers(path)
    file.give(answer())
    assert file.all() == [answer()]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    file = Answers(tmp_path / "none" / "study.sqlite")
    for do in (lambda: file.give(answer()), lambda: file.export(tmp_path / "none" / "study.csv")):
        with pytest.raises(StudyError, match="choose another folder"):
            do()


# --- CSV --------------------------------------------------------------------------------------------------------------

NAMES = st.from_regex(r"\w[\w .,+()@-]{0,8}", fullmatch=True)
SOME = st.lists(
    st.builds(
        Answer, NAMES, NAMES, NAMES, st.sampled_from([*QUESTIONS]), st.integers(1, 4),
        st.datetimes(timezones=st.timezones(), allow_imaginary=False).filter(lambda at: 1 < at.year < 9999).map(
            lambda at: at.isoformat()
        ),
    ),
    max_size=6,
)  # fmt: skip
FEW = st.lists(
    st.builds(
        Answer, st.sampled_from("ab"), st.just("p"), st.sampled_from("xy"), st.just(PHOTO), st.integers(1, 4),
        st.sampled_from([NOON, LATER]),
    ),
    max_size=4,
)  # fmt: skip


@given(SOME)
def test_csv_comes_back_as_it_was(answers):
    assert parse_csv(csv_text(answers)) == answers


def test_a_spreadsheet_may_have_saved_it(tmp_path):
    path = tmp_path / "anna.csv"
    text = csv_text([answer(), answer(pair="a, b", score=1)])
    path.write_bytes("\ufeff".encode() + text.replace("\n", "\r\n").encode())
    assert read_answers(path) == parse_csv(text)
    semicolons = ["note;" + ";".join(reversed(COLUMNS)), f"well;{NOON};3;{PHOTO};gatys;cat + waves;anna"]
    path.write_text("\n".join(semicolons), encoding="utf-8")
    assert read_answers(path) == [answer()]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: it names no column rater, pair"),
        ("rater,pair,method,score,at\n", "it names no column question;"),
        (csv_text([answer()]).replace(",3,", ",7,"), "line 2: the score is 7"),
        (csv_text([answer()]).replace(",3,", ",good,"), "line 2: the score is 'good'"),
        (csv_text([answer(), answer(score=1)]).replace(",1,", ",,"), "line 3: the score is ''"),
        (csv_text([answer()]).replace("anna", '"anna'), "unexpected end of data"),
        (csv_text([answer()])[:-20], "line 2: the time is"),
    ],
)
def test_a_bad_csv_is_named_with_its_line_and_nothing_is_taken(tmp_path, text, words):
    file, path, good = Answers(tmp_path / "study.sqlite"), tmp_path / "bad.csv", tmp_path / "good.csv"
    file.give(answer())
    path.write_text(text, encoding="utf-8")
    good.write_text(csv_text([answer(rater="ben")]), encoding="utf-8")
    with pytest.raises(StudyError, match=words) as told:
        file.merge(good, path)
    assert "bad.csv" in str(told.value)
    assert file.all() == [answer()]


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "picture.csv"
    path.write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(StudyError, match="no text in UTF-8"):
        read_answers(path)
    with pytest.raises(StudyError, match="cannot be read"):
        read_answers(tmp_path / "none.csv")


def test_an_export_replaces_an_export_and_nothing_else(tmp_path):
    file = Answers(tmp_path / "study.sqlite")
    file.give(answer())
    path = file.export(tmp_path / "anna.csv")
    file.give(answer(score=1, at=LATER))
    assert read_answers(file.export(path)) == [answer(score=1, at=LATER)]
    for name, data in (("diary.txt", b"dear diary"), ("study.sqlite", file.path.read_bytes())):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(StudyError, match="another file bears this name"):
            file.export(tmp_path / name)
        assert (tmp_path / name).read_bytes() == data
    assert sorted(each.name for each in tmp_path.iterdir()) == ["anna.csv", "diary.txt", "study.sqlite"]


# --- merging ----------------------------------------------------------------------------------------------------------


def joined(*parts: list[Answer]) -> dict:
    """What must come out, by looking at all answers one by one."""
    found: dict = {}
    for one in itertools.chain(*parts):
        key = (one.rater, one.pair, one.method, one.question)
        if key not in found or (one.at, one.score) > found[key]:
            found[key] = (one.at, one.score)
    return found


def content(file: Answers) -> dict:
    return {(one.rater, one.pair, one.method, one.question): (one.at, one.score) for one in file.all()}


@settings(max_examples=25, deadline=None)
@given(FEW, FEW)
def test_merging_keeps_the_latest_whatever_the_order_and_however_often(tmp_path_factory, first, second):
    folder = tmp_path_factory.mktemp("class")
    paths = []
    for name, answers in (("a.csv", first), ("b.csv", second)):
        (folder / name).write_text(csv_text(answers), encoding="utf-8")
        paths.append(folder / name)
    one, other = Answers(folder / "one.sqlite"), Answers(folder / "other.sqlite")
    merged = one.merge(*paths)
    assert merged.added == len(content(one)) and merged.replaced == 0
    again = one.merge(*reversed(paths))
    assert (again.added, again.replaced, again.unchanged) == (0, 0, len(content(one)))
    other.merge(paths[1])
    other.merge(paths[0])
    assert content(one) == content(other) == joined(first, second)


def test_merging_counts_and_takes_databases_too(tmp_path):
    mine, theirs = Answers(tmp_path / "mine.sqlite"), Answers(tmp_path / "theirs.sqlite")
    mine.give(answer(score=1), answer(method="adain", at=LATER))
    theirs.give(answer(score=4, at=LATER), answer(method="adain"), answer(rater="ben"))
    merged = mine.merge(theirs.path)
    assert (merged.added, merged.replaced, merged.unchanged) == (1, 1, 1)
    assert str(merged) == "1 answers added, 1 replaced by later ones, 1 known already"
    assert {one.score for one in mine.all() if one.rater == "anna" and one.method == "gatys"} == {4}
    assert len(theirs.all()) == 3


# --- the blind order --------------------------------------------------------------------------------------------------


@given(st.integers(1, 4), st.integers(1, 7), st.text("abc", min_size=1, max_size=4))
def test_everyone_sees_everything_once_two_of_a_pair_at_a_time(pairs, methods, rater):
    shown = pastiches([f"pair {i}" for i in range(pairs)], [f"method {i}" for i in range(methods)])
    found = trials(shown, rater)
    seen = [one for trial in found for one in trial.pastiches]
    assert Counter(map(id, seen)) == Counter(map(id, shown))
    assert all(one.pair == trial.pair for trial in found for one in trial.pastiches)
    assert len(found) == pairs * math.ceil(methods / 2)
    backwards = trials(shown[::-1], rater)
    assert [[id(one) for one in each.pastiches] for each in found] == [
        [id(one) for one in each.pastiches] for each in backwards
    ]


def test_the_order_tells_nothing_about_the_method():
    """Over many raters each method is as often left as right, first as last, and beside each other method."""
    left, first, beside = Counter(), Counter(), Counter()
    count = 600
    for number in range(count):
        found = trials(pastiches(["a"], ["w", "x", "y", "z"]), f"rater {number}")
        first.update(one.method for one in found[0].pastiches)
        left.update(trial.pastiches[0].method for trial in found)
        beside.update(frozenset(one.method for one in trial.pastiches) for trial in found)
    for counter, kinds in ((left, 4), (first, 4), (beside, 6)):
        assert len(counter) == kinds
        assert stats.chisquare([*counter.values()]).pvalue > 1e-4


def test_trials_refuse_what_cannot_be_told_apart():
    with pytest.raises(StudyError, match="no pastiches"):
        trials([], "anna")
    with pytest.raises(StudyError, match="'adain' has two pastiches of 'a'"):
        trials([*pastiches(["a"]), *pastiches(["a"])], "anna")


# --- statistics -------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(1, 4), min_size=2, max_size=30).filter(lambda x: np.std(x) > 1e-3), st.floats(0.5, 0.999))
def test_the_interval_is_students(values, level):
    found = interval(values, level=level)
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(level)
    assert (found.low, found.high) == pytest.approx(tuple(expected))
    assert found.mean == pytest.approx(np.mean(values))


def test_the_interval_holds_what_it_promises():
    """Of many classes about 95 % of the intervals hold the true mean; with a normal quantile it were about 88 %."""
    draw = np.random.default_rng(0)
    hits = [(found := interval(draw.normal(2.5, 1.0, 5))).low <= 2.5 <= found.high for _ in range(4000)]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.012)


def test_intervals_count_people_not_clicks():
    answers = [answer(rater, pair, score=score) for rater, given in (("anna", (4, 4, 4)), ("ben", (2, 2, 1)))
               for pair, score in zip("abc", given, strict=True)]  # fmt: skip
    found = intervals(answers, PHOTO)["gatys"]
    expected = stats.ttest_1samp([4, 5 / 3], 0.0).confidence_interval(0.95)
    assert (found.mean, found.low, found.high) == pytest.approx((17 / 6, *expected))
    assert (found.count, found.of) == (2, "people")
    alone = intervals([one for one in answers if one.rater == "ben"], PHOTO)["gatys"]
    assert (alone.count, alone.of) == (3, "pairs")
    assert (alone.low, alone.high) == pytest.approx(tuple(stats.ttest_1samp([2, 2, 1], 0).confidence_interval(0.95)))


def test_intervals_are_in_order_and_by_question():
    answers = [
        answer(rater, method=method, question=question, score=score)
        for rater in ("anna", "ben")
        for method, question, score in (("x", PHOTO, 1), ("y", PHOTO, 4), ("x", STYLE, 3))
    ]
    assert [*intervals(answers, PHOTO)] == ["y", "x"]
    assert [*intervals(answers, STYLE)] == ["x"]
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
        (lambda: interval([1, 2], level=95), "the level is 95"),
        (lambda: intervals([], "beauty"), "no question 'beauty'"),
        (lambda: difference([answer()], PHOTO, "gatys", "adain"), "nobody has judged both 'gatys' and 'adain'"),
    ],
)
def test_what_cannot_be_computed_is_told(call, words):
    with pytest.raises(StudyError, match=words):
        call()


def test_a_difference_is_free_of_habits():
    draw = random.Random(3)
    answers, own = [], []
    for number in range(8):
        habit, better = draw.choice([1, 2]), draw.choice([0, 1, 2])
        own.append(better)
        answers += [
            answer(f"r{number}", method="x", score=habit + better),
            answer(f"r{number}", method="y", score=habit),
        ]
    found = difference(answers, PHOTO, "x", "y")
    expected = stats.ttest_1samp(own, 0.0).confidence_interval(0.95)
    assert (found.mean, found.low, found.high) == pytest.approx((np.mean(own), *expected))
    back = difference(answers, PHOTO, "y", "x")
    assert (back.mean, back.low, back.high) == pytest.approx((-found.mean, -found.high, -found.low))


def test_a_difference_leaves_out_who_judged_one_only():
    answers = [
        answer("anna", method="x", score=4),
        answer("ben", method="x", score=4),
        answer("ben", method="y", score=1),
    ]
    found = difference([*answers, answer("cy", method="x"), answer("cy", method="y")], PHOTO, "x", "y")
    assert (found.mean, found.count) == (1.5, 2)


def brute_spearman(x: list[float], y: list[float]) -> float:
    """Pearson's coefficient of the ranks; equal values share the mean of their places."""
    ranks = [[sum(b < a for b in z) + (sum(b == a for b in z) + 1) / 2 for a in z] for z in (x, y)]
    centred = [np.array(rank) - np.mean(rank) for rank in ranks]
    return float(centred[0] @ centred[1] / math.sqrt((centred[0] @ centred[0]) * (centred[1] @ centred[1])))


def brute_kendall(x: list[float], y: list[float]) -> float:
    """τ_b by looking at all pairs."""
    signs = [(np.sign(x[i] - x[j]), np.sign(y[i] - y[j])) for i in range(len(x)) for j in range(i)]
    untied = [sum(sign[k] != 0 for sign in signs) for k in (0, 1)]
    return float(sum(a * b for a, b in signs) / math.sqrt(untied[0] * untied[1]))


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9)), min_size=3, max_size=12))
def test_agreement_is_rank_correlation_and_distances_are_turned_round(values):
    said, measured = zip(*values, strict=True)
    answers = [answer(method=f"m{i}", score=score) for i, score in enumerate(said)]
    named = {("cat + waves", f"m{i}"): float(value) for i, value in enumerate(measured)}
    found = agreement(named, answers, PHOTO)
    turned = agreement(named, answers, PHOTO, lower_is_better=True)
    assert found.count == len(values)
    if len({*said}) == 1 or len({*measured}) == 1:
        assert math.isnan(found.spearman) and "nothing to rank" in str(found)
        return
    assert found.spearman == pytest.approx(brute_spearman(measured, said))
    assert found.kendall == pytest.approx(brute_kendall(measured, said))
    assert (turned.spearman, turned.kendall) == pytest.approx((-found.spearman, -found.kendall))
    assert 0 <= found.chance <= 1


def test_agreement_takes_mean_scores_and_leaves_out_what_is_not_measured():
    answers = [
        answer(r, method=m, score=s)
        for r, given in (("anna", "124"), ("ben", "231"))
        for m, s in zip("xyz", map(int, given), strict=True)
    ]
    assert scores(answers, PHOTO) == {("cat + waves", m): s for m, s in zip("xyz", (1.5, 2.5, 2.5), strict=True)}
    measured = {
        ("cat + waves", "x"): 0.1,
        ("cat + waves", "y"): 0.2,
        ("other", "z"): 1.0,
        ("cat + waves", "z"): math.nan,
    }
    assert agreement(measured, answers, PHOTO).count == 2


def test_invented_people_have_the_opinion_they_were_given():
    shown = pastiches(["a", "b"], ["good", "bad"])
    answers = invented(lambda pair, method, question: 3.4 if method == "good" else 1.6, shown, people=40, seed=1)
    assert len(answers) == 40 * 4 * len(QUESTIONS)
    assert answers == sorted(answers, key=lambda one: answers.index(one))
    found = difference(answers, PHOTO, "good", "bad")
    assert found.low < 1.8 < found.high + 0.3 and found.low > 1  # scores end at 1 and 4, which brings them nearer
    same = invented(lambda *_: 2.5, shown, people=3, seed=5)
    assert [one.score for one in same] == [one.score for one in invented(lambda *_: 2.5, shown, people=3, seed=5)]


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_merges_shows_and_exports(tmp_path, capsys):
    for rater in ("anna", "ben"):
        (tmp_path / f"{rater}.csv").write_text(csv_text([answer(rater), answer(rater, question=STYLE, score=1)]))
    whole = str(tmp_path / "class.sqlite")
    assert main(["study", "merge", whole, str(tmp_path / "anna.csv"), str(tmp_path / "ben.csv")]) == 0
    assert "4 answers added" in capsys.readouterr().out
    assert main(["study", "show", whole]) == 0
    said = capsys.readouterr().out
    assert "2 people" in said and "gatys" in said and "photorealism" in said and "3.00" in said
    assert main(["study", "export", whole, str(tmp_path / "class.csv")]) == 0
    assert len(read_answers(tmp_path / "class.csv")) == 4


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["merge", "{}/class.sqlite", "{}/none.csv"], "cannot be read"),
        (["show", "{}/none.sqlite"], "there are no answers in"),
        (["export", "{}/none.sqlite", "{}/out.csv"], "there are no answers in"),
        (["show", "{}/diary.txt"], "no file of a study"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path, capsys, words, told):
    (tmp_path / "diary.txt").write_text("dear diary")
    assert main(["study", *(word.format(tmp_path) for word in words)]) == 2
    assert told in capsys.readouterr().err
    assert sorted(each.name for each in tmp_path.iterdir()) == ["diary.txt"]


@pytest.mark.parametrize("words", [[], ["merge"], ["show"], ["export"]])
def test_the_command_has_help(capsys, words):
    with pytest.raises(SystemExit) as ended:
        main(["study", *words, "--help"])
    assert ended.value.code == 0
    assert "usage: stylelearn study" in capsys.readouterr().out


def test_a_mistake_is_answered_with_one_line(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["study", "shuffle"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
