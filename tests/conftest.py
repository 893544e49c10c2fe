"""What all tests share: the same random numbers, no network, small pictures and networks."""

import os

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"  # the servers of tests are on this machine
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: waiting threads leave the cores to the others

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import torch

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from stylelearn.encoders import Encoder

pytest.register_assert_rewrite("gate", "hands")  # their assertions, too, say what they found

ROOT = Path(__file__).resolve().parent.parent
IN_CI = bool(os.environ.get("CI"))

slow = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture]  # and known to be harmless
hypothesis.settings.register_profile(  # the same inputs each time: on a new machine nothing fails by chance
    "stylelearn", deadline=None, derandomize=True, max_examples=40, suppress_health_check=slow
)
hypothesis.settings.register_profile(  # pytest --hypothesis-profile explore: new ones
    "explore", hypothesis.settings.get_profile("stylelearn"), derandomize=False, print_blob=True
)
hypothesis.settings.load_profile("stylelearn")


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """An optional folder of pictures and a teacher network beside the repository; tests that need it skip without."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the optional picture collection ../shared, beside the repository")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """An installed Chromium, with a camera that films a test picture and may be used. Only CI must have one."""
    from benchmarks.browser import chromium, program

    try:
        program()
    except RuntimeError as error:
        (pytest.fail if IN_CI else pytest.skip)(str(error))
    with chromium() as browser:
        yield browser


@pytest.fixture(autouse=True)
def _same_random_numbers() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders "photos" and "styles" with four small pictures of the course in each; to be read only."""
    from stylelearn import samples
    from stylelearn.images import write_image

    found = {}
    for kind, names in (("photos", samples.content_names()[:4]), ("styles", samples.style_names()[:4])):
        found[kind] = tmp_path_factory.mktemp(kind)
        for name in names:
            image = samples.content(name, 64) if kind == "photos" else samples.style(name, 64)
            write_image(image, found[kind] / f"{name}.png")
    return found


@pytest.fixture(scope="session")
def squeezenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of SqueezeNet with random weights."""
    from safetensors.torch import save_file

    from stylelearn.weights import torchvision_model

    path = tmp_path_factory.mktemp("squeezenet") / "squeezenet.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_file(torchvision_model("squeezenet").state_dict(), path)
    return path


@pytest.fixture(scope="session")
def mini() -> "Encoder":
    """The course's own encoder."""
    from stylelearn.encoders import Encoder

    return Encoder("mini")


@pytest.fixture
def labs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """ipywidgets logs the errors of callbacks and goes on; here they fail. Labs are closed when the test is over."""
    from hands import close_labs
    from ipywidgets.widgets.widget import CallbackDispatcher

    def call(self: CallbackDispatcher, *args: Any) -> None:
        for callback in self.callbacks:
            callback(*args)

    monkeypatch.setattr(CallbackDispatcher, "__call__", call)
    yield
    close_labs()


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Tests give the same answer with and without internet: only this machine can be reached."""
    connect = socket.socket.connect

    def only_local(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise ConnectionRefusedError(f"tests are offline, and this one asked for {address[0]}:{address[1]}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", only_local)
        yield
