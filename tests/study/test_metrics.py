"""metrics.csv and the curves."""

import numpy as np
import pytest
from matplotlib.image import imread

from napari_vbmd.errors import FileFormatError
from napari_vbmd.study.metrics import METRICS, read_metrics, write_curves, write_metrics

ROWS = [
    {"step": 5, "seconds": 1.5, "learning_rate": 1e-3, "loss": 1.25},
    {
        "step": 10, "seconds": 3.0, "learning_rate": 5e-4, "loss": 0.75, "validation_loss": 0.8,
        "validation_dice": 0.5, "validation_dice_lowest": 0.25,
    },
]  # fmt: skip


def test_what_is_written_is_read(tmp_path):
    assert read_metrics(tmp_path) == []
    write_metrics(tmp_path, ROWS)
    assert read_metrics(tmp_path) == ROWS
    lines = (tmp_path / METRICS).read_text().splitlines()
    assert lines[0].startswith("step,seconds,learning_rate,loss,validation_loss,")
    assert lines[1] == "5,1.5,0.001,1.25,,,"


def test_a_table_of_something_else_is_refused(tmp_path, refused):
    (tmp_path / METRICS).write_text("step,loss\n1,much\n")
    with refused(FileFormatError, tmp_path / METRICS):
        read_metrics(tmp_path)


@pytest.mark.parametrize("rows", [[], ROWS[:1], ROWS])
def test_curves_are_a_picture_whatever_is_known(tmp_path, rows):
    write_curves(tmp_path, rows, "a run")
    assert np.ptp(imread(tmp_path / "curves.png", format="png")) > 0.5
