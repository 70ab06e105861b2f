"""The dock Segment: a mask by its buttons; cancel, failure, and closing meanwhile."""

import numpy as np
import pytest
from napari._qt import qt_main_window
from napari.layers import Labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QApplication, QDialog

from napari_vbmd.errors import NoBoneError
from napari_vbmd.plugin import layers, segment_dock
from napari_vbmd.plugin.layers import mask_of

RESULT = "tube.isq [contour]"


@pytest.fixture(autouse=True)
def contour_first(monkeypatch):
    """The method without a network stands chosen; the networks have tests of their own."""
    monkeypatch.setattr(segment_dock, "default_method", lambda: "contour")


@pytest.fixture
def page(viewer, scan, dock):
    return dock("Segment")


@pytest.fixture
def held(monkeypatch, gate):
    """The real segmentation, held at its beginning; the gate keeps how it ended."""
    monkeypatch.setattr(segment_dock, "segment", gate.around(segment_dock.segment))
    return gate


def dice(mask, truth) -> float:
    both = np.count_nonzero((mask != 0) & (truth != 0))
    return 2 * both / (np.count_nonzero(mask) + np.count_nonzero(truth))


def test_segment_button_makes_a_mask_of_the_largest_bone_on_the_scans_grid(
    viewer, page, run, tube, digest
):
    before = digest(tube.path)
    run(page)
    layer = viewer.layers[RESULT]
    assert isinstance(layer, Labels)
    assert mask_of(layer).grid == tube.grid
    assert dice(layer.data, tube.mask) > 0.9
    assert not (layer.data[tube.small != 0]).any()
    assert digest(tube.path) == before


def test_result_is_an_outline_in_mm_ready_to_be_painted(viewer, page, run):
    run(page)
    layer = viewer.layers[RESULT]
    assert layer.contour > 0
    assert [str(unit) for unit in layer.units] == ["millimeter"] * 3
    assert layer.axis_labels == ("z", "y", "x")
    before = layer.data.copy()
    layer.selected_label = 1
    layer.paint((12, 2, 2), 1)
    assert layer.data[12, 2, 2] == 1
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)


def test_result_says_how_it_was_made(viewer, page, run):
    run(page)
    about = viewer.layers[RESULT].metadata["vbmd"]["about"]
    assert about["method"] == "contour"
    assert about["scan"] == "tube.isq"
    assert about["slices"] is None
    assert about["parameters"]["threshold_mg_cm3"] == 220


def test_message_tells_volume_and_layer_and_the_warning_stays(viewer, page, run, tube):
    run(page)
    volume = np.count_nonzero(viewer.layers[RESULT].data) * tube.grid.voxel_volume_mm3
    assert f"{volume:.1f} mm³" in page.run_bar.message.text()
    assert RESULT in page.run_bar.message.text()
    assert "no slice range was set" in page.warnings.text()


def test_second_run_makes_a_second_layer_and_leaves_the_first(viewer, page, run):
    run(page)
    first = viewer.layers[-1].data.copy()
    run(page)
    assert len(viewer.layers) == 3
    np.testing.assert_array_equal(viewer.layers[1].data, first)
    assert viewer.layers[1].name != viewer.layers[2].name


def test_only_the_slices_chosen_with_use_this_slice_are_segmented(viewer, page, run, click):
    first, last = page.slices._buttons
    viewer.dims.set_current_step(0, 6)
    click(first)
    viewer.dims.set_current_step(0, 15)
    click(last)
    run(page)
    filled = np.flatnonzero(viewer.layers[RESULT].data.any(axis=(1, 2)))
    assert filled.min() >= 6
    assert filled.max() <= 15
    assert len(filled) > 5
    assert viewer.layers[RESULT].metadata["vbmd"]["about"]["slices"] == (6, 15)
    assert page.warnings.isHidden()


def test_slices_turned_round_are_refused_before_any_work(viewer, page, click, notes):
    page.slices.limit.setChecked(True)
    page.slices.first.setValue(9)
    page.slices.last.setValue(3)
    click(page.run_bar.button)
    assert not page.run_bar.running
    assert "slices 9:3" in page.run_bar.message.text()
    assert len(notes) == 1
    assert len(viewer.layers) == 1


