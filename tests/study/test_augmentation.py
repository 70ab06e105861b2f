"""What a network is shown in training."""

import numpy as np
import pytest

from napari_vbmd.study.augmentation import depths, discoloured, patch_of


def draws(count=20):
    return (np.random.default_rng(seed) for seed in range(count))


@pytest.fixture
def bone():
    """A ball of bone in soft tissue: volume (mu) and label (255 is bone)."""
    z, y, x = np.mgrid[-4:4, -40:40, -30:30] + 0.5
    inside = z**2 + y**2 + (x - 6) ** 2 < 12**2
    return np.where(inside, 0.6, 0.27).astype(np.float16), (255 * inside).astype(np.uint8)


def test_image_and_label_are_moved_alike(bone):
    for draw in draws():
        image, truth = patch_of(*bone, (64, 96), draw)
        assert image.shape == truth.shape == (8, 64, 96)
        inside = truth.numpy() > 0.99
        if inside.any():
            assert image.numpy()[inside].min() > 0.55
        outside = (truth.numpy() < 0.01) & (image.numpy() > 0.01)
        assert image.numpy()[outside].max() < 0.3


def test_beyond_the_volume_there_is_air_and_no_bone(bone):
    for draw in draws():
        image, truth = patch_of(*bone, (160, 160), draw)
        assert float((image == 0).float().mean()) > 0.5
        assert float(truth[image == 0].max()) == 0
        assert float(truth.max()) > 0.99


def test_most_patches_hold_the_bone(bone):
    shown = [float(patch_of(*bone, (32, 32), draw)[1].mean()) for draw in draws(60)]
    assert np.mean([share > 0.1 for share in shown]) > 0.6


def test_sizes_and_turns_differ(bone):
    areas = [float(patch_of(*bone, (96, 96), draw)[1].sum()) for draw in draws()]
    assert np.std(areas) / np.mean(areas) > 0.05


def test_the_same_chance_gives_the_same_picture(bone):
    (one, _), (again, _) = (patch_of(*bone, (64, 64), np.random.default_rng(5)) for _ in range(2))
    assert (one == again).all()


def test_appearance_changes_and_bone_stays_brighter(bone):
    image = bone[0].astype(np.float32)
    truth = bone[1] / np.float32(255)
    for draw in draws(40):
        shown, share = discoloured(image, truth, draw)
        assert shown.dtype == np.float32
        assert shown.shape == image.shape
        assert not np.array_equal(shown, image)
        assert shown[share > 0.99].mean() > shown[(share == 0) & (shown > 0.05)].mean()


def test_where_the_scanners_field_ends_there_is_air_and_no_truth():
    image, truth = np.full((2, 60, 60), 0.5, np.float32), np.ones((2, 60, 60), np.float32)
    cut = 0
    for draw in draws(80):
        shown, share = discoloured(image, truth, draw)
        cut += share.min() == 0
        assert (shown[share == 0] == 0).all()
        assert (share[share != 0] == 1).all()
        assert share.mean() > 0.6
    assert 2 < cut < 20
    assert truth.all(), "what is given stays as it is"


def test_a_3d_network_is_shown_some_slices_in_order_or_upside_down():
    directions, counts = set(), set()
    for draw in draws(40):
        order = depths(50, None, 16, draw)
        assert len(order) % 16 == 0
        steps = np.unique(np.diff(order))
        assert set(steps) <= {0, 1} or set(steps) <= {0, -1}
        assert 0 <= order.min() <= order.max() < 50
        directions.add(int(np.sign(np.diff(order).sum())))
        counts.add(len(np.unique(order)))
    assert directions == {-1, 1}
    assert len(counts) > 3


def test_the_second_volume_of_a_batch_is_as_deep_as_the_first():
    for draw in draws():
        assert len(depths(11, 32, 16, draw)) == 32
        assert len(depths(90, 32, 16, draw)) == 32
