"""The hub of deploy/: what a learner's server does at its start, what measures it, and the link for nbgitpuller."""

import json
import os
import re
import runpy
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
import requests
from traitlets.config import Config

import measure
from stylelearn.cli import working_copy
from stylelearn.cli.parsing import UsageError
from stylelearn.lab import AdaINLab, AdjustableLab

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"


def configured(monkeypatch: pytest.MonkeyPatch, **settings: str) -> Config:
    """The hub's configuration with these variables of the environment."""
    for name, value in {"CLASS_PASSWORD": "starry-night", **settings}.items():
        monkeypatch.setenv(name, value)
    config = Config()
    runpy.run_path(str(DEPLOY / "jupyterhub_config.py"), {"get_config": lambda: config})
    return config


def test_a_certificate_is_used_and_one_without_a_key_is_refused(tmp_path, monkeypatch):
    for name in ("class.pem", "key.pem"):
        (tmp_path / name).touch()
    certificate, key, missing = (str(tmp_path / name) for name in ("class.pem", "key.pem", "missing.pem"))
    with pytest.raises(SystemExit, match="CLASS_KEY: it is not set"):
        configured(monkeypatch, CLASS_CERTIFICATE=certificate)
    with pytest.raises(SystemExit, match=r"CLASS_KEY: .*missing\.pem' cannot be read"):
        configured(monkeypatch, CLASS_CERTIFICATE=certificate, CLASS_KEY=missing)
    hub = configured(monkeypatch, CLASS_CERTIFICATE=certificate, CLASS_KEY=key).JupyterHub
    assert (hub.ssl_cert, hub.ssl_key) == (certificate, key)


def test_a_server_opens_the_working_copy_that_it_makes(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    config = configured(monkeypatch)
    runpy.run_path(str(DEPLOY / "jupyter_server_config.py"))
    assert (tmp_path / config.Spawner.default_url.removeprefix("/lab/tree/")).is_file()


@pytest.mark.parametrize("name, lab", [("05_adain", AdaINLab), ("08_adjustable", AdjustableLab)])
def test_the_script_that_measures_moves_a_slider_of_the_lab(name, lab):
    shown = {"lab": lab(size=64)}
    slider = eval(measure.LESSONS[name], shown)
    before = eval(measure.PICTURE, shown).value
    slider.value = 0.3
    assert shown["lab"].wait(60)
    assert eval(measure.PICTURE, shown).value != before


@pytest.fixture
def repository(tmp_path) -> Path:
    """A repository for a class, with one lesson."""
    folder = tmp_path / "owner" / "course"
    (folder / "lessons" / "src").mkdir(parents=True)
    (folder / "lessons" / "src" / "00_welcome.py").write_text("# %% the source\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, ["question 1\n", "\n", "your answer\n", "\n", "\n", "question 2\n"])
    return folder


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=teacher", "-c", "user.email=teacher@example.org"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, timeout=60)


def commit(folder: Path, lines: list[str]) -> None:
    lesson(folder, lines)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=lesson")


def lesson(folder: Path, lines: list[str]) -> None:
    cell = {"cell_type": "raw", "id": "text", "metadata": {}, "source": lines}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / working_copy.WELCOME).write_text(json.dumps(notebook, indent=1) + "\n")


@pytest.fixture
def server(tmp_path):
    """A learner's server: its address, its folder, and a session that is logged in."""
    pytest.importorskip("nbgitpuller", reason="needs nbgitpuller, which the course does not install")
    home, token = tmp_path / "home", secrets.token_hex()
    home.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", f"--ServerApp.root_dir={home}"]
    words += [f"--IdentityProvider.token={token}", "--ServerApp.jpserver_extensions={'nbgitpuller': True}"]
    environment = {**os.environ, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "config")}
    process = subprocess.Popen([sys.executable, "-m", "jupyter_server", *words], env=environment, cwd=home)
    session, address = requests.Session(), f"http://127.0.0.1:{port}/"
    try:
        for _ in range(120):
            assert process.poll() is None, "the server ended"
            try:
                session.get(address, params={"token": token}, timeout=10).raise_for_status()
                break
            except requests.ConnectionError:
                time.sleep(0.5)
        yield address, home, session
    finally:
        process.terminate()
        process.wait(30)


def test_the_link_brings_the_lessons_and_keeps_what_a_learner_wrote(server, repository):
    address, home, session = server
    (link,) = re.findall(r"https://HUB/hub/user-redirect/(git-pull\?\S+)", (DEPLOY / "README.md").read_text())
    link = link.replace(quote("https://github.com/OWNER/REPOSITORY", safe=""), quote(f"file://{repository}", safe=""))
    link = link.replace("REPOSITORY", repository.name)

    def follow() -> str:
        """What nbgitpuller's page does; the path that it opens in the end."""
        page = session.get(address + link, timeout=60).text
        given = {name: unquote(value) for name, value in re.findall(r'data-([a-z]+)="([^"]*)"', page)}
        query = {name: given[name] for name in ("repo", "targetpath")}
        events = session.get(f"{address}git-pull/api", params=query, timeout=60).text
        assert '"phase": "finished"' in events, events
        return given["path"]

    path = follow().removeprefix("lab/tree/")
    copy = home / repository.name
    assert (home / path).samefile(copy / working_copy.WELCOME)

    lesson(copy, ["question 1\n", "\n", "42\n", "\n", "\n", "question 2\n"])
    commit(repository, ["question 1\n", "\n", "your answer\n", "\n", "\n", "question 2, clearer\n"])
    follow()
    merged = json.loads((home / path).read_text())["cells"][0]["source"]
    assert merged == ["question 1\n", "\n", "42\n", "\n", "\n", "question 2, clearer\n"]

    with pytest.raises(UsageError, match="the course itself"):  # `stylelearn lab` leaves this folder to nbgitpuller
        working_copy.update(copy, repository)
