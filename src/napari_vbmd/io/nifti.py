"""Whether a NIfTI file is whole: its library fills in what is missing and says nothing.

Voxels that are not there become zero, a voxel size that is not there becomes 1 mm, and with axes
that are not numbers the library works for ever.
"""

import gzip
import math
import os
import struct
import zlib
from pathlib import Path

from ..errors import FileFormatError

_GZIP = b"\x1f\x8b"
_HEADER = 540  # bytes of a NIfTI-2 header; NIfTI-1 has 348
_CHUNK = 1 << 20
_FARTHEST = 1e9  # mm


def check_whole(path: str | Path) -> None:
    """Compare the bytes that are there with those that the header asks for.

    A compressed file is read through once, which also checks its checksum.

    Raises
    ------
    FileFormatError
        When the file is no single-file NIfTI, is truncated, or its compression is damaged.
    """
    path = Path(path)
    with open(path, "rb") as file:
        compressed = file.read(2) == _GZIP
    try:
        with (gzip.open if compressed else open)(path, "rb") as file:
            needed = _bytes_needed(path, file.read(_HEADER))
            file.seek(0)
            actual = _length(file) if compressed else os.path.getsize(path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileFormatError(
            f"{path}: its compressed data are damaged ({error}); copy the file again"
        ) from None
    if actual < needed:
        raise FileFormatError(
            f"{path}: truncated: it holds {actual} bytes, but its header asks for {needed}; "
            "copy the file again"
        )


def _bytes_needed(path: Path, head: bytes) -> int:
    """Offset of the voxels plus their size; header of version 1 or 2, in either byte order."""
    for order in "<>":
        version = struct.unpack_from(f"{order}i", head)[0] if len(head) >= 348 else None
        if version == 348:
            fields = ("8h", 40), ("h", 72), ("f", 108), ("3f", 80), ("18f", 256)
        elif version == 540 and len(head) == _HEADER:
            fields = ("8q", 16), ("h", 14), ("q", 168), ("3d", 112), ("18d", 352)
        else:
            continue
        dims, bits, start, sizes, axes = (
            struct.unpack_from(order + code, head, at) for code, at in fields
        )
        if not all(abs(a) < _FARTHEST for a in axes):
            raise FileFormatError(f"{path}: its axes are not numbers in mm: damaged header")
        if not all(0 < abs(s) < _FARTHEST for s in sizes):
            raise FileFormatError(f"{path}: its voxel size is {sizes} mm (x, y, z): damaged header")
        if 1 <= dims[0] <= 7 and bits[0] >= 1 and 0 <= start[0] < 1 << 40:
            voxels = math.prod(max(n, 1) for n in dims[1 : 1 + dims[0]])
            return int(start[0]) + -(-voxels * bits[0] // 8)
    raise FileFormatError(f"{path}: not a NIfTI file, or its header is damaged")


def _length(file) -> int:
    total = 0
    while chunk := file.read(_CHUNK):
        total += len(chunk)
    return total
