import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import MissingCalibrationError
from napari_vbmd.io.aim_log import calibration_entries, calibration_of
from napari_vbmd.io.processing_log import format_log, parse_log

# The layout of a real log: keys padded to 30 columns, numbers set to the right.
LOG = """!
! Processing Log
!
!-------------------------------------------------------------------------------
Created by                    ISQ_TO_AIM (IPL)
Time                           4-APR-2023 12:38:59.06
Original file                 DK0:[MICROCT.DATA]HAND.ISQ;1
Orig-ISQ-Dim-p                                   1536       1536        240
!-------------------------------------------------------------------------------
Patient Name                  Doe, Jane
Index Patient                                    2567
Integration time [us]                          100000
No. projections per 180                           900
Mu_Scaling                                       8192
HU: mu water                                  0.24090
Density: unit                 mg HA/ccm
Density: slope                         1.60351904e+03
Density: intercept                    -3.91209015e+02
Empty
"""
DENSITY = {
    "Density: unit": "mg HA/ccm",
    "Density: slope": "1603.5",
    "Density: intercept": "-391.2",
}


def test_the_entries_are_read_in_order_without_rules_and_padding():
    entries = parse_log(LOG)
    assert list(entries)[:3] == ["Created by", "Time", "Original file"]
    assert entries["Created by"] == "ISQ_TO_AIM (IPL)"
    assert entries["Original file"] == "DK0:[MICROCT.DATA]HAND.ISQ;1"
    assert entries["Orig-ISQ-Dim-p"].split() == ["1536", "1536", "240"]
    assert entries["Patient Name"] == "Doe, Jane"
    assert entries["Index Patient"] == "2567"
    assert entries["No. projections per 180"] == "900"
    assert entries["Empty"] == ""
    assert not any(key.startswith("!") for key in entries)


def test_of_a_repeated_key_the_last_one_counts():
    log = "Minimum value                 1\nMaximum value                 9\n" * 2
    assert parse_log(log + "Minimum value                 3\n") == {
        "Minimum value": "3",
        "Maximum value": "9",
    }


@pytest.mark.parametrize("log", ["", "\n\n", "!\n!---\n", "\0"])
def test_an_empty_log_has_no_entries(log):
    assert parse_log(log) == {}


def test_a_log_returns_as_it_was_written():
    entries = {
        "Created by": "napari-vbmd",
        "Site": "4",
        "Empty": "",
        "A key of exactly 30 characters": "x",
        "A key of twenty-nine letters.": "x",
        "A key that is longer than its column of 30": "y",
        "Path": r"C:\data\hand one.isq",
        "Umlaut": "Müller",
    }
    assert parse_log(format_log(entries)) == entries


def test_a_value_of_several_lines_stays_one_entry():
    assert parse_log(format_log({"Remark": "one\ntwo\r\nMu_Scaling  1"})) == {
        "Remark": "one two Mu_Scaling  1"
    }


def test_the_layout_is_the_scanners():
    lines = format_log({"Mu_Scaling": 8192}).splitlines()
    assert lines[:3] == ["!", "! Processing Log", "!"]
    assert lines[4] == "Mu_Scaling                    8192".ljust(80)


def test_the_calibration_is_read_from_the_log():
    assert calibration_of(parse_log(LOG)) == Calibration(
        8192.0, 0.2409, 1603.51904, -391.209015, source="AIM log"
    )


def test_a_log_without_density_says_so():
    calibration = calibration_of({"Mu_Scaling": "8192"})
    assert calibration.mu_scaling == 8192.0
    with pytest.raises(MissingCalibrationError, match="the log carries no density constants"):
        calibration.linear("native", "density")


@pytest.mark.parametrize("unit", ["mg K2HPO4/ccm", "g/cm3", ""])
def test_a_density_in_a_foreign_unit_is_refused_with_the_reason(unit):
    calibration = calibration_of({**DENSITY, "Mu_Scaling": "8192", "Density: unit": unit})
    assert calibration.density_slope is None
    with pytest.raises(MissingCalibrationError, match=f"'{unit}', not mg HA/ccm"):
        calibration.linear("native", "density")


@pytest.mark.parametrize("value", ["", "abc", "nan", "inf", "1e999"])
@pytest.mark.parametrize("key", ["Mu_Scaling", "HU: mu water", *list(DENSITY)[1:]])
def test_a_constant_that_is_no_number_is_unknown(key, value):
    entries = {"Mu_Scaling": "8192", "HU: mu water": "0.24", **DENSITY}
    whole, damaged = calibration_of(entries), calibration_of({**entries, key: value})
    assert None not in whole.constants().values()
    assert None in damaged.constants().values()


@pytest.mark.parametrize("value", ["0", "-8192"])
@pytest.mark.parametrize("key", ["Mu_Scaling", "HU: mu water", "Density: slope"])
def test_a_constant_that_must_be_positive_is_unknown_otherwise(key, value):
    entries = {"Mu_Scaling": "8192", "HU: mu water": "0.24", **DENSITY, key: value}
    assert None in calibration_of(entries).constants().values()


def test_constants_return_from_a_log_as_they_were(calibration):
    read = calibration_of(parse_log(format_log(calibration_entries(calibration))))
    ours, theirs = calibration.constants(), read.constants()
    for name in set(ours) - {"source"}:
        assert theirs[name] == pytest.approx(ours[name], rel=1e-8)


def test_a_large_or_broken_mu_scaling_keeps_its_digits():
    for value in (1234567.0, 8192.125):
        entries = calibration_entries(Calibration(mu_scaling=value))
        assert calibration_of(entries).mu_scaling == value


def test_unknown_constants_are_not_written():
    assert calibration_entries(Calibration()) == {}
    assert list(calibration_entries(Calibration(density_slope=1600.0))) == []
