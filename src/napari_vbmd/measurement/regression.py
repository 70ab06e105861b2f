"""The line through a scatter plot of ours over the reference.

Two lines: by ordinary least squares, which method comparisons print, and by Deming's regression.
Least squares takes the reference for free of error, so where it is an expert's or another scan's
its slope comes out too low. Deming's regression gives both an error of equal SD; it is the line to
judge a proportional difference by (Linnet 1993, Clin Chem 39:424).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .estimate import ON_A_LINE, TAILS, Estimate, absent, estimate, is_perfect, why_unrelated

LEAST_SQUARES = "ordinary least squares"
DEMING = "Deming, equal error in both, interval by jackknife (Linnet 1993)"
_UNRELATED = 1e-12  # a correlation so far from 0 as rounding takes it


@dataclass(frozen=True)
class Line:
    """ours = slope * reference + intercept.

    Attributes
    ----------
    slope : Estimate
        Without unit.
    intercept : Estimate
        In the unit of the values.
    method : str
    """

    slope: Estimate
    intercept: Estimate
    method: str

    def to_dict(self) -> dict:
        """Plain numbers, ready for JSON."""
        return {
            "slope": self.slope.to_dict(),
            "intercept": self.intercept.to_dict(),
            "method": self.method,
        }


def least_squares(ours: np.ndarray, reference: np.ndarray) -> Line:
    """The line by ordinary least squares; intervals by Student's t, n - 2 degrees of freedom.

    Parameters
    ----------
    ours, reference : array of float, shape (n,)
        Finite.
    """
    why = why_unrelated(ours, reference)
    if why:
        return Line(absent(why), absent(why), LEAST_SQUARES)
    fit = stats.linregress(reference, ours)
    t = stats.t.ppf(TAILS, len(ours) - 2)
    found = (fit.slope, fit.stderr), (fit.intercept, fit.intercept_stderr)
    perfect = is_perfect(fit.rvalue)
    return Line(
        *(estimate(v, None if perfect else v + t * error, ON_A_LINE) for v, error in found),
        LEAST_SQUARES,
    )


def deming(ours: np.ndarray, reference: np.ndarray) -> Line:
    """The line by Deming's regression with errors of equal SD in both columns.

    Intervals from leaving out each pair in turn, by Student's t with n - 2 degrees of freedom.

    Parameters
    ----------
    ours, reference : array of float, shape (n,)
        Finite.
    """
    why = why_unrelated(ours, reference)
    n = len(ours)
    if why:
        return Line(absent(why), absent(why), DEMING)
    x, y = reference.mean(), ours.mean()
    dx, dy = reference - x, ours - y
    sums = (dx @ dx, dy @ dy, dx @ dy)
    r = sums[2] / math.sqrt(sums[0] * sums[1])
    if abs(r) <= _UNRELATED:
        why = "the two columns do not vary together"
        return Line(absent(why), absent(why), DEMING)
    slope = _deming_slope(*sums)
    intercept = y - slope * x
    if is_perfect(r):
        return Line(estimate(slope, why=ON_A_LINE), estimate(intercept, why=ON_A_LINE), DEMING)
    # the sums without each pair in turn, and the means
    without = (s - n / (n - 1) * p for s, p in zip(sums, (dx * dx, dy * dy, dx * dy), strict=True))
    slopes = _deming_slope(*without)
    intercepts = (y - dy / (n - 1)) - slopes * (x - dx / (n - 1))
    why = "without one of the pairs the rest lie on no line"
    return Line(
        estimate(slope, _jackknife(slope, slopes), why),
        estimate(intercept, _jackknife(intercept, intercepts), why),
        DEMING,
    )


def _deming_slope(sxx, syy, sxy):
    with np.errstate(divide="ignore", invalid="ignore"):
        return (syy - sxx + np.sqrt((syy - sxx) ** 2 + 4 * sxy**2)) / (2 * sxy)


def _jackknife(value: float, without_each: np.ndarray) -> np.ndarray:
    n = len(without_each)
    pseudo = n * value - (n - 1) * without_each
    spread = pseudo.std(ddof=1) / math.sqrt(n)
    return value + stats.t.ppf(TAILS, n - 2) * spread
