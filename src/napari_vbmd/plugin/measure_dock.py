"""The dock Measure: one large number, its calibration, the table, and density along z."""

from napari.layers import Image, Labels
from qtpy.QtWidgets import (
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
)

from ..errors import VbmdError
from ..grid import place
from ..measurement.comparison import Comparison, measure_against
from . import results
from .calibration_form import CalibrationForm
from .exports import ExportRow, Measured
from .job import sentence
from .layers import mask_of, scan_of
from .mask_watch import MaskWatch, Snapshot, snapshot
from .parts import Note, Page, RunBar, Warnings
from .picker import LayerPicker
from .profile import ProfileCanvas
from .slice_range import slice_in_view

_EMPTY, _UNIT = "–", "Tt.vBMD, mg HA/cm³"


class MeasureDock(Page):
    """Tt.vBMD of a mask on a scan, and its agreement with an expert's mask."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer"):  # noqa: F821 - read by npe2
        super().__init__(napari_viewer)
        self.scan = LayerPicker(napari_viewer, Image, "The scan that gives the densities")
        self.mask = LayerPicker(napari_viewer, Labels, "The mask to measure")
        self.expert = LayerPicker(
            napari_viewer, Labels, "A mask to compare with", none="no expert's mask"
        )
        self.comparison: Comparison | None = None
        self._basis: tuple = ()  # what the numbers shown rest on
        self._watch = MaskWatch(self)
        self._lay_out()
        self.scan.picked.connect(self._check_calibration)
        for picker in (self.scan, self.mask, self.expert):
            picker.picked.connect(lambda _: self._forget_others())
        self.mask.picked.connect(lambda _: self._allow())
        napari_viewer.events.theme.connect(self._plot)
        self.calibration.calibrated.connect(lambda _: self._check_calibration(self.scan.layer))
        self.run_bar.button.clicked.connect(self.run)
        self._watch.compared.connect(self._show_whether_stale)
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
        basis = self._rest_on()

        def work(progress) -> tuple[Measured, list[Snapshot]]:
            taken = [snapshot(mask) for mask in masks]  # painting may go on meanwhile
            copies = [one.mask for one in taken]
            comparison = measure_against(scan, *copies, progress=progress)
            return Measured(comparison, scan, *(*copies, None)[:2]), taken

        def show(done: tuple[Measured, list[Snapshot]]) -> None:
            measured, taken = done
            self._basis = basis
            self._show(measured)
            self._watch.follow(list(zip(layers, taken, strict=True)))
            self._forget_others()

        self.run_bar.run(work, f"Measuring {layers[0].name}", show)

    def _show(self, measured: Measured) -> None:
        self.comparison, self._measured = measured.comparison, measured
        comparison = measured.comparison
        m = comparison.measurement
        spread = (
            ""
            if m.tt_vbmd_sd_mg_cm3 is None
            else (f"<span style='font-size: 14pt;'> ± {m.tt_vbmd_sd_mg_cm3:.1f}</span>")
        )
        self.number.setText(f"{m.tt_vbmd_mg_cm3:.1f}{spread}")
        self.unit.say("Tt.vBMD ± SD of voxels, mg HA/cm³")
        self.agreement.setText(results.agreement(comparison))
        self.agreement.setVisible(comparison.overlap is not None)
        self.source.say(results.calibration_line(m.calibration))
        self.warnings.list(m.warnings)
        self._fill_table(results.rows(comparison))
        self._plot()
        for widget in self._result_widgets:
            widget.setVisible(True)
        self.exports.offer(measured)
        self.run_bar.message.say("")

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
        self.number.setText(_EMPTY)
        self.unit.say(_UNIT)
        self.source.say("")
        self.warnings.list([])
        self.stale.list([])
        for widget in (*self._result_widgets, self.agreement):
            widget.setVisible(False)
        self.exports.offer(None)

    def _fill_table(self, rows: list[results.Row]) -> None:
        self.table.setRowCount(len(rows))
        for i, row in enumerate(rows):
            for j, text in enumerate(row):
                self.table.setItem(i, j, QTableWidgetItem(text))
        self.table.resizeRowsToContents()
        height = sum(self.table.rowHeight(i) for i in range(len(rows))) + 4
        self.table.setFixedHeight(height)

    def _rest_on(self) -> tuple:
        """What a number now would rest on: layers, their places, and the calibration."""
        layers = self.scan.layer, self.mask.layer, self.expert.layer
        if None in layers[:2]:
            return ()
        try:
            scan = scan_of(layers[0])
            grids = [mask_of(layer).grid for layer in layers[1:] if layer is not None]
        except VbmdError:
            return ()
        return *layers, scan.unit, scan.calibration, scan.grid, *grids

    def _show_whether_stale(self, same: bool) -> None:
        self.stale.list([] if same else ["The mask was changed since: measure again."])
        # the report would show the outline that was measured, beside a mask that differs
        self.exports.offer(self._measured if same else None)

    def _check_calibration(self, layer) -> None:
        calibrated = True
        if layer is not None:
            try:
                calibrated = scan_of(layer).is_calibrated
            except VbmdError as error:
                self.run_bar.message.say(sentence(error))
        for widget in (self.number, self.unit, self.source):
            widget.setVisible(calibrated and bool(widget.text()))
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
        layer = self.scan.layer
        if layer is not None:
            axis = self.viewer.dims.ndim - 3
            self.viewer.dims.set_point(axis, z * layer.scale[-3] + layer.translate[-3])

    def _mark(self, event=None) -> None:
        if self.comparison is not None and self.scan.layer is not None:
            self.profile.mark(slice_in_view(self.viewer, self.scan.layer))

    def _lay_out(self) -> None:
        form = self.form()
        form.addRow("Scan", self.scan)
        form.addRow("Mask", self.mask)
        form.addRow("Expert", self.expert)
        self.run_bar = RunBar("Measure", "Compute the density of the mask")
        self.number = QLabel(_EMPTY)
        self.number.setStyleSheet("font-size: 26pt; font-weight: bold;")
        self.number.setToolTip("Mean density within the mask, mg HA/cm³, ± SD of its voxels")
        self.unit = Note(_UNIT)
        self.agreement = QLabel()
        self.agreement.setWordWrap(True)
        self.agreement.setVisible(False)
        self.source = Note()
        self.stale = Warnings()
        self.warnings = Warnings()
        self.missing = Warnings()
        self.calibration = CalibrationForm()
        self.table = QTableWidget(0, 3)
        self.table.horizontalHeader().setVisible(False)
        self.table.verticalHeader().setVisible(False)
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.Stretch)
        for column in (1, 2):
            self.table.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeToContents)
        self.table.setEditTriggers(QTableWidget.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.profile = ProfileCanvas()
        self._result_widgets = self.profile, self.table
        for widget in self._result_widgets:
            widget.setVisible(False)
        for widget in (
            self.number,
            self.stale,
            self.unit,
            self.agreement,
            self.source,
            self.warnings,
            self.missing,
            self.calibration,
            self.profile,
            self.table,
        ):
            self.body.addWidget(widget)
        self.exports = ExportRow(self.run_bar)
        self.body.addWidget(self.exports)
        self.body.addStretch()
        self.footer.addWidget(self.run_bar)
