"""A picture that one can point at, and boxes drawn over pictures. For labs in which a place of a picture matters.

ipywidgets' Image knows no clicks. So a drawing (SVG) lies over it, as large as it is; pressed, it writes the place into
a text field that nobody sees, and the field tells the kernel, as if somebody had typed it there.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence

import ipywidgets as widgets
import traitlets
from torch import Tensor

from stylelearn.images import encode_image

Box = tuple[float, float, float, float]  # left, top, width, height in pixels of the picture

_STYLE = (
    "<style>.sl-pointer .widget-html-content{height:100%;line-height:0}"
    ".sl-pointer svg{width:100%;height:100%;cursor:crosshair}</style>"
)
# The time makes each press another text: only what changes reaches the kernel.
_TELL = (
    "const at=new DOMPoint(event.clientX,event.clientY).matrixTransform(this.getScreenCTM().inverse()),"
    "all=this.viewBox.baseVal,said=this.closest('.sl-pointer').querySelector('input');"
    "said.value=at.x/all.width+' '+at.y/all.height+' '+event.timeStamp;"
    "said.dispatchEvent(new Event('change',{bubbles:true}));"
)


class Pointer(widgets.GridBox):
    """A picture, and where somebody pointed at it last; pressing and dragging both count.

    Args:
        picture: an `Image` widget (or another), shown as large as its layout says, in the upper left corner of its box.

    Attributes:
        place: (across, down) from 0 to 1 each, None before the first click; observe it.
    """

    place = traitlets.Tuple(traitlets.Float(), traitlets.Float(), allow_none=True, default_value=None)

    def __init__(self, picture: widgets.DOMWidget) -> None:
        shown = picture.layout
        over = widgets.Layout(width=shown.width, max_width=shown.max_width, max_height=shown.max_height)
        self._over = widgets.HTML(layout=over)
        self._said = widgets.Text(
            placeholder="across down", tooltip="Where the picture was pressed, from 0 to 1; never shown.",
            layout=widgets.Layout(display="none"),
        )  # fmt: skip
        for layer in (picture, self._over):
            layer.layout.grid_area = "picture"
        self._said.observe(self._heard, "value")
        super().__init__(
            [picture, self._over, self._said],
            layout=widgets.Layout(grid_template_areas='"picture"', grid_template_columns="100%", overflow="hidden"),
        )
        self.add_class("sl-pointer")

    def mark(self, size: Sequence[int], boxes: Iterable[Box]) -> None:
        """Draw boxes over the picture, whose (height, width) is `size`; the first one is drawn strongest."""
        # The same as object-fit: contain and object-position: left top, which the picture has.
        view = f'viewBox="0 0 {size[1]} {size[0]}" preserveAspectRatio="xMinYMin meet"'
        handlers = f'onpointerdown="{_TELL}" onpointermove="if(event.buttons){{{_TELL}}}"'
        self._over.value = f'{_STYLE}<svg {view} {handlers} aria-hidden="true">{drawn(boxes)}</svg>'

    def _heard(self, change: dict[str, str]) -> None:
        try:
            across, down = (min(max(float(word), 0.0), 1.0) for word in change["new"].split()[:2])
        except ValueError:
            return  # not from a click
        with self.hold_trait_notifications():
            # A press at the same place is a press, too: a control may have moved meanwhile.
            self.place = None  # type: ignore[assignment]
            self.place = (across, down)


def drawn(boxes: Iterable[Box]) -> str:
    """Boxes in SVG, black and white, so that they are seen on any picture; the first one thick, the others thin."""
    found: list[str] = []
    for number, (left, top, width, height) in enumerate(boxes):
        place = f'x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" fill="none"'
        strong, weak, dashes = (5, 2.5, "") if number == 0 else (1.5, 1, ' stroke-dasharray="3 3"')
        found[:0] = [  # what is drawn last lies on top
            f'<rect {place} vector-effect="non-scaling-stroke" stroke="#000" stroke-width="{strong}"/>',
            f'<rect {place} vector-effect="non-scaling-stroke" stroke="#fff" stroke-width="{weak}"{dashes}/>',
        ]
    return "".join(found)


def with_boxes(image: Tensor, boxes: Iterable[Box], words: str, *, width: int = 300) -> str:
    """A picture (1, 3, H, W) with boxes over it, as HTML.

    Args:
        boxes: as for `drawn`. words: the text for those who cannot see it. width: pixels on the page, at most.
    """
    tall, wide = image.shape[-2:]
    data = base64.b64encode(encode_image(image, "jpeg", 85)).decode("ascii")
    return (
        f'<svg role="img" aria-label="{html.escape(words)}" viewBox="0 0 {wide} {tall}" '
        f'style="display:block;width:100%;max-width:{width}px">'
        f'<image width="{wide}" height="{tall}" href="data:image/jpeg;base64,{data}"/>{drawn(boxes)}</svg>'
    )
