"""The doctor: right about a healthy machine, and about each thing that can be wrong with one."""

import shutil
import sys
from collections import namedtuple
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
    assert f"PyTorch {torch.__version__.split('+')[0]}" in text  # "+cu124" need not be in the package's version
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


@pytest.mark.parametrize(
    ("total", "free", "state"), [(16.0, 8.0, OK), (2.0, 1.5, NOTE), (16.0, 0.3, NOTE)], ids=["enough", "small", "full"]
)
def test_memory(monkeypatch, total, free, state):
    monkeypatch.setattr(doctor, "memory", lambda: (16.0, total, free))
    assert next(doctor.hardware()).state == state


MACHINE = namedtuple("Memory", "total available")(16_000_000_000, 8_000_000_000)  # 8 cores
CONTAINERS = {  # what the files of the control groups say, and the memory (GB) and cores that may be used
    "a container": (
        "0::/\n",
        {
            "memory.max": "2000000000\n",
            "memory.current": "1500000000\n",
            "memory.stat": "anon 900000000\ninactive_file 500000000\nactive_file 100000000\n",
            "cpu.max": "50000 100000\n",
        },
        (2.0, 1.0),
        0.5,
    ),
    "a service with fewer cores than the slice around it, which limits the memory": (
        "0::/class.slice/ada.service\n",
        {
            "class.slice/memory.max": "4000000000\n",
            "class.slice/memory.current": "3900000000\n",
            "class.slice/cpu.max": "400000 100000\n",
            "class.slice/ada.service/memory.max": "max\n",
            "class.slice/ada.service/memory.current": "10\n",
            "class.slice/ada.service/cpu.max": "100000 100000\n",
        },
        (4.0, 0.1),
        1,
    ),
    "only the limit can be read": ("0::/\n", {"memory.max": "2000000000\n"}, (2.0, 2.0), 8),
    "no limit": (
        "0::/\n",
        {"memory.max": "max\n", "memory.current": "1500000000\n", "cpu.max": "max 100000\n"},
        (16.0, 8.0),
        8,
    ),
    "version 1": ("4:memory:/docker/1f\n0::/docker/1f\n", {"memory/memory.limit_in_bytes": "9\n"}, (16.0, 8.0), 8),
    "no control groups": (None, {}, (16.0, 8.0), 8),
}


@pytest.fixture
def container(tmp_path, monkeypatch, request):
    """A machine with 8 cores and 16 GB, 8 of them free, and the files of a container on it; what may be used."""
    own, files, memory, cores = CONTAINERS[request.param]
    monkeypatch.setattr(doctor, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(doctor, "OWN_CGROUPS", tmp_path / "own")
    monkeypatch.setattr("psutil.virtual_memory", lambda: MACHINE)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(8)), raising=False)
    if own is not None:
        (tmp_path / "own").write_text(own)
    for name, text in files.items():
        (tmp_path / "cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "cgroup" / name).write_text(text)
    return memory, cores


@pytest.mark.parametrize("container", CONTAINERS, indirect=True)
def test_what_a_container_may_use(container):
    memory, cores = container
    assert doctor.memory() == pytest.approx((16.0, *memory))
    assert doctor.cores() == (8, cores)


@pytest.mark.parametrize("container", ["a container"], indirect=True)
def test_advice_inside_a_container(container, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    size, threads = doctor.hardware()
    assert "0.5 of 8 cores" in size.what and "2.0 of 16.0 GB memory, 1.0 GB free" in size.what
    assert size.state == NOTE and "notebooks" in size.remedy and "other programs" not in size.remedy
    assert threads.state == NOTE and "8 threads" in threads.what and "OMP_NUM_THREADS=1" in threads.remedy


def test_cores_that_the_process_is_kept_to(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "OWN_CGROUPS", tmp_path / "none")
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {2, 3, 5}, raising=False)
    assert doctor.cores() == (8, 3)
