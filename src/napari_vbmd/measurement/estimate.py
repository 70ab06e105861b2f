"""A number with its 95 % confidence interval, or the sentence that says why it is missing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
ON_A_LINE = "the pairs lie on a line"
_TOO_LARGE = "the values are too large or too small to compute with"
_SAME = 1e-12  # of the largest value: what is left of equal numbers after a subtraction
_PERFECT = 1e-12  # as far from 1 as rounding takes a correlation


@dataclass(frozen=True)
class Estimate:
    """A number estimated from a sample.

    Attributes
    ----------
    value : float or None
    low, high : float or None
        The 95 % confidence interval.
    missing : str
        Why the value or its interval is None; "" where both are there.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    missing: str = ""

    def __post_init__(self):
        numbers = (self.value, self.low, self.high)
        if not all(number is None or math.isfinite(number) for number in numbers):
            raise ValueError(f"not finite: {numbers}; use `estimate`")
        if None in numbers and not self.missing:
            raise ValueError("a number is missing, and nothing says why")

    def to_dict(self) -> dict:
        """Plain numbers, ready for JSON: ``value``, ``ci95``, ``missing``."""
        interval = None if self.low is None else [self.low, self.high]
        return {"value": self.value, "ci95": interval, "missing": self.missing or None}


def absent(why: str) -> Estimate:
    """No number, and why."""
    return Estimate(missing=why)


def estimate(value: float, interval: Sequence[float] | None = None, why: str = "") -> Estimate:
    """An estimate of what was computed; what is not finite becomes missing.

    Parameters
    ----------
    value : float
    interval : pair of float, optional
        Its lower and upper bound.
    why : str
        Why there is no interval, or no finite one.
    """
    if not math.isfinite(value):
        return absent(_TOO_LARGE)
    if interval is None or not np.all(np.isfinite(interval)):
        return Estimate(float(value), missing=why or _TOO_LARGE)
    return Estimate(float(value), float(interval[0]), float(interval[1]))


def too_few(count: int, needed: int) -> str:
    """Why there are too few pairs, or "" when there are enough."""
    if count >= needed:
        return ""
    pairs = "1 pair" if count == 1 else f"{count or 'no'} pairs"
    return f"{pairs} where {needed} {'is' if needed == 1 else 'are'} needed"


def is_constant(values: np.ndarray) -> bool:
    """Whether all values are equal, but for rounding."""
    return bool(np.ptp(values) <= _SAME * np.abs(values).max())


def is_perfect(r: float) -> bool:
    """Whether a correlation is 1 or -1, but for rounding."""
    return 1 - abs(r) <= _PERFECT


def why_unrelated(ours: np.ndarray, reference: np.ndarray) -> str:
    """Why nothing can be said about how two columns go together; "" when something can."""
    if why := too_few(len(ours), 3):
        return why
    which = [name for name, of in (("ours", ours), ("the reference", reference)) if is_constant(of)]
    return f"all values of {' and of '.join(which)} are equal" if which else ""


def mean_and_sd(values: np.ndarray, what: str = "values") -> tuple[Estimate, Estimate]:
    """Mean and sample SD (ddof 1), with intervals by Student's t and chi-squared.

    Both intervals hold for a sample from a normal distribution (Altman et al., Statistics with
    Confidence, 2nd ed., BMJ Books 2000). Equal values have an SD of 0 and no intervals.

    Parameters
    ----------
    values : array of float, shape (n,)
    what : str
        What the values are, for the sentence on a missing number.
    """
    n = len(values)
    if not n:
        return (absent(too_few(n, 1)),) * 2
    mean = values.mean()
    if n == 1:
        why = too_few(n, 2)
        return estimate(mean, why=why), absent(why)
    if is_constant(values):
        why = f"all {what} are equal"
        return estimate(mean, why=why), estimate(0.0, why=why)
    sd = values.std(ddof=1)
    t = stats.t.ppf(TAILS, n - 1)
    return estimate(mean, mean + t * sd / math.sqrt(n)), estimate(sd, sd * sd_factors(n - 1))


def sd_factors(degrees_of_freedom: int) -> np.ndarray:
    """What an SD is multiplied by to get the bounds of its interval, by chi-squared."""
    return np.sqrt(degrees_of_freedom / stats.chi2.ppf(TAILS[::-1], degrees_of_freedom))
