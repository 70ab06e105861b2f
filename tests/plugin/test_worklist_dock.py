"""An annotator's day: one case after the other, everything saved, nothing lost."""

import gc
import shutil
import weakref
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_vbmd.grid import Grid, place
from napari_vbmd.io.files import read_mask, write_mask
from napari_vbmd.plugin import autosave, case_files, case_layers, desk
from napari_vbmd.plugin.layers import add_mask, scan_of
from napari_vbmd.scan import Mask
from napari_vbmd.study.csv_rows import read_rows
from napari_vbmd.study.manifest import read_manifest
from napari_vbmd.study.worklist import APPROVED, CORRECTED, TO_DO, Worklist

WAIT_MS = 30_000
SHAPE, SPACING_MM = (24, 64, 112), (0.082,) * 3  # of the tube's scan
Z = 12


@pytest.fixture(autouse=True)
def _nothing_frozen(monkeypatch):
    """What is frozen is thawed with the dock, and then looked through after every test."""
    still = SimpleNamespace(collect=gc.collect, freeze=lambda: None, unfreeze=lambda: None)
    monkeypatch.setattr(case_layers, "gc", still)


@pytest.fixture
def folder(tmp_path, tube) -> Path:
    """Three cases: with a mask; with mask and expert; with neither."""
    for name in ("one", "two", "three"):
        shutil.copy(tube.path, tmp_path / f"{name}.isq")
    inside = (slice(2, 22), slice(8, 56), slice(8, 56))
    write_mask(tmp_path / "given.aim", tube.mask[inside], tube.grid.box(inside))
    write_mask(tmp_path / "expert.aim", tube.mask, tube.grid)
    manifest(tmp_path, "one.isq,given.aim,", "two.isq,given.aim,expert.aim", "three.isq,,")
    return tmp_path


def manifest(folder: Path, *rows: str) -> None:
    lines = "\n".join(["scan,mask,expert", *rows])
    (folder / "cases.csv").write_text(lines + "\n", encoding="utf-8")


@pytest.fixture
def settled(qtbot):
    """Wait until a case is in view and nothing goes on."""

    def wait(page) -> None:
        def quiet() -> bool:
            return page.desk.case is not None and not page.desk.busy

        for _ in range(2):  # an exchange follows the work
            qtbot.waitUntil(quiet, timeout=WAIT_MS)
            qtbot.wait(20)

    return wait


@pytest.fixture
def opened(dock, folder, settled):
    """The dock with the manifest open, and an annotator."""

    def go(name="cases.csv"):
        page = dock("Worklist")
        page.annotator.setText("Ann")
        page.annotator.editingFinished.emit()
        page.open_manifest(str(folder / name))
        settled(page)
        return page

    return go


@pytest.fixture
def page(opened):
    return opened()


@pytest.fixture
def press(viewer, page, settled):
    """Press a key over the canvas, with Shift, and wait."""

    def key(letter: str) -> None:
        code = getattr(Qt.Key, f"Key_{letter}")
        QTest.keyClick(
            viewer.window._qt_viewer.canvas.native, code, Qt.KeyboardModifier.ShiftModifier
        )
        settled(page)

    return key


@pytest.fixture
def case(page):
    """Name of the case in view."""
    return lambda: page.case.name.text()


@pytest.fixture
def records(folder):
    """What is on disk, by scan."""

    def read() -> dict[str, dict[str, str]]:
        path = folder / "cases.worklist.csv"
        return {row.cells["scan"]: row.cells for row in read_rows(path)[1]} if path.exists() else {}

    return read


def whole(path: Path) -> np.ndarray:
    """A saved mask on the scan's whole grid."""
    saved = read_mask(path)
    return place(saved.grid, Grid(SHAPE, SPACING_MM)).paste(saved.voxels)


def paint(layer, at=(Z, 31, 5)) -> None:
    layer.selected_label, layer.brush_size = 1, 3
    layer.paint(at, 1)


def names(viewer) -> list[str]:
    return [layer.name for layer in viewer.layers]


