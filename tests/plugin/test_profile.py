"""The plots of density and agreement along z."""

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


DICE = [(2, 0.95), (3, 0.0), (6, 0.97)]


def click(canvas, x, y, axes=None):
    at = (axes or canvas.axes).transData.transform((x, y))
    event = MouseEvent("button_press_event", canvas, *at, button=MouseButton.LEFT)
    canvas.callbacks.process("button_press_event", event)


def move(canvas, x, y, buttons=(MouseButton.LEFT,)):
    at = canvas.axes.transData.transform((x, y))
    event = MouseEvent("motion_notify_event", canvas, *at, buttons=buttons)
    canvas.callbacks.process("motion_notify_event", event)


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
    [marker] = profile._markers
    assert marker.get_visible()
    assert list(marker.get_xdata()) == [3, 3]
    profile.mark(500)
    assert not marker.get_visible()


def shown(canvas):
    return np.array(canvas.buffer_rgba())


def test_a_mark_moves_over_the_picture_without_leaving_a_trace(profile):
    profile.plot(ROWS, None, dark=True, dice=DICE)
    profile.mark(3)
    profile.draw()
    at_3 = shown(profile)
    profile.mark(5)
    at_5 = shown(profile)
    assert (at_3 != at_5).any()
    profile.mark(3)
    np.testing.assert_array_equal(shown(profile), at_3)


def test_agreement_stands_above_the_density_over_the_same_slices(profile):
    profile.plot(ROWS, ROWS, dark=True, dice=DICE)
    dice = profile.dice_axes.lines[0]
    np.testing.assert_array_equal(dice.get_xdata(), [2, 3, 4, 5, 6])
    np.testing.assert_array_equal(dice.get_ydata(), [0.95, 0, np.nan, np.nan, 0.97])
    assert profile.dice_axes.get_xlim() == profile.axes.get_xlim()
    top, bottom = (axes.get_position().y0 for axes in (profile.dice_axes, profile.axes))
    assert top > bottom
    profile.mark(5)
    assert [list(marker.get_xdata()) for marker in profile._markers] == [[5, 5]] * 2


def test_slices_that_one_mask_does_not_reach_leave_the_others_room(profile):
    profile.plot(ROWS, ROWS, dark=True, dice=DICE)
    assert profile.dice_axes.get_ylim()[0] > 0.85
    profile.plot(ROWS, ROWS, dark=True, dice=[(2, 0.5), (3, 1.0)])
    assert profile.dice_axes.get_ylim()[0] < 0.5


def test_without_densities_there_is_agreement_alone(profile, qtbot):
    profile.plot([], None, dark=True, dice=DICE)
    assert profile.axes is None
    assert profile.dice_axes.get_xlabel() == "slice"
    profile.draw()
    with qtbot.waitSignal(profile.slice_clicked) as told:
        click(profile, 3.2, 0.95, profile.dice_axes)
    assert told.args == [3]


def test_dragging_tells_each_slice_once_and_moving_without_a_button_none(profile, qtbot):
    profile.plot(ROWS, None, dark=True)
    profile.draw()
    told = []
    profile.slice_clicked.connect(told.append)
    click(profile, 2.1, 104)
    for x in (2.2, 2.7, 2.9, 3.1, 4.4, 4.6):
        move(profile, x, 103)
    move(profile, 6, 103, buttons=())
    assert told == [2, 3, 4, 5]
    click(profile, 5.2, 104)
    assert told == [2, 3, 4, 5, 5]


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
