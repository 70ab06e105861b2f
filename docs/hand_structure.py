"""Struts of the digital hand and of the real joint, measured in the same way."""

from pathlib import Path

import numpy as np
from scipy import ndimage

from napari_vbmd.grid import place
from napari_vbmd.io.files import read_mask, read_scan
from napari_vbmd.phantom.drawing import hand
from napari_vbmd.phantom.hand import render

BONE_MG_CM3 = 320.0  # HR-pQCT software parts struts from marrow here
BELOW_SURFACE_MM = 1.2
CORE_MM = (1.5, 4.5)  # below the tip; beyond, the vendor's mask cuts the bone
JOINT = {
    "unit": "hu",
    "mu_water_per_cm": 0.24090,
    "mu_scaling": 8192,
    "density_slope": 1603.51904,
    "density_intercept": -391.209015,
}
SEEDS = (100_035, 100_052, 100_019, 100_030, 100_006, 100_047)  # of low density, as the joint's


def read_joint(folder: Path):
    """The real joint's scan, and the vendor's mask of its metacarpal's head on the scan's grid."""
    scan = read_scan(folder / "GRAY_JOINT.nii.gz").calibrated(**JOINT)
    vendor = read_mask(folder / "AUTOCONTOUR_IPL.nii.gz")
    pieces, _ = ndimage.label(vendor.voxels)
    return scan, place(vendor.grid, scan.grid).paste((pieces == 2).astype(np.uint8)) > 0


def print_structure(folder: Path) -> None:
    """The core of the head in the joint, and in hands of low density."""
    scan, head = read_joint(folder)
    first = int(np.flatnonzero(head.any(axis=(1, 2)))[0])
    spacing = scan.grid.spacing_mm[0]
    core = ndimage.binary_erosion(head, iterations=round(BELOW_SURFACE_MM / spacing))
    core[: first + round(CORE_MM[0] / spacing)] = False
    core[first + round(CORE_MM[1] / spacing) :] = False
    gain, offset = scan.density_transform()
    box = ndimage.find_objects(core.astype(np.uint8))[0]
    density = gain * scan.voxels[box].astype(float) + offset
    rows = [("real joint", structure(density, core[box], spacing))]
    phantoms = [structure(*phantom_core(seed, spacing), spacing) for seed in SEEDS]
    rows.append((f"{len(SEEDS)} digital hands", np.mean(phantoms, axis=0)))
    print(
        "\n| core of the head | density (SD), mg HA/cm3 | bone, share | thickness, mm | strut to "
        "strut across, mm | along, mm |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for name, (mean, sd, share, thick, across, along) in rows:
        print(
            f"| {name} | {mean:.0f} ({sd:.0f}) | {share:.2f} | {thick:.2f} | {across:.2f} | "
            f"{along:.2f} |"
        )


def phantom_core(seed: int, spacing_mm: float):
    """Densities of the second head about the same core, and what lies in that."""
    shape, freedom = (round(20 / spacing_mm), *[round(86 / spacing_mm)] * 2), 0.1
    spacing = (spacing_mm,) * 3
    box = box_about_second(seed, spacing, shape, freedom, 9.0)
    tip = hand(seed, freedom).range_mm[0] / spacing_mm + (shape[0] - 1) / 2
    ends = [round(tip + (mm + d) / spacing_mm) for mm, d in zip(CORE_MM, (-1.2, 1.2), strict=True)]
    made = render(
        seed, spacing, shape, fingertips="low", slices=range(*ends), box=box, freedom=freedom
    )
    steps = round(BELOW_SURFACE_MM / spacing_mm)
    core = ndimage.binary_erosion(made.label >= 0.5, iterations=steps)
    return made.calibration.linear("native", "density")(made.voxels.astype(float)), core


def box_about_second(
    seed, spacing_mm, shape, freedom, half_mm, side="right"
) -> tuple[slice, slice]:
    """Rows and columns about the second metacarpal's head."""
    drawn = hand(seed, freedom)
    _, y, x = drawn.pose.scan(*drawn.second.ray.in_hand(drawn.second.ray.widest))
    if side == "left":
        y = -y
    box = []
    for at, step, count in zip((y, x), spacing_mm[1:], shape[1:], strict=True):
        middle, reach = round(at / step + (count - 1) / 2), round(half_mm / step)
        box.append(slice(max(0, middle - reach), middle + reach + 1))
    return tuple(box)


def structure(density, core, spacing_mm: float) -> tuple[float, ...]:
    """Mean and SD [mg HA/cm3], share of bone, its thickness, and distances of struts [mm]."""
    bone = (density > BONE_MG_CM3) & core
    volume_mm = np.count_nonzero(core) * spacing_mm
    apart = [
        volume_mm / np.count_nonzero(np.diff(bone.astype(np.int8), axis=axis) == 1)
        for axis in range(3)
    ]
    return (
        density[core].mean(),
        density[core].std(ddof=1),
        np.count_nonzero(bone) / np.count_nonzero(core),
        local_thickness(bone).mean() * spacing_mm,
        (apart[1] + apart[2]) / 2,
        apart[0],
    )


def local_thickness(bone) -> np.ndarray:
    """Diameter of the largest ball that fits into the bone, for each of its voxels [voxels]."""
    radius = ndimage.distance_transform_edt(bone)  # to the middle of the next voxel outside
    largest = np.zeros(bone.shape)
    for r in np.unique(np.round(radius[bone], 2)):
        largest[ndimage.distance_transform_edt(radius < r - 0.01) < r] = r
    return 2 * largest[bone] - 1
