"""The sample in the File menu."""

import json
import re

import numpy as np
import pytest
from napari.layers import Image, Labels
from npe2 import PluginManifest

from napari_vbmd.phantom.sample import sample_paths
from napari_vbmd.plugin.layers import mask_of, scan_of
from napari_vbmd.plugin.samples import phantom_bone, phantom_hand


def test_sample_is_a_calibrated_scan_and_its_expert_mask():
    (voxels, scan, kind), (labels, expert, mask_kind) = phantom_bone()
    assert (kind, mask_kind) == ("image", "labels")
    assert isinstance(voxels, np.memmap)
    assert scan["name"] == "phantom_bone.isq"
    assert "synthetic" in expert["name"]
    assert labels.any()


def test_hand_is_a_left_one_and_says_so():
    (voxels, scan, _), (labels, expert, _) = phantom_hand()
    assert scan["name"] == "phantom_hand.isq"
    assert scan["metadata"]["vbmd"]["scan"].side == "left"
    assert "synthetic" in expert["name"]
    assert 10 * labels.size < voxels.size
    assert labels.any()


@pytest.mark.parametrize("sample", ["hand", "bone"])
def test_menu_says_how_large_a_sample_is_and_that_it_is_no_person(sample):
    manifest = PluginManifest.from_distribution("napari-vbmd")
    [entry] = [e for e in manifest.contributions.sample_data if e.key == f"phantom_{sample}"]
    said = int(re.search(r"\((\d+) MB, not a person\)", entry.display_name)[1])
    size = sum(path.stat().st_size for path in sample_paths(sample=sample))
    assert said == round(size / 1e6)


def test_sample_opens_from_the_menu_as_two_layers_that_belong_together(viewer):
    viewer.open_sample("napari-vbmd", "phantom_bone")
    scan_layer, mask_layer = viewer.layers
    assert isinstance(scan_layer, Image)
    assert isinstance(mask_layer, Labels)
    assert mask_layer.contour > 0
    assert mask_of(mask_layer).grid.spacing_mm == pytest.approx(scan_of(scan_layer).grid.spacing_mm)


def test_sample_is_measured_near_its_known_answer(viewer, dock, run):
    viewer.open_sample("napari-vbmd", "phantom_bone")
    page = dock("Measure")
    run(page)
    answer = json.loads(sample_paths().answer.read_text())
    shown = float(page.headline.number.text().split("<")[0])
    assert shown == pytest.approx(answer["scanned_tt_vbmd_mg_cm3"], abs=0.06)
    assert shown == pytest.approx(answer["tt_vbmd_mg_cm3"], rel=0.03)
