"""`stylelearn lab`: a working copy that never loses what a learner wrote, and JupyterLab in it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stylelearn import __version__
from stylelearn.cli import doctor, lab, main, working_copy
from stylelearn.cli.parsing import UsageError


@pytest.fixture
def course(tmp_path) -> Path:
    """A small course: two lessons with a solution each, a picture, and what makers of the course need."""
    files = {
        "lessons/00_welcome.ipynb": "welcome",
        "lessons/02_gatys.ipynb": "gatys",
        "lessons/solutions/02_gatys.ipynb": "solved",
        "lessons/src/02_gatys.py": "source",
        "lessons/tools/build.py": "tool",
        "lessons/my-picture.jpg": "picture",
        "data/gallery/welcome.jpg": "cat",
        "data/gallery/paint.py": "program",
        "README.md": "read me",
    }
    for name, text in files.items():
        write(tmp_path / "course" / name, text)
    return tmp_path / "course"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def texts(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != working_copy.RECORD)
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


def test_the_first_time_lessons_and_what_they_link_to_are_copied(course, tmp_path):
    changes = working_copy.update(tmp_path / "mine", course)
    assert texts(tmp_path / "mine") == {
        "lessons/00_welcome.ipynb": "welcome",
        "lessons/02_gatys.ipynb": "gatys",
        "lessons/solutions/02_gatys.ipynb": "solved",
        "data/gallery/welcome.jpg": "cat",
        "README.md": "read me",
    }
    assert set(changes.new) == set(texts(tmp_path / "mine"))
    assert working_copy.update(tmp_path / "mine", course) == working_copy.Changes()


def test_an_update_offers_what_is_new_and_leaves_what_a_learner_wrote(course, tmp_path):
    mine = tmp_path / "mine"
    working_copy.update(mine, course)
    write(mine / "lessons/02_gatys.ipynb", "my homework")
    write(mine / "lessons/notes.txt", "my notes")
    write(mine / "lessons/09_emd.ipynb", "my own lesson, older than the course's")
    for name in ("00_welcome", "02_gatys", "03_johnson", "09_emd"):
        write(course / f"lessons/{name}.ipynb", f"{name}, next edition")
    for _ in range(2):  # what is kept now is kept later, too
        changes = working_copy.update(mine, course)
        assert changes.kept == ["lessons/02_gatys.ipynb", "lessons/09_emd.ipynb"]
    found = texts(mine)
    assert found["lessons/00_welcome.ipynb"] == "00_welcome, next edition"  # nobody had written in it
    assert found["lessons/03_johnson.ipynb"] == "03_johnson, next edition"
    assert found["lessons/02_gatys.ipynb"] == "my homework"
    assert found["lessons/notes.txt"] == "my notes"
    assert found["lessons/09_emd.ipynb"].startswith("my own")


def test_without_its_record_everything_that_differs_is_the_learners(course, tmp_path):
    mine = tmp_path / "mine"
    working_copy.update(mine, course)
    write(mine / working_copy.RECORD, "{ damaged")
    write(course / "lessons/00_welcome.ipynb", "next edition")
    assert working_copy.update(mine, course).kept == ["lessons/00_welcome.ipynb"]


def test_a_fresh_lesson_stands_beside_the_learners(course, tmp_path):
    mine = tmp_path / "mine"
    working_copy.update(mine, course)
    names = [working_copy.fresh(mine, course, lesson) for lesson in ("02", "02_gatys")]
    assert names == ["lessons/02_gatys.fresh.ipynb", "lessons/02_gatys.fresh1.ipynb"]
    assert [(mine / name).read_text() for name in names] == ["gatys", "gatys"]
    with pytest.raises(UsageError, match="no lesson '77'; choose from 00_welcome, 02_gatys"):
        working_copy.fresh(mine, course, "77")


def test_a_folder_that_cannot_be_used_is_refused(course, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(working_copy, "course", lambda: course)
    (tmp_path / "file").write_text("x")
    for folder, said in ((course, "is the course itself"), (tmp_path / "file", "cannot be used")):
        assert main(["lab", str(folder)]) == 2
        assert said in capsys.readouterr().err


def test_notebooks_of_another_edition_are_named(tmp_path, monkeypatch):
    for name, edition in (("01_inversion", __version__), ("02_gatys", "0.0.9"), ("03_johnson", None)):
        origin = {"stylelearn": {"edition": edition}} if edition else {}
        write(tmp_path / "lessons" / f"{name}.ipynb", json.dumps({"metadata": origin}))
    write(tmp_path / "lessons" / "04_cin.ipynb", "{")
    assert working_copy.other_editions(tmp_path / "lessons") == ["02_gatys (0.0.9)"]
    monkeypatch.setattr(working_copy, "default", lambda: tmp_path)
    (found,) = [finding for finding in doctor.lessons() if "another edition" in finding.what]
    assert "02_gatys (0.0.9)" in found.what and "stylelearn lab" in found.remedy


@pytest.fixture
def started(course, tmp_path, monkeypatch):
    """Run the command; JupyterLab is only written down."""
    monkeypatch.setattr(working_copy, "course", lambda: course)
    monkeypatch.setattr(working_copy, "default", lambda: tmp_path / "default")
    calls: list[list[str]] = []

    class Process:
        def __init__(self, words, env):
            calls.append(words)

        def wait(self):
            return 0

    monkeypatch.setattr(subprocess, "Popen", Process)

    def run(*words: str) -> list[str]:
        assert main(["lab", *words]) == 0
        return calls[-1]

    return run


def test_lab_opens_the_working_copy(started, course, tmp_path, capsys):
    words = started()
    assert words[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={tmp_path / 'default'}" in words
    assert "--LabApp.default_url=/lab/tree/lessons/00_welcome.ipynb" in words and "--no-browser" not in words
    assert (tmp_path / "default/lessons/02_gatys.ipynb").read_text() == "gatys"
    assert "new: 00_welcome, 02_gatys" in capsys.readouterr().out
    words = started(str(tmp_path / "mine"), "--no-browser", "--port", "8899", "--", "--allow-root")
    assert f"--ServerApp.root_dir={tmp_path / 'mine'}" in words
    assert "--no-browser" in words and "--ServerApp.port=8899" in words and words[-1] == "--allow-root"
    words = started("--", "--ip", "0.0.0.0")
    assert f"--ServerApp.root_dir={tmp_path / 'default'}" in words and words[-2:] == ["--ip", "0.0.0.0"]


def test_lab_says_what_is_newer_and_opens_what_is_fresh(started, course, tmp_path, capsys):
    started()
    write(tmp_path / "default/lessons/02_gatys.ipynb", "homework")
    write(course / "lessons/02_gatys.ipynb", "next edition")
    capsys.readouterr()
    started()
    assert "stylelearn lab --fresh 02" in capsys.readouterr().out
    assert "--LabApp.default_url=/lab/tree/lessons/02_gatys.fresh.ipynb" in started("--fresh", "02")


def test_lab_asks_nothing_about_news(tmp_path):
    """JupyterLab itself, reading its settings, finds ours."""
    environment = lab.environment(tmp_path)
    assert environment["OMP_WAIT_POLICY"] in ("PASSIVE", os.environ.get("OMP_WAIT_POLICY"))
    code = (
        "import json; from jupyterlab_server.settings_utils import _get_overrides;"
        "print(json.dumps(_get_overrides('/nowhere')[0]['@jupyterlab/apputils-extension:notification']))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"fetchNews": "false", "checkForUpdates": False}


def test_lab_ends_with_jupyterlabs_status_and_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(lab, "prepare", lambda folder, fresh: "x")
    for status in (0, 3):
        monkeypatch.setattr(lab, "command", lambda *_, s=status: [sys.executable, "-c", f"raise SystemExit({s})"])
        assert main(["lab"]) == status
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_and_the_end_reach_jupyterlab(tmp_path):
    """Ctrl-C is JupyterLab's to answer (it asks back); a request to end is passed on."""
    script = (
        "import sys; from stylelearn.cli import lab, main;"
        "lab.prepare = lambda folder, fresh: 'x';"
        "lab.command = lambda *a: [sys.executable, '-c', "
        '\'import signal, time; signal.signal(signal.SIGINT, lambda *a: print("asked", flush=True));'
        'print("up", flush=True); [time.sleep(0.1) for _ in range(300)]\'];'
        "sys.exit(main(['lab']))"
    )
    words = [sys.executable, "-c", script]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout.readline() == "up\n"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    assert process.stdout.readline() == "asked\n"
    process.terminate()
    assert process.wait(timeout=60) == 0
