"""The digital hand as files."""

import tracemalloc

import numpy as np
import pytest

from napari_vbmd.grid import place
from napari_vbmd.io.files import read_mask, read_scan
from napari_vbmd.phantom import slabs
from napari_vbmd.phantom.hand import hand_phantom
from napari_vbmd.phantom.slabs import HandScan
from napari_vbmd.pipeline.phantom import write_phantom


@pytest.fixture
def coarse(monkeypatch):
    """A hand so coarse that it takes no time, a few slices at a time."""
    monkeypatch.setitem(slabs.SIZES, "small", ((0.738,) * 3, (27, 121, 57), 0.1))
    monkeypatch.setattr("napari_vbmd.phantom.view.SLAB_VOXELS", 4 * 121 * 57)


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("side", ["left", "right"])
def test_files_hold_the_hand_and_the_mask_lies_in_its_place(tmp_path, side):
    files = tmp_path / "a.isq", tmp_path / "b.aim"
    answer = write_phantom(HandScan(100_004, side), *files)
    hand = hand_phantom(100_004, side)
    assert answer == hand.answer
    scan, mask = read_scan(files[0]), read_mask(files[1])
    np.testing.assert_array_equal(scan.voxels, hand.voxels)
    assert mask.voxels.size < hand.mask.size / 4
    np.testing.assert_array_equal(place(mask.grid, scan.grid).paste(mask.voxels), hand.mask)
    lowest, highest = (scan.header[f"{m} data value"] for m in ("Minimum", "Maximum"))
    assert (lowest, highest) == (hand.voxels.min(), hand.voxels.max())


@pytest.mark.usefixtures("coarse")
def test_cancelling_leaves_nothing(tmp_path):
    class Cancelled(Exception):
        pass

    def cancel(fraction, message):
        if fraction > 0.4:
            raise Cancelled(message)

    with pytest.raises(Cancelled, match="slice 11 of 27"):
        write_phantom(HandScan(100_004), tmp_path / "a.isq", tmp_path / "b.aim", cancel)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("coarse")
def test_progress_goes_from_nothing_to_all(tmp_path):
    shares = []
    write_phantom(HandScan(100_004), tmp_path / "a.isq", None, lambda f, _: shares.append(f))
    assert shares[0] == 0
    assert shares[-1] == 1
    assert shares == sorted(shares)
    assert len(shares) > 6


def test_a_long_scan_takes_little_more_memory_than_a_short_one(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_vbmd.phantom.view.SLAB_VOXELS", 300 * 200)

    def peak(slices):
        shape = (slices, 300, 200)
        monkeypatch.setitem(slabs.SIZES, "small", ((16 / slices, 0.5, 0.5), shape, 0.1))
        hand = HandScan(100_004)
        tracemalloc.start()
        try:
            write_phantom(hand, tmp_path / "a.isq")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    short, long = peak(4), peak(64)
    assert long - short < 0.3 * 2 * 60 * 300 * 200  # of the bytes that the scan grew by