# --- from case to case


def test_a_manifest_opens_at_its_first_case(viewer, page, case, tube, records):
    assert case() == "one.isq"
    assert names(viewer) == ["one.isq", "one.isq [mask]"]
    assert page.table.rowCount() == 3
    assert "3 to do" in page.summary.text()
    mask = page.mask.layer
    assert mask.data.shape == tube.grid.shape, "the mask may be painted on anywhere"
    np.testing.assert_array_equal(mask.data[2:22], tube.mask[2:22])
    assert viewer.layers.selection.active is mask
    assert viewer.dims.current_step[0] == Z
    assert records() == {}, "looking changes nothing"


def test_keys_go_to_the_next_case_and_back(viewer, press, case):
    press("W")
    assert case() == "two.isq"
    assert names(viewer) == ["two.isq", "two.isq [expert]", "two.isq [mask]"]
    press("Q")
    assert case() == "one.isq"
    press("Q")
    assert case() == "one.isq", "there is none before"


def test_a_double_click_goes_to_a_case(page, settled, case):
    page.table.itemDoubleClicked.emit(page.table.item(2, 1))
    settled(page)
    assert case() == "three.isq"


def test_the_next_case_is_seen_as_the_last_one_was(viewer, page, press):
    scan, mask = page.desk.layers.scan, page.mask.layer
    viewer.scene.camera.zoom, scan.contrast_limits, scan.gamma = 17, (1000, 9000), 0.7
    mask.brush_size, mask.mode, mask.opacity = 23, "paint", 0.5
    limits = scan_of(scan).density_transform()(9000)
    press("W")
    scan, mask = page.desk.layers.scan, page.mask.layer
    assert viewer.scene.camera.zoom == pytest.approx(17)
    assert scan_of(scan).density_transform()(scan.contrast_limits[1]) == pytest.approx(limits)
    assert (scan.gamma, mask.brush_size, mask.mode, mask.opacity) == (0.7, 23, "paint", 0.5)
    mask.contour = 0
    press("W")
    press("Q")
    assert page.mask.layer.contour == 0, "also beyond a case without a mask"


def test_the_expert_is_shown_and_not_painted_on(page, press):
    press("W")
    assert not page.desk.layers.expert.editable
    assert page.mask.layer is not page.desk.layers.expert


def test_other_docks_follow_from_case_to_case(page, press, dock):
    correct, measure = dock("Correct"), dock("Measure")
    for _ in range(2):
        press("W")
        assert correct.mask.layer is page.mask.layer
        assert measure.mask.layer is page.mask.layer
        assert measure.expert.layer is page.desk.layers.expert
    press("Q")
    assert measure.expert.layer is page.desk.layers.expert is not None


def test_layers_of_others_stay(viewer, page, press):
    points = viewer.add_points(np.zeros((1, 3)), name="mine")
    press("W")
    assert points in viewer.layers


def test_the_next_scan_is_loaded_ahead_and_used(page, press, qtbot, case, monkeypatch):
    qtbot.waitUntil(lambda: not page.desk.ahead.busy, timeout=WAIT_MS)
    read = []
    monkeypatch.setattr(
        desk, "read_case", lambda *args: read.append(args[0].name) or case_files.read_case(*args)
    )
    press("W")
    qtbot.waitUntil(lambda: not page.desk.ahead.busy, timeout=WAIT_MS)
    assert case() == "two.isq"
    assert read == ["three.isq"], "two was there; three is loaded ahead now"


def test_what_was_loaded_ahead_is_read_again_when_its_files_changed(
    page, press, qtbot, folder, tube
):
    qtbot.waitUntil(lambda: not page.desk.ahead.busy, timeout=WAIT_MS)
    write_mask(folder / "given.aim", tube.small, tube.grid)
    press("W")
    np.testing.assert_array_equal(page.mask.layer.data, tube.small)


