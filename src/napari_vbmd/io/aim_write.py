"""Writing AIM: masks binary-compressed or char, scans short; version 020 as long as it can."""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import ParameterError
from ..grid import Grid
from ..scan import Scan
from . import aim_runs, vax
from .aim import EXTENT_KEY
from .aim_header import EXTENTS, MAGIC_030, V020, V030, Layout
from .aim_voxels import BINARY, CHAR, SHORT
from .atomic import written_whole
from .processing_log import format_log
from .scan_log import log_of, signed

_LARGEST_V020 = 2**31 - 1024  # bytes; beyond, its numbers overflow
_Extents = Mapping[str, tuple[int, int, int]]


def write_aim_mask(
    path: str | Path,
    mask: np.ndarray,
    grid: Grid,
    log: Mapping[str, object] | None = None,
    corner: tuple[int, int, int] = (0, 0, 0),
) -> None:
    """Write a mask as AIM: binary-compressed when it holds one label, else as char.

    Parameters
    ----------
    path : path
    mask : array of bool or uint8, shape (z, y, x)
        Labels up to 127; a single label is written as the scanner's 127.
    grid : Grid
        Its position must be whole numbers.
    log : mapping
        A `ProcessingLog`, written as it is, or entries of one.
    corner : tuple of int
        Where on the grid the mask begins; it may be smaller, and around it nothing is set.

    Raises
    ------
    ParameterError
        When a label exceeds 127 or the position is not whole.
    WriteError
        When the file cannot be written.
    """
    highest = int(mask.max())
    if highest > 127:
        raise ParameterError(f"{path}: an AIM mask holds labels up to 127, not {highest}")
    several = highest > 1 and any(np.any((s != 0) & (s != highest)) for s in mask)
    if not several:
        kind, data = BINARY, aim_runs.encode(mask, grid.shape, corner)
    else:
        whole = np.zeros(grid.shape, np.int8)
        whole[tuple(slice(c, c + n) for c, n in zip(corner, mask.shape, strict=True))] = mask
        kind, data = CHAR, whole.data
    _write(path, kind, grid, log or {}, data)


def write_aim_scan(path: str | Path, scan: Scan) -> None:
    """Write a scan of native int16 voxels as AIM of type short.

    Its log is the scan's, without what names the patient, and a line that says who wrote it; the
    frame and the other extents of an AIM that it came from are kept.

    Raises
    ------
    ParameterError
        When the voxels are not 16-bit whole numbers in native units, or the position is not whole.
    WriteError
        When the file cannot be written.
    """
    kind = np.asarray(scan.voxels[:0]).dtype
    if scan.unit != "native" or not np.can_cast(kind, np.int16):
        raise ParameterError(
            f"{path}: an AIM holds native 16-bit values, not {scan.unit} of {kind}; save as .mha"
        )
    data = np.ascontiguousarray(scan.voxels, "<i2").data
    _write(path, SHORT, scan.grid, signed(log_of(scan)), data, _extents_of(scan))


def _extents_of(scan: Scan) -> _Extents:
    shown = {name: scan.header.get(EXTENT_KEY.format(name)) for name in EXTENTS}
    return {name: tuple(map(int, text.split()))[::-1] for name, text in shown.items() if text}


def _write(
    path: str | Path,
    kind: int,
    grid: Grid,
    log: Mapping[str, object],
    data: bytes | memoryview,
    extents: _Extents | None = None,
) -> None:
    """Header and voxels; version 020, or 030 when there is more than 020 can count."""
    _check_position(path, grid)
    stored_log = format_log(log).encode("latin-1", "replace") + b"\0"
    size = memoryview(data).nbytes
    layout = V020 if size + len(stored_log) < _LARGEST_V020 else V030
    own_length = b""
    if kind == BINARY:
        size += struct.calcsize(layout.integer)
        own_length = struct.pack("<" + layout.integer, size)
    head = _fill(layout, kind, grid, (len(stored_log), size), extents or {})
    with written_whole(path) as temporary, open(temporary, "wb") as file:
        for part in (head, stored_log, own_length, data):
            file.write(part)


def _check_position(path: str | Path, grid: Grid) -> None:
    if not all(isinstance(p, int) for p in grid.position):
        raise ParameterError(
            f"{path}: an AIM needs a position in whole voxels, not {grid.position}; "
            "save as .nii.gz or .mha instead"
        )
    if any(abs(p) >= 2**31 for p in grid.position):
        raise ParameterError(f"{path}: position {grid.position} is beyond what an AIM can hold")


def _fill(
    layout: Layout, kind: int, grid: Grid, lengths: tuple[int, int], extents: _Extents
) -> bytes:
    """The header; ``lengths`` are those of the log and of the voxels, in bytes."""
    head = bytearray(layout.log)
    if layout is V030:
        head[0:16] = MAGIC_030
        struct.pack_into("<i", head, 56, 24)  # version of the structure; 16 in version 020
        first = (40, 224)
        nm = [round(s * 1e6) for s in grid.spacing_mm[::-1]]
        struct.pack_into("<3q", head, layout.element, *nm)
    else:
        first = (20, 140)
        struct.pack_into("<i", head, 20, 16)
        for i, s in enumerate(grid.spacing_mm[::-1]):
            head[layout.element + 4 * i : layout.element + 4 * i + 4] = vax.encode_f(s)
    numbers = {layout.lengths: (*first, *lengths, 0)}
    numbers |= {layout.position: grid.position[::-1], layout.dim: grid.shape[::-1]}
    numbers |= {getattr(layout, name): extent[::-1] for name, extent in extents.items()}
    for offset, values in numbers.items():
        struct.pack_into(f"<{len(values)}{layout.integer}", head, offset, *values)
    struct.pack_into("<i", head, layout.type, kind)
    return bytes(head)
