"""Files into layers: what is offered, what is a scan and what is a mask."""

import shutil

import numpy as np
import pytest
from napari.layers import Layer

from napari_vbmd.errors import FileFormatError
from napari_vbmd.grid import Grid
from napari_vbmd.io.aim_write import write_aim_scan
from napari_vbmd.io.files import read_scan, write_mask
from napari_vbmd.io.isq import write_isq
from napari_vbmd.plugin.layers import EXPERT, mask_of, scan_of
from napari_vbmd.plugin.readers import get_reader, read

GRID = Grid((4, 6, 8), (0.082,) * 3, (5, -3, 7))


@pytest.fixture
def write(tmp_path):
    """Write labels to a file and give its path."""

    def write(name, labels, grid=GRID):
        return write_mask(tmp_path / name, labels, grid)

    return write


@pytest.fixture
def labels():
    labels = np.zeros(GRID.shape, np.uint8)
    labels[1:3, 2:5, 3:6] = 1
    return labels


@pytest.mark.parametrize(
    "name",
    [
        *("a.isq", "A.ISQ", "a.isq;1", "a.AIM;12", "a.aim", "a.dcm"),
        *("a.nii", "a.nii.gz", "a.nrrd", "a.nhdr", "a.mha", "a.mhd"),
    ],
)
def test_known_endings_are_offered(tmp_path, name):
    assert get_reader(str(tmp_path / name)) is read


