import numpy as np
import pytest

from napari_vbmd.segmentation.sampling import (
    Axis,
    area_averaged,
    neighbours,
    resampled,
)

RATIOS = [3.0, 1.0, 0.82, 2.5, 4.05]


@pytest.fixture
def volume() -> np.ndarray:
    return np.random.default_rng(0).integers(-3000, 9000, (12, 15, 18)).astype(np.int16)


def places(axes):
    return [axis.to_scan() for axis in axes]


def covering(shape, ratio, mirrored=False):
    return tuple(Axis.covering(n, ratio, mirrored and k == 1) for k, n in enumerate(shape))


def test_at_three_to_one_it_is_every_third_voxel_bit_for_bit(volume):
    sampled = resampled(volume, places(covering(volume.shape, 3.0)))
    assert sampled.dtype == np.float32
    assert np.array_equal(sampled, volume[1::3, 1::3, 1::3])


def test_a_mirrored_axis_is_the_other_one_in_reverse(volume):
    right = resampled(volume, places(covering(volume.shape, 2.5)))
    left = resampled(volume[:, ::-1], places(covering(volume.shape, 2.5, mirrored=True)))
    # 15 voxels do not hold 6 of 2.5, so the reversed scan would begin elsewhere without mirroring
    assert left.shape == right.shape
    assert np.allclose(left, right)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_way_back_undoes_the_way_there(ratio, mirrored):
    axis = Axis.covering(41, ratio, mirrored).window(-3, 30)
    assert np.allclose(axis.from_scan(axis.to_scan()), np.arange(30))


@pytest.mark.parametrize("ratio", RATIOS)
def test_it_covers_the_scan_and_no_more(ratio):
    axis = Axis.covering(41, ratio)
    assert axis.sampled * ratio >= 41 - 1e-6
    assert (axis.sampled - 1) * ratio < 41
    assert not axis.padding().any()


def test_a_ramp_stays_a_ramp_at_any_spacing():
    z, y, x = np.meshgrid(np.arange(20), np.arange(22), np.arange(24), indexing="ij")
    ramp = (2 * z + 3 * y - x).astype(np.float32)
    axes = covering(ramp.shape, 1.7)
    expected = np.add.outer(2 * places(axes)[0][:, None] + 3 * places(axes)[1], -places(axes)[2])
    inner = (slice(1, -1),) * 3
    assert np.allclose(resampled(ramp, places(axes))[inner], expected[inner], atol=1e-4)


def test_one_slice_and_one_voxel_can_be_sampled():
    single = np.full((1, 1, 1), 7, np.int16)
    assert resampled(single, places(covering(single.shape, 3.0))).tolist() == [[[7.0]]]


def test_windows_add_up_and_padding_is_told():
    axis = Axis.covering(30, 3.0).window(-2, 20).window(1, 12)
    assert axis.offset == -1
    assert axis.padding().tolist() == [True] + [False] * 10 + [True]
    assert axis.to_scan()[1] == 1.0


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("ratio", RATIOS)
def test_the_reach_of_network_voxels_holds_all_they_touch(ratio, mirrored):
    axis = Axis.covering(60, ratio, mirrored).window(2, 12)
    reach = axis.scan_range(4, 6)
    place = axis.from_scan(np.arange(60))
    touched = np.flatnonzero((place > 3) & (place < 7))
    assert reach.start <= touched[0]
    assert reach.stop > touched[-1]
    assert len(range(60)[reach]) <= len(touched) + 2


def test_progress_goes_to_one_and_may_cancel(volume):
    told = []
    resampled(volume, places(covering(volume.shape, 3.0)), told.append)
    assert told == [0.25, 0.5, 0.75, 1.0]

    def stop(done):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        resampled(volume, places(covering(volume.shape, 3.0)), stop)


def test_neighbours_are_held_at_the_ends():
    low, up, weight = neighbours(np.array([-1.0, 0.25, 4.0, 9.0]), 5)
    assert low.tolist() == [0, 0, 3, 3]
    assert up.tolist() == [1, 1, 4, 4]
    assert weight.tolist() == [0.0, 0.25, 1.0, 1.0]


# soft labels


def test_a_soft_label_is_the_mean_of_its_block(volume):
    mask = volume > 3000
    label = area_averaged(mask, covering(mask.shape, 3.0))
    assert np.allclose(label, mask.reshape(4, 3, 5, 3, 6, 3).mean((1, 3, 5)))


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_soft_label_keeps_the_volume(ratio, mirrored):
    mask = np.zeros((20, 30, 30), np.uint8)
    mask[4:11, 5:20, 8:22] = 127
    label = area_averaged(mask, covering(mask.shape, ratio, mirrored))
    assert label.max() <= 1.0 + 1e-6
    assert label.sum() * ratio**3 == pytest.approx(np.count_nonzero(mask), rel=1e-4)


def test_a_label_of_a_box_lies_where_the_box_does():
    mask = np.zeros((21, 30, 33), bool)
    mask[4:11, 5:20, 8:22] = True
    axes = covering(mask.shape, 3.0, mirrored=True)
    part = area_averaged(mask[3:12, 5:21, 7:30], axes, (3, 5, 7))
    assert np.array_equal(part, area_averaged(mask, axes))


def test_shares_of_voxels_stay_shares():
    shares = np.random.default_rng(0).random((3, 4, 5)).astype(np.float32)
    axes = covering(shares.shape, 1.0)
    assert np.allclose(area_averaged(shares, axes), shares)


def test_padding_is_background_at_the_sides_and_goes_on_along_z():
    mask = np.ones((3, 6, 6), bool)
    axes = tuple(axis.window(-1, 4) for axis in (Axis.covering(3, 1.5), *covering((6, 6), 3.0)))
    label = area_averaged(mask, axes)
    assert label.all(axis=0)[1:3, 1:3].all()
    assert label.sum() == 4 * 2 * 2
