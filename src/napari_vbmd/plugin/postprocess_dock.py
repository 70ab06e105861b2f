"""The dock Post-process: steps that clean a mask, each with a preview."""

from collections.abc import Callable
from dataclasses import dataclass

from napari.layers import Image, Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QGridLayout, QLabel, QWidget

from ..errors import ParameterError, VbmdError
from ..scan import Mask
from ..segmentation import postprocessing as steps
from .job import sentence
from .layers import AGREEMENT, add_mask, is_preview, mask_of, scan_of
from .mask_edit import Edit, apply_to, edit
from .parts import Note, Page, RunBar, small_button
from .picker import LayerPicker, narrow

PREVIEW = "preview"
_IN_PLACE, _NEW_LAYER = "this layer, one undo step", "a new layer"


@dataclass
class Step:
    """One row: its tick, its parameter if it has one, and a way to a function on masks."""

    name: str
    tick: QCheckBox
    parameter: QWidget | None
    prepare: Callable[["Step"], Callable]


class PostprocessDock(Page):
    """Ticked steps, in the order shown, on one label of a mask."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer"):  # noqa: F821 - read by npe2
        super().__init__(napari_viewer, "Correct", "Next: correct it by hand →")
        self.mask = LayerPicker(napari_viewer, Labels, "The mask to clean")
        self.scan = LayerPicker(
            napari_viewer,
            Image,
            "The scan whose whole grid a new layer gets: dropped slices come back as empty ones",
            none="the mask's own grid",
        )
        self.scan.setCurrentIndex(0)
        self.target = QComboBox()
        self.target.addItems([_IN_PLACE, _NEW_LAYER])
        narrow(self.target)
        self.target.setToolTip("Where the result goes")
        self.target.currentTextChanged.connect(self._show_target)
        self.run_bar = RunBar("Apply", "Do the ticked steps, from top to bottom")
        self.run_bar.button.clicked.connect(self.run)
        self.steps: list[Step] = []
        self._lay_out()
        self._show_target()

    def run(self) -> None:
        """Apply the ticked steps in the background."""
        ticked = [step for step in self.steps if step.tick.isChecked()]
        layer, scan_layer = self.mask.layer, self.scan.layer
        new = self.target.currentText() == _NEW_LAYER
        on_scan = scan_layer if new else None
        if not ticked and on_scan is None:
            self.run_bar.complain("Tick at least one step first.")
            return
        self._start(ticked, layer, on_scan, self._show_new if new else self._show_in_place)

    def preview(self, step: Step) -> None:
        """Show what one step alone would give, as a layer that goes when asked again."""
        if any(layer.name == f"{PREVIEW}: {step.name}" for layer in self._previews()):
            self.discard_preview()
            self.run_bar.message.say("")
            return
        self._start([step], self.mask.layer, None, self._show_preview)

    def _start(self, chosen: list[Step], layer, scan_layer, show: Callable) -> None:
        try:
            if layer is None:
                raise ParameterError("Choose a mask first.")
            before = mask_of(layer)
            scan = scan_of(scan_layer) if scan_layer is not None else None
        except VbmdError as error:
            self.run_bar.complain(sentence(error))
            return
        self.discard_preview()
        # widgets may not be asked from another thread
        applied = [(step.name, step.prepare(step)) for step in chosen]
        selected = int(layer.selected_label)

        def work(progress) -> tuple[Edit, Mask | None]:
            result = edit(before, selected, applied, progress)
            whole = None if show == self._show_in_place else result.placed(scan and scan.grid)
            return result, whole

        title = ", ".join(name for name, _ in applied) or "placing on the scan"
        self.run_bar.run(work, title.capitalize(), lambda done: show(layer, *done))

    def stop(self) -> None:
        """End what goes on; a preview that no dock can take away would stay for good."""
        super().stop()
        self.discard_preview()

    def discard_preview(self) -> None:
        """Remove the preview layer, if there is one."""
        for layer in self._previews():
            self.viewer.layers.remove(layer)

    def _previews(self) -> list[Labels]:
        return [layer for layer in self.viewer.layers if is_preview(layer)]

    def _show_in_place(self, layer: Labels, done: Edit, _) -> None:
        if layer not in self.viewer.layers or not apply_to(layer, done):
            self.run_bar.complain("The mask was changed meanwhile; nothing was done. Apply again.")
            return
        self.run_bar.message.say(done.describe())

    def _show_new(self, layer: Labels, done: Edit, whole: Mask) -> None:
        about = {**layer.metadata.get("vbmd", {}).get("about", {})}
        about["post-processing"] = done.names
        added = add_mask(self.viewer, whole, f"{layer.name} [cleaned]", about=about)
        layer.visible = False
        self.mask.pick(added)
        self.run_bar.message.say(done.describe())

    def _show_preview(self, layer: Labels, done: Edit, whole: Mask) -> None:
        add_mask(self.viewer, whole, f"{PREVIEW}: {done.names}", AGREEMENT, preview=True)
        self.viewer.layers.selection.active = layer
        self.run_bar.message.say(done.describe())

    def _lay_out(self) -> None:
        form = self.form()
        form.addRow("Mask", self.mask)
        self._rows = QGridLayout()
        self._rows.setColumnStretch(0, 1)
        self.body.addLayout(self._rows)
        self.largest = self._add("Keep the largest piece", "Remove all other pieces", _largest)
        self.radius = QDoubleSpinBox()
        self.radius.setRange(0, 5)
        self.radius.setSingleStep(0.1)
        self.radius.setSuffix(" mm")
        self.radius.setValue(steps.CLOSING_MM)
        self.radius.setToolTip("Radius of the ball that closes channels, mm")
        self.fill = self._add(
            "Close and fill holes",
            "Close channels, then fill what is enclosed, in seconds",
            _closing,
            self.radius,
        )
        self.geodesic = self._add(
            "Geodesic contour",
            "The published way to close holes; minutes for a whole bone",
            _geodesic,
        )
        self.flip = self._add("Flip along y", "Mirror the mask; twice gives it back", _flip)
        self.largest.tick.setChecked(True)
        self.fill.tick.setChecked(True)
        self.body.addWidget(Note("A preview shows what one step alone would do."))
        form = self.form()
        form.addRow("Result in", self.target)
        form.addRow("On", self.scan)
        self._form = form
        self.body.addStretch()
        self.footer.addWidget(self.run_bar)
        self.mask.picked.connect(self._show_mask)
        self._show_mask(self.mask.layer)

    def _add(self, name: str, tooltip: str, prepare, parameter: QWidget | None = None) -> Step:
        tick = QCheckBox(name)
        tick.setToolTip(tooltip)
        step = Step(name.lower(), tick, parameter, prepare)
        eye = small_button(
            "Preview", f"{tooltip}: show it; again: hide it", lambda: self.preview(step)
        )
        row = 2 * len(self.steps)
        self._rows.addWidget(tick, row, 0, 1, 2)
        self._rows.addWidget(eye, row, 2)
        if parameter is not None:
            self._rows.addWidget(QLabel("radius"), row + 1, 0, Qt.AlignRight)
            self._rows.addWidget(parameter, row + 1, 1)
        self.steps.append(step)
        return step

    def _show_target(self, *_) -> None:
        self._form.setRowVisible(self.scan, self.target.currentText() == _NEW_LAYER)

    def _show_mask(self, layer) -> None:
        self.run_bar.allow("" if layer is not None else "Open or make a mask first")


def _largest(step: Step):
    return lambda mask, spacing, progress: steps.keep_largest(mask)


def _closing(step: Step):
    radius = step.parameter.value()
    return lambda mask, spacing, progress: steps.close_holes(mask, spacing, radius)


def _geodesic(step: Step):
    return lambda mask, spacing, progress: steps.close_holes_geodesic(mask, progress=progress)


def _flip(step: Step):
    return lambda mask, spacing, progress: steps.flip_y(mask)
