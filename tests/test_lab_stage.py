"""The page's side of the labs in a real browser, beside a model that stands in for the kernel: no server, no network.

What the page sends is collected in `sent`, what it sets in `state`.
"""

import base64
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hands import drawn
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

from stylelearn.lab.widgets.stage import SCRIPT, boxes

PATIENCE = 300  # seconds until something counts as failed; generous, since slow machines are allowed

pytestmark = pytest.mark.browser

# The kernel's side: bytes come as base64 under "bytes:…", as DataView they reach the view.
HARNESS = """
const bytes = (value) => typeof value === "string" && value.startsWith("bytes:")
  ? new DataView(Uint8Array.from(atob(value.slice(6)), (c) => c.charCodeAt(0)).buffer)
  : Array.isArray(value) ? value.map(bytes)
  : value && typeof value === "object"
  ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, bytes(v)])) : value;
window.show = async (script, state, classes) => {
  const widget = (await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })))).default;
  window.state = bytes(state);
  window.sent = [];
  const heard = {};
  window.model = {
    get: (name) => window.state[name],
    set: (name, value) => { window.state[name] = value; (heard[`change:${name}`] ?? []).forEach((act) => act()); },
    save_changes: () => {},
    on: (name, act) => (heard[name] ??= []).push(act),
    off: () => {},
    send: (message, _, buffers = []) =>
      window.sent.push({ ...message, sizes: buffers.map((one) => one.byteLength), buffers }),
    comm: (name) => (heard[name] ?? []).forEach((act) => act()),
    tell: (message, buffers) => heard["msg:custom"].forEach((act) => act(message, buffers)),
  };
  window.put = (name, value) => window.model.set(name, bytes(value));
  document.body.innerHTML = '<div class="sl-lab"><div class="sl-row"><div id="widget"></div></div></div>';
  window.remove = await widget.render({ model: window.model, el: document.getElementById("widget") });
};
true  // otherwise Playwright would call what comes last
"""


def jpeg(colour: str, size: tuple[int, int] = (300, 200)) -> bytes:
    return drawn(colour, size, "jpeg")


def packed(data: bytes) -> str:
    return "bytes:" + base64.b64encode(data).decode()


STAGE = {
    "view": "stage", "value": packed(jpeg("red")), "tooltip": "a red picture", "before": packed(jpeg("blue")),
    "names": ["the photo", "the pastiche"], "border": 0.0, "over": boxes((200, 300), [(10, 10, 20, 20)]),
    "pointing": True, "caption": "", "buttons": ["start", "stop", "resume", "reset", "keep"],
    "enabled": ["start", "reset", "keep"], "words": "", "said": "", "share": 0.5, "error": "", "kept": [],
    "file_name": "pastiche.png", "written": "",
    "curves": {"steps": [1, 2, 3], "terms": {"sum": [3.0, 2.0, 1.0], "content": [1.0, None, 0.1]}, "marks": [2],
               "words": "Loss curves, steps 1 to 3"},
}  # fmt: skip
CHOOSER = {
    "view": "chooser", "value": "chelsea", "description": "content", "tooltip": "The picture to be painted anew.",
    "placeholder": "address or file", "accept": "image/*", "options": [["chelsea", "chelsea"], ["rocket", "rocket"]],
    "thumbnail": packed(jpeg("green", (84, 56))), "thumbnails": {}, "words": "content: chelsea", "error": "",
}  # fmt: skip
CORNERS = [packed(jpeg(colour, (66, 66))) for colour in ("red", "blue", "lime", "black")]
PAD = {"view": "pad", "place": [0.5, 0.5], "pictures": CORNERS, "words": "all 100%", "tooltip": "How much of each."}


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    """A page that counts as secure, as a notebook on this machine does: clipboard and camera are allowed there."""
    context = browser.new_context(viewport={"width": 900, "height": 720}, accept_downloads=True)
    context.grant_permissions(["camera", "clipboard-read", "clipboard-write"], origin="http://localhost")
    return opened(context, "http://localhost/")


