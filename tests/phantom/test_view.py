"""A hand on a grid: parts, sides, ends."""

import numpy as np
import pytest

from napari_vbmd.errors import ParameterError
from napari_vbmd.phantom.hand import render

GRID = {"spacing_mm": (0.738, 0.492, 0.492), "shape": (26, 256, 256)}


@pytest.fixture(scope="module")
def right():
    return render(100_001, **GRID, fingertips="low")


def test_left_hand_is_the_mirror_image_along_y(right):
    left = render(100_001, **GRID, fingertips="low", side="left")
    np.testing.assert_array_equal(left.voxels, right.voxels[:, ::-1])
    np.testing.assert_array_equal(left.label, right.label[:, ::-1])
    assert left.slices == right.slices


def test_fingertips_at_high_z_are_the_same_slices_the_other_way_round(right):
    high = render(100_001, **GRID, fingertips="high")
    np.testing.assert_array_equal(high.voxels, right.voxels[::-1])
    assert high.slices == tuple(25 - k for k in right.slices[::-1])
    by_seed = [render(100_000 + k, **GRID, slices=[3]).fingertips for k in (0, 1)]
    assert by_seed == ["low", "high"]


@pytest.mark.parametrize("side", ["left", "right"])
def test_parts_are_equal_to_the_same_parts_of_the_whole(side, right):
    box = (slice(40, 150), slice(60, 200))
    part = render(100_001, **GRID, fingertips="low", side=side, slices=[12, 5], box=box)
    whole = right.voxels if side == "right" else right.voxels[:, ::-1]
    np.testing.assert_array_equal(part.voxels, whole[[12, 5]][(slice(None), *box)])
    assert part.grid.position == (12, 40, 60)
    assert part.slices == right.slices


def test_spacings_show_the_same_hand():
    box = (slice(60, 400), slice(120, 360))
    kw = {"noise": False, "fingertips": "low"}
    fine = render(100_001, (0.246,) * 3, (81, 512, 512), slices=[40], box=box, **kw)
    coarse = render(100_001, (0.738, 0.246, 0.246), (27, 512, 512), slices=[13], box=box, **kw)
    np.testing.assert_array_equal(fine.voxels, coarse.voxels)


def test_without_noise_nothing_but_noise_is_missing(right):
    clean = render(100_001, **GRID, fingertips="low", noise=False)
    lifted = (right.voxels.astype(float) - clean.voxels) / 8192 * 1603.519
    assert abs(lifted.mean()) < 3
    assert 20 < lifted.std() < 140
    np.testing.assert_array_equal(clean.label, right.label)


@pytest.mark.parametrize("wrong", [{"side": "both"}, {"fingertips": "up"}])
def test_refuses_unknown_sides_and_ends(wrong):
    with pytest.raises(ParameterError, match="phantom"):
        render(100_001, **GRID, **wrong)
