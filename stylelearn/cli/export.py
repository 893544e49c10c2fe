"""`stylelearn export`: a network of lesson 03 or 04 as one HTML file that paints in any browser, also offline.

The page is painter/page.html with painter/page.js; painter/network.js is the network, which computes with TensorFlow.js
(painter/README.md says which parts of it are there, and how they were made).
"""

import argparse
import base64
import gzip
import html
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylelearn.cli.parsing import DONE, Commands, UsageError

if TYPE_CHECKING:
    from stylelearn.networks.transformation import TransformationNet

PARTS = Path(__file__).with_name("painter")


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "export",
        help="make one HTML file of a network, which paints on any phone or laptop",
        description="Make one HTML file of a network of lesson 03 or 04. It paints photos and what a camera sees, in "
        "any browser from 2023 on, without internet and without an installation; no picture leaves the device.",
    )
    parser.add_argument("network", metavar="NETWORK", help="a .safetensors file, the name of a style, or cin")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("painter.html"), metavar="FILE", help="(painter.html)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the page."""
    from stylelearn.files import check_output, replacing

    output = check_output(options.output, (".html", ".htm"), inputs=[options.network])
    text = page(load(options.network))
    with replacing(output) as part:
        part.write_text(text, encoding="utf-8")
    print(f"{output}: {len(text.encode()) / 1e6:.1f} MB; open it in a browser, or send it to a phone")
    return DONE


def load(name: str) -> "TransformationNet":
    """The network that `name` names: a file, a style for which the course ships one, or "cin".

    Raises:
        UsageError: the page cannot compute it. WeightsError: there is none.
    """
    from stylelearn import cin, johnson
    from stylelearn.weights import read_about

    path = Path(name).expanduser()
    several = name == "cin" or (path.suffix == ".safetensors" and path.is_file() and "styles" in read_about(path))
    network = cin.load(name) if several else johnson.load(name)
    for what, possible in (("norm", "instance"), ("upsampling", "nearest")):
        if network.about.get(what, possible) != possible:
            raise UsageError(
                f"the page cannot paint with {what} {network.about[what]!r}; train a network with {what} {possible!r}, "
                "as `stylelearn train` does unless you say otherwise"
            )
    return network


def page(network: "TransformationNet") -> str:
    """The HTML file that paints with `network`, instance norm and nearest upsampling."""
    from safetensors.torch import save

    from stylelearn import __version__, samples
    from stylelearn.images import encode_image

    header: dict[str, Any] = network.about
    styles = header.get("styles") or [header.get("style") or "one style"]
    about = {"styles": styles, "noise": list(network.noise)}
    state = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    manner = styles[0].replace("_", " ") if len(styles) == 1 else f"{len(styles)} styles"
    parts = {
        "version": __version__,
        "title": html.escape(f"Painter of {manner}"),
        "purpose": html.escape(
            f"A small neural network paints your photos in {manner}."
            if len(styles) > 1
            else f"A small neural network paints your photos in the style of {manner}."
        ),
        "weights": _text(save(state, {"about": json.dumps(about)})),
        "wasm": _text(gzip.compress((PARTS / "tfjs-backend-wasm-simd.wasm").read_bytes(), mtime=0)),
        "example": _text(encode_image(samples.content("chelsea", 256), "jpeg")),
    }
    for name, file in (("library", "tensorflow.min.js"), ("network", "network.js"), ("page", "page.js")):
        parts[name] = (PARTS / file).read_text(encoding="utf-8")
    # Cut at the marks, so that nothing which is put in is searched for marks.
    first, *rest = (PARTS / "page.html").read_text(encoding="utf-8").split("{{")
    return first + "".join(parts[name] + text for name, _, text in (each.partition("}}") for each in rest))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
