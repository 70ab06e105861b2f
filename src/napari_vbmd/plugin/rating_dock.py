"""The dock Rate: two masks of each scan in colours drawn by lot, and which one is better.

While pairs are in view nothing here names the sources: not the dock, the layers, or a tooltip.
"""

from time import monotonic

from qtpy.QtWidgets import QWidget

from ..errors import ParameterError, VbmdError
from ..study.pair_view import PairView
from ..study.rating import Rating, Showing
from .job import sentence
from .keys import LayerKeys
from .pair_layers import PairLayers
from .pair_loader import PairLoader
from .parts import Page, RunBar
from .rating_panels import CHOICES, DIFFER, HIDING, PairPanel, Result, SetUp

_SOONEST_S = 0.3  # nobody judges a pair faster: it was the last pair's key, pressed twice
_BACK = "Control-Z"
_UNBLINDS = (
    "The summary tells which source you prefer; answers after it are marked as not blind, and left "
    "out of it. Press again to see it."
)


class RatingDock(Page):
    """A blinded rating of pairs of masks; every answer is on disk at once."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer"):  # noqa: F821 - read by npe2
        super().__init__(napari_viewer)
        self.rating: Rating | None = None
        self.showing: Showing | None = None  # the pair in view, or on its way
        self.view: PairView | None = None
        self._since = 0.0
        self.keys = LayerKeys(self._commands(), "While a pair is in view")
        self.layers = PairLayers(napari_viewer, self)
        self.loader = PairLoader(self)
        self.set_up, self.pair, self.result = SetUp(), PairPanel(), Result(self._go_on)
        self.run_bar = RunBar("Start", "Begin, or go on where this rater left")
        for panel in (self.set_up, self.pair, self.result):
            self.body.addWidget(panel)
        self.body.addStretch()
        self.footer.addWidget(self.run_bar)
        self._connect()
        self._turn_to(self.set_up)

    def start(self) -> None:
        """Begin to rate, or go on where it was left."""
        path, rater = self.set_up.path.text().strip(), self.set_up.rater.text()
        try:
            if not path:
                raise ParameterError("Choose the table of pairs first.")
            if len(self.viewer.layers):
                raise ParameterError(
                    "Close the other layers first: while rating only the pair is in view."
                )
        except VbmdError as error:
            self.run_bar.complain(sentence(error))
            return
        self.run_bar.run(lambda tell: Rating.of(path, rater), "Reading the table", self._begin)

    def answer(self, choice: str) -> None:
        """Answer for the pair in view, and go on to the next."""
        looked = monotonic() - self._since
        if self.view is None or looked < _SOONEST_S:
            return
        try:
            self.rating.give(self.showing.order, choice, looked, self.view.doubts)
        except VbmdError as error:
            self.run_bar.complain(sentence(error))
            return
        self.run_bar.message.say("")
        self._go_on()

    def go_to_difference(self) -> None:
        """Show the slice in which the masks differ most."""
        if self.view is not None:
            self.layers.go_to(self.view.differ_most)

    def back(self) -> None:
        """Show the pair before again; its answer stands until another is given."""
        before = self.rating.before(self.showing.order if self.showing else None)
        if before is None:
            self.run_bar.message.say("There is no pair before this one.")
        else:
            self._go_to(before)

    def pause(self) -> None:
        """Close the pair; all answers are on disk."""
        self._leave()
        self._turn_to(self.set_up)
        self.run_bar.message.say("Start again to go on where you left.")

    def ask_for_summary(self) -> None:
        """Show the summary before all pairs are rated, when it is asked for twice."""
        if self.rating.is_blind and self.run_bar.message.text() != _UNBLINDS:
            self.run_bar.message.say(_UNBLINDS)
        else:
            self.summarise()

    def summarise(self) -> None:
        """Show what the answers come to, and write it beside them."""
        rating = self.rating
        try:
            summary = rating.summary()
        except VbmdError as error:
            self.run_bar.complain(sentence(error))
            return
        self._leave()
        written = f"Answers: {rating.path.name}\nSummary: {rating.summary_path.name}"
        self.result.show_summary(summary, written, rating.next() is not None)
        self.run_bar.message.say("")
        self._turn_to(self.result)

    def stop(self) -> None:
        """End what goes on; the pair goes with the dock."""
        super().stop()
        self._leave()

    def _begin(self, rating: Rating) -> None:
        self.rating = rating
        count = len(rating.showings)
        known = f"Going on: {rating.answered} of {count} pairs have an answer."
        self.run_bar.message.say(known if rating.answered else "Every answer is saved at once.")
        self._go_on()

    def _go_on(self) -> None:
        showing = self.rating.next()
        if showing is None:
            self._finish()
        else:
            self._go_to(showing)

    def _go_to(self, showing: Showing) -> None:
        self.showing, self.view = showing, None
        count = len(self.rating.showings)
        self.pair.show_progress(f"Pair {showing.order} of {count}", self.rating.answered, count)
        self._turn_to(self.pair)
        self.loader.fetch(showing)
        self._show_when_here(showing.order)

    def _show_when_here(self, order: int) -> None:
        """Show the pair that is waited for, if this is it and it has arrived."""
        if self.showing is None or order != self.showing.order or self.view is not None:
            return
        found = self.loader.take(order)
        if found is None:
            self.keys.leave()
            self.layers.hide()
            self.pair.state.say("Loading …")
        elif isinstance(found, str):
            self._skip(order, found)
        else:
            self.view = found
            self._show()

    def _show(self) -> None:
        self.layers.show(self.view)
        self.keys.follow(*self.layers.all)
        known = self.rating.answer(self.showing.order)
        self.pair.state.say(f"Your answer: {known}. Another takes its place." if known else "")
        self._allow()
        self.window().setFocus()  # out of the form: the window passes keys on to the layers
        self._since = monotonic()
        self.loader.fetch(self.rating.next(but=self.showing.order))  # while this one is rated

    def _lose(self) -> None:
        """A layer of the pair was removed: nobody can judge the rest. Leaves the viewer alone."""
        self.view = None
        self.keys.leave()
        self.pair.state.say("A layer was removed. Press Pause, then Start.")
        self._allow()

    def _skip(self, order: int, reason: str) -> None:
        try:
            self.rating.skip(order, reason)
        except VbmdError as error:
            self.pause()
            self.run_bar.complain(sentence(error))
            return
        # the reason may name a source
        name = self.rating.path.name
        self.run_bar.complain(f"Pair {order} cannot be shown and was skipped; {name} says why.")
        self._go_on()

    def _finish(self) -> None:
        self.keys.leave()
        self.layers.hide()
        self.showing = self.view = None
        answered, count = self.rating.answered, len(self.rating.showings)
        self.pair.show_progress(f"{answered} of {count} pairs rated", answered, count)
        self.pair.state.say("Go back to change an answer; the summary ends the blinding.")
        self._turn_to(self.pair)

    def _leave(self) -> None:
        self.keys.leave()
        self.loader.stop()
        self.layers.clear()
        self.showing = self.view = None

    def _turn_to(self, panel: QWidget) -> None:
        self._panel = panel
        for one in (self.set_up, self.pair, self.result):
            one.setVisible(one is panel)
        text = {self.set_up: "Start", self.pair: "Show summary", self.result: "Rate others"}
        self.run_bar.button.setText(text[panel])
        self._allow()

    def _allow(self) -> None:
        """Offer the buttons that do something now."""
        in_pair = self._panel is self.pair
        answers = in_pair and self.rating.answered > 0
        at_end = in_pair and self.showing is None
        self.pair.allow(self.view is not None, back=answers, summary=answers and not at_end)
        self.run_bar.button.setVisible(at_end or not in_pair)
        self.run_bar.allow("No pair was rated" if at_end and not answers else "")

    def _run(self) -> None:
        if self._panel is self.set_up:
            self.start()
        elif self._panel is self.pair:
            self.summarise()
        else:
            self._turn_to(self.set_up)

    def _commands(self) -> dict:
        answers = {
            key: (meaning, lambda c=choice: self.answer(c))
            for choice, key, _, _, meaning in CHOICES
        }
        hiding = {
            key: (meaning, lambda m=masks: self.layers.toggle(*m))
            for key, _, meaning, masks in HIDING
        }
        others = {
            DIFFER[0]: (DIFFER[2], self.go_to_difference),
            _BACK: ("Back to the pair before", self.back),
        }
        return answers | hiding | others

    def _connect(self) -> None:
        self.run_bar.button.clicked.connect(self._run)
        self.set_up.rater.returnPressed.connect(self.start)
        self.pair.answered.connect(self.answer)
        self.pair.hidden.connect(lambda masks: self.layers.toggle(*masks))
        self.pair.difference_wanted.connect(self.go_to_difference)
        self.pair.back.connect(self.back)
        self.pair.paused.connect(self.pause)
        self.pair.summary_wanted.connect(self.ask_for_summary)
        self.pair.keys_wanted.connect(self.keys.show)
        self.loader.arrived.connect(self._show_when_here)
        self.layers.lost.connect(self._lose)
