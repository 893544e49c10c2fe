"""The hub of deploy/: what a learner's server does at its start, what measures it, and the link for nbgitpuller."""

import re
import runpy
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from traitlets.config import Config

import measure
from stylelearn.cli import working_copy
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


def test_the_link_of_the_readme_names_the_repository_and_the_first_lesson():
    (link,) = re.findall(r"https://HUB/hub/user-redirect/git-pull\?(\S+)", (DEPLOY / "README.md").read_text())
    said = {name: value for name, (value,) in parse_qs(link).items()}
    assert said["repo"] == "https://github.com/OWNER/REPOSITORY"
    assert said["urlpath"] == f"lab/tree/REPOSITORY/{working_copy.WELCOME}"
