"""The dock Post-process: in place as one undo step, into a new layer, and as a preview."""

import numpy as np
import pytest
from napari.layers import Labels
from napari.layers._layer_actions import _duplicate_layer

from napari_vbmd.grid import Grid
from napari_vbmd.plugin import layers, postprocess_dock
from napari_vbmd.plugin.layers import add_mask, is_preview, mask_of
from napari_vbmd.scan import Mask
from napari_vbmd.segmentation import postprocessing

CRUMB, HOLE = (20, 5, 60), (12, 32, 32)


@pytest.fixture
def dirty(mask) -> Labels:
    """The mask with a crumb beside it and a hole in it."""
    mask.data[CRUMB] = 1
    mask.data[11:14, 30:35, 30:35] = 0
    mask.refresh()
    return mask


@pytest.fixture
def page(viewer, dirty, dock):
    return dock("Post-process")


@pytest.fixture
def held(monkeypatch, gate):
    """The real steps, held at their beginning."""
    monkeypatch.setattr(postprocess_dock, "edit", gate.around(postprocess_dock.edit))
    return gate


@pytest.fixture
def tick(page):
    """Tick these steps and no others."""

    def tick(*steps):
        for step in page.steps:
            step.tick.setChecked(step in steps)

    return tick


def eye(page, step):
    """The Preview button in a step's row."""
    rows = page._rows
    return rows.itemAtPosition(rows.getItemPosition(rows.indexOf(step.tick))[0], 2).widget()


def previews(viewer):
    return [layer for layer in viewer.layers if is_preview(layer)]


def test_apply_cleans_the_mask_in_place(page, dirty, run, tube):
    run(page)
    np.testing.assert_array_equal(dirty.data, tube.mask)
    assert "keep the largest piece, close and fill holes: 76 voxels changed, +74 in all" in (
        page.run_bar.message.text()
    )


def test_in_place_is_one_undo_step_that_gives_the_mask_back_bit_for_bit(page, dirty, run):
    before = dirty.data.copy()
    run(page)
    after = dirty.data.copy()
    dirty.undo()
    np.testing.assert_array_equal(dirty.data, before)
    dirty.redo()
    np.testing.assert_array_equal(dirty.data, after)
    dirty.undo()
    dirty.undo()
    np.testing.assert_array_equal(dirty.data, before)


def test_painting_before_and_after_is_undone_in_its_turn(page, dirty, run):
    original = dirty.data.copy()
    dirty.paint((3, 3, 3), 1)
    painted = dirty.data.copy()
    run(page)
    cleaned = dirty.data.copy()
    dirty.paint((4, 4, 4), 1)
    for expected in (cleaned, painted, original):
        dirty.undo()
        np.testing.assert_array_equal(dirty.data, expected)


def test_in_place_keeps_the_layers_array_and_its_type(page, viewer, run, tube):
    labels = viewer.add_labels(tube.mask.astype(np.int32), scale=(0.082,) * 3, units=("mm",) * 3)
    labels.data[HOLE] = 0
    page.mask.pick(labels)
    data = labels.data
    run(page)
    assert labels.data is data
    assert labels.data.dtype == np.int32
    np.testing.assert_array_equal(labels.data, tube.mask)


def test_nothing_to_change_leaves_no_undo_step(page, dirty, run):
    run(page)
    after = dirty.data.copy()
    run(page)
    assert "nothing to change" in page.run_bar.message.text()
    dirty.undo()
    assert (dirty.data != after).any()


def test_only_ticked_steps_are_done(page, dirty, tick, run):
    tick(page.largest)
    run(page)
    assert dirty.data[CRUMB] == 0
    assert dirty.data[HOLE] == 0


def test_without_a_tick_nothing_is_done_and_it_says_so(page, dirty, tick, click, notes):
    tick()
    before = dirty.data.copy()
    click(page.run_bar.button)
    assert not page.run_bar.running
    assert page.run_bar.message.text() == "Tick at least one step first."
    assert len(notes) == 1
    np.testing.assert_array_equal(dirty.data, before)


