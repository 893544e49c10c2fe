"""Pictures in and out: read, resize, write.

Everywhere else in stylelearn an `image` is a float32 tensor (B, 3, H, W), sRGB, in [0, 1]. This module is the border:
only here are there files, PIL and whole numbers from 0 to 255. Whatever cannot be read ends in an `ImageError` that
says which source it was, what is wrong with it and what to do.
"""

from __future__ import annotations

import io
import json
import math
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, PngImagePlugin
from torch import Tensor

from stylelearn.decoding import MAX_PIXELS, from_array, from_pil, from_tensor, open_picture
from stylelearn.sources import ImageError, load_bytes

__all__ = [
    "MAX_PIXELS",
    "ImageError",
    "encode_image",
    "psnr",
    "read_image",
    "read_settings",
    "resize",
    "shown_name",
    "to_pil",
    "write_image",
]

Fit = Literal["short", "long", "box"]

WRITABLE = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".webp": "webp"}
_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286
_SETTINGS_KEY = "stylelearn"
_MAX_SETTINGS = 60_000  # bytes; a JPEG keeps all of its EXIF in one segment of 64 KiB


# ---------------------------------------------------------------------------------------------------------- reading


def read_image(
    source: Any,
    *,
    size: int | tuple[int, int] | None = None,
    fit: Fit = "short",
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = 50_000_000,
    timeout: float = 10.0,
) -> Tensor:
    """Read one picture from wherever it is.

    Turned upright (EXIF), converted to sRGB (embedded profile), alpha laid on white, first frame of an animation.

    Args:
        source: a path, an http(s) address, bytes, an ipywidgets FileUpload value, a PIL image, a NumPy array
            ((H, W), (H, W, 1), (H, W, 3) or (H, W, 4); bool, uint8, uint16, or float in [0, 1]) or an image tensor.
        size, fit: as for `resize`; None keeps the size.
        max_pixels: the most pixels (H·W) that are decoded; checked in the header, before anything is unpacked.
        max_bytes: the largest file, in bytes.
        timeout: seconds for an address, in all.
    Returns:
        image (1, 3, H, W), float32 in [0, 1], on the CPU unless a tensor came from elsewhere.
    Raises:
        ImageError: whatever is wrong with the source.
    """
    if isinstance(source, Tensor):
        image = from_tensor(source, max_pixels)
    elif isinstance(source, np.ndarray):
        image = from_array(source, "the array", max_pixels)
    elif isinstance(source, Image.Image):
        image = from_pil(source, "the PIL image", max_pixels)
    else:
        data, name = load_bytes(source, max_bytes=max_bytes, timeout=timeout)
        with open_picture(data, name) as picture:
            image = from_pil(picture, name, max_pixels)
    return image if size is None else resize(image, size, fit)


def shown_name(source: Any) -> str:
    """What to call a source in a file or picture that others may see: no folder, user, password or token.

    Args:
        source: anything that `read_image` takes.
    Returns:
        the file's own name; of an address the host and the file's name ("https://example.org/…/cat.jpg"); of an upload
        its name; of anything else what kind of thing it is.
    """
    if isinstance(source, str | os.PathLike):
        text = os.fspath(source)
        text = text if isinstance(text, str) else os.fsdecode(text)
        return _shown_address(text) if "://" in text else _last_part(text)
    if isinstance(source, Mapping):
        return _last_part(str(source.get("name") or "upload"))
    if isinstance(source, list | tuple) and len(source) == 1:
        return shown_name(source[0])
    kinds = {Tensor: "tensor", np.ndarray: "array", Image.Image: "PIL image"}
    return next((name for kind, name in kinds.items() if isinstance(source, kind)), type(source).__name__)


