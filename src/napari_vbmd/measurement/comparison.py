"""A mask measured beside the expert's: densities, their difference, and the overlap."""

from dataclasses import dataclass, field, replace

import numpy as np

from ..calibration import Linear
from ..grid import place
from ..scan import Mask, Scan
from .accumulator import DensityAccumulator
from .curves import Curves
from .densitometry import Measurement, Progress, accumulate, placement_warnings, summarise
from .frames import frame_warnings
from .overlap import Overlap, compare, compare_labels
from .parts import labels_of

_NO_CURVES = "no probability is at hand: the mask was not made by a network in this run"


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
    per_label : dict of Overlap
        Of every label that both masks hold, label by label, where both hold several.
    curves : Curves or None
        Of the network's probability against the expert's mask, where one made the mask.
    labels : dict of Measurement
        Every label by itself, where the mask holds several and they were measured together.
    """

    measurement: Measurement
    expert: Measurement | None = None
    overlap: Overlap | None = None
    difference_mg_cm3: float | None = None
    difference_common_slices_mg_cm3: float | None = None
    per_label: dict[int, Overlap] = field(default_factory=dict)
    curves: Curves | None = None
    labels: dict[int, Measurement] = field(default_factory=dict)

    @property
    def volume_difference_mm3(self) -> float | None:
        """Volume, ours minus the expert's [mm3]; None without an expert's."""
        if self.expert is None:
            return None
        return self.measurement.volume_mm3 - self.expert.volume_mm3

    @property
    def volume_difference_percent(self) -> float | None:
        """The same as a share of the expert's volume [%]."""
        if self.expert is None:
            return None
        return 100 * self.volume_difference_mm3 / self.expert.volume_mm3

    @property
    def auc(self) -> float | None:
        """Area under the ROC curve; None without `curves`."""
        return self.curves.auc if self.curves else None

    @property
    def average_precision(self) -> float | None:
        """Area under precision over recall; None without `curves`."""
        return self.curves.average_precision if self.curves else None

    def to_dict(self) -> dict:
        """The contract of ``measure --json``."""
        result = self.measurement.to_dict()
        if self.expert is not None:
            result |= {
                "overlap": self.overlap.to_dict() | self._beside_overlap(),
                "expert_tt_vbmd_mg_cm3": self.expert.tt_vbmd_mg_cm3,
                "expert": self.expert.to_dict(),
                "difference_mg_cm3": self.difference_mg_cm3,
                "difference_common_slices_mg_cm3": self.difference_common_slices_mg_cm3,
            }
        return result

    def _beside_overlap(self) -> dict:
        return {
            "volume_difference_mm3": self.volume_difference_mm3,
            "volume_difference_percent": self.volume_difference_percent,
            "per_label": {label: found.to_dict() for label, found in self.per_label.items()},
            "auc": self.auc,
            "average_precision": self.average_precision,
            "no_curves_because": None if self.curves else _NO_CURVES,
        }


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
        ours, measurement = _measured(scan, mask, label, progress)
        return Comparison(measurement, labels=_by_label(scan, ours, label))
    ours, measurement = _measured(scan, mask, label, _part(progress, 0.0, 0.3))
    theirs, of_expert = _measured(scan, expert, None, _part(progress, 0.3, 0.6))
    shared = [] if label is not None else _shared_labels(ours, theirs)
    whole_done = 0.8 if shared else 1.0
    overlap = compare(mask, expert, scan.grid, label, _part(progress, 0.6, whole_done))
    on_common = difference_on_common_slices(ours, theirs, transform, label)
    difference = measurement.tt_vbmd_mg_cm3 - of_expert.tt_vbmd_mg_cm3
    doubts = frame_warnings(scan, expert, "the expert's mask")
    measurement = replace(measurement, warnings=[*measurement.warnings, *doubts])
    rest = _part(progress, whole_done, 1.0)
    per_label = compare_labels(mask, expert, scan.grid, shared, rest) if shared else {}
    labels = _by_label(scan, ours, label)
    return Comparison(
        measurement, of_expert, overlap, difference, on_common, per_label, labels=labels
    )


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


def _shared_labels(ours: DensityAccumulator, theirs: DensityAccumulator) -> list[int]:
    """The labels that both hold, where both hold several; where one holds one, none."""
    both = [set(sums.labels()) for sums in (ours, theirs)]
    return sorted(both[0] & both[1]) if min(map(len, both)) > 1 else []


def _by_label(scan: Scan, ours: DensityAccumulator, label: int | None) -> dict[int, Measurement]:
    """Every label by itself, from the sums that there are; none where only one was measured."""
    if label is not None or len(ours.labels()) < 2:
        return {}
    return labels_of(scan, ours)


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
