"""One fit loop for every network of the course.

A training run is a generator of `Progress`: anyone can watch it, plot it and stop it. It writes checkpoints and goes
on from the last one. Batch number n depends on the seed and on n alone, so a run that was killed and resumed ends with
the same weights as one that was not. Several processes, on one machine or on many, share each batch: then too the
weights are the same, up to rounding.
"""

import csv
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from stylelearn.crops import Crops
from stylelearn.images import write_image
from stylelearn.processes import Share, Together, connect, follow, ignore_interrupts, launch, of_all

__all__ = ["PRESETS", "CheckpointError", "Crops", "Progress", "fit", "rate_factor", "settings"]

# What differs between machines; "batch" and "steps" are times the network's usual. Johnson et al. (2016) showed their
# network 160,000 crops of 256 pixels; so does "gpu".
PRESETS: dict[str, dict[str, Any]] = {
    "laptop": {"batch": 1, "steps": 1, "precision": "32-true", "accelerator": "cpu"},
    "gpu": {"size": 256, "batch": 4, "steps": 2.5, "precision": "bf16-mixed", "accelerator": "gpu"},
}


class CheckpointError(ValueError):
    """A checkpoint that a run cannot go on from."""


@dataclass(frozen=True)
class Progress:
    """Where a training run stands after `step` of `steps`.

    `losses` are means since the last report; `skipped` are the pictures that could not be read.
    """

    step: int
    steps: int
    losses: dict[str, float]
    seconds_left: float
    skipped: tuple[Path, ...] = ()


def rate_factor(step: int, steps: int, warm_up: int) -> float:
    """What the learning rate is multiplied by at `step` (from 1): up over `warm_up` steps, down to 0 after `steps`."""
    return min(step / max(warm_up, 1), 1.0) * (1 - (step - 1) / steps)


def settings(out: Path, run: Mapping[str, Any]) -> dict[str, Any]:
    """What a training that ends in the file `out` hands to `fit`: `run` without None, its checkpoint beside the file.

    No weight decay, unless `run` asks for it: the networks that paint never see enough pictures to learn them by heart.
    """
    said = {name: value for name, value in run.items() if value is not None}
    return {"checkpoint": out.with_suffix(".ckpt"), "weight_decay": 0.0} | said


