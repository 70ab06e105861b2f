import math

import numpy as np
import pytest

from napari_vbmd.calibration import Linear
from napari_vbmd.errors import ParameterError
from napari_vbmd.measurement.accumulator import (
    Counts,
    DensityAccumulator,
    OverlapAccumulator,
    Sums,
)

AS_STORED = Linear(1.0, 0.0)
SHAPE = (4, 9, 11)


def accumulated(voxels: np.ndarray, labels: np.ndarray) -> DensityAccumulator:
    sums = DensityAccumulator(len(voxels), voxels.dtype)
    for z in range(len(voxels)):
        sums.add_slice(z, voxels[z], labels[z])
    return sums


def counted(mask: np.ndarray, expert: np.ndarray) -> OverlapAccumulator:
    counts = OverlapAccumulator(mask.shape)
    for z in range(len(mask)):
        counts.add_slice(z, mask[z], expert[z])
    return counts


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.fixture
def voxels(random) -> np.ndarray:
    return random.integers(-32768, 32768, SHAPE, np.int16)


@pytest.fixture
def labels(random) -> np.ndarray:
    """Labels 0 to 3, 1 missing from the last slice."""
    labels = random.integers(0, 4, SHAPE).astype(np.uint8)
    labels[-1][labels[-1] == 1] = 0
    return labels


# numbers worked out by hand


def test_mean_and_sample_sd_of_four_voxels():
    sums = Sums(4, 2 + 4 + 4 + 6, 4 + 16 + 16 + 36)
    assert sums.mean(AS_STORED) == 4
    assert sums.sd(AS_STORED) == pytest.approx(math.sqrt(8 / 3))  # over n - 1, not n


def test_gain_and_offset_are_applied_once_and_the_sd_knows_no_offset_or_sign():
    sums = Sums(2, 10, 68)  # 2 and 8
    assert sums.mean(Linear(-2.0, 100.0)) == 90
    assert sums.sd(Linear(-2.0, 100.0)) == pytest.approx(2 * math.sqrt(18))


def test_no_mean_without_voxels_and_no_sd_of_one():
    assert Sums(0, 0, 0).mean(AS_STORED) is None
    assert Sums(0, 0, 0).sd(AS_STORED) is None
    assert Sums(1, 7, 49).mean(AS_STORED) == 7
    assert Sums(1, 7, 49).sd(AS_STORED) is None


def test_sd_of_equal_values_is_zero_and_never_the_root_of_a_negative():
    values = np.full((1, 50, 50), 0.1, np.float32)
    assert accumulated(values, np.ones(values.shape, np.uint8)).sums().sd(AS_STORED) < 1e-6


# exactness


@pytest.mark.parametrize("dtype", [np.int16, np.uint16])
@pytest.mark.parametrize("side", [512, 1536])
def test_whole_slices_at_the_ends_of_16_bits_are_exact(dtype, side):
    """Full slices of the extremes: the squares alone pass 2**53, where float64 loses ones."""
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    values = np.full((side, side), high, dtype)
    values.flat[::16] = low
    values.flat[1] = high - 1  # an odd one out: a float64 sum of squares would round it away
    sums = DensityAccumulator(2, dtype)
    for z in range(2):
        sums.add_slice(z, values, np.ones(values.shape, np.uint8))
    lows = -(-values.size // 16)
    highs = values.size - lows - 1
    total = 2 * (lows * low + highs * high + (high - 1))
    squares = 2 * (lows * low**2 + highs * high**2 + (high - 1) ** 2)
    assert sums.sums() == Sums(2 * values.size, total, squares)
    assert all(isinstance(number, int) for number in sums.sums())


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int8, np.uint8, np.int32, np.uint32])
def test_integers_equal_two_passes_in_float64(random, dtype):
    limits = np.iinfo(dtype)
    low, high = max(limits.min, -(10**6)), min(limits.max, 10**6)
    voxels = random.integers(low, high, (3, 300, 300), dtype)
    labels = random.integers(0, 2, voxels.shape).astype(bool)
    sums = accumulated(voxels, labels).sums()
    inside = voxels[labels].astype(np.float64)
    assert sums.count == inside.size
    assert sums.mean(AS_STORED) == pytest.approx(inside.mean(), rel=1e-13)
    assert sums.sd(AS_STORED) == pytest.approx(inside.std(ddof=1), rel=1e-11)


def test_a_narrow_spread_far_from_zero_keeps_its_sd():
    """What n * squares - total**2 in float64 gets wrong."""
    voxels = np.full((1, 1000, 1000), 32766, np.int16)
    voxels[0, 0, 0] = 32767
    sums = accumulated(voxels, np.ones(voxels.shape, np.uint8)).sums()
    assert sums.sd(AS_STORED) == pytest.approx(1e-3, rel=1e-12)


