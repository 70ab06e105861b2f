import numpy as np
import pytest

from napari_vbmd.errors import NoBoneError
from napari_vbmd.segmentation.field import cut, field_of, tissue_box


@pytest.fixture
def hand() -> np.ndarray:
    """A hand of 120 x 70 in air, with noise."""
    volume = np.zeros((4, 300, 260), np.float32)
    volume[1:3, 80:200, 100:170] = 0.25
    return volume + np.random.default_rng(0).normal(0, 0.045, volume.shape).astype(np.float32)


def test_the_hand_is_found_in_noise(hand):
    y, x = tissue_box(hand)
    assert 76 <= y.start <= 80 < 200 <= y.stop <= 204
    assert 96 <= x.start <= 100 < 170 <= x.stop <= 174


def test_the_thin_rest_beside_it_does_not_count(hand):
    hand[:, :, 230:245] += 0.3
    _, x = tissue_box(hand)
    assert x.stop <= 174


def test_a_joint_without_air_is_all_hand():
    full = np.full((2, 50, 61), 0.25, np.float32)
    assert tissue_box(full) == (slice(0, 50), slice(0, 61))


def test_what_is_small_is_not_taken_for_a_rest():
    volume = np.zeros((2, 64, 64), np.float32)
    volume[:, 20:28, 40:48] = 0.9
    assert tissue_box(volume) == (slice(20, 28), slice(40, 48))


def test_air_alone_is_refused():
    with pytest.raises(NoBoneError, match="no hand in these slices"):
        tissue_box(np.zeros((2, 40, 40), np.float32))


def test_the_field_holds_the_hand_with_air_around_in_whole_steps():
    z, y, x = field_of((80, 512, 512), (slice(100, 220), slice(4, 70)), dims=2, divisor=32)
    assert (z.start, z.stop) == (0, 80)
    assert (y.stop - y.start, x.stop - x.start) == (160, 96)
    assert y.start <= 92
    assert y.stop >= 228
    assert x.start <= -4
    assert x.stop >= 78


def test_without_a_hand_the_field_is_all_of_it():
    assert field_of((7, 512, 500), None, 2, 32)[1:] == (slice(0, 512), slice(-6, 506))


@pytest.mark.parametrize(("slices", "depth"), [(1, 16), (16, 16), (80, 80), (85, 96)])
def test_a_3d_field_is_deep_enough_to_halve(slices, depth):
    z = field_of((slices, 64, 64), None, dims=3, divisor=16)[0]
    assert z.stop - z.start == depth
    assert z.start <= 0 < slices <= z.stop


def test_cutting_puts_air_at_the_sides_and_repeats_the_end_slices():
    volume = np.arange(1, 25, dtype=np.float32).reshape(2, 3, 4)
    part = cut(volume, (slice(-1, 3), slice(-1, 2), slice(1, 6)))
    assert part.shape == (4, 3, 5)
    assert np.array_equal(part[0], part[1])
    assert np.array_equal(part[2], part[3])
    assert np.array_equal(part[1, 1:, :3], volume[0, :2, 1:])
    assert not part[:, 0].any()
    assert not part[:, :, 3:].any()
