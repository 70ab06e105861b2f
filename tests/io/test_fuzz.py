"""A sample of what `make fuzz` tries."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_vbmd.io.files import read_scan

TOOL = Path(__file__).parents[2] / "tools" / "fuzz_files.py"
FORMATS = ("ISQ", "AIM", "NIfTI", "NRRD", "MetaImage", "DICOM")
CASES = 500


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the tool limits memory by /proc")
@pytest.mark.parametrize("kind", FORMATS)
def test_broken_files_are_refused_or_read_as_they_say(kind):
    words = [sys.executable, TOOL, "--count", CASES, "--formats", kind, "--json"]
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=280)
    [result] = json.loads(done.stdout).values()
    assert result["findings"] == [], done.stderr
    assert done.returncode == 0
    assert result["read"] + result["refused"] == result["cases"] == CASES
    assert min(result["read"], result["refused"]) > CASES / 20, "else little was tried"


def test_the_oracle_notices_one_wrong_voxel(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(TOOL.parent))
    from fuzz_oracle import check
    from fuzz_seeds import make_seeds

    seeds = make_seeds(tmp_path)
    for kind, seed in [(name, file) for name in ("ISQ", "AIM") for file in seeds[name]]:
        scan = read_scan(seed)
        assert check(kind, seed, scan) == ""
        voxels = np.array(scan.voxels)
        voxels[-1, -1, -1] = not voxels[-1, -1, -1]
        assert check(kind, seed, replace(scan, voxels=voxels)) == "1 voxels differ"
