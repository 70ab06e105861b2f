"""Parts of a mask, each measured like a whole: its labels, and head and shaft.

Sums are kept per slice and label, so that one pass over the scan gives every part.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from ..errors import EmptyMaskError, ParameterError
from ..grid import place
from ..scan import Mask, Scan
from .accumulator import DensityAccumulator
from .densitometry import Measurement, Progress, accumulate, placement_warnings, summarise
from .frames import frame_warnings

HEAD_MM = 10.0
TIPS = ("first", "last")


@dataclass(frozen=True)
class Region:
    """One part of a bone along z.

    Attributes
    ----------
    name : {"head", "shaft"}
    from_mm, to_mm : float
        Distance of its ends from the tip of the head along z [mm].
    measurement : Measurement or None
    missing : str
        Why there is none; "" where there is one.
    """

    name: str
    from_mm: float
    to_mm: float
    measurement: Measurement | None
    missing: str = ""

    def to_dict(self) -> dict:
        """Plain numbers, ready for JSON."""
        found = self.measurement.to_dict() if self.measurement else {}
        limits = {"region": self.name, "from_mm": self.from_mm, "to_mm": self.to_mm}
        return limits | found | {"missing": self.missing or None}


def measure_labels(
    scan: Scan, mask: Mask, progress: Progress | None = None
) -> dict[int, Measurement]:
    """Measure every label of a mask in one pass.

    Parameters and errors are those of `densitometry.measure`; labels that lie outside of the scan
    altogether are left out.

    Returns
    -------
    dict of int to Measurement
        In order of the labels.
    """
    scan.density_transform()  # before any work: this is what most often lacks
    placement = place(mask.grid, scan.grid)
    sums = accumulate(scan, mask, placement, progress)
    if not sums.labels():
        raise EmptyMaskError(f"{mask.name}: no voxel lies on the scan; paint or segment the bone")
    doubts = frame_warnings(scan, mask)
    found = labels_of(scan, sums)
    for label, one in found.items():
        warnings = [*doubts, *placement_warnings(mask, placement, label), *one.warnings]
        found[label] = replace(one, warnings=warnings)
    return found


def labels_of(scan: Scan, sums: DensityAccumulator) -> dict[int, Measurement]:
    """Every label of sums that were taken before, by label; what its place hides is not known."""
    transform = scan.density_transform()
    return {label: summarise(scan, sums, transform, label) for label in sums.labels()}


def measure_regions(
    scan: Scan,
    mask: Mask,
    label: int | None = None,
    head_mm: float = HEAD_MM,
    tip: str = "first",
    progress: Progress | None = None,
) -> list[Region]:
    """Measure head and shaft of a bone apart.

    The tip of the head is the outer face of the first slice (or the last one) that holds any of the
    bone. A slice belongs to the head when its middle lies no farther than `head_mm` from the tip
    along z, else to the shaft. How the bone lies askew to z is not corrected.

    Parameters
    ----------
    scan, mask, label, progress
        As `densitometry.measure`.
    head_mm : float
        Length of the head along z [mm]. There is no published split of the metacarpals; say which
        you took.
    tip : {"first", "last"}
        The end of the mask at which the head lies; "first" is the slice with the lowest index.

    Returns
    -------
    list of Region
        Head and shaft.

    Raises
    ------
    ParameterError
        When `head_mm` is not above zero and finite, or `tip` is not known. Else as
        `densitometry.measure`.
    """
    _check(head_mm, tip)
    scan.density_transform()
    sums = accumulate(scan, mask, place(mask.grid, scan.grid), progress)
    return regions_of(scan, sums, label, head_mm, tip, mask.name)


def regions_of(
    scan: Scan,
    sums: DensityAccumulator,
    label: int | None = None,
    head_mm: float = HEAD_MM,
    tip: str = "first",
    name: str = "mask",
) -> list[Region]:
    """Head and shaft from sums that were taken before; all else as `measure_regions`."""
    _check(head_mm, tip)
    transform = scan.density_transform()
    summarise(scan, sums, transform, label, name=name)  # what cannot be measured is refused
    filled = np.flatnonzero(sums.counts_per_slice(label))
    steps = filled - filled[0] if tip == "first" else filled[-1] - filled
    thickness = scan.grid.spacing_mm[0]
    in_head = (steps + 0.5) * thickness <= head_mm
    length = float((steps.max() + 1) * thickness)
    regions = []
    for part, slices, ends in (
        ("head", filled[in_head], (0.0, min(head_mm, length))),
        ("shaft", filled[~in_head], (min(head_mm, length), length)),
    ):
        if slices.size:
            of = summarise(scan, _only(sums, slices), transform, label, name=name)
            # what was published is of head and shaft together: no notes
            regions.append(Region(part, *ends, replace(of, notes=[])))
            continue
        why = f"the mask is {length:.2f} mm long from the tip: no slice of it is {part}"
        regions.append(Region(part, *ends, None, why))
    return regions


def _check(head_mm: float, tip: str) -> None:
    if not (math.isfinite(head_mm) and head_mm > 0):
        raise ParameterError(f"a head of {head_mm:g} mm makes no sense: give more than 0 mm")
    if tip not in TIPS:
        raise ParameterError(f"tip {tip!r} is not known: first or last")


def _only(sums: DensityAccumulator, slices: np.ndarray) -> DensityAccumulator:
    """The sums of some slices, the others empty."""
    result = DensityAccumulator(len(sums.count), np.float64)
    for name in ("count", "total", "squares", "unusable"):
        part = np.zeros_like(getattr(sums, name))
        part[slices] = getattr(sums, name)[slices]
        setattr(result, name, part)
    return result
