"""What all checks share and the lessons use: the learner's answer where it is right, the course's where it is not."""

import pytest
import torch

from stylelearn.checks import Mistake, check, must_match, yours


@check
def twice(answer):
    """2 x."""
    if answer(3) != 6:
        raise Mistake("not twice as much.")
    return "right."


def double(x):
    return x + x


def same(x):
    return x


def starter(x):
    raise NotImplementedError


def broken(x):
    return x / 0


def test_a_right_answer_is_used(capsys):
    assert yours(double, twice, same) is double
    assert capsys.readouterr().out == "double: yours\n"


@pytest.mark.parametrize("answer", [same, starter, broken, ...])
def test_the_course_stands_in_for_any_other(answer, capsys):
    assert yours(answer, twice, double) is double
    name = getattr(answer, "__name__", "twice")
    assert capsys.readouterr().out.startswith(f"{name}: not solved yet, so the course")


@pytest.mark.parametrize(("factor", "said"), [(2, "2"), (-1, "−1"), (1 / 60, "1/60"), (0.75, "3/4"), (1.037, "")])
@pytest.mark.parametrize("right", [torch.tensor(3.0), torch.tensor([[1.0, -2.0], [0.0, 5.0]])])
def test_a_simple_factor_is_named(right, factor, said):
    def product(otherwise):
        @check
        def examined(answer):
            """What is right."""
            must_match(answer(), right, (), otherwise, what="M")

        return examined(lambda: factor * right).message

    start = f"yours is {said} times what is asked for: " if said else ""
    assert product("") == f"{start or 'the values differ. Asked for: '}What is right."
    assert product("M differs.") == f"{start}M differs."