def test_flip_twice_gives_the_mask_back(page, dirty, tick, run):
    before = dirty.data.copy()
    tick(page.flip)
    run(page)
    np.testing.assert_array_equal(dirty.data, before[:, ::-1])
    run(page)
    np.testing.assert_array_equal(dirty.data, before)


def test_geodesic_contour_closes_the_hole(page, dirty, tick, run, tube):
    tick(page.largest, page.geodesic)
    run(page)
    assert dirty.data[HOLE] == 1
    both = np.count_nonzero(dirty.data & tube.mask)
    assert 2 * both / (dirty.data.sum() + tube.mask.sum()) > 0.9


def test_radius_reaches_the_step(page, run, monkeypatch, tick):
    radii = []

    def close_holes(mask, spacing, radius):
        radii.append(radius)
        return mask

    monkeypatch.setattr(postprocessing, "close_holes", close_holes)
    page.radius.setValue(1.3)
    run(page)
    assert radii == [1.3]


def test_other_labels_are_untouched_and_not_painted_over(page, dirty, run):
    dirty.data[HOLE] = 2
    dirty.data[1, 1, 1] = 4
    dirty.selected_label = 1
    run(page)
    assert dirty.data[HOLE] == 2
    assert dirty.data[1, 1, 1] == 4
    assert dirty.data[CRUMB] == 0
    assert dirty.data[12, 33, 33] == 1


def test_selected_label_is_the_one_cleaned(page, dirty, run):
    dirty.data[0, 0, 100:103] = 2
    dirty.data[23, 0, 100] = 2
    dirty.selected_label = 2
    run(page)
    assert dirty.data[23, 0, 100] == 0
    assert dirty.data[0, 0, 101] == 2
    assert dirty.data[CRUMB] == 1


def test_unclear_label_is_one_line_and_nothing_is_changed(page, dirty, run, notes):
    dirty.data[0, 0, 100] = 2
    dirty.selected_label = 9
    before = dirty.data.copy()
    run(page)
    assert "mask: holds labels 1, 2; select one" in page.run_bar.message.text()
    assert len(notes) == 1
    np.testing.assert_array_equal(dirty.data, before)


def test_empty_mask_is_one_line(page, dirty, run, notes):
    dirty.data[...] = 0
    run(page)
    assert "the mask is empty" in page.run_bar.message.text()
    assert len(notes) == 1


@pytest.mark.parametrize("at", [(12, 32, 50), (12, 2, 105)], ids=["in the bone", "far from it"])
def test_painting_meanwhile_refuses_the_result_and_keeps_the_painting(
    page, dirty, click, ended, gate, monkeypatch, entered, at
):
    real = postprocess_dock.edit

    def edit_then_wait(*args):
        result = real(*args)
        gate.wait()
        return result

    monkeypatch.setattr(postprocess_dock, "edit", edit_then_wait)
    click(page.run_bar.button)
    entered()
    dirty.data_setitem(tuple(np.array([i]) for i in at), 3)
    painted = dirty.data.copy()
    gate.opened.set()
    ended(page)
    assert "changed meanwhile" in page.run_bar.message.text()
    np.testing.assert_array_equal(dirty.data, painted)


def test_cancel_stops_the_steps_and_leaves_the_mask(
    page, viewer, dirty, click, ended, held, entered, notes
):
    before = dirty.data.copy()
    click(page.run_bar.button)
    entered()
    click(page.run_bar.cancel)
    held.opened.set()
    ended(page)
    assert held.outcome == "Cancelled"
    np.testing.assert_array_equal(dirty.data, before)
    assert len(viewer.layers) == 2
    assert notes == []


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("odd\nthing")])
def test_error_in_the_work_is_one_line_and_the_mask_stays(
    page, dirty, run, notes, monkeypatch, error
):
    def fail(*args):
        raise error

    before = dirty.data.copy()
    monkeypatch.setattr(postprocess_dock, "edit", fail)
    run(page)
    assert notes == [page.run_bar.message.text()]
    assert "\n" not in notes[0]
    np.testing.assert_array_equal(dirty.data, before)


