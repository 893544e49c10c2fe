"""`stylelearn export`: in a real browser the page paints what the network paints in PyTorch, and asks nobody."""

import base64
import io
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Page
from test_browser import AXE
from test_cli import refused
from torch import Tensor

from stylelearn import johnson, samples
from stylelearn.cin import StyleNet
from stylelearn.cli import main
from stylelearn.images import write_image
from stylelearn.networks.coarse import coarse_to_fine
from stylelearn.networks.transformation import TransformationNet
from stylelearn.weights import write_weights

SMALL = {"widths": (4, 6, 8), "blocks": 2}
PATIENCE = 600_000  # milliseconds
SERIOUS = """async () => (await axe.run()).violations.filter(fault => ['serious', 'critical'].includes(fault.impact))
    .map(fault => `${fault.id}: ${fault.nodes.map(node => node.html.slice(0, 200)).join(' | ')}`)"""


def varied(network: TransformationNet) -> TransformationNet:
    """With norms that are not the identity, in the precision of files."""
    for name, value in network.state_dict().items():
        if "norm" in name:
            value.add_(0.3 * torch.randn(value.shape))
        value.copy_(value.half().float())
    return network.eval().requires_grad_(False)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page on a phone without internet; it fails at the end if it asked for any address or had an error."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, offline=True)
    page = context.new_page()
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url))
    page.on("pageerror", lambda error: found.append(str(error)))
    yield page
    context.close()
    assert [each for each in found if not each.startswith(("file:", "data:", "blob:"))] == []


def opened(page: Page, network: str | Path, folder: Path) -> None:
    """The page of a network, once it has painted its example."""
    assert main(["export", str(network), "-o", str(folder / "painter.html")]) == 0
    page.goto((folder / "painter.html").as_uri())
    said(page, "painted in")


def said(page: Page, words: str) -> None:
    page.locator("#said", has_text=re.compile(words)).wait_for(timeout=PATIENCE)


def painted(page: Page, photo: Tensor, folder: Path) -> Tensor:
    """What the page makes of a photo whose shorter side has 256 pixels, in steps of 1/255: (1, 3, H, W)."""
    write_image(photo, folder / "photo.png")
    page.set_input_files("#file", folder / "photo.png")
    height, width = photo.shape[2:]
    said(page, f"{width} × {height} pixels, painted in")
    return shown(page)


def shown(page: Page) -> Tensor:
    address = page.evaluate("document.getElementById('picture').toDataURL()")
    picture = Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))).convert("RGB")
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]


def steps(image: Tensor) -> Tensor:
    return image * 255


def photo(width: int) -> Tensor:
    """A photograph of 256 × `width` pixels, whole steps of 1/255."""
    return (samples.content("chelsea", 256)[..., :width] * 255).round() / 255


@pytest.mark.browser
@pytest.mark.parametrize("ends", ["light", "paper"])
def test_the_page_paints_what_the_network_paints(ends, page, tmp_path):
    """Sides that are no multiple of 4, noise of three scales, a residual block: all as in PyTorch."""
    network = varied(TransformationNet(**SMALL, noise=(1, 4, 16), ends=ends))
    johnson.save(network, tmp_path / "mine.safetensors", style="my_style")
    opened(page, tmp_path / "mine.safetensors", tmp_path)
    assert page.title() == "Painter of my style"
    assert not page.locator("#style").is_visible()
    image = photo(257)
    assert (painted(page, image, tmp_path) - steps(coarse_to_fine(network, image))).abs().max() <= 2


@pytest.mark.browser
def test_a_page_of_several_styles_paints_in_each(page, tmp_path):
    network = varied(StyleNet(["first", "second_style"], **SMALL, noise=(1, 4)))
    write_weights(tmp_path / "mine.safetensors", network.state_dict(), network.about)
    opened(page, tmp_path / "mine.safetensors", tmp_path)
    image = photo(260)
    first = painted(page, image, tmp_path)
    page.select_option("#style", label="second style")
    page.locator("#picture[aria-label*='second style']").wait_for(timeout=PATIENCE)
    for found, name in ((first, "first"), (shown(page), "second_style")):
        wanted = coarse_to_fine(partial(network, mix=network.mix(name)), image)
        assert (found - steps(wanted)).abs().max() <= 2


@pytest.mark.browser
def test_a_network_that_ships_on_a_phone(page, tmp_path):
    """Its pixels, the camera, Save, a drop of what is no picture; and everyone can use it."""
    opened(page, "starry_night", tmp_path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    image = photo(300)
    wanted = coarse_to_fine(johnson.load("starry_night"), image)
    assert (painted(page, image, tmp_path) - steps(wanted)).abs().max() <= 2

    before = shown(page)
    page.click("#camera")
    said(page, "pictures a second")
    page.click("#camera")
    live = shown(page)
    assert live.shape != before.shape
    with page.expect_download() as download:
        page.click("#save")
    with Image.open(download.value.path()) as picture:
        assert torch.equal(torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)[None], live)

    page.evaluate("""() => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(['words'], 'words.txt'));
        document.body.dispatchEvent(new DragEvent('drop', {dataTransfer, bubbles: true, cancelable: true}));
    }""")
    said(page, "words.txt is no picture")
    if AXE.is_file():
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.evaluate(AXE.read_text(encoding="utf-8"))
            assert page.evaluate(SERIOUS) == []


@pytest.mark.parametrize(("how", "word"), [({"norm": "batch"}, "norm"), ({"upsampling": "transposed"}, "upsampling")])
def test_a_network_that_the_page_cannot_compute_is_refused(how, word, tmp_path, capsys):
    johnson.save(TransformationNet(**SMALL, **how), tmp_path / "mine.safetensors", style="mine")
    assert word in refused(["export", str(tmp_path / "mine.safetensors"), "-o", str(tmp_path / "painter.html")], capsys)
    assert not (tmp_path / "painter.html").exists()


def test_what_is_no_network_of_these_lessons_is_refused(tmp_path, capsys):
    assert "starry_night" in refused(["export", "nothing", "-o", str(tmp_path / "painter.html")], capsys)
