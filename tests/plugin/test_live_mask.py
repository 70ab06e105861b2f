"""The numbers of a layer follow every way in which it can be edited."""

import numpy as np
import pytest
from napari.layers import Labels

from napari_vbmd.measurement.densitometry import measure
from napari_vbmd.measurement.live import LiveMeasurement
from napari_vbmd.plugin.layers import mask_of, scan_of
from napari_vbmd.plugin.live_mask import LiveMask


@pytest.fixture
def followed(qtbot, viewer, scan, mask):
    follower = LiveMask(viewer, viewer.window._qt_window)
    viewer.dims.set_point(0, 12 * 0.082)
    with qtbot.waitSignal(follower.settled, timeout=5000):
        follower.follow(mask, LiveMeasurement(scan_of(scan), mask.data, mask_of(mask).grid))
    yield follower
    follower.leave()


@pytest.fixture
def agrees(followed, scan, mask):
    """The numbers are those of a whole measurement, now, without waiting."""

    def check() -> None:
        now = followed.live.result().measurement
        whole = measure(scan_of(scan), mask_of(mask))
        assert now.voxels == whole.voxels
        assert now.tt_vbmd_mg_cm3 == whole.tt_vbmd_mg_cm3
        assert now.per_slice == whole.per_slice

    return check


def brush(layer: Labels) -> None:
    layer.paint((12, 5, 5), 1)


def eraser(layer: Labels) -> None:
    layer.paint((12, 31, 32), 0)


def ball(layer: Labels) -> None:
    layer.n_edit_dimensions = 3
    layer.brush_size = 9
    layer.paint((12, 8, 60), 1)


def fill(layer: Labels) -> None:
    layer.fill((12, 31, 32), 3)


def polygon(layer: Labels) -> None:
    layer.n_edit_dimensions = 2
    layer.paint_polygon([[12, 2, 2], [12, 2, 12], [12, 12, 12]], 1)


def setitem(layer: Labels) -> None:
    layer.data_setitem(tuple(np.array([[1, 12, 20], [3, 3, 3], [4, 5, 6]])), 1)


def setter(layer: Labels) -> None:
    data = layer.data.copy()
    data[3:7, 40:50, 2:9] = 1
    layer.data = data


@pytest.mark.parametrize(
    "edit", [brush, eraser, ball, fill, polygon, setitem, setter], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("contour", [0, 1])
def test_an_edit_counts_at_once(followed, mask, agrees, edit, contour):
    mask.contour = contour
    mask.selected_label = 1
    before = followed.live.result().measurement.voxels
    edit(mask)
    agrees()
    assert edit is fill or followed.live.result().measurement.voxels != before


@pytest.mark.parametrize("edit", [brush, ball, setitem, fill], ids=lambda f: f.__name__)
def test_undo_and_redo_count_at_once(viewer, followed, mask, agrees, edit):
    mask.selected_label = 1
    edit(mask)
    brush(mask)
    viewer.dims.set_point(0, 2 * 0.082)
    for step in (mask.undo, mask.undo, mask.redo, mask.undo, mask.redo, mask.redo):
        step()
        agrees()


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 0, 1)])
def test_painting_across_the_slices_counts_at_once(viewer, followed, mask, agrees, order):
    viewer.dims.order = order
    mask.selected_label, mask.brush_size = 1, 11
    mask.paint((12, 8, 60), 1)
    agrees()


def test_writing_into_the_array_is_found_when_things_are_quiet(qtbot, followed, mask, agrees):
    mask.data[20:23, 2:9, 2:9] = 1
    with qtbot.waitSignal(followed.settled, timeout=5000):
        mask.refresh()
    agrees()


def test_writing_into_the_slice_in_view_is_found_at_its_refresh(followed, mask, agrees):
    mask.data[12, 2:9, 2:9] = 1
    mask.refresh()
    agrees()


def test_another_array_is_looked_through_once_and_not_at_every_stroke(
    followed, mask, agrees, monkeypatch
):
    setter(mask)
    looked = []
    look = followed.live.look
    monkeypatch.setattr(followed.live, "look", lambda slices: looked.append(slices) or look(slices))
    brush(mask)
    agrees()
    assert max(len(list(slices)) for slices in looked) < 24


def test_scrolling_changes_no_number(qtbot, viewer, followed):
    with qtbot.assertNotEmitted(followed.changed, wait=400):
        for z in range(24):
            viewer.dims.set_point(0, z * 0.082)


def test_an_array_of_another_shape_is_let_go(qtbot, followed, mask):
    with qtbot.waitSignal(followed.lost):
        mask.data = np.zeros((5, 6, 7), np.uint8)
    assert followed.live is None


def test_after_leaving_nothing_is_told(qtbot, followed, mask):
    followed.leave()
    with qtbot.assertNotEmitted(followed.changed, wait=300):
        brush(mask)


def test_random_edits_keep_the_numbers_exact(viewer, followed, mask, agrees):
    rng = np.random.default_rng(5)
    edits = [brush, eraser, ball, polygon, setitem, setter, Labels.undo, Labels.redo]
    for _ in range(40):
        mask.selected_label = int(rng.integers(1, 4))
        mask.n_edit_dimensions = int(rng.choice([2, 3]))
        viewer.dims.set_point(0, int(rng.integers(0, 24)) * 0.082)
        edits[rng.integers(len(edits))](mask)
        agrees()
