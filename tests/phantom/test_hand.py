"""The digital hand: deterministic, its answer right, its sizes as published."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from napari_vbmd.errors import ParameterError
from napari_vbmd.phantom.drawing import hand
from napari_vbmd.phantom.hand import HandPhantom, hand_phantom, render

SEEDS = range(100_000, 100_008)


@pytest.fixture(scope="module")
def small():
    return hand_phantom(100_002)


@dataclasses.dataclass
class Numbers:
    """What is published of the second metacarpal: of one seed."""

    density: float
    area_mm2: float
    slices: int
    box: tuple[int, int]
    cut: bool


@pytest.fixture(scope="module")
def numbers():
    out = []
    for seed in SEEDS:
        box = (slice(0, 128), slice(56, 200))  # where the index finger of a right hand may be
        made = render(seed, (0.492,) * 3, (40, 256, 256), fingertips="low", box=box)
        mask = made.label >= 0.5
        assert not mask[:, [0, -1]].any()
        assert not mask[:, :, [0, -1]].any()
        density = made.calibration.linear("native", "density")(float(made.voxels[mask].mean()))
        count = np.count_nonzero(mask.any(axis=(1, 2)))
        wide = tuple(6 * np.count_nonzero(mask.any(axis=axes)) for axes in ((0, 2), (0, 1)))
        area = mask.sum() * made.grid.pixel_area_mm2 / count
        out.append(Numbers(density, area, 6 * count, wide, made.slices[1] == 39))
    return out


def test_published_density(numbers):
    density = [n.density for n in numbers]
    assert 250 < np.mean(density) < 308  # 279.3, SD 42.8, Folle et al. 2021
    assert 20 < np.std(density, ddof=1) < 65
    assert min(density) > 150
    assert max(density) < 390


def test_published_area_and_sizes(numbers):
    whole = [n for n in numbers if not n.cut]
    assert len(whole) >= 6
    area = [n.area_mm2 for n in whole]
    assert 108 < np.mean(area) < 136  # 122.2, SD 19.7
    assert 8 < np.std(area, ddof=1) < 32
    for n in whole:
        assert 140 <= min(n.box) <= max(n.box) <= 280
    for n in numbers:
        assert 40 <= n.slices <= 250


def test_one_seed_gives_one_hand(small):
    again = hand_phantom(100_002)
    np.testing.assert_array_equal(small.voxels, again.voxels)
    np.testing.assert_array_equal(small.mask, again.mask)
    assert small.tt_vbmd_mg_cm3 == again.tt_vbmd_mg_cm3
    other = hand_phantom(100_003)
    assert np.any(small.mask != other.mask)
    assert small.tt_vbmd_mg_cm3 != other.tt_vbmd_mg_cm3


def test_types_geometry_and_calibration(small):
    assert isinstance(small, HandPhantom)
    assert small.voxels.dtype == np.int16
    assert small.mask.dtype == np.uint8
    assert set(np.unique(small.mask)) == {0, 1}
    assert small.voxels.shape == small.mask.shape == small.grid.shape
    assert small.voxels.nbytes < 10_000_000 - 4096
    constants = small.calibration
    assert (constants.mu_scaling, constants.mu_water_per_cm) == (8192, 0.2409)
    assert (constants.density_slope, constants.density_intercept) == (1603.51904, -391.209015)
    marked = np.flatnonzero(small.mask.any(axis=(1, 2)))
    assert small.slices == (marked[0], marked[-1])
    assert marked.size == small.slices[1] - small.slices[0] + 1


def test_answer_is_the_mean_of_the_true_density_in_the_mask(small):
    from napari_vbmd.phantom.drawing import hand

    drawn = hand(small.seed, 0.1)
    index = np.argwhere(small.mask)  # a left hand: along y the other way round
    y = small.grid.shape[1] - 1 - index[:, 1]
    z, y, x = (
        (i - (n - 1) / 2) * 0.246
        for i, n in zip((index[:, 0], y, index[:, 2]), small.grid.shape, strict=True)
    )
    jump = drawn.scanner.jumps_mm[drawn.scanner.stack(z)]
    density = drawn.true_density(z, y + jump[:, 0], x + jump[:, 1])
    assert small.fingertips == "low"
    assert density.mean(dtype=float) == pytest.approx(small.tt_vbmd_mg_cm3, rel=1e-5)


def test_scan_shows_the_answer_but_for_what_blur_carries_out(small):
    to_density = small.calibration.linear("native", "density")
    scanned = to_density(small.voxels[small.mask == 1].mean())
    assert -0.10 < scanned / small.tt_vbmd_mg_cm3 - 1 < 0.02


def test_mask_is_one_bone_with_soft_tissue_around(small):
    parts, count = ndimage.label(small.mask)
    assert count == 1 or np.bincount(parts.ravel())[1:].max() > 0.999 * small.mask.sum()
    density = small.calibration.linear("native", "density")(small.voxels)
    mask = small.mask == 1
    for plane in range(small.slices[0] + 4, small.slices[1], 6):
        ring = ndimage.binary_dilation(mask[plane], iterations=4)
        ring &= ~ndimage.binary_dilation(mask[plane], iterations=2)
        assert -60 < np.median(density[plane][ring]) < 120
    rim = mask[:-2] & ~ndimage.binary_erosion(mask[:-2], np.ones((1, 5, 5)))
    assert density[:-2][rim].mean() > density[mask].mean()


def test_second_finger_lies_at_low_y_of_a_right_hand_and_at_high_y_of_a_left(small):
    middle = small.grid.shape[1] / 2
    assert np.argwhere(small.mask)[:, 1].mean() > middle
    right = hand_phantom(100_002, "right")
    assert np.argwhere(right.mask)[:, 1].mean() < middle
    np.testing.assert_array_equal(right.voxels, small.voxels[:, ::-1])
    assert right.tt_vbmd_mg_cm3 == pytest.approx(small.tt_vbmd_mg_cm3, rel=1e-6)


def test_four_bones_of_a_shaft_or_head_are_seen(small):
    density = small.calibration.linear("native", "density")(small.voxels[40].astype(float))
    smooth = ndimage.gaussian_filter(density, 3)
    _, count = ndimage.label(ndimage.binary_opening(smooth > 110, iterations=4))
    assert 3 <= count <= 7


@pytest.mark.parametrize(
    "wrong", [{"seed": 200_000}, {"size": "huge"}, {"side": "both"}, {"fingertips": "up"}]
)
def test_refuses_what_it_cannot_draw(wrong):
    with pytest.raises(ParameterError, match="phantom"):
        hand_phantom(**{"seed": 100_002, **wrong})


def test_a_repeated_scan_shows_the_same_bone_elsewhere_with_other_noise():
    near = {"spacing_mm": (0.492,) * 3, "shape": (40, 256, 256), "fingertips": "low"}
    near["box"] = (slice(0, 128), slice(56, 200))  # where the index finger of a right hand may be
    first, again, third = (render(100_013, **near, repeat=k, noise=False) for k in range(3))
    scans = (first, again, third)
    volumes = [one.label.sum() for one in scans]
    assert max(volumes) < 1.02 * min(volumes)
    to_density = first.calibration.linear("native", "density")
    means = [to_density(np.average(one.voxels, weights=one.label)) for one in scans]
    assert max(means) - min(means) < 6
    assert len({one.slices for one in scans}) == 3
    noisy = [render(100_013, **near, slices=[20], repeat=k).voxels for k in (1, 1, 2)]
    assert np.array_equal(noisy[0], noisy[1])
    assert not np.array_equal(noisy[0], noisy[2])


def test_the_scanner_blurs_alike_in_a_repeated_scan():
    blurs = {hand(7, 1.0, repeat).scanner.blur_mm for repeat in range(3)}
    assert len(blurs) == 1
