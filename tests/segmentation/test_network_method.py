"""A network as a method, with a made-up network that knows bone by its attenuation."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import MissingCalibrationError, NoBoneError, ParameterError
from napari_vbmd.grid import Grid, place
from napari_vbmd.scan import Scan
from napari_vbmd.segmentation import network_method
from napari_vbmd.segmentation.configurations import CONFIGURATIONS
from napari_vbmd.segmentation.methods import METHODS, default_method, segment
from napari_vbmd.segmentation.network_method import NetworkParameters
from napari_vbmd.segmentation.weights import NOT_CLINICAL, Weights
from napari_vbmd.segmentation.weights_file import WeightsInfo

SHAPE, SPACING = (40, 120, 130), (0.123,) * 3
RIGHT = NetworkParameters(side="right")
ONLY_MU = Calibration(8192.0)
BONE_PER_CM, TISSUE_PER_CM = 0.6, 0.25


class AboveALevel(nn.Module):
    """Bone where the attenuation is above the level, and nearer to low y than to high y."""

    def forward(self, x):
        rows = torch.arange(x.shape[-2]) < x.shape[-2] // 2
        return torch.where(rows[:, None], 200.0 * (x - 0.42), torch.tensor(-30.0))


@pytest.fixture
def network(monkeypatch):
    """Every network is the made-up one, for input that is not normalised."""
    info = WeightsInfo("any", 0.0, 1.0, held_out_dice=0.9, trained_on="three made-up cubes")
    weights = Weights({}, info, Path("made_up.pt"), "f" * 64)
    monkeypatch.setattr(network_method, "load_network", lambda *_: (AboveALevel(), weights))
    monkeypatch.setattr(network_method, "find_weights", lambda *_: weights.path)


def bone(low_y: bool) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[10:30, slice(12, 48) if low_y else slice(72, 108), 50:80] = True
    return mask


def scan_of(low_y=True, calibration=ONLY_MU, **kwargs) -> Scan:
    """Two bones that are alike, of which a right hand's lies at low y."""
    mu = np.where(bone(True) | bone(False), BONE_PER_CM, TISSUE_PER_CM)
    voxels = np.rint(8192 * mu).astype(np.int16)
    return Scan(voxels, "native", Grid(SHAPE, SPACING, (7, 0, 3)), calibration, **kwargs)


def on_scan(segmentation, scan) -> np.ndarray:
    mask = segmentation.mask
    return place(mask.grid, scan.grid).paste(mask.voxels) != 0


@pytest.mark.parametrize("name", [name for name, c in CONFIGURATIONS.items() if not c.coarse])
@pytest.mark.parametrize("side", ["right", "left"])
def test_the_bone_of_a_hand_comes_back_on_the_scans_grid(network, name, side):
    scan = scan_of()
    found = on_scan(segment(scan, name, NetworkParameters(side=side)), scan)
    expected = bone(side == "right")
    both = np.count_nonzero(found & expected)
    assert 2 * both / (found.sum() + expected.sum()) > 0.95
    assert not (found & bone(side == "left")).any()


def test_the_side_is_taken_from_the_header(network):
    scan = scan_of(side="left", side_reason="the header says so")
    segmentation = segment(scan, "unet-3d")
    assert (on_scan(segmentation, scan) & bone(False)).any()
    assert segmentation.facts["side"] == "left"
    assert not any("header" in text for text in segmentation.warnings)


def test_a_side_that_nobody_knows_is_refused_before_any_work(network, monkeypatch):
    monkeypatch.setattr(network_method, "load_network", None)
    with pytest.raises(ParameterError, match=r"left or a right hand .*give the side"):
        segment(scan_of(), "unet-3d")


def test_a_side_against_the_header_is_used_and_said(network):
    scan = scan_of(side="left", side_reason="the header says so")
    segmentation = segment(scan, "unet-3d", RIGHT)
    assert (on_scan(segmentation, scan) & bone(True)).any()
    assert any("right was given, and the header says left" in t for t in segmentation.warnings)


