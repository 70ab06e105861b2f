"""The methods with a network: their options, their weights, and what is refused."""

import json

import pytest

from napari_vbmd.phantom.sample import sample_paths
from napari_vbmd.segmentation.configurations import CONFIGURATIONS

HAND = sample_paths(sample="hand")
NETWORK = ("--method", "unet-3d")


def test_segment_says_weights_device_and_side(cli, json_of, tmp_path):
    content = json_of("segment", HAND.scan, tmp_path / "o.aim", *NETWORK)
    assert content["weights"]["sha256"] == CONFIGURATIONS["unet-3d"].weights_sha256
    assert content["side"] == "left"
    assert content["device"].startswith(("CPU", "GPU"))
    assert content["threshold"] == 0.5
    log = json_of("info", tmp_path / "o.aim")["header"]
    assert content["weights"]["sha256"] in json.dumps(log)


def test_threshold_is_a_probability_and_makes_the_mask_smaller(json_of, tmp_path):
    out = tmp_path / "o.aim"
    low, high = (
        json_of("segment", HAND.scan, out, *NETWORK, "--threshold", t)["voxels"]
        for t in ("0.2", "0.8")
    )
    assert 0.7 * low < high < low


def test_weights_of_ones_own_are_used(json_of, tmp_path):
    own = tmp_path / "own.pt"
    own.write_bytes(CONFIGURATIONS["unet-3d"].weights_path.read_bytes())
    content = json_of("segment", HAND.scan, tmp_path / "o.aim", *NETWORK, "--weights", own)
    assert content["weights"]["file"] == content["parameters"]["weights"] == "own.pt"
    assert any("not for clinical use" in text for text in content["warnings"])


def test_what_a_network_cannot_use_is_one_line(refuses, scan, tmp_path):
    out, junk = tmp_path / "o.aim", tmp_path / "junk.pt"
    junk.write_bytes(b"no weights")
    shipped = CONFIGURATIONS["unet-3d"].weights_path
    hand = ("segment", HAND.scan, out)
    refuses("segment", scan, out, *NETWORK, saying="give the side, left or right")
    refuses(*hand, *NETWORK, "--weights", tmp_path / "none.pt", saying="none.pt")
    refuses(*hand, *NETWORK, "--weights", junk, saying="junk.pt")
    refuses(*hand, "--method", "unet-2d-pretrained", saying="no weights are shipped")
    refuses(*hand, "--method", "unet-2d", "--weights", shipped, saying="weights of unet-3d")
    refuses(*hand, *NETWORK, "--threshold", "220", saying="between 0 and 1")
    refuses(*hand, *NETWORK, "--device", "tpu", saying="--device")
    refuses(*hand, *NETWORK, "--slices", "70:99", saying="slices 0 to 79")
    assert not out.exists()


def test_a_scan_that_says_nothing_of_attenuation_is_refused(refuses, grid, bone, tmp_path):
    from napari_vbmd.io.files import write_mask

    plain = write_mask(tmp_path / "plain.nii.gz", bone, grid)
    words = ("segment", plain, tmp_path / "o.aim", *NETWORK, "--side", "left")
    refuses(*words, saying="--mu-scaling")


def test_options_of_the_contour_are_said_to_be_unused(cli, tmp_path):
    words = ("--seed", "30,90,60", "--closing", "1", "--no-separate")
    status, _, err = cli("segment", HAND.scan, tmp_path / "o.aim", *NETWORK, *words)
    assert status == 0
    assert "note: the method unet-3d does not use --seed and --closing and --no-separate" in err


def test_without_a_method_the_shipped_network_runs(json_of, tmp_path):
    assert json_of("segment", HAND.scan, tmp_path / "o.aim")["method"].startswith("unet")


def test_run_records_all_that_a_repetition_needs(cli, json_of, tmp_path):
    typed = *NETWORK, "--threshold", "0.4", "--runtime", "torch"
    json_of("run", HAND.scan, "--out", tmp_path / "r", *typed)
    record = json.loads((tmp_path / "r" / "run.json").read_text())
    assert record["parameters"] == {
        "threshold": 0.4, "side": "auto", "device": "auto", "weights": None,
        "runtime": "torch",
    }  # fmt: skip
    assert record["device"].endswith(", torch")
    assert record["weights"]["normalisation"].keys() == {"mean", "sd"}
    assert record["network_grid"]["scan_voxels_per_voxel"] == pytest.approx([1, 1, 1])
    assert record["seconds"]["segment"] > 0
