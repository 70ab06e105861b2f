"""A path, typed or looked for."""

from pathlib import Path

import pytest
from qtpy.QtWidgets import QFileDialog

from napari_vbmd.plugin.path_row import PathRow


@pytest.fixture
def row(qtbot):
    row = PathRow("Choose", "a tooltip", "CSV (*.csv)")
    qtbot.addWidget(row)
    return row


def test_a_path_is_absolute_and_nothing_is_none(row):
    assert row.path is None
    row.pick("cases.csv")
    assert row.path == Path("cases.csv").absolute()
    row.pick("~/cases.csv")
    assert row.path == Path.home() / "cases.csv"


def test_a_path_is_told_once(row, qtbot):
    told = []
    row.changed.connect(lambda: told.append(row.line.text()))
    qtbot.keyClicks(row.line, "a.csv")
    assert told == []
    row.line.editingFinished.emit()
    row.line.editingFinished.emit()
    assert told == ["a.csv"]


def test_a_file_or_a_folder_is_looked_for(row, qtbot, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/x/found.csv", ""))
    row.button.click()
    assert row.path == Path("/x/found.csv")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    row.button.click()
    assert row.path == Path("/x/found.csv"), "cancelled"
    folder = PathRow("Choose", "a tooltip")
    qtbot.addWidget(folder)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/x")
    folder.button.click()
    assert folder.path == Path("/x")
