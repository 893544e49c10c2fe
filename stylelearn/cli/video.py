"""`stylelearn video`: every frame of a clip in the style of one picture, by swapping patches."""

import argparse
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylelearn.cli.inputs import DEVICES, chosen_device, picture
from stylelearn.cli.parsing import DONE, STOPPED, CommandError, Commands, UsageError, amount, whole

if TYPE_CHECKING:
    from torch import Tensor

GLIDE = 4  # pixels from frame to frame, with --pan
EXAMPLES = """\
examples:
  stylelearn video clip.mp4 mosaic -o painted.mp4
  stylelearn video frames/ painting.jpg -o painted.gif --fps 15
  stylelearn video china mosaic -o painted.gif --pan 24         a window that glides over a photo
"""


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "video",
        help="paint a clip frame by frame",
        description="Paint every frame of CLIP in the manner of STYLE, with style swap (lesson 06). Frames that are "
        "done are kept in the folder OUT.frames until all are: after Ctrl-C the same command goes on there. Films "
        "(.mp4 and the like) need PyAV: pip install 'stylelearn[video]'.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("clip", metavar="CLIP", help="a folder of pictures, a .gif, a film; with --pan, a photo")
    parser.add_argument("style", metavar="STYLE", help="a picture, or the name of one of the course's")
    parser.add_argument("-o", "--out", required=True, type=Path, metavar="OUT", help=".gif, .webp, .mp4, …")
    parser.add_argument("--size", type=whole(16, 4096), default=256, help="shorter side in pixels (default: 256)")
    parser.add_argument("--fps", type=amount, default=12.0, metavar="X", help="frames a second (default: 12)")
    parser.add_argument("--pan", type=whole(2), metavar="N", help="CLIP is a photo: N frames of a gliding window")
    parser.add_argument("--patch", type=whole(1), default=3, metavar="N", help="side in cells of 4 px (default: 3)")
    parser.add_argument("--stride", type=whole(1), default=1, metavar="N", help="cells to the next (default: 1)")
    parser.add_argument("--strength", type=amount, default=1.0, metavar="X", help="from 0 to 1 (default: 1)")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="made by `stylelearn train inverse`")
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="(default: cpu)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, paint, write."""
    from stylelearn.images import ImageError
    from stylelearn.video import check_film
    from stylelearn.weights import WeightsError

    try:
        check_film(options.out, options.fps)
        return _paint(options)
    except (ImageError, WeightsError, ValueError, FileNotFoundError) as error:
        raise UsageError(error) from error
    except OSError as error:
        raise CommandError(error) from error


def _paint(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from stylelearn.images import read_image
    from stylelearn.video import paint_frames, write_film

    paint, settings = _painter(options)
    folder = options.out.with_name(f"{options.out.name}.frames")
    count, frames = _frames(options)
    done = 0
    form = "{n_fmt}/{total_fmt} |{bar}| {elapsed}, {remaining} left" if count else "{n_fmt} frames, {elapsed}"
    try:
        with tqdm(total=count, bar_format=form, mininterval=0.2) as bar:
            for _ in paint_frames(frames, paint, keep=folder, settings=settings):
                done += 1
                bar.update()
    except KeyboardInterrupt:
        print(f"stopped after {done} frames, which are in {folder}; run the same command again and it goes on there")
        return STOPPED
    kept = sorted(folder.glob("[0-9]*.png"))
    write_film(map(read_image, kept[:done]), options.out, fps=options.fps)  # the rest is of an earlier, longer clip
    for path in kept:
        path.unlink()
    with contextlib.suppress(OSError):  # somebody keeps other things there
        folder.rmdir()
    print(f"{options.out}: {done} frames")
    return DONE


def _painter(options: argparse.Namespace) -> "tuple[Callable[[Tensor], Tensor], dict[str, Any]]":
    """What makes a pastiche of a frame, the style's activations being computed once; and what is kept of how."""
    import torch

    from stylelearn.images import shown_name
    from stylelearn.painting import painter_of

    device = chosen_device(options.device, "the swap of patches")
    how = {name: getattr(options, name) for name in ("patch", "stride", "strength", "weights")}
    painter = painter_of("swap_inverted", device=device, **how)
    with torch.inference_mode():
        style = painter.encode(picture(options.style, options.size).to(device))

    @torch.inference_mode()
    def paint(frame: "Tensor") -> "Tensor":
        return painter.paint(frame.to(device), style)

    settings = {"clip": shown_name(options.clip), "style": shown_name(options.style), **how}
    return paint, settings | {
        "size": options.size,
        "pan": options.pan,
        "weights": how["weights"] and how["weights"].name,
    }


def _frames(options: argparse.Namespace) -> "tuple[int | None, Iterator[Tensor]]":
    """How many there are, if that is known, and one after the other."""
    from stylelearn.video import panning_clip, read_frames

    if options.pan is None:
        clip = Path(options.clip)
        if not clip.exists():
            raise UsageError(
                f"there is no '{clip}': CLIP is a folder of pictures, a .gif or a film; with --pan, a photo"
            )
        return (len(list(clip.iterdir())) if clip.is_dir() else None), read_frames(clip, options.size)
    photo = picture(options.clip, options.size)
    width = photo.shape[3] - GLIDE * (options.pan - 1)
    if width < 16:
        raise UsageError(
            f"--pan {options.pan} leads out of a photo of {photo.shape[3]} px; use fewer frames or more --size"
        )
    panned = panning_clip(photo, options.pan, size=(photo.shape[2], width), step=(0, GLIDE))
    return options.pan, iter(panned.frames.split(1))
