"""All numbers of one patient's mask, each kind a stage of the run."""

from dataclasses import replace

from ..measurement.comparison import Comparison, measure_against
from ..measurement.compartments import Compartments, measure_compartments
from ..measurement.curves import OnScan, curves
from ..scan import Mask, Scan
from ..segmentation.methods import Segmentation
from .stages import Stages


def measure_run(
    scan: Scan,
    segmentation: Segmentation,
    expert: Mask | None,
    compartments: bool,
    stages: Stages,
) -> tuple[Comparison, Compartments | None]:
    """Measure the mask, rate the network's probability, and split the bone where that is asked for.

    Returns
    -------
    comparison : Comparison
        With curves where there are a probability and an expert's mask. Its warnings are those of
        the whole run so far.
    compartments : Compartments or None
    """
    mask, probability, parts = segmentation.mask, segmentation.probability, None
    with stages.stage("measure") as within:
        comparison = measure_against(scan, mask, expert, progress=within)
    if probability is not None and expert is not None:
        with stages.stage("curves") as within:
            counted = curves(probability.on_scan(), OnScan(expert, scan), within)
        comparison = replace(comparison, curves=counted)
    if compartments:
        with stages.stage("compartments") as within:
            parts = measure_compartments(scan, mask, progress=within)
        comparison = with_warnings(comparison, last=compartment_warnings({None: parts}))
    return with_warnings(comparison, segmentation.warnings), parts


def with_warnings(comparison: Comparison, first=(), last=()) -> Comparison:
    """The comparison with more warnings, before and after those that it has."""
    measurement = comparison.measurement
    every = [*first, *measurement.warnings, *last]
    return replace(comparison, measurement=replace(measurement, warnings=every))


def compartment_warnings(compartments: dict[int | None, Compartments]) -> list[str]:
    """The warnings of every bone's compartments, each with the label that it is of."""
    return [
        f"compartments{'' if label is None else f' of label {label}'}: {text}"
        for label, found in compartments.items()
        for text in found.warnings
    ]
