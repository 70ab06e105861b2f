from pathlib import Path

import numpy as np
import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import MissingCalibrationError, ParameterError
from napari_vbmd.grid import Grid
from napari_vbmd.scan import Mask, Scan

GRID = Grid((2, 3, 4), (0.082, 0.082, 0.082))
VOXELS = np.zeros(GRID.shape, np.int16)


def test_voxels_and_grid_must_agree():
    with pytest.raises(ParameterError, match=r"\(2, 3, 4\) and grid \(2, 3, 5\)"):
        Scan(VOXELS, "native", Grid((2, 3, 5), GRID.spacing_mm))
    with pytest.raises(ParameterError, match="mask"):
        Mask(VOXELS.astype(np.uint8), Grid((2, 3, 5), GRID.spacing_mm))


def test_an_unknown_unit_is_refused(calibration):
    with pytest.raises(ParameterError, match="'bmd' is not known"):
        Scan(VOXELS, "bmd", GRID)
    with pytest.raises(ParameterError, match="'bmd' is not known"):
        Scan(VOXELS, "hu", GRID).calibrated("bmd")


def test_the_density_transform_leads_from_the_stored_unit(calibration):
    native = Scan(VOXELS, "native", GRID, calibration)
    assert native.density_transform()(8192) == pytest.approx(1603.51904 - 391.209015)
    hu = Scan(VOXELS, "hu", GRID, calibration)
    assert hu.density_transform()(-1000) == pytest.approx(-391.209015)
    assert hu.transform("mu")(0) == pytest.approx(0.2409)


def test_a_scan_of_densities_needs_no_constants():
    assert Scan(VOXELS, "density", GRID).is_calibrated


@pytest.mark.parametrize("calibration", [None, Calibration(mu_scaling=8192)])
def test_a_scan_without_calibration_says_so_and_names_itself(calibration):
    scan = Scan(VOXELS, "native", GRID, calibration, path=Path("folder/HAND.ISQ"))
    assert not scan.is_calibrated
    with pytest.raises(MissingCalibrationError, match=r"^HAND\.ISQ: .*--slope, --intercept"):
        scan.density_transform()


def test_the_users_unit_and_constants_replace_the_files(calibration):
    scan = Scan(VOXELS, "native", GRID, calibration)
    ours = scan.calibrated("hu", mu_water_per_cm=0.25)
    assert (ours.unit, ours.calibration.mu_water_per_cm) == ("hu", 0.25)
    assert ours.calibration.density_slope == calibration.density_slope
    assert ours.voxels is scan.voxels
    assert scan.calibrated().unit == "native"


def test_a_scan_without_calibration_becomes_calibrated_by_the_user():
    scan = Scan(VOXELS, "hu", GRID).calibrated(
        mu_water_per_cm=0.24, density_slope=1600.0, density_intercept=-390.0
    )
    assert scan.is_calibrated
    assert scan.calibration.source == "given by the user"


@pytest.mark.parametrize(
    "key",
    [
        "Patient Name",
        "PATIENT NAME",
        "Patient_Name",
        "Patient Name:",
        "PatientName",
        "PatientID",
        "Patient-ID",
        "PatientBirthDate",
        "Date of Birth",
        "Index Patient",
        "Name",
    ],
)
def test_the_public_header_leaves_out_what_identifies_a_person(key):
    scan = Scan(VOXELS, "native", GRID, header={key: "Doe", "Site": 4})
    assert scan.public_header() == {"Site": 4}
    assert scan.header[key] == "Doe"


def test_the_public_header_keeps_the_scanners_own_keys():
    keys = ["Site", "Scanner ID", "Energy [V]", "Mu_Scaling", "Original file", "Index Measurement"]
    scan = Scan(VOXELS, "native", GRID, header=dict.fromkeys(keys, "1"))
    assert list(scan.public_header()) == keys


def test_the_public_header_names_the_original_file_without_its_folder():
    for path in ("DK0:[MICROCT.DOE_JANE]C0001.ISQ;1", "/data/Jane Doe/C0001.ISQ;1", "C0001.ISQ;1"):
        scan = Scan(VOXELS, "native", GRID, header={"Original file": path})
        assert scan.public_header() == {"Original file": "C0001.ISQ;1"}


def test_the_description_is_one_line_with_sizes_in_x_y_z(calibration):
    scan = Scan(VOXELS, "native", GRID, calibration, side="left")
    assert scan.describe() == "4 × 3 × 2 voxels of 0.082 mm, native, calibrated, side left"


def test_the_description_shows_unequal_spacings_and_a_missing_calibration():
    scan = Scan(VOXELS, "hu", Grid((2, 3, 4), (0.5, 0.2, 0.1)))
    assert scan.describe() == (
        "4 × 3 × 2 voxels of 0.1 × 0.2 × 0.5 mm, HU, no density calibration, side unknown"
    )


def test_a_spacing_that_differs_by_rounding_is_shown_once():
    grid = Grid((2, 3, 4), (0.06069473, 0.06069886, 0.06069911))
    assert "of 0.0607 mm," in Scan(VOXELS, "hu", grid).describe()


def test_the_name_is_the_files_without_its_folder(tmp_path, monkeypatch):
    assert Scan(VOXELS, "hu", GRID).name == "scan"
    assert Scan(VOXELS, "hu", GRID, path=Path("patient/HAND.ISQ")).name == "HAND.ISQ"
    assert Mask(VOXELS, GRID, path=Path("patient/SEG.AIM")).name == "SEG.AIM"
    monkeypatch.chdir(tmp_path)
    assert Scan(VOXELS, "hu", GRID, path=Path(".")).name == tmp_path.name


def test_a_side_is_unknown_until_a_header_names_it():
    scan = Scan(VOXELS, "hu", GRID)
    assert (scan.side, scan.side_reason) == ("unknown", "the header does not say")


def test_a_scan_is_synthetic_where_its_header_says_so_in_words():
    phantom = {"Patient Name": "PHANTOM 1, NOT A PERSON"}
    assert Scan(VOXELS, "native", GRID, header=phantom).is_synthetic
    assert not Scan(VOXELS, "native", GRID, header={"Patient Name": "Phantom Lady"}).is_synthetic


def test_a_dicom_folder_does_not_give_its_name():
    folder = {"path": Path("data/DOE_JOHN"), "format": "DICOM"}
    assert Scan(VOXELS, "hu", GRID, **folder).name == "DICOM series"
    assert Mask(VOXELS.astype(np.uint8), GRID, **folder).name == "DICOM series"
