"""Pictures in and out: read, resize, write.

Everywhere else in stylelearn an `image` is a float32 tensor (B, 3, H, W), sRGB, in [0, 1]. Only this module knows
files, addresses, PIL and whole numbers from 0 to 255.
"""

from __future__ import annotations

import io
import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, PngImagePlugin
from torch import Tensor

from stylelearn.decoding import MAX_PIXELS, SUFFIXES, ImageError, from_array, from_pil, from_tensor, open_picture
from stylelearn.files import check_output, replacing

_MAX_BYTES = 200_000_000  # of a file
_SECONDS = 10.0  # for an address, from the first connection to the last byte
_CHUNK = 64 * 1024

QUALITY = 92  # of a JPEG or WebP file, of 100
WRITABLE = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".webp": "webp"}

_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286
_SETTINGS_KEY = "stylelearn"
_MAX_SETTINGS = 60_000  # bytes; a JPEG keeps all of its EXIF in one segment of 64 KiB


# ---------------------------------------------------------------------------------------------------------- reading


def read_image(source: Any, *, size: int | None = None) -> Tensor:
    """Read one picture.

    It is turned upright (EXIF), converted to sRGB (embedded profile) and laid on white (alpha). Of an animation, the
    first frame is read. Files of more than `MAX_PIXELS` are shrunk by a whole factor while they are read.

    Args:
        source: a path, an http(s) address, bytes, an ipywidgets FileUpload value, a PIL image, a NumPy array
            ((H, W), (H, W, 1), (H, W, 3) or (H, W, 4); bool, uint8, uint16, or float in [0, 1]) or an image tensor.
        size: of the shorter side in pixels; None keeps the size.
    Returns:
        image (1, 3, H, W), float32 in [0, 1], on the CPU unless a tensor came from elsewhere.
    Raises:
        ImageError: the source cannot be read.
    """
    if isinstance(source, Tensor):
        image = from_tensor(source)
    elif isinstance(source, np.ndarray):
        image = from_array(source, "the array")
    elif isinstance(source, Image.Image):
        image = from_pil(source, "the PIL image")
    else:
        data, name = _load(source)
        with open_picture(io.BytesIO(data), name) as picture:
            image = from_pil(picture, name)
    return image if size is None else resize(image, size)


def _load(source: Any) -> tuple[bytes, str]:
    """The bytes of a picture file, never empty, and what messages call it."""
    if isinstance(source, bytes | bytearray | memoryview):
        data, name = bytes(source), f"the picture given as {len(bytes(source))} bytes"
    elif isinstance(source, str) and "://" in source:
        name = _quoted(source)
        data = _download(source, name)
    elif isinstance(source, str | Path):
        data, name = _read_file(Path(source)), f"'{source}'"
    elif isinstance(source, Mapping | Sequence):
        upload = _one_upload(source)
        data, name = bytes(upload["content"]), f"the upload '{upload.get('name', 'without a name')}'"
    else:
        raise ImageError(
            f"a picture cannot be read from a {type(source).__name__}; give a path, an http(s) address, bytes, an "
            "upload, a PIL image or an array"
        )
    if not data:
        raise ImageError(f"{name} is empty (0 bytes); save or download it again")
    _check_bytes(len(data), name)
    return data, name


def _check_bytes(size: int, name: str) -> None:
    if size > _MAX_BYTES:
        raise ImageError(f"{name} has more than {_MAX_BYTES / 1e6:,.1f} MB, the limit; make it smaller")


def _one_upload(value: Any) -> Mapping[str, Any]:
    """The one file in a FileUpload's value; its "content" is a memoryview."""
    files = [value] if isinstance(value, Mapping) else list(value)
    if not files:
        raise ImageError("nothing is uploaded yet; press Upload and choose a picture")
    if len(files) > 1:
        raise ImageError(f"{len(files)} files are uploaded; pick one of them, for instance value[0]")
    if not isinstance(files[0], Mapping) or "content" not in files[0]:
        raise ImageError(f"an upload is a dict with 'content', this is a {type(value).__name__}; pass FileUpload.value")
    return files[0]


def _read_file(path: Path) -> bytes:
    try:
        path = path.expanduser()
        if path.is_dir():
            raise ImageError(f"'{path}' is a folder; name a picture inside it")
        if not path.exists():
            raise ImageError(f"'{path}' does not exist; {_neighbours(path)}")
        if not path.is_file():
            raise ImageError(f"'{path}' is a device or a pipe, not a file; name a picture file")
        _check_bytes(path.stat().st_size, f"'{path}'")
        return path.read_bytes()
    except (OSError, RuntimeError) as error:  # no permission, a name too long for the system, an unknown ~user
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"'{str(path)[:200]}' cannot be read ({reason}); check name and permissions") from error


def _neighbours(path: Path) -> str:
    """For a mistyped path: which folder was searched, and which pictures are there."""
    if not path.parent.is_dir():
        return f"neither does its folder '{path.parent}' (the working folder is '{Path.cwd()}')"
    there = sorted(p.name for p in path.parent.iterdir() if p.suffix.lower() in SUFFIXES)
    shown = ", ".join(there[:5]) + (", …" if len(there) > 5 else "")
    return f"pictures in '{path.parent.resolve()}': {shown or 'none'}"


