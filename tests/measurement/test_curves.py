"""ROC and precision-recall from two histograms, beside scikit-learn."""

import numpy as np
import pytest

from napari_vbmd.measurement.curves import Curves, curves

SHAPE = (6, 20, 30)
BOX = (slice(3, 17), slice(5, 28))


@pytest.fixture
def scan():
    """Levels in a box of some slices, and an expert's mask that reaches beyond them."""
    rng = np.random.default_rng(3)
    expert = np.zeros(SHAPE, np.uint8)
    expert[1:5, 5:15, 8:20] = 1
    levels = np.zeros(SHAPE, np.float32)
    noisy = 255 * expert * 0.6 + rng.normal(60, 50, SHAPE)
    levels[2:6, 3:17, 5:28] = np.clip(noisy, 0, 255)[2:6, 3:17, 5:28].round()
    return levels, expert


def slices(levels):
    return [(z, levels[z][BOX], BOX) for z in range(2, 6)]


def test_every_voxel_of_the_scan_is_counted_once(scan):
    levels, expert = scan
    found = curves(slices(levels), expert)
    assert found.bone.sum() == expert.sum()
    assert found.other.sum() == expert.size - expert.sum()
    expected = np.bincount(levels[expert != 0].astype(int), minlength=256)
    assert np.array_equal(found.bone, expected)


def test_areas_are_those_of_scikit_learn(scan):
    metrics = pytest.importorskip("sklearn.metrics")
    levels, expert = scan
    found = curves(slices(levels), expert)
    truth, scores = expert.ravel(), levels.ravel()
    assert found.auc == pytest.approx(metrics.roc_auc_score(truth, scores), abs=1e-12)
    expected = metrics.average_precision_score(truth, scores)
    assert found.average_precision == pytest.approx(expected, abs=1e-12)


def test_curves_are_those_of_scikit_learn(scan):
    metrics = pytest.importorskip("sklearn.metrics")
    levels, expert = scan
    found = curves(slices(levels), expert)
    false, true, _ = metrics.roc_curve(expert.ravel(), levels.ravel(), drop_intermediate=False)
    ours = np.unique(np.stack(found.roc(), axis=1), axis=0)
    np.testing.assert_allclose(ours, np.unique(np.stack([false, true], axis=1), axis=0))


def test_the_area_is_the_chance_that_bone_scores_higher_than_the_rest(scan):
    levels, expert = scan
    bone, other = levels[expert != 0][:, None], levels[expert == 0][None]
    chance = (bone > other).mean() + (bone == other).mean() / 2
    assert curves(slices(levels), expert).auc == pytest.approx(chance)


def test_a_perfect_probability_has_areas_of_one_and_a_threshold_between():
    bone, other = np.zeros(256, np.int64), np.zeros(256, np.int64)
    bone[200], other[20] = 10, 90
    perfect = Curves(bone, other)
    assert (perfect.auc, perfect.average_precision) == (1.0, 1.0)
    assert 20 / 255 < perfect.best_threshold() < 200 / 255


def test_a_probability_that_knows_nothing_has_an_area_of_one_half():
    same = np.full(256, 5, np.int64)
    assert Curves(same, same).auc == pytest.approx(0.5)


def test_the_best_threshold_is_the_nearest_to_perfect_precision_and_recall(scan):
    levels, expert = scan
    best = curves(slices(levels), expert).best_threshold()

    def distance(threshold):
        called = levels > 255 * threshold
        true = (called & (expert != 0)).sum()
        return np.hypot(1 - true / called.sum(), 1 - true / expert.sum())

    assert distance(best) == pytest.approx(min(distance(k / 255 + 1e-3) for k in range(250)))


def test_without_bone_or_without_anything_else_there_is_no_area():
    none, some = np.zeros(256, np.int64), np.full(256, 2, np.int64)
    assert Curves(none, some).auc is None
    assert Curves(none, some).average_precision is None
    assert Curves(none, some).best_threshold() is None
    assert Curves(some, none).auc is None


def test_scans_can_be_added(scan):
    levels, expert = scan
    one = curves(slices(levels), expert)
    assert (one + one).auc == pytest.approx(one.auc)
    assert (one + one).bone.sum() == 2 * one.bone.sum()
