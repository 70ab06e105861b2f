"""Saving masks: geometry and voxels survive, and no scan is ever written over."""

import shutil

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels, Layer

from napari_vbmd.errors import ParameterError, VbmdError, WriteError
from napari_vbmd.grid import Grid
from napari_vbmd.io.aim import read_aim
from napari_vbmd.io.aim_write import write_aim_scan
from napari_vbmd.io.files import read_mask, read_scan
from napari_vbmd.plugin.layers import mask_of, mask_to_layer
from napari_vbmd.plugin.readers import read
from napari_vbmd.plugin.writers import write_labels
from napari_vbmd.scan import Mask

GRID = Grid((5, 6, 7), (0.08, 0.1, 0.082), (3, -4, 1500))
ENDINGS = [".aim", ".nii.gz", ".nii", ".nrrd", ".mha"]


@pytest.fixture
def layer() -> Labels:
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[1:4, 2:5, 1:6] = 1
    about = {"method": "contour", "log": {"Site": "21"}}
    return Layer.create(*mask_to_layer(Mask(voxels, GRID), "m", about=about))


def save(layer, path) -> list[str]:
    data, attributes, _ = layer.as_layer_data_tuple()
    return write_labels(str(path), data, attributes)


@pytest.mark.parametrize("ending", ENDINGS)
def test_saved_and_reopened_mask_is_the_same(layer, tmp_path, ending):
    path = tmp_path / f"m{ending}"
    assert save(layer, path) == [str(path)]
    again = Layer.create(*read(str(path))[0])
    np.testing.assert_array_equal(again.data, layer.data)
    assert mask_of(again).grid.same_as(GRID)
    np.testing.assert_allclose(again.scale, layer.scale, rtol=1e-6)
    np.testing.assert_allclose(again.translate, layer.translate, atol=1e-4)


@pytest.mark.parametrize("ending", ENDINGS)
def test_several_labels_survive(layer, tmp_path, ending):
    layer.data[0, 0, 0] = 7
    save(layer, tmp_path / f"m{ending}")
    np.testing.assert_array_equal(read_mask(tmp_path / f"m{ending}").voxels, layer.data)


@pytest.mark.parametrize("ending", ENDINGS)
def test_layers_save_of_the_viewer_writes_the_mask(make_napari_viewer, layer, tmp_path, ending):
    viewer = make_napari_viewer()
    viewer.add_layer(layer)
    path = tmp_path / f"m{ending}"
    written = viewer.layers.save(str(path), plugin="napari-vbmd")
    assert written == [str(path)]
    again = read_mask(path)
    np.testing.assert_array_equal(again.voxels, layer.data)
    assert again.grid.same_as(GRID)


def test_edited_mask_of_a_file_is_saved_where_it_lay(layer, tmp_path):
    path = tmp_path / "m.aim"
    save(layer, path)
    opened = Layer.create(*read(str(path))[0])
    opened.data_setitem((np.array([0]), np.array([0]), np.array([0])), 1)
    save(opened, path)
    again = read_mask(path)
    assert again.grid.same_as(GRID)
    assert again.grid.position == GRID.position
    assert again.voxels.sum() == layer.data.sum() + 1


def test_log_of_an_aim_says_how_the_mask_was_made(layer, tmp_path):
    save(layer, tmp_path / "m.aim")
    log = read_aim(tmp_path / "m.aim").header
    assert log["Site"] == "21"
    assert log["Mask made by"] == "contour"
    assert log["Mask edited with"].startswith("napari-vbmd ")


def test_log_of_the_opened_file_is_kept_when_saved_again(layer, tmp_path):
    save(layer, tmp_path / "m.aim")
    opened = Layer.create(*read(str(tmp_path / "m.aim"))[0])
    save(opened, tmp_path / "again.aim")
    assert read_aim(tmp_path / "again.aim").header["Site"] == "21"


def test_labels_made_by_napari_itself_can_be_saved(tmp_path, scan_layer):
    viewer = ViewerModel()
    viewer.add_layer(scan_layer)
    viewer._new_labels()
    layer = viewer.layers[-1]
    layer.data[3, 20:30, 20:30] = 1
    save(layer, tmp_path / "new.aim")
    again = read_mask(tmp_path / "new.aim")
    np.testing.assert_array_equal(again.voxels, layer.data)
    np.testing.assert_allclose(again.grid.spacing_mm, (0.082,) * 3, rtol=1e-6)


def test_saving_over_a_scan_is_refused_and_its_bytes_stay(layer, tube, tmp_path, digest):
    path = tmp_path / "scan.isq"
    shutil.copy(tube.path, path)
    before = digest(path)
    with pytest.raises(WriteError):
        save(layer, path)
    assert digest(path) == before


@pytest.mark.parametrize("name", ["scan.aim", "scan.mha"])
def test_saving_over_grey_values_of_a_mask_format_is_refused(layer, tube, tmp_path, name, digest):
    path = tmp_path / name
    if name.endswith(".aim"):
        write_aim_scan(path, read_scan(tube.path))
    else:
        path.write_bytes(b"a scan that somebody keeps under this name")
    before = digest(path)
    with pytest.raises(WriteError, match="not a mask"):
        save(layer, path)
    assert digest(path) == before
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_layers_save_of_the_viewer_does_not_write_over_a_scan(
    make_napari_viewer, layer, tube, tmp_path, digest
):
    path = tmp_path / "scan.aim"
    write_aim_scan(path, read_scan(tube.path))
    before = digest(path)
    viewer = make_napari_viewer()
    viewer.add_layer(layer)
    with pytest.raises(WriteError, match="not a mask"):
        viewer.layers.save(str(path), plugin="napari-vbmd")
    assert digest(path) == before


def test_saving_over_a_mask_replaces_it(layer, tmp_path):
    path = tmp_path / "m.aim"
    save(layer, path)
    layer.data[...] = 0
    layer.data[2, 2, 2] = 1
    save(layer, path)
    assert read_mask(path).voxels.sum() == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"scale": (1, 1, 1), "units": ("pixel",) * 3}, "voxel size is not known"),
        ({"rotate": 20}, "resample"),
    ],
)
def test_mask_without_straight_geometry_in_mm_is_refused_and_nothing_is_left(
    tmp_path, change, reason
):
    layer = Labels(np.ones((2, 3, 4), np.uint8), **{"scale": (0.1,) * 3, **change})
    with pytest.raises(VbmdError, match=reason):
        save(layer, tmp_path / "m.aim")
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_one_clear_line(layer, tmp_path):
    with pytest.raises(WriteError, match="does not exist") as error:
        save(layer, tmp_path / "nowhere" / "m.aim")
    assert "\n" not in str(error.value)


def test_position_between_voxels_is_refused_for_aim_but_not_for_mha(layer, tmp_path):
    layer.translate = (0.01, 0, 0)
    with pytest.raises(ParameterError, match="whole voxels"):
        save(layer, tmp_path / "m.aim")
    save(layer, tmp_path / "m.mha")
    assert read_mask(tmp_path / "m.mha").grid.same_as(mask_of(layer).grid)
