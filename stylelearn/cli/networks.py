"""What `stylelearn train` can train: one declaration for each network, with its options, defaults and data.

An option that is not given is not in the namespace either: then `--paper`, then `--preset`, then `usual`, then the
training function itself decides.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylelearn.cli import sheets
from stylelearn.cli.inputs import picture
from stylelearn.cli.parsing import UsageError, amount, whole

if TYPE_CHECKING:
    from stylelearn.training import Progress

Options = argparse.Namespace


@dataclass(frozen=True)
class Option:
    """An option of `stylelearn train`.

    Args:
        flag: such as "--batch".
        more: as of `add_argument`.
        to: where the value goes: "" to the training function as a keyword, "weights" or "network" into that dict of
            its, None nowhere (the declaration's `data` reads it).
    """

    flag: str
    more: dict[str, Any]
    to: str | None = ""

    @property
    def name(self) -> str:
        """The keyword."""
        return self.more.get("dest", self.flag.lstrip("-").replace("-", "_"))


def option(flag: str, help: str, to: str | None = "", **more: Any) -> Option:
    """An `Option`, its description first."""
    return Option(flag, {"help": help, **more}, to)


@dataclass(frozen=True)
class Network:
    """What can be trained.

    Args:
        help, description: for --help.
        train: module and name of the training function.
        usual: steps, batch (pictures a step) and size (of crops, pixels), where nothing else is asked for.
        data: positional and keyword arguments of the training function, from the options.
        options: of its own; those of all networks are added.
        paper: what --paper changes in `usual`; None where there is no --paper.
        sheet: draws a sample sheet.
        smallest: --size and --batch.
        several: whether several processes can train it.
    """

    help: str
    description: str
    train: tuple[str, str]
    usual: dict[str, Any]
    data: Callable[[Options], tuple[list[Any], dict[str, Any]]]
    options: tuple[Option, ...] = ()
    paper: Callable[[], dict[str, Any]] | None = None
    sheet: Callable[..., Any] | None = None
    smallest: tuple[int, int] = (32, 1)
    several: bool = True

    def all_options(self) -> Iterator[Option]:
        """Those of all networks, and its own."""
        usual, (size, batch) = self.usual, self.smallest
        if "size" in usual:
            photos = {"type": Path, "nargs": "+", "required": True, "metavar": "DIR"}
            yield option("--photos", "folders of photographs", None, **photos)
            yield option("--size", f"side of the crops (default: {usual['size']})", type=whole(size, 512))
        yield option("--out", ".safetensors", type=Path, required=True, metavar="FILE")
        yield option("--steps", f"(default: {usual['steps']})", type=whole(1), metavar="N")
        yield option("--batch", f"pictures a step (default: {usual['batch']})", type=whole(batch))
        yield option("--seed", "(default: 0)", type=whole(0))
        yield option("--checkpoint", "(default: OUT with the suffix .ckpt)", type=Path, metavar="FILE")
        yield option("--anew", "begin at step 0, though there is a checkpoint", action="store_true")
        yield option("--preset", "size, batch, steps, precision for such a machine", None, choices=("laptop", "gpu"))
        yield option("--precision", "(default: 32-true)", choices=("32-true", "bf16-mixed", "16-mixed"))
        yield option("--accelerator", "(default: auto)", choices=("auto", "cpu", "gpu", "cuda", "mps"))
        if self.several:
            number = {"type": whole(1), "metavar": "N"}
            yield option("--devices", "processes that share each batch (default: 1)", **number)
            yield option("--nodes", "machines; run the command on each (default: 1)", **number, dest="num_nodes")
        if self.sheet:
            help = "steps between sample sheets, which lie beside the checkpoint (default: 500)"
            yield option("--sheet-every", help, type=whole(1), metavar="N")
        if self.paper:
            help = "the paper's network, size, batch and steps, where you say nothing else"
            yield option("--paper", help, None, action="store_true")
        yield from self.options

    def start(self, options: Options) -> "Iterator[Progress]":
        """Begin the training. Raises UsageError, ImageError, WeightsError and ValueError."""
        from stylelearn.training import PRESETS

        said = vars(options)
        keywords: dict[str, Any] = dict(self.usual)
        for name, value in PRESETS.get(said.get("preset", ""), {}).items():
            if name in ("steps", "batch"):
                keywords[name] = round(keywords[name] * value)
            elif name != "size" or name in keywords:
                keywords[name] = value
        if self.paper and "paper" in said:
            keywords |= self.paper()
        for each in self.all_options():
            if each.to:
                keywords.setdefault(each.to, {})
            if each.name in said and each.to is not None:
                (keywords[each.to] if each.to else keywords)[each.name] = said[each.name]
        if ENCODER in self.options:
            from stylelearn.encoders import Encoder

            keywords["encoder"] = Encoder(said.get("encoder", "mini"), weights=said.get("encoder_weights"))
        if self.sheet:
            keywords["sheet"] = self.sheet
        given, more = self.data(options)
        module, function = self.train
        return getattr(import_module(module), function)(*given, **keywords | more)


# --- the data ---------------------------------------------------------------------------------------------------------


def _of_teacher(options: Options) -> tuple[list[Any], dict[str, Any]]:
    return [options.photos, getattr(options, "styles", [])], {}


def _of_folders(options: Options) -> tuple[list[Any], dict[str, Any]]:
    return [options.photos, options.styles], {}


def _of_style(options: Options) -> tuple[list[Any], dict[str, Any]]:
    return [options.photos, _style(options, options.style)], {"name": _name(options.style)}


def _of_styles(options: Options) -> tuple[list[Any], dict[str, Any]]:
    names = [_name(style) for style in options.styles]
    if len(names) < 2:
        raise UsageError(f"--styles names one style, {names[0]}; name two or more, or train johnson with --style")
    if len(set(names)) < len(names):
        raise UsageError(f"--styles are called {', '.join(names)}; each must have a name of its own: rename a file")
    return [options.photos, {n: _style(options, s) for n, s in zip(names, options.styles, strict=True)}], {}


def _of_folders_or_style(options: Options) -> tuple[list[Any], dict[str, Any]]:
    if hasattr(options, "styles") == hasattr(options, "style"):
        raise UsageError("say --styles DIR … for a network of any style, or --style PICTURE for a network of one")
    styles = options.styles if hasattr(options, "styles") else _style(options, options.style)
    return [options.photos, styles], {}


def _of_fonts(options: Options) -> tuple[list[Any], dict[str, Any]]:
    from stylelearn.glyphs.dataset import NOVEL_FONTS, NOVEL_LETTERS, split
    from stylelearn.glyphs.fonts import LETTERS
    from stylelearn.glyphs.rendering import collect

    said = vars(options)
    glyphs = collect(said.get("fonts"), letters=said.get("letters", LETTERS))
    fonts = () if "fonts" in said else [name for name in NOVEL_FONTS if name in glyphs.fonts]
    letters = "" if "letters" in said else NOVEL_LETTERS
    known = split(glyphs, novel_fonts=said.get("novel_fonts", fonts), novel_letters=said.get("novel_letters", letters))
    return [known], {"sheet": partial(sheets.emd, known=known)}


def _style(options: Options, style: str) -> Any:
    return picture(style, getattr(options, "style_size", 256))


def _name(style: str) -> str:
    """The name of a style: a file's or an address's name without its suffix, or the course's own name for it."""
    return Path(style).stem


def _paper_transformation() -> dict[str, Any]:
    from stylelearn.networks.transformation import PAPER_WIDTHS

    return {"steps": 40000, "size": 256, "widths": PAPER_WIDTHS, "noise": ()}


def _paper_emd() -> dict[str, Any]:
    from stylelearn.glyphs.networks import PAPER

    return {"batch": 50, "learning_rate": 2e-4, "channels": PAPER}


# --- the networks -----------------------------------------------------------------------------------------------------

ENCODER = option("--encoder", "the loss network (default: mini)", None, choices=("mini", "vgg16", "vgg19"))
LOSSES = (
    ENCODER,
    option("--encoder-weights", "a checkpoint instead of the default one", None, type=Path, metavar="FILE"),
    option("--start", "begin with these weights, not with random ones", type=Path, metavar="FILE"),
)
WEIGHTS = {
    name: option(f"--{name}-weight", "(default: the course's)", "weights", type=amount, metavar="X")
    for name in ("style", "content", "tv")
}
STYLE_SIZE = option("--style-size", "shorter side of the style in pixels (default: 256)", None, type=whole(16, 2048))
TRANSFORMATION = (
    STYLE_SIZE,
    option("--widths", "channels (default: half of the paper's)", type=whole(1, 512), nargs=3, metavar="N"),
    *LOSSES,
    *WEIGHTS.values(),
)
FOLDERS = option(
    "--styles", "folders of paintings and textures", None, type=Path, nargs="+", required=True, metavar="DIR"
)
STYLE = option("--style", "a picture, or the name of one of the course's", None, metavar="STYLE")
LAYER_HELP = "of the encoder, where the styles meet (default: relu4_1)"

NETWORKS = {
    "encoder": Network(
        "an encoder that ships with the course",
        "Distil mini2 from vgg19_16x, or mini from SqueezeNet or VGG-19.",
        ("stylelearn.networks.distillation", "train_mini"),
        usual={"steps": 5000, "batch": 10, "size": 96},
        data=_of_teacher,
        options=(
            option("--styles", "folders of paintings", None, type=Path, nargs="*", metavar="DIR"),
            option(
                "--teacher",
                "squeezenet or vgg19 (downloaded), or the FILE of one of these or of vgg19_16x (default: squeezenet)",
                metavar="NAME",
            ),
        ),
        smallest=(64, 2),
        several=False,
    ),
    "johnson": Network(
        "a network that paints in one style (lesson 03)",
        "Train a network that paints any photo in one style (Johnson et al. 2016).",
        ("stylelearn.johnson", "train_johnson"),
        usual={"steps": 4000, "batch": 4, "size": 160},
        data=_of_style,
        options=(
            Option("--style", {**STYLE.more, "required": True}, None),
            option("--norm", "batch is the paper's (default: instance)", choices=("instance", "batch")),
            *TRANSFORMATION,
        ),
        paper=lambda: {**_paper_transformation(), "batch": 4},
        sheet=sheets.johnson,
    ),
    "cin": Network(
        "a network that paints in many styles (lesson 04)",
        "Train one network for many styles (Dumoulin et al. 2017).",
        ("stylelearn.cin", "train_cin"),
        usual={"steps": 8000, "batch": 8, "size": 160},
        data=_of_styles,
        options=(
            option(
                "--styles",
                "two or more pictures, or names of the course's",
                None,
                nargs="+",
                required=True,
                metavar="STYLE",
            ),
            *TRANSFORMATION,
        ),
        paper=lambda: {**_paper_transformation(), "batch": 16},
        sheet=sheets.cin,
    ),
    "adain": Network(
        "a decoder that paints in any style (lesson 05)",
        "Train the decoder that paints any photo in the style of any picture (Huang & Belongie 2017).",
        ("stylelearn.adain", "train_adain"),
        usual={"steps": 8000, "batch": 8, "size": 128},
        data=_of_folders,
        options=(FOLDERS, option("--layer", LAYER_HELP, metavar="NAME"), *LOSSES, WEIGHTS["style"], WEIGHTS["tv"]),
        sheet=sheets.any_style,
    ),
    "adjustable": Network(
        "a network with a slider for each layer (lesson 08)",
        "Train a network that paints in any style, or in one, with a weight for each layer that is chosen afterwards "
        "(Babaeizadeh & Ghiasi 2018).",
        ("stylelearn.adjustable", "train_adjustable"),
        usual={"steps": 8000, "batch": 8, "size": 128},
        data=_of_folders_or_style,
        options=(
            Option("--styles", {**FOLDERS.more, "required": False}, None),
            Option(
                "--style", {**STYLE.more, "help": f"instead, for a network of one style: {STYLE.more['help']}"}, None
            ),
            STYLE_SIZE,
            option("--style-layers", "of the encoder, each with an α", "network", nargs="+", metavar="NAME"),
            option("--content-layers", "of the encoder, each with an α", "network", nargs="+", metavar="NAME"),
            *LOSSES,
            WEIGHTS["style"],
            WEIGHTS["tv"],
        ),
        sheet=sheets.adjustable,
    ),
    "inverse": Network(
        "a network that paints from swapped patches (lesson 06)",
        "Train the inverse network of style swap, which paints from activations (Chen & Schmidt 2016).",
        ("stylelearn.style_swap", "train_inverse"),
        usual={"steps": 4000, "batch": 4, "size": 96},
        data=_of_folders,
        options=(
            FOLDERS,
            option("--layer", "of the encoder, to be inverted (default: relu3_1)", metavar="NAME"),
            option("--norm", "instance is the paper's (default: none)", choices=("none", "instance")),
            option(
                "--upsampling",
                "transposed convolutions are the paper's (default: nearest)",
                choices=("nearest", "transposed"),
            ),
            option(
                "--pictures-only",
                "without swapped activations: the paper's ablation",
                "weights",
                dest="swapped",
                action="store_const",
                const=False,
            ),
            *LOSSES,
            WEIGHTS["tv"],
        ),
        sheet=sheets.any_style,
    ),
    "emd": Network(
        "a network that draws letters in the style of a few others (lesson 09)",
        "Train a network that separates style and content of letters (Zhang et al. 2018).",
        ("stylelearn.emd", "train_emd"),
        usual={"steps": 3000, "batch": 32, "learning_rate": 2e-3, "warm_up": 100},
        data=_of_fonts,
        options=(
            option("--references", "glyphs in a reference set (default: 10)", type=whole(1, 100), metavar="R"),
            option(
                "--fonts",
                "font files and folders (default: matplotlib's fonts)",
                None,
                type=Path,
                nargs="+",
                metavar="PATH",
            ),
            option("--letters", "all letters (default: A to Z, a to z, 0 to 9)", None, metavar="TEXT"),
            option(
                "--novel-fonts",
                "fonts to hold back, as their files without suffix (default: four of matplotlib's, none of yours)",
                None,
                nargs="*",
                metavar="NAME",
            ),
            option(
                "--novel-letters",
                "letters to hold back (default: 12 of the usual, none of yours)",
                None,
                metavar="TEXT",
            ),
            option("--examples", "glyphs that are targets (default: all known)", type=whole(1), metavar="N"),
            option(
                "--straight",
                "letters and fonts as they are; without it they are warped a little",
                dest="warp",
                action="store_const",
                const=False,
            ),
            option(
                "--channels",
                "of each convolution: seven numbers, or eight as the paper has (default: a laptop's)",
                type=whole(1, 1024),
                nargs="+",
                metavar="N",
            ),
        ),
        paper=_paper_emd,
        sheet=sheets.emd,
    ),
}
