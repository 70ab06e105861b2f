"""The dock Measure: one large number, its calibration, the table, and density along z.

Once measured, the numbers follow every edit of the mask; surface distances and exports wait for the
next press of the button.
"""

import copy
import weakref

from napari.layers import Image, Labels
from qtpy.QtCore import QTimer

from ..errors import VbmdError
from ..grid import place
from ..measurement.comparison import Comparison, measure_against
from ..measurement.live import LiveMeasurement
from ..measurement.part_tables import Bone
from . import results
from .basis import basis
from .calibration_form import CalibrationForm
from .compartments_section import CompartmentsSection
from .exports import ExportRow, Measured
from .headline import Headline
from .job import sentence
from .layers import mask_of, scan_of
from .live_mask import LiveMask
from .mask_watch import MaskWatch, Snapshot, snapshot
from .number_table import NumberTable
from .part_rows import PartRows
from .parts import Page, RunBar, Warnings
from .picker import LayerPicker
from .profile import ProfileCanvas
from .slice_range import go_to_slice, slice_in_view

_QUIET_MS = 120  # table and plot wait for the end of a movement; the number does not
_STALE = "The mask was changed since: measure again."
_FOLLOWS = "The numbers follow your edits; for HD95, ASSD and exports measure again."
_NONE_LEFT = "The mask is empty now: paint or segment the bone."


