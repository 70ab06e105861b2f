"""Cortical and trabecular compartments of one bone: densities, areas, thickness, porosity.

Names and definitions after Whittier et al. 2020 (Osteoporos Int 31:1607), the guideline for
HR-pQCT; every one stands in docs/measurements.md. A number that cannot be had is None, and
`missing` holds the sentence that says why.
"""

import math
from dataclasses import asdict, dataclass, field

import numpy as np
from scipy import ndimage

from ..errors import GridMismatchError, ParameterError
from ..grid import place
from ..mapped import in_slabs
from ..scan import Mask, Scan
from .accumulator import DensityAccumulator
from .densitometry import Progress
from .porosity import porosity_percent
from .split import Box, Thresholds, Tissue, cut_ends, segment_tissue, trabecular_compartment
from .tables import COMPARTMENTS
from .thickness import mean_thickness

DUAL_THRESHOLD = "dual threshold after Buie et al. 2007, the mask as periosteal surface"
GIVEN = "trabecular mask given"
NUMBERS = tuple(quantity.key for quantity in COMPARTMENTS)
CORTICAL, TRABECULAR = 1, 2

_COARSEST_MM = 0.1  # the guideline's scanners have voxels of 0.061 and 0.082 mm
_FINE_MM = 0.07
_FEWEST_SLICES = 3
_NO_CORTEX, _LITTLE_CORTEX = 0.1, 0.5  # share of cortical voxels above the threshold


@dataclass(frozen=True)
class Compartments:
    """The numbers of the two compartments of one bone.

    Attributes
    ----------
    tb_vbmd_mg_cm3, ct_vbmd_mg_cm3 : float or None
        Mean density of the trabecular and of the cortical compartment [mg HA/cm3].
    tb_area_mm2, ct_area_mm2 : float or None
        Tb.Ar and Ct.Ar, the mean over the slices that hold any of the bone [mm2].
    ct_th_mm : float or None
        Ct.Th, mean thickness in 3D of the cortical compartment, pores included [mm] (`thickness`).
    ct_po_percent : float or None
        Ct.Po, pores in the cortical compartment over pores and cortical bone [%].
    tb_bvtv : float or None
        Tb.BV/TV, trabecular bone over trabecular compartment; from 0 to 1.
    method : str
        How the bone was split.
    thresholds : dict
        All constants that were used.
    missing : dict
        For every number that is None, the sentence that says why.
    warnings : list of str
        What a reader must know before using the numbers.
    """

    tb_vbmd_mg_cm3: float | None = None
    ct_vbmd_mg_cm3: float | None = None
    tb_area_mm2: float | None = None
    ct_area_mm2: float | None = None
    ct_th_mm: float | None = None
    ct_po_percent: float | None = None
    tb_bvtv: float | None = None
    method: str = DUAL_THRESHOLD
    thresholds: dict = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self):
        for name in NUMBERS:
            value = getattr(self, name)
            if (value is None) != (name in self.missing):
                raise ValueError(f"{name} is {value}, and what is missing says otherwise")
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} is not finite")

    def to_dict(self) -> dict:
        """Plain numbers, ready for JSON."""
        return asdict(self)


def measure_compartments(
    scan: Scan,
    mask: Mask,
    label: int | None = None,
    trabecular: Mask | None = None,
    thresholds: Thresholds | None = None,
    progress: Progress | None = None,
) -> Compartments:
    """Split one bone and measure both parts, in the bone's box only.

    Parameters
    ----------
    scan : Scan
        Only the bone's box is read.
    mask : Mask
        What the periosteal surface encloses.
    label : int, optional
        Of the bone in the mask; may be None where the mask holds one label only.
    trabecular : Mask, optional
        The trabecular compartment, any label; what of it lies outside the bone is left out. Without
        it the bone is split by two thresholds (`split`).
    thresholds : Thresholds, optional
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.

    Returns
    -------
    Compartments
        Without numbers where the mask holds no such voxel, or where no cortex is found.

    Raises
    ------
    MissingCalibrationError
        When the scan's values cannot be turned into densities.
    GridMismatchError
        When a mask cannot be placed.
    ParameterError
        When the mask holds several labels and none is chosen, or a voxel is not a finite number.
    """
    return split_and_measure(scan, mask, label, trabecular, thresholds, progress)[0]


