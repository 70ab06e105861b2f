"""The choice of head and shaft."""

import numpy as np
import pytest

from napari_vbmd.grid import Grid
from napari_vbmd.measurement.live import LiveMeasurement
from napari_vbmd.measurement.parts import measure_regions
from napari_vbmd.plugin.head_and_shaft import HeadAndShaft
from napari_vbmd.scan import Mask, Scan

GRID = Grid((10, 4, 4), (0.5, 0.2, 0.2))


@pytest.fixture
def choice(qtbot):
    choice = HeadAndShaft()
    qtbot.addWidget(choice)
    return choice


def test_regions_are_the_cores_when_wanted(choice, qtbot):
    scan = Scan(np.arange(160, dtype=np.int16).reshape(GRID.shape), "density", GRID)
    mask = Mask(np.full(GRID.shape, 3, np.uint8), GRID)
    sums = LiveMeasurement(scan, mask.voxels, GRID).sums
    assert choice.regions(scan, sums, 3) == []
    with qtbot.waitSignal(choice.changed):
        choice.wanted.setChecked(True)
    with qtbot.waitSignal(choice.changed):
        choice.length.setValue(1.5)
    assert choice.regions(scan, sums, 3) == measure_regions(scan, mask, 3, 1.5)
    with qtbot.waitSignal(choice.changed):
        choice.tip.setCurrentIndex(1)
    assert choice.regions(scan, sums, 3) == measure_regions(scan, mask, 3, 1.5, "last")


def test_what_must_be_said_is_seen_when_it_is_wanted(choice):
    assert choice.length.value() == 10
    assert choice.length.isHidden()
    choice.wanted.setChecked(True)
    assert not choice.length.isHidden()
    for widget in (choice.wanted, choice.length, choice.tip):
        assert widget.toolTip()
