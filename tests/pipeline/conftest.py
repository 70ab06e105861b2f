"""A small scan of a bone with a name in its header and its folder, and an expert's mask of it."""

import numpy as np
import pytest
import SimpleITK as sitk

from napari_vbmd.calibration import Calibration
from napari_vbmd.grid import Grid
from napari_vbmd.io.files import read_scan, write_mask
from napari_vbmd.io.isq import write_isq
from napari_vbmd.scan import Scan

CALIBRATION = Calibration(8192.0, 0.2409, 1600.0, -390.0, source="test")
SPACING = (0.2, 0.2, 0.2)


def bone() -> tuple[np.ndarray, np.ndarray]:
    """Densities of a tube of cortical bone (marrow within, soft tissue around), and its mask."""
    y, x = np.mgrid[-20:20, -20:20] + 0.5
    radius = np.hypot(y, x)
    section = np.select([radius < 9, radius < 14], [100.0, 800.0], 50.0)
    mask = np.zeros((16, 40, 40), np.uint8)
    mask[2:14] = radius < 14
    return np.where(mask, section, 50.0), mask


@pytest.fixture
def scan_path(tmp_path):
    folder = tmp_path / "ROE_JANE"
    folder.mkdir()
    native = np.rint(CALIBRATION.linear("density", "native")(bone()[0])).astype(np.int16)
    write_isq(folder / "scan.isq", native, SPACING, CALIBRATION, name="Roe, Jane")
    return folder / "scan.isq"


@pytest.fixture
def dicom_folder(tmp_path):
    """The scan as a DICOM series, in a folder of the patient's name."""
    folder = tmp_path / "ROE_JANE_SERIES"
    folder.mkdir()
    native = np.rint(CALIBRATION.linear("density", "native")(bone()[0])).astype(np.int16)
    for z, section in enumerate(native):
        image = sitk.GetImageFromArray(section[None])
        image.SetSpacing(SPACING)
        at = {"0020|0032": f"0\\0\\{z * SPACING[0]}", "0020|0037": "1\\0\\0\\0\\1\\0"}
        own = {"0020|000e": "1.2.3", "0020|0013": str(z + 1), "0010|0010": "Roe^Jane"}
        for key, value in (at | own).items():
            image.SetMetaData(key, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"{z:02d}.dcm"))
        writer.Execute(image)
    return folder


@pytest.fixture
def expert_path(tmp_path):
    path = tmp_path / "expert.aim"
    write_mask(path, bone()[1], Grid((16, 40, 40), SPACING))
    return path


@pytest.fixture
def out(tmp_path):
    return tmp_path / "results"


@pytest.fixture
def shifted_scan(scan_path) -> Scan:
    """The scan, half a voxel off its lattice: no AIM can say so."""
    stored = read_scan(scan_path)
    grid = Grid(stored.grid.shape, stored.grid.spacing_mm, (0.5, 0, 0))
    return Scan(np.asarray(stored.voxels), "native", grid, CALIBRATION, format="ISQ")
