"""Where two masks differ: compared with whole masks after every step, and the order of slices."""

import numpy as np
import pytest

from napari_vbmd.errors import EmptyMaskError, GridMismatchError
from napari_vbmd.grid import Grid, place
from napari_vbmd.measurement.disagreement import BOTH, EXPERT, MINE, Disagreement
from napari_vbmd.measurement.overlap import compare
from napari_vbmd.scan import Mask

SHAPE, SPACING = (30, 90, 100), (0.5, 0.25, 0.2)
WHOLE = Grid(SHAPE, SPACING)
PIXEL_MM2 = 0.05


def block(grid: Grid, box, value=1) -> Mask:
    voxels = np.zeros(grid.shape, np.uint8)
    voxels[box] = value
    return Mask(voxels, grid)


def pasted(mask: Mask) -> np.ndarray:
    return place(mask.grid, WHOLE).paste(mask.voxels) != 0


@pytest.fixture
def expert() -> Mask:
    """On its own box, with another label than ours."""
    return block(Grid((20, 40, 50), SPACING, (5, 20, 25)), np.s_[3:12, 5:30, 5:35], 127)


def agrees(found: Disagreement, mask: Mask, expert: Mask) -> None:
    mine, theirs = pasted(mask), pasted(expert)
    whole = np.zeros(SHAPE, np.uint8)
    placed = place(found.grid, WHOLE)
    assert not placed.is_clipped
    whole[placed.target_box] = found.voxels
    np.testing.assert_array_equal(whole, MINE * mine + EXPERT * theirs)
    rows = {row.slice: row for row in found.per_slice()}
    assert sorted(rows) == np.flatnonzero((mine | theirs).any(axis=(1, 2))).tolist()
    for z, row in rows.items():
        assert row.only_mine_mm2 == pytest.approx(PIXEL_MM2 * (mine & ~theirs)[z].sum())
        assert row.only_expert_mm2 == pytest.approx(PIXEL_MM2 * (theirs & ~mine)[z].sum())
    if mine.any():
        per_slice = compare(mask, expert, WHOLE).per_slice
        assert {z: row.dice for z, row in rows.items()} == pytest.approx(
            {row["slice"]: row["dice"] for row in per_slice}
        )


@pytest.mark.parametrize(
    "grid",
    [WHOLE, Grid((22, 60, 62), SPACING, (2, 15, 16)), Grid((50, 130, 140), SPACING, (-9, -19, -8))],
    ids=["on the scan", "a box in it", "beyond it"],
)
def test_random_edits_keep_every_voxel_and_number_exact(expert, grid):
    rng = np.random.default_rng(3)
    mask = block(grid, np.s_[9:14, 22:40, 22:40])
    found = Disagreement(mask.voxels, grid, expert, WHOLE)
    agrees(found, mask, expert)
    for _ in range(40):
        low = [rng.integers(0, n - 1) for n in grid.shape]
        high = [
            rng.integers(a + 1, min(n, a + 30) + 1) for a, n in zip(low, grid.shape, strict=True)
        ]
        mask.voxels[tuple(map(slice, low, high))] = rng.choice([0, 1, 2])
        found.look(range(low[0], high[0]))
        agrees(found, mask, expert)


def test_looking_tells_whether_anything_changed(expert):
    mask = block(WHOLE, np.s_[8:14, 30:40, 30:40])
    found = Disagreement(mask.voxels, WHOLE, expert, WHOLE)
    assert not found.look(range(30))
    mask.voxels[9, 30, 30] = 5  # another label is inside, too
    assert not found.look([9])
    mask.voxels[10, 30, 30] = 0
    assert not found.look([9, 11])
    assert found.look([9, 10])
    assert not found.look([10])


def test_only_the_box_of_both_masks_is_held_and_it_grows_with_painting(expert):
    mask = block(WHOLE, np.s_[10:12, 30:40, 35:45])
    found = Disagreement(mask.voxels, WHOLE, expert, WHOLE)
    assert found.voxels.nbytes < np.prod(SHAPE) / 2
    before = found.voxels
    mask.voxels[10, 24, 30:34] = 1  # within the room about both
    found.look([10])
    assert found.voxels is before
    mask.voxels[10, 0, 99] = 1
    found.look([10])
    agrees(found, mask, expert)
    assert found.grid.position[1] == 0
    assert found.grid.position[2] + found.grid.shape[2] == 100


