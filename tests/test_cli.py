"""The `stylelearn` command: exit status, one line for each mistake, help, and terminals of any encoding."""

import argparse
import io
import os
import subprocess
import sys
from unittest.mock import Mock

import pytest

from stylelearn.cli import main, networks
from stylelearn.cli.parsing import named_numbers, span


def refused(arguments: list[str], capsys) -> str:
    """The one line on stderr with which a wrong request is answered."""
    try:
        status = main(arguments)
    except SystemExit as error:  # from argparse
        status = error.code
    err = capsys.readouterr().err
    assert status == 2, err
    assert len(err.splitlines()) == 1 and "Traceback" not in err
    assert err.startswith("stylelearn")
    return err


@pytest.mark.parametrize("words", [["paint"], ["stylize"], ["lab", "--port", "0"]])
def test_a_mistake_is_answered_with_one_line(words, capsys):
    assert "--help" in refused(words, capsys)


def test_help(capsys):
    """argparse formats help only when it is asked for, so a stray % in it fails here."""
    commands = ["", "lab", "studio", "stylize", "video", "export", "compare", "study", "doctor"]
    for command in [*commands, *(f"train {name}" for name in networks.NETWORKS)]:
        with pytest.raises(SystemExit) as ended:
            main([*command.split(), "--help"])
        assert ended.value.code == 0
        assert "usage: stylelearn" in capsys.readouterr().out


def test_help_loads_nothing_slow():
    """Mistakes and --help answer at once: PyTorch is loaded only by commands that need it."""
    code = "import sys, stylelearn.cli as c; c._parser(); sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_as_a_module():
    done = subprocess.run([sys.executable, "-m", "stylelearn", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("stylelearn ")


def test_threads_wait_passively(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setattr("stylelearn.cli.doctor.examine", lambda: 0)
    assert main(["doctor"]) == 0
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "not enough memory"),
        (FloatingPointError("the loss is nan at step 3"), "the loss is nan at step 3"),
    ],
)
def test_what_fails_is_said_in_one_line(error, said, monkeypatch, capsys):
    monkeypatch.setattr("stylelearn.cli.doctor.examine", Mock(side_effect=error))
    assert main(["doctor"]) == 1
    assert said in capsys.readouterr().err


def test_a_mistake_of_ours_is_not_hidden(monkeypatch):
    monkeypatch.setattr("stylelearn.cli.doctor.examine", Mock(side_effect=RuntimeError("shape mismatch")))
    with pytest.raises(RuntimeError, match="shape mismatch"):
        main(["doctor"])


def test_what_a_terminal_cannot_show_is_written_otherwise(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "cp1252", newline="\n", write_through=True))
    monkeypatch.setattr("stylelearn.cli.doctor.examine", lambda: print("✓ fine × · …\n✗ bad") or 0)
    assert main(["doctor"]) == 0
    assert written.getvalue().decode("cp1252") == "ok fine × · …\n!! bad\n"


def test_names_of_files_that_are_no_text_are_printed_all_the_same(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(written, "utf-8", write_through=True))
    assert main(["stylize", "caf\udce9.png", "coffee", "-o", "o.png"]) == 2
    assert b"caf?.png" in written.getvalue()


LONG = "x" * 260 + ".png"


@pytest.mark.parametrize(
    "words",
    [
        ["stylize", "chelsea", "coffee", "--encoder-weights", LONG, "-o", "o.png"],
        ["study", "show", LONG],
    ],
    ids=lambda words: " ".join(words).replace(LONG, "LONG"),
)
def test_a_name_too_long_for_the_system_is_named(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = refused(words, capsys)
    assert LONG in said and "File name too long" in said and "Errno" not in said
    assert not list(tmp_path.iterdir())


def test_span():
    assert [span(s) for s in (0.4, 99, 119, 3599, 7500)] == ["0 s", "99 s", "2 min", "1 h 00 min", "2 h 05 min"]


def test_named_numbers():
    assert named_numbers(" relu4_1 = 0 ,a=0.5") == {"relu4_1": 0.0, "a": 0.5}
    for wrong in ("relu2_2", "=1", "a=nan", "a=1,,b=2"):
        with pytest.raises(argparse.ArgumentTypeError, match="is not NAME=NUMBER"):
            named_numbers(wrong)
