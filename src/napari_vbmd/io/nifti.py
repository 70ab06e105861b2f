"""Whether a NIfTI file is whole: its library fills in what is missing and says nothing.

Voxels that are not there or not finite become zero, a voxel size that is not there becomes 1 mm,
and with axes that are not numbers the library works for ever.
"""

import gzip
import math
import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from ..errors import FileFormatError

_GZIP = b"\x1f\x8b"
_HEADER = 540  # bytes of a NIfTI-2 header; NIfTI-1 has 348
_CHUNK = 1 << 20  # bytes, a whole number of voxels
_FLOATS = {16: "f4", 64: "f8"}  # by the header's datatype
_FARTHEST = 1e9  # mm


class _Voxels(NamedTuple):
    """Where the voxels lie in bytes, and their dtype where they are floats."""

    start: int
    length: int
    floats: np.dtype | None


def check_whole(path: str | Path) -> None:
    """Compare the bytes that are there with those that the header asks for.

    A compressed file is read through once, which also checks its checksum, and so is one of floats.

    Raises
    ------
    FileFormatError
        When the file is no single-file NIfTI, is truncated, its compression is damaged, or a voxel
        is not a finite number.
    """
    path = Path(path)
    with open(path, "rb") as file:
        compressed = file.read(2) == _GZIP
    try:
        with (gzip.open if compressed else open)(path, "rb") as file:
            voxels = _voxels(path, file.read(_HEADER))
            file.seek(0)
            actual, wrong = os.path.getsize(path), 0
            if compressed or voxels.floats is not None:
                actual, wrong = _read_through(file, voxels)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileFormatError(
            f"{path}: its compressed data are damaged ({error}); copy the file again"
        ) from None
    needed = voxels.start + voxels.length
    if actual < needed:
        raise FileFormatError(
            f"{path}: truncated: it holds {actual} bytes, but its header asks for {needed}; "
            "copy the file again"
        )
    if wrong:
        raise FileFormatError(
            f"{path}: {wrong} of its voxels are not finite numbers (NaN or infinite); replace them "
            "and save it again"
        )


def _voxels(path: Path, head: bytes) -> _Voxels:
    """What a header of version 1 or 2, in either byte order, says of its voxels."""
    for order in "<>":
        version = struct.unpack_from(f"{order}i", head)[0] if len(head) >= 348 else None
        if version == 348:
            fields = ("8h", 40), ("2h", 70), ("f", 108), ("3f", 80), ("18f", 256)
        elif version == 540 and len(head) == _HEADER:
            fields = ("8q", 16), ("2h", 12), ("q", 168), ("3d", 112), ("18d", 352)
        else:
            continue
        dims, (kind, bits), start, sizes, axes = (
            struct.unpack_from(order + code, head, at) for code, at in fields
        )
        if not all(abs(a) < _FARTHEST for a in axes):
            raise FileFormatError(f"{path}: its axes are not numbers in mm: damaged header")
        if not all(0 < abs(s) < _FARTHEST for s in sizes):
            raise FileFormatError(f"{path}: its voxel size is {sizes} mm (x, y, z): damaged header")
        if 1 <= dims[0] <= 7 and bits >= 1 and 0 <= start[0] < 1 << 40:
            voxels = math.prod(max(n, 1) for n in dims[1 : 1 + dims[0]])
            floats = np.dtype(order + _FLOATS[kind]) if kind in _FLOATS else None
            return _Voxels(int(start[0]), -(-voxels * bits // 8), floats)
    raise FileFormatError(f"{path}: not a NIfTI file, or its header is damaged")


def _read_through(file: BinaryIO, voxels: _Voxels) -> tuple[int, int]:
    """Bytes that the file holds, and how many voxels among them are not finite numbers."""
    total = wrong = 0
    while missing := voxels.start - total:
        total += (got := len(file.read(min(_CHUNK, missing))))
        if not got:
            return total, 0
    while chunk := file.read(_CHUNK):
        left = max(0, voxels.start + voxels.length - total)
        total += len(chunk)
        if voxels.floats is not None:
            count = min(len(chunk), left) // voxels.floats.itemsize
            wrong += int(np.sum(~np.isfinite(np.frombuffer(chunk, voxels.floats, count))))
    return total, wrong