def test_the_slice_that_differs_most_comes_first_and_of_equals_the_lower_one(expert):
    mask = Mask(pasted(expert).astype(np.uint8), WHOLE)
    found = Disagreement(mask.voxels, WHOLE, expert, WHOLE)
    assert found.worst_first() == []
    mask.voxels[9, 30, 35:40] = 0  # 5 voxels of the expert's
    mask.voxels[12, 80, 80:90] = 1  # 10 voxels of ours
    mask.voxels[10, 80, 80:85] = 1
    mask.voxels[29, 2, 2] = 1  # a slice that the expert left empty
    found.look(range(30))
    assert found.worst_first() == [12, 9, 10, 29]
    assert found.at(9).only_expert_mm2 == pytest.approx(5 * PIXEL_MM2)
    assert found.at(12).differs_mm2 == pytest.approx(10 * PIXEL_MM2)
    assert found.at(29).dice == 0
    assert found.at(28).dice is None


def test_slices_that_only_one_mask_reaches_are_told_as_ranges(expert):
    mask = block(WHOLE, np.s_[5:15, 30:40, 30:40])  # the expert's: 8 to 16
    found = Disagreement(mask.voxels, WHOLE, expert, WHOLE)
    assert found.ends() == [(5, 7, MINE), (15, 16, EXPERT)]
    mask.voxels[10] = 0  # a gap is no end
    mask.voxels[5:8] = 0
    mask.voxels[15:17] = 1
    found.look(range(30))
    assert found.ends() == []
    mask.voxels[:] = 0
    found.look(range(30))
    assert found.ends() == []


def test_an_empty_mask_differs_in_every_slice_of_the_experts(expert):
    mask = Mask(np.zeros(SHAPE, np.uint8), WHOLE)
    found = Disagreement(mask.voxels, WHOLE, expert, WHOLE)
    assert found.worst_first() == list(range(8, 17))
    assert set(np.unique(found.voxels)) == {0, EXPERT}
    mask.voxels[8] = pasted(expert)[8]
    assert found.look(range(30))
    assert found.worst_first() == list(range(9, 17))
    assert set(np.unique(found.voxels)) == {0, EXPERT, BOTH}


def test_labels_of_32_bits_and_another_array_of_the_same_shape_are_followed(expert):
    labels = np.zeros(SHAPE, np.int32)
    found = Disagreement(labels, WHOLE, expert, WHOLE)
    other = labels.copy()
    other[10, 30:40, 30:40] = 300
    assert found.follows(other)
    assert found.look([10])
    agrees(found, Mask((other != 0).astype(np.uint8), WHOLE), expert)
    assert not found.follows(other[1:])


def test_what_cannot_be_compared_is_refused(expert):
    labels = np.zeros(SHAPE, np.uint8)
    with pytest.raises(EmptyMaskError, match="nothing to compare"):
        Disagreement(labels, WHOLE, block(WHOLE, np.s_[:0]), WHOLE)
    with pytest.raises(GridMismatchError):
        Disagreement(labels, Grid(SHAPE, (1, 1, 1)), expert, WHOLE)


def test_progress_is_told_and_may_cancel(expert):
    told = []
    Disagreement(np.zeros(SHAPE, np.uint8), WHOLE, expert, WHOLE, lambda f, m: told.append((f, m)))
    assert [f for f, _ in told] == sorted(f for f, _ in told)
    assert told[-1][0] == 1

    def cancel(fraction, message):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Disagreement(np.zeros(SHAPE, np.uint8), WHOLE, expert, WHOLE, cancel)


def test_neither_mask_is_written_to(expert):
    labels = pasted(expert).astype(np.uint8)
    for array in (labels, expert.voxels):
        array.setflags(write=False)
    Disagreement(labels, WHOLE, expert, WHOLE).look(range(30))