def test_32_bit_extremes_do_not_wrap_round(labels):
    """Their squares do not fit into 64-bit integers."""
    voxels = np.where(np.indices(SHAPE).sum(0) % 3, 2**31 - 1, -(2**31)).astype(np.int32)
    sums = accumulated(voxels, labels).sums()
    inside = voxels[labels > 0].astype(np.float64)
    assert sums.mean(AS_STORED) == pytest.approx(inside.mean(), rel=1e-12)
    assert sums.sd(AS_STORED) == pytest.approx(inside.std(ddof=1), rel=1e-12)


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2", ">i2"])
def test_floats_and_other_byte_orders_equal_two_passes_in_float64(random, labels, dtype):
    voxels = random.normal(300, 200, SHAPE).astype(dtype)
    sums = accumulated(voxels, labels).sums()
    inside = voxels[labels > 0].astype(np.float64)
    assert sums.mean(AS_STORED) == pytest.approx(inside.mean(), rel=1e-12)
    assert sums.sd(AS_STORED) == pytest.approx(inside.std(ddof=1), rel=1e-10)


# per slice and per label


def test_every_slice_and_label_has_its_own_sums(voxels, labels):
    sums = accumulated(voxels, labels)
    for label in (1, 2, 3):
        for z in range(len(voxels)):
            inside = [int(v) for v in voxels[z][labels[z] == label]]
            assert sums.sums(label, z) == Sums(len(inside), sum(inside), sum(v * v for v in inside))


def test_all_slices_at_once_are_the_same_as_one_by_one(voxels, labels):
    sums = accumulated(voxels, labels)
    for label in (None, 2):
        assert sums.per_slice(label) == [sums.sums(label, z) for z in range(len(voxels))]


def test_slices_and_labels_add_up_to_the_whole(voxels, labels):
    sums = accumulated(voxels, labels)
    inside = [int(v) for v in voxels[labels > 0]]
    whole = Sums(len(inside), sum(inside), sum(v * v for v in inside))
    assert sums.sums() == whole
    by_label = [sums.sums(label) for label in (1, 2, 3)]
    by_slice = [sums.sums(z=z) for z in range(len(voxels))]
    assert Sums(*map(sum, zip(*by_label, strict=True))) == whole
    assert Sums(*map(sum, zip(*by_slice, strict=True))) == whole


def test_some_slices_pooled(voxels, labels):
    inside = voxels[[0, 2]][labels[[0, 2]] == 2]
    pooled = accumulated(voxels, labels).sums(2, np.array([0, 2]))
    assert (pooled.count, pooled.total) == (inside.size, int(inside.sum(dtype=np.int64)))


def test_voxels_per_slice(voxels, labels):
    sums = accumulated(voxels, labels)
    assert sums.counts_per_slice().tolist() == (labels > 0).sum((1, 2)).tolist()
    assert sums.counts_per_slice(1).tolist() == (labels == 1).sum((1, 2)).tolist()
    assert sums.counts_per_slice(1)[-1] == 0


def test_the_labels_that_occur_are_named_without_the_background(voxels, labels):
    assert accumulated(voxels, labels).labels() == [1, 2, 3]
    assert accumulated(voxels, np.where(labels == 3, 255, 0)).labels() == [255]
    assert accumulated(voxels, np.zeros_like(labels)).labels() == []


def test_asking_changes_nothing(voxels, labels):
    sums = accumulated(voxels, labels)
    before = sums.sums()
    sums.counts_per_slice(1)[:] = 0
    assert sums.sums() == before == sums.sums()


@pytest.mark.parametrize("wrong", [256, 300, -1])
def test_what_is_no_label_is_refused_and_not_wrapped_round(voxels, labels, wrong):
    """256 as uint8 would be 0 and leave the measurement without a word."""
    labels = labels.astype(np.int16)
    labels[0, 0, 0] = wrong
    with pytest.raises(ParameterError, match="0 to 255"):
        accumulated(voxels, labels)


def test_a_probability_is_no_label(voxels):
    with pytest.raises(ParameterError, match="whole labels"):
        accumulated(voxels, np.full(SHAPE, 0.7))


def test_labels_of_another_integer_type_are_the_same_labels(voxels, labels):
    found = accumulated(voxels, labels.astype(np.int64))
    assert found.sums(2) == accumulated(voxels, labels).sums(2)


# values that are not numbers


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_is_counted_apart(random, value):
    voxels = random.normal(size=SHAPE).astype(np.float32)
    labels = np.ones(SHAPE, np.uint8)
    voxels[1, 2, 3] = value
    sums = accumulated(voxels, labels)
    assert sums.sums().unusable == sums.sums(1, 1).unusable == 1
    assert sums.sums().count == voxels.size
    assert sums.sums().mean(AS_STORED) is sums.sums().sd(AS_STORED) is None
    assert sums.sums(z=0).mean(AS_STORED) is not None, "other slices are not touched"


