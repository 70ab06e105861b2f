"""One hand as formulas: seeds, the expert's range, the label."""

import numpy as np
import pytest

from napari_vbmd.errors import ParameterError
from napari_vbmd.phantom.drawing import SEEDS_FOR_TESTS, SEEDS_FOR_TRAINING, hand


@pytest.mark.parametrize("seed", [-1, 200_000, 10**9])
def test_seeds_that_are_nobodys_are_refused(seed):
    with pytest.raises(ParameterError, match="100000 to 199999 \\(tests\\)"):
        hand(seed)


def test_seeds_for_training_and_for_tests_part():
    assert not set(SEEDS_FOR_TRAINING) & set(SEEDS_FOR_TESTS)
    assert 99_999 in SEEDS_FOR_TRAINING
    assert 100_000 in SEEDS_FOR_TESTS


def test_range_runs_from_the_tip_to_the_delta():
    drawn = hand(100_000)
    first, last = drawn.range_mm
    ray = drawn.second.ray
    assert last - first == pytest.approx(ray.end, abs=1.2)
    _, y, x = drawn.pose.scan(*ray.in_hand(0.0))
    side = np.arange(-6, 6, 0.1)
    for at, empty in ((first - 0.1, True), (first + 0.05, False)):
        grid = np.broadcast_arrays(*np.ix_([at], y + side, x + side))
        assert (not (drawn.depth(*grid) > 0).any()) == empty


def test_label_is_the_share_of_the_native_mask():
    drawn = hand(100_000)
    ray = drawn.second.ray
    _, y, x = drawn.pose.scan(*ray.in_hand(ray.widest))
    fine = [
        c + 0.082 * (np.arange(n) - (n - 1) / 2)
        for c, n in zip((drawn.range_mm[0] + 1, y, x), (24, 240, 240), strict=True)
    ]
    native = drawn.label(*fine, (0.082,) * 3)
    assert set(np.unique(native)) == {0, 1}
    coarse = drawn.label(*(axis[1::3] for axis in fine), (0.246,) * 3)
    shares = native.reshape(8, 3, 80, 3, 80, 3).mean(axis=(1, 3, 5))
    assert np.abs(coarse - shares).max() < 0.08  # one of 27, or two: rounding at the surface
    assert coarse.mean() == pytest.approx(shares.mean(), rel=1e-4)
