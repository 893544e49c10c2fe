"""Find, verify, load and save the weights of networks: the course's own, torchvision's, or yours.

Files are opened in ways that cannot run code (safetensors, or PyTorch's ``weights_only``), and each tensor is checked
against the shape that it must have before anything is used.
"""

import hashlib
import importlib
import json
import pickle
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from stylelearn.files import replacing
from stylelearn.samples import data_file

TRAINED_AS = {"style_swap": "inverse"}  # networks whose training has another name than their files
TORCHVISION = {"vgg19": "vgg19", "vgg16": "vgg16", "squeezenet": "squeezenet1_0"}
# PyTorch's words for a pickle that is intact but would call functions or build other objects than tensors.
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
        expected = checksums()[path.name]
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


def checksums() -> dict[str, str]:
    """The SHA-256 of the course's files of weights, by name. Raises OSError, ValueError: the list cannot be read."""
    return json.loads(data_file("weights", "checksums.json").read_text(encoding="utf-8"))


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Tensors by name out of a .safetensors file or a PyTorch checkpoint; nothing in the file is ever run.

    The tensors may lie deeper in the checkpoint, as under "state_dict" beside an optimiser and a number of epochs.

    Raises:
        WeightsError: missing, cut short, of another format, or holding no dict of tensors.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise WeightsError(f"no weights at {path}; give the path of a .safetensors, .pth or .pt file")
    try:
        if path.suffix.lower() == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise WeightsError(f"{path.name} is damaged or no safetensors file ({error}); {_remedy(path)}") from error
    except Exception as error:  # a hostile or broken pickle can end in any error at all
        if isinstance(error, pickle.UnpicklingError) and _CODE.search(str(error)):
            raise WeightsError(
                f"{path.name} is damaged or holds more than tensors, which could run a program, and was not opened; "
                "take the weights from a source you trust, saved as `model.state_dict()`"
            ) from error
        raise WeightsError(
            f"{path.name} is damaged or no PyTorch checkpoint ({type(error).__name__}); {_remedy(path)}"
        ) from error
    found = _tensors(state)
    if not found:
        raise WeightsError(f"{path.name} is no dict of tensors (a state_dict); save `model.state_dict()`")
    return found


def _tensors(state: object) -> dict[str, Tensor]:
    """`state` if it is a dict of tensors, or the one such dict that lies under a name that programs use for it."""
    if not isinstance(state, Mapping):
        return {}
    if state and all(isinstance(value, Tensor) for value in state.values()):
        return dict(state)
    inside = (_tensors(state.get(name)) for name in ("state_dict", "model_state_dict", "model", "network", "params"))
    return next((found for found in inside if found), {})


