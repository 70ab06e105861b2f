"""Bias and limits of agreement of two methods: Bland and Altman 1986 (Lancet 327:307) and 1999.

The intervals of the limits are the exact ones of Carkeet 2015 (Optom Vis Sci 92:e71), each limit
for itself: a limit is a percentile of a normal distribution, and the standardised distance between
the sample's mean and that percentile follows a noncentral t distribution. The approximate ones of
Bland and Altman 1999 (Stat Methods Med Res 8:135) are symmetric and, below about 40 pairs, too
narrow on the outside.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .estimate import LEVEL, TAILS, Estimate, absent, estimate, mean_and_sd

Z = float(stats.norm.ppf(TAILS[1]))  # 1.96: 95 % of the differences lie within bias ± 1.96 SD
LIMITS_METHOD = "exact, each limit for itself (Carkeet 2015)"


@dataclass(frozen=True)
class BlandAltman:
    """Differences, ours minus the reference, in the unit of the values.

    Attributes
    ----------
    bias : Estimate
        Mean difference; interval by Student's t.
    bias_percent : Estimate
        Bias, as a share of the reference's mean [%].
    sd : Estimate
        Sample SD of the differences; interval by chi-squared.
    lower_limit, upper_limit : Estimate
        95 % limits of agreement, bias ± 1.96 SD; exact intervals.
    """

    bias: Estimate
    bias_percent: Estimate
    sd: Estimate
    lower_limit: Estimate
    upper_limit: Estimate

    def to_dict(self) -> dict:
        """Plain numbers, ready for JSON."""
        content = {name: value.to_dict() for name, value in vars(self).items()}
        return content | {"limits_percent": 100 * LEVEL, "limits_interval": LIMITS_METHOD}


def bland_altman(ours: np.ndarray, reference: np.ndarray) -> BlandAltman:
    """Bias and limits of agreement of paired values.

    Parameters
    ----------
    ours, reference : array of float, shape (n,)
        Finite, and in one unit.
    """
    differences = ours - reference
    bias, sd = mean_and_sd(differences, "differences")
    limits = (_limit(differences, bias, sd, sign) for sign in (-1, 1))
    return BlandAltman(bias, _percent(bias, reference), sd, *limits)


def limit_factors(n: int) -> np.ndarray:
    """Bounds of the upper limit's interval, in SD above the bias; the lower limit mirrors them.

    With n pairs from a normal distribution of differences, ``sqrt(n) * (limit - mean) / sd``
    follows a noncentral t distribution with n - 1 degrees of freedom around ``sqrt(n) * 1.96``.
    """
    return stats.nct.ppf(TAILS, n - 1, Z * math.sqrt(n)) / math.sqrt(n)


def _limit(differences: np.ndarray, bias: Estimate, sd: Estimate, sign: int) -> Estimate:
    if sd.value is None:
        return absent(sd.missing)
    limit = bias.value + sign * Z * sd.value
    if sd.low is None:
        return estimate(limit, why=sd.missing)
    bounds = bias.value + sign * limit_factors(len(differences)) * sd.value
    return estimate(limit, bounds[::sign])


def _percent(bias: Estimate, reference: np.ndarray) -> Estimate:
    if bias.value is None:
        return absent(bias.missing)
    mean = reference.mean()
    if mean <= 0:
        return absent("the reference's mean is not above 0")
    return estimate(100 * bias.value / mean, why="no interval is computed for a percentage")
