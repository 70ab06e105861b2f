"""The inside of a bone."""

import numpy as np
import pytest
from scipy import ndimage

from napari_vbmd.phantom.anatomy import metacarpal
from napari_vbmd.phantom.rays import draw_rays
from napari_vbmd.phantom.texture import STRUT, Texture, draw_quality

STEP = 0.06


@pytest.fixture(scope="module")
def texture():
    return Texture(metacarpal(draw_rays(1)[0], 1), draw_quality(1), 1)


def block(texture, sigma, along=3.5, half=1.8):
    side = np.arange(-half, half, STEP)
    points = np.broadcast_arrays(*np.ix_(along + side, side, side))
    points = [p.astype(np.float32) for p in points]
    depth = texture.bone.depth.at(*points)
    flat = tuple(p.ravel() for p in points)
    return texture.density(flat, depth.ravel(), sigma).reshape(depth.shape), depth


def test_network_has_thin_struts_far_apart_and_hangs_together(texture):
    density, depth = block(texture, 0.0)
    assert depth.min() > 1
    bone = density > 0.6 * STRUT
    assert 0.1 < bone.mean() < 0.5
    thickness = 2 * ndimage.distance_transform_edt(bone)[ndimage.binary_erosion(bone)] * STEP
    assert 0.1 < np.median(thickness) < 0.35
    parts, count = ndimage.label(bone, np.ones((3, 3, 3)))
    largest = np.bincount(parts.ravel())[1:].max()
    assert count >= 1
    assert largest > 0.97 * bone.sum()
    runs = np.diff(np.flatnonzero(np.diff(bone[:, :, 30].ravel().astype(int)) == 1)) * STEP
    assert 0.4 < np.median(runs) < 1.2  # from strut to strut


def test_marrow_is_connected_too(texture):
    marrow = block(texture, 0.0)[0] < 0.3 * STRUT
    parts, _ = ndimage.label(marrow)
    assert np.bincount(parts.ravel())[1:].max() > 0.8 * marrow.sum()


@pytest.mark.parametrize("sigma", [0.05, 0.08])
def test_blur_keeps_the_mean_density(texture, sigma):
    sharp, blurred = block(texture, 0.0)[0], block(texture, sigma)[0]
    assert blurred.mean() == pytest.approx(sharp.mean(), rel=0.07)
    assert blurred.std() < 0.85 * sharp.std()


def test_network_is_gone_in_the_shaft(texture):
    density, _ = block(texture, 0.0, along=texture.bone.ray.end + 5, half=1.2)
    assert (density > 0.6 * STRUT).mean() < 0.06


def test_one_seed_gives_one_network(texture):
    again = Texture(texture.bone, texture.quality, 1)
    other = Texture(texture.bone, texture.quality, 2)
    here = block(texture, 0.05, half=0.5)[0]
    np.testing.assert_array_equal(here, block(again, 0.05, half=0.5)[0])
    assert np.abs(here - block(other, 0.05, half=0.5)[0]).max() > 200


def test_qualities_differ():
    cells = [draw_quality(seed).cell_mm for seed in range(30)]
    assert 0.6 < min(cells) < max(cells) < 0.8
