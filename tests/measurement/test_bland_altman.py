"""Bias and limits of agreement, beside published numbers and other ways to compute them."""

import numpy as np
import pytest
from scipy import integrate, stats

from napari_vbmd.measurement.bland_altman import Z, bland_altman, limit_factors


def with_moments(n: int, mean: float, sd: float) -> np.ndarray:
    values = np.random.default_rng(0).normal(size=n)
    return mean + sd * (values - values.mean()) / values.std(ddof=1)


def test_peak_flow_gives_the_published_numbers(peak_flow):
    """Bland and Altman 1986: -2.1, SD 38.8; they take limits of 2 SD, here it is 1.96."""
    found = bland_altman(peak_flow.large[:, 0], peak_flow.mini[:, 0])
    assert found.bias.value == pytest.approx(-2.1, abs=0.05)
    assert found.sd.value == pytest.approx(38.8, abs=0.05)
    assert (found.bias.low, found.bias.high) == pytest.approx((-22.0, 17.8), abs=0.1)
    assert found.lower_limit.value == pytest.approx(-2.1 - 1.96 * 38.8, abs=0.15)
    assert found.upper_limit.value == pytest.approx(-2.1 + 1.96 * 38.8, abs=0.15)


def test_blood_pressure_gives_the_published_limits_and_nearly_the_intervals():
    """Bland and Altman 1999: 85 people, -16.29, SD 19.61; their intervals are approximate."""
    found = bland_altman(with_moments(85, -16.29, 19.61), np.zeros(85))
    limits = found.lower_limit.value, found.upper_limit.value
    assert limits == pytest.approx((-54.7, 22.1), abs=0.05)
    # the exact interval lies a little farther out, at both ends of both
    assert (found.lower_limit.low, found.lower_limit.high) == pytest.approx((-61.9, -47.5), abs=1.2)
    assert (found.upper_limit.low, found.upper_limit.high) == pytest.approx((14.9, 29.3), abs=1.2)
    assert found.upper_limit.high > 29.3
    assert found.lower_limit.low < -61.9


@pytest.mark.parametrize("n", [2, 5, 17, 85, 1000])
def test_limit_factors_solve_the_equation_of_a_normal_percentile(n):
    """P(mean + k sd > limit) by integrating over the sample's SD, without a noncentral t."""

    def above(k: float) -> float:
        def at(w):  # w = (n - 1) * sd^2 is chi-squared
            margin = k * np.sqrt(w / (n - 1)) - Z
            return stats.norm.cdf(np.sqrt(n) * margin) * stats.chi2.pdf(w, n - 1)

        stops = stats.chi2.ppf([1e-12, 1e-3, 0.2, 0.8, 0.999, 1 - 1e-12], n - 1)
        return sum(integrate.quad(at, *stops[i : i + 2])[0] for i in range(5))

    assert [above(k) for k in limit_factors(n)] == pytest.approx([0.025, 0.975], abs=2e-5)


def test_intervals_of_the_limits_hold_as_often_as_they_say():
    rng, n, trials = np.random.default_rng(1), 6, 20_000
    samples = rng.normal(size=(trials, n))
    bounds = samples.mean(1)[:, None] + limit_factors(n) * samples.std(1, ddof=1)[:, None]
    held = (bounds[:, 0] < Z) & (bounds[:, 1] > Z)
    assert held.mean() == pytest.approx(0.95, abs=0.006)  # four standard errors


def test_the_limits_mirror_each_other_around_the_bias(study):
    found = bland_altman(*study)
    assert found.bias.value - found.lower_limit.value == pytest.approx(
        found.upper_limit.value - found.bias.value
    )
    swapped = bland_altman(study[1], study[0])
    assert swapped.upper_limit.value == pytest.approx(-found.lower_limit.value)
    assert (swapped.upper_limit.low, swapped.upper_limit.high) == pytest.approx(
        (-found.lower_limit.high, -found.lower_limit.low)
    )


def test_bias_is_a_share_of_the_references_mean(study):
    found = bland_altman(*study)
    ours, reference = study
    assert found.bias_percent.value == pytest.approx(100 * (ours.mean() / reference.mean() - 1))
    assert bland_altman(ours, -reference).bias_percent.missing == (
        "the reference's mean is not above 0"
    )


def test_one_pair_has_a_difference_and_nothing_else():
    found = bland_altman(np.array([265.0]), np.array([279.0]))
    assert found.bias.value == -14
    for name in ("sd", "lower_limit", "upper_limit"):
        assert getattr(found, name).value is None
        assert getattr(found, name).missing == "1 pair where 2 are needed"


def test_equal_differences_have_limits_at_the_bias_without_intervals():
    found = bland_altman(np.array([1.0, 2.0, 3.0]), np.array([6.0, 7.0, 8.0]))
    assert found.lower_limit.value == found.upper_limit.value == found.bias.value == -5
    assert found.lower_limit.missing == "all differences are equal"


def test_json_says_how_the_intervals_were_made(study):
    content = bland_altman(*study).to_dict()
    assert content["limits_percent"] == 95
    assert "Carkeet 2015" in content["limits_interval"]
