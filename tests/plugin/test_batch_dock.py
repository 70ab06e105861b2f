"""The dock Batch, with a real batch of small scans."""

import numpy as np
import pytest

from napari_vbmd.grid import Grid
from napari_vbmd.io.files import write_mask
from napari_vbmd.io.isq import write_isq
from napari_vbmd.plugin import outside_process
from napari_vbmd.plugin.batch_dock import BatchDock
from napari_vbmd.study.batch_table import COLUMNS

from .conftest import CALIBRATION

GRID = Grid((12, 40, 40), (0.246,) * 3)


@pytest.fixture
def manifest(tmp_path):
    """Many rods, of which one is missing."""
    y, x = np.mgrid[-20:20, -20:20] + 0.5
    rod = np.zeros(GRID.shape, np.uint8)
    rod[2:10] = np.hypot(y, x) < 9
    write_mask(tmp_path / "rod.aim", rod, GRID)
    lines = ["patient,scan,expert", "gone,gone.isq,"]
    for i in range(30):
        native = CALIBRATION.linear("density", "native")(np.where(rod, 700.0 + i, 50.0))
        scan = tmp_path / f"{i}.isq"
        write_isq(scan, np.rint(native).astype(np.int16), GRID.spacing_mm, CALIBRATION)
        lines.append(f"P{i},{i}.isq,rod.aim")
    (tmp_path / "cases.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "cases.csv"


@pytest.fixture
def dock(make_napari_viewer, monkeypatch):
    monkeypatch.setattr(outside_process, "LOOK_MS", 50)
    viewer = make_napari_viewer()
    dock = BatchDock(viewer)
    viewer.window.add_dock_widget(dock)
    yield dock
    dock.process.stop()
    dock.stop()


def cells(dock, row):
    return [dock.table.item(row, column).text() for column in range(3)]


def test_a_batch_is_started_watched_and_stopped(dock, manifest, tmp_path, qtbot):
    dock.manifest.pick(manifest)
    dock.out.pick(tmp_path / "out")
    dock.method.setCurrentText("contour")
    dock.run_bar.button.click()
    assert not dock.choices.isEnabled()
    assert "goes on when napari is closed" in dock.goes_on.text()
    qtbot.waitUntil(lambda: dock.table.rowCount() > 1, timeout=60_000)
    assert cells(dock, 0) == ["gone", "⚠ failed", ""]
    assert "no such file" in dock.table.item(0, 0).toolTip()
    assert cells(dock, 1)[:2] == ["P0", "● done"]
    assert 600 < float(cells(dock, 1)[2]) < 750
    with qtbot.waitSignal(dock.process.ended, timeout=60_000):
        dock.run_bar.cancel.click()
    assert dock.run_bar.message.text() == "Stopped; the same choices go on."
    assert dock.choices.isEnabled()
    assert not (tmp_path / "out" / "stop").exists()
    assert dock.table.rowCount() < 31


def test_a_folder_with_a_table_shows_it(dock, tmp_path):
    values = {"patient": "p", "status": "skipped", "tt_vbmd_mg_cm3": "281.26", "group": "1"}
    rows = [values, values | {"group": "2", "flags": "voxel size 0.061, of most scans 0.082"}]
    lines = [",".join(f'"{row.get(name, "")}"' for name in COLUMNS) for row in rows]
    (tmp_path / "batch.csv").write_text("\n".join([",".join(COLUMNS), *lines]) + "\n")
    dock.out.pick(tmp_path)
    assert cells(dock, 0) == ["p", "● done before", "281.3"]
    assert dock.counts.text() == "2 done before"
    assert "2 groups of scans that must not be pooled" in dock.groups.text()
    assert "voxel size 0.061" in dock.table.item(1, 0).toolTip()
    dock.out.pick(tmp_path / "new")
    assert dock.table.rowCount() == 0


def test_what_is_missing_is_said(dock, tmp_path, qtbot):
    dock.run_bar.button.click()
    assert dock.run_bar.message.text() == "Choose the manifest: a CSV that names the scans"
    (tmp_path / "bad.csv").write_text("name\nx\n")
    dock.manifest.pick(tmp_path / "bad.csv")
    dock.out.pick(tmp_path / "out")
    told = []
    dock.process.ended.connect(lambda how, is_error: told.append((how, is_error)))
    dock.run()
    qtbot.waitUntil(lambda: bool(told), timeout=30_000)
    assert "no column “scan”" in told[0][0]
    assert told[0][1]


def test_compartments_are_measured_when_they_are_ticked(dock, manifest, tmp_path):
    dock.manifest.pick(manifest)
    dock.out.pick(tmp_path / "out")
    assert "--compartments" not in dock.words()
    dock.compartments.click()
    assert dock.words()[-1] == "--compartments"
