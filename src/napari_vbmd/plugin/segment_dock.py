"""The dock Segment: a scan, a method, a bone, a slice range; Run and Cancel."""

from napari.layers import Image, Labels
from qtpy.QtWidgets import QComboBox, QGroupBox, QVBoxLayout, QWidget
from superqt import QCollapsible

from ..errors import MissingCalibrationError, VbmdError
from ..grid import Grid
from ..scan import SIDES, Mask, Scan
from ..segmentation.methods import METHODS, Segmentation, check_slices, default_method, segment
from .job import sentence
from .layers import add_mask, placed_on, scan_of
from .live_threshold import LiveThreshold
from .method_form import MethodForm
from .parts import Note, Page, RunBar, Warnings
from .picker import LayerPicker
from .seed import SeedPicker
from .slice_range import SliceRange


class SegmentDock(Page):
    """From a scan to a labels layer on the scan's grid."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer"):  # noqa: F821 - read by npe2
        super().__init__(napari_viewer, "Post-process", "Next: clean the mask →")
        self.scan = LayerPicker(napari_viewer, Image, "The scan to segment")
        self.method = QComboBox()
        self.method.setToolTip("How the mask is made")
        for name in METHODS:
            self.method.addItem(name, name)
        self.method.setCurrentIndex(self.method.findData(default_method()))
        self.summary = Note()
        self.about_side, self.device = Note(), Note()
        self.seed = SeedPicker(napari_viewer)
        self.slices = SliceRange(napari_viewer)
        self.warnings = Warnings()
        self.run_bar = RunBar("Segment", "Make a mask of the bone as a new layer")
        self.result: Labels | None = None
        self.live = LiveThreshold(self)
        self._lay_out()
        self.scan.picked.connect(self._show_scan)
        self.method.currentIndexChanged.connect(self._show_method)
        self.run_bar.button.clicked.connect(self.run)
        self.live.moved.connect(self._tell_moved)
        self.live.refused.connect(self.run_bar.message.say)
        self._show_method()
        self._show_scan(self.scan.layer)

    def run(self) -> None:
        """Segment in the background; what is wrong with the input is said at once."""
        layer = self.scan.layer
        method = self.method.currentData()
        try:
            scan = scan_of(layer)
            slices = self.slices.value()
            check_slices(slices, scan.grid.shape[0])
            parameters = self._parameters()
            METHODS[method].check(scan, parameters)
        except VbmdError as error:
            self.run_bar.complain(sentence(error))
            return

        def work(progress) -> tuple[Segmentation, Mask]:
            segmentation = segment(scan, method, parameters, slices, progress)
            return segmentation, placed_on(segmentation.mask, scan)

        self.run_bar.run(
            work, f"Segmenting {layer.name}", lambda result: self._show(*result, layer, scan.grid)
        )

    def stop(self) -> None:
        """End what goes on, a wait for a click too."""
        super().stop()
        self.seed.stop()
        self.live.leave()

    def _parameters(self):
        hidden = {"seed_zyx": self.seed.seed} if self._form.takes("seed_zyx") else {}
        return self._form.values(**hidden)

    def _show(
        self, segmentation: Segmentation, mask: Mask, scan_layer: Image, scan_grid: Grid
    ) -> None:
        about = {
            "method": segmentation.method,
            "parameters": segmentation.parameters,
            **segmentation.facts,
            "slices": segmentation.slices,
            "scan": scan_layer.name,
        }
        name = f"{scan_layer.name} [{segmentation.method}]"
        self.result = add_mask(self.viewer, mask, name, about=about)
        self.warnings.list(segmentation.warnings)
        self.live.leave()
        if segmentation.probability is not None:
            self.result.metadata["vbmd"]["probability"] = segmentation.probability
            self.live.follow(self.result, segmentation.probability, segmentation.mask, scan_grid)
            self.device.say(f"Ran on {segmentation.facts['device']}")
        volume = int(segmentation.mask.voxels.sum()) * mask.grid.voxel_volume_mm3
        self.run_bar.message.say(f"Done: {volume:.1f} mm³ in the layer “{self.result.name}”.")

    def _tell_moved(self, threshold: float, voxels: int) -> None:
        volume = voxels * self.live.voxel_volume_mm3
        self.run_bar.message.say(f"Threshold {threshold:.2f}: {volume:.1f} mm³.")

    def _lay_out(self) -> None:
        form = self.form()
        form.addRow("Scan", self.scan)
        form.addRow("Method", self.method)
        self.body.addWidget(self.summary)
        self._advanced = QCollapsible("Advanced")
        self._advanced.toggleButton().setToolTip("Show or hide what is seldom changed")
        self._settings = self._group("Settings", self.about_side, self._advanced, self.device)
        self._bone = self._group("Bone", self.seed)
        self._group("Slices", self.slices)
        self.body.addWidget(self.warnings)
        self.body.addStretch()
        self.footer.addWidget(self.run_bar)
        self._form: MethodForm | None = None

    def _group(self, title: str, *widgets: QWidget) -> QGroupBox:
        group = QGroupBox(title)
        layout = QVBoxLayout(group)
        layout.setContentsMargins(6, 6, 6, 6)
        for widget in widgets:
            layout.addWidget(widget)
        self.body.addWidget(group)
        return group

    def _show_method(self) -> None:
        method = METHODS[self.method.currentData()]
        self.summary.say(method.summary)
        if self._form is not None:
            self._form.basic.native.setParent(None)
        self.live.leave()  # the slider of the last run is gone
        self.device.say("")
        self._form = MethodForm(method.parameters)
        self._settings.layout().insertWidget(0, self._form.basic.native)
        self._advanced.setContent(self._form.advanced.native)
        self._advanced.collapse(animate=False)
        self._bone.setVisible(self._form.takes("seed_zyx"))
        for name, widget in self._form.widgets.items():
            react = self.live.move if name == "threshold" else self._check
            widget.changed.connect(react)
        self._check()

    def _show_scan(self, layer) -> None:
        self.seed.follow(layer)
        self.slices.follow(layer)
        self.run_bar.allow("" if layer else "Open a scan first")
        self._check()

    def _check(self, _=None) -> None:
        """Say before a run what stands in its way, and which side the hand has."""
        self.about_side.say("")
        method = METHODS[self.method.currentData()]
        warnings = [method.warning] if method.warning else []
        if self.scan.layer is not None:
            try:
                scan = scan_of(self.scan.layer)
                self._say_side(scan)
                method.check(scan, self._parameters())
            except MissingCalibrationError as error:
                warnings.append(f"{sentence(error)}; the dock “Scan” takes them.")
            except VbmdError as error:
                warnings.append(sentence(error))
        self.warnings.list(warnings)

    def _say_side(self, scan: Scan) -> None:
        if self._form.takes("side") and self._form.widgets["side"].value == "auto":
            known = scan.side in SIDES
            text = f"auto: {scan.side} hand" if known else "auto: side not known, choose it"
            self.about_side.say(f"{text} ({scan.side_reason})")