def fit(
    model: nn.Module,
    batches: Dataset[Any],
    *,
    steps: int,
    checkpoint: str | Path,
    groups: Sequence[dict[str, object]] | None = None,
    learning_rate: float = 1e-3,
    weight_decay: float = 1e-4,
    warm_up: int = 200,
    report_every: int = 50,
    save_every: float = 120.0,
    sheet: Callable[[nn.Module], Tensor] | None = None,
    sheet_every: int = 500,
    accelerator: str = "auto",
    precision: str = "32-true",
    devices: int = 1,
    nodes: int = 1,
    strategy: str = "auto",
) -> Iterator[Progress]:
    """Train `model` with AdamW, the rate falling linearly to zero, and yield how it stands.

    With several processes each takes its share of the rows of every batch, and gradients are averaged; so every loss
    must be a mean over the batch. (Batch norm sees its share only.) The first process writes and yields; the others
    end here, by SystemExit, so that what comes after the training happens once. A program can train that way once.

    Args:
        model: called with a batch, it returns a dict of weighted losses, which are summed; their names are always the
            same. Whatever is random must come with the batch: then a run that is resumed is the run that was not
            interrupted.
        batches: a data set whose n-th item is the n-th batch: a tensor, or tuples and dicts of them, each with a row
            for every picture.
        steps: of the whole run; one that is resumed with another number goes on to that one.
        checkpoint: file that is written every `save_every` seconds, at the end, and when the loop is left early; if
            it exists, the run goes on from it. Beside it a CSV log with the same stem.
        groups: AdamW's parameter groups, where parts want rates of their own; else all parameters alike.
        learning_rate: the highest, at the end of `warm_up`.
        warm_up: steps over which the rate rises from zero.
        report_every: steps between two yields; the last step yields too.
        sheet: called with the model, in eval mode and without gradients, it returns an image (1, 3, H, W), which is
            written beside the checkpoint as STEM-STEP.jpg every `sheet_every` steps and at the end.
        accelerator, precision: as Lightning Fabric's ("cpu", "gpu", …; "32-true", "bf16-mixed", …).
        devices: processes on each machine, a GPU each where there are GPUs.
        nodes: machines; the same command runs on each (with NODE_RANK, MASTER_ADDR and MASTER_PORT, or by torchrun
            or SLURM), and all see the checkpoint.
        strategy: as Fabric's, of the DDP family; "ddp_find_unused_parameters_true" for a model some of whose
            parameters have no part in some batches.

    Raises:
        ValueError: no steps; devices that are not there; a batch that cannot be shared equally.
        CheckpointError: a checkpoint that is damaged or another network's.
        FloatingPointError: the loss is not finite any more; the last checkpoint is kept.
    """
    for name, value in (("steps", steps), ("report_every", report_every), ("sheet_every", sheet_every)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    fabric = connect(accelerator=accelerator, precision=precision, devices=devices, nodes=nodes, strategy=strategy)
    skipped = tuple(getattr(batches, "skipped", ()))
    if fabric.world_size > 1:
        batches = Share(batches, fabric.global_rank, fabric.world_size)
        launch(fabric)
    trained = groups or [{"params": [p for p in model.parameters() if p.requires_grad]}]
    optimizer = torch.optim.AdamW(trained, lr=learning_rate, weight_decay=weight_decay)
    plan = _Plan(steps, warm_up, report_every, save_every, sheet, sheet_every, Path(checkpoint), skipped)
    run = _steps(fabric, model, optimizer, batches, plan)
    if fabric.is_global_zero:
        yield from run
    else:
        follow(run, (FloatingPointError, CheckpointError))


@dataclass(frozen=True)
class _Plan:
    """What `fit` was asked for, as there."""

    steps: int
    warm_up: int
    report_every: int
    save_every: float
    sheet: Callable[[nn.Module], Tensor] | None
    sheet_every: int
    checkpoint: Path
    skipped: tuple[Path, ...]


def _steps(
    fabric: Fabric, network: nn.Module, optimizer: torch.optim.AdamW, batches: Dataset[Any], plan: _Plan
) -> Iterator[Progress]:
    """The training in each of the processes; only the first one yields."""
    rates = [group["lr"] for group in optimizer.param_groups]  # kept here: those of a checkpoint may be others
    model, update = fabric.setup(network, optimizer)
    keeper = _Keeper(fabric, network, optimizer, plan)
    first = keeper.step
    log = _Log(plan, first) if fabric.is_global_zero else None
    model.train()
    with Together(fabric) as together, keeper:
        for step, batch in enumerate(_loader(batches, range(first, plan.steps)), start=first + 1):
            together.go_on()
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * rate_factor(step, plan.steps, plan.warm_up)
            losses = model(fabric.to_device(batch))
            if step == first + 1 or fabric.world_size == 1:
                names = list(dict.fromkeys(name for each in of_all(fabric, list(losses)) for name in each))
            means = _means(fabric, losses, names)
            keeper.whole = math.isfinite(sum(means.values()))
            if not keeper.whole:
                raise FloatingPointError(
                    f"the loss is {sum(means.values())} at step {step}; try a lower learning rate than {max(rates):g} "
                    f"(what was saved last, {plan.checkpoint}, is kept)"
                )
            update.zero_grad()
            fabric.backward(torch.stack(list(losses.values())).sum())
            keeper.whole = False
            update.step()
            keeper.stepped(step)
            together.stepped(last=step == plan.steps)
            if log is None:
                continue
            log.add(means)
            if plan.sheet and (step % plan.sheet_every == 0 or step == plan.steps):
                _write_sheet(network, plan, step)
            if step % plan.report_every == 0 or step == plan.steps:
                yield log.report(step)
            keeper.save_now_and_then()


def _loader(batches: Dataset[Any], numbers: range) -> DataLoader[Any]:
    return DataLoader(
        batches,
        batch_size=None,
        sampler=numbers,
        num_workers=1,  # decoding and augmentation stay out of the training thread
        generator=torch.Generator(),  # its own: the global one is yours
        worker_init_fn=ignore_interrupts,
    )


def _means(fabric: Fabric, losses: dict[str, Tensor], names: list[str]) -> dict[str, float]:
    """The losses over the whole batch, of which this process has a share; one that it lacks counts as 0 here."""
    nothing = torch.zeros((), device=fabric.device)
    values = torch.stack([losses.get(name, nothing).detach().float() for name in names])
    if fabric.world_size > 1:
        values = fabric.all_reduce(values, reduce_op="mean")
    return dict(zip(names, values.tolist(), strict=True))


def _write_sheet(network: nn.Module, plan: _Plan, step: int) -> None:
    modes = {part: part.training for part in network.modules()}
    network.eval()
    try:
        with torch.no_grad():
            image = plan.sheet(network)
    finally:
        for part, mode in modes.items():
            part.training = mode
    path = plan.checkpoint.with_name(f"{plan.checkpoint.stem}-{step:06d}.jpg")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(image.float().clamp(0, 1).cpu(), path)


class _Keeper:
    """The checkpoint of a run: read at the beginning; written now and then, and where the context is left.

    All processes read it, the first writes it.

    Raises:
        CheckpointError: it is damaged, of another network, or not there for all processes.
    """

    def __init__(self, fabric: Fabric, network: nn.Module, optimizer: torch.optim.AdamW, plan: _Plan) -> None:
        self.fabric, self.path, self.every = fabric, plan.checkpoint, plan.save_every
        self.state: dict[str, Any] = {"model": network, "optimizer": optimizer, "step": 0}
        if self.path.exists():
            self._resume()
        if len(set(of_all(fabric, self.step))) > 1:
            raise CheckpointError(f"not every node sees {self.path}; put it on a disk that all of them share")
        self.saved, self.saved_at = self.step, time.monotonic()
        self.whole = True  # False while the weights are not those of any step
        # Batch norm's means and variances as of that step; a step that is interrupted moves those of the network.
        self.buffers = [(buffer, buffer.clone()) for buffer in network.buffers()] if fabric.is_global_zero else []

    @property
    def step(self) -> int:
        """The last step that is complete."""
        return int(self.state["step"])

    def stepped(self, step: int) -> None:
        """Take note that a step is complete."""
        for buffer, kept in self.buffers:
            kept.copy_(buffer)
        self.state["step"], self.whole = step, True

    def save_now_and_then(self) -> None:
        """Write, if it is long enough since the last time."""
        if time.monotonic() - self.saved_at > self.every:
            self._save()

    def __enter__(self) -> "_Keeper":
        return self

    def __exit__(self, *_: object) -> None:
        if self.fabric.is_global_zero and self.whole and self.step > self.saved:
            for buffer, kept in self.buffers:
                buffer.copy_(kept)
            self._save()

    def _resume(self) -> None:
        try:
            self.fabric.load(self.path, self.state)
        except Exception as error:  # a broken pickle can end in any error at all
            raise CheckpointError(
                f"cannot go on from {self.path}: it is damaged, or of another network ({type(error).__name__}: "
                f"{str(error)[:200]}); delete it to start anew, or name another checkpoint"
            ) from error

    def _save(self) -> None:
        """Write beside, then rename: whatever happens, there is a whole checkpoint."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f"{self.path.name}.tmp")
        try:
            self.fabric.strategy.save_checkpoint(beside, self.state)  # Fabric.save would wait for the other processes
            os.replace(beside, self.path)
        finally:
            beside.unlink(missing_ok=True)
        self.saved, self.saved_at = self.step, time.monotonic()


class _Log:
    """Means of the losses between reports, on disk as CSV; and the time left."""

    def __init__(self, plan: _Plan, first: int) -> None:
        self.path, self.plan, self.first, self.start = (
            plan.checkpoint.with_suffix(".csv"),
            plan,
            first,
            time.monotonic(),
        )
        self.sums: dict[str, float] = {}
        self.count = 0
        if self.path.exists():  # keep what was reported up to the checkpoint; the steps after it will be made again
            with self.path.open(newline="") as file:
                kept = [
                    row
                    for row in csv.reader(file)
                    if row and (row[0] == "step" or (row[0].isdigit() and int(row[0]) <= first))
                ]
            self.path.unlink()
            if first:
                self._write(kept)

    def _write(self, rows: list[list[object]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", newline="") as file:
            csv.writer(file).writerows(rows)

    def add(self, losses: dict[str, float]) -> None:
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.count += 1

    def report(self, step: int) -> Progress:
        means = {name: value / self.count for name, value in self.sums.items()}
        self.sums, self.count = {}, 0
        header = [] if self.path.exists() else [["step", *means]]
        self._write([*header, [step, *(f"{value:.6g}" for value in means.values())]])
        each = (time.monotonic() - self.start) / (step - self.first)
        return Progress(step, self.plan.steps, means, each * (self.plan.steps - step), self.plan.skipped)
