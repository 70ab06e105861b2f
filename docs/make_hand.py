"""Make the tables of docs/digital-hand.md, and its pictures (hand_pictures.py).

The folder with the real joint (GRAY_JOINT.nii.gz, AUTOCONTOUR_IPL.nii.gz; see docs/validation.md)
is the first argument, or VBMD_REAL_DATA. Without it what shows the joint is left out.
"""

import os
import sys
from pathlib import Path

import numpy as np
from hand_pictures import draw_beside_joint, draw_cuts, draw_slices
from hand_structure import print_structure

from napari_vbmd.morphology import bounding_box
from napari_vbmd.phantom.rays import draw_rays
from napari_vbmd.phantom.slabs import HandScan

SEEDS = range(100_000, 100_048)
FINE = 3  # voxels of 0.082 mm in one of the small hand's, along each axis
# Folle et al. 2021; D100 in the expert's mask
PUBLISHED = {"Tt.vBMD in the scan": "279 (43)", "mean slice area": "122 (20)"}
PUBLISHED |= {"slices of 0.082 mm": "50 to 250", "box, voxels of 0.082 mm": "150 to 280"}


def main() -> None:
    """Print the tables and draw the pictures."""
    folder = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("VBMD_REAL_DATA")
    print_numbers()
    draw_slices()
    draw_cuts()
    if folder and (Path(folder) / "GRAY_JOINT.nii.gz").is_file():
        print_structure(Path(folder))
        draw_beside_joint(Path(folder))
    else:
        print("no real joint: give its folder, or set VBMD_REAL_DATA")


def print_numbers() -> None:
    """Sizes and densities over the seeds, beside the published ones."""
    rows = [numbers(seed) for seed in SEEDS]
    print(f"| {len(SEEDS)} hands | mean (SD) | range | published |")
    print("| --- | --- | --- | --- |")
    for name, (unit, digits) in UNITS.items():
        values = np.array([row[name] for row in rows])
        mean, sd = values.mean(), values.std(ddof=1)
        print(
            f"| {name} | {mean:.{digits}f} ({sd:.{digits}f}) {unit} | {values.min():.{digits}f} "
            f"to {values.max():.{digits}f} | {PUBLISHED.get(name, '')} |"
        )
    share = {name: np.mean([row[name] for row in rows]) for name in ("cut", "eroded", "thumb")}
    print(
        f"\nscan ends before the delta {share['cut']:.0%}, second metacarpal eroded "
        f"{share['eroded']:.0%}, thumb in the picture {share['thumb']:.0%}"
    )


UNITS = {
    "Tt.vBMD before blur and noise": ("mg HA/cm3", 0),
    "Tt.vBMD in the scan": ("mg HA/cm3", 0),
    "what the scan loses": ("%", 1),
    "mean slice area": ("mm2", 0),
    "slices of 0.082 mm": ("", 0),
    "box, voxels of 0.082 mm": ("", 0),
}


def numbers(seed: int) -> dict[str, float]:
    """What is measured of one hand."""
    scan = HandScan(seed, "right", "small")
    box = np.zeros(3)
    for _, _, mask in scan.slabs():
        part = bounding_box(mask)
        if part:
            box = np.maximum(box, [side.stop - side.start for side in part])
    answer, rays = scan.answer, draw_rays(seed)
    first, last = answer.slices
    end = last == scan.grid.shape[0] - 1 if scan.fingertips == "low" else first == 0
    return {
        "Tt.vBMD before blur and noise": answer.tt_vbmd_mg_cm3,
        "Tt.vBMD in the scan": answer.scanned_tt_vbmd_mg_cm3,
        "what the scan loses": 100 - 100 * answer.scanned_tt_vbmd_mg_cm3 / answer.tt_vbmd_mg_cm3,
        "mean slice area": answer.mean_slice_area_mm2,
        "slices of 0.082 mm": FINE * (last - first + 1),
        "box, voxels of 0.082 mm": FINE * max(box[1:]),
        "cut": end,
        "eroded": bool(rays[0].erosions),
        "thumb": len(rays) == 5,
    }


if __name__ == "__main__":
    main()
