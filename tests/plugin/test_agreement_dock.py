"""The dock Agreement: a table opens, columns are chosen, a point opens its patient."""

import csv
import json

import numpy as np
import pytest
from matplotlib.backend_bases import MouseButton, MouseEvent
from napari.layers import Image, Labels
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QFileDialog,
    QScrollArea,
)

from napari_vbmd.grid import Grid
from napari_vbmd.io.files import write_mask
from napari_vbmd.plugin import agreement_dock
from napari_vbmd.plugin.parts import DOCK_WIDTH
from napari_vbmd.study.result_table import read_table

OURS = "tt_vbmd_mg_cm3"
EXPERT = f"expert_{OURS}"


@pytest.fixture
def folder(tube, tmp_path):
    """Two scans with masks beside a table of five patients; the fifth has no number of ours."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.isq").write_bytes(tube.path.read_bytes())
        write_mask(tmp_path / f"{name}_mask.aim", tube.mask, tube.grid)
        shorter = tube.mask.copy()
        shorter[:4] = 0
        write_mask(tmp_path / f"{name}_expert.aim", shorter, tube.grid)
    return tmp_path


@pytest.fixture
def table(folder):
    def files(name):
        return {"scan": f"{name}.isq", "mask": f"{name}_mask.aim", "expert": f"{name}_expert.aim"}

    values = [(265.3, 279.1), (301.0, 312.4), (240.2, 255.0), (281.7, 290.2), ("", 262.0)]
    named = [files("one"), files("two"), files("gone"), {}, {}]
    rows = [
        {"patient": f"P{i + 1}", OURS: ours, EXPERT: expert, "other_mm": 3 * i} | of
        for i, ((ours, expert), of) in enumerate(zip(values, named, strict=True))
    ]
    path = folder / "results.csv"
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0]], restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def page(viewer, dock):
    return dock("Agreement")


@pytest.fixture
def opened(page, table, ended):
    page.open_table(str(table))
    ended(page)
    return page


@pytest.fixture
def click_point(qtbot):
    """Click on a pair's point in the Bland-Altman plot, and wait."""

    def click(page, pair):
        page.plot.draw()
        place = page.plot._points[1][pair]
        pixel = page.plot.differences.transData.transform(place)
        event = MouseEvent("button_press_event", page.plot, *pixel, button=MouseButton.LEFT)
        page.plot.callbacks.process("button_press_event", event)
        qtbot.waitUntil(lambda: not page.busy, timeout=30_000)

    return click


def shown(page):
    """The table of numbers, by name."""
    cells = [
        [page.numbers.item(i, j).text() for j in range(3)] for i in range(page.numbers.rowCount())
    ]
    return {name: (value, within) for name, value, within in cells}


def choose(picker, text):
    assert picker.findText(text) >= 0
    picker.setCurrentText(text)


def test_the_button_asks_for_a_table_and_opens_it(page, table, click, ended, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *args: (str(table), ""))
    click(page.run_bar.button)
    ended(page)
    assert page.file.text() == "results.csv, 5 rows"


def test_cancel_of_the_file_dialog_does_nothing(page, click, monkeypatch, notes):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *args: ("", ""))
    click(page.run_bar.button)
    assert not page.run_bar.running
    assert page.table is None
    assert notes == []


def test_the_densities_are_compared_without_any_choice(opened):
    assert (opened.ours.currentText(), opened.reference.currentText()) == (OURS, EXPERT)
    assert opened.patient.currentText() == "patient"
    numbers = shown(opened)
    assert numbers["Pairs"] == ("4", "")
    assert numbers["Bias"][0] == "−12.1"
    assert numbers["ICC(2,1)"][0] == f"{opened.quantity.agreement.icc.value:.3f}"
    assert opened.about.text().startswith("mg HA/cm³")
    assert opened.left_out.text() == "Left out: ours is missing: line 6"
    assert not opened.plot.isHidden()


def test_only_columns_of_numbers_can_be_compared(opened):
    offered = [opened.ours.itemText(i) for i in range(opened.ours.count())]
    assert offered == [OURS, EXPERT, "other_mm"]


def test_another_column_changes_everything_at_once(opened):
    choose(opened.reference, "other_mm")
    assert "different units" in opened.problem.text()
    assert opened.quantity is None
    assert opened.plot.isHidden()
    assert not opened.exports.isEnabled()
    choose(opened.reference, EXPERT)
    assert opened.problem.text() == ""
    assert shown(opened)["Pairs"] == ("4", "")


def test_what_is_missing_says_why(opened, table, ended):
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:2]))
    opened.open_table(str(table))
    ended(opened)
    assert shown(opened)["Bias"] == ("−13.8", "")
    assert shown(opened)["Pearson r"] == ("–", "")
    assert "Pearson r, Spearman rho, ICC(2,1): 1 pair where 3 are needed." in opened.missing.text()


