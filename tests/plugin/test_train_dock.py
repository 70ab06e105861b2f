"""The dock Train, with a real training of a few steps."""

import csv

import numpy as np
import pytest

from napari_vbmd.grid import Grid
from napari_vbmd.io.files import write_mask
from napari_vbmd.io.isq import write_isq
from napari_vbmd.plugin import outside_process
from napari_vbmd.plugin.train_dock import TrainDock, _duration

from .conftest import CALIBRATION

GRID = Grid((10, 36, 36), (0.246,) * 3)


@pytest.fixture
def manifest(tmp_path):
    """Two rods to train on, one to validate on."""
    rows = []
    for k, part in enumerate(("training", "training", "validation")):
        y, x = np.mgrid[-18:18, -18:18] + 0.5
        rod = np.zeros(GRID.shape, np.uint8)
        rod[1:9] = np.hypot(y - k, x + k) < 8
        native = np.rint(CALIBRATION.linear("density", "native")(np.where(rod, 700.0, 50.0)))
        write_isq(tmp_path / f"{k}.isq", native.astype(np.int16), GRID.spacing_mm, CALIBRATION)
        write_mask(tmp_path / f"{k}.aim", rod, GRID)
        rows.append((f"{k}.isq", f"{k}.aim", "right", part))
    with open(tmp_path / "cases.csv", "w", newline="") as file:
        csv.writer(file).writerows([("scan", "mask", "side", "split"), *rows])
    return tmp_path / "cases.csv"


@pytest.fixture
def dock(make_napari_viewer, monkeypatch):
    monkeypatch.setattr(outside_process, "LOOK_MS", 100)
    viewer = make_napari_viewer()
    dock = TrainDock(viewer)
    viewer.window.add_dock_widget(dock)
    yield dock
    dock.process.stop()
    dock.stop()


def shown(widget):
    return widget.isVisibleTo(widget.window())


def test_a_training_is_started_watched_stopped_and_goes_on(dock, manifest, tmp_path, qtbot):
    assert not shown(dock.curves)
    dock.choices.manifest.pick(manifest)
    dock.choices.out.pick(tmp_path / "run")
    dock.choices.network.setCurrentText("unet-3d")
    dock.choices.device.setCurrentText("cpu")
    dock.choices.steps.setValue(2000)
    dock.run_bar.button.click()
    assert shown(dock.run_bar.cancel)
    assert not dock.choices.isEnabled()
    assert "goes on when napari is closed" in dock.goes_on.text()
    qtbot.waitUntil(lambda: len(dock.curves.axes[0].lines) > 0, timeout=100_000)
    assert shown(dock.curves)
    assert "of 2,000, loss" in dock.numbers.text()
    with qtbot.waitSignal(dock.process.ended, timeout=60_000):
        dock.run_bar.cancel.click()
    assert dock.run_bar.message.text().startswith("Stopped after step ")
    assert dock.run_bar.button.text() == "Go on"
    assert dock.choices.isEnabled()
    assert not dock.goes_on.text()


def test_a_folder_with_a_training_shows_it(dock, tmp_path):
    (tmp_path / "metrics.csv").write_text(
        "step,seconds,learning_rate,loss,validation_dice\n5,1,0.1,0.5,\n10,2,0.1,0.25,0.875\n"
    )
    settings = '{"steps": 40, "configuration": "unet-3d", "preset": "paper"}'
    (tmp_path / "train.json").write_text(f'{{"ending": "interrupted", "settings": {settings}}}')
    (tmp_path / "last.ckpt").touch()
    dock.choices.out.pick(tmp_path)
    assert dock.numbers.text() == (
        "Step 10 of 40, loss 0.250\nBest validation Dice 0.875, at step 10"
    )
    assert dock.run_bar.button.text() == "Go on"
    assert (dock.choices.network.currentText(), dock.choices.steps.value()) == ("unet-3d", 40)
    assert len(dock.curves.axes[0].lines) == 1
    dock.viewer.theme = "light"
    assert len(dock.curves.axes[0].lines) == 1
    dock.choices.out.pick(tmp_path / "new")
    assert dock.run_bar.button.text() == "Train"
    assert not shown(dock.curves)


def test_what_is_missing_is_said_at_once(dock, tmp_path):
    dock.run_bar.button.click()
    assert "manifest" in dock.run_bar.message.text()
    assert not dock.process.running
    (tmp_path / "train.json").write_text("[]")
    dock.choices.out.pick(tmp_path)
    assert "not of a training" in dock.run_bar.message.text()


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "1 min"), (150, "2 min"), (3600, "1 h 0 min"), (9000, "2 h 30 min")]
)
def test_time_left_is_said_in_hours_and_minutes(seconds, text):
    assert _duration(seconds) == text
