"""Saving a labels layer with its geometry, whole or not at all."""

from pathlib import Path
from typing import Any

from napari.layers import Labels

from .. import __version__
from ..errors import WriteError
from ..io.files import write_mask
from ..io.processing_log import as_log
from ..scan import Mask
from .autosave import was_saved
from .layers import mask_of, shows_only


def write_labels(path: str, data: Any, attributes: dict) -> list[str]:
    """Save a labels layer as AIM, NIfTI, NRRD or MetaImage, as the path's ending says.

    Parameters
    ----------
    path : str
    data : array, shape (z, y, x)
    attributes : dict
        The layer's: scale, translate, units, metadata.

    Returns
    -------
    list of str
        What was written.

    Raises
    ------
    WriteError
        When it cannot be written, the path holds a scan, or the layer is a preview.
    """
    geometry = ("name", "scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
    kept = {key: attributes[key] for key in geometry if key in attributes}
    if shows_only(data):
        raise WriteError(
            f"{attributes.get('name', path)}: this layer only shows something, it is no mask; "
            "select the mask and save that"
        )
    mask = mask_of(Labels(data, **kept))
    about = attributes.get("metadata", {}).get("vbmd", {}).get("about", {})
    written = save_mask(path, mask, about)
    was_saved(data)
    return [str(written)]


def save_mask(path: str | Path, mask: Mask, about: dict) -> Path:
    """Write a layer's mask with what is known of where it came from; raises as `write_labels`."""
    edited = {"Mask edited with": f"napari-vbmd {__version__}"}
    if "method" in about:
        edited["Mask made by"] = about["method"]
    log = as_log(about.get("log", "")).public().with_lines(edited)
    return write_mask(path, mask.voxels, mask.grid, log)
