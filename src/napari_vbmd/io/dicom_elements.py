"""Whether a DICOM file is whole, and a few of its elements, before a library takes it.

GDCM sets aside what a broken element claims, gigabytes at times, does not give it back, and may
crash; so every length is compared with the file first. Nothing but heads of elements is looked at:
the file is mapped.
"""

import math
import mmap
import struct
from pathlib import Path

from ..errors import FileFormatError

_UNDEFINED = 0xFFFFFFFF
_LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
_ITEM, _ITEM_ENDS, _SEQUENCE_ENDS = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
_SYNTAX, _PIXELS = (0x0002, 0x0010), (0x7FE0, 0x0010)
_SERIES, _POSITION, _AXES = (0x0020, 0x000E), (0x0020, 0x0032), (0x0020, 0x0037)
_SHAPE = {(0x28, 0x10): 1, (0x28, 0x11): 1, (0x28, 0x02): 1, (0x28, 0x100): 16, (0x28, 0x08): 1}
_KEPT = {_SERIES, _POSITION, _AXES, *_SHAPE}
_IMPLICIT, _DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99"
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_PLAIN = (_IMPLICIT, "1.2.840.10008.1.2.1", _BIG_ENDIAN)  # pixels as they are
_MOST_PACKED = 1 << 16  # bytes that one byte of packed pixels can hold: a slice of air packs well
_DEEPEST = 16  # sequences within sequences


class Slice:
    """One DICOM file, checked.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    series : str
        UID of the series.

    Raises
    ------
    FileFormatError
        When an element does not end within the file, or the pixels do not fit their size.
    """

    def __init__(self, path: Path):
        self.path = path
        if not path.stat().st_size:
            raise FileFormatError(
                f"{path.parent}: its DICOM file {path.name} is an empty file; copy the series again"
            )
        try:
            with (
                open(path, "rb") as file,
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
            ):
                walk = _Walk(data)
                walk.file()
        except (ValueError, struct.error):
            raise FileFormatError(
                f"{path.parent}: its DICOM file {path.name} cannot be read: damaged, cut short, "
                "packed as a whole, or no image; take it away, or export the series again"
            ) from None
        self._values = walk.values
        self.series = self._text(_SERIES)

    @property
    def height_mm(self) -> float:
        """How far along the stack it lies; nan where the file does not say."""
        position, axes = self._numbers(_POSITION), self._numbers(_AXES)
        if len(position) != 3 or len(axes) != 6:
            return math.nan
        (a, b, c), (d, e, f) = axes[:3], axes[3:]
        normal = b * f - c * e, c * d - a * f, a * e - b * d
        return sum(n * p for n, p in zip(normal, position, strict=True))

    def _text(self, tag) -> str:
        return self._values.get(tag, b"").decode("latin-1").strip(" \0")

    def _numbers(self, tag) -> list[float]:
        try:
            return [float(word) for word in self._text(tag).split("\\") if word.strip()]
        except ValueError:
            return []


class _Walk:
    """A way through the elements; ValueError where one does not fit into what holds it."""

    def __init__(self, data: mmap.mmap):
        self.data, self.at, self.values = data, 0, {}
        self.explicit, self.order, self.pixels = True, "<", 0

    def file(self) -> None:
        if self.data[128:132] != b"DICM":
            raise ValueError("no DICM")
        self.at = 132
        while self.at < len(self.data) and self._peek() == 2:
            self._element(len(self.data), 0)
        syntax = self.values.pop(_SYNTAX, b"").decode("latin-1").strip(" \0")
        if syntax == _DEFLATED:
            raise ValueError("deflated")
        self.explicit, self.order = syntax != _IMPLICIT, ">" if syntax == _BIG_ENDIAN else "<"
        while self.at < len(self.data) and not self._is_filling():
            self._element(len(self.data), 0)
        self._check_pixels(syntax)

    def _is_filling(self) -> bool:
        """Whether only zeros follow the pixels: OpenVMS fills the last block of 512 bytes."""
        return bool(self.pixels) and not any(self.data[self.at : self.at + 512])

    def _check_pixels(self, syntax: str) -> None:
        numbers = {tag: self._whole_number(tag, default) for tag, default in _SHAPE.items()}
        needed = max(1, math.prod(numbers.values()) // 8)
        held = self.pixels * (1 if syntax in _PLAIN else _MOST_PACKED)
        if needed > held:
            raise ValueError("more pixels than bytes")

    def _whole_number(self, tag, default: int) -> int:
        value = self.values.get(tag)
        if not value:
            return default
        if tag == (0x28, 0x08):  # the number of frames is text
            return int(value.decode("latin-1").strip(" \0"))
        return struct.unpack_from(f"{self.order}H", value)[0]

    def _element(self, end: int, depth: int) -> tuple[int, int]:
        """Step over one element; its tag."""
        tag = self._tag(end)
        if tag[0] == 0xFFFE:
            self._length(end, 4)
            return tag
        kind, length = self._head(end)
        if length == _UNDEFINED:
            start = self.at
            self._items(end, tag == _PIXELS, kind == b"UN", depth)
            if tag == _PIXELS:
                self.pixels = self.at - start
        elif length > end - self.at:
            raise ValueError("longer than what holds it")
        elif kind == b"SQ":
            self._items_until(self.at + length, depth)
        else:
            if depth == 0 and (tag in _KEPT or tag == _SYNTAX):
                self.values[tag] = self.data[self.at : self.at + min(length, 256)]
            if tag == _PIXELS:
                self.pixels = length
            self.at += length
        return tag

    def _items(self, end: int, packed: bool, unknown: bool, depth: int) -> None:
        """A sequence that ends with a delimiter; of packed pixels the items hold bytes."""
        explicit, self.explicit = self.explicit, self.explicit and not unknown
        while (tag := self._tag(end)) != _SEQUENCE_ENDS:
            self._item(tag, end, packed, depth)
        self._length(end, 4)
        self.explicit = explicit

    def _items_until(self, end: int, depth: int) -> None:
        while self.at < end:
            if (tag := self._tag(end)) == _SEQUENCE_ENDS:
                self._length(end, 4)
            else:
                self._item(tag, end, False, depth)

    def _item(self, tag, end: int, packed: bool, depth: int) -> None:
        length = self._length(end, 4)
        if tag != _ITEM or depth >= _DEEPEST:
            raise ValueError("not an item")
        if length == _UNDEFINED:
            while self._element(end, depth + 1) != _ITEM_ENDS:
                pass
            return
        if length > end - self.at:
            raise ValueError("longer than what holds it")
        stop = self.at + length
        if packed:
            self.at = stop
        while self.at < stop:
            self._element(stop, depth + 1)

    def _head(self, end: int) -> tuple[bytes, int]:
        if not self.explicit:
            return b"", self._length(end, 4)
        kind = self.data[self.at : self.at + 2]
        self.at += 2
        if kind not in _LONG:
            return kind, self._length(end, 2)
        self.at += 2
        return kind, self._length(end, 4)

    def _tag(self, end: int) -> tuple[int, int]:
        if end - self.at < 8:
            raise ValueError("ends within the head of an element")
        tag = struct.unpack_from(f"{self.order}2H", self.data, self.at)
        self.at += 4
        return tag

    def _length(self, end: int, size: int) -> int:
        if end - self.at < size:
            raise ValueError("ends within the head of an element")
        code = f"{self.order}{'H' if size == 2 else 'I'}"
        (length,) = struct.unpack_from(code, self.data, self.at)
        self.at += size
        return length

    def _peek(self) -> int:
        return struct.unpack_from("<H", self.data, self.at)[0]