def _download(address: str, name: str) -> bytes:
    """The body of a GET request, with a limit on its size and one deadline for everything."""
    import requests  # here and not above: only an address needs it
    import urllib3

    parts = urlsplit(address)
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise ImageError(f"{name} is not an address that can be read; give one with http:// or https://")
    deadline = time.monotonic() + _SECONDS
    slow = f"{name} did not arrive within {_SECONDS:g} s; try again, or save the picture and give its path"
    # Some picture sites refuse a client without a name; identity, because pictures are compressed already.
    headers = {"User-Agent": "stylelearn/0.1 (course)", "Accept-Encoding": "identity"}
    try:
        with requests.get(address, headers=headers, stream=True, timeout=_SECONDS) as answer:
            if answer.status_code != 200:
                raise ImageError(f"{name} answered {answer.status_code} {answer.reason}; check the address")
            # read1 returns what has arrived; read waits for a whole chunk, too long if the server is slow.
            read = getattr(answer.raw, "read1", answer.raw.read)
            data = bytearray()
            while chunk := read(_CHUNK, decode_content=True):
                data += chunk
                _check_bytes(len(data), name)
                if time.monotonic() > deadline:
                    raise ImageError(slow)
            return bytes(data)
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise ImageError(slow) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError) as error:
        raise ImageError(
            f"{name} cannot be reached ({type(error).__name__}); check the address and the network, or save the "
            "picture and give its path"
        ) from error


# ------------------------------------------------------------------------------------------------------------ names


def shown_name(source: str | os.PathLike[str] | Mapping[str, Any]) -> str:
    """What to call a path, an address or an upload where others may see it: no folder, user, password or token.

    Of an address that is the host and the file's name ("https://example.org/…/cat.jpg").
    """
    if isinstance(source, Mapping):
        return PureWindowsPath(source.get("name") or "upload").name
    text = os.fsdecode(source)
    return _shown_address(text) if "://" in text else PureWindowsPath(text).name  # knows the separators of all systems


def _shown_address(address: str) -> str:
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return "an address"
    folders, _, name = parts.path.rpartition("/")
    if "." not in name:  # no file's name; it may be a token
        folders, name = parts.path, ""
    if parts.scheme.lower() not in ("http", "https"):
        return name or "an address"
    return f"{parts.scheme}://{host}/{'…/' if folders.strip('/') else ''}{name}"


def _quoted(address: str) -> str:
    """An address for messages: without user, password and what follows '?'."""
    begin, _, rest = address.partition("://")
    host, slash, path = rest.partition("?")[0].partition("#")[0].partition("/")
    return f"'{begin}://{host.rpartition('@')[2]}{slash}{path}'"


# --------------------------------------------------------------------------------------------------------- resizing


def resize(image: Tensor, size: int | tuple[int, int], fit: str = "short") -> Tensor:
    """Bicubic resizing with antialiasing.

    Args:
        image: (B, 3, H, W) in [0, 1].
        size: pixels. With fit "short" or "long" one number; with "box" (H, W), or one number for a square.
        fit: "short": the shorter side gets `size`; "long": the longer one does (both keep the proportions);
            "box": exactly (H, W), whatever the proportions were.
    Returns:
        (B, 3, H', W') in [0, 1]; a copy, also where the size is right already.
    Raises:
        ImageError: the size is no size, or the result would have more than `MAX_PIXELS` pixels.
    """
    if image.ndim != 4:
        raise ImageError(f"resize takes an image (B, 3, H, W), got {tuple(image.shape)}")
    height, width = image.shape[-2:]
    if fit not in ("short", "long", "box"):
        raise ImageError(f"fit is {fit!r}; choose 'short', 'long' or 'box'")
    if fit == "box":
        target = tuple(_pixels(side) for side in (size if isinstance(size, tuple | list) else (size, size)))
        if len(target) != 2:
            raise ImageError(f"a box is (height, width), got {size!r}")
    else:
        scale = _pixels(size) / (min if fit == "short" else max)(height, width)
        target = tuple(max(1, math.floor(side * scale + 0.5)) for side in (height, width))
    if target[0] * target[1] > MAX_PIXELS:
        raise ImageError(
            f"an image of {height} × {width} resized by fit='{fit}' to {size} would have {target[0]} × {target[1]} "
            f"pixels, more than {MAX_PIXELS / 1e6:g} million; use a smaller size or fit='long'"
        )
    if target == (height, width):
        return image.clone()
    resized = F.interpolate(image, size=target, mode="bicubic", antialias=True, align_corners=False)
    return resized.clamp(0, 1)  # bicubic overshoots at edges


