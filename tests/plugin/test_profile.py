"""The plot of density along z."""

import numpy as np
import pytest
from matplotlib.backend_bases import MouseButton, MouseEvent

from napari_vbmd.plugin.layers import EXPERT, OURS
from napari_vbmd.plugin.profile import ProfileCanvas

ROWS = [{"slice": z, "tt_vbmd_mg_cm3": 100.0 + z} for z in (2, 3, 6)]


@pytest.fixture
def profile(qtbot):
    canvas = ProfileCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(280, 170)
    return canvas


def click(canvas, x, y):
    at = canvas.axes.transData.transform((x, y))
    event = MouseEvent("button_press_event", canvas, *at, button=MouseButton.LEFT)
    canvas.callbacks.process("button_press_event", event)


def test_density_is_drawn_over_the_slices_with_gaps_where_there_is_no_mask(profile):
    profile.plot(ROWS, None, dark=True)
    line = profile.axes.lines[0]
    np.testing.assert_array_equal(line.get_xdata(), [2, 3, 4, 5, 6])
    np.testing.assert_array_equal(line.get_ydata(), [102, 103, np.nan, np.nan, 106])
    assert line.get_color() == OURS
    assert profile.axes.get_legend() is None


def test_expert_is_drawn_in_orange_with_a_legend(profile):
    profile.plot(ROWS, ROWS[:2], dark=False)
    assert [line.get_color() for line in profile.axes.lines[:2]] == [EXPERT, OURS]
    assert [text.get_text() for text in profile.axes.get_legend().get_texts()] == ["expert", "mask"]


def test_drawing_again_replaces_what_was_there(profile):
    profile.plot(ROWS, ROWS, dark=True)
    profile.plot(ROWS[:1], None, dark=True)
    assert len(profile.axes.lines) == 2  # the line and the mark


@pytest.mark.parametrize(("dark", "bright"), [(True, True), (False, False)])
def test_ink_is_bright_on_dark_and_dark_on_light(profile, dark, bright):
    profile.plot(ROWS, None, dark)
    ink = profile.axes.xaxis.label.get_color()
    assert (int(ink[1:3], 16) > 128) is bright


def test_slice_in_view_is_marked_and_only_within_the_plot(profile):
    profile.plot(ROWS, None, dark=True)
    profile.mark(3)
    assert profile._marker.get_visible()
    assert list(profile._marker.get_xdata()) == [3, 3]
    profile.mark(500)
    assert not profile._marker.get_visible()


def test_click_tells_the_nearest_slice(profile, qtbot):
    profile.plot(ROWS, None, dark=True)
    profile.draw()
    with qtbot.waitSignal(profile.slice_clicked) as told:
        click(profile, 4.3, 104)
    assert told.args == [4]


def test_click_beside_the_axes_tells_nothing(profile, qtbot):
    profile.plot(ROWS, None, dark=True)
    profile.draw()
    with qtbot.assertNotEmitted(profile.slice_clicked):
        click(profile, -1e4, 104)


def test_empty_plot_can_be_clicked_and_marked(profile, qtbot):
    profile.draw()
    profile.mark(3)
    with qtbot.assertNotEmitted(profile.slice_clicked):
        click(profile, 0.5, 0.5)


def test_tooltip_says_what_a_click_does(profile):
    assert "click" in profile.toolTip()