def test_click_in_the_canvas_segments_the_bone_under_it(
    make_napari_viewer, open_scan, dock, click, run, tube, qtbot
):
    viewer = make_napari_viewer(show=True)
    open_scan(viewer)
    page = dock("Segment", viewer)
    click(page.seed.click)
    canvas = viewer.window._qt_viewer.canvas
    QApplication.processEvents()
    # the middle of the canvas shows what the camera looks at
    viewer.scene.camera.center = (0, 31 * 0.082, 88 * 0.082)
    QApplication.processEvents()
    middle = QPoint(canvas.native.width() // 2, canvas.native.height() // 2)
    qtbot.mouseClick(canvas.native, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.waitUntil(lambda: page.seed.seed is not None)
    np.testing.assert_allclose(page.seed.seed[1:], (31, 88), atol=2)
    run(page)
    assert dice(viewer.layers[RESULT].data, tube.small) > 0.85
    assert not viewer.layers[RESULT].data[tube.mask != 0].any()


def test_point_of_a_points_layer_segments_the_bone_there(viewer, page, run, click, tube):
    viewer.add_points([[12, 31, 88]], scale=(0.082,) * 3)
    click(page.seed.point)
    run(page)
    assert dice(viewer.layers[RESULT].data, tube.small) > 0.85


def test_seed_outside_of_the_slices_is_one_line(viewer, page, run, notes):
    page.seed.take_world((0.082 * 2, 0.082 * 31, 0.082 * 88))
    page.slices.limit.setChecked(True)
    page.slices.first.setValue(10)
    run(page)
    assert "outside the slices" in page.run_bar.message.text()
    assert len(notes) == 1
    assert len(viewer.layers) == 1


def test_changed_parameter_reaches_the_result(viewer, page, run):
    page._form.basic[0].value = 500
    run(page)
    about = viewer.layers[RESULT].metadata["vbmd"]["about"]
    assert about["parameters"]["threshold_mg_cm3"] == 500


def test_scan_without_bone_is_one_line_and_the_window_lives_on(viewer, page, run, notes):
    page._form.basic[0].value = 2000
    run(page)
    assert "no bone reaches 2000" in page.run_bar.message.text()
    assert len(viewer.layers) == 1
    page._form.basic[0].value = 220
    run(page)
    assert RESULT in viewer.layers


def test_uncalibrated_scan_is_refused_with_the_way_to_the_constants(
    viewer, dock, plain_layer, click, notes
):
    viewer.add_layer(plain_layer)
    page = dock("Segment")
    assert "dock “Scan”" in page.warnings.text()
    click(page.run_bar.button)
    assert not page.run_bar.running
    assert "no calibration" in page.run_bar.message.text()
    assert len(notes) == 1
    assert len(viewer.layers) == 1


def test_constants_typed_in_the_scan_dock_let_the_segmentation_run(
    viewer, dock, plain_layer, click, run, qtbot
):
    viewer.add_layer(plain_layer)
    page, scan_page = dock("Segment"), dock("Scan")
    for name, text in (
        ("mu_scaling", "8192"),
        ("density_slope", "1603.5"),
        ("density_intercept", "-391"),
    ):
        qtbot.keyClicks(scan_page.calibration.fields[name], text)
    click(scan_page.calibration.use)
    assert page.warnings.isHidden()
    run(page)
    assert "plain [contour]" in viewer.layers


def test_scan_in_pixels_is_refused_in_words(viewer, dock, click, notes):
    viewer.add_image(np.zeros((8, 9, 10)), name="in pixels")
    page = dock("Segment")
    assert "voxel size is not known" in page.warnings.text()
    click(page.run_bar.button)
    assert "voxel size is not known" in page.run_bar.message.text()
    assert len(viewer.layers) == 1


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (NoBoneError("tube.isq: nothing there"), "tube.isq: nothing there"),
        (MemoryError(), "not enough memory"),
        (ZeroDivisionError("a\nb"), "unexpected ZeroDivisionError: a b"),
    ],
)
def test_error_in_the_work_is_one_line_and_the_next_run_succeeds(
    viewer, page, run, notes, monkeypatch, error, text
):
    def fail(*args):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(segment_dock, "segment", fail)
        run(page)
    assert page.run_bar.message.text().startswith(text)
    assert "\n" not in page.run_bar.message.text()
    assert notes == [page.run_bar.message.text()]
    assert len(viewer.layers) == 1
    run(page)
    assert RESULT in viewer.layers


def test_cancel_stops_the_work_itself_and_changes_nothing(
    viewer, page, click, ended, held, entered, notes
):
    click(page.run_bar.button)
    entered()
    click(page.run_bar.cancel)
    held.opened.set()
    ended(page)
    assert held.outcome == "Cancelled"
    assert len(viewer.layers) == 1
    assert "Cancelled" in page.run_bar.message.text()
    assert notes == []
    assert page.run_bar.button.isEnabled()


def test_run_after_a_cancel_succeeds(viewer, page, click, ended, held, entered, run):
    click(page.run_bar.button)
    entered()
    click(page.run_bar.cancel)
    held.opened.set()
    ended(page)
    run(page)
    assert held.outcome == "returned"
    assert RESULT in viewer.layers


def test_removing_the_scan_during_the_work_breaks_nothing(
    viewer, scan, page, click, ended, held, entered
):
    click(page.run_bar.button)
    entered()
    viewer.layers.remove(scan)
    held.opened.set()
    ended(page)
    assert not page.run_bar.button.isEnabled()
    assert page.run_bar.button.toolTip() == "Open a scan first"
    assert RESULT in viewer.layers


def test_renaming_the_scan_during_the_work_names_the_result_after_it(
    viewer, scan, page, click, ended, held, entered
):
    click(page.run_bar.button)
    entered()
    scan.name = "renamed"
    held.opened.set()
    ended(page)
    assert "renamed [contour]" in viewer.layers


