"""`stylelearn stylize`: paint one picture in the style of another by any method of the registry."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylelearn.cli.inputs import DEVICES, PICTURES, SMALLEST, chosen_device, picture
from stylelearn.cli.parsing import (
    DONE,
    FAILED,
    STOPPED,
    CommandError,
    Commands,
    UsageError,
    amount,
    named_numbers,
    span,
    whole,
)
from stylelearn.files import check_output
from stylelearn.registry import METHODS, Method, chosen, flag

if TYPE_CHECKING:
    from torch import Tensor

    from stylelearn.painting import FeedForward, Optimised

COMMANDS = {method.command: name for name, method in METHODS.items()}
MISSING = "a style is missing: stylize CONTENT STYLE -o OUT, where STYLE is a picture"
EXAMPLES = """\
examples:
  stylelearn stylize photo.jpg painting.jpg -o out.jpg                    five layers, 300 steps (lesson 02)
  stylelearn stylize photo.jpg --method johnson --style starry_night -o out.jpg       one network a style (lesson 03)
  stylelearn stylize photo.jpg --method cin --style mosaic batik --shares 2 1 -o out.jpg   two styles (lesson 04)
  stylelearn stylize photo.jpg painting.jpg --method adain --strength 0.8 -o out.jpg       any style (lesson 05)
  stylelearn stylize photo.jpg painting.jpg --method style-swap --patch 5 -o out.jpg       its patches (lesson 06)
  stylelearn stylize china rocket --method photo --content-mask china --style-mask rocket -o out.jpg   (lesson 07)
  stylelearn stylize photo.jpg painting.jpg --method adjustable --alpha relu1_1=0.3,relu4_1=1 -o out.jpg   (lesson 08)
