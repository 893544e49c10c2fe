"""`stylelearn bench matting`: what is compared is the same thing, and nothing breaks where PyMatting is missing."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from benchmarks import matting
from stylelearn.matting import laplacian_matrix


def gradient(image: torch.Tensor) -> np.ndarray:
    """2 L v for v = the picture turned left to right, (H·W, 3)."""
    return 2 * (laplacian_matrix(image) @ image.flip(3)[0].flatten(1).double().numpy().T)


def test_both_sides_compute_the_same_gradient():
    image = matting.picture(12, 16)
    (ours,) = matting.ours(image)()
    assert np.allclose(ours[0].flatten(1).numpy().T, gradient(image), atol=1e-4)
    pytest.importorskip("pymatting", reason="needs the bench extra: pip install 'stylelearn[bench]'")
    assert np.allclose(matting.theirs(image)(), gradient(image), atol=1e-6)


def test_without_pymatting_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymatting", None)  # what makes `import pymatting` fail
    (figure,) = matting.against_pymatting(matting.QUICK, 12, 16)
    assert figure.value is None and figure.met is None and "stylelearn[bench]" in figure.note


def test_groups_are_lazy_and_each_size_is_its_own():
    titles = [title for title, _ in matting.groups(matting.Plan())]
    assert len(titles) == 5 and "256 × 256" in titles[0] and "500 × 700" in titles[2] and "512 px" in titles[4]


def test_the_encoder_and_the_whole_pair():
    plan = matting.Plan(sizes=(), rounds=1, encoder_size=48, size=48, steps=(1, 1))
    figures = [figure for _, measure in matting.groups(plan) for figure in measure()]
    assert [figure.at_most for figure in figures] == [15, 15, 90]
    assert all(figure.value > 0 for figure in figures)
    assert "48 × 72" in figures[2].note


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory one part of a program used")
def test_memory_is_counted_apart():
    """In a process of its own, as the bench does it: this one has held more before."""
    program = """
import numpy as np
from benchmarks import matting

matting.WORK["ours"] = lambda image: lambda: np.ones(50_000_000 if image.shape[2] > 16 else 1, dtype=np.uint8)
print(matting.extra_memory("ours", 32, 32))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(50, rel=0.1)