def test_a_value_that_is_no_number_leaves_no_trace_when_its_voxel_leaves(random):
    voxels = random.normal(size=SHAPE).astype(np.float32)
    voxels[1, 2, 3] = np.nan
    labels = np.ones(SHAPE, np.uint8)
    sums = accumulated(voxels, labels)
    sums.change(1, voxels[1, 2, 3:4], labels[1, 2, 3:4], np.zeros(1, np.uint8))
    assert sums.sums().unusable == 0
    assert sums.sums().mean(AS_STORED) == pytest.approx(np.nanmean(voxels.astype(np.float64)))


# edits


def edits(random, labels: np.ndarray, count: int):
    """Yield the slice, a selection of it, and its new labels; then make the edit."""
    for _ in range(count):
        z = int(random.integers(len(labels)))
        where = random.random(labels[z].shape) < random.choice([0.01, 0.3, 1.0])
        new = random.integers(0, 4, int(where.sum())).astype(np.uint8)
        yield z, where, new
        labels[z][where] = new


def test_edits_equal_a_new_start_after_every_step(random, voxels, labels):
    sums = accumulated(voxels, labels)
    for z, where, new in edits(random, labels, 60):
        sums.change(z, voxels[z][where], labels[z][where], new)
        after = labels.copy()
        after[z][where] = new
        anew = accumulated(voxels, after)
        for label in (None, 1, 2, 3):
            assert sums.sums(label) == anew.sums(label)
            assert sums.counts_per_slice(label).tolist() == anew.counts_per_slice(label).tolist()
        assert sums.labels() == anew.labels()


def test_edits_of_a_float_scan_equal_a_new_start(random, labels):
    voxels = random.normal(300, 200, SHAPE).astype(np.float32)
    sums = accumulated(voxels, labels)
    for z, where, new in edits(random, labels, 60):
        sums.change(z, voxels[z][where], labels[z][where], new)
    anew = accumulated(voxels, labels)
    assert sums.sums().count == anew.sums().count
    assert sums.sums(2).mean(AS_STORED) == pytest.approx(anew.sums(2).mean(AS_STORED), rel=1e-12)
    assert sums.sums(2).sd(AS_STORED) == pytest.approx(anew.sums(2).sd(AS_STORED), rel=1e-10)


def test_painting_and_erasing_a_thousand_times_leaves_no_drift(voxels):
    labels = np.ones(SHAPE, np.uint8)
    sums = accumulated(voxels, labels)
    before = sums.sums()
    for _ in range(1000):
        sums.change(2, voxels[2], labels[2], 0 * labels[2])
        sums.change(2, voxels[2], 0 * labels[2], labels[2])
    assert sums.sums() == before


def test_overlap_follows_edits_exactly(random, labels):
    mask, expert = labels, random.integers(0, 2, SHAPE).astype(np.uint8) * 127
    counts = counted(mask, expert)
    for z, where, new in edits(random, mask, 60):
        counts.change(z, mask[z][where], new, expert[z][where])
        after = mask.copy()
        after[z][where] = new
        anew = counted(after, expert)
        assert counts.counts() == anew.counts()
        assert counts.per_slice() == anew.per_slice()


# overlap counts


def test_overlap_of_a_hand_made_pair():
    """Ten voxels: 4 in the mask, 5 in the expert's, 3 in both."""
    counts = Counts(mask=4, expert=5, both=3, region=10)
    assert counts.dice == pytest.approx(6 / 9)
    assert counts.iou == pytest.approx(3 / 6)  # the usual definition, not the paper's misprint
    assert counts.accuracy == pytest.approx((3 + 4) / 10)
    assert counts.sensitivity == pytest.approx(3 / 5)
    assert counts.specificity == pytest.approx(4 / 5)
    assert counts.precision == pytest.approx(3 / 4)


def test_what_is_not_defined_is_none():
    assert Counts(0, 0, 0, 10).dice is Counts(0, 0, 0, 10).iou is None
    assert Counts(4, 0, 0, 10).sensitivity is None
    assert Counts(0, 4, 0, 10).precision is None
    assert Counts(10, 10, 10, 10).specificity is None
    assert Counts(0, 0, 0, 10).accuracy == 1


def test_counts_are_those_of_numpy(labels, random):
    expert = random.random(SHAPE) < 0.4
    counts = counted(labels, expert)
    inside = labels > 0
    assert counts.counts() == Counts(
        int(inside.sum()), int(expert.sum()), int((inside & expert).sum()), labels.size
    )
    for z, here in enumerate(counts.per_slice()):
        both = int((inside[z] & expert[z]).sum())
        assert here == Counts(int(inside[z].sum()), int(expert[z].sum()), both, 99)


def test_a_slice_that_was_not_given_counts_as_empty_in_the_region(labels):
    counts = OverlapAccumulator(SHAPE)
    counts.add_slice(1, labels[1], None)
    counts.add_slice(2, None, labels[2])
    found = counts.counts()
    assert found.both == 0
    assert found.region == labels.size
    assert (found.mask, found.expert) == tuple((labels[1:3] > 0).sum((1, 2)))
