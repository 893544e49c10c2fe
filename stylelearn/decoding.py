"""A picture file, a PIL image, an array or a tensor becomes one image; the front door is `images.read_image`.

Whatever comes out is (1, 3, H, W), float32, sRGB, in [0, 1]: upright (EXIF), converted from the embedded profile, alpha
laid on white. The size is checked in the header, before anything is unpacked.
"""

from __future__ import annotations

import io
import math

import numpy as np
import torch
from PIL import Image, ImageCms
from torch import Tensor

from stylelearn.sources import ImageError

MAX_PIXELS = 50_000_000  # a 50-megapixel photo; as float32 RGB that is 600 MB
# Only formats that people really have: PIL's other readers are old and rarely tested, and EPS starts a program.
READABLE = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")

# Files that people take for pictures: what their first 64 bytes contain, and what to do about it.
_WEB_PAGE = "a web page; copy the address of the picture itself (right click, 'Copy image address')"
_STRANGERS = {
    b"<svg": "an SVG drawing; export it as PNG",
    b"<!doctype html": _WEB_PAGE,
    b"<html": _WEB_PAGE,
    b"%pdf": "a PDF; export its page as PNG",
    b"ftypheic": "a HEIC photo; export it as JPEG",
    b"ftypmif1": "a HEIF photo; export it as JPEG",
    b"git-lfs": "a Git LFS pointer instead of the picture; run 'git lfs pull'",
}

_SIGNATURES = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"RIFF": "WebP"}

_ORIENTATION = 0x0112  # EXIF tag; its value says how to turn the stored picture upright
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def open_picture(data: bytes, name: str) -> Image.Image:
    """Read a picture file's header, and nothing else of it."""
    try:
        return Image.open(io.BytesIO(data), formats=READABLE)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"{name} is too large to be safe ({error}); make it smaller") from error
    except Exception as error:  # PIL's readers let any kind of error through when a header is broken
        raise ImageError(f"{name} {_why_unreadable(data)}") from error


def _why_unreadable(data: bytes) -> str:
    start = data[:64].lower()
    for mark, what in _STRANGERS.items():
        if mark in start:
            return f"is {what}"
    if data.startswith(b"\x89PNG") and b"\0\0\0\0" in (data[16:20], data[20:24]):
        return "has no pixels (its width or height is 0); choose another picture"
    for mark, kind in _SIGNATURES.items():
        if data.startswith(mark):
            return f"begins like a {kind} picture, but its header is broken or cut off; save or download it again"
    return f"is not a picture (it begins with {data[:8]!r}); use JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF"


def _check_size(height: int, width: int, name: str, max_pixels: int) -> None:
    if height < 1 or width < 1:
        raise ImageError(f"{name} has no pixels (height {height}, width {width}); choose another picture")
    if height * width > max_pixels:
        raise ImageError(
            f"{name} has {height} × {width} = {height * width / 1e6:,.1f} million pixels, more than the limit of "
            f"{max_pixels / 1e6:,.1f} million; make it smaller or raise max_pixels"
        )


def from_pil(picture: Image.Image, name: str, max_pixels: int) -> Tensor:
    """A PIL image of any mode, turned upright and laid on white: (1, 3, H, W) in [0, 1].

    Raises:
        ImageError: more than `max_pixels`, or it cannot be decoded; `name` says in the message what it is.
    """
    _check_size(picture.height, picture.width, name, max_pixels)
    try:
        picture.load()
        transparent = picture.info.get("transparency")
        turn = _UPRIGHT.get(_orientation(picture))
        picture = _plain(picture)
    except Exception as error:  # again: decoders let any kind of error through
        raise ImageError(
            f"{name} is broken or cut off ({picture.format or 'picture'}, {error}); save or download it again"
        ) from error
    if turn is not None:
        picture = picture.transpose(turn)
    pixels = np.asarray(picture)
    if picture.mode.startswith("I") and isinstance(transparent, int):
        pixels = np.where(pixels == transparent, 65535, pixels)  # PIL's own conversion would cut deep grey at 255
    if picture.mode == "I":  # 32 bits that hold 16: how PIL opens some deep grey files
        pixels = np.where((pixels >= 0) & (pixels <= 65535), pixels / 65535, np.nan)
    return from_array(pixels, name, max_pixels)


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # a broken note about the picture does not make the picture unreadable
        return 1


def _plain(picture: Image.Image) -> Image.Image:
    """RGB without alpha or profile; deep grey (16 and 32 bits) keeps its depth."""
    if picture.mode.startswith(("I", "F")):
        return picture
    profile = picture.info.get("icc_profile")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    elif picture.mode not in ("L", "RGB", "CMYK"):
        picture = picture.convert("RGB")
    if profile:
        try:
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(picture, given, srgb, outputMode="RGB") or picture
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # an unusable profile: take the numbers as sRGB, like most viewers
    return picture.convert("RGB")


def from_array(array: np.ndarray, name: str, max_pixels: int) -> Tensor:
    """(H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of bool, uint8, uint16 or float in [0, 1] -> (1, 3, H, W)."""
    if array.ndim == 2:
        array = array[:, :, None]  # (H, W, 1)
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        hint = "; use array.transpose(1, 2, 0)" if array.ndim == 3 and array.shape[0] in (1, 3, 4) else ""
        raise ImageError(f"{name} has the shape {array.shape}; give (H, W), (H, W, 1), (H, W, 3) or (H, W, 4){hint}")
    _check_size(array.shape[0], array.shape[1], name, max_pixels)
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


def from_tensor(tensor: Tensor, max_pixels: int) -> Tensor:
    """A copy of an image that is a tensor already, (1, 3, H, W) or (3, H, W), as float32.

    Raises:
        ImageError: another shape, no floats, values outside [0, 1], or more than `max_pixels`.
    """
    image = tensor[None] if tensor.ndim == 3 else tensor
    if image.ndim != 4 or image.shape[:2] != (1, 3) or not image.is_floating_point():
        raise ImageError(
            f"the tensor has the shape {tuple(tensor.shape)} and holds {tensor.dtype}; "
            "one image is (1, 3, H, W) of floats in [0, 1]"
        )
    _check_size(image.shape[2], image.shape[3], "the tensor", max_pixels)
    return _in_range(image.detach().float(), "the tensor").clone()


def _in_range(values: Tensor, name: str) -> Tensor:
    low, high = (float(v) for v in torch.aminmax(values))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ImageError(f"{name} holds values that are not finite or deeper than 16 bits; choose another picture")
    if low < -1e-3 or high > 1 + 1e-3:
        raise ImageError(f"{name} has values from {low:g} to {high:g}; scale them to [0, 1], for instance with / 255")
    return values.clamp(0, 1)