def _last_part(path: str) -> str:
    """The name at the end of a path of any system."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]


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


# --------------------------------------------------------------------------------------------------------- resizing


def resize(image: Tensor, size: int | tuple[int, int], fit: Fit = "short") -> Tensor:
    """Resize with antialiasing (bicubic), so that fine patterns do not turn into false ones.

    Args:
        image: (B, 3, H, W) in [0, 1].
        size: pixels. With fit "short" or "long" one number; with "box" (H, W), or one number for a square.
        fit: "short": the shorter side gets `size`; "long": the longer one does (both keep the proportions);
            "box": exactly (H, W), whatever the proportions were.
    Returns:
        (B, 3, H', W') in [0, 1]; a copy, also where the size is right already.
    Raises:
        ImageError: if the size is no size, or the result would have more than `MAX_PIXELS` pixels.
    """
    if image.ndim != 4:
        raise ImageError(f"resize takes an image (B, 3, H, W), got {tuple(image.shape)}")
    height, width = image.shape[-2:]
    if fit == "box":
        target = size if isinstance(size, tuple | list) else (size, size)
        target = tuple(_pixels(side) for side in target)
        if len(target) != 2:
            raise ImageError(f"a box is (height, width), got {size!r}")
    elif fit in ("short", "long"):
        side = min(height, width) if fit == "short" else max(height, width)
        scale = _pixels(size) / side
        target = tuple(max(1, math.floor(s * scale + 0.5)) for s in (height, width))
    else:
        raise ImageError(f"fit is {fit!r}; choose 'short', 'long' or 'box'")
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
    """One image as an 8-bit RGB PIL image; values outside [0, 1] are clamped.

    Args:
        image: (1, 3, H, W) or (3, H, W).
    Raises:
        ImageError: if it is not one image, or holds NaN or Inf.
    """
    one = image[None] if image.ndim == 3 else image
    if one.ndim != 4 or one.shape[:2] != (1, 3) or 0 in one.shape:
        raise ImageError(f"one image is (1, 3, H, W), got {tuple(image.shape)}; take one of a batch with image[i:i+1]")
    values = one[0].detach().float().cpu()  # (3, H, W)
    if not torch.isfinite(values).all():
        raise ImageError("the image holds NaN or Inf; the method that made it has diverged")
    levels = values.clamp(0, 1).mul(255).round().to(torch.uint8)
    return Image.fromarray(levels.permute(1, 2, 0).contiguous().numpy())  # (H, W, 3)


def encode_image(image: Tensor, format: str = "jpeg", quality: int = 90) -> bytes:
    """One image as the bytes of a picture file.

    Args:
        image: (1, 3, H, W) in [0, 1].
        format: "jpeg", "png" or "webp".
        quality: 1 to 100; PNG is always exact and ignores it.
    Raises:
        ImageError: if the image, the format or the quality is not one.
    """
    return _encode(image, format, quality, None)


def _encode(image: Tensor, format: str, quality: int, settings: dict[str, Any] | None) -> bytes:
    kind = WRITABLE.get(f".{format.lower()}")
    if kind is None:
        raise ImageError(f"format {format!r} cannot be written; choose 'jpeg', 'png' or 'webp'")
    if not 1 <= quality <= 100:
        raise ImageError(f"quality is {quality}; choose 1 (small) to 100 (best)")
    options: dict[str, Any] = {} if kind == "png" else {"quality": quality}
    if kind == "jpeg" and quality >= 90:
        options["subsampling"] = 0  # full colour resolution: brush strokes differ in colour more than in brightness
    if settings is not None:
        options |= _settings_options(settings, kind)
    buffer = io.BytesIO()
    try:
        to_pil(image).save(buffer, kind, **options)
    except ImageError:
        raise
    except (OSError, ValueError) as error:
        raise ImageError(f"an image {tuple(image.shape)} cannot be written as {kind} ({error}); use PNG") from error
    return buffer.getvalue()


def write_image(image: Tensor, path: str | Path, *, quality: int = 92, settings: dict[str, Any] | None = None) -> Path:
    """Write one image; the old file stays whole until the new one is complete.

    Args:
        image: (1, 3, H, W) in [0, 1].
        path: ends in .jpg, .jpeg, .png or .webp; its folder exists.
        quality: 1 to 100, for JPEG and WebP.
        settings: how the picture was made; kept as JSON inside the file (a PNG text chunk, an EXIF comment), to be
            read again with `read_settings`.
    Returns:
        the path.
    Raises:
        ImageError: if the picture cannot be written there.
    """
    path = Path(path)
    if path.suffix.lower() not in WRITABLE:
        raise ImageError(f"'{path}' ends in {path.suffix!r}; choose .jpg, .png or .webp")
    data = _encode(image, path.suffix[1:], quality, settings)
    target = Path(os.path.realpath(path.expanduser()))  # through a link to the file behind it
    if not target.parent.is_dir():
        raise ImageError(f"the folder '{path.parent}' does not exist; create it first")
    if target.is_dir():
        raise ImageError(f"'{path}' is a folder; give the name of a file")
    part = target.with_name(f".{target.stem}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except OSError as error:
        raise ImageError(f"'{path}' cannot be written ({error.strerror}); check space and permissions") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _settings_options(settings: dict[str, Any], kind: str) -> dict[str, Any]:
    try:
        text = json.dumps({_SETTINGS_KEY: settings}, allow_nan=False)  # ASCII: EXIF comments are safest so
    except (TypeError, ValueError) as error:
        raise ImageError(
            f"the settings cannot be kept as JSON ({error}); use text, finite numbers and lists"
        ) from error
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
    """The settings that `write_image` kept inside a picture; {} where there are none.

    Args:
        source: a path, bytes, an upload or an address, as for `read_image`.
    Raises:
        ImageError: if the source is not a readable picture file.
    """
    data, name = load_bytes(source)
    with open_picture(data, name) as picture:
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
    """Peak signal-to-noise ratio, 10 log₁₀(1 / mean (a − b)²), in dB; equal images give inf.

    Args:
        a, b: images of one shape, in [0, 1].
    Raises:
        ValueError: if the shapes differ.
    """
    if a.shape != b.shape:
        raise ValueError(f"psnr compares images of one shape, got {tuple(a.shape)} and {tuple(b.shape)}; resize one")
    error = float((a.double() - b.double()).square().mean())
    return math.inf if error == 0 else 10 * math.log10(1 / error)
