"""Ways in: files, bytes, uploads, and addresses against a server that misbehaves in every way it can."""

import gzip
import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylelearn.images import ImageError, read_image
from stylelearn.sources import load_bytes


def picture_bytes() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.arange(60, dtype=np.uint8).reshape(4, 5, 3)).save(buffer, "PNG")
    return buffer.getvalue()


PICTURE = picture_bytes()
IMAGE = torch.arange(60).reshape(1, 4, 5, 3).permute(0, 3, 1, 2) / 255

# -------------------------------------------------------------------------------------------- files and uploads


def test_a_file_by_path_and_by_name(tmp_path):
    path = tmp_path / "bild äöü.png"
    path.write_bytes(PICTURE)
    assert torch.equal(read_image(path), IMAGE)
    assert torch.equal(read_image(str(path)), IMAGE)


def test_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "a.png").write_bytes(PICTURE)
    assert torch.equal(read_image("~/a.png"), IMAGE)


def test_files_that_are_not_there(tmp_path):
    (tmp_path / "cat.jpg").write_bytes(PICTURE)
    with pytest.raises(ImageError, match=r"dog\.jpg' does not exist; pictures in .*: cat\.jpg"):
        read_image(tmp_path / "dog.jpg")
    with pytest.raises(ImageError, match="neither does its folder"):
        read_image(tmp_path / "nowhere" / "dog.jpg")
    with pytest.raises(ImageError, match="is a folder"):
        read_image(tmp_path)


@pytest.mark.parametrize("name", ["x" * 5000, "~nobody-of-this-name/a.png", "a\0b.png"])
def test_names_that_no_system_takes(name):
    with pytest.raises(ImageError, match=r"cannot be read|does not exist"):
        read_image(name)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
def test_a_device_is_not_read_for_ever():
    with pytest.raises(ImageError, match="device or a pipe"):
        read_image("/dev/zero")


def test_empty_and_large_files_name_themselves(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"")
    with pytest.raises(ImageError, match=r"a\.png' is empty"):
        read_image(path)
    path.write_bytes(bytes(2_000_000))
    with pytest.raises(ImageError, match=r"a\.png' has 2\.0 MB, more than the limit of 1\.0 MB"):
        read_image(path, max_bytes=1_000_000)
    path.write_bytes(b"nonsense")
    with pytest.raises(ImageError, match=r"a\.png' is not a picture"):
        read_image(path)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_of_every_kind(kind):
    assert torch.equal(read_image(kind(PICTURE)), IMAGE)
    with pytest.raises(ImageError, match="0 bytes"):
        read_image(kind(b""))
    with pytest.raises(ImageError, match="more than the limit"):
        read_image(kind(PICTURE), max_bytes=len(PICTURE) - 1)


def upload(content: bytes = PICTURE) -> dict:
    """What an ipywidgets FileUpload holds for one file."""
    return {"name": "cat.png", "type": "image/png", "size": len(content), "content": memoryview(content)}


def test_uploads():
    for value in (upload(), (upload(),), [upload()]):
        assert torch.equal(read_image(value), IMAGE)
    with pytest.raises(ImageError, match="nothing is uploaded yet"):
        read_image(())
    with pytest.raises(ImageError, match="2 files are uploaded"):
        read_image((upload(), upload()))
    with pytest.raises(ImageError, match=r"upload 'cat\.png' is not a picture"):
        read_image((upload(b"nonsense"),))
    with pytest.raises(ImageError, match=r"upload 'cat\.png' is empty"):
        read_image(upload(b""))
    with pytest.raises(ImageError, match="with 'content'"):
        read_image({"name": "cat.png"})


def test_a_real_upload_widget():
    widgets = pytest.importorskip("ipywidgets")
    widget = widgets.FileUpload()
    with pytest.raises(ImageError, match="nothing is uploaded yet"):
        read_image(widget.value)
    widget.set_state({"value": [upload() | {"last_modified": 0}]})  # the message that a browser sends
    assert torch.equal(read_image(widget.value), IMAGE)


@pytest.mark.parametrize("source", [None, 3, 2.5, object()])
def test_things_that_are_no_sources(source):
    with pytest.raises(ImageError, match="cannot be read from"):
        read_image(source)


