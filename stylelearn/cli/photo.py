"""`stylelearn stylize --method photo`: one photograph takes the light of another, region by region."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stylelearn.cli.inputs import picture, short
from stylelearn.cli.methods import Painted
from stylelearn.cli.optimising import LAYERS, encoder_of, painted
from stylelearn.cli.parsing import UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from stylelearn.segmentation import Masks

FIRST_STAGE = 0.25  # of the steps


def photo(options: argparse.Namespace, content: "Tensor") -> Painted:
    """Both stages and the smoothing; Ctrl-C keeps the best picture so far.

    Raises:
        UsageError, WeightsError, ImageError, ValueError: no such style, mask or encoder, or too small a picture.
        KeyboardInterrupt: before the first step.
    """
    from stylelearn import photo
    from stylelearn.colour import keep_colours

    name = options.pictures[0]
    style = picture(name, options.size).to(content.device)
    encoder = encoder_of(options).to(content.device)
    of_content, of_style, how = _masks(options, content, style)
    first, weight = round(FIRST_STAGE * options.steps), getattr(options, "lambda")
    steps = photo.stylize(
        content,
        style,
        of_content,
        of_style,
        encoder=encoder,
        steps=(first, options.steps - first),
        style_weight=photo.STYLE_WEIGHT * options.strength,
        photorealism_weight=weight,
        **LAYERS.get(options.encoder, {}),
    )
    settings = {
        **{"style": short(name), **how, "lambda": weight, "smooth": options.smooth},
        **{each: getattr(options, each) for each in ("encoder", "precision", "strength", "steps")},
        "content_weight": photo.CONTENT_WEIGHT,
        "style_weight": photo.STYLE_WEIGHT * options.strength,
    }
    found = painted(options, content, steps, settings)
    if options.smooth:
        image = photo.smooth(found.image, content, options.smooth)
        found = replace(found, image=keep_colours(image, content) if options.keep_colours else image)
    return found


def _masks(
    options: argparse.Namespace, content: "Tensor", style: "Tensor"
) -> "tuple[Masks | None, Masks | None, dict[str, object]]":
    """Masks of both pictures, from files or by clustering; and what is said of them in the file that is made."""
    from stylelearn.segmentation import cluster

    if options.content_mask is not None:
        masks = _mask(options.content_mask, content, "content"), _mask(options.style_mask, style, "style")
        return *masks, {"content_mask": short(options.content_mask), "style_mask": short(options.style_mask)}
    if options.regions == 1:
        return None, None, {"regions": 1}
    return *cluster(content, style, regions=options.regions), {"regions": options.regions}


def _mask(name: str, image: "Tensor", whose: str) -> "Masks":
    """A file, or the name of a photograph of which the course has masks, at the size of the picture."""
    from stylelearn import samples
    from stylelearn.segmentation import course_mask, read_mask

    size = (image.shape[2], image.shape[3])
    try:
        if name in samples.content_names() and not Path(name).is_file():
            return course_mask(name, size)
        return read_mask(name, size)
    except ValueError as error:  # also ImageError
        raise UsageError(f"--{whose}-mask {short(name)}: {error}") from error
