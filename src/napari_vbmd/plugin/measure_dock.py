"""The dock Measure: one large number, its calibration, the table, and density along z."""

import numpy as np
from napari.layers import Image, Labels
from qtpy.QtWidgets import (
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
)

from ..calibration import UNIT_NAMES
from ..errors import VbmdError
from ..grid import place
from ..measurement.comparison import Comparison, measure_against
from . import results
from .calibration_form import CalibrationForm
from .exports import ExportRow, Measured
from .job import sentence
from .layers import mask_of, scan_of
from .parts import Note, Page, RunBar, Warnings
from .picker import LayerPicker
from .profile import ProfileCanvas
from .slice_range import slice_in_view

_EMPTY = "–"


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
        self._measured: Labels | None = None
        self._layers: tuple = ()  # scan, mask and expert that the numbers shown belong to
        self._offset = 0
        self._lay_out()
        self.scan.picked.connect(self._check_calibration)
        for picker in (self.scan, self.mask, self.expert):
            picker.picked.connect(lambda _: self._forget_others())
        self.mask.picked.connect(lambda _: self._allow())
        napari_viewer.events.theme.connect(self._plot)
        self.calibration.calibrated.connect(lambda _: self._check_calibration(self.scan.layer))
        self.run_bar.button.clicked.connect(self.run)
        self.profile.slice_clicked.connect(self._go_to)
        napari_viewer.dims.events.current_step.connect(self._mark)
        self._check_calibration(self.scan.layer)

    def run(self) -> None:
        """Measure in the background."""
        scan_layer, mask_layer, expert_layer = self.scan.layer, self.mask.layer, self.expert.layer
        try:
            scan, mask = scan_of(scan_layer), mask_of(mask_layer)
            expert = mask_of(expert_layer) if expert_layer is not None else None
            offset = place(mask.grid, scan.grid)
        except VbmdError as error:
            self.run_bar.complain(sentence(error))
            return

        def work(progress) -> Comparison:
            return measure_against(scan, mask, expert, progress=progress)

        def show(comparison: Comparison) -> None:
            self._offset = offset.target_box[0].start - offset.source_box[0].start
            self._follow(mask_layer)
            self._layers = scan_layer, mask_layer, expert_layer
            self._show(Measured(comparison, scan, mask, expert))
            self._forget_others()

        self.run_bar.run(work, f"Measuring {mask_layer.name}", show)

    def _show(self, measured: Measured) -> None:
        self.comparison = comparison = measured.comparison
        m = comparison.measurement
        spread = (
            ""
            if m.tt_vbmd_sd_mg_cm3 is None
            else (f"<span style='font-size: 14pt;'> ± {m.tt_vbmd_sd_mg_cm3:.1f}</span>")
        )
        self.number.setText(f"{m.tt_vbmd_mg_cm3:.1f}{spread}")
        self.unit.say("Tt.vBMD ± SD of voxels, mg HA/cm³")
        self.agreement.setText(_agreement(comparison))
        self.agreement.setVisible(comparison.overlap is not None)
        self.source.say(_calibration_line(m.calibration))
        self.warnings.list(m.warnings)
        self.stale.list([])
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
        """Show no number beside layers that it does not belong to."""
        shown = self.scan.layer, self.mask.layer, self.expert.layer
        if self.comparison is None or shown == self._layers:
            return
        self.comparison = None
        self.number.setText(_EMPTY)
        self.warnings.list([])
        self.stale.list([])
        for widget in (*self._result_widgets, self.unit, self.agreement, self.source):
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

    def _follow(self, layer: Labels) -> None:
        """Notice edits of the mask that was measured, so that no old number stays unmarked."""
        if self._measured is not None:
            for name in ("paint", "data", "set_data"):
                getattr(self._measured.events, name).disconnect(self._check_stale)
        self._measured = layer
        for name in ("paint", "data", "set_data"):
            getattr(layer.events, name).connect(self._check_stale)

    def _check_stale(self, event=None) -> None:
        """Compare the slice in view with what was measured: undo and redo tell nothing more."""
        if self.comparison is None or self._measured is None:
            return
        if event is not None and event.type == "set_data":
            z = slice_in_view(self.viewer, self._measured)
            if not 0 <= z < len(self._measured.data):
                return
            counts = {r["slice"]: r["voxels"] for r in self.comparison.measurement.per_slice}
            here = int(np.count_nonzero(self._measured.data[z]))
            if here == counts.get(z + self._offset, 0):
                return
        self.stale.list(["The mask was changed since: measure again."])
        self.exports.offer(None)  # the page would show the new outline beside the old number

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
        self.missing.say("" if calibrated else "No density without a calibration.")
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
        self.unit = Note("Tt.vBMD, mg HA/cm³")
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


def _agreement(comparison: Comparison) -> str:
    if comparison.overlap is None:
        return ""
    return (
        f"<b>Dice {comparison.overlap.dice:.3f}</b> · IoU {comparison.overlap.iou:.3f}<br>"
        f"<b>{comparison.difference_mg_cm3:+.1f}</b> mg HA/cm³ against the expert's "
        f"{comparison.expert.tt_vbmd_mg_cm3:.1f}"
    )


def _calibration_line(calibration: dict) -> str:
    if calibration["unit"] == "density":
        return "The file stores mg HA/cm³."
    parts = []
    if calibration["unit"] == "native":
        parts.append(f"mu scaling {calibration['mu_scaling']:g}")
    if calibration["unit"] == "hu":
        parts.append(f"mu of water {calibration['mu_water_per_cm']:g} 1/cm")
    parts.append(f"slope {calibration['density_slope']:g}")
    parts.append(f"intercept {calibration['density_intercept']:g}")
    unit = UNIT_NAMES[calibration["unit"]]
    return f"From {unit}: {', '.join(parts)} ({calibration['source']})"
