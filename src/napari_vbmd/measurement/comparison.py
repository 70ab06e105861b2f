"""A mask measured beside the expert's: densities, their difference, and the overlap."""

from dataclasses import dataclass, replace

import numpy as np

from ..calibration import Linear
from ..grid import place
from ..scan import Mask, Scan
from .accumulator import DensityAccumulator
from .densitometry import Measurement, Progress, accumulate, placement_warnings, summarise
from .frames import frame_warnings
from .overlap import Overlap, compare


@dataclass(frozen=True)
class Comparison:
    """A measurement and, when there is an expert's mask, how it agrees.

    Attributes
    ----------
    measurement : Measurement
    expert : Measurement or None
    overlap : Overlap or None
    difference_mg_cm3 : float or None
        Tt.vBMD, ours minus the expert's.
    difference_common_slices_mg_cm3 : float or None
        The same over the slices in which both masks have voxels; None when there are none.
    """

    measurement: Measurement
    expert: Measurement | None = None
    overlap: Overlap | None = None
    difference_mg_cm3: float | None = None
    difference_common_slices_mg_cm3: float | None = None

    def to_dict(self) -> dict:
        """The contract of ``measure --json``."""
        result = self.measurement.to_dict()
        if self.expert is not None:
            result |= {
                "overlap": self.overlap.to_dict(),
                "expert_tt_vbmd_mg_cm3": self.expert.tt_vbmd_mg_cm3,
                "expert": self.expert.to_dict(),
                "difference_mg_cm3": self.difference_mg_cm3,
                "difference_common_slices_mg_cm3": self.difference_common_slices_mg_cm3,
            }
        return result


def measure_against(
    scan: Scan,
    mask: Mask,
    expert: Mask | None = None,
    label: int | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Measure a mask and, when an expert's is given, compare the two.

    Parameters and errors are those of `densitometry.measure` and `overlap.compare`; ``label``
    applies to ``mask``. That the positions of scan and expert's mask are of two kinds stands among
    the warnings of the measurement, too.
    """
    transform = scan.density_transform()
    if expert is None:
        return Comparison(_measured(scan, mask, label, progress)[1])
    ours, measurement = _measured(scan, mask, label, _part(progress, 0.0, 0.3))
    theirs, of_expert = _measured(scan, expert, None, _part(progress, 0.3, 0.6))
    overlap = compare(mask, expert, scan.grid, label, _part(progress, 0.6, 1.0))
    on_common = difference_on_common_slices(ours, theirs, transform, label)
    difference = measurement.tt_vbmd_mg_cm3 - of_expert.tt_vbmd_mg_cm3
    doubts = frame_warnings(scan, expert, "the expert's mask")
    measurement = replace(measurement, warnings=[*measurement.warnings, *doubts])
    return Comparison(measurement, of_expert, overlap, difference, on_common)


def difference_on_common_slices(
    ours: DensityAccumulator,
    theirs: DensityAccumulator,
    transform: Linear,
    label: int | None = None,
) -> float | None:
    """Tt.vBMD, ours minus theirs, over the slices in which both have voxels [mg HA/cm3].

    None where there are no such slices. ``label`` applies to ours.
    """
    common = np.flatnonzero((ours.counts_per_slice(label) > 0) & (theirs.counts_per_slice() > 0))
    if not common.size:
        return None
    return ours.sums(label, common).mean(transform) - theirs.sums(None, common).mean(transform)


def _measured(scan, mask, label, progress) -> tuple[DensityAccumulator, Measurement]:
    placement = place(mask.grid, scan.grid)
    sums = accumulate(scan, mask, placement, progress)
    warnings = [*frame_warnings(scan, mask), *placement_warnings(mask, placement, label)]
    transform = scan.density_transform()
    return sums, summarise(scan, sums, transform, label, warnings, mask.name)


def _part(progress: Progress | None, start: float, stop: float) -> Progress | None:
    """Progress of a part of the work, as a share of the whole."""
    if progress is None:
        return None
    return lambda fraction, message: progress(start + fraction * (stop - start), message)
