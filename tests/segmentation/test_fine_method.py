"""Coarse to fine, with made-up networks that know bone by its attenuation."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import NoBoneError
from napari_vbmd.grid import Grid, place
from napari_vbmd.scan import Scan
from napari_vbmd.segmentation import fine_method, network_method
from napari_vbmd.segmentation.methods import segment
from napari_vbmd.segmentation.network_method import NetworkParameters
from napari_vbmd.segmentation.weights import NOT_CLINICAL, Weights
from napari_vbmd.segmentation.weights_file import WeightsInfo

NAME = "unet-2d-fine"
SHAPE, NATIVE = (90, 240, 210), 0.082
RIGHT = NetworkParameters(side="right")
BONE_PER_CM, TISSUE_PER_CM, LEVEL = 0.6, 0.25, 0.42
BOX = (slice(0, 90), slice(0, 120), slice(0, 210))


class NearLowY(nn.Module):
    """The first network: of two bones the one at low y."""

    def forward(self, x):
        rows = torch.arange(x.shape[-2]) < x.shape[-2] // 2
        return torch.where(rows[:, None], 200.0 * (x - LEVEL), torch.tensor(-30.0))


class Outline(nn.Module):
    """The second one: whatever is dense in the middle one of three slices."""

    def forward(self, slices):
        assert slices.shape[1] == 3
        assert slices.shape[2] % 16 == slices.shape[3] % 16 == 0
        return 200.0 * (slices[:, 1:2] - LEVEL)


class Ends(nn.Module):
    """The third one: slices whose bone is less than `most` wide, as a head's narrow end."""

    def __init__(self, most=1e9):
        super().__init__()
        self.most = most

    def forward(self, block):
        area = (block > LEVEL).sum((3, 4))[:, 0]
        return torch.where((area > 0) & (area < self.most), 20.0, -20.0)


class Fine(nn.Module):
    def __init__(self, most=1e9):
        super().__init__()
        self.outline, self.ends = Outline(), Ends(most)


@pytest.fixture(autouse=True)
def small_hands(monkeypatch):
    """What is drawn here is a hand, however small."""
    monkeypatch.setattr(fine_method, "_ONE_JOINT_MM", 1.0)


@pytest.fixture
def networks(monkeypatch):
    """Both are the made-up ones, for input that is not normalised."""

    def give(fine=None):
        info = WeightsInfo("any", 0.0, 1.0, held_out_dice=0.9)
        coarse = Weights({}, info, Path("coarse.pt"), "c" * 64)
        own = Weights({}, info, Path("fine.pt"), "f" * 64)
        monkeypatch.setattr(network_method, "load_network", lambda *_: (NearLowY(), coarse))
        monkeypatch.setattr(fine_method, "load_network", lambda *_: (fine or Fine(), own))
        monkeypatch.setattr(network_method, "find_weights", lambda *_: own.path)

    give()
    return give


def bone(low_y: bool) -> np.ndarray:
    """A bone that widens from a tip at slice 12, and goes on to the end of the scan."""
    z, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    radius = np.minimum(30, 2.0 * (z - 11))
    return np.hypot(y - (60 if low_y else 180), x - 100) < radius


def scan_of(shape=SHAPE, spacing=NATIVE, turned=False) -> Scan:
    """Two bones that are alike, of which a right hand's lies at low y."""
    mu = np.where(bone(True) | bone(False), BONE_PER_CM, TISSUE_PER_CM)
    voxels = np.rint(8192 * mu).astype(np.int16)
    grid = Grid(SHAPE, (spacing,) * 3, (7, 0, 3))
    return Scan(voxels[::-1] if turned else voxels, "native", grid, Calibration(8192.0))


def on_scan(segmentation, scan) -> np.ndarray:
    mask = segmentation.mask
    return place(mask.grid, scan.grid).paste(mask.voxels) != 0


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("turned", [False, True])
def test_at_the_scanners_resolution_the_bone_comes_back_voxel_by_voxel(networks, side, turned):
    scan = scan_of(turned=turned)
    found = on_scan(segment(scan, NAME, NetworkParameters(side=side)), scan)
    expected = bone(side == "right")
    assert np.array_equal(found, expected[::-1] if turned else expected)


def test_the_tip_that_the_first_network_cannot_see_is_found(networks):
    scan = scan_of()
    coarse = on_scan(segment(scan, "unet-3d", RIGHT), scan)
    fine = on_scan(segment(scan, NAME, RIGHT), scan)
    assert np.flatnonzero(fine.any(axis=(1, 2)))[0] == 12
    assert np.count_nonzero(fine != bone(True)) < np.count_nonzero(coarse != bone(True))


