"""A number has an interval, or a sentence that says why not."""

import json
import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from napari_vbmd.measurement.estimate import (
    Estimate,
    absent,
    estimate,
    is_constant,
    mean_and_sd,
    too_few,
    why_unrelated,
)


def test_an_estimate_is_plain_json():
    assert json.dumps(estimate(np.float64(1), np.array([0.0, 2.0])).to_dict()) == (
        '{"value": 1.0, "ci95": [0.0, 2.0], "missing": null}'
    )
    assert absent("why").to_dict() == {"value": None, "ci95": None, "missing": "why"}
    assert estimate(1, why="why").to_dict() == {"value": 1.0, "ci95": None, "missing": "why"}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_becomes_missing_with_a_sentence(value):
    assert estimate(value, (0, 1)) == absent(estimate(value).missing)
    assert "too large or too small" in estimate(value).missing
    half = estimate(1.0, (0.0, value), "the rest lie on no line")
    assert (half.value, half.low, half.high) == (1.0, None, None)
    assert half.missing == "the rest lie on no line"


def test_no_estimate_can_hold_nan_or_keep_silent():
    with pytest.raises(ValueError, match="not finite"):
        Estimate(math.nan, 0.0, 1.0)
    with pytest.raises(ValueError, match="nothing says why"):
        Estimate(1.0)


def test_mean_and_its_interval_are_those_of_statsmodels(study):
    mean, _ = mean_and_sd(study[0])
    theirs = DescrStatsW(study[0])
    assert mean.value == pytest.approx(theirs.mean)
    assert (mean.low, mean.high) == pytest.approx(theirs.tconfint_mean(0.05))


def test_the_interval_of_an_sd_is_that_of_a_chi_squared_variance(study):
    values = study[0]
    _, sd = mean_and_sd(values)
    assert sd.value == pytest.approx(np.std(values, ddof=1))
    squares = ((values - values.mean()) ** 2).sum()
    # the bounds are where the sum of squares would be a surprise of 2.5 % on either side
    assert stats.chi2.sf(squares / sd.low**2, 29) == pytest.approx(0.025)
    assert stats.chi2.cdf(squares / sd.high**2, 29) == pytest.approx(0.025)


def test_too_few_values_say_how_many_are_needed():
    assert mean_and_sd(np.array([]))[0] == absent("no pairs where 1 is needed")
    mean, sd = mean_and_sd(np.array([5.0]))
    assert (mean.value, mean.missing) == (5.0, "1 pair where 2 are needed")
    assert sd == absent("1 pair where 2 are needed")
    assert too_few(3, 3) == ""


def test_equal_values_have_an_sd_of_zero_and_no_interval():
    mean, sd = mean_and_sd(np.full(4, 279.3), "differences")
    assert (mean.value, sd.value) == (279.3, 0.0)
    assert mean.missing == sd.missing == "all differences are equal"


def test_what_rounding_leaves_of_equal_differences_counts_as_equal():
    ours = np.array([1.1, 2.2, 3.3, 4.5])
    differences = ours - (ours + 5)
    assert np.ptp(differences) > 0
    assert is_constant(differences)
    assert not is_constant(np.array([279.3, 279.3000001]))


def test_columns_that_cannot_be_related_say_which_is_constant():
    rising, flat = np.arange(4.0), np.ones(4)
    assert why_unrelated(rising, rising) == ""
    assert why_unrelated(flat, rising) == "all values of ours are equal"
    assert why_unrelated(rising, flat) == "all values of the reference are equal"
    assert why_unrelated(flat, flat) == "all values of ours and of the reference are equal"
    assert why_unrelated(rising[:2], rising[:2]) == "2 pairs where 3 are needed"
