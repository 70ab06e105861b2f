"""Correlation of paired values, and the intraclass correlation, which asks for equal ones."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .estimate import (
    ON_A_LINE,
    TAILS,
    Estimate,
    absent,
    estimate,
    is_constant,
    is_perfect,
    too_few,
    why_unrelated,
)

ICC_MODEL = "ICC(2,1) = ICC(A,1): two-way random, absolute agreement, single measurement"
_MOST_EXACT = 8  # pairs, of which all 40320 orders are counted for Spearman's p


@dataclass(frozen=True)
class Correlation:
    """A coefficient of correlation, -1 to 1.

    Attributes
    ----------
    r : Estimate
    p : float or None
        Two-sided, of no correlation; None when r is.
    """

    r: Estimate
    p: float | None = None

    def to_dict(self) -> dict:
        """Plain numbers, ready for JSON."""
        return self.r.to_dict() | {"p": self.p}


def pearson(ours: np.ndarray, reference: np.ndarray) -> Correlation:
    """Pearson's r; p by Student's t, interval by Fisher's transform.

    Parameters
    ----------
    ours, reference : array of float, shape (n,)
        Finite.
    """
    if why := why_unrelated(ours, reference):
        return Correlation(absent(why))
    r, p = stats.pearsonr(ours, reference)
    return _correlation(r, p, len(ours), 1.0, ON_A_LINE)


def spearman(ours: np.ndarray, reference: np.ndarray) -> Correlation:
    """Spearman's rho, ties by mean rank.

    p by counting all orders up to 8 pairs, by Student's t above; interval after Bonett and Wright
    2000 (Psychometrika 65:23), Fisher's transform with a variance of (1 + rho^2 / 2) / (n - 3).

    Parameters
    ----------
    ours, reference : array of float, shape (n,)
        Finite.
    """
    if why := why_unrelated(ours, reference):
        return Correlation(absent(why))
    rho, p = stats.spearmanr(ours, reference)
    if len(ours) <= _MOST_EXACT:
        p = _exact_p(stats.rankdata(ours), stats.rankdata(reference))
    return _correlation(rho, p, len(ours), 1 + rho**2 / 2, "the order is the same, or reversed")


def icc_agreement(table: np.ndarray) -> Estimate:
    """The intraclass correlation for absolute agreement, ICC(2,1).

    Two-way random effects, single measurement: ICC(2,1) of Shrout and Fleiss 1979 (Psychol Bull
    86:420), ICC(A,1) of McGraw and Wong 1996 (Psychol Methods 1:30), whose interval it has. Unlike
    Pearson's r it falls when one method reads higher than the other.

    Parameters
    ----------
    table : array of float, shape (patients, methods)
        Finite; two methods at least.
    """
    n, k = table.shape
    if why := too_few(n, 3):
        return absent(why)
    if any(is_constant(column) for column in table.T):
        return absent("all values of a column are equal")
    table = table - table.mean()
    rows, columns = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    between = k * (rows**2).sum() / (n - 1)
    methods = n * (columns**2).sum() / (k - 1)
    error = ((table - rows - columns) ** 2).sum() / ((n - 1) * (k - 1))
    icc = (between - error) / (between + (k - 1) * error + k / n * (methods - error))
    if icc > 0 and is_perfect(icc):
        return estimate(min(icc, 1.0), why="the columns are the same")
    with np.errstate(all="ignore"):  # its degrees of freedom may come out as 0 / 0
        low, high = _icc_interval(icc, between, methods, error, n, k)
    interval = (low, high) if low <= icc <= high else None  # NaN is neither
    return estimate(icc, interval, "its interval is not defined this far below 0")


def _icc_interval(icc, between, methods, error, n: int, k: int) -> tuple[float, float]:
    """McGraw and Wong 1996, table 7; mean squares between patients, of methods, of error."""
    a = k * icc / (n * (1 - icc))
    b = 1 + k * icc * (n - 1) / (n * (1 - icc))
    freedom = (a * methods + b * error) ** 2 / (
        (a * methods) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    )
    rest = k * methods + (k * n - k - n) * error
    f_low = stats.f.ppf(TAILS[1], n - 1, freedom)
    f_high = stats.f.ppf(TAILS[1], freedom, n - 1)
    low = n * (between - f_low * error) / (f_low * rest + n * between)
    high = n * (f_high * between - error) / (rest + n * f_high * between)
    return low, high


def _correlation(r: float, p: float, n: int, variance: float, why: str) -> Correlation:
    """With an interval by Fisher's transform, whose variance times n - 3 is given.

    ``why`` says what it means that r is 1 or -1, in which case there is none.
    """
    r = max(-1.0, min(1.0, float(r)))
    if is_perfect(r):
        return Correlation(estimate(r, why=why), float(p))
    if why := too_few(n, 4):
        return Correlation(estimate(r, why=why), float(p))
    bounds = math.atanh(r) + stats.norm.ppf(TAILS) * math.sqrt(variance / (n - 3))
    return Correlation(estimate(r, np.tanh(bounds)), float(p))


def _exact_p(ours: np.ndarray, reference: np.ndarray) -> float:
    """Two-sided p of the sum of products of ranks, over all orders of the pairs."""
    done = stats.permutation_test(
        (ours,),
        lambda ranks, axis=-1: (ranks * reference).sum(axis=axis),
        permutation_type="pairings",
        vectorized=True,
        n_resamples=math.factorial(_MOST_EXACT),
    )
    return done.pvalue