def test_a_scan_without_mu_scaling_is_refused(network):
    with pytest.raises(MissingCalibrationError, match="mu-scaling"):
        segment(scan_of(calibration=Calibration()), "unet-3d", RIGHT)


def test_a_density_calibration_is_not_needed_for_a_mask(network):
    scan = scan_of()
    with pytest.raises(MissingCalibrationError):
        scan.density_transform()
    assert on_scan(segment(scan, "unet-3d", RIGHT), scan).any()


def test_all_that_a_repetition_needs_is_recorded(network):
    segmentation = segment(scan_of(), "unet-3d", RIGHT, slices=(5, 34))
    json.dumps([segmentation.parameters, segmentation.facts], allow_nan=False)
    assert segmentation.parameters == {
        "threshold": None,
        "side": "right",
        "device": "auto",
        "weights": None,
        "runtime": "auto",
    }
    assert segmentation.facts["threshold"] == 0.5
    weights = segmentation.facts["weights"]
    assert (weights["file"], weights["sha256"]) == ("made_up.pt", "f" * 64)
    assert weights["normalisation"] == {"mean": 0.0, "sd": 1.0}
    assert "CPU" in segmentation.facts["device"] or "GPU" in segmentation.facts["device"]
    assert segmentation.facts["network_grid"]["scan_voxels_per_voxel"] == [2.0, 2.0, 2.0]


def test_of_a_weights_file_only_the_name_is_recorded(network):
    parameters = NetworkParameters(side="right", weights="/patients/Jane Doe/own.pt")
    assert segment(scan_of(), "unet-3d", parameters).parameters["weights"] == "own.pt"


def test_what_it_was_trained_on_is_said(network):
    assert NOT_CLINICAL in segment(scan_of(), "unet-3d", RIGHT).warnings
    own = segment(scan_of(), "unet-3d", NetworkParameters(side="right", weights="own.pt"))
    assert any("three made-up cubes: not for clinical use" in text for text in own.warnings)


def test_the_probability_gives_masks_at_other_thresholds(network):
    scan = scan_of()
    segmentation = segment(scan, "unet-3d", RIGHT)
    again = segmentation.probability.mask(0.5)
    assert again.grid == segmentation.mask.grid
    assert np.array_equal(again.voxels, segmentation.mask.voxels)
    wide, narrow = (segmentation.probability.mask(t).voxels.sum() for t in (0.05, 0.95))
    assert wide > again.voxels.sum() > narrow
    directly = segment(scan, "unet-3d", NetworkParameters(0.95, "right"))
    assert directly.mask.voxels.sum() == narrow


def test_weights_bring_their_own_threshold_unless_another_is_given(network, monkeypatch):
    info = WeightsInfo("any", 0.0, 1.0, threshold=0.95)
    weights = Weights({}, info, Path("made_up.pt"), "f" * 64)
    monkeypatch.setattr(network_method, "load_network", lambda *_: (AboveALevel(), weights))
    own = segment(scan_of(), "unet-3d", RIGHT)
    assert own.facts["threshold"] == 0.95
    given = segment(scan_of(), "unet-3d", NetworkParameters(0.5, "right"))
    assert given.facts["threshold"] == 0.5
    assert given.mask.voxels.sum() > own.mask.voxels.sum()


def test_what_is_unlike_a_hand_is_said(network):
    said = segment(scan_of(), "unet-3d", RIGHT).warnings
    assert any("sees 4.9 mm of 15 × 16 mm: look at the outline" in text for text in said)
    assert any(re.match(r"only \d\d mm³ were found", text) for text in said)


def test_values_that_are_no_numbers_are_refused(network):
    scan = scan_of()
    voxels = scan.voxels.astype(np.float32)
    voxels[20, 60, 60] = np.nan
    with pytest.raises(ParameterError, match="not finite"):
        segment(Scan(voxels, "native", scan.grid, ONLY_MU), "unet-3d", RIGHT)


