"""The dock Measure: the number, what it rests on, and that it is never left beside other things."""

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Labels
from napari.layers._layer_actions import _duplicate_layer
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_vbmd.errors import ParameterError
from napari_vbmd.grid import Grid
from napari_vbmd.io.files import read_scan
from napari_vbmd.plugin import layers, measure_dock
from napari_vbmd.plugin.layers import add_mask, set_calibration
from napari_vbmd.scan import Mask

STALE = "⚠ The mask was changed since: measure again."
FOLLOWS = "⚠ The numbers follow your edits; for HD95, ASSD and exports measure again."
EMPTY = "⚠ The mask is empty now: paint or segment the bone."


@pytest.fixture
def page(viewer, scan, mask, dock):
    return dock("Measure")


@pytest.fixture
def measured(page, run):
    run(page)
    return page


@pytest.fixture
def expert(viewer, mask, tube, page):
    """A mask two slices shorter, chosen as the expert's."""
    voxels = tube.mask.copy()
    voxels[:2] = 0
    layer = add_mask(viewer, Mask(voxels, tube.grid), "expert")
    page.mask.pick(mask)
    page.expert.pick(layer)
    return layer


@pytest.fixture
def held(monkeypatch, gate):
    monkeypatch.setattr(measure_dock, "measure_against", gate.around(measure_dock.measure_against))
    return gate


@pytest.fixture
def stale(qtbot):
    """Wait until a dock has looked at what happened, and tell what it says is old, if anything."""

    def stale(page) -> str:
        timers = page._watch._timer, page._live._timer, page._later
        qtbot.waitUntil(lambda: not any(timer.isActive() for timer in timers))
        assert exportable(page) == page.stale.isHidden()
        return page.stale.text()

    return stale


def shown(page) -> str:
    return page.headline.number.text().split("<")[0]


def table(page) -> dict[str, str]:
    return {
        page.table.item(i, 0).text(): page.table.item(i, 1).text()
        for i in range(page.table.rowCount())
    }


def exportable(page) -> bool:
    return page.exports.isEnabled()


def test_number_is_the_mean_density_in_the_mask(measured, tube):
    inside = tube.density[tube.mask != 0]
    assert shown(measured) == f"{tube.mean:.1f}"
    assert f"± {inside.std(ddof=1):.1f}" in measured.headline.number.text()
    assert measured.headline.unit.text() == "Tt.vBMD ± SD of voxels, mg HA/cm³"


def test_calibration_stands_under_the_number(measured):
    assert measured.headline.source.text() == (
        "From native: mu scaling 8192, slope 1603.52, intercept -391.209 (ISQ calibration block)"
    )


def test_table_has_the_rest(measured, tube):
    count = int(tube.mask.sum())
    numbers = table(measured)
    assert numbers["Voxels"] == f"{count:,}"
    assert numbers["Volume"] == f"{count * 0.082**3:.2f}"
    assert numbers["BMC"] == f"{tube.mean * count * 0.082**3 / 1000:.2f}"
    assert numbers["Tt.Ar, mean"] == f"{count / 24 * 0.082**2:.2f}"
    assert numbers["Slices"] == "0–23"
    assert "Dice" not in numbers


def test_what_is_unlike_the_published_is_said_quietly_and_stays(measured, tube):
    area = tube.mask.sum() / 24 * 0.082**2
    assert not measured.headline.notes.isHidden()
    assert f"A mean slice area of {area:.2f} mm² is smaller" in measured.headline.notes.text()
    assert measured.warnings.isHidden()
    measured.scan.layer.translate = (1, 0, 0)  # other numbers than these
    assert measured.headline.notes.isHidden()


def test_measuring_changes_neither_layer_nor_file(page, scan, mask, tube, run, digest):
    before = digest(tube.path)
    run(page)
    assert digest(tube.path) == before
    np.testing.assert_array_equal(mask.data, tube.mask)
    assert len(page.viewer.layers) == 2


