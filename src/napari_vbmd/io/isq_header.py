"""What an ISQ says before its voxels, checked against the file's size.

Offsets in bytes, little-endian: magic 0; type 16; date 36 (VMS time); dimensions 44, in um 56;
slice thickness 68, increment 72, first slice position 76 [um]; mu_scaling 88; scanner type 104;
site 116; name 128; energy 168; intensity 172; data offset 508. The voxels begin at (data offset +
1) * 512. Between header and voxels there may be blocks with a directory: see `named_blocks`.

Source: Scanco Medical's ISQ header description and vtk-dicom's reader (BSD), checked against
aimio-py, itk-ioscanco and a real file.
"""

import math
import os
import struct
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from ..calibration import Calibration
from ..errors import FileFormatError
from ..grid import Grid
from . import vax

MAGIC = b"CTDATA-HEADER_V1"
BLOCK = 512
NAME = slice(128, 168)
DENSITY_UNITS = {"mg HA/ccm", "mg HA/cm3", "mgHA/ccm", "mgHA/cm3", "mg HA/cm^3"}
_ENTRY, _ENTRIES = 128, 4  # bytes of a directory's entry, and entries of its block
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_LARGEST_HEADER = 1 << 20  # bytes that are read for the blocks; real ones have a few thousand
_OTHER_KINDS = {
    6: "a contour file (GOBJ); give it the ending .gobj",
    9: "a scout radiograph (RAD), which has no slices; give the reconstructed ISQ",
}

# name and offset of the int32 fields that are kept
FIELDS = {
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


@dataclass(frozen=True)
class IsqHeader:
    """What an ISQ says before its voxels.

    Parameters
    ----------
    grid : Grid
        Position 0: an ISQ is the original scan that positions refer to.
    fields : dict
        By the names that the processing log has for them; they name the patient.
    blocks : dict of str to bytes
        Of `named_blocks`.
    data_start : int
        Byte at which the voxels begin.
    """

    grid: Grid
    fields: dict[str, int | str]
    blocks: dict[str, bytes] = field(repr=False)
    data_start: int

    @property
    def data_length(self) -> int:
        """Bytes of the voxels."""
        return 2 * math.prod(self.grid.shape)


def read_header(path: str | Path) -> IsqHeader:
    """Read and check the header of an ISQ.

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
        if (kind := _int(head, 16)) in _OTHER_KINDS:
            raise FileFormatError(f"{path}: not an ISQ but {_OTHER_KINDS[kind]}")
        data_start = (_int(head, 508) + 1) * BLOCK
        extended = file.read(max(0, min(data_start, _LARGEST_HEADER) - BLOCK))
    grid = _grid(path, head, data_start)
    words = struct.unpack(f"<{BLOCK // 4}i", head)
    fields: dict[str, int | str] = {name: words[at // 4] for name, at in FIELDS.items()}
    fields["Original Creation-Date"] = _vms_time(struct.unpack_from("<q", head, 36)[0])
    fields["Patient Name"] = head[NAME].split(b"\0")[0].decode("latin-1").strip()
    return IsqHeader(grid, fields, named_blocks(extended), data_start)


def named_blocks(extended: bytes) -> dict[str, bytes]:
    """The blocks between header and voxels, by name.

    The directory lies behind a block titled ``MultiHeader``, or comes first where there is none.
    Its entries of 128 bytes have the name at +8 and the size, in blocks of 512 bytes, at +24. The
    named blocks follow it, one after the other, in its order.

    Parameters
    ----------
    extended : bytes
        What lies between the first 512 bytes and the voxels.
    """
    directory = BLOCK if extended[8:24].startswith(b"MultiHeader") else 0
    start, blocks = directory + BLOCK, {}
    for entry in range(directory, directory + _ENTRY * _ENTRIES, _ENTRY):
        if len(extended) < entry + 28:
            break
        name = extended[entry + 8 : entry + 24].split(b"\0")[0].decode("latin-1").strip()
        size = _int(extended, entry + 24) * BLOCK
        if not name or size <= 0:
            break
        blocks.setdefault(name, extended[start : start + size])
        start += size
    return blocks


def calibration_of(header: IsqHeader) -> Calibration:
    """mu_scaling from the header, the rest from a Calibration block where there is one.

    In the block: units at 648, slope 664, intercept 672, mu_water 688 (VAX G floats).
    """
    scaling = header.fields["Mu_Scaling"]
    known = {"mu_scaling": float(scaling) if scaling > 0 else None}
    block = header.blocks.get("Calibration")
    if block is None:
        return Calibration(**known, source="ISQ header", problem="the ISQ carries mu_scaling only")
    if len(block) < 696:
        problem = "the ISQ's Calibration block is cut short"
        return Calibration(**known, source="ISQ header", problem=problem)
    mu_water = vax.decode_g(block[688:696])
    if math.isfinite(mu_water) and mu_water > 0:
        known["mu_water_per_cm"] = mu_water
    units = block[648:664].split(b"\0")[0].decode("latin-1").strip()
    slope, intercept = vax.decode_g(block[664:672]), vax.decode_g(block[672:680])
    if units not in DENSITY_UNITS:
        problem = f"the file's density unit is {units!r}, not mg HA/ccm"
        return Calibration(**known, source="ISQ header", problem=problem)
    if not (math.isfinite(slope) and math.isfinite(intercept) and slope > 0):
        problem = f"the file's density slope is {slope:g} and its intercept {intercept:g}"
        return Calibration(**known, source="ISQ header", problem=problem)
    return Calibration(
        **known, density_slope=slope, density_intercept=intercept, source="ISQ calibration block"
    )


def calibration_blocks(calibration: Calibration) -> bytes:
    """The MultiHeader, its directory and a Calibration block, as they follow the header."""
    extended = bytearray(4 * BLOCK)
    extended[8:24] = b"MultiHeader     "
    extended[BLOCK + 8 : BLOCK + 24] = b"Calibration     "
    struct.pack_into("<i", extended, BLOCK + 24, 2)
    start = 2 * BLOCK
    extended[start + 648 : start + 664] = b"mg HA/ccm".ljust(16, b"\0")
    for offset, value in (
        (664, calibration.density_slope),
        (672, calibration.density_intercept),
        (688, calibration.mu_water_per_cm),
    ):
        extended[start + offset : start + offset + 8] = vax.encode_g(value)
    return bytes(extended)


def _grid(path: Path, head: bytes, data_start: int) -> Grid:
    dims_xyz = struct.unpack_from("<3i", head, 44)
    size_um_xyz = struct.unpack_from("<3i", head, 56)
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
    spacing = tuple(um / n / 1000 for um, n in zip(size_um_xyz, dims_xyz, strict=True))
    return Grid(dims_xyz[::-1], spacing[::-1])


def _vms_time(ticks: int) -> str:
    """A date as OpenVMS writes it, from 100 ns since 17 November 1858; empty where there is none.

    The real pair of files that we have says the same in its ISQ's header and in its AIM's log.
    """
    try:
        date = datetime(1858, 11, 17) + timedelta(microseconds=ticks // 10)
    except OverflowError:
        return ""
    if ticks <= 0:
        return ""
    return (
        f"{date.day:>2}-{_MONTHS[date.month - 1]}-{date.year} {date:%H:%M:%S}."
        f"{date.microsecond // 10000:02d}"
    )


def _int(data: bytes, offset: int) -> int:
    return struct.unpack_from("<i", data, offset)[0]
