"""One training loop for every network of the course, and the random crops that it learns from.

`fit` is a generator of `Progress`: a caller can watch, plot and stop it. It writes checkpoints and goes on from the
last one. Batch n depends on the seed and on n alone, so a run that was killed and resumed ends with the same weights as
an uninterrupted one. Several processes share each batch and end with the same weights as one, up to rounding.
"""

from __future__ import annotations

import csv
import hashlib
import logging
import math
import os
import signal
import statistics
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from lightning_utilities.core.apply_func import apply_to_collection
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from tqdm.auto import tqdm

from stylelearn.decoding import SUFFIXES
from stylelearn.files import check_output, replacing
from stylelearn.images import ImageError, read_image, read_settings, resize, write_image
from stylelearn.weights import sha256

if TYPE_CHECKING:
    from lightning_fabric import Fabric

log = logging.getLogger("stylelearn")

# Settings for a machine; "batch" and "steps" are factors of the network's usual values. Johnson et al. (2016) trained
# on 160,000 crops of 256 pixels; so does "gpu".
PRESETS: dict[str, dict[str, Any]] = {
    "laptop": {"batch": 1, "steps": 1, "precision": "32-true", "accelerator": "cpu"},
    "gpu": {"size": 256, "batch": 4, "steps": 2.5, "precision": "bf16-mixed", "accelerator": "gpu"},
}
SAVE_EVERY = 120.0  # seconds between two checkpoints


# --- crops ------------------------------------------------------------------------------------------------------------

IN_MEMORY = 2 << 30  # bytes of decoded pictures: about 20,000 photos; more are decoded again for each crop
# Crops for networks that stylise photos: many scales and brightnesses, as in learners' photos. A network that has only
# seen small dark regions turns large ones into blobs.
VARIED: dict[str, Any] = {"least": 0.3, "jitter": 0.3}


class Crops(Dataset[Tensor]):
    """Batches of random crops from folders of pictures. Pictures are decoded once and kept, up to `IN_MEMORY` bytes.

    Args:
        folders: searched for pictures with all their sub-folders, also behind links.
        size, batch: side of the crops in pixels, and crops per batch.
        seed: with the batch's number it fixes every crop.
        keep: short side in pixels at which pictures are kept.
        least: a crop covers between this share and all of the short side.
        jitter: how far brightness and colour vary, 0 for not at all.
        held_back: take each 10th picture of each folder only; else all but these.
    Raises:
        ValueError: a folder that is missing or holds no pictures; none that can be read.

    `skipped` lists the files that could not be read; `about` identifies these batches.
    """

    def __init__(
        self,
        folders: Sequence[str | Path] | str | Path,
        *,
        size: int = 128,
        batch: int = 16,
        seed: int = 0,
        keep: int = 160,
        least: float = 0.6,
        jitter: float = 0.0,
        held_back: bool = False,
    ) -> None:
        if size < 1 or batch < 1:
            raise ValueError(f"size and batch must be at least 1; they are {size} and {batch}")
        if not 0 < least <= 1:
            raise ValueError(f"least must be above 0 and at most 1; it is {least}")
        self.size, self.batch, self.seed, self.least, self.jitter = size, batch, seed, least, jitter
        self.short_side = max(keep, size)
        places = [Path(folder) for folder in ([folders] if isinstance(folders, str | Path) else folders)]
        # Each 10th picture of a folder is for measuring, so that training never sees it.
        found = [path for one in places for i, path in enumerate(_find_pictures(one), 1) if held_back == (i % 10 == 0)]
        self.pictures, self.skipped = _decode_all(found, self.short_side)
        split = "held-back" if held_back else "train"
        if not self.pictures:
            raise ValueError(
                f"no readable pictures for the split {split!r} in {', '.join(map(str, places))} "
                f"({len(self.skipped)} of {len(found)} skipped; each 10th picture of a folder is held back)"
            )
        if self.skipped and is_first_process():
            names = ", ".join(path.name for path in self.skipped[:3]) + (", …" if len(self.skipped) > 3 else "")
            log.warning("%d of %d pictures skipped, as not readable: %s", len(self.skipped), len(found), names)
        listing = "\n".join(f"{path.name} {path.stat().st_size}" for path in found if path.exists())
        self.about = {
            "size": size,
            "batch": batch,
            "seed": seed,
            "crops": [self.short_side, least, jitter, split],
            "pictures": len(self.pictures),
            "sha256": hashlib.sha256(listing.encode(errors="surrogateescape")).hexdigest()[:16],
        }

    def __getitem__(self, number: int) -> Tensor:
        """Batch `number`: (batch, 3, size, size) in [0, 1]."""
        rng = np.random.default_rng((self.seed, number))
        return torch.cat([self._crop(rng) for _ in range(self.batch)])

    def _crop(self, rng: np.random.Generator) -> Tensor:
        """(1, 3, size, size)."""
        picture = self.pictures[rng.integers(len(self.pictures))]  # (3, H, W)
        if isinstance(picture, Path):
            picture = _decode(picture, self.short_side)
        height, width = picture.shape[1:]
        side = int(min(height, width) * rng.uniform(self.least, 1.0))
        top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        crop = picture[:, top : top + side, left : left + side]  # (3, side, side)
        if rng.random() < 0.5:
            crop = crop[:, :, ::-1]
        x = torch.from_numpy(np.ascontiguousarray(crop))[None].float() / 255
        x = resize(x, self.size, "box")
        if not self.jitter:
            return x
        gain = rng.uniform(1 - self.jitter, 1 + self.jitter)
        colour = gain * rng.uniform(1 - self.jitter / 2, 1 + self.jitter / 2, size=(1, 3, 1, 1))
        return (x * torch.from_numpy(colour).float()).clamp(0, 1)