def split_and_measure(
    scan: Scan,
    mask: Mask,
    label: int | None = None,
    trabecular: Mask | None = None,
    thresholds: Thresholds | None = None,
    progress: Progress | None = None,
) -> tuple[Compartments, Mask | None]:
    """As `measure_compartments`, and where the two compartments are.

    Returns
    -------
    Compartments
    Mask or None
        Labels `CORTICAL` and `TRABECULAR` on the bone's box of the scan; None where no split was
        found.
    """
    scan.density_transform()
    progress = progress or (lambda fraction, message: None)
    thresholds = thresholds or Thresholds()
    about = {
        "method": GIVEN if trabecular is not None else DUAL_THRESHOLD,
        "thresholds": asdict(thresholds),
    }
    found = _bone(scan, mask, label)
    if found is None:
        return _none_at_all("the mask holds no such voxel on the scan", about), None
    box, inside, alone = found
    progress(0.0, "compartments, thresholds")
    tissue = segment_tissue(scan, box, inside, thresholds)
    progress(0.2, "compartments, split")
    given = None
    if trabecular is not None:
        given = _given(trabecular, scan, box, inside, alone)
    inner, warnings, why = _inner(inside, tissue, given, scan, thresholds, progress)
    if why:
        return _none_at_all(why, about), None
    progress(0.4, "compartments, densities")
    split = inside.astype(np.uint8) * CORTICAL
    split[inner] = TRABECULAR
    numbers, missing = _densities(scan, box, split)
    cortex = split == CORTICAL
    for names in (
        _porosity(cortex, tissue, scan),
        _bone_fraction(inner, tissue, scan),
        _thickness(cortex, inside, scan, lambda f, text: progress(0.5 + f / 2, text)),
    ):
        numbers, missing = numbers | names[0], missing | names[1]
    size = max(scan.grid.spacing_mm)
    if size > _FINE_MM and "tb_bvtv" in numbers:
        warnings.append(
            f"Tb.BV/TV and Ct.Po of voxels of {size:.3g} mm: their fixed thresholds are "
            "those for 0.061 mm; do not compare across scanners"
        )
    progress(1.0, "compartments")
    measured = Compartments(**numbers, **about, missing=missing, warnings=warnings)
    return measured, Mask(split, scan.grid.box(box))


def _none_at_all(why: str, about: dict) -> Compartments:
    return Compartments(**about, missing=dict.fromkeys(NUMBERS, why))


def _inner(inside, tissue: Tissue, given, scan: Scan, thresholds, progress):
    """The trabecular compartment, what must be known of it, and why there is none if so."""
    if given is not None:
        inner, warnings = given
        why = "" if inner.any() else "no voxel of the trabecular mask lies within the bone"
        return inner, warnings, why
    cortical = f"{thresholds.cortical_mg_cm3:g} mg HA/cm3"
    inner = trabecular_compartment(
        inside,
        tissue.above_cortical,
        scan.grid.spacing_mm,
        thresholds,
        lambda fraction: progress(0.2 + 0.2 * fraction, "compartments, split"),
    )
    if not inner.any():
        none = f"no trabecular compartment was found: no marrow space below {cortical}"
        return inner, [], none
    cortex = inside & ~inner
    dense = np.count_nonzero(tissue.above_cortical & cortex) / max(1, np.count_nonzero(cortex))
    if dense < _NO_CORTEX:
        none = f"no cortex was found: {100 * dense:.0f} % of the bone's rim are denser than "
        return inner, [], none + cortical
    if dense >= _LITTLE_CORTEX:
        return inner, [], ""
    little = (
        f"only {100 * dense:.0f} % of the cortical compartment are denser than {cortical}: "
        f"where no cortex shows, a rim of {thresholds.rim_mm:g} mm stands for it"
    )
    return inner, [little], ""


def _bone(scan: Scan, mask: Mask, label: int | None) -> tuple[Box, np.ndarray, bool] | None:
    """The bone's box on the scan, the bone on it, and whether the mask holds no other one.

    None where the mask is empty there.
    """
    placement = place(mask.grid, scan.grid)
    voxels = mask.voxels[placement.source_box]
    boxes = {i: box for i, box in enumerate(ndimage.find_objects(voxels), 1) if box is not None}
    if label is None and len(boxes) > 1:
        raise ParameterError(
            f"{mask.name}: it holds labels {', '.join(map(str, boxes))}; compartments are those of "
            "one bone: choose one with --label, or measure --per-label"
        )
    label = label if label is not None else next(iter(boxes), 0)
    if label not in boxes:
        return None
    box = boxes[label]
    on_scan = tuple(
        slice(side.start + target.start, side.stop + target.start)
        for side, target in zip(box, placement.target_box, strict=True)
    )
    return on_scan, np.asarray(voxels[box]) == label, len(boxes) == 1


