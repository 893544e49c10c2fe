"""`python -m benchmarks matting` runs on a small pair, and says what the course asks for."""

from benchmarks import matting


def test_the_encoder_and_the_whole_pair():
    plan = matting.Plan(rounds=1, encoder_size=48, size=48, steps=(1, 1))
    figures = [figure for _, measure in matting.groups(plan) for figure in measure()]
    assert [figure.at_most for figure in figures] == [15, 15, 90]
    assert all(figure.value > 0 for figure in figures)
    assert "48 × 72" in figures[2].note