def test_repeats_give_the_precision_error(page, folder, ended):
    path = folder / "repeats.csv"
    rows = [f"P{i},{v},{280 + 5 * i + v}" for i in range(6) for v in (1, 2)]
    path.write_text("\n".join([f"patient,visit,{OURS}", *rows]))
    page.open_table(str(path))
    ended(page)
    choose(page.reference, "none")
    assert page.problem.text() == "Choose a reference, or the column of repeats."
    choose(page.repeat, "visit")
    assert shown(page)["RMS SD"][0] == "0.71"
    assert "degrees of freedom" in page.warnings.text()
    assert page.plot.isHidden()
    assert page.exports.isEnabled()
    assert not page.exports.figure_button.isEnabled()


def test_a_table_that_cannot_be_read_is_one_line_and_the_last_one_stays(
    opened, folder, ended, notes
):
    (folder / "bad.csv").write_text("a,a\n1,2\n")
    opened.open_table(str(folder / "bad.csv"))
    ended(opened)
    assert "columns that occur twice" in opened.run_bar.message.text()
    assert notes == [opened.run_bar.message.text()]
    assert opened.file.text() == "results.csv, 5 rows"
    assert shown(opened)["Pairs"] == ("4", "")


def test_a_cell_that_is_no_number_is_named_with_line_and_column(opened, table, ended):
    table.write_text(table.read_text().replace("301.0", "3O1"))
    opened.open_table(str(table))
    ended(opened)
    assert f"line 3, column “{OURS}”: “3O1” is not a number" in opened.problem.text()
    assert opened.plot.isHidden()
    choose(opened.ours, "other_mm")
    choose(opened.reference, "none")
    assert opened.problem.text() == "Choose a reference, or the column of repeats."


def test_a_table_without_numbers_says_so(page, folder, ended):
    (folder / "words.csv").write_text("patient,who\nP1,me\n")
    page.open_table(str(folder / "words.csv"))
    ended(page)
    assert page.problem.text() == "This table has no column of numbers."


def test_a_click_on_a_point_opens_the_scan_with_its_masks(viewer, opened, click_point, tube):
    click_point(opened, 0)
    assert [layer.name for layer in viewer.layers] == [
        "one.isq", "one.isq [expert]", "one.isq [mask]",
    ]  # fmt: skip
    scan, expert, mask = viewer.layers
    assert isinstance(scan, Image)
    assert isinstance(mask, Labels)
    np.testing.assert_array_equal(mask.data, tube.mask)
    assert mask.colormap.color_dict[1].tolist() != expert.colormap.color_dict[1].tolist()
    assert opened.picked.text() == ("P1 (line 2): 265.3 against 279.1, difference −13.8 mg HA/cm³")
    assert viewer.dims.current_step[0] == 11  # the middle of slices 0 to 23


def test_the_next_patient_takes_the_place_of_the_one_before(viewer, opened, click_point):
    click_point(opened, 0)
    other = viewer.add_image(np.zeros((4, 5, 6)), name="mine")
    click_point(opened, 1)
    assert [layer.name for layer in viewer.layers] == [
        "mine", "two.isq", "two.isq [expert]", "two.isq [mask]",
    ]  # fmt: skip
    assert other in viewer.layers


def test_a_patient_in_sight_is_not_opened_again(viewer, opened, click_point):
    click_point(opened, 0)
    before = list(viewer.layers)
    click_point(opened, 0)
    assert list(viewer.layers) == before
    viewer.layers.pop()
    click_point(opened, 0)
    assert len(viewer.layers) == 3
    assert viewer.layers[0] is not before[0]


def test_a_mask_with_edits_is_not_taken_away(viewer, opened, click_point):
    click_point(opened, 0)
    mask = viewer.layers["one.isq [mask]"]
    mask.paint((12, 5, 5), 1)
    click_point(opened, 1)
    assert mask in viewer.layers
    assert not mask.visible
    assert viewer.layers["two.isq [mask]"].visible
    assert opened.run_bar.message.text() == ("one.isq [mask] has unsaved edits: it stays, hidden.")


def test_a_missing_file_is_one_line_with_the_row_and_opens_nothing(
    viewer, opened, click_point, notes
):
    click_point(opened, 2)
    text = opened.run_bar.message.text()
    assert text.startswith("line 4: ")
    assert "gone.isq: no such file" in text
    assert notes == [text]
    assert len(viewer.layers) == 0
    assert opened.picked.text().startswith("P3 (line 4)")


def test_a_row_that_names_no_scan_says_what_to_add(viewer, opened, click_point):
    click_point(opened, 3)
    assert "no scan is named: give the table a column “scan”" in opened.run_bar.message.text()


def test_a_mask_of_another_scan_is_refused_and_the_patient_before_stays(
    viewer, opened, click_point, folder, tube
):
    click_point(opened, 0)
    other = Grid(tube.grid.shape, (0.2, 0.2, 0.2))
    write_mask(folder / "two_mask.aim", tube.mask, other)
    click_point(opened, 1)
    assert "voxel sizes differ" in opened.run_bar.message.text()
    assert viewer.layers[0].name == "one.isq"


