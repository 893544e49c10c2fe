"""Pictures and devices that the command line names."""

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from stylelearn.cli.parsing import UsageError

if TYPE_CHECKING:
    from torch import Tensor

DEVICES = ("cpu", "cuda", "mps")
SMALLEST = 32  # pixels of a side, for the deepest layer of an encoder
PICTURES = (".jpg", ".jpeg", ".png", ".webp")  # endings that can be written


def chosen_device(name: str, exact: str = "") -> str:
    """`name`, if this machine has the device.

    Args:
        exact: what computes in float64, such as "--method photo", which Apple's GPUs lack; "" if nothing does.
    Raises:
        UsageError: it has not; lists the devices.
    """
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[name]:
        have = ", ".join(device for device, found in there.items() if found)
        raise UsageError(f"--device {name} is not available here; this machine has: {have}")
    if name == "mps" and exact:
        raise UsageError(f"{exact} computes in float64, which Apple's GPUs do not have; use --device cpu")
    return name


def picture(name: str, size: int | None) -> "Tensor":
    """A file, an address, or one of the course's pictures (a file of that name comes first).

    Args:
        size: of the shorter side in pixels; None leaves the picture as it is.
    Returns:
        (1, 3, H, W) in [0, 1].
    Raises:
        UsageError: neither a file nor a name of the course. ImageError: no readable picture.
    """
    from stylelearn import samples
    from stylelearn.images import read_image

    known = dict.fromkeys(samples.content_names(), samples.content)
    known |= dict.fromkeys(samples.style_names(), samples.style)
    if name in known and not Path(name).is_file():
        return known[name](name, size)
    if Path(name).suffix or "://" in name or Path(name).exists() or os.sep in name:
        return read_image(name, size=size)
    near = difflib.get_close_matches(name, list(known), n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"the course has {', '.join(known)}"
    raise UsageError(f"'{name}' is neither a file nor one of the course's pictures; {hint}")
