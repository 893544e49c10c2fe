"""`stylelearn studio`: all labs on one page, one open at a time; once in a real browser."""

import io
import json
import os
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hands import upload
from PIL import Image
from playwright.sync_api import Browser
from test_browser import screenshot_if_it_fails
from test_cli import refused

from benchmarks.browser import PATIENCE, until
from stylelearn.cli import main
from stylelearn.lab import JohnsonLab, studio
from stylelearn.lab.studio import GALLERY, Entry, Studio

ROOT = Path(__file__).resolve().parent.parent


def test_without_voila_the_remedy_is_named(monkeypatch, capsys):
    monkeypatch.setattr("stylelearn.cli.studio.find_spec", lambda name: None)
    assert "pip install 'stylelearn[studio]'" in refused(["studio"], capsys)


def test_every_lab_opens_and_is_closed_on_the_way_back(labs):
    page = Studio()
    assert page.lab is None
    for entry in GALLERY:
        page.enter(entry)
        lab = page.lab
        assert lab is page.children[-1] and lab.error == "", entry.title
        page.leave()
        assert page.lab is None and lab.comm is None and not lab.running


def test_a_lab_that_cannot_be_opened_leaves_the_gallery(labs):
    def make():
        raise ValueError("no such style")

    page = Studio()
    page.enter(Entry("Broken", "", "welcome", make))
    assert page.lab is None and "no such style" in page.children[0].value
    page.enter(next(entry for entry in GALLERY if entry.make is JohnsonLab))
    assert page.lab is not None
    page.close()


def test_a_kiosk_reads_no_names_saves_nothing_and_goes_back(labs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written = io.BytesIO()
    Image.new("RGB", (80, 64), "red").save(written, "png")
    page = Studio(kiosk=True)
    page.enter(next(entry for entry in GALLERY if entry.make is JohnsonLab))
    lab = page.lab
    before = lab.settings["content"]
    lab.content._handle_custom_msg({"do": "address", "source": str(studio.data_file("gallery", "welcome.jpg"))}, [])
    assert "by dropping it" in lab.content.error and lab.settings["content"] == before
    upload(lab.content, written.getvalue(), "dropped.png")
    assert lab.content.error == "" and lab.settings["content"] == "upload: dropped.png"
    lab.stage._handle_custom_msg({"do": "save"}, [])
    assert "nothing is saved" in lab.error and not list(tmp_path.iterdir())
    page.children[-1]._handle_custom_msg({"do": "back"}, [])
    assert page.lab is None and lab.comm is None


@pytest.mark.parametrize("arguments", [[], ["--kiosk"]])
def test_the_page_is_a_kiosk_where_that_is_asked_for(arguments, monkeypatch):
    sources = []

    def serve(words, **_):
        page = json.loads(Path(words[3]).read_text(encoding="utf-8"))
        sources.append(page["cells"][0]["source"])

    monkeypatch.setattr("stylelearn.cli.studio.find_spec", lambda name: True)
    monkeypatch.setattr("stylelearn.cli.studio.subprocess.Popen", serve)
    monkeypatch.setattr("stylelearn.cli.lab.wait", lambda process: 0)
    made = []
    monkeypatch.setattr(studio, "Studio", lambda **options: made.append(options))
    assert main(["studio", *arguments]) == 0
    exec(sources[0], {})
    assert made == [{"kiosk": bool(arguments)}]


@pytest.mark.browser
def test_in_a_browser_a_lab_is_opened_moved_and_left(browser: Browser, tmp_path) -> None:
    if find_spec("voila") is None:
        pytest.skip("needs Voilà: pip install 'stylelearn[studio]'")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "stylelearn", "studio", "--no-browser", "--port", str(port)]
    places = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    log = tmp_path / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            words, cwd=tmp_path, env=os.environ | places | {"PYTHONPATH": str(ROOT)}, stdout=output, stderr=output
        )
    try:
        until(lambda: b"running at" in log.read_bytes(), server, log)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(PATIENCE * 1000)
        elsewhere = []
        own = (f"http://localhost:{port}/", "data:", "blob:")
        page.on("request", lambda request: None if request.url.startswith(own) else elsewhere.append(request))
        with screenshot_if_it_fails(page, tmp_path):
            page.goto(f"http://localhost:{port}")
            page.get_by_role("button", name="Johnson").wait_for()
            assert page.get_by_role("button").count() == len(GALLERY)
            page.get_by_role("button", name="Johnson").click()
            picture = page.locator("img.poster")
            picture.wait_for()
            before = picture.get_attribute("src")
            page.locator(".widget-slider", has_text="strength").locator(".noUi-handle").press("Home")
            page.locator(f'img.poster:not([src="{before}"])').wait_for()
            page.get_by_role("button", name="All labs").click()
            page.get_by_role("button", name="Letters").wait_for()
            assert picture.count() == 0
            assert {request.failure for request in elsewhere} <= {"csp"}
        page.close()
    finally:
        server.terminate()
        assert server.wait(60) == 0
