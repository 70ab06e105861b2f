"""Numbers of an agreement as people read them."""

import math

import numpy as np
import pytest

from napari_vbmd.measurement.agreement import agree
from napari_vbmd.measurement.agreement_tables import (
    agreement_lines,
    decimals_of,
    flat_row,
    number,
    p_value,
    precision_lines,
)
from napari_vbmd.measurement.precision import precision_error

DENSITY = "mg HA/cm3"


def by_name(lines):
    return {line.name: line for line in lines}


def test_densities_have_one_decimal_and_ratios_three(study):
    lines = by_name(agreement_lines(agree(*study), DENSITY))
    bias = lines["Bias (ours minus reference)"]
    assert (bias.value, bias.unit) == ("−14.0", DENSITY)
    assert bias.interval == "−15.2 to −12.8"
    assert lines["Slope, least squares"].value == "0.989"
    assert lines["ICC(2,1), absolute agreement"].value == "0.925"
    assert lines["Pearson r"].unit == "p < 0.001"
    assert lines["Bias, of the reference's mean"][1:] == ("−5.4", "", "%", "")


def test_what_is_missing_is_a_dash_with_its_sentence():
    lines = by_name(agreement_lines(agree([1], [2]), DENSITY))
    assert lines["Bias (ours minus reference)"].value == "−1.0"
    line = lines["Upper limit of agreement"]
    assert line == ("Upper limit of agreement", "–", "", "", "1 pair where 2 are needed")
    assert lines["Pearson r"].missing == "1 pair where 3 are needed"


def test_values_of_unknown_unit_have_three_digits_of_their_spread():
    assert decimals_of("", 0.0123) == 4
    assert decimals_of("", 43.2) == 1
    assert decimals_of("", 5000) == 0
    assert decimals_of("", None) == decimals_of("", 0.0) == decimals_of("", math.inf) == 3
    assert decimals_of("mm2", 43.2) == 2


def test_a_number_has_a_true_minus_and_zero_no_sign():
    assert number(-1.25, 1) == "−1.2"
    assert number(1.26, 1, "+") == "+1.3"
    assert number(-0.04, 1) == number(0.04, 1, "+") == "0.0"
    assert number(None, 1) == "–"


def test_a_p_is_never_zero():
    assert p_value(1e-300) == p_value(0.0) == "p < 0.001"
    assert p_value(0.0312) == "p = 0.031"
    assert p_value(None) == ""


def test_precision_is_told_with_its_degrees_of_freedom(peak_flow):
    patients = np.repeat(np.arange(17), 2)
    found = precision_error(peak_flow.large.ravel(), patients)
    lines = precision_lines(found, DENSITY, "ours")
    assert lines[0].name == "Precision error, ours, RMS SD"
    assert lines[0].value == f"{found.rms_sd.value:.2f}"
    assert [line.unit for line in lines] == [DENSITY, "%", DENSITY, "%", ""]
    assert lines[-1].value == "17"


def test_a_flat_row_holds_every_number_with_its_interval(study):
    found = agree(*study)
    row = flat_row(found.to_dict())
    assert row["n"] == 30
    limit = found.bland_altman.upper_limit
    names = ("bland_altman_upper_limit", "bland_altman_upper_limit_low")
    assert [row[name] for name in names] == [limit.value, limit.low]
    assert row["pearson_p"] == found.pearson.p
    assert row["least_squares_slope_high"] == found.least_squares.slope.high
    assert row["bland_altman_bias_percent_low"] is None
    assert all(value is None or isinstance(value, int | float) for value in row.values())


def test_a_flat_row_of_one_pair_has_empty_cells():
    row = flat_row(agree([1], [2]).to_dict())
    assert row["icc"] is row["icc_low"] is row["pearson_p"] is None
    assert row["bland_altman_bias"] == pytest.approx(-1)
