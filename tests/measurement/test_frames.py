from dataclasses import replace

import numpy as np
import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.grid import Grid
from napari_vbmd.measurement.comparison import measure_against
from napari_vbmd.measurement.densitometry import measure
from napari_vbmd.measurement.frames import frame_warnings
from napari_vbmd.scan import Mask, Scan

SHAPE, SPACING = (6, 8, 10), (0.1, 0.1, 0.1)
CALIBRATION = Calibration(1000.0, 0.24, 10_000.0, -50.0)


def scan_in(form: str, position=(0, 0, 0)) -> Scan:
    grid = Grid(SHAPE, SPACING, position)
    return Scan(np.ones(SHAPE, np.int16), "native", grid, CALIBRATION, format=form)


def mask_in(form: str, position=(0, 1, 1)) -> Mask:
    shape = (6, 5, 5)
    return Mask(np.ones(shape, np.uint8), Grid(shape, SPACING, position), format=form)


@pytest.mark.parametrize("form", ["NIfTI", "NRRD", "MetaImage", "DICOM"])
@pytest.mark.parametrize("scanners", ["ISQ", "AIM"])
def test_a_physical_origin_beside_an_index_is_told(form, scanners):
    (told,) = frame_warnings(scan_in(form, (0, -2, 3)), mask_in("AIM"))
    assert told == (
        f"the scan's position comes from its {form} origin (x, y, z: 0.3, -0.2, 0 mm), the mask's "
        "from its AIM: look whether the mask lies on the bone"
    )
    (told,) = frame_warnings(scan_in(scanners), mask_in(form))
    assert told.startswith(f"the mask's position comes from its {form} origin")
    assert f"the scan's from its {scanners}" in told


@pytest.mark.parametrize(
    ("scan", "mask"),
    [
        (scan_in("NIfTI", (0, -2, 3)), mask_in("NRRD")),
        (scan_in("AIM", (0, -2, 3)), mask_in("AIM")),
        (scan_in("ISQ"), mask_in("AIM")),
        (scan_in("NIfTI"), mask_in("AIM")),
        (scan_in("ISQ"), mask_in("NIfTI", (0, 0, 0))),
        (scan_in("NIfTI", (0, 0.05, 0)), mask_in("AIM")),
        (scan_in("NIfTI", (0, -2, 3)), mask_in("layer")),
        (scan_in("", (0, -2, 3)), mask_in("AIM")),
    ],
)
def test_nothing_is_told_of_one_kind_or_an_origin_at_zero(scan, mask):
    assert frame_warnings(scan, mask) == []


def test_nothing_is_told_where_both_are_the_same_box():
    scan = scan_in("AIM", (0, -2, 3))
    mask = Mask(np.ones(SHAPE, np.uint8), scan.grid, format="NIfTI")
    assert frame_warnings(scan, mask) == []


def test_the_warning_stands_with_every_result():
    scan, mask = scan_in("DICOM", (0, -2, 0)), mask_in("AIM", (0, 0, 1))
    (told,) = measure(scan, mask).warnings
    assert "DICOM origin" in told
    assert measure_against(scan, mask).measurement.warnings == [told]


def test_the_warning_about_the_experts_mask_stands_with_ours():
    scan, ours = scan_in("NIfTI", (0, -2, 0)), mask_in("contour", (0, 0, 1))
    found = measure_against(scan, ours, replace(ours, format="AIM"))
    (told,) = found.measurement.warnings
    assert told.endswith("the expert's mask's from its AIM: look whether the expert's mask lies on "
                         "the bone")  # fmt: skip
    assert len(found.expert.warnings) == 1