def _given(
    trabecular: Mask, scan: Scan, box: Box, inside, alone: bool
) -> tuple[np.ndarray, list[str]]:
    """A trabecular mask on the bone's box, and what of it lies outside of the bone.

    Beside other bones only the box counts: what is beyond it may well be theirs.
    """
    result = np.zeros(inside.shape, bool)
    place(trabecular.grid, scan.grid)  # said so where it does not lie on the scan at all
    try:
        part = place(trabecular.grid, scan.grid.box(box))
    except GridMismatchError:
        return result, []
    result[part.target_box] = trabecular.voxels[part.source_box] != 0
    planes = trabecular.voxels if alone else result
    total = sum(np.count_nonzero(plane) for plane in planes)
    result &= inside
    outside = total - np.count_nonzero(result)
    said = f"{outside} of {total} voxels of the trabecular mask lie outside the bone, left out"
    return result, [said] if outside else []


def _densities(scan: Scan, box: Box, split: np.ndarray) -> tuple[dict, dict]:
    """Densities by sums over the stored values, and areas."""
    sums = DensityAccumulator(len(split), scan.voxels.dtype)
    for z, plane in in_slabs(scan.voxels, enumerate(split)):
        sums.add_slice(z, np.asarray(scan.voxels[box[0].start + z, box[1], box[2]]), plane)
    transform, slices = scan.density_transform(), np.count_nonzero(sums.counts_per_slice())
    numbers, missing = {}, {}
    for part, label in (("tb", TRABECULAR), ("ct", CORTICAL)):
        of = sums.sums(label)
        numbers[f"{part}_area_mm2"] = float(of.count / slices) * scan.grid.pixel_area_mm2
        mean = of.mean(transform)
        if mean is not None:
            numbers[f"{part}_vbmd_mg_cm3"] = mean
        elif of.unusable:
            raise ParameterError(
                f"{scan.name}: {of.unusable} voxels within the mask are not finite numbers; leave "
                "them out of the mask"
            )
        else:
            missing[f"{part}_vbmd_mg_cm3"] = "the trabecular mask covers the whole bone: no cortex"
    return numbers, missing


def _too_coarse(scan: Scan, what: str) -> str:
    size = max(scan.grid.spacing_mm)
    if size <= _COARSEST_MM:
        return ""
    return f"voxels of {size:.3g} mm are too large for {what}: {_COARSEST_MM:g} mm or less"


def _porosity(cortex, tissue: Tissue, scan: Scan) -> tuple[dict, dict]:
    """Ct.Po."""
    if why := _too_coarse(scan, "pores"):
        return {}, {"ct_po_percent": why}
    bone = cortex & tissue.above_cortical
    if not bone.any():
        return {}, {"ct_po_percent": "no voxel of the cortical compartment is above the threshold"}
    return {"ct_po_percent": porosity_percent(cortex, bone, scan.grid.voxel_volume_mm3)}, {}


def _bone_fraction(inner, tissue: Tissue, scan: Scan) -> tuple[dict, dict]:
    """Tb.BV/TV."""
    if why := _too_coarse(scan, "trabeculae"):
        return {}, {"tb_bvtv": why}
    share = np.count_nonzero(inner & tissue.above_trabecular) / np.count_nonzero(inner)
    return {"tb_bvtv": float(share)}, {}


def _thickness(cortex, inside, scan: Scan, progress: Progress) -> tuple[dict, dict]:
    """Ct.Th; missing where it would be a guess."""
    if not cortex.any():
        why = "the trabecular mask covers the whole bone: no cortex"
    elif len(cortex) < _FEWEST_SLICES:
        why = f"{len(cortex)} slices: a thickness in 3D needs {_FEWEST_SLICES} or more"
    else:
        found = mean_thickness(cortex, scan.grid.spacing_mm, cut_ends(inside), progress)
        if found >= 2 * max(scan.grid.spacing_mm):
            return {"ct_th_mm": found}, {}
        why = f"the cortex is thinner than two voxels ({found:.2f} mm)"
    return {}, {"ct_th_mm": why}
