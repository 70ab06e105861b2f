"""How well two measurements of one quantity agree over a study: ours, and a reference.

As Folle et al. 2021 compared the network's D100 with the expert's: regression, Bland-Altman,
Pearson, Spearman and ICC. What each number is, and its source, stands in docs/agreement.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from .bland_altman import BlandAltman, bland_altman
from .correlation import ICC_MODEL, Correlation, icc_agreement, pearson, spearman
from .estimate import Estimate, is_constant, mean_and_sd
from .pairs import LeftOut, Pairs, pair_up
from .regression import Line, deming, least_squares

_DOUBT = 0.01  # p below which an assumption is said to be doubtful
_FEWEST_TO_DOUBT = 8
_MOST_TO_TEST = 5000  # pairs, for which Shapiro and Wilk's test is made


@dataclass(frozen=True)
class Agreement:
    """Agreement of ours with a reference, in the unit of the values.

    Attributes
    ----------
    pairs : Pairs
        What was used, with its rows, and what was left out, with the reason.
    ours_mean, ours_sd, reference_mean, reference_sd : Estimate
    bland_altman : BlandAltman
        Of ours minus the reference.
    least_squares, deming : Line
        Of ours over the reference.
    pearson, spearman : Correlation
    icc : Estimate
        ICC(2,1), absolute agreement.
    warnings : list of str
        What a reader must know before using the numbers.
    """

    pairs: Pairs
    ours_mean: Estimate
    ours_sd: Estimate
    reference_mean: Estimate
    reference_sd: Estimate
    bland_altman: BlandAltman
    least_squares: Line
    deming: Line
    pearson: Correlation
    spearman: Correlation
    icc: Estimate
    warnings: list[str] = field(default_factory=list)

    @property
    def n(self) -> int:
        """How many pairs were used."""
        return len(self.pairs.rows)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """The rows that were not, and why."""
        return self.pairs.left_out

    def to_dict(self) -> dict:
        """Plain numbers, ready for JSON; each that is missing is None, with a sentence beside."""
        names = ("ours_mean", "ours_sd", "reference_mean", "reference_sd", "bland_altman",
                 "least_squares", "deming", "pearson", "spearman")  # fmt: skip
        return {
            "n": self.n,
            "left_out": [one._asdict() for one in self.left_out],
            **{name: getattr(self, name).to_dict() for name in names},
            "icc": self.icc.to_dict() | {"model": ICC_MODEL},
            "warnings": self.warnings,
        }


def agree(ours: Sequence, reference: Sequence) -> Agreement:
    """Agreement of two columns, each row one patient.

    Parameters
    ----------
    ours, reference : sequence of float or None, length n
        In one unit. Rows in which a value is missing or not finite are left out, and said so.

    Returns
    -------
    Agreement
        Also of few or equal values: what cannot be computed is None, and says why.

    Raises
    ------
    ParameterError
        When the lengths differ, or a value is no number.
    """
    pairs = pair_up(ours, reference)
    x, y = pairs.ours, pairs.reference
    return Agreement(
        pairs,
        *mean_and_sd(x),
        *mean_and_sd(y),
        bland_altman(x, y),
        least_squares(x, y),
        deming(x, y),
        pearson(x, y),
        spearman(x, y),
        icc_agreement(np.column_stack((x, y))),
        _warnings(x, y),
    )


def _warnings(ours: np.ndarray, reference: np.ndarray) -> list[str]:
    """Where the limits of agreement rest on what does not seem to be so."""
    differences, means = ours - reference, (ours + reference) / 2
    if len(ours) < _FEWEST_TO_DOUBT or is_constant(differences) or is_constant(means):
        return []
    found = []
    r, p = stats.pearsonr(means, differences)
    if p < _DOUBT:
        found.append(
            f"the difference changes with the size of the values (r {r:.2f}, p {p:.2g}): bias and "
            "limits hold for the middle of the range (Bland and Altman 1999)"
        )
    if len(ours) <= _MOST_TO_TEST and (p := stats.shapiro(differences).pvalue) < _DOUBT:
        found.append(
            f"the differences do not look normal (Shapiro-Wilk p {p:.2g}), on which limits and "
            "intervals rest: look for outliers"
        )
    return found
