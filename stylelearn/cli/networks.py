"""The networks that `stylelearn train` can train: one declaration each, with options, defaults and data.

An option that is not given is not in the namespace. Its value then comes from `--paper`, else `--preset`, else `usual`,
else the training function.
"""

import argparse
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylelearn.cli import sheets
from stylelearn.cli.inputs import picture
from stylelearn.cli.parsing import UsageError, amount, named_numbers, whole

if TYPE_CHECKING:
    from stylelearn.training import Progress

Options = argparse.Namespace
FILE: dict[str, Any] = {"type": Path, "metavar": "FILE"}
FOLDERS: dict[str, Any] = {"type": Path, "nargs": "+", "metavar": "DIR"}
NAMES: dict[str, Any] = {"nargs": "+", "metavar": "NAME"}
LAYERS: dict[str, Any] = {"type": named_numbers, "metavar": "LAYER=X,…"}
COUNT: dict[str, Any] = {"type": whole(1), "metavar": "N"}
ON: dict[str, Any] = {"action": "store_true"}
OFF: dict[str, Any] = {"action": "store_const", "const": False}
NOTHING: dict[str, Any] = {"action": "store_const", "const": None}


class Option:
    """An option of `stylelearn train`.

    Args:
        flag, help, more: as of `add_argument`.
        to: "" for a keyword of the training function, "weights" or "network" for an entry of that dict; None: neither.
    """

    def __init__(self, flag: str, help: str, to: str | None = "", **more: Any) -> None:
        self.flag, self.to, self.more = flag, to, {"help": help, **more}
        self.name = more.get("dest", flag.lstrip("-").replace("-", "_"))


@dataclass(frozen=True)
class Network:
    """A network that can be trained.

    Args:
        train: module and name of the training function.
        usual: default steps, batch (pictures a step) and size (of crops, pixels).
        data: further keywords of the training function, made from the options.
        paper: the changes of --paper to `usual`; None: no --paper. sheet: draws a sample sheet.
        smallest: --size and --batch. several: whether several processes can train it.
    """

    help: str
    description: str
    train: tuple[str, str]
    usual: dict[str, Any]
    options: tuple[Option, ...]
    data: Callable[[Options], dict[str, Any]] = lambda options: {}
    paper: Callable[[], dict[str, Any]] | None = None
    sheet: Callable[..., Any] | None = None
    smallest: tuple[int, int] = (32, 1)
    several: bool = True

    def all_options(self) -> Iterator[Option]:
        """The options of all networks, and its own."""
        usual, (size, batch) = self.usual, self.smallest
        if "size" in usual:
            yield Option("--photos", "folders of photographs", **FOLDERS, required=True)
            yield Option("--size", f"side of the crops (default: {usual['size']})", type=whole(size, 512))
        yield Option("--out", ".safetensors", **FILE, required=True)
        yield Option("--steps", f"(default: {usual['steps']})", **COUNT)
        yield Option("--batch", f"pictures a step (default: {usual['batch']})", type=whole(batch))
        yield Option("--seed", "(default: 0)", type=whole(0))
        yield Option(
            "--learning-rate", "the highest, after a short rise (default: the course's)", type=amount, metavar="X"
        )
        yield Option("--checkpoint", "(default: OUT with the suffix .ckpt)", **FILE)
        yield Option("--anew", "start at step 0 in spite of a checkpoint", **ON)
        yield Option("--preset", "size, batch, steps, precision for such a machine", None, choices=("laptop", "gpu"))
        yield Option("--precision", "(default: 32-true)", choices=("32-true", "bf16-mixed", "16-mixed"))
        yield Option("--accelerator", "(default: auto)", choices=("auto", "cpu", "gpu", "cuda", "mps"))
        if self.several:
            yield Option("--devices", "processes that share each batch (default: 1)", **COUNT)
            yield Option("--nodes", "machines; run the command on each (default: 1)", **COUNT, dest="num_nodes")
        if self.sheet:
            yield Option("--sheet-every", "steps between sample sheets, beside the checkpoint (default: 500)", **COUNT)
        if self.paper:
            yield Option("--paper", "the paper's network, size, batch, steps, learning rate, unless given", None, **ON)
        yield from self.options

    def start(self, options: Options) -> "Generator[Progress, None, Any]":
        """Start the training. Raises ValueError and WeightsError."""
        from stylelearn.training import PRESETS

        said, keywords = vars(options), dict(self.usual)
        for name, value in PRESETS.get(said.get("preset", ""), {}).items():
            if name in ("steps", "batch"):
                keywords[name] = round(keywords[name] * value)
            elif name != "size" or name in keywords:
                keywords[name] = value
        if self.paper and "paper" in said:
            keywords |= self.paper()
        if self.sheet:
            keywords["sheet"] = self.sheet
        for option in self.all_options():
            into = keywords.setdefault(option.to, {}) if option.to else keywords
            if option.name in said and option.to is not None:
                into[option.name] = said[option.name]
        if ENCODER in self.options:
            from stylelearn.encoders import Encoder

            keywords["encoder"] = Encoder(said.get("encoder", "mini"), weights=said.get("encoder_weights"))
        module, function = self.train
        return getattr(import_module(module), function)(**keywords | self.data(options))


