"""The layers of the case in view: each case in the place of the one before, seen as that was."""

import gc
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from napari.layers import Image, Labels, Layer

from ..errors import VbmdError
from ..grid import Grid
from ..scan import Mask
from .autosave import is_edited
from .case_files import CaseFiles
from .layers import EXPERT, add_mask, is_preview, outline_width, scan_of, show

_ROOM = 2.0  # around the bone of the first case, in its own sizes
# what an annotator sets once and wants on the next case, too
_OF_SCAN = ("colormap", "gamma")
_OF_MASK = (
    "opacity",
    "contour",
    "brush_size",
    "selected_label",
    "n_edit_dimensions",
    "preserve_labels",
    "mode",
)
_OF_EXPERT = ("visible", "opacity", "contour")


@dataclass
class _View:
    """How the last case was seen."""

    zoom: float | None = None
    density_limits: tuple[float, float] | None = None
    scan: dict = field(default_factory=dict)
    mask: dict = field(default_factory=dict)
    expert: dict = field(default_factory=dict)


class CaseLayers:
    """Puts the layers of a case into a viewer, and takes them away for the next one.

    Whatever arrived in the viewer with a case, and belongs to this plugin, goes with it; what was
    there before stays.
    """

    def __init__(self, viewer):
        self._viewer = viewer
        self._others = weakref.WeakSet(viewer.layers)
        self._view = _View()
        self._froze = False
        self.scan: Image | None = None
        self.mask: Labels | None = None
        self.expert: Labels | None = None
        self.is_waiting = False  # whether the mask holds edits from before the case came into view

    def exchange(self, files: CaseFiles, mask: Labels | None, keep_edits: bool = True) -> Iterator:
        """Show another case, step by step: between two of them the window may live.

        Parameters
        ----------
        files : CaseFiles
        mask : Labels or None
            The layer that was corrected in the case before.
        keep_edits : bool
            Whether a layer with unsaved edits of this scan's mask takes the place of the file's.
        """
        self._remember(mask)
        waiting = self._waiting(files) if keep_edits else None
        leaving = [layer for layer in self._leaving(files) if layer is not waiting]
        self.scan = self.mask = self.expert = mask = None
        self.is_waiting = waiting is not None
        gone = [weakref.ref(layer) for layer in leaving]
        while leaving:
            if leaving[-1] in self._viewer.layers:  # nobody removed it between two steps
                self._viewer.layers.remove(leaving[-1])
            leaving.pop()
            yield
        self._collect(gone)
        yield
        self._others = weakref.WeakSet(self._viewer.layers)
        if files.scan is None:
            return
        self._add_scan(files)
        yield
        if files.expert is not None:
            self._add_expert(files)
            yield
        if waiting is not None:
            self.mask = waiting
            self._others.discard(waiting)
            self._viewer.layers.move(self._viewer.layers.index(waiting), len(self._viewer.layers))
            self._viewer.layers.selection.active = waiting
        elif files.mask is not None:
            self.add_mask(files, files.mask, files.about, shown=False)
            yield
            show(self._viewer, self.mask)
            _set(self.mask, self._view.mask)  # its mode: a hidden layer has none
        else:
            self._viewer.layers.selection.active = self.scan
        yield

    def add_mask(self, files: CaseFiles, mask: Mask, about: dict, shown: bool = True) -> Labels:
        """Add a mask of the case, ready to be painted on as the one before was."""
        name = f"{files.scan.name} [mask]"
        about = {**about, "scan path": str(files.case.scan)}
        layer = add_mask(self._viewer, mask, name, about=about, shown=shown)
        self.mask = _tagged(layer, files)
        _set(self.mask, self._view.mask)
        self._viewer.layers.selection.active = self.mask
        return self.mask

    def strays(self, mask: Labels | None) -> list[Labels]:
        """Masks that came with the case, would go with it, and are saved nowhere."""
        return [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, Labels)
            and layer not in self._others
            and layer not in (mask, self.expert)
            and not is_preview(layer)
            and (is_edited(self._viewer, layer) or not (layer is self.mask or layer.source.path))
        ]

    def end(self) -> None:
        """Let the viewer be."""
        if self._froze:
            gc.unfreeze()

    def _collect(self, gone: list[weakref.ref]) -> None:
        """Let the layers that are gone go, and have that be quick the next time.

        Whenever a layer is removed, napari looks for garbage among all objects of all libraries,
        for a quarter of a second. What is alive now will mostly stay, so it is left out from now
        on; but not while something still holds a layer, whose memory would never be let go.
        """
        if gone:
            gc.collect()  # the last one was still held when napari looked
        if not any(layer() is not None for layer in gone):
            self._froze = True
            gc.freeze()

    def _leaving(self, files: CaseFiles) -> list[Layer]:
        """Layers to remove: those of the case, and what an earlier dock or a rescue left."""
        return [
            layer
            for layer in self._viewer.layers
            if "vbmd" in layer.metadata
            and (
                layer not in self._others
                or _is_left_over(self._viewer, layer)
                or _shows(layer, files.case.scan)
            )
        ]

    def _waiting(self, files: CaseFiles) -> Labels | None:
        """A mask of this scan in the viewer with edits that were saved nowhere."""
        found = [layer for path, layer in unsaved_masks(self._viewer) if path == files.case.scan]
        return found[-1] if found and files.scan is not None else None

    def _remember(self, mask: Labels | None) -> None:
        """How the case in view is seen, for the next one."""
        view = self._view
        if self.scan is None or self.scan not in self._viewer.layers:
            return
        view.scan = {name: getattr(self.scan, name) for name in _OF_SCAN}
        try:
            density = scan_of(self.scan).density_transform()
            view.density_limits = tuple(density(limit) for limit in self.scan.contrast_limits)
        except VbmdError:  # no calibration: native numbers mean nothing on another scan
            view.density_limits = None
        if mask is not None and mask in self._viewer.layers:
            view.mask = _seen(mask, _OF_MASK)
            if self._viewer.dims.ndisplay == 2:
                view.zoom = self._viewer.scene.camera.zoom
        if self.expert is not None and self.expert in self._viewer.layers:
            view.expert = _seen(self.expert, _OF_EXPERT)

    def _add_scan(self, files: CaseFiles) -> None:
        layer = self.scan = _tagged(Layer.create(*files.layer), files)
        _set(layer, self._view.scan)
        if self._view.density_limits is not None and files.scan.is_calibrated:
            back = files.scan.density_transform().inverse()
            layer.contrast_limits = [back(limit) for limit in self._view.density_limits]
        # first, so that nothing is drawn twice
        self._viewer.layers.append(layer)
        self._look_at(files)

    def _add_expert(self, files: CaseFiles) -> None:
        name = f"{files.scan.name} [expert]"
        about = {"file": files.expert.name}
        layer = add_mask(self._viewer, files.expert, name, EXPERT, about, reference=True)
        self.expert = _tagged(layer, files)
        _set(self.expert, self._view.expert)

    def _look_at(self, files: CaseFiles) -> None:
        """Go to the bone: at the zoom of the last case, or as near as the first one needs."""
        viewer, grid = self._viewer, files.scan.grid
        axis = viewer.dims.ndim - 3
        viewer.dims.set_point(axis, grid.origin_mm[0] + files.z * grid.spacing_mm[0])
        viewer.reset_view()
        nothing = files.taken is None or not files.taken.mask.voxels.any()
        if nothing or viewer.dims.ndisplay == 3:
            return
        bone = files.taken.mask.grid
        middle = [o + (n - 1) / 2 * s for o, n, s in _axes(bone)]
        viewer.scene.camera.center = middle
        near = max(grid.size_mm[1:]) / (_ROOM * max(bone.size_mm[1:]))
        viewer.scene.camera.zoom = self._view.zoom or viewer.scene.camera.zoom * max(1.0, near)


