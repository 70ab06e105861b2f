"""The choice among a viewer's layers."""

from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox

from .layers import is_preview, is_reference

# what of a layer concerns whoever computes with it; a typed calibration is metadata
_CHANGES = ("metadata", "scale", "translate", "rotate", "shear", "affine", "units")


class LayerPicker(QComboBox):
    """A choice among the viewer's layers of one kind, kept up to date.

    Parameters
    ----------
    viewer : napari.Viewer
    kind : type
        Image or Labels.
    none : str, optional
        Text of a first entry that stands for no layer; without it the newest layer is chosen, as
        long as nobody chose another, and as it is no reference.
    reference : bool
        Choose a reference as soon as one arrives.

    Signals
    -------
    picked(object)
        The layer chosen, or None: when it is another one, and when its place or calibration is.
    """

    picked = Signal(object)

    def __init__(
        self,
        viewer,
        kind: type,
        tooltip: str,
        none: str | None = None,
        reference: bool = False,
    ):
        super().__init__()
        self._viewer, self._kind, self._none, self._reference = viewer, kind, none, reference
        self._followed: Layer | None = None
        self.setToolTip(tooltip)
        narrow(self)
        for event in ("inserted", "removed", "reordered", "renamed"):
            getattr(viewer.layers.events, event).connect(self._refresh)
        self.currentIndexChanged.connect(lambda _: self._tell())
        self._refresh()

    @property
    def layer(self) -> Layer | None:
        """The layer chosen, or None."""
        layer = self.currentData()
        return layer if layer in self._viewer.layers else None

    def pick(self, layer: Layer | None) -> None:
        """Choose a layer, if it is on offer."""
        index = next((i for i in range(self.count()) if self.itemData(i) is layer), -1)
        if index >= 0:
            self.setCurrentIndex(index)

    def _refresh(self, event=None) -> None:
        before = self.currentData()
        layers = [layer for layer in self._viewer.layers if self._offers(layer)]
        with QSignalBlocker(self):
            self.clear()
            if self._none is not None:
                self.addItem(self._none, None)
            for layer in layers:
                self.addItem(layer.name, layer)
            arrived = event.value if event is not None and event.type == "inserted" else None
            if self._reference and arrived in layers and is_reference(arrived):
                self.setCurrentIndex(self.findData(arrived))
            elif before in layers:
                self.setCurrentIndex(self.findData(before))
            elif self._none is None:  # the newest is most often meant
                own = [layer for layer in layers if not is_reference(layer)]
                self.setCurrentIndex(self.findData(own[-1]) if own else -1)
        if self.currentData() is not before:
            self._tell()

    def _tell(self, event=None) -> None:
        layer = self.layer
        if layer is not self._followed:
            for change in _CHANGES:
                if self._followed is not None:
                    getattr(self._followed.events, change).disconnect(self._tell)
                if layer is not None:
                    getattr(layer.events, change).connect(self._tell)
            self._followed = layer
        self.picked.emit(layer)

    def _offers(self, layer: Layer) -> bool:
        volume = isinstance(layer, self._kind) and layer.ndim == 3
        return volume and not getattr(layer, "rgb", False) and not is_preview(layer)


def newest(viewer, kind: type) -> Image | Labels | None:
    """The topmost layer of a kind."""
    return next((layer for layer in reversed(viewer.layers) if isinstance(layer, kind)), None)


def narrow(box: QComboBox) -> None:
    """Let long entries be cut instead of widening the dock."""
    box.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(10)
