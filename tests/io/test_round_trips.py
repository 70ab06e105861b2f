"""What is written is what is read, whatever the shape, the values and the position."""

import numpy as np
import py_aimio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_vbmd.calibration import Calibration
from napari_vbmd.grid import Grid
from napari_vbmd.io import aim_runs, aim_write, vax
from napari_vbmd.io.aim import read_aim
from napari_vbmd.io.aim_write import write_aim_mask, write_aim_scan
from napari_vbmd.io.deidentify import deidentify
from napari_vbmd.io.files import read_mask, write_mask
from napari_vbmd.io.isq import read_isq, write_isq
from napari_vbmd.io.processing_log import ProcessingLog, as_log
from napari_vbmd.scan import Scan

settings.register_profile(
    "files",
    max_examples=150,
    deadline=None,
    database=None,
    derandomize=True,  # `make fuzz` is for what nobody has tried yet
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("files")

SHAPES = st.tuples(*(st.integers(1, 9),) * 3)
SPACINGS = st.tuples(*(st.integers(1_000, 2_000_000),) * 3)  # nm, as version 030 keeps them
POSITIONS = st.tuples(*(st.integers(-(2**31) + 1, 2**31 - 1),) * 3)
NEAR = st.tuples(*(st.integers(-2000, 2000),) * 3)


@st.composite
def grids(draw, positions=POSITIONS):
    spacing = tuple(nm / 1e6 for nm in draw(SPACINGS))
    return Grid(draw(SHAPES), spacing, draw(positions))


@st.composite
def volumes(draw, dtype, values, positions=POSITIONS):
    grid = draw(grids(positions))
    return draw(arrays(dtype, grid.shape, elements=values)), grid


@pytest.fixture(params=["020", "030"])
def either_version(request, monkeypatch):
    if request.param == "030":
        monkeypatch.setattr(aim_write, "_LARGEST_V020", 0)
    return request.param


@given(volumes(np.uint8, st.sampled_from([0, 0, 1])))
def test_masks_return_from_an_aim_and_from_aimio(tmp_path, either_version, volume):
    mask, grid = volume
    write_aim_mask(tmp_path / "m.aim", mask, grid)
    scan = read_aim(tmp_path / "m.aim")
    np.testing.assert_array_equal(scan.voxels, mask * np.int8(127))
    assert scan.grid.position == grid.position
    np.testing.assert_allclose(scan.grid.spacing_mm, grid.spacing_mm, rtol=1e-6)
    theirs, meta = py_aimio.read_aim(str(tmp_path / "m.aim"))
    np.testing.assert_array_equal(theirs, scan.voxels)
    assert meta["position"] == grid.position[::-1]


@given(volumes(np.uint8, st.integers(0, 127)))
def test_labels_return_from_an_aim(tmp_path, either_version, volume):
    labels, grid = volume
    write_aim_mask(tmp_path / "m.aim", labels, grid)
    voxels = read_aim(tmp_path / "m.aim").voxels
    single = len(np.unique(labels[labels > 0])) <= 1
    np.testing.assert_array_equal(voxels, np.where(labels, 127, 0) if single else labels)
    np.testing.assert_array_equal(py_aimio.read_aim(str(tmp_path / "m.aim"))[0], voxels)


@given(volumes(np.int16, st.integers(-(2**15), 2**15 - 1)))
def test_scans_return_from_an_aim(tmp_path, either_version, volume):
    values, grid = volume
    write_aim_scan(tmp_path / "s.aim", Scan(values, "native", grid, Calibration()))
    np.testing.assert_array_equal(read_aim(tmp_path / "s.aim").voxels, values)
    np.testing.assert_array_equal(py_aimio.read_aim(str(tmp_path / "s.aim"))[0], values)


@given(volumes(np.uint8, st.integers(0, 255), NEAR), st.sampled_from([".nii.gz", ".nrrd", ".mha"]))
@settings(max_examples=30)
def test_masks_return_from_open_formats(tmp_path, volume, suffix):
    labels, grid = volume
    (tmp_path / f"m{suffix}").unlink(missing_ok=True)  # one of many values is not written over
    written = read_mask(write_mask(tmp_path / f"m{suffix}", labels, grid))
    only_127 = set(np.unique(labels)) - {0} == {127}
    np.testing.assert_array_equal(written.voxels, labels // 127 if only_127 else labels)
    assert written.grid.same_as(grid)
    assert written.grid.position == grid.position


@given(
    arrays(np.int16, SHAPES, elements=st.integers(-(2**15), 2**15 - 1)),
    st.tuples(*(st.integers(1, 2000),) * 3),
    st.tuples(*(st.floats(1e-3, 1e5),) * 3),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
)
def test_scans_return_from_an_isq(tmp_path, values, um, constants, name):
    slope, intercept, mu_water = constants
    calibration = Calibration(8192.0, mu_water, slope, -intercept, source="test")
    spacing = tuple(n / 1000 for n in um)
    write_isq(tmp_path / "s.isq", values, spacing, calibration, name)
    scan = read_isq(tmp_path / "s.isq")
    np.testing.assert_array_equal(scan.voxels, values)
    np.testing.assert_allclose(scan.grid.spacing_mm, spacing, rtol=1e-6)
    read = scan.calibration
    assert (read.density_slope, read.density_intercept, read.mu_water_per_cm) == pytest.approx(
        (slope, -intercept, mu_water), rel=1e-15
    )
    assert scan.header["Patient Name"] == name.strip()
    (tmp_path / "clean.isq").unlink(missing_ok=True)
    deidentify(tmp_path / "s.isq", tmp_path / "clean.isq")
    np.testing.assert_array_equal(read_isq(tmp_path / "clean.isq").voxels, values)


@given(
    arrays(np.int8, st.integers(0, 400), elements=st.sampled_from([0, 0, 0, 1, -3])),
    arrays(np.uint8, 400, elements=st.integers(0, 255)),
    st.integers(1, 50),
)
def test_runs_expand_as_repetition_does(values, lengths, block):
    expected = np.repeat(values, lengths[: len(values)])
    before, aim_runs._BLOCK = aim_runs._BLOCK, block
    try:
        expanded = aim_runs.expand(values, lengths[: len(values)], expected.size)
    finally:
        aim_runs._BLOCK = before
    np.testing.assert_array_equal(expanded, expected)


@given(arrays(bool, SHAPES), st.tuples(*(st.integers(0, 4),) * 3))
def test_a_frame_goes_around_what_is_encoded(inner, frame):
    shape = tuple(n + 2 * f for n, f in zip(inner.shape, frame, strict=True))
    runs = aim_runs.binary_runs(aim_runs.encode(inner))
    voxels = aim_runs.within_frame(*runs, shape, frame)
    np.testing.assert_array_equal(voxels, np.pad(inner, [(f, f) for f in frame]) * np.int8(127))


@given(
    arrays(
        np.float32, 20, elements=st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False)
    )
)
def test_vax_floats_return_to_the_last_bit(values):
    values[np.abs(values) < 1e-36] = 0  # less than a VAX can say
    data = b"".join(vax.encode_f(float(v)) for v in values)
    np.testing.assert_array_equal(vax.decode_f_array(np.frombuffer(data, np.uint8)), values)


@given(st.binary(max_size=500))
def test_a_log_returns_to_the_byte(data):
    log = ProcessingLog.from_bytes(data)
    assert log.to_bytes() == data
    assert len(log.public().to_bytes()) == len(data)
    assert as_log(log.text).text == log.text


@given(st.dictionaries(st.from_regex(r"[A-Z][a-z]{2,20}", fullmatch=True), st.integers()))
def test_entries_return_from_a_log(entries):
    assert dict(as_log(entries)) == {key: str(value) for key, value in entries.items()}
