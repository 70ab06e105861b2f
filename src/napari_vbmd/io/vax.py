"""VAX floating point, in which the scanner's OpenVMS writes its headers.

A VAX F float is an IEEE single with its 16-bit halves swapped and four times the value; a VAX G
float is an IEEE double with its four 16-bit words reversed and four times the value.
"""

import struct


def decode_f(data: bytes) -> float:
    """The number in four bytes of VAX F float."""
    return struct.unpack("<f", data[2:4] + data[0:2])[0] / 4


def encode_f(value: float) -> bytes:
    """Four bytes of VAX F float."""
    data = struct.pack("<f", value * 4)
    return data[2:4] + data[0:2]


def decode_g(data: bytes) -> float:
    """The number in eight bytes of VAX G float."""
    return struct.unpack("<d", data[6:8] + data[4:6] + data[2:4] + data[0:2])[0] / 4


def encode_g(value: float) -> bytes:
    """Eight bytes of VAX G float."""
    data = struct.pack("<d", value * 4)
    return data[6:8] + data[4:6] + data[2:4] + data[0:2]
