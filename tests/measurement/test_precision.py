"""Precision error, beside published numbers and an analysis of variance."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from napari_vbmd.errors import ParameterError
from napari_vbmd.measurement.pairs import LeftOut
from napari_vbmd.measurement.precision import precision_error


def long_form(table: np.ndarray) -> tuple[list[float], list[int]]:
    """Values and patients, row by row."""
    return table.ravel().tolist(), np.repeat(np.arange(len(table)), table.shape[1]).tolist()


def test_peak_flow_gives_the_published_repeatability(peak_flow):
    """Bland and Altman 1986: coefficients of 43.2 and 56.4 l/min, 2 SD of a difference."""
    for table, published in ((peak_flow.large, 43.2), (peak_flow.mini, 56.4)):
        found = precision_error(*long_form(table))
        assert 2 * math.sqrt(2) * found.rms_sd.value == pytest.approx(published, abs=0.1)
        assert (found.patients, found.measurements, found.degrees_of_freedom) == (17, 34, 17)


def test_rms_sd_of_unequal_repeats_is_the_residual_of_an_analysis_of_variance():
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(9), [2, 3, 4, 2, 2, 5, 3, 2, 3])
    values = 280 + 30 * rng.normal(size=9)[patients] + 3 * rng.normal(size=len(patients))
    found = precision_error(values, patients)
    fit = smf.ols("v ~ C(p)", pd.DataFrame({"v": values, "p": patients})).fit()
    assert found.rms_sd.value == pytest.approx(math.sqrt(fit.mse_resid))
    assert found.degrees_of_freedom == fit.df_resid


def test_rms_cv_is_the_root_mean_square_of_each_patients():
    table = np.array([[100.0, 104.0], [200.0, 194.0], [300.0, 303.0]])
    found = precision_error(*long_form(table))
    each = 100 * table.std(1, ddof=1) / table.mean(1)
    assert found.rms_cv_percent.value == pytest.approx(math.sqrt((each**2).mean()))


def test_least_significant_change_is_2_77_times_the_error(peak_flow):
    found = precision_error(*long_form(peak_flow.mini))
    for change, error in (
        (found.lsc, found.rms_sd),
        (found.lsc_percent, found.rms_cv_percent),
    ):
        assert change.value == pytest.approx(2.77 * error.value)
        assert (change.low, change.high) == pytest.approx((2.77 * error.low, 2.77 * error.high))


def test_intervals_are_those_of_a_chi_squared_variance(peak_flow):
    found = precision_error(*long_form(peak_flow.mini))
    for error in (found.rms_sd, found.rms_cv_percent):
        assert stats.chi2.sf(17 * (error.value / error.low) ** 2, 17) == pytest.approx(0.025)
        assert stats.chi2.cdf(17 * (error.value / error.high) ** 2, 17) == pytest.approx(0.025)


def test_intervals_hold_as_often_as_they_say():
    rng, held = np.random.default_rng(0), 0
    for _ in range(1000):
        found = precision_error(*long_form(300 + rng.normal(0, 2.0, (6, 3)))).rms_sd
        held += found.low < 2.0 < found.high
    assert held / 1000 == pytest.approx(0.95, abs=0.025)


def test_too_few_degrees_of_freedom_are_a_warning():
    """27, with which the true error lies at most 30 % above, with 95 % confidence."""
    assert (
        math.sqrt(27 / stats.chi2.ppf(0.05, 27)) < 1.30 < math.sqrt(24 / stats.chi2.ppf(0.05, 24))
    )
    table = np.random.default_rng(0).normal(300, 2, (27, 2))
    assert precision_error(*long_form(table)).warnings == []
    assert "26 degrees of freedom" in precision_error(*long_form(table[:26])).warnings[0]


def test_rows_that_cannot_be_used_are_left_out_with_the_reason():
    values = [1.0, 2.0, None, math.inf, 5.0, 6.0, 7.0]
    found = precision_error(values, ["a", "a", "a", "b", "b", None, "c"])
    assert found.left_out == (
        LeftOut(2, "is missing"),
        LeftOut(3, "is not finite"),
        LeftOut(4, "the patient's only measurement"),
        LeftOut(5, "no patient"),
        LeftOut(6, "the patient's only measurement"),
    )
    assert (found.patients, found.measurements) == (1, 2)


def test_without_repeats_everything_is_missing_and_says_so():
    found = precision_error([1.0, 2.0], ["a", "b"])
    for one in (found.rms_sd, found.lsc, found.rms_cv_percent, found.lsc_percent):
        assert one.to_dict() == {
            "value": None, "ci95": None, "missing": "no patient was measured twice",
        }  # fmt: skip
    assert found.warnings == []
    assert precision_error([], []).rms_sd.missing == "no patient was measured twice"


def test_equal_repeats_have_an_error_of_zero_without_an_interval():
    found = precision_error([5.0, 5.0, 7.1, 7.1], ["a", "a", "b", "b"])
    assert found.rms_sd.value == found.lsc.value == 0
    assert found.lsc.missing == "all measurements of each patient are equal"


def test_a_mean_that_is_not_above_zero_has_no_cv():
    found = precision_error([-1.0, 1.0, 5.0, 6.0], ["a", "a", "b", "b"])
    assert found.rms_cv_percent.missing == "the mean of a patient's measurements is not above 0"
    assert found.rms_sd.value is not None


def test_the_numbers_are_plain_json(peak_flow):
    values, patients = long_form(peak_flow.large)
    content = json.loads(json.dumps(precision_error([*values, None], [*patients, 3]).to_dict()))
    assert content["rms_sd"]["ci95"][0] < content["rms_sd"]["value"]
    assert content["left_out"] == [{"row": 34, "reason": "is missing"}]


def test_wrong_input_is_refused():
    with pytest.raises(ParameterError, match="values: 1 values where 2"):
        precision_error([1.0], ["a", "b"])
