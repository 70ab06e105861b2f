"""Nothing that was painted is ever lost: copies after every pause, and the offer after a crash."""

import os
import subprocess
import sys

import numpy as np
import pytest
from napari.layers import Labels

from napari_vbmd.io.rescue import Session, left_behind, rescue
from napari_vbmd.plugin import autosave
from napari_vbmd.plugin.layers import mask_of
from napari_vbmd.scan import Mask


@pytest.fixture(autouse=True)
def short_pause(monkeypatch):
    monkeypatch.setattr(autosave, "_PAUSE_MS", 50)


@pytest.fixture
def kept(rescue_folder):
    """The files of the masks that are kept now."""
    return lambda: sorted(rescue_folder.glob("*/*.npz"))


@pytest.fixture
def settled(qtbot, viewer):
    """Wait until no copy is due."""

    def wait(of=viewer) -> None:
        qtbot.waitUntil(lambda: not autosave._guards[of].busy, timeout=10_000)

    return wait


def paint(layer: Labels, at=(12, 5, 5)) -> None:
    layer.selected_label, layer.brush_size = 1, 3
    layer.paint(at, 1)


def test_after_a_pause_in_painting_a_copy_is_kept(scan, mask, kept, settled, digest, tube):
    before = digest(tube.path)
    paint(mask)
    settled()
    (file,) = kept()
    back, told = rescue(file)
    np.testing.assert_array_equal(back.voxels, mask.data)
    assert back.grid == mask_of(mask).grid
    assert (told.name, told.scan) == ("mask", "tube.isq")
    assert told.scan_path == str(tube.path)
    assert digest(tube.path) == before


def test_what_nobody_edited_is_not_kept(viewer, mask, kept, settled):
    for z in range(24):
        viewer.dims.set_current_step(0, z)
    settled()
    assert kept() == []


def test_it_is_known_which_masks_hold_edits(viewer, mask, scan, tmp_path):
    assert not autosave.is_edited(viewer, mask)
    paint(mask)
    assert autosave.is_edited(viewer, mask)
    mask.save(str(tmp_path / "mask.aim"), plugin="napari-vbmd")
    assert not autosave.is_edited(viewer, mask)
    assert not autosave.is_edited(viewer, scan)


def test_undo_is_kept_too(mask, kept, settled, tube):
    paint(mask)
    settled()
    mask.undo()
    settled()
    np.testing.assert_array_equal(rescue(kept()[0])[0].voxels, tube.mask)


def test_a_mask_that_was_saved_needs_no_copy_until_it_is_edited_again(
    viewer, mask, kept, settled, tmp_path
):
    paint(mask)
    settled()
    mask.save(str(tmp_path / "mask.aim"), plugin="napari-vbmd")
    assert kept() == []
    paint(mask, (12, 9, 9))
    settled()
    assert len(kept()) == 1


def test_a_layer_taken_out_by_mistake_keeps_its_copy(viewer, mask, kept, settled, qtbot):
    paint(mask)
    viewer.layers.remove(mask)
    qtbot.waitUntil(lambda: len(kept()) == 1, timeout=10_000)


def test_a_layer_that_is_gone_is_not_held(viewer, mask, kept, settled, qtbot):
    guard = autosave._guards[viewer]
    paint(mask)
    viewer.layers.remove(mask)
    qtbot.waitUntil(lambda: len(kept()) == 1, timeout=10_000)
    qtbot.waitUntil(lambda: not guard.findChildren(autosave._Kept), timeout=10_000)


def test_the_last_stroke_before_napari_ends_is_kept(viewer, mask, kept, monkeypatch):
    guard = autosave._guards[viewer]
    paint(mask)
    assert kept() == []
    guard.keep_what_is_due()
    np.testing.assert_array_equal(rescue(kept()[0])[0].voxels, mask.data)


def test_painting_without_a_pause_is_kept_all_the_same(qtbot, mask, kept):
    for k in range(60):
        paint(mask, (12, 3 + k % 40, 60))
        qtbot.wait(20)
        if kept():
            break
    assert kept()


