"""Ways in, with a server that misbehaves; resizing against closed forms; writing against reading."""

import contextlib
import gzip
import io
import math
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pictures import random_image
from PIL import Image

from stylelearn import images
from stylelearn.images import (
    ImageError,
    encode_image,
    psnr,
    read_image,
    read_settings,
    resize,
    shown_name,
    to_pil,
    write_image,
)

sides = st.integers(1, 40)


def smooth_image(height: int = 48, width: int = 64) -> torch.Tensor:
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    return torch.stack([x, y, 1 - x])[None]


def picture_bytes() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.arange(60, dtype=np.uint8).reshape(4, 5, 3)).save(buffer, "PNG")
    return buffer.getvalue()


PICTURE = picture_bytes()
IMAGE = torch.arange(60).reshape(1, 4, 5, 3).permute(0, 3, 1, 2) / 255


def test_a_file_by_path_and_by_name(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    path = tmp_path / "bild äöü.png"
    path.write_bytes(PICTURE)
    assert torch.equal(read_image(path), IMAGE)
    assert torch.equal(read_image(str(path)), IMAGE)
    assert torch.equal(read_image("~/bild äöü.png"), IMAGE)
    assert torch.equal(read_image(path, size=2), resize(IMAGE, 2))


def test_files_that_are_not_there(tmp_path):
    (tmp_path / "cat.jpg").write_bytes(PICTURE)
    with pytest.raises(ImageError, match=r"dog\.jpg' does not exist; pictures in .*: cat\.jpg"):
        read_image(tmp_path / "dog.jpg")
    with pytest.raises(ImageError, match="neither does its folder"):
        read_image(tmp_path / "nowhere" / "dog.jpg")
    with pytest.raises(ImageError, match="is a folder"):
        read_image(tmp_path)


@pytest.mark.parametrize("source", ["x" * 5000, "~nobody-of-this-name/a.png", "a\0b.png", 2.5, "/dev/zero"])
def test_what_is_no_name_of_a_file(source):
    with pytest.raises(ImageError, match=r"cannot be read|does not exist|device or a pipe"):
        read_image(source)


def test_empty_and_large_files_name_themselves(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"")
    with pytest.raises(ImageError, match=r"a\.png' is empty"):
        read_image(path)
    monkeypatch.setattr(images, "_MAX_BYTES", 1_000_000)
    path.write_bytes(bytes(1_000_001))
    with pytest.raises(ImageError, match=r"a\.png' has more than 1\.0 MB"):
        read_image(path)
    path.write_bytes(b"nonsense")
    with pytest.raises(ImageError, match=r"a\.png' is not a picture"):
        read_image(path)


def upload(content: bytes = PICTURE) -> dict:
    """What an ipywidgets FileUpload holds for one file."""
    return {"name": "cat.png", "type": "image/png", "size": len(content), "content": memoryview(content)}


def test_uploads():
    for value in (upload(), (upload(),), [upload()], PICTURE, bytearray(PICTURE), memoryview(PICTURE)):
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


ANSWERS = {  # name: body, status, headers
    "picture": (PICTURE, 200, {}),
    "nothing": (b"<html>not here</html>", 404, {}),
    "moved": (b"", 302, {"Location": "/picture.png"}),
    "page": (b"<!doctype html><html><body>a gallery</body></html>", 200, {}),
    "empty": (b"", 200, {}),
    "broken": (PICTURE[:40], 200, {"Content-Length": str(len(PICTURE))}),
    "packed": (gzip.compress(PICTURE), 200, {"Content-Encoding": "gzip"}),
    "packedbomb": (gzip.compress(bytes(20_000_000)), 200, {"Content-Encoding": "gzip"}),
}
ENDLESS = {"endless": (bytes(65536), 0), "drip": (b"x", 0.02)}  # name: what is sent again and again, seconds between


class Server(BaseHTTPRequestHandler):
    """One address for each kind of answer."""

    release = threading.Event()  # lets the slow answers end with the tests

    def log_message(self, *_):
        pass

    def do_GET(self):
        name = self.path.strip("/").split("?")[0].replace(".png", "")
        if name == "silent":
            self.release.wait(20)
        elif name in ENDLESS:
            part, pause = ENDLESS[name]
            self.send_response(200)  # HTTP/1.0 without a length: the body lasts until the connection closes
            self.end_headers()
            with contextlib.suppress(OSError):  # the client hangs up, as it should
                while not self.release.wait(pause):
                    self.wfile.write(part)
        else:
            body, status, headers = ANSWERS[name]
            self.send_response(status)
            for key, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)


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


