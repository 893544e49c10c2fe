"""`stylelearn train`: make weights anew. What can be trained stands in `networks.py`."""

import argparse
import contextlib
import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stylelearn.cli.networks import NETWORKS
from stylelearn.cli.parsing import DONE, STOPPED, CommandError, Commands, UsageError, span

if TYPE_CHECKING:
    from stylelearn.training import Progress


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("train", help="train a network of the course", description="Train a network.")
    networks = parser.add_subparsers(dest="network", required=True, metavar="NETWORK")
    for name, network in NETWORKS.items():
        one = networks.add_parser(
            name,
            help=network.help,
            description=f"{network.description} Ctrl-C leaves a checkpoint, and the same command goes on from there.",
            argument_default=argparse.SUPPRESS,
        )
        for option in network.all_options():
            one.add_argument(option.flag, **option.more)
        one.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train, printing how it goes. Of several processes only the first prints."""
    _check(options)
    with _quiet_unless_first(options):
        try:
            _train(options)
        except KeyboardInterrupt:
            return _stopped(options.checkpoint)
        checksum = hashlib.sha256(options.out.read_bytes()).hexdigest()
        print(f'{options.out}: {options.out.stat().st_size / 1e6:.2f} MB\n  "{options.out.name}": "{checksum}"')
        return DONE


def _train(options: argparse.Namespace) -> None:
    from stylelearn.weights import WeightsError

    network = NETWORKS[options.network]
    try:
        running = network.start(options)
        print(f"reading the {'pictures' if 'photos' in options else 'letters'} …", flush=True)
        with contextlib.closing(running):  # which writes the checkpoint, wherever it was left
            for progress in running:
                print(line(progress), flush=True)
    except (WeightsError, ValueError) as error:
        raise UsageError(error) from error
    except (FloatingPointError, OSError) as error:
        raise CommandError(error) from error


@contextlib.contextmanager
def _quiet_unless_first(options: argparse.Namespace) -> Iterator[None]:
    """Of several processes one prints."""
    from stylelearn.training import is_first_process

    logging.getLogger("lightning_fabric.utilities").setLevel(logging.WARNING)
    if is_first_process():
        yield
        return
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


def _check(options: argparse.Namespace) -> None:
    """Look at all that is named, before any work; fill in the checkpoint."""
    from stylelearn.files import check_output

    said = vars(options)
    folders = [*said.get("photos", []), *(style for style in said.get("styles", []) if isinstance(style, Path))]
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"'{folder}' is not a folder; --photos and --styles name folders of pictures")
    if "start" in said and not options.start.is_file():
        raise UsageError(f"--start is '{options.start}': no file of that name")
    read = [said[name] for name in ("style", "start", "encoder_weights", "teacher") if name in said]
    read += said.get("styles", []) + said.get("fonts", [])
    try:
        if options.out.suffix != ".safetensors":
            raise UsageError(f"--out is '{options.out}', but must end in .safetensors")
        options.checkpoint = said.get("checkpoint", options.out.with_suffix(".ckpt"))
        for path in (options.out, options.checkpoint):
            path.expanduser().parent.mkdir(parents=True, exist_ok=True)
        options.out = check_output(options.out, inputs=read)
        options.checkpoint = check_output(options.checkpoint, inputs=[*read, options.out])
    except OSError as error:
        raise UsageError(f"the folder of '{options.out}' cannot be made ({error.strerror})") from error
    except ValueError as error:
        raise UsageError(error) from error


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


def _stopped(checkpoint: Path) -> int:
    if checkpoint.exists():
        print(f"stopped; run the same command again and it goes on from {checkpoint}")
    else:
        print("stopped before the first step; there is nothing to go on from")
    return STOPPED
