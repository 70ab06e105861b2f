"""ISQ: the scanner's reconstructed image, int16, memory-mapped.

Offsets in bytes, little-endian: magic 0; dimensions 44, in um 56; slice thickness 68, increment
72, first slice position 76 [um]; mu_scaling 88; scanner type 104; site 116; name 128; energy 168;
intensity 172; data offset 508. The voxels begin at (data offset + 1) * 512. An optional
MultiHeader at 512 may carry the density calibration (see `_calibration`).

Source: Scanco Medical's ISQ header description, checked against aimio-py and itk-ioscanco.
"""

import math
import os
import re
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..calibration import Calibration
from ..errors import FileFormatError
from ..grid import Grid
from ..scan import SIDES, Scan
from . import vax
from .atomic import written_whole

MAGIC = b"CTDATA-HEADER_V1"
BLOCK = 512
DENSITY_UNITS = {"mg HA/ccm", "mg HA/cm3", "mgHA/ccm", "mgHA/cm3", "mg HA/cm^3"}

# name and offset of the int32 fields that are kept
_FIELDS = {
    "Index Patient": 28,
    "Scanner ID": 32,
    "Slice thickness [um]": 68,
    "Slice increment [um]": 72,
    "Position Slice 1 [um]": 76,
    "Minimum data value": 80,
    "Maximum data value": 84,
    "Mu_Scaling": 88,
    "No. samples": 92,
    "No. projections per 180": 96,
    "Scan Distance [um]": 100,
    "Scanner type": 104,
    "Integration time [us]": 108,
    "Index Measurement": 112,
    "Site": 116,
    "Reference line [um]": 120,
    "Reconstruction-Alg.": 124,
    "Energy [V]": 168,
    "Intensity [uA]": 172,
}


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
    with open(path, "rb") as file:
        head = file.read(BLOCK)
        if len(head) < BLOCK or not head.startswith(MAGIC):
            raise FileFormatError(f"{path}: not an ISQ file: it does not begin with {MAGIC!r}")
        data_start = (_int(head, 508) + 1) * BLOCK
        extended = file.read(max(0, min(data_start, 1 << 20) - BLOCK))
    dims_xyz = struct.unpack_from("<3i", head, 44)
    size_um_xyz = struct.unpack_from("<3i", head, 56)
    _check_size(path, dims_xyz, size_um_xyz, data_start)
    shape = dims_xyz[::-1]
    voxels = np.memmap(path, dtype="<i2", mode="r", offset=data_start, shape=shape)
    grid = Grid(
        shape, tuple(um / n / 1000 for um, n in zip(size_um_xyz, dims_xyz, strict=True))[::-1]
    )
    header = {name: _int(head, offset) for name, offset in _FIELDS.items()}
    header["Patient Name"] = head[128:168].split(b"\0")[0].decode("latin-1").strip()
    side, reason = _side(header["Patient Name"])
    calibration = _calibration(head, extended)
    return Scan(voxels, "native", grid, calibration, header, path, "ISQ", side, reason)


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
    head[128:168] = name.encode("latin-1", "replace")[:40].ljust(40)
    extended = _calibration_block(calibration)
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
    said = {side for side in SIDES if re.search(rf"\b{side} hand\b", name, re.IGNORECASE)}
    if len(said) != 1:
        return "unknown", "the ISQ header does not name the side in words"
    (side,) = said
    return side, f'the header says "{side} hand"'


def _check_size(path, dims_xyz, size_um_xyz, data_start) -> None:
    if min(dims_xyz) < 1 or min(size_um_xyz) < 1 or data_start < BLOCK:
        raise FileFormatError(
            f"{path}: the header describes {dims_xyz} voxels over {size_um_xyz} um: damaged file"
        )
    expected = data_start + 2 * math.prod(dims_xyz)
    actual = os.path.getsize(path)
    if actual < expected:
        raise FileFormatError(
            f"{path}: truncated: {actual} bytes, but {dims_xyz} voxels need {expected}; "
            "copy the file again from the scanner"
        )


def _calibration(head: bytes, extended: bytes) -> Calibration:
    """mu_scaling from the header, the rest from a Calibration block where there is one.

    The block begins at byte 1024 when it is the only entry of the MultiHeader: title at +8, units
    +1160, slope +1176, intercept +1184, mu_water +1200 (VAX G floats).
    """
    scaling = _int(head, 88)
    known = {"mu_scaling": float(scaling) if scaling > 0 else None}
    block = extended[BLOCK : BLOCK + 1208]
    if len(block) < 1208 or not block[8:].startswith(b"Calibration"):
        return Calibration(**known, source="ISQ header", problem="the ISQ carries mu_scaling only")
    mu_water = vax.decode_g(block[1200:1208])
    if math.isfinite(mu_water) and mu_water > 0:
        known["mu_water_per_cm"] = mu_water
    units = block[1160:1176].split(b"\0")[0].decode("latin-1").strip()
    slope, intercept = vax.decode_g(block[1176:1184]), vax.decode_g(block[1184:1192])
    if units not in DENSITY_UNITS:
        problem = f"the file's density unit is {units!r}, not mg HA/ccm"
        return Calibration(**known, source="ISQ header", problem=problem)
    if not (math.isfinite(slope) and math.isfinite(intercept) and slope > 0):
        problem = f"the file's density slope is {slope:g} and its intercept {intercept:g}"
        return Calibration(**known, source="ISQ header", problem=problem)
    return Calibration(
        **known, density_slope=slope, density_intercept=intercept, source="ISQ calibration block"
    )


def _calibration_block(calibration: Calibration) -> bytes:
    extended = bytearray(4 * BLOCK)
    extended[8:24] = b"MultiHeader     "
    start = BLOCK
    extended[start + 8 : start + 24] = b"Calibration     "
    struct.pack_into("<i", extended, start + 24, 3)
    extended[start + 1160 : start + 1176] = b"mg HA/ccm".ljust(16, b"\0")
    for offset, value in (
        (1176, calibration.density_slope),
        (1184, calibration.density_intercept),
        (1200, calibration.mu_water_per_cm),
    ):
        extended[start + offset : start + offset + 8] = vax.encode_g(value)
    return bytes(extended)


def _int(data: bytes, offset: int) -> int:
    return struct.unpack_from("<i", data, offset)[0]