@pytest.mark.parametrize("name", ["picture.png", "picture.png?size=large", "moved", "packed"])
def test_pictures_at_an_address(site, name):
    assert torch.equal(read_image(f"{site}/{name}"), IMAGE)
    assert torch.equal(read_image(f"{site}/{name}".replace("http", "HTTP", 1)), IMAGE)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "answered 404"),
        ("page", "web page"),
        ("empty", "is empty"),
        ("broken", "cannot be reached|broken or cut off"),
    ],
)
def test_answers_that_are_no_pictures(site, name, message):
    with pytest.raises(ImageError, match=message) as caught:
        read_image(f"{site}/{name}")
    assert f"{site}/{name}" in str(caught.value)


@pytest.mark.parametrize("name", ["endless", "packedbomb"])
def test_a_body_without_end_is_cut_at_the_limit(site, name, monkeypatch):
    monkeypatch.setattr(images, "_MAX_BYTES", 1_000_000)
    with pytest.raises(ImageError, match=r"has more than 1\.0 MB"):
        read_image(f"{site}/{name}")


@pytest.mark.parametrize("name", ["silent", "drip"])
def test_a_server_that_keeps_us_waiting(site, name, monkeypatch):
    monkeypatch.setattr(images, "_SECONDS", 0.3)
    with pytest.raises(ImageError, match=r"did not arrive within 0\.3 s"):
        read_image(f"{site}/{name}")


def test_messages_keep_passwords_and_tokens_to_themselves(site):
    with pytest.raises(ImageError, match="cannot be reached"):
        read_image("http://127.0.0.1:9/picture.png")
    with pytest.raises(ImageError, match=r"nothing' answered 404") as caught:
        read_image(site.replace("//", "//jane:pass@word@") + "/nothing?token=abc#def")
    assert not any(secret in str(caught.value) for secret in ("jane", "pass", "word", "token", "abc", "def"))


@pytest.mark.parametrize("address", ["file:///etc/passwd", "http://"])
def test_addresses_that_are_none(address):
    with pytest.raises(ImageError, match="http"):
        read_image(address)


@given(height=sides, width=sides, size=sides)
def test_resize_sizes(height, width, size):
    image = random_image(height, width)
    for fit, side in (("short", min), ("long", max)):
        result = resize(image, size, fit)
        assert side(result.shape[-2:]) == size
        for got, before in zip(result.shape[-2:], (height, width), strict=True):
            exact = before * size / side(height, width)
            assert abs(got - exact) <= 0.5 or (got == 1 and exact < 0.5)
        assert float(result.min()) >= 0 and float(result.max()) <= 1 and result.dtype == torch.float32
    assert resize(image, (size, 3), "box").shape == (1, 3, size, 3)
    assert resize(image, size, "box").shape == (1, 3, size, size)


def test_fine_stripes_turn_grey_and_not_into_false_stripes():
    """One-pixel stripes are above what a third of the pixels can show: antialiased they are even grey."""
    stripes = (torch.arange(96) % 2).float().expand(1, 3, 96, 96)
    inner = resize(stripes, 32)[..., 4:-4, 4:-4]
    assert float((inner - 0.5).abs().max()) < 0.02
    assert float((stripes[..., ::3] - 0.5).abs().max()) == 0.5  # plain subsampling keeps full contrast


def test_a_ramp_stays_a_ramp():
    """Enlarging a linear ramp twice puts new pixels at quarter steps between the old ones."""
    ramp = torch.linspace(0.1, 0.9, 17).expand(1, 3, 17, 17)
    step = 0.8 / 16
    expected = 0.1 + step * ((torch.arange(34) + 0.5) / 2 - 0.5)
    assert torch.allclose(resize(ramp, 34)[0, 0, 17, 6:-6], expected[6:-6], atol=1e-5)


def test_the_same_size_is_a_copy():
    batch = random_image(9, 13, batch=3)
    same = resize(batch, 9)
    assert torch.equal(same, batch) and same.data_ptr() != batch.data_ptr()


@pytest.mark.parametrize(
    ("size", "fit", "message"),
    [
        (0, "short", "at least 1; got 0"),
        (2.5, "short", "whole number"),
        ((4, 4, 4), "box", "height, width"),
        (4, "crop", "'short', 'long' or 'box'"),
    ],
)
def test_resize_refuses(size, fit, message):
    with pytest.raises(ImageError, match=message):
        resize(random_image(5, 5), size, fit)


def test_resize_never_makes_a_giant():
    """1 × 100,000 pixels are few; with the short side at 1,000 they would be a hundred thousand million."""
    with pytest.raises(ImageError, match="fit='long'"):
        resize(torch.zeros(1, 3, 1, 100_000), 1000)
    with pytest.raises(ImageError, match=r"\(B, 3, H, W\)"):
        resize(torch.zeros(3, 4, 4), 2)


