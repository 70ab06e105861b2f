"""A mapped file is read without its pages staying, and never loses what was written to it."""

from pathlib import Path

import numpy as np
import pytest

from napari_vbmd.mapped import in_slabs, release_pages

SHAPE = (40, 400, 1000)  # 32 MB


def mapped_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssFile"):
            return int(line.split()[1]) * 1024
    return pytest.skip("this system does not say what is mapped")


@pytest.fixture
def voxels(tmp_path) -> np.memmap:
    if not Path("/proc/self/status").is_file():
        pytest.skip("no /proc")
    path = tmp_path / "scan.raw"
    np.arange(np.prod(SHAPE)).astype(np.int16).tofile(path)
    return np.memmap(path, np.int16, "r", shape=SHAPE)


def test_pages_that_were_read_are_let_go_and_read_again_unchanged(voxels):
    total, full = int(voxels.sum(dtype=np.int64)), mapped_bytes()
    release_pages(voxels)
    assert full - mapped_bytes() > 0.9 * voxels.nbytes
    assert int(voxels.sum(dtype=np.int64)) == total


def test_slice_by_slice_only_a_slab_is_ever_held(voxels):
    before, most, total = mapped_bytes(), 0, 0
    for z in in_slabs(voxels, range(len(voxels))):
        total += int(voxels[z].sum(dtype=np.int64))
        most = max(most, mapped_bytes() - before)
    assert total == int(np.asarray(voxels).sum(dtype=np.int64))
    assert 0 < most < voxels.nbytes / 2


def test_steps_are_given_on_as_they_are_whatever_is_read():
    assert list(in_slabs(np.zeros(3), "abcdefghijk")) == list("abcdefghijk")


@pytest.mark.parametrize("mode", ["c", "r+"])
def test_what_was_written_to_a_map_is_never_let_go(tmp_path, mode):
    path = tmp_path / "scan.raw"
    np.zeros(1000, np.int16).tofile(path)
    voxels = np.memmap(path, np.int16, mode)
    voxels[5] = 7
    release_pages(voxels)
    assert voxels[5] == 7