# ---------------------------------------------------------------------------------------------------- addresses


class Server(BaseHTTPRequestHandler):
    """One address for each kind of answer."""

    release = threading.Event()  # lets the slow answers end with the tests

    def log_message(self, *_):
        pass

    def do_GET(self):
        name = self.path.strip("/").split("?")[0].replace(".png", "")
        getattr(self, f"answer_{name}", self.answer_missing)()

    def reply(self, body: bytes, status: int = 200, **headers: str):
        self.send_response(status)
        for key, value in ({"Content_Length": str(len(body))} | headers).items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def answer_picture(self):
        self.reply(PICTURE)

    def answer_missing(self):
        self.reply(b"<html>not here</html>", 404)

    def answer_moved(self):
        self.reply(b"", 302, Location="/picture.png")

    def answer_circle(self):
        self.reply(b"", 302, Location="/circle")

    def answer_page(self):
        self.reply(b"<!doctype html><html><body>a gallery</body></html>")

    def answer_empty(self):
        self.reply(b"")

    def answer_announced(self):
        self.reply(PICTURE, Content_Length=str(10**9))

    def answer_endless(self):
        self.send_response(200)  # HTTP/1.0 without a length: the body lasts until the connection closes
        self.end_headers()
        try:
            while not self.release.is_set():
                self.wfile.write(bytes(65536))
        except OSError:
            pass  # the client has hung up, as it should

    def answer_packed(self):
        self.reply(gzip.compress(PICTURE), Content_Encoding="gzip")

    def answer_packedbomb(self):
        self.reply(gzip.compress(bytes(20_000_000)), Content_Encoding="gzip")

    def answer_silent(self):
        self.release.wait(20)

    def answer_drip(self):
        self.send_response(200)
        self.end_headers()
        try:
            while not self.release.wait(0.02):
                self.wfile.write(b"x")
        except OSError:
            pass

    def answer_broken(self):
        self.reply(PICTURE[:40], Content_Length=str(len(PICTURE)))
        self.connection.close()


@pytest.fixture(scope="module")
def site():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    Server.release.set()
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.mark.parametrize("name", ["picture.png", "picture.png?size=large", "moved", "packed"])
def test_pictures_at_an_address(site, name):
    assert torch.equal(read_image(f"{site}/{name}"), IMAGE)
    assert torch.equal(read_image(f"{site}/{name}".replace("http", "HTTP", 1)), IMAGE)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "answered 404"),
        ("circle", "redirects more than 5 times"),
        ("page", "web page"),
        ("empty", "is empty"),
        ("announced", "1,000.0 MB, more than the limit"),
        ("broken", "cannot be reached|broken or cut off"),
    ],
)
def test_answers_that_are_no_pictures(site, name, message):
    with pytest.raises(ImageError, match=message) as caught:
        read_image(f"{site}/{name}")
    assert f"{site}/{name}" in str(caught.value)


@pytest.mark.parametrize("name", ["endless", "packedbomb"])
def test_a_body_without_end_is_cut_at_the_limit(site, name):
    with pytest.raises(ImageError, match=r"has at least .* MB, more than the limit of 1\.0 MB"):
        read_image(f"{site}/{name}", max_bytes=1_000_000)


@pytest.mark.parametrize("name", ["silent", "drip"])
def test_a_server_that_keeps_us_waiting(site, name):
    with pytest.raises(ImageError, match=r"did not arrive within 0\.3 s"):
        read_image(f"{site}/{name}", timeout=0.3)


def test_a_server_that_is_not_there():
    with pytest.raises(ImageError, match="cannot be reached"):
        read_image("http://127.0.0.1:9/picture.png", timeout=2)


@pytest.mark.parametrize("address", ["ftp://host/a.png", "file:///etc/passwd", "http://", "https:///a.png"])
def test_addresses_that_are_none(address):
    with pytest.raises(ImageError, match="http"):
        read_image(address)


def test_the_name_for_messages(tmp_path):
    (tmp_path / "a.png").write_bytes(PICTURE)
    assert load_bytes(tmp_path / "a.png") == (PICTURE, f"'{tmp_path / 'a.png'}'")
    assert load_bytes(upload()) == (PICTURE, "the upload 'cat.png'")
