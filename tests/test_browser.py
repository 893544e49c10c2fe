"""Lessons 02, 05 and 08, and a live camera, in a real browser: run all, move sliders, upload. `make test-browser`.

`benchmarks/browser.py` starts JupyterLab and Chromium. Nothing waits for a fixed time: every wait ends when what is
waited for is there, or fails with a screenshot.
"""

import contextlib
import functools
import io
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page

from benchmarks.browser import ERRORS, PATIENCE, Server, command, jupyterlab, run_all
from stylelearn.gatys import STYLE_WEIGHT

ROOT = Path(__file__).resolve().parent.parent
# A lesson, the class of its lab, and the label of one of the lab's controls.
GATYS = ("02_gatys.ipynb", "GatysLab", "style ÷ content")
ADAIN = ("05_adain.ipynb", "AdaINLab", "strength α")
ADJUSTABLE = ("08_adjustable.ipynb", "AdjustableLab", "relu2_1")
CAMERA = ("camera.ipynb", "JohnsonLab", "strength (blend)")  # one cell, which is no lesson
CELL = """from stylelearn.lab import JohnsonLab

JohnsonLab("chelsea", size=192, show="sliders")"""

pytestmark = pytest.mark.browser


# ------------------------------------------------------------------------------------------------------ the server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A JupyterLab with a copy of the lessons."""
    folder = shutil.copytree(ROOT / "lessons", tmp_path_factory.mktemp("lab") / "lessons")
    with jupyterlab(folder) as server:
        server.write(CAMERA[0], CELL)
        yield server


# ------------------------------------------------------------------------------------------------------- the page

SHOW_LAB = """lab => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = notebook.widgets.findIndex(c => c.model.type === 'code'
        && c.model.sharedModel.source.includes(lab + '(')
        && c.model.outputs.toJSON().some(o => 'application/vnd.jupyter.widget-view+json' in (o.data || {})));
    notebook.scrollToItem(notebook.activeCellIndex, 'start');
}"""
AXE = Path(sys.prefix, "axe/node_modules/axe-core/axe.min.js")
SERIOUS = """async cell => (await axe.run(cell.querySelector('.sl-lab'))).violations
    .filter(fault => ['serious', 'critical'].includes(fault.impact))
    .map(fault => `${fault.id}: ${fault.nodes.map(node => node.html.slice(0, 200)).join(' | ')}`)"""
# Scrolls as a learner does, first the page, then the column of controls to its last slider, and looks at once: the
# notebook may still move its cells, so that what is measured later may stand elsewhere.
SEEN_TOGETHER = """([cell, width, height]) => {
    const [row, picture, controls] = ['.sl-row', '.sl-frame', '.sl-controls'].map(one => cell.querySelector(one));
    const handle = [...controls.querySelectorAll('.noUi-handle')].filter(one => one.checkVisibility()).at(-1);
    const seen = (node, least) => {
        const box = node.getBoundingClientRect();
        return box.height >= least && box.top >= 0 && box.bottom <= height && box.left >= 0 && box.right <= width;
    };
    row.scrollIntoView({block: 'end'});
    const together = seen(picture, 120) && seen(controls, 100);
    handle.scrollIntoView({block: 'nearest'});
    return together && seen(picture, 120) && seen(handle, 1);
}"""
# Finds the place and presses it at once, for the same reason.
PRESS_IN_THE_MIDDLE = """cell => {
    const square = cell.querySelector('.sl-pad'), box = square.getBoundingClientRect();
    const place = {clientX: box.left + box.width / 2, clientY: box.top + box.height / 2};
    square.dispatchEvent(new PointerEvent('pointerdown', {...place, pointerId: 1}));
}"""
CALCULATE = """() => {
    const {commands, shell} = window.jupyterapp;
    const notebook = shell.currentWidget.content;
    notebook.activeCellIndex = notebook.widgets.length - 1;
    commands.execute('notebook:insert-cell-below').then(() => {
        notebook.activeCell.model.sharedModel.setSource('6 * 7');
        commands.execute('notebook:run-cell');
    });
}"""
CALCULATED = """() => window.jupyterapp.shell.currentWidget.content.widgets.some(c => c.model.type === 'code'
    && c.model.outputs.toJSON().some(o => o.output_type === 'execute_result' && o.data['text/plain'] === '42'))"""
