"""Lattices, random fields and blurred edges."""

import numpy as np
import pytest

from napari_vbmd.phantom.fields import (
    lattice,
    lattice_axes,
    layer,
    random,
    random_field,
    random_tile,
    smooth_max,
    smooth_min,
    smooth_step,
    within,
)

LOWER, UPPER = (-3.0, -2.0, 0.0), (3.0, 4.0, 5.0)


def test_lattice_gives_a_linear_function_back_at_points_and_on_grids():
    axes = lattice_axes(LOWER, UPPER, 0.5)
    made = lattice(axes[0] + 2 * axes[1] - axes[2], axes, 0.5)
    grid = (np.array([-2.3, 0.1]), np.array([3.9, -1.2, 0.0]), np.array([0.3, 4.4]))
    z, y, x = np.ix_(*grid)
    expected = z + 2 * y - x
    np.testing.assert_allclose(made.on_grid(*grid), expected, atol=1e-5)
    points = np.broadcast_arrays(z, y, x)
    np.testing.assert_allclose(made.at(*points), expected, atol=1e-5)


def test_lattice_is_held_constant_outside_and_a_tile_repeats():
    axes = lattice_axes(LOWER, UPPER, 0.5)
    made = lattice(axes[0] + 0 * axes[1] + 0 * axes[2], axes, 0.5)
    far = (np.array([9.0]), np.array([0.0]), np.array([0.0]))
    np.testing.assert_allclose(made.at(*far), 3.0)
    np.testing.assert_allclose(made.on_grid(*far).ravel(), 3.0)
    tile = random_tile(4.0, 1.0, random(1, 99))
    period = tile.pitch_mm * tile.values.shape[0]
    here, there = (tile.at(*(np.array([c + k * period]) for c in (0.7, 1.1, 2.9))) for k in (0, 3))
    np.testing.assert_allclose(here, there, atol=1e-4)


def test_random_field_has_mean_0_and_sd_1_and_varies_over_its_scale():
    field = random_field((0, 0, 0), (20, 20, 20), 2.0, random(1, 99)).values
    assert field.mean() == pytest.approx(0, abs=1e-5)
    assert field.std() == pytest.approx(1, abs=1e-5)
    near = np.corrcoef(field[1:].ravel(), field[:-1].ravel())[0, 1]
    far = np.corrcoef(field[6:].ravel(), field[:-6].ravel())[0, 1]
    assert near > 0.7
    assert abs(far) < 0.2


def test_parts_of_one_seed_have_their_own_random_numbers():
    assert random(1, 2).random() == random(1, 2).random()
    assert random(1, 2).random() != random(1, 3).random() != random(2, 2).random()


@pytest.mark.parametrize("sigma", [0.0, 0.05, 0.1])
def test_blurred_edges_and_layers_keep_their_volume(sigma):
    at = np.arange(-2000, 2001) * 0.001
    assert within(at, sigma).mean() == pytest.approx(0.5, abs=1e-3)
    assert layer(np.abs(at), 0.1, sigma).sum() * 0.001 == pytest.approx(0.2, abs=2e-3)
    assert layer(at, 0.0, sigma).max() == 0


def test_smooth_functions_are_the_plain_ones_away_from_the_joint():
    assert smooth_max(1.0, 3.0, 1.0) == 3.0
    assert smooth_min(1.0, 3.0, 1.0) == 1.0
    assert smooth_max(2.0, 2.0, 1.0) == pytest.approx(2.25)
    np.testing.assert_allclose(smooth_step(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])), [0, 0, 0.5, 1, 1])
