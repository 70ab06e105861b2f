"""Which bone is meant: by a click in the canvas, or by a point."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_vbmd.plugin.seed import SeedPicker


@pytest.fixture
def model(scan_layer):
    viewer = ViewerModel()
    viewer.add_layer(scan_layer)
    return viewer


@pytest.fixture
def seed(qtbot, model, scan_layer):
    widget = SeedPicker(model)
    qtbot.addWidget(widget)
    widget.follow(scan_layer)
    return widget


def press_canvas(viewer, position) -> None:
    """What napari calls when the mouse goes down in the canvas."""

    class Event:
        pass

    event = Event()
    event.position = position
    for callback in list(viewer.mouse_drag_callbacks):
        callback(viewer, event)


def world(index):
    return tuple(0.082 * np.array(index))


def test_largest_bone_is_meant_at_first(seed):
    assert seed.seed is None
    assert seed.text.text() == "Largest bone"


def test_next_click_in_the_canvas_is_the_seed_and_only_that(seed, model, click):
    click(seed.click)
    press_canvas(model, world((4, 30, 88)))
    assert seed.seed == (4, 30, 88)
    assert seed.text.text() == "Bone nearest to slice 4, y 30, x 88"
    assert not seed.click.isChecked()
    press_canvas(model, world((1, 1, 1)))
    assert seed.seed == (4, 30, 88)


def test_click_without_asking_for_one_is_nothing(seed, model):
    press_canvas(model, world((4, 30, 88)))
    assert seed.seed is None


def test_click_can_be_called_off(seed, model, click):
    click(seed.click)
    assert "Click on the bone" in seed.text.text()
    click(seed.click)
    press_canvas(model, world((4, 30, 88)))
    assert seed.seed is None
    assert seed.text.text() == "Largest bone"


def test_calling_off_a_second_click_keeps_the_first_seed_in_sight(seed, model, click):
    click(seed.click)
    press_canvas(model, world((4, 30, 88)))
    click(seed.click)
    click(seed.click)
    assert seed.seed == (4, 30, 88)
    assert seed.text.text() == "Bone nearest to slice 4, y 30, x 88"


def test_click_outside_of_the_scan_is_said_and_taken_for_nothing(seed, model, click):
    click(seed.click)
    press_canvas(model, world((4, -10, 88)))
    assert seed.seed is None
    assert seed.text.text() == "That point lies outside the scan."


def test_click_in_3d_is_refused_for_it_has_no_depth(seed, model, click):
    model.dims.ndisplay = 3
    click(seed.click)
    press_canvas(model, world((4, 30, 88)))
    assert seed.seed is None
    assert "2D" in seed.text.text()


def test_seed_is_an_index_into_a_translated_scan(seed, scan_layer, model, click):
    scan_layer.translate = (8.2, 0, -0.82)
    click(seed.click)
    press_canvas(model, (8.2 + 0.082 * 3, 0.082 * 20, 0.082 * 5 - 0.82))
    assert seed.seed == (3, 20, 5)


def test_last_point_of_the_newest_points_layer_is_taken(seed, model, click):
    model.add_points([[1, 1, 1]], scale=(0.082,) * 3, name="older")
    points = model.add_points([[2, 20, 30], [5, 31, 90]], scale=(0.082,) * 3)
    points.selected_data = set()
    click(seed.point)
    assert seed.seed == (5, 31, 90)


def test_selected_point_goes_before_the_last_one(seed, model, click):
    points = model.add_points([[2, 20, 30], [5, 31, 90]], scale=(0.082,) * 3)
    points.selected_data = {0}
    click(seed.point)
    assert seed.seed == (2, 20, 30)


def test_point_in_a_layer_of_another_scale_lands_where_it_is_seen(seed, model, click):
    points = model.add_points([[0.41, 2.46, 7.38]])
    points.selected_data = set()
    click(seed.point)
    assert seed.seed == (5, 30, 90)


def test_without_any_point_it_is_said_what_to_do(seed, model, click):
    click(seed.point)
    assert "points layer" in seed.text.text()
    model.add_points(ndim=3)
    click(seed.point)
    assert "points layer" in seed.text.text()
    assert seed.seed is None


def test_point_without_a_slice_is_refused_in_words(seed, model, click):
    points = model.add_points([[3.0, 4.0]])
    points.selected_data = set()
    click(seed.point)
    assert seed.seed is None
    assert "points layer" in seed.text.text()


def test_seed_can_be_forgotten(seed, model, click):
    seed.take_world(world((4, 30, 88)))
    click(seed.clear)
    assert seed.seed is None
    assert seed.text.text() == "Largest bone"


def test_seed_of_another_scan_is_forgotten(seed, model, scan_layer):
    seed.take_world(world((4, 30, 88)))
    seed.follow(scan_layer)
    assert seed.seed == (4, 30, 88)
    seed.follow(model.add_image(np.zeros((4, 4, 4))))
    assert seed.seed is None


def test_without_a_scan_no_seed_is_taken(seed, model, click):
    seed.follow(None)
    click(seed.click)
    press_canvas(model, world((4, 30, 88)))
    assert seed.seed is None


def test_multiscale_scan_takes_seeds_of_its_fine_level(seed, model):
    layer = model.add_image(
        [np.zeros((40, 16, 16)), np.zeros((10, 4, 4))], multiscale=True, scale=(0.1,) * 3
    )
    seed.follow(layer)
    seed.take_world((3.5, 1.5, 1.2))
    assert seed.seed == (35, 15, 12)


def test_every_control_has_a_tooltip(seed):
    for button in (seed.click, seed.point, seed.clear):
        assert button.toolTip()