def test_removed_layers_let_their_memory_go(viewer, page, press, dock, monkeypatch):
    monkeypatch.setattr(case_layers, "gc", gc)
    dock("Measure"), dock("Correct")
    layers = [weakref.ref(layer) for layer in viewer.layers]
    voxels = weakref.ref(page.mask.layer.data)
    paint(page.mask.layer)
    press("W")
    press("W")
    gc.collect()
    assert [layer() for layer in layers] == [None, None]
    assert voxels() is None


# --- saving


def test_edits_are_saved_on_next_and_the_status_stays(page, press, folder, records, digest):
    before = digest(folder / "given.aim"), digest(folder / "one.isq")
    paint(page.mask.layer)
    painted = page.mask.layer.data.copy()
    press("W")
    saved = records()["one.isq"]
    assert (saved["status"], saved["annotator"]) == (TO_DO, "Ann")
    assert (saved["mask"], saved["mask_from"]) == ("masks/one_mask.aim", "file: given.aim")
    np.testing.assert_array_equal(whole(folder / "masks/one_mask.aim"), painted)
    assert (digest(folder / "given.aim"), digest(folder / "one.isq")) == before
    press("Q")
    np.testing.assert_array_equal(page.mask.layer.data, painted)
    paint(page.mask.layer, (Z, 50, 100))
    press("W")
    assert records()["one.isq"] == saved | {
        key: records()["one.isq"][key] for key in ("minutes", "saved_at")
    }, "where the mask came from stays"


def test_without_edits_nothing_is_written(press, folder, case):
    press("W")
    assert case() == "two.isq"
    assert not (folder / "masks").exists()


def test_save_and_next_calls_the_case_corrected(page, click, settled, records, folder, case):
    click(page.run_bar.button)
    settled(page)
    assert case() == "two.isq"
    assert records()["one.isq"]["status"] == CORRECTED
    assert (folder / "masks/one_mask.aim").is_file(), "also of a mask that was right as it came"
    assert page.table.item(0, 2).text() == "◐ corrected"


def test_a_status_is_saved_at_once_and_the_case_stays(page, click, settled, records, case):
    click(page.case.status[APPROVED])
    settled(page)
    assert case() == "one.isq"
    assert records()["one.isq"]["status"] == APPROVED
    assert page.case.status[APPROVED].isChecked()
    click(page.case.status[TO_DO])
    settled(page)
    assert records()["one.isq"]["status"] == TO_DO


def _grid(page):
    return page.desk.files.scan.grid


def test_work_is_resumed_after_reopening(page, press, close_dock, opened, records):
    paint(page.mask.layer)
    press("R")
    close_dock(page)
    again = opened()
    assert again.case.name.text() == "two.isq", "the first case to do"
    assert again.table.item(0, 2).text() == "◐ corrected"
    assert records()["one.isq"]["mask_from"] == "file: given.aim"


def test_the_name_is_remembered(page, close_dock, dock):
    close_dock(page)
    again = dock("Worklist")
    assert again.annotator.text() == "Ann"
    assert again.desk.annotator == "Ann"
    assert again.resume.isVisibleTo(again)


def test_a_failed_save_keeps_the_case_and_its_edits(page, press, folder, case, records, notes):
    (folder / "masks").write_text("in the way")
    paint(page.mask.layer)
    painted = page.mask.layer.data.copy()
    press("R")
    assert case() == "one.isq"
    np.testing.assert_array_equal(page.mask.layer.data, painted)
    assert records() == {}
    assert "masks" in page.run_bar.message.text()
    (folder / "masks").unlink()
    press("R")
    assert case() == "two.isq"
    np.testing.assert_array_equal(whole(folder / "masks/one_mask.aim"), painted)


def test_a_stroke_during_the_saving_is_saved_too(page, press, folder, gate, monkeypatch, qtbot):
    from napari_vbmd.plugin import case_save

    monkeypatch.setattr(case_save, "_write", gate.around(case_save._write))
    paint(page.mask.layer)
    page.desk.step(+1)
    qtbot.waitUntil(gate.entered.is_set, timeout=WAIT_MS)
    paint(page.mask.layer, (Z, 50, 100))
    painted = page.mask.layer.data.copy()
    gate.opened.set()
    qtbot.waitUntil(lambda: page.case.name.text() == "two.isq", timeout=WAIT_MS)
    np.testing.assert_array_equal(whole(folder / "masks/one_mask.aim"), painted)


