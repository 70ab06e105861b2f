"""Correlations and ICC, beside pingouin, scipy and published tables."""

from itertools import permutations

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats

from napari_vbmd.measurement.correlation import icc_agreement, pearson, spearman

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")  # pingouin's, on pandas


@pytest.fixture(autouse=True)
def exact_numbers(monkeypatch):
    """Pingouin rounds intervals to two decimals; that of a correlation to six all the same."""
    monkeypatch.delitem(pingouin.options, "round.column.CI95")


def by_pingouin(table) -> pd.Series:
    patients, methods = np.indices(table.shape)
    frame = pd.DataFrame(
        {"patient": patients.ravel(), "method": methods.ravel(), "value": table.ravel()}
    )
    found = pingouin.intraclass_corr(
        frame, targets="patient", raters="method", ratings="value"
    ).set_index("Type")
    return found.loc["ICC(A,1)"]


def test_pearson_is_that_of_pingouin(study):
    found, theirs = pearson(*study), pingouin.corr(*study).iloc[0]
    assert (found.r.value, found.p) == pytest.approx((theirs["r"], theirs["p_val"]))
    assert (found.r.low, found.r.high) == pytest.approx(tuple(theirs["CI95"]), abs=6e-7)


def test_peak_flow_has_the_published_correlation(peak_flow):
    """Bland and Altman 1986: r = 0.94."""
    assert pearson(peak_flow.large[:, 0], peak_flow.mini[:, 0]).r.value == pytest.approx(
        0.94, abs=0.005
    )


def test_spearman_is_that_of_pingouin(study):
    found, theirs = spearman(*study), pingouin.corr(*study, method="spearman").iloc[0]
    assert (found.r.value, found.p) == pytest.approx((theirs["r"], theirs["p_val"]))


def test_spearmans_interval_holds_about_as_often_as_it_says():
    """Bivariate normal, where the true rho is 6 / pi * asin(r / 2)."""
    rng, held = np.random.default_rng(0), 0
    true = 6 / np.pi * np.arcsin(0.9 / 2)
    for _ in range(1000):
        x, e = rng.normal(size=(2, 40))
        r = spearman(0.9 * x + np.sqrt(1 - 0.81) * e, x).r
        held += r.low < true < r.high
    assert held / 1000 == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("other", [(1, 2, 3, 4, 5), (2, 1, 4, 3, 5), (3, 1, 2, 2, 5)])
def test_spearmans_p_of_few_pairs_counts_every_order(other):
    ours = np.arange(1.0, 6)
    rho = stats.spearmanr(ours, other).statistic
    every = [stats.spearmanr(order, other).statistic for order in permutations(ours)]
    sides = np.mean(np.array(every) >= rho - 1e-12), np.mean(np.array(every) <= rho + 1e-12)
    assert spearman(ours, np.array(other, float)).p == pytest.approx(min(1, 2 * min(sides)))


def test_five_pairs_in_one_order_are_not_beyond_doubt():
    ours = np.arange(5.0)
    found = spearman(ours, ours**2)
    assert found.r.value == pytest.approx(1)
    assert found.p == pytest.approx(2 / 120)
    assert found.r.missing == "the order is the same, or reversed"


def test_correlations_that_cannot_be_computed_say_why():
    for correlate in (pearson, spearman):
        for n in (0, 1, 2):
            found = correlate(np.arange(n) * 1.0, np.arange(n) * 2.0)
            assert (found.r.value, found.p) == (None, None)
            assert "where 3 are needed" in found.r.missing
        flat = correlate(np.ones(5), np.arange(5.0))
        assert flat.to_dict() == {
            "value": None, "ci95": None, "missing": "all values of ours are equal", "p": None,
        }  # fmt: skip


def test_three_pairs_have_a_coefficient_but_no_interval():
    found = pearson(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    assert found.r.value == pytest.approx(0.98198, abs=1e-5)
    assert found.r.missing == "3 pairs where 4 are needed"


def test_pairs_on_a_line_correlate_perfectly_without_an_interval():
    ours = np.array([1.1, 2.2, 3.3, 4.5])
    assert pearson(ours, 3 - ours).r.value == pytest.approx(-1)
    assert pearson(ours, 3 - ours).r.missing == "the pairs lie on a line"


def test_icc_of_shrout_and_fleiss():
    """Psychol Bull 1979, 86:420, tables 2 and 4: six targets, four judges, ICC(2,1) = .29."""
    table = np.array(
        [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
    )
    found = icc_agreement(table)
    assert found.value == pytest.approx(0.29, abs=0.005)
    theirs = by_pingouin(table)
    assert found.value == pytest.approx(theirs["ICC"])
    assert (found.low, found.high) == pytest.approx(tuple(theirs["CI95"]))


def test_icc_is_that_of_pingouin(study, peak_flow):
    for table in (np.column_stack(study), np.column_stack((peak_flow.large, peak_flow.mini))):
        found, theirs = icc_agreement(table), by_pingouin(table)
        assert found.value == pytest.approx(theirs["ICC"])
        assert (found.low, found.high) == pytest.approx(tuple(theirs["CI95"]))


def test_icc_falls_with_a_shift_that_pearson_does_not_see(study):
    _, expert = study
    shifted = np.column_stack((expert - 14, expert))
    assert pearson(*shifted.T).r.value == pytest.approx(1)
    assert icc_agreement(shifted).value == pytest.approx(
        expert.var(ddof=1) / (expert.var(ddof=1) + 14**2 / 2)
    )


def test_the_published_icc_follows_from_the_published_moments():
    """Folle et al. 2021: 279.3 (42.8) and 265.3 (43.2), n = 30, r 0.999: they print 0.947."""
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(30, 2))
    scores = np.linalg.qr(raw - raw.mean(0))[0] * np.sqrt(29)  # of mean 0, SD 1, unrelated
    expert = 279.3 + 42.8 * scores[:, 0]
    for r in (0.9985, 0.9995):  # what is printed as 0.999
        ours = 265.3 + 43.2 * (r * scores[:, 0] + np.sqrt(1 - r**2) * scores[:, 1])
        assert icc_agreement(np.column_stack((ours, expert))).value == pytest.approx(
            0.947, abs=0.003
        )


def test_icc_of_columns_that_say_nothing_is_missing():
    rising, flat = np.arange(4.0), np.ones(4)
    assert icc_agreement(np.column_stack((rising, rising))).to_dict() == {
        "value": 1.0, "ci95": None, "missing": "the columns are the same",
    }  # fmt: skip
    for other in (rising, flat):
        found = icc_agreement(np.column_stack((flat, other)))
        assert found.missing == "all values of a column are equal"
    assert icc_agreement(np.ones((2, 2))).missing == "2 pairs where 3 are needed"


def test_icc_of_opposites_is_negative_and_not_called_perfect():
    rising = np.arange(6.0)
    found = icc_agreement(np.column_stack((rising, rising[::-1])))
    assert found.value < -1  # this estimate has no lower bound of -1
    assert found.missing == "its interval is not defined this far below 0"


def test_an_interval_of_icc_always_holds_the_icc():
    rng, without = np.random.default_rng(0), 0
    for slope, noise, shift in ((1, 0.1, 0), (1, 2, 5), (0, 1, 0), (-1, 0.01, 0), (-1, 1, 9)) * 20:
        x = rng.normal(size=5)
        found = icc_agreement(np.column_stack((x, slope * x + noise * rng.normal(size=5) + shift)))
        if found.low is None:
            assert found.value < 0
            without += 1
        else:
            assert found.low <= found.value <= found.high
    assert 0 < without < 40
