"""Lesson 06: clips with known motion, how much painted frames flicker, and reading and writing of films.

Chen & Schmidt (2016, section 5.3) claim that style swap is consistent from frame to frame without any term for it.
Measuring that needs the motion of each pixel. In a film it must be estimated; in clips made from a photo it is known.
"""

import contextlib
import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylelearn.decoding import MAX_PIXELS, SUFFIXES, ImageError, from_pil, open_picture
from stylelearn.files import check_output, replacing
from stylelearn.images import read_image, resize, to_pil, write_image

# Written by Pillow: the unit of a frame's time and the shortest time that browsers show correctly, in milliseconds.
ANIMATIONS = {".gif": (10, 20), ".webp": (1, 11)}
WRITABLE_FILMS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")  # by PyAV, which is optional
FILMS = (*WRITABLE_FILMS, ".mpg", ".mpeg", ".mts", ".3gp", ".wmv", ".ogv")
REMEDY = "install it with `pip install 'stylelearn[video]'`, or use .gif"


@dataclass(frozen=True)
class Clip:
    """Frames and their motion.

    Attributes:
        frames: (T, 3, H, W) in [0, 1].
        motion: (T − 1, 2, H, W), int64: the pixel (y, x) of frame t + 1 was at (y + motion[t, 0, y, x],
            x + motion[t, 1, y, x]) in frame t.
        known: (T − 1, H, W), bool: False for pixels that were hidden, or outside, in frame t.
    """

    frames: Tensor
    motion: Tensor
    known: Tensor


def panning_clip(
    image: Tensor, frames: int = 12, *, size: tuple[int, int] = (128, 128), step: tuple[int, int] = (0, 4)
) -> Clip:
    """A window that pans over a photo.

    Args:
        image: (1, 3, H, W) in [0, 1]. frames: T, at least 2. size: (height, width) of the window in pixels.
        step: how far it moves from frame to frame, (down, right) in pixels, negative for up and left.
    Raises:
        ValueError: fewer than 2 frames; a photo too small for the pan.
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
    """A disc cut from one picture that moves to the right across another, which does not move.

    Args:
        background, thing: (1, 3, H, W) in [0, 1]; each is resized to `size`, or to the disc.
        frames: T, at least 2. size: (height, width) in pixels. step: pixels to the right from frame to frame.
    Raises:
        ValueError: fewer than 2 frames; a disc that leaves the picture.
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
    """Row and column in frame t of each pixel of frame t + 1, (T − 1, H, W) each; some lie outside."""
    height, width = motion.shape[2:]
    return motion[:, 0] + torch.arange(height).view(-1, 1), motion[:, 1] + torch.arange(width)


def _inside(motion: Tensor) -> Tensor:
    (y, x), (height, width) = _sources(motion), motion.shape[2:]
    return (y >= 0) & (y < height) & (x >= 0) & (x < width)


