"""The one door to files: `read_scan`, `read_mask`, `write_mask`, whatever the format."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import FileFormatError, ParameterError, VbmdError, WriteError
from ..grid import Grid, place
from ..scan import Mask, Scan
from .aim import read_aim
from .aim_write import write_aim_mask
from .dicom import read_dicom
from .isq import read_isq
from .itk import SUFFIXES, WRITABLE, read_itk, write_itk_mask
from .processing_log import ProcessingLog
from .scan_log import log_of, signed

_SCANNER_VALUE = 127  # the one value of a scanner's mask
_MOST_LABELS = 16  # more distinct values are an 8-bit scan, and not written over
READABLE = (".isq", ".aim", *SUFFIXES, ".dcm")
REFUSED = {  # the scanner's other files, and what to give instead
    ".rsq": "raw projections (RSQ), not an image; give the ISQ that was reconstructed from them",
    ".gobj": "a contour file (GOBJ), which cannot be read safely; make a mask of it on the scanner "
    "with the file GOBJ_TO_AIM.COM that `napari-vbmd contour-script` writes",
    ".rad": "a scout radiograph (RAD), which has no slices; give the reconstructed ISQ",
}
MASK_SUFFIXES = (".aim", *WRITABLE)


def read_scan(path: str | Path) -> Scan:
    """Open a scan, memory-mapped where the format allows.

    Parameters
    ----------
    path : path
        An ISQ, AIM, NIfTI, NRRD or MetaImage file, a folder with one DICOM series, or a slice of
        one. The VMS version (``;1``) of a scanner's file is ignored.

    Returns
    -------
    Scan
        With ``voxels`` exactly as stored.

    Raises
    ------
    FileFormatError
        When the file is missing, damaged or of another kind; the message names it.
    """
    path = Path(path)
    suffix = suffix_of(path)
    try:
        if not path.exists():
            raise FileFormatError(f"{path}: no such file; check the name")
        if path.is_dir():
            return read_dicom(path)
        if suffix in READABLE and not path.stat().st_size:
            raise FileFormatError(f"{path}: empty file; copy it again")
        if suffix == ".dcm":
            return read_dicom(path.parent)
        if suffix == ".isq":
            return read_isq(path)
        if suffix == ".aim":
            return read_aim(path)
        if suffix in SUFFIXES:
            return read_itk(path)
        if suffix in REFUSED:
            raise FileFormatError(f"{path}: {REFUSED[suffix]}")
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be opened: {error.strerror or error}") from error
    except MemoryError as error:
        raise FileFormatError(f"{path}: too large for this machine's memory") from error
    except ParameterError as error:
        raise FileFormatError(f"{path}: {error}") from error
    raise FileFormatError(
        f"{path}: unknown kind of file; use {', '.join(s for s in READABLE)} or a DICOM folder"
    )


def read_mask(path: str | Path) -> Mask:
    """Read a mask from any format that `read_scan` knows, except ISQ.

    Returns
    -------
    Mask
        uint8; when only one value other than zero occurs and it is the scanner's 127, it is 1.

    Raises
    ------
    FileFormatError
        As `read_scan`, and when the values are not labels from 0 to 255.
    """
    scan = read_scan(path)
    if scan.format == "ISQ":
        raise FileFormatError(f"{path}: an ISQ is a scan, not a mask; give the mask's file")
    voxels = _labels(scan.voxels, scan.path)
    return Mask(voxels, scan.grid, scan.header, scan.path, scan.format, scan.log)


def write_mask(
    path: str | Path,
    mask: np.ndarray | Mask,
    grid: Grid,
    log: Mapping[str, object] | None = None,
    scan: Scan | None = None,
) -> Path:
    """Write a mask in the format that the path's ending names, whole or not at all.

    Parameters
    ----------
    path : path
        Ending in .aim, .nii.gz, .nii, .nrrd or .mha.
    mask : Mask, or array of bool or uint8, shape (z, y, x)
        An array fills the grid. A Mask is placed on it; an AIM never holds what lies around.
    grid : Grid
        Of the file.
    log : mapping, optional
        Entries for an AIM's processing log; a whole `ProcessingLog` is written as it is.
    scan : Scan, optional
        The scan that the mask belongs to. Its file is never written over, and an AIM's log begins
        with its log, without what names the patient.

    Returns
    -------
    Path

    Raises
    ------
    WriteError
        When the file cannot be written, or the path holds a scan.
    ParameterError
        When the mask is of another type, does not fit its grid, or the format cannot hold it.
    """
    path = Path(path)
    check_mask_path(path, scan)
    voxels, own_grid = (mask.voxels, mask.grid) if isinstance(mask, Mask) else (mask, grid)
    voxels = _checked(path, voxels, own_grid)
    placement = place(own_grid, grid)
    if suffix_of(path) == ".aim":
        corner = tuple(side.start for side in placement.target_box)
        part = voxels[placement.source_box]
        write_aim_mask(path, part, grid, _carried(log, scan), corner)
    else:
        write_itk_mask(path, placement.paste(voxels), grid)
    return path


def _checked(path: Path, voxels: np.ndarray, grid: Grid) -> np.ndarray:
    """A mask's voxels as uint8."""
    voxels = np.asarray(voxels)
    if voxels.dtype not in (bool, np.uint8):
        raise ParameterError(f"{path}: a mask is an array of bool or uint8, not {voxels.dtype}")
    if voxels.shape != grid.shape:
        raise ParameterError(f"{path}: mask {voxels.shape} and grid {grid.shape} differ")
    return voxels.view(np.uint8) if voxels.dtype == bool else voxels