def test_expert_adds_overlap_and_signed_difference(page, expert, run, tube):
    run(page)
    theirs = float(tube.density[2:][tube.mask[2:] != 0].mean())
    assert f"<b>{tube.mean - theirs:+.1f}</b>" in page.headline.agreement.text()
    count, common = tube.mask.sum(), tube.mask[2:].sum()
    assert f"Dice {2 * common / (count + common):.3f}" in page.headline.agreement.text()
    numbers = table(page)
    assert numbers["IoU"] == f"{common / count:.3f}"
    assert numbers["on common slices"] in ("+0.0", "-0.0")
    assert numbers["Sensitivity"] == "1.000"


def test_without_an_expert_there_is_no_agreement(page, expert, run):
    run(page)
    page.expert.setCurrentIndex(0)
    run(page)
    assert page.headline.agreement.isHidden()
    assert "Dice" not in table(page)


def test_mask_box_is_measured_where_its_position_puts_it(page, viewer, tube, run):
    box = (slice(3, 9), slice(10, 50), slice(12, 52))
    layer = add_mask(viewer, Mask(tube.mask[box].copy(), tube.grid.box(box)), "box")
    page.mask.pick(layer)
    run(page)
    inside = tube.mask[box] != 0
    assert shown(page) == f"{tube.density[box][inside].mean():.1f}"
    assert table(page)["Slices"] == "3–8"


def test_part_of_a_mask_outside_of_the_scan_is_left_out_with_a_warning(page, viewer, tube, run):
    grid = Grid((4, 10, 10), tube.grid.spacing_mm, (-2, 20, 25))
    layer = add_mask(viewer, Mask(np.ones(grid.shape, np.uint8), grid), "above")
    page.mask.pick(layer)
    run(page)
    assert "200 of 400 mask voxels lie outside the scan" in page.warnings.text()
    assert shown(page) == f"{tube.density[:2, 20:30, 25:35].mean():.1f}"


@pytest.mark.parametrize(
    ("grid", "reason"),
    [
        (Grid((4, 5, 6), (0.1,) * 3), "voxel sizes differ along z"),
        (Grid((4, 5, 6), (0.082,) * 3, (0.5, 0, 0)), "lie between the scan's along z"),
        (Grid((4, 5, 6), (0.082,) * 3, (100, 0, 0)), "does not overlap the scan along z"),
    ],
)
def test_mask_that_cannot_be_placed_is_refused_with_the_reason(
    page, viewer, click, notes, grid, reason
):
    layer = add_mask(viewer, Mask(np.ones(grid.shape, np.uint8), grid), "other")
    page.mask.pick(layer)
    click(page.run_bar.button)
    assert not page.run_bar.running
    assert reason in page.run_bar.message.text()
    assert notes == [page.run_bar.message.text()]
    assert shown(page) == "–"


def test_experts_mask_that_cannot_be_placed_is_refused_too(page, viewer, mask, click, notes):
    grid = Grid((4, 5, 6), (0.1,) * 3)
    layer = add_mask(viewer, Mask(np.ones(grid.shape, np.uint8), grid), "other")
    page.mask.pick(mask)
    page.expert.pick(layer)
    click(page.run_bar.button)
    assert "voxel sizes differ" in page.run_bar.message.text()
    assert len(notes) == 1


def test_positions_of_two_kinds_are_warned_about(viewer, dock, run, tube):
    stored = read_scan(tube.path)
    moved = replace(stored, format="NIfTI", grid=Grid(tube.grid.shape, (0.082,) * 3, (0, -2, 3)))
    voxels, kwargs, _ = layers.scan_to_layer(moved)
    viewer.add_image(voxels, **kwargs)
    add_mask(viewer, Mask(tube.mask.copy(), tube.grid, format="AIM"), "mask")
    page = dock("Measure")
    run(page)
    assert "look whether the mask lies on the bone" in page.warnings.text()


def test_empty_mask_is_one_line(page, mask, run, notes):
    mask.data[...] = 0
    run(page)
    assert page.run_bar.message.text().startswith("mask: no voxel lies on the scan")
    assert len(notes) == 1
    assert shown(page) == "–"