def test_removing_the_mask_during_the_work_changes_nothing(
    page, viewer, dirty, click, ended, held, entered
):
    before = dirty.data.copy()
    click(page.run_bar.button)
    entered()
    viewer.layers.remove(dirty)
    held.opened.set()
    ended(page)
    assert not page.run_bar.button.isEnabled()
    np.testing.assert_array_equal(dirty.data, before)
    assert len(viewer.layers) == 1


def test_closing_the_dock_during_the_work_leaves_the_mask(
    page, dirty, click, close_dock, held, entered, qtbot
):
    before = dirty.data.copy()
    click(page.run_bar.button)
    entered()
    close_dock(page)
    held.opened.set()
    qtbot.waitUntil(lambda: held.outcome is not None)
    assert held.outcome == "Cancelled"
    np.testing.assert_array_equal(dirty.data, before)


def test_new_layer_leaves_the_old_one_and_becomes_the_mask_chosen(page, viewer, dirty, run, tube):
    before = dirty.data.copy()
    page.target.setCurrentIndex(1)
    run(page)
    added = viewer.layers["mask [cleaned]"]
    np.testing.assert_array_equal(dirty.data, before)
    np.testing.assert_array_equal(added.data, tube.mask)
    assert page.mask.layer is added
    assert not dirty.visible
    assert added.metadata["vbmd"]["about"]["post-processing"].startswith("keep the largest")
    assert mask_of(added).grid == mask_of(dirty).grid


def test_new_layer_on_the_scans_grid_gives_dropped_slices_back(page, viewer, scan, tube, run, tick):
    box = (slice(4, 20), slice(8, 56), slice(10, 54))
    small = add_mask(viewer, Mask(tube.mask[box].copy(), tube.grid.box(box)), "box")
    page.mask.pick(small)
    page.target.setCurrentIndex(1)
    assert not page.scan.isHidden()
    page.scan.pick(scan)
    tick()
    run(page)
    added = viewer.layers["box [cleaned]"]
    assert mask_of(added).grid == tube.grid
    expected = np.zeros_like(tube.mask)
    expected[box] = tube.mask[box]
    np.testing.assert_array_equal(added.data, expected)


def test_scan_is_asked_for_only_with_a_new_layer(page):
    assert not page._form.isRowVisible(page.scan)
    page.target.setCurrentIndex(1)
    assert page._form.isRowVisible(page.scan)


def test_mask_of_another_spacing_cannot_be_put_on_the_scan(page, viewer, scan, run, notes):
    grid = Grid((4, 5, 6), (0.1,) * 3)
    other = add_mask(viewer, Mask(np.ones(grid.shape, np.uint8), grid), "other")
    page.mask.pick(other)
    page.target.setCurrentIndex(1)
    page.scan.pick(scan)
    run(page)
    assert "voxel sizes differ" in page.run_bar.message.text()
    assert len(notes) == 1


def test_preview_comes_and_goes_and_leaves_the_mask(page, viewer, dirty, click, ended):
    before = dirty.data.copy()
    click(eye(page, page.flip))
    ended(page)
    [preview] = previews(viewer)
    assert preview.name == "preview: flip along y"
    np.testing.assert_array_equal(preview.data, before[:, ::-1])
    assert not preview.editable
    assert page.mask.layer is dirty
    assert viewer.layers.selection.active is dirty
    click(eye(page, page.flip))
    assert previews(viewer) == []
    np.testing.assert_array_equal(dirty.data, before)


def test_every_layer_made_is_in_mm_on_named_axes(page, viewer, click, ended, run):
    page.target.setCurrentIndex(1)
    run(page)
    click(eye(page, page.flip))
    ended(page)
    assert len(viewer.layers) == 4
    for layer in viewer.layers:
        assert [str(unit) for unit in layer.units] == ["millimeter"] * 3
        assert layer.axis_labels == ("z", "y", "x")
        np.testing.assert_allclose(layer.scale, (0.082,) * 3)


