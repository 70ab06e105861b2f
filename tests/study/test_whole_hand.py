"""The published networks' task."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from napari_vbmd.errors import MissingCalibrationError
from napari_vbmd.io.files import read_scan
from napari_vbmd.segmentation.preprocessing import IMPROVED, PAPER
from napari_vbmd.study import whole_hand
from napari_vbmd.study.presets import TRAINING_PRESETS
from napari_vbmd.study.volumes import VolumeStore, prepare_all
from napari_vbmd.study.whole_hand import IMAGE, LABEL, WholeHand


@pytest.fixture
def small_paper(monkeypatch):
    """The preset `paper` at a size for tests: (6, 64, 64)."""
    small = replace(TRAINING_PRESETS["paper"], sight=replace(PAPER, size=(6, 64, 64)))
    monkeypatch.setattr(whole_hand, "TRAINING_PRESETS", TRAINING_PRESETS | {"paper": small})


@pytest.fixture
def kept(draw, manifest_of, tmp_path):
    """A task that learnt from volumes of rods, and these."""

    def make(configuration="unet-3d", preset="improved", rows=None):
        task = WholeHand(configuration, preset)
        rows = rows or [draw("a"), draw("b", radius=7.0, side="left")]
        volumes = prepare_all(manifest_of(*rows).cases, task, VolumeStore(tmp_path / "volumes"))
        task.learn_from(volumes)
        return task, volumes

    return make


def test_a_whole_scan_is_kept_as_attenuation_with_soft_labels(kept):
    _, (volume, _) = kept()
    image, label = volume.array(IMAGE), volume.array(LABEL)
    assert image.shape == label.shape == (12, 64, 64), "the hand, and air around it"
    assert (image.dtype, label.dtype) == (np.float16, np.uint8)
    assert image[5][label[5] == 255].mean() == pytest.approx((700 + 390) / 1600, abs=0.01)
    assert volume.facts["inside"] == list(range(2, 10))
    assert not label[[0, 1, 10, 11]].any()


def test_coarser_voxels_have_the_share_of_the_bone_in_them(draw, kept, manifest_of, monkeypatch):
    row = draw("a", radius=8.3)
    _, (volume,) = kept(rows=[row])
    fine = volume.array(LABEL)
    assert set(np.unique(fine)) == {0, 255}, "at the scan's own spacing a label is whole"
    coarse = replace(IMPROVED, spacing_mm=(0.492,) * 3)
    how = replace(TRAINING_PRESETS["improved"], sight=coarse)
    monkeypatch.setattr(whole_hand, "TRAINING_PRESETS", {"improved": how})
    label = WholeHand("unet-3d", "improved").prepare(manifest_of(row).cases[0]).arrays[LABEL]
    assert len(np.unique(label)) > 3
    assert 8 * label.mean() * label.size == pytest.approx(fine.mean() * fine.size, rel=0.01)


def test_left_hands_are_mirrored(draw, kept):
    _, (right, left) = kept(rows=[draw("r", side="right"), draw("l", side="left")])
    np.testing.assert_array_equal(left.array(LABEL), right.array(LABEL)[:, ::-1])
    np.testing.assert_array_equal(left.array(IMAGE), right.array(IMAGE)[:, ::-1])


def test_2d_and_3d_networks_share_volumes_and_presets_do_not(draw, small_paper):
    assert WholeHand("unet-2d", "improved").recipe == WholeHand("unet-3d", "improved").recipe
    assert WholeHand("unet-2d", "paper").recipe != WholeHand("unet-2d", "improved").recipe


def test_paper_keeps_the_marked_slices_in_native_units_with_the_nearest_label(kept, small_paper):
    _, (volume, _) = kept("unet-2d", "paper")
    image, label = volume.array(IMAGE), volume.array(LABEL)
    assert image.shape == (6, 64, 64)
    assert set(np.unique(label)) == {0, 255}
    assert volume.facts["inside"] == list(range(6))
    assert image[3][label[3] > 0].mean() > 4000, "native"


def test_the_nearest_label_is_that_of_the_first_voxel_covered(draw, manifest_of, small_paper):
    task = WholeHand("unet-2d", "paper")
    case = manifest_of(draw("a", slices=(2, 9))).cases[0]
    label = task.prepare(case).arrays[LABEL]
    example = whole_hand.open_example(case)
    mask = np.zeros((12, 40, 40), bool)
    mask[
        tuple(slice(s, s + n) for s, n in zip(example.start, example.share.shape, strict=True))
    ] = example.mask()
    marked = mask[2:10].astype(np.float32)[None, None]
    nearest = torch.nn.functional.interpolate(torch.from_numpy(marked), (6, 64, 64), mode="nearest")
    np.testing.assert_array_equal(label > 0, nearest[0, 0].numpy() > 0)


def test_normalisation_is_the_mean_and_sd_of_the_training_set(kept):
    task, volumes = kept()
    values = np.concatenate([np.asarray(v.array(IMAGE), np.float64).ravel() for v in volumes])
    assert task.normalisation.mean == pytest.approx(values.mean())
    assert task.normalisation.sd == pytest.approx(values.std())
    assert task.patch == (64, 64), "no larger than what there is"


@pytest.mark.parametrize(
    ("configuration", "preset", "ndim"),
    [("unet-2d", "improved", 4), ("unet-3d", "improved", 5), ("unet-3d", "paper", 5)],
)
def test_a_batch_is_an_example_of_each_volume(kept, small_paper, configuration, preset, ndim):
    task, volumes = kept(configuration, preset)
    images, labels = task.batch(volumes, np.random.default_rng(0))
    assert images.shape == labels.shape
    assert (len(images), images.ndim, images.shape[1]) == (2, ndim, 1)
    assert all(n % 32 == 0 for n in images.shape[-2:])
    assert 0 <= float(labels.min()) <= float(labels.max()) <= 1
    again, _ = task.batch(volumes, np.random.default_rng(0))
    assert torch.equal(images, again)
    if ndim == 5:
        assert images.shape[2] % 16 == 0


def test_2d_slices_go_through_the_bone_more_often_than_not(kept):
    task, volumes = kept("unet-2d")
    holds = [bool(task.batch(volumes[:1], np.random.default_rng(k))[1].any()) for k in range(60)]
    assert 0.75 < np.mean(holds) < 1


class Knows(torch.nn.Module):
    """A network that knows the answer: bone is where it is bright."""

    def __init__(self, level):
        super().__init__()
        self.level = level

    def forward(self, images):
        return 20 * (images - self.level)


@pytest.mark.parametrize("configuration", ["unet-2d", "unet-3d"])
def test_the_score_is_the_dice_over_the_whole_volume(kept, configuration):
    task, volumes = kept(configuration)
    level = (0.48 - task.normalisation.mean) / task.normalisation.sd
    good = task.score(Knows(level), volumes[0], "cpu")
    assert good.dice > 0.99
    nothing = task.score(Knows(99.0), volumes[0], "cpu")
    assert nothing.dice == 0
    assert good.loss < 0.1 < nothing.loss


def test_the_network_starts_as_the_preset_says():
    improved, paper = (WholeHand("unet-3d", name).network() for name in ("improved", "paper"))
    assert (improved.first.dropout.p, paper.first.dropout.p) == (0.0, 0.6)
    head = WholeHand("unet-2d", "improved").network().segmentation_head[0]
    assert head.bias.item() == -4


def test_a_scan_without_a_calibration_is_refused_and_takes_the_users(draw, manifest_of):
    case = _without_constants(manifest_of(draw("a")).cases[0])
    with pytest.raises(MissingCalibrationError, match=r"a\.nii\.gz"):
        WholeHand("unet-3d", "improved").prepare(case)
    task = WholeHand("unet-3d", "improved", {"unit": "native", "mu_scaling": 8192.0})
    assert task.prepare(case).arrays[IMAGE].max() > 0.5


def _without_constants(case):
    """The case as NIfTI, which carries no calibration."""
    scan = read_scan(case.scan)
    image = sitk.GetImageFromArray(np.asarray(scan.voxels))
    image.SetSpacing(scan.grid.spacing_mm[::-1])
    path = case.scan.with_suffix(".nii.gz")
    sitk.WriteImage(image, str(path))
    return replace(case, scan=path)
