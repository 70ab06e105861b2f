"""The dock Scan: what the file says, its calibration, and the window in mg HA/cm3."""

from napari.layers import Image
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QCheckBox, QDoubleSpinBox, QFormLayout, QGroupBox, QVBoxLayout

from ..calibration import UNIT_NAMES
from ..errors import VbmdError
from ..scan import is_identifying
from .calibration_form import CalibrationForm
from .job import sentence
from .layers import BONE_WINDOW_MG_CM3, scan_of, show_window
from .parts import Note, Page, Warnings, small_button
from .picker import LayerPicker


class ScanDock(Page):
    """Facts about one scan, and what may be said about it that its file does not say."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer"):  # noqa: F821 - read by npe2
        super().__init__(napari_viewer, "Segment", "Next: segment a bone →")
        self.scan = LayerPicker(napari_viewer, Image, "The scan to look at")
        self.facts = Note(quiet=False)
        self.problem = Warnings()
        self.identify = QCheckBox("Identify")
        self.identify.setToolTip("Show what names the patient in the file's header")
        self.form().addRow("Scan", self.scan)
        self.body.addWidget(self.facts)
        self.body.addWidget(self.identify)
        self.body.addWidget(self.problem)
        self.body.addWidget(self._make_window())
        self.calibration = CalibrationForm()
        group = QGroupBox("Calibration")
        QVBoxLayout(group).addWidget(self.calibration)
        self.body.addWidget(group)
        self.body.addStretch()
        self.scan.picked.connect(self._show_other)
        self.identify.toggled.connect(lambda: self._show(self.scan.layer))
        self.calibration.calibrated.connect(self._show)
        self._show(self.scan.layer)

    def _make_window(self) -> QGroupBox:
        group = self.window_group = QGroupBox("Contrast, mg HA/cm3")
        form = QFormLayout(group)
        self.low, self.high = QDoubleSpinBox(), QDoubleSpinBox()
        for box, value, text in zip(
            (self.low, self.high), BONE_WINDOW_MG_CM3, ("Black", "White"), strict=True
        ):
            box.setRange(-2000, 5000)
            box.setDecimals(0)
            box.setSingleStep(50)
            box.setValue(value)
            box.setToolTip(f"Density shown {text.lower()}, mg HA/cm3")
            box.valueChanged.connect(self._apply_window)
            form.addRow(text, box)
        form.addRow(small_button("Bone", "The window that shows bone", self._reset_window))
        return group

    def _show_other(self, layer) -> None:
        with QSignalBlocker(self.identify):  # a person is named once, not from then on
            self.identify.setChecked(False)
        self._show(layer)

    def _show(self, layer) -> None:
        self.problem.list([])
        self.window_group.setEnabled(False)
        self.calibration.show_layer(layer)
        if layer is None:
            self.facts.say(
                "No scan is open. Drop a file on the window, or take File ▸ Open Sample."
            )
            return
        try:
            scan = scan_of(layer)
        except VbmdError as error:
            self.facts.say("")
            self.problem.list([sentence(error)])
            return
        self.facts.say("\n".join([_facts(scan), *self._named(scan)]))
        self.window_group.setEnabled(scan.is_calibrated)
        self.window_group.setToolTip("" if scan.is_calibrated else "Needs a calibration, below")
        if scan.is_calibrated:
            self._show_window(layer, scan)
        else:
            self.problem.list(["No density without a calibration: fill in the constants below."])

    def _named(self, scan) -> list[str]:
        if not self.identify.isChecked():
            return []
        named = [f"{key}: {value}" for key, value in scan.header.items() if is_identifying(key)]
        return named or ["the header names nobody"]

    def _show_window(self, layer, scan) -> None:
        for box, limit in zip((self.low, self.high), layer.contrast_limits, strict=True):
            with QSignalBlocker(box):
                box.setValue(scan.density_transform()(limit))

    def _apply_window(self) -> None:
        if self.scan.layer is None or self.low.value() >= self.high.value():
            return
        try:
            show_window(self.scan.layer, self.low.value(), self.high.value())
        except VbmdError as error:  # the layer was bent since it was picked
            self.problem.list([sentence(error)])

    def _reset_window(self) -> None:
        self.low.setValue(BONE_WINDOW_MG_CM3[0])
        self.high.setValue(BONE_WINDOW_MG_CM3[1])
        self._apply_window()


def _facts(scan) -> str:
    size = " × ".join(f"{mm:.2f}" for mm in reversed(scan.grid.size_mm))
    lines = [
        f"{scan.size_text()}; {size} mm in all",
        f"stored as {UNIT_NAMES[scan.unit]}, {scan.voxels.dtype}",
        f"side: {scan.side} ({scan.side_reason})",
    ]
    if scan.is_synthetic:
        lines.insert(0, "SYNTHETIC: a phantom, not a person")
    if scan.format:
        lines.insert(0, f"{scan.format} file")
    if scan.is_calibrated and scan.unit != "density":
        lines.append(f"calibration: {scan.calibration.source}")
    return "\n".join(lines)