def square(image: Tensor, size: int) -> Tensor:
    """The middle of the image as a square of `size` pixels."""
    image = resize(image, size)
    top, left = ((side - size) // 2 for side in image.shape[2:])
    return image[:, :, top : top + size, left : left + size].contiguous()


def _pixels(size: Any) -> int:
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
        raise ImageError(f"a size is a whole number of pixels, at least 1; got {size!r}")
    return int(size)


# ---------------------------------------------------------------------------------------------------------- writing


def to_pil(image: Tensor) -> Image.Image:
    """One image, (1, 3, H, W) or (3, H, W), as an 8-bit RGB PIL image, clamped. ImageError: not one, or NaN or Inf."""
    one = image[None] if image.ndim == 3 else image
    if one.ndim != 4 or one.shape[:2] != (1, 3) or 0 in one.shape:
        raise ImageError(f"one image is (1, 3, H, W), got {tuple(image.shape)}; take one of a batch with image[i:i+1]")
    values = one[0].detach().float().cpu()  # (3, H, W)
    if not torch.isfinite(values).all():
        raise ImageError("the image holds NaN or Inf; the method that made it has diverged")
    levels = values.clamp(0, 1).mul(255).round().to(torch.uint8)
    return Image.fromarray(levels.permute(1, 2, 0).contiguous().numpy())  # (H, W, 3)


def encode_image(
    image: Tensor, format: str = "jpeg", quality: int = 90, settings: dict[str, Any] | None = None
) -> bytes:
    """One image as the bytes of a picture file.

    Args:
        format: "jpeg", "png" or "webp", or a suffix of `WRITABLE` without its dot.
        quality: 1 to 100; PNG is always exact and ignores it.
        settings: as of `write_image`.
    Raises:
        ImageError: the image, the format or the settings cannot be written.
    """
    kind = WRITABLE.get(f".{format.lower()}")
    if kind is None:
        raise ImageError(f"format {format!r} cannot be written; choose 'jpeg', 'png' or 'webp'")
    options: dict[str, Any] = {} if kind == "png" else {"quality": quality}
    if kind == "jpeg" and quality >= 90:
        options["subsampling"] = 0  # full colour resolution: brush strokes differ in colour more than in brightness
    if settings is not None:
        options |= _settings_options(settings, kind)
    picture, buffer = to_pil(image), io.BytesIO()
    try:
        picture.save(buffer, kind, **options)
    except (OSError, ValueError) as error:
        raise ImageError(f"an image {tuple(image.shape)} cannot be written as {kind} ({error}); use PNG") from error
    return buffer.getvalue()


def write_image(image: Tensor, path: str | Path, *, settings: dict[str, Any] | None = None) -> Path:
    """Write one image; the old file stays whole until the new one is complete.

    Args:
        path: ends in .jpg, .jpeg, .png or .webp; its folder exists.
        settings: how the picture was made; kept as JSON inside the file (a PNG text chunk, an EXIF comment), to be
            read again with `read_settings`.
    Raises:
        ImageError: the picture cannot be written there.
    """
    try:
        path = check_output(path, tuple(WRITABLE))
        data = encode_image(image, path.suffix[1:], QUALITY, settings)
        with replacing(path) as part:
            part.write_bytes(data)
    except ValueError as error:
        raise ImageError(str(error)) from error
    except OSError as error:
        raise ImageError(f"'{path}' cannot be written ({error.strerror}); check space and permissions") from error
    return path


def _settings_options(settings: dict[str, Any], kind: str) -> dict[str, Any]:
    try:
        text = json.dumps({_SETTINGS_KEY: settings}, allow_nan=False)  # ASCII: EXIF comments are safest so
    except (TypeError, ValueError) as error:
        raise ImageError(f"the settings cannot be kept as JSON ({error}); use text, finite numbers, lists") from error
    if len(text) > _MAX_SETTINGS:
        raise ImageError(f"the settings take {len(text)} bytes, more than {_MAX_SETTINGS}; keep fewer of them")
    if kind == "png":
        notes = PngImagePlugin.PngInfo()
        notes.add_text(_SETTINGS_KEY, text)
        return {"pnginfo": notes}
    exif = Image.Exif()
    exif.get_ifd(_EXIF_IFD)[_USER_COMMENT] = b"ASCII\0\0\0" + text.encode("ascii")
    return {"exif": exif}


def read_settings(source: Any) -> dict[str, Any]:
    """The settings that `write_image` kept inside a picture file; {} if there are none. Errors as of `read_image`."""
    data, name = _load(source)
    with open_picture(io.BytesIO(data), name) as picture:
        try:
            if picture.format == "PNG":
                text = picture.info.get(_SETTINGS_KEY, "")
            else:
                comment = picture.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT, b"")
                text = comment.removeprefix(b"ASCII\0\0\0").decode("ascii")
            settings = json.loads(text)[_SETTINGS_KEY]
        except Exception:  # no note, someone else's note, or a broken one
            return {}
    return settings if isinstance(settings, dict) else {}


# -------------------------------------------------------------------------------------------------------- comparing


def psnr(a: Tensor, b: Tensor) -> float:
    """Peak signal-to-noise ratio, 10 log₁₀(1 / mean (a − b)²), in dB; inf for equal images. They need one shape."""
    if a.shape != b.shape:
        raise ValueError(f"psnr compares images of one shape, got {tuple(a.shape)} and {tuple(b.shape)}; resize one")
    error = float((a.double() - b.double()).square().mean())
    return math.inf if error == 0 else 10 * math.log10(1 / error)