def consistency(made: Tensor, clip: Clip) -> float:
    """How much painted frames flicker: the mean absolute change between neighbouring frames after motion is undone.

    Args:
        made: the painted `clip.frames`, (T, 3, H, W) in [0, 1].
    Returns:
        in grey levels of 0 to 255; 0 for the clip itself.
    Raises:
        ValueError: another shape than the clip's; no pixel is known in two neighbouring frames.
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


def keep_frames(
    frames: Iterable[Tensor], paint: Callable[[Tensor], Tensor], folder: str | Path, settings: str
) -> Iterator[Path]:
    """Paint each frame into a file named by a hash of the frame and the settings; a file that exists is kept.

    Args:
        folder: of the files; created if it does not exist.
        settings: everything else that the result depends on.
    Returns:
        the file of each frame, in order; equal frames share one.
    """
    for frame in frames:
        path = Path(folder) / f"{digest(frame, settings)}.png"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(paint(frame).cpu(), path)
        yield path


def digest(*parts: Tensor | str) -> str:
    """32 hexadecimal digits that identify images (to 8 bits) and texts by their content."""
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            data = part.encode("utf-8", "surrogateescape")
        else:
            data = (part.detach().cpu().float() * 255).round().numpy().tobytes() + str(tuple(part.shape)).encode()
        found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()[:32]


# --- reading ----------------------------------------------------------------------------------------------------------


def timed_frames(source: str | Path, size: int | None = None) -> Iterator[tuple[Tensor, Fraction | None]]:
    """The frames of a folder of pictures (frame_2 before frame_10), of a .gif or .webp, or of a film, one by one.

    Args:
        size: of the shorter side in pixels; None leaves frames as they are.
    Returns:
        images (1, 3, H, W) in [0, 1], upright, and the seconds that each is shown; None if the file does not say.
    Raises:
        ImageError: nothing there or not readable; a folder with pictures of unlike size; no PyAV for a film.
    """
    source = Path(source)
    if source.is_dir():
        frames = _from_folder(source)
    elif not source.is_file():
        raise ImageError(f"there is no '{source}'; name a folder of pictures, a .gif, or a film")
    elif source.suffix.lower() in FILMS:
        frames = _from_film(source)
    else:
        frames = _from_animation(source)
    for frame, seconds in frames:
        yield (frame if size is None else resize(frame, size)), seconds


def frame_files(folder: Path) -> list[Path]:
    """The pictures in a folder without hidden files, sorted with numbers in names compared as numbers.

    Raises:
        ImageError: there are none.
    """
    suffixes = set(SUFFIXES) - {".gif"}
    paths = [path for path in folder.iterdir() if path.suffix.lower() in suffixes and not path.name.startswith(".")]
    if not paths:
        raise ImageError(f"the folder '{folder}' holds no pictures; put the frames of a clip there")

    def natural(path: Path) -> tuple[list[tuple[int, str]], str]:
        parts = re.split("([0-9]+)", path.name.lower())
        return [(int(part), "") if i % 2 else (0, part) for i, part in enumerate(parts)], path.name

    return sorted(paths, key=natural)


def _from_folder(folder: Path) -> Iterator[tuple[Tensor, None]]:
    paths, first = frame_files(folder), None
    for path in paths:  # before the first frame is painted
        with path.open("rb") as file, open_picture(file, f"'{path}'") as picture:
            turned = picture.getexif().get(0x0112, 1) >= 5
            width, height = picture.size[::-1] if turned else picture.size
        first = first or (width, height)
        if (width, height) != first:
            raise ImageError(
                f"'{path}' has {width} × {height} pixels, but the first frame, '{paths[0].name}', {first[0]} × "
                f"{first[1]}; give all frames one size"
            )
    return ((read_image(path), None) for path in paths)


def _from_animation(path: Path) -> Iterator[tuple[Tensor, Fraction | None]]:
    with path.open("rb") as file, open_picture(file, f"'{path}'") as picture:
        for number in itertools.count(1):
            name = f"'{path}', frame {number}"
            try:
                picture.seek(number - 1)
            except EOFError:
                return
            except Exception as error:  # Pillow's readers raise all kinds of errors
                raise ImageError(f"{name} is broken or cut off ({error}); save or download it again") from error
            image = from_pil(picture, name)
            seconds = Fraction(picture.info["duration"]) / 1000 if "duration" in picture.info else None
            if seconds is not None and seconds <= Fraction(1, 100):  # browsers show so short a time as a tenth
                seconds = Fraction(1, 10)
            yield image, seconds


def _from_film(path: Path) -> Iterator[tuple[Tensor, Fraction]]:
    av = _pyav(path)
    try:
        with av.open(str(path)) as film:
            stream = film.streams.video[0]
            usual = 1 / Fraction(stream.average_rate or 12)
            before: tuple[Tensor, Fraction] | None = None
            for number, frame in enumerate(film.decode(stream), 1):
                if frame.width * frame.height > MAX_PIXELS:
                    raise ImageError(f"'{path}' has frames of {frame.width} × {frame.height} pixels; make it smaller")
                time = number * usual if frame.pts is None else frame.pts * Fraction(frame.time_base)
                if before is not None:
                    yield before[0], (time - before[1] if time > before[1] else usual)
                image = read_image(_upright(frame))
                aspect = Fraction(stream.sample_aspect_ratio or 1)
                if aspect != 1:  # pixels that are not square
                    height, width = image.shape[2:]
                    image = resize(image, (height, max(1, round(width * aspect))), "box")
                before = image, time
            if before is None:
                raise ImageError(f"'{path}' holds no frames; use another file")
            yield before[0], usual
    except (av.FFmpegError, IndexError) as error:
        reason = getattr(error, "strerror", None) or "no picture track"
        raise ImageError(f"'{path}' cannot be read as a film ({reason}); use another file") from error


def _upright(frame: Any) -> np.ndarray:
    """The frame as (H, W, 3), turned as its display matrix says: x' = a x + c y, y' = b x + d y, in units of 2⁻¹⁶."""
    pixels = frame.to_ndarray(format="rgb24")
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is not None:
        a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
        if abs(a) < abs(c):  # x' follows y
            pixels, a, d = pixels.transpose(1, 0, 2), c, b
        pixels = pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return np.ascontiguousarray(pixels)


# --- writing ----------------------------------------------------------------------------------------------------------


def write_film(
    frames: Iterable[Tensor], path: str | Path, seconds: Sequence[Fraction], sound: str | Path | None = None
) -> Path:
    """Frames (1, 3, H, W), all of one size, as .gif or .webp, or as .mp4 and its like with PyAV.

    Args:
        seconds: how long each frame is shown. A GIF counts in hundredths; frames that are too short for a browser
            (below 20 ms in a GIF, 11 in a WebP) are left out, and the length of the whole stays.
        sound: a film whose sound is copied, if `holds_sound` says that it can be.
    Raises:
        ImageError: no frames, or frames of unlike size; no PyAV for a film. ValueError: as of `files.check_output`.
    """
    path = check_film(path)
    suffix, pictures = path.suffix.lower(), _of_one_size(frames)
    first = next(pictures, None)
    if first is None:
        raise ImageError(f"there are no frames to write into '{path}'")
    mean = sum(seconds) / Fraction(len(seconds))
    varies = len({*seconds}) > 1 and suffix != ".avi"  # which has one frame rate
    timed = zip(itertools.chain([first], pictures), seconds if varies else itertools.repeat(mean), strict=False)
    try:
        with replacing(path) as part:
            if suffix in ANIMATIONS:
                kept, shown = _long_enough(timed, *ANIMATIONS[suffix])
                kept[0].save(part, save_all=True, append_images=kept[1:], duration=shown, loop=0)
            else:
                unit = Fraction(1, 90_000) if varies else mean.limit_denominator(60_000)
                _write_with_pyav(timed, first.size, part, unit, 1 / mean, sound)
    except OSError as error:
        raise ImageError(f"'{path}' cannot be written ({error}); check space and permissions") from error
    return path


def check_film(path: str | Path, fps: float = 12.0, inputs: Iterable[Any] = ()) -> Path:
    """Check that `write_film` can write there and overwrites no input; returns the path with ~ expanded.

    Raises:
        ValueError: fps is not above 0 and up to 100, or as of `files.check_output`. ImageError: no PyAV for a film.
    """
    if not 0 < fps <= 100:
        raise ImageError(f"fps must be above 0, up to 100 frames a second; got {fps}")
    path = check_output(path, (*ANIMATIONS, *WRITABLE_FILMS), inputs)
    if path.suffix.lower() in FILMS:
        _pyav(path)
    return path


def sound_of(source: str | Path) -> str | None:
    """The codec of a film's sound, such as "aac"; None without sound."""
    source = Path(source)
    if source.suffix.lower() not in FILMS or not source.is_file():
        return None
    av = _pyav(source)
    try:
        with av.open(str(source)) as film:
            return film.streams.audio[0].codec.canonical_name if film.streams.audio else None
    except av.FFmpegError as error:
        raise ImageError(f"'{source}' cannot be read as a film ({error}); use another file") from error