"""


def _whole(help: str, low: int, high: int | None = None) -> dict[str, Any]:
    return {"help": help, "type": whole(low, high), "metavar": "N"}


SEVERAL: dict[str, Any] = {"nargs": "+", "action": "extend"}
FILE: dict[str, Any] = {"type": Path, "metavar": "FILE"}
NUMBER: dict[str, Any] = {"type": amount, "metavar": "X"}
ALPHA: dict[str, Any] = {"type": named_numbers, "metavar": "LAYER=X,…"}
ENCODERS = ("mini", "vgg19", "vgg16", "squeezenet")
MASK = "label image of CONTENT, one colour a region; or a name that has one: china"
# The options of the methods, as argparse takes them; the registry has their defaults.
OPTIONS: dict[str, dict[str, Any]] = {
    "style": {"help": "a trained style; cin: several, mixed", "metavar": "NAME", **SEVERAL},
    "shares": {"help": "weights of several styles", **NUMBER, **SEVERAL},
    "strength": {"help": "gatys, photo: factor of the style weight; the others: from 0 to 1", **NUMBER},
    "weights": {"help": "your network, made by `stylelearn train`", **FILE},
    "alpha": {"help": "weight of the style in a layer, 0 to 1; 1 where not named", **ALPHA},
    "coarse": {"help": "share of a pastiche at half of the size, painted first, for broad marks; 0: none", **NUMBER},
    "practice": _whole("steps of fine-tuning to the style first: 60 take some seconds", 0, 1000),
    "patch": _whole("side of a patch in cells of 4 px", 1),
    "stride": _whole("cells between patches", 1),
    "content_mask": {"help": MASK, "metavar": "F"},
    "style_mask": {"help": "of STYLE; equal colours, or names, are the same region", "metavar": "F"},
    "regions": _whole("without masks: clusters of both pictures; 1: none", 1, 12),
    "lambda": {"help": "weight of photorealism; 1: paints, 1e8: hardly changes", **NUMBER},
    "smooth": _whole("radius in pixels of the last smoothing; 0: none", 0, 64),
    "steps": _whole("Ctrl-C keeps the best picture so far", 1),
    "start": {"help": "where the pixels begin", "choices": ("content", "noise", "style")},
    "levels": _whole("2 or 3 begin small, for larger structures; 1 does not", 1, 4),
    "seed": _whole("of --start noise", 0),
    "encoder": {"help": "mini ships with the course", "choices": ENCODERS},
    "encoder_weights": {"help": "a checkpoint of the encoder instead of the default one", **FILE},
}
FILES = ("weights", "encoder_weights", "content_mask", "style_mask")  # options that name a file
Made = tuple["Tensor", dict[str, Any], str, int]  # image, further settings, the line to print, exit status
BAR = "{n_fmt}/{total_fmt} |{bar}| {elapsed}, {remaining} left{postfix}"


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "stylize",
        help="paint one picture in the style of another",
        description="Paint CONTENT in the style of STYLE. Both are files, http(s) addresses, or names of the "
        "course's pictures, such as chelsea. Methods johnson and cin take no picture of a style but --style NAME.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("content", metavar="CONTENT", help="the picture whose content is kept")
    parser.add_argument("pictures", nargs="*", metavar="STYLE", help="the picture whose style is used")
    parser.late = "pictures"
    parser.add_argument("-o", "--out", required=True, type=Path, metavar="OUT", help=".jpg, .png or .webp")
    methods = dict.fromkeys(command.split()[0] for command in COMMANDS)
    parser.add_argument("--method", choices=tuple(methods), default="gatys", help="(default: gatys)")
    parser.add_argument("--optimize", action="store_true", help="style-swap: optimise pixels in place of the network")
    size = parser.add_mutually_exclusive_group()
    side = {"type": whole(SMALLEST, 8192)}
    size.add_argument("--size", default=256, help="shorter side in pixels (default: 256)", **side)
    size.add_argument("--full-size", dest="size", action="store_const", const=None, help="do not resize any picture")
    words = "shorter side of styles in pixels: more than --size for broader marks (default: as --size says)"
    parser.add_argument("--style-size", metavar="SIZE", help=words, **side)
    parser.add_argument("--keep-colours", action="store_true", help="keep the colours of CONTENT")
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="(default: cpu)")
    group = parser.add_argument_group("options of some methods")
    for name in OPTIONS:
        _add_option(group, name)
    parser.set_defaults(run=run)


def _add_option(group: argparse._ArgumentGroup, name: str) -> None:
    """Declare an option of some methods; its help lists these and their defaults."""
    having = [method for method in METHODS.values() if name in method.options]
    defaults: dict[Any, str] = {}  # value -> the first method with it
    for method in having:
        defaults.setdefault(method.options[name], method.command)
    defaults.pop(None, None)
    shown = [(f"{value:g}" if isinstance(value, float) else value, command) for value, command in defaults.items()]
    listed = "; ".join(f"{command}: {value}" if n else f"{value}" for n, (value, command) in enumerate(shown))
    text = f"{', '.join(method.command for method in having)}: {OPTIONS[name]['help']}"
    text += f" (default: {listed})" if shown else ""
    group.add_argument(flag(name), **{**OPTIONS[name], "help": text})


def run(options: argparse.Namespace) -> int:
    """Read, paint, write."""
    name, asked = _asked(options)
    inputs = [options.content, *options.pictures, *(asked.get(each) for each in FILES)]
    options.out = check_output(options.out, PICTURES, inputs)
    import torch

    from stylelearn import __version__
    from stylelearn.images import shown_name, write_image

    image, settings, line, status = _paint(options, name, asked)
    settings = {
        "content": shown_name(options.content),
        **{each: getattr(options, each) for each in ("method", "optimize", "size", "keep_colours", "device")},
        **{key: value for key, value in {"style_size": options.style_size, **settings}.items() if value is not None},
        **{"stylelearn": __version__, "torch": torch.__version__},
    }
    write_image(image.cpu(), options.out, settings=settings)
    if status == FAILED:
        raise CommandError(line)
    print(line)
    return status


def _asked(options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The method's name in the registry, and its options. Raises ValueError for options that do not go together."""
    name = COMMANDS.get(f"{options.method} --optimize" if options.optimize else options.method)
    if name is None:
        raise ValueError(f"--optimize is not for --method {options.method}; it is for style-swap")
    asked = chosen(name, {option: getattr(options, option) for option in OPTIONS})
    _check_styles(options, METHODS[name])
    styles, shares = asked.get("style") or options.pictures, asked.get("shares")
    if shares is not None:
        said = " ".join(f"{share:g}" for share in shares)
        if len(shares) != len(styles):
            raise ValueError(f"--shares are {said}, but there are {len(styles)} styles; give one share for each")
        if sum(shares) == 0:
            raise ValueError(f"--shares are {said}; at least one must be above 0")
    return name, asked


def _check_styles(options: argparse.Namespace, method: Method) -> None:
    given, named, name = options.pictures, options.style or [], options.method
    at_least, at_most = method.pictures
    if at_most == 0 and given:
        raise ValueError(
            f"--method {name} paints in styles that it was trained in and takes no picture of one, but got "
            f"'{given[0]}'; say --style NAME, or use --method adain or gatys for the style of any picture"
        )
    if at_most == 0 and options.style_size:
        raise ValueError(f"--style-size is for pictures of styles; --method {name} takes none")
    if len(given) < at_least:
        raise ValueError(f"{MISSING} (--method {name})")
    if at_most is not None and len(given) > at_most:
        more = "; --method adain mixes several" if name == "gatys" else ""
        raise ValueError(f"--method {name} takes one style, but got {', '.join(given)}{more}")
    if name == "johnson" and len(named) > 1:
        raise ValueError(f"--style names {', '.join(named)}, but --method johnson paints one style; --method cin mixes")
    if len(set(named)) < len(named):
        raise ValueError(f"--style names {', '.join(named)}; name each style once, and say how much with --shares")


