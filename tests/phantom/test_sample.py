"""The sample files: what the script makes, readable, the mask placed by position."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from napari_vbmd.errors import FileFormatError
from napari_vbmd.grid import place
from napari_vbmd.io.files import read_mask, read_scan
from napari_vbmd.phantom import sample
from napari_vbmd.phantom.bone import bone_phantom
from napari_vbmd.phantom.sample import sample_files, sample_paths

SCRIPT = Path(__file__).parents[2] / "sample_data" / "make_sample.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    return runpy.run_path(str(SCRIPT))["make_bone"](folder)


def test_the_files_are_what_the_script_makes(made):
    kept = sample_files(SCRIPT.parent)
    assert kept.answer.read_bytes() == made.answer.read_bytes()
    assert kept.expert.read_bytes() == made.expert.read_bytes()
    ours, theirs = (read_scan(p.scan).voxels.astype(int) for p in (kept, made))
    # another machine's mathematics may round a voxel the other way
    assert np.abs(ours - theirs).max() <= 1
    assert np.mean(ours != theirs) < 1e-4
    assert kept.scan.stat().st_size == made.scan.stat().st_size


def test_the_script_gives_the_same_bytes_again(made):
    before = [path.read_bytes() for path in made]
    runpy.run_path(str(SCRIPT))["make_bone"](made.scan.parent)
    assert [path.read_bytes() for path in made] == before


def test_the_sample_is_small():
    assert sum(path.stat().st_size for path in sample_paths()) < 5.1e6


def test_the_scan_is_read_with_its_calibration():
    scan = read_scan(sample_paths().scan)
    assert scan.format == "ISQ"
    assert scan.unit == "native"
    assert scan.grid.spacing_mm == pytest.approx((0.082,) * 3)
    assert scan.calibration.mu_scaling == 8192
    assert scan.calibration.mu_water_per_cm == pytest.approx(0.2409)
    assert scan.calibration.density_slope == pytest.approx(1603.51904)
    assert scan.calibration.density_intercept == pytest.approx(-391.209015)
    assert "NOT A PERSON" in scan.header["Patient Name"]


def test_the_mask_is_a_box_placed_by_position_and_gives_the_known_answer():
    paths = sample_paths()
    scan, mask = read_scan(paths.scan), read_mask(paths.expert)
    assert all(p > 0 for p in mask.grid.position)
    assert all(m < s for m, s in zip(mask.grid.shape, scan.grid.shape, strict=True))
    placement = place(mask.grid, scan.grid)
    assert not placement.is_clipped
    placed = placement.paste(mask.voxels)
    answer = json.loads(paths.answer.read_text(encoding="utf-8"))
    np.testing.assert_array_equal(placed, bone_phantom(answer["seed"]).mask)

    slices = np.flatnonzero(placed.any(axis=(1, 2)))
    assert [slices[0], slices[-1], slices.size] == list(answer["slices"].values())
    assert np.count_nonzero(placed) == answer["voxels"]
    measured = scan.density_transform()(scan.voxels[placed == 1].mean(dtype=float))
    assert measured == pytest.approx(answer["scanned_tt_vbmd_mg_cm3"], abs=2e-3)
    assert measured == pytest.approx(answer["tt_vbmd_mg_cm3"], rel=0.012)


def test_the_readme_says_the_known_answer():
    text = (SCRIPT.parent / "README.md").read_text(encoding="utf-8")
    answer = json.loads(sample_paths().answer.read_text(encoding="utf-8"))
    for key in ("tt_vbmd_mg_cm3", "scanned_tt_vbmd_mg_cm3", "mean_slice_area_mm2"):
        assert f"{answer[key]:.1f}" in text
    assert f"{answer['voxels']:,}" in text
    assert "not a person" in text


def test_the_installed_package_comes_before_the_checkout(made, monkeypatch, tmp_path):
    monkeypatch.setattr(sample, "FOLDERS", (made.scan.parent, SCRIPT.parent))
    assert sample_paths() == made
    monkeypatch.setattr(sample, "FOLDERS", (tmp_path, SCRIPT.parent))
    assert sample_paths() == sample_files(SCRIPT.parent)


def test_a_missing_sample_is_said_in_one_line(tmp_path):
    sample_files(tmp_path).scan.touch()
    with pytest.raises(FileFormatError, match=r"make_sample\.py") as caught:
        sample_paths(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)