# The picture's bytes as text; '' for the small one that is shown while a control moves. While the picture is live, its
# address may be gone before it was read.
PICTURE = """async cell => {
    try {
        const picture = cell.querySelector('img.poster');
        if (picture.title.endsWith('while it moves')) return '';
        const bytes = new Uint8Array(await (await fetch(picture.src)).arrayBuffer());
        return bytes.length + ':' + bytes.reduce((sum, byte, i) => (sum * 31 + byte) % 4294967291, 7);
    } catch { return ''; }
}"""


@pytest.fixture(scope="module")
def lessons(browser: Browser, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Page]:
    """A function that opens a lesson in a window of its own and runs it from top to bottom, once."""

    @functools.cache
    def opened(lesson: str) -> Page:
        page = browser.new_page(viewport={"width": 1400, "height": 1100})
        with screenshot_if_it_fails(page, tmp_path_factory.mktemp("page")):
            run_all(page, server.address(lesson))
        return page

    return opened


@contextlib.contextmanager
def screenshot_if_it_fails(page: Page, folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        page.screenshot(path=folder / "failed.png", timeout=30_000)
        print(f"screenshot: {folder / 'failed.png'}")
        raise


@pytest.fixture
def lab(request: pytest.FixtureRequest, lessons: Callable[[str], Page], tmp_path: Path) -> Iterator["LabOnPage"]:
    """The lab of a lesson, of 02 unless a test asks for another; a test that fails leaves a picture of the page."""
    lesson, *found_by = getattr(request, "param", GATYS)
    page = lessons(lesson)
    with screenshot_if_it_fails(page, tmp_path):
        yield LabOnPage(page, *found_by)


class LabOnPage:
    """What a learner does with the lab."""

    def __init__(self, page: Page, name: str, label: str) -> None:
        """The lab whose class is `name`, found by one of its controls."""
        self.page, self.name = page, name
        self.show()
        self.cell = page.locator(".jp-CodeCell", has=page.locator("label", has_text=label)).first
        self.cell.locator("img.poster").wait_for()
        self.node = self.cell.element_handle()

    def show(self) -> None:
        """Scroll to it."""
        self.page.evaluate(SHOW_LAB, self.name)

    def press_key(self, slider: str, key: str) -> None:
        """Move a slider as the keyboard does."""
        label = self.page.locator("label", has_text=slider)
        self.cell.locator(".widget-slider", has=label).locator(".noUi-handle").press(key)

    def button(self, name: str) -> Locator:
        # By its text: the sign in front, a letter of an icon font, counts as part of its accessible name.
        return self.cell.locator("button").filter(has_text=name).first

    def sees(self, text: str) -> None:
        self.cell.get_by_text(text).first.wait_for()

    def picture(self, other_than: str = "") -> str:
        """A sum of the picture's bytes, once it is another one."""
        # Asked again and again from here: `wait_for_function` takes a promise for a yes before it is kept.
        deadline = time.monotonic() + PATIENCE
        while (now := self.page.evaluate(PICTURE, self.node)) in ("", other_than):
            assert time.monotonic() < deadline, f"no picture other than {other_than or 'none'} came"
            self.page.wait_for_timeout(50)
        return now

    def is_enabled(self, name: str) -> None:
        self.page.wait_for_function("button => !button.disabled", arg=self.button(name).element_handle())


# ------------------------------------------------------------------------------------------------------- the tests


def test_the_lesson_runs_without_an_error(lab: LabOnPage) -> None:
    assert lab.page.evaluate(ERRORS) == []


def test_sliders_are_moved_by_keyboard_and_reach_the_kernel(lab: LabOnPage) -> None:
    lab.press_key("style ÷ content", "Home")
    lab.sees("α/β = 100, as papers write it")
    lab.press_key("style ÷ content", "End")
    lab.sees("α/β = 0.0001, as papers write it")
    lab.cell.locator(".widget-dropdown", has_text="style layers").locator("select").select_option(label="relu3_1 alone")
    lab.sees("shares: 0% · 0% · 100% · 0% · 0%")
    lab.press_key("relu4_1", "End")
    lab.sees("shares: 0% · 0% · 50% · 50% · 0%")


def test_start_paints_other_cells_answer_meanwhile_and_stop_stops(lab: LabOnPage) -> None:
    lab.button("Reset").click()
    lab.press_key("steps", "End")  # enough to be still at it below
    before = lab.picture()
    lab.button("Start").click()
    during = lab.picture(other_than=before)
    lab.sees(" of 1000")
    lab.page.evaluate(CALCULATE)
    lab.page.wait_for_function(CALCULATED)
    lab.show()
    later = lab.picture(other_than=during)
    assert lab.button("Stop").is_enabled()  # still running
    assert lab.button("Start").is_disabled()
    lab.button("Stop").click()
    lab.sees("stopped after")
    lab.is_enabled("Continue")
    lab.button("Continue").click()
    lab.picture(other_than=later)
    lab.button("Stop").click()
    lab.sees("stopped after")


def test_an_upload_is_painted(lab: LabOnPage) -> None:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((300, 200)).save(buffer, "png")
    lab.button("chelsea").click()
    with lab.page.expect_file_chooser() as chosen:
        lab.button("Upload").click()
    chosen.value.set_files({"name": "mine.png", "mimeType": "image/png", "buffer": buffer.getvalue()})
    lab.cell.locator('img[alt="content: upload: mine.png"]').wait_for()
    lab.button("Start").click()
    lab.cell.locator('img.poster[title^="Pastiche of upload: mine.png"]').wait_for()
    shape = "cell => { const p = cell.querySelector('img.poster'); return p.naturalWidth / p.naturalHeight }"
    lab.page.wait_for_function(f"cell => Math.abs(({shape})(cell) - 1.5) < 0.02", arg=lab.node)
    lab.button("Stop").click()
    lab.sees("stopped after")
    assert lab.page.evaluate(ERRORS) == []


def test_save_offers_a_download_that_is_the_file(lab: LabOnPage) -> None:
    lab.button("Save").click()
    lab.sees("Written to pastiche.png")
    with lab.page.expect_download() as download:
        lab.button("Download").click()
    with Image.open(download.value.path()) as picture:
        assert picture.format == "PNG"
        assert "upload: mine.png" in picture.info["stylelearn"]


def test_a_saved_picture_brings_its_settings_back(lab: LabOnPage) -> None:
    lab.press_key("style ÷ content", "Home")
    lab.sees("α/β = 100, as papers write it")
    with lab.page.expect_download() as download:
        lab.button("Download").click()
    lab.button("Reset").click()
    lab.sees(f"α/β = {1 / STYLE_WEIGHT:.3g}, as papers write it")
    with lab.page.expect_file_chooser() as chosen:
        lab.button("Open").click()
    chosen.value.set_files(download.value.path())
    lab.sees("the settings of this picture are back")
    assert lab.page.evaluate(ERRORS) == []


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (800, 720)])
def test_picture_and_controls_are_seen_together(lab: LabOnPage, width: int, height: int) -> None:
    lab.page.set_viewport_size({"width": width, "height": height})
    try:
        lab.show()
        lab.page.wait_for_function(SEEN_TOGETHER, arg=[lab.node, width, height])
    finally:
        lab.page.set_viewport_size({"width": 1400, "height": 1100})


