"""A patient of a table as layers: the scan and its masks, in the place of the patient before."""

import gc
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from napari.layers import Labels, Layer

from ..errors import FileFormatError
from ..grid import Grid, place
from ..io.files import read_mask, read_scan
from ..morphology import bounding_box
from ..scan import Mask, Scan
from ..study.manifest import within
from .autosave import is_edited
from .layers import EXPERT, OURS, add_mask, scan_to_layer

SCAN, MASKS = "scan", (("expert", EXPERT), ("mask", OURS))  # columns; ours on top
_ROOM = 2.0  # around the bone, in its own sizes


@dataclass(frozen=True)
class PatientFiles:
    """What a row's files hold.

    Attributes
    ----------
    scan : Scan
    masks : dict of str to Mask
        By column.
    bone : Grid or None
        The box of the topmost mask's voxels; None without any.
    """

    scan: Scan
    masks: dict[str, Mask]
    bone: Grid | None


def read_patient(cells: Mapping[str, str], folder: Path, progress: Callable) -> PatientFiles:
    """Read the files that a row of a table names.

    Parameters
    ----------
    cells : mapping
        By column; paths in ``scan``, ``mask`` and ``expert`` are relative to the folder.
    folder : Path
        Of the table.
    progress : callable
        Called with a fraction and a message; may raise to cancel.

    Raises
    ------
    FileFormatError
        When no scan is named, or a file is missing or damaged.
    GridMismatchError
        When a mask cannot be placed on the scan.
    """
    if not cells.get(SCAN):
        raise FileFormatError(
            f"no scan is named: give the table a column “{SCAN}” with the file, relative to "
            f"{folder}"
        )
    progress(0.0, f"opening {cells[SCAN]}")
    scan = read_scan(within(folder, cells[SCAN]))
    masks, bone = {}, None
    for i, (column, _) in enumerate(MASKS):
        if cells.get(column):
            progress((i + 1) / 3, f"reading {cells[column]}")
            mask = masks[column] = read_mask(within(folder, cells[column]))
            place(mask.grid, scan.grid)
            box = bounding_box(mask.voxels)
            bone = mask.grid.box(box) if box else bone
    return PatientFiles(scan, masks, bone)


class PatientLayers:
    """Shows one patient at a time; a patient with unsaved edits stays."""

    def __init__(self, viewer):
        self._viewer = viewer
        self._shown: list[weakref.ref[Layer]] = []  # what is removed is let go
        self._froze = False

    def exchange(self, files: PatientFiles) -> Iterator[None]:
        """Show a patient in the place of the one before, layer by layer.

        The window may live between two steps: each takes napari a tenth of a second or two.
        """
        self._freeze()
        for layer in reversed(self._leaving()):  # napari may crash on masks without their scan
            self._viewer.layers.remove(layer)
            yield
        layer = Layer.create(*scan_to_layer(files.scan))
        self._shown = [weakref.ref(layer)]
        self._viewer.add_layer(layer)
        self._look_at(files)
        yield
        for column, color in MASKS:
            if column in files.masks:
                name = f"{files.scan.name} [{column}]"
                about = {"file": files.masks[column].name}
                layer = add_mask(self._viewer, files.masks[column], name, color, about)
                self._shown.append(weakref.ref(layer))
                yield

    def edited(self) -> str:
        """Name of a mask with unsaved edits, for which the patient stays; "" without one."""
        masks = (layer for layer in self._there() if isinstance(layer, Labels))
        return next((mask.name for mask in masks if is_edited(self._viewer, mask)), "")

    def end(self) -> None:
        """Let the viewer be."""
        if self._froze:
            gc.unfreeze()

    def is_shown(self) -> bool:
        """Whether all layers of the patient shown last are still there."""
        return bool(self._shown) and len(self._there()) == len(self._shown)

    def _there(self) -> list[Layer]:
        layers = (ref() for ref in self._shown)
        return [layer for layer in layers if layer is not None and layer in self._viewer.layers]

    def _leaving(self) -> list[Layer]:
        """The layers to remove; those of a patient that stays are hidden instead."""
        there = self._there()
        if not self.edited():
            return there
        for layer in there:
            layer.visible = False
        return []

    def _freeze(self) -> None:
        """Have napari look for garbage among what comes from now on only.

        It does so whenever a layer is removed, through all objects of all libraries: a quarter of
        a second each time. Layers of patients come later, so all of their memory is let go.
        """
        if not self._froze:
            self._froze = True
            gc.freeze()

    def _look_at(self, files: PatientFiles) -> None:
        """The middle slice of the bone, as near as its size asks for."""
        self._viewer.reset_view()
        if files.bone is None:
            return
        whole, bone, axis = files.scan.grid, files.bone, self._viewer.dims.ndim - 3
        middle = [
            o + (n - 1) // 2 * s
            for o, n, s in zip(bone.origin_mm, bone.shape, bone.spacing_mm, strict=True)
        ]
        self._viewer.dims.set_point(axis, middle[0])
        camera = self._viewer.scene.camera
        camera.center = middle
        near = max(whole.size_mm[1:]) / (_ROOM * max(bone.size_mm[1:]))
        camera.zoom *= max(1.0, near)
