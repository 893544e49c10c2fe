"""Where a file may be written, what it may overwrite, and what is left when writing fails."""

import os
from pathlib import Path

import pytest

from stylelearn.files import check_output, replacing


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_a_place_that_can_be_written_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "old.png").write_bytes(b"old")
    for path in (tmp_path / "new.png", str(tmp_path / "old.PNG"), tmp_path / "old.png"):
        assert check_output(path, [".png"], ["mosaic", "https://example.org/a.png", b"bytes"]) == Path(path)
    assert check_output("~/bild äöü.png") == tmp_path / "bild äöü.png"
    assert names(tmp_path) == ["old.png"] and (tmp_path / "old.png").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.bmp", r"ends in '\.bmp'; choose \.png, \.jpg"),
        ("folder.png", "is a folder"),
        ("nowhere/a.png", "nowhere' does not exist; create it first"),
        ("x" * 252 + ".png", "cannot be written"),
        ("~nobody-of-this-name/a.png", "cannot be written|does not exist"),
        (os.fsdecode(b"\xff.png"), "not a name in UTF-8"),
    ],
)
def test_where_nothing_can_be_written(name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ValueError, match=message) as caught:
        check_output(name, [".png", ".jpg"])
    str(caught.value).encode()  # any terminal's log can take it
    assert names(tmp_path) == ["folder.png"]


@pytest.mark.skipif(os.name != "posix", reason="devices, links and modes of Unix")
def test_devices_and_read_only_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="device or a pipe"):
        check_output("/dev/null")
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root, who may write anywhere
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(ValueError, match="read-only"):
        check_output(tmp_path / "a.png")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(ValueError, match="Permission denied"):
        check_output(tmp_path / "b.png")


def test_no_input_is_overwritten_under_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"photo")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.png").symlink_to(photo)
    for out, source in ((photo, "photo.png"), ("link.png", photo), ("./photo.png", "link.png")):
        with pytest.raises(ValueError, match="read as input"):
            check_output(out, inputs=["mosaic", source])


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 250}.png"  # as long as most systems allow
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), replacing(path) as part:
        part.write_bytes(b"half")
        assert path.read_bytes() == b"old" and part.suffix == ".png"
        raise RuntimeError
    assert names(tmp_path) == [path.name] and path.read_bytes() == b"old"
    with replacing(path) as part, replacing(path) as other:
        assert part != other  # two programs do not write into one file
        part.write_bytes(b"new")
        other.write_bytes(b"other")
    assert names(tmp_path) == [path.name] and path.read_bytes() == b"new"


@pytest.mark.skipif(os.name != "posix", reason="links and modes of Unix")
def test_links_lead_to_the_file_and_modes_are_those_of_a_plain_file(tmp_path: Path) -> None:
    plain, real, link = tmp_path / "plain", tmp_path / "real.png", tmp_path / "link.png"
    plain.write_bytes(b"")
    link.symlink_to(real)
    with replacing(link) as part:
        part.write_bytes(b"new")
    assert link.is_symlink() and real.read_bytes() == b"new"
    assert real.stat().st_mode == plain.stat().st_mode
