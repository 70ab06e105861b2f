"""VAX floating point, in which the scanner's OpenVMS writes its headers.

A VAX F float is an IEEE single with its 16-bit halves swapped and four times the value; a VAX G
float is an IEEE double with its four 16-bit words reversed and four times the value.
"""

import struct

import numpy as np

_EXPONENT, _TWO = 0xFF << 23, 2 << 23  # of an IEEE single: its bits, and a factor of four in them


def decode_f(data: bytes) -> float:
    """The number in four bytes of VAX F float."""
    return struct.unpack("<f", data[2:4] + data[0:2])[0] / 4


def encode_f(value: float) -> bytes:
    """Four bytes of VAX F float."""
    data = struct.pack("<f", value * 4)
    return data[2:4] + data[0:2]


def decode_f_array(data: np.ndarray) -> np.ndarray:
    """VAX F floats, every one of them exactly as far as an IEEE single can hold it.

    Parameters
    ----------
    data : ndarray of uint8, shape (4 * n,)

    Returns
    -------
    ndarray of float32, shape (n,)
        The largest VAX numbers have the bit pattern of an IEEE infinity and are still finite; an
        exponent of zero is zero, whatever the rest.
    """
    halves = data.view("<u2").reshape(-1, 2)
    bits = halves[:, 0].astype(np.uint32) << 16 | halves[:, 1]
    exponent = bits & _EXPONENT
    bits -= np.where(exponent > _TWO, _TWO, 0).astype(np.uint32)
    values = bits.view(np.float32)
    small = (exponent <= _TWO) & (exponent > 0)  # below IEEE's normal numbers
    values[small] /= 4
    values[exponent == 0] = 0
    return values


def decode_g(data: bytes) -> float:
    """The number in eight bytes of VAX G float."""
    return struct.unpack("<d", data[6:8] + data[4:6] + data[2:4] + data[0:2])[0] / 4


def encode_g(value: float) -> bytes:
    """Eight bytes of VAX G float."""
    data = struct.pack("<d", value * 4)
    return data[6:8] + data[4:6] + data[2:4] + data[0:2]