# --- the data ---------------------------------------------------------------------------------------------------------


def _style(options: Options) -> dict[str, Any]:
    return {"style": _picture(options, options.style), "name": Path(options.style).stem}


def _styles(options: Options) -> dict[str, Any]:
    names = [Path(style).stem for style in options.styles]  # of a file, an address or the course
    if len(names) < 2:
        raise UsageError(f"--styles names one style, {names[0]}; name two or more, or train johnson with --style")
    if len(set(names)) < len(names):
        raise UsageError(f"--styles are called {', '.join(names)}; each must have a name of its own: rename a file")
    return {"styles": {name: _picture(options, each) for name, each in zip(names, options.styles, strict=True)}}


def _folders_or_style(options: Options) -> dict[str, Any]:
    if ("styles" in options) == ("style" in options):
        raise UsageError("say --styles DIR … for a network of any style, or --style PICTURE for a network of one")
    if "style" in options:
        return {"styles": _picture(options, options.style)}
    return {"styles": options.styles, "style_size": getattr(options, "style_size", None)}


def _picture(options: Options, style: str) -> Any:
    return picture(style, getattr(options, "style_size", 256))


def _letters(options: Options) -> dict[str, Any]:
    from stylelearn.glyphs.dataset import NOVEL_FONTS, NOVEL_LETTERS, split
    from stylelearn.glyphs.fonts import LETTERS
    from stylelearn.glyphs.rendering import collect

    said = vars(options)
    glyphs = collect(said.get("fonts"), letters=said.get("letters", LETTERS))
    fonts = [] if "fonts" in said else [name for name in NOVEL_FONTS if name in glyphs.fonts]
    letters = "" if "letters" in said else NOVEL_LETTERS
    known = split(glyphs, novel_fonts=said.get("novel_fonts", fonts), novel_letters=said.get("novel_letters", letters))
    return {"known": known, "sheet": partial(sheets.emd, known=known)}


def _paper_transformation(batch: int) -> dict[str, Any]:
    from stylelearn.networks.transformation import PAPER_WIDTHS

    network = {"widths": PAPER_WIDTHS, "ends": "paper", "noise": ()}
    return {"steps": 40000, "batch": batch, "size": 256, "learning_rate": 1e-3, "network": network}


def _paper_emd() -> dict[str, Any]:
    from stylelearn.glyphs.networks import PAPER

    return {"batch": 50, "learning_rate": 2e-4, "channels": PAPER}


# --- the networks -----------------------------------------------------------------------------------------------------

ENCODER = Option("--encoder", "the loss network (default: mini)", None, choices=("mini", "vgg16", "vgg19"))
LOSSES = (
    ENCODER,
    Option("--encoder-weights", "a checkpoint instead of the default one", None, **FILE),
    Option("--start", "start from these weights instead of random ones", **FILE),
    Option("--tv-weight", "(default: the course's)", "weights", type=amount, metavar="X"),
)
STYLE_WEIGHT = Option("--style-weight", "(default: the course's)", "weights", type=amount, metavar="X")
SIDE: dict[str, Any] = {"to": None, "type": whole(16, 2048)}
STYLE_SIZE = Option("--style-size", "shorter side of the style in pixels (default: 256)", **SIDE)
TRANSFORMATION = (
    STYLE_SIZE,
    Option("--widths", "channels (default: 20 40 80)", "network", type=whole(1, 512), nargs=3, metavar="N"),
    Option("--content-weight", "(default: the course's)", "weights", type=amount, metavar="X"),
    STYLE_WEIGHT,
    Option("--layer-weights", "of the style's layers (default: the course's)", "weights", **LAYERS),
    Option("--root", "compare Gram matrices by ‖G − A‖ / ‖A‖, not by its square", "weights", **ON),
    *LOSSES,
)
ART = Option("--styles", "folders of paintings and textures", **FOLDERS, required=True)

