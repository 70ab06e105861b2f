"""The layer that shows what only one of two masks holds: ours blue, the expert's orange, filled."""

from qtpy.QtCore import QObject

from ..measurement.disagreement import BOTH, MINE, Disagreement
from ..measurement.disagreement import EXPERT as THEIRS
from ..scan import Mask
from .layers import AGREEMENT, EXPERT, OURS
from .preview_layer import PreviewLayer


class DisagreementLayer(PreviewLayer):
    """Where two masks differ."""

    def __init__(self, viewer, parent: QObject):
        super().__init__(viewer, parent)
        self._grey = False

    def show(self, found: Disagreement, name: str) -> None:
        """Add the layer in the place of the last one."""
        self.show_mask(Mask(found.voxels, found.grid), name, self._colors())

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
        self.color(self._colors())

    def _colors(self) -> dict[int, str]:
        return {MINE: OURS, THEIRS: EXPERT, BOTH: AGREEMENT if self._grey else "transparent"}
