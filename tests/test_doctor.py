"""The doctor: right about a healthy machine, and about each thing that can be wrong with one."""

import shutil
import sys
from pathlib import Path

import pytest
import torch

from stylelearn import samples
from stylelearn.cli import doctor, main
from stylelearn.cli.doctor import NOTE, OK, PROBLEM


def states(findings) -> list[str]:
    return [finding.state for finding in findings]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A copy of the weights in place of the course's own."""
    shutil.copytree(samples.data_file("weights"), tmp_path / "weights")
    real = samples.data_file

    def data_file(*parts: str) -> Path:
        return tmp_path.joinpath(*parts) if parts[0] == "weights" else real(*parts)

    monkeypatch.setattr("stylelearn.samples.data_file", data_file)
    monkeypatch.setattr("stylelearn.weights.data_file", data_file)
    return tmp_path / "weights"


def test_a_healthy_machine(capsys):
    assert doctor.examine(size=32, steps=2) == 0
    text = capsys.readouterr().out
    assert f"PyTorch {torch.__version__}" in text
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in text
    assert "files of weights are whole" in text
    assert "200-step run takes about" in text
    assert text.endswith("Nothing hinders the course. Run `stylelearn lab` and begin.\n")
    assert "✗" not in text


def test_damaged_weights_are_a_problem(elsewhere, capsys, monkeypatch):
    file = elsewhere / "mini.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    damaged, _ = doctor.weights()
    assert damaged.state == PROBLEM and "mini.safetensors" in damaged.what and "git checkout" in damaged.remedy
    for slow in ("pictures", "lessons"):
        monkeypatch.setattr(doctor, slow, lambda: iter(()))
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "✗ weights mini.safetensors" in out
    assert "1 problem hinders the course" in out


def test_a_broken_list_of_weights(elsewhere):
    (elsewhere / "checksums.json").write_text("{")
    assert states(doctor.weights()) == [PROBLEM]


def test_missing_packages(monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    assert states(doctor.packages()) == [OK] + [PROBLEM] * len(doctor.PACKAGES)
    assert all("pip install" in finding.remedy for finding in [*doctor.packages()][1:])


def test_without_pytorch_the_rest_is_still_examined(monkeypatch, capsys):
    def no_torch():
        raise ModuleNotFoundError("No module named 'torch'", name="torch")
        yield

    for name in ("hardware", "weights", "pictures"):
        monkeypatch.setattr(doctor, name, no_torch)
    monkeypatch.setattr(doctor, "speed", lambda size, steps: no_torch())
    assert doctor.examine() == 1
    said = capsys.readouterr().out
    assert said.startswith("✓ stylelearn") and "✗ torch cannot be imported" in said


def test_pictures_that_are_unreadable_or_missing(monkeypatch):
    def missing(name, size=None):
        raise FileNotFoundError(f"content '{name}' comes with scikit-image")

    with monkeypatch.context() as patch:
        patch.setattr(samples, "content", missing)
        (found,) = doctor.pictures()
        assert found.state == PROBLEM and "comes with scikit-image" in found.what and "clone" in found.remedy
    monkeypatch.setattr(samples, "style_names", list)
    assert states(doctor.pictures()) == [PROBLEM]


@pytest.mark.parametrize(("total", "free", "state"), [(16.0, 8.0, OK), (2.0, 1.5, NOTE), (16.0, 0.3, NOTE)])
def test_memory(monkeypatch, total, free, state):
    monkeypatch.setattr(doctor, "memory", lambda: (total, free))
    assert states(doctor.hardware())[-1] == state


def test_memory_of_a_container(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text("1000000000\n")
    (tmp_path / "memory.current").write_text("400000000\n")
    assert doctor.memory() == pytest.approx((1.0, 0.6))
    (tmp_path / "memory.max").write_text("max\n")  # no limit
    total, free = doctor.memory()
    assert total > 1 and 0 < free <= total
