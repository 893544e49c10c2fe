"""Where the numbers of an encoder come from: a file that ships, a file of yours, or torchvision's download.

Files are opened in ways that cannot run code (safetensors, or PyTorch's ``weights_only``), and each tensor is held
against the shape that it must have before anything is used. A download that was cut off goes on where it stopped.
"""

import hashlib
import importlib
import json
import pickle
import re
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from stylelearn.samples import data_file

TRAINED_AS = {"style_swap": "inverse"}  # networks whose training has another name than their files
TORCHVISION = {"vgg19": "vgg19", "vgg16": "vgg16", "squeezenet": "squeezenet1_0"}
# What PyTorch says of a pickle that is whole but wants to call or make something other than tensors.
_CODE = re.compile("unsupported global|unrecognized function|can only (build|create)", re.IGNORECASE)


class WeightsError(RuntimeError):
    """Weights that are missing, damaged, or of another network; the message says which and what to do."""


def load_state(name: str, path: str | Path | None = None) -> dict[str, Tensor]:
    """The course's own weights `name` (data/weights/NAME.safetensors), or those in `path`, as float32.

    Raises:
        WeightsError: missing, cut short, or not what the course ships (checked against the file's SHA-256).
    """
    path = _shipped(name) if path is None else Path(path)
    return {key: value.float() for key, value in read_weights(path).items()}


def _shipped(name: str) -> Path:
    """The path of the course's own weights `name`, once their SHA-256 is found right."""
    remedy = "get it back with `git checkout -- data/weights`, or clone or install stylelearn again"
    try:
        path = data_file("weights", f"{name}.safetensors")
        expected = json.loads(data_file("weights", "checksums.json").read_text(encoding="utf-8"))[path.name]
    except FileNotFoundError as error:
        raise WeightsError(f"the weights of {name} are not there: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"checksums.json has no SHA-256 for {name}.safetensors; {remedy}") from error
    found = sha256(path)
    if found != expected:
        raise WeightsError(
            f"{path} is not the file that the course ships (SHA-256 {found[:12]}…, expected {expected[:12]}…); {remedy}"
        )
    return path


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Tensors by name out of a .safetensors, .pth or .pt file; nothing in the file is ever run.

    Raises:
        WeightsError: missing, cut short, of another format, or holding anything but tensors.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise WeightsError(f"no weights at {path}; give the path of a .safetensors, .pth or .pt file")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise WeightsError(f"{path.name} is damaged or no safetensors file ({error}); download it again") from error
    except Exception as error:  # a hostile or broken pickle can end in any error at all
        if isinstance(error, pickle.UnpicklingError) and _CODE.search(str(error)):
            raise WeightsError(
                f"{path.name} is damaged or holds more than tensors, which could run a program, and was not opened; "
                "take the weights from a source you trust, saved as `model.state_dict()`"
            ) from error
        raise WeightsError(
            f"{path.name} is damaged or no PyTorch checkpoint ({type(error).__name__}); download it again"
        ) from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path.name} is no dict of tensors (a state_dict); save `model.state_dict()`")
    return dict(state)


