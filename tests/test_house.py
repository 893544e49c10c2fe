"""The house: dependency lists that agree, a wheel that is whole, imports that run downward, weights with a card."""

import ast
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import torch
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from safetensors.torch import load_file
from test_lessons import dead_links

import build
import stylelearn

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA_NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib"}
OF_TORCH = re.compile(r"nvidia-|cuda-|triton")  # pinned by torch itself, and different for each build


def requirements(lines: list[str]) -> dict[str, Requirement]:
    found = [Requirement(line) for line in lines]
    return {str(canonicalize_name(each.name)): each for each in found}


RUNTIME = requirements(PROJECT["dependencies"])
TEST = requirements(PROJECT["optional-dependencies"]["test"])


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {str(canonicalize_name(name)): version for name, version in pairs}


def test_conda_has_the_same_dependencies_and_ranges():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    plain = [line for line in environment["dependencies"] if isinstance(line, str) and line != "pip"]
    from_pip = next(line["pip"] for line in environment["dependencies"] if isinstance(line, dict))
    assert from_pip[-1] == "-e ."  # the course itself, as Binder and JupyterHub need it
    named = {CONDA_NAMES.get(name, name): each for name, each in requirements([*plain, *from_pip[:-1]]).items()}
    assert str(named.pop("python").specifier) == PROJECT["requires-python"]
    assert {name: each.specifier for name, each in named.items()} == {n: r.specifier for n, r in RUNTIME.items()}


def test_constraints_are_sorted_exact_in_range_and_fit_every_build():
    pinned = pins()
    assert list(pinned) == sorted(pinned)
    assert [name for name, each in (RUNTIME | TEST).items() if not each.specifier.contains(pinned[name])] == []
    assert [name for name, version in pinned.items() if Version(version).local or OF_TORCH.match(name)] == []


def test_constraints_install_on_the_oldest_python():
    oldest = f"{next(iter(SpecifierSet(PROJECT['requires-python']))).version}.0"
    installed = {str(canonicalize_name(each.name)): each.metadata for each in importlib.metadata.distributions()}
    wanted = {
        name: installed[name]["Requires-Python"] or ""
        for name, version in pins().items()
        if name in installed and installed[name]["Version"] == version
    }
    assert [name for name, versions in wanted.items() if oldest not in SpecifierSet(versions)] == []


def test_a_lock_file_has_the_tested_versions_from_public_addresses():
    path = ROOT / "uv.lock"
    if not path.exists():
        pytest.skip("uv.lock is not made yet: make lock")
    text, pinned = path.read_text(encoding="utf-8"), pins()
    locked = [(each["name"], each["version"]) for each in tomllib.loads(text)["package"] if "version" in each]
    assert [(name, v) for name, v in locked if Version(v).public != pinned.get(name, Version(v).public)] == []
    public = r'"https://(pypi\.org|files\.pythonhosted\.org|download(-r2)?\.pytorch\.org)/'
    assert re.findall(rf"(?:registry|url|path|directory) = (?!{public}).*", text) == []


def test_constraints_leave_nothing_open():
    """Everything that the installed set needs in turn is pinned too."""
    pinned, waiting, seen = pins(), [*RUNTIME, *TEST], set()
    while waiting:
        name = waiting.pop()
        if name in seen or OF_TORCH.match(name):
            continue
        seen.add(name)
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        if Version(importlib.metadata.version(name)).public != pinned.get(name):
            pytest.skip(f"another {name} is installed here than the one in constraints.txt")
        waiting += [name for name, each in requirements(needs).items() if not each.marker or each.marker.evaluate()]
    assert seen - set(pinned) == set()


