"""The two plots in the dock: what is drawn, and which point the cursor means."""

import numpy as np
import pytest
from matplotlib.backend_bases import MouseButton, MouseEvent

from napari_vbmd.measurement.agreement import agree
from napari_vbmd.plugin.agreement_plot import AgreementCanvas
from napari_vbmd.plugin.layers import OURS
from napari_vbmd.report.agreement_figures import Names

OURS_VALUES, REFERENCE = [265.0, 300.0, 240.0, 281.0], [279.0, 312.0, 255.0, 290.0]
TITLES = ["P1", "P2", "P3", "P4"]


@pytest.fixture
def plot(qtbot):
    canvas = AgreementCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(290, 470)
    names = Names("Tt.vBMD", "mg HA/cm3", "mask", "expert")
    canvas.plot(agree(OURS_VALUES, REFERENCE), names, TITLES)
    canvas.draw()
    return canvas


def at(plot, axes, x, y, kind="button_press_event", off=0.0):
    """Send the mouse to a place in the axes' own units, ``off`` pixels to the right."""
    across, up = axes.transData.transform((x, y))
    plot.callbacks.process(kind, MouseEvent(kind, plot, across + off, up, button=MouseButton.LEFT))


def rings(plot):
    return [axes.lines[-1].get_xydata().tolist() for axes in (plot.scatter, plot.differences)]


@pytest.mark.parametrize("pair", range(4))
def test_a_click_on_a_point_tells_which_pair_it_is(plot, qtbot, pair):
    ours, reference = OURS_VALUES[pair], REFERENCE[pair]
    for axes, x, y in (
        (plot.scatter, reference, ours),
        (plot.differences, (ours + reference) / 2, ours - reference),
    ):
        with qtbot.waitSignal(plot.pair_clicked) as told:
            at(plot, axes, x, y)
        assert told.args == [pair]


def test_a_click_near_a_point_means_it_and_one_far_away_nothing(plot, qtbot):
    with qtbot.waitSignal(plot.pair_clicked):
        at(plot, plot.scatter, REFERENCE[0], OURS_VALUES[0], off=6)
    with qtbot.assertNotEmitted(plot.pair_clicked):
        at(plot, plot.scatter, REFERENCE[2], OURS_VALUES[1])
        at(plot, plot.scatter, -1e4, 0)


def test_the_patient_is_told_under_the_cursor(plot):
    at(plot, plot.scatter, REFERENCE[1], OURS_VALUES[1], "motion_notify_event")
    assert plot.toolTip() == "P2"
    at(plot, plot.scatter, REFERENCE[2], OURS_VALUES[1], "motion_notify_event")
    assert "click to open" in plot.toolTip()


def test_a_pair_is_ringed_in_both_plots(plot):
    plot.mark(2)
    assert rings(plot) == [[[255.0, 240.0]], [[247.5, -15.0]]]
    plot.mark(None)
    assert rings(plot) == [[], []]


@pytest.mark.parametrize("dark", [True, False])
def test_ink_follows_the_theme_and_ours_is_blue(plot, dark):
    plot.plot(agree(OURS_VALUES, REFERENCE), Names("x"), TITLES, dark)
    ink = plot.differences.xaxis.label.get_color()
    assert (int(ink[1:3], 16) > 128) is dark
    [points] = [line for line in plot.scatter.lines if len(line.get_xdata()) == 4]
    assert points.get_color() == OURS


def test_drawing_again_replaces_what_was_there(plot):
    before = len(plot.scatter.lines)
    plot.plot(agree(OURS_VALUES, REFERENCE), Names("x"), TITLES)
    assert len(plot.scatter.lines) == before


def test_a_cleared_plot_has_nothing_to_click(plot, qtbot):
    plot.clear()
    plot.draw()
    plot.mark(None)
    with qtbot.assertNotEmitted(plot.pair_clicked):
        at(plot, plot.scatter, 0.5, 0.5)


def test_without_pairs_nothing_can_be_clicked(plot, qtbot):
    plot.plot(agree([None], [1]), Names("x"), [])
    plot.draw()
    with qtbot.assertNotEmitted(plot.pair_clicked):
        at(plot, plot.scatter, 0.5, 0.5)
    assert np.isfinite(plot.scatter.get_xlim()).all()
