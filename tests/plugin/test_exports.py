"""Copy, CSV and report: the numbers arrive as they are, or one line says why not."""

import pandas as pd
import pytest
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_vbmd.plugin import exports, measure_dock
from napari_vbmd.plugin.layers import add_mask
from napari_vbmd.scan import Mask


@pytest.fixture
def page(viewer, scan, mask, dock, tube, run):
    """The dock Measure after a comparison with an expert's mask."""
    voxels = tube.mask.copy()
    voxels[:2] = 0
    expert = add_mask(viewer, Mask(voxels, tube.grid), "expert")
    page = dock("Measure")
    page.mask.pick(mask)
    page.expert.pick(expert)
    run(page)
    return page


@pytest.fixture
def answer_dialog(monkeypatch):
    """Answer the file dialog with a path; the empty one is its Cancel."""

    def answer(path, kind=""):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: (str(path), kind))

    return answer


def test_copy_puts_the_table_on_the_clipboard(page, click):
    click(page.exports.copy_button)
    rows = [line.split("\t") for line in QApplication.clipboard().text().splitlines()]
    assert rows[:3] == [["Scan", "tube.isq", ""], ["Mask", "mask", ""], ["Expert", "expert", ""]]
    shown = [[page.table.item(i, j).text() for j in range(3)] for i in range(page.table.rowCount())]
    assert rows[3:] == shown
    assert "Copied" in page.run_bar.message.text()


def test_csv_read_back_equals_the_numbers(page, click, answer_dialog, tmp_path):
    answer_dialog(tmp_path / "out.csv")
    click(page.exports.csv_button)
    data = pd.read_csv(tmp_path / "out.csv")
    m, o = page.comparison.measurement, page.comparison.overlap
    whole = data[data["slice"] == "all"].iloc[0]
    assert whole["tt_vbmd_mg_cm3"] == m.tt_vbmd_mg_cm3
    assert whole["tt_vbmd_sd_mg_cm3"] == m.tt_vbmd_sd_mg_cm3
    assert whole["voxels"] == m.voxels
    assert whole["bmc_mg"] == m.bmc_mg
    assert whole["volume_mm3"] == m.volume_mm3
    assert whole["dice"] == o.dice
    assert whole["hd95_mm"] == o.hd95_mm
    assert whole["difference_mg_cm3"] == page.comparison.difference_mg_cm3
    assert whole["mu_scaling"] == 8192
    assert (whole["scan"], whole["mask"], whole["expert"]) == ("tube.isq", "mask", "expert")
    assert page.run_bar.message.text() == "Saved out.csv."


def test_csv_has_a_line_for_every_slice(page, tmp_path):
    page.exports.save_csv(str(tmp_path / "out.csv"))
    slices = pd.read_csv(tmp_path / "out.csv").iloc[1:]
    ours = page.comparison.measurement.per_slice
    assert list(slices["slice"].astype(int)) == [row["slice"] for row in ours] == list(range(24))
    assert list(slices["tt_vbmd_mg_cm3"]) == [row["tt_vbmd_mg_cm3"] for row in ours]
    assert list(slices["voxels"]) == [row["voxels"] for row in ours]
    assert slices["expert_voxels"].isna().sum() == 2


def test_report_is_one_page_with_the_number(
    page, click, answer_dialog, ended, tmp_path, monkeypatch, digest, tube
):
    (tmp_path / "mask").write_text("a file that bears the layer's name")
    monkeypatch.chdir(tmp_path)
    answer_dialog(tmp_path / "out.html")
    click(page.exports.report_button)
    ended(page)
    text = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert f"{page.comparison.measurement.tt_vbmd_mg_cm3:.1f}" in text
    assert "data:image/png" in text
    assert digest(tube.path) in text
    assert digest(tmp_path / "mask") not in text
    assert page.run_bar.message.text() == "Saved out.html."
    assert {p.name for p in tmp_path.iterdir()} == {"mask", "out.html"}


def test_report_is_a_pdf_by_its_ending_or_the_kind_chosen(
    page, click, answer_dialog, ended, tmp_path
):
    answer_dialog(tmp_path / "out", "PDF (*.pdf)")
    click(page.exports.report_button)
    ended(page)
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF")
    click(page.exports.report_button)  # nobody was asked whether out.pdf may go
    assert "exists: type its ending" in page.run_bar.message.text()
    page.exports.save_report(str(tmp_path / "out.doc"))
    ended(page)
    assert "choose one of the two" in page.run_bar.message.text()
    assert [p.name for p in tmp_path.iterdir()] == ["out.pdf"]


@pytest.mark.parametrize("kind", ["csv_button", "report_button"])
def test_cancel_of_the_file_dialog_does_nothing(page, click, answer_dialog, tmp_path, kind, notes):
    answer_dialog("")
    click(getattr(page.exports, kind))
    assert not page.run_bar.running
    assert page.run_bar.message.text() == ""
    assert notes == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["csv_button", "report_button"])
def test_failure_to_write_is_one_line(page, click, answer_dialog, ended, tmp_path, kind, notes):
    answer_dialog(tmp_path / "nowhere" / "out")
    click(getattr(page.exports, kind))
    ended(page)
    assert "does not exist" in page.run_bar.message.text()
    assert notes == [page.run_bar.message.text()]
    assert "\n" not in notes[0]


def test_failed_write_leaves_the_older_file(page, tmp_path, monkeypatch):
    path = tmp_path / "out.csv"
    path.write_text("older")

    def disk_full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", disk_full)
    page.exports.save_csv(str(path))
    assert "disk is full" in page.run_bar.message.text()
    assert path.read_text() == "older"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def test_cancelled_report_is_not_written(
    page, click, answer_dialog, ended, tmp_path, monkeypatch, gate, entered
):
    monkeypatch.setattr(exports, "_write_report", gate.around(exports._write_report))
    answer_dialog(tmp_path / "out.html")
    click(page.exports.report_button)
    entered()
    click(page.run_bar.cancel)
    gate.opened.set()
    ended(page)
    assert gate.outcome == "Cancelled"
    assert list(tmp_path.iterdir()) == []


def test_nothing_can_be_exported_before_a_measurement(viewer, scan, mask, dock):
    assert not dock("Measure").exports.isEnabled()


def test_exports_during_a_measurement_are_of_the_number_shown(
    page, click, ended, gate, entered, monkeypatch
):
    held = gate.around(measure_dock.measure_against)
    monkeypatch.setattr(measure_dock, "measure_against", held)
    before = page.comparison
    click(page.run_bar.button)
    entered()
    click(page.exports.copy_button)
    text = QApplication.clipboard().text()
    assert f"{before.measurement.tt_vbmd_mg_cm3:.1f}" in text
    click(page.run_bar.cancel)
    gate.opened.set()
    ended(page)


def test_every_control_has_a_tooltip(viewer, dock):
    row = dock("Measure").exports
    for button in (row.copy_button, row.csv_button, row.report_button):
        assert button.toolTip()
