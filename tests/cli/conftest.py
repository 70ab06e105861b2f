"""A small scan with a name in its header, its mask, and the command to run on them."""

import json
from pathlib import Path

import numpy as np
import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.cli import main
from napari_vbmd.grid import Grid
from napari_vbmd.io.files import write_mask
from napari_vbmd.io.isq import write_isq

CALIBRATION = Calibration(8192.0, 0.2409, 1600.0, -390.0, source="test")


@pytest.fixture
def grid() -> Grid:
    return Grid((16, 40, 40), (0.2, 0.2, 0.2))


@pytest.fixture
def bone(grid) -> np.ndarray:
    """A rod in slices 2 to 13."""
    y, x = np.mgrid[-20:20, -20:20] + 0.5
    rod = np.zeros(grid.shape, np.uint8)
    rod[2:14] = np.hypot(y, x) < 14
    return rod


@pytest.fixture
def scan(tmp_path, bone, grid) -> Path:
    """The rod, of 700 mg HA/cm3, in soft tissue."""
    density = np.where(bone, 700.0, 50.0)
    native = np.rint(CALIBRATION.linear("density", "native")(density)).astype(np.int16)
    write_isq(tmp_path / "scan.isq", native, grid.spacing_mm, CALIBRATION, name="Roe, Jane")
    return tmp_path / "scan.isq"


@pytest.fixture
def mask(tmp_path, bone, grid) -> Path:
    return write_mask(tmp_path / "mask.aim", bone, grid)


@pytest.fixture
def cli(capsys):
    """Run the command; gives its exit status, stdout and stderr."""

    def run(*words):
        capsys.readouterr()
        status = main([str(word) for word in words])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def json_of(cli):
    """Run the command with --json; gives the one object that it prints."""

    def run(*words):
        status, out, _ = cli(*words, "--json")
        assert status == 0
        return json.loads(out, parse_constant=pytest.fail)

    return run


@pytest.fixture
def refuses(cli):
    """Expect exit status 2, nothing on stdout, and one line on stderr that holds a text."""

    def expect(*words, saying):
        status, out, err = cli(*words, "--quiet")
        assert (status, out) == (2, "")
        assert err.startswith("napari-vbmd: ")
        assert err.count("\n") == 1
        assert saying in err

    return expect