def test_several_labels_are_measured_together_with_a_warning(page, mask, run, tube):
    mask.data[12][mask.data[12] != 0] = 2
    run(page)
    assert shown(page) == f"{tube.mean:.1f}"
    assert "labels 1, 2" in page.warnings.text()


def test_scan_in_pixels_is_refused_with_the_cure(page, viewer, click):
    viewer.add_image(np.zeros((24, 64, 112)), name="in pixels")
    page.scan.pick(viewer.layers["in pixels"])
    click(page.run_bar.button)
    assert "set layer.scale in mm" in page.run_bar.message.text()
    assert shown(page) == "–"


def test_mask_in_pixels_is_refused_with_the_cure(page, viewer, click, tube):
    viewer.add_labels(tube.mask.copy(), name="in pixels")
    page.mask.pick(viewer.layers["in pixels"])
    click(page.run_bar.button)
    assert "in pixels: its voxel size is not known" in page.run_bar.message.text()


def test_without_scan_or_mask_the_button_says_what_is_missing(viewer, dock, open_scan, mask_layer):
    page = dock("Measure")
    assert page.run_bar.button.toolTip() == "Open a scan first"
    open_scan(viewer)
    assert page.run_bar.button.toolTip() == "Open or make a mask first"
    assert not page.run_bar.button.isEnabled()
    viewer.add_layer(mask_layer)
    assert page.run_bar.button.isEnabled()


def test_uncalibrated_scan_gets_a_form_instead_of_a_number(
    viewer, dock, plain_layer, mask_layer, qtbot, click, run, tube
):
    viewer.add_layer(plain_layer)
    viewer.add_layer(mask_layer)
    page = dock("Measure")
    assert page.headline.number.isHidden()
    assert not page.calibration.isHidden()
    assert page.missing.text() == "⚠ No density without a calibration."
    assert page.run_bar.button.toolTip() == "Fill in the constants first"
    for name, text in (
        ("mu_scaling", "8192"),
        ("density_slope", "1603.51904"),
        ("density_intercept", "-391.209015"),
    ):
        qtbot.keyClicks(page.calibration.fields[name], text)
    click(page.calibration.use)
    assert page.calibration.isHidden()
    assert page.missing.isHidden()
    run(page)
    assert shown(page) == f"{tube.mean:.1f}"
    assert "given by the user" in page.headline.source.text()


def test_constants_typed_in_the_scan_dock_are_taken_note_of(
    viewer, dock, plain_layer, mask_layer, click
):
    viewer.add_layer(plain_layer)
    viewer.add_layer(mask_layer)
    page, scan_page = dock("Measure"), dock("Scan")
    scan_page.calibration.unit.setCurrentIndex(scan_page.calibration.unit.findData("density"))
    click(scan_page.calibration.use)
    assert page.calibration.isHidden()
    assert page.run_bar.button.isEnabled()


def test_painting_marks_the_number_stale_and_withdraws_the_export(measured, mask, stale):
    assert not stale(measured)
    assert exportable(measured)
    mask.paint((12, 5, 5), 1)
    assert stale(measured)
    assert not exportable(measured)


def test_number_follows_a_stroke_at_once_and_says_by_how_much(measured, mask, tube):
    mask.brush_size, mask.selected_label = 9, 1
    mask.paint((12, 5, 5), 1)
    density = tube.density[mask.data != 0].mean()
    assert shown(measured) == f"{density:.1f}"
    assert measured.headline.change.text() == f"{density - tube.mean:+.1f} since opening"
    mask.undo()
    assert shown(measured) == f"{tube.mean:.1f}"
    assert measured.headline.change.text() == ""


def test_table_and_plot_follow_when_the_hand_rests(measured, mask, stale):
    mask.brush_size = 9
    mask.paint((12, 5, 5), 1)
    assert stale(measured) == FOLLOWS
    assert table(measured)["Voxels"] == f"{np.count_nonzero(mask.data):,}"


