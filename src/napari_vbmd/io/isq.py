"""ISQ: the scanner's reconstructed image, int16, memory-mapped.

The header is in `isq_header`.
"""

import math
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..calibration import Calibration
from ..privacy import sides_said
from ..scan import Scan
from .atomic import written_whole
from .isq_header import (
    BLOCK,
    MAGIC,
    NAME,
    calibration_blocks,
    calibration_of,
    read_header,
)


def read_isq(path: str | Path) -> Scan:
    """Open an ISQ without reading its voxels.

    Parameters
    ----------
    path : path

    Returns
    -------
    Scan
        ``voxels`` is a read-only int16 memory map (z, y, x) in native units.

    Raises
    ------
    FileFormatError
        When the file is no ISQ, is truncated, or describes something impossible.
    """
    path = Path(path)
    header = read_header(path)
    voxels = np.memmap(
        path, dtype="<i2", mode="r", offset=header.data_start, shape=header.grid.shape
    )
    side, reason = _side(header.fields["Patient Name"])
    calibration = calibration_of(header)
    return Scan(
        voxels, "native", header.grid, calibration, dict(header.fields), path, "ISQ", side, reason
    )


def write_isq(
    path: str | Path,
    voxels: np.ndarray,
    spacing_mm: tuple[float, float, float],
    calibration: Calibration,
    name: str = "",
) -> None:
    """Write native int16 voxels with their calibration as an ISQ.

    Parameters
    ----------
    path : path
    voxels : array of int16, shape (z, y, x)
        Or anything that has a shape and gives its slices one by one, so that a large scan need
        not be in memory.
    spacing_mm : tuple of float
        Along z, y, x; the header keeps whole micrometres of the whole volume.
    calibration : Calibration
        All four constants; they go into a Calibration block.
    name : str
        For the header's name field; at most 40 characters. The words "left hand" or "right hand"
        in it tell `read_isq` the side.
    """
    head = bytearray(BLOCK)
    head[0:16] = MAGIC
    nz, ny, nx = voxels.shape
    # readers take the size from the dimensions; beyond int32 it is only a hint
    size = 2 * math.prod(voxels.shape)
    struct.pack_into("<3i", head, 16, 3, min(size, 2**31 - 1), -(-size // BLOCK))
    struct.pack_into("<3i", head, 44, nx, ny, nz)
    struct.pack_into(
        "<3i",
        head,
        56,
        *(round(n * s * 1000) for n, s in zip((nx, ny, nz), spacing_mm[::-1], strict=True)),
    )
    thickness = round(spacing_mm[0] * 1000)
    struct.pack_into("<3i", head, 68, thickness, thickness, 0)
    struct.pack_into("<i", head, 88, round(calibration.mu_scaling))
    head[NAME] = name.encode("latin-1", "replace")[:40].ljust(40)
    extended = calibration_blocks(calibration)
    struct.pack_into("<i", head, 508, len(extended) // BLOCK)
    with written_whole(path) as temporary, open(temporary, "wb") as file:
        file.write(head)
        file.write(extended)
        low, high = _write_slices(file, voxels)
        file.seek(80)
        file.write(struct.pack("<2i", low, high))


def _write_slices(file: BinaryIO, voxels) -> tuple[int, int]:
    """Write slice after slice; the lowest and the highest value."""
    low, high = 2**15 - 1, -(2**15)
    for section in voxels:
        section = np.ascontiguousarray(section, dtype="<i2")
        low, high = min(low, int(section.min())), max(high, int(section.max()))
        file.write(section.data)
    return low, high


def _side(name: str) -> tuple[str, str]:
    """The side of the hand as far as the header's name says it in words, and the reason."""
    said = sides_said(name)
    if len(said) != 1:
        return "unknown", "the ISQ header does not name the side in words"
    (side,) = said
    return side, f'the header says "{side} hand"'
