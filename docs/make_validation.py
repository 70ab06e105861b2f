"""Make the tables and figures of docs/validation.md from the real joint, which stays outside.

The folder with GRAY_JOINT.nii.gz and AUTOCONTOUR_IPL.nii.gz is the first argument, or
VBMD_REAL_DATA. Both come with ormir-xct 1.1.0 (see docs/validation.md).
"""

import os
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.ndimage import label

from napari_vbmd.grid import place
from napari_vbmd.io.files import read_mask, read_scan
from napari_vbmd.measurement.comparison import measure_against
from napari_vbmd.segmentation.contour import ContourParameters
from napari_vbmd.segmentation.methods import segment
from napari_vbmd.segmentation.network_method import NetworkParameters

IMAGES = Path(__file__).parent / "images"
OURS, EXPERT = "#56B4E9", "#E69F00"
CALIBRATION = {
    "mu_water_per_cm": 0.24090,
    "mu_scaling": 8192,
    "density_slope": 1603.51904,
    "density_intercept": -391.209015,
}
# name, seed (z, y, x), the vendor's mean and SD [mg HA/cm3]
BONES = (
    ("phalanx base", (30, 170, 230), 224.2041, 240.3713),
    ("metacarpal head", (130, 200, 210), 203.8469, 212.9674),
)
BEFORE_THE_CUT = (70, 109)  # from about slice 110 up the vendor's mask lacks a part of the bone
HEAD = (70, 167)  # the metacarpal's slices: a network knows one bone of a finger
SHOWN = {
    "phalanx base": (5, 35, 60, 80),
    "metacarpal head": (80, 95, 110, 140),
    "metacarpal head, unet-2d-fine": (80, 95, 110, 140),
}


def main() -> None:
    """Print the tables, and write one figure a bone."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ["VBMD_REAL_DATA"])
    scan = read_scan(folder / "GRAY_JOINT.nii.gz").calibrated(unit="hu", **CALIBRATION)
    vendor = read_mask(folder / "AUTOCONTOUR_IPL.nii.gz")
    pieces, count = label(vendor.voxels)
    masks = [replace(vendor, voxels=(pieces == n).astype(np.uint8)) for n in range(1, count + 1)]
    IMAGES.mkdir(exist_ok=True)
    print("| bone | vendor's density (SD) | ours in the vendor's mask (SD) | difference |")
    print("| --- | --- | --- | --- |")
    for (name, _, mean, sd), mask in zip(BONES, masks, strict=True):
        m = measure_against(scan, mask).measurement
        print(
            f"| {name} | {mean:.3f} ({sd:.3f}) | {m.tt_vbmd_mg_cm3:.3f} "
            f"({m.tt_vbmd_sd_mg_cm3:.3f}) | {m.tt_vbmd_mg_cm3 - mean:+.3f} |"
        )
    part = [replace(masks[1], voxels=within(masks[1].voxels, *BEFORE_THE_CUT))]
    names = [*BONES, ("metacarpal head, slices 70-109", *BONES[1][1:])]
    print(
        "\n| bone | Dice | HD95 | ASSD | Tt.vBMD contour | vendor's mask | difference | seconds |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for (name, seed, *_), mask in zip(names, masks + part, strict=True):
        slices = BEFORE_THE_CUT if mask is part[0] else None
        contour_row(scan, mask, name, seed, slices)
    for method in ("unet-2d-fine", "unet-2d", "unet-3d"):
        network_row(scan, masks[1], f"metacarpal head, {method}", method, None)
        network_row(scan, part[0], f"{method}, slices 70-109", method, BEFORE_THE_CUT)


def within(voxels, first: int, last: int):
    """A copy that is empty outside a range of slices."""
    kept = np.zeros_like(voxels)
    kept[first : last + 1] = voxels[first : last + 1]
    return kept


def contour_row(scan, vendor, name: str, seed, slices) -> None:
    """One bone by `contour`."""
    row(scan, vendor, name, slices, "contour", ContourParameters(seed_zyx=seed))


def network_row(scan, vendor, name: str, method: str, slices) -> None:
    """The head by a shipped network, which has seen synthetic hands only."""
    row(scan, vendor, name, slices, method, NetworkParameters(side="right"), HEAD)


def row(scan, vendor, name: str, slices, method: str, parameters, looked_at=None) -> None:
    """Outline one bone, compare it with the vendor's mask, and draw both."""
    start = time.perf_counter()
    ours = segment(scan, method, parameters, looked_at).mask
    seconds = time.perf_counter() - start
    if slices:
        full = place(ours.grid, scan.grid).paste(ours.voxels)
        ours = replace(ours, voxels=within(full, *slices), grid=scan.grid)
    result = measure_against(scan, ours, vendor)
    print(
        f"| {name} | {result.overlap.dice:.3f} | {result.overlap.hd95_mm:.2f} mm | "
        f"{result.overlap.assd_mm:.2f} mm | {result.measurement.tt_vbmd_mg_cm3:.1f} | "
        f"{result.expert.tt_vbmd_mg_cm3:.1f} | {result.difference_mg_cm3:+.1f} | {seconds:.1f} |"
    )
    if name in SHOWN:
        draw(scan, ours, vendor, result, name, method)


def draw(scan, ours, vendor, result, name: str, method: str) -> None:
    """Four slices with both outlines, density and Dice along z."""
    figure = Figure(figsize=(10, 5.6), dpi=80, layout="constrained")
    grid = figure.add_gridspec(2, 4, height_ratios=(1.5, 1))
    gain, offset = scan.density_transform()
    both = [place(m.grid, scan.grid).paste(m.voxels) for m in (ours, vendor)]
    rows, columns = np.nonzero((both[0] | both[1]).any(axis=0))
    window = (
        slice(max(0, rows.min() - 15), rows.max() + 15),
        slice(max(0, columns.min() - 15), columns.max() + 15),
    )
    for i, z in enumerate(SHOWN[name]):
        axes = figure.add_subplot(grid[0, i])
        axes.imshow(gain * scan.voxels[z][window] + offset, cmap="gray", vmin=-200, vmax=1200)
        for mask, color in zip(both, (OURS, EXPERT), strict=True):
            if mask[z].any():
                axes.contour(mask[z][window], levels=[0.5], colors=color, linewidths=1.2)
        axes.set_title(f"slice {z}", fontsize=9)
        axes.set_axis_off()
    density = figure.add_subplot(grid[1, :2])
    for m, color, text in (
        (result.measurement, OURS, method),
        (result.expert, EXPERT, "vendor's mask"),
    ):
        density.plot(
            [r["slice"] for r in m.per_slice],
            [r["tt_vbmd_mg_cm3"] for r in m.per_slice],
            color=color,
            label=text,
        )
    density.set(xlabel="slice", ylabel="Tt.vBMD, mg HA/cm³")
    density.legend(frameon=False, fontsize=8)
    dice = figure.add_subplot(grid[1, 2:])
    per_slice = result.overlap.per_slice
    dice.plot([r["slice"] for r in per_slice], [r["dice"] for r in per_slice], color="#999999")
    dice.set(xlabel="slice", ylabel="Dice", ylim=(0, 1.02))
    figure.savefig(IMAGES / f"joint_{re.sub(r'[^a-z0-9]+', '_', name)}.png")


if __name__ == "__main__":
    main()