def unsaved_masks(viewer) -> list[tuple[Path, Labels]]:
    """Masks in a viewer whose edits are saved nowhere, each with the path of its scan."""
    return [
        (Path(about["scan path"]), layer)
        for layer in viewer.layers
        if isinstance(layer, Labels)
        and (about := layer.metadata.get("vbmd", {}).get("about", {})).get("scan path")
        and is_edited(viewer, layer)
    ]


def _is_left_over(viewer, layer: Layer) -> bool:
    return "case" in layer.metadata["vbmd"] and not is_edited(viewer, layer)


def _shows(layer: Layer, path: Path) -> bool:
    scan = layer.metadata["vbmd"].get("scan")
    return scan is not None and scan.path == path


def _tagged(layer: Layer, files: CaseFiles) -> Layer:
    layer.metadata["vbmd"]["case"] = files.case.key
    return layer


def _axes(grid: Grid):
    return zip(grid.origin_mm, grid.shape, grid.spacing_mm, strict=True)


def _seen(layer: Labels, names: tuple[str, ...]) -> dict:
    """How a mask is seen; a width that nobody changed is that of the next scan's size."""
    usual = ("contour",) if layer.contour == outline_width(layer) else ()
    return {name: getattr(layer, name) for name in names if name not in usual}


def _set(layer: Layer, values: dict) -> None:
    for name, value in values.items():
        if getattr(layer, name) != value:  # else it would be drawn once more
            setattr(layer, name, value)
