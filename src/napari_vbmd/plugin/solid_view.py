"""3D without a crash: a large mask is shown as a surface, for its volume fills graphics memory.

A labels layer cannot be multiscale and be painted on; so while the viewer shows 3D, every large one
is hidden before napari draws it, and a surface of it is shown in its place. Scans bring a coarse
level of their own (`layers.scan_to_layer`).
"""

import weakref
from types import MethodType

import numpy as np
from napari.layers import Labels, Surface
from napari.utils.colormaps import Colormap, DirectLabelColormap
from qtpy.QtCore import QObject, QTimer

from ..morphology import outer_surface
from .job import Job
from .layers import as_preview, is_too_large

_QUIET_MS = 300
_EDITS = ("paint", "data", "labels_update")
_guards: "weakref.WeakKeyDictionary" = weakref.WeakKeyDictionary()


def guard_3d(viewer) -> None:
    """Show large masks of a viewer as surfaces in 3D; once is enough."""
    if viewer not in _guards:
        _guards[viewer] = SolidView(viewer)


class SolidView(QObject):
    """Watches one viewer's switch to 3D and back."""

    def __init__(self, viewer):
        super().__init__()
        self._viewer = weakref.ref(viewer)
        self._solids: dict[Labels, _Solid] = {}
        viewer.layers.events.inserted.connect(lambda event: self._adopt(event.value))
        viewer.layers.events.removed.connect(lambda event: self._removed(event.value))
        viewer.dims.events.ndisplay.connect(self._switch)
        for layer in viewer.layers:
            self._adopt(layer)

    @property
    def busy(self) -> bool:
        """Whether a surface is due or being made."""
        return any(solid.busy for solid in self._solids.values())

    def _adopt(self, layer) -> None:
        if not isinstance(layer, Labels):
            return
        if self._viewer().dims.ndisplay == 3 and is_too_large(layer.data):
            self._begin(layer)  # `layers.add_mask` and our readers hide it before it is drawn
        reference, plain = weakref.ref(self), type(layer)

        # napari's own callbacks come before any of ours, and draw: only the layer itself is earlier
        def slice_dims(layer, dims, force=False):
            if dims.ndisplay == 3:
                reference()._instead_of(layer)
            plain._slice_dims(layer, dims, force)

        def refresh(layer, *args, **kwargs):  # also: its eye, and a new array
            if reference()._viewer().dims.ndisplay == 3:
                reference()._instead_of(layer)
            plain.refresh(layer, *args, **kwargs)

        layer._slice_dims = MethodType(slice_dims, layer)
        layer.refresh = MethodType(refresh, layer)

    def _instead_of(self, layer: Labels) -> None:
        """Before a layer is drawn in 3D: a large one is hidden, and its surface shown."""
        if layer.visible and is_too_large(layer.data):
            self._begin(layer)

    def _switch(self, event=None) -> None:
        if self._viewer().dims.ndisplay == 2:
            for layer in list(self._solids):
                self._end(layer)

    def _begin(self, layer: Labels) -> None:
        if layer in self._solids:
            self._solids[layer].toggle()
        else:
            self._solids[layer] = _Solid(self._viewer(), layer, self)

    def _removed(self, layer) -> None:
        for solid in self._solids.values():
            solid.lose(layer)
        for ours in ("_slice_dims", "refresh"):  # or it would begin again where it ends
            layer.__dict__.pop(ours, None)
        self._end(layer)

    def _end(self, layer) -> None:
        solid = self._solids.pop(layer, None)
        if solid is not None:
            solid.end()


class _Solid(QObject):
    """The surface in the place of one layer."""

    def __init__(self, viewer, layer: Labels, parent: QObject):
        super().__init__(parent)
        self._viewer, self._layer = viewer, layer
        self._surface: Surface | None = None
        self._job: Job | None = None
        self._again = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._make)
        layer.visible = False
        for name in _EDITS:
            getattr(layer.events, name).connect(self._wait)
        self._timer.start(0)

    @property
    def busy(self) -> bool:
        return self._timer.isActive() or self._job is not None

    def end(self) -> None:
        """Show the layer again, and take the surface away."""
        self._timer.stop()
        if self._job is not None:
            self._job.cancel()
        for name in _EDITS:
            getattr(self._layer.events, name).disconnect(self._wait)
        shown = self._surface is None or self._surface.visible
        self._remove()
        self._layer.visible = shown
        self._layer = None
        if self._job is None:
            self.deleteLater()

    def toggle(self) -> None:
        """The eye of the layer is that of its surface; one that was deleted is made again."""
        self._layer.visible = False
        if self._surface is not None:
            self._surface.visible = not self._surface.visible
        else:
            self._wait()
        self._viewer.status = f"{self._layer.name}: too large for 3D, shown as a surface"

    def lose(self, layer) -> None:
        """A layer was taken out of the viewer; it may have been the surface."""
        if layer is self._surface:
            self._surface = None

    def _wait(self, event=None) -> None:
        self._timer.start(_QUIET_MS)

    def _make(self) -> None:
        if self._job is not None:
            self._again = True
            return
        voxels, spacing = self._layer.data, tuple(self._layer.scale[-3:])

        def work(progress):
            progress(0.0, "making a surface")
            return outer_surface(voxels, spacing)

        job = self._job = Job(work, f"Surface of {self._layer.name}", self)
        job.succeeded.connect(self._show)
        job.ended.connect(self._ended)
        job.start()

    def _show(self, mesh) -> None:
        vertices, faces = mesh
        if self._layer is None:
            return
        if not len(faces):
            self._remove()
            return
        if self._surface is None:
            self._add(vertices, faces)
        else:
            self._surface.data = (vertices, faces)  # all of one value, and that is one colour

    def _add(self, vertices, faces) -> None:
        layers, active = self._viewer.layers, self._viewer.layers.selection.active
        surface = Surface(
            (vertices, faces),
            name=f"{self._layer.name}, surface",
            translate=self._layer.translate,
            units=self._layer.units,
            axis_labels=self._layer.axis_labels,
            colormap=Colormap([_color(self._layer)] * 2),
            shading="smooth",
            opacity=0.8,
        )
        as_preview(surface)
        self._surface = surface
        self._viewer.add_layer(surface)
        layers.selection.active = active  # keys and docks go on meaning the mask

    def _remove(self) -> None:
        if self._surface is not None and self._surface in self._viewer.layers:
            self._viewer.layers.remove(self._surface)
        self._surface = None

    def _ended(self) -> None:
        self._job.deleteLater()
        self._job = None
        if self._layer is None:
            self.deleteLater()
        elif self._again:
            self._again = False
            self._make()


def _color(layer: Labels) -> np.ndarray:
    """Of the layer's first label."""
    if isinstance(layer.colormap, DirectLabelColormap):
        return np.asarray(layer.colormap.color_dict[1], dtype=np.float32)
    return np.asarray(layer.get_color(1), dtype=np.float32)