def test_the_papers_of_an_edition_name_its_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    newest = re.search(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [citation["version"], newest and newest[1]] == [stylelearn.__version__] * 2


@pytest.fixture(scope="module")
def installed_wheel(tmp_path_factory) -> Path:
    """A wheel, built from a copy of the repository and unpacked as an installation would."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-CONTENT"):
        shutil.copy(ROOT / name, folder)
    for name in ("stylelearn", "data", "lessons"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "my-*"))
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]  # an environment made by uv has no pip
    subprocess.run(build, cwd=folder, check=True, timeout=300)
    (wheel,) = (folder / "dist").glob("stylelearn-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_a_wheel_carries_code_data_and_notebooks(installed_wheel):
    inside = {path.relative_to(installed_wheel).as_posix() for path in installed_wheel.rglob("*") if path.is_file()}
    parts = ("data/**/*", "lessons/*.ipynb", "lessons/solutions/*.ipynb")
    tracked = [path for part in parts for path in ROOT.glob(part)]
    wanted = {f"stylelearn/{path.relative_to(ROOT).as_posix()}" for path in tracked if path.is_file()}
    assert {name for name in wanted if "__pycache__" not in name and "/my-" not in name} <= inside
    painter = {f"stylelearn/cli/painter/{path.name}" for path in ROOT.glob("stylelearn/cli/painter/*")}
    assert {"stylelearn/py.typed", "stylelearn/__init__.py", *painter} <= inside
    assert not any(name.startswith(("benchmarks/", "data/", "tests/", "lessons/")) for name in inside)
    assert not any(name.startswith(("stylelearn/lessons/src", "stylelearn/lessons/tools")) for name in inside)


def test_a_wheel_is_enough_for_a_working_copy_whose_links_work(installed_wheel, tmp_path):
    code = "from stylelearn.cli import working_copy as w; from pathlib import Path; w.update(Path('mine'), w.course())"
    environment = {**os.environ, "PYTHONPATH": str(installed_wheel)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, timeout=100)
    lessons = tmp_path / "mine" / "lessons"
    assert sorted(path.stem for path in lessons.glob("*.ipynb")) == [source.stem for source in build.sources()]
    assert {path.name: dead_links(path) for path in lessons.rglob("*.ipynb") if dead_links(path)} == {}


FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "stylelearn").rglob("*.py")
}
LESSONS = {path.stem[3:]: int(path.stem[:2]) for path in (ROOT / "lessons" / "src").glob("*.py")}
TOP = ("lab", "checks", "cli", "__main__")  # what people use; nothing stands on these


def imports(path: Path, *, at_import_time: bool = False) -> Iterator[str]:
    """Modules that a file imports by full name, everywhere or only when it is itself imported."""
    nodes: list[ast.AST] = list(ast.parse(path.read_text(encoding="utf-8")).body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in FILES else str(node.module) for name in names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue  # for readers and type checkers, never run
        elif not (at_import_time and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)):
            nodes.extend(ast.iter_child_nodes(node))


def test_imports_run_downward():
    """No circle between files or rooms; the top is the top; a lesson's module builds on earlier lessons only."""
    room = {name: name.split(".")[1] if "." in name else "" for name in FILES}
    files = {name: {other for other in imports(path) if room.get(other)} for name, path in FILES.items()}
    rooms: dict[str, set[str]] = {}
    for name, others in files.items():
        rooms.setdefault(room[name], set()).update({room[other] for other in others} - {room[name]})
    for graph in (files, rooms):
        TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle
    for name, others in rooms.items():
        assert name in TOP or not others & set(TOP), f"{name} imports {others & set(TOP)}"
        later = {other for other in others & set(LESSONS) if LESSONS[other] > LESSONS.get(name, 99)}
        assert not later, f"lesson module {name} imports {later}, of a later lesson"


@pytest.mark.parametrize("name", FILES)
def test_widgets_stay_in_the_lab_and_slow_imports_wait(name):
    in_lab = name.startswith("stylelearn.lab")
    assert in_lab or not any(module.startswith("ipywidgets") for module in imports(FILES[name]))
    slow = re.compile(r"(matplotlib|torchvision|skimage|sklearn|requests|IPython)\b")
    assert in_lab or not any(slow.match(module) for module in imports(FILES[name], at_import_time=True))


def test_no_document_of_the_course_names_a_folder_of_a_machine():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("*.yml"), *ROOT.glob("*.toml"), *ROOT.glob("*.txt"), ROOT / "Makefile"]
    for page in pages:
        assert not re.search(r"(?<![\w.~])/(home|Users|root|tmp|work)/", page.read_text(encoding="utf-8")), page.name


SHIPPED = sorted((ROOT / "data" / "weights").glob("*.safetensors"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_weights_are_small_whole_and_have_a_card(path):
    checksums = json.loads((path.parent / "checksums.json").read_text(encoding="utf-8"))
    assert checksums[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.stat().st_size <= 4_000_000
    assert {value.dtype for value in load_file(path).values()} == {torch.float16}
    cards = path.parent.glob("*.CARD.md")
    (card,) = [card for card in cards if f"{path.stem}_".startswith(card.name.split(".")[0] + "_")]
    assert path.stem in card.read_text(encoding="utf-8")


def test_no_checksum_without_weights():
    checksums = json.loads((ROOT / "data" / "weights" / "checksums.json").read_text(encoding="utf-8"))
    assert set(checksums) == {path.name for path in SHIPPED}
