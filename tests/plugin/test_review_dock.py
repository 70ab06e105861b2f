"""The dock Review: the layer, the way through the slices, and the strip, in a real window."""

import numpy as np
import pytest

from napari_vbmd.errors import WriteError
from napari_vbmd.io.rescue import left_behind
from napari_vbmd.plugin import review_dock
from napari_vbmd.plugin.autosave import _guards
from napari_vbmd.plugin.layers import AGREEMENT, EXPERT, OURS, add_mask
from napari_vbmd.plugin.writers import write_labels
from napari_vbmd.scan import Mask

PIXEL_MM2 = 0.082**2


@pytest.fixture
def expert(viewer, mask, tube):
    """The same bone on its own box, without slices 0 and 1."""
    box = np.s_[2:24, 6:60, 8:58]
    return add_mask(viewer, Mask(tube.mask[box].copy(), tube.grid.box(box)), "expert", EXPERT)


@pytest.fixture
def page(viewer, scan, mask, expert, dock):
    mask.data[:2] = 0
    mask.data[5, 31, 5:8] = 1  # 3 voxels of ours
    mask.data[9, 20:30, 20:30] = 0  # 100 of the expert's
    mask.data[14, 20:26, 20:26] = 0  # 36
    page = dock("Review")
    page.mask.pick(mask)
    page.expert.pick(expert)
    return page


@pytest.fixture
def compared(page, run, settled):
    run(page)
    settled(page)
    return page


@pytest.fixture
def settled(qtbot):
    """Wait until everything that follows an edit has followed."""
    return lambda page: qtbot.waitUntil(
        lambda: not (page._live._timer.isActive() or page._later.isActive()), timeout=5000
    )


def at(viewer) -> int:
    return viewer.dims.current_step[0]


def shown(page, tube) -> np.ndarray:
    """The disagreement layer's voxels on the scan's grid."""
    layer = page.overlay.layer
    start = np.round(np.array(layer.translate) / layer.scale).astype(int)
    whole = np.zeros(tube.grid.shape, np.uint8)
    whole[tuple(slice(a, a + n) for a, n in zip(start, layer.data.shape, strict=True))] = layer.data
    return whole


def what_differs(mask, tube) -> np.ndarray:
    theirs = tube.mask.copy()
    theirs[:2] = 0
    return (mask.data != 0) + 2 * (theirs != 0)


def color_of(layer, value) -> str:
    return "#" + "".join(f"{round(255 * c):02X}" for c in layer.colormap.map(value)[:3])


def test_only_mine_is_blue_and_only_the_experts_orange_on_the_bones_box(compared, mask, tube):
    layer = compared.overlay.layer
    np.testing.assert_array_equal(shown(compared, tube), what_differs(mask, tube))
    assert layer.data.size < np.prod(tube.grid.shape)
    assert (color_of(layer, 1), color_of(layer, 2)) == (OURS, EXPERT)
    assert layer.colormap.map(3)[3] == 0
    assert layer.contour == 0
    compared.agreement.setChecked(True)
    assert color_of(layer, 3) == AGREEMENT
    assert layer.colormap.map(3)[3] == 1


def test_it_starts_with_the_worst_slice_and_walks_down_and_back(compared, viewer, mask, click):
    assert at(viewer) == 9
    assert compared.here.text().split("\n")[0].startswith("Slice 9: Dice 0.95")
    assert f"{100 * PIXEL_MM2:.2f} mm² only the expert's" in compared.here.text()
    assert compared.left.text() == "3 slices differ, 2 not seen yet"
    click(compared.go_on)
    assert at(viewer) == 14
    click(compared.go_on)
    assert at(viewer) == 5
    click(compared.go_back)
    assert at(viewer) == 14
    click(compared.go_back)
    click(compared.go_back)
    assert at(viewer) == 9
    assert "where the way began" in compared.run_bar.message.text()
    for expected in (14, 5, 9):  # forward again, then another round
        click(compared.go_on)
        assert at(viewer) == expected