# --- with copies that are kept against a crash


@pytest.fixture
def kept(rescue_folder, qtbot, viewer):
    """The masks that are kept aside, once that has come to rest."""

    def files() -> list[Path]:
        qtbot.waitUntil(lambda: not autosave._guards[viewer].busy, timeout=WAIT_MS)
        return sorted(rescue_folder.glob("*/*.npz"))

    return files


def test_a_saved_case_needs_no_copy(page, press, kept, monkeypatch):
    paint(page.mask.layer)
    autosave._guards[page.viewer].keep_now(page.mask.layer)
    assert len(kept()) == 1
    press("W")
    assert kept() == []


def test_closing_the_dock_keeps_the_edits_and_reopening_finds_them(
    viewer, page, press, close_dock, opened, records, kept
):
    press("W")
    paint(page.mask.layer)
    painted = page.mask.layer.data.copy()
    close_dock(page)
    assert records().get("two.isq", {}).get("mask", "") == ""
    again = opened()
    assert again.case.name.text() == "two.isq", "where edits wait"
    np.testing.assert_array_equal(again.mask.layer.data, painted)
    assert names(viewer).count("two.isq") == 1
    again.desk.step(-1)
    assert again.desk.busy


def test_a_rescued_mask_becomes_that_of_its_case(viewer, page, press, folder, records, qtbot):
    rescued = np.zeros(_grid(page).shape, np.uint8)
    rescued[3:9, 20:30, 20:30] = 1
    about = {"rescued from": "today", "scan path": str(folder / "one.isq")}
    layer = add_mask(viewer, Mask(rescued, _grid(page)), "mask [rescued]", about=about)
    qtbot.waitUntil(lambda: page.mask.layer is layer, timeout=WAIT_MS)
    press("W")
    np.testing.assert_array_equal(whole(folder / "masks/one_mask.aim"), rescued)
    assert records()["one.isq"]["mask_from"] == "file: given.aim"


# --- cases without a mask


def test_an_empty_mask_is_offered_and_drawn_on(page, press, click, settled, records, folder):
    press("W")
    press("W")
    assert page.case.no_mask.isVisibleTo(page)
    click(page.case.empty)
    settled(page)
    assert not page.case.no_mask.isVisibleTo(page)
    press("Q")
    assert records() == {}, "nothing was drawn"
    press("W")
    click(page.case.empty)
    settled(page)
    paint(page.mask.layer)
    press("R")
    assert records()["three.isq"]["mask_from"] == "drawn by hand"
    assert whole(folder / "masks/three_mask.aim")[Z].any()


def test_segment_opens_with_the_scan_and_its_result_is_the_mask(
    page, press, click, run, settled, records, viewer
):
    press("W")
    press("W")
    click(page.case.segment)
    segment = viewer.window.add_plugin_dock_widget("napari-vbmd", "Segment")[1]
    assert segment.scan.layer is page.desk.layers.scan
    segment.method.setCurrentText("contour")
    run(segment)
    settled(page)
    assert page.mask.layer is segment.result
    press("T")
    assert records()["three.isq"]["mask_from"] == "method: contour"
    assert records()["three.isq"]["status"] == APPROVED
    assert page.case.name.text() == "three.isq"
    assert "last case" in page.run_bar.message.text()


def test_a_mask_that_nobody_chose_is_not_thrown_away(viewer, page, press, case, settled):
    other = add_mask(viewer, Mask(np.ones(_grid(page).shape, np.uint8), _grid(page)), "result")
    press("W")
    assert case() == "one.isq"
    assert "“result” is saved nowhere" in page.run_bar.message.text()
    viewer.layers.remove(other)
    press("W")
    assert case() == "two.isq"


