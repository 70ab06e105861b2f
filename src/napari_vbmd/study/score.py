"""How well a method does on one scan whose expert's mask is known: one row of an evaluation."""

import time
from dataclasses import asdict, dataclass, field
from typing import Any

from ..errors import VbmdError
from ..measurement.comparison import Comparison, measure_against
from ..measurement.curves import Curves, OnScan, curves
from ..pipeline.mask import PostProcessing, make_mask
from ..scan import Mask, Scan
from ..segmentation.methods import Segmentation


@dataclass(frozen=True)
class Score:
    """Agreement of a method with the expert on one scan, at the scan's full resolution.

    Attributes
    ----------
    case, method, weights : str
        Name of the scan, of the method and of the weights file; "" for weights that are shipped.
    failed : str
        Why there is no mask; "" where there is one. Numbers are None where it failed.
    dice, iou, accuracy, sensitivity, specificity, precision, auc, average_precision : float
        Over the scan's whole grid, 0 to 1; the last two from the probability, None without one.
    dice_per_slice, iou_per_slice : float
        Means over the slices that are not empty in both.
    hd95_mm, assd_mm : float
        Surface distances [mm].
    tt_vbmd_mg_cm3, expert_tt_vbmd_mg_cm3 : float
        D100 in either mask [mg HA/cm3].
    difference_common_slices_mg_cm3 : float
        Ours minus the expert's over the slices that both have [mg HA/cm3].
    mean_slice_area_mm2, expert_mean_slice_area_mm2 : float
    volume_difference_percent : float
        Ours minus the expert's, in percent of the expert's.
    first_slice_error, last_slice_error : int
        Ours minus the expert's, in slices of the scan.
    threshold : float
        At which the mask was taken; None for a method without one.
    seconds : float
        From the scan to the mask, post-processing included.
    """

    case: str
    method: str
    weights: str = ""
    failed: str = ""
    dice: float | None = None
    iou: float | None = None
    accuracy: float | None = None
    sensitivity: float | None = None
    specificity: float | None = None
    precision: float | None = None
    auc: float | None = None
    average_precision: float | None = None
    dice_per_slice: float | None = None
    iou_per_slice: float | None = None
    hd95_mm: float | None = None
    assd_mm: float | None = None
    tt_vbmd_mg_cm3: float | None = None
    expert_tt_vbmd_mg_cm3: float | None = None
    difference_common_slices_mg_cm3: float | None = None
    mean_slice_area_mm2: float | None = None
    expert_mean_slice_area_mm2: float | None = None
    volume_difference_percent: float | None = None
    first_slice_error: int | None = None
    last_slice_error: int | None = None
    threshold: float | None = None
    seconds: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """One row of a table."""
        return asdict(self)


@dataclass(frozen=True)
class Scored:
    """A score, and what does not fit into one row.

    Attributes
    ----------
    score : Score
    curves : Curves or None
        Of the probability; None without one.
    per_slice : list of dict
        ``slice``, ``dice``, ``iou`` of the slices that are not empty in both.
    """

    score: Score
    curves: Curves | None = None
    per_slice: list[dict] = field(default_factory=list)


def score(
    case: str,
    scan: Scan,
    expert: Mask,
    method: str,
    parameters: Any = None,
    slices: tuple[int, int] | None = None,
    post_processing: PostProcessing | None = None,
    weights: str = "",
) -> Scored:
    """Segment a scan and compare the mask with the expert's.

    Parameters
    ----------
    case : str
        What to call it.
    scan : Scan
        With a calibration to density.
    expert : Mask
    method : str
        A name in `segmentation.methods.METHODS`.
    parameters : optional
        Of the method.
    slices : tuple of int, optional
        First and last slice, inclusive; None lets the method find them.
    post_processing : PostProcessing, optional
    weights : str
        What to call the weights.

    Returns
    -------
    Scored
        Its score says why, where the method finds no bone or cannot run on this scan.
    """
    start = time.perf_counter()
    try:
        segmentation, _ = make_mask(scan, method, parameters, slices, post_processing)
        seconds = time.perf_counter() - start
        compared = measure_against(scan, segmentation.mask, expert)
    except (VbmdError, MemoryError, OSError) as error:
        reason = str(error) or "not enough memory"
        return Scored(Score(case, method, weights, failed=reason))
    counted = None
    if segmentation.probability is not None:
        counted = curves(segmentation.probability.on_scan(), OnScan(expert, scan))
    row = _row(case, method, weights, segmentation, compared, counted, seconds)
    return Scored(row, counted, compared.overlap.per_slice)


def _row(
    case: str,
    method: str,
    weights: str,
    segmentation: Segmentation,
    compared: Comparison,
    counted: Curves | None,
    seconds: float,
) -> Score:
    ours, theirs, overlap = compared.measurement, compared.expert, compared.overlap
    return Score(
        case,
        method,
        weights,
        dice=overlap.dice,
        iou=overlap.iou,
        accuracy=overlap.accuracy,
        sensitivity=overlap.sensitivity,
        specificity=overlap.specificity,
        precision=overlap.precision,
        auc=counted.auc if counted else None,
        average_precision=counted.average_precision if counted else None,
        dice_per_slice=overlap.dice_per_slice_mean,
        iou_per_slice=overlap.iou_per_slice_mean,
        hd95_mm=overlap.hd95_mm,
        assd_mm=overlap.assd_mm,
        tt_vbmd_mg_cm3=ours.tt_vbmd_mg_cm3,
        expert_tt_vbmd_mg_cm3=theirs.tt_vbmd_mg_cm3,
        difference_common_slices_mg_cm3=compared.difference_common_slices_mg_cm3,
        mean_slice_area_mm2=ours.mean_slice_area_mm2,
        expert_mean_slice_area_mm2=theirs.mean_slice_area_mm2,
        volume_difference_percent=100 * (ours.volume_mm3 / theirs.volume_mm3 - 1),
        first_slice_error=ours.slices["first"] - theirs.slices["first"],
        last_slice_error=ours.slices["last"] - theirs.slices["last"],
        threshold=segmentation.facts.get("threshold"),
        seconds=seconds,
    )