def test_sliders_have_names_and_say_what_is_shown(lab: LabOnPage) -> None:
    lab.press_key("style ÷ content", "Home")
    slider = lab.cell.get_by_role("slider", name="style ÷ content")
    lab.page.wait_for_function("node => node.getAttribute('aria-valuetext') === '0.0100'", arg=slider.element_handle())
    names = lab.cell.get_by_role("slider").evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
    assert all(names)


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not here; `make test-browser` fetches it with npm")
@pytest.mark.parametrize("lab", [GATYS, ADAIN, ADJUSTABLE], indirect=True)
@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_axe_finds_no_serious_fault(lab: LabOnPage, theme: str) -> None:
    lab.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    lab.page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)
    lab.show()
    lab.page.evaluate(AXE.read_text(encoding="utf-8"))
    assert lab.page.evaluate(SERIOUS, lab.node) == []


@pytest.mark.parametrize("lab", [ADAIN], indirect=True)
def test_lesson_05_runs_and_moving_alpha_changes_the_picture(lab: LabOnPage) -> None:
    assert lab.page.evaluate(ERRORS) == []
    at_first = lab.picture()
    lab.press_key("strength α", "Home")
    lab.cell.locator('img.poster[title$="strength 0.00"]').wait_for()
    photo = lab.picture(other_than=at_first)
    lab.press_key("strength α", "PageUp")  # a step as large as a drag makes: newest value wins
    lab.picture(other_than=photo)
    lab.press_key("strength α", "End")
    lab.cell.locator('img.poster[title$="strength 1.00"]').wait_for()
    lab.sees(" ms after the move")
    assert lab.picture() == at_first  # the same controls, the same pixels
    assert lab.page.evaluate(ERRORS) == []


