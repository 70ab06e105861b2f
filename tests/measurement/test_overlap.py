import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance
from scipy import ndimage

from napari_vbmd.errors import EmptyMaskError, GridMismatchError
from napari_vbmd.grid import Grid
from napari_vbmd.measurement.overlap import compare, compare_labels, surface_distances
from napari_vbmd.scan import Mask

SPACING = (0.5, 0.2, 0.1)  # mm along z, y, x
SHAPE = (12, 26, 30)
GRID = Grid(SHAPE, SPACING)
SEEDS = range(4)


def blob(seed: int, centre=(6, 13, 15), shape=SHAPE) -> np.ndarray:
    """A rough, random bone-like lump of bool."""
    noise = np.random.default_rng(seed).normal(size=shape)
    z, y, x = np.ogrid[tuple(slice(n) for n in shape)]
    radius = np.sqrt(
        ((z - centre[0]) / 4) ** 2 + ((y - centre[1]) / 8) ** 2 + ((x - centre[2]) / 10) ** 2
    )
    return radius + 2.0 * ndimage.gaussian_filter(noise, 1.5) < 1


def mask_of(voxels, position=(0, 0, 0)) -> Mask:
    return Mask(voxels.astype(np.uint8), Grid(voxels.shape, SPACING, position))


def box_of(voxels, box) -> Mask:
    """The same mask, cut down to a box."""
    return mask_of(voxels[box], tuple(side.start for side in box))


def test_labels_are_compared_as_if_each_were_the_only_one():
    ours, theirs = (np.zeros(SHAPE, np.uint8) for _ in range(2))
    for label, centre in ((2, (6, 7, 15)), (5, (6, 19, 15))):
        ours[blob(label, centre)], theirs[blob(label + 9, centre)] = label, label
    shifted = box_of(theirs, np.s_[1:12, 2:26, 0:29])
    heard = []
    found = compare_labels(mask_of(ours), shifted, GRID, [2, 5], lambda *said: heard.append(said))
    for label in (2, 5):
        alone = replace(shifted, voxels=(shifted.voxels == label).astype(np.uint8))
        assert found[label] == compare(mask_of(ours == label), alone, GRID)
    assert heard == [(0.0, "overlap, label 2"), (0.5, "overlap, label 5")]


def compared(ours: np.ndarray, theirs: np.ndarray):
    return compare(mask_of(ours), mask_of(theirs), GRID)


def monai(metric, ours, theirs, **options) -> float:
    batch = [torch.from_numpy(mask[None, None].astype(np.uint8)) for mask in (ours, theirs)]
    found = metric(*batch, include_background=True, spacing=list(SPACING), **options)
    return float(found.squeeze())


def pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two lumps of which one is shifted and the other has a piece far away."""
    ours, theirs = blob(seed), blob(seed + 100, (6, 15, 13))
    theirs[1:3, 1:3, 25:28] = True
    return ours, theirs


def at_the_border(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two lumps that the grid cuts on two sides."""
    return blob(seed, (1, 13, 3)), blob(seed + 100, (0, 15, 2))


