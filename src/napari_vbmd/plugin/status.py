"""Density under the cursor in napari's status bar, and outlines for masks that arrive.

napari asks the layer for its status, in a thread of its own; readers give layer data, not layers.
So a viewer is watched, and every image and labels layer gets a status that ends in mg HA/cm3 as
soon as it is, or lies above, a scan of ours. Nothing else of the layer changes.
"""

import weakref
from types import MethodType

import numpy as np
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QTimer

from ..calibration import UNIT_NAMES
from ..errors import VbmdError
from .autosave import guard
from .graphics import free_safely
from .label_features import take_away
from .layers import as_outline, scan_of
from .solid_view import guard_3d

_watched = weakref.WeakSet()


def watch(viewer) -> None:
    """Follow a viewer's layers, those that are there and those that come; once is enough."""
    if viewer is None or viewer in _watched:
        return
    _watched.add(viewer)
    guard(viewer)
    guard_3d(viewer)
    free_safely(viewer)
    viewer.layers.events.inserted.connect(lambda event: _adopt(viewer, event.value))
    for layer in viewer.layers:
        _adopt(viewer, layer)


def density_text(scan_layer: Image, position) -> str:
    """The value of a scan layer at a world position, in words; empty outside of it.

    Parameters
    ----------
    scan_layer : Image
    position : sequence of float
        World coordinates; the last three are z, y, x.
    """
    scan = scan_of(scan_layer)
    index = np.round(scan_layer.world_to_data(position)).astype(int)[-3:]
    if np.any(index < 0) or np.any(index >= scan.grid.shape):
        return ""
    value = scan.voxels[tuple(index)]
    if scan.is_calibrated:
        return f"{scan.density_transform()(float(value)):.1f} mg HA/cm3"
    return f"{value:g} {UNIT_NAMES[scan.unit]}, uncalibrated"


def _adopt(viewer, layer: Layer) -> None:
    if not isinstance(layer, Image | Labels):
        return
    if _is_ours(layer) and isinstance(layer, Image):
        _announce(viewer, layer)
    elif _is_ours(layer):
        as_outline(layer)
        take_away(layer)  # a copy has the numbers of the mask that it was copied from
    viewer_reference = weakref.ref(viewer)
    plain = type(layer).get_status

    def get_status(self, position=None, **kwargs):
        status = plain(self, position, **kwargs)
        viewer = viewer_reference()
        scan_layer = self if isinstance(self, Image) else _scan_beneath(viewer)
        # asked each time: a calibration may have been typed in since
        if position is None or scan_layer is None or not _is_ours(scan_layer):
            return status
        try:
            text = density_text(scan_layer, position)
        except VbmdError:  # a layer bent out of shape has no density, but keeps its status
            text = ""
        if text:
            for part in ("coordinates", "value"):
                status[part] = _beside_value(status[part], text, self)
        return status

    layer.get_status = MethodType(get_status, layer)


def _beside_value(status: str, text: str, layer: Layer) -> str:
    """A text before the features that napari adds to a label, so that these cannot push it away."""
    value = status.removesuffix("; [No Properties]")  # it says so of the background
    first = next((name for name in getattr(layer, "features", ()) if name != "index"), None)
    value, mark, features = value.partition(f"; {first}: ")
    return f"{value}   {text}{mark}{features}"


def _announce(viewer, layer: Image) -> None:
    """Say what was opened, once napari has said that it is ready."""
    try:
        text = f"{layer.name}: {scan_of(layer).describe()}"
    except VbmdError:  # a projection of a scan carries its metadata along
        return

    def say() -> None:
        viewer.status = text

    QTimer.singleShot(0, say)


def _scan_beneath(viewer) -> Image | None:
    """The topmost visible scan."""
    if viewer is None:
        return None
    scans = [
        layer
        for layer in viewer.layers
        if isinstance(layer, Image) and layer.visible and _is_ours(layer)
    ]
    return scans[-1] if scans else None


def _is_ours(layer: Layer) -> bool:
    return "vbmd" in layer.metadata
