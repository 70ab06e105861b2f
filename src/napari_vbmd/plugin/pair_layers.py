"""The layers of the pair in view: the scan, and the masks A and B, which nobody can edit."""

from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QObject, QTimer, Signal

from ..errors import VbmdError
from ..study.pair_view import PairView
from .layers import (
    EXPERT,
    OURS,
    LayerData,
    add_mask,
    mask_to_layer,
    scan_of,
    scan_to_layer,
    show_window,
)

_EMPTY_FRAME = 0.2  # of the canvas, around the bone
_MASKS = (("A", OURS), ("B", EXPERT))


class PairLayers(QObject):
    """Shows one pair at a time in a viewer.

    Masks are previews: they cannot be painted on, no dock offers them, no copy is kept of them.
    The layers stay and get the next pair's voxels: to make them anew takes napari a second.

    Signals
    -------
    lost()
        Someone removed one of the layers, or napari is being closed.
    """

    lost = Signal()

    def __init__(self, viewer, parent: QObject):
        super().__init__(parent)
        self._viewer = viewer
        self._layers: tuple[Layer, ...] = ()
        viewer.layers.events.removed.connect(self._notice_removed)
        viewer.layers.selection.events.active.connect(self._notice_selected)

    @property
    def all(self) -> tuple[Layer, ...]:
        """Scan, A and B; nothing while no pair is shown."""
        return self._layers

    @property
    def masks(self) -> tuple[Labels, ...]:
        """A and B."""
        return self._layers[1:]

    def show(self, view: PairView) -> None:
        """Show a pair in the place of the last one: near, in its middle, with the same contrast."""
        data = scan_to_layer(view.scan)
        if self._can_take(data[0]):
            self._fill(view, data)
        else:
            self.clear()
            self._make(view, data)
        for layer in self._layers:
            layer.editable, layer.visible, layer.locked = False, True, True
        self._viewer.dims.ndisplay, self._viewer.dims.order = 2, (0, 1, 2)
        self.go_to(view.middle)
        self._viewer.reset_view(layers=list(self.masks), margin=_EMPTY_FRAME)

    def go_to(self, z: int) -> None:
        """Show a slice of the scan."""
        if self._layers:
            scan = self._layers[0]
            self._viewer.dims.set_point(0, z * scan.scale[0] + scan.translate[0])

    def clear(self) -> None:
        """Take the layers out of the viewer."""
        gone, self._layers = self._layers, ()
        for layer in gone:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    def hide(self) -> None:
        """Hide the pair: it is not the one that is rated next."""
        for layer in self._layers:
            layer.visible = False

    def toggle(self, *masks: int) -> None:
        """Hide masks (0: A, 1: B), or show them where all of them are hidden."""
        layers = [self.masks[number] for number in masks if self.masks]
        visible = not any(layer.visible for layer in layers)
        for layer in layers:
            layer.visible = visible

    def _can_take(self, voxels: Any) -> bool:
        """Whether the layers are all there, and of the kind that the voxels need."""
        if not self._layers or any(layer not in self._viewer.layers for layer in self._layers):
            return False
        return self._layers[0].multiscale == isinstance(voxels, list)

    def _make(self, view: PairView, scan: LayerData) -> None:
        voxels, kwargs, kind = scan
        layer = Layer.create(voxels, {**kwargs, "name": "Scan"}, kind)
        self._viewer.add_layer(layer)
        masks = [
            add_mask(self._viewer, mask, name, color, preview=True)
            for mask, (name, color) in zip((view.a, view.b), _MASKS, strict=True)
        ]
        self._layers = layer, *masks
        self._select()

    def _fill(self, view: PairView, scan: LayerData) -> None:
        window = _window(self._layers[0])
        masks = (mask_to_layer(mask, "") for mask in (view.a, view.b))
        for layer, (voxels, kwargs, _) in zip(self._layers, (scan, *masks), strict=True):
            layer.data = voxels
            layer.metadata = kwargs["metadata"]
            for name in ("scale", "translate"):
                if not np.array_equal(getattr(layer, name), kwargs[name]):  # each one draws anew
                    setattr(layer, name, kwargs[name])
        if window and scan_of(self._layers[0]).is_calibrated:
            show_window(self._layers[0], *window)
        else:
            self._layers[0].contrast_limits = scan[1]["contrast_limits"]

    def _notice_removed(self, event) -> None:
        if event.value in self._layers:
            self.lost.emit()

    def _notice_selected(self, event) -> None:
        """The keys are those of the layers: without one selected they would do nothing."""
        if self._layers and event.value not in self._layers:
            QTimer.singleShot(0, self._select)

    def _select(self) -> None:
        if self._layers and self._layers[0] in self._viewer.layers:
            self._viewer.layers.selection.active = self._layers[0]


def _window(layer: Image) -> tuple[float, float] | None:
    """The contrast limits in mg HA/cm3; None without a calibration."""
    try:
        to_density = scan_of(layer).density_transform()
    except VbmdError:
        return None
    low, high = layer.contrast_limits
    return float(to_density(low)), float(to_density(high))