def test_the_keys_walk_too_while_the_mask_is_selected(compared, viewer, mask):
    assert viewer.layers.selection.active is mask
    keys = {str(key): run for key, run in mask.keymap.items()}
    keys["Shift+D"](mask)
    assert at(viewer) == 14
    keys["Shift+A"](mask)
    assert at(viewer) == 9
    assert "Shift+D" in compared.keys.sheet()


def test_a_corrected_slice_is_left_behind(compared, viewer, mask, tube, click, settled):
    mask.data_setitem(np.nonzero(np.pad(tube.mask[9:10], ((9, 14), (0, 0), (0, 0)))), 1)
    assert compared.here.text() == "Slice 9: Dice 1.000, no difference"
    assert compared.left.text() == "2 slices differ, 2 not seen yet"
    np.testing.assert_array_equal(shown(compared, tube), what_differs(mask, tube))
    settled(compared)
    assert dict(zip(*compared.strip.dice_axes.lines[0].get_data(), strict=True))[9] == 1
    click(compared.go_on)
    assert at(viewer) == 14
    mask.undo()
    settled(compared)
    np.testing.assert_array_equal(shown(compared, tube), what_differs(mask, tube))
    assert compared.review.differences.worst_first() == [9, 14, 5]


def test_painting_beyond_the_box_is_shown_and_the_layer_stays_uneditable(
    compared, viewer, mask, tube, settled
):
    mask.brush_size = 3
    before = compared.overlay.layer.data.shape
    mask.paint((9, 61, 108), 1)
    assert compared.overlay.layer.data.shape != before
    np.testing.assert_array_equal(shown(compared, tube), what_differs(mask, tube))
    assert not compared.overlay.layer.editable


def test_an_edit_of_all_slices_is_followed_when_things_are_quiet(compared, mask, tube, settled):
    mask.data[:] = np.roll(mask.data, 2, axis=2)
    mask.refresh()
    settled(compared)
    np.testing.assert_array_equal(shown(compared, tube), what_differs(mask, tube))
    assert len(compared.review.differences.worst_first()) == 22


def test_the_layer_is_no_mask_for_anyone(compared, viewer, dock, mask, tmp_path, rescue_folder):
    layer = compared.overlay.layer
    for name in ("Correct", "Measure", "Post-process"):
        assert dock(name).mask.findData(layer) < 0
    assert compared.mask.findData(layer) < 0
    assert not layer.editable
    assert layer not in _guards[viewer]._kept
    with pytest.raises(WriteError, match="it is no mask"):
        write_labels(str(tmp_path / "x.aim"), layer.data, layer.as_layer_data_tuple()[1])
    assert not (tmp_path / "x.aim").exists()
    assert not list(left_behind(rescue_folder))


def test_strip_shows_dice_and_density_and_goes_where_it_is_clicked(compared, viewer, tube):
    dice = dict(zip(*compared.strip.dice_axes.lines[0].get_data(), strict=True))
    count = np.count_nonzero(tube.mask[9])
    assert dice[9] == pytest.approx(2 * (count - 100) / (2 * count - 100))
    theirs, ours = compared.strip.axes.lines[:2]
    expected = tube.density[12][tube.mask[12] != 0].mean()
    for line in (theirs, ours):
        assert dict(zip(*line.get_data(), strict=True))[12] == pytest.approx(expected)
    compared.strip.slice_clicked.emit(17)
    assert at(viewer) == 17
    assert [marker.get_xdata()[0] for marker in compared.strip._markers] == [17, 17]
    assert compared.here.text() == "Slice 17: Dice 1.000, no difference"


def test_slices_that_only_one_mask_reaches_are_told(page, mask, tube, run, viewer):
    mask.data[:2] = tube.mask[:2]
    mask.data[23] = 0
    run(page)
    assert "0–1 only mine: Clip in the dock Correct" in page.left.text()
    assert "23 only the expert's" in page.left.text()
    viewer.dims.set_point(0, 0)
    assert page.here.text().startswith("Slice 0: Dice 0.000, worst 1 of 6")


