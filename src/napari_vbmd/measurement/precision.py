"""Precision error of repeated measurements: Glüer et al. 1995 (Osteoporos Int 5:262).

A patient is measured several times, moved out of the scanner in between. The precision error is the
root mean square of the patients' SD (or %CV); a change between two measurements of one patient is
real, with 95 % confidence, when it is larger than the least significant change.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from .estimate import Estimate, absent, estimate, is_constant, sd_factors
from .pairs import LeftOut, as_numbers, why_unusable

LSC_FACTOR = 2.77  # 1.96 * sqrt(2): a difference has two errors
ENOUGH_FREEDOM = 27  # so that the true error lies less than 30 % above (Glüer et al. 1995)


@dataclass(frozen=True)
class Precision:
    """How far measurements of one patient scatter.

    Attributes
    ----------
    patients, measurements : int
        Those used; every patient has two measurements or more.
    degrees_of_freedom : int
        Measurements minus patients.
    rms_sd : Estimate
        In the unit of the values.
    rms_cv_percent : Estimate
        Of SD / mean of each patient [%].
    lsc, lsc_percent : Estimate
        Least significant change, 2.77 times these.
    left_out : tuple of LeftOut
    warnings : list of str
    """

    patients: int
    measurements: int
    degrees_of_freedom: int
    rms_sd: Estimate
    rms_cv_percent: Estimate
    lsc: Estimate
    lsc_percent: Estimate
    left_out: tuple[LeftOut, ...]
    warnings: list[str]

    def to_dict(self) -> dict:
        """Plain numbers, ready for JSON."""
        return {name: _plain(value) for name, value in vars(self).items()}


def precision_error(values: Sequence, patients: Sequence[Hashable]) -> Precision:
    """Precision error over the repeated measurements of patients.

    Squares are weighted by each patient's degrees of freedom; where all were measured equally often
    that is the plain root mean square. Intervals by chi-squared, as Glüer et al. give them.

    Parameters
    ----------
    values : sequence of float or None, length n
    patients : sequence, length n
        Who each value is of; None where that is not known.

    Raises
    ------
    ParameterError
        When the lengths differ, or a value is no number.
    """
    numbers = as_numbers(values, "values", len(patients))
    left_out = [
        LeftOut(i, why)
        for i, (number, patient) in enumerate(zip(numbers, patients, strict=True))
        if (why := "" if patient is not None else "no patient") or (why := why_unusable(number))
    ]
    unusable = {row for row, _ in left_out}
    rows: dict[Hashable, list[int]] = {}
    for i, patient in enumerate(patients):
        if i not in unusable:
            rows.setdefault(patient, []).append(i)
    once = [of[0] for of in rows.values() if len(of) == 1]
    left_out += [LeftOut(row, "the patient's only measurement") for row in once]
    groups = [numbers[of] for of in rows.values() if len(of) > 1]
    freedom = sum(len(group) - 1 for group in groups)
    sd, cv = _rms_sd(groups, freedom), _rms_cv(groups, freedom)
    return Precision(
        len(groups),
        sum(map(len, groups)),
        freedom,
        sd,
        cv,
        _times(sd, LSC_FACTOR),
        _times(cv, LSC_FACTOR),
        tuple(sorted(left_out)),
        _warnings(freedom),
    )


def _rms_sd(groups: list[np.ndarray], freedom: int) -> Estimate:
    return _rms([_spread(group) for group in groups], groups, freedom)


def _rms_cv(groups: list[np.ndarray], freedom: int) -> Estimate:
    if any(group.mean() <= 0 for group in groups):
        return absent("the mean of a patient's measurements is not above 0")
    return _rms([100 * _spread(group) / group.mean() for group in groups], groups, freedom)


def _spread(group: np.ndarray) -> float:
    return 0.0 if is_constant(group) else float(group.std(ddof=1))


def _rms(spreads: list[float], groups: list[np.ndarray], freedom: int) -> Estimate:
    if not groups:
        return absent("no patient was measured twice")
    weights = [len(group) - 1 for group in groups]
    rms = math.sqrt(np.average(np.square(spreads), weights=weights))
    if rms == 0:
        return estimate(0.0, why="all measurements of each patient are equal")
    return estimate(rms, rms * sd_factors(freedom))


def _times(one: Estimate, factor: float) -> Estimate:
    if one.value is None:
        return one
    interval = None if one.low is None else (factor * one.low, factor * one.high)
    return estimate(factor * one.value, interval, one.missing)


def _warnings(freedom: int) -> list[str]:
    if not 0 < freedom < ENOUGH_FREEDOM:
        return []
    return [
        f"precision error from {freedom} degrees of freedom; {ENOUGH_FREEDOM} or more are asked "
        "for, such as 27 patients measured twice"
    ]


def _plain(value):
    if isinstance(value, Estimate):
        return value.to_dict()
    if isinstance(value, tuple):
        return [one._asdict() for one in value]
    return value
