"""A case as voxels and truth."""

import re

import numpy as np
import pytest

from napari_vbmd.errors import (
    EmptyMaskError,
    FileFormatError,
    GridMismatchError,
    ParameterError,
)
from napari_vbmd.grid import Grid
from napari_vbmd.io.files import read_mask, write_mask
from napari_vbmd.study.sources import open_example, truth_of


def raises(kind, text):
    return pytest.raises(kind, match=re.escape(text))


@pytest.fixture
def opened(manifest_of):
    return lambda row, **options: open_example(manifest_of(row).cases[0], **options)


def test_a_case_of_files_is_its_scan_and_the_box_of_its_mask(draw, opened, tmp_path):
    example = opened(draw(slices=(3, 7)))
    stored = read_mask(tmp_path / "hand.aim")
    assert example.slices == (3, 7)
    assert example.side == "right"
    assert example.start[0] == 3
    assert example.mask().sum() == stored.voxels.sum()
    whole = np.zeros(example.scan.grid.shape, bool)
    box = tuple(slice(s, s + n) for s, n in zip(example.start, example.share.shape, strict=True))
    whole[box] = example.mask()
    assert example.scan.voxels[whole].mean() > 1.5 * example.scan.voxels[~whole].mean()


def test_the_experts_mask_is_the_truth_where_there_is_one(draw, opened, manifest_of):
    row = draw("one") | {"expert": draw("other", slices=(4, 5))["mask"]}
    assert truth_of(manifest_of(row).cases[0]).name == "other.aim"
    assert opened(row).slices == (4, 5)


def test_the_range_of_the_manifest_cuts_the_mask(draw, opened):
    row = draw(slices=(2, 9)) | {"first_slice": 5, "last_slice": 11}
    example = opened(row)
    assert example.slices == (5, 11)
    assert example.start[0] == 5
    assert len(example.share) == 5


def test_a_label_is_chosen_where_there_are_several(draw, opened, tmp_path):
    row = draw()
    mask = read_mask(tmp_path / "hand.aim")
    voxels = mask.voxels.copy()
    voxels[:3] *= 2
    write_mask(tmp_path / "two.nii.gz", voxels, mask.grid)
    row["mask"] = "two.nii.gz"
    with raises(ParameterError, "two.nii.gz: labels 1, 2; say with --label"):
        opened(row)
    assert opened(row, label=2).slices == (2, 4)
    assert opened(row, label=1).slices == (5, 9)
    with raises(EmptyMaskError, "no voxel of label 3"):
        opened(row, label=3)


def test_what_is_wrong_with_the_files_is_named(draw, opened, tmp_path):
    row = draw()
    with raises(FileFormatError, "none.isq: no such file"):
        opened(row | {"scan": "none.isq"})
    with raises(ParameterError, "hand.isq: no mask"):
        opened(row | {"mask": ""})
    with raises(ParameterError, "hand.isq: left or right hand is not known"):
        opened(row | {"side": ""})
    with raises(FileFormatError, "slices 2 to 12 of the manifest, and the scan has"):
        opened(row | {"first_slice": 2, "last_slice": 12})
    with raises(EmptyMaskError, "nothing is marked in the slices 10 to 11"):
        opened(row | {"first_slice": 10, "last_slice": 11})
    write_mask(tmp_path / "empty.aim", np.zeros((4, 8, 8), np.uint8), Grid((4, 8, 8), (0.246,) * 3))
    with raises(EmptyMaskError, "empty.aim: no voxel is marked"):
        opened(row | {"mask": "empty.aim"})
    write_mask(tmp_path / "other.aim", np.ones((4, 8, 8), np.uint8), Grid((4, 8, 8), (0.1,) * 3))
    with raises(GridMismatchError, "other.aim, on hand.isq: voxel sizes differ"):
        opened(row | {"mask": "other.aim"})


def test_constants_given_by_the_user_replace_the_files(draw, opened):
    example = opened(draw(), calibration={"mu_scaling": 4096.0})
    assert example.scan.calibration.mu_scaling == 4096


def test_a_digital_hand_is_drawn_with_the_share_of_each_voxel_in_its_bone(opened):
    example = opened({"scan": "phantom:11", "side": "left"}, spacing_mm=(0.984,) * 3)
    assert example.scan.grid.shape == (20, 128, 128)
    assert example.side == example.scan.side == "left"
    assert 0 < example.share.min() + example.share.max() <= 1
    assert 0.1 < example.mask().mean() < 0.9
    other = opened({"scan": "phantom:11", "side": "right"}, spacing_mm=(0.984,) * 3)
    n = other.share.shape[1]
    assert example.start[1] == 128 - other.start[1] - n
    np.testing.assert_array_equal(example.share, other.share[:, ::-1])
    marked = opened(
        {"scan": "phantom:11", "side": "left"}, spacing_mm=(0.984,) * 3, only_marked=True
    )
    first, last = example.slices
    assert len(marked.scan.voxels) == last - first + 1
    np.testing.assert_array_equal(marked.scan.voxels, example.scan.voxels[first : last + 1])
