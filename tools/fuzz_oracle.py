"""What a file's header describes, worked out again the slow way, for what was read."""

import gzip
import struct
from pathlib import Path

import numpy as np

_PLAIN = {0x10001: "i1", 0x20002: "<i2", 0x30004: "<i4", 0x1A0004: "<f4", 0x160001: "u1"}
_PLAIN[0x170002] = "<u2"
_MOST_DEFLATED = 1032  # bytes that one compressed byte can hold


def check(kind: str, path: Path, scan) -> str:
    """What is wrong with the scan that was read; empty when nothing is."""
    voxels = np.asarray(scan.voxels)
    if voxels.shape != scan.grid.shape or min(voxels.shape) < 1:
        return f"shape {voxels.shape}, grid {scan.grid.shape}"
    data = path.read_bytes()
    if kind == "ISQ":
        return _differ(voxels, _isq(data))
    if kind == "AIM":
        return _differ(voxels, _aim(data))
    return _too_much(kind, path, data, voxels)


def _isq(data: bytes) -> np.ndarray:
    x, y, z = struct.unpack_from("<3i", data, 44)
    start = 512 * (struct.unpack_from("<i", data, 508)[0] + 1)
    return np.frombuffer(data, "<i2", x * y * z, start).reshape(z, y, x)


def _aim(data: bytes) -> np.ndarray:
    new = data.startswith(b"AIMDATA_V030")
    code, lengths, type_, dim, off, log = (
        ("q", 16, 68, 96, 120, 280) if new else ("i", 0, 40, 56, 68, 160)
    )
    _, _, log_length, length, _ = struct.unpack_from(f"<5{code}", data, lengths)
    kind = struct.unpack_from("<i", data, type_)[0]
    shape = struct.unpack_from(f"<3{code}", data, dim)[::-1]
    frame = struct.unpack_from(f"<3{code}", data, off)[::-1]
    body = data[log + log_length :][:length]
    if kind in _PLAIN:
        return np.frombuffer(body, _PLAIN[kind]).reshape(shape)
    if kind == 0x40004:
        return np.array([_vax(body[i : i + 4]) for i in range(0, len(body), 4)]).reshape(shape)
    if kind == 0x60001:
        return _bits(body, shape)
    own = struct.calcsize(code)
    stream = body[own : struct.unpack_from(f"<{code}", body)[0]]
    flat = _binary(stream) if kind == 0x150001 else _pairs(stream)
    inner = [n - 2 * f for n, f in zip(shape, frame, strict=True)]
    return np.pad(np.array(flat, np.int8).reshape(inner), [(f, f) for f in frame])


def _binary(stream: bytes) -> list[int]:
    values, which, flat = np.frombuffer(stream, np.int8, 2).tolist(), 0, []
    for code in stream[2:]:
        flat += [values[which]] * min(code, 254)
        which ^= code != 255
    return flat


def _pairs(stream: bytes) -> list[int]:
    flat = []
    for value, length in struct.iter_unpack("bB", stream):
        flat += [value] * length
    return flat


def _bits(body: bytes, shape) -> np.ndarray:
    _, ny, nx = (-(-n // 2) for n in shape)
    voxels, value = np.zeros(shape, np.int8), np.frombuffer(body, np.int8)[-1] or 127
    for z, y, x in np.ndindex(*shape):
        byte = body[(z // 2 * ny + y // 2) * nx + x // 2]
        voxels[z, y, x] = value * (byte >> (4 * (z % 2) + 2 * (y % 2) + x % 2) & 1)
    return voxels


def _vax(data: bytes) -> float:
    """By the definition: sign, exponent less 128, a fraction whose first bit is not stored."""
    bits = data[1] << 24 | data[0] << 16 | data[3] << 8 | data[2]
    sign, exponent, fraction = bits >> 31, bits >> 23 & 0xFF, bits & 0x7FFFFF
    if exponent == 0:
        return 0.0
    return (-1) ** sign * (0.5 + fraction / 2**24) * 2.0 ** (exponent - 128)


def _differ(voxels: np.ndarray, expected: np.ndarray) -> str:
    if voxels.shape != expected.shape:
        return f"shape {voxels.shape} instead of {expected.shape}"
    same = voxels == expected.astype(voxels.dtype)
    if voxels.dtype.kind == "f":
        same |= np.isnan(voxels) & np.isnan(expected)
    return "" if same.all() else f"{(~same).sum()} voxels differ"


def _too_much(kind: str, path: Path, data: bytes, voxels: np.ndarray) -> str:
    """More voxels than the bytes can hold, at one byte each: rescaling makes them wider."""
    if kind == "DICOM":
        held = sum(file.stat().st_size for file in path.parent.iterdir())
    elif data[:2] == b"\x1f\x8b":
        held = len(gzip.decompress(data))
    else:
        held = len(data) * (1 if kind == "NIfTI" else _MOST_DEFLATED)
    return f"{voxels.size} voxels from {held} bytes" if voxels.size > held else ""