def test_without_a_calibration_there_is_agreement_and_no_density(
    page, viewer, plain_layer, run, settled
):
    viewer.add_layer(plain_layer)
    page.scan.pick(plain_layer)
    run(page)
    settled(page)
    assert page.strip.axes is None
    assert page.strip.dice_axes.lines
    assert page.overlay.layer is not None


def test_what_is_missing_is_said_before_a_run(page, mask):
    page.expert.setCurrentIndex(0)
    assert page.run_bar.button.toolTip() == "Choose the expert's mask first"
    page.expert.pick(mask)
    assert page.run_bar.button.toolTip() == "Choose two different masks"
    assert not page.run_bar.button.isEnabled()


def test_masks_that_cannot_be_compared_are_one_line(page, expert, run, notes):
    expert.data[:] = 0
    run(page)
    assert "nothing to compare" in page.run_bar.message.text()
    assert len(notes) == 1
    assert page.overlay.layer is None


def test_another_mask_ends_the_review_and_takes_the_layer_away(compared, viewer, tube):
    other = add_mask(viewer, Mask(tube.small.copy(), tube.grid), "other")
    layer = compared.overlay.layer
    assert layer in viewer.layers
    compared.mask.pick(other)
    assert layer not in viewer.layers
    assert compared.strip.isHidden()
    compared.next()
    assert "Compare the two masks first" in compared.run_bar.message.text()


def test_a_layer_that_a_person_removed_is_not_missed(compared, viewer, mask, tube, run):
    viewer.layers.remove(compared.overlay.layer)
    mask.brush_size = 5
    mask.paint((9, 31, 32), 0)
    assert compared.here.text().startswith("Slice 9")
    run(compared)
    np.testing.assert_array_equal(shown(compared, tube), what_differs(mask, tube))


def test_an_edit_of_the_experts_mask_makes_it_stale(compared, expert, run):
    assert compared.stale.isHidden()
    expert.paint((3, 5, 5), 1)
    assert "expert's mask was changed" in compared.stale.text()
    run(compared)
    assert compared.stale.isHidden()


def test_closing_the_dock_takes_layer_and_keys_along(compared, viewer, mask, close_dock):
    close_dock(compared)
    assert [layer.name for layer in viewer.layers] == ["tube.isq", "mask", "expert"]
    assert not any(mask.keymap.values())
    mask.paint((9, 31, 32), 0)


def test_cancel_leaves_everything_as_it_was(page, viewer, monkeypatch, gate, entered, click, ended):
    monkeypatch.setattr(review_dock, "Review", gate.around(review_dock.Review))
    click(page.run_bar.button)
    entered()
    click(page.run_bar.cancel)
    gate.opened.set()
    ended(page)
    assert gate.outcome == "Cancelled"
    assert page.overlay.layer is None
    assert "Cancelled" in page.run_bar.message.text()


def test_painting_while_it_compares_is_counted(page, mask, monkeypatch, gate, entered, click, ended,
                                               tube, settled):  # fmt: skip
    monkeypatch.setattr(review_dock, "Review", gate.around(review_dock.Review))
    click(page.run_bar.button)
    entered()
    mask.brush_size = 7
    mask.paint((20, 31, 32), 0)
    gate.opened.set()
    ended(page)
    settled(page)
    np.testing.assert_array_equal(shown(page, tube), what_differs(mask, tube))


def test_measure_hands_its_layers_over(viewer, scan, mask, expert, dock):
    measure = dock("Measure")
    measure.mask.pick(mask)
    measure.expert.pick(expert)
    review = measure.open_dock("Review")
    assert (review.mask.layer, review.expert.layer) == (mask, expert)
    correct = review.open_dock("Correct")
    assert correct.mask.layer is mask
