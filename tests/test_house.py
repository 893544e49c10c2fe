"""The house itself: three lists of dependencies that agree, a wheel that is whole, commands that say what is wrong."""

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
from pathlib import Path

import pytest
import torch
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from safetensors.torch import load_file

import stylelearn
from stylelearn.samples import content_names, credit

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


# --------------------------------------------------------------------------- three lists of dependencies


def test_conda_has_the_same_dependencies_and_ranges():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    plain = [line for line in environment["dependencies"] if isinstance(line, str) and line != "pip"]
    from_pip = next(line["pip"] for line in environment["dependencies"] if isinstance(line, dict))
    assert from_pip[-1] == "-e ."  # the course itself, as Binder and JupyterHub need it
    named = {CONDA_NAMES.get(name, name): each for name, each in requirements([*plain, *from_pip[:-1]]).items()}
    assert str(named.pop("python").specifier) == PROJECT["requires-python"]
    assert {name: each.specifier for name, each in named.items()} == {n: r.specifier for n, r in RUNTIME.items()}


@pytest.mark.parametrize("name", [*RUNTIME, *TEST])
def test_the_tested_version_is_in_the_range(name):
    assert (RUNTIME | TEST)[name].specifier.contains(pins()[name])


def test_constraints_are_exact_and_fit_every_build():
    for name, version in pins().items():
        assert Version(version).local is None, f"{name}=={version} fits one build only"
        assert not OF_TORCH.match(name)
    assert list(pins()) == sorted(pins())


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


def test_extras_dev_is_test():
    assert PROJECT["optional-dependencies"]["dev"] == ["stylelearn[test]"]


# --------------------------------------------------------------------------- the package


def test_versions_agree():
    assert PROJECT["version"] == stylelearn.__version__


def test_a_wheel_carries_the_data(tmp_path):
    pytest.importorskip("hatchling")
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-CONTENT"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("stylelearn", "data"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(tmp_path / "dist")]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(tmp_path)], check=True, timeout=300)
    (wheel,) = (tmp_path / "dist").glob("stylelearn-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    data = {f"stylelearn/{file.relative_to(tmp_path)}" for file in (tmp_path / "data").rglob("*") if file.is_file()}
    assert {name.replace("\\", "/") for name in data} <= inside
    assert {"stylelearn/py.typed", "stylelearn/__init__.py"} <= inside
    assert not any(name.startswith(("data/", "tests/", "lessons/")) for name in inside)


# --------------------------------------------------------------------------- floors

FLOORS = [
    {
        "images",
        "decoding",
        "sources",
        "colour",
        "colour_transfer",
        "figures",
        "samples",
        "labels",
        "palettes",
        "fonts",
        "glyphs",
    },
    {
        "losses",
        "tiling",
        "noise",
        "patches",
        "weights",
        "encoders",
        "decoders",
        "rescaling",
        "taps",
        "transformation",
        "conditioning",
        "glyph_networks",
        "bending",
    },
    {
        "training",
        "video",
        "crops",
        "processes",
        "optimize",
        "answers",
        "study",
        "descent",
        "matting",
        "segmentation",
        "recognition",
        "references",
        "resources",
        "distances",
        "measures",
    },
    {
        "mini",
        "inversion",
        "gatys",
        "johnson",
        "cin",
        "adain",
        "style_swap",
        "photo",
        "adjustable",
        "practice",
        "emd",
        "zi2zi",
        "painters",
        "tables",
        "compare",
    },
    {"bench", "doctor", "lab", "cli", "checks", "__main__"},
]
LESSON_FLOOR = 3
COMPARING = ("painters", "tables", "compare")  # what compares all methods may import them all
# Lessons that continue a lesson, practice towards lesson 02's objective, and the network that EMD is measured against.
BUILDS_ON = {
    "adjustable": {"cin"}, "cin": {"johnson"}, "photo": {"gatys"}, "practice": {"adjustable", "gatys"}, "zi2zi": {"emd"}
}  # fmt: skip
MODULES = sorted((ROOT / "stylelearn").rglob("*.py"))


def part(path: Path) -> str:
    """`lab` for stylelearn/lab/anything.py, `gatys` for stylelearn/gatys.py."""
    return path.relative_to(ROOT / "stylelearn").with_suffix("").parts[0]


def floor(name: str) -> int:
    found = [number for number, rooms in enumerate(FLOORS) if name in rooms]
    assert found, f"stylelearn/{name} has no floor yet: put it into FLOORS in {Path(__file__).name}"
    return found[0]


def imports(path: Path, *, at_import_time: bool) -> Iterator[str]:
    """Modules that a file imports by full name, everywhere or only when it is itself imported."""
    nodes = list(ast.parse(path.read_text(encoding="utf-8")).body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue  # for readers and type checkers, never run
        elif not (at_import_time and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)):
            nodes.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_imports_from_a_higher_floor(path):
    name = part(path)
    if name == "__init__":
        return
    for module in imports(path, at_import_time=False):
        if not module.startswith("stylelearn."):
            continue
        other = module.split(".")[1]
        if other in (name, "__version__"):
            continue
        assert floor(other) <= floor(name), f"{name} imports {other}, which stands above it"
        if floor(other) == floor(name) == LESSON_FLOOR and name not in COMPARING:
            assert other in BUILDS_ON.get(name, ()), f"lesson module {name} imports lesson module {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_widgets_stay_in_the_lab_and_slow_imports_wait(path):
    for module in imports(path, at_import_time=False):
        assert not module.startswith("ipywidgets") or part(path) == "lab"
    for module in imports(path, at_import_time=True):
        assert not re.match(r"(matplotlib|torchvision|skimage|sklearn)\b", module) or part(path) == "lab"


# --------------------------------------------------------------------------- commands

unix = pytest.mark.skipif(shutil.which("make") is None or os.name == "nt", reason="needs make and a POSIX shell")


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    clean = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=clean,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


@unix
def test_help_lists_every_command(tmp_path):
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, flags=re.MULTILINE)
    listed = re.findall(r"^make (\S+)", make(tmp_path).stdout.replace("  make", "make"), flags=re.MULTILINE)
    assert sorted(listed) == sorted(set(phony.split()) - {"venv"})


