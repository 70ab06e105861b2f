"""The preference of a rater: share, exact interval, exact test, and no number without a case."""

import json
from math import comb

import pytest
from scipy.special import betainc

from napari_vbmd.errors import ParameterError
from napari_vbmd.measurement.preference import preference

FEW = [(k, n) for n in range(1, 41) for k in range(n + 1)]


def test_the_share_is_that_of_the_decided_cases():
    found = preference(27, 14, equal=8)
    assert found.decided == 41
    assert found.equal == 8
    assert found.share.value == pytest.approx(27 / 41)
    assert found.share == preference(27, 14).share
    assert found.share.missing == ""


def test_published_share_is_that_of_27_in_41_or_29_in_44_and_of_no_count_in_42():
    """Folle et al. 2021: 65.9 %. If 49 were rated and 7 of them equal, 42 were decided."""

    def shares(decided):
        return {f"{100 * preference(k, decided - k).share.value:.1f}" for k in range(decided + 1)}

    assert [n for n in range(30, 50) if "65.9" in shares(n)] == [41, 44]
    found = preference(27, 14)
    assert (found.share.low, found.share.high) == pytest.approx((0.494, 0.799), abs=5e-4)
    assert found.p_value == pytest.approx(0.0596, abs=5e-5)


def test_p_is_the_sum_of_all_outcomes_that_are_no_likelier():
    for k, n in FEW:
        likelihoods = [comb(n, i) for i in range(n + 1)]
        tail = sum(x for x in likelihoods if x <= likelihoods[k])
        assert preference(k, n - k).p_value == pytest.approx(tail / 2**n)


def test_limits_are_those_at_which_as_many_cases_would_be_a_chance_of_one_in_forty():
    for k, n in FEW:
        found = preference(k, n - k)
        if k:  # the chance of k cases or more, as a beta integral
            assert betainc(k, n - k + 1, found.share.low) == pytest.approx(0.025)
        else:
            assert found.share.low == 0
        if k < n:
            assert 1 - betainc(k + 1, n - k, found.share.high) == pytest.approx(0.025)
        else:
            assert found.share.high == 1


def test_interval_and_test_never_contradict_each_other():
    for k, n in FEW:
        found = preference(k, n - k)
        assert (found.share.low <= 0.5 <= found.share.high) == (found.p_value > 0.05)


def test_the_other_source_has_the_mirrored_numbers():
    ours, theirs = preference(15, 6, 3), preference(6, 15, 3)
    assert ours.share.value + theirs.share.value == pytest.approx(1)
    assert ours.share.low == pytest.approx(1 - theirs.share.high)
    assert ours.p_value == theirs.p_value


def test_statsmodels_has_the_same_interval_and_p():
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    for k, n in FEW[::7]:
        found = preference(k, n - k)
        interval = proportion.proportion_confint(k, n, 0.05, method="beta")
        assert (found.share.low, found.share.high) == pytest.approx(interval)
        assert found.p_value == pytest.approx(proportion.binom_test(k, n, 0.5))


@pytest.mark.parametrize(
    ("equal", "reason"),
    [(0, "no case was rated"), (1, "the one case was"), (7, "all 7 cases were rated equally good")],
)
def test_without_a_decided_case_there_is_a_reason_and_no_number(equal, reason):
    found = preference(0, 0, equal)
    assert reason in found.share.missing
    assert found.p_value is None
    content = found.to_dict()
    assert content["share"] == {"value": None, "ci95": None, "missing": found.share.missing}
    assert json.loads(json.dumps(content, allow_nan=False)) == content


@pytest.mark.parametrize("counts", [(-1, 3), (1.5, 3), (1, 2, -1), (float("nan"), 1)])
def test_what_is_no_count_is_refused(counts):
    with pytest.raises(ParameterError, match="whole numbers"):
        preference(*counts)
