"""AIM: the scanner's processed images and masks, versions 020 and 030.

`_Layout` holds the offsets of both versions. Uncompressed voxels are memory-mapped; binary
compressed masks are decoded in one step (`aim_runs`). Checked against aimio-py and itk-ioscanco.
"""

import math
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..calibration import Calibration
from ..errors import FileFormatError, ParameterError
from ..grid import Grid
from ..scan import Scan
from . import aim_runs, vax
from .aim_log import calibration_entries, calibration_of, format_log, parse_log
from .atomic import written_whole

MAGIC_030 = b"AIMDATA_V030   \0"
CHAR, SHORT, BINARY = 0x10001, 0x20002, 0x150001
_MAPPED = {CHAR: np.dtype("i1"), SHORT: np.dtype("<i2")}
_OTHER_TYPES = {
    0x30004: "int",
    0x40004: "VAX float",
    0x1A0004: "IEEE float",
    0x80002: "char compressed",
    0x60001: "packed bits",
}
_LONGEST_LOG = 1 << 26  # bytes; real ones have a few thousand
_LARGEST_V020 = 2**31 - 1024  # bytes; beyond, its numbers overflow


class _Layout(NamedTuple):
    """Byte offsets of one version of the format; ``integer`` is the struct code of its numbers."""

    integer: str
    lengths: int
    type: int
    position: int
    dim: int
    offset: int
    element: int
    log: int


_V020 = _Layout("i", 0, 40, 44, 56, 68, 128, 160)
_V030 = _Layout("q", 16, 68, 72, 96, 120, 240, 280)


@dataclass(frozen=True)
class AimHeader:
    """What an AIM says before its voxels; every size has been checked against the file."""

    type: int
    grid: Grid
    frame: tuple[int, int, int]
    log: str
    data_start: int
    data_length: int
    layout: _Layout


def read_header(path: str | Path) -> AimHeader:
    """Read and check the header of an AIM.

    Raises
    ------
    FileFormatError
        When the file is no AIM of version 020 or 030, is truncated, or is impossible.
    """
    path = Path(path)
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(_V030.log)
        layout = _layout(path, head)
        _, _, log_length, data_length, _ = _numbers(head, layout, layout.lengths, 5)
        data_start = layout.log + log_length
        if not 0 <= log_length <= _LONGEST_LOG or data_length < 0:
            raise FileFormatError(f"{path}: impossible lengths in the header: damaged file")
        if data_start + data_length > size:
            raise FileFormatError(
                f"{path}: truncated: {size} bytes, but the header asks for "
                f"{data_start + data_length}; copy the file again"
            )
        file.seek(layout.log)
        log = file.read(log_length).split(b"\0")[0].decode("latin-1")
    return AimHeader(
        struct.unpack_from("<i", head, layout.type)[0],
        _grid(path, head, layout),
        _numbers(head, layout, layout.offset, 3)[::-1],
        log,
        data_start,
        data_length,
        layout,
    )


def read_voxels(path: str | Path, header: AimHeader) -> np.ndarray:
    """The voxels (z, y, x): a read-only map when stored plainly, else a decoded array."""
    path, shape = Path(path), header.grid.shape
    if header.type in _MAPPED:
        dtype = _MAPPED[header.type]
        if header.data_length != math.prod(shape) * dtype.itemsize:
            raise FileFormatError(
                f"{path}: {header.data_length} bytes of voxels do not fit {shape} (z, y, x) of "
                f"{dtype}: damaged file"
            )
        return np.memmap(path, dtype=dtype, mode="r", offset=header.data_start, shape=shape)
    if header.type == BINARY:
        return _decode_binary(path, header)
    kind = _OTHER_TYPES.get(header.type, f"type 0x{header.type & 0xFFFFFFFF:x}")
    raise FileFormatError(
        f"{path}: an AIM of {kind} cannot be read yet; convert it to short or char on the scanner"
    )


def read_aim(path: str | Path) -> Scan:
    """Open an AIM as a scan in native units; see `Scan`."""
    header = read_header(path)
    entries = parse_log(header.log)
    return Scan(
        read_voxels(path, header),
        "native",
        header.grid,
        calibration_of(entries),
        dict(entries),
        Path(path),
        "AIM",
        side_reason="the processing log does not name the side in words",
    )


def write_aim_mask(
    path: str | Path, mask: np.ndarray, grid: Grid, log: dict[str, object] | None = None
) -> None:
    """Write a mask as AIM: binary-compressed when it holds one label, else as char.

    Parameters
    ----------
    path : path
    mask : array of bool or uint8, shape (z, y, x)
        Labels up to 127; a single label is written as the scanner's 127.
    grid : Grid
        Its position must be whole numbers.
    log : dict
        Entries of the processing log.

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
    single = not any(np.any((section != 0) & (section != highest)) for section in mask)
    if single:
        kind, data = BINARY, aim_runs.encode(mask)
    else:
        kind, data = CHAR, np.ascontiguousarray(mask, np.int8).tobytes()
    _write(path, kind, grid, log or {}, data)


def write_aim_scan(path: str | Path, scan: Scan) -> None:
    """Write a scan of native int16 voxels as AIM of type short; no patient's name in its log."""
    data = np.ascontiguousarray(scan.voxels, "<i2").data
    entries = scan.public_header() | calibration_entries(scan.calibration or Calibration())
    _write(path, SHORT, scan.grid, entries, data)


