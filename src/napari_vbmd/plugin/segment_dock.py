"""The dock Segment: a scan, a method, a bone, a slice range; Run and Cancel."""

from napari.layers import Image, Labels
from qtpy.QtWidgets import QComboBox, QGroupBox, QVBoxLayout
from superqt import QCollapsible

from ..errors import VbmdError
from ..scan import Mask
from ..segmentation.methods import METHODS, Segmentation, check_slices, segment
from .job import sentence
from .layers import add_mask, placed_on, scan_of
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
        self.summary = Note()
        self.seed = SeedPicker(napari_viewer)
        self.slices = SliceRange(napari_viewer)
        self.warnings = Warnings()
        self.run_bar = RunBar("Segment", "Make a mask of the bone as a new layer")
        self.result: Labels | None = None
        self._lay_out()
        self.scan.picked.connect(self._show_scan)
        self.method.currentIndexChanged.connect(self._show_method)
        self.run_bar.button.clicked.connect(self.run)
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
            scan.density_transform()
            parameters = self._form.values(seed_zyx=self.seed.seed)
        except VbmdError as error:
            self.run_bar.complain(sentence(error))
            return
        self.warnings.list([])

        def work(progress) -> tuple[Segmentation, Mask]:
            segmentation = segment(scan, method, parameters, slices, progress)
            return segmentation, placed_on(segmentation.mask, scan)

        self.run_bar.run(
            work, f"Segmenting {layer.name}", lambda result: self._show(*result, layer)
        )

    def stop(self) -> None:
        """End what goes on, a wait for a click too."""
        super().stop()
        self.seed.stop()

    def _show(self, segmentation: Segmentation, mask: Mask, scan_layer: Image) -> None:
        about = {
            "method": segmentation.method,
            "parameters": segmentation.parameters,
            "slices": segmentation.slices,
            "scan": scan_layer.name,
        }
        name = f"{scan_layer.name} [{segmentation.method}]"
        self.result = add_mask(self.viewer, mask, name, about=about)
        self.warnings.list(segmentation.warnings)
        volume = int(segmentation.mask.voxels.sum()) * mask.grid.voxel_volume_mm3
        self.run_bar.message.say(f"Done: {volume:.1f} mm³ in the layer “{self.result.name}”.")

    def _lay_out(self) -> None:
        form = self.form()
        form.addRow("Scan", self.scan)
        form.addRow("Method", self.method)
        self.body.addWidget(self.summary)
        self._parameters = QGroupBox("Outline")
        self._parameters_layout = QVBoxLayout(self._parameters)
        self._parameters_layout.setContentsMargins(6, 6, 6, 6)
        self._advanced = QCollapsible("Advanced")
        self._advanced.toggleButton().setToolTip("Show or hide what is seldom changed")
        self._parameters_layout.addWidget(self._advanced)
        self.body.addWidget(self._parameters)
        for title, widget in (("Bone", self.seed), ("Slices", self.slices)):
            group = QGroupBox(title)
            layout = QVBoxLayout(group)
            layout.setContentsMargins(6, 6, 6, 6)
            layout.addWidget(widget)
            self.body.addWidget(group)
        self.body.addWidget(self.warnings)
        self.body.addStretch()
        self.footer.addWidget(self.run_bar)
        self._form: MethodForm | None = None

    def _show_method(self) -> None:
        method = METHODS[self.method.currentData()]
        self.summary.say(method.summary)
        if self._form is not None:
            self._form.basic.native.setParent(None)
        self._form = MethodForm(method.parameters)
        self._parameters_layout.insertWidget(0, self._form.basic.native)
        self._advanced.setContent(self._form.advanced.native)
        self._advanced.collapse(animate=False)

    def _show_scan(self, layer) -> None:
        self.seed.follow(layer)
        self.slices.follow(layer)
        if layer is None:
            self.run_bar.allow("Open a scan first")
            return
        self.run_bar.allow()
        try:
            scan = scan_of(layer)
            scan.density_transform()
            self.warnings.list([])
        except VbmdError as error:
            self.warnings.list([f"{sentence(error)}; the dock “Scan” takes them."])
