"""Moving pictures: clips whose motion is known exactly, painting them frame by frame, and how steady the result is.

Chen & Schmidt (2016, section 5.3) say that style swap treats neighbouring frames alike, without being told to. To
measure that, one must know where each pixel came from. In a film this has to be guessed; in clips that we make
ourselves, from a photo, it is known.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from PIL import Image, ImageSequence
from torch import Tensor

from stylelearn.images import ImageError, read_image, read_settings, resize, to_pil, write_image
from stylelearn.training import SUFFIXES

ANIMATIONS = (".gif", ".webp")  # written by Pillow
FILMS = (".mp4", ".mkv", ".mov", ".webm", ".avi")  # by PyAV, which is optional
REMEDY = "install it with `pip install 'stylelearn[video]'`, or use .gif"


@dataclass(frozen=True)
class Clip:
    """Frames, and where each of their pixels came from.

    Attributes:
        frames: (T, 3, H, W) in [0, 1].
        motion: (T − 1, 2, H, W), int64: what is at (y, x) in frame t + 1 was at (y + motion[t, 0, y, x],
            x + motion[t, 1, y, x]) in frame t.
        known: (T − 1, H, W), bool: False for what was hidden, or outside, in frame t.
    """

    frames: Tensor
    motion: Tensor
    known: Tensor


def panning_clip(
    image: Tensor, frames: int = 12, *, size: tuple[int, int] = (128, 128), step: tuple[int, int] = (0, 4)
) -> Clip:
    """A window that glides over a photo.

    Args:
        image: (1, 3, H, W) in [0, 1]. frames: T, at least 2. size: (height, width) of the window in pixels.
        step: how far it moves from frame to frame, (down, right) in pixels, negative for up and left.
    Raises:
        ValueError: fewer than 2 frames; a photo that is too small for the way.
    """
    _check_count(frames)
    height, width = size
    needed = [side + (frames - 1) * abs(by) for side, by in zip(size, step, strict=True)]
    if image.shape[2] < needed[0] or image.shape[3] < needed[1]:
        raise ValueError(
            f"{frames} frames of {height}x{width} moving by {step} need a photo of {needed[0]}x{needed[1]}; this is "
            f"{image.shape[2]}x{image.shape[3]}: take fewer frames, a smaller step, or a larger photo"
        )
    corners = [[t * by if by >= 0 else (t - frames + 1) * by for by in step] for t in range(frames)]
    cut = torch.cat([image[:, :, top : top + height, left : left + width] for top, left in corners])
    motion = torch.tensor(step).view(1, 2, 1, 1).expand(frames - 1, 2, height, width)
    return Clip(cut, motion, _inside(motion))


def moving_clip(
    background: Tensor, thing: Tensor, frames: int = 12, *, size: tuple[int, int] = (128, 128), step: int = 4
) -> Clip:
    """A disc out of one picture that travels to the right across another, which stands still.

    Args:
        background, thing: (1, 3, H, W) in [0, 1]; each is resized to `size`, or to the disc.
        frames: T, at least 2. size: (height, width) in pixels. step: pixels to the right from frame to frame.
    Raises:
        ValueError: fewer than 2 frames; a way that leads out of the picture.
    """
    _check_count(frames)
    height, width = size
    across = min(height, width) // 2  # of the disc
    way = step * (frames - 1)
    if step < 0 or way + across > width:
        raise ValueError(
            f"a disc of {across} px that moves by {step} px {frames - 1} times leaves a picture {width} px wide; take "
            "fewer frames or a smaller step, from 0 up"
        )
    still = resize(background, size, "box")
    disc = resize(thing, (across, across), "box")
    axis = torch.arange(across) - (across - 1) / 2
    round_ = axis.view(-1, 1).square() + axis.square() <= (across / 2) ** 2  # (across, across)
    top, begin = (height - across) // 2, (width - across - way) // 2
    masks = torch.zeros(frames, height, width, dtype=torch.bool)
    made = still.repeat(frames, 1, 1, 1)
    for t in range(frames):
        rows, columns = slice(top, top + across), slice(begin + t * step, begin + t * step + across)
        masks[t, rows, columns] = round_
        made[t, :, rows, columns] = torch.where(round_, disc[0], made[t, :, rows, columns])
    motion = torch.zeros(frames - 1, 2, height, width, dtype=torch.int64)
    motion[:, 1] = torch.where(masks[1:], -step, 0)
    uncovered = masks[:-1] & ~masks[1:]
    return Clip(made, motion, _inside(motion) & ~uncovered)


def _check_count(frames: int) -> None:
    if frames < 2:
        raise ValueError(f"a clip has at least 2 frames; got {frames}")


def _sources(motion: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column in frame t of what is in frame t + 1, each (T − 1, H, W); some may lie outside."""
    height, width = motion.shape[2:]
    return motion[:, 0] + torch.arange(height).view(-1, 1), motion[:, 1] + torch.arange(width)


