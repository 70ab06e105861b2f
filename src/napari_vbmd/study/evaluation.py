"""Methods beside the expert over a cohort: every scan by every contender, then the summaries.

As Folle et al. 2021 report: overlap as mean (SD) over weights trained from several seeds, D100 as
bias and correlation; and what the paper leaves out: the error of the slice range, and the precision
error over repeated scans.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from ..errors import ParameterError, VbmdError
from ..measurement.agreement import agree
from ..measurement.curves import Curves
from ..measurement.precision import precision_error
from ..scan import Mask
from ..segmentation.methods import METHODS, check_method_name
from .score import Score, Scored, score
from .sources import Example

Progress = Callable[[float, str], None]

OVERLAP = (
    "dice",
    "iou",
    "auc",
    "accuracy",
    "sensitivity",
    "specificity",
    "precision",
    "average_precision",
    "dice_per_slice",
    "iou_per_slice",
    "hd95_mm",
    "assd_mm",
    "volume_difference_percent",
    "seconds",
)


@dataclass(frozen=True)
class Contender:
    """A method with its weights, and whether it is told the expert's slice range.

    Attributes
    ----------
    method : str
    parameters : object or None
        Of the method; its own defaults when None.
    weights : str
        What to call the weights; "" for the shipped ones.
    within : bool
        Whether it looks at the expert's slices only, as published.
    """

    method: str
    parameters: Any = None
    weights: str = ""
    within: bool = False

    def __post_init__(self):
        check_method_name(self.method)

    @property
    def name(self) -> str:
        """What to call it in a figure."""
        return f"{self.group} [{self.weights}]" if self.weights else self.group

    @property
    def group(self) -> str:
        """What contenders of several seeds have in common."""
        return f"{self.method}, expert's slices" if self.within else self.method


@dataclass(frozen=True)
class Patient:
    """One scan to be tried.

    Attributes
    ----------
    case : str
        Name of the scan.
    patient : str
        Who was scanned. In the agreement of D100 a patient counts once, with the first scan.
    repeats : str
        What scans of one bone, taken out and put back, have in common; "" for a single scan.
    open : callable
        Gives the scan and the truth.
    """

    case: str
    patient: str
    open: Callable[[], Example]
    repeats: str = ""


@dataclass
class Evaluation:
    """All scores, by contender.

    Attributes
    ----------
    contenders : list of Contender
    scored : dict of (int, str) to Scored
        By the contender's place in the list and the case.
    patients : dict of str to str
        Who each case is of.
    repeats : dict of str to str
        Of the cases that are repeated scans, what they have in common.
    failed : dict of str to str
        Cases that could not be opened, and why.
    """

    contenders: list[Contender]
    scored: dict[tuple[int, str], Scored] = field(default_factory=dict)
    patients: dict[str, str] = field(default_factory=dict)
    repeats: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def scores(self, contender: int) -> list[Score]:
        """Of one contender, those that failed included."""
        return [one.score for (which, _), one in self.scored.items() if which == contender]

    def curves(self, contender: int) -> Curves | None:
        """Of all scans of one contender; None for a method without a probability."""
        parts = [one.curves for (which, _), one in self.scored.items() if which == contender]
        parts = [part for part in parts if part is not None]
        return sum(parts[1:], parts[0]) if parts else None

    def rows(self) -> list[dict]:
        """One row for each scan and contender, ready for a table."""
        return [
            {
                "patient": self.patients[case],
                "slices": "expert's" if self.contenders[which].within else "found",
                **one.score.to_dict(),
            }
            for (which, case), one in self.scored.items()
        ]

    def slice_rows(self) -> list[dict]:
        """One row for each slice that the expert or the contender marked."""
        return [
            {
                "case": case,
                "method": self.contenders[which].method,
                "weights": self.contenders[which].weights,
                "slices": "expert's" if self.contenders[which].within else "found",
                **row,
            }
            for (which, case), one in self.scored.items()
            for row in one.per_slice
        ]


def evaluate(
    patients: Sequence[Patient],
    contenders: Sequence[Contender],
    progress: Progress | None = None,
    keep: Callable[["Evaluation"], None] | None = None,
) -> Evaluation:
    """Try every contender on every scan, at full resolution and with post-processing.

    A scan is opened once for all contenders. One that cannot be opened or segmented is a row with
    the reason and stops nothing.

    Parameters
    ----------
    patients : sequence of Patient
    contenders : sequence of Contender
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.
    keep : callable, optional
        Called with what there is after each scan.

    Raises
    ------
    ParameterError
        When there is no scan or no contender, or two contenders have one name.
    """
    names = [contender.name for contender in contenders]
    if len(set(names)) < len(names):
        raise ParameterError("evaluate: the same method and weights were given twice")
    if not patients or not contenders:
        raise ParameterError("evaluate: give at least one scan and one method")
    result = Evaluation(list(contenders))
    count = len(patients) * len(contenders)
    for k, patient in enumerate(patients):
        result.patients[patient.case] = patient.patient
        if patient.repeats:
            result.repeats[patient.case] = patient.repeats
        try:
            example = patient.open()
        except VbmdError as error:
            result.failed[patient.case] = str(error)
            continue
        expert = _mask_of(example)
        for which, contender in enumerate(contenders):
            if progress:
                done = (k * len(contenders) + which) / count
                progress(done, f"{patient.case}, {contender.group}")
            result.scored[which, patient.case] = score(
                patient.case,
                example.scan,
                expert,
                contender.method,
                _for_side(contender, example.side),
                example.slices if contender.within else None,
                weights=contender.weights,
            )
        if keep:
            keep(result)
    if progress:
        progress(1.0, "all scans")
    return result


def summary_of(evaluation: Evaluation) -> list[dict]:
    """One summary for each group of contenders that differ in their weights only.

    Of each number: mean and SD over the scans of each contender, then mean and SD over the
    contenders (of the means; SD None for one contender). D100, its range and its precision are of
    all contenders of the group together only where there is one; else of the first, and said so.
    """
    groups: dict[str, list[int]] = {}
    for which, contender in enumerate(evaluation.contenders):
        groups.setdefault(contender.group, []).append(which)
    return [_summary(evaluation, name, members) for name, members in groups.items()]


def _summary(evaluation: Evaluation, name: str, members: list[int]) -> dict:
    tables = [evaluation.scores(which) for which in members]
    first = [one for one in tables[0] if not one.failed]
    counted = evaluation.curves(members[0])
    once = list({evaluation.patients[one.case]: one for one in reversed(first)}.values())[::-1]
    return {
        "method": name,
        "weights": [evaluation.contenders[which].weights for which in members],
        "scans": len(tables[0]),
        "failed": sum(1 for one in tables[0] if one.failed),
        "numbers": {number: _over_seeds(tables, number) for number in OVERLAP},
        "pooled_auc": counted.auc if counted else None,
        "d100": agree(
            [one.tt_vbmd_mg_cm3 for one in once], [one.expert_tt_vbmd_mg_cm3 for one in once]
        ).to_dict(),
        "area": agree(
            [one.mean_slice_area_mm2 for one in once],
            [one.expert_mean_slice_area_mm2 for one in once],
        ).to_dict(),
        "range": {end: _errors(first, f"{end}_slice_error") for end in ("first", "last")},
        "repeats": _repeats(evaluation, first),
    }


def _over_seeds(tables: list[list[Score]], number: str) -> dict:
    means, sds = [], []
    for table in tables:
        values = [getattr(one, number) for one in table if not one.failed]
        values = [value for value in values if value is not None]
        if values:
            means.append(float(np.mean(values)))
            sds.append(float(np.std(values, ddof=1)) if len(values) > 1 else None)
    if not means:
        return {"mean": None, "sd_scans": None, "sd_seeds": None}
    return {
        "mean": float(np.mean(means)),
        "sd_scans": sds[0],
        "sd_seeds": float(np.std(means, ddof=1)) if len(means) > 1 else None,
    }


def _errors(scores: Iterable[Score], number: str) -> dict:
    """Of the slice range: mean, mean of the absolute, and the largest, in slices of the scan."""
    values = np.array([getattr(one, number) for one in scores], float)
    if not values.size:
        return {"mean": None, "mean_absolute": None, "largest": None}
    return {
        "mean": float(values.mean()),
        "mean_absolute": float(np.abs(values).mean()),
        "largest": int(np.abs(values).max()),
    }


def _repeats(evaluation: Evaluation, scores: list[Score]) -> dict | None:
    """Precision error of D100 over repeated scans; the expert's beside it. None without any."""
    repeated = [one for one in scores if one.case in evaluation.repeats]
    bones = [evaluation.repeats[one.case] for one in repeated]
    if len(set(bones)) == len(bones):
        return None
    ours = precision_error([one.tt_vbmd_mg_cm3 for one in repeated], bones)
    expert = precision_error([one.expert_tt_vbmd_mg_cm3 for one in repeated], bones)
    return {"ours": ours.to_dict(), "expert": expert.to_dict()}


def _mask_of(example: Example) -> Mask:
    """The truth as a mask on its box of the scan."""
    voxels = example.mask().view(np.uint8)
    box = tuple(slice(a, a + n) for a, n in zip(example.start, voxels.shape, strict=True))
    return Mask(voxels, example.scan.grid.box(box), format="layer")


def _for_side(contender: Contender, side: str) -> Any:
    """The parameters, with the hand's side where the method takes one and none was set."""
    kind = METHODS[contender.method].parameters
    parameters = contender.parameters if contender.parameters is not None else kind()
    takes = any(each.name == "side" for each in fields(kind))
    return replace(parameters, side=side) if takes and parameters.side == "auto" else parameters
