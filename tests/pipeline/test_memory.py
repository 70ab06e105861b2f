"""A run's peak memory stays within what `check_memory` declares, however large the scan is."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_vbmd.io.files import read_scan
from napari_vbmd.io.isq import write_isq
from napari_vbmd.segmentation.inference import check_memory

pytest.importorskip("resource", reason="this system cannot say a process's peak")

SAMPLE = Path(__file__).parents[2] / "sample_data" / "phantom_hand.isq"
FINER = 3  # from the sample's 0.246 mm to the scanner's 0.082 mm
SLICES, AIR = slice(4, 52), 200  # of the sample: the bone's; air beside the hand
METHOD = "unet-3d"

# A process of its own, and from a small one: a peak is never forgotten, and a child inherits it.
RUN = """
import json, sys
import torch
from napari_vbmd.pipeline import run_patient
from napari_vbmd.provenance import peak_memory_bytes

scan, out, method = sys.argv[1:]
before = peak_memory_bytes()
facts = run_patient(scan, out, method).record
print(json.dumps([before, peak_memory_bytes(), facts["network_grid"]["shape"]]))
"""
LAUNCH = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"


class Finer:
    """A scan with each voxel thrice along every axis and air beside it: 340 MB, slice by slice."""

    def __init__(self, voxels: np.ndarray):
        self._voxels = np.pad(voxels[SLICES], [(0, 0), (0, 0), (0, AIR)])
        voxels = self._voxels
        self.shape = tuple(FINER * n for n in voxels.shape)

    def __iter__(self):
        for section in self._voxels:
            yield from [section.repeat(FINER, axis=0).repeat(FINER, axis=1)] * FINER


@pytest.fixture
def scan_path(tmp_path) -> Path:
    hand = read_scan(SAMPLE)
    spacing = tuple(mm / FINER for mm in hand.grid.spacing_mm)
    path = tmp_path / "hand.isq"
    write_isq(path, Finer(hand.voxels), spacing, hand.calibration, hand.header["Patient Name"])
    return path


def test_a_run_takes_the_networks_declared_memory_and_not_the_scans_pages(scan_path, tmp_path):
    run = [sys.executable, "-W", "ignore", "-c", RUN, str(scan_path), str(tmp_path), METHOD]
    done = subprocess.run([sys.executable, "-c", LAUNCH, *run], check=True, stdout=subprocess.PIPE)
    before, peak, shape = json.loads(done.stdout.splitlines()[-1])
    pages = scan_path.stat().st_size  # of the mapped file
    declared = check_memory(tuple(shape), dims=3, available=10**12)
    assert peak - before <= declared, "pages that were read, or a copy, stayed"
    assert 4 * pages > 1.5 * declared, "too small a scan: a copy in double precision would pass"
