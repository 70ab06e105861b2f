"""A filled layer of labels that only shows something; one at a time.

It is neither painted on nor offered as a mask, kept aside or saved.
"""

from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import QObject

from ..scan import Mask
from .layers import add_mask


class PreviewLayer(QObject):
    """One such layer; a person may take it out of the viewer at any time.

    Parameters
    ----------
    viewer : napari.Viewer
    parent : QObject
    opacity : float
        So that the scan shows through.
    """

    def __init__(self, viewer, parent: QObject, opacity: float = 0.7):
        super().__init__(parent)
        self._viewer, self._opacity = viewer, opacity
        self.layer: Labels | None = None
        viewer.layers.events.removed.connect(self._note_removed)

    def show_mask(self, mask: Mask, name: str, colors: dict[int, str]) -> None:
        """Add the layer in the place of the last one; what was selected stays so."""
        self.remove()
        selected = self._viewer.layers.selection.active
        self.layer = add_mask(self._viewer, mask, name, preview=True)
        self.layer.contour, self.layer.opacity = 0, self._opacity
        self.color(colors)
        self._viewer.layers.selection.active = selected

    def color(self, colors: dict[int, str]) -> None:
        """Show these labels in these colours, and no others."""
        if self.layer is not None:
            self.layer.colormap = DirectLabelColormap(color_dict={None: "transparent", **colors})

    def remove(self) -> None:
        """Take the layer out of the viewer."""
        layer, self.layer = self.layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _note_removed(self, event) -> None:
        if event.value is self.layer:
            self.layer = None