def test_opening_runs_in_the_background_and_can_be_cancelled(
    viewer, opened, click, ended, gate, entered, monkeypatch
):
    monkeypatch.setattr(agreement_dock, "read_patient", gate.around(agreement_dock.read_patient))
    opened.open_patient(0)
    assert opened.run_bar.running
    entered()
    opened.open_patient(1)  # ignored while one opens
    assert opened.picked.text().startswith("P1")
    click(opened.run_bar.cancel)
    gate.opened.set()
    ended(opened)
    assert gate.outcome == "Cancelled"
    assert len(viewer.layers) == 0


def test_files_are_never_written_to(opened, click_point, folder, digest):
    before = {path: digest(path) for path in folder.iterdir()}
    click_point(opened, 0)
    click_point(opened, 1)
    assert {path: digest(path) for path in folder.iterdir()} == before


def test_the_ring_stays_when_the_theme_changes_or_other_columns_are_chosen(
    viewer, opened, click_point
):
    click_point(opened, 1)
    viewer.theme = "light"
    ring = opened.plot.scatter.lines[-1]
    assert ring.get_xydata().tolist() == [[312.4, 301.0]]
    choose(opened.ours, "other_mm")
    choose(opened.ours, OURS)
    assert opened.plot.scatter.lines[-1].get_xydata().tolist() == [[312.4, 301.0]]
    assert opened.picked.text().startswith("P2 (line 3)")


def test_copy_puts_every_number_on_the_clipboard(opened, click):
    click(opened.exports.copy_button)
    rows = [line.split("\t") for line in QApplication.clipboard().text().splitlines()]
    assert rows[0] == ["", "value", "95 % interval", "unit"]
    assert rows[1] == ["Pairs", "4", "", ""]
    assert ["Pearson r", *shown(opened)["Pearson r"]] in [row[:3] for row in rows]


@pytest.mark.parametrize(
    ("name", "begins"), [("a.png", b"\x89PNG"), ("a.SVG", b"<?xml"), ("a.pdf", b"%PDF")]
)
def test_the_figure_is_saved_as_its_ending_says(opened, ended, tmp_path, name, begins):
    opened.exports.save_figure(str(tmp_path / name))
    ended(opened)
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert opened.run_bar.message.text() == f"Saved {name}."


def test_json_holds_what_the_command_line_writes(opened, click, ended, tmp_path, monkeypatch):
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *args: (str(tmp_path / "out.json"), "")
    )
    click(opened.exports.json_button)
    ended(opened)
    content = json.loads((tmp_path / "out.json").read_text(), parse_constant=pytest.fail)
    assert content["table"]["name"] == "results.csv"
    assert content["quantities"] == [json.loads(json.dumps(opened.quantity.to_dict()))]


@pytest.mark.parametrize(
    ("path", "saying"), [("a.txt", "choose one of the endings"), ("none/a.pdf", "does not exist")]
)
def test_a_figure_that_cannot_be_saved_is_one_line(opened, ended, tmp_path, notes, path, saying):
    opened.exports.save_figure(str(tmp_path / path))
    ended(opened)
    assert saying in opened.run_bar.message.text()
    assert notes == [opened.run_bar.message.text()]
    assert not (tmp_path / path).exists()


def test_nothing_can_be_exported_before_a_table(page):
    assert not page.exports.isEnabled()


def test_closed_dock_no_longer_follows_the_viewer(viewer, opened, close_dock, dock):
    close_dock(opened)
    viewer.theme = "light"
    viewer.layers.clear()
    assert dock("Agreement") is not opened


def test_every_control_has_a_tooltip(opened):
    controls = [*opened.findChildren(QComboBox), *opened.exports.findChildren(QAbstractButton)]
    controls += [opened.run_bar.button, opened.run_bar.cancel, opened.plot]
    assert len(controls) == 10
    assert [control for control in controls if not control.toolTip()] == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_dock_fits_into_300_pixels(make_napari_viewer, dock, table, ended, theme):
    viewer = make_napari_viewer(show=True)
    viewer.theme = theme
    long = "a_long_name_of_a_column_as_a_study_would_give_it_mg_cm3"
    table.write_text(table.read_text().replace(OURS, long))
    page = dock("Agreement", viewer)
    page.open_table(str(table))
    ended(page)
    page.resize(DOCK_WIDTH, 700)
    QApplication.processEvents()
    [area] = page.findChildren(QScrollArea)
    assert page.minimumSizeHint().width() <= 330
    assert area.widget().minimumSizeHint().width() <= DOCK_WIDTH
    assert area.horizontalScrollBar().maximum() == 0
    names = [page.numbers.item(i, 0) for i in range(page.numbers.rowCount())]
    width = page.numbers.columnWidth(0)
    metrics = page.numbers.fontMetrics()
    assert [n.text() for n in names if metrics.horizontalAdvance(n.text()) > width - 4] == []


def test_reading_the_table_leaves_the_file_as_it_is(opened, table):
    assert read_table(table).rows == opened.table.rows