def _inside(motion: Tensor) -> Tensor:
    (y, x), (height, width) = _sources(motion), motion.shape[2:]
    return (y >= 0) & (y < height) & (x >= 0) & (x < width)


def consistency(made: Tensor, clip: Clip) -> float:
    """How much painted frames flicker: the mean change between neighbours that remains when motion is undone.

    Args:
        made: what became of `clip.frames`, (T, 3, H, W) in [0, 1].
    Returns:
        in steps of 8 bits (the range from black to white is 255 of them); 0 for the clip itself.
    Raises:
        ValueError: not the clip's number of frames, or its size; nothing in it that could be followed.
    """
    if made.shape != clip.frames.shape:
        raise ValueError(f"the clip is {tuple(clip.frames.shape)}, but what was painted {tuple(made.shape)}")
    if not clip.known.any():
        raise ValueError("no pixel of the clip is there in two neighbouring frames; let it move less")
    (y, x), (height, width) = _sources(clip.motion), made.shape[2:]
    before = torch.arange(len(made) - 1).view(-1, 1, 1)
    earlier = made.permute(0, 2, 3, 1)[before, y.clamp(0, height - 1), x.clamp(0, width - 1)]  # (T − 1, H, W, 3)
    change = (made[1:].permute(0, 2, 3, 1) - earlier).abs().mean(dim=3)  # (T − 1, H, W)
    return 255 * float(change[clip.known].mean())


# --- painting ---------------------------------------------------------------------------------------------------------


def paint_frames(
    frames: Iterable[Tensor],
    paint: Callable[[Tensor], Tensor],
    *,
    keep: str | Path | None = None,
    settings: dict[str, Any] | None = None,
) -> Iterator[Tensor]:
    """Each frame as `paint` makes it, one by one; whoever iterates may watch, and stop.

    Args:
        frames: (1, 3, H, W) each. paint: image -> pastiche.
        keep: a folder in which finished frames are kept as 00000.png, …; those that are there already, with the same
            `settings`, are not painted again. It is made if it is not there.
        settings: how they are painted, as for `images.write_image`.
    """
    folder = Path(keep) if keep is not None else None
    for number, frame in enumerate(frames):
        path = folder / f"{number:05d}.png" if folder is not None else None
        if path is not None and path.is_file() and read_settings(path) == (settings or {}):
            yield read_image(path)
            continue
        made = paint(frame)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(made.cpu(), path, settings=settings)
        yield made


# --- files ------------------------------------------------------------------------------------------------------------


