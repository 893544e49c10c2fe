"""One fit loop for every network of the course, and the pictures that feed it.

A training run is a generator of `Progress`: anyone can watch it, plot it and stop it. It writes checkpoints and goes
on from the last one. Batch number n depends on the seed and on n alone, so a run that was killed and resumed ends with
the same weights as one that was not.
"""

import csv
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from stylelearn.images import ImageError, read_image, resize

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
# Every 10th picture of a folder is for measuring, so that training never sees it.
SPLITS = {"all": lambda i: True, "train": lambda i: i % 10 != 9, "held-back": lambda i: i % 10 == 9}


class Crops(Dataset[Tensor]):
    """Batches of random crops from folders of pictures, decoded once and kept in memory as bytes.

    Args:
        folders: searched with all their sub-folders for pictures.
        size: side of the crops in pixels.
        batch: crops per batch.
        seed: with the batch's number it fixes every crop.
        keep: short side in pixels at which pictures are kept; a crop covers between 0.6 and all of it.
        jitter: how far brightness and colour vary, 0 for not at all.
        split: "train" leaves out every 10th picture of each folder, "held-back" takes only those, "all" takes all.

    Raises:
        ValueError: a folder that is not there or holds no pictures; none that can be read; an unknown split.

    `skipped` lists the files that could not be read.
    """

    def __init__(
        self,
        folders: Sequence[str | Path] | str | Path,
        *,
        size: int = 128,
        batch: int = 16,
        seed: int = 0,
        keep: int = 160,
        jitter: float = 0.0,
        split: str = "train",
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(map(repr, SPLITS))}, not {split!r}")
        if size < 1 or batch < 1:
            raise ValueError(f"size and batch must be at least 1; they are {size} and {batch}")
        self.size, self.batch, self.seed, self.jitter = size, batch, seed, jitter
        folders = [folders] if isinstance(folders, str | Path) else list(folders)
        paths = [path for folder in folders for i, path in enumerate(_pictures(Path(folder))) if SPLITS[split](i)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            pictures = list(pool.map(lambda path: _decode(path, max(keep, size)), paths))
        self.skipped = [path for path, picture in zip(paths, pictures, strict=True) if picture is None]
        # NumPy's arrays and not tensors: a worker process gets thousands of them without opening a file for each.
        self.pictures = [picture for picture in pictures if picture is not None]
        if not self.pictures:
            raise ValueError(
                f"no readable pictures for the split {split!r} in {', '.join(map(str, folders))} "
                f"({len(self.skipped)} of {len(paths)} skipped; each 10th picture of a folder is held back)"
            )

    def __getitem__(self, number: int) -> Tensor:
        """Batch `number`: (batch, 3, size, size) in [0, 1]."""
        rng = np.random.default_rng((self.seed, number))
        return torch.cat([self._crop(rng) for _ in range(self.batch)])

    def _crop(self, rng: np.random.Generator) -> Tensor:
        picture = self.pictures[rng.integers(len(self.pictures))]  # (3, H, W)
        height, width = picture.shape[1:]
        side = int(min(height, width) * rng.uniform(0.6, 1.0))
        top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        crop = picture[:, top : top + side, left : left + side]  # (3, side, side)
        if rng.random() < 0.5:
            crop = crop[:, :, ::-1]
        x = torch.from_numpy(np.ascontiguousarray(crop))[None].float() / 255
        x = resize(x, self.size, "box")  # (1, 3, size, size)
        if self.jitter:
            gain = rng.uniform(1 - self.jitter, 1 + self.jitter)
            tint = rng.uniform(1 - self.jitter / 2, 1 + self.jitter / 2, size=(1, 3, 1, 1))
            x = (x * torch.from_numpy(gain * tint).float()).clamp(0, 1)
        return x


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}; name one that holds pictures")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise ValueError(f"no pictures in {folder}; put {', '.join(sorted(SUFFIXES))} files there")
    return found


def _decode(path: Path, short_side: int) -> np.ndarray | None:
    """(3, H, W), uint8: a quarter of the memory; None if it cannot be read."""
    try:
        image = read_image(path, size=short_side)
    except ImageError:
        return None
    return (image[0] * 255).round().byte().numpy()


@dataclass(frozen=True)
class Progress:
    """Where a training run stands after `step` of `steps`; losses are means since the last report."""

    step: int
    steps: int
    losses: dict[str, float]
    seconds_left: float


def rate_factor(step: int, steps: int, warm_up: int) -> float:
    """What the learning rate is multiplied by at `step` (from 1): up over `warm_up` steps, down to 0 after `steps`."""
    return min(step / max(warm_up, 1), 1.0) * (1 - (step - 1) / steps)


