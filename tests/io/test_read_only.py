"""Reading never opens a file for writing, and does not change it."""

import os
import sys

import numpy as np
import pytest

from napari_vbmd.io.aim_write import write_aim_mask, write_aim_scan
from napari_vbmd.io.files import read_mask, read_scan
from napari_vbmd.io.isq import write_isq
from napari_vbmd.io.itk import write_itk_mask
from napari_vbmd.scan import Scan

_opened: list[tuple] | None = None


def _hook(event, arguments):
    if event == "open" and _opened is not None:
        _opened.append(arguments)


sys.addaudithook(_hook)  # hooks stay; this one sleeps outside the test


@pytest.fixture
def opened():
    """What Python opens meanwhile: path, mode and flags."""
    global _opened
    _opened = []
    yield _opened
    _opened = None


@pytest.fixture(params=["a.isq", "short.aim", "mask.aim", "m.nii", "m.nii.gz", "m.nrrd", "m.mha"])
def file(request, tmp_path, mask, grid, calibration):
    path = tmp_path / request.param
    values = np.random.default_rng(0).integers(-9, 9000, grid.shape, np.int16)
    if path.suffix == ".isq":
        write_isq(path, values, grid.spacing_mm, calibration)
    elif path.name == "short.aim":
        write_aim_scan(path, Scan(values, "native", grid, calibration))
    elif path.name == "mask.aim":
        write_aim_mask(path, mask, grid)
    else:
        write_itk_mask(path, mask, grid)
    return path


def test_no_file_is_opened_for_writing(file, opened):
    before, read = file.read_bytes(), read_scan if "m" not in file.name[0] else read_mask
    opened.clear()
    assert np.asarray(read(file).voxels).size
    ours = [entry for entry in opened if str(entry[0]) == str(file)]
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
    assert ours, "else nothing was seen"
    assert not [entry for entry in ours if entry[2] & writing]
    assert file.read_bytes() == before