@pytest.mark.parametrize("name", ["a.tif", "a.gz", "a", "isq", "a.isq.txt"])
def test_other_files_are_left_to_other_readers(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert get_reader(str(tmp_path / name)) is None


def test_several_files_are_offered_only_when_all_are_known():
    assert get_reader(["a.isq", "a.aim"]) is read
    assert get_reader(["a.isq", "a.tif"]) is None
    assert get_reader([]) is None


def test_folder_is_offered_when_it_holds_dicom(tmp_path):
    folder = tmp_path / "series"
    folder.mkdir()
    assert get_reader(str(folder)) is None
    (folder / "notes.txt").write_text("no scan")
    assert get_reader(str(folder)) is None
    (folder / "IM0001").write_bytes(bytes(128) + b"DICM")
    assert get_reader(str(folder)) is read


def test_zarr_folder_is_left_to_other_readers(tmp_path):
    folder = tmp_path / "a.zarr"
    folder.mkdir()
    (folder / "0").write_bytes(bytes(128) + b"DICM")
    assert get_reader(str(folder)) is None


def test_isq_becomes_one_calibrated_image_layer(tube):
    (data, kwargs, kind), *others = read(str(tube.path))
    layer = Layer.create(data, kwargs, kind)
    assert (kind, others) == ("image", [])
    assert scan_of(layer).is_calibrated
    assert scan_of(layer).path == tube.path


def test_version_suffix_of_the_scanner_is_ignored(tube, tmp_path):
    path = tmp_path / "TUBE.ISQ;1"
    shutil.copy(tube.path, path)
    [(data, kwargs, kind)] = read(str(path))
    assert (kind, kwargs["name"], data.shape) == ("image", "TUBE.ISQ;1", tube.grid.shape)


@pytest.mark.parametrize("name", ["m.aim", "m.nii.gz", "m.nrrd", "m.mha"])
def test_labels_in_any_format_become_a_mask_at_their_place(write, labels, name):
    [(data, kwargs, kind)] = read(str(write(name, labels)))
    layer = Layer.create(data, kwargs, kind)
    assert (kind, layer.name) == ("labels", name)
    np.testing.assert_array_equal(layer.data, labels)
    assert mask_of(layer).grid.same_as(GRID)
    assert layer.metadata["vbmd"]["about"]["file"] == name
    np.testing.assert_allclose(layer.get_color(1), (0xE6 / 255, 0x9F / 255, 0, 1), atol=1e-6)
    assert EXPERT == "#E69F00"


@pytest.mark.parametrize("name", ["m.aim", "m.mha"])
def test_opened_mask_can_be_painted_and_its_file_stays_as_it_was(write, labels, name, digest):
    path = write(name, labels)
    before = digest(path)
    layer = Layer.create(*read(str(path))[0])
    layer.selected_label = 1
    layer.paint((0, 0, 0), 1)
    layer.data_setitem((np.array([3]), np.array([5]), np.array([7])), 1)
    assert layer.editable
    assert layer.data[0, 0, 0] == layer.data[3, 5, 7] == 1
    assert digest(path) == before


def test_several_labels_stay_several(write, labels):
    labels[0, 0, 0] = 3
    layer = Layer.create(*read(str(write("m.aim", labels)))[0])
    assert set(np.unique(layer.data)) == {0, 1, 3}


def test_empty_mask_opens_as_a_mask(write):
    [(data, _, kind)] = read(str(write("m.aim", np.zeros(GRID.shape, np.uint8))))
    assert kind == "labels"
    assert not data.any()


def test_aim_of_grey_values_is_a_scan(tube, tmp_path):
    path = tmp_path / "grey.aim"
    write_aim_scan(path, read_scan(tube.path))
    [(data, kwargs, kind)] = read(str(path))
    assert kind == "image"
    assert scan_of(Layer.create(data, kwargs, kind)).is_calibrated


def test_eight_bit_image_of_many_values_is_a_scan(write):
    grey = np.arange(np.prod(GRID.shape), dtype=np.uint32).reshape(GRID.shape) % 100
    [(_, _, kind)] = read(str(write("grey.mha", grey.astype(np.uint8))))
    assert kind == "image"


def test_isq_is_a_scan_whatever_its_values(tube, tmp_path):
    path = tmp_path / "flat.isq"
    constants = read_scan(tube.path).calibration
    write_isq(path, np.ones((4, 8, 8), np.int16), (0.082,) * 3, constants)
    assert read(str(path))[0][2] == "image"


def test_scan_and_mask_opened_together_become_two_layers(tube, write, labels):
    kinds = [kind for _, _, kind in read([str(tube.path), str(write("m.aim", labels))])]
    assert kinds == ["image", "labels"]


def test_slices_of_one_dicom_folder_are_one_scan(monkeypatch, tube, tmp_path):
    asked = []

    def read_scan_of(path):
        asked.append(path)
        return read_scan(tube.path)

    monkeypatch.setattr("napari_vbmd.plugin.readers.read_scan", read_scan_of)
    layers = read([str(tmp_path / f"{i}.dcm") for i in range(3)])
    assert len(layers) == 1
    assert asked == [tmp_path]


def test_damaged_file_is_one_clear_line(tmp_path):
    path = tmp_path / "broken.isq"
    path.write_bytes(b"nothing of a scan")
    with pytest.raises(FileFormatError, match=r"broken\.isq") as error:
        read(str(path))
    assert "\n" not in str(error.value)


def test_scan_file_is_never_written_to(tube, viewer, open_scan, digest):
    before = digest(tube.path)
    layer = open_scan(viewer)
    with pytest.raises(ValueError, match="read-only"):
        layer.data[0, 0, 0] = 1
    layer.contrast_limits = (0, 1)
    viewer.dims.set_point(0, 0.5)
    assert digest(tube.path) == before


def test_mask_dropped_on_a_scan_lands_at_its_place(viewer, open_scan, write, tube):
    open_scan(viewer)
    grid = tube.grid.box((slice(4, 9), slice(10, 20), slice(30, 45)))
    path = write("box.aim", np.ones(grid.shape, np.uint8), grid)
    layer = viewer.open(path, plugin="napari-vbmd")[0]
    assert mask_of(layer).grid.position == (4, 10, 30)
    assert layer.contour > 0
    np.testing.assert_allclose(viewer.layers.extent.world[1], tube.grid.size_mm, atol=0.083)


def test_the_log_kept_with_a_mask_names_nobody(write, labels, tmp_path):
    log = {"Patient Name": "Roe, Jane", "Site": 4}
    path = write_mask(tmp_path / "m.aim", labels, GRID, log)
    [(_, kwargs, _)] = read(str(path))
    kept = kwargs["metadata"]["vbmd"]["about"]["log"]
    assert "Site                          4" in kept
    assert "Roe" not in kept