def test_the_layer_that_was_chosen_is_saved(viewer, page, press, folder, tube):
    other = add_mask(viewer, Mask(tube.small.copy(), tube.grid), "mine")
    page.mask.pick(other)
    press("W")
    np.testing.assert_array_equal(whole(folder / "masks/one_mask.aim"), tube.small)


# --- what goes wrong


def test_a_missing_and_a_broken_scan_stop_nobody(folder, opened, settled, viewer):
    (folder / "broken.isq").write_bytes(b"CTDATA-HEADER_V1" + bytes(600))
    manifest(folder, "broken.isq,,", "missing.isq,,", "one.isq,given.aim,")
    page = opened()
    assert page.table.item(1, 2).text().startswith("⚠")
    assert page.case.name.text() == "broken.isq"
    assert "broken.isq" in page.case.warnings.text()
    assert not page.run_bar.button.isEnabled()
    assert names(viewer) == []
    page.desk.step(+1)
    settled(page)
    assert "no such file" in page.case.warnings.text()
    page.desk.step(+1)
    settled(page)
    assert names(viewer) == ["one.isq", "one.isq [mask]"]
    assert page.run_bar.button.isEnabled()


def test_a_mask_of_another_scan_is_said_and_not_shown(folder, opened, tube):
    write_mask(folder / "given.aim", tube.mask, type(tube.grid)(tube.grid.shape, (0.06,) * 3))
    page = opened()
    assert page.mask.layer is None
    assert "voxel sizes differ" in page.case.warnings.text()


def test_a_saved_mask_that_cannot_be_read_is_let_be(page, press, click, settled, folder, records):
    press("R")
    (folder / "masks/one_mask.aim").write_bytes(b"damaged")
    press("Q")
    assert "one_mask.aim" in page.case.warnings.text()
    click(page.case.empty)
    settled(page)
    paint(page.mask.layer)
    press("W")
    assert records()["one.isq"]["mask"] == "masks/one_mask_2.aim"
    assert (folder / "masks/one_mask.aim").read_bytes() == b"damaged"


def test_edits_of_the_first_mask_are_not_dropped_when_another_is_chosen(
    viewer, page, press, case, tube
):
    paint(page.mask.layer)
    page.mask.pick(add_mask(viewer, Mask(tube.small.copy(), tube.grid), "mine"))
    press("W")
    assert case() == "one.isq"
    assert "“one.isq [mask]” is saved nowhere" in page.run_bar.message.text()


def test_bad_rows_are_named_and_nothing_is_opened(folder, dock, qtbot, viewer):
    manifest(folder, "one.isq,,", ",given.aim,", "./one.isq,,")
    page = dock("Worklist")
    page.open_manifest(str(folder / "cases.csv"))
    qtbot.waitUntil(lambda: not page.desk.busy, timeout=WAIT_MS)
    assert "line 3: no scan" in page.run_bar.message.text()
    assert "lines 2, 4" in page.run_bar.message.text()
    assert page.desk.case is None


# --- two people


@pytest.fixture
def somebody(folder, page, tube):
    """Somebody else saves the first case."""

    def save() -> None:
        theirs = Worklist(read_manifest(folder / "cases.csv"))
        path = folder / "masks" / "one_mask.aim"
        path.parent.mkdir(exist_ok=True)
        theirs.save(
            "one.isq",
            lambda: write_mask(path, tube.small, tube.grid),
            status=APPROVED,
            annotator="Bob",
            mask="masks/one_mask.aim",
        )

    return save


def test_mine_is_saved_beside_theirs(page, press, somebody, click, settled, records, folder, tube):
    paint(page.mask.layer)
    painted = page.mask.layer.data.copy()
    somebody()
    press("R")
    assert page.case.name.text() == "one.isq"
    assert "Bob saved this case" in page.case.conflict.text()
    assert records()["one.isq"]["annotator"] == "Bob"
    np.testing.assert_array_equal(page.mask.layer.data, painted)
    click(page.case.keep_mine)
    settled(page)
    assert page.case.name.text() == "two.isq", "what was stopped goes on"
    assert (records()["one.isq"]["annotator"], records()["one.isq"]["mask"]) == (
        "Ann",
        "masks/one_mask_2.aim",
    )
    np.testing.assert_array_equal(whole(folder / "masks/one_mask.aim"), tube.small)
    np.testing.assert_array_equal(whole(folder / "masks/one_mask_2.aim"), painted)
    assert page.case.conflict.text() == ""


