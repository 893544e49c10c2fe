"""Decode picture files, PIL images, arrays and tensors: upright, in sRGB, on white.

An image is (1, 3, H, W), float32, sRGB, in [0, 1]. `stylelearn.images` gets the files and addresses.
"""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
import torch
from PIL import Image, ImageCms, ImageOps
from torch import Tensor

MAX_PIXELS = 50_000_000  # of an image; as float32 that is 600 MB
_MAX_DECODED = 100_000_000  # pixels that are unpacked at once, 4 bytes each; a JPEG can be shrunk before that
_MAX_IN_FILE = 250_000_000  # pixels; the largest phones take 200 million

# Common formats only: PIL's other readers are old and rarely tested, and EPS starts a program.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".gif")


class ImageError(ValueError):
    """A picture cannot be read, resized or written; the message says which one, why, and what to do."""


_WEB_PAGE = "a web page; copy the address of the picture itself (right click, 'Copy image address')"
_RAW = "a camera's raw file, of which only a small preview could be read; export it as JPEG"
_HEIC = "a HEIC photo; export it as JPEG"
_PRINT = "a drawing for printers; export it as PNG"
# What files that are no readable pictures begin with, and what they contain in their first kilobyte.
_BEGINNINGS = {
    b"%pdf": "a PDF; export its page as PNG",
    b"%!ps": _PRINT,
    b"\xc5\xd0\xd3\xc6": _PRINT,
    b"8bps": "a Photoshop file; export it as PNG",
    b"gimp xcf": "a GIMP file; export it as PNG",
    b"\xff\x0a": "a JPEG XL picture; export it as JPEG",
    b"\0\0\0\x0cjxl ": "a JPEG XL picture; export it as JPEG",
    b"\0\0\0\x0cjp  ": "a JPEG 2000 picture; export it as JPEG",
    b"fujifilmccd-raw": _RAW,
    b"iiro": _RAW,
    b"mmor": _RAW,
    b"iiu\0": _RAW,
    b"fovb": _RAW,
    b"\0\5\x16\7": "what macOS keeps beside a file; take the file of the same name without '._'",
    b"version https://git-lfs": "a Git LFS pointer instead of the picture; run 'git lfs pull'",
    b"\x1aE\xdf\xa3".lower(): "a film; save one of its frames as a picture",
}
_CONTENTS = {b"<svg": "an SVG drawing; export it as PNG", b"<!doctype html": _WEB_PAGE, b"<html": _WEB_PAGE}
# The brands of ISO media files (ISO/IEC 14496-12; HEIF: 23008-12): the first that is found says what the file is.
_BRANDS = {
    "avif avis": "an AVIF picture that is broken or cut off, or that Pillow cannot read here; export it as JPEG",
    "crx ": _RAW,
    "heic heix heim heis hevc hevx hevm hevs mif1 mif2 msf1": _HEIC,
    "": "a film; save one of its frames as a picture",
}
_SIGNATURES = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"RIFF": "WebP"}


def open_picture(file: BinaryIO, name: str) -> Image.Image:
    """Read a picture file's header, and nothing else of it.

    Raises:
        ImageError: no picture, or one that is too large to be decoded safely; `name` is what the message calls it.
    """
    try:
        with _own_limits():
            picture = Image.open(file, formats=_FORMATS)
    except Exception as error:  # PIL's readers raise all kinds of errors when a header is broken
        file.seek(0)
        raise ImageError(f"{name} {_why_unreadable(file.read(1024))}") from error
    if picture.format == "TIFF" and _is_preview(picture):
        raise ImageError(f"{name} is {_RAW}")
    return picture


_limits = threading.Lock()


@contextmanager
def _own_limits() -> Iterator[None]:
    """Without PIL's limit on pixels, which ignores that a JPEG can be shrunk; `from_pil` has its own."""
    with _limits:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _is_preview(picture: Any) -> bool:
    """Whether a TIFF's first picture is a preview: bit 0 of NewSubfileType, or Canon's mark (CR2) behind the header."""
    picture.fp.seek(8)
    return bool(picture.tag_v2.get(254, 0) & 1) or picture.fp.read(2) == b"CR"


def _why_unreadable(data: bytes) -> str:
    start = data.lower()
    for mark, what in _BEGINNINGS.items():
        if start.startswith(mark):
            return f"is {what}"
    if data[4:8] == b"ftyp":
        end = min(int.from_bytes(data[:4]), len(data))  # a damaged length may be 4 GB
        own = [data[i : i + 4].decode("latin-1") for i in (8, *range(16, end, 4))]
        known = (what for brands, what in _BRANDS.items() if not brands or any(b and b in brands for b in own))
        return f"is {next(known)}"
    for mark, what in _CONTENTS.items():
        if mark in start:
            return f"is {what}"
    if data.startswith(b"\x89PNG") and b"\0\0\0\0" in (data[16:20], data[20:24]):
        return "has no pixels (its width or height is 0); choose another picture"
    for mark, kind in _SIGNATURES.items():
        if data.startswith(mark):
            return f"begins like a {kind} picture, but its header is broken or cut off; save or download it again"
    if data[:4] in (b"II*\0", b"MM\0*"):
        return "is a TIFF of a kind that cannot be read, perhaps a camera's raw file; export it as JPEG"
    text = data[:16].decode("ascii", "replace")
    begin = f"the text '{text}'" if text.isprintable() and text.isascii() else f"the bytes {data[:8].hex(' ')}"
    return f"is not a picture (it begins with {begin}); use JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF"


