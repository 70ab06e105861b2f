"""The voxels of an AIM by type: mapped when stored plainly, else decoded.

Nothing is allocated before the bytes that are there were compared with what the header describes.
"""

import math
import struct
from pathlib import Path

import numpy as np

from ..errors import FileFormatError
from . import aim_runs, vax
from .aim_header import AimHeader

CHAR, SHORT, BINARY = 0x10001, 0x20002, 0x150001
VAX_FLOAT, CHAR_COMPRESSED, PACKED_BITS = 0x40004, 0x80002, 0x60001
MASK_TYPES = (CHAR, BINARY, CHAR_COMPRESSED, PACKED_BITS)
MAPPED = {
    CHAR: np.dtype("i1"),
    SHORT: np.dtype("<i2"),
    0x30004: np.dtype("<i4"),
    0x1A0004: np.dtype("<f4"),
    0x160001: np.dtype("u1"),
    0x170002: np.dtype("<u2"),
}
TYPE_NAMES = {
    CHAR: "char",
    SHORT: "short",
    0x30004: "int",
    VAX_FLOAT: "VAX float",
    0x1A0004: "IEEE float",
    BINARY: "binary compressed",
    CHAR_COMPRESSED: "char compressed",
    PACKED_BITS: "packed bits",
    0x160001: "unsigned char",
    0x170002: "unsigned short",
}
_SCANNER_VALUE = 127


def type_name(kind: int) -> str:
    """What a type is called; its number where nobody has told us."""
    return TYPE_NAMES.get(kind, f"type 0x{kind & 0xFFFFFFFF:x}")


def read_voxels(path: str | Path, header: AimHeader) -> np.ndarray:
    """The voxels (z, y, x): a read-only map when stored plainly, else a decoded array.

    Raises
    ------
    FileFormatError
        When the type is not known, or the bytes do not fit what the header describes.
    """
    path, shape = Path(path), header.grid.shape
    if header.type in MAPPED:
        dtype = MAPPED[header.type]
        _check_length(path, header, math.prod(shape) * dtype.itemsize)
        return np.memmap(path, dtype=dtype, mode="r", offset=header.data_start, shape=shape)
    decode = _DECODERS.get(header.type)
    if decode is None:
        raise FileFormatError(
            f"{path}: an AIM of {type_name(header.type)} cannot be read; convert it to short or "
            "char on the scanner"
        )
    try:
        return decode(path, header)
    except ValueError as error:
        message = str(error).removeprefix(f"{path}: ")
        raise FileFormatError(f"{path}: {message}: damaged file") from None


def _binary(path: Path, header: AimHeader) -> np.ndarray:
    runs = aim_runs.binary_runs(_stream(path, header))
    return aim_runs.within_frame(*runs, header.grid.shape, header.frame)


def _chars(path: Path, header: AimHeader) -> np.ndarray:
    runs = aim_runs.char_runs(_stream(path, header))
    return aim_runs.within_frame(*runs, header.grid.shape, header.frame)


def _vax_floats(path: Path, header: AimHeader) -> np.ndarray:
    shape = header.grid.shape
    _check_length(path, header, 4 * math.prod(shape))
    stored = np.memmap(path, "u1", "r", header.data_start, header.data_length)
    voxels = np.empty(shape, np.float32)
    for z, section in enumerate(stored.reshape(shape[0], -1)):
        voxels[z] = vax.decode_f_array(section).reshape(shape[1:])
    return voxels


def _packed_bits(path: Path, header: AimHeader) -> np.ndarray:
    """One byte for 2 x 2 x 2 voxels, x fastest; behind them, the value of a set bit (0: 127)."""
    halves = tuple(-(-n // 2) for n in header.grid.shape)
    _check_length(path, header, math.prod(halves) + 1)
    stored = np.memmap(path, "u1", "r", header.data_start, header.data_length)
    value = int(stored[-1:].view(np.int8)[0]) or _SCANNER_VALUE
    voxels = np.empty(tuple(2 * n for n in halves), np.int8)
    for bit, (z, y, x) in enumerate(np.ndindex(2, 2, 2)):
        corner = (stored[:-1].reshape(halves) >> bit) & 1
        voxels[z::2, y::2, x::2] = np.where(corner, value, 0)
    return voxels[tuple(slice(n) for n in header.grid.shape)]


def _stream(path: Path, header: AimHeader) -> bytes:
    """A compressed stream without its own length, with which it begins."""
    with open(path, "rb") as file:
        file.seek(header.data_start)
        data = file.read(header.data_length)
    code = f"<{header.layout.integer}"
    own = struct.calcsize(code)
    length = struct.unpack_from(code, data)[0] if len(data) >= own else -1
    if not own <= length <= len(data):
        raise ValueError("its compressed voxels are cut short")
    return data[own:length]


def _check_length(path: Path, header: AimHeader, expected: int) -> None:
    if header.data_length != expected:
        raise FileFormatError(
            f"{path}: {header.data_length} bytes of voxels do not fit {header.grid.shape} "
            f"(z, y, x) of {type_name(header.type)}, which are {expected}: damaged file"
        )


_DECODERS = {
    BINARY: _binary,
    CHAR_COMPRESSED: _chars,
    VAX_FLOAT: _vax_floats,
    PACKED_BITS: _packed_bits,
}
