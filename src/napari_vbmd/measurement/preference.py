"""Which of two sources a rater prefers: a share of the decided cases, and how sure it is."""

from dataclasses import dataclass

from scipy import stats

from ..errors import ParameterError
from .estimate import LEVEL, Estimate, absent, estimate

METHOD = "Clopper-Pearson interval; two-sided exact binomial test against one half"


@dataclass(frozen=True)
class Preference:
    """How often one of two sources was preferred.

    Attributes
    ----------
    preferred, other : int
        Cases in which this source, and in which the other one, was preferred.
    equal : int
        Cases in which both were equally good: they are told, and decide nothing.
    share : Estimate
        ``preferred`` of the decided cases, 0 to 1; missing where none was decided.
    p_value : float or None
        Two-sided, of the hypothesis that either source is preferred as often; None as the share.
    """

    preferred: int
    other: int
    equal: int
    share: Estimate
    p_value: float | None

    @property
    def decided(self) -> int:
        """Cases in which one of the two was preferred."""
        return self.preferred + self.other

    def to_dict(self) -> dict:
        """Plain numbers, ready for JSON."""
        return vars(self) | {"share": self.share.to_dict()}


def preference(preferred: int, other: int, equal: int = 0) -> Preference:
    """Share of the decided cases in which a source was preferred, with interval and p.

    Parameters
    ----------
    preferred, other, equal : int
        Cases, each of them rated once and independent of the others.

    Returns
    -------
    Preference

    Raises
    ------
    ParameterError
        When a count is not a whole number from zero.

    Notes
    -----
    As in Folle et al. 2021 (Sci Rep 11:9697), equally good cases are left out of the share. The
    interval is the exact one of Clopper and Pearson 1934 (Biometrika 26:404): it never covers less
    often than 95 %, also with few cases, and it holds 50 % just where the exact test's p is above
    0.05, so that the two cannot contradict each other. Wilson's is narrower, but covers 95 % only
    on average (Brown et al. 2001, Stat Sci 16:101).

    Examples
    --------
    >>> share = preference(15, 5, equal=2).share
    >>> f"{share.value:.2f}, {share.low:.2f} to {share.high:.2f}"
    '0.75, 0.51 to 0.91'
    """
    counts = preferred, other, equal
    if not all(count >= 0 and float(count).is_integer() for count in counts):
        raise ParameterError(f"counts {counts} of a preference: give whole numbers from zero")
    preferred, other, equal = map(int, counts)
    if not preferred + other:
        return Preference(preferred, other, equal, absent(_undecided(equal)), None)
    test = stats.binomtest(preferred, preferred + other)
    share = estimate(test.statistic, test.proportion_ci(LEVEL, method="exact"))
    return Preference(preferred, other, equal, share, float(test.pvalue))


def _undecided(equal: int) -> str:
    if not equal:
        return "no case was rated: there is no preference to give"
    cases = "the one case was" if equal == 1 else f"all {equal} cases were"
    return f"{cases} rated equally good: there is no preference to give"
