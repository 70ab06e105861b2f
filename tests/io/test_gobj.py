"""Why contour files are refused: the library that reads them does not give back what is in them.

The file is built as an independent reader describes it that was checked against 11,906 contours of
the vendor's software (ipldt, 2026): no real file is at hand.
"""

import struct
from itertools import pairwise

import numpy as np
import py_aimio
import pytest

from napari_vbmd.errors import FileFormatError
from napari_vbmd.io.files import read_mask, read_scan

BOXES = ((5, 10, 12, 9), (30, 3, 6, 6))  # x, y, width, height


def chain(x: int, y: int, width: int, height: int) -> list[tuple[int, int]]:
    """The boundary pixels of a box, from its first one on, down, right, up and left."""
    right, low = x + width - 1, y + height - 1
    path = [(x, j) for j in range(y, low)] + [(i, low) for i in range(x, right)]
    return path + [(right, j) for j in range(low, y, -1)] + [(i, y) for i in range(right, x, -1)]


def contour(box, z: int) -> bytes:
    x, y, width, height = box
    path = chain(*box)
    code = {(1, 0): 0, (0, -1): 2, (-1, 0): 4, (0, 1): 6}
    codes = [code[b[0] - a[0], b[1] - a[1]] for a, b in pairwise(path)]
    bits = [code >> i & 1 for code in codes for i in range(3)]
    length = (3 * len(path) + 5) // 8
    data = np.packbits(bits, bitorder="little").tobytes().ljust(length, b"\0")
    centre = (-(-(2 * x + width - 1) // 2), -(-(2 * y + height - 1) // 2))
    start = (x - centre[0], y - centre[1])
    vax = (16512, 16512)
    numbers = (3, *centre, z, width, height, 0, 3, 32, *vax, *vax, *start, len(path), length)
    return struct.pack("<17i", *numbers) + data


def write(path, boxes, z=4):
    head = bytearray(512)
    head[:16] = b"CTDATA-HEADER_V1"
    struct.pack_into("<i", head, 16, 6)
    struct.pack_into("<6i", head, 32, 50, 40, 9, 4100, 3280, 738)
    body = struct.pack("<14i", 1, 20, 12, z, 31, 16, 0, 3, 20, 0, 0, 16512, 16512, len(boxes))
    body += b"".join(contour(box, z) for box in boxes)
    path.write_bytes(bytes(head) + body + bytes(1024 - len(body) % 512))
    return path


@pytest.mark.parametrize("boxes", [BOXES[:1], BOXES])
def test_aimio_gives_another_mask_than_the_contours_say(tmp_path, boxes):
    file = write(tmp_path / "a.gobj", boxes)
    expected = np.zeros((40, 50), bool)
    for x, y, width, height in boxes:
        expected[y : y + height, x : x + width] = True
    voxels, meta = py_aimio.read_gobj(str(file))
    (x, y, _), (width, height, _) = meta["position"], meta["dimensions"]
    theirs = np.zeros_like(expected)
    theirs[y : y + height, x : x + width] = voxels[0] != 0
    assert meta["contour_count"] == len(boxes), "so the file is understood"
    assert not np.array_equal(theirs, expected)


@pytest.mark.parametrize("read", [read_scan, read_mask])
@pytest.mark.parametrize("name", ["a.gobj", "A.GOBJ;3"])
def test_a_contour_file_is_refused_with_the_way_out(tmp_path, refused, read, name):
    file = write(tmp_path / name, BOXES)
    with refused(FileFormatError, file, r"contour file.*GOBJ_TO_AIM\.COM"):
        read(file)
