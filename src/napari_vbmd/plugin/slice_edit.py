"""A tool on one slice of a labels layer, as one undo step; fast enough to be done at once."""

import numpy as np
from napari.layers import Labels

from ..editing.tools import Setting, Tool
from .mask_edit import label_of


def apply_tool(layer: Labels, z: int, tool: Tool, setting: Setting) -> int:
    """Run a tool on the label meant in slice z; gives the voxels that changed.

    Raises
    ------
    ParameterError
        When the slice holds several labels and none of them is selected.
    """
    section = np.asarray(layer.data[z])
    if not section.any():
        return 0
    label = label_of(layer.name, section.astype(np.uint8), int(layer.selected_label))
    part = (section == label)[None].astype(np.uint8)
    return _replace(layer, z, label, tool.run(part, setting, True, None)[0] != 0)


def copy_slice(layer: Labels, z: int, to: int) -> int:
    """Put the label meant of slice z into another slice, instead of what it has of that label."""
    section = np.asarray(layer.data[z])
    if not section.any():
        return 0
    label = label_of(layer.name, section.astype(np.uint8), int(layer.selected_label))
    return _replace(layer, to, label, section == label)


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
