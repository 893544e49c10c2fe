"""Figures pixel by pixel, and the text that a notebook gets with them."""

import base64
import math
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from pictures import random_image

from stylelearn.figures import LivePicture, grid, pictures, plot_curves, show
from stylelearn.figures.curves import curves_figure
from stylelearn.figures.marks import intervals_figure, points_figure
from stylelearn.figures.pictures import PAGE, SMALLEST
from stylelearn.figures.tree import Ask, tree_figure
from stylelearn.images import ImageError, psnr, read_image, to_pil


def drawn(*args, **options) -> np.ndarray:
    """The figure's pixels, (H, W, 3)."""
    figure = pictures.grid_figure(*args, **options)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3]


def found(page: np.ndarray, picture: np.ndarray) -> tuple[int, int] | None:
    """Where the picture stands in the page, exactly, pixel for pixel."""
    height, width = picture.shape[:2]
    for y, x in np.argwhere((page == picture[0, 0]).all(axis=2)):
        if np.array_equal(page[y : y + height, x : x + width], picture):
            return int(y), int(x)
    return None


@pytest.fixture
def displayed(monkeypatch):
    """What IPython would send for each displayed object: (data, metadata)."""
    import IPython.display
    from IPython.core.formatters import DisplayFormatter

    outputs = []
    formatter = DisplayFormatter()
    monkeypatch.setattr(IPython.display, "display", lambda thing: outputs.append(formatter.format(thing)))
    return outputs


def test_a_picture_keeps_every_pixel_on_white():
    image = random_image(260, 300)
    page = drawn([image])
    margin = pictures._MARGIN
    assert page.shape == (260 + 2 * margin, 300 + 2 * margin, 3)
    assert found(page, np.asarray(to_pil(image))) == (margin, margin)
    page[margin:-margin, margin:-margin] = 255
    assert (page == 255).all()


def test_a_grid_keeps_every_pixel_of_every_picture_in_its_place():
    images = [random_image(256, 256, 1), random_image(300, 270, 2), random_image(256, 300, 3)]
    page = drawn(images, ["one", "two", "three"], columns=2)
    places = [found(page, np.asarray(to_pil(image))) for image in images]
    assert None not in places
    (y1, x1), (y2, x2), (y3, x3) = places
    assert y1 == y2 and x1 < x2 and y3 > y1 + 300 and x3 < x2
    head = page[: y1 - 1]
    assert (head < 128).any(axis=2).sum() > 50  # dark letters above the pictures
    assert (page[:, -pictures._MARGIN :] == 255).all() and (page[-pictures._MARGIN :] == 255).all()


def test_an_even_row_shows_a_high_picture_whole_and_as_high_as_the_others():
    wide, square = random_image(200, 300, 1), torch.zeros(1, 3, 300, 300)
    page = drawn([wide, square], columns=2, even=True)
    y, x = found(page, np.asarray(to_pil(wide)))
    black = np.argwhere((page == 0).all(axis=2))
    (top, left), (bottom, right) = black.min(axis=0), black.max(axis=0)
    assert (top, bottom) == (y, y + 199) and right - left == 199
    assert abs((left + right) / 2 - (x + 300 + pictures._GAP + 150)) <= 1  # in the middle of its place


