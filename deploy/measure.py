"""What a class costs a hub: learners log in, open the labs of lessons 05 and 08, and move a slider.

    python deploy/measure.py --proxy node_modules/.bin/configurable-http-proxy --learners 1 5 10

needs JupyterHub and the course in the same environment, on Linux. It starts JupyterHub on the loopback address with
local processes and any password (see jupyterhub_config.py), and speaks to it as a browser does: a form, cookies, and
the kernels' websockets. A learner moves the slider, waits for the first new picture, waits half a second, and moves
again.
"""

import argparse
import contextlib
import json
import os
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import requests
import websocket

HERE = Path(__file__).resolve().parent
LESSONS = {"05_adain": "lab.controls['strength']", "08_adjustable": "lab.alphas.sliders['relu1_1']"}  # and its slider
PICTURE = "lab.stage"
PAUSE = 0.5  # seconds between a picture and the next move
PATIENCE = 180  # seconds; who waits longer counts as failed


@dataclass
class Learner:
    """What one learner saw: seconds for each stage, milliseconds for each move, what failed."""

    name: str
    login: float = 0.0  # until JupyterLab's page is there
    first: list[float] = field(default_factory=list)  # from opening a lesson to its lab's first picture
    moves: list[float] = field(default_factory=list)
    kernels: list[str] = field(default_factory=list)
    failed: str = ""


class Browser:
    """A learner's browser at the hub."""

    def __init__(self, hub: str, name: str) -> None:
        self.session, self.hub, self.home = requests.Session(), hub, f"{hub}/user/{name}/"
        page = self._get(f"{hub}/hub/login")
        token = self._token(f"{hub}/hub/")
        form = {"username": name, "password": name, "_xsrf": token}
        self.session.post(page.url, data=form, timeout=PATIENCE).raise_for_status()
        end = time.monotonic() + PATIENCE
        while not (page := self._get(f"{hub}/hub/spawn/{name}")).url.startswith(self.home):  # the page that waits
            if time.monotonic() > end:
                raise TimeoutError("the server did not start")
            time.sleep(1)
        self._get(self.home + "lab")

    def kernel(self) -> tuple[str, websocket.WebSocket]:
        """Start a kernel; its id and its websocket."""
        headers = {"X-XSRFToken": self._token(self.home)}
        url = self.home + "api/kernels"
        reply = self.session.post(url, json={"name": "python3"}, headers=headers, timeout=PATIENCE)
        reply.raise_for_status()
        name = reply.json()["id"]
        address = f"{url}/{name}/channels".replace("http", "ws", 1)
        cookies = requests.Request("GET", url)
        header = self.session.prepare_request(cookies).headers["Cookie"]
        return name, websocket.create_connection(address, cookie=header, timeout=PATIENCE, max_size=None)

    def _get(self, url: str) -> requests.Response:
        reply = self.session.get(url, timeout=PATIENCE)
        reply.raise_for_status()
        return reply

    def _token(self, url: str) -> str:
        cookies = self.session.prepare_request(requests.Request("GET", url)).headers["Cookie"]
        return re.findall(r"_xsrf=([^;]+)", cookies)[0]