def opened(context: BrowserContext, address: str) -> Page:
    """An empty page at that address, with the harness in it."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.route("**/*", lambda route: route.fulfill(body="<!doctype html><body></body>", content_type="text/html"))
    page.goto(address)
    page.evaluate(HARNESS)
    return page


@pytest.fixture
def shown(page: Page) -> Callable[..., Page]:
    def show(state: dict[str, Any], **other: Any) -> Page:
        page.evaluate("([script, state]) => window.show(script, state)", [SCRIPT, {**state, **other}])
        return page

    return show


def sent(page: Page, do: str) -> dict[str, Any]:
    """The newest message of that kind, once it is there."""
    page.wait_for_function("what => window.sent.some((one) => one.do === what)", arg=do)
    return page.evaluate(
        "what => { const {buffers, ...one} = window.sent.filter((one) => one.do === what).at(-1); return one; }", do
    )


COLOURS = {"red": (255, 0, 0), "blue": (0, 0, 255)}


def is_near(page: Page, x: float, expected: str) -> bool:
    """Whether the picture on the screen has that colour at `x`, from 0 to 1, in its lower part."""
    box = page.locator(".sl-picture").bounding_box()
    with Image.open(io.BytesIO(page.screenshot())) as screen:
        place = round(box["x"] + x * box["width"]), round(box["y"] + 0.8 * box["height"])
        colour = screen.convert("RGB").getpixel(place)
    return all(abs(a - b) < 12 for a, b in zip(colour, COLOURS[expected], strict=True))


def sees(page: Page, x: float, expected: str) -> None:
    """Wait until it has: pictures are decoded while the page goes on."""
    deadline = time.monotonic() + PATIENCE
    while not is_near(page, x, expected):
        assert time.monotonic() < deadline, f"the picture is not {expected} at {x}"


def test_the_border_is_moved_by_keyboard_and_by_pointer(shown: Callable[..., Page]) -> None:
    page = shown(STAGE)
    page.locator("img.poster").wait_for()
    sees(page, 0.3, "red")
    border = page.get_by_role("slider")
    border.focus()
    for _ in range(5):
        border.press("PageUp")
    assert page.evaluate("window.state.border") == 0.5
    assert border.get_attribute("aria-valuetext") == "50 % the photo"
    sees(page, 0.3, "blue")
    sees(page, 0.7, "red")
    box = page.locator(".sl-picture").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 20)
    page.mouse.up()
    assert page.evaluate("window.state.border") == pytest.approx(0.8, abs=0.02)
    assert page.evaluate("document.activeElement.className") == "sl-border"  # and it keeps the keyboard


def test_a_short_press_is_a_place_and_a_long_one_shows_the_original(shown: Callable[..., Page]) -> None:
    page = shown(STAGE)
    page.locator("img.poster").wait_for()
    box = page.locator(".sl-picture").bounding_box()
    place = box["x"] + 0.25 * box["width"], box["y"] + 0.75 * box["height"]
    page.mouse.click(*place)
    assert sent(page, "point")["place"] == pytest.approx([0.25, 0.75], abs=0.01)
    page.mouse.move(*place)
    page.mouse.down()
    page.locator(".sl-held").wait_for()
    sees(page, 0.7, "blue")
    page.mouse.up()
    assert page.locator(".sl-held").count() == 0
    sees(page, 0.7, "red")


def test_nothing_jumps_when_another_picture_an_error_or_curves_come(shown: Callable[..., Page]) -> None:
    page = shown(STAGE, curves={})
    page.locator("img.poster").wait_for()
    height = "document.querySelector('.sl-row').getBoundingClientRect().height"
    before = page.evaluate(height)
    frame = page.locator(".sl-frame").bounding_box()
    page.evaluate("value => window.put('value', value)", packed(jpeg("lime", (75, 50))))  # smaller, while it moves
    page.wait_for_function("document.querySelector('img.poster').naturalWidth === 75")
    page.evaluate("window.put('error', 'there is not enough memory')")
    assert page.get_by_role("alert").inner_text() == "⚠ there is not enough memory"
    assert page.locator(".sl-frame").bounding_box() == frame
    page.evaluate("value => window.put('curves', value)", STAGE["curves"])
    assert page.evaluate(height) == before
    curves = page.locator(".sl-curves > svg")
    assert curves.get_attribute("aria-label") == "Loss curves, steps 1 to 3"
    dashes = curves.locator("polyline").evaluate_all(
        "lines => lines.map((line) => line.getAttribute('stroke-dasharray') + line.getAttribute('stroke'))"
    )
    assert len(set(dashes)) == 2
    assert curves.locator("polyline").last.get_attribute("points").count(",") == 2  # what was not finite is left out


def large(width: int, height: int, quality: int = 95) -> bytes:
    """A photo of a camera held upright: it lies on its side, and says so."""
    picture = Image.effect_noise((width // 8, height // 8), 90).resize((width, height)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    written = io.BytesIO()
    picture.save(written, "jpeg", quality=quality, exif=exif)
    return written.getvalue()


def test_a_large_photo_is_turned_and_shrunk_before_it_travels(shown: Callable[..., Page]) -> None:
    page = shown(STAGE)
    data = large(8000, 6000)
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Open").click()
    chosen.value.set_files({"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": data})
    message = sent(page, "file")
    assert message["name"] == "IMG_1.jpg" and message["sizes"][0] < 3e6
    back = page.evaluate("() => Array.from(new Uint8Array(window.sent.find((one) => one.do === 'file').buffers[0]))")
    with Image.open(io.BytesIO(bytes(back))) as picture:
        assert picture.size == (1536, 2048)


def drop(page: Page, selector: str, data: bytes, name: str, kind: str = "drop") -> None:
    page.evaluate(
        """([selector, data, name, kind]) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            transfer.items.add(new File([bytes], name, {type: "image/jpeg"}));
            const options = {bubbles: true, cancelable: true};
            const event = kind === "drop" ? new DragEvent("drop", {...options, dataTransfer: transfer})
                : new ClipboardEvent("paste", {...options, clipboardData: transfer});
            document.querySelector(selector).dispatchEvent(event);
        }""",
        [selector, base64.b64encode(data).decode(), name, kind],
    )


@pytest.mark.parametrize("kind", ["drop", "paste"])
@pytest.mark.parametrize(("state", "selector"), [(STAGE, ".sl-frame"), (CHOOSER, ".sl-now")], ids=["stage", "chooser"])
def test_a_file_that_is_dropped_or_pasted_travels_as_it_is(
    shown: Callable[..., Page], state: dict[str, Any], selector: str, kind: str
) -> None:
    page = shown(state)
    data = jpeg("red")  # small: also what is written inside it arrives
    drop(page, selector, data, "mine.jpg", kind)
    message = sent(page, "file")
    assert (message["name"], message["sizes"]) == ("mine.jpg", [len(data)])


def test_what_cannot_be_sent_is_refused_by_name_size_and_reason(shown: Callable[..., Page]) -> None:
    page = shown(CHOOSER)
    drop(page, ".sl-now", b"no picture" * 900_000, "notes.txt")
    why = sent(page, "refused")["why"]
    assert why.startswith("'notes.txt' has 9.0 MB and was not sent") and "cannot read it as a picture" in why


def test_the_camera_takes_a_photo(shown: Callable[..., Page]) -> None:
    page = shown(STAGE)
    page.get_by_role("button", name="Camera").click()
    page.get_by_role("button", name="Take the photo").click()
    message = sent(page, "file")
    assert message["name"] == "camera.jpg" and message["sizes"][0] > 1000
    assert page.get_by_role("dialog").count() == 0
    refuse = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
    page.evaluate(f"{refuse}; true")
    page.get_by_role("button", name="Camera").click()
    assert "no permission for the camera" in sent(page, "refused")["why"]


FILMED = """
window.tracks ??= [];
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await MediaDevices.prototype.getUserMedia.call(navigator.mediaDevices, wanted);
  window.tracks.push(...stream.getTracks());
  return stream;
};
window.newest = () => window.sent.findLast((one) => one.do === "frame").number;
window.answer = (bytes) => window.model.tell({ painted: window.newest() }, [bytes]);
true
"""
FRAMES = "window.sent.filter((one) => one.do === 'frame').length"


@pytest.fixture
def filming(shown: Callable[..., Page]) -> Page:
    """A stage whose camera is on, with the first picture under way."""
    page = shown(STAGE, buttons=["live", "reset", "keep"], enabled=["live", "reset", "keep"])
    page.evaluate(FILMED)
    page.get_by_role("button", name="Live").click()
    assert sent(page, "live")["on"] is True
    sent(page, "frame")
    return page


def answer(page: Page, colour: str) -> None:
    page.evaluate("value => window.answer(Uint8Array.from(atob(value), (c) => c.charCodeAt(0)))",
                  base64.b64encode(jpeg(colour, (192, 144))).decode())  # fmt: skip


def camera_is_off(page: Page) -> None:
    page.wait_for_function("window.tracks.length > 0 && window.tracks.every((one) => one.readyState === 'ended')")
    assert page.locator(".sl-picture canvas").count() == 0
    count = page.evaluate(FRAMES)
    answer(page, "red")
    page.wait_for_timeout(300)
    assert page.evaluate(FRAMES) == count


def test_one_picture_of_the_camera_is_under_way_and_the_painted_one_is_shown(filming: Page) -> None:
    page = filming
    page.wait_for_timeout(300)  # no answer, no other picture
    assert page.evaluate(FRAMES) == 1
    data = page.evaluate("Array.from(new Uint8Array(window.sent.find((one) => one.do === 'frame').buffers[0]))")
    with Image.open(io.BytesIO(bytes(data))) as frame:
        assert frame.format == "JPEG" and frame.size == (192, 144)
    for count, colour in enumerate(["red", "blue", "red"], start=2):
        answer(page, colour)
        page.wait_for_function(f"{FRAMES} === {count}")
        sees(page, 0.7, colour)
    assert "pictures a second" in page.locator(".sl-says").inner_text()
    page.evaluate("window.put('border', 0.5)")  # left of it what the camera sees
    assert page.locator(".sl-border").get_attribute("aria-valuetext") == "50 % what the camera sees"
    sees(page, 0.7, "red")
    assert not is_near(page, 0.3, "red")
    page.get_by_role("button", name="Stop live").click()
    assert sent(page, "live")["on"] is False
    camera_is_off(page)
    sees(page, 0.7, "red")
    sees(page, 0.3, "blue")  # the photo again


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        ("window.remove()", ""),
        ("window.model.tell({over: 'the camera is off: another lab'}, [])", "the camera is off: another lab"),
        ("window.model.comm('comm_live_update')", "the kernel is gone"),
        ("window.tracks.at(-1).dispatchEvent(new Event('ended'))", "no more pictures"),
    ],
    ids=["the lab is closed", "the kernel ends it", "the kernel is gone", "the camera is taken away"],
)
def test_the_camera_is_released_when(filming: Page, happens: str, words: str) -> None:
    answer(filming, "red")
    filming.wait_for_function(f"{FRAMES} === 2")
    filming.evaluate(f"{happens}; true")
    camera_is_off(filming)
    assert words in filming.locator(".sl-says").inner_text()


def test_the_camera_for_one_photo_is_released_too(shown: Callable[..., Page]) -> None:
    page = shown(STAGE)
    page.evaluate(FILMED)
    page.get_by_role("button", name="Camera").click()
    page.get_by_role("button", name="Take the photo").wait_for()
    page.evaluate("window.remove()")
    page.wait_for_function("window.tracks.length > 0 && window.tracks.every((one) => one.readyState === 'ended')")


@pytest.mark.parametrize(("error", "words"), [("NotAllowedError", "no permission"), ("NotFoundError", "there is none")])
def test_without_a_camera_there_is_a_word(shown: Callable[..., Page], error: str, words: str) -> None:
    page = shown(STAGE, buttons=["live"], enabled=["live"])
    page.evaluate(
        f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{error}'); }}; true"
    )
    page.get_by_role("button", name="Live").click()
    assert words in sent(page, "refused")["why"]
    assert page.get_by_role("button", name="Live").inner_text() == "◉ Live"


def test_a_camera_that_opens_after_its_lab_was_closed_is_released(shown: Callable[..., Page]) -> None:
    page = shown(STAGE, buttons=["live"], enabled=["live"])
    page.evaluate(FILMED)
    page.evaluate("""() => {
        const open = navigator.mediaDevices.getUserMedia;
        navigator.mediaDevices.getUserMedia = async (wanted) => {
            await new Promise((resolve) => { window.allow = resolve; });
            return open(wanted);
        };
    }""")
    count = page.evaluate("window.tracks.length")
    page.get_by_role("button", name="Live").click()
    page.evaluate("window.remove(); window.allow()")
    page.wait_for_function("count => window.tracks.length > count", arg=count)
    page.wait_for_function("window.tracks.every((one) => one.readyState === 'ended')")
    assert page.evaluate("window.sent.every((one) => one.do !== 'live')")


def test_without_https_a_page_says_what_it_may_not_do(browser: Browser) -> None:
    context = browser.new_context()
    page = opened(context, "http://class.test/")
    page.evaluate("([script, state]) => window.show(script, state)", [SCRIPT, STAGE])
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("not copied: a page may do that by https or on this machine only").first.wait_for()
    page.evaluate("window.model.tell({code: 'lab = GatysLab()'}, [])")
    page.get_by_text("the code stands below").first.wait_for()
    page.get_by_role("button", name="Camera").click()
    assert "open it by https or on this machine" in sent(page, "refused")["why"]
    context.close()


def test_buttons_say_what_they_do_and_only_some_can_be_pressed(shown: Callable[..., Page]) -> None:
    page = shown(STAGE)
    page.get_by_role("button", name="Start").click()
    assert sent(page, "start")
    assert page.get_by_role("button", name="Stop").is_disabled()
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("the picture is in the clipboard").first.wait_for()
    page.evaluate("window.model.tell({code: 'lab = GatysLab()'}, [])")
    page.get_by_text("the code is in the clipboard").first.wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "lab = GatysLab()"
    with page.expect_download() as download:
        page.evaluate("window.model.tell({download: 'made.png'}, [new Uint8Array([1, 2, 3])])")
    assert download.value.suggested_filename == "made.png"
    assert Path(download.value.path()).read_bytes() == b"\x01\x02\x03"
    for button in page.get_by_role("button").all():
        assert button.inner_text() and len(button.get_attribute("title")) > 20


def test_a_kiosk_offers_no_files_of_its_machine(shown: Callable[..., Page]) -> None:
    page = shown(STAGE, kiosk=True)
    page.get_by_role("button", name="Camera").wait_for()
    assert not {"Open …", "Save", "Download"} & set(page.get_by_role("button").all_inner_texts())
    assert page.locator("input").count() == 0
    page = shown(CHOOSER, kiosk=True)
    page.get_by_role("button", name="content: chelsea. Choose another one").click()
    page.get_by_role("button", name="Camera").wait_for()
    assert page.get_by_role("button", name="Upload").count() == page.locator("input").count() == 0
    drop(page, ".sl-now", jpeg("red"), "mine.jpg")
    assert sent(page, "file")["name"] == "mine.jpg"


def test_a_page_without_input_says_so_once(shown: Callable[..., Page]) -> None:
    page = shown({"view": "idle", "seconds": 0.1})
    keys = "for (const key of 'abc') window.dispatchEvent(new KeyboardEvent('keydown', {key})); true"
    for count in (1, 2):
        page.wait_for_function(f"window.sent.length === {count}")
        page.wait_for_timeout(300)  # no input, no other message
        assert page.evaluate("window.sent.map((one) => one.do)") == ["back"] * count
        if count == 1:
            page.evaluate(keys)
    page.evaluate("window.remove()")
    page.evaluate(keys)
    page.wait_for_timeout(300)
    assert page.evaluate("window.sent.length") == 2


def test_a_kept_picture_is_compared_with_and_brought_back(shown: Callable[..., Page]) -> None:
    page = shown(STAGE, kept=[{"picture": packed(jpeg("lime")), "words": "a green one", "number": 4}])
    page.locator("img.poster").wait_for()
    page.locator(".sl-kept button").first.click()
    assert page.evaluate("window.state.border") == 0.5
    page.wait_for_function("document.querySelector('.sl-before').src !== ''")
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "50 % a kept picture"
    page.get_by_role("button", name="again 4").click()
    assert sent(page, "again")["number"] == 0


def test_a_picture_is_chosen_from_thumbnails_by_keyboard(shown: Callable[..., Page]) -> None:
    page = shown(CHOOSER)
    now = page.get_by_role("button", name="content: chelsea. Choose another one")
    now.focus()
    now.press("Enter")
    assert sent(page, "open")
    page.evaluate("value => window.put('thumbnails', value)", {"rocket": packed(jpeg("red", (84, 56)))})
    option = page.get_by_role("option", name="rocket")
    assert option.locator("img").count() == 1
    page.get_by_role("option", name="chelsea").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert sent(page, "choose")["name"] == "rocket"
    assert not option.is_visible() and page.evaluate("document.activeElement.className") == "sl-now"
    now.press("Enter")
    page.get_by_placeholder("address or file").fill("https://example.org/cat.jpg")
    page.keyboard.press("Enter")
    assert sent(page, "address")["source"] == "https://example.org/cat.jpg"


def test_the_ring_of_the_pad_follows_pointer_and_arrow_keys(shown: Callable[..., Page]) -> None:
    page = shown(PAD)
    square = page.get_by_role("slider")
    box = square.bounding_box()
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.75 * box["height"])
    assert page.evaluate("window.state.place") == pytest.approx([0.25, 0.75], abs=0.011)
    square.focus()
    before = page.evaluate("window.state.place")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    assert page.evaluate("window.state.place") == pytest.approx([before[0] + 0.02, before[1] - 0.1])
    assert square.get_attribute("aria-valuetext") == "all 100%"
    assert page.evaluate("document.activeElement.className") == "sl-pad"


def test_a_mask_is_painted_by_keyboard_and_by_pointer(shown: Callable[..., Page]) -> None:
    picture = packed(jpeg("red", (300, 200)))
    page = shown({"view": "pane", "picture": picture, "regions": picture, "words": "content with its regions",
                  "columns": 300, "rows": 200, "radius": 20.0, "tool": "brush", "ink": "#00f"})  # fmt: skip
    canvas = page.get_by_label("content with its regions")
    canvas.focus()
    for key in ("ArrowRight", "ArrowUp", "Enter"):  # half a radius each, from the middle
        page.keyboard.press(key)
    assert page.evaluate("window.sent.map((one) => one.points)") == [[[160, 90]]]
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.up()
    assert page.evaluate("window.sent.at(-1).points") == pytest.approx(np.array([[30, 40], [60, 40]]), abs=0.11)