def test_small_pictures_are_enlarged_as_pixels():
    image = random_image(64, 64)
    expected = np.asarray(to_pil(image)).repeat(SMALLEST // 64, axis=0).repeat(SMALLEST // 64, axis=1)
    assert found(drawn([image]), expected) is not None


@pytest.mark.parametrize(("own", "shown"), [(200, SMALLEST), (700, 700), (2000, PAGE)])
def test_the_width_of_one_picture(own, shown):
    assert drawn([random_image(8, own)]).shape[1] == shown + 2 * pictures._MARGIN
    assert drawn([random_image(8, own)], width=400).shape[1] == 400 + 2 * pictures._MARGIN


@pytest.mark.parametrize(("count", "columns"), [(4, 2), (7, 3)])
def test_rows_are_filled_evenly(count, columns):
    page = drawn([random_image(256, 256)] * count)
    assert page.shape[1] == columns * 256 + (columns - 1) * pictures._GAP + 2 * pictures._MARGIN


def test_long_titles_are_wrapped_and_formulas_are_not():
    image = random_image(256, 256)
    long = drawn([image], ["a rather long title that does not fit on one line above a small picture"])
    short = drawn([image], ["short"])
    assert long.shape[0] > short.shape[0] and long.shape[1] == short.shape[1]
    assert drawn([image], [r"$\alpha / \beta = 10^{-3}$"]).shape == short.shape


def test_show_sends_a_jpeg_and_its_text(displayed):
    image = torch.linspace(0, 1, 256).expand(1, 3, 256, 256)
    show(image, "A grey ramp")
    (data, metadata), (hidden, _) = displayed
    jpeg = read_image(base64.b64decode(data["image/jpeg"]))
    margin, head = pictures._MARGIN, pictures._MARGIN + pictures._LINE
    assert psnr(jpeg[..., head : head + 256, margin : margin + 256], image) > 38
    alt = "Picture: A grey ramp (256 × 256 pixels)"
    assert metadata["image/jpeg"]["alt"] == alt
    assert data["text/plain"] == alt
    assert alt in hidden["text/html"] and "jp-sr-only" in hidden["text/html"]


def test_the_text_is_the_authors_where_there_is_one(displayed):
    show(random_image(4, 4), "title", alt='a <cat> & a "dog"')
    (data, metadata), (hidden, _) = displayed
    assert metadata["image/jpeg"]["alt"] == data["text/plain"] == 'a <cat> & a "dog"'
    assert "a &lt;cat&gt; &amp; a &quot;dog&quot;" in hidden["text/html"]


def test_grid_describes_itself_by_its_titles(displayed):
    images = [random_image(4, 4, i) for i in range(3)]
    grid(images, ["content", "style", "pastiche"])
    grid(torch.cat(images))
    texts = [metadata["image/jpeg"]["alt"] for _, metadata in displayed[::2]]
    assert texts == ["3 pictures: content; style; pastiche", "3 pictures"]


def test_without_a_notebook_only_the_text_is_printed(capsys):
    show(random_image(4, 4), "title")
    assert capsys.readouterr().out.strip() == "Picture: title (4 × 4 pixels)"


def test_refusals():
    with pytest.raises(ImageError, match="use grid"):
        show(torch.zeros(2, 3, 4, 4))
    with pytest.raises(ImageError, match="no images"):
        grid([])
    with pytest.raises(ImageError, match="2 images and 1 titles"):
        grid(torch.zeros(2, 3, 4, 4), ["one"])


def test_a_live_picture_is_replaced_in_its_place(monkeypatch):
    """One display for the picture and one for its text; every later picture goes to the same two handles."""
    import IPython.display

    handles = [Mock(), Mock()]
    display = Mock(side_effect=handles)
    monkeypatch.setattr(IPython.display, "display", display)
    view = LivePicture(width=400)
    for title in ("step 1", "step 2", "the end"):
        view.update(random_image(4, 4), title)
    assert [call.kwargs for call in display.call_args_list] == [{"display_id": True}] * 2
    first = display.call_args_list[0].args[0]
    assert read_image(first.data).shape[-1] == 400 + 2 * pictures._MARGIN
    later, texts = ([call.args[0] for call in handle.update.call_args_list] for handle in handles)
    named = [f"Picture: {title} (4 × 4 pixels)" for title in ("step 1", "step 2", "the end")]
    assert [repr(each) for each in (first, *later)] == named
    assert len(texts) == 2 and "the end" in texts[-1]._repr_html_()


def test_a_live_picture_prints_where_there_is_no_notebook(capsys):
    LivePicture().update(random_image(4, 4), "step 1")
    assert "step 1" in capsys.readouterr().out


FALLING = {"content": [4.0, 2.0, 1.0, 2.0], "style": [3.0, float("nan"), 0.5, 0.25]}


def test_curves_are_told_apart_without_colour():
    names = {f"curve {i}": [1.0, 2.0] for i in range(8)}
    (axes,) = curves_figure(names).axes
    assert [line.get_label() for line in axes.lines] == list(names)
    looks = {(line.get_linestyle(), line.get_marker()) for line in axes.lines}
    assert len(looks) == len({line.get_marker() for line in axes.lines}) == len(names)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(names)


def test_names_beside_the_plot_hide_no_curve():
    figure = curves_figure(FALLING, beside=True)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    legend = axes.get_legend().get_window_extent()
    assert legend.x0 >= axes.bbox.x1 and legend.x1 <= figure.bbox.x1


def test_curves_show_the_values_they_were_given():
    (axes,) = curves_figure(FALLING, x="iteration", y="distance", title="Two", at=[0, 10, 20, 30]).axes
    for line, values in zip(axes.lines, FALLING.values(), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), [0, 10, 20, 30])
        np.testing.assert_array_equal(line.get_ydata(), values)
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == ("iteration", "distance", "Two")
    assert axes.get_yscale() == "log"
    (axes,) = curves_figure({"a": [1.0, 0.0, -1.0]}, log=False).axes
    assert axes.get_yscale() == "linear" and [*axes.lines[0].get_xdata()] == [1, 2, 3]


def test_curves_that_reach_zero_and_negative_values_do_not_break_the_logarithm():
    figure = curves_figure({"a": [1.0, 0.0, -2.0, 0.1], "b": [0.0] * 4})
    figure.canvas.draw()
    low, high = figure.axes[0].get_ylim()
    assert 0 < low <= 0.1 and high >= 1


def test_curves_in_words():
    def words(*args, **options):
        return curves_figure(*args, **options).get_label()

    assert words(FALLING, y="weighted loss", title="Tug of war") == (
        "Tug of war. weighted loss by step: content starts at 4 (step 1), ends at 2 (step 4), lowest 1 (step 3); "
        "style starts at 3 (step 1), ends at 0.25 (step 4), lowest 0.25 (step 4)"
    )
    assert "nothing has no values" in words({"nothing": [float("nan")]})
    assert "ends at 3 (layer relu2_1)" in words({"a": [2.0, 3.0]}, x="layer", at=["relu1_1", "relu2_1"])


