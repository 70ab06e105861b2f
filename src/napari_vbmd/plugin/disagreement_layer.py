"""The layer that shows what only one of two masks holds: ours blue, the expert's orange, filled.

Like a preview it is neither painted on nor offered as a mask, kept aside or saved.
"""

from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import QObject

from ..measurement.disagreement import BOTH, MINE, Disagreement
from ..measurement.disagreement import EXPERT as THEIRS
from ..scan import Mask
from .layers import AGREEMENT, EXPERT, OURS, add_mask

_OPACITY = 0.7  # the scan shows through


class DisagreementLayer(QObject):
    """One such layer at a time; a person may take it out of the viewer at any time."""

    def __init__(self, viewer, parent: QObject):
        super().__init__(parent)
        self._viewer = viewer
        self._grey = False
        self.layer: Labels | None = None
        viewer.layers.events.removed.connect(self._note_removed)

    def show(self, found: Disagreement, name: str) -> None:
        """Add the layer in the place of the last one; what was selected stays so."""
        self.remove()
        selected = self._viewer.layers.selection.active
        self.layer = add_mask(self._viewer, Mask(found.voxels, found.grid), name, preview=True)
        self.layer.contour, self.layer.opacity = 0, _OPACITY
        self.show_agreement(self._grey)
        self._viewer.layers.selection.active = selected

    def update(self, found: Disagreement) -> None:
        """Show the voxels as they are now; another array where painting left the box."""
        layer = self.layer
        if layer is None:
            return
        if layer.data is found.voxels:
            layer.refresh(thumbnail=False, extent=False)
            return
        layer.data, layer.translate = found.voxels, found.grid.origin_mm
        layer.editable = False  # new data are taken for editable

    def show_agreement(self, grey: bool) -> None:
        """Show what both masks hold in grey, or not at all."""
        self._grey = grey
        if self.layer is not None:
            both = AGREEMENT if grey else "transparent"
            colors = {None: "transparent", MINE: OURS, THEIRS: EXPERT, BOTH: both}
            self.layer.colormap = DirectLabelColormap(color_dict=colors)

    def remove(self) -> None:
        """Take the layer out of the viewer."""
        layer, self.layer = self.layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _note_removed(self, event) -> None:
        if event.value is self.layer:
            self.layer = None