def _check_size(height: int, width: int, name: str, limit: int, remedy: str = "make it smaller") -> None:
    if height < 1 or width < 1:
        raise ImageError(f"{name} has no pixels (height {height}, width {width}); choose another picture")
    if height * width > limit:
        raise ImageError(
            f"{name} has {height} × {width} = {height * width / 1e6:,.1f} million pixels, more than the limit of "
            f"{limit / 1e6:,.1f} million; {remedy}"
        )


def from_pil(picture: Image.Image, name: str) -> Tensor:
    """A PIL image of any mode as an image (1, 3, H, W), upright and laid on white; `name` is for messages.

    Raises:
        ImageError: too many pixels, or it cannot be decoded.
    """
    _check_size(picture.height, picture.width, name, _MAX_IN_FILE)
    try:
        shrink = math.ceil(math.sqrt(picture.height * picture.width / MAX_PIXELS))
        if shrink > 1:  # JPEG's decoder can leave out pixels, by 2, 4 or 8; others ignore this
            power = 1 << (shrink - 1).bit_length()
            picture.draft(None, (picture.width // power, picture.height // power))
        _check_size(picture.height, picture.width, name, _MAX_DECODED, "make it smaller, or save it as JPEG")
        picture.load()
        transparent = picture.info.get("transparency")
        picture = _plain(_upright(picture))
        shrink = math.ceil(math.sqrt(picture.height * picture.width / MAX_PIXELS))
        if shrink > 1:
            picture = (picture.convert("I") if picture.mode.startswith("I") else picture).reduce(shrink)
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(f"{name} does not fit into memory; close other programs, or make it smaller") from error
    except Exception as error:  # decoders, too, raise all kinds of errors
        raise ImageError(
            f"{name} is broken or cut off ({picture.format or 'picture'}, {error}); save or download it again"
        ) from error
    pixels = np.asarray(picture)
    if picture.mode.startswith("I") and isinstance(transparent, int):
        pixels = np.where(pixels == transparent, 65535, pixels)  # PIL's own conversion would cut deep grey at 255
    if picture.mode == "I":  # 32 bits that hold 16: how PIL opens some deep grey files
        pixels = np.where((pixels >= 0) & (pixels <= 65535), pixels / 65535, np.nan)
    return from_array(pixels, name)


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # broken EXIF does not make the picture unreadable
        return picture


def _plain(picture: Image.Image) -> Image.Image:
    """RGB without alpha or profile; deep grey (16 and 32 bits) keeps its depth."""
    if picture.mode.startswith(("I", "F")):
        return picture
    srgb = ImageCms.createProfile("sRGB")
    profile = picture.info.get("icc_profile")
    if picture.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        return ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")  # type: ignore[return-value]
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    elif picture.mode not in ("L", "RGB", "CMYK"):
        picture = picture.convert("RGB")
    if profile:
        try:
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return ImageCms.profileToProfile(picture, given, srgb, outputMode="RGB") or picture
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # an unusable profile: take the numbers as sRGB, like most viewers
    return picture.convert("RGB")


def from_array(array: np.ndarray, name: str) -> Tensor:
    """(H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of bool, uint8, uint16 or float in [0, 1] -> (1, 3, H, W)."""
    if array.ndim == 2:
        array = array[:, :, None]  # (H, W, 1)
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        hint = "; use array.transpose(1, 2, 0)" if array.ndim == 3 and array.shape[0] in (1, 3, 4) else ""
        raise ImageError(f"{name} has the shape {array.shape}; give (H, W), (H, W, 1), (H, W, 3) or (H, W, 4){hint}")
    _check_size(array.shape[0], array.shape[1], name, _MAX_IN_FILE)
    whole = {np.dtype(bool): 1, np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}
    scale = whole.get(array.dtype.newbyteorder("="))
    if scale is None and not np.issubdtype(array.dtype, np.floating):
        raise ImageError(f"{name} holds {array.dtype}; use array.astype('uint8') for values from 0 to 255")
    planes = np.ascontiguousarray(array.transpose(2, 0, 1)).astype(np.float32)  # (C, H, W)
    values = torch.from_numpy(planes)[None]  # (1, C, H, W)
    values = values.div_(scale) if scale else _in_range(values, name)
    if values.shape[1] == 4:
        alpha = values[:, 3:]  # (1, 1, H, W)
        values = values[:, :3] * alpha + (1 - alpha)  # on white
    return values.expand(-1, 3, -1, -1).contiguous()


def from_tensor(tensor: Tensor) -> Tensor:
    """A copy, as float32, of an image that is a tensor already, (1, 3, H, W) or (3, H, W)."""
    image = tensor[None] if tensor.ndim == 3 else tensor
    if image.ndim != 4 or image.shape[:2] != (1, 3) or not image.is_floating_point():
        raise ImageError(
            f"the tensor has the shape {tuple(tensor.shape)} and holds {tensor.dtype}; "
            "one image is (1, 3, H, W) of floats in [0, 1]"
        )
    _check_size(image.shape[2], image.shape[3], "the tensor", _MAX_IN_FILE)
    return _in_range(image.detach().float(), "the tensor").clone()


def _in_range(values: Tensor, name: str) -> Tensor:
    low, high = (float(v) for v in torch.aminmax(values))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ImageError(f"{name} holds values that are not finite or deeper than 16 bits; choose another picture")
    if low < -1e-3 or high > 1 + 1e-3:
        raise ImageError(f"{name} has values from {low:g} to {high:g}; scale them to [0, 1], for instance with / 255")
    return values.clamp(0, 1)
