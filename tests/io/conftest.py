"""AIM files by the book, built from the format's description and not by the code under test."""

import struct
from typing import NamedTuple

import numpy as np
import pytest

from napari_vbmd.io import vax

COMPRESSED = (0x150001, 0x80002)
SPACING = (0.084, 0.083, 0.082)  # z, y, x
POSITION = (-5, 40, 3)
LOG = b"Mu_Scaling                    8192\nPatient Name                  Doe\n\0"


class Offsets(NamedTuple):
    """Where a version keeps its numbers, and their struct code."""

    code: str
    lengths: int
    type: int
    position: int
    dim: int
    frame: int
    element: int
    log: int


VERSIONS = {
    20: Offsets("i", 0, 40, 44, 56, 68, 128, 160),
    30: Offsets("q", 16, 68, 72, 96, 120, 240, 280),
}


def _build(path, version, kind, shape, data, frame=(0, 0, 0), log=LOG):
    """Write an AIM; shape and frame are z, y, x."""
    at = VERSIONS[version]
    head = bytearray(at.log)
    if version == 30:
        head[:16] = b"AIMDATA_V030   \0"
        struct.pack_into("<3q", head, at.element, *(round(s * 1e6) for s in SPACING[::-1]))
    else:
        struct.pack_into("<i", head, 20, 16)
        head[at.element : at.element + 12] = b"".join(map(vax.encode_f, SPACING[::-1]))
    if kind in COMPRESSED:
        data = struct.pack(f"<{at.code}", len(data) + struct.calcsize(at.code)) + data
    lengths = (40, 224) if version == 30 else (20, 140)
    struct.pack_into(f"<5{at.code}", head, at.lengths, *lengths, len(log), len(data), 0)
    struct.pack_into("<i", head, at.type, kind)
    for offset, numbers in ((at.position, POSITION), (at.dim, shape), (at.frame, frame)):
        struct.pack_into(f"<3{at.code}", head, offset, *numbers[::-1])
    path.write_bytes(bytes(head) + log + data)
    return path


def _patch(path, version, field, *values):
    at = VERSIONS[version]
    with open(path, "r+b") as file:
        file.seek(getattr(at, field))
        file.write(struct.pack(f"<{len(values)}{at.code}", *values))


@pytest.fixture
def build():
    """Write an AIM of path, version, type, shape, voxels, frame and log."""
    return _build


@pytest.fixture
def patch():
    """Overwrite a field of an AIM: path, version, field, values in the file's order."""
    return _patch


@pytest.fixture
def at():
    """Where a version keeps its numbers."""
    return VERSIONS.__getitem__


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


@pytest.fixture
def path(tmp_path):
    return tmp_path / "SEG.AIM"


@pytest.fixture
def labels():
    return np.random.default_rng(5).integers(0, 100, (7, 9, 11), np.int8)
