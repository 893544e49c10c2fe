"""`stylelearn video`: paint every frame of a clip in the style of one picture by style swap."""

import argparse
import contextlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from stylelearn.cli.inputs import DEVICES, SMALLEST, chosen_device, picture
from stylelearn.cli.parsing import DONE, STOPPED, Commands, UsageError, amount, whole

if TYPE_CHECKING:
    from torch import Tensor

GLIDE = 4  # pixels from frame to frame, with --pan
USUAL = 12.0  # frames a second of a CLIP without times
EXAMPLES = """\
examples:
  stylelearn video clip.mp4 mosaic -o painted.mp4
  stylelearn video frames/ painting.jpg -o painted.gif --fps 15
  stylelearn video china mosaic -o painted.gif --pan 24         a window that pans over a photo
"""


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "video",
        help="paint a clip frame by frame",
        description="Paint every frame of CLIP in the style of STYLE by style swap (lesson 06). Finished frames are "
        "kept in the folder OUT.frames until all are done: after Ctrl-C the same command goes on from there. Speed and "
        "sound stay those of CLIP. Films (.mp4 and the like) need PyAV: pip install 'stylelearn[video]'.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("clip", metavar="CLIP", help="a folder of pictures, a .gif, a film; with --pan, a photo")
    parser.add_argument("style", metavar="STYLE", help="a picture, or the name of one of the course's")
    parser.add_argument("-o", "--out", required=True, type=Path, metavar="OUT", help=".gif, .webp, .mp4, …")
    parser.add_argument("--size", type=whole(SMALLEST, 4096), default=256, help="shorter side in pixels (default: 256)")
    parser.add_argument("--fps", type=amount, metavar="X", help="frames a second (default: those of CLIP, or 12)")
    parser.add_argument(
        "--pan", type=whole(2), metavar="N", help="CLIP is a photo: N frames of a window that pans over it"
    )
    parser.add_argument("--patch", type=whole(1), default=3, metavar="N", help="side in cells of 4 px (default: 3)")
    parser.add_argument("--stride", type=whole(1), default=1, metavar="N", help="cells to the next (default: 1)")
    parser.add_argument("--strength", type=amount, default=1.0, metavar="X", help="from 0 to 1 (default: 1)")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="made by `stylelearn train inverse`")
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="(default: cpu)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, paint, write."""
    from tqdm import tqdm

    from stylelearn.images import read_image
    from stylelearn.video import check_film, keep_frames, write_film

    inputs = (options.clip, options.style, options.weights)
    options.out = check_film(options.out, USUAL if options.fps is None else options.fps, inputs)
    paint, settings = _painter(options)
    folder = options.out.with_name(f"{options.out.name}.frames")
    count, timed = _frames(options)
    sound, notes = _sound(options)
    times: list[Fraction] = []

    def frames() -> "Iterator[Tensor]":
        usual = Fraction(USUAL if options.fps is None else options.fps).limit_denominator(1001)
        for frame, seconds in timed:
            times.append(1 / usual if options.fps is not None or seconds is None else seconds)
            yield frame

    kept: list[Path] = []
    form = "{n_fmt}/{total_fmt} |{bar}| {elapsed}, {remaining} left" if count else "{n_fmt} frames, {elapsed}"
    try:
        with tqdm(total=count, bar_format=form, mininterval=0.2) as bar:
            for path in keep_frames(frames(), paint, folder, settings):
                kept.append(path)
                bar.update()
        write_film(map(read_image, kept), options.out, times, sound)
    except KeyboardInterrupt:
        print(f"stopped after {len(kept)} frames; they are in {folder}, and the same command goes on from there")
        return STOPPED
    for path in {*kept}:
        path.unlink()
    with contextlib.suppress(OSError):  # not empty: other files, or frames of another film
        folder.rmdir()
    print("\n".join([f"{options.out}: {len(kept)} frames, {float(sum(times)):.2f} s", *notes]))
    return DONE


def _sound(options: argparse.Namespace) -> tuple[Path | None, list[str]]:
    """The film whose sound is copied, and notes on sound that is lost."""
    from stylelearn.video import holds_sound, sound_of

    codec = None if options.pan else sound_of(options.clip)
    if codec is None:
        return None, []
    if options.fps is not None:
        return None, ["without its sound, which does not fit the speed that --fps gives"]
    if not holds_sound(options.out, codec):
        return None, [f"without its sound ({codec}), which {options.out.suffix} does not hold; .mkv and .mp4 do"]
    return Path(options.clip), []


def _painter(options: argparse.Namespace) -> "tuple[Callable[[Tensor], Tensor], str]":
    """The function image -> pastiche, and a digest of everything that it depends on."""
    import torch

    from stylelearn.painting import painter_of
    from stylelearn.video import digest
    from stylelearn.weights import network_file, sha256

    device = chosen_device(options.device, "the swap of patches")
    how = {name: getattr(options, name) for name in ("patch", "stride", "strength", "weights")}
    painter = painter_of("swap_inverted", device=device, **how)
    image = picture(options.style, options.size)
    with torch.inference_mode():
        style = painter.encode(image.to(device))

    @torch.inference_mode()
    def paint(frame: "Tensor") -> "Tensor":
        return painter.paint(frame.to(device), style)

    weights = sha256(network_file("style_swap", options.weights or "style_swap"))
    return paint, digest(image, repr((options.patch, options.stride, options.strength)), weights)


def _frames(options: argparse.Namespace) -> "tuple[int | None, Iterator[tuple[Tensor, Fraction | None]]]":
    """The number of frames, if known, and the frames with their seconds."""
    from stylelearn.video import frame_files, panning_clip, timed_frames

    if options.pan is None:
        clip = Path(options.clip)
        if not clip.exists():
            raise UsageError(f"there is no '{clip}': CLIP is a folder of pictures, a .gif, a film; with --pan, a photo")
        return (len(frame_files(clip)) if clip.is_dir() else None), timed_frames(clip, options.size)
    photo = picture(options.clip, options.size)
    width = photo.shape[3] - GLIDE * (options.pan - 1)
    if width < SMALLEST:
        wide = f"a photo of {photo.shape[3]} px"
        raise UsageError(f"--pan {options.pan} leads out of {wide}; use fewer frames or more --size")
    panned = panning_clip(photo, options.pan, size=(photo.shape[2], width), step=(0, GLIDE))
    return options.pan, ((frame, None) for frame in panned.frames.split(1))