def _find_pictures(folder: Path) -> list[Path]:
    """All pictures under `folder`, in order, without hidden files; a folder behind two links counts once."""
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}; name one that holds pictures")
    found, visited = [], set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders.sort()
        pictures = (name for name in names if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."))
        found += [Path(place, name) for name in pictures]
    if not found:
        raise ValueError(f"no pictures in {folder}; put {', '.join(sorted(SUFFIXES))} files there")
    return sorted(found)


def _decode_all(paths: Sequence[Path], short_side: int) -> tuple[list[np.ndarray | Path], list[Path]]:
    """The pictures, those beyond `IN_MEMORY` bytes as paths; and what cannot be read."""

    def decoded(path: Path) -> np.ndarray | None:
        with suppress(ImageError):
            return _decode(path, short_side)
        return None

    # NumPy arrays and not tensors: a worker process gets thousands of them without opening a file for each.
    pictures: list[np.ndarray | Path] = []
    skipped: list[Path] = []
    room = IN_MEMORY
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        found = pool.map(decoded, paths)
        bar = tqdm(found, "reading pictures", len(paths), leave=False, delay=2, disable=not is_first_process())
        for path, picture in zip(paths, bar, strict=True):
            if picture is None:
                skipped.append(path)
            else:
                room -= picture.nbytes
                pictures.append(picture if room >= 0 else path)
    finally:
        pool.shutdown(cancel_futures=True)
    return pictures, skipped


def _decode(path: Path, short_side: int) -> np.ndarray:
    """(3, H, W), uint8: a quarter of the memory of float32."""
    return (read_image(path, size=short_side)[0] * 255).round().byte().numpy()


# --- the loop ---------------------------------------------------------------------------------------------------------


class CheckpointError(ValueError):
    """A checkpoint that a run cannot go on from."""


@dataclass(frozen=True)
class Progress:
    """Where a training run stands after `step` of `steps`; `losses` are means since the last report."""

    step: int
    steps: int
    losses: dict[str, float]
    seconds_left: float


def rate_factor(step: int, steps: int, warm_up: int) -> float:
    """The factor of the learning rate at `step` (from 1): up over `warm_up` steps, and down to 0 after `steps`."""
    return min(step / max(warm_up, 1), 1.0) * (1 - (step - 1) / steps)


def settings(out: Path, run: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `fit` for a training that writes `out`: `run` without None, the checkpoint beside `out`."""
    return {"checkpoint": out.with_suffix(".ckpt")} | {name: value for name, value in run.items() if value is not None}


def fit(
    model: nn.Module,
    batches: Dataset[Any],
    *,
    steps: int,
    checkpoint: str | Path,
    about: Mapping[str, Any] | None = None,
    anew: bool = False,
    groups: Sequence[dict[str, object]] | None = None,
    learning_rate: float = 1e-3,
    warm_up: int = 200,
    report_every: int = 50,
    sheet: Callable[[nn.Module], Tensor] | None = None,
    sheet_every: int = 500,
    **fabric: Any,
) -> Generator[Progress, None, dict[str, Any]]:
    """Train `model` with AdamW, the rate falling linearly to zero; yield progress, return what was trained, as JSON.

    Ctrl-C waits for the end of a step; a second Ctrl-C does not. With several processes each takes its share of the
    rows of every batch, and gradients are averaged; so every loss must be a mean over the batch. (Batch norm sees its
    share only.) The first process writes and yields; the others end here, by SystemExit. A program can train that way
    once.

    Args:
        model: called with a batch, it returns a dict of weighted losses, always of the same names, which are summed.
            Whatever is random must come with the batch.
        batches: a data set whose n-th item is the n-th batch: a tensor, or tuples and dicts of them, each with a row
            for every picture.
        steps: of the whole run; one that is resumed with another number goes on to that one.
        checkpoint: file that is written every `SAVE_EVERY` seconds, at the end, and when the loop is left between two
            steps. If it exists, the run goes on from it. Beside it a CSV log with the same stem.
        about: all that makes the run what it is, by name, as `identify` takes it. A checkpoint with other values is
            refused; steps, learning rate and machine may differ.
        anew: begin at step 0, whatever the checkpoint holds.
        groups: AdamW's parameter groups, where parts want rates of their own; else all parameters alike.
        learning_rate: the highest, at the end of `warm_up`, the steps over which the rate rises from zero.
        report_every: steps between two yields; the last step yields too.
        sheet: called with the model, in eval mode and without gradients, it returns an image (1, 3, H, W), which is
            written beside the checkpoint as STEM-STEP.jpg every `sheet_every` steps and at the end.
        fabric: arguments of Lightning Fabric: accelerator, precision, devices (processes on each machine, 1 by
            default), num_nodes (machines; the same command runs on each, and all see the checkpoint).

    Raises:
        ValueError: no steps; devices that are not there; a batch that cannot be shared equally; files beside the
            checkpoint that would be replaced and are not of a training.
        CheckpointError: a checkpoint that is damaged or of another training; says what differs.
        FloatingPointError: the loss is not finite any more; the last checkpoint is kept.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    path = _checked_places(Path(checkpoint))
    machine = _connect(batches, **fabric)
    about = {"precision": fabric.get("precision") or "32-true", **identify(about or {})}
    trained = groups or [{"params": [p for p in model.parameters() if p.requires_grad]}]
    optimizer = torch.optim.AdamW(trained, lr=learning_rate, weight_decay=0.0)
    rates = [group["lr"] for group in optimizer.param_groups]  # kept here: those of a checkpoint may be others

    def run() -> Iterator[Progress]:
        wrapped, update = machine.setup(model, optimizer)
        saved = _Checkpoint(path, model, optimizer, about)
        first = saved.resume(steps, anew=anew)
        seen = cast(Tensor, machine.all_gather(torch.tensor(first, device=machine.device)))
        if len(set(seen.flatten().tolist())) > 1:
            raise CheckpointError(f"not every machine sees {path}; put it on a disk that all of them share")
        log_file = _Log(path.with_suffix(".csv"), first, steps)
        model.train()
        step, whole = first, True  # whole: the weights are those after `step`, and no process is in the next one
        try:
            for batch in _loader(batches, range(first, steps), machine):
                with _uninterrupted():
                    whole = False
                    if not _all_go_on(machine, True):
                        return
                    step += 1
                    for group, rate in zip(optimizer.param_groups, rates, strict=True):
                        group["lr"] = rate * rate_factor(step, steps, warm_up)
                    losses = wrapped(machine.to_device(batch))
                    values = torch.stack([value.detach().float() for value in losses.values()])
                    shared = cast(Tensor, machine.all_reduce(values, reduce_op="mean"))
                    means = dict(zip(losses, shared.tolist(), strict=True))
                    if not math.isfinite(sum(means.values())):
                        raise FloatingPointError(
                            f"the loss is {sum(means.values())} at step {step}; try a lower learning rate than "
                            f"{max(rates):g} (what was saved last, {path}, is kept)"
                        )
                    update.zero_grad()
                    machine.backward(torch.stack(list(losses.values())).sum())
                    update.step()
                    whole = True
                if not machine.is_global_zero:
                    continue
                log_file.losses.append(means)
                if sheet and (step % sheet_every == 0 or step == steps):
                    _write_sheet(sheet, model, path, step)
                if step % report_every == 0 or step == steps:
                    yield log_file.report(step)
                if time.monotonic() - saved.at > SAVE_EVERY:
                    saved.save(step)
        finally:
            if machine.is_global_zero and whole:
                if step < steps:
                    _all_go_on(machine, False)
                saved.save(step)

    if machine.is_global_zero:
        yield from run()
        return {**about, "steps": steps, "learning_rate": learning_rate}
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first process, which tells the others
    with suppress(FloatingPointError, CheckpointError):  # the first process reports them
        for _ in run():
            pass
    raise SystemExit(0)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Inside, Ctrl-C waits for the end; a second one does not."""
    before = signal.getsignal(signal.SIGINT)
    asked: list[Any] = []
    if before in (signal.SIG_IGN, None) or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(True)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt


def _checked_places(checkpoint: Path) -> Path:
    """The path of the checkpoint, once nothing beside it would be overwritten that is not of a training."""
    try:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"the folder '{checkpoint.parent}' cannot be made ({error.strerror})") from error
    checkpoint = check_output(checkpoint)
    table = check_output(checkpoint.with_suffix(".csv"))
    if table.exists() and table.read_bytes()[:5] not in (b"", b"step,"):
        raise ValueError(f"'{table}' is no log of a training and would be overwritten; name another checkpoint")
    for sheet in sorted(checkpoint.parent.glob("*.jpg")):
        stem, _, number = sheet.stem.rpartition("-")
        if stem == checkpoint.stem and len(number) == 6 and number.isdigit() and not _is_sheet(sheet):
            raise ValueError(f"'{sheet}' is no sheet of a training and could be overwritten; name another checkpoint")
    return checkpoint


def _is_sheet(path: Path) -> bool:
    with suppress(ImageError):
        return "step" in read_settings(path)
    return False


def _write_sheet(sheet: Callable[[nn.Module], Tensor], model: nn.Module, checkpoint: Path, step: int) -> None:
    model.eval()
    try:
        with torch.no_grad():
            image = sheet(model)
    finally:
        model.train()
    path = checkpoint.with_name(f"{checkpoint.stem}-{step:06d}.jpg")
    write_image(image.float().clamp(0, 1).cpu(), path, settings={"checkpoint": checkpoint.name, "step": step})


class _Log:
    """Means of the losses between reports, on disk as CSV; and the time left."""

    def __init__(self, path: Path, first: int, steps: int) -> None:
        self.path, self.first, self.steps, self.start = path, first, steps, time.monotonic()
        self.losses: list[dict[str, float]] = []  # since the last report
        # Reports after the checkpoint are dropped: their steps are made again.
        rows = list(csv.reader(path.read_text().splitlines())) if first and path.exists() else []
        self.rows = [row for row in rows if row and row[0].isdigit() and int(row[0]) <= first]

    def report(self, step: int) -> Progress:
        means = {name: statistics.fmean(each[name] for each in self.losses) for name in self.losses[0]}
        self.losses = []
        self.rows.append([str(step), *(f"{value:.6g}" for value in means.values())])
        with replacing(self.path) as part, part.open("w", newline="") as file:
            csv.writer(file).writerows([["step", *means], *self.rows])
        each = (time.monotonic() - self.start) / (step - self.first)
        return Progress(step, self.steps, means, each * (self.steps - step))


class _Checkpoint:
    """The file of a run: the weights, the optimiser, the number of steps, and what the run is."""

    def __init__(self, path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, about: dict[str, Any]) -> None:
        self.path, self.model, self.optimizer, self.about = path, model, optimizer, about
        self.step, self.at = 0, time.monotonic()  # what was saved last, and when

    def resume(self, steps: int, *, anew: bool) -> int:
        """Take over what the file holds, unless `anew`; returns the steps that are done."""
        if not self.path.exists():
            return 0
        found = self._read()  # also if the run begins anew: nothing but a checkpoint is replaced
        if anew:
            return 0
        other = _differences(found.get("about", {}), self.about)
        if other:
            raise CheckpointError(
                f"{self.path} is of another training: {'; '.join(other)}. Ask for the same as before to go on from it, "
                "begin anew (anew=True, or --anew), or name another checkpoint"
            )
        try:
            self.model.load_state_dict(found["model"])
            self.optimizer.load_state_dict(found["optimizer"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise CheckpointError(
                f"{self.path} is of another network ({str(error)[:200]}); begin anew, or name another checkpoint"
            ) from error
        self.step = int(found["step"])
        if is_first_process():
            left = "" if self.step < steps else "; nothing is left to train: ask for more steps, or begin anew"
            log.warning("going on from %s, at step %d of %d%s", self.path, self.step, steps, left)
        return self.step

    def _read(self) -> dict[str, Any]:
        try:
            found = torch.load(self.path, map_location="cpu", weights_only=True)
            if found.keys() >= {"model", "optimizer", "step"}:
                return found
            reason = "it lacks a model, an optimizer or a step"
        except Exception as error:  # a broken pickle can end in any error at all
            reason = f"{type(error).__name__}: {str(error)[:200]}"
        raise CheckpointError(
            f"{self.path} is damaged, or no checkpoint of stylelearn ({reason}); name another checkpoint, or delete it"
        )

    def save(self, step: int) -> None:
        """Write what there is after `step`, unless that is in the file already."""
        if step > self.step:
            state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
            with replacing(self.path) as part:
                torch.save(state | {"step": step, "about": self.about}, part)
            self.step, self.at = step, time.monotonic()


# --- what a checkpoint is of ------------------------------------------------------------------------------------------


def identify(value: Any) -> Any:
    """`value` as JSON that identifies it, inside dicts and lists, too.

    An image (1, 3, H, W) is known by its size and the mean colours of 4 x 4 fields, in 0 … 255; a network or a file by
    its SHA-256; what has `about`, such as `Crops`, by that.
    """
    if isinstance(value, Tensor):
        fields = F.adaptive_avg_pool2d(value.detach().double().cpu(), 4) * 255  # not a hash: the last bit may differ
        return {"pixels": list(value.shape[2:]), "colours": [round(x, 2) for x in fields.flatten().tolist()]}
    if isinstance(value, nn.Module):
        digest = hashlib.sha256(repr(value).encode())
        for part in value.state_dict().values():
            digest.update(part.detach().cpu().float().contiguous().numpy().tobytes())
        return {"name": getattr(value, "name", type(value).__name__), "sha256": digest.hexdigest()[:16]}
    if isinstance(value, Path):
        return {"name": value.name, "sha256": sha256(value)[:16]}
    if hasattr(value, "about"):
        return identify(value.about)
    if isinstance(value, Mapping):
        return {str(key): identify(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [identify(each) for each in value]
    return value


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], of: str = "") -> list[str]:
    found = []
    for name in [*now, *(name for name in before if name not in now)]:
        old, new = before.get(name), now.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += _differences(old, new, f"{of}{name} ")
        elif name == "colours" and old and new:
            if max(abs(a - b) for a, b in zip(old, new, strict=True)) > 0.05:
                found.append(f"{of.strip()} is another picture")
        elif old != new and name == "sha256":
            found.append(f"{of.strip()} has another content")
        elif old != new:
            found.append(f"{of}{name} was {str(old)[:60]}, is {str(new)[:60]}")
    return found


# --- several processes ------------------------------------------------------------------------------------------------

# Fabric starts the program once for each device. Every process makes the same steps, each on its rows of the batch. In
# each step they wait for one another, so none may leave on its own: the first decides for all.


def is_first_process() -> bool:
    """Whether this is the only process, or the one that speaks for all; as Fabric, torchrun and SLURM number them."""
    return not any(os.environ.get(name, "0") != "0" for name in ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID"))


def _connect(batches: Dataset[Any], *, devices: int = 1, num_nodes: int = 1, **more: Any) -> Fabric:
    """Fabric with devices × num_nodes processes, all of them running."""
    from lightning_fabric import Fabric  # here: it brings torch._dynamo, seconds and 70 MB that only a training needs

    try:
        fabric = Fabric(devices=devices, num_nodes=num_nodes, **more)
    except Exception as error:  # Fabric knows many, and some classes of its own
        asked = ", ".join(f"{name} {value!r}" for name, value in {**more, "devices": devices}.items())
        raise ValueError(f"cannot train with {asked}: {error}") from error
    if devices * num_nodes == fabric.world_size == 1:
        return fabric
    if torch.distributed.is_initialized():
        raise ValueError("this program has trained with several processes already; begin the next training in another")
    apply_to_collection(batches[0], Tensor, lambda x: _check_divides(x, fabric.world_size))
    try:
        fabric.launch()
    except TypeError as error:  # a notebook is no program that could be started once more
        raise ValueError("a notebook cannot train with several processes; use `stylelearn train`") from error
    return fabric


def _check_divides(x: Tensor, world: int) -> None:
    if x.ndim and len(x) % world:
        raise ValueError(
            f"a batch of {len(x)} cannot be shared by {world} processes equally; choose a multiple of {world}"
        )


def _all_go_on(fabric: Fabric, me: bool) -> bool:
    """Whether every process goes on; each of them waits here for the others."""
    if fabric.world_size == 1:
        return me
    share = cast(Tensor, fabric.all_reduce(torch.tensor(float(me), device=fabric.device), reduce_op="mean"))
    return float(share) == 1


def _loader(batches: Dataset[Any], numbers: range, fabric: Fabric) -> DataLoader[Any]:
    """The batches of these numbers, and of each the rows rank, rank + world, rank + 2 · world, …"""
    return DataLoader(
        batches,
        batch_size=None,
        sampler=numbers,
        num_workers=1,  # decoding and augmentation stay out of the training thread
        collate_fn=partial(_rows, which=slice(fabric.global_rank, None, fabric.world_size)),
        generator=torch.Generator(),  # its own: the global one is the caller's
        worker_init_fn=_ignore_interrupts,
    )


def _rows(batch: Any, which: slice) -> Any:
    return apply_to_collection(batch, Tensor, lambda x: x[which] if x.ndim else x)


def _ignore_interrupts(_: int) -> None:
    """For workers that load data: Ctrl-C is for the process that they load for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