def test_agreement_follows_and_distances_wait(page, expert, mask, run, stale):
    run(page)
    mask.data[:2] = 0
    mask.refresh()
    assert stale(page) == FOLLOWS
    assert "Dice 1.000" in page.headline.agreement.text()
    assert table(page)["Difference"] == "+0.0"
    assert table(page)["HD95"] == table(page)["ASSD"] == "–"
    run(page)
    assert table(page)["HD95"] == "0.00"


def test_change_is_since_the_first_measuring_of_this_mask(measured, mask, run, tube):
    mask.data[12:] = 0
    mask.refresh()
    run(measured)
    change = tube.density[:12][tube.mask[:12] != 0].mean() - tube.mean
    said = f"{change:+.1f} since opening" if f"{abs(change):.1f}" != "0.0" else ""
    assert measured.headline.change.text() == said


def test_mask_erased_whole_has_no_number_until_it_is_painted(measured, mask, stale, tube):
    mask.data[:] = 0
    mask.refresh()
    assert stale(measured) == EMPTY
    assert shown(measured) == "–"
    assert not measured.table.isVisibleTo(measured)
    mask.data[10, 20:30, 20:30] = 1
    mask.refresh()
    assert stale(measured) == FOLLOWS
    assert shown(measured) == f"{tube.density[10, 20:30, 20:30].mean():.1f}"


def test_undo_takes_the_mark_away_and_redo_brings_it_back(measured, mask, stale):
    mask.paint((12, 5, 5), 1)
    assert stale(measured)
    mask.undo()
    assert not stale(measured)
    assert exportable(measured)
    mask.redo()
    assert stale(measured)


def test_undo_of_a_stroke_made_before_measuring_marks_it_stale(page, mask, run, stale):
    mask.paint((12, 5, 5), 1)
    run(page)
    assert not stale(page)
    mask.undo()
    assert stale(page)


def test_undo_far_from_the_slice_in_view_marks_it_stale(page, viewer, mask, run, stale):
    mask.data_setitem((np.array([2]), np.array([5]), np.array([5])), 1)
    run(page)
    viewer.dims.set_current_step(0, 20)
    mask.undo()
    assert stale(page)


def test_undo_that_keeps_every_count_marks_it_stale(page, viewer, mask, run, dock, stale):
    clean = dock("Post-process")
    mask.data[:, :20, :32] = 0  # no longer symmetrical
    for step in clean.steps:
        step.tick.setChecked(step is clean.flip)
    run(clean)
    run(page)
    assert not stale(page)
    mask.undo()
    assert stale(page)


def test_edit_by_a_script_marks_it_stale(measured, mask, stale):
    mask.data[20, 30, 30] = 0
    mask.refresh()
    assert stale(measured)


def test_other_array_in_the_layer_marks_it_stale(measured, mask, stale):
    mask.data = np.zeros((4, 5, 6), np.uint8)
    assert stale(measured) == STALE


def test_going_through_the_slices_does_not_mark_it_stale(measured, viewer, mask, stale):
    for z in (0, 5, 23):
        viewer.dims.set_current_step(0, z)
    viewer.dims.ndisplay = 3
    viewer.dims.ndisplay = 2
    assert not stale(measured)
    assert exportable(measured)


def test_painting_the_experts_mask_marks_it_stale(page, expert, run, stale):
    run(page)
    assert not stale(page)
    expert.paint((12, 5, 5), 1)
    assert stale(page) == STALE


def test_painting_while_it_is_measured_marks_the_number_stale(
    page, mask, click, ended, held, entered, tube, stale
):
    click(page.run_bar.button)
    entered()
    mask.data[:] = 0
    mask.data[12, 32, 32] = 1
    mask.refresh()
    held.opened.set()
    ended(page)
    assert stale(page) == FOLLOWS
    assert shown(page) == f"{tube.density[12, 32, 32]:.1f}"


def test_measuring_again_takes_the_mark_away(measured, mask, run, stale, tube):
    mask.data[:12] = 0
    mask.refresh()
    assert stale(measured)
    run(measured)
    assert measured.stale.isHidden()
    assert shown(measured) == f"{tube.density[12:][tube.mask[12:] != 0].mean():.1f}"
    assert exportable(measured)


