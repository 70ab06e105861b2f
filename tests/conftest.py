"""What several test files share."""

import locale
import os
import tracemalloc
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.grid import Grid
from napari_vbmd.io.files import read_mask, read_scan


def pytest_configure(config):
    # itk, with which some files are cross-checked, says this hundreds of times when it is imported
    config.addinivalue_line("filterwarnings", "ignore:builtin type .*:DeprecationWarning")


@pytest.fixture(autouse=True)
def same_locale():
    """SimpleITK leaves the locale at C after writing DICOM, as only tests do."""
    before = locale.setlocale(locale.LC_ALL)
    yield
    locale.setlocale(locale.LC_ALL, before)


@pytest.fixture(autouse=True, scope="session")
def cache_folder(tmp_path_factory):
    """Networks that are exported here are kept for this session, and not in the user's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VBMD_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real scans, which are not in the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "real"
    folder = Path(os.environ.get("VBMD_REAL_DATA") or beside)
    if not (folder / "GRAY_JOINT.nii.gz").is_file():
        pytest.skip(f"no real scans in {folder}: set VBMD_REAL_DATA to a folder that has them")
    return folder


@pytest.fixture(scope="session")
def real_joint(real_data):
    """A real scan (HU) and the vendor's mask of it; shared, so not to be written to."""
    scan = read_scan(real_data / "GRAY_JOINT.nii.gz")
    mask = read_mask(real_data / "AUTOCONTOUR_IPL.nii.gz")
    scan.voxels.setflags(write=False)
    mask.voxels.setflags(write=False)
    return scan, mask


@pytest.fixture
def calibration() -> Calibration:
    """The constants of the real joint."""
    return Calibration(8192.0, 0.2409, 1603.51904, -391.209015, source="test")


@pytest.fixture
def grid() -> Grid:
    """A box of unequal sides and spacings, part of it before the original scan."""
    return Grid((7, 9, 11), (0.084, 0.083, 0.082), (-5, 40, 3))


@pytest.fixture
def mask(grid) -> np.ndarray:
    """A mask without symmetry on that grid."""
    return np.random.default_rng(0).random(grid.shape) > 0.6


@pytest.fixture
def refused():
    """Expect an error for a file: of a kind, on one line, naming the file."""

    @contextmanager
    def expect(error: type[Exception], path: Path, match: str | None = None):
        with pytest.raises(error, match=match) as caught:
            yield
        message = str(caught.value)
        assert path.name in message
        assert message.isprintable(), "a message is one line"

    return expect


@pytest.fixture
def allocates_less_than():
    """Expect that a block of code never holds more than so many new bytes."""

    @contextmanager
    def expect(limit: int):
        tracemalloc.start()
        try:
            yield
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < limit

    return expect