def holds_sound(path: str | Path, codec: str) -> bool:
    """Whether a film of this suffix can hold sound of this codec."""
    held = {".webm": ("opus", "vorbis"), ".avi": ("mp3", "ac3")}.get(
        Path(path).suffix.lower(), ("aac", "mp3", "ac3", "opus", "flac", "alac")
    )
    return Path(path).suffix.lower() in FILMS and codec in held


def _pyav(path: Path) -> ModuleType:
    try:
        import av
    except ImportError as error:
        raise ImageError(f"'{path.name}' needs PyAV, which is not installed: {REMEDY}") from error
    return av


def _of_one_size(frames: Iterable[Tensor]) -> Iterator[Image.Image]:
    size: tuple[int, int] | None = None
    for number, frame in enumerate(frames, 1):
        picture = to_pil(frame.cpu())
        size = size or picture.size
        if picture.size != size:
            raise ImageError(
                f"frame {number} has {picture.width} × {picture.height} pixels, but the first {size[0]} × {size[1]}; "
                "give all frames one size"
            )
        yield picture


def _long_enough(
    frames: Iterable[tuple[Image.Image, Fraction]], unit: int, least: int
) -> tuple[list[Image.Image], list[int]]:
    """Frames and their milliseconds in whole units, without those that would be shorter than `least`."""
    kept: list[Image.Image] = []
    starts: list[int] = []
    time = Fraction(0)
    for picture, seconds in frames:
        start = round(time * 1000 / unit) * unit
        if not starts or start - starts[-1] >= least:
            kept.append(picture)
            starts.append(start)
        time += seconds
    starts.append(max(starts[-1] + least, round(time * 1000 / unit) * unit))
    return kept, [after - before for before, after in itertools.pairwise(starts)]


