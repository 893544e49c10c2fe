"""`stylelearn train`: train a network of the course. `networks.py` declares what can be trained."""

import argparse
import contextlib
import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stylelearn.cli.networks import NETWORKS
from stylelearn.cli.parsing import DONE, STOPPED, Commands, UsageError, span
from stylelearn.files import check_output

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
    """Train and print the progress. Of several processes only the first prints."""
    _check(options)
    with _quiet_unless_first():
        try:
            running = NETWORKS[options.network].start(options)
            print(f"reading the {'pictures' if 'photos' in options else 'letters'} …", flush=True)
            with contextlib.closing(running):  # closing it writes the checkpoint
                for progress in running:
                    print(line(progress), flush=True)
        except KeyboardInterrupt:
            if options.checkpoint.exists():
                print(f"stopped; run the same command again and it goes on from {options.checkpoint}")
            else:
                print("stopped before the first step; there is nothing to go on from")
            return STOPPED
        checksum = hashlib.sha256(options.out.read_bytes()).hexdigest()
        print(f'{options.out}: {options.out.stat().st_size / 1e6:.2f} MB\n  "{options.out.name}": "{checksum}"')
        return DONE


@contextlib.contextmanager
def _quiet_unless_first() -> Iterator[None]:
    """Only the first of several processes prints."""
    from stylelearn.training import is_first_process

    logging.getLogger("lightning_fabric.utilities").setLevel(logging.WARNING)
    if is_first_process():
        yield
        return
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


def _check(options: argparse.Namespace) -> None:
    """Check every file and folder that is named before any work; fill in the checkpoint."""
    said = vars(options)
    for folder in [*said.get("photos", []), *(style for style in said.get("styles", []) if isinstance(style, Path))]:
        if not folder.is_dir():
            raise UsageError(f"'{folder}' is not a folder; --photos and --styles name folders of pictures")
    if "start" in said and not options.start.is_file():
        raise UsageError(f"--start is '{options.start}': no file of that name")
    if options.out.suffix != ".safetensors":
        raise UsageError(f"--out is '{options.out}', but must end in .safetensors")
    options.checkpoint = said.get("checkpoint", options.out.with_suffix(".ckpt"))
    for path in (options.out, options.checkpoint):
        path.expanduser().parent.mkdir(parents=True, exist_ok=True)
    read = [said[name] for name in ("style", "start", "encoder_weights", "teacher") if name in said]
    read += said.get("styles", []) + said.get("fonts", [])
    options.out = check_output(options.out, inputs=read)
    options.checkpoint = check_output(options.checkpoint, inputs=[*read, options.out])


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