def _paint(options: argparse.Namespace, name: str, asked: dict[str, Any]) -> Made:
    import torch

    from stylelearn.images import shown_name
    from stylelearn.painting import Optimised, check, known_styles, masks_of, painter_of

    exact = f"--method {options.method}" if options.method in ("photo", "style-swap") else ""
    device = chosen_device(options.device, exact or ("--keep-colours" if options.keep_colours else ""))
    torch.manual_seed(asked.get("seed", 0))
    how = {key: value for key, value in asked.items() if key != "style"}
    named = asked.get("style") or []
    if METHODS[name].pictures[1] == 0 and bool(named) == (name == "johnson" and bool(asked["weights"])):
        known = known_styles(name, asked["weights"]) or known_styles(name) or []
        ways = "--style NAME or --weights FILE; the course ships" if name == "johnson" else "--style NAME; it knows"
        raise UsageError(f"say which style: {ways} {', '.join(known)}")
    for each in named:
        check(name, each, asked["weights"])
    content = picture(options.content, options.size).to(device)
    styles = [picture(each, options.style_size or options.size).to(device) for each in options.pictures]
    painter = painter_of(name, *named[:1], device=device, keep_colours=options.keep_colours, **how)
    # The file says names of files, not where they lie.
    settings = {key: shown_name(value) if value and key in FILES else value for key, value in how.items()}
    settings |= painter.facts
    settings |= _styles(named or [*map(shown_name, options.pictures)], asked.get("shares"))
    if asked.get("content_mask") is not None:
        print("regions: {} in the content; {} in the style".format(*masks_of(asked, content, styles[0])))
    if isinstance(painter, Optimised):
        return _optimise(painter, content, styles[0], asked["steps"], settings, options.out)
    if styles and painter.learnt:
        raise UsageError(f"the style of {asked['weights'].name} is in its weights; leave '{options.pictures[0]}' out")
    if not styles and not painter.learnt:
        raise UsageError(f"{MISSING} (--method {name})")
    style: Any = styles if METHODS[name].pictures[1] is None else styles[0] if styles else None
    if name == "cin":
        style = dict(zip(named, asked["shares"] or [1.0] * len(named), strict=True))
    return _pass(painter, content, style, settings, asked.get("practice", 0), options.out)


def _styles(names: list[str], shares: list[float] | None) -> dict[str, Any]:
    """One style's name, or the list of several with their shares, which add up to 1."""
    if len(names) < 2:
        return {"style": names[0], "shares": None} if names else {}
    shares = shares or [1.0] * len(names)
    return {"style": names, "shares": [round(share / sum(shares), 6) for share in shares]}


def _optimise(
    painter: "Optimised", content: "Tensor", style: "Tensor", steps: int, settings: dict[str, Any], out: Path
) -> Made:
    """Make the steps with a progress bar; Ctrl-C and a divergence keep the best picture so far."""
    from tqdm import tqdm

    from stylelearn.images import resize
    from stylelearn.optimize import Diverged

    moving = painter.begin(content, style, steps, 0)  # what is refused here comes before the bar
    last, broken, status = None, None, DONE
    with tqdm(total=steps, bar_format=BAR, mininterval=0.2) as bar:
        try:
            for last in moving:
                bar.set_postfix_str(f"loss {last.loss:.4g}", refresh=False)
                bar.update(last.number - bar.n)
        except KeyboardInterrupt:
            status = STOPPED
        except Diverged as error:
            broken, status = error, FAILED
    if broken is not None:
        best, done, line = broken.image, broken.step, f"{broken} It is in {out}."
    elif last is None:
        raise KeyboardInterrupt
    else:
        best, done = last.best_image, last.number
        line = f"{out}: {done} {'step' if done == 1 else 'steps'}, loss {last.loss:.4g}"
    if status == STOPPED:
        line = f"stopped after {done} of {steps} steps; the best picture so far is in {out}"
    if best.shape != content.shape:  # it ended at a coarse level
        best = resize(best, tuple(content.shape[2:]), fit="box")
    return painter.end(best, content), settings | {"steps_done": done, "loss": last and last.loss}, line, status


def _pass(
    painter: "FeedForward", content: "Tensor", style: Any, settings: dict[str, Any], practice: int, out: Path
) -> Made:
    """A network that paints at once; a large photo in bands."""
    import torch

    from stylelearn.networks import tiling

    if painter.refine is None:
        with torch.inference_mode():
            kept = painter.encode(style)
    else:
        kept, settings["practice"] = _refined(painter, style, practice)
    height, width = content.shape[2:]
    if height * width > tiling.LARGE:
        print(f"painting {width} × {height} pixels, band by band …", flush=True)
    begin = time.perf_counter()
    with torch.inference_mode():
        made = painter.paint(content, kept)
    seconds = time.perf_counter() - begin
    taken = f"{1000 * seconds:.0f} ms" if seconds < 1 else span(seconds)
    return made, settings, f"{out}: {width} × {height} pixels in {taken}", DONE


def _refined(painter: "FeedForward", style: "Tensor", steps: int) -> tuple[Any, int]:
    """What is kept of a style after fine-tuning to it, and after how many steps; Ctrl-C ends it early."""
    from tqdm import tqdm

    assert painter.refine is not None
    kept, done = painter.encode(style), 0
    with tqdm(painter.refine(style), total=steps, bar_format=f"fine-tuning {BAR}", mininterval=0.2) as bar:
        try:
            for loss, found in bar:
                kept, done = found, done + 1
                bar.set_postfix_str(f"loss {loss:.4g}", refresh=False)
        except KeyboardInterrupt:
            pass  # the style code of the last step is kept
    return kept, done
