"""The sample hand: what the script makes, readable, with its known answer, small, a left hand."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from napari_vbmd.io.files import read_mask, read_scan
from napari_vbmd.measurement.densitometry import measure
from napari_vbmd.phantom.drawing import SEEDS_FOR_TESTS
from napari_vbmd.phantom.sample import sample_files, sample_paths

SCRIPT = Path(__file__).parents[2] / "sample_data" / "make_sample.py"


@pytest.fixture(scope="module")
def paths():
    return sample_paths(SCRIPT.parent, "hand")


@pytest.fixture(scope="module")
def answer(paths):
    return json.loads(paths.answer.read_text(encoding="utf-8"))


def test_the_files_are_what_the_script_makes(paths, tmp_path):
    made = runpy.run_path(str(SCRIPT))["make_hand"](tmp_path)
    assert made == sample_files(tmp_path, "hand")
    ours, theirs = (p.scan.read_bytes() for p in (paths, made))
    assert len(ours) == len(theirs)
    ours, theirs = (read_scan(p.scan).voxels.astype(int) for p in (paths, made))
    # another machine's mathematics may round a voxel the other way
    assert np.abs(ours - theirs).max() <= 1
    assert np.mean(ours != theirs) < 1e-4
    assert paths.answer.read_bytes() == made.answer.read_bytes()
    assert paths.expert.read_bytes() == made.expert.read_bytes()


def test_it_is_small():
    assert sum(path.stat().st_size for path in sample_paths(sample="hand")) < 10e6


def test_it_is_a_calibrated_left_hand_and_not_a_person(paths, answer):
    scan = read_scan(paths.scan)
    assert scan.grid.spacing_mm == pytest.approx((0.246,) * 3)
    assert scan.is_calibrated
    assert scan.is_synthetic
    assert scan.side == answer["side"] == "left"


def test_no_network_was_trained_on_it(answer):
    assert answer["seed"] in SEEDS_FOR_TESTS


def test_measuring_it_in_the_experts_mask_finds_the_known_answer(paths, answer):
    found = measure(read_scan(paths.scan), read_mask(paths.expert))
    assert found.tt_vbmd_mg_cm3 == pytest.approx(answer["scanned_tt_vbmd_mg_cm3"], abs=2e-3)
    assert found.tt_vbmd_mg_cm3 == pytest.approx(answer["tt_vbmd_mg_cm3"], rel=0.03)
    assert found.mean_slice_area_mm2 == pytest.approx(answer["mean_slice_area_mm2"], abs=1e-3)
    assert found.voxels == answer["voxels"]
    assert found.slices == answer["slices"]


def test_its_second_metacarpal_is_typical_and_whole(paths, answer):
    assert abs(answer["tt_vbmd_mg_cm3"] - 279) < 43  # Folle et al. 2021: 279 (SD 43), 122 (SD 20)
    assert abs(answer["mean_slice_area_mm2"] - 122) < 20
    scan, mask = read_scan(paths.scan).grid, read_mask(paths.expert).grid
    assert min(mask.position) > 2
    ends = [p + n for p, n in zip(mask.position, mask.shape, strict=True)]
    assert all(end < n - 2 for end, n in zip(ends, scan.shape, strict=True))


def test_the_readme_says_the_known_answer(answer):
    text = (SCRIPT.parent / "README.md").read_text(encoding="utf-8")
    for key in ("tt_vbmd_mg_cm3", "scanned_tt_vbmd_mg_cm3", "mean_slice_area_mm2"):
        assert f"{answer[key]:.1f}" in text
    for key in ("voxels", "seed"):
        assert f"{answer[key]:,}" in text