@given(height=sides, width=sides, seed=st.integers(0, 99))
def test_png_brings_back_every_level(height, width, seed):
    image = random_image(height, width, seed)
    assert torch.equal(read_image(encode_image(image, "png")), image)


@pytest.mark.parametrize("suffix", [".PNG", ".jpg", ".webp"])
def test_write_and_read(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    assert write_image(smooth_image(), path) == path
    assert write_image(smooth_image(), str(path)) == path  # over the old one
    assert psnr(read_image(path), smooth_image()) > 32
    with Image.open(path) as picture:
        assert picture.format == {".png": "PNG", ".webp": "WEBP"}.get(suffix.lower(), "JPEG")
    assert os.listdir(tmp_path) == [path.name]  # nothing left over


def test_to_pil_rounds_and_clamps():
    levels = torch.tensor([-0.5, 0.0, 0.499 / 255, 0.501 / 255, 0.5, 1.0, 1.7])
    picture = to_pil(levels.expand(1, 3, 1, 7))
    assert picture.mode == "RGB"
    assert np.asarray(picture)[0, :, 0].tolist() == [0, 0, 0, 1, 128, 255, 255]
    assert to_pil(random_image(4, 5)[0]).size == (5, 4)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(2, 3, 4, 4), r"\(2, 3, 4, 4\).*image\[i:i\+1\]"),
        (torch.zeros(1, 3, 0, 4), r"\(1, 3, 0, 4\)"),
        (torch.full((1, 3, 2, 2), math.inf), "NaN or Inf"),
    ],
)
def test_what_is_no_image_is_not_written(tmp_path, image, message):
    with pytest.raises(ImageError, match=message):
        write_image(image, tmp_path / "a.png")
    assert not os.listdir(tmp_path)


def test_places_that_cannot_be_written(tmp_path):
    image = random_image(4, 4)
    with pytest.raises(ImageError, match=r"ends in '\.tiff'"):
        write_image(image, tmp_path / "a.tiff")
    with pytest.raises(ImageError, match="'bmp' cannot be written"):
        encode_image(image, "bmp")
    with pytest.raises(ImageError, match="use PNG"):
        encode_image(torch.zeros(1, 3, 1, 70_000), "jpeg")  # JPEG counts pixels with 16 bits


def test_a_failure_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = write_image(random_image(4, 4, 1), tmp_path / "a.png")
    before = path.read_bytes()

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(ImageError, match="No space left"):
        write_image(random_image(4, 4, 2), path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["a.png"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
@given(kept=st.dictionaries(st.text(max_size=8), json_values, max_size=4))
def test_settings_come_back_as_they_went_in(tmp_path_factory, suffix, kept):
    path = write_image(random_image(4, 4), tmp_path_factory.getbasetemp() / f"settings{suffix}", settings=kept)
    assert read_settings(path) == kept
    assert read_settings(path.read_bytes()) == kept
    assert read_image(path).shape == (1, 3, 4, 4)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_no_settings_or_those_of_others(kind):
    assert read_settings(encode_image(random_image(4, 4), kind)) == {}
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0a holiday"
    buffer = io.BytesIO()
    to_pil(random_image(4, 4)).save(buffer, kind, exif=exif)
    assert read_settings(buffer.getvalue()) == {}


@pytest.mark.parametrize("kept", [{"a": math.nan}, {"a": "x" * 70_000}])
def test_settings_that_cannot_be_kept(tmp_path, kept):
    with pytest.raises(ImageError, match="settings"):
        write_image(random_image(4, 4), tmp_path / "a.png", settings=kept)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/home/jane/secret/cat.jpg", "cat.jpg"),
        (Path("folder") / "bild äöü.png", "bild äöü.png"),
        (r"C:\Users\jane\cat.jpg", "cat.jpg"),
        ("https://jane:pw@example.org:8080/a/b/cat.jpg?token=1#x", "https://example.org/…/cat.jpg"),
        ("https://example.org/file/AbC123token", "https://example.org/…/"),
        ("file:///home/jane/cat.jpg", "cat.jpg"),
        ("http://[broken", "an address"),
        ({"name": "cat.jpg", "content": b""}, "cat.jpg"),
    ],
)
def test_the_name_that_others_see(source, name):
    assert shown_name(source) == name


def test_psnr():
    image = random_image(4, 4).double()
    assert psnr(image, image + 0.01) == pytest.approx(-20 * math.log10(0.01))
    assert psnr(image, image) == math.inf
    with pytest.raises(ValueError, match=r"\(1, 3, 4, 4\) and \(1, 3, 4, 5\)"):
        psnr(image, random_image(4, 5))
