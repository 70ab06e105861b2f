import dataclasses
import json

import numpy as np
import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import MissingCalibrationError, NoBoneError, ParameterError
from napari_vbmd.grid import Grid, place
from napari_vbmd.measurement.overlap import compare
from napari_vbmd.scan import Mask, Scan
from napari_vbmd.segmentation.contour import ContourParameters
from napari_vbmd.segmentation.methods import METHODS, Method, Segmentation, check_slices, segment

SPACING = (0.1, 0.1, 0.1)
SHAPE = (24, 70, 76)
POSITION = (-3, 40, 500)
TEN_TIMES = Calibration(1000.0, 0.24, 1000.0, -400.0)  # density = native - 400


@pytest.fixture(scope="module")
def truth() -> Mask:
    """A shaft of 5 mm that runs through the whole scan."""
    _, y, x = np.ogrid[tuple(slice(n) for n in SHAPE)]
    solid = np.broadcast_to(np.hypot(y - 34, x - 38) <= 25, SHAPE)
    return Mask(solid.astype(np.uint8), Grid(SHAPE, SPACING, POSITION))


@pytest.fixture(scope="module")
def scan(truth) -> Scan:
    """Its shell in cortex, marrow inside, noise, in native units."""
    _, y, x = np.ogrid[tuple(slice(n) for n in SHAPE)]
    density = np.where((truth.voxels > 0) & (np.hypot(y - 34, x - 38) > 20), 700.0, 40.0)
    native = density + 400 + np.random.default_rng(0).normal(0, 60, SHAPE)
    return Scan(native.astype(np.int16), "native", truth.grid, TEN_TIMES)


@dataclasses.dataclass(frozen=True)
class Level:
    """Parameters of a method made up here."""

    native: int = 700


@pytest.fixture
def above(monkeypatch) -> list:
    """Register a method that thresholds; returns what it was called with."""
    calls = []

    def run(scan, parameters, slices, progress):
        calls.append((parameters, slices, progress))
        return Mask((np.asarray(scan.voxels) > parameters.native).astype(np.uint8), scan.grid)

    monkeypatch.setitem(METHODS, "above", Method("above", "A threshold.", Level, run))
    return calls


# any method


@pytest.mark.parametrize("name", METHODS)
def test_every_method_says_what_it_is_and_has_defaults(name):
    method = METHODS[name]
    assert method.name == name
    assert method.summary.endswith(".")
    assert dataclasses.is_dataclass(method.parameters)
    with pytest.raises(dataclasses.FrozenInstanceError):
        method.parameters().anything = 1
    json.dumps(dataclasses.asdict(method.parameters()), allow_nan=False)


def test_a_new_method_is_an_entry(scan, above):
    found = segment(scan, "above")
    assert isinstance(found, Segmentation)
    assert found.method == "above"
    assert found.parameters == {"native": 700}
    assert above == [(Level(), None, None)]
    assert np.array_equal(found.mask.voxels, scan.voxels > 700)


def test_what_is_given_reaches_the_method(scan, above):
    def progress(done, message):
        pass

    found = segment(scan, "above", Level(100), (3, 9), progress)
    assert above == [(Level(100), (3, 9), progress)]
    assert found.parameters == {"native": 100}
    assert found.slices == (3, 9)


def test_without_a_slice_range_it_says_so(scan, above):
    assert "no slice range" in segment(scan, "above").warnings[0]
    assert segment(scan, "above", slices=(0, 0)).warnings == []


def test_an_unknown_method_is_refused_with_those_that_are_known(scan):
    with pytest.raises(ParameterError, match=r"'unet-9d' is not known: use .*contour"):
        segment(scan, "unet-9d")


def test_another_methods_parameters_are_refused_before_any_work(scan, above):
    with pytest.raises(ParameterError, match="takes Level"):
        segment(scan, "above", ContourParameters())
    assert above == []


@pytest.mark.parametrize("slices", [(-1, 3), (5, 4), (0, 24), (24, 24)])
def test_a_slice_range_that_leaves_the_scan_is_refused_before_any_work(scan, above, slices):
    with pytest.raises(ParameterError, match=r"the scan has slices 0 to 23"):
        segment(scan, "above", slices=slices)
    assert above == []


@pytest.mark.parametrize("slices", [None, (0, 0), (0, 23), (23, 23)])
def test_a_slice_range_within_the_scan_is_fine(slices):
    check_slices(slices, 24)


# the contour


@pytest.fixture(scope="module")
def contour(scan) -> Segmentation:
    return segment(scan)


def test_the_contour_is_the_default_and_finds_the_bone(scan, truth, contour):
    assert contour.method == "contour"
    assert compare(contour.mask, truth, scan.grid).dice > 0.97


def test_the_mask_is_a_box_of_the_scans_grid(scan, contour):
    placement = place(contour.mask.grid, scan.grid)
    assert not placement.is_clipped
    assert contour.mask.grid.spacing_mm == scan.grid.spacing_mm
    assert contour.mask.voxels.dtype == np.uint8
    assert contour.mask.voxels.size < scan.voxels.size


def test_parameters_are_recorded_whole_and_ready_for_json(contour):
    assert contour.parameters == dataclasses.asdict(ContourParameters())
    json.dumps(contour.parameters, allow_nan=False)


def test_the_contour_stays_within_the_slice_range(scan, truth):
    found = segment(scan, slices=(6, 15))
    placed = place(found.mask.grid, scan.grid).paste(found.mask.voxels)
    assert np.flatnonzero(placed.any((1, 2))).tolist() == list(range(6, 16))
    expected = truth.voxels.copy()
    expected[:6] = expected[16:] = 0
    assert compare(found.mask, Mask(expected, truth.grid), scan.grid).dice > 0.97


def test_the_contour_of_densities_is_that_of_native_units(scan, contour):
    gain, offset = scan.density_transform()
    density = Scan((gain * scan.voxels + offset).astype(np.float32), "density", scan.grid)
    found = segment(density)
    assert found.mask.grid == contour.mask.grid
    assert np.array_equal(found.mask.voxels, contour.mask.voxels)


def test_the_contour_needs_a_calibration(scan):
    with pytest.raises(MissingCalibrationError):
        segment(Scan(scan.voxels, "native", scan.grid, Calibration(1000.0)))


def test_no_bone_is_said_and_not_made_up(scan):
    air = Scan(np.full(SHAPE, 400, np.int16), "native", scan.grid, TEN_TIMES)
    with pytest.raises(NoBoneError):
        segment(air)


def test_the_contour_can_be_cancelled(scan):
    def stop(done, message):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        segment(scan, progress=stop)


def test_the_scan_is_not_changed(scan):
    before = scan.voxels.copy()
    scan.voxels.setflags(write=False)
    segment(scan, slices=(6, 15))
    assert np.array_equal(scan.voxels, before)
