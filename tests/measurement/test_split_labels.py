"""Every label of a mask is split as if it were alone."""

import numpy as np
import pytest

from napari_vbmd.grid import Grid
from napari_vbmd.measurement.compartments import CORTICAL, TRABECULAR, measure_compartments
from napari_vbmd.measurement.split_labels import split_labels
from napari_vbmd.scan import Mask, Scan

VOXEL = 0.082


@pytest.fixture(scope="module")
def bones():
    """A tube, label 2, and beside it a bone of marrow without a cortex, label 5."""
    y, x = np.mgrid[:40, :80] * VOXEL
    tube = np.hypot(y - 1.6, x - 1.6)
    density = np.select([tube < 0.9, tube < 1.4], [100, 900], 40)
    labels = (2 * (tube < 1.4) + 5 * (np.hypot(y - 1.6, x - 4.8) < 1.4)).astype(np.uint8)
    grid = Grid((8, 40, 80), (VOXEL,) * 3)
    scan = Scan(np.repeat(density[None], 8, 0).astype(np.int16), "density", grid)
    return scan, Mask(np.repeat(labels[None], 8, 0), grid)


def test_each_label_has_the_numbers_and_the_place_it_has_alone(bones):
    scan, mask = bones
    told = []
    found = split_labels(scan, mask, [2, 5], progress=lambda *now: told.append(now))
    assert found.numbers == {n: measure_compartments(scan, mask, n) for n in (2, 5)}
    assert "no cortex was found" in found.numbers[5].missing["ct_th_mm"]
    assert set(np.unique(found.mask.voxels[mask.voxels == 2])) == {CORTICAL, TRABECULAR}
    assert not found.mask.voxels[mask.voxels != 2].any()
    assert told[0][1].startswith("label 2, ")
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_where_no_label_can_be_split_there_is_no_picture(bones):
    assert split_labels(*bones, [5]).mask is None