@pytest.mark.parametrize("which", ["scan", "mask", "expert"])
def test_number_goes_when_another_layer_is_picked(measured, viewer, tube, which):
    add_mask(viewer, Mask(tube.small.copy(), tube.grid), "other")
    viewer.open(tube.path, plugin="napari-vbmd")
    picker = getattr(measured, which)
    picker.setCurrentIndex(picker.count() - 1)
    assert shown(measured) == "–"
    assert measured.headline.source.isHidden()
    assert measured.table.isHidden()
    assert measured.profile.isHidden()
    assert not exportable(measured)


def test_nothing_of_an_old_number_comes_back_with_later_picks(measured, viewer, tube, mask):
    other = add_mask(viewer, Mask(tube.small.copy(), tube.grid), "other")
    measured.mask.pick(other)
    measured.scan.pick(viewer.open(tube.path, plugin="napari-vbmd")[0])
    measured.mask.pick(mask)
    assert shown(measured) == "–"
    assert measured.headline.source.isHidden()
    assert measured.headline.unit.text() == "Tt.vBMD, mg HA/cm³"


def test_number_goes_when_other_constants_are_typed(measured, scan):
    set_calibration(scan, "native", density_slope=1000.0)
    assert shown(measured) == "–"
    assert not exportable(measured)


@pytest.mark.parametrize("which", ["scan", "mask"])
@pytest.mark.parametrize("attribute", ["scale", "translate"])
def test_number_goes_when_a_layer_is_moved(measured, scan, mask, which, attribute):
    setattr({"scan": scan, "mask": mask}[which], attribute, (0.164, 0.082, 0.082))
    assert shown(measured) == "–"


def test_number_goes_when_its_mask_is_removed(measured, viewer, mask):
    viewer.layers.remove(mask)
    assert shown(measured) == "–"
    assert not measured.run_bar.button.isEnabled()


def test_renaming_and_reordering_keep_the_number(measured, viewer, mask, tube):
    mask.name = "renamed"
    viewer.layers.move(0, 2)
    assert shown(measured) == f"{tube.mean:.1f}"
    assert measured.mask.currentText() == "renamed"


def test_cancel_keeps_the_number_that_was_there(
    measured, mask, click, ended, gate, monkeypatch, entered, tube, notes
):
    held = gate.around(measure_dock.measure_against)
    monkeypatch.setattr(measure_dock, "measure_against", held)
    click(measured.run_bar.button)
    entered()
    click(measured.run_bar.cancel)
    gate.opened.set()
    ended(measured)
    assert gate.outcome == "Cancelled"
    assert shown(measured) == f"{tube.mean:.1f}"
    assert notes == []


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ParameterError("tube.isq: odd"), "tube.isq: odd"),
        (MemoryError(), "not enough memory"),
        (IndexError("x\ny"), "unexpected IndexError: x y"),
    ],
)
def test_error_in_the_work_is_one_line_and_the_next_run_succeeds(
    page, run, notes, monkeypatch, error, text, tube
):
    def fail(*args, **kwargs):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(measure_dock, "measure_against", fail)
        run(page)
    assert page.run_bar.message.text().startswith(text)
    assert notes == [page.run_bar.message.text()]
    run(page)
    assert shown(page) == f"{tube.mean:.1f}"


@pytest.mark.parametrize("which", ["scan", "mask"])
def test_removing_a_layer_during_the_work_shows_no_number_beside_others(
    page, viewer, scan, mask, click, ended, held, entered, which
):
    click(page.run_bar.button)
    entered()
    viewer.layers.remove({"scan": scan, "mask": mask}[which])
    held.opened.set()
    ended(page)
    assert shown(page) == "–"
    assert not page.run_bar.button.isEnabled()
    assert not exportable(page)


