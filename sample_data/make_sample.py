"""Make the samples: scan (ISQ), the expert's mask of it (AIM) and the answer (JSON) of each.

    python sample_data/make_sample.py [FOLDER]

writes one bone and one left hand beside this script, or into the folder. Running it again gives
the same bytes.
"""

import json
import sys
from pathlib import Path

from napari_vbmd.io.aim_log import calibration_entries
from napari_vbmd.io.files import write_mask
from napari_vbmd.io.isq import write_isq
from napari_vbmd.morphology import bounding_box
from napari_vbmd.phantom.bone import BonePhantom, bone_phantom
from napari_vbmd.phantom.sample import SamplePaths, sample_files
from napari_vbmd.phantom.slabs import HandScan
from napari_vbmd.pipeline.phantom import write_phantom

BONE_SEED = 1
HAND_SEED = 100_004  # one for tests: no network was trained on it


def make_hand(folder: str | Path) -> SamplePaths:
    """Write the hand into a folder that exists."""
    paths = sample_files(folder, "hand")
    answer = write_phantom(HandScan(HAND_SEED, "left", "small"), paths.scan, paths.expert)
    paths.answer.write_text(json.dumps(answer.to_dict(), indent=2) + "\n", encoding="utf-8")
    return paths


def make_bone(folder: str | Path) -> SamplePaths:
    """Write the bone into a folder that exists."""
    phantom = bone_phantom(BONE_SEED)
    paths = sample_files(folder, "bone")
    write_isq(
        paths.scan,
        phantom.voxels,
        phantom.grid.spacing_mm,
        phantom.calibration,
        name=f"PHANTOM {BONE_SEED}, NOT A PERSON",
    )
    box = bounding_box(phantom.mask)
    log = {"Original file": paths.scan.name, **calibration_entries(phantom.calibration)}
    write_mask(paths.expert, phantom.mask[box], phantom.grid.box(box), log)
    paths.answer.write_text(json.dumps(answer(phantom), indent=2) + "\n", encoding="utf-8")
    return paths


def answer(phantom: BonePhantom) -> dict:
    """What is known of the bone, named as `napari-vbmd measure --json` names it."""
    first, last = phantom.slices
    voxels = int(phantom.mask.sum())
    to_density = phantom.calibration.linear("native", "density")
    scanned = to_density(float(phantom.voxels[phantom.mask > 0].mean()))
    area = voxels * phantom.grid.pixel_area_mm2 / (last - first + 1)
    return {
        "seed": phantom.seed,
        "tt_vbmd_mg_cm3": round(phantom.tt_vbmd_mg_cm3, 3),
        "scanned_tt_vbmd_mg_cm3": round(scanned, 3),
        "voxels": voxels,
        "mean_slice_area_mm2": round(area, 3),
        "slices": {"first": first, "last": last, "count": last - first + 1},
    }


if __name__ == "__main__":
    target = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent
    for make in (make_bone, make_hand):
        for path in make(target):
            print(path)
