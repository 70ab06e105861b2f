"""The fine stage's task."""

import numpy as np
import pytest
import torch

from napari_vbmd.errors import ParameterError
from napari_vbmd.segmentation.fine_networks import FineStage
from napari_vbmd.study import fine_stage
from napari_vbmd.study.fine_stage import BLOCK, LABELS, PLANES, FineStageTask
from napari_vbmd.study.manifest import Case
from napari_vbmd.study.train_settings import TrainSettings
from napari_vbmd.study.volumes import VolumeStore, prepare_all


@pytest.fixture
def kept(draw, manifest_of, tmp_path):
    """A task that learnt from volumes of rods, and these."""

    def make(*rows):
        task = FineStageTask("unet-2d-fine", "improved")
        rows = rows or (draw("a"), draw("b", radius=7.0, side="left"))
        volumes = prepare_all(manifest_of(*rows).cases, task, VolumeStore(tmp_path / "volumes"))
        task.learn_from(volumes)
        return task, volumes

    return make


def test_slices_are_kept_with_their_neighbours_and_the_share_of_bone(kept):
    _, (volume, _) = kept()
    planes, labels = volume.array(PLANES), volume.array(LABELS)
    assert planes.shape == (22, 3, 320, 320), "from the middle of slice 2 to that of slice 9"
    assert labels.shape == (22, 320, 320)
    assert (planes.dtype, labels.dtype) == (np.float16, np.uint8)
    assert planes[12, 1][labels[12] == 255].mean() == pytest.approx((700 + 390) / 1600, abs=0.02)
    area = (labels == 255).sum(axis=(1, 2)) * 0.082**2
    assert area == pytest.approx(np.pi * (9 * 0.246) ** 2, rel=0.03)
    middle = [np.flatnonzero((labels[5] > 0).any(axis=a))[[0, -1]].mean() for a in (0, 1)]
    assert middle == pytest.approx([159.5, 159.5], abs=1), "the bone is in the middle"


def test_the_block_holds_all_slices_and_knows_the_experts(kept):
    _, (volume, _) = kept()
    assert volume.array(BLOCK).shape == (12, 112, 112)
    assert volume.facts["ends"] == pytest.approx([1.5, 9.5]), "slices 2 to 9, edge to edge"


def test_left_hands_are_mirrored(draw, kept):
    _, (right, left) = kept(draw("r", side="right"), draw("l", side="left"))
    for name in (PLANES, LABELS, BLOCK):
        shown = right.array(name)[..., ::-1, :].astype(float)
        # the squares have even edges about a middle between two pixels: at most one pixel off
        off = [np.abs(np.roll(shown, s, -2) - left.array(name)).mean() for s in (-1, 0, 1)]
        assert min(off) < 1e-3


def test_beyond_the_tip_slices_are_empty(kept, draw, tmp_path, monkeypatch):
    task, _ = kept(draw("a", slices=(4, 9)))
    original = fine_stage.open_example

    def tapering(*args):
        example = original(*args)
        example.share[0, :13] = 0  # the first slice keeps a sliver: it is the tip
        return example

    monkeypatch.setattr(fine_stage, "open_example", tapering)
    case = Case(key="a", scan=tmp_path / "a.isq", mask=tmp_path / "a.aim", side="right")
    prepared = task.prepare(case)
    labels = prepared.arrays[LABELS]
    empty = ~labels.any(axis=(1, 2))
    assert empty.sum() == 3, "beyond the tip, not beyond the shaft"
    assert empty[: empty.sum()].all()


def test_a_batch_is_a_slice_and_a_block_of_each_and_the_same_of_the_same_chance(kept):
    task, volumes = kept()
    one, two = (task.batch(volumes, np.random.default_rng(3)) for _ in range(2))
    images, labels = one["outline"]
    blocks, inside = one["range"]
    assert images.shape == (2, 3, 256, 256)
    assert labels.shape == (2, 1, 256, 256)
    assert blocks.shape[:2] == (2, 1)
    assert blocks.shape[2] == inside.shape[1]
    assert blocks.shape[2] % 8 == 0
    assert 0 < inside.mean() <= 1
    for part in ("outline", "range"):
        for a, b in zip(one[part], two[part], strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=0)


class Perfect(torch.nn.Module):
    """Answers what it is told."""

    def __init__(self, labels, inside):
        super().__init__()
        self.labels, self.inside, self.at = labels, inside, 0

    def outline(self, images):
        part = self.labels[self.at : self.at + len(images)]
        self.at += len(images)
        return 20 * (torch.from_numpy(part.astype(np.float32))[:, None] / 255 - 0.5)

    def ends(self, blocks):
        return 20 * (torch.tensor(self.inside, dtype=torch.float32)[None] - 0.5)


def test_the_score_is_dice_across_times_dice_along(kept):
    task, (volume, _) = kept()
    labels = np.array(volume.array(LABELS))
    inside = np.zeros(12)
    inside[2:10] = 1
    assert task.score(Perfect(labels, inside), volume, "cpu").dice == pytest.approx(1, abs=0.01)
    inside[2:6] = 0  # half of the range
    half = task.score(Perfect(labels, inside), volume, "cpu").dice
    assert half == pytest.approx(2 * 4 / (8 + 4), abs=0.05)
    labels[:] = 0
    assert task.score(Perfect(labels, inside), volume, "cpu").dice == 0


def test_the_loss_trains_both_networks(kept):
    task, volumes = kept()
    network = task.network()
    assert isinstance(network, FineStage)
    task.loss(network, task.batch(volumes, np.random.default_rng(0))).backward()
    for part in (network.outline, network.ends):
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())


def test_it_is_not_of_the_paper(tmp_path):
    with pytest.raises(ParameterError, match="use improved"):
        TrainSettings(tmp_path, "unet-2d-fine", "paper")
    assert TrainSettings(tmp_path, "unet-2d-fine").plan().rate == 3e-3