def test_closing_the_dock_during_the_work_stops_it(
    page, click, close_dock, held, entered, qtbot, mask
):
    click(page.run_bar.button)
    entered()
    close_dock(page)
    held.opened.set()
    qtbot.waitUntil(lambda: held.outcome is not None)
    assert held.outcome == "Cancelled"
    mask.paint((12, 5, 5), 1)


def test_closing_the_viewer_during_the_work_stops_it(page, viewer, click, held, entered, qtbot):
    click(page.run_bar.button)
    entered()
    viewer.close()
    held.opened.set()
    qtbot.waitUntil(lambda: held.outcome is not None)
    QApplication.processEvents()
    assert held.outcome == "Cancelled"


def test_click_in_the_profile_goes_to_the_slice(measured, viewer):
    measured.profile.slice_clicked.emit(7)
    assert viewer.dims.current_step[0] == 7


def test_profile_marks_the_slice_in_view(measured, viewer):
    viewer.dims.set_current_step(0, 9)
    assert list(measured.profile._markers[0].get_xdata()) == [9, 9]
    assert measured.profile._markers[0].get_visible()


def test_theme_changes_the_profiles_ink(measured, viewer):
    dark = measured.profile.axes.xaxis.label.get_color()
    viewer.theme = "light"
    assert measured.profile.axes.xaxis.label.get_color() != dark


def test_multiscale_scan_gives_the_same_number(monkeypatch, viewer, open_scan, dock, run, tube):
    monkeypatch.setattr(layers, "LARGEST_VOLUME", 1000)
    assert open_scan(viewer).multiscale
    add_mask(viewer, Mask(tube.mask.copy(), tube.grid), "mask")
    page = dock("Measure")
    run(page)
    assert shown(page) == f"{tube.mean:.1f}"
    page.profile.slice_clicked.emit(5)
    assert list(page.profile._markers[0].get_xdata()) == [5, 5]
    viewer.dims.ndisplay = 3


def test_labels_made_by_napari_itself_are_measured(page, viewer, run, tube):
    viewer._new_labels()
    layer = viewer.layers[-1]
    assert isinstance(layer, Labels)
    layer.data[10, 25:30, 25:30] = 1
    layer.refresh()
    page.mask.pick(layer)
    run(page)
    assert shown(page) == f"{tube.density[10, 25:30, 25:30].mean():.1f}"


def test_copies_that_napari_makes_are_measured_as_well(page, viewer, scan, mask, run, tube):
    viewer.layers.selection = {scan, mask}
    _duplicate_layer(viewer.layers)
    page.scan.pick(viewer.layers["tube.isq copy"])
    page.mask.pick(viewer.layers["mask copy"])
    run(page)
    assert shown(page) == f"{tube.mean:.1f}"


def test_two_viewers_measure_at_once_each_their_own(
    make_napari_viewer, page, open_scan, dock, click, ended, held, entered, tube
):
    other = make_napari_viewer()
    open_scan(other)
    add_mask(other, Mask(tube.small.copy(), tube.grid), "small")
    other_page = dock("Measure", other)
    click(page.run_bar.button)
    click(other_page.run_bar.button)
    entered()
    held.opened.set()
    ended(page)
    ended(other_page)
    assert shown(page) == f"{tube.mean:.1f}"
    assert shown(other_page) == f"{tube.density[tube.small != 0].mean():.1f}"


def test_click_with_the_mouse_in_the_profile_goes_to_a_slice(
    make_napari_viewer, open_scan, dock, run, tube, qtbot
):
    viewer = make_napari_viewer(show=True)
    open_scan(viewer)
    add_mask(viewer, Mask(tube.mask.copy(), tube.grid), "mask")
    page = dock("Measure", viewer)
    run(page)
    canvas = page.profile
    qtbot.waitUntil(canvas.isVisible)
    canvas.draw()
    x, y = canvas.axes.transData.transform((16, np.mean(canvas.axes.get_ylim())))
    ratio = canvas.devicePixelRatioF()
    at = QPoint(round(x / ratio), round((canvas.figure.bbox.height - y) / ratio))
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at)
    assert viewer.dims.current_step[0] == 16
