"""napari's way into the files: scans as images, masks as labels."""

from collections.abc import Callable
from pathlib import Path

import napari
import numpy as np

from ..errors import VbmdError
from ..io.files import READABLE, REFUSED, read_mask, read_scan, suffix_of
from ..io.processing_log import ProcessingLog
from ..scan import Mask, Scan
from .layers import EXPERT, LayerData, is_too_large, mask_to_layer, scan_to_layer
from .status import watch

_MOST_LABELS = 16  # an 8-bit image with more distinct values is taken for a scan


def get_reader(path: str | list[str]) -> Callable[[str | list[str]], list[LayerData]] | None:
    """Offer a reader for files whose ending we know, and for folders that hold DICOM."""
    paths = [path] if isinstance(path, str) else list(path)
    if paths and all(_may_read(Path(p)) for p in paths):
        return read
    return None


def read(path: str | list[str]) -> list[LayerData]:
    """Read files into layer data; slices of one DICOM folder count as one scan."""
    watch(napari.current_viewer())
    paths = [Path(p) for p in ([path] if isinstance(path, str) else path)]
    sources = dict.fromkeys(p.parent if suffix_of(p) == ".dcm" else p for p in paths)
    return [_layer(source) for source in sources]


def _layer(path: Path) -> LayerData:
    scan = read_scan(path)
    if not _is_mask(scan):
        return scan_to_layer(scan)
    mask: Mask = read_mask(path)
    about = {"file": mask.name, "log": ProcessingLog(mask.log).public().text}
    voxels, kwargs, kind = mask_to_layer(mask, mask.name, EXPERT, about)
    viewer = napari.current_viewer()
    hidden = viewer is not None and viewer.dims.ndisplay == 3 and is_too_large(voxels)
    return voxels, {**kwargs, "visible": not hidden}, kind  # `solid_view` shows a surface instead


def _is_mask(scan: Scan) -> bool:
    """Whether the values can only be labels: whole numbers from 0 to 255, and few of them."""
    if scan.format == "ISQ" or scan.voxels.dtype.kind not in "iub":
        return False
    seen = np.zeros(256, bool)
    for section in scan.voxels:
        if section.min() < 0 or section.max() > 255:
            return False
        seen |= np.bincount(section.ravel(), minlength=256) > 0
        if seen.sum() > _MOST_LABELS:
            return False
    return True


def _may_read(path: Path) -> bool:
    if not path.is_dir():
        return suffix_of(path) in (*READABLE, *REFUSED)  # the latter say why they are not read
    if path.suffix:  # zarr and the like belong to other readers
        return False
    try:
        return any(_is_dicom(file) for file in list(path.iterdir())[:20] if file.is_file())
    except (OSError, VbmdError):
        return False


def _is_dicom(file: Path) -> bool:
    with open(file, "rb") as stream:
        return stream.read(132)[128:] == b"DICM"
