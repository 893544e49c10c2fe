"""From widgets to pictures: what a notebook keeps of its labs when no kernel is behind it.

A widget is alive only beside a kernel; on a code-hosting page, and before the first run, its place would be empty.
So for each widget that a cell displayed this looks through the widget's tree (the state that nbclient collected) for
pictures, and puts one of them in the widget's place. Which one: the `Image` widgets and the stage of a lab marked with
`add_class("poster")`, one below the other if there are several, or else the largest; its `tooltip` becomes the
alternative text.
"""

import base64
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
POSTER = "poster"
DEFAULT_TEXT = "What this lab shows at first. Run the cell to use its controls."
NO_PICTURE = "Controls that need a running kernel: run this cell to use them."
_PROGRESS = {"FloatProgressModel", "IntProgressModel"}
_CONTROL = re.compile(r"Slider|Button|Dropdown|Select|Checkbox|Text|Upload|Picker|Combobox|Tab|Accordion")

State = dict[str, dict[str, Any]]  # model id -> {"model_name": …, "state": {…}, "buffers": […]}


class PromotionError(ValueError):
    """A widget holds what a lesson must not hide: an error, or an empty picture."""


class Picture(NamedTuple):
    """A picture found in a widget, as it is encoded there."""

    data: bytes
    text: str
    poster: bool

    @property
    def pixels(self) -> int:
        with Image.open(io.BytesIO(self.data)) as image:
            return image.width * image.height


def promote(outputs: list[dict[str, Any]], state: State) -> list[dict[str, Any]]:
    """What one cell displayed, without any widget: a picture each, or a line of text; bare progress bars are dropped.

    Raises:
        PromotionError: if a widget that was displayed has pictures, and all of them are empty.
    """
    static = []
    for output in outputs:
        view = output.get("data", {}).get(WIDGET_VIEW)
        if view is None:
            static.append(output)
            continue
        models = list(_tree(view["model_id"], state))
        names = {state[model]["model_name"] for model in models}
        if names & _PROGRESS and not any(_CONTROL.search(name) for name in names):
            continue  # a progress bar has nothing to say once the work is done
        static.append({"output_type": "display_data", **_poster(models, state)})
    return static


def hidden_errors(state: State) -> list[str]:
    """Errors that Output widgets caught, where no reader of the cell would see them."""
    return [
        f"{output['ename']}: {output['evalue']}"
        for model in state.values()
        for output in model["state"].get("outputs", ())
        if output["output_type"] == "error"
    ]


def _tree(root: str, state: State) -> Iterator[str]:
    """The ids of a widget's model and of all the models under it, parents first, each once."""
    waiting, seen = [root], set()
    while waiting:
        model = waiting.pop(0)
        if model in seen or model not in state:
            continue
        seen.add(model)
        yield model
        waiting[:0] = _children(state[model]["state"])


def _children(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value.startswith("IPY_MODEL_"):
            yield value.removeprefix("IPY_MODEL_")
    elif isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _children(inner)


def _poster(models: list[str], state: State) -> dict[str, Any]:
    """The data and metadata of the static output for one widget."""
    pictures, empty = [], 0
    for model in models:
        name, values = state[model]["model_name"], state[model]["state"]
        marked = POSTER in values.get("_dom_classes", ())
        if name == "ImageModel" or marked:
            data = _wiped(state[model])
            if data:
                pictures.append(Picture(data, values.get("tooltip") or "", marked))
            else:
                empty += 1
        elif name == "OutputModel":
            pictures.extend(_captured(values.get("outputs", ())))
    if empty and not pictures:
        raise PromotionError(
            "a widget was displayed with its picture still empty: its first result must be there when the cell ends, "
            "so work it out before the cell returns, or wait for it in the cell"
        )
    if not pictures:
        return {"data": {"text/plain": _words(models, state) or NO_PICTURE}, "metadata": {}}
    chosen = [picture for picture in pictures if picture.poster]
    chosen = chosen or [max(pictures, key=lambda picture: picture.pixels)]  # the first of equals
    text = "; ".join(picture.text for picture in chosen if picture.text) or DEFAULT_TEXT
    jpeg = base64.b64encode(_stacked([_as_jpeg(picture.data) for picture in chosen])).decode("ascii")
    return {"data": {"image/jpeg": jpeg, "text/plain": text}, "metadata": {"image/jpeg": {"alt": text}}}


def _buffer(model: dict[str, Any], path: str) -> bytes:
    for buffer in model.get("buffers", ()):
        if list(buffer["path"]) == [path]:
            return base64.b64decode(buffer["data"])
    return b""


def _wiped(model: dict[str, Any]) -> bytes:
    """The picture of a widget; where it has a border, with the other picture left of it."""
    data, before, border = _buffer(model, "value"), _buffer(model, "before"), model["state"].get("border", 0)
    if not (data and before and border):
        return data
    with Image.open(io.BytesIO(data)) as whole, Image.open(io.BytesIO(before)) as left:
        cut = round(border * whole.width)
        whole.paste(left.resize(whole.size).crop((0, 0, cut, whole.height)))
        whole.paste("white", (max(0, cut - 1), 0, min(cut + 1, whole.width), whole.height))
        _name_sides(whole, cut, model["state"].get("names", ()))
        return _jpeg(whole, 92)


def _name_sides(picture: Image.Image, cut: int, names: Sequence[str]) -> None:
    """Write at the bottom what is left and right of the border, where there is room for it."""
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(13)
    for name, start, end in zip(names, (0, cut), (cut, picture.width), strict=False):
        width = draw.textlength(name, font) + 8
        if width > end - start:
            continue
        corner = (start if start == 0 else end - width, picture.height - 20)
        draw.rectangle((*corner, corner[0] + width, picture.height), fill="white")
        draw.text((corner[0] + 4, corner[1] + 2), name, fill="black", font=font)


def _stacked(pictures: list[bytes]) -> bytes:
    """JPEGs one below the other, in the middle, on white."""
    if len(pictures) == 1:
        return pictures[0]
    images = [Image.open(io.BytesIO(data)) for data in pictures]
    whole = Image.new("RGB", (max(image.width for image in images), sum(image.height for image in images)), "white")
    top = 0
    for image in images:
        whole.paste(image, ((whole.width - image.width) // 2, top))
        top += image.height
    return _jpeg(whole)


def _captured(outputs: list[dict[str, Any]]) -> Iterator[Picture]:
    """Pictures that an Output widget holds."""
    for output in outputs:
        for mime in ("image/jpeg", "image/png"):
            if mime in output.get("data", {}):
                text = output.get("metadata", {}).get(mime, {}).get("alt", "")
                yield Picture(base64.b64decode(output["data"][mime]), text, False)


def _words(models: list[str], state: State) -> str:
    """What Output widgets without pictures say."""
    outputs = [output for model in models for output in state[model]["state"].get("outputs", ())]
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return "\n".join(text.strip() for text in texts if text.strip())


def _as_jpeg(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        if image.format == "JPEG":
            return data
        flat = Image.new("RGB", image.size, "white")
        flat.paste(image, mask=image.convert("RGBA").getchannel("A"))
        return _jpeg(flat)


def _jpeg(image: Image.Image, quality: int = 85) -> bytes:
    written = io.BytesIO()
    image.save(written, format="JPEG", quality=quality)
    return written.getvalue()
