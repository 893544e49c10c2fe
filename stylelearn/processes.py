"""Several processes that train together, on Lightning Fabric: how they begin, share the batches, and stop.

Fabric starts the program once for each device. Every process makes the same steps, each on its rows of the batch, and
in each step they wait for one another. So none may leave on its own: the first decides for all.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy, SingleDeviceStrategy
from lightning_utilities.core.apply_func import apply_to_collection
from torch import Tensor
from torch.utils.data import Dataset


def connect(*, devices: int, nodes: int, strategy: str, accelerator: str, precision: str) -> Fabric:
    """Fabric for devices × nodes processes, of which there is only this one yet.

    Raises:
        ValueError: devices that are not there; a strategy not of the DDP family; several processes a second time.
    """
    asked = f"accelerator {accelerator!r}, devices {devices}, nodes {nodes}, precision {precision!r}"
    try:
        fabric = Fabric(
            accelerator=accelerator,
            strategy=strategy,
            devices=devices,
            num_nodes=nodes,
            precision=precision,  # type: ignore[arg-type]
        )
    except Exception as error:  # Fabric knows many, and some classes of its own
        raise ValueError(f"cannot train with {asked}: {error}") from error
    if not isinstance(fabric.strategy, DDPStrategy | SingleDeviceStrategy):
        raise ValueError(f"strategy must be 'auto' or of the DDP family, such as 'ddp', not {strategy!r}")
    if fabric.world_size > 1 and torch.distributed.is_initialized():
        raise ValueError("this program has trained with several processes already; begin the next training in another")
    return fabric


def launch(fabric: Fabric) -> None:
    """Start the other processes, each with the command line that started this one, and meet them.

    Raises:
        ValueError: in a notebook.
    """
    try:
        fabric.launch()
    except TypeError as error:  # a notebook is no program that could be started once more
        raise ValueError(
            "a notebook cannot train with several processes; run a script or `stylelearn train`"
        ) from error


def of_all(fabric: Fabric, value: Any) -> list[Any]:
    """What all the processes have for `value`, in the order of their numbers; each gets the list."""
    return [fabric.broadcast(value, src=rank) for rank in range(fabric.world_size)]


class Share(Dataset[Any]):
    """Of every batch the rows rank, rank + world, rank + 2 · world, …

    Args:
        batches: its n-th item is a batch: tensors with a row for each picture, in tuples or dicts. Where it can, its
            method `rows(n, slice)` makes these rows only.
        rank, world: number of this process, and of all.

    Raises:
        ValueError: a batch that does not divide by `world`.
    """

    def __init__(self, batches: Dataset[Any], rank: int, world: int) -> None:
        self.batches, self.which = batches, slice(rank, None, world)
        apply_to_collection(batches[0], Tensor, lambda x: _check_divides(x, world))

    def __getitem__(self, number: int) -> Any:
        rows: Callable[[int, slice], Any] | None = getattr(self.batches, "rows", None)
        if rows is not None:
            return rows(number, self.which)
        return apply_to_collection(self.batches[number], Tensor, lambda x: x[self.which] if x.ndim else x)


def _check_divides(x: Tensor, world: int) -> None:
    if x.ndim and len(x) % world:
        raise ValueError(
            f"a batch of {len(x)} cannot be shared by {world} processes equally; choose a multiple of {world}"
        )


class Together:
    """A context in which processes stop together: at the head of each step the first says whether to go on.

    Ctrl-C waits for the head of the next step; a second one does not. The other processes leave it to the first.
    """

    def __init__(self, fabric: Fabric) -> None:
        self.fabric, self.alone, self.first = fabric, fabric.world_size == 1, fabric.is_global_zero
        self.interrupted = False
        self.others_wait = False  # at the head of a step, or on their way to it
        self.before: Any = None

    def __enter__(self) -> "Together":
        if not self.alone and _in_main_thread():
            self.before = signal.signal(signal.SIGINT, self._interrupt if self.first else signal.SIG_IGN)
        return self

    def _interrupt(self, *_: object) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True

    def go_on(self) -> None:
        """The head of a step.

        Raises:
            KeyboardInterrupt: in all processes, where the first does not go on.
        """
        self.others_wait = False
        if not (self.alone or self.fabric.broadcast(not self.interrupted)):
            raise KeyboardInterrupt

    def stepped(self, last: bool) -> None:
        """The end of a step: after this the first may do what it likes, the others wait for it unless it was `last`."""
        self.others_wait = not (self.alone or last)

    def __exit__(self, kind: object, *_: object) -> None:
        if self.before is not None and _in_main_thread():
            signal.signal(signal.SIGINT, self.before)
        if self.first and self.others_wait:
            self.others_wait = False
            self.fabric.broadcast(False)
        if kind is None and self.interrupted:
            raise KeyboardInterrupt


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def ignore_interrupts(_: int) -> None:
    """For workers that load data: Ctrl-C is the business of the process that they load for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def follow(run: Iterator[object], known: tuple[type[Exception], ...]) -> NoReturn:
    """What all processes but the first do: make the same steps without a word, and end.

    Args:
        run: the steps.
        known: errors that all processes meet at once, so that the first reports them.
    """
    try:
        for _ in run:
            pass
    except (KeyboardInterrupt, *known):
        pass
    raise SystemExit(0)
