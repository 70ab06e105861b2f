import json
import math

import numpy as np
import pytest

from napari_vbmd.calibration import UNITS, Calibration, Linear
from napari_vbmd.errors import MissingCalibrationError, ParameterError

# Round numbers, so that the answers below can be worked out by hand.
ROUND = Calibration(
    mu_scaling=8192, mu_water_per_cm=0.25, density_slope=1600, density_intercept=-400
)
CONSTANTS = {
    "mu_scaling": ("--mu-scaling", {"native"}),
    "mu_water_per_cm": ("--mu-water", {"hu"}),
    "density_slope": ("--slope", {"density"}),
    "density_intercept": ("--intercept", {"density"}),
}
PAIRS = [(a, b) for a in UNITS for b in UNITS if a != b]


@pytest.mark.parametrize(
    ("native", "mu", "hu", "density"),
    [
        (0, 0.0, -1000.0, -400.0),  # air
        (2048, 0.25, 0.0, 0.0),  # water: 0.25 * 1600 - 400
        (4096, 0.5, 1000.0, 400.0),
        (-8192, -1.0, -5000.0, -2000.0),
    ],
)
def test_every_conversion_gives_the_value_worked_out_by_hand(native, mu, hu, density):
    values = {"native": native, "mu": mu, "hu": hu, "density": density}
    for source, target in PAIRS:
        converted = ROUND.linear(source, target)(values[source])
        assert converted == pytest.approx(values[target], abs=1e-9), (source, target)


def test_the_constants_of_the_real_joint_give_its_known_density(calibration):
    # 1000 HU is twice the attenuation of water: 2 * 0.2409 * 1603.51904 - 391.209015
    assert calibration.linear("hu", "density")(1000.0) == pytest.approx(381.366458, abs=1e-5)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_there_and_back_is_where_one_started(calibration, source, target):
    values = np.linspace(-3000.0, 3000.0, 101)
    there = calibration.linear(source, target)(values)
    np.testing.assert_allclose(calibration.linear(target, source)(there), values, atol=1e-8)


def test_int16_voxels_become_floating_point_and_do_not_wrap_around(calibration):
    native = np.array([-32768, 32767], np.int16)
    density = calibration.linear("native", "density")(native)
    assert density.dtype.kind == "f"
    assert density[1] - density[0] == pytest.approx(65535 / 8192 * 1603.51904)


def test_a_unit_converts_to_itself_without_any_constant():
    for unit in UNITS:
        assert Calibration().linear(unit, unit) == Linear(1.0, 0.0)


def test_an_unknown_unit_is_refused(calibration):
    with pytest.raises(ParameterError, match="'bmd' is not known"):
        calibration.linear("native", "bmd")


def test_no_constant_has_a_default():
    assert all(getattr(Calibration(), name) is None for name in CONSTANTS)


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("name", CONSTANTS)
def test_a_missing_constant_is_asked_for_where_the_question_needs_it(name, source, target):
    option, units = CONSTANTS[name]
    known = {n: getattr(ROUND, n) for n in CONSTANTS if n != name}
    if units & {source, target}:
        with pytest.raises(MissingCalibrationError, match=option) as caught:
            Calibration(**known).linear(source, target)
        others = [o for o, _ in CONSTANTS.values() if o != option]
        assert not any(o in str(caught.value) for o in others), "only what is missing is asked for"
    else:
        Calibration(**known).linear(source, target)


def test_a_missing_calibration_is_also_a_value_error_and_says_why_the_file_has_none():
    uncalibrated = Calibration(mu_scaling=8192, problem="the ISQ carries mu_scaling only")
    with pytest.raises(ValueError, match="the ISQ carries mu_scaling only"):
        uncalibrated.linear("native", "density")


@pytest.mark.parametrize("name", CONSTANTS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_constant_that_is_not_finite_is_refused(name, value):
    with pytest.raises(ParameterError, match=CONSTANTS[name][0]):
        Calibration(**{name: value})


@pytest.mark.parametrize("name", ["mu_scaling", "mu_water_per_cm", "density_slope"])
@pytest.mark.parametrize("value", [0, -1.0])
def test_a_constant_that_must_be_positive_is_refused_otherwise(name, value):
    with pytest.raises(ParameterError, match=CONSTANTS[name][0]):
        Calibration(**{name: value})


@pytest.mark.parametrize("value", [0.0, -391.2, 12.0])
def test_the_intercept_may_have_any_sign(value):
    assert Calibration(density_intercept=value).density_intercept == value


def test_the_users_constants_replace_those_of_the_file_and_none_leaves_one_be():
    file = Calibration(8192, 0.24, 1600, -390, source="AIM log")
    ours = file.updated(density_slope=1700.0, mu_scaling=None)
    assert (ours.density_slope, ours.mu_scaling, ours.density_intercept) == (1700.0, 8192, -390)
    assert ours.source == "AIM log, in part given by the user"
    assert file.density_slope == 1600, "the file's own stay as they are"


def test_no_constant_given_changes_nothing(calibration):
    assert calibration.updated(mu_scaling=None, density_slope=None) is calibration


def test_constants_given_one_after_the_other_name_the_user_once():
    calibration = Calibration()
    for name in CONSTANTS:
        calibration = calibration.updated(**{name: 2.0})
    assert calibration.source == "given by the user"


def test_the_users_density_constants_answer_the_files_problem():
    file = Calibration(8192, source="ISQ header", problem="no density constants")
    assert file.updated(density_slope=1600.0).problem == "no density constants"
    assert file.updated(density_slope=1600.0, density_intercept=-390.0).problem == ""


def test_the_users_constants_are_checked_too(calibration):
    with pytest.raises(ParameterError, match="--mu-water"):
        calibration.updated(mu_water_per_cm=0.0)


def test_the_constants_can_be_written_as_json():
    written = json.loads(json.dumps(Calibration(8192, source="AIM log").constants()))
    assert written == {
        "mu_scaling": 8192,
        "mu_water_per_cm": None,
        "density_slope": None,
        "density_intercept": None,
        "source": "AIM log",
    }
    assert Calibration(problem="why").constants()["problem"] == "why"


def test_conversions_chain_and_invert():
    double, add = Linear(2.0, 0.0), Linear(1.0, 3.0)
    assert double.then(add)(5.0) == 13.0
    assert add.then(double)(5.0) == 16.0
    assert add.then(double).inverse()(16.0) == 5.0