def test_a_scan_of_wrong_voxel_size_is_refused_before_it_fills_the_memory(network, monkeypatch):
    monkeypatch.setattr(network_method, "prepare", None)
    huge = Scan(scan_of().voxels, "native", Grid(SHAPE, (50.0, 50.0, 50.0)), ONLY_MU)
    with pytest.raises(ParameterError, match="check the voxel size"):
        segment(huge, "unet-3d", RIGHT)


def test_the_slice_range_is_kept(network):
    scan = scan_of()
    found = on_scan(segment(scan, "unet-2d", RIGHT, slices=(14, 21)), scan)
    assert np.flatnonzero(found.any(axis=(1, 2))).tolist() == list(range(14, 22))


def test_one_slice_is_enough(network):
    scan = scan_of()
    found = on_scan(segment(scan, "unet-3d", RIGHT, slices=(15, 15)), scan)
    assert np.flatnonzero(found.any(axis=(1, 2))).tolist() == [15]


def test_a_scan_without_the_bone_gives_one_clear_line(network):
    scan = scan_of()
    empty = Scan(np.full(SHAPE, 8192 * 0.2, np.int16), "native", scan.grid, ONLY_MU)
    with pytest.raises(NoBoneError, match="no bone found"):
        segment(empty, "unet-3d", RIGHT)


def test_memory_that_will_not_suffice_is_said_before_the_run(network, monkeypatch):
    monkeypatch.setattr(network_method, "predict", None)
    monkeypatch.setattr("napari_vbmd.segmentation.inference.available_memory", lambda: 1_000_000)
    with pytest.raises(ParameterError, match=r"GB of memory.* free"):
        segment(scan_of(), "unet-3d", RIGHT)


@pytest.mark.parametrize("stop_at", [0.0, 0.15, 0.5, 0.95])
def test_it_can_be_cancelled_anywhere(network, stop_at):
    def stop(done, message):
        if done >= stop_at:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        segment(scan_of(), "unet-2d", RIGHT, progress=stop)


def test_progress_only_goes_forward_and_tells_of_slices(network):
    seen = []
    segment(scan_of(), "unet-2d", RIGHT, progress=lambda done, text: seen.append((done, text)))
    fractions = [done for done, _ in seen]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert any("slice" in text for _, text in seen)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"threshold": 0.0}, "between 0 and 1"),
        ({"threshold": 1.5}, "between 0 and 1"),
        ({"side": "both"}, "side 'both' is not known"),
        ({"device": "tpu"}, "device 'tpu' is not known"),
    ],
)
def test_parameters_out_of_range_are_refused(wrong, says):
    with pytest.raises(ParameterError, match=says):
        NetworkParameters(**wrong)


def test_the_default_is_the_shipped_network_with_the_best_dice(monkeypatch):
    import dataclasses

    def shipped(name, dice, path):
        bare = dataclasses.replace(CONFIGURATIONS[name], weights_file=path, held_out_dice=dice)
        monkeypatch.setitem(CONFIGURATIONS, name, bare)

    for name in CONFIGURATIONS:
        shipped(name, None, "")
    assert default_method() == "contour"
    monkeypatch.setattr(
        "napari_vbmd.segmentation.configurations.WEIGHTS_FOLDER", Path(__file__).parent
    )
    shipped("unet-2d", 0.95, Path(__file__).name)
    shipped("unet-3d", 0.97, Path(__file__).name)
    assert default_method() == "unet-3d"


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_summary_says_what_it_was_trained_on_or_that_weights_are_missing(name):
    method = METHODS[name]
    shipped = CONFIGURATIONS[name].weights_path is not None
    assert ("Trained on synthetic phantoms" in method.summary) == shipped
    assert ("No weights are shipped" in method.summary) == (not shipped)
    assert method.warning == (NOT_CLINICAL if shipped else "")