@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy")  # MONAI's own call
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("make", [pair, at_the_border])
def test_surface_distances_equal_monai(seed, make):
    ours, theirs = make(seed)
    found = compared(ours, theirs)
    hd95 = monai(compute_hausdorff_distance, ours, theirs, percentile=95)
    assd = monai(compute_average_surface_distance, ours, theirs, symmetric=True)
    assert found.hd95_mm == pytest.approx(hd95, rel=1e-5)
    assert found.assd_mm == pytest.approx(assd, rel=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_overlap_equals_simpleitk(seed):
    ours, theirs = pair(seed)
    reference = sitk.LabelOverlapMeasuresImageFilter()
    reference.Execute(*(sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in (ours, theirs)))
    found = compared(ours, theirs)
    assert found.dice == pytest.approx(reference.GetDiceCoefficient(1), rel=1e-12)
    assert found.iou == pytest.approx(reference.GetJaccardCoefficient(1), rel=1e-12)
    assert 1 - found.sensitivity == pytest.approx(reference.GetFalseNegativeError(1), rel=1e-9)
    assert 1 - found.specificity == pytest.approx(reference.GetFalsePositiveError(1), rel=1e-9)
    assert 1 - found.precision == pytest.approx(reference.GetFalseDiscoveryRate(1), rel=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_voxel_counts_equal_numpy_over_the_whole_grid(seed):
    ours, theirs = pair(seed)
    found = compared(ours, theirs)
    assert found.accuracy == pytest.approx((ours == theirs).mean(), rel=1e-12)
    assert found.sensitivity == pytest.approx(ours[theirs].mean(), rel=1e-12)
    assert found.specificity == pytest.approx((~ours)[~theirs].mean(), rel=1e-12)
    assert found.precision == pytest.approx(theirs[ours].mean(), rel=1e-12)


def test_numbers_worked_out_by_hand():
    """Two bars of four voxels along x, one voxel apart along it: 3 in common."""
    ours, theirs = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    ours[5, 10, 10:14] = theirs[5, 10, 11:15] = True
    found = compared(ours, theirs)
    assert found.dice == pytest.approx(6 / 8)
    assert found.iou == pytest.approx(3 / 5)
    assert found.accuracy == pytest.approx(1 - 2 / ours.size)
    assert found.specificity == pytest.approx(1 - 1 / (ours.size - 4))
    assert found.sensitivity == found.precision == pytest.approx(3 / 4)
    assert found.hd95_mm == pytest.approx(0.85 * 0.1)  # percentile of 0, 0, 0, 0.1
    assert found.assd_mm == pytest.approx(2 * 0.1 / 8)


@pytest.mark.parametrize(("axis", "mm"), [(0, 0.5), (1, 0.2), (2, 0.1)])
def test_distances_are_millimetres_along_each_axis(axis, mm):
    ours = np.zeros(SHAPE, bool)
    ours[3, 5, 5] = True
    found = compared(ours, np.roll(ours, 4, axis))
    assert found.hd95_mm == pytest.approx(4 * mm)
    assert found.assd_mm == pytest.approx(4 * mm)
    assert found.dice == found.iou == 0


def test_a_mask_agrees_with_itself():
    found = compared(blob(0), blob(0))
    assert found.dice == found.iou == found.accuracy == found.specificity == 1
    assert found.hd95_mm == found.assd_mm == 0
    assert found.dice_per_slice_mean == found.iou_per_slice_mean == 1


def test_either_way_round():
    """Distances and overlap are symmetric; sensitivity and precision change places."""
    ours, theirs = pair(0)
    there, back = compared(ours, theirs), compared(theirs, ours)
    for name in ("dice", "iou", "accuracy", "dice_per_slice_mean", "hd95_mm", "assd_mm"):
        assert getattr(there, name) == pytest.approx(getattr(back, name), rel=1e-12)
    assert there.sensitivity == back.precision != there.precision == back.sensitivity


def test_hd95_takes_the_worse_direction():
    """A far piece in one mask only: seen from the other mask, all is near."""
    theirs = np.array([[0.0, 0, 0], [0, 0, 1]])
    ours = np.vstack([theirs, [[0, 0, 9]]])
    for pair_of in ((ours, theirs), (theirs, ours)):
        hd95, assd = surface_distances(*pair_of)
        assert hd95 == pytest.approx(0.9 * 8)  # percentile of 0, 0, 8; the other way 0
        assert assd == pytest.approx(8 / 5)


# slices


def test_per_slice_means_leave_out_slices_that_are_empty_in_both():
    ours, theirs = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    ours[3, 4:8, 4:8] = theirs[3, 4:8, 4:8] = True  # Dice 1
    ours[5, 4:8, 4:8] = theirs[5, 4:8, 6:10] = True  # Dice 1/2, IoU 1/3
    ours[6, 4:8, 4:8] = True  # ours only: 0
    theirs[8, 4:8, 4:8] = True  # the expert's only: 0
    found = compared(ours, theirs)
    assert [row["slice"] for row in found.per_slice] == [3, 5, 6, 8]
    assert [row["dice"] for row in found.per_slice] == pytest.approx([1, 1 / 2, 0, 0])
    assert [row["iou"] for row in found.per_slice] == pytest.approx([1, 1 / 3, 0, 0])
    assert found.dice_per_slice_mean == pytest.approx(1.5 / 4)
    assert found.iou_per_slice_mean == pytest.approx((4 / 3) / 4)


# masks on boxes


def test_boxes_equal_the_whole_grid():
    ours, theirs = pair(1)
    whole = compared(ours, theirs)
    ours_box = tuple(slice(a.min(), a.max() + 1) for a in np.nonzero(ours))
    theirs_box = tuple(slice(max(a.min() - 1, 0), a.max() + 1) for a in np.nonzero(theirs))
    assert ours_box != theirs_box
    assert compare(box_of(ours, ours_box), box_of(theirs, theirs_box), GRID) == whole
    assert compare(box_of(ours, ours_box), mask_of(theirs), GRID) == whole
    assert compare(mask_of(ours), box_of(theirs, theirs_box), GRID) == whole


def test_accuracy_and_specificity_know_the_scan_not_the_boxes():
    """Two equal boxes of which one voxel differs: nearly all of a large scan agrees."""
    ours, theirs = np.ones((2, 3, 4), np.uint8), np.ones((2, 3, 4), np.uint8)
    theirs[0, 0, 0] = 0
    boxes = mask_of(ours, (1, 1, 1)), mask_of(theirs, (1, 1, 1))
    found = compare(*boxes, Grid((9, 90, 90), SPACING))
    assert found.accuracy == pytest.approx(1 - 1 / (9 * 90 * 90))
    assert found.specificity == pytest.approx(1 - 1 / (9 * 90 * 90 - 23))


def test_the_scans_own_position_cancels():
    ours, theirs = pair(2)
    moved = [Mask(m.astype(np.uint8), Grid(SHAPE, SPACING, (-5, 70, 3))) for m in (ours, theirs)]
    found = compare(*moved, Grid(SHAPE, SPACING, (-5, 70, 3)))
    expected = compared(ours, theirs)
    assert found.per_slice == expected.per_slice
    assert found.hd95_mm == pytest.approx(expected.hd95_mm, rel=1e-9)


def test_what_lies_outside_the_scan_does_not_count():
    ours = np.ones((4, 5, 6), np.uint8)
    inside = np.zeros(SHAPE, bool)
    inside[0:2, 0:4, 0:6] = True
    found = compare(mask_of(ours, (-2, -1, 0)), mask_of(inside), GRID)
    assert found.dice == 1
    assert found.hd95_mm == 0


def test_boxes_far_apart():
    one = np.ones((2, 2, 2), np.uint8)
    found = compare(mask_of(one, (0, 0, 0)), mask_of(one, (0, 0, 20)), GRID)
    assert found.dice == 0
    assert found.hd95_mm == pytest.approx(20 * 0.1)  # every voxel of so small a box is surface


# labels and what cannot be compared


def test_one_label_of_ours_against_the_experts_mask():
    ours, theirs = pair(3)
    labels = ours.astype(np.uint8) * 2
    labels[9:11, 20:25, 2:6] = 5
    assert compare(mask_of(labels), mask_of(theirs), GRID, label=2) == compared(labels == 2, theirs)
    assert compare(mask_of(labels), mask_of(theirs), GRID) == compared(labels > 0, theirs)


def test_the_scanners_127_is_inside_like_any_value():
    ours, theirs = pair(3)
    assert compare(mask_of(ours * 127), mask_of(theirs), GRID) == compared(ours, theirs)


def test_one_voxel_each():
    ours = np.zeros(SHAPE, bool)
    ours[2, 3, 4] = True
    assert compared(ours, ours).hd95_mm == 0


def test_an_expert_who_fills_the_scan_leaves_no_specificity():
    found = compared(blob(0), np.ones(SHAPE, bool))
    assert found.specificity is None
    assert found.precision == 1
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize("empty_one", [0, 1])
def test_an_empty_mask_cannot_be_compared(empty_one):
    masks = [blob(0), blob(1)]
    masks[empty_one] = np.zeros(SHAPE, bool)
    with pytest.raises(EmptyMaskError, match="nothing to compare"):
        compared(*masks)


def test_a_label_that_is_not_there_cannot_be_compared():
    with pytest.raises(EmptyMaskError):
        compare(mask_of(blob(0)), mask_of(blob(1)), GRID, label=9)


def test_a_mask_of_another_voxel_size_is_refused():
    coarse = Mask(np.ones((4, 4, 4), np.uint8), Grid((4, 4, 4), (1.0, 0.4, 0.2)))
    with pytest.raises(GridMismatchError, match="voxel sizes differ"):
        compare(mask_of(blob(0)), coarse, GRID)


# how it goes about it


def test_nothing_given_is_changed():
    masks = [mask_of(mask) for mask in pair(0)]
    copies = [mask.voxels.copy() for mask in masks]
    for mask in masks:
        mask.voxels.setflags(write=False)
    compare(*masks, GRID)
    assert all(np.array_equal(m.voxels, c) for m, c in zip(masks, copies, strict=True))


def test_small_masks_on_a_large_grid_stay_small(allocates_less_than):
    ours, theirs = pair(0)
    large = Grid((240, 1536, 1536), SPACING)
    boxes = mask_of(ours, (100, 700, 700)), mask_of(theirs, (100, 700, 700))
    with allocates_less_than(16 * ours.size * 8):
        compare(*boxes, large)


def test_a_label_of_a_full_mask_is_not_copied(allocates_less_than):
    labels = np.zeros((64, 512, 512), np.uint8)
    labels[20:40, 200:240, 200:240] = 3
    mask = Mask(labels, Grid(labels.shape, SPACING))
    with allocates_less_than(labels.nbytes // 2):
        assert compare(mask, mask, mask.grid, label=3).dice == 1


def test_ready_for_strict_json():
    content = json.loads(json.dumps(compared(*pair(0)).to_dict(), allow_nan=False))
    assert 0 < content["dice"] < 1
    assert content["per_slice"][0].keys() == {"slice", "dice", "iou"}


def test_progress_rises_to_one_and_may_cancel():
    seen = []
    masks = [mask_of(mask) for mask in pair(0)]
    compare(*masks, GRID, progress=lambda done, message: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == 1

    def stop(done, message):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        compare(*masks, GRID, progress=stop)