def _remedy(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(64).lstrip().lower()
    if start.startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS: fetch the file itself with `git lfs pull`"
    if start.startswith(b"<"):
        return "it is a web page, such as a warning or a sign-in: download the file itself in a browser"
    if path.suffix in (".t7", ".caffemodel", ".mat", ".h5", ".onnx"):
        return "files of other programs cannot be read: look for a .pth or .safetensors file"
    return "download it again"


def write_weights(path: str | Path, state: Mapping[str, Tensor], about: Mapping[str, object] | None = None) -> None:
    """Tensors as a float16 .safetensors file, whole or not at all, with `about` in its header as JSON.

    Whole numbers are left out: they are batch norm's step counts, which grow beyond what float16 can hold.

    Raises:
        FloatingPointError: numbers that float16 cannot hold; nothing is written.
    """
    path, weights = Path(path), {key: value for key, value in state.items() if value.is_floating_point()}
    halves = {key: value.detach().cpu().half().contiguous() for key, value in weights.items()}
    for key, value in halves.items():
        if not torch.isfinite(value).all():
            raise FloatingPointError(f"{path.name}: {key} holds numbers beyond 65504, too large for float16")
    data = save(halves, metadata={"about": json.dumps(about)} if about else None)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_bytes(data)


def read_about(path: str | Path) -> dict[str, Any]:
    """The `about` that `write_weights` put into a file's header; empty without one.

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
        raise WeightsError(f"{path.name} is damaged or no safetensors file ({error}); {_remedy(path)}") from error
    return about


def shipped(kind: str) -> list[str]:
    """Names in data/weights that are `kind` or begin with `kind`_, in alphabetical order, without the suffix."""
    names = sorted(path.stem for path in data_file("weights").glob("*.safetensors"))
    return [name for name in names if name == kind or name.startswith(f"{kind}_")]


def network_file(kind: str, name: str | Path) -> Path:
    """The file of a trained network: the course's data/weights/KIND_NAME.safetensors, or a path to a file of yours.

    Raises:
        WeightsError: no such network (the message lists those that ship); a damaged file; a network of another kind.
    """
    full = kind if str(name) == kind else f"{kind}_{name}"
    if f"{full}.safetensors" in checksums():
        return _shipped(full)
    path = Path(name).expanduser()
    if path.suffix.lower() == ".safetensors" and path.is_file():
        found = _kind(read_about(path))
        if found not in (kind, None):
            raise WeightsError(
                f"{path.name} holds a network of {found}, not of {kind}; use the method "
                f"{found.replace('_', '-')}, or a file made by `stylelearn train {TRAINED_AS.get(kind, kind)}`"
            )
        return path
    made = f".safetensors file made by `stylelearn train {TRAINED_AS.get(kind, kind)}`"
    if path.is_file():
        raise WeightsError(f"'{path.name}' is no network of the course; give the path of a {made}")
    names = [each.removeprefix(f"{kind}_") for each in shipped(kind)]
    raise WeightsError(
        f"no {kind} network {str(name)!r}; the course ships {', '.join(names) or 'none'}; or give the path of a {made}"
    )


def _kind(about: Mapping[str, Any]) -> str | None:
    """Which lesson's network a header describes: each kind has an entry that those after it lack."""
    marks = ("references", "emd"), ("style_layers", "adjustable"), ("styles", "cin"), ("blocks", "johnson")
    marks += ("upsampling", "style_swap"), ("layer", "adain")
    return next((kind for entry, kind in marks if entry in about), None)


def checksum(model: nn.Module) -> str:
    """The SHA-256 of a model's weights, 64 hexadecimal digits.

    They are rounded to bfloat16 first, so that it does not depend on the precision in which an encoder computes.
    """
    digest = hashlib.sha256()
    for value in model.state_dict().values():
        digest.update(value.detach().cpu().bfloat16().contiguous().view(torch.int16).numpy().tobytes())
    return digest.hexdigest()


@contextmanager
def seeded(seed: int | None = None) -> Iterator[None]:
    """Inside, random numbers come from `seed` (None: from the present state); afterwards the caller's state is back."""
    with torch.random.fork_rng(devices=[]):
        if seed is not None:
            torch.manual_seed(seed)
        yield


def fill(network: nn.Module, source: str | Path | Mapping[str, Tensor], what: str, *, kept: str | None = None) -> None:
    """Copy the weights of a file of `write_weights`, or of a state, into a network.

    Args:
        source: its step counts of batch norm, if any, are ignored: the network keeps its own.
        what: the network, for the message. kept: prefix of the part that the network keeps, such as "encoder.".
    Raises:
        WeightsError: as `read_weights` and `fitting`.
    """
    state = source if isinstance(source, Mapping) else read_weights(source)
    own = network.state_dict().items()
    own = {key: value for key, value in own if not value.is_floating_point() or (kept and key.startswith(kept))}
    network.load_state_dict(fitting(network, {**state, **own}, what))


def fitting(model: nn.Module, state: Mapping[str, Tensor], what: str) -> dict[str, Tensor]:
    """The entries of `state` that `model` has, once their shapes, types and values are checked.

    Names may lack the model's own prefix or have one more, such as "module." of DataParallel, "_orig_mod." of
    torch.compile, or "model." of Lightning.

    Args:
        what: where the state comes from, for the message.
    Raises:
        WeightsError: names the first tensor that is missing, of another shape or type, or not finite.
    """
    expected = model.state_dict()
    state = _renamed(state, list(expected))
    for key, wanted in expected.items():
        if key not in state:
            has = ", ".join(list(state)[:3]) or "nothing"
            raise WeightsError(f"{what}: {key} is missing; is this the checkpoint of another network? It has {has}, …")
        came = state[key]
        if came.shape != wanted.shape:
            shapes = f"{tuple(came.shape)}, expected {tuple(wanted.shape)}"
            raise WeightsError(f"{what}: {key} has shape {shapes}; is this the checkpoint of another network?")
        if came.is_floating_point() != wanted.is_floating_point() or came.is_meta or came.layout != torch.strided:
            raise WeightsError(f"{what}: {key} holds {came.dtype}, expected {wanted.dtype}; save `model.state_dict()`")
        if not torch.isfinite(came).all():
            raise WeightsError(f"{what}: {key} holds NaN or infinite numbers; the file is damaged, download it again")
    return {key: state[key] for key in expected}


def _renamed(state: Mapping[str, Tensor], expected: list[str]) -> Mapping[str, Tensor]:
    """`state` by the names that are expected, if one prefix more or less makes all of them agree; else as it is."""
    own = f"{expected[0].split('.')[0]}."  # such as "features."
    for less in ("", own if all(name.startswith(own) for name in expected) else ""):
        first = expected[0].removeprefix(less)
        for more in [key.removesuffix(first) for key in state if key == first or key.endswith(f".{first}")]:
            names = {name: more + name.removeprefix(less) for name in expected}
            if all(there in state for there in names.values()):
                return {name: state[there] for name, there in names.items()}
    return state


def torchvision_state(name: str, path: str | Path | None = None, progress: bool = True) -> dict[str, Tensor]:
    """ImageNet weights of torchvision's `name` ("vgg19", "vgg16", "squeezenet"): from `path`, or downloaded once.

    Raises:
        WeightsError: no network and nothing in the cache, a bad checksum, no file of tensors, a VGG for other pixels.
    """
    if path is None:
        url = import_torchvision().models.get_model_weights(TORCHVISION[name]).DEFAULT.url
        try:
            return read_weights(fetched(url, progress=progress))
        except WeightsError as error:
            raise WeightsError(
                f"no weights of {name}: {error}.\n"
                f"  1. Use Encoder('mini'): it ships with the course and needs no network.\n"
                f"  2. Try again with a network.\n"
                f"  3. Fetch {url} on another computer and give its path: "
                f"Encoder('{name}', weights='{url.rsplit('/', 1)[1]}')."
            ) from error
    state = read_weights(path)
    if name.startswith("vgg"):
        _check_pixels(state, Path(path).name)
    return state


def _check_pixels(state: Mapping[str, Tensor], file: str) -> None:
    """Refuse a VGG that expects pixels from 0 to 255, as the networks of Caffe do, most of them with blue first.

    Its first filters may be so small that they make 1 of 255. Justin Johnson's conversions of Simonyan's networks are
    not; they are known by their classifier, whose layers have other numbers than torchvision's (1, 4, 6, not 0, 3, 6).
    """
    first = next((value for value in state.values() if value.shape == (64, 3, 3, 3)), None)
    small = first is not None and float(first.float().square().mean().sqrt()) < 0.01  # torchvision's: from 0.06 up
    theirs = any(key.endswith("classifier.1.weight") and value.ndim == 2 for key, value in state.items())
    if small or theirs:
        raise WeightsError(
            f"{file} is a VGG for pixels from 0 to 255, as Caffe's are (blue, green, red); the losses would be wrong. "
            "Use torchvision's weights, which expect red, green, blue from 0 to 1, normalised"
        )


def downloaded(name: str) -> Path | None:
    """Where an earlier download of torchvision's `name` lies; None if it was never made."""
    return next(iter(sorted(_hub().glob(f"{TORCHVISION[name]}-*.pth"))), None)


def _hub() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


def fetched(url: str, progress: bool = True) -> Path:
    """The file at `url`, downloaded unless it is there, in the folder and under the name that torch.hub gives it.

    Its name, such as vgg19-dcbb9e9d.pth, ends in the first digits of its SHA-256, and these are checked each time.

    Raises:
        WeightsError: the server cannot be reached, or the file has another SHA-256.
    """
    path = _hub() / url.rsplit("/", 1)[1]
    named = re.search(r"-([0-9a-f]{8,64})\.", path.name)
    promised = named[1] if named else None
    if path.is_file():
        if promised and not (found := sha256(path)).startswith(promised):
            raise WeightsError(
                f"{path.name} is damaged or was changed: its SHA-256 begins with {found[: len(promised)]}, not with "
                f"{promised} as its name says; delete {path} and download it again"
            )
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path), promised, progress)
    except (OSError, HTTPException) as error:
        raise WeightsError(f"{url} cannot be downloaded ({error})") from error
    except RuntimeError as error:
        raise WeightsError(f"the download of {url} broke off or was changed on its way ({error})") from error
    return path


def torchvision_model(name: str) -> nn.Module:
    """torchvision's network without weights ("vgg19", "vgg16", "squeezenet"), in eval mode."""
    models = import_torchvision().models
    with seeded():
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