def test_preview_of_another_step_takes_the_place_of_the_first(page, viewer, click, ended):
    for step in (page.flip, page.largest):
        click(eye(page, step))
        ended(page)
    assert [layer.name for layer in previews(viewer)] == ["preview: keep the largest piece"]


def test_preview_goes_when_the_steps_are_applied(page, viewer, dirty, click, ended, run, tube):
    click(eye(page, page.flip))
    ended(page)
    run(page)
    assert previews(viewer) == []
    np.testing.assert_array_equal(dirty.data, tube.mask)


def test_preview_is_never_a_mask_to_measure(page, viewer, dock, dirty, click, ended):
    measure = dock("Measure")
    click(eye(page, page.flip))
    ended(page)
    assert measure.mask.layer is dirty
    for picker in (measure.mask, measure.expert, page.mask):
        offered = [picker.itemText(i) for i in range(picker.count())]
        assert not any("preview" in name for name in offered)
    viewer.layers.remove(dirty)
    assert measure.mask.layer is None
    assert page.mask.layer is None


def test_dock_opened_while_a_preview_is_there_does_not_take_it(page, viewer, dock, click, ended):
    click(eye(page, page.flip))
    ended(page)
    assert dock("Measure").mask.currentText() == "mask"


def test_copy_of_a_preview_is_a_mask_that_stays(page, viewer, click, ended, run):
    click(eye(page, page.flip))
    ended(page)
    viewer.layers.selection = set(previews(viewer))
    _duplicate_layer(viewer.layers)
    run(page)
    assert "preview: flip along y copy" in viewer.layers
    assert previews(viewer) == []


def test_removed_preview_is_nothing_to_miss(page, viewer, click, ended, run):
    click(eye(page, page.flip))
    ended(page)
    viewer.layers.remove(previews(viewer)[0])
    run(page)
    click(eye(page, page.flip))
    ended(page)
    assert len(previews(viewer)) == 1


def test_closing_the_dock_takes_its_preview_along(page, viewer, click, ended, close_dock):
    click(eye(page, page.flip))
    ended(page)
    close_dock(page)
    assert previews(viewer) == []


def test_without_a_mask_nothing_can_be_applied_or_previewed(viewer, scan, dock, click, notes):
    page = dock("Post-process")
    assert not page.run_bar.button.isEnabled()
    assert page.run_bar.button.toolTip() == "Open or make a mask first"
    click(eye(page, page.flip))
    assert page.run_bar.message.text() == "Choose a mask first."
    assert len(notes) == 1


def test_rotated_mask_is_refused_in_words(page, dirty, click, notes):
    dirty.rotate = 10
    click(page.run_bar.button)
    assert "rotated" in page.run_bar.message.text()
    assert not page.run_bar.running


def test_mask_opened_from_an_aim_is_cleaned_without_touching_the_file(
    page, viewer, dirty, tmp_path, run, digest, tube
):
    path = tmp_path / "m.aim"
    dirty.save(str(path), plugin="napari-vbmd")
    before = digest(path)
    opened = viewer.open(path, plugin="napari-vbmd")[0]
    page.mask.pick(opened)
    run(page)
    np.testing.assert_array_equal(opened.data, tube.mask)
    assert digest(path) == before


def test_multiscale_scan_is_a_grid_as_good_as_any(
    monkeypatch, page, viewer, open_scan, run, tube, tick
):
    monkeypatch.setattr(layers, "LARGEST_VOLUME", 1000)
    layer = open_scan(viewer)
    assert layer.multiscale
    page.target.setCurrentIndex(1)
    page.scan.pick(layer)
    tick(page.largest)
    run(page)
    assert viewer.layers["mask [cleaned]"].data.shape == tube.mask.shape
