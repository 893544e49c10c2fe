"""`stylelearn train`: make weights anew."""

import argparse
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from stylelearn.cli.parsing import DONE, STOPPED, Commands, Failed, Wrong, span, whole

if TYPE_CHECKING:
    from stylelearn.training import Progress


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("train", help="train a network of the course", description="Train a network.")
    networks = parser.add_subparsers(dest="network", required=True, metavar="NETWORK")
    encoder = networks.add_parser(
        "encoder",
        help="mini, the encoder that ships with the course",
        description="Distil mini from a larger network. Ctrl-C leaves a checkpoint, and the same command goes on.",
    )
    encoder.add_argument("--photos", type=Path, nargs="+", required=True, metavar="DIR", help="folders of photographs")
    encoder.add_argument("--styles", type=Path, nargs="*", default=[], metavar="DIR", help="folders of paintings")
    encoder.add_argument(
        "--teacher",
        default="squeezenet",
        metavar="NAME",
        help="squeezenet or vgg19 (downloaded), or the FILE of such a checkpoint (default: squeezenet)",
    )
    encoder.add_argument("--out", type=Path, required=True, metavar="FILE", help=".safetensors")
    encoder.add_argument("--steps", type=whole(1), default=8000, metavar="N", help="(default: 8000)")
    encoder.add_argument("--size", type=whole(64, 512), default=128, help="side of the crops (default: 128)")
    encoder.add_argument("--batch", type=whole(2), default=16, help="crops a step (default: 16)")
    encoder.add_argument("--seed", type=whole(0), default=0, help="(default: 0)")
    encoder.add_argument("--checkpoint", type=Path, metavar="FILE", help="(default: OUT with the suffix .ckpt)")
    encoder.add_argument("--precision", default="32-true", choices=("32-true", "bf16-mixed", "16-mixed"))
    encoder.add_argument("--accelerator", default="auto", choices=("auto", "cpu", "gpu", "cuda", "mps"))
    encoder.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train `mini`, printing how it goes."""
    options.checkpoint = options.checkpoint or options.out.with_suffix(".ckpt")
    _check(options)
    from stylelearn.mini import train_mini
    from stylelearn.weights import WeightsError

    try:
        teacher, weights = find_teacher(options.teacher)
        running = train_mini(
            options.photos,
            options.styles,
            out=options.out,
            teacher=teacher,
            teacher_weights=weights,
            steps=options.steps,
            size=options.size,
            batch=options.batch,
            seed=options.seed,
            accelerator=options.accelerator,
            precision=options.precision,
            checkpoint=options.checkpoint,
        )
        print("reading the pictures …", flush=True)
        try:
            for progress in running:
                print(line(progress), flush=True)
        finally:
            running.close()  # which writes the checkpoint, wherever it was left
    except KeyboardInterrupt:
        return _stopped(options)
    except (WeightsError, ValueError) as error:
        raise Wrong(error) from error
    except (FloatingPointError, OSError) as error:
        raise Failed(error) from error
    checksum = hashlib.sha256(options.out.read_bytes()).hexdigest()
    print(f'{options.out}: {options.out.stat().st_size / 1e6:.2f} MB\n  "{options.out.name}": "{checksum}"')
    return DONE


def _check(options: argparse.Namespace) -> None:
    for folder in (*options.photos, *options.styles):
        if not folder.is_dir():
            raise Wrong(f"'{folder}' is not a folder; --photos and --styles name folders of pictures")
    if options.out.suffix != ".safetensors":
        raise Wrong(f"--out is '{options.out}', but must end in .safetensors")
    if options.size % 16:
        raise Wrong(f"--size is {options.size}, but must be a multiple of 16 (four times the picture is halved)")


def find_teacher(name: str) -> tuple[str, Path | None]:
    """("squeezenet" or "vgg19", the file of its weights or None for a download); a file is known by its keys.

    Raises:
        Wrong: neither a teacher nor a file.
        WeightsError: a file that cannot be read.
    """
    if name in ("squeezenet", "vgg19"):
        return name, None
    from stylelearn.weights import read_weights

    if not Path(name).is_file():
        raise Wrong(f"--teacher is '{name}': no file of that name; use squeezenet, vgg19, or the path of a checkpoint")
    keys = set(read_weights(name))
    if "features.3.squeeze.weight" in keys and "classifier.1.weight" in keys:
        return "squeezenet", Path(name)
    if "features.34.weight" in keys and "features.35.weight" not in keys:
        return "vgg19", Path(name)
    some = ", ".join(sorted(keys)[:2])
    raise Wrong(f"'{name}' is no checkpoint of squeezenet1_0 or vgg19: its {len(keys)} keys begin with {some}")


def line(progress: "Progress") -> str:
    """Step, time left, and the losses, summed by their first word."""
    sums: dict[str, float] = {}
    for name, value in progress.losses.items():
        kind = name.split()[0]
        sums[kind] = sums.get(kind, 0.0) + value
    parts = " + ".join(f"{kind} {value:.3f}" for kind, value in sums.items())
    width = len(str(progress.steps))
    return (
        f"step {progress.step:{width}d} of {progress.steps} · {span(progress.seconds_left)} left · "
        f"loss {sum(sums.values()):.3f} = {parts}"
    )


def _stopped(options: argparse.Namespace) -> int:
    if options.checkpoint.exists():
        print(f"stopped; run the same command again and it goes on from {options.checkpoint}")
    else:
        print("stopped before the first step; there is nothing to go on from")
    return STOPPED