def test_theirs_is_shown_and_mine_kept_aside(page, press, somebody, click, settled, kept, tube):
    paint(page.mask.layer)
    somebody()
    press("R")
    click(page.case.take_theirs)
    settled(page)
    assert page.case.name.text() == "one.isq"
    np.testing.assert_array_equal(page.mask.layer.data, tube.small)
    assert len(kept()) == 1
    press("W")
    assert page.case.name.text() == "two.isq"


# --- minutes


def test_minutes_are_counted_while_somebody_works(viewer, page, press, records, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(page.desk.clock.time, "_clock", lambda: clock[0])
    page.desk.clock.time.start()
    for _ in range(4):
        clock[0] += 30
        viewer.dims.set_point(0, float(clock[0]) / 100)
    clock[0] += 3600  # lunch
    paint(page.mask.layer)
    press("W")
    assert float(records()["one.isq"]["minutes"]) == pytest.approx(2.0, abs=0.02)
    assert page.table.item(0, 3).text() == "2.0"


def test_minutes_are_written_now_and_then_and_when_the_dock_goes(
    page, records, qtbot, monkeypatch, close_dock
):
    clock = [0.0]
    monkeypatch.setattr(page.desk.clock.time, "_clock", lambda: clock[0])
    page.desk.clock.time.start()
    clock[0] += 60
    page.desk.clock.touch()
    page.desk.clock.write()
    qtbot.waitUntil(lambda: "one.isq" in records(), timeout=WAIT_MS)
    assert records()["one.isq"]["minutes"] == "1.00"
    qtbot.waitUntil(lambda: page.desk.clock._job is None, timeout=WAIT_MS)
    clock[0] += 60
    page.desk.clock.touch()
    close_dock(page)
    assert records()["one.isq"]["minutes"] == "2.00"
    assert records()["one.isq"]["status"] == TO_DO


# --- manners


def test_the_keys_are_in_the_sheet_with_those_of_the_mask(page, dock):
    correct = dock("Correct")
    correct.mask.pick(page.mask.layer)
    sheet = page.keys.sheet()
    for key in ("Shift+W", "Shift+Q", "Shift+R", "Shift+T", "Shift+I"):
        assert key in sheet
    assert sorted(sheet) == sorted(correct.keys.sheet()), "one sheet, wherever it is asked for"


def test_no_other_dock_has_its_keys(page, dock):
    taken = {"V"}  # napari's own with Shift
    for name in ("Correct", "Review"):
        taken |= set(dock(name).keys._commands)
    assert not set(page.keys._commands) & taken


def test_the_keys_go_with_the_dock(viewer, page, close_dock, folder):
    assert viewer.keymap
    close_dock(page)
    assert not viewer.keymap


def test_sorting_and_back_to_the_manifests_order(page, press):
    press("R")
    page.table.sortItems(2, Qt.SortOrder.DescendingOrder)
    assert page.table.item(0, 1).text() == "one"
    assert page.table.item(0, 2).text() == "◐ corrected"
    page.table.sortItems(0, Qt.SortOrder.AscendingOrder)
    assert [page.table.item(row, 1).text() for row in range(3)] == ["one", "two", "three"]


def test_another_manifest_may_follow(page, folder, settled, viewer, records):
    paint(page.mask.layer)
    shutil.copy(folder / "cases.csv", folder / "others.csv")
    page.open_manifest(str(folder / "others.csv"))
    settled(page)
    assert page.summary.text().startswith("others.csv")
    assert records()["one.isq"]["mask"], "edits were saved first"
    assert names(viewer) == ["one.isq", "one.isq [mask]"]