def test_closing_the_dock_during_the_work_stops_it_and_adds_nothing(
    viewer, page, click, close_dock, held, entered, qtbot, notes
):
    click(page.run_bar.button)
    entered()
    close_dock(page)
    held.opened.set()
    qtbot.waitUntil(lambda: held.outcome is not None)
    QApplication.processEvents()
    assert held.outcome == "Cancelled"
    assert len(viewer.layers) == 1
    assert notes == []


def test_closing_the_dock_while_it_waits_for_a_click_ends_the_wait(viewer, page, click, close_dock):
    before = len(viewer.mouse_drag_callbacks)
    click(page.seed.click)
    assert len(viewer.mouse_drag_callbacks) == before + 1
    close_dock(page)
    assert len(viewer.mouse_drag_callbacks) == before


def test_hiding_the_dock_lets_the_work_go_on(viewer, page, click, ended, held, entered):
    click(page.run_bar.button)
    entered()
    page.parent().close()
    held.opened.set()
    ended(page)
    assert RESULT in viewer.layers


def test_floating_the_dock_lets_the_work_go_on(viewer, page, click, ended, held, entered):
    click(page.run_bar.button)
    entered()
    page.parent().setFloating(True)
    QApplication.processEvents()
    held.opened.set()
    ended(page)
    assert RESULT in viewer.layers


def test_closing_the_viewer_during_the_work_stops_it(viewer, page, click, held, entered, qtbot):
    click(page.run_bar.button)
    entered()
    viewer.close()
    held.opened.set()
    qtbot.waitUntil(lambda: held.outcome is not None)
    QApplication.processEvents()
    assert held.outcome == "Cancelled"


def test_closing_the_window_by_hand_during_the_work_asks_and_names_it(
    viewer, page, click, ended, held, entered, monkeypatch
):
    asked = []

    class Ask:
        def __init__(self, parent, close_app=False, extra_info="", display_checkbox=True):
            asked.append(extra_info)

        def exec_(self):
            return QDialog.DialogCode.Rejected

    class ByHand(QCloseEvent):
        def spontaneous(self):
            return True

    monkeypatch.setattr(qt_main_window, "ConfirmCloseDialog", Ask)
    click(page.run_bar.button)
    entered()
    QApplication.processEvents()
    event = ByHand()
    viewer.window._qt_window.closeEvent(event)
    assert not event.isAccepted()
    assert len(asked) == 1
    assert "Segmenting tube.isq" in asked[0]
    held.opened.set()
    ended(page)
    assert RESULT in viewer.layers


def test_other_scan_can_be_picked_while_one_is_segmented(
    viewer, page, click, ended, held, entered, tube
):
    click(page.run_bar.button)
    entered()
    other = viewer.open(tube.path, plugin="napari-vbmd")[0]
    page.scan.pick(other)
    held.opened.set()
    ended(page)
    assert viewer.layers[-1].name.startswith("tube.isq [contour]")
    assert page.scan.layer is other


def test_two_viewers_segment_at_once_each_into_its_own(
    make_napari_viewer, viewer, page, open_scan, dock, click, ended, held, entered
):
    other = make_napari_viewer()
    open_scan(other)
    other_page = dock("Segment", other)
    click(page.run_bar.button)
    click(other_page.run_bar.button)
    entered()
    held.opened.set()
    ended(page)
    ended(other_page)
    assert RESULT in viewer.layers
    assert RESULT in other.layers
    assert len(viewer.layers) == len(other.layers) == 2


def test_multiscale_scan_is_segmented_at_its_fine_level(
    monkeypatch, viewer, dock, open_scan, run, tube
):
    monkeypatch.setattr(layers, "LARGEST_VOLUME", 1000)
    layer = open_scan(viewer)
    assert layer.multiscale
    page = dock("Segment")
    page.seed.take_world((0.98, 2.5, 7.2))
    run(page)
    result = viewer.layers[RESULT]
    assert result.data.shape == tube.mask.shape
    assert dice(result.data, tube.small) > 0.85
    viewer.dims.ndisplay = 3
    assert viewer.dims.ndisplay == 3


@pytest.mark.parametrize("limit", [1000, 2**27], ids=["multiscale", "one level"])
def test_layers_are_shown_in_3d_and_back(
    make_napari_viewer, open_scan, dock, run, monkeypatch, limit
):
    monkeypatch.setattr(layers, "LARGEST_VOLUME", limit)
    viewer = make_napari_viewer(show=True)
    open_scan(viewer)
    page = dock("Segment", viewer)
    run(page)
    viewer.dims.ndisplay = 3
    QApplication.processEvents()
    assert viewer.screenshot(flash=False).any()
    viewer.dims.ndisplay = 2
    QApplication.processEvents()


def test_summary_of_the_method_is_shown(page):
    assert "density" in page.summary.text()
    assert page.method.currentText() == "contour"
