"""Scans and masks as layers and back: geometry, what is refused, files that stay as they were."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.layers._layer_actions import _duplicate_layer

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import GridMismatchError, MissingCalibrationError, ParameterError, VbmdError
from napari_vbmd.grid import Grid
from napari_vbmd.io.files import read_scan
from napari_vbmd.plugin import layers
from napari_vbmd.plugin.layers import (
    EXPERT,
    OURS,
    add_mask,
    mask_of,
    mask_to_layer,
    placed_on,
    scan_of,
    scan_to_layer,
    set_calibration,
    show_window,
)
from napari_vbmd.scan import Mask, Scan

BOX = Grid((3, 4, 5), (0.09, 0.08, 0.07), (-2, 10, 3))


@pytest.fixture
def box_mask():
    voxels = np.zeros(BOX.shape, np.uint8)
    voxels[1, 1:3, 2:4] = 1
    return Mask(voxels, BOX)


@pytest.fixture
def small_pyramids(monkeypatch):
    monkeypatch.setattr(layers, "LARGEST_VOLUME", 1000)


def in_mm(data, **kwargs):
    return {"data": data, "scale": BOX.spacing_mm, "units": ("mm",) * 3, **kwargs}


def test_scan_layer_is_the_memory_map_itself_in_mm(scan_layer, tube):
    assert isinstance(scan_layer.data, np.memmap)
    assert not scan_layer.data.flags.writeable
    assert scan_layer.name == "tube.isq"
    np.testing.assert_allclose(scan_layer.scale, tube.grid.spacing_mm)
    assert [str(unit) for unit in scan_layer.units] == ["millimeter"] * 3
    assert scan_layer.axis_labels == ("z", "y", "x")
    assert list(scan_layer.metadata) == ["vbmd"]


def test_calibrated_scan_is_shown_in_the_bone_window(scan_layer):
    density = scan_of(scan_layer).density_transform()
    np.testing.assert_allclose(density(np.array(scan_layer.contrast_limits)), (-200, 1200))


def test_uncalibrated_scan_is_shown_in_the_spread_of_its_values(tube):
    native = np.asarray(read_scan(tube.path).voxels)
    layer = Layer.create(*scan_to_layer(Scan(native, "native", tube.grid)))
    low, high = layer.contrast_limits
    assert native.min() <= low < np.median(native) < high <= native.max()


@pytest.mark.parametrize("value", [0, 7, np.nan])
def test_scan_of_one_value_still_gets_a_layer(value):
    voxels = np.full((2, 8, 8), value, np.float32)
    layer = Layer.create(*scan_to_layer(Scan(voxels, "native", Grid(voxels.shape, (1, 1, 1)))))
    assert layer.contrast_limits[0] < layer.contrast_limits[1]


def test_position_becomes_translate_and_comes_back_whole(box_mask):
    layer = Layer.create(*mask_to_layer(box_mask, "box"))
    np.testing.assert_allclose(layer.translate, (-0.18, 0.8, 0.21))
    assert mask_of(layer).grid == BOX
    assert all(isinstance(p, int) for p in mask_of(layer).grid.position)


@pytest.mark.parametrize("position", [(1533, 7, -1500), (0, 0, 0), (0.5, 0.25, -0.125)])
def test_position_survives_any_spacing(position):
    grid = Grid((2, 2, 2), (0.0607, 0.0303, 0.082), position)
    layer = Layer.create(*mask_to_layer(Mask(np.ones(grid.shape, np.uint8), grid), "m"))
    np.testing.assert_allclose(mask_of(layer).grid.position, position, rtol=0, atol=1e-9)
    assert mask_of(layer).grid.same_as(grid)


def test_mask_layer_has_units_axes_and_its_colour(box_mask):
    layer = Layer.create(*mask_to_layer(box_mask, "expert", EXPERT, {"file": "a.aim"}))
    assert [str(unit) for unit in layer.units] == ["millimeter"] * 3
    assert layer.axis_labels == ("z", "y", "x")
    np.testing.assert_allclose(layer.get_color(1)[:3], (0xE6 / 255, 0x9F / 255, 0), atol=1e-6)
    assert layer.metadata["vbmd"]["about"] == {"file": "a.aim"}


def test_added_mask_is_an_outline_ready_to_paint_and_shares_the_voxels(box_mask):
    viewer = ViewerModel()
    layer = add_mask(viewer, box_mask, "ours")
    assert layer is viewer.layers["ours"]
    assert layer.contour > 0
    assert layer.selected_label == 1
    assert layer.editable
    assert np.shares_memory(layer.data, box_mask.voxels)
    np.testing.assert_allclose(layer.get_color(1)[:3], (0x56 / 255, 0xB4 / 255, 0xE9 / 255))
    assert OURS != EXPERT


def test_scan_comes_back_with_the_geometry_that_the_layer_has_now(scan_layer):
    scan_layer.scale = (0.1, 0.2, 0.3)
    scan_layer.translate = (1.0, 0.4, -0.9)
    scan = scan_of(scan_layer)
    assert scan.grid.spacing_mm == (0.1, 0.2, 0.3)
    assert scan.grid.position == (10, 2, -3)
    assert scan.is_calibrated
    assert scan.voxels is scan_layer.data


def test_units_of_a_layer_are_converted_to_mm():
    layer = Image(np.zeros((2, 3, 4)), scale=(82, 82, 61), units=("um",) * 3, translate=(0, 820, 0))
    grid = scan_of(layer).grid
    np.testing.assert_allclose(grid.spacing_mm, (0.082, 0.082, 0.061))
    assert grid.position == (0, 10, 0)


def test_scale_without_unit_is_taken_as_mm():
    layer = Image(np.zeros((2, 3, 4)), scale=(0.082,) * 3)
    assert scan_of(layer).grid.spacing_mm == (0.082,) * 3


def test_image_of_another_plugin_counts_as_native_and_uncalibrated(plain_layer):
    scan = scan_of(plain_layer)
    assert scan.unit == "native"
    assert not scan.is_calibrated
    with pytest.raises(MissingCalibrationError, match="plain"):
        scan.density_transform()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Image(np.zeros((2, 3, 4))), "voxel size is not known"),
        (lambda: Image(np.zeros((3, 4))), "2 dimensions"),
        (lambda: Image(np.zeros((2, 2, 3, 4))), "4 dimensions"),
        (lambda: Image(np.zeros((2, 3, 4, 3), np.uint8), rgb=True), "grey"),
        (lambda: Labels(np.zeros((2, 3, 4), int)), "choose a grey image"),
        (lambda: Image(**in_mm(np.zeros((2, 3, 4)), rotate=30)), "straight axes"),
        (lambda: Image(**in_mm(np.zeros((2, 3, 4)), shear=[0.1, 0, 0])), "straight axes"),
        (lambda: Image(**in_mm(np.zeros((2, 3, 4)), affine=np.diag([1, 2, 1, 1]))), "straight"),
    ],
)
def test_what_is_no_volume_in_mm_is_refused_as_a_scan(make, reason):
    layer = make()
    layer.name = "odd one"
    with pytest.raises(VbmdError, match=reason) as error:
        scan_of(layer)
    assert "odd one" in str(error.value)
    assert "\n" not in str(error.value)


def test_negative_scale_is_refused():
    layer = Image(np.zeros((2, 3, 4)), scale=(0.1, -0.1, 0.1), units=("mm",) * 3)
    with pytest.raises(VbmdError, match="above zero"):
        scan_of(layer)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int32, np.int64, np.uint16])
def test_labels_of_any_whole_type_are_a_mask(dtype):
    data = np.zeros((2, 3, 4), dtype)
    data[1, 1] = 1
    mask = mask_of(Labels(**in_mm(data)))
    assert mask.voxels.dtype == np.uint8
    np.testing.assert_array_equal(mask.voxels, data)


@pytest.mark.parametrize("label", [256, -1])
def test_labels_beyond_a_byte_are_refused(label):
    data = np.zeros((2, 3, 4), np.int32)
    data[0, 0, 0] = label
    with pytest.raises(ParameterError, match="0 to 255"):
        mask_of(Labels(**in_mm(data)))


def test_signed_bytes_below_zero_are_refused():
    data = np.zeros((2, 3, 4), np.int8)
    data[0, 0, 0] = -1
    with pytest.raises(ParameterError, match="0 to 255"):
        mask_of(Labels(**in_mm(data)))


def test_image_is_refused_as_a_mask(scan_layer):
    with pytest.raises(ParameterError, match=r"tube\.isq: not a mask"):
        mask_of(scan_layer)


def test_multiscale_labels_are_refused_as_a_mask():
    levels = [np.zeros((8, 8, 8), np.uint8), np.zeros((4, 4, 4), np.uint8)]
    with pytest.raises(ParameterError, match="multiscale"):
        mask_of(Labels(levels, multiscale=True, scale=(0.1,) * 3))


def test_rotated_mask_is_refused_as_another_grid():
    with pytest.raises(GridMismatchError, match="resample"):
        mask_of(Labels(**in_mm(np.zeros((2, 3, 4), np.uint8), rotate=10)))


def test_mask_box_is_placed_on_the_whole_scan(scan_layer, tube):
    grid = tube.grid.box((slice(4, 7), slice(10, 14), slice(20, 25)))
    placed = placed_on(Mask(np.ones(grid.shape, np.uint8), grid), scan_of(scan_layer))
    assert placed.grid == tube.grid
    expected = np.zeros(tube.grid.shape, np.uint8)
    expected[4:7, 10:14, 20:25] = 1
    np.testing.assert_array_equal(placed.voxels, expected)


def test_typed_calibration_stays_with_the_layer_and_its_other_metadata(plain_layer):
    plain_layer.metadata["theirs"] = 1
    set_calibration(
        plain_layer, "native", mu_scaling=8192.0, density_slope=1600.0, density_intercept=-390.0
    )
    assert plain_layer.metadata["theirs"] == 1
    assert scan_of(plain_layer).is_calibrated
    assert "user" in scan_of(plain_layer).calibration.source
    density = scan_of(plain_layer).density_transform()
    np.testing.assert_allclose(density(np.array(plain_layer.contrast_limits)), (-200, 1200))


def test_window_is_set_in_density(scan_layer):
    show_window(scan_layer, 0, 900)
    density = scan_of(scan_layer).density_transform()
    np.testing.assert_allclose(density(np.array(scan_layer.contrast_limits)), (0, 900))


def test_window_in_density_needs_a_calibration(plain_layer):
    before = plain_layer.contrast_limits
    with pytest.raises(MissingCalibrationError):
        show_window(plain_layer, 0, 900)
    assert plain_layer.contrast_limits == before


def test_small_scan_has_one_level(scan_layer):
    assert not scan_layer.multiscale


def test_large_scan_gets_a_coarse_level_without_reading_the_fine_one(small_pyramids, tube):
    scan = read_scan(tube.path)
    data, kwargs, kind = scan_to_layer(scan)
    assert (kind, kwargs["multiscale"]) == ("image", True)
    assert data[0] is scan.voxels
    assert np.shares_memory(data[1], scan.voxels)
    assert [level.shape for level in data] == [(24, 64, 112), (6, 16, 28)]


def test_scan_of_a_multiscale_layer_is_its_fine_level(small_pyramids, tube):
    layer = Layer.create(*scan_to_layer(read_scan(tube.path)))
    scan = scan_of(layer)
    assert layer.multiscale
    assert scan.grid == tube.grid
    assert isinstance(scan.voxels, np.memmap)


def test_layers_can_be_duplicated_by_napari(scan_layer, mask_layer, tube):
    viewer = ViewerModel()
    viewer.layers.extend([scan_layer, mask_layer])
    viewer.layers.selection = {scan_layer, mask_layer}
    _duplicate_layer(viewer.layers)
    scan_copy, mask_copy = viewer.layers["tube.isq copy"], viewer.layers["mask copy"]
    assert scan_of(scan_copy).calibration == scan_of(scan_layer).calibration
    assert scan_of(scan_copy).grid == tube.grid
    mask_copy.data[...] = 0
    assert mask_of(mask_copy).grid == tube.grid
    np.testing.assert_array_equal(mask_layer.data, tube.mask)


def test_calibrating_a_copy_leaves_the_original_as_it_was(scan_layer):
    copy = Layer.create(*scan_layer.as_layer_data_tuple())
    set_calibration(copy, "native", density_slope=1000.0)
    assert scan_of(scan_layer).calibration.density_slope == pytest.approx(1603.51904)
    assert scan_of(copy).calibration.density_slope == 1000.0


def test_calibration_in_hounsfield_units_needs_water():
    layer = Image(**in_mm(np.zeros((2, 3, 4))))
    scan = set_calibration(layer, "hu", density_slope=1600.0, density_intercept=-390.0)
    assert isinstance(scan.calibration, Calibration)
    assert not scan.is_calibrated
