"""Make the sample: a phantom bone (ISQ), the expert's mask of it (AIM) and the answer (JSON).

    python sample_data/make_sample.py [FOLDER]

writes the three files beside this script, or into the folder. Running it again gives the same
bytes.
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

SEED = 1


def make_sample(folder: str | Path) -> SamplePaths:
    """Write the sample into a folder that exists."""
    phantom = bone_phantom(SEED)
    paths = sample_files(folder)
    write_isq(
        paths.scan,
        phantom.voxels,
        phantom.grid.spacing_mm,
        phantom.calibration,
        name=f"PHANTOM {SEED}, NOT A PERSON",
    )
    box = bounding_box(phantom.mask)
    log = {"Original file": paths.scan.name, **calibration_entries(phantom.calibration)}
    write_mask(paths.expert, phantom.mask[box], phantom.grid.box(box), log)
    paths.answer.write_text(json.dumps(answer(phantom), indent=2) + "\n", encoding="utf-8")
    return paths


def answer(phantom: BonePhantom) -> dict:
    """What is known of the phantom, named as `napari-vbmd measure --json` names it."""
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
    for path in make_sample(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent):
        print(path)
