"""A large mask in 3D: a surface in its place, and its volume never in graphics memory."""

import numpy as np
import pytest
from napari.layers import Surface
from vispy.visuals.volume import VolumeVisual

from napari_vbmd.io.files import write_mask
from napari_vbmd.plugin import layers, solid_view
from napari_vbmd.plugin.layers import add_mask
from napari_vbmd.scan import Mask


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch):
    monkeypatch.setattr(layers, "LARGEST_VOLUME", 1000)


@pytest.fixture
def sent(monkeypatch):
    """Shapes of the volumes that were handed to the graphics card."""
    shapes, plain = [], VolumeVisual.set_data

    def note(self, vol, *args, **kwargs):
        shapes.append(np.shape(vol))
        return plain(self, vol, *args, **kwargs)

    monkeypatch.setattr(VolumeVisual, "set_data", note)
    return shapes


def surfaces(viewer) -> list[Surface]:
    return [layer for layer in viewer.layers if isinstance(layer, Surface)]


@pytest.fixture
def in_3d(viewer, qtbot):
    def switch(count=1) -> list[Surface]:
        viewer.dims.ndisplay = 3
        view = solid_view._guards[viewer]
        qtbot.waitUntil(lambda: not view.busy and len(surfaces(viewer)) == count, timeout=20_000)
        return surfaces(viewer)

    return switch


def test_the_surface_stands_where_the_mask_is(mask, tube, in_3d):
    (surface,) = in_3d()
    low, high = surface.extent.world
    inside = np.argwhere(tube.mask)
    np.testing.assert_allclose(low, inside.min(axis=0) * 0.082, atol=0.3)
    np.testing.assert_allclose(high, inside.max(axis=0) * 0.082, atol=0.3)
    assert surface.units == mask.units


def test_the_volume_of_a_large_mask_is_never_sent_to_the_graphics_card(mask, tube, sent, in_3d):
    in_3d()
    assert tube.mask.shape not in sent
    assert not mask.visible


def test_a_small_mask_is_shown_as_it_is(monkeypatch, viewer, mask, tube, sent):
    monkeypatch.setattr(layers, "LARGEST_VOLUME", tube.mask.size)
    viewer.dims.ndisplay = 3
    assert mask.visible
    assert tube.mask.shape in sent


def test_back_in_2d_everything_is_as_before(viewer, mask, in_3d):
    viewer.layers.selection.active = mask
    in_3d()
    assert viewer.layers.selection.active is mask
    viewer.dims.ndisplay = 2
    assert mask.visible
    assert not surfaces(viewer)
    assert viewer.layers.selection.active is mask


def test_a_hidden_mask_stays_hidden(viewer, mask):
    mask.visible = False
    viewer.dims.ndisplay = 3
    viewer.dims.ndisplay = 2
    assert not mask.visible
    assert not surfaces(viewer)


def test_the_eye_of_the_mask_is_that_of_its_surface(viewer, mask, in_3d):
    (surface,) = in_3d()
    mask.visible = True
    assert not mask.visible
    assert not surface.visible
    viewer.dims.ndisplay = 2
    assert not mask.visible


def test_a_hidden_mask_that_is_switched_on_in_3d_becomes_a_surface(viewer, mask, tube, sent, qtbot):
    mask.visible = False
    viewer.dims.ndisplay = 3
    mask.visible = True
    view = solid_view._guards[viewer]
    qtbot.waitUntil(lambda: not view.busy and len(surfaces(viewer)) == 1, timeout=20_000)
    assert tube.mask.shape not in sent
    viewer.dims.ndisplay = 2
    assert mask.visible


def test_a_larger_array_in_3d_becomes_a_surface(monkeypatch, viewer, mask, tube, sent, qtbot):
    monkeypatch.setattr(layers, "LARGEST_VOLUME", tube.mask.size)
    viewer.dims.ndisplay = 3
    larger = np.repeat(tube.mask, 2, axis=0)
    mask.data = larger
    view = solid_view._guards[viewer]
    qtbot.waitUntil(lambda: not view.busy and len(surfaces(viewer)) == 1, timeout=20_000)
    assert larger.shape not in sent


def test_new_labels_in_3d_are_hidden_and_back_in_2d_shown(viewer, mask, in_3d):
    in_3d()
    viewer._new_labels()
    new = viewer.layers[-1]
    assert not new.visible
    viewer.dims.ndisplay = 2
    assert new.visible


def test_a_surface_that_was_deleted_comes_back_by_the_masks_eye(viewer, mask, in_3d, qtbot):
    (surface,) = in_3d()
    viewer.layers.remove(surface)
    mask.visible = True
    view = solid_view._guards[viewer]
    qtbot.waitUntil(lambda: not view.busy and len(surfaces(viewer)) == 1, timeout=20_000)
    viewer.layers.remove(surfaces(viewer)[0])
    viewer.dims.ndisplay = 2
    assert mask.visible


def test_an_edit_in_3d_is_seen_in_the_surface(viewer, mask, in_3d, qtbot):
    (surface,) = in_3d()
    before = surface.extent.world[1, 0]
    z, y, x = np.nonzero(mask.data[12:])
    mask.data_setitem((z + 12, y, x), 0)
    view = solid_view._guards[viewer]
    qtbot.waitUntil(lambda: not view.busy, timeout=20_000)
    assert surface.extent.world[1, 0] < before - 0.5


def test_a_mask_that_comes_while_3d_is_shown_becomes_a_surface(
    viewer, mask, tube, in_3d, sent, qtbot
):
    in_3d()
    add_mask(viewer, Mask(tube.small.copy(), tube.grid), "small")
    view = solid_view._guards[viewer]
    qtbot.waitUntil(lambda: not view.busy and len(surfaces(viewer)) == 2, timeout=20_000)
    assert tube.small.shape not in sent


def test_a_mask_file_that_is_opened_while_3d_is_shown_becomes_a_surface(
    viewer, scan, tube, tmp_path, sent, qtbot
):
    path = tmp_path / "mask.aim"
    write_mask(path, tube.mask, tube.grid)
    viewer.dims.ndisplay = 3
    viewer.open(path, plugin="napari-vbmd")
    view = solid_view._guards[viewer]
    qtbot.waitUntil(lambda: not view.busy and len(surfaces(viewer)) == 1, timeout=20_000)
    assert tube.mask.shape not in sent


def test_the_surface_goes_with_its_mask(viewer, mask, in_3d):
    in_3d()
    viewer.layers.remove(mask)
    assert not surfaces(viewer)
    viewer.dims.ndisplay = 2


def test_an_empty_mask_has_no_surface(viewer, mask, qtbot):
    mask.data = np.zeros_like(mask.data)
    viewer.dims.ndisplay = 3
    qtbot.waitUntil(lambda: not solid_view._guards[viewer].busy, timeout=20_000)
    assert not surfaces(viewer)


def test_back_before_the_surface_is_made(viewer, mask, monkeypatch, gate, entered, qtbot):
    monkeypatch.setattr(solid_view, "outer_surface", gate.around(solid_view.outer_surface))
    viewer.dims.ndisplay = 3
    entered()
    viewer.dims.ndisplay = 2
    gate.opened.set()
    qtbot.wait(100)
    assert mask.visible
    assert not surfaces(viewer)