class MeasureDock(Page):
    """Tt.vBMD of a mask on a scan, and its agreement with an expert's mask."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer"):  # noqa: F821 - read by npe2
        super().__init__(napari_viewer, "Review", "Next: review it beside the expert's →")
        self.scan = LayerPicker(napari_viewer, Image, "The scan that gives the densities")
        self.mask = LayerPicker(napari_viewer, Labels, "The mask to measure")
        self.expert = LayerPicker(
            napari_viewer,
            Labels,
            "A mask to compare with",
            none="no expert's mask",
            reference=True,
        )
        self.comparison: Comparison | None = None
        self._basis: tuple = ()  # what the numbers shown rest on
        self._opened = weakref.WeakKeyDictionary()  # by mask: its first Tt.vBMD, and of what
        self._watch = MaskWatch(self)
        self._live = LiveMask(napari_viewer, self)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._show_rest)
        self._lay_out()
        self.scan.picked.connect(self._check_calibration)
        for picker in (self.scan, self.mask, self.expert):
            picker.picked.connect(lambda _: self._forget_others())
        self.mask.picked.connect(lambda _: self._allow())
        napari_viewer.events.theme.connect(self._plot)
        self.calibration.calibrated.connect(lambda _: self._check_calibration(self.scan.layer))
        self.run_bar.button.clicked.connect(self.run)
        self._watch.compared.connect(self._show_whether_stale)
        self._live.changed.connect(self._follow)
        self._live.lost.connect(self._lose)
        self.parts.changed.connect(self._show_parts)
        self.parts.selected.connect(self.compartments.show_label)
        self.compartments.changed.connect(self._show_parts)
        self.profile.slice_clicked.connect(self._go_to)
        napari_viewer.dims.events.current_step.connect(self._mark)
        self._check_calibration(self.scan.layer)

    def run(self) -> None:
        """Measure in the background."""
        layers = [layer for layer in (self.mask.layer, self.expert.layer) if layer is not None]
        try:
            scan, masks = scan_of(self.scan.layer), [mask_of(layer) for layer in layers]
            for mask in masks:
                place(mask.grid, scan.grid)
        except VbmdError as error:
            self.run_bar.complain(sentence(error))
            return
        rests_on = self._rest_on()

        labels = layers[0].data

        def work(progress) -> tuple[Measured, list[Snapshot], LiveMeasurement]:
            taken = [snapshot(mask) for mask in masks]  # painting may go on meanwhile
            copies = [one.mask for one in taken]
            comparison = measure_against(scan, *copies, progress=progress)
            begun = taken[0].box, copies[0].voxels
            live = LiveMeasurement(scan, labels, masks[0].grid, *(*copies[1:], None)[:1], begun)
            sums = copy.deepcopy(live.sums)  # exports are of what was measured
            return Measured(comparison, scan, sums, *(*copies, None)[:2]), taken, live

        def show(done: tuple[Measured, list[Snapshot], LiveMeasurement]) -> None:
            measured, taken, live = done
            self._basis = rests_on
            self.parts.follow(*rests_on[:2])
            self._live.follow(layers[0], live)
            self._show(measured)
            self._watch.follow(list(zip(layers, taken, strict=True)))
            self._forget_others()

        self.run_bar.run(work, f"Measuring {layers[0].name}", show)

    def open_dock(self, name: str) -> Page:
        """Open another dock; the review is of the layers chosen here."""
        page = super().open_dock(name)
        if name == "Review":
            for one in ("scan", "mask", "expert"):
                getattr(page, one).pick(getattr(self, one).layer)
        return page

    def stop(self) -> None:
        """End what goes on, following the mask too."""
        super().stop()
        self._live.leave()
        self.parts.leave()
        self.compartments.offer(None)  # its picture would follow nothing any more
        self._later.stop()

    def _show(self, measured: Measured) -> None:
        self._measured = measured
        density = measured.comparison.measurement.tt_vbmd_mg_cm3
        first = self._opened.setdefault(self._basis[1], (self._basis[0], density))
        self._first = first[1] if first[0] is self._basis[0] else None
        self._show_numbers(measured.comparison)
        self.compartments.offer(measured)
        self._show_rest()
        self.exports.offer(measured)
        self.run_bar.message.say("")

    def _follow(self) -> None:
        """The mask was edited: its numbers at once, the rest soon."""
        comparison, why = self._now()
        if comparison is None:
            self._show_none(why)
            return
        # what is said of the field of view was said at the last measuring, and stays
        self._show_numbers(comparison)
        self.compartments.hold(True)
        self._later.start(_QUIET_MS)

    def _now(self) -> tuple[Comparison | None, str]:
        """Of the mask as it is; or none, and why."""
        try:
            return self._live.live.result(), _NONE_LEFT
        except VbmdError as error:  # a voxel without a density was painted
            return None, sentence(error)

    def _show_none(self, why: str) -> None:
        """The mask was edited, and has no density now: no number of before stays in sight."""
        self._later.stop()
        self.headline.clear()
        self.stale.list([why])
        self.compartments.hold(True)
        self.parts.hide_parts()
        for widget in self._result_widgets:
            widget.setVisible(False)

    def _lose(self) -> None:
        """The mask is an array of another shape: nothing here follows it any more."""
        self.stale.list([_STALE])
        self.compartments.hold(True)
        self.parts.leave()

    def _show_numbers(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.headline.show_numbers(comparison, self._first)

    def _show_rest(self) -> None:
        said = self._measured.comparison.measurement.warnings
        now = self.comparison.measurement.warnings
        self.warnings.list(list(dict.fromkeys([*said, *now])))
        self.table.fill(results.rows(self.comparison))
        self._show_parts()
        self._plot()
        for widget in self._result_widgets:
            widget.setVisible(True)

    def _show_parts(self) -> None:
        if self._live.live is not None:
            sums = self._live.live.sums
            self.parts.show_parts(self._measured.scan, sums, self.compartments.shown)

    def _bones(self, measured: Measured) -> list[Bone]:
        return self.parts.bones(measured.scan, measured.sums, self.compartments.shown)

    def _plot(self, event=None) -> None:
        if self.comparison is None:
            return
        ours, expert = self.comparison.measurement, self.comparison.expert
        dark = self.viewer.theme != "light"
        self.profile.plot(ours.per_slice, expert.per_slice if expert else None, dark)
        self._mark()

    def _forget_others(self) -> None:
        """Show no number beside layers or constants that it does not belong to."""
        if self.comparison is None or self._rest_on() == self._basis:
            return
        self.comparison = None
        self._watch.follow([])
        self._live.leave()
        self.parts.leave()
        self._later.stop()
        self.compartments.offer(None)
        self.headline.clear()
        self.warnings.list([])
        self.stale.list([])
        for widget in self._result_widgets:
            widget.setVisible(False)
        self.exports.offer(None)

    def _rest_on(self) -> tuple:
        """What a number now would rest on."""
        return basis(self.scan.layer, self.mask.layer, self.expert.layer)

    def _show_whether_stale(self, same: bool) -> None:
        if self.comparison is None:
            return
        self.stale.list([] if same else [self._what_is_old()])
        # the report would show the outline that was measured, beside a mask that differs
        self.exports.offer(self._measured if same else None)
        self.compartments.hold(not same and not self._watch.same(self.mask.layer))

    def _what_is_old(self) -> str:
        """What the dock still shows of the mask as it was; the numbers follow it, if they can."""
        if self._live.live is None or not self._watch.same(self.expert.layer):
            return _STALE
        comparison, why = self._now()
        return _FOLLOWS if comparison else why

    def _check_calibration(self, layer) -> None:
        calibrated = True
        if layer is not None:
            try:
                calibrated = scan_of(layer).is_calibrated
            except VbmdError as error:
                self.run_bar.message.say(sentence(error))
        self.headline.allow(calibrated)
        self.calibration.setVisible(not calibrated)
        self.missing.list([] if calibrated else ["No density without a calibration."])
        if not calibrated:
            self.calibration.show_layer(layer)
        self._calibrated = calibrated
        self._allow()

    def _allow(self) -> None:
        if self.scan.layer is None:
            self.run_bar.allow("Open a scan first")
        elif self.mask.layer is None:
            self.run_bar.allow("Open or make a mask first")
        else:
            self.run_bar.allow("" if self._calibrated else "Fill in the constants first")

    def _go_to(self, z: int) -> None:
        if self.scan.layer is not None:
            go_to_slice(self.viewer, self.scan.layer, z)

    def _mark(self, event=None) -> None:
        if self.comparison is not None and self.scan.layer is not None:
            self.profile.mark(slice_in_view(self.viewer, self.scan.layer))

    def _lay_out(self) -> None:
        form = self.form()
        form.addRow("Scan", self.scan)
        form.addRow("Mask", self.mask)
        form.addRow("Expert", self.expert)
        self.run_bar = RunBar("Measure", "Compute the density of the mask")
        self.headline = Headline()
        self.stale = Warnings()
        self.warnings = Warnings()
        self.missing = Warnings()
        self.calibration = CalibrationForm()
        self.parts = PartRows(self.viewer)
        self.compartments = CompartmentsSection(self.viewer, self.run_bar)
        self.table = NumberTable()
        self.exports = ExportRow(self.run_bar, self._bones)
        self.profile = ProfileCanvas()
        self._result_widgets = self.profile, self.table
        for widget in self._result_widgets:
            widget.setVisible(False)
        for widget in (
            self.headline,
            self.stale,
            self.warnings,
            self.missing,
            self.calibration,
            self.parts,
            self.profile,
            self.table,
            self.exports,
            self.compartments,
        ):
            self.body.addWidget(widget)
        self.body.addStretch()
        self.footer.addWidget(self.run_bar)