NETWORKS = {
    "encoder": Network(
        "an encoder that ships with the course",
        "Distil mini from vgg19_16x, VGG-19 or SqueezeNet.",
        ("stylelearn.networks.distillation", "train_mini"),
        {"steps": 5000, "batch": 10, "size": 96},
        (
            Option("--styles", "folders of paintings", **FOLDERS | {"nargs": "*"}),
            Option("--teacher", "squeezenet (default), vgg19, or a FILE of these or of vgg19_16x", metavar="NAME"),
        ),
        smallest=(64, 2),
        several=False,
    ),
    "johnson": Network(
        "a network that paints in one style (lesson 03)",
        "Train a network that paints any photo in one style (Johnson et al. 2016).",
        ("stylelearn.johnson", "train_johnson"),
        {"steps": 2200, "batch": 4, "size": 128, "warm_up": 50},
        (
            Option("--style", "a picture, or the name of one of the course's", None, required=True, metavar="STYLE"),
            Option("--norm", "batch is the paper's (default: instance)", "network", choices=("instance", "batch")),
            *TRANSFORMATION,
        ),
        _style,
        partial(_paper_transformation, batch=4),
        sheets.johnson,
    ),
    "cin": Network(
        "a network that paints in many styles (lesson 04)",
        "Train one network for many styles (Dumoulin et al. 2017).",
        ("stylelearn.cin", "train_cin"),
        {"steps": 6000, "batch": 4, "size": 128, "warm_up": 50},
        (
            Option("--styles", "two or more pictures, or names of the course's", None, **NAMES, required=True),
            *TRANSFORMATION,
        ),
        _styles,
        partial(_paper_transformation, batch=16),
        sheets.cin,
    ),
    "adain": Network(
        "a decoder that paints in any style (lesson 05)",
        "Train the decoder that paints any photo in the style of any picture (Huang & Belongie 2017).",
        ("stylelearn.adain", "train_adain"),
        {"steps": 8000, "batch": 4, "size": 128},
        (
            ART,
            Option("--layer", "of the encoder, where the styles meet (default: relu4_1)", metavar="NAME"),
            Option("--beside", "where they meet, too (default: relu3_1)", metavar="NAME"),
            Option("--mirrored", "the paper's decoder, which sees one layer", dest="beside", **NOTHING),
            Option("--style-size", "side of crops of styles (default: --size)", **SIDE),
            STYLE_WEIGHT,
            *LOSSES,
        ),
        sheet=sheets.any_style,
    ),
    "adjustable": Network(
        "a network with a slider for each layer (lesson 08)",
        "Train a network that paints in any style, or in one, with a weight for each layer that is chosen afterwards "
        "(Babaeizadeh & Ghiasi 2018).",
        ("stylelearn.adjustable", "train_adjustable"),
        {"steps": 8000, "batch": 8, "size": 128},
        (
            Option("--styles", "folders of paintings and textures", None, **FOLDERS),
            Option("--style", "instead, for a network of one style: a picture, or the name of the course's", None),
            Option("--style-size", "side of crops of styles (default: --size); of one style (default: 256)", **SIDE),
            Option("--style-layers", "of the encoder, each with an α", "network", **NAMES),
            Option("--content-layers", "of the encoder, each with an α", "network", **NAMES),
            Option("--normalise", "the paper's running averages in place of fixed factors", "weights", **ON),
            *LOSSES,
        ),
        _folders_or_style,
        sheet=sheets.adjustable,
    ),
    "inverse": Network(
        "a network that paints from swapped patches (lesson 06)",
        "Train the inverse network of style swap, which paints from activations (Chen & Schmidt 2016).",
        ("stylelearn.style_swap", "train_inverse"),
        {"steps": 4000, "batch": 4, "size": 96},
        (
            ART,
            Option("--layer", "of the encoder, to be inverted (default: relu3_1)", metavar="NAME"),
            Option("--width", "times the encoder's channels; paper: 1 (default: 2)", "network", type=whole(1, 8)),
            Option("--norm", "instance is the paper's (default: none)", "network", choices=("none", "instance")),
            Option(
                "--upsampling", "paper: transposed (default: nearest)", "network", choices=("nearest", "transposed")
            ),
            Option("--pictures-only", "no swapped activations: the paper's ablation", "weights", dest="swapped", **OFF),
            *LOSSES,
        ),
        sheet=sheets.any_style,
    ),
    "emd": Network(
        "a network that draws letters in the style of a few others (lesson 09)",
        "Train a network that separates style and content of letters (Zhang et al. 2018).",
        ("stylelearn.emd", "train_emd"),
        {"steps": 3000, "batch": 32, "learning_rate": 2e-3, "warm_up": 100},
        (
            Option("--references", "glyphs in a reference set (default: 10)", type=whole(1, 100), metavar="R"),
            Option("--fonts", "font files and folders (default: matplotlib's fonts)", None, **FOLDERS),
            Option("--letters", "all letters (default: A to Z, a to z, 0 to 9)", None, metavar="TEXT"),
            Option(
                "--novel-fonts",
                "fonts to hold back, as their files without suffix (default: four of matplotlib's, none of yours)",
                None,
                **NAMES | {"nargs": "*"},
            ),
            Option("--novel-letters", "letters to hold back (default: 12 of the usual)", None, metavar="TEXT"),
            Option("--examples", "glyphs that are targets (default: all known)", **COUNT),
            Option("--straight", "letters and fonts as they are, not warped a little", dest="warp", **OFF),
            Option("--channels", "of each convolution: seven, or the paper's eight", **COUNT | {"nargs": "+"}),
        ),
        _letters,
        _paper_emd,
        sheets.emd,
    ),
}
