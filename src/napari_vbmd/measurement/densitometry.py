"""Tt.vBMD and its companions: the numbers of one mask on one scan.

Names after Whittier et al. 2020 (Osteoporos Int 31:1607), the guideline for HR-pQCT: Tt.vBMD is
the mean density within the periosteal outline (D100 in Folle et al. 2021), Tt.Ar the area of a
slice of it, BMC density times volume.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import numpy as np

from ..calibration import Linear
from ..errors import EmptyMaskError, ParameterError
from ..grid import Placement, place
from ..mapped import in_slabs
from ..scan import Mask, Scan
from .accumulator import DensityAccumulator, Sums
from .frames import frame_warnings
from .published import unlike_published

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Measurement:
    """The numbers of one mask on one scan.

    Attributes
    ----------
    tt_vbmd_mg_cm3, tt_vbmd_sd_mg_cm3 : float
        Mean density within the mask and the voxels' sample SD [mg HA/cm3]; the SD is None for a
        single voxel.
    voxels : int
    volume_mm3 : float
    bmc_mg : float
        Bone mineral content [mg HA] = density * volume.
    mean_slice_area_mm2 : float
        Tt.Ar, the mean over slices that hold any of the mask [mm2].
    slices : dict
        ``first`` and ``last`` slice with mask (from 0 along z, inclusive), and ``count`` of them.
    calibration : dict
        The constants used, their source, and the unit of the stored values.
    per_slice : list of dict
        ``slice``, ``tt_vbmd_mg_cm3``, ``tt_vbmd_sd_mg_cm3``, ``area_mm2``, ``voxels``.
    label : int or None
        The label measured; None when all were taken together.
    warnings : list of str
        What a reader must know before using the numbers.
    notes : list of str
        Where they lie outside of what was published: a reason to look, no more (`published`).
    """

    tt_vbmd_mg_cm3: float
    tt_vbmd_sd_mg_cm3: float | None
    voxels: int
    volume_mm3: float
    bmc_mg: float
    mean_slice_area_mm2: float
    slices: dict
    calibration: dict
    per_slice: list[dict]
    label: int | None = None
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict:
        """Plain numbers, ready for JSON."""
        return asdict(self)


def measure(
    scan: Scan, mask: Mask, label: int | None = None, progress: Progress | None = None
) -> Measurement:
    """Measure a mask on a scan.

    Parameters
    ----------
    scan : Scan
        Never copied: read slice by slice.
    mask : Mask
        Placed on the scan by its geometry.
    label : int, optional
        The label to measure; all labels together when None.
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.

    Returns
    -------
    Measurement

    Raises
    ------
    MissingCalibrationError
        When the scan's values cannot be turned into densities.
    GridMismatchError
        When the mask cannot be placed.
    EmptyMaskError
        When it holds no voxel on the scan.
    ParameterError
        When a voxel within the mask is not a finite number.
    """
    transform = scan.density_transform()  # before any work: this is what most often lacks
    placement = place(mask.grid, scan.grid)
    sums = accumulate(scan, mask, placement, progress)
    warnings = [*frame_warnings(scan, mask), *placement_warnings(mask, placement, label)]
    return summarise(scan, sums, transform, label, warnings, mask.name)


def accumulate(
    scan: Scan, mask: Mask, placement: Placement, progress: Progress | None = None
) -> DensityAccumulator:
    """The sums of a placed mask, slice by slice."""
    z_source, y_source, x_source = placement.source_box
    z_target, y_target, x_target = placement.target_box
    sums = DensityAccumulator(scan.grid.shape[0], scan.voxels.dtype)
    count = z_target.stop - z_target.start
    for i in in_slabs(scan.voxels, range(count)):
        labels = mask.voxels[z_source.start + i, y_source, x_source]
        if labels.any():
            z = z_target.start + i
            sums.add_slice(z, np.asarray(scan.voxels[z, y_target, x_target]), labels)
        if progress:
            progress((i + 1) / count, f"density, slice {i + 1} of {count}")
    return sums


def summarise(
    scan: Scan,
    sums: DensityAccumulator,
    transform: Linear,
    label: int | None = None,
    warnings: list[str] | None = None,
    name: str = "mask",
) -> Measurement:
    """Turn sums into a measurement; raises as `measure`."""
    whole = sums.sums(label)
    labels = sums.labels()
    warnings = list(warnings or [])
    if whole.count == 0:
        of_label = f" of label {label}" if label is not None else ""
        found = f"it holds {_listed(labels)}" if labels else "paint or segment the bone first"
        raise EmptyMaskError(
            f"{name}: no voxel{of_label} lies on the scan; {warnings[0] if warnings else found}"
        )
    if whole.unusable:
        raise ParameterError(
            f"{scan.name}: {whole.unusable} voxels within the mask are not finite numbers; "
            "leave them out of the mask"
        )
    if label is None and len(labels) > 1:
        warnings.append(f"the mask holds {_listed(labels)}: measured together; choose one label")
    counts = sums.counts_per_slice(label)
    filled = np.flatnonzero(counts)
    first, last = int(filled[0]), int(filled[-1])
    if len(filled) < last - first + 1:
        gaps = last - first + 1 - len(filled)
        warnings.append(f"{gaps} of the slices {first} to {last} hold no mask")
    volume = whole.count * scan.grid.voxel_volume_mm3
    area = whole.count / len(filled) * scan.grid.pixel_area_mm2
    mean = whole.mean(transform)
    slices = sums.per_slice(label)
    return Measurement(
        tt_vbmd_mg_cm3=mean,
        tt_vbmd_sd_mg_cm3=whole.sd(transform),
        voxels=int(whole.count),
        volume_mm3=volume,
        bmc_mg=mean * volume / 1000,
        mean_slice_area_mm2=area,
        slices={"first": first, "last": last, "count": len(filled)},
        calibration=_calibration(scan),
        per_slice=[_slice_row(scan, transform, int(z), slices[z]) for z in filled],
        label=label,
        warnings=warnings,
        notes=unlike_published(mean, area),
    )


def placement_warnings(mask: Mask, placement: Placement, label: int | None = None) -> list[str]:
    """What the placing of a mask hides: voxels cut off, and a bone cut by the field of view."""
    warnings = []
    wanted = (lambda part: part != 0) if label is None else (lambda part: part == label)
    if placement.is_clipped:
        total = sum(np.count_nonzero(wanted(section)) for section in mask.voxels)
        kept = sum(np.count_nonzero(wanted(s)) for s in mask.voxels[placement.source_box])
        if total > kept:
            warnings.append(f"{total - kept} of {total} mask voxels lie outside the scan, left out")
    source, target = placement.source_box, placement.target_box
    inside = mask.voxels[source]
    edges = []
    for axis, name in ((1, "y"), (2, "x")):
        for end, at in (
            (0, target[axis].start),
            (-1, target[axis].stop - placement.target_shape[axis]),
        ):
            if at == 0 and wanted(np.take(inside, end, axis)).any():
                edges.append(f"{'low' if end == 0 else 'high'} {name}")
    if edges:
        warnings.append(
            f"the mask touches the scan's border ({', '.join(edges)}): the bone may be cut"
        )
    return warnings


def _slice_row(scan: Scan, transform: Linear, z: int, here: Sums) -> dict:
    return {
        "slice": z,
        "tt_vbmd_mg_cm3": here.mean(transform),
        "tt_vbmd_sd_mg_cm3": here.sd(transform),
        "area_mm2": here.count * scan.grid.pixel_area_mm2,
        "voxels": int(here.count),
    }


def _calibration(scan: Scan) -> dict:
    constants = scan.calibration.constants() if scan.calibration else {}
    return {"unit": scan.unit, **constants}


def _listed(labels: list[int]) -> str:
    return f"label {labels[0]}" if len(labels) == 1 else f"labels {', '.join(map(str, labels))}"