def test_labels_that_are_no_mask_of_a_scan_are_let_be(viewer, mask, kept, settled, notes):
    flat = viewer.add_labels(np.zeros((30, 30), np.uint8), name="flat")
    flat.selected_label = 1
    viewer.layers["flat"].paint((5, 5), 1)
    settled()
    assert kept() == []
    assert not any("copy" in text for text in notes)


def test_a_full_disk_is_said_once(mask, settled, monkeypatch, notes):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("napari_vbmd.io.rescue.np.savez_compressed", full)
    paint(mask)
    settled()
    paint(mask, (12, 9, 9))
    settled()
    assert len(notes) == 1
    assert "save it often" in notes[0]
    assert "disk is full" in notes[0]


def test_a_dock_opened_first_after_a_crash_opens_and_the_offer_beside_it(
    viewer, dock, tube, rescue_folder
):
    left = Session(rescue_folder)
    left.keep("mask1", Mask(tube.mask, tube.grid))
    (left.folder / "owner.json").unlink()  # as of a process that is gone
    page = dock("Correct")
    assert page.mask.layer is None
    offer = viewer.window._qt_window._vbmd_offer
    assert len(offer.rows) == 1
    offer.close()


CRASH = """
import os, sys
import napari
from qtpy.QtCore import QTimer
from napari_vbmd.plugin import autosave
from napari_vbmd.plugin.layers import add_mask
from napari_vbmd.io.files import read_scan
from napari_vbmd.scan import Mask
import numpy as np

autosave._PAUSE_MS = 50
viewer = napari.Viewer(show=False)
layer = viewer.open(sys.argv[1], plugin="napari-vbmd")[0]
grid = read_scan(sys.argv[1]).grid
mask = np.zeros(grid.shape, np.uint8)
mask[10, 20:30, 20:30] = 1
labels = add_mask(viewer, Mask(mask, grid), "painted")
labels.selected_label, labels.brush_size = 1, 5
labels.paint((12, 30, 30), 1)

def in_the_middle_of_a_stroke():
    if autosave._guards[viewer].busy:
        QTimer.singleShot(50, in_the_middle_of_a_stroke)
        return
    labels._begin_stroke()
    labels.paint((12, 50, 50), 1)
    os._exit(9)

QTimer.singleShot(50, in_the_middle_of_a_stroke)
napari.run()
"""


def test_a_process_killed_in_the_middle_of_a_stroke_loses_that_stroke_at_most(
    make_napari_viewer, tube, rescue_folder, qtbot, click
):
    environment = {**os.environ, "VBMD_RESCUE": str(rescue_folder.parent)}
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(tube.path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 9, done.stderr
    (file,) = left_behind(rescue_folder)
    viewer = make_napari_viewer()
    autosave._offered.discard(rescue_folder)
    autosave.guard(viewer)
    offer = viewer.window._qt_window._vbmd_offer
    label, recover, _ = offer.rows[file]
    assert "painted, on tube.isq" in label.text()
    assert not offer.isModal()
    click(recover)
    names = [layer.name for layer in viewer.layers]
    assert names == ["tube.isq", "painted [rescued]"]
    layer = viewer.layers[-1]
    assert layer.data[10, 20:30, 20:30].all()
    assert layer.data[12, 30, 30]
    assert mask_of(layer).grid == tube.grid
    assert not file.exists()
    assert not offer.isVisible()
    assert len(list(rescue_folder.glob("*/*.npz"))) == 1, "it is safe again at once"


def test_what_is_discarded_is_gone_and_what_is_left_is_offered_again(
    viewer, rescue_folder, click, tube
):
    from napari_vbmd.io.rescue import Session
    from napari_vbmd.plugin.rescue_offer import offer
    from napari_vbmd.scan import Mask

    session = Session(rescue_folder)
    first, second = (session.keep(k, Mask(tube.mask, tube.grid)) for k in "ab")
    damaged = first.parent / "c.rescue.npz"
    damaged.write_bytes(b"junk")
    window = offer(viewer, [first, second, damaged])
    click(window.rows[first][2])
    assert not first.exists()
    click(window.rows[damaged][1])
    assert "not a mask that was kept aside" in window.message.text()
    assert second.exists()
    window.close()
    assert second.exists()
    assert len(viewer.layers) == 0