def write_weights(path: str | Path, state: Mapping[str, Tensor], about: Mapping[str, object] | None = None) -> None:
    """Tensors as a float16 .safetensors file, whole or not at all, with `about` in its header as JSON.

    Raises:
        FloatingPointError: numbers that float16 cannot hold; nothing is written.
    """
    path = Path(path)
    halves = as_halves(state, path.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.tmp")
    beside.write_bytes(save(halves, metadata={"about": json.dumps(about)} if about else None))
    beside.replace(path)


def as_halves(state: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors as float16, on the CPU; `name` says in the error what they are.

    Raises:
        FloatingPointError: numbers that float16 cannot hold.
    """
    halves = {key: value.detach().cpu().half().contiguous() for key, value in state.items()}
    for key, value in halves.items():
        if not torch.isfinite(value).all():
            raise FloatingPointError(f"{name}: {key} holds numbers beyond 65504, too large for float16")
    return halves


def read_about(path: str | Path) -> dict[str, Any]:
    """What `write_weights` was told about a .safetensors file; empty if nothing.

    Raises:
        WeightsError: missing, damaged, or no safetensors file.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise WeightsError(f"no weights at {path}; give the path of a .safetensors file")
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
    except (SafetensorError, ValueError) as error:
        raise WeightsError(f"{path.name} is damaged or no safetensors file ({error}); download it again") from error
    if not isinstance(about, dict):
        raise WeightsError(
            f"{path.name} says {about!r} about itself where a table should be; was it made by stylelearn?"
        )
    return about


def shipped(kind: str) -> list[str]:
    """Names in data/weights that are `kind` or begin with `kind`_, in alphabetical order, without the suffix."""
    folder = data_file("weights", "checksums.json").parent
    names = sorted(path.stem for path in folder.glob("*.safetensors"))
    return [name for name in names if name == kind or name.startswith(f"{kind}_")]


def network_file(kind: str, name: str | Path) -> Path:
    """The file of a trained network: the course's data/weights/KIND_NAME.safetensors, or a path to a file of yours.

    Raises:
        WeightsError: neither; or not whole. Lists the names that there are.
    """
    full = kind if str(name) == kind else f"{kind}_{name}"
    if f"{full}.safetensors" in json.loads(data_file("weights", "checksums.json").read_text(encoding="utf-8")):
        return _shipped(full)
    if Path(name).suffix == ".safetensors" and Path(name).is_file():
        return Path(name)
    names = [each.removeprefix(f"{kind}_") for each in shipped(kind)]
    raise WeightsError(
        f"no {kind} network {str(name)!r}; the course ships {', '.join(names) or 'none'}; or give the path of a "
        f".safetensors file made by `stylelearn train {TRAINED_AS.get(kind, kind)}`"
    )


def fitting(model: nn.Module, state: Mapping[str, Tensor], what: str) -> dict[str, Tensor]:
    """`state` without what `model` does not know, once everything that it does know has been found to fit.

    Args:
        what: where the state comes from, for the message.
    Raises:
        WeightsError: names the first tensor that is missing, of another shape or type, or not finite.
    """
    expected = model.state_dict()
    for key, wanted in expected.items():
        if key not in state:
            raise WeightsError(f"{what}: {key} is missing; is this the checkpoint of another network?")
        came = state[key]
        if came.shape != wanted.shape:
            shapes = f"{tuple(came.shape)}, expected {tuple(wanted.shape)}"
            raise WeightsError(f"{what}: {key} has shape {shapes}; is this the checkpoint of another network?")
        if came.is_floating_point() != wanted.is_floating_point() or came.is_meta or came.layout != torch.strided:
            raise WeightsError(f"{what}: {key} holds {came.dtype}, expected {wanted.dtype}; save `model.state_dict()`")
        if not torch.isfinite(came).all():
            raise WeightsError(f"{what}: {key} holds NaN or infinite numbers; the file is damaged, download it again")
    return {key: state[key] for key in expected}


def torchvision_state(name: str, path: str | Path | None = None, progress: bool = True) -> dict[str, Tensor]:
    """ImageNet weights of torchvision's `name` ("vgg19", "vgg16", "squeezenet"): from `path`, or downloaded once.

    What to download is what torchvision says, and it is kept where torch.hub keeps it, under the same name: weights
    that another program fetched are found, and the other way round.

    Raises:
        WeightsError: no network and nothing in the cache, a bad checksum, or no file of tensors.
    """
    if path is None:
        url = import_torchvision().models.get_model_weights(TORCHVISION[name]).DEFAULT.url
        try:
            path = download(url, Path(torch.hub.get_dir()) / "checkpoints", progress=progress)
        except WeightsError as error:
            raise WeightsError(_ways_out(name, url, str(error))) from error
    path = Path(path).expanduser()
    if path.name.startswith(f"{TORCHVISION[name]}-") and path.is_file():
        _check_digits(path, path.name)
    return read_weights(path)


def downloaded(name: str) -> Path | None:
    """Where an earlier download of torchvision's `name` lies; None if it was never made."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    return next(iter(sorted(folder.glob(f"{TORCHVISION[name]}-*.pth"))), None)


def _ways_out(name: str, url: str, problem: str) -> str:
    file = url.rsplit("/", 1)[1]
    return (
        f"no weights of {name}: {problem}.\n"
        f"  1. Use Encoder('mini'): it ships with the course and needs no network.\n"
        f"  2. Try again with a network: what has arrived is kept, and the rest follows.\n"
        f"  3. Fetch {url} on another computer and give its path: Encoder('{name}', weights='{file}')."
    )


def download(url: str, folder: str | Path, *, progress: bool = True, timeout: float = 20.0) -> Path:
    """Fetch `url` into `folder` unless it is there, going on where an earlier try was cut off.

    The file keeps the address's name, and a name such as vgg19-dcbb9e9d.pth tells the first digits of its SHA-256, as
    is torch.hub's custom. Until it is whole and checked it is called NAME.part.

    Args:
        timeout: seconds to wait for the server before giving up.
    Raises:
        WeightsError: the server cannot be reached or breaks off, or what it sent has another SHA-256.
    """
    target = Path(folder) / PurePosixPath(urlsplit(url).path).name
    if target.is_file():
        return target
    part = target.with_name(f"{target.name}.part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _fetch(url, part, progress, timeout)
    except OSError as error:  # those of requests are OSErrors too
        answer = getattr(error, "response", None)
        reason = (
            f"{answer.status_code} {answer.reason}" if answer is not None else error.strerror or type(error).__name__
        )
        kept = f"; {part.stat().st_size / 1e6:.1f} MB are kept" if part.exists() else ""
        raise WeightsError(f"{url} cannot be downloaded ({reason}{kept})") from error
    try:
        _check_digits(part, target.name)
    except WeightsError:
        part.unlink()
        raise
    part.replace(target)
    return target


def _fetch(url: str, part: Path, progress: bool, timeout: float) -> None:
    """Append to `part` what it lacks of `url`, or write it anew where the server cannot send just the rest."""
    import requests  # here and not above: only a download needs them
    from tqdm.auto import tqdm

    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as answer:
        rest = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if have and answer.status_code in (206, 416) and not rest:  # 416: the server's file is no longer than ours
            part.unlink()
            return _fetch(url, part, progress, timeout)
        answer.raise_for_status()
        done = have if rest else 0
        length = answer.headers.get("Content-Length", "")
        total = done + int(length) if length.isdigit() else None
        with (
            part.open("ab" if rest else "wb") as file,
            tqdm(total=total, initial=done, unit="B", unit_scale=True, desc=part.stem, disable=not progress) as bar,
        ):
            for chunk in answer.iter_content(1 << 16):  # small, since a chunk that is cut off is lost
                file.write(chunk)
                bar.update(len(chunk))
    if total is not None and part.stat().st_size != total:
        raise ConnectionError(f"{part.stat().st_size} bytes of {total}")


def _check_digits(path: Path, name: str) -> None:
    """Hold the file against the digits of its SHA-256 that stand in its name, if any do."""
    promised = re.search(r"-([0-9a-f]{8,64})\.", name)
    if promised and not (found := sha256(path)).startswith(promised[1]):
        raise WeightsError(
            f"{name} is damaged or was changed: its SHA-256 begins with {found[: len(promised[1])]}, not with "
            f"{promised[1]} as its name says; delete it and download it again"
        )


def torchvision_model(name: str) -> nn.Module:
    """torchvision's network without weights ("vgg19", "vgg16", "squeezenet"), in eval mode."""
    models = import_torchvision().models
    with torch.random.fork_rng(devices=[]):  # making it draws random numbers: the caller's must not change
        return models.get_model(TORCHVISION[name], weights=None).eval()


def import_torchvision() -> ModuleType:
    """torchvision, also where its CUDA build stands beside a CPU build of torch.

    Such a torchvision stops at import because two operators have no schema. Nothing of the course calls them, so we
    declare the two and import again; any other error is passed on.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::nms does not exist" not in str(error) or _declared:
            raise
    for module in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[module]
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declared.append(library)  # the declaration lives as long as this object
    return importlib.import_module("torchvision")


_declared: list[torch.library.Library] = []