@pytest.mark.parametrize("lab", [ADJUSTABLE], indirect=True)
def test_lesson_08_runs_and_the_slider_of_a_layer_changes_the_picture(lab: LabOnPage) -> None:
    assert lab.page.evaluate(ERRORS) == []
    at_first = lab.picture()
    lab.press_key("relu4_1", "Home")
    lab.cell.locator('img.poster[title*="relu4_1 0.00"]').wait_for()
    without = lab.picture(other_than=at_first)
    lab.press_key("relu4_1", "PageUp")
    lab.picture(other_than=without)
    lab.press_key("relu4_1", "End")
    lab.cell.locator('img.poster[title*="relu4_1 1.00"]').wait_for()
    lab.sees(" ms after the move")
    assert lab.picture() == at_first  # the same sliders, the same pixels
    lab.page.evaluate(PRESS_IN_THE_MIDDLE, lab.node)
    lab.cell.locator('img.poster[title*="relu1_1 0.50, relu2_1 0.25, relu4_1 0.50"]').wait_for()
    halfway = lab.picture(other_than=at_first)
    lab.button("Reset").click()
    assert lab.picture(other_than=halfway) == at_first
    lab.page.evaluate(PRESS_IN_THE_MIDDLE, lab.node)  # the same place counts again
    lab.cell.locator('img.poster[title*="relu1_1 0.50, relu2_1 0.25, relu4_1 0.50"]').wait_for()
    assert lab.picture() == halfway
    lab.button("Reset").click()
    assert lab.picture(other_than=halfway) == at_first
    lab.button("Keep").click()
    lab.sees("again 1")
    lab.button("Randomise").click()
    rolled = lab.picture(other_than=at_first)
    lab.button("again 1").click()
    assert lab.picture(other_than=rolled) == at_first
    lab.cell.locator(".widget-dropdown", has_text="practice").locator("select").select_option(label="60 steps")
    lab.sees("60 of 60 steps of practice")
    lab.cell.locator('img.poster[title$="after 60 steps of practice"]').wait_for()
    lab.picture(other_than=at_first)
    lab.button("Reset").click()
    lab.cell.locator('img.poster:not([title*="practice"])').wait_for()
    assert lab.page.evaluate(ERRORS) == []


FILMED = """() => {
    window.tracks = [];
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
        const stream = await open(wanted);
        window.tracks.push(...stream.getTracks());
        return stream;
    };
}"""
RELEASED = "count => window.tracks.length === count && window.tracks.every(one => one.readyState === 'ended')"
APART = """cell => {
    const [painted, seen] = cell.querySelectorAll('.sl-picture canvas');
    const [a, b] = [painted, seen].map(one => one.getContext('2d').getImageData(0, 0, one.width, one.height).data);
    return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;
}"""  # how far the painted picture is from what the camera saw, of 255
DIES = "() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute(%s); }"


@pytest.mark.parametrize("lab", [CAMERA], indirect=True)
def test_the_camera_is_painted_live_and_released(lab: LabOnPage) -> None:
    page, stream = lab.page, lab.cell.locator('.sl-picture canvas[role="img"]')
    labels = lab.cell.locator(".widget-label:visible").all_inner_texts()
    assert labels == ["strength (blend)", "broad marks"]  # as for a projector
    page.evaluate(FILMED)
    lab.button("Live").click()
    lab.sees("pictures a second")
    assert page.evaluate(APART, lab.node) > 10
    first = stream.evaluate("one => one.toDataURL()")
    page.wait_for_function("([one, first]) => one.toDataURL() !== first", arg=[stream.element_handle(), first])
    lab.press_key("strength (blend)", "Home")  # while it runs
    page.wait_for_function(f"cell => ({APART})(cell) < 4", arg=lab.node)
    print(lab.cell.locator(".sl-says").inner_text())
    lab.button("Stop live").click()
    page.wait_for_function(RELEASED, arg=1)
    lab.cell.locator('img.poster[title*="0% of it blended"]').wait_for()  # the photo, as the slider stands now
    assert stream.count() == 0
    lab.button("Live").click()
    stream.wait_for()
    command(page, "notebook:run-cell")  # again: the lab before it is closed
    page.wait_for_function(RELEASED, arg=2)
    lab.cell.locator("img.poster").wait_for()
    lab.button("Live").click()
    stream.wait_for()
    page.evaluate(DIES % "{code: 'import os; os._exit(1)'}")
    page.wait_for_function(RELEASED, arg=3)