def _layout(path: Path, head: bytes) -> _Layout:
    if head.startswith(MAGIC_030):
        layout = _V030
    elif len(head) >= 24 and struct.unpack_from("<i4xi", head)[0] == 20 and _int32(head, 20) == 16:
        layout = _V020
    else:
        raise FileFormatError(f"{path}: not an AIM file of version 020 or 030")
    if len(head) < layout.log:
        raise FileFormatError(f"{path}: truncated within the header; copy the file again")
    return layout


def _grid(path: Path, head: bytes, layout: _Layout) -> Grid:
    dims = _numbers(head, layout, layout.dim, 3)
    if layout is _V030:
        spacing = [nm / 1e6 for nm in struct.unpack_from("<3q", head, layout.element)]
    else:
        spacing = [vax.decode_f(head[layout.element + i :][:4]) for i in (0, 4, 8)]
    if min(dims) < 1 or not all(math.isfinite(s) and 1e-6 < s < 1e3 for s in spacing):
        raise FileFormatError(
            f"{path}: the header describes {dims} voxels of {spacing} mm: damaged file"
        )
    return Grid(dims[::-1], tuple(spacing[::-1]), _numbers(head, layout, layout.position, 3)[::-1])


def _decode_binary(path: Path, header: AimHeader) -> np.ndarray:
    """The voxels of a stream that begins with its own length."""
    with open(path, "rb") as file:
        file.seek(header.data_start)
        data = file.read(header.data_length)
    own = struct.calcsize(header.layout.integer)
    length = _numbers(data, header.layout, 0, 1)[0] if len(data) >= own else -1
    if not own <= length <= len(data):
        raise FileFormatError(f"{path}: its compressed voxels are cut short: damaged file")
    try:
        return aim_runs.decode(data[own:length], header.grid.shape, header.frame)
    except ValueError as error:
        raise FileFormatError(f"{path}: {error}: damaged file") from None


def _write(path, kind: int, grid: Grid, entries: dict, data: bytes | memoryview) -> None:
    """Header and voxels; version 020, or 030 when there is more than 020 can count."""
    if not all(isinstance(p, int) for p in grid.position):
        raise ParameterError(
            f"{path}: an AIM needs a position in whole voxels, not {grid.position}; "
            "save as .nii.gz or .mha instead"
        )
    if any(abs(p) >= 2**31 for p in grid.position):
        raise ParameterError(f"{path}: position {grid.position} is beyond what an AIM can hold")
    log = format_log(entries).encode("latin-1", "replace") + b"\0"
    size = memoryview(data).nbytes
    layout = _V020 if size + len(log) < _LARGEST_V020 else _V030
    own_length = b""
    if kind == BINARY:
        size += struct.calcsize(layout.integer)
        own_length = struct.pack("<" + layout.integer, size)
    head = _fill(layout, kind, grid, len(log), size)
    with written_whole(path) as temporary, open(temporary, "wb") as file:
        for part in (head, log, own_length, data):
            file.write(part)


def _fill(layout: _Layout, kind: int, grid: Grid, log_length: int, data_length: int) -> bytes:
    head = bytearray(layout.log)
    if layout is _V030:
        head[0:16] = MAGIC_030
        struct.pack_into("<i", head, 56, 24)  # version of the structure; 16 in version 020
        lengths = (40, 224, log_length, data_length, 0)
        nm = [round(s * 1e6) for s in grid.spacing_mm[::-1]]
        struct.pack_into("<3q", head, layout.element, *nm)
    else:
        lengths = (20, 140, log_length, data_length, 0)
        struct.pack_into("<i", head, 20, 16)
        for i, s in enumerate(grid.spacing_mm[::-1]):
            head[layout.element + 4 * i : layout.element + 4 * i + 4] = vax.encode_f(s)
    for offset, numbers in (
        (layout.lengths, lengths),
        (layout.position, grid.position[::-1]),
        (layout.dim, grid.shape[::-1]),
    ):
        struct.pack_into(f"<{len(numbers)}{layout.integer}", head, offset, *numbers)
    struct.pack_into("<i", head, layout.type, kind)
    return bytes(head)


def _numbers(head: bytes, layout: _Layout, offset: int, count: int) -> tuple[int, ...]:
    return struct.unpack_from(f"<{count}{layout.integer}", head, offset)


def _int32(head: bytes, offset: int) -> int:
    return struct.unpack_from("<i", head, offset)[0]