class Kernel:
    """A lesson's kernel, as the page sees it."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self.socket = socket

    def run(self, code: str, wanted: dict[str, str] | None = None) -> dict[str, str]:
        """Run a cell; the values of the expressions `wanted`.

        Raises:
            RuntimeError: the cell failed.
        """
        content = {"code": code, "silent": False, "user_expressions": wanted or {}, "allow_stdin": False}
        sent = self.send("execute_request", content)
        for message in self.messages():
            if message["msg_type"] == "execute_reply" and message["parent_header"].get("msg_id") == sent:
                if message["content"]["status"] != "ok":
                    raise RuntimeError(message["content"].get("evalue", "the cell was aborted"))
                found = message["content"]["user_expressions"]
                return {name: found[name]["data"]["text/plain"].strip("'") for name in found}
        raise AssertionError

    def move(self, slider: str, value: float, picture: str) -> float:
        """Move a slider; milliseconds until the new picture is here."""
        begin = time.perf_counter()
        data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
        self.send("comm_msg", {"comm_id": slider, "data": data})
        for message in self.messages():
            content = message["content"]
            if message["msg_type"] != "comm_msg" or content["comm_id"] != picture:
                continue
            if ["value"] in content["data"].get("buffer_paths", []):
                return (time.perf_counter() - begin) * 1e3
        raise AssertionError

    def rest(self, seconds: float) -> None:
        """Wait; what comes meanwhile, such as the picture once more in full quality, belongs to the last move."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            with contextlib.suppress(websocket.WebSocketTimeoutException):
                self.socket.recv()
        self.socket.settimeout(PATIENCE)

    def send(self, kind: str, content: dict[str, Any]) -> str:
        """Send a message on the shell channel; its id."""
        name = uuid.uuid4().hex
        header = {"msg_id": name, "msg_type": kind, "username": "", "session": "measure", "version": "5.3"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        self.socket.send(json.dumps(message))
        return name

    def messages(self) -> Iterator[dict[str, Any]]:
        """What comes from the kernel; pictures come as binary frames, behind the message that they belong to."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            frame = self.socket.recv()
            if isinstance(frame, bytes):
                count = struct.unpack("!I", frame[:4])[0]
                places = struct.unpack(f"!{count}I", frame[4 : 4 + 4 * count])
                frame = frame[places[0] : places[1] if count > 1 else None]
            message = json.loads(frame)
            yield message | {"msg_type": message["header"]["msg_type"]}
        raise TimeoutError(f"no answer within {PATIENCE} seconds")


def learn(hub: str, learner: Learner, seconds: float) -> None:
    """One learner's visit; errors are kept in `learner`."""
    where = "login"
    try:
        begin = time.monotonic()
        browser = Browser(hub, learner.name)
        learner.login = time.monotonic() - begin
        for lesson, slider in LESSONS.items():
            where = f"{lesson}, first picture"
            begin = time.monotonic()
            name, socket = browser.kernel()
            learner.kernels.append(name)
            kernel, cells = Kernel(socket), _cells(lesson)
            kernel.run(cells[0])
            wanted = {"slider": f"{slider}.model_id", "picture": f"{PICTURE}.model_id"}
            found = kernel.run(next(cell for cell in cells if cell.startswith("lab = ")), wanted)
            learner.first.append(time.monotonic() - begin)
            where = f"{lesson}, slider"
            end, number = time.monotonic() + seconds, 0
            while time.monotonic() < end:
                number += 1
                value = round(0.05 + 0.37 * number % 0.9, 2)
                learner.moves.append(kernel.move(found["slider"], value, found["picture"]))
                kernel.rest(PAUSE)
    except Exception as error:
        learner.failed = f"{where}: {type(error).__name__}: {str(error)[:200]}"


def _cells(lesson: str) -> list[str]:
    cells = json.loads((HERE.parent / "lessons" / f"{lesson}.ipynb").read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def memory(hub: psutil.Process) -> dict[str, tuple[float, float, float]]:
    """(PSS, RSS, peak of RSS) in MB of every process below the hub, by its command line."""
    found = {}
    for process in hub.children(recursive=True):
        with contextlib.suppress(psutil.Error, OSError):
            words, used = " ".join(process.cmdline()), process.memory_full_info()
            peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
            found[words] = (used.pss / 2**20, used.rss / 2**20, int(peak[1]) / 2**10 if peak else 0.0)
    return found


@contextlib.contextmanager
def running(proxy: str, port: int) -> Iterator[tuple[str, psutil.Process]]:
    """A hub on the loopback address, in a folder that is thrown away: its address and its process."""
    with tempfile.TemporaryDirectory(prefix="hub-") as folder:
        config = Path(folder, "jupyterhub_config.py")
        config.write_text(
            f"load_subconfig({str(HERE / 'jupyterhub_config.py')!r})\n"
            f"c.JupyterHub.bind_url = 'http://127.0.0.1:{port}'\n"
            f"c.JupyterHub.hub_port = {port + 1}\n"
            f"c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:{port + 2}'\n"
            f"c.ConfigurableHTTPProxy.command = {shlex.split(proxy)!r}\n"
            f"c.Spawner.cmd = [{sys.executable!r}, '-m', 'jupyterhub.singleuser']\n"
            f"c.Spawner.args = ['--allow-root']\n"
            f"c.SimpleLocalProcessSpawner.home_dir_template = {folder!r} + '/{{username}}'\n"
        )
        words = [sys.executable, "-m", "jupyterhub", "-f", str(config)]
        environment = {**os.environ, "STYLELEARN_TRY": "1", "CLASS_CERTIFICATE": "", "CLASS_KEY": ""}
        with open(Path(folder, "log"), "w") as log:
            hub = subprocess.Popen(words, cwd=folder, env=environment, stdout=log, stderr=log)
            try:
                _until_it_answers(f"http://127.0.0.1:{port}/hub/api/", hub, Path(folder, "log"))
                yield f"http://127.0.0.1:{port}", psutil.Process(hub.pid)
            finally:
                hub.terminate()  # the hub ends the learners' servers and the proxy
                hub.wait(60)


def _until_it_answers(url: str, hub: subprocess.Popen, log: Path) -> None:
    for _ in range(120):
        if hub.poll() is not None:
            break
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(url, timeout=5).ok:
                return
        time.sleep(0.5)
    raise SystemExit(f"the hub did not start:\n{log.read_text()[-2000:]}")


def measure(hub: str, process: psutil.Process, count: int, seconds: float) -> str:
    """`count` learners come at once: a row of the table."""
    learners = [Learner(f"class{count}-{i}") for i in range(count)]
    threads = [threading.Thread(target=learn, args=(hub, one, seconds)) for one in learners]
    psutil.cpu_percent()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    busy, used = psutil.cpu_percent(), memory(process)
    kernels = [size for words, size in used.items() if any(name in words for one in learners for name in one.kernels)]
    servers = [size for words, size in used.items() if "jupyterhub.singleuser" in words and "ipykernel" not in words]
    failed = "; ".join(f"{one.name}: {one.failed}" for one in learners if one.failed) or "nothing"
    moves = [move for one in learners for move in one.moves]
    first = [each for one in learners for each in one.first]
    cells = [
        str(count),
        " / ".join(f"{np.mean([size[which] for size in servers]):.0f}" for which in (0, 1)),
        " / ".join(f"{np.mean([size[which] for size in kernels]):.0f}" for which in (0, 1)),
        f"{max((size[2] for size in kernels), default=0):.0f}",
        f"{np.median([one.login for one in learners]):.0f}",
        f"{np.median(first):.0f}, {max(first, default=0):.0f}",
        *(f"{np.percentile(moves, share):.0f}" if moves else "-" for share in (50, 95)),
        str(len(moves)),
        f"{busy:.0f} %",
        failed,
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxy", default="configurable-http-proxy", help="how to start it")
    parser.add_argument("--learners", type=int, nargs="+", default=[1, 5, 10], help="at once")
    parser.add_argument("--seconds", type=float, default=15, help="of moving the slider, in each lesson")
    parser.add_argument("--port", type=int, default=8765, help="and the two after it")
    options = parser.parse_args()
    columns = "learners | server MB, PSS / RSS | kernel MB, PSS / RSS | largest peak MB | s to JupyterLab, median | "
    columns += "s to first picture: median, worst | ms p50 | ms p95 | moves | processor | failed"
    print(f"| {columns} |")
    print("|" + " --- |" * 11, flush=True)
    for count in options.learners:
        with running(options.proxy, options.port) as (hub, process):
            print(measure(hub, process, count, options.seconds), flush=True)


if __name__ == "__main__":
    main()
