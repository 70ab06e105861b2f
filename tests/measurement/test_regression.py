"""The two lines, beside statsmodels and a principal axis."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from napari_vbmd.measurement.regression import deming, least_squares


def test_least_squares_is_that_of_statsmodels(study):
    ours, reference = study
    line = least_squares(ours, reference)
    theirs = sm.OLS(ours, sm.add_constant(reference)).fit()
    assert (line.intercept.value, line.slope.value) == pytest.approx(tuple(theirs.params))
    low, high = theirs.conf_int().T
    assert (line.intercept.low, line.slope.low) == pytest.approx(tuple(low))
    assert (line.intercept.high, line.slope.high) == pytest.approx(tuple(high))


def principal_axis(ours, reference) -> tuple[float, float]:
    """Slope and intercept of the direction in which the pairs vary most."""
    points = np.column_stack((reference, ours))
    direction = np.linalg.svd(points - points.mean(0))[2][0]
    slope = direction[1] / direction[0]
    return slope, ours.mean() - slope * reference.mean()


def test_deming_is_the_principal_axis(study):
    line = deming(*study)
    assert (line.slope.value, line.intercept.value) == pytest.approx(principal_axis(*study))


def test_demings_intervals_are_a_jackknife(study):
    ours, reference = study
    n = len(ours)
    without = np.array(
        [principal_axis(np.delete(ours, i), np.delete(reference, i)) for i in range(n)]
    )
    error = np.sqrt((n - 1) / n * ((without - without.mean(0)) ** 2).sum(0))
    t = stats.t.ppf(0.975, n - 2)
    line = deming(*study)
    for one, se in zip((line.slope, line.intercept), error, strict=True):
        assert (one.low, one.high) == pytest.approx((one.value - t * se, one.value + t * se))


def test_deming_is_the_same_from_either_side_and_least_squares_is_not(peak_flow):
    large, mini = peak_flow.large[:, 0], peak_flow.mini[:, 0]
    forth, back = deming(large, mini), deming(mini, large)
    assert forth.slope.value == pytest.approx(1 / back.slope.value)
    product = least_squares(large, mini).slope.value * least_squares(mini, large).slope.value
    assert product == pytest.approx(np.corrcoef(large, mini)[0, 1] ** 2)


def test_error_in_the_reference_flattens_least_squares_but_not_deming():
    rng = np.random.default_rng(0)
    true = rng.normal(280, 40, 4000)
    ours, reference = true + rng.normal(0, 20, 4000), true + rng.normal(0, 20, 4000)
    assert least_squares(ours, reference).slope.value == pytest.approx(0.8, abs=0.03)
    assert deming(ours, reference).slope.value == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("fit", [least_squares, deming])
def test_pairs_on_a_line_give_it_without_an_interval(fit):
    reference = np.array([1.1, 2.2, 3.3, 4.5])
    line = fit(2 * reference + 1, reference)
    assert (line.slope.value, line.intercept.value) == pytest.approx((2, 1))
    assert line.slope.missing == line.intercept.missing == "the pairs lie on a line"


@pytest.mark.parametrize("fit", [least_squares, deming])
def test_too_few_or_equal_values_give_no_line(fit):
    two = np.array([1.0, 2.0])
    assert fit(two, two).slope.missing == "2 pairs where 3 are needed"
    rising, flat = np.arange(4.0), np.ones(4)
    assert fit(rising, flat).slope.missing == "all values of the reference are equal"
    assert fit(flat, rising).intercept.missing == "all values of ours are equal"


def test_columns_that_do_not_vary_together_have_no_deming_line():
    square = np.array([1.0, 1.0, 2.0, 2.0]), np.array([1.0, 2.0, 1.0, 2.0])
    assert deming(*square).slope.missing == "the two columns do not vary together"
    assert least_squares(*square).slope.value == pytest.approx(0)


def test_a_pair_that_holds_the_line_alone_leaves_no_interval():
    square = np.array([1.0, 1.0, 2.0, 2.0, 9.0]), np.array([1.0, 2.0, 1.0, 2.0, 9.0])
    line = deming(*square)
    assert line.slope.value == pytest.approx(1)
    assert line.slope.missing == "without one of the pairs the rest lie on no line"
