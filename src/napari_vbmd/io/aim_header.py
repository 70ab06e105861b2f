"""What an AIM says before its voxels, versions 020 and 030, checked against the file's size.

Bytes, little-endian. 020: five int32 lengths at 0 (20, 140, log, voxels, associated data), then
the structure: version 16 at 20, type 40, and int32[3] position 44, dim 56, offset 68, supdim 80,
suppos 92, subdim 104, testoff 116, then the element size at 128 as three VAX F floats [mm]; the
log begins at 160. 030: a magic of 16 bytes, five int64 lengths at 16, version 24 at 56, type int32
at 68, int64[3] from 72 on in the same order, element size at 240 [nm]; the log begins at 280.

Source: AimIO's structures (MIT), checked against aimio-py, itk-ioscanco and a real file.
"""

import math
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..errors import FileFormatError
from ..grid import Grid
from . import vax

MAGIC = b"AIMDATA_V"
MAGIC_030 = b"AIMDATA_V030   \0"
_LONGEST_LOG = 1 << 26  # bytes; real ones have a few thousand
_OLDER = {(20, 92): "010", (16, 92): "010", (20, 96): "011", (16, 96): "011"}


class Layout(NamedTuple):
    """Byte offsets of one version of the format; ``integer`` is the struct code of its numbers."""

    version: str
    integer: str
    lengths: int
    type: int
    position: int
    dim: int
    offset: int
    supdim: int
    suppos: int
    subdim: int
    testoff: int
    element: int
    log: int


V020 = Layout("020", "i", 0, 40, 44, 56, 68, 80, 92, 104, 116, 128, 160)
V030 = Layout("030", "q", 16, 68, 72, 96, 120, 144, 168, 192, 216, 240, 280)
EXTENTS = ("offset", "supdim", "suppos", "subdim", "testoff")  # kept, and written back


@dataclass(frozen=True)
class AimHeader:
    """What an AIM says before its voxels.

    Parameters
    ----------
    type : int
        How the voxels are stored: see `aim_voxels`.
    grid : Grid
    log : bytes
        The processing log exactly as stored; it may name the patient.
    data_start, data_length, associated_length : int
        Bytes of the voxels, and of the block behind them.
    layout : Layout
    extents : dict of str to tuple of int
        ``offset`` (the frame), ``supdim``, ``suppos``, ``subdim``, ``testoff``; each z, y, x.
    """

    type: int
    grid: Grid
    log: bytes
    data_start: int
    data_length: int
    associated_length: int
    layout: Layout
    extents: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    @property
    def frame(self) -> tuple[int, int, int]:
        """Width of the frame on both sides of each axis, along z, y, x."""
        return self.extents["offset"]


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
        head = file.read(V030.log)
        layout = _layout(path, head)
        own, structure, log_length, data_length, more = _numbers(head, layout, layout.lengths, 5)
        data_start = layout.log + log_length
        if (
            layout.lengths + own + structure != layout.log
            or not 0 <= log_length <= _LONGEST_LOG
            or min(data_length, more) < 0
        ):
            raise FileFormatError(f"{path}: impossible lengths in the header: damaged file")
        if data_start + data_length > size:
            raise FileFormatError(
                f"{path}: truncated: {size} bytes, but the header asks for "
                f"{data_start + data_length}; copy the file again"
            )
        file.seek(layout.log)
        log = file.read(log_length)
    return AimHeader(
        struct.unpack_from("<i", head, layout.type)[0],
        _grid(path, head, layout),
        log,
        data_start,
        data_length,
        more,
        layout,
        {n: _numbers(head, layout, getattr(layout, n), 3)[::-1] for n in EXTENTS},
    )


def _layout(path: Path, head: bytes) -> Layout:
    if head.startswith(MAGIC_030):
        layout = V030
    elif head.startswith(MAGIC):
        name = "".join(c for c in head[9:15].decode("latin-1") if c.isprintable()).strip()
        raise FileFormatError(
            f"{path}: not an AIM of version 020 or 030 but {name or 'without one'}: damaged, or "
            "newer than this software; write it again as version 020 on the scanner"
        )
    elif len(head) < 24:
        raise FileFormatError(f"{path}: not an AIM file: it has {len(head)} bytes only")
    elif (older := _OLDER.get(struct.unpack_from("<2i", head))) is not None:
        raise FileFormatError(
            f"{path}: an AIM of version {older} cannot be read; write it again as version 020 on "
            "the scanner (read, then write -version_020 true)"
        )
    elif struct.unpack_from("<2i", head) == (20, 140) and head[20:24] == b"\x10\0\0\0":
        layout = V020
    else:
        raise FileFormatError(f"{path}: not an AIM file of version 020 or 030")
    if len(head) < layout.log:
        raise FileFormatError(f"{path}: truncated within the header; copy the file again")
    return layout


def _grid(path: Path, head: bytes, layout: Layout) -> Grid:
    dims = _numbers(head, layout, layout.dim, 3)
    if layout is V030:
        spacing = [nm / 1e6 for nm in struct.unpack_from("<3q", head, layout.element)]
    else:
        spacing = [vax.decode_f(head[layout.element + i :][:4]) for i in (0, 4, 8)]
    if min(dims) < 1 or not all(math.isfinite(s) and 1e-6 < s < 1e3 for s in spacing):
        raise FileFormatError(
            f"{path}: the header describes {dims} voxels of {spacing} mm: damaged file"
        )
    return Grid(dims[::-1], tuple(spacing[::-1]), _numbers(head, layout, layout.position, 3)[::-1])


def _numbers(head: bytes, layout: Layout, offset: int, count: int) -> tuple[int, ...]:
    return struct.unpack_from(f"<{count}{layout.integer}", head, offset)
