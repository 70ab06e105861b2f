"""The rows of a mask's parts: one for each, all with the same columns, nothing said twice."""

import numpy as np
import pytest

from napari_vbmd.grid import Grid
from napari_vbmd.measurement.comparison import measure_against
from napari_vbmd.measurement.compartments import NUMBERS, Compartments
from napari_vbmd.measurement.part_tables import Bone, part_rows
from napari_vbmd.measurement.parts import measure_labels, measure_regions
from napari_vbmd.scan import Mask, Scan

GRID = Grid((6, 8, 8), (0.5, 0.2, 0.2))
NAMES = {"scan": "s", "mask": "m"}


@pytest.fixture
def scan() -> Scan:
    return Scan(np.arange(6 * 8 * 8, dtype=np.int16).reshape(GRID.shape), "density", GRID)


@pytest.fixture
def mask() -> Mask:
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[1:5, 1:4, 1:4] = 1
    voxels[2:4, 5:7, 5:7] = 3
    return Mask(voxels, GRID)


def test_a_mask_of_which_nothing_more_is_known_has_one_row(scan, mask):
    whole = measure_against(scan, mask)
    [row] = part_rows(NAMES, whole, [])
    assert row["tt_vbmd_mg_cm3"] == whole.measurement.tt_vbmd_mg_cm3
    assert "label" not in row


def test_labels_and_their_regions_follow_the_whole(scan, mask):
    labels = measure_labels(scan, mask)
    bones = [
        Bone(n, found, regions=measure_regions(scan, mask, n, 1.0)) for n, found in labels.items()
    ]
    rows = part_rows(NAMES, measure_against(scan, mask), bones)
    places = [(row["label"], row["region"]) for row in rows]
    assert places == [(None, None)] + [(n, r) for n in (1, 3) for r in (None, "head", "shaft")]
    assert [row["voxels"] for row in rows] == [44, 36, 18, 18, 8, 8, None]
    assert "no slice of it is shaft" in rows[-1]["missing"]
    assert len({tuple(row) for row in rows}) == 1
    assert {row["mask"] for row in rows} == {"m"}


def test_a_label_that_the_expert_marked_too_has_its_own_overlap(scan, mask):
    theirs = mask.voxels * (mask.voxels != 3)
    theirs[2:4, 5:7, 5:8], theirs[0, 0, 0] = 3, 2
    comparison = measure_against(scan, mask, Mask(theirs, GRID))
    bones = [Bone(n, found) for n, found in measure_labels(scan, mask).items()]
    _, first, third = part_rows(NAMES, comparison, bones)
    assert first["dice"] == 1.0
    assert third["dice"] == pytest.approx(2 * 8 / (8 + 12))
    assert third["hd95_mm"] == comparison.per_label[3].hd95_mm


def test_compartments_of_the_only_bone_stand_in_the_row_of_the_whole(scan, mask):
    why = dict.fromkeys(NUMBERS[1:], "no cortex")
    found = Compartments(**{NUMBERS[0]: 100.0}, missing=why)
    [row] = part_rows(NAMES, measure_against(scan, mask), [Bone(None, compartments=found)])
    assert row[NUMBERS[0]] == 100.0
    assert row[NUMBERS[1]] is None
    assert f"{NUMBERS[1]}: no cortex" in row["missing"]
    assert row["compartments_method"] == found.method
