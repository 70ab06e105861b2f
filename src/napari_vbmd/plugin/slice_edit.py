"""A tool on one slice of a labels layer, as one undo step; fast enough to be done at once."""

import numpy as np
from napari.layers import Labels
from scipy import ndimage

from ..editing.tools import Setting, Tool
from ..errors import ParameterError
from ..grid import place
from ..morphology import bounding_box
from ..scan import Mask
from .layers import grid_of
from .mask_edit import label_of

_CRUMB_MM2 = 1.0  # a smaller piece is no bone's outline


def apply_tool(layer: Labels, z: int, tool: Tool, setting: Setting) -> int:
    """Run a tool on the label meant in slice z; gives the voxels that changed.

    Raises
    ------
    ParameterError
        When the slice holds several labels and none of them is selected.
    """
    section, label = _meant(layer, z)
    if label is None:
        return 0
    part = (section == label)[None].astype(np.uint8)
    return _replace(layer, z, label, tool.run(part, setting, True, None)[0] != 0)


def copy_slice(layer: Labels, z: int, to: int) -> int:
    """Put the label meant of slice z into another slice, instead of what it has of that label."""
    section, label = _meant(layer, z)
    if label is None:
        return 0
    return _replace(layer, to, label, section == label)


def put_outline(layer: Labels, found: Mask) -> int:
    """Make a bone found in one slice what the label has of it; gives the voxels that changed.

    The label is the one that covers half of the outline or more; else the one selected. What it has
    elsewhere in the slice stays, as it may be another bone; crumbs do not.

    Raises
    ------
    ParameterError
        When the outline does not fit into the layer, or labels exceed 255.
    """
    grid = grid_of(layer)
    place_of = place(found.grid, grid)
    z = place_of.target_box[0].start
    section = _section(layer, z)
    if place_of.is_clipped:
        raise ParameterError(
            f"{layer.name}: the outline does not fit into this layer, which is smaller than the "
            "scan; put the mask on the scan's grid first (dock “Post-process”, new layer)"
        )
    wanted = np.zeros(section.shape, bool)
    wanted[place_of.target_box[1:]] = found.voxels[0] != 0
    covered = np.bincount(section[wanted], minlength=2)
    covered[0] = 0
    selected = int(layer.selected_label) or 1  # 0 is the eraser's
    mostly = 2 * covered.max() >= np.count_nonzero(wanted)
    label = int(covered.argmax()) if mostly else selected
    crumb = _CRUMB_MM2 / grid.pixel_area_mm2
    return _replace(layer, z, label, wanted | _elsewhere(section == label, wanted, crumb))


def _elsewhere(held: np.ndarray, outlined: np.ndarray, crumb: float) -> np.ndarray:
    """Pieces of a label that do not touch an outline and have more voxels than a crumb."""
    pieces, count = ndimage.label(held)
    stays = np.bincount(pieces.ravel(), minlength=count + 1) > crumb
    window = bounding_box(outlined[None], 1)[1:]
    stays[np.unique(pieces[window][ndimage.binary_dilation(outlined[window])])] = False
    stays[0] = False
    return stays[pieces]


def _section(layer: Labels, z: int) -> np.ndarray:
    section = np.asarray(layer.data[z])
    if section.size and not 0 <= section.min() <= section.max() <= 255:
        raise ParameterError(f"{layer.name}: labels from 0 to 255 can be edited, no others")
    return section


def _meant(layer: Labels, z: int) -> tuple[np.ndarray, int | None]:
    """A slice, and the label that is meant in it; None where it is empty."""
    section = _section(layer, z)
    if not section.any():
        return section, None
    return section, label_of(layer.name, section.astype(np.uint8), int(layer.selected_label))


def _replace(layer: Labels, z: int, label: int, wanted: np.ndarray) -> int:
    """Make one label of a slice this; other labels are not painted over."""
    section = np.asarray(layer.data[z])
    now = section == label
    changed = (wanted != now) & (now | (section == 0))
    y, x = np.nonzero(changed)
    if y.size:
        layer.data_setitem(
            (np.full(y.shape, z), y, x), np.where(wanted[y, x], label, 0).astype(section.dtype)
        )
    return int(y.size)