def read_frames(source: str | Path, size: int | None = None) -> Iterator[Tensor]:
    """The frames of a folder of pictures (by name), of an animated .gif or .webp, or of a film, one by one.

    Args:
        size: of the shorter side in pixels; None leaves frames as they are.
    Returns:
        images (1, 3, H, W) in [0, 1].
    Raises:
        ImageError: nothing there, nothing that can be read, or no PyAV for a film.
    """
    source = Path(source)
    if source.is_dir():
        paths = sorted(path for path in source.iterdir() if path.suffix.lower() in SUFFIXES)
        if not paths:
            raise ImageError(f"the folder '{source}' holds no pictures; put the frames of a clip there")
        yield from (read_image(path, size=size) for path in paths)
    elif not source.is_file():
        raise ImageError(f"there is no '{source}'; name a folder of pictures, a .gif, or a film")
    elif source.suffix.lower() in FILMS:
        av = _pyav(source)
        try:
            with av.open(str(source)) as film:
                for frame in film.decode(video=0):
                    yield read_image(frame.to_ndarray(format="rgb24"), size=size)
        except (av.FFmpegError, IndexError) as error:
            raise ImageError(f"'{source}' cannot be read as a film ({error}); use another file") from error
    else:
        try:
            with Image.open(source) as picture:
                for frame in ImageSequence.Iterator(picture):
                    yield read_image(frame.convert("RGBA"), size=size)
        except OSError as error:
            raise ImageError(f"'{source}' is no picture that moves ({error}); use .gif, .webp or .mp4") from error


def write_film(frames: Iterable[Tensor], path: str | Path, *, fps: float = 12.0) -> Path:
    """Frames (1, 3, H, W), all of one size, as .gif or .webp, or as .mp4 and its like with PyAV.

    Args:
        fps: frames a second, above 0. A GIF counts in hundredths of a second, so it comes near.
    Raises:
        ImageError: no frames; fps not above 0; another suffix; no PyAV for a film; a file that cannot be written.
    """
    path = Path(path)
    check_film(path, fps)
    pictures = (to_pil(frame.cpu()) for frame in frames)
    first = next(pictures, None)
    if first is None:
        raise ImageError(f"there are no frames to write into '{path}'")
    beside = path.with_name(f"{path.stem}.part{path.suffix}")  # whole or not at all
    try:
        if path.suffix.lower() in ANIMATIONS:
            first.save(beside, save_all=True, append_images=pictures, duration=round(1000 / fps), loop=0)
        else:
            _write_with_pyav(first, pictures, beside, fps)
        beside.replace(path)
    except OSError as error:
        raise ImageError(f"'{path}' cannot be written ({error}); check space and permissions") from error
    finally:
        beside.unlink(missing_ok=True)
    return path


def check_film(path: str | Path, fps: float = 12.0) -> None:
    """Whether `write_film` could write there: asked before the work and not after it.

    Raises:
        ImageError: as of `write_film`.
    """
    path = Path(path)
    if path.suffix.lower() not in (*ANIMATIONS, *FILMS):
        raise ImageError(f"'{path}' ends in {path.suffix!r}; choose {', '.join((*ANIMATIONS, *FILMS))}")
    if not 0 < fps <= 100:
        raise ImageError(f"fps must be above 0, up to 100 frames a second; got {fps}")
    if path.suffix.lower() in FILMS:
        _pyav(path)
    if not path.absolute().parent.is_dir():
        raise ImageError(f"the folder '{path.parent}' does not exist; create it first")


def _pyav(path: Path) -> ModuleType:
    try:
        import av
    except ImportError as error:
        raise ImageError(f"'{path.name}' needs PyAV, which is not installed: {REMEDY}") from error
    return av


def _write_with_pyav(first: Image.Image, rest: Iterable[Image.Image], path: Path, fps: float) -> None:
    from fractions import Fraction

    av = _pyav(path)
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libvpx-vp9" if path.suffix.lower() == ".webm" else "libx264", Fraction(fps))
        # Films halve their colours' size: sides must be even.
        stream.width, stream.height = (side // 2 * 2 for side in first.size)
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "18"}
        for picture in (first, *rest):
            film.mux(stream.encode(av.VideoFrame.from_image(picture.crop((0, 0, stream.width, stream.height)))))
        film.mux(stream.encode())