def _carried(log: Mapping[str, object] | None, scan: Scan | None) -> Mapping[str, object]:
    """The log of a mask's AIM: that of its scan goes before what is said about the mask."""
    if isinstance(log, ProcessingLog):
        return log
    return signed(log_of(scan), **(log or {})) if scan else log or {}


def check_mask_path(path: str | Path, scan: Scan | None = None) -> None:
    """Refuse a path that a mask must not be written to; cheap enough to ask before long work.

    Only what holds bytes, as masks written here and by the scanner do, and few distinct values is
    written over: a scan without bone looks like a mask, too, and a scan may be of 8 bits.

    Raises
    ------
    WriteError
    """
    path = Path(path)
    if suffix_of(path) not in MASK_SUFFIXES:
        raise WriteError(
            f"{path}: a mask is written as {', '.join(MASK_SUFFIXES)}; choose one of these endings"
        )
    if not os.path.isdir(path.parent):
        raise WriteError(f"{path}: the folder {path.parent} does not exist; make it first")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise WriteError(
            f"{path}: the folder {path.parent} may not be written to; choose another folder"
        )
    if not os.path.exists(path):
        return
    if scan and scan.path and scan.path.exists() and path.samefile(scan.path):
        raise WriteError(f"{path}: this is the scan itself; choose another name for the mask")
    if not _is_mask(path):
        raise WriteError(
            f"{path}: already there and not a mask, so it is not written over; choose another name"
        )


def suffix_of(path: str | Path) -> str:
    """The ending in lower case, without a VMS version: ``.aim`` for ``HAND_SEG.AIM;2``."""
    name = re.sub(r"(\.(?:isq|aim|rsq|rad|gobj|dcm));\d*$", r"\1", Path(path).name.lower())
    if name.endswith(".nii.gz"):
        return ".nii.gz"
    return Path(name).suffix


def _is_mask(path: Path) -> bool:
    try:
        voxels = read_scan(path).voxels
    except VbmdError:
        return False
    present = np.zeros(256, bool)
    for section in voxels if voxels.dtype.itemsize == 1 else ():
        if section.min() < 0:
            return False
        present |= np.bincount(section.ravel(), minlength=256) > 0
        if present.sum() > _MOST_LABELS:
            return False
    return bool(present.any())


def _labels(voxels: np.ndarray, path: Path) -> np.ndarray:
    """Voxels as uint8 labels, slice by slice; a plain scanner mask becomes 0 and 1."""
    present = np.zeros(256, bool)
    labels = np.zeros(voxels.shape, np.uint8)
    for z, section in enumerate(voxels):
        low, high = section.min(), section.max()
        if not (low >= 0 and high <= 255):
            raise FileFormatError(
                f"{path}: not a mask: values from {low:g} to {high:g} in slice {z}, where labels "
                "are 0 to 255; is this the scan?"
            )
        if high == 0:
            continue
        labels[z] = section
        if section.dtype.kind == "f" and not np.array_equal(labels[z], section):
            raise FileFormatError(
                f"{path}: not a mask: fractions in slice {z}; save it as whole labels"
            )
        present |= np.bincount(labels[z].ravel(), minlength=256) > 0
    if np.flatnonzero(present[1:]).tolist() == [_SCANNER_VALUE - 1]:
        np.minimum(labels, 1, out=labels)
    return labels