def _write_with_pyav(
    frames: Iterable[tuple[Image.Image, Fraction]],
    size: tuple[int, int],
    path: Path,
    unit: Fraction,
    rate: Fraction,
    sound: str | Path | None,
) -> None:
    """Frames with their seconds as H.264, or as VP9 in a .webm, with the sound of a film.

    Args:
        unit: of times, in seconds. `rate`: frames a second, the mean.
    """
    av = _pyav(path)
    kind = path.suffix.lower()
    with contextlib.ExitStack() as stack:
        film = stack.enter_context(av.open(str(path), "w", **({"format": "mp4"} if kind == ".m4v" else {})))
        codec = "libvpx-vp9" if kind == ".webm" else "libx264"
        stream = film.add_stream(codec, rate.limit_denominator(60_000))
        stream.width, stream.height = (side // 2 * 2 for side in size)  # yuv420p halves the colours: even sides
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "18"} | ({"bf": "0"} if kind == ".avi" else {})  # .avi has no times for B-frames
        stream.codec_context.time_base = unit
        track = None
        if sound is not None:
            source = stack.enter_context(av.open(str(sound))).streams.audio[0]
            track = film.add_stream_from_template(source)
        stream.codec_context.flags |= av.codec.context.Flags.frame_duration  # also of the last frame
        time = Fraction(0)
        for picture, length in frames:
            frame = av.VideoFrame.from_image(picture.crop((0, 0, stream.width, stream.height)))
            frame.pts, frame.time_base = round(time / unit), unit
            time += length
            frame.duration = round(time / unit) - frame.pts
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
        if track is not None:
            for packet in source.container.demux(source):
                if packet.dts is not None:
                    packet.stream = track
                    film.mux(packet)
