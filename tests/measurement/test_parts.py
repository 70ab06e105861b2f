"""Labels and regions are measured as if each were a mask of its own."""

from dataclasses import replace

import numpy as np
import pytest

from napari_vbmd.errors import EmptyMaskError, ParameterError
from napari_vbmd.grid import Grid
from napari_vbmd.measurement.densitometry import measure
from napari_vbmd.measurement.parts import measure_labels, measure_regions
from napari_vbmd.scan import Mask, Scan

GRID = Grid((10, 12, 14), (0.5, 0.2, 0.1))


@pytest.fixture
def scan() -> Scan:
    values = np.random.default_rng(5).integers(-100, 900, GRID.shape, np.int16)
    return Scan(values, "density", GRID)


@pytest.fixture
def mask() -> Mask:
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[1:9, 2:6, 2:8] = 1
    voxels[3:5, 8:10, 2:12] = 4
    return Mask(voxels, GRID)


def only(mask: Mask, inside) -> Mask:
    return replace(mask, voxels=np.where(inside, mask.voxels, 0).astype(np.uint8))


def test_every_label_is_measured_as_it_is_alone(scan, mask):
    found = measure_labels(scan, mask)
    assert list(found) == [1, 4]
    for label in found:
        assert found[label] == measure(scan, mask, label)


def test_labels_are_read_in_one_pass(scan, mask):
    seen = []
    measure_labels(scan, mask, lambda done, message: seen.append(done))
    assert len(seen) == GRID.shape[0]


def test_an_empty_mask_has_no_labels(scan, mask):
    with pytest.raises(EmptyMaskError):
        measure_labels(scan, only(mask, np.zeros(GRID.shape, bool)))


@pytest.mark.parametrize(("tip", "head_slices"), [("first", slice(1, 4)), ("last", slice(6, 9))])
def test_head_and_shaft_are_measured_as_if_alone(scan, mask, tip, head_slices):
    # slices of 0.5 mm: the middles of three lie within 1.25 mm of the tip
    head, shaft = measure_regions(scan, mask, label=1, head_mm=1.25, tip=tip)
    in_head = np.zeros(GRID.shape, bool)
    in_head[head_slices] = True
    for region, inside in ((head, in_head), (shaft, ~in_head)):
        alone = measure(scan, only(mask, inside), label=1)
        assert region.measurement.tt_vbmd_mg_cm3 == pytest.approx(alone.tt_vbmd_mg_cm3)
        assert region.measurement.voxels == alone.voxels
        assert region.measurement.slices == alone.slices
    assert (head.from_mm, head.to_mm, shaft.from_mm, shaft.to_mm) == (0, 1.25, 1.25, 4)


def test_both_regions_together_are_the_bone(scan, mask):
    parts = [one.measurement for one in measure_regions(scan, mask, 1, 2.0)]
    whole = measure(scan, mask, 1)
    assert sum(part.bmc_mg for part in parts) == pytest.approx(whole.bmc_mg)
    assert sum(part.volume_mm3 for part in parts) == pytest.approx(whole.volume_mm3)


def test_a_bone_shorter_than_its_head_has_no_shaft_and_says_so(scan, mask):
    head, shaft = measure_regions(scan, mask, 1, head_mm=10)
    assert head.measurement.voxels == measure(scan, mask, 1).voxels
    assert shaft.measurement is None
    assert shaft.missing == "the mask is 4.00 mm long from the tip: no slice of it is shaft"
    assert shaft.to_dict()["missing"] == shaft.missing


def test_a_head_of_less_than_half_a_slice_says_so(scan, mask):
    head, _ = measure_regions(scan, mask, 1, head_mm=0.2)
    assert "no slice of it is head" in head.missing


@pytest.mark.parametrize("head_mm", [0, -1, np.nan, np.inf])
def test_a_head_without_a_length_is_refused(scan, mask, head_mm):
    with pytest.raises(ParameterError, match="makes no sense"):
        measure_regions(scan, mask, 1, head_mm)


def test_an_end_that_is_not_known_is_refused(scan, mask):
    with pytest.raises(ParameterError, match="first or last"):
        measure_regions(scan, mask, 1, tip="top")


def test_what_cannot_be_measured_is_refused(scan, mask):
    with pytest.raises(EmptyMaskError, match="label 7"):
        measure_regions(scan, mask, 7)