@unix
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exec {python} -c \"import sys; sys.version_info = (3, 9, 2); exec('''$2''')\"", "3.11 or newer.* is 3.9;"),
        (None, "no program"),
        ('[ "$2" = venv ] && exit 1\nexit 0', "python3-venv"),
    ],
)
def test_a_python_that_will_not_do_is_named(tmp_path, script, words):
    fake = tmp_path / "python-fake"
    if script is not None:
        program(tmp_path, fake.name, "#!/bin/sh\n" + script.replace("{python}", sys.executable) + "\n")
    done = make(tmp_path, "lab", f"PYTHON={fake}")
    assert done.returncode != 0
    assert re.search(words, done.stderr)
    assert not (tmp_path / ".venv" / ".installed").exists()


@unix
def test_installing_happens_once(tmp_path):
    """The second time nothing is installed; after a change of the lists it is."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("python", "stylelearn"):
        program(tmp_path / ".venv" / "bin", name, f'#!/bin/sh\necho {name} "$@" $OMP_WAIT_POLICY >> log\n')
    assert make(tmp_path, "lab").returncode == 0
    log = tmp_path / "log"
    first = log.read_text(encoding="utf-8").splitlines()
    assert "-m pip install" in first[-2] and "-c constraints.txt -e .[test]" in first[-2]
    assert first[-1] == "stylelearn lab PASSIVE"
    log.unlink()
    stamp = tmp_path / ".venv" / ".installed"
    os.utime(stamp, (stamp.stat().st_atime + 60,) * 2)  # newer than the copies that `make` above makes
    assert make(tmp_path, "lab").returncode == 0
    assert log.read_text(encoding="utf-8").splitlines() == ["stylelearn lab PASSIVE"]
    os.utime(stamp, (0, 0))
    assert make(tmp_path, "lab").returncode == 0
    assert "pip install" in log.read_text(encoding="utf-8")


@unix
def test_tests_are_one_run_of_everything_but_the_browser(tmp_path):
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    program(tmp_path / ".venv" / "bin", "python", '#!/bin/sh\necho "$@" >> log\ncase "$*" in *pytest*) exit 1;; esac\n')
    assert make(tmp_path, "test").returncode != 0
    last = (tmp_path / "log").read_text(encoding="utf-8").splitlines()[-1]
    assert last.startswith("-m pytest -m not browser tests lessons --nbval-lax")


@unix
@pytest.mark.parametrize("failing", ["lint", "test", "test-browser", "none"])
def test_ci_runs_every_part_and_fails_with_any(tmp_path, failing):
    script = f'#!/bin/sh\nfor last; do :; done\necho "$last" >> {tmp_path}/log\n[ "$last" != {failing} ]\n'
    for name, text in (("make", script), ("chromium", "#!/bin/sh\n")):
        program(tmp_path, name, text)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", ROOT / ".ci" / "run"], env=environment, capture_output=True, text=True, timeout=60)
    assert (tmp_path / "log").read_text(encoding="utf-8").split() == ["lint", "test", "test-browser"]
    assert (done.returncode != 0) == (failing != "none")


# --------------------------------------------------------------------------- papers


@pytest.mark.parametrize("name", content_names())
def test_the_readme_credits_every_photograph(name):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert name in readme and credit(name).licence.split(" (")[0] in readme
    assert credit(name).author.split(",")[0].split(" (")[0] in readme


def test_the_readme_names_both_licences_and_both_commands():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for words in ("make lab", "make test", "MIT", "CC BY 4.0", "(LICENSE)", "(LICENSE-CONTENT)"):
        assert words in readme


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
    cards = [card for card in path.parent.glob("*.CARD.md") if path.stem.startswith(card.name.split(".")[0])]
    assert len(cards) == 1 and path.stem in cards[0].read_text(encoding="utf-8")


def test_no_checksum_without_weights():
    checksums = json.loads((ROOT / "data" / "weights" / "checksums.json").read_text(encoding="utf-8"))
    assert set(checksums) == {path.name for path in SHIPPED}
