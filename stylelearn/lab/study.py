"""The blind study of lesson 10: two pictures at a time, no names, scores from 1 to 4; names and results at the end."""

import base64
import html
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import traitlets

from stylelearn.evaluation.ratings import (
    QUESTIONS,
    SCORES,
    Rating,
    Ratings,
    check_name,
    latest,
    ratings_in,
    write_ratings,
)
from stylelearn.evaluation.study import Pastiche, intervals, trials
from stylelearn.figures.display import pieces
from stylelearn.figures.marks import intervals_figure
from stylelearn.figures.pictures import grid_figure
from stylelearn.lab.compare import title_of
from stylelearn.lab.engine.errors import complaint, guarded
from stylelearn.lab.widgets import controls

FILE = "my-study.csv"
_SIDES = ("left", "right")
_PICTURE = 380  # pixels, the width of each of the two


class Picture(widgets.Image):
    """An Image widget that may have a tooltip, which is what screen readers read for it.

    The browser's side of ipywidgets 8 looks at the description of every widget that has a tooltip, and Image has none.
    """

    description = traitlets.Unicode("").tag(sync=True)


class StudyLab(widgets.VBox):
    """Pastiches two at a time, with two questions each; every rating is kept at once.

    Args:
        pastiches: what is judged.
        path: the CSV file; it is made with the first rating.
        rater: a name; None for that of the file.

    Attributes:
        ratings: the file.
        page: which trial is shown, from 0.
        error: what went wrong last, "" if nothing did.
    Raises:
        StudyError: no pastiches, or a file that is no study.
    """

    def __init__(self, pastiches: Sequence[Pastiche], path: str | Path = FILE, rater: str | None = None) -> None:
        self.ratings, self.page, self.error = Ratings(path), 0, ""
        self._pastiches, self._warned = list(pastiches), False
        self._rater = check_name(rater or self.ratings.rater)
        self.name = widgets.Text(
            value=self._rater, description="your name", continuous_update=False,
            tooltip="Any name, or the one drawn by lot. Each name has an order of its own.",
        )  # fmt: skip
        self._trials = trials(self._pastiches, self._rater)
        self.picture, self.given = Picture(format="jpeg"), Picture(format="jpeg")
        for picture, width in ((self.picture, 2 * _PICTURE + 30), (self.given, 300)):
            picture.add_class("poster")  # on a page without a kernel a pastiche stands below its photo and style, too
            picture.layout = widgets.Layout(width="100%", max_width=f"{width}px", object_fit="contain")
        self.scores = {side: {name: self._scale(side, name) for name in QUESTIONS} for side in _SIDES}
        self._columns = [
            widgets.VBox(
                [widgets.HTML(f"<b>the {side} one</b>"), *self.scores[side].values()],
                layout=widgets.Layout(width="50%"),
            )
            for side in _SIDES
        ]
        self._back, self._next, self._result, self._csv = (
            controls.button(words, tooltip, self._guarded(act))
            for words, tooltip, act in (
                ("◂ Back", "To the page before; scores can be changed.", lambda: self.show(self.page - 1)),
                ("Next ▸", "To the next page; what is open can be scored later.", lambda: self.show(self.page + 1)),
                ("Results", "Show the mean scores with the methods' names. Then it is blind no more.", self._asked),
                ("Hand in (CSV)", "Write all ratings to a CSV file with your name, beside this notebook.", self.export),
            )
        )
        self.upload = widgets.FileUpload(
            accept=".csv", multiple=True, description="Merge", layout=widgets.Layout(width="auto"),
            tooltip="Add CSV files of others: the class in one plot. The same file twice does no harm.",
        )  # fmt: skip
        self.upload.observe(self._guarded(self._uploaded), "value")
        self._where, self._message, self.results = widgets.HTML(), widgets.HTML(), widgets.HTML()
        scales = widgets.HBox(self._columns, layout=widgets.Layout(width="100%", max_width=f"{2 * _PICTURE + 30}px"))
        row = widgets.Layout(flex_flow="row wrap", align_items="center")
        super().__init__(
            [
                self.given, self.picture, scales,
                widgets.HBox([self._back, self._next, self._where], layout=row),
                widgets.HBox([self.name, self._result, self._csv, self.upload], layout=row),
                self._message, self.results,
            ],
            layout=widgets.Layout(width="100%"),
        )  # fmt: skip
        self.name.observe(self._guarded(self._renamed), "value")
        self.show(self._first_open())

    @property
    def missing(self) -> int:
        """How many ratings of this rater are missing."""
        return self._missing(self._pastiches)

    def show(self, page: int) -> None:
        """Turn to a page, from 0; beyond the ends it stays at the end."""
        self.page = min(max(page, 0), len(self._trials) - 1)
        shown, known = self._trials[self.page], self._known()
        words = "one pastiche alone" if len(shown) == 1 else "two pastiches, left and right"
        words = f"{shown[0].pair}: {words}, without names"
        given = f"{shown[0].pair}: the photo and the style that they were made of"
        self._draw(self.picture, [one.image for one in shown], _SIDES, words, _PICTURE)
        self._draw(self.given, [shown[0].content, shown[0].style], ("the photo", "the style"), given, 140)
        for side, one in zip(_SIDES, shown, strict=False):
            for question, scale in self.scores[side].items():
                scale.value = known.get((one.pair, one.method, question))
        self._columns[1].layout.visibility = "visible" if len(shown) == 2 else "hidden"
        self.picture.layout.max_width = f"{len(shown) * (_PICTURE + 15)}px"
        self._count()

    def reveal(self) -> None:
        """Show the mean scores of all raters in the file, with the names of the methods."""
        found = {name: intervals(self.ratings.all(), name) for name in QUESTIONS}
        groups = {
            QUESTIONS[name]: {title_of(method): (one.mean, one.low, one.high) for method, one in each.items()}
            for name, each in found.items()
            if each
        }
        some = [one for each in found.values() for one in each.values()]
        if not some:
            self._say("there are no ratings yet; give some scores first")
            return
        title = f"Mean scores, with 95 % intervals over the {some[0].of}"
        figure = intervals_figure(groups, x="1: not at all … 4: fully", title=title, limits=(0.8, 4.2))
        picture, _ = pieces(figure)
        data = base64.b64encode(picture.data).decode("ascii")
        self.results.value = (
            f'<img alt="{html.escape(picture.alt)}" style="max-width:100%" src="data:image/jpeg;base64,{data}">'
        )

    def export(self) -> None:
        """Write all ratings of the file as CSV beside it, under the rater's name, to hand in."""
        name = "".join(letter if letter.isalnum() else "-" for letter in self._rater)
        written = write_ratings(self.ratings.path.with_name(f"my-study-{name}.csv"), self.ratings.all())
        self._say(f"written to {written}; hand in this file", fine=True)

    def take(self, files: Sequence[Any]) -> None:
        """Add the ratings of uploaded CSV files, all or none; then show the results."""
        before = {one.key: one for one in self.ratings.all()}
        coming = latest(one for file in files for one in ratings_in(bytes(file["content"]), f"'{file['name']}'"))
        new = [one for one in coming if one.key not in before or one.at > before[one.key].at]
        self.ratings.give(*new)
        self._say(f"{len(new)} ratings added, {len(coming) - len(new)} known already", fine=True)
        self.show(self.page)
        self.reveal()

    def _known(self) -> dict[tuple[str, str, str], int]:
        return {one.key[1:]: one.score for one in self.ratings.all() if one.rater == self._rater}

    def _missing(self, pastiches: Sequence[Pastiche]) -> int:
        known = self._known()
        return sum((one.pair, one.method, name) not in known for one in pastiches for name in QUESTIONS)

    def _first_open(self) -> int:
        found = (page for page, shown in enumerate(self._trials) if self._missing(shown))
        return next(found, len(self._trials) - 1)

    def _asked(self) -> None:
        """Results too early cannot be unseen: ask once."""
        if self.missing and not self._warned:
            self._warned = True
            self._say(f"{self.missing} ratings are still open; press Results once more to see the names all the same")
            return
        self._say("")
        self.reveal()

    def _scored(self, side: str, question: str) -> None:
        score, one = self.scores[side][question].value, self._trials[self.page][_SIDES.index(side)]
        if score in (None, self._known().get((one.pair, one.method, question))):  # the page was turned to it
            return
        self.ratings.give(Rating(self._rater, one.pair, one.method, question, score))
        self._say("")
        self._count()

    def _renamed(self) -> None:
        self._rater = check_name(self.name.value)
        self._trials = trials(self._pastiches, self._rater)
        self.show(self._first_open())
        self._say("")

    def _count(self) -> None:
        missing, whole = self.missing, len(self._pastiches) * len(QUESTIONS)
        words = f"page {self.page + 1} of {len(self._trials)}, {whole - missing} of {whole} ratings given"
        self._where.value = f'<span role="status">{words}</span>'
        self._back.disabled, self._next.disabled = self.page == 0, self.page == len(self._trials) - 1

    def _draw(self, place: Picture, images: Sequence[Any], titles: Sequence[str], words: str, width: int) -> None:
        figure = grid_figure(images, titles[: len(images)], columns=2, width=width)
        with place.hold_sync():
            place.value, place.tooltip = pieces(figure, words)[0].data, words

    def _scale(self, side: str, question: str) -> widgets.RadioButtons:
        made = widgets.RadioButtons(
            options=[(f"{score} {words}", score) for score, words in SCORES.items()], value=None,
            description=QUESTIONS[question], orientation="horizontal", style={"description_width": "initial"},
            tooltip=f"The {side} one. {QUESTIONS[question]} 1 is not at all, 4 is fully.",
            layout=widgets.Layout(width="auto", display="block"),
        )  # fmt: skip
        made.observe(self._guarded(partial(self._scored, side, question)), "value")
        return made

    def _uploaded(self) -> None:
        files, self.upload.value = self.upload.value, ()
        if files:
            self.take(files)

    def _guarded(self, act: Callable[[], Any]) -> Callable[..., None]:
        return guarded(act, self._say)

    def _say(self, words: str, *, fine: bool = False) -> None:
        self.error = "" if fine else words
        self._message.value = html.escape(words) if fine or not words else complaint(words)