def test_positions_may_have_names():
    names = [f"relu{i}_1" for i in range(1, 8)]
    figure = curves_figure({"a": range(1, 8)}, at=names)
    figure.canvas.draw()
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == names


def test_plot_curves_sends_a_jpeg_and_its_text(displayed):
    plot_curves({"relu3_1": torch.tensor([0.5, 0.25])}, title="Downhill")
    (data, _), _ = displayed
    assert read_image(base64.b64decode(data["image/jpeg"])).shape == (1, 3, 340, 640)
    assert data["text/plain"].startswith("Downhill. loss by step: relu3_1 starts at 0.5 (step 1)")


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: curves_figure({}), "no curve"),
        (lambda: curves_figure({"a": [1, 2, 3]}, at=[1, 2]), "3 values for 2 positions"),
        (lambda: intervals_figure({"a": {}}), "no score to plot"),
        (lambda: points_figure({}, "x", "y", {}), "nothing to plot"),
    ],
)
def test_nothing_to_draw_is_refused(draw, words):
    with pytest.raises(ValueError, match=words):
        draw()


SCORES = {"photo?": {"a": (3.0, 2.5, 3.5), "b": (2.0, math.nan, math.nan)}, "style?": {"b": (1.5, 1.0, 2.0)}}
POINTS = {"fast": (0.01, 3.0), "also fast": (0.011, 3.1), "slow": (10.0, 0.1)}
TREE = Ask("Photo?", {"yes": "seven", "no": Ask("Wait?", {"yes": "two", "no": "five\nor eight"})})


def test_intervals_stand_where_the_numbers_say():
    (axes,) = intervals_figure(SCORES, limits=(1, 4)).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert axes.get_xlim() == (1, 4)
    found = {}
    for bars, name in zip(axes.containers, SCORES, strict=True):
        points, _, (lines,) = bars
        found[name] = [
            (x, *sorted(end[0] for end in line))
            for x, line in zip(points.get_xdata(), lines.get_segments(), strict=True)
        ]
    assert found["photo?"] == [(3.0, 2.5, 3.5), (2.0, 2.0, 2.0)]  # no interval, no bar
    assert found["style?"] == [(1.5, 1.0, 2.0)]
    marks = [bars[0].get_marker() for bars in axes.containers]
    assert len({*marks}) == 2  # told apart by more than colour
    rows = [y for bars in axes.containers for y in bars[0].get_ydata()]
    assert len({*rows}) == 3 and [round(y) for y in rows] == [0, 1, 1]
    words = "photo?: a 3.00 (2.50 to 3.50), b 2.00; style?: b 1.50 (1.00 to 2.00)"
    assert intervals_figure(SCORES, title="Scores").get_label() == f"Scores. {words}"


def test_points_have_names_that_do_not_hide_each_other():
    kinds = {"fast": "one", "also fast": "many", "slow": "many"}
    figure = points_figure(POINTS, x="seconds", y="distance", kinds=kinds, title="Where", log=(True, True))
    figure.draw_without_rendering()
    (axes,) = figure.axes
    boxes = {text.get_text(): text.get_window_extent() for text in axes.texts if text.get_text()}
    assert set(boxes) == set(POINTS)
    assert not any(boxes[a].overlaps(boxes[b]) for a in boxes for b in boxes if a < b)
    assert {tuple(point) for line in axes.lines for point in line.get_xydata().tolist()} == set(POINTS.values())
    assert len({line.get_marker() for line in axes.lines}) == 2
    assert figure.get_label().startswith("Where. fast (one) at seconds 0.01, distance 3; ")


def test_a_tree_has_every_question_and_answer():
    figure = tree_figure(TREE, "Which")
    words = {" ".join(text.get_text().split()) for text in figure.axes[0].texts}
    assert words == {"Which", "Photo?", "Wait?", "yes", "no", "seven", "two", "five or eight"}
    boxes = [patch.get_window_extent() for patch in figure.axes[0].patches]
    assert len(boxes) == 5
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    ways = "Photo? yes: seven; Photo? no, Wait? yes: two; Photo? no, Wait? no: five or eight"
    assert figure.get_label() == f"Which. {ways}"
    assert tree_figure(TREE).get_label() == ways


def test_names_of_marks_on_top_of_each_other_get_lines():
    crowd = {f"number {i}": (1.0 + i / 1000, 1.0) for i in range(6)} | {"far": (100.0, 9.0)}
    figure = points_figure(crowd, "x", "y", dict.fromkeys(crowd, "one"), log=(True, False))
    figure.draw_without_rendering()
    texts = figure.axes[0].texts
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    assert len(boxes) == len(crowd)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert sum(text.arrow_patch is not None for text in texts) >= 4  # only two find a place beside the mark
