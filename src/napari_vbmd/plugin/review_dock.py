"""The dock Review: where a mask and an expert's differ, slice by slice, the worst first."""

from napari.layers import Image, Labels
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QCheckBox, QHBoxLayout

from ..errors import VbmdError
from ..measurement.review import Review
from ..measurement.walk import Walk
from .basis import basis
from .disagreement_layer import DisagreementLayer
from .job import sentence
from .keys import LayerKeys
from .layers import EXPERT, OURS, grid_of, mask_of, scan_of
from .live_mask import LiveMask
from .mask_watch import snapshot
from .parts import Note, Page, RunBar, Warnings, small_button
from .picker import LayerPicker
from .profile import ProfileCanvas
from .results import slice_sentence, walk_sentence
from .slice_range import go_to_slice, slice_in_view

_QUIET_MS = 120  # the strip waits for the end of a movement; the layer and the line do not
_SHOWN_ON = ("paint", "labels_update", "data")  # an edit of the expert's mask
_STALE = "The expert's mask was changed since: compare again."
_LOST = "The mask was changed since: compare again."


class ReviewDock(Page):
    """A disagreement layer, the way to the slice that differs most, and a strip along z."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer"):  # noqa: F821 - read by npe2
        super().__init__(napari_viewer, "Correct", "Next: correct the mask →")
        self.scan = LayerPicker(napari_viewer, Image, "The scan under both masks")
        self.mask = LayerPicker(napari_viewer, Labels, "The mask to review")
        self.expert = LayerPicker(
            napari_viewer,
            Labels,
            "The mask to compare with",
            none="choose the expert's mask",
            reference=True,
        )
        self.overlay = DisagreementLayer(napari_viewer, self)
        self.review: Review | None = None
        self._walk = Walk()
        self._basis: tuple = ()
        self._live = LiveMask(napari_viewer, self)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._show_strip)
        self.keys = LayerKeys(
            {
                "Shift-D": ("Go to the slice that differs most, then the next", self.next),
                "Shift-A": ("Go back to the slice before", self.back),
            }
        )
        self._lay_out()
        for picker in (self.scan, self.mask, self.expert):
            picker.picked.connect(lambda _: self._check())
        self.run_bar.button.clicked.connect(self.run)
        self._live.changed.connect(self._follow)
        self._live.lost.connect(lambda: self.stale.list([_LOST]))
        self.strip.slice_clicked.connect(self._go_to)
        napari_viewer.dims.events.current_step.connect(self._show_slice)
        napari_viewer.events.theme.connect(self._show_strip)
        self._check()

    def run(self) -> None:
        """Compare the two masks in the background, then go to the worst slice."""
        mask, expert = self.mask.layer, self.expert.layer
        try:
            scan, grid = scan_of(self.scan.layer), grid_of(mask)
        except VbmdError as error:
            self.run_bar.complain(sentence(error))
            return
        rests_on, labels = self._rest_on(), mask.data

        def work(progress) -> Review:
            mask_of(mask)  # refuses labels that cannot be followed
            theirs = snapshot(mask_of(expert)).mask
            return Review(scan, labels, grid, theirs, progress)

        def show(review: Review) -> None:
            if self._rest_on() == rests_on:
                self._begin(review, rests_on)
            else:
                self.run_bar.message.say("Another layer was chosen meanwhile: compare again.")

        self.run_bar.run(work, f"Comparing {mask.name}", show)

    def next(self) -> None:
        """Go to the slice that differs most of those not seen yet."""
        if self.review is None:
            self.run_bar.message.say("Compare the two masks first.")
            return
        self._go_along(self._walk.next(self.review.differences.worst_first()), "No slice differs.")

    def back(self) -> None:
        """Go to the slice seen before this one."""
        if self.review is not None:
            self._go_along(self._walk.back(), "This is where the way began.")

    def stop(self) -> None:
        """End what goes on; layer and keys go with the dock, since nobody keeps them up to date."""
        super().stop()
        self._forget()
        self.keys.leave()

    def open_dock(self, name: str):
        """Open another dock, for the same mask."""
        page = super().open_dock(name)
        page.mask.pick(self.mask.layer)
        return page

    def _begin(self, review: Review, basis: tuple) -> None:
        self._forget()
        self._basis, self.review, self._walk = basis, review, Walk()
        _, mask, expert, *_ = basis
        self.overlay.show(review.differences, f"{mask.name} beside {expert.name}")
        for event in _SHOWN_ON:
            getattr(expert.events, event).connect(self._note_expert)
        self._live.follow(mask, review)
        for widget in self._results:
            widget.setVisible(True)
        self.viewer.layers.selection.active = mask  # its keys are wanted from now on
        # not in one go: a layer, another slice and a plot would hold the window up
        QTimer.singleShot(0, lambda: self.review is review and self.next())
        self._later.start(0)

    def _follow(self) -> None:
        """The mask was edited."""
        self.overlay.update(self.review.differences)
        self._show_slice()
        self._later.start(_QUIET_MS)

    def _go_along(self, z: int | None, nowhere: str) -> None:
        self.run_bar.message.say(nowhere if z is None else "")
        if z is not None:
            self._go_to(z)
            self._show_slice()

    def _go_to(self, z: int) -> None:
        if self.scan.layer is not None:
            go_to_slice(self.viewer, self.scan.layer, z)

    def _show_strip(self, event=None) -> None:
        if self.review is None:
            return
        numbers, found = self.review.comparison(), self.review.differences
        dice = [(row.slice, row.dice) for row in found.per_slice()]
        ours, theirs = (numbers.measurement, numbers.expert) if numbers else (None, None)
        self.strip.plot(
            ours.per_slice if ours else [],
            theirs.per_slice if theirs else None,
            self.viewer.theme != "light",
            dice,
        )
        self._show_slice()

    def _show_slice(self, event=None) -> None:
        """Say how the slice in view agrees, and mark it."""
        if self.review is None or self.scan.layer is None:
            return
        z = slice_in_view(self.viewer, self.scan.layer)
        self.strip.mark(z)
        found = self.review.differences
        worst = found.worst_first()
        if 0 <= z < self._basis[-1].shape[0]:
            self.here.say(slice_sentence(found.at(z), worst))
        self.left.say(walk_sentence(found, self._walk.left(worst)))

    def _note_expert(self, event=None) -> None:
        self.stale.list([_STALE])

    def _check(self) -> None:
        """Forget what does not belong to the layers chosen, and say what is missing."""
        self.keys.follow(self.mask.layer)
        if self.review is not None and self._rest_on() != self._basis:
            self._forget()
        if self.scan.layer is None:
            reason = "Open a scan first"
        elif self.mask.layer is None:
            reason = "Open or make a mask first"
        elif self.expert.layer is None:
            reason = "Choose the expert's mask first"
        else:
            same = self.mask.layer is self.expert.layer
            reason = "Choose two different masks" if same else ""
        self.run_bar.allow(reason)

    def _rest_on(self) -> tuple:
        """What a comparison now would rest on."""
        return basis(self.scan.layer, self.mask.layer, self.expert.layer)

    def _forget(self) -> None:
        self._live.leave()
        self._later.stop()
        if self._basis:
            for event in _SHOWN_ON:
                getattr(self._basis[2].events, event).disconnect(self._note_expert)
        self.review, self._basis = None, ()
        self.overlay.remove()
        self.stale.list([])
        for widget in self._results:
            widget.setVisible(False)

    def _lay_out(self) -> None:
        form = self.form()
        form.addRow("Scan", self.scan)
        form.addRow("Mask", self.mask)
        form.addRow("Expert", self.expert)
        self.run_bar = RunBar("Compare", "Show where the two masks differ, the worst slice first")
        self.stale = Warnings()
        self.legend = Note(quiet=False)
        self.legend.setTextFormat(Qt.RichText)
        self.legend.setText(
            f"<span style='color: {OURS};'>■</span> only mine &nbsp; "
            f"<span style='color: {EXPERT};'>■</span> only the expert's"
        )
        self.agreement = QCheckBox("Show agreement in grey")
        self.agreement.setToolTip("Fill what both masks hold, too")
        self.agreement.toggled.connect(self.overlay.show_agreement)
        self.strip = ProfileCanvas()
        self.here, self.left = Note(quiet=False), Note()
        self.left.setToolTip("By the area that only one of the masks holds, mm²; 0 is not counted")
        self.go_back = small_button("◀ Back", "To the slice before (Shift-A)", self.back)
        self.go_on = small_button(
            "Next worst ▶", "To the slice that differs most, not seen yet (Shift-D)", self.next
        )
        steps = QHBoxLayout()
        for button in (self.go_back, self.go_on):
            steps.addWidget(button)
        self.help = small_button("? Keys", "List the keys of the mask's layer (F1)", self.keys.show)
        self._results = (
            self.strip, self.here, self.left, self.legend, self.agreement,
            self.go_back, self.go_on,
        )  # fmt: skip
        for widget in (self.stale, self.strip, self.here, self.left):
            self.body.addWidget(widget)
        self.body.addLayout(steps)
        for widget in (self.legend, self.agreement, self.help):
            self.body.addWidget(widget)
        for widget in self._results:
            widget.setVisible(False)
        self.body.addStretch()
        self.footer.addWidget(self.run_bar)
