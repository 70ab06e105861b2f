"""Ways to break a file: numbers of its header, flipped bits, missing, doubled and foreign bytes."""

import gzip
import random
import re
import struct

_WHOLE = (0, 1, -1, 2, 3, 7, 127, 128, 255, 256, 511, 512, 32767, -32768, 65536, 1 << 20)
_INTEGERS = (*_WHOLE, (1 << 31) - 1, -(1 << 31), 1 << 30, 1 << 40, 1 << 62, (1 << 63) - 1)
_FLOATS = (0.0, -0.0, 1.0, -1.0, float("nan"), float("inf"), float("-inf"), 1e30, 1e-30, 1e300)
_WORDS = (b"0", b"-1", b"1", b"nan", b"inf", b"1e99", b"99999999999999999999", b"", b" ", b"\0")
_HEAD = 600  # bytes in which most of the numbers are


def mutated(data: bytes, rng: random.Random, text: bool) -> bytes:
    """One to four changes; ``text`` for formats whose header is lines of words."""
    if data[:2] == b"\x1f\x8b" and rng.random() < 0.8:  # break what is within, not the wrapping
        return gzip.compress(mutated(gzip.decompress(data), rng, text), 1)
    ways = _TEXT_WAYS if text and rng.random() < 0.7 else _BINARY_WAYS
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice(ways)(data, rng)
    return data


def _integer(data: bytes, rng: random.Random) -> bytes:
    code = rng.choice("bhiiiqq")
    low, high = -(1 << (8 * struct.calcsize(code) - 1)), (1 << (8 * struct.calcsize(code) - 1)) - 1
    value = rng.choice((*_INTEGERS, rng.randint(low, high), rng.randint(-9, 999)))
    return _put(data, rng, struct.pack(f"<{code}", max(low, min(high, value))))


def _nudge(data: bytes, rng: random.Random) -> bytes:
    """A number a little larger or smaller than it was."""
    at = _place(data, rng, 4)
    if len(data) < at + 4:
        return data
    value = struct.unpack_from("<i", data, at)[0] + rng.choice((-2, -1, 1, 2, 256, -256))
    return data[:at] + struct.pack("<i", value & 0x7FFFFFFF) + data[at + 4 :]


def _float(data: bytes, rng: random.Random) -> bytes:
    value = rng.choice(_FLOATS)
    if rng.random() < 0.5 and abs(value) != 1e300:
        return _put(data, rng, struct.pack("<f", value))
    return _put(data, rng, struct.pack("<d", value))


def _flip(data: bytes, rng: random.Random) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 16))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _truncate(data: bytes, rng: random.Random) -> bytes:
    return (
        data[: rng.randrange(len(data) + 1)] if rng.random() < 0.5 else data[: -rng.choice((1, 2))]
    )


def _grow(data: bytes, rng: random.Random) -> bytes:
    return data + rng.randbytes(rng.choice((1, 2, 512)))


def _cut_out(data: bytes, rng: random.Random) -> bytes:
    at = _place(data, rng, 1)
    return data[:at] + data[at + rng.choice((1, 2, 4, 8, 128)) :]


def _put_in(data: bytes, rng: random.Random) -> bytes:
    at = _place(data, rng, 1)
    return data[:at] + rng.randbytes(rng.choice((1, 2, 4, 8, 128))) + data[at:]


def _copy_over(data: bytes, rng: random.Random) -> bytes:
    at, size = _place(data, rng, 8), rng.choice((4, 8, 64))
    return _put(data, rng, data[at : at + size])


def _word(data: bytes, rng: random.Random) -> bytes:
    words = list(re.finditer(rb"[-\w.]+", data[:_HEAD]))
    if not words:
        return data
    match = rng.choice(words)
    other = rng.choice((*_WORDS, rng.choice(words)[0], match[0] * 3))
    return data[: match.start()] + other + data[match.end() :]


def _line(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n", 20)
    at = rng.randrange(len(lines))
    change = rng.random()
    if change < 0.4:
        del lines[at]
    elif change < 0.7:
        lines.insert(rng.randrange(len(lines)), lines[at])
    else:
        other = rng.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    return b"\n".join(lines)


def _put(data: bytes, rng: random.Random, value: bytes) -> bytes:
    at = _place(data, rng, len(value))
    return data[:at] + value + data[at + len(value) :]


def _place(data: bytes, rng: random.Random, size: int) -> int:
    """Somewhere, mostly in the header and mostly where a number begins."""
    end = max(1, len(data) - size)
    at = rng.randrange(min(end, _HEAD) if rng.random() < 0.85 else end)
    return at // 4 * 4 if rng.random() < 0.8 else at


_BINARY_WAYS = (
    *(_integer,) * 4,
    *(_nudge,) * 3,
    _float,
    *(_flip,) * 2,
    _truncate,
    _grow,
    _cut_out,
    _put_in,
    _copy_over,
)
_TEXT_WAYS = (*(_word,) * 4, *(_line,) * 2)
