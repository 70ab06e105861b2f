import tracemalloc

import numpy as np
import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import MissingCalibrationError, NoBoneError, ParameterError
from napari_vbmd.grid import Grid
from napari_vbmd.scan import Scan
from napari_vbmd.segmentation.preprocessing import (
    IMPROVED,
    PAPER,
    Normalisation,
    covering_grid,
    prepare,
)

NATIVE = Calibration(8192.0)
SHAPE = (12, 120, 150)


@pytest.fixture
def scan() -> Scan:
    """A block of tissue, uneven everywhere, off the middle of air."""
    voxels = np.zeros(SHAPE, np.int16)
    part = np.random.default_rng(0).integers(1500, 9000, (12, 60, 72))
    voxels[:, 40:100, 20:92] = part
    return Scan(voxels, "native", Grid(SHAPE, (0.082,) * 3, (-4, 0, 7)), NATIVE)


def strided(scan):
    return scan.voxels[1::3, 1::3, 1::3] / np.float32(8192)


def inside(volume, grid):
    """The part of what the network sees that lies on the scan, and where."""
    offsets = [axis.offset for axis in grid.axes]
    at = [slice(max(0, -o), max(0, -o) + n) for o, n in zip(offsets, grid.shape, strict=True)]
    return volume[tuple(at)], offsets


def test_it_is_every_third_voxel_in_1_per_cm(scan):
    volume, grid = prepare(scan, None, IMPROVED, None)
    _, y, x = (axis.offset for axis in grid.axes)
    expected = np.zeros_like(volume)
    whole = np.pad(strided(scan), ((0, 0), (96, 96), (96, 96)))
    expected[:] = whole[:, 96 + y : 96 + y + volume.shape[1], 96 + x : 96 + x + volume.shape[2]]
    assert volume.dtype == np.float32
    assert np.allclose(volume, expected, atol=1e-7)
    assert volume.shape == (4, 64, 64)


def test_a_left_hand_looks_like_the_right_one_that_mirrors_it(scan):
    right, _ = prepare(scan, None, IMPROVED, None)
    flipped = Scan(scan.voxels[:, ::-1], "native", scan.grid, NATIVE)
    left, grid = prepare(flipped, None, IMPROVED, None, mirrored=True)
    assert grid.axes[1].mirrored
    assert np.array_equal(left, right)


@pytest.mark.parametrize("unit", ["mu", "hu", "density"])
def test_every_unit_gives_the_same(scan, unit):
    constants = Calibration(8192.0, 0.2409, 1603.5, -391.2)
    given = constants.linear("native", unit)(scan.voxels.astype(np.float64))
    other = Scan(given, unit, scan.grid, constants)
    expected, _ = prepare(scan, None, IMPROVED, None)
    assert np.allclose(prepare(other, None, IMPROVED, None)[0], expected, atol=1e-5)


def test_normalisation_takes_the_training_sets_mean_and_sd(scan):
    plain, _ = prepare(scan, None, IMPROVED, None)
    volume, _ = prepare(scan, None, IMPROVED, Normalisation(0.2, 0.5))
    assert np.allclose(volume, (plain - 0.2) / 0.5, atol=1e-6)


@pytest.mark.parametrize(("mean", "sd"), [(np.nan, 1), (0, 0), (0, -1), (0, np.inf)])
def test_a_normalisation_that_is_none_is_refused(mean, sd):
    with pytest.raises(ParameterError, match="normalisation"):
        Normalisation(mean, sd)


def test_a_slice_range_is_a_scan_of_its_own(scan):
    part = Scan(scan.voxels[3:9], "native", Grid((6, *SHAPE[1:]), (0.082,) * 3), NATIVE)
    expected, _ = prepare(part, None, IMPROVED, None)
    volume, grid = prepare(scan, (3, 8), IMPROVED, None)
    assert grid.first_slice == 3
    assert np.array_equal(volume, expected)


def test_one_slice_is_enough(scan):
    flat, _ = prepare(scan, (5, 5), IMPROVED, None)
    deep, _ = prepare(scan, (5, 5), IMPROVED, None, dims=3, divisor=16)
    assert flat.shape[0] == 1
    assert deep.shape[0] == 16
    assert np.array_equal(deep[7], flat[0])


def test_another_scanners_voxels_look_the_same_size():
    for spacing in (0.0607, 0.1, 0.3):
        n = round(12 / spacing)
        z, y, x = np.ogrid[:8, :n, :n]
        disc = np.hypot(y - (n - 1) / 2, x - (n - 1) / 2) * spacing < 4
        voxels = np.where(disc & (z >= 0), 4000, 0).astype(np.int16)
        scan = Scan(voxels, "native", Grid(voxels.shape, (spacing,) * 3), NATIVE)
        volume, _ = prepare(scan, None, IMPROVED, None)
        area = (volume[len(volume) // 2] > 0.25).sum() * 0.246**2
        assert area == pytest.approx(np.pi * 16, rel=0.03)


def test_a_size_that_is_almost_three_voxels_is_three():
    grid = covering_grid(Grid((9, 1536, 1536), (0.082, 126 / 1536, 126 / 1536)), None, IMPROVED, 0)
    assert [axis.ratio for axis in grid.axes] == [3.0, 3.0, 3.0]
    assert grid.shape == (3, 512, 512)


def test_the_papers_preset_squeezes_native_units():
    voxels = np.full((7, 600, 500), 3000, np.int16)
    scan = Scan(voxels, "native", Grid(voxels.shape, (0.082,) * 3))
    volume, grid = prepare(scan, None, PAPER, None, dims=3, divisor=16)
    assert volume.shape == (80, 512, 512)
    assert (volume == 3000).all()
    assert grid.axes[0].ratio == 7 / 80


def test_without_mu_scaling_it_says_what_to_give(scan):
    bare = Scan(scan.voxels, "native", scan.grid)
    with pytest.raises(MissingCalibrationError, match="--mu-scaling"):
        prepare(bare, None, IMPROVED, None)


def test_air_is_refused(scan):
    air = Scan(np.zeros(SHAPE, np.int16), "native", scan.grid, NATIVE)
    with pytest.raises(NoBoneError):
        prepare(air, None, IMPROVED, None)


def test_progress_is_told_and_may_cancel(scan):
    told = []
    prepare(scan, None, IMPROVED, None, progress=told.append)
    assert told[-1] == 1.0

    def stop(done):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        prepare(scan, None, IMPROVED, None, progress=stop)


def test_no_float_copy_of_the_scan_is_made(tmp_path):
    shape = (60, 500, 500)
    voxels = np.lib.format.open_memmap(tmp_path / "scan.npy", "w+", np.int16, shape)
    voxels[:, 100:400, 100:400] = 2500
    scan = Scan(voxels, "native", Grid(shape, (0.082,) * 3), NATIVE)
    tracemalloc.start()
    try:
        prepare(scan, None, IMPROVED, None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < voxels.size * 4 / 4  # a quarter of a float copy


def test_the_scan_is_not_changed(scan):
    before = scan.voxels.copy()
    scan.voxels.setflags(write=False)
    prepare(scan, None, IMPROVED, Normalisation(0.2, 0.5), mirrored=True)
    assert np.array_equal(scan.voxels, before)
