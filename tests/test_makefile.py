"""The first `make lab`: which installer and which build of PyTorch it takes. Programs only say how they were called."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SMALL = "--extra-index-url https://download.pytorch.org/whl/cpu"

pytestmark = pytest.mark.skipif(os.name == "nt" or not shutil.which("make"), reason="needs make and a POSIX shell")


@pytest.fixture
def install(tmp_path):
    """Run the rule that installs, with stand-ins for the programs named; returns what it ran."""

    def run(config: str = "", programs: tuple[str, ...] = (), *words: str, **variables: str) -> str:
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, tmp_path)
        programs_folder = tmp_path / "programs"
        bodies = {"uname": "echo Linux", "uv": 'echo "uv $*"', "nvidia-smi": "true"}
        python = f'test "$2 $3" = "pip config" && echo "{config}" || echo "python $*"'
        for path, body in {
            tmp_path / ".venv/bin/python": python,
            **{programs_folder / name: bodies[name] for name in ("uname", *programs)},
        }.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"#!/bin/sh\n{body}\n")
            path.chmod(0o755)
        quiet = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE", "UV"))}
        environment = {**quiet, "PATH": f"{programs_folder}:/usr/bin:/bin", **variables}
        done = subprocess.run(
            ["make", "-s", ".venv/.installed", *words], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_linux_without_a_card_takes_the_small_build(install):
    assert SMALL in install("", (), "UV=")


@pytest.mark.parametrize(
    ("config", "programs"), [("", ("nvidia-smi",)), ("global.extra-index-url='https://mirror.example/simple'", ())]
)
def test_a_card_or_an_index_of_ones_own_is_left_alone(install, config, programs):
    said = install(config, programs, "UV=")
    assert "pip install" in said and SMALL not in said


def test_uv_is_used_where_it_is_but_not_past_pips_settings(install, tmp_path):
    said = install("", ("uv",))
    assert "uv pip install" in said and "--torch-backend auto" in said
    (tmp_path / ".venv/.installed").unlink()
    assert "uv pip" not in install("links", ("uv",), PIP_NO_INDEX="1", PIP_FIND_LINKS="wheels")


def test_a_development_container_installs_as_make_lab_does():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert container["postCreateCommand"] == "make .venv/.installed"