def test_a_scan_of_another_voxel_size_comes_back_on_its_own_grid(networks):
    scan = scan_of(spacing=0.0607)
    found, expected = on_scan(segment(scan, NAME, RIGHT), scan), bone(True)
    both = np.count_nonzero(found & expected)
    assert 2 * both / (found.sum() + expected.sum()) > 0.985


def test_the_expert_stops_where_the_third_network_says(networks):
    networks(Fine(most=200))  # coarse pixels: the first slices of the head
    scan = scan_of()
    segmentation = segment(scan, NAME, RIGHT)
    found = on_scan(segmentation, scan)
    used = np.flatnonzero(found.any(axis=(1, 2)))
    assert np.array_equal(found[: used[-1] + 1], bone(True)[: used[-1] + 1])
    assert used[0] == 12
    assert used[-1] < 40
    said = segmentation.facts["slice_range"]
    assert (said["first"], said["last"]) == (used[0], used[-1])
    assert said["found"] is True
    assert (
        f"the network found slices {said['first']} to {said['last']}" in segmentation.warnings[-1]
    )


def test_a_persons_marks_override_the_third_network(networks):
    networks(Fine(most=0))
    scan = scan_of()
    segmentation = segment(scan, NAME, RIGHT, slices=(20, 60))
    found = on_scan(segmentation, scan)
    assert np.array_equal(found[20:61], bone(True)[20:61])
    assert np.flatnonzero(found.any(axis=(1, 2))).tolist() == list(range(20, 61))
    assert segmentation.facts["slice_range"] == "given"


def test_when_the_third_network_finds_nothing_the_first_ones_slices_count(networks):
    networks(Fine(most=0))
    scan = scan_of()
    segmentation = segment(scan, NAME, RIGHT)
    assert on_scan(segmentation, scan).any()
    assert segmentation.facts["slice_range"]["sure"] < 0.5
    assert any("slice range" in text and "not sure" in text for text in segmentation.warnings)


def test_a_bone_at_the_edge_of_the_field_is_outlined_up_to_it(networks):
    whole = scan_of()
    voxels = whole.voxels[:, 45:, 90:]
    scan = Scan(voxels, "native", Grid(voxels.shape, (NATIVE,) * 3), Calibration(8192.0))
    found = on_scan(segment(scan, NAME, RIGHT), scan)
    assert np.array_equal(found, bone(True)[:, 45:, 90:])


def test_a_scan_of_one_joint_is_not_searched(networks, monkeypatch):
    monkeypatch.undo()
    networks()
    monkeypatch.setattr(fine_method, "look", None)
    whole = scan_of()
    one = Scan(whole.voxels[:, :120], "native", whole.grid.box(BOX), whole.calibration)
    segmentation = segment(one, NAME, RIGHT)
    assert np.array_equal(on_scan(segmentation, one), bone(True)[:, :120])
    assert "one joint" in segmentation.facts["found_by"]


def test_what_was_used_is_recorded_of_both_steps(networks):
    segmentation = segment(scan_of(), NAME, RIGHT)
    json.dumps(segmentation.facts, allow_nan=False)
    assert segmentation.facts["weights"]["sha256"] == "f" * 64
    assert segmentation.facts["found_by"]["sha256"] == "c" * 64
    assert NOT_CLINICAL in segmentation.warnings


def test_the_probability_gives_masks_at_other_thresholds_within_the_range(networks):
    networks(Fine(most=200))
    scan = scan_of()
    segmentation = segment(scan, NAME, RIGHT)
    wide = segmentation.probability.mask(0.05)
    last = segmentation.mask.grid.position[0] + segmentation.mask.grid.shape[0]
    assert wide.grid.position[0] + wide.grid.shape[0] <= last


def test_a_scan_without_the_bone_gives_one_clear_line(networks):
    scan = scan_of()
    empty = Scan(np.full(SHAPE, 8192 * 0.2, np.int16), "native", scan.grid, scan.calibration)
    with pytest.raises(NoBoneError, match="no bone found"):
        segment(empty, NAME, RIGHT)


@pytest.mark.parametrize("stop_at", [0.0, 0.2, 0.6, 0.95])
def test_it_can_be_cancelled_anywhere(networks, stop_at):
    def stop(done, message):
        if done >= stop_at:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        segment(scan_of(), NAME, RIGHT, progress=stop)


def test_progress_only_goes_forward_and_tells_of_slices(networks):
    seen = []
    segment(scan_of(), NAME, RIGHT, progress=lambda done, text: seen.append((done, text)))
    fractions = [done for done, _ in seen]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert any("outlining slice" in text for _, text in seen)
