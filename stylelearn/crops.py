"""The pictures that feed a training run: random crops from any folders, in batches that anyone can make again."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from stylelearn.images import ImageError, read_image, resize

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
# Every 10th picture of a folder is for measuring, so that training never sees it.
SPLITS = {"all": lambda i: True, "train": lambda i: i % 10 != 9, "held-back": lambda i: i % 10 == 9}
# For networks that paint: near and far, bright and dark, as the photos of learners are. Where a network has only seen
# small dark places, large ones become blobs.
VARIED: dict[str, float] = {"least": 0.3, "jitter": 0.3}


class Crops(Dataset[Tensor]):
    """Batches of random crops from folders of pictures, decoded once and kept in memory as bytes.

    Args:
        folders: searched with all their sub-folders for pictures.
        size: side of the crops in pixels.
        batch: crops per batch.
        seed: with the batch's number it fixes every crop.
        keep: short side in pixels at which pictures are kept.
        least: a crop covers between this share and all of the short side.
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
        least: float = 0.6,
        jitter: float = 0.0,
        split: str = "train",
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(map(repr, SPLITS))}, not {split!r}")
        if size < 1 or batch < 1:
            raise ValueError(f"size and batch must be at least 1; they are {size} and {batch}")
        if not 0 < least <= 1:
            raise ValueError(f"least must be above 0 and at most 1; it is {least}")
        self.size, self.batch, self.seed, self.least, self.jitter = size, batch, seed, least, jitter
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
        return self.rows(number, slice(None))

    def rows(self, number: int, which: slice) -> Tensor:
        """These crops of batch `number`; the others are not even cut."""
        rng = np.random.default_rng((self.seed, number))
        drawn = [self._draw(rng) for _ in range(self.batch)]
        return torch.cat([self._cut(crop, colour) for crop, colour in drawn[which]])

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray | None]:
        """A piece of a picture (3, side, side), and what its channels are multiplied by (1, 3, 1, 1)."""
        picture = self.pictures[rng.integers(len(self.pictures))]  # (3, H, W)
        height, width = picture.shape[1:]
        side = int(min(height, width) * rng.uniform(self.least, 1.0))
        top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        crop = picture[:, top : top + side, left : left + side]  # (3, side, side)
        if rng.random() < 0.5:
            crop = crop[:, :, ::-1]
        if not self.jitter:
            return crop, None
        gain = rng.uniform(1 - self.jitter, 1 + self.jitter)
        return crop, gain * rng.uniform(1 - self.jitter / 2, 1 + self.jitter / 2, size=(1, 3, 1, 1))

    def _cut(self, crop: np.ndarray, colour: np.ndarray | None) -> Tensor:
        x = torch.from_numpy(np.ascontiguousarray(crop))[None].float() / 255
        x = resize(x, self.size, "box")  # (1, 3, size, size)
        return x if colour is None else (x * torch.from_numpy(colour).float()).clamp(0, 1)


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