def fit(
    model: nn.Module,
    batches: Dataset[Tensor],
    *,
    steps: int,
    checkpoint: str | Path,
    groups: Sequence[dict[str, object]] | None = None,
    learning_rate: float = 1e-3,
    weight_decay: float = 1e-4,
    warm_up: int = 200,
    report_every: int = 50,
    save_every: float = 120.0,
    accelerator: str = "auto",
    precision: str = "32-true",
) -> Iterator[Progress]:
    """Train `model` with AdamW, the rate falling linearly to zero, and yield how it stands.

    Args:
        model: called with a batch, it returns a dict of weighted losses, which are summed. Whatever is random must
            come with the batch: then a run that is resumed is the run that was not interrupted.
        batches: a data set whose n-th item is the n-th batch.
        steps: of the whole run; one that is resumed with another number goes on to that one.
        checkpoint: file that is written every `save_every` seconds, at the end, and when the loop is left early; if
            it exists, the run goes on from it. Beside it a CSV log with the same stem.
        groups: AdamW's parameter groups, where parts want rates of their own; else all parameters alike.
        learning_rate: the highest, at the end of `warm_up`.
        warm_up: steps over which the rate rises from zero.
        report_every: steps between two yields; the last step yields too.
        accelerator, precision: as Lightning Fabric's ("cpu", "gpu", …; "32-true", "bf16-mixed", …).

    Raises:
        ValueError: no steps; a checkpoint that is damaged or another network's.
        FloatingPointError: the loss is not finite any more; the last checkpoint is kept.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    fabric = Fabric(accelerator=accelerator, devices=1, precision=precision)  # type: ignore[arg-type]
    trained = groups or [{"params": [p for p in model.parameters() if p.requires_grad]}]
    optimizer = torch.optim.AdamW(trained, lr=learning_rate, weight_decay=weight_decay)
    rates = [group["lr"] for group in optimizer.param_groups]  # kept here: those of a checkpoint may be others
    model, optimizer = fabric.setup(model, optimizer)
    checkpoint = Path(checkpoint)
    state = {"model": model, "optimizer": optimizer, "step": 0}
    _resume(fabric, checkpoint, state)
    first = last_saved = int(state["step"])
    # One worker: decoding and augmentation stay out of the training thread. Its own generator: the global one is yours.
    loader = DataLoader(
        batches, batch_size=None, sampler=range(first, steps), num_workers=1, generator=torch.Generator()
    )
    log = _Log(checkpoint.with_suffix(".csv"), steps, first)
    saved_at = time.monotonic()
    model.train()
    whole = True  # False while the weights are not those of any step
    running = [buffer.clone() for buffer in model.buffers()]  # batch norm's means and variances, as of that step
    try:
        for step, batch in enumerate(loader, start=first + 1):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * rate_factor(step, steps, warm_up)
            losses = model(fabric.to_device(batch))
            total = torch.stack(list(losses.values())).sum()
            whole = bool(torch.isfinite(total))
            if not whole:
                raise FloatingPointError(
                    f"the loss is {total.item()} at step {step}; try a lower learning rate than {learning_rate:g} "
                    f"(what was saved last, {checkpoint}, is kept)"
                )
            optimizer.zero_grad()
            fabric.backward(total)
            whole = False
            optimizer.step()
            state["step"], whole, running = step, True, [buffer.clone() for buffer in model.buffers()]
            log.add(losses)
            if step % report_every == 0 or step == steps:
                yield log.report(step)
            if time.monotonic() - saved_at > save_every:
                _save(fabric, checkpoint, state)
                saved_at, last_saved = time.monotonic(), step
    finally:
        if whole and state["step"] > last_saved:
            for buffer, value in zip(model.buffers(), running, strict=True):  # a step that was interrupted moved them
                buffer.copy_(value)
            _save(fabric, checkpoint, state)


def _resume(fabric: Fabric, path: Path, state: dict[str, object]) -> None:
    if not path.exists():
        return
    try:
        fabric.load(path, state)
    except Exception as error:  # a broken pickle can end in any error at all
        raise ValueError(
            f"cannot go on from {path}: it is damaged, or of another network ({type(error).__name__}: "
            f"{str(error)[:200]}); delete it to start anew, or name another checkpoint"
        ) from error


def _save(fabric: Fabric, path: Path, state: dict[str, object]) -> None:
    """Write beside, then rename: whatever happens, there is a whole checkpoint."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.tmp")
    try:
        fabric.save(beside, state)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


class _Log:
    """Means of the losses between reports, on disk as CSV; and the time left."""

    def __init__(self, path: Path, steps: int, first: int) -> None:
        self.path, self.steps, self.first, self.start = path, steps, first, time.monotonic()
        self.sums: dict[str, float] = {}
        self.count = 0
        if path.exists():  # keep what was reported up to the checkpoint; the steps after it will be made again
            with path.open(newline="") as file:
                kept = [
                    row
                    for row in csv.reader(file)
                    if row and (row[0] == "step" or (row[0].isdigit() and int(row[0]) <= first))
                ]
            path.unlink()
            if first:
                self._write(kept)

    def _write(self, rows: list[list[object]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", newline="") as file:
            csv.writer(file).writerows(rows)

    def add(self, losses: dict[str, Tensor]) -> None:
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value.item()
        self.count += 1

    def report(self, step: int) -> Progress:
        means = {name: value / self.count for name, value in self.sums.items()}
        self.sums, self.count = {}, 0
        header = [] if self.path.exists() else [["step", *means]]
        self._write([*header, [step, *(f"{value:.6g}" for value in means.values())]])
        each = (time.monotonic() - self.start) / (step - self.first)
        return Progress(step, self.steps, means, each * (self.steps - step))
