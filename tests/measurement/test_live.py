"""Numbers that follow edits are those of a whole measurement, after every step."""

from dataclasses import replace

import numpy as np
import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import GridMismatchError, MissingCalibrationError
from napari_vbmd.grid import Grid
from napari_vbmd.measurement.comparison import measure_against
from napari_vbmd.measurement.live import LiveMeasurement
from napari_vbmd.scan import Mask, Scan

SHAPE, SPACING = (12, 40, 44), (0.1, 0.08, 0.09)
KNOWN = Calibration(8192.0, 0.2409, 1600.0, -390.0)


@pytest.fixture
def scan():
    voxels = np.random.default_rng(0).integers(-500, 9000, SHAPE).astype(np.int16)
    return Scan(voxels, "native", Grid(SHAPE, SPACING), KNOWN)


def block(grid: Grid, box) -> Mask:
    voxels = np.zeros(grid.shape, np.uint8)
    voxels[box] = 1
    return Mask(voxels, grid)


@pytest.fixture
def expert(scan):
    return block(scan.grid, np.s_[3:9, 10:30, 12:30])


def agrees(live: LiveMeasurement, scan, mask: Mask, expert: Mask | None) -> None:
    """Everything but surface distances and single labels equals a whole measurement."""
    whole = replace(measure_against(scan, mask, expert), labels={})
    if expert is not None:
        whole = replace(whole, overlap=replace(whole.overlap, hd95_mm=None, assd_mm=None))
    now, warnings = live.result(), whole.measurement.warnings
    assert set(now.measurement.warnings) <= set(warnings)
    measurement = replace(now.measurement, warnings=warnings)
    of_expert = expert and replace(now.expert, warnings=whole.expert.warnings)
    assert replace(now, measurement=measurement, expert=of_expert) == whole


@pytest.mark.parametrize(
    "grid",
    [
        Grid(SHAPE, SPACING),
        Grid((9, 30, 32), SPACING, (2, 5, 6)),
        Grid((20, 60, 60), SPACING, (-4, -9, -10)),
    ],
    ids=["on the scan", "a box in it", "beyond it"],
)
def test_random_edits_keep_every_number_exact(scan, expert, grid):
    rng = np.random.default_rng(1)
    mask = block(grid, np.s_[5:7, 12:20, 12:20])
    live = LiveMeasurement(scan, mask.voxels, grid, expert)
    agrees(live, scan, mask, expert)
    for _ in range(60):
        low = [rng.integers(0, n - 1) for n in grid.shape]
        high = [
            rng.integers(a + 1, min(n, a + 12) + 1) for a, n in zip(low, grid.shape, strict=True)
        ]
        mask.voxels[tuple(map(slice, low, high))] = rng.choice([0, 1, 1])
        live.look(range(low[0], high[0]))
        agrees(live, scan, mask, expert)


def test_nothing_changes_where_nothing_was_edited(scan, expert):
    mask = block(scan.grid, np.s_[4:8, 10:20, 10:20])
    live = LiveMeasurement(scan, mask.voxels, mask.grid, expert)
    assert not live.look(range(live.slices))
    mask.voxels[5, 11, 11] = 0
    assert not live.look([4, 6, 7])
    assert live.look([5])
    assert not live.look([5])


def test_a_slice_that_nobody_looked_at_is_counted_once_it_is(scan):
    mask = block(scan.grid, np.s_[4:8, 10:20, 10:20])
    live = LiveMeasurement(scan, mask.voxels, mask.grid)
    mask.voxels[0, 0, 0] = mask.voxels[11, 39, 43] = 1
    before = live.result().measurement.voxels
    assert live.look(range(12))
    assert live.result().measurement.voxels == before + 2
    agrees(live, scan, mask, None)


def test_an_empty_mask_has_no_numbers_until_it_is_painted(scan, expert):
    mask = block(scan.grid, np.s_[4:6, 10:12, 10:12])
    live = LiveMeasurement(scan, mask.voxels, mask.grid, expert)
    mask.voxels[:] = 0
    live.look(range(12))
    assert live.result() is None
    mask.voxels[7, 20:25, 20:25] = 1
    live.look([7])
    agrees(live, scan, mask, expert)


def test_it_can_begin_with_an_empty_mask(scan):
    mask = Mask(np.zeros(SHAPE, np.uint8), scan.grid)
    live = LiveMeasurement(scan, mask.voxels, mask.grid)
    assert live.result() is None
    mask.voxels[6:8, 3:9, 3:9] = 1
    live.look([6, 7])
    agrees(live, scan, mask, None)


def test_it_can_begin_with_what_was_measured_and_find_what_was_painted_since(scan, expert):
    box = np.s_[4:8, 10:20, 10:20]
    mask = block(scan.grid, box)
    measured = mask.voxels[box].copy()
    mask.voxels[2:5, 15:30, 5:12] = 1
    live = LiveMeasurement(scan, mask.voxels, mask.grid, expert, (box, measured))
    assert live.result().measurement.voxels == 400
    live.look(range(12))
    agrees(live, scan, mask, expert)


def test_several_labels_are_taken_together(scan):
    mask = block(scan.grid, np.s_[4:8, 10:20, 10:20])
    live = LiveMeasurement(scan, mask.voxels, mask.grid)
    mask.voxels[5, 12:14, 12:14] = 7
    live.look([5])
    agrees(live, scan, mask, None)
    assert live.result().measurement.voxels == 400


def test_labels_of_napari_in_32_bits_are_followed_too(scan, expert):
    labels = np.zeros(SHAPE, np.int32)
    labels[4:8, 10:20, 10:20] = 1
    live = LiveMeasurement(scan, labels, scan.grid, expert)
    labels[6, 5:30, 11:13] = 1
    live.look([6])
    agrees(live, scan, Mask(labels.astype(np.uint8), scan.grid), expert)


def test_neither_the_mask_nor_the_scan_is_written_to(scan, expert):
    mask = block(scan.grid, np.s_[4:8, 10:20, 10:20])
    for array in (mask.voxels, scan.voxels, expert.voxels):
        array.setflags(write=False)
    LiveMeasurement(scan, mask.voxels, mask.grid, expert).look(range(12))


def test_what_cannot_be_measured_is_refused(scan, expert):
    bare = Scan(scan.voxels, "native", scan.grid, Calibration(8192.0))
    with pytest.raises(MissingCalibrationError):
        LiveMeasurement(bare, expert.voxels, expert.grid)
    with pytest.raises(GridMismatchError):
        LiveMeasurement(scan, expert.voxels, Grid(SHAPE, (0.2, 0.2, 0.2)))
