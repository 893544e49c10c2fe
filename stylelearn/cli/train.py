"""`stylelearn train`: make weights anew. What can be trained stands in `networks.py`."""

import argparse
import contextlib
import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylelearn.cli.networks import NETWORKS, Network
from stylelearn.cli.parsing import DONE, STOPPED, CommandError, Commands, UsageError, span, whole

if TYPE_CHECKING:
    from stylelearn.training import Progress

RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")  # by which launchers number the processes of a run


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("train", help="train a network of the course", description="Train a network.")
    networks = parser.add_subparsers(dest="network", required=True, metavar="NETWORK")
    for name, network in NETWORKS.items():
        one = networks.add_parser(
            name,
            help=network.help,
            description=f"{network.description} Ctrl-C leaves a checkpoint, and the same command goes on from there.",
        )
        _add_shared(one, network)
        network.add(one)
        one.set_defaults(run=run)


def _add_shared(parser: argparse.ArgumentParser, network: Network) -> None:
    """What all networks take. Where nothing is said, --paper, then --preset, then the usual decide."""
    usual, (size, batch) = network.usual, network.smallest
    if network.photos:
        parser.add_argument(
            "--photos", type=Path, nargs="+", required=True, metavar="DIR", help="folders of photographs"
        )
        parser.add_argument("--size", type=whole(size, 512), help=f"side of the crops (default: {usual['size']})")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=".safetensors")
    parser.add_argument("--steps", type=whole(1), metavar="N", help=f"(default: {usual['steps']})")
    parser.add_argument("--batch", type=whole(batch), help=f"pictures a step (default: {usual['batch']})")
    parser.add_argument("--seed", type=whole(0), default=0, help="(default: 0)")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="(default: OUT with the suffix .ckpt)")
    parser.add_argument("--preset", choices=("laptop", "gpu"), help="size, batch, steps, precision for such a machine")
    parser.add_argument("--precision", choices=("32-true", "bf16-mixed", "16-mixed"), help="(default: 32-true)")
    parser.add_argument("--accelerator", choices=("auto", "cpu", "gpu", "cuda", "mps"), help="(default: auto)")
    if network.several:
        parser.add_argument(
            "--devices", type=whole(1), default=1, metavar="N", help="processes that share each batch (default: 1)"
        )
        parser.add_argument(
            "--nodes", type=whole(1), default=1, metavar="N", help="machines; run the command on each (default: 1)"
        )
        parser.add_argument(
            "--sheet-every",
            type=whole(1),
            default=500,
            metavar="N",
            help="steps between sample sheets, which lie beside the checkpoint (default: 500)",
        )


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """What is handed on to the training: what was said, before --paper, before --preset, before the usual."""
    from stylelearn.training import PRESETS

    network = NETWORKS[options.network]
    chosen = {"precision": "32-true", "accelerator": "auto", **network.usual}
    for name, value in PRESETS.get(options.preset, {}).items():
        chosen[name] = round(chosen[name] * value) if name in ("steps", "batch") else value
    if not network.photos:
        chosen.pop("size", None)
    if getattr(options, "paper", False):
        chosen |= network.paper or {}
    chosen |= {name: value for name in chosen if (value := getattr(options, name, None)) is not None}
    if network.several:
        chosen |= {name: getattr(options, name) for name in ("devices", "nodes", "sheet_every")}
    return chosen | {"seed": options.seed, "checkpoint": options.checkpoint}


def run(options: argparse.Namespace) -> int:
    """Train, printing how it goes. Of several processes only the first prints."""
    options.checkpoint = options.checkpoint or options.out.with_suffix(".ckpt")
    _check(options)
    with _quiet_unless_first(options):
        try:
            _train(options)
        except KeyboardInterrupt:
            return _stopped(options)
        checksum = hashlib.sha256(options.out.read_bytes()).hexdigest()
        print(f'{options.out}: {options.out.stat().st_size / 1e6:.2f} MB\n  "{options.out.name}": "{checksum}"')
        return DONE


def _train(options: argparse.Namespace) -> None:
    from stylelearn.images import ImageError
    from stylelearn.weights import WeightsError

    try:
        network = NETWORKS[options.network]
        running = network.start(options, settings(options))
        print(f"reading the {'pictures' if network.photos else 'letters'} …", flush=True)
        with contextlib.closing(running):  # which writes the checkpoint, wherever it was left
            for number, progress in enumerate(running):
                if number == 0 and progress.skipped:
                    print(skipped(progress.skipped), flush=True)
                print(line(progress), flush=True)
    except (WeightsError, ImageError, ValueError) as error:
        raise UsageError(error) from error
    except (FloatingPointError, OSError) as error:
        raise CommandError(error) from error


@contextlib.contextmanager
def _quiet_unless_first(options: argparse.Namespace) -> Iterator[None]:
    """One process out of several speaks for all."""
    if getattr(options, "devices", 1) * getattr(options, "nodes", 1) == 1:
        yield
        return
    logging.getLogger("lightning_fabric.utilities").setLevel(logging.WARNING)
    if not any(os.environ.get(name, "0") != "0" for name in RANKS):
        yield
        return
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


def _check(options: argparse.Namespace) -> None:
    styles = [style for style in getattr(options, "styles", []) if isinstance(style, Path)]
    for folder in (*getattr(options, "photos", ()), *styles):
        if not folder.is_dir():
            raise UsageError(f"'{folder}' is not a folder; --photos and --styles name folders of pictures")
    if options.out.suffix != ".safetensors":
        raise UsageError(f"--out is '{options.out}', but must end in .safetensors")
    start = getattr(options, "start", None)  # which the encoder has not
    if start and not start.is_file():
        raise UsageError(f"--start is '{start}': no file of that name")


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


def skipped(paths: tuple[Path, ...]) -> str:
    """How many pictures could not be read, and which."""
    names = ", ".join(path.name for path in paths[:3])
    more = ", …" if len(paths) > 3 else ""
    return f"{len(paths)} {'pictures' if len(paths) > 1 else 'picture'} skipped, as not readable: {names}{more}"


def _stopped(options: argparse.Namespace) -> int:
    if options.checkpoint.exists():
        print(f"stopped; run the same command again and it goes on from {options.checkpoint}")
    else:
        print("stopped before the first step; there is nothing to go on from")
    return STOPPED
